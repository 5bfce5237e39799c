/* pointwise.h - floor 5: what the pointwise ops share: numbers as elements, kernels of floats and integers, rules without a slope. */
#ifndef EBB_OPS_POINTWISE_H
#define EBB_OPS_POINTWISE_H
#include <ebb/op.h>

/* In a kernel: whether T is a floating-point type. */
#define IS_FLOAT ((T)0.5 != 0)

/* The integer of `bytes` bytes (1: unsigned) nearest to v; NaN gives 0. */
static inline int64_t ebb__saturated(double v, size_t bytes) {
    const int64_t most = bytes == 8 ? INT64_MAX : bytes == 4 ? INT32_MAX : UINT8_MAX;
    const int64_t least = bytes == 8 ? INT64_MIN : bytes == 4 ? INT32_MIN : 0;
    if (v != v) return 0;
    return v >= (double)most ? most : v <= (double)least ? least : (int64_t)v;
}
/* A number as an element; of an integer type the nearest there is. */
#define AS_T(v) (IS_FLOAT ? (T)(v) : (T)ebb__saturated(v, sizeof(T)))

/* Whether v is a whole number that an integer of `bytes` bytes holds. */
static inline bool ebb__is_whole(double v, size_t bytes) {
    const double most = bytes == 8 ? 0x1p63 : 0x1p31;
    return v >= -most && v < most && v == (double)(int64_t)v;
}

/* The functions of <ebb/math.h> that have no macro there, by type. */
#define NEAREST(x) _Generic((x), float : ebb__nearest_f32, default : ebb__nearest_f64)(x)
#define TRUNCATED(x) _Generic((x), float : ebb__truncated_f32, default : ebb__truncated_f64)(x)
#define WITH_SIGN(x, y) _Generic((x), float : ebb__odd_f32, default : ebb__odd_f64)(x, y)

/* One body for floats, another for i64, which serves every integer type and bool. */
#define KERNEL_FLOAT_INT(name, float_body, int_body)                                                         \
    EBB__BODY(name##_f32, float, float_body)                                                                 \
    EBB__BODY_SMALL(name##_f64, double, float_body)                                                          \
    EBB__BODY_SMALL(name##_i64, int64_t, int_body)                                                           \
    static const ebb_kernel name[] = {{EBB_F32, EBB__TABLE(name##_f32)},                                     \
                                      {EBB_F64, EBB__TABLE(name##_f64)},                                     \
                                      {EBB_I64, EBB__TABLE(name##_i64)},                                     \
                                      {0, {0}}};
#define MAP1_FLOAT_INT(name, float_expr, int_expr)                                                           \
    KERNEL_FLOAT_INT(name, EBB__MAP1_BODY(T, float_expr), EBB__MAP1_BODY(T, int_expr))
#define MAP2_FLOAT_INT(name, float_expr, int_expr)                                                           \
    KERNEL_FLOAT_INT(name, EBB__MAP2_BODY(T, float_expr), EBB__MAP2_BODY(T, int_expr))

/* ---- rules ---- */

static inline ebb_tensor *pass(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}
static inline ebb_tensor *negated(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_neg(g);
}
/* The derivative of a step: nothing, also where g is infinite. */
static inline ebb_tensor *no_slope(const ebb_call *c, ebb_tensor *g) {
    const ebb_shape *x = &c->x_shape[c->which];
    return g ? ebb_constant(c->e, (ebb_dtype)x->dtype, ebb_ints_of(x), 0) : NULL;
}

/* g where the condition holds, else 0. */
static inline ebb_tensor *ebb__where_or_zero(ebb_tensor *condition, ebb_tensor *g) {
    return ebb_where(condition, g, ebb_scalar(g, 0));
}

/* Input i, NULL when the call has none: of trailing optional inputs there may be fewer than the signature names. */
static inline ebb_tensor *ebb__given(const ebb_call *c, int i) { return i < c->n_x ? c->x[i] : NULL; }

/* ---- dtypes ---- */

static inline bool ebb__any_bool(const ebb_call *c) {
    for (int i = 0; i < c->n_x; i++)
        if (c->x_shape[i].dtype == EBB_BOOL) return true;
    return false;
}
#endif
