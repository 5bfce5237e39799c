/* special.c - floor 5: error functions, the gamma function and its kin, sinc. */
#include "special.h"

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

EBB_MAP1(erfc_fwd, ebb_erfc(x))

static ebb_tensor *erfc_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(ebb_exp(ebb_neg(ebb_square(c->x[0]))), -1.1283791670955126));
}

EBB_OP(erfc,
    .sig = "input()->()",
    .math = "y = 1 - erf(x);  dx = -g*2/sqrt(pi)*exp(-x^2)",
    .fwd = erfc_fwd,
    .vjp = EBB_VJP({erfc_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Complementary error function, exact where erf is near 1."
);

EBB_MAP1(erfinv_fwd, erfinv_of((double)x))

static ebb_tensor *erfinv_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(ebb_exp(ebb_square(c->y[0])), 0.886226925452758));
}

EBB_OP(erfinv,
    .sig = "input()->()",
    .math = "y = erf^-1(x);  dx = g*sqrt(pi)/2*exp(y^2)",
    .fwd = erfinv_fwd,
    .vjp = EBB_VJP({erfinv_dx, EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-0.9, 0.9}),
    .ref = "the form of the approximation: Giles, Approximating the erfinv function, 2012",
    .doc = "Inverse of the error function: infinite at -1 and 1, NaN beyond."
);

EBB_MAP1(lgamma_fwd, lgamma_of((double)x))

static ebb_tensor *lgamma_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, ebb_digamma(c->x[0])); }

EBB_OP(lgamma,
    .sig = "input()->()",
    .math = "y = ln|gamma(x)|;  dx = g*digamma(x)",
    .fwd = lgamma_fwd,
    .vjp = EBB_VJP({lgamma_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.3, 4}),
    .doc = "Logarithm of the absolute value of the gamma function: infinite at 0 and negative integers."
);

/* The derivative of order n of digamma. */
static ebb_tensor *polygamma_at(ebb_tensor *x, int64_t n) { return ebb_polygamma(x, .n = n); }

EBB_MAP1(digamma_fwd, digamma_of((double)x))

static ebb_tensor *digamma_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, polygamma_at(c->x[0], 1));
}

EBB_OP(digamma,
    .sig = "input()->()",
    .math = "y = d/dx ln(gamma(x));  dx = g*polygamma(1, x)",
    .fwd = digamma_fwd,
    .vjp = EBB_VJP({digamma_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.3, 4}),
    .doc = "Logarithmic derivative of the gamma function: NaN at negative integers, infinite at 0."
);

typedef struct polygamma_attrs {
    int64_t n;
} polygamma_attrs;
static const ebb_attr polygamma_attr[] = {
    EBB_ATTR(EBB_A_INT, polygamma_attrs, n, NULL, "order of the derivative of digamma", .lo = 0, .hi = 1e9)};

static int64_t order_of(const void *attrs) { return ((const polygamma_attrs *)attrs)->n; }

EBB_MAP1_ATTRS(polygamma_fwd, polygamma_attrs, polygamma_of((double)x, a->n))

static ebb_tensor *polygamma_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, polygamma_at(c->x[0], order_of(c->attrs) + 1));
}

EBB_OP(polygamma,
    .sig = "input()->()",
    .math = "y = d^n/dx^n digamma(x);  dx = g*polygamma(n + 1, x)",
    .fwd = polygamma_fwd,
    .attrs = EBB_ATTRS(polygamma_attrs, polygamma_attr),
    .vjp = EBB_VJP({polygamma_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.5, 4}),
    .tries = "n=0; n=1; n=2; n=3",
    .ref = "Hurwitz' zeta function by Euler and Maclaurin's summation; left of 0 by the same sum",
    .doc = "Derivative of order n of digamma; infinite at 0 and negative integers from n = 1 on."
);

/* ---- sinc ---- */

EBB_MAP1(sinc_fwd, x == 0 ? 1 : ebb_sin((T)EBB__PI * x) / ((T)EBB__PI * x))

/* Near 0, where the difference of the formula cancels, by its series in a = pi x: -a/3 + a^3/30 - ... */
static ebb_tensor *sinc_dx(const ebb_call *c, ebb_tensor *g) {
    static const double series[] = {-1.0 / 3,       1.0 / 30,        -1.0 / 840,        1.0 / 45360,
                                    -1.0 / 3991680, 1.0 / 518918400, -1.0 / 93405312000};
    const int n = (int)(sizeof series / sizeof *series);
    ebb_tensor *x = c->x[0], *a = ebb_mul_scalar(x, EBB__PI), *z = ebb_square(a);
    ebb_tensor *is_near = ebb_lt(z, ebb_scalar(z, 0.25)), *far_x = ebb_where(is_near, ebb_scalar(x, 1), x),
               *far = ebb_mul_scalar(far_x, EBB__PI);
    ebb_tensor *near_z = ebb_where(is_near, z, ebb_scalar(z, 0)), *p = ebb_mul_scalar(near_z, series[n - 1]);
    for (int k = n - 1; k-- > 0; p = k ? ebb_mul(p, near_z) : p) p = ebb_add_scalar(p, series[k]);
    ebb_tensor *near_slope = ebb_mul(p, ebb_mul_scalar(a, EBB__PI));
    ebb_tensor *far_slope = ebb_div(ebb_sub(ebb_cos(far), ebb_div(ebb_sin(far), far)), far_x);
    return ebb_mul(g, ebb_where(is_near, near_slope, far_slope));
}

EBB_OP(sinc,
    .sig = "input()->()",
    .math = "y = sin(pi*x)/(pi*x), 1 at 0;  dx = g*(cos(pi*x) - y)/x, 0 at 0",
    .fwd = sinc_fwd,
    .vjp = EBB_VJP({sinc_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Normalised cardinal sine."
);
