/* running.c - floor 5: running log-sums and extrema along a dim; differences and integrals of neighbours. */
#include "reduce.h"

typedef struct dim_attrs {
    int64_t dim;
} dim_attrs;
static const ebb_attr dim_attr[] = {EBB_ATTR(EBB_A_INT, dim_attrs, dim, NULL, "the dim to run along")};

static int64_t dim_given(const ebb_call *c) { return ((const dim_attrs *)c->attrs)->dim; }

/* ---- logcumsumexp ---- */

EBB_KERNEL(logcumsumexp_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T *y = (T *)l->p[1] + r * l->step[1];
        T a = -(T)INFINITY;
        for (int64_t i = 0; i < n; i++) {
            const T v = x[i];
            const T hi = v > a ? v : a;
            const T lo = v > a ? a : v;
            if (v != v || a != a) a = v + a;
            else if (hi - hi == 0) a = hi + ebb_log1p(ebb_exp(lo - hi));
            else a = hi;
            y[i] = a;
        }
    })

/* q_i = g_i + exp(y_i - y_{i+1})*q_{i+1}: every exponent is at most 0. */
static ebb_tensor *logcumsumexp_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *y = c->y[0], *zero = ebb_scalar(g, 0), *none = ebb_scalar(g, -INFINITY);
    const int64_t dim = dim_given(c);
    if (!c->x_shape[0].ndim) return g;
    ebb_tensor *before = ebb_slice_scatter(y, ebb_slice(y, .dim = dim, .end = -1), .dim = dim, .start = 1);
    ebb_tensor *a = ebb_where(ebb_eq(before, none), zero, ebb_exp(ebb_sub(before, y)));
    ebb_tensor *q = ebb_recurrence(a, g, .dim = dim, .reverse = true);
    return ebb_mul(ebb_where(ebb_eq(x, none), zero, ebb_exp(ebb_sub(x, y))), q);
}

EBB_OP(logcumsumexp,
    .sig = "input(n)->(n)",
    .math = "y_i = ln sum_{j<=i} exp(x_j);  dx_i = sum_{j>=i} g_j*exp(x_i - y_j)",
    .fwd = logcumsumexp_fwd,
    .attrs = EBB_ATTRS(dim_attrs, dim_attr),
    .axes = "dim",
    .vjp = EBB_VJP({logcumsumexp_dx, EBB_X(0) | EBB_Y(0)}),
    .tries = "dim=0; dim=-1; [2,3,4] dim=1",
    .doc = "Running logarithm of the sum of exponentials along a dim; nothing overflows, forwards or backwards."
);

/* ---- cummax, cummin ---- */

typedef struct extreme_attrs {
    int64_t dim;
    bool largest;
} extreme_attrs;
static const ebb_attr extreme_attr[] = {
    EBB_ATTR(EBB_A_INT, extreme_attrs, dim, NULL, "the dim to run along", .lo = -8, .hi = 7),
    EBB_ATTR(EBB_A_BOOL, extreme_attrs, largest, "1", "the largest so far, else the smallest"),
};

EBB_KERNEL_WIDE(cumextreme_fwd,
    const int64_t n = l->dim[0];
    const bool largest = ((const extreme_attrs *)l->attrs)->largest;
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T *y = (T *)l->p[1] + r * l->step[1];
        int64_t *at = (int64_t *)l->p[2] + r * l->step[2];
        int64_t place = 0;
        T best = n ? x[0] : 0;
        for (int64_t i = 0; i < n; i++) {
            const T v = x[i];
            if ((largest ? v >= best : v <= best) || v != v) {
                place = i;
                best = v;
            }
            y[i] = best;
            at[i] = place;
        }
    })

static ebb_tensor *cumextreme_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *none = ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype, ebb_ints_of(&c->x_shape[0]), 0);
    return ebb_scatter_add(none, c->y[1], g, .dim = ((const extreme_attrs *)c->attrs)->dim);
}

EBB_OP(cumextreme,
    .sig = "input(n)->(n),(n):i",
    .math = "y_i = x_k = max_{j<=i} x_j (or min), and k, the last such;  dx_k += g_i",
    .fwd = cumextreme_fwd,
    .attrs = EBB_ATTRS(extreme_attrs, extreme_attr),
    .vjp = EBB_VJP({cumextreme_dx, EBB_Y(1)}),
    .axes = "dim",
    .flags = EBB_INTERNAL,
    .tries = "dim=0; dim=-1 largest=0; [2,3,4] dim=1",
    .doc = "The extremes so far and where they are. What cummax and cummin are made of."
);

static ebb_tensor *running_extreme(const ebb_call *c, bool largest) {
    return ebb_cumextreme(c->x[0], .dim = dim_given(c), .largest = largest, .more = c->more);
}
static ebb_tensor *cummax_compose(const ebb_call *c) { return running_extreme(c, true); }
static ebb_tensor *cummin_compose(const ebb_call *c) { return running_extreme(c, false); }

EBB_OP(cummax,
    .sig = "input(n)->(n),(n):i",
    .math = "y_i = x_k = max_{j<=i} x_j, and k;  dx_k += g_i",
    .compose = cummax_compose,
    .attrs = EBB_ATTRS(dim_attrs, dim_attr),
    .axes = "dim",
    .tries = "dim=0; dim=-1; [2,3,4] dim=1",
    .doc = "Largest element so far along a dim and its index, the last of several. NaN wins from where it stands on."
);
EBB_OP(cummin,
    .sig = "input(n)->(n),(n):i",
    .math = "y_i = x_k = min_{j<=i} x_j, and k;  dx_k += g_i",
    .compose = cummin_compose,
    .attrs = EBB_ATTRS(dim_attrs, dim_attr),
    .axes = "dim",
    .tries = "dim=0; dim=-1; [2,3,4] dim=1",
    .doc = "Smallest element so far along a dim and its index, the last of several. NaN wins from where it stands on."
);

/* ---- diff ---- */

typedef struct diff_attrs {
    int64_t n, dim;
} diff_attrs;
static const ebb_attr diff_attr[] = {
    EBB_ATTR(EBB_A_INT, diff_attrs, n, "1", "how many times", .lo = 0, .hi = 1e9),
    EBB_ATTR(EBB_A_INT, diff_attrs, dim, "-1", "the dim of the neighbours"),
};

static ebb_tensor *diff_compose(const ebb_call *c) {
    const diff_attrs *a = (const diff_attrs *)c->attrs;
    const ebb_shape *s = &c->x_shape[0];
    ebb_tensor *parts[3], *x = c->x[0];
    int n = 0;
    if (!s->ndim) return EBB_FAIL(c, EBB_E_SHAPE, "the input has 0 dims; at least 1 is needed");
    const int dim = ebb_dim_of(a->dim, s->ndim);
    if (dim < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the input has %d dims", (long long)a->dim, s->ndim);
    for (int k = 0; k < 3; k++) { /* prepend, input, append */
        const int i = k == 1 ? 0 : k == 0 ? 1 : 2;
        if (i >= c->n_x || !c->x[i]) continue;
        if (c->x_shape[i].ndim != s->ndim)
            return EBB_FAIL(c, EBB_E_SHAPE, "%s has %d dims, input %d; they must have the same number",
                            k ? "append" : "prepend", c->x_shape[i].ndim, s->ndim);
        parts[n++] = c->x[i];
    }
    if (n > 1) x = ebb_cat(n, parts, .dim = dim);
    int64_t left = ebb_info_of(x).shape[dim];
    for (int64_t k = 0; k < a->n && left > 0; k++, left--) {
        ebb_tensor *next = ebb_slice(x, .dim = dim, .start = 1), *here = ebb_slice(x, .dim = dim, .end = -1);
        x = ebb_info_of(x).dtype == EBB_BOOL ? ebb_ne(next, here) : ebb_sub(next, here);
    }
    return x;
}

EBB_OP(diff,
    .sig = "input(),prepend()?,append()?->()",
    .math = "y_i = x_{i+1} - x_i, n times;  dx_i = g_{i-1} - g_i",
    .compose = diff_compose,
    .attrs = EBB_ATTRS(diff_attrs, diff_attr),
    .flags = EBB_LINEAR | EBB_OWN_SHAPES,
    .tries = "[5]; [3,4] dim=0; [3,4] n=2; [2,3,4] dim=1 n=2; [3,4] [3,1]; [3,4] [2,4] [1,4] dim=0; [3] n=0; [3] n=5; [3] - [2]; [0]",
    .doc = "Differences of neighbours along a dim, of the input with prepend before it and append behind it; of bool, whether they differ."
);

/* ---- trapezoid ---- */

typedef struct trapezoid_attrs {
    double dx;
    int64_t dim;
} trapezoid_attrs;
static const ebb_attr trapezoid_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, trapezoid_attrs, dx, "1", "distance of the points, when x is not given"),
    EBB_ATTR(EBB_A_INT, trapezoid_attrs, dim, "-1", "the dim to integrate along"),
};

/* Twice the areas between neighbours, by dx or by x, which is a vector or broadcasts. */
static ebb_tensor *areas(const ebb_call *c, int *dim) {
    const trapezoid_attrs *a = (const trapezoid_attrs *)c->attrs;
    const ebb_shape *s = &c->x_shape[0], *p = &c->x_shape[1];
    *dim = ebb_dim_of(a->dim, s->ndim);
    if (*dim < 0 || !s->ndim)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but y has %d dims", (long long)a->dim, s->ndim);
    ebb_tensor *y = c->x[0], *x = c->n_x > 1 ? c->x[1] : NULL;
    if (s->dtype == EBB_BOOL || (x && p->dtype == EBB_BOOL))
        return EBB_FAIL(c, EBB_E_DTYPE, "bool cannot be integrated; convert with ebb_to");
    ebb_tensor *both = ebb_add(ebb_slice(y, .dim = *dim, .start = 1), ebb_slice(y, .dim = *dim, .end = -1));
    if (!x) return ebb_mul_scalar(both, a->dx);
    if (p->ndim == 1 && p->dim[0] != s->dim[*dim])
        return EBB_FAIL(c, EBB_E_SHAPE, "x has %lld points, y %lld along dim %d", (long long)p->dim[0],
                        (long long)s->dim[*dim], *dim);
    ebb_ints size = {s->ndim > p->ndim ? s->ndim : p->ndim, {0}};
    for (int d = 0; d < size.n; d++) size.v[d] = d < size.n - p->ndim ? 1 : p->dim[d - (size.n - p->ndim)];
    if (p->ndim == 1) size.v[size.n - 1] = 1, size.v[*dim] = p->dim[0];
    x = ebb_reshape(x, .shape = size);
    return ebb_mul(both, ebb_sub(ebb_slice(x, .dim = *dim, .start = 1), ebb_slice(x, .dim = *dim, .end = -1)));
}
static ebb_tensor *trapezoid_compose(const ebb_call *c) {
    const ebb_shape *s = &c->x_shape[0];
    int dim = ebb_dim_of(((const trapezoid_attrs *)c->attrs)->dim, s->ndim);
    if (dim >= 0 && s->ndim && !s->dim[dim]) { /* of no points: 0 */
        ebb_ints size = {0, {0}};
        for (int d = 0; d < s->ndim; d++)
            if (d != dim) size.v[size.n++] = s->dim[d];
        return ebb_constant(c->e, (ebb_dtype)s->dtype, size, 0);
    }
    ebb_tensor *y = areas(c, &dim);
    return ebb_mul_scalar(ebb_sum(y, .dim = EBB_DIMS(dim)), 0.5);
}
static ebb_tensor *cumulative_trapezoid_compose(const ebb_call *c) {
    int dim;
    ebb_tensor *y = areas(c, &dim);
    return ebb_mul_scalar(ebb_cumsum(y, .dim = dim), 0.5);
}

EBB_OP(trapezoid,
    .sig = "y(),x()?->()",
    .math = "z = sum_i (y_i + y_{i+1})/2 * (x_{i+1} - x_i)",
    .compose = trapezoid_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(trapezoid_attrs, trapezoid_attr),
    .tries = "[5]; [3,4] dim=0 dx=0.5; [3,4] [4]; [3,4] [3] dim=0; [3,4] [3,4]; [2,3,4] [3,4] dim=1; [1]; [0]",
    .doc = "Integral along a dim by the trapezoidal rule, over points x or at distance dx."
);
EBB_OP(cumulative_trapezoid,
    .sig = "y(),x()?->()",
    .math = "z_i = sum_{j<=i} (y_j + y_{j+1})/2 * (x_{j+1} - x_j)",
    .compose = cumulative_trapezoid_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(trapezoid_attrs, trapezoid_attr),
    .tries = "[5]; [3,4] dim=0 dx=0.5; [3,4] [4]; [3,4] [3] dim=0; [3,4] [3,4]; [2,3,4] [3,4] dim=1; [1]",
    .doc = "Running integral along a dim by the trapezoidal rule; one element less than y."
);
