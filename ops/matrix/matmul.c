/* matmul.c - floor 5: gemm, the product of matrices that all others are made of, and matmul, mm, bmm, mv, dot. */
#include "gemm.h"
#include "matrix.h"

/* ---- gemm: what backends replace ---- */

/* A matrix and a vector, all contiguous along k: inner products, which need no packing. Short ones are left to gemm. */
#define BY_ROWS(rows, a, rsa, b, c, rsc)                                                                     \
    for (int64_t i = 0; i < rows; i++) c[i * rsc] = DOT(k, a + i * rsa, 1, b, 1);

#define GEMM_BODY(suffix)                                                                                        \
    const int64_t m = l->dim[0];                                                                                 \
    const int64_t k = l->dim[1];                                                                                 \
    const int64_t n = l->dim[2];                                                                                 \
    const int64_t *const sa = l->stride[0];                                                                      \
    const int64_t *const sb = l->stride[1];                                                                      \
    const int64_t *const sc = l->stride[2];                                                                      \
    for (int64_t r = 0; r < l->n; r++) {                                                                         \
        const T *a = (const T *)l->p[0] + r * l->step[0];                                                        \
        const T *b = (const T *)l->p[1] + r * l->step[1];                                                        \
        T *c = (T *)l->p[2] + r * l->step[2];                                                                    \
        if (k >= 32 && (n == 1 || m == 1) && sa[1] == 1 && sb[0] == 1) {                                         \
            if (n == 1) BY_ROWS(m, a, sa[0], b, c, sc[0]) else BY_ROWS(n, b, sb[1], a, c, 1)                     \
        } else                                                                                                   \
            ebb_gemm_##suffix(l->level, m, n, k, a, sa[0], sa[1], b, sb[0], sb[1], c, sc[0], false, l->scratch); \
    }
EBB__BODY(gemm_f32, float, GEMM_BODY(f32))
EBB__BODY(gemm_f64, double, GEMM_BODY(f64))

/* Integers: row by row of b, no blocks. */
EBB__BODY(
    gemm_i64, int64_t,
    const int64_t *const sa = l->stride[0]; const int64_t *const sb = l->stride[1];
    for (int64_t r = 0; r < l->n; r++) {
        const T *a = (const T *)l->p[0] + r * l->step[0];
        const T *b = (const T *)l->p[1] + r * l->step[1];
        for (int64_t i = 0; i < l->dim[0]; i++) {
            T *c = (T *)l->p[2] + r * l->step[2] + i * l->stride[2][0];
            for (int64_t j = 0; j < l->dim[2]; j++) c[j] = 0;
            for (int64_t p = 0; p < l->dim[1]; p++) {
                const T x = a[i * sa[0] + p * sa[1]];
                for (int64_t j = 0; j < l->dim[2]; j++) c[j] += x * b[p * sb[0] + j * sb[1]];
            }
        }
    })

static const ebb_kernel gemm_fwd[] = {
    {EBB_F32, EBB__TABLE(gemm_f32)}, {EBB_F64, EBB__TABLE(gemm_f64)}, {EBB_I64, EBB__TABLE(gemm_i64)}, {0, {0}}};

static size_t gemm_scratch(const ebb_loop *l) {
    const size_t f32 = ebb_gemm_scratch_f32(l->dim[0], l->dim[2], l->dim[1]),
                 f64 = ebb_gemm_scratch_f64(l->dim[0], l->dim[2], l->dim[1]);
    return f32 > f64 ? f32 : f64;
}

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

/* ---- inner products of many vectors ---- */

EBB_KERNEL_WIDE(dot_rows_fwd,
    for (int64_t r = 0; r < l->n; r++)
        ((T *)l->p[2])[r * l->step[2]] = DOT(l->dim[0], (const T *)l->p[0] + r * l->step[0], l->stride[0][0],
                                             (const T *)l->p[1] + r * l->step[1], l->stride[1][0]);)

/* g, of the batch's shape, beside the vectors. */
static ebb_tensor *spread(const ebb_call *c, ebb_tensor *g) {
    ebb_ints s = ebb_ints_of(&c->y_shape[0]);
    if (!s.n) return g;
    s.v[s.n++] = 1;
    return ebb_reshape(g, .shape = s);
}
static ebb_tensor *dot_rows_da(const ebb_call *c, ebb_tensor *g) { return ebb_mul(spread(c, g), c->x[1]); }
static ebb_tensor *dot_rows_db(const ebb_call *c, ebb_tensor *g) { return ebb_mul(spread(c, g), c->x[0]); }

EBB_OP(dot_rows,
    .sig = "input(k),other(k)->()",
    .math = "y = sum_k a_k*b_k;  da = g*b,  db = g*a",
    .fwd = dot_rows_fwd,
    .vjp = EBB_VJP({dot_rows_da, EBB_X(1)}, {dot_rows_db, EBB_X(0)}),
    .flags = EBB_STRIDED | EBB_INTERNAL,
    .tries = "[70] [70]; [2,33] [2,33]; [3,2,5] [2,5]; [0] [0]",
    .doc = "Inner products of vectors in the last dim; the dims before broadcast. What dot and linalg_vecdot are made of."
);

/* ---- matmul ---- */

static ebb_ints shape_of(const ebb_tensor *t) {
    const ebb_info i = ebb_info_of(t);
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
    if (!sa->ndim || !sb->ndim)
        return EBB_FAIL(c, EBB_E_SHAPE, "both operands need at least 1 dim; they have %d and %d", sa->ndim,
                        sb->ndim);
    const int64_t k = sa->dim[sa->ndim - 1], kb = sb->dim[sb->ndim > 1 ? sb->ndim - 2 : 0];
    if (k != kb && (sa->ndim == 1 || sb->ndim == 1)) /* of matrices gemm says it, with their shapes */
        return EBB_FAIL(c, EBB_E_SHAPE, "k is %lld in input (last dim) but %lld in other (%s dim)",
                        (long long)k, (long long)kb, sb->ndim > 1 ? "last but one" : "only");
    if (sa->ndim == 1 && sb->ndim == 1) return ebb_dot_rows(a, b);
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

/* ---- the same for fixed ranks ---- */

static ebb_tensor *mm_compose(const ebb_call *c) {
    if (!has_rank(c, 0, "input", 2) || !has_rank(c, 1, "mat2", 2)) return NULL;
    return ebb_gemm(c->x[0], c->x[1]);
}

EBB_OP(mm,
    .sig = "input(),mat2()->()",
    .math = "C = A*B;  dA = G*B',  dB = A'*G",
    .compose = mm_compose,
    .tries = "[2,3] [3,4]; [2,0] [0,3]; [1,1] [1,1]; [0,2] [2,3]; [5,40] [40,1]; [1,40] [40,5]",
    .doc = "Product of two matrices, [m,k] and [k,n]; nothing is broadcast. k = 0 gives zeros.",
    .ref = "torch.mm"
);

static ebb_tensor *bmm_compose(const ebb_call *c) {
    if (!has_rank(c, 0, "input", 3) || !has_rank(c, 1, "mat2", 3) ||
        !equal_sizes(c, "dim 0, the batch, of input and mat2", c->x_shape[0].dim[0], c->x_shape[1].dim[0]))
        return NULL;
    return ebb_gemm(c->x[0], c->x[1]);
}

EBB_OP(bmm,
    .sig = "input(),mat2()->()",
    .math = "C_b = A_b*B_b;  dA_b = G_b*B_b',  dB_b = A_b'*G_b",
    .compose = bmm_compose,
    .tries = "[3,2,3] [3,3,4]; [2,2,0] [2,0,3]; [0,2,3] [0,3,2]; [1,1,1] [1,1,1]",
    .doc = "Products of the matrices of two batches, [b,m,k] and [b,k,n]; nothing is broadcast.",
    .ref = "torch.bmm"
);

static ebb_tensor *mv_compose(const ebb_call *c) {
    if (!has_rank(c, 0, "input", 2) || !has_rank(c, 1, "vec", 1) ||
        !equal_sizes(c, "the columns of input and the elements of vec", c->x_shape[0].dim[1], c->x_shape[1].dim[0]))
        return NULL;
    return ebb_reshape(ebb_gemm(c->x[0], ebb_reshape(c->x[1], .shape = EBB_SHAPE(c->x_shape[1].dim[0], 1))),
                       .shape = EBB_SHAPE(c->x_shape[0].dim[0]));
}

EBB_OP(mv,
    .sig = "input(),vec()->()",
    .math = "y = A*v;  dA = g*v',  dv = A'*g",
    .compose = mv_compose,
    .tries = "[2,3] [3]; [2,0] [0]; [0,3] [3]; [1,1] [1]; [3,40] [40]",
    .doc = "Product of a matrix [m,k] and a vector [k].",
    .ref = "torch.mv"
);

static ebb_tensor *dot_compose(const ebb_call *c) {
    if (!has_rank(c, 0, "input", 1) || !has_rank(c, 1, "other", 1) ||
        !equal_sizes(c, "the sizes of the two vectors", c->x_shape[0].dim[0], c->x_shape[1].dim[0]))
        return NULL;
    return ebb_dot_rows(c->x[0], c->x[1]);
}

EBB_OP(dot,
    .sig = "input(),other()->()",
    .math = "y = sum_k a_k*b_k;  da = g*b,  db = g*a",
    .compose = dot_compose,
    .tries = "[3] [3]; [0] [0]; [1] [1]; [70] [70]",
    .doc = "Inner product of two vectors; of empty ones 0.",
    .ref = "torch.dot"
);
EBB_OP(vdot,
    .sig = "input(),other()->()",
    .math = "y = sum_k a_k*b_k;  da = g*b,  db = g*a",
    .compose = dot_compose,
    .tries = "[3] [3]; [0] [0]",
    .doc = "Inner product of two vectors. It is dot: all numbers here are real.",
    .ref = "torch.vdot"
);
