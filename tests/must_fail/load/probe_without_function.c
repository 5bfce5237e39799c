/* probe_without_function.c - bad plugin: a probe that has nothing to call.
 * expect: plugin: probe load_deaf: a function or list that it needs is NULL */
#include <ebb/plugin.h>

static const ebb_probe_decl deaf = {
    .size = sizeof deaf, .name = "load_deaf", .doc = "Hears nothing.", .events = 1u << EBB_EV_OP};

EBB_PLUGIN_OF(probe_without_function, .probes = EBB_LIST(ebb_probe_decl, &deaf));
