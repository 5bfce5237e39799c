/* distance.c - floor 5: vectors brought to norm 1, the angle and the distance between two. */
#include <ebb/op.h>

/* ---- a tensor as a constant ---- */

static ebb_status same_view(ebb_infer *s) {
    s->y->ndim = s->x->ndim;
    for (int d = 0; d < s->x->ndim; d++) {
        s->y->shape[d] = s->x->shape[d];
        s->y->stride[d] = s->x->stride[d];
    }
    return EBB_OK;
}

EBB_OP(outside_graph,
    .sig = "input()->()",
    .math = "y = x, as a constant",
    .view = same_view,
    .vjp = EBB_VJP({NULL, 0}),
    .flags = EBB_INTERNAL,
    .tries = "[3]; [2,3]; []",
    .doc = "The input as a constant: no gradient flows back."
);

/* Stands in an op that looks at vectors: the verifier takes composed ops without it as elementwise. Never asked: the parts give
 * the shapes. */
static ebb_status of_parts(ebb_infer *s) { return s->fail(s, EBB_E_SHAPE, "its parts give the shapes"); }

/* ---- normalize ---- */

typedef struct normalize_attrs {
    double p;
    int64_t dim;
    double eps;
} normalize_attrs;
static const ebb_attr normalize_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, normalize_attrs, p, "2", "order of the norm"),
    EBB_ATTR(EBB_A_INT, normalize_attrs, dim, "1", "the dim that the vectors lie along"),
    EBB_ATTR(EBB_A_FLOAT, normalize_attrs, eps, "1e-12", "what is divided by is at least this"),
};

static ebb_tensor *normalize_compose(const ebb_call *c) {
    const normalize_attrs *a = (const normalize_attrs *)c->attrs;
    ebb_tensor *norm = ebb_norm(c->x[0], .p = a->p, .dim = EBB_DIMS(a->dim), .keepdim = true);
    return ebb_div(c->x[0], ebb_clamp_min(norm, .min = a->eps));
}

EBB_OP(normalize,
    .sig = "input()->()",
    .math = "y = x/max(|x|_p, eps), the norm along dim",
    .compose = normalize_compose,
    .infer = of_parts,
    .attrs = EBB_ATTRS(normalize_attrs, normalize_attr),
    .tries = "[3,4]; [3,4] dim=0; [2,3,4] dim=-1 p=3; [5] dim=0 p=1; [3,4] eps=9; [2,1,3] p=1.5 dim=2; [0,3] dim=1",
    .doc = "Divides vectors by their norm. A norm below eps counts as eps."
);

/* ---- cosine_similarity ---- */

typedef struct cosine_attrs {
    int64_t dim;
    double eps;
} cosine_attrs;
static const ebb_attr cosine_attr[] = {
    EBB_ATTR(EBB_A_INT, cosine_attrs, dim, "1", "the dim that the vectors lie along"),
    EBB_ATTR(EBB_A_FLOAT, cosine_attrs, eps, "1e-08", "what each vector is divided by is at least this"),
};

/* The vectors over their norms n, these at least eps: as over sqrt(n^2 + k), k a constant, so that below eps the gradient of
 * the norm is x/eps, PyTorch's convention. */
static ebb_tensor *unit(ebb_tensor *x, const cosine_attrs *a) {
    ebb_tensor *norm = ebb_norm(x, .dim = EBB_DIMS(a->dim), .keepdim = true), *fixed = ebb_outside_graph(norm);
    ebb_tensor *least = ebb_clamp_min(fixed, .min = a->eps);
    ebb_tensor *rest = ebb_sub_from(1, ebb_square(ebb_div(fixed, least)));
    return ebb_div(x, ebb_mul(least, ebb_sqrt(ebb_add(ebb_square(ebb_div(norm, least)), rest))));
}

/* The dtype that both inputs are brought to. */
static int32_t common_dtype(const ebb_call *c) {
    if (c->x_shape[0].dtype == c->x_shape[1].dtype) return c->x_shape[0].dtype;
    return ebb_info_of(ebb_mul(ebb_outside_graph(c->x[0]), ebb_outside_graph(c->x[1]))).dtype;
}

static ebb_tensor *cosine_similarity_compose(const ebb_call *c) {
    const cosine_attrs *a = (const cosine_attrs *)c->attrs;
    const int32_t dtype = common_dtype(c);
    ebb_tensor *x[2];
    if (dtype != EBB_NONE && !ebb_is_float(dtype))
        return EBB_FAIL(c, EBB_E_DTYPE, "an input must be f32 or f64");
    for (int i = 0; i < 2; i++) { /* in one shape: dim counts in it */
        const ebb_shape *mine = &c->x_shape[i], *other = &c->x_shape[1 - i];
        ebb_ints size = {mine->ndim > other->ndim ? mine->ndim : other->ndim, {0}};
        for (int d = 0; d < size.n; d++) {
            const int p = d - (size.n - mine->ndim), q = d - (size.n - other->ndim);
            const int64_t m = p < 0 ? 1 : mine->dim[p], o = q < 0 ? 1 : other->dim[q];
            size.v[d] = m == 1 ? o : m;
        }
        x[i] = ebb_expand(ebb_to(c->x[i], (ebb_dtype)dtype), .size = size);
    }
    return ebb_sum(ebb_mul(unit(x[0], a), unit(x[1], a)), .dim = EBB_DIMS(a->dim));
}

EBB_OP(cosine_similarity,
    .sig = "x1(),x2()->()",
    .math = "y = sum (a/max(|a|, eps))*(b/max(|b|, eps)) along dim",
    .compose = cosine_similarity_compose,
    .infer = of_parts,
    .attrs = EBB_ATTRS(cosine_attrs, cosine_attr),
    .flags = EBB_PROMOTES,
    .domain = EBB_DOMAIN({0.05, 0.4}, {-0.4, -0.05}),
    .tries = "[3,4] [3,4]; [3,4] [3,4] dim=0; [2,3,4] [1,4] dim=-1; [5] [5] dim=0; [3,4] [1,4]; [0,3] [0,3]",
    .doc = "Cosine of the angle between vectors along a dim of the broadcast inputs. A norm below eps counts as eps."
);

/* ---- pairwise_distance ---- */

typedef struct pairwise_attrs {
    double p, eps;
    bool keepdim;
} pairwise_attrs;
static const ebb_attr pairwise_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, pairwise_attrs, p, "2", "order of the norm"),
    EBB_ATTR(EBB_A_FLOAT, pairwise_attrs, eps, "1e-06", "added to every difference"),
    EBB_ATTR(EBB_A_BOOL, pairwise_attrs, keepdim, "0", "keep the last dim, with size 1"),
};

static ebb_tensor *pairwise_distance_compose(const ebb_call *c) {
    const pairwise_attrs *a = (const pairwise_attrs *)c->attrs;
    ebb_tensor *off = ebb_add_scalar(ebb_sub(c->x[0], c->x[1]), a->eps);
    return ebb_norm(off, .p = a->p, .dim = EBB_DIMS(-1), .keepdim = a->keepdim);
}

EBB_OP(pairwise_distance,
    .sig = "x1(),x2()->()",
    .math = "y = |a - b + eps|_p along the last dim",
    .compose = pairwise_distance_compose,
    .infer = of_parts,
    .attrs = EBB_ATTRS(pairwise_attrs, pairwise_attr),
    .flags = EBB_PROMOTES,
    .domain = EBB_DOMAIN({0.3, 2}, {-2, -0.4}),
    .tries = "[3,4] [3,4]; [3,4] [3,4] p=1 keepdim=1; [2,3,4] [4] p=3; [5] [5] eps=0.1; [3,1] [1,4] p=inf; [0,3] [0,3]",
    .doc = "Norm of the difference of vectors along the last dim of the broadcast inputs."
);
