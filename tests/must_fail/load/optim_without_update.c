/* optim_without_update.c - bad plugin: an optimizer without an update.
 * expect: plugin: optimizer load_still: a function or list that it needs is NULL */
#include <ebb/plugin.h>

EBB_OPTIM(load_still, .math = "p = p", .doc = "Changes nothing.");

EBB_PLUGIN_OF(optim_without_update, .optims = EBB_LIST(ebb_optim_decl, &ebb_optim_load_still));
