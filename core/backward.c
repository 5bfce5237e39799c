/* backward.c - floor 4: ebb_backward and ebb_grad: what is asked for, checked; then a walk, and its results handed out. */
#include "grad.h"
#include "probes.h"

static ebb_tensor *seed_for(ebb *e, ebb_tensor *t, ebb_tensor *seed, const char *who) {
    char a[200], b[200];
    const int no_grad = e->no_grad;
    e->no_grad = 0;
    const ebb_status fresh = ebb__stale(t) ? ebb__refresh(t) : EBB_OK;
    e->no_grad = no_grad;
    if (fresh != EBB_OK) return NULL;
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

static ebb_status begin(ebb__walk *w, const char *who) {
    ebb *e = w->e;
    if (e->in_backward)
        return ebb_fail(e, EBB_E_GRAPH,
                        "%s: a backward is running already (called from a hook, a rule or a probe)", who);
    if (w->flags & EBB_CREATE_GRAPH) w->flags |= EBB_RETAIN;
    e->in_backward = true;
    e->keeps_graph = w->flags & EBB_CREATE_GRAPH;
    e->backward_scope = e->scope;
    return EBB_OK;
}

static ebb_status mark_event(ebb *e, int kind, ebb_tensor *t) {
    if (!ebb__listening(e, kind)) return EBB_OK;
    ebb_event ev = {.size = sizeof ev, .kind = kind, .n_y = 1, .y = &t, .region = e->regions[e->region], .node = -1};
    return ebb__raise(e, &ev);
}

ebb_status ebb_backward_with(ebb_tensor *t, ebb_tensor *seed, int flags) {
    if (!t) return EBB_E_ARG;
    ebb *e = t_session(t);
    if (e->code != EBB_OK) return e->code;
    ebb__walk w = {.e = e, .flags = flags};
    const size_t mark = e->n_owned;
    ebb_status r = begin(&w, "backward");
    if (r != EBB_OK) return r;
    const int no_grad = e->no_grad;
    e->no_grad = (w.flags & EBB_CREATE_GRAPH) ? 0 : no_grad + 1;
    seed = seed_for(e, t, seed, "backward");
    r = seed ? mark_event(e, EBB_EV_BACKWARD_BEGIN, t) : e->code;
    if (r == EBB_OK) r = ebb__walk_give(&w, ebb__edge_of(t), seed);
    if (r == EBB_OK && t->node) r = ebb__walk_go(&w, t->node - 1, 0, 0, NULL, NULL);
    r = ebb__walk_finish(&w, r);
    const ebb_status end = mark_event(e, EBB_EV_BACKWARD_END, t);
    if (r == EBB_OK) r = end;
    e->no_grad = no_grad;
    e->in_backward = false;
    if (e->n_hooks) ebb__hooks_sweep(e);
    if (!(w.flags & EBB_CREATE_GRAPH)) ebb__owned_cut(e, mark);
    return r;
}

ebb_status ebb_backward(ebb_tensor *loss) { return ebb_backward_with(loss, NULL, 0); }

static ebb_status wanted_ok(ebb *e, int n_wrt, ebb_tensor *const *wrt) {
    for (int i = 0; i < n_wrt; i++) {
        char a[200];
        if (!wrt[i] || t_session(wrt[i]) != e)
            return ebb_fail(e, EBB_E_ARG,
                            wrt[i] ? "ebb_grad: wrt %d belongs to another session" : "ebb_grad: wrt %d is NULL",
                            i);
        if (wrt[i]->dtype != EBB_F32 && wrt[i]->dtype != EBB_F64)
            return ebb_fail(e, EBB_E_GRAPH,
                            "ebb_grad: wrt %d, %s, is of an integer type; gradients flow through f32 and f64 only",
                            i, ebb_describe(wrt[i], a, sizeof a));
        if (wrt[i]->node && !ebb__node_live(wrt[i]))
            return ebb_fail(e, EBB_E_GRAPH, "ebb_grad: the graph of wrt %d, %s, was freed when its scope ended",
                            i, ebb_describe(wrt[i], a, sizeof a));
        if (!ebb__needs(wrt[i]))
            return ebb_fail(e, EBB_E_GRAPH,
                            "ebb_grad: wrt %d, %s, does not need a gradient; mark it with ebb_requires_grad before it is used",
                            i, ebb_describe(wrt[i], a, sizeof a));
    }
    return EBB_OK;
}

static ebb_status grad(ebb__walk *w, int n_out, ebb_tensor *const *out, ebb_tensor *const *seeds, int n_wrt,
                       ebb_tensor *const *wrt, ebb_tensor **grads) {
    ebb *e = w->e;
    ebb_status r = wanted_ok(e, n_wrt, wrt);
    size_t top = 0;
    for (int i = 0; i < n_out && r == EBB_OK; i++) {
        const bool ours = out[i] && t_session(out[i]) == e;
        ebb_tensor *seed = ours ? seed_for(e, out[i], seeds ? seeds[i] : NULL, "ebb_grad") : NULL;
        if (!ours)
            ebb_fail(e, EBB_E_ARG,
                     out[i] ? "ebb_grad: output %d belongs to another session" : "ebb_grad: output %d is NULL", i);
        r = seed ? ebb__walk_give(w, ebb__edge_of(out[i]), seed) : e->code;
        if (r == EBB_OK && out[i]->node > top) top = out[i]->node;
    }
    if (r != EBB_OK) { /* outputs that were seeded before the bad one */
        ebb__walk_drop(w, top);
        return r;
    }
    for (int i = 0; i < n_wrt; i++) {
        if (wrt[i]->flags & T_REQUIRES) wrt[i]->flags |= T_WANTED;
        ebb__node *n = ebb__node_live(wrt[i]);
        if (n && wrt[i]->node <= top) n->flags |= N_NEEDED;
    }
    ebb__walk_mark(e, 0, top);
    /* a wanted output that is itself seeded is found when its node is passed */
    if (top) r = ebb__walk_go(w, top - 1, 0, n_wrt, wrt, grads);
    for (size_t k = 0; k < top; k++) e->tape->node[k]->flags &= (uint8_t)~N_NEEDED;
    for (size_t k = 0; k < w->n_leaves && r == EBB_OK; k++)
        if ((w->leaves[k]->flags & T_WANTED) && w->leaves[k]->ext->hooks)
            r = ebb__hooks_run(e, w->leaves[k], NULL, 0, &w->leaves[k]->ext->pending);
    for (int i = 0; i < n_wrt; i++)
        if (r == EBB_OK && (wrt[i]->flags & T_REQUIRES) && wrt[i]->ext && !grads[i])
            grads[i] = t_hold(wrt[i]->ext->pending);
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
    ebb__walk w = {.e = e, .flags = flags, .pruned = true};
    const size_t mark = e->n_owned;
    ebb_status r = begin(&w, "ebb_grad");
    if (r != EBB_OK) return r;
    const int no_grad = e->no_grad;
    e->no_grad = (w.flags & EBB_CREATE_GRAPH) ? 0 : no_grad + 1;
    r = grad(&w, n_out, out, seeds, n_wrt, wrt, grads);
    r = ebb__walk_finish(&w, r);
    e->no_grad = no_grad;
    e->in_backward = false;
    if (e->n_hooks) ebb__hooks_sweep(e);
    if (!(w.flags & EBB_CREATE_GRAPH)) ebb__owned_cut(e, mark);
    for (int i = 0; i < n_wrt; i++) {
        if (r != EBB_OK) {
            ebb__drop(grads[i]);
            grads[i] = NULL;
        } else if (grads[i] && !ebb__own(e, grads[i])) {
            grads[i] = NULL;
            r = e->code;
        }
    }
    return r;
}
