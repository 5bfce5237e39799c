/* batch_cotangent.c - mutant: the rule forgets that a batch of rows has a cotangent for each row.
 * expect: contract|shapes: backward of m_sum_squares.*cannot be broadcast */
#include <ebb/op.h>

EBB_KERNEL(sum_squares_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T *y = (T *)l->p[1] + r * l->step[1];
        T sum = 0;
        for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
        *y = sum;
    })

static ebb_tensor *sum_squares_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(c->x[0], 2));
}

EBB_OP(m_sum_squares,
    .sig = "(n)->()",
    .math = "y = sum_i x_i^2;  dx_i = g*2*x_i",
    .fwd = sum_squares_fwd,
    .vjp = EBB_VJP({sum_squares_dx, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(batch_cotangent, &ebb_op_m_sum_squares);
