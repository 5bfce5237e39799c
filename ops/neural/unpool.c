/* unpool.c - floor 5: max pooling undone: maxima put back to where they came from. */
#include "pool.h"

typedef struct unpool_attrs {
    ebb_ints kernel_size, stride, padding, output_size;
} unpool_attrs;
static const ebb_attr unpool_attr[] = {
    EBB_ATTR(EBB_A_INTS, unpool_attrs, kernel_size, NULL, "size of the window, for each spatial dim or one for all"),
    EBB_ATTR(EBB_A_INTS, unpool_attrs, stride, "", "distance of neighbouring windows; none: kernel_size"),
    EBB_ATTR(EBB_A_INTS, unpool_attrs, padding, "0", "what the pooling had at both ends of each"),
    EBB_ATTR(EBB_A_INTS, unpool_attrs, output_size, "",
             "size of the result (its last dims count); none: the least that fits"),
};

/* The size of the result: as output_size says, less than a stride from what the windows cover. -> false: it failed */
static bool unpooled_size(const ebb_call *c, const unpool_attrs *a, int dims, ebb_ints *out) {
    ebb_ints kernel, stride, padding;
    const ebb_ints in = spatial_of(&c->x_shape[0], dims);
    if (!a->kernel_size.n)
        return EBB_FAIL(c, EBB_E_ATTR, "kernel_size is empty; 1 or %d numbers are needed", dims) != NULL;
    if (!ebb__one_each(c, "kernel_size", &a->kernel_size, dims, 1, 1, &kernel) ||
        !ebb__one_each(c, "stride", a->stride.n ? &a->stride : &a->kernel_size, dims, 1, 1, &stride) ||
        !ebb__one_each(c, "padding", &a->padding, dims, 0, 0, &padding))
        return false;
    const ebb_ints *given = &a->output_size;
    if (given->n && given->n != dims && given->n != dims + 2)
        return EBB_FAIL(c, EBB_E_ATTR, "output_size has %d numbers; %d or %d are needed", given->n, dims,
                        dims + 2) != NULL;
    out->n = dims;
    for (int d = 0; d < dims; d++) {
        const int64_t covered = (in.v[d] - 1) * stride.v[d] + kernel.v[d] - 2 * padding.v[d],
                      size = given->n ? given->v[given->n - dims + d] : covered;
        if (size < 1 || size <= covered - stride.v[d] || size >= covered + stride.v[d])
            return EBB_FAIL(c, EBB_E_ATTR,
                            "output_size is %lld at spatial dim %d; it must be positive, more than %lld and less than %lld",
                            (long long)size, d, (long long)(covered - stride.v[d]),
                            (long long)(covered + stride.v[d])) != NULL;
        out->v[d] = size;
    }
    return true;
}

static ebb_tensor *unpool(const ebb_call *c, int dims) {
    const ebb_shape *x = &c->x_shape[0], *index = &c->x_shape[1];
    bool same = index->ndim == x->ndim;
    for (int d = 0; d < x->ndim && same; d++) same = index->dim[d] == x->dim[d];
    if (!same) return EBB_FAIL(c, EBB_E_SHAPE, "indices must have the shape of the input");
    ebb_ints size;
    if (!ebb__pool_input_ok(c, dims, true) || !unpooled_size(c, (const unpool_attrs *)c->attrs, dims, &size))
        return NULL;
    const ebb_ints spatial = spatial_of(x, dims);
    const int64_t in = numel_of(&spatial), out = numel_of(&size), n = ebb_shape_numel(x) / in;
    ebb_ints shape = ebb_ints_of(x);
    for (int d = 0; d < dims; d++) shape.v[shape.n - dims + d] = size.v[d];
    if (!n) return ebb_reshape(c->x[0], .shape = shape);
    ebb_tensor *zero = ebb_constant(c->e, (ebb_dtype)x->dtype, EBB_SHAPE(n, out), 0);
    ebb_tensor *y = ebb_scatter(zero, ebb_reshape(c->x[1], .shape = EBB_SHAPE(n, in)),
                                ebb_reshape(c->x[0], .shape = EBB_SHAPE(n, in)), .dim = 1);
    return ebb_reshape(y, .shape = shape);
}

static ebb_tensor *unpool1(const ebb_call *c) { return unpool(c, 1); }
static ebb_tensor *unpool2(const ebb_call *c) { return unpool(c, 2); }
static ebb_tensor *unpool3(const ebb_call *c) { return unpool(c, 3); }

EBB_OP(max_unpool1d,
    .sig = "input(),indices():i->()",
    .math = "y = 0, then y[i[p]] = x[p];  dx[p] = g[i[p]]",
    .compose = unpool1,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(unpool_attrs, unpool_attr),
    .tries = "[2,3,3] [2,3,3]<6 kernel_size=2 output_size=7; [3,4] [3,4]<8 kernel_size=3 stride=2 padding=1 output_size=8; [0,2,4] [0,2,4]<8 kernel_size=2",
    .doc = "Puts maxima back to the places that max_pool1d gave, among zeros. Of several for one place the last stays, and the gradient goes to it alone.",
    .ref = "torch.nn.functional.max_unpool1d"
);

EBB_OP(max_unpool2d,
    .sig = "input(),indices():i->()",
    .math = "y = 0, then y[i[p]] = x[p];  dx[p] = g[i[p]]",
    .compose = unpool2,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(unpool_attrs, unpool_attr),
    .tries = "[2,3,3,2] [2,3,3,2]<24 kernel_size=2; [3,4,2] [3,4,2]<40 kernel_size=3,2 stride=2,3 padding=1,0 output_size=8,5; [0,2,4,4] [0,2,4,4]<9 kernel_size=2",
    .doc = "Puts maxima back to the places that max_pool2d gave, among zeros. Of several for one place the last stays, and the gradient goes to it alone.",
    .ref = "torch.nn.functional.max_unpool2d"
);

EBB_OP(max_unpool3d,
    .sig = "input(),indices():i->()",
    .math = "y = 0, then y[i[p]] = x[p];  dx[p] = g[i[p]]",
    .compose = unpool3,
    .infer = own_shapes,
    .attrs = EBB_ATTRS(unpool_attrs, unpool_attr),
    .tries = "[1,2,2,3,2] [1,2,2,3,2]<96 kernel_size=2; [2,2,2,2] [2,2,2,2]<36 kernel_size=2,3,2 stride=2,1,2 padding=0,0,1 output_size=5,4,2",
    .doc = "Puts maxima back to the places that max_pool3d gave, among zeros. Of several for one place the last stays, and the gradient goes to it alone.",
    .ref = "torch.nn.functional.max_unpool3d"
);
