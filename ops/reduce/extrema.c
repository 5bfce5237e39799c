/* extrema.c - floor 5: the largest and smallest of rows, and where they are. NaN wins everywhere, as in PyTorch. */
#include "reduce.h"

static const ebb_attr reduce_attr[] = {
    EBB_ATTR(EBB_A_INTS, reduce_attrs, dim, "", "the dims to reduce; none given: all"),
    EBB_ATTR(EBB_A_BOOL, reduce_attrs, keepdim, "0", "keep them, with size 1"),
};
static const ebb_attr along_attr[] = {
    EBB_ATTR(EBB_A_INT, along_attrs, dim, "min", "the dim to reduce; min: all"),
    EBB_ATTR(EBB_A_BOOL, along_attrs, keepdim, "0", "keep it, with size 1"),
};

/* ---- amax, amin ---- */

enum { SIDE = 64 };

#define BETTER(v, best, better) ((T)((((v)better(best)) | ((v) != (v))) ? (v) : (best)))
#define EXTREME_BODY(better)                                                                                 \
    const int64_t n = l->dim[0];                                                                             \
    const int64_t s = l->stride[0][0];                                                                       \
    const T *x = (const T *)l->p[0];                                                                         \
    T *y = (T *)l->p[1];                                                                                     \
    if (s != 1 && l->step[0] == 1 && l->step[1] == 1) { /* columns: whole rows are compared */               \
        for (int64_t r = 0; r < l->n; r++) y[r] = x[r];                                                      \
        for (int64_t i = 1; i < n; i++) {                                                                    \
            const T *p = x + i * s;                                                                          \
            EBB_IVDEP for (int64_t r = 0; r < l->n; r++) y[r] = BETTER(p[r], y[r], better);                  \
        }                                                                                                    \
        return EBB_OK;                                                                                       \
    }                                                                                                        \
    for (int64_t r = 0; r < l->n; r++, x += l->step[0]) {                                                    \
        T best = x[0];                                                                                       \
        int64_t i = 0;                                                                                       \
        if (s == 1 && n >= SIDE) { /* more at once than a compiler unrolls: it then makes vectors of them */ \
            T part[SIDE];                                                                                    \
            for (int k = 0; k < SIDE; k++) part[k] = x[k];                                                   \
            for (i = SIDE; i + SIDE <= n; i += SIDE)                                                         \
                for (int k = 0; k < SIDE; k++) part[k] = BETTER(x[i + k], part[k], better);                  \
            for (int w = SIDE / 2; w; w /= 2)                                                                \
                for (int k = 0; k < w; k++) part[k] = BETTER(part[k + w], part[k], better);                  \
            best = part[0];                                                                                  \
        }                                                                                                    \
        for (; i < n; i++) best = BETTER(x[i * s], best, better);                                            \
        y[r * l->step[1]] = best;                                                                            \
    }
EBB_KERNEL_WIDE(amax_fwd, EXTREME_BODY(>))
EBB_KERNEL_WIDE(amin_fwd, EXTREME_BODY(<))

/* Equal extremes share the gradient evenly. */
static ebb_tensor *extreme_dx(const ebb_call *c, ebb_tensor *g) {
    const reduce_attrs *a = (const reduce_attrs *)c->attrs;
    ebb_tensor *hit = ebb_to(ebb_eq(c->x[0], kept(c, c->y[0])), (ebb_dtype)c->x_shape[0].dtype);
    ebb_tensor *count = ebb_sum(hit, .dim = a->dim, .keepdim = true);
    if (!c->x_shape[0].ndim) count = ebb_scalar(g, 1);
    return ebb_mul(ebb_div(kept(c, g), count), hit);
}

EBB_OP(amax,
    .sig = "input(n)->()",
    .math = "y = max_i x_i;  dx_i = g/k where x_i = y, k of them",
    .fwd = amax_fwd,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .vjp = EBB_VJP({extreme_dx, EBB_X(0) | EBB_Y(0)}),
    .flags = EBB_STRIDED | EBB_ASSOC | EBB_NONEMPTY,
    .kinks = EBB_KINKS({NULL, 3, {1, 0, 1}, {0.5, 0, 0.5}}),
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; [2,3,4] dim=1 keepdim=1",
    .doc = "Largest element along the given dims, of all when none is given. NaN wins; equal ones share the gradient evenly."
);
EBB_OP(amin,
    .sig = "input(n)->()",
    .math = "y = min_i x_i;  dx_i = g/k where x_i = y, k of them",
    .fwd = amin_fwd,
    .attrs = EBB_ATTRS(reduce_attrs, reduce_attr),
    .axes = "dim",
    .vjp = EBB_VJP({extreme_dx, EBB_X(0) | EBB_Y(0)}),
    .flags = EBB_STRIDED | EBB_ASSOC | EBB_NONEMPTY,
    .kinks = EBB_KINKS({NULL, 3, {0, 1, 0}, {0.5, 0, 0.5}}),
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=0,2; [2,3,4] dim=1 keepdim=1",
    .doc = "Smallest element along the given dims, of all when none is given. NaN wins; equal ones share the gradient evenly."
);

static ebb_tensor *aminmax_compose(const ebb_call *c) {
    const along_attrs *a = (const along_attrs *)c->attrs;
    c->more[0] = ebb_amax(c->x[0], .dim = dims_of(a->dim), .keepdim = a->keepdim);
    return ebb_amin(c->x[0], .dim = dims_of(a->dim), .keepdim = a->keepdim);
}

EBB_OP(aminmax,
    .sig = "input(n)->(),()",
    .math = "a = min_i x_i,  b = max_i x_i;  dx_i = da/k where x_i = a (k of them) + db/m where x_i = b (m of them)",
    .compose = aminmax_compose,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .axes = "dim",
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4]",
    .doc = "amin and amax together."
);

/* ---- where they are ---- */

/* The first element equal to the value, in steps of a block that is compared as a whole. */
EBB_KERNEL_WIDE(first_equal_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        const T v = ((const T *)l->p[1])[r * l->step[1]];
        const bool nan = v != v;
        int64_t i = 0;
        for (; i + 256 <= n; i += 256) {
            unsigned hit = 0;
            if (nan) for (int k = 0; k < 256; k++) hit |= x[i + k] != x[i + k];
            else for (int k = 0; k < 256; k++) hit |= x[i + k] == v;
            if (hit) break;
        }
        while (i + 1 < n && !(nan ? x[i] != x[i] : x[i] == v)) i++;
        ((int64_t *)l->p[2])[r * l->step[2]] = i;
    })

EBB_OP(first_equal,
    .sig = "input(n),value()->():i",
    .math = "y = the smallest i with x_i = v",
    .fwd = first_equal_fwd,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .axes = "dim",
    .flags = EBB_INTERNAL | EBB_NONEMPTY,
    .tries = "[3,4] [3,1] dim=1 keepdim=1; [3,4] [4] dim=0; [5] [] dim=0",
    .doc = "Where a row first has a value (NaN: the first NaN); its last index when nowhere. What argmax and argmin are made of."
);

static ebb_tensor *found(const ebb_call *c, bool largest) {
    const along_attrs *a = (const along_attrs *)c->attrs;
    ebb_tensor *x = c->x[0], *y = largest ? ebb_amax(x, .dim = dims_of(a->dim), .keepdim = a->keepdim)
                                          : ebb_amin(x, .dim = dims_of(a->dim), .keepdim = a->keepdim);
    return ebb_first_equal(x, y, .dim = a->dim, .keepdim = a->keepdim);
}
static ebb_tensor *argmax_compose(const ebb_call *c) { return found(c, true); }
static ebb_tensor *argmin_compose(const ebb_call *c) { return found(c, false); }

/* A rule that is not there: the op runs outside the graph. */
EBB_OP(argmax,
    .sig = "input(n)->():i",
    .math = "y = the smallest i with x_i = max_j x_j",
    .compose = argmax_compose,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .axes = "dim",
    .vjp = EBB_VJP({NULL, 0}),
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=1; [2,3,4]",
    .doc = "Index of the largest element along dim, the first of several; NaN wins. Without a dim the index into the flattened input."
);
EBB_OP(argmin,
    .sig = "input(n)->():i",
    .math = "y = the smallest i with x_i = min_j x_j",
    .compose = argmin_compose,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .axes = "dim",
    .vjp = EBB_VJP({NULL, 0}),
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=1; [2,3,4]",
    .doc = "Index of the smallest element along dim, the first of several; NaN wins. Without a dim the index into the flattened input."
);

/* ---- max, min: with their places ---- */

static ebb_tensor *max_compose(const ebb_call *c) {
    const along_attrs *a = (const along_attrs *)c->attrs;
    return picked(c, ebb_argmax(c->x[0], .dim = a->dim, .keepdim = true), a->dim, a->keepdim);
}
static ebb_tensor *min_compose(const ebb_call *c) {
    const along_attrs *a = (const along_attrs *)c->attrs;
    return picked(c, ebb_argmin(c->x[0], .dim = a->dim, .keepdim = true), a->dim, a->keepdim);
}

EBB_OP(max,
    .sig = "input(n)->(),():i",
    .math = "y = x_k, the first largest, and k;  dx_k = g, else 0",
    .compose = max_compose,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .axes = "dim",
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=1; [2,3,4]; [2,3] keepdim=1",
    .doc = "Largest element along dim and its index, the first of several, which gets the gradient; NaN wins. Without a dim: of all, "
           "with the index into the flattened input (torch.max(x) gives the value alone and shares the gradient: that is amax). "
           "Of two tensors: maximum."
);
EBB_OP(min,
    .sig = "input(n)->(),():i",
    .math = "y = x_k, the first smallest, and k;  dx_k = g, else 0",
    .compose = min_compose,
    .attrs = EBB_ATTRS(along_attrs, along_attr),
    .axes = "dim",
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=1; [2,3,4]; [2,3] keepdim=1",
    .doc = "Smallest element along dim and its index, the first of several, which gets the gradient; NaN wins. Without a dim: of all, "
           "with the index into the flattened input (torch.min(x) gives the value alone and shares the gradient: that is amin). "
           "Of two tensors: minimum."
);
