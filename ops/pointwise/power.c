/* power.c - floor 5: powers and roots. */
#include "pointwise.h"

/* ---- pow ---- */

typedef struct pow_attrs {
    double exponent;
} pow_attrs;
static const ebb_attr pow_attr[] = {EBB_ATTR(EBB_A_FLOAT, pow_attrs, exponent, "nan", "the exponent as a number")};

static double exponent_of(const void *attrs) { return ((const pow_attrs *)attrs)->exponent; }

/* x^n by squaring, wrapping around; below n = 0 what remains of 1/x^-n. */
static int64_t int_power(int64_t x, int64_t n) {
    if (n < 0) return x == 1 ? 1 : x == -1 ? (n & 1 ? -1 : 1) : 0;
    uint64_t y = 1, b = (uint64_t)x;
    for (; n; n >>= 1, b *= b)
        if (n & 1) y *= b;
    return (int64_t)y;
}

#define POWERS(expr)                                                                                         \
    EBB_IVDEP for (int64_t i = 0; i < n; i++) {                                                              \
        const T x = p0[i * s];                                                                               \
        q[i * sq] = expr;                                                                                    \
    }
#define POW_OPERANDS                                                                                         \
    const double k = exponent_of(l->attrs);                                                                  \
    const T number = AS_T(k), *p0 = (const T *)l->p[0], *p1 = l->p[1] ? (const T *)l->p[1] : &number;        \
    T *q = (T *)l->p[2];                                                                                     \
    const int64_t n = l->n, s = l->step[0], s1 = l->p[1] ? l->step[1] : 0, sq = l->step[2];
/* Small powers are products: exact, and many times faster; so are the roots. */
#define POW_FLOAT                                                                                            \
    POW_OPERANDS                                                                                             \
    if (!l->p[1] && k == 2) POWERS(x *x)                                                                     \
    else if (!l->p[1] && k == 3) POWERS(x *x *x)                                                             \
    else if (!l->p[1] && k == 1) POWERS(x)                                                                   \
    else if (!l->p[1] && k == -1) POWERS(1 / x)                                                              \
    else if (!l->p[1] && k == -2) POWERS(1 / (x * x))                                                        \
    else if (!l->p[1] && k == 0.5) POWERS(ebb_sqrt(x))                                                       \
    else if (!l->p[1] && k == -0.5) POWERS(1 / ebb_sqrt(x))                                                  \
    else POWERS(ebb_raise(x, p1[i * s1]))
#define POW_INT                                                                                              \
    POW_OPERANDS                                                                                             \
    for (int64_t i = 0; i < n; i++) q[i * sq] = int_power(p0[i * s], p1[i * s1]);
KERNEL_FLOAT_INT(pow_fwd, POW_FLOAT, POW_INT)

static bool has_tensor(const ebb_call *c) { return ebb__given(c, 1) != NULL; }

/* Sees to the dtype of integers with a number, and that there is one exponent. */
static ebb_tensor *pow_compose(const ebb_call *c) {
    const double k = exponent_of(c->attrs);
    if (has_tensor(c) == (k == k))
        return EBB_FAIL(c, EBB_E_ARG, "give the exponent once, as a number or as a tensor");
    const int32_t d = c->x_shape[0].dtype;
    if (ebb_is_float(d) || has_tensor(c)) return NULL;
    if (!ebb__is_whole(k, 8)) return ebb_pow(ebb_to(c->x[0], EBB_F32), .exponent = k);
    if (k < 0)
        return EBB_FAIL(c, EBB_E_ARG,
                        "the exponent of integers is %g, which is negative; convert them to floats", k);
    return d == EBB_BOOL ? ebb_pow(ebb_to(c->x[0], EBB_I64), .exponent = k) : NULL;
}

static ebb_tensor *pow_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *p = ebb__given(c, 1);
    if (!p) {
        const double k = exponent_of(c->attrs);
        return k == 0   ? no_slope(c, g)
               : k == 1 ? g
                        : ebb_mul(g, ebb_mul_scalar(ebb_pow(x, .exponent = k - 1), k));
    }
    return ebb_where(ebb_eq(p, ebb_scalar(p, 0)), ebb_scalar(g, 0),
                     ebb_mul(g, ebb_mul(p, ebb_pow(x, ebb_sub(p, ebb_scalar(p, 1))))));
}
static ebb_tensor *pow_dp(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *p = c->x[1];
    ebb_tensor *still = ebb_logical_and(ebb_eq(x, ebb_scalar(x, 0)), ebb_ge(p, ebb_scalar(p, 0)));
    return ebb_mul(g, ebb_where(still, ebb_scalar(g, 0), ebb_mul(c->y[0], ebb_log(x))));
}

EBB_OP(pow,
    .sig = "input(),exponent()?->()",
    .math = "z = x^p;  dx = g*p*x^(p-1), 0 when p = 0;  dp = g*z*ln(x), 0 when x = 0 <= p",
    .compose = pow_compose,
    .fwd = pow_fwd,
    .attrs = EBB_ATTRS(pow_attrs, pow_attr),
    .vjp = EBB_VJP({pow_dx, EBB_X(0) | EBB_X(1)}, {pow_dp, EBB_X(0) | EBB_X(1) | EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .domain = EBB_DOMAIN({0.2, 2}, {-2, 2}),
    .tries = "[3,4] - exponent=2; [5] - exponent=3; [5] - exponent=0.5; [3] - exponent=-1; [2,3] - exponent=-1.7; [5] - exponent=1; [5] - exponent=0;"
             "[5] - exponent=-2; [5] - exponent=-0.5; [3,4] [3,4]; [3,4] [4]; [] [3]; [2,1] [3]; [0,2] - exponent=2; [0,2] [2]",
    .doc = "Power; the exponent is a number or a tensor. A negative base needs a whole exponent; integers with a whole exponent stay integers."
);

static ebb_tensor *float_power_compose(const ebb_call *c) {
    const double k = exponent_of(c->attrs);
    if (has_tensor(c) == (k == k))
        return EBB_FAIL(c, EBB_E_ARG, "give the exponent once, as a number or as a tensor");
    ebb_tensor *x = ebb_to(c->x[0], EBB_F64);
    return has_tensor(c) ? ebb_pow(x, ebb_to(c->x[1], EBB_F64)) : ebb_pow(x, .exponent = k);
}

EBB_OP(float_power,
    .sig = "input(),exponent()?->()",
    .math = "z = x^p in double precision",
    .compose = float_power_compose,
    .attrs = EBB_ATTRS(pow_attrs, pow_attr),
    .domain = EBB_DOMAIN({0.2, 2}, {-2, 2}),
    .tries = "[3,4] - exponent=2; [5] - exponent=-1.7; [3,4] [4]; [0,2] [2]",
    .doc = "pow of both converted to f64, which is the result's type. There is no in-place form."
);

/* ---- powers and roots of their own ---- */

EBB_NUMERIC1(square_fwd, x * x)

static ebb_tensor *square_compose(const ebb_call *c) {
    return c->x_shape[0].dtype == EBB_BOOL ? ebb_to(c->x[0], EBB_I64) : NULL;
}
static ebb_tensor *square_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(c->x[0], 2));
}
EBB_MAP2(square_pull, x * (2 * y))

EBB_OP(square,
    .sig = "input()->()",
    .math = "y = x^2;  dx = g*2*x",
    .compose = square_compose,
    .fwd = square_fwd,
    .vjp = EBB_VJP({square_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, square_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .doc = "Elementwise square; of bools an i64."
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

EBB_MAP1(rsqrt_fwd, 1 / ebb_sqrt(x))

static ebb_tensor *rsqrt_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(ebb_mul_scalar(g, -0.5), ebb_pow(c->y[0], .exponent = 3));
}

EBB_OP(rsqrt,
    .sig = "input()->()",
    .math = "y = 1/sqrt(x);  dx = -g*y^3/2",
    .fwd = rsqrt_fwd,
    .vjp = EBB_VJP({rsqrt_dx, EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.2, 3}),
    .doc = "Reciprocal of the square root: infinite at 0, NaN below."
);

EBB_MAP1(reciprocal_fwd, 1 / x)

static ebb_tensor *reciprocal_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(ebb_neg(g), ebb_square(c->y[0]));
}

EBB_OP(reciprocal,
    .sig = "input()->()",
    .math = "y = 1/x;  dx = -g*y^2",
    .fwd = reciprocal_fwd,
    .vjp = EBB_VJP({reciprocal_dx, EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({0.5, 2}),
    .doc = "One divided by each element."
);
