/* entry.h - floor 1: the one constant a plugin exports, and the macro that writes it.
 *
 * It is read before any of the plugin's code runs: a wrong magic, ABI, pointer width or size refuses the file.
 * In a build that links its plugins in (-DEBB_STATIC), the same constant gets a name of its own and a generated
 * table lists it; there are no constructors. */
#ifndef EBB_ENTRY_H
#define EBB_ENTRY_H
#include <ebb/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ebb_backend_decl; /* these five: <ebb/plugin.h> */
struct ebb_optim_decl;
struct ebb_gradfn_decl;
struct ebb_probe_decl;
struct ebb_format_decl;
struct ebb_verifier_decl;

#define EBB_PLUGIN_MAGIC "ebbplug"

typedef struct ebb_plugin {
    char magic[8];
    uint32_t abi_major, abi_minor; /* minor: the least one that it needs */
    uint32_t size;                 /* sizeof(ebb_plugin) */
    uint32_t pointer_bits;
    const char *build; /* compiler that built it */
    const char *name;
    const char *doc;
    const struct ebb_op *const *ops; /* lists end with NULL; a list may be NULL */
    const struct ebb_backend_decl *const *backends;
    const struct ebb_optim_decl *const *optims;
    const struct ebb_gradfn_decl *const *gradfns;
    const struct ebb_probe_decl *const *probes;
    const struct ebb_format_decl *const *formats;
    const struct ebb_verifier_decl *const *verifiers;
} ebb_plugin;

#ifdef EBB_STATIC
#define EBB__ENTRY(plugin_name)                                                                              \
    EBB_LOCAL extern const ebb_plugin ebb_plugin_##plugin_name;                                              \
    const ebb_plugin ebb_plugin_##plugin_name
#else
#define EBB__ENTRY(plugin_name)                                                                              \
    EBB_EXPORT extern const ebb_plugin ebb_plugin_entry;                                                     \
    const ebb_plugin ebb_plugin_entry
#endif

/* A plugin of any kind: EBB_PLUGIN_OF(clip, .doc = "...", .gradfns = EBB_LIST(ebb_gradfn_decl, &norm, &value)); */
#define EBB_PLUGIN_OF(plugin_name, ...)                                                                      \
    EBB__ENTRY(plugin_name) = {.magic = EBB_PLUGIN_MAGIC,                                                    \
                               .abi_major = EBB_ABI_MAJOR,                                                   \
                               .abi_minor = EBB_ABI_MINOR,                                                   \
                               .size = sizeof(ebb_plugin),                                                   \
                               .pointer_bits = 8 * sizeof(void *),                                           \
                               .build = __VERSION__,                                                         \
                               .name = #plugin_name,                                                         \
                               __VA_ARGS__}

#define EBB_LIST(type, ...)                                                                                  \
    (const struct type *const[]) { __VA_ARGS__, NULL }

/* A plugin of ops: EBB_PLUGIN(my_swish, &ebb_op_my_swish); */
#define EBB_PLUGIN(plugin_name, ...) EBB_PLUGIN_OF(plugin_name, .ops = EBB_LIST(ebb_op, __VA_ARGS__))

#ifdef __cplusplus
}
#endif
#endif
