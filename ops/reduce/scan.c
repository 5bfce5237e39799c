/* scan.c - floor 5: running sums, products, log-sums and extrema along a dim, and the product of all. */
#include "reduce.h"

typedef struct scan_attrs {
    int64_t dim;
    int32_t dtype;
} scan_attrs;
static const ebb_attr scan_attr[] = {
    EBB_ATTR(EBB_A_INT, scan_attrs, dim, NULL, "the dim to run along"),
    EBB_ATTR(EBB_A_DTYPE, scan_attrs, dtype, "none", "convert the input to this first"),
};
typedef struct dim_attrs {
    int64_t dim;
} dim_attrs;
static const ebb_attr dim_attr[] = {EBB_ATTR(EBB_A_INT, dim_attrs, dim, NULL, "the dim to run along")};

static int64_t dim_given(const ebb_call *c) { return ((const dim_attrs *)c->attrs)->dim; }

/* The input in the dtype sums are made in; NULL: as it is. */
static ebb_tensor *for_scan(const ebb_call *c) {
    const int32_t have = c->x_shape[0].dtype, want = sum_dtype(((const scan_attrs *)c->attrs)->dtype, have);
    return want == have ? NULL : ebb_to(c->x[0], (ebb_dtype)want);
}

enum { COLUMNS = 64 };
/* Element k of a row in the scan's order is at place i. Columns beside each other are done together. */
#define SCAN_BODY(first, i, combine)                                                                         \
    const int64_t n = l->dim[0];                                                                             \
    const int64_t s = l->stride[0][0];                                                                       \
    const int64_t t = l->stride[1][0];                                                                       \
    const bool beside = s != 1 && t != 1 && l->step[0] == 1 && l->step[1] == 1;                              \
    for (int64_t r = 0; r < l->n;) {                                                                         \
        const T *x = (const T *)l->p[0] + r * l->step[0];                                                    \
        T *y = (T *)l->p[1] + r * l->step[1];                                                                \
        if (beside && l->n - r >= COLUMNS) {                                                                 \
            WIDE_OF(T) all[COLUMNS];                                                                         \
            for (int c = 0; c < COLUMNS; c++) all[c] = first;                                                \
            for (int64_t k = 0; k < n; k++) {                                                                \
                const T *p = x + (i)*s;                                                                      \
                T *q = y + (i)*t;                                                                            \
                EBB_IVDEP for (int c = 0; c < COLUMNS; c++) {                                                \
                    all[c] = all[c] combine p[c];                                                            \
                    q[c] = (T)all[c];                                                                        \
                }                                                                                            \
            }                                                                                                \
            r += COLUMNS;                                                                                    \
            continue;                                                                                        \
        }                                                                                                    \
        WIDE_OF(T) a = first;                                                                                \
        for (int64_t k = 0; k < n; k++) {                                                                    \
            a = a combine x[(i)*s];                                                                          \
            y[(i)*t] = (T)a;                                                                                 \
        }                                                                                                    \
        r++;                                                                                                 \
    }

/* ---- cumsum ---- */

EBB_KERNEL_WIDE(cumsum_fwd, SCAN_BODY(0, k, +))
EBB_KERNEL(cumsum_back_fwd, SCAN_BODY(0, n - 1 - k, +))

static ebb_tensor *cumsum_compose(const ebb_call *c) {
    ebb_tensor *x = for_scan(c);
    return x ? ebb_cumsum(x, .dim = dim_given(c), .dtype = ((const scan_attrs *)c->attrs)->dtype) : NULL;
}
static ebb_tensor *cumsum_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_cumsum_back(g, .dim = dim_given(c));
}

EBB_OP(cumsum,
    .sig = "input(n)->(n)",
    .math = "y_i = sum_{j<=i} x_j;  dx_i = sum_{j>=i} g_j",
    .compose = cumsum_compose,
    .fwd = cumsum_fwd,
    .attrs = EBB_ATTRS(scan_attrs, scan_attr),
    .axes = "dim",
    .vjp = EBB_VJP({cumsum_dx, 0}),
    .flags = EBB_STRIDED | EBB_LINEAR | EBB_INPLACE,
    .tries = "dim=0; dim=-1; [2,3,4] dim=1; dim=0 dtype=f32",
    .doc = "Running sum along a dim, kept in f64 for f32; integers and bool are added as i64."
);

static ebb_tensor *cumsum_back_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_cumsum(g, .dim = dim_given(c));
}

EBB_OP(cumsum_back,
    .sig = "input(n)->(n)",
    .math = "y_i = sum_{j>=i} x_j;  dx_i = sum_{j<=i} g_j",
    .fwd = cumsum_back_fwd,
    .attrs = EBB_ATTRS(dim_attrs, dim_attr),
    .axes = "dim",
    .vjp = EBB_VJP({cumsum_back_dx, 0}),
    .flags = EBB_STRIDED | EBB_LINEAR | EBB_INTERNAL,
    .tries = "dim=0; dim=-1; [2,3,4] dim=1",
    .doc = "Running sum from the end: the derivative of cumsum."
);

/* ---- the linear recurrence that the derivatives of products and log-sums are made of ---- */

typedef struct recurrence_attrs {
    int64_t dim;
    bool reverse;
} recurrence_attrs;
static const ebb_attr recurrence_attr[] = {
    EBB_ATTR(EBB_A_INT, recurrence_attrs, dim, NULL, "the dim to run along"),
    EBB_ATTR(EBB_A_BOOL, recurrence_attrs, reverse, "0", "from the end; b's derivative of the other"),
};

EBB_KERNEL(recurrence_fwd,
    const int64_t n = l->dim[0];
    const bool back = ((const recurrence_attrs *)l->attrs)->reverse;
    for (int64_t r = 0; r < l->n; r++) {
        const T *a = (const T *)l->p[0] + r * l->step[0];
        const T *b = (const T *)l->p[1] + r * l->step[1];
        T *y = (T *)l->p[2] + r * l->step[2];
        T v = 0;
        if (back) for (int64_t i = n; i-- > 0;) y[i] = v = i + 1 < n ? b[i] + a[i + 1] * v : b[i];
        else for (int64_t i = 0; i < n; i++) y[i] = v = i ? b[i] + a[i] * v : b[i];
    })

/* Everything one place on along dim, with `first` in front. */
static ebb_tensor *shifted(const ebb_call *c, ebb_tensor *t, int64_t dim, double first) {
    const ebb_info x = ebb_info_of(t);
    ebb_ints size = {x.ndim, {0}};
    for (int d = 0; d < x.ndim; d++) size.v[d] = x.shape[d];
    ebb_tensor *y = ebb_constant(c->e, (ebb_dtype)x.dtype, size, first);
    return x.ndim ? ebb_slice_scatter(y, ebb_slice(t, .dim = dim, .end = -1), .dim = dim, .start = 1) : y;
}
static ebb_tensor *transposed(const ebb_call *c, ebb_tensor *g) {
    const recurrence_attrs *a = (const recurrence_attrs *)c->attrs;
    return ebb_recurrence(c->x[0], g, .dim = a->dim, .reverse = !a->reverse);
}
static ebb_tensor *recurrence_da(const ebb_call *c, ebb_tensor *g) {
    const recurrence_attrs *a = (const recurrence_attrs *)c->attrs;
    ebb_tensor *db = transposed(c, g);
    return a->reverse ? ebb_mul(shifted(c, db, a->dim, 0), c->y[0]) : ebb_mul(db, shifted(c, c->y[0], a->dim, 0));
}

EBB_OP(recurrence,
    .sig = "a(n),b(n)->(n)",
    .math = "y_i = b_i + a_i*y_{i-1} (reverse: b_i + a_{i+1}*y_{i+1});  db = the other one of a and g,  da_i = db_i*y_{i-1} (reverse: db_{i-1}*y_i)",
    .fwd = recurrence_fwd,
    .attrs = EBB_ATTRS(recurrence_attrs, recurrence_attr),
    .axes = "dim",
    .vjp = EBB_VJP({recurrence_da, EBB_X(0) | EBB_Y(0)}, {transposed, EBB_X(0)}),
    .flags = EBB_INTERNAL,
    .tries = "[3,4] [3,4] dim=0; [2,3] [2,3] dim=-1 reverse=1; [5] [5] dim=0 reverse=1; [1,2] [1,2] dim=0",
    .doc = "A linear recurrence along a dim. Its derivatives are itself the other way round."
);

/* ---- cumprod ---- */

EBB_KERNEL_WIDE(cumprod_fwd, SCAN_BODY(1, k, *))

static ebb_tensor *cumprod_compose(const ebb_call *c) {
    ebb_tensor *x = for_scan(c);
    return x ? ebb_cumprod(x, .dim = dim_given(c), .dtype = ((const scan_attrs *)c->attrs)->dtype) : NULL;
}
/* The product before k times what follows it: nothing is divided, so zeros do no harm. */
static ebb_tensor *cumprod_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = ebb_to(c->x[0], (ebb_dtype)c->y_shape[0].dtype);
    return ebb_mul(shifted(c, c->y[0], dim_given(c), 1),
                   ebb_recurrence(x, g, .dim = dim_given(c), .reverse = true));
}

EBB_OP(cumprod,
    .sig = "input(n)->(n)",
    .math = "y_i = prod_{j<=i} x_j;  dx_i = y_{i-1}*r_i with r_i = g_i + x_{i+1}*r_{i+1}",
    .compose = cumprod_compose,
    .fwd = cumprod_fwd,
    .attrs = EBB_ATTRS(scan_attrs, scan_attr),
    .axes = "dim",
    .vjp = EBB_VJP({cumprod_dx, EBB_X(0) | EBB_Y(0)}),
    .flags = EBB_STRIDED | EBB_INPLACE,
    .tries = "dim=0; dim=-1; [2,3,4] dim=1; dim=0 dtype=f32",
    .doc = "Running product along a dim, kept in f64 for f32; integers and bool are multiplied as i64. The gradient is exact with zeros too."
);

/* ---- prod ---- */

typedef struct prod_attrs {
    int64_t dim;
    bool keepdim;
    int32_t dtype;
} prod_attrs;
static const ebb_attr prod_attr[] = {
    EBB_ATTR(EBB_A_INT, prod_attrs, dim, "min", "the dim to reduce; min: all"),
    EBB_ATTR(EBB_A_BOOL, prod_attrs, keepdim, "0", "keep it, with size 1"),
    EBB_ATTR(EBB_A_DTYPE, prod_attrs, dtype, "none", "convert the input to this first"),
};
static const ebb_attr along_attr[] = {
    EBB_ATTR(EBB_A_INT, along_attrs, dim, "min", "the dim to reduce; min: all"),
    EBB_ATTR(EBB_A_BOOL, along_attrs, keepdim, "0", "keep it, with size 1"),
};

EBB_KERNEL_WIDE(product_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T part[LANES];
        T all = 1;
        int64_t i = 0;
        for (int k = 0; k < LANES; k++) part[k] = 1;
        for (; i + LANES <= n; i += LANES)
            for (int k = 0; k < LANES; k++) part[k] *= x[i + k];
        for (; i < n; i++) all *= x[i];
        for (int w = LANES / 2; w; w /= 2)
            for (int k = 0; k < w; k++) part[k] *= part[k + w];
        all *= part[0];
        ((T *)l->p[1])[r * l->step[1]] = all;
    })
EBB_KERNEL(product_pull,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[1] + r * l->step[1];
        T *d = (T *)l->p[2] + r * l->step[2];
        T before = 1; T after = ((const T *)l->p[0])[r * l->step[0]];
        for (int64_t i = 0; i < n; before *= x[i++]) d[i] = before;
        for (int64_t i = n; i-- > 0; after *= x[i]) d[i] *= after;
    })

/* The product of the others: of those before, by cumprod, and of those behind, by a recurrence from a 1 at the end. */
static ebb_tensor *product_dx(const ebb_call *c, ebb_tensor *g) {
    const along_attrs *a = (const along_attrs *)c->attrs;
    const ebb_ints size = ebb_ints_of(&c->x_shape[0]);
    const bool flat = a->dim == INT64_MIN || !size.n;
    const int64_t n = row_length(c, a->dim), dim = flat ? 0 : a->dim;
    g = a->keepdim ? g : with_dims(c, g, dims_of(a->dim));
    if (!n) return ebb_expand(g, .size = size);
    ebb_tensor *x = flat ? ebb_reshape(c->x[0], .shape = EBB_SHAPE(n)) : c->x[0];
    ebb_ints row = flat ? EBB_SHAPE(n) : size, one = row;
    one.v[ebb_dim_of(dim, row.n)] = 1;
    ebb_tensor *end = ebb_slice_scatter(ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype, row, 0),
                                        ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype, one, 1),
                                        .dim = dim, .start = n - 1);
    ebb_tensor *others = ebb_mul(shifted(c, ebb_cumprod(x, .dim = dim), dim, 1),
                                 ebb_recurrence(x, end, .dim = dim, .reverse = true));
    return ebb_mul(g, flat ? ebb_reshape(others, .shape = size) : others);
}

EBB_OP(product,
    .sig = "input(n)->()",
    .math = "y = prod_i x_i;  dx_i = g * prod_{j != i} x_j",
    .fwd = product_fwd,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .axes = "dim",
    .vjp = EBB_VJP({product_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, product_pull, EBB_X(0)}),
    .flags = EBB_INTERNAL,
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=1; [2,3,2]; [3,0] dim=1",
    .doc = "prod of an input that is in its dtype already."
);

static ebb_tensor *prod_compose(const ebb_call *c) {
    const prod_attrs *a = (const prod_attrs *)c->attrs;
    const int32_t want = sum_dtype(a->dtype, c->x_shape[0].dtype);
    return ebb_product(ebb_to(c->x[0], (ebb_dtype)want), .dim = a->dim, .keepdim = a->keepdim);
}

EBB_OP(prod,
    .sig = "input(n)->()",
    .math = "y = prod_i x_i;  dx_i = g * prod_{j != i} x_j",
    .compose = prod_compose,
    .attrs = EBB_ATTRS(prod_attrs, prod_attr),
    .axes = "dim",
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=1; [2,3,2]; [3,0] dim=1; dim=0 dtype=f32",
    .doc = "Product along dim, of all elements without one. Integers and bool are multiplied as i64. The product of nothing is 1; the gradient is exact with zeros too."
);
