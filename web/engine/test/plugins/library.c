/* library.c - floor 7: a plugin for the tests that calls functions of the C library, which it imports from the engine. */
#include <ebb/op.h>

EBB_MAP1(cubed_fwd, (T)pow((double)x, 3.0))

static ebb_tensor *cubed_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_mul(g, ebb_mul_scalar(ebb_mul(c->x[0], c->x[0]), 3));
}

EBB_OP(cubed,
    .sig = "()->()",
    .math = "y = x^3;  dx = 3*g*x^2",
    .fwd = cubed_fwd,
    .vjp = EBB_VJP({cubed_dx, EBB_X(0)}),
    .doc = "The third power, by the C library."
);

EBB_PLUGIN(library, &ebb_op_cubed);
