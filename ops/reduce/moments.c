/* moments.c - floor 5: variances and standard deviations, in two passes: exact also where the mean is far from 0. */
#include "reduce.h"

typedef struct var_attrs {
    ebb_ints dim;
    bool keepdim;
    int64_t correction;
    bool unbiased;
} var_attrs;
static const ebb_attr var_attr[] = {
    EBB_ATTR(EBB_A_INTS, var_attrs, dim, "", "the dims to reduce; none given: all"),
    EBB_ATTR(EBB_A_BOOL, var_attrs, keepdim, "0", "keep them, with size 1"),
    EBB_ATTR(EBB_A_INT, var_attrs, correction, "1", "what is taken from the number of elements"),
    EBB_ATTR(EBB_A_BOOL, var_attrs, unbiased, "1", "0: nothing is taken from it, whatever correction says"),
};

static int64_t correction_of(const var_attrs *a) { return a->unbiased ? a->correction : 0; }

enum { COLUMNS = 64, RUN = 4096 };

/* The first pass finds the mean, in runs whose sums are added in f64; the second the sum of squares about it, less what the
 * rounding of the mean adds (Chan, Golub, LeVeque, 1983: the corrected two-pass algorithm). */
#define VARIANCE(s1, s2) (((s2) - (s1) * (s1) / (double)n) / over)
EBB_KERNEL(var_fwd,
    const int64_t n = l->dim[0];
    const int64_t s = l->stride[0][0];
    const int64_t left = n - correction_of((const var_attrs *)l->attrs);
    const double over = left > 0 ? (double)left : 0;
    const T *x = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    if (s != 1 && l->step[0] == 1) { /* columns, some at a time */
        for (int64_t r = 0; r < l->n; r += COLUMNS) {
            const int64_t m = l->n - r < COLUMNS ? l->n - r : COLUMNS;
            double s1[COLUMNS] = {0};
            double s2[COLUMNS] = {0};
            T mean[COLUMNS];
            for (int64_t i = 0; i < n; i++)
                for (int64_t k = 0; k < m; k++) s1[k] += (double)x[i * s + r + k];
            for (int64_t k = 0; k < m; k++) {
                mean[k] = (T)(s1[k] / (double)n);
                s1[k] = 0;
            }
            for (int64_t i = 0; i < n; i++)
                for (int64_t k = 0; k < m; k++) {
                    const T d = x[i * s + r + k] - mean[k];
                    s1[k] += (double)d;
                    s2[k] += (double)d * (double)d;
                }
            for (int64_t k = 0; k < m; k++) y[(r + k) * l->step[1]] = (T)VARIANCE(s1[k], s2[k]);
        }
        return EBB_OK;
    }
    for (int64_t r = 0; r < l->n; r++, x += l->step[0]) {
        double total = 0;
        double s1 = 0;
        double s2 = 0;
        for (int64_t from = 0; from < n; from += RUN) {
            const int64_t m = n - from < RUN ? n - from : RUN;
            const T *p = x + from * s;
            if (s == 1) {
                ROW_SUM(m, p[j], sum)
                total += (double)sum;
            } else {
                ROW_SUM(m, p[j * s], sum)
                total += (double)sum;
            }
        }
        const T mean = (T)(total / (double)n);
        for (int64_t from = 0; from < n; from += RUN) {
            const int64_t m = n - from < RUN ? n - from : RUN;
            const T *p = x + from * s;
            T p1[LANES] = {0};
            T p2[LANES] = {0};
            int64_t i = 0;
            if (s == 1)
                for (; i + LANES <= m; i += LANES)
                    for (int k = 0; k < LANES; k++) {
                        const T d = p[i + k] - mean;
                        p1[k] += d;
                        p2[k] += d * d;
                    }
            for (; i < m; i++) {
                const T d = p[i * s] - mean;
                p1[i % LANES] += d;
                p2[i % LANES] += d * d;
            }
            for (int k = 0; k < LANES; k++) {
                s1 += (double)p1[k];
                s2 += (double)p2[k];
            }
        }
        y[r * l->step[1]] = (T)VARIANCE(s1, s2);
    })

static ebb_tensor *var_dx(const ebb_call *c, ebb_tensor *g) {
    const var_attrs *a = (const var_attrs *)c->attrs;
    const double over = (double)(reduced_count(c, a->dim) - correction_of(a));
    ebb_tensor *off = ebb_sub(c->x[0], ebb_mean(c->x[0], .dim = a->dim, .keepdim = true));
    off = ebb_sub(off, ebb_mean(off, .dim = a->dim, .keepdim = true)); /* what the mean was rounded by */
    return ebb_mul(ebb_mul_scalar(kept(c, g), 2 / over), off);
}

#define TRIES                                                                                                \
    "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; [2,3,4] dim=1 correction=0; [2,3] unbiased=0; [5] correction=2"
EBB_OP(var,
    .sig = "input(n)->()",
    .math = "y = sum_i (x_i - mean)^2 / (n - correction);  dx = g*2*(x - mean)/(n - correction)",
    .fwd = var_fwd,
    .attrs = EBB_ATTRS(var_attrs, var_attr),
    .axes = "dim",
    .vjp = EBB_VJP({var_dx, EBB_X(0)}),
    .flags = EBB_STRIDED,
    .tries = TRIES,
    .doc = "Variance over the given dims or all. NaN or infinite when correction leaves no elements.",
    .ref = "corrected two-pass algorithm: Chan, Golub, LeVeque, The American Statistician 37 (1983)"
);

static ebb_tensor *var_of(const ebb_call *c) {
    const var_attrs *a = (const var_attrs *)c->attrs;
    return ebb_var(c->x[0], .dim = a->dim, .keepdim = a->keepdim, .correction = a->correction,
                   .unbiased = a->unbiased);
}
static ebb_tensor *std_compose(const ebb_call *c) { return ebb_sqrt(var_of(c)); }

/* At 0 the slope is 0. */
static ebb_tensor *std_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *flat = ebb_eq(c->y[0], ebb_scalar(c->y[0], 0)), *none = ebb_scalar(g, 0);
    ebb_tensor *y = ebb_where(flat, ebb_scalar(g, 1), c->y[0]);
    return var_dx(c, ebb_where(flat, none, ebb_div(g, ebb_mul_scalar(y, 2))));
}

/* Of two elements it is linear, and its second derivative rounding errors alone, whose symmetry the verifier would look for: so
 * the shapes to try are these. */
#define STD_TRIES                                                                                            \
    "[3,4] dim=0; [3,4] dim=-1 keepdim=1; [2,3,4] dim=0,2; [2,3,4] dim=1 correction=0; [2,3] unbiased=0; [5] correction=2; [5]; [3,0,2] dim=0; [17,3] dim=0"
EBB_OP(std,
    .sig = "input(n)->()",
    .math = "y = sqrt(sum_i (x_i - mean)^2 / (n - correction));  dx = g*(x - mean)/((n - correction)*y), 0 where y = 0",
    .compose = std_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(var_attrs, var_attr),
    .vjp = EBB_VJP({std_dx, EBB_X(0) | EBB_Y(0)}),
    .kinks = EBB_KINKS({NULL, 3, {0.5, 0.5, 0.5}, {0, 0, 0}}),
    .tries = STD_TRIES,
    .doc = "Standard deviation over the given dims or all, the root of var; its gradient where it is 0 is 0."
);

static ebb_tensor *mean_beside(const ebb_call *c) {
    const var_attrs *a = (const var_attrs *)c->attrs;
    return ebb_mean(c->x[0], .dim = a->dim, .keepdim = a->keepdim);
}
static ebb_tensor *var_mean_compose(const ebb_call *c) {
    c->more[0] = mean_beside(c);
    return var_of(c);
}
static ebb_tensor *std_mean_compose(const ebb_call *c) {
    const var_attrs *a = (const var_attrs *)c->attrs;
    c->more[0] = mean_beside(c);
    return ebb_std(c->x[0], .dim = a->dim, .keepdim = a->keepdim, .correction = a->correction,
                   .unbiased = a->unbiased);
}

EBB_OP(var_mean,
    .sig = "input(n)->(),()",
    .math = "y, m = var(x), mean(x)",
    .compose = var_mean_compose,
    .attrs = EBB_ATTRS(var_attrs, var_attr),
    .axes = "dim",
    .tries = TRIES,
    .doc = "var and mean together."
);
EBB_OP(std_mean,
    .sig = "input(n)->(),()",
    .math = "y, m = std(x), mean(x)",
    .compose = std_mean_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(var_attrs, var_attr),
    .tries = STD_TRIES,
    .doc = "std and mean together."
);
