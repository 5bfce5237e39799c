/* random.c - floor 5: random numbers by element: uniform, normal, exponential, integers. Element i is a function of (key, i) alone. */
#include "random.h"

/* ---- uniform ---- */

typedef struct uniform_attrs {
    ebb_ints size;
    double low, high;
    int32_t dtype;
    int64_t key;
} uniform_attrs;
static const ebb_attr uniform_attr[] = {
    EBB_ATTR(EBB_A_INTS, uniform_attrs, size, "", "shape; none given: a 0-d tensor"),
    EBB_ATTR(EBB_A_FLOAT, uniform_attrs, low, "0", "the least value"),
    EBB_ATTR(EBB_A_FLOAT, uniform_attrs, high, "1", "bound of the values, itself left out but for rounding"),
    EBB_ATTR(EBB_A_DTYPE, uniform_attrs, dtype, "f32", "element type, f32 or f64"),
    EBB_ATTR(EBB_A_INT, uniform_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static ebb_status uniform_infer(ebb_infer *s) {
    const uniform_attrs *a = (const uniform_attrs *)s->attrs;
    if (!(a->low <= a->high))
        return s->fail(s, EBB_E_ATTR, "low is %g, high %g: low may not be larger", a->low, a->high);
    return sized(s, &a->size, 4);
}

EBB_KERNEL(uniform_fwd,
    const uniform_attrs *a = (const uniform_attrs *)l->attrs;
    const T low = (T)a->low; const T wide = (T)(a->high - a->low);
    EACH_STRIP(a->key, l->arg[0].numel,
        for (int64_t k = 0; k < count; k++)
            y[k] = low + wide * (sizeof(T) == 4 ? (T)((float)(int32_t)(r[k] >> 8) * 0x1p-24f) : (T)ebb_unit_f64(r[k], s[k]));))

EBB_OP(uniform,
    .sig = "->()",
    .math = "y_i = low + u_i*(high - low), u uniform in [0, 1)",
    .infer = uniform_infer,
    .fwd = uniform_fwd,
    .attrs = EBB_ATTRS(uniform_attrs, uniform_attr),
    .flags = EBB_RANDOM,
    .tries = "size=2,3; size= low=-1; size=7 high=3 dtype=f64; size=300; size=0,2; size=1 low=2 high=2",
    .doc = "Uniform random numbers: of 24 bits for f32, of 53 for f64."
);

static const ebb_attr drawn_attr[] = {
    EBB_ATTR(EBB_A_INTS, drawn_attrs, size, "", "shape; none given: a 0-d tensor"),
    EBB_ATTR(EBB_A_DTYPE, drawn_attrs, dtype, "f32", "element type, f32 or f64"),
    EBB_ATTR(EBB_A_INT, drawn_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static ebb_tensor *rand_compose(const ebb_call *c) {
    const drawn_attrs *a = (const drawn_attrs *)c->attrs;
    return ebb_uniform(c->e, .size = a->size, .dtype = a->dtype, .key = a->key);
}

EBB_OP(rand,
    .sig = "->()",
    .math = "y_i uniform in [0, 1)",
    .compose = rand_compose,
    .attrs = EBB_ATTRS(drawn_attrs, drawn_attr),
    .flags = EBB_RANDOM,
    .tries = "size=2,3; size=; size=7 dtype=f64; size=0,2",
    .doc = "Uniform random numbers, of 24 bits for f32, of 53 for f64. (C's ebb_rand, for parameters, draws others.)"
);

/* ---- normal ---- */

static ebb_status randn_infer(ebb_infer *s) { return sized(s, &((const drawn_attrs *)s->attrs)->size, 4); }

/* Box and Muller, 1958: two uniform numbers make two normal ones. */
EBB_KERNEL(randn_fwd,
    T z[4 * STRIP];
    EACH_STRIP(((const drawn_attrs *)l->attrs)->key, l->arg[0].numel,
        for (int64_t k = 0; k < 2 * blocks; k++) {
            T u; T v; /* u is never 0 */
            if (sizeof(T) == 4) {
                u = (T)((float)(int32_t)(r[2 * k] >> 1) * 0x1p-31f + 0x1p-32f);
                v = (T)((float)(int32_t)(r[2 * k + 1] >> 8) * 0x1p-24f);
            } else {
                u = (T)(ebb_unit_f64(r[2 * k], s[2 * k]) + 0x1p-53);
                v = (T)ebb_unit_f64(r[2 * k + 1], s[2 * k + 1]);
            }
            const T radius = ebb_sqrt((T)-2 * ebb_log(u)); const T angle = (T)6.283185307179586 * v;
            z[2 * k] = radius * ebb_cos(angle);
            z[2 * k + 1] = radius * ebb_sin(angle);
        }
        memcpy(y, z, (size_t)count * sizeof(T));))

EBB_OP(randn,
    .sig = "->()",
    .math = "y_i normal with mean 0 and variance 1",
    .infer = randn_infer,
    .fwd = randn_fwd,
    .attrs = EBB_ATTRS(drawn_attrs, drawn_attr),
    .flags = EBB_RANDOM,
    .tries = "size=2,3; size=; size=7 dtype=f64; size=300; size=0,2",
    .doc = "Normal random numbers. (C's ebb_randn, for parameters, draws others.)",
    .ref = "Box and Muller, 1958, A note on the generation of random normal deviates"
);

/* ---- like another tensor ---- */

typedef struct drawn_like_attrs {
    int32_t dtype;
    int64_t key;
} drawn_like_attrs;
static const ebb_attr drawn_like_attr[] = {
    EBB_ATTR(EBB_A_DTYPE, drawn_like_attrs, dtype, "none", "element type, f32 or f64; none: the input's"),
    EBB_ATTR(EBB_A_INT, drawn_like_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static ebb_tensor *drawn(const ebb_call *c, const char *op, ebb_ints size, int32_t dtype, int64_t key) {
    if (!ebb_is_float(dtype)) return EBB_FAIL(c, EBB_E_DTYPE, "random numbers are f32 or f64; give a dtype");
    const drawn_attrs a = {size, dtype, key};
    return ebb_op_call_new(c->e, op, 0, &a, (uint32_t)sizeof a, 0, NULL);
}
static ebb_tensor *drawn_like(const ebb_call *c, const char *op) {
    const drawn_like_attrs *a = (const drawn_like_attrs *)c->attrs;
    return drawn(c, op, ebb_ints_of(&c->x_shape[0]), a->dtype ? a->dtype : c->x_shape[0].dtype, a->key);
}
static ebb_tensor *rand_like_compose(const ebb_call *c) { return drawn_like(c, "rand"); }
static ebb_tensor *randn_like_compose(const ebb_call *c) { return drawn_like(c, "randn"); }

EBB_OP(rand_like,
    .sig = "input()->()",
    .math = "y_i uniform in [0, 1)",
    .compose = rand_like_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(drawn_like_attrs, drawn_like_attr),
    .flags = EBB_RANDOM,
    .tries = "[2,3]; [] dtype=f32; [0,2] dtype=f64",
    .doc = "rand in the shape of the input."
);
EBB_OP(randn_like,
    .sig = "input()->()",
    .math = "y_i normal with mean 0 and variance 1",
    .compose = randn_like_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(drawn_like_attrs, drawn_like_attr),
    .flags = EBB_RANDOM,
    .tries = "[2,3]; [] dtype=f32; [0,2] dtype=f64",
    .doc = "randn in the shape of the input."
);

/* ---- normal of a mean and a deviation ---- */

typedef struct normal_attrs {
    double mean, std;
    ebb_ints size;
    int32_t dtype;
    int64_t key;
} normal_attrs;
static const ebb_attr normal_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, normal_attrs, mean, "0", "the mean, when there is no tensor of means"),
    EBB_ATTR(EBB_A_FLOAT, normal_attrs, std, "1", "the standard deviation, when there is no tensor of them"),
    EBB_ATTR(EBB_A_INTS, normal_attrs, size, "", "shape, when there is no tensor"),
    EBB_ATTR(EBB_A_DTYPE, normal_attrs, dtype, "f32", "element type, when there is no tensor"),
    EBB_ATTR(EBB_A_INT, normal_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static bool deviations_ok(const ebb_call *c, ebb_tensor *std) {
    const ebb_info s = ebb_info_of(ebb_contiguous(ebb_to(std, EBB_F64)));
    for (int64_t i = 0; i < s.numel && s.data; i++)
        if (((const double *)s.data)[i] < 0 && isfinite(((const double *)s.data)[i]))
            return EBB_FAIL(c, EBB_E_ARG, "std is %g at element %lld: it is not negative",
                            ((const double *)s.data)[i], (long long)i),
                   false;
    return true;
}

static ebb_tensor *normal_compose(const ebb_call *c) {
    const normal_attrs *a = (const normal_attrs *)c->attrs;
    ebb_tensor *mean = c->n_x > 0 ? c->x[0] : NULL, *std = c->n_x > 1 ? c->x[1] : NULL;
    ebb_ints size = a->size;
    int32_t dtype = a->dtype;
    for (int i = 0; i < c->n_x; i++)
        if (c->x[i] && !ebb_is_float(c->x_shape[i].dtype))
            return EBB_FAIL(c, EBB_E_DTYPE, "mean and std are floats");
    if (mean || std) {
        const ebb_info s = ebb_info_of(mean && std ? ebb_add(ebb_zeros_like(mean), ebb_zeros_like(std))
                                       : mean      ? mean
                                                   : std);
        if (!s.dtype) return NULL;
        size.n = s.ndim;
        for (int d = 0; d < s.ndim; d++) size.v[d] = s.shape[d];
        dtype = s.dtype;
    }
    if (std ? !deviations_ok(c, std) : !(a->std >= 0))
        return EBB_FAIL(c, EBB_E_ARG, "std is %g: it is not negative", a->std);
    ebb_tensor *z = drawn(c, "randn", size, dtype, a->key);
    z = std ? ebb_mul(z, std) : ebb_mul_scalar(z, a->std);
    return mean ? ebb_add(z, mean) : ebb_add_scalar(z, a->mean);
}

EBB_OP(normal,
    .sig = "mean()?,std()?->()",
    .math = "y_i = mean_i + std_i*z_i, z normal with mean 0 and variance 1",
    .compose = normal_compose,
    .attrs = EBB_ATTRS(normal_attrs, normal_attr),
    .vjp = EBB_VJP({NULL, 0}, {NULL, 0}), /* runs outside the graph */
    .flags = EBB_RANDOM,
    .domain = EBB_DOMAIN({0.5, 2}),
    .tries = "- - size=2,3; - - size=4 mean=0.5 std=2 dtype=f64; [2,3] [3]; [3]; - [2]",
    .doc = "Normal random numbers of given means and deviations, tensors (broadcast) or numbers. As with PyTorch no gradient flows to them; for one that does write mean + std*randn_like(std)."
);

/* ---- exponential ---- */

typedef struct exponential_attrs {
    ebb_ints size;
    double lambd;
    int32_t dtype;
    int64_t key;
} exponential_attrs;
static const ebb_attr exponential_attr[] = {
    EBB_ATTR(EBB_A_INTS, exponential_attrs, size, "", "shape; none given: a 0-d tensor"),
    EBB_ATTR(EBB_A_FLOAT, exponential_attrs, lambd, "1", "rate: one over the mean"),
    EBB_ATTR(EBB_A_DTYPE, exponential_attrs, dtype, "f32", "element type, f32 or f64"),
    EBB_ATTR(EBB_A_INT, exponential_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static ebb_tensor *exponential_compose(const ebb_call *c) {
    const exponential_attrs *a = (const exponential_attrs *)c->attrs;
    if (!(a->lambd > 0)) return EBB_FAIL(c, EBB_E_ATTR, "lambd is %g: it is positive", a->lambd);
    ebb_tensor *u = ebb_uniform(c->e, .size = a->size, .dtype = a->dtype, .key = a->key);
    return ebb_div_scalar(ebb_log1p(ebb_neg(u)), -a->lambd);
}

EBB_OP(exponential,
    .sig = "->()",
    .math = "y_i = -ln(1 - u_i)/lambd, u uniform in [0, 1)",
    .compose = exponential_compose,
    .attrs = EBB_ATTRS(exponential_attrs, exponential_attr),
    .flags = EBB_RANDOM,
    .tries = "size=2,3; size= lambd=2; size=7 dtype=f64; size=0,2",
    .doc = "Exponential random numbers."
);
