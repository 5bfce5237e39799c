/* optim_attribute_outside.c - bad plugin: an optimizer's attribute lies outside the struct it is said to be in.
 * expect: plugin: optimizer load_far: attribute 0 .*outside */
#include <ebb/plugin.h>

typedef struct {
    double lr;
} far_attrs;
static const ebb_attr far_table[] = {
    {.name = "lr", .type = EBB_A_FLOAT, .offset = 4096, .def = "0.1", .doc = "step size"}};

EBB_UPDATE(far_update, for (int64_t i = 0; i < u->n; i++)((T *)u->p)[i] -= ((const T *)u->g)[i];)

EBB_OPTIM(load_far,
    .math = "p = p - g",
    .attrs = EBB_ATTRS(far_attrs, far_table),
    .update = far_update,
    .doc = "Goes down the gradient."
);

EBB_PLUGIN_OF(optim_attribute_outside, .optims = EBB_LIST(ebb_optim_decl, &ebb_optim_load_far));
