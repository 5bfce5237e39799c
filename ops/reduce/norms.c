/* norms.c - floor 5: vector norms of any order, without overflow where the result has none. */
#include "reduce.h"

typedef struct vector_norm_attrs {
    ebb_ints dim;
    bool keepdim;
    double ord;
    int32_t dtype;
} vector_norm_attrs;
static const ebb_attr vector_norm_attr[] = {
    EBB_ATTR(EBB_A_INTS, vector_norm_attrs, dim, "", "the dims to reduce; none given: all"),
    EBB_ATTR(EBB_A_BOOL, vector_norm_attrs, keepdim, "0", "keep them, with size 1"),
    EBB_ATTR(EBB_A_FLOAT, vector_norm_attrs, ord, "2",
             "order: any number, inf (largest magnitude) or -inf (smallest)"),
    EBB_ATTR(EBB_A_DTYPE, vector_norm_attrs, dtype, "none", "convert the input to this first"),
};
typedef struct norm_attrs {
    ebb_ints dim;
    bool keepdim;
    double p;
    int32_t dtype;
} norm_attrs;
static const ebb_attr norm_attr[] = {
    EBB_ATTR(EBB_A_INTS, norm_attrs, dim, "", "the dims to reduce; none given: all"),
    EBB_ATTR(EBB_A_BOOL, norm_attrs, keepdim, "0", "keep them, with size 1"),
    EBB_ATTR(EBB_A_FLOAT, norm_attrs, p, "2", "order: any number, inf or -inf; 2 is what is also called fro"),
    EBB_ATTR(EBB_A_DTYPE, norm_attrs, dtype, "none", "convert the input to this first"),
};

enum { RUN = 256 };
#define MAGNITUDE(v) ((v) < 0 ? -(v) : (v))
/* The magnitude of a row that is better than all others; NaN wins. */
#define ROW_EXTREME(better, start, best)                                                                     \
    T best = start;                                                                                          \
    {                                                                                                        \
        T part[LANES];                                                                                       \
        int64_t i = 0;                                                                                       \
        for (int k = 0; k < LANES; k++) part[k] = start;                                                     \
        for (; i + LANES <= n; i += LANES)                                                                   \
            for (int k = 0; k < LANES; k++) {                                                                \
                const T v = MAGNITUDE(x[i + k]);                                                             \
                part[k] = ((v better part[k]) | (v != v)) ? v : part[k];                                     \
            }                                                                                                \
        for (; i < n; i++) {                                                                                 \
            const T v = MAGNITUDE(x[i]);                                                                     \
            best = ((v better best) | (v != v)) ? v : best;                                                  \
        }                                                                                                    \
        for (int k = 0; k < LANES; k++)                                                                      \
            best = ((part[k] better best) | (part[k] != part[k])) ? part[k] : best;                          \
    }
/* Squares of f32 fit in f64. Other powers, and squares in f64 whose sum leaves the safe range, are taken of x over the
 * largest (p < 0: smallest) magnitude. */
EBB_KERNEL(vector_norm_fwd,
    const int64_t n = l->dim[0];
    const double p = ((const vector_norm_attrs *)l->attrs)->ord;
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T *y = (T *)l->p[1] + r * l->step[1];
        if (p == 2) {
            ROW_SUM_IN(double, n, (double)x[j] * (double)x[j], sum)
            *y = (T)ebb_sqrt(sum);
            if (sum != sum || (sum > 1e-290 && sum < 1e290) || sizeof(T) == 4) continue;
        } else if (p == 1) {
            ROW_SUM(n, MAGNITUDE(x[j]), sum)
            *y = sum;
            continue;
        } else if (p == 0) {
            ROW_SUM(n, x[j] == 0 ? 0 : 1, sum)
            *y = sum;
            continue;
        }
        if (p < 0) {
            ROW_EXTREME(<, (T)INFINITY, least)
            *y = least;
        } else {
            ROW_EXTREME(>, 0, most)
            *y = most;
        }
        const T unit = *y;
        if (p - p != 0 || unit == 0 || unit - unit != 0) continue;
        T total = 0;
        for (int64_t from = 0; from < n; from += RUN) { /* the quotients are at most 1 (p < 0: at least): exp(p*log) errs least where it counts */
            const int64_t m = n - from < RUN ? n - from : RUN;
            T power[RUN];
            EBB_IVDEP for (int64_t i = 0; i < m; i++) power[i] = ebb_exp((T)p * ebb_log(MAGNITUDE(x[from + i]) / unit));
            ROW_SUM(m, power[j], sum)
            total += sum;
        }
        *y = unit * ebb_raise(total, (T)(1 / p));
    })

static ebb_tensor *vector_norm_compose(const ebb_call *c) {
    const vector_norm_attrs *a = (const vector_norm_attrs *)c->attrs;
    const int32_t have = c->x_shape[0].dtype;
    if (a->dtype && !ebb_is_float(a->dtype)) return EBB_FAIL(c, EBB_E_DTYPE, "dtype must be f32 or f64");
    if (!ebb_is_float(have))
        return EBB_FAIL(c, EBB_E_DTYPE, "the input must be f32 or f64; convert with ebb_to (op \"to\")");
    if (a->dtype && a->dtype != have)
        return ebb_linalg_vector_norm(ebb_to(c->x[0], (ebb_dtype)a->dtype), .dim = a->dim,
                                      .keepdim = a->keepdim, .ord = a->ord);
    if ((a->ord < 0 || a->ord > 1e300) && !reduced_count(c, a->dim)) {
        ebb_tensor *y = ebb_sum(c->x[0], .dim = a->dim, .keepdim = a->keepdim); /* refuses dims that do not exist */
        if (y && ebb_info_of(y).numel)
            return EBB_FAIL(c, EBB_E_SHAPE, "the norm of order %g of no elements has no value", a->ord);
    }
    return NULL;
}

/* x/y where the norm y is not 0; there 0. */
static ebb_tensor *over_norm(ebb_tensor *x, ebb_tensor *y, ebb_tensor *zero) {
    return ebb_where(zero, ebb_scalar(x, 0), ebb_div(x, ebb_where(zero, ebb_scalar(y, 1), y)));
}
static ebb_tensor *vector_norm_dx(const ebb_call *c, ebb_tensor *g) {
    const vector_norm_attrs *a = (const vector_norm_attrs *)c->attrs;
    const double p = a->ord;
    ebb_tensor *x = c->x[0], *y = kept(c, c->y[0]);
    const ebb_dtype dtype = (ebb_dtype)ebb_info_of(g).dtype;
    g = kept(c, g);
    if (p == 0) return ebb_expand(ebb_mul_scalar(g, 0), .size = ebb_ints_of(&c->x_shape[0]));
    if (p == 1) return ebb_mul(g, ebb_sign(x));
    x = ebb_to(x, dtype);
    if (p - p != 0) { /* the extremes share it */
        ebb_tensor *hit = ebb_add(ebb_to(ebb_eq(ebb_abs(x), y), dtype), ebb_to(ebb_ne(x, x), dtype)); /* NaN is extreme */
        ebb_tensor *count = c->x_shape[0].ndim ? ebb_sum(hit, .dim = a->dim, .keepdim = true) : ebb_scalar(g, 1);
        return ebb_mul(ebb_mul(ebb_div(g, count), hit), ebb_sign(x));
    }
    ebb_tensor *zero = ebb_eq(y, ebb_scalar(y, 0));
    if (p == 2) return ebb_mul(g, over_norm(x, y, zero));
    ebb_tensor *none = ebb_eq(x, ebb_scalar(x, 0)); /* of x itself: for p < 1 the power has a pole there */
    ebb_tensor *size = ebb_abs(ebb_where(none, ebb_scalar(x, 1), x));
    ebb_tensor *ratio = ebb_pow(ebb_div(size, ebb_where(zero, ebb_scalar(y, 1), y)), .exponent = p - 1);
    ebb_tensor *flat = ebb_scalar(x, 0);
    return ebb_mul(g, ebb_where(none, flat, ebb_where(zero, flat, ebb_mul(ratio, ebb_sign(x)))));
}

EBB_OP(linalg_vector_norm,
    .sig = "input(n)->()",
    .math = "y = (sum_i |x_i|^p)^(1/p); p = 0: how many are not 0; p = inf, -inf: max |x_i|, min |x_i|;  dx = g*sign(x)*(|x|/y)^(p-1), 0 where y or x is 0",
    .compose = vector_norm_compose,
    .fwd = vector_norm_fwd,
    .attrs = EBB_ATTRS(vector_norm_attrs, vector_norm_attr),
    .axes = "dim",
    .vjp = EBB_VJP({vector_norm_dx, EBB_X(0) | EBB_Y(0)}),
    .kinks = EBB_KINKS({NULL, 2, {0, 0}, {0, 0}}, {"ord=1", 2, {0, 1}, {0, 1}}, {"ord=inf", 3, {1, 0.5, -1}, {0.5, 0, -0.5}},
                       {"ord=3", 2, {0, 0}, {0, 0}}, {"ord=0.5", 2, {0, 2}, {0, 1}}),
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2 ord=3; ord=1; ord=0; ord=inf; [2,3] ord=-inf dim=1; ord=0.5; ord=-1.5; ord=1.5; dim=0 dtype=f32",
    .doc = "Norm of the elements over the given dims, of all when none is given. Scaled, so that nothing overflows on the way. Gradient 0 at 0."
);

static ebb_tensor *norm_compose(const ebb_call *c) {
    const norm_attrs *a = (const norm_attrs *)c->attrs;
    return ebb_linalg_vector_norm(c->x[0], .dim = a->dim, .keepdim = a->keepdim, .ord = a->p, .dtype = a->dtype);
}

EBB_OP(norm,
    .sig = "input(n)->()",
    .math = "y = (sum_i |x_i|^p)^(1/p), as linalg_vector_norm",
    .compose = norm_compose,
    .attrs = EBB_ATTRS(norm_attrs, norm_attr),
    .axes = "dim",
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2 p=3; p=1; p=inf; dim=0 dtype=f32",
    .doc = "linalg_vector_norm under its older name: elements over the given dims, or all, taken as one vector."
);
