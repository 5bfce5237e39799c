/* create.h - floor 5: what the ops that make tensors share. */
#ifndef EBB_CREATE_H
#define EBB_CREATE_H
#include <ebb/op.h>

typedef struct made_attrs {
    ebb_ints size;
    int32_t dtype;
} made_attrs;

typedef struct like_attrs {
    int32_t dtype;
} like_attrs;

/* Gives output 0 a size that an attribute names; a unit of work is `each` elements. */
static inline ebb_status sized(ebb_infer *s, const ebb_ints *size, int64_t each) {
    int64_t n = 1;
    s->y->ndim = size->n;
    for (int d = 0; d < size->n; d++) {
        if (size->v[d] < 0)
            return s->fail(s, EBB_E_SHAPE, "size has %lld at dim %d: sizes are not negative",
                           (long long)size->v[d], d);
        s->y->shape[d] = size->v[d];
        if (n > 0 && __builtin_mul_overflow(n, size->v[d], &n)) n = 1; /* refused when it is made */
    }
    s->work = n > each ? (n - 1) / each + 1 : 1;
    return EBB_OK;
}
#endif
