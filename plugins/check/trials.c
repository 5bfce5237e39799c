/* trials.c - floor 5: the ways to call an op, made from its declaration: signature, attributes, `.tries`. */
#include "check.h"
#include <stdlib.h>

const ebb_sig_operand *check_arg(const checker *c, int i) {
    if (c->sig.n_x == 0) return NULL;
    return &c->sig.arg[i < c->sig.n_x ? i : c->sig.n_x - 1];
}

const ebb_vjp_rule *check_vjp(const checker *c, int i) {
    if (c->op->n_vjp == 0) return NULL;
    const size_t last = c->op->n_vjp - 1;
    if ((size_t)i > last && !c->variadic) return NULL;
    const ebb_vjp_rule *r = &c->op->vjp[(size_t)i > last ? last : (size_t)i];
    return r->rule ? r : NULL;
}

uint32_t check_wanted(const checker *c, const trial *t) {
    uint32_t bits = 0;
    if (!check_is_float(c->type)) return 0;
    for (int i = 0; i < t->n_x; i++) {
        if (!t->x[i].present || t->x[i].dtype != EBB_NONE) continue;
        if (check_vjp(c, i) || (c->op->n_vjp == 0 && c->op->compose)) bits |= 1u << i;
    }
    return bits;
}

int64_t check_numel(const ebb_ints *shape) {
    int64_t n = 1;
    for (int d = 0; d < shape->n; d++) n *= shape->v[d];
    return n;
}

bool check_has_zero(const trial *t) {
    for (int i = 0; i < t->n_x; i++)
        if (t->x[i].present && check_numel(&t->x[i].shape) == 0) return true;
    return false;
}

/* ---- attributes as text: "dim=1 keepdim=1" --------------------------------------------------------------------------- */

/* The token `name=...` in attrs. -> where it begins, NULL when it is not there; its length to *n. */
static const char *attr_find(const char *attrs, const char *name, size_t *n) {
    const size_t len = strlen(name);
    for (const char *p = attrs; *p;) {
        p += strspn(p, " ");
        *n = strcspn(p, " ");
        if (*n > len && !strncmp(p, name, len) && p[len] == '=') return p;
        p += *n;
    }
    return NULL;
}

bool check_attr_get(const char *attrs, const char *name, char *value, size_t n) {
    size_t len, skip = strlen(name) + 1;
    const char *p = attr_find(attrs, name, &len);
    if (!p || len - skip >= n) return false;
    memcpy(value, p + skip, len - skip);
    value[len - skip] = 0;
    return true;
}

void check_attr_set(char attrs[ATTRS_LEN], const char *name, const char *value) {
    size_t len;
    const char *p = attr_find(attrs, name, &len);
    if (p) {
        char *at = attrs + (p - attrs);
        size_t end = (size_t)(p - attrs) + len;
        end += strspn(attrs + end, " ");
        memmove(at, attrs + end, strlen(attrs + end) + 1);
        len = strlen(attrs);
        while (len && attrs[len - 1] == ' ') attrs[--len] = 0;
    }
    if (value) check_say(attrs, ATTRS_LEN, attrs[0] ? " %s=%s" : "%s=%s", name, value);
}

static int parse_ints(const char *text, int64_t v[EBB_MAX_DIMS]) {
    int n = 0;
    for (const char *p = text; *p && n < EBB_MAX_DIMS;) {
        char *end;
        v[n] = strtoll(p, &end, 10);
        if (end == p) break;
        n++;
        p = *end == ',' ? end + 1 : end;
    }
    return n;
}

/* -> how many axes the attribute names in a tensor of ndim dims; -1: they do not exist there. */
int check_axes_of(const checker *c, const trial *t, int32_t ndim, int axes[EBB_MAX_DIMS]) {
    char text[ATTRS_LEN] = "";
    int64_t v[EBB_MAX_DIMS];
    if (!c->axes || ndim == 0) return 0;
    if (!check_attr_get(t->attrs, c->axes->name, text, sizeof text) && c->axes->def)
        check_say(text, sizeof text, "%s", c->axes->def);
    int n = parse_ints(text, v);
    bool in[EBB_MAX_DIMS] = {false};
    for (int k = 0; k < n; k++) {
        const int64_t d = v[k] < 0 ? v[k] + ndim : v[k];
        if (d < 0 || d >= ndim) return -1;
        in[d] = true;
    }
    for (int d = 0; n == 0 && d < ndim; d++) in[d] = true;
    n = 0;
    for (int d = 0; d < ndim; d++)
        if (in[d]) axes[n++] = d;
    return n;
}

/* ---- `.tries` ---------------------------------------------------------------------------------------------------------- */

/* Bounds of the indices from the sizes of the letters they stay below. */
static void bind_bounds(const checker *c, trial *t) {
    int64_t size[128] = {0};
    int axes[EBB_MAX_DIMS];
    for (int i = 0; i < t->n_x; i++) {
        const ebb_sig_operand *a = check_arg(c, i);
        const ebb_ints *s = &t->x[i].shape;
        if (!a || !t->x[i].present) continue;
        if (c->axes && a->ndim > 0) {
            const int n = check_axes_of(c, t, s->n, axes);
            int64_t joined = 1;
            for (int k = 0; k < n; k++) joined *= s->v[axes[k]];
            size[a->dim[0] & 127] = joined;
        } else
            for (int d = 0; d < a->ndim && d < s->n; d++)
                size[a->dim[a->ndim - 1 - d] & 127] = s->v[s->n - 1 - d];
    }
    for (int i = 0; i < t->n_x; i++) {
        const ebb_sig_operand *a = check_arg(c, i);
        if (a && a->below && t->x[i].below == 0) t->x[i].below = size[a->below & 127];
    }
}

/* "[2,6]" or "[3]<4" or "-" (absent) at p. -> what follows it */
static const char *parse_operand(const checker *c, const char *p, trial *t) {
    const ebb_sig_operand *a = check_arg(c, t->n_x);
    operand *o = &t->x[t->n_x++];
    *o = (operand){.dtype = a ? (ebb_dtype)a->dtype : EBB_NONE};
    if (*p == '-') return p + 1;
    o->present = true;
    char text[96] = "";
    const size_t len = strcspn(++p, "];");
    for (size_t k = 0; k < len; k++)
        if (p[k] != ' ') check_say(text, sizeof text, "%c", p[k]);
    o->shape.n = parse_ints(text, o->shape.v);
    p += len + (p[len] == ']');
    if (*p == '<') {
        char *end;
        o->below = strtoll(p + 1, &end, 10);
        p = end;
    }
    return p;
}

/* One entry of `.tries`, up to ';'. -> what follows it. Inputs that it does not name are absent when it names any. */
static const char *parse_try(const checker *c, const char *p, trial *t) {
    memset(t, 0, sizeof *t);
    while (*p && *p != ';') {
        if (*p == ' ' || *p == '\n') p++;
        else if ((*p == '[' || (*p == '-' && (p[1] == ' ' || p[1] == ';' || !p[1]))) && t->n_x < MAX_X)
            p = parse_operand(c, p, t);
        else {
            const size_t n = strcspn(p, " ;\n");
            check_say(t->attrs, sizeof t->attrs, t->attrs[0] ? " %.*s" : "%.*s", (int)n, p);
            p += n ? n : 1;
        }
    }
    for (int i = t->n_x; t->n_x && i < c->sig.n_x && i < MAX_X && !c->variadic; i++)
        t->x[t->n_x++].dtype = (ebb_dtype)c->sig.arg[i].dtype;
    t->must = true;
    bind_bounds(c, t);
    return *p == ';' ? p + 1 : p;
}

/* ---- the lists --------------------------------------------------------------------------------------------------------- */

static void add_main(checker *c, const trial *t) {
    if (c->n_main < MAX_MAIN) c->main[c->n_main++] = *t;
}

/* Values for attributes that have no default: from the first try that gives one, else something small. */
static void required_attrs(const checker *c, char attrs[ATTRS_LEN]) {
    attrs[0] = 0;
    for (size_t k = 0; k < c->op->n_attrs; k++) {
        const ebb_attr *a = &c->op->attrs[k];
        char value[ATTRS_LEN] = "";
        if (a->def) continue;
        bool found = false;
        for (const char *p = c->op->tries; p && *p && !found;) {
            trial t;
            p = parse_try(c, p, &t);
            found = check_attr_get(t.attrs, a->name, value, sizeof value);
        }
        if (!found) {
            double v = a->type == EBB_A_FLOAT ? 0.5 : 1;
            if (a->lo < a->hi) v = fmin(fmax(v, a->lo), a->hi);
            check_say(value, sizeof value, a->type == EBB_A_DTYPE ? "f64" : "%g", v);
        }
        check_attr_set(attrs, a->name, value);
    }
}

/* The default shapes with these attributes: core dims bare, with a batch, and each optional input away. */
static void add_generated(checker *c, const char *attrs, bool must, bool variants) {
    plan p;
    trial t;
    check_plan_default(c, &p);
    const int n_x = c->variadic && variants ? 2 : c->sig.n_x;
    if (c->axes) {
        static const ebb_ints shape[] = {{2, {3, 4}}, {1, {5}}, {3, {2, 3, 4}}, {4, {2, 3, 2, 2}}};
        if (check_build_axes(c, shape[0], NULL, attrs, &t)) t.must &= must, add_main(c, &t);
        static const char *const one[] = {"0", "-1", "1", "-2"}, *const many[] = {"0", "1", "0,2", "1,-1"};
        const bool ints = c->axes->type == EBB_A_INTS;
        for (int k = 0; variants && k < 4; k++) {
            if (check_build_axes(c, shape[k], ints ? many[k == 1 ? 0 : k] : one[k == 1 ? 0 : k], attrs, &t))
                add_main(c, &t);
            if (k && ints && check_build_axes(c, shape[k], one[k], attrs, &t)) add_main(c, &t);
            if (k && check_build_axes(c, shape[k], "0", attrs, &t)) add_main(c, &t);
        }
        return;
    }
    if (check_build(c, &p, attrs, n_x, &t)) t.must = must && t.must, add_main(c, &t);
    if (!c->pointwise) {
        for (int i = 0; i < MAX_X; i++) p.batch[i] = (ebb_ints){1, {2}};
        if (check_build(c, &p, attrs, n_x, &t)) t.must = false, add_main(c, &t);
    }
    if (!variants) return;
    if (c->variadic)
        for (int n = 1; n <= 3; n += 2)
            if (check_build(c, &p, attrs, c->sig.n_x - 1 + n, &t)) t.must = false, add_main(c, &t);
    for (int i = 0; i < c->sig.n_x; i++) {
        if (!c->sig.arg[i].optional || !check_build(c, &p, attrs, n_x, &t)) continue;
        t.x[i].present = false;
        t.must = false;
        add_main(c, &t);
    }
}

/* A random op draws the same numbers in every run of a trial. */
static void fix_keys(const checker *c, trial *list, int n) {
    char key[32];
    for (int k = 0; k < n && (c->op->flags & EBB_RANDOM); k++)
        if (!check_attr_get(list[k].attrs, "key", key, sizeof key))
            check_attr_set(list[k].attrs, "key", "20150727");
}

bool check_trials(checker *c) {
    c->main = (trial *)check_take(c, sizeof(trial) * MAX_MAIN);
    c->shapes = (trial *)check_take(c, sizeof(trial) * MAX_SHAPES);
    c->large = (trial *)check_take(c, sizeof(trial) * MAX_LARGE);
    if (!c->main || !c->shapes || !c->large) return false;
    char attrs[ATTRS_LEN];
    required_attrs(c, attrs);
    const bool fixed = check_own_shapes(c) || c->op->view;
    bool shaped = false;
    for (const char *p = c->op->tries; p && *p;) {
        trial t;
        p = parse_try(c, p, &t);
        shaped |= t.n_x > 0;
    }
    const bool generate = !(fixed && shaped);
    if (generate) add_generated(c, attrs, !fixed && !c->op->compose && !attrs[0], true);
    for (const char *p = c->op->tries; p && *p;) {
        trial t;
        p = parse_try(c, p, &t);
        if (t.n_x) add_main(c, &t);
        else if (t.attrs[0]) add_generated(c, t.attrs, !fixed && !c->op->compose, false);
    }
    if (generate && !fixed) {
        check_shape_trials(c, attrs);
        check_large_trials(c, attrs);
    }
    fix_keys(c, c->main, c->n_main);
    fix_keys(c, c->shapes, c->n_shapes);
    fix_keys(c, c->large, c->n_large);
    return true;
}
