/* random_test.c - random ops: the same numbers on every platform, for any number of threads, and distributed as they should be. */
#include "../test.h"

enum { MANY = 200000 };

static ebb_tensor *named(ebb *e, const char *op, ebb_tensor *x, const char *attrs) {
    ebb_tensor *y = NULL;
    ebb_call_named(e, op, x != NULL, &x, attrs, 1, &y);
    assert_no_error(e);
    assert_non_null(y);
    return y;
}

static double mean_of(const ebb_tensor *t) {
    double sum = 0;
    for (int64_t i = 0; i < ebb_numel(t); i++) sum += ebb_at(t, i);
    return sum / (double)ebb_numel(t);
}
static double variance_of(const ebb_tensor *t) {
    const double mean = mean_of(t);
    double sum = 0;
    for (int64_t i = 0; i < ebb_numel(t); i++) sum += (ebb_at(t, i) - mean) * (ebb_at(t, i) - mean);
    return sum / (double)ebb_numel(t);
}

/* The mean and the variance of n samples lie within 5 sigma; fourth is the distribution's fourth central moment. */
static void check_moments(const ebb_tensor *t, double mean, double variance, double fourth) {
    const double n = (double)ebb_numel(t);
    assert_near(mean_of(t), mean, 5 * sqrt(variance / n));
    assert_near(variance_of(t), variance, 5 * sqrt((fourth - variance * variance) / n));
}

static void numbers_of_a_key(void **state) {
    ebb *e = *state;
    ebb_tensor *p = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(8), (float[]){.1f, .9f, .5f, .5f, .2f, .7f, .6f, .3f});
    ebb_tensor *w = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(5), (float[]){1, 2, 3, 4, 5});
    assert_values(named(e, "rand", NULL, "size=6 key=42"), 0.61295986175537109, 0.4685865044593811,
                  0.073231697082519531, 0.34086149930953979, 0.98771864175796509, 0.32706332206726074);
    assert_values(named(e, "rand", NULL, "size=3 dtype=f64 key=42"), 0.61295988108265642, 0.4685865182257839,
                  0.073231737416252995);
    assert_values(named(e, "randn", NULL, "size=6 key=42"), -0.97018980979919434, 0.19401887059211731,
                  -1.2356202602386475, 1.9239273071289062, -0.073181495070457458, 0.13913756608963013);
    assert_values(named(e, "randn", NULL, "size=3 dtype=f64 key=42"), -0.97018979009813044,
                  0.19401895592726459, -1.2356207441149401);
    assert_values(named(e, "exponential", NULL, "size=3 key=42"), 0.94922685623168945, 0.63221484422683716,
                  0.076051689684391022);
    assert_values(named(e, "randint", NULL, "size=8 high=1000 key=42"), 612, 468, 73, 340, 987, 327, 513, 454);
    assert_values(named(e, "randperm", NULL, "n=8 key=42"), 1, 0, 3, 5, 7, 6, 2, 4);
    assert_values(named(e, "bernoulli", p, "key=42"), 0, 1, 1, 1, 0, 1, 1, 0);
    assert_values(named(e, "multinomial", w, "num_samples=5 key=42"), 1, 3, 4, 0, 2);
    assert_values(named(e, "multinomial", w, "num_samples=6 replacement=1 key=42"), 3, 1, 4, 3, 4, 3);
}

static void distributions(void **state) {
    ebb *e = *state;
    ebb_seed(e, 1);
    check_moments(named(e, "rand", NULL, "size=200000"), 0.5, 1.0 / 12, 1.0 / 80);
    check_moments(named(e, "rand", NULL, "size=200000 dtype=f64"), 0.5, 1.0 / 12, 1.0 / 80);
    check_moments(named(e, "uniform", NULL, "size=200000 low=-1 high=5"), 2, 3, 81.0 / 5);
    check_moments(named(e, "randn", NULL, "size=200000"), 0, 1, 3);
    check_moments(named(e, "randn", NULL, "size=200000 dtype=f64"), 0, 1, 3);
    check_moments(named(e, "normal", NULL, "size=200000 mean=3 std=2"), 3, 4, 48);
    check_moments(named(e, "exponential", NULL, "size=200000 lambd=2"), 0.5, 0.25, 9.0 / 16);
    check_moments(named(e, "randint", NULL, "size=200000 low=-3 high=4"), 0, 4, 28);
    check_moments(named(e, "bernoulli", ebb_full(e, EBB_F32, EBB_SHAPE(MANY), 0.3), ""), 0.3, 0.21,
                  0.21 * (1 - 3 * 0.21));
    ebb_tensor *w = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(4), (double[]){1, 0, 2, 1});
    check_moments(named(e, "multinomial", w, "num_samples=200000 replacement=1"), 1.75, 1.1875, 2.129);
}

static void bounds(void **state) {
    ebb *e = *state;
    ebb_tensor *u = named(e, "rand", NULL, "size=200000"),
               *k = named(e, "randint", NULL, "size=200000 low=-3 high=4"),
               *z = named(e, "randn", NULL, "size=200000");
    int64_t seen[7] = {0};
    for (int64_t i = 0; i < MANY; i++) {
        assert_true(ebb_at(u, i) >= 0 && ebb_at(u, i) < 1);
        assert_true(ebb_at(k, i) >= -3 && ebb_at(k, i) < 4);
        assert_true(fabs(ebb_at(z, i)) < 7);
        seen[(int)ebb_at(k, i) + 3]++;
    }
    for (int i = 0; i < 7; i++) assert_near((double)seen[i], MANY / 7.0, 5 * sqrt(MANY / 7.0));
}

static void permutations(void **state) {
    ebb *e = *state;
    enum { N = 5000 };
    ebb_tensor *p = named(e, "randperm", NULL, "n=5000");
    bool seen[N] = {false};
    double moved = 0;
    for (int64_t i = 0; i < N; i++) {
        const int64_t v = (int64_t)ebb_at(p, i);
        assert_true(v >= 0 && v < N && !seen[v]);
        seen[v] = true;
        moved += fabs((double)(v - i)) / N;
    }
    assert_near(moved / N, 1.0 / 3, 0.02);
    /* every order of three comes equally often */
    int64_t orders[27] = {0};
    for (int k = 0; k < 6000; k++) {
        ebb_scope *s = ebb_begin(e);
        ebb_tensor *t = named(e, "randperm", NULL, "n=3");
        orders[(int)(9 * ebb_at(t, 0) + 3 * ebb_at(t, 1) + ebb_at(t, 2))]++;
        ebb_end(s);
    }
    static const int order[6] = {5, 7, 11, 15, 19, 21};
    for (int k = 0; k < 6; k++) assert_near((double)orders[order[k]], 1000, 5 * sqrt(1000 * 5.0 / 6));
}

/* Without replacement: the first choice goes by the weights, nothing comes twice, 0 never. */
static void choices(void **state) {
    ebb *e = *state;
    double w[3 * 4096];
    for (int i = 0; i < 4096; i++) w[3 * i] = 1, w[3 * i + 1] = 0, w[3 * i + 2] = 3;
    ebb_tensor *y = named(e, "multinomial", ebb_tensor_new(e, EBB_F64, EBB_SHAPE(4096, 3), w), "num_samples=2");
    double first = 0;
    for (int64_t i = 0; i < 4096; i++) {
        assert_true(ebb_at(y, 2 * i) + ebb_at(y, 2 * i + 1) == 2 && ebb_at(y, 2 * i) != 1);
        first += ebb_at(y, 2 * i) == 2;
    }
    assert_near(first / 4096, 0.75, 5 * sqrt(0.75 * 0.25 / 4096));
    ebb_tensor *x = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(3), w);
    assert_int_equal(ebb_call_named(e, "multinomial", 1, &x, "num_samples=3", 1, &y), -1);
    assert_error(e, EBB_E_ARG, "fewer than 3");
}

static void same(const ebb_tensor *a, const ebb_tensor *b, bool equal) {
    assert_int_equal(ebb_numel(a), ebb_numel(b));
    int64_t differ = 0;
    for (int64_t i = 0; i < ebb_numel(a); i++) differ += ebb_at(a, i) != ebb_at(b, i);
    if (equal) assert_int_equal(differ, 0);
    else assert_true(differ > 0);
}

static const char *const calls[][2] = {{"rand", "size=999"},
                                       {"randn", "size=999"},
                                       {"randn", "size=999 dtype=f64"},
                                       {"uniform", "size=999 low=2 high=5"},
                                       {"normal", "size=999 std=2"},
                                       {"exponential", "size=999"},
                                       {"randint", "size=999 high=1000"},
                                       {"randperm", "n=999"}};

static void seeds(void **state) {
    ebb *e = *state;
    for (size_t k = 0; k < COUNT(calls); k++) {
        ebb_seed(e, 7);
        ebb_tensor *a = named(e, calls[k][0], NULL, calls[k][1]), *b = named(e, calls[k][0], NULL, calls[k][1]);
        ebb_seed(e, 7);
        same(a, named(e, calls[k][0], NULL, calls[k][1]), true);
        same(a, b, false);
    }
}

static void threads(void **state) {
    ebb *e = *state;
    static const char *const large[][2] = {{"rand", "size=300001 key=3"},
                                           {"randn", "size=300001 key=3"},
                                           {"randn", "size=300001 key=3 dtype=f64"},
                                           {"randint", "size=300001 high=99 key=3"}};
    ebb_tensor *p = ebb_full(e, EBB_F32, EBB_SHAPE(300001), 0.5),
               *w = ebb_full(e, EBB_F32, EBB_SHAPE(3000, 100), 1);
    for (size_t k = 0; k < COUNT(large) + 2; k++) {
        ebb_tensor *y[2];
        for (int i = 0; i < 2; i++) {
            ebb_threads_set(e, i ? 3 : 1);
            y[i] = k < COUNT(large)    ? named(e, large[k][0], NULL, large[k][1])
                   : k == COUNT(large) ? named(e, "bernoulli", p, "key=3")
                                       : named(e, "multinomial", w, "num_samples=20 key=3");
        }
        same(y[0], y[1], true);
    }
}

static void gradients(void **state) {
    ebb *e = *state;
    ebb_tensor *p = leaf(e, 0.5);
    assert_int_equal(ebb_backward(named(e, "bernoulli", p, "key=5")), EBB_OK);
    assert_values(ebb_grad_of(p), 0);
    assert_false(ebb_needs_grad(named(e, "normal", leaf(e, 1), "key=5")));
    assert_false(ebb_needs_grad(named(e, "rand_like", leaf(e, 1), "")));
}

int main(void) {
    const struct CMUnitTest tests[] = {SESSION_TEST(numbers_of_a_key), SESSION_TEST(distributions),
                                       SESSION_TEST(bounds),           SESSION_TEST(permutations),
                                       SESSION_TEST(choices),          SESSION_TEST(seeds),
                                       SESSION_TEST(threads),          SESSION_TEST(gradients)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
