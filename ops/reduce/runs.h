/* runs.h - floor 5: runs of equal neighbours. */
#ifndef EBB_RUNS_H
#define EBB_RUNS_H
#include "reduce.h"

/* x: 1-d. Each run of equal neighbours becomes one element. -> the runs' elements; *run: the number of the run of each
 * element, *count: the runs' lengths. */
static inline ebb_tensor *runs(const ebb_call *c, ebb_tensor *x, ebb_tensor **run, ebb_tensor **count) {
    const int64_t n = ebb_shape_numel(&c->x_shape[0]);
    ebb_tensor *first = ebb_constant(c->e, EBB_BOOL, EBB_SHAPE(n < 1 ? n : 1), 0);
    ebb_tensor *part[2] = {first, n > 1 ? ebb_ne(ebb_slice(x, .start = 1), ebb_slice(x, .end = -1)) : first};
    *run = ebb_contiguous(ebb_cumsum(n > 1 ? ebb_cat(2, part, .dim = 0) : first, .dim = 0));
    const int64_t *v = (const int64_t *)ebb_info_of(*run).data, m = v && n ? v[n - 1] + 1 : 0;
    *count = ebb_scatter_add(ebb_constant(c->e, EBB_I64, EBB_SHAPE(m), 0), *run,
                             ebb_constant(c->e, EBB_I64, EBB_SHAPE(n), 1), .dim = 0);
    return ebb_scatter(ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype, EBB_SHAPE(m), 0), *run, x, .dim = 0);
}
#endif
