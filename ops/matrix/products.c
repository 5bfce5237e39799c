/* products.c - floor 5: products of whole tensors: inner, outer, vecdot, tensordot, kron. */
#include "matrix.h"

/* ---- inner and outer ---- */

static ebb_tensor *inner_compose(const ebb_call *c) {
    const ebb_shape *a = &c->x_shape[0], *b = &c->x_shape[1];
    if (!a->ndim || !b->ndim) return ebb_mul(c->x[0], c->x[1]);
    const int64_t k = a->dim[a->ndim - 1];
    if (!equal_sizes(c, "the last dims of input and other", k, b->dim[b->ndim - 1])) return NULL;
    if (a->ndim == 1 && b->ndim == 1) return ebb_dot_rows(c->x[0], c->x[1]);
    if (a->ndim + b->ndim - 2 > EBB_MAX_DIMS)
        return EBB_FAIL(c, EBB_E_SHAPE, "the result would have %d dims; %d are possible",
                        a->ndim + b->ndim - 2, EBB_MAX_DIMS);
    ebb_ints shape = {a->ndim + b->ndim - 2, {0}};
    for (int d = 0; d + 1 < a->ndim; d++) shape.v[d] = a->dim[d];
    for (int d = 0; d + 1 < b->ndim; d++) shape.v[a->ndim - 1 + d] = b->dim[d];
    ebb_tensor *rows = ebb_reshape(c->x[0], .shape = EBB_SHAPE(rows_in(a), k));
    ebb_tensor *columns = flipped(ebb_reshape(c->x[1], .shape = EBB_SHAPE(rows_in(b), k)));
    return ebb_reshape(ebb_gemm(rows, columns), .shape = shape);
}

EBB_OP(inner,
    .sig = "input(),other()->()",
    .math = "y[i..,j..] = sum_k a[i..,k]*b[j..,k];  da = sum_j g*b,  db = sum_i g*a",
    .compose = inner_compose,
    .tries = "[3] [3]; [2,3] [3]; [2,3] [4,3]; [2,2,3] [2,3]; [] [3]; [2] []; [2,0] [3,0]; [0,3] [2,3]",
    .doc = "Sum of products over the last dims; a 0-d operand multiplies everything.",
    .ref = "torch.inner"
);

static ebb_tensor *outer_compose(const ebb_call *c) {
    if (!has_rank(c, 0, "input", 1) || !has_rank(c, 1, "vec2", 1)) return NULL;
    return ebb_mul(ebb_reshape(c->x[0], .shape = EBB_SHAPE(c->x_shape[0].dim[0], 1)), c->x[1]);
}

EBB_OP(outer,
    .sig = "input(),vec2()->()",
    .math = "y_ij = a_i*b_j;  da = g*b,  db = g'*a",
    .compose = outer_compose,
    .tries = "[2] [3]; [0] [3]; [1] [1]",
    .doc = "Outer product of two vectors. Dtypes are promoted.",
    .ref = "torch.outer"
);

typedef struct dim_attrs {
    int64_t dim;
} dim_attrs;
static const ebb_attr dim_attr[] = {EBB_ATTR(EBB_A_INT, dim_attrs, dim, "-1", "the dim of the vectors")};

static ebb_tensor *linalg_vecdot_compose(const ebb_call *c) {
    const ebb_shape *a = &c->x_shape[0], *b = &c->x_shape[1];
    const int64_t dim = ((const dim_attrs *)c->attrs)->dim;
    const int n = a->ndim > b->ndim ? a->ndim : b->ndim, d = ebb_dim_of(dim, n);
    if (!one_dtype(c)) return NULL;
    if (!ebb_is_float(a->dtype))
        return EBB_FAIL(c, EBB_E_DTYPE, "it is for f32 and f64, not for %s", dtype_name(a->dtype));
    if (d < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the result of multiplying has %d dims", (long long)dim, n);
    if (!n) return ebb_mul(c->x[0], c->x[1]);
    const int da = d - (n - a->ndim), db = d - (n - b->ndim); /* where it is in each; below 0: broadcast */
    if (da < 0 || db < 0 || a->dim[da] != b->dim[db])
        return ebb_sum(ebb_mul(c->x[0], c->x[1]), .dim = EBB_DIMS(d));
    ebb_tensor *x = c->x[0], *y = c->x[1];
    if (d < n - 1) { /* to the end, the others in their order */
        ebb_ints p = {a->ndim, {0}}, q = {b->ndim, {0}};
        for (int k = 0; k < a->ndim; k++) p.v[k] = k < da ? k : k + 1 < a->ndim ? k + 1 : da;
        for (int k = 0; k < b->ndim; k++) q.v[k] = k < db ? k : k + 1 < b->ndim ? k + 1 : db;
        x = ebb_permute(x, .dims = p);
        y = ebb_permute(y, .dims = q);
    }
    return ebb_dot_rows(x, y);
}

EBB_OP(linalg_vecdot,
    .sig = "input(),other()->()",
    .math = "y = sum_k a_k*b_k along dim;  da = g*b,  db = g*a",
    .compose = linalg_vecdot_compose,
    .attrs = EBB_ATTRS(dim_attrs, dim_attr),
    .tries = "[2,3] [2,3]; [2,3] [3]; [2,3,4] [3,4] dim=-2; [2,3] [2,3] dim=0; [3] [2,3] dim=0; [2,3] [2,1]; [] []; [2,0] [2,0]",
    .doc = "Inner products along one dim; the shapes broadcast first.",
    .ref = "torch.linalg.vecdot"
);

/* ---- tensordot ---- */

typedef struct tensordot_attrs {
    int64_t dims;
    ebb_ints dims_a, dims_b;
} tensordot_attrs;
static const ebb_attr tensordot_attr[] = {
    EBB_ATTR(EBB_A_INT, tensordot_attrs, dims, "2",
             "how many of the last dims of a meet the first of b, where no lists are given"),
    EBB_ATTR(EBB_A_INTS, tensordot_attrs, dims_a, "", "dims of a to be summed over"),
    EBB_ATTR(EBB_A_INTS, tensordot_attrs, dims_b, "", "the dims of b they meet"),
};

/* The dims a list names, checked; the dims of a before or b behind that stay, in order. */
static bool dims_named(const ebb_call *c, int i, ebb_ints *dims, unsigned *mask) {
    const int n = c->x_shape[i].ndim;
    *mask = 0;
    for (int k = 0; k < dims->n; k++) {
        const int d = n ? ebb_dim_of(dims->v[k], n) : -1;
        if (d < 0 || *mask >> d & 1)
            return REFUSED(c, EBB_E_ATTR,
                           d < 0 ? "dim %lld is not among the %d dims of %s"
                                 : "dim %lld of the %d dims of %s is named twice",
                           (long long)dims->v[k], n, i ? "other" : "input");
        *mask |= 1u << d;
        dims->v[k] = d;
    }
    return true;
}

/* As a matrix: the dims that stay are rows and those of the list columns, or the other way round. `out` gets the sizes that stay. */
static ebb_tensor *unfolded(ebb_tensor *t, const ebb_ints *dims, unsigned mask, bool list_first, ebb_ints *out) {
    const ebb_info x = ebb_info_of(t);
    ebb_ints order = {0, {0}};
    int64_t stay = 1, sum = 1;
    for (int k = 0; k < dims->n && list_first; k++) order.v[order.n++] = dims->v[k];
    for (int d = 0; d < x.ndim; d++)
        if (!(mask >> d & 1)) {
            order.v[order.n++] = d;
            stay *= x.shape[d];
            if (out->n < EBB_MAX_DIMS) out->v[out->n] = x.shape[d];
            out->n++;
        }
    for (int k = 0; k < dims->n; k++) {
        sum *= x.shape[dims->v[k]];
        if (!list_first) order.v[order.n++] = dims->v[k];
    }
    return ebb_reshape(ebb_permute(t, .dims = order),
                       .shape = list_first ? EBB_SHAPE(sum, stay) : EBB_SHAPE(stay, sum));
}

static ebb_tensor *tensordot_compose(const ebb_call *c) {
    const tensordot_attrs *a = (const tensordot_attrs *)c->attrs;
    ebb_ints of[2] = {a->dims_a, a->dims_b}, out = {0, {0}};
    unsigned mask[2];
    if (of[0].n != of[1].n)
        return EBB_FAIL(c, EBB_E_ATTR, "dims_a names %d dims and dims_b %d; equally many are needed", of[0].n,
                        of[1].n);
    if (!of[0].n) {
        if (a->dims < 0 || a->dims > c->x_shape[0].ndim || a->dims > c->x_shape[1].ndim)
            return EBB_FAIL(c, EBB_E_ATTR, "dims is %lld, but input has %d dims and other %d",
                            (long long)a->dims, c->x_shape[0].ndim, c->x_shape[1].ndim);
        of[0].n = of[1].n = (int32_t)a->dims;
        for (int k = 0; k < of[0].n; k++) {
            of[0].v[k] = c->x_shape[0].ndim - a->dims + k;
            of[1].v[k] = k;
        }
    }
    if (!dims_named(c, 0, &of[0], &mask[0]) || !dims_named(c, 1, &of[1], &mask[1])) return NULL;
    ebb_tensor *t[2] = {c->x[0], c->x[1]};
    for (int k = 0; k < of[0].n; k++) { /* a size of 1 meets any: the other is summed */
        const int64_t p = c->x_shape[0].dim[of[0].v[k]], q = c->x_shape[1].dim[of[1].v[k]];
        if (p == q) continue;
        if (p != 1 && q != 1)
            return EBB_FAIL(c, EBB_E_SHAPE,
                            "dim %lld of input is %lld, but dim %lld of other, which it meets, is %lld",
                            (long long)of[0].v[k], (long long)p, (long long)of[1].v[k], (long long)q);
        const int i = p == 1;
        t[i] = ebb_sum(t[i], .dim = EBB_DIMS(of[i].v[k]), .keepdim = true);
    }
    ebb_tensor *x = unfolded(t[0], &of[0], mask[0], false, &out), *y = unfolded(t[1], &of[1], mask[1], true, &out);
    if (out.n > EBB_MAX_DIMS)
        return EBB_FAIL(c, EBB_E_SHAPE, "the result would have %d dims; %d are possible", out.n, EBB_MAX_DIMS);
    return ebb_reshape(ebb_gemm(x, y), .shape = out);
}

EBB_OP(tensordot,
    .sig = "input(),other()->()",
    .math = "y[i..,j..] = sum_k.. a[i..,k..]*b[k..,j..];  da = sum_j g*b,  db = sum_i g*a",
    .compose = tensordot_compose,
    .attrs = EBB_ATTRS(tensordot_attrs, tensordot_attr),
    .tries = "[2,3,4] [3,4,2]; [2,3] [3,2] dims=1; [2,3] [2] dims=0; [2,3,4] [4,5,3] dims_a=1,2 dims_b=-1,0; [2,3] [3,2] dims_a=0 dims_b=1; [2,3] [1,2] dims=1; [2,0] [0,3] dims=1; [] [] dims=0",
    .doc = "Sum of products over dims of both: the last of the one and the first of the other, or two lists of equal length.",
    .ref = "torch.tensordot"
);

/* ---- kron ---- */

/* All products, as a matrix; its rows are then split into a's dims and its columns into b's, and dim i of the result is a_i and
 * b_i side by side. Dims of size 1 need no place. */
static ebb_tensor *kron_compose(const ebb_call *c) {
    const ebb_shape *a = &c->x_shape[0], *b = &c->x_shape[1];
    const int n = a->ndim > b->ndim ? a->ndim : b->ndim;
    ebb_ints sa = {0, {0}}, sb = {0, {0}}, out = {n, {0}}, order = {0, {0}};
    int large = 0; /* dims of a that have a place */
    for (int d = 0; d < a->ndim; d++) large += a->dim[d] != 1;
    for (int d = 0; d < n; d++) {
        const int64_t p = d < n - a->ndim ? 1 : a->dim[d - (n - a->ndim)],
                      q = d < n - b->ndim ? 1 : b->dim[d - (n - b->ndim)];
        out.v[d] = p * q;
        if (order.n + (p != 1) + (q != 1) > EBB_MAX_DIMS)
            return EBB_FAIL(c, EBB_E_SHAPE, "more than %d dims of the two are larger than 1", EBB_MAX_DIMS);
        if (p != 1) {
            order.v[order.n++] = sa.n;
            sa.v[sa.n++] = p;
        }
        if (q != 1) {
            order.v[order.n++] = large + sb.n;
            sb.v[sb.n++] = q;
        }
    }
    for (int d = 0; d < sb.n; d++) sa.v[sa.n++] = sb.v[d];
    ebb_tensor *all = ebb_mul(ebb_reshape(c->x[0], .shape = EBB_SHAPE(ebb_shape_numel(a), 1)),
                              ebb_reshape(c->x[1], .shape = EBB_SHAPE(1, ebb_shape_numel(b))));
    return ebb_reshape(ebb_permute(ebb_reshape(all, .shape = sa), .dims = order), .shape = out);
}

EBB_OP(kron,
    .sig = "input(),other()->()",
    .math = "y[i*n + k, j*m + l] = a_ij*b_kl;  da_ij = sum_kl g*b_kl,  db_kl = sum_ij g*a_ij",
    .compose = kron_compose,
    .tries = "[2,3] [3,2]; [2] [3]; [2,3] [4]; [] [3]; [] []; [0,2] [2,2]; [1,2,1,2] [2,1,1,2]",
    .doc = "Kronecker product; the operand with fewer dims gets dims of size 1 in front. Dtypes are promoted.",
    .ref = "torch.kron"
);
