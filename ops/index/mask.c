/* mask.c - floor 5: elements where a mask holds, and where they are: masked_fill, masked_select, masked_scatter, nonzero. */
#include "index.h"

/* ---- nonzero ---- */

typedef struct count_attrs {
    int64_t count;
} count_attrs;
static const ebb_attr count_attr[] = {
    EBB_ATTR(EBB_A_INT, count_attrs, count, "0", "how many rows", .lo = 0, .hi = 1e15)};

static ebb_status nonzero_infer(ebb_infer *s) {
    s->y->ndim = 2;
    s->y->shape[0] = ((const count_attrs *)s->attrs)->count;
    s->y->shape[1] = s->x->ndim;
    return EBB_OK;
}

static ebb_status nonzero_kernel(const ebb_loop *l) {
    const uint8_t *x = (const uint8_t *)l->p[0];
    const ebb_info *in = &l->arg[0];
    const int64_t count = ((const count_attrs *)l->attrs)->count;
    int64_t *y = (int64_t *)l->p[1], found = 0;
    for (int64_t i = 0; i < in->numel; i++) {
        uint64_t eight;
        if (i + 8 <= in->numel && (memcpy(&eight, x + i, 8), !eight)) {
            i += 7;
            continue;
        }
        if (!x[i]) continue;
        if (found++ == count) break;
        int64_t k = i;
        for (int d = in->ndim; d-- > 0;) {
            y[d] = d ? k % in->shape[d] : k;
            if (d) k /= in->shape[d];
        }
        y += in->ndim;
    }
    for (; found < count; found++, y += in->ndim)
        for (int d = 0; d < in->ndim; d++) y[d] = 0;
    return EBB_OK;
}
static const ebb_kernel nonzero_fwd[] = {{EBB_BOOL, {nonzero_kernel}}, {0, {0}}};

EBB_OP(nonzero_sized,
    .sig = "input():b->():i",
    .math = "y = the indices of the elements that are not 0",
    .infer = nonzero_infer,
    .fwd = nonzero_fwd,
    .attrs = EBB_ATTRS(count_attrs, count_attr),
    .flags = EBB_INTERNAL,
    .tries = "[2] count=1; [0] count=0; [0,3]",
    .doc = "The first `count` rows of nonzero; rows that are missing are 0."
);

/* Where t is not 0, [count, dims]. */
static ebb_tensor *places(ebb_tensor *t) {
    ebb_tensor *mask = ebb_contiguous(ebb_to(t, EBB_BOOL));
    const ebb_info m = ebb_info_of(mask);
    int64_t n = 0;
    for (int64_t i = 0; i < m.numel; i++) n += ((const uint8_t *)m.data)[i];
    return ebb_nonzero_sized(mask, .count = n);
}

static ebb_tensor *nonzero_compose(const ebb_call *c) { return places(c->x[0]); }

EBB_OP(nonzero,
    .sig = "input()->():i",
    .math = "y = the indices of the elements that are not 0",
    .compose = nonzero_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[4]; [2,3]; []; [0,2]",
    .doc = "The indices of the elements that are not 0, in row-major order: a row for each, a column for each dim. NaN is not 0."
);
EBB_OP(argwhere,
    .sig = "input()->():i",
    .math = "y = the indices of the elements that are not 0",
    .compose = nonzero_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[4]; [2,3]; []; [0,2]",
    .doc = "nonzero by its other name."
);

static ebb_tensor *where_indices_compose(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0];
    ebb_tensor *found = places(x->ndim ? c->x[0] : ebb_reshape(c->x[0], .shape = EBB_SHAPE(1))), *first = NULL;
    for (int d = 0; d < (x->ndim ? x->ndim : 1); d++) {
        ebb_tensor *column =
            ebb_reshape(ebb_slice(found, .dim = 1, .start = d, .end = d + 1), .shape = EBB_SHAPE(-1));
        if (d) c->more[d - 1] = column;
        else first = column;
    }
    return first;
}

EBB_OP(where_indices,
    .sig = "condition()->()*",
    .math = "y_d = the index in dim d of each element that is not 0",
    .compose = where_indices_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[4]; [2,3]; []; [0,2]",
    .doc = "The columns of nonzero as outputs of their own, one for each dim (a 0-d condition counts as 1-d): what torch.where gives for a condition alone."
);

/* ---- masked ---- */

typedef struct masked_attrs {
    double value;
} masked_attrs;
static const ebb_attr masked_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, masked_attrs, value, "0", "what is written when there is no tensor value")};

static ebb_tensor *masked_fill_compose(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0];
    ebb_tensor *value = c->n_x > 2 && c->x[2] ? ebb_to(c->x[2], (ebb_dtype)x->dtype)
                                              : number_of(c, x->dtype, ((const masked_attrs *)c->attrs)->value);
    if (c->n_x > 2 && c->x[2] && c->x_shape[2].ndim)
        return EBB_FAIL(c, EBB_E_SHAPE, "value has %d dims; it is one number, a 0-d tensor", c->x_shape[2].ndim);
    return ebb_where(c->x[1], value, c->x[0]);
}

EBB_OP(masked_fill,
    .sig = "input(),mask():b,value()?->()",
    .math = "y = m ? value : x;  dx = m ? 0 : g,  dvalue = sum of g where m",
    .compose = masked_fill_compose,
    .attrs = EBB_ATTRS(masked_attrs, masked_attr),
    .flags = EBB_INPLACE | EBB_OWN_SHAPES,
    .tries = "[4] [4] value=0.7; [2,3] [3] []; [2,1] [3] value=-1; [] [] []; [0,2] [2] value=1; [3] [2,3]",
    .doc = "One number, an attribute or a 0-d tensor, wherever the mask holds; input and mask are broadcast."
);

/* The shape that input and mask have together. */
static bool together(const ebb_call *c, ebb_ints *out) {
    const ebb_shape *x = &c->x_shape[0], *m = &c->x_shape[1];
    if (m->dtype != EBB_BOOL && m->dtype != EBB_U8)
        return EBB_FAIL(c, EBB_E_DTYPE, "the mask must be bool, not %s", dtype_word(m->dtype)), false;
    out->n = x->ndim > m->ndim ? x->ndim : m->ndim;
    for (int k = 1; k <= out->n; k++) {
        const int64_t a = k <= x->ndim ? x->dim[x->ndim - k] : 1, b = k <= m->ndim ? m->dim[m->ndim - k] : 1;
        if (a != b && a != 1 && b != 1)
            return EBB_FAIL(c, EBB_E_SHAPE, "dim %d is %lld in input and %lld in mask; sizes must be equal or 1",
                            -k, (long long)a, (long long)b),
                   false;
        out->v[out->n - k] = a == 1 ? b : a;
    }
    return true;
}

/* Where the mask holds, in row-major order. */
static ebb_tensor *flat_places(ebb_tensor *mask, ebb_ints wide) {
    return ebb_reshape(places(ebb_reshape(ebb_expand(mask, .size = wide), .shape = EBB_SHAPE(-1))),
                       .shape = EBB_SHAPE(-1));
}

static ebb_tensor *masked_select_compose(const ebb_call *c) {
    ebb_ints wide;
    if (!together(c, &wide)) return NULL;
    return ebb_index_select(ebb_reshape(ebb_expand(c->x[0], .size = wide), .shape = EBB_SHAPE(numel_of(&wide))),
                            flat_places(c->x[1], wide));
}

EBB_OP(masked_select,
    .sig = "input(),mask():b->()",
    .math = "y = the x where m, in row-major order;  dx = 0, and g there",
    .compose = masked_select_compose,
    .flags = EBB_LINEAR | EBB_OWN_SHAPES,
    .tries = "[1,4] [1,4]; [2,3] [1,3]; [2,1] [1,3]; [] []; [0,2] [1,2]; [3] [1,3]",
    .doc = "The elements for which the mask holds, as a 1-d tensor; input and mask are broadcast."
);

static ebb_tensor *masked_scatter_compose(const ebb_call *c) {
    ebb_ints wide;
    if (!together(c, &wide)) return NULL;
    ebb_tensor *at = flat_places(c->x[1], wide);
    const int64_t n = ebb_info_of(at).numel, have = ebb_shape_numel(&c->x_shape[2]);
    if (at && have < n)
        return EBB_FAIL(c, EBB_E_SHAPE, "the mask holds for %lld elements, source has only %lld",
                        (long long)n, (long long)have);
    ebb_tensor *x = ebb_reshape(ebb_expand(c->x[0], .size = wide), .shape = EBB_SHAPE(numel_of(&wide)));
    ebb_tensor *s = ebb_slice(ebb_reshape(c->x[2], .shape = EBB_SHAPE(have)), .end = n);
    return ebb_reshape(ebb_index_set(x, at, s), .shape = wide);
}

EBB_OP(masked_scatter,
    .sig = "input(),mask():b,source()->()",
    .math = "y = x, and the next element of s wherever m;  dx = m ? 0 : g,  ds = the g where m, then 0",
    .compose = masked_scatter_compose,
    .flags = EBB_LINEAR | EBB_INPLACE | EBB_OWN_SHAPES,
    .tries = "[4] [4] [5]; [2,3] [3] [2,4]; [2,1] [3] [6]; [] [] [1]; [0,2] [2] [3]",
    .doc = "Writes the elements of source, in row-major order, wherever the mask holds; input and mask are broadcast."
);
