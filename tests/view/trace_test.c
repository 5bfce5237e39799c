/* trace_test.c - trace files: what is read is what was written; cut short anywhere, damaged or wrong in any index, they are refused in words. */
#include "../test.h"
#include <ebb/view.h>

typedef struct file {
    unsigned char *bytes;
    size_t n;
} file;

/* A record with everything in it: groups, twins, several outputs, an optional operand, a curve, gradients, two frames. */
static file written(ebb *e, int frames) {
    const ebb_trace_step *step[2];
    ebb_recorder *r[2];
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(4, 4), ebb_xavier),
               *b = ebb_param(e, "b", EBB_F32, EBB_SHAPE(4), NULL);
    ebb_optim *o = ebb_optim_new(e, "sgd", "lr=0.1");
    const float at[] = {0, 1}, v[] = {2, 1.5f};
    for (int i = 0; i < frames; i++) {
        r[i] = ebb_record_begin(e, NULL);
        ebb_tensor *h = ebb_name(ebb_rand(e, EBB_F32, EBB_SHAPE(2, 4)), "x");
        for (int k = 0; k < 2; k++) {
            ebb_region_begin(e, k ? "block.2" : "block");
            h = ebb_tanh(ebb_linear(h, w, k ? b : NULL));
            ebb_region_end(e);
        }
        assert_int_equal(ebb_backward(ebb_mean(ebb_mul(ebb_softmax(h, .dim = 1), h))), EBB_OK);
        assert_int_equal(ebb_optim_step(o), EBB_OK);
        assert_int_equal(ebb_record_series(r[i], "loss", 2, at, v), EBB_OK);
        assert_non_null(step[i] = ebb_record_end(r[i]));
    }
    file f = {0};
    f.bytes = ebb_trace_write(e, frames, step, &f.n);
    assert_non_null(f.bytes);
    for (int i = 0; i < frames; i++) ebb_record_free(r[i]);
    assert_no_error(e);
    return f;
}

static uint64_t word64(const file *f, size_t at) {
    uint64_t v;
    memcpy(&v, f->bytes + at, sizeof v);
    return v;
}

static void sum_again(file *f) {
    uint32_t h = 2166136261u, w;
    for (size_t i = 0; i + 8 < f->n; i += 4) {
        memcpy(&w, f->bytes + i, sizeof w);
        h = (h ^ w) * 16777619u;
    }
    memcpy(f->bytes + f->n - 8, &h, sizeof h);
}

static void as_written(void **state) {
    ebb *e = *state;
    file f = written(e, 2);
    ebb_trace_file *t = ebb_trace_read(e, f.bytes, f.n);
    assert_no_error(e);
    assert_non_null(t);
    assert_int_equal(ebb_trace_frames(t), 2);
    assert_null(ebb_trace_frame(t, 2));
    assert_null(ebb_trace_frame(t, -1));
    const ebb_trace_step *s[2] = {ebb_trace_frame(t, 0), ebb_trace_frame(t, 1)};
    assert_true(isfinite(s[0]->loss));
    assert_string_equal(s[0]->texts + s[0]->nodes[0].op, "linear");
    assert_string_equal(s[1]->texts + s[1]->series[0].name, "loss");
    assert_true(s[1]->floats[s[1]->series[0].at + 3] == 1.5f);
    assert_int_equal(s[0]->groups[0].n_twins, 1); /* one has no bias */
    size_t n;
    void *again = ebb_trace_write(e, 2, s, &n);
    assert_int_equal(n, f.n);
    assert_memory_equal(again, f.bytes, n);
    ebb_trace_bytes_free(e, again, n);
    ebb_trace_file_free(t);
    ebb_trace_bytes_free(e, f.bytes, f.n);
}

static void no_frames(void **state) {
    ebb *e = *state;
    size_t n;
    void *bytes = ebb_trace_write(e, 0, NULL, &n);
    ebb_trace_file *t = ebb_trace_read(e, bytes, n);
    assert_non_null(t);
    assert_int_equal(ebb_trace_frames(t), 0);
    ebb_trace_file_free(t);
    ebb_trace_bytes_free(e, bytes, n);
}

static void cut_short(void **state) {
    ebb *e = *state;
    file f = written(e, 1);
    for (size_t n = 0; n < f.n; n++) {
        assert_null(ebb_trace_read(e, f.bytes, n));
        char where[40];
        snprintf(where, sizeof where, n < 8 ? "trace file" : "cut short at byte %zu", n);
        assert_error(e, EBB_E_IO, where);
    }
    ebb_trace_bytes_free(e, f.bytes, f.n);
}

static void damaged(void **state) {
    ebb *e = *state;
    file f = written(e, 1);
    for (size_t i = 0; i < f.n; i += 7) {
        f.bytes[i] ^= 0x10;
        assert_null(ebb_trace_read(e, f.bytes, f.n));
        assert_error(e, EBB_E_IO, "trace file");
        f.bytes[i] ^= 0x10;
    }
    f.bytes[8] = 9; /* the version */
    assert_null(ebb_trace_read(e, f.bytes, f.n));
    assert_error(e, EBB_E_IO, "version 9|reads version 1");
    ebb_trace_bytes_free(e, f.bytes, f.n);
}

/* Each index of the first item of each table, set to something outside; the message names it. */
static void wrong_indices(void **state) {
    ebb *e = *state;
    static const struct {
        int table, field;
        int32_t value;
        const char *words;
    } wrong[] = {
        {0, 0, 1 << 30, "tensors[0].name|texts have"},
        {0, 4, 4, "tensors[0].kind is 4"},
        {0, 8, 7, "dtype is 7"},
        {0, 12, 9, "ndim is 9"},
        {0, 16, -1, "dim has a size of -1"},
        {0, 48, 1000, "node is 1000"},
        {0, 52, 0, "out is 0"},
        {0, 56, 1000, "value is 1000"},
        {0, 60, -2, "grad is -2"},
        {0, 68, 9999, "after is 9999"},
        {1, 0, -1, "nodes[0].op"},
        {1, 16, 50, "nodes[0].group is 50"},
        {1, 16, -1, "innermost around it is 0"},
        {1, 20, -1, "nodes[0].input"},
        {1, 24, 1000, "1000 items"},
        {1, 28, 0, "outputs at 0"},
        {1, 32, 1000, "1000 items"},
        {1, 36, 2, "on_tape is 2"},
        {1, 40, -1, "line is -1"},
        {2, 0, 7, "which node"},
        {2, 4, 1000, "inputs[0].grad is 1000"},
        {3, 0, -1, "groups[0].name"},
        {3, 4, 4, "groups[0].kind is 4"},
        {3, 8, 0, "parent is 0"},
        {3, 12, 100, "first is 100"},
        {3, 16, 0, "last is 0"},
        {3, 20, 1, "twin is 1"},
        {3, 24, 0, "n_twins is 0"},
        {4, 0, 5, "events[0].kind is 5"},
        {4, 4, -1, "events[0].node is -1"},
        {4, 8, 0, "events[0].input is 0"},
        {4, 12, 0, "events[0].tensor is 0"},
        {5, 20, -1, "stats[0].n is -1"},
        {5, 24, 17, "n_nan is 17"},
        {5, 36, 16, "first_bad is 16"},
        {5, 168, 65, "rows is 65"},
        {5, 176, 1 << 30, "stats[0].pixels"},
        {5, 180, -2, "stats[0].elements"},
        {7, 4, 1 << 20, "series[0].at"},
        {7, 8, -1, "series[0].at"},
    };
    file f = written(e, 1);
    const size_t frame = (size_t)word64(&f, 64);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        uint32_t at;
        int32_t old;
        memcpy(&at, f.bytes + frame + 72 + 4 * wrong[i].table, sizeof at);
        unsigned char *field = f.bytes + frame + at + wrong[i].field;
        memcpy(&old, field, sizeof old);
        memcpy(field, &wrong[i].value, sizeof old);
        sum_again(&f);
        if (ebb_trace_read(e, f.bytes, f.n)) fail_msg("read, though %s", wrong[i].words);
        assert_error(e, EBB_E_IO, wrong[i].words);
        memcpy(field, &old, sizeof old);
    }
    sum_again(&f);
    ebb_trace_file *t = ebb_trace_read(e, f.bytes, f.n);
    assert_non_null(t);
    ebb_trace_file_free(t);
    ebb_trace_bytes_free(e, f.bytes, f.n);
}

static void bad_arguments(void **state) {
    ebb *e = *state;
    size_t n;
    const ebb_trace_step *none = NULL;
    assert_null(ebb_trace_write(e, 1, &none, &n));
    assert_error(e, EBB_E_ARG, "frame 0 is NULL");
    assert_null(ebb_trace_write(e, -1, NULL, &n));
    assert_error(e, EBB_E_ARG, "-1 frames");
    assert_null(ebb_trace_write(NULL, 0, NULL, &n));
    assert_null(ebb_trace_read(e, NULL, 8));
    assert_error(e, EBB_E_ARG, "NULL");
    assert_null(ebb_trace_read(e, "hello world", 11));
    assert_error(e, EBB_E_IO, "not a trace file|ebbtrace");
    assert_int_equal(ebb_trace_frames(NULL), 0);
    ebb_trace_file_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(as_written), SESSION_TEST(no_frames),     SESSION_TEST(cut_short),
        SESSION_TEST(damaged),    SESSION_TEST(wrong_indices), SESSION_TEST(bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
