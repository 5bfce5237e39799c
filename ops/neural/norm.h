/* norm.h - floor 5: what the normalisations share: weights by channel, laid out for standardize. */
#ifndef EBB_NEURAL_NORM_H
#define EBB_NEURAL_NORM_H
#include <ebb/op.h>

/* A weight or bias in the shape `one`, repeated to `all` without copying. */
static inline ebb_tensor *shift_of(ebb_tensor *t, ebb_ints one, ebb_ints all) {
    return ebb_expand(ebb_reshape(t, .shape = one), .size = all);
}
/* The same; 1 where there is no weight. */
static inline ebb_tensor *scale_of(const ebb_call *c, ebb_tensor *t, ebb_ints one, ebb_ints all) {
    return t ? shift_of(t, one, all) : ebb_expand(ebb_scalar(c->x[0], 1), .size = all);
}

/* Elements of a channel of a sample of [N,C,..]. */
static inline int64_t spatial_of(const ebb_shape *x) {
    int64_t n = 1;
    for (int d = 2; d < x->ndim; d++) n *= x->dim[d];
    return n;
}

/* Optional input i, NULL when it is not given. */
static inline ebb_tensor *given(const ebb_call *c, int i) { return i < c->n_x ? c->x[i] : NULL; }

/* Whether the inputs beside the first, where present, are vectors with an element for each channel; if not, the error is set. */
static inline bool per_channel(const ebb_call *c, int64_t channels) {
    for (int i = 1; i < c->n_x; i++) {
        const ebb_shape *s = &c->x_shape[i];
        if (!c->x[i] || (s->ndim < 2 && ebb_shape_numel(s) == channels)) continue;
        (void)EBB_FAIL(c, EBB_E_SHAPE,
                       "input %d has %lld elements in %d dims; 1 dim of %lld, the number of channels, is needed",
                       i, (long long)ebb_shape_numel(s), s->ndim, (long long)channels);
        return false;
    }
    return true;
}
#endif
