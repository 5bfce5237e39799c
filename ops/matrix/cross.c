/* cross.c - floor 5: the cross product of vectors of three elements. */
#include "matrix.h"

typedef struct cross_attrs {
    int64_t dim;
} cross_attrs;
static const ebb_attr cross_attr[] = {
    EBB_ATTR(EBB_A_INT, cross_attrs, dim, "min", "the dim of the vectors; not given: the first of size 3")};
static const ebb_attr linalg_cross_attr[] = {EBB_ATTR(EBB_A_INT, cross_attrs, dim, "-1", "the dim of the vectors")};

static ebb_status cross_rows_infer(ebb_infer *s) {
    const ebb_info *a = &s->x[0], *b = &s->x[1];
    const int64_t dim = ((const cross_attrs *)s->attrs)->dim;
    const int d = a->ndim ? ebb_dim_of(dim, a->ndim) : -1;
    if (d < 0 || a->shape[d] != 3 || a->ndim != b->ndim ||
        memcmp(a->shape, b->shape, sizeof *a->shape * (size_t)a->ndim))
        return s->fail(s, EBB_E_SHAPE, "the inputs have one shape, with 3 elements in dim %lld", (long long)dim);
    s->y->ndim = a->ndim;
    memcpy(s->y->shape, a->shape, sizeof *a->shape * (size_t)a->ndim);
    s->work = a->numel ? a->numel / 3 : 1;
    return EBB_OK;
}

/* A unit is a vector; those in a row lie side by side, their elements `inner` apart. */
EBB_KERNEL_WIDE(cross_rows_fwd,
    const ebb_info *x = &l->arg[0];
    int64_t inner = 1;
    for (int d = x->ndim; d-- > ebb_dim_of(((const cross_attrs *)l->attrs)->dim, x->ndim) + 1;) inner *= x->shape[d];
    const int64_t s = inner; const int64_t end = x->numel ? l->first + l->n : 0;
    for (int64_t u = l->first; u < end;) {
        const int64_t at = u / inner * inner * 3 + u % inner;
        const int64_t rest = inner - u % inner;
        const int64_t n = inner == 1 ? end - u : rest < end - u ? rest : end - u;
        const int64_t step = inner == 1 ? 3 : 1;
        const T *a = (const T *)l->p[0] + at;
        const T *b = (const T *)l->p[1] + at;
        T *y = (T *)l->p[2] + at;
        EBB_IVDEP for (int64_t k = 0; k < n * step; k += step) {
            y[k] = a[k + s] * b[k + 2 * s] - a[k + 2 * s] * b[k + s];
            y[k + s] = a[k + 2 * s] * b[k] - a[k] * b[k + 2 * s];
            y[k + 2 * s] = a[k] * b[k + s] - a[k + s] * b[k];
        }
        u += n;
    })

static int64_t dim_of(const ebb_call *c) { return ((const cross_attrs *)c->attrs)->dim; }
static ebb_tensor *cross_rows_da(const ebb_call *c, ebb_tensor *g) {
    return ebb_cross_rows(c->x[1], g, .dim = dim_of(c));
}
static ebb_tensor *cross_rows_db(const ebb_call *c, ebb_tensor *g) {
    return ebb_cross_rows(g, c->x[0], .dim = dim_of(c));
}

EBB_OP(cross_rows,
    .sig = "input(),other()->()",
    .math = "y = a x b;  da = b x g,  db = g x a",
    .infer = cross_rows_infer,
    .fwd = cross_rows_fwd,
    .attrs = EBB_ATTRS(cross_attrs, linalg_cross_attr),
    .vjp = EBB_VJP({cross_rows_da, EBB_X(1)}, {cross_rows_db, EBB_X(0)}),
    .flags = EBB_INTERNAL,
    .tries = "[3] [3]; [2,3] [2,3]; [0,3] [0,3]; [3,2] [3,2] dim=0; [2,3,2] [2,3,2] dim=1; [1,3] [1,3]",
    .doc = "Cross products along a dim of size 3, of inputs of one shape. What cross and linalg_cross are made of."
);

static ebb_tensor *crossed(const ebb_call *c, int64_t dim) {
    const ebb_shape *a = &c->x_shape[0], *b = &c->x_shape[1];
    const int d = a->ndim ? ebb_dim_of(dim, a->ndim) : -1;
    if (a->ndim != b->ndim)
        return EBB_FAIL(c, EBB_E_SHAPE, "input has %d dims and other %d; equally many are needed", a->ndim,
                        b->ndim);
    if (d < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "dim is %lld, but the inputs have %d dims", (long long)dim, a->ndim);
    if (a->dim[d] != 3 || b->dim[d] != 3)
        return EBB_FAIL(c, EBB_E_SHAPE, "dim %lld has %lld elements in input and %lld in other; 3 are needed",
                        (long long)dim, (long long)a->dim[d], (long long)b->dim[d]);
    ebb_ints shape = ebb_ints_of(a);
    for (int k = 0; k < a->ndim; k++) {
        if (a->dim[k] != b->dim[k] && a->dim[k] != 1 && b->dim[k] != 1)
            return EBB_FAIL(c, EBB_E_SHAPE, "dim %d is %lld in input and %lld in other; sizes must be equal or 1",
                            k, (long long)a->dim[k], (long long)b->dim[k]);
        if (a->dim[k] == 1) shape.v[k] = b->dim[k];
    }
    return ebb_cross_rows(ebb_expand(c->x[0], .size = shape), ebb_expand(c->x[1], .size = shape), .dim = d);
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
