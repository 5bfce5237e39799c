/* scatter_reduce.c - floor 5: sum, product, mean, largest and smallest of what is written to one place. */
#include "scatter.h"

enum { SUM, PROD, MEAN, AMAX, AMIN };

typedef struct reduce_attrs {
    int64_t dim;
    int32_t reduce;
    bool include_self;
} reduce_attrs;
static const ebb_attr reduce_attr[] = {
    EBB_ATTR(EBB_A_INT, reduce_attrs, dim, NULL, "the dim that is indexed"),
    EBB_ATTR(EBB_A_ENUM, reduce_attrs, reduce, NULL, "what becomes of the elements that meet",
             .choices = "sum|prod|mean|amax|amin"),
    EBB_ATTR(EBB_A_BOOL, reduce_attrs, include_self, "1", "whether input's own element is one of them"),
};

/* ---- product, largest, smallest ---- */

typedef struct fold_attrs {
    int64_t dim;
    int32_t reduce;
} fold_attrs;
static const ebb_attr fold_attr[] = {
    EBB_ATTR(EBB_A_INT, fold_attrs, dim, NULL, "the dim that is indexed"),
    EBB_ATTR(EBB_A_ENUM, fold_attrs, reduce, NULL, "what becomes of the elements that meet",
             .choices = "sum|prod|mean|amax|amin"),
};

EBB_KERNEL_WIDE(scatter_fold_fwd,
    const int how = ((const fold_attrs *)l->attrs)->reduce;
    SCATTER(const T w = *place; T joined;
            if (how == PROD) joined = w * v;
            else if (how == AMAX) joined = v > w ? v : w;
            else joined = v < w ? v : w;
            if (v != v) joined = v;
            *place = joined))

static const fold_attrs *fold_of(const ebb_call *c) { return (const fold_attrs *)c->attrs; }

static ebb_tensor *as_number(const ebb_call *c, ebb_tensor *mask) {
    return ebb_to(mask, (ebb_dtype)c->x_shape[0].dtype);
}

/* The extreme's gradient is shared evenly by all that have its value: g by their number. */
static ebb_tensor *share(const ebb_call *c, ebb_tensor *g, ebb_tensor **self, ebb_tensor **hit) {
    const int64_t dim = fold_of(c)->dim;
    *self = as_number(c, ebb_eq(c->x[0], c->y[0]));
    *hit = as_number(c, ebb_eq(c->x[2], ebb_gather(c->y[0], c->x[1], .dim = dim)));
    return ebb_div(g, ebb_scatter_sum(*self, c->x[1], *hit, .dim = dim));
}

/* A product with several zeros in one place: the zeros are laid out in rounds, one a place in each; the product of the others of
 * an element is that of the rounds before and after its own. */
static ebb_tensor *among_zeros(const ebb_call *c, ebb_tensor *rest, ebb_tensor *zero, int rounds,
                               ebb_tensor *otherwise) {
    enum { MOST = 64 };
    const int64_t dim = fold_of(c)->dim;
    ebb_tensor *round[MOST], *mine[MOST], *one = ebb_scalar(rest, 1);
    if (rounds > MOST)
        return EBB_FAIL(c, EBB_E_ARG,
                        "%d zeros of src meet in one place: the gradient of a product is there for up to %d",
                        rounds, MOST);
    ebb_tensor *number = ebb_reshape(
        ebb_arange(c->e, .start = 1, .end = (double)ebb_shape_numel(&c->x_shape[1]) + 1, .dtype = EBB_I64),
        .shape = ebb_ints_of(&c->x_shape[1]));
    ebb_tensor *left = ebb_where(zero, number, ebb_scalar(number, 0)),
               *none = ebb_constant(c->e, EBB_I64, ebb_ints_of(&c->x_shape[0]), 0);
    for (int r = 0; r < rounds; r++) { /* the zero with the largest number is next */
        ebb_tensor *next =
            ebb_gather(ebb_scatter_fold(none, c->x[1], left, .dim = dim, .reduce = AMAX), c->x[1], .dim = dim);
        mine[r] = ebb_where(ebb_eq(left, next), ebb_gt(left, ebb_scalar(left, 0)), ebb_ne(zero, zero));
        left = ebb_where(mine[r], ebb_scalar(left, 0), left);
        round[r] =
            ebb_add(ebb_scatter_sum(zeros_of(c, &c->x_shape[0]), c->x[1],
                                    ebb_where(mine[r], ebb_sub(c->x[2], one), ebb_scalar(rest, 0)), .dim = dim),
                    one);
    }
    ebb_tensor *before[MOST];
    for (int r = 0; r < rounds; r++) {
        before[r] = rest;
        rest = ebb_mul(rest, round[r]);
    }
    ebb_tensor *after = one, *y = otherwise;
    for (int r = rounds; r-- > 0;) {
        y = ebb_where(mine[r],
                      ebb_gather(ebb_expand(ebb_mul(before[r], after), .size = ebb_ints_of(&c->x_shape[0])),
                                 c->x[1], .dim = dim),
                      y);
        after = ebb_mul(after, round[r]);
    }
    return y;
}

static int most_of(ebb_tensor *t) {
    const ebb_info i = ebb_info_of(ebb_to(ebb_amax(t), EBB_I64));
    return i.data && i.numel ? (int)*(const int64_t *)i.data : 0;
}

static ebb_tensor *prod_ds(const ebb_call *c, ebb_tensor *g) {
    const int64_t dim = fold_of(c)->dim;
    if (!ebb_shape_numel(&c->x_shape[2])) return zeros_of(c, &c->x_shape[2]);
    ebb_tensor *zero = ebb_eq(c->x[2], ebb_scalar(c->x[2], 0)),
               *filled = ebb_where(zero, ebb_scalar(c->x[2], 1), c->x[2]);
    ebb_tensor *others = ebb_div(ebb_gather(ebb_mul(g, c->y[0]), c->x[1], .dim = dim), filled);
    const int rounds =
        most_of(ebb_scatter_sum(zeros_of(c, &c->x_shape[0]), c->x[1], as_number(c, zero), .dim = dim));
    if (!rounds) return others;
    ebb_tensor *rest = ebb_mul(g, ebb_scatter_fold(c->x[0], c->x[1], filled, .dim = dim, .reduce = PROD));
    return among_zeros(c, rest, zero, rounds, others);
}

static ebb_tensor *fold_dx(const ebb_call *c, ebb_tensor *g) {
    if (fold_of(c)->reduce == PROD)
        return ebb_mul(g, ebb_scatter_fold(ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype,
                                                        ebb_ints_of(&c->x_shape[0]), 1),
                                           c->x[1], c->x[2], .dim = fold_of(c)->dim, .reduce = PROD));
    ebb_tensor *self, *hit, *each = share(c, g, &self, &hit);
    return ebb_mul(self, each);
}
static ebb_tensor *fold_ds(const ebb_call *c, ebb_tensor *g) {
    if (fold_of(c)->reduce == PROD) return prod_ds(c, g);
    ebb_tensor *self, *hit, *each = share(c, g, &self, &hit);
    return ebb_mul(hit, ebb_gather(each, c->x[1], .dim = fold_of(c)->dim));
}

EBB_OP(scatter_fold,
    .sig = "input(),index():i,src()->()",
    .math = "y = x, then y[..index..] = y*s, max(y, s) or min(y, s);  product: ds = g*(product of the others); else g shared evenly by those equal to y",
    .infer = scatter_infer,
    .fwd = scatter_fold_fwd,
    .attrs = EBB_ATTRS(fold_attrs, fold_attr),
    .vjp = EBB_VJP({fold_dx, EBB_X(0) | EBB_X(1) | EBB_X(2) | EBB_Y(0)}, {NULL, 0}, {fold_ds, EBB_X(0) | EBB_X(1) | EBB_X(2) | EBB_Y(0)}),
    .flags = EBB_INTERNAL,
    .tries = "[4,3] [5,3]<4 [5,3] dim=0 reduce=prod; [4,3] [4,2]<3 [4,2] dim=1 reduce=amax; [2,3,2] [2,5,1]<3 [2,5,1] dim=1 reduce=amin; [5] [7]<5 [7] dim=0 reduce=prod; [3] [0]<3 [0] dim=0 reduce=prod",
    .doc = "scatter_reduce of prod, amax and amin with the own element included."
);

/* ---- scatter_reduce ---- */

/* The input without its own say at the places that are written. */
static ebb_tensor *without_self(const ebb_call *c, ebb_tensor *src) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    const int32_t dtype = c->x_shape[0].dtype;
    ebb_tensor *neutral = src; /* of integers the extreme: one of the sources, which changes nothing */
    if (a->reduce < AMAX) neutral = ebb_scalar(c->x[0], a->reduce == PROD);
    else if (ebb_is_float(dtype))
        neutral = ebb_constant(c->e, (ebb_dtype)dtype, EBB_SHAPE0, a->reduce == AMAX ? -INFINITY : INFINITY);
    return ebb_scatter_set(c->x[0], c->x[1], neutral, .dim = a->dim);
}

static ebb_tensor *mean_of(const ebb_call *c, ebb_tensor *sum) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    ebb_tensor *count = ebb_constant(c->e, (ebb_dtype)x->dtype, ebb_ints_of(x), 1),
               *one = ebb_constant(c->e, (ebb_dtype)x->dtype, EBB_SHAPE0, 1);
    if (!a->include_self)
        count = ebb_scatter_set(count, c->x[1], ebb_constant(c->e, (ebb_dtype)x->dtype, EBB_SHAPE0, 0),
                                .dim = a->dim);
    count = ebb_scatter_sum(count, c->x[1], one, .dim = a->dim);
    if (ebb_is_float(x->dtype)) return ebb_div(sum, count);
    return ebb_to(ebb_floor(ebb_div(ebb_to(sum, EBB_F64), ebb_to(count, EBB_F64))), (ebb_dtype)x->dtype);
}

static ebb_tensor *scatter_reduce_compose(const ebb_call *c) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    if (!is_index(c->x_shape[1].dtype))
        return ebb_scatter_set(c->x[0], c->x[1], c->x[0], .dim = a->dim); /* refused */
    ebb_tensor *src = covered(c), *x = a->include_self ? c->x[0] : without_self(c, src);
    if (a->reduce == SUM || a->reduce == MEAN) {
        ebb_tensor *sum = ebb_scatter_sum(x, c->x[1], src, .dim = a->dim);
        return a->reduce == SUM ? sum : mean_of(c, sum);
    }
    return ebb_scatter_fold(x, c->x[1], src, .dim = a->dim, .reduce = a->reduce);
}

EBB_OP(scatter_reduce,
    .sig = "input(),index():i,src()->()",
    .math = "y[..k..] = sum, product, mean, max or min of x[..k..] and the s[..i..] whose index is k",
    .compose = scatter_reduce_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .flags = EBB_INPLACE,
    .tries = "[4,3] [5,3]<4 [5,3] dim=0 reduce=sum; [4,3] [4,2]<3 [4,3] dim=1 reduce=prod; [2,3,2] [2,5,1]<3 [2,5,2] dim=-2 reduce=mean; [5] [4]<5 [4] dim=0 reduce=amax; [5] [4]<5 [4] dim=0 reduce=amin; "
             "[4,3] [5,3]<4 [5,3] dim=0 reduce=sum include_self=0; [4,3] [4,2]<3 [4,3] dim=1 reduce=prod include_self=0; [5] [3]<5 [4] dim=0 reduce=mean include_self=0; [5] [4]<5 [4] dim=0 reduce=amax include_self=0; [5] [4]<5 [4] dim=0 reduce=amin include_self=0",
    .doc = "Reduces what index writes to one place. The gradient of an extreme is shared evenly among equals; a product has derivatives of every order, zeros included. A mean of integers is rounded down."
);
