/* attrs.c - floor 5: every attribute makes a difference somewhere. */
#include "check.h"
#include <stdlib.h>

/* What an attribute is set to, to see whether it matters. */
typedef struct values {
    char text[16][48];
    int n;
} values;

static void add(values *v, const ebb_attr *a, const char *format, double x) {
    if (v->n >= 16 || (a->lo < a->hi && !(x >= a->lo && x <= a->hi))) return;
    v->text[v->n][0] = 0;
    check_say(v->text[v->n++], 48, format, x);
}

static void add_text(values *v, const char *text) {
    if (v->n >= 16) return;
    v->text[v->n][0] = 0;
    check_say(v->text[v->n++], 48, "%s", text);
}

static void candidates(const ebb_attr *a, const char *now, values *v) {
    double base = 0;
    v->n = 0;
    if (*now) {
        char *end;
        base = strtod(now, &end);
        if (end == now || !isfinite(base)) base = 0;
    }
    if (a->type == EBB_A_FLOATS) {
        add_text(v, "0.5");
        add_text(v, "2");
        add_text(v, "2,1.5");
    } else if (a->type == EBB_A_BOOL) {
        add(v, a, "%g", 0);
        add(v, a, "%g", 1);
    } else if (a->type == EBB_A_FLOAT) {
        add(v, a, "%.9g", base * 1.25 + 0.01);
        add(v, a, "%.9g", base * 0.5 - 0.25);
        add(v, a, "%.9g", 0.5);
        add(v, a, "%.9g", -0.5);
        if (a->lo < a->hi && isfinite(a->lo) && isfinite(a->hi)) add(v, a, "%.9g", 0.3 * a->lo + 0.7 * a->hi);
    } else if (a->type == EBB_A_ENUM) {
        for (const char *p = a->choices; p && *p && v->n < 16;) {
            const size_t n = strcspn(p, "|");
            v->text[v->n][0] = 0;
            check_say(v->text[v->n++], 48, "%.*s", (int)n, p);
            p += n + (p[n] == '|');
        }
    } else if (a->type == EBB_A_DTYPE) {
        add_text(v, "f32");
        add_text(v, "f64");
        add_text(v, "i64");
    } else if (a->type == EBB_A_INT || a->type == EBB_A_INTS) {
        static const int steps[] = {1, -1, 2};
        for (int k = 0; k < 3; k++) add(v, a, "%.0f", base + steps[k]);
        for (int k = 0; k < 4; k++) add(v, a, "%.0f", k);
        if (a->type == EBB_A_INTS) {
            add_text(v, "1,0");
            add_text(v, "0,1");
        }
    }
}

static bool differs(const outcome *a, const outcome *b, int n_x) {
    if (a->n_y != b->n_y) return true;
    for (int k = 0; k < a->n_y; k++) {
        if (a->y_dtype[k] != b->y_dtype[k] || a->y_shape[k].n != b->y_shape[k].n) return true;
        for (int d = 0; d < a->y_shape[k].n; d++)
            if (a->y_shape[k].v[d] != b->y_shape[k].v[d]) return true;
        if (!check_bits_equal(&a->y[k], &b->y[k])) return true;
    }
    for (int i = 0; i < n_x; i++)
        if (a->dx[i].n == b->dx[i].n && a->dx[i].v && b->dx[i].v && !check_bits_equal(&a->dx[i], &b->dx[i]))
            return true;
    return false;
}

/* 1: this value makes a difference, 0: it does not, -1: it is refused. */
static int matters(checker *c, const trial *tr, const outcome *base, job *j, const ebb_attr *a, const char *value) {
    trial other = *tr;
    check_attr_set(other.attrs, a->name, value);
    job with = *j;
    with.t = &other;
    const vec *g = j->g;
    with.g = NULL;
    outcome o;
    if (!check_run(c, &with, &o)) {
        ebb_error_clear(j->e);
        return -1;
    }
    bool fits = o.n_y == base->n_y;
    for (int k = 0; k < o.n_y && fits; k++) fits = o.y[k].n == base->y[k].n;
    with.g = g;
    if (fits && g && j->wanted && !check_run(c, &with, &o)) {
        ebb_error_clear(j->e);
        return -1;
    }
    return differs(&o, base, tr->n_x);
}

/* dim=-1 and dim=2 of three dims say the same. */
static bool same_place(const ebb_attr *a, const trial *tr, const char *p, const char *q) {
    const int dims = tr->n_x && tr->x[0].present ? tr->x[0].shape.n : 0;
    if (!strcmp(p, q)) return true;
    if (a->type != EBB_A_INT || dims < 1 || !*p || !*q) return false;
    return (strtoll(p, NULL, 10) - strtoll(q, NULL, 10)) % dims == 0;
}

/* NaN and infinities first in every float input: what some attributes are about. */
static void put_specials(const trial *tr, vec x[MAX_X]) {
    static const double special[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < tr->n_x; i++)
        for (int64_t e = 0; e < 3 && e < x[i].n && tr->x[i].dtype == EBB_NONE; e++) x[i].v[e] = special[e];
}

/* Whether the attribute makes a difference in one of the trials; *ran counts the values that were tried. */
static bool attr_matters(checker *c, tally *t, const ebb_attr *a, bool specials, int *ran) {
    for (int k = 0; k < c->n_main && !t->failed; k++) {
        const mark m = check_mark(c);
        const trial *tr = &c->main[k];
        job j = {0};
        vec x[MAX_X], g[MAX_Y];
        outcome base;
        if (!check_start(c, t, tr, &j, x, g, &base)) return false;
        if (!c->differentiable) j.wanted = 0;
        if (specials) {
            put_specials(tr, x);
            if (!check_run(c, &j, &base)) { /* refused: not for this op */
                ebb_error_clear(j.e);
                return false;
            }
        }
        char now[ATTRS_LEN] = "";
        if (!check_attr_get(tr->attrs, a->name, now, sizeof now) && a->def)
            check_say(now, sizeof now, "%s", a->def);
        values v;
        candidates(a, now, &v);
        for (int q = 0; q < c->n_main && v.n < 16; q++) /* what the tries use */
            if (check_attr_get(c->main[q].attrs, a->name, v.text[v.n], 48)) v.n++;
        for (int q = 0; q < v.n; q++) {
            const int d = same_place(a, tr, v.text[q], now) ? -1 : matters(c, tr, &base, &j, a, v.text[q]);
            *ran += d >= 0;
            t->cases += d >= 0;
            if (d == 1) {
                check_reset(c, m);
                return true;
            }
        }
        check_reset(c, m);
    }
    return false;
}

static bool attr_of(checker *c, tally *t, const ebb_attr *a) {
    int ran = 0;
    if (attr_matters(c, t, a, false, &ran) || t->failed || ran == 0) return !t->failed;
    if (check_is_float(c->type) && (attr_matters(c, t, a, true, &ran) || t->failed)) return !t->failed;
    return check_fail(c, t, NULL, "the kernel or the rule does not read it",
                      "attribute %s is ignored: %d other values gave the same output and gradient", a->name, ran);
}

void check_attrs(checker *c, tally *t) {
    if (c->op->n_attrs == 0) {
        check_skip(t, "no attributes");
        return;
    }
    for (size_t k = 0; k < c->op->n_attrs && !t->failed; k++) attr_of(c, t, &c->op->attrs[k]);
}
