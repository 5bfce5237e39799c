/* grid_sample.c - floor 5: an image or volume sampled at any places, and the places of an affine map. */
#include <ebb/op.h>

enum { BILINEAR, NEAREST, BICUBIC };
enum { ZEROS, BORDER, REFLECTION };

typedef struct grid_attrs {
    int32_t mode, padding_mode;
    bool align_corners;
} grid_attrs;
static const ebb_attr grid_attr[] = {
    EBB_ATTR(EBB_A_ENUM, grid_attrs, mode, "bilinear", "what a place between elements gets",
             .choices = "bilinear|nearest|bicubic"),
    EBB_ATTR(EBB_A_ENUM, grid_attrs, padding_mode, "zeros", "what lies outside", .choices = "zeros|border|reflection"),
    EBB_ATTR(EBB_A_BOOL, grid_attrs, align_corners, "0",
             "-1 and 1 are the centres of the corner elements, not their outer edges"),
};

/* ---- places along one axis of n elements ---- */

/* From -1..1 to elements. */
static ebb_tensor *to_elements(ebb_tensor *g, int64_t n, bool align) {
    ebb_tensor *u = ebb_add_scalar(g, 1);
    return align ? ebb_mul_scalar(u, (double)(n - 1) / 2)
                 : ebb_mul_scalar(ebb_add_scalar(ebb_mul_scalar(u, (double)n), -1), 0.5);
}

/* No gradient at the bounds and beyond; NaN stays. */
static ebb_tensor *clipped(ebb_tensor *u, int64_t n) {
    ebb_tensor *zero = ebb_scalar(u, 0), *last = ebb_scalar(u, (double)(n - 1));
    return ebb_where(ebb_le(u, zero), zero, ebb_where(ebb_ge(u, last), last, u));
}

static ebb_tensor *odd_part(ebb_tensor *whole) { /* 1 of odd numbers, 0 of even ones */
    return ebb_sub(whole, ebb_mul_scalar(ebb_floor(ebb_mul_scalar(whole, 0.5)), 2));
}

/* Folded back and forth between the outer edges, or the centres of the corner elements. */
static ebb_tensor *reflected(ebb_tensor *u, int64_t n, bool align) {
    const double low = align ? 0 : -0.5, span = align ? (double)(n - 1) : (double)n;
    if (span <= 0) return ebb_mul_scalar(u, 0);
    ebb_tensor *off = ebb_add_scalar(u, -low), *zero = ebb_scalar(u, 0);
    off = ebb_where(ebb_lt(off, zero), ebb_neg(off), off);
    ebb_tensor *turns = ebb_floor(ebb_div_scalar(ebb_outside_graph(off), span));
    ebb_tensor *rest = ebb_sub(off, ebb_mul_scalar(turns, span));
    return ebb_add_scalar(ebb_where(ebb_ne(odd_part(turns), zero), ebb_sub_from(span, rest), rest), low);
}

static ebb_tensor *padded(ebb_tensor *u, int64_t n, const grid_attrs *a) {
    if (a->padding_mode == REFLECTION) u = reflected(u, n, a->align_corners);
    return a->padding_mode == ZEROS ? u : clipped(u, n);
}

/* The nearest element, of two as near the even one. */
static ebb_tensor *nearest(ebb_tensor *u) {
    ebb_tensor *below = ebb_floor(u), *off = ebb_sub(u, below), *half = ebb_scalar(u, 0.5);
    return ebb_add(below, ebb_where(ebb_eq(off, half), odd_part(below),
                                    ebb_where(ebb_gt(off, half), ebb_scalar(u, 1), ebb_scalar(u, 0))));
}

/* The elements of one axis that a place is made of: their numbers, whether they exist, and their weights. */
typedef struct axis_taps {
    int count;
    ebb_tensor *at[4], *exists[4], *weight[4];
} axis_taps;

/* Element p, a float. What does not exist is element 0, unused; so is NaN, whose weight is NaN. */
static void put_tap(axis_taps *t, ebb_tensor *p, int64_t n, ebb_tensor *weight) {
    ebb_tensor *first = ebb_scalar(p, 0), *last = ebb_scalar(p, (double)(n - 1));
    ebb_tensor *exists = ebb_logical_not(ebb_logical_or(ebb_lt(p, first), ebb_gt(p, last)));
    t->at[t->count] = ebb_to(ebb_where(exists, p, first), EBB_I64);
    t->exists[t->count] = exists;
    t->weight[t->count++] = weight;
}

/* Polynomials of the cubic convolution, a = -3/4: near 0 <= s <= 1, far 1 <= s <= 2. */
static ebb_tensor *near(ebb_tensor *s) {
    return ebb_add_scalar(ebb_mul(ebb_mul(ebb_add_scalar(ebb_mul_scalar(s, 1.25), -2.25), s), s), 1);
}
static ebb_tensor *far(ebb_tensor *s) {
    ebb_tensor *p = ebb_add_scalar(ebb_mul_scalar(s, -0.75), 3.75);
    return ebb_add_scalar(ebb_mul(ebb_add_scalar(ebb_mul(p, s), -6), s), 3);
}

static axis_taps taps_of(ebb_tensor *g, int64_t n, const grid_attrs *a) {
    axis_taps t = {0, {NULL}, {NULL}, {NULL}};
    ebb_tensor *u = to_elements(g, n, a->align_corners);
    if (a->mode == BICUBIC) {
        ebb_tensor *below = ebb_floor(ebb_outside_graph(u)), *s = ebb_sub(u, below), *r = ebb_sub_from(1, s);
        ebb_tensor *weight[] = {far(ebb_add_scalar(s, 1)), near(s), near(r), far(ebb_add_scalar(r, 1))};
        for (int k = 0; k < 4; k++) put_tap(&t, padded(ebb_add_scalar(below, k - 1), n, a), n, weight[k]);
        return t;
    }
    u = padded(u, n, a);
    if (a->mode == NEAREST) { /* the weight is 1, and says that the gradient of the place is 0 */
        put_tap(&t, nearest(ebb_outside_graph(u)), n, ebb_add_scalar(ebb_mul_scalar(u, 0), 1));
        return t;
    }
    ebb_tensor *below = ebb_floor(ebb_outside_graph(u)), *s = ebb_sub(u, below);
    put_tap(&t, below, n, ebb_sub_from(1, s));
    put_tap(&t, ebb_add_scalar(below, 1), n, s);
    return t;
}

/* ---- grid_sample ---- */

static bool grid_fits(const ebb_call *c) {
    const ebb_shape *x = &c->x_shape[0], *g = &c->x_shape[1];
    const grid_attrs *a = (const grid_attrs *)c->attrs;
    const int spatial = x->ndim - 2;
    bool full = true;
    for (int d = 2; d < x->ndim; d++) full = full && x->dim[d];
    if ((spatial != 2 && spatial != 3) || g->ndim != x->ndim)
        (void)EBB_FAIL(c, EBB_E_SHAPE,
                       "the input has %d dims and the grid %d; both need 4, [N,C,H,W] and [N,H',W',2], or 5",
                       x->ndim, g->ndim);
    else if (x->dim[0] != g->dim[0] || g->dim[g->ndim - 1] != spatial)
        (void)EBB_FAIL(c, EBB_E_SHAPE, "the grid is [%lld,..,%lld]; for this input it must be [%lld,..,%d]",
                       (long long)g->dim[0], (long long)g->dim[g->ndim - 1], (long long)x->dim[0], spatial);
    else if (!full) (void)EBB_FAIL(c, EBB_E_SHAPE, "a spatial dim of the input is empty");
    else if (x->dtype != g->dtype || !ebb_is_float(x->dtype))
        (void)EBB_FAIL(c, EBB_E_DTYPE, "input and grid must be of one float dtype");
    else if (a->mode == BICUBIC && spatial == 3)
        (void)EBB_FAIL(c, EBB_E_ATTR, "bicubic is for inputs of 4 dims");
    else return true;
    return false;
}

static ebb_tensor *grid_sample_compose(const ebb_call *c) {
    if (!grid_fits(c)) return NULL;
    const ebb_shape *x = &c->x_shape[0], *g = &c->x_shape[1];
    const int spatial = x->ndim - 2;
    const int64_t samples = x->dim[0];
    int64_t places = 1;
    int64_t elements = 1;
    axis_taps axis[3];
    for (int d = 1; d + 1 < g->ndim; d++) places *= g->dim[d];
    const int64_t all = samples * places;
    ebb_tensor *place[8];
    place[0] = ebb_parts(ebb_reshape(c->x[1], .shape = EBB_SHAPE(all, spatial)), .dim = 1, .n = spatial,
                         .more = place + 1);
    if (!place[0]) return NULL;
    ebb_ints last = {x->ndim, {0}}, back = {x->ndim, {0, x->ndim - 1}}, shape = ebb_ints_of(g);
    for (int d = 0; d < spatial; d++) { /* the grid names the last dim first */
        axis[d] = taps_of(ebb_reshape(place[spatial - 1 - d], .shape = EBB_SHAPE(all)), x->dim[d + 2],
                          (const grid_attrs *)c->attrs);
        elements *= x->dim[d + 2];
        last.v[d + 1] = d + 2;
        back.v[d + 2] = d + 1;
    }
    last.v[x->ndim - 1] = 1;
    shape.v[shape.n - 1] = x->dim[1];
    /* channels last: an element of every channel lies together as one row */
    ebb_tensor *rows =
        ebb_reshape(ebb_permute(c->x[0], .dims = last), .shape = EBB_SHAPE(samples * elements, x->dim[1]));
    ebb_tensor *start =
        ebb_mul_scalar(ebb_arange(c->e, .end = (double)samples, .dtype = EBB_I64), (double)elements);
    start = ebb_reshape(
        ebb_expand(ebb_reshape(start, .shape = EBB_SHAPE(samples, 1)), .size = EBB_SHAPE(samples, places)),
        .shape = EBB_SHAPE(all));
    ebb_tensor *sum = NULL;
    const int taps = axis[0].count, combinations = spatial == 2 ? taps * taps : taps * taps * taps;
    for (int k = 0; k < combinations; k++) {
        ebb_tensor *at = NULL, *exists = NULL, *weight = NULL;
        for (int d = 0, rest = k; d < spatial; d++, rest /= taps) {
            const int i = rest % taps;
            at = d ? ebb_add(ebb_mul_scalar(at, (double)x->dim[d + 2]), axis[d].at[i]) : axis[d].at[i];
            exists = d ? ebb_logical_and(exists, axis[d].exists[i]) : axis[d].exists[i];
            weight = d ? ebb_mul(weight, axis[d].weight[i]) : axis[d].weight[i];
        }
        weight = ebb_where(exists, weight, ebb_scalar(weight, 0));
        ebb_tensor *part =
            ebb_mul(ebb_index_select(rows, ebb_add(start, at)), ebb_reshape(weight, .shape = EBB_SHAPE(all, 1)));
        sum = k ? ebb_add(sum, part) : part;
    }
    return ebb_permute(ebb_reshape(sum, .shape = shape), .dims = back);
}

EBB_OP(grid_sample,
    .sig = "input(),grid()->()",
    .math = "y[n,c,i] = x[n,c] at the place grid[n,i], between elements by weights of its distance to them",
    .compose = grid_sample_compose,
    .attrs = EBB_ATTRS(grid_attrs, grid_attr),
    .domain = EBB_DOMAIN({-2, 2}, {-0.9, 0.9}),
    .tries = "[1,2,3,4] [1,2,2,2]; [2,1,3,3] [2,2,1,2] padding_mode=border align_corners=1; [1,1,3,4] [1,3,2,2] padding_mode=reflection; [1,2,3,4] [1,2,2,2] mode=nearest; [1,1,4,5] [1,2,2,2] mode=bicubic; [1,1,4,3] [1,2,2,2] mode=bicubic padding_mode=border align_corners=1; [1,1,2,3,2] [1,1,2,2,3]; [1,1,2,2,3] [1,2,1,2,3] mode=nearest padding_mode=border; [1,2,1,1] [1,2,2,2] padding_mode=border; [1,1,2,2] [1,0,2,2]",
    .doc = "[N,C,H,W] at the places of a grid [N,H',W',2] of (x, y) from -1 to 1, or [N,C,D,H,W] at [N,D',H',W',3] of (x, y, z). Gradients of input and grid.",
    .ref = "Jaderberg et al., 2015, Spatial transformer networks"
);

/* ---- affine_grid ---- */

typedef struct affine_attrs {
    ebb_ints size;
    bool align_corners;
} affine_attrs;
static const ebb_attr affine_attr[] = {
    EBB_ATTR(EBB_A_INTS, affine_attrs, size, NULL, "of the image that the grid is for: N,C,H,W or N,C,D,H,W"),
    EBB_ATTR(EBB_A_BOOL, affine_attrs, align_corners, "0",
             "-1 and 1 are the centres of the corner elements, not their outer edges"),
};

/* Elements 0..n-1 in -1..1, [n]. */
static ebb_tensor *centres(const ebb_call *c, int64_t n, bool align) {
    ebb_tensor *i = ebb_arange(c->e, .end = (double)n, .dtype = c->x_shape[0].dtype);
    if (align && n == 1) return ebb_mul_scalar(i, 0);
    return align ? ebb_add_scalar(ebb_mul_scalar(i, 2 / (double)(n - 1)), -1)
                 : ebb_div_scalar(ebb_add_scalar(ebb_mul_scalar(i, 2), (double)(1 - n)), (double)n);
}

static ebb_tensor *affine_grid_compose(const ebb_call *c) {
    const affine_attrs *a = (const affine_attrs *)c->attrs;
    const ebb_shape *t = &c->x_shape[0];
    const int spatial = a->size.n - 2;
    if (spatial != 2 && spatial != 3)
        return EBB_FAIL(c, EBB_E_ATTR, "size has %d numbers; 4 or 5 are needed", a->size.n);
    if (!ebb_is_float(t->dtype)) return EBB_FAIL(c, EBB_E_DTYPE, "theta must be of a float dtype");
    if (t->ndim != 3 || t->dim[0] != a->size.v[0] || t->dim[1] != spatial || t->dim[2] != spatial + 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "theta has %d dims of %lld elements; [%lld,%d,%d] is needed", t->ndim,
                        (long long)ebb_shape_numel(t), (long long)a->size.v[0], spatial, spatial + 1);
    int64_t places = 1;
    ebb_ints shape = {spatial + 1, {0}};
    for (int d = 0; d < a->size.n; d++) {
        if (a->size.v[d] <= 0)
            return EBB_FAIL(c, EBB_E_ATTR, "size has %lld; all must be above 0", (long long)a->size.v[d]);
        if (d > 1) places *= shape.v[d - 2] = a->size.v[d];
    }
    shape.v[spatial] = 1;
    ebb_tensor *column[4];
    for (int k = 0; k < spatial; k++) { /* x, which runs along the last dim, first */
        ebb_ints one = {spatial + 1, {1, 1, 1, 1}};
        one.v[spatial - 1 - k] = shape.v[spatial - 1 - k];
        column[k] = ebb_expand(ebb_reshape(centres(c, one.v[spatial - 1 - k], a->align_corners), .shape = one),
                               .size = shape);
    }
    column[spatial] = ebb_constant(c->e, (ebb_dtype)t->dtype, shape, 1);
    ebb_tensor *base =
        ebb_reshape(ebb_cat(spatial + 1, column, .dim = spatial), .shape = EBB_SHAPE(places, spatial + 1));
    ebb_tensor *grid = ebb_matmul(base, ebb_transpose(c->x[0], .dim0 = 1, .dim1 = 2));
    ebb_ints out = {spatial + 2, {a->size.v[0]}};
    for (int d = 0; d < spatial; d++) out.v[d + 1] = shape.v[d];
    out.v[spatial + 1] = spatial;
    return ebb_reshape(grid, .shape = out);
}

EBB_OP(affine_grid,
    .sig = "theta()->()",
    .math = "grid[n,i] = theta[n]*(x_i, y_i, 1), the places of an image from -1 to 1",
    .compose = affine_grid_compose,
    .attrs = EBB_ATTRS(affine_attrs, affine_attr),
    .flags = EBB_LINEAR,
    .tries = "[2,2,3] size=2,1,3,4; [1,2,3] size=1,3,2,2 align_corners=1; [1,3,4] size=1,1,2,3,2; [2,3,4] size=2,1,1,2,3 align_corners=1",
    .doc = "The grid that grid_sample needs to show an image under the affine maps theta, [N,2,3] or [N,3,4]. size is that of the result.",
    .ref = "Jaderberg et al., 2015, Spatial transformer networks"
);
