/* call.h - floor 3: calling an op: check, infer, run, record. Private to core/. */
#ifndef EBB_CALL_H
#define EBB_CALL_H
#include "registry.h"
#include "tape.h"

enum { EBB__PLAIN = 0, EBB__IN_PLACE = 1, EBB__UNTOLD = 2 }; /* UNTOLD: the caller raises the event */
ebb_tensor *ebb__call(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in, const void *attrs,
                      size_t attrs_size, ebb__outs *outs, int how);
/* Tells those who listen that an op ran. */
ebb_status ebb__raise_op(ebb *e, const ebb_op *op, int n_x, ebb_tensor *const *x, int n_y,
                         ebb_tensor *const *y, const void *attrs, bool in_place);
/* The ops that the engine itself uses, by name: summing broadcast axes back, copies, conversions, accumulation. */
ebb_tensor *ebb__sum_to(ebb_tensor *t, int ndim,
                        const int64_t *shape); /* NULL and EBB_E_SHAPE when t did not come from that shape by broadcasting */
ebb_tensor *ebb__contiguous(ebb_tensor *t);
/* inplace.c: a view of a tensor that was changed in place gets its place in the graph again. */
ebb_status ebb__refresh(ebb_tensor *t);
void ebb__host_open(ebb *e);
/* scope.c: t, changed in place, got its place in the graph of this scope; when it is from outside, that graph stays with it. */
void ebb__keep_outer(ebb *e, ebb_tensor *t);
#endif
