/* clip_test.c - clip_norm and clip_value against PyTorch's numbers; shared, strided and non-finite gradients. */
#include "../test.h"

/* Two f64 parameters with the gradients 3, -4, .5 and 1, 2. */
static void two_gradients(ebb *e, ebb_tensor *p[2]) {
    p[0] = ebb_param(e, "p", EBB_F64, EBB_SHAPE(3), NULL);
    p[1] = ebb_param(e, "q", EBB_F64, EBB_SHAPE(1, 2), NULL);
    ebb_grad_set(p[0], ebb_tensor_new(e, EBB_F64, EBB_SHAPE(3), (double[]){3, -4, 0.5}));
    ebb_grad_set(p[1], ebb_tensor_new(e, EBB_F64, EBB_SHAPE(1, 2), (double[]){1, 2}));
}

static void norms_are_pytorchs(void **state) {
    UNUSED(state);
    static const struct {
        const char *attrs;
        double norm, p[3], q[2];
    } want[] = {
        {"max_norm=1.5 norm_type=1",
         10.5,
         {0.42857138775510595, -0.57142851700680797, 0.071428564625850996},
         {0.14285712925170199, 0.28571425850340398}},
        {"max_norm=1.5",
         5.5,
         {0.81818166942151471, -1.0909088925620196, 0.13636361157025245},
         {0.2727272231405049, 0.54545444628100981}},
        {"max_norm=1.5 norm_type=3",
         4.6435220236878614,
         {0.96909178161587395, -1.2921223754878319, 0.16151529693597899},
         {0.32303059387195798, 0.64606118774391597}},
        {"max_norm=1.5 norm_type=0.5",
         46.968696135120652,
         {0.095808491069153859, -0.12774465475887181, 0.015968081844858976},
         {0.031936163689717953, 0.063872327379435906}},
        {"max_norm=1.5 norm_type=inf",
         4,
         {1.1249997187500704, -1.4999996250000938, 0.18749995312501172},
         {0.37499990625002344, 0.74999981250004688}},
        {"max_norm=100", 5.5, {3, -4, 0.5}, {1, 2}},
    };
    for (size_t c = 0; c < COUNT(want); c++) {
        ebb *e = ebb_open(NULL);
        ebb_tensor *p[2];
        two_gradients(e, p);
        assert_near(ebb_grads(e, "clip_norm", want[c].attrs), want[c].norm, 1e-13);
        assert_no_error(e);
        for (int i = 0; i < 3; i++) assert_near(ebb_at(ebb_grad_of(p[0]), i), want[c].p[i], 1e-14);
        for (int i = 0; i < 2; i++) assert_near(ebb_at(ebb_grad_of(p[1]), i), want[c].q[i], 1e-14);
        assert_int_equal(ebb_ndim(ebb_grad_of(p[1])), 2);
        ebb_close(e);
    }
}

static void values_are_clamped(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    two_gradients(e, p);
    ebb_grads(e, "clip_value", "clip_value=1.5");
    assert_no_error(e);
    assert_values(ebb_grad_of(p[0]), 1.5, -1.5, 0.5);
    assert_values(ebb_grad_of(p[1]), 1, 1.5);
}

static void nothing_to_clip_is_norm_0(void **state) {
    ebb *e = *state;
    assert_true(ebb_grads(e, "clip_norm", "max_norm=1") == 0);
    ebb_tensor *p = ebb_param(e, "p", EBB_F32, EBB_SHAPE(2), NULL),
               *empty = ebb_param(e, "empty", EBB_F32, EBB_SHAPE(0, 2), NULL);
    assert_true(ebb_grads(e, "clip_norm", "max_norm=1") == 0);
    assert_null(ebb_grad_of(p));
    ebb_grad_set(empty, ebb_tensor_new(e, EBB_F32, EBB_SHAPE(0, 2), NULL));
    assert_true(ebb_grads(e, "clip_norm", "max_norm=1") == 0);
    assert_no_error(e);
}

/* One tensor may be the gradient of two parameters, and another's business: it is scaled once for each, and not written. */
static void a_shared_gradient_is_scaled_once(void **state) {
    ebb *e = *state;
    ebb_tensor *p = ebb_param(e, "p", EBB_F64, EBB_SHAPE(1), NULL),
               *q = ebb_param(e, "q", EBB_F64, EBB_SHAPE(1), NULL);
    ebb_tensor *g = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(1), (double[]){3});
    ebb_grad_set(p, g);
    ebb_grad_set(q, g);
    assert_near(ebb_grads(e, "clip_norm", "max_norm=1"), sqrt(18), 1e-14);
    assert_near(ebb_item(ebb_grad_of(p)), 3 / (sqrt(18) + 1e-6), 1e-14);
    assert_near(ebb_item(ebb_grad_of(q)), 3 / (sqrt(18) + 1e-6), 1e-14);
    assert_true(ebb_item(g) == 3);
    ebb_grads(e, "clip_value", "clip_value=0.5");
    assert_true(ebb_item(ebb_grad_of(p)) == 0.5 && ebb_item(ebb_grad_of(q)) == 0.5);
    assert_no_error(e);
}

/* The gradient of a sum is one number spread over all elements: a view with strides 0. */
static void a_strided_gradient_works(void **state) {
    ebb *e = *state;
    ebb_tensor *p = ebb_param(e, "p", EBB_F64, EBB_SHAPE(3, 3), NULL);
    ebb_tensor *g = NULL, *g0 = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(1, 1), (double[]){2});
    assert_int_equal(ebb_call_named(e, "expand", 1, &g0, "size=3,3", 1, &g), 1);
    ebb_grad_set(p, g);
    assert_near(ebb_grads(e, "clip_norm", "max_norm=3"), 6, 1e-14);
    assert_no_error(e);
    for (int i = 0; i < 9; i++) assert_near(ebb_at(ebb_grad_of(p), i), 2 * (3 / (6 + 1e-6)), 1e-14);
    assert_true(ebb_item(g0) == 2);
}

/* Summed in double: a million f32 elements whose squares would be lost in an f32 sum. */
static void the_norm_of_many_is_exact(void **state) {
    ebb *e = *state;
    enum { N = 1000003 };
    ebb_tensor *p = ebb_param(e, "p", EBB_F32, EBB_SHAPE(N), NULL), *g = ebb_full(e, EBB_F32, EBB_SHAPE(N), 0.5);
    ebb_grad_set(p, g);
    assert_near(ebb_grads(e, "clip_norm", "max_norm=1e9"), 0.5 * sqrt(N), 1e-10);
    assert_near(ebb_grads(e, "clip_norm", "max_norm=1e9 norm_type=1"), 0.5 * N, 0);
    assert_no_error(e);
}

static void same_bits_for_any_number_of_threads(void **state) {
    UNUSED(state);
    double norm[3], last[3];
    for (int threads = 1; threads <= 3; threads++) {
        ebb *e =
            ebb_open(&(ebb_options){.size = sizeof(ebb_options), .threads = threads, .seed = 3, .grain = 100});
        ebb_tensor *p = ebb_param(e, "p", EBB_F32, EBB_SHAPE(50001), NULL);
        ebb_grad_set(p, ebb_randn(e, EBB_F32, EBB_SHAPE(50001)));
        norm[threads - 1] = ebb_grads(e, "clip_norm", "max_norm=1");
        last[threads - 1] = ebb_at(ebb_grad_of(p), 50000);
        ebb_close(e);
    }
    assert_true(norm[0] > 200 && norm[0] == norm[1] && norm[1] == norm[2]);
    assert_true(last[0] == last[1] && last[1] == last[2]);
}

static void a_nan_goes_through_as_in_pytorch(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    two_gradients(e, p);
    ebb_grad_set(p[0], ebb_tensor_new(e, EBB_F64, EBB_SHAPE(3), (double[]){1, NAN, 9}));
    ebb_grads(e, "clip_value", "clip_value=2");
    assert_true(isnan(ebb_at(ebb_grad_of(p[0]), 1)) && ebb_at(ebb_grad_of(p[0]), 2) == 2);
    assert_true(isnan(ebb_grads(e, "clip_norm", "max_norm=1 norm_type=inf")));
    assert_true(isnan(ebb_at(ebb_grad_of(p[1]), 0))); /* all gradients, as PyTorch multiplies all by the coefficient */

    ebb_grad_set(p[0], ebb_tensor_new(e, EBB_F64, EBB_SHAPE(3), (double[]){1, INFINITY, 9}));
    ebb_grad_set(p[1], NULL);
    assert_true(isinf(ebb_grads(e, "clip_norm", "max_norm=1")));
    assert_true(ebb_at(ebb_grad_of(p[0]), 0) == 0 && isnan(ebb_at(ebb_grad_of(p[0]), 1)));
    assert_no_error(e);
}

static void error_if_nonfinite_stops_and_changes_nothing(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    two_gradients(e, p);
    ebb_grad_set(p[1], ebb_tensor_new(e, EBB_F64, EBB_SHAPE(1, 2), (double[]){INFINITY, 0}));
    assert_true(isnan(ebb_grads(e, "clip_norm", "max_norm=1 error_if_nonfinite=1")));
    assert_error(e, EBB_E_VALUE, "clip_norm|inf");
    assert_values(ebb_grad_of(p[0]), 3, -4, 0.5);
}

static void bad_attributes_are_refused(void **state) {
    ebb *e = *state;
    static const char *const bad[][3] = {{"clip_norm", "", "max_norm"},
                                         {"clip_norm", "max_norm=0", "max_norm"},
                                         {"clip_norm", "max_norm=-1", "max_norm"},
                                         {"clip_norm", "max_norm=1 norm_type=0", "norm_type"},
                                         {"clip_norm", "max_norm=1 norm=2", "norm"},
                                         {"clip_norm", "max_norm=nan", "max_norm"},
                                         {"clip_value", "", "clip_value"},
                                         {"clip_value", "clip_value=-1", "clip_value"}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(isnan(ebb_grads(e, bad[i][0], bad[i][1])));
        assert_error(e, EBB_E_ATTR, bad[i][2]);
    }
    assert_true(isnan(ebb_grads(e, "clip", "max_norm=1")));
    assert_error(e, EBB_E_NAME, "clip");
}

/* No scope is open, and still nothing piles up: each step's gradients replace the last. */
static void memory_does_not_grow(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    ebb_memory before, after;
    two_gradients(e, p);
    ebb_grads(e, "clip_norm", "max_norm=1");
    ebb_memory_stats(e, &before);
    for (int i = 0; i < 50; i++) {
        ebb_grads(e, "clip_norm", "max_norm=0.1");
        ebb_grads(e, "clip_value", "clip_value=0.01");
    }
    ebb_memory_stats(e, &after);
    assert_int_equal(before.tensors, after.tensors);
    assert_no_error(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norms_are_pytorchs),
        SESSION_TEST(values_are_clamped),
        SESSION_TEST(nothing_to_clip_is_norm_0),
        SESSION_TEST(a_shared_gradient_is_scaled_once),
        SESSION_TEST(a_strided_gradient_works),
        SESSION_TEST(the_norm_of_many_is_exact),
        cmocka_unit_test(same_bits_for_any_number_of_threads),
        SESSION_TEST(a_nan_goes_through_as_in_pytorch),
        SESSION_TEST(error_if_nonfinite_stops_and_changes_nothing),
        SESSION_TEST(bad_attributes_are_refused),
        SESSION_TEST(memory_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
