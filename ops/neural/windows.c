/* windows.c - floor 5: where windows lie: for kernels, and from what the user said. */
#include "pool.h"

grid ebb__grid_of(const void *attrs) {
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

span ebb__span_of(const grid *g, int d, int64_t tap) {
    const int64_t s = g->stride[d], first = tap * g->dilation[d] - g->padding[d], room = g->size[d] - first;
    span r;
    r.from = first < 0 ? (s - 1 - first) / s : 0;
    r.to = room <= 0 ? 0 : (room + s - 1) / s;
    if (r.to > g->count[d]) r.to = g->count[d];
    if (r.from > r.to) r.from = r.to;
    r.at = first + r.from * s;
    return r;
}

ebb_status ebb__windows_ok(ebb_infer *s) {
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

ebb_status ebb__plane_ok(ebb_infer *s, const char *what, const ebb_info *x, int lead, const ebb_ints *sizes) {
    bool same = lead < 0 ? x->ndim >= sizes->n : x->ndim == lead + sizes->n;
    for (int d = 0; d < sizes->n && same; d++) same = x->shape[x->ndim - sizes->n + d] == sizes->v[d];
    if (same) return EBB_OK;
    return s->fail(s, EBB_E_SHAPE, "the last dims of %s (%d in all) are not what the attributes say, %lld%s",
                   what, x->ndim, (long long)sizes->v[0], sizes->n > 1 ? " ..." : "");
}

bool ebb__one_each(const ebb_call *c, const char *name, const ebb_ints *given, int dims, int64_t none,
                   int64_t least, ebb_ints *out) {
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

ebb_tensor *ebb__batched(ebb_tensor *x, const ebb_shape *s, int dims, bool alone) {
    if (!alone) return x;
    const ebb_ints sizes = spatial_of(s, dims);
    return ebb_reshape(x, .shape = planes(1, s->dim[0], &sizes));
}

ebb_tensor *ebb__unbatched(ebb_tensor *y, bool alone) {
    if (!y || !alone) return y;
    const ebb_info i = ebb_info_of(y);
    ebb_ints s = {i.ndim - 1, {0}};
    for (int d = 1; d < i.ndim; d++) s.v[d - 1] = i.shape[d];
    return ebb_reshape(y, .shape = s);
}

reach ebb__reach_of(const grid *g, bool adaptive, int d, int64_t o) {
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

bool ebb__pool_input_ok(const ebb_call *c, int dims, bool channels_too) {
    const ebb_shape *x = &c->x_shape[0];
    bool fits = x->ndim == dims + 1 || x->ndim == dims + 2;
    for (int d = channels_too ? 1 : x->ndim - dims - 1; fits && d < x->ndim; d++) fits = x->dim[d] > 0;
    if (fits) return true;
    return EBB_FAIL(c, EBB_E_SHAPE,
                    "the input has %d dims, or an empty one; (channels, %d spatial dims) are needed, none empty, and perhaps a batch before them",
                    x->ndim, dims) != NULL;
}

bool ebb__pool_windows(const ebb_call *c, int dims, const ebb_ints *kernel, const ebb_ints *stride,
                       const ebb_ints *padding, const ebb_ints *dilation, bool ceil_mode, windows *w) {
    static const ebb_ints none = {0, {0}};
    if (!ebb__pool_input_ok(c, dims, false)) return false;
    w->size = spatial_of(&c->x_shape[0], dims);
    if (!kernel->n)
        return EBB_FAIL(c, EBB_E_ATTR, "kernel_size is empty; 1 or %d numbers are needed", dims) != NULL;
    if (!ebb__one_each(c, "kernel_size", kernel, dims, 1, 1, &w->kernel_size) ||
        !ebb__one_each(c, "stride", stride->n ? stride : kernel, dims, 1, 1, &w->stride) ||
        !ebb__one_each(c, "padding", padding ? padding : &none, dims, 0, 0, &w->padding) ||
        !ebb__one_each(c, "dilation", dilation ? dilation : &none, dims, 1, 1, &w->dilation))
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

bool ebb__adaptive_windows(const ebb_call *c, int dims, const ebb_ints *output_size, windows *w) {
    if (!ebb__pool_input_ok(c, dims, true)) return false;
    if (!output_size->n)
        return EBB_FAIL(c, EBB_E_ATTR, "output_size is empty; 1 or %d numbers are needed", dims) != NULL;
    w->size = spatial_of(&c->x_shape[0], dims);
    if (!ebb__one_each(c, "output_size", output_size, dims, 0, -1, &w->count)) return false;
    w->kernel_size = w->stride = w->padding = w->dilation = (ebb_ints){dims, {1, 1, 1}};
    for (int d = 0; d < dims; d++)
        if (w->count.v[d] < 0) w->count.v[d] = w->size.v[d];
    return true;
}
