/* nan_swallowed.c - mutant: the comparison turns a NaN into 0, where max(x, 0) would keep it.
 * expect: special: NaN at element */
#include <ebb/op.h>

EBB_MAP1(m_ramp_fwd, x > 0 ? x : 0)

static ebb_tensor *m_ramp_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_where(ebb_gt(c->x[0], ebb_scalar(c->x[0], 0)), g, ebb_mul_scalar(g, 0));
}

EBB_OP(m_ramp,
    .sig = "()->()",
    .math = "y = max(x, 0);  dx = g where x > 0",
    .fwd = m_ramp_fwd,
    .vjp = EBB_VJP({m_ramp_dx, EBB_X(0)}),
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}),
    .doc = "A mutant."
);

EBB_PLUGIN(nan_swallowed, &ebb_op_m_ramp);
