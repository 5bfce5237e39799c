/* order.c - floor 5: views with the dims in another order, or repeated along dims of one element. */
#include "shape.h"

typedef struct transpose_attrs {
    int64_t dim0, dim1;
} transpose_attrs;
static const ebb_attr transpose_attr[] = {
    EBB_ATTR(EBB_A_INT, transpose_attrs, dim0, NULL, "one dim"),
    EBB_ATTR(EBB_A_INT, transpose_attrs, dim1, NULL, "the other"),
};

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
    ebb_status r = shape_dim(s, "dim0", a->dim0, s->x->ndim, &i);
    if (r == EBB_OK) r = shape_dim(s, "dim1", a->dim1, s->x->ndim, &j);
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

typedef struct axes_attrs {
    int64_t axis0, axis1;
} axes_attrs;
static const ebb_attr axes_attr[] = {
    EBB_ATTR(EBB_A_INT, axes_attrs, axis0, NULL, "one dim"),
    EBB_ATTR(EBB_A_INT, axes_attrs, axis1, NULL, "the other"),
};

static ebb_tensor *swap_compose(const ebb_call *c) { /* of both names: the attributes are two numbers */
    const axes_attrs *a = (const axes_attrs *)c->attrs;
    return ebb_transpose(c->x[0], .dim0 = a->axis0, .dim1 = a->axis1);
}

EBB_OP(swapaxes,
    .sig = "input()->()",
    .math = "y = x with two dims exchanged;  dx = g with them exchanged",
    .compose = swap_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(axes_attrs, axes_attr),
    .tries = "[2,3,4] axis0=0 axis1=-1",
    .doc = "transpose by another name."
);

EBB_OP(swapdims,
    .sig = "input()->()",
    .math = "y = x with two dims exchanged;  dx = g with them exchanged",
    .compose = swap_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(transpose_attrs, transpose_attr),
    .tries = "[2,3,4] dim0=0 dim1=-1",
    .doc = "transpose by another name."
);

static ebb_tensor *t_compose(const ebb_call *c) {
    const int n = c->x_shape[0].ndim;
    if (n > 2) return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims, at most 2 are possible; use mT", n);
    return n < 2 ? c->x[0] : ebb_transpose(c->x[0], .dim0 = 0, .dim1 = 1);
}

EBB_OP(t,
    .sig = "input()->()",
    .math = "y = x^T;  dx = g^T",
    .compose = t_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[2,3]; [3]; []",
    .doc = "Transposes a matrix; a vector or number stays. A view."
);

static ebb_tensor *mT_compose(const ebb_call *c) {
    const int n = c->x_shape[0].ndim;
    if (n == 1) return EBB_FAIL(c, EBB_E_SHAPE, "the input has 1 dim; a matrix or several are needed");
    return !n ? c->x[0] : ebb_transpose(c->x[0], .dim0 = -2, .dim1 = -1);
}

EBB_OP(mT,
    .sig = "input()->()",
    .math = "y = x^T of each matrix;  dx = g^T",
    .compose = mT_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[2,3]; [2,3,4]; [0,2,3]; []",
    .doc = "Exchanges the last two dims; a number stays. A view."
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
        const ebb_status r = shape_dim(s, "a dim", dims->v[d], s->x->ndim, &order[d]);
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

typedef struct movedim_attrs {
    ebb_ints source, destination;
} movedim_attrs;
static const ebb_attr movedim_attr[] = {
    EBB_ATTR(EBB_A_INTS, movedim_attrs, source, NULL, "dims to be moved"),
    EBB_ATTR(EBB_A_INTS, movedim_attrs, destination, NULL, "where each of them goes"),
};

static ebb_tensor *movedim_compose(const ebb_call *c) {
    const movedim_attrs *a = (const movedim_attrs *)c->attrs;
    const int n = c->x_shape[0].ndim;
    if (a->source.n != a->destination.n)
        return EBB_FAIL(c, EBB_E_ATTR, "source names %d dims, destination %d", a->source.n, a->destination.n);
    ebb_ints order = {n, {-1, -1, -1, -1, -1, -1, -1, -1}};
    unsigned moved = 0;
    for (int k = 0; k < a->source.n; k++) {
        const int from = shape_dim_in(c, "source", a->source.v[k], n);
        const int to = from < 0 ? -1 : shape_dim_in(c, "destination", a->destination.v[k], n);
        if (to < 0) return NULL;
        if (moved >> from & 1) return EBB_FAIL(c, EBB_E_ATTR, "source names dim %d twice", from);
        if (order.v[to] >= 0) return EBB_FAIL(c, EBB_E_ATTR, "destination names dim %d twice", to);
        moved |= 1u << from;
        order.v[to] = from;
    }
    int next = 0;
    for (int d = 0; d < n; d++) {
        if (order.v[d] >= 0) continue;
        while (moved >> next & 1) next++;
        order.v[d] = next++;
    }
    return ebb_permute(c->x[0], .dims = order);
}

EBB_OP(movedim,
    .sig = "input()->()",
    .math = "y = x with some dims moved to other places;  dx = g with them moved back",
    .compose = movedim_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(movedim_attrs, movedim_attr),
    .tries = "[2,3,4] source=0 destination=-1; [2,3,4] source=0,1 destination=1,2; [2,3] source=1 destination=1",
    .doc = "Moves dims; the others keep their order. A view."
);

EBB_OP(moveaxis,
    .sig = "input()->()",
    .math = "y = x with some dims moved to other places;  dx = g with them moved back",
    .compose = movedim_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(movedim_attrs, movedim_attr),
    .tries = "[2,3,4] source=0 destination=-1",
    .doc = "movedim by another name."
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

EBB_OP(expand,
    .sig = "input()->()",
    .math = "y = x repeated along dims of size 1;  dx = g summed over them",
    .view = expand_view,
    .attrs = EBB_ATTRS(expand_attrs, expand_attr),
    .vjp = EBB_VJP({shape_pass, 0}),
    .flags = EBB_LINEAR,
    .tries = "[1,3] size=2,3; [3] size=2,3; [2,1] size=-1,4; [1] size=0; [1] size=3",
    .doc = "Repeats dims of size 1 without copying; a view."
);

static ebb_tensor *broadcast_to_compose(const ebb_call *c) {
    return ebb_expand(c->x[0], .size = ((const expand_attrs *)c->attrs)->size);
}
static ebb_tensor *expand_as_compose(const ebb_call *c) {
    return ebb_expand(c->x[0], .size = ebb_ints_of(&c->x_shape[1]));
}

EBB_OP(broadcast_to,
    .sig = "input()->()",
    .math = "y = x repeated along dims of size 1;  dx = g summed over them",
    .compose = broadcast_to_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(expand_attrs, expand_attr),
    .tries = "[1,3] size=2,3; [3] size=2,3",
    .doc = "expand by another name."
);

EBB_OP(expand_as,
    .sig = "input(),other()->()",
    .math = "y = x expanded to other's shape;  dx = g summed back",
    .compose = expand_as_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[1,3] [2,3]; [3] [2,3]; [] [2]",
    .doc = "expand to another tensor's shape; a view."
);
