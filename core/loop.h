/* loop.h - floor 2: runs a kernel over broadcast operands. Private to core/.
 *
 * A plan says where everything lies; running it splits items into disjoint ranges. Which tiles a `.split` op is cut
 * into, and which blocks an EBB_ASSOC row, depends on the shapes alone, so results never depend on the threads. */
#ifndef EBB_LOOP_H
#define EBB_LOOP_H
#include "signature.h"

/* One operand: the strides of its batch dims (0 where broadcast) and of its core dims, in elements. */
typedef struct ebb__arg {
    char *p; /* NULL: an absent optional input */
    uint8_t size;
    int64_t batch[EBB_MAX_DIMS], core[EBB_MAX_DIMS];
} ebb__arg;

typedef struct ebb__plan {
    const ebb__entry *x;
    const void *attrs;
    int n_x, n_args, nb, dtype;
    int64_t batch[EBB_MAX_DIMS], dim[MAX_LETTERS];
    int64_t work;          /* .infer ops: units */
    const ebb_info *infos; /* .infer ops: the operands */
    ebb__arg *arg;         /* n_args */
} ebb__plan;

ebb_status ebb__run(ebb *e, ebb__plan *p);
/* Copies src to dst, any strides, same shape and dtype. */
ebb_status ebb__copy_tensor(ebb_tensor *dst, const ebb_tensor *src);
#endif
