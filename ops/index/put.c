/* put.c - floor 5: indexing of the leading dims together: index, index_put, take, put. */
#include "index.h"

/* ---- from indices to places ---- */

typedef struct flat_attrs {
    ebb_ints size;
} flat_attrs;
static const ebb_attr flat_attr[] = {
    EBB_ATTR(EBB_A_INTS, flat_attrs, size, NULL, "the sizes that the indices point into")};

static ebb_status flat_index_infer(ebb_infer *s) {
    if (s->n_x != ((const flat_attrs *)s->attrs)->size.n)
        return s->fail(s, EBB_E_SHAPE, "%d indices for %d sizes", s->n_x, ((const flat_attrs *)s->attrs)->size.n);
    for (int i = 1; i < s->n_x; i++)
        if (s->x[i].numel != s->x[0].numel) return s->fail(s, EBB_E_SHAPE, "the indices differ in shape");
    shape_like(s->y, s->x);
    s->work = s->x->numel ? s->x->numel : 1;
    return EBB_OK;
}

static ebb_status flat_index_kernel(const ebb_loop *l) {
    const ebb_ints *size = &((const flat_attrs *)l->attrs)->size;
    int64_t *y = (int64_t *)l->p[l->n_x];
    const int64_t end = l->first + l->n < l->arg[0].numel ? l->first + l->n : l->arg[0].numel;
    for (int i = 0; i < l->n_x; i++) {
        const int64_t *x = (const int64_t *)l->p[i], n = size->v[i];
        for (int64_t k = l->first; k < end; k++) {
            const int64_t at = x[k] < 0 ? x[k] + n : x[k];
            if ((uint64_t)at >= (uint64_t)n)
                return l->fail(l, EBB_E_INDEX, "index %lld is outside dim %d, of size %lld", (long long)x[k],
                               i, (long long)n);
            y[k] = i ? y[k] * n + at : at;
        }
    }
    return EBB_OK;
}
static const ebb_kernel flat_index_fwd[] = {{EBB_I64, {flat_index_kernel}}, {0, {0}}};

EBB_OP(flat_index,
    .sig = "indices()*:i->():i",
    .math = "y = (i_0*n_1 + i_1)*n_2 + ..",
    .infer = flat_index_infer,
    .fwd = flat_index_fwd,
    .attrs = EBB_ATTRS(flat_attrs, flat_attr),
    .flags = EBB_INTERNAL,
    .tries = "[3]<4 size=4; [2,3]<4 [2,3]<5 size=4,5; [3]<2 [3]<3 size=4,3; []<2 []<2 []<3 size=2,2,3; [0]<2 size=2",
    .doc = "The place in row-major order of elements by an index for each dim; negative indices count from the end."
);

/* How indices of the leading dims are applied: places in x with those dims joined, in the shape they broadcast to. */
typedef struct choice {
    ebb_tensor *place; /* 1-d; NULL: an error was reported */
    ebb_ints shape;    /* of the result */
    ebb_ints rows;     /* x with the indexed dims joined */
} choice;

/* A mask becomes an index for each of its dims. -> how many, 0 after an error */
static int opened(const ebb_call *c, int i, int at, ebb_tensor **out) {
    const ebb_shape *x = &c->x_shape[0], *s = &c->x_shape[i];
    if (is_index(s->dtype) && s->dtype != EBB_U8) {
        *out = c->x[i];
        return 1;
    }
    if (s->dtype != EBB_BOOL && s->dtype != EBB_U8)
        return EBB_FAIL(c, EBB_E_DTYPE, "index %d is %s; integers or bools are possible", i, dtype_word(s->dtype)),
               0;
    if (!s->ndim)
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "index %d is a 0-d mask; a mask has the shape of the dims it chooses from", i),
               0;
    for (int d = 0; d < s->ndim; d++)
        if (at + d >= x->ndim || s->dim[d] != x->dim[at + d])
            return EBB_FAIL(c, EBB_E_SHAPE, "the mask at index %d has size %lld in dim %d; the input has %lld there",
                            i, (long long)s->dim[d], d, (long long)(at + d < x->ndim ? x->dim[at + d] : 0)),
                   0;
    ebb_tensor *found = ebb_nonzero(c->x[i]);
    for (int d = 0; d < s->ndim; d++)
        if (!(out[d] = ebb_reshape(ebb_slice(found, .dim = 1, .start = d, .end = d + 1), .shape = EBB_SHAPE(-1))))
            return 0;
    return s->ndim;
}

/* The shape that n indices have together. */
static bool joined(const ebb_call *c, int n, ebb_tensor *const *index, ebb_ints *out) {
    *out = EBB_SHAPE0;
    for (int i = 0; i < n; i++) {
        const ebb_info s = ebb_info_of(index[i]);
        const int lead = s.ndim - out->n;
        if (lead > 0) {
            memmove(out->v + lead, out->v, sizeof *out->v * (size_t)out->n);
            for (int d = 0; d < lead; d++) out->v[d] = 1;
            out->n = s.ndim;
        }
        for (int d = 0; d < s.ndim; d++) {
            int64_t *have = &out->v[out->n - s.ndim + d];
            if (*have == 1) *have = s.shape[d];
            else if (s.shape[d] != 1 && s.shape[d] != *have)
                return EBB_FAIL(c, EBB_E_SHAPE, "the indices cannot be broadcast together: %lld and %lld in dim %d",
                                (long long)*have, (long long)s.shape[d], d - s.ndim),
                       false;
        }
    }
    return true;
}

static choice chosen(const ebb_call *c, int first) {
    choice r = {0};
    const ebb_shape *x = &c->x_shape[0];
    ebb_tensor *index[2 * EBB_MAX_DIMS];
    ebb_ints size = {0}, wide;
    int n = 0;
    for (int i = first; i < c->n_x; i++) {
        if (n >= x->ndim)
            return EBB_FAIL(c, EBB_E_SHAPE, "too many indices: the input has %d dims", x->ndim), r;
        const int k = opened(c, i, n, index + n);
        if (!k) return r;
        n += k;
    }
    if (!n) return EBB_FAIL(c, EBB_E_ARG, "at least one index is needed"), r;
    if (!joined(c, n, index, &wide)) return r;
    r.shape = wide;
    r.rows = (ebb_ints){1, {1}};
    for (int d = 0; d < n; d++) {
        index[d] = ebb_expand(index[d], .size = wide);
        size.v[size.n++] = x->dim[d];
        r.rows.v[0] *= x->dim[d];
    }
    if (wide.n + x->ndim - n > EBB_MAX_DIMS)
        return EBB_FAIL(c, EBB_E_SHAPE, "the result would have more than %d dims", EBB_MAX_DIMS), r;
    for (int d = n; d < x->ndim; d++) r.shape.v[r.shape.n++] = r.rows.v[r.rows.n++] = x->dim[d];
    r.place =
        ebb_reshape(ebb_flat_index(.n_x = n, .x = index, .size = size), .shape = EBB_SHAPE(numel_of(&wide)));
    return r;
}

/* ---- index, index_put ---- */

static ebb_tensor *index_compose(const ebb_call *c) {
    const choice k = chosen(c, 1);
    return ebb_reshape(ebb_index_select(ebb_reshape(c->x[0], .shape = k.rows), k.place), .shape = k.shape);
}

EBB_OP(index,
    .sig = "input(),indices()*:i->()",
    .math = "y[i..,r..] = x[a[i..],b[i..],..,r..];  dx = 0, then dx[a,b,..] += g",
    .compose = index_compose,
    .flags = EBB_LINEAR | EBB_OWN_SHAPES,
    .tries = "[4,3] [5]<4; [4,3] [2,1]<4 [3]<3; [2,3,2] [2]<2 [2]<3 [2]<2; [4] []<4; [3,2] [0]<3",
    .doc = "Elements of the leading dims chosen by integer tensors, broadcast together, that may count from the end, or by bool masks: a mask stands for as many dims as it has."
);

typedef struct put_attrs {
    bool accumulate;
} put_attrs;
static const ebb_attr put_attr[] = {EBB_ATTR(EBB_A_BOOL, put_attrs, accumulate, "0", "add instead of replace")};

static ebb_tensor *put_rows(const ebb_call *c, const choice *k, ebb_tensor *values) {
    ebb_tensor *rows = ebb_reshape(c->x[0], .shape = k->rows);
    ebb_tensor *y = ((const put_attrs *)c->attrs)->accumulate ? ebb_index_add(rows, k->place, values)
                                                              : ebb_index_set(rows, k->place, values);
    return ebb_reshape(y, .shape = ebb_ints_of(&c->x_shape[0]));
}

static ebb_tensor *index_put_compose(const ebb_call *c) {
    const choice k = chosen(c, 2);
    if (!k.place) return NULL;
    ebb_ints rows = k.rows;
    rows.v[0] = ebb_info_of(k.place).numel;
    return put_rows(c, &k, ebb_reshape(ebb_expand(c->x[1], .size = k.shape), .shape = rows));
}

EBB_OP(index_put,
    .sig = "input(),values(),indices()*:i->()",
    .math = "y = x, then y[a,b,..] = v, or += v;  dx = g, with 0 there unless accumulated,  dv = g[a,b,..]",
    .compose = index_put_compose,
    .attrs = EBB_ATTRS(put_attrs, put_attr),
    .flags = EBB_LINEAR | EBB_INPLACE | EBB_OWN_SHAPES,
    .tries = "[4,3] [5,3] [5]<4; [4,3] [1,3] [2,1]<4 [3]<3 accumulate=1; [2,3,2] [2] [2]<2 [2]<3 [2]<2; [4] [] []<4; [3,2] [2] [3]<3; [3,2] [0,2] [0]<3",
    .doc = "Writes values, broadcast, to the elements that index would take. Of several for one place the last stays, and the gradient goes to it alone; with accumulate all are added."
);

/* ---- take, put ---- */

static choice anywhere(const ebb_call *c) {
    const int64_t n = ebb_shape_numel(&c->x_shape[0]);
    choice r = {.shape = ebb_ints_of(&c->x_shape[1]), .rows = EBB_SHAPE(n)};
    r.place = ebb_reshape(ebb_flat_index(.n_x = 1, .x = &c->x[1], .size = r.rows), .shape = EBB_SHAPE(-1));
    return r;
}

static ebb_tensor *take_compose(const ebb_call *c) {
    const choice k = anywhere(c);
    return ebb_reshape(ebb_index_select(ebb_reshape(c->x[0], .shape = k.rows), k.place), .shape = k.shape);
}

EBB_OP(take,
    .sig = "input(),index():i->()",
    .math = "y_i = x[index_i] in row-major order;  dx = 0, then dx[index_i] += g_i",
    .compose = take_compose,
    .flags = EBB_LINEAR | EBB_OWN_SHAPES,
    .tries = "[3,4] [5]<12; [2,3] [2,2]<6; [4] []<4; [2,3] [0]<6; [] [2]<1",
    .doc = "Elements of the input as if it were 1-d, in the shape of the index, which may count from the end."
);

static ebb_tensor *put_compose(const ebb_call *c) {
    const int64_t n = ebb_shape_numel(&c->x_shape[1]), m = ebb_shape_numel(&c->x_shape[2]);
    if (n != m)
        return EBB_FAIL(c, EBB_E_SHAPE, "index has %lld elements, source %lld", (long long)n, (long long)m);
    const choice k = anywhere(c);
    return put_rows(c, &k, ebb_reshape(c->x[2], .shape = EBB_SHAPE(-1)));
}

EBB_OP(put,
    .sig = "input(),index():i,source()->()",
    .math = "y = x, then y[index_i] = s_i, or += s_i, in row-major order;  dx = g, with 0 there unless accumulated,  ds_i = g[index_i]",
    .compose = put_compose,
    .attrs = EBB_ATTRS(put_attrs, put_attr),
    .flags = EBB_LINEAR | EBB_INPLACE | EBB_OWN_SHAPES,
    .tries = "[3,4] [5]<12 [5] accumulate=1; [2,3] [2,2]<6 [4]; [4] []<4 []; [2,3] [0]<6 [0]; [] [2]<1 [2]",
    .doc = "Writes to elements of the input as if it were 1-d. Of several for one place the last stays, and the gradient goes to it alone; with accumulate all are added."
);
