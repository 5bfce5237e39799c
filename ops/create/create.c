/* create.c - floor 5: tensors from nothing but attributes: constants and ranges. */
#include <ebb/op.h>

/* ---- constants ---- */

typedef struct full_attrs {
    ebb_ints size;
    double fill_value;
    int32_t dtype;
} full_attrs;
static const ebb_attr full_attr[] = {
    EBB_ATTR(EBB_A_INTS, full_attrs, size, "", "shape; none given: a 0-d tensor"),
    EBB_ATTR(EBB_A_FLOAT, full_attrs, fill_value, NULL, "the value of every element"),
    EBB_ATTR(EBB_A_DTYPE, full_attrs, dtype, "f32", "element type"),
};

static ebb_status full_infer(ebb_infer *s) {
    const full_attrs *a = (const full_attrs *)s->attrs;
    s->y->ndim = a->size.n;
    s->work = 1;
    for (int d = 0; d < a->size.n; d++) {
        if (a->size.v[d] < 0)
            return s->fail(s, EBB_E_SHAPE, "size has %lld at dim %d: sizes are not negative",
                           (long long)a->size.v[d], d);
        s->y->shape[d] = a->size.v[d];
        if (s->work > 0 && __builtin_mul_overflow(s->work, s->y->shape[d], &s->work))
            s->work = 1; /* refused when it is made */
    }
    if (!s->work) s->work = 1;
    return EBB_OK;
}

EBB_KERNEL_ALL(full_fwd,
    const double v = ((const full_attrs *)l->attrs)->fill_value;
    const T k = l->arg[0].dtype == EBB_BOOL ? (T)(v != 0) : (T)v;
    T *y = (T *)l->p[0];
    const int64_t end = l->first + l->n < l->arg[0].numel ? l->first + l->n : l->arg[0].numel;
    for (int64_t i = l->first; i < end; i++) y[i] = k;)

EBB_OP(full,
    .sig = "->()",
    .math = "y = fill_value everywhere",
    .infer = full_infer,
    .fwd = full_fwd,
    .attrs = EBB_ATTRS(full_attrs, full_attr),
    .tries = "size=2,3 fill_value=1.5; size= fill_value=2 dtype=f64; size=3 fill_value=1 dtype=bool; size=0,2 fill_value=1; size=5 fill_value=-7 dtype=i64",
    .doc = "A tensor whose elements all have one value."
);

/* ---- ranges ---- */

typedef struct arange_attrs {
    double start, end, step;
    int32_t dtype;
} arange_attrs;
static const ebb_attr arange_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, arange_attrs, start, "0", "first value"),
    EBB_ATTR(EBB_A_FLOAT, arange_attrs, end, NULL, "bound, itself left out"),
    EBB_ATTR(EBB_A_FLOAT, arange_attrs, step, "1", "distance of neighbours"),
    EBB_ATTR(EBB_A_DTYPE, arange_attrs, dtype, "f32", "element type"),
};

static ebb_status arange_infer(ebb_infer *s) {
    const arange_attrs *a = (const arange_attrs *)s->attrs;
    if (a->step == 0 || a->step != a->step)
        return s->fail(s, EBB_E_ATTR, "step is %g; another number is needed", a->step);
    const double n = ebb_floor(-(a->end - a->start) / a->step) * -1; /* rounded up */
    if (!(n >= 0))
        return s->fail(s, EBB_E_ATTR, "from %g to %g there is no way in steps of %g", a->start, a->end, a->step);
    if (n > 1e15)
        return s->fail(s, EBB_E_ATTR, "from %g to %g in steps of %g are too many elements", a->start, a->end,
                       a->step);
    s->y->ndim = 1;
    s->y->shape[0] = (int64_t)n;
    s->work = n > 0 ? (int64_t)n : 1;
    return EBB_OK;
}

EBB_KERNEL_NUMERIC(arange_fwd,
    const arange_attrs *a = (const arange_attrs *)l->attrs;
    T *y = (T *)l->p[0];
    const int64_t end = l->first + l->n < l->arg[0].numel ? l->first + l->n : l->arg[0].numel;
    for (int64_t i = l->first; i < end; i++) y[i] = (T)(a->start + (double)i * a->step);)

EBB_OP(arange,
    .sig = "->()",
    .math = "y_i = start + i*step",
    .infer = arange_infer,
    .fwd = arange_fwd,
    .attrs = EBB_ATTRS(arange_attrs, arange_attr),
    .tries = "end=5; start=1 end=4 step=0.5 dtype=f64; start=3 end=-2 step=-2 dtype=i64; end=0",
    .doc = "Values from start up to end, itself left out, in steps."
);
