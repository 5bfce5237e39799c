/* inplace_composed.c - bad plugin: an in-place form without a kernel that could write in place.
 * expect: plugin: load_double: only a pointwise kernel with one output has an in-place form */
#include <ebb/op.h>

static ebb_tensor *doubled(const ebb_call *c) { return ebb_add(c->x[0], c->x[0]); }

EBB_OP(load_double,
    .sig = "()->()",
    .math = "y = 2*x",
    .compose = doubled,
    .flags = EBB_INPLACE,
    .doc = "Twice x."
);

EBB_PLUGIN(inplace_composed, &ebb_op_load_double);
