/* quantile.h - floor 5: quantiles of rows, with or without their NaN. */
#ifndef EBB_QUANTILE_H
#define EBB_QUANTILE_H
#include "reduce.h"

typedef struct quantile_attrs {
    ebb_floats q;
    int64_t dim;
    bool keepdim;
    int32_t interpolation;
} quantile_attrs;
enum { LINEAR = 0, LOWER, HIGHER, MIDPOINT, NEAREST };

/* The element at rank p, a tensor, of sorted rows. */
static inline ebb_tensor *at_rank(ebb_tensor *sorted, ebb_tensor *p, int64_t dim, int how) {
    const ebb_dtype dtype = (ebb_dtype)ebb_info_of(p).dtype;
    ebb_tensor *below = ebb_floor(p), *above = ebb_neg(ebb_floor(ebb_neg(p)));
    if (how == NEAREST) { /* a half to the even one, as what lies above 2^52 is rounded */
        ebb_tensor *wide = ebb_to(p, EBB_F64);
        below = ebb_sub(ebb_add_scalar(wide, 0x1.8p52), ebb_scalar(wide, 0x1.8p52));
    }
    ebb_tensor *lo = ebb_gather(sorted, ebb_to(how == HIGHER ? above : below, EBB_I64), .dim = dim);
    if (how != LINEAR && how != MIDPOINT) return lo;
    ebb_tensor *hi = ebb_gather(sorted, ebb_to(above, EBB_I64), .dim = dim), *gap = ebb_sub(hi, lo);
    ebb_tensor *w =
        how == MIDPOINT ? ebb_constant(ebb_session_of(1, &p), dtype, EBB_SHAPE0, 0.5) : ebb_sub(p, below);
    return ebb_where(ebb_lt(w, ebb_scalar(w, 0.5)), ebb_add(lo, ebb_mul(gap, w)),
                     ebb_sub(hi, ebb_mul(gap, ebb_sub_from(1, w))));
}

/* Ranks are of all elements, NaN the last of them if there is one; `numbers`: of those that are not NaN. */
static inline ebb_tensor *quantile_of(const ebb_call *c, bool numbers) {
    const quantile_attrs *a = (const quantile_attrs *)c->attrs;
    const ebb_shape *s = &c->x_shape[0];
    const bool flat = a->dim == INT64_MIN || !s->ndim;
    const int dim = a->dim == INT64_MIN ? 0 : ebb_dim_of(a->dim, s->ndim);
    if (!ebb_is_float(s->dtype))
        return EBB_FAIL(c, EBB_E_DTYPE, "the input must be f32 or f64; convert with ebb_to (op \"to\")");
    if (!ebb_shape_numel(s))
        return EBB_FAIL(c, EBB_E_SHAPE, "the input is empty: there are no quantiles of nothing");
    if (dim < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the input has %d dims", (long long)a->dim, s->ndim);
    if (!a->q.n) return EBB_FAIL(c, EBB_E_ATTR, "q is empty; at least one number in 0..1 is needed");
    ebb_ints to = {0, {0}};
    for (int d = 0; d < s->ndim; d++)
        if (a->keepdim) to.v[to.n++] = a->dim == INT64_MIN || d == dim ? 1 : s->dim[d];
        else if (a->dim != INT64_MIN && d != dim) to.v[to.n++] = s->dim[d];
    if (a->q.n > 1) {
        if (to.n == EBB_MAX_DIMS)
            return EBB_FAIL(c, EBB_E_SHAPE, "the result would have more than %d dims", EBB_MAX_DIMS);
        memmove(to.v + 1, to.v, sizeof *to.v * (size_t)to.n++);
        to.v[0] = 1;
    }
    ebb_tensor *x = flat ? ebb_reshape(c->x[0], .shape = EBB_SHAPE(-1)) : c->x[0],
               *out[sizeof a->q.v / sizeof *a->q.v];
    ebb_tensor *sorted = ebb_gather(x, ebb_argsort(x, .dim = dim), .dim = dim);
    ebb_tensor *count =
        ebb_to(ebb_count_nonzero(ebb_eq(x, x), .dim = EBB_DIMS(dim), .keepdim = true), (ebb_dtype)s->dtype);
    const double n = (double)ebb_info_of(x).shape[dim];
    ebb_tensor *last = ebb_scalar(count, n - 1);
    for (int k = 0; k < a->q.n; k++) {
        if (!(a->q.v[k] >= 0 && a->q.v[k] <= 1))
            return EBB_FAIL(c, EBB_E_ATTR, "q has %g; the numbers must be in 0..1", a->q.v[k]);
        ebb_tensor *p = ebb_mul(
            ebb_maximum(ebb_add_scalar(numbers ? count : ebb_add_scalar(last, 1), -1), ebb_scalar(count, 0)),
            ebb_scalar(count, a->q.v[k]));
        if (!numbers) p = ebb_where(ebb_lt(count, ebb_scalar(count, n)), last, p);
        out[k] = ebb_reshape(at_rank(sorted, p, dim, a->interpolation), .shape = to);
    }
    return a->q.n == 1 ? out[0] : ebb_cat(a->q.n, out, .dim = 0);
}
#endif
