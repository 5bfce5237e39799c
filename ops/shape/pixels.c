/* pixels.c - floor 5: images whose channels become pixels, and back; channels in another order. */
#include "shape.h"

/* (batch, groups, r, r, h, w) or (batch, groups, h, r, w, r), permuted to the other. The dims of the input before the last
 * three are the batch. */
static ebb_tensor *shuffled(const ebb_call *c, bool back, int64_t r) {
    const ebb_shape *x = &c->x_shape[0];
    if (x->ndim < 3)
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "the input has %d dims; at least 3 are needed: channels, height, width", x->ndim);
    if (r < 1 || r > (int64_t)1 << 24)
        return EBB_FAIL(c, EBB_E_ATTR, "the factor is %lld; at least 1 is needed", (long long)r);
    ebb_ints size = ebb_ints_of(x);
    int64_t *last = size.v + x->ndim - 3, batch = 1;
    const int64_t channels = last[0], h = last[1], w = last[2];
    for (int d = 0; d < x->ndim - 3; d++) batch *= x->dim[d];
    if (back ? h % r || w % r : channels % (r * r))
        return EBB_FAIL(c, EBB_E_SHAPE, "%lld channels of %lld x %lld do not divide by the factor %lld",
                        (long long)channels, (long long)h, (long long)w, (long long)r);
    last[0] = back ? channels * r * r : channels / (r * r);
    last[1] = back ? h / r : h * r;
    last[2] = back ? w / r : w * r;
    ebb_tensor *y =
        back ? ebb_permute(ebb_reshape(c->x[0], .shape = EBB_SHAPE(batch, channels, h / r, r, w / r, r)),
                           .dims = EBB_DIMS(0, 1, 3, 5, 2, 4))
             : ebb_permute(ebb_reshape(c->x[0], .shape = EBB_SHAPE(batch, last[0], r, r, h, w)),
                           .dims = EBB_DIMS(0, 1, 4, 2, 5, 3));
    return ebb_reshape(ebb_contiguous(y), .shape = size);
}

typedef struct upscale_attrs {
    int64_t upscale_factor;
} upscale_attrs;
static const ebb_attr upscale_attr[] = {
    EBB_ATTR(EBB_A_INT, upscale_attrs, upscale_factor, NULL, "r: how much larger height and width become")};

static ebb_tensor *pixel_shuffle_compose(const ebb_call *c) {
    return shuffled(c, false, ((const upscale_attrs *)c->attrs)->upscale_factor);
}

EBB_OP(pixel_shuffle,
    .sig = "input()->()",
    .math = "y[c, h*r + i, w*r + j] = x[c*r*r + i*r + j, h, w];  dx = g, unshuffled",
    .compose = pixel_shuffle_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(upscale_attrs, upscale_attr),
    .tries = "[4,2,3] upscale_factor=2; [2,8,1,2] upscale_factor=2; [3,2,2] upscale_factor=1; [9,1,2] upscale_factor=3",
    .doc = "(.., c*r*r, h, w) becomes (.., c, h*r, w*r).",
    .ref = "Shi et al. 2016, arXiv:1609.05158"
);

typedef struct downscale_attrs {
    int64_t downscale_factor;
} downscale_attrs;
static const ebb_attr downscale_attr[] = {EBB_ATTR(EBB_A_INT, downscale_attrs, downscale_factor, NULL,
                                                   "r: how much smaller height and width become")};

static ebb_tensor *pixel_unshuffle_compose(const ebb_call *c) {
    return shuffled(c, true, ((const downscale_attrs *)c->attrs)->downscale_factor);
}

EBB_OP(pixel_unshuffle,
    .sig = "input()->()",
    .math = "y[c*r*r + i*r + j, h, w] = x[c, h*r + i, w*r + j];  dx = g, shuffled",
    .compose = pixel_unshuffle_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(downscale_attrs, downscale_attr),
    .tries = "[1,4,6] downscale_factor=2; [2,2,2,4] downscale_factor=2; [1,3,3] downscale_factor=3",
    .doc = "(.., c, h*r, w*r) becomes (.., c*r*r, h, w): the inverse of pixel_shuffle."
);

typedef struct groups_attrs {
    int64_t groups;
} groups_attrs;
static const ebb_attr groups_attr[] = {
    EBB_ATTR(EBB_A_INT, groups_attrs, groups, NULL, "groups of channels that are mixed")};

static ebb_tensor *channel_shuffle_compose(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0];
    const int64_t groups = ((const groups_attrs *)c->attrs)->groups;
    if (x->ndim < 3)
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; at least 3 are needed: batch, channels ...",
                        x->ndim);
    if (groups < 1 || x->dim[1] % groups)
        return EBB_FAIL(c, EBB_E_SHAPE, "%lld channels do not divide into %lld groups", (long long)x->dim[1],
                        (long long)groups);
    int64_t rest = 1;
    for (int d = 2; d < x->ndim; d++) rest *= x->dim[d];
    ebb_tensor *y = ebb_reshape(c->x[0], .shape = EBB_SHAPE(x->dim[0], groups, x->dim[1] / groups, rest));
    return ebb_reshape(ebb_contiguous(ebb_transpose(y, .dim0 = 1, .dim1 = 2)), .shape = ebb_ints_of(x));
}

EBB_OP(channel_shuffle,
    .sig = "input()->()",
    .math = "y[:, i*groups + k] = x[:, k*(n/groups) + i];  dx = g in the order back",
    .compose = channel_shuffle_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(groups_attrs, groups_attr),
    .tries = "[1,4,2] groups=2; [2,6,1,2] groups=3; [1,3,2] groups=1",
    .doc = "Puts the first channel of each group first, then the second of each ..."
);
