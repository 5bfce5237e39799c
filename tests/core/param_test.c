/* param_test.c: parameters and their initialisers, and the generator behind them. */
#include "test.h"

/* The known answer of Philox4x32-10 for a zero counter and key, from the paper's authors (Random123): 6627e8d5 e169c58d ... */
static void known_answer(void **state) {
    ebb *e = *state;
    ebb_seed(e, 0);
    assert_true(ebb_at(ebb_rand(e, EBB_F64, EBB_SHAPE(1)), 0) == (double)(0x6627e8d5e169c58du >> 11) * 0x1p-53);
}

static void a_seed_gives_the_same_numbers(void **state) {
    ebb *e = *state;
    double first[6];
    for (int round = 0; round < 2; round++) {
        ebb_seed(e, 42);
        ebb_threads_set(e, 1 + 2 * round);
        const ebb_tensor *u = ebb_rand(e, EBB_F32, EBB_SHAPE(1000)), *n = ebb_randn(e, EBB_F64, EBB_SHAPE(1000));
        const double now[6] = {ebb_at(u, 0),
                               ebb_at(u, 999),
                               ebb_at(n, 0),
                               ebb_at(n, 999),
                               (double)ebb_random_below(e, 1000),
                               (double)ebb_random_below(e, 7)};
        if (round) assert_memory_equal(first, now, sizeof now);
        memcpy(first, now, sizeof now);
    }
    assert_true(ebb_at(ebb_rand(e, EBB_F32, EBB_SHAPE(1)), 0) != first[0]); /* each draw is another */
}

/* Mean and variance within five standard errors. */
static void distributions(void **state) {
    ebb *e = *state;
    enum { N = 100000 };
    const ebb_tensor *u = ebb_rand(e, EBB_F32, EBB_SHAPE(N)), *n = ebb_randn(e, EBB_F32, EBB_SHAPE(N));
    double mu = 0, mn = 0, vn = 0;
    for (int i = 0; i < N; i++) {
        const double a = ebb_at(u, i), b = ebb_at(n, i);
        assert_true(a >= 0 && a < 1 && isfinite(b));
        mu += a / N, mn += b / N, vn += b * b / N;
    }
    assert_true(fabs(mu - 0.5) < 5 * 0.2887 / sqrt(N));
    assert_true(fabs(mn) < 5 / sqrt(N) && fabs(vn - 1) < 5 * sqrt(2. / N));
    int count[5] = {0};
    for (int i = 0; i < 5000; i++) count[ebb_random_below(e, 5)]++;
    for (int k = 0; k < 5; k++) assert_in_range(count[k], 850, 1150);
}

/* Within their bounds, and close to them somewhere. */
static void initialisers(void **state) {
    ebb *e = *state;
    const struct {
        const char *name;
        ebb_init init;
        ebb_ints shape;
        double bound;
    } row[] = {
        {"kaiming", ebb_kaiming, EBB_SHAPE(64, 24), sqrt(6. / 24)},
        {"xavier", ebb_xavier, EBB_SHAPE(64, 24), sqrt(6. / (64 + 24))},
        {"lecun", ebb_lecun, EBB_SHAPE(64, 24), 1 / sqrt(24.)},
        {"convolution", ebb_kaiming, EBB_SHAPE(32, 4, 3, 3), sqrt(6. / 36)},
        {"convolution by xavier", ebb_xavier, EBB_SHAPE(32, 4, 3, 3), sqrt(6. / (4 * 9 + 32 * 9))},
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        const ebb_tensor *p = ebb_param(e, row[i].name, EBB_F32, row[i].shape, row[i].init);
        double most = 0, sum = 0;
        for (int64_t k = 0; k < ebb_numel(p); k++) {
            most = fmax(most, fabs(ebb_at(p, k)));
            sum += ebb_at(p, k) / (double)ebb_numel(p);
        }
        if (!(most <= row[i].bound * 1.000001 && most > 0.97 * row[i].bound && fabs(sum) < 0.1 * row[i].bound))
            fail_msg("%s: largest %g, mean %g, bound %g", row[i].name, most, sum, row[i].bound);
    }
    assert_true(ebb_at(ebb_param(e, "ones", EBB_F64, EBB_SHAPE(3), ebb_ones), 2) == 1);
    assert_true(ebb_at(ebb_param(e, "zeros", EBB_F64, EBB_SHAPE(3), NULL), 2) == 0);
}

static void finding(void **state) {
    ebb *e = *state;
    ebb_tensor *a = ebb_param(e, "a", EBB_F32, EBB_SHAPE(2), ebb_zeros),
               *b = ebb_param(e, "b", EBB_F64, EBB_SHAPE0, ebb_ones);
    assert_int_equal(ebb_param_count(e), 2);
    assert_ptr_equal(ebb_param_at(e, 1), b);
    assert_ptr_equal(ebb_param_find(e, "a"), a);
    assert_null(ebb_param_find(e, "c"));
    assert_true(ebb_is_leaf(a) && ebb_needs_grad(b));
    assert_null(ebb_param(e, "a", EBB_F32, EBB_SHAPE(1), NULL));
    assert_error(e, EBB_E_NAME, "a exists");
    assert_null(ebb_param(e, "i", EBB_I64, EBB_SHAPE(1), NULL));
    assert_error(e, EBB_E_DTYPE, "f32 or f64");
    assert_int_equal(ebb_param_count(e), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(known_answer),  SESSION_TEST(a_seed_gives_the_same_numbers),
        SESSION_TEST(distributions), SESSION_TEST(initialisers),
        SESSION_TEST(finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
