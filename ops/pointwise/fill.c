/* fill.c - floor 5: what overwrites a tensor; of use in place. */
#include "pointwise.h"

/* ---- copy ---- */

EBB_KERNEL_MOVE(copy_fwd,
    const T *p = (const T *)l->p[1];
    T *q = (T *)l->p[2];
    const int64_t s = l->step[1]; const int64_t sq = l->step[2];
    if (s == 1 && sq == 1) memmove(q, p, sizeof(T) * (size_t)l->n);
    else for (int64_t i = 0; i < l->n; i++) q[i * sq] = p[i * s];)

static ebb_tensor *copy_compose(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0], *s = &c->x_shape[1];
    for (int d = 1; d <= s->ndim; d++) {
        const int64_t have = d <= x->ndim ? x->dim[x->ndim - d] : 0, n = s->dim[s->ndim - d];
        if (d > x->ndim || (n != have && n != 1))
            return EBB_FAIL(c, EBB_E_SHAPE,
                            "src does not broadcast to the input: its dim %d is %lld, the input's %s%lld", -d,
                            (long long)n, d > x->ndim ? "is missing, " : "", (long long)have);
    }
    return s->dtype == x->dtype ? NULL : ebb_copy(c->x[0], ebb_to(c->x[1], (ebb_dtype)x->dtype));
}
static ebb_tensor *copy_dsrc(const ebb_call *c, ebb_tensor *g) {
    return ebb_to(g, (ebb_dtype)c->x_shape[1].dtype);
}

EBB_OP(copy,
    .sig = "input(),src()->()",
    .math = "y = src;  dx = 0,  dsrc = g",
    .compose = copy_compose,
    .fwd = copy_fwd,
    .vjp = EBB_VJP({no_slope, 0}, {copy_dsrc, 0}),
    .flags = EBB_LINEAR | EBB_INPLACE,
    .doc = "src, broadcast to the shape of the input and converted to its dtype: in place, copy_, the input becomes it."
);

/* ---- fill ---- */

EBB_KERNEL_MOVE(zero_fwd,
    T *q = (T *)l->p[1];
    const int64_t sq = l->step[1];
    if (sq == 1) memset(q, 0, sizeof(T) * (size_t)l->n);
    else for (int64_t i = 0; i < l->n; i++) q[i * sq] = 0;)

EBB_OP(zero,
    .sig = "input()->()",
    .math = "y = 0;  dx = 0",
    .fwd = zero_fwd,
    .vjp = EBB_VJP({no_slope, 0}),
    .flags = EBB_INPLACE,
    .doc = "Zeros of the input's shape and dtype: in place, zero_, the input becomes them."
);

typedef struct fill_attrs {
    double value;
} fill_attrs;
static const ebb_attr fill_attr[] = {EBB_ATTR(EBB_A_FLOAT, fill_attrs, value, NULL, "the value of every element")};

static double fill_value(const void *attrs) { return ((const fill_attrs *)attrs)->value; }

EBB_KERNEL_ALL(fill_fwd,
    const double v = fill_value(l->attrs);
    const T k = AS_T(v);
    T *q = (T *)l->p[1];
    const int64_t sq = l->step[1];
    for (int64_t i = 0; i < l->n; i++) q[i * sq] = k;)

/* What an integer type holds; u8 takes negative numbers as what they wrap around to. */
static ebb_tensor *fill_compose(const ebb_call *c) {
    const int32_t d = c->x_shape[0].dtype;
    const double v = fill_value(c->attrs), most = d == EBB_I64 ? 0x1p63 : d == EBB_I32 ? 0x1p31 : 256;
    if (ebb_is_float(d) || (d == EBB_BOOL && (v == 0 || v == 1))) return NULL;
    if (d == EBB_BOOL) return ebb_fill(c->x[0], .value = 1);
    if (!(v > (d == EBB_U8 ? -256 : -most - 1) && v < most))
        return EBB_FAIL(c, EBB_E_ATTR, "value is %g, outside of what the integer type holds", v);
    return d == EBB_U8 && v <= -1 ? ebb_fill(c->x[0], .value = 256 + (double)(int64_t)v) : NULL;
}

EBB_OP(fill,
    .sig = "input()->()",
    .math = "y = value;  dx = 0",
    .compose = fill_compose,
    .fwd = fill_fwd,
    .attrs = EBB_ATTRS(fill_attrs, fill_attr),
    .vjp = EBB_VJP({no_slope, 0}),
    .flags = EBB_INPLACE,
    .tries = "value=1.5; value=-2",
    .doc = "One value in the input's shape and dtype, for integers without its fraction: in place, fill_, the input becomes it."
);
