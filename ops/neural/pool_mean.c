/* pool_mean.c - floor 5: pooling by means and norms, and normalisation by neighbouring channels. */
#include "pool.h"

/* ---- avg_pool ---- */

typedef struct avg1_attrs {
    ebb_ints kernel_size, stride, padding;
    bool ceil_mode, count_include_pad;
} avg1_attrs;
static const ebb_attr avg1_attr[] = {
    EBB_ATTR(EBB_A_INTS, avg1_attrs, kernel_size, NULL, "size of the window"),
    EBB_ATTR(EBB_A_INTS, avg1_attrs, stride, "", "distance of neighbouring windows; none: kernel_size"),
    EBB_ATTR(EBB_A_INTS, avg1_attrs, padding, "0", "zeros at both ends, at most half of kernel_size"),
    EBB_ATTR(EBB_A_BOOL, avg1_attrs, ceil_mode, "0", "a last window may reach over the end"),
    EBB_ATTR(EBB_A_BOOL, avg1_attrs, count_include_pad, "1", "zeros of the padding count as elements"),
};

typedef struct avg_attrs {
    ebb_ints kernel_size, stride, padding;
    bool ceil_mode, count_include_pad;
    int64_t divisor_override;
} avg_attrs;
static const ebb_attr avg_attr[] = {
    EBB_ATTR(EBB_A_INTS, avg_attrs, kernel_size, NULL, "size of the window, for each spatial dim or one for all"),
    EBB_ATTR(EBB_A_INTS, avg_attrs, stride, "", "distance of neighbouring windows; none: kernel_size"),
    EBB_ATTR(EBB_A_INTS, avg_attrs, padding, "0", "zeros at both ends of each, at most half of kernel_size"),
    EBB_ATTR(EBB_A_BOOL, avg_attrs, ceil_mode, "0", "a last window may reach over the end"),
    EBB_ATTR(EBB_A_BOOL, avg_attrs, count_include_pad, "1", "zeros of the padding count as elements"),
    EBB_ATTR(EBB_A_INT, avg_attrs, divisor_override, "0", "what sums are divided by; 0: the number of elements"),
};

static ebb_tensor *avg_pool(const ebb_call *c, int dims, int64_t divisor) {
    const avg1_attrs *a = (const avg1_attrs *)c->attrs; /* avg_attrs begin the same */
    windows w;
    if (!ebb__pool_windows(c, dims, &a->kernel_size, &a->stride, &a->padding, NULL, a->ceil_mode, &w))
        return NULL;
    for (int d = 0; d < dims && dims == 3; d++) /* as PyTorch has it, in 3 dims alone */
        if (w.size.v[d] < w.kernel_size.v[d])
            return EBB_FAIL(c, EBB_E_SHAPE, "spatial dim %d has %lld elements, less than kernel_size, %lld",
                            d, (long long)w.size.v[d], (long long)w.kernel_size.v[d]);
    return ebb_window_mean(c->x[0], SAME_WINDOWS(&w), .count_include_pad = a->count_include_pad, .divisor = divisor);
}

static ebb_tensor *avg_pool1(const ebb_call *c) { return avg_pool(c, 1, 0); }
static ebb_tensor *avg_pool2(const ebb_call *c) {
    return avg_pool(c, 2, ((const avg_attrs *)c->attrs)->divisor_override);
}
static ebb_tensor *avg_pool3(const ebb_call *c) {
    return avg_pool(c, 3, ((const avg_attrs *)c->attrs)->divisor_override);
}

EBB_OP(avg_pool1d,
    .sig = "input()->()",
    .math = "y[p] = mean of window p;  dx = g[p] spread evenly over window p",
    .compose = avg_pool1,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(avg1_attrs, avg1_attr),
    .tries = "[2,3,7] kernel_size=3 stride=2 padding=1; [3,8] kernel_size=3 padding=1 count_include_pad=0; [1,2,8] kernel_size=3 ceil_mode=1; [0,2,4] kernel_size=2; [1,1] kernel_size=1",
    .doc = "Means of windows of (n, c, length) or (c, length).",
    .ref = "torch.nn.functional.avg_pool1d"
);

EBB_OP(avg_pool2d,
    .sig = "input()->()",
    .math = "y[p] = mean of window p;  dx = g[p] spread evenly over window p",
    .compose = avg_pool2,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(avg_attrs, avg_attr),
    .tries = "[2,3,7,5] kernel_size=3,2 stride=2,1 padding=1,0; [3,6,6] kernel_size=3 padding=1 count_include_pad=0; [1,2,5,8] kernel_size=3 ceil_mode=1; [1,2,4,4] kernel_size=2 divisor_override=3; [0,2,4,4] kernel_size=2",
    .doc = "Means of windows of (n, c, h, w) or (c, h, w).",
    .ref = "torch.nn.functional.avg_pool2d"
);

EBB_OP(avg_pool3d,
    .sig = "input()->()",
    .math = "y[p] = mean of window p;  dx = g[p] spread evenly over window p",
    .compose = avg_pool3,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(avg_attrs, avg_attr),
    .tries = "[1,2,4,5,3] kernel_size=3,2,2 stride=2,1,1 padding=1,0,1; [2,4,4,6] kernel_size=3 padding=1 count_include_pad=0; [1,1,3,5,4] kernel_size=2 ceil_mode=1 divisor_override=3",
    .doc = "Means of windows of (n, c, d, h, w) or (c, d, h, w).",
    .ref = "torch.nn.functional.avg_pool3d"
);

/* ---- lp_pool ---- */

typedef struct lp_attrs {
    double norm_type;
    ebb_ints kernel_size, stride;
    bool ceil_mode;
} lp_attrs;
static const ebb_attr lp_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, lp_attrs, norm_type, NULL, "p, not 0"),
    EBB_ATTR(EBB_A_INTS, lp_attrs, kernel_size, NULL, "size of the window, for each spatial dim or one for all"),
    EBB_ATTR(EBB_A_INTS, lp_attrs, stride, "", "distance of neighbouring windows; none: kernel_size"),
    EBB_ATTR(EBB_A_BOOL, lp_attrs, ceil_mode, "0",
             "a last window may reach over the end; its norm is that of its mean over a full window"),
};

/* Where a sum is 0 its root has no derivative, and a constant takes its place. */
static ebb_tensor *lp_pool(const ebb_call *c, int dims) {
    const lp_attrs *a = (const lp_attrs *)c->attrs;
    windows w;
    if (a->norm_type == 0) return EBB_FAIL(c, EBB_E_ATTR, "norm_type is 0; it must be another number");
    if (!ebb__pool_windows(c, dims, &a->kernel_size, &a->stride, NULL, NULL, a->ceil_mode, &w)) return NULL;
    const bool two = a->norm_type == 2;
    ebb_tensor *power = two ? ebb_square(c->x[0]) : ebb_pow(c->x[0], .exponent = a->norm_type);
    ebb_tensor *mean = ebb_window_mean(power, SAME_WINDOWS(&w));
    ebb_tensor *sum = ebb_mul_scalar(mean, (double)numel_of(&w.kernel_size));
    if (a->norm_type == 1) return sum;
    if (a->norm_type < 0) return ebb_pow(sum, .exponent = 1 / a->norm_type);
    ebb_tensor *none = ebb_eq(sum, ebb_scalar(sum, 0));
    ebb_tensor *some = ebb_where(none, ebb_scalar(sum, 1), sum);
    ebb_tensor *root = two ? ebb_sqrt(some) : ebb_pow(some, .exponent = 1 / a->norm_type);
    return ebb_where(none, ebb_scalar(sum, 0), root);
}

static ebb_tensor *lp_pool1(const ebb_call *c) { return lp_pool(c, 1); }
static ebb_tensor *lp_pool2(const ebb_call *c) { return lp_pool(c, 2); }

EBB_OP(lp_pool1d,
    .sig = "input()->()",
    .math = "y[q] = (sum of x^p over window q)^(1/p), without absolute values;  dx = g * (x/y)^(p-1), 0 in a window of zeros",
    .compose = lp_pool1,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(lp_attrs, lp_attr),
    .domain = EBB_DOMAIN({0.3, 2}),
    .tries = "[2,3,7] norm_type=2 kernel_size=3 stride=2; [3,8] norm_type=3 kernel_size=2; [1,2,8] norm_type=1.5 kernel_size=3 ceil_mode=1; [0,2,4] norm_type=2 kernel_size=2",
    .doc = "p-norms of windows of (n, c, length) or (c, length). An odd p of negative sums gives NaN.",
    .ref = "torch.nn.functional.lp_pool1d"
);

EBB_OP(lp_pool2d,
    .sig = "input()->()",
    .math = "y[q] = (sum of x^p over window q)^(1/p), without absolute values;  dx = g * (x/y)^(p-1), 0 in a window of zeros",
    .compose = lp_pool2,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(lp_attrs, lp_attr),
    .domain = EBB_DOMAIN({0.3, 2}),
    .tries = "[2,3,7,5] norm_type=2 kernel_size=3,2 stride=2,1; [3,4,6] norm_type=3 kernel_size=2; [1,2,5,8] norm_type=1.5 kernel_size=3 ceil_mode=1; [0,2,4,4] norm_type=2 kernel_size=2",
    .doc = "p-norms of windows of (n, c, h, w) or (c, h, w). An odd p of negative sums gives NaN.",
    .ref = "torch.nn.functional.lp_pool2d"
);

/* ---- local_response_norm ---- */

typedef struct lrn_attrs {
    int64_t size;
    double alpha, beta, k;
} lrn_attrs;
static const ebb_attr lrn_attr[] = {
    EBB_ATTR(EBB_A_INT, lrn_attrs, size, NULL, "how many neighbouring channels count"),
    EBB_ATTR(EBB_A_FLOAT, lrn_attrs, alpha, "0.0001", "weight of their mean square"),
    EBB_ATTR(EBB_A_FLOAT, lrn_attrs, beta, "0.75", "exponent"),
    EBB_ATTR(EBB_A_FLOAT, lrn_attrs, k, "1", "added to it"),
};

/* Windows of `size` channels and one place, on planes of (channels, places). */
static ebb_tensor *lrn_compose(const ebb_call *c) {
    const lrn_attrs *a = (const lrn_attrs *)c->attrs;
    const ebb_shape *s = &c->x_shape[0];
    if (s->ndim < 3)
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "the input has %d dims; at least 3 are needed, (batch, channels, places)", s->ndim);
    const int64_t n = s->dim[0], channels = s->dim[1], all = ebb_shape_numel(s);
    if (!all) return c->x[0];
    if (a->size < 1 || a->size > WINDOW_MOST)
        return EBB_FAIL(c, EBB_E_ATTR, "size is %lld; 1 to %d are possible", (long long)a->size, WINDOW_MOST);
    const int64_t places = all / (n * channels);
    ebb_tensor *squares = ebb_reshape(ebb_square(c->x[0]), .shape = EBB_SHAPE(n, channels, places));
    ebb_tensor *mean =
        ebb_window_mean(squares, .size = EBB_SHAPE(channels, places), .count = EBB_SHAPE(channels, places),
                        .kernel_size = EBB_SHAPE(a->size, 1), .stride = EBB_SHAPE(1, 1),
                        .padding = EBB_SHAPE(a->size / 2, 0), .dilation = EBB_SHAPE(1, 1), .divisor = a->size);
    mean = ebb_reshape(mean, .shape = ebb_ints_of(s));
    return ebb_div(c->x[0], ebb_pow(ebb_add_scalar(ebb_mul_scalar(mean, a->alpha), a->k), .exponent = a->beta));
}

EBB_OP(local_response_norm,
    .sig = "input()->()",
    .math = "y[c] = x[c] / (k + alpha * sum of x^2 over the channels near c / size)^beta",
    .compose = lrn_compose,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(lrn_attrs, lrn_attr),
    .tries = "[2,5,3] size=3 alpha=0.5; [1,4,2,3] size=2 beta=0.5; [2,3,2] size=9 alpha=1 k=2; [0,2,3] size=2",
    .doc = "Each element of (n, c, ...) divided by the mean square of those at its place in neighbouring channels; beyond the ends they are 0.",
    .ref = "torch.nn.functional.local_response_norm; Krizhevsky et al., 2012"
);
