/* added.c - floor 5: a product added to a tensor: addmm, addmv, addr, baddbmm, addbmm. */
#include "matrix.h"

typedef struct added_attrs {
    double beta, alpha;
} added_attrs;
static const ebb_attr added_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, added_attrs, beta, "1",
             "factor of the input; 0: the input is not looked at, even where it is NaN"),
    EBB_ATTR(EBB_A_FLOAT, added_attrs, alpha, "1", "factor of the product"),
};

/* Integers take no fractions. */
static bool factors_fit(const ebb_call *c) {
    const added_attrs *a = (const added_attrs *)c->attrs;
    const double f[2] = {a->beta, a->alpha};
    for (int i = 0; i < 2; i++)
        if (!ebb_is_float(c->x_shape[0].dtype) && !ebb_is_float(c->x_shape[1].dtype) && f[i] != ebb_floor(f[i]))
            return REFUSED(c, EBB_E_ATTR, "%s is %g, but the tensors hold integers", i ? "alpha" : "beta", f[i]);
    return true;
}
static bool fits(const ebb_call *c, ebb_ints out) {
    return one_dtype(c) && factors_fit(c) && broadcasts_to(c, 0, "input", out);
}

/* beta*input + alpha*y, y being this call's own. Runs outside the graph: the ops here have rules. */
static ebb_tensor *added(const ebb_call *c, ebb_tensor *y) {
    const added_attrs *a = (const added_attrs *)c->attrs;
    if (y && a->alpha != 1) y = ebb_mul_(y, ebb_to(ebb_scalar(y, a->alpha), (ebb_dtype)c->x_shape[0].dtype));
    return a->beta == 0 ? y : ebb_add_(y, scaled(c->x[0], a->beta));
}

static double alpha_of(const ebb_call *c) { return ((const added_attrs *)c->attrs)->alpha; }
static ebb_tensor *input_d(const ebb_call *c, ebb_tensor *g) {
    return scaled(g, ((const added_attrs *)c->attrs)->beta);
}

/* ---- matrices ---- */

static ebb_tensor *addmm_compose(const ebb_call *c) {
    const ebb_shape *a = &c->x_shape[1], *b = &c->x_shape[2];
    if (!has_rank(c, 1, "mat1", 2) || !has_rank(c, 2, "mat2", 2) ||
        !equal_sizes(c, "the columns of mat1 and the rows of mat2", a->dim[1], b->dim[0]) ||
        !fits(c, EBB_SHAPE(a->dim[0], b->dim[1])))
        return NULL;
    return added(c, ebb_gemm(c->x[1], c->x[2]));
}
static ebb_tensor *addmm_da(const ebb_call *c, ebb_tensor *g) {
    return scaled(ebb_gemm(g, flipped(c->x[2])), alpha_of(c));
}
static ebb_tensor *addmm_db(const ebb_call *c, ebb_tensor *g) {
    return scaled(ebb_gemm(flipped(c->x[1]), g), alpha_of(c));
}

EBB_OP(addmm,
    .sig = "input(),mat1(),mat2()->()",
    .math = "y = beta*x + alpha*A*B;  dx = beta*g,  dA = alpha*g*B',  dB = alpha*A'*g",
    .compose = addmm_compose,
    .attrs = EBB_ATTRS(added_attrs, added_attr),
    .vjp = EBB_VJP({input_d, 0}, {addmm_da, EBB_X(2)}, {addmm_db, EBB_X(1)}),
    .flags = EBB_INPLACE,
    .tries = "[2,4] [2,3] [3,4]; [4] [2,3] [3,4] beta=0.5 alpha=-2; [2,1] [2,3] [3,4] beta=0; [] [2,3] [3,4] beta=2 alpha=0; [2,2] [2,0] [0,2]; [0,2] [0,3] [3,2]; [1,1] [1,1] [1,1]",
    .doc = "A product of matrices added to the input, which broadcasts to it.",
    .ref = "torch.addmm"
);

static ebb_tensor *baddbmm_compose(const ebb_call *c) {
    const ebb_shape *a = &c->x_shape[1], *b = &c->x_shape[2];
    if (!has_rank(c, 1, "batch1", 3) || !has_rank(c, 2, "batch2", 3) ||
        !equal_sizes(c, "dim 0, the batch, of batch1 and batch2", a->dim[0], b->dim[0]) ||
        !equal_sizes(c, "the columns of batch1 and the rows of batch2", a->dim[2], b->dim[1]) ||
        !fits(c, EBB_SHAPE(a->dim[0], a->dim[1], b->dim[2])))
        return NULL;
    return added(c, ebb_gemm(c->x[1], c->x[2]));
}

EBB_OP(baddbmm,
    .sig = "input(),batch1(),batch2()->()",
    .math = "y_b = beta*x_b + alpha*A_b*B_b;  dx = beta*g,  dA = alpha*g*B',  dB = alpha*A'*g",
    .compose = baddbmm_compose,
    .attrs = EBB_ATTRS(added_attrs, added_attr),
    .vjp = EBB_VJP({input_d, 0}, {addmm_da, EBB_X(2)}, {addmm_db, EBB_X(1)}),
    .flags = EBB_INPLACE,
    .tries = "[2,2,4] [2,2,3] [2,3,4]; [4] [2,2,3] [2,3,4] beta=0.5 alpha=-2; [2,1,1] [2,2,3] [2,3,4] beta=0; [2,2,2] [2,2,0] [2,0,2]; [0,2,2] [0,2,3] [0,3,2]",
    .doc = "The products of two batches of matrices added to the input, which broadcasts to them.",
    .ref = "torch.baddbmm"
);

/* sum_b A_b*B_b is one product: the A_b side by side, the B_b one below the other. */
static ebb_tensor *beside(ebb_tensor *a, const ebb_shape *s) {
    return ebb_reshape(ebb_permute(a, .dims = EBB_DIMS(1, 0, 2)),
                       .shape = EBB_SHAPE(s->dim[1], s->dim[0] * s->dim[2]));
}
static ebb_tensor *addbmm_compose(const ebb_call *c) {
    const ebb_shape *a = &c->x_shape[1], *b = &c->x_shape[2];
    if (!has_rank(c, 1, "batch1", 3) || !has_rank(c, 2, "batch2", 3) ||
        !equal_sizes(c, "dim 0, the batch, of batch1 and batch2", a->dim[0], b->dim[0]) ||
        !equal_sizes(c, "the columns of batch1 and the rows of batch2", a->dim[2], b->dim[1]) ||
        !fits(c, EBB_SHAPE(a->dim[1], b->dim[2])))
        return NULL;
    ebb_tensor *below = ebb_reshape(c->x[2], .shape = EBB_SHAPE(b->dim[0] * b->dim[1], b->dim[2]));
    return added(c, ebb_gemm(beside(c->x[1], a), below));
}

EBB_OP(addbmm,
    .sig = "input(),batch1(),batch2()->()",
    .math = "y = beta*x + alpha*sum_b A_b*B_b;  dx = beta*g,  dA_b = alpha*g*B_b',  dB_b = alpha*A_b'*g",
    .compose = addbmm_compose,
    .attrs = EBB_ATTRS(added_attrs, added_attr),
    .vjp = EBB_VJP({input_d, 0}, {addmm_da, EBB_X(2)}, {addmm_db, EBB_X(1)}),
    .flags = EBB_INPLACE,
    .tries = "[2,4] [3,2,3] [3,3,4]; [4] [2,2,3] [2,3,4] beta=0.5 alpha=-2; [2,1] [2,2,3] [2,3,4] beta=0; [2,2] [2,2,0] [2,0,2]; [2,2] [0,2,3] [0,3,2]; [1,1] [1,1,1] [1,1,1]",
    .doc = "The sum of the products of two batches of matrices added to the input, which broadcasts to it.",
    .ref = "torch.addbmm"
);

/* ---- vectors ---- */

static ebb_tensor *addmv_compose(const ebb_call *c) {
    const ebb_shape *a = &c->x_shape[1], *v = &c->x_shape[2];
    if (!has_rank(c, 1, "mat", 2) || !has_rank(c, 2, "vec", 1) ||
        !equal_sizes(c, "the columns of mat and the elements of vec", a->dim[1], v->dim[0]) ||
        !fits(c, EBB_SHAPE(a->dim[0])))
        return NULL;
    return added(c, ebb_mv(c->x[1], c->x[2]));
}
static ebb_tensor *addmv_da(const ebb_call *c, ebb_tensor *g) {
    return scaled(ebb_outer(g, c->x[2]), alpha_of(c));
}
static ebb_tensor *addmv_dv(const ebb_call *c, ebb_tensor *g) {
    return scaled(ebb_mv(flipped(c->x[1]), g), alpha_of(c));
}

EBB_OP(addmv,
    .sig = "input(),mat(),vec()->()",
    .math = "y = beta*x + alpha*A*v;  dx = beta*g,  dA = alpha*g*v',  dv = alpha*A'*g",
    .compose = addmv_compose,
    .attrs = EBB_ATTRS(added_attrs, added_attr),
    .vjp = EBB_VJP({input_d, 0}, {addmv_da, EBB_X(2)}, {addmv_dv, EBB_X(1)}),
    .flags = EBB_INPLACE,
    .tries = "[2] [2,3] [3]; [1] [2,3] [3] beta=0.5 alpha=-2; [] [2,3] [3] beta=0; [2] [2,0] [0]; [0] [0,3] [3]",
    .doc = "A product of a matrix and a vector added to the input, which broadcasts to it.",
    .ref = "torch.addmv"
);

/* Its parts are recorded: they promote dtypes, as PyTorch's addr does. */
static ebb_tensor *addr_compose(const ebb_call *c) {
    const added_attrs *a = (const added_attrs *)c->attrs;
    if (!has_rank(c, 1, "vec1", 1) || !has_rank(c, 2, "vec2", 1) || !factors_fit(c) ||
        !broadcasts_to(c, 0, "input", EBB_SHAPE(c->x_shape[1].dim[0], c->x_shape[2].dim[0])))
        return NULL;
    ebb_tensor *y = scaled(ebb_outer(c->x[1], c->x[2]), a->alpha);
    return a->beta == 0 ? ebb_where(never(c->e), c->x[0], y) : ebb_add(scaled(c->x[0], a->beta), y);
}

EBB_OP(addr,
    .sig = "input(),vec1(),vec2()->()",
    .math = "y = beta*x + alpha*u*v';  dx = beta*g,  du = alpha*g*v,  dv = alpha*g'*u",
    .compose = addr_compose,
    .attrs = EBB_ATTRS(added_attrs, added_attr),
    .flags = EBB_INPLACE,
    .tries = "[2,3] [2] [3]; [3] [2] [3] beta=0.5 alpha=-2; [] [2] [3] beta=0; [0,3] [0] [3]; [1,1] [1] [1]",
    .doc = "An outer product added to the input, which broadcasts to it. Dtypes are promoted.",
    .ref = "torch.addr"
);
