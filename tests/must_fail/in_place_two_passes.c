/* in_place_two_passes.c - mutant: declared to work in place, but the kernel reads x again after it has written y.
 * expect: contract: the in-place form differs */
#include <ebb/op.h>

EBB_KERNEL(m_parabola_fwd,
    const T *x = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    const int64_t sx = l->step[0], sy = l->step[1];
    for (int64_t i = 0; i < l->n; i++) y[i * sy] = x[i * sx] * x[i * sx];
    for (int64_t i = 0; i < l->n; i++) y[i * sy] += x[i * sx];
    )

static ebb_tensor *m_parabola_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_add(ebb_mul(g, ebb_mul_scalar(c->x[0], 2)), g);
}

EBB_OP(m_parabola,
    .sig = "()->()",
    .flags = EBB_INPLACE,
    .math = "y = x^2 + x;  dx = g*(2*x + 1)",
    .fwd = m_parabola_fwd,
    .vjp = EBB_VJP({m_parabola_dx, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(in_place_two_passes, &ebb_op_m_parabola);
