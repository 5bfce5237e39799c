/* arithmetic.c - floor 5: sums, differences, products, quotients, and the ops that fuse them. */
#include "pointwise.h"

/* ---- sums and differences ---- */

typedef struct alpha_attrs {
    double alpha;
} alpha_attrs;
static const ebb_attr alpha_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, alpha_attrs, alpha, "1", "factor of the term that is added or subtracted")};

static double alpha_of(const void *attrs) { return ((const alpha_attrs *)attrs)->alpha; }

/* The given value as an element, `factor`; integers take whole numbers of their range only. */
#define WITH_FACTOR(value, name)                                                                             \
    const double given = value;                                                                              \
    if (!IS_FLOAT && !ebb__is_whole(given, sizeof(T)))                                                       \
        return l->fail(l, EBB_E_ATTR, "%s is %g, but the elements are %d-bit integers", name, given,         \
                       (int)sizeof(T) * 8);                                                                  \
    const T factor = (T)given;

EBB_KERNEL_NUMERIC(add_fwd, WITH_FACTOR(alpha_of(l->attrs), "alpha") EBB__MAP2_BODY(T, x + factor * y))

static ebb_tensor *scaled(const ebb_call *c, ebb_tensor *g) {
    const double k = alpha_of(c->attrs);
    return k == 1 ? g : ebb_mul_scalar(g, k);
}

EBB_OP(add,
    .sig = "input(),other()->()",
    .math = "z = x + alpha*y;  dx = g,  dy = alpha*g",
    .fwd = add_fwd,
    .attrs = EBB_ATTRS(alpha_attrs, alpha_attr),
    .vjp = EBB_VJP({pass, 0}, {scaled, 0}),
    .flags = EBB_LINEAR | EBB_INPLACE | EBB_PROMOTES,
    .tries = "alpha=-2.5",
    .doc = "Elementwise sum, of bools their or. The alpha of integers is a whole number."
);

EBB_KERNEL_NUMERIC(sub_fwd, WITH_FACTOR(alpha_of(l->attrs), "alpha") EBB__MAP2_BODY(T, x - factor * y))
EBB_KERNEL_NUMERIC(rsub_fwd, WITH_FACTOR(alpha_of(l->attrs), "alpha") EBB__MAP2_BODY(T, y - factor * x))

static ebb_tensor *no_bools(const ebb_call *c) {
    return ebb__any_bool(c)
               ? EBB_FAIL(c, EBB_E_DTYPE,
                          "bools have no difference; use ebb_logical_xor or ebb_logical_not, or convert them")
               : NULL;
}
static ebb_tensor *scaled_negative(const ebb_call *c, ebb_tensor *g) {
    const double k = alpha_of(c->attrs);
    return k == 1 ? ebb_neg(g) : ebb_mul_scalar(g, -k);
}

EBB_OP(sub,
    .sig = "input(),other()->()",
    .math = "z = x - alpha*y;  dx = g,  dy = -alpha*g",
    .compose = no_bools,
    .fwd = sub_fwd,
    .attrs = EBB_ATTRS(alpha_attrs, alpha_attr),
    .vjp = EBB_VJP({pass, 0}, {scaled_negative, 0}),
    .flags = EBB_LINEAR | EBB_INPLACE | EBB_PROMOTES,
    .tries = "alpha=-2.5",
    .doc = "Elementwise difference; bools are refused. The alpha of integers is a whole number."
);
EBB_OP(rsub,
    .sig = "input(),other()->()",
    .math = "z = y - alpha*x;  dx = -alpha*g,  dy = g",
    .compose = no_bools,
    .fwd = rsub_fwd,
    .attrs = EBB_ATTRS(alpha_attrs, alpha_attr),
    .vjp = EBB_VJP({scaled_negative, 0}, {pass, 0}),
    .flags = EBB_LINEAR | EBB_PROMOTES,
    .tries = "alpha=-2.5",
    .doc = "Difference the other way round; bools are refused. The alpha of integers is a whole number."
);

EBB_NUMERIC1(neg_fwd, -x)

EBB_OP(neg,
    .sig = "input()->()",
    .math = "y = -x;  dx = -g",
    .compose = no_bools,
    .fwd = neg_fwd,
    .vjp = EBB_VJP({negated, 0}),
    .flags = EBB_LINEAR | EBB_INPLACE,
    .doc = "Elementwise negative; bools are refused."
);

static ebb_tensor *positive_compose(const ebb_call *c) { return ebb__any_bool(c) ? no_bools(c) : c->x[0]; }

EBB_OP(positive,
    .sig = "input()->()",
    .math = "y = x;  dx = g",
    .compose = positive_compose,
    .doc = "The input itself; bools are refused."
);

/* ---- products ---- */

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

typedef struct value_attrs {
    double value;
} value_attrs;
static const ebb_attr value_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, value_attrs, value, "1", "factor of the product or quotient")};

static double value_of(const void *attrs) { return ((const value_attrs *)attrs)->value; }

EBB_KERNEL_NUMERIC(addcmul_fwd,
    const double given = value_of(l->attrs);
    if (!IS_FLOAT && !ebb__is_whole(trunc(given), sizeof(T)))
        return l->fail(l, EBB_E_ATTR, "value is %g, but the elements are %d-bit integers", given, (int)sizeof(T) * 8);
    const T factor = (T)given;
    EBB__MAP3_BODY(x + factor * y * z))

static ebb_tensor *addcmul_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(c->x[2], value_of(c->attrs)));
}
static ebb_tensor *addcmul_dz(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(c->x[1], value_of(c->attrs)));
}

EBB_OP(addcmul,
    .sig = "input(),tensor1(),tensor2()->()",
    .math = "y = x + value*a*b;  dx = g,  da = g*value*b,  db = g*value*a",
    .fwd = addcmul_fwd,
    .attrs = EBB_ATTRS(value_attrs, value_attr),
    .vjp = EBB_VJP({pass, 0}, {addcmul_dy, EBB_X(2)}, {addcmul_dz, EBB_X(1)}),
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .tries = "value=-2.5",
    .doc = "Adds a scaled product. The value of integers is rounded towards 0."
);

EBB_KERNEL(addcdiv_fwd, const T factor = (T)value_of(l->attrs); EBB__MAP3_BODY(x + factor * y / z))

static ebb_tensor *addcdiv_compose(const ebb_call *c) {
    if (c->n_x < 3 || ebb_is_float(c->x_shape[1].dtype) || ebb_is_float(c->x_shape[2].dtype)) return NULL;
    return EBB_FAIL(c, EBB_E_DTYPE, "tensor1 and tensor2 are both integers; convert one of them to a float");
}
static ebb_tensor *addcdiv_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_div_into(value_of(c->attrs), c->x[2]));
}
static ebb_tensor *addcdiv_dz(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_div(ebb_mul_scalar(c->x[1], -value_of(c->attrs)), ebb_square(c->x[2])));
}

EBB_OP(addcdiv,
    .sig = "input(),tensor1(),tensor2()->()",
    .math = "y = x + value*a/b;  dx = g,  da = g*value/b,  db = -g*value*a/b^2",
    .compose = addcdiv_compose,
    .fwd = addcdiv_fwd,
    .attrs = EBB_ATTRS(value_attrs, value_attr),
    .vjp = EBB_VJP({pass, 0}, {addcdiv_dy, EBB_X(2)}, {addcdiv_dz, EBB_X(1) | EBB_X(2)}),
    .flags = EBB_INPLACE | EBB_PROMOTES | EBB_FLOAT_OUT,
    .domain = EBB_DOMAIN({-2, 2}, {-2, 2}, {0.5, 2}),
    .tries = "value=-2.5",
    .doc = "Adds a scaled quotient."
);

/* ---- between two ends ---- */

typedef struct lerp_attrs {
    double weight;
} lerp_attrs;
static const ebb_attr lerp_attr[] = {EBB_ATTR(EBB_A_FLOAT, lerp_attrs, weight, "nan", "the weight as a number")};

/* From the nearer end, so that weight 1 gives exactly the other end. */
#define LERP(x, y, w) ((w) < (T)0.5 ? (x) + (w) * ((y) - (x)) : (y) - ((y) - (x)) * (1 - (w)))
EBB_KERNEL(lerp_fwd,
    const T number = (T)((const lerp_attrs *)l->attrs)->weight;
    const T *p0 = (const T *)l->p[0]; const T *p1 = (const T *)l->p[1]; const T *p2 = (const T *)l->p[2];
    T *q = (T *)l->p[3];
    const int64_t s0 = l->step[0]; const int64_t s1 = l->step[1]; const int64_t s2 = p2 ? l->step[2] : 0; const int64_t sq = l->step[3];
    if (!p2) p2 = &number;
    if (s0 == 1 && s1 == 1 && s2 == 0 && sq == 1) {
        const T w = *p2;
        EBB_IVDEP for (int64_t i = 0; i < l->n; i++) q[i] = LERP(p0[i], p1[i], w);
    } else
        for (int64_t i = 0; i < l->n; i++) q[i * sq] = LERP(p0[i * s0], p1[i * s1], p2[i * s2]);)

static double lerp_weight(const ebb_call *c) { return ((const lerp_attrs *)c->attrs)->weight; }
static ebb_tensor *lerp_compose(const ebb_call *c) {
    const double w = lerp_weight(c);
    if ((ebb__given(c, 2) != NULL) == (w == w))
        return EBB_FAIL(c, EBB_E_ARG, "give the weight once, as a number or as a tensor");
    return NULL;
}
static ebb_tensor *lerp_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *w = ebb__given(c, 2);
    return w ? ebb_mul(g, ebb_sub_from(1, w)) : ebb_mul_scalar(g, 1 - lerp_weight(c));
}
static ebb_tensor *lerp_dy(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *w = ebb__given(c, 2);
    return w ? ebb_mul(g, w) : ebb_mul_scalar(g, lerp_weight(c));
}
static ebb_tensor *lerp_dw(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, ebb_sub(c->x[1], c->x[0])); }

EBB_OP(lerp,
    .sig = "input(),end(),weight()?->()",
    .math = "z = x + w*(y - x);  dx = g*(1 - w),  dy = g*w,  dw = g*(y - x)",
    .compose = lerp_compose,
    .fwd = lerp_fwd,
    .attrs = EBB_ATTRS(lerp_attrs, lerp_attr),
    .vjp = EBB_VJP({lerp_dx, EBB_X(2)}, {lerp_dy, EBB_X(2)}, {lerp_dw, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_INPLACE,
    .tries = "[3,4] [4] - weight=0.3; [5] [5] - weight=1.5; [3,4] [3,4] [4]; [] [3] [3]; [2,0] [2,0] - weight=0.2",
    .doc = "Linear interpolation; the weight is a number or a tensor."
);
