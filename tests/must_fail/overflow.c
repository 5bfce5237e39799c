/* overflow.c - mutant: exp(2x) overflows in f32 from x = 44 on: inf/inf instead of 1.
 * expect: f32: not finite at element|overflows */
#include <ebb/op.h>

EBB_MAP1(m_tanh_naive_fwd, (ebb_exp(2 * x) - 1) / (ebb_exp(2 * x) + 1))

static ebb_tensor *m_tanh_naive_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_sub_from(1, ebb_mul(c->y[0], c->y[0])));
}

EBB_OP(m_tanh_naive,
    .sig = "()->()",
    .math = "y = tanh(x);  dx = g*(1 - y*y)",
    .fwd = m_tanh_naive_fwd,
    .vjp = EBB_VJP({m_tanh_naive_dx, EBB_Y(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(overflow, &ebb_op_m_tanh_naive);
