/* slice.c - floor 5: parts of a tensor along one dim, as views, and writing them back. */
#include "shape.h"

typedef struct slice_attrs {
    int64_t dim, start, end, step;
} slice_attrs;
static const ebb_attr slice_attr[] = {
    EBB_ATTR(EBB_A_INT, slice_attrs, dim, "0", "the dim that is cut"),
    EBB_ATTR(EBB_A_INT, slice_attrs, start, "0", "first index; negative counts from the end"),
    EBB_ATTR(EBB_A_INT, slice_attrs, end, "max", "index to stop before; negative counts from the end"),
    EBB_ATTR(EBB_A_INT, slice_attrs, step, "1", "distance between indices, at least 1", .lo = 1, .hi = 9e18),
};

/* Start and number of elements of a slice of n, as Python's: what lies outside is cut off. */
static int64_t slice_count(const slice_attrs *a, int64_t n, int64_t *start) {
    int64_t from = a->start < 0 ? a->start + n : a->start, to = a->end < 0 ? a->end + n : a->end;
    from = from < 0 ? 0 : from > n ? n : from;
    to = to < from ? from : to > n ? n : to;
    *start = from;
    return (to - from + a->step - 1) / a->step;
}

static ebb_status slice_view(ebb_infer *s) {
    const slice_attrs *a = (const slice_attrs *)s->attrs;
    int d = 0;
    int64_t start;
    if (!s->x->ndim) return s->fail(s, EBB_E_SHAPE, "a 0-d tensor cannot be sliced");
    const ebb_status r = shape_dim(s, "dim", a->dim, s->x->ndim, &d);
    if (r != EBB_OK) return r;
    shape_like(s->y, s->x);
    s->y->shape[d] = slice_count(a, s->x->shape[d], &start);
    s->y->stride[d] = s->x->stride[d] * (s->y->shape[d] > 1 ? a->step : 1);
    s->offset = s->y->shape[d] ? start * s->x->stride[d] : 0;
    return EBB_OK;
}

/* Zeros of the input's shape with g at its places. Rows that follow each other are zeros around g: one pass. */
static ebb_tensor *placed(const ebb_shape *x, int dim, const slice_attrs *a, ebb_tensor *g) {
    int64_t start;
    (void)slice_count(a, x->dim[dim], &start);
    if (a->step != 1)
        return ebb_slice_scatter(shape_zeros(g, x), g, .dim = dim, .start = a->start, .end = a->end,
                                 .step = a->step);
    ebb_ints before = {x->ndim, {0}};
    before.v[dim] = start;
    return ebb_remap(g, .before = before, .size = ebb_ints_of(x));
}

static ebb_tensor *slice_dx(const ebb_call *c, ebb_tensor *g) {
    const slice_attrs *a = (const slice_attrs *)c->attrs;
    return placed(&c->x_shape[0], ebb_dim_of(a->dim, c->x_shape[0].ndim), a, g);
}

EBB_OP(slice,
    .sig = "input()->()",
    .math = "y = x[start:end:step] along dim;  dx = zeros with g at those places",
    .view = slice_view,
    .attrs = EBB_ATTRS(slice_attrs, slice_attr),
    .vjp = EBB_VJP({slice_dx, 0}),
    .flags = EBB_LINEAR,
    .tries = "[5] start=1 end=4; [7] step=3; [2,6] dim=1 start=-4 end=-1; [4,3] dim=0 start=1 step=2; [4] start=3 end=2; [1] start=0",
    .doc = "Elements start, start + step, ... before end, along one dim; a view."
);

static ebb_status slice_scatter_infer(ebb_infer *s) {
    const slice_attrs *a = (const slice_attrs *)s->attrs;
    int d = 0;
    int64_t start;
    if (!s->x->ndim) return s->fail(s, EBB_E_SHAPE, "a 0-d tensor cannot be sliced");
    const ebb_status r = shape_dim(s, "dim", a->dim, s->x->ndim, &d);
    if (r != EBB_OK) return r;
    const int64_t n = slice_count(a, s->x->shape[d], &start);
    if (s->x[1].ndim != s->x->ndim)
        return s->fail(s, EBB_E_SHAPE, "src has %d dims, input %d", s->x[1].ndim, s->x->ndim);
    shape_like(s->y, s->x);
    for (int k = 0; k < s->x->ndim; k++) {
        const int64_t want = k == d ? n : s->x->shape[k];
        if (s->x[1].shape[k] != want)
            return s->fail(s, EBB_E_SHAPE, "dim %d of src is %lld, the slice has %lld", k,
                           (long long)s->x[1].shape[k], (long long)want);
    }
    return EBB_OK;
}

EBB_KERNEL_MOVE(slice_scatter_fwd,
    const slice_attrs *a = (const slice_attrs *)l->attrs;
    const ebb_info *x = &l->arg[0];
    const int64_t d = a->dim < 0 ? a->dim + x->ndim : a->dim;
    int64_t outer = 1; int64_t inner = 1; int64_t start;
    for (int k = 0; k < x->ndim; k++) if (k < d) outer *= x->shape[k]; else if (k > d) inner *= x->shape[k];
    const int64_t rows = x->shape[d]; const int64_t n = slice_count(a, rows, &start);
    const T *src = (const T *)l->p[1];
    T *y = (T *)l->p[2];
    if (x->numel) memcpy(y, l->p[0], (size_t)x->numel * sizeof(T));
    if (inner)
        for (int64_t o = 0; o < outer; o++)
            for (int64_t i = 0; i < n; i++)
                memcpy(y + (o * rows + start + i * a->step) * inner, src + (o * n + i) * inner, (size_t)inner * sizeof(T));)

static ebb_tensor *slice_scatter_dx(const ebb_call *c, ebb_tensor *g) {
    const slice_attrs *a = (const slice_attrs *)c->attrs;
    return ebb_slice_scatter(g, shape_zeros(g, &c->x_shape[1]), .dim = a->dim, .start = a->start,
                             .end = a->end, .step = a->step);
}
static ebb_tensor *slice_scatter_ds(const ebb_call *c, ebb_tensor *g) {
    const slice_attrs *a = (const slice_attrs *)c->attrs;
    return ebb_slice(g, .dim = a->dim, .start = a->start, .end = a->end, .step = a->step);
}

EBB_OP(slice_scatter,
    .sig = "input(),src()->()",
    .math = "y = x with src at [start:end:step];  dx = g with 0 there,  dsrc = g there",
    .infer = slice_scatter_infer,
    .fwd = slice_scatter_fwd,
    .attrs = EBB_ATTRS(slice_attrs, slice_attr),
    .vjp = EBB_VJP({slice_scatter_dx, 0}, {slice_scatter_ds, 0}),
    .flags = EBB_LINEAR,
    .tries = "[5] [3] start=1 end=4; [7] [3] step=3; [2,6] [2,3] dim=1 start=-4 end=-1; [4,3] [2,3] dim=0 start=1 step=2; [1] [1]; [4] [0] start=3 end=2",
    .doc = "A copy of input with src written into a slice of it."
);

/* ---- narrow, select ---- */

typedef struct narrow_attrs {
    int64_t dim, start, length;
} narrow_attrs;
static const ebb_attr narrow_attr[] = {
    EBB_ATTR(EBB_A_INT, narrow_attrs, dim, NULL, "the dim that is cut"),
    EBB_ATTR(EBB_A_INT, narrow_attrs, start, NULL, "first index; negative counts from the end"),
    EBB_ATTR(EBB_A_INT, narrow_attrs, length, NULL, "how many elements"),
};

static ebb_tensor *narrow_compose(const ebb_call *c) {
    const narrow_attrs *a = (const narrow_attrs *)c->attrs;
    const int d = shape_real_dim_in(c, a->dim);
    if (d < 0) return NULL;
    const int64_t n = c->x_shape[0].dim[d], start = a->start < 0 ? a->start + (n ? n : 1) : a->start;
    if (start < 0 || a->length < 0 || start > n || a->length > n - start)
        return EBB_FAIL(c, EBB_E_ATTR, "%lld elements from %lld are not there: dim %d has %lld",
                        (long long)a->length, (long long)a->start, d, (long long)n);
    return ebb_slice(c->x[0], .dim = d, .start = start, .end = start + a->length);
}

EBB_OP(narrow,
    .sig = "input()->()",
    .math = "y = x[start : start + length] along dim;  dx = zeros with g at those places",
    .compose = narrow_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(narrow_attrs, narrow_attr),
    .tries = "[5] dim=0 start=1 length=3; [2,4] dim=-1 start=-2 length=2; [3] dim=0 start=3 length=0",
    .doc = "Neighbouring elements along one dim, all of which must be there; a view."
);

typedef struct select_attrs {
    int64_t dim, index;
} select_attrs;
static const ebb_attr select_attr[] = {
    EBB_ATTR(EBB_A_INT, select_attrs, dim, NULL, "the dim that goes"),
    EBB_ATTR(EBB_A_INT, select_attrs, index, NULL, "the place in it; negative counts from the end"),
};

#define NO_PLACE "index %lld is outside dim %d, which has %lld elements"

static ebb_status select_view(ebb_infer *s) {
    const select_attrs *a = (const select_attrs *)s->attrs;
    int d = 0;
    if (!s->x->ndim) return s->fail(s, EBB_E_SHAPE, "a 0-d tensor has no dim to select from");
    const ebb_status r = shape_dim(s, "dim", a->dim, s->x->ndim, &d);
    if (r != EBB_OK) return r;
    const int64_t n = s->x->shape[d], at = a->index < 0 ? a->index + n : a->index;
    if (at < 0 || at >= n) return s->fail(s, EBB_E_INDEX, NO_PLACE, (long long)a->index, d, (long long)n);
    shape_like(s->y, s->x);
    s->y->ndim--;
    for (int k = d; k < s->y->ndim; k++) {
        s->y->shape[k] = s->x->shape[k + 1];
        s->y->stride[k] = s->x->stride[k + 1];
    }
    s->offset = s->x->numel ? at * s->x->stride[d] : 0;
    return EBB_OK;
}

static ebb_tensor *select_dx(const ebb_call *c, ebb_tensor *g) {
    const select_attrs *a = (const select_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    const int d = ebb_dim_of(a->dim, x->ndim);
    const slice_attrs at = {d, a->index < 0 ? a->index + x->dim[d] : a->index, INT64_MAX, 1};
    return placed(x, d, &at, ebb_unsqueeze(g, .dim = d));
}

EBB_OP(select,
    .sig = "input()->()",
    .math = "y = x[index] along dim;  dx = zeros with g there",
    .view = select_view,
    .attrs = EBB_ATTRS(select_attrs, select_attr),
    .vjp = EBB_VJP({select_dx, 0}),
    .flags = EBB_LINEAR,
    .tries = "[4] dim=0 index=2; [2,3] dim=1 index=-1; [2,3,4] dim=-2 index=1; [2,0] dim=0 index=1; [1] dim=0 index=0",
    .doc = "One place of a dim, without the dim; a view."
);

static ebb_tensor *select_scatter_compose(const ebb_call *c) {
    const select_attrs *a = (const select_attrs *)c->attrs;
    const int d = shape_real_dim_in(c, a->dim);
    if (d < 0) return NULL;
    const int64_t n = c->x_shape[0].dim[d], at = a->index < 0 ? a->index + n : a->index;
    if (at < 0 || at >= n) return EBB_FAIL(c, EBB_E_INDEX, NO_PLACE, (long long)a->index, d, (long long)n);
    if (c->x_shape[1].ndim != c->x_shape[0].ndim - 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "src has %d dims, input %d: one less is needed", c->x_shape[1].ndim,
                        c->x_shape[0].ndim);
    return ebb_slice_scatter(c->x[0], ebb_unsqueeze(c->x[1], .dim = d), .dim = d, .start = at, .end = at + 1);
}

EBB_OP(select_scatter,
    .sig = "input(),src()->()",
    .math = "y = x with src at [index];  dx = g with 0 there,  dsrc = g there",
    .compose = select_scatter_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(select_attrs, select_attr),
    .tries = "[4] [] dim=0 index=2; [2,3] [2] dim=1 index=-1; [2,3,4] [2,4] dim=-2 index=1",
    .doc = "A copy of input with src written at one place of a dim."
);

/* ---- windows ---- */

typedef struct unfold_attrs {
    int64_t dimension, size, step;
} unfold_attrs;
static const ebb_attr unfold_attr[] = {
    EBB_ATTR(EBB_A_INT, unfold_attrs, dimension, NULL, "the dim along which the window slides"),
    EBB_ATTR(EBB_A_INT, unfold_attrs, size, NULL, "elements of a window"),
    EBB_ATTR(EBB_A_INT, unfold_attrs, step, NULL, "distance of neighbouring windows", .lo = 1, .hi = 9e18),
};

static ebb_status unfold_view(ebb_infer *s) {
    const unfold_attrs *a = (const unfold_attrs *)s->attrs;
    int d = 0;
    const ebb_status r = shape_dim(s, "dimension", a->dimension, s->x->ndim, &d);
    if (r != EBB_OK) return r;
    const bool dims = s->x->ndim > 0;
    const int64_t n = dims ? s->x->shape[d] : 1, step = dims ? s->x->stride[d] : 1;
    if (a->size < 0 || a->size > n)
        return s->fail(s, EBB_E_ATTR, "size is %lld, but dim %d has %lld elements", (long long)a->size, d,
                       (long long)n);
    if (s->x->ndim == EBB_MAX_DIMS)
        return s->fail(s, EBB_E_SHAPE, "the result would have more than %d dims", EBB_MAX_DIMS);
    shape_like(s->y, s->x);
    s->y->shape[s->y->ndim] = a->size;
    s->y->stride[s->y->ndim++] = step;
    if (dims) {
        s->y->shape[d] = (n - a->size) / a->step + 1;
        s->y->stride[d] = s->y->shape[d] > 1 ? step * a->step : step;
    }
    return EBB_OK;
}

/* Overlapping windows add where they overlap. */
static ebb_tensor *unfold_dx(const ebb_call *c, ebb_tensor *g) {
    const unfold_attrs *a = (const unfold_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    const int d = ebb_dim_of(a->dimension, x->ndim);
    ebb_ints stride = {x->ndim + 1, {0}};
    int64_t n = 1;
    for (int k = x->ndim; k-- > 0; n *= x->dim[k]) stride.v[k] = n;
    stride.v[x->ndim] = x->ndim ? stride.v[d] : 1;
    if (x->ndim) stride.v[d] = c->y_shape[0].dim[d] > 1 ? stride.v[d] * a->step : 0;
    return ebb_as_strided_add(shape_zeros(g, x), g, .size = ebb_ints_of(&c->y_shape[0]), .stride = stride);
}

EBB_OP(unfold_dim,
    .sig = "input()->()",
    .math = "y[..i..,j] = x[..i*step + j..] along dimension;  dx = g added where it came from",
    .view = unfold_view,
    .attrs = EBB_ATTRS(unfold_attrs, unfold_attr),
    .vjp = EBB_VJP({unfold_dx, 0}),
    .flags = EBB_LINEAR,
    .tries = "[7] dimension=0 size=3 step=2; [3,5] dimension=1 size=2 step=1; [5,2] dimension=0 size=3 step=1; [4] dimension=0 size=4 step=9; [2,0] dimension=0 size=1 step=1; [] dimension=0 size=1 step=1",
    .doc = "Windows of size elements, every step of them, as a new last dim: PyTorch's Tensor.unfold. An overlapping view."
);
