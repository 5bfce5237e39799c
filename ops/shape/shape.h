/* shape.h - floor 5: what the files of this family share: dims checked and counted from the front, zeros, dims collapsed. */
#ifndef EBB_SHAPE_H
#define EBB_SHAPE_H
#include <ebb/op.h>

#define SHAPE_NO_DIM "%s is %lld, but the input has %d dims: %d..%d are possible"

/* A dim that may count from the end, checked. */
static inline ebb_status shape_dim(ebb_infer *s, const char *name, int64_t given, int ndim, int *out) {
    const int n = ndim ? ndim : 1;
    *out = ebb_dim_of(given, ndim);
    return *out >= 0 ? EBB_OK : s->fail(s, EBB_E_ATTR, SHAPE_NO_DIM, name, (long long)given, ndim, -n, n - 1);
}

/* The same in a compose function. -1: it has failed */
static inline int shape_dim_in(const ebb_call *c, const char *name, int64_t given, int ndim) {
    const int n = ndim ? ndim : 1, d = ebb_dim_of(given, ndim);
    if (d < 0) (void)EBB_FAIL(c, EBB_E_ATTR, SHAPE_NO_DIM, name, (long long)given, ndim, -n, n - 1);
    return d;
}

/* A dim of an input that is not 0-d. -1: it has failed */
static inline int shape_real_dim_in(const ebb_call *c, int64_t given) {
    if (c->x_shape[0].ndim) return shape_dim_in(c, "dim", given, c->x_shape[0].ndim);
    (void)EBB_FAIL(c, EBB_E_SHAPE, "the input is 0-d; at least one dim is needed");
    return -1;
}

static inline ebb_tensor *shape_zeros(ebb_tensor *like, const ebb_shape *s) {
    return ebb_expand(ebb_scalar(like, 0), .size = ebb_ints_of(s));
}

static inline void shape_like(ebb_info *y, const ebb_info *x) {
    y->ndim = x->ndim;
    for (int d = 0; d < x->ndim; d++) {
        y->shape[d] = x->shape[d];
        y->stride[d] = x->stride[d];
    }
}

static inline bool shape_same(const ebb_shape *a, const ebb_shape *b) {
    bool same = a->ndim == b->ndim;
    for (int d = 0; d < a->ndim && same; d++) same = a->dim[d] == b->dim[d];
    return same;
}

static inline ebb_tensor *shape_pass(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}

/* g in the shape of the input. */
static inline ebb_tensor *shape_back(const ebb_call *c, ebb_tensor *g) {
    return ebb_reshape(g, .shape = ebb_ints_of(&c->x_shape[0]));
}

#endif
