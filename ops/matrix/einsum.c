/* einsum.c - floor 5: sums of products by an equation: two operands at a time, each pair one batched product. */
#include "matrix.h"

typedef struct einsum_attrs {
    ebb_text equation;
} einsum_attrs;
static const ebb_attr einsum_attr[] = {EBB_ATTR(
    EBB_A_TEXT, einsum_attrs, equation, NULL,
    "letters for the dims of each operand, ij,jk->ik; without -> in alphabetical order what occurs once; ... for dims without a letter")};

/* Labels: A..Z are 0..25, a..z 26..51, the dims of "..." 52 and on, counted from the last. */
enum { LETTERS = 52, LABELS = LETTERS + EBB_MAX_DIMS };
typedef uint64_t set;
#define SET(label) ((set)1 << (label))

typedef struct list {
    int n;
    int v[LABELS];
} list;

/* A tensor and the labels of its dims. */
typedef struct term {
    ebb_tensor *t;
    list dims;
} term;

typedef struct plan {
    const ebb_call *c;
    const char *text;
    int ellipsis; /* dims that "..." stands for, the most in any operand */
    int64_t size[LABELS];
    int uses[LABELS];
    list out;
} plan;

static set set_of(const list *l) {
    set s = 0;
    for (int k = 0; k < l->n; k++) s |= SET(l->v[k]);
    return s;
}
static int find(const list *l, int label) {
    for (int k = 0; k < l->n; k++)
        if (l->v[k] == label) return k;
    return -1;
}
static void append(list *to, const list *from, set of) {
    for (int k = 0; k < from->n; k++)
        if (of & SET(from->v[k])) to->v[to->n++] = from->v[k];
}
static int letter(char c) {
    return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1;
}
static char name_of(int label) {
    return (char)(label < 26 ? 'A' + label : label < LETTERS ? 'a' + label - 26 : '.');
}

/* ---- reading the equation ---- */

/* The letters of one operand or of the result up to ',' or "->" or the end. *dots: where "..." stands among them, or -1.
 * -> where reading stopped, NULL when refused. */
static const char *read_letters(const plan *p, const char *s, list *l, int *dots) {
    l->n = 0;
    *dots = -1;
    for (; *s && *s != ',' && !(s[0] == '-' && s[1] == '>'); s++) {
        if (*s == ' ') continue;
        if (s[0] == '.' && s[1] == '.' && s[2] == '.' && *dots < 0) {
            *dots = l->n;
            s += 2;
            continue;
        }
        if (letter(*s) < 0 || l->n == EBB_MAX_DIMS)
            return REFUSED(p->c, EBB_E_ATTR,
                           letter(*s) < 0 ? "equation %s: '%c' does not belong there"
                                          : "equation %s: more than 8 letters before '%c'",
                           p->text, *s)
                       ? s
                       : NULL;
        l->v[l->n++] = letter(*s);
    }
    return s;
}

/* Letters and the labels of `count` dims at `dots`. */
static void with_dots(list *l, int dots, int count) {
    list r = {0, {0}};
    for (int k = 0; k <= l->n; k++) {
        if (k == dots)
            for (int i = count; i-- > 0;) r.v[r.n++] = LETTERS + i;
        if (k < l->n) r.v[r.n++] = l->v[k];
    }
    *l = r;
}

/* Notes the sizes of operand i's dims; 1 gives way to any. */
static bool read_sizes(plan *p, int i, const list *l) {
    const ebb_shape *s = &p->c->x_shape[i];
    set seen = 0;
    for (int d = 0; d < s->ndim; d++) {
        const int label = l->v[d];
        const int64_t n = s->dim[d];
        const bool again = seen & SET(label);
        if (again && s->dim[find(l, label)] != n)
            return REFUSED(p->c, EBB_E_SHAPE,
                           "equation %s: '%c' is %lld and %lld in operand %d; the sizes on a diagonal are equal",
                           p->text, name_of(label), (long long)s->dim[find(l, label)], (long long)n, i);
        if (p->uses[label] && !again && n != 1 && p->size[label] != 1 && n != p->size[label])
            return REFUSED(p->c, EBB_E_SHAPE, "equation %s: '%c' is %lld in operand %d, but %lld before",
                           p->text, name_of(label), (long long)n, i, (long long)p->size[label]);
        if (!p->uses[label] || p->size[label] == 1) p->size[label] = n;
        p->uses[label]++;
        seen |= SET(label);
    }
    return true;
}

static bool read_result(plan *p, const char *s) {
    int dots = 0;
    if (!*s) { /* implicit */
        for (int label = 0; label < LETTERS; label++)
            if (p->uses[label] == 1) p->out.v[p->out.n++] = label;
    } else {
        const char *end = read_letters(p, s + 2, &p->out, &dots);
        if (!end) return false;
        if (*end)
            return REFUSED(p->c, EBB_E_ATTR, "equation %s: '%c' does not belong in the result", p->text, *end);
    }
    set seen = 0;
    for (int k = 0; k < p->out.n; k++) {
        const int label = p->out.v[k];
        if (!p->uses[label] || seen & SET(label))
            return REFUSED(p->c, EBB_E_ATTR,
                           p->uses[label] ? "equation %s: the result names '%c' twice"
                                          : "equation %s: the result's '%c' is in no operand",
                           p->text, name_of(label));
        seen |= SET(label);
    }
    if (dots >= 0) with_dots(&p->out, dots, p->ellipsis);
    if (p->out.n <= EBB_MAX_DIMS) return true;
    return REFUSED(p->c, EBB_E_SHAPE, "the result would have %d dims; %d are possible", p->out.n, EBB_MAX_DIMS);
}

static bool read_equation(plan *p, term *x) {
    const char *s = p->text;
    for (int i = 0; i < p->c->n_x; i++) {
        int dots;
        const int ndim = p->c->x_shape[i].ndim;
        list *l = &x[i].dims;
        s = read_letters(p, s, l, &dots);
        if (!s) return false;
        if (dots < 0 ? l->n != ndim : l->n > ndim)
            return REFUSED(p->c, EBB_E_SHAPE, "equation %s: operand %d has %d dims, but %d letters", p->text,
                           i, ndim, l->n);
        if (dots >= 0) with_dots(l, dots, ndim - l->n);
        const int more = dots < 0 ? 0 : ndim;
        for (int k = 0, n = 0; k < more; k++)
            if (l->v[k] >= LETTERS && ++n > p->ellipsis) p->ellipsis = n;
        if (!read_sizes(p, i, l)) return false;
        if (*s == ',' ? i + 1 == p->c->n_x : i + 1 < p->c->n_x)
            return REFUSED(p->c, EBB_E_ARG, "equation %s: it does not have as many operands as are given, %d",
                           p->text, p->c->n_x);
        if (*s == ',') s++;
    }
    return read_result(p, s);
}

/* ---- one operand ---- */

/* Its diagonals along repeated labels; dims of size 1 that others enlarge are left out. */
static void simplify(const plan *p, int i, term *x) {
    const ebb_shape *s = &p->c->x_shape[i];
    ebb_ints size = {0, {0}}, stride = {0, {0}};
    list kept = {0, {0}};
    int64_t step = 1, steps[EBB_MAX_DIMS] = {0};
    for (int d = s->ndim; d-- > 0; step *= s->dim[d]) steps[find(&x->dims, x->dims.v[d])] += step;
    for (int d = 0; d < s->ndim; d++) {
        const int label = x->dims.v[d];
        if (find(&x->dims, label) != d || s->dim[d] != p->size[label]) continue;
        size.v[kept.n] = s->dim[d];
        stride.v[kept.n] = steps[d];
        kept.v[kept.n++] = label;
    }
    if (kept.n == s->ndim) return;
    size.n = stride.n = kept.n;
    x->t = ebb_as_strided(x->t, .size = size, .stride = stride);
    x->dims = kept;
}

static void sum_out(term *x, set keep) {
    ebb_ints dims = {0, {0}};
    list kept = {0, {0}};
    for (int d = 0; d < x->dims.n; d++)
        if (keep & SET(x->dims.v[d])) kept.v[kept.n++] = x->dims.v[d];
        else dims.v[dims.n++] = d;
    if (!dims.n) return;
    x->t = ebb_sum(x->t, .dim = dims);
    x->dims = kept;
}

/* The dims in that order; those it lacks have size 1. A view. */
static ebb_tensor *arranged(const term *x, const list *order) {
    ebb_ints dims = {order->n, {0}};
    const int lack = order->n - x->dims.n;
    bool moved = false;
    for (int k = 0, next = 0; k < order->n; k++) {
        const int at = find(&x->dims, order->v[k]);
        dims.v[k] = at < 0 ? next++ : lack + at;
        moved = moved || dims.v[k] != k;
    }
    ebb_tensor *t = with_leading(x->t, lack);
    return moved ? ebb_permute(t, .dims = dims) : t;
}

/* ---- two operands ---- */

static int64_t size_of(const plan *p, const list *l) {
    int64_t n = 1;
    for (int k = 0; k < l->n; k++) n *= p->size[l->v[k]];
    return n;
}

/* [batch.., r, s] of x, r and s being joined dims; `s` may be absent. Copies only where joining asks for it. */
static ebb_tensor *as_matrices(const plan *p, const term *x, const list *batch, const list *r, const list *s) {
    list order = {0, {0}};
    const bool join = batch->n + 2 > EBB_MAX_DIMS;
    append(&order, batch, ~(set)0);
    append(&order, r, ~(set)0);
    if (s) append(&order, s, ~(set)0);
    ebb_tensor *t = arranged(x, &order);
    if (r->n == 1 && (!s || s->n == 1) && !join) return t;
    ebb_ints shape = {0, {0}};
    if (join) shape.v[shape.n++] = size_of(p, batch);
    else
        for (int k = 0; k < batch->n; k++) shape.v[shape.n++] = p->size[batch->v[k]];
    shape.v[shape.n++] = size_of(p, r);
    if (s) shape.v[shape.n++] = size_of(p, s);
    return ebb_reshape(t, .shape = shape);
}

/* a and b as one: labels that `keep` lacks are summed over. */
static bool contract(const plan *p, term *a, term *b, set keep) {
    sum_out(a, keep | set_of(&b->dims));
    sum_out(b, keep | set_of(&a->dims));
    const set sa = set_of(&a->dims), sb = set_of(&b->dims);
    list batch = {0, {0}}, sum = {0, {0}}, left = {0, {0}}, right = {0, {0}}, all = {0, {0}};
    append(&batch, &a->dims, sb & keep);
    append(&sum, &a->dims, sb & ~keep);
    append(&left, &a->dims, ~sb);
    append(&right, &b->dims, ~sa);
    append(&all, &batch, ~(set)0);
    append(&all, &left, ~(set)0);
    append(&all, &right, ~(set)0);
    if (all.n > EBB_MAX_DIMS)
        return REFUSED(p->c, EBB_E_SHAPE, "equation %s: an intermediate result would have %d dims; %d are possible",
                       p->text, all.n, EBB_MAX_DIMS);
    ebb_ints shape = {all.n, {0}};
    for (int k = 0; k < all.n; k++) shape.v[k] = p->size[all.v[k]];
    if (!sum.n) a->t = ebb_mul(arranged(a, &all), arranged(b, &all));
    else if (!left.n && !right.n)
        a->t = ebb_dot_rows(as_matrices(p, a, &batch, &sum, NULL), as_matrices(p, b, &batch, &sum, NULL));
    else a->t = ebb_gemm(as_matrices(p, a, &batch, &left, &sum), as_matrices(p, b, &batch, &sum, &right));
    const bool joined =
        sum.n && (batch.n + 2 > EBB_MAX_DIMS || ((left.n || right.n) && (left.n != 1 || right.n != 1)));
    if (joined) a->t = ebb_reshape(a->t, .shape = shape);
    a->dims = all;
    return a->t != NULL;
}

static ebb_tensor *einsum_compose(const ebb_call *c) {
    plan p = {.c = c, .text = ((const einsum_attrs *)c->attrs)->equation.s};
    term x[EBB_MAX_OPERANDS];
    if (!c->n_x) return EBB_FAIL(c, EBB_E_ARG, "there are no operands");
    for (int i = 0; i < c->n_x; i++) x[i].t = c->x[i];
    if (!read_equation(&p, x)) return NULL;
    for (int i = 0; i < c->n_x; i++) simplify(&p, i, &x[i]);
    const set out = set_of(&p.out);
    for (int i = 1; i < c->n_x; i++) {
        set keep = out;
        for (int k = i + 1; k < c->n_x; k++) keep |= set_of(&x[k].dims);
        if (!contract(&p, &x[0], &x[i], keep)) return NULL;
    }
    sum_out(&x[0], out);
    return arranged(&x[0], &p.out);
}

EBB_OP(einsum,
    .sig = "operands()*->()",
    .math = "y[out] = sum over the other letters of the product of the operands",
    .flags = EBB_OWN_SHAPES,
    .compose = einsum_compose,
    .attrs = EBB_ATTRS(einsum_attrs, einsum_attr),
    .tries = "[2,3] [3,4] equation=ij,jk->ik; [2,2,3] [2,3,2] equation=bij,bjk->bik; [3,3] equation=ii->i; [3,3] equation=ii; [2,3] equation=ij->ji; [2,3] equation=ij->; [2] [3] equation=i,j->ij; [3] [3] equation=i,i; [2,2,3,2] [2,2,2,2] equation=bhqd,bhkd->bhqk; [2,3] [3,2] [2,4] equation=ij,jk,kl->il; [2,2,3] [3,2] equation=...ij,jk->...ik; [2,3] [2,4] [2] equation=bi,bj,b->ij; [2,3,2] [1,2,4] equation=...ij,...jk; [2,3] [2,3] equation=ij,ij->j; [2,1] [3,4] equation=ij,jk->ik; [2,0] [0,3] equation=ij,jk",
    .doc = "Sums of products by an equation; a letter repeated within an operand takes a diagonal. Operands are joined from left to right, each time as one batched product.",
    .ref = "torch.einsum"
);
