/* probes.c - floor 4: switching probes on and off, and telling them what happens. */
#include "probes.h"
#include "plugins.h"

static void probe_free(ebb *e, ebb__probe *p) {
    ebb__put(e, p->attrs, p->decl->attrs_size ? p->decl->attrs_size : 1);
    ebb__put(e, p->state, p->decl->state_size ? p->decl->state_size : 1);
    ebb__put(e, p, sizeof *p);
}

static void watch_free(ebb *e, ebb__watch *w) {
    ebb__strfree(e, w->op);
    ebb__strfree(e, w->region);
    ebb__put(e, w, sizeof *w);
}

/* What is listened to; the list itself goes when it is empty. */
static void recount(ebb *e) {
    e->probes->events = 0;
    for (const ebb__probe *p = e->probes->first; p; p = p->next) e->probes->events |= p->decl->events;
    for (const ebb__watch *w = e->probes->watches; w; w = w->next) e->probes->events |= 1u << w->kind;
    if (e->probes->first || e->probes->watches) return;
    ebb__put(e, e->probes, sizeof *e->probes);
    e->probes = NULL;
}

/* Frees the probes that were switched off; not while an event is being raised. */
static void sweep(ebb *e) {
    if (!e->probes || e->probes->busy) return;
    for (ebb__probe **at = &e->probes->first; *at;) {
        ebb__probe *p = *at;
        if (!p->dead) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        probe_free(e, p);
    }
    for (ebb__watch **at = &e->probes->watches; *at;) {
        ebb__watch *w = *at;
        if (!w->dead) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        watch_free(e, w);
    }
    recount(e);
}

/* The op is the one that is watched, in the region or inside it. */
static bool concerns(const ebb__watch *w, const ebb_event *ev) {
    if (w->dead || w->kind != ev->kind || (w->op && (!ev->op || strcmp(w->op, ev->op->name) != 0)))
        return false;
    const size_t n = w->region ? strlen(w->region) : 0;
    return !n || (!strncmp(ev->region, w->region, n) && (!ev->region[n] || ev->region[n] == '/'));
}

ebb_status ebb__raise(ebb *e, ebb_event *ev) {
    e->probes->busy = true;
    ebb_status r = EBB_OK;
    for (ebb__watch *w = e->probes->watches; w && r == EBB_OK; w = w->next) {
        if (!concerns(w, ev)) continue;
        r = w->fn(e, ev, w->user);
        if (r != EBB_OK)
            ebb_fail(e, r, "a hook stopped at %s (%s)", ev->op ? ev->op->name : "an event", ebb_status_name(r));
        else r = e->code;
    }
    for (ebb__probe *p = e->probes->first; p && r == EBB_OK; p = p->next) {
        if (p->dead || !(p->decl->events >> ev->kind & 1)) continue;
        r = p->decl->on(e, ev, p->attrs, p->state);
        if (r != EBB_OK)
            ebb_fail(e, r, "probe %s stopped at %s", p->decl->name, ev->op ? ev->op->name : "an event");
        else r = e->code;
    }
    e->probes->busy = false;
    sweep(e);
    return r;
}

ebb_status ebb_probe_on(ebb *e, const char *name, const char *attrs) {
    if (!e || e->code != EBB_OK) return e ? e->code : EBB_E_ARG;
    const ebb_probe_decl *d = name ? EBB__DECL(e, probes, ebb_probe_decl, name) : NULL;
    if (!d) {
        const char *near = name ? ebb__decl_nearest(e, offsetof(ebb_plugin, probes), name) : NULL;
        return ebb_fail(e, EBB_E_NAME, near ? "no probe is called %s; did you mean %s?" : "no probe is called %s",
                        name ? name : "NULL", near);
    }
    for (ebb__probe *p = e->probes ? e->probes->first : NULL; p; p = p->next)
        if (p->decl == d && !p->dead) return ebb_fail(e, EBB_E_ARG, "probe %s is on already", name);
    if (!e->probes && !(e->probes = (ebb__probes *)ebb__get0(e, sizeof *e->probes))) return e->code;
    ebb__probe *p = (ebb__probe *)ebb__get0(e, sizeof *p);
    if (p) {
        p->decl = d;
        p->attrs = ebb__get0(e, d->attrs_size ? d->attrs_size : 1);
        p->state = p->attrs ? ebb__get0(e, d->state_size ? d->state_size : 1) : NULL;
        if (p->state && ebb__attrs_defaults(e, name, d->attrs, d->n_attrs, p->attrs) == EBB_OK &&
            ebb__attrs_parse(e, name, d->attrs, d->n_attrs, attrs, p->attrs) == EBB_OK) {
            ebb__probe **at = &e->probes->first;
            while (*at) at = &(*at)->next;
            *at = p;
        } else {
            probe_free(e, p);
        }
    }
    if (!e->probes->busy) recount(e);
    return e->code;
}

ebb_status ebb_probe_off(ebb *e, const char *name) {
    if (!e) return EBB_E_ARG;
    for (ebb__probe *p = e->probes ? e->probes->first : NULL; p; p = p->next) {
        if (!name || p->dead || strcmp(p->decl->name, name)) continue;
        p->dead = true;
        if (p->decl->off) p->decl->off(e, p->state);
        sweep(e);
        return EBB_OK;
    }
    return ebb_fail(e, EBB_E_NAME, "probe %s is not on", name ? name : "NULL");
}

static int64_t watch(ebb *e, const char *who, int kind, const char *op, const char *region, ebb_op_hook fn,
                     void *user) {
    if (!e || e->code != EBB_OK) return 0;
    if (!fn) return ebb_fail(e, EBB_E_ARG, "%s: the function is NULL", who), 0;
    if (op && !ebb_op_find(e, op)) {
        const char *near = ebb_op_nearest(e, op);
        ebb_fail(e, EBB_E_NAME, near ? "%s: no op is called %s; did you mean %s?" : "%s: no op is called %s",
                 who, op, near);
        return 0;
    }
    if (!e->probes && !(e->probes = (ebb__probes *)ebb__get0(e, sizeof *e->probes))) return 0;
    ebb__watch *w = (ebb__watch *)ebb__get0(e, sizeof *w);
    if (w) {
        *w = (ebb__watch){.id = e->next_hook, .kind = kind, .fn = fn, .user = user};
        w->op = op ? ebb__strdup(e, op) : NULL;
        w->region = region ? ebb__strdup(e, region) : NULL;
        if ((op && !w->op) || (region && !w->region)) {
            watch_free(e, w);
            w = NULL;
        }
    }
    if (w) {
        ebb__watch **at = &e->probes->watches;
        while (*at) at = &(*at)->next;
        *at = w;
    }
    if (!e->probes->busy) recount(e);
    else if (w) e->probes->events |= 1u << kind;
    return w ? e->next_hook++ : 0;
}

int64_t ebb_hook_forward(ebb *e, const char *op, const char *region, ebb_op_hook fn, void *user) {
    return watch(e, "ebb_hook_forward", EBB_EV_OP, op, region, fn, user);
}
int64_t ebb_hook_backward(ebb *e, const char *op, const char *region, ebb_op_hook fn, void *user) {
    return watch(e, "ebb_hook_backward", EBB_EV_RULE, op, region, fn, user);
}

int64_t ebb_hook_event(ebb *e, ebb_event_kind kind, ebb_op_hook fn, void *user) {
    if (e && e->code == EBB_OK && (kind < EBB_EV_OP || kind > EBB_EV_STEP))
        ebb_fail(e, EBB_E_ARG, "ebb_hook_event: no kind of event has the number %d", (int)kind);
    return watch(e, "ebb_hook_event", (int)kind, NULL, NULL, fn, user);
}

void ebb__watch_remove(ebb *e, int64_t handle) {
    for (ebb__watch *w = e->probes ? e->probes->watches : NULL; w; w = w->next)
        if (w->id == handle) w->dead = true;
    sweep(e);
}

void ebb__probes_off(ebb *e) {
    for (ebb__watch *w = e->probes ? e->probes->watches : NULL; w; w = w->next) w->dead = true;
    sweep(e);
    while (e->probes) ebb_probe_off(e, e->probes->first->decl->name);
}
