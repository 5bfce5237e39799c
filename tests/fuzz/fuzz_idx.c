/* fuzz_idx.c - the IDX reader of the command on mutated files: refused with words and zeros, or images that fit what was read.
 *
 * It is compiled together with cli/data.c and knows nothing else of the command. An input is the size of the images' file in
 * 2 bytes, little-endian, that file, and the labels' file. */
#include "fuzz_main.h"
#include <data.h>

#define IMAGES(n) "\0\0\010\003\0\0\0" n "\0\0\0\002\0\0\0\003"
#define LABELS(n) "\0\0\010\001\0\0\0" n
static const fuzz_seed corpus[] = {
    FUZZ_TEXT("\034\0" IMAGES("\002") "abcdefghijkl" LABELS("\002") "\0\011"),
    FUZZ_TEXT("\026\0" IMAGES("\001") "uvwxyz" LABELS("\001") "\003"),
    FUZZ_TEXT("\026\0" IMAGES("\001") "uvwxyz" LABELS("\002") "\003\004"),
    FUZZ_TEXT("\020\0" IMAGES("\0") LABELS("\0")),
    FUZZ_TEXT("\021\0\0\0\010\003\0\0\0\001\0\0\0\001\0\0\0\001p" LABELS("\001") "\001"),
    FUZZ_TEXT("\020\0\0\0\010\003\xff\xff\xff\xff\0\0\020\0\0\0\020\0" LABELS("\001") "\001"),
    FUZZ_TEXT("\0\0"),
    FUZZ_TEXT("\003\0\0\0\010\0\0"),
};
static const char *const words[] = {"\010\003", "\010\001", "\xff\xff\xff\xff", "\x80", "\001\001\001\001",
                                    "\012",     NULL};
FUZZ_TARGET(.name = "fuzz_idx", .inputs = 2000, .max = 160, .fresh = 3, .seed = corpus,
            .n_seeds = COUNT(corpus), .words = words)

/* All that cli/data.c takes from the rest of the command. */
const char *cli_nearest(const char *word, size_t n, const char *const *list);
const char *cli_nearest(const char *word, size_t n, const char *const *list) {
    (void)word;
    return n ? list[0] : NULL;
}

static char folder[512], images[600], labels[600];

static void remove_folder(void) {
    remove(images);
    remove(labels);
    rmdir(folder);
}

static ebb *session(void) {
    static ebb *e;
    if (!e) {
        snprintf(folder, sizeof folder, "%.400s/ebb-fuzz-idx-XXXXXX", fuzz_folder());
        FUZZ_CHECK(mkdtemp(folder), "no folder %s", folder);
        snprintf(images, sizeof images, "%s/digits-images.idx3-ubyte", folder); /* as data_load expects them */
        snprintf(labels, sizeof labels, "%s/digits-labels.idx1-ubyte", folder);
        atexit(remove_folder);
        e = ebb_open(&(ebb_options){.size = sizeof(ebb_options), .threads = 1});
        FUZZ_CHECK(e, "no session");
    }
    return e;
}

static void write_file(const char *path, const void *data, size_t n) {
    FILE *f = fopen(path, "wb");
    FUZZ_CHECK(f && fwrite(data, 1, n, f) == n && !fclose(f), "cannot write %s", path);
}

/* What was read adds up, and every byte of it is there. */
static void check_set(const data_set *d, int64_t n) {
    FUZZ_CHECK(d->n == n && d->rows > 0 && d->cols > 0, "%lld images of %lld x %lld", (long long)d->n,
               (long long)d->rows, (long long)d->cols);
    for (int64_t i = 0; i < d->n; i++) FUZZ_CHECK(d->label[i] < d->classes, "label %d", d->label[i]);
    unsigned sum = 0;
    for (int64_t i = 0; i < d->n * d->rows * d->cols; i++) sum += d->image[i];
    static volatile unsigned sink;
    sink = sum;
    (void)sink;
}

static void check_zeros(ebb *e, ebb_status s, const data_set *d) {
    FUZZ_CHECK(s == EBB_E_IO && ebb_error_code(e) == s, "%s: %s", ebb_status_name(s), ebb_error(e));
    FUZZ_CHECK(!d->n && !d->rows && !d->cols && !d->image && !d->label, "not zeros after an error");
    FUZZ_CHECK(strstr(ebb_error(e), folder), "the error names no file: %s", ebb_error(e));
    ebb_error_clear(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_begin(data, size);
    if (size < 2) return 0;
    ebb *e = session();
    size_t first = (size_t)data[0] | (size_t)data[1] << 8;
    if (first > size - 2) first = size - 2;
    const uint8_t *answers = data + 2 + first;
    const size_t n_answers = size - 2 - first;
    write_file(images, data + 2, first);
    write_file(labels, answers, n_answers);
    data_set set, train, test;
    memset(&set, 0x5a, sizeof set);
    memset(&train, 0x5a, sizeof train);
    memset(&test, 0x5a, sizeof test);
    ebb_status s = data_read_idx(e, images, labels, 10, 16, &set);
    fuzz_note("%s %s\n", ebb_status_name(s), ebb_error(e));
    const bool good = s == EBB_OK;
    const int64_t n = set.n;
    if (good) {
        check_set(&set, (int64_t)n_answers - 8);
        FUZZ_CHECK((uint64_t)(set.n * set.rows * set.cols) + 16 == first, "%zu bytes of images", first);
        data_free(&set);
    } else check_zeros(e, s, &set);
    s = data_load(e, "digits", folder, &train, &test);
    fuzz_note("load: %s %s\n", ebb_status_name(s), ebb_error(e));
    FUZZ_CHECK((s == EBB_OK) == good, "data_load and data_read_idx differ");
    if (good) {
        check_set(&train, n - n / 5);
        check_set(&test, n / 5);
        data_free(&train);
        data_free(&test);
    } else {
        check_zeros(e, s, &train);
        FUZZ_CHECK(!test.n && !test.image && !test.label, "not zeros after an error");
    }
    return 0;
}
