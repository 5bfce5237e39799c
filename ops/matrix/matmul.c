/* matmul.c - floor 5: matrix products and the linear layer. */
#include "gemm.h"
#include <ebb/op.h>

/* ---- gemm: the product of matrices that matmul and linear are made of, and that backends replace ---- */

#define GEMM_BODY(suffix)                                                                                    \
    const int64_t m = l->dim[0], k = l->dim[1], n = l->dim[2];                                               \
    for (int64_t r = 0; r < l->n; r++)                                                                       \
        ebb_gemm_##suffix(l->level, m, n, k, (const T *)l->p[0] + r * l->step[0], l->stride[0][0],           \
                          l->stride[0][1], (const T *)l->p[1] + r * l->step[1], l->stride[1][0],             \
                          l->stride[1][1], (T *)l->p[2] + r * l->step[2], l->stride[2][0], false, l->scratch);

static ebb_status gemm_f32(const ebb_loop *l) {
    typedef float T;
    GEMM_BODY(f32)
    return EBB_OK;
}
static ebb_status gemm_f64(const ebb_loop *l) {
    typedef double T;
    GEMM_BODY(f64)
    return EBB_OK;
}
static const ebb_kernel gemm_fwd[] = {
    {EBB_F32, {gemm_f32, gemm_f32, gemm_f32}}, {EBB_F64, {gemm_f64, gemm_f64, gemm_f64}}, {0, {0}}};

static size_t gemm_scratch(const ebb_loop *l) {
    const size_t f32 = ebb_gemm_scratch_f32(l->dim[0], l->dim[2], l->dim[1]),
                 f64 = ebb_gemm_scratch_f64(l->dim[0], l->dim[2], l->dim[1]);
    return f32 > f64 ? f32 : f64;
}

static ebb_tensor *flipped(ebb_tensor *t) { return ebb_transpose(t, .dim0 = -1, .dim1 = -2); }
static ebb_tensor *gemm_da(const ebb_call *c, ebb_tensor *g) { return ebb_gemm(g, flipped(c->x[1])); }
static ebb_tensor *gemm_db(const ebb_call *c, ebb_tensor *g) { return ebb_gemm(flipped(c->x[0]), g); }

EBB_OP(gemm,
    .sig = "input(m,k),other(k,n)->(m,n)",
    .math = "C = A*B;  dA = G*B',  dB = A'*G",
    .fwd = gemm_fwd,
    .vjp = EBB_VJP({gemm_da, EBB_X(1)}, {gemm_db, EBB_X(0)}),
    .flags = EBB_STRIDED | EBB_INTERNAL,
    .split = "mn",
    .scratch = gemm_scratch,
    .doc = "Product of matrices in the last two dims; the dims before broadcast. What matmul and linear are made of."
);

/* ---- matmul ---- */

static ebb_ints shape_of(const ebb_tensor *t) {
    ebb_info i;
    ebb_host_of(t)->info(t, &i);
    ebb_ints s = {i.ndim, {0}};
    for (int d = 0; d < i.ndim; d++) s.v[d] = i.shape[d];
    return s;
}

/* (..., m, k) x (k, n) as one product of (...*m, k): larger tiles, and the gradient of b needs no sum over the batch. */
static ebb_tensor *folded(ebb_tensor *a, ebb_ints sa, ebb_tensor *b) {
    ebb_tensor *y = ebb_gemm(ebb_reshape(a, .shape = EBB_SHAPE(-1, sa.v[sa.n - 1])), b);
    if (!y) return NULL;
    sa.v[sa.n - 1] = shape_of(y).v[1];
    return ebb_reshape(y, .shape = sa);
}

static ebb_tensor *matmul_compose(const ebb_call *c) {
    ebb_tensor *a = c->x[0], *b = c->x[1];
    const ebb_shape *sa = &c->x_shape[0], *sb = &c->x_shape[1];
    const ebb_host *h = ebb_host_of(a);
    if (!sa->ndim || !sb->ndim) {
        h->fail(c->e, EBB_E_SHAPE, "both operands need at least 1 dim; they have %d and %d", sa->ndim, sb->ndim);
        return NULL;
    }
    const int64_t k = sa->dim[sa->ndim - 1], kb = sb->dim[sb->ndim > 1 ? sb->ndim - 2 : 0];
    if (k != kb && (sa->ndim == 1 || sb->ndim == 1)) { /* of matrices gemm says it, with their shapes */
        h->fail(c->e, EBB_E_SHAPE, "k is %lld in input (last dim) but %lld in other (%s dim)", (long long)k,
                (long long)kb, sb->ndim > 1 ? "last but one" : "only");
        return NULL;
    }
    if (sa->ndim == 1 && sb->ndim == 1)
        return ebb_reshape(
            ebb_gemm(ebb_reshape(a, .shape = EBB_SHAPE(1, k)), ebb_reshape(b, .shape = EBB_SHAPE(k, 1))),
            .shape = EBB_SHAPE0);
    if (sa->ndim == 1) { /* (k) x (..., k, n) -> (..., n) */
        ebb_tensor *y = ebb_gemm(ebb_reshape(a, .shape = EBB_SHAPE(1, k)), b);
        if (!y) return NULL;
        ebb_ints s = shape_of(y);
        s.v[s.n - 2] = s.v[s.n - 1];
        s.n--;
        return ebb_reshape(y, .shape = s);
    }
    if (sb->ndim == 1) { /* (..., m, k) x (k) -> (..., m) */
        ebb_tensor *column = ebb_reshape(b, .shape = EBB_SHAPE(k, 1));
        ebb_tensor *y = ebb_shape_numel(sa) ? folded(a, ebb_ints_of(sa), column) : ebb_gemm(a, column);
        ebb_ints s = ebb_ints_of(sa);
        s.n--;
        return y ? ebb_reshape(y, .shape = s) : NULL;
    }
    if (sa->ndim > 2 && sb->ndim == 2 && k == kb && ebb_shape_numel(sa)) return folded(a, ebb_ints_of(sa), b);
    return ebb_gemm(a, b);
}

EBB_OP(matmul,
    .sig = "input(),other()->()",
    .math = "C = A*B;  dA = G*B',  dB = A'*G",
    .compose = matmul_compose,
    .tries = "[2,3] [3,4]; [3] [3]; [3] [3,4]; [2,3] [3]; [2,3] [4,3,2]; [2,2,3] [3,2]; [2,1,2,3] [4,3,2]; [3] [2,3,4]; [2,2,3] [3]; [2,0] [0,3]; [1,1] [1,1]; [0,2] [2,3]; [7,5] [5,17]",
    .doc = "Matrix product as torch.matmul: vectors, matrices, and batches whose leading dims broadcast.",
    .ref = "torch.matmul"
);

/* ---- linear ---- */

static ebb_tensor *linear_compose(const ebb_call *c) {
    ebb_tensor *x = c->x[0], *w = c->x[1], *b = c->n_x > 2 ? c->x[2] : NULL;
    const ebb_shape *sx = &c->x_shape[0], *sw = &c->x_shape[1];
    const ebb_host *h = ebb_host_of(x);
    if (sx->ndim < 1 || sw->ndim != 2) {
        h->fail(c->e, EBB_E_SHAPE, "the input has %d dims and the weight %d; at least 1 and exactly 2 are needed",
                sx->ndim, sw->ndim);
        return NULL;
    }
    const int64_t k = sx->dim[sx->ndim - 1];
    if (k != sw->dim[1]) {
        h->fail(c->e, EBB_E_SHAPE, "the input's last dim is %lld, but the weight is [%lld,%lld], [out,in]",
                (long long)k, (long long)sw->dim[0], (long long)sw->dim[1]);
        return NULL;
    }
    if (b && (c->x_shape[2].ndim != 1 || c->x_shape[2].dim[0] != sw->dim[0])) {
        h->fail(c->e, EBB_E_SHAPE, "the bias has %lld elements in %d dims; %lld in 1 dim are needed",
                (long long)ebb_shape_numel(&c->x_shape[2]), c->x_shape[2].ndim, (long long)sw->dim[0]);
        return NULL;
    }
    if (sx->dtype != sw->dtype || (b && c->x_shape[2].dtype != sw->dtype)) {
        h->fail(c->e, EBB_E_DTYPE, "input, weight and bias must have one dtype; convert with ebb_to (op \"to\")");
        return NULL;
    }
    ebb_ints out = ebb_ints_of(sx);
    out.v[out.n - 1] = sw->dim[0];
    int64_t rows = 1;
    for (int d = 0; d + 1 < sx->ndim; d++) rows *= sx->dim[d];
    ebb_tensor *y = ebb_gemm(sx->ndim == 2 ? x : ebb_reshape(x, .shape = EBB_SHAPE(rows, k)), flipped(w));
    if (b) y = ebb_add_(y, b);
    return sx->ndim == 2 ? y : ebb_reshape(y, .shape = out);
}

/* The input and the cotangent as matrices of rows. */
static ebb_tensor *rows_of(ebb_tensor *t, const ebb_shape *s) {
    if (s->ndim == 2) return t;
    int64_t rows = 1;
    for (int d = 0; d + 1 < s->ndim; d++) rows *= s->dim[d];
    return ebb_reshape(t, .shape = EBB_SHAPE(rows, s->dim[s->ndim - 1]));
}
static ebb_tensor *linear_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *d = ebb_gemm(rows_of(g, &c->y_shape[0]), c->x[1]);
    return c->x_shape[0].ndim == 2 ? d : ebb_reshape(d, .shape = ebb_ints_of(&c->x_shape[0]));
}
static ebb_tensor *linear_dw(const ebb_call *c, ebb_tensor *g) {
    return ebb_gemm(flipped(rows_of(g, &c->y_shape[0])), rows_of(c->x[0], &c->x_shape[0]));
}
static ebb_tensor *linear_db(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g; /* summed over the batch by the engine */
}

EBB_OP(linear,
    .sig = "input(k),weight(n,k),bias(n)?->(n)",
    .math = "y = x*W' + b;  dx = g*W,  dW = g'*x,  db = sum g",
    .compose = linear_compose,
    .vjp = EBB_VJP({linear_dx, EBB_X(1)}, {linear_dw, EBB_X(0)}, {linear_db, 0}),
    .tries = "[4,3] [2,3] [2]; [3] [2,3] [2]; [2,2,3] [4,3] [4]; [5,3] [2,3]; [0,3] [2,3] [2]; [1,1] [1,1] [1]; [2,0] [3,0] [3]",
    .doc = "Affine layer. The weight is [out, in], as in torch.nn.functional.linear; the bias may be absent.",
    .ref = "torch.nn.functional.linear"
);
