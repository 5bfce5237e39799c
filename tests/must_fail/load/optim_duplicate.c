/* optim_duplicate.c - bad plugin: an optimizer with the name of a built-in one.
 * expect: plugin: optimizer sgd exists already */
#include <ebb/plugin.h>

EBB_UPDATE(still_update, for (int64_t i = 0; i < u->n; i++)((T *)u->p)[i] -= ((const T *)u->g)[i];)

EBB_OPTIM(load_still, .name = "sgd", .math = "p = p - g", .update = still_update, .doc = "Goes down the gradient.");

EBB_PLUGIN_OF(optim_duplicate, .optims = EBB_LIST(ebb_optim_decl, &ebb_optim_load_still));
