/* transposed.c - mutant: the rule of a matrix product gives the transpose of the gradient.
 * expect: gradient: transposed: rows and columns */
#include <ebb/op.h>

/* y = A B of square matrices:  dA = G B^T,  dB = A^T G */
EBB_KERNEL(product_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *a = (const T *)l->p[0] + r * l->step[0];
        const T *b = (const T *)l->p[1] + r * l->step[1];
        T *y = (T *)l->p[2] + r * l->step[2];
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                T sum = 0;
                for (int64_t k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
                y[i * n + j] = sum;
            }
    })

static ebb_tensor *turned(ebb_tensor *t) { return ebb_transpose(t, .dim0 = -2, .dim1 = -1); }
static ebb_tensor *product_da(const ebb_call *c, ebb_tensor *g) { return ebb_matmul(c->x[1], turned(g)); }
static ebb_tensor *product_db(const ebb_call *c, ebb_tensor *g) { return ebb_matmul(turned(c->x[0]), g); }

EBB_OP(m_product,
    .sig = "a(n,n),b(n,n)->(n,n)",
    .math = "y = A B;  dA = G B', dB = A' G",
    .fwd = product_fwd,
    .vjp = EBB_VJP({product_da, EBB_X(1)}, {product_db, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(transposed, &ebb_op_m_product);
