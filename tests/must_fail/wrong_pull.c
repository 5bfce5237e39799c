/* wrong_pull.c - mutant: the rule is right, the fused kernel beside it lacks a factor.
 * expect: pull: a factor 2 is missing */
#include <ebb/op.h>

EBB_MAP1(square_fwd, x * x)
EBB_MAP2(square_pull, x * y) /* cotangent, x: the 2 is missing */

static ebb_tensor *square_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(c->x[0], 2));
}

EBB_OP(m_square,
    .sig = "()->()",
    .math = "y = x^2;  dx = g*2*x",
    .fwd = square_fwd,
    .vjp = EBB_VJP({square_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, square_pull, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(wrong_pull, &ebb_op_m_square);
