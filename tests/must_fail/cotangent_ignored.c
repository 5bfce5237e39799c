/* cotangent_ignored.c - mutant: the rule forgets to multiply by the cotangent.
 * expect: gradient: ignores its cotangent */
#include <ebb/op.h>

EBB_MAP1(m_tanh_fwd, ebb_tanh(x))

static ebb_tensor *m_tanh_dx(const ebb_call *c, ebb_tensor *g) {
    (void)g;
    return ebb_sub_from(1, ebb_mul(c->y[0], c->y[0]));
}

EBB_OP(m_tanh,
    .sig = "()->()",
    .math = "y = tanh(x);  dx = g*(1 - y*y)",
    .fwd = m_tanh_fwd,
    .vjp = EBB_VJP({m_tanh_dx, EBB_Y(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(cotangent_ignored, &ebb_op_m_tanh);
