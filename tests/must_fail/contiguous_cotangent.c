/* contiguous_cotangent.c - mutant: the fused pull walks a strided cotangent as if it were contiguous.
 * expect: layout: assumes a contiguous cotangent */
#include <ebb/op.h>

EBB_MAP1(square_fwd, x * x)

EBB_KERNEL(square_pull,
    const T *g = (const T *)l->p[0];
    const T *x = (const T *)l->p[1];
    T *dx = (T *)l->p[2];
    const int64_t sg = l->step[0] == 0 ? 0 : 1; /* a broadcast cotangent is thought of, a strided one is not */
    for (int64_t i = 0; i < l->n; i++) dx[i * l->step[2]] = 2 * g[i * sg] * x[i * l->step[1]];
    )

static ebb_tensor *square_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(c->x[0], 2));
}

EBB_OP(m_square,
    .sig = "()->()",
    .math = "y = x^2;  dx = g*2*x",
    .fwd = square_fwd,
    .vjp = EBB_VJP({square_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, square_pull, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(contiguous_cotangent, &ebb_op_m_square);
