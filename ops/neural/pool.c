/* pool.c - floor 5: maxima and means of sliding windows, and the pooling ops over 1 to 3 spatial dims made of them. */
#include "pool.h"

/* ---- window_max ---- */

typedef struct max_attrs {
    ebb_ints size, count, kernel_size, stride, padding, dilation;
    bool adaptive;
} max_attrs;
static const ebb_attr max_attr[] = {
    EBB_ATTR(EBB_A_INTS, max_attrs, size, NULL, "sizes of the spatial dims"),
    EBB_ATTR(EBB_A_INTS, max_attrs, count, NULL, "positions of the window in each"),
    EBB_ATTR(EBB_A_INTS, max_attrs, kernel_size, NULL, "size of the window"),
    EBB_ATTR(EBB_A_INTS, max_attrs, stride, NULL, "distance of neighbouring windows"),
    EBB_ATTR(EBB_A_INTS, max_attrs, padding, NULL, "how far the first window begins before the input"),
    EBB_ATTR(EBB_A_INTS, max_attrs, dilation, NULL, "distance of the elements of a window"),
    EBB_ATTR(EBB_A_BOOL, max_attrs, adaptive, "0", "windows that cut the input into equal parts instead"),
};

/* Every output has the leading dims of x, and `to` as its last ones. */
static ebb_status planes_infer(ebb_infer *s, const ebb_ints *from, const ebb_ints *to) {
    ebb_status r = ebb__windows_ok(s);
    if (r == EBB_OK) r = ebb__plane_ok(s, "the input", s->x, -1, from);
    for (int d = 0; d < from->n && r == EBB_OK; d++)
        if (!((const windows *)s->attrs)->size.v[d])
            r = s->fail(s, EBB_E_SHAPE, "spatial dim %d is empty", d);
    if (r != EBB_OK) return r;
    const int lead = s->x->ndim - from->n;
    s->work = 1;
    for (int d = 0; d < lead; d++) s->work *= s->x->shape[d];
    for (int j = 0; j < s->n_y; j++) {
        for (int d = 0; d < lead; d++) s->y[j].shape[d] = s->x->shape[d];
        plane_shape(&s->y[j], lead, to);
    }
    return EBB_OK;
}

static ebb_status window_max_infer(ebb_infer *s) {
    const max_attrs *a = (const max_attrs *)s->attrs;
    return planes_infer(s, &a->size, &a->count);
}

/* NaN wins over everything, the first of equal elements over the later ones. */
EBB_KERNEL(window_max_fwd,
    const grid g = ebb__grid_of(l->attrs);
    const bool adaptive = ((const max_attrs *)l->attrs)->adaptive;
    const span *along = spans_along(&g, l->scratch);
    for (int64_t u = l->first; u < l->first + l->n; u++) {
        const T *x = (const T *)l->p[0] + u * g.in;
        T *most = (T *)l->p[1] + u * g.out;
        int64_t *place = (int64_t *)l->p[2] + u * g.out;
        if (adaptive) {
            EACH_WINDOW(g, true, {
                int64_t at = (Z.from * g.size[1] + Y.from) * g.size[2] + X.from;
                EACH_IN_WINDOW(g, if (x[i] > x[at] || x[i] != x[i]) at = i;)
                most[p] = x[at];
                place[p] = at;
            })
        } else
            EACH_ROW_IN_WINDOWS(g, along, {
                for (int64_t k = row; k < row + g.count[2]; k++) {
                    most[k] = (T)-INFINITY;
                    place[k] = -1;
                }
            }, EACH_IN_ROW({
                const T v = x[i + j];
                const bool more = v > most[p + k] || v != v || place[p + k] < 0;
                most[p + k] = more ? v : most[p + k];
                place[p + k] = more ? i + j : place[p + k];
            }), {
                for (int64_t k = row; k < row + g.count[2]; k++) place[k] = place[k] < 0 ? 0 : place[k]; /* in the padding alone */
            })
    })

static ebb_tensor *window_max_dx(const ebb_call *c, ebb_tensor *g) {
    const max_attrs *a = (const max_attrs *)c->attrs;
    const int64_t in = numel_of(&a->size), out = numel_of(&a->count);
    if (!g || !out)
        return g ? ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype, ebb_ints_of(&c->x_shape[0]), 0) : NULL;
    const int64_t n = ebb_shape_numel(&c->x_shape[0]) / in;
    ebb_tensor *zero = ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype, EBB_SHAPE(n, in), 0);
    ebb_tensor *d = ebb_scatter_add(zero, ebb_reshape(c->y[1], .shape = EBB_SHAPE(n, out)),
                                    ebb_reshape(g, .shape = EBB_SHAPE(n, out)), .dim = 1);
    return ebb_reshape(d, .shape = ebb_ints_of(&c->x_shape[0]));
}

EBB_OP(window_max,
    .sig = "input()->(),():i",
    .math = "y[p] = the largest element of window p, i[p] = its place in the plane;  dx = 0, then dx[i[p]] += g[p]",
    .infer = window_max_infer,
    .fwd = window_max_fwd,
    .scratch = row_scratch,
    .attrs = EBB_ATTRS(max_attrs, max_attr),
    .vjp = EBB_VJP({window_max_dx, EBB_Y(1)}),
    .flags = EBB_INTERNAL,
    .tries = "[2,3,7] size=7 count=4 kernel_size=3 stride=2 padding=1 dilation=1; [2,5,4] size=5,4 count=3,3 kernel_size=3,2 stride=1,1 padding=0,1 dilation=1,2; [2,3,4,5] size=3,4,5 count=2,2,2 kernel_size=2,2,3 stride=1,2,2 padding=0,0,0 dilation=1,1,1; [3,5,7] size=5,7 count=3,4 kernel_size=1,1 stride=1,1 padding=1,1 dilation=1,1 adaptive=1",
    .doc = "Maxima of windows and their flat places in the plane. NaN is the largest; of equal elements the first counts."
);

/* ---- window_mean and its adjoint ---- */

typedef struct mean_attrs {
    ebb_ints size, count, kernel_size, stride, padding, dilation;
    bool adaptive, count_include_pad;
    int64_t divisor;
} mean_attrs;
static const ebb_attr mean_attr[] = {
    EBB_ATTR(EBB_A_INTS, mean_attrs, size, NULL, "sizes of the spatial dims"),
    EBB_ATTR(EBB_A_INTS, mean_attrs, count, NULL, "positions of the window in each"),
    EBB_ATTR(EBB_A_INTS, mean_attrs, kernel_size, NULL, "size of the window"),
    EBB_ATTR(EBB_A_INTS, mean_attrs, stride, NULL, "distance of neighbouring windows"),
    EBB_ATTR(EBB_A_INTS, mean_attrs, padding, NULL, "how far the first window begins before the input"),
    EBB_ATTR(EBB_A_INTS, mean_attrs, dilation, NULL, "distance of the elements of a window"),
    EBB_ATTR(EBB_A_BOOL, mean_attrs, adaptive, "0", "windows that cut the input into equal parts instead"),
    EBB_ATTR(EBB_A_BOOL, mean_attrs, count_include_pad, "1", "places in the padding count as elements"),
    EBB_ATTR(EBB_A_INT, mean_attrs, divisor, "0", "what sums are divided by; 0: the number of elements"),
};
#define SAME_MEAN(a)                                                                                         \
    SAME_WINDOWS(a), .adaptive = (a)->adaptive, .count_include_pad = (a)->count_include_pad, .divisor = (a)->divisor

static ebb_status window_mean_infer(ebb_infer *s) {
    const mean_attrs *a = (const mean_attrs *)s->attrs;
    return planes_infer(s, &a->size, &a->count);
}
static ebb_status window_spread_infer(ebb_infer *s) {
    const mean_attrs *a = (const mean_attrs *)s->attrs;
    return planes_infer(s, &a->count, &a->size);
}

/* What the sum of a window is divided by is a product over the dims; this is the part of one. */
static inline double part_of(const mean_attrs *a, const reach *r) {
    const int64_t in = (r->to - r->from + r->step - 1) / r->step, n = a->count_include_pad ? r->full : in;
    return a->divisor || n < 1 ? 1 : (double)n;
}

/* The parts along the last dim, behind the spans; the divisor, where it is given, is in them. */
static inline double *divisors_along(const mean_attrs *a, const grid *g, void *scratch) {
    double *d = (double *)((span *)scratch + g->kernel[2]);
    for (int64_t k = 0; k < g->count[2]; k++) {
        const reach r = ebb__reach_of(g, a->adaptive, 2, k);
        d[k] = a->divisor ? (double)a->divisor : part_of(a, &r);
    }
    return d;
}

EBB_KERNEL(window_mean_fwd,
    const grid g = ebb__grid_of(l->attrs);
    const mean_attrs *a = (const mean_attrs *)l->attrs;
    const span *along = spans_along(&g, l->scratch);
    const double *part = divisors_along(a, &g, l->scratch);
    for (int64_t u = l->first; u < l->first + l->n; u++) {
        const T *x = (const T *)l->p[0] + u * g.in;
        T *m = (T *)l->p[1] + u * g.out;
        if (a->adaptive) {
            EACH_WINDOW(g, true, {
                T sum = 0;
                EACH_IN_WINDOW(g, sum += x[i];)
                m[p] = sum / (T)(part_of(a, &Z) * part_of(a, &Y) * part[ox]);
            })
        } else
            EACH_ROW_IN_WINDOWS(g, along, memset(m + row, 0, (size_t)g.count[2] * sizeof(T));, EACH_IN_ROW(m[p + k] += x[i + j];), {
                const T zy = (T)(part_of(a, &Z) * part_of(a, &Y));
                for (int64_t k = 0; k < g.count[2]; k++) m[row + k] /= zy * (T)part[k];
            })
    })

EBB_KERNEL(window_spread_fwd,
    const grid g = ebb__grid_of(l->attrs);
    const mean_attrs *a = (const mean_attrs *)l->attrs;
    const span *along = spans_along(&g, l->scratch);
    double *part = divisors_along(a, &g, l->scratch);
    T *each = (T *)(part + g.count[2]);
    for (int64_t u = l->first; u < l->first + l->n; u++) {
        const T *m = (const T *)l->p[0] + u * g.out;
        T *x = (T *)l->p[1] + u * g.in;
        memset(x, 0, (size_t)g.in * sizeof(T));
        if (a->adaptive) {
            EACH_WINDOW(g, true, {
                const T v = m[p] / (T)(part_of(a, &Z) * part_of(a, &Y) * part[ox]);
                EACH_IN_WINDOW(g, x[i] += v;)
            })
        } else
            EACH_ROW_IN_WINDOWS(g, along, {
                const T zy = (T)(part_of(a, &Z) * part_of(a, &Y));
                for (int64_t k = 0; k < g.count[2]; k++) each[k] = m[row + k] / (zy * (T)part[k]);
            }, {
                const T *v = each + (p - row);
                EACH_IN_ROW(x[i + j] += v[k];)
            }, )
    })

static ebb_tensor *window_mean_dx(const ebb_call *c, ebb_tensor *g) {
    const mean_attrs *a = (const mean_attrs *)c->attrs;
    return ebb_window_spread(g, SAME_MEAN(a));
}
static ebb_tensor *window_spread_dx(const ebb_call *c, ebb_tensor *g) {
    const mean_attrs *a = (const mean_attrs *)c->attrs;
    return ebb_window_mean(g, SAME_MEAN(a));
}

EBB_OP(window_mean,
    .sig = "input()->()",
    .math = "y[p] = sum of the elements of window p / their number;  dx = window_spread",
    .infer = window_mean_infer,
    .fwd = window_mean_fwd,
    .scratch = row_scratch,
    .attrs = EBB_ATTRS(mean_attrs, mean_attr),
    .vjp = EBB_VJP({window_mean_dx, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[2,3,7] size=7 count=4 kernel_size=3 stride=2 padding=1 dilation=1 count_include_pad=0; [2,5,4] size=5,4 count=3,3 kernel_size=3,2 stride=1,1 padding=0,1 dilation=1,2; [2,3,4,5] size=3,4,5 count=2,2,2 kernel_size=2,2,3 stride=1,2,2 padding=0,0,0 dilation=1,1,1 divisor=5; [3,5,7] size=5,7 count=3,4 kernel_size=1,1 stride=1,1 padding=1,1 dilation=1,1 adaptive=1; [2,3] size=3 count=4 kernel_size=1 stride=3 padding=2 dilation=1",
    .doc = "Means of windows; 0 where a window has no element of the input."
);

EBB_OP(window_spread,
    .sig = "input()->()",
    .math = "y = 0, then y[i] += x[p] / number of elements of window p, for each i in it;  dx = window_mean",
    .infer = window_spread_infer,
    .fwd = window_spread_fwd,
    .scratch = row_scratch,
    .attrs = EBB_ATTRS(mean_attrs, mean_attr),
    .vjp = EBB_VJP({window_spread_dx, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[2,3,4] size=7 count=4 kernel_size=3 stride=2 padding=1 dilation=1 count_include_pad=0; [2,3,3] size=5,4 count=3,3 kernel_size=3,2 stride=1,1 padding=0,1 dilation=1,2; [2,2,2,2] size=3,4,5 count=2,2,2 kernel_size=2,2,3 stride=1,2,2 padding=0,0,0 dilation=1,1,1 divisor=5; [3,3,4] size=5,7 count=3,4 kernel_size=1,1 stride=1,1 padding=1,1 dilation=1,1 adaptive=1; [2,4] size=3 count=4 kernel_size=1 stride=3 padding=2 dilation=1",
    .doc = "The adjoint of window_mean: each element spread evenly over its window."
);

/* ---- max_pool ---- */

typedef struct pool_attrs {
    ebb_ints kernel_size, stride, padding, dilation;
    bool ceil_mode;
} pool_attrs;
static const ebb_attr pool_attr[] = {
    EBB_ATTR(EBB_A_INTS, pool_attrs, kernel_size, NULL, "size of the window, for each spatial dim or one for all"),
    EBB_ATTR(EBB_A_INTS, pool_attrs, stride, "", "distance of neighbouring windows; none: kernel_size"),
    EBB_ATTR(EBB_A_INTS, pool_attrs, padding, "0", "places of -inf at both ends of each, at most half of kernel_size"),
    EBB_ATTR(EBB_A_INTS, pool_attrs, dilation, "1", "distance of the elements of a window"),
    EBB_ATTR(EBB_A_BOOL, pool_attrs, ceil_mode, "0", "a last window may reach over the end"),
};

static ebb_tensor *max_pool(const ebb_call *c, int dims) {
    const pool_attrs *a = (const pool_attrs *)c->attrs;
    windows w;
    if (!ebb__pool_windows(c, dims, &a->kernel_size, &a->stride, &a->padding, &a->dilation, a->ceil_mode, &w))
        return NULL;
    return ebb_window_max(c->x[0], SAME_WINDOWS(&w), .more = c->more);
}

static ebb_tensor *max_pool1(const ebb_call *c) { return max_pool(c, 1); }
static ebb_tensor *max_pool2(const ebb_call *c) { return max_pool(c, 2); }
static ebb_tensor *max_pool3(const ebb_call *c) { return max_pool(c, 3); }

EBB_OP(max_pool1d,
    .sig = "input()->(),():i",
    .math = "y[p] = max of window p, i[p] = its place;  dx = 0, then dx[i[p]] += g[p]",
    .compose = max_pool1,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(pool_attrs, pool_attr),
    .tries = "[2,3,7] kernel_size=3 stride=2 padding=1; [3,8] kernel_size=2 dilation=2; [1,2,8] kernel_size=3 ceil_mode=1; [0,2,4] kernel_size=2; [1,1] kernel_size=1",
    .doc = "Maxima of windows of (n, c, length) or (c, length), and the indices for max_unpool1d. NaN is the largest, of equal elements the first is taken.",
    .ref = "torch.nn.functional.max_pool1d"
);

EBB_OP(max_pool2d,
    .sig = "input()->(),():i",
    .math = "y[p] = max of window p, i[p] = its flat place in the plane;  dx = 0, then dx[i[p]] += g[p]",
    .compose = max_pool2,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(pool_attrs, pool_attr),
    .tries = "[2,3,7,5] kernel_size=3,2 stride=2,1 padding=1,0; [3,6,6] kernel_size=2 dilation=2,1; [1,2,5,8] kernel_size=3 ceil_mode=1; [0,2,4,4] kernel_size=2",
    .doc = "Maxima of windows of (n, c, h, w) or (c, h, w), and the indices for max_unpool2d. NaN is the largest, of equal elements the first is taken.",
    .ref = "torch.nn.functional.max_pool2d"
);

EBB_OP(max_pool3d,
    .sig = "input()->(),():i",
    .math = "y[p] = max of window p, i[p] = its flat place in the volume;  dx = 0, then dx[i[p]] += g[p]",
    .compose = max_pool3,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(pool_attrs, pool_attr),
    .tries = "[1,2,4,5,3] kernel_size=3,2,2 stride=2,1,1 padding=1,0,1; [2,4,4,6] kernel_size=2 dilation=2,1,1; [1,1,3,5,4] kernel_size=2 ceil_mode=1",
    .doc = "Maxima of windows of (n, c, d, h, w) or (c, d, h, w), and the indices for max_unpool3d. NaN is the largest, of equal elements the first is taken.",
    .ref = "torch.nn.functional.max_pool3d"
);
