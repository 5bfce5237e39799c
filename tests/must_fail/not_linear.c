/* not_linear.c - mutant: the rule squares the cotangent, which is the same thing for g = 1.
 * expect: cotangent: not linear in the cotangent */
#include <ebb/op.h>

EBB_MAP1(m_double_fwd, 2 * x)

static ebb_tensor *m_double_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(ebb_mul(g, g), 2);
}

EBB_OP(m_double,
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = m_double_fwd,
    .vjp = EBB_VJP({m_double_dx, 0}),
    .doc = "A mutant."
);

EBB_PLUGIN(not_linear, &ebb_op_m_double);
