/* hooks.c - floor 4: gradient hooks: added, run, removed.
 *
 * A hook that is removed while a backward runs (by itself, say) is only marked; the list is put in order afterwards. A hook on
 * the output of a node goes with the node. */
#include "grad.h"
#include "probes.h"

/* Either function is NULL. */
static int64_t add(ebb_tensor *t, const char *who, ebb_grad_hook fn, ebb_accumulated_hook after, void *user) {
    if (!t) return 0;
    ebb *e = t_session(t);
    char s[200];
    if (e->code != EBB_OK) return 0;
    if (!fn && !after) {
        ebb_fail(e, EBB_E_ARG, "%s: the function for %s is NULL", who, ebb_describe(t, s, sizeof s));
        return 0;
    }
    if (!ebb_needs_grad(t) || (after && !(t->flags & T_REQUIRES))) {
        ebb_fail(e, EBB_E_GRAPH,
                 after ? "%s: %s is no leaf that needs a gradient: nothing is added to its .grad"
                       : "%s: %s needs no gradient, so the hook would never run",
                 who, ebb_describe(t, s, sizeof s));
        return 0;
    }
    if (ebb__refresh(t) != EBB_OK) return 0;
    ebb__ext *x = ebb__ext_of(t);
    if (!x || !ebb__grow(e, &e->hooks, &e->cap_hooks, e->n_hooks, 1, sizeof *e->hooks)) return 0;
    ebb__node *n = ebb__node_live(t);
    if (n) n->flags |= N_HOOKED;
    x->hooks++;
    e->hooks[e->n_hooks++] = (ebb__hook){e->next_hook, t_hold(t), fn, after, user};
    return e->next_hook++;
}

int64_t ebb_hook_add(ebb_tensor *t, ebb_grad_hook fn, void *user) {
    return add(t, "ebb_hook_add", fn, NULL, user);
}
int64_t ebb_hook_accumulated(ebb_tensor *leaf, ebb_accumulated_hook fn, void *user) {
    return add(leaf, "ebb_hook_accumulated", NULL, fn, user);
}

static bool alive(const ebb__hook *h) { return h->fn || h->after; }

static void forget(ebb__hook *h) {
    h->fn = NULL;
    h->after = NULL;
    h->t->ext->hooks--;
}

void ebb__hooks_sweep(ebb *e) {
    size_t keep = 0;
    for (size_t i = 0; i < e->n_hooks; i++) {
        ebb__hook *h = &e->hooks[i];
        if (alive(h) && h->t->node && !ebb__node_live(h->t)) forget(h);
        if (alive(h)) e->hooks[keep++] = *h;
        else ebb__drop(h->t);
    }
    e->n_hooks = keep;
}

void ebb_hook_remove(ebb *e, int64_t handle) {
    for (size_t i = 0; e && i < e->n_hooks; i++)
        if (e->hooks[i].id == handle && alive(&e->hooks[i])) forget(&e->hooks[i]);
    if (e) ebb__watch_remove(e, handle);
    if (e && !e->in_backward) ebb__hooks_sweep(e);
}

ebb_status ebb__hooks_after(ebb *e, ebb_tensor *leaf) {
    for (size_t i = 0; i < e->n_hooks; i++) {
        const ebb__hook h = e->hooks[i];
        if (h.t != leaf || !h.after) continue;
        const ebb_status r = h.after(leaf, h.user);
        if (e->code != EBB_OK) return e->code;
        if (r != EBB_OK) {
            char s[200];
            return ebb_fail(e, r, "a hook of %s stopped (%s)", ebb_describe(leaf, s, sizeof s),
                            ebb_status_name(r));
        }
    }
    return EBB_OK;
}

ebb_status ebb__hooks_run(ebb *e, const ebb_tensor *leaf, const ebb__node *n, int out, ebb_tensor **g) {
    for (size_t i = 0; i < e->n_hooks; i++) {
        const ebb__hook h = e->hooks[i];
        if (!h.fn || (leaf ? h.t != leaf : !(h.t->out == out && ebb__node_live(h.t) == n))) continue;
        ebb_tensor *r = h.fn(h.t, *g, h.user);
        if (e->code != EBB_OK) return e->code;
        if (!r || r == *g) continue;
        char a[200], b[200];
        if (t_session(r) != e)
            return ebb_fail(e, EBB_E_ARG, "a gradient hook of %s returned a tensor of another session",
                            ebb_describe(h.t, a, sizeof a));
        if (r->ndim != (*g)->ndim || r->dtype != (*g)->dtype || memcmp(t_shape(r), t_shape(*g), 8 * (size_t)r->ndim))
            return ebb_fail(e, EBB_E_SHAPE, "a gradient hook of %s returned %s",
                            ebb_describe(h.t, a, sizeof a), ebb_describe(r, b, sizeof b));
        t_hold(r);
        ebb__drop(*g);
        *g = r;
    }
    return EBB_OK;
}
