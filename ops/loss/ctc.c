/* ctc.c - floor 5: connectionist temporal classification: ctc_loss, its recursion over time, and the rows of labels it needs. */
#include "loss.h"

/* The logarithm of nothing: finite, so that no derivative meets inf - inf. What a loss beyond -NOTHING/10 means is infinite. */
#define NOTHING (-1e10)

/* ---- the labels of each sample as a row ---- */

typedef struct labels_attrs {
    int64_t size, blank;
} labels_attrs;
static const ebb_attr labels_attr[] = {
    EBB_ATTR(EBB_A_INT, labels_attrs, size, NULL, "length of the rows"),
    EBB_ATTR(EBB_A_INT, labels_attrs, blank, "0", "what fills them up"),
};

static ebb_status labels_infer(ebb_infer *s) {
    const ebb_info *t = &s->x[0], *n = &s->x[1];
    const labels_attrs *a = (const labels_attrs *)s->attrs;
    if (n->ndim != 1 || t->ndim < 1 || t->ndim > 2 || (t->ndim == 2 && t->shape[0] != n->shape[0]))
        return s->fail(s, EBB_E_SHAPE,
                       "targets has %d dims; they are rows, one for each of %lld samples, or one list",
                       t->ndim, (long long)n->numel);
    if (a->size < 0) return s->fail(s, EBB_E_ATTR, "size is %lld", (long long)a->size);
    s->y->ndim = 2;
    s->y->shape[0] = n->shape[0];
    s->y->shape[1] = a->size;
    return EBB_OK;
}

static ebb_status labels_kernel(const ebb_loop *l) {
    const labels_attrs *a = (const labels_attrs *)l->attrs;
    const ebb_info *t = &l->arg[0];
    const int64_t *from = (const int64_t *)l->p[0], *length = (const int64_t *)l->p[1];
    int64_t *y = (int64_t *)l->p[2];
    const int64_t rows = l->arg[1].numel, room = t->shape[t->ndim - 1];
    int64_t at = 0;
    for (int64_t n = 0; n < rows; n++, y += a->size) {
        if (t->ndim == 2) at = n * room;
        const int64_t left = t->ndim == 2 ? room : room - at;
        if (length[n] < 0 || length[n] > left || length[n] > a->size)
            return l->fail(l, EBB_E_INDEX, "target length %lld of sample %lld: there are only %lld labels",
                           (long long)length[n], (long long)n, (long long)left);
        for (int64_t i = 0; i < a->size; i++) y[i] = i < length[n] ? from[at + i] : a->blank;
        at += length[n];
    }
    if (t->ndim == 1 && at != room)
        return l->fail(l, EBB_E_SHAPE, "targets has %lld labels, and the target lengths add up to %lld",
                       (long long)room, (long long)at);
    return EBB_OK;
}
static const ebb_kernel labels_fwd[] = {{EBB_I64, {labels_kernel}}, {0, {0}}};

EBB_OP(ctc_labels,
    .sig = "targets():i,lengths():i->():i",
    .math = "y[n,i] = label i of sample n, blank behind its last",
    .infer = labels_infer,
    .fwd = labels_fwd,
    .attrs = EBB_ATTRS(labels_attrs, labels_attr),
    .flags = EBB_INTERNAL,
    .tries = "[2,4]<4 [2]<4 size=4; [2,3]<4 [2]<3 size=5 blank=1; [0] [2]<1 size=1 blank=2; [3,0] [3]<1 size=0",
    .doc = "Labels as rows of one length, from rows or from one list of them all. What ctc_loss begins with."
);

/* ---- the forward recursion ---- */

/* The ways to come to place i at the next step: to stay, from the place before, from two before where skip says so; e: their
 * shares of the sum. At a dead place there is none. */
#define WAYS(a, i)                                                                                           \
    const T own = (a)[i], left = (i) > 0 ? (a)[(i)-1] : (T)NOTHING;                                          \
    const T far = (i) > 1 && skip[i] ? (a)[(i)-2] : (T)NOTHING;                                              \
    const T most = own > left ? (own > far ? own : far) : (left > far ? left : far);                         \
    const T e0 = ebb_exp(own - most), e1 = ebb_exp(left - most), e2 = ebb_exp(far - most);
#define DEAD(v) ((v) < (T)(NOTHING / 2))

EBB_KERNEL(ctc_alpha_fwd,
    const int64_t steps = l->dim[0]; const int64_t n = l->dim[1];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        const uint8_t *skip = (const uint8_t *)l->p[1] + r * l->step[1];
        T *y = (T *)l->p[2] + r * l->step[2];
        for (int64_t i = 0; i < n && steps; i++) y[i] = i < 2 ? x[i] : (T)NOTHING;
        for (int64_t t = 1; t < steps; t++) {
            x += n; y += n;
            for (int64_t i = 0; i < n; i++) {
                WAYS(y - n, i)
                y[i] = DEAD(own) && DEAD(left) && DEAD(far) ? (T)NOTHING : ebb_log(e0 + e1 + e2) + most + x[i];
            }
        }
    })
/* The same backwards: row t of d begins as row t of g and receives what comes from row t + 1. */
EBB_KERNEL(ctc_alpha_pull,
    const int64_t steps = l->dim[0]; const int64_t n = l->dim[1];
    for (int64_t r = 0; r < l->n; r++) {
        const T *g = (const T *)l->p[0] + r * l->step[0];
        const uint8_t *skip = (const uint8_t *)l->p[1] + r * l->step[1];
        const T *y = (const T *)l->p[2] + r * l->step[2];
        T *d = (T *)l->p[3] + r * l->step[3];
        for (int64_t t = steps; t-- > 0;) {
            const T *a = y + t * n;
            T *to = d + t * n;
            for (int64_t i = 0; i < n; i++) to[i] = g[t * n + i];
            for (int64_t i = 0; i < n && t + 1 < steps; i++) {
                WAYS(a, i)
                const T share = to[n + i] / (e0 + e1 + e2);
                to[i] += e0 * share;
                if (i > 0) to[i - 1] += e1 * share;
                if (i > 1 && skip[i]) to[i - 2] += e2 * share;
            }
            for (int64_t i = 0; i < n; i++)
                if (DEAD(a[i])) to[i] = 0;
        }
    })

/* Columns of v `by` later (from its left) or earlier (`by` < 0), `fill` where none are. */
static ebb_tensor *moved(const ebb_call *c, ebb_tensor *v, int64_t by, double fill) {
    const ebb_info s = ebb_info_of(v);
    if (!v) return NULL;
    const int64_t n = s.shape[s.ndim - 1], k = by < 0 ? -by : by, m = k < n ? k : n;
    ebb_ints edge = {s.ndim, {0}};
    for (int d = 0; d < s.ndim; d++) edge.v[d] = d + 1 < s.ndim ? s.shape[d] : m;
    ebb_tensor *pad = ebb_constant(c->e, (ebb_dtype)s.dtype, edge, fill);
    ebb_tensor *rest = ebb_slice(v, .dim = -1, .start = by < 0 ? m : 0, .end = by < 0 ? n : n - m);
    ebb_tensor *both[] = {by < 0 ? rest : pad, by < 0 ? pad : rest};
    return ebb_cat(2, both, .dim = -1);
}

/* What comes to each place a from the cotangents g of the next step. All are [..,1,S]. */
static ebb_tensor *from_next(const ebb_call *c, ebb_tensor *a, ebb_tensor *g, ebb_tensor *skip) {
    ebb_tensor *far = ebb_where(skip, moved(c, a, 2, NOTHING), ebb_scalar(a, NOTHING));
    ebb_tensor *way[] = {loss__column(a), loss__column(moved(c, a, 1, NOTHING)), loss__column(far)};
    ebb_tensor *part = ebb_mul(loss__column(g), ebb_softmax(ebb_cat(3, way, .dim = -1), .dim = -1));
    const ebb_info s = ebb_info_of(g);
    ebb_ints shape = {s.ndim, {0}};
    for (int d = 0; d < s.ndim; d++) shape.v[d] = s.shape[d];
    for (int k = 0; k < 3; k++)
        way[k] = ebb_reshape(ebb_slice(part, .dim = -1, .start = k, .end = k + 1), .shape = shape);
    far = ebb_where(skip, way[2], ebb_scalar(g, 0));
    return ebb_add(way[0], ebb_add(moved(c, way[1], -1, 0), moved(c, far, -2, 0)));
}

static ebb_tensor *ctc_alpha_dx(const ebb_call *c, ebb_tensor *g) {
    const ebb_shape *y = &c->y_shape[0], *s = &c->x_shape[1];
    const int64_t steps = y->dim[y->ndim - 2];
    ebb_ints shape = ebb_ints_of(s), row = ebb_ints_of(y);
    shape.v[shape.n++] = s->dim[s->ndim - 1];
    shape.v[shape.n - 2] = row.v[row.n - 2] = 1; /* [..,1,S] */
    ebb_tensor *skip = ebb_expand(ebb_reshape(c->x[1], .shape = shape), .size = row), *next = NULL, *all = NULL;
    for (int64_t t = steps; t-- > 0;) {
        ebb_tensor *a = ebb_slice(c->y[0], .dim = -2, .start = t, .end = t + 1),
                   *d = ebb_slice(g, .dim = -2, .start = t, .end = t + 1);
        if (next) d = ebb_add(d, from_next(c, a, next, skip));
        next = ebb_where(ebb_lt(a, ebb_scalar(a, NOTHING / 2)), ebb_scalar(g, 0), d);
        if (!next) return NULL;
        ebb_tensor *both[] = {next, all};
        all = all ? ebb_cat(2, both, .dim = -2) : next;
    }
    return steps ? all : g;
}

EBB_OP(ctc_alpha,
    .sig = "emitted(t,s),skip(s):b->(t,s)",
    .math = "y_0i = x_0i where i < 2;  y_ti = x_ti + ln(exp(y_(t-1)i) + exp(y_(t-1)(i-1)) + exp(y_(t-1)(i-2)) where skip_i)",
    .fwd = ctc_alpha_fwd,
    .vjp = EBB_VJP({ctc_alpha_dx, EBB_X(1) | EBB_Y(0)}, {NULL, 0}),
    .pull = EBB_PULL({0, ctc_alpha_pull, EBB_X(1) | EBB_Y(0)}),
    .flags = EBB_INTERNAL,
    .tries = "[4,6] [6]; [2,5,3] [2,3]",
    .doc = "Logarithm of the probability to be at each place of the labels at each step; -1e10 where none leads. What ctc_loss is made of."
);

/* ---- the loss ---- */

typedef struct ctc_attrs {
    int32_t reduction;
    int64_t blank;
    bool zero_infinity;
} ctc_attrs;
static const ebb_attr ctc_attr[] = {
    EBB_ATTR(EBB_A_ENUM, ctc_attrs, reduction, "mean", "mean: of the losses over their target lengths",
             .choices = "mean|sum|none"),
    EBB_ATTR(EBB_A_INT, ctc_attrs, blank, "0", "the class that stands for no label"),
    EBB_ATTR(EBB_A_BOOL, ctc_attrs, zero_infinity, "0", "targets that do not fit into their input cost nothing"),
};

typedef struct batch {
    int64_t t, n, c, s;            /* steps, samples, classes, labels of the longest target */
    ebb_tensor *input_n, *label_n; /* [N] i64; input_n is NULL where every sample has t steps */
    ebb_tensor *x, *labels;        /* [T,N,C], [N,S] */
} batch;

/* Lengths as a contiguous i64 [N], each in [least, most]. NULL: refused. */
static ebb_tensor *lengths(const ebb_call *c, int i, const batch *b, int64_t least, int64_t most) {
    static const char *const name[] = {"", "", "input_lengths", "target_lengths"};
    const ebb_shape *s = &c->x_shape[i];
    if (ebb_is_float(s->dtype) || s->dtype == EBB_BOOL)
        return EBB_FAIL(c, EBB_E_DTYPE, "%s must be integers", name[i]);
    if (ebb_shape_numel(s) != b->n || s->ndim > 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "%s is %s; it holds a number for each of the %lld samples", name[i],
                        loss__sizes(s).s, (long long)b->n);
    ebb_tensor *t = ebb_contiguous(ebb_to(ebb_reshape(c->x[i], .shape = EBB_SHAPE(b->n)), EBB_I64));
    const ebb_info info = ebb_info_of(t);
    for (int64_t k = 0; k < info.numel; k++) {
        const int64_t v = ((const int64_t *)info.data)[k];
        if (v < least || v > most)
            return EBB_FAIL(c, EBB_E_INDEX, "%s has %lld for sample %lld; from %lld to %lld is possible",
                            name[i], (long long)v, (long long)k, (long long)least, (long long)most);
    }
    return t;
}

static int64_t extreme(ebb_tensor *t, bool largest) {
    const ebb_info i = ebb_info_of(t);
    int64_t v = i.numel ? *(const int64_t *)i.data : 0;
    for (int64_t k = 1; k < i.numel; k++) {
        const int64_t w = ((const int64_t *)i.data)[k];
        v = (largest ? w > v : w < v) ? w : v;
    }
    return v;
}

/* Everything as a batch, and whether it fits together. */
static bool read_batch(const ebb_call *c, batch *b) {
    const ctc_attrs *a = (const ctc_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0], *t = &c->x_shape[1];
    const bool one = x->ndim == 2, ints = !ebb_is_float(t->dtype) && t->dtype != EBB_BOOL;
    if (x->ndim < 2 || x->ndim > 3 || t->ndim < 1 || t->ndim > (one ? 1 : 2) || !x->dim[0]) {
        (void)EBB_FAIL(c, EBB_E_SHAPE,
                       "log_probs is %s and targets %s; [T,N,C] goes with [N,S] or one list, [T,C] with [S], and T is not 0",
                       loss__sizes(x).s, loss__sizes(t).s);
        return false;
    }
    *b = (batch){.t = x->dim[0], .n = one ? 1 : x->dim[1], .c = x->dim[x->ndim - 1], .x = c->x[0]};
    if (a->blank < 0 || a->blank >= b->c || !ebb_is_float(x->dtype) || !ints) {
        (void)EBB_FAIL(c, ints && ebb_is_float(x->dtype) ? EBB_E_ATTR : EBB_E_DTYPE,
                       "blank is %lld of %lld classes; it must be one, log_probs floats, and targets integers",
                       (long long)a->blank, (long long)b->c);
        return false;
    }
    if (one) b->x = ebb_reshape(b->x, .shape = EBB_SHAPE(b->t, 1, b->c));
    if (c->n_x > 2 && c->x[2]) {
        b->input_n = lengths(c, 2, b, 1, b->t);
        if (!b->input_n) return false;
        if (extreme(b->input_n, false) == b->t) b->input_n = NULL;
    }
    const int64_t room = t->dim[t->ndim - 1];
    if (c->n_x > 3 && c->x[3]) b->label_n = lengths(c, 3, b, 0, room);
    else if (one || t->ndim == 2) b->label_n = ebb_constant(c->e, EBB_I64, EBB_SHAPE(b->n), (double)room);
    else (void)EBB_FAIL(c, EBB_E_ARG, "targets is one list; target_lengths must say where each sample's end");
    if (!b->label_n) return false;
    b->s = extreme(b->label_n, true);
    ebb_tensor *rows = one ? ebb_reshape(c->x[1], .shape = EBB_SHAPE(1, room)) : c->x[1];
    b->labels = ebb_ctc_labels(rows, b->label_n, .size = b->s, .blank = a->blank);
    const int64_t top = extreme(b->labels, true), low = extreme(b->labels, false);
    if (top >= b->c || low < 0) {
        (void)EBB_FAIL(c, EBB_E_INDEX, "label %lld is not one of the %lld classes",
                       (long long)(low < 0 ? low : top), (long long)b->c);
        return false;
    }
    return b->labels != NULL;
}

/* [N,S] -> [N,2S+1]: blanks before, between and behind the labels. */
static ebb_tensor *with_blanks(const ebb_call *c, const batch *b, int64_t blank) {
    ebb_tensor *last = ebb_constant(c->e, EBB_I64, EBB_SHAPE(b->n, 1), (double)blank);
    if (!b->s) return last;
    ebb_tensor *pair[] = {ebb_constant(c->e, EBB_I64, EBB_SHAPE(b->n, b->s, 1), (double)blank),
                          loss__column(b->labels)};
    ebb_tensor *all[] = {ebb_reshape(ebb_cat(2, pair, .dim = 2), .shape = EBB_SHAPE(b->n, 2 * b->s)), last};
    return ebb_cat(2, all, .dim = 1);
}

/* ln of the probability of all ways to be at each place of the labels at each sample's last step. [N,2S+1] */
static ebb_tensor *forward(const ebb_call *c, const batch *b) {
    const int64_t blank = ((const ctc_attrs *)c->attrs)->blank, w = 2 * b->s + 1;
    ebb_tensor *label = with_blanks(c, b, blank);
    ebb_tensor *place =
        ebb_expand(ebb_reshape(label, .shape = EBB_SHAPE(b->n, 1, w)), .size = EBB_SHAPE(b->n, b->t, w));
    ebb_tensor *emitted =
        ebb_clamp(ebb_gather(ebb_permute(b->x, .dims = EBB_DIMS(1, 0, 2)), place, .dim = 2), .min = NOTHING);
    /* a blank, having its like two places before, is never jumped to; a label is from another label, over the blank between */
    ebb_tensor *skip = ebb_constant(c->e, EBB_BOOL, EBB_SHAPE(b->n, 1), 0);
    if (w > 1) {
        ebb_tensor *now = ebb_slice(label, .dim = 1, .start = 2, .end = w),
                   *before = ebb_slice(label, .dim = 1, .start = 0, .end = w - 2);
        ebb_tensor *parts[] = {skip, skip, ebb_ne(now, before)};
        skip = ebb_cat(3, parts, .dim = 1);
    }
    ebb_tensor *alpha = ebb_ctc_alpha(emitted, skip);
    const ebb_ints flat = EBB_SHAPE(b->n, w);
    if (!b->input_n)
        return ebb_reshape(ebb_slice(alpha, .dim = 1, .start = b->t - 1, .end = b->t), .shape = flat);
    ebb_tensor *last =
        ebb_reshape(ebb_sub(b->input_n, ebb_scalar(b->input_n, 1)), .shape = EBB_SHAPE(b->n, 1, 1));
    return ebb_reshape(ebb_gather(alpha, ebb_expand(last, .size = EBB_SHAPE(b->n, 1, w)), .dim = 1), .shape = flat);
}

static ebb_tensor *ctc_loss_compose(const ebb_call *c) {
    const ctc_attrs *a = (const ctc_attrs *)c->attrs;
    batch b;
    if (!read_batch(c, &b)) return NULL;
    ebb_tensor *alpha = forward(c, &b);
    /* it ends at the last label or the blank behind it */
    ebb_tensor *count = loss__column(b.label_n), *zero = ebb_scalar(count, 0);
    ebb_tensor *end = ebb_mul(count, ebb_scalar(count, 2)),
               *prior = ebb_maximum(ebb_sub(end, ebb_scalar(count, 1)), zero);
    ebb_tensor *last = ebb_gather(alpha, prior, .dim = 1);
    ebb_tensor *ends[] = {ebb_gather(alpha, end, .dim = 1),
                          ebb_where(ebb_gt(count, zero), last, ebb_scalar(last, NOTHING))};
    ebb_tensor *loss = ebb_neg(ebb_logsumexp(ebb_cat(2, ends, .dim = 1), .dim = EBB_DIMS(1)));
    loss = ebb_where(ebb_gt(loss, ebb_scalar(loss, -NOTHING / 10)),
                     ebb_scalar(loss, a->zero_infinity ? 0 : HUGE_VAL), loss);
    if (a->reduction == EBB_MEAN) {
        ebb_tensor *n = ebb_maximum(b.label_n, ebb_scalar(b.label_n, 1));
        loss = ebb_div(loss, ebb_to(n, (ebb_dtype)c->x_shape[0].dtype));
    }
    if (a->reduction == EBB_EACH && c->x_shape[0].ndim == 2) return ebb_reshape(loss, .shape = EBB_SHAPE0);
    return loss__reduced(c, loss);
}

EBB_OP(ctc_loss,
    .sig = "log_probs(),targets():i,input_lengths()?:i,target_lengths()?:i->()",
    .math = "L = -ln of the sum, over all ways to read the targets with blanks and repeats in T steps, of prod_t p_t;  dx = -g*posterior",
    .compose = ctc_loss_compose,
    .attrs = EBB_ATTRS(ctc_attrs, ctc_attr),
    .domain = EBB_DOMAIN({-3, 0}),
    .tries = "[5,2,4] [2,2]<4; [5,2,4] [2,2]<4 reduction=sum blank=3; [4,3] [2]<3 reduction=none blank=1; [6,1,5] [1,3]<5; [3,2,3] [2,0]; [1,2,3] [2,1]<3 blank=2; "
             "[2,2,3] [2,3]<3 reduction=none zero_infinity=1",
    .doc = "Loss of label sequences without alignment. log_probs is [T,N,C] or [T,C], targets [N,S] or all labels in one list; lengths that are not "
           "given are whole. Targets that cannot fit cost infinity, with gradient 0. The gradient is that of the formula, log_probs not taken as normalised.",
    .ref = "Graves, Fernandez, Gomez, Schmidhuber, 2006"
);
