/* one_input_of_two.c - mutant: the gradient of the first input is right, that of the second has the wrong sign.
 * expect: gradient: gradient wrong in input 1 \(y\) */
#include <ebb/op.h>

EBB_MAP2(m_ratio_fwd, x / y)

static ebb_tensor *m_ratio_dx(const ebb_call *c, ebb_tensor *g) { return ebb_div(g, c->x[1]); }
static ebb_tensor *m_ratio_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_div(c->y[0], c->x[1]));
}

EBB_OP(m_ratio,
    .sig = "x(),y()->()",
    .math = "z = x/y;  dx = g/y, dy = -g*z/y",
    .fwd = m_ratio_fwd,
    .vjp = EBB_VJP({m_ratio_dx, EBB_X(1)}, {m_ratio_dy, EBB_X(1) | EBB_Y(0)}),
    .domain = EBB_DOMAIN({-3, 3}, {0.5, 3}),
    .doc = "A mutant."
);

EBB_PLUGIN(one_input_of_two, &ebb_op_m_ratio);
