/* half_bad.c - bad plugin: a good op and one with a broken signature: neither may be registered.
 * expect: plugin: op load_bad: its signature */
#include <ebb/op.h>

EBB_MAP1(twice_fwd, 2 * x)

static ebb_tensor *twice_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 2);
}

EBB_OP(load_good,
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = twice_fwd,
    .vjp = EBB_VJP({twice_dx, 0}),
    .doc = "Twice x."
);

EBB_OP(load_bad,
    .sig = "()->(",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = twice_fwd,
    .vjp = EBB_VJP({twice_dx, 0}),
    .doc = "Twice x."
);

EBB_PLUGIN(half_bad, &ebb_op_load_good, &ebb_op_load_bad);
