/* gather.c - floor 5: taking and writing elements at one index each: gather, scatter, scatter_add, take_along_dim. */
#include "scatter.h"

static const ebb_attr dim_attr[] = {EBB_ATTR(EBB_A_INT, dim_attrs, dim, NULL, "the dim that is indexed")};

/* ---- gather ---- */

static ebb_status gather_infer(ebb_infer *s) {
    const ebb_status r = points_into(s, &s->x[1]);
    if (r != EBB_OK) return r;
    shape_like(s->y, &s->x[1]);
    s->work = s->x[1].numel ? s->x[1].numel : 1;
    return EBB_OK;
}

/* Units are elements of the index; each run of them lies in one row of its last dim. */
EBB_KERNEL_MOVE(gather_fwd,
    if (!l->arg[1].numel) return EBB_OK;
    const field f = field_of(&l->arg[0], &l->arg[1], indexed_dim(l->attrs, l->arg[0].ndim));
    const int64_t *index = (const int64_t *)l->p[1];
    T *y = (T *)l->p[2];
    const int last = f.nd - 1; const int64_t row = f.part[last]; const int64_t end = l->first + l->n;
    int64_t r = l->first / row; int64_t j = l->first % row;
    for (int64_t i = l->first; i < end; r++, j = 0) {
        int64_t rest = r; int64_t base = f.dim == last ? 0 : j;
        for (int d = last - 1; d >= 0; d--) {
            const int64_t k = d ? rest % f.part[d] : rest;
            if (d) rest /= f.part[d];
            if (d != f.dim) base += k * f.step[d];
        }
        const T *x = (const T *)l->p[0] + base;
        const int64_t stop = i + row - j < end ? i + row - j : end;
        if (f.dim == last)
            for (; i < stop; i++) {
                if ((uint64_t)index[i] >= (uint64_t)f.rows) return index_refused(l, index[i], f.rows);
                y[i] = x[index[i]];
            }
        else
            for (; i < stop; i++) {
                if ((uint64_t)index[i] >= (uint64_t)f.rows) return index_refused(l, index[i], f.rows);
                y[i] = *(x++ + index[i] * f.inner);
            }
    })

static ebb_tensor *gather_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_scatter_sum(zeros_of(c, &c->x_shape[0]), c->x[1], g, .dim = ((const dim_attrs *)c->attrs)->dim);
}

EBB_OP(gather,
    .sig = "input(),index():i->()",
    .math = "y[..i..] = x[..index[..i..]..];  dx = 0, then dx[..index[..i..]..] += g[..i..]",
    .infer = gather_infer,
    .fwd = gather_fwd,
    .attrs = EBB_ATTRS(dim_attrs, dim_attr),
    .vjp = EBB_VJP({gather_dx, EBB_X(1)}, {NULL, 0}),
    .flags = EBB_LINEAR,
    .tries = "[4,3] [5,3]<4 dim=0; [4,3] [4,2]<3 dim=1; [3,4,2] [2,5,1]<4 dim=-2; [2,3,5] [2,2,5]<3 dim=1; [5] [7]<5 dim=0; [2,3,4] [2,3,0]<4 dim=2; [] [3]<1 dim=0; [4] []<4 dim=0",
    .doc = "Each element of index picks one of input along dim, at its own place in the other dims. The result has the shape of index, which may be smaller than input in any dim."
);

/* ---- the writing ops, with a source of the index's shape or 0-d ---- */

EBB_KERNEL_MOVE(scatter_set_fwd, SCATTER(*place = v))

static ebb_tensor *scatter_set_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_scatter_set(g, c->x[1], ebb_scalar(g, 0), .dim = ((const dim_attrs *)c->attrs)->dim);
}
/* Of several sources for one place the last counts: it alone finds its own number there. */
static ebb_tensor *scatter_set_ds(const ebb_call *c, ebb_tensor *g) {
    const int64_t dim = ((const dim_attrs *)c->attrs)->dim;
    const ebb_ints size = ebb_ints_of(&c->x_shape[1]);
    ebb_tensor *number = ebb_reshape(
        ebb_arange(c->e, .end = (double)ebb_shape_numel(&c->x_shape[1]), .dtype = EBB_I64), .shape = size);
    ebb_tensor *written = ebb_scatter_set(ebb_constant(c->e, EBB_I64, ebb_ints_of(&c->x_shape[0]), -1),
                                          c->x[1], number, .dim = dim);
    ebb_tensor *last = ebb_eq(ebb_gather(written, c->x[1], .dim = dim), number);
    return ebb_where(last, ebb_gather(g, c->x[1], .dim = dim), ebb_scalar(g, 0));
}

EBB_OP(scatter_set,
    .sig = "input(),index():i,src()->()",
    .math = "y = x, then y[..index[..i..]..] = s[..i..];  dx = g with 0 there,  ds[..i..] = g[..index[..i..]..]",
    .infer = scatter_infer,
    .fwd = scatter_set_fwd,
    .attrs = EBB_ATTRS(dim_attrs, dim_attr),
    .vjp = EBB_VJP({scatter_set_dx, EBB_X(1)}, {NULL, 0}, {scatter_set_ds, EBB_X(1)}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[4,3] [5,3]<4 [5,3] dim=0; [4,3] [4,2]<3 [] dim=1; [3,4,2] [2,5,1]<4 [2,5,1] dim=-2; [5] [7]<5 [7] dim=0; [2,3,2,3] [2,2,2,2]<3 [2,2,2,2] dim=1; [] [3]<1 [3] dim=0",
    .doc = "scatter with a source that has the shape of index, or is 0-d."
);

EBB_KERNEL_WIDE(scatter_sum_fwd, SCATTER(*place += v))

static ebb_tensor *pass_on(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}
static ebb_tensor *scatter_sum_ds(const ebb_call *c, ebb_tensor *g) {
    return ebb_gather(g, c->x[1], .dim = ((const dim_attrs *)c->attrs)->dim);
}

EBB_OP(scatter_sum,
    .sig = "input(),index():i,src()->()",
    .math = "y = x, then y[..index[..i..]..] += s[..i..];  dx = g,  ds[..i..] = g[..index[..i..]..]",
    .infer = scatter_infer,
    .fwd = scatter_sum_fwd,
    .attrs = EBB_ATTRS(dim_attrs, dim_attr),
    .vjp = EBB_VJP({pass_on, 0}, {NULL, 0}, {scatter_sum_ds, EBB_X(1)}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[4,3] [5,3]<4 [5,3] dim=0; [4,3] [4,2]<3 [] dim=1; [3,4,2] [2,5,1]<4 [2,5,1] dim=-2; [5] [7]<5 [7] dim=0; [2,3,2,3] [2,2,2,2]<3 [2,2,2,2] dim=1; [] [3]<1 [3] dim=0",
    .doc = "scatter_add with a source that has the shape of index, or is 0-d."
);

/* ---- scatter, scatter_add ---- */

typedef struct scatter_attrs {
    int64_t dim;
    double value;
} scatter_attrs;
static const ebb_attr scatter_attr[] = {
    EBB_ATTR(EBB_A_INT, scatter_attrs, dim, NULL, "the dim that is indexed"),
    EBB_ATTR(EBB_A_FLOAT, scatter_attrs, value, "0", "what is written when there is no src"),
};

static ebb_tensor *scatter_compose(const ebb_call *c) {
    const scatter_attrs *a = (const scatter_attrs *)c->attrs;
    if (!is_index(c->x_shape[1].dtype))
        return ebb_scatter_set(c->x[0], c->x[1], c->x[0], .dim = a->dim); /* refused */
    ebb_tensor *src = c->n_x > 2 && c->x[2] ? covered(c) : number_of(c, c->x_shape[0].dtype, a->value);
    return ebb_scatter_set(c->x[0], c->x[1], src, .dim = a->dim);
}

EBB_OP(scatter,
    .sig = "input(),index():i,src()?->()",
    .math = "y = x, then y[..index[..i..]..] = s[..i..];  dx = g with 0 there,  ds[..i..] = g[..index[..i..]..]",
    .compose = scatter_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(scatter_attrs, scatter_attr),
    .flags = EBB_LINEAR | EBB_INPLACE,
    .tries = "[4,3] [1,3]<4 [1,3] dim=0; [4,3] [4,2]<3 dim=1 value=0.7; [3,4,2] [2,3,1]<4 [3,4,2] dim=-2; [5] [7]<5 [9] dim=0; [] [3]<1 [3] dim=0; [3] []<3 [1] dim=0",
    .doc = "Writes each element of src, or value, to the place along dim that index names. Of several for one place the last stays, and the gradient goes to it alone. index may be smaller than input and src."
);

static ebb_tensor *scatter_add_compose(const ebb_call *c) {
    const int64_t dim = ((const dim_attrs *)c->attrs)->dim;
    if (!is_index(c->x_shape[1].dtype))
        return ebb_scatter_set(c->x[0], c->x[1], c->x[0], .dim = dim); /* refused */
    return ebb_scatter_sum(c->x[0], c->x[1], covered(c), .dim = dim);
}

EBB_OP(scatter_add,
    .sig = "input(),index():i,src()->()",
    .math = "y = x, then y[..index[..i..]..] += s[..i..];  dx = g,  ds[..i..] = g[..index[..i..]..]",
    .compose = scatter_add_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(dim_attrs, dim_attr),
    .flags = EBB_LINEAR | EBB_INPLACE,
    .tries = "[4,3] [5,3]<4 [5,3] dim=0; [4,3] [4,2]<3 [4,3] dim=1; [3,4,2] [2,3,1]<4 [3,4,2] dim=-2; [5] [7]<5 [9] dim=0; [] [3]<1 [3] dim=0; [3] []<3 [1] dim=0",
    .doc = "Adds each element of src to the place along dim that index names, in order: the same bits for any number of threads. index may be smaller than input and src."
);

/* ---- take_along_dim ---- */

static const ebb_attr along_attr[] = {
    EBB_ATTR(EBB_A_INT, dim_attrs, dim, "min", "the dim that is indexed; min: input and indices as 1-d")};

static ebb_tensor *take_along_dim_compose(const ebb_call *c) {
    const int64_t given = ((const dim_attrs *)c->attrs)->dim;
    const ebb_shape *x = &c->x_shape[0], *index = &c->x_shape[1];
    if (given == INT64_MIN)
        return ebb_gather(ebb_reshape(c->x[0], .shape = EBB_SHAPE(-1)),
                          ebb_reshape(c->x[1], .shape = EBB_SHAPE(-1)), .dim = 0);
    if (!x->ndim)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the input is 0-d: no dim goes with it", (long long)given);
    if (x->ndim != index->ndim)
        return EBB_FAIL(c, EBB_E_SHAPE, "indices has %d dims, input %d; they must have the same number",
                        index->ndim, x->ndim);
    const int dim = ebb_dim_of(given, x->ndim);
    if (dim < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the input has %d dims", (long long)given, x->ndim);
    ebb_ints to = ebb_ints_of(x), wide = ebb_ints_of(index);
    for (int d = 0; d < x->ndim; d++) {
        if (d == dim) continue;
        if (to.v[d] != wide.v[d] && to.v[d] != 1 && wide.v[d] != 1)
            return EBB_FAIL(c, EBB_E_SHAPE, "dim %d is %lld in input and %lld in indices; sizes must be equal or 1",
                            d, (long long)to.v[d], (long long)wide.v[d]);
        to.v[d] = wide.v[d] = to.v[d] == 1 ? wide.v[d] : to.v[d];
    }
    return ebb_gather(ebb_expand(c->x[0], .size = to), ebb_expand(c->x[1], .size = wide), .dim = dim);
}

EBB_OP(take_along_dim,
    .sig = "input(),indices():i->()",
    .math = "y[..i..] = x[..indices[..i..]..];  dx = 0, then dx[..indices[..i..]..] += g[..i..]",
    .compose = take_along_dim_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(dim_attrs, along_attr),
    .flags = EBB_LINEAR,
    .tries = "[4,3] [2,3]<4 dim=0; [1,3] [4,2]<3 dim=1; [2,4,1] [1,2,3]<4 dim=-2; [2,3] [2,2]<6",
    .doc = "gather with input and indices broadcast against each other in the dims other than dim; without a dim both are taken as 1-d."
);
