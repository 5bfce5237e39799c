/* rounding.c - floor 5: signs, magnitudes, rounding, and numbers put in place of others. */
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
    return ebb__any_bool(c) ? EBB_FAIL(c, EBB_E_DTYPE, "a bool is not rounded; convert it") : ebb_positive(c->x[0]);
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
