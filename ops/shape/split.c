/* split.c - floor 5: a tensor as several parts along one dim, views of it. */
#include "shape.h"

/* Puts part k of an op with any number of outputs in its place. -> false: it failed */
static bool put(const ebb_call *c, int k, ebb_tensor *part, ebb_tensor **first) {
    if (!part) return false;
    if (k == 0) *first = part;
    else c->more[k - 1] = part;
    return true;
}

/* Whether so many parts can be returned. */
static bool countable(const ebb_call *c, int64_t n) {
    if (n >= 1 && n <= c->max_more + 1) return true;
    (void)EBB_FAIL(c, EBB_E_SHAPE,
                   n < 1 ? "there would be %lld parts; at least 1 is needed"
                         : "there would be %lld parts; at most %d can be returned",
                   (long long)n, c->max_more + 1);
    return false;
}

/* Parts [at[k], at[k + 1]); every part has size `each` when at is NULL. */
static ebb_tensor *parts(const ebb_call *c, int dim, int64_t n, int64_t each, const int64_t *size) {
    ebb_tensor *first = NULL;
    int64_t start = 0;
    for (int k = 0; k < n; k++) {
        const int64_t end = start + (size ? size[k] : each);
        if (!put(c, k, ebb_slice(c->x[0], .dim = dim, .start = start, .end = end), &first)) return NULL;
        start = end;
    }
    return first;
}

/* The numbers of an optional list of integers. -> how many, -1: it has failed */
static int64_t numbers(const ebb_call *c, int i, const int64_t **v) {
    const ebb_shape *s = &c->x_shape[i];
    if (s->ndim != 1 || s->dtype == EBB_F32 || s->dtype == EBB_F64 || s->dtype == EBB_BOOL) {
        (void)EBB_FAIL(c, EBB_E_SHAPE, "a list of sizes or indices is 1-d and of integers");
        return -1;
    }
    const ebb_info info = ebb_info_of(ebb_contiguous(ebb_to(c->x[i], EBB_I64)));
    *v = (const int64_t *)info.data;
    return info.data || !info.numel ? info.numel : -1;
}

/* ---- split ---- */

static ebb_tensor *by_sizes(const ebb_call *c, int64_t given, int64_t n, const int64_t *size) {
    const int d = shape_real_dim_in(c, given);
    if (d < 0 || !countable(c, n)) return NULL;
    int64_t sum = 0;
    for (int64_t k = 0; k < n; k++) {
        if (size[k] < 0)
            return EBB_FAIL(c, EBB_E_ATTR, "size %lld of part %lld is negative", (long long)size[k], (long long)k);
        if (__builtin_add_overflow(sum, size[k], &sum)) sum = INT64_MAX;
    }
    if (sum != c->x_shape[0].dim[d])
        return EBB_FAIL(c, EBB_E_SHAPE, "the sizes add up to %lld, dim %d has %lld elements", (long long)sum,
                        d, (long long)c->x_shape[0].dim[d]);
    return parts(c, d, n, 0, size);
}

typedef struct split_attrs {
    int64_t split_size;
    ebb_ints sections;
    int64_t dim;
} split_attrs;
static const ebb_attr split_attr[] = {
    EBB_ATTR(EBB_A_INT, split_attrs, split_size, "-1", "elements of each part, the last may have fewer"),
    EBB_ATTR(EBB_A_INTS, split_attrs, sections, "", "or the size of each part; more than 8 as the input sizes"),
    EBB_ATTR(EBB_A_INT, split_attrs, dim, "0", "the dim that is divided"),
};

static ebb_tensor *split_compose(const ebb_call *c) {
    const split_attrs *a = (const split_attrs *)c->attrs;
    if (c->n_x > 1 && c->x[1]) {
        const int64_t *size = NULL, n = numbers(c, 1, &size);
        return n < 0 ? NULL : by_sizes(c, a->dim, n, size);
    }
    if (a->sections.n) return by_sizes(c, a->dim, a->sections.n, a->sections.v);
    const int d = shape_real_dim_in(c, a->dim);
    if (d < 0) return NULL;
    const int64_t n = c->x_shape[0].dim[d], each = a->split_size;
    if (each < 0 || (!each && n))
        return EBB_FAIL(c, EBB_E_ATTR, "split_size is %lld for %lld elements; give it, or sections",
                        (long long)each, (long long)n);
    const int64_t count = n ? (n - 1) / each + 1 : 1;
    return countable(c, count) ? parts(c, d, count, each, NULL) : NULL;
}

EBB_OP(split,
    .sig = "input(),sizes()?:i->()*",
    .math = "y_k = the k-th part of x along dim;  dx = the g_k in their places",
    .compose = split_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(split_attrs, split_attr),
    .tries = "[7] split_size=3; [4,6] split_size=2 dim=1; [5] sections=2,0,3; [2,4] sections=1,3 dim=-1; [2,3] split_size=9; [0] split_size=0; [1] sections=0,1",
    .doc = "Parts along one dim, of one size or of those given; views. At most 63."
);

typedef struct sizes_attrs {
    ebb_ints split_sizes;
    int64_t dim;
} sizes_attrs;
static const ebb_attr sizes_attr[] = {
    EBB_ATTR(EBB_A_INTS, sizes_attrs, split_sizes, NULL, "the size of each part"),
    EBB_ATTR(EBB_A_INT, sizes_attrs, dim, "0", "the dim that is divided"),
};

static ebb_tensor *sizes_compose(const ebb_call *c) {
    const sizes_attrs *a = (const sizes_attrs *)c->attrs;
    return by_sizes(c, a->dim, a->split_sizes.n, a->split_sizes.v);
}

EBB_OP(split_with_sizes,
    .sig = "input()->()*",
    .math = "y_k = the k-th part of x along dim;  dx = the g_k in their places",
    .compose = sizes_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(sizes_attrs, sizes_attr),
    .tries = "[5] split_sizes=2,3; [2,4] split_sizes=1,1,2 dim=1",
    .doc = "split into parts of the given sizes."
);

/* ---- chunk, tensor_split ---- */

typedef struct chunk_attrs {
    int64_t chunks, dim;
} chunk_attrs;
static const ebb_attr chunk_attr[] = {
    EBB_ATTR(EBB_A_INT, chunk_attrs, chunks, NULL, "how many parts, at most"),
    EBB_ATTR(EBB_A_INT, chunk_attrs, dim, "0", "the dim that is divided"),
};

static ebb_tensor *chunk_compose(const ebb_call *c) {
    const chunk_attrs *a = (const chunk_attrs *)c->attrs;
    if (a->chunks < 1)
        return EBB_FAIL(c, EBB_E_ATTR, "chunks is %lld; at least 1 is needed", (long long)a->chunks);
    const int d = shape_real_dim_in(c, a->dim);
    if (d < 0) return NULL;
    const int64_t n = c->x_shape[0].dim[d], each = n / a->chunks + (n % a->chunks > 0);
    const int64_t count = n ? (n - 1) / each + 1 : a->chunks;
    return countable(c, count) ? parts(c, d, count, each, NULL) : NULL;
}

EBB_OP(chunk,
    .sig = "input()->()*",
    .math = "y_k = the k-th part of x along dim;  dx = the g_k in their places",
    .compose = chunk_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(chunk_attrs, chunk_attr),
    .tries = "[7] chunks=3; [2,6] chunks=2 dim=1; [2] chunks=5; [0] chunks=2; [5] chunks=4",
    .doc = "Parts of one size, the last perhaps smaller, so that there are at most chunks of them; views."
);

typedef struct pieces_attrs {
    int64_t sections;
    ebb_ints indices;
    int64_t dim;
} pieces_attrs;

/* sections parts that differ by 1 at most, or parts cut at indices, which are taken as those of a slice. */
static ebb_tensor *pieces(const ebb_call *c, int d, int64_t sections, int64_t n_index, const int64_t *index) {
    const int64_t n = c->x_shape[0].dim[d], count = n_index < 0 ? sections : n_index + 1;
    ebb_tensor *first = NULL;
    if (!countable(c, count)) return NULL;
    int64_t start = 0;
    for (int64_t k = 0; k < count; k++) {
        const int64_t end =
            n_index >= 0 ? (k < n_index ? index[k] : INT64_MAX) : start + n / count + (k < n % count);
        if (!put(c, (int)k, ebb_slice(c->x[0], .dim = d, .start = start, .end = end), &first)) return NULL;
        start = end;
    }
    return first;
}

static const ebb_attr pieces_attr[] = {
    EBB_ATTR(EBB_A_INT, pieces_attrs, sections, "0", "how many parts"),
    EBB_ATTR(EBB_A_INTS, pieces_attrs, indices, "",
             "or where they begin, but the first; more than 8 as the input indices"),
    EBB_ATTR(EBB_A_INT, pieces_attrs, dim, "0", "the dim that is divided"),
};

static ebb_tensor *tensor_split_compose(const ebb_call *c) {
    const pieces_attrs *a = (const pieces_attrs *)c->attrs;
    const int d = shape_real_dim_in(c, a->dim);
    if (d < 0) return NULL;
    const int64_t *index = a->indices.v;
    int64_t n = a->indices.n ? a->indices.n : -1;
    if (c->n_x > 1 && c->x[1] && (n = numbers(c, 1, &index)) < 0) return NULL;
    return pieces(c, d, a->sections, n, index);
}

EBB_OP(tensor_split,
    .sig = "input(),indices()?:i->()*",
    .math = "y_k = the k-th part of x along dim;  dx = the g_k in their places",
    .compose = tensor_split_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(pieces_attrs, pieces_attr),
    .tries = "[7] sections=3; [2,6] sections=4 dim=1; [5] indices=1,3; [5] indices=4,-4,9; [2] sections=3; [0] sections=2",
    .doc = "Parts whose sizes differ by 1 at most, or cut at indices; views."
);

typedef struct hsplit_attrs {
    int64_t sections;
    ebb_ints indices;
} hsplit_attrs;
static const ebb_attr hsplit_attr[] = {
    EBB_ATTR(EBB_A_INT, hsplit_attrs, sections, "0", "how many parts, all of one size"),
    EBB_ATTR(EBB_A_INTS, hsplit_attrs, indices, "", "or where they begin, but the first"),
};

static ebb_tensor *even_split(const ebb_call *c, int least, int d) {
    const hsplit_attrs *a = (const hsplit_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    if (x->ndim < least)
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; at least %d are needed", x->ndim, least);
    if (!a->indices.n && (a->sections < 1 || x->dim[d] % a->sections))
        return EBB_FAIL(c, EBB_E_SHAPE, "dim %d of %lld elements does not divide into %lld parts of one size",
                        d, (long long)x->dim[d], (long long)a->sections);
    return pieces(c, d, a->sections, a->indices.n ? a->indices.n : -1, a->indices.v);
}
static ebb_tensor *hsplit_compose(const ebb_call *c) { return even_split(c, 1, c->x_shape[0].ndim > 1); }
static ebb_tensor *vsplit_compose(const ebb_call *c) { return even_split(c, 2, 0); }
static ebb_tensor *dsplit_compose(const ebb_call *c) { return even_split(c, 3, 2); }

EBB_OP(hsplit,
    .sig = "input()->()*",
    .math = "y_k = the k-th part of x along dim 1;  dx = the g_k in their places",
    .compose = hsplit_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(hsplit_attrs, hsplit_attr),
    .tries = "[2,4] sections=2; [4] sections=2; [2,5] indices=1,3",
    .doc = "tensor_split along dim 1 (0 of a 1-d input), into parts of one size; views."
);

EBB_OP(vsplit,
    .sig = "input()->()*",
    .math = "y_k = the k-th part of x along dim 0;  dx = the g_k in their places",
    .compose = vsplit_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(hsplit_attrs, hsplit_attr),
    .tries = "[4,2] sections=2; [5,2] indices=1,3",
    .doc = "tensor_split along dim 0, into parts of one size; views."
);

EBB_OP(dsplit,
    .sig = "input()->()*",
    .math = "y_k = the k-th part of x along dim 2;  dx = the g_k in their places",
    .compose = dsplit_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(hsplit_attrs, hsplit_attr),
    .tries = "[1,2,4] sections=2; [1,2,5] indices=1,3",
    .doc = "tensor_split along dim 2, into parts of one size; views."
);

/* ---- unbind ---- */

typedef struct unbind_attrs {
    int64_t dim;
} unbind_attrs;
static const ebb_attr unbind_attr[] = {EBB_ATTR(EBB_A_INT, unbind_attrs, dim, "0", "the dim that is taken apart")};

static ebb_tensor *unbind_compose(const ebb_call *c) {
    const int d = shape_real_dim_in(c, ((const unbind_attrs *)c->attrs)->dim);
    ebb_tensor *first = NULL;
    if (d < 0 || !countable(c, c->x_shape[0].dim[d])) return NULL;
    for (int k = 0; k < c->x_shape[0].dim[d]; k++)
        if (!put(c, k, ebb_select(c->x[0], .dim = d, .index = k), &first)) return NULL;
    return first;
}

EBB_OP(unbind,
    .sig = "input()->()*",
    .math = "y_k = x[k] along dim;  dx = the g_k in their places",
    .compose = unbind_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(unbind_attrs, unbind_attr),
    .tries = "[3]; [3,2]; [2,3] dim=1; [2,3,2] dim=-1",
    .doc = "All places of a dim, without the dim; views. At most 63, and at least 1."
);
