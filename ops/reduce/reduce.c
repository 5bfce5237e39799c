/* reduce.c - floor 5: reductions and softmax along any dims. The engine brings the dims together; kernels see rows. */
#include <ebb/op.h>

/* Reductions that step through rows with any stride do a whole run of neighbouring rows at once when those lie side by side. */
enum { LANES = 16 };

typedef struct reduce_attrs {
    ebb_ints dim;
    bool keepdim;
} reduce_attrs;
static const ebb_attr reduce_attr[] = {
    EBB_ATTR(EBB_A_INTS, reduce_attrs, dim, "", "the dims to reduce; none given: all"),
    EBB_ATTR(EBB_A_BOOL, reduce_attrs, keepdim, "0", "keep them, with size 1"),
};

/* A reduced tensor with the reduced dims back as 1, so that it broadcasts against the input. */
static ebb_tensor *kept(const ebb_call *c, ebb_tensor *t) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    if (a->keepdim || !x->ndim) return t;
    ebb_ints shape = ebb_ints_of(x);
    for (int i = 0; i < x->ndim; i++) shape.v[i] = a->dim.n ? shape.v[i] : 1;
    for (int i = 0; i < a->dim.n; i++) shape.v[a->dim.v[i] < 0 ? a->dim.v[i] + x->ndim : a->dim.v[i]] = 1;
    return ebb_reshape(t, .shape = shape);
}

/* ---- sum and mean ---- */

/* Rows are added in LANES interleaved partial sums, so that the order, and thus every bit, is the same for any vector width. */
#define SUM_BODY(done)                                                                                       \
    const int64_t n = l->dim[0];                                                                             \
    const int64_t s = l->stride[0][0];                                                                       \
    const int64_t row = l->step[0];                                                                          \
    const int64_t out = l->step[1];                                                                          \
    T *y = (T *)l->p[1];                                                                                     \
    const T *x = (const T *)l->p[0];                                                                         \
    if (s != 1 && row == 1 && out == 1) { /* columns: whole rows are added */                                \
        for (int64_t r = 0; r < l->n; r++) y[r] = 0;                                                         \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            const T *p = x + i * s;                                                                          \
            EBB_IVDEP for (int64_t r = 0; r < l->n; r++) y[r] += p[r];                                       \
        }                                                                                                    \
        for (int64_t r = 0; r < l->n; r++) y[r] = done(y[r]);                                                \
        return EBB_OK;                                                                                       \
    }                                                                                                        \
    for (int64_t r = 0; r < l->n; r++) {                                                                     \
        const T *p = x + r * row;                                                                            \
        T part[LANES] = {0};                                                                                 \
        T rest = 0;                                                                                          \
        int64_t i = 0;                                                                                       \
        if (s == 1)                                                                                          \
            for (; i + LANES <= n; i += LANES)                                                               \
                for (int k = 0; k < LANES; k++) part[k] += p[i + k];                                         \
        else                                                                                                 \
            for (; i + LANES <= n; i += LANES)                                                               \
                for (int k = 0; k < LANES; k++) part[k] += p[(i + k) * s];                                   \
        for (; i < n; i++) rest += p[i * s];                                                                 \
        for (int w = LANES / 2; w; w /= 2)                                                                   \
            for (int k = 0; k < w; k++) part[k] += part[k + w];                                              \
        y[r * out] = done(part[0] + rest);                                                                   \
    }
#define AS_IT_IS(v) (v)
#define OVER_N(v) ((v) / (T)n)
EBB_KERNEL(sum_fwd, SUM_BODY(AS_IT_IS))

static ebb_tensor *sum_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_expand(kept(c, g), .size = ebb_ints_of(&c->x_shape[0]));
}

EBB_OP(sum,
    .sig = "input(n)->()",
    .math = "y = sum_i x_i;  dx_i = g",
    .fwd = sum_fwd,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .vjp = EBB_VJP({sum_dx, 0}),
    .flags = EBB_LINEAR | EBB_STRIDED | EBB_ASSOC,
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; [2,3,4] dim=1 keepdim=1; [3,0] dim=1; [2,3,4]",
    .doc = "Sum over the given dims, over all of them when none is given. The sum of nothing is 0."
);

EBB_KERNEL(mean_fwd, SUM_BODY(OVER_N))

/* How many elements are reduced to one. */
static int64_t reduced_count(const ebb_call *c) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    int64_t n = 1;
    for (int i = 0; i < (a->dim.n ? a->dim.n : x->ndim); i++) {
        const int64_t d = a->dim.n ? a->dim.v[i] : i, k = d < 0 ? d + x->ndim : d;
        if (k >= 0 && k < x->ndim) n *= x->dim[k];
    }
    return n;
}

/* Long rows are summed in blocks, which several threads share; that is sum's affair. */
static ebb_tensor *mean_compose(const ebb_call *c) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    const int64_t n = reduced_count(c);
    if (n < 65536) return NULL;
    return ebb_div_scalar(ebb_sum(c->x[0], .dim = a->dim, .keepdim = a->keepdim), (double)n);
}

static ebb_tensor *mean_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_expand(kept(c, ebb_div_scalar(g, (double)reduced_count(c))), .size = ebb_ints_of(&c->x_shape[0]));
}

EBB_OP(mean,
    .sig = "input(n)->()",
    .math = "y = sum_i x_i / n;  dx_i = g/n",
    .compose = mean_compose,
    .fwd = mean_fwd,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .vjp = EBB_VJP({mean_dx, 0}),
    .flags = EBB_LINEAR | EBB_STRIDED,
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; [2,3,4] dim=1 keepdim=1",
    .doc = "Mean over the given dims, over all of them when none is given. The mean of nothing is NaN."
);

/* ---- largest and smallest ---- */

#define EXTREME_BODY(better)                                                                                 \
    const int64_t n = l->dim[0];                                                                             \
    for (int64_t r = 0; r < l->n; r++) {                                                                     \
        const T *x = (const T *)l->p[0] + r * l->step[0];                                                    \
        const int64_t s = l->stride[0][0];                                                                   \
        T best = x[0];                                                                                       \
        for (int64_t i = 1; i < n; i++) {                                                                    \
            const T v = x[i * s];                                                                            \
            best = (v better best) || v != v ? v : best;                                                     \
            if (best != best) break;                                                                         \
        }                                                                                                    \
        ((T *)l->p[1])[r * l->step[1]] = best;                                                               \
    }
EBB_KERNEL(amax_fwd, EXTREME_BODY(>))
EBB_KERNEL(amin_fwd, EXTREME_BODY(<))

/* Equal extremes share the gradient evenly. */
static ebb_tensor *extreme_dx(const ebb_call *c, ebb_tensor *g) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    ebb_tensor *hit = ebb_to(ebb_eq(c->x[0], kept(c, c->y[0])), (ebb_dtype)c->x_shape[0].dtype);
    ebb_tensor *count = ebb_sum(hit, .dim = a->dim, .keepdim = true);
    if (!c->x_shape[0].ndim) count = ebb_scalar(g, 1);
    return ebb_mul(ebb_div(kept(c, g), count), hit);
}

EBB_OP(amax,
    .sig = "input(n)->()",
    .math = "y = max_i x_i;  dx_i = g/k where x_i = y, k of them",
    .fwd = amax_fwd,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .vjp = EBB_VJP({extreme_dx, EBB_X(0) | EBB_Y(0)}),
    .flags = EBB_STRIDED | EBB_ASSOC | EBB_NONEMPTY,
    .kinks = EBB_KINKS({NULL, 3, {1, 0, 1}, {0.5, 0, 0.5}}),
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; [2,3,4] dim=1 keepdim=1",
    .doc = "Largest element along the given dims, of all when none is given. NaN wins."
);
EBB_OP(amin,
    .sig = "input(n)->()",
    .math = "y = min_i x_i;  dx_i = g/k where x_i = y, k of them",
    .fwd = amin_fwd,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .vjp = EBB_VJP({extreme_dx, EBB_X(0) | EBB_Y(0)}),
    .flags = EBB_STRIDED | EBB_ASSOC | EBB_NONEMPTY,
    .kinks = EBB_KINKS({NULL, 3, {0, 1, 0}, {0.5, 0, 0.5}}),
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; [2,3,4] dim=1 keepdim=1",
    .doc = "Smallest element along the given dims, of all when none is given. NaN wins."
);

/* ---- logsumexp and the softmax family ---- */

/* The largest of a row, and the sum of exp(x_i - largest), in LANES interleaved partial results. */
#define ROW_TOP(x, n, top)                                                                                   \
    T top = -(T)INFINITY;                                                                                    \
    {                                                                                                        \
        T part[LANES];                                                                                       \
        for (int k = 0; k < LANES; k++) part[k] = -(T)INFINITY;                                              \
        int64_t i = 0;                                                                                       \
        for (; i + LANES <= n; i += LANES)                                                                   \
            for (int k = 0; k < LANES; k++) part[k] = x[i + k] > part[k] ? x[i + k] : part[k];               \
        for (; i < n; i++) top = x[i] > top ? x[i] : top;                                                    \
        for (int k = 0; k < LANES; k++) top = part[k] > top ? part[k] : top;                                 \
    }
#define ROW_SUM(n, term, sum)                                                                                \
    T sum = 0;                                                                                               \
    {                                                                                                        \
        T part[LANES] = {0};                                                                                 \
        int64_t i = 0;                                                                                       \
        for (; i + LANES <= n; i += LANES)                                                                   \
            for (int64_t j = i; j < i + LANES; j++) part[j - i] += term;                                     \
        for (; i < n; i++) {                                                                                 \
            const int64_t j = i;                                                                             \
            sum += term;                                                                                     \
        }                                                                                                    \
        for (int w = LANES / 2; w; w /= 2)                                                                   \
            for (int k = 0; k < w; k++) part[k] += part[k + w];                                              \
        sum += part[0];                                                                                      \
    }

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
} softmax_attrs;

/* The dim as sum takes it; INT64_MIN, written "min", is all of them. */
static ebb_ints row_dims(const ebb_call *c) {
    const int64_t dim = ((const softmax_attrs *)c->attrs)->dim;
    return dim == INT64_MIN ? EBB_SHAPE0 : EBB_DIMS(dim);
}
static const ebb_attr softmax_attr[] = {
    EBB_ATTR(EBB_A_INT, softmax_attrs, dim, "-1", "the dim whose elements become probabilities")};

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
    .math = "y_i = exp(x_i) / sum_j exp(x_j);  dx = y*(g - sum_j g_j*y_j)",
    .fwd = softmax_fwd,
    .attrs = EBB_ATTRS(softmax_attrs, softmax_attr),
    .axes = "dim",
    .vjp = EBB_VJP({softmax_dx, EBB_Y(0)}),
    .pull = EBB_PULL({0, softmax_pull, EBB_Y(0)}),
    .flags = EBB_FLOAT_OUT,
    .tries = "dim=0; [2,3,4] dim=1; [2,3] dim=min",
    .doc = "Probabilities from logits along one dim."
);

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
    .math = "y_i = x_i - ln sum_j exp(x_j);  dx = g - exp(y)*sum_j g_j",
    .fwd = log_softmax_fwd,
    .attrs = EBB_ATTRS(softmax_attrs, softmax_attr),
    .axes = "dim",
    .vjp = EBB_VJP({log_softmax_dx, EBB_Y(0)}),
    .pull = EBB_PULL({0, log_softmax_pull, EBB_Y(0)}),
    .flags = EBB_FLOAT_OUT,
    .tries = "dim=0; [2,3,4] dim=1; [2,3] dim=min",
    .doc = "Logarithm of softmax along one dim, exact where softmax underflows."
);
