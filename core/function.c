/* function.c - floor 4: functions of the user's in the graph: checkpointed regions, and functions with a derivative of their own.
 *
 * Each is one node. A checkpointed region runs once with recording on, to find what it depends on; then its records are cut off
 * the tape and one node takes their place. In backward it runs again, above the nodes that still wait, and an inner walk over what it
 * has recorded hands the cotangents on to the outer one. */
#include "grad.h"
#include "registry.h"
#include <stdio.h>

typedef struct region { /* the attributes of a checkpoint node */
    ebb_fn fn;
    void *user;
    uint64_t seed, draws;
    int32_t n_x;
} region;

struct ebb_function {
    ebb_function *next;
    ebb *e;
    ebb_fn forward;
    ebb_fn_vjp vjp;
    void *user;
    ebb_op op;
    ebb__entry entry;
    char name[64];
};

/* Inputs of a call: of this session, and not NULL. */
static ebb_status inputs_ok(ebb *e, const char *who, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    if (n_x < 0 || n_x > 32 || n_y < 1 || n_y > 8 || (n_x && !x) || !y)
        return ebb_fail(e, EBB_E_ARG, "%s: %d inputs and %d outputs; 0 to 32 and 1 to 8 are possible", who,
                        n_x, n_y);
    for (int i = 0; i < n_x; i++) {
        if (!x[i] || t_session(x[i]) != e)
            return ebb_fail(e, EBB_E_ARG, "%s: input %d is NULL or belongs to another session", who, i);
        if (ebb__stale(x[i]) && ebb__refresh(x[i]) != EBB_OK) return e->code;
    }
    return EBB_OK;
}

/* Calls fn; what it returns is a status or an error of the session, and its outputs are there. */
static ebb_status run(ebb *e, const char *who, ebb_fn fn, void *user, int n_x, ebb_tensor *const *x, int n_y,
                      ebb_tensor **y) {
    for (int j = 0; j < n_y; j++) y[j] = NULL;
    const ebb_status r = fn(e, user, n_x, x, n_y, y);
    if (e->code != EBB_OK) return e->code;
    if (r != EBB_OK) return ebb_fail(e, r, "%s: the function failed (%s)", who, ebb_status_name(r));
    for (int j = 0; j < n_y; j++)
        if (!y[j] || t_session(y[j]) != e)
            return ebb_fail(e, EBB_E_KERNEL,
                            "%s: the function left output %d NULL, or took it from another session", who, j);
    return EBB_OK;
}

/* Ends what was made since mark, but for the outputs. */
static ebb_status keep_only(ebb *e, size_t mark, int n_y, ebb_tensor **y) {
    bool mine[8], ok = true;
    for (int j = 0; j < n_y; j++)
        if ((mine[j] = ebb__owned_since(e, y[j], mark))) t_hold(y[j]);
    for (int j = 0; j < n_y; j++)
        for (int k = 0; k < j; k++)
            if (mine[j] && y[k] == y[j]) {
                mine[j] = false;
                ebb__drop(y[j]);
            }
    ebb__owned_cut(e, mark);
    for (int j = 0; j < n_y; j++)
        if (mine[j]) ok = ebb__own(e, y[j]) && ok;
    return ok ? EBB_OK : e->code;
}

/* ---- checkpoint ---- */

static ebb_status checkpoint_back(ebb__walk *w, ebb__node *n, size_t index, const ebb_shape *y_shape);

static const ebb_op checkpoint_op = {.size = sizeof(ebb_op),
                                     .name = "checkpoint",
                                     .sig = "()*->()*",
                                     .math = "y = f(x);  backward runs f again",
                                     .doc = "A region whose insides are made again in backward.",
                                     .attrs_size = sizeof(region)};
static const ebb__entry checkpoint_entry = {.op = &checkpoint_op, .variadic = true, .back = checkpoint_back};

typedef struct outside { /* what a region depends on */
    int n;
    ebb__edge edge[EBB__MAX_EDGES];
} outside;

static ebb_status add_edge(ebb *e, outside *o, ebb__edge edge) {
    for (int i = 0; i < o->n; i++)
        if (o->edge[i] == edge) return EBB_OK;
    if (o->n == EBB__MAX_EDGES)
        return ebb_fail(e, EBB_E_ARG,
                        "checkpoint: the region uses more than %d tensors from outside; make it smaller",
                        EBB__MAX_EDGES);
    o->edge[o->n++] = edge;
    return EBB_OK;
}

/* The leaves, and the nodes before `mark`, that the nodes from mark on lead to. */
static ebb_status edges_out(ebb *e, size_t mark, outside *o) {
    o->n = 0;
    for (size_t k = mark; k < e->tape->n; k++) {
        const ebb__node *n = e->tape->node[k];
        for (int i = 0; i < n->n_x; i++) {
            const ebb__edge g = n_edges(n)[i];
            if (g && ((g & 1) || (g >> 8) < mark) && add_edge(e, o, g) != EBB_OK) return e->code;
        }
    }
    return EBB_OK;
}

/* The node in place of everything recorded since mark. */
static ebb_status replace(ebb *e, size_t mark, const region *r, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    outside o;
    if (edges_out(e, mark, &o) != EBB_OK) return e->code;
    ebb_tensor *held[EBB__MAX_EDGES], *saved[EBB__MAX_EDGES + 32];
    uint8_t slot[EBB__MAX_EDGES + 32];
    int n_saved = 0, n_held = 0;
    for (int i = 0; i < r->n_x && x; i++) {
        saved[n_saved] = x[i];
        slot[n_saved++] = (uint8_t)i;
    }
    for (int i = 0; i < o.n; i++)
        if (o.edge[i] & 1) { /* also noticed when it changes */
            held[n_held++] = t_hold((ebb_tensor *)(uintptr_t)(o.edge[i] & ~(ebb__edge)1));
            saved[n_saved] = held[n_held - 1];
            slot[n_saved++] = (uint8_t)(64 + (i < 190 ? i : 190));
        }
    for (int j = 0; j < n_y; j++) { /* one that is not the region's own gets a place in it */
        const bool outer = ebb__needs(y[j]) && (!y[j]->node || y[j]->node <= mark);
        if (!outer) continue;
        ebb_tensor *t = ebb__view(y[j], y[j]->ndim, t_shape(y[j]), t_stride(y[j]), 0);
        if (t) t->flags |= T_ALIAS;
        else break;
        if (add_edge(e, &o, ebb__edge_of(y[j])) == EBB_OK) y[j] = t;
    }
    if (e->code == EBB_OK) {
        ebb__tape_cut(e, mark);
        ebb__record_edges(e, &checkpoint_entry, o.n, o.edge, n_saved < 255 ? n_saved : 255, saved, slot, n_y, y, r);
    }
    for (int i = 0; i < n_held; i++) ebb__drop(held[i]);
    return e->code;
}

ebb_status ebb_checkpoint(ebb *e, ebb_fn fn, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    for (int j = 0; j < n_y && j < 8 && y; j++) y[j] = NULL;
    if (!e || e->code != EBB_OK) return e ? e->code : EBB_E_ARG;
    if (!fn) return ebb_fail(e, EBB_E_ARG, "checkpoint: the function is NULL");
    if (inputs_ok(e, "checkpoint", n_x, x, n_y, y) != EBB_OK) return e->code;
    const size_t tape = e->tape->n, owned = e->n_owned;
    const region r = {fn, user, e->seed, e->draws, n_x};
    ebb_tensor *out[8];
    ebb_scope *scope = e->scope;
    if (run(e, "checkpoint", fn, user, n_x, x, n_y, out) == EBB_OK && e->scope != scope)
        ebb_fail(e, EBB_E_GRAPH, "checkpoint: the function began a scope that it did not end");
    if (e->code == EBB_OK && !e->no_grad && e->tape->n > tape) replace(e, tape, &r, x, n_y, out);
    if (e->code != EBB_OK || keep_only(e, owned, n_y, out) != EBB_OK) return e->code;
    for (int j = 0; j < n_y; j++) y[j] = out[j];
    return EBB_OK;
}

/* Cotangents to what the region made when it ran again, and the walk over that. */
static ebb_status walk_inner(ebb__walk *w, size_t mark, int n_y, ebb_tensor *const *y, ebb_tensor *const *g) {
    ebb *e = w->e;
    const size_t end = e->tape->n;
    if (w->pruned) ebb__walk_mark(e, mark, end);
    ebb_status r = EBB_OK;
    for (int j = 0; j < n_y && r == EBB_OK; j++) {
        const ebb__edge to = ebb__edge_of(y[j]);
        if (g[j] && to && ebb__walk_leads(w, to)) r = ebb__walk_give(w, to, g[j]);
    }
    if (r == EBB_OK && end > mark) r = ebb__walk_go(w, end - 1, mark, 0, NULL, NULL);
    for (size_t k = mark; k < end; k++) e->tape->node[k]->flags &= (uint8_t)~N_NEEDED;
    return r;
}

static ebb_status checkpoint_back(ebb__walk *w, ebb__node *n, size_t index, const ebb_shape *y_shape) {
    (void)index;
    ebb *e = w->e;
    const bool graph = w->flags & EBB_CREATE_GRAPH;
    region r;
    memcpy(&r, n_attrs(n), sizeof r);
    ebb_tensor *x[32] = {NULL}, *y[8], *g[8];
    for (int i = 0; i < n->n_saved; i++)
        if (n_saved(n)[i].slot < 32) x[n_saved(n)[i].slot] = n_saved(n)[i].t;
    const int n_y = n->n_y, no_grad = e->no_grad;
    for (int j = 0; j < n_y; j++) g[j] = t_hold(n_g(n)[j]);
    const size_t tape = e->tape->n, owned = e->n_owned;
    const uint64_t seed = e->seed, draws = e->draws;
    const uint32_t at = e->region;
    e->no_grad = 0;
    e->seed = r.seed;
    e->draws = r.draws;
    e->region = n->region;
    ebb_status s = run(e, "checkpoint", r.fn, r.user, r.n_x, x, n_y, y);
    e->seed = seed;
    e->draws = draws;
    e->no_grad = no_grad;
    for (int j = 0; j < n_y && s == EBB_OK; j++) {
        char a[200], b[200];
        if (y[j]->ndim != y_shape[j].ndim || memcmp(t_shape(y[j]), y_shape[j].dim, 8 * (size_t)y[j]->ndim))
            s = ebb_fail(e, EBB_E_GRAPH,
                         "checkpoint: run again, the function made output %d of shape %s, before it was %s",
                         j, ebb__shape_text(a, sizeof a, y[j]->ndim, t_shape(y[j])),
                         ebb__shape_text(b, sizeof b, y_shape[j].ndim, y_shape[j].dim));
    }
    if (s == EBB_OK) s = walk_inner(w, tape, n_y, y, g);
    if (s != EBB_OK) ebb__context(e, "in a checkpoint: ");
    e->region = at;
    for (int j = 0; j < n_y; j++) ebb__drop(g[j]);
    if (!graph) {
        if (s != EBB_OK) ebb__walk_drop(w, e->tape->n);
        ebb__tape_cut(e, tape);
        ebb__owned_cut(e, owned);
    }
    return s;
}

/* ---- functions with a derivative of their own ---- */

static ebb_status function_back(ebb__walk *w, ebb__node *n, size_t index, const ebb_shape *y_shape) {
    (void)y_shape;
    ebb *e = w->e;
    ebb_function *f;
    memcpy(&f, n_attrs(n), sizeof f);
    ebb_tensor *x[32] = {NULL}, *y[8] = {NULL}, *dx[32] = {NULL};
    for (int i = 0; i < n->n_saved; i++) {
        const ebb__saved *s = &n_saved(n)[i];
        if (s->slot < 32) x[s->slot] = s->t;
        else y[s->slot - 32] = s->t;
    }
    ebb_shape shapes[32 + 8];
    ebb__node_shapes(n, shapes);
    const size_t mark = e->n_owned;
    ebb_status r = f->vjp(e, f->user, n->n_x, x, n->n_y, y, n_g(n), dx);
    if (e->code != EBB_OK) r = e->code;
    else if (r != EBB_OK) ebb_fail(e, r, "its derivative failed (%s)", ebb_status_name(r));
    for (int i = 0; i < n->n_x && r == EBB_OK; i++) {
        if (!dx[i] || !ebb__walk_leads(w, n_edges(n)[i])) continue;
        r = ebb__walk_result(e, n, i, &shapes[i], &dx[i]);
        if (r == EBB_OK) r = ebb__raise_rule(e, n, index, i, x, y, n_g(n), dx[i]);
        if (r == EBB_OK && e->anomaly) r = ebb__anomaly_check(e, n, i, n_g(n), dx[i]);
        if (r == EBB_OK) r = ebb__walk_give(w, n_edges(n)[i], dx[i]);
    }
    if (!(w->flags & EBB_CREATE_GRAPH)) ebb__owned_cut(e, mark);
    if (r != EBB_OK) {
        ebb__context(e, "backward of %s in %s: ", f->name, n->region ? e->regions[n->region] : "the top region");
        if (e->anomaly) ebb__anomaly_words(e, n);
    }
    return r;
}

ebb_function *ebb_function_new(ebb *e, const char *name, ebb_fn forward, ebb_fn_vjp vjp, void *user) {
    static const ebb_vjp_rule any = {(ebb_rule_fn)(void (*)(void))function_back, EBB_X_ALL | (uint64_t)0xff << 32};
    if (!e || e->code != EBB_OK) return NULL;
    if (!ebb__identifier(name) || !forward || !vjp) {
        ebb_fail(e, EBB_E_ARG,
                 "ebb_function_new: a name that is an identifier, a function and its derivative are needed");
        return NULL;
    }
    ebb_function *f = (ebb_function *)ebb__get0(e, sizeof *f);
    if (!f) return NULL;
    snprintf(f->name, sizeof f->name, "%s", name);
    f->next = e->functions;
    f->e = e;
    f->forward = forward;
    f->vjp = vjp;
    f->user = user;
    f->op = (ebb_op){.size = sizeof f->op,
                     .name = f->name,
                     .sig = "()*->()*",
                     .math = "",
                     .doc = "A function of the program's.",
                     .vjp = &any,
                     .n_vjp = 1,
                     .attrs_size = sizeof f};
    f->entry = (ebb__entry){.op = &f->op, .variadic = true, .back = function_back};
    return e->functions = f;
}

ebb_status ebb_function_call(ebb_function *f, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    for (int j = 0; j < n_y && j < 8 && y; j++) y[j] = NULL;
    if (!f) return EBB_E_ARG;
    ebb *e = f->e;
    if (e->code != EBB_OK || inputs_ok(e, f->name, n_x, x, n_y, y) != EBB_OK) return e->code;
    const size_t owned = e->n_owned;
    ebb_tensor *out[8];
    e->no_grad++;
    e->hidden++;
    e->depth++;
    const ebb_status r = run(e, f->name, f->forward, f->user, n_x, x, n_y, out);
    e->depth--;
    e->hidden--;
    e->no_grad--;
    if (r != EBB_OK) {
        ebb__context(e, "%s: ", f->name);
        return r;
    }
    bool grad = false;
    for (int i = 0; i < n_x && !e->no_grad; i++) grad = grad || ebb__needs(x[i]);
    for (int j = 0; j < n_y; j++) /* one that has a place in the graph already, an input perhaps, stands here for itself */
        if (ebb__needs(out[j])) {
            ebb_tensor *t = ebb__view(out[j], out[j]->ndim, t_shape(out[j]), t_stride(out[j]), 0);
            if (!t) return e->code;
            t->flags |= T_ALIAS;
            out[j] = t;
        }
    if (grad && ebb__record(e, &f->entry, n_x, x, n_y, out, &f) != EBB_OK) return e->code;
    if (keep_only(e, owned, n_y, out) != EBB_OK) return e->code;
    if (ebb__raise_op(e, &f->op, n_x, x, n_y, out, NULL, false) != EBB_OK) return e->code;
    for (int j = 0; j < n_y; j++) y[j] = out[j];
    return EBB_OK;
}

/* ---- are they right ---- */

ebb_status ebb_gradcheck(ebb *e, ebb_fn fn, void *user, int n_x, ebb_tensor *const *x, int n_y,
                         const ebb_gradcheck_options *options) {
    if (!e || e->code != EBB_OK) return e ? e->code : EBB_E_ARG;
    const ebb_verifier_decl *v;
    for (size_t i = 0; (v = (const ebb_verifier_decl *)ebb__decl_at(e, offsetof(ebb_plugin, verifiers), i)); i++)
        if (v->size >= offsetof(ebb_verifier_decl, gradcheck) + sizeof v->gradcheck && v->gradcheck) {
            ebb_gradcheck_options o = {.size = sizeof o};
            if (options)
                memcpy(&o, options, options->size && options->size < sizeof o ? options->size : sizeof o);
            return v->gradcheck(e, fn, user, n_x, x, n_y, &o);
        }
    return ebb_fail(e, EBB_E_VERIFY, "ebb_gradcheck: this session has no verifier");
}

static ebb_status call_it(ebb *e, void *f, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    (void)e;
    return ebb_function_call((ebb_function *)f, n_x, x, n_y, y);
}

ebb_status ebb_function_check(ebb_function *f, int n_x, ebb_tensor *const *x, int n_y,
                              const ebb_gradcheck_options *options) {
    return f ? ebb_gradcheck(f->e, call_it, f, n_x, x, n_y, options) : EBB_E_ARG;
}
