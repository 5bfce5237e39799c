/* activation.h - floor 5: what the files of this family share. */
#ifndef EBB_ACTIVATION_H
#define EBB_ACTIVATION_H
#include <ebb/op.h>

/* A number of an attribute in the element type of a kernel; for integers held inside their range. */
static EBB_INLINE int64_t ebb__whole(double v) {
    return v >= 0x1p63 ? INT64_MAX : v >= -0x1p63 ? (int64_t)v : INT64_MIN; /* NaN: the last */
}
#define AS_T(v) _Generic((T)0, int64_t : ebb__whole(v), default : (T)(v))

/* Pointwise kernels that read attributes: `numbers` takes them out of the struct first, so that the loop has no load in a
 * branch, which would keep the compiler from vectorising it. */
#define EBB_MAP1_OF(name, S, numbers, expr)                                                                  \
    EBB_KERNEL(name, const S *a = (const S *)l->attrs; numbers EBB__MAP1_BODY(T, expr))
#define EBB_MAP2_OF(name, S, numbers, expr)                                                                  \
    EBB_KERNEL(name, const S *a = (const S *)l->attrs; numbers EBB__MAP2_BODY(T, expr))

/* g where the condition holds, else 0. */
static inline ebb_tensor *ebb__only(ebb_tensor *condition, ebb_tensor *g) {
    return ebb_where(condition, g, ebb_scalar(g, 0));
}
static inline ebb_tensor *ebb__unless(ebb_tensor *condition, ebb_tensor *g) {
    return ebb_where(condition, ebb_scalar(g, 0), g);
}

/* Whether input 0 is bool, which is refused. */
static inline bool ebb__is_bool(const ebb_call *c) {
    if (c->x_shape[0].dtype != EBB_BOOL) return false;
    (void)EBB_FAIL(c, EBB_E_DTYPE, "input is bool; convert it with ebb_to (op \"to\")");
    return true;
}
#endif
