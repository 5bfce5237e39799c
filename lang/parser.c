/* parser.c - floor 6: the grammar of statements: the text becomes a tree of nodes; what a name means is resolve.c's. */
#include "parser.h"

static ebb__node *block(ebb__parser *p);

/* ---- what both halves use ---- */

void ebb__span_to(ebb_span *s, const ebb_span *end) {
    s->end_line = end->end_line;
    s->end_column = end->end_column;
    s->length = end->offset + end->length - s->offset;
}

ebb__node *ebb__node_new(ebb__parser *p, int kind, ebb_span span) {
    ebb__node *n = (ebb__node *)ebb__arena_get(&p->tree->arena, sizeof *n);
    if (!n) return NULL;
    n->kind = (uint8_t)kind;
    n->span = span;
    n->slot = -1;
    n->depth = 1;
    return n;
}

/* Room is doubled at every power of two. */
static void *grown(ebb__parser *p, void *list, int32_t n, size_t item) {
    if (n & (n - 1)) return list;
    void *larger = ebb__arena_get(&p->tree->arena, (size_t)(n ? 2 * n : 1) * item);
    if (larger && n) memcpy(larger, list, (size_t)n * item);
    return larger;
}

bool ebb__kid_add(ebb__parser *p, ebb__node *of, ebb__node *kid) {
    if (!of || !kid) return false;
    if (kid->depth >= MAX_DEPTH)
        return ebb__problem(p->m, EBB_E_ARG, kid->span, "give a part of it a name of its own",
                            "this is nested more than %d deep", (int)MAX_DEPTH);
    if (kid->depth >= of->depth) of->depth = (int16_t)(kid->depth + 1);
    ebb__node **kids = (ebb__node **)grown(p, of->kid, of->n, sizeof *kids);
    if (!kids) return false;
    of->kid = kids;
    of->kid[of->n++] = kid;
    return true;
}

bool ebb__at_word(const ebb__parser *p, const char *word) {
    const size_t n = strlen(word);
    return p->t.kind == T_NAME && (size_t)p->t.span.length == n &&
           !memcmp(p->lexer.text + p->t.span.offset, word, n);
}

const char *ebb__name_of_token(ebb__parser *p) {
    if (p->t.span.length > 100)
        return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "a name of more than 100 characters"), NULL;
    return ebb__intern(p->tree, p->lexer.text + p->t.span.offset, (size_t)p->t.span.length);
}

void ebb__advance(ebb__parser *p) {
    p->last = p->t.span;
    p->t = ebb__lex(&p->lexer);
}

bool ebb__enter(ebb__parser *p) {
    if (p->nesting++ < MAX_NESTING) return true;
    return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "brackets and blocks are nested more than %d deep",
                        (int)MAX_NESTING);
}

bool ebb__unexpected(ebb__parser *p, const char *expected) {
    char found[80];
    if (p->t.kind == T_WRONG) return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "%s", p->t.wrong);
    if (p->t.kind == T_END) snprintf(found, sizeof found, "the end of the text");
    else if (p->t.kind == T_LINE) snprintf(found, sizeof found, "the end of the statement");
    else
        snprintf(found, sizeof found, "%.*s", p->t.span.length > 40 ? 40 : (int)p->t.span.length,
                 p->lexer.text + p->t.span.offset);
    return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "expected %s, found %s", expected, found);
}

bool ebb__expect(ebb__parser *p, int symbol, const char *what) {
    if (!ebb__at_symbol(p, symbol)) return ebb__unexpected(p, what);
    ebb__advance(p);
    return true;
}

int32_t ebb__slot_of(const ebb__names *names, const char *interned) {
    for (int32_t i = 0; i < names->n; i++)
        if (names->name[i] == interned) return i;
    return -1;
}

/* The variable of that name in the model or def that is being read, made when it is new. -1: a problem */
static int32_t declare(ebb__parser *p, const char *name) {
    if (!name) return -1;
    const int32_t known = ebb__slot_of(p->names, name);
    if (known >= 0) return known;
    if (p->names->n >= MAX_VALUES / 4)
        return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "more than %d variables", MAX_VALUES / 4), -1;
    const char **names = (const char **)grown(p, (void *)p->names->name, p->names->n, sizeof *names);
    if (!names) return -1;
    p->names->name = names;
    names[p->names->n] = name;
    return p->names->n++;
}

/* The name at the token as a variable that is assigned. */
static ebb__node *target(ebb__parser *p) {
    if (p->t.kind != T_NAME) return ebb__unexpected(p, "a name"), NULL;
    static const char *const taken[] = {"training", "true", "false", "yes", "no", "inf", "pi", "None"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (ebb__at_word(p, taken[i]))
            return ebb__problem(p->m, EBB_E_ARG, p->t.span, "choose another name",
                                "%s has a meaning of its own", taken[i]),
                   NULL;
    ebb__node *n = ebb__node_new(p, N_NAME, p->t.span);
    if (!n || !(n->name = ebb__name_of_token(p)) || (n->slot = declare(p, n->name)) < 0) return NULL;
    ebb__advance(p);
    return n;
}

static bool only_outside(ebb__parser *p, const char *what) {
    if (!p->def && p->nesting == 0) return true;
    return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "%s stands at the top of a model, not inside a block", what);
}

/* ---- assignments ---- */

/* param(...) ~ init, input(...): they have the name that they are assigned to. */
static bool name_made(ebb__parser *p, ebb__node *value, const char *name) {
    const bool param = value->kind == N_CALL && !strcmp(value->name, "param");
    if (param || (value->kind == N_CALL && !strcmp(value->name, "input"))) value->target = name;
    if (!ebb__at_symbol(p, '~')) return true;
    if (!param)
        return ebb__problem(p->m, EBB_E_ARG, p->t.span, "write W = param(784, 128) ~ kaiming",
                            "an initialiser stands behind param(...) alone");
    ebb__advance(p);
    value->init = ebb__parse_init(p);
    if (!value->init) return false;
    ebb__span_to(&value->span, &value->init->span);
    return true;
}

static ebb__node *assignment(ebb__parser *p) {
    ebb__node *n = ebb__node_new(p, N_ASSIGN, p->t.span);
    if (!n) return NULL;
    while (!ebb__at_symbol(p, '=')) {
        if (n->n && !ebb__expect(p, ',', "= or a comma")) return NULL;
        if (!ebb__kid_add(p, n, target(p))) return NULL;
    }
    ebb__advance(p);
    ebb__node *value = ebb__parse_expression(p);
    if (!value || !name_made(p, value, n->n == 1 ? n->kid[0]->name : NULL) || !ebb__kid_add(p, n, value))
        return NULL;
    ebb__span_to(&n->span, &value->span);
    return n;
}

/* Whether a name or a list of names with = behind it stands here. */
static bool at_assignment(const ebb__parser *p) {
    ebb__lexer l = p->lexer;
    ebb__token t = ebb__lex(&l);
    while (t.kind == T_SYMBOL && t.symbol == ',') {
        t = ebb__lex(&l);
        if (t.kind != T_NAME) return false;
        t = ebb__lex(&l);
    }
    return t.kind == T_SYMBOL && t.symbol == '=';
}

/* ---- blocks: def, repeat, region, no_grad ---- */

static bool def_parameter(ebb__parser *p, ebb__def *d) {
    ebb__node *name = target(p);
    if (!name) return false;
    if (name->slot != d->n_params)
        return ebb__problem(p->m, EBB_E_ARG, name->span, "", "%s is given twice", name->name);
    ebb__node **by_default = (ebb__node **)grown(p, (void *)d->by_default, d->n_params, sizeof *by_default);
    if (!by_default) return false;
    d->by_default = by_default;
    by_default[d->n_params++] = NULL;
    if (ebb__at_symbol(p, '=')) {
        ebb__advance(p);
        return (by_default[d->n_params - 1] = ebb__parse_expression(p)) != NULL;
    }
    if (d->n_required != d->n_params - 1)
        return ebb__problem(p->m, EBB_E_ARG, name->span, "",
                            "%s has no default, but the parameter before it has", name->name);
    d->n_required++;
    return true;
}

static ebb__node *definition(ebb__parser *p) {
    if (!only_outside(p, "a def")) return NULL;
    ebb__node *n = ebb__node_new(p, N_DEF, p->t.span);
    ebb__def *d = (ebb__def *)ebb__arena_get(&p->tree->arena, sizeof *d);
    ebb__advance(p);
    if (!n || !d) return NULL;
    if (p->t.kind != T_NAME) return ebb__unexpected(p, "a name behind def"), NULL;
    if (!(d->name = n->name = ebb__name_of_token(p))) return NULL;
    d->span = p->t.span;
    for (const ebb__def *k = p->tree->defs; k; k = k->next)
        if (k->name == d->name)
            return ebb__problem(p->m, EBB_E_ARG, d->span, "", "%s is defined in line %d already", d->name,
                                (int)k->span.line),
                   NULL;
    ebb__names *outer = p->names;
    p->names = &d->names;
    p->def = d;
    ebb__advance(p);
    if (!ebb__expect(p, '(', "( behind the name of a def")) return NULL;
    while (!ebb__at_symbol(p, ')')) {
        if (d->n_params && !ebb__expect(p, ',', ") or a comma")) return NULL;
        if (d->n_params == MAX_ARGS)
            return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "more than %d parameters", (int)MAX_ARGS), NULL;
        if (!def_parameter(p, d)) return NULL;
    }
    ebb__advance(p);
    n->span = d->span;
    n->def = d;
    if (!(d->body = block(p)) || !ebb__kid_add(p, n, d->body)) return NULL;
    p->def = NULL;
    p->names = outer;
    d->next = p->tree->defs;
    p->tree->defs = d;
    return n;
}

static ebb__node *return_statement(ebb__parser *p) {
    ebb__node *n = ebb__node_new(p, N_RETURN, p->t.span);
    if (!n) return NULL;
    if (!p->def) return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "return stands inside a def"), NULL;
    do {
        ebb__advance(p);
        if (!ebb__kid_add(p, n, ebb__parse_expression(p))) return NULL;
    } while (ebb__at_symbol(p, ','));
    ebb__span_to(&n->span, &p->last);
    return n;
}

static ebb__node *repeat(ebb__parser *p) {
    ebb__node *n = ebb__node_new(p, N_REPEAT, p->t.span);
    ebb__advance(p);
    if (!n || !(n->name = ebb__intern(p->tree, "repeat", 6)) || !ebb__kid_add(p, n, ebb__parse_expression(p)))
        return NULL;
    ebb__span_to(&n->span, &p->last);
    if (ebb__at_word(p, "as")) {
        ebb__advance(p);
        ebb__node *i = target(p);
        if (!i) return NULL;
        n->slot = i->slot;
    }
    return ebb__kid_add(p, n, block(p)) ? n : NULL;
}

static ebb__node *region(ebb__parser *p, int kind) {
    ebb__node *n = ebb__node_new(p, kind, p->t.span);
    ebb__advance(p);
    if (!n) return NULL;
    if (kind == N_REGION) {
        if (p->t.kind != T_NAME) return ebb__unexpected(p, "a name behind region"), NULL;
        if (!(n->name = ebb__name_of_token(p))) return NULL;
        ebb__advance(p);
    }
    return ebb__kid_add(p, n, block(p)) ? n : NULL;
}

/* ---- data, metric, predict, train ---- */

/* name=value, of `data` and `train`. */
static bool option(ebb__parser *p, ebb__node *n) {
    ebb__node *o = ebb__node_new(p, N_NAMED, p->t.span);
    if (!o) return false;
    if (p->t.kind != T_NAME) return ebb__unexpected(p, "name=value or the end of the statement");
    if (!(o->name = ebb__name_of_token(p))) return false;
    o->name_span = p->t.span;
    ebb__advance(p);
    if (!ebb__expect(p, '=', "= behind the name of an option")) return false;
    if (!ebb__kid_add(p, o, ebb__parse_expression(p))) return false;
    ebb__span_to(&o->span, &p->last);
    for (int i = 0; i < n->n; i++)
        if (n->kid[i]->name == o->name)
            return ebb__problem(p->m, EBB_E_ARG, o->name_span, "", "%s is given twice", o->name);
    return ebb__kid_add(p, n, o);
}

static bool end_of_statement(const ebb__parser *p) {
    return p->t.kind == T_LINE || p->t.kind == T_END || ebb__at_symbol(p, '}');
}

/* `train` or `data`: a name, then options. of: where the only one of its kind is kept. */
static ebb__node *named_statement(ebb__parser *p, int kind, const char *what, ebb__node **of) {
    if (!only_outside(p, what)) return NULL;
    if (*of)
        return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "there is a %s statement in line %d already",
                            what, (int)(*of)->span.line),
               NULL;
    ebb__node *n = *of = ebb__node_new(p, kind, p->t.span);
    ebb__advance(p);
    if (!n) return NULL;
    if (p->t.kind != T_NAME)
        return ebb__unexpected(p, kind == N_DATA ? "the name of a data set" : "the name of an optimizer"), NULL;
    n->name_span = p->t.span;
    if (!(n->name = ebb__name_of_token(p))) return NULL;
    ebb__advance(p);
    return n;
}

/* Options of `data` that read as words: batch 64, as img, label. The names of the columns are in init->kid. */
static ebb__node *data(ebb__parser *p) {
    ebb__node *n = named_statement(p, N_DATA, "data", &p->tree->data);
    if (!n) return NULL;
    while (!end_of_statement(p)) {
        if (ebb__at_word(p, "batch")) {
            ebb__lexer l = p->lexer;
            const ebb__token t = ebb__lex(&l);
            if (t.kind == T_SYMBOL && t.symbol == '=') {
                if (!option(p, n)) return NULL;
                continue;
            }
            ebb__node *o = ebb__node_new(p, N_NAMED, p->t.span);
            if (!o || !(o->name = ebb__name_of_token(p))) return NULL;
            o->name_span = p->t.span;
            ebb__advance(p);
            if (!ebb__kid_add(p, o, ebb__parse_expression(p)) || !ebb__kid_add(p, n, o)) return NULL;
        } else if (ebb__at_word(p, "as") && !n->init) {
            n->init = ebb__node_new(p, N_LIST, p->t.span);
            do {
                ebb__advance(p);
                if (!ebb__kid_add(p, n->init, target(p))) return NULL;
            } while (ebb__at_symbol(p, ',') && n->init->n < 2);
        } else if (!option(p, n)) return NULL;
    }
    ebb__span_to(&n->span, &p->last);
    if (n->init) return n;
    if (!(n->init = ebb__node_new(p, N_LIST, n->span))) return NULL;
    for (int i = 0; i < 2; i++) {
        ebb__node *column = ebb__node_new(p, N_NAME, n->name_span);
        if (!column || !(column->name = ebb__intern(p->tree, i ? "y" : "x", 1))) return NULL;
        if ((column->slot = declare(p, column->name)) < 0 || !ebb__kid_add(p, n->init, column)) return NULL;
    }
    return n;
}

static ebb__node *train(ebb__parser *p) {
    ebb__node *n = named_statement(p, N_TRAIN, "train", &p->tree->train);
    while (n && !end_of_statement(p))
        if (!option(p, n)) return NULL;
    if (n) ebb__span_to(&n->span, &p->last);
    return n;
}

/* metric name = expression; predict name = expression, or predict name. */
static ebb__node *shown(ebb__parser *p, int kind) {
    const char *what = kind == N_METRIC ? "a metric" : "predict";
    if (!only_outside(p, what)) return NULL;
    ebb__node *n = ebb__node_new(p, kind, p->t.span);
    if (!n) return NULL;
    if (kind == N_PREDICT && p->tree->predict)
        return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "there is a predict statement in line %d already",
                            (int)p->tree->predict->span.line),
               NULL;
    if (kind == N_METRIC && p->tree->n_metrics == MAX_METRICS)
        return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "more than %d metrics", (int)MAX_METRICS), NULL;
    ebb__advance(p);
    ebb__node *name = target(p);
    if (!name) return NULL;
    n->name = name->name;
    n->name_span = name->span;
    n->slot = name->slot;
    if (kind == N_METRIC || ebb__at_symbol(p, '=')) {
        if (!ebb__expect(p, '=', "= behind the name")) return NULL;
        if (!ebb__kid_add(p, n, ebb__parse_expression(p))) return NULL;
    }
    ebb__span_to(&n->span, &p->last);
    if (kind == N_PREDICT) p->tree->predict = n;
    else p->tree->metric[p->tree->n_metrics++] = n;
    return n;
}

/* ---- statements ---- */

static ebb__node *statement(ebb__parser *p) {
    if (p->t.kind == T_NAME && at_assignment(p)) return assignment(p);
    ebb__lexer l = p->lexer;
    const ebb__token after = ebb__lex(&l);
    const bool word = p->t.kind == T_NAME && !(after.kind == T_SYMBOL && strchr(".(", after.symbol));
    if (ebb__at_word(p, "return")) return return_statement(p);
    if (word || ebb__at_word(p, "repeat")) {
        if (ebb__at_word(p, "repeat") && word) return repeat(p);
        if (ebb__at_word(p, "def")) return definition(p);
        if (ebb__at_word(p, "region")) return region(p, N_REGION);
        if (ebb__at_word(p, "no_grad")) return region(p, N_NO_GRAD);
        if (ebb__at_word(p, "data")) return data(p);
        if (ebb__at_word(p, "metric")) return shown(p, N_METRIC);
        if (ebb__at_word(p, "predict")) return shown(p, N_PREDICT);
        if (ebb__at_word(p, "train")) return train(p);
    }
    ebb__node *n = ebb__node_new(p, N_SHOW, p->t.span);
    if (!n || !ebb__kid_add(p, n, ebb__parse_expression(p))) return NULL;
    n->span = n->kid[0]->span;
    return name_made(p, n->kid[0], NULL) ? n : NULL;
}

/* Statements up to `}` (in a block) or the end of the text. */
static bool statements(ebb__parser *p, ebb__node *n) {
    for (;;) {
        while (p->t.kind == T_LINE) ebb__advance(p);
        if (p->t.kind == T_END || ebb__at_symbol(p, '}')) return true;
        const bool keyword = p->t.kind == T_NAME;
        const ebb_span first = p->t.span;
        if (!ebb__kid_add(p, n, statement(p))) return false;
        if (end_of_statement(p)) continue;
        const ebb__node *made = n->kid[n->n - 1];
        if (keyword && made->kind == N_SHOW && made->kid[0]->kind == N_NAME &&
            (p->t.kind == T_NAME || p->t.kind == T_NUMBER || ebb__at_symbol(p, '{'))) {
            static const char *const words[] = {"def",  "return", "repeat",  "region", "no_grad",
                                                "data", "metric", "predict", "train"};
            char hint[160];
            return ebb__problem(
                p->m, EBB_E_ARG, first,
                ebb__did_you_mean(hint, sizeof hint, made->kid[0]->name, sizeof words / sizeof *words, words),
                "no statement begins with %s", made->kid[0]->name);
        }
        return ebb__unexpected(p, "the end of the statement");
    }
}

static ebb__node *block(ebb__parser *p) {
    const ebb_span open = p->t.span;
    while (p->t.kind == T_LINE) ebb__advance(p);
    if (!ebb__at_symbol(p, '{')) return ebb__unexpected(p, "{"), NULL;
    ebb__node *n = ebb__node_new(p, N_BLOCK, open);
    if (!n || !ebb__enter(p)) return NULL;
    ebb__advance(p);
    if (!statements(p, n)) return NULL;
    if (!ebb__at_symbol(p, '}'))
        return ebb__problem(p->m, EBB_E_ARG, open, "", "this { is never closed"), NULL;
    ebb__advance(p);
    p->nesting--;
    return n;
}

bool ebb__parse(ebb_model *m) {
    ebb__parser p = {.m = m, .tree = &m->tree, .names = &m->tree.names};
    p.lexer = (ebb__lexer){.text = m->text, .n = (int32_t)m->n_text, .line = 1, .column = 1};
    m->tree.arena.e = m->e;
    ebb__advance(&p);
    m->tree.body = ebb__node_new(&p, N_BLOCK, p.t.span);
    if (!m->tree.body || !statements(&p, m->tree.body)) return false;
    if (p.t.kind == T_END) return true;
    return ebb__problem(m, EBB_E_ARG, p.t.span, "", "this } closes nothing");
}
