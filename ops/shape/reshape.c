/* reshape.c - floor 5: the same elements in the same order, in another shape. */
#include "shape.h"

typedef struct reshape_attrs {
    ebb_ints shape;
} reshape_attrs;
static const ebb_attr reshape_attr[] = {
    EBB_ATTR(EBB_A_INTS, reshape_attrs, shape, "", "the new sizes; one may be -1: what is left")};

/* The strides with which x's elements, in order, have y's shape. -> false: there are none. Dims of x that follow each other
 * evenly in memory are one run; the dims of y must divide the runs. */
static bool regrouped(const ebb_info *x, ebb_info *y) {
    int64_t n = 1;
    int d = y->ndim - 1, k = x->ndim - 1;
    for (int j = d; j >= 0; n *= y->shape[j--]) y->stride[j] = n;
    if (!x->numel) return true;
    for (;; k--) {
        while (k >= 0 && x->shape[k] == 1) k--;
        if (k < 0) break;
        const int64_t step = x->stride[k];
        int64_t run = x->shape[k];
        for (; k > 0 && (x->shape[k - 1] == 1 || x->stride[k - 1] == run * step); k--) run *= x->shape[k - 1];
        for (n = 1; d >= 0 && (n < run || y->shape[d] == 1); n *= y->shape[d--]) y->stride[d] = step * n;
        if (n != run) return false;
    }
    return true;
}

static ebb_status new_shape(ebb_infer *s) {
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
    return EBB_OK;
}

static ebb_status reshape_view(ebb_infer *s) {
    const ebb_status r = new_shape(s);
    return r != EBB_OK || regrouped(s->x, s->y) ? r : EBB_COPY;
}

EBB_OP(reshape,
    .sig = "input()->()",
    .math = "y = x in another shape;  dx = g in x's shape",
    .view = reshape_view,
    .attrs = EBB_ATTRS(reshape_attrs, reshape_attr),
    .vjp = EBB_VJP({shape_back, 0}),
    .flags = EBB_LINEAR,
    .tries = "[2,6] shape=3,4; [2,6] shape=-1; [0,3] shape=3,0; [1] shape=; [4] shape=2,1,2; [2,3,4] shape=2,3,2,2",
    .doc = "The same elements in another shape; a view where the strides allow one, else of a copy."
);

static ebb_status view_view(ebb_infer *s) {
    const ebb_status r = new_shape(s);
    if (r != EBB_OK || regrouped(s->x, s->y)) return r;
    return s->fail(s, EBB_E_SHAPE,
                   "the elements do not lie so that they have this shape without being copied; use reshape");
}

EBB_OP(view,
    .sig = "input()->()",
    .math = "y = x in another shape;  dx = g in x's shape",
    .view = view_view,
    .attrs = EBB_ATTRS(reshape_attrs, reshape_attr),
    .vjp = EBB_VJP({shape_back, 0}),
    .flags = EBB_LINEAR,
    .tries = "[2,6] shape=2,3,2; [2,6] shape=2,-1; [0,3] shape=0,3; [1] shape=; [4] shape=4,1",
    .doc = "The same elements in another shape, always a view: an error where that would need a copy."
);

static ebb_tensor *reshape_as_compose(const ebb_call *c) {
    return ebb_reshape(c->x[0], .shape = ebb_ints_of(&c->x_shape[1]));
}
static ebb_tensor *view_as_compose(const ebb_call *c) {
    return ebb_view(c->x[0], .shape = ebb_ints_of(&c->x_shape[1]));
}

EBB_OP(reshape_as,
    .sig = "input(),other()->()",
    .math = "y = x in other's shape;  dx = g in x's shape",
    .compose = reshape_as_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[2,6] [3,4]; [4] [2,2]",
    .doc = "reshape to another tensor's shape."
);

EBB_OP(view_as,
    .sig = "input(),other()->()",
    .math = "y = x in other's shape;  dx = g in x's shape",
    .compose = view_as_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[6] [1,6]; [4] [4,1]",
    .doc = "view in another tensor's shape."
);

/* ---- flatten, unflatten, ravel ---- */

typedef struct flatten_attrs {
    int64_t start_dim, end_dim;
} flatten_attrs;
static const ebb_attr flatten_attr[] = {
    EBB_ATTR(EBB_A_INT, flatten_attrs, start_dim, "0", "first of the dims that become one"),
    EBB_ATTR(EBB_A_INT, flatten_attrs, end_dim, "-1", "last of them"),
};

static ebb_tensor *flatten_compose(const ebb_call *c) {
    const flatten_attrs *a = (const flatten_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    const int from = shape_dim_in(c, "start_dim", a->start_dim, x->ndim);
    const int to = from < 0 ? -1 : shape_dim_in(c, "end_dim", a->end_dim, x->ndim);
    if (to < 0) return NULL;
    if (from > to) return EBB_FAIL(c, EBB_E_ATTR, "start_dim %d comes after end_dim %d", from, to);
    if (from == to && x->ndim) return c->x[0];
    ebb_ints s = {1, {1}};
    for (int d = 0; d < x->ndim; d++) {
        if (d <= from || d > to) s.n = (d <= from ? d : d - to + from) + 1, s.v[s.n - 1] = x->dim[d];
        else s.v[from] *= x->dim[d];
    }
    return ebb_reshape(c->x[0], .shape = s);
}

EBB_OP(flatten,
    .sig = "input()->()",
    .math = "y = x with dims start_dim..end_dim as one;  dx = g in x's shape",
    .compose = flatten_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(flatten_attrs, flatten_attr),
    .tries = "[2,3,4]; [2,3,4] start_dim=1; [2,3,4] end_dim=-2; [2,0,3] start_dim=1; []; [3] start_dim=0",
    .doc = "Joins neighbouring dims; a 0-d input becomes 1-d."
);

typedef struct unflatten_attrs {
    int64_t dim;
    ebb_ints sizes;
} unflatten_attrs;
static const ebb_attr unflatten_attr[] = {
    EBB_ATTR(EBB_A_INT, unflatten_attrs, dim, NULL, "the dim that is divided"),
    EBB_ATTR(EBB_A_INTS, unflatten_attrs, sizes, NULL, "what it becomes; one may be -1"),
};

static ebb_tensor *unflatten_compose(const ebb_call *c) {
    const unflatten_attrs *a = (const unflatten_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    const int d = shape_real_dim_in(c, a->dim), more = a->sizes.n - 1;
    if (d < 0) return NULL;
    if (more < 0) return EBB_FAIL(c, EBB_E_ATTR, "sizes is empty; at least one is needed");
    if (x->ndim + more > EBB_MAX_DIMS)
        return EBB_FAIL(c, EBB_E_SHAPE, "the result would have %d dims, more than %d", x->ndim + more, EBB_MAX_DIMS);
    ebb_ints s = {x->ndim + more, {0}};
    int64_t known = 1;
    int open = -1;
    for (int k = 0; k <= more; k++) {
        const int64_t v = s.v[d + k] = a->sizes.v[k];
        if (v == -1 && open < 0) open = k;
        else if (v < 0) return EBB_FAIL(c, EBB_E_ATTR, "size %d is %lld; one may be -1", k, (long long)v);
        else if (__builtin_mul_overflow(known, v, &known)) known = -1;
    }
    if (open >= 0 && known > 0 && x->dim[d] % known == 0) s.v[d + open] = x->dim[d] / known;
    else if (open >= 0 || known != x->dim[d])
        return EBB_FAIL(c, EBB_E_SHAPE, "dim %d has %lld elements, which do not divide into sizes", d,
                        (long long)x->dim[d]);
    for (int k = 0; k < x->ndim; k++)
        if (k != d) s.v[k < d ? k : k + more] = x->dim[k];
    return ebb_reshape(c->x[0], .shape = s);
}

EBB_OP(unflatten,
    .sig = "input()->()",
    .math = "y = x with one dim as several;  dx = g in x's shape",
    .compose = unflatten_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(unflatten_attrs, unflatten_attr),
    .tries = "[2,6] dim=1 sizes=3,2; [6,2] dim=0 sizes=2,-1; [4] dim=-1 sizes=2,1,2; [0,3] dim=0 sizes=0,3",
    .doc = "Divides one dim into several; a view."
);

static ebb_tensor *ravel_compose(const ebb_call *c) {
    return ebb_reshape(ebb_contiguous(c->x[0]), .shape = EBB_SHAPE(-1));
}

EBB_OP(ravel,
    .sig = "input()->()",
    .math = "y = x's elements in order, 1-d;  dx = g in x's shape",
    .compose = ravel_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[2,3]; [4]; []; [2,0]",
    .doc = "All elements in one dim, contiguous; a view of a contiguous input."
);

/* ---- dims of one element ---- */

typedef struct squeeze_attrs {
    ebb_ints dim;
} squeeze_attrs;
static const ebb_attr squeeze_attr[] = {
    EBB_ATTR(EBB_A_INTS, squeeze_attrs, dim, "", "dims to drop where they have one element; none given: all")};

static ebb_status squeeze_view(ebb_infer *s) {
    const ebb_ints *dim = &((const squeeze_attrs *)s->attrs)->dim;
    unsigned drop = dim->n ? 0 : ~0u;
    for (int k = 0; k < dim->n; k++) {
        int d;
        const ebb_status r = shape_dim(s, "dim", dim->v[k], s->x->ndim, &d);
        if (r != EBB_OK) return r;
        if (drop >> d & 1) return s->fail(s, EBB_E_ATTR, "dim %d is named twice", d);
        drop |= 1u << d;
    }
    s->y->ndim = 0;
    for (int d = 0; d < s->x->ndim; d++) {
        if (s->x->shape[d] == 1 && (drop >> d & 1)) continue;
        s->y->shape[s->y->ndim] = s->x->shape[d];
        s->y->stride[s->y->ndim++] = s->x->stride[d];
    }
    return EBB_OK;
}

EBB_OP(squeeze,
    .sig = "input()->()",
    .math = "y = x without dims of one element;  dx = g in x's shape",
    .view = squeeze_view,
    .attrs = EBB_ATTRS(squeeze_attrs, squeeze_attr),
    .vjp = EBB_VJP({shape_back, 0}),
    .flags = EBB_LINEAR,
    .tries = "[1,3,1]; [1,3,1] dim=0; [1,3,1] dim=0,-1; [2,3] dim=0; [] dim=0; [1,0] dim=0; [1]",
    .doc = "Drops dims of one element; a dim of more stays. A view."
);

typedef struct dim_attrs {
    int64_t dim;
} dim_attrs;
static const ebb_attr unsqueeze_attr[] = {
    EBB_ATTR(EBB_A_INT, dim_attrs, dim, NULL, "where the new dim is to be in the result")};

static ebb_status unsqueeze_view(ebb_infer *s) {
    int at;
    if (s->x->ndim == EBB_MAX_DIMS)
        return s->fail(s, EBB_E_SHAPE, "the input has %d dims, as many as there can be", EBB_MAX_DIMS);
    const int64_t dim = ((const dim_attrs *)s->attrs)->dim;
    at = ebb_dim_of(dim, s->x->ndim + 1);
    if (at < 0)
        return s->fail(s, EBB_E_ATTR, "dim is %lld, but the result has %d dims: %d..%d are possible",
                       (long long)dim, s->x->ndim + 1, -s->x->ndim - 1, s->x->ndim);
    s->y->ndim = s->x->ndim + 1;
    for (int d = 0; d < s->x->ndim; d++) {
        s->y->shape[d + (d >= at)] = s->x->shape[d];
        s->y->stride[d + (d >= at)] = s->x->stride[d];
    }
    s->y->shape[at] = 1;
    s->y->stride[at] = at < s->x->ndim ? s->x->shape[at] * s->x->stride[at] : 1;
    return EBB_OK;
}

EBB_OP(unsqueeze,
    .sig = "input()->()",
    .math = "y = x with one more dim, of one element;  dx = g in x's shape",
    .view = unsqueeze_view,
    .attrs = EBB_ATTRS(dim_attrs, unsqueeze_attr),
    .vjp = EBB_VJP({shape_back, 0}),
    .flags = EBB_LINEAR,
    .tries = "[2,3] dim=0; [2,3] dim=1; [2,3] dim=-1; [] dim=0; [0,2] dim=1",
    .doc = "Inserts a dim of one element; a view."
);

/* ---- at least so many dims ---- */

static ebb_tensor *atleast_1d_compose(const ebb_call *c) {
    return c->x_shape[0].ndim ? c->x[0] : ebb_unsqueeze(c->x[0], .dim = 0);
}
static ebb_tensor *atleast_2d_compose(const ebb_call *c) {
    return c->x_shape[0].ndim > 1 ? c->x[0] : ebb_unsqueeze(ebb_atleast_1d(c->x[0]), .dim = 0);
}
static ebb_tensor *atleast_3d_compose(const ebb_call *c) {
    return c->x_shape[0].ndim > 2 ? c->x[0] : ebb_unsqueeze(ebb_atleast_2d(c->x[0]), .dim = -1);
}

EBB_OP(atleast_1d,
    .sig = "input()->()",
    .math = "y = x in one dim or more;  dx = g in x's shape",
    .compose = atleast_1d_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[]; [3]",
    .doc = "A 0-d input becomes (1)."
);

EBB_OP(atleast_2d,
    .sig = "input()->()",
    .math = "y = x in two dims or more;  dx = g in x's shape",
    .compose = atleast_2d_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[]; [3]; [2,3]",
    .doc = "(n) becomes (1, n)."
);

EBB_OP(atleast_3d,
    .sig = "input()->()",
    .math = "y = x in three dims or more;  dx = g in x's shape",
    .compose = atleast_3d_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[]; [3]; [2,3]; [2,3,1]",
    .doc = "(n) becomes (1, n, 1), (m, n) becomes (m, n, 1)."
);
