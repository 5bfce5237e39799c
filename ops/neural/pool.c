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

/* The windows along the last dim are worked out once. */
static size_t max_scratch(const ebb_loop *l) {
    const ebb_ints *count = &((const max_attrs *)l->attrs)->count;
    return (size_t)count->v[count->n - 1] * sizeof(reach);
}

/* Moves `at` to place j if its element is greater, or a NaN. By a mask, behind the optimizer's back: which element is the greatest
 * cannot be predicted, and browsers make branches of selects. */
#define TAKE(j)                                                                                              \
    do {                                                                                                     \
        const T v = x[j];                                                                                    \
        int64_t more = -(int64_t)((v > x[at]) | (v != v));                                                   \
        __asm__("" : "+r"(more));                                                                            \
        at += ((j)-at) & more;                                                                               \
    } while (0)

/* NaN wins over everything, the first of equal elements over the later ones. */
EBB_KERNEL(window_max_fwd,
    const grid g = ebb__grid_of(l->attrs);
    const bool adaptive = ((const max_attrs *)l->attrs)->adaptive;
    const int64_t line = g.size[2];
    reach *const across = (reach *)l->scratch;
    for (int64_t k = 0; k < g.count[2]; k++) across[k] = ebb__reach_of(&g, adaptive, 2, k);
    for (int64_t u = l->first; u < l->first + l->n; u++) {
        const T *x = (const T *)l->p[0] + u * g.in;
        T *most = (T *)l->p[1] + u * g.out;
        int64_t *place = (int64_t *)l->p[2] + u * g.out;
        EACH_WINDOW(g, adaptive, across[ox], {
            const bool empty = Z.from >= Z.to || Y.from >= Y.to || X.from >= X.to; /* in the padding alone */
            const bool square = Z.to - Z.from == 1 && Y.to - Y.from == 2 && Y.step == 1 && X.to - X.from == 2 && X.step == 1;
            const int64_t first = (Z.from * g.size[1] + Y.from) * line + X.from;
            int64_t at = empty ? 0 : first;
            if (square) { /* the usual window, 2x2 */
                TAKE(first);
                TAKE(first + 1);
                TAKE(first + line);
                TAKE(first + line + 1);
            } else
                EACH_IN_WINDOW(g, TAKE(i);)
            most[p] = empty ? -(T)INFINITY : x[at];
            place[p] = at;
        })
    })

static ebb_tensor *window_max_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_window_place(g, c->y[1], .size = ((const max_attrs *)c->attrs)->size);
}

EBB_OP(window_max,
    .sig = "input()->(),():i",
    .math = "y[p] = the largest element of window p, i[p] = its place in the plane;  dx = 0, then dx[i[p]] += g[p]",
    .infer = window_max_infer,
    .fwd = window_max_fwd,
    .scratch = max_scratch,
    .attrs = EBB_ATTRS(max_attrs, max_attr),
    .vjp = EBB_VJP({window_max_dx, EBB_Y(1)}),
    .flags = EBB_INTERNAL,
    .tries = "[2,3,7] size=7 count=4 kernel_size=3 stride=2 padding=1 dilation=1; [2,5,4] size=5,4 count=3,3 kernel_size=3,2 stride=1,1 padding=0,1 dilation=1,2; [2,3,4,5] size=3,4,5 count=2,2,2 kernel_size=2,2,3 stride=1,2,2 padding=0,0,0 dilation=1,1,1; [3,5,7] size=5,7 count=3,4 kernel_size=1,1 stride=1,1 padding=1,1 dilation=1,1 adaptive=1",
    .doc = "Maxima of windows and their flat places in the plane. NaN is the largest; of equal elements the first counts."
);

/* ---- window_place: the adjoint, for given places ---- */

typedef struct place_attrs {
    ebb_ints size;
} place_attrs;
static const ebb_attr place_attr[] = {
    EBB_ATTR(EBB_A_INTS, place_attrs, size, NULL, "sizes of the spatial dims of the result"),
};

static ebb_status window_place_infer(ebb_infer *s) {
    const ebb_ints *size = &((const place_attrs *)s->attrs)->size;
    const ebb_info *x = &s->x[0], *index = &s->x[1];
    const int lead = x->ndim - size->n;
    double elements = 1;
    for (int d = 0; d < size->n; d++) {
        if (size->v[d] < 1 || size->v[d] > WINDOW_MOST)
            return s->fail(s, EBB_E_ATTR, "size is %lld at %d; 1 to %d are possible", (long long)size->v[d],
                           d, WINDOW_MOST);
        elements *= (double)size->v[d];
    }
    if (size->n < 1 || size->n > SPATIAL || lead < 0 || elements > 1e15)
        return s->fail(s, EBB_E_ATTR, "size has %d numbers for an input of %d dims, and planes %.0f elements",
                       size->n, x->ndim, elements);
    bool same = index->ndim == x->ndim;
    for (int d = 0; d < x->ndim && same; d++) same = index->shape[d] == x->shape[d];
    if (!same) return s->fail(s, EBB_E_SHAPE, "input and index differ in shape");
    s->work = 1;
    for (int d = 0; d < lead; d++) s->work *= s->y->shape[d] = x->shape[d];
    plane_shape(s->y, lead, size);
    return EBB_OK;
}

EBB_KERNEL(window_place_fwd,
    const ebb_ints *size = &((const place_attrs *)l->attrs)->size;
    const int64_t in = numel_of(size);
    int64_t out = 1;
    for (int d = l->arg[0].ndim - size->n; d < l->arg[0].ndim; d++) out *= l->arg[0].shape[d];
    for (int64_t u = l->first; u < l->first + l->n; u++) {
        const T *x = (const T *)l->p[0] + u * out;
        const int64_t *place = (const int64_t *)l->p[1] + u * out;
        T *y = (T *)l->p[2] + u * in;
        memset(y, 0, (size_t)in * sizeof(T));
        for (int64_t p = 0; p < out; p++) {
            if ((uint64_t)place[p] >= (uint64_t)in)
                return l->fail(l, EBB_E_INDEX, "place %lld is not one of the %lld of a plane", (long long)place[p], (long long)in);
            y[place[p]] += x[p];
        }
    })

/* The elements of g at these places. */
static ebb_tensor *window_place_dx(const ebb_call *c, ebb_tensor *g) {
    const int dims = ((const place_attrs *)c->attrs)->size.n, lead = c->x_shape[0].ndim - dims;
    ebb_tensor *planes = ebb_flatten(g, .start_dim = lead), *at = ebb_flatten(c->x[1], .start_dim = lead);
    return ebb_reshape(ebb_gather(planes, at, .dim = -1), .shape = ebb_ints_of(&c->x_shape[0]));
}

EBB_OP(window_place,
    .sig = "input(),index():i->()",
    .math = "y = 0, then y[i[p]] += x[p];  dx[p] = g[i[p]]",
    .infer = window_place_infer,
    .fwd = window_place_fwd,
    .attrs = EBB_ATTRS(place_attrs, place_attr),
    .vjp = EBB_VJP({window_place_dx, EBB_X(1)}, {NULL, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[2,3,4] [2,3,4]<7 size=7; [2,3,3] [2,3,3]<20 size=5,4; [2,2,3,2] [2,2,3,2]<24 size=2,3,4; [0,4] [0,4]<7 size=7; [2,0] [2,0]<1 size=1",
    .doc = "Elements added to planes of zeros at the places that window_max found."
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
            EACH_WINDOW(g, true, ebb__reach_of(&g, true, 2, ox), {
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
            EACH_WINDOW(g, true, ebb__reach_of(&g, true, 2, ox), {
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
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(pool_attrs, pool_attr),
    .tries = "[2,3,7] kernel_size=3 stride=2 padding=1; [3,8] kernel_size=2 dilation=2; [1,2,8] kernel_size=3 ceil_mode=1; [0,2,4] kernel_size=2; [1,1] kernel_size=1",
    .doc = "Maxima of windows of (n, c, length) or (c, length), and the indices for max_unpool1d. NaN is the largest, of equal elements the first is taken.",
    .ref = "torch.nn.functional.max_pool1d"
);

EBB_OP(max_pool2d,
    .sig = "input()->(),():i",
    .math = "y[p] = max of window p, i[p] = its flat place in the plane;  dx = 0, then dx[i[p]] += g[p]",
    .compose = max_pool2,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(pool_attrs, pool_attr),
    .tries = "[2,3,7,5] kernel_size=3,2 stride=2,1 padding=1,0; [3,6,6] kernel_size=2 dilation=2,1; [1,2,5,8] kernel_size=3 ceil_mode=1; [0,2,4,4] kernel_size=2",
    .doc = "Maxima of windows of (n, c, h, w) or (c, h, w), and the indices for max_unpool2d. NaN is the largest, of equal elements the first is taken.",
    .ref = "torch.nn.functional.max_pool2d"
);

EBB_OP(max_pool3d,
    .sig = "input()->(),():i",
    .math = "y[p] = max of window p, i[p] = its flat place in the volume;  dx = 0, then dx[i[p]] += g[p]",
    .compose = max_pool3,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(pool_attrs, pool_attr),
    .tries = "[1,2,4,5,3] kernel_size=3,2,2 stride=2,1,1 padding=1,0,1; [2,4,4,6] kernel_size=2 dilation=2,1,1; [1,1,3,5,4] kernel_size=2 ceil_mode=1",
    .doc = "Maxima of windows of (n, c, d, h, w) or (c, d, h, w), and the indices for max_unpool3d. NaN is the largest, of equal elements the first is taken.",
    .ref = "torch.nn.functional.max_pool3d"
);
