/* declarations.c - floor 2: what must be right in the declarations of optimizers, probes, backends ... before they are registered. */
#include "registry.h"
#include <stdio.h>

static ebb_status attrs_ok(ebb *e, const char *who, const ebb_attr *table, size_t n, size_t size) {
    if (n && !table) return ebb_fail(e, EBB_E_PLUGIN, "%s: it counts %zu attributes but lists none", who, n);
    for (size_t i = 0; i < n; i++) {
        const size_t field = ebb__attr_size(table[i].type);
        if (!field || !table[i].name || table[i].offset + field > size)
            return ebb_fail(e, EBB_E_PLUGIN, "%s: attribute %zu has no type or lies outside its struct", who, i);
    }
    void *trial = ebb__get0(e, size ? size : 1);
    if (!trial) return e->code;
    const ebb_status r = ebb__attrs_defaults(e, who, table, n, trial);
    if (r == EBB_E_ATTR) e->code = EBB_E_PLUGIN;
    ebb__put(e, trial, size ? size : 1);
    return e->code;
}

/* Its size, a name that is new among its kind, and what it cannot do without. */
static ebb_status decl_ok(ebb *e, size_t list, const char *kind, const void *decl, size_t least,
                          bool complete, char *who, size_t who_n) {
    uint32_t size;
    memcpy(&size, decl, sizeof size);
    const char *name = size < least ? NULL : ebb__decl_name(decl);
    if (!ebb__identifier(name))
        return ebb_fail(e, EBB_E_PLUGIN,
                        "a declaration of a %s is too short (%u bytes) or has no name that is an identifier",
                        kind, size);
    snprintf(who, who_n, "%s %s", kind, name);
    if (!complete) return ebb_fail(e, EBB_E_PLUGIN, "%s: a function or list that it needs is NULL", who);
    const void *d;
    size_t same = 0;
    for (size_t i = 0; (d = ebb__decl_at(e, list, i)); i++) same += !strcmp(ebb__decl_name(d), name);
    return same > 1 ? ebb_fail(e, EBB_E_PLUGIN, "%s exists already", who) : EBB_OK;
}

/* The plugin is in the list already, so that names which come twice are seen. */
ebb_status ebb__others_ok(ebb *e, const ebb_plugin *p) {
    char who[120];
#define EBB__EACH(field, type, kind, complete)                                                               \
    for (const type *const *d = p->field; d && *d && e->code == EBB_OK; d++)                                 \
        if (decl_ok(e, offsetof(ebb_plugin, field), kind, *d, sizeof **d, complete, who, sizeof who) == EBB_OK)
    EBB__EACH(backends, ebb_backend_decl, "backend", (*d)->kernels) continue;
    EBB__EACH(optims, ebb_optim_decl, "optimizer", (*d)->update && (*d)->update->dtype)
    attrs_ok(e, who, (*d)->attrs, (*d)->n_attrs, (*d)->attrs_size);
    EBB__EACH(gradfns, ebb_gradfn_decl, "gradient function", (*d)->apply)
    attrs_ok(e, who, (*d)->attrs, (*d)->n_attrs, (*d)->attrs_size);
    EBB__EACH(probes, ebb_probe_decl, "probe", (*d)->on)
    attrs_ok(e, who, (*d)->attrs, (*d)->n_attrs, (*d)->attrs_size);
    EBB__EACH(formats, ebb_format_decl, "format", (*d)->save && (*d)->load && (*d)->ext) continue;
    EBB__EACH(verifiers, ebb_verifier_decl, "verifier", (*d)->verify) continue;
#undef EBB__EACH
    return e->code;
}

/* Fields that an older, shorter entry lacks read as NULL. The copy belongs to this session. */
const ebb_plugin *ebb__whole_entry(ebb *e, const ebb_plugin *p) {
    if (p->size >= sizeof *p) return p;
    ebb_plugin *copy = (ebb_plugin *)ebb__get0(e, sizeof *copy);
    if (copy) memcpy(copy, p, p->size);
    return copy;
}
