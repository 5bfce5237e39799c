/* reduce.c - floor 5: sums, means, products and counts along any dims. The engine brings the dims together; kernels see rows. */
#include "reduce.h"

static const ebb_attr sum_attr[] = {
    EBB_ATTR(EBB_A_INTS, sum_attrs, dim, "", "the dims to reduce; none given: all"),
    EBB_ATTR(EBB_A_BOOL, sum_attrs, keepdim, "0", "keep them, with size 1"),
    EBB_ATTR(EBB_A_DTYPE, sum_attrs, dtype, "none", "convert the input to this first"),
};
static const ebb_attr reduce_attr[] = {
    EBB_ATTR(EBB_A_INTS, reduce_attrs, dim, "", "the dims to reduce; none given: all"),
    EBB_ATTR(EBB_A_BOOL, reduce_attrs, keepdim, "0", "keep them, with size 1"),
};

/* ---- sum and mean ---- */

#define OVER_N(v) ((v) / (T)n)
EBB_KERNEL_WIDE(sum_fwd, SUM_BODY(AS_IT_IS, AS_IT_IS))

static ebb_tensor *sum_compose(const ebb_call *c) {
    const sum_attrs *a = (const sum_attrs *)c->attrs;
    ebb_tensor *x = for_sum(c);
    return x ? ebb_sum(x, .dim = a->dim, .keepdim = a->keepdim, .dtype = a->dtype) : NULL;
}

static ebb_tensor *sum_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_expand(kept(c, g), .size = ebb_ints_of(&c->x_shape[0]));
}

EBB_OP(sum,
    .sig = "input(n)->()",
    .math = "y = sum_i x_i;  dx_i = g",
    .compose = sum_compose,
    .fwd = sum_fwd,
    .attrs = EBB_ATTRS(sum_attrs, sum_attr),
    .axes = "dim",
    .vjp = EBB_VJP({sum_dx, 0}),
    .flags = EBB_LINEAR | EBB_STRIDED | EBB_ASSOC,
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; [2,3,4] dim=1 keepdim=1; [3,0] dim=1; [2,3,4]; dim=1 dtype=f32",
    .doc = "Sum over the given dims, over all of them when none is given. Integers and bool are added as i64. The sum of nothing is 0."
);

EBB_KERNEL(mean_fwd, SUM_BODY(AS_IT_IS, OVER_N))

/* Long rows are summed in blocks, which several threads share; that is sum's affair. */
static ebb_tensor *mean_compose(const ebb_call *c) {
    const sum_attrs *a = (const sum_attrs *)c->attrs;
    if (a->dtype && a->dtype != c->x_shape[0].dtype)
        return ebb_mean(ebb_to(c->x[0], (ebb_dtype)a->dtype), .dim = a->dim, .keepdim = a->keepdim);
    const int64_t n = reduced_count(c, a->dim);
    if (n < 65536 || is_integer(c->x_shape[0].dtype)) return NULL;
    return ebb_div_scalar(ebb_sum(c->x[0], .dim = a->dim, .keepdim = a->keepdim), (double)n);
}

static ebb_tensor *mean_dx(const ebb_call *c, ebb_tensor *g) {
    const int64_t n = reduced_count(c, ((const sum_attrs *)c->attrs)->dim);
    return ebb_expand(kept(c, ebb_div_scalar(g, n ? (double)n : 1)), .size = ebb_ints_of(&c->x_shape[0]));
}

EBB_OP(mean,
    .sig = "input(n)->()",
    .math = "y = sum_i x_i / n;  dx_i = g/n",
    .compose = mean_compose,
    .fwd = mean_fwd,
    .attrs = EBB_ATTRS(sum_attrs, sum_attr),
    .axes = "dim",
    .vjp = EBB_VJP({mean_dx, 0}),
    .flags = EBB_LINEAR | EBB_STRIDED,
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; [2,3,4] dim=1 keepdim=1; dim=0 dtype=f32",
    .doc = "Mean over the given dims, over all of them when none is given. Integers need a dtype. The mean of nothing is NaN."
);

/* ---- counts ---- */

/* Bytes are added in u32 runs short enough not to overflow. */
EBB__BODY(count_bool, uint8_t,
    const int64_t n = l->dim[0]; const int64_t s = l->stride[0][0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        int64_t total = 0;
        for (int64_t i = 0; i < n;) {
            const int64_t end = n - i < 1 << 16 ? n : i + (1 << 16);
            uint32_t run = 0;
            if (s == 1) for (; i < end; i++) run += x[i];
            else for (; i < end; i++) run += x[i * s];
            total += run;
        }
        ((int64_t *)l->p[1])[r * l->step[1]] = total;
    })
static const ebb_kernel count_fwd[] = {{EBB_BOOL, EBB__TABLE(count_bool)}, {0, {0}}};

EBB_OP(count_true,
    .sig = "input(n):b->():i",
    .math = "y = how many x_i are true",
    .fwd = count_fwd,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .flags = EBB_STRIDED | EBB_INTERNAL,
    .tries = "dim=0; [2,3,4] dim=0,2 keepdim=1; [3,0] dim=1",
    .doc = "Number of true elements, over the given dims or all. What count_nonzero is made of."
);

static ebb_tensor *count_compose(const ebb_call *c) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    ebb_tensor *x = c->x_shape[0].dtype == EBB_BOOL ? c->x[0] : ebb_ne(c->x[0], ebb_scalar(c->x[0], 0));
    return ebb_count_true(x, .dim = a->dim, .keepdim = a->keepdim);
}

EBB_OP(count_nonzero,
    .sig = "input(n)->():i",
    .math = "y = how many x_i are not 0",
    .compose = count_compose,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .tries = "dim=0; [2,3,4] dim=0,2 keepdim=1; [3,0] dim=1",
    .doc = "Number of elements that are not 0, over the given dims or all, as i64. NaN counts."
);

/* torch answers in u8 where it was asked in u8, else in bool. */
static ebb_tensor *answer(const ebb_call *c, ebb_tensor *y) {
    return ebb_to(y, c->x_shape[0].dtype == EBB_U8 ? EBB_U8 : EBB_BOOL);
}
static ebb_tensor *all_compose(const ebb_call *c) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    ebb_tensor *count = ebb_count_nonzero(c->x[0], .dim = a->dim, .keepdim = a->keepdim);
    return answer(c, ebb_eq(count, ebb_scalar(count, (double)reduced_count(c, a->dim))));
}
static ebb_tensor *any_compose(const ebb_call *c) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    ebb_tensor *count = ebb_count_nonzero(c->x[0], .dim = a->dim, .keepdim = a->keepdim);
    return answer(c, ebb_ne(count, ebb_scalar(count, 0)));
}

EBB_OP(all,
    .sig = "input(n)->():b",
    .math = "y = (every x_i is not 0)",
    .compose = all_compose,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .tries = "dim=0; [2,3,4] dim=0,2 keepdim=1; [3,0] dim=1",
    .doc = "Whether all elements are true (not 0; NaN is), over the given dims or all; true of nothing. bool, but u8 of u8."
);
EBB_OP(any,
    .sig = "input(n)->():b",
    .math = "y = (some x_i is not 0)",
    .compose = any_compose,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .tries = "dim=0; [2,3,4] dim=0,2 keepdim=1; [3,0] dim=1",
    .doc = "Whether some element is true (not 0; NaN is), over the given dims or all; false of nothing. bool, but u8 of u8."
);
