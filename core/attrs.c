/* attrs.c - floor 2: attributes: text to struct, defaults, ranges; and the nearest name to a mistyped one. */
#include "signature.h"
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

size_t ebb__attr_size(int type) {
    switch (type) {
    case EBB_A_INT: return sizeof(int64_t);
    case EBB_A_FLOAT: return sizeof(double);
    case EBB_A_BOOL: return sizeof(bool);
    case EBB_A_INTS: return sizeof(ebb_ints);
    case EBB_A_ENUM:
    case EBB_A_DTYPE: return sizeof(int32_t);
    case EBB_A_FLOATS: return sizeof(ebb_floats);
    case EBB_A_TEXT: return sizeof(ebb_text);
    default: return 0;
    }
}

/* Edit distance of two short words (insertions, deletions, substitutions, swapped neighbours count one). */
static unsigned distance(const char *a, const char *b) {
    enum { N = 40 };
    const size_t la = strlen(a), lb = strlen(b);
    if (la >= N || lb >= N) return N;
    unsigned d[N][N];
    for (unsigned i = 0; i <= la; i++) d[i][0] = i;
    for (unsigned j = 0; j <= lb; j++) d[0][j] = j;
    for (size_t i = 1; i <= la; i++)
        for (size_t j = 1; j <= lb; j++) {
            unsigned m = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < m) m = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < m) m = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < m)
                m = d[i - 2][j - 2] + 1;
            d[i][j] = m;
        }
    return d[la][lb];
}

const char *ebb__nearest(const char *word, const char *(*at)(const void *, size_t), const void *list, size_t n) {
    const char *best = NULL;
    unsigned least = (unsigned)strlen(word) / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        const char *name = at(list, i);
        const unsigned d = distance(word, name);
        if (d < least && d < strlen(name)) {
            least = d;
            best = name;
        }
    }
    return best;
}

static bool number(const char *text, double *v) {
    char copy[64], *end;
    if (!*text || isspace((unsigned char)*text) || strlen(text) >= sizeof copy) return false;
    strcpy(copy, text);
    char *point = strchr(copy, '.'); /* strtod wants the locale's */
    const char *local = localeconv()->decimal_point;
    if (point && local[0] && !local[1]) *point = local[0];
    *v = strtod(copy, &end);
    return !*end;
}

static bool integer(const char *text, int64_t *v) {
    char *end;
    if (!strcmp(text, "min")) return *v = INT64_MIN, true;
    if (!strcmp(text, "max")) return *v = INT64_MAX, true;
    if (!*text || isspace((unsigned char)*text)) return false;
    errno = 0;
    const long long r = strtoll(text, &end, 10);
    *v = r;
    return !*end && !errno;
}

static bool integers(char *text, ebb_ints *v) {
    *v = (ebb_ints){0};
    const size_t n = strlen(text);
    if (n >= 2 && ((text[0] == '(' && text[n - 1] == ')') || (text[0] == '[' && text[n - 1] == ']'))) {
        text[n - 1] = 0;
        text++;
    }
    while (*text) {
        char *comma = strchr(text, ',');
        if (comma) *comma = 0;
        if (v->n == EBB_MAX_DIMS || !integer(text, &v->v[v->n++])) return false;
        if (!comma) break;
        text = comma + 1;
    }
    return true;
}

static bool numbers(char *text, ebb_floats *v) {
    *v = (ebb_floats){0};
    while (*text) {
        char *comma = strchr(text, ',');
        if (comma) *comma = 0;
        if (v->n == EBB_MAX_DIMS || !number(text, &v->v[v->n++])) return false;
        if (!comma) break;
        text = comma + 1;
    }
    return true;
}

/* Place of a word in "mean|sum|none", -1. */
static int32_t choice(const char *word, const char *choices) {
    const size_t n = strlen(word);
    int32_t i = 0;
    for (const char *p = choices; p; i++) {
        const char *bar = strchr(p, '|');
        const size_t len = bar ? (size_t)(bar - p) : strlen(p);
        if (len == n && !memcmp(p, word, n)) return i;
        p = bar ? bar + 1 : NULL;
    }
    return -1;
}

static const char *const type_name[] = {"",
                                        "an integer",
                                        "a number",
                                        "0 or 1 (false, true)",
                                        "integers, comma separated",
                                        "one of",
                                        "a dtype",
                                        "numbers, comma separated",
                                        "a text of at most 63 characters"};

static ebb_status set(ebb *e, const char *what, const ebb_attr *a, char *text, void *attrs) {
    char *field = (char *)attrs + a->offset;
    bool ok = false;
    if (a->type == EBB_A_INT) {
        int64_t v = 0;
        if ((ok = integer(text, &v))) memcpy(field, &v, sizeof v);
    } else if (a->type == EBB_A_FLOAT) {
        double v = 0;
        if ((ok = number(text, &v))) memcpy(field, &v, sizeof v);
    } else if (a->type == EBB_A_BOOL) {
        const bool on = !strcmp(text, "1") || !strcmp(text, "true") || !strcmp(text, "True");
        ok = on || !strcmp(text, "0") || !strcmp(text, "false") || !strcmp(text, "False");
        if (ok) memcpy(field, &on, sizeof on);
    } else if (a->type == EBB_A_INTS) {
        ebb_ints v;
        if ((ok = integers(text, &v))) memcpy(field, &v, sizeof v);
    } else if (a->type == EBB_A_ENUM) {
        const int32_t v = choice(text, a->choices ? a->choices : "");
        if ((ok = v >= 0)) memcpy(field, &v, sizeof v);
    } else if (a->type == EBB_A_DTYPE) {
        const int32_t none = EBB_NONE;
        if ((ok = a->def && !strcmp(a->def, "none") && !strcmp(text, "none")))
            memcpy(field, &none, sizeof none);
        for (int32_t d = 1; d < EBB_DTYPES && !ok; d++)
            if ((ok = !strcmp(text, ebb_dtype_name((ebb_dtype)d)))) memcpy(field, &d, sizeof d);
    }
    if (a->type == EBB_A_FLOATS) {
        ebb_floats v;
        if ((ok = numbers(text, &v))) memcpy(field, &v, sizeof v);
    } else if (a->type == EBB_A_TEXT) {
        ebb_text v = {{0}};
        const size_t n = strlen(text);
        if ((ok = n < sizeof v.s)) {
            memcpy(v.s, text, n);
            memcpy(field, &v, sizeof v);
        }
    }
    if (ok) return EBB_OK;
    return ebb_fail(e, EBB_E_ATTR, "%s: attribute %s is %s%s%s, not \"%s\"", what, a->name,
                    type_name[a->type >= 1 && a->type <= EBB_A_TEXT ? a->type : 0],
                    a->type == EBB_A_ENUM ? " " : "", a->type == EBB_A_ENUM && a->choices ? a->choices : "", text);
}

ebb_status ebb__attrs_check(ebb *e, const char *what, const ebb_attr *table, size_t n, const void *attrs) {
    for (size_t i = 0; i < n; i++) {
        const ebb_attr *a = &table[i];
        const char *field = (const char *)attrs + a->offset;
        double v;
        if (a->type == EBB_A_FLOAT) {
            memcpy(&v, field, sizeof v);
        } else if (a->type == EBB_A_INT) {
            int64_t k;
            memcpy(&k, field, sizeof k);
            v = (double)k;
        } else if (a->type == EBB_A_ENUM) {
            int32_t k, count = 1;
            memcpy(&k, field, sizeof k);
            for (const char *p = a->choices ? a->choices : ""; *p; p++) count += *p == '|';
            if (k < 0 || k >= count)
                return ebb_fail(e, EBB_E_ATTR, "%s: attribute %s is one of %s, not choice number %d", what,
                                a->name, a->choices ? a->choices : "", k);
            continue;
        } else if (a->type == EBB_A_TEXT) {
            if (memchr(field, 0, sizeof(ebb_text))) continue;
            return ebb_fail(e, EBB_E_ATTR, "%s: attribute %s is a text without an end", what, a->name);
        } else if (a->type == EBB_A_INTS || a->type == EBB_A_FLOATS) {
            int32_t k;
            memcpy(&k, field, sizeof k);
            if (k < 0 || k > EBB_MAX_DIMS)
                return ebb_fail(e, EBB_E_ATTR, "%s: attribute %s has %d numbers, at most %d are allowed",
                                what, a->name, k, EBB_MAX_DIMS);
            continue;
        } else {
            continue;
        }
        if (!(a->lo == 0 && a->hi == 0) && !(v >= a->lo && v <= a->hi))
            return ebb_fail(e, EBB_E_ATTR, "%s: attribute %s is %g, outside %g..%g", what, a->name, v, a->lo,
                            a->hi);
    }
    return EBB_OK;
}

ebb_status ebb__attrs_defaults(ebb *e, const char *what, const ebb_attr *table, size_t n, void *out) {
    for (size_t i = 0; i < n; i++) {
        char text[256];
        if (!table[i].def) continue;
        snprintf(text, sizeof text, "%s", table[i].def);
        if (!*text && (table[i].type == EBB_A_INTS || table[i].type == EBB_A_FLOATS)) continue;
        const ebb_status s = set(e, what, &table[i], text, out);
        if (s != EBB_OK) return s;
    }
    return EBB_OK;
}

static const char *attr_name(const void *table, size_t i) { return ((const ebb_attr *)table)[i].name; }

ebb_status ebb__attrs_parse(ebb *e, const char *what, const ebb_attr *table, size_t n, const char *text,
                            void *inout) {
    uint64_t given = 0;
    for (const char *p = text ? text : ""; *p;) {
        while (isspace((unsigned char)*p)) p++;
        if (!*p) break;
        char word[256];
        size_t len = 0;
        while (p[len] && !isspace((unsigned char)p[len])) len++;
        if (len >= sizeof word)
            return ebb_fail(e, EBB_E_ATTR, "%s: an attribute of %zu characters is too long", what, len);
        memcpy(word, p, len);
        word[len] = 0;
        p += len;
        char *eq = strchr(word, '=');
        if (!eq) return ebb_fail(e, EBB_E_ATTR, "%s: \"%s\" is no attribute: write name=value", what, word);
        *eq = 0;
        size_t i = 0;
        while (i < n && strcmp(table[i].name, word)) i++;
        if (i == n) {
            const char *near = ebb__nearest(word, attr_name, table, n);
            char all[300] = "";
            for (size_t k = 0; k < n; k++) {
                const size_t at = strlen(all);
                snprintf(all + at, sizeof all - at, "%s%s", k ? " " : "", table[k].name);
            }
            if (near)
                return ebb_fail(e, EBB_E_ATTR, "%s has no attribute %s; did you mean %s?", what, word, near);
            return ebb_fail(e, EBB_E_ATTR, "%s has no attribute %s%s%s", what, word, n ? "; it has: " : "", all);
        }
        const ebb_status s = set(e, what, &table[i], eq + 1, inout);
        if (s != EBB_OK) return s;
        if (i < 64) given |= (uint64_t)1 << i;
    }
    for (size_t i = 0; i < n && i < 64; i++)
        if (!table[i].def && !(given >> i & 1))
            return ebb_fail(e, EBB_E_ATTR, "%s: attribute %s must be given (%s)", what, table[i].name,
                            table[i].doc);
    return ebb__attrs_check(e, what, table, n, inout);
}
