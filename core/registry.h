/* registry.h - floor 2: the ops, backends and other declarations a session knows. Private to core/. */
#ifndef EBB_REGISTRY_H
#define EBB_REGISTRY_H
#include "signature.h"
#include <ebb/plugin.h>

typedef struct ebb__plugin {
    const ebb_plugin *entry; /* complete */
    const ebb_plugin *given; /* as the plugin has it, perhaps an older and shorter one */
    char *path;              /* "built in" */
} ebb__plugin;

typedef struct ebb__registry {
    ebb__entry **ops; /* in order of registration */
    size_t n_ops, cap_ops;
    ebb__entry **table; /* open addressing by hash; size is a power of two */
    size_t table_size;
    ebb__plugin *plugins;
    size_t n_plugins, cap_plugins;
    const char *backend; /* the one in use */
} ebb__registry;

ebb_status ebb__registry_open(ebb *e);
void ebb__registry_close(ebb *e);
/* All of a plugin's declarations or nothing. check_only: find what is wrong, register nothing. */
ebb_status ebb__register(ebb *e, const ebb_plugin *p, const char *path);
ebb__entry *ebb__find(const ebb *e, const char *name, uint32_t hash); /* NULL: none */
ebb__entry *ebb__need(ebb *e, const char *name, uint32_t hash); /* NULL: none, and the error says which is near */
/* declarations.c */
ebb_status ebb__others_ok(ebb *e, const ebb_plugin *p); /* p is in the list already, so that names which come twice are seen */
const ebb_plugin *ebb__whole_entry(ebb *e, const ebb_plugin *p); /* a copy, when it is an older, shorter one */
/* The code of a kernel table for each dtype, at the session's vector level. */
void ebb__kernels_of(const ebb *e, const ebb_kernel *table, ebb_kernel_fn fn[EBB_DTYPES]);
bool ebb__identifier(const char *s);
const char *ebb__decl_name(const void *decl); /* of any kind but an op's */
/* Declaration number i, over all plugins, of a kind; NULL past the end. */
const void *ebb__decl_at(const ebb *e, size_t list_offset, size_t i);
const void *ebb__decl_find(const ebb *e, size_t list_offset, const char *name);
#define EBB__DECL(e, kind, type, name) ((const type *)ebb__decl_find(e, offsetof(ebb_plugin, kind), name))
const char *ebb__decl_nearest(const ebb *e, size_t list_offset, const char *name);
#endif
