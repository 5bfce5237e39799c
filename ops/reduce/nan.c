/* nan.c - floor 5: reductions that leave NaN out. */
#include "quantile.h"

static const ebb_attr sum_attr[] = {
    EBB_ATTR(EBB_A_INTS, sum_attrs, dim, "", "the dims to reduce; none given: all"),
    EBB_ATTR(EBB_A_BOOL, sum_attrs, keepdim, "0", "keep them, with size 1"),
    EBB_ATTR(EBB_A_DTYPE, sum_attrs, dtype, "none", "convert the input to this first"),
};

#define NO_NAN(v) ((v) == (v) ? (v) : 0)
EBB_KERNEL(nansum_fwd, SUM_BODY(NO_NAN, AS_IT_IS))

static ebb_tensor *nansum_compose(const ebb_call *c) {
    const sum_attrs *a = (const sum_attrs *)c->attrs;
    const int32_t want = sum_dtype(a->dtype, c->x_shape[0].dtype);
    if (!is_integer(want)) {
        ebb_tensor *x = for_sum(c);
        return x ? ebb_nansum(x, .dim = a->dim, .keepdim = a->keepdim, .dtype = a->dtype) : NULL;
    }
    return ebb_sum(c->x[0], .dim = a->dim, .keepdim = a->keepdim, .dtype = want);
}
static ebb_tensor *nansum_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_where(ebb_eq(c->x[0], c->x[0]), kept(c, g), ebb_scalar(g, 0));
}

EBB_OP(nansum,
    .sig = "input(n)->()",
    .math = "y = sum of the x_i that are not NaN;  dx_i = g, 0 where x_i is NaN",
    .compose = nansum_compose,
    .fwd = nansum_fwd,
    .attrs = EBB_ATTRS(sum_attrs, sum_attr),
    .axes = "dim",
    .vjp = EBB_VJP({nansum_dx, EBB_X(0)}),
    .flags = EBB_SKIPS_NAN | EBB_STRIDED,
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; [3,0] dim=1; dim=1 dtype=f32",
    .doc = "Sum over the given dims with NaN taken as 0."
);

static ebb_tensor *nanmean_compose(const ebb_call *c) {
    const sum_attrs *a = (const sum_attrs *)c->attrs;
    if (is_integer(c->x_shape[0].dtype)) return EBB_FAIL(c, EBB_E_DTYPE, "the input must be f32 or f64");
    ebb_tensor *count = ebb_count_nonzero(ebb_eq(c->x[0], c->x[0]), .dim = a->dim, .keepdim = a->keepdim);
    ebb_tensor *sum = ebb_nansum(c->x[0], .dim = a->dim, .keepdim = a->keepdim, .dtype = a->dtype);
    return ebb_div(sum, ebb_to(count, (ebb_dtype)ebb_info_of(sum).dtype));
}

EBB_OP(nanmean,
    .sig = "input(n)->()",
    .math = "y = mean of the k elements x_i that are not NaN;  dx_i = g/k, 0 where x_i is NaN",
    .compose = nanmean_compose,
    .attrs = EBB_ATTRS(sum_attrs, sum_attr),
    .axes = "dim",
    .flags = EBB_SKIPS_NAN,
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; dim=1 dtype=f32",
    .doc = "Mean over the given dims without the elements that are NaN; NaN when there are no others."
);

/* ---- by place in the order ---- */

static const ebb_attr along_attr[] = {
    EBB_ATTR(EBB_A_INT, along_attrs, dim, "min", "the dim to reduce; min: all"),
    EBB_ATTR(EBB_A_BOOL, along_attrs, keepdim, "0", "keep it, with size 1"),
};
static const ebb_attr quantile_attr[] = {
    EBB_ATTR(EBB_A_FLOATS, quantile_attrs, q, NULL, "one or several numbers in 0..1"),
    EBB_ATTR(EBB_A_INT, quantile_attrs, dim, "min", "the dim to reduce; min: all"),
    EBB_ATTR(EBB_A_BOOL, quantile_attrs, keepdim, "0", "keep it, with size 1"),
    EBB_ATTR(EBB_A_ENUM, quantile_attrs, interpolation, "linear", "what lies between two elements",
             .choices = "linear|lower|higher|midpoint|nearest"),
};

static ebb_tensor *nanmedian_compose(const ebb_call *c) {
    const along_attrs *a = (const along_attrs *)c->attrs;
    return picked(c, ebb_argkth(c->x[0], .dim = a->dim, .keepdim = true, .k = -1), a->dim, a->keepdim);
}

EBB_OP(nanmedian,
    .sig = "input(n)->(),():i",
    .math = "y = x_j, number (k + 1)/2 in order, rounded down, of the k that are not NaN, and j;  dx_j = g, else 0",
    .compose = nanmedian_compose,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .axes = "dim",
    .flags = EBB_SKIPS_NAN,
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=1; [2,3,4]; [2,3] keepdim=1",
    .doc = "median without the elements that are NaN; NaN, and the index of the first, when there are no others."
);

static ebb_tensor *nanquantile_compose(const ebb_call *c) { return quantile_of(c, true); }

EBB_OP(nanquantile,
    .sig = "input()->()",
    .math = "quantile of the elements that are not NaN",
    .compose = nanquantile_compose,
    .attrs = EBB_ATTRS(quantile_attrs, quantile_attr),
    .flags = EBB_SKIPS_NAN | EBB_OWN_SHAPES,
    .tries = "[5] q=0.3; [3,4] q=0.25,0.6 dim=0; [3,4] q=0.5 dim=-1 keepdim=1; [2,3,4] q=0.4 dim=1 interpolation=lower",
    .doc = "quantile without the elements that are NaN; NaN when there are no others."
);
