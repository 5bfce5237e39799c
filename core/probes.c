/* probes.c - floor 4: switching probes on and off, and telling them what happens. */
#include "probes.h"
#include "plugins.h"

static void probe_free(ebb *e, ebb__probe *p) {
    ebb__put(e, p->attrs, p->decl->attrs_size ? p->decl->attrs_size : 1);
    ebb__put(e, p->state, p->decl->state_size ? p->decl->state_size : 1);
    ebb__put(e, p, sizeof *p);
}

/* What is listened to; the list itself goes when it is empty. */
static void recount(ebb *e) {
    e->probes->events = 0;
    for (const ebb__probe *p = e->probes->first; p; p = p->next) e->probes->events |= p->decl->events;
    if (e->probes->first) return;
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
    recount(e);
}

ebb_status ebb__raise(ebb *e, ebb_event *ev) {
    e->probes->busy = true;
    ebb_status r = EBB_OK;
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

void ebb__probes_off(ebb *e) {
    while (e->probes) ebb_probe_off(e, e->probes->first->decl->name);
}
