/* attention.c - floor 5: scaled dot product attention. */
#include <ebb/op.h>

typedef struct attention_attrs {
    double dropout_p;
    bool is_causal;
    double scale;
    int64_t key;
} attention_attrs;
static const ebb_attr attention_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, attention_attrs, dropout_p, "0", "probability of leaving out a weight", .lo = 0, .hi = 1),
    EBB_ATTR(EBB_A_BOOL, attention_attrs, is_causal, "0", "position i sees positions up to i"),
    EBB_ATTR(EBB_A_FLOAT, attention_attrs, scale, "nan", "factor of the products; nan: 1/sqrt(E)"),
    EBB_ATTR(EBB_A_INT, attention_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

/* Scores where keep holds, -inf elsewhere. */
static ebb_tensor *masked(ebb_tensor *scores, ebb_tensor *keep) {
    return ebb_where(keep, scores, ebb_scalar(scores, -INFINITY));
}

/* Whether j <= i, [rows,columns]. */
static ebb_tensor *triangle(ebb *e, int64_t rows, int64_t columns) {
    ebb_tensor *i = ebb_arange(e, .end = (double)rows, .dtype = EBB_I64),
               *j = ebb_arange(e, .end = (double)columns, .dtype = EBB_I64);
    return ebb_ge(ebb_reshape(i, .shape = EBB_SHAPE(rows, 1)), j);
}

static ebb_tensor *attention_compose(const ebb_call *c) {
    const attention_attrs *a = (const attention_attrs *)c->attrs;
    const ebb_shape *q = &c->x_shape[0], *k = &c->x_shape[1], *v = &c->x_shape[2];
    ebb_tensor *bias = c->n_x > 3 ? c->x[3] : NULL, *keep = c->n_x > 4 ? c->x[4] : NULL;
    if (q->ndim < 2 || k->ndim < 2 || v->ndim < 2)
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "query, key and value have %d, %d and %d dims; at least 2 are needed, [..,L,E]",
                        q->ndim, k->ndim, v->ndim);
    if (q->dtype != k->dtype || q->dtype != v->dtype || (bias && c->x_shape[3].dtype != q->dtype))
        return EBB_FAIL(c, EBB_E_DTYPE, "query, key, value and attn_mask must have one dtype");
    const int64_t rows = q->dim[q->ndim - 2], columns = k->dim[k->ndim - 2], width = q->dim[q->ndim - 1];
    if (width != k->dim[k->ndim - 1] || columns != v->dim[v->ndim - 2])
        return EBB_FAIL(c, EBB_E_SHAPE,
                        "query ends in %lld,%lld, key in %lld,%lld, value in %lld,..; [L,E], [S,E], [S,Ev] are needed",
                        (long long)rows, (long long)width, (long long)columns, (long long)k->dim[k->ndim - 1],
                        (long long)v->dim[v->ndim - 2]);
    if (a->is_causal && (bias || keep))
        return EBB_FAIL(c, EBB_E_ARG, "is_causal is a mask itself; no other can be given beside it");
    const double scale = isnan(a->scale) ? 1 / ebb_sqrt((double)width) : a->scale;
    ebb_tensor *scores =
        ebb_matmul(ebb_mul_scalar(c->x[0], scale), ebb_transpose(c->x[1], .dim0 = -1, .dim1 = -2));
    if (bias) scores = ebb_add(scores, bias);
    if (keep) scores = masked(scores, keep);
    if (a->is_causal) scores = masked(scores, triangle(c->e, rows, columns));
    ebb_tensor *weights = ebb_softmax(scores, .dim = -1);
    if (a->dropout_p > 0) weights = ebb_dropout(weights, .p = a->dropout_p, .key = a->key);
    return ebb_matmul(weights, c->x[2]);
}

EBB_OP(scaled_dot_product_attention,
    .sig = "query(),key(),value(),attn_mask()?,keep()?:b->()",
    .math = "y = softmax(scale*Q*K' + mask)*V, rows of the softmax along the keys",
    .compose = attention_compose,
    .attrs = EBB_ATTRS(attention_attrs, attention_attr),
    .flags = EBB_RANDOM,
    .tries = "[2,3] [4,3] [4,2]; [2,3,2] [2,4,2] [2,4,3] [3,4]; [1,3,2] [1,3,2] [1,3,2] is_causal=1; [2,2,3,2] [2,2,3,2] [2,2,3,2] scale=0.7; [2,3] [5,3] [5,2] dropout_p=0.4; [1,1] [1,1] [1,1]; [3,2] [3,2] [3,2] - [1,3]; [0,2] [3,2] [3,2]",
    .doc = "Attention of queries [..,L,E] over keys [..,S,E] and values [..,S,Ev]. attn_mask is added to the scores; keep, which is bool, says which take part. A row that sees nothing is NaN.",
    .ref = "Vaswani et al., 2017, Attention is all you need"
);
