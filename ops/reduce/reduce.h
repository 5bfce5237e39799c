/* reduce.h - floor 5: what the reductions share: attributes, dims that come back, rows added in one order. */
#ifndef EBB_REDUCE_H
#define EBB_REDUCE_H
#include <ebb/op.h>

/* Rows are done in LANES interleaved partial results, so that the order, and thus every bit, is the same for any vector width. */
enum { LANES = 16 };

/* The attributes of ops that reduce any dims, and of those that work along one. Their tables stand beside the ops. */
typedef struct reduce_attrs {
    ebb_ints dim;
    bool keepdim;
} reduce_attrs;
typedef struct sum_attrs {
    ebb_ints dim;
    bool keepdim;
    int32_t dtype;
} sum_attrs;
typedef struct along_attrs {
    int64_t dim; /* INT64_MIN, written "min": all, as one row */
    bool keepdim;
} along_attrs;

static inline ebb_ints dims_of(int64_t dim) { return dim == INT64_MIN ? EBB_SHAPE0 : EBB_DIMS(dim); }

/* A reduced tensor with the reduced dims back as 1 (none named: all), so that it broadcasts against the input. */
static inline ebb_tensor *with_dims(const ebb_call *c, ebb_tensor *t, ebb_ints dims) {
    ebb_ints shape = ebb_ints_of(&c->x_shape[0]);
    if (!shape.n) return t;
    for (int i = 0; i < shape.n && !dims.n; i++) shape.v[i] = 1;
    for (int i = 0; i < dims.n; i++) shape.v[ebb_dim_of(dims.v[i], shape.n)] = 1;
    return ebb_reshape(t, .shape = shape);
}
static inline ebb_tensor *kept(const ebb_call *c, ebb_tensor *t) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    return a->keepdim ? t : with_dims(c, t, a->dim);
}

/* How many elements are reduced to one. */
static inline int64_t reduced_count(const ebb_call *c, ebb_ints dims) {
    const ebb_shape *x = &c->x_shape[0];
    int64_t n = 1;
    if (!dims.n) return ebb_shape_numel(x);
    for (int i = 0; i < dims.n; i++) {
        const int d = ebb_dim_of(dims.v[i], x->ndim);
        if (d >= 0 && x->ndim) n *= x->dim[d];
    }
    return n;
}

/* The size of input 0 along one dim (or of all of it); 0 where that dim does not exist. */
static inline int64_t row_length(const ebb_call *c, int64_t dim) {
    const ebb_shape *x = &c->x_shape[0];
    const int d = dim == INT64_MIN ? 0 : ebb_dim_of(dim, x->ndim);
    return dim == INT64_MIN ? ebb_shape_numel(x) : d < 0 ? 0 : x->ndim ? x->dim[d] : 1;
}

/* Ends an op with outputs (values, indices): index, its dim kept, names the elements of input 0 along dim; the values are
 * gathered, which is what gives them their derivative. */
static inline ebb_tensor *picked(const ebb_call *c, ebb_tensor *index, int64_t dim, bool keepdim) {
    const ebb_shape *x = &c->x_shape[0];
    const bool all = dim == INT64_MIN;
    if (!index) return NULL;
    if (all) index = ebb_reshape(index, .shape = EBB_SHAPE(1));
    ebb_tensor *y =
        ebb_gather(all ? ebb_reshape(c->x[0], .shape = EBB_SHAPE(-1)) : c->x[0], index, .dim = all ? 0 : dim);
    c->more[0] = index;
    if (keepdim && !all) return y;
    ebb_ints shape = {0, {0}};
    for (int d = 0; d < x->ndim; d++)
        if (keepdim) shape.v[shape.n++] = 1;
        else if (!all && d != ebb_dim_of(dim, x->ndim)) shape.v[shape.n++] = x->dim[d];
    c->more[0] = ebb_reshape(index, .shape = shape);
    return ebb_reshape(y, .shape = shape);
}

static inline bool is_integer(int32_t dtype) { return !ebb_is_float(dtype); }

/* The dtype a sum is made in: what is asked for, else i64 for integers, as in PyTorch. */
static inline int32_t sum_dtype(int32_t asked, int32_t have) {
    return asked ? asked : is_integer(have) ? EBB_I64 : have;
}

/* Integers are added as i64; another dtype is converted to first. NULL: as it is. */
static inline ebb_tensor *for_sum(const ebb_call *c) {
    const int32_t have = c->x_shape[0].dtype, want = sum_dtype(((const sum_attrs *)c->attrs)->dtype, have);
    return want == have ? NULL : ebb_to(c->x[0], (ebb_dtype)want);
}

/* What running sums are kept in: f64 for f32. */
#define WIDE_OF(T) __typeof__(_Generic((T)0, float : 0.0, default : (T)0))

/* Sums of rows with any stride: load(element), done(sum). */
#define SUM_BODY(load, done)                                                                                 \
    const int64_t n = l->dim[0];                                                                             \
    const int64_t s = l->stride[0][0];                                                                       \
    const int64_t row = l->step[0];                                                                          \
    const int64_t out = l->step[1];                                                                          \
    T *y = (T *)l->p[1];                                                                                     \
    const T *x = (const T *)l->p[0];                                                                         \
    if (s != 1 && row == 1 && out == 1) { /* columns: whole rows are added */                                \
        for (int64_t r = 0; r < l->n; r++) y[r] = 0;                                                         \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            const T *p = x + i * s;                                                                          \
            EBB_IVDEP for (int64_t r = 0; r < l->n; r++) y[r] += load(p[r]);                                 \
        }                                                                                                    \
        for (int64_t r = 0; r < l->n; r++) y[r] = done(y[r]);                                                \
        return EBB_OK;                                                                                       \
    }                                                                                                        \
    for (int64_t r = 0; r < l->n; r++) {                                                                     \
        const T *p = x + r * row;                                                                            \
        T part[LANES] = {0};                                                                                 \
        T rest = 0;                                                                                          \
        int64_t i = 0;                                                                                       \
        if (s == 1)                                                                                          \
            for (; i + LANES <= n; i += LANES)                                                               \
                for (int k = 0; k < LANES; k++) part[k] += load(p[i + k]);                                   \
        else                                                                                                 \
            for (; i + LANES <= n; i += LANES)                                                               \
                for (int k = 0; k < LANES; k++) part[k] += load(p[(i + k) * s]);                             \
        for (; i < n; i++) rest += load(p[i * s]);                                                           \
        for (int w = LANES / 2; w; w /= 2)                                                                   \
            for (int k = 0; k < w; k++) part[k] += part[k + w];                                              \
        y[r * out] = done(part[0] + rest);                                                                   \
    }
#define AS_IT_IS(v) (v)

/* The largest of a row. */
#define ROW_TOP(x, n, top)                                                                                   \
    T top = -(T)INFINITY;                                                                                    \
    {                                                                                                        \
        T part[LANES];                                                                                       \
        for (int k = 0; k < LANES; k++) part[k] = -(T)INFINITY;                                              \
        int64_t i = 0;                                                                                       \
        for (; i + LANES <= n; i += LANES)                                                                   \
            for (int k = 0; k < LANES; k++) part[k] = x[i + k] > part[k] ? x[i + k] : part[k];               \
        for (; i < n; i++) top = x[i] > top ? x[i] : top;                                                    \
        for (int k = 0; k < LANES; k++) top = part[k] > top ? part[k] : top;                                 \
    }
/* The sum of a row's terms, each an expression in j, of type S. */
#define ROW_SUM_IN(S, n, term, sum)                                                                          \
    S sum = 0;                                                                                               \
    {                                                                                                        \
        S part[LANES] = {0};                                                                                 \
        int64_t i = 0;                                                                                       \
        for (; i + LANES <= n; i += LANES)                                                                   \
            for (int64_t j = i; j < i + LANES; j++) part[j - i] += term;                                     \
        for (; i < n; i++) {                                                                                 \
            const int64_t j = i;                                                                             \
            sum += term;                                                                                     \
        }                                                                                                    \
        for (int w = LANES / 2; w; w /= 2)                                                                   \
            for (int k = 0; k < w; k++) part[k] += part[k + w];                                              \
        sum += part[0];                                                                                      \
    }
#define ROW_SUM(n, term, sum) ROW_SUM_IN(T, n, term, sum)
#endif
