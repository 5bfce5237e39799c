/* outputs_too_many.c - bad plugin: an op with more outputs than a call can have.
 * expect: plugin: load_copies: it has 12 outputs, at most 8 */
#include <ebb/op.h>

EBB_KERNEL(
    copies_fwd, for (int j = 1; j < l->n_args; j++) {
        T *q = (T *)l->p[j];
        for (int64_t i = 0; i < l->n; i++) q[i * l->step[j]] = ((const T *)l->p[0])[i * l->step[0]];
    })

EBB_OP(load_copies,
    .sig = "()->(),(),(),(),(),(),(),(),(),(),(),()",
    .math = "y = x, twelve times",
    .fwd = copies_fwd,
    .doc = "Twelve copies of x."
);

EBB_PLUGIN(outputs_too_many, &ebb_op_load_copies);
