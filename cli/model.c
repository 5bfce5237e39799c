/* model.c - floor 7: model files for the commands: read, given their data, and their errors shown under the line they are in. */
#define _POSIX_C_SOURCE 200809L
#include "model.h"
#include "data.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool model_is_file(const char *name) {
    const size_t n = strlen(name);
    return n > 4 && !strcmp(name + n - 4, ".ebb");
}

char *model_read(const char *path) {
    size_t used = 0, room = 4096;
    char *text = malloc(room);
    FILE *f = fopen(path, "rb");
    if (!f) {
        cli_fail("cannot open %s: %s", path, strerror(errno));
        free(text);
        return NULL;
    }
    while (text) {
        used += fread(text + used, 1, room - used - 1, f);
        if (used < room - 1) break;
        char *larger = room < (4u << 20) ? realloc(text, room *= 2) : NULL;
        if (!larger) free(text);
        text = larger;
    }
    if (!text) cli_fail("%s is too large for a model", path);
    else if (ferror(f)) {
        cli_fail("cannot read %s: %s", path, strerror(errno));
        free(text);
        text = NULL;
    } else text[used] = 0;
    fclose(f);
    return text;
}

/* ---- data ---- */

/* Bytes 0 .. white to numbers 0 .. 1, labels to i64: the examples of `set` behind those that are there. */
static void append(float **x, int64_t **y, const data_set *set) {
    const int64_t pixels = set->rows * set->cols;
    for (int64_t i = 0; i < set->n * pixels; i++) *(*x)++ = (float)(set->image[i] / (double)set->white);
    for (int64_t i = 0; i < set->n; i++) *(*y)++ = set->label[i];
}

static ebb_status load(ebb *e, const char *name, void *folder) {
    data_set train = {0}, test = {0};
    if (data_load(e, name, folder, &train, &test)) return ebb_error_code(e);
    const int64_t n = train.n + test.n, rows = train.rows, cols = train.cols;
    ebb_scope *s = ebb_begin(e);
    ebb_dataset d = {
        .size = sizeof d, .name = name, .n_train = train.n, .classes = train.classes, .rows = rows, .cols = cols};
    d.x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(n, rows * cols), NULL);
    d.y = ebb_tensor_new(e, EBB_I64, EBB_SHAPE(n), NULL);
    float *x = ebb_data_mut(d.x);
    int64_t *y = ebb_data_mut(d.y);
    if (x && y) {
        append(&x, &y, &train);
        append(&x, &y, &test);
        ebb_dataset_add(e, &d);
    }
    ebb_end(s);
    data_free(&train);
    data_free(&test);
    return ebb_error_code(e);
}

void model_data(ebb *e, const char *folder) {
    void *where = (void *)(uintptr_t)folder;
    ebb_dataset_source(e, "digits", "1,797 images of 8x8, from 0 to 1, as rows of 64; y: the digit", load, where);
    ebb_dataset_source(e, "mnist", "70,000 images of 28x28, from 0 to 1, as rows of 784; y: the digit", load, where);
}

/* ---- errors ---- */

/* "   12 | h = rleu(x)" and a mark under the span. */
static void show_span(const char *text, const ebb_span *s) {
    const char *line = text, *from = text + s->offset;
    while (from > text && from[-1] != '\n') from--;
    line = from;
    const int n = (int)strcspn(line, "\n");
    fprintf(stderr, "%5d | %.*s\n      | ", (int)s->line, n, line);
    for (int column = 1; column < s->column && *line && *line != '\n';
         line++) /* tabs stay tabs, so that the mark stands below */
        if (((unsigned char)*line & 0xc0) != 0x80) {
            fputc(*line == '\t' ? '\t' : ' ', stderr);
            column++;
        }
    const int width = s->end_line > s->line ? n - (int)(line - from) : s->end_column - s->column;
    for (int i = 0; i < (width > 0 ? width : 1); i++) fputc('^', stderr);
    fputc('\n', stderr);
}

int model_failed(const ebb *e, const ebb_model *m, const char *path, const char *text) {
    const ebb_problem *p = ebb_model_problem(m);
    fflush(stdout);
    if (!p) return cli_failed(e);
    fprintf(stderr, "%s:%d:%d: %s\n", path, (int)p->span.line, (int)p->span.column, p->message);
    show_span(text, &p->span);
    if (*p->hint) fprintf(stderr, "      = %s\n", p->hint);
    if (p->call.line) {
        fprintf(stderr, "      called from line %d\n", (int)p->call.line);
        show_span(text, &p->call);
    }
    return CLI_FAILED;
}
