/* distances.c - floor 5: distances between rows: cdist of two sets, pdist within one. */
#include "matrix.h"

typedef struct distance_attrs {
    double p;
} distance_attrs;
static const ebb_attr distance_attr[] = {EBB_ATTR(EBB_A_FLOAT, distance_attrs, p, "2",
                                                  "the norm: 0 counts what differs, inf takes the largest",
                                                  .lo = 0, .hi = HUGE_VAL)};

/* ---- the distances of a row to many ---- */

/* The others are columns, [d,n], so that the compiler does many side by side; each is summed in order. */
enum { CHUNK = 128 };
#define LARGER(x, y) ((y) > (x) || (y) != (y) ? (y) : (x)) /* NaN wins: once there, nothing is larger */
#define POWER(x, p) ebb_exp((p)*ebb_log(x))                /* quick, and exact enough for x from 0 to 1 */
#define EACH(statement)                                                                                      \
    for (int64_t k = 0; k < d; k++)                                                                          \
        for (int64_t j = 0; j < w; j++) {                                                                    \
            const T v = ebb_abs(a[k] - b[k * n + j]);                                                        \
            statement;                                                                                       \
        }

/* Powers other than 1 and 2 are taken in units of the largest difference, and so are squares whose sum leaves the range of
 * T. w columns, at most CHUNK. */
#define DISTANCES(name, type, least, most)                                                                        \
    static EBB_INLINE type rescued_##name(int64_t d, int64_t n, const type *a, const type *b) {                   \
        type top = 0, sum = 0;                                                                                    \
        for (int64_t k = 0; k < d; k++) top = LARGER(top, ebb_abs(a[k] - b[k * n]));                              \
        if (!(top > 0 && top <= most)) return top;                                                                \
        for (int64_t k = 0; k < d; k++) sum += (a[k] - b[k * n]) / top * ((a[k] - b[k * n]) / top);               \
        return top * ebb_sqrt(sum);                                                                               \
    }                                                                                                             \
    static EBB_INLINE void name(int64_t d, int64_t n, int64_t w, const type *a, const type *b, type *y, type p) { \
        typedef type T;                                                                                           \
        T top[CHUNK], sum[CHUNK];                                                                                 \
        for (int64_t j = 0; j < w; j++) sum[j] = 0;                                                               \
        if (p == 2) {                                                                                             \
            EACH(sum[j] += v * v)                                                                                 \
            for (int64_t j = 0; j < w; j++) y[j] = ebb_sqrt(sum[j]);                                              \
            for (int64_t j = 0; j < w; j++)                                                                       \
                if (!(sum[j] >= least && sum[j] <= most)) y[j] = rescued_##name(d, n, a, b + j);                  \
            return;                                                                                               \
        }                                                                                                         \
        if (p == 1) EACH(sum[j] += v)                                                                             \
        else if (p == 0) EACH(sum[j] += v != v ? v : (T)(v > 0))                                                  \
        else EACH(sum[j] = LARGER(sum[j], v))                                                                     \
        for (int64_t j = 0; j < w; j++) y[j] = sum[j];                                                            \
        if (p == 1 || p == 0 || p > most) return;                                                                 \
        for (int64_t j = 0; j < w; j++) {                                                                         \
            top[j] = y[j] > 0 && y[j] <= most ? y[j] : 1;                                                         \
            sum[j] = 0;                                                                                           \
        }                                                                                                         \
        EACH(sum[j] += POWER(v / top[j], p))                                                                      \
        for (int64_t j = 0; j < w; j++)                                                                           \
            y[j] = y[j] > 0 && y[j] <= most ? y[j] * POWER(sum[j], 1 / p) : y[j];                                 \
    }
DISTANCES(distances_f32, float, 1e-30f, 3e38f)
DISTANCES(distances_f64, double, 1e-290, 1.7e308)

EBB_KERNEL(distance_rows_fwd,
    const int64_t d = l->dim[0]; const int64_t n = l->dim[1];
    const T p = (T)((const distance_attrs *)l->attrs)->p;
    for (int64_t j = 0; j < n; j += CHUNK) /* the columns of a chunk stay in L1 */
        for (int64_t r = 0; r < l->n; r++)
            _Generic(p, float: distances_f32, default: distances_f64)(
                d, n, n - j < CHUNK ? n - j : CHUNK, (const T *)l->p[0] + r * l->step[0],
                (const T *)l->p[1] + r * l->step[1] + j, (T *)l->p[2] + r * l->step[2] + j, p);)

EBB_OP(distance_rows,
    .sig = "x1(d),x2(d,n)->(n)",
    .math = "y_j = (sum_k |a_k - b_kj|^p)^(1/p)",
    .fwd = distance_rows_fwd,
    .attrs = EBB_ATTRS(distance_attrs, distance_attr),
    .flags = EBB_INTERNAL,
    .tries = "[20] [20,3] p=2; [3] [3,4] p=1; [3] [3,4] p=0; [2] [2,200] p=inf; [2,3] [3,4] p=3.5; [0] [0,2]",
    .doc = "Distances of a row to many columns. What cdist is made of."
);

/* ---- cdist ---- */

static ebb_tensor *cdist_compose(const ebb_call *c) {
    const ebb_shape *x = c->x_shape;
    for (int i = 0; i < 2; i++) {
        if (x[i].ndim < 2)
            return EBB_FAIL(c, EBB_E_SHAPE, "x%d has %d dims; at least 2 are needed", i + 1, x[i].ndim);
        if (x[i].ndim == EBB_MAX_DIMS)
            return EBB_FAIL(c, EBB_E_SHAPE, "x%d has %d dims; 7 are possible", i + 1, x[i].ndim);
    }
    if (!equal_sizes(c, "the columns of x1 and x2", x[0].dim[x[0].ndim - 1], x[1].dim[x[1].ndim - 1]))
        return NULL;
    return ebb_distance_rows(c->x[0], ebb_unsqueeze(flipped(c->x[1]), .dim = -3),
                             .p = ((const distance_attrs *)c->attrs)->p);
}

/* What the distances' cotangents give rows r of the one set: sum over the rows s of the other of u * d|r - s|/dr. */
#define ADD_EACH(term)                                                                                       \
    for (int64_t k = 0; k < d; k++) {                                                                        \
        const T v = a[k] - b[k];                                                                             \
        o[k] += term;                                                                                        \
    }
#define SIGNED (v > 0 ? u : v < 0 ? -u : v * u)
#define PULL_BODY(rows, others, R, S, gr, gs)                                                                \
    const int64_t m = l->dim[0];                                                                             \
    const int64_t n = l->dim[1];                                                                             \
    const int64_t d = l->dim[2];                                                                             \
    const T p = (T)((const distance_attrs *)l->attrs)->p;                                                    \
    for (int64_t i = 0; i < l->n; i++) {                                                                     \
        const T *g = (const T *)l->p[0] + i * l->step[0];                                                    \
        const T *y = (const T *)l->p[3] + i * l->step[3];                                                    \
        T *out = (T *)l->p[4] + i * l->step[4];                                                              \
        for (int64_t k = 0; k < rows * d; k++) out[k] = 0;                                                   \
        for (int64_t r = 0; r < rows; r++)                                                                   \
            for (int64_t s = 0; s < others; s++) {                                                           \
                const T *a = (const T *)l->p[R] + i * l->step[R] + r * d;                                    \
                const T *b = (const T *)l->p[S] + i * l->step[S] + s * d;                                    \
                const T u = g[r * gr + s * gs];                                                              \
                const T dist = y[r * gr + s * gs];                                                           \
                const T unit = u / dist;                                                                     \
                T *o = out + r * d;                                                                          \
                if (p == 0 || dist == 0) continue;                                                           \
                if (p == 2 && dist > (T)1e-30) ADD_EACH(unit *v)                                             \
                else if (p == 2) ADD_EACH(u *(v / dist))                                                     \
                else if (p == 1) ADD_EACH(SIGNED)                                                            \
                else if (p - p != 0) ADD_EACH(v == dist ? u : v == -dist ? -u : 0)                           \
                else ADD_EACH(v == 0 ? 0 : SIGNED * POWER(ebb_abs(v) / dist, p - 1))                         \
            }                                                                                                \
    }
EBB_KERNEL(cdist_pull_x1, PULL_BODY(m, n, 1, 2, n, 1))
EBB_KERNEL(cdist_pull_x2, PULL_BODY(n, m, 2, 1, 1, n))

/* g * sign(v) * (|v|/y)^(p-1) for each difference v of a pair of rows; 0 where the rows are equal. */
static ebb_tensor *each_d(const ebb_call *c, ebb_tensor *g) {
    const double p = ((const distance_attrs *)c->attrs)->p;
    ebb_tensor *v = ebb_sub(ebb_unsqueeze(c->x[0], .dim = -2), ebb_unsqueeze(c->x[1], .dim = -3));
    ebb_tensor *y = ebb_unsqueeze(c->y[0], .dim = -1), *none = ebb_scalar(g, 0), *one = ebb_scalar(g, 1);
    ebb_tensor *same = ebb_eq(y, none);
    g = ebb_where(same, none, ebb_unsqueeze(g, .dim = -1));
    y = ebb_where(same, one, y);
    if (p == 2) return ebb_mul(g, ebb_div(v, y));
    ebb_tensor *w = ebb_mul(g, ebb_sign(v));
    if (p == 0) return ebb_mul_scalar(w, 0);
    if (p == 1) return w;
    if (p - p != 0) return ebb_where(ebb_eq(ebb_abs(v), y), w, none);
    ebb_tensor *ratio = ebb_div(ebb_where(ebb_eq(v, none), one, ebb_abs(v)), y);
    return ebb_mul(w, ebb_pow(ratio, .exponent = p - 1));
}
static ebb_tensor *cdist_dx1(const ebb_call *c, ebb_tensor *g) {
    return ebb_sum(each_d(c, g), .dim = EBB_DIMS(-2));
}
static ebb_tensor *cdist_dx2(const ebb_call *c, ebb_tensor *g) {
    return ebb_neg(ebb_sum(each_d(c, g), .dim = EBB_DIMS(-3)));
}

EBB_OP(cdist,
    .sig = "x1(m,d),x2(n,d)->(m,n)",
    .math = "y_ij = (sum_k |a_ik - b_jk|^p)^(1/p);  da_ik = sum_j g_ij*sign(v)*(|v|/y_ij)^(p-1),  v = a_ik - b_jk;  0 where y_ij = 0",
    .compose = cdist_compose,
    .attrs = EBB_ATTRS(distance_attrs, distance_attr),
    .vjp = EBB_VJP({cdist_dx1, EBB_X(0) | EBB_X(1) | EBB_Y(0)}, {cdist_dx2, EBB_X(0) | EBB_X(1) | EBB_Y(0)}),
    .pull = EBB_PULL({0, cdist_pull_x1, EBB_X(0) | EBB_X(1) | EBB_Y(0)}, {1, cdist_pull_x2, EBB_X(0) | EBB_X(1) | EBB_Y(0)}),
    .tries = "[2,3] [4,3]; [2,3] [4,3] p=1; [2,3] [4,3] p=0; [2,3] [4,3] p=inf; [2,2,3] [4,3] p=3; [2,3] [2,3] p=1.5; [2,20] [3,20]; [2,0] [3,0]; [0,3] [2,3]",
    .doc = "Distances of the rows of x1 to those of x2 by their differences; dims before broadcast. The gradient at equal rows is 0; p = inf gives it to every largest difference.",
    .ref = "torch.cdist"
);

/* ---- pdist ---- */

typedef struct pair_attrs {
    int64_t n;
    int32_t dtype;
} pair_attrs;
static const ebb_attr pair_attr[] = {
    EBB_ATTR(EBB_A_INT, pair_attrs, n, NULL, "how many rows", .lo = 0, .hi = 1e9),
    EBB_ATTR(EBB_A_DTYPE, pair_attrs, dtype, "i64", "of the result"),
};

static ebb_status pair_index_infer(ebb_infer *s) {
    const int64_t n = ((const pair_attrs *)s->attrs)->n;
    s->y->ndim = 1;
    s->y->shape[0] = n * (n - 1) / 2;
    return EBB_OK;
}
static ebb_status pair_index_i64(const ebb_loop *l) {
    const int64_t n = ((const pair_attrs *)l->attrs)->n;
    int64_t *y = (int64_t *)l->p[0];
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) *y++ = i * n + j;
    return EBB_OK;
}
static const ebb_kernel pair_index_fwd[] = {{EBB_I64, {pair_index_i64}}, {0, {0}}};

EBB_OP(pair_index,
    .sig = "->()",
    .math = "y = i*n + j for i < j < n",
    .infer = pair_index_infer,
    .fwd = pair_index_fwd,
    .attrs = EBB_ATTRS(pair_attrs, pair_attr),
    .flags = EBB_INTERNAL,
    .tries = "n=4; n=0; n=1",
    .doc = "Places of the pairs of n rows in an n by n matrix. What pdist picks from cdist."
);

static ebb_tensor *pdist_compose(const ebb_call *c) {
    if (!has_rank(c, 0, "input", 2)) return NULL;
    ebb_tensor *all = ebb_cdist(c->x[0], c->x[0], .p = ((const distance_attrs *)c->attrs)->p);
    return ebb_index_select(as_vector(all), ebb_pair_index(c->e, .n = c->x_shape[0].dim[0]));
}

EBB_OP(pdist,
    .sig = "input()->()",
    .math = "y = |x_i - x_j|_p for i < j, row by row",
    .compose = pdist_compose,
    .attrs = EBB_ATTRS(distance_attrs, distance_attr),
    .tries = "[4,3]; [3,2] p=1; [3,2] p=inf; [3,2] p=3; [3,2] p=0; [1,2]; [0,2]; [3,0]",
    .doc = "Distances of all pairs of rows of a matrix, n*(n-1)/2 of them. The gradient at equal rows is 0.",
    .ref = "torch.pdist"
);
