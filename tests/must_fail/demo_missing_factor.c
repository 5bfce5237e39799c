/* demo_missing_factor.c - mutant: the derivative lacks the factor 1.7881 that scales the value.
 * expect: gradient: a factor 1\.7881 is missing */
#include <ebb/op.h>

/* A swish that keeps the variance of what passes through it: y = k*x*s, s = sigmoid(x), k = 1.7881.
 *     dx = g * k*(s + x*s*(1 - s))      the rule below forgets k */

EBB_MAP1(scaled_swish_fwd, (T)1.7881 * x / (1 + ebb_exp(-x)))

static ebb_tensor *scaled_swish_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *s = ebb_sigmoid(x);
    return ebb_mul(g, ebb_add(s, ebb_mul(ebb_mul(x, s), ebb_sub_from(1, s))));
}

EBB_OP(scaled_swish,
    .sig = "()->()",
    .math = "y = k*x*s, s = sigmoid(x), k = 1.7881;  dx = g*k*(s + x*s*(1 - s))",
    .fwd = scaled_swish_fwd,
    .vjp = EBB_VJP({scaled_swish_dx, EBB_X(0)}),
    .doc = "Self-gated activation, scaled to unit variance.",
    .ref = "Brock et al., 2021, arXiv:2101.08692"
);

EBB_PLUGIN(demo_missing_factor, &ebb_op_scaled_swish);
