/* fuzz_trace.c - ebb_trace_read on mutated files: refused with words, or read, and then every index leads somewhere.
 *
 * An input whose first byte is odd is a file behind it. Else it is changes to the file of a small model's step: each is a place in 2 bytes,
 * little-endian, and a byte to put there; the checksum is made right again. */
#include "fuzz_main.h"
#include <ebb/view.h>

static const fuzz_seed corpus[] = {
    FUZZ_TEXT("\0"),
    FUZZ_TEXT("\0\110\0\0\200\0\1\220\0\2"),
    FUZZ_TEXT("\0\0\2\377\1\2\377\2\2\377\3\2\377"),
    FUZZ_TEXT("\0\10\0\2\14\0\2\20\0\11"),
    FUZZ_TEXT("\1ebbtrace\1\0\0\0\0\0\0\0\110\0\0\0\0\0\0\0"),
    FUZZ_TEXT("\1ebbtr"),
    FUZZ_TEXT("\1"),
};
static const char *const words[] = {"ebbtrace", "\377\377\377\377", "\377\377\377\177", "\1\0\0\0", "race",
                                    NULL};
FUZZ_TARGET(.name = "fuzz_trace", .inputs = 100000, .max = 240, .fresh = 3, .seed = corpus,
            .n_seeds = COUNT(corpus), .words = words)

static uint8_t *base;
static size_t n_base;

static ebb *session(void) {
    static ebb *e;
    if (e) return e;
    e = ebb_open(&(ebb_options){.size = sizeof(ebb_options), .threads = 1});
    FUZZ_CHECK(e, "no session");
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(3), ebb_ones),
               *x = ebb_full(e, EBB_F32, EBB_SHAPE(3), 2);
    ebb_region_begin(e, "block");
    x = ebb_tanh(ebb_mul(x, w));
    ebb_region_end(e);
    ebb_region_begin(e, "block.2");
    x = ebb_tanh(ebb_mul(x, w));
    ebb_region_end(e);
    ebb_backward(ebb_sum(x));
    ebb_record_series(r, "loss", 1, &(float){0}, &(float){1});
    const ebb_trace_step *s = ebb_record_end(r);
    base = s ? ebb_trace_write(e, 1, &s, &n_base) : NULL;
    FUZZ_CHECK(base && n_base % 8 == 0, "no file: %s", ebb_error(e));
    ebb_record_free(r);
    return e;
}

static void sum_again(uint8_t *file, size_t n) {
    uint32_t h = 2166136261u, w;
    for (size_t i = 0; i + 8 < n; i += 4) {
        memcpy(&w, file + i, sizeof w);
        h = (h ^ w) * 16777619u;
    }
    memcpy(file + n - 8, &h, sizeof h);
}

/* Looks at everything that a page would: a wrong index would lead outside. */
static void look(const ebb_trace_step *s) {
    double sum = s->loss;
    size_t n = strlen(s->texts + s->model) + strlen(s->texts + s->about);
    for (int32_t i = 0; i < s->n_tensors; i++) {
        const ebb_trace_tensor *t = &s->tensors[i];
        n += strlen(s->texts + t->name);
        for (int32_t d = 0; d < t->ndim; d++) n += (size_t)t->dim[d];
        if (t->node >= 0) n += s->nodes[t->node].op;
        if (t->value >= 0) n += s->stats[t->value].bin[0];
    }
    for (int32_t i = 0; i < s->n_nodes; i++) {
        const ebb_trace_node *v = &s->nodes[i];
        n += strlen(s->texts + v->op) + strlen(s->texts + v->attrs) + strlen(s->texts + v->label);
        for (int32_t k = 0; k < v->n_in; k++) {
            const int32_t x = s->inputs[v->input + k].tensor;
            FUZZ_CHECK(x < 0 || s->tensors[x].node < i, "node %d reads a tensor from behind it", i);
        }
        for (int32_t g = v->group; g >= 0; g = s->groups[g].parent)
            FUZZ_CHECK(s->groups[g].first <= i && i < s->groups[g].last, "node %d is not in group %d", i, g);
    }
    for (int32_t i = 0; i < s->n_stats; i++) {
        const ebb_trace_stats *x = &s->stats[i];
        for (int32_t k = 0; k < x->rows * x->cols; k++) sum += (double)s->floats[x->pixels + k];
        for (int32_t k = 0; k < x->n && x->elements >= 0; k++) sum += (double)s->floats[x->elements + k];
    }
    for (int32_t i = 0; i < s->n_series; i++)
        for (int32_t k = 0; k < 2 * s->series[i].n; k++) sum += (double)s->floats[s->series[i].at + k];
    static volatile double sink;
    sink = sum + (double)n;
    (void)sink;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_begin(data, size);
    ebb *e = session();
    const int64_t before = fuzz_tensors(e);
    const bool changes = size && !(data[0] & 1);
    const size_t n = changes ? n_base : size ? size - 1 : 0;
    uint8_t *file = malloc(n + 1);
    FUZZ_CHECK(file, "no memory");
    if (changes) {
        memcpy(file, base, n);
        for (size_t i = 1; i + 3 <= size; i += 3)
            file[((size_t)data[i] | (size_t)data[i + 1] << 8) % n] = data[i + 2];
        sum_again(file, n);
    } else if (n) {
        memcpy(file, data + 1, n);
    }
    ebb_trace_file *f = ebb_trace_read(e, file, n);
    free(file); /* it was copied */
    fuzz_note("%s\n", f ? "read" : ebb_error(e));
    if (!f)
        FUZZ_CHECK(ebb_error_code(e) == EBB_E_IO, "%s is no answer to a wrong file",
                   ebb_status_name(ebb_error_code(e)));
    if (!f) fuzz_error(e);
    for (int32_t i = 0; i < ebb_trace_frames(f); i++) look(ebb_trace_frame(f, i));
    ebb_trace_file_free(f);
    FUZZ_CHECK(fuzz_tensors(e) == before, "tensors were made");
    fuzz_usable(e);
    return 0;
}
