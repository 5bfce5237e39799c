/* traps.c - floor 7: a plugin for the tests whose kernel traps: the worker that verifies it ends, and the page says so. */
#include <ebb/op.h>

EBB_MAP1(falls_fwd, (__builtin_trap(), x))

EBB_OP(falls,
    .sig = "()->()",
    .fwd = falls_fwd,
    .doc = "Traps."
);

EBB_PLUGIN(traps, &ebb_op_falls);
