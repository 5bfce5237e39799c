/* half_wrong.c - bad plugin: a good op and one with a wrong derivative: neither may be registered.
 * expect: gradient: load_wrong: gradient wrong */
#include <ebb/op.h>

EBB_MAP1(twice_fwd, 2 * x)

static ebb_tensor *twice_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 2);
}

EBB_OP(load_right,
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = twice_fwd,
    .vjp = EBB_VJP({twice_dx, 0}),
    .doc = "Twice x."
);

static ebb_tensor *wrong_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 3);
}

EBB_OP(load_wrong,
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = twice_fwd,
    .vjp = EBB_VJP({wrong_dx, 0}),
    .doc = "Twice x."
);

EBB_PLUGIN(half_wrong, &ebb_op_load_right, &ebb_op_load_wrong);
