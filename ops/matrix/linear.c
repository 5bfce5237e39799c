/* linear.c - floor 5: the linear and the bilinear layer. */
#include "matrix.h"

/* ---- linear ---- */

/* Sizes of the weight [out,in]; one of [in] is a layer with a single output, which has no dim of its own. */
static int64_t inputs_of(const ebb_shape *w) { return w->dim[w->ndim - 1]; }
static int64_t outputs_of(const ebb_shape *w) { return w->ndim > 1 ? w->dim[0] : 1; }

static bool linear_fits(const ebb_call *c, bool bias) {
    const ebb_shape *x = &c->x_shape[0], *w = &c->x_shape[1];
    if (x->ndim < 1 || w->ndim < 1 || w->ndim > 2)
        return REFUSED(c, EBB_E_SHAPE, "the input has %d dims and the weight %d; at least 1, and 1 or 2, are needed",
                       x->ndim, w->ndim);
    if (x->dim[x->ndim - 1] != inputs_of(w))
        return REFUSED(c, EBB_E_SHAPE, "the input's last dim is %lld, but the weight is [%lld,%lld], [out,in]",
                       (long long)x->dim[x->ndim - 1], (long long)outputs_of(w), (long long)inputs_of(w));
    if (!one_dtype(c)) return false;
    if (!bias) return true;
    if (w->ndim == 1) return has_rank(c, 2, "the bias of a weight of 1 dim", 0);
    return broadcasts_to(c, 2, "the bias", x->ndim == 1 ? EBB_SHAPE(w->dim[0]) : EBB_SHAPE(rows_in(x), w->dim[0]));
}

/* A tensor as a matrix of rows of k. */
static ebb_tensor *rows_of(ebb_tensor *t, int ndim, int64_t rows, int64_t k) {
    return ndim == 2 ? t : ebb_reshape(t, .shape = EBB_SHAPE(rows, k));
}
static ebb_tensor *x_rows(const ebb_call *c, ebb_tensor *x) {
    return rows_of(x, c->x_shape[0].ndim, rows_in(&c->x_shape[0]), inputs_of(&c->x_shape[1]));
}
static ebb_tensor *w_rows(const ebb_call *c, ebb_tensor *w) {
    return rows_of(w, c->x_shape[1].ndim, 1, inputs_of(&c->x_shape[1]));
}
static ebb_tensor *g_rows(const ebb_call *c, ebb_tensor *g) {
    const bool plain = c->x_shape[0].ndim == 2 && c->x_shape[1].ndim == 2;
    return rows_of(g, plain ? 2 : 0, rows_in(&c->x_shape[0]), outputs_of(&c->x_shape[1]));
}

static ebb_tensor *linear_compose(const ebb_call *c) {
    ebb_tensor *bias = c->n_x > 2 ? c->x[2] : NULL;
    const ebb_shape *x = &c->x_shape[0], *w = &c->x_shape[1];
    if (!linear_fits(c, bias != NULL)) return NULL;
    ebb_tensor *y = ebb_gemm(x_rows(c, c->x[0]), flipped(w_rows(c, c->x[1])));
    if (bias) y = ebb_add_(y, bias);
    if (x->ndim == 2 && w->ndim == 2) return y;
    ebb_ints out = ebb_ints_of(x);
    if (w->ndim > 1) out.v[out.n - 1] = w->dim[0];
    else out.n--;
    return ebb_reshape(y, .shape = out);
}

static ebb_tensor *linear_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *d = ebb_gemm(g_rows(c, g), w_rows(c, c->x[1]));
    return c->x_shape[0].ndim == 2 ? d : ebb_reshape(d, .shape = ebb_ints_of(&c->x_shape[0]));
}
static ebb_tensor *linear_dw(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *d = ebb_gemm(flipped(g_rows(c, g)), x_rows(c, c->x[0]));
    return c->x_shape[1].ndim == 2 ? d : as_vector(d);
}
static ebb_tensor *linear_db(const ebb_call *c, ebb_tensor *g) {
    return g_rows(c, g);
} /* the engine sums it */

EBB_OP(linear,
    .sig = "input(k),weight(n,k),bias(n)?->(n)",
    .math = "y = x*W' + b;  dx = g*W,  dW = g'*x,  db = sum g",
    .flags = EBB_OWN_SHAPES,
    .compose = linear_compose,
    .vjp = EBB_VJP({linear_dx, EBB_X(1)}, {linear_dw, EBB_X(0)}, {linear_db, 0}),
    .tries = "[4,3] [2,3] [2]; [3] [2,3] [2]; [2,2,3] [4,3] [4]; [5,3] [2,3]; [0,3] [2,3] [2]; [1,1] [1,1] [1]; [2,0] [3,0] [3]; [2,3] [3]; [2,2,3] [3] []; [2,3] [4,3] []; [2,3] [4,3] [2,4]",
    .doc = "Affine layer. The weight is [out,in], or [in] for one output without a dim; the bias may be absent.",
    .ref = "torch.nn.functional.linear"
);

/* ---- bilinear ---- */

static bool bilinear_fits(const ebb_call *c, bool bias) {
    const ebb_shape *x = c->x_shape, *w = &c->x_shape[2];
    if (!has_rank(c, 2, "the weight", 3) || !one_dtype(c)) return false;
    if (!x[0].ndim || x[0].ndim != x[1].ndim)
        return REFUSED(c, EBB_E_SHAPE, "input1 has %d dims and input2 %d; equally many are needed, 1 or more",
                       x[0].ndim, x[1].ndim);
    for (int d = 0; d + 1 < x[0].ndim; d++)
        if (!equal_sizes(c, "the dims of input1 and input2 before the last", x[0].dim[d], x[1].dim[d]))
            return false;
    if (!equal_sizes(c, "the last dim of input1 and dim 1 of the weight, [out,in1,in2],",
                     x[0].dim[x[0].ndim - 1], w->dim[1]) ||
        !equal_sizes(c, "the last dim of input2 and dim 2 of the weight, [out,in1,in2],",
                     x[1].dim[x[1].ndim - 1], w->dim[2]))
        return false;
    if (!bias) return true;
    return has_rank(c, 3, "the bias", 1) &&
           equal_sizes(c, "the bias and dim 0 of the weight", c->x_shape[3].dim[0], w->dim[0]);
}

/* x1*W is one product over all outputs; what it leaves is multiplied with each row of x2. */
static ebb_tensor *bilinear_compose(const ebb_call *c) {
    ebb_tensor *bias = c->n_x > 3 ? c->x[3] : NULL;
    if (!bilinear_fits(c, bias != NULL)) return NULL;
    const ebb_shape *x = c->x_shape, *w = &c->x_shape[2];
    const int64_t rows = rows_in(&x[0]), out = w->dim[0], n1 = w->dim[1], n2 = w->dim[2];
    ebb_tensor *x1 = ebb_reshape(c->x[0], .shape = EBB_SHAPE(rows, n1));
    ebb_tensor *x2 = ebb_reshape(c->x[1], .shape = EBB_SHAPE(rows, n2, 1));
    ebb_tensor *across =
        ebb_reshape(ebb_permute(c->x[2], .dims = EBB_DIMS(1, 0, 2)), .shape = EBB_SHAPE(n1, out * n2));
    ebb_tensor *half = ebb_reshape(ebb_gemm(x1, across), .shape = EBB_SHAPE(rows, out, n2));
    ebb_ints shape = ebb_ints_of(&x[0]);
    shape.v[shape.n - 1] = out;
    ebb_tensor *y = ebb_reshape(ebb_gemm(half, x2), .shape = shape);
    return bias ? ebb_add(y, bias) : y;
}

EBB_OP(bilinear,
    .sig = "input1(i),input2(j),weight(o,i,j),bias(o)?->(o)",
    .math = "y_o = x1'*W_o*x2 + b_o;  dx1 = sum_o g_o*W_o*x2,  dx2 = sum_o g_o*W_o'*x1,  dW_o = g_o*x1*x2',  db = g",
    .compose = bilinear_compose,
    .tries = "[4,3] [4,2] [5,3,2] [5]; [3] [2] [2,3,2]; [2,2,3] [2,2,2] [1,3,2] [1]; [0,3] [0,2] [2,3,2] [2]; [1,1] [1,1] [1,1,1]",
    .doc = "Bilinear layer. The weight is [out,in1,in2]; the bias may be absent.",
    .ref = "torch.nn.functional.bilinear"
);
