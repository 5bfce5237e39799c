/* margin.c - floor 5: losses that ask for a margin between scores, distances or angles. */
#include "loss.h"

typedef struct margin_attrs {
    int32_t reduction;
    double margin;
} margin_attrs;
static const ebb_attr margin_attr[] = {
    EBB_ATTR(EBB_A_ENUM, margin_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_FLOAT, margin_attrs, margin, "0", "how far apart is far enough"),
};

static double margin_of(const ebb_call *c) { return ((const margin_attrs *)c->attrs)->margin; }

/* ---- margin_ranking_loss ---- */

static ebb_tensor *margin_ranking_loss_compose(const ebb_call *c) {
    const int n = c->x_shape[0].ndim;
    if (c->x_shape[1].ndim != n || c->x_shape[2].ndim != n)
        return EBB_FAIL(c, EBB_E_SHAPE, "the inputs have %d, %d and %d dims; they must have the same number",
                        n, c->x_shape[1].ndim, c->x_shape[2].ndim);
    ebb_tensor *ahead = ebb_mul(ebb_neg(c->x[2]), ebb_sub(c->x[0], c->x[1]));
    return loss__reduced(c, loss__at_least(ebb_add_scalar(ahead, margin_of(c)), 0));
}

EBB_OP(margin_ranking_loss,
    .sig = "input1(),input2(),target()->()",
    .math = "L = mean max(0, margin - t*(x - y));  dx = -g*t/n, dy = g*t/n where that is not below 0",
    .compose = margin_ranking_loss_compose,
    .attrs = EBB_ATTRS(margin_attrs, margin_attr),
    .tries = "[2,3] [2,3] [2,3] reduction=sum; [2,3] [2,3] [2,1] reduction=none margin=0.7; [5] [5] [5] margin=3; [] [] [] margin=4",
    .doc = "Input1 should rank above input2 where target is 1, below where it is -1."
);

/* ---- cosine_embedding_loss ---- */

static ebb_tensor *cosine_embedding_loss_compose(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0], *y = &c->x_shape[1], *s = &c->x_shape[2];
    if (s->ndim > 1 || x->ndim != s->ndim + 1 || y->ndim != s->ndim + 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "the inputs are %s and %s and target %s; [N,D] go with [N], [D] with []",
                        loss__sizes(x).s, loss__sizes(y).s, loss__sizes(s).s);
    const ebb_ints last = EBB_DIMS(-1);
    ebb_tensor *a = c->x[0], *b = c->x[1], *t = c->x[2];
    ebb_tensor *aa = ebb_add_scalar(ebb_sum(ebb_mul(a, a), .dim = last), 1e-12);
    ebb_tensor *bb = ebb_add_scalar(ebb_sum(ebb_mul(b, b), .dim = last), 1e-12);
    ebb_tensor *angle = ebb_div(ebb_sum(ebb_mul(a, b), .dim = last), ebb_sqrt(ebb_mul(aa, bb)));
    ebb_tensor *zero = ebb_scalar(angle, 0);
    if (s->dtype == EBB_BOOL) t = ebb_where(t, ebb_scalar(a, 1), ebb_scalar(a, -1));
    ebb_tensor *near_by = ebb_where(ebb_eq(t, ebb_scalar(t, 1)), ebb_sub_from(1, angle), zero);
    ebb_tensor *apart =
        ebb_where(ebb_eq(t, ebb_scalar(t, -1)), loss__at_least(ebb_add_scalar(angle, -margin_of(c)), 0), zero);
    return loss__reduced(c, ebb_add(near_by, apart));
}

EBB_OP(cosine_embedding_loss,
    .sig = "input1(),input2(),target():b->()",
    .math = "L = mean 1 - cos(x,y) where t = 1, max(0, cos(x,y) - margin) where t = -1",
    .compose = cosine_embedding_loss_compose,
    .attrs = EBB_ATTRS(margin_attrs, margin_attr),
    .tries = "[4,3] [1,3] [4] reduction=sum; [4,3] [1,3] [4] reduction=none; [4,3] [1,3] [4] margin=0.4; [7,2] [1,2] [7]",
    .doc = "Vectors that should point the same way (target 1) or stay apart (-1, or false). Squared lengths get 1e-12 added."
);

/* ---- triplet_margin_loss ---- */

typedef struct triplet_attrs {
    int32_t reduction;
    double margin, p, eps;
    bool swap;
} triplet_attrs;
static const ebb_attr triplet_attr[] = {
    EBB_ATTR(EBB_A_ENUM, triplet_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_FLOAT, triplet_attrs, margin, "1", "how much farther the negative should be"),
    EBB_ATTR(EBB_A_FLOAT, triplet_attrs, p, "2", "of the norm that is the distance"),
    EBB_ATTR(EBB_A_FLOAT, triplet_attrs, eps, "1e-6", "added to each difference"),
    EBB_ATTR(EBB_A_BOOL, triplet_attrs, swap, "0",
             "the negative's distance to the positive counts where it is shorter"),
};

/* The p-norm of x - y + eps over the last dim; its derivative at 0 is 0. */
static ebb_tensor *distance(const triplet_attrs *a, ebb_tensor *x, ebb_tensor *y) {
    const ebb_ints last = EBB_DIMS(-1);
    ebb_tensor *d = ebb_add_scalar(ebb_sub(x, y), a->eps), *zero = ebb_scalar(d, 0);
    if (a->p == 0) return ebb_sum(ebb_where(ebb_eq(d, zero), zero, ebb_scalar(d, 1)), .dim = last);
    if (a->p == 1) return ebb_sum(ebb_abs(d), .dim = last);
    if (a->p == HUGE_VAL && ebb_info_of(d).numel) return ebb_amax(ebb_abs(d), .dim = last);
    ebb_tensor *sum = ebb_sum(a->p == 2 ? ebb_square(d) : ebb_pow(ebb_abs(d), .exponent = a->p), .dim = last);
    ebb_tensor *none = ebb_eq(sum, zero), *safe = ebb_where(none, ebb_scalar(d, 1), sum);
    return ebb_where(none, zero, a->p == 2 ? ebb_sqrt(safe) : ebb_pow(safe, .exponent = 1 / a->p));
}

static ebb_tensor *triplet_margin_loss_compose(const ebb_call *c) {
    const triplet_attrs *a = (const triplet_attrs *)c->attrs;
    const int n = c->x_shape[0].ndim;
    if (c->x_shape[1].ndim != n || c->x_shape[2].ndim != n)
        return EBB_FAIL(c, EBB_E_SHAPE, "the inputs have %d, %d and %d dims; they must have the same number",
                        n, c->x_shape[1].ndim, c->x_shape[2].ndim);
    ebb_tensor *to_negative = distance(a, c->x[0], c->x[2]);
    if (a->swap) to_negative = ebb_minimum(to_negative, distance(a, c->x[1], c->x[2]));
    ebb_tensor *behind = ebb_sub(distance(a, c->x[0], c->x[1]), to_negative);
    return loss__reduced(c, loss__at_least(ebb_add_scalar(behind, a->margin), 0));
}

EBB_OP(triplet_margin_loss,
    .sig = "anchor(),positive(),negative()->()",
    .math = "L = mean max(0, margin + |a - p| - |a - n|)",
    .compose = triplet_margin_loss_compose,
    .attrs = EBB_ATTRS(triplet_attrs, triplet_attr),
    .tries = "[4,3] [4,3] [4,3] reduction=sum; [4,3] [4,3] [4,3] reduction=none p=1 margin=2; [3] [3] [3] p=3 margin=4; [5,2] [5,2] [5,2] swap=1 margin=3;"
             "[5,2] [5,2] [5,2] p=inf margin=3 eps=0.1",
    .doc = "The anchor should be nearer to the positive than to the negative by the margin. Vectors lie along the last dim.",
    .ref = "Balntas, Riba, Ponsa, Mikolajczyk, 2016"
);

/* ---- multi_margin_loss ---- */

typedef struct multi_attrs {
    int32_t reduction;
    int64_t p;
    double margin;
} multi_attrs;
static const ebb_attr multi_attr[] = {
    EBB_ATTR(EBB_A_ENUM, multi_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_INT, multi_attrs, p, "1", "1, or 2 for squares", .lo = 1, .hi = 2),
    EBB_ATTR(EBB_A_FLOAT, multi_attrs, margin, "1", "by how much the target's score should lead"),
};

static ebb_tensor *multi_margin_loss_compose(const ebb_call *c) {
    const multi_attrs *a = (const multi_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0], *t = &c->x_shape[1], *w = &c->x_shape[2];
    if (x->ndim < 1 || x->ndim > 2 || t->ndim > 1 || (x->ndim == 2 && t->ndim != 1) ||
        (t->ndim && t->dim[0] != (x->ndim == 2 ? x->dim[0] : 1)))
        return EBB_FAIL(c, EBB_E_SHAPE, "input is %s and target %s; [N,C] goes with [N], [C] with []",
                        loss__sizes(x).s, loss__sizes(t).s);
    const int64_t n = x->dim[x->ndim - 1];
    const bool weighted = c->n_x > 2 && c->x[2];
    if (!n) return EBB_FAIL(c, EBB_E_SHAPE, "input is %s; there must be a class", loss__sizes(x).s);
    if (weighted && (w->ndim != 1 || w->dim[0] != n))
        return EBB_FAIL(c, EBB_E_SHAPE, "weight is %s; it must hold a number for each of the %lld classes",
                        loss__sizes(w).s, (long long)n);
    ebb_tensor *target = c->x[1],
               *rows = x->ndim == t->ndim ? ebb_reshape(c->x[0], .shape = EBB_SHAPE(1, n)) : c->x[0];
    ebb_tensor *own = loss__column(ebb_class_pick(rows, target, .ignore_index = INT64_MIN));
    ebb_tensor *hit = ebb_eq(loss__column(target), ebb_arange(c->e, .end = (double)n, .dtype = EBB_I64));
    ebb_tensor *gap = ebb_add_scalar(ebb_sub(rows, own), a->margin);
    ebb_tensor *over = ebb_relu(ebb_where(hit, ebb_scalar(gap, 0), gap));
    if (a->p == 2) over = ebb_square(over);
    ebb_tensor *each = ebb_div_scalar(ebb_sum(over, .dim = EBB_DIMS(-1)), (double)n);
    if (weighted) each = ebb_mul(each, ebb_class_pick(c->x[2], target, .ignore_index = INT64_MIN));
    return loss__reduced(c, each);
}

EBB_OP(multi_margin_loss,
    .sig = "input(),target():i,weight()?->()",
    .math = "L = mean_i sum_(j != t) w_t*max(0, margin - x_t + x_j)^p / C",
    .compose = multi_margin_loss_compose,
    .attrs = EBB_ATTRS(multi_attrs, multi_attr),
    .domain = EBB_DOMAIN({-2, 2}, {-2, 2}, {0.5, 2}),
    .tries = "[4,3] [4]<3 reduction=sum; [4,3] [4]<3 [3] reduction=none p=2; [3] []<3; [5,4] [5]<4 margin=0.4",
    .doc = "Hinge loss of class indices: every other class should score less than the target by the margin."
);

/* ---- multilabel_margin_loss ---- */

static const ebb_attr multilabel_attr[] = {
    EBB_ATTR(EBB_A_ENUM, loss_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
};

/* How often each class stands in a row's list, which ends at the first -1. */
static ebb_status label_counts_kernel(const ebb_loop *l) {
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const int64_t *t = (const int64_t *)l->p[0] + r * l->step[0];
        int64_t *y = (int64_t *)l->p[1] + r * l->step[1];
        for (int64_t i = 0; i < n; i++)
            if (t[i] < -1 || t[i] >= n)
                return l->fail(l, EBB_E_INDEX, "target %lld is not one of the %lld classes, nor -1",
                               (long long)t[i], (long long)n);
        for (int64_t i = 0; i < n; i++) y[i] = 0;
        for (int64_t i = 0; i < n && t[i] >= 0; i++) y[t[i]]++;
    }
    return EBB_OK;
}
static const ebb_kernel label_counts_fwd[] = {{EBB_I64, {label_counts_kernel}}, {0, {0}}};

EBB_OP(label_counts,
    .sig = "target(c):i->(c):i",
    .math = "y_j = how often j stands in t before its first -1",
    .fwd = label_counts_fwd,
    .flags = EBB_INTERNAL,
    .tries = "[2,3]<3; [4]<4; [2,0]",
    .doc = "Counts of the classes in lists of them. What multilabel_margin_loss is made of."
);

static ebb_tensor *multilabel_margin_loss_compose(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0];
    if (x->ndim < 1 || x->ndim > 2 || !loss__same_shape(x, &c->x_shape[1]))
        return EBB_FAIL(c, EBB_E_SHAPE, "input is %s and target %s; both are [N,C] or [C]", loss__sizes(x).s,
                        loss__sizes(&c->x_shape[1]).s);
    const int64_t n = x->dim[x->ndim - 1];
    if (!n) return EBB_FAIL(c, EBB_E_SHAPE, "input is %s; there must be a class", loss__sizes(x).s);
    ebb_ints row = ebb_ints_of(x);
    row.v[row.n++] = n;
    row.v[row.n - 2] = 1; /* [N,1,C] */
    ebb_tensor *count = ebb_label_counts(c->x[1]), *times = ebb_to(loss__column(count), (ebb_dtype)x->dtype);
    ebb_tensor *over =
        ebb_relu(ebb_add_scalar(ebb_sub(ebb_reshape(c->x[0], .shape = row), loss__column(c->x[0])), 1));
    ebb_tensor *others = ebb_eq(ebb_reshape(count, .shape = row), ebb_scalar(count, 0)),
               *zero = ebb_scalar(over, 0);
    ebb_tensor *pairs = ebb_where(ebb_gt(times, zero), ebb_where(others, over, zero), zero);
    return loss__reduced(c, ebb_div_scalar(ebb_sum(ebb_mul(pairs, times), .dim = EBB_DIMS(-1, -2)), (double)n));
}

EBB_OP(multilabel_margin_loss,
    .sig = "input(),target():i->()",
    .math = "L = mean sum_(j in t, i not in t) max(0, 1 - x_j + x_i) / C",
    .compose = multilabel_margin_loss_compose,
    .attrs = EBB_ATTRS(loss_attrs, multilabel_attr),
    .tries = "[4,3] [4,3]<3 reduction=sum; [4,5] [4,5]<2 reduction=none; [3] [3]<2; [5,4] [5,4]<2",
    .doc = "Hinge loss of lists of classes, each list ended by -1: listed classes should outscore the others by 1."
);
