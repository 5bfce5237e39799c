/* sort.c - floor 5: rows in order and elements by their place in it: sort, msort, topk, kthvalue, mode, unique. NaN counts as the largest. */
#include "runs.h"

typedef struct sort_attrs {
    int64_t dim;
    bool descending;
} sort_attrs;
static const ebb_attr sort_attr[] = {
    EBB_ATTR(EBB_A_INT, sort_attrs, dim, "-1", "the dim to sort along"),
    EBB_ATTR(EBB_A_BOOL, sort_attrs, descending, "0", "the largest first"),
};

/* ---- sort, msort ---- */

static ebb_tensor *sort_compose(const ebb_call *c) {
    const sort_attrs *a = (const sort_attrs *)c->attrs;
    c->more[0] = ebb_argsort(c->x[0], .dim = a->dim, .descending = a->descending);
    return ebb_gather(c->x[0], c->more[0], .dim = a->dim);
}

EBB_OP(sort,
    .sig = "input(n)->(n),(n):i",
    .math = "y_i = x_{k_i}, rising or falling, and k;  dx_{k_i} = g_i",
    .compose = sort_compose,
    .attrs = EBB_ATTRS(sort_attrs, sort_attr),
    .axes = "dim",
    .flags = EBB_SKIPS_NAN,
    .tries = "dim=0; descending=1; [2,3,4] dim=1; [3,50]",
    .doc = "A dim in order, and the indices its elements had. Always stable; NaN counts as the largest."
);

static ebb_tensor *msort_compose(const ebb_call *c) { return ebb_sort(c->x[0], .dim = 0); }

EBB_OP(msort,
    .sig = "input()->()",
    .math = "y_i = x_{k_i}, rising along dim 0;  dx_{k_i} = g_i",
    .compose = msort_compose,
    .flags = EBB_SKIPS_NAN | EBB_OWN_SHAPES,
    .tries = "[5]; [3,4]; [2,3,4]; []; [0]",
    .doc = "The values of sort along dim 0."
);

/* ---- topk ---- */

typedef struct topk_attrs {
    int64_t k, dim;
    bool largest, sorted;
} topk_attrs;
static const ebb_attr topk_attr[] = {
    EBB_ATTR(EBB_A_INT, topk_attrs, k, NULL, "how many"),
    EBB_ATTR(EBB_A_INT, topk_attrs, dim, "-1", "the dim to choose along"),
    EBB_ATTR(EBB_A_BOOL, topk_attrs, largest, "1", "the largest, else the smallest"),
    EBB_ATTR(EBB_A_BOOL, topk_attrs, sorted, "1", "the best first, else in the order they have in the input"),
};

static ebb_tensor *topk_compose(const ebb_call *c) {
    const topk_attrs *a = (const topk_attrs *)c->attrs;
    const int dim = ebb_dim_of(a->dim, c->x_shape[0].ndim), last = c->x_shape[0].ndim - 1;
    if (dim < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the input has %d dims", (long long)a->dim, last + 1);
    if (c->x_shape[0].ndim == 0 && a->k != 1 && a->k != 0)
        return EBB_FAIL(c, EBB_E_ATTR, "k is %lld, but the input has one element", (long long)a->k);
    const bool turned = dim < last;
    ebb_tensor *x = turned ? ebb_transpose(c->x[0], .dim0 = dim, .dim1 = last) : c->x[0];
    ebb_tensor *index = ebb_argtop(x, .k = a->k, .largest = a->largest, .sorted = a->sorted);
    c->more[0] = turned ? ebb_transpose(index, .dim0 = dim, .dim1 = last) : index;
    return ebb_gather(c->x[0], c->more[0], .dim = a->dim);
}

EBB_OP(topk,
    .sig = "input()->(),():i",
    .math = "y_i = x_{j_i}, the k largest or smallest, and j;  dx_{j_i} = g_i",
    .compose = topk_compose,
    .attrs = EBB_ATTRS(topk_attrs, topk_attr),
    .flags = EBB_SKIPS_NAN | EBB_OWN_SHAPES,
    .tries = "[5] k=2; [3,4] k=3 largest=0; [2,5,3] k=2 dim=1; [2,3,7] k=5 sorted=0; [3,60] k=45; [4] k=4; [3] k=0; [] k=1",
    .doc = "The k largest elements of a dim, or the smallest, and their indices; of equal ones the first. NaN counts as the largest."
);

/* ---- kthvalue, mode ---- */

typedef struct kthvalue_attrs {
    int64_t k, dim;
    bool keepdim;
} kthvalue_attrs;
static const ebb_attr kthvalue_attr[] = {
    EBB_ATTR(EBB_A_INT, kthvalue_attrs, k, NULL, "which one, from 1"),
    EBB_ATTR(EBB_A_INT, kthvalue_attrs, dim, "-1", "the dim to reduce"),
    EBB_ATTR(EBB_A_BOOL, kthvalue_attrs, keepdim, "0", "keep it, with size 1"),
};

static ebb_tensor *kthvalue_compose(const ebb_call *c) {
    const kthvalue_attrs *a = (const kthvalue_attrs *)c->attrs;
    const int64_t n = row_length(c, a->dim);
    if (ebb_dim_of(a->dim, c->x_shape[0].ndim) >= 0 && (a->k < 1 || a->k > n))
        return EBB_FAIL(c, EBB_E_ATTR, "k is %lld, but the dim has %lld elements", (long long)a->k, (long long)n);
    return picked(c, ebb_argkth(c->x[0], .dim = a->dim, .keepdim = true, .k = a->k), a->dim, a->keepdim);
}

EBB_OP(kthvalue,
    .sig = "input(n)->(),():i",
    .math = "y = x_j, the k-th smallest, and j;  dx_j = g, else 0",
    .compose = kthvalue_compose,
    .attrs = EBB_ATTRS(kthvalue_attrs, kthvalue_attr),
    .axes = "dim",
    .flags = EBB_SKIPS_NAN,
    .tries = "k=2 dim=0; k=3 keepdim=1; [2,3,4] k=1 dim=1; [70] k=35",
    .doc = "The k-th smallest element of a dim and its index, which of equal ones is that of a stable sort. NaN counts as the largest."
);

typedef struct mode_attrs {
    int64_t dim;
    bool keepdim;
} mode_attrs;
static const ebb_attr mode_attr[] = {
    EBB_ATTR(EBB_A_INT, mode_attrs, dim, "-1", "the dim to reduce"),
    EBB_ATTR(EBB_A_BOOL, mode_attrs, keepdim, "0", "keep it, with size 1"),
};

typedef struct argmode_attrs {
    int64_t dim;
} argmode_attrs;
static const ebb_attr argmode_attr[] = {EBB_ATTR(EBB_A_INT, argmode_attrs, dim, "-1", "the dim to look along")};

static ebb_tensor *argmode_compose(const ebb_call *c) {
    const argmode_attrs *a = (const argmode_attrs *)c->attrs;
    ebb_tensor *order = ebb_argsort(c->x[0], .dim = a->dim);
    ebb_tensor *end = ebb_longest_run(ebb_gather(c->x[0], order, .dim = a->dim), .dim = a->dim, .keepdim = true);
    return ebb_gather(order, end, .dim = a->dim);
}

/* A rule that is not there: it runs outside the graph. */
EBB_OP(argmode,
    .sig = "input(n)->():i",
    .math = "y = the last j with x_j the smallest of the most frequent x_i",
    .compose = argmode_compose,
    .attrs = EBB_ATTRS(argmode_attrs, argmode_attr),
    .axes = "dim",
    .vjp = EBB_VJP({NULL, 0}),
    .flags = EBB_INTERNAL,
    .tries = "dim=0; [2,3,4] dim=1",
    .doc = "Where the mode of a row is, with its dim kept."
);

static ebb_tensor *mode_compose(const ebb_call *c) {
    const mode_attrs *a = (const mode_attrs *)c->attrs;
    return picked(c, ebb_argmode(c->x[0], .dim = a->dim), a->dim, a->keepdim);
}

EBB_OP(mode,
    .sig = "input(n)->(),():i",
    .math = "y = x_j, the smallest of the most frequent, and the last such j;  dx_j = g, else 0",
    .compose = mode_compose,
    .attrs = EBB_ATTRS(mode_attrs, mode_attr),
    .axes = "dim",
    .flags = EBB_SKIPS_NAN,
    .tries = "dim=0; keepdim=1; [2,3,4] dim=1",
    .doc = "The most frequent element of a dim, the smallest of several, and the last index at which it stands."
);

/* ---- unique ---- */

static ebb_tensor *unique_compose(const ebb_call *c) {
    ebb_tensor *x = ebb_reshape(c->x[0], .shape = EBB_SHAPE(-1)), *run = NULL, *order = ebb_argsort(x, .dim = 0);
    ebb_tensor *y = runs(c, ebb_gather(x, order, .dim = 0), &run, &c->more[1]);
    c->more[0] = ebb_reshape(ebb_scatter(run, order, run, .dim = 0), .shape = ebb_ints_of(&c->x_shape[0]));
    return y;
}

/* A rule that is not there: it runs outside the graph. */
EBB_OP(unique,
    .sig = "input()->(),():i,():i",
    .math = "y = the different elements of x, rising; where each x_i is in y; how often each y_k is in x",
    .compose = unique_compose,
    .vjp = EBB_VJP({NULL, 0}),
    .flags = EBB_SKIPS_NAN | EBB_OWN_SHAPES,
    .tries = "[5]; [2,3]; []; [0]; [1]",
    .doc = "The different elements of the flattened input in order, the index among them of each element (in the input's shape), and how often each "
           "occurs: always all three. Every NaN is different. No gradient."
);
