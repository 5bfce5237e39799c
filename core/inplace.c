/* inplace.c - floor 3: in-place calls: when they are allowed, where the result goes, and what that does to the graph.
 *
 * A tensor's *base* is the one whose storage it views and through whose place in the graph a gradient reaches it. After a write
 * through a view, the base's place in the graph is "the old base with the view's places replaced" (the op as_strided_scatter), and
 * every other view of it is stale: when it is next used, it gets a place of its own again, "as_strided of the base". So gradients
 * of legally modified tensors are right whichever way they are read; what a rule saved and would read after a change is
 * caught by the versions of storages. */
#include "loop.h"
#include "running.h"
#include <stdlib.h>

typedef struct strided { /* the attributes of as_strided and as_strided_scatter */
    ebb_ints size, stride;
    int64_t offset;
} strided;

static ebb_tensor *base_of(const ebb_tensor *t) {
    if (t->ext && t->ext->base) return t->ext->base;
    return t->flags & T_ALIAS ? (ebb_tensor *)(uintptr_t)t : t->root;
}

static strided place_in(const ebb_tensor *base, const ebb_tensor *t) {
    strided s = {{t->ndim, {0}}, {t->ndim, {0}}, 0};
    memcpy(s.size.v, t_shape(t), 8 * (size_t)t->ndim);
    memcpy(s.stride.v, t_stride(t), 8 * (size_t)t->ndim);
    if (t->numel) s.offset = ((char *)t->data - (char *)base->data) / ebb__dsize[t->dtype];
    return s;
}

/* ---- stale views ---- */

bool ebb_needs_grad(const ebb_tensor *t) { return t && ebb__needs(ebb__stale(t) ? base_of(t) : t); }

ebb_status ebb__refresh(ebb_tensor *t) {
    ebb *e = t_session(t);
    ebb_tensor *base = base_of(t);
    if (base == t || !ebb__stale(t)) return EBB_OK;
    if (base->node && !ebb__node_live(base)) {
        char s[200];
        return ebb_fail(e, EBB_E_GRAPH,
                        "%s is a view of a tensor that %s changed in place, and the graph of that was freed when its scope ended; take "
                        "ebb_detach of it",
                        ebb_describe(t, s, sizeof s), t->root->ext->writer ? t->root->ext->writer->name : "an op");
    }
    if (ebb__needs(base) && !(base->flags & T_CONTIG)) {
        char s[200];
        return ebb_fail(
            e, EBB_E_CHANGED,
            "%s is a view of a tensor that %s changed in place and that does not lie in order in memory; take the view again",
            ebb_describe(t, s, sizeof s), t->root->ext->writer ? t->root->ext->writer->name : "an op");
    }
    if (ebb__needs(base)) {
        const ebb__entry *x = ebb__need(e, "as_strided", 0);
        const strided place = place_in(base, t);
        if (!x || ebb__record(e, x, 1, &base, 1, &t, &place) != EBB_OK) return e->code;
        ebb__keep_outer(e, t);
    } else {
        t->node = 0;
    }
    t->version = t->root->ext->rebased;
    return EBB_OK;
}

ebb_status ebb__inputs_current(ebb *e, const ebb_op *op, int n_x, ebb_tensor *const *in) {
    char s[200];
    for (int i = 0; i < n_x; i++) {
        if (!in[i]) continue;
        if (ebb__stale(in[i]) && ebb__refresh(in[i]) != EBB_OK) {
            ebb__context(e, "%s: input %d: ", op->name, i);
            return e->code;
        }
        if (in[i]->node && !ebb__node_live(in[i]))
            return ebb_fail(e, EBB_E_GRAPH,
                            "%s: the graph of input %d (%s) was freed when its scope ended; use it inside the scope, keep it with "
                            "ebb_escape, or take ebb_detach of it",
                            op->name, i, ebb_describe(in[i], s, sizeof s));
    }
    return EBB_OK;
}

/* ---- what an in-place change does to the graph ---- */

/* Room for what `moved` will need, so that it cannot fail once the tensor has been written. */
static ebb_status reserve(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in) {
    ebb_tensor *t = in[0];
    return ebb__ext_of(t->root) ? ebb__tape_reserve(e, x, n_x, in) : e->code;
}

/* t has got another place in the graph: so has its base, and all other views are stale. */
static ebb_status moved(ebb *e, ebb_tensor *t) {
    ebb_tensor *base = base_of(t);
    const uint32_t now = ++t->root->ext->rebased;
    if (t->root != t) t->version = now;
    if (t->node && t->ext && t->ext->hooks) e->tape->node[t->node - 1]->flags |= N_HOOKED;
    if (t->node) ebb__keep_outer(e, t);
    if (base == t) return EBB_OK;
    if (t->node || base->node) {
        const ebb__entry *x = ebb__need(e, "as_strided_scatter", 0);
        const strided place = place_in(base, t);
        ebb_tensor *in[2] = {base, t};
        if (!x || ebb__record(e, x, 2, in, 1, &base, &place) != EBB_OK) return e->code;
        if (base->ext && base->ext->hooks) e->tape->node[base->node - 1]->flags |= N_HOOKED;
        ebb__keep_outer(e, base);
    }
    if (base->root != base) base->version = now;
    return EBB_OK;
}

/* A copy of t in its place in the graph, for rules that read the values that are overwritten. */
static ebb_tensor *kept_copy(ebb_tensor *t) {
    int64_t stride[EBB_MAX_DIMS];
    ebb_tensor *old = ebb__laid_out(t, NULL, stride, true);
    if (!old) return NULL;
    if (t->flags & T_REQUIRES) { /* a leaf that is a view: the copy is made of it */
        const ebb__entry *same = ebb__need(t_session(t), "contiguous", 0);
        return same && ebb__record(t_session(t), same, 1, &t, 1, &old, NULL) == EBB_OK ? old : NULL;
    }
    old->node = t->node;
    old->epoch = t->epoch;
    old->out = t->out;
    old->flags |= t->flags & T_NUMBER;
    return old;
}

/* ---- is it allowed ---- */

/* Two elements of t share a place in memory. */
static bool overlaps_itself(const ebb_tensor *t) {
    int order[EBB_MAX_DIMS], n = 0;
    for (int d = 0; d < t->ndim; d++) {
        if (t_shape(t)[d] == 0) return false;
        if (t_shape(t)[d] == 1) continue;
        int k = n++;
        for (; k > 0 && llabs(t_stride(t)[order[k - 1]]) > llabs(t_stride(t)[d]); k--)
            order[k] = order[k - 1];
        order[k] = d;
    }
    int64_t reach = 0; /* of the dims before: places 0 .. reach */
    for (int k = 0; k < n; k++) {
        const int64_t step = llabs(t_stride(t)[order[k]]);
        if (step <= reach) return true;
        reach += (t_shape(t)[order[k]] - 1) * step;
    }
    return false;
}

static ebb_status allowed(const ebb__running *c) {
    ebb *e = c->e;
    const ebb_tensor *t = c->target;
    char s[200];
    if (!t) return ebb_fail(e, EBB_E_ARG, "%s_: the tensor to be changed is NULL", c->x->op->name);
    if (!(c->x->op->flags & EBB_INPLACE))
        return ebb_fail(e, EBB_E_NAME, "%s has no in-place form", c->x->op->name);
    if (t->flags & T_READONLY)
        return ebb_fail(e, EBB_E_CHANGED, "%s_: %s is shared with another session and only to be read; use %s",
                        c->x->op->name, ebb_describe(t, s, sizeof s), c->x->op->name);
    if (overlaps_itself(t))
        return ebb_fail(e, EBB_E_CHANGED,
                        "%s_: several elements of %s share one place in memory (an expanded or overlapping view); write to a copy",
                        c->x->op->name, ebb_describe(t, s, sizeof s));
    const ebb_tensor *base = base_of(t);
    bool grad = t->node || base->node;
    for (int i = 1; i < c->n_x; i++) grad = grad || (c->in[i] && ebb__needs(c->in[i]));
    if (grad && !e->no_grad && base != t && !(base->flags & T_CONTIG))
        return ebb_fail(e, EBB_E_CHANGED,
                        "%s_: %s is a view of a result that does not lie in order in memory; change that, or a copy (ebb_contiguous)",
                        c->x->op->name, ebb_describe(t, s, sizeof s));
    if (!e->no_grad && ((t->flags & T_REQUIRES) || (base_of(t)->flags & T_REQUIRES)))
        return ebb_fail(e, EBB_E_CHANGED,
                        "%s_: %s is a leaf that needs a gradient (or a view of one) and cannot be changed in place; use %s, or do it inside "
                        "ebb_no_grad_begin/end",
                        c->x->op->name, ebb_describe(t, s, sizeof s), c->x->op->name);
    if (!e->no_grad && ebb__needs(t) && !c->x->op->compose && !ebb__rule_of(c->x, 0))
        return ebb_fail(e, EBB_E_CHANGED, "%s_: %s needs a gradient, and %s has no rule for it",
                        c->x->op->name, ebb_describe(t, s, sizeof s), c->x->op->name);
    return EBB_OK;
}

/* The kernel may write into the tensor itself: item by item, in its dtype, no other operand lying in the same memory. */
static bool direct(const ebb__running *c) {
    const ebb__entry *x = c->x;
    if (!x->pointwise || !x->has_kernel || x->op->compose || !x->ref.fn[c->target->dtype]) return false;
    for (int i = 0; i < c->n_x; i++) {
        const ebb_tensor *t = c->in[i];
        if (!t || t == c->target) continue;
        if (t->root == c->target->root) return false;
        if (ebb__input(x, i)->dtype) continue;
        if (t->dtype != c->target->dtype && !((t->flags & T_NUMBER) && ebb__is_float(c->target->dtype)))
            return false;
    }
    const int out = x->arg[x->n_in].dtype;
    return !out || out == c->target->dtype;
}

/* ---- the two ways ---- */

static ebb_status write_directly(ebb__running *c) {
    ebb *e = c->e;
    const ebb__entry *x = c->x;
    const bool grad = ebb__wants_grad(c), had = !e->no_grad && c->target->node;
    bool read = false;
    for (int i = 0; i < c->n_x && grad; i++) {
        const ebb_vjp_rule *rule = c->in[i] && ebb__needs(c->in[i]) ? ebb__rule_of(x, i) : NULL;
        for (int k = 0; k < c->n_x && rule; k++) /* the target is x[0], and perhaps others */
            read = read || (c->in[k] == c->target && (rule->reads & EBB_X(k)));
    }
    if ((grad || had) && reserve(e, x, c->n_x, c->in) != EBB_OK) return e->code;
    if (read) {
        ebb_tensor *old = kept_copy(c->target);
        if (!old) return e->code;
        for (int i = 0; i < c->n_x; i++)
            if (c->in[i] == c->target) c->in[i] = old;
    }
    c->in_place = true;
    const ebb_status r = ebb__check_dtypes(c) == EBB_OK ? ebb__run_kernel(c) : e->code;
    ebb__touch(c->target, x->op);
    if (r != EBB_OK) return r;
    if (!grad && !had) return EBB_OK;
    if (!grad) c->target->node = 0;
    else if (ebb__record(e, x, c->n_x, c->in, 1, c->y, c->attrs) != EBB_OK) return e->code;
    return moved(e, c->target);
}

static ebb_status fits(const ebb__running *c, const ebb_tensor *y) {
    const ebb_tensor *t = c->target;
    char a[200], b[200];
    if (y->ndim == t->ndim && !memcmp(t_shape(y), t_shape(t), 8 * (size_t)t->ndim) &&
        ebb__category(y->dtype) <= ebb__category(t->dtype))
        return EBB_OK;
    return ebb_fail(c->e, y->ndim == t->ndim ? EBB_E_DTYPE : EBB_E_SHAPE,
                    "%s_: the result is %s%s and does not fit into %s", c->x->op->name,
                    ebb_dtype_name((ebb_dtype)y->dtype), ebb__shape_text(a, sizeof a, y->ndim, t_shape(y)),
                    ebb_describe(t, b, sizeof b));
}

/* The op makes its result elsewhere, which is then copied. */
static ebb_status write_copy(ebb__running *c) {
    ebb *e = c->e;
    ebb_tensor *t = c->target;
    bool grad = false;
    for (int i = 0; i < c->n_x && !e->no_grad; i++) grad = grad || (c->in[i] && ebb__needs(c->in[i]));
    for (int i = 0; i < c->n_x && grad; i++) { /* whatever lies in that memory is read as it was */
        if (!c->in[i] || c->in[i]->root != t->root) continue;
        ebb_tensor *now = c->in[i], *old = kept_copy(now);
        if (!old) return e->code;
        for (int k = i; k < c->n_x; k++)
            if (c->in[k] == now) c->in[k] = old;
    }
    e->depth++; /* what makes the result is a part of this call */
    ebb_tensor *y = ebb__call(e, c->x, c->n_x, c->in, c->attrs, c->x->op->attrs_size, NULL, EBB__UNTOLD);
    const bool fitting = y && fits(c, y) == EBB_OK, nothing = fitting && y == c->in[0] && !grad;
    if (fitting && y->dtype != t->dtype) y = ebb_to(y, (ebb_dtype)t->dtype);
    e->depth--;
    if (!fitting || !y) return e->code;
    if (nothing) return EBB_OK;
    const ebb__entry *same = ebb__need(e, "contiguous", 0);
    const bool leaf = grad && (y->flags & T_REQUIRES);
    if (!same || (grad && reserve(e, same, 1, &t) != EBB_OK)) return e->code;
    if (y->root == t->root) { /* it is made of the tensor's own memory, which the copy would tear */
        int64_t stride[EBB_MAX_DIMS];
        ebb_tensor *apart = ebb__laid_out(y, NULL, stride, true);
        if (!apart) return e->code;
        apart->node = y->node;
        apart->epoch = y->epoch;
        apart->out = y->out;
        y = apart;
    }
    if (ebb__copy_tensor(t, y) != EBB_OK) return e->code;
    ebb__touch(t, c->x->op);
    if (!grad) return EBB_OK;
    if (leaf) {
        if (ebb__record(e, same, 1, &y, 1, &t, NULL) != EBB_OK) return e->code;
    } else {
        t->node = y->node;
        t->epoch = y->epoch;
        t->out = y->out;
    }
    return moved(e, t);
}

ebb_status ebb__write_in_place(ebb__running *c) {
    if (allowed(c) != EBB_OK) return c->e->code;
    ebb_tensor *given[EBB_MAX_OPERANDS];
    memcpy(given, c->in, sizeof *given * (size_t)c->n_x);
    const ebb_status r = direct(c) ? write_directly(c) : write_copy(c);
    for (int i = 0; i < c->n_x; i++) /* an event tells of these, not of their copies */
        if (given[i] && given[i]->root == c->target->root) c->in[i] = given[i];
    return r;
}
