/* oom_test.c - memory runs out anywhere in a record, its file or its reading: a clear error, no leak, a session that goes on. */
#include "../failing.h"
#include <ebb/view.h>

/* Everything that view/ does with memory, once. -> whether it all went well */
static bool everything(ebb *e) {
    bool ok = false;
    size_t n = 0;
    void *bytes = NULL;
    ebb_trace_file *file = NULL;
    ebb_scope *scope = ebb_begin(e);
    const ebb_record_options o = {.size = sizeof o, .live = true};
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(30, 40), ebb_lecun),
               *x = ebb_rand(e, EBB_F32, EBB_SHAPE(20, 40));
    ebb_optim *opt = ebb_optim_new(e, "sgd", "lr=0.1");
    ebb_recorder *r = ebb_record_begin(e, &o);
    ebb_region_begin(e, "block");
    ebb_tensor *h = ebb_name(ebb_linear(x, w, NULL), "h");
    ebb_add_(ebb_select(h, .dim = 0, .index = 0), ebb_full(e, EBB_F32, EBB_SHAPE0, 1));
    ebb_region_end(e);
    ebb_backward(ebb_mean(ebb_square(ebb_softmax(h, .dim = 1))));
    ebb_optim_step(opt);
    ebb_record_series(r, "loss", 1, &(float){1}, &(float){2});
    const ebb_trace_step *s = ebb_record_end(r);
    if (s) bytes = ebb_trace_write(e, 1, &s, &n);
    if (bytes) file = ebb_trace_read(e, bytes, n);
    if (file) {
        ebb_derivative d[3];
        assert_int_equal(ebb_trace_frame(file, 0)->n_nodes, s->n_nodes);
        ebb_tensor *ties = ebb_full(e, EBB_F32, EBB_SHAPE(4), 0);
        ok = ebb_derivative_check(e, "amax", NULL, 1, &ties, 0, 3, d) == 3;
    }
    ebb_trace_file_free(file);
    ebb_trace_bytes_free(e, bytes, n);
    ebb_record_free(r);
    ebb_optim_free(opt);
    ebb_grad_set(w, NULL);
    ebb_param_remove(w);
    ebb_end(scope);
    return ok;
}

static void anywhere(void **state) {
    UNUSED(state);
    for (size_t mode = 0; mode < COUNT(spans); mode++) {
        long failures = 0, k = 1;
        for (;; k++) {
            failing f = {0};
            ebb *e = open_failing(&f, 1);
            assert_non_null(e);
            f.calls = 0, f.fail_at = k, f.span = spans[mode];
            const bool ok = everything(e), reached = f.calls >= k;
            f.fail_at = 0;
            if (ebb_failed(e)) {
                failures++;
                if (ebb_error_code(e) != EBB_E_MEMORY)
                    fail_msg("allocation %ld failed: %s: %s", k, ebb_status_name(ebb_error_code(e)), ebb_error(e));
                ebb_error_clear(e);
            } else if (!ok) {
                fail_msg("allocation %ld failed unseen", k);
            }
            assert_values(ebb_neg(scalar(e, 1)), -1);
            assert_no_error(e);
            close_clean(e, &f, k);
            if (!reached) break;
        }
        assert_true(k > 10);
        if (mode) assert_true(failures > 10);
    }
}

/* Whatever fails, the session has no more tensors and bytes than before. */
static void nothing_stays(void **state) {
    UNUSED(state);
    failing f = {0};
    ebb *e = open_failing(&f, 1);
    for (int i = 0; i < 3; i++) assert_true(everything(e));
    assert_no_error(e);
    ebb_memory before, after;
    ebb_memory_stats(e, &before);
    for (long k = 1;; k++) {
        ebb_memory_trim(e);
        f.calls = 0, f.fail_at = k, f.span = LONG_MAX;
        everything(e);
        const bool reached = f.calls >= k;
        f.fail_at = 0;
        ebb_error_clear(e);
        ebb_memory_stats(e, &after);
        if (after.tensors != before.tensors || after.in_use > before.in_use)
            fail_msg("allocation %ld failed: %lld tensors and %lld bytes stay", k,
                     (long long)(after.tensors - before.tensors),
                     (long long)after.in_use - (long long)before.in_use);
        if (!reached) break;
    }
    close_clean(e, &f, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(anywhere), cmocka_unit_test(nothing_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
