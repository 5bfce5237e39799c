/* grad.c - floor 4: reverse mode: walks the tape backwards, calls rules, accumulates; no recursion.
 *
 * Invariants:
 *   - a node's g[j] holds the cotangent of its output j while it waits; nodes are done in falling order, so when a node
 *     is reached everything that depends on it has been done;
 *   - leaves gather in ext->pending and are handed to .grad only when the whole walk has succeeded: an error in it changes no
 *     .grad (running out of memory while handing over can leave some leaves without theirs);
 *   - rules run outside the graph unless EBB_CREATE_GRAPH. */
#include "grad.h"
#include "probes.h"

static bool create_graph(const ebb__walk *w) { return w->flags & EBB_CREATE_GRAPH; }
static ebb_tensor *edge_leaf(ebb__edge g) {
    return g & 1 ? (ebb_tensor *)(uintptr_t)(g & ~(ebb__edge)1) : NULL;
}
static size_t edge_node(ebb__edge g) { return (size_t)(g >> 8); }
static unsigned edge_out(ebb__edge g) { return (unsigned)(g >> 2 & 63); }

/* *slot += g. Takes over g when the slot is empty; adds in place when nobody else sees the sum. */
static ebb_status accumulate(ebb__walk *w, ebb_tensor **slot, ebb_tensor *g) {
    ebb_tensor *old = *slot;
    if (!old) {
        *slot = t_hold(g);
        return EBB_OK;
    }
    if (!create_graph(w) && old->refs == 1 && old->root == old && !(old->flags & T_BORROWED) &&
        (old->flags & T_CONTIG))
        return ebb_add_(old, g) ? EBB_OK : w->e->code;
    ebb_tensor *sum = ebb_add(old, g);
    if (!sum) return w->e->code;
    ebb__drop(old);
    *slot = t_hold(sum);
    return EBB_OK;
}

ebb_status ebb__walk_give(ebb__walk *w, ebb__edge to, ebb_tensor *g) {
    ebb *e = w->e;
    ebb_tensor *leaf = edge_leaf(to);
    if (!leaf) {
        ebb__node *n = e->tape->node[edge_node(to)];
        bool waits = false;
        for (int j = 0; j < n->n_y; j++) waits = waits || n_g(n)[j];
        w->waiting += !waits;
        return accumulate(w, &n_g(n)[edge_out(to)], g);
    }
    ebb__ext *x = ebb__ext_of(leaf);
    if (!x) return e->code;
    if (!x->pending) {
        if (!ebb__grow(e, &w->leaves, &w->cap_leaves, w->n_leaves, 1, sizeof *w->leaves)) return e->code;
        w->leaves[w->n_leaves++] = t_hold(leaf);
    }
    return accumulate(w, &x->pending, g);
}

/* ---- one node ---- */

static const char *region_text(const ebb *e, const ebb__node *n) {
    return n->region ? e->regions[n->region] : "the top region";
}

static ebb_status saved_unchanged(ebb *e, const ebb__node *n) {
    for (int i = 0; i < n->n_saved; i++) {
        const ebb__saved *s = &n_saved(n)[i];
        const ebb_tensor *root = s->t->root;
        if (root->version == s->version) continue;
        const char *by = root->ext && root->ext->writer ? root->ext->writer->name : NULL;
        char d[200];
        return ebb_fail(
            e, EBB_E_CHANGED,
            "%s in %s saved its %s %d (%s) for backward, and %s%s changed it since (version %u, now %u); use the form that is not in place, "
            "or call backward first",
            n->x->op->name, region_text(e, n),
            s->slot >= 64  ? "tensor from outside,"
            : s->slot < 32 ? "input"
                           : "output",
            s->slot >= 64  ? s->slot - 64
            : s->slot < 32 ? s->slot
                           : s->slot - 32,
            ebb_describe(s->t, d, sizeof d), by ? by : "a write through ebb_data_mut or an optimizer step",
            by ? "_" : "", s->version, root->version);
    }
    return EBB_OK;
}

static ebb_tensor *run_pull(ebb *e, const ebb__node *n, int input, ebb_tensor *g, ebb_tensor *const *x,
                            ebb_tensor *const *y) {
    const ebb_pull *p = n->x->op->pull;
    while (p->input != input) p++;
    ebb_tensor *in[EBB_MAX_OPERANDS];
    int k = 0;
    in[k++] = g;
    for (int i = 0; i < n->n_x; i++)
        if (p->reads & EBB_X(i)) in[k++] = x[i];
    for (int j = 0; j < n->n_y; j++)
        if (p->reads & EBB_Y(j)) in[k++] = y[j];
    return ebb__call(e, n->x->pull[input], k, in, n_attrs(n), n->x->op->attrs_size, NULL, false);
}

ebb_status ebb__walk_result(ebb *e, const ebb__node *n, int input, const ebb_shape *want, ebb_tensor **dx) {
    char a[200], b[200];
    if (!*dx) {
        if (e->code == EBB_OK)
            ebb_fail(e, EBB_E_KERNEL, "the rule of %s for input %d returned nothing", n->x->op->name, input);
        return e->code;
    }
    if (t_session(*dx) != e)
        return ebb_fail(e, EBB_E_KERNEL, "the rule of %s for input %d returned a tensor of another session",
                        n->x->op->name, input);
    if ((*dx)->dtype != want->dtype && !(*dx = ebb_to(*dx, (ebb_dtype)want->dtype))) return e->code;
    ebb_tensor *r = *dx;
    if (r->ndim == want->ndim && !memcmp(t_shape(r), want->dim, 8 * (size_t)want->ndim)) return EBB_OK;
    *dx = ebb__sum_to(r, want->ndim, want->dim);
    if (*dx) return EBB_OK;
    if (e->code != EBB_E_SHAPE) return e->code;
    e->code = EBB_OK;
    return ebb_fail(e, EBB_E_KERNEL, "the rule of %s for input %d returned shape %s, the input is %s",
                    n->x->op->name, input, ebb__shape_text(a, sizeof a, r->ndim, t_shape(r)),
                    ebb__shape_text(b, sizeof b, want->ndim, want->dim));
}

bool ebb__walk_leads(const ebb__walk *w, ebb__edge edge) {
    if (!edge) return false;
    if (!w->pruned) return true;
    const ebb_tensor *leaf = edge_leaf(edge);
    return leaf ? leaf->flags & T_WANTED : w->e->tape->node[edge_node(edge)]->flags & N_NEEDED;
}

ebb_status ebb__raise_rule(ebb *e, const ebb__node *n, size_t index, int input, ebb_tensor *const *x,
                           ebb_tensor *const *y, ebb_tensor *const *g, ebb_tensor *dx) {
    if (!ebb__listening(e, EBB_EV_RULE)) return EBB_OK;
    ebb_event ev = {.size = sizeof ev,
                    .kind = EBB_EV_RULE,
                    .op = n->x->op,
                    .n_x = n->n_x,
                    .n_y = n->n_y,
                    .x = x,
                    .y = y,
                    .g = g[0],
                    .dx = dx,
                    .which = input,
                    .region = e->regions[n->region],
                    .attrs = n->x->op->n_attrs ? n_attrs(n) : NULL,
                    .node = (int64_t)index,
                    .gs = g};
    return ebb__raise(e, &ev);
}

static ebb_status do_input(ebb__walk *w, const ebb__node *n, size_t index, ebb_call *c, int i,
                           ebb_tensor *const *x, ebb_tensor *const *y, const ebb_shape *shapes) {
    ebb *e = w->e;
    const ebb_vjp_rule *rule = ebb__rule_of(n->x, i);
    const size_t mark = e->n_owned;
    ebb_tensor *g = c->g[0], *dx;
    e->rule_of = n->x->op->name;
    e->rule_input = i;
    if (!create_graph(w) && n->x->pull && n->x->pull[i]) {
        dx = run_pull(e, n, i, g, x, y);
    } else if (create_graph(w) && (n->x->op->flags & EBB_ONCE)) {
        dx = NULL;
        ebb_fail(e, EBB_E_GRAPH, "%s can be differentiated once only, so EBB_CREATE_GRAPH cannot go through it",
                 n->x->op->name);
    } else {
        ebb_tensor *rx[EBB_MAX_OPERANDS], *ry[8]; /* only what this rule reads */
        for (int k = 0; k < n->n_x; k++) rx[k] = k < 32 && (rule->reads >> k & 1) ? x[k] : NULL;
        for (int k = 0; k < n->n_y; k++) ry[k] = rule->reads >> (32 + k) & 1 ? y[k] : NULL;
        c->x = rx;
        c->y = ry;
        c->which = i;
        dx = rule->rule(c, g);
    }
    ebb_status r = e->code != EBB_OK ? e->code : ebb__walk_result(e, n, i, &shapes[i], &dx);
    e->rule_of = NULL;
    if (r == EBB_OK) r = ebb__raise_rule(e, n, index, i, x, y, c->g, dx);
    if (r == EBB_OK && e->anomaly) r = ebb__anomaly_check(e, n, i, c->g, dx);
    if (r == EBB_OK) r = ebb__walk_give(w, n_edges(n)[i], dx);
    if (!create_graph(w)) ebb__owned_cut(e, mark);
    if (r != EBB_OK && e->code != EBB_E_VALUE)
        ebb__context(e, "backward of %s in %s: ", n->x->op->name, region_text(e, n));
    if (r != EBB_OK && e->anomaly) ebb__anomaly_words(e, n);
    return r;
}

/* Everything of one node: its hooks, then each input that a gradient is wanted for. */
static ebb_status do_node(ebb__walk *w, ebb__node *n, size_t index) {
    ebb *e = w->e;
    if (n->flags & N_SPENT)
        return ebb_fail(e, EBB_E_GRAPH,
                        "backward runs a second time through %s in %s, whose saved tensors are freed; pass EBB_RETAIN to the first backward",
                        n->x->op->name, region_text(e, n));
    ebb_status r = saved_unchanged(e, n);
    if (r != EBB_OK) return r;
    ebb_shape shapes[EBB__MAX_EDGES + 8];
    ebb__node_shapes(n, shapes);
    for (int j = 0; j < n->n_y; j++) {
        ebb_tensor **g = &n_g(n)[j];
        if (!*g && n->n_y > 1) { /* nothing contributed: an explicit zero */
            ebb_ints s = {shapes[n->n_x + j].ndim, {0}};
            memcpy(s.v, shapes[n->n_x + j].dim, 8 * (size_t)s.n);
            ebb_tensor *zero = ebb_tensor_new(e, (ebb_dtype)shapes[n->n_x + j].dtype, s, NULL);
            if (!zero) return e->code;
            *g = t_hold(zero);
        }
    }
    if (n->x->back) return n->x->back(w, n, index, shapes + n->n_x);
    ebb_tensor *x[EBB_MAX_OPERANDS], *y[8];
    for (int i = 0; i < n->n_x; i++) x[i] = NULL;
    for (int j = 0; j < n->n_y; j++) y[j] = NULL;
    for (int i = 0; i < n->n_saved; i++) {
        const ebb__saved *s = &n_saved(n)[i];
        if (s->slot < 32) x[s->slot] = s->t;
        else y[s->slot - 32] = s->t;
    }
    ebb_call c = {.size = sizeof c,
                  .n_x = n->n_x,
                  .n_y = n->n_y,
                  .g = n_g(n),
                  .x_shape = shapes,
                  .y_shape = shapes + n->n_x,
                  .attrs = n_attrs(n),
                  .op = n->x->op,
                  .e = e};
    const uint32_t region = e->region;
    e->region = n->region;
    for (int i = 0; i < n->n_x && r == EBB_OK; i++)
        if (ebb__walk_leads(w, n_edges(n)[i])) {
            r = do_input(w, n, index, &c, i, x, y, shapes);
            n = e->tape->node[index]; /* the array may have moved; the record has not */
        }
    e->region = region;
    return r;
}

/* ---- the walk ---- */

void ebb__walk_mark(ebb *e, size_t begin, size_t end) {
    for (size_t k = begin; k < end; k++) {
        ebb__node *n = e->tape->node[k];
        for (int i = 0; i < n->n_x && !(n->flags & N_NEEDED); i++) {
            const ebb__edge g = n_edges(n)[i];
            const ebb_tensor *leaf = edge_leaf(g);
            if (leaf ? (leaf->flags & T_WANTED) != 0 : g && (e->tape->node[edge_node(g)]->flags & N_NEEDED))
                n->flags |= N_NEEDED;
        }
    }
}

/* Empties the slots of a node. -> whether it was waiting */
static bool empty(ebb__node *n) {
    bool had = false;
    for (int j = 0; j < n->n_y; j++) {
        had = had || n_g(n)[j];
        ebb__drop(n_g(n)[j]);
        n_g(n)[j] = NULL;
    }
    return had;
}

void ebb__walk_drop(ebb__walk *w, size_t end) {
    while (end-- > 0 && w->waiting) w->waiting -= empty(w->e->tape->node[end]);
}

ebb_status ebb__walk_go(ebb__walk *w, size_t top, size_t bottom, int n_wrt, ebb_tensor *const *wrt,
                        ebb_tensor **found) {
    ebb *e = w->e;
    ebb_status r = EBB_OK;
    for (size_t k = top + 1; k-- > bottom && w->waiting && r == EBB_OK;) {
        ebb__node *n = e->tape->node[k];
        bool waits = false;
        for (int j = 0; j < n->n_y; j++) waits = waits || n_g(n)[j];
        if (!waits) continue;
        for (int j = 0; j < n->n_y && (n->flags & N_HOOKED) && r == EBB_OK; j++)
            if (n_g(n)[j]) r = ebb__hooks_run(e, NULL, n, j, &n_g(n)[j]);
        bool on = !w->pruned;
        for (int i = 0; i < n_wrt && r == EBB_OK; i++)
            if (wrt[i]->node == k + 1 && !found[i]) found[i] = t_hold(n_g(n)[wrt[i]->out]);
        for (int i = 0; i < n->n_x && !on; i++) on = ebb__walk_leads(w, n_edges(n)[i]);
        if (on && r == EBB_OK) r = do_node(w, n, k);
        w->waiting -= empty(n);
        if (on && r == EBB_OK && !(w->flags & EBB_RETAIN)) ebb__node_spend(e, n);
        if (r != EBB_OK) ebb__walk_drop(w, k);
    }
    return r;
}

/* Pending to .grad: hooks, then taken over when nobody else holds it, else copied; added to what is there. */
static ebb_status hand_over(ebb__walk *w, ebb_tensor *leaf, ebb_tensor *g) {
    ebb *e = w->e;
    ebb__ext *x = leaf->ext;
    if (x->grad) return accumulate(w, &x->grad, g);
    const size_t mark = e->n_owned;
    if (!(g->flags & T_CONTIG)) g = ebb__contiguous(g);
    else if (!create_graph(w) && (g->refs > 1 || g->root != g || (g->flags & T_BORROWED))) {
        ebb_ints s = {g->ndim, {0}};
        memcpy(s.v, t_shape(g), 8 * (size_t)g->ndim);
        g = ebb_tensor_new(e, (ebb_dtype)g->dtype, s, g->data);
    }
    if (!g) return e->code;
    x->grad = t_hold(g);
    if (!create_graph(w)) ebb__owned_cut(e, mark);
    return EBB_OK;
}

ebb_status ebb__walk_finish(ebb__walk *w, ebb_status r) {
    ebb *e = w->e;
    for (size_t i = 0; i < w->n_leaves; i++) {
        ebb__ext *x = w->leaves[i]->ext;
        if (w->pruned || r != EBB_OK) continue;
        if (x->hooks) r = ebb__hooks_run(e, w->leaves[i], NULL, 0, &x->pending);
        ebb_event ev = {.size = sizeof ev,
                        .kind = EBB_EV_LEAF_GRAD,
                        .n_x = 1,
                        .x = &w->leaves[i],
                        .dx = x->pending,
                        .region = "",
                        .node = -1};
        if (r == EBB_OK && ebb__listening(e, EBB_EV_LEAF_GRAD)) r = ebb__raise(e, &ev);
    }
    for (size_t i = 0; i < w->n_leaves; i++) {
        ebb__ext *x = w->leaves[i]->ext;
        ebb_tensor *g = x->pending;
        x->pending = NULL;
        if (r == EBB_OK && !w->pruned) r = hand_over(w, w->leaves[i], g);
        if (r == EBB_OK && !w->pruned && x->hooks) r = ebb__hooks_after(e, w->leaves[i]);
        ebb__drop(g);
        ebb__drop(w->leaves[i]);
    }
    ebb__put(e, w->leaves, w->cap_leaves * sizeof *w->leaves);
    return r;
}
