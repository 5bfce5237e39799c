/* hard.c - floor 5: activations of straight pieces: hardtanh, relu6, hardsigmoid, hardswish, the shrinks, threshold. */
#include "activation.h"

static ebb_tensor *below(ebb_tensor *x, double k) { return ebb_le(x, ebb_scalar(x, k)); }
static ebb_tensor *above(ebb_tensor *x, double k) { return ebb_ge(x, ebb_scalar(x, k)); }

/* ---- hardtanh, relu6 ---- */

typedef struct hardtanh_attrs {
    double min_val, max_val;
} hardtanh_attrs;
static const ebb_attr hardtanh_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, hardtanh_attrs, min_val, "-1", "lower bound"),
    EBB_ATTR(EBB_A_FLOAT, hardtanh_attrs, max_val, "1", "upper bound; wins when it is below min_val"),
};

#define HELD(lo, hi) ((x < lo ? lo : x) > hi ? hi : (x < lo ? lo : x))
EBB_KERNEL_WIDE(hardtanh_fwd,
    const hardtanh_attrs *a = (const hardtanh_attrs *)l->attrs;
    const T lo = AS_T(a->min_val);
    const T hi = AS_T(a->max_val);
    EBB__MAP1_BODY(T, HELD(lo, hi)))

/* Nothing passes at the bounds themselves. */
static ebb_tensor *between(ebb_tensor *x, double lo, double hi, ebb_tensor *g) {
    return ebb__unless(below(x, lo), ebb__unless(above(x, hi), g));
}
static ebb_tensor *hardtanh_dx(const ebb_call *c, ebb_tensor *g) {
    const hardtanh_attrs *a = (const hardtanh_attrs *)c->attrs;
    return between(c->x[0], a->min_val, a->max_val, g);
}
#define BOUNDS                                                                                               \
    const T lo = (T)a->min_val;                                                                              \
    const T hi = (T)a->max_val;
EBB_MAP2_OF(hardtanh_pull, hardtanh_attrs, BOUNDS, y <= lo || y >= hi ? 0 : x)

EBB_OP(hardtanh,
    .sig = "input()->()",
    .math = "y = min(max(x, lo), hi);  dx = g where lo < x < hi, else 0",
    .fwd = hardtanh_fwd,
    .attrs = EBB_ATTRS(hardtanh_attrs, hardtanh_attr),
    .vjp = EBB_VJP({hardtanh_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, hardtanh_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {-1}, {0}}, {NULL, 1, {1}, {0}}, {"min_val=-0.6 max_val=0.4", 1, {0.4}, {0}},
                       {"min_val=-0.6 max_val=0.4", 1, {-0.6}, {0}}),
    .tries = "min_val=-0.6 max_val=0.4",
    .doc = "Limits each element to [min_val, max_val]; the derivative at the bounds is 0."
);

EBB_WIDE1(relu6_fwd, HELD(0, 6))

static ebb_tensor *relu6_dx(const ebb_call *c, ebb_tensor *g) { return between(c->x[0], 0, 6, g); }
EBB_MAP2(relu6_pull, y <= 0 || y >= 6 ? 0 : x)

EBB_OP(relu6,
    .sig = "input()->()",
    .math = "y = min(max(x, 0), 6);  dx = g where 0 < x < 6, else 0",
    .fwd = relu6_fwd,
    .vjp = EBB_VJP({relu6_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, relu6_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .domain = EBB_DOMAIN({-4, 9}),
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}, {NULL, 1, {6}, {0}}),
    .doc = "Rectifier that ends at 6; its derivative at 0 and 6 is 0."
);

/* ---- hardsigmoid, hardswish ---- */

EBB_MAP1(hardsigmoid_fwd, (x + 3 < 0 ? 0 : x + 3 > 6 ? 6 : x + 3) / 6)

static ebb_tensor *hardsigmoid_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0];
    return ebb__only(ebb_gt(x, ebb_scalar(x, -3)), ebb__only(ebb_lt(x, ebb_scalar(x, 3)), ebb_div_scalar(g, 6)));
}
EBB_MAP2(hardsigmoid_pull, y > -3 && y < 3 ? x / 6 : 0)

EBB_OP(hardsigmoid,
    .sig = "input()->()",
    .math = "y = min(max(x + 3, 0), 6)/6;  dx = g/6 where -3 < x < 3, else 0",
    .fwd = hardsigmoid_fwd,
    .vjp = EBB_VJP({hardsigmoid_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, hardsigmoid_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .domain = EBB_DOMAIN({-5, 5}),
    .kinks = EBB_KINKS({NULL, 1, {-3}, {0}}, {NULL, 1, {3}, {0}}),
    .doc = "Sigmoid of three straight pieces; the derivative at their ends is 0."
);

EBB_MAP1(hardswish_fwd, x * ((x + 3 < 0 ? 0 : x + 3 > 6 ? 6 : x + 3) / 6))

static ebb_tensor *hardswish_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *held = ebb_hardtanh(x, .min_val = -3, .max_val = 3);
    ebb_tensor *inner = ebb_where(below(x, 3), ebb_mul(g, ebb_add_scalar(ebb_div_scalar(held, 3), 0.5)), g);
    return ebb__unless(ebb_lt(x, ebb_scalar(x, -3)), inner);
}
EBB_MAP2(hardswish_pull, y < -3 ? 0 : y <= 3 ? x * (y / 3 + (T)0.5) : x)

EBB_OP(hardswish,
    .sig = "input()->()",
    .math = "y = x*min(max(x + 3, 0), 6)/6;  dx = 0 where x < -3, g*(x/3 + 1/2) up to 3, g beyond",
    .fwd = hardswish_fwd,
    .vjp = EBB_VJP({hardswish_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, hardswish_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .domain = EBB_DOMAIN({-5, 5}),
    .kinks = EBB_KINKS({NULL, 1, {-3}, {-0.5}}, {NULL, 1, {3}, {1.5}}),
    .doc = "Swish of three pieces; the derivative at -3 is -1/2 and at 3 is 3/2.",
    .ref = "Howard et al., 2019, Searching for MobileNetV3"
);

/* ---- hardshrink, softshrink ---- */

typedef struct shrink_attrs {
    double lambd;
} shrink_attrs;
static const ebb_attr hardshrink_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, shrink_attrs, lambd, "0.5", "what lies in [-lambd, lambd] becomes 0"),
};
static const ebb_attr softshrink_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, shrink_attrs, lambd, "0.5", "how much nearer to 0 each element moves", .lo = 0,
             .hi = HUGE_VAL),
};

#define SHRUNK(v, k) ((v) >= -(k) && (v) <= (k))
#define LAMBDA const T bound = (T)a->lambd;
EBB_MAP1_OF(hardshrink_fwd, shrink_attrs, LAMBDA, SHRUNK(x, bound) ? 0 : x)
EBB_MAP2_OF(shrink_pull, shrink_attrs, LAMBDA, SHRUNK(y, bound) ? 0 : x)

static ebb_tensor *shrink_dx(const ebb_call *c, ebb_tensor *g) {
    const double k = ((const shrink_attrs *)c->attrs)->lambd;
    ebb_tensor *x = c->x[0];
    return ebb_where(above(x, -k), ebb__unless(below(x, k), g), g);
}

EBB_OP(hardshrink,
    .sig = "input()->()",
    .math = "y = x where |x| > k, else 0;  dx = g where |x| > k, else 0",
    .fwd = hardshrink_fwd,
    .attrs = EBB_ATTRS(shrink_attrs, hardshrink_attr),
    .vjp = EBB_VJP({shrink_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, shrink_pull, EBB_X(0)}),
    .kinks = EBB_KINKS({NULL, 1, {0.5}, {0}}, {NULL, 1, {-0.5}, {0}}, {"lambd=0.9", 1, {0.9}, {0}},
                       {"lambd=0.9", 1, {-0.9}, {0}}, {"lambd=-0.3", 1, {0.3}, {1}}),
    .tries = "lambd=0.9; lambd=-0.3",
    .doc = "Sets what is within lambd of 0 to 0; the derivative there and at the bounds is 0."
);

EBB_MAP1_OF(softshrink_fwd, shrink_attrs, LAMBDA, x > bound ? x - bound : x < -bound ? x + bound : x != x ? x : 0)

EBB_OP(softshrink,
    .sig = "input()->()",
    .math = "y = x - k where x > k, x + k where x < -k, else 0;  dx = g where |x| > k, else 0",
    .fwd = softshrink_fwd,
    .attrs = EBB_ATTRS(shrink_attrs, softshrink_attr),
    .vjp = EBB_VJP({shrink_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, shrink_pull, EBB_X(0)}),
    .kinks = EBB_KINKS({NULL, 1, {0.5}, {0}}, {NULL, 1, {-0.5}, {0}}, {"lambd=0.9", 1, {0.9}, {0}},
                       {"lambd=0.9", 1, {-0.9}, {0}}),
    .tries = "lambd=0.9",
    .doc = "Moves each element by lambd towards 0, at most to 0; the derivative at the bounds is 0. NaN stays NaN."
);

/* ---- threshold ---- */

typedef struct threshold_attrs {
    double threshold, value;
} threshold_attrs;
static const ebb_attr threshold_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, threshold_attrs, threshold, NULL, "what is above it stays"),
    EBB_ATTR(EBB_A_FLOAT, threshold_attrs, value, NULL, "what the rest becomes"),
};

EBB_KERNEL_WIDE(threshold_fwd,
    const threshold_attrs *a = (const threshold_attrs *)l->attrs;
    const T bound = AS_T(a->threshold);
    const T rest = AS_T(a->value);
    EBB__MAP1_BODY(T, x <= bound ? rest : x))

static ebb_tensor *threshold_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb__unless(below(c->x[0], ((const threshold_attrs *)c->attrs)->threshold), g);
}
EBB_MAP2_OF(threshold_pull, threshold_attrs, const T bound = (T)a->threshold;, y <= bound ? 0 : x)

EBB_OP(threshold,
    .sig = "input()->()",
    .math = "y = x where x > threshold, else value;  dx = g where x > threshold, else 0",
    .fwd = threshold_fwd,
    .attrs = EBB_ATTRS(threshold_attrs, threshold_attr),
    .vjp = EBB_VJP({threshold_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, threshold_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({"threshold=0.3 value=-0.5", 1, {0.3}, {0}}, {"threshold=-1 value=0", 1, {-1}, {0}}),
    .tries = "threshold=0.3 value=-0.5; threshold=-1 value=0",
    .doc = "Replaces what is not above a bound by a value; the derivative at the bound is 0."
);
