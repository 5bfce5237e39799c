/* activation.c - floor 5: activation functions. */
#include <ebb/op.h>

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

EBB_MAP1(relu_fwd, x < 0 ? 0 : x)

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
    EBB_ATTR(EBB_A_FLOAT, leaky_relu_attrs, negative_slope, "0.01", "slope where x is negative")};

EBB_MAP1_ATTRS(leaky_relu_fwd, leaky_relu_attrs, x > 0 ? x : (T)a->negative_slope * x)

static ebb_tensor *leaky_relu_dx(const ebb_call *c, ebb_tensor *g) {
    const leaky_relu_attrs *a = (const leaky_relu_attrs *)c->attrs;
    ebb_tensor *x = c->x[0];
    return ebb_where(ebb_gt(x, ebb_scalar(x, 0)), g, ebb_mul_scalar(g, a->negative_slope));
}
EBB_MAP2_ATTRS(leaky_relu_pull, leaky_relu_attrs, y > 0 ? x : (T)a->negative_slope * x)

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

typedef struct softplus_attrs {
    double beta, threshold;
} softplus_attrs;
static const ebb_attr softplus_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, softplus_attrs, beta, "1", "sharpness, above 0", .lo = 1e-30, .hi = 1e30),
    EBB_ATTR(EBB_A_FLOAT, softplus_attrs, threshold, "20", "linear where beta*x is above"),
};

EBB_MAP1_ATTRS(softplus_fwd, softplus_attrs,
    x * (T)a->beta > (T)a->threshold ? x : ebb_log1p(ebb_exp(x * (T)a->beta)) / (T)a->beta)

static ebb_tensor *softplus_dx(const ebb_call *c, ebb_tensor *g) {
    const softplus_attrs *a = (const softplus_attrs *)c->attrs;
    ebb_tensor *z = ebb_mul_scalar(c->x[0], a->beta);
    return ebb_where(ebb_gt(z, ebb_scalar(z, a->threshold)), g, ebb_mul(g, ebb_sigmoid(z)));
}

EBB_OP(softplus,
    .sig = "input()->()",
    .math = "y = ln(1 + exp(b*x))/b, x where b*x > threshold;  dx = g*sigmoid(b*x), g above",
    .fwd = softplus_fwd,
    .attrs = EBB_ATTRS(softplus_attrs, softplus_attr),
    .vjp = EBB_VJP({softplus_dx, EBB_X(0)}),
    .flags = EBB_INPLACE | EBB_FLOAT_OUT,
    .kinks = EBB_KINKS({"beta=2 threshold=0.6", 1, {0.3}, {0.6456563062257954}}),
    .tries = "beta=2; beta=0.5; beta=2 threshold=0.6",
    .doc = "Smooth rectifier. Above the threshold it is x itself."
);
