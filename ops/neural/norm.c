/* norm.c - floor 5: normalisation within a sample: layer_norm, rms_norm, group_norm. */
#include "norm.h"

/* ---- over the last dims ---- */

typedef struct layer_attrs {
    ebb_ints normalized_shape;
    double eps;
} layer_attrs;
static const ebb_attr layer_attr[] = {
    EBB_ATTR(EBB_A_INTS, layer_attrs, normalized_shape, NULL, "sizes of the last dims, which are normalised together"),
    EBB_ATTR(EBB_A_FLOAT, layer_attrs, eps, "1e-05", "added to the variance", .lo = 0, .hi = 1e300),
};
static const ebb_attr rms_attr[] = {
    EBB_ATTR(EBB_A_INTS, layer_attrs, normalized_shape, NULL, "sizes of the last dims, which are normalised together"),
    EBB_ATTR(EBB_A_FLOAT, layer_attrs, eps, "nan", "added to the mean square; nan: the dtype's machine epsilon"),
};

static bool same_sizes(const ebb_ints *want, const int64_t *dim, int ndim) {
    bool same = ndim == want->n;
    for (int d = 0; same && d < ndim; d++) same = dim[d] == want->v[d];
    return same;
}

/* Every row of the last dims as a group of its own. */
static ebb_tensor *over_last(const ebb_call *c, ebb_tensor *bias, double eps, bool center) {
    const ebb_ints *last = &((const layer_attrs *)c->attrs)->normalized_shape;
    const ebb_shape *x = &c->x_shape[0];
    const int lead = x->ndim - last->n;
    if (last->n < 1) return EBB_FAIL(c, EBB_E_ATTR, "normalized_shape is empty; it names at least one dim");
    if (lead < 0 || !same_sizes(last, x->dim + lead, last->n))
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "normalized_shape has %d sizes, the last of them %lld; the input's last dims are not these",
                        last->n, (long long)last->v[last->n - 1]);
    for (int i = 1; i < c->n_x; i++)
        if (c->x[i] && !same_sizes(last, c->x_shape[i].dim, c->x_shape[i].ndim))
            return EBB_FAIL(c, EBB_E_SHAPE, "%s does not have the sizes of normalized_shape",
                            i == 1 ? "weight" : "bias");
    int64_t rows = 1, n = 1;
    for (int d = 0; d < lead; d++) rows *= x->dim[d];
    for (int d = 0; d < last->n; d++) n *= last->v[d];
    const ebb_ints group = EBB_SHAPE(1, 1, n);
    ebb_tensor *y = ebb_standardize(ebb_reshape(c->x[0], .shape = EBB_SHAPE(rows, 1, 1, n)),
                                    scale_of(c, given(c, 1), group, group), ebb_reshape(bias, .shape = group),
                                    .eps = eps, .center = center);
    return ebb_reshape(y, .shape = ebb_ints_of(x));
}

static ebb_tensor *layer_norm_compose(const ebb_call *c) {
    return over_last(c, given(c, 2), ((const layer_attrs *)c->attrs)->eps, true);
}

EBB_OP(layer_norm,
    .sig = "input(),weight()?,bias()?->()",
    .math = "y = (x - mean)/sqrt(var + eps)*w + b, mean and var of each row of the last dims",
    .compose = layer_norm_compose,
    .attrs = EBB_ATTRS(layer_attrs, layer_attr),
    .tries = "[4,5] normalized_shape=5; [2,3,4] [4] [4] normalized_shape=4 eps=0.1; [2,3,4] [3,4] normalized_shape=3,4; [5] - [5] normalized_shape=5; [0,3] [3] normalized_shape=3; [3,1] normalized_shape=1; [2,33] [33] [33] normalized_shape=33",
    .doc = "Brings each sample's last dims to mean 0 and variance 1, then scales and shifts. weight and bias have the shape normalized_shape.",
    .ref = "Ba et al., 2016, Layer normalization"
);

static ebb_tensor *rms_norm_compose(const ebb_call *c) {
    const double eps = ((const layer_attrs *)c->attrs)->eps;
    return over_last(c, NULL, !isnan(eps) ? eps : c->x_shape[0].dtype == EBB_F32 ? 0x1p-23 : 0x1p-52, false);
}

EBB_OP(rms_norm,
    .sig = "input(),weight()?->()",
    .math = "y = x/sqrt(mean(x^2) + eps)*w, the mean of each row of the last dims",
    .compose = rms_norm_compose,
    .attrs = EBB_ATTRS(layer_attrs, rms_attr),
    .tries = "[4,5] normalized_shape=5; [2,3,4] [4] normalized_shape=4 eps=0.1; [2,3,4] [3,4] normalized_shape=3,4; [5] normalized_shape=5; [0,3] [3] normalized_shape=3; [3,1] normalized_shape=1 eps=0.5",
    .doc = "Brings each sample's last dims to root mean square 1, then scales. weight has the shape normalized_shape.",
    .ref = "Zhang and Sennrich, 2019, Root mean square layer normalization"
);

/* ---- over groups of channels ---- */

typedef struct group_attrs {
    int64_t num_groups;
    double eps;
} group_attrs;
static const ebb_attr group_attr[] = {
    EBB_ATTR(EBB_A_INT, group_attrs, num_groups, NULL, "groups that the channels, dim 1, are cut into",
             .lo = 1, .hi = 9e18),
    EBB_ATTR(EBB_A_FLOAT, group_attrs, eps, "1e-05", "added to the variance", .lo = 0, .hi = 1e300),
};

static ebb_tensor *group_norm_compose(const ebb_call *c) {
    const group_attrs *a = (const group_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    if (x->ndim < 2)
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; at least 2 are needed, [N,C,..]", x->ndim);
    const int64_t groups = a->num_groups, channels = x->dim[1], each = channels / groups, spatial = spatial_of(x);
    if (channels % groups)
        return EBB_FAIL(c, EBB_E_SHAPE, "%lld channels cannot be cut into %lld groups", (long long)channels,
                        (long long)groups);
    if (x->dim[0] * each * spatial == 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "each group has 1 value; more are needed for a variance");
    if (!per_channel(c, channels)) return NULL;
    const ebb_ints one = EBB_SHAPE(groups, each, 1, 1), all = EBB_SHAPE(groups, each, 1, spatial);
    ebb_tensor *y =
        ebb_standardize(ebb_reshape(c->x[0], .shape = EBB_SHAPE(x->dim[0], groups, each, 1, spatial)),
                        scale_of(c, given(c, 1), one, all), shift_of(given(c, 2), one, all), .eps = a->eps);
    return ebb_reshape(y, .shape = ebb_ints_of(x));
}

EBB_OP(group_norm,
    .sig = "input(),weight()?,bias()?->()",
    .math = "y = (x - mean)/sqrt(var + eps)*w_c + b_c, mean and var of each group of channels of each sample",
    .compose = group_norm_compose,
    .attrs = EBB_ATTRS(group_attrs, group_attr),
    .tries = "[2,4,3] [4] [4] num_groups=2; [2,6] [6] num_groups=3 eps=0.1; [2,4,2,3] num_groups=1; [3,2,5] - [2] num_groups=2; [0,4,3] [4] [4] num_groups=2; [1,4,1] num_groups=1",
    .doc = "Brings each group of channels of each sample to mean 0 and variance 1, then scales and shifts each channel. The input is [N,C,..].",
    .ref = "Wu and He, 2018, Group normalization"
);
