/* value.c - floor 6: values of a run: numbers, tensors, lists; what becomes what where it is needed; the stack they stand on. */
#include "model.h"

ebb__value *ebb__push(ebb_model *m, int32_t n, ebb_span span) {
    if (m->top + n > m->cap_stack) {
        ebb__problem(m, EBB_E_ARG, span, "",
                     "more than %d values at once: defs and calls are nested too deeply", m->cap_stack);
        return NULL;
    }
    ebb__value *v = m->stack + m->top;
    m->top += n;
    memset(v, 0, (size_t)n * sizeof *v);
    return v;
}

ebb__list *ebb__list_new(ebb__arena *a, int32_t n) {
    ebb__list *l = (ebb__list *)ebb__arena_get(a, sizeof *l);
    if (!l || !(l->item = (ebb__value *)ebb__arena_get(a, (size_t)(n ? n : 1) * sizeof *l->item)))
        return NULL;
    l->n = n;
    return l;
}

bool ebb__whole(double v, int64_t *out) {
    if (!(v >= -9.2e18 && v <= 9.2e18) || v != floor(v)) return false;
    *out = (int64_t)v;
    return true;
}

const char *ebb__describe_value(const ebb__value *v, char *buf, size_t n) {
    switch (v->kind) {
    case V_NUMBER: snprintf(buf, n, "the number %g", v->number); break;
    case V_TENSOR: {
        char t[120];
        snprintf(buf, n, "a tensor, %s", ebb_describe(v->tensor, t, sizeof t));
        break;
    }
    case V_LIST: snprintf(buf, n, v->list->results ? "%d results" : "a list of %d", (int)v->list->n); break;
    case V_WORD: snprintf(buf, n, "the word %.60s", v->word); break;
    default: snprintf(buf, n, "nothing"); break;
    }
    return buf;
}

/* ---- lists as tensors ---- */

/* The sizes of a list of lists of numbers, all of one length. */
static bool sizes_of(ebb_model *m, const ebb__list *l, ebb_span span, ebb_ints *shape, int depth) {
    if (depth == EBB_MAX_DIMS)
        return ebb__problem(m, EBB_E_SHAPE, span, "", "lists inside lists: more than %d deep", EBB_MAX_DIMS);
    if (shape->n == depth) shape->v[shape->n++] = l->n;
    if (shape->v[depth] != l->n)
        return ebb__problem(m, EBB_E_SHAPE, span, "", "rows of different lengths, %lld and %d",
                            (long long)shape->v[depth], (int)l->n);
    for (int i = 0; i < l->n; i++) {
        const bool inner = l->item[i].kind == V_LIST, deeper = shape->n > depth + 1;
        if (!inner && l->item[i].kind != V_NUMBER) {
            char what[160];
            return ebb__problem(m, EBB_E_ARG, span, "join tensors with stack(...) or cat(...)",
                                "a list of numbers is needed here, but one element is %s",
                                ebb__describe_value(&l->item[i], what, sizeof what));
        }
        if ((i || deeper) && inner != deeper)
            return ebb__problem(m, EBB_E_SHAPE, span, "", "numbers and lists side by side");
        if (inner && !sizes_of(m, l->item[i].list, span, shape, depth + 1)) return false;
    }
    return true;
}

static void fill(const ebb__list *l, double **to) {
    for (int i = 0; i < l->n; i++)
        if (l->item[i].kind == V_LIST) fill(l->item[i].list, to);
        else *(*to)++ = l->item[i].number;
}

static ebb_tensor *list_tensor(ebb_model *m, ebb__list *l, ebb_span span, ebb_dtype dtype) {
    if (l->tensor && ebb_tensor_dtype(l->tensor) == dtype) return l->tensor;
    ebb_ints shape = {0};
    if (!sizes_of(m, l, span, &shape, 0)) return NULL;
    ebb_tensor *t = ebb_tensor_new(m->e, EBB_F64, shape, NULL);
    double *to = (double *)ebb_data_mut(t);
    if (to) fill(l, &to);
    if (dtype != EBB_F64) t = ebb_to(t, dtype);
    if (!t) return ebb__problem_of_op(m, span), NULL;
    if (l->name) ebb_name(t, l->name);
    if (l->tensor) return t; /* of another dtype than it is kept in */
    l->tensor = l->fixed ? ebb_retain(t) : t;
    return t;
}

void ebb__lists_close(ebb_model *m) {
    for (const ebb__list *l = m->lists; l; l = l->next) ebb_release(l->tensor);
    m->lists = NULL;
}

ebb_tensor *ebb__as_tensor(ebb_model *m, const ebb__value *v, ebb_span span, ebb_dtype dtype) {
    char what[160];
    if (v->kind == V_TENSOR) return v->tensor;
    if (v->kind == V_LIST && v->list->results)
        return v->list->n ? ebb__as_tensor(m, &v->list->item[0], span, dtype) : NULL;
    ebb_tensor *t = NULL;
    if (v->kind == V_LIST) return list_tensor(m, v->list, span, dtype);
    if (v->kind == V_NUMBER) t = ebb_full(m->e, dtype, EBB_SHAPE0, v->number);
    else
        ebb__problem(m, EBB_E_ARG, span, "", "a tensor is needed here, not %s",
                     ebb__describe_value(v, what, sizeof what));
    if (!t) ebb__problem_of_op(m, span);
    return t;
}

bool ebb__as_ints(ebb_model *m, const ebb__value *v, ebb_span span, const char *name, ebb_ints *out) {
    char what[160];
    const ebb__value *item = v->kind == V_LIST ? v->list->item : v;
    const int32_t n = v->kind == V_LIST ? v->list->n : 1;
    *out = (ebb_ints){0};
    if (n > EBB_MAX_DIMS)
        return ebb__problem(m, EBB_E_ARG, span, "", "%s has %d numbers, at most %d are allowed", name, (int)n,
                            EBB_MAX_DIMS);
    for (; out->n < n; out->n++)
        if (item[out->n].kind != V_NUMBER || !ebb__whole(item[out->n].number, &out->v[out->n]))
            return ebb__problem(m, EBB_E_ARG, span, "", "%s is made of whole numbers, not %s", name,
                                ebb__describe_value(&item[out->n], what, sizeof what));
    return true;
}
