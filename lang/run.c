/* run.c - floor 6: runs the statements of a model once: assignments, blocks, rounds, regions. Which data it sees is feed.c's. */
#include "model.h"

bool ebb__count_call(ebb_model *m, ebb_span span) {
    if (m->calls++ < MAX_CALLS) return true;
    return ebb__problem(m, EBB_E_ARG, span, "", "the model makes more than %d calls", (int)MAX_CALLS);
}

static void name_value(const ebb__value *v, const char *name) {
    if (v->kind == V_TENSOR && !*ebb_name_of(v->tensor)) ebb_name(v->tensor, name);
    else if (v->kind == V_LIST && !v->list->name) v->list->name = name;
}

/* One result of a call that has several: its first. */
static ebb__value first_of(ebb__value v) { return v.kind == V_LIST && v.list->results ? v.list->item[0] : v; }

static bool assign(ebb_model *m, const ebb__node *n) {
    const int targets = n->n - 1;
    ebb__value v = {0};
    if (!ebb__eval(m, n->kid[targets], &v)) return false;
    ebb__value *to = m->stack + m->base;
    if (targets == 1) {
        v = first_of(v);
        name_value(&v, n->kid[0]->name);
        to[n->kid[0]->slot] = v;
        return true;
    }
    const int results = v.kind == V_LIST ? v.list->n : 1;
    if (results != targets)
        return ebb__problem(m, EBB_E_ARG, n->span, "", "%d names for %d result%s", targets, results,
                            results == 1 ? "" : "s");
    for (int i = 0; i < targets; i++) {
        name_value(&v.list->item[i], n->kid[i]->name);
        to[n->kid[i]->slot] = v.list->item[i];
    }
    return true;
}

static bool return_values(ebb_model *m, const ebb__node *n) {
    ebb__value v = {0};
    if (n->n == 1) {
        if (!ebb__eval(m, n->kid[0], &v)) return false;
    } else {
        v.kind = V_LIST;
        if (!(v.list = ebb__list_new(&m->scratch, n->n))) return false;
        v.list->results = true;
        for (int i = 0; i < n->n; i++)
            if (!ebb__eval(m, n->kid[i], &v.list->item[i])) return false;
    }
    m->result = v;
    return m->returning = true;
}

static bool repeat(ebb_model *m, const ebb__node *n) {
    double times = 0;
    if (!ebb__eval_number(m, n->kid[0], "how often to repeat", &times)) return false;
    if (!(times >= 0 && times <= MAX_ROUNDS && times == floor(times)))
        return ebb__problem(m, EBB_E_ARG, n->kid[0]->span, "",
                            "repeat %g: a whole number from 0 to %d is needed", times, (int)MAX_ROUNDS);
    for (int i = 0; i < (int)times && !m->returning; i++) {
        if (n->slot >= 0) m->stack[m->base + n->slot] = (ebb__value){.kind = V_NUMBER, .number = i};
        if (!ebb__region_in(m, n->name, true, n->span)) return false;
        const bool ok = ebb__run_block(m, n->kid[1]);
        ebb__region_out(m);
        if (!ok) return false;
    }
    return true;
}

static bool region(ebb_model *m, const ebb__node *n) {
    if (!ebb__region_in(m, n->name, false, n->name_span)) return false;
    const bool ok = ebb__run_block(m, n->kid[0]);
    ebb__region_out(m);
    return ok;
}

static bool no_grad(ebb_model *m, const ebb__node *n) {
    ebb_no_grad_begin(m->e);
    const bool ok = ebb__run_block(m, n->kid[0]);
    ebb_no_grad_end(m->e);
    return ok;
}

static bool data(ebb_model *m, const ebb__node *n) {
    ebb_tensor *column[] = {m->feed.x, m->feed.y};
    for (int i = 0; i < n->init->n; i++)
        if (column[i]) m->stack[n->init->kid[i]->slot] = (ebb__value){.kind = V_TENSOR, .tensor = column[i]};
    return true;
}

static bool metric(ebb_model *m, const ebb__node *n) {
    int i = 0;
    if (m->quiet || m->mode == RUN_PREDICT) return true;
    while (m->tree.metric[i] != n) i++;
    ebb_tensor *t = NULL;
    ebb_no_grad_begin(m->e);
    bool ok = ebb__eval_tensor(m, n->kid[0], &t);
    ebb_no_grad_end(m->e);
    if (!ok) return false;
    char what[120];
    if (ebb_numel(t) != 1)
        return ebb__problem(m, EBB_E_SHAPE, n->kid[0]->span, "take its mean(...)",
                            "a metric is one number, not %s", ebb_describe(t, what, sizeof what));
    m->metric[i] = ebb_item(t);
    m->stack[n->slot] = (ebb__value){.kind = V_TENSOR, .tensor = t};
    return true;
}

static bool predict(ebb_model *m, const ebb__node *n) {
    ebb__value *v = &m->stack[n->slot];
    if (n->n) {
        ebb__value got = {0};
        if (!ebb__eval(m, n->kid[0], &got)) return false;
        *v = first_of(got);
        name_value(v, n->name);
    } else if (v->kind == V_NONE)
        return ebb__problem(m, EBB_E_NAME, n->name_span, "", "%s is used before it is assigned", n->name);
    if (m->mode == RUN_PREDICT) m->stopped = true;
    m->result = *v;
    return true;
}

ebb_span ebb__assigned_at(const ebb_model *m, int32_t slot) {
    ebb_span span = m->tree.body->span;
    for (int i = 0; i < m->tree.body->n; i++) {
        const ebb__node *n = m->tree.body->kid[i];
        for (int k = 0; n->kind == N_ASSIGN && k < n->n - 1; k++)
            if (n->kid[k]->slot == slot) span = n->span;
    }
    return span;
}

static bool run(ebb_model *m, const ebb__node *n) {
    switch (n->kind) {
    case N_ASSIGN: return assign(m, n);
    case N_SHOW: {
        ebb__value v = {0};
        if (!ebb__eval(m, n->kid[0], &v)) return false;
        if (!m->depth) m->result = first_of(v);
        return true;
    }
    case N_RETURN: return return_values(m, n);
    case N_REPEAT: return repeat(m, n);
    case N_REGION: return region(m, n);
    case N_NO_GRAD: return no_grad(m, n);
    case N_DATA: return data(m, n);
    case N_METRIC: return metric(m, n);
    case N_PREDICT: return predict(m, n);
    case N_BLOCK: return ebb__run_block(m, n);
    default: return true; /* def, train: nothing happens where they stand */
    }
}

bool ebb__run_block(ebb_model *m, const ebb__node *block) {
    for (int i = 0; i < block->n && !m->returning && !m->stopped; i++) {
        if (!ebb__count_call(m, block->kid[i]->span) || !run(m, block->kid[i])) return false;
        if (!m->depth && block->kid[i]->kind == N_ASSIGN)
            m->result = m->stack[m->base + block->kid[i]->kid[0]->slot];
    }
    return true;
}

bool ebb__run_text(ebb_model *m, int mode) {
    const int32_t slots = m->tree.names.n;
    if (m->has_problem || ebb_failed(m->e)) return false;
    ebb__arena_reset(&m->scratch);
    memset(m->stack, 0, (size_t)slots * sizeof *m->stack);
    m->top = slots;
    m->base = m->depth = 0;
    m->calls = 0;
    m->run++;
    m->next_made = 0;
    m->region = &m->root;
    m->at = m->caller = NULL;
    m->returning = m->stopped = false;
    m->result.kind = V_NONE;
    m->mode = mode;
    m->scope = ebb_scope_id(m->e);
    for (int i = 0; i < MAX_METRICS; i++) m->metric[i] = EBB_NAN;
    m->has_run = ebb__run_block(m, m->tree.body);
    if (!m->has_run && !m->has_problem) /* memory: where it was wanted is known */
        ebb__problem_of_op(m, m->at ? m->at->span : m->tree.body->span);
    m->at = m->caller = NULL;
    if (!m->has_run)
        for (ebb__def *d = m->tree.defs; d; d = d->next) d->active = false;
    return m->has_run;
}
