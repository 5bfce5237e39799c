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
EBB_LOCAL reach ebb__reach_of(const grid *g, bool adaptive, int d, int64_t o);

/* Every position p, with its window along each dim: Z, Y and X, which `along_x` computes for position ox. */
#define EACH_WINDOW(g, adaptive, along_x, statement)                                                         \
    for (int64_t oz = 0, p = 0; oz < (g).count[0]; oz++) {                                                   \
        const reach Z = ebb__reach_of(&(g), adaptive, 0, oz);                                                \
        for (int64_t oy = 0; oy < (g).count[1]; oy++) {                                                      \
            const reach Y = ebb__reach_of(&(g), adaptive, 1, oy);                                            \
            for (int64_t ox = 0; ox < (g).count[2]; ox++, p++) {                                             \
                const reach X = (along_x);                                                                   \
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
        const reach Z = ebb__reach_of(&(g), false, 0, oz);                                                   \
        for (int64_t oy = 0; oy < (g).count[1]; oy++) {                                                      \
            const reach Y = ebb__reach_of(&(g), false, 1, oy);                                               \
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
    for (int64_t k = 0; k < g->kernel[2]; k++) s[k] = ebb__span_of(g, 2, k);
    return s;
}

/* The input of an op over `dims` spatial dims: channels before them, perhaps a batch. The batch may be empty, and with
 * `channels_too` so may channels without one. -> false: it failed */
EBB_LOCAL bool ebb__pool_input_ok(const ebb_call *c, int dims, bool channels_too);

/* What the user said of the windows, to windows with their count. stride: kernel_size when not given. -> false: it failed. */
EBB_LOCAL bool ebb__pool_windows(const ebb_call *c, int dims, const ebb_ints *kernel, const ebb_ints *stride,
                                 const ebb_ints *padding, const ebb_ints *dilation, bool ceil_mode, windows *w);

/* The windows of adaptive pooling; -1 in output_size keeps a size. -> false: it failed. */
EBB_LOCAL bool ebb__adaptive_windows(const ebb_call *c, int dims, const ebb_ints *output_size, windows *w);

#endif
