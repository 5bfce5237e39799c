/* model.c - floor 6: a model from its text: made, run once, asked about, freed. */
#include "model.h"

static char *copy_text(ebb *e, const char *s, size_t n) {
    char *p = (char *)ebb_memory_get(e, n + 1);
    if (p) memcpy(p, s, n);
    return p;
}

/* The first run, which makes the parameters; its values go. */
static bool open_run(ebb_model *m) {
    ebb_scope *s = ebb_begin(m->e);
    bool ok = s && ebb__feed_next(m, false);
    if (ok) ebb_seed(m->e, ebb__seed_for(m, "step", 0));
    ok = ok && ebb__run_text(m, RUN_TRAIN);
    ebb_end(s);
    return ok;
}

static bool prepare(ebb_model *m) {
    const size_t n = m->n_text;
    if (n > MAX_TEXT)
        return ebb__problem(m, EBB_E_ARG, (ebb_span){.line = 1, .column = 1, .end_line = 1, .end_column = 1},
                            "", "the text has %zu bytes; a model has at most %d", n, (int)MAX_TEXT);
    if (!ebb__parse(m) || !ebb__resolve(m)) return false;
    m->cap_stack = m->tree.names.n + MAX_VALUES;
    m->stack = (ebb__value *)ebb_memory_get(m->e, (size_t)m->cap_stack * sizeof *m->stack);
    if (!m->stack) return false;
    m->readable = true;
    return true;
}

/* All that follows from the seed: data, parameters, optimizer. */
static bool start(ebb_model *m) {
    m->top = m->base = 0; /* options are numbers, read without variables */
    memset(m->stack, 0, (size_t)m->tree.names.n * sizeof *m->stack);
    ebb__feed_close(m);
    return ebb__feed_open(m) && open_run(m) && (m->twin || ebb__training_open(m));
}

static ebb_model *model_new(ebb *e, const char *name, const char *text, const ebb_model *twin) {
    if (ebb_failed(e)) return NULL;
    ebb__lang *l = ebb__lang_of(e);
    if (!l) return NULL;
    if (l->model)
        return ebb_fail(e, EBB_E_ARG, "this session has a model already; ebb_model_free it first"), NULL;
    ebb_model *m = (ebb_model *)ebb_memory_get(e, sizeof *m);
    if (!m) return NULL;
    m->e = e;
    m->twin = twin;
    m->dtype = twin ? EBB_F64 : EBB_F32;
    m->n_text = text ? strlen(text) : 0;
    m->tree.arena.e = m->scratch.e = e;
    m->first_input = SIZE_MAX;
    m->region = &m->root;
    l->model = m;
    m->name = copy_text(e, name ? name : "", name ? strlen(name) : 0);
    m->text = m->name ? copy_text(e, text ? text : "", m->n_text) : NULL;
    if (!m->text) return ebb_model_free(m), NULL;
    m->seed = twin ? twin->seed : ebb_random_below(e, UINT64_MAX);
    const bool ok = prepare(m) && ebb__seeded(m, &m->seed) && (m->started = start(m));
    if (!ok && !m->has_problem) return ebb_model_free(m), NULL; /* short of memory */
    return m;
}

ebb_model *ebb_model_new(ebb *e, const char *name, const char *text) {
    return model_new(e, name, text, NULL);
}
ebb_model *ebb__twin_new(ebb *e, const ebb_model *m) { return model_new(e, m->name, m->text, m); }

void ebb_model_free(ebb_model *m) {
    if (!m) return;
    ebb *e = m->e;
    ebb__lang *l = (ebb__lang *)ebb_kept(e, "lang");
    if (l && l->model == m) l->model = NULL;
    ebb__training_close(m);
    ebb__sites_close(m);
    ebb__lists_close(m);
    ebb__made_free(m);
    ebb__feed_close(m);
    ebb__arena_free(&m->scratch);
    ebb__arena_free(&m->tree.arena);
    ebb_memory_put(e, m->stack, (size_t)m->cap_stack * sizeof *m->stack);
    if (m->text) ebb_memory_put(e, m->text, m->n_text + 1);
    if (m->name) ebb_memory_put(e, m->name, strlen(m->name) + 1);
    ebb_memory_put(e, m, sizeof *m);
}

/* Whether m can run: it could be read, and nothing is wrong. An unreadable text says again what is wrong with it. */
bool ebb__ready(ebb_model *m) {
    if (!m || ebb_failed(m->e)) return false;
    if (m->has_problem) {
        ebb_fail(m->e, EBB_E_ARG, "line %d, column %d: %s%s%s", (int)m->problem.span.line,
                 (int)m->problem.span.column, m->words, *m->hint ? "; " : "", m->hint);
        return false;
    }
    if (m->readable && (m->started || (m->started = start(m)))) return true;
    return false;
}

/* ---- running ---- */

ebb_tensor *ebb_model_forward(ebb_model *m) {
    if (!ebb__ready(m) || !ebb__feed_next(m, false)) return NULL;
    ebb_seed(m->e, ebb__seed_for(m, "step", (uint64_t)m->training.done));
    if (!ebb__run_text(m, RUN_TRAIN)) return NULL;
    ebb_tensor *loss = ebb_model_value(m, "loss");
    if (loss || m->result.kind == V_NONE) return loss;
    return ebb__as_tensor(m, &m->result, m->tree.body->span, m->dtype);
}

ebb_tensor *ebb_model_value(ebb_model *m, const char *name) {
    if (!m || !name || !m->has_run || !ebb_scope_open(m->e, m->scope)) return NULL;
    for (int32_t i = 0; i < m->tree.names.n; i++)
        if (!strcmp(m->tree.names.name[i], name) && m->stack[i].kind != V_NONE && m->stack[i].kind != V_WORD)
            return ebb__as_tensor(m, &m->stack[i], m->tree.body->span, m->dtype);
    return NULL;
}

const char *ebb_model_text(const ebb_model *m) { return m ? m->text : NULL; }

bool ebb_model_defines(const ebb_model *m, const char *name, size_t n) {
    for (const ebb__def *d = m && name ? m->tree.defs : NULL; d; d = d->next)
        if (strlen(d->name) == n && !memcmp(d->name, name, n)) return true;
    return false;
}

const char *ebb_model_variable(const ebb_model *m, size_t i) {
    return m && i < (size_t)m->tree.names.n ? m->tree.names.name[i] : NULL;
}

/* ---- asked about ---- */

void ebb_model_info_of(const ebb_model *m, ebb_model_info *out) {
    if (!out) return;
    ebb_model_info i = {.size = sizeof i, .optimizer = "", .dataset = "", .predict = ""};
    if (m) {
        const ebb__tree *t = &m->tree;
        const ebb_dataset *s = m->feed.set;
        i.trains = t->train != NULL;
        if (t->train) i.optimizer = t->train->name;
        i.steps = m->training.steps;
        i.n_metrics = t->n_metrics;
        if (t->predict) i.predict = t->predict->name;
        if (s) {
            i.dataset = s->name;
            i.batch = m->feed.batch;
            i.n_train = s->n_train;
            i.n_held = ebb__feed_held(m);
            i.classes = s->classes;
            i.plane = ebb_ndim(s->x) == 2 && ebb_size(s->x, 1) == 2 && ebb_tensor_dtype(s->x) == EBB_F32;
            i.image_rows = s->rows;
            i.image_cols = s->cols;
        }
        for (size_t k = 0; k < m->n_made; k++)
            if (!m->made[k].input) i.parameters += ebb_numel(m->made[k].t);
    }
    memcpy(out, &i, out->size && out->size < sizeof i ? out->size : sizeof i);
}

const char *ebb_model_metric_name(const ebb_model *m, int i) {
    return m && i >= 0 && i < m->tree.n_metrics ? m->tree.metric[i]->name : NULL;
}

ebb_status ebb_model_restart(ebb_model *m) {
    if (!ebb__ready(m)) return m ? ebb_error_code(m->e) : EBB_E_ARG;
    ebb__training_close(m);
    m->feed.epoch = -1;
    m->feed.at = 0;
    m->restarting = true;
    const bool ok = open_run(m);
    m->restarting = false;
    if (ok) ebb__training_open(m);
    return ebb_error_code(m->e);
}

ebb_status ebb_model_reseed(ebb_model *m, uint64_t seed) {
    if (!ebb__ready(m)) return m ? ebb_error_code(m->e) : EBB_E_ARG;
    m->seed = seed;
    for (size_t i = m->n_made; i-- > 0;) /* inputs without data are drawn anew too */
        if (m->made[i].input) ebb__made_input_again(m, &m->made[i]);
    ebb__feed_close(m);
    m->top = m->base = 0;
    if (!ebb__feed_open(m)) return ebb_error_code(m->e);
    return ebb_model_restart(m);
}
