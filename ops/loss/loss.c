/* loss.c - floor 5: losses, each with reduction mean, sum or none. */
#include <ebb/op.h>

typedef struct loss_attrs {
    int32_t reduction;
} loss_attrs;
static const ebb_attr loss_attr[] = {EBB_ATTR(EBB_A_ENUM, loss_attrs, reduction, "mean",
                                              "what becomes of the single losses", .choices = "mean|sum|none")};

static ebb_tensor *reduced(const ebb_call *c, ebb_tensor *each) {
    const int32_t how = ((const loss_attrs *)c->attrs)->reduction;
    return how == EBB_MEAN ? ebb_mean(each) : how == EBB_SUM ? ebb_sum(each) : each;
}

static ebb_tensor *mse_loss_compose(const ebb_call *c) {
    return reduced(c, ebb_square(ebb_sub(c->x[0], c->x[1])));
}

EBB_OP(mse_loss,
    .sig = "input(),target()->()",
    .math = "L = mean (x - t)^2;  dx = g*2*(x - t)/n,  dt = -dx",
    .compose = mse_loss_compose,
    .attrs = EBB_ATTRS(loss_attrs, loss_attr),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [2,3] reduction=none; [2,3] [2,3]; [1] [1]; [] []",
    .doc = "Mean squared error."
);

/* ---- cross entropy ---- */

/* The loss of each row, through its log-sum-exp: nothing overflows. */
EBB_KERNEL(cross_entropy_rows_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T top = -(T)INFINITY; T sum = 0;
        for (int64_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
        for (int64_t i = 0; i < n; i++) sum += ebb_exp(x[i] - top);
        ((T *)l->p[2])[r * l->step[2]] = ebb_log(sum) + (top - x[((const int64_t *)l->p[1])[r * l->step[1]]]);
    })

/* g, of the rows' shape, as a column beside them. */
static ebb_tensor *column(const ebb_call *c, ebb_tensor *g) {
    ebb_ints s = ebb_ints_of(&c->y_shape[0]);
    s.v[s.n++] = 1;
    return ebb_reshape(g, .shape = s);
}
static ebb_tensor *cross_entropy_rows_dx(const ebb_call *c, ebb_tensor *g) {
    const ebb_shape *x = &c->x_shape[0];
    ebb_tensor *hit = ebb_to(ebb_one_hot(c->x[1], .num_classes = x->dim[x->ndim - 1]), (ebb_dtype)x->dtype);
    return ebb_mul(column(c, g), ebb_sub(ebb_softmax(c->x[0], .dim = -1), hit));
}
EBB_KERNEL(cross_entropy_rows_pull,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T g = ((const T *)l->p[0])[r * l->step[0]];
        const T *x = (const T *)l->p[1] + r * l->step[1];
        T *d = (T *)l->p[3] + r * l->step[3];
        T top = -(T)INFINITY; T sum = 0;
        for (int64_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
        for (int64_t i = 0; i < n; i++) sum += d[i] = ebb_exp(x[i] - top);
        const T scale = g / sum;
        for (int64_t i = 0; i < n; i++) d[i] *= scale;
        d[((const int64_t *)l->p[2])[r * l->step[2]]] -= g;
    })

EBB_OP(cross_entropy_rows,
    .sig = "input(c),target():i<c->()",
    .math = "L = ln sum_j exp(x_j) - x_t;  dx = g*(softmax(x) - onehot(t))",
    .fwd = cross_entropy_rows_fwd,
    .vjp = EBB_VJP({cross_entropy_rows_dx, EBB_X(0) | EBB_X(1)}, {NULL, 0}),
    .pull = EBB_PULL({0, cross_entropy_rows_pull, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_INTERNAL,
    .doc = "Cross entropy of each row of logits against a class index. What cross_entropy is made of."
);

/* torch's layout: classes in dim 1, in dim 0 for a single sample. */
static ebb_tensor *cross_entropy_compose(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0], *t = &c->x_shape[1];
    const ebb_host *h = ebb_host_of(c->x[0]);
    if (x->ndim < 1 || t->ndim != x->ndim - 1) {
        h->fail(c->e, EBB_E_SHAPE,
                "input has %d dims and target %d; target has one less: input [N,C] goes with target [N]",
                x->ndim, t->ndim);
        return NULL;
    }
    if (t->dtype == EBB_F32 || t->dtype == EBB_F64 || t->dtype == EBB_BOOL) {
        h->fail(c->e, EBB_E_DTYPE, "target holds class indices and must be integers, not %s",
                t->dtype == EBB_F32   ? "f32"
                : t->dtype == EBB_F64 ? "f64"
                                      : "bool");
        return NULL;
    }
    ebb_tensor *rows = c->x[0];
    if (x->ndim > 2) { /* [N,C,d..] -> [N,d..,C] */
        ebb_ints order = {x->ndim, {0}};
        for (int d = 1; d + 1 < x->ndim; d++) order.v[d] = d + 1;
        order.v[x->ndim - 1] = 1;
        rows = ebb_permute(rows, .dims = order);
    }
    for (int d = 0; d < t->ndim; d++)
        if (t->dim[d] != x->dim[d ? d + 1 : 0]) {
            h->fail(c->e, EBB_E_SHAPE, "dim %d of target is %lld, but input has %lld there", d,
                    (long long)t->dim[d], (long long)x->dim[d ? d + 1 : 0]);
            return NULL;
        }
    return reduced(c, ebb_cross_entropy_rows(rows, c->x[1]));
}

EBB_OP(cross_entropy,
    .sig = "input(),target():i->()",
    .math = "L = mean (ln sum_j exp(x_j) - x_t);  dx = g*(softmax(x) - onehot(t))/n",
    .compose = cross_entropy_compose,
    .attrs = EBB_ATTRS(loss_attrs, loss_attr),
    .tries = "[4,3] [4]<3; [4,3] [4]<3 reduction=sum; [4,3] [4]<3 reduction=none; [3] []<3; [2,3,4] [2,4]<3; [2,3,2,2] [2,2,2]<3 reduction=none; [1,1] [1]<1",
    .doc = "Mean negative log-likelihood of class indices under logits. Classes are dim 1 (dim 0 of a single sample).",
    .ref = "torch.nn.functional.cross_entropy"
);
