/* convert.c - floor 5: the same elements lying otherwise, or in another type. */
#include "shape.h"

/* ---- copying ---- */

/* One row: neighbours, one element for all, or a step. */
#define COPY_ROW(to, to_step, from, step, n)                                                                 \
    if ((step) == 1 && (to_step) == 1) memcpy(to, from, (size_t)(n) * sizeof(T));                            \
    else if ((step) == 0 && (to_step) == 1) {                                                                \
        const T k = *(from);                                                                                 \
        for (int64_t i_ = 0; i_ < (n); i_++) (to)[i_] = k;                                                   \
    } else                                                                                                   \
        for (int64_t i_ = 0; i_ < (n); i_++) (to)[i_ * (to_step)] = (from)[i_ * (step)];

EBB_KERNEL_MOVE(copy_fwd, COPY_ROW((T *)l->p[1], l->step[1], (const T *)l->p[0], l->step[0], l->n))

/* Matrices whose rows or columns lie apart. Of a transposed one, squares of SIDE: read along memory, turned in the cache,
 * written along memory. */
enum { SIDE = 16 };
EBB_KERNEL_MOVE(copy_matrix_fwd,
    const int64_t m = l->dim[0]; const int64_t n = l->dim[1];
    const int64_t down = l->stride[0][0]; const int64_t right = l->stride[0][1];
    const int64_t row = l->stride[1][0]; const int64_t column = l->stride[1][1];
    for (int64_t item = 0; item < l->n; item++) {
        const T *x = (const T *)l->p[0] + item * l->step[0];
        T *y = (T *)l->p[1] + item * l->step[1];
        if (down != 1 || right == 1 || right == 0 || column != 1 || m < SIDE || n < SIDE) {
            for (int64_t i = 0; i < m; i++) { COPY_ROW(y + i * row, column, x + i * down, right, n) }
            continue;
        }
        for (int64_t i = 0; i < m; i += SIDE)
            for (int64_t j = 0; j < n; j += SIDE) {
                T square[SIDE][SIDE];
                const int64_t h = m - i < SIDE ? m - i : SIDE; const int64_t w = n - j < SIDE ? n - j : SIDE;
                for (int64_t c = 0; c < w; c++) memcpy(square[c], x + i + (j + c) * right, (size_t)h * sizeof(T));
                for (int64_t r = 0; r < h; r++)
                    for (int64_t c = 0; c < w; c++) y[(i + r) * row + j + c] = square[c][r];
            }
    })

EBB_OP(copy_matrix,
    .sig = "input(m,n)->(m,n)",
    .math = "y = x;  dx = g",
    .fwd = copy_matrix_fwd,
    .split = "mn",
    .vjp = EBB_VJP({shape_pass, 0}),
    .flags = EBB_LINEAR | EBB_STRIDED | EBB_INTERNAL,
    .doc = "A copy by rows and columns: what contiguous does with large inputs."
);

/* The input's dims with those joined that follow each other evenly in memory. */
static ebb_ints joined(const ebb_info *x, bool *row_major) {
    ebb_ints r = {0, {0}};
    int64_t stride = 0, n = 1;
    *row_major = true;
    for (int d = x->ndim; d-- > 0; n *= x->shape[d])
        if (x->shape[d] != 1 && x->stride[d] != n && x->numel) *row_major = false;
    for (int d = 0; d < x->ndim; d++) {
        if (x->shape[d] == 1) continue;
        if (r.n && stride == x->stride[d] * x->shape[d]) r.v[r.n - 1] *= x->shape[d];
        else r.v[r.n++] = x->shape[d];
        stride = x->stride[d];
    }
    return r;
}

static ebb_tensor *contiguous_compose(const ebb_call *c) {
    const ebb_info x = ebb_info_of(c->x[0]);
    bool row_major;
    const ebb_ints by = joined(&x, &row_major);
    if (row_major) return c->x[0];
    if (by.n < 2 || x.numel < 1024) return NULL;
    return ebb_reshape(ebb_copy_matrix(ebb_reshape(c->x[0], .shape = by)), .shape = ebb_ints_of(&c->x_shape[0]));
}

EBB_OP(contiguous,
    .sig = "input()->()",
    .math = "y = x;  dx = g",
    .compose = contiguous_compose,
    .fwd = copy_fwd,
    .vjp = EBB_VJP({shape_pass, 0}),
    .flags = EBB_LINEAR,
    .doc = "The input itself when its elements lie in row-major order without gaps, else a copy that does."
);

static ebb_tensor *clone_compose(const ebb_call *c) {
    ebb_tensor *y = ebb_contiguous(c->x[0]);
    return y == c->x[0] ? NULL : y;
}

EBB_OP(clone,
    .sig = "input()->()",
    .math = "y = x;  dx = g",
    .compose = clone_compose,
    .fwd = copy_fwd,
    .vjp = EBB_VJP({shape_pass, 0}),
    .flags = EBB_LINEAR,
    .doc = "A copy in row-major order, always."
);

/* ---- element types ---- */

typedef struct to_attrs {
    int32_t dtype;
} to_attrs;
static const ebb_attr to_attr[] = {EBB_ATTR(EBB_A_DTYPE, to_attrs, dtype, NULL, "the element type wanted")};

static ebb_status to_infer(ebb_infer *s) {
    const int32_t d = ((const to_attrs *)s->attrs)->dtype;
    if (d <= EBB_NONE || d >= EBB_DTYPES) return s->fail(s, EBB_E_DTYPE, "dtype %d does not exist", d);
    s->y->dtype = d;
    s->y->ndim = s->x->ndim;
    for (int k = 0; k < s->x->ndim; k++) s->y->shape[k] = s->x->shape[k];
    s->work = s->x->numel ? s->x->numel : 1;
    return EBB_OK;
}

/* A float that does not fit the integer becomes its limit nearest to it, NaN 0: never undefined. Integers wrap around. */
#define TO_INT(R, LO, HI)                                                                                    \
    for (int64_t i = l->first; i < end; i++) {                                                               \
        const double v = (T)0.5 != 0 ? (double)x[i] : 0; /* 0: an integer */                                 \
        ((R *)l->p[1])[i] = v != v ? 0 : v < (double)(LO) ? (R)(LO) : v >= (double)(HI) ? (R)(HI) : (R)x[i]; \
    }
EBB_KERNEL_ALL(to_fwd,
    const T *x = (const T *)l->p[0];
    const int64_t end = l->arg[0].numel < l->first + l->n ? l->arg[0].numel : l->first + l->n;
    switch (l->arg[1].dtype) {
    case EBB_F32: for (int64_t i = l->first; i < end; i++) ((float *)l->p[1])[i] = (float)x[i]; break;
    case EBB_F64: for (int64_t i = l->first; i < end; i++) ((double *)l->p[1])[i] = (double)x[i]; break;
    case EBB_I32: TO_INT(int32_t, INT32_MIN, INT32_MAX) break;
    case EBB_I64: TO_INT(int64_t, INT64_MIN, INT64_MAX) break;
    case EBB_U8: TO_INT(uint8_t, 0, UINT8_MAX) break;
    default: for (int64_t i = l->first; i < end; i++) ((uint8_t *)l->p[1])[i] = x[i] != 0; break;
    })

static ebb_tensor *to_compose(const ebb_call *c) {
    return ((const to_attrs *)c->attrs)->dtype == c->x_shape[0].dtype ? c->x[0] : NULL;
}
static ebb_tensor *to_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_to(g, (ebb_dtype)c->x_shape[0].dtype);
}

EBB_OP(to,
    .sig = "input()->()",
    .math = "y = x in another element type;  dx = g in x's",
    .compose = to_compose,
    .infer = to_infer,
    .fwd = to_fwd,
    .attrs = EBB_ATTRS(to_attrs, to_attr),
    .vjp = EBB_VJP({to_dx, 0}),
    .flags = EBB_LINEAR,
    .tries = "[2,3] dtype=f64; [5] dtype=f64",
    .doc = "Converts the element type. A float outside an integer type becomes the nearest integer of it, NaN becomes 0; integers wrap around."
);

static ebb_tensor *type_as_compose(const ebb_call *c) {
    return ebb_to(c->x[0], (ebb_dtype)c->x_shape[1].dtype);
}

EBB_OP(type_as,
    .sig = "input(),other()->()",
    .math = "y = x in other's element type;  dx = g in x's",
    .compose = type_as_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[3] [2]",
    .doc = "to the element type of another tensor."
);
