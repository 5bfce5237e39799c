/* pointwise.c - floor 5: elementwise arithmetic and functions of real numbers. */
#include <ebb/op.h>

/* ---- arithmetic ---- */

static ebb_tensor *pass(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}
static ebb_tensor *negated(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_neg(g);
}
static ebb_tensor *zero(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 0);
}

EBB_NUMERIC2(add_fwd, x + y)

EBB_OP(add,
    .sig = "input(),other()->()",
    .math = "z = x + y;  dx = g,  dy = g",
    .fwd = add_fwd,
    .vjp = EBB_VJP({pass, 0}, {pass, 0}),
    .flags = EBB_LINEAR | EBB_INPLACE | EBB_PROMOTES,
    .doc = "Elementwise sum."
);

EBB_NUMERIC2(sub_fwd, x - y)

EBB_OP(sub,
    .sig = "input(),other()->()",
    .math = "z = x - y;  dx = g,  dy = -g",
    .fwd = sub_fwd,
    .vjp = EBB_VJP({pass, 0}, {negated, 0}),
    .flags = EBB_LINEAR | EBB_INPLACE | EBB_PROMOTES,
    .doc = "Elementwise difference."
);

EBB_NUMERIC2(mul_fwd, x * y)

static ebb_tensor *mul_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, c->x[1]); }
static ebb_tensor *mul_dy(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, c->x[0]); }

EBB_OP(mul,
    .sig = "input(),other()->()",
    .math = "z = x*y;  dx = g*y,  dy = g*x",
    .fwd = mul_fwd,
    .vjp = EBB_VJP({mul_dx, EBB_X(1)}, {mul_dy, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Elementwise product."
);

EBB_MAP2(div_fwd, x / y)

static ebb_tensor *div_dx(const ebb_call *c, ebb_tensor *g) { return ebb_div(g, c->x[1]); }
static ebb_tensor *div_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_neg(ebb_mul(g, ebb_div(c->y[0], c->x[1])));
}

EBB_OP(div,
    .sig = "input(),other()->()",
    .math = "z = x/y;  dx = g/y,  dy = -g*z/y",
    .fwd = div_fwd,
    .vjp = EBB_VJP({div_dx, EBB_X(1)}, {div_dy, EBB_X(1) | EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_PROMOTES | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-2, 2}, {0.5, 2}),
    .doc = "Elementwise quotient. Division by zero gives an infinity or NaN, as IEEE 754 says."
);

EBB_NUMERIC1(neg_fwd, -x)

EBB_OP(neg,
    .sig = "input()->()",
    .math = "y = -x;  dx = -g",
    .fwd = neg_fwd,
    .vjp = EBB_VJP({negated, 0}),
    .flags = EBB_LINEAR | EBB_INPLACE,
    .doc = "Elementwise negative."
);

EBB_NUMERIC1(square_fwd, x * x)

static ebb_tensor *square_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(c->x[0], 2));
}
EBB_MAP2(square_pull, x * (2 * y))

EBB_OP(square,
    .sig = "input()->()",
    .math = "y = x^2;  dx = g*2*x",
    .fwd = square_fwd,
    .vjp = EBB_VJP({square_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, square_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .doc = "Elementwise square."
);

typedef struct pow_attrs {
    double exponent;
} pow_attrs;
static const ebb_attr pow_attr[] = {EBB_ATTR(EBB_A_FLOAT, pow_attrs, exponent, NULL, "the power, a number")};

/* Small powers are products: exact, and many times faster. */
EBB_KERNEL(pow_fwd,
    const T *p0 = (const T *)l->p[0];
    T *q = (T *)l->p[1];
    const int64_t n = l->n, s = l->step[0], sq = l->step[1];
    const double k = ((const pow_attrs *)l->attrs)->exponent;
    if (k == 2) for (int64_t i = 0; i < n; i++) q[i * sq] = p0[i * s] * p0[i * s];
    else if (k == 3) for (int64_t i = 0; i < n; i++) q[i * sq] = p0[i * s] * p0[i * s] * p0[i * s];
    else if (k == 1) for (int64_t i = 0; i < n; i++) q[i * sq] = p0[i * s];
    else if (k == -1) for (int64_t i = 0; i < n; i++) q[i * sq] = 1 / p0[i * s];
    else for (int64_t i = 0; i < n; i++) q[i * sq] = ebb_raise(p0[i * s], (T)k);)

static ebb_tensor *pow_dx(const ebb_call *c, ebb_tensor *g) {
    const double k = ((const pow_attrs *)c->attrs)->exponent;
    if (k == 0) return ebb_mul_scalar(g, 0); /* also at x = 0 */
    return ebb_mul(g, ebb_mul_scalar(ebb_pow(c->x[0], .exponent = k - 1), k));
}

EBB_OP(pow,
    .sig = "input()->()",
    .math = "y = x^p;  dx = g*p*x^(p-1), 0 when p = 0",
    .fwd = pow_fwd,
    .attrs = EBB_ATTRS(pow_attrs, pow_attr),
    .vjp = EBB_VJP({pow_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.2, 2}),
    .tries = "exponent=2; exponent=3; exponent=0.5; exponent=-1; exponent=-1.7; exponent=1; exponent=0",
    .doc = "Elementwise power with a constant exponent. A negative base needs an integer exponent."
);

/* ---- exponentials and roots ---- */

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

EBB_MAP1(sqrt_fwd, ebb_sqrt(x))

static ebb_tensor *sqrt_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_div(g, ebb_mul_scalar(c->y[0], 2));
}

EBB_OP(sqrt,
    .sig = "input()->()",
    .math = "y = sqrt(x);  dx = g/(2*y)",
    .fwd = sqrt_fwd,
    .vjp = EBB_VJP({sqrt_dx, EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.2, 3}),
    .doc = "Elementwise square root: NaN below 0."
);

/* ---- trigonometric and their kin ---- */

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

/* ---- with kinks and steps ---- */

EBB_NUMERIC1(abs_fwd, x < 0 ? -x : x + 0)

static ebb_tensor *abs_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, ebb_sign(c->x[0])); }

EBB_OP(abs,
    .sig = "input()->()",
    .math = "y = |x|;  dx = g*sign(x)",
    .fwd = abs_fwd,
    .vjp = EBB_VJP({abs_dx, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}),
    .doc = "Elementwise absolute value; its derivative at 0 is 0."
);

EBB_NUMERIC1(sign_fwd, x != x ? x : (T)((x > 0) - (x < 0)))

EBB_OP(sign,
    .sig = "input()->()",
    .math = "y = -1, 0 or 1;  dx = 0",
    .fwd = sign_fwd,
    .vjp = EBB_VJP({zero, 0}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}),
    .doc = "Sign of each element; NaN stays NaN."
);

EBB_MAP1(floor_fwd, ebb_floor(x))

EBB_OP(floor,
    .sig = "input()->()",
    .math = "y = largest integer <= x;  dx = 0",
    .fwd = floor_fwd,
    .vjp = EBB_VJP({zero, 0}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}, {NULL, 1, {1}, {0}}, {NULL, 1, {-1}, {0}}, {NULL, 1, {2}, {0}}),
    .doc = "Rounds each element down."
);

typedef struct clamp_attrs {
    double min, max;
} clamp_attrs;
static const ebb_attr clamp_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, clamp_attrs, min, "-inf", "lower bound"),
    EBB_ATTR(EBB_A_FLOAT, clamp_attrs, max, "inf", "upper bound; wins when it is below min"),
};

EBB_MAP1_ATTRS(clamp_fwd, clamp_attrs, (x < (T)a->min ? (T)a->min : x) > (T)a->max ? (T)a->max : (x < (T)a->min ? (T)a->min : x))

static ebb_tensor *clamp_dx(const ebb_call *c, ebb_tensor *g) {
    const clamp_attrs *a = (const clamp_attrs *)c->attrs;
    ebb_tensor *x = c->x[0], *none = ebb_scalar(g, 0);
    return ebb_where(ebb_ge(x, ebb_scalar(x, a->min)), ebb_where(ebb_le(x, ebb_scalar(x, a->max)), g, none), none);
}

EBB_OP(clamp,
    .sig = "input()->()",
    .math = "y = min(max(x, lo), hi);  dx = g where lo <= x <= hi, else 0",
    .fwd = clamp_fwd,
    .attrs = EBB_ATTRS(clamp_attrs, clamp_attr),
    .vjp = EBB_VJP({clamp_dx, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({"min=-0.7 max=0.9", 1, {-0.7}, {1}}, {"min=-0.7 max=0.9", 1, {0.9}, {1}}),
    .tries = "min=-0.7 max=0.9; min=-0.7; max=0.9",
    .doc = "Limits each element to [min, max]; the gradient passes at the bounds themselves."
);

EBB_NUMERIC2(maximum_fwd, x != x ? x : (y != y ? y : (x > y ? x : y)))

/* Where both are equal each gets half, PyTorch's convention; beside a NaN both get all of it. */
static ebb_tensor *chosen(ebb_tensor *mine, ebb_tensor *other, ebb_tensor *g, bool larger) {
    ebb_tensor *loses = larger ? ebb_lt(mine, other) : ebb_gt(mine, other);
    return ebb_where(loses, ebb_scalar(g, 0), ebb_where(ebb_eq(mine, other), ebb_mul_scalar(g, 0.5), g));
}
static ebb_tensor *maximum_dx(const ebb_call *c, ebb_tensor *g) { return chosen(c->x[0], c->x[1], g, true); }
static ebb_tensor *maximum_dy(const ebb_call *c, ebb_tensor *g) { return chosen(c->x[1], c->x[0], g, true); }

EBB_OP(maximum,
    .sig = "input(),other()->()",
    .math = "z = max(x, y);  dx = g where x > y, g/2 where equal",
    .fwd = maximum_fwd,
    .vjp = EBB_VJP({maximum_dx, EBB_X(0) | EBB_X(1)}, {maximum_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .kinks = EBB_KINKS({NULL, 2, {0.5, 0.5}, {0.5, 0.5}}),
    .doc = "Elementwise maximum. NaN in either gives NaN; equal elements share the gradient."
);

EBB_NUMERIC2(minimum_fwd, x != x ? x : (y != y ? y : (x < y ? x : y)))

static ebb_tensor *minimum_dx(const ebb_call *c, ebb_tensor *g) { return chosen(c->x[0], c->x[1], g, false); }
static ebb_tensor *minimum_dy(const ebb_call *c, ebb_tensor *g) { return chosen(c->x[1], c->x[0], g, false); }

EBB_OP(minimum,
    .sig = "input(),other()->()",
    .math = "z = min(x, y);  dx = g where x < y, g/2 where equal",
    .fwd = minimum_fwd,
    .vjp = EBB_VJP({minimum_dx, EBB_X(0) | EBB_X(1)}, {minimum_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .kinks = EBB_KINKS({NULL, 2, {0.5, 0.5}, {0.5, 0.5}}),
    .doc = "Elementwise minimum. NaN in either gives NaN; equal elements share the gradient."
);
