/* my_swish.c - a whole ebb plugin.  Build it with  ./dev plugin my_swish.c , or by hand with
 *     cc -shared -fPIC -O3 -fvisibility=hidden -I INCLUDE my_swish.c -o my_swish.so && ebb check ./my_swish.so */
#include <ebb/op.h>

EBB_MAP1(swish_fwd, x / (1 + ebb_exp(-x)))

static ebb_tensor *swish_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *s = ebb_sigmoid(c->x[0]);
    return ebb_mul(g, ebb_add(s, ebb_mul(c->y[0], ebb_sub_from(1, s))));
}

EBB_OP(my_swish,
    .sig = "()->()",
    .math = "y = x*s, s = sigmoid(x);  dx = g*(s + y*(1 - s))",
    .fwd = swish_fwd,
    .vjp = EBB_VJP({swish_dx, EBB_X(0) | EBB_Y(0)}), /* the rule, and what it reads */
    .doc = "Self-gated activation.",
    .ref = "Ramachandran et al., 2017, arXiv:1710.05941"
);

EBB_PLUGIN(my_swish, &ebb_op_my_swish);
