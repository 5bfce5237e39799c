/* matrix.h - floor 5: what the matrix ops share: checks with words, vectors as matrices, scaling, inner products. */
#ifndef EBB_OPS_MATRIX_H
#define EBB_OPS_MATRIX_H
#include <ebb/op.h>

/* ---- checks: false when the call has been refused ---- */

#define REFUSED(c, code, ...) (EBB_FAIL(c, code, __VA_ARGS__) != NULL)

static inline const char *dtype_name(int32_t dtype) {
    static const char *const name[] = {"none", "f32", "f64", "i32", "i64", "u8", "bool"};
    return name[dtype > 0 && dtype < EBB_DTYPES ? dtype : 0];
}

/* Input i, called so, has that many dims. */
static inline bool has_rank(const ebb_call *c, int i, const char *name, int ndim) {
    if (c->x_shape[i].ndim == ndim) return true;
    return REFUSED(c, EBB_E_SHAPE, "%s has %d dims; %d are needed", name, c->x_shape[i].ndim, ndim);
}

/* All inputs that are there have one dtype. */
static inline bool one_dtype(const ebb_call *c) {
    for (int i = 1; i < c->n_x; i++)
        if (c->x[i] && c->x_shape[i].dtype != c->x_shape[0].dtype)
            return REFUSED(c, EBB_E_DTYPE,
                           "its inputs must have one dtype; input 0 is %s and input %d is %s; convert with ebb_to (op \"to\")",
                           dtype_name(c->x_shape[0].dtype), i, dtype_name(c->x_shape[i].dtype));
    return true;
}

/* Two sizes that the op joins are equal. */
static inline bool equal_sizes(const ebb_call *c, const char *what, int64_t a, int64_t b) {
    if (a == b) return true;
    return REFUSED(c, EBB_E_SHAPE, "%s must be equal; they are %lld and %lld", what, (long long)a, (long long)b);
}

/* Input i, called so, can be broadcast to that shape. */
static inline bool broadcasts_to(const ebb_call *c, int i, const char *name, ebb_ints to) {
    const ebb_shape *s = &c->x_shape[i];
    if (s->ndim > to.n)
        return REFUSED(c, EBB_E_SHAPE, "%s has %d dims, the result only %d", name, s->ndim, to.n);
    for (int d = 0; d < s->ndim; d++) {
        const int64_t want = to.v[to.n - s->ndim + d];
        if (s->dim[d] == want || s->dim[d] == 1) continue;
        return REFUSED(c, EBB_E_SHAPE, "dim %d of %s is %lld, but the result has %lld there; 1 or %lld are possible",
                       d, name, (long long)s->dim[d], (long long)want, (long long)want);
    }
    return true;
}

/* ---- views and small compositions ---- */

static inline ebb_tensor *flipped(ebb_tensor *t) { return ebb_transpose(t, .dim0 = -1, .dim1 = -2); }
static inline ebb_tensor *as_vector(ebb_tensor *m) { return ebb_reshape(m, .shape = EBB_SHAPE(-1)); }

/* t with n dims of size 1 in front; a view whatever t's strides. */
static inline ebb_tensor *with_leading(ebb_tensor *t, int n) {
    const ebb_info i = ebb_info_of(t);
    ebb_ints s = {i.ndim + n, {0}};
    for (int d = 0; d < s.n && d < EBB_MAX_DIMS; d++) s.v[d] = d < n ? 1 : i.shape[d - n];
    return n ? ebb_expand(t, .size = s) : t;
}

/* k * t in t's own dtype. */
static inline ebb_tensor *scaled(ebb_tensor *t, double k) {
    return k == 1 || !t ? t : ebb_mul(t, ebb_to(ebb_scalar(t, k), (ebb_dtype)ebb_info_of(t).dtype));
}

/* A 0-d "no" for ebb_where. */
static inline ebb_tensor *never(ebb *e) { return ebb_constant(e, EBB_BOOL, EBB_SHAPE0, 0); }

static inline int64_t rows_in(const ebb_shape *s) { /* of all dims but the last */
    int64_t n = 1;
    for (int d = 0; d + 1 < s->ndim; d++) n *= s->dim[d];
    return n;
}

/* ---- inner products in kernels ---- */

/* sum of a[i*sa]*b[i*sb] in 32 interleaved partial sums, so that the order, and every bit, is the same for any vector width;
 * those are added up every 4096 terms, which keeps the rounding errors of long vectors small. */
#define DOT_BLOCK(A, B)                                                                                      \
    for (; i + 32 <= end; i += 32)                                                                           \
        for (int k = 0; k < 32; k++) part[k] += A * B;
#define EBB_DOT(name, T)                                                                                     \
    static EBB_INLINE T name(int64_t n, const T *a, int64_t sa, const T *b, int64_t sb) {                    \
        T total = 0;                                                                                         \
        int64_t i = 0;                                                                                       \
        while (i + 32 <= n) {                                                                                \
            const int64_t end = n - i < 4096 ? n : i + 4096;                                                 \
            T part[32] = {0};                                                                                \
            if (sa == 1 && sb == 1) {                                                                        \
                DOT_BLOCK(a[i + k], b[i + k])                                                                \
            } else {                                                                                         \
                DOT_BLOCK(a[(i + k) * sa], b[(i + k) * sb])                                                  \
            }                                                                                                \
            for (int w = 16; w; w /= 2)                                                                      \
                for (int k = 0; k < w; k++) part[k] += part[k + w];                                          \
            total += part[0];                                                                                \
        }                                                                                                    \
        for (; i < n; i++) total += a[i * sa] * b[i * sb];                                                   \
        return total;                                                                                        \
    }
EBB_DOT(ebb_dot_of_f32, float)
EBB_DOT(ebb_dot_of_f64, double)
EBB_DOT(ebb_dot_of_i64, int64_t)
#define DOT(n, a, sa, b, sb)                                                                                 \
    _Generic(*(a), float : ebb_dot_of_f32, double : ebb_dot_of_f64, default : ebb_dot_of_i64)(n, a, sa, b, sb)

#endif
