/* eval.c - floor 6: what an expression is worth: numbers are computed here, everything else by calling ops of the registry. */
#include "model.h"

static bool eval_list(ebb_model *m, const ebb__node *n, ebb__value *out) {
    ebb__list *l = n->list;
    out->kind = V_LIST;
    if ((out->list = l)) return true;
    if (!(l = ebb__list_new(n->fixed ? &m->tree.arena : &m->scratch, n->n))) return false;
    for (int i = 0; i < n->n; i++)
        if (!ebb__eval(m, n->kid[i], &l->item[i])) return false;
    l->fixed = n->fixed;
    out->list = l;
    if (n->fixed) {
        ((ebb__node *)(uintptr_t)n)->list = l; /* the tree's own note of it */
        l->next = m->lists;
        m->lists = l;
    }
    return true;
}

/* Both operands are numbers. */
static double arithmetic(int symbol, double a, double b) {
    switch (symbol) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    case '/': return a / b;
    case '~': return -a;
    case S_POWER: return ebb_pow_f64(a, b);
    case S_EQUAL: return a == b;
    case S_UNEQUAL: return a != b;
    case '<': return a < b;
    case S_AT_MOST: return a <= b;
    case '>': return a > b;
    default: return a >= b;
    }
}

static bool eval_operator(ebb_model *m, const ebb__node *n, ebb__value *out) {
    const int32_t mark = m->top;
    ebb__value *v = ebb__push(m, n->n, n->span);
    if (!v) return false;
    bool numbers = n->symbol != '@', ok = true;
    for (int i = 0; i < n->n && ok; i++) {
        ok = ebb__eval(m, n->kid[i], &v[i]);
        numbers = numbers && v[i].kind == V_NUMBER;
    }
    if (ok && numbers) {
        out->kind = V_NUMBER;
        out->number = arithmetic(n->symbol, v[0].number, n->n > 1 ? v[1].number : 0);
    } else ok = ok && ebb__call_op(m, n, v, out);
    m->top = mark;
    return ok;
}

static bool eval_name(ebb_model *m, const ebb__node *n, ebb__value *out) {
    if (n->predefined) {
        out->kind = V_NUMBER;
        out->number = m->mode == RUN_TRAIN;
        return true;
    }
    *out = m->stack[(n->outer ? 0 : m->base) + n->slot];
    if (out->kind != V_NONE) return true;
    return ebb__problem(m, EBB_E_NAME, n->span, "", "%s is used before it is assigned", n->name);
}

/* x[i]: of a list its element; of a tensor one place of the first dim, or those that a tensor of integers names. */
static bool eval_index(ebb_model *m, const ebb__node *n, ebb__value *out) {
    const int32_t mark = m->top;
    ebb__value *v = ebb__push(m, 3, n->span);
    bool ok = v && ebb__eval(m, n->kid[0], &v[0]) && ebb__eval(m, n->kid[1], &v[1]);
    if (ok && v[0].kind == V_LIST && !v[0].list->results && v[1].kind == V_NUMBER) {
        const ebb__list *l = v[0].list;
        int64_t i = 0;
        const bool whole = ebb__whole(v[1].number, &i);
        if (i < 0) i += l->n;
        ok = (whole && i >= 0 && i < l->n) || ebb__problem(m, EBB_E_INDEX, n->kid[1]->span, "",
                                                           "index %g in a list of %d", v[1].number, (int)l->n);
        if (ok) *out = l->item[i];
    } else if (ok && v[1].kind == V_NUMBER) { /* as its arguments stand: x, dim, index */
        v[2] = v[1];
        v[1] = (ebb__value){.kind = V_NUMBER};
        ok = ebb__call_op(m, n->kid[2], v, out);
    } else if (ok) ok = ebb__call_op(m, n->kid[3], v, out);
    m->top = mark;
    return ok;
}

/* A call of a def: its arguments are its first variables. */
static bool call_def(ebb_model *m, const ebb__node *n, ebb__value *out) {
    ebb__def *d = n->def;
    if (d->active) return ebb__problem(m, EBB_E_ARG, n->span, "use repeat", "%s calls itself", d->name);
    if (m->depth >= MAX_NESTING)
        return ebb__problem(m, EBB_E_ARG, n->span, "", "defs call each other more than %d deep", (int)MAX_NESTING);
    const int32_t mark = m->top, base = m->base;
    ebb__value *v = ebb__push(m, d->names.n, n->span);
    if (!v) return false;
    for (int i = 0; i < n->n; i++) {
        const ebb__node *k = n->kid[i];
        const int32_t at = k->kind == N_NAMED ? ebb__slot_of(&d->names, k->name) : i;
        if (!ebb__eval(m, k->kind == N_NAMED ? k->kid[0] : k, &v[at])) return m->top = mark, false;
    }
    m->base = 0; /* defaults are expressions of the model */
    for (int i = 0; i < d->n_params; i++) {
        if (v[i].kind != V_NONE) continue;
        if (!d->by_default[i])
            ebb__problem(m, EBB_E_ARG, n->span, "", "%s needs %s", d->name, d->names.name[i]);
        if (!d->by_default[i] || !ebb__eval(m, d->by_default[i], &v[i]))
            return m->top = mark, m->base = base, false;
    }
    const ebb__node *caller = m->caller;
    m->base = mark;
    bool ok = ebb__region_in(m, d->name, false, n->span);
    if (ok) {
        m->caller = n;
        m->depth++;
        d->active = true;
        m->result.kind = V_NONE;
        ok = ebb__run_block(m, d->body);
        m->returning = false;
        d->active = false;
        m->depth--;
        m->caller = caller;
        ebb__region_out(m);
    }
    *out = m->result;
    m->base = base;
    m->top = mark;
    if (ok && out->kind == V_NONE)
        return ebb__problem(m, EBB_E_ARG, n->span, "end it with return", "%s returns nothing", d->name);
    return ok;
}

static bool eval_call(ebb_model *m, const ebb__node *n, ebb__value *out) {
    if (!ebb__count_call(m, n->span)) return false;
    if (n->def) return call_def(m, n, out);
    const int32_t mark = m->top;
    ebb__value *v = ebb__push(m, n->n, n->span);
    if (!v) return false;
    bool ok = true, numbers = n->n == 1 && !n->own;
    for (int i = 0; i < n->n && ok; i++) {
        const ebb__node *k = n->kid[i];
        ok = ebb__eval(m, k->kind == N_NAMED ? k->kid[0] : k, &v[i]);
        numbers = numbers && v[i].kind == V_NUMBER;
    }
    double (*plain)(double) = ok && numbers ? ebb__number_function(n->name) : NULL;
    if (plain) {
        out->kind = V_NUMBER;
        out->number = plain(v[0].number);
    } else if (ok) ok = n->own ? n->own->run(m, n, v, out) : ebb__call_op(m, n, v, out);
    m->top = mark;
    return ok;
}

bool ebb__eval(ebb_model *m, const ebb__node *n, ebb__value *out) {
    switch (n->kind) {
    case N_NUMBER: out->kind = V_NUMBER, out->number = n->number; return true;
    case N_STRING:
    case N_WORD: out->kind = V_WORD, out->word = n->name; return true;
    case N_NAME: return eval_name(m, n, out);
    case N_LIST: return eval_list(m, n, out);
    case N_OPERATOR: return eval_operator(m, n, out);
    case N_INDEX: return eval_index(m, n, out);
    default: return eval_call(m, n, out);
    }
}

bool ebb__eval_number(ebb_model *m, const ebb__node *n, const char *what, double *out) {
    ebb__value v = {0};
    char text[160];
    if (!ebb__eval(m, n, &v)) return false;
    if (v.kind != V_NUMBER)
        return ebb__problem(m, EBB_E_ARG, n->span, "", "%s is a number, not %s", what,
                            ebb__describe_value(&v, text, sizeof text));
    *out = v.number;
    return true;
}

bool ebb__eval_tensor(ebb_model *m, const ebb__node *n, ebb_tensor **out) {
    ebb__value v = {0};
    return ebb__eval(m, n, &v) && (*out = ebb__as_tensor(m, &v, n->span, m->dtype));
}
