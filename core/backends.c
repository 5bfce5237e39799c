/* backends.c - floor 2: switching backends: their kernels stand before the ops' own where they accept. */
#include "registry.h"
#include <stdio.h>

const char *ebb_backend_name(const ebb *e) { return e ? e->reg->backend : ""; }

static void backends_off(ebb *e) {
    for (size_t i = 0; i < e->reg->n_ops; i++)
        while (e->reg->ops[i]->backends) {
            ebb__backend_entry *b = e->reg->ops[i]->backends;
            e->reg->ops[i]->backends = b->next;
            ebb__put(e, b, sizeof *b);
        }
    e->reg->backend = "portable";
}

static ebb_status backend_on(ebb *e, const ebb_backend_decl *d) {
    for (const ebb_backend_kernel *k = d->kernels; k && k->op; k++) {
        ebb__entry *x = ebb__find(e, k->op, 0);
        if (!x) continue; /* a backend may know ops that this build leaves out */
        ebb__backend_entry *b = (ebb__backend_entry *)ebb__get0(e, sizeof *b), **at = &x->backends;
        if (!b) return e->code;
        b->backend = d;
        b->accepts = k->accepts;
        b->score = k->score;
        ebb__kernels_of(e, k->kernel, b->fn);
        while (*at && (*at)->score >= b->score) at = &(*at)->next;
        b->next = *at;
        *at = b;
    }
    e->reg->backend = d->name;
    return EBB_OK;
}

ebb_status ebb_backend_use(ebb *e, const char *name) {
    if (!e || e->code != EBB_OK) return e ? e->code : EBB_E_ARG;
    if (!name)
        return ebb_fail(e, EBB_E_ARG, "ebb_backend_use: name is NULL; \"portable\", \"auto\" or a backend");
    if (!strcmp(name, "portable")) return backends_off(e), EBB_OK;
    const bool automatic = !strcmp(name, "auto");
    if (automatic) name = "onednn";
    const ebb_backend_decl *d = EBB__DECL(e, backends, ebb_backend_decl, name);
    if (!d && ebb__identifier(name) && *ebb_plugin_dir()) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s.so", ebb_plugin_dir(), name);
        if (ebb_plugin_load(e, path, NULL)) d = EBB__DECL(e, backends, ebb_backend_decl, name);
        if (!d && automatic) ebb_error_clear(e);
    }
    if (d || automatic) backends_off(e);
    if (d) return backend_on(e, d);
    if (automatic) return EBB_OK;
    if (e->code == EBB_OK) ebb_fail(e, EBB_E_NAME, "no backend is called %s", name);
    else ebb__context(e, "backend %s: ", name);
    return e->code;
}
