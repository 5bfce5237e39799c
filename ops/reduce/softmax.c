/* softmax.c - floor 5: logsumexp, softmax, log_softmax: exponentials of a row, shifted by its largest. */
#include "reduce.h"

static const ebb_attr reduce_attr[] = {
    EBB_ATTR(EBB_A_INTS, reduce_attrs, dim, "", "the dims to reduce; none given: all"),
    EBB_ATTR(EBB_A_BOOL, reduce_attrs, keepdim, "0", "keep them, with size 1"),
};

EBB_KERNEL(logsumexp_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        ROW_TOP(x, n, top)
        if (top - top != 0) top = 0; /* all -inf, or +inf: nothing to shift by */
        ROW_SUM(n, ebb_exp(x[j] - top), sum)
        ((T *)l->p[1])[r * l->step[1]] = ebb_log(sum) + top;
    })

static ebb_tensor *logsumexp_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(kept(c, g), ebb_exp(ebb_sub(c->x[0], kept(c, c->y[0]))));
}

EBB_OP(logsumexp,
    .sig = "input(n)->()",
    .math = "y = ln sum_i exp(x_i);  dx_i = g*exp(x_i - y)",
    .fwd = logsumexp_fwd,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .vjp = EBB_VJP({logsumexp_dx, EBB_X(0) | EBB_Y(0)}),
    .flags = EBB_FLOAT_OUT,
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2",
    .doc = "Logarithm of the sum of exponentials, shifted by the largest so that nothing overflows."
);

typedef struct softmax_attrs {
    int64_t dim;
    int32_t dtype;
} softmax_attrs;
static const ebb_attr softmax_attr[] = {
    EBB_ATTR(EBB_A_INT, softmax_attrs, dim, "-1", "the dim whose elements become probabilities; min: all"),
    EBB_ATTR(EBB_A_DTYPE, softmax_attrs, dtype, "none", "convert the input to this first"),
};

static ebb_ints row_dims(const ebb_call *c) { return dims_of(((const softmax_attrs *)c->attrs)->dim); }

/* Whether the input has to be converted first. */
static bool other_dtype(const ebb_call *c) {
    const int32_t d = ((const softmax_attrs *)c->attrs)->dtype;
    return d && (d != c->x_shape[0].dtype || !ebb_is_float(d));
}
static ebb_tensor *converted(const ebb_call *c) {
    const int32_t d = ((const softmax_attrs *)c->attrs)->dtype;
    if (!ebb_is_float(d))
        return EBB_FAIL(c, EBB_E_DTYPE, "dtype must be f32 or f64: the results are fractions");
    return ebb_to(c->x[0], (ebb_dtype)d);
}

static ebb_tensor *softmax_compose(const ebb_call *c) {
    return other_dtype(c) ? ebb_softmax(converted(c), .dim = ((const softmax_attrs *)c->attrs)->dim) : NULL;
}

EBB_KERNEL(softmax_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T *y = (T *)l->p[1] + r * l->step[1];
        ROW_TOP(x, n, top)
        EBB_IVDEP for (int64_t i = 0; i < n; i++) y[i] = ebb_exp(x[i] - top);
        ROW_SUM(n, y[j], sum)
        const T scale = 1 / sum;
        EBB_IVDEP for (int64_t i = 0; i < n; i++) y[i] *= scale;
    })

static ebb_tensor *softmax_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *y = c->y[0];
    return ebb_mul(y, ebb_sub(g, ebb_sum(ebb_mul(g, y), .dim = row_dims(c), .keepdim = true)));
}
EBB_KERNEL(softmax_pull,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *g = (const T *)l->p[0] + r * l->step[0];
        const T *y = (const T *)l->p[1] + r * l->step[1];
        T *d = (T *)l->p[2] + r * l->step[2];
        ROW_SUM(n, g[j] * y[j], dot)
        EBB_IVDEP for (int64_t i = 0; i < n; i++) d[i] = y[i] * (g[i] - dot);
    })

EBB_OP(softmax,
    .sig = "input(n)->(n)",
    .compose = softmax_compose,
    .math = "y_i = exp(x_i) / sum_j exp(x_j);  dx = y*(g - sum_j g_j*y_j)",
    .fwd = softmax_fwd,
    .attrs = EBB_ATTRS(softmax_attrs, softmax_attr),
    .axes = "dim",
    .vjp = EBB_VJP({softmax_dx, EBB_Y(0)}),
    .pull = EBB_PULL({0, softmax_pull, EBB_Y(0)}),
    .flags = EBB_FLOAT_OUT,
    .tries = "dim=0; [2,3,4] dim=1; [2,3] dtype=f32",
    .doc = "Probabilities from logits along one dim."
);

static ebb_tensor *log_softmax_compose(const ebb_call *c) {
    return other_dtype(c) ? ebb_log_softmax(converted(c), .dim = ((const softmax_attrs *)c->attrs)->dim) : NULL;
}
EBB_KERNEL(log_softmax_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T *y = (T *)l->p[1] + r * l->step[1];
        ROW_TOP(x, n, top)
        ROW_SUM(n, ebb_exp(x[j] - top), sum)
        const T log_sum = ebb_log(sum);
        EBB_IVDEP for (int64_t i = 0; i < n; i++) y[i] = (x[i] - top) - log_sum;
    })

static ebb_tensor *log_softmax_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_sub(g, ebb_mul(ebb_exp(c->y[0]), ebb_sum(g, .dim = row_dims(c), .keepdim = true)));
}
EBB_KERNEL(log_softmax_pull,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *g = (const T *)l->p[0] + r * l->step[0];
        const T *y = (const T *)l->p[1] + r * l->step[1];
        T *d = (T *)l->p[2] + r * l->step[2];
        ROW_SUM(n, g[j], sum)
        EBB_IVDEP for (int64_t i = 0; i < n; i++) d[i] = g[i] - ebb_exp(y[i]) * sum;
    })

EBB_OP(log_softmax,
    .sig = "input(n)->(n)",
    .compose = log_softmax_compose,
    .math = "y_i = x_i - ln sum_j exp(x_j);  dx = g - exp(y)*sum_j g_j",
    .fwd = log_softmax_fwd,
    .attrs = EBB_ATTRS(softmax_attrs, softmax_attr),
    .axes = "dim",
    .vjp = EBB_VJP({log_softmax_dx, EBB_Y(0)}),
    .pull = EBB_PULL({0, log_softmax_pull, EBB_Y(0)}),
    .flags = EBB_FLOAT_OUT,
    .tries = "dim=0; [2,3,4] dim=1; [2,3] dtype=f32",
    .doc = "Logarithm of softmax along one dim, exact where softmax underflows."
);
