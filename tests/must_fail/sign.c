/* sign.c - mutant: the derivative has the wrong sign.
 * expect: gradient: opposite sign */
#include <ebb/op.h>

EBB_MAP1(m_cosine_fwd, ebb_cos(x))

static ebb_tensor *m_cosine_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, ebb_sin(c->x[0])); }

EBB_OP(m_cosine,
    .sig = "()->()",
    .math = "y = cos(x);  dx = -g*sin(x)",
    .fwd = m_cosine_fwd,
    .vjp = EBB_VJP({m_cosine_dx, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(sign, &ebb_op_m_cosine);
