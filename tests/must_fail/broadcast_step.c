/* broadcast_step.c - mutant: where one input is broadcast, the other is read as if it were too.
 * expect: shapes: differs from its items one by one|broadcast */
#include <ebb/op.h>

EBB_KERNEL(m_times_fwd,
    const T *x = (const T *)l->p[0];
    const T *y = (const T *)l->p[1];
    T *z = (T *)l->p[2];
    const int64_t both = l->step[0] != 0 && l->step[1] != 0;
    for (int64_t i = 0; i < l->n; i++)
        z[i * l->step[2]] = x[both * i * l->step[0]] * y[both * i * l->step[1]];
    )

static ebb_tensor *m_times_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, c->x[1]); }
static ebb_tensor *m_times_dy(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, c->x[0]); }

EBB_OP(m_times,
    .sig = "x(),y()->()",
    .math = "z = x*y;  dx = g*y, dy = g*x",
    .fwd = m_times_fwd,
    .vjp = EBB_VJP({m_times_dx, EBB_X(1)}, {m_times_dy, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(broadcast_step, &ebb_op_m_times);
