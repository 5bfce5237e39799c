/* standardize.c - floor 5: brings groups of elements to mean 0 and variance 1: what every normalisation is made of. */
#include <ebb/op.h>

/* A group is what stands at one c of (m,c,n): n neighbours in each of m rows. It is read in blocks, through a buffer where its
 * elements are not neighbours. A block is added in LANES partial sums of type T, blocks in double: exact enough for any
 * length, and the same bits for any vector width. */
enum { LANES = 16, BLOCK = 256 };

typedef struct standardize_attrs {
    double eps;
    bool center;
} standardize_attrs;
static const ebb_attr standardize_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, standardize_attrs, eps, NULL, "added to the variance", .lo = 0, .hi = 1e300),
    EBB_ATTR(EBB_A_BOOL, standardize_attrs, center, "1",
             "subtract the mean; if not, the mean square stands for the variance"),
};

/* m rows of n elements; a group of one column is one row of m. */
#define ROWS                                                                                                 \
    const bool column = l->dim[2] == 1;                                                                      \
    const int64_t m = column ? 1 : l->dim[0], n = column ? l->dim[0] : l->dim[2], count = m * n;             \
    const int along = column ? 0 : 2;

/* Element k of operand i's block is v[k]. */
#define AT(i)                                                                                                \
    ((T *)l->p[i] + item * l->step[i] + c * l->stride[i][1] + row * l->stride[i][0] + at * l->stride[i][along])
#define READ(v, i)                                                                                           \
    T v##_copy[BLOCK];                                                                                       \
    const T *v = AT(i);                                                                                      \
    if (l->stride[i][along] != 1 && len > 1) {                                                               \
        const int64_t step = l->stride[i][along];                                                            \
        if (step)                                                                                            \
            for (int64_t k = 0; k < len; k++) v##_copy[k] = v[k * step];                                     \
        else                                                                                                 \
            for (int64_t k = 0; k < len; k++) v##_copy[k] = *v;                                              \
        v = v##_copy;                                                                                        \
    }
#define WRITE(i, value)                                                                                      \
    T *to = AT(i);                                                                                           \
    const int64_t step = l->stride[i][along];                                                                \
    if (step == 1 || len == 1) {                                                                             \
        EBB_IVDEP for (int64_t k = 0; k < len; k++) to[k] = value;                                           \
    } else                                                                                                   \
        for (int64_t k = 0; k < len; k++) to[k * step] = value;
#define EACH_BLOCK(...)                                                                                      \
    for (int64_t row = 0; row < m; row++)                                                                    \
        for (int64_t at = 0; at < n; at += BLOCK) {                                                          \
            const int64_t len = n - at < BLOCK ? n - at : BLOCK;                                             \
            __VA_ARGS__                                                                                      \
        }
#define ADD_BLOCK(total, term)                                                                               \
    {                                                                                                        \
        T part[LANES] = {0}, rest = 0;                                                                       \
        int64_t j = 0;                                                                                       \
        for (; j + LANES <= len; j += LANES)                                                                 \
            for (int64_t k = j; k < j + LANES; k++) part[k - j] += term;                                     \
        for (int64_t k = j; k < len; k++) rest += term;                                                      \
        for (int k = 0; k < 8; k++) part[k] += part[k + 8];                                                  \
        for (int k = 0; k < 4; k++) part[k] += part[k + 4];                                                  \
        total += (double)(part[0] + part[2] + (part[1] + part[3]) + rest);                                   \
    }
/* The group's mean, to more digits than T has: mean + low; and the squared distances from it summed. The second pass corrects
 * the first (Chan, Golub and LeVeque, 1983, "Algorithms for computing the sample variance"). */
#define MOMENTS(input, center)                                                                               \
    double sum = 0, drift = 0, squares = 0;                                                                  \
    if (center) EACH_BLOCK(READ(x, input) ADD_BLOCK(sum, x[k]))                                              \
    const T mean = (T)(sum / (double)count);                                                                 \
    EACH_BLOCK(READ(x, input) if (center) ADD_BLOCK(drift, x[k] - mean)                                      \
                   ADD_BLOCK(squares, (x[k] - mean) * (x[k] - mean)))                                        \
    const T low = (T)(drift / (double)count);                                                                \
    squares -= drift * drift / (double)count;
#define OFF_MEAN (x[k] - mean - low)

EBB_KERNEL(standardize_fwd,
    const standardize_attrs *a = (const standardize_attrs *)l->attrs;
    ROWS
    for (int64_t item = 0; item < l->n; item++)
        for (int64_t c = 0; c < l->dim[1]; c++) {
            MOMENTS(0, a->center)
            const T scale = (T)(1 / ebb_sqrt(squares / (double)count + a->eps));
            if (l->p[2]) EACH_BLOCK(READ(x, 0) READ(w, 1) READ(b, 2) WRITE(3, OFF_MEAN * scale * w[k] + b[k]))
            else EACH_BLOCK(READ(x, 0) READ(w, 1) WRITE(3, OFF_MEAN * scale * w[k]))
        })

/* Sum of the groups, divided by their size. */
static ebb_tensor *group_mean(ebb_tensor *t) { return ebb_mean(t, .dim = EBB_DIMS(-3, -1), .keepdim = true); }

static ebb_tensor *standardize_dx(const ebb_call *c, ebb_tensor *g) {
    const standardize_attrs *a = (const standardize_attrs *)c->attrs;
    ebb_tensor *x = c->x[0], *gw = ebb_mul(g, c->x[1]);
    ebb_tensor *centered = a->center ? ebb_sub(x, group_mean(x)) : x;
    ebb_tensor *scale = ebb_div_into(1, ebb_sqrt(ebb_add_scalar(group_mean(ebb_square(centered)), a->eps)));
    ebb_tensor *y = ebb_mul(centered, scale);
    ebb_tensor *d = ebb_sub(gw, ebb_mul(y, group_mean(ebb_mul(gw, y))));
    if (a->center) d = ebb_sub(d, group_mean(gw));
    return ebb_mul(d, scale);
}
static ebb_tensor *standardize_dw(const ebb_call *c, ebb_tensor *g) {
    const standardize_attrs *a = (const standardize_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    ebb_tensor *one = ebb_expand(
        ebb_scalar(g, 1), .size = EBB_SHAPE(x->dim[x->ndim - 3], x->dim[x->ndim - 2], x->dim[x->ndim - 1]));
    return ebb_mul(g, ebb_standardize(c->x[0], one, .eps = a->eps, .center = a->center));
}
static ebb_tensor *standardize_db(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}

EBB_KERNEL(standardize_pull,
    const standardize_attrs *a = (const standardize_attrs *)l->attrs;
    ROWS
    for (int64_t item = 0; item < l->n; item++)
        for (int64_t c = 0; c < l->dim[1]; c++) {
            MOMENTS(1, a->center)
            const double inverse = 1 / ebb_sqrt(squares / (double)count + a->eps);
            double pushed = 0; double turned = 0;
            EACH_BLOCK(READ(g, 0) READ(x, 1) READ(w, 2)
                if (a->center) ADD_BLOCK(pushed, g[k] * w[k])
                ADD_BLOCK(turned, g[k] * w[k] * OFF_MEAN))
            const T scale = (T)inverse;
            const T shift = (T)(pushed / (double)count);
            const T slope = (T)(turned / (double)count * inverse * inverse);
            EACH_BLOCK(READ(g, 0) READ(x, 1) READ(w, 2) WRITE(3, scale * (g[k] * w[k] - shift - OFF_MEAN * slope)))
        })

EBB_OP(standardize,
    .sig = "input(m,c,n),weight(m,c,n),bias(m,c,n)?->(m,c,n)",
    .math = "y = z*w + b, z = (x - mean)/sqrt(var + eps) over m and n;  dx = (g*w - mean(g*w) - z*mean(g*w*z))/sqrt(var + eps)",
    .fwd = standardize_fwd,
    .attrs = EBB_ATTRS(standardize_attrs, standardize_attr),
    .vjp = EBB_VJP({standardize_dx, EBB_X(0) | EBB_X(1)}, {standardize_dw, EBB_X(0)}, {standardize_db, 0}),
    .pull = EBB_PULL({0, standardize_pull, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_STRIDED | EBB_INTERNAL,
    .split = "c",
    .tries = "eps=0.1; eps=0.5 center=0; [2,3,4] [2,3,4] eps=1e-05; [2,3,4] [2,3,4] [2,3,4] eps=0.1; [4,1,1,19] [1,1,19] [1,1,19] eps=0.1; [3,2,1] [3,2,1] center=0 eps=0.5; [2,1,270] [2,1,270] eps=0.1; [300,2,1] [300,2,1] [300,2,1] eps=0.1",
    .doc = "Elements of each c brought to mean 0 and variance 1, then scaled and shifted. What the normalisations are made of."
);

/* ---- mean and variance as running statistics see them ---- */

EBB_KERNEL(moments_fwd,
    ROWS
    for (int64_t item = 0; item < l->n; item++)
        for (int64_t c = 0; c < l->dim[1]; c++) {
            MOMENTS(0, true)
            ((T *)l->p[1])[item * l->step[1] + c * l->stride[1][0]] = mean + low;
            ((T *)l->p[2])[item * l->step[2] + c * l->stride[2][0]] = (T)(count ? squares / (double)(count - 1) : (double)NAN);
        })

EBB_OP(moments,
    .sig = "input(m,c,n)->(c),(c)",
    .math = "mean_c = sum x/k,  var_c = sum (x - mean_c)^2/(k - 1) over the k elements of m and n",
    .fwd = moments_fwd,
    .vjp = EBB_VJP({NULL, 0}),
    .flags = EBB_STRIDED | EBB_INTERNAL,
    .split = "c",
    .tries = "[2,3,4]; [5,2,1]; [2,3,2,4]",
    .doc = "Mean and unbiased variance of each c, outside the graph. What running statistics are made of."
);
