/* conv.c - floor 5: convolutions and transposed convolutions over 1, 2 and 3 spatial dims, as they are called. */
#include "conv.h"

/* ---- what both kinds check ---- */

static const char *dims_word(int dims) {
    return dims == 1   ? "(channels, length)"
           : dims == 2 ? "(channels, height, width)"
                       : "(channels, depth, height, width)";
}

/* The input has its dims or one less, the weight two more than spatial ones; one dtype. -> false: it failed. */
static bool operands_ok(const ebb_call *c, int dims) {
    const ebb_shape *x = &c->x_shape[0], *w = &c->x_shape[1];
    if (w->ndim != dims + 2)
        return EBB_FAIL(c, EBB_E_SHAPE, "the weight has %d dims; %d are needed", w->ndim, dims + 2) != NULL;
    if (x->ndim != dims + 2 && x->ndim != dims + 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; %s are needed, and perhaps a batch before them",
                        x->ndim, dims_word(dims)) != NULL;
    for (int i = 1; i < c->n_x; i++)
        if (c->x[i] && c->x_shape[i].dtype != x->dtype)
            return EBB_FAIL(c, EBB_E_DTYPE,
                            "input, weight and bias must have one dtype; convert with ebb_to (op \"to\")") != NULL;
    if (!ebb_is_float(x->dtype))
        return EBB_FAIL(c, EBB_E_DTYPE, "there is no kernel for integers; convert with ebb_to (op \"to\")") != NULL;
    return true;
}

/* Of the weight (outer, inner, kernel): channels of the input it wants, `made` of the output. -> false: it failed. */
static bool channels_ok(const ebb_call *c, int dims, int64_t groups, int64_t want, int64_t made) {
    const ebb_shape *x = &c->x_shape[0], *w = &c->x_shape[1];
    const int64_t has = x->dim[x->ndim - dims - 1];
    if (w->dim[0] < groups || w->dim[0] % groups)
        return EBB_FAIL(c, EBB_E_SHAPE, "dim 0 of the weight is %lld, which is not a multiple of groups, %lld",
                        (long long)w->dim[0], (long long)groups) != NULL;
    if (has != want)
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "with this weight and groups=%lld the input needs %lld channels, but it has %lld",
                        (long long)groups, (long long)want, (long long)has) != NULL;
    if (c->n_x > 2 && c->x[2] && (c->x_shape[2].ndim != 1 || c->x_shape[2].dim[0] != made))
        return EBB_FAIL(c, EBB_E_SHAPE, "the bias has %lld elements in %d dims; %lld in 1 dim are needed",
                        (long long)ebb_shape_numel(&c->x_shape[2]), c->x_shape[2].ndim, (long long)made) != NULL;
    return true;
}

/* ---- convolution ---- */

enum { PAD_NUMBERS, PAD_VALID, PAD_SAME };

typedef struct conv_attrs {
    ebb_ints stride, padding;
    int32_t auto_pad;
    ebb_ints dilation;
    int64_t groups;
} conv_attrs;
static const ebb_attr conv_attr[] = {
    EBB_ATTR(EBB_A_INTS, conv_attrs, stride, "1",
             "distance of neighbouring windows, for each spatial dim or one for all"),
    EBB_ATTR(EBB_A_INTS, conv_attrs, padding, "0", "zeros at both ends of each spatial dim"),
    EBB_ATTR(EBB_A_ENUM, conv_attrs, auto_pad, "none",
             "same: as many zeros as keep the size (stride 1); valid: no zeros", .choices = "none|valid|same"),
    EBB_ATTR(EBB_A_INTS, conv_attrs, dilation, "1", "distance of the elements of a window"),
    EBB_ATTR(EBB_A_INT, conv_attrs, groups, "1", "parts of the channels that do not mix", .lo = 1, .hi = 1e9),
};

/* Where the windows lie in an input whose size is set; the kernel is set too. -> false: it failed. */
static bool conv_windows(const ebb_call *c, const conv_attrs *a, int dims, windows *w) {
    if (!ebb__one_each(c, "stride", &a->stride, dims, 1, 1, &w->stride) ||
        !ebb__one_each(c, "padding", &a->padding, dims, 0, 0, &w->padding) ||
        !ebb__one_each(c, "dilation", &a->dilation, dims, 1, 1, &w->dilation))
        return false;
    w->count.n = dims;
    for (int d = 0; d < dims; d++) {
        const int64_t reach = w->dilation.v[d] * (w->kernel_size.v[d] - 1) + 1;
        if (a->auto_pad && w->padding.v[d])
            return EBB_FAIL(c, EBB_E_ATTR,
                            "padding is given as numbers and as auto_pad; one of them is possible") != NULL;
        if (a->auto_pad == PAD_SAME && w->stride.v[d] != 1)
            return EBB_FAIL(c, EBB_E_ATTR, "auto_pad=same needs stride 1, not %lld",
                            (long long)w->stride.v[d]) != NULL;
        const int64_t ends = a->auto_pad == PAD_SAME ? reach - 1 : 2 * w->padding.v[d],
                      room = w->size.v[d] + ends - reach;
        if (w->size.v[d] < 1 || w->kernel_size.v[d] < 1)
            return EBB_FAIL(c, EBB_E_SHAPE,
                            "spatial dim %d is %lld in the input and %lld in the weight; neither may be empty",
                            d, (long long)w->size.v[d], (long long)w->kernel_size.v[d]) != NULL;
        if (room < 0)
            return EBB_FAIL(c, EBB_E_SHAPE,
                            "a window reaches over %lld elements of spatial dim %d; with its padding the input has %lld",
                            (long long)reach, d, (long long)(w->size.v[d] + ends)) != NULL;
        w->padding.v[d] = ends / 2;
        w->count.v[d] = room / w->stride.v[d] + 1;
    }
    return true;
}

static ebb_tensor *conv(const ebb_call *c, int dims) {
    const conv_attrs *a = (const conv_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0], *weight = &c->x_shape[1];
    if (!operands_ok(c, dims)) return NULL;
    windows w;
    w.size = spatial_of(x, dims);
    w.kernel_size = spatial_of(weight, dims);
    if (!channels_ok(c, dims, a->groups, weight->dim[1] * a->groups, weight->dim[0]) ||
        !conv_windows(c, a, dims, &w))
        return NULL;
    const bool alone = x->ndim == dims + 1;
    return ebb__unbatched(ebb_convolution(ebb__batched(c->x[0], x, dims, alone), c->x[1],
                                          c->n_x > 2 ? c->x[2] : NULL, SAME_WINDOWS(&w), .groups = a->groups),
                          alone);
}

static ebb_tensor *conv1(const ebb_call *c) { return conv(c, 1); }
static ebb_tensor *conv2(const ebb_call *c) { return conv(c, 2); }
static ebb_tensor *conv3(const ebb_call *c) { return conv(c, 3); }

EBB_OP(conv1d,
    .sig = "input(),weight(),bias()?->()",
    .math = "y[n,o,p] = b[o] + sum_c,k w[o,c,k] * x[n, c, p*stride + k*dilation - padding]",
    .compose = conv1,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(conv_attrs, conv_attr),
    .tries = "[2,3,6] [4,3,2] [4]; [2,4,7] [6,2,3] [6] stride=2 padding=1 groups=2; [3,5] [2,3,2] auto_pad=same; [2,3,6] [3,1,2] [3] dilation=2 groups=3; [1,1,4] [1,1,1]; [0,2,4] [5,2,2]",
    .doc = "Convolution (cross-correlation) of (n, c, length) or (c, length) with weights (o, c/groups, k), and perhaps a bias for each o.",
    .ref = "torch.nn.functional.conv1d"
);

EBB_OP(conv2d,
    .sig = "input(),weight(),bias()?->()",
    .math = "y[n,o,p,q] = b[o] + sum_c,i,j w[o,c,i,j] * x[n, c, p*stride + i*dilation - padding, q*..]",
    .compose = conv2,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(conv_attrs, conv_attr),
    .tries = "[2,3,5,4] [5,3,3,2] [5]; [2,4,5,6] [10,2,3,2] [10] stride=2,1 padding=1,0 groups=2; [3,4,5] [2,3,2,3] auto_pad=same; [1,2,5,6] [2,1,2,2] [2] dilation=2,1 groups=2; [2,3,4,3] [5,3,1,1]; [0,2,4,4] [5,2,2,2]",
    .doc = "Convolution (cross-correlation) of (n, c, h, w) or (c, h, w) with weights (o, c/groups, kh, kw), and perhaps a bias for each o.",
    .ref = "torch.nn.functional.conv2d"
);

EBB_OP(conv3d,
    .sig = "input(),weight(),bias()?->()",
    .math = "y[n,o,p,q,r] = b[o] + sum_c,h,i,j w[o,c,h,i,j] * x[n, c, p*stride + h*dilation - padding, q*.., r*..]",
    .compose = conv3,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(conv_attrs, conv_attr),
    .tries = "[1,2,3,4,3] [5,2,2,3,2] [5]; [2,2,3,4,4] [2,1,2,2,3] stride=1,2,1 padding=1,0,1 groups=2; [2,3,3,2] [5,2,2,2,3] auto_pad=same; [1,1,3,4,3] [5,1,2,2,2] dilation=2,1,2",
    .doc = "Convolution (cross-correlation) of (n, c, d, h, w) or (c, d, h, w) with weights (o, c/groups, kd, kh, kw), and perhaps a bias for each o.",
    .ref = "torch.nn.functional.conv3d"
);

/* ---- transposed convolution ---- */

typedef struct transposed_attrs {
    ebb_ints stride, padding, output_padding;
    int64_t groups;
    ebb_ints dilation;
} transposed_attrs;
static const ebb_attr transposed_attr[] = {
    EBB_ATTR(EBB_A_INTS, transposed_attrs, stride, "1",
             "distance of the windows of neighbouring inputs, for each spatial dim or one for all"),
    EBB_ATTR(EBB_A_INTS, transposed_attrs, padding, "0", "elements dropped at both ends of each spatial dim"),
    EBB_ATTR(EBB_A_INTS, transposed_attrs, output_padding, "0",
             "elements more at the end of each; less than stride or dilation"),
    EBB_ATTR(EBB_A_INT, transposed_attrs, groups, "1", "parts of the channels that do not mix", .lo = 1, .hi = 1e9),
    EBB_ATTR(EBB_A_INTS, transposed_attrs, dilation, "1", "distance of the elements of a window"),
};

/* The output's size from the input's, which is the count of windows. -> false: it failed. */
static bool transposed_windows(const ebb_call *c, const transposed_attrs *a, int dims, windows *w) {
    ebb_ints more;
    if (!ebb__one_each(c, "stride", &a->stride, dims, 1, 1, &w->stride) ||
        !ebb__one_each(c, "padding", &a->padding, dims, 0, 0, &w->padding) ||
        !ebb__one_each(c, "output_padding", &a->output_padding, dims, 0, 0, &more) ||
        !ebb__one_each(c, "dilation", &a->dilation, dims, 1, 1, &w->dilation))
        return false;
    w->size.n = dims;
    for (int d = 0; d < dims; d++) {
        if (more.v[d] >= w->stride.v[d] && more.v[d] >= w->dilation.v[d])
            return EBB_FAIL(c, EBB_E_ATTR,
                            "output_padding is %lld; it must be less than the stride, %lld, or the dilation, %lld",
                            (long long)more.v[d], (long long)w->stride.v[d], (long long)w->dilation.v[d]) != NULL;
        w->size.v[d] = (w->count.v[d] - 1) * w->stride.v[d] - 2 * w->padding.v[d] +
                       w->dilation.v[d] * (w->kernel_size.v[d] - 1) + more.v[d] + 1;
        if (w->kernel_size.v[d] < 1 || w->count.v[d] < 1 || w->size.v[d] < 1)
            return EBB_FAIL(c, EBB_E_SHAPE,
                            "from %lld elements of spatial dim %d and a window of %lld, %lld would be made; at least 1 is needed of each",
                            (long long)w->count.v[d], d, (long long)w->kernel_size.v[d],
                            (long long)w->size.v[d]) != NULL;
    }
    return true;
}

static ebb_tensor *transposed(const ebb_call *c, int dims) {
    const transposed_attrs *a = (const transposed_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0], *weight = &c->x_shape[1];
    if (!operands_ok(c, dims)) return NULL;
    windows w;
    w.count = spatial_of(x, dims);
    w.kernel_size = spatial_of(weight, dims);
    if (!weight->dim[1]) return EBB_FAIL(c, EBB_E_SHAPE, "the weight has no output channels: its dim 1 is 0");
    if (!channels_ok(c, dims, a->groups, weight->dim[0], weight->dim[1] * a->groups) ||
        !transposed_windows(c, a, dims, &w))
        return NULL;
    const bool alone = x->ndim == dims + 1;
    return ebb__unbatched(ebb_convolution_back(ebb__batched(c->x[0], x, dims, alone), c->x[1],
                                               c->n_x > 2 ? c->x[2] : NULL, SAME_WINDOWS(&w), .groups = a->groups),
                          alone);
}

static ebb_tensor *transposed1(const ebb_call *c) { return transposed(c, 1); }
static ebb_tensor *transposed2(const ebb_call *c) { return transposed(c, 2); }
static ebb_tensor *transposed3(const ebb_call *c) { return transposed(c, 3); }

EBB_OP(conv_transpose1d,
    .sig = "input(),weight(),bias()?->()",
    .math = "y = b[o], then y[n, o, p*stride + k*dilation - padding] += w[c,o,k] * x[n,c,p]",
    .compose = transposed1,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(transposed_attrs, transposed_attr),
    .tries = "[2,3,4] [3,4,2] [4]; [2,4,3] [4,3,3] [6] stride=2 padding=1 output_padding=1 groups=2; [3,5] [3,2,2] dilation=2; [1,1,4] [1,1,1]; [0,5,4] [5,2,2]",
    .doc = "Transposed convolution: what conv1d's derivative by its input computes. Weights (c, o/groups, k).",
    .ref = "torch.nn.functional.conv_transpose1d"
);

EBB_OP(conv_transpose2d,
    .sig = "input(),weight(),bias()?->()",
    .math = "y = b[o], then y[n, o, p*stride + i*dilation - padding, q*..] += w[c,o,i,j] * x[n,c,p,q]",
    .compose = transposed2,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(transposed_attrs, transposed_attr),
    .tries = "[2,5,3,4] [5,3,3,2] [3]; [2,4,3,2] [4,3,3,2] [6] stride=2,3 padding=1,0 output_padding=1,2 groups=2; [6,3,2] [6,2,2,3] dilation=2,1; [2,5,2,3] [5,3,1,1]",
    .doc = "Transposed convolution: what conv2d's derivative by its input computes. Weights (c, o/groups, kh, kw).",
    .ref = "torch.nn.functional.conv_transpose2d"
);

EBB_OP(conv_transpose3d,
    .sig = "input(),weight(),bias()?->()",
    .math = "y = b[o], then y[n, o, p*stride + h*dilation - padding, q*.., r*..] += w[c,o,h,i,j] * x[n,c,p,q,r]",
    .compose = transposed3,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(transposed_attrs, transposed_attr),
    .tries = "[1,5,2,3,2] [5,2,2,3,2] [2]; [2,2,2,1,2] [2,1,2,2,3] stride=1,2,1 padding=1,0,1 output_padding=0,1,0 groups=2; [5,2,1,2] [5,1,2,2,2] dilation=2,1,1",
    .doc = "Transposed convolution: what conv3d's derivative by its input computes. Weights (c, o/groups, kd, kh, kw).",
    .ref = "torch.nn.functional.conv_transpose3d"
);
