/* optim_test.c - sgd, adam and adamw against PyTorch's numbers, for every combination of attributes. */
#include "../test.h"
#include "optim_reference.h"

enum {
    LONG = 37
}; /* elements of the parameter: the reference's four over and over, more than a vector and a tail */

static void fill(ebb_dtype dtype, void *to, size_t n, const double *from) {
    for (size_t i = 0; i < n; i++) {
        if (dtype == EBB_F32) ((float *)to)[i] = (float)from[i % REF_N];
        else ((double *)to)[i] = from[i % REF_N];
    }
}

static void set_grad(ebb_tensor *p, const double *values) {
    ebb_tensor *g = ebb_tensor_new(ebb_tensor_session(p), ebb_tensor_dtype(p), EBB_SHAPE(ebb_numel(p)), NULL);
    fill(ebb_tensor_dtype(p), ebb_data_mut(g), (size_t)ebb_numel(p), values);
    ebb_grad_set(p, g);
}

static void follows_pytorch(ebb_dtype dtype, double tolerance) {
    for (size_t c = 0; c < COUNT(ref_cases); c++) {
        ebb *e = ebb_open(NULL);
        ebb_tensor *p = ebb_param(e, "p", dtype, EBB_SHAPE(LONG), NULL);
        fill(dtype, ebb_data_mut(p), LONG, ref_start);
        ebb_optim *o = ebb_optim_new(e, ref_cases[c].optim, ref_cases[c].attrs);
        assert_non_null(o);
        for (int step = 0; step < REF_STEPS; step++) {
            set_grad(p, ref_grads[step]);
            assert_int_equal(ebb_optim_step(o), EBB_OK);
            for (int64_t i = 0; i < LONG; i++) {
                const double want = ref_cases[c].p[step][i % REF_N], got = ebb_at(p, i);
                if (!(fabs(got - want) <= tolerance * (fabs(want) + 0.01)))
                    fail_msg("%s %s, step %d, element %d: %.17g, PyTorch has %.17g", ref_cases[c].optim,
                             ref_cases[c].attrs, step + 1, (int)i, got, want);
            }
        }
        assert_false(ebb_failed(e));
        ebb_optim_free(o);
        ebb_close(e);
    }
}

static void follows_pytorch_in_f64(void **state) {
    UNUSED(state);
    follows_pytorch(EBB_F64, 1e-14);
}

static void follows_pytorch_in_f32(void **state) {
    UNUSED(state);
    follows_pytorch(EBB_F32, 2e-6);
}

static void leaves_alone_what_has_no_gradient(void **state) {
    ebb *e = *state;
    ebb_tensor *p = ebb_param(e, "p", EBB_F32, EBB_SHAPE(3), ebb_ones),
               *q = ebb_param(e, "q", EBB_F32, EBB_SHAPE(3), ebb_ones);
    ebb_optim *o = ebb_optim_new(e, "adamw", "lr=0.1 weight_decay=0.5");
    set_grad(p, ref_start);
    assert_int_equal(ebb_optim_step(o), EBB_OK);
    for (int i = 0; i < 3; i++) {
        assert_true(ebb_at(p, i) != 1);
        assert_true(ebb_at(q, i) == 1);
    }
    /* q's first step is step 1 of q: its bias correction starts then. */
    ebb_zero_grad(o);
    assert_null(ebb_grad_of(p));
    set_grad(q, ref_start);
    const double before = ebb_at(p, 0);
    assert_int_equal(ebb_optim_step(o), EBB_OK);
    assert_true(ebb_at(p, 0) == before);
    assert_near(ebb_at(q, 0), 1 * (1 - 0.1 * 0.5) - 0.1, 1e-6);
}

static void the_learning_rate_can_change(void **state) {
    ebb *e = *state;
    ebb_tensor *p = ebb_param(e, "p", EBB_F64, EBB_SHAPE(1), NULL);
    ebb_optim *o = ebb_optim_new(e, "sgd", "lr=0.5");
    const double one[REF_N] = {1, 1, 1, 1};
    set_grad(p, one);
    ebb_optim_step(o);
    assert_true(ebb_item(p) == -0.5);
    assert_int_equal(ebb_optim_set(o, "lr=0.25"), EBB_OK);
    ebb_optim_step(o);
    assert_true(ebb_item(p) == -0.75);
}

static void same_bits_for_any_number_of_threads(void **state) {
    UNUSED(state);
    enum { N = 100003 };
    const char *const optims[][2] = {{"sgd", "momentum=0.9 nesterov=1 weight_decay=0.1"},
                                     {"adam", "amsgrad=1 weight_decay=0.1"},
                                     {"adamw", ""}};
    float *first = malloc(N * sizeof *first), *again = malloc(N * sizeof *again);
    for (int c = 0; c < 3; c++)
        for (int threads = 1; threads <= 3; threads++) {
            ebb *e = ebb_open(
                &(ebb_options){.size = sizeof(ebb_options), .threads = threads, .seed = 7, .grain = 1000});
            assert_non_null(e);
            ebb_tensor *p = ebb_param(e, "p", EBB_F32, EBB_SHAPE(N), NULL),
                       *g = ebb_randn(e, EBB_F32, EBB_SHAPE(N));
            memcpy(ebb_data_mut(p), ebb_data(ebb_randn(e, EBB_F32, EBB_SHAPE(N))), N * sizeof(float));
            ebb_optim *o = ebb_optim_new(e, optims[c][0], optims[c][1]);
            ebb_grad_set(p, g);
            for (int step = 0; step < 3; step++) assert_int_equal(ebb_optim_step(o), EBB_OK);
            memcpy(threads == 1 ? first : again, ebb_data(p), N * sizeof(float));
            if (threads > 1) assert_memory_equal(first, again, N * sizeof(float));
            ebb_close(e);
        }
    free(first);
    free(again);
}

/* Gradients of every magnitude, then zeros until the moments have decayed: the parameters are those of an update in
 * double that never flushes, to the rounding of f32. */
static void small_moments_are_not_missed(void **state) {
    enum { N = 60, STEPS = 1200 };
    ebb *e = *state;
    ebb_tensor *p = ebb_param(e, "p", EBB_F32, EBB_SHAPE(N), ebb_ones),
               *g = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(N), NULL);
    ebb_optim *o = ebb_optim_new(e, "adam", "lr=1e-3");
    double want[N], m[N] = {0}, v[N] = {0};
    for (int i = 0; i < N; i++) want[i] = 1;
    for (int step = 1; step <= STEPS; step++) {
        float *x = ebb_data_mut(g);
        for (int i = 0; i < N; i++) x[i] = step <= 20 ? (float)((i % 2 ? 1 : -1) * pow(10, -0.75 * i)) : 0;
        ebb_grad_set(p, g);
        assert_int_equal(ebb_optim_step(o), EBB_OK);
        for (int i = 0; i < N; i++) {
            const double d = x[i];
            m[i] = 0.9 * m[i] + 0.1 * d;
            v[i] = 0.999 * v[i] + 0.001 * d * d;
            want[i] -= 1e-3 / (1 - pow(0.9, step)) * m[i] / (sqrt(v[i] / (1 - pow(0.999, step))) + 1e-8);
        }
    }
    for (int i = 0; i < N; i++) assert_true(fabs(ebb_at(p, i) - want[i]) < 3e-6);
}

/* With an eps that would show it, nothing is flushed: a gradient whose square is denormal still moves the parameter by lr. */
static void a_tiny_eps_keeps_denormals(void **state) {
    ebb *e = *state;
    ebb_tensor *p = ebb_param(e, "p", EBB_F64, EBB_SHAPE(1), NULL);
    ebb_optim *o = ebb_optim_new(e, "adam", "lr=1e-3 eps=0");
    const double tiny[REF_N] = {1e-155, 0, 0, 0};
    set_grad(p, tiny);
    assert_int_equal(ebb_optim_step(o), EBB_OK);
    assert_near(ebb_item(p), -1e-3, 1e-6);
}

static void a_nan_gradient_shows(void **state) {
    UNUSED(state);
    const char *const optims[][2] = {{"sgd", ""}, {"sgd", "momentum=0.9"}, {"adam", ""}, {"adamw", "amsgrad=1"}};
    const double bad[REF_N] = {NAN, 1, 1, 1}, good[REF_N] = {1, 1, 1, 1};
    for (int c = 0; c < 4; c++) {
        ebb *e = ebb_open(NULL);
        ebb_tensor *p = ebb_param(e, "p", EBB_F32, EBB_SHAPE(4), ebb_ones);
        ebb_optim *o = ebb_optim_new(e, optims[c][0], optims[c][1]);
        set_grad(p, bad);
        ebb_optim_step(o);
        set_grad(p, good);
        ebb_optim_step(o);
        assert_true(isnan(ebb_at(p, 0)));
        assert_true(isfinite(ebb_at(p, 1)));
        ebb_close(e);
    }
}

static void bad_attributes_are_refused(void **state) {
    const char *const bad[][3] = {{"sgd", "lr=-1", "lr"},
                                  {"sgd", "momentum=-0.1", "momentum"},
                                  {"sgd", "learning_rate=1", "learning_rate"},
                                  {"sgd", "lr=x", "lr"},
                                  {"adam", "beta1=1", "beta1"},
                                  {"adam", "beta2=-0.5", "beta2"},
                                  {"adam", "eps=-1", "eps"},
                                  {"adamw", "weight_decay=-1", "weight_decay"},
                                  {"adam", "amsgrad=7", "amsgrad"}};
    ebb *e = *state;
    ebb_param(e, "p", EBB_F32, EBB_SHAPE(4), NULL);
    for (size_t c = 0; c < COUNT(bad); c++) {
        assert_null(ebb_optim_new(e, bad[c][0], bad[c][1]));
        assert_error(e, EBB_E_ATTR, bad[c][2]);
    }
    assert_null(ebb_optim_new(e, "addam", ""));
    assert_error(e, EBB_E_NAME, "addam");
}

/* nesterov needs momentum and no dampening, as PyTorch says: refused when the optimizer is made. */
static void nesterov_without_momentum_is_refused(void **state) {
    UNUSED(state);
    const char *const bad[] = {"nesterov=1", "nesterov=1 momentum=0.9 dampening=0.1"};
    for (int c = 0; c < 2; c++) {
        ebb *e = ebb_open(NULL);
        assert_non_null(ebb_param(e, "p", EBB_F32, EBB_SHAPE(4), ebb_ones));
        assert_null(ebb_optim_new(e, "sgd", bad[c]));
        assert_error(e, EBB_E_ATTR, "nesterov");
        ebb_error_clear(e);
        ebb_optim *o = ebb_optim_new(e, "sgd", "momentum=0.9 nesterov=1");
        assert_non_null(o);
        assert_int_equal(ebb_optim_set(o, "lr=0.5 dampening=0.1"), EBB_E_ATTR); /* all of it or nothing */
        assert_words(ebb_error(e), "dampening");
        ebb_close(e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_pytorch_in_f64),
        cmocka_unit_test(follows_pytorch_in_f32),
        SESSION_TEST(leaves_alone_what_has_no_gradient),
        SESSION_TEST(the_learning_rate_can_change),
        cmocka_unit_test(same_bits_for_any_number_of_threads),
        SESSION_TEST(small_moments_are_not_missed),
        SESSION_TEST(a_tiny_eps_keeps_denormals),
        cmocka_unit_test(a_nan_gradient_shows),
        SESSION_TEST(bad_attributes_are_refused),
        cmocka_unit_test(nesterov_without_momentum_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
