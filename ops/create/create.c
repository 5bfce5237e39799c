/* create.c - floor 5: tensors from nothing but attributes: constants and ranges. */
#include "create.h"

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

static ebb_status full_infer(ebb_infer *s) { return sized(s, &((const full_attrs *)s->attrs)->size, 1); }

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

static const ebb_attr made_attr[] = {
    EBB_ATTR(EBB_A_INTS, made_attrs, size, "", "shape; none given: a 0-d tensor"),
    EBB_ATTR(EBB_A_DTYPE, made_attrs, dtype, "f32", "element type"),
};

static ebb_tensor *made(const ebb_call *c, double value) {
    const made_attrs *a = (const made_attrs *)c->attrs;
    return ebb_constant(c->e, a->dtype ? (ebb_dtype)a->dtype : EBB_F32, a->size, value);
}
static ebb_tensor *zeros_compose(const ebb_call *c) { return made(c, 0); }
static ebb_tensor *ones_compose(const ebb_call *c) { return made(c, 1); }

EBB_OP(zeros,
    .sig = "->()",
    .math = "y = 0 everywhere",
    .compose = zeros_compose,
    .attrs = EBB_ATTRS(made_attrs, made_attr),
    .tries = "size=2,3; size= dtype=f64; size=0,2 dtype=bool",
    .doc = "A tensor of zeros. (In C: ebb_full, or ebb_constant in a rule; ebb_zeros is an initialiser.)"
);
EBB_OP(ones,
    .sig = "->()",
    .math = "y = 1 everywhere",
    .compose = ones_compose,
    .attrs = EBB_ATTRS(made_attrs, made_attr),
    .tries = "size=2,3; size= dtype=f64; size=0,2 dtype=bool",
    .doc = "A tensor of ones. (In C: ebb_full, or ebb_constant in a rule; ebb_ones is an initialiser.)"
);

/* ---- constants like another tensor ---- */

static const ebb_attr like_attr[] = {
    EBB_ATTR(EBB_A_DTYPE, like_attrs, dtype, "none", "element type; none: the input's")};

static ebb_tensor *like(const ebb_call *c, int32_t dtype, double value) {
    return ebb_constant(c->e, (ebb_dtype)(dtype ? dtype : c->x_shape[0].dtype), ebb_ints_of(&c->x_shape[0]), value);
}
static ebb_tensor *zeros_like_compose(const ebb_call *c) {
    return like(c, ((const like_attrs *)c->attrs)->dtype, 0);
}
static ebb_tensor *ones_like_compose(const ebb_call *c) {
    return like(c, ((const like_attrs *)c->attrs)->dtype, 1);
}

EBB_OP(zeros_like,
    .sig = "input()->()",
    .math = "y = 0 everywhere",
    .compose = zeros_like_compose,
    .attrs = EBB_ATTRS(like_attrs, like_attr),
    .tries = "[2,3]; [] dtype=f32; [0,2] dtype=i64",
    .doc = "Zeros in the shape of the input."
);
EBB_OP(ones_like,
    .sig = "input()->()",
    .math = "y = 1 everywhere",
    .compose = ones_like_compose,
    .attrs = EBB_ATTRS(like_attrs, like_attr),
    .tries = "[2,3]; [] dtype=f32; [0,2] dtype=i64",
    .doc = "Ones in the shape of the input."
);
EBB_OP(empty_like,
    .sig = "input()->()",
    .math = "y = 0 everywhere",
    .compose = zeros_like_compose,
    .attrs = EBB_ATTRS(like_attrs, like_attr),
    .tries = "[2,3]; [] dtype=f32; [0,2] dtype=i64",
    .doc = "A tensor in the shape of the input; its elements are 0, never left as they were."
);

typedef struct full_like_attrs {
    double fill_value;
    int32_t dtype;
} full_like_attrs;
static const ebb_attr full_like_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, full_like_attrs, fill_value, NULL, "the value of every element"),
    EBB_ATTR(EBB_A_DTYPE, full_like_attrs, dtype, "none", "element type; none: the input's"),
};
static ebb_tensor *full_like_compose(const ebb_call *c) {
    const full_like_attrs *a = (const full_like_attrs *)c->attrs;
    return like(c, a->dtype, a->fill_value);
}

EBB_OP(full_like,
    .sig = "input()->()",
    .math = "y = fill_value everywhere",
    .compose = full_like_compose,
    .attrs = EBB_ATTRS(full_like_attrs, full_like_attr),
    .tries = "[2,3] fill_value=1.5; [] fill_value=-2 dtype=f32; [0,2] fill_value=1 dtype=i64",
    .doc = "One value in the shape of the input."
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
    .doc = "Values from start up to end, itself left out, in steps. The element type is the attribute's, f32 unless given: it is not inferred from the numbers."
);

/* ---- evenly spaced ---- */

typedef struct space_attrs {
    double start, end;
    int64_t steps;
    int32_t dtype;
} space_attrs;
static const ebb_attr linspace_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, space_attrs, start, NULL, "first value"),
    EBB_ATTR(EBB_A_FLOAT, space_attrs, end, NULL, "last value"),
    EBB_ATTR(EBB_A_INT, space_attrs, steps, NULL, "how many values", .lo = 0, .hi = 1e15),
    EBB_ATTR(EBB_A_DTYPE, space_attrs, dtype, "f32", "element type"),
};

static ebb_status linspace_infer(ebb_infer *s) {
    const int64_t n = ((const space_attrs *)s->attrs)->steps;
    s->y->ndim = 1;
    s->y->shape[0] = n;
    s->work = n ? n : 1;
    return EBB_OK;
}

/* From both ends to the middle, so that both are met exactly. */
EBB_KERNEL_NUMERIC(linspace_fwd,
    const space_attrs *a = (const space_attrs *)l->attrs;
    const int64_t n = a->steps; const int64_t end = l->first + l->n < n ? l->first + l->n : n;
    const double step = n > 1 ? (a->end - a->start) / (double)(n - 1) : 0;
    T *y = (T *)l->p[0];
    for (int64_t i = l->first; i < end; i++)
        y[i] = (T)(i < n / 2 || n == 1 ? a->start + step * (double)i : a->end - step * (double)(n - 1 - i));)

EBB_OP(linspace,
    .sig = "->()",
    .math = "y_i = start + i*(end - start)/(steps - 1)",
    .infer = linspace_infer,
    .fwd = linspace_fwd,
    .attrs = EBB_ATTRS(space_attrs, linspace_attr),
    .tries = "start=0 end=1 steps=5; start=2 end=-1 steps=4 dtype=f64; start=3 end=9 steps=1; start=0 end=1 steps=0; start=-3 end=12 steps=6 dtype=i64",
    .doc = "`steps` values from start to end, both included, at even distances; integers are cut off towards 0."
);

typedef struct logspace_attrs {
    double start, end;
    int64_t steps;
    double base;
    int32_t dtype;
} logspace_attrs;
static const ebb_attr logspace_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, logspace_attrs, start, NULL, "first exponent"),
    EBB_ATTR(EBB_A_FLOAT, logspace_attrs, end, NULL, "last exponent"),
    EBB_ATTR(EBB_A_INT, logspace_attrs, steps, NULL, "how many values", .lo = 0, .hi = 1e15),
    EBB_ATTR(EBB_A_FLOAT, logspace_attrs, base, "10", "what is raised to the exponents"),
    EBB_ATTR(EBB_A_DTYPE, logspace_attrs, dtype, "f32", "element type"),
};

static ebb_tensor *logspace_compose(const ebb_call *c) {
    const logspace_attrs *a = (const logspace_attrs *)c->attrs;
    ebb_tensor *exponent =
        ebb_linspace(c->e, .start = a->start, .end = a->end, .steps = a->steps, .dtype = EBB_F64);
    return ebb_to(ebb_pow(ebb_constant(c->e, EBB_F64, EBB_SHAPE0, a->base), exponent),
                  a->dtype ? (ebb_dtype)a->dtype : EBB_F32);
}

EBB_OP(logspace,
    .sig = "->()",
    .math = "y_i = base^(start + i*(end - start)/(steps - 1))",
    .compose = logspace_compose,
    .attrs = EBB_ATTRS(logspace_attrs, logspace_attr),
    .tries = "start=0 end=1 steps=5; start=2 end=-1 steps=4 base=2 dtype=f64; start=1 end=2 steps=1; start=0 end=1 steps=0",
    .doc = "Powers of base at evenly spaced exponents."
);
