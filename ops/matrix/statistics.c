/* statistics.c - floor 5: trace, covariance, correlation. */
#include "matrix.h"

/* ---- trace ---- */

static ebb_tensor *trace_compose(const ebb_call *c) {
    return has_rank(c, 0, "input", 2) ? ebb_sum(ebb_diagonal(c->x[0])) : NULL;
}

EBB_OP(trace,
    .sig = "input()->()",
    .math = "y = sum_i x_ii;  dx_ij = g where i = j, else 0",
    .infer = own_shapes,
    .compose = trace_compose,
    .flags = EBB_LINEAR,
    .tries = "[3,3]; [2,4]; [4,2]; [0,0]; [0,3]; [1,1]",
    .doc = "Sum of the diagonal of a matrix, which need not be square; of integers in i64.",
    .ref = "torch.trace"
);

/* ---- cov ---- */

typedef struct cov_attrs {
    int64_t correction;
} cov_attrs;
static const ebb_attr cov_attr[] = {EBB_ATTR(
    EBB_A_INT, cov_attrs, correction, "1", "what is taken from the number of observations that divides the sums")};

/* The elements of a tensor as doubles, in order. NULL: an error, or none. */
static const double *values_of(ebb_tensor *t) {
    return (const double *)ebb_info_of(ebb_contiguous(ebb_to(t, EBB_F64))).data;
}

static bool weights_fit(const ebb_call *c, int i, int64_t observations) {
    const ebb_shape *s = &c->x_shape[i];
    const char *name = i == 1 ? "fweights" : "aweights";
    if (i == 1 ? ebb_is_float(s->dtype) || s->dtype == EBB_BOOL : !ebb_is_float(s->dtype))
        return REFUSED(c, EBB_E_DTYPE, "%s must be %s, not %s", name, i == 1 ? "integers" : "f32 or f64",
                       dtype_name(s->dtype));
    if (s->ndim > 1) return REFUSED(c, EBB_E_SHAPE, "%s has %d dims; 1 is needed", name, s->ndim);
    if (ebb_shape_numel(s) != observations)
        return REFUSED(c, EBB_E_SHAPE, "%s has %lld elements, the input %lld observations (columns)", name,
                       (long long)ebb_shape_numel(s), (long long)observations);
    const double *v = values_of(c->x[i]);
    for (int64_t k = 0; k < observations && v; k++)
        if (v[k] < 0 && v[k] - v[k] == 0) /* infinite ones give NaN, of either sign */
            return REFUSED(c, EBB_E_INDEX, "%s[%lld] is %g; weights are not negative", name, (long long)k, v[k]);
    return v || !observations;
}

/* What the sums of products are divided by; 0 when the correction leaves nothing. */
static ebb_tensor *divisor(const ebb_call *c, ebb_tensor *sum, ebb_tensor *w, ebb_tensor *aweights) {
    ebb_tensor *k = ebb_scalar(sum, (double)((const cov_attrs *)c->attrs)->correction);
    if (aweights) k = ebb_div(ebb_mul(k, ebb_sum(ebb_mul(w, aweights))), sum);
    ebb_tensor *n = ebb_sub(sum, k);
    const double *v = values_of(n);
    return v && *v <= 0 ? ebb_abs(ebb_mul_scalar(n, 0)) : n; /* abs: not -0 */
}

static ebb_tensor *cov_compose(const ebb_call *c) {
    const ebb_shape *s = &c->x_shape[0];
    ebb_tensor *f = c->n_x > 1 ? c->x[1] : NULL, *a = c->n_x > 2 ? c->x[2] : NULL;
    if (s->ndim > 2)
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; at most 2 are possible", s->ndim);
    if (s->dtype == EBB_BOOL) return EBB_FAIL(c, EBB_E_DTYPE, "the input must be numbers, not bool");
    const int64_t rows = s->ndim == 2 ? s->dim[0] : 1, n = s->ndim == 2 ? s->dim[1] : ebb_shape_numel(s);
    if ((f && !weights_fit(c, 1, n)) || (a && !weights_fit(c, 2, n))) return NULL;
    ebb_tensor *x = ebb_reshape(c->x[0], .shape = EBB_SHAPE(rows, n));
    if (!ebb_is_float(s->dtype)) x = ebb_to(x, EBB_F32);
    if (f) f = ebb_reshape(f, .shape = EBB_SHAPE(n));
    if (a) a = ebb_reshape(a, .shape = EBB_SHAPE(n));
    ebb_tensor *w = f && a ? ebb_mul(f, a) : f ? f : a;
    ebb_tensor *sum = w ? ebb_sum(w) : ebb_scalar(x, (double)n);
    const double *total = w ? values_of(sum) : NULL;
    if (total && *total == 0)
        return EBB_FAIL(c, EBB_E_ARG, "the weights add up to 0, and cannot be normalised");
    ebb_tensor *mean = w ? ebb_div(ebb_sum(ebb_mul(x, w), .dim = EBB_DIMS(1), .keepdim = true), sum)
                         : ebb_mean(x, .dim = EBB_DIMS(1), .keepdim = true);
    ebb_tensor *around = ebb_sub(x, mean);
    ebb_tensor *y = ebb_gemm(around, flipped(w ? ebb_mul(around, w) : around));
    y = ebb_div(y, divisor(c, sum, w, a));
    return rows == 1 ? ebb_reshape(y, .shape = EBB_SHAPE0) : y;
}

EBB_OP(cov,
    .sig = "input(m,n),fweights(n)?:i,aweights(n)?->(m,m)",
    .math = "C_ij = sum_k w_k*(x_ik - m_i)*(x_jk - m_j) / n,  m the weighted means;  dx and dw of just that",
    .infer = own_shapes,
    .compose = cov_compose,
    .attrs = EBB_ATTRS(cov_attrs, cov_attr),
    .domain = EBB_DOMAIN({-2, 2}, {1, 3}, {0.5, 2}),
    .tries = "[2,5]; [5]; [3,4] correction=0; [2,3] [3]<4; [1,3]; [0,3]",
    .doc = "Covariances of the variables in the rows of a matrix of observations. fweights says how often each was made, aweights how much it counts. One variable gives a 0-d result.",
    .ref = "torch.cov"
);

/* ---- corrcoef ---- */

static ebb_tensor *corrcoef_compose(const ebb_call *c) {
    ebb_tensor *y = ebb_cov(c->x[0]);
    const ebb_info i = ebb_info_of(y);
    if (!y) return NULL;
    if (!i.ndim) return ebb_div(ebb_sign(y), ebb_sign(y)); /* 1 whatever y, so with a gradient of just 0 */
    ebb_tensor *deviation = ebb_sqrt(ebb_diagonal(y));
    y = ebb_div(ebb_div(y, ebb_unsqueeze(deviation, .dim = 1)), deviation);
    return ebb_clamp(y, .min = -1, .max = 1);
}

EBB_OP(corrcoef,
    .sig = "input()->()",
    .math = "R_ij = C_ij / sqrt(C_ii*C_jj),  C = cov(x)",
    .compose = corrcoef_compose,
    .domain = EBB_DOMAIN({0.1, 2}),
    .tries = "[2,5]; [3,4]; [0,3]",
    .doc = "Correlations of the variables in the rows of a matrix of observations, kept within -1 and 1.",
    .ref = "torch.corrcoef"
);
