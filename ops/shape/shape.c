/* shape.c - floor 5: ops that move elements or look at them in another shape. Views share the input's storage. */
#include <ebb/op.h>

/* ---- reshape ---- */

typedef struct reshape_attrs {
    ebb_ints shape;
} reshape_attrs;
static const ebb_attr reshape_attr[] = {
    EBB_ATTR(EBB_A_INTS, reshape_attrs, shape, "", "the new sizes; one may be -1: what is left")};

static ebb_status contiguous_view(ebb_infer *s) {
    const ebb_info *x = &s->x[0];
    int64_t n = 1;
    for (int d = x->ndim; d-- > 0; n *= x->shape[d])
        if (x->shape[d] != 1 && x->stride[d] != n && x->numel) return EBB_COPY;
    n = 1;
    for (int d = s->y->ndim; d-- > 0; n *= s->y->shape[d]) s->y->stride[d] = n;
    return EBB_OK;
}

static ebb_status reshape_view(ebb_infer *s) {
    const ebb_ints *to = &((const reshape_attrs *)s->attrs)->shape;
    int64_t n = 1;
    int open = -1;
    s->y->ndim = to->n;
    for (int d = 0; d < to->n; d++) {
        s->y->shape[d] = to->v[d];
        if (to->v[d] == -1 && open < 0) open = d;
        else if (to->v[d] < 0)
            return s->fail(s, EBB_E_ATTR, "size %d is %lld; sizes are 0 or more, and one may be -1", d,
                           (long long)to->v[d]);
        else if (to->v[d] && n > INT64_MAX / to->v[d])
            return s->fail(s, EBB_E_SHAPE, "the sizes multiply to more than can be addressed");
        else n *= to->v[d];
    }
    if (open >= 0) {
        if (!n || s->x->numel % n)
            return s->fail(s, EBB_E_SHAPE, "%lld elements do not divide into the other sizes, whose product is %lld",
                           (long long)s->x->numel, (long long)n);
        s->y->shape[open] = s->x->numel / n;
    } else if (n != s->x->numel) {
        return s->fail(s, EBB_E_SHAPE, "the input has %lld elements, the new shape %lld",
                       (long long)s->x->numel, (long long)n);
    }
    return contiguous_view(s);
}

static ebb_tensor *reshape_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_reshape(g, .shape = ebb_ints_of(&c->x_shape[0]));
}

EBB_OP(reshape,
    .sig = "input()->()",
    .math = "y = x in another shape;  dx = g in x's shape",
    .view = reshape_view,
    .attrs = EBB_ATTRS(reshape_attrs, reshape_attr),
    .vjp = EBB_VJP({reshape_dx, 0}),
    .flags = EBB_LINEAR,
    .tries = "[2,6] shape=3,4; [2,6] shape=-1; [0,3] shape=3,0; [1] shape=; [4] shape=2,1,2",
    .doc = "The same elements in another shape; a view when the input is contiguous, else of a copy."
);

/* ---- transpose, permute ---- */

typedef struct transpose_attrs {
    int64_t dim0, dim1;
} transpose_attrs;
static const ebb_attr transpose_attr[] = {
    EBB_ATTR(EBB_A_INT, transpose_attrs, dim0, NULL, "one dim"),
    EBB_ATTR(EBB_A_INT, transpose_attrs, dim1, NULL, "the other"),
};

/* A dim that may count from the end, checked. */
static ebb_status dim_of(ebb_infer *s, const char *name, int64_t given, int ndim, int *out) {
    const int64_t n = ndim ? ndim : 1, d = given < 0 ? given + n : given;
    if (d < 0 || d >= n)
        return s->fail(s, EBB_E_ATTR, "%s is %lld, but the input has %d dims: %lld..%lld are possible", name,
                       (long long)given, ndim, (long long)-n, (long long)n - 1);
    *out = (int)d;
    return EBB_OK;
}

static ebb_status reordered(ebb_infer *s, const int *order) {
    s->y->ndim = s->x->ndim;
    for (int d = 0; d < s->x->ndim; d++) {
        s->y->shape[d] = s->x->shape[order[d]];
        s->y->stride[d] = s->x->stride[order[d]];
    }
    return EBB_OK;
}

static ebb_status transpose_view(ebb_infer *s) {
    const transpose_attrs *a = (const transpose_attrs *)s->attrs;
    int i = 0, j = 0, order[EBB_MAX_DIMS + 1];
    ebb_status r = dim_of(s, "dim0", a->dim0, s->x->ndim, &i);
    if (r == EBB_OK) r = dim_of(s, "dim1", a->dim1, s->x->ndim, &j);
    if (r != EBB_OK) return r;
    for (int d = 0; d < EBB_MAX_DIMS; d++) order[d] = d;
    order[i] = j;
    order[j] = i;
    return reordered(s, order);
}

static ebb_tensor *transpose_dx(const ebb_call *c, ebb_tensor *g) {
    const transpose_attrs *a = (const transpose_attrs *)c->attrs;
    return ebb_transpose(g, .dim0 = a->dim0, .dim1 = a->dim1);
}

EBB_OP(transpose,
    .sig = "input()->()",
    .math = "y = x with two dims exchanged;  dx = g with them exchanged",
    .view = transpose_view,
    .attrs = EBB_ATTRS(transpose_attrs, transpose_attr),
    .vjp = EBB_VJP({transpose_dx, 0}),
    .flags = EBB_LINEAR,
    .tries = "[2,3] dim0=0 dim1=1; [2,3,4] dim0=0 dim1=-1; [2,0] dim0=0 dim1=1; [3] dim0=0 dim1=0",
    .doc = "Exchanges two dims; a view."
);

typedef struct permute_attrs {
    ebb_ints dims;
} permute_attrs;
static const ebb_attr permute_attr[] = {
    EBB_ATTR(EBB_A_INTS, permute_attrs, dims, NULL, "the input's dims in their new order, each once")};

static ebb_status permute_view(ebb_infer *s) {
    const ebb_ints *dims = &((const permute_attrs *)s->attrs)->dims;
    int order[EBB_MAX_DIMS];
    unsigned seen = 0;
    if (dims->n != s->x->ndim)
        return s->fail(s, EBB_E_ATTR, "dims names %d dims, the input has %d", dims->n, s->x->ndim);
    for (int d = 0; d < dims->n; d++) {
        const ebb_status r = dim_of(s, "a dim", dims->v[d], s->x->ndim, &order[d]);
        if (r != EBB_OK) return r;
        if (seen >> order[d] & 1) return s->fail(s, EBB_E_ATTR, "dim %d is named twice", order[d]);
        seen |= 1u << order[d];
    }
    return reordered(s, order);
}

static ebb_tensor *permute_dx(const ebb_call *c, ebb_tensor *g) {
    const ebb_ints *dims = &((const permute_attrs *)c->attrs)->dims;
    ebb_ints back = *dims;
    for (int d = 0; d < dims->n; d++) back.v[dims->v[d] < 0 ? dims->v[d] + dims->n : dims->v[d]] = d;
    return ebb_permute(g, .dims = back);
}

EBB_OP(permute,
    .sig = "input()->()",
    .math = "y = x with its dims in another order;  dx = g in the order back",
    .view = permute_view,
    .attrs = EBB_ATTRS(permute_attrs, permute_attr),
    .vjp = EBB_VJP({permute_dx, 0}),
    .flags = EBB_LINEAR,
    .tries = "[2,3,4] dims=2,0,1; [2,3] dims=-1,0; [3,0,2] dims=1,2,0",
    .doc = "Puts the dims in another order; a view."
);

/* ---- expand ---- */

typedef struct expand_attrs {
    ebb_ints size;
} expand_attrs;
static const ebb_attr expand_attr[] = {EBB_ATTR(EBB_A_INTS, expand_attrs, size, "", "the new sizes; -1 keeps one")};

static ebb_status expand_view(ebb_infer *s) {
    const ebb_ints *to = &((const expand_attrs *)s->attrs)->size;
    const int lead = to->n - s->x->ndim;
    if (lead < 0) return s->fail(s, EBB_E_SHAPE, "size has %d dims, the input more, %d", to->n, s->x->ndim);
    s->y->ndim = to->n;
    for (int d = 0; d < to->n; d++) {
        const int64_t n = d < lead ? 1 : s->x->shape[d - lead], want = to->v[d] == -1 && d >= lead ? n : to->v[d];
        if (want < 0) return s->fail(s, EBB_E_ATTR, "size %d is %lld", d, (long long)want);
        if (n != 1 && n != want)
            return s->fail(s, EBB_E_SHAPE, "dim %d has %lld elements and cannot become %lld: only 1 can be expanded",
                           d - lead, (long long)n, (long long)want);
        s->y->shape[d] = want;
        s->y->stride[d] = n == 1 ? 0 : s->x->stride[d - lead];
    }
    return EBB_OK;
}

static ebb_tensor *expand_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g; /* summed back by the engine */
}

EBB_OP(expand,
    .sig = "input()->()",
    .math = "y = x repeated along dims of size 1;  dx = g summed over them",
    .view = expand_view,
    .attrs = EBB_ATTRS(expand_attrs, expand_attr),
    .vjp = EBB_VJP({expand_dx, 0}),
    .flags = EBB_LINEAR,
    .tries = "[1,3] size=2,3; [3] size=2,3; [2,1] size=-1,4; [1] size=0; [1] size=3",
    .doc = "Repeats dims of size 1 without copying; a view."
);

/* ---- slice and its inverse ---- */

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
    const ebb_status r = dim_of(s, "dim", a->dim, s->x->ndim, &d);
    if (r != EBB_OK) return r;
    s->y->ndim = s->x->ndim;
    for (int k = 0; k < s->x->ndim; k++) {
        s->y->shape[k] = s->x->shape[k];
        s->y->stride[k] = s->x->stride[k];
    }
    s->y->shape[d] = slice_count(a, s->x->shape[d], &start);
    s->y->stride[d] = s->x->stride[d] * (s->y->shape[d] > 1 ? a->step : 1);
    s->offset = s->y->shape[d] ? start * s->x->stride[d] : 0;
    return EBB_OK;
}

static ebb_tensor *zeros_of(ebb_tensor *like, const ebb_shape *s) {
    return ebb_expand(ebb_scalar(like, 0), .size = ebb_ints_of(s));
}

static ebb_tensor *slice_dx(const ebb_call *c, ebb_tensor *g) {
    const slice_attrs *a = (const slice_attrs *)c->attrs;
    return ebb_slice_scatter(zeros_of(g, &c->x_shape[0]), g, .dim = a->dim, .start = a->start, .end = a->end,
                             .step = a->step);
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
    const ebb_status r = dim_of(s, "dim", a->dim, s->x->ndim, &d);
    if (r != EBB_OK) return r;
    const int64_t n = slice_count(a, s->x->shape[d], &start);
    if (s->x[1].ndim != s->x->ndim)
        return s->fail(s, EBB_E_SHAPE, "src has %d dims, input %d", s->x[1].ndim, s->x->ndim);
    s->y->ndim = s->x->ndim;
    for (int k = 0; k < s->x->ndim; k++) {
        const int64_t want = k == d ? n : s->x->shape[k];
        if (s->x[1].shape[k] != want)
            return s->fail(s, EBB_E_SHAPE, "dim %d of src is %lld, the slice has %lld", k,
                           (long long)s->x[1].shape[k], (long long)want);
        s->y->shape[k] = s->x->shape[k];
    }
    return EBB_OK;
}

EBB_KERNEL_ALL(slice_scatter_fwd,
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
    return ebb_slice_scatter(g, zeros_of(g, &c->x_shape[1]), .dim = a->dim, .start = a->start, .end = a->end,
                             .step = a->step);
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

/* ---- cat ---- */

typedef struct cat_attrs {
    int64_t dim;
} cat_attrs;
static const ebb_attr cat_attr[] = {EBB_ATTR(EBB_A_INT, cat_attrs, dim, "0", "the dim along which they are joined")};

/* torch lets an empty 1-d tensor stand among tensors of any rank: it adds nothing. */
static bool adds_nothing(int ndim, const int64_t *shape) { return ndim == 1 && !shape[0]; }

static ebb_status cat_infer(ebb_infer *s) {
    int d = 0, first = 0;
    while (first + 1 < s->n_x && adds_nothing(s->x[first].ndim, s->x[first].shape)) first++;
    const ebb_info *x = &s->x[first];
    if (!x->ndim) return s->fail(s, EBB_E_SHAPE, "a 0-d tensor cannot be joined");
    const ebb_status r = dim_of(s, "dim", ((const cat_attrs *)s->attrs)->dim, x->ndim, &d);
    if (r != EBB_OK) return r;
    s->y->ndim = x->ndim;
    for (int k = 0; k < x->ndim; k++) s->y->shape[k] = x->shape[k];
    for (int i = first + 1; i < s->n_x; i++) {
        if (adds_nothing(s->x[i].ndim, s->x[i].shape)) continue;
        if (s->x[i].ndim != x->ndim)
            return s->fail(s, EBB_E_SHAPE, "tensor %d has %d dims, tensor %d has %d", i, s->x[i].ndim, first,
                           x->ndim);
        for (int k = 0; k < x->ndim; k++)
            if (k != d && s->x[i].shape[k] != x->shape[k])
                return s->fail(s, EBB_E_SHAPE,
                               "dim %d is %lld in tensor %d and %lld in tensor %d; only dim %d may differ", k,
                               (long long)s->x[i].shape[k], i, (long long)x->shape[k], first, d);
        s->y->shape[d] += s->x[i].shape[d];
    }
    return EBB_OK;
}

EBB_KERNEL_ALL(cat_fwd,
    const ebb_info *x = l->arg; const ebb_info *y = &l->arg[l->n_x];
    const int64_t given = ((const cat_attrs *)l->attrs)->dim; const int64_t d = given < 0 ? given + y->ndim : given;
    int64_t outer = 1; int64_t inner = 1; int64_t at = 0;
    for (int k = 0; k < y->ndim; k++) if (k < d) outer *= y->shape[k]; else if (k > d) inner *= y->shape[k];
    const int64_t whole = y->shape[d] * inner;
    for (int i = 0; i < l->n_x; i++) {
        const int64_t part = adds_nothing(x[i].ndim, x[i].shape) ? 0 : x[i].shape[d] * inner;
        if (part) for (int64_t o = 0; o < outer; o++) memcpy((T *)l->p[l->n_x] + o * whole + at, (const T *)l->p[i] + o * part, (size_t)part * sizeof(T));
        at += part;
    })

static ebb_tensor *cat_dx(const ebb_call *c, ebb_tensor *g) {
    const int64_t given = ((const cat_attrs *)c->attrs)->dim, d = given < 0 ? given + c->y_shape[0].ndim : given;
    const ebb_shape *mine = &c->x_shape[c->which];
    if (adds_nothing(mine->ndim, mine->dim))
        return ebb_reshape(ebb_slice(g, .dim = d, .end = 0), .shape = EBB_SHAPE(0));
    int64_t start = 0;
    for (int i = 0; i < c->which; i++)
        start += adds_nothing(c->x_shape[i].ndim, c->x_shape[i].dim) ? 0 : c->x_shape[i].dim[d];
    return ebb_slice(g, .dim = d, .start = start, .end = start + mine->dim[d]);
}

EBB_OP(cat,
    .sig = "tensors()*->()",
    .math = "y = the tensors one after another along dim;  dx_i = its part of g",
    .infer = cat_infer,
    .fwd = cat_fwd,
    .attrs = EBB_ATTRS(cat_attrs, cat_attr),
    .vjp = EBB_VJP({cat_dx, 0}),
    .flags = EBB_LINEAR | EBB_PROMOTES,
    .tries = "[2,3] [1,3]; [2,1] [2,2] [2,3] dim=1; [2,0] [2,2] dim=-1; [0] [2,3]; [3]; [1] [1]",
    .doc = "Joins tensors along one dim; their other dims must agree. An empty 1-d tensor fits anywhere."
);
