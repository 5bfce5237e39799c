/* index.h - floor 5: what the indexing ops share: the geometry of an indexed dim, checks of indices. */
#ifndef EBB_INDEX_H
#define EBB_INDEX_H
#include <ebb/op.h>
#include <float.h>

typedef struct dim_attrs {
    int64_t dim;
} dim_attrs;

/* The dim an op's attributes (which begin with it) name, counted from the front; 0-d tensors have one dim. */
static inline int indexed_dim(const void *attrs, int ndim) {
    return ebb_dim_of(((const dim_attrs *)attrs)->dim, ndim);
}

static inline ebb_status dim_refused(ebb_infer *s) {
    const int n = s->x->ndim ? s->x->ndim : 1;
    return s->fail(s, EBB_E_ATTR, "dim is %lld, but the input has %d dims: %d..%d are possible",
                   (long long)((const dim_attrs *)s->attrs)->dim, s->x->ndim, -n, n - 1);
}

/* `.infer` of composed ops: says that shapes do not follow from the signature, so that the verifier takes them from `.tries`
 * alone. Never called: there is no kernel. */
static inline ebb_status own_shapes(ebb_infer *s) {
    (void)s;
    return EBB_OK;
}

static inline ebb_status index_refused(const ebb_loop *l, int64_t index, int64_t rows) {
    return l->fail(l, EBB_E_INDEX, "index %lld is outside 0..%lld", (long long)index, (long long)rows - 1);
}

/* The sizes around an indexed dim. */
typedef struct around {
    int64_t outer, rows, inner;
} around;

static inline around around_dim(const ebb_info *x, int d) {
    around r = {1, x->ndim ? x->shape[d] : 1, 1};
    for (int k = 0; k < x->ndim; k++)
        if (k < d) r.outer *= x->shape[k];
        else if (k > d) r.inner *= x->shape[k];
    return r;
}

/* A tensor and an index of its rank that points into it along dim, and is no larger in the other dims. Neighbouring dims are
 * joined where that changes nothing. */
typedef struct field {
    int nd, dim;
    int64_t whole[EBB_MAX_DIMS], part[EBB_MAX_DIMS]; /* sizes of the tensor, of the index */
    int64_t step[EBB_MAX_DIMS], at[EBB_MAX_DIMS];    /* their strides */
    int64_t rows, inner;                             /* the tensor's size along dim, and inside of it */
} field;

static inline field field_of(const ebb_info *x, const ebb_info *index, int dim) {
    field f = {0};
    const int nd = x->ndim ? x->ndim : 1;
    for (int d = 0; d < nd; d++) {
        const int64_t whole = x->ndim ? x->shape[d] : 1, part = index->ndim ? index->shape[d] : 1;
        if (d && d != dim && d - 1 != dim && whole == part) {
            f.whole[f.nd - 1] *= whole;
            f.part[f.nd - 1] *= part;
            continue;
        }
        if (d == dim) f.dim = f.nd;
        f.whole[f.nd] = whole;
        f.part[f.nd++] = part;
    }
    int64_t step = 1, at = 1;
    for (int d = f.nd; d-- > 0; step *= f.whole[d], at *= f.part[d]) {
        f.step[d] = step;
        f.at[d] = at;
    }
    f.rows = f.whole[f.dim];
    f.inner = f.step[f.dim];
    return f;
}

static inline void shape_like(ebb_info *y, const ebb_info *x) {
    y->ndim = x->ndim;
    for (int k = 0; k < x->ndim; k++) y->shape[k] = x->shape[k];
}

/* Columns of a block of rows: m elements of each. */
static inline void copy_columns(void *y, const void *x, int64_t rows, int64_t inner, int64_t m, size_t size) {
    if (m == inner) {
        m *= rows;
        rows = 1;
    }
    for (int64_t r = 0; r < rows; r++)
        memcpy((char *)y + (size_t)(r * inner) * size, (const char *)x + (size_t)(r * inner) * size,
               (size_t)m * size);
}

static inline ebb_tensor *zeros_of(const ebb_call *c, const ebb_shape *s) {
    return ebb_constant(c->e, (ebb_dtype)s->dtype, ebb_ints_of(s), 0);
}

static inline int64_t numel_of(const ebb_ints *s) {
    int64_t n = 1;
    for (int d = 0; d < s->n; d++) n *= s->v[d];
    return n;
}

/* A number as a 0-d tensor of a dtype; one that it cannot hold is refused. */
static inline ebb_tensor *number_of(const ebb_call *c, int32_t dtype, double v) {
    const double most = dtype == EBB_F32   ? FLT_MAX
                        : dtype == EBB_I32 ? INT32_MAX
                        : dtype == EBB_I64 ? 0x1p63 - 1024
                        : dtype == EBB_U8  ? UINT8_MAX
                                           : INFINITY;
    if ((v > most || -v > most) && !(ebb_is_float(dtype) && isinf(v)))
        return EBB_FAIL(c, EBB_E_ATTR, "value is %g, which is more than the element type of the input holds", v);
    if (ebb_is_float(dtype) || dtype == EBB_BOOL) return ebb_constant(c->e, (ebb_dtype)dtype, EBB_SHAPE0, v);
    if (v != v) return EBB_FAIL(c, EBB_E_ATTR, "value is NaN, but the input holds integers");
    return ebb_to(ebb_constant(c->e, EBB_I64, EBB_SHAPE0, v), (ebb_dtype)dtype);
}

static inline const char *dtype_word(int32_t dtype) {
    static const char *const word[] = {"none", "f32", "f64", "i32", "i64", "u8", "bool"};
    return word[dtype];
}
static inline bool is_index(int32_t dtype) { return dtype == EBB_I32 || dtype == EBB_I64 || dtype == EBB_U8; }
#endif
