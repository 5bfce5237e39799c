/* oom_test.c - the allocator fails at every allocation of a model's life in turn: no crash, no leak, words about memory, the right result else. */
#include "../failing.h"
#include <ebb/lang.h>

static const char *const text = "data moons batch 64 n=200\n"
                                "def layer(x, n) {\n W = param(size(x, 1), n) ~ kaiming\n return relu(x @ W)\n}\n"
                                "h = layer(layer(x * 2, 48), 48)\n"
                                "repeat 2 { h = h + [0.5] }\n"
                                "a, b = split(h, 24, dim=1)\n"
                                "W = param(24, 2)\n"
                                "z = (a + b) @ W\n"
                                "predict p = softmax(z, dim=1)\n"
                                "loss = cross_entropy(z, y)\n"
                                "metric right = accuracy(z, y)\n"
                                "train adamw lr=1e-2 steps=4 schedule=cosine\n";

/* Two steps, a look at the rest. -> the loss, NAN after an error */
static double life(ebb *e) {
    ebb_seed(e, 1);
    ebb_model *m = ebb_model_new(e, "test", text);
    ebb_step s = {.size = sizeof s, .loss = NAN};
    double out[2] = {NAN, NAN};
    for (int i = 0; i < 2; i++) ebb_model_step(m, &s);
    ebb_model_evaluate(m, 2, out);
    ebb_scope *scope = ebb_begin(e);
    ebb_model_predict(m, ebb_model_examples(m, false, 0, 3, NULL));
    ebb_end(scope);
    ebb_model_restart(m);
    ebb_model_free(m);
    return ebb_failed(e) ? NAN : s.loss + out[1];
}

static void whole_life(void **state) {
    UNUSED(state);
    failing calm = {0};
    ebb *e = open_failing(&calm, 1);
    const double want = life(e);
    assert_no_error(e);
    assert_true(isfinite(want));
    close_clean(e, &calm, 0);
    for (size_t mode = 0; mode < COUNT(spans); mode++)
        for (long k = 1, failures = 0;; k++) {
            failing f = {0};
            assert_non_null(e = open_failing(&f, 1));
            f.calls = 0, f.fail_at = k, f.span = spans[mode];
            const double got = life(e);
            const bool reached = f.calls >= k;
            f.fail_at = 0;
            if (ebb_failed(e)) {
                failures++;
                assert_words(ebb_error(e), "memory");
                ebb_error_clear(e);
                ebb_memory left;
                ebb_memory_stats(e, &left);
                if (left.tensors)
                    fail_msg("allocation %ld failed: %lld tensors stay", k, (long long)left.tensors);
                assert_true(life(e) == want); /* the session goes on */
                assert_no_error(e);
            } else if (got != want) fail_msg("allocation %ld failed unseen: %.9g, not %.9g", k, got, want);
            close_clean(e, &f, k);
            if (reached) continue;
            assert_true(k > 5 && (!mode || failures > 3)); /* of slabs; under a sanitizer of every block */
            break;
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole_life)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
