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

static inline grid grid_of(const void *attrs) {
    const windows *w = (const windows *)attrs;
    grid g = {.in = 1, .out = 1, .taps = 1};
    for (int d = 0; d < SPATIAL; d++) {
        const int k = d - (SPATIAL - w->size.n);
        g.size[d] = k < 0 ? 1 : w->size.v[k];
        g.count[d] = k < 0 ? 1 : w->count.v[k];
        g.kernel[d] = k < 0 ? 1 : w->kernel_size.v[k];
        g.stride[d] = k < 0 ? 1 : w->stride.v[k];
        g.padding[d] = k < 0 ? 0 : w->padding.v[k];
        g.dilation[d] = k < 0 ? 1 : w->dilation.v[k];
        g.in *= g.size[d];
        g.out *= g.count[d];
        g.taps *= g.kernel[d];
    }
    return g;
}

/* The positions from..to-1 at which element `tap` of the window lies in the input; the first of them sees input `at`. */
typedef struct span {
    int64_t from, to, at;
} span;

static inline span span_of(const grid *g, int d, int64_t tap) {
    const int64_t s = g->stride[d], first = tap * g->dilation[d] - g->padding[d], room = g->size[d] - first;
    span r;
    r.from = first < 0 ? (s - 1 - first) / s : 0;
    r.to = room <= 0 ? 0 : (room + s - 1) / s;
    if (r.to > g->count[d]) r.to = g->count[d];
    if (r.from > r.to) r.from = r.to;
    r.at = first + r.from * s;
    return r;
}

/* For element (kz, ky, kx) of the window, every row of positions at which it lies in the input: n positions from p on in the
 * plane of positions see the elements i, i + step, ... of the input's plane. */
#define EACH_ROW(g, kz, ky, kx, statement)                                                                   \
    do {                                                                                                     \
        const span z_ = span_of(&(g), 0, kz), y_ = span_of(&(g), 1, ky), x_ = span_of(&(g), 2, kx);          \
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

static inline ebb_status windows_ok(ebb_infer *s) {
    static const char *const name[] = {"size", "count", "kernel_size", "stride", "padding", "dilation"};
    const ebb_ints *list = &((const windows *)s->attrs)->size;
    double elements = 1;
    for (int k = 0; k < 6; k++) {
        if (list[k].n != list[0].n || list[k].n < 1 || list[k].n > SPATIAL)
            return s->fail(s, EBB_E_ATTR, "%s has %d numbers and size %d; 1 to 3 are needed, as many in each",
                           name[k], list[k].n, list[0].n);
        for (int d = 0; d < list[k].n; d++) {
            const int64_t v = list[k].v[d], least = k == 2 || k == 3 || k == 5;
            if (v < least || v > WINDOW_MOST)
                return s->fail(s, EBB_E_ATTR, "%s is %lld at %d; %lld to %d are possible", name[k],
                               (long long)v, d, (long long)least, WINDOW_MOST);
            if (k == 1 || k == 2) elements *= (double)v;
        }
    }
    if (elements > 1e15)
        return s->fail(s, EBB_E_SHAPE, "all windows have %.0f elements, too many to address", elements);
    return EBB_OK;
}

/* The last dims of x are these sizes, and before them there are `lead` dims (-1: any number). */
static inline ebb_status plane_ok(ebb_infer *s, const char *what, const ebb_info *x, int lead,
                                  const ebb_ints *sizes) {
    bool same = lead < 0 ? x->ndim >= sizes->n : x->ndim == lead + sizes->n;
    for (int d = 0; d < sizes->n && same; d++) same = x->shape[x->ndim - sizes->n + d] == sizes->v[d];
    if (same) return EBB_OK;
    return s->fail(s, EBB_E_SHAPE, "the last dims of %s (%d in all) are not what the attributes say, %lld%s",
                   what, x->ndim, (long long)sizes->v[0], sizes->n > 1 ? " ..." : "");
}

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
static inline bool one_each(const ebb_call *c, const char *name, const ebb_ints *given, int dims,
                            int64_t none, int64_t least, ebb_ints *out) {
    if (given->n > 1 && given->n != dims)
        return EBB_FAIL(c, EBB_E_ATTR, "%s has %d numbers; 1 or %d are needed", name, given->n, dims) != NULL;
    out->n = dims;
    for (int d = 0; d < dims; d++) {
        out->v[d] = !given->n ? none : given->v[given->n == 1 ? 0 : d];
        if (out->v[d] < least || out->v[d] > WINDOW_MOST)
            return EBB_FAIL(c, EBB_E_ATTR, "%s is %lld; %lld to %d are possible", name, (long long)out->v[d],
                            (long long)least, WINDOW_MOST) != NULL;
    }
    return true;
}

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
static inline ebb_tensor *batched(ebb_tensor *x, const ebb_shape *s, int dims, bool alone) {
    if (!alone) return x;
    const ebb_ints sizes = spatial_of(s, dims);
    return ebb_reshape(x, .shape = planes(1, s->dim[0], &sizes));
}

/* A result without its batch dim of one. */
static inline ebb_tensor *unbatched(ebb_tensor *y, bool alone) {
    if (!y || !alone) return y;
    const ebb_info i = ebb_info_of(y);
    ebb_ints s = {i.ndim - 1, {0}};
    for (int d = 1; d < i.ndim; d++) s.v[d - 1] = i.shape[d];
    return ebb_reshape(y, .shape = s);
}

#endif
