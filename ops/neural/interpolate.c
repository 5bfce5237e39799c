/* interpolate.c - floor 5: images and volumes in another size, dim by dim. */
#include <ebb/op.h>

typedef struct interpolate_attrs {
    ebb_ints size;
    ebb_floats scale_factor;
    int32_t mode;
    bool align_corners, recompute_scale_factor;
} interpolate_attrs;
static const ebb_attr interpolate_attr[] = {
    EBB_ATTR(EBB_A_INTS, interpolate_attrs, size, "", "new spatial sizes; one for all, or one for each"),
    EBB_ATTR(EBB_A_FLOATS, interpolate_attrs, scale_factor, "", "or factors: one for all, or one for each"),
    EBB_ATTR(EBB_A_ENUM, interpolate_attrs, mode, "nearest", "how places between elements are filled",
             .choices = "nearest|nearest-exact|linear|bilinear|trilinear|bicubic|area"),
    EBB_ATTR(EBB_A_BOOL, interpolate_attrs, align_corners, "0",
             "the corner elements keep their places; in the linear modes and bicubic"),
    EBB_ATTR(EBB_A_BOOL, interpolate_attrs, recompute_scale_factor, "0",
             "only the sizes that the factors give are used, not the factors themselves"),
};

/* The mode of resample that each one is made of, and the dims of the input that it is for: 0 is 3 to 5. */
static const struct {
    int32_t mode, ndim;
} kinds[] = {{0, 0}, {1, 0}, {2, 3}, {2, 4}, {2, 5}, {3, 4}, {4, 0}};
enum { FIRST_LINEAR = 2, TO_AREA = 6 };

/* New size of a spatial dim of n elements; -1 and the error when there is none. */
static int64_t new_size(const ebb_call *c, int k, int64_t n) {
    const interpolate_attrs *a = (const interpolate_attrs *)c->attrs;
    const double factor = a->scale_factor.n ? a->scale_factor.v[a->scale_factor.n > 1 ? k : 0] : 0;
    const double m = a->size.n ? (double)a->size.v[a->size.n > 1 ? k : 0] : (double)n * factor;
    if (m >= (a->mode == TO_AREA ? 0 : 1) && m < 1e15 && n > 0) return (int64_t)m;
    (void)EBB_FAIL(c, EBB_E_SHAPE, "spatial dim %d would go from %lld elements to %g; both must be above 0",
                   k, (long long)n, m);
    return -1;
}

static ebb_tensor *interpolate_compose(const ebb_call *c) {
    const interpolate_attrs *a = (const interpolate_attrs *)c->attrs;
    const ebb_shape *x = &c->x_shape[0];
    const int spatial = x->ndim - 2, want = kinds[a->mode].ndim, given = a->size.n + a->scale_factor.n;
    if (x->ndim < 3 || x->ndim > 5 || (want && want != x->ndim))
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; this mode needs %s", x->ndim,
                        !want       ? "3 to 5, [N,C,..]"
                        : want == 3 ? "3, [N,C,L]"
                        : want == 4 ? "4, [N,C,H,W]"
                                    : "5, [N,C,D,H,W]");
    if (!a->size.n == !a->scale_factor.n)
        return EBB_FAIL(c, EBB_E_ATTR, "one of size and scale_factor must be given, not both");
    if (given != 1 && given != spatial)
        return EBB_FAIL(c, EBB_E_ATTR, "%d numbers are given for %d spatial dims", given, spatial);
    if (a->align_corners && (a->mode < FIRST_LINEAR || a->mode == TO_AREA))
        return EBB_FAIL(c, EBB_E_ATTR, "align_corners is for linear, bilinear, trilinear and bicubic");
    if (a->recompute_scale_factor && a->size.n)
        return EBB_FAIL(c, EBB_E_ATTR, "recompute_scale_factor goes with scale_factor, not with size");
    if (!x->dim[1] && a->mode != TO_AREA) return EBB_FAIL(c, EBB_E_SHAPE, "the input has no channels");
    int64_t size[3] = {0};
    for (int k = 0; k < spatial; k++)
        if ((size[k] = new_size(c, k, x->dim[k + 2])) < 0) return NULL;
    ebb_tensor *y = c->x[0];
    const bool exact = a->size.n || a->recompute_scale_factor || a->mode == TO_AREA;
    bool done[3] = {false};
    for (int round = 0; round < spatial; round++) { /* what shrinks most comes first */
        int best = -1;
        double least = 0;
        for (int k = 0; k < spatial; k++) {
            const double ratio = (double)size[k] / (double)x->dim[k + 2];
            if (!done[k] && (best < 0 || ratio <= least)) best = k, least = ratio;
        }
        done[best] = true;
        y = ebb_resample(y, .dim = best + 2, .size = size[best], .mode = kinds[a->mode].mode,
                         .align_corners = a->align_corners,
                         .scale = exact ? 0 : a->scale_factor.v[a->scale_factor.n > 1 ? best : 0]);
    }
    return y;
}

EBB_OP(interpolate,
    .sig = "input()->()",
    .math = "y = x sampled at evenly spaced places of each spatial dim;  dx = g given back to where it was taken from",
    .compose = interpolate_compose,
    .attrs = EBB_ATTRS(interpolate_attrs, interpolate_attr),
    .tries = "[2,1,3] size=5; [1,2,3,4] size=5,3 mode=bilinear; [1,2,3,4] scale_factor=1.7 mode=bilinear; [1,2,3,4] scale_factor=1.7,0.6 recompute_scale_factor=1 mode=bilinear; [1,1,4,3] size=6 mode=bicubic align_corners=1; [1,1,4,3] scale_factor=2 mode=bicubic; [1,2,5] size=3 mode=linear align_corners=1; [1,1,2,3,2] size=3,2,4 mode=trilinear; [1,2,7] size=3 mode=nearest-exact; [1,2,5,4] size=3,2 mode=area; [0,2,3] size=4; [1,1,2,2,3] scale_factor=1.5 mode=nearest",
    .doc = "The spatial dims of [N,C,..] in another size, by nearest elements, (bi-, tri-)linear or bicubic interpolation, or the means of areas. Without antialiasing.",
    .ref = "Keys, 1981, Cubic convolution interpolation for digital image processing"
);
