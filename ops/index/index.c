/* index.c - floor 5: whole rows of a dim chosen by a list of indices: index_select, index_add, index_copy, index_fill. */
#include "index.h"

static const ebb_attr index_attr[] = {EBB_ATTR(EBB_A_INT, dim_attrs, dim, "0", "the dim that is indexed")};

/* ---- index_select ---- */

static ebb_status list_ok(ebb_infer *s, const ebb_info *index) {
    if (indexed_dim(s->attrs, s->x->ndim) < 0) return dim_refused(s);
    if (index->ndim > 1) return s->fail(s, EBB_E_SHAPE, "index has %d dims; it is a list, of 1", index->ndim);
    return EBB_OK;
}

static ebb_status index_select_infer(ebb_infer *s) {
    const ebb_status r = list_ok(s, &s->x[1]);
    if (r != EBB_OK) return r;
    if (!s->x->ndim && s->x[1].numel != 1)
        return s->fail(s, EBB_E_SHAPE, "the input is 0-d: index has 1 element, not %lld", (long long)s->x[1].numel);
    const int d = indexed_dim(s->attrs, s->x->ndim);
    shape_like(s->y, s->x);
    if (s->x->ndim) s->y->shape[d] = s->x[1].numel;
    const int64_t n = around_dim(s->x, d).outer * s->x[1].numel;
    s->work = n ? n : 1;
    return EBB_OK;
}

EBB_KERNEL_MOVE(index_select_fwd,
    const around x = around_dim(&l->arg[0], indexed_dim(l->attrs, l->arg[0].ndim));
    const int64_t *index = (const int64_t *)l->p[1];
    const int64_t n = l->arg[1].numel;
    const T *from = (const T *)l->p[0];
    T *y = (T *)l->p[2] + l->first * x.inner;
    int64_t o = n ? l->first / n : 0; int64_t i = n ? l->first % n : 0;
    for (int64_t left = n && x.outer ? l->n : 0; left; o++, i = 0) {
        const T *block = from + o * x.rows * x.inner;
        for (; i < n && left; i++, left--, y += x.inner) {
            if ((uint64_t)index[i] >= (uint64_t)x.rows) return index_refused(l, index[i], x.rows);
            if (x.inner == 1) *y = block[index[i]];
            else if (x.inner) memcpy(y, block + index[i] * x.inner, (size_t)x.inner * sizeof(T));
        }
    })

static ebb_tensor *index_select_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_index_add(zeros_of(c, &c->x_shape[0]), c->x[1], g, .dim = ((const dim_attrs *)c->attrs)->dim);
}

EBB_OP(index_select,
    .sig = "input(),index():i->()",
    .math = "y[..i..] = x[..index_i..];  dx = 0, then dx[..index_i..] += g[..i..]",
    .infer = index_select_infer,
    .fwd = index_select_fwd,
    .attrs = EBB_ATTRS(dim_attrs, index_attr),
    .vjp = EBB_VJP({index_select_dx, EBB_X(1)}, {NULL, 0}),
    .flags = EBB_LINEAR,
    .tries = "[4,3] [5]<4; [3,4,2] [3]<4 dim=1; [3,4] [0]<4 dim=-1; [1,2] [3]<1; [5] [2]<5; [5] []<5; [] [1]<1",
    .doc = "Rows of a dim chosen by a list of indices; an index may come several times."
);

/* ---- writing rows ---- */

static ebb_status rows_infer(ebb_infer *s) {
    const ebb_status r = list_ok(s, &s->x[1]);
    if (r != EBB_OK) return r;
    const ebb_info *x = s->x, *src = &s->x[2];
    const int d = indexed_dim(s->attrs, x->ndim), nd = x->ndim ? x->ndim : 1;
    const int64_t n = s->x[1].numel;
    const bool one = !src->ndim && ((n == 1 && nd == 1) || (s->op->flags & EBB_INTERNAL)); /* a 0-d source */
    if (!one && (src->ndim ? src->ndim : 1) != nd)
        return s->fail(s, EBB_E_SHAPE, "source has %d dims, input %d", src->ndim, x->ndim);
    for (int k = 0; k < nd && !one; k++) {
        const int64_t want = k == d ? n : x->shape[k], have = src->ndim ? src->shape[k] : 1;
        if (have != want)
            return s->fail(s, EBB_E_SHAPE, "dim %d of source is %lld; %lld is needed", k, (long long)have,
                           (long long)want);
    }
    shape_like(s->y, x);
    const int64_t inner = around_dim(x, d).inner;
    s->work = inner ? inner : 1; /* columns: each takes its rows in order, so any split gives the same bits */
    return EBB_OK;
}

/* `put` writes v to *to. */
#define ROWS(put)                                                                                            \
    const around x = around_dim(&l->arg[0], indexed_dim(l->attrs, l->arg[0].ndim));                          \
    const int64_t *index = (const int64_t *)l->p[1];                                                         \
    const int64_t n = l->arg[1].numel, from = l->first, count = x.inner ? l->n : 0;                          \
    const int64_t every = l->arg[2].ndim || !x.inner;                                                        \
    T *y = (T *)l->p[3];                                                                                     \
    for (int64_t o = 0; o < x.outer && count && x.rows; o++) {                                               \
        const int64_t top = o * x.rows * x.inner + from;                                                     \
        if (l->p[0] != l->p[3])                                                                              \
            copy_columns(y + top, (const T *)l->p[0] + top, x.rows, x.inner, count, sizeof(T));              \
    }                                                                                                        \
    for (int64_t o = 0; o < x.outer && count; o++)                                                           \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            if ((uint64_t)index[i] >= (uint64_t)x.rows) return index_refused(l, index[i], x.rows);           \
            const T *src = (const T *)l->p[2] + every * ((o * n + i) * x.inner + from);                      \
            T *row = y + (o * x.rows + index[i]) * x.inner + from;                                           \
            EBB_IVDEP for (int64_t k = 0; k < count; k++) {                                                  \
                const T v = src[every * k];                                                                  \
                T *const to = row + k;                                                                       \
                put;                                                                                         \
            }                                                                                                \
        }

/* The rows of g, in the source's shape. */
static ebb_tensor *rows_of(const ebb_call *c, ebb_tensor *g) {
    const ebb_shape *src = &c->x_shape[2];
    if (!c->x_shape[0].ndim) g = ebb_reshape(g, .shape = EBB_SHAPE(1));
    ebb_tensor *rows = ebb_index_select(g, c->x[1], .dim = ((const dim_attrs *)c->attrs)->dim);
    const bool one =
        !src->ndim && (ebb_shape_numel(&c->x_shape[1]) != 1 || c->x_shape[0].ndim > 1); /* summed by the engine */
    return one || src->ndim == (c->x_shape[0].ndim ? c->x_shape[0].ndim : 1)
               ? rows
               : ebb_reshape(rows, .shape = ebb_ints_of(src));
}

typedef struct index_add_attrs {
    int64_t dim;
    double alpha;
} index_add_attrs;
static const ebb_attr index_add_attr[] = {
    EBB_ATTR(EBB_A_INT, index_add_attrs, dim, "0", "the dim that is indexed"),
    EBB_ATTR(EBB_A_FLOAT, index_add_attrs, alpha, "1", "what source is multiplied by"),
};

EBB_KERNEL_WIDE(index_add_fwd, ROWS(*to += v))

static ebb_tensor *index_add_compose(const ebb_call *c) {
    const index_add_attrs *a = (const index_add_attrs *)c->attrs;
    if (a->alpha == 1) return NULL;
    if (!ebb_is_float(c->x_shape[0].dtype) && a->alpha != floor(a->alpha))
        return EBB_FAIL(c, EBB_E_ATTR, "alpha is %g, but the input holds integers", a->alpha);
    return ebb_index_add(c->x[0], c->x[1],
                         ebb_to(ebb_mul_scalar(c->x[2], a->alpha), (ebb_dtype)c->x_shape[2].dtype), .dim = a->dim);
}
static ebb_tensor *index_add_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}
static ebb_tensor *index_add_ds(const ebb_call *c, ebb_tensor *g) {
    const double alpha = ((const index_add_attrs *)c->attrs)->alpha;
    return alpha == 1 ? rows_of(c, g) : ebb_mul_scalar(rows_of(c, g), alpha);
}

EBB_OP(index_add,
    .sig = "input(),index():i,source()->()",
    .math = "y = x, then y[..index_i..] += alpha*s[..i..];  dx = g,  ds[..i..] = alpha*g[..index_i..]",
    .compose = index_add_compose,
    .infer = rows_infer,
    .fwd = index_add_fwd,
    .attrs = EBB_ATTRS(index_add_attrs, index_add_attr),
    .vjp = EBB_VJP({index_add_dx, 0}, {NULL, 0}, {index_add_ds, EBB_X(1)}),
    .flags = EBB_LINEAR | EBB_INPLACE,
    .tries = "[4,3] [5]<4 [5,3]; [3,4,2] [3]<4 [3,3,2] dim=1; [3,4] [0]<4 [3,0] dim=-1; [1] [3]<1 [3]; [4] [3]<4 [3] alpha=0.7; [4] []<4 []; [] [3]<1 [3]; [3,3] [3]<3 [3,3] dim=1",
    .doc = "Adds the rows of source to the rows of input that the indices name, in order: the same bits for any number of threads."
);

EBB_KERNEL_MOVE(index_set_fwd, ROWS(*to = v))

static ebb_tensor *index_set_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_index_set(g, c->x[1], ebb_scalar(g, 0), .dim = ((const dim_attrs *)c->attrs)->dim);
}
/* Of several rows for one place the last counts: it alone finds its own number there. */
static ebb_tensor *index_set_ds(const ebb_call *c, ebb_tensor *g) {
    const ebb_shape *x = &c->x_shape[0];
    const int d = indexed_dim(c->attrs, x->ndim);
    const int64_t n = ebb_shape_numel(&c->x_shape[1]);
    if (n < 2) return rows_of(c, g);
    ebb_tensor *number = ebb_arange(c->e, .end = (double)n, .dtype = EBB_I64);
    ebb_tensor *written =
        ebb_index_set(ebb_constant(c->e, EBB_I64, EBB_SHAPE(x->ndim ? x->dim[d] : 1), -1), c->x[1], number);
    ebb_ints column = {x->ndim ? x->ndim - d : 1, {n, 1, 1, 1, 1, 1, 1, 1}};
    ebb_tensor *last = ebb_reshape(ebb_eq(ebb_index_select(written, c->x[1]), number), .shape = column);
    return ebb_where(last, rows_of(c, g), ebb_scalar(g, 0));
}

EBB_OP(index_set,
    .sig = "input(),index():i,source()->()",
    .math = "y = x, then y[..index_i..] = s[..i..];  dx = g with 0 there,  ds[..i..] = g[..index_i..]",
    .infer = rows_infer,
    .fwd = index_set_fwd,
    .attrs = EBB_ATTRS(dim_attrs, index_attr),
    .vjp = EBB_VJP({index_set_dx, EBB_X(1)}, {NULL, 0}, {index_set_ds, EBB_X(1)}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[4,3] [5]<4 [5,3]; [3,4,2] [3]<4 [3,3,2] dim=1; [3,4] [0]<4 [3,0] dim=-1; [1] [3]<1 [3]; [4,2] [3]<4 []; [3,4] [3]<4 [] dim=1; [4] []<4 []",
    .doc = "index_copy, whose source may be 0-d: one number for every place."
);

static ebb_tensor *index_copy_compose(const ebb_call *c) {
    const ebb_shape *index = &c->x_shape[1];
    if (!c->x_shape[2].ndim && (ebb_shape_numel(index) != 1 || c->x_shape[0].ndim > 1))
        return EBB_FAIL(c, EBB_E_SHAPE, "source is 0-d, which goes with an input of at most 1 dim and 1 index");
    return ebb_index_set(c->x[0], c->x[1], c->x[2], .dim = ((const dim_attrs *)c->attrs)->dim);
}

EBB_OP(index_copy,
    .sig = "input(),index():i,source()->()",
    .math = "y = x, then y[..index_i..] = s[..i..];  dx = g with 0 there,  ds[..i..] = g[..index_i..]",
    .compose = index_copy_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(dim_attrs, index_attr),
    .flags = EBB_LINEAR | EBB_INPLACE,
    .tries = "[4,3] [5]<4 [5,3]; [3,4,2] [3]<4 [3,3,2] dim=1; [3,4] [0]<4 [3,0] dim=-1; [4] []<4 []; [] [1]<1 [1]; [3,3] [3]<3 [3,3] dim=1",
    .doc = "Replaces the rows of input that the indices name by the rows of source. Of several for one place the last stays, and the gradient goes to it alone."
);

typedef struct index_fill_attrs {
    int64_t dim;
    double value;
} index_fill_attrs;
static const ebb_attr index_fill_attr[] = {
    EBB_ATTR(EBB_A_INT, index_fill_attrs, dim, "0", "the dim that is indexed"),
    EBB_ATTR(EBB_A_FLOAT, index_fill_attrs, value, "0", "what is written when there is no tensor value"),
};

static ebb_tensor *index_fill_compose(const ebb_call *c) {
    const index_fill_attrs *a = (const index_fill_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    const int d = ebb_dim_of(a->dim, x->ndim);
    if (d < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the input has %d dims", (long long)a->dim, x->ndim);
    ebb_tensor *value = c->n_x > 2 && c->x[2] ? c->x[2] : number_of(c, x->dtype, a->value);
    if (c->n_x > 2 && c->x[2] && c->x_shape[2].ndim)
        return EBB_FAIL(c, EBB_E_SHAPE, "value has %d dims; it is one number, a 0-d tensor", c->x_shape[2].ndim);
    ebb_tensor *place = ebb_flat_index(.x = &c->x[1], .n_x = 1, .size = EBB_SHAPE(x->ndim ? x->dim[d] : 1));
    return ebb_index_set(c->x[0], place, ebb_to(value, (ebb_dtype)x->dtype), .dim = a->dim);
}

EBB_OP(index_fill,
    .sig = "input(),index():i,value()?->()",
    .math = "y = x, then y[..index_i..] = value;  dx = g with 0 there,  dvalue = sum of g there",
    .compose = index_fill_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(index_fill_attrs, index_fill_attr),
    .flags = EBB_INPLACE,
    .tries = "[4,3] [5]<4 value=0.7; [3,4,2] [3]<4 [] dim=1; [3,4] [0]<4 dim=-1 value=2; [] [1]<1 []; [4] []<4 []; [3,3] [2]<3 value=0.5",
    .doc = "Fills the rows that the indices name with one number, an attribute or a 0-d tensor. Indices may count from the end."
);
