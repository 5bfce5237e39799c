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

EBB_MAP1(erf_fwd, ebb_erf(x))

static ebb_tensor *erf_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(ebb_exp(ebb_neg(ebb_square(c->x[0]))), 1.1283791670955126)); /* 2/sqrt(pi) */
}

EBB_OP(erf,
    .sig = "input()->()",
    .math = "y = erf(x);  dx = g*2/sqrt(pi)*exp(-x^2)",
    .fwd = erf_fwd,
    .vjp = EBB_VJP({erf_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise error function."
);
