/* nan_guard_test.c - nan_guard names the op where a NaN or Inf begins, forward and backward, and nothing else. */
#include "../test.h"

static void on(ebb *e, const char *attrs) { assert_int_equal(ebb_probe_on(e, "nan_guard", attrs), EBB_OK); }

static ebb_tensor *f64s(ebb *e, int64_t n, const double *v) {
    return ebb_tensor_new(e, EBB_F64, EBB_SHAPE(n), v);
}

static ebb_tensor *f64_leaf(ebb *e, const char *name, int64_t n, const double *v) {
    ebb_tensor *t = ebb_name(f64s(e, n, v), name);
    assert_int_equal(ebb_requires_grad(t, true), EBB_OK);
    return t;
}

static void finite_work_is_left_alone(void **state) {
    ebb *e = *state;
    on(e, NULL);
    ebb_tensor *x = f64_leaf(e, "x", 3, (double[]){1, 2, 3});
    assert_int_equal(ebb_backward(ebb_sum(ebb_log(ebb_exp(x)))), EBB_OK);
    assert_values(ebb_grad_of(x), 1, 1, 1);
    assert_no_error(e);
}

static void forward_names_op_region_inputs_and_ranges(void **state) {
    ebb *e = *state;
    on(e, NULL);
    ebb_tensor *x = ebb_name(f64s(e, 4, (double[]){3, 0, -2, 0.5}), "prices");
    ebb_region_begin(e, "block1");
    assert_null(ebb_log(ebb_mul(x, x)));
    ebb_region_end(e);
    assert_error(e, EBB_E_VALUE, "nan_guard: log|block1|1 Inf|f64[4]|0 .. 9|-1.38629 .. 2.19722");

    assert_null(ebb_log(x)); /* two NaN of a kind each */
    assert_error(e, EBB_E_VALUE, "log|prices: f64[4]|-2 .. 3|1 NaN|1 Inf");
}

static void only_the_first_op_is_named(void **state) {
    ebb *e = *state;
    on(e, NULL);
    ebb_tensor *x = f64s(e, 1, (double[]){-1});
    assert_null(ebb_exp(ebb_mul(ebb_log(x), x)));
    assert_error(e, EBB_E_VALUE, "nan_guard: log made");
}

static void an_op_that_is_given_nan_is_not_blamed(void **state) {
    ebb *e = *state;
    on(e, NULL);
    ebb_tensor *x = f64_leaf(e, "x", 2, (double[]){NAN, 1});
    assert_int_equal(ebb_backward(ebb_sum(ebb_mul(x, x))), EBB_OK);
    assert_no_error(e);
}

static void inputs_reports_bad_data(void **state) {
    ebb *e = *state;
    on(e, "inputs=1");
    ebb_tensor *x = ebb_name(f64s(e, 3, (double[]){1, NAN, INFINITY}), "batch");
    assert_null(ebb_exp(x));
    assert_error(e, EBB_E_VALUE, "exp|reads|input 0 batch: f64[3]|1 NAN|1 Inf|1 .. 1");
}

static void inf_0_stops_only_at_nan(void **state) {
    ebb *e = *state;
    on(e, "inf=0");
    ebb_tensor *x = f64s(e, 1, (double[]){1000}), *y = ebb_exp(x);
    assert_non_null(y);
    assert_true(isinf(ebb_item(y)));
    assert_null(ebb_sub(y, y));
    assert_error(e, EBB_E_VALUE, "nan_guard: sub made a NaN");
}

static void f32_and_views_are_seen_whole(void **state) {
    ebb *e = *state;
    on(e, NULL);
    /* An op that reads a transposed view with a NaN is not blamed; one whose view leaves the NaN out is. */
    enum { N = 70 };
    ebb_tensor *m = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(N, N), NULL), *t = NULL, *s = NULL;
    float *v = ebb_data_mut(m);
    for (int i = 0; i < N * N; i++) v[i] = -1;
    v[N * N - 1] = NAN;
    assert_int_equal(ebb_call_named(e, "transpose", 1, &m, "dim0=0 dim1=1", 1, &t), 1);
    assert_non_null(ebb_sqrt(t));
    assert_no_error(e);
    assert_int_equal(ebb_call_named(e, "slice", 1, &t, "dim=0 start=0 end=69", 1, &s), 1);
    assert_null(ebb_sqrt(s));
    assert_error(e, EBB_E_VALUE, "sqrt|f32[69,70]|-1 .. -1|4830 NaN");
}

static void every_place_in_a_long_tensor_is_looked_at(void **state) {
    ebb *e = *state;
    on(e, NULL);
    enum { N = 10007 };
    ebb_tensor *x = ebb_full(e, EBB_F32, EBB_SHAPE(N), 1);
    for (int i = 0; i < N; i += 1111) {
        float *v = ebb_data_mut(x);
        v[i] = 0;
        assert_null(ebb_log(x));
        assert_error(e, EBB_E_VALUE, "log|1 Inf");
        v = ebb_data_mut(x);
        v[i] = 1;
        assert_non_null(ebb_log(x));
    }
}

static void integers_are_not_floats(void **state) {
    ebb *e = *state;
    on(e, "inputs=1");
    const int32_t like_nan[2] = {0x7fc00000, 0x7f800000};
    ebb_tensor *i = ebb_tensor_new(e, EBB_I32, EBB_SHAPE(2), like_nan);
    assert_non_null(ebb_add(i, i));
    assert_no_error(e);
}

static void backward_names_the_rule(void **state) {
    ebb *e = *state;
    on(e, NULL);
    ebb_tensor *x = f64_leaf(e, "x", 2, (double[]){0, 4});
    ebb_region_begin(e, "head");
    ebb_tensor *loss = ebb_sum(ebb_sqrt(ebb_mul(x, x)));
    ebb_region_end(e);
    assert_non_null(loss);
    assert_int_equal(ebb_backward(loss), EBB_E_VALUE);
    assert_error(e, EBB_E_VALUE, "nan_guard: backward of sqrt in head|input 0|1 Inf");
    /* the session goes on, and forward is watched again */
    assert_non_null(ebb_exp(x));
    assert_null(ebb_log(f64s(e, 1, (double[]){0})));
    assert_error(e, EBB_E_VALUE, "nan_guard: log made");
}

static ebb_tensor *spoil(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(t);
    UNUSED(g);
    return user;
}

static void a_hook_that_spoils_a_gradient_is_found(void **state) {
    ebb *e = *state;
    on(e, NULL);
    ebb_tensor *x = f64_leaf(e, "x", 1, (double[]){2}), *h = ebb_exp(x);
    assert_true(ebb_hook_add(h, spoil, f64s(e, 1, (double[]){NAN})) > 0);
    assert_int_equal(ebb_backward(ebb_mul(h, h)), EBB_E_VALUE);
    assert_error(e, EBB_E_VALUE, "backward of exp|hook|1 NaN");
}

static void contributions_that_overflow_are_found(void **state) {
    ebb *e = *state;
    on(e, NULL);
    ebb_tensor *x = ebb_param(e, "w", EBB_F32, EBB_SHAPE(1), NULL), *k = ebb_full(e, EBB_F32, EBB_SHAPE(1), 3e38);
    ebb_tensor *y = ebb_add(ebb_mul(x, k), ebb_mul(x, k));
    assert_non_null(y);
    assert_int_equal(ebb_backward(y), EBB_E_VALUE);
    assert_error(e, EBB_E_VALUE, "\"w\"|overflow|1 Inf");
}

static void a_nan_loss_is_no_rules_fault(void **state) {
    ebb *e = *state;
    ebb_tensor *x = f64_leaf(e, "x", 1, (double[]){-1}), *loss = ebb_log(x);
    on(e, NULL);
    assert_int_equal(ebb_backward(ebb_mul(loss, loss)), EBB_OK);
    assert_no_error(e);
}

static void off_is_off(void **state) {
    ebb *e = *state;
    on(e, NULL);
    assert_int_equal(ebb_probe_off(e, "nan_guard"), EBB_OK);
    assert_non_null(ebb_log(f64s(e, 1, (double[]){0})));
    assert_no_error(e);
}

static void bad_attributes_are_refused(void **state) {
    ebb *e = *state;
    assert_int_not_equal(ebb_probe_on(e, "nan_guard", "warn=1"), EBB_OK);
    assert_error(e, EBB_E_ATTR, "warn");
    assert_int_not_equal(ebb_probe_on(e, "nan_gard", NULL), EBB_OK);
    assert_error(e, EBB_E_NAME, "nan_gard");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(finite_work_is_left_alone),
        SESSION_TEST(forward_names_op_region_inputs_and_ranges),
        SESSION_TEST(only_the_first_op_is_named),
        SESSION_TEST(an_op_that_is_given_nan_is_not_blamed),
        SESSION_TEST(inputs_reports_bad_data),
        SESSION_TEST(inf_0_stops_only_at_nan),
        SESSION_TEST(f32_and_views_are_seen_whole),
        SESSION_TEST(every_place_in_a_long_tensor_is_looked_at),
        SESSION_TEST(integers_are_not_floats),
        SESSION_TEST(backward_names_the_rule),
        SESSION_TEST(a_hook_that_spoils_a_gradient_is_found),
        SESSION_TEST(contributions_that_overflow_are_found),
        SESSION_TEST(a_nan_loss_is_no_rules_fault),
        SESSION_TEST(off_is_off),
        SESSION_TEST(bad_attributes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
