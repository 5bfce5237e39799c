/* trigonometric.c - floor 5: trigonometric and hyperbolic functions, and their inverses. */
#include "pointwise.h"

EBB_MAP1(sin_fwd, ebb_sin(x))

static ebb_tensor *sin_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, ebb_cos(c->x[0])); }

EBB_OP(sin,
    .sig = "input()->()",
    .math = "y = sin(x);  dx = g*cos(x)",
    .fwd = sin_fwd,
    .vjp = EBB_VJP({sin_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise sine of radians."
);

EBB_MAP1(cos_fwd, ebb_cos(x))

static ebb_tensor *cos_dx(const ebb_call *c, ebb_tensor *g) { return ebb_neg(ebb_mul(g, ebb_sin(c->x[0]))); }

EBB_OP(cos,
    .sig = "input()->()",
    .math = "y = cos(x);  dx = -g*sin(x)",
    .fwd = cos_fwd,
    .vjp = EBB_VJP({cos_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise cosine of radians."
);

EBB_MAP1(tan_fwd, ebb_tan(x))

static ebb_tensor *tan_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_add_scalar(ebb_square(c->y[0]), 1));
}

EBB_OP(tan,
    .sig = "input()->()",
    .math = "y = tan(x);  dx = g*(1 + y^2)",
    .fwd = tan_fwd,
    .vjp = EBB_VJP({tan_dx, EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-1.3, 1.3}),
    .doc = "Elementwise tangent of radians."
);

/* ---- their inverses ---- */

/* 1 - x^2, without cancellation near 1 */
static ebb_tensor *one_less_square(ebb_tensor *x) {
    return ebb_mul(ebb_sub_from(1, x), ebb_add_scalar(x, 1));
}

EBB_MAP1(asin_fwd, ebb_asin(x))

static ebb_tensor *asin_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_rsqrt(one_less_square(c->x[0])));
}

EBB_OP(asin,
    .sig = "input()->()",
    .math = "y = asin(x);  dx = g/sqrt(1 - x^2)",
    .fwd = asin_fwd,
    .vjp = EBB_VJP({asin_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-0.9, 0.9}),
    .doc = "Elementwise inverse sine, in radians: NaN outside [-1, 1]."
);

EBB_MAP1(acos_fwd, ebb_acos(x))

static ebb_tensor *acos_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_neg(ebb_mul(g, ebb_rsqrt(one_less_square(c->x[0]))));
}

EBB_OP(acos,
    .sig = "input()->()",
    .math = "y = acos(x);  dx = -g/sqrt(1 - x^2)",
    .fwd = acos_fwd,
    .vjp = EBB_VJP({acos_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-0.9, 0.9}),
    .doc = "Elementwise inverse cosine, in radians: NaN outside [-1, 1]."
);

EBB_MAP1(atan_fwd, ebb_atan(x))

static ebb_tensor *atan_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_div(g, ebb_add_scalar(ebb_square(c->x[0]), 1));
}

EBB_OP(atan,
    .sig = "input()->()",
    .math = "y = atan(x);  dx = g/(1 + x^2)",
    .fwd = atan_fwd,
    .vjp = EBB_VJP({atan_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise inverse tangent, in radians."
);

EBB_MAP2(atan2_fwd, ebb_atan2(x, y))

/* Divided twice by the length, whose square could overflow. */
static ebb_tensor *atan2_dy(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *h = ebb_hypot(c->x[0], c->x[1]);
    return ebb_mul(g, ebb_div(ebb_div(c->x[1], h), h));
}
static ebb_tensor *atan2_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *h = ebb_hypot(c->x[0], c->x[1]);
    return ebb_neg(ebb_mul(g, ebb_div(ebb_div(c->x[0], h), h)));
}

EBB_OP(atan2,
    .sig = "input(),other()->()",
    .math = "z = the angle of the point (x, y), y the input;  dy = g*x/(x^2 + y^2),  dx = -g*y/(x^2 + y^2)",
    .fwd = atan2_fwd,
    .vjp = EBB_VJP({atan2_dy, EBB_X(0) | EBB_X(1)}, {atan2_dx, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_INPLACE | EBB_PROMOTES | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-2, 2}, {0.5, 2}),
    .doc = "Inverse tangent of input/other in the quadrant of both, from -pi to pi."
);

EBB_MAP2(hypot_fwd, ebb_hypot(x, y))

static ebb_tensor *hypot_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_div(c->x[0], c->y[0]));
}
static ebb_tensor *hypot_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_div(c->x[1], c->y[0]));
}

EBB_OP(hypot,
    .sig = "input(),other()->()",
    .math = "z = sqrt(x^2 + y^2);  dx = g*x/z,  dy = g*y/z",
    .fwd = hypot_fwd,
    .vjp = EBB_VJP({hypot_dx, EBB_X(0) | EBB_Y(0)}, {hypot_dy, EBB_X(1) | EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_PROMOTES | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-2, 2}, {0.5, 2}),
    .doc = "Length of the vector (x, y), without overflow."
);

/* ---- hyperbolic ---- */

EBB_MAP1(tanh_fwd, ebb_tanh(x))

static ebb_tensor *tanh_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_sub_from(1, ebb_square(c->y[0])));
}
EBB_MAP2(tanh_pull, x * (1 - y * y))

EBB_OP(tanh,
    .sig = "input()->()",
    .math = "y = tanh(x);  dx = g*(1 - y^2)",
    .fwd = tanh_fwd,
    .vjp = EBB_VJP({tanh_dx, EBB_Y(0)}),
    .pull = EBB_PULL({0, tanh_pull, EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise hyperbolic tangent."
);

EBB_MAP1(sinh_fwd, ebb_sinh(x))

static ebb_tensor *sinh_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, ebb_cosh(c->x[0])); }

EBB_OP(sinh,
    .sig = "input()->()",
    .math = "y = sinh(x);  dx = g*cosh(x)",
    .fwd = sinh_fwd,
    .vjp = EBB_VJP({sinh_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise hyperbolic sine."
);

EBB_MAP1(cosh_fwd, ebb_cosh(x))

static ebb_tensor *cosh_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, ebb_sinh(c->x[0])); }

EBB_OP(cosh,
    .sig = "input()->()",
    .math = "y = cosh(x);  dx = g*sinh(x)",
    .fwd = cosh_fwd,
    .vjp = EBB_VJP({cosh_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise hyperbolic cosine."
);

EBB_MAP1(asinh_fwd, ebb_asinh(x))

static ebb_tensor *asinh_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_rsqrt(ebb_add_scalar(ebb_square(c->x[0]), 1)));
}

EBB_OP(asinh,
    .sig = "input()->()",
    .math = "y = asinh(x);  dx = g/sqrt(x^2 + 1)",
    .fwd = asinh_fwd,
    .vjp = EBB_VJP({asinh_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise inverse hyperbolic sine."
);

EBB_MAP1(acosh_fwd, ebb_acosh(x))

static ebb_tensor *acosh_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_rsqrt(ebb_mul(ebb_add_scalar(c->x[0], -1), ebb_add_scalar(c->x[0], 1))));
}

EBB_OP(acosh,
    .sig = "input()->()",
    .math = "y = acosh(x);  dx = g/sqrt(x^2 - 1)",
    .fwd = acosh_fwd,
    .vjp = EBB_VJP({acosh_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({1.2, 3}),
    .doc = "Elementwise inverse hyperbolic cosine: NaN below 1."
);

EBB_MAP1(atanh_fwd, ebb_atanh(x))

static ebb_tensor *atanh_dx(const ebb_call *c, ebb_tensor *g) { return ebb_div(g, one_less_square(c->x[0])); }

EBB_OP(atanh,
    .sig = "input()->()",
    .math = "y = atanh(x);  dx = g/(1 - x^2)",
    .fwd = atanh_fwd,
    .vjp = EBB_VJP({atanh_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-0.9, 0.9}),
    .doc = "Elementwise inverse hyperbolic tangent: infinite at -1 and 1, NaN beyond."
);

/* ---- degrees ---- */

static ebb_tensor *deg2rad_compose(const ebb_call *c) {
    return ebb_mul_scalar(c->x[0], 0.017453292519943295);
}
static ebb_tensor *rad2deg_compose(const ebb_call *c) { return ebb_mul_scalar(c->x[0], 57.29577951308232); }

EBB_OP(deg2rad,
    .sig = "input()->()",
    .math = "y = x*pi/180",
    .compose = deg2rad_compose,
    .flags = EBB_INPLACE,
    .doc = "Degrees as radians."
);
EBB_OP(rad2deg,
    .sig = "input()->()",
    .math = "y = x*180/pi",
    .compose = rad2deg_compose,
    .flags = EBB_INPLACE,
    .doc = "Radians as degrees."
);
