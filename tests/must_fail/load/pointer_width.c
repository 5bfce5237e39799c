/* pointer_width.c - bad plugin: built for pointers of another width.
 * expect: plugin: pointers of 16 bits */
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

EBB_PLUGIN_OF(pointer_width, .pointer_bits = 16, .ops = EBB_LIST(ebb_op, &ebb_op_load_twice));
