/* smooth.c - floor 5: activations with an exponential in them: elu and its kin, gelu, silu, mish, softplus, logsigmoid, softsign, tanhshrink. */
#include "activation.h"

/* ---- elu, selu, celu: y = s*x right of 0, s*a*(exp(k*x) - 1) left of it ---- */

#define ELU(a, s, k) (x > 0 ? (s)*x : (s) * (a)*ebb_expm1((k)*x))
#define ELU_PULL(a, s, k) (y > 0 ? x * (s) : x * ((s) * (a) * (k)*ebb_exp((k)*y)))

/* The exponential is taken of what is left of 0 alone, so nothing overflows in any derivative. */
static ebb_tensor *elu_slope(ebb_tensor *x, ebb_tensor *g, double a, double s, double k) {
    ebb_tensor *zero = ebb_scalar(x, 0), *left = ebb_where(ebb_ge(x, zero), zero, x);
    ebb_tensor *bent = ebb_mul(g, ebb_mul_scalar(ebb_exp(ebb_mul_scalar(left, k)), s * a * k));
    return ebb_where(ebb_gt(x, zero), ebb_mul_scalar(g, s), bent);
}

typedef struct alpha_attrs {
    double alpha;
} alpha_attrs;
static const ebb_attr alpha_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, alpha_attrs, alpha, "1", "minus the limit at -infinity"),
};

#define ALPHA const T alpha = (T)a->alpha;
EBB_MAP1_OF(elu_fwd, alpha_attrs, ALPHA, ELU(alpha, 1, 1))
EBB_MAP2_OF(elu_pull, alpha_attrs, ALPHA, ELU_PULL(alpha, 1, 1))
static ebb_tensor *elu_dx(const ebb_call *c, ebb_tensor *g) {
    return elu_slope(c->x[0], g, ((const alpha_attrs *)c->attrs)->alpha, 1, 1);
}

EBB_OP(elu,
    .sig = "input()->()",
    .math = "y = x where x > 0, else a*(exp(x) - 1);  dx = g where x > 0, else g*a*exp(x)",
    .fwd = elu_fwd,
    .attrs = EBB_ATTRS(alpha_attrs, alpha_attr),
    .vjp = EBB_VJP({elu_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, elu_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {1}}, {"alpha=0.3", 1, {0}, {0.3}}),
    .tries = "alpha=0.3; alpha=-1.5",
    .doc = "Exponential linear unit; its derivative at 0 is alpha.",
    .ref = "Clevert, Unterthiner, Hochreiter, 2016"
);

#define ALPHA_AND_INVERSE ALPHA const T inverse = (T)(1 / a->alpha);
EBB_MAP1_OF(celu_fwd, alpha_attrs, ALPHA_AND_INVERSE, ELU(alpha, 1, inverse))
EBB_MAP2_OF(celu_pull, alpha_attrs, ALPHA_AND_INVERSE, ELU_PULL(alpha, 1, inverse))

/* Only to refuse; the kernel computes. */
static ebb_tensor *celu_compose(const ebb_call *c) {
    if (((const alpha_attrs *)c->attrs)->alpha != 0) return NULL;
    return EBB_FAIL(c, EBB_E_ATTR, "alpha is 0, and x/alpha is needed; give another number");
}
static ebb_tensor *celu_dx(const ebb_call *c, ebb_tensor *g) {
    const double alpha = ((const alpha_attrs *)c->attrs)->alpha;
    return elu_slope(c->x[0], g, alpha, 1, 1 / alpha);
}

EBB_OP(celu,
    .sig = "input()->()",
    .math = "y = x where x > 0, else a*(exp(x/a) - 1);  dx = g where x > 0, else g*exp(x/a)",
    .compose = celu_compose,
    .fwd = celu_fwd,
    .attrs = EBB_ATTRS(alpha_attrs, alpha_attr),
    .vjp = EBB_VJP({celu_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, celu_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {1}}, {"alpha=0.3", 1, {0}, {1}}),
    .tries = "alpha=0.3; alpha=2",
    .doc = "Exponential linear unit with a derivative without a jump, for any alpha but 0.",
    .ref = "Barron, 2017"
);

#define SELU_ALPHA 1.6732632423543772848170429916717
#define SELU_SCALE 1.0507009873554804934193349852946
EBB_MAP1(selu_fwd, ELU((T)SELU_ALPHA, (T)SELU_SCALE, 1))
EBB_MAP2(selu_pull, ELU_PULL((T)SELU_ALPHA, (T)SELU_SCALE, 1))
static ebb_tensor *selu_dx(const ebb_call *c, ebb_tensor *g) {
    return elu_slope(c->x[0], g, SELU_ALPHA, SELU_SCALE, 1);
}

EBB_OP(selu,
    .sig = "input()->()",
    .math = "y = s*x where x > 0, else s*a*(exp(x) - 1);  dx = g*s where x > 0, else g*s*a*exp(x)",
    .fwd = selu_fwd,
    .vjp = EBB_VJP({selu_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, selu_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {SELU_ALPHA * SELU_SCALE}}),
    .doc = "Self-normalising exponential linear unit, a = 1.67326, s = 1.05070; its derivative at 0 is s*a.",
    .ref = "Klambauer, Unterthiner, Mayr, Hochreiter, 2017"
);

/* ---- gelu ---- */

typedef struct gelu_attrs {
    int32_t approximate;
} gelu_attrs;
static const ebb_attr gelu_attr[] = {
    EBB_ATTR(EBB_A_ENUM, gelu_attrs, approximate, "none", "tanh: by a hyperbolic tangent", .choices = "none|tanh"),
};

/* (1 + tanh(u))/2 = sigmoid(2*u), without cancellation in the left tail; here z = 2*u. */
#define GELU_K 1.5957691216057308 /* 2*sqrt(2/pi) */
#define GELU_C 0.044715
#define ROOT_HALF 0.70710678118654752440
#define GELU_CDF(v) ((T)0.5 * (1 + ebb_erf((v) * (T)ROOT_HALF)))
#define GELU_PDF(v) ((T)0.39894228040143267794 * ebb_exp((T)-0.5 * (v) * (v))) /* 1/sqrt(2*pi) */
#define GELU_S(v) ebb_sigmoid((T)GELU_K *((v) + (T)GELU_C * (v) * (v) * (v)))
#define GELU_DZ(v) ((T)GELU_K * (1 + 3 * (T)GELU_C * (v) * (v)))

EBB_KERNEL(gelu_fwd,
    if (((const gelu_attrs *)l->attrs)->approximate) {
        EBB__MAP1_BODY(T, x * GELU_S(x))
    } else {
        EBB__MAP1_BODY(T, x * GELU_CDF(x))
    })
EBB_KERNEL(gelu_pull,
    if (((const gelu_attrs *)l->attrs)->approximate) {
        EBB__MAP2_BODY(T, x * (GELU_S(y) * (1 + y * (1 - GELU_S(y)) * GELU_DZ(y))))
    } else {
        EBB__MAP2_BODY(T, x * (GELU_CDF(y) + y * GELU_PDF(y)))
    })

static ebb_tensor *gelu_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *square = ebb_square(x);
    if (((const gelu_attrs *)c->attrs)->approximate) {
        ebb_tensor *z = ebb_mul_scalar(ebb_mul(x, ebb_add_scalar(ebb_mul_scalar(square, GELU_C), 1)), GELU_K);
        ebb_tensor *dz = ebb_mul_scalar(ebb_add_scalar(ebb_mul_scalar(square, 3 * GELU_C), 1), GELU_K);
        ebb_tensor *s = ebb_sigmoid(z);
        return ebb_mul(g, ebb_mul(s, ebb_add_scalar(ebb_mul(ebb_mul(x, ebb_sub_from(1, s)), dz), 1)));
    }
    ebb_tensor *cdf = ebb_mul_scalar(ebb_add_scalar(ebb_erf(ebb_mul_scalar(x, ROOT_HALF)), 1), 0.5);
    ebb_tensor *pdf = ebb_mul_scalar(ebb_exp(ebb_mul_scalar(square, -0.5)), 0.39894228040143267794);
    return ebb_mul(g, ebb_add(cdf, ebb_mul(x, pdf)));
}

EBB_OP(gelu,
    .sig = "input()->()",
    .math = "y = x*Phi(x);  dx = g*(Phi(x) + x*phi(x));  tanh: y = x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))/2",
    .fwd = gelu_fwd,
    .attrs = EBB_ATTRS(gelu_attrs, gelu_attr),
    .vjp = EBB_VJP({gelu_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, gelu_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .domain = EBB_DOMAIN({-4, 4}),
    .tries = "approximate=tanh",
    .doc = "Gaussian error linear unit: x times the standard normal distribution function.",
    .ref = "Hendrycks, Gimpel, 2016"
);

/* ---- silu, mish ---- */

EBB_MAP1(silu_fwd, x * ebb_sigmoid(x))
EBB_MAP2(silu_pull, x * (ebb_sigmoid(y) * (1 + y * (1 - ebb_sigmoid(y)))))

static ebb_tensor *silu_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *s = ebb_sigmoid(x);
    return ebb_mul(g, ebb_mul(s, ebb_add_scalar(ebb_mul(x, ebb_sub_from(1, s)), 1)));
}

EBB_OP(silu,
    .sig = "input()->()",
    .math = "y = x*s, s = sigmoid(x);  dx = g*s*(1 + x*(1 - s))",
    .fwd = silu_fwd,
    .vjp = EBB_VJP({silu_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, silu_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .domain = EBB_DOMAIN({-4, 4}),
    .doc = "Sigmoid linear unit, also called swish.",
    .ref = "Elfwing, Uchibe, Doya, 2018"
);

/* tanh(ln(1 + e^x)) = (n^2 + 2n)/(n^2 + 2n + 2), n = e^x; right of 0 divided by n^2, so that nothing overflows. */
#define MISH_E(v) ebb_exp(-ebb_abs(v))
#define MISH_TOP(v) ((v) < 0 ? MISH_E(v) * (MISH_E(v) + 2) : 1 + 2 * MISH_E(v))
#define MISH_REST(v) ((v) < 0 ? 2 : 2 * MISH_E(v) * MISH_E(v))
#define MISH_T(v) (MISH_TOP(v) / (MISH_TOP(v) + MISH_REST(v)))
EBB_MAP1(mish_fwd, x * MISH_T(x))
EBB_MAP2(mish_pull, x * (MISH_T(y) + y * ebb_sigmoid(y) * (1 - MISH_T(y) * MISH_T(y))))

static ebb_tensor *mish_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *t = ebb_tanh(ebb_neg(ebb_logsigmoid(ebb_neg(x))));
    return ebb_mul(g, ebb_add(t, ebb_mul(ebb_mul(x, ebb_sigmoid(x)), ebb_sub_from(1, ebb_square(t)))));
}

EBB_OP(mish,
    .sig = "input()->()",
    .math = "y = x*t, t = tanh(ln(1 + exp(x)));  dx = g*(t + x*sigmoid(x)*(1 - t^2))",
    .fwd = mish_fwd,
    .vjp = EBB_VJP({mish_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, mish_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .domain = EBB_DOMAIN({-4, 4}),
    .doc = "x times the hyperbolic tangent of its softplus.",
    .ref = "Misra, 2019"
);

/* ---- softplus, logsigmoid ---- */

typedef struct softplus_attrs {
    double beta, threshold;
} softplus_attrs;
static const ebb_attr softplus_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, softplus_attrs, beta, "1", "sharpness, above 0", .lo = 1e-30, .hi = 1e30),
    EBB_ATTR(EBB_A_FLOAT, softplus_attrs, threshold, "20", "linear where beta*x is above"),
};

#define LOG_TAIL(v) ebb_log1p(ebb_exp(-ebb_abs(v))) /* ln(1 + e^v) = max(v, 0) + this */
#define BETA                                                                                                 \
    const T beta = (T)a->beta;                                                                               \
    const T bound = (T)a->threshold;
EBB_MAP1_OF(softplus_fwd, softplus_attrs, BETA,
        x * beta > bound ? x : ((x > 0 ? x * beta : 0) + LOG_TAIL(x * beta)) / beta)
EBB_MAP2_OF(softplus_pull, softplus_attrs, BETA, y * beta > bound ? x : x * ebb_sigmoid(y * beta))

static ebb_tensor *softplus_dx(const ebb_call *c, ebb_tensor *g) {
    const softplus_attrs *a = (const softplus_attrs *)c->attrs;
    ebb_tensor *z = ebb_mul_scalar(c->x[0], a->beta);
    return ebb_where(ebb_gt(z, ebb_scalar(z, a->threshold)), g, ebb_mul(g, ebb_sigmoid(z)));
}

EBB_OP(softplus,
    .sig = "input()->()",
    .math = "y = ln(1 + exp(b*x))/b, x where b*x > threshold;  dx = g*sigmoid(b*x), g above",
    .fwd = softplus_fwd,
    .attrs = EBB_ATTRS(softplus_attrs, softplus_attr),
    .vjp = EBB_VJP({softplus_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, softplus_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({"beta=2 threshold=0.6", 1, {0.3}, {0.6456563062257954}}),
    .tries = "beta=2; beta=0.5; beta=2 threshold=0.6",
    .doc = "Smooth rectifier. Above the threshold it is x itself."
);

EBB_MAP1(logsigmoid_fwd, (x < 0 ? x : 0) - LOG_TAIL(x))
EBB_MAP2(logsigmoid_pull, x * ebb_sigmoid(-y))

static ebb_tensor *logsigmoid_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_sigmoid(ebb_neg(c->x[0])));
}

EBB_OP(logsigmoid,
    .sig = "input()->()",
    .math = "y = -ln(1 + exp(-x));  dx = g*sigmoid(-x)",
    .fwd = logsigmoid_fwd,
    .vjp = EBB_VJP({logsigmoid_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, logsigmoid_pull, EBB_X(0)}),
    .doc = "Logarithm of the logistic function, exact where that underflows."
);

/* ---- softsign, tanhshrink ---- */

static ebb_tensor *softsign_compose(const ebb_call *c) {
    return ebb_div(c->x[0], ebb_add_scalar(ebb_abs(c->x[0]), 1));
}

EBB_OP(softsign,
    .sig = "input()->()",
    .math = "y = x/(1 + |x|);  dx = g/(1 + |x|)^2",
    .compose = softsign_compose,
    .kinks = EBB_KINKS({NULL, 1, {0}, {1}}),
    .doc = "x over 1 + |x|, between -1 and 1. An infinity gives NaN."
);

static ebb_tensor *tanhshrink_compose(const ebb_call *c) {
    if (ebb__is_bool(c)) return NULL;
    return ebb_sub(c->x[0], ebb_tanh(c->x[0]));
}

EBB_OP(tanhshrink,
    .sig = "input()->()",
    .math = "y = x - tanh(x);  dx = g*tanh(x)^2",
    .compose = tanhshrink_compose,
    .doc = "x less its hyperbolic tangent."
);
