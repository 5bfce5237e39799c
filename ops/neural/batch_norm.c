/* batch_norm.c - floor 5: normalisation by channel, with running statistics: batch_norm, instance_norm.
 *
 * PyTorch changes running statistics in place while it normalises. ebb ops do not change what they are given: batch_norm_update
 * computes the new ones, outside the graph. */
#include "norm.h"

/* ---- how the input is seen ---- */

/* Whether input [N,C,..] and the vectors beside it fit; if not, the error is set. */
static bool fits(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0];
    if (x->ndim < 2) {
        (void)EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; at least 2 are needed, [N,C,..]", x->ndim);
        return false;
    }
    for (int i = 0; i < c->n_x; i++)
        if (c->x[i] && (c->x_shape[i].dtype != x->dtype || !ebb_is_float(x->dtype))) {
            (void)EBB_FAIL(
                c, EBB_E_DTYPE,
                "the input and what stands beside it must be of one float dtype; convert with ebb_to (op \"to\")");
            return false;
        }
    return per_channel(c, x->dim[1]);
}

/* [N,C,S], where each c is a group; or for instances [N,C,1,1,S], where each row is. */
static ebb_ints groups_of(const ebb_shape *x, bool instances) {
    const int64_t spatial = spatial_of(x);
    return instances ? EBB_SHAPE(x->dim[0], x->dim[1], 1, 1, spatial) : EBB_SHAPE(x->dim[0], x->dim[1], spatial);
}

/* x normalised by the running statistics of its channels. */
static ebb_tensor *by_running(const ebb_call *c, double eps) {
    const ebb_shape *x = &c->x_shape[0];
    ebb_tensor *mean = given(c, 1), *var = given(c, 2), *weight = given(c, 3), *bias = given(c, 4);
    if (!mean || !var)
        return EBB_FAIL(c, EBB_E_ARG,
                        "running_mean and running_var are needed where the input's own statistics are not used");
    ebb_ints one = {x->ndim - 1, {0}};
    for (int d = 0; d < one.n; d++) one.v[d] = d ? 1 : x->dim[1];
    ebb_tensor *scale = ebb_div_into(1, ebb_sqrt(ebb_add_scalar(ebb_reshape(var, .shape = one), eps)));
    if (weight) scale = ebb_mul(scale, ebb_reshape(weight, .shape = one));
    ebb_tensor *y = ebb_mul(ebb_sub(c->x[0], ebb_reshape(mean, .shape = one)), scale);
    return bias ? ebb_add(y, ebb_reshape(bias, .shape = one)) : y;
}

/* Mean of the channels of [N,C], and x without it: whole rows are added, which is many times faster than column by column. */
static ebb_tensor *centered(ebb_tensor *x, ebb_tensor **mean) {
    *mean = ebb_mean(x, .dim = EBB_DIMS(0));
    return ebb_sub(x, *mean);
}

/* x [N,C] normalised by the statistics of its columns. */
static ebb_tensor *columns(const ebb_call *c, double eps) {
    ebb_tensor *mean,
        *x = centered(ebb_reshape(c->x[0], .shape = EBB_SHAPE(c->x_shape[0].dim[0], c->x_shape[0].dim[1])), &mean);
    ebb_tensor *deviation = ebb_sqrt(ebb_add_scalar(ebb_mean(ebb_square(x), .dim = EBB_DIMS(0)), eps));
    ebb_tensor *scale = given(c, 3) ? ebb_div(c->x[3], deviation) : ebb_div_into(1, deviation);
    ebb_tensor *y = ebb_mul(x, scale);
    if (given(c, 4)) y = ebb_add(y, c->x[4]);
    return ebb_reshape(y, .shape = ebb_ints_of(&c->x_shape[0]));
}

/* x normalised by its own statistics. */
static ebb_tensor *by_own(const ebb_call *c, double eps, bool instances) {
    const ebb_shape *x = &c->x_shape[0];
    if (x->dim[instances ? 1 : 0] && (instances ? 1 : x->dim[0]) * spatial_of(x) == 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "each channel%s has 1 value; more are needed for a variance",
                        instances ? " of a sample" : "");
    if (spatial_of(x) == 1) return columns(c, eps);
    const ebb_ints group = groups_of(x, instances);
    const ebb_ints one = instances ? EBB_SHAPE(x->dim[1], 1, 1, 1) : EBB_SHAPE(1, x->dim[1], 1);
    const ebb_ints all = instances ? EBB_SHAPE(x->dim[1], 1, 1, spatial_of(x)) : group;
    ebb_tensor *y = ebb_standardize(ebb_reshape(c->x[0], .shape = group), scale_of(c, given(c, 3), one, all),
                                    shift_of(given(c, 4), one, all), .eps = eps);
    return ebb_reshape(y, .shape = ebb_ints_of(x));
}

/* ---- batch_norm, instance_norm ---- */

typedef struct batch_attrs {
    bool training;
    double eps;
} batch_attrs;
static const ebb_attr batch_attr[] = {
    EBB_ATTR(EBB_A_BOOL, batch_attrs, training, "0", "use the batch's own statistics instead of the running ones"),
    EBB_ATTR(EBB_A_FLOAT, batch_attrs, eps, "1e-05", "added to the variance", .lo = 0, .hi = 1e300),
};

static ebb_tensor *batch_norm_compose(const ebb_call *c) {
    const batch_attrs *a = (const batch_attrs *)c->attrs;
    if (!fits(c)) return NULL;
    return a->training ? by_own(c, a->eps, false) : by_running(c, a->eps);
}

EBB_OP(batch_norm,
    .sig = "input(),running_mean()?,running_var()?,weight()?,bias()?->()",
    .math = "y = (x - mean)/sqrt(var + eps)*w + b, mean and var of each channel of the batch, or the running ones",
    .compose = batch_norm_compose,
    .attrs = EBB_ATTRS(batch_attrs, batch_attr),
    .domain = EBB_DOMAIN({-2, 2}, {-1, 1}, {0.3, 2}, {-2, 2}),
    .tries = "[4,3] [3] [3] [3] [3]; [4,3] - - [3] [3] training=1; [2,3,4] - - [3] - training=1 eps=0.1; [2,3,2,2] - - - [3] training=1; [2,3,2,2] [3] [3] eps=0.1; [3,2,1] - - - [2] training=1; [0,3] [3] [3] [3] [3]; [2,1,17] - - [1] [1] training=1",
    .doc = "Brings each channel of [N,C,..] to mean 0 and variance 1: over the batch when training, else by the running statistics. These do not change; batch_norm_update makes the new ones.",
    .ref = "Ioffe and Szegedy, 2015, Batch normalization"
);

typedef struct instance_attrs {
    bool use_input_stats;
    double eps;
} instance_attrs;
static const ebb_attr instance_attr[] = {
    EBB_ATTR(EBB_A_BOOL, instance_attrs, use_input_stats, "1",
             "use each sample's own statistics instead of the running ones"),
    EBB_ATTR(EBB_A_FLOAT, instance_attrs, eps, "1e-05", "added to the variance", .lo = 0, .hi = 1e300),
};

static ebb_tensor *instance_norm_compose(const ebb_call *c) {
    const instance_attrs *a = (const instance_attrs *)c->attrs;
    if (!fits(c)) return NULL;
    return a->use_input_stats ? by_own(c, a->eps, true) : by_running(c, a->eps);
}

EBB_OP(instance_norm,
    .sig = "input(),running_mean()?,running_var()?,weight()?,bias()?->()",
    .math = "y = (x - mean)/sqrt(var + eps)*w + b, mean and var of each channel of each sample, or the running ones",
    .compose = instance_norm_compose,
    .attrs = EBB_ATTRS(instance_attrs, instance_attr),
    .domain = EBB_DOMAIN({-2, 2}, {-1, 1}, {0.3, 2}, {-2, 2}),
    .tries = "[2,3,4] - - [3] [3]; [2,3,4] [3] [3] [3] [3] use_input_stats=0; [2,3,4] - - [3] - eps=0.1; [2,3,2,2] - - - [3]; [2,3,2] [3] [3] use_input_stats=0 eps=0.1; [0,3,2] - - [3] [3]; [1,1,17] - - [1] [1]",
    .doc = "Brings each channel of each sample of [N,C,..] to mean 0 and variance 1, by the running statistics when its own are not used. These do not change; batch_norm_update with instances makes the new ones.",
    .ref = "Ulyanov et al., 2016, Instance normalization"
);

/* ---- running statistics ---- */

typedef struct update_attrs {
    double momentum;
    bool instances;
} update_attrs;
static const ebb_attr update_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, update_attrs, momentum, "0.1", "weight of the batch's own statistics in the new ones"),
    EBB_ATTR(EBB_A_BOOL, update_attrs, instances, "0",
             "the statistics of each sample, averaged, as instance_norm uses them"),
};

/* Mean and unbiased variance of the channels, [C], or of each sample's channels, [N,C]. */
static void statistics(const ebb_call *c, bool instances, ebb_tensor *now[2]) {
    const ebb_shape *x = &c->x_shape[0];
    now[0] = now[1] = NULL;
    if (spatial_of(x) == 1 && !instances && x->dim[0]) {
        ebb_tensor *off = centered(ebb_reshape(c->x[0], .shape = EBB_SHAPE(x->dim[0], x->dim[1])), &now[0]);
        now[1] = ebb_div_scalar(ebb_sum(ebb_square(off), .dim = EBB_DIMS(0)), (double)(x->dim[0] - 1));
        return;
    }
    now[0] = ebb_moments(ebb_reshape(c->x[0], .shape = groups_of(x, instances)), .more = now + 1);
}

static ebb_tensor *batch_norm_update_compose(const ebb_call *c) {
    const update_attrs *a = (const update_attrs *)c->attrs;
    if (!fits(c)) return NULL;
    ebb_tensor *now[2];
    statistics(c, a->instances, now);
    for (int i = 0; i < 2; i++) {
        ebb_tensor *old = given(c, 1 + i);
        if (a->instances) now[i] = ebb_mean(now[i], .dim = EBB_DIMS(0, 2));
        if (old) now[i] = ebb_add(ebb_mul_scalar(old, 1 - a->momentum), ebb_mul_scalar(now[i], a->momentum));
    }
    c->more[0] = now[1];
    return now[0];
}

EBB_OP(batch_norm_update,
    .sig = "input(),running_mean()?,running_var()?->(),()",
    .math = "mean' = (1 - momentum)*mean + momentum*(the batch's mean),  var' = (1 - momentum)*var + momentum*(its unbiased variance)",
    .compose = batch_norm_update_compose,
    .attrs = EBB_ATTRS(update_attrs, update_attr),
    .vjp = EBB_VJP({NULL, 0}, {NULL, 0}, {NULL, 0}),
    .tries = "[4,3] [3] [3]; [2,3,4] [3] [3] momentum=0.3; [2,3,4] [3] [3] instances=1; [2,3,2,2]; [2,3,2] - [3]; [2,0,4] [0] [0]",
    .doc = "The running mean and variance of the channels of [N,C,..] after a batch, for the next batch_norm; the batch's own where there are none yet. No gradient flows."
);
