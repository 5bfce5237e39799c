/* infer.h - floor 2: shapes and places of a call's operands, from the signature. Private to core/. */
#ifndef EBB_INFER_H
#define EBB_INFER_H
#include "loop.h"

/* What a call works out before it runs. */
typedef struct ebb__shapes {
    int nb; /* batch dims */
    int64_t batch[EBB_MAX_DIMS];
    int64_t dim[MAX_LETTERS]; /* -1: not known yet */
    uint32_t axes;            /* .axes ops: mask of input 0's dims that make up the core dim */
    int nd;                   /* .axes ops: rank of the operands that have it */
    bool keepdim;
} ebb__shapes;

/* Matches inputs against the signature. */
ebb_status ebb__infer_sig(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in, const void *attrs,
                          ebb__shapes *s);
/* Shape of output j. -> its rank */
int ebb__output_shape(const ebb__entry *x, const ebb__shapes *s, int j, int64_t *shape);
/* Places an operand (dims and strides as given) in the plan. False: its core dims are not where the kernel needs them. */
bool ebb__place(const ebb__entry *x, const ebb__shapes *s, const ebb__operand *o, int ndim,
                const int64_t *shape, const int64_t *stride, ebb__arg *a);
/* Order of dims that brings the axes of an .axes operand to the end. */
void ebb__axes_order(const ebb__shapes *s, int *order);
#endif
