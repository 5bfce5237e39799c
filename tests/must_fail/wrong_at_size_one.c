/* wrong_at_size_one.c - mutant: a row of one element takes a shortcut that forgets the square.
 * expect: shapes: gradient wrong.*shape \[1\] */
#include <ebb/op.h>

EBB_KERNEL(sum_squares_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T *y = (T *)l->p[1] + r * l->step[1];
        T sum = 0;
        for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
        *y = n == 1 ? x[0] : sum;
    })

/* The cotangent with a last dim of 1, so that it broadcasts along the row. */
static ebb_tensor *column(const ebb_call *c, ebb_tensor *g) {
    ebb_ints s = ebb_ints_of(c->y_shape);
    s.v[s.n++] = 1;
    return ebb_reshape(g, .shape = s);
}

static ebb_tensor *sum_squares_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(column(c, g), ebb_mul_scalar(c->x[0], 2));
}

EBB_OP(m_sum_squares,
    .sig = "(n)->()",
    .math = "y = sum_i x_i^2;  dx_i = g*2*x_i",
    .fwd = sum_squares_fwd,
    .vjp = EBB_VJP({sum_squares_dx, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(wrong_at_size_one, &ebb_op_m_sum_squares);
