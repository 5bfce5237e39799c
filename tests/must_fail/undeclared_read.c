/* undeclared_read.c - mutant: the rule reads x, but declares that it reads y.
 * expect: contract: does not name in `reads` */
#include <ebb/op.h>

EBB_MAP1(m_square_fwd, x * x)

static ebb_tensor *m_square_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(c->x[0], 2));
}

EBB_OP(m_square,
    .sig = "()->()",
    .math = "y = x^2;  dx = g*2*x",
    .fwd = m_square_fwd,
    .vjp = EBB_VJP({m_square_dx, EBB_Y(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(undeclared_read, &ebb_op_m_square);
