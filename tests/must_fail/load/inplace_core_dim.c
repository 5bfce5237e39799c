/* inplace_core_dim.c - positive control: an in-place form of an op whose elements depend on one another; the engine copies.
 * expect: accepted */
#include <ebb/op.h>

EBB_KERNEL(
    reverse_fwd, for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T *y = (T *)l->p[1] + r * l->step[1];
        for (int64_t i = 0; i < l->dim[0]; i++) y[i] = x[l->dim[0] - 1 - i];
    })

EBB_OP(load_reverse,
    .sig = "(n)->(n)",
    .math = "y_i = x_(n-1-i)",
    .fwd = reverse_fwd,
    .flags = EBB_INPLACE,
    .doc = "A row from its end."
);

EBB_PLUGIN(inplace_core_dim, &ebb_op_load_reverse);
