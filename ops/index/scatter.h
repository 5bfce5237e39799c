/* scatter.h - floor 5: what the scatter ops share: shapes, the walk over columns, the part of a source that is used. */
#ifndef EBB_SCATTER_H
#define EBB_SCATTER_H
#include "index.h"

/* Whether an index of this shape points into x: of its rank, and outside dim no larger. 0-d counts as one element. */
static inline ebb_status points_into(ebb_infer *s, const ebb_info *index) {
    const ebb_info *x = s->x;
    const int d = indexed_dim(s->attrs, x->ndim);
    if (d < 0) return dim_refused(s);
    if (!index->numel) return EBB_OK;
    if (x->ndim && !x->shape[d])
        return s->fail(s, EBB_E_INDEX, "input has no elements along dim %d to be indexed", d);
    if ((x->ndim ? x->ndim : 1) != (index->ndim ? index->ndim : 1))
        return s->fail(s, EBB_E_SHAPE, "index has %d dims, input %d; they must have the same number",
                       index->ndim, x->ndim);
    for (int k = 0; k < x->ndim; k++)
        if (k != d && index->ndim && index->shape[k] > x->shape[k])
            return s->fail(s, EBB_E_SHAPE, "dim %d of index is %lld, of input only %lld", k,
                           (long long)index->shape[k], (long long)x->shape[k]);
    return EBB_OK;
}

static inline ebb_status scatter_infer(ebb_infer *s) {
    const ebb_status r = points_into(s, &s->x[1]);
    if (r != EBB_OK) return r;
    const ebb_info *index = &s->x[1], *src = &s->x[2];
    bool same = !src->ndim || src->ndim == index->ndim || (src->ndim == 1 && src->shape[0] == 1 && !index->ndim);
    for (int k = 0; k < index->ndim && same && src->ndim; k++) same = src->shape[k] == index->shape[k];
    if (!same) return s->fail(s, EBB_E_SHAPE, "index and src differ in shape");
    shape_like(s->y, s->x);
    const around a = around_dim(s->x, indexed_dim(s->attrs, s->x->ndim));
    s->work = a.outer && a.inner ? a.outer * a.inner : 1;
    return EBB_OK;
}

/* Where in the index the place k of the tensor's dims [from, to) is; -1: the index does not reach so far. */
static inline int64_t part_of(const field *f, int from, int to, int64_t k) {
    int64_t at = 0;
    for (int d = to; d-- > from;) {
        const int64_t i = d > from ? k % f->whole[d] : k;
        if (d > from) k /= f->whole[d];
        if (i >= f->part[d]) return -1;
        at += i * f->at[d];
    }
    return at;
}

/* Units are columns: the elements of input that differ in dim alone. Each takes its sources in order, so any split gives the same
 * bits. `put` writes v to *place. */
#define SCATTER(put)                                                                                            \
    const T *x = (const T *)l->p[0], *src = (const T *)l->p[2];                                                 \
    T *y = (T *)l->p[3];                                                                                        \
    if (!l->arg[0].numel || !l->arg[1].numel) {                                                                 \
        if (l->arg[0].numel && x != y && !l->first) memcpy(y, x, (size_t)l->arg[0].numel * sizeof(T));          \
        return EBB_OK;                                                                                          \
    }                                                                                                           \
    const field f = field_of(&l->arg[0], &l->arg[1], indexed_dim(l->attrs, l->arg[0].ndim));                    \
    const int64_t *index = (const int64_t *)l->p[1];                                                            \
    const int64_t every = l->arg[2].ndim != 0, end = l->first + l->n, row = f.whole[f.nd - 1];                  \
    const int64_t limit = f.part[f.nd - 1]; /* how far the index reaches in a row */                            \
    const bool flat = f.nd - 2 <= f.dim;    /* at most one dim inside */                                        \
    for (int64_t u = l->first, m; u < end; u += m) {                                                            \
        const int64_t o = u / f.inner, k0 = u % f.inner, base = o * f.rows * f.inner;                           \
        m = f.inner - k0 < end - u ? f.inner - k0 : end - u;                                                    \
        if (x != y) copy_columns(y + base + k0, x + base + k0, f.rows, f.inner, m, sizeof(T));                  \
        const int64_t p = part_of(&f, 0, f.dim, o);                                                             \
        if (p >= 0 && f.dim == f.nd - 1) { /* the last dim: one column after another */                         \
            for (int64_t i = p; i < p + f.part[f.dim]; i++) {                                                   \
                if ((uint64_t)index[i] >= (uint64_t)f.rows) return index_refused(l, index[i], f.rows);          \
                const T v = src[i * every];                                                                     \
                T *const place = y + base + index[i];                                                           \
                put;                                                                                            \
            }                                                                                                   \
            continue;                                                                                           \
        }                                                                                                       \
        for (int64_t i = 0; i < f.part[f.dim] && p >= 0; i++)                                                   \
            for (int64_t k = k0; k < k0 + m;) {                                                                 \
                const int64_t j = flat ? k : k % row, q = flat ? 0 : part_of(&f, f.dim + 1, f.nd - 1, k / row); \
                const int64_t left = j + k0 + m - k, n = (limit < left ? limit : left) - j;                     \
                const int64_t s = p + i * f.at[f.dim] + q + j;                                                  \
                T *to = y + base + k;                                                                           \
                for (int64_t t = 0; t < n && q >= 0; t++, to++) {                                               \
                    const int64_t at = index[s + t];                                                            \
                    if ((uint64_t)at >= (uint64_t)f.rows) return index_refused(l, at, f.rows);                  \
                    const T v = src[(s + t) * every];                                                           \
                    T *const place = to + at * f.inner;                                                         \
                    put;                                                                                        \
                }                                                                                               \
                k += flat ? m : row - j;                                                                        \
            }                                                                                                   \
    }

/* The part of src that index covers. */
static inline ebb_tensor *covered(const ebb_call *c) {
    const ebb_shape *index = &c->x_shape[1], *have = &c->x_shape[2];
    ebb_tensor *src = c->x[2];
    if (!ebb_shape_numel(index))
        return ebb_reshape(ebb_slice(ebb_reshape(src, .shape = EBB_SHAPE(ebb_shape_numel(have))), .end = 0),
                           .shape = ebb_ints_of(index));
    if ((index->ndim ? index->ndim : 1) != (have->ndim ? have->ndim : 1))
        return EBB_FAIL(c, EBB_E_SHAPE, "index has %d dims, src %d; they must have the same number",
                        index->ndim, have->ndim);
    for (int d = 0; d < index->ndim; d++) {
        const int64_t n = have->ndim ? have->dim[d] : 1;
        if (index->dim[d] > n)
            return EBB_FAIL(c, EBB_E_SHAPE, "dim %d of index is %lld, of src only %lld", d,
                            (long long)index->dim[d], (long long)n);
        if (index->dim[d] < n) src = ebb_slice(src, .dim = d, .end = index->dim[d]);
    }
    if (!index->ndim && have->ndim && have->dim[0] != 1) src = ebb_slice(src, .end = 1);
    return index->ndim == have->ndim ? src : ebb_reshape(src, .shape = ebb_ints_of(index));
}
#endif
