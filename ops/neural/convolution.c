/* convolution.c - floor 5: the three products of a convolution: forwards, back to its input, and to its weight.
 *
 * <g, convolution(x, w)> is linear in each of g, x and w, and the derivatives by one of them are the products of the other
 * two: the rules of each product are the other products, so that derivatives of every order exist and no columns are kept. */
#include "conv.h"

typedef struct conv_attrs {
    ebb_ints size, count, kernel_size, stride, padding, dilation;
    int64_t groups;
} conv_attrs;
static const ebb_attr conv_attr[] = {
    EBB_ATTR(EBB_A_INTS, conv_attrs, size, NULL, "sizes of the spatial dims of the convolution's input"),
    EBB_ATTR(EBB_A_INTS, conv_attrs, count, NULL, "sizes of the spatial dims of its output"),
    EBB_ATTR(EBB_A_INTS, conv_attrs, kernel_size, NULL, "size of the window"),
    EBB_ATTR(EBB_A_INTS, conv_attrs, stride, NULL, "distance of neighbouring windows"),
    EBB_ATTR(EBB_A_INTS, conv_attrs, padding, NULL, "how far the first window begins before the input"),
    EBB_ATTR(EBB_A_INTS, conv_attrs, dilation, NULL, "distance of the elements of a window"),
    EBB_ATTR(EBB_A_INT, conv_attrs, groups, "1", "parts of the channels that do not mix", .lo = 1, .hi = 1e9),
};
#define SAME_CONV(a) SAME_WINDOWS(a), .groups = (a)->groups

/* ---- by matrix products over columns ---------------------------------------------------------------------- */

/* The sizes of a product: x (n, c, size), w (o, c/groups, kernel), y (n, o, count). */
typedef struct sizes {
    const conv_attrs *a;
    int64_t n, c, o, groups, in, out, taps;
    bool plain; /* windows of one element, each element in one of them: the input is its columns */
} sizes;

static sizes sizes_of(const void *attrs, int64_t n, int64_t c, int64_t o) {
    const conv_attrs *a = (const conv_attrs *)attrs;
    sizes s = {a,   n, c, o, a->groups, numel_of(&a->size), numel_of(&a->count), numel_of(&a->kernel_size),
               true};
    for (int d = 0; d < a->size.n; d++)
        s.plain = s.plain && a->kernel_size.v[d] == 1 && a->stride.v[d] == 1 && !a->padding.v[d] &&
                  a->size.v[d] == a->count.v[d];
    return s;
}

/* With so few channels on one side of a group's matrix the columns cost more than the product: a kernel walks the planes. */
static bool direct(const sizes *s) { return !s->plain && s->o <= 4 * s->groups; }

/* Planes so small that the columns of a batch are better side by side. */
static bool narrow(const sizes *s) { return s->n > 1 && s->out < 64; }

/* (n, channels, m) as matrices: (n, groups, channels/groups, m), or joined (groups, channels/groups, n*m). */
static ebb_tensor *as_matrices(ebb_tensor *t, const sizes *s, int64_t channels, int64_t m, bool joined) {
    if (!joined) return ebb_reshape(t, .shape = EBB_SHAPE(s->n, s->groups, channels / s->groups, m));
    t = ebb_transpose(ebb_reshape(t, .shape = EBB_SHAPE(s->n, channels, m)), .dim0 = 0, .dim1 = 1);
    return ebb_reshape(t, .shape = EBB_SHAPE(s->groups, channels / s->groups, s->n * m));
}

static ebb_tensor *from_matrices(ebb_tensor *t, const sizes *s, int64_t channels, const ebb_ints *spatial,
                                 bool joined) {
    if (joined) {
        t = ebb_reshape(t, .shape = EBB_SHAPE(channels, s->n, numel_of(spatial)));
        t = ebb_transpose(t, .dim0 = 0, .dim1 = 1);
    }
    return ebb_reshape(t, .shape = planes(s->n, channels, spatial));
}

static ebb_tensor *columns(ebb_tensor *x, const sizes *s, bool joined) {
    if (s->plain) return as_matrices(x, s, s->c, s->in, joined);
    const int64_t rows = s->c / s->groups * s->taps;
    return ebb_reshape(ebb_patches(x, SAME_WINDOWS(s->a), .joined = joined),
                       .shape = joined ? EBB_SHAPE(s->groups, rows, s->n * s->out)
                                       : EBB_SHAPE(s->n, s->groups, rows, s->out));
}

static ebb_tensor *columns_back(ebb_tensor *t, const sizes *s, bool joined) {
    if (s->plain) return from_matrices(t, s, s->c, &s->a->size, joined);
    const int64_t rows = s->c * s->taps;
    t = ebb_reshape(t, .shape = joined ? EBB_SHAPE(rows, s->n * s->out) : EBB_SHAPE(s->n, rows, s->out));
    return ebb_patches_add(t, SAME_WINDOWS(s->a), .joined = joined);
}

static ebb_tensor *weight_matrices(ebb_tensor *w, const sizes *s) {
    return ebb_reshape(w, .shape = EBB_SHAPE(s->groups, s->o / s->groups, s->c / s->groups * s->taps));
}

static ebb_tensor *flipped(ebb_tensor *t) { return ebb_transpose(t, .dim0 = -1, .dim1 = -2); }

static ebb_tensor *with_bias(ebb_tensor *y, ebb_tensor *b, int64_t channels, int dims) {
    if (!b) return y;
    ebb_ints shape = {1 + dims, {channels, 1, 1, 1}};
    return ebb_add_(y, ebb_reshape(b, .shape = shape));
}

/* ---- by a kernel over planes ------------------------------------------------------------------------------- */

/* What one unit of the direct kernels needs: the sizes, and which output channels share a group. */
typedef struct walk {
    grid g;
    int64_t c, o, cg, og; /* channels in and out, in all and of one group */
} walk;

static walk walk_of(const ebb_loop *l, int64_t c, int64_t o) {
    const int64_t groups = ((const conv_attrs *)l->attrs)->groups;
    return (walk){ebb__grid_of(l->attrs), c, o, c / groups, o / groups};
}

#define EACH_WEIGHT(w, statement)                                                                            \
    for (int64_t kz = 0, tap = 0; kz < (w).g.kernel[0]; kz++)                                                \
        for (int64_t ky = 0; ky < (w).g.kernel[1]; ky++)                                                     \
            for (int64_t kx = 0; kx < (w).g.kernel[2]; kx++, tap++) statement

EBB_KERNEL(convolution_fwd,
    const walk w = walk_of(l, l->arg[0].shape[1], l->arg[1].shape[0]);
    const T *bias = l->n_x > 2 ? (const T *)l->p[2] : NULL;
    for (int64_t u = l->first; u < l->first + l->n; u++) {
        const int64_t o = u % w.o; const int64_t c0 = o / w.og * w.cg;
        T *y = (T *)l->p[l->n_x] + u * w.g.out;
        const T start = bias ? bias[o] : 0;
        for (int64_t i = 0; i < w.g.out; i++) y[i] = start;
        for (int64_t c = 0; c < w.cg; c++) {
            const T *x = (const T *)l->p[0] + (u / w.o * w.c + c0 + c) * w.g.in;
            const T *k0 = (const T *)l->p[1] + (o * w.cg + c) * w.g.taps;
            EACH_WEIGHT(w, {
                const T v = k0[tap];
                EACH_ROW(w.g, kz, ky, kx, EACH_IN_ROW(y[p + k] += v * x[i + j];));
            })
        }
    })

EBB_KERNEL(convolution_back_fwd,
    const walk w = walk_of(l, l->arg[l->n_x].shape[1], l->arg[1].shape[0]);
    const T *bias = l->n_x > 2 ? (const T *)l->p[2] : NULL;
    for (int64_t u = l->first; u < l->first + l->n; u++) {
        const int64_t c = u % w.c; const int64_t o0 = c / w.cg * w.og;
        T *dx = (T *)l->p[l->n_x] + u * w.g.in;
        const T start = bias ? bias[c] : 0;
        for (int64_t i = 0; i < w.g.in; i++) dx[i] = start;
        for (int64_t o = o0; o < o0 + w.og; o++) {
            const T *g = (const T *)l->p[0] + (u / w.c * w.o + o) * w.g.out;
            const T *k0 = (const T *)l->p[1] + (o * w.cg + c % w.cg) * w.g.taps;
            EACH_WEIGHT(w, {
                const T v = k0[tap];
                EACH_ROW(w.g, kz, ky, kx, EACH_IN_ROW(dx[i + j] += v * g[p + k];));
            })
        }
    })

/* A row of partial sums, so that the order of addition is fixed and vectors are possible. */
EBB_KERNEL(convolution_weight_fwd,
    const walk w = walk_of(l, l->arg[0].shape[1], l->arg[1].shape[1]);
    const int64_t width = w.g.count[2];
    T *sum = (T *)l->scratch;
    for (int64_t u = l->first; u < l->first + l->n; u++) {
        const int64_t o = u / w.cg; const int64_t c = o / w.og * w.cg + u % w.cg;
        EACH_WEIGHT(w, {
            for (int64_t k = 0; k < width; k++) sum[k] = 0;
            for (int64_t b = 0; b < l->arg[0].shape[0]; b++) {
                const T *x = (const T *)l->p[0] + (b * w.c + c) * w.g.in;
                const T *g = (const T *)l->p[1] + (b * w.o + o) * w.g.out;
                EACH_ROW(w.g, kz, ky, kx, EACH_IN_ROW(sum[k] += g[p + k] * x[i + j];));
            }
            T all = 0;
            for (int64_t k = 0; k < width; k++) all += sum[k];
            ((T *)l->p[2])[u * w.g.taps + tap] = all;
        })
    })

static size_t weight_scratch(const ebb_loop *l) {
    return (size_t)ebb__grid_of(l->attrs).count[2] * sizeof(double);
}

/* ---- checks that all three share ------------------------------------------------------------------------------ */

static bool of_groups(int64_t channels, int64_t groups) { return channels % groups == 0; }

/* w is (o, c/groups, kernel). */
static ebb_status weight_ok(ebb_infer *s, const ebb_info *w) {
    const conv_attrs *a = (const conv_attrs *)s->attrs;
    const ebb_status r = ebb__plane_ok(s, "the weight", w, 2, &a->kernel_size);
    if (r != EBB_OK || of_groups(w->shape[0], a->groups)) return r;
    return s->fail(s, EBB_E_SHAPE, "the weight is for %lld channels, which are not %lld equal groups",
                   (long long)w->shape[0], (long long)a->groups);
}

static ebb_status channels_ok(ebb_infer *s, const char *what, int64_t channels, int64_t want) {
    if (channels == want) return EBB_OK;
    return s->fail(s, EBB_E_SHAPE, "%s %lld channels; with this weight and %lld groups it needs %lld", what,
                   (long long)channels, (long long)((const conv_attrs *)s->attrs)->groups, (long long)want);
}

static ebb_status bias_ok(ebb_infer *s, int64_t channels) {
    if (s->n_x < 3 || !s->x[2].dtype || (s->x[2].ndim == 1 && s->x[2].shape[0] == channels)) return EBB_OK;
    return s->fail(s, EBB_E_SHAPE, "the bias has %lld elements in %d dims; %lld in 1 dim are needed",
                   (long long)s->x[2].numel, s->x[2].ndim, (long long)channels);
}

/* ---- convolution ---------------------------------------------------------------------------------------------- */

static ebb_status convolution_infer(ebb_infer *s) {
    const conv_attrs *a = (const conv_attrs *)s->attrs;
    ebb_status r = ebb__windows_ok(s);
    if (r == EBB_OK) r = ebb__plane_ok(s, "the input", &s->x[0], 2, &a->size);
    if (r == EBB_OK) r = weight_ok(s, &s->x[1]);
    if (r == EBB_OK) r = channels_ok(s, "the input has", s->x[0].shape[1], s->x[1].shape[1] * a->groups);
    if (r == EBB_OK) r = bias_ok(s, s->x[1].shape[0]);
    if (r != EBB_OK) return r;
    const ebb_ints shape = planes(s->x[0].shape[0], s->x[1].shape[0], &a->count);
    plane_shape(s->y, 0, &shape);
    s->work = shape.v[0] * shape.v[1];
    return EBB_OK;
}

/* Whether operands 0 and 1 have the dims that the product of this op reads; if not, infer says what is wrong. */
static bool readable(const ebb_call *c) {
    const conv_attrs *a = (const conv_attrs *)c->attrs;
    const int dims = a->size.n;
    return dims >= 1 && dims <= SPATIAL && a->count.n == dims && a->kernel_size.n == dims && a->stride.n == dims &&
           a->padding.n == dims && c->x_shape[0].ndim == dims + 2 && c->x_shape[1].ndim == dims + 2 &&
           c->x_shape[0].dtype == c->x_shape[1].dtype && ebb_is_float(c->x_shape[0].dtype);
}

static ebb_tensor *convolution_compose(const ebb_call *c) {
    if (!readable(c)) return NULL;
    const sizes s = sizes_of(c->attrs, c->x_shape[0].dim[0], c->x_shape[0].dim[1], c->x_shape[1].dim[0]);
    if (direct(&s) || !of_groups(s.c, s.groups) || !of_groups(s.o, s.groups)) return NULL;
    const bool joined = narrow(&s);
    ebb_tensor *y = ebb_gemm(weight_matrices(c->x[1], &s), columns(c->x[0], &s, joined));
    return with_bias(from_matrices(y, &s, s.o, &s.a->count, joined), c->n_x > 2 ? c->x[2] : NULL, s.o,
                     s.a->size.n);
}

static ebb_tensor *convolution_dx(const ebb_call *c, ebb_tensor *g) {
    const conv_attrs *a = (const conv_attrs *)c->attrs;
    return ebb_convolution_back(g, c->x[1], SAME_CONV(a));
}
static ebb_tensor *convolution_dw(const ebb_call *c, ebb_tensor *g) {
    const conv_attrs *a = (const conv_attrs *)c->attrs;
    return ebb_convolution_weight(c->x[0], g, SAME_CONV(a));
}
/* Summed over the batch and space: dims 0 and 2 up. */
static ebb_tensor *bias_of(const ebb_call *c, ebb_tensor *g) {
    return ebb_sum(g, .dim = {c->y_shape[0].ndim - 1, {0, 2, 3, 4}});
}

EBB_OP(convolution,
    .sig = "input(),weight(),bias()?->()",
    .math = "y[n,o,p] = b[o] + sum_c,k w[o,c,k] * x[n, c, p*stride + k*dilation - padding];  the derivatives are convolution_back, convolution_weight, sum",
    .compose = convolution_compose,
    .infer = convolution_infer,
    .fwd = convolution_fwd,
    .attrs = EBB_ATTRS(conv_attrs, conv_attr),
    .vjp = EBB_VJP({convolution_dx, EBB_X(1)}, {convolution_dw, EBB_X(0)}, {bias_of, 0}),
    .flags = EBB_INTERNAL,
    .tries = "[2,3,5] [5,3,3] [5] size=5 count=5 kernel_size=3 stride=1 padding=1 dilation=1; [2,4,5,4] [10,2,3,2] size=5,4 count=3,2 kernel_size=3,2 stride=2,1 padding=1,0 dilation=1,2 groups=2; [1,2,3,4,2] [2,1,2,2,2] [2] size=3,4,2 count=2,2,3 kernel_size=2,2,2 stride=1,3,1 padding=0,1,1 dilation=2,1,1 groups=2; [2,3,4] [5,3,1] [5] size=4 count=4 kernel_size=1 stride=1 padding=0 dilation=1; [0,2,3] [1,2,2] size=3 count=2 kernel_size=2 stride=1 padding=0 dilation=1; [1,1,130] [5,1,2] size=130 count=129 kernel_size=2 stride=1 padding=0 dilation=1",
    .doc = "The product forwards: (n, c, size), (o, c/groups, kernel), (o) -> (n, o, count), over 1 to 3 spatial dims."
);

/* ---- convolution_back ------------------------------------------------------------------------------------------- */

static ebb_status convolution_back_infer(ebb_infer *s) {
    const conv_attrs *a = (const conv_attrs *)s->attrs;
    ebb_status r = ebb__windows_ok(s);
    if (r == EBB_OK) r = ebb__plane_ok(s, "the input", &s->x[0], 2, &a->count);
    if (r == EBB_OK) r = weight_ok(s, &s->x[1]);
    if (r == EBB_OK) r = channels_ok(s, "the input has", s->x[0].shape[1], s->x[1].shape[0]);
    if (r == EBB_OK) r = bias_ok(s, s->x[1].shape[1] * a->groups);
    if (r != EBB_OK) return r;
    const ebb_ints shape = planes(s->x[0].shape[0], s->x[1].shape[1] * a->groups, &a->size);
    plane_shape(s->y, 0, &shape);
    s->work = shape.v[0] * shape.v[1];
    return EBB_OK;
}

static ebb_tensor *convolution_back_compose(const ebb_call *c) {
    if (!readable(c)) return NULL;
    const int64_t groups = ((const conv_attrs *)c->attrs)->groups;
    const sizes s = sizes_of(c->attrs, c->x_shape[0].dim[0], c->x_shape[1].dim[1] * groups, c->x_shape[0].dim[1]);
    if (direct(&s) || !of_groups(s.o, s.groups)) return NULL;
    const bool joined = narrow(&s);
    ebb_tensor *t = ebb_gemm(flipped(weight_matrices(c->x[1], &s)), as_matrices(c->x[0], &s, s.o, s.out, joined));
    return with_bias(columns_back(t, &s, joined), c->n_x > 2 ? c->x[2] : NULL, s.c, s.a->size.n);
}

static ebb_tensor *convolution_back_dg(const ebb_call *c, ebb_tensor *g) {
    const conv_attrs *a = (const conv_attrs *)c->attrs;
    return ebb_convolution(g, c->x[1], SAME_CONV(a));
}
static ebb_tensor *convolution_back_dw(const ebb_call *c, ebb_tensor *g) {
    const conv_attrs *a = (const conv_attrs *)c->attrs;
    return ebb_convolution_weight(g, c->x[0], SAME_CONV(a));
}

EBB_OP(convolution_back,
    .sig = "input(),weight(),bias()?->()",
    .math = "y = b[c], then y[n, c, p*stride + k*dilation - padding] += w[o,c,k] * g[n,o,p];  dg = convolution,  dw = convolution_weight",
    .compose = convolution_back_compose,
    .infer = convolution_back_infer,
    .fwd = convolution_back_fwd,
    .attrs = EBB_ATTRS(conv_attrs, conv_attr),
    .vjp = EBB_VJP({convolution_back_dg, EBB_X(1)}, {convolution_back_dw, EBB_X(0)}, {bias_of, 0}),
    .flags = EBB_INTERNAL,
    .tries = "[2,5,5] [5,3,3] [3] size=5 count=5 kernel_size=3 stride=1 padding=1 dilation=1; [2,10,3,2] [10,2,3,2] size=5,4 count=3,2 kernel_size=3,2 stride=2,1 padding=1,0 dilation=1,2 groups=2; [1,2,2,2,3] [2,1,2,2,2] [2] size=3,4,2 count=2,2,3 kernel_size=2,2,2 stride=1,3,1 padding=0,1,1 dilation=2,1,1 groups=2; [2,5,4] [5,3,1] [3] size=4 count=4 kernel_size=1 stride=1 padding=0 dilation=1; [0,1,2] [1,2,2] size=3 count=2 kernel_size=2 stride=1 padding=0 dilation=1; [1,5,129] [5,1,2] size=130 count=129 kernel_size=2 stride=1 padding=0 dilation=1",
    .doc = "The product back to the input: (n, o, count), (o, c/groups, kernel), (c) -> (n, c, size). What a transposed convolution is."
);

/* ---- convolution_weight ------------------------------------------------------------------------------------------- */

static ebb_status convolution_weight_infer(ebb_infer *s) {
    const conv_attrs *a = (const conv_attrs *)s->attrs;
    ebb_status r = ebb__windows_ok(s);
    if (r == EBB_OK) r = ebb__plane_ok(s, "the input", &s->x[0], 2, &a->size);
    if (r == EBB_OK) r = ebb__plane_ok(s, "grad", &s->x[1], 2, &a->count);
    if (r != EBB_OK) return r;
    const int64_t c = s->x[0].shape[1], o = s->x[1].shape[1];
    if (s->x[0].shape[0] != s->x[1].shape[0] || !of_groups(c, a->groups) || !of_groups(o, a->groups))
        return s->fail(s, EBB_E_SHAPE,
                       "batches of %lld and %lld must be one size, %lld and %lld channels %lld equal groups",
                       (long long)s->x[0].shape[0], (long long)s->x[1].shape[0], (long long)c, (long long)o,
                       (long long)a->groups);
    const ebb_ints shape = planes(o, c / a->groups, &a->kernel_size);
    plane_shape(s->y, 0, &shape);
    s->work = shape.v[0] * shape.v[1];
    return EBB_OK;
}

static ebb_tensor *convolution_weight_compose(const ebb_call *c) {
    if (!readable(c)) return NULL;
    const sizes s = sizes_of(c->attrs, c->x_shape[0].dim[0], c->x_shape[0].dim[1], c->x_shape[1].dim[1]);
    if (direct(&s) || c->x_shape[1].dim[0] != s.n || !of_groups(s.c, s.groups) || !of_groups(s.o, s.groups))
        return NULL;
    ebb_tensor *w = ebb_gemm(as_matrices(c->x[1], &s, s.o, s.out, true), flipped(columns(c->x[0], &s, true)));
    return ebb_reshape(w, .shape = planes(s.o, s.c / s.groups, &s.a->kernel_size));
}

static ebb_tensor *convolution_weight_dx(const ebb_call *c, ebb_tensor *g) {
    const conv_attrs *a = (const conv_attrs *)c->attrs;
    return ebb_convolution_back(c->x[1], g, SAME_CONV(a));
}
static ebb_tensor *convolution_weight_dg(const ebb_call *c, ebb_tensor *g) {
    const conv_attrs *a = (const conv_attrs *)c->attrs;
    return ebb_convolution(c->x[0], g, SAME_CONV(a));
}

EBB_OP(convolution_weight,
    .sig = "input(),grad()->()",
    .math = "w[o,c,k] = sum_n,p g[n,o,p] * x[n, c, p*stride + k*dilation - padding];  dx = convolution_back,  dg = convolution",
    .compose = convolution_weight_compose,
    .infer = convolution_weight_infer,
    .fwd = convolution_weight_fwd,
    .scratch = weight_scratch,
    .attrs = EBB_ATTRS(conv_attrs, conv_attr),
    .vjp = EBB_VJP({convolution_weight_dx, EBB_X(1)}, {convolution_weight_dg, EBB_X(0)}),
    .flags = EBB_INTERNAL,
    .tries = "[2,3,5] [2,5,5] size=5 count=5 kernel_size=3 stride=1 padding=1 dilation=1; [2,4,5,4] [2,10,3,2] size=5,4 count=3,2 kernel_size=3,2 stride=2,1 padding=1,0 dilation=1,2 groups=2; [1,2,3,4,2] [1,2,2,2,3] size=3,4,2 count=2,2,3 kernel_size=2,2,2 stride=1,3,1 padding=0,1,1 dilation=2,1,1 groups=2; [2,3,4] [2,5,4] size=4 count=4 kernel_size=1 stride=1 padding=0 dilation=1; [0,2,3] [0,1,2] size=3 count=2 kernel_size=2 stride=1 padding=0 dilation=1; [1,1,130] [1,5,129] size=130 count=129 kernel_size=2 stride=1 padding=0 dilation=1",
    .doc = "The product to the weight: (n, c, size), (n, o, count) -> (o, c/groups, kernel)."
);
