/* optim.c - floor 4: optimizers and gradient functions: the engine's part of them (attributes, state, threads). */
#include "call.h"
#include "parallel.h"
#include "plugins.h"
#include "probes.h"

enum { PART = 16384 }; /* elements of a task; fixed, so that who runs it does not matter */

typedef struct slot {
    ebb_tensor *p; /* retained */
    int64_t step;
    char *state; /* n_state arrays of numel */
} slot;

struct ebb_optim {
    ebb *e;
    ebb_optim *next;
    const ebb_optim_decl *decl;
    void *attrs;
    int n_state;
    slot *slots;
    size_t n, cap;
};

static size_t state_bytes(const ebb_optim *o, const slot *s) {
    return (size_t)o->n_state * (((size_t)s->p->numel * ebb__dsize[s->p->dtype] + 63) & ~(size_t)63);
}

void ebb_optim_free(ebb_optim *o) {
    if (!o) return;
    ebb *e = o->e;
    for (ebb_optim **at = &e->optims; *at; at = &(*at)->next)
        if (*at == o) {
            *at = o->next;
            break;
        }
    for (size_t i = 0; i < o->n; i++) {
        if (o->slots[i].state) ebb__put(e, o->slots[i].state, state_bytes(o, &o->slots[i]));
        ebb__drop(o->slots[i].p);
    }
    ebb__put(e, o->slots, o->cap * sizeof *o->slots);
    ebb__put(e, o->attrs, o->decl->attrs_size ? o->decl->attrs_size : 1);
    ebb__put(e, o, sizeof *o);
}

static ebb_status add_param(ebb_optim *o, ebb_tensor *p, size_t i) {
    ebb *e = o->e;
    char s[200];
    if (!p) return ebb_fail(e, EBB_E_ARG, "%s: parameter %zu is NULL", o->decl->name, i);
    if (t_session(p) != e || !(p->flags & T_REQUIRES))
        return ebb_fail(e, EBB_E_ARG, "%s: parameter %zu, %s, is not a leaf of this session that needs a gradient",
                        o->decl->name, i, ebb_describe(p, s, sizeof s));
    if (p->flags & T_READONLY)
        return ebb_fail(e, EBB_E_CHANGED,
                        "%s: parameter %zu, %s, is shared with another session and only to be read",
                        o->decl->name, i, ebb_describe(p, s, sizeof s));
    if (!(p->flags & T_CONTIG))
        return ebb_fail(e, EBB_E_ARG, "%s: parameter %zu, %s, is not contiguous", o->decl->name, i,
                        ebb_describe(p, s, sizeof s));
    for (size_t k = 0; k < o->n; k++)
        if (o->slots[k].p == p)
            return ebb_fail(e, EBB_E_ARG, "%s: parameter %zu, %s, is given twice", o->decl->name, i,
                            ebb_describe(p, s, sizeof s));
    bool known = false;
    for (const ebb_update_kernel *k = o->decl->update; k->dtype; k++) known = known || k->dtype == p->dtype;
    if (!known)
        return ebb_fail(e, EBB_E_DTYPE, "%s has no update for %s", o->decl->name, ebb_describe(p, s, sizeof s));
    if (!ebb__grow(e, &o->slots, &o->cap, o->n, 1, sizeof *o->slots)) return e->code;
    slot *new = &o->slots[o->n++];
    *new = (slot){.p = t_hold(p)};
    if (o->n_state && !(new->state = (char *)ebb__get0(e, state_bytes(o, new)))) return e->code;
    return EBB_OK;
}

ebb_optim *ebb_optim_over(ebb *e, const char *name, const char *attrs, size_t n, ebb_tensor *const *params) {
    if (!e || e->code != EBB_OK) return NULL;
    const ebb_optim_decl *d = name ? EBB__DECL(e, optims, ebb_optim_decl, name) : NULL;
    if (!d) {
        const char *near = name ? ebb__decl_nearest(e, offsetof(ebb_plugin, optims), name) : NULL;
        ebb_fail(e, EBB_E_NAME, near ? "no optimizer is called %s; did you mean %s?" : "no optimizer is called %s",
                 name ? name : "NULL", near);
        return NULL;
    }
    if (!n || !params)
        return ebb_fail(e, EBB_E_ARG, "%s: there are no parameters; make them with ebb_param first", name), NULL;
    ebb_optim *o = (ebb_optim *)ebb__get0(e, sizeof *o);
    if (!o) return NULL;
    o->e = e;
    o->decl = d;
    o->next = e->optims;
    e->optims = o;
    o->attrs = ebb__get0(e, d->attrs_size ? d->attrs_size : 1);
    if (o->attrs && ebb__attrs_defaults(e, name, d->attrs, d->n_attrs, o->attrs) == EBB_OK &&
        ebb__attrs_parse(e, name, d->attrs, d->n_attrs, attrs, o->attrs) == EBB_OK) {
        const char *words = d->refuse ? d->refuse(o->attrs) : NULL;
        if (words) ebb_fail(e, EBB_E_ATTR, "%s: %s", name, words);
        o->n_state = d->n_state ? d->n_state(o->attrs) : 0;
        if (o->n_state < 0 || o->n_state > 4)
            ebb_fail(e, EBB_E_PLUGIN, "%s wants %d arrays of state; 0 to 4 are possible", name, o->n_state);
        for (size_t i = 0; i < n && e->code == EBB_OK; i++) add_param(o, params[i], i);
    }
    if (e->code == EBB_OK) return o;
    ebb_optim_free(o);
    return NULL;
}

ebb_optim *ebb_optim_new(ebb *e, const char *name, const char *attrs) {
    return e ? ebb_optim_over(e, name, attrs, e->n_params, e->params) : NULL;
}

ebb_status ebb_optim_set(ebb_optim *o, const char *attrs) {
    if (!o) return EBB_E_ARG;
    ebb *e = o->e;
    if (e->code != EBB_OK) return e->code;
    const size_t size = o->decl->attrs_size ? o->decl->attrs_size : 1;
    void *copy = ebb__get(e, size); /* all of the text or nothing */
    if (!copy) return e->code;
    memcpy(copy, o->attrs, size);
    if (ebb__attrs_parse(e, o->decl->name, o->decl->attrs, o->decl->n_attrs, attrs, copy) == EBB_OK) {
        const int n = o->decl->n_state ? o->decl->n_state(copy) : 0;
        const char *words = o->decl->refuse ? o->decl->refuse(copy) : NULL;
        if (words) ebb_fail(e, EBB_E_ATTR, "%s: %s", o->decl->name, words);
        else if (n != o->n_state)
            ebb_fail(e, EBB_E_ATTR, "%s: %s would need other state (%d arrays, not %d); make a new optimizer",
                     o->decl->name, attrs, n, o->n_state);
        else memcpy(o->attrs, copy, size);
    }
    ebb__put(e, copy, size);
    return e->code;
}

typedef struct update_job {
    const ebb_optim *o;
    const slot *s;
    const ebb_tensor *g;
    ebb_update_fn fn;
    const double *consts;
    ebb_status failed;
} update_job;

static void update_task(void *ctx, int64_t task, int thread) {
    update_job *j = (update_job *)ctx;
    const int64_t from = task * PART, numel = j->s->p->numel, size = ebb__dsize[j->s->p->dtype];
    const int64_t bytes = (numel * size + 63) & ~(int64_t)63;
    ebb_update u = {.size = sizeof u,
                    .n = numel - from < PART ? numel - from : PART,
                    .p = (char *)j->s->p->data + from * size,
                    .g = (const char *)j->g->data + from * size,
                    .step = j->s->step,
                    .attrs = j->o->attrs,
                    .consts = j->consts};
    for (int k = 0; k < j->o->n_state; k++) u.state[k] = j->s->state + k * bytes + from * size;
    const ebb_status r = j->fn(&u);
    (void)thread;
    if (r != EBB_OK) __atomic_store_n(&j->failed, r, __ATOMIC_RELAXED);
}

static ebb_status step_one(ebb_optim *o, slot *s, ebb_tensor *g) {
    ebb *e = o->e;
    double consts[8] = {0};
    s->step++;
    if (o->decl->prepare) o->decl->prepare(o->attrs, s->step, consts);
    update_job j = {.o = o, .s = s, .g = g, .consts = consts};
    for (const ebb_update_kernel *k = o->decl->update; k->dtype; k++)
        if (k->dtype == s->p->dtype) {
            int level = e->level;
            while (level && !k->fn[level]) level--;
            j.fn = k->fn[level];
        }
    ebb__parallel(s->p->numel >= e->grain ? e->threads : 1, (s->p->numel + PART - 1) / PART, update_task, &j);
    ebb__touch(s->p, NULL);
    if (j.failed != EBB_OK)
        return ebb_fail(e, EBB_E_KERNEL, "%s: its update returned an error (%s)", o->decl->name,
                        ebb_status_name(j.failed));
    return EBB_OK;
}

ebb_status ebb_optim_step(ebb_optim *o) {
    if (!o) return EBB_E_ARG;
    ebb *e = o->e;
    for (size_t i = 0; i < o->n && e->code == EBB_OK; i++) {
        ebb_tensor *g = ebb_grad_of(o->slots[i].p);
        if (!g) continue;
        const size_t mark = e->n_owned;
        e->no_grad++;
        e->hidden++;
        if (!(g->flags & T_CONTIG)) g = ebb__contiguous(g);
        if (g) step_one(o, &o->slots[i], g);
        e->hidden--;
        e->no_grad--;
        ebb__owned_cut(e, mark);
    }
    if (e->code == EBB_OK && ebb__listening(e, EBB_EV_STEP)) {
        ebb_event ev = {.size = sizeof ev, .kind = EBB_EV_STEP, .region = "", .node = -1};
        ebb__raise(e, &ev);
    }
    return e->code;
}

ebb_status ebb_zero_grad(ebb_optim *o) {
    if (!o) return EBB_E_ARG;
    for (size_t i = 0; i < o->n; i++) ebb_grad_set(o->slots[i].p, NULL);
    return o->e->code;
}

double ebb_grads(ebb *e, const char *name, const char *attrs) {
    if (!e || e->code != EBB_OK) return (double)NAN;
    const ebb_gradfn_decl *d = name ? EBB__DECL(e, gradfns, ebb_gradfn_decl, name) : NULL;
    if (!d) {
        const char *near = name ? ebb__decl_nearest(e, offsetof(ebb_plugin, gradfns), name) : NULL;
        ebb_fail(e, EBB_E_NAME,
                 near ? "no gradient function is called %s; did you mean %s?" : "no gradient function is called %s",
                 name ? name : "NULL", near);
        return (double)NAN;
    }
    const size_t size = d->attrs_size ? d->attrs_size : 1, list = (e->n_params + 1) * sizeof(ebb_tensor *),
                 mark = e->n_owned;
    void *a = ebb__get0(e, size);
    ebb_tensor **p = (ebb_tensor **)ebb__get(e, list);
    double result = 0;
    if (a && p && ebb__attrs_defaults(e, name, d->attrs, d->n_attrs, a) == EBB_OK &&
        ebb__attrs_parse(e, name, d->attrs, d->n_attrs, attrs, a) == EBB_OK) {
        size_t n = 0;
        for (size_t i = 0; i < e->n_params; i++)
            if (ebb_grad_of(e->params[i])) p[n++] = e->params[i];
        e->no_grad++;
        e->hidden++;
        const ebb_status r = d->apply(e, p, n, a, &result);
        e->hidden--;
        e->no_grad--;
        if (r != EBB_OK) ebb_fail(e, r, "%s failed (%s)", name, ebb_status_name(r));
    }
    ebb__put(e, a, size);
    ebb__put(e, p, list);
    ebb__owned_cut(e, mark);
    return e->code == EBB_OK ? result : (double)NAN;
}
