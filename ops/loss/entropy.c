/* entropy.c - floor 5: losses of classes: cross entropy, negative log-likelihood, and their parts. */
#include "loss.h"

typedef struct pick_attrs {
    int64_t ignore_index;
} pick_attrs;
static const ebb_attr pick_attr[] = {
    EBB_ATTR(EBB_A_INT, pick_attrs, ignore_index, "-100", "a target that counts as no target"),
};

/* Target of row r in a kernel whose targets are operand p; `ignored` where it is none, or an empty row; an error where it is no
 * class. */
#define TARGET(p_, n)                                                                                        \
    const int64_t t = ((const int64_t *)l->p[p_])[r * l->step[p_]];                                          \
    const bool ignored = !n || t == ((const pick_attrs *)l->attrs)->ignore_index;                            \
    if (!ignored && (t < 0 || t >= n))                                                                       \
        return l->fail(l, EBB_E_INDEX, "target %lld is not one of the %lld classes, 0..%lld", (long long)t,  \
                       (long long)n, (long long)n - 1);

/* ---- one number of each row, and back ---- */

EBB_KERNEL(class_pick_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        TARGET(1, n)
        ((T *)l->p[2])[r * l->step[2]] = ignored ? 0 : ((const T *)l->p[0] + r * l->step[0])[t];
    })

static ebb_tensor *class_pick_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_class_place(g, c->x[1], c->x[0], .ignore_index = ((const pick_attrs *)c->attrs)->ignore_index);
}

EBB_OP(class_pick,
    .sig = "input(c),target():i->()",
    .math = "y = x_t, 0 where t is ignored;  dx_t = g",
    .fwd = class_pick_fwd,
    .attrs = EBB_ATTRS(pick_attrs, pick_attr),
    .vjp = EBB_VJP({class_pick_dx, EBB_X(0) | EBB_X(1)}, {NULL, 0}),
    .flags = EBB_INTERNAL | EBB_LINEAR,
    .doc = "The number of each row that its target names. What nll_loss is made of."
);

EBB_KERNEL(class_place_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        T *y = (T *)l->p[3] + r * l->step[3];
        TARGET(1, n)
        for (int64_t i = 0; i < n; i++) y[i] = 0;
        if (!ignored) y[t] = ((const T *)l->p[0])[r * l->step[0]];
    })

static ebb_tensor *class_place_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_class_pick(g, c->x[1], .ignore_index = ((const pick_attrs *)c->attrs)->ignore_index);
}

EBB_OP(class_place,
    .sig = "input(),target():i,like(c)->(c)",
    .math = "y_t = x, 0 elsewhere and where t is ignored;  dx = g_t",
    .fwd = class_place_fwd,
    .attrs = EBB_ATTRS(pick_attrs, pick_attr),
    .vjp = EBB_VJP({class_place_dx, EBB_X(1)}, {NULL, 0}, {NULL, 0}),
    .flags = EBB_INTERNAL | EBB_LINEAR,
    .doc = "Rows like those of `like`, 0 but at their target. What the rule of class_pick is made of."
);

/* ---- cross_entropy_rows ---- */

/* The loss of each row, through its log-sum-exp: nothing overflows. */
EBB_KERNEL(cross_entropy_rows_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T *y = (T *)l->p[2] + r * l->step[2];
        TARGET(1, n)
        if (ignored) {
            *y = 0;
            continue;
        }
        T top = -(T)INFINITY; T sum = 0;
        for (int64_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
        for (int64_t i = 0; i < n; i++) sum += ebb_exp(x[i] - top);
        *y = ebb_log(sum) + (top - x[t]);
    })

static ebb_tensor *cross_entropy_rows_dx(const ebb_call *c, ebb_tensor *g) {
    const int64_t none = ((const pick_attrs *)c->attrs)->ignore_index;
    ebb_tensor *t = c->x[1], *kept = ebb_where(ebb_eq(t, ebb_scalar(t, (double)none)), ebb_scalar(g, 0), g);
    return ebb_sub(ebb_mul(loss__column(kept), ebb_softmax(c->x[0], .dim = -1)),
                   ebb_class_place(kept, t, c->x[0], .ignore_index = none));
}
EBB_KERNEL(cross_entropy_rows_pull,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[1] + r * l->step[1];
        T *d = (T *)l->p[3] + r * l->step[3];
        TARGET(2, n)
        const T g = ignored ? 0 : ((const T *)l->p[0])[r * l->step[0]];
        T top = -(T)INFINITY; T sum = 0;
        if (ignored) {
            for (int64_t i = 0; i < n; i++) d[i] = 0;
            continue;
        }
        for (int64_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
        for (int64_t i = 0; i < n; i++) sum += d[i] = ebb_exp(x[i] - top);
        const T scale = g / sum;
        for (int64_t i = 0; i < n; i++) d[i] *= scale;
        d[t] -= g;
    })

EBB_OP(cross_entropy_rows,
    .sig = "input(c),target():i->()",
    .math = "L = ln sum_j exp(x_j) - x_t, 0 where t is ignored;  dx = g*(softmax(x) - onehot(t))",
    .fwd = cross_entropy_rows_fwd,
    .attrs = EBB_ATTRS(pick_attrs, pick_attr),
    .vjp = EBB_VJP({cross_entropy_rows_dx, EBB_X(0) | EBB_X(1)}, {NULL, 0}),
    .pull = EBB_PULL({0, cross_entropy_rows_pull, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_INTERNAL,
    .doc = "Cross entropy of each row of logits against a class index. What cross_entropy is made of."
);

/* ---- torch's layout: classes in dim 1, in dim 0 for a single sample ---- */

/* [N,C,d..] -> [N,d..,C] */
static ebb_tensor *classes_last(ebb_tensor *x, int ndim) {
    ebb_ints order = {ndim, {0}};
    if (ndim < 3) return x;
    for (int d = 1; d + 1 < ndim; d++) order.v[d] = d + 1;
    order.v[ndim - 1] = 1;
    return ebb_permute(x, .dims = order);
}
static int64_t classes_of(const ebb_shape *x) { return x->dim[x->ndim > 1 ? 1 : 0]; }

/* Whether target has an index for each row of input, and weight a number for each class. */
static bool rows_fit(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0], *t = &c->x_shape[1];
    bool fits = x->ndim > 0 && t->ndim == x->ndim - 1;
    for (int d = 0; d < t->ndim && fits; d++) fits = t->dim[d] == x->dim[d ? d + 1 : 0];
    if (!fits)
        (void)EBB_FAIL(c, EBB_E_SHAPE,
                       "input is %s and target %s; target is input without its dim of classes: [N,C] goes with [N]",
                       loss__sizes(x).s, loss__sizes(t).s);
    else if (!classes_of(x) && ebb_shape_numel(t)) {
        fits = false;
        (void)EBB_FAIL(c, EBB_E_INDEX, "input is %s and so has no classes for targets to name", loss__sizes(x).s);
    } else if (ebb_is_float(t->dtype) || t->dtype == EBB_BOOL) {
        fits = false;
        (void)EBB_FAIL(c, EBB_E_DTYPE, "target holds class indices and must be integers, not %s",
                       t->dtype == EBB_F32   ? "f32"
                       : t->dtype == EBB_F64 ? "f64"
                                             : "bool");
    }
    return fits;
}
static bool weight_fits(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0], *w = &c->x_shape[2];
    if (c->n_x < 3 || !c->x[2]) return true;
    if (w->ndim == 1 && w->dim[0] == classes_of(x) && w->dtype == x->dtype) return true;
    (void)EBB_FAIL(c, w->dtype == x->dtype ? EBB_E_SHAPE : EBB_E_DTYPE,
                   "weight is %s; it must hold a number for each of the %lld classes, of input's dtype",
                   loss__sizes(w).s, (long long)classes_of(x));
    return false;
}

/* The sum of losses over the weight of the targets that count; over their number without a weight. */
static ebb_tensor *mean_of_targets(const ebb_call *c, ebb_tensor *each, ebb_tensor *t, ebb_tensor *w, int64_t none) {
    if (loss__how(c) != EBB_MEAN) return loss__reduced(c, each);
    if (w) return ebb_div(ebb_sum(each), ebb_sum(ebb_class_pick(w, t, .ignore_index = none)));
    const ebb_info i = ebb_info_of(t);
    int64_t n = 0;
    for (int64_t k = 0; k < i.numel; k++) n += ((const int64_t *)i.data)[k] != none;
    return n == i.numel ? ebb_mean(each) : ebb_div_scalar(ebb_sum(each), (double)n);
}

/* ---- cross_entropy ---- */

typedef struct entropy_attrs {
    int32_t reduction;
    int64_t ignore_index;
    double label_smoothing;
} entropy_attrs;
static const ebb_attr entropy_attr[] = {
    EBB_ATTR(EBB_A_ENUM, entropy_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_INT, entropy_attrs, ignore_index, "-100", "a target that counts as no target"),
    EBB_ATTR(EBB_A_FLOAT, entropy_attrs, label_smoothing, "0", "how much of each target all classes share",
             .lo = 0, .hi = 1),
};

/* Sum over the classes of -w*ln p, or of -w*t*ln p. */
static ebb_tensor *spread_over_classes(ebb_tensor *rows, ebb_tensor *t, ebb_tensor *w) {
    ebb_tensor *p = ebb_log_softmax(rows, .dim = -1);
    if (t) p = ebb_mul(p, t);
    if (w) p = ebb_mul(p, w);
    return ebb_neg(ebb_sum(p, .dim = EBB_DIMS(-1)));
}

static ebb_tensor *of_probabilities(const ebb_call *c, ebb_tensor *rows) {
    const entropy_attrs *a = (const entropy_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    const double s = a->label_smoothing;
    if (!ebb_is_float(c->x_shape[1].dtype))
        return EBB_FAIL(c, EBB_E_DTYPE, "target has input's shape and so holds probabilities; they must be floats");
    if (a->ignore_index >= 0)
        return EBB_FAIL(c, EBB_E_ATTR, "ignore_index is %lld, but target holds probabilities",
                        (long long)a->ignore_index);
    ebb_tensor *t = classes_last(c->x[1], x->ndim);
    if (s > 0) t = ebb_add_scalar(ebb_mul_scalar(t, 1 - s), s / (double)classes_of(x));
    return loss__reduced(c, spread_over_classes(rows, t, c->n_x > 2 ? c->x[2] : NULL));
}

static ebb_tensor *cross_entropy_compose(const ebb_call *c) {
    const entropy_attrs *a = (const entropy_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    const bool soft = x->ndim > 0 && loss__same_shape(x, &c->x_shape[1]);
    if ((!soft && !rows_fit(c)) || !weight_fits(c)) return NULL;
    ebb_tensor *rows = classes_last(c->x[0], x->ndim), *w = c->n_x > 2 ? c->x[2] : NULL;
    if (soft) return of_probabilities(c, rows);
    const int64_t none = a->ignore_index;
    ebb_tensor *t = ebb_contiguous(ebb_to(c->x[1], EBB_I64));
    ebb_tensor *each = ebb_cross_entropy_rows(rows, t, .ignore_index = none);
    if (w) each = ebb_mul(each, ebb_class_pick(w, t, .ignore_index = none));
    if (a->label_smoothing > 0) {
        ebb_tensor *all =
            ebb_mul_scalar(spread_over_classes(rows, NULL, w), a->label_smoothing / (double)classes_of(x));
        all = ebb_where(ebb_eq(t, ebb_scalar(t, (double)none)), ebb_scalar(all, 0), all);
        each = ebb_add(ebb_mul_scalar(each, 1 - a->label_smoothing), all);
    }
    return mean_of_targets(c, each, t, w, none);
}

EBB_OP(cross_entropy,
    .sig = "input(),target():i,weight()?->()",
    .math = "L = mean (ln sum_j exp(x_j) - x_t);  dx = g*(softmax(x) - onehot(t))/n",
    .compose = cross_entropy_compose,
    .attrs = EBB_ATTRS(entropy_attrs, entropy_attr),
    .domain = EBB_DOMAIN({-2, 2}, {-2, 2}, {0.5, 2}),
    .tries = "[4,3] [4]<3; [4,3] [4]<3 reduction=sum; [4,3] [4]<3 reduction=none; [3] []<3; [2,3,4] [2,4]<3; [2,3,2,2] [2,2,2]<3 reduction=none; [1,1] [1]<1;"
             "[4,3] [4]<3 [3] reduction=sum; [4,3] [4]<3 label_smoothing=0.2; [2,3,4] [2,4]<3 [3] label_smoothing=0.2 ignore_index=1",
    .doc = "Negative log-likelihood of classes under logits; classes are dim 1 (dim 0 of a single sample). Targets are class indices, or "
           "probabilities in input's shape. The mean is over the targets that count, by their weight.",
    .ref = "torch.nn.functional.cross_entropy"
);

/* ---- nll_loss ---- */

typedef struct nll_attrs {
    int32_t reduction;
    int64_t ignore_index;
} nll_attrs;
static const ebb_attr nll_attr[] = {
    EBB_ATTR(EBB_A_ENUM, nll_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_INT, nll_attrs, ignore_index, "-100", "a target that counts as no target"),
};

static ebb_tensor *nll_loss_compose(const ebb_call *c) {
    const int64_t none = ((const nll_attrs *)c->attrs)->ignore_index;
    if (!rows_fit(c) || !weight_fits(c)) return NULL;
    ebb_tensor *rows = classes_last(c->x[0], c->x_shape[0].ndim), *w = c->n_x > 2 ? c->x[2] : NULL;
    ebb_tensor *t = ebb_contiguous(ebb_to(c->x[1], EBB_I64));
    ebb_tensor *each = ebb_neg(ebb_class_pick(rows, t, .ignore_index = none));
    if (w) each = ebb_mul(each, ebb_class_pick(w, t, .ignore_index = none));
    return mean_of_targets(c, each, t, w, none);
}

EBB_OP(nll_loss,
    .sig = "input(),target():i,weight()?->()",
    .math = "L = mean -x_t;  dx_t = -g/n",
    .compose = nll_loss_compose,
    .attrs = EBB_ATTRS(nll_attrs, nll_attr),
    .domain = EBB_DOMAIN({-2, 2}, {-2, 2}, {0.5, 2}),
    .tries = "[4,3] [4]<3; [4,3] [4]<3 reduction=sum; [4,3] [4]<3 [3] reduction=none; [3] []<3; [2,3,4] [2,4]<3 ignore_index=1; [2,3,2,2] [2,2,2]<3 [3]",
    .doc = "Negative log-likelihood of class indices under log-probabilities, laid out as for cross_entropy."
);
