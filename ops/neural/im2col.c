/* im2col.c - floor 5: the elements under sliding windows as columns, and columns added back: what convolution is made of. */
#include "conv.h"

typedef struct patches_attrs {
    ebb_ints size, count, kernel_size, stride, padding, dilation;
    bool joined;
} patches_attrs;
static const ebb_attr patches_attr[] = {
    EBB_ATTR(EBB_A_INTS, patches_attrs, size, NULL, "sizes of the spatial dims"),
    EBB_ATTR(EBB_A_INTS, patches_attrs, count, NULL, "positions of the window in each"),
    EBB_ATTR(EBB_A_INTS, patches_attrs, kernel_size, NULL, "size of the window"),
    EBB_ATTR(EBB_A_INTS, patches_attrs, stride, NULL, "distance of neighbouring windows"),
    EBB_ATTR(EBB_A_INTS, patches_attrs, padding, NULL, "how far the first window begins before the input"),
    EBB_ATTR(EBB_A_INTS, patches_attrs, dilation, NULL, "distance of the elements of a window"),
    EBB_ATTR(EBB_A_BOOL, patches_attrs, joined, "0", "columns of the whole batch side by side"),
};

/* ---- patches ---- */

static ebb_status patches_infer(ebb_infer *s) {
    const patches_attrs *a = (const patches_attrs *)s->attrs;
    ebb_status r = ebb__windows_ok(s);
    if (r == EBB_OK) r = ebb__plane_ok(s, "the input", s->x, 2, &a->size);
    if (r != EBB_OK) return r;
    const int64_t n = s->x->shape[0], rows = s->x->shape[1] * numel_of(&a->kernel_size),
                  columns = numel_of(&a->count);
    const ebb_ints shape = a->joined ? EBB_SHAPE(rows, n * columns) : EBB_SHAPE(n, rows, columns);
    plane_shape(s->y, 0, &shape);
    s->work = n * s->x->shape[1];
    return EBB_OK;
}

/* Unit u is channel u % channels of item u / channels: its plane, and the rows of columns that are made of it. */
#define COLUMNS_OF(u)                                                                                        \
    ((joined ? (u) / channels * g.out : (u) / channels * channels * g.taps * g.out) +                        \
     (u) % channels * g.taps * width)
#define EACH_TAP(statement)                                                                                  \
    for (int64_t kz = 0; kz < g.kernel[0]; kz++)                                                             \
        for (int64_t ky = 0; ky < g.kernel[1]; ky++)                                                         \
            for (int64_t kx = 0; kx < g.kernel[2]; kx++, column += width) statement

EBB_KERNEL(patches_fwd,
    const grid g = ebb__grid_of(l->attrs);
    const bool joined = ((const patches_attrs *)l->attrs)->joined;
    const int64_t channels = l->arg[0].shape[1]; const int64_t width = joined ? l->arg[0].shape[0] * g.out : g.out;
    for (int64_t u = l->first; u < l->first + l->n; u++) {
        const T *x = (const T *)l->p[0] + u * g.in;
        T *column = (T *)l->p[1] + COLUMNS_OF(u);
        EACH_TAP({
            memset(column, 0, (size_t)g.out * sizeof(T));
            EACH_ROW(g, kz, ky, kx, EACH_IN_ROW(column[p + k] = x[i + j];));
        })
    })

static ebb_tensor *patches_dx(const ebb_call *c, ebb_tensor *g) {
    const patches_attrs *a = (const patches_attrs *)c->attrs;
    return ebb_patches_add(g, SAME_WINDOWS(a), .joined = a->joined);
}

EBB_OP(patches,
    .sig = "input()->()",
    .math = "y[n, (c,k..), p..] = x[n, c, p*stride + k*dilation - padding ..], 0 outside;  dx = g added where it came from",
    .infer = patches_infer,
    .fwd = patches_fwd,
    .attrs = EBB_ATTRS(patches_attrs, patches_attr),
    .vjp = EBB_VJP({patches_dx, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[2,3,5] size=5 count=5 kernel_size=3 stride=1 padding=1 dilation=1; [2,2,5,4] size=5,4 count=3,2 kernel_size=3,2 stride=2,1 padding=1,0 dilation=1,2 joined=1; [1,2,3,4,2] size=3,4,2 count=2,2,3 kernel_size=2,2,2 stride=1,3,1 padding=0,1,1 dilation=2,1,1; [2,1,2] size=2 count=4 kernel_size=1 stride=3 padding=5 dilation=1; [0,2,3] size=3 count=2 kernel_size=2 stride=1 padding=0 dilation=1 joined=1",
    .doc = "Columns of the elements under each window: (batch, channels*window, positions), or (channels*window, batch*positions)."
);

/* ---- patches_add ---- */

static ebb_status patches_add_infer(ebb_infer *s) {
    const patches_attrs *a = (const patches_attrs *)s->attrs;
    const ebb_status r = ebb__windows_ok(s);
    if (r != EBB_OK) return r;
    const int64_t taps = numel_of(&a->kernel_size), columns = numel_of(&a->count);
    if (s->x->ndim != (a->joined ? 2 : 3))
        return s->fail(s, EBB_E_SHAPE, "columns have %d dims; %d are needed", s->x->ndim, a->joined ? 2 : 3);
    const int64_t rows = s->x->shape[!a->joined], width = s->x->shape[a->joined ? 1 : 2];
    if (rows % taps || (a->joined ? columns ? width % columns != 0 : width != 0 : width != columns))
        return s->fail(s, EBB_E_SHAPE,
                       "%lld rows are not windows of %lld elements, or %lld columns not %lld positions",
                       (long long)rows, (long long)taps, (long long)width, (long long)columns);
    const int64_t n = !a->joined ? s->x->shape[0] : columns ? width / columns : 0;
    const ebb_ints shape = planes(n, rows / taps, &a->size);
    plane_shape(s->y, 0, &shape);
    s->work = n * (rows / taps);
    return EBB_OK;
}

EBB_KERNEL(patches_add_fwd,
    const grid g = ebb__grid_of(l->attrs);
    const bool joined = ((const patches_attrs *)l->attrs)->joined;
    const int64_t channels = l->arg[1].shape[1]; const int64_t width = joined ? l->arg[1].shape[0] * g.out : g.out;
    for (int64_t u = l->first; u < l->first + l->n; u++) {
        T *y = (T *)l->p[1] + u * g.in;
        const T *column = (const T *)l->p[0] + COLUMNS_OF(u);
        memset(y, 0, (size_t)g.in * sizeof(T));
        EACH_TAP(EACH_ROW(g, kz, ky, kx, EACH_IN_ROW(y[i + j] += column[p + k];));)
    })

static ebb_tensor *patches_add_dx(const ebb_call *c, ebb_tensor *g) {
    const patches_attrs *a = (const patches_attrs *)c->attrs;
    return ebb_patches(g, SAME_WINDOWS(a), .joined = a->joined);
}

EBB_OP(patches_add,
    .sig = "input()->()",
    .math = "y = 0, then y[n, c, p*stride + k*dilation - padding ..] += x[n, (c,k..), p..];  dx = g at those places",
    .infer = patches_add_infer,
    .fwd = patches_add_fwd,
    .attrs = EBB_ATTRS(patches_attrs, patches_attr),
    .vjp = EBB_VJP({patches_add_dx, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[2,9,5] size=5 count=5 kernel_size=3 stride=1 padding=1 dilation=1; [12,12] size=5,4 count=3,2 kernel_size=3,2 stride=2,1 padding=1,0 dilation=1,2 joined=1; [1,16,12] size=3,4,2 count=2,2,3 kernel_size=2,2,2 stride=1,3,1 padding=0,1,1 dilation=2,1,1; [2,1,4] size=2 count=4 kernel_size=1 stride=3 padding=5 dilation=1; [0,4,2] size=3 count=2 kernel_size=2 stride=1 padding=0 dilation=1",
    .doc = "The adjoint of patches: columns added to the places they were taken from."
);

/* ---- unfold, fold: images alone, as PyTorch has it ---- */

typedef struct unfold_attrs {
    ebb_ints kernel_size, dilation, padding, stride;
} unfold_attrs;
static const ebb_attr unfold_attr[] = {
    EBB_ATTR(EBB_A_INTS, unfold_attrs, kernel_size, NULL, "height and width of the window, or one number for both"),
    EBB_ATTR(EBB_A_INTS, unfold_attrs, dilation, "1", "distance of the elements of a window"),
    EBB_ATTR(EBB_A_INTS, unfold_attrs, padding, "0", "zeros around the image"),
    EBB_ATTR(EBB_A_INTS, unfold_attrs, stride, "1", "distance of neighbouring windows"),
};

/* The windows of these attributes on an image whose size is set. -> false: it failed */
static bool image_windows(const ebb_call *c, const unfold_attrs *a, windows *w) {
    if (!ebb__one_each(c, "kernel_size", &a->kernel_size, 2, 1, 1, &w->kernel_size) ||
        !ebb__one_each(c, "dilation", &a->dilation, 2, 1, 1, &w->dilation) ||
        !ebb__one_each(c, "padding", &a->padding, 2, 0, 0, &w->padding) ||
        !ebb__one_each(c, "stride", &a->stride, 2, 1, 1, &w->stride))
        return false;
    w->count.n = 2;
    for (int d = 0; d < 2; d++) {
        const int64_t reach = w->dilation.v[d] * (w->kernel_size.v[d] - 1) + 1,
                      room = w->size.v[d] + 2 * w->padding.v[d] - reach;
        if (room < 0)
            return EBB_FAIL(c, EBB_E_SHAPE,
                            "a window reaches over %lld elements of dim %d of the image, which has %lld with its padding",
                            (long long)reach, d, (long long)(room + reach)) != NULL;
        w->count.v[d] = room / w->stride.v[d] + 1;
    }
    return true;
}

static ebb_tensor *unfold_compose(const ebb_call *c) {
    const ebb_shape *s = &c->x_shape[0];
    const bool full = s->ndim >= 3 && s->dim[s->ndim - 1] && s->dim[s->ndim - 2] && s->dim[s->ndim - 3];
    if ((s->ndim != 3 && s->ndim != 4) || !full)
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "the input has %d dims%s; (channels, height, width) are needed, none empty, and perhaps a batch before them",
                        s->ndim, full ? "" : ", one of them empty");
    const bool alone = s->ndim == 3;
    windows w;
    w.size = spatial_of(s, 2);
    if (!image_windows(c, (const unfold_attrs *)c->attrs, &w)) return NULL;
    return ebb__unbatched(ebb_patches(ebb__batched(c->x[0], s, 2, alone), SAME_WINDOWS(&w)), alone);
}

EBB_OP(unfold,
    .sig = "input()->()",
    .math = "y[n, (c,i,j), p] = x[n, c, window p at (i,j)], 0 in the padding",
    .compose = unfold_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(unfold_attrs, unfold_attr),
    .tries = "[2,2,5,4] kernel_size=3,2 padding=1,0 stride=2,1 dilation=1,2; [1,3,3] kernel_size=2; [2,1,3,3] kernel_size=1 stride=2",
    .doc = "The windows of images as columns (im2col): (batch, channels*window, positions).",
    .ref = "torch.nn.functional.unfold"
);

typedef struct fold_attrs {
    ebb_ints output_size, kernel_size, dilation, padding, stride;
} fold_attrs;
static const ebb_attr fold_attr[] = {
    EBB_ATTR(EBB_A_INTS, fold_attrs, output_size, NULL, "height and width of the image"),
    EBB_ATTR(EBB_A_INTS, fold_attrs, kernel_size, NULL, "height and width of the window, or one number for both"),
    EBB_ATTR(EBB_A_INTS, fold_attrs, dilation, "1", "distance of the elements of a window"),
    EBB_ATTR(EBB_A_INTS, fold_attrs, padding, "0", "places around the image that are dropped"),
    EBB_ATTR(EBB_A_INTS, fold_attrs, stride, "1", "distance of neighbouring windows"),
};

static ebb_tensor *fold_compose(const ebb_call *c) {
    const fold_attrs *a = (const fold_attrs *)c->attrs;
    const unfold_attrs u = {a->kernel_size, a->dilation, a->padding, a->stride};
    const ebb_shape *s = &c->x_shape[0];
    const bool full = s->ndim >= 2 && s->dim[s->ndim - 1] && s->dim[s->ndim - 2];
    if ((s->ndim != 2 && s->ndim != 3) || !full)
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "the input has %d dims%s; (channels*window, positions) are needed, none empty, and perhaps a batch before them",
                        s->ndim, full ? "" : ", one of them empty");
    windows w;
    if (!ebb__one_each(c, "output_size", &a->output_size, 2, 1, 1, &w.size) || !image_windows(c, &u, &w))
        return NULL;
    const int64_t rows = s->dim[s->ndim - 2], columns = s->dim[s->ndim - 1], taps = numel_of(&w.kernel_size);
    if (rows % taps)
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "the input has %lld rows, which are not channels times the %lld elements of a window",
                        (long long)rows, (long long)taps);
    if (columns != numel_of(&w.count))
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %lld columns, but a window takes %lld x %lld positions",
                        (long long)columns, (long long)w.count.v[0], (long long)w.count.v[1]);
    const bool alone = s->ndim == 2;
    ebb_tensor *x = alone ? ebb_reshape(c->x[0], .shape = EBB_SHAPE(1, rows, columns)) : c->x[0];
    return ebb__unbatched(ebb_patches_add(x, SAME_WINDOWS(&w)), alone);
}

EBB_OP(fold,
    .sig = "input()->()",
    .math = "y = 0, then y[n, c, window p at (i,j)] += x[n, (c,i,j), p]",
    .compose = fold_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(fold_attrs, fold_attr),
    .tries = "[2,12,6] output_size=5,4 kernel_size=3,2 padding=1,0 stride=2,1 dilation=1,2; [4,4] output_size=3 kernel_size=2; [4,4] output_size=5 kernel_size=2 stride=2; [2,1,4] output_size=3 kernel_size=1 stride=2",
    .doc = "Columns added into images (col2im): the adjoint of unfold, not its inverse where windows overlap.",
    .ref = "torch.nn.functional.fold"
);
