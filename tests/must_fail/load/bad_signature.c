/* bad_signature.c - bad plugin: a signature that cannot be parsed.
 * expect: plugin: load_twice: its signature cannot be parsed.*\(n->\(\) */
#include <ebb/op.h>

EBB_MAP1(twice_fwd, 2 * x)

static ebb_tensor *twice_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 2);
}

EBB_OP(load_twice,
    .sig = "(n->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = twice_fwd,
    .vjp = EBB_VJP({twice_dx, 0}),
    .doc = "Twice x."
);

EBB_PLUGIN(bad_signature, &ebb_op_load_twice);
