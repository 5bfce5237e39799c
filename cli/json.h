/* json.h - floor 7: writes JSON (RFC 8259) to a stream, a value at a time, indented. */
#ifndef EBB_JSON_H
#define EBB_JSON_H
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Start from {.to = stdout}. Every function takes the member's name, or NULL inside an array and at the top. */
typedef struct json {
    FILE *to;
    int depth;
    bool filled[16]; /* something stands at this depth already */
} json;

/* How many bytes at s are one well-formed UTF-8 character above 0x7f; 0: none. RFC 3629 */
static inline int json_utf8(const unsigned char *s) {
    const unsigned char c = s[0];
    const int n = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    for (int i = 1; i < n; i++)
        if (s[i] < 0x80 || s[i] > 0xbf) return 0;
    if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f)) return 0; /* overlong; surrogate */
    if ((c == 0xf0 && s[1] < 0x90) || (c == 0xf4 && s[1] > 0x8f)) return 0; /* overlong; above U+10FFFF */
    return n;
}

/* In quotes; NULL is null; a byte that is not UTF-8 becomes U+FFFD. */
static inline void json_string(json *j, const char *text) {
    if (!text) {
        fputs("null", j->to);
        return;
    }
    fputc('"', j->to);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        const int n = *s < 0x80 ? 1 : json_utf8(s);
        if (*s == '"' || *s == '\\') fprintf(j->to, "\\%c", *s);
        else if (*s == '\n') fputs("\\n", j->to);
        else if (*s < 0x20 || *s == 0x7f) fprintf(j->to, "\\u%04x", (unsigned)*s);
        else if (n) fwrite(s, 1, (size_t)n, j->to);
        else fputs("\\ufffd", j->to);
        s += n ? n : 1;
    }
    fputc('"', j->to);
}

static inline void json__next(json *j, const char *key) {
    if (j->depth) fprintf(j->to, "%s\n%*s", j->filled[j->depth] ? "," : "", 2 * j->depth, "");
    j->filled[j->depth] = true;
    if (!key) return;
    json_string(j, key);
    fputs(": ", j->to);
}

static inline void json_begin(json *j, const char *key, char open) {
    json__next(j, key);
    fputc(open, j->to);
    j->filled[++j->depth] = false;
}

static inline void json_end(json *j, char close) {
    const bool filled = j->filled[j->depth--];
    if (filled) fprintf(j->to, "\n%*s", 2 * j->depth, "");
    fputc(close, j->to);
    if (!j->depth) fputc('\n', j->to);
}

static inline void json_text(json *j, const char *key, const char *value) {
    json__next(j, key);
    json_string(j, value);
}

static inline void json_int(json *j, const char *key, int64_t value) {
    json__next(j, key);
    fprintf(j->to, "%" PRId64, value);
}

static inline void json_count(json *j, const char *key, uint64_t value) {
    json__next(j, key);
    fprintf(j->to, "%" PRIu64, value);
}

/* A number that JSON cannot hold (NaN, infinity) is null. */
static inline void json_real(json *j, const char *key, double value) {
    json__next(j, key);
    if (isfinite(value)) fprintf(j->to, "%.9g", value);
    else fputs("null", j->to);
}

static inline void json_bool(json *j, const char *key, bool value) {
    json__next(j, key);
    fputs(value ? "true" : "false", j->to);
}

#endif
