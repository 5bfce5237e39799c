/* duplicate_builtin.c - bad plugin: its op has the name of a built-in one.
 * expect: plugin: op add exists already.*built in */
#include <ebb/op.h>

EBB_MAP1(twice_fwd, 2 * x)

static ebb_tensor *twice_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 2);
}

EBB_OP(load_twice,
    .name = "add",
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = twice_fwd,
    .vjp = EBB_VJP({twice_dx, 0}),
    .doc = "Twice x."
);

EBB_PLUGIN(duplicate_builtin, &ebb_op_load_twice);
