/* quotient.c - floor 5: division, exact and rounded, and its remainders. */
#include "pointwise.h"

enum { EXACT, TRUNC, FLOOR };

typedef struct div_attrs {
    int32_t rounding_mode;
} div_attrs;
static const ebb_attr div_attr[] = {EBB_ATTR(EBB_A_ENUM, div_attrs, rounding_mode, "none",
                                             "how the quotient is rounded", .choices = "none|trunc|floor")};

EBB_MAP2(div_fwd, x / y)

static bool rounds(const ebb_call *c) { return ((const div_attrs *)c->attrs)->rounding_mode != EXACT; }
static ebb_tensor *div_compose(const ebb_call *c) {
    switch (((const div_attrs *)c->attrs)->rounding_mode) {
    case TRUNC: return ebb_div_trunc(c->x[0], c->x[1]);
    case FLOOR: return ebb_div_floor(c->x[0], c->x[1]);
    default: return NULL;
    }
}
static ebb_tensor *div_dx(const ebb_call *c, ebb_tensor *g) {
    return rounds(c) ? no_slope(c, g) : ebb_div(g, c->x[1]);
}
static ebb_tensor *div_dy(const ebb_call *c, ebb_tensor *g) {
    return rounds(c) ? no_slope(c, g) : ebb_neg(ebb_mul(g, ebb_div(c->y[0], c->x[1])));
}

EBB_OP(div,
    .sig = "input(),other()->()",
    .math = "z = x/y;  dx = g/y,  dy = -g*z/y;  rounded: 0",
    .compose = div_compose,
    .fwd = div_fwd,
    .attrs = EBB_ATTRS(div_attrs, div_attr),
    .vjp = EBB_VJP({div_dx, EBB_X(1)}, {div_dy, EBB_X(1) | EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_PROMOTES | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-2, 2}, {0.5, 2}),
    .doc = "Elementwise quotient, on request rounded to 0 or down. Division by zero gives an infinity or NaN, as IEEE 754 says; of integers, "
           "which stay integers when it is rounded, it is an error."
);

/* ---- rounded ---- */

/* |x| - |y|*trunc(|x/y|), exact. While the quotient has few bits, it is off by one at most and its product with y is exact
 * in two doubles; *far where it has not, or y is so small or large that the product is not exact. */
static EBB_INLINE double near_mod(double x, double y, int *far) {
    const double a = ebb_abs_f64(x), b = ebb_abs_f64(y), quotient = a / b, q = ebb_floor_f64(quotient);
    double p, e;
    ebb__two_prod_f64(q, b, &p, &e);
    double r = (a - p) - e;
    r = r < 0 ? r + b : r;
    r = r >= b ? r - b : r;
    *far |= !(quotient < 0x1p50) | (b < 0x1p-900) | (b > 0x1p900);
    return ebb__odd_f64(r, x);
}

/* The quotient rounded down, and the remainder with the sign of y, from the one with the sign of x. */
static EBB_INLINE double floored(double x, double y, double mod) {
    const double exact = x / y, rest = (x - mod) / y;
    const double q = ((mod != 0) & ((y < 0) != (mod < 0))) ? rest - 1 : rest, down = ebb_floor_f64(q);
    double z = q - down > 0.5 ? down + 1 : down;
    z = q == 0 ? ebb__odd_f64(0, exact) : z;
    return y == 0 ? exact : z;
}
static EBB_INLINE double with_sign_of(double y, double mod) {
    return ((mod != 0) & ((y < 0) != (mod < 0))) ? mod + y : mod;
}

/* Blocks in which no element is far run as vectors; else C's fmod, which is exact as well, so the same everywhere. */
#define MOD_LOOP(expr)                                                                                       \
    enum { BLOCK = 64 };                                                                                     \
    const T *p0 = (const T *)l->p[0], *p1 = (const T *)l->p[1];                                              \
    T *out = (T *)l->p[2];                                                                                   \
    const int64_t s0 = l->step[0], s1 = l->step[1], sq = l->step[2];                                         \
    for (int64_t at = 0; at < l->n; at += BLOCK) {                                                           \
        const int64_t n = l->n - at < BLOCK ? l->n - at : BLOCK;                                             \
        double mods[BLOCK];                                                                                  \
        int far = 0;                                                                                         \
        for (int64_t i = 0; i < n; i++)                                                                      \
            mods[i] = near_mod((double)p0[(at + i) * s0], (double)p1[(at + i) * s1], &far);                  \
        for (int64_t i = 0; i < n && far; i++)                                                               \
            mods[i] = fmod((double)p0[(at + i) * s0], (double)p1[(at + i) * s1]);                            \
        EBB_IVDEP for (int64_t i = 0; i < n; i++) {                                                          \
            const double x = (double)p0[(at + i) * s0], y = (double)p1[(at + i) * s1], mod = mods[i];        \
            (void)x, (void)y;                                                                                \
            out[(at + i) * sq] = (T)(expr);                                                                  \
        }                                                                                                    \
    }

/* -1 divides without a trap: INT64_MIN / -1 wraps around. */
#define INT_QUOTIENT(x, y) ((y) == -1 ? (T)(0 - (uint64_t)(x)) : (x) / (y))
#define INT_MOD(x, y) ((y) == -1 ? 0 : (x) % (y))
#define INT_FLOORED(x, y) (INT_QUOTIENT(x, y) - (INT_MOD(x, y) != 0 && ((y) < 0) != (INT_MOD(x, y) < 0)))
#define INT_REMAINDER(x, y)                                                                                  \
    (INT_MOD(x, y) + (INT_MOD(x, y) != 0 && ((y) < 0) != (INT_MOD(x, y) < 0) ? (y) : 0))

/* Of integers no divisor is 0. */
#define INT_LOOP(expr)                                                                                       \
    for (int64_t i = 0; i < l->n; i++) {                                                                     \
        const T x = ((const T *)l->p[0])[i * l->step[0]];                                                    \
        const T y = ((const T *)l->p[1])[i * l->step[1]];                                                    \
        if (!y) return l->fail(l, EBB_E_ARG, "an integer is divided by 0");                                  \
        ((T *)l->p[2])[i * l->step[2]] = expr;                                                               \
    }

KERNEL_FLOAT_INT(div_trunc_fwd, EBB__MAP2_BODY(T, TRUNCATED(x / y)), INT_LOOP(INT_QUOTIENT(x, y)))
KERNEL_FLOAT_INT(div_floor_fwd, MOD_LOOP(floored(x, y, mod)), INT_LOOP(INT_FLOORED(x, y)))
KERNEL_FLOAT_INT(fmod_fwd, MOD_LOOP(mod), INT_LOOP(INT_MOD(x, y)))
KERNEL_FLOAT_INT(remainder_fwd, MOD_LOOP(with_sign_of(y, mod)), INT_LOOP(INT_REMAINDER(x, y)))

EBB_OP(div_trunc,
    .sig = "input(),other()->()",
    .math = "z = x/y rounded to 0;  dx = 0,  dy = 0",
    .fwd = div_trunc_fwd,
    .vjp = EBB_VJP({no_slope, 0}, {no_slope, 0}),
    .flags = EBB_PROMOTES | EBB_INTERNAL,
    .domain = EBB_DOMAIN({2.1, 2.4}, {0.85, 0.95}),
    .doc = "The quotient rounded to 0: div with rounding_mode=trunc."
);
EBB_OP(div_floor,
    .sig = "input(),other()->()",
    .math = "z = x/y rounded down;  dx = 0,  dy = 0",
    .fwd = div_floor_fwd,
    .vjp = EBB_VJP({no_slope, 0}, {no_slope, 0}),
    .flags = EBB_PROMOTES | EBB_INTERNAL,
    .domain = EBB_DOMAIN({2.1, 2.4}, {0.85, 0.95}),
    .doc = "The quotient rounded down: div with rounding_mode=floor."
);
EBB_OP(floor_divide,
    .sig = "input(),other()->()",
    .math = "z = x/y rounded down;  dx = 0,  dy = 0",
    .fwd = div_floor_fwd,
    .vjp = EBB_VJP({no_slope, 0}, {no_slope, 0}),
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .domain = EBB_DOMAIN({2.1, 2.4}, {0.85, 0.95}),
    .doc = "The quotient rounded down. Integers stay integers, and refuse a divisor of 0."
);

static ebb_tensor *fmod_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_neg(ebb_mul(g, ebb_div_trunc(c->x[0], c->x[1])));
}
static ebb_tensor *remainder_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_neg(ebb_mul(g, ebb_div_floor(c->x[0], c->x[1])));
}

EBB_OP(fmod,
    .sig = "input(),other()->()",
    .math = "z = x - y*trunc(x/y);  dx = g,  dy = -g*trunc(x/y)",
    .fwd = fmod_fwd,
    .vjp = EBB_VJP({pass, 0}, {fmod_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .domain = EBB_DOMAIN({2.1, 2.4}, {0.85, 0.95}),
    .doc = "Remainder of division with the sign of the dividend, exact. Integers refuse a divisor of 0."
);
EBB_OP(remainder,
    .sig = "input(),other()->()",
    .math = "z = x - y*floor(x/y);  dx = g,  dy = -g*floor(x/y)",
    .fwd = remainder_fwd,
    .vjp = EBB_VJP({pass, 0}, {remainder_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .domain = EBB_DOMAIN({-2.4, -2.1}, {0.85, 0.95}),
    .doc = "Remainder of division with the sign of the divisor. Integers refuse a divisor of 0."
);
