/* conv.h - floor 5: windows that slide over 1 to 3 spatial dims: what attributes say of them, and how kernels walk them. */
#ifndef EBB_NEURAL_CONV_H
#define EBB_NEURAL_CONV_H
#include <ebb/op.h>

enum {
    SPATIAL = 3,
    WINDOW_MOST = 1 << 30
}; /* most spatial dims; most of any number that says where a window lies */

/* Where windows lie, one number for each spatial dim. The attribute structs of the internal ops begin with this. */
typedef struct windows {
    ebb_ints size, count; /* of the input; how many positions a window takes */
    ebb_ints kernel_size, stride, padding, dilation;
} windows;

/* The arguments of a wrapper that say the same windows. */
#define SAME_WINDOWS(w)                                                                                      \
    .size = (w)->size, .count = (w)->count, .kernel_size = (w)->kernel_size, .stride = (w)->stride,          \
    .padding = (w)->padding, .dilation = (w)->dilation

/* ---- kernels: always 3 spatial dims, absent ones are of size 1 ------------------------------------------- */

typedef struct grid {
    int64_t size[SPATIAL], count[SPATIAL], kernel[SPATIAL], stride[SPATIAL], padding[SPATIAL], dilation[SPATIAL];
    int64_t in, out, taps; /* elements of an input plane, positions, elements of a window */
} grid;

EBB_LOCAL grid ebb__grid_of(const void *attrs);

/* The positions from..to-1 at which element `tap` of the window lies in the input; the first of them sees input `at`. */
typedef struct span {
    int64_t from, to, at;
} span;

EBB_LOCAL span ebb__span_of(const grid *g, int d, int64_t tap);

/* For element (kz, ky, kx) of the window, every row of positions at which it lies in the input: n positions from p on in the
 * plane of positions see the elements i, i + step, ... of the input's plane. */
#define EACH_ROW(g, kz, ky, kx, statement)                                                                   \
    do {                                                                                                     \
        const span z_ = ebb__span_of(&(g), 0, kz), y_ = ebb__span_of(&(g), 1, ky),                           \
                   x_ = ebb__span_of(&(g), 2, kx);                                                           \
        const int64_t n = x_.to - x_.from, step = (g).stride[2];                                             \
        for (int64_t oz = z_.from, iz = z_.at; oz < z_.to && n; oz++, iz += (g).stride[0])                   \
            for (int64_t oy = y_.from, iy = y_.at; oy < y_.to; oy++, iy += (g).stride[1]) {                  \
                const int64_t p = (oz * (g).count[1] + oy) * (g).count[2] + x_.from;                         \
                const int64_t i = (iz * (g).size[1] + iy) * (g).size[2] + x_.at;                             \
                statement                                                                                    \
            }                                                                                                \
    } while (0)

/* k counts 0..n-1: with a loop of its own for neighbouring elements, which is vectorised. */
#define EACH_IN_ROW(statement)                                                                               \
    if (step == 1) {                                                                                         \
        EBB_IVDEP for (int64_t k = 0, j = 0; k < n; k++, j = k) statement                                    \
    } else                                                                                                   \
        for (int64_t k = 0, j = 0; k < n; k++, j += step) statement

/* ---- infer: windows that a kernel can walk ----------------------------------------------------------------- */

EBB_LOCAL ebb_status ebb__windows_ok(ebb_infer *s);

/* The last dims of x are these sizes, and before them there are `lead` dims (-1: any number). */
EBB_LOCAL ebb_status ebb__plane_ok(ebb_infer *s, const char *what, const ebb_info *x, int lead,
                                   const ebb_ints *sizes);

static inline void plane_shape(ebb_info *y, int from, const ebb_ints *sizes) {
    for (int d = 0; d < sizes->n; d++) y->shape[from + d] = sizes->v[d];
    y->ndim = from + sizes->n;
}

static inline int64_t numel_of(const ebb_ints *sizes) {
    int64_t n = 1;
    for (int d = 0; d < sizes->n; d++) n *= sizes->v[d];
    return n;
}

/* Says that shapes do not follow from the signature; of composed ops, which never come here. */
static inline ebb_status own_shapes(ebb_infer *s) { return s->fail(s, EBB_E_KERNEL, "it has no kernel"); }

/* ---- compose: attributes as the user gave them --------------------------------------------------------------- */

/* One number for each of `dims` dims from a list that has one, or one for all, or none: then `none`. -> false: it failed. */
EBB_LOCAL bool ebb__one_each(const ebb_call *c, const char *name, const ebb_ints *given, int dims,
                             int64_t none, int64_t least, ebb_ints *out);

static inline ebb_ints spatial_of(const ebb_shape *x, int dims) {
    ebb_ints s = {dims, {0}};
    for (int d = 0; d < dims; d++) s.v[d] = x->dim[x->ndim - dims + d];
    return s;
}

/* The shape (a, b, sizes...). */
static inline ebb_ints planes(int64_t a, int64_t b, const ebb_ints *sizes) {
    ebb_ints s = {2 + sizes->n, {a, b}};
    for (int d = 0; d < sizes->n; d++) s.v[2 + d] = sizes->v[d];
    return s;
}

/* x with a batch dim; `alone`: it has none, and is a batch of one. */
EBB_LOCAL ebb_tensor *ebb__batched(ebb_tensor *x, const ebb_shape *s, int dims, bool alone);

/* A result without its batch dim of one. */
EBB_LOCAL ebb_tensor *ebb__unbatched(ebb_tensor *y, bool alone);

#endif
