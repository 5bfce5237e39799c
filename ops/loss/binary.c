/* binary.c - floor 5: losses of yes and no: binary cross entropy, soft margins, hinge. */
#include "loss.h"

static const ebb_attr loss_attr[] = {
    EBB_ATTR(EBB_A_ENUM, loss_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
};

/* Input and target of one shape, weights that broadcast to it. */
static bool shapes_fit(const ebb_call *c) {
    static const char *const name[] = {"input", "target", "weight", "pos_weight"};
    const ebb_shape *x = &c->x_shape[0], *t = &c->x_shape[1];
    if (!loss__same_shape(x, t)) {
        (void)EBB_FAIL(c, EBB_E_SHAPE, "input is %s and target %s; they must have one shape",
                       loss__sizes(x).s, loss__sizes(t).s);
        return false;
    }
    for (int i = 2; i < c->n_x; i++)
        if (c->x[i] && !loss__fits(&c->x_shape[i], x)) {
            (void)EBB_FAIL(c, EBB_E_SHAPE, "%s is %s and does not broadcast to input, %s", name[i],
                           loss__sizes(&c->x_shape[i]).s, loss__sizes(x).s);
            return false;
        }
    return true;
}

static ebb_tensor *weighted(const ebb_call *c, ebb_tensor *each) {
    return c->n_x > 2 && c->x[2] ? ebb_mul(each, c->x[2]) : each;
}

/* ---- binary_cross_entropy ---- */

/* Logarithms end at -100, so that a certain and wrong prediction has a finite loss. */
#define LOG_FLOOR(v) ((v) < -100 ? -100 : (v))
EBB_KERNEL(bce_rows_fwd,
    const T *p = (const T *)l->p[0];
    for (int64_t i = 0; i < l->n; i++) {
        const T v = p[i * l->step[0]];
        if ((v < 0 || v > 1) && v - v == 0)
            return l->fail(l, EBB_E_ARG, "input is %g somewhere; probabilities lie in [0,1]", (double)v);
    }
    EBB__MAP2_BODY(T, (y - 1) * LOG_FLOOR(ebb_log1p(-x)) - y * LOG_FLOOR(ebb_log(x))))
EBB_MAP3(bce_rows_pull, x * ((y - z) / (y * (1 - y) < (T)1e-12 ? (T)1e-12 : y * (1 - y))))

static ebb_tensor *bce_rows_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0];
    return ebb_mul(g, ebb_div(ebb_sub(x, c->x[1]), loss__at_least(ebb_mul(x, ebb_sub_from(1, x)), 1e-12)));
}
static ebb_tensor *bce_rows_dt(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0];
    return ebb_mul(g, ebb_sub(loss__at_least(ebb_log1p(ebb_neg(x)), -100), loss__at_least(ebb_log(x), -100)));
}

EBB_OP(bce_rows,
    .sig = "input(),target()->()",
    .math = "L = -t*ln(x) - (1 - t)*ln(1 - x);  dx = g*(x - t)/(x*(1 - x)),  dt = g*(ln(1 - x) - ln(x))",
    .fwd = bce_rows_fwd,
    .vjp = EBB_VJP({bce_rows_dx, EBB_X(0) | EBB_X(1)}, {bce_rows_dt, EBB_X(0)}),
    .pull = EBB_PULL({0, bce_rows_pull, EBB_X(0) | EBB_X(1)}),
    .flags = EBB_INTERNAL,
    .domain = EBB_DOMAIN({0.1, 0.9}, {-1, 2}),
    .doc = "The single losses that binary_cross_entropy is made of."
);

static ebb_tensor *binary_cross_entropy_compose(const ebb_call *c) {
    if (!shapes_fit(c)) return NULL;
    return loss__reduced(c, weighted(c, ebb_bce_rows(c->x[0], c->x[1])));
}

EBB_OP(binary_cross_entropy,
    .sig = "input(),target(),weight()?->()",
    .math = "L = mean -w*(t*ln(x) + (1 - t)*ln(1 - x));  dx = g*w*(x - t)/(x*(1 - x))/n,  dt = g*w*(ln(1 - x) - ln(x))/n",
    .compose = binary_cross_entropy_compose,
    .attrs = EBB_ATTRS(loss_attrs, loss_attr),
    .domain = EBB_DOMAIN({0.1, 0.9}, {0, 1}, {0.5, 2}),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [2,3] [3] reduction=none; [5] [5] [5]; [] []",
    .doc = "Cross entropy of probabilities in [0,1] against yes (1) and no (0). The logarithms end at -100; a NaN or infinity gives NaN."
);

/* ln(1 + e^-x), weighted where the answer is yes, and (1 - t)*x: finite for any x. */
static ebb_tensor *bce_with_logits_compose(const ebb_call *c) {
    if (!shapes_fit(c)) return NULL;
    ebb_tensor *x = c->x[0], *t = c->x[1], *yes = ebb_logsigmoid(x);
    if (c->n_x > 3 && c->x[3]) yes = ebb_mul(ebb_add_scalar(ebb_mul(ebb_add_scalar(c->x[3], -1), t), 1), yes);
    return loss__reduced(c, weighted(c, ebb_sub(ebb_mul(ebb_sub_from(1, t), x), yes)));
}

EBB_OP(binary_cross_entropy_with_logits,
    .sig = "input(),target(),weight()?,pos_weight()?->()",
    .math = "L = mean w*((1 - t)*x + (1 + (p - 1)*t)*ln(1 + exp(-x)));  dx = g*w*(sigmoid(x) - t)/n without p",
    .compose = bce_with_logits_compose,
    .attrs = EBB_ATTRS(loss_attrs, loss_attr),
    .domain = EBB_DOMAIN({-2, 2}, {0, 1}, {0.5, 2}),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [2,3] [3] reduction=none; [2,3] [2,3] - [3]; [5] [5] [5] [1]; [] []",
    .doc = "binary_cross_entropy of sigmoid(input), exact for large logits. pos_weight counts the yes answers more."
);

/* ---- soft margins ---- */

static ebb_tensor *soft_margin_loss_compose(const ebb_call *c) {
    if (!loss__fits(&c->x_shape[1], &c->x_shape[0]))
        return EBB_FAIL(c, EBB_E_SHAPE, "target is %s and does not broadcast to input, %s",
                        loss__sizes(&c->x_shape[1]).s, loss__sizes(&c->x_shape[0]).s);
    return loss__reduced(c, ebb_neg(ebb_logsigmoid(ebb_mul(c->x[0], c->x[1]))));
}

EBB_OP(soft_margin_loss,
    .sig = "input(),target()->()",
    .math = "L = mean ln(1 + exp(-t*x));  dx = -g*t*sigmoid(-t*x)/n,  dt = -g*x*sigmoid(-t*x)/n",
    .compose = soft_margin_loss_compose,
    .attrs = EBB_ATTRS(loss_attrs, loss_attr),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [2,3] reduction=none; [] []",
    .doc = "Logistic loss of targets 1 and -1."
);

static ebb_tensor *multilabel_soft_margin_loss_compose(const ebb_call *c) {
    const ebb_shape *s = &c->x_shape[0];
    ebb_tensor *x = c->x[0], *t = c->x[1];
    if (!s->ndim) return EBB_FAIL(c, EBB_E_SHAPE, "input has no dims; classes are its last dim");
    ebb_tensor *each =
        ebb_neg(ebb_add(ebb_mul(t, ebb_logsigmoid(x)), ebb_mul(ebb_sub_from(1, t), ebb_logsigmoid(ebb_neg(x)))));
    each = ebb_sum(weighted(c, each), .dim = EBB_DIMS(s->ndim - 1));
    return loss__reduced(c, ebb_div_scalar(each, (double)s->dim[s->ndim - 1]));
}

EBB_OP(multilabel_soft_margin_loss,
    .sig = "input(),target(),weight()?->()",
    .math = "L = mean -w*(t*ln s + (1 - t)*ln(1 - s)), s = sigmoid(x);  dx = g*w*(s - t)/n,  dt = -g*w*x/n",
    .compose = multilabel_soft_margin_loss_compose,
    .attrs = EBB_ATTRS(loss_attrs, loss_attr),
    .domain = EBB_DOMAIN({-2, 2}, {0, 1}, {0.5, 2}),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [2,3] [3] reduction=none; [2,4] [2,4] [2,4]; [5] [5]",
    .doc = "binary_cross_entropy_with_logits averaged over the classes, the last dim, of each sample."
);

/* ---- hinge_embedding_loss ---- */

typedef struct margin_attrs {
    int32_t reduction;
    double margin;
} margin_attrs;
static const ebb_attr margin_attr[] = {
    EBB_ATTR(EBB_A_ENUM, margin_attrs, reduction, "mean", "what becomes of the single losses",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_FLOAT, margin_attrs, margin, "1", "from which distance on -1 costs nothing"),
};

static ebb_tensor *hinge_embedding_loss_compose(const ebb_call *c) {
    ebb_tensor *x = c->x[0], *t = c->x[1], *zero = ebb_scalar(x, 0);
    ebb_tensor *apart = loss__at_least(ebb_sub_from(((const margin_attrs *)c->attrs)->margin, x), 0);
    return loss__reduced(c, ebb_add(ebb_where(ebb_ne(t, ebb_scalar(t, 1)), apart, zero),
                                    ebb_where(ebb_ne(t, ebb_scalar(t, -1)), x, zero)));
}

EBB_OP(hinge_embedding_loss,
    .sig = "input(),target()->()",
    .math = "L = mean x where t = 1, max(0, margin - x) where t = -1;  dx = g/n where t = 1, -g/n where t = -1 and x <= margin",
    .compose = hinge_embedding_loss_compose,
    .attrs = EBB_ATTRS(margin_attrs, margin_attr),
    .domain = EBB_DOMAIN({0, 2}, {-1, 1}),
    .tries = "[2,3] [2,3] reduction=sum; [2,3] [3] reduction=none margin=0.7; [5] [5] margin=2; [] []",
    .doc = "Distances of pairs that belong together (1) or should be margin apart (-1). Other targets cost both."
);
