/* functional_test.c - jvp, vjp, hvp, Jacobian, Hessian, third derivatives, and checking derivatives by differences. */
#include "../test.h"
#include <ebb/op.h>
#undef fail

#define NUMBERS(e, ...)                                                                                      \
    ebb_tensor_new(e, EBB_F64, EBB_SHAPE(COUNT(((double[]){__VA_ARGS__}))), (double[]){__VA_ARGS__})

static ebb_tensor *needs(ebb_tensor *t) {
    assert_int_equal(ebb_requires_grad(t, true), EBB_OK);
    return t;
}

/* y = (x0*x1, sin x0): J = [[x1, x0], [cos x0, 0]] */
static ebb_tensor *curve(ebb_tensor *x) {
    ebb_tensor *a = ebb_slice(x, .start = 0, .end = 1), *b = ebb_slice(x, .start = 1, .end = 2);
    ebb_tensor *parts[] = {ebb_mul(a, b), ebb_sin(a)};
    return ebb_cat(2, parts, .dim = 0);
}

static void jvp_is_the_jacobian_times_a_vector(void **state) {
    ebb *e = *state;
    ebb_tensor *x = needs(NUMBERS(e, 0.5, 2)), *y = curve(x), *v = NUMBERS(e, 3, -1), *jv = NULL,
               *u = NUMBERS(e, 1, 10), *vj = NULL;
    assert_int_equal(ebb_jvp(e, 1, &y, 1, &x, &v, 0, &jv), EBB_OK);
    assert_values(jv, 2 * 3 - 0.5, 3 * cos(0.5));
    assert_int_equal(ebb_vjp(e, 1, &y, &u, 1, &x, 0, &vj), EBB_OK); /* the graph is still there */
    assert_values(vj, 2 + 10 * cos(0.5), 0.5);
    assert_false(ebb_needs_grad(jv));
    assert_null(ebb_grad_of(x));
}

static void jvp_of_several_outputs_and_inputs(void **state) {
    ebb *e = *state;
    ebb_tensor *a = needs(NUMBERS(e, 1, 2)), *b = needs(NUMBERS(e, 3)), *c = NUMBERS(e, 7);
    ebb_tensor *out[] = {ebb_mul(a, b), ebb_square(b), ebb_mul_scalar(c, 2)}, *wrt[] = {a, b},
               *t[] = {NUMBERS(e, 1, 0), NUMBERS(e, 2)}, *jv[3];
    assert_int_equal(ebb_jvp(e, 3, out, 2, wrt, t, 0, jv), EBB_OK);
    assert_values(jv[0], 3 + 2, 4);
    assert_values(jv[1], 12);
    assert_values(jv[2], 0); /* depends on neither */
}

static void jvp_can_be_differentiated(void **state) {
    ebb *e = *state;
    ebb_tensor *x = needs(NUMBERS(e, 2)), *y = ebb_pow(x, .exponent = 4), *v = NUMBERS(e, 1), *jv, *g;
    assert_int_equal(ebb_jvp(e, 1, &y, 1, &x, &v, EBB_CREATE_GRAPH, &jv), EBB_OK);
    assert_values(jv, 32); /* 4 x^3 */
    assert_int_equal(ebb_grad(e, 1, &jv, NULL, 1, &x, EBB_CREATE_GRAPH, &g), EBB_OK);
    assert_values(g, 48); /* 12 x^2 */
    ebb_tensor *third;
    assert_int_equal(ebb_grad(e, 1, &g, NULL, 1, &x, 0, &third), EBB_OK);
    assert_values(third, 48); /* 24 x */
}

static void hessian_of_a_quadratic_form(void **state) {
    ebb *e = *state;
    const double m[] = {2, 1, 0, 5};
    ebb_tensor *A = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(2, 2), m), *x = needs(NUMBERS(e, 3, -1));
    ebb_tensor *f = ebb_sum(ebb_mul(x, ebb_matmul(A, x))), *v = NUMBERS(e, 1, 1), *hv;
    ebb_tensor *h = ebb_hessian(f, x, 0);
    assert_int_equal(ebb_ndim(h), 2);
    assert_values(h, 4, 1, 1, 10); /* A + A' */
    assert_int_equal(ebb_hvp(f, 1, &x, &v, 0, &hv), EBB_OK);
    assert_values(hv, 5, 11);
    ebb_tensor *linear = ebb_sum(ebb_mul_scalar(x, 3));
    assert_values(ebb_hessian(linear, x, 0), 0, 0, 0, 0);
    assert_int_equal(ebb_hvp(linear, 1, &x, &v, 0, &hv), EBB_OK);
    assert_values(hv, 0, 0);
}

static void jacobian_by_rows_and_by_columns(void **state) {
    ebb *e = *state;
    ebb_tensor *x = needs(NUMBERS(e, 0.5, 2)), *j = ebb_jacobian(curve(x), x, 0);
    assert_values(j, 2, 0.5, cos(0.5), 0);
    ebb_tensor *s = needs(NUMBERS(e, 3)); /* more outputs than inputs: forward mode */
    ebb_tensor *tall = ebb_mul(ebb_reshape(NUMBERS(e, 1, 2, 3, 4), .shape = EBB_SHAPE(2, 2)), ebb_square(s));
    ebb_tensor *k = ebb_jacobian(tall, s, 0);
    assert_int_equal(ebb_ndim(k), 3);
    assert_values(k, 6, 12, 18, 24);
    ebb_tensor *big = needs(ebb_rand(e, EBB_F64, EBB_SHAPE(100))); /* more rows than one cat takes */
    ebb_tensor *d = ebb_jacobian(ebb_square(big), big, 0);
    for (int i = 0; i < 100; i++)
        for (int q = 0; q < 100; q++)
            assert_true(ebb_at(d, 100 * i + q) == (i == q ? 2 * ebb_at(big, i) : 0));
}

static void what_cannot_be_is_said(void **state) {
    ebb *e = *state;
    ebb_tensor *x = needs(NUMBERS(e, 1, 2)), *y = ebb_square(x), *v = NUMBERS(e, 1), *jv, *n = NUMBERS(e, 1, 2);
    assert_int_equal(ebb_jvp(e, 1, &y, 1, &x, &v, 0, &jv), EBB_E_SHAPE);
    assert_error(e, EBB_E_SHAPE, "ebb_jvp|tangent 0|f64[1]|f64[2]");
    assert_int_equal(ebb_jvp(e, 1, &y, 1, &x, NULL, 0, &jv), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "ebb_jvp|tangent");
    assert_int_equal(ebb_jvp(e, 1, &y, 1, &n, &n, 0, &jv), EBB_E_GRAPH);
    assert_error(e, EBB_E_GRAPH, "does not need a gradient");
    assert_int_equal(ebb_jvp(e, 0, &y, 1, &x, &v, 0, &jv), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "ebb_jvp|0 outputs");
    assert_null(ebb_jacobian(NULL, x, 0));
    assert_null(ebb_hessian(y, x, 0));
    assert_error(e, EBB_E_GRAPH, "seed");
    ebb_tensor *wide = needs(ebb_rand(e, EBB_F64, EBB_SHAPE(1, 1, 1, 1, 2)));
    assert_null(ebb_jacobian(ebb_square(wide), wide, 0));
    assert_error(e, EBB_E_SHAPE, "ebb_jacobian|5|8");
}

/* ---- gradcheck ------------------------------------------------------------------------------------------------------- */

static ebb_status right(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    UNUSED(user), UNUSED(n_x), UNUSED(n_y);
    y[0] = ebb_sum(ebb_mul(ebb_exp(x[0]), x[1]));
    return ebb_error_code(e);
}

/* Says so, but treats exp(x) as a constant. */
static ebb_status detached(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    UNUSED(user), UNUSED(n_x), UNUSED(n_y);
    y[0] = ebb_sum(ebb_mul(ebb_mul(ebb_detach(ebb_exp(x[0])), x[1]), ebb_add_scalar(ebb_mul_scalar(x[0], 0), 1)));
    return ebb_error_code(e);
}

static void gradcheck_accepts_and_refuses(void **state) {
    ebb *e = *state;
    ebb_tensor *x[] = {needs(NUMBERS(e, 0.3, -0.7)), needs(NUMBERS(e, 2, 5))};
    const ebb_gradcheck_options o = {.size = sizeof o, .second = true};
    assert_int_equal(ebb_gradcheck(e, right, NULL, 2, x, 1, NULL), EBB_OK);
    assert_int_equal(ebb_gradcheck(e, right, NULL, 2, x, 1, &o), EBB_OK);
    assert_int_equal(ebb_gradcheck(e, detached, NULL, 2, x, 1, NULL), EBB_E_VERIFY);
    assert_error(e, EBB_E_VERIFY, "gradient|input 0|element 0|by differences");
    ebb_tensor *single = needs(ebb_rand(e, EBB_F32, EBB_SHAPE(2)));
    assert_int_equal(ebb_gradcheck(e, right, NULL, 1, &single, 1, NULL), EBB_E_DTYPE);
    assert_error(e, EBB_E_DTYPE, "f64");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(jvp_is_the_jacobian_times_a_vector), SESSION_TEST(jvp_of_several_outputs_and_inputs),
        SESSION_TEST(jvp_can_be_differentiated),          SESSION_TEST(hessian_of_a_quadratic_form),
        SESSION_TEST(jacobian_by_rows_and_by_columns),    SESSION_TEST(what_cannot_be_is_said),
        SESSION_TEST(gradcheck_accepts_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
