/* grad.c - floor 4: reverse mode: walks the tape backwards, calls rules, accumulates; no recursion.
 *
 * Invariants:
 *   - a node's g[j] holds the cotangent of its output j while it waits; nodes are done in falling order, so when a node
 *     is reached everything that depends on it has been done;
 *   - leaves gather in ext->pending and are handed to .grad only when the whole walk has succeeded: an error changes no .grad;
 *   - rules run outside the graph unless EBB_CREATE_GRAPH. */
#include "call.h"
#include "probes.h"

typedef struct walk {
    ebb *e;
    int flags;
    bool pruned;         /* ebb_grad: only nodes flagged N_NEEDED lead to what is wanted */
    int64_t waiting;     /* nodes with a cotangent */
    ebb_tensor **leaves; /* that have a pending gradient, retained */
    size_t n_leaves, cap_leaves;
} walk;

static bool create_graph(const walk *w) { return w->flags & EBB_CREATE_GRAPH; }
static ebb_tensor *edge_leaf(ebb__edge g) {
    return g & 1 ? (ebb_tensor *)(uintptr_t)(g & ~(ebb__edge)1) : NULL;
}
static size_t edge_node(ebb__edge g) { return (size_t)(g >> 8); }
static unsigned edge_out(ebb__edge g) { return (unsigned)(g >> 2 & 63); }

static ebb_tensor *call_op(const char *name, int n, ebb_tensor *const *x) {
    return ebb_op_call(name, 0, n, x, NULL, 0, 0, NULL);
}

/* *slot += g. Takes over g when the slot is empty; adds in place when nobody else sees the sum. */
static ebb_status accumulate(walk *w, ebb_tensor **slot, ebb_tensor *g) {
    ebb_tensor *old = *slot;
    if (!old) {
        *slot = ebb_retain(g);
        return EBB_OK;
    }
    ebb_tensor *const x[] = {old, g};
    if (!create_graph(w) && old->refs == 1 && old->root == old && !(old->flags & T_BORROWED) &&
        (old->flags & T_CONTIG))
        return ebb_op_call_inplace("add", 0, 2, x, NULL, 0) ? EBB_OK : w->e->code;
    ebb_tensor *sum = call_op("add", 2, x);
    if (!sum) return w->e->code;
    ebb_release(old);
    *slot = ebb_retain(sum);
    return EBB_OK;
}

static ebb_status give(walk *w, ebb__edge to, ebb_tensor *g) {
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
        w->leaves[w->n_leaves++] = ebb_retain(leaf);
    }
    return accumulate(w, &x->pending, g);
}

/* Hooks of t's place in the graph, in the order they were added; *g is replaced (retained). */
static ebb_status run_hooks(walk *w, const ebb_tensor *leaf, const ebb__node *n, int out, ebb_tensor **g) {
    ebb *e = w->e;
    for (size_t i = 0; i < e->n_hooks; i++) {
        ebb_tensor *t = e->hooks[i].t;
        if (leaf ? t != leaf : !(t->out == out && ebb__node_live(t) == n)) continue;
        ebb_tensor *r = e->hooks[i].fn(t, *g, e->hooks[i].user);
        if (e->code != EBB_OK) return e->code;
        if (!r || r == *g) continue;
        if (r->ndim != (*g)->ndim || r->dtype != (*g)->dtype ||
            memcmp(t_shape(r), t_shape(*g), 8 * (size_t)r->ndim)) {
            char a[200], b[200];
            return ebb_fail(e, EBB_E_SHAPE, "a gradient hook of %s returned %s", ebb_describe(t, a, sizeof a),
                            ebb_describe(r, b, sizeof b));
        }
        ebb_retain(r);
        ebb_release(*g);
        *g = r;
    }
    return EBB_OK;
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
        return ebb_fail(e, EBB_E_CHANGED,
                        "%s in %s saved its %s %d (%s) for backward, and %s%s changed it since (version %u, now %u); use the form that is not in place, "
                        "or call backward first",
                        n->x->op->name, region_text(e, n), s->slot < 32 ? "input" : "output",
                        s->slot < 32 ? s->slot : s->slot - 32, ebb_describe(s->t, d, sizeof d),
                        by ? by : "a write through ebb_data_mut or an optimizer step", by ? "_" : "",
                        s->version, root->version);
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

static ebb_status check_result(ebb *e, const ebb__node *n, int input, const ebb_shape *want, ebb_tensor **dx) {
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

static bool leads_somewhere(const walk *w, ebb__edge edge) {
    if (!edge) return false;
    if (!w->pruned) return true;
    const ebb_tensor *leaf = edge_leaf(edge);
    return leaf ? leaf->flags & T_WANTED : w->e->tape->node[edge_node(edge)]->flags & N_NEEDED;
}

static ebb_status do_input(walk *w, const ebb__node *n, ebb_call *c, int i, ebb_tensor *const *x,
                           ebb_tensor *const *y, const ebb_shape *shapes) {
    ebb *e = w->e;
    const ebb_vjp *rule = ebb__rule_of(n->x, i);
    const size_t mark = e->n_owned;
    ebb_tensor *g = c->g[0], *dx;
    e->rule_of = n->x->op->name;
    e->rule_input = i;
    if (!create_graph(w) && n->x->pull && n->x->pull[i]) {
        dx = run_pull(e, n, i, g, x, y);
    } else {
        ebb_tensor *rx[EBB_MAX_OPERANDS], *ry[8]; /* only what this rule reads */
        for (int k = 0; k < n->n_x; k++) rx[k] = k < 32 && (rule->reads >> k & 1) ? x[k] : NULL;
        for (int k = 0; k < n->n_y; k++) ry[k] = rule->reads >> (32 + k) & 1 ? y[k] : NULL;
        c->x = rx;
        c->y = ry;
        c->which = i;
        dx = rule->rule(c, g);
    }
    ebb_status r = e->code != EBB_OK ? e->code : check_result(e, n, i, &shapes[i], &dx);
    e->rule_of = NULL;
    if (r == EBB_OK && ebb__listening(e, EBB_EV_RULE)) {
        ebb_event ev = {.size = sizeof ev,
                        .kind = EBB_EV_RULE,
                        .op = n->x->op,
                        .n_x = n->n_x,
                        .n_y = n->n_y,
                        .x = x,
                        .y = y,
                        .g = g,
                        .dx = dx,
                        .which = i,
                        .region = e->regions[n->region],
                        .attrs = n_attrs(n)};
        r = ebb__raise(e, &ev);
    }
    if (r == EBB_OK) r = give(w, n_edges(n)[i], dx);
    if (!create_graph(w)) ebb__owned_cut(e, mark);
    if (r != EBB_OK && e->code != EBB_E_VALUE)
        ebb__context(e, "backward of %s in %s: ", n->x->op->name, region_text(e, n));
    return r;
}

/* Everything of one node: its hooks, then each input that a gradient is wanted for. */
static ebb_status do_node(walk *w, ebb__node *n, size_t index) {
    ebb *e = w->e;
    if (n->flags & N_SPENT)
        return ebb_fail(e, EBB_E_GRAPH,
                        "backward runs a second time through %s in %s, whose saved tensors are freed; pass EBB_RETAIN to the first backward",
                        n->x->op->name, region_text(e, n));
    ebb_status r = saved_unchanged(e, n);
    if (r != EBB_OK) return r;
    ebb_shape shapes[EBB_MAX_OPERANDS];
    ebb__node_shapes(n, shapes);
    for (int j = 0; j < n->n_y; j++) {
        ebb_tensor **g = &n_g(n)[j];
        if (!*g && n->n_y > 1) { /* nothing contributed: an explicit zero */
            ebb_ints s = {shapes[n->n_x + j].ndim, {0}};
            memcpy(s.v, shapes[n->n_x + j].dim, 8 * (size_t)s.n);
            ebb_tensor *zero = ebb_tensor_new(e, (ebb_dtype)shapes[n->n_x + j].dtype, s, NULL);
            if (!zero) return e->code;
            *g = ebb_retain(zero);
        }
        if (*g && (n->flags & N_HOOKED) && (r = run_hooks(w, NULL, n, j, g)) != EBB_OK) return r;
    }
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
        if (leads_somewhere(w, n_edges(n)[i])) {
            r = do_input(w, n, &c, i, x, y, shapes);
            n = e->tape->node[index]; /* the array may have moved; the record has not */
        }
    e->region = region;
    return r;
}

/* ---- the walk ---- */

/* Marks nodes from which something wanted can be reached. */
static void mark_needed(ebb *e, size_t end) {
    for (size_t k = 0; k < end; k++) {
        ebb__node *n = e->tape->node[k];
        for (int i = 0; i < n->n_x && !(n->flags & N_NEEDED); i++) {
            const ebb__edge g = n_edges(n)[i];
            const ebb_tensor *leaf = edge_leaf(g);
            if (leaf ? (leaf->flags & T_WANTED) != 0 : g && (e->tape->node[edge_node(g)]->flags & N_NEEDED))
                n->flags |= N_NEEDED;
        }
    }
}

/* wanted[k] (nodes only) receives the cotangent when its node is reached. */
static ebb_status go(walk *w, size_t top, int n_wrt, ebb_tensor *const *wrt, ebb_tensor **found) {
    ebb *e = w->e;
    ebb_status r = EBB_OK;
    for (size_t k = top + 1; k-- > 0 && w->waiting && r == EBB_OK;) {
        ebb__node *n = e->tape->node[k];
        bool waits = false;
        for (int j = 0; j < n->n_y; j++) waits = waits || n_g(n)[j];
        if (!waits) continue;
        bool on = !w->pruned;
        if (w->pruned) {
            for (int i = 0; i < n->n_x; i++) on = on || leads_somewhere(w, n_edges(n)[i]);
        }
        if (on) r = do_node(w, n, k);
        for (int i = 0; i < n_wrt && r == EBB_OK; i++)
            if (wrt[i]->node == k + 1 && ebb__node_live(wrt[i]) == n && !found[i])
                found[i] = ebb_retain(n_g(n)[wrt[i]->out]);
        for (int j = 0; j < n->n_y; j++) {
            ebb_release(n_g(n)[j]);
            n_g(n)[j] = NULL;
        }
        w->waiting--;
        if (on && r == EBB_OK && !(w->flags & EBB_RETAIN)) ebb__node_spend(e, n);
        if (r != EBB_OK) /* nothing waits any more */
            for (size_t q = k; q-- > 0 && w->waiting;) {
                ebb__node *m = e->tape->node[q];
                bool had = false;
                for (int j = 0; j < m->n_y; j++) {
                    had = had || n_g(m)[j];
                    ebb_release(n_g(m)[j]);
                    n_g(m)[j] = NULL;
                }
                w->waiting -= had;
            }
    }
    return r;
}

/* Pending to .grad: hooks, then taken over when nobody else holds it, else copied; added to what is there. */
static ebb_status hand_over(walk *w, ebb_tensor *leaf, ebb_tensor *g) {
    ebb *e = w->e;
    ebb__ext *x = leaf->ext;
    if (ebb__listening(e, EBB_EV_LEAF_GRAD)) {
        ebb_event ev = {.size = sizeof ev, .kind = EBB_EV_LEAF_GRAD, .n_x = 1, .x = &leaf, .dx = g, .region = ""};
        if (ebb__raise(e, &ev) != EBB_OK) return e->code;
    }
    if (x->grad) return accumulate(w, &x->grad, g);
    const size_t mark = e->n_owned;
    if (!(g->flags & T_CONTIG)) g = ebb__contiguous(g);
    else if (!create_graph(w) && (g->refs > 1 || g->root != g || (g->flags & T_BORROWED))) {
        ebb_ints s = {g->ndim, {0}};
        memcpy(s.v, t_shape(g), 8 * (size_t)g->ndim);
        g = ebb_tensor_new(e, (ebb_dtype)g->dtype, s, g->data);
    }
    if (!g) return e->code;
    x->grad = ebb_retain(g);
    if (!create_graph(w)) ebb__owned_cut(e, mark);
    return EBB_OK;
}

static ebb_status finish_leaves(walk *w, ebb_status r) {
    ebb *e = w->e;
    for (size_t i = 0; i < w->n_leaves; i++) {
        ebb__ext *x = w->leaves[i]->ext;
        if (r == EBB_OK && x->hooks) r = run_hooks(w, w->leaves[i], NULL, 0, &x->pending);
    }
    for (size_t i = 0; i < w->n_leaves; i++) {
        ebb__ext *x = w->leaves[i]->ext;
        ebb_tensor *g = x->pending;
        x->pending = NULL;
        if (r == EBB_OK && !w->pruned) { r = hand_over(w, w->leaves[i], g); }
        ebb_release(g);
        ebb_release(w->leaves[i]);
    }
    ebb__put(e, w->leaves, w->cap_leaves * sizeof *w->leaves);
    return r;
}

/* ---- seeds ---- */

static ebb_tensor *seed_for(ebb *e, ebb_tensor *t, ebb_tensor *seed, const char *who) {
    char a[200], b[200];
    if (!ebb__needs(t)) {
        if (t->dtype != EBB_F32 && t->dtype != EBB_F64)
            ebb_fail(e, EBB_E_GRAPH, "%s: %s is of an integer type; gradients flow through f32 and f64 only",
                     who, ebb_describe(t, a, sizeof a));
        else
            ebb_fail(e, EBB_E_GRAPH,
                     "%s: %s depends on nothing that needs a gradient: no leaf was marked (ebb_param, ebb_requires_grad), or it was made under no_grad or detached",
                     who, ebb_describe(t, a, sizeof a));
        return NULL;
    }
    if (t->node && !ebb__node_live(t)) {
        ebb_fail(e, EBB_E_GRAPH, "%s: the graph of %s was freed when its scope ended; call it inside the scope",
                 who, ebb_describe(t, a, sizeof a));
        return NULL;
    }
    if (!seed) {
        if (t->numel != 1) {
            ebb_fail(e, EBB_E_GRAPH,
                     "%s: %s has %lld elements, so a seed of its shape is needed; or reduce it first (ebb_sum, ebb_mean)",
                     who, ebb_describe(t, a, sizeof a), (long long)t->numel);
            return NULL;
        }
        ebb_ints s = {t->ndim, {0}};
        memcpy(s.v, t_shape(t), 8 * (size_t)t->ndim);
        return ebb_full(e, (ebb_dtype)t->dtype, s, 1);
    }
    if (t_session(seed) != e || seed->ndim != t->ndim || seed->dtype != t->dtype ||
        memcmp(t_shape(seed), t_shape(t), 8 * (size_t)t->ndim)) {
        ebb_fail(e, EBB_E_SHAPE, "%s: the seed is %s, the output %s", who, ebb_describe(seed, b, sizeof b),
                 ebb_describe(t, a, sizeof a));
        return NULL;
    }
    return seed;
}

static ebb_status begin(walk *w, const char *who) {
    ebb *e = w->e;
    if (e->in_backward)
        return ebb_fail(e, EBB_E_GRAPH,
                        "%s: a backward is running already (called from a hook, a rule or a probe)", who);
    if (w->flags & EBB_CREATE_GRAPH) w->flags |= EBB_RETAIN;
    e->in_backward = true;
    return EBB_OK;
}

static ebb_status mark_event(ebb *e, int kind, ebb_tensor *t) {
    if (!ebb__listening(e, kind)) return EBB_OK;
    ebb_event ev = {.size = sizeof ev, .kind = kind, .n_y = 1, .y = &t, .region = e->regions[e->region]};
    return ebb__raise(e, &ev);
}

ebb_status ebb_backward_with(ebb_tensor *t, ebb_tensor *seed, int flags) {
    if (!t) return EBB_E_ARG;
    ebb *e = t_session(t);
    if (e->code != EBB_OK) return e->code;
    walk w = {.e = e, .flags = flags};
    const size_t mark = e->n_owned;
    ebb_status r = begin(&w, "backward");
    if (r != EBB_OK) return r;
    const int no_grad = e->no_grad;
    e->no_grad = create_graph(&w) ? 0 : no_grad + 1;
    seed = seed_for(e, t, seed, "backward");
    r = seed ? mark_event(e, EBB_EV_BACKWARD_BEGIN, t) : e->code;
    if (r == EBB_OK) r = give(&w, ebb__edge_of(t), seed);
    /* the seed made here belongs to the slot alone now */
    if (r == EBB_OK && t->node) r = go(&w, t->node - 1, 0, NULL, NULL);
    r = finish_leaves(&w, r);
    const ebb_status end = mark_event(e, EBB_EV_BACKWARD_END, t);
    if (r == EBB_OK) r = end;
    e->no_grad = no_grad;
    e->in_backward = false;
    if (!create_graph(&w)) ebb__owned_cut(e, mark);
    return r;
}

ebb_status ebb_backward(ebb_tensor *loss) { return ebb_backward_with(loss, NULL, 0); }

static ebb_status wanted_ok(ebb *e, int n_wrt, ebb_tensor *const *wrt) {
    for (int i = 0; i < n_wrt; i++) {
        char a[200];
        if (!wrt[i]) return ebb_fail(e, EBB_E_ARG, "ebb_grad: wrt %d is NULL", i);
        if (wrt[i]->dtype != EBB_F32 && wrt[i]->dtype != EBB_F64)
            return ebb_fail(e, EBB_E_GRAPH,
                            "ebb_grad: wrt %d, %s, is of an integer type; gradients flow through f32 and f64 only",
                            i, ebb_describe(wrt[i], a, sizeof a));
        if (!ebb__needs(wrt[i]))
            return ebb_fail(e, EBB_E_GRAPH,
                            "ebb_grad: wrt %d, %s, does not need a gradient; mark it with ebb_requires_grad before it is used",
                            i, ebb_describe(wrt[i], a, sizeof a));
    }
    return EBB_OK;
}

static ebb_status grad(walk *w, int n_out, ebb_tensor *const *out, ebb_tensor *const *seeds, int n_wrt,
                       ebb_tensor *const *wrt, ebb_tensor **grads) {
    ebb *e = w->e;
    ebb_status r = wanted_ok(e, n_wrt, wrt);
    size_t top = 0;
    for (int i = 0; i < n_out && r == EBB_OK; i++) {
        if (!out[i]) return ebb_fail(e, EBB_E_ARG, "ebb_grad: output %d is NULL", i);
        ebb_tensor *seed = seed_for(e, out[i], seeds ? seeds[i] : NULL, "ebb_grad");
        r = seed ? give(w, ebb__edge_of(out[i]), seed) : e->code;
        if (out[i]->node > top) top = out[i]->node;
    }
    if (r != EBB_OK && w->waiting) { /* outputs that were seeded before the bad one */
        for (size_t k = 0; k < top; k++)
            for (int j = 0; j < e->tape->node[k]->n_y; j++) {
                ebb_release(n_g(e->tape->node[k])[j]);
                n_g(e->tape->node[k])[j] = NULL;
            }
        return r;
    }
    if (r != EBB_OK) return r;
    for (int i = 0; i < n_wrt; i++) {
        if (wrt[i]->flags & T_REQUIRES) wrt[i]->flags |= T_WANTED;
        ebb__node *n = ebb__node_live(wrt[i]);
        if (n) n->flags |= N_NEEDED;
    }
    mark_needed(e, top);
    /* a wanted output that is itself seeded is found when its node is passed */
    if (top) r = go(w, top - 1, n_wrt, wrt, grads);
    for (size_t k = 0; k < top; k++) e->tape->node[k]->flags &= (uint8_t)~N_NEEDED;
    for (int i = 0; i < n_wrt; i++)
        if (r == EBB_OK && (wrt[i]->flags & T_REQUIRES) && wrt[i]->ext && wrt[i]->ext->pending && !grads[i]) {
            if (wrt[i]->ext->hooks) r = run_hooks(w, wrt[i], NULL, 0, &wrt[i]->ext->pending);
            grads[i] = ebb_retain(wrt[i]->ext->pending);
        }
    for (int i = 0; i < n_wrt; i++) wrt[i]->flags &= (uint16_t)~T_WANTED;
    for (int i = 0; i < n_wrt && r == EBB_OK; i++)
        if (!grads[i] && !(w->flags & EBB_ALLOW_UNUSED)) {
            char a[200];
            r = ebb_fail(e, EBB_E_GRAPH,
                         "ebb_grad: the outputs do not depend on wrt %d, %s; EBB_ALLOW_UNUSED gives NULL for it instead",
                         i, ebb_describe(wrt[i], a, sizeof a));
        }
    return r;
}

ebb_status ebb_grad(ebb *e, int n_out, ebb_tensor *const *out, ebb_tensor *const *seeds, int n_wrt,
                    ebb_tensor *const *wrt, int flags, ebb_tensor **grads) {
    for (int i = 0; i < n_wrt && grads; i++) grads[i] = NULL;
    if (!e || e->code != EBB_OK) return e ? e->code : EBB_E_ARG;
    if (n_out < 1 || n_wrt < 1 || !out || !wrt || !grads)
        return ebb_fail(e, EBB_E_ARG, "ebb_grad: %d outputs and %d wrt given; at least one each", n_out, n_wrt);
    walk w = {.e = e, .flags = flags, .pruned = true};
    const size_t mark = e->n_owned;
    ebb_status r = begin(&w, "ebb_grad");
    if (r != EBB_OK) return r;
    const int no_grad = e->no_grad;
    e->no_grad = create_graph(&w) ? 0 : no_grad + 1;
    r = grad(&w, n_out, out, seeds, n_wrt, wrt, grads);
    for (size_t i = 0; i < w.n_leaves; i++) { /* hooks ran above; nothing goes to .grad */
        ebb__ext *x = w.leaves[i]->ext;
        ebb_release(x->pending);
        x->pending = NULL;
        ebb_release(w.leaves[i]);
    }
    ebb__put(e, w.leaves, w.cap_leaves * sizeof *w.leaves);
    e->no_grad = no_grad;
    e->in_backward = false;
    if (!create_graph(&w)) ebb__owned_cut(e, mark);
    for (int i = 0; i < n_wrt; i++) {
        if (r != EBB_OK) {
            ebb_release(grads[i]);
            grads[i] = NULL;
        } else if (grads[i] && !ebb__own(e, grads[i])) {
            grads[i] = NULL;
            r = e->code;
        }
    }
    return r;
}
