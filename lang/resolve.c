/* resolve.c - floor 6: what names mean, found once: variables get their slots, calls their op, def or function; the rest is an error. */
#include "model.h"

typedef struct scope {
    ebb_model *m;
    const ebb__def *def; /* NULL: the model itself */
} scope;

static bool resolve(const scope *s, ebb__node *n);

/* ---- nearest names ---- */

/* Every name that a call may have. -> an array from the arena, *count long; NULL: no memory */
static const char **callable(ebb_model *m, size_t *count) {
    size_t n = ebb_op_count(m->e), own = 0, defs = 0;
    while (ebb__builtins[own].name) own++;
    for (const ebb__def *d = m->tree.defs; d; d = d->next) defs++;
    const char **list = (const char **)ebb__arena_get(&m->tree.arena, (n + own + defs) * sizeof *list);
    *count = 0;
    if (!list) return NULL;
    for (const ebb__def *d = m->tree.defs; d; d = d->next) list[(*count)++] = d->name;
    for (size_t i = 0; i < own; i++) list[(*count)++] = ebb__builtins[i].name;
    for (size_t i = 0; i < n; i++) {
        const ebb_op *op = ebb_op_at(m->e, i);
        if (!(op->flags & EBB_INTERNAL)) list[(*count)++] = op->name;
    }
    return list;
}

static bool no_such_call(const scope *s, const ebb__node *n) {
    char hint[160];
    size_t count;
    const size_t len = strlen(n->name);
    if (len > 1 && n->name[len - 1] == '_') {
        char base[104];
        snprintf(base, sizeof base, "%.*s", (int)len - 1, n->name);
        if (ebb_op_find(s->m->e, base)) {
            snprintf(hint, sizeof hint, "write x = %s(x, ...)", base);
            return ebb__problem(s->m, EBB_E_NAME, n->name_span, hint, "a model does not change tensors in place");
        }
    }
    const char **list = callable(s->m, &count);
    if (!list) return false;
    return ebb__problem(s->m, EBB_E_NAME, n->name_span,
                        ebb__did_you_mean(hint, sizeof hint, n->name, count, list), "no op is called %s", n->name);
}

static bool no_such_name(const scope *s, const ebb__node *n) {
    char hint[160] = "";
    const ebb__names *own = s->def ? &s->def->names : &s->m->tree.names;
    ebb__did_you_mean(hint, sizeof hint, n->name, (size_t)own->n, own->name);
    if (!*hint && s->def)
        ebb__did_you_mean(hint, sizeof hint, n->name, (size_t)s->m->tree.names.n, s->m->tree.names.name);
    if (!*hint && (ebb_op_find(s->m->e, n->name) || ebb__builtin_find(n->name)))
        snprintf(hint, sizeof hint, "to call it write %s(...)", n->name);
    return ebb__problem(s->m, EBB_E_NAME, n->span, hint, "nothing is called %s", n->name);
}

/* ---- names ---- */

static bool known_name(const scope *s, ebb__node *n) {
    if (!strcmp(n->name, "training")) return n->predefined = true;
    n->slot = ebb__slot_of(s->def ? &s->def->names : &s->m->tree.names, n->name);
    if (n->slot >= 0 || !s->def) return n->slot >= 0;
    n->slot = ebb__slot_of(&s->m->tree.names, n->name);
    return n->outer = n->slot >= 0;
}

/* Whether the word is a value of the attribute: a choice, a dtype. */
static bool is_choice(const ebb_attr *a, const char *word) {
    if (a->type == EBB_A_DTYPE) {
        for (int d = 1; d < EBB_DTYPES; d++)
            if (!strcmp(word, ebb_dtype_name((ebb_dtype)d))) return true;
        return !strcmp(word, "none");
    }
    const size_t n = strlen(word);
    for (const char *p = a->type == EBB_A_ENUM ? a->choices : NULL; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (!strncmp(p, word, n) && (!p[n] || p[n] == '|')) return true;
    return (a->type == EBB_A_INT || a->type == EBB_A_INTS) && (!strcmp(word, "min") || !strcmp(word, "max"));
}

/* A bare name as an argument of an op: the choice of an attribute (a NULL: of any), or a variable. */
static bool word_or_name(const scope *s, const ebb_op *op, const ebb_attr *a, ebb__node *n) {
    bool choice = a && is_choice(a, n->name);
    for (size_t i = 0; !a && i < op->n_attrs; i++)
        choice = choice || ((op->attrs[i].type == EBB_A_ENUM || op->attrs[i].type == EBB_A_DTYPE) &&
                            is_choice(&op->attrs[i], n->name));
    if (a ? choice : choice && !known_name(s, n)) {
        n->kind = N_WORD;
        n->fixed = n->resolved = true;
        return true;
    }
    if (known_name(s, n)) return true;
    if (a && (a->type == EBB_A_ENUM || a->type == EBB_A_DTYPE)) {
        n->kind = N_WORD; /* not one of the choices: the call says which there are */
        return n->fixed = n->resolved = true;
    }
    return no_such_name(s, n);
}

/* ---- calls ---- */

static bool resolve_op(const scope *s, ebb__node *n, const ebb_op *op) {
    ebb_sig sig;
    char hint[160];
    if (ebb_sig_parse(op->sig, &sig, NULL, 0) != EBB_OK)
        return ebb__problem(s->m, EBB_E_PLUGIN, n->name_span, "", "the signature of %s cannot be read: %s",
                            op->name, op->sig);
    for (int i = 0; i < n->n; i++) {
        ebb__node *k = n->kid[i];
        if (k->kind == N_NAME && !word_or_name(s, op, NULL, k)) return false;
        if (k->kind != N_NAMED) continue;
        const ebb_attr *a = NULL;
        bool input = false;
        for (size_t j = 0; j < op->n_attrs; j++)
            if (!strcmp(op->attrs[j].name, k->name)) a = &op->attrs[j];
        for (int j = 0; j < sig.n_x; j++) input = input || !strcmp(sig.arg[j].name, k->name);
        if (!a && !input) {
            const char *names[64];
            size_t count = 0;
            for (size_t j = 0; j < op->n_attrs && count < 64; j++) names[count++] = op->attrs[j].name;
            for (int j = 0; j < sig.n_x && count < 64; j++) names[count++] = sig.arg[j].name;
            if (!*ebb__did_you_mean(hint, sizeof hint, k->name, count, names)) {
                size_t at = 0;
                for (size_t j = 0; j < op->n_attrs && at < sizeof hint; j++)
                    at += (size_t)snprintf(hint + at, sizeof hint - at, "%s%s",
                                           j ? ", " : "it has: ", op->attrs[j].name);
            }
            return ebb__problem(s->m, EBB_E_ATTR, k->name_span, hint, "%s has no attribute %s", op->name, k->name);
        }
        if (k->kid[0]->kind == N_NAME && a && !word_or_name(s, op, a, k->kid[0])) return false;
    }
    return true;
}

static bool count_is(const scope *s, const ebb__node *n, int given, int least, int most) {
    if (given >= least && (most < 0 || given <= most)) return true;
    char takes[60];
    if (most < 0) snprintf(takes, sizeof takes, "at least %d", least);
    else if (least == most) snprintf(takes, sizeof takes, "%d", least);
    else snprintf(takes, sizeof takes, "%d to %d", least, most);
    return ebb__problem(s->m, EBB_E_ARG, n->span, "", "%s takes %s argument%s, not %d", n->name, takes,
                        least == 1 && most == 1 ? "" : "s", given);
}

static bool resolve_def(const scope *s, ebb__node *n) {
    const ebb__def *d = n->def;
    char hint[160];
    if (!count_is(s, n, n->n, d->n_required, d->n_params)) return false;
    for (int i = 0; i < n->n; i++) {
        const ebb__node *k = n->kid[i];
        if (k->kind != N_NAMED) continue;
        const int32_t at = ebb__slot_of(&d->names, k->name);
        if (at < 0 || at >= d->n_params)
            return ebb__problem(s->m, EBB_E_ARG, k->name_span,
                                ebb__did_you_mean(hint, sizeof hint, k->name, (size_t)d->n_params, d->names.name),
                                "%s has no parameter %s", d->name, k->name);
        if (at < i && n->kid[at]->kind != N_NAMED)
            return ebb__problem(s->m, EBB_E_ARG, k->name_span, "", "%s is given twice", k->name);
    }
    return true;
}

static bool resolve_own(const scope *s, ebb__node *n) {
    const ebb__builtin *b = n->own;
    int plain = 0;
    for (int i = 0; i < n->n; i++) {
        const ebb__node *k = n->kid[i];
        plain += k->kind != N_NAMED;
        if (k->kind != N_NAMED) continue;
        const size_t len = strlen(k->name);
        bool known = false;
        for (const char *p = b->named; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
            known = known || (!strncmp(p, k->name, len) && (!p[len] || p[len] == '|'));
        if (!known)
            return ebb__problem(s->m, EBB_E_ATTR, k->name_span, b->named ? b->named : "",
                                "%s has no attribute %s", b->name, k->name);
        if (k->kid[0]->kind == N_NAME && !known_name(s, k->kid[0])) {
            k->kid[0]->kind = N_WORD; /* dtype=i64 */
            k->kid[0]->resolved = k->kid[0]->fixed = true;
        }
    }
    return count_is(s, n, plain, b->least, b->most);
}

/* Initialisers are calls of names of their own. */
static bool resolve_init(const scope *s, ebb__node *n) {
    for (int i = 0; i < n->n; i++)
        if (!resolve(s, n->kid[i]->kind == N_NAMED ? n->kid[i]->kid[0] : n->kid[i])) return false;
    for (size_t i = 0; ebb__inits[i][0]; i++)
        if (!strcmp(ebb__inits[i][0], n->name)) return true;
    const char *names[16];
    size_t count = 0;
    char hint[160];
    while (ebb__inits[count][0] && count < 16) names[count] = ebb__inits[count][0], count++;
    return ebb__problem(s->m, EBB_E_NAME, n->name_span,
                        ebb__did_you_mean(hint, sizeof hint, n->name, count, names),
                        "no initialiser is called %s", n->name);
}

static bool resolve_call(const scope *s, ebb__node *n) {
    for (ebb__def *d = s->m->tree.defs; d && !n->def; d = d->next)
        if (d->name == n->name) n->def = d;
    if (!n->def) n->own = ebb__builtin_find(n->name);
    const ebb_op *op = n->def || n->own ? NULL : ebb_op_find(s->m->e, n->name);
    if (!n->def && !n->own && !op) return no_such_call(s, n);
    if (n->def ? !resolve_def(s, n) : n->own ? !resolve_own(s, n) : !resolve_op(s, n, op)) return false;
    for (int i = 0; i < n->n; i++)
        if (!resolve(s, n->kid[i])) return false;
    return !n->init || resolve_init(s, n->init);
}

/* ---- all nodes ---- */

/* Whether a node has the same value at every run, given that its kids are resolved. */
static bool is_fixed(const ebb__node *n) {
    bool all = true;
    for (int i = 0; i < n->n; i++)
        all = all && n->kid[i]->fixed &&
              (n->kind != N_OPERATOR || n->kid[i]->kind == N_NUMBER || n->kid[i]->kind == N_OPERATOR);
    return all && (n->kind == N_NUMBER || n->kind == N_STRING || n->kind == N_WORD || n->kind == N_LIST ||
                   n->kind == N_NAMED || n->kind == N_OPERATOR);
}

static bool resolve(const scope *s, ebb__node *n) {
    if (n->resolved) return true; /* an index shares nodes between its two forms */
    n->resolved = true;
    switch (n->kind) {
    case N_NAME: return known_name(s, n) || no_such_name(s, n);
    case N_CALL: return resolve_call(s, n);
    case N_DEF: {
        const scope inside = {s->m, n->def};
        for (int32_t i = 0; i < n->def->n_params; i++)
            if (n->def->by_default[i] && !resolve(s, n->def->by_default[i])) return false;
        return resolve(&inside, n->def->body);
    }
    case N_RANGE: return true; /* its parts are arguments of a call */
    case N_DATA:
        for (int i = 0; i < n->n; i++)
            if (!resolve(s, n->kid[i]->kid[0])) return false;
        return true;
    case N_TRAIN: /* a bare word is a choice */
        for (int i = 0; i < n->n; i++) {
            ebb__node *k = n->kid[i]->kid[0];
            if (k->kind == N_NAME && !known_name(s, k)) k->kind = N_WORD;
            else if (!resolve(s, k)) return false;
        }
        return true;
    default: break;
    }
    const bool assigns = n->kind == N_ASSIGN;
    for (int i = 0; i < n->n; i++)
        if (!(assigns && i < n->n - 1) && !resolve(s, n->kid[i])) return false;
    n->fixed = is_fixed(n);
    return true;
}

bool ebb__resolve(ebb_model *m) {
    const scope s = {m, NULL};
    return resolve(&s, m->tree.body);
}
