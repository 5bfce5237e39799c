/* diagnose.c - floor 6: what goes wrong in training, found in a record: the list of what can be, and words for where. */
#include "diagnose.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const ebb__finder finders[] = {
    {"nan-origin", "The first NaN", ebb__find_nan},
    {"inf", "A number overflows", ebb__find_inf},
    {"unstable-softmax", "A softmax written by hand overflows or reaches 0", ebb__find_overflow},
    {"not-zeroed", "Gradients are added to old ones", ebb__find_not_zeroed},
    {"no-gradient", "A parameter gets no gradient", ebb__find_unused},
    {"dead-relu", "Most of a relu is switched off", ebb__find_dead},
    {"saturated", "An activation is at its ends", ebb__find_saturated},
    {"vanishing-gradient", "The gradient vanishes on its way back", ebb__find_vanishing},
    {"exploding-gradient", "The gradient is very large", ebb__find_exploding},
    {"exploding-rate", "The steps are too large", ebb__find_rate},
    {"symmetric", "All units of a layer learn the same", ebb__find_symmetric},
    {"constant-output", "The result does not depend on the example", ebb__find_constant},
};
enum { FINDERS = sizeof finders / sizeof *finders };

const char *ebb_finding_code(size_t i, const char **title) {
    if (title) *title = i < FINDERS ? finders[i].title : NULL;
    return i < FINDERS ? finders[i].code : NULL;
}

void ebb__diagnose(ebb_recorder *r) {
    for (size_t i = 0; i < FINDERS && !r->t.failed; i++) finders[i].find(r, &finders[i]);
}

void ebb__found(ebb_recorder *r, const ebb__finder *self, int severity, int32_t node, int32_t tensor,
                const char *cause, const char *advice) {
    const ebb_trace_finding f = {.code = ebb__text(&r->t, self->code),
                                 .title = ebb__text(&r->t, self->title),
                                 .cause = ebb__text(&r->t, cause),
                                 .advice = ebb__text(&r->t, advice),
                                 .severity = severity,
                                 .node = node,
                                 .tensor = tensor};
    const int32_t i = ebb__table_add(&r->t, &r->t.findings, 1);
    if (i >= 0) ((ebb_trace_finding *)r->t.findings.items)[i] = f;
}

/* ---- words for where --------------------------------------------------------------------------------------------------- */

const char *ebb__say_node(const ebb_recorder *r, int32_t node, char *buf, size_t n) {
    const ebb_trace_node *v = ebb__node_at(&r->t, node);
    const char *label = ebb__text_at(&r->t, v->label),
               *region = ebb__text_at(&r->t, ebb__made_at(r, node)->region);
    char line[40] = "";
    if (v->line) snprintf(line, sizeof line, "line %d", v->line);
    const bool first = *label, second = *region, third = *line, any = first || second || third;
    snprintf(buf, n, "%s%s%s%s%s%s%s%s", ebb__text_at(&r->t, v->op), any ? " (" : "", label,
             first && (second || third) ? ", " : "", region, second && third ? ", " : "", line, any ? ")" : "");
    return buf;
}

const char *ebb__say_tensor(const ebb_recorder *r, int32_t tensor, char *buf, size_t n) {
    const ebb_trace_tensor *t = ebb__tensor_at(&r->t, tensor);
    const char *name = ebb__text_at(&r->t, t->name);
    static const char *const kind[] = {"an input", "a parameter", "a constant", ""};
    char node[300];
    if (*name) snprintf(buf, n, "%s", name);
    else if (t->node < 0) snprintf(buf, n, "%s", kind[t->kind]);
    else snprintf(buf, n, "the result of %s", ebb__say_node(r, t->node, node, sizeof node));
    return buf;
}

const char *ebb__say_place(const ebb_trace_tensor *t, int64_t flat, char *buf, size_t n) {
    if (!t->ndim) return "its only element";
    int64_t at[EBB_MAX_DIMS];
    for (int32_t d = t->ndim - 1; d >= 0; d--) {
        at[d] = t->dim[d] ? flat % t->dim[d] : 0;
        if (t->dim[d]) flat /= t->dim[d];
    }
    size_t used = (size_t)snprintf(buf, n, "[");
    for (int32_t d = 0; d < t->ndim && used < n; d++)
        used += (size_t)snprintf(buf + used, n - used, d ? ",%lld" : "%lld", (long long)at[d]);
    if (used < n) snprintf(buf + used, n - used, "]");
    return buf;
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

/* The tensor that has the values; NULL: it was overwritten. */
static const ebb_tensor *kept(const ebb_recorder *r, int32_t tensor) {
    const ebb__seen *s = ebb__seen_at(r, tensor);
    if (s->copied && ebb__tensor_at(&r->t, tensor)->kind == EBB_TT_PARAM) return s->copied;
    return s->overwritten ? NULL : s->value;
}

bool ebb__has_values(const ebb_recorder *r, int32_t tensor) {
    const ebb_trace_stats *s = ebb__stats_or_null(r, ebb__tensor_at(&r->t, tensor)->value);
    return kept(r, tensor) || (s && s->elements >= 0);
}

double ebb__value_at(const ebb_recorder *r, int32_t tensor, int64_t flat) {
    const ebb_tensor *t = kept(r, tensor);
    if (t) return ebb_at(t, flat);
    const ebb_trace_stats *s = ebb__stats_or_null(r, ebb__tensor_at(&r->t, tensor)->value);
    return s && s->elements >= 0 && flat < s->n ? (double)*ebb__float_at(&r->t, s->elements + (int32_t)flat)
                                                : (double)NAN;
}

int64_t ebb__operand_place(const ebb_trace_tensor *y, int64_t flat, const ebb_trace_tensor *x) {
    if (x->ndim > y->ndim) return -1;
    int64_t place = 0, step = 1;
    for (int32_t d = y->ndim - 1, k = x->ndim - 1; d >= 0; d--, k--) {
        const int64_t at = y->dim[d] ? flat % y->dim[d] : 0;
        if (y->dim[d]) flat /= y->dim[d];
        if (k < 0) continue;
        if (x->dim[k] != y->dim[d] && x->dim[k] != 1) return -1;
        if (x->dim[k] != 1) place += at * step;
        step *= x->dim[k];
    }
    return place;
}

bool ebb__op_is(const ebb_recorder *r, int32_t node, const char *names) {
    const char *op = ebb__text_at(&r->t, ebb__node_at(&r->t, node)->op);
    const size_t n = strlen(op);
    for (const char *p = names; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (strcspn(p, "|") == n && !memcmp(p, op, n)) return true;
    return false;
}

const float *ebb__series_of(const ebb_recorder *r, const char *name, int32_t *n) {
    for (size_t i = 0; i < r->t.series.n; i++) {
        const ebb_trace_series *s = (const ebb_trace_series *)r->t.series.items + i;
        if (strcmp(ebb__text_at(&r->t, s->name), name) != 0) continue;
        *n = s->n;
        return ebb__float_at(&r->t, s->at + s->n);
    }
    *n = 0;
    return NULL;
}
