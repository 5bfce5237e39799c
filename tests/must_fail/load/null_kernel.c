/* null_kernel.c - bad plugin: an op with nothing that computes it.
 * expect: plugin: load_twice: it has no kernel */
#include <ebb/op.h>

static ebb_tensor *twice_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 2);
}

EBB_OP(load_twice,
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .vjp = EBB_VJP({twice_dx, 0}),
    .doc = "Twice x."
);

EBB_PLUGIN(null_kernel, &ebb_op_load_twice);
