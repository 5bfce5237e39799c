/* running.h - floor 3: one call of an op while it runs, shared by the files that carry it out. Private to core/. */
#ifndef EBB_RUNNING_H
#define EBB_RUNNING_H
#include "call.h"

typedef struct ebb__running {
    const ebb__entry *x;
    ebb *e;
    int n_x, n_y;
    ebb_tensor *in[EBB_MAX_OPERANDS]; /* as given, then converted */
    ebb_tensor *y[MAX_OUT];
    const void *attrs;
    int dtype;   /* T */
    int back_to; /* the dtype that results of T are brought to, EBB_NONE: they stay */
    bool in_place;
    ebb_tensor *target; /* in place: the tensor that receives the result */
    bool identity;      /* a composed op changed nothing: its result is an input itself */
} ebb__running;

enum { MAX_ATTRS = 512 };

static inline bool ebb__is_float(int dtype) { return dtype == EBB_F32 || dtype == EBB_F64; }

/* The dtype of a C number beside a tensor: the tensor's where that can hold it, else i64, else f32. */
int ebb__number_dtype(int like, double v);

/* arguments.c: whether the call may be made at all, and its inputs brought to the dtypes of the signature */
ebb_status ebb__check_inputs(ebb__running *c);
ebb_status ebb__check_dtypes(ebb__running *c);
ebb_status ebb__check_index(ebb__running *c, int input, int64_t bound);
int ebb__category(int dtype); /* 3 float, 2 integer, 1 bool */

/* call.c: an input needs a gradient that a rule of the op can give */
bool ebb__wants_grad(const ebb__running *c);

/* inplace.c: the in-place form of a call whose inputs and attributes are checked. */
ebb_status ebb__write_in_place(ebb__running *c);
/* No input has lost its graph; views that an in-place op made stale get a place in the graph again. */
ebb_status ebb__inputs_current(ebb *e, const ebb_op *op, int n_x, ebb_tensor *const *in);

/* run.c: shapes, outputs, the kernel. A fast or a composed call says whether it took the call. */
bool ebb__run_composed(ebb__running *c);
bool ebb__run_fast(ebb__running *c);
ebb_status ebb__run_kernel(ebb__running *c);
/* A copy of t whose dims lie in memory in the given order (NULL: their own), or without copy just the room for one; stride
 * receives the strides of t's dims in it. */
ebb_tensor *ebb__laid_out(const ebb_tensor *t, const int *order, int64_t *stride, bool copy);
#endif
