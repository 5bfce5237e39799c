/* plugin.c - floor 4: loads a plugin as a transaction: read its entry, check it, verify its ops, then register all or nothing.
 *
 * No code of a plugin runs before its entry has been accepted. Nothing is searched: a path is given. Plugins are never unloaded. */
#include "plugins.h"
#include <stdio.h>
#include <stdlib.h>
#if !defined EBB_NO_DLOPEN
#include <dlfcn.h>
#endif

extern const ebb_plugin *const ebb__builtin[]; /* generated */
#if defined __EMSCRIPTEN__
char *ebb__wasm_missing(const char *path); /* web/imports.js; from malloc */
void ebb__wasm_forget(const char *path);
#endif

#ifndef EBB_PLUGIN_DIR
#define EBB_PLUGIN_DIR ""
#endif

const char *ebb_plugin_dir(void) { return EBB_PLUGIN_DIR; }

ebb_status ebb__load_builtin(ebb *e) {
    for (const ebb_plugin *const *p = ebb__builtin; *p; p++)
        if (ebb__register(e, *p, "built in") != EBB_OK) return e->code;
    return EBB_OK;
}

/* ---- verification ---- */

static ebb_status verify_in(ebb *e, ebb *trial, const ebb_op *op, const ebb_verify_options *opt) {
    const ebb_verifier_decl *v = /* not one that the plugin on trial brings */
        (const ebb_verifier_decl *)ebb__decl_at(e, offsetof(ebb_plugin, verifiers), 0);
    if (!v)
        return ebb_fail(e, EBB_E_VERIFY, "op %s cannot be verified: this build has no verifier", op->name);
    ebb_verify_options o = {.size = sizeof o};
    if (opt) memcpy(&o, opt, opt->size && opt->size < sizeof o ? opt->size : sizeof o);
    return v->verify(trial, op, &o);
}

ebb_status ebb_verify(ebb *e, const char *name, const ebb_verify_options *opt) {
    if (!e || e->code != EBB_OK) return e ? e->code : EBB_E_ARG;
    const ebb__entry *x = ebb__need(e, name, 0);
    if (!x) return e->code;
    ebb *trial = ebb_open_like(e, NULL);
    if (!trial) return ebb_fail(e, EBB_E_MEMORY, "ebb_verify: no memory for a session to verify %s in", name);
    const ebb_status r = verify_in(e, trial, x->op, opt);
    ebb_close(trial);
    return r;
}

/* ---- loading ---- */

/* What can be said of the constant before anything it points to is used. */
static ebb_status entry_ok(ebb *e, const char *path, const ebb_plugin *p) {
    if (memcmp(p->magic, EBB_PLUGIN_MAGIC, sizeof p->magic))
        return ebb_fail(e, EBB_E_PLUGIN, "%s is not an ebb plugin: its entry has the wrong magic", path);
    if (p->abi_major != EBB_ABI_MAJOR)
        return ebb_fail(e, EBB_E_PLUGIN,
                        "%s was built for ABI major %u, this is ABI %u.%u; build it again with this version's headers",
                        path, p->abi_major, EBB_ABI_MAJOR, EBB_ABI_MINOR);
    if (p->pointer_bits != 8 * sizeof(void *))
        return ebb_fail(e, EBB_E_PLUGIN, "%s has pointers of %u bits, this program of %u", path,
                        p->pointer_bits, (unsigned)(8 * sizeof(void *)));
    if (p->size < offsetof(ebb_plugin, backends))
        return ebb_fail(e, EBB_E_PLUGIN, "%s: its entry has size %u, at least %u is needed", path, p->size,
                        (unsigned)offsetof(ebb_plugin, backends));
    if (!p->name || !*p->name) return ebb_fail(e, EBB_E_PLUGIN, "%s: the plugin has no name", path);
    return EBB_OK;
}

#if defined EBB_NO_DLOPEN
static const ebb_plugin *open_file(ebb *e, const char *path) {
    ebb_fail(e, EBB_E_PLUGIN, "%s: this build cannot load plugins (it has no dlopen)", path);
    return NULL;
}
#else
static const ebb_plugin *open_file(ebb *e, const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) {
        ebb_fail(e, EBB_E_IO, "%s: there is no such file, or it cannot be read", path);
        return NULL;
    }
    unsigned char head[4] = {0};
    const size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
#if defined __EMSCRIPTEN__
    const unsigned char want[4] = {0, 'a', 's', 'm'};
    const char *what = "a WebAssembly module (dev plugin builds one)";
#elif defined __APPLE__
    unsigned char want[4];
    memcpy(want, head, 4);
    const char *what = "a shared object";
#else
    const unsigned char want[4] = {0x7f, 'E', 'L', 'F'};
    const char *what = "a shared object (cc -shared -fPIC)";
#endif
    if (n < 4 || memcmp(head, want, 4)) {
        ebb_fail(e, EBB_E_PLUGIN, "%s is not a plugin: it is not %s", path, what);
        return NULL;
    }
#if defined __EMSCRIPTEN__
    char *missing = ebb__wasm_missing(path);
    if (missing) {
        if (missing[0] == '!') ebb_fail(e, EBB_E_PLUGIN, "%s is not an ebb plugin: %s", path, missing + 1);
        else ebb_fail(e, EBB_E_PLUGIN, "%s imports what this program does not have: %s", path, missing);
        free(missing);
        return NULL;
    }
#endif
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!lib) {
        const char *why = dlerror();
        ebb_fail(e, EBB_E_PLUGIN, "%s cannot be loaded: %s", path, why ? why : "unknown reason");
#if defined __EMSCRIPTEN__
        ebb__wasm_forget(path);
#endif
        return NULL;
    }
    const void *entry = dlsym(lib, "ebb_plugin_entry");
    if (!entry) {
        ebb_fail(e, EBB_E_PLUGIN,
                 "%s is not an ebb plugin: it has no ebb_plugin_entry (EBB_PLUGIN writes it)", path);
        dlclose(lib);
    }
    return (const ebb_plugin *)entry;
}
#endif

typedef struct first_failure {
    char text[600];
    const ebb_verify_options *user;
} first_failure;

static void note_failure(void *user, const ebb_check *c) {
    first_failure *f = (first_failure *)user;
    if (!c->passed && !c->skipped && !f->text[0])
        snprintf(f->text, sizeof f->text, "check %s: %s", c->check, c->message);
    if (f->user && f->user->report) f->user->report(f->user->user, c);
}

/* Registers and verifies in a session of its own, so that nothing of a refused plugin ever was in the caller's. */
static ebb_status try_out(ebb *e, const ebb_plugin *p, const char *path, const ebb_verify_options *opt) {
    ebb *trial = ebb_open_like(e, NULL);
    if (!trial) return ebb_fail(e, EBB_E_MEMORY, "%s: no memory for a session to verify it in", path);
    if (ebb__register(trial, p, path) != EBB_OK) {
        ebb_fail(e, trial->code, "%s: %s", path, trial->error);
    } else {
        first_failure f = {.text = "", .user = opt};
        ebb_verify_options o = {.size = sizeof o};
        if (opt) memcpy(&o, opt, opt->size && opt->size < sizeof o ? opt->size : sizeof o);
        o.report = note_failure;
        o.user = &f;
        for (const ebb_op *const *op = p->ops; op && *op; op++)
            if (verify_in(e, trial, *op, &o) != EBB_OK)
                ebb_fail(e, EBB_E_VERIFY, "%s is refused, op %s failed its verification; %s", path,
                         (*op)->name, f.text);
    }
    ebb_close(trial);
    return e->code;
}

const char *ebb_plugin_load(ebb *e, const char *path, const ebb_verify_options *opt) {
    if (!e || e->code != EBB_OK) return NULL;
    if (!path || !strchr(path, '/')) {
        ebb_fail(e, EBB_E_ARG,
                 "ebb_plugin_load: \"%s\" must be a path with a '/', such as ./my_op.so: plugins are not searched for",
                 path ? path : "NULL");
        return NULL;
    }
    return ebb_plugin_add(e, open_file(e, path), path, opt);
}

const char *ebb_plugin_add(ebb *e, const ebb_plugin *p, const char *from, const ebb_verify_options *opt) {
    if (!e || !p || e->code != EBB_OK) return NULL;
    if (!from) from = "memory";
    if (entry_ok(e, from, p) != EBB_OK) return NULL;
    if (try_out(e, p, from, opt) != EBB_OK || ebb__register(e, p, from) != EBB_OK) return NULL;
    return p->name;
}

/* ---- files of parameters ---- */

static const ebb_format_decl *format_of(ebb *e, const char *path) {
    const ebb_format_decl *d;
    const size_t n = path ? strlen(path) : 0;
    for (size_t i = 0; (d = (const ebb_format_decl *)ebb__decl_at(e, offsetof(ebb_plugin, formats), i)); i++)
        if (n > strlen(d->ext) && !strcmp(path + n - strlen(d->ext), d->ext)) return d;
    ebb_fail(e, EBB_E_NAME, "%s: no file format has this ending; .safetensors is one", path ? path : "NULL");
    return NULL;
}

static ebb_status with_params(ebb *e, const char *path, bool save) {
    if (!e || e->code != EBB_OK) return e ? e->code : EBB_E_ARG;
    const ebb_format_decl *d = format_of(e, path);
    const size_t bytes = (e->n_params + 1) * sizeof(char *), mark = e->n_owned;
    const char **names = d ? (const char **)ebb__get(e, bytes) : NULL;
    if (!names) return e->code;
    for (size_t i = 0; i < e->n_params; i++) names[i] = ebb_name_of(e->params[i]);
    const ebb_status r = (save ? d->save : d->load)(e, path, e->n_params, names, e->params);
    if (r != EBB_OK) ebb_fail(e, r, "%s: %s failed", path, save ? "saving" : "loading");
    ebb__put(e, (void *)(uintptr_t)names, bytes);
    ebb__owned_cut(e, mark);
    return e->code;
}

ebb_status ebb_save(ebb *e, const char *path) { return with_params(e, path, true); }
ebb_status ebb_load(ebb *e, const char *path) { return with_params(e, path, false); }
