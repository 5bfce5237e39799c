/* rounding.c - floor 5: signs, magnitudes, rounding, steps. */
#include "pointwise.h"

/* ---- magnitude and sign ---- */

EBB_NUMERIC1(abs_fwd, x < 0 ? -x : x + 0)

static ebb_tensor *abs_compose(const ebb_call *c) {
    return ebb__any_bool(c) ? EBB_FAIL(c, EBB_E_DTYPE, "a bool has no magnitude; convert it") : NULL;
}
static ebb_tensor *abs_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, ebb_sign(c->x[0])); }

EBB_OP(abs,
    .sig = "input()->()",
    .math = "y = |x|;  dx = g*sign(x)",
    .compose = abs_compose,
    .fwd = abs_fwd,
    .vjp = EBB_VJP({abs_dx, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}),
    .doc = "Elementwise absolute value; its derivative at 0 and at NaN is 0."
);

EBB_NUMERIC1(sign_fwd, (T)((x > 0) - (x < 0)))

EBB_OP(sign,
    .sig = "input()->()",
    .math = "y = -1, 0 or 1;  dx = 0",
    .fwd = sign_fwd,
    .vjp = EBB_VJP({no_slope, 0}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}),
    .doc = "Sign of each element; that of NaN is 0."
);
EBB_OP(sgn,
    .sig = "input()->()",
    .math = "y = -1, 0 or 1;  dx = 0",
    .fwd = sign_fwd,
    .vjp = EBB_VJP({no_slope, 0}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}),
    .doc = "sign by its other name."
);

/* ---- rounding ---- */

static ebb_tensor *whole_already(const ebb_call *c) {
    if (ebb_is_float(c->x_shape[0].dtype)) return NULL;
    return ebb__any_bool(c) ? EBB_FAIL(c, EBB_E_DTYPE, "a bool is not rounded; convert it")
                            : ebb_positive(c->x[0]);
}

EBB_MAP1(floor_fwd, ebb_floor(x))

EBB_OP(floor,
    .sig = "input()->()",
    .math = "y = largest integer <= x;  dx = 0",
    .compose = whole_already,
    .fwd = floor_fwd,
    .vjp = EBB_VJP({no_slope, 0}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}, {NULL, 1, {1}, {0}}, {NULL, 1, {-1}, {0}}, {NULL, 1, {2}, {0}}),
    .doc = "Rounds each element down."
);

EBB_MAP1(ceil_fwd, -ebb_floor(-x))

EBB_OP(ceil,
    .sig = "input()->()",
    .math = "y = smallest integer >= x;  dx = 0",
    .compose = whole_already,
    .fwd = ceil_fwd,
    .vjp = EBB_VJP({no_slope, 0}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}, {NULL, 1, {1}, {0}}, {NULL, 1, {-1}, {0}}, {NULL, 1, {2}, {0}}),
    .doc = "Rounds each element up."
);

EBB_MAP1(trunc_fwd, TRUNCATED(x))

EBB_OP(trunc,
    .sig = "input()->()",
    .math = "y = x without its fraction;  dx = 0",
    .compose = whole_already,
    .fwd = trunc_fwd,
    .vjp = EBB_VJP({no_slope, 0}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {1}, {0}}, {NULL, 1, {-1}, {0}}, {NULL, 1, {2}, {0}}, {NULL, 1, {-2}, {0}}),
    .doc = "Rounds each element towards 0."
);

EBB_MAP1(frac_fwd, x - TRUNCATED(x))

EBB_OP(frac,
    .sig = "input()->()",
    .math = "y = x - trunc(x);  dx = g",
    .fwd = frac_fwd,
    .vjp = EBB_VJP({pass, 0}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {1}, {1}}, {NULL, 1, {-1}, {1}}, {NULL, 1, {2}, {1}}, {NULL, 1, {-2}, {1}}),
    .doc = "Fraction of each element, with its sign; floats only."
);

typedef struct round_attrs {
    int64_t decimals;
} round_attrs;
static const ebb_attr round_attr[] = {
    EBB_ATTR(EBB_A_INT, round_attrs, decimals, "0", "digits kept after the point; negative: before it")};

static double ten_to(int64_t n) { /* 10^|n| */
    double p = 1;
    for (int64_t k = n < 0 ? -n : n; k > 0 && p < (double)INFINITY; k--) p *= 10;
    return p;
}

EBB_KERNEL(round_fwd,
    const int64_t decimals = ((const round_attrs *)l->attrs)->decimals;
    const T ten = (T)ten_to(decimals);
    const bool after = decimals > 0;
    EBB__MAP1_BODY(T, after ? NEAREST(x * ten) / ten : NEAREST(x / ten) * ten))

static ebb_tensor *round_compose(const ebb_call *c) {
    if (!ebb_is_float(c->x_shape[0].dtype) && ((const round_attrs *)c->attrs)->decimals)
        return EBB_FAIL(c, EBB_E_DTYPE, "integers have no decimals");
    return whole_already(c);
}

EBB_OP(round,
    .sig = "input()->()",
    .math = "y = nearest multiple of 10^-decimals, of two the even one;  dx = 0",
    .compose = round_compose,
    .fwd = round_fwd,
    .attrs = EBB_ATTRS(round_attrs, round_attr),
    .vjp = EBB_VJP({no_slope, 0}),
    .flags = EBB_INPLACE,
    .domain = EBB_DOMAIN({1.01, 1.04}),
    .kinks = EBB_KINKS({NULL, 1, {0.5}, {0}}, {NULL, 1, {-0.5}, {0}}, {NULL, 1, {1.5}, {0}}),
    .tries = "decimals=1; decimals=-1",
    .doc = "Rounds each element to the nearest number of so many decimals, halves to even."
);

/* ---- signs and steps of another ---- */

EBB_MAP2(copysign_fwd, WITH_SIGN(ebb_abs(x), y))

static ebb_tensor *copysign_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul(ebb_sign(c->x[0]), ebb_sign(c->y[0])));
}

EBB_OP(copysign,
    .sig = "input(),other()->()",
    .math = "z = |x| with the sign of y;  dx = g*sign(x)*sign(z),  dy = 0",
    .fwd = copysign_fwd,
    .vjp = EBB_VJP({copysign_dx, EBB_X(0) | EBB_Y(0)}, {no_slope, 0}),
    .flags = EBB_INPLACE | EBB_PROMOTES | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-2, 2}, {0.5, 2}),
    .kinks = EBB_KINKS({NULL, 2, {0, 1}, {0, 0}}),
    .doc = "Magnitude of input with the sign of other, also of its zeros; the derivative at 0 is 0."
);

EBB_NUMERIC2(heaviside_fwd, x == 0 ? y : (T)(x > 0))

static ebb_tensor *heaviside_dv(const ebb_call *c, ebb_tensor *g) {
    return ebb__where_or_zero(ebb_eq(c->x[0], ebb_scalar(c->x[0], 0)), g);
}

EBB_OP(heaviside,
    .sig = "input(),values()->()",
    .math = "z = 0 where x < 0, v where x = 0, 1 where x > 0;  dx = 0,  dv = g where x = 0",
    .fwd = heaviside_fwd,
    .vjp = EBB_VJP({no_slope, 0}, {heaviside_dv, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 2, {0, 0.5}, {0, 1}}),
    .doc = "Unit step with given values at 0; that of NaN is 0."
);
