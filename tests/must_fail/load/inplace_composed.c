/* inplace_composed.c - bad plugin: an in-place form of several outputs.
 * expect: plugin: load_double: a view, or an op that has not just one output, has no in-place form */
#include <ebb/op.h>

static ebb_tensor *doubled(const ebb_call *c) {
    c->more[0] = c->x[0];
    return ebb_add(c->x[0], c->x[0]);
}

EBB_OP(load_double,
    .sig = "()->(),()",
    .math = "y = 2*x",
    .compose = doubled,
    .flags = EBB_INPLACE,
    .doc = "Twice x, and x."
);

EBB_PLUGIN(inplace_composed, &ebb_op_load_double);
