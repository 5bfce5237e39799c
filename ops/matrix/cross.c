/* cross.c - floor 5: the cross product of vectors of three elements. */
#include "matrix.h"

typedef struct cross_attrs {
    int64_t dim;
} cross_attrs;
static const ebb_attr cross_attr[] = {
    EBB_ATTR(EBB_A_INT, cross_attrs, dim, "min", "the dim of the vectors; not given: the first of size 3")};
static const ebb_attr linalg_cross_attr[] = {EBB_ATTR(EBB_A_INT, cross_attrs, dim, "-1", "the dim of the vectors")};

EBB_KERNEL_WIDE(cross_rows_fwd,
    if (l->dim[0] != 3) return l->fail(l, EBB_E_SHAPE, "vectors have %lld elements; 3 are needed", (long long)l->dim[0]);
    const int64_t sa = l->stride[0][0]; const int64_t sb = l->stride[1][0]; const int64_t sy = l->stride[2][0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *a = (const T *)l->p[0] + r * l->step[0];
        const T *b = (const T *)l->p[1] + r * l->step[1];
        T *y = (T *)l->p[2] + r * l->step[2];
        const T y0 = a[sa] * b[2 * sb] - a[2 * sa] * b[sb];
        const T y1 = a[2 * sa] * b[0] - a[0] * b[2 * sb];
        const T y2 = a[0] * b[sb] - a[sa] * b[0];
        y[0] = y0;
        y[sy] = y1;
        y[2 * sy] = y2;
    })

static int64_t dim_of(const ebb_call *c) { return ((const cross_attrs *)c->attrs)->dim; }
static ebb_tensor *cross_rows_da(const ebb_call *c, ebb_tensor *g) {
    return ebb_cross_rows(c->x[1], g, .dim = dim_of(c));
}
static ebb_tensor *cross_rows_db(const ebb_call *c, ebb_tensor *g) {
    return ebb_cross_rows(g, c->x[0], .dim = dim_of(c));
}

EBB_OP(cross_rows,
    .sig = "input(c),other(c)->(c)",
    .math = "y = a x b;  da = b x g,  db = g x a",
    .fwd = cross_rows_fwd,
    .attrs = EBB_ATTRS(cross_attrs, linalg_cross_attr),
    .axes = "dim",
    .vjp = EBB_VJP({cross_rows_da, EBB_X(1)}, {cross_rows_db, EBB_X(0)}),
    .flags = EBB_STRIDED | EBB_INTERNAL,
    .tries = "[3] [3]; [2,3] [2,3]; [2,3] [1,3]; [3,2] [3,2] dim=0; [3,1,2] [3,2,1] dim=-3",
    .doc = "Cross products along a dim of size 3. What cross and linalg_cross are made of."
);

static ebb_tensor *crossed(const ebb_call *c, int64_t dim) {
    const ebb_shape *a = &c->x_shape[0], *b = &c->x_shape[1];
    const int d = a->ndim ? ebb_dim_of(dim, a->ndim) : -1;
    if (a->ndim != b->ndim)
        return EBB_FAIL(c, EBB_E_SHAPE, "input has %d dims and other %d; equally many are needed", a->ndim, b->ndim);
    if (d < 0) return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the inputs have %d dims", (long long)dim, a->ndim);
    if (a->dim[d] != 3 || b->dim[d] != 3)
        return EBB_FAIL(c, EBB_E_SHAPE, "dim %lld has %lld elements in input and %lld in other; 3 are needed", (long long)dim,
                        (long long)a->dim[d], (long long)b->dim[d]);
    return ebb_cross_rows(c->x[0], c->x[1], .dim = d);
}
static ebb_tensor *linalg_cross_compose(const ebb_call *c) { return crossed(c, dim_of(c)); }

static ebb_tensor *cross_compose(const ebb_call *c) {
    const ebb_shape *a = &c->x_shape[0];
    if (dim_of(c) != INT64_MIN) return crossed(c, dim_of(c));
    for (int d = 0; d < a->ndim; d++)
        if (a->dim[d] == 3) return crossed(c, d);
    return EBB_FAIL(c, EBB_E_SHAPE, "no dim of the input has 3 elements, and dim is not given");
}

EBB_OP(cross,
    .sig = "input(),other()->()",
    .math = "y = a x b;  da = b x g,  db = g x a",
    .compose = cross_compose,
    .attrs = EBB_ATTRS(cross_attrs, cross_attr),
    .tries = "[3] [3]; [2,3] [2,3]; [3,3] [3,3] dim=1; [3,3] [3,3]; [3,1] [3,2]; [0,3] [0,3]",
    .doc = "Cross products along dim, or along the first dim of size 3; the other dims broadcast.",
    .ref = "torch.cross"
);
EBB_OP(linalg_cross,
    .sig = "input(),other()->()",
    .math = "y = a x b;  da = b x g,  db = g x a",
    .compose = linalg_cross_compose,
    .attrs = EBB_ATTRS(cross_attrs, linalg_cross_attr),
    .tries = "[3] [3]; [2,3] [2,3]; [3,2] [3,2] dim=0; [2,3] [1,3]; [0,3] [0,3]",
    .doc = "Cross products along dim, the last by default; the other dims broadcast.",
    .ref = "torch.linalg.cross"
);
