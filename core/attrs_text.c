/* attrs_text.c - floor 2: attributes as text again: struct to "dim=1 keepdim=1", the other way round than attrs.c. */
#include "registry.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct text {
    char *s;
    size_t n, used;
} text;

static void EBB_PRINTF(2, 3) say(text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->s + t->used, t->n - t->used, format, args);
    va_end(args);
    if (n > 0) t->used = t->used + (size_t)n < t->n ? t->used + (size_t)n : t->n - 1;
}

/* The fewest digits that give v again, with a point whatever the locale is. */
static void say_number(text *t, double v) {
    const size_t from = t->used;
    for (int digits = 1; digits <= 17; digits++) {
        char s[40];
        snprintf(s, sizeof s, "%.*g", digits, v);
        if (strtod(s, NULL) != v && v == v && digits < 17) continue;
        say(t, "%s", s);
        break;
    }
    for (size_t i = from; i < t->used; i++)
        if (t->s[i] == ',') t->s[i] = '.';
}

static void say_choice(text *t, const char *choices, int32_t k) {
    const char *p = choices ? choices : "";
    for (; k > 0 && strchr(p, '|'); k--) p = strchr(p, '|') + 1;
    say(t, "%.*s", (int)strcspn(p, "|"), p);
}

static void say_value(text *t, const ebb_attr *a, const char *field) {
    union {
        int64_t i;
        double f;
        bool b;
        int32_t k;
        ebb_ints ints;
        ebb_floats floats;
        ebb_text s;
    } v;
    memcpy(&v, field, ebb__attr_size(a->type));
    switch (a->type) {
    case EBB_A_INT:
        if (v.i == INT64_MIN || v.i == INT64_MAX) say(t, v.i < 0 ? "min" : "max");
        else say(t, "%lld", (long long)v.i);
        break;
    case EBB_A_FLOAT: say_number(t, v.f); break;
    case EBB_A_BOOL: say(t, "%d", v.b); break;
    case EBB_A_ENUM: say_choice(t, a->choices, v.k); break;
    case EBB_A_DTYPE: say(t, "%s", v.k ? ebb_dtype_name((ebb_dtype)v.k) : "none"); break;
    case EBB_A_INTS:
        for (int32_t i = 0; i < v.ints.n; i++) say(t, i ? ",%lld" : "%lld", (long long)v.ints.v[i]);
        break;
    case EBB_A_FLOATS:
        for (int32_t i = 0; i < v.floats.n; i++) {
            if (i) say(t, ",");
            say_number(t, v.floats.v[i]);
        }
        break;
    default: say(t, "%s", v.s.s);
    }
}

/* Lists hold what was there before behind their end, texts behind their 0. */
static bool same(const ebb_attr *a, const char *x, const char *y) {
    int32_t n, m;
    switch (a->type) {
    case EBB_A_INTS:
    case EBB_A_FLOATS:
        memcpy(&n, x, sizeof n);
        memcpy(&m, y, sizeof m);
        return n == m && n >= 0 && n <= EBB_MAX_DIMS && !memcmp(x + 8, y + 8, 8 * (size_t)n);
    case EBB_A_TEXT: return !strncmp(x, y, EBB_MAX_TEXT);
    default: return !memcmp(x, y, ebb__attr_size(a->type));
    }
}

const char *ebb_attrs_text(const ebb *e, const ebb_op *op, const void *attrs, char *buf, size_t n) {
    if (!buf || !n) return "";
    buf[0] = 0;
    const ebb__entry *x = e && op ? ebb__find(e, op->name, 0) : NULL;
    if (!x || x->op != op || !attrs) return buf;
    text t = {.s = buf, .n = n};
    for (size_t i = 0; i < op->n_attrs; i++) {
        const ebb_attr *a = &op->attrs[i];
        const char *field = (const char *)attrs + a->offset;
        if ((int)i == x->key_at || (a->def && same(a, field, (const char *)x->defaults + a->offset)))
            continue;
        say(&t, t.used ? " %s=" : "%s=", a->name);
        say_value(&t, a, field);
    }
    return buf;
}
