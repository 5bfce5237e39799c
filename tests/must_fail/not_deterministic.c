/* not_deterministic.c - mutant: a counter from call to call gets into the last bits of the value.
 * expect: determinism: a rerun gives other numbers */
#include <ebb/op.h>

#include <stdatomic.h>

static atomic_int calls;

EBB_KERNEL(m_square_fwd,
    const T *x = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    const int64_t sx = l->step[0], sy = l->step[1];
    const T noise = (T)(1 + 1e-6 * (atomic_fetch_add(&calls, 1) % 3 == 2));
    for (int64_t i = 0; i < l->n; i++) y[i * sy] = x[i * sx] * x[i * sx] * noise;)

static ebb_tensor *m_square_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(c->x[0], 2));
}

EBB_OP(m_square,
    .sig = "()->()",
    .math = "y = x^2;  dx = g*2*x",
    .fwd = m_square_fwd,
    .vjp = EBB_VJP({m_square_dx, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(not_deterministic, &ebb_op_m_square);
