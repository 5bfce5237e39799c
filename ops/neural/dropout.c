/* dropout.c - floor 5: elements or whole channels left out at random while training. Masks are drawn again in backward, not stored. */
#include <ebb/op.h>
#include <ebb/random.h>

/* ---- drop: one kernel for all of them ---- */

typedef struct drop_attrs {
    double p, scale, shift, fill;
    int64_t key;
} drop_attrs;
static const ebb_attr drop_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, drop_attrs, p, "0.5", "probability of being left out", .lo = 0, .hi = 1),
    EBB_ATTR(EBB_A_FLOAT, drop_attrs, scale, "1", "what is kept is multiplied by this"),
    EBB_ATTR(EBB_A_FLOAT, drop_attrs, shift, "0", "and this is added to it"),
    EBB_ATTR(EBB_A_FLOAT, drop_attrs, fill, "0", "what is left out becomes this"),
    EBB_ATTR(EBB_A_INT, drop_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static ebb_status drop_infer(ebb_infer *s) {
    s->y->ndim = s->x->ndim;
    for (int d = 0; d < s->x->ndim; d++) s->y->shape[d] = s->x->shape[d];
    s->work = s->x->numel ? (s->x->numel + 3) / 4 : 1;
    return EBB_OK;
}

/* Element i has word i%4 of block i/4. STRIP blocks are drawn together, in a loop that can be vectorised. */
enum { STRIP = 64 };

EBB_KERNEL(drop_fwd,
    const drop_attrs *a = (const drop_attrs *)l->attrs;
    const T *x = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    const T scale = (T)a->scale; const T shift = (T)a->shift; const T fill = (T)a->fill;
    const uint64_t key = (uint64_t)a->key;
    const double limit = a->p * 0x1p32;
    const bool all = limit >= 0x1p32;
    const uint32_t below = all ? 0 : (uint32_t)limit;
    uint32_t r[4 * STRIP];
    for (int64_t at = l->first; at < l->first + l->n; at += STRIP) {
        const int64_t blocks = l->first + l->n - at < STRIP ? l->first + l->n - at : STRIP;
        const int64_t left = l->arg[0].numel - 4 * at; const int64_t count = left < 4 * blocks ? left : 4 * blocks;
        for (int64_t k = 0; k < blocks; k++) {
            const ebb_block b = ebb_philox(key, 0, (uint64_t)(at + k));
            r[4 * k] = b.r[0];
            r[4 * k + 1] = b.r[1];
            r[4 * k + 2] = b.r[2];
            r[4 * k + 3] = b.r[3];
        }
        for (int64_t k = 0; k < count; k++) {
            const bool keep = !all && r[k] >= below;
            y[4 * at + k] = x[4 * at + k] * (keep ? scale : 0) + (keep ? shift : fill);
        }
    })

static ebb_tensor *drop_dx(const ebb_call *c, ebb_tensor *g) {
    const drop_attrs *a = (const drop_attrs *)c->attrs;
    return ebb_drop(g, .p = a->p, .scale = a->scale, .key = a->key);
}

EBB_OP(drop,
    .sig = "input()->()",
    .math = "y = x*scale + shift where kept, fill where not;  dx = g*scale where kept, 0 where not",
    .infer = drop_infer,
    .fwd = drop_fwd,
    .attrs = EBB_ATTRS(drop_attrs, drop_attr),
    .vjp = EBB_VJP({drop_dx, 0}),
    .flags = EBB_RANDOM | EBB_INTERNAL,
    .tries = "[3,4]; [3,4] p=0.3 scale=1.5; [7] shift=0.5 fill=-0.25; []; [0]; [1] p=0; [5] p=1; [601] p=0.2 scale=2",
    .doc = "Each element kept or left out at random. Element i is kept when word i%4 of block i/4 under the key is at least p*2^32. What the dropouts are made of."
);

/* ---- the dropouts ---- */

typedef struct dropout_attrs {
    double p;
    bool training;
    int64_t key;
} dropout_attrs;
static const ebb_attr dropout_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, dropout_attrs, p, "0.5", "probability of being left out", .lo = 0, .hi = 1),
    EBB_ATTR(EBB_A_BOOL, dropout_attrs, training, "1", "if not, the input is returned"),
    EBB_ATTR(EBB_A_INT, dropout_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};
static const ebb_attr alpha_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, dropout_attrs, p, "0.5", "probability of being left out", .lo = 0, .hi = 1),
    EBB_ATTR(EBB_A_BOOL, dropout_attrs, training, "0", "if not, the input is returned"),
    EBB_ATTR(EBB_A_INT, dropout_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

/* The result where nothing is drawn, whatever the dims, as PyTorch; NULL elsewhere. */
static ebb_tensor *certain(const ebb_call *c) {
    const dropout_attrs *a = (const dropout_attrs *)c->attrs;
    if (!a->training || a->p == 0 || !ebb_shape_numel(&c->x_shape[0])) return c->x[0];
    return a->p == 1 ? ebb_mul_scalar(c->x[0], 0) : NULL;
}

static ebb_tensor *dropout_compose(const ebb_call *c) {
    const dropout_attrs *a = (const dropout_attrs *)c->attrs;
    ebb_tensor *y = certain(c);
    if (y) return y;
    return ebb_drop(c->x[0], .p = a->p, .scale = 1 / (1 - a->p), .key = a->key);
}

EBB_OP(dropout,
    .sig = "input()->()",
    .math = "y = x/(1-p) where kept, 0 where not;  dx = g/(1-p) where kept, 0 where not",
    .compose = dropout_compose,
    .attrs = EBB_ATTRS(dropout_attrs, dropout_attr),
    .flags = EBB_RANDOM | EBB_INPLACE,
    .tries = "[3,4]; [3,4] p=0.2; [7] training=0; [5] p=0; [5] p=1; []; [0]",
    .doc = "Leaves out each element with probability p and scales the others up, so that the mean stays.",
    .ref = "Srivastava et al., 2014, Dropout"
);

/* The mean and variance of what goes in, taken as 0 and 1, stay: constants of selu, whose value at -inf stands for what is left out. */
typedef struct alpha {
    double scale, shift, fill;
} alpha;
static alpha alpha_of(double p) {
    const double low = -1.7580993408473766, scale = 1 / ebb_sqrt((low * low * p + 1) * (1 - p));
    return (alpha){scale, -scale * low * p, scale * low * (1 - p)};
}

static ebb_tensor *alpha_dropout_compose(const ebb_call *c) {
    const dropout_attrs *a = (const dropout_attrs *)c->attrs;
    ebb_tensor *y = certain(c);
    if (y) return y;
    const alpha k = alpha_of(a->p);
    return ebb_drop(c->x[0], .p = a->p, .scale = k.scale, .shift = k.shift, .fill = k.fill, .key = a->key);
}

EBB_OP(alpha_dropout,
    .sig = "input()->()",
    .math = "y = s*x - s*low*p where kept, s*low*(1-p) where not; low = -1.7581, s = 1/sqrt((low^2 p + 1)(1 - p));  dx = g*s where kept, 0 where not",
    .compose = alpha_dropout_compose,
    .attrs = EBB_ATTRS(dropout_attrs, alpha_attr),
    .flags = EBB_RANDOM | EBB_INPLACE,
    .tries = "[3,4] training=1; [3,4] p=0.2 training=1; [7]; [5] p=1 training=1; [0] training=1",
    .doc = "Dropout that keeps mean and variance, for layers with selu. p = 1 gives 0.",
    .ref = "Klambauer et al., 2017, Self-normalizing neural networks"
);

/* ---- whole channels ---- */

/* A tensor of zeros with an element for each channel: [N,C,1..] of [N,C,..], [1,C,1..] of a single sample. */
static ebb_tensor *channels_of(const ebb_call *c, bool single) {
    const ebb_shape *x = &c->x_shape[0];
    ebb_ints size = {x->ndim, {0}};
    for (int d = 0; d < size.n; d++) size.v[d] = d < (single ? 1 : 2) ? x->dim[d] : 1;
    return ebb_expand(ebb_scalar(c->x[0], 0), .size = size);
}

static ebb_tensor *drop_channels(const ebb_call *c, bool single) {
    const dropout_attrs *a = (const dropout_attrs *)c->attrs;
    return ebb_mul(c->x[0], ebb_drop(channels_of(c, single), .p = a->p, .shift = 1 / (1 - a->p), .key = a->key));
}

static ebb_tensor *dropout1d_compose(const ebb_call *c) {
    const int n = c->x_shape[0].ndim;
    if (n != 2 && n != 3)
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; 2, [C,L], or 3, [N,C,L], are needed", n);
    ebb_tensor *y = certain(c);
    return y ? y : drop_channels(c, n == 2);
}

EBB_OP(dropout1d,
    .sig = "input()->()",
    .math = "y_nc = x_nc/(1-p) where channel c of sample n is kept, 0 where not;  dx likewise of g",
    .compose = dropout1d_compose,
    .attrs = EBB_ATTRS(dropout_attrs, dropout_attr),
    .flags = EBB_RANDOM | EBB_INPLACE,
    .tries = "[2,3,4]; [6,4] p=0.3; [2,3,4] training=0; [5,2,3] p=1",
    .doc = "Leaves out whole channels of [N,C,L] or [C,L] with probability p and scales the others up.",
    .ref = "Tompson et al., 2015, Efficient object localization using convolutional networks"
);

static ebb_tensor *dropout2d_compose(const ebb_call *c) {
    const int n = c->x_shape[0].ndim;
    ebb_tensor *y = certain(c);
    if (y) return y;
    if (n < 2) return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; [N,C,H,W] is needed", n);
    return drop_channels(c, false);
}

EBB_OP(dropout2d,
    .sig = "input()->()",
    .math = "y_nc = x_nc/(1-p) where channel c of sample n is kept, 0 where not;  dx likewise of g",
    .compose = dropout2d_compose,
    .attrs = EBB_ATTRS(dropout_attrs, dropout_attr),
    .flags = EBB_RANDOM | EBB_INPLACE,
    .tries = "[2,3,2,2]; [2,5,2,1] p=0.3; [2,3,2,2] training=0; [5,2,3]; [2,2,1,1] p=1",
    .doc = "Leaves out whole channels of [N,C,H,W] with probability p and scales the others up. The first two dims are N and C, however many follow.",
    .ref = "Tompson et al., 2015, Efficient object localization using convolutional networks"
);

static ebb_tensor *dropout3d_compose(const ebb_call *c) {
    const int n = c->x_shape[0].ndim;
    ebb_tensor *y = certain(c);
    if (y) return y;
    if (n < 1) return EBB_FAIL(c, EBB_E_SHAPE, "the input has 0 dims; 5, [N,C,D,H,W], or 4 are needed");
    return drop_channels(c, n != 5);
}

EBB_OP(dropout3d,
    .sig = "input()->()",
    .math = "y_nc = x_nc/(1-p) where channel c of sample n is kept, 0 where not;  dx likewise of g",
    .compose = dropout3d_compose,
    .attrs = EBB_ATTRS(dropout_attrs, dropout_attr),
    .flags = EBB_RANDOM | EBB_INPLACE,
    .tries = "[2,3,2,1,2]; [6,2,1,2] p=0.3; [2,3,2,1,2] training=0; [2,2,1,1,1] p=1",
    .doc = "Leaves out whole channels of [N,C,D,H,W], or of [C,D,H,W], with probability p and scales the others up.",
    .ref = "Tompson et al., 2015, Efficient object localization using convolutional networks"
);

static ebb_tensor *feature_alpha_dropout_compose(const ebb_call *c) {
    const dropout_attrs *a = (const dropout_attrs *)c->attrs;
    ebb_tensor *y = certain(c);
    if (y) return y;
    if (c->x_shape[0].ndim < 2)
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; at least 2 are needed, [N,C,..]",
                        c->x_shape[0].ndim);
    const alpha k = alpha_of(a->p);
    ebb_tensor *zeros = channels_of(c, false);
    ebb_tensor *slope = ebb_drop(zeros, .p = a->p, .shift = k.scale, .key = a->key);
    return ebb_add(ebb_mul(c->x[0], slope),
                   ebb_drop(zeros, .p = a->p, .shift = k.shift, .fill = k.fill, .key = a->key));
}

EBB_OP(feature_alpha_dropout,
    .sig = "input()->()",
    .math = "as alpha_dropout, channel by channel",
    .compose = feature_alpha_dropout_compose,
    .attrs = EBB_ATTRS(dropout_attrs, alpha_attr),
    .flags = EBB_RANDOM | EBB_INPLACE,
    .tries = "[2,3,4] training=1; [4,5] p=0.2 training=1; [2,3]; [2,3,2] p=1 training=1",
    .doc = "Dropout of whole channels of [N,C,..] that keeps mean and variance, for layers with selu.",
    .ref = "Klambauer et al., 2017, Self-normalizing neural networks"
);
