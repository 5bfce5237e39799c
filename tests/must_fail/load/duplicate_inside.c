/* duplicate_inside.c - bad plugin: two ops of one name in one plugin.
 * expect: plugin: op load_twice exists already */
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

EBB_OP(load_other,
    .name = "load_twice",
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = twice_fwd,
    .vjp = EBB_VJP({twice_dx, 0}),
    .doc = "Twice x."
);

EBB_PLUGIN(duplicate_inside, &ebb_op_load_twice, &ebb_op_load_other);
