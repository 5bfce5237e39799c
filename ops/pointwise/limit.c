/* limit.c - floor 5: the larger, the smaller, and what keeps within bounds. */
#include "pointwise.h"

/* ---- maximum and minimum ---- */

EBB_NUMERIC2(maximum_fwd, x != x ? x : (y != y ? y : (x > y ? x : y)))
EBB_NUMERIC2(minimum_fwd, x != x ? x : (y != y ? y : (x < y ? x : y)))

/* Where both are equal each gets half, PyTorch's convention; beside a NaN both get all of it. */
static ebb_tensor *chosen(ebb_tensor *mine, ebb_tensor *other, ebb_tensor *g, bool larger) {
    ebb_tensor *loses = larger ? ebb_lt(mine, other) : ebb_gt(mine, other);
    return ebb_where(loses, ebb_scalar(g, 0), ebb_where(ebb_eq(mine, other), ebb_mul_scalar(g, 0.5), g));
}
static ebb_tensor *maximum_dx(const ebb_call *c, ebb_tensor *g) { return chosen(c->x[0], c->x[1], g, true); }
static ebb_tensor *maximum_dy(const ebb_call *c, ebb_tensor *g) { return chosen(c->x[1], c->x[0], g, true); }
static ebb_tensor *minimum_dx(const ebb_call *c, ebb_tensor *g) { return chosen(c->x[0], c->x[1], g, false); }
static ebb_tensor *minimum_dy(const ebb_call *c, ebb_tensor *g) { return chosen(c->x[1], c->x[0], g, false); }

EBB_OP(maximum,
    .sig = "input(),other()->()",
    .math = "z = max(x, y);  dx = g where x > y, g/2 where equal",
    .fwd = maximum_fwd,
    .vjp = EBB_VJP({maximum_dx, EBB_X(0) | EBB_X(1)}, {maximum_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_PROMOTES,
    .kinks = EBB_KINKS({NULL, 2, {0.5, 0.5}, {0.5, 0.5}}),
    .doc = "Elementwise maximum. NaN in either gives NaN; equal elements share the gradient."
);
EBB_OP(minimum,
    .sig = "input(),other()->()",
    .math = "z = min(x, y);  dx = g where x < y, g/2 where equal",
    .fwd = minimum_fwd,
    .vjp = EBB_VJP({minimum_dx, EBB_X(0) | EBB_X(1)}, {minimum_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_PROMOTES,
    .kinks = EBB_KINKS({NULL, 2, {0.5, 0.5}, {0.5, 0.5}}),
    .doc = "Elementwise minimum. NaN in either gives NaN; equal elements share the gradient."
);

/* ---- clamp ---- */

typedef struct clamp_attrs {
    double min, max;
} clamp_attrs;
static const ebb_attr clamp_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, clamp_attrs, min, "nan", "lower bound as a number"),
    EBB_ATTR(EBB_A_FLOAT, clamp_attrs, max, "nan", "upper bound as a number; wins when it is below min"),
};

/* A bound that is no tensor is one number, stepped through with step 0. */
EBB_KERNEL_NUMERIC(clamp_fwd,
    const clamp_attrs *a = (const clamp_attrs *)l->attrs;
    const T lo = AS_T(a->min != a->min ? -HUGE_VAL : a->min);
    const T hi = AS_T(a->max != a->max ? HUGE_VAL : a->max);
    const T *p0 = (const T *)l->p[0];
    const T *p1 = l->p[1] ? (const T *)l->p[1] : &lo;
    const T *p2 = l->p[2] ? (const T *)l->p[2] : &hi;
    T *q = (T *)l->p[3];
    const int64_t s0 = l->step[0]; const int64_t sq = l->step[3];
    const int64_t s1 = l->p[1] ? l->step[1] : 0; const int64_t s2 = l->p[2] ? l->step[2] : 0;
    if (s0 == 1 && sq == 1 && !l->p[1] && !l->p[2]) {
        EBB_IVDEP for (int64_t i = 0; i < l->n; i++) {
            const T x = p0[i] < lo ? lo : p0[i];
            q[i] = x > hi ? hi : x;
        }
    } else
        for (int64_t i = 0; i < l->n; i++) {
            const T least = p1[i * s1]; const T most = p2[i * s2];
            T x = p0[i * s0];
            x = x < least || least != least ? least : x;
            q[i * sq] = x > most || most != most ? most : x;
        })

/* Bound i, 1 or 2, as a tensor; NULL: there is none. */
static ebb_tensor *bound(const ebb_call *c, int i) {
    const clamp_attrs *a = (const clamp_attrs *)c->attrs;
    const double v = i == 1 ? a->min : a->max;
    if (ebb__given(c, i)) return c->x[i];
    return v != v ? NULL : ebb_scalar(c->x[0], v);
}

static ebb_tensor *clamp_compose(const ebb_call *c) {
    const clamp_attrs *a = (const clamp_attrs *)c->attrs;
    ebb_tensor *lo = ebb__given(c, 1), *hi = ebb__given(c, 2);
    if ((lo && a->min == a->min) || (hi && a->max == a->max))
        return EBB_FAIL(c, EBB_E_ARG, "a bound is given twice, as a number and as a tensor");
    if (!lo && !hi && a->min != a->min && a->max != a->max)
        return EBB_FAIL(c, EBB_E_ARG, "no bound is given; give min, max or both");
    const int32_t d = c->x_shape[0].dtype;
    if (ebb_is_float(d)) return NULL;
    const bool whole =
        (a->min != a->min || ebb__is_whole(a->min, 8)) && (a->max != a->max || ebb__is_whole(a->max, 8));
    if (!whole) return ebb_clamp(ebb_to(c->x[0], EBB_F32), lo, hi, .min = a->min, .max = a->max);
    if (d == EBB_BOOL && (a->min == a->min || a->max == a->max))
        return ebb_clamp(ebb_to(c->x[0], EBB_I64), lo, hi, .min = a->min, .max = a->max);
    return NULL;
}

static ebb_tensor *clamp_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *lo = bound(c, 1), *hi = bound(c, 2), *above = lo ? ebb_ge(c->x[0], lo) : NULL,
               *below = hi ? ebb_le(c->x[0], hi) : NULL;
    return ebb__where_or_zero(above && below ? ebb_logical_and(above, below) : above ? above : below, g);
}
static ebb_tensor *clamp_dmin(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *lo = bound(c, 1), *hi = bound(c, 2), *under = ebb_lt(c->x[0], lo);
    return ebb__where_or_zero(hi ? ebb_logical_and(under, ebb_lt(lo, hi)) : under, g);
}
static ebb_tensor *clamp_dmax(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *lo = bound(c, 1), *hi = bound(c, 2), *over = ebb_gt(c->x[0], hi);
    return ebb__where_or_zero(lo ? ebb_logical_or(over, ebb_lt(hi, lo)) : over, g);
}

EBB_OP(clamp,
    .sig = "input(),min()?,max()?->()",
    .math = "y = min(max(x, lo), hi);  dx = g where lo <= x <= hi, dlo where x < lo, dhi where x > hi, else 0",
    .compose = clamp_compose,
    .fwd = clamp_fwd,
    .attrs = EBB_ATTRS(clamp_attrs, clamp_attr),
    .vjp = EBB_VJP({clamp_dx, EBB_X(0) | EBB_X(1) | EBB_X(2)}, {clamp_dmin, EBB_X(0) | EBB_X(1) | EBB_X(2)}, {clamp_dmax, EBB_X(0) | EBB_X(1) | EBB_X(2)}),
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .domain = EBB_DOMAIN({-2, 2}, {-1, -0.5}, {0.5, 1}),
    .tries = "[3,4] - - min=-0.7 max=0.9; [5] - - min=-0.7; [5] - - max=0.9; [3,4] [4] [3,1]; [3,4] - [4]; [3] [3]; [2,3] [3] - max=0.9; [2,0] - - min=0; [0] [1] [0]",
    .doc = "Limits each element to [min, max], each a number, a tensor or absent. The gradient passes at the bounds themselves."
);

typedef struct bound_attrs {
    double min;
} bound_attrs;
static const ebb_attr min_attr[] = {EBB_ATTR(EBB_A_FLOAT, bound_attrs, min, "nan", "the bound as a number")};
typedef struct upper_attrs {
    double max;
} upper_attrs;
static const ebb_attr max_attr[] = {EBB_ATTR(EBB_A_FLOAT, upper_attrs, max, "nan", "the bound as a number")};

static ebb_tensor *clamp_min_compose(const ebb_call *c) {
    return ebb_clamp(c->x[0], ebb__given(c, 1), NULL, .min = ((const bound_attrs *)c->attrs)->min);
}
static ebb_tensor *clamp_max_compose(const ebb_call *c) {
    return ebb_clamp(c->x[0], NULL, ebb__given(c, 1), .max = ((const upper_attrs *)c->attrs)->max);
}

EBB_OP(clamp_min,
    .sig = "input(),min()?->()",
    .math = "y = max(x, lo)",
    .compose = clamp_min_compose,
    .attrs = EBB_ATTRS(bound_attrs, min_attr),
    .flags = EBB_INPLACE,
    .domain = EBB_DOMAIN({-2, 2}, {-1, 1}),
    .tries = "[3,4] - min=-0.7; [3,4] [4]",
    .doc = "clamp with a lower bound alone."
);
EBB_OP(clamp_max,
    .sig = "input(),max()?->()",
    .math = "y = min(x, hi)",
    .compose = clamp_max_compose,
    .attrs = EBB_ATTRS(upper_attrs, max_attr),
    .flags = EBB_INPLACE,
    .domain = EBB_DOMAIN({-2, 2}, {-1, 1}),
    .tries = "[3,4] - max=0.7; [3,4] [4]",
    .doc = "clamp with an upper bound alone."
);
