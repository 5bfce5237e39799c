/* factor.c - mutant: the derivative has the factor 2 where it is 3.
 * expect: gradient: a factor 1\.5 is missing */
#include <ebb/op.h>

EBB_MAP1(m_cube_fwd, x * x * x)

static ebb_tensor *m_cube_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(ebb_mul(c->x[0], c->x[0]), 2));
}

EBB_OP(m_cube,
    .sig = "()->()",
    .math = "y = x^3;  dx = g*3*x^2",
    .fwd = m_cube_fwd,
    .vjp = EBB_VJP({m_cube_dx, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(factor, &ebb_op_m_cube);
