/* activation.c - floor 5: sigmoid, and the rectifiers with a slope: relu, leaky_relu, prelu, rrelu; glu and softmin. */
#include "activation.h"
#include <ebb/random.h>

EBB_MAP1(sigmoid_fwd, ebb_sigmoid(x))

static ebb_tensor *sigmoid_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *y = c->y[0];
    return ebb_mul(g, ebb_mul(y, ebb_sub_from(1, y)));
}
EBB_MAP2(sigmoid_pull, x * (y * (1 - y)))

EBB_OP(sigmoid,
    .sig = "input()->()",
    .math = "y = 1/(1 + exp(-x));  dx = g*y*(1 - y)",
    .fwd = sigmoid_fwd,
    .vjp = EBB_VJP({sigmoid_dx, EBB_Y(0)}),
    .pull = EBB_PULL({0, sigmoid_pull, EBB_Y(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .doc = "Logistic function, without overflow for any x."
);

/* ---- relu, leaky_relu ---- */

EBB_WIDE1(relu_fwd, x < 0 ? 0 : x)

static ebb_tensor *relu_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *y = c->y[0];
    return ebb_where(ebb_le(y, ebb_scalar(y, 0)), ebb_scalar(g, 0), g); /* NaN passes it on */
}
EBB_MAP2(relu_pull, y <= 0 ? 0 : x)

EBB_OP(relu,
    .sig = "input()->()",
    .math = "y = max(x, 0);  dx = g where x > 0, else 0",
    .fwd = relu_fwd,
    .vjp = EBB_VJP({relu_dx, EBB_Y(0)}),
    .pull = EBB_PULL({0, relu_pull, EBB_Y(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}),
    .doc = "Rectifier; its derivative at 0 is 0."
);

typedef struct leaky_relu_attrs {
    double negative_slope;
} leaky_relu_attrs;
static const ebb_attr leaky_relu_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, leaky_relu_attrs, negative_slope, "0.01", "slope where x is negative"),
};

EBB_MAP1_OF(leaky_relu_fwd, leaky_relu_attrs, const T slope = (T)a->negative_slope;, x > 0 ? x : slope * x)

static ebb_tensor *leaky_relu_dx(const ebb_call *c, ebb_tensor *g) {
    const leaky_relu_attrs *a = (const leaky_relu_attrs *)c->attrs;
    ebb_tensor *x = c->x[0];
    return ebb_where(ebb_gt(x, ebb_scalar(x, 0)), g, ebb_mul_scalar(g, a->negative_slope));
}
EBB_MAP2_OF(leaky_relu_pull, leaky_relu_attrs, const T slope = (T)a->negative_slope;, y > 0 ? x : slope * x)

EBB_OP(leaky_relu,
    .sig = "input()->()",
    .math = "y = x where x > 0, else s*x;  dx = g where x > 0, else s*g",
    .fwd = leaky_relu_fwd,
    .attrs = EBB_ATTRS(leaky_relu_attrs, leaky_relu_attr),
    .vjp = EBB_VJP({leaky_relu_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, leaky_relu_pull, EBB_X(0)}),
    .flags = EBB_INPLACE,
    .kinks = EBB_KINKS({NULL, 1, {0}, {0.01}}, {"negative_slope=0.3", 1, {0}, {0.3}}),
    .tries = "negative_slope=0.3; negative_slope=-1",
    .doc = "Rectifier that lets a part of the negative through; its derivative at 0 is the slope."
);

/* ---- prelu ---- */

EBB_MAP2(sloped_fwd, x > 0 ? x : y * x)

static ebb_tensor *sloped_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0];
    return ebb_where(ebb_gt(x, ebb_scalar(x, 0)), g, ebb_mul(g, c->x[1]));
}
static ebb_tensor *sloped_dw(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *none = ebb_scalar(x, 0);
    return ebb_mul(g, ebb_where(ebb_gt(x, none), none, x));
}

EBB_OP(sloped_relu,
    .sig = "input(),weight()->()",
    .math = "y = x where x > 0, else w*x;  dx = g where x > 0, else w*g,  dw = 0 where x > 0, else g*x",
    .fwd = sloped_fwd,
    .vjp = EBB_VJP({sloped_dx, EBB_X(0) | EBB_X(1)}, {sloped_dw, EBB_X(0)}),
    .flags = EBB_INTERNAL,
    .kinks = EBB_KINKS({NULL, 2, {0, 0.5}, {0.5, 0}}),
    .doc = "Rectifier with a slope for each element. What prelu is made of."
);

/* One slope, or one for each channel, which is dim 1. */
static ebb_tensor *prelu_compose(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0], *w = &c->x_shape[1];
    if (w->ndim > 1)
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "weight has %d dims; it is a list of slopes, of 1 dim, or a single one", w->ndim);
    const int64_t n = ebb_shape_numel(w), channels = x->ndim > 1 ? x->dim[1] : 1;
    if (n == 1) return ebb_sloped_relu(c->x[0], ebb_reshape(c->x[1], .shape = EBB_SHAPE0));
    if (n != channels)
        return EBB_FAIL(c, EBB_E_SHAPE, "weight has %lld slopes, input %lld channels (dim 1); give as many, or one",
                        (long long)n, (long long)channels);
    ebb_ints shape = {x->ndim > 1 ? x->ndim - 1 : 1, {n, 1, 1, 1, 1, 1, 1, 1}};
    return ebb_sloped_relu(c->x[0], ebb_reshape(c->x[1], .shape = shape));
}

EBB_OP(prelu,
    .sig = "input(),weight()->()",
    .math = "y = x where x > 0, else w*x;  dx = g where x > 0, else w*g,  dw = sum of g*x where x <= 0",
    .compose = prelu_compose,
    .tries = "[2,3] [3]; [2,3,2] [3]; [2,3,2,2] [3]; [0,3] [3]; [3,5] [5]",
    .doc = "Rectifier whose slope for negative x is learnt: one for each channel (dim 1), or a single one."
);

/* ---- rrelu ---- */

typedef struct rrelu_attrs {
    double lower, upper;
    bool training;
    int64_t key;
} rrelu_attrs;
static const ebb_attr rrelu_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, rrelu_attrs, lower, "0.125", "least slope"),
    EBB_ATTR(EBB_A_FLOAT, rrelu_attrs, upper, "0.33333333333333333", "largest slope"),
    EBB_ATTR(EBB_A_BOOL, rrelu_attrs, training, "0", "draw a slope for each element; else their middle"),
    EBB_ATTR(EBB_A_INT, rrelu_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static ebb_status rrelu_infer(ebb_infer *s) {
    const rrelu_attrs *a = (const rrelu_attrs *)s->attrs;
    if (a->training && !(a->lower <= a->upper))
        return s->fail(s, EBB_E_ATTR, "lower is %g and upper %g; lower may not be above upper", a->lower, a->upper);
    s->y->ndim = s->x->ndim;
    for (int d = 0; d < s->x->ndim; d++) s->y->shape[d] = s->x->shape[d];
    s->work = s->x->numel ? s->x->numel : 1;
    return EBB_OK;
}

/* Slope of element i: drawn, or the middle. */
static EBB_INLINE double rrelu_slope_at(const rrelu_attrs *a, int64_t i) {
    return a->training ? a->lower + (a->upper - a->lower) * ebb_unit(a->key, i) : (a->lower + a->upper) / 2;
}
#define RRELU_BODY(value)                                                                                    \
    const rrelu_attrs *a = (const rrelu_attrs *)l->attrs;                                                    \
    const T *x = (const T *)l->p[0];                                                                         \
    T *y = (T *)l->p[1];                                                                                     \
    const int64_t all = l->arg[0].numel, end = l->first + l->n < all ? l->first + l->n : all;                \
    for (int64_t i = l->first; i < end; i++) y[i] = value;
EBB_KERNEL(rrelu_fwd, RRELU_BODY(x[i] > 0 ? x[i] : x[i] * (T)rrelu_slope_at(a, i)))
EBB_KERNEL(rrelu_slope_fwd, RRELU_BODY(x[i] > 0 ? 1 : (T)rrelu_slope_at(a, i)))

static ebb_tensor *rrelu_dx(const ebb_call *c, ebb_tensor *g) {
    const rrelu_attrs *a = (const rrelu_attrs *)c->attrs;
    return ebb_mul(g, ebb_rrelu_slope(c->x[0], .lower = a->lower, .upper = a->upper, .training = a->training,
                                      .key = a->key));
}

EBB_OP(rrelu,
    .sig = "input()->()",
    .math = "y = x where x > 0, else r*x;  dx = g where x > 0, else r*g;  r uniform in [lower, upper), or their middle",
    .infer = rrelu_infer,
    .fwd = rrelu_fwd,
    .attrs = EBB_ATTRS(rrelu_attrs, rrelu_attr),
    .vjp = EBB_VJP({rrelu_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_RANDOM,
    .tries = "[3,4]; [3,4] training=1; [5] training=1 lower=0.2 upper=0.7; [] training=1; [2,0,3] training=1; [7] lower=0.5; [67,61] training=1",
    .doc = "Leaky rectifier whose slope is drawn anew for each element in training, and is the middle of its range otherwise.",
    .ref = "Xu, Wang, Chen, Li, 2015, Empirical evaluation of rectified activations"
);

EBB_OP(rrelu_slope,
    .sig = "input()->()",
    .math = "y = 1 where x > 0, else r",
    .infer = rrelu_infer,
    .fwd = rrelu_slope_fwd,
    .attrs = EBB_ATTRS(rrelu_attrs, rrelu_attr),
    .flags = EBB_INTERNAL | EBB_RANDOM,
    .tries = "[3,4]; [3,4] training=1; [2,0,3]; [67,61] training=1 lower=0.2 upper=0.7",
    .doc = "The slope that rrelu has at each element. What its rule is made of."
);

/* ---- glu, softmin ---- */

typedef struct along_attrs {
    int64_t dim;
} along_attrs;
static const ebb_attr along_attr[] = {
    EBB_ATTR(EBB_A_INT, along_attrs, dim, "-1", "the dim to work along"),
};

static ebb_tensor *glu_compose(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0];
    const int64_t asked = ((const along_attrs *)c->attrs)->dim;
    const int dim = ebb_dim_of(asked, x->ndim);
    if (!x->ndim) return EBB_FAIL(c, EBB_E_SHAPE, "a 0-d tensor has no dim to halve");
    if (dim < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the input has %d dims", (long long)asked, x->ndim);
    if (!ebb_is_float(x->dtype))
        return EBB_FAIL(c, EBB_E_DTYPE, "floats are needed; convert with ebb_to (op \"to\")");
    const int64_t n = x->dim[dim] / 2;
    if (x->dim[dim] % 2)
        return EBB_FAIL(c, EBB_E_SHAPE, "dim %d is %lld; it is halved and must be even", dim,
                        (long long)x->dim[dim]);
    return ebb_mul(ebb_slice(c->x[0], .dim = dim, .start = 0, .end = n),
                   ebb_sigmoid(ebb_slice(c->x[0], .dim = dim, .start = n, .end = 2 * n)));
}

EBB_OP(glu,
    .sig = "input()->()",
    .math = "y = a*sigmoid(b), x = [a, b];  da = g*sigmoid(b),  db = g*a*s*(1 - s), s = sigmoid(b)",
    .compose = glu_compose,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .tries = "[3,4]; [4,3] dim=0; [2,6,2] dim=1; [2,0]; [2] dim=0",
    .doc = "Gated linear unit: the first half of a dim, gated by the second.",
    .ref = "Dauphin, Fan, Auli, Grangier, 2017"
);

static ebb_tensor *softmin_compose(const ebb_call *c) {
    if (ebb__is_bool(c)) return NULL;
    return ebb_softmax(ebb_neg(c->x[0]), .dim = ((const along_attrs *)c->attrs)->dim);
}

EBB_OP(softmin,
    .sig = "input(n)->(n)",
    .math = "y = softmax(-x);  dx = -y*(g - sum_j g_j*y_j)",
    .compose = softmin_compose,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .axes = "dim",
    .tries = "dim=0; [2,3,4] dim=1",
    .doc = "Probabilities along one dim, larger for smaller elements."
);
