/* search.c - floor 5: places in sorted sequences and counts: searchsorted, bucketize, histc, bincount, unique_consecutive. */
#include "runs.h"

typedef struct search_attrs {
    bool out_int32, right;
} search_attrs;
static const ebb_attr search_attr[] = {
    EBB_ATTR(EBB_A_BOOL, search_attrs, out_int32, "0", "indices as i32"),
    EBB_ATTR(EBB_A_BOOL, search_attrs, right, "0", "behind equal elements, not before them"),
};

static ebb_status searchsorted_infer(ebb_infer *s) {
    const ebb_info *q = &s->x[0], *x = &s->x[1];
    if (!q->ndim) return s->fail(s, EBB_E_SHAPE, "sorted_sequence has 0 dims; at least 1 is needed");
    if (q->ndim > 1 && x->ndim != q->ndim)
        return s->fail(s, EBB_E_SHAPE,
                       "input has %d dims, sorted_sequence %d; they must have the same number, or the sequence 1",
                       x->ndim, q->ndim);
    for (int d = 0; d < q->ndim - 1; d++)
        if (q->shape[d] != x->shape[d])
            return s->fail(s, EBB_E_SHAPE,
                           "dim %d is %lld in sorted_sequence, %lld in input; all but the last must be equal",
                           d, (long long)q->shape[d], (long long)x->shape[d]);
    s->y->ndim = x->ndim;
    for (int d = 0; d < x->ndim; d++) s->y->shape[d] = x->shape[d];
    if (((const search_attrs *)s->attrs)->out_int32) s->y->dtype = EBB_I32;
    s->work = x->numel ? x->numel : 1;
    return EBB_OK;
}

EBB_KERNEL_WIDE(searchsorted_fwd,
    const ebb_info *q = &l->arg[0];
    const ebb_info *info = &l->arg[1];
    const search_attrs *a = (const search_attrs *)l->attrs;
    if (!info->numel) return EBB_OK;
    const int64_t n = q->shape[q->ndim - 1];
    const int64_t row = q->ndim > 1 ? info->shape[info->ndim - 1] : INT64_MAX;
    for (int64_t i = l->first; i < l->first + l->n; i++) {
        const T *s = (const T *)l->p[0] + i / row * n;
        const T v = ((const T *)l->p[1])[i];
        int64_t lo = 0; int64_t hi = n;
        while (lo < hi) {
            const int64_t mid = lo + (hi - lo) / 2;
            if (a->right ? !(s[mid] > v) : !(s[mid] >= v)) lo = mid + 1;
            else hi = mid;
        }
        if (a->out_int32) ((int32_t *)l->p[2])[i] = (int32_t)lo;
        else ((int64_t *)l->p[2])[i] = lo;
    })

EBB_OP(searchsorted,
    .sig = "sorted_sequence(),input()->():i",
    .math = "y = how many s_j < v (right: <= v)",
    .infer = searchsorted_infer,
    .fwd = searchsorted_fwd,
    .attrs = EBB_ATTRS(search_attrs, search_attr),
    .flags = EBB_PROMOTES,
    .domain = EBB_DOMAIN({0x1p52, 0x1p52 + 8}), /* whole numbers, so that some samples are equal */
    .tries = "[5] [3]; [5] [2,3] right=1; [2,5] [2,3]; [2,3,4] [2,3,1]; [4] []; [0] [3]; [3] [0]; [5] [4] out_int32=1",
    .doc = "Where values would be put into rising rows so that these stay so: rows of the same leading dims, or one for all. NaN goes to the end."
);

static ebb_tensor *bucketize_compose(const ebb_call *c) {
    const search_attrs *a = (const search_attrs *)c->attrs;
    if (c->x_shape[1].ndim != 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "boundaries has %d dims; exactly 1 is needed", c->x_shape[1].ndim);
    return ebb_searchsorted(c->x[1], c->x[0], .out_int32 = a->out_int32, .right = a->right);
}

EBB_OP(bucketize,
    .sig = "input(),boundaries()->():i",
    .math = "y = how many b_j < v (right: <= v)",
    .compose = bucketize_compose,
    .attrs = EBB_ATTRS(search_attrs, search_attr),
    .flags = EBB_PROMOTES | EBB_OWN_SHAPES,
    .domain = EBB_DOMAIN({0x1p52, 0x1p52 + 8}),
    .tries = "[3] [5]; [2,3] [5] right=1; [] [4]; [3] [0]; [4] [5] out_int32=1",
    .doc = "In which of the intervals between rising boundaries each element lies."
);

/* ---- histc ---- */

typedef struct histc_attrs {
    int64_t bins;
    double min, max;
} histc_attrs;
static const ebb_attr histc_attr[] = {
    EBB_ATTR(EBB_A_INT, histc_attrs, bins, "100", "how many, of equal width", .lo = 1, .hi = 1e9),
    EBB_ATTR(EBB_A_FLOAT, histc_attrs, min, "0", "lower end; equal to max: the range of the elements"),
    EBB_ATTR(EBB_A_FLOAT, histc_attrs, max, "0", "upper end, which belongs to the last bin"),
};

static ebb_status histc_infer(ebb_infer *s) {
    const histc_attrs *a = (const histc_attrs *)s->attrs;
    if (!(a->min <= a->max))
        return s->fail(s, EBB_E_ATTR, "min is %g, max %g; max must not be below", a->min, a->max);
    s->y->ndim = 1;
    s->y->shape[0] = a->bins;
    return EBB_OK;
}

EBB_KERNEL(histc_fwd,
    const histc_attrs *a = (const histc_attrs *)l->attrs;
    const T *x = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    const int64_t n = l->arg[0].numel;
    T lo = (T)a->min; T hi = (T)a->max;
    for (int64_t i = 0; i < a->bins; i++) y[i] = 0;
    if (a->min == a->max && n) {
        lo = hi = x[0];
        for (int64_t i = 0; i < n; i++) {
            lo = x[i] < lo || x[i] != x[i] ? x[i] : lo;
            hi = x[i] > hi || x[i] != x[i] ? x[i] : hi;
        }
    }
    if (lo == hi) {
        lo -= 1;
        hi += 1;
    }
    if (lo - lo != 0 || hi - hi != 0) return l->fail(l, EBB_E_ATTR, "the range %g..%g is not finite", (double)lo, (double)hi);
    for (int64_t i = 0; i < n; i++) {
        if (!(x[i] >= lo && x[i] <= hi)) continue;
        const int64_t at = (int64_t)((x[i] - lo) * (T)a->bins / (hi - lo));
        y[at < a->bins ? at : a->bins - 1] += 1;
    })

EBB_OP(histc,
    .sig = "input()->()",
    .math = "y_k = how many x_i lie in [min + k*w, min + (k+1)*w), w = (max - min)/bins",
    .infer = histc_infer,
    .fwd = histc_fwd,
    .attrs = EBB_ATTRS(histc_attrs, histc_attr),
    .tries = "[20] bins=4 min=-2 max=2; [3,4] bins=5 min=-1 max=1; [30] bins=3 min=0 max=1.5; [0] bins=2",
    .doc = "Histogram of all elements in bins of equal width. What lies outside, and NaN, is not counted. No gradient."
);

/* ---- bincount ---- */

typedef struct bincount_attrs {
    int64_t minlength;
} bincount_attrs;
static const ebb_attr bincount_attr[] = {
    EBB_ATTR(EBB_A_INT, bincount_attrs, minlength, "0", "least number of bins", .lo = 0, .hi = 1e12)};

static ebb_tensor *bincount_compose(const ebb_call *c) {
    const int64_t least = ((const bincount_attrs *)c->attrs)->minlength;
    const ebb_shape *s = &c->x_shape[0];
    ebb_tensor *w = c->n_x > 1 ? c->x[1] : NULL;
    if (ebb_is_float(s->dtype) || s->dtype == EBB_BOOL)
        return EBB_FAIL(c, EBB_E_DTYPE, "input must be integers");
    if (s->ndim != 1) return EBB_FAIL(c, EBB_E_SHAPE, "input has %d dims; exactly 1 is needed", s->ndim);
    if (w && (c->x_shape[1].ndim != 1 || c->x_shape[1].dim[0] != s->dim[0]))
        return EBB_FAIL(c, EBB_E_SHAPE, "weights must have the shape of input, %lld elements",
                        (long long)s->dim[0]);
    if (!s->dim[0]) return ebb_constant(c->e, EBB_I64, EBB_SHAPE(least), 0);
    ebb_tensor *x = ebb_contiguous(ebb_to(c->x[0], EBB_I64));
    const int64_t *v = (const int64_t *)ebb_info_of(x).data;
    int64_t size = least;
    for (int64_t i = 0; v && i < s->dim[0]; i++) {
        if (v[i] < 0)
            return EBB_FAIL(c, EBB_E_INDEX, "input has %lld at %lld; negative numbers cannot be counted",
                            (long long)v[i], (long long)i);
        if (v[i] >= size) size = v[i] < INT64_MAX ? v[i] + 1 : v[i];
    }
    if (!w)
        return ebb_scatter_add(ebb_constant(c->e, EBB_I64, EBB_SHAPE(size), 0), x,
                               ebb_constant(c->e, EBB_I64, EBB_SHAPE(s->dim[0]), 1), .dim = 0);
    if (c->x_shape[1].dtype != EBB_F32) w = ebb_to(w, EBB_F64);
    return ebb_scatter_add(
        ebb_constant(c->e, c->x_shape[1].dtype == EBB_F32 ? EBB_F32 : EBB_F64, EBB_SHAPE(size), 0), x, w, .dim = 0);
}

EBB_OP(bincount,
    .sig = "input():i,weights()?->()",
    .math = "y_k = sum of w_i where x_i = k (how many, without weights);  dw_i = g[x_i]",
    .compose = bincount_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(bincount_attrs, bincount_attr),
    .tries = "[5]<4 [5] minlength=4; [5]<4 minlength=4; [3]<2 [3] minlength=6; [0]<1",
    .doc = "How often each number from 0 up occurs in a 1-d input of integers, as i64, or the sum of the weights it has; in order."
);

/* ---- unique_consecutive ---- */

static ebb_tensor *unique_consecutive_compose(const ebb_call *c) {
    ebb_tensor *run = NULL, *y = runs(c, ebb_reshape(c->x[0], .shape = EBB_SHAPE(-1)), &run, &c->more[1]);
    c->more[0] = ebb_reshape(run, .shape = ebb_ints_of(&c->x_shape[0]));
    return y;
}

/* A rule that is not there: it runs outside the graph. */
EBB_OP(unique_consecutive,
    .sig = "input()->(),():i,():i",
    .math = "y = x without elements equal to the one before; the run that each x_i is in; how long each run is",
    .compose = unique_consecutive_compose,
    .flags = EBB_OWN_SHAPES,
    .vjp = EBB_VJP({NULL, 0}),
    .tries = "[5]; [2,3]; []; [0]; [1]",
    .doc = "One element for each run of equal neighbours in the flattened input, the number of its run for each element (in the input's shape), and the "
           "runs' lengths: always all three. No gradient."
);
