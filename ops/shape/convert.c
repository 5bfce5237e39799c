/* convert.c - floor 5: the same elements lying otherwise, or in another type. */
#include <ebb/op.h>

EBB_KERNEL_ALL(contiguous_fwd, EBB__MAP1_BODY(T, x))

static ebb_tensor *contiguous_compose(const ebb_call *c) {
    ebb_info x;
    ebb_host_of(c->x[0])->info(c->x[0], &x);
    int64_t n = 1;
    for (int d = x.ndim; d-- > 0; n *= x.shape[d])
        if (x.shape[d] != 1 && x.stride[d] != n && x.numel) return NULL;
    return c->x[0];
}

static ebb_tensor *contiguous_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}

EBB_OP(contiguous,
    .sig = "input()->()",
    .math = "y = x;  dx = g",
    .compose = contiguous_compose,
    .fwd = contiguous_fwd,
    .vjp = EBB_VJP({contiguous_dx, 0}),
    .flags = EBB_LINEAR,
    .doc = "The input itself when its elements lie in row-major order without gaps, else a copy that does."
);

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
