/* flip.c - floor 5: copies in another order along dims, or repeated. */
#include "shape.h"

enum { CIRCULAR = 3, STRETCH, FLIP }; /* modes of remap */

typedef struct dims_attrs {
    ebb_ints dims;
} dims_attrs;
static const ebb_attr flip_attr[] = {
    EBB_ATTR(EBB_A_INTS, dims_attrs, dims, NULL, "the dims whose order is turned round")};

static ebb_tensor *flip_compose(const ebb_call *c) {
    const ebb_ints *dims = &((const dims_attrs *)c->attrs)->dims;
    const ebb_shape *x = &c->x_shape[0];
    ebb_ints which = {x->ndim, {0}};
    unsigned seen = 0;
    for (int k = 0; k < dims->n; k++) {
        const int d = shape_dim_in(c, "a dim", dims->v[k], x->ndim);
        if (d < 0) return NULL;
        if (seen >> d & 1) return EBB_FAIL(c, EBB_E_ATTR, "dim %d is named twice", d);
        seen |= 1u << d;
        which.v[d] = 1;
    }
    return ebb_remap(c->x[0], .before = which, .size = ebb_ints_of(x), .mode = FLIP);
}

static ebb_tensor *flip_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_flip(g, .dims = ((const dims_attrs *)c->attrs)->dims);
}

EBB_OP(flip,
    .sig = "input()->()",
    .math = "y[i] = x[n-1-i] along dims;  dx = g flipped back",
    .compose = flip_compose,
    .attrs = EBB_ATTRS(dims_attrs, flip_attr),
    .vjp = EBB_VJP({flip_dx, 0}),
    .flags = EBB_LINEAR | EBB_OWN_SHAPES,
    .tries = "[4] dims=0; [2,3] dims=1; [2,3,4] dims=0,-1; [3] dims=; [2,0] dims=0",
    .doc = "Turns the order of elements round along dims; a copy."
);

static ebb_tensor *fliplr_compose(const ebb_call *c) {
    if (c->x_shape[0].ndim < 2)
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; at least 2 are needed", c->x_shape[0].ndim);
    return ebb_flip(c->x[0], .dims = EBB_DIMS(1));
}
static ebb_tensor *flipud_compose(const ebb_call *c) {
    if (!c->x_shape[0].ndim) return EBB_FAIL(c, EBB_E_SHAPE, "the input has no dims; at least 1 is needed");
    return ebb_flip(c->x[0], .dims = EBB_DIMS(0));
}

EBB_OP(fliplr,
    .sig = "input()->()",
    .math = "y[i,j] = x[i,n-1-j];  dx = g flipped back",
    .compose = fliplr_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[2,3]; [3,2,2]",
    .doc = "flip of dim 1."
);

EBB_OP(flipud,
    .sig = "input()->()",
    .math = "y[i] = x[n-1-i];  dx = g flipped back",
    .compose = flipud_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[2,3]; [3]",
    .doc = "flip of dim 0."
);

/* ---- rot90 ---- */

typedef struct rot90_attrs {
    int64_t k;
    ebb_ints dims;
} rot90_attrs;
static const ebb_attr rot90_attr[] = {
    EBB_ATTR(EBB_A_INT, rot90_attrs, k, "1", "quarter turns; negative: the other way"),
    EBB_ATTR(EBB_A_INTS, rot90_attrs, dims, "0,1", "the plane: turned from the first towards the second"),
};

static ebb_tensor *rot90_compose(const ebb_call *c) {
    const rot90_attrs *a = (const rot90_attrs *)c->attrs;
    const int n = c->x_shape[0].ndim, k = (int)((a->k % 4 + 4) % 4);
    if (a->dims.n != 2) return EBB_FAIL(c, EBB_E_ATTR, "dims names %d dims; a plane has 2", a->dims.n);
    if (n < 2) return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; at least 2 are needed", n);
    const int p = shape_dim_in(c, "a dim", a->dims.v[0], n),
              q = p < 0 ? -1 : shape_dim_in(c, "a dim", a->dims.v[1], n);
    if (q < 0) return NULL;
    if (p == q) return EBB_FAIL(c, EBB_E_ATTR, "dim %d is named twice", p);
    if (!k) return ebb_clone(c->x[0]);
    if (k == 2) return ebb_flip(c->x[0], .dims = EBB_DIMS(p, q));
    return ebb_transpose(ebb_flip(c->x[0], .dims = EBB_DIMS(k == 1 ? q : p)), .dim0 = p, .dim1 = q);
}

EBB_OP(rot90,
    .sig = "input()->()",
    .math = "y = x turned by k*90 degrees in a plane;  dx = g turned back",
    .compose = rot90_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(rot90_attrs, rot90_attr),
    .tries = "[2,3]; [2,3] k=2; [2,3] k=-1; [2,3] k=0; [2,3,4] dims=1,-1; [2,3,4] dims=2,0 k=7",
    .doc = "Turns by quarters in the plane of two dims; a copy."
);

/* ---- roll ---- */

typedef struct roll_attrs {
    ebb_ints shifts, dims;
} roll_attrs;
static const ebb_attr roll_attr[] = {
    EBB_ATTR(EBB_A_INTS, roll_attrs, shifts, NULL, "places that elements move on, one number for each dim"),
    EBB_ATTR(EBB_A_INTS, roll_attrs, dims, "", "the dims; none given: all elements as one row"),
};

static ebb_tensor *roll_compose(const ebb_call *c) {
    const roll_attrs *a = (const roll_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    if (!a->shifts.n || (a->dims.n ? a->dims.n : 1) != a->shifts.n)
        return EBB_FAIL(c, EBB_E_ATTR, "shifts has %d numbers for %d dims", a->shifts.n, a->dims.n);
    if (!a->dims.n && x->ndim != 1)
        return ebb_reshape(ebb_roll(ebb_ravel(c->x[0]), .shifts = a->shifts, .dims = EBB_DIMS(0)),
                           .shape = ebb_ints_of(x));
    if (!ebb_shape_numel(x)) return ebb_clone(c->x[0]);
    ebb_ints by = {x->ndim, {0}};
    for (int k = 0; k < a->shifts.n; k++) {
        const int d = a->dims.n ? shape_real_dim_in(c, a->dims.v[k]) : 0;
        if (d < 0) return NULL;
        by.v[d] = (by.v[d] + a->shifts.v[k] % x->dim[d]) % x->dim[d];
    }
    return ebb_remap(c->x[0], .before = by, .size = ebb_ints_of(x), .mode = CIRCULAR);
}

static ebb_tensor *roll_dx(const ebb_call *c, ebb_tensor *g) {
    const roll_attrs *a = (const roll_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    ebb_ints back = a->shifts;
    for (int k = 0; k < back.n; k++) {
        const int64_t n = a->dims.n ? x->dim[ebb_dim_of(a->dims.v[k], x->ndim)] : ebb_shape_numel(x);
        back.v[k] = n ? -(back.v[k] % n) : 0;
    }
    return ebb_roll(g, .shifts = back, .dims = a->dims);
}

EBB_OP(roll,
    .sig = "input()->()",
    .math = "y[(i + shift) mod n] = x[i] along each dim;  dx = g rolled back",
    .compose = roll_compose,
    .attrs = EBB_ATTRS(roll_attrs, roll_attr),
    .vjp = EBB_VJP({roll_dx, 0}),
    .flags = EBB_LINEAR | EBB_OWN_SHAPES,
    .tries = "[5] shifts=2; [2,3] shifts=1; [2,3] shifts=-1 dims=1; [3,4] shifts=1,-2 dims=0,1; [2,3,2] shifts=4 dims=1; [0] shifts=1 dims=0; [3] shifts=1,1 dims=0,0",
    .doc = "Moves elements on along dims; what leaves at the end comes in at the front. A copy."
);

/* ---- repeat, tile ---- */

typedef struct repeat_attrs {
    ebb_ints repeats;
} repeat_attrs;
static const ebb_attr repeat_attr[] = {
    EBB_ATTR(EBB_A_INTS, repeat_attrs, repeats, NULL, "how often, for each dim of the result")};

static ebb_tensor *repeat_compose(const ebb_call *c) {
    const ebb_ints *times = &((const repeat_attrs *)c->attrs)->repeats;
    const ebb_shape *x = &c->x_shape[0];
    const int lead = times->n - x->ndim;
    if (lead < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "repeats has %d numbers, the input more dims, %d", times->n, x->ndim);
    ebb_ints from = {times->n, {0}}, to = {times->n, {0}};
    for (int d = 0; d < times->n; d++) {
        from.v[d] = d < lead ? 1 : x->dim[d - lead];
        if (times->v[d] < 0 || __builtin_mul_overflow(from.v[d], times->v[d], &to.v[d]))
            return EBB_FAIL(c, EBB_E_ATTR, "dim %d cannot be repeated %lld times", d, (long long)times->v[d]);
    }
    return ebb_remap(ebb_reshape(c->x[0], .shape = from), .before = {times->n, {0}}, .size = to, .mode = CIRCULAR);
}

/* dim by dim: (outer, times, n*inner) summed over times */
static ebb_tensor *repeat_dx(const ebb_call *c, ebb_tensor *g) {
    const ebb_ints *times = &((const repeat_attrs *)c->attrs)->repeats;
    const ebb_shape *x = &c->x_shape[0], *y = &c->y_shape[0];
    const int lead = times->n - x->ndim;
    int64_t outer = 1, inner = 1;
    for (int d = 0; d < times->n; d++) outer *= y->dim[d];
    if (!outer) return shape_zeros(g, x);
    for (int d = times->n; d-- > 0;) {
        const int64_t n = d < lead ? 1 : x->dim[d - lead];
        outer /= y->dim[d];
        inner *= n;
        if (times->v[d] != 1)
            g = ebb_sum(ebb_reshape(g, .shape = EBB_SHAPE(outer, times->v[d], inner)), .dim = EBB_DIMS(1));
    }
    return ebb_reshape(g, .shape = ebb_ints_of(x));
}

EBB_OP(repeat,
    .sig = "input()->()",
    .math = "y = x laid beside itself repeats times along each dim;  dx = the copies of g summed",
    .compose = repeat_compose,
    .attrs = EBB_ATTRS(repeat_attrs, repeat_attr),
    .vjp = EBB_VJP({repeat_dx, 0}),
    .flags = EBB_LINEAR | EBB_OWN_SHAPES,
    .tries = "[3] repeats=2; [2,3] repeats=2,1; [2,3] repeats=2,1,3; [3] repeats=2,2; [2] repeats=0; [] repeats=3; [2,2] repeats=3,5; [0,2] repeats=2,2",
    .doc = "The whole input several times along dims; repeats may have more numbers than the input has dims. A copy."
);

static const ebb_attr tile_attr[] = {EBB_ATTR(EBB_A_INTS, dims_attrs, dims, NULL, "how often, for the last dims")};

static ebb_tensor *tile_compose(const ebb_call *c) {
    const ebb_ints *dims = &((const dims_attrs *)c->attrs)->dims;
    const int n = c->x_shape[0].ndim > dims->n ? c->x_shape[0].ndim : dims->n;
    ebb_ints times = {n, {1, 1, 1, 1, 1, 1, 1, 1}};
    for (int k = 0; k < dims->n; k++) times.v[n - dims->n + k] = dims->v[k];
    return ebb_repeat(c->x[0], .repeats = times);
}

EBB_OP(tile,
    .sig = "input()->()",
    .math = "y = x laid beside itself dims times along the last dims;  dx = the copies of g summed",
    .compose = tile_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(dims_attrs, tile_attr),
    .tries = "[3] dims=2; [2,3] dims=2; [2] dims=2,3; [2,3] dims=2,2",
    .doc = "repeat, whose missing leading numbers are 1."
);

/* ---- repeat_interleave ---- */

typedef struct interleave_attrs {
    int64_t repeats, dim;
} interleave_attrs;
static const ebb_attr interleave_attr[] = {
    EBB_ATTR(EBB_A_INT, interleave_attrs, repeats, "-1", "how often each element, when counts is not given"),
    EBB_ATTR(EBB_A_INT, interleave_attrs, dim, "min", "the dim; min: all elements as one row"),
};

/* The index of each of the repeated elements, or NULL with an error. */
static ebb_tensor *repeated_index(const ebb_call *c, int64_t n) {
    const ebb_shape *s = &c->x_shape[1];
    if (s->dtype != EBB_I32 && s->dtype != EBB_I64)
        return EBB_FAIL(c, EBB_E_DTYPE, "counts must be i32 or i64");
    if (s->ndim > 1 || (s->ndim && s->dim[0] != 1 && s->dim[0] != n))
        return EBB_FAIL(c, EBB_E_SHAPE, "counts needs one number for each of %lld elements, or one for all",
                        (long long)n);
    ebb_tensor *t = ebb_contiguous(ebb_to(c->x[1], EBB_I64));
    const ebb_info i = ebb_info_of(t);
    const int64_t *count = (const int64_t *)i.data, each = i.numel > 1;
    int64_t total = 0;
    for (int64_t k = 0; t && k < n; k++)
        if (count[k * each] < 0 || __builtin_add_overflow(total, count[k * each], &total))
            return EBB_FAIL(c, EBB_E_ARG, "count %lld is %lld", (long long)k, (long long)count[k * each]);
    ebb_tensor *index = t ? ebb_constant(c->e, EBB_I64, EBB_SHAPE(total), 0) : NULL;
    int64_t *at = (int64_t *)ebb_info_of(index).data;
    for (int64_t k = 0; index && k < n; k++)
        for (int64_t j = 0; j < count[k * each]; j++) *at++ = k;
    return index;
}

static ebb_tensor *interleave_compose(const ebb_call *c) {
    const interleave_attrs *a = (const interleave_attrs *)c->attrs;
    const bool all = a->dim == INT64_MIN, counted = c->n_x > 1 && c->x[1];
    const int d = all ? 0 : shape_real_dim_in(c, a->dim);
    if (d < 0) return NULL;
    ebb_tensor *x = all ? ebb_ravel(c->x[0]) : c->x[0];
    const ebb_info i = ebb_info_of(x);
    if (!x) return NULL;
    if (counted) {
        ebb_tensor *index = repeated_index(c, i.shape[d]);
        return index ? ebb_index_select(x, index, .dim = d) : NULL;
    }
    if (a->repeats < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "repeats is %lld; a number from 0 on, or counts, is needed",
                        (long long)a->repeats);
    const ebb_shape s = {i.dtype, i.ndim, i.shape};
    ebb_ints size = ebb_ints_of(&s);
    if (__builtin_mul_overflow(size.v[d], a->repeats, &size.v[d]))
        return EBB_FAIL(c, EBB_E_ATTR, "repeats is too large");
    return ebb_remap(x, .before = {i.ndim, {0}}, .size = size, .mode = STRETCH);
}

EBB_OP(repeat_interleave,
    .sig = "input(),counts()?:i->()",
    .math = "y = each element of x (a slice along dim) several times in a row;  dx = its copies in g summed",
    .compose = interleave_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(interleave_attrs, interleave_attr),
    .tries = "[3] repeats=2; [2,3] repeats=3; [2,3] repeats=2 dim=0; [2,3] repeats=2 dim=-1; [3] [1]<4; [2,3] []<3 dim=0; [1,3] [1]<4 dim=0; [2] repeats=0; [] repeats=2",
    .doc = "Repeats each element, repeats times or as often as counts says for it."
);
