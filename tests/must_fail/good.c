/* good.c - the positive control: correct ops of each form, which the same run must accept.
 * expect: accepted */
#include <ebb/op.h>

/* ---- pointwise, the rule reads y ------------------------------------------------------------------------------ */

EBB_MAP1(logistic_fwd, ebb_sigmoid(x))

static ebb_tensor *logistic_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul(c->y[0], ebb_sub_from(1, c->y[0])));
}

EBB_OP(good_logistic,
    .sig = "()->()",
    .math = "y = 1/(1 + exp(-x));  dx = g*y*(1 - y)",
    .fwd = logistic_fwd,
    .vjp = EBB_VJP({logistic_dx, EBB_Y(0)}),
    .doc = "Logistic function."
);

/* ---- pointwise with a fused pull, an attribute and a kink ------------------------------------------------------ */

typedef struct {
    double slope;
} leaky_attrs;

static const ebb_attr leaky_table[] = {EBB_ATTR(EBB_A_FLOAT, leaky_attrs, slope, "0.1", "slope below 0")};

EBB_MAP1_ATTRS(leaky_fwd, leaky_attrs, x < 0 ? (T)a->slope * x : x)
EBB_MAP2_ATTRS(leaky_pull, leaky_attrs, y < 0 ? (T)a->slope * x : x) /* cotangent, x */

static ebb_tensor *leaky_dx(const ebb_call *c, ebb_tensor *g) {
    const leaky_attrs *a = (const leaky_attrs *)c->attrs;
    ebb_tensor *x = c->x[0];
    return ebb_where(ebb_lt(x, ebb_scalar(x, 0)), ebb_mul_scalar(g, a->slope), g);
}

EBB_OP(good_leaky,
    .sig = "()->()",
    .math = "y = x, slope*x below 0;  dx = g, slope*g below 0",
    .fwd = leaky_fwd,
    .vjp = EBB_VJP({leaky_dx, EBB_X(0)}),
    .pull = EBB_PULL({0, leaky_pull, EBB_X(0)}),
    .attrs = EBB_ATTRS(leaky_attrs, leaky_table),
    .kinks = EBB_KINKS({NULL, 1, {0}, {1}}),
    .tries = "slope=0.3",
    .doc = "Leaky rectifier."
);

/* ---- two inputs that broadcast, a domain ------------------------------------------------------------------------ */

EBB_MAP2(ratio_fwd, x / y)

static ebb_tensor *ratio_dx(const ebb_call *c, ebb_tensor *g) { return ebb_div(g, c->x[1]); }
static ebb_tensor *ratio_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_neg(ebb_mul(g, ebb_div(c->y[0], c->x[1])));
}

EBB_OP(good_ratio,
    .sig = "x(),y()->()",
    .math = "z = x/y;  dx = g/y, dy = -g*z/y",
    .fwd = ratio_fwd,
    .vjp = EBB_VJP({ratio_dx, EBB_X(1)}, {ratio_dy, EBB_X(1) | EBB_Y(0)}),
    .domain = EBB_DOMAIN({-3, 3}, {0.5, 3}),
    .doc = "Quotient."
);

/* ---- a row to a number -------------------------------------------------------------------------------------------- */

EBB_KERNEL(sum_squares_fwd,
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T sum = 0;
        for (int64_t i = 0; i < l->dim[0]; i++) sum += x[i] * x[i];
        *((T *)l->p[1] + r * l->step[1]) = sum;
    })

/* The cotangent with a last dim of 1, so that it broadcasts along the row. */
static ebb_tensor *column(const ebb_call *c, ebb_tensor *g) {
    ebb_ints s = ebb_ints_of(c->y_shape);
    s.v[s.n++] = 1;
    return ebb_reshape(g, .shape = s);
}

static ebb_tensor *sum_squares_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(column(c, g), ebb_mul_scalar(c->x[0], 2));
}

EBB_OP(good_sum_squares,
    .sig = "(n)->()",
    .math = "y = sum_i x_i^2;  dx_i = g*2*x_i",
    .fwd = sum_squares_fwd,
    .vjp = EBB_VJP({sum_squares_dx, EBB_X(0)}),
    .doc = "Sum of squares of each row."
);

/* ---- a matrix product, the kernel takes strides ------------------------------------------------------------------- */

EBB_KERNEL(product_fwd,
    const int64_t n = l->dim[0];
    const int64_t(*s)[EBB_MAX_DIMS] = l->stride;
    for (int64_t r = 0; r < l->n; r++) {
        const T *a = (const T *)l->p[0] + r * l->step[0];
        const T *b = (const T *)l->p[1] + r * l->step[1];
        T *y = (T *)l->p[2] + r * l->step[2];
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                T sum = 0;
                for (int64_t k = 0; k < n; k++) sum += a[i * s[0][0] + k * s[0][1]] * b[k * s[1][0] + j * s[1][1]];
                y[i * s[2][0] + j * s[2][1]] = sum;
            }
    })

static ebb_tensor *flipped(ebb_tensor *t) { return ebb_transpose(t, .dim0 = -2, .dim1 = -1); }
static ebb_tensor *product_da(const ebb_call *c, ebb_tensor *g) { return ebb_matmul(g, flipped(c->x[1])); }
static ebb_tensor *product_db(const ebb_call *c, ebb_tensor *g) { return ebb_matmul(flipped(c->x[0]), g); }

EBB_OP(good_product,
    .sig = "a(n,n),b(n,n)->(n,n)",
    .flags = EBB_STRIDED,
    .math = "y = A B;  dA = G B', dB = A' G",
    .fwd = product_fwd,
    .vjp = EBB_VJP({product_da, EBB_X(1)}, {product_db, EBB_X(0)}),
    .doc = "Product of square matrices."
);

/* ---- an optional input ---------------------------------------------------------------------------------------------- */

EBB_KERNEL(affine_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        const T *w = (const T *)l->p[1] + r * l->step[1];
        const T *b = l->p[2] ? (const T *)l->p[2] + r * l->step[2] : NULL;
        T *z = (T *)l->p[3] + r * l->step[3];
        for (int64_t i = 0; i < n; i++) z[i] = x[i] * w[i] + (b ? b[i] : 0);
    })

static ebb_tensor *affine_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, c->x[1]); }
static ebb_tensor *affine_dw(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, c->x[0]); }
static ebb_tensor *affine_db(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}

EBB_OP(good_affine,
    .sig = "x(n),w(n),b(n)?->(n)",
    .math = "z = x*w + b;  dx = g*w, dw = g*x, db = g",
    .fwd = affine_fwd,
    .vjp = EBB_VJP({affine_dx, EBB_X(1)}, {affine_dw, EBB_X(0)}, {affine_db, 0}),
    .doc = "Elementwise product and sum, with and without an offset."
);

/* ---- two outputs ------------------------------------------------------------------------------------------------------- */

EBB_KERNEL(turn_fwd,
    for (int64_t i = 0; i < l->n; i++) {
        const T x = ((const T *)l->p[0])[i * l->step[0]];
        ((T *)l->p[1])[i * l->step[1]] = ebb_sin(x);
        ((T *)l->p[2])[i * l->step[2]] = ebb_cos(x);
    })

static ebb_tensor *turn_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_sub(ebb_mul(g, c->y[1]), ebb_mul(c->g[1], c->y[0]));
}

EBB_OP(good_turn,
    .sig = "()->(),()",
    .math = "y = sin(x), z = cos(x);  dx = g*z - h*y",
    .fwd = turn_fwd,
    .vjp = EBB_VJP({turn_dx, EBB_Y(0) | EBB_Y(1)}),
    .doc = "Sine and cosine."
);

/* ---- any number of inputs --------------------------------------------------------------------------------------------- */

EBB_KERNEL(total_fwd,
    T *y = (T *)l->p[l->n_x];
    for (int64_t i = 0; i < l->n; i++) {
        T sum = 0;
        for (int32_t k = 0; k < l->n_x; k++) sum += ((const T *)l->p[k])[i * l->step[k]];
        y[i * l->step[l->n_x]] = sum;
    })

static ebb_tensor *total_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}

EBB_OP(good_total,
    .sig = "()*->()",
    .math = "y = x_0 + x_1 + ...;  dx_i = g",
    .fwd = total_fwd,
    .vjp = EBB_VJP({total_dx, 0}),
    .doc = "Sum of all inputs."
);

/* ---- indices: each of the two is the other's rule --------------------------------------------------------------------- */

EBB_KERNEL(pick_fwd,
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        const int64_t at = *((const int64_t *)l->p[1] + r * l->step[1]);
        *((T *)l->p[2] + r * l->step[2]) = x[at];
    })

EBB_KERNEL(put_fwd,
    for (int64_t r = 0; r < l->n; r++) {
        const T g = *((const T *)l->p[0] + r * l->step[0]);
        const int64_t at = *((const int64_t *)l->p[1] + r * l->step[1]);
        T *y = (T *)l->p[3] + r * l->step[3];
        for (int64_t i = 0; i < l->dim[0]; i++) y[i] = i == at ? g : 0;
    })

static ebb_tensor *pick_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *const in[] = {g, c->x[1], c->x[0]};
    return ebb_op_call("good_put", 0, 3, in, NULL, 0, 0, NULL);
}
static ebb_tensor *put_dg(const ebb_call *c, ebb_tensor *h) {
    ebb_tensor *const in[] = {h, c->x[1]};
    return ebb_op_call("good_pick", 0, 2, in, NULL, 0, 0, NULL);
}

EBB_OP(good_pick,
    .sig = "x(v),at():i<v->()",
    .math = "y = x[at];  dx[at] = g, 0 elsewhere",
    .fwd = pick_fwd,
    .vjp = EBB_VJP({pick_dx, EBB_X(0) | EBB_X(1)}, {NULL, 0}),
    .doc = "One element of each row."
);

EBB_OP(good_put,
    .sig = "g(),at():i<v,like(v)->(v)",
    .flags = EBB_INTERNAL,
    .math = "y[at] = g, 0 elsewhere;  dg = h[at]",
    .fwd = put_fwd,
    .vjp = EBB_VJP({put_dg, EBB_X(1)}, {NULL, 0}, {NULL, 0}),
    .doc = "A row like `like` with g at one place and 0 elsewhere."
);

/* ---- shapes that a signature cannot express: infer, and a view -------------------------------------------------------- */

static ebb_status reverse_infer(ebb_infer *s) {
    if (s->x[0].ndim != 1) return s->fail(s, EBB_E_SHAPE, "x must have 1 dim, has %d", (int)s->x[0].ndim);
    s->y[0].ndim = 1;
    s->y[0].shape[0] = s->x[0].shape[0];
    return EBB_OK;
}

EBB_KERNEL(reverse_fwd,
    const T *x = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    const int64_t n = l->arg[0].shape[0];
    for (int64_t i = 0; i < n; i++) y[i] = x[n - 1 - i];
    )

static ebb_tensor *reverse_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_op_call("good_reverse", 0, 1, &g, NULL, 0, 0, NULL);
}

EBB_OP(good_reverse,
    .sig = "(n)->(n)",
    .math = "y_i = x_{n-1-i};  dx = reverse(g)",
    .infer = reverse_infer,
    .fwd = reverse_fwd,
    .vjp = EBB_VJP({reverse_dx, 0}),
    .tries = "[5]; [1]; [0]",
    .doc = "A vector back to front."
);

static ebb_status flip_view(ebb_infer *s) {
    const ebb_info *x = &s->x[0];
    if (x->ndim != 2) return s->fail(s, EBB_E_SHAPE, "x must have 2 dims, has %d", (int)x->ndim);
    s->y[0].ndim = 2;
    for (int i = 0; i < 2; i++) s->y[0].shape[i] = x->shape[1 - i], s->y[0].stride[i] = x->stride[1 - i];
    return EBB_OK;
}

static ebb_tensor *flip_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_op_call("good_flip", 0, 1, &g, NULL, 0, 0, NULL);
}

EBB_OP(good_flip,
    .sig = "(m,n)->(n,m)",
    .math = "y_ij = x_ji;  dx = g'",
    .view = flip_view,
    .vjp = EBB_VJP({flip_dx, 0}),
    .tries = "[3,4]; [1,5]",
    .doc = "A matrix's transpose, without a copy."
);

/* ---- composed of other ops: recorded op by op, and with a rule of its own ---------------------------------------------- */

static ebb_tensor *gate_compose(const ebb_call *c) { return ebb_mul(c->x[0], ebb_tanh(c->x[1])); }

EBB_OP(good_gate,
    .sig = "x(),y()->()",
    .math = "z = x*tanh(y)",
    .compose = gate_compose,
    .doc = "Gated value."
);

static ebb_tensor *cube_compose(const ebb_call *c) { return ebb_mul(c->x[0], ebb_mul(c->x[0], c->x[0])); }
static ebb_tensor *cube_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(ebb_mul(c->x[0], c->x[0]), 3));
}

EBB_OP(good_cube,
    .sig = "()->()",
    .math = "y = x^3;  dx = g*3*x^2",
    .compose = cube_compose,
    .vjp = EBB_VJP({cube_dx, EBB_X(0)}),
    .doc = "Third power."
);

EBB_PLUGIN(good, &ebb_op_good_logistic, &ebb_op_good_leaky, &ebb_op_good_ratio, &ebb_op_good_sum_squares,
    &ebb_op_good_product, &ebb_op_good_affine, &ebb_op_good_turn, &ebb_op_good_total, &ebb_op_good_pick,
    &ebb_op_good_put, &ebb_op_good_reverse, &ebb_op_good_flip, &ebb_op_good_gate, &ebb_op_good_cube);
