/* compose_two_outputs.c - bad plugin: .compose gives one tensor, the signature says two.
 * expect: contract: load_both: its compose function made no output 1 */
#include <ebb/op.h>

static ebb_tensor *both(const ebb_call *c) { return ebb_add(c->x[0], c->x[0]); }

EBB_OP(load_both,
    .sig = "()->(),()",
    .math = "y = 2*x",
    .compose = both,
    .doc = "Twice x, and nothing."
);

EBB_PLUGIN(compose_two_outputs, &ebb_op_load_both);
