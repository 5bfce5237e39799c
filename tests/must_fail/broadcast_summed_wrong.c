/* broadcast_summed_wrong.c - mutant: the rule sums over everything by itself, so it is wrong unless y has one element.
 * expect: contract: rule of m_times for input 1 returned shape \[\] */
#include <ebb/op.h>

EBB_MAP2(m_times_fwd, x * y)

static ebb_tensor *m_times_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, c->x[1]); }
static ebb_tensor *m_times_dy(const ebb_call *c, ebb_tensor *g) { return ebb_sum(ebb_mul(g, c->x[0])); }

EBB_OP(m_times,
    .sig = "x(),y()->()",
    .math = "z = x*y;  dx = g*y, dy = g*x",
    .fwd = m_times_fwd,
    .vjp = EBB_VJP({m_times_dx, EBB_X(1)}, {m_times_dy, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(broadcast_summed_wrong, &ebb_op_m_times);
