/* median.c - floor 5: medians and quantiles: elements by their place in the order of a row. NaN wins. */
#include "quantile.h"

static const ebb_attr along_attr[] = {
    EBB_ATTR(EBB_A_INT, along_attrs, dim, "min", "the dim to reduce; min: all"),
    EBB_ATTR(EBB_A_BOOL, along_attrs, keepdim, "0", "keep it, with size 1"),
};

static ebb_tensor *median_compose(const ebb_call *c) {
    const along_attrs *a = (const along_attrs *)c->attrs;
    return picked(c, ebb_argkth(c->x[0], .dim = a->dim, .keepdim = true, .k = 0), a->dim, a->keepdim);
}

EBB_OP(median,
    .sig = "input(n)->(),():i",
    .math = "y = x_j, number (n + 1)/2 in order, rounded down, and j;  dx_j = g, else 0",
    .compose = median_compose,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .axes = "dim",
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=1; [2,3,4]; [2,3] keepdim=1; [71] dim=0",
    .doc = "The median of a dim, the lower of two, and its index; NaN wins. Without a dim: of all, with the index into the flattened input "
           "(torch.median(x) gives the value alone)."
);

static const ebb_attr quantile_attr[] = {
    EBB_ATTR(EBB_A_FLOATS, quantile_attrs, q, NULL, "one or several numbers in 0..1"),
    EBB_ATTR(EBB_A_INT, quantile_attrs, dim, "min", "the dim to reduce; min: all"),
    EBB_ATTR(EBB_A_BOOL, quantile_attrs, keepdim, "0", "keep it, with size 1"),
    EBB_ATTR(EBB_A_ENUM, quantile_attrs, interpolation, "linear", "what lies between two elements",
             .choices = "linear|lower|higher|midpoint|nearest"),
};
static ebb_tensor *quantile_compose(const ebb_call *c) { return quantile_of(c, false); }

EBB_OP(quantile,
    .sig = "input()->()",
    .math = "y = s_i + (p - i)*(s_{i+1} - s_i), s the sorted elements, p = q*(n - 1), i = floor(p); or s_i, s_{i+1}, their mean, the nearer one",
    .compose = quantile_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(quantile_attrs, quantile_attr),
    .tries = "[5] q=0.3; [3,4] q=0.25,0.6 dim=0; [3,4] q=0.5 dim=-1 keepdim=1; [2,3,4] q=0.4 dim=1 interpolation=lower; [7] q=0.4 interpolation=higher; "
             "[7] q=0.4 interpolation=midpoint; [7] q=0.4,0.9 interpolation=nearest; [] q=0.3; [2,3] q=0,1 keepdim=1",
    .doc = "Quantiles along dim, of all elements without one. Several q give a new first dim, one gives none. A row with a NaN has the quantile NaN."
);
