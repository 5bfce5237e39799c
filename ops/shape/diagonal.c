/* diagonal.c - floor 5: diagonals as views, matrices made of them, triangles. */
#include "shape.h"

typedef struct diagonal_attrs {
    int64_t offset, dim1, dim2;
} diagonal_attrs;
static const ebb_attr diagonal_attr[] = {
    EBB_ATTR(EBB_A_INT, diagonal_attrs, offset, "0", "above the main diagonal, or below it when negative"),
    EBB_ATTR(EBB_A_INT, diagonal_attrs, dim1, "0", "the dim of the rows"),
    EBB_ATTR(EBB_A_INT, diagonal_attrs, dim2, "1", "the dim of the columns"),
};

/* Elements of a diagonal of m rows and n columns. */
static int64_t diagonal_length(int64_t m, int64_t n, int64_t offset) {
    if (offset >= n || offset <= -m) return 0;
    if (offset < 0) m += offset;
    else n -= offset;
    return m < n ? m : n;
}

/* Shape and strides of a diagonal of x, which has dims p and q for rows and columns: the others, then it. -> its first element */
static int64_t along_diagonal(const ebb_info *x, int p, int q, int64_t offset, ebb_info *y) {
    y->ndim = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (d == p || d == q) continue;
        y->shape[y->ndim] = x->shape[d];
        y->stride[y->ndim++] = x->stride[d];
    }
    const int64_t n = y->shape[y->ndim] = diagonal_length(x->shape[p], x->shape[q], offset);
    y->stride[y->ndim++] = x->stride[p] + x->stride[q];
    return !n ? 0 : offset < 0 ? -offset * x->stride[p] : offset * x->stride[q];
}

static ebb_status diagonal_view(ebb_infer *s) {
    const diagonal_attrs *a = (const diagonal_attrs *)s->attrs;
    int p, q;
    ebb_status r = shape_dim(s, "dim1", a->dim1, s->x->ndim, &p);
    if (r == EBB_OK) r = shape_dim(s, "dim2", a->dim2, s->x->ndim, &q);
    if (r != EBB_OK) return r;
    if (p == q) return s->fail(s, EBB_E_ATTR, "dim1 and dim2 are both %d; two different dims are needed", p);
    const int64_t first = along_diagonal(s->x, p, q, a->offset, s->y);
    s->offset = s->x->numel ? first : 0;
    return EBB_OK;
}

static ebb_tensor *diagonal_dx(const ebb_call *c, ebb_tensor *g) {
    const diagonal_attrs *a = (const diagonal_attrs *)c->attrs;
    return ebb_diagonal_scatter(shape_zeros(g, &c->x_shape[0]), g, .offset = a->offset, .dim1 = a->dim1,
                                .dim2 = a->dim2);
}

EBB_OP(diagonal,
    .sig = "input()->()",
    .math = "y[..,i] = x[i, i + offset] in dims dim1, dim2;  dx = zeros with g there",
    .view = diagonal_view,
    .attrs = EBB_ATTRS(diagonal_attrs, diagonal_attr),
    .vjp = EBB_VJP({diagonal_dx, 0}),
    .flags = EBB_LINEAR,
    .tries = "[3,4]; [4,3] offset=1; [3,4] offset=-1; [2,3,3] dim1=1 dim2=2; [2,3,4] dim1=-1 dim2=0 offset=1; [2,2] offset=5; [0,3]; [1,1]",
    .doc = "A diagonal as the last dim; a view."
);

static ebb_tensor *diagonal_scatter_compose(const ebb_call *c) {
    const diagonal_attrs *a = (const diagonal_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0], *src = &c->x_shape[1];
    ebb_info in = {.dtype = x->dtype, .ndim = x->ndim}, at;
    int64_t n = 1;
    for (int d = x->ndim; d-- > 0; n *= x->dim[d]) in.shape[d] = x->dim[d], in.stride[d] = n;
    const int p = shape_dim_in(c, "dim1", a->dim1, x->ndim),
              q = p < 0 ? -1 : shape_dim_in(c, "dim2", a->dim2, x->ndim);
    if (q < 0) return NULL;
    if (p == q) return EBB_FAIL(c, EBB_E_ATTR, "dim1 and dim2 are both %d; two different dims are needed", p);
    const int64_t first = along_diagonal(&in, p, q, a->offset, &at);
    const ebb_shape want = {x->dtype, at.ndim, at.shape}, steps = {x->dtype, at.ndim, at.stride};
    if (!shape_same(&want, src))
        return EBB_FAIL(c, EBB_E_SHAPE, "src has not the shape of the diagonal, whose last dim has %lld elements",
                        (long long)at.shape[at.ndim - 1]);
    return ebb_as_strided_scatter(c->x[0], c->x[1], .size = ebb_ints_of(&want), .stride = ebb_ints_of(&steps),
                                  .storage_offset = ebb_shape_numel(&want) ? first : 0);
}

EBB_OP(diagonal_scatter,
    .sig = "input(),src()->()",
    .math = "y = x with src on a diagonal;  dx = g with 0 there,  dsrc = g there",
    .compose = diagonal_scatter_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(diagonal_attrs, diagonal_attr),
    .tries = "[3,4] [3]; [4,3] [2] offset=1; [2,3,3] [2,3] dim1=1 dim2=2; [2,2] [0] offset=5",
    .doc = "A copy of input with src written on a diagonal of it."
);

/* ---- matrices from diagonals ---- */

static const ebb_attr embed_attr[] = {
    EBB_ATTR(EBB_A_INT, diagonal_attrs, offset, "0", "above the main diagonal, or below it when negative"),
    EBB_ATTR(EBB_A_INT, diagonal_attrs, dim1, "-2", "the dim of the rows in the result"),
    EBB_ATTR(EBB_A_INT, diagonal_attrs, dim2, "-1", "the dim of the columns"),
};

static ebb_tensor *diag_embed_compose(const ebb_call *c) {
    const diagonal_attrs *a = (const diagonal_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    if (!x->ndim || x->ndim == EBB_MAX_DIMS)
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; 1 to %d are possible", x->ndim, EBB_MAX_DIMS - 1);
    const int p = shape_dim_in(c, "dim1", a->dim1, x->ndim + 1),
              q = p < 0 ? -1 : shape_dim_in(c, "dim2", a->dim2, x->ndim + 1);
    if (q < 0) return NULL;
    if (p == q) return EBB_FAIL(c, EBB_E_ATTR, "dim1 and dim2 are both %d; two different dims are needed", p);
    if (a->offset > (int64_t)1 << 40 || a->offset < -((int64_t)1 << 40))
        return EBB_FAIL(c, EBB_E_ATTR, "offset is %lld, too far", (long long)a->offset);
    ebb_ints size = {x->ndim + 1, {0}};
    const int64_t side = x->dim[x->ndim - 1] + (a->offset < 0 ? -a->offset : a->offset);
    for (int d = 0, k = 0; d <= x->ndim; d++) size.v[d] = d == p || d == q ? side : x->dim[k++];
    return ebb_diagonal_scatter(ebb_constant(c->e, (ebb_dtype)x->dtype, size, 0), c->x[0],
                                .offset = a->offset, .dim1 = p, .dim2 = q);
}

EBB_OP(diag_embed,
    .sig = "input()->()",
    .math = "y[..,i,i + offset] = x[..,i], else 0;  dx = that diagonal of g",
    .compose = diag_embed_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(diagonal_attrs, embed_attr),
    .tries = "[3]; [2,3] offset=1; [2,3] offset=-2; [2,3] dim1=0 dim2=2; [2,3] dim1=-1 dim2=0 offset=1; [0]",
    .doc = "Matrices with the last dim on a diagonal, zeros elsewhere."
);

typedef struct offset_attrs {
    int64_t offset;
} offset_attrs;
static const ebb_attr offset_attr[] = {
    EBB_ATTR(EBB_A_INT, offset_attrs, offset, "0", "above the main diagonal, or below it when negative")};

static ebb_tensor *diagflat_compose(const ebb_call *c) {
    return ebb_diag_embed(ebb_ravel(c->x[0]), .offset = ((const offset_attrs *)c->attrs)->offset);
}

EBB_OP(diagflat,
    .sig = "input()->()",
    .math = "y = the matrix with all elements of x on a diagonal;  dx = that diagonal of g",
    .compose = diagflat_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(offset_attrs, offset_attr),
    .tries = "[3]; [2,2] offset=1; [] offset=-1",
    .doc = "A matrix with all elements of the input on a diagonal, zeros elsewhere."
);

typedef struct which_attrs {
    int64_t diagonal;
} which_attrs;
static const ebb_attr which_attr[] = {
    EBB_ATTR(EBB_A_INT, which_attrs, diagonal, "0", "above the main diagonal, or below it when negative")};

static ebb_tensor *diag_compose(const ebb_call *c) {
    const int64_t k = ((const which_attrs *)c->attrs)->diagonal;
    const int n = c->x_shape[0].ndim;
    if (n != 1 && n != 2) return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; 1 or 2 are possible", n);
    return n == 1 ? ebb_diag_embed(c->x[0], .offset = k) : ebb_clone(ebb_diagonal(c->x[0], .offset = k));
}

EBB_OP(diag,
    .sig = "input()->()",
    .math = "y = the matrix with x on a diagonal, or a diagonal of the matrix x;  dx = g the other way",
    .compose = diag_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(which_attrs, which_attr),
    .tries = "[3]; [2] diagonal=1; [3,4]; [3,4] diagonal=-1; [2,2] diagonal=2",
    .doc = "Of a vector the matrix with it on a diagonal, of a matrix its diagonal. A copy."
);

/* ---- triangles ---- */

typedef struct band_attrs {
    int64_t lo, hi;
} band_attrs;
static const ebb_attr band_attr[] = {
    EBB_ATTR(EBB_A_INT, band_attrs, lo, "min", "first diagonal that stays"),
    EBB_ATTR(EBB_A_INT, band_attrs, hi, "max", "last one"),
};

static ebb_status band_infer(ebb_infer *s) {
    if (s->x->ndim < 2 && s->x->numel)
        return s->fail(s, EBB_E_SHAPE, "the input has %d dims; at least 2 are needed", s->x->ndim);
    shape_like(s->y, s->x);
    s->work = s->x->numel ? s->x->numel / s->x->shape[s->x->ndim - 1] : 1;
    return EBB_OK;
}

static int64_t between(int64_t v, int64_t lo, int64_t hi) { return v < lo ? lo : v > hi ? hi : v; }

EBB_KERNEL_MOVE(band_fwd,
    const band_attrs *a = (const band_attrs *)l->attrs;
    const ebb_info *x = &l->arg[0];
    if (!x->numel) return EBB_OK;
    const int64_t m = x->shape[x->ndim - 2]; const int64_t n = x->shape[x->ndim - 1];
    for (int64_t r = l->first; r < l->first + l->n; r++) {
        const int64_t from = between(r % m + between(a->lo, -m, n), 0, n);
        const int64_t to = between(r % m + between(a->hi, -m - 1, n) + 1, from, n);
        const T *src = (const T *)l->p[0] + r * n;
        T *y = (T *)l->p[1] + r * n;
        memset(y, 0, (size_t)from * sizeof(T));
        memcpy(y + from, src + from, (size_t)(to - from) * sizeof(T));
        memset(y + to, 0, (size_t)(n - to) * sizeof(T));
    })

static ebb_tensor *band_dx(const ebb_call *c, ebb_tensor *g) {
    const band_attrs *a = (const band_attrs *)c->attrs;
    return ebb_band(g, .lo = a->lo, .hi = a->hi);
}

EBB_OP(band,
    .sig = "input()->()",
    .math = "y[i,j] = x[i,j] where lo <= j - i <= hi, else 0;  dx = g there",
    .infer = band_infer,
    .fwd = band_fwd,
    .attrs = EBB_ATTRS(band_attrs, band_attr),
    .vjp = EBB_VJP({band_dx, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[3,4] lo=0; [3,4] hi=0; [2,4,3] lo=-1 hi=1; [3,3] lo=2 hi=1; [0,3]; [3,0]",
    .doc = "The diagonals lo to hi of each matrix, zeros elsewhere: tril and triu."
);

static ebb_tensor *tril_compose(const ebb_call *c) {
    return ebb_band(c->x[0], .hi = ((const which_attrs *)c->attrs)->diagonal);
}
static ebb_tensor *triu_compose(const ebb_call *c) {
    return ebb_band(c->x[0], .lo = ((const which_attrs *)c->attrs)->diagonal);
}
static ebb_tensor *tril_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_tril(g, .diagonal = ((const which_attrs *)c->attrs)->diagonal);
}
static ebb_tensor *triu_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_triu(g, .diagonal = ((const which_attrs *)c->attrs)->diagonal);
}

EBB_OP(tril,
    .sig = "input()->()",
    .math = "y[i,j] = x[i,j] where j - i <= diagonal, else 0;  dx = g there",
    .compose = tril_compose,
    .attrs = EBB_ATTRS(which_attrs, which_attr),
    .vjp = EBB_VJP({tril_dx, 0}),
    .flags = EBB_LINEAR | EBB_INPLACE | EBB_OWN_SHAPES,
    .tries = "[3,4]; [3,4] diagonal=1; [2,4,3] diagonal=-1; [3,3] diagonal=-9",
    .doc = "The lower triangle of each matrix, zeros above it."
);

EBB_OP(triu,
    .sig = "input()->()",
    .math = "y[i,j] = x[i,j] where j - i >= diagonal, else 0;  dx = g there",
    .compose = triu_compose,
    .attrs = EBB_ATTRS(which_attrs, which_attr),
    .vjp = EBB_VJP({triu_dx, 0}),
    .flags = EBB_LINEAR | EBB_INPLACE | EBB_OWN_SHAPES,
    .tries = "[3,4]; [3,4] diagonal=1; [2,4,3] diagonal=-1; [3,3] diagonal=9",
    .doc = "The upper triangle of each matrix, zeros below it."
);
