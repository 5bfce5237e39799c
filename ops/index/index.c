/* index.c - floor 5: choosing elements by index, and the sums that give their gradients back. */
#include "index.h"

typedef dim_attrs index_attrs;
static const ebb_attr index_attr[] = {EBB_ATTR(EBB_A_INT, index_attrs, dim, "0", "the dim that is indexed")};

static int axis(const index_attrs *a, int ndim) { return (int)(a->dim < 0 ? a->dim + ndim : a->dim); }

static ebb_status index_ok(const ebb_loop *l, const int64_t *index, int64_t n, int64_t rows) {
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= rows)
            return l->fail(l, EBB_E_INDEX, "index %lld (element %lld) is outside 0..%lld",
                           (long long)index[i], (long long)i, (long long)rows - 1);
    return EBB_OK;
}

static ebb_status dim_ok(ebb_infer *s, int index) {
    const index_attrs *a = (const index_attrs *)s->attrs;
    const int64_t d = axis(a, s->x->ndim);
    if (d < 0 || d >= s->x->ndim)
        return s->fail(s, EBB_E_ATTR, "dim is %lld, but the input has %d dims", (long long)a->dim, s->x->ndim);
    if (s->x[index].ndim != 1)
        return s->fail(s, EBB_E_SHAPE, "index has %d dims; exactly 1 is needed", s->x[index].ndim);
    return EBB_OK;
}

/* ---- index_select ---- */

static ebb_status index_select_infer(ebb_infer *s) {
    const ebb_status r = dim_ok(s, 1);
    if (r != EBB_OK) return r;
    s->y->ndim = s->x->ndim;
    for (int k = 0; k < s->x->ndim; k++) s->y->shape[k] = s->x->shape[k];
    s->y->shape[axis((const index_attrs *)s->attrs, s->x->ndim)] = s->x[1].shape[0];
    return EBB_OK;
}

EBB_KERNEL_ALL(index_select_fwd,
    const around x = around_dim(&l->arg[0], axis((const index_attrs *)l->attrs, l->arg[0].ndim));
    const int64_t *index = (const int64_t *)l->p[1];
    const int64_t n = l->arg[1].numel;
    const ebb_status r = index_ok(l, index, n, x.rows);
    if (r != EBB_OK) return r;
    if (x.inner)
        for (int64_t o = 0; o < x.outer; o++)
            for (int64_t i = 0; i < n; i++)
                memcpy((T *)l->p[2] + (o * n + i) * x.inner, (const T *)l->p[0] + (o * x.rows + index[i]) * x.inner, (size_t)x.inner * sizeof(T));)

static ebb_tensor *index_select_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *zeros = ebb_expand(ebb_scalar(g, 0), .size = ebb_ints_of(&c->x_shape[0]));
    return ebb_index_add(zeros, c->x[1], g, .dim = ((const index_attrs *)c->attrs)->dim);
}

EBB_OP(index_select,
    .sig = "input(),index():i->()",
    .math = "y[..i..] = x[..index_i..];  dx = 0, then dx[..index_i..] += g[..i..]",
    .infer = index_select_infer,
    .fwd = index_select_fwd,
    .attrs = EBB_ATTRS(index_attrs, index_attr),
    .vjp = EBB_VJP({index_select_dx, EBB_X(1)}, {NULL, 0}),
    .tries = "[4,3] [5]<4; [3,4,2] [3]<4 dim=1; [3,4] [0]<4 dim=-1; [1,2] [3]<1; [5] [2]<5",
    .doc = "Rows of a dim chosen by a list of indices; an index may come several times."
);

/* ---- index_add ---- */

static ebb_status index_add_infer(ebb_infer *s) {
    const ebb_status r = dim_ok(s, 1);
    if (r != EBB_OK) return r;
    const int64_t d = axis((const index_attrs *)s->attrs, s->x->ndim);
    if (s->x[2].ndim != s->x->ndim)
        return s->fail(s, EBB_E_SHAPE, "source has %d dims, input %d", s->x[2].ndim, s->x->ndim);
    s->y->ndim = s->x->ndim;
    int64_t inner = 1;
    for (int k = 0; k < s->x->ndim; k++) {
        const int64_t want = k == d ? s->x[1].shape[0] : s->x->shape[k];
        if (s->x[2].shape[k] != want)
            return s->fail(s, EBB_E_SHAPE, "dim %d of source is %lld; %lld is needed", k,
                           (long long)s->x[2].shape[k], (long long)want);
        s->y->shape[k] = s->x->shape[k];
        if (k > d) inner *= s->x->shape[k];
    }
    s->work = inner ? inner : 1; /* columns: each adds its rows in order, so any split gives the same bits */
    return EBB_OK;
}

EBB_KERNEL(index_add_fwd,
    const around x = around_dim(&l->arg[0], axis((const index_attrs *)l->attrs, l->arg[0].ndim));
    const int64_t *index = (const int64_t *)l->p[1];
    const int64_t n = l->arg[1].numel;
    const ebb_status r = index_ok(l, index, n, x.rows);
    if (r != EBB_OK) return r;
    T *y = (T *)l->p[3];
    const int64_t from = l->first; const int64_t count = x.inner ? l->n : 0;
    if (!count) return EBB_OK;
    for (int64_t o = 0; o < x.outer; o++) {
        for (int64_t i = 0; i < x.rows; i++)
                memcpy(y + (o * x.rows + i) * x.inner + from, (const T *)l->p[0] + (o * x.rows + i) * x.inner + from, (size_t)count * sizeof(T));
        for (int64_t i = 0; i < n; i++) {
            const T *src = (const T *)l->p[2] + (o * n + i) * x.inner + from;
            T *to = y + (o * x.rows + index[i]) * x.inner + from;
            EBB_IVDEP for (int64_t k = 0; k < count; k++) to[k] += src[k];
        }
    })

static ebb_tensor *index_add_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}
static ebb_tensor *index_add_ds(const ebb_call *c, ebb_tensor *g) {
    return ebb_index_select(g, c->x[1], .dim = ((const index_attrs *)c->attrs)->dim);
}

EBB_OP(index_add,
    .sig = "input(),index():i,source()->()",
    .math = "y = x, then y[..index_i..] += s[..i..];  dx = g,  ds[..i..] = g[..index_i..]",
    .infer = index_add_infer,
    .fwd = index_add_fwd,
    .attrs = EBB_ATTRS(index_attrs, index_attr),
    .vjp = EBB_VJP({index_add_dx, 0}, {NULL, 0}, {index_add_ds, EBB_X(1)}),
    .flags = EBB_LINEAR,
    .tries = "[4,3] [5]<4 [5,3]; [3,4,2] [3]<4 [3,3,2] dim=1; [3,4] [0]<4 [3,0] dim=-1; [1] [3]<1 [3]",
    .doc = "Adds the rows of source to the rows of input that the indices name, in order: the same bits for any number of threads."
);

/* ---- embedding, one_hot ---- */

static ebb_tensor *embedding_compose(const ebb_call *c) {
    const ebb_shape *idx = &c->x_shape[0], *w = &c->x_shape[1];
    if (w->ndim != 2) {
        ebb_host_of(c->x[1])->fail(c->e, EBB_E_SHAPE, "the weight has %d dims; 2 are needed, [entries, size]",
                                   w->ndim);
        return NULL;
    }
    if (idx->dtype == EBB_F32 || idx->dtype == EBB_F64 || idx->dtype == EBB_BOOL) {
        ebb_host_of(c->x[0])->fail(c->e, EBB_E_DTYPE, "input holds indices and must be integers, not %s",
                                   dtype_word(idx->dtype));
        return NULL;
    }
    ebb_ints shape = ebb_ints_of(idx);
    if (shape.n == EBB_MAX_DIMS) {
        ebb_host_of(c->x[0])->fail(c->e, EBB_E_SHAPE, "the result would have more than %d dims", EBB_MAX_DIMS);
        return NULL;
    }
    shape.v[shape.n++] = w->dim[1];
    return ebb_reshape(ebb_index_select(c->x[1], ebb_reshape(c->x[0], .shape = EBB_SHAPE(ebb_shape_numel(idx)))),
                       .shape = shape);
}

EBB_OP(embedding,
    .sig = "input():i,weight(v,d)->(d)",
    .math = "y_i = W[index_i];  dW = 0, then dW[index_i] += g_i",
    .compose = embedding_compose,
    .tries = "[3]<4 [4,2]; [2,3]<5 [5,3]; []<2 [2,3]; [0]<2 [2,3]; [4]<1 [1,1]",
    .doc = "Rows of a table by index, in the shape of the indices."
);

typedef struct one_hot_attrs {
    int64_t num_classes;
} one_hot_attrs;
static const ebb_attr one_hot_attr[] = {EBB_ATTR(EBB_A_INT, one_hot_attrs, num_classes, "-1",
                                                 "length of the vectors; -1: the largest index + 1", .lo = -1,
                                                 .hi = 1e15)};

static ebb_tensor *one_hot_compose(const ebb_call *c) {
    if (((const one_hot_attrs *)c->attrs)->num_classes >= 0) return NULL;
    if (c->x_shape[0].dtype != EBB_I64 && c->x_shape[0].dtype != EBB_I32 && c->x_shape[0].dtype != EBB_U8)
        return NULL; /* refused as an index */
    ebb_info x;
    ebb_tensor *idx = ebb_contiguous(ebb_to(c->x[0], EBB_I64));
    if (!idx) return NULL;
    ebb_host_of(idx)->info(idx, &x);
    int64_t most = -1;
    for (int64_t i = 0; i < x.numel; i++)
        most = ((const int64_t *)x.data)[i] > most ? ((const int64_t *)x.data)[i] : most;
    if (x.numel) return ebb_one_hot(idx, .num_classes = most < 0 ? 0 : most + 1);
    ebb_host_of(idx)->fail(c->e, EBB_E_ATTR, "num_classes must be given when there is no index to find it from");
    return NULL;
}

static ebb_status one_hot_infer(ebb_infer *s) {
    if (s->x->ndim == EBB_MAX_DIMS)
        return s->fail(s, EBB_E_SHAPE, "the result would have more than %d dims", EBB_MAX_DIMS);
    s->y->ndim = s->x->ndim + 1;
    for (int k = 0; k < s->x->ndim; k++) s->y->shape[k] = s->x->shape[k];
    s->y->shape[s->x->ndim] = ((const one_hot_attrs *)s->attrs)->num_classes;
    return EBB_OK;
}

static ebb_status one_hot_kernel(const ebb_loop *l) {
    const int64_t n = l->arg[0].numel, classes = ((const one_hot_attrs *)l->attrs)->num_classes,
                  *index = (const int64_t *)l->p[0];
    int64_t *y = (int64_t *)l->p[1];
    const ebb_status r = index_ok(l, index, n, classes);
    if (r != EBB_OK) return r;
    memset(y, 0, (size_t)(n * classes) * sizeof *y);
    for (int64_t i = 0; i < n; i++) y[i * classes + index[i]] = 1;
    return EBB_OK;
}
static const ebb_kernel one_hot_fwd[] = {{EBB_I64, {one_hot_kernel, one_hot_kernel, one_hot_kernel}}, {0, {0}}};

EBB_OP(one_hot,
    .sig = "input():i->():i",
    .math = "y[.., j] = (j = index)",
    .compose = one_hot_compose,
    .infer = one_hot_infer,
    .fwd = one_hot_fwd,
    .attrs = EBB_ATTRS(one_hot_attrs, one_hot_attr),
    .tries = "[4]<3 num_classes=3; [2,3]<4 num_classes=6; [5]<4; [0]<1 num_classes=2",
    .doc = "Vectors of 0 with a single 1 at the index, as i64."
);
