/* adaptive.c - floor 5: pooling to a given size, and the inverse of max pooling. */
#include "pool.h"

typedef struct adaptive_attrs {
    ebb_ints output_size;
} adaptive_attrs;
static const ebb_attr adaptive_attr[] = {
    EBB_ATTR(EBB_A_INTS, adaptive_attrs, output_size, NULL,
             "size of the result, for each spatial dim or one for all; -1: the input's")};

/* ---- adaptive_avg_pool ---- */

static ebb_tensor *adaptive_avg(const ebb_call *c, int dims) {
    windows w;
    if (!ebb__adaptive_windows(c, dims, &((const adaptive_attrs *)c->attrs)->output_size, &w)) return NULL;
    if (numel_of(&w.count) != 1) return ebb_window_mean(c->x[0], SAME_WINDOWS(&w), .adaptive = true);
    return ebb_mean(c->x[0], .dim = {dims, {-1, -2, -3}}, .keepdim = true); /* one window is the whole: a quicker kernel */
}

static ebb_tensor *adaptive_avg1(const ebb_call *c) { return adaptive_avg(c, 1); }
static ebb_tensor *adaptive_avg2(const ebb_call *c) { return adaptive_avg(c, 2); }
static ebb_tensor *adaptive_avg3(const ebb_call *c) { return adaptive_avg(c, 3); }

EBB_OP(adaptive_avg_pool1d,
    .sig = "input()->()",
    .math = "y[p] = mean of x[floor(p*size/out) .. ceil((p+1)*size/out)]",
    .compose = adaptive_avg1,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(adaptive_attrs, adaptive_attr),
    .tries = "[2,3,7] output_size=3; [3,5] output_size=8; [2,2,4] output_size=-1; [0,2,4] output_size=2; [1,2,3] output_size=0",
    .doc = "Means of windows that cover the last dim of (n, c, length) or (c, length), as many as output_size says.",
    .ref = "torch.nn.functional.adaptive_avg_pool1d"
);

EBB_OP(adaptive_avg_pool2d,
    .sig = "input()->()",
    .math = "y[p,q] = mean of x[floor(p*h/out) .. ceil((p+1)*h/out), q..]",
    .compose = adaptive_avg2,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(adaptive_attrs, adaptive_attr),
    .tries = "[2,3,7,5] output_size=3,2; [3,5,4] output_size=6; [2,1,4,3] output_size=-1,1; [0,2,4,4] output_size=2",
    .doc = "Means of windows that cover the planes of (n, c, h, w) or (c, h, w), as many as output_size says.",
    .ref = "torch.nn.functional.adaptive_avg_pool2d"
);

EBB_OP(adaptive_avg_pool3d,
    .sig = "input()->()",
    .math = "y[p,q,r] = mean of x[floor(p*d/out) .. ceil((p+1)*d/out), q.., r..]",
    .compose = adaptive_avg3,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(adaptive_attrs, adaptive_attr),
    .tries = "[1,2,4,5,3] output_size=3,2,2; [2,2,3,4] output_size=3; [1,1,3,2,4] output_size=-1,1,2",
    .doc = "Means of windows that cover the volumes of (n, c, d, h, w) or (c, d, h, w), as many as output_size says.",
    .ref = "torch.nn.functional.adaptive_avg_pool3d"
);

/* ---- adaptive_max_pool ---- */

static ebb_tensor *adaptive_max(const ebb_call *c, int dims) {
    windows w;
    if (!ebb__adaptive_windows(c, dims, &((const adaptive_attrs *)c->attrs)->output_size, &w)) return NULL;
    return ebb_window_max(c->x[0], SAME_WINDOWS(&w), .adaptive = true, .more = c->more);
}

static ebb_tensor *adaptive_max1(const ebb_call *c) { return adaptive_max(c, 1); }
static ebb_tensor *adaptive_max2(const ebb_call *c) { return adaptive_max(c, 2); }
static ebb_tensor *adaptive_max3(const ebb_call *c) { return adaptive_max(c, 3); }

EBB_OP(adaptive_max_pool1d,
    .sig = "input()->(),():i",
    .math = "y[p] = max of x[floor(p*size/out) .. ceil((p+1)*size/out)], i[p] = its place",
    .compose = adaptive_max1,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(adaptive_attrs, adaptive_attr),
    .tries = "[2,3,7] output_size=3; [3,5] output_size=8; [2,2,4] output_size=-1; [0,2,4] output_size=2; [1,2,3] output_size=0",
    .doc = "Maxima of windows that cover the last dim of (n, c, length) or (c, length), as many as output_size says, and their indices.",
    .ref = "torch.nn.functional.adaptive_max_pool1d"
);

EBB_OP(adaptive_max_pool2d,
    .sig = "input()->(),():i",
    .math = "y[p,q] = max of x[floor(p*h/out) .. ceil((p+1)*h/out), q..], i = its flat place in the plane",
    .compose = adaptive_max2,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(adaptive_attrs, adaptive_attr),
    .tries = "[2,3,7,5] output_size=3,2; [3,5,4] output_size=6; [2,1,4,3] output_size=-1,1; [0,2,4,4] output_size=2",
    .doc = "Maxima of windows that cover the planes of (n, c, h, w) or (c, h, w), as many as output_size says, and their indices.",
    .ref = "torch.nn.functional.adaptive_max_pool2d"
);

EBB_OP(adaptive_max_pool3d,
    .sig = "input()->(),():i",
    .math = "y[p,q,r] = max of x[floor(p*d/out) .. ceil((p+1)*d/out), q.., r..], i = its flat place in the volume",
    .compose = adaptive_max3,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(adaptive_attrs, adaptive_attr),
    .tries = "[1,2,4,5,3] output_size=3,2,2; [2,2,3,4] output_size=3; [1,1,3,2,4] output_size=-1,1,2",
    .doc = "Maxima of windows that cover the volumes of (n, c, d, h, w) or (c, d, h, w), as many as output_size says, and their indices.",
    .ref = "torch.nn.functional.adaptive_max_pool3d"
);
