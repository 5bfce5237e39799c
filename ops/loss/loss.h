/* loss.h - floor 5: what the losses share: reduction, and the shapes they insist on. */
#ifndef EBB_LOSS_H
#define EBB_LOSS_H
#include <ebb/op.h>

/* Every loss's attribute struct begins with its reduction. */
typedef struct loss_attrs {
    int32_t reduction;
} loss_attrs;
static inline int32_t loss__how(const ebb_call *c) { return ((const loss_attrs *)c->attrs)->reduction; }

static inline ebb_tensor *loss__reduced(const ebb_call *c, ebb_tensor *each) {
    const int32_t how = loss__how(c);
    return how == EBB_MEAN ? ebb_mean(each) : how == EBB_SUM ? ebb_sum(each) : each;
}

static inline ebb_tensor *loss__at_least(ebb_tensor *x, double least) { return ebb_clamp(x, .min = least); }

static inline bool loss__same_shape(const ebb_shape *a, const ebb_shape *b) {
    bool same = a->ndim == b->ndim;
    for (int d = 0; d < a->ndim && same; d++) same = a->dim[d] == b->dim[d];
    return same;
}

/* Whether a tensor of shape w broadcasts to x's shape. */
static inline bool loss__fits(const ebb_shape *w, const ebb_shape *x) {
    if (w->ndim > x->ndim) return false;
    for (int d = 1; d <= w->ndim; d++)
        if (w->dim[w->ndim - d] != 1 && w->dim[w->ndim - d] != x->dim[x->ndim - d]) return false;
    return true;
}

/* The sizes of a shape as words: "[2,3]". */
typedef struct loss__words {
    char s[176];
} loss__words;
static inline loss__words loss__sizes(const ebb_shape *x) {
    loss__words w = {"["};
    size_t at = 1;
    for (int d = 0; d < x->ndim; d++) {
        char digits[24];
        int n = 0;
        int64_t v = x->dim[d];
        do digits[n++] = (char)('0' + v % 10);
        while ((v /= 10) && n < 20);
        if (d) w.s[at++] = ',';
        while (n) w.s[at++] = digits[--n];
    }
    w.s[at] = ']';
    return w;
}

/* A 1 behind x's sizes: for each row its number as a column. */
static inline ebb_tensor *loss__column(ebb_tensor *x) {
    const ebb_info i = ebb_info_of(x);
    ebb_ints s = {i.ndim + 1, {0}};
    for (int d = 0; d < i.ndim; d++) s.v[d] = i.shape[d];
    s.v[i.ndim] = 1;
    return ebb_reshape(x, .shape = s);
}
#endif
