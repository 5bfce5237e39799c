/* exponential.c - floor 5: exponentials and logarithms. */
#include "pointwise.h"

EBB_MAP1(exp_fwd, ebb_exp(x))

static ebb_tensor *exp_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, c->y[0]); }

EBB_OP(exp,
    .sig = "input()->()",
    .math = "y = exp(x);  dx = g*y",
    .fwd = exp_fwd,
    .vjp = EBB_VJP({exp_dx, EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise exponential."
);

EBB_MAP1(expm1_fwd, ebb_expm1(x))

static ebb_tensor *expm1_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_add_scalar(c->y[0], 1));
}

EBB_OP(expm1,
    .sig = "input()->()",
    .math = "y = exp(x) - 1;  dx = g*(y + 1)",
    .fwd = expm1_fwd,
    .vjp = EBB_VJP({expm1_dx, EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise exponential minus one, exact near 0."
);

EBB_MAP1(log_fwd, ebb_log(x))

static ebb_tensor *log_dx(const ebb_call *c, ebb_tensor *g) { return ebb_div(g, c->x[0]); }

EBB_OP(log,
    .sig = "input()->()",
    .math = "y = ln(x);  dx = g/x",
    .fwd = log_fwd,
    .vjp = EBB_VJP({log_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.2, 3}),
    .doc = "Elementwise natural logarithm: -inf at 0, NaN below."
);

EBB_MAP1(log1p_fwd, ebb_log1p(x))

static ebb_tensor *log1p_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_div(g, ebb_add_scalar(c->x[0], 1));
}

EBB_OP(log1p,
    .sig = "input()->()",
    .math = "y = ln(1 + x);  dx = g/(1 + x)",
    .fwd = log1p_fwd,
    .vjp = EBB_VJP({log1p_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-0.8, 3}),
    .doc = "Elementwise natural logarithm of 1 + x, exact near 0."
);
