/* call.c - floor 6: calls of ops: which argument is an input and which an attribute is planned once a call site, attributes are written into
 * the op's struct once where they are fixed, and numbers beside tensors are constants that stay.
 *
 * A plan holds for the kinds of values that it was made for (number, tensor, list ...): other kinds make a new one. */
#include "model.h"

enum {
    INPUT = 0,
    INPUTS,
    ATTR,
    WIDE
}; /* one input; a list of inputs; an attribute; one more number of a list attribute */

typedef struct role {
    uint8_t kind;  /* of the value it is for */
    uint8_t as;    /* INPUT ... */
    int16_t place; /* of the input or of the attribute */
} role;

/* A number as a tensor of the dtype that its partner gives it. */
typedef struct constant {
    double number;
    int32_t like;
    ebb_tensor *t; /* retained */
} constant;

typedef struct ebb__site {
    struct ebb__site *next; /* of the model */
    const ebb_op *op;
    uint32_t hash;
    int32_t n_args;
    uint8_t n_in, required;
    bool variadic, several, planned, written;
    uint8_t dtype[16]; /* of the inputs: i64 or bool where the signature says so */
    char input[16][24];
    int16_t training_at; /* its attribute `training`, where no argument gives it; -1 */
    role *role;
    constant *constant;
    char *attrs; /* NULL: it has none */
} ebb__site;

static const ebb__node *value_of(const ebb__node *arg) { return arg->kind == N_NAMED ? arg->kid[0] : arg; }

/* ---- a site ---- */

static ebb__site *site_new(ebb_model *m, const ebb__node *n) {
    ebb__arena *a = &m->tree.arena;
    ebb__site *s = (ebb__site *)ebb__arena_get(a, sizeof *s);
    const ebb_op *op = ebb_op_find(m->e, n->name);
    ebb_sig sig;
    if (!s) return NULL;
    if (!op || ebb_sig_parse(op->sig, &sig, NULL, 0) != EBB_OK)
        return ebb__problem(m, EBB_E_NAME, n->name_span, "", "no op is called %s", n->name), NULL;
    s->op = op;
    s->hash = ebb_hash(op->name);
    s->n_args = n->n;
    s->n_in = (uint8_t)sig.n_x;
    for (int i = 0; i < sig.n_x; i++) {
        s->variadic = s->variadic || sig.arg[i].variadic;
        if (!sig.arg[i].optional && !sig.arg[i].variadic) s->required = (uint8_t)(i + 1);
        s->dtype[i] = (uint8_t)sig.arg[i].dtype;
        memcpy(s->input[i], sig.arg[i].name, sizeof s->input[i]);
    }
    s->several = sig.n_y != 1 || sig.arg[sig.n_x].variadic;
    const size_t args = (size_t)(n->n ? n->n : 1);
    s->role = (role *)ebb__arena_get(a, args * sizeof *s->role);
    s->constant = (constant *)ebb__arena_get(a, args * sizeof *s->constant);
    if (op->attrs_size) s->attrs = (char *)ebb__arena_get(a, op->attrs_size);
    if (!s->role || !s->constant || (op->attrs_size && !s->attrs)) return NULL;
    s->next = m->sites;
    m->sites = s;
    ((ebb__node *)(uintptr_t)n)->site = s; /* the tree's own note of it */
    return s;
}

void ebb__sites_close(ebb_model *m) {
    for (ebb__site *s = m->sites; s; s = s->next)
        for (int i = 0; i < s->n_args; i++) ebb_release(s->constant[i].t);
    m->sites = NULL;
}

/* ---- the plan ---- */

static int attr_at(const ebb_op *op, const char *name) {
    for (size_t i = 0; i < op->n_attrs; i++)
        if (!strcmp(op->attrs[i].name, name)) return (int)i;
    return -1;
}

/* The op's first attribute is a list, and no other one takes plain numbers: zeros(2, 3), permute(x, 1, 0). */
static bool takes_numbers_in_a_row(const ebb_op *op) {
    for (size_t i = 1; i < op->n_attrs; i++) {
        const int type = op->attrs[i].type;
        if (type != EBB_A_DTYPE && type != EBB_A_ENUM && strcmp(op->attrs[i].name, "key")) return false;
    }
    return op->n_attrs && op->attrs[0].type == EBB_A_INTS;
}

static bool has_tensor(const ebb__list *l) {
    for (int i = 0; i < l->n; i++)
        if (l->item[i].kind == V_TENSOR) return true;
    return false;
}

static bool takes_list(const ebb_op *op, int attr) {
    const int type = attr >= 0 && (size_t)attr < op->n_attrs ? op->attrs[attr].type : 0;
    return type == EBB_A_INTS || type == EBB_A_FLOATS;
}

/* Whether a positional value becomes an input: tensors always; numbers where the op needs one more; lists there, and where an input is
 * free and the attribute whose turn it is takes no list. */
static bool is_input(const ebb__site *s, const ebb__value *v, int inputs, int attr) {
    if (v->kind == V_WORD) return false;
    if (v->kind == V_TENSOR || inputs < s->required) return true;
    if (v->kind != V_LIST) return false;
    if (v->list->results || (s->variadic && has_tensor(v->list))) return true;
    return (s->variadic || inputs < s->n_in) && !takes_list(s->op, attr);
}

static bool too_many(ebb_model *m, const ebb__node *n, const ebb__site *s, int i) {
    char hint[200] = "";
    if (s->op->n_attrs) snprintf(hint, sizeof hint, "its signature is %.150s", s->op->sig);
    return ebb__problem(m, EBB_E_ARG, n->kid[i]->span, hint,
                        "%s takes %d input%s%s and %zu attribute%s, not %d arguments", n->name, s->n_in,
                        s->n_in == 1 ? "" : "s", s->variadic ? " or more" : "", s->op->n_attrs,
                        s->op->n_attrs == 1 ? "" : "s", (int)n->n);
}

static bool plan(ebb_model *m, const ebb__node *n, ebb__site *s, const ebb__value *v) {
    uint64_t given = 0;
    int inputs = 0, attr = 0, row = 0;
    const bool wide = takes_numbers_in_a_row(s->op);
    for (int i = 0; i < n->n; i++) { /* those with a name first: they are not to be filled by place */
        if (n->kid[i]->kind != N_NAMED) continue;
        const int at = attr_at(s->op, n->kid[i]->name);
        /* a tensor as an attribute's value is the optional input of that name: pow(x, exponent=y) */
        int in = 0;
        while (in < s->n_in && strcmp(s->input[in], n->kid[i]->name)) in++;
        const bool list = v[i].kind == V_LIST && !takes_list(s->op, at),
                   input = in < s->n_in && (at < 0 || v[i].kind == V_TENSOR || list);
        s->role[i] = (role){v[i].kind, input ? INPUT : ATTR, (int16_t)(input ? in : at)};
        if (!input && at < 0) return too_many(m, n, s, i);
        if (!input && at < 64) given |= (uint64_t)1 << at;
    }
    for (int i = 0; i < n->n; i++) {
        if (n->kid[i]->kind == N_NAMED) continue;
        const bool list = v[i].kind == V_LIST && !v[i].list->results && s->variadic && has_tensor(v[i].list);
        if (is_input(s, &v[i], inputs, attr)) {
            if (inputs >= s->n_in && !s->variadic) return too_many(m, n, s, i);
            s->role[i] = (role){v[i].kind, list ? INPUTS : INPUT, (int16_t)inputs};
            inputs += list ? v[i].list->n : 1;
            continue;
        }
        if (wide && v[i].kind == V_NUMBER && row < EBB_MAX_DIMS && !(given >> 0 & 1 && !row)) {
            s->role[i] = (role){v[i].kind, row ? WIDE : ATTR, 0};
            row++, given |= 1, attr = 1;
            continue;
        }
        const bool word = v[i].kind == V_WORD && value_of(n->kid[i])->kind == N_WORD;
        for (;; attr++) { /* the next that is free; a word goes to one that has choices */
            const int type = (size_t)attr < s->op->n_attrs ? s->op->attrs[attr].type : 0;
            if (!type) return too_many(m, n, s, i);
            if (given >> attr & 1) continue;
            if (!word || type == EBB_A_DTYPE || type == EBB_A_ENUM) break;
        }
        s->role[i] = (role){v[i].kind, ATTR, (int16_t)attr};
        given |= (uint64_t)1 << attr++;
    }
    const int training = attr_at(s->op, "training");
    s->training_at = (int16_t)(training >= 0 && !(given >> training & 1) ? training : -1);
    for (size_t i = 0; i < s->op->n_attrs && i < 64; i++)
        if (!s->op->attrs[i].def && !(given >> i & 1))
            return ebb__problem(m, EBB_E_ATTR, n->span, "", "%s: attribute %s must be given (%s)", n->name,
                                s->op->attrs[i].name, s->op->attrs[i].doc);
    s->planned = true;
    s->written = false;
    return true;
}

/* The plan is for values of these kinds. */
static bool fits(const ebb__site *s, const ebb__node *n, const ebb__value *v) {
    bool same = s->planned;
    for (int i = 0; i < n->n && same; i++) same = s->role[i].kind == v[i].kind && s->role[i].as != INPUTS;
    return same;
}

/* ---- attributes ---- */

static bool wrong_attr(ebb_model *m, const ebb__node *n, const ebb_attr *a, const ebb__value *v, ebb_span span) {
    static const char *const what[] = {"",        "a whole number", "a number",
                                       "0 or 1",  "whole numbers",  "one of ",
                                       "a dtype", "numbers",        "a text of at most 63 characters"};
    char text[160], hint[160] = "";
    if (a->type == EBB_A_ENUM && v->kind == V_WORD) {
        char words[256];
        const char *list[32];
        size_t count = 0;
        snprintf(words, sizeof words, "%s", a->choices ? a->choices : "");
        for (char *w = words; w && count < 32;) {
            list[count++] = w;
            if ((w = strchr(w, '|'))) *w++ = 0;
        }
        ebb__did_you_mean(hint, sizeof hint, v->word, count, list);
    }
    return ebb__problem(m, EBB_E_ATTR, span, hint, "%s: attribute %s is %s%s, not %s", n->name, a->name,
                        what[a->type <= EBB_A_TEXT ? a->type : 0],
                        a->type == EBB_A_ENUM && a->choices ? a->choices : "",
                        ebb__describe_value(v, text, sizeof text));
}

static int32_t choice_of(const char *word, const char *choices) {
    const size_t n = strlen(word);
    int32_t i = 0;
    for (const char *p = choices; p; i++) {
        if (!strncmp(p, word, n) && (!p[n] || p[n] == '|')) return i;
        p = strchr(p, '|');
        if (p) p++;
    }
    return -1;
}

/* -1: no dtype of that name. In a model of f64, f32 means f64. */
static int32_t dtype_of(const ebb_model *m, const char *word) {
    for (int32_t d = 1; d < EBB_DTYPES; d++)
        if (!strcmp(word, ebb_dtype_name((ebb_dtype)d))) return d == EBB_F32 ? (int32_t)m->dtype : d;
    return strcmp(word, "none") ? -1 : EBB_NONE;
}

static bool int_of(const ebb__value *v, int64_t *out) {
    if (v->kind == V_WORD && !strcmp(v->word, "min")) return *out = INT64_MIN, true;
    if (v->kind == V_WORD && !strcmp(v->word, "max")) return *out = INT64_MAX, true;
    return v->kind == V_NUMBER && ebb__whole(v->number, out);
}

static bool write_attr(ebb_model *m, const ebb__node *n, char *attrs, const ebb_attr *a, const ebb__value *v,
                       ebb_span span) {
    char *field = attrs + a->offset;
    int64_t k = 0;
    bool ok = false;
    if (a->type == EBB_A_INT) {
        if ((ok = int_of(v, &k))) memcpy(field, &k, sizeof k);
    } else if (a->type == EBB_A_FLOAT) {
        if ((ok = v->kind == V_NUMBER)) memcpy(field, &v->number, sizeof v->number);
    } else if (a->type == EBB_A_BOOL) {
        const bool on = v->kind == V_NUMBER && v->number == 1;
        if ((ok = on || (v->kind == V_NUMBER && v->number == 0))) memcpy(field, &on, sizeof on);
    } else if (a->type == EBB_A_ENUM || a->type == EBB_A_DTYPE) {
        const int32_t c = v->kind != V_WORD       ? -1
                          : a->type == EBB_A_ENUM ? choice_of(v->word, a->choices)
                                                  : dtype_of(m, v->word);
        if ((ok = c >= 0)) memcpy(field, &c, sizeof c);
    } else if (a->type == EBB_A_TEXT) {
        ebb_text t = {{0}};
        if ((ok = v->kind == V_WORD && strlen(v->word) < sizeof t.s)) {
            snprintf(t.s, sizeof t.s, "%s", v->word);
            memcpy(field, &t, sizeof t);
        }
    } else {
        const ebb__value *item = v->kind == V_LIST ? v->list->item : v;
        const int32_t count = v->kind == V_LIST ? v->list->n : 1;
        ebb_ints ints = {0};
        ebb_floats floats = {0};
        ok = count <= EBB_MAX_DIMS;
        for (int32_t i = 0; i < count && ok; i++) {
            ok = a->type == EBB_A_INTS ? int_of(&item[i], &ints.v[i]) : item[i].kind == V_NUMBER;
            if (ok && a->type == EBB_A_FLOATS) floats.v[i] = item[i].number;
        }
        ints.n = floats.n = count;
        if (ok && a->type == EBB_A_INTS) memcpy(field, &ints, sizeof ints);
        else if (ok) memcpy(field, &floats, sizeof floats);
    }
    return ok || wrong_attr(m, n, a, v, span);
}

static bool one_more(ebb_model *m, const ebb__node *n, char *attrs, const ebb_attr *a, const ebb__value *v,
                     ebb_span span) {
    ebb_ints ints;
    memcpy(&ints, attrs + a->offset, sizeof ints);
    if (ints.n >= EBB_MAX_DIMS || !int_of(v, &ints.v[ints.n])) return wrong_attr(m, n, a, v, span);
    ints.n++;
    memcpy(attrs + a->offset, &ints, sizeof ints);
    return true;
}

/* Fills the op's struct; once, when all of it is fixed. */
static bool write_attrs(ebb_model *m, const ebb__node *n, ebb__site *s, const ebb__value *v) {
    const ebb_op *op = s->op;
    if (s->written || !s->attrs) return true;
    const void *defaults = ebb_op_defaults(m->e, op->name);
    if (defaults) memcpy(s->attrs, defaults, op->attrs_size);
    bool fixed = true;
    const int dtype = m->dtype == EBB_F64 && !s->n_in ? attr_at(op, "dtype") : -1;
    if (dtype >= 0)
        write_attr(m, n, s->attrs, &op->attrs[dtype], &(ebb__value){.kind = V_WORD, .word = "f64"}, n->span);
    for (int i = 0; i < n->n; i++) {
        const ebb__node *k = value_of(n->kid[i]);
        const role *r = &s->role[i];
        if (r->as != ATTR && r->as != WIDE) continue;
        fixed = fixed && k->fixed;
        if (!(r->as == WIDE ? one_more : write_attr)(m, n, s->attrs, &op->attrs[r->place], &v[i], k->span))
            return false;
    }
    s->written = fixed && s->training_at < 0;
    if (s->training_at >= 0) {
        const ebb__value on = {.kind = V_NUMBER, .number = m->mode == RUN_TRAIN};
        return write_attr(m, n, s->attrs, &op->attrs[s->training_at], &on, n->span);
    }
    return true;
}

/* ---- inputs ---- */

/* The number as a tensor that takes the dtype of `like`: made once for a site, and again when either changes. */
static ebb_tensor *constant_of(ebb_model *m, constant *c, double number, const ebb_tensor *like, int dtype) {
    const int32_t as = dtype ? dtype : like ? (int32_t)ebb_tensor_dtype(like) : (int32_t)m->dtype;
    if (c->t && c->number == number && c->like == as) return c->t;
    ebb_tensor *t = !dtype && like ? ebb_scalar(like, number) : ebb_full(m->e, (ebb_dtype)as, EBB_SHAPE0, number);
    if (!t) return NULL;
    ebb_release(c->t);
    *c = (constant){number, as, ebb_retain(t)};
    return t;
}

static const ebb__value *first_result(const ebb__value *v) {
    return v->kind == V_LIST && v->list->results ? v->list->item : v;
}

static bool put_input(ebb_model *m, const ebb__site *s, ebb_tensor **x, int *n_x, int at, ebb_tensor *t,
                      ebb_span span) {
    if (at >= EBB_MAX_OPERANDS - 8)
        return ebb__problem(m, EBB_E_ARG, span, "", "%s: more than %d inputs", s->op->name, EBB_MAX_OPERANDS - 8);
    while (*n_x <= at) x[(*n_x)++] = NULL;
    x[at] = t;
    return t != NULL;
}

/* -> how many inputs; -1: a problem */
static int gather_inputs(ebb_model *m, const ebb__node *n, ebb__site *s, const ebb__value *v, ebb_tensor **x) {
    int n_x = 0;
    const ebb_tensor *like = NULL;
    for (int i = 0; i < n->n; i++) {
        const role *r = &s->role[i];
        const ebb__value *first = first_result(&v[i]);
        if (r->as == INPUT && first->kind == V_TENSOR) {
            if (!put_input(m, s, x, &n_x, r->place, first->tensor, n->span)) return -1;
            if (!like && !s->dtype[r->place < s->n_in ? r->place : s->n_in - 1]) like = first->tensor;
        } else if (r->as == INPUTS)
            for (int k = 0; k < v[i].list->n; k++) {
                ebb_tensor *t = ebb__as_tensor(m, &v[i].list->item[k], n->kid[i]->span, m->dtype);
                if (!put_input(m, s, x, &n_x, r->place + k, t, n->span)) return -1;
            }
    }
    for (int i = 0; i < n->n; i++) {
        const role *r = &s->role[i];
        const ebb__value *first = first_result(&v[i]);
        if (r->as != INPUT || first->kind == V_TENSOR) continue;
        const int dtype = s->dtype[r->place < s->n_in ? r->place : s->n_in - 1];
        const ebb_span span = value_of(n->kid[i])->span;
        ebb_tensor *t = first->kind == V_NUMBER
                            ? constant_of(m, &s->constant[i], first->number, like, dtype)
                            : ebb__as_tensor(m, first, span, dtype ? (ebb_dtype)dtype : m->dtype);
        if (!t) ebb__problem_of_op(m, span);
        if (!put_input(m, s, x, &n_x, r->place, t, n->span)) return -1;
    }
    return n_x;
}

/* ---- the call ---- */

static bool results(ebb_model *m, ebb_tensor *y, ebb_tensor *const *more, int n_more, ebb__value *out) {
    int n = 0;
    while (n < n_more && more[n]) n++;
    ebb__list *l = ebb__list_new(&m->scratch, n + 1);
    if (!l) return false;
    l->results = true;
    for (int i = 0; i <= n; i++) l->item[i] = (ebb__value){.kind = V_TENSOR, .tensor = i ? more[i - 1] : y};
    *out = (ebb__value){.kind = V_LIST, .list = l};
    return true;
}

bool ebb__call_op(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb__value *out) {
    ebb__site *s = n->site;
    ebb_tensor *x[EBB_MAX_OPERANDS], *more[EBB_MAX_OPERANDS];
    if (!s && !(s = site_new(m, n))) return false;
    if (!fits(s, n, v) && !plan(m, n, s, v)) return false;
    if (!write_attrs(m, n, s, v)) return false;
    const ebb__node *outer = m->at;
    m->at = n;
    const int n_x = gather_inputs(m, n, s, v, x), n_more = s->several ? EBB_MAX_OPERANDS - 1 : 0;
    if (n_x < 0) return false;
    ebb_tensor *y =
        ((const ebb_host *)(const void *)m->e)
            ->call(m->e, s->op->name, s->hash, n_x, x, s->attrs, (uint32_t)s->op->attrs_size, n_more, more);
    if (!y) return ebb__problem_of_op(m, n->span);
    m->at = outer;
    if (n_more) return results(m, y, more, n_more, out);
    *out = (ebb__value){.kind = V_TENSOR, .tensor = y};
    return true;
}

bool ebb_model_where(const ebb_model *m, ebb_span *out) {
    if (!m || !m->at) return false;
    if (out) *out = m->at->span;
    return true;
}
