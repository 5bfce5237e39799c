/* pool.h - floor 5: the windows of pooling: from attributes, and as a kernel sees them at one position. */
#ifndef EBB_NEURAL_POOL_H
#define EBB_NEURAL_POOL_H
#include "conv.h"

/* Along one dim, the elements from, from + step, ... below `to` of a window that lie in the input; `full` counts those in the
 * padding too. */
typedef struct reach {
    int64_t from, to, step, full;
} reach;

/* adaptive: `count` windows cover the input, neighbours overlap by one element at most. */
static inline reach reach_of(const grid *g, bool adaptive, int d, int64_t o) {
    const int64_t size = g->size[d], step = g->dilation[d];
    if (adaptive) {
        const int64_t n = g->count[d], from = o * size / n, to = ((o + 1) * size + n - 1) / n;
        return (reach){from, to, 1, to - from};
    }
    int64_t from = o * g->stride[d] - g->padding[d], to = from + (g->kernel[d] - 1) * step + 1;
    if (to > size + g->padding[d]) to = size + g->padding[d];
    const int64_t full = (to - from + step - 1) / step;
    if (from < 0) from += (step - 1 - from) / step * step;
    return (reach){from, to < size ? to : size, step, full};
}

/* Every position p, with its window along each dim: Z, Y, X. */
#define EACH_WINDOW(g, adaptive, statement)                                                                  \
    for (int64_t oz = 0, p = 0; oz < (g).count[0]; oz++) {                                                   \
        const reach Z = reach_of(&(g), adaptive, 0, oz);                                                     \
        for (int64_t oy = 0; oy < (g).count[1]; oy++) {                                                      \
            const reach Y = reach_of(&(g), adaptive, 1, oy);                                                 \
            for (int64_t ox = 0; ox < (g).count[2]; ox++, p++) {                                             \
                const reach X = reach_of(&(g), adaptive, 2, ox);                                             \
                statement                                                                                    \
            }                                                                                                \
        }                                                                                                    \
    }

/* Every element i of the plane in the window Z, Y, X. */
#define EACH_IN_WINDOW(g, statement)                                                                         \
    for (int64_t z = Z.from; z < Z.to; z += Z.step)                                                          \
        for (int64_t y = Y.from; y < Y.to; y += Y.step)                                                      \
            for (int64_t i = (z * (g).size[1] + y) * (g).size[2] + X.from, end = i - X.from + X.to; i < end; \
                 i += X.step)                                                                                \
    statement

/* Windows that are no adaptive ones, a row of them at a time, so that loops are long and become vectors: n positions from p on see the
 * elements i, i + step, ... `along` holds, for each element of a window along the last dim, which positions see it. */
#define EACH_ROW_IN_WINDOWS(g, along, start, statement, close)                                               \
    for (int64_t oz = 0; oz < (g).count[0]; oz++) {                                                          \
        const reach Z = reach_of(&(g), false, 0, oz);                                                        \
        for (int64_t oy = 0; oy < (g).count[1]; oy++) {                                                      \
            const reach Y = reach_of(&(g), false, 1, oy);                                                    \
            const int64_t row = (oz * (g).count[1] + oy) * (g).count[2], step = (g).stride[2];               \
            start for (int64_t z = Z.from; z < Z.to;                                                         \
                       z += Z.step) for (int64_t y = Y.from; y < Y.to;                                       \
                                         y += Y.step) for (int64_t kx = 0; kx < (g).kernel[2]; kx++) {       \
                const int64_t p = row + (along)[kx].from, n = (along)[kx].to - (along)[kx].from;             \
                const int64_t i = (z * (g).size[1] + y) * (g).size[2] + (along)[kx].at;                      \
                statement                                                                                    \
            }                                                                                                \
            close                                                                                            \
        }                                                                                                    \
    }

/* Scratch: `along`, and then two rows of numbers. */
static inline size_t row_scratch(const ebb_loop *l) {
    const windows *w = (const windows *)l->attrs;
    const int last = w->size.n - 1;
    return (size_t)w->kernel_size.v[last] * sizeof(span) + 2 * (size_t)w->count.v[last] * sizeof(double);
}

static inline const span *spans_along(const grid *g, void *scratch) {
    span *s = (span *)scratch;
    for (int64_t k = 0; k < g->kernel[2]; k++) s[k] = span_of(g, 2, k);
    return s;
}

/* The input of an op over `dims` spatial dims: channels before them, perhaps a batch. The batch may be empty, and with
 * `channels_too` so may channels without one. -> false: it failed */
static inline bool pool_input_ok(const ebb_call *c, int dims, bool channels_too) {
    const ebb_shape *x = &c->x_shape[0];
    bool fits = x->ndim == dims + 1 || x->ndim == dims + 2;
    for (int d = channels_too ? 1 : x->ndim - dims - 1; fits && d < x->ndim; d++) fits = x->dim[d] > 0;
    if (fits) return true;
    return EBB_FAIL(c, EBB_E_SHAPE,
                    "the input has %d dims, or an empty one; (channels, %d spatial dims) are needed, none empty, and perhaps a batch before them",
                    x->ndim, dims) != NULL;
}

/* What the user said of the windows, to windows with their count. stride: kernel_size when not given. -> false: it failed. */
static inline bool pool_windows(const ebb_call *c, int dims, const ebb_ints *kernel, const ebb_ints *stride,
                                const ebb_ints *padding, const ebb_ints *dilation, bool ceil_mode, windows *w) {
    static const ebb_ints none = {0, {0}};
    if (!pool_input_ok(c, dims, false)) return false;
    w->size = spatial_of(&c->x_shape[0], dims);
    if (!kernel->n)
        return EBB_FAIL(c, EBB_E_ATTR, "kernel_size is empty; 1 or %d numbers are needed", dims) != NULL;
    if (!one_each(c, "kernel_size", kernel, dims, 1, 1, &w->kernel_size) ||
        !one_each(c, "stride", stride->n ? stride : kernel, dims, 1, 1, &w->stride) ||
        !one_each(c, "padding", padding ? padding : &none, dims, 0, 0, &w->padding) ||
        !one_each(c, "dilation", dilation ? dilation : &none, dims, 1, 1, &w->dilation))
        return false;
    w->count.n = dims;
    for (int d = 0; d < dims; d++) {
        const int64_t k = w->kernel_size.v[d], s = w->stride.v[d], p = w->padding.v[d], size = w->size.v[d];
        if (p > k / 2)
            return EBB_FAIL(c, EBB_E_ATTR, "padding is %lld; it may be at most half of kernel_size, %lld",
                            (long long)p, (long long)k) != NULL;
        const int64_t room = size + 2 * p - w->dilation.v[d] * (k - 1) - 1 + (ceil_mode ? s - 1 : 0);
        int64_t n = room < 0 ? 0 : room / s + 1;
        if (ceil_mode && (n - 1) * s >= size + p)
            n--; /* the last window begins in the input or the padding before it */
        if (n < 1)
            return EBB_FAIL(c, EBB_E_SHAPE,
                            "no window of %lld elements, %lld apart, fits into the %lld of spatial dim %d with padding %lld",
                            (long long)k, (long long)w->dilation.v[d], (long long)size, d, (long long)p) != NULL;
        w->count.v[d] = n;
    }
    return true;
}

/* The windows of adaptive pooling; -1 in output_size keeps a size. -> false: it failed. */
static inline bool adaptive_windows(const ebb_call *c, int dims, const ebb_ints *output_size, windows *w) {
    if (!pool_input_ok(c, dims, true)) return false;
    if (!output_size->n)
        return EBB_FAIL(c, EBB_E_ATTR, "output_size is empty; 1 or %d numbers are needed", dims) != NULL;
    w->size = spatial_of(&c->x_shape[0], dims);
    if (!one_each(c, "output_size", output_size, dims, 0, -1, &w->count)) return false;
    w->kernel_size = w->stride = w->padding = w->dilation = (ebb_ints){dims, {1, 1, 1}};
    for (int d = 0; d < dims; d++)
        if (w->count.v[d] < 0) w->count.v[d] = w->size.v[d];
    return true;
}

#endif
