/* describe.c - floor 7: what an op's declaration says, as text: attributes, flags, how to call it. */
#define _POSIX_C_SOURCE 200809L
#include "describe.h"
#include <stdarg.h>
#include <stdio.h>

const char *describe_type(int32_t type) {
    static const char *const names[] = {"?", "int", "float", "bool", "ints", "one of", "dtype"};
    return type > 0 && type < (int32_t)(sizeof names / sizeof *names) ? names[type] : names[0];
}

const char *describe_range(const ebb_attr *a, char *buf, size_t n) {
    const bool open = (a->lo == 0 && a->hi == 0) || (isinf(a->lo) && isinf(a->hi)); /* exact zeros: no range given */
    if (open) *buf = 0;
    else if (isinf(a->hi) || a->hi > 1e18) snprintf(buf, n, "at least %g", a->lo);
    else if (isinf(a->lo) || a->lo < -1e18) snprintf(buf, n, "at most %g", a->hi);
    else snprintf(buf, n, "%g .. %g", a->lo, a->hi);
    return buf;
}

static const struct {
    const char *name, *meaning;
} flags[] = {
    {"strided", "its kernel reads views in place"},
    {"linear", "linear in its differentiable inputs together"},
    {"once", "differentiable once: a second derivative is an error that says so"},
    {"random", "draws from the session's counter-based generator"},
    {"inplace", "has an in-place form"},
    {"associative", "long rows may be done in fixed blocks"},
    {"promotes", "inputs of different dtypes are brought to a common one"},
    {"internal", "serves other ops' rules"},
    {"float_out", "integer inputs are taken as f32"},
};
enum { N_FLAGS = sizeof flags / sizeof *flags };

const char *describe_flag(int bit) { return bit < N_FLAGS ? flags[bit].name : NULL; }
const char *describe_flag_meaning(int bit) { return bit < N_FLAGS ? flags[bit].meaning : NULL; }

bool describe_differentiable(const ebb_op *op) {
    for (size_t i = 0; i < op->n_vjp; i++)
        if (op->vjp[i].rule) return true;
    return op->compose && !op->n_vjp; /* made of ops that are recorded */
}

/* Appends to buf[0 .. n), which *at tells how full it is. */
static void put(char *buf, size_t n, size_t *at, const char *format, ...) EBB_PRINTF(4, 5);
static void put(char *buf, size_t n, size_t *at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int len = *at < n ? vsnprintf(buf + *at, n - *at, format, args) : 0;
    va_end(args);
    if (len > 0) *at += (size_t)len;
}

/* An attribute's default as C writes it. */
static void put_value(char *buf, size_t n, size_t *at, const ebb_attr *a) {
    const char *def = a->def ? a->def : "";
    switch ((ebb_attr_type)a->type) {
    case EBB_A_BOOL: put(buf, n, at, "%s", *def == '1' || *def == 't' ? "true" : "false"); break;
    case EBB_A_INTS: put(buf, n, at, "EBB_DIMS(%s)", *def ? def : "..."); break;
    case EBB_A_ENUM:
        if (a->choices && !strcmp(a->choices, "mean|sum|none"))
            put(buf, n, at, "%s",
                !strcmp(def, "sum")    ? "EBB_SUM"
                : !strcmp(def, "none") ? "EBB_EACH"
                                       : "EBB_MEAN");
        else {
            int place = 0;
            const size_t len = strlen(def);
            for (const char *c = a->choices; c && *c && len; c += strcspn(c, "|"), c += *c == '|', place++)
                if (!strncmp(c, def, len) && (c[len] == '|' || !c[len])) break;
            put(buf, n, at, "%d /* %s */", place, def);
        }
        break;
    case EBB_A_DTYPE: {
        put(buf, n, at, "EBB_");
        for (const char *c = *def ? def : "f32"; *c; c++)
            put(buf, n, at, "%c", *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        break;
    }
    case EBB_A_FLOATS: put(buf, n, at, "{%d, {%s}}", *def ? 1 : 0, *def ? def : "0"); break;
    case EBB_A_TEXT: put(buf, n, at, "{\"%s\"}", def); break;
    case EBB_A_INT:
    case EBB_A_FLOAT:
        if (!strcmp(def, "nan")) {
            put(buf, n, at, "EBB_NAN");
            break;
        }
        if (!strcmp(def, "inf") || !strcmp(def, "-inf"))
            put(buf, n, at, "%sHUGE_VAL", *def == '-' ? "-" : "");
        else if (!strcmp(def, "max") || !strcmp(def, "min"))
            put(buf, n, at, def[1] == 'a' ? "INT64_MAX" : "INT64_MIN");
        else put(buf, n, at, "%s", *def ? def : "...");
        break;
    }
}

const char *describe_c_call(const ebb_op *op, char *buf, size_t n) {
    size_t at = 0;
    ebb_sig sig;
    *buf = 0;
    if (ebb_sig_parse(op->sig, &sig, NULL, 0)) return buf;
    put(buf, n, &at, "ebb_%s(", op->name);
    if (!sig.n_x) put(buf, n, &at, "e");
    if (sig.n_x == 1 && sig.arg[0].variadic) put(buf, n, &at, "n, %s", sig.arg[0].name);
    else
        for (int i = 0; i < sig.n_x; i++) put(buf, n, &at, "%s%s", i ? ", " : "", sig.arg[i].name);
    for (size_t i = 0; i < op->n_attrs; i++) {
        put(buf, n, &at, ", .%s = ", op->attrs[i].name);
        put_value(buf, n, &at, &op->attrs[i]);
    }
    put(buf, n, &at, ")");
    return buf;
}

const char *describe_named_call(const ebb_op *op, char *buf, size_t n) {
    size_t at = 0;
    ebb_sig sig;
    *buf = 0;
    if (ebb_sig_parse(op->sig, &sig, NULL, 0)) return buf;
    put(buf, n, &at, "ebb_call_named(e, \"%s\", ", op->name);
    if (sig.n_x == 1 && !sig.arg[0].variadic) put(buf, n, &at, "1, &%s, ", sig.arg[0].name);
    else if (sig.n_x == 1) put(buf, n, &at, "n, %s, ", sig.arg[0].name);
    else if (!sig.n_x) put(buf, n, &at, "0, NULL, ");
    else {
        put(buf, n, &at, "%d, (ebb_tensor *[]){", sig.n_x);
        for (int i = 0; i < sig.n_x; i++) put(buf, n, &at, "%s%s", i ? ", " : "", sig.arg[i].name);
        put(buf, n, &at, "}, ");
    }
    size_t given = 0;
    for (size_t i = 0; i < op->n_attrs; i++) {
        const ebb_attr *a = &op->attrs[i];
        if (a->def && !*a->def) continue; /* an empty list: nothing to write */
        put(buf, n, &at, "%s%s=%s", given++ ? " " : "\"", a->name, a->def ? a->def : "...");
    }
    put(buf, n, &at, given ? "\"" : "NULL");
    put(buf, n, &at, sig.n_y == 1 ? ", 1, &y)" : ", %d, y)", sig.n_y);
    return buf;
}
