/* strided.c - floor 5: views by their strides, and writing through them. What the engine records for a write through a view. */
#include <ebb/op.h>

typedef struct strided_attrs {
    ebb_ints size, stride;
    int64_t storage_offset;
} strided_attrs;
static const ebb_attr strided_attr[] = {
    EBB_ATTR(EBB_A_INTS, strided_attrs, size, NULL, "shape of the view"),
    EBB_ATTR(EBB_A_INTS, strided_attrs, stride, NULL, "distance of neighbours in each dim, in elements"),
    EBB_ATTR(EBB_A_INT, strided_attrs, storage_offset, "0",
             "its first element, counted from the input's first", .lo = 0, .hi = 1e15),
};

/* The places that the view reaches lie in n elements. */
static ebb_status inside(ebb_infer *s, int64_t n) {
    const strided_attrs *a = (const strided_attrs *)s->attrs;
    if (a->size.n != a->stride.n)
        return s->fail(s, EBB_E_SHAPE, "size has %d numbers and stride %d; one each for every dim", a->size.n,
                       a->stride.n);
    double last = (double)a->storage_offset;
    bool any = true;
    for (int d = 0; d < a->size.n; d++) {
        if (a->size.v[d] < 0 || a->stride.v[d] < 0)
            return s->fail(s, EBB_E_SHAPE, "size is %lld and stride %lld at dim %d; neither may be negative",
                           (long long)a->size.v[d], (long long)a->stride.v[d], d);
        any = any && a->size.v[d] > 0;
        last += (double)(a->size.v[d] - 1) * (double)a->stride.v[d];
    }
    if (any && last >= (double)n)
        return s->fail(s, EBB_E_SHAPE, "the view would reach element %.0f of an input of %lld elements", last,
                       (long long)n);
    return EBB_OK;
}

static ebb_status as_strided_view(ebb_infer *s) {
    const strided_attrs *a = (const strided_attrs *)s->attrs;
    int64_t n = 1;
    for (int d = s->x->ndim; d-- > 0; n *= s->x->shape[d])
        if (s->x->shape[d] != 1 && s->x->stride[d] != n && s->x->numel) return EBB_COPY;
    const ebb_status r = inside(s, s->x->numel);
    if (r != EBB_OK) return r;
    s->y->ndim = a->size.n;
    for (int d = 0; d < a->size.n; d++) {
        s->y->shape[d] = a->size.v[d];
        s->y->stride[d] = a->stride.v[d];
    }
    s->offset = s->x->numel ? a->storage_offset : 0;
    return EBB_OK;
}

static ebb_tensor *as_strided_dx(const ebb_call *c, ebb_tensor *g) {
    const strided_attrs *a = (const strided_attrs *)c->attrs;
    return ebb_as_strided_add(ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype, ebb_ints_of(&c->x_shape[0]), 0),
                              g, .size = a->size, .stride = a->stride, .storage_offset = a->storage_offset);
}

EBB_OP(as_strided,
    .sig = "input()->()",
    .math = "y[i,j..] = x[offset + i*s0 + j*s1 ..];  dx = g added where it came from",
    .view = as_strided_view,
    .attrs = EBB_ATTRS(strided_attrs, strided_attr),
    .vjp = EBB_VJP({as_strided_dx, 0}),
    .flags = EBB_LINEAR,
    .tries = "[12] size=3,4 stride=4,1; [3,4] size=2,2 stride=4,2 storage_offset=1; [6] size=5,2 stride=1,1; [4] size=2,3 stride=2,0; [3] size= stride= storage_offset=2",
    .doc = "A view by strides over the elements of a contiguous input; several of its elements may share a place."
);

/* ---- writing ---- */

static ebb_status write_infer(ebb_infer *s) {
    const strided_attrs *a = (const strided_attrs *)s->attrs;
    const ebb_status r = inside(s, s->x[0].numel);
    if (r != EBB_OK) return r;
    bool same = s->x[1].ndim == a->size.n;
    for (int d = 0; d < a->size.n && same; d++) same = s->x[1].shape[d] == a->size.v[d];
    if (!same) return s->fail(s, EBB_E_SHAPE, "src does not have the shape that size gives");
    s->y->ndim = s->x->ndim;
    for (int d = 0; d < s->x->ndim; d++) s->y->shape[d] = s->x->shape[d];
    return EBB_OK;
}

/* Every element of src at its place of y, in row-major order. */
#define EACH_PLACE(statement)                                                                                \
    const strided_attrs *a = (const strided_attrs *)l->attrs;                                                \
    const T *src = (const T *)l->p[1];                                                                       \
    T *y = (T *)l->p[2];                                                                                     \
    if (l->arg[0].numel) memcpy(y, l->p[0], (size_t)l->arg[0].numel * sizeof(T));                            \
    const int last = a->size.n - 1;                                                                          \
    const int64_t row = last < 0 ? 1 : a->size.v[last];                                                      \
    const int64_t step = last < 0 ? 0 : a->stride.v[last];                                                   \
    for (int64_t i = 0; row && i < l->arg[1].numel; i += row) {                                              \
        int64_t at = a->storage_offset;                                                                      \
        int64_t k = i / row;                                                                                 \
        for (int d = last; d-- > 0; k /= a->size.v[d]) at += k % a->size.v[d] * a->stride.v[d];              \
        for (int64_t j = 0; j < row; j++) statement;                                                         \
    }

EBB_KERNEL_MOVE(as_strided_scatter_fwd, EACH_PLACE(y[at + j * step] = src[i + j]))

static ebb_tensor *scatter_dx(const ebb_call *c, ebb_tensor *g) {
    const strided_attrs *a = (const strided_attrs *)c->attrs;
    return ebb_as_strided_scatter(g, ebb_constant(c->e, (ebb_dtype)c->x_shape[1].dtype, a->size, 0),
                                  .size = a->size, .stride = a->stride, .storage_offset = a->storage_offset);
}
static ebb_tensor *placed_ds(const ebb_call *c, ebb_tensor *g) {
    const strided_attrs *a = (const strided_attrs *)c->attrs;
    return ebb_as_strided(g, .size = a->size, .stride = a->stride, .storage_offset = a->storage_offset);
}

EBB_OP(as_strided_scatter,
    .sig = "input(),src()->()",
    .math = "y = x, then y[offset + i*s0 + j*s1 ..] = s[i,j..];  dx = g with 0 there,  ds = g there",
    .infer = write_infer,
    .fwd = as_strided_scatter_fwd,
    .attrs = EBB_ATTRS(strided_attrs, strided_attr),
    .vjp = EBB_VJP({scatter_dx, 0}, {placed_ds, 0}),
    .flags = EBB_LINEAR,
    .tries = "[3,4] [2,2] size=2,2 stride=4,2 storage_offset=1; [6] [2,3] size=2,3 stride=3,1; [3] [] size= stride= storage_offset=2; [4] [0] size=0 stride=1",
    .doc = "The input with the places of a strided view replaced by src. No two elements of the view may share a place."
);

EBB_KERNEL(as_strided_add_fwd, EACH_PLACE(y[at + j * step] += src[i + j]))

static ebb_tensor *pass(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}

EBB_OP(as_strided_add,
    .sig = "input(),src()->()",
    .math = "y = x, then y[offset + i*s0 + j*s1 ..] += s[i,j..];  dx = g,  ds = g there",
    .infer = write_infer,
    .fwd = as_strided_add_fwd,
    .attrs = EBB_ATTRS(strided_attrs, strided_attr),
    .vjp = EBB_VJP({pass, 0}, {placed_ds, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[3,4] [2,2] size=2,2 stride=4,2 storage_offset=1; [6] [5,2] size=5,2 stride=1,1; [4] [2,3] size=2,3 stride=2,0; [3] [] size= stride=",
    .doc = "The input with src added at the places of a strided view, in order. What as_strided's gradient is made of."
);
