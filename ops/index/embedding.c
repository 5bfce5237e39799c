/* embedding.c - floor 5: rows of a table by index, sums of them, and indices as vectors: embedding, embedding_bag, one_hot. */
#include "index.h"

typedef struct embedding_attrs {
    int64_t padding_idx;
    bool scale_grad_by_freq;
} embedding_attrs;
static const ebb_attr embedding_attr[] = {
    EBB_ATTR(EBB_A_INT, embedding_attrs, padding_idx, "min",
             "an entry whose gradient is 0; negative counts from the end; min: none"),
    EBB_ATTR(EBB_A_BOOL, embedding_attrs, scale_grad_by_freq, "0",
             "divide the gradient of an entry by how often it comes"),
};

/* The entry that pads, counted from the front; -1: none; -2: an error was reported. */
static int64_t padding_of(const ebb_call *c, int64_t given, int64_t entries) {
    if (given == INT64_MIN) return -1;
    if (given >= -entries && given < entries) return given < 0 ? given + entries : given;
    (void)EBB_FAIL(c, EBB_E_ATTR, "padding_idx is %lld, but the weight has %lld entries", (long long)given,
                   (long long)entries);
    return -2;
}

static bool table_ok(const ebb_call *c) {
    const ebb_shape *idx = &c->x_shape[0], *w = &c->x_shape[1];
    if (w->ndim != 2)
        return EBB_FAIL(c, EBB_E_SHAPE, "the weight has %d dims; 2 are needed, [entries, size]", w->ndim), false;
    if (!is_index(idx->dtype))
        return EBB_FAIL(c, EBB_E_DTYPE, "input holds indices and must be integers, not %s", dtype_word(idx->dtype)),
               false;
    if (idx->ndim == EBB_MAX_DIMS)
        return EBB_FAIL(c, EBB_E_SHAPE, "the result would have more than %d dims", EBB_MAX_DIMS), false;
    return true;
}

static ebb_tensor *listed(const ebb_call *c) {
    return ebb_reshape(c->x[0], .shape = EBB_SHAPE(ebb_shape_numel(&c->x_shape[0])));
}

static ebb_tensor *embedding_compose(const ebb_call *c) {
    const ebb_shape *w = &c->x_shape[1];
    if (!table_ok(c) || padding_of(c, ((const embedding_attrs *)c->attrs)->padding_idx, w->dim[0]) < -1)
        return NULL;
    ebb_ints shape = ebb_ints_of(&c->x_shape[0]);
    shape.v[shape.n++] = w->dim[1];
    return ebb_reshape(ebb_index_select(c->x[1], listed(c)), .shape = shape);
}

static ebb_tensor *embedding_dw(const ebb_call *c, ebb_tensor *g) {
    const embedding_attrs *a = (const embedding_attrs *)c->attrs;
    const ebb_shape *w = &c->x_shape[1];
    const int64_t n = ebb_shape_numel(&c->x_shape[0]), padding = padding_of(c, a->padding_idx, w->dim[0]);
    ebb_tensor *idx = listed(c), *rows = ebb_reshape(g, .shape = EBB_SHAPE(n, w->dim[1]));
    if (a->scale_grad_by_freq) {
        const ebb_dtype type = (ebb_dtype)w->dtype;
        ebb_tensor *often = ebb_index_add(ebb_constant(c->e, type, EBB_SHAPE(w->dim[0]), 0), idx,
                                          ebb_constant(c->e, type, EBB_SHAPE(n), 1));
        rows = ebb_div(rows, ebb_reshape(ebb_index_select(often, idx), .shape = EBB_SHAPE(n, 1)));
    }
    ebb_tensor *dw = ebb_index_add(zeros_of(c, w), idx, rows);
    if (padding < 0) return dw;
    ebb_tensor *entry = ebb_constant(c->e, EBB_I64, EBB_SHAPE(1), (double)padding);
    return ebb_index_set(dw, entry, ebb_scalar(g, 0));
}

EBB_OP(embedding,
    .sig = "input():i,weight(v,d)->(d)",
    .math = "y_i = W[index_i];  dW = 0, then dW[index_i] += g_i",
    .compose = embedding_compose,
    .attrs = EBB_ATTRS(embedding_attrs, embedding_attr),
    .vjp = EBB_VJP({NULL, 0}, {embedding_dw, EBB_X(0)}),
    .tries = "[3]<4 [4,2]; [2,3]<5 [5,3]; []<2 [2,3]; [0]<2 [2,3]; [4]<1 [1,1]",
    .doc = "Rows of a table by index, in the shape of the indices. The gradient adds in the order of the indices: the same bits for any number of threads."
);

/* ---- embedding_bag ---- */

typedef struct bag_attrs {
    int32_t mode;
    bool include_last_offset;
    int64_t padding_idx;
} bag_attrs;
static const ebb_attr bag_attr[] = {
    EBB_ATTR(EBB_A_ENUM, bag_attrs, mode, "mean", "what becomes of the rows of a bag", .choices = "sum|mean|max"),
    EBB_ATTR(EBB_A_BOOL, bag_attrs, include_last_offset, "0", "offsets ends with the number of indices"),
    EBB_ATTR(EBB_A_INT, bag_attrs, padding_idx, "min",
             "an entry that is left out; negative counts from the end; min: none"),
};
enum { BAG_SUM, BAG_MEAN, BAG_MAX };

typedef struct bag_of_attrs {
    int64_t count;
} bag_of_attrs;
static const ebb_attr bag_of_attr[] = {
    EBB_ATTR(EBB_A_INT, bag_of_attrs, count, "0", "how many indices there are", .lo = 0, .hi = 1e15),
};

static ebb_status bag_of_infer(ebb_infer *s) {
    if (s->x->ndim != 1)
        return s->fail(s, EBB_E_SHAPE, "offsets has %d dims; it is a list, of 1", s->x->ndim);
    s->y->ndim = 1;
    s->y->shape[0] = ((const bag_of_attrs *)s->attrs)->count;
    return EBB_OK;
}

static ebb_status bag_of_kernel(const ebb_loop *l) {
    const int64_t *start = (const int64_t *)l->p[0], n = l->arg[1].numel, bags = l->arg[0].numel;
    int64_t *y = (int64_t *)l->p[1];
    if (bags ? start[0] != 0 : n != 0)
        return l->fail(l, EBB_E_INDEX, "offsets must begin with 0: the first bag begins at the first index");
    for (int64_t b = 0; b < bags; b++) {
        const int64_t end = b + 1 < bags ? start[b + 1] : n;
        if (end < start[b] || end > n)
            return l->fail(l, EBB_E_INDEX, "offset %lld is %lld, but the next is %lld, of %lld indices",
                           (long long)b, (long long)start[b], (long long)end, (long long)n);
        for (int64_t i = start[b]; i < end; i++) y[i] = b;
    }
    return EBB_OK;
}
static const ebb_kernel bag_of_fwd[] = {{EBB_I64, {bag_of_kernel}}, {0, {0}}};

EBB_OP(bag_of,
    .sig = "offsets():i->():i",
    .math = "y_i = the last b with offsets_b <= i",
    .infer = bag_of_infer,
    .fwd = bag_of_fwd,
    .attrs = EBB_ATTRS(bag_of_attrs, bag_of_attr),
    .flags = EBB_INTERNAL,
    .tries = "[1]<1 count=3; [2]<1 count=2; [1]<1",
    .doc = "The bag of each index, from where the bags begin."
);

/* The bag that each index is in, and how many there are; -1 after an error. */
static int64_t bags_of(const ebb_call *c, ebb_tensor **bag) {
    const bag_attrs *a = (const bag_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    ebb_tensor *offsets = c->n_x > 2 ? c->x[2] : NULL;
    const int64_t n = ebb_shape_numel(x);
    if (x->ndim == 2) {
        if (offsets)
            return EBB_FAIL(c, EBB_E_ARG, "input has 2 dims, a bag a row: offsets go with a 1-d one"), -1;
        *bag = ebb_reshape(ebb_expand(ebb_reshape(ebb_arange(c->e, .end = (double)x->dim[0], .dtype = EBB_I64),
                                                  .shape = EBB_SHAPE(-1, 1)),
                                      .size = EBB_SHAPE(x->dim[0], x->dim[1])),
                           .shape = EBB_SHAPE(n));
        return x->dim[0];
    }
    if (x->ndim != 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "input has %d dims; 1, with offsets, or 2 are possible", x->ndim), -1;
    if (!offsets) return EBB_FAIL(c, EBB_E_ARG, "a 1-d input needs offsets: where each bag begins"), -1;
    if (c->x_shape[2].ndim != 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "offsets has %d dims; it is a list, of 1", c->x_shape[2].ndim), -1;
    int64_t bags = c->x_shape[2].dim[0];
    if (a->include_last_offset) {
        if (!bags)
            return EBB_FAIL(c, EBB_E_SHAPE, "with include_last_offset, offsets has at least 1 element"), -1;
        const ebb_info last = ebb_info_of(ebb_contiguous(ebb_to(ebb_slice(offsets, .start = --bags), EBB_I64)));
        if (last.numel && *(const int64_t *)last.data != n)
            return EBB_FAIL(c, EBB_E_INDEX, "the last offset is %lld, but there are %lld indices",
                            (long long)*(const int64_t *)last.data, (long long)n),
                   -1;
        offsets = ebb_slice(offsets, .end = bags);
    }
    *bag = ebb_bag_of(offsets, .count = n);
    return bags;
}

static ebb_tensor *column(ebb_tensor *list) { return ebb_reshape(list, .shape = EBB_SHAPE(-1, 1)); }

static ebb_tensor *embedding_bag_compose(const ebb_call *c) {
    const bag_attrs *a = (const bag_attrs *)c->attrs;
    const ebb_shape *w = &c->x_shape[1];
    if (!table_ok(c)) return NULL;
    ebb_tensor *bag = NULL, *scale = c->n_x > 3 ? c->x[3] : NULL, *kept = NULL;
    const int64_t bags = bags_of(c, &bag), n = ebb_shape_numel(&c->x_shape[0]), size = w->dim[1],
                  padding = padding_of(c, a->padding_idx, w->dim[0]);
    if (bags < 0 || padding < -1) return NULL;
    ebb_tensor *rows = ebb_index_select(c->x[1], listed(c));
    const ebb_dtype type = (ebb_dtype)w->dtype;
    if (padding >= 0) {
        kept = ebb_ne(listed(c), ebb_constant(c->e, EBB_I64, EBB_SHAPE0, (double)padding));
        rows = ebb_where(column(kept), rows, ebb_scalar(rows, a->mode == BAG_MAX ? -INFINITY : 0));
    }
    if (scale) {
        const ebb_shape *s = &c->x_shape[3];
        bool same = s->ndim == c->x_shape[0].ndim;
        for (int d = 0; d < s->ndim && same; d++) same = s->dim[d] == c->x_shape[0].dim[d];
        if (!same) return EBB_FAIL(c, EBB_E_SHAPE, "per_sample_weights must have the shape of input");
        if (a->mode != BAG_SUM) return EBB_FAIL(c, EBB_E_ARG, "per_sample_weights go with mode sum");
        if (s->dtype != w->dtype)
            return EBB_FAIL(c, EBB_E_DTYPE, "per_sample_weights is %s, the weight %s", dtype_word(s->dtype),
                            dtype_word(w->dtype));
        scale = ebb_reshape(scale, .shape = EBB_SHAPE(n));
        rows = ebb_mul(rows, column(kept ? ebb_where(kept, scale, ebb_scalar(scale, 0)) : scale));
    }
    ebb_tensor *zeros = ebb_constant(c->e, type, EBB_SHAPE(bags, size), 0);
    if (a->mode == BAG_SUM) return ebb_index_add(zeros, bag, rows);
    ebb_tensor *count = ebb_index_add(ebb_constant(c->e, type, EBB_SHAPE(bags), 0), bag,
                                      kept ? ebb_to(kept, type) : ebb_constant(c->e, type, EBB_SHAPE(n), 1));
    if (a->mode == BAG_MEAN)
        return ebb_div(ebb_index_add(zeros, bag, rows), column(ebb_maximum(count, ebb_scalar(count, 1))));
    ebb_tensor *low = ebb_constant(c->e, type, EBB_SHAPE(bags, size), -INFINITY);
    ebb_tensor *top = ebb_scatter_reduce(low, ebb_expand(column(bag), .size = EBB_SHAPE(n, size)), rows,
                                         .dim = 0, .reduce = 3 /* amax */);
    return ebb_where(column(ebb_gt(count, ebb_scalar(count, 0))), top, zeros);
}

EBB_OP(embedding_bag,
    .sig = "input():i,weight(v,d),offsets()?:i,per_sample_weights()?->(d)",
    .math = "y_b = sum, mean or max of s_i*W[index_i] over the i of bag b;  dW[index_i] += s_i*g_b (/n_b),  ds_i = g_b . W[index_i]",
    .compose = embedding_bag_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(bag_attrs, bag_attr),
    .tries = "[2,3]<4 [4,2]; [2,3]<4 [4,2] mode=sum; [2,3]<5 [5,2] mode=max; [4]<3 [3,2] [1]<1; [2,2]<3 [3,2] - [2,2] mode=sum; [0]<3 [3,2] [2]<1 mode=sum include_last_offset=1; [2,3]<2 [2,2] padding_idx=1; [3]<4 [4,2] [3]<1 mode=sum padding_idx=-1",
    .doc = "One row for each bag of indices: a row of a 2-d input, or the stretch of a 1-d one that begins at its offset. Empty bags give 0. The gradient of a maximum is shared evenly among equals."
);

/* ---- one_hot ---- */

typedef struct one_hot_attrs {
    int64_t num_classes;
} one_hot_attrs;
static const ebb_attr one_hot_attr[] = {EBB_ATTR(EBB_A_INT, one_hot_attrs, num_classes, "-1",
                                                 "length of the vectors; -1: the largest index + 1", .lo = -1,
                                                 .hi = 1e15)};

static ebb_tensor *one_hot_compose(const ebb_call *c) {
    if (((const one_hot_attrs *)c->attrs)->num_classes >= 0 || !is_index(c->x_shape[0].dtype)) return NULL;
    ebb_tensor *idx = ebb_contiguous(ebb_to(c->x[0], EBB_I64));
    const ebb_info x = ebb_info_of(idx);
    int64_t most = -1;
    for (int64_t i = 0; i < x.numel; i++)
        most = ((const int64_t *)x.data)[i] > most ? ((const int64_t *)x.data)[i] : most;
    if (x.numel || !idx) return ebb_one_hot(idx, .num_classes = most < 0 ? 0 : most + 1);
    return EBB_FAIL(c, EBB_E_ATTR, "num_classes must be given when there is no index to find it from");
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
    for (int64_t i = 0; i < n; i++)
        if ((uint64_t)index[i] >= (uint64_t)classes) return index_refused(l, index[i], classes);
    memset(y, 0, (size_t)(n * classes) * sizeof *y);
    for (int64_t i = 0; i < n; i++) y[i * classes + index[i]] = 1;
    return EBB_OK;
}
static const ebb_kernel one_hot_fwd[] = {{EBB_I64, {one_hot_kernel}}, {0, {0}}};

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
