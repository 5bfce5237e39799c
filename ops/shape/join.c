/* join.c - floor 5: several tensors as one. */
#include "shape.h"

/* ---- cat ---- */

typedef struct cat_attrs {
    int64_t dim;
} cat_attrs;
static const ebb_attr cat_attr[] = {EBB_ATTR(EBB_A_INT, cat_attrs, dim, "0", "the dim along which they are joined")};

/* torch lets an empty 1-d tensor stand among tensors of any rank: it adds nothing. */
static bool adds_nothing(int ndim, const int64_t *shape) { return ndim == 1 && !shape[0]; }

static ebb_status cat_infer(ebb_infer *s) {
    int d = 0, first = 0;
    while (first + 1 < s->n_x && adds_nothing(s->x[first].ndim, s->x[first].shape)) first++;
    const ebb_info *x = &s->x[first];
    if (!x->ndim) return s->fail(s, EBB_E_SHAPE, "a 0-d tensor cannot be joined");
    const ebb_status r = shape_dim(s, "dim", ((const cat_attrs *)s->attrs)->dim, x->ndim, &d);
    if (r != EBB_OK) return r;
    s->y->ndim = x->ndim;
    for (int k = 0; k < x->ndim; k++) s->y->shape[k] = x->shape[k];
    for (int i = first + 1; i < s->n_x; i++) {
        if (adds_nothing(s->x[i].ndim, s->x[i].shape)) continue;
        if (s->x[i].ndim != x->ndim)
            return s->fail(s, EBB_E_SHAPE, "tensor %d has %d dims, tensor %d has %d", i, s->x[i].ndim, first,
                           x->ndim);
        for (int k = 0; k < x->ndim; k++)
            if (k != d && s->x[i].shape[k] != x->shape[k])
                return s->fail(s, EBB_E_SHAPE,
                               "dim %d is %lld in tensor %d and %lld in tensor %d; only dim %d may differ", k,
                               (long long)s->x[i].shape[k], i, (long long)x->shape[k], first, d);
        s->y->shape[d] += s->x[i].shape[d];
    }
    for (int k = 0; k < d; k++) s->work *= s->y->shape[k];
    if (s->work < 1) s->work = 1;
    return EBB_OK;
}

EBB_KERNEL_MOVE(cat_fwd,
    const ebb_info *x = l->arg; const ebb_info *y = &l->arg[l->n_x];
    const int64_t given = ((const cat_attrs *)l->attrs)->dim; const int64_t d = given < 0 ? given + y->ndim : given;
    int64_t part[EBB_MAX_OPERANDS]; int64_t inner = 1;
    for (int k = y->ndim - 1; k > d; k--) inner *= y->shape[k];
    T *to = (T *)l->p[l->n_x] + l->first * y->shape[d] * inner;
    if (!y->numel) return EBB_OK;
    for (int i = 0; i < l->n_x; i++) part[i] = adds_nothing(x[i].ndim, x[i].shape) ? 0 : x[i].shape[d] * inner;
    for (int64_t o = l->first; o < l->first + l->n; o++)
        for (int i = 0; i < l->n_x; to += part[i++])
            if (part[i] == 1) *to = ((const T *)l->p[i])[o];
            else if (part[i]) memcpy(to, (const T *)l->p[i] + o * part[i], (size_t)part[i] * sizeof(T));)

static ebb_tensor *cat_dx(const ebb_call *c, ebb_tensor *g) {
    const int64_t given = ((const cat_attrs *)c->attrs)->dim, d = given < 0 ? given + c->y_shape[0].ndim : given;
    const ebb_shape *mine = &c->x_shape[c->which];
    if (adds_nothing(mine->ndim, mine->dim))
        return ebb_reshape(ebb_slice(g, .dim = d, .end = 0), .shape = EBB_SHAPE(0));
    int64_t start = 0;
    for (int i = 0; i < c->which; i++)
        start += adds_nothing(c->x_shape[i].ndim, c->x_shape[i].dim) ? 0 : c->x_shape[i].dim[d];
    return ebb_slice(g, .dim = d, .start = start, .end = start + mine->dim[d]);
}

EBB_OP(cat,
    .sig = "tensors()*->()",
    .math = "y = the tensors one after another along dim;  dx_i = its part of g",
    .infer = cat_infer,
    .fwd = cat_fwd,
    .attrs = EBB_ATTRS(cat_attrs, cat_attr),
    .vjp = EBB_VJP({cat_dx, 0}),
    .flags = EBB_LINEAR | EBB_PROMOTES,
    .tries = "[2,3] [1,3]; [2,1] [2,2] [2,3] dim=1; [2,0] [2,2] dim=-1; [0] [2,3]; [3]; [1] [1]",
    .doc = "Joins tensors along one dim; their other dims must agree. An empty 1-d tensor fits anywhere."
);

/* ---- stack and its kin ---- */

/* cat of each tensor as `as` sees it. */
static ebb_tensor *joined(const ebb_call *c, int64_t dim, ebb_tensor *(*as)(const ebb_call *c, int i)) {
    ebb_tensor *part[EBB_MAX_OPERANDS];
    for (int i = 0; i < c->n_x; i++)
        if (!(part[i] = as(c, i))) return NULL;
    return ebb_cat(c->n_x, part, .dim = dim);
}

static ebb_tensor *stacked(const ebb_call *c, int i) {
    const int64_t given = ((const cat_attrs *)c->attrs)->dim;
    const ebb_shape *x = &c->x_shape[0];
    const int d = ebb_dim_of(given, x->ndim + 1);
    if (x->ndim == EBB_MAX_DIMS)
        return EBB_FAIL(c, EBB_E_SHAPE, "the result would have more than %d dims", EBB_MAX_DIMS);
    if (d < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the result has %d dims", (long long)given, x->ndim + 1);
    if (!shape_same(x, &c->x_shape[i]))
        return EBB_FAIL(c, EBB_E_SHAPE, "tensor %d has another shape than tensor 0; all must have one", i);
    return ebb_unsqueeze(c->x[i], .dim = d);
}
static ebb_tensor *stack_compose(const ebb_call *c) {
    return joined(c, ((const cat_attrs *)c->attrs)->dim, stacked);
}

static const ebb_attr stack_attr[] = {
    EBB_ATTR(EBB_A_INT, cat_attrs, dim, "0", "where the new dim is in the result")};

EBB_OP(stack,
    .sig = "tensors()*->()",
    .math = "y[k] = tensor k along a new dim;  dx_k = g[k]",
    .compose = stack_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(cat_attrs, stack_attr),
    .tries = "[2,3] [2,3]; [2] [2] [2] dim=1; [] [] dim=-1; [2,3] [2,3] dim=-2; [0] [0]",
    .doc = "Tensors of one shape along a new dim."
);

static ebb_tensor *as_1d(const ebb_call *c, int i) { return ebb_atleast_1d(c->x[i]); }
static ebb_tensor *as_2d(const ebb_call *c, int i) { return ebb_atleast_2d(c->x[i]); }
static ebb_tensor *as_3d(const ebb_call *c, int i) { return ebb_atleast_3d(c->x[i]); }
static ebb_tensor *as_column(const ebb_call *c, int i) {
    return c->x_shape[i].ndim > 1 ? c->x[i]
                                  : ebb_reshape(c->x[i], .shape = EBB_SHAPE(ebb_shape_numel(&c->x_shape[i]), 1));
}
static ebb_tensor *hstack_compose(const ebb_call *c) { return joined(c, c->x_shape[0].ndim > 1, as_1d); }
static ebb_tensor *vstack_compose(const ebb_call *c) { return joined(c, 0, as_2d); }
static ebb_tensor *dstack_compose(const ebb_call *c) { return joined(c, 2, as_3d); }
static ebb_tensor *column_stack_compose(const ebb_call *c) { return joined(c, 1, as_column); }

EBB_OP(hstack,
    .sig = "tensors()*->()",
    .math = "y = the tensors one after another along dim 1;  dx_i = its part of g",
    .compose = hstack_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[2,1] [2,3]; [2] [3]; [] []",
    .doc = "cat along dim 1, of vectors along dim 0."
);

EBB_OP(vstack,
    .sig = "tensors()*->()",
    .math = "y = the tensors one after another along dim 0;  dx_i = its part of g",
    .compose = vstack_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[1,3] [2,3]; [3] [3]; [] []; [3] [2,3]",
    .doc = "cat along dim 0, of vectors as rows."
);

EBB_OP(dstack,
    .sig = "tensors()*->()",
    .math = "y = the tensors one after another along dim 2;  dx_i = its part of g",
    .compose = dstack_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[2,3] [2,3]; [3] [3]; [] []; [2,3,1] [2,3,2]",
    .doc = "cat along dim 2, of matrices as (m, n, 1)."
);

EBB_OP(column_stack,
    .sig = "tensors()*->()",
    .math = "y = the tensors one after another along dim 1;  dx_i = its part of g",
    .compose = column_stack_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[3] [3]; [3] [3,2]; [] []",
    .doc = "cat along dim 1, of vectors as columns."
);

/* ---- block_diag ---- */

static ebb_tensor *block_diag_compose(const ebb_call *c) {
    ebb_tensor *row[EBB_MAX_OPERANDS];
    int64_t all = 0, before = 0;
    for (int i = 0; i < c->n_x; i++) {
        const ebb_shape *x = &c->x_shape[i];
        if (x->ndim > 2)
            return EBB_FAIL(c, EBB_E_SHAPE, "tensor %d has %d dims, at most 2 are possible", i, x->ndim);
        all += x->ndim ? x->dim[x->ndim - 1] : 1;
    }
    for (int i = 0; i < c->n_x; i++) {
        const ebb_shape *x = &c->x_shape[i];
        const int64_t n = x->ndim ? x->dim[x->ndim - 1] : 1;
        row[i] = ebb_pad(ebb_atleast_2d(c->x[i]), .pad = EBB_DIMS(before, all - before - n));
        if (!row[i]) return NULL;
        before += n;
    }
    return ebb_cat(c->n_x, row);
}

EBB_OP(block_diag,
    .sig = "tensors()*->()",
    .math = "y = the matrices along the diagonal, zeros beside them;  dx_i = its block of g",
    .compose = block_diag_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[2,3] [1,2]; [2] [] [2,1]; [2,2]; [0] [1,2]",
    .doc = "A matrix of blocks; numbers and vectors are taken as matrices of one row."
);
