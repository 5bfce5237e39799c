/* expression.c - floor 6: the grammar of expressions, by precedence: comparisons, + -, * / @, unary -, **, then calls and indices.
 *
 *   comparison: sum (("==" | "!=" | "<" | "<=" | ">" | ">=") sum)*      power:   postfix ["**" unary]
 *   sum:        product (("+" | "-") product)*                          postfix: operand ("." name | "(" args ")" | "[" items "]")*
 *   product:    unary (("*" | "/" | "@") unary)*                        operand: number | text | name | "(" list ")" | "[" list "]"
 *   unary:      "-" unary | power */
#include "parser.h"

static ebb__node *comparison(ebb__parser *p);
static ebb__node *unary(ebb__parser *p);

static ebb__node *operation(ebb__parser *p, const char *op, int symbol, ebb_span sign, ebb__node *a, ebb__node *b) {
    if (!a) return NULL;
    ebb__node *n = ebb__node_new(p, N_OPERATOR, a->span);
    if (!n || !(n->name = ebb__intern(p->tree, op, strlen(op)))) return NULL;
    n->symbol = (uint8_t)symbol;
    n->name_span = sign;
    if (!ebb__kid_add(p, n, a)) return NULL;
    if (symbol == '~') { /* of one operand: it begins at the sign */
        n->span = sign;
        ebb__span_to(&n->span, &a->span);
        return n;
    }
    if (!ebb__kid_add(p, n, b)) return NULL;
    ebb__span_to(&n->span, &b->span);
    return n;
}

/* The op of a sign in a list of {sign, op}. NULL: none. */
typedef struct sign {
    int symbol;
    const char *op;
} sign;
static const char *sign_op(const ebb__parser *p, const sign *list) {
    if (p->t.kind != T_SYMBOL) return NULL;
    while (list->op && list->symbol != p->t.symbol) list++;
    return list->op;
}

static ebb__node *chain(ebb__parser *p, const sign *list, ebb__node *(*operand)(ebb__parser *)) {
    ebb__node *a = operand(p);
    for (const char *op; a && (op = sign_op(p, list));) {
        const int symbol = p->t.symbol;
        const ebb_span at = p->t.span;
        ebb__advance(p);
        a = operation(p, op, symbol, at, a, operand(p));
    }
    return a;
}

static ebb__node *product(ebb__parser *p) {
    static const sign signs[] = {{'*', "mul"}, {'/', "div"}, {'@', "matmul"}, {0, NULL}};
    return chain(p, signs, unary);
}
static ebb__node *sum(ebb__parser *p) {
    static const sign signs[] = {{'+', "add"}, {'-', "sub"}, {0, NULL}};
    return chain(p, signs, product);
}
static ebb__node *comparison(ebb__parser *p) {
    static const sign signs[] = {{S_EQUAL, "eq"}, {S_UNEQUAL, "ne"},  {'<', "lt"}, {S_AT_MOST, "le"},
                                 {'>', "gt"},     {S_AT_LEAST, "ge"}, {0, NULL}};
    return chain(p, signs, sum);
}

static ebb__node *power(ebb__parser *p) {
    ebb__node *a = ebb__parse_postfix(p);
    if (!a || !ebb__at_symbol(p, S_POWER)) return a;
    const ebb_span at = p->t.span;
    ebb__advance(p);
    return operation(p, "pow", S_POWER, at, a, unary(p));
}

static ebb__node *unary(ebb__parser *p) {
    if (!ebb__at_symbol(p, '-')) return power(p);
    const ebb_span at = p->t.span;
    if (!ebb__enter(p)) return NULL;
    ebb__advance(p);
    ebb__node *a = unary(p);
    p->nesting--;
    if (!a) return NULL;
    if (a->kind != N_NUMBER) return operation(p, "neg", '~', at, a, NULL);
    a->number = -a->number;
    ebb_span whole = at;
    ebb__span_to(&whole, &a->span);
    a->span = whole;
    return a;
}

/* ---- operands ---- */

/* The end of a list that began at `open`: says where that was. */
static bool close_list(ebb__parser *p, int close, ebb_span open) {
    if (ebb__at_symbol(p, close)) return ebb__advance(p), true;
    if (p->t.kind == T_END)
        return ebb__problem(p->m, EBB_E_ARG, open, "", "this %c is never closed", p->m->text[open.offset]);
    if (p->t.kind == T_WRONG) return ebb__unexpected(p, "");
    char hint[80];
    snprintf(hint, sizeof hint, "the %c of line %d, column %d is still open", p->m->text[open.offset],
             (int)open.line, (int)open.column);
    return ebb__problem(p->m, EBB_E_ARG, p->t.span, hint, "expected %c or a comma here", close);
}

static ebb__node *list(ebb__parser *p, int close) {
    const ebb_span open = p->t.span;
    ebb__node *n = ebb__node_new(p, N_LIST, open);
    if (!n || !ebb__enter(p)) return NULL;
    n->symbol = (uint8_t)close;
    ebb__advance(p);
    bool comma = false;
    while (!ebb__at_symbol(p, close) && p->t.kind != T_END) {
        if (!ebb__kid_add(p, n, comparison(p))) return NULL;
        comma = ebb__at_symbol(p, ',');
        if (!comma) break;
        ebb__advance(p);
    }
    ebb_span end = p->t.span;
    if (!close_list(p, close, open)) return NULL;
    p->nesting--;
    if (close == ')' && n->n == 1 && !comma) return n->kid[0]; /* parentheses around an expression */
    if (close == ')' && !n->n)
        return ebb__problem(p->m, EBB_E_ARG, open, "", "there is nothing between these parentheses"), NULL;
    ebb__span_to(&n->span, &end);
    return n;
}

static ebb__node *operand(ebb__parser *p) {
    const ebb__token t = p->t;
    ebb__node *n = NULL;
    if (t.kind == T_NUMBER) {
        if (!(n = ebb__node_new(p, N_NUMBER, t.span))) return NULL;
        n->number = t.number;
    } else if (t.kind == T_TEXT) {
        if (!(n = ebb__node_new(p, N_STRING, t.span))) return NULL;
        n->name = ebb__intern(p->tree, p->lexer.text + t.span.offset + 1, (size_t)t.span.length - 2);
        if (!n->name) return NULL;
    } else if (t.kind == T_NAME) {
        if (!(n = ebb__node_new(p, N_NAME, t.span)) || !(n->name = ebb__name_of_token(p))) return NULL;
        static const struct {
            const char *name;
            double value;
        } constants[] = {{"true", 1},
                         {"false", 0},
                         {"yes", 1},
                         {"no", 0},
                         {"inf", (double)INFINITY},
                         {"pi", 3.141592653589793}};
        for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
            if (!strcmp(n->name, constants[i].name)) n->kind = N_NUMBER, n->number = constants[i].value;
    } else if (ebb__at_symbol(p, '(')) return list(p, ')');
    else if (ebb__at_symbol(p, '[')) return list(p, ']');
    else return ebb__unexpected(p, "an expression"), NULL;
    ebb__advance(p);
    return n;
}

/* ---- calls ---- */

static ebb__node *argument(ebb__parser *p) {
    if (p->t.kind == T_NAME) {
        const ebb__parser before = *p;
        ebb__node *n = ebb__node_new(p, N_NAMED, p->t.span);
        if (!n || !(n->name = ebb__name_of_token(p))) return NULL;
        n->name_span = n->span;
        ebb__advance(p);
        if (ebb__at_symbol(p, '=')) {
            ebb__advance(p);
            if (!ebb__kid_add(p, n, comparison(p))) return NULL;
            ebb__span_to(&n->span, &n->kid[0]->span);
            return n;
        }
        p->lexer = before.lexer, p->t = before.t, p->last = before.last;
    }
    return comparison(p);
}

/* The arguments of call n, p at the "(". */
static bool arguments(ebb__parser *p, ebb__node *n) {
    const ebb_span open = p->t.span;
    if (!ebb__enter(p)) return false;
    ebb__advance(p);
    bool named = false;
    while (!ebb__at_symbol(p, ')') && p->t.kind != T_END) {
        ebb__node *a = argument(p);
        if (!ebb__kid_add(p, n, a)) return false;
        if (a->kind != N_NAMED && named)
            return ebb__problem(p->m, EBB_E_ARG, a->span, "put those without a name first",
                                "an argument without a name behind a named one");
        named = a->kind == N_NAMED;
        for (int i = 0; i < n->n - 1 && named; i++)
            if (n->kid[i]->kind == N_NAMED && n->kid[i]->name == a->name)
                return ebb__problem(p->m, EBB_E_ARG, a->name_span, "", "%s is given twice", a->name);
        if (n->n > MAX_ARGS)
            return ebb__problem(p->m, EBB_E_ARG, a->span, "", "more than %d arguments", (int)MAX_ARGS);
        if (!ebb__at_symbol(p, ',')) break;
        ebb__advance(p);
    }
    const ebb_span end = p->t.span;
    if (!close_list(p, ')', open)) return false;
    p->nesting--;
    ebb__span_to(&n->span, &end);
    return true;
}

static ebb__node *call_of(ebb__parser *p, const char *name, ebb_span name_span, ebb_span span) {
    ebb__node *n = ebb__node_new(p, N_CALL, span);
    if (!n || !name) return NULL;
    n->name = name;
    n->name_span = name_span;
    return n;
}

/* x.T, x.sum(dim=1): the op of that name with x as its first input. */
static ebb__node *method(ebb__parser *p, ebb__node *x) {
    ebb__advance(p);
    if (p->t.kind != T_NAME) return ebb__unexpected(p, "a name behind the ."), NULL;
    const char *name = ebb__name_of_token(p);
    const ebb_span at = p->t.span;
    if (!name) return NULL;
    ebb__advance(p);
    const bool call = ebb__at_symbol(p, '(');
    if (!call && !strcmp(name, "T")) name = ebb__intern(p->tree, "t", 1);
    else if (!call && strcmp(name, "mT") && strcmp(name, "shape")) {
        char hint[120];
        snprintf(hint, sizeof hint, "write .%.40s(...) to call it, or .T, .mT, .shape", name);
        return ebb__problem(p->m, EBB_E_ARG, at, hint, "%.60s is not something a tensor has", name), NULL;
    }
    ebb__node *n = call_of(p, name, at, x->span);
    if (!n || !ebb__kid_add(p, n, x)) return NULL;
    ebb__span_to(&n->span, &at);
    return call && !arguments(p, n) ? NULL : n;
}

/* ---- indices ---- */

static ebb__node *named(ebb__parser *p, const char *name, ebb__node *value) {
    ebb__node *n = value ? ebb__node_new(p, N_NAMED, value->span) : NULL;
    if (!n || !(n->name = ebb__intern(p->tree, name, strlen(name)))) return NULL;
    n->name_span = value->span;
    return ebb__kid_add(p, n, value) ? n : NULL;
}

static ebb__node *number(ebb__parser *p, double v, ebb_span span) {
    ebb__node *n = ebb__node_new(p, N_NUMBER, span);
    if (n) n->number = v;
    return n;
}

/* One item between the brackets: from:to:step, None, or an expression. */
static ebb__node *item(ebb__parser *p) {
    ebb__node *part[3] = {NULL};
    const ebb_span from = p->t.span;
    int n = 0;
    if (ebb__at_word(p, "None") || ebb__at_word(p, "none")) {
        ebb__advance(p);
        return ebb__node_new(p, N_NONE, from);
    }
    if (!ebb__at_symbol(p, ':') && !(part[0] = comparison(p))) return NULL;
    if (!ebb__at_symbol(p, ':')) return part[0];
    while (ebb__at_symbol(p, ':') && n < 2) {
        ebb__advance(p);
        n++;
        if (ebb__at_symbol(p, ':') || ebb__at_symbol(p, ',') || ebb__at_symbol(p, ']')) continue;
        if (!(part[n] = comparison(p))) return NULL;
    }
    ebb__node *r = ebb__node_new(p, N_RANGE, from);
    if (!r || !(r->kid = (ebb__node **)ebb__arena_get(&p->tree->arena, sizeof part))) return NULL;
    memcpy(r->kid, part, sizeof part);
    for (int i = 0; i < 3; i++)
        if (part[i] && part[i]->depth >= r->depth) r->depth = (int16_t)(part[i]->depth + 1);
    ebb__span_to(&r->span, &p->last);
    return r;
}

/* x[item] as a call: slice, unsqueeze or select along dim. */
static ebb__node *item_call(ebb__parser *p, ebb__node *x, ebb__node *i, int dim) {
    static const char *const part[] = {"start", "end", "step"};
    const char *op = i->kind == N_RANGE ? "slice" : i->kind == N_NONE ? "unsqueeze" : "select";
    ebb__node *n = call_of(p, ebb__intern(p->tree, op, strlen(op)), i->span, x->span);
    if (!n || !ebb__kid_add(p, n, x) || !ebb__kid_add(p, n, named(p, "dim", number(p, dim, i->span))))
        return NULL;
    if (i->kind != N_RANGE && i->kind != N_NONE && !ebb__kid_add(p, n, named(p, "index", i))) return NULL;
    for (int k = 0; k < 3 && i->kind == N_RANGE; k++)
        if (i->kid[k] && !ebb__kid_add(p, n, named(p, part[k], i->kid[k]))) return NULL;
    return n;
}

/* x[i] alone: a number takes one place of the first dim, a tensor of integers chooses places: known when it runs. */
static ebb__node *index_alone(ebb__parser *p, ebb__node *x, ebb__node *i) {
    ebb__node *n = ebb__node_new(p, N_INDEX, x->span), *select = item_call(p, x, i, 0),
              *index = call_of(p, ebb__intern(p->tree, "index", 5), i->span, x->span);
    if (!n || !select || !index || !ebb__kid_add(p, index, x) || !ebb__kid_add(p, index, i)) return NULL;
    return ebb__kid_add(p, n, x) && ebb__kid_add(p, n, i) && ebb__kid_add(p, n, select) && ebb__kid_add(p, n, index)
               ? n
               : NULL;
}

static ebb__node *index_of(ebb__parser *p, ebb__node *x) {
    ebb__node *items[EBB_MAX_DIMS * 2];
    const ebb_span open = p->t.span;
    int n = 0, dim = 0;
    if (!ebb__enter(p)) return NULL;
    ebb__advance(p);
    while (!ebb__at_symbol(p, ']') && p->t.kind != T_END) {
        if (n == EBB_MAX_DIMS * 2)
            return ebb__problem(p->m, EBB_E_ARG, p->t.span, "", "more than %d indices", EBB_MAX_DIMS * 2), NULL;
        if (!(items[n++] = item(p))) return NULL;
        if (!ebb__at_symbol(p, ',')) break;
        ebb__advance(p);
    }
    const ebb_span end = p->t.span;
    if (!close_list(p, ']', open)) return NULL;
    p->nesting--;
    if (!n) return ebb__problem(p->m, EBB_E_ARG, open, "", "there is no index between these brackets"), NULL;
    ebb__node *base = x;
    if (n == 1 && items[0]->kind != N_RANGE && items[0]->kind != N_NONE) x = index_alone(p, x, items[0]);
    else
        for (int i = 0; i < n && x; i++) {
            const bool range = items[i]->kind == N_RANGE,
                       all = range && !items[i]->kid[0] && !items[i]->kid[1] && !items[i]->kid[2];
            if (!all) x = item_call(p, x, items[i], dim);
            if (range || items[i]->kind == N_NONE) dim++;
            if (x && x != base) ebb__span_to(&x->span, &end);
        }
    if (x && x != base) ebb__span_to(&x->span, &end);
    for (int i = 2; x && x->kind == N_INDEX && i < x->n; i++) x->kid[i]->span = x->span;
    return x;
}

ebb__node *ebb__parse_postfix(ebb__parser *p) {
    ebb__node *a = operand(p);
    while (a) {
        if (ebb__at_symbol(p, '.')) a = method(p, a);
        else if (ebb__at_symbol(p, '[')) a = index_of(p, a);
        else if (ebb__at_symbol(p, '(') && a->kind == N_NAME) {
            ebb__node *n = call_of(p, a->name, a->span, a->span);
            a = n && arguments(p, n) ? n : NULL;
        } else break;
    }
    return a;
}

ebb__node *ebb__parse_init(ebb__parser *p) {
    if (p->t.kind != T_NAME) return ebb__unexpected(p, "an initialiser behind ~"), NULL;
    ebb__node *n = call_of(p, ebb__name_of_token(p), p->t.span, p->t.span);
    if (!n) return NULL;
    ebb__advance(p);
    return ebb__at_symbol(p, '(') && !arguments(p, n) ? NULL : n;
}

ebb__node *ebb__parse_expression(ebb__parser *p) { return comparison(p); }
