/* loss.c - floor 5: losses of a prediction beside a number: mse, l1, smooth l1, huber, and of distributions: kl_div, poisson, gaussian. */
#include "loss.h"

static const ebb_attr loss_attr[] = {
    EBB_ATTR(EBB_A_ENUM, loss_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
};

/* ---- mse_loss, l1_loss ---- */

static ebb_tensor *mse_loss_compose(const ebb_call *c) {
    return loss__reduced(c, ebb_square(ebb_sub(c->x[0], c->x[1])));
}

EBB_OP(mse_loss,
    .sig = "input(),target()->()",
    .math = "L = mean (x - t)^2;  dx = g*2*(x - t)/n,  dt = -dx",
    .compose = mse_loss_compose,
    .attrs = EBB_ATTRS(loss_attrs, loss_attr),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [2,3] reduction=none; [2,3] [2,3]; [1] [1]; [] []",
    .doc = "Mean squared error."
);

static ebb_tensor *l1_loss_compose(const ebb_call *c) {
    return loss__reduced(c, ebb_abs(ebb_sub(c->x[0], c->x[1])));
}

EBB_OP(l1_loss,
    .sig = "input(),target()->()",
    .math = "L = mean |x - t|;  dx = g*sign(x - t)/n,  dt = -dx",
    .compose = l1_loss_compose,
    .attrs = EBB_ATTRS(loss_attrs, loss_attr),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [3] reduction=none; [1] [1]; [] []",
    .doc = "Mean absolute error; its derivative where both are equal is 0."
);

/* ---- smooth_l1_loss, huber_loss ---- */

typedef struct bend_attrs {
    double delta;
} bend_attrs;
static const ebb_attr bend_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, bend_attrs, delta, "1", "where the square ends", .lo = 0, .hi = HUGE_VAL),
};

#define BENT(v, k) (ebb_abs(v) < (k) ? (v) * (v) * (T)0.5 : (k) * (ebb_abs(v) - (T)0.5 * (k)))
#define DELTA const T end = (T)((const bend_attrs *)l->attrs)->delta;
EBB_KERNEL(huber_of_fwd, DELTA EBB__MAP1_BODY(T, BENT(x, end)))
EBB_KERNEL(huber_of_pull, DELTA EBB__MAP2_BODY(T, ebb_abs(y) < end || y != y ? x * y : y < 0 ? -end * x : end * x))

static ebb_tensor *huber_of_dx(const ebb_call *c, ebb_tensor *g) {
    const double k = ((const bend_attrs *)c->attrs)->delta;
    ebb_tensor *x = c->x[0];
    return ebb_mul(g, ebb_where(ebb_lt(ebb_abs(x), ebb_scalar(x, k)), x, ebb_mul_scalar(ebb_sign(x), k)));
}

EBB_OP(huber_of,
    .sig = "input()->()",
    .math = "y = x^2/2 where |x| < k, else k*(|x| - k/2);  dx = g*x where |x| < k, else g*k*sign(x)",
    .fwd = huber_of_fwd,
    .attrs = EBB_ATTRS(bend_attrs, bend_attr),
    .vjp = EBB_VJP({huber_of_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, huber_of_pull, EBB_X(0)}),
    .flags = EBB_INTERNAL,
    .kinks = EBB_KINKS({NULL, 1, {1}, {1}}, {NULL, 1, {-1}, {-1}}, {"delta=0.4", 1, {0.4}, {0.4}}, {"delta=0.4", 1, {-0.4}, {-0.4}}),
    .tries = "delta=0.4",
    .doc = "A square near 0 that goes on straight. What huber_loss and smooth_l1_loss are made of."
);

typedef struct huber_attrs {
    int32_t reduction;
    double delta;
} huber_attrs;
static const ebb_attr huber_attr[] = {
    EBB_ATTR(EBB_A_ENUM, huber_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_FLOAT, huber_attrs, delta, "1", "where the square ends, above 0", .lo = 1e-300, .hi = HUGE_VAL),
};

static ebb_tensor *huber_loss_compose(const ebb_call *c) {
    return loss__reduced(
        c, ebb_huber_of(ebb_sub(c->x[0], c->x[1]), .delta = ((const huber_attrs *)c->attrs)->delta));
}

EBB_OP(huber_loss,
    .sig = "input(),target()->()",
    .math = "L = mean h(x - t), h(d) = d^2/2 where |d| < delta, else delta*(|d| - delta/2);  dx = g*h'(x - t)/n,  dt = -dx",
    .compose = huber_loss_compose,
    .attrs = EBB_ATTRS(huber_attrs, huber_attr),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [3] reduction=none delta=0.4; [1] [1]; [5] [5] delta=0.7; [] []",
    .doc = "Squared error for small differences, absolute error times delta beyond.",
    .ref = "Huber, 1964"
);

typedef struct smooth_attrs {
    int32_t reduction;
    double beta;
} smooth_attrs;
static const ebb_attr smooth_attr[] = {
    EBB_ATTR(EBB_A_ENUM, smooth_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_FLOAT, smooth_attrs, beta, "1", "where the square ends; 0: l1_loss", .lo = 0, .hi = HUGE_VAL),
};

static ebb_tensor *smooth_l1_loss_compose(const ebb_call *c) {
    const double beta = ((const smooth_attrs *)c->attrs)->beta;
    ebb_tensor *d = ebb_sub(c->x[0], c->x[1]);
    if (beta == 0) return loss__reduced(c, ebb_abs(d));
    ebb_tensor *each = ebb_huber_of(d, .delta = beta);
    return loss__reduced(c, beta == 1 ? each : ebb_div_scalar(each, beta));
}

EBB_OP(smooth_l1_loss,
    .sig = "input(),target()->()",
    .math = "L = mean h(x - t), h(d) = d^2/(2*beta) where |d| < beta, else |d| - beta/2;  dx = g*h'(x - t)/n,  dt = -dx",
    .compose = smooth_l1_loss_compose,
    .attrs = EBB_ATTRS(smooth_attrs, smooth_attr),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [3] reduction=none beta=0.4; [1] [1]; [5] [5] beta=0.7; [5] [5] beta=0; [] []",
    .doc = "Absolute error with a rounded bottom: huber_loss over beta."
);

/* ---- kl_div ---- */

EBB_MAP1(xlogx_fwd, x == 0 ? 0 : x * ebb_log(x))

static ebb_tensor *xlogx_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_add_scalar(ebb_log(c->x[0]), 1));
}

EBB_OP(xlogx,
    .sig = "input()->()",
    .math = "y = x*ln(x), 0 at 0;  dx = g*(ln(x) + 1)",
    .fwd = xlogx_fwd,
    .vjp = EBB_VJP({xlogx_dx, EBB_X(0)}),
    .flags = EBB_INTERNAL,
    .domain = EBB_DOMAIN({0.2, 3}),
    .doc = "x times its logarithm, NaN below 0. What kl_div is made of."
);

typedef struct kl_attrs {
    int32_t reduction;
    bool log_target;
} kl_attrs;
static const ebb_attr kl_attr[] = {
    EBB_ATTR(EBB_A_ENUM, kl_attrs, reduction, "mean", "batchmean: the sum over dim 0's size",
             .choices = "mean|sum|none|batchmean"),
    EBB_ATTR(EBB_A_BOOL, kl_attrs, log_target, "0", "target holds logarithms too"),
};

static ebb_tensor *kl_div_compose(const ebb_call *c) {
    const kl_attrs *a = (const kl_attrs *)c->attrs;
    ebb_tensor *x = c->x[0], *t = c->x[1];
    ebb_tensor *each = a->log_target ? ebb_mul(ebb_exp(t), ebb_sub(t, x)) : ebb_sub(ebb_xlogx(t), ebb_mul(t, x));
    if (a->reduction != 3) return loss__reduced(c, each);
    ebb_tensor *all = ebb_sum(each);
    return c->x_shape[0].ndim ? ebb_div_scalar(all, (double)c->x_shape[0].dim[0]) : all;
}

EBB_OP(kl_div,
    .sig = "input(),target()->()",
    .math = "L = mean t*(ln t - x), exp(t)*(t - x) with log_target;  dx = -g*t/n,  dt = g*(ln t + 1 - x)/n",
    .compose = kl_div_compose,
    .attrs = EBB_ATTRS(kl_attrs, kl_attr),
    .domain = EBB_DOMAIN({-3, 0}, {0.1, 1}),
    .tries = "[2,3] [2,3] reduction=batchmean; [2,3] [2,3] reduction=sum log_target=1; [2,3] [3] reduction=none; [3] [3]; [] []",
    .doc = "Kullback-Leibler divergence from the distribution target, input being logarithms. batchmean is the mathematical one."
);

/* ---- poisson_nll_loss ---- */

typedef struct poisson_attrs {
    int32_t reduction;
    bool log_input, full;
    double eps;
} poisson_attrs;
static const ebb_attr poisson_attr[] = {
    EBB_ATTR(EBB_A_ENUM, poisson_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_BOOL, poisson_attrs, log_input, "1", "input is the logarithm of the rate"),
    EBB_ATTR(EBB_A_BOOL, poisson_attrs, full, "0", "add Stirling's approximation of ln t! where t > 1"),
    EBB_ATTR(EBB_A_FLOAT, poisson_attrs, eps, "1e-8", "added to the rate before its logarithm is taken"),
};

static ebb_tensor *poisson_nll_loss_compose(const ebb_call *c) {
    const poisson_attrs *a = (const poisson_attrs *)c->attrs;
    ebb_tensor *x = c->x[0], *t = c->x[1];
    ebb_tensor *each = a->log_input ? ebb_sub(ebb_exp(x), ebb_mul(t, x))
                                    : ebb_sub(x, ebb_mul(t, ebb_log(ebb_add_scalar(x, a->eps))));
    if (a->full) {
        ebb_tensor *one = ebb_scalar(t, 1), *small = ebb_le(t, one), *n = ebb_where(small, one, t);
        ebb_tensor *stirling = ebb_add(ebb_sub(ebb_mul(n, ebb_log(n)), n),
                                       ebb_mul_scalar(ebb_log(ebb_mul_scalar(n, 6.283185307179586)), 0.5));
        each = ebb_add(each, ebb_where(small, ebb_scalar(stirling, 0), stirling));
    }
    return loss__reduced(c, each);
}

EBB_OP(poisson_nll_loss,
    .sig = "input(),target()->()",
    .math = "L = mean exp(x) - t*x, x - t*ln(x + eps) without log_input;  dx = g*(exp(x) - t)/n, g*(1 - t/(x + eps))/n",
    .compose = poisson_nll_loss_compose,
    .attrs = EBB_ATTRS(poisson_attrs, poisson_attr),
    .domain = EBB_DOMAIN({0.2, 2}, {0.1, 4}),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [3] reduction=none full=1; [5] [5] log_input=0; [5] [5] log_input=0 eps=0.1 full=1; [] []",
    .doc = "Negative log-likelihood of counts under a Poisson distribution."
);

/* ---- gaussian_nll_loss ---- */

typedef struct floor_attrs {
    double eps;
} floor_attrs;
static const ebb_attr floor_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, floor_attrs, eps, "1e-6", "the least variance"),
};

EBB_KERNEL(variance_fwd,
    const floor_attrs *a = (const floor_attrs *)l->attrs;
    for (int64_t i = 0; i < l->n; i++) {
        const T v = ((const T *)l->p[0])[i * l->step[0]];
        if (v < 0 && v - v == 0) return l->fail(l, EBB_E_ARG, "var is %g somewhere; a variance is not negative", (double)v);
        ((T *)l->p[1])[i * l->step[1]] = v < (T)a->eps ? (T)a->eps : v;
    })

static ebb_tensor *variance_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}

EBB_OP(variance_of,
    .sig = "input()->()",
    .math = "y = max(x, eps);  dx = g",
    .fwd = variance_fwd,
    .attrs = EBB_ATTRS(floor_attrs, floor_attr),
    .vjp = EBB_VJP({variance_dx, 0}),
    .flags = EBB_INTERNAL,
    .domain = EBB_DOMAIN({0.3, 2}),
    .doc = "A variance of at least eps, the gradient passing as if it had been. What gaussian_nll_loss is made of."
);

typedef struct gaussian_attrs {
    int32_t reduction;
    bool full;
    double eps;
} gaussian_attrs;
static const ebb_attr gaussian_attr[] = {
    EBB_ATTR(EBB_A_ENUM, gaussian_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_BOOL, gaussian_attrs, full, "0", "add the constant ln(2*pi)/2"),
    EBB_ATTR(EBB_A_FLOAT, gaussian_attrs, eps, "1e-6", "the least variance"),
};

static ebb_tensor *gaussian_nll_loss_compose(const ebb_call *c) {
    const gaussian_attrs *a = (const gaussian_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0], *v = &c->x_shape[2];
    ebb_tensor *var = c->x[2];
    if (!loss__same_shape(x, v)) {
        const int head = x->ndim ? x->ndim - 1 : 0;
        bool rows = v->ndim == head || (v->ndim == head + 1 && v->dim[head] == 1);
        for (int d = 0; d < head && rows; d++) rows = v->dim[d] == x->dim[d];
        if (!rows)
            return EBB_FAIL(c, EBB_E_SHAPE,
                            "var is %s and input %s; var is like input, or without its last dim, or has 1 there",
                            loss__sizes(v).s, loss__sizes(x).s);
        if (v->ndim == head) var = loss__column(var);
    }
    var = ebb_variance_of(var, .eps = a->eps);
    ebb_tensor *each = ebb_add(ebb_log(var), ebb_div(ebb_square(ebb_sub(c->x[0], c->x[1])), var));
    each = ebb_mul_scalar(each, 0.5);
    return loss__reduced(c, a->full ? ebb_add_scalar(each, 0.91893853320467274178) : each);
}

EBB_OP(gaussian_nll_loss,
    .sig = "input(),target(),var()->()",
    .math = "L = mean (ln v + (x - t)^2/v)/2;  dx = g*(x - t)/v/n,  dt = -dx,  dv = g*(1/v - (x - t)^2/v^2)/2/n",
    .compose = gaussian_nll_loss_compose,
    .attrs = EBB_ATTRS(gaussian_attrs, gaussian_attr),
    .domain = EBB_DOMAIN({-2, 2}, {-2, 2}, {0.3, 2}),
    .tries = "[2,3] [2,3] [2,3] reduction=sum; [2,3] [2,3] [2] reduction=none; [2,3] [2,3] [2,1]; [5] [5] [5] full=1; [3] [3] [] full=1",
    .doc = "Negative log-likelihood under normal distributions. A variance below eps counts as eps, in the gradient too."
);
