/* nans.c - floor 5: ops that treat NaN otherwise than by passing it on. */
#include "pointwise.h"

EBB_NUMERIC2(fmax_fwd, y != y || x >= y ? x : x != x || x < y ? y : x)
EBB_NUMERIC2(fmin_fwd, y != y || x <= y ? x : x != x || x > y ? y : x)

/* Whether input 0 was taken: all of the gradient is its then. */
static ebb_tensor *first_taken(const ebb_call *c, bool larger) {
    ebb_tensor *x = c->x[0], *y = c->x[1];
    return ebb_logical_or(larger ? ebb_ge(x, y) : ebb_le(x, y), ebb_isnan(y));
}
static ebb_tensor *fmax_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb__where_or_zero(first_taken(c, true), g);
}
static ebb_tensor *fmin_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb__where_or_zero(first_taken(c, false), g);
}
static ebb_tensor *fmax_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_where(first_taken(c, true), ebb_scalar(g, 0), g);
}
static ebb_tensor *fmin_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_where(first_taken(c, false), ebb_scalar(g, 0), g);
}

EBB_OP(fmax,
    .sig = "input(),other()->()",
    .math = "z = max(x, y);  dx = g where x >= y, else 0",
    .fwd = fmax_fwd,
    .vjp = EBB_VJP({fmax_dx, EBB_X(0) | EBB_X(1)}, {fmax_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_PROMOTES,
    .kinks = EBB_KINKS({NULL, 2, {0.5, 0.5}, {1, 0}}, {NULL, 2, {NAN, 0.5}, {0, 1}}, {NULL, 2, {0.5, NAN}, {1, 0}}),
    .doc = "Elementwise maximum that takes the other element beside a NaN. Of equal elements the first has the gradient."
);
EBB_OP(fmin,
    .sig = "input(),other()->()",
    .math = "z = min(x, y);  dx = g where x <= y, else 0",
    .fwd = fmin_fwd,
    .vjp = EBB_VJP({fmin_dx, EBB_X(0) | EBB_X(1)}, {fmin_dy, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_PROMOTES,
    .kinks = EBB_KINKS({NULL, 2, {0.5, 0.5}, {1, 0}}, {NULL, 2, {NAN, 0.5}, {0, 1}}, {NULL, 2, {0.5, NAN}, {1, 0}}),
    .doc = "Elementwise minimum that takes the other element beside a NaN. Of equal elements the first has the gradient."
);

/* ---- nan_to_num ---- */

typedef struct nan_to_num_attrs {
    double nan, posinf, neginf;
} nan_to_num_attrs;
static const ebb_attr nan_to_num_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, nan_to_num_attrs, nan, "0", "instead of NaN"),
    EBB_ATTR(EBB_A_FLOAT, nan_to_num_attrs, posinf, "nan", "instead of infinity; NaN: the largest number"),
    EBB_ATTR(EBB_A_FLOAT, nan_to_num_attrs, neginf, "nan", "instead of minus infinity; NaN: the least number"),
};

EBB_KERNEL(nan_to_num_fwd,
    const nan_to_num_attrs *a = (const nan_to_num_attrs *)l->attrs;
    const T most = sizeof(T) == 4 ? (T)0x1.fffffep127f : (T)0x1.fffffffffffffp1023;
    const T none = (T)a->nan; const T above = a->posinf != a->posinf ? most : (T)a->posinf;
    const T below = a->neginf != a->neginf ? -most : (T)a->neginf;
    EBB__MAP1_BODY(T, x != x ? none : x > most ? above : x < -most ? below : x))

static ebb_tensor *numbers_already(const ebb_call *c) {
    return ebb_is_float(c->x_shape[0].dtype) ? NULL : c->x[0];
}
static ebb_tensor *nan_to_num_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb__where_or_zero(ebb_isfinite(c->x[0]), g);
}

EBB_OP(nan_to_num,
    .sig = "input()->()",
    .math = "y = x, or a number instead of NaN and infinities;  dx = g, 0 where x is not finite",
    .compose = numbers_already,
    .fwd = nan_to_num_fwd,
    .attrs = EBB_ATTRS(nan_to_num_attrs, nan_to_num_attr),
    .vjp = EBB_VJP({nan_to_num_dx, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {NAN}, {0}}, {NULL, 1, {INFINITY}, {0}}, {NULL, 1, {-INFINITY}, {0}}),
    .tries = "nan=1.5 posinf=2 neginf=-3",
    .doc = "Puts numbers in the place of NaN and infinities."
);

/* ---- isclose ---- */

typedef struct isclose_attrs {
    double rtol, atol;
    bool equal_nan;
} isclose_attrs;
static const ebb_attr isclose_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, isclose_attrs, rtol, "1e-5", "allowed difference relative to other", .lo = 0, .hi = 1e308),
    EBB_ATTR(EBB_A_FLOAT, isclose_attrs, atol, "1e-8", "allowed difference", .lo = 0, .hi = 1e308),
    EBB_ATTR(EBB_A_BOOL, isclose_attrs, equal_nan, "0", "whether NaN is close to NaN"),
};

#define CLOSE(F)                                                                                             \
    const isclose_attrs *a = (const isclose_attrs *)l->attrs;                                                \
    const F rtol = (F)a->rtol, atol = (F)a->atol;                                                            \
    const bool nan_too = a->equal_nan;                                                                       \
    EBB__MAP2_BODY(uint8_t, x == y || (nan_too && x != x && y != y) ||                                       \
                                (ebb_abs((F)x - (F)y) < (F)INFINITY &&                                       \
                                 ebb_abs((F)x - (F)y) <= atol + ebb_abs(rtol * (F)y)))
KERNEL_FLOAT_INT(isclose_fwd, CLOSE(T), CLOSE(float))

EBB_OP(isclose,
    .sig = "input(),other()->():b",
    .math = "z = |x - y| <= atol + rtol*|y|",
    .fwd = isclose_fwd,
    .attrs = EBB_ATTRS(isclose_attrs, isclose_attr),
    .tries = "rtol=0.5; atol=0.7; equal_nan=1",
    .doc = "Whether elements are equal but for a tolerance. An infinity is close to itself alone."
);
