/* subset_dependent.c - mutant: the second rule counts on the first having run just before it.
 * expect: subsets: depends on which other inputs need one, in input 1 \(y\) */
#include <ebb/op.h>

static _Thread_local int first_ran;

EBB_MAP2(m_times_fwd, x * y)

static ebb_tensor *m_times_dx(const ebb_call *c, ebb_tensor *g) {
    first_ran = 1;
    return ebb_mul(g, c->x[1]);
}
static ebb_tensor *m_times_dy(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *dy = ebb_mul(g, c->x[0]);
    if (!first_ran) dy = ebb_mul_scalar(dy, 2); /* "whoever ran first has halved it" */
    first_ran = 0;
    return dy;
}

EBB_OP(m_times,
    .sig = "x(),y()->()",
    .math = "z = x*y;  dx = g*y, dy = g*x",
    .fwd = m_times_fwd,
    .vjp = EBB_VJP({m_times_dx, EBB_X(1)}, {m_times_dy, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(subset_dependent, &ebb_op_m_times);
