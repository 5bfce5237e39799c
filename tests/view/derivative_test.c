/* derivative_test.c - ebb_derivative_check: right rules pass, also at kinks and ties; wrong ones, and calls it cannot make, are told. */
#include "../test.h"
#include <ebb/op.h>
#include <ebb/view.h>

enum { MAX = 64 };

static void passes(ebb *e, const char *op, const char *attrs, int n, ebb_tensor *const *x, int i) {
    ebb_derivative d[MAX];
    const int count = ebb_derivative_check(e, op, attrs, n, x, i, MAX, d);
    assert_no_error(e);
    assert_int_equal(count, ebb_numel(x[i]) < MAX ? ebb_numel(x[i]) : MAX);
    for (int k = 0; k < count; k++) {
        if (!d[k].passed)
            fail_msg("%s, operand %d, element %lld: %.12g by its rule, %.12g by differences", op, i,
                     (long long)d[k].element, d[k].analytic, d[k].numeric);
        assert_true(d[k].allowed > 0);
        assert_true(!k || d[k].element > d[k - 1].element);
        assert_true(d[k].element < ebb_numel(x[i]));
    }
}

static void rules_that_are_right(void **state) {
    ebb *e = *state;
    ebb_tensor *a = ebb_randn(e, EBB_F32, EBB_SHAPE(3, 4)), *b = ebb_randn(e, EBB_F32, EBB_SHAPE(4, 5)),
               *labels = ebb_tensor_new(e, EBB_I64, EBB_SHAPE(3), (int64_t[]){0, 3, 1});
    for (int i = 0; i < 2; i++) passes(e, "matmul", NULL, 2, (ebb_tensor *[]){a, b}, i);
    passes(e, "softmax", "dim=1", 1, &a, 0);
    passes(e, "tanh", NULL, 1, &a, 0);
    passes(e, "cross_entropy", NULL, 2, (ebb_tensor *[]){a, labels}, 0);
    passes(e, "var_mean", "dim=0", 1, &a, 0); /* two outputs */
    passes(e, "dropout", "p=0.5", 1, &a, 0);  /* the same numbers each time */
    passes(e, "mul", NULL, 2,
           (ebb_tensor *[]){ebb_rand(e, EBB_F64, EBB_SHAPE(40, 40)), ebb_full(e, EBB_F64, EBB_SHAPE0, 2)}, 0);
}

static void kinks_and_ties(void **state) {
    ebb *e = *state;
    ebb_tensor *zeros = ebb_full(e, EBB_F32, EBB_SHAPE(1, 1, 4, 4), 0),
               *small = ebb_full(e, EBB_F64, EBB_SHAPE(3), 3e-5);
    passes(e, "relu", NULL, 1, &zeros, 0);
    passes(e, "abs", NULL, 1, &zeros, 0);
    passes(e, "amax", "dim=3", 1, &zeros, 0);
    passes(e, "max_pool2d", "kernel_size=2", 1, &zeros, 0);
    passes(e, "maximum", NULL, 2, (ebb_tensor *[]){zeros, zeros}, 1);
    passes(e, "log", NULL, 1, &small, 0); /* the first step would reach below 0 */
}

/* A rule that is right while it is verified, and wrong afterwards. */
static double factor = 2;
static ebb_tensor *turning_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul_scalar(ebb_mul(g, c->x[0]), factor);
}
EBB_MAP1(turning_fwd, x *x)
EBB_OP(turning, .sig = "()->()", .math = "y = x*x;  dx = 2*g*x", .doc = "A square.", .fwd = turning_fwd,
       .vjp = EBB_VJP({turning_dx, EBB_X(0)}));
EBB_PLUGIN(turning_plugin, &ebb_op_turning);

static void a_rule_that_is_wrong(void **state) {
    ebb *e = *state;
    ebb_derivative d[MAX];
    ebb_tensor *x = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(3), (double[]){1, 0, -2});
    assert_non_null(ebb_plugin_add(e, &ebb_plugin_entry, "the test", NULL));
    passes(e, "turning", NULL, 1, &x, 0);
    factor = 1.9;
    assert_int_equal(ebb_derivative_check(e, "turning", NULL, 1, &x, 0, MAX, d), 3);
    assert_false(d[0].passed);
    assert_true(d[1].passed); /* 0 is 0 */
    assert_false(d[2].passed);
    assert_near(d[0].analytic / d[0].numeric, 0.95, 1e-6);
}

static void refused(void **state) {
    ebb *e = *state;
    ebb_derivative d[MAX];
    ebb_tensor *x = ebb_rand(e, EBB_F32, EBB_SHAPE(3)), *k = ebb_full(e, EBB_I64, EBB_SHAPE(3), 1);
    assert_int_equal(ebb_derivative_check(e, "rleu", NULL, 1, &x, 0, MAX, d), -1);
    assert_error(e, EBB_E_NAME, "rleu|relu");
    assert_int_equal(ebb_derivative_check(e, "relu", NULL, 1, &k, 0, MAX, d), -1);
    assert_error(e, EBB_E_DTYPE, "operand 0|i64[3]|only floats");
    assert_int_equal(ebb_derivative_check(e, "floor", NULL, 1, &x, 1, MAX, d), -1);
    assert_error(e, EBB_E_ARG, "operand 1");
    assert_int_equal(ebb_derivative_check(e, "argmax", "dim=0", 1, &x, 0, MAX, d), -1);
    assert_error(e, EBB_E_GRAPH, "argmax has no rule for operand 0");
    assert_int_equal(ebb_derivative_check(e, "softmax", "dimm=0", 1, &x, 0, MAX, d), -1);
    assert_error(e, EBB_E_ATTR, "dimm");
    assert_int_equal(ebb_derivative_check(NULL, "relu", NULL, 1, &x, 0, MAX, d), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(rules_that_are_right),
        SESSION_TEST(kinks_and_ties),
        SESSION_TEST(a_rule_that_is_wrong),
        SESSION_TEST(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
