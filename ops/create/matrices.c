/* matrices.c - floor 5: matrices of a pattern: eye, tri, and the indices of triangles. */
#include "create.h"

typedef struct eye_attrs {
    int64_t n, m;
    int32_t dtype;
} eye_attrs;
static const ebb_attr eye_attr[] = {
    EBB_ATTR(EBB_A_INT, eye_attrs, n, NULL, "rows"),
    EBB_ATTR(EBB_A_INT, eye_attrs, m, "min", "columns; min: as many as rows"),
    EBB_ATTR(EBB_A_DTYPE, eye_attrs, dtype, "f32", "element type"),
};

/* The numbers of n rows as a column, or of columns as a row. */
static ebb_tensor *numbers(const ebb_call *c, int64_t n, bool column) {
    ebb_tensor *k = ebb_arange(c->e, .end = (double)n, .dtype = EBB_I64);
    return column ? ebb_reshape(k, .shape = EBB_SHAPE(n, 1)) : k;
}

static bool sizes_ok(const ebb_call *c, int64_t n, int64_t m) {
    if (n >= 0 && m >= 0) return true;
    return EBB_FAIL(c, EBB_E_SHAPE, "%lld rows and %lld columns: neither may be negative", (long long)n,
                    (long long)m),
           false;
}

/* Where column <= row + k. */
static ebb_tensor *lower(const ebb_call *c, int64_t n, int64_t m, int64_t k) {
    if (!sizes_ok(c, n, m)) return NULL;
    ebb_tensor *last = ebb_arange(c->e, .start = (double)k, .end = (double)k + (double)n, .dtype = EBB_I64);
    return ebb_le(numbers(c, m, false), ebb_reshape(last, .shape = EBB_SHAPE(n, 1)));
}

static ebb_dtype or_f32(int32_t dtype) { return dtype ? (ebb_dtype)dtype : EBB_F32; }

static ebb_tensor *eye_compose(const ebb_call *c) {
    const eye_attrs *a = (const eye_attrs *)c->attrs;
    const int64_t m = a->m == INT64_MIN ? a->n : a->m;
    if (!sizes_ok(c, a->n, m)) return NULL;
    return ebb_to(ebb_eq(numbers(c, m, false), numbers(c, a->n, true)), or_f32(a->dtype));
}

EBB_OP(eye,
    .sig = "->()",
    .math = "y_ij = (i = j)",
    .compose = eye_compose,
    .attrs = EBB_ATTRS(eye_attrs, eye_attr),
    .tries = "n=3; n=2 m=4 dtype=f64; n=3 m=0; n=0; n=2 dtype=bool",
    .doc = "Ones on the diagonal, zeros beside it."
);

typedef struct tri_attrs {
    int64_t n, m, k;
    int32_t dtype;
} tri_attrs;
static const ebb_attr tri_attr[] = {
    EBB_ATTR(EBB_A_INT, tri_attrs, n, NULL, "rows"),
    EBB_ATTR(EBB_A_INT, tri_attrs, m, "min", "columns; min: as many as rows"),
    EBB_ATTR(EBB_A_INT, tri_attrs, k, "0", "the last diagonal of ones; above the main one when positive",
             .lo = -1e15, .hi = 1e15),
    EBB_ATTR(EBB_A_DTYPE, tri_attrs, dtype, "f32", "element type"),
};

static ebb_tensor *tri_compose(const ebb_call *c) {
    const tri_attrs *a = (const tri_attrs *)c->attrs;
    return ebb_to(lower(c, a->n, a->m == INT64_MIN ? a->n : a->m, a->k), or_f32(a->dtype));
}

EBB_OP(tri,
    .sig = "->()",
    .math = "y_ij = (j <= i + k)",
    .compose = tri_compose,
    .attrs = EBB_ATTRS(tri_attrs, tri_attr),
    .tries = "n=3; n=2 m=4 k=1 dtype=f64; n=4 m=3 k=-2; n=0; n=2 dtype=bool",
    .doc = "Ones on and below a diagonal, zeros above it.",
    .ref = "numpy.tri"
);

typedef struct indices_attrs {
    int64_t row, col, offset;
    int32_t dtype;
} indices_attrs;
static const ebb_attr indices_attr[] = {
    EBB_ATTR(EBB_A_INT, indices_attrs, row, NULL, "rows"),
    EBB_ATTR(EBB_A_INT, indices_attrs, col, NULL, "columns"),
    EBB_ATTR(EBB_A_INT, indices_attrs, offset, "0",
             "the diagonal that bounds the triangle; above the main one when positive", .lo = -1e15, .hi = 1e15),
    EBB_ATTR(EBB_A_DTYPE, indices_attrs, dtype, "i64", "element type"),
};

static ebb_tensor *listed(const ebb_call *c, ebb_tensor *mask) {
    const indices_attrs *a = (const indices_attrs *)c->attrs;
    return ebb_to(ebb_contiguous(ebb_transpose(ebb_nonzero(mask), .dim0 = 0, .dim1 = 1)),
                  a->dtype ? (ebb_dtype)a->dtype : EBB_I64);
}
static ebb_tensor *tril_indices_compose(const ebb_call *c) {
    const indices_attrs *a = (const indices_attrs *)c->attrs;
    return listed(c, lower(c, a->row, a->col, a->offset));
}
static ebb_tensor *triu_indices_compose(const ebb_call *c) {
    const indices_attrs *a = (const indices_attrs *)c->attrs;
    ebb_tensor *below = lower(c, a->row, a->col, a->offset - 1);
    return listed(c, ebb_eq(below, ebb_scalar(below, 0)));
}

EBB_OP(tril_indices,
    .sig = "->()",
    .math = "y = the (i, j) with j <= i + offset, as two rows",
    .compose = tril_indices_compose,
    .attrs = EBB_ATTRS(indices_attrs, indices_attr),
    .tries = "row=3 col=3; row=2 col=4 offset=1; row=4 col=2 offset=-1 dtype=i32; row=0 col=2",
    .doc = "The rows and the columns of the elements on and below a diagonal, in row-major order."
);
EBB_OP(triu_indices,
    .sig = "->()",
    .math = "y = the (i, j) with j >= i + offset, as two rows",
    .compose = triu_indices_compose,
    .attrs = EBB_ATTRS(indices_attrs, indices_attr),
    .tries = "row=3 col=3; row=2 col=4 offset=1; row=4 col=2 offset=-1 dtype=i32; row=0 col=2",
    .doc = "The rows and the columns of the elements on and above a diagonal, in row-major order."
);
