/* evaluate.c - floor 6: what a model says of examples it does not train on: metrics over those held back, predictions. */
#include "model.h"

enum { PART = 256 }; /* examples at a time */

/* Runs the text on what the feed has, outside the graph, without the training's random numbers. */
static bool look(ebb_model *m, int mode) {
    ebb_seed(m->e, ebb__seed_for(m, "look", 0));
    ebb_no_grad_begin(m->e);
    const bool ok = ebb__run_text(m, mode);
    ebb_no_grad_end(m->e);
    return ok;
}

/* Adds the metrics and the loss of n examples, weighted. */
static bool add_part(ebb_model *m, int64_t n, double *sum) {
    ebb_scope *s = ebb_begin(m->e);
    bool ok = s && look(m, RUN_EVALUATE);
    if (ok) {
        const ebb_tensor *loss = ebb_model_value(m, "loss");
        for (int i = 0; i < m->tree.n_metrics; i++) sum[i] += m->metric[i] * (double)n;
        sum[m->tree.n_metrics] += (loss && ebb_numel(loss) == 1 ? ebb_item(loss) : EBB_NAN) * (double)n;
    }
    ebb_end(s);
    return ok;
}

ebb_status ebb_model_evaluate(ebb_model *m, int n_out, double *out) {
    if (!ebb__ready(m)) return m ? ebb_error_code(m->e) : EBB_E_ARG;
    double sum[MAX_METRICS + 1] = {0};
    const int64_t held = ebb__feed_held(m), all = m->feed.set ? held ? held : m->feed.set->n_train : 1;
    bool ok = true;
    for (int64_t at = 0; at < all && ok; at += PART) {
        const int64_t n = all - at < PART ? all - at : PART;
        ebb_scope *s = ebb_begin(m->e);
        ok = s && (!m->feed.set || ebb__feed_rows(m, held > 0, at, n)) && add_part(m, n, sum);
        ebb_end(s);
    }
    for (int i = 0; i < n_out && out; i++)
        out[i] = ok && i <= m->tree.n_metrics ? sum[i] / (double)all : EBB_NAN;
    return ebb_error_code(m->e);
}

/* y for a prediction: labels nobody knows, zeros. */
static ebb_tensor *no_labels(ebb_model *m, int64_t n) {
    const ebb_tensor *y = m->feed.set->y;
    if (!y) return NULL;
    ebb_ints shape = {ebb_ndim(y), {n}};
    for (int d = 1; d < shape.n; d++) shape.v[d] = ebb_size(y, d);
    return ebb_tensor_new(m->e, ebb_tensor_dtype(y), shape, NULL);
}

ebb_tensor *ebb_model_predict(ebb_model *m, ebb_tensor *x) {
    if (!x || !ebb__ready(m)) return NULL;
    if (!m->tree.predict)
        return ebb_fail(m->e, EBB_E_ARG, "this model has no predict statement: write predict p = ..."), NULL;
    if (m->feed.set) {
        m->feed.x = x;
        m->feed.y = no_labels(m, ebb_size(x, 0));
    }
    m->given_x = x;
    const bool ok = !ebb_failed(m->e) && look(m, RUN_PREDICT);
    m->given_x = NULL;
    m->feed.x = m->feed.y = NULL;
    return ok ? ebb__as_tensor(m, &m->result, m->tree.predict->span, m->dtype) : NULL;
}

ebb_tensor *ebb_model_examples(ebb_model *m, bool held, int64_t first, int64_t n, ebb_tensor **y) {
    if (y) *y = NULL;
    if (!ebb__ready(m)) return NULL;
    if (!m->feed.set) return ebb_fail(m->e, EBB_E_ARG, "this model has no data"), NULL;
    const int64_t all = held ? ebb__feed_held(m) : m->feed.set->n_train;
    if (first < 0 || n < 0 || first > all || n > all - first)
        return ebb_fail(m->e, EBB_E_INDEX, "examples %lld to %lld are wanted of %lld", (long long)first,
                        (long long)(first + n), (long long)all),
               NULL;
    if (!ebb__feed_rows(m, held, first, n)) return NULL;
    if (y) *y = m->feed.y;
    return m->feed.x;
}
