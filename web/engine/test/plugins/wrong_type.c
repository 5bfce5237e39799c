/* wrong_type.c - floor 7: a plugin for the tests that imports a function of the engine under a wrong type; it cannot be linked. */
#include <ebb/op.h>

double ebb_version(double x);

EBB_MAP1(mistaken_fwd, x + (T)ebb_version(1))

EBB_OP(mistaken,
    .sig = "()->()",
    .fwd = mistaken_fwd,
    .doc = "Calls a function as what it is not."
);

EBB_PLUGIN(wrong_type, &ebb_op_mistaken);
