/* resample.c - floor 5: one dim of a tensor sampled at evenly spaced places, and interpolate, which does so for every spatial dim. */
#include <ebb/op.h>

enum { NEAREST, NEAREST_EXACT, LINEAR, CUBIC, AREA };

typedef struct resample_attrs {
    int64_t dim, size;
    int32_t mode;
    bool align_corners;
    double scale;
} resample_attrs;
static const ebb_attr resample_attr[] = {
    EBB_ATTR(EBB_A_INT, resample_attrs, dim, "-1", "the dim that is resampled"),
    EBB_ATTR(EBB_A_INT, resample_attrs, size, NULL, "its new size", .lo = 0, .hi = 1e15),
    EBB_ATTR(EBB_A_ENUM, resample_attrs, mode, "linear", "what a place between elements gets",
             .choices = "nearest|nearest-exact|linear|cubic|area"),
    EBB_ATTR(EBB_A_BOOL, resample_attrs, align_corners, "0", "the first and the last element keep their places"),
    EBB_ATTR(EBB_A_FLOAT, resample_attrs, scale, "0", "new size by old, where it is not the quotient of the sizes"),
};

/* The elements that one place is made of: element first + k, times w[k]; of an area, all times w[0]. */
typedef struct taps {
    int64_t first;
    int32_t count;
    double w[4];
} taps;

/* Weights of the cubic convolution at distances 1 + t, t, 1 - t, 2 - t. Keys, 1981, with a = -3/4. */
static void cubic_weights(double t, double w[4]) {
    const double a = -0.75, s = 1 - t;
    w[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    w[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    w[2] = ((a + 2) * s - (a + 3)) * s * s + 1;
    w[3] = ((a * (s + 1) - 5 * a) * (s + 1) + 8 * a) * (s + 1) - 4 * a;
}

/* Place j of m among n elements. */
static taps taps_at(const resample_attrs *a, int64_t n, int64_t m, int64_t j, bool single) {
    if (a->mode == AREA) {
        const int64_t first = j * n / m, end = ((j + 1) * n + m - 1) / m;
        return (taps){first, (int32_t)(end - first), {1 / (double)(end - first)}};
    }
    const double step = a->align_corners ? (m > 1 ? (double)(n - 1) / (double)(m - 1) : 0)
                        : a->scale > 0   ? 1 / a->scale
                                         : (double)n / (double)m;
    if (a->mode <= NEAREST_EXACT) { /* which of two is nearer is decided in the element's own precision */
        const double half = a->mode == NEAREST_EXACT ? 0.5 : 0,
                     there = ((double)j + half) * (single ? (double)(float)step : step);
        const int64_t at = (int64_t)(float)there;
        return (taps){at < n ? at : n - 1, 1, {1}};
    }
    double at = a->align_corners ? step * (double)j : step * ((double)j + 0.5) - 0.5;
    if (a->mode == LINEAR) {
        if (n == m) at = (double)j;
        if (at < 0) at = 0;
        const int64_t first = (int64_t)at < n ? (int64_t)at : n - 1;
        const double t = at - (double)first < 1 ? at - (double)first : 1;
        return first + 1 < n ? (taps){first, 2, {1 - t, t}} : (taps){first, 1, {1}};
    }
    double w[4];
    const double below = ebb_floor(at);
    cubic_weights(at - below, w);
    taps r = {0, 0, {0}};
    for (int k = 0; k < 4; k++) { /* outside, the elements of the edge repeat */
        const int64_t i = (int64_t)below + k - 1, in = i < 0 ? 0 : i >= n ? n - 1 : i;
        if (!r.count) r.first = in;
        r.w[in - r.first] += w[k];
        r.count = (int32_t)(in - r.first) + 1;
    }
    return r;
}

/* ---- shapes ---- */

typedef struct around {
    int64_t outer, n, inner;
} around;

static around around_dim(const ebb_info *x, int64_t dim) {
    const int64_t d = ebb_dim_of(dim, x->ndim);
    around r = {1, x->shape[d], 1};
    for (int k = 0; k < x->ndim; k++)
        if (k < d) r.outer *= x->shape[k];
        else if (k > d) r.inner *= x->shape[k];
    return r;
}

/* The shape of the result. The map takes elements of the dim to places. */
static ebb_status resized(ebb_infer *s, bool back) {
    const resample_attrs *a = (const resample_attrs *)s->attrs;
    const int d = ebb_dim_of(a->dim, s->x->ndim);
    if (d < 0 || !s->x->ndim)
        return s->fail(s, EBB_E_ATTR, "dim is %lld, but the input has %d dims", (long long)a->dim, s->x->ndim);
    const int64_t elements = back ? a->size : s->x->shape[d], places = back ? s->x->shape[d] : a->size;
    if (!elements && places) return s->fail(s, EBB_E_SHAPE, "dim %d is empty: there is nothing to sample", d);
    s->y->ndim = s->x->ndim;
    for (int k = 0; k < s->x->ndim; k++) s->y->shape[k] = k == d ? a->size : s->x->shape[k];
    const int64_t outer = around_dim(s->x, d).outer;
    s->work = outer ? outer : 1;
    return EBB_OK;
}
static ebb_status resample_infer(ebb_infer *s) { return resized(s, false); }
static ebb_status resample_back_infer(ebb_infer *s) { return resized(s, true); }

static size_t taps_bytes(const ebb_loop *l) { /* one for each place, whichever operand has them */
    const int64_t dim = ((const resample_attrs *)l->attrs)->dim, n = around_dim(&l->arg[0], dim).n,
                  m = around_dim(&l->arg[1], dim).n;
    return sizeof(taps) * (size_t)(n > m ? n : m);
}

static const taps *all_taps(const ebb_loop *l, int64_t n, int64_t m) {
    taps *t = (taps *)l->scratch;
    for (int64_t j = 0; j < m; j++)
        t[j] = taps_at((const resample_attrs *)l->attrs, n, m, j, l->arg[0].dtype == EBB_F32);
    return t;
}
#define WEIGHT(t, k) ((T)(t).w[(t).count > 4 || area ? 0 : (k)])

/* ---- there and back ---- */

EBB_KERNEL(resample_fwd,
    const bool area = ((const resample_attrs *)l->attrs)->mode == AREA;
    const around x = around_dim(&l->arg[0], ((const resample_attrs *)l->attrs)->dim);
    const int64_t m = ((const resample_attrs *)l->attrs)->size; const int64_t inner = x.inner;
    if (!l->arg[1].numel) return EBB_OK;
    const taps *all = all_taps(l, x.n, m);
    for (int64_t o = l->first; o < l->first + l->n; o++)
        for (int64_t j = 0; j < m; j++) {
            const taps t = all[j];
            const T *from = (const T *)l->p[0] + (o * x.n + t.first) * inner;
            T *y = (T *)l->p[1] + (o * m + j) * inner;
            const T w = WEIGHT(t, 0);
            if (inner == 1) {
                T sum = w * from[0];
                for (int32_t k = 1; k < t.count; k++) sum += WEIGHT(t, k) * from[k];
                y[0] = sum;
                continue;
            }
            EBB_IVDEP for (int64_t i = 0; i < inner; i++) y[i] = w * from[i];
            for (int32_t k = 1; k < t.count; k++) {
                const T *next = from + k * inner;
                const T v = WEIGHT(t, k);
                EBB_IVDEP for (int64_t i = 0; i < inner; i++) y[i] += v * next[i];
            }
        })

EBB_KERNEL(resample_back_fwd,
    const bool area = ((const resample_attrs *)l->attrs)->mode == AREA;
    const around g = around_dim(&l->arg[0], ((const resample_attrs *)l->attrs)->dim);
    const int64_t n = ((const resample_attrs *)l->attrs)->size; const int64_t inner = g.inner;
    if (!l->arg[1].numel) return EBB_OK;
    const taps *all = all_taps(l, n, g.n);
    for (int64_t o = l->first; o < l->first + l->n; o++) {
        T *y = (T *)l->p[1] + o * n * inner;
        memset(y, 0, (size_t)(n * inner) * sizeof(T));
        for (int64_t j = 0; j < g.n; j++) {
            const taps t = all[j];
            const T *from = (const T *)l->p[0] + (o * g.n + j) * inner;
            for (int32_t k = 0; k < t.count; k++) {
                T *to = y + (t.first + k) * inner;
                const T w = WEIGHT(t, k);
                EBB_IVDEP for (int64_t i = 0; i < inner; i++) to[i] += w * from[i];
            }
        }
    })

static int64_t old_size(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0];
    return x->dim[ebb_dim_of(((const resample_attrs *)c->attrs)->dim, x->ndim)];
}
static ebb_tensor *resample_dx(const ebb_call *c, ebb_tensor *g) {
    const resample_attrs *a = (const resample_attrs *)c->attrs;
    return ebb_resample_back(g, .dim = a->dim, .size = old_size(c), .mode = a->mode,
                             .align_corners = a->align_corners, .scale = a->scale);
}
static ebb_tensor *resample_back_dx(const ebb_call *c, ebb_tensor *g) {
    const resample_attrs *a = (const resample_attrs *)c->attrs;
    return ebb_resample(g, .dim = a->dim, .size = old_size(c), .mode = a->mode,
                        .align_corners = a->align_corners, .scale = a->scale);
}

EBB_OP(resample,
    .sig = "input()->()",
    .math = "y_j = sum_i w_ji*x_i along one dim;  dx_i = sum_j w_ji*g_j",
    .infer = resample_infer,
    .fwd = resample_fwd,
    .scratch = taps_bytes,
    .attrs = EBB_ATTRS(resample_attrs, resample_attr),
    .vjp = EBB_VJP({resample_dx, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[5] size=8; [2,5,3] dim=1 size=3; [2,4] size=7 mode=cubic; [2,4,2] dim=1 size=9 mode=cubic align_corners=1; [3,4] dim=0 size=5 mode=nearest; [7] size=3 mode=nearest-exact; [2,7] size=3 mode=area; [2,3,2] dim=-2 size=5 mode=area; [5] size=6 scale=1.3; [4] size=1 align_corners=1; [1,2] dim=0 size=3; [0,3] size=2; [3] size=0; [2] size=5 mode=cubic scale=2.7",
    .doc = "One dim sampled at evenly spaced places. What interpolate is made of."
);
EBB_OP(resample_back,
    .sig = "input()->()",
    .math = "y_i = sum_j w_ji*x_j along one dim, the weights of resample;  dx_j = sum_i w_ji*g_i",
    .infer = resample_back_infer,
    .fwd = resample_back_fwd,
    .scratch = taps_bytes,
    .attrs = EBB_ATTRS(resample_attrs, resample_attr),
    .vjp = EBB_VJP({resample_back_dx, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[8] size=5; [2,3,3] dim=1 size=5; [2,7] size=4 mode=cubic; [2,9,2] dim=1 size=4 mode=cubic align_corners=1; [5,4] dim=0 size=3 mode=nearest; [3] size=7 mode=nearest-exact; [2,3] size=7 mode=area; [2,5,2] dim=-2 size=3 mode=area; [6] size=5 scale=1.3; [1] size=4 align_corners=1; [0,3] size=2; [0] size=3",
    .doc = "The transposed map of resample: each element given back to where it was taken from."
);
