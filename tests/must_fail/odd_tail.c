/* odd_tail.c - mutant: whole blocks of 8 are right, the remainder is computed without the last factor.
 * expect: gradient|shapes: gradient wrong in input 0|single element */
#include <ebb/op.h>

EBB_KERNEL(m_cube_fwd,
    const T *x = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    const int64_t sx = l->step[0], sy = l->step[1];
    int64_t i = 0;
    for (; i + 8 <= l->n; i++) { /* "vectorised": one more element as long as a block of 8 is left */
        const T v = x[i * sx];
        y[i * sy] = v * v * v;
    }
    for (; i < l->n; i++) y[i * sy] = x[i * sx] * x[i * sx];)

static ebb_tensor *m_cube_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(ebb_mul(c->x[0], c->x[0]), 3));
}

EBB_OP(m_cube,
    .sig = "()->()",
    .math = "y = x^3;  dx = g*3*x^2",
    .fwd = m_cube_fwd,
    .vjp = EBB_VJP({m_cube_dx, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(odd_tail, &ebb_op_m_cube);
