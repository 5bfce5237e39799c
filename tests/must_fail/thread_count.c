/* thread_count.c - mutant: the value depends on how many elements this call was given, so on the number of threads.
 * expect: threads: [0-9]+ threads give other numbers than one */
#include <ebb/op.h>

EBB_KERNEL(m_square_fwd,
    const T *x = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    const int64_t sx = l->step[0], sy = l->step[1];
    const T bias = (T)1e-7 * (T)l->n; /* its derivative is zero, so that no gradient shows it */
    for (int64_t i = 0; i < l->n; i++) y[i * sy] = x[i * sx] * x[i * sx] + bias;)

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

EBB_PLUGIN(thread_count, &ebb_op_m_square);
