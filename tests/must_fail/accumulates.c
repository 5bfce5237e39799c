/* accumulates.c - mutant: the kernel adds to its output, as if that were zero at first.
 * expect: determinism|f32: a rerun gives other numbers|f32 differs from f64 */
#include <ebb/op.h>

EBB_KERNEL(m_square_fwd,
    const T *x = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    const int64_t sx = l->step[0], sy = l->step[1];
    for (int64_t i = 0; i < l->n; i++) y[i * sy] += x[i * sx] * x[i * sx];)

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

EBB_PLUGIN(accumulates, &ebb_op_m_square);
