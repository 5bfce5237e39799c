/* writes_input.c - mutant: the kernel clears tiny inputs before it squares them, in the input itself.
 * expect: contract: kernel changed input 0 */
#include <ebb/op.h>

EBB_KERNEL(m_square_fwd,
    T *x = (T *)l->p[0], *y = (T *)l->p[1];
    const int64_t sx = l->step[0], sy = l->step[1];
    for (int64_t i = 0; i < l->n; i++) {
        const T v = x[i * sx];
        x[i * sx] = 0; /* "not needed any more" */
        y[i * sy] = v * v;
    })

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

EBB_PLUGIN(writes_input, &ebb_op_m_square);
