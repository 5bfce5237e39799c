/* oom_test.c - the allocator fails at every allocation in turn: no crash, no leak, a clear error, a session that goes on. */
#include "../failing.h"

/* ---- a training step of a small network ------------------------------------------------------------------------------ */

enum { BATCH = 40, IN = 41, HIDDEN = 43, OUT = 37 }; /* every tensor of the step is more than a small block */

typedef struct {
    ebb_tensor *w1, *b1, *w2, *b2, *x, *labels;
    ebb_optim *opt;
} net;

static net build(ebb *e, const char *optimizer) {
    static float images[BATCH * IN];
    static int64_t labels[BATCH];
    for (int i = 0; i < BATCH * IN; i++) images[i] = (float)(i * 7 % 23) / 23 - 0.5f;
    for (int i = 0; i < BATCH; i++) labels[i] = i * 5 % OUT;
    net n;
    n.w1 = ebb_param(e, "w1", EBB_F32, EBB_SHAPE(HIDDEN, IN), ebb_kaiming);
    n.b1 = ebb_param(e, "b1", EBB_F32, EBB_SHAPE(HIDDEN), ebb_zeros);
    n.w2 = ebb_param(e, "w2", EBB_F32, EBB_SHAPE(OUT, HIDDEN), ebb_xavier);
    n.b2 = ebb_param(e, "b2", EBB_F32, EBB_SHAPE(OUT), NULL);
    n.x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(BATCH, IN), images);
    n.labels = ebb_tensor_new(e, EBB_I64, EBB_SHAPE(BATCH), labels);
    n.opt = ebb_optim_new(e, optimizer, "lr=1e-3");
    return n;
}

/* One step; everything it makes is gone afterwards. -> its loss, NAN after an error */
static double step(ebb *e, const net *n) {
    double loss = NAN;
    ebb_scope *s = ebb_begin(e);
    ebb_region_begin(e, "net");
    ebb_tensor *h = ebb_name(ebb_relu(ebb_linear(n->x, n->w1, n->b1)), "hidden");
    h = ebb_contiguous(ebb_transpose(ebb_mul(h, h), .dim0 = 0, .dim1 = 1));
    ebb_tensor *y = ebb_linear(ebb_transpose(h, .dim0 = 0, .dim1 = 1), n->w2, n->b2);
    ebb_region_end(e);
    ebb_tensor *l = ebb_add(ebb_cross_entropy(y, n->labels), ebb_mean(ebb_softmax(y, .dim = 1)));
    const ebb_status back = ebb_backward(l);
    ebb_grads(e, "clip_norm", "max_norm=1");
    if (back == EBB_OK && ebb_optim_step(n->opt) == EBB_OK && !ebb_failed(e)) loss = ebb_item(l);
    ebb_end(s);
    ebb_zero_grad(n->opt);
    return loss;
}

static void opening(void **state) {
    UNUSED(state);
    for (size_t mode = 0; mode < COUNT(spans); mode++)
        for (long k = 1;; k++) {
            failing f = {.fail_at = k, .span = spans[mode]};
            ebb *e = open_failing(&f, 1);
            const bool reached = f.calls >= k;
            f.fail_at = 0;
            if (e) { /* it did without: then it must be whole */
                assert_values(ebb_add(scalar(e, 1), scalar(e, 2)), 3);
                assert_no_error(e);
            }
            close_clean(e, &f, k);
            if (reached) continue;
            assert_non_null(e);
            assert_true(k > 1);
            break;
        }
}

/* From the first parameter to the end of a step, on a fresh session each time. */
static void everything(const char *optimizer, int threads) {
    failing calm = {0};
    ebb *e = open_failing(&calm, threads);
    assert_non_null(e);
    net n = build(e, optimizer);
    const double want = step(e, &n);
    assert_no_error(e);
    assert_true(isfinite(want));
    close_clean(e, &calm, 0);

    for (size_t mode = 0; mode < COUNT(spans); mode++) {
        long failures = 0, k = 1;
        for (;; k++) {
            failing f = {0};
            assert_non_null(e = open_failing(&f, threads));
            f.calls = 0, f.fail_at = k, f.span = spans[mode];
            n = build(e, optimizer);
            const double loss = step(e, &n);
            const bool reached = f.calls >= k;
            f.fail_at = 0;
            if (ebb_failed(e)) {
                failures++;
                if (!reached) fail_msg("an error without a failed allocation: %s", ebb_error(e));
                if (ebb_error_code(e) != EBB_E_MEMORY)
                    fail_msg("allocation %ld failed: %s: %s", k, ebb_status_name(ebb_error_code(e)), ebb_error(e));
                assert_words(ebb_error(e), "memory");
                ebb_error_clear(e);
                assert_values(ebb_add(scalar(e, 1), scalar(e, 2)), 3);
                assert_no_error(e);
            } else if (loss != want) { /* it did without: then with the right result */
                fail_msg("allocation %ld failed unseen: loss %.9g, not %.9g", k, loss, want);
            }
            close_clean(e, &f, k);
            if (!reached) break;
        }
        assert_true(k > 10);
        if (mode) assert_true(failures > 5);
    }
}

static void adamw_from_the_start(void **state) { UNUSED(state), everything("adamw", 1); }
static void sgd_from_the_start(void **state) { UNUSED(state), everything("sgd", 1); }
static void threaded_from_the_start(void **state) { UNUSED(state), everything("adamw", 2); }

/* In a session that goes on: a failed step leaves not a byte more, and the step after it is as good as any. */
static void steady(void **state) {
    UNUSED(state);
    for (size_t mode = 1; mode < COUNT(spans); mode++) {
        failing f = {0};
        ebb *e = open_failing(&f, 1);
        net n = build(e, "adamw");
        for (int i = 0; i < 3; i++) assert_true(isfinite(step(e, &n)));
        ebb_memory before = {0}, after = {0};
        ebb_memory_stats(e, &before);
        long k = 1, failures = 0;
        for (;; k++) {
            ebb_memory_trim(e);
            f.calls = 0, f.fail_at = k, f.span = spans[mode];
            step(e, &n);
            const bool reached = f.calls >= k;
            f.fail_at = 0;
            if (ebb_failed(e)) {
                failures++;
                assert_error(e, EBB_E_MEMORY, "memory");
                ebb_zero_grad(n.opt);
            }
            ebb_memory_stats(e, &after);
            if (after.in_use != before.in_use || after.tensors != before.tensors || after.tape != before.tape)
                fail_msg("allocation %ld failed: %zu bytes, %lld tensors, %zu bytes of tape are more than there were",
                         k, after.in_use - before.in_use, (long long)(after.tensors - before.tensors),
                         after.tape - before.tape);
            assert_true(isfinite(step(e, &n)));
            if (!reached) break;
        }
        assert_true(k > 10);
        assert_true(failures > 5);
        close_clean(e, &f, k);
    }
}

/* Second derivatives keep more alive. */
static void create_graph(void **state) {
    UNUSED(state);
    for (long k = 1;; k++) {
        failing f = {0};
        ebb *e = open_failing(&f, 1);
        assert_non_null(e);
        f.calls = 0, f.fail_at = k, f.span = LONG_MAX;
        ebb_scope *s = ebb_begin(e);
        ebb_tensor *x = ebb_full(e, EBB_F64, EBB_SHAPE(1500), 0.5), *d = NULL, *dd = NULL;
        ebb_requires_grad(x, true);
        ebb_tensor *y = ebb_sum(ebb_sin(ebb_mul(x, x)));
        ebb_grad(e, 1, &y, NULL, 1, &x, EBB_CREATE_GRAPH, &d);
        ebb_tensor *z = ebb_sum(ebb_mul(d, d));
        ebb_grad(e, 1, &z, NULL, 1, &x, 0, &dd);
        const bool reached = f.calls >= k;
        f.fail_at = 0;
        if (ebb_failed(e)) assert_error(e, EBB_E_MEMORY, "");
        else assert_near(ebb_at(dd, 39), 2 * cos(0.25) * (2 * cos(0.25) - sin(0.25)), 1e-13);
        assert_int_equal(ebb_numel(ebb_mul(x ? x : scalar(e, 1), scalar(e, 2))) > 0, 1);
        assert_no_error(e);
        ebb_end(s);
        close_clean(e, &f, k);
        if (!reached) break;
    }
}

static void by_name(void **state) { /* attributes from text, several kinds */
    UNUSED(state);
    for (long k = 1;; k++) {
        failing f = {0};
        ebb *e = open_failing(&f, 1);
        assert_non_null(e);
        ebb_tensor *x = ebb_full(e, EBB_F64, EBB_SHAPE(3, 4, 5), 1), *y = NULL;
        f.calls = 0, f.fail_at = k, f.span = LONG_MAX;
        const int n = ebb_call_named(e, "sum", 1, &x, "dim=0,2 keepdim=1", 1, &y);
        const bool reached = f.calls >= k;
        f.fail_at = 0;
        if (n < 0) {
            assert_error(e, EBB_E_MEMORY, "");
        } else assert_values(y, 15, 15, 15, 15);
        close_clean(e, &f, k);
        if (!reached) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening),
        cmocka_unit_test(adamw_from_the_start),
        cmocka_unit_test(sgd_from_the_start),
        cmocka_unit_test(threaded_from_the_start),
        cmocka_unit_test(steady),
        cmocka_unit_test(create_graph),
        cmocka_unit_test(by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
