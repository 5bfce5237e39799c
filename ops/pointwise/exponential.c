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

EBB_MAP1(exp2_fwd, ebb_exp2(x))

static ebb_tensor *exp2_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(c->y[0], 0.6931471805599453));
}

EBB_OP(exp2,
    .sig = "input()->()",
    .math = "y = 2^x;  dx = g*y*ln(2)",
    .fwd = exp2_fwd,
    .vjp = EBB_VJP({exp2_dx, EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Elementwise power of 2, exact for integers."
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

EBB_MAP1(log2_fwd, ebb_log2(x))

static ebb_tensor *log2_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_div(g, ebb_mul_scalar(c->x[0], 0.6931471805599453));
}

EBB_OP(log2,
    .sig = "input()->()",
    .math = "y = log2(x);  dx = g/(x*ln(2))",
    .fwd = log2_fwd,
    .vjp = EBB_VJP({log2_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.2, 3}),
    .doc = "Elementwise logarithm to base 2: -inf at 0, NaN below."
);

EBB_MAP1(log10_fwd, ebb_log10(x))

static ebb_tensor *log10_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_div(g, ebb_mul_scalar(c->x[0], 2.302585092994046));
}

EBB_OP(log10,
    .sig = "input()->()",
    .math = "y = log10(x);  dx = g/(x*ln(10))",
    .fwd = log10_fwd,
    .vjp = EBB_VJP({log10_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.2, 3}),
    .doc = "Elementwise logarithm to base 10: -inf at 0, NaN below."
);

/* ---- of two ---- */

/* m + f(|x - y|) with m the larger: nothing overflows; equal infinities have no difference. */
EBB_MAP2(logaddexp_fwd, x == y && x - x != 0 ? x : (x > y ? x : y) + ebb_log1p(ebb_exp(-ebb_abs(x - y))))
EBB_MAP2(logaddexp2_fwd, x == y && x - x != 0 ? x : (x > y ? x : y) + ebb_log1p(ebb_exp2(-ebb_abs(x - y))) * (T)1.4426950408889634)

static ebb_tensor *logaddexp_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_sigmoid(ebb_sub(c->x[0], c->x[1])));
}
static ebb_tensor *logaddexp_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_sigmoid(ebb_sub(c->x[1], c->x[0])));
}
static ebb_tensor *base_2(ebb_tensor *difference) {
    return ebb_sigmoid(ebb_mul_scalar(difference, 0.6931471805599453));
}
static ebb_tensor *logaddexp2_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, base_2(ebb_sub(c->x[0], c->x[1])));
}
static ebb_tensor *logaddexp2_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, base_2(ebb_sub(c->x[1], c->x[0])));
}

EBB_OP(logaddexp,
    .sig = "input(),other()->()",
    .math = "z = ln(exp(x) + exp(y));  dx = g*sigmoid(x - y),  dy = g*sigmoid(y - x)",
    .fwd = logaddexp_fwd,
    .vjp = EBB_VJP({logaddexp_dx, EBB_X(0) | EBB_X(1)}, {logaddexp_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_PROMOTES | EBB_FLOAT_OUT,
    .doc = "Logarithm of a sum of exponentials, without overflow."
);
EBB_OP(logaddexp2,
    .sig = "input(),other()->()",
    .math = "z = log2(2^x + 2^y);  dx = g*sigmoid(ln(2)*(x - y)),  dy = g*sigmoid(ln(2)*(y - x))",
    .fwd = logaddexp2_fwd,
    .vjp = EBB_VJP({logaddexp2_dx, EBB_X(0) | EBB_X(1)}, {logaddexp2_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_PROMOTES | EBB_FLOAT_OUT,
    .doc = "Logarithm to base 2 of a sum of powers of 2, without overflow."
);

EBB_MAP2(xlogy_fwd, x == 0 && y == y ? 0 : x * ebb_log(y))

static ebb_tensor *xlogy_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *y = c->x[1];
    ebb_tensor *none = ebb_logical_and(ebb_eq(x, ebb_scalar(x, 0)), ebb_le(y, ebb_scalar(y, 0)));
    return ebb_where(none, ebb_scalar(g, 0), ebb_xlogy(g, y));
}
static ebb_tensor *xlogy_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_div(c->x[0], c->x[1]));
}

EBB_OP(xlogy,
    .sig = "input(),other()->()",
    .math = "z = x*ln(y), 0 where x = 0;  dx = g*ln(y), 0 where x = 0 >= y;  dy = g*x/y",
    .fwd = xlogy_fwd,
    .vjp = EBB_VJP({xlogy_dx, EBB_X(0) | EBB_X(1)}, {xlogy_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_INPLACE | EBB_PROMOTES | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-2, 2}, {0.2, 3}),
    .doc = "Product with a logarithm, 0 where the factor is 0; NaN in other stays NaN."
);

/* An integer exponent beside an f64 is taken as one, so that 2^y has its range. */
static ebb_tensor *ldexp_compose(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0], *y = &c->x_shape[1];
    const bool wide = x->dtype == EBB_F64 && !ebb_is_float(y->dtype) && (x->ndim || !y->ndim);
    return ebb_mul(c->x[0], ebb_exp2(wide ? ebb_to(c->x[1], EBB_F64) : c->x[1]));
}

EBB_OP(ldexp,
    .sig = "input(),other()->()",
    .math = "z = x*2^y",
    .compose = ldexp_compose,
    .flags = EBB_INPLACE,
    .doc = "Product with a power of 2; the result is a float."
);

/* ---- logit ---- */

typedef struct logit_attrs {
    double eps;
} logit_attrs;
static const ebb_attr logit_attr[] = {EBB_ATTR(EBB_A_FLOAT, logit_attrs, eps, "-1",
                                               "the input is limited to [eps, 1 - eps]; negative: it is not")};

/* With u = |1 - 2v| / min(v, 1 - v) it is +-ln(1 + u): nothing cancels. */
EBB_KERNEL(logit_fwd,
    const T eps = (T)((const logit_attrs *)l->attrs)->eps;
    const T lo = eps < 0 ? -(T)INFINITY : eps; const T hi = eps < 0 ? (T)INFINITY : 1 - eps;
    const T *p0 = (const T *)l->p[0];
    T *q = (T *)l->p[1];
    const int64_t s0 = l->step[0]; const int64_t sq = l->step[1];
    EBB_IVDEP for (int64_t i = 0; i < l->n; i++) {
        const T x = p0[i * s0]; const T v = x < lo ? lo : x > hi ? hi : x;
        const T above = v < (T)0.5 ? 1 - 2 * v : 2 * v - 1; const T below = v < (T)0.5 ? v + 0 : 1 - v; /* no -0 */
        const T y = ebb_log1p(above / below);
        q[i * sq] = v < (T)0.5 ? -y : y;
    })

static ebb_tensor *logit_dx(const ebb_call *c, ebb_tensor *g) {
    const double eps = ((const logit_attrs *)c->attrs)->eps;
    const bool limited = eps >= 0;
    ebb_tensor *x = c->x[0], *slope = ebb_div(g, ebb_mul(x, ebb_sub_from(1, x)));
    ebb_tensor *outside = ebb_logical_or(ebb_lt(x, ebb_scalar(x, limited ? eps : 0)),
                                         ebb_gt(x, ebb_scalar(x, limited ? 1 - eps : 1)));
    return ebb_where(outside, ebb_scalar(g, limited ? 0 : EBB_NAN), slope);
}

EBB_OP(logit,
    .sig = "input()->()",
    .math = "y = ln(x/(1 - x)), x limited to [eps, 1 - eps];  dx = g/(x*(1 - x)), 0 outside",
    .fwd = logit_fwd,
    .attrs = EBB_ATTRS(logit_attrs, logit_attr),
    .vjp = EBB_VJP({logit_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.1, 0.9}),
    .kinks = EBB_KINKS({"eps=0.25", 1, {0.25}, {5.333333333333333}}, {"eps=0.25", 1, {0.75}, {5.333333333333333}}),
    .tries = "eps=0.25; eps=0",
    .doc = "Inverse of sigmoid. Without eps NaN outside [0, 1]; with it the gradient passes at the bounds themselves."
);
