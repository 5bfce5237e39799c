/* late.c - floor 7: a plugin for the tests that is verified and then traps, at one number: the training worker is started again. */
#include <ebb/op.h>

EBB_MAP1(late_fwd, (x == (T)12345 ? __builtin_trap() : (void)0, 2 * x))

static ebb_tensor *late_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 2);
}

EBB_OP(late,
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = late_fwd,
    .vjp = EBB_VJP({late_dx, 0}),
    .doc = "Twice, but for one number."
);

EBB_PLUGIN(late, &ebb_op_late);
