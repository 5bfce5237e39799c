/* optional_missing.c - mutant: the rule of x counts on the optional bias, which may be missing.
 * expect: contract: rule of m_affine for input 0 */
#include <ebb/op.h>

/* z_i = x_i*w_i (+ b_i) */
EBB_KERNEL(affine_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        const T *w = (const T *)l->p[1] + r * l->step[1];
        const T *b = l->p[2] ? (const T *)l->p[2] + r * l->step[2] : NULL;
        T *z = (T *)l->p[3] + r * l->step[3];
        for (int64_t i = 0; i < n; i++) z[i] = x[i] * w[i] + (b ? b[i] : 0);
    })

static ebb_tensor *affine_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *b = c->x[2], *none = ebb_sub(b, b); /* "keeps the shape" */
    return ebb_add(ebb_mul(g, c->x[1]), none);
}
static ebb_tensor *affine_dw(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, c->x[0]); }
static ebb_tensor *affine_db(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}

EBB_OP(m_affine,
    .sig = "x(n),w(n),b(n)?->(n)",
    .math = "z = x*w + b;  dx = g*w, dw = g*x, db = g",
    .fwd = affine_fwd,
    .vjp = EBB_VJP({affine_dx, EBB_X(1) | EBB_X(2)}, {affine_dw, EBB_X(0)}, {affine_db, 0}),
    .doc = "A mutant."
);

EBB_PLUGIN(optional_missing, &ebb_op_m_affine);
