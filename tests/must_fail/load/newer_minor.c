/* newer_minor.c - bad plugin: needs a later minor version: not bad at all, an ABI that only grows is used as far as it is known.
 * expect: accepted */
#include <ebb/op.h>

EBB_MAP1(twice_fwd, 2 * x)

static ebb_tensor *twice_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 2);
}

EBB_OP(load_twice,
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = twice_fwd,
    .vjp = EBB_VJP({twice_dx, 0}),
    .doc = "Twice x."
);

EBB_PLUGIN_OF(newer_minor, .abi_minor = EBB_ABI_MINOR + 7, .ops = EBB_LIST(ebb_op, &ebb_op_load_twice));
