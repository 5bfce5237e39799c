/* remap.c - floor 5: copies whose every dim is read through a map of its indices: padding, tiling, rolling, flipping. */
#include "shape.h"

#define FAR ((int64_t)1 << 48)
enum { CONSTANT, REFLECT, REPLICATE, CIRCULAR, STRETCH, FLIP };

typedef struct remap_attrs {
    ebb_ints before, size;
    int32_t mode;
} remap_attrs;
static const ebb_attr remap_attr[] = {
    EBB_ATTR(EBB_A_INTS, remap_attrs, before, NULL, "y[i] is x[i - before]; flip: which dims"),
    EBB_ATTR(EBB_A_INTS, remap_attrs, size, NULL, "sizes of the result"),
    EBB_ATTR(EBB_A_ENUM, remap_attrs, mode, "constant", "what lies outside; stretch: y[i] is x[i*n/size]",
             .choices = "constant|reflect|replicate|circular|stretch|flip"),
};

static bool maps(const remap_attrs *a, int64_t n, int d) { return a->before.v[d] || a->size.v[d] != n; }

static int64_t modulo(int64_t i, int64_t n) { return i % n < 0 ? i % n + n : i % n; }

/* The index of x that place i of y is read from; -1: none. */
static int64_t source(const remap_attrs *a, int d, int64_t n, int64_t i) {
    if (d < 0) return i; /* a 0-d tensor */
    const int64_t at = i - a->before.v[d];
    if (a->mode == STRETCH) return i / (a->size.v[d] / n);
    if (a->mode == FLIP) return a->before.v[d] ? n - 1 - i : i;
    if (at >= 0 && at < n) return at;
    if (a->mode == REPLICATE) return at < 0 ? 0 : n - 1;
    if (a->mode == CIRCULAR) return modulo(at, n);
    if (a->mode != REFLECT) return -1;
    const int64_t turn = n > 1 ? modulo(at, 2 * n - 2) : 0;
    return turn < n ? turn : 2 * n - 2 - turn;
}

/* The last dim that is mapped, rows of it, and the elements that stay together behind it. */
typedef struct layout {
    int dim;
    int64_t rows, n, size, inner;
} layout;

static layout layout_of(const remap_attrs *a, const ebb_info *x) {
    layout r = {x->ndim - 1, 1, 1, 1, 1};
    while (r.dim > 0 && !maps(a, x->shape[r.dim], r.dim)) r.inner *= x->shape[r.dim--];
    if (r.dim >= 0) r.n = x->shape[r.dim], r.size = a->size.v[r.dim];
    for (int d = 0; d < r.dim; d++) r.rows *= a->size.v[d];
    return r;
}

static ebb_status remap_infer(ebb_infer *s) {
    const remap_attrs *a = (const remap_attrs *)s->attrs;
    if (a->before.n != s->x->ndim || a->size.n != s->x->ndim)
        return s->fail(s, EBB_E_ATTR, "before has %d numbers and size %d, the input %d dims", a->before.n,
                       a->size.n, s->x->ndim);
    if (s->n_x > 1 && s->x[1].ndim)
        return s->fail(s, EBB_E_SHAPE, "fill has %d dims; it is one number", s->x[1].ndim);
    s->y->ndim = s->x->ndim;
    double elements = 1;
    for (int d = 0; d < s->x->ndim; d++) {
        const int64_t n = s->x->shape[d], to = s->y->shape[d] = a->size.v[d], off = a->before.v[d];
        if (to < 0 || off > FAR || off < -FAR)
            return s->fail(s, EBB_E_ATTR, "dim %d cannot have size %lld, moved by %lld", d, (long long)to,
                           (long long)off);
        if ((a->mode != CONSTANT && !n && to) || (a->mode == STRETCH && n && to % n) ||
            (a->mode == FLIP && to != n))
            return s->fail(s, EBB_E_SHAPE, "dim %d of %lld elements cannot become %lld", d, (long long)n,
                           (long long)to);
        elements *= to > 1 ? (double)to : 1;
    }
    if (elements > 1e15) return s->fail(s, EBB_E_SHAPE, "the result would have %.0f elements", elements);
    s->work = layout_of(a, s->x).rows;
    if (s->work < 1) s->work = 1;
    return EBB_OK;
}

EBB_KERNEL_MOVE(remap_fwd,
    const remap_attrs *a = (const remap_attrs *)l->attrs;
    const ebb_info *x = &l->arg[0];
    const layout r = layout_of(a, x);
    const int64_t block = r.size * r.inner;
    const size_t bytes = (size_t)r.inner * sizeof(T);
    const T fill = l->n_x > 1 && l->p[1] ? *(const T *)l->p[1] : 0;
    if (!l->arg[l->n_x].numel) return EBB_OK;
    for (int64_t row = l->first; row < l->first + l->n; row++) {
        T *y = (T *)l->p[l->n_x] + row * block;
        int64_t k = row; int64_t step = r.n * r.inner; int64_t from = 0;
        for (int d = r.dim; d-- > 0 && from >= 0; k /= a->size.v[d]) {
            const int64_t at = source(a, d, x->shape[d], k % a->size.v[d]);
            from = at < 0 ? -1 : from + at * step;
            step *= x->shape[d];
        }
        const int64_t before = r.dim < 0 ? 0 : a->before.v[r.dim];
        int64_t lo = before < 0 ? 0 : before < r.size ? before : r.size;
        int64_t hi = before + r.n < lo ? lo : before + r.n < r.size ? before + r.n : r.size;
        if (from < 0 || !x->numel) lo = hi = 0;
        const T *src = (const T *)l->p[0] + (from < 0 ? 0 : from);
        if (a->mode == CONSTANT) {
            for (int64_t i = 0; i < lo * r.inner; i++) y[i] = fill;
            if (hi > lo) memcpy(y + lo * r.inner, src + (lo - before) * r.inner, (size_t)(hi - lo) * bytes);
            for (int64_t i = hi * r.inner; i < block; i++) y[i] = fill;
            continue;
        }
        if (a->mode == FLIP && before && r.inner == 1) {
            for (int64_t i = 0; i < r.n; i++) y[i] = src[r.n - 1 - i];
            continue;
        }
        if (a->mode == STRETCH && r.inner == 1) {
            const int64_t times = r.size / r.n;
            for (int64_t i = 0; i < r.n; i++)
                for (int64_t j = 0; j < times; j++) y[i * times + j] = src[i];
            continue;
        }
        if (a->mode == CIRCULAR) { /* the period once, then copies of what is there, ever longer ones */
            for (int64_t i = 0; i < r.size;) {
                const int64_t at = modulo(i - before, r.n); const int64_t whole = i - i % r.n;
                const int64_t most = i < r.n ? r.n - at : whole; const int64_t run = most < r.size - i ? most : r.size - i;
                memcpy(y + i * r.inner, i < r.n ? src + at * r.inner : y + (i - whole) * r.inner, (size_t)run * bytes);
                i += run;
            }
            continue;
        }
        if (a->mode >= STRETCH) lo = hi = 0;
        if (hi > lo) memcpy(y + lo * r.inner, src + (lo - before) * r.inner, (size_t)(hi - lo) * bytes);
        for (int64_t i = 0; i < r.size; i++) {
            if (i == lo) i = hi;
            if (i >= r.size) break;
            const int64_t at = source(a, r.dim, r.n, i);
            if (r.inner == 1) y[i] = src[at];
            else memcpy(y + i * r.inner, src + at * r.inner, bytes);
        }
    })

/* Adjoint along one dim: each element of g is added where it was read. */
static ebb_tensor *back_along(const ebb_call *c, int d, ebb_tensor *g) {
    const remap_attrs *a = (const remap_attrs *)c->attrs;
    const ebb_info i = ebb_info_of(g);
    ebb_shape s = {i.dtype, i.ndim, i.shape};
    ebb_ints to = ebb_ints_of(&s);
    const int64_t n = to.v[d] = c->x_shape[0].dim[d];
    if (a->mode == STRETCH && i.numel) { /* neighbours: (before and n, times, behind) summed over times */
        int64_t behind = 1;
        for (int k = d + 1; k < i.ndim; k++) behind *= i.shape[k];
        const ebb_ints split = EBB_SHAPE(i.numel / (i.shape[d] / n) / behind, i.shape[d] / n, behind);
        return ebb_reshape(ebb_sum(ebb_reshape(g, .shape = split), .dim = EBB_DIMS(1)), .shape = to);
    }
    ebb_tensor *index =
        ebb_remap(ebb_arange(c->e, .end = (double)n, .dtype = EBB_I64), .before = EBB_DIMS(a->before.v[d]),
                  .size = EBB_DIMS(a->size.v[d]), .mode = a->mode);
    return ebb_index_add(ebb_expand(ebb_scalar(g, 0), .size = to), index, g, .dim = d);
}

static ebb_tensor *remap_dx(const ebb_call *c, ebb_tensor *g) {
    const remap_attrs *a = (const remap_attrs *)c->attrs;
    ebb_ints back = a->before;
    bool moved = a->mode != STRETCH; /* each element once at most: the map has an inverse */
    for (int d = 0; d < back.n; d++) {
        if (a->mode != FLIP) back.v[d] = -back.v[d];
        if (a->mode != CONSTANT && a->size.v[d] != c->x_shape[0].dim[d]) moved = false;
        if (a->mode != CIRCULAR && a->mode != CONSTANT && a->mode != FLIP && back.v[d]) moved = false;
    }
    if (moved) return ebb_remap(g, .before = back, .size = ebb_ints_of(&c->x_shape[0]), .mode = a->mode);
    for (int d = back.n; d-- > 0;)
        if (maps(a, c->x_shape[0].dim[d], d)) g = back_along(c, d, g);
    return g;
}
static ebb_tensor *remap_dfill(const ebb_call *c, ebb_tensor *g) { /* what did not come from x */
    const remap_attrs *a = (const remap_attrs *)c->attrs;
    if (a->mode != CONSTANT) return shape_zeros(g, &c->x_shape[1]);
    ebb_tensor *ones = ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype, ebb_ints_of(&c->x_shape[0]), 1);
    return ebb_sum(ebb_mul(g, ebb_sub_from(1, ebb_remap(ones, .before = a->before, .size = a->size))));
}

EBB_OP(remap,
    .sig = "input(),fill()?->()",
    .math = "y[i..] = x[m(i)..], m a map of each dim's indices;  dx = g added where it came from",
    .infer = remap_infer,
    .fwd = remap_fwd,
    .attrs = EBB_ATTRS(remap_attrs, remap_attr),
    .vjp = EBB_VJP({remap_dx, 0}, {remap_dfill, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[3] - before=1 size=6; [3] [] before=1 size=6; [2,3] [] before=1,-1 size=2,4; [5] - before=2 size=9 mode=reflect; [2,3] - before=1,0 size=4,5 mode=replicate; [3] - before=2 size=10 mode=circular; [2,3] - before=0,1 size=2,3 mode=circular; [2,3,2] - before=0,0,0 size=2,9,2 mode=stretch; [2,3] - before=0,0 size=2,6 mode=stretch; [3,2] - before=1,0 size=3,2 mode=flip; [2,3] - before=1,1 size=2,3 mode=flip; [] - before= size=; [0,2] - before=1,0 size=2,2",
    .doc = "A copy read through a map of indices: what pad, roll, flip, repeat and the gradient of slice are made of."
);

/* ---- pad ---- */

typedef struct pad_attrs {
    ebb_ints pad;
    int32_t mode;
    double value;
} pad_attrs;
static const ebb_attr pad_attr[] = {
    EBB_ATTR(EBB_A_INTS, pad_attrs, pad, NULL,
             "before and after of the last dim, then of the one before it ...; negative cuts off"),
    EBB_ATTR(EBB_A_ENUM, pad_attrs, mode, "constant", "what is put there",
             .choices = "constant|reflect|replicate|circular"),
    EBB_ATTR(EBB_A_FLOAT, pad_attrs, value, "0", "of constant"),
};

/* What the modes that read the input ask of it. */
static bool pad_fits(const ebb_call *c, const pad_attrs *a, int dims) {
    const ebb_shape *x = &c->x_shape[0];
    const bool circular = a->mode == CIRCULAR;
    if (a->value != 0) return (void)EBB_FAIL(c, EBB_E_ATTR, "value belongs to the mode constant"), false;
    if (dims < 1 || dims > 3 || (x->ndim != dims + 2 && (circular || x->ndim != dims + 1)))
        return (void)EBB_FAIL(c, EBB_E_SHAPE,
                              "%d dims are padded of an input with %d; but for constant, 1 to 3 are, of an input with %s more",
                              dims, x->ndim, circular ? "2" : "1 or 2"),
               false;
    for (int d = 0; d < x->ndim; d++) {
        const int k = x->ndim - 1 - d;
        const int64_t n = x->dim[d], before = k < dims ? a->pad.v[2 * k] : 0,
                      after = k < dims ? a->pad.v[2 * k + 1] : 0;
        const int64_t most = a->mode == REFLECT ? n - 1 : circular ? n : INT64_MAX;
        const bool batch = k >= dims && (circular || (!d && (k > dims || a->mode == REFLECT)));
        if (!batch && ((!n && !circular) || (k < dims && (before > most || after > most))))
            return (void)EBB_FAIL(c, EBB_E_SHAPE, "dim %d has %lld elements, too few for what is put around them",
                                  d, (long long)n),
                   false;
        if (!batch && !circular && n + before + after < 1)
            return (void)EBB_FAIL(c, EBB_E_SHAPE, "nothing of dim %d would be left", d), false;
    }
    return true;
}

/* The value as one element. NULL with an error where the element type cannot hold it. */
static ebb_tensor *pad_value(const ebb_call *c, double v) {
    static const double lo[EBB_DTYPES] = {[EBB_I32] = -0x1p31, [EBB_I64] = -0x1p63},
                        hi[EBB_DTYPES] = {[EBB_I32] = 0x1p31 - 1, [EBB_I64] = 0x1p63, [EBB_U8] = 255};
    const int32_t d = c->x_shape[0].dtype;
    if (!ebb_is_float(d) && d != EBB_BOOL && !(v >= lo[d] && v <= hi[d]))
        return EBB_FAIL(c, EBB_E_ATTR, "value is %g, which the element type cannot hold", v);
    return ebb_to(ebb_scalar(c->x[0], v), (ebb_dtype)d);
}

static ebb_tensor *pad_compose(const ebb_call *c) {
    const pad_attrs *a = (const pad_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    const int dims = a->pad.n / 2;
    if (a->pad.n % 2)
        return EBB_FAIL(c, EBB_E_ATTR, "pad has %d numbers; two for each dim are needed", a->pad.n);
    if (dims > x->ndim) return EBB_FAIL(c, EBB_E_SHAPE, "pad names %d dims, the input has %d", dims, x->ndim);
    ebb_ints before = {x->ndim, {0}}, size = ebb_ints_of(x);
    ebb_tensor *y = c->x[0];
    bool grows = false;
    for (int k = 0; k < a->pad.n; k++) {
        if (a->pad.v[k] > FAR || a->pad.v[k] < -FAR)
            return EBB_FAIL(c, EBB_E_ATTR, "pad has %lld, too many", (long long)a->pad.v[k]);
        grows = grows || a->pad.v[k] > 0;
    }
    if (a->mode != CONSTANT && !pad_fits(c, a, dims)) return NULL;
    for (int k = 0; k < dims; k++) {
        const int d = x->ndim - 1 - k;
        const int64_t n = x->dim[d], p = a->pad.v[2 * k], q = a->pad.v[2 * k + 1],
                      left = n + (p < 0 ? p : 0) + (q < 0 ? q : 0);
        before.v[d] = p;
        size.v[d] += p + q;
        if (left < 0 || (a->mode == CONSTANT && grows && size.v[d] < 1))
            return EBB_FAIL(c, EBB_E_SHAPE, "nothing of dim %d would be left", d);
        if (a->mode != CIRCULAR || left == n) continue;
        y = ebb_slice(y, .dim = d, .start = p < 0 ? -p : 0, .end = q < 0 ? n + q : n); /* what is cut off does not come round */
        if (p < 0) before.v[d] = 0;
    }
    const bool filled = grows && a->value != 0;
    ebb_tensor *fill = filled ? pad_value(c, a->value) : NULL;
    return filled && !fill ? NULL : ebb_remap(y, fill, .before = before, .size = size, .mode = a->mode);
}

EBB_OP(pad,
    .sig = "input()->()",
    .math = "y = x with elements put before and after it in some dims;  dx = g where x is, and what was read again added",
    .compose = pad_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(pad_attrs, pad_attr),
    .tries = "[3] pad=1,2; [2,3] pad=1,0,0,2 value=2.5; [2,3] pad=-1,1; [1,2,4] pad=2,1 mode=reflect; [2,4] pad=1,3 mode=replicate; [1,1,3,2] pad=1,2,2,0 mode=circular; [2,1,4] pad=-1,2 mode=circular; [2,3,3] pad=1,1,2,1 mode=reflect; [0] pad=1,1; [2] pad=",
    .doc = "Elements put around the input: a value, or the input mirrored (the edge itself once), its edge, or the input again. "
           "Dims are given from the last on."
);
