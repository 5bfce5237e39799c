/* zero_cotangent.c - mutant: the rule divides by the cotangent: not a number where that is zero.
 * expect: cotangent: gradient of a zero cotangent not zero */
#include <ebb/op.h>

EBB_MAP1(m_triple_fwd, 3 * x)

static ebb_tensor *m_triple_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(ebb_div(ebb_mul(g, g), g), 3);
}

EBB_OP(m_triple,
    .sig = "()->()",
    .math = "y = 3*x;  dx = 3*g",
    .fwd = m_triple_fwd,
    .vjp = EBB_VJP({m_triple_dx, 0}),
    .doc = "A mutant."
);

EBB_PLUGIN(zero_cotangent, &ebb_op_m_triple);
