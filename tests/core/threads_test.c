/* threads_test.c - the same bits for any number of threads, and sessions that know nothing of each other. Label: threads. */
#include "../test.h"
#include <pthread.h>

typedef struct {
    double values[4096];
    size_t n;
    ebb_status code;
    char error[200];
} results;

static void keep(results *r, const ebb_tensor *t) {
    for (int64_t i = 0; i < ebb_numel(t) && r->n < COUNT(r->values); i += 1 + ebb_numel(t) / 97)
        r->values[r->n++] = ebb_at(t, i);
    if (!t) r->values[r->n++] = -12345;
}

/* Ops of every family at sizes that no thread count divides, and what backward makes of them. */
static void work(results *r, int threads, int64_t grain, uint64_t seed, int level) {
    ebb_options o = {.size = sizeof o, .threads = threads, .grain = grain, .seed = seed, .level = level};
    ebb *e = ebb_open(&o);
    r->n = 0;
    if (!e) {
        r->code = EBB_E_MEMORY;
        return;
    }
    for (int d = 0; d < 2; d++) {
        const ebb_dtype t = d ? EBB_F64 : EBB_F32;
        ebb_scope *s = ebb_begin(e);
        ebb_tensor *x = ebb_randn(e, t, EBB_SHAPE(37, 53)), *w = ebb_randn(e, t, EBB_SHAPE(53, 41));
        ebb_tensor *row = ebb_rand(e, t, EBB_SHAPE(53)), *col = ebb_rand(e, t, EBB_SHAPE(37, 1));
        ebb_tensor *big = ebb_randn(e, t, EBB_SHAPE(70001)), *cube = ebb_randn(e, t, EBB_SHAPE(7, 11, 13));
        ebb_tensor *leafs[] = {x, w, row, col, big, cube};
        for (size_t i = 0; i < COUNT(leafs); i++) ebb_requires_grad(leafs[i], true);
        ebb_tensor *h = ebb_tanh(ebb_add(ebb_mul(x, row), col));
        ebb_tensor *y = ebb_log_softmax(ebb_matmul(h, w), .dim = 0);
        ebb_tensor *z = ebb_matmul(ebb_transpose(y, .dim0 = 0, .dim1 = 1), x);
        ebb_tensor *p = ebb_permute(cube, .dims = EBB_DIMS(2, 0, 1));
        ebb_tensor *sums[] = {
            ebb_sum(z), ebb_mean(ebb_exp(big)), ebb_sum(ebb_square(ebb_sum(p, .dim = EBB_DIMS(0, 2)))),
            ebb_sum(ebb_amax(ebb_sin(p), .dim = EBB_DIMS(1))), ebb_sum(ebb_softmax(p, .dim = 0))};
        ebb_tensor *loss = sums[0];
        for (size_t i = 1; i < COUNT(sums); i++) loss = ebb_add(loss, sums[i]);
        ebb_backward(loss);
        keep(r, y), keep(r, z), keep(r, loss);
        for (size_t i = 0; i < COUNT(sums); i++) keep(r, sums[i]);
        for (size_t i = 0; i < COUNT(leafs); i++) keep(r, ebb_grad_of(leafs[i]));
        ebb_end(s);
    }
    r->code = ebb_error_code(e);
    snprintf(r->error, sizeof r->error, "%s", ebb_error(e));
    ebb_close(e);
}

static results one, other;

static void same_results(const char *what) {
    if (other.code) fail_msg("%s: %s", what, other.error);
    assert_int_equal(one.n, other.n);
    for (size_t i = 0; i < one.n; i++)
        if (memcmp(&one.values[i], &other.values[i], sizeof(double)))
            fail_msg("%s: result %zu is %.17g, not %.17g", what, i, other.values[i], one.values[i]);
}

static void same_bits(void **state) {
    UNUSED(state);
    work(&one, 1, 0, 1, 0);
    if (one.code) fail_msg("%s", one.error);
    assert_true(one.n > 1000);
    static const int threads[] = {1, 2, 3, 8};
    static const int64_t grains[] = {0, 100};
    for (size_t i = 0; i < COUNT(threads); i++)
        for (size_t g = 0; g < COUNT(grains); g++) {
            char what[64];
            snprintf(what, sizeof what, "%d threads, grain %d", threads[i], (int)grains[g]);
            work(&other, threads[i], grains[g], 1, 0);
            same_results(what);
        }
}

static void changing_threads(void **state) { /* in the middle of a session */
    UNUSED(state);
    ebb_options o = {.size = sizeof o, .grain = 64};
    ebb *e = ebb_open(&o);
    ebb_tensor *x = ebb_randn(e, EBB_F32, EBB_SHAPE(5000));
    float want = 0;
    for (int t = 1; t <= 9; t++) {
        ebb_threads_set(e, t);
        const float sum = (float)ebb_item(ebb_sum(ebb_sigmoid(x)));
        if (t == 1) want = sum;
        assert_memory_equal(&sum, &want, sizeof want);
    }
    assert_no_error(e);
    ebb_close(e);
}

static void training(void **state) { /* the same loss, to the bit, after ten steps */
    UNUSED(state);
    double want = 0;
    static const int counts[] = {1, 2, 3, 8};
    for (size_t c = 0; c < COUNT(counts); c++) {
        const int threads = counts[c];
        ebb_options o = {.size = sizeof o, .threads = threads, .grain = 50, .seed = 3};
        ebb *e = ebb_open(&o);
        ebb_tensor *w1 = ebb_param(e, "w1", EBB_F32, EBB_SHAPE(33, 19), ebb_kaiming);
        ebb_tensor *b1 = ebb_param(e, "b1", EBB_F32, EBB_SHAPE(33), ebb_zeros);
        ebb_tensor *w2 = ebb_param(e, "w2", EBB_F32, EBB_SHAPE(5, 33), ebb_kaiming);
        ebb_tensor *b2 = ebb_param(e, "b2", EBB_F32, EBB_SHAPE(5), ebb_zeros);
        ebb_optim *opt = ebb_optim_new(e, "adamw", "lr=0.01");
        ebb_tensor *x = ebb_randn(e, EBB_F32, EBB_SHAPE(101, 19));
        ebb_tensor *label = ebb_tensor_new(e, EBB_I64, EBB_SHAPE(101), NULL);
        int64_t *l = ebb_data_mut(label);
        for (int i = 0; i < 101; i++) l[i] = (int64_t)ebb_random_below(e, 5);
        double first = 0, last = 0;
        for (int step = 0; step < 10; step++) {
            ebb_scope *s = ebb_begin(e);
            ebb_tensor *loss = ebb_cross_entropy(ebb_linear(ebb_relu(ebb_linear(x, w1, b1)), w2, b2), label);
            ebb_zero_grad(opt);
            ebb_backward(loss);
            ebb_optim_step(opt);
            last = ebb_item(loss);
            if (!step) first = last;
            ebb_end(s);
        }
        assert_no_error(e);
        assert_true(last < first);
        if (threads == 1) want = last;
        if (memcmp(&last, &want, sizeof want))
            fail_msg("%d threads: loss %.9g, not %.9g", threads, last, want);
        ebb_close(e);
    }
}

/* ---- sessions in threads of their own ---------------------------------------------------------------------------- */

typedef struct {
    results r;
    uint64_t seed;
    int threads;
} job;

static void *run(void *arg) {
    job *j = arg;
    work(&j->r, j->threads, 1000, j->seed, 0);
    return NULL;
}

static void two_sessions_at_once(void **state) {
    UNUSED(state);
    enum { JOBS = 4 };
    static job jobs[JOBS];
    pthread_t t[JOBS];
    for (int i = 0; i < JOBS; i++) {
        jobs[i].seed = (uint64_t)i + 1, jobs[i].threads = 1 + i % 2;
        assert_int_equal(pthread_create(&t[i], NULL, run, &jobs[i]), 0);
    }
    for (int i = 0; i < JOBS; i++) pthread_join(t[i], NULL);
    for (int i = 0; i < JOBS; i++) {
        work(&one, 1, 0, jobs[i].seed, 0); /* as if it had been alone */
        other = jobs[i].r;
        same_results("a session beside others");
    }
}

static void *fails(void *arg) { /* errors stay with their session */
    UNUSED(arg);
    for (int i = 0; i < 20; i++) {
        ebb *e = ebb_open(NULL);
        ebb_tensor *a = ebb_full(e, EBB_F32, EBB_SHAPE(2, 3), 1),
                   *b = ebb_full(e, EBB_F32, EBB_SHAPE(i + 4, 5), 1);
        const bool refused =
            !ebb_matmul(a, b) && ebb_error_code(e) == EBB_E_SHAPE && contains(ebb_error(e), "matmul");
        ebb_close(e);
        if (!refused) return e;
    }
    return NULL;
}

static void errors_stay_home(void **state) {
    UNUSED(state);
    pthread_t t[3];
    void *result = NULL;
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&t[i], NULL, fails, NULL), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], &result);
        assert_null(result);
    }
}

static void *hand_over(void *arg) {
    ebb_tensor *x = arg, *y = ebb_sum(ebb_mul(x, x));
    ebb_backward(y);
    return y;
}

static void session_changes_threads(void **state) { /* one at a time, but not always the same */
    ebb *e = *state;
    ebb_tensor *x = range_leaf(e, EBB_SHAPE(1000));
    for (int i = 1; i <= 3; i++) {
        pthread_t t;
        void *y = NULL;
        assert_int_equal(pthread_create(&t, NULL, hand_over, x), 0);
        pthread_join(t, &y);
        assert_no_error(e);
        assert_near(ebb_item(y), 332833500, 0);
        assert_near(ebb_at(ebb_grad_of(x), 7), 14. * i, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits),        cmocka_unit_test(changing_threads),
        cmocka_unit_test(training),         cmocka_unit_test(two_sessions_at_once),
        cmocka_unit_test(errors_stay_home), SESSION_TEST(session_changes_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
