/* data.c - floor 7: reads IDX files, believing nothing they say before checking it against their size.
 *
 * IDX: 00 00 08 d, where 08 is "unsigned byte" and d the number of dims; d big-endian 32-bit sizes; the bytes. */
#define _POSIX_C_SOURCE 200809L
#include "data.h"
#include "cli.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef EBB_DATA_DIR
#define EBB_DATA_DIR "data"
#endif

enum { IMAGES = 0x803, LABELS = 0x801, MAX_SIDE = 4096 };

const char *const data_names[] = {"digits", "mnist", NULL};

/* A whole file. *n receives its size. -> owned, free; NULL on an error */
static uint8_t *read_file(ebb *e, const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    if (!f) {
        ebb_fail(e, EBB_E_IO, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    uint8_t *bytes = NULL;
    long size = -1;
    if (fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
        ebb_fail(e, EBB_E_IO, "cannot read %s: %s", path, strerror(errno));
    else if (!(bytes = malloc((size_t)size + 1)))
        ebb_fail(e, EBB_E_MEMORY, "%s: no memory for its %ld bytes", path, size);
    else if (fread(bytes, 1, (size_t)size, f) != (size_t)size) {
        ebb_fail(e, EBB_E_IO, "cannot read all of %s", path);
        free(bytes);
        bytes = NULL;
    }
    fclose(f);
    *n = (size_t)size;
    return bytes;
}

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The elements of an IDX file of that magic. dim[] receives its sizes. -> owned, free; NULL on an error */
static uint8_t *read_idx(ebb *e, const char *path, uint32_t magic, uint64_t dim[3]) {
    size_t size = 0;
    uint8_t *file = read_file(e, path, &size);
    if (!file) return NULL;
    const size_t dims = magic & 0xff, header = 4 + 4 * dims;
    uint64_t need = 1;
    if (size < 4 || (big_endian(file) == magic && size < header)) {
        ebb_fail(e, EBB_E_IO, "%s: cut short: %zu bytes, but an IDX header of %zu dims takes %zu", path, size,
                 dims, header);
        goto bad;
    }
    if (big_endian(file) != magic) {
        ebb_fail(e, EBB_E_IO, "%s: begins with 0x%08" PRIx32 ", but IDX %s begin with 0x%08" PRIx32, path,
                 big_endian(file), magic == IMAGES ? "images" : "labels", magic);
        goto bad;
    }
    for (size_t d = 0; d < dims; d++) {
        dim[d] = big_endian(file + 4 + 4 * d);
        if (!dim[d] || (d && dim[d] > MAX_SIDE)) {
            ebb_fail(e, EBB_E_IO, "%s: dim %zu is %" PRIu64 "; expected 1 to %" PRIu64, path, d, dim[d],
                     d ? (uint64_t)MAX_SIDE : (uint64_t)UINT32_MAX);
            goto bad;
        }
        need *= dim[d]; /* at most 2^32 * 2^12 * 2^12 */
    }
    if (size - header != need) {
        ebb_fail(e, EBB_E_IO, "%s: %s: %zu bytes of data, but its header needs %" PRIu64, path,
                 size - header < need ? "cut short" : "too long", size - header, need);
        goto bad;
    }
    memmove(file, file + header, size - header);
    return file;
bad:
    free(file);
    return NULL;
}

ebb_status data_read_idx(ebb *e, const char *images, const char *labels, int classes, int white, data_set *out) {
    uint64_t dim[3] = {0}, count[3] = {0};
    *out = (data_set){0};
    uint8_t *pixels = read_idx(e, images, IMAGES, dim);
    uint8_t *answers = pixels ? read_idx(e, labels, LABELS, count) : NULL;
    if (!answers) goto bad;
    if (dim[0] != count[0]) {
        ebb_fail(e, EBB_E_IO, "%" PRIu64 " images in %s, but %" PRIu64 " labels in %s", dim[0], images,
                 count[0], labels);
        goto bad;
    }
    for (uint64_t i = 0; i < count[0]; i++)
        if (answers[i] >= classes) {
            ebb_fail(e, EBB_E_IO, "%s: label %" PRIu64 " is %d; expected 0 to %d", labels, i, answers[i],
                     classes - 1);
            goto bad;
        }
    *out = (data_set){(int64_t)dim[0], (int64_t)dim[1], (int64_t)dim[2], classes, white, pixels, answers};
    return EBB_OK;
bad:
    free(pixels);
    free(answers);
    return ebb_error_code(e);
}

void data_free(data_set *d) {
    free(d->image);
    free(d->label);
    *d = (data_set){0};
}

/* Moves a fifth of d, chosen by a fixed sequence, to `test`. */
static ebb_status hold_back(ebb *e, data_set *d, data_set *test) {
    const size_t bytes = (size_t)(d->rows * d->cols), n_test = (size_t)d->n / 5;
    uint8_t spare[64];
    uint64_t state = 20; /* an LCG (Knuth, MMIX): the split must not depend on --seed */
    for (size_t i = (size_t)d->n; i-- > 1;) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const size_t k = (size_t)((state >> 33) % (i + 1));
        uint8_t *a = d->image + i * bytes, *b = d->image + k * bytes, label = d->label[i];
        for (size_t at = 0, part; at < bytes; at += part) {
            part = bytes - at < sizeof spare ? bytes - at : sizeof spare;
            memcpy(spare, a + at, part);
            memmove(a + at, b + at, part);
            memcpy(b + at, spare, part);
        }
        d->label[i] = d->label[k];
        d->label[k] = label;
    }
    *test = *d;
    test->n = (int64_t)n_test;
    test->image = malloc(n_test * bytes + 1);
    test->label = malloc(n_test + 1);
    if (!test->image || !test->label) {
        data_free(test);
        return ebb_fail(e, EBB_E_MEMORY, "no memory for %zu images", n_test);
    }
    d->n -= (int64_t)n_test;
    memcpy(test->image, d->image + (size_t)d->n * bytes, n_test * bytes);
    memcpy(test->label, d->label + (size_t)d->n, n_test);
    return EBB_OK;
}

static ebb_status read_pair(ebb *e, const char *folder, const char *name, int white, data_set *out) {
    char images[1024], labels[1024];
    snprintf(images, sizeof images, "%s/%s-images.idx3-ubyte", folder, name);
    const int n = snprintf(labels, sizeof labels, "%s/%s-labels.idx1-ubyte", folder, name);
    if (n < 0 || (size_t)n >= sizeof labels) return ebb_fail(e, EBB_E_ARG, "the folder's name is too long");
    return data_read_idx(e, images, labels, 10, white, out);
}

ebb_status data_load(ebb *e, const char *name, const char *folder, data_set *train, data_set *test) {
    if (!folder) folder = EBB_DATA_DIR;
    *train = *test = (data_set){0};
    ebb_status s;
    if (!strcmp(name, "digits")) {
        s = read_pair(e, folder, "digits", 16, train);
        if (!s) s = hold_back(e, train, test);
    } else if (!strcmp(name, "mnist")) {
        s = read_pair(e, folder, "cache/mnist-train", 255, train);
        if (!s) s = read_pair(e, folder, "cache/mnist-test", 255, test);
        if (!s && (train->rows != test->rows || train->cols != test->cols))
            s = ebb_fail(e, EBB_E_IO,
                         "training images are %" PRId64 "x%" PRId64 ", but test images %" PRId64 "x%" PRId64,
                         train->rows, train->cols, test->rows, test->cols);
    } else {
        const char *near = cli_nearest(name, 2, data_names);
        s = near ? ebb_fail(e, EBB_E_NAME, "no data set '%s'; did you mean %s?", name, near)
                 : ebb_fail(e, EBB_E_NAME, "no data set '%s'; there are digits and mnist", name);
    }
    if (s) {
        data_free(train);
        data_free(test);
    }
    return s;
}
