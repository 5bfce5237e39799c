/* missing_import.c - floor 7: a plugin for the tests that imports a function nobody offers; it must be refused before it runs. */
#include <ebb/op.h>

double nobody_has_this(double x);

EBB_MAP1(needy_fwd, x + (T)nobody_has_this(1))

EBB_OP(needy,
    .sig = "()->()",
    .fwd = needy_fwd,
    .doc = "Needs what is not there."
);

EBB_PLUGIN(needy, &ebb_op_needy);
