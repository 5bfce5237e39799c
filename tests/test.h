/* test.h - what the C tests share: sessions that must close clean, tensors from numbers, checks of errors. */
#ifndef EBB_TEST_H
#define EBB_TEST_H
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ebb/ebb.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define UNUSED(x) ((void)(x))

/* A test on a session of its own, and one that only needs the session. */
#define SESSION_TEST(f) cmocka_unit_test_setup_teardown(f, session_open, session_close)

static inline int session_open(void **state) {
    *state = ebb_open(NULL);
    return *state ? 0 : -1;
}
static inline int session_close(void **state) {
    ebb_close(*state);
    return 0;
}

static inline bool contains(const char *text, const char *word) {
    const size_t n = strlen(word);
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && text[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)word[i])) i++;
        if (i == n) return true;
    }
    return n == 0;
}

/* text holds every word of a '|'-separated list, in any case. */
#define assert_words(text, list) check_words(text, list, __FILE__, __LINE__)
static inline void check_words(const char *text, const char *list, const char *file, int line) {
    char words[256];
    snprintf(words, sizeof words, "%s", list);
    for (char *w = words, *next; w; w = next) {
        if ((next = strchr(w, '|'))) *next++ = 0;
        if (contains(text, w)) continue;
        print_error("\"%s\" does not say \"%s\"\n", text, w);
        _fail(file, line);
    }
}

/* The session must have failed with that code and words; the error is cleared. */
#define assert_error(e, code, list) check_error(e, code, list, __FILE__, __LINE__)
static inline void check_error(ebb *e, ebb_status code, const char *list, const char *file, int line) {
    if (!ebb_failed(e)) {
        print_error("no error where %s was expected\n", ebb_status_name(code));
        _fail(file, line);
    }
    if (ebb_error_code(e) != code) {
        print_error("%s where %s was expected: %s\n", ebb_status_name(ebb_error_code(e)),
                    ebb_status_name(code), ebb_error(e));
        _fail(file, line);
    }
    check_words(ebb_error(e), list, file, line);
    ebb_error_clear(e);
}

#define assert_no_error(e) check_no_error(e, __FILE__, __LINE__)
static inline void check_no_error(ebb *e, const char *file, int line) {
    if (!ebb_failed(e)) return;
    print_error("unexpected error, %s: %s\n", ebb_status_name(ebb_error_code(e)), ebb_error(e));
    _fail(file, line);
}

#define assert_near(a, b, tolerance) check_near(a, b, tolerance, __FILE__, __LINE__)
static inline void check_near(double a, double b, double tolerance, const char *file, int line) {
    if (fabs(a - b) <= tolerance) return; /* false for NaN */
    print_error("%.17g is not %.17g within %g\n", a, b, tolerance);
    _fail(file, line);
}

/* t has exactly these elements, in row-major order. */
#define assert_values(t, ...)                                                                                \
    check_values(t, (int64_t)COUNT(((double[]){__VA_ARGS__})), (double[]){__VA_ARGS__}, __FILE__, __LINE__)
static inline void check_values(const ebb_tensor *t, int64_t n, const double *v, const char *file, int line) {
    if (!t || ebb_numel(t) != n) {
        print_error("%lld elements where %lld were expected\n", t ? (long long)ebb_numel(t) : -1LL, (long long)n);
        _fail(file, line);
    }
    for (int64_t i = 0; i < n; i++) {
        const double a = ebb_at(t, i);
        if (fabs(a - v[i]) <= 1e-12 * fmax(1, fabs(v[i]))) continue;
        print_error("element %lld is %.17g, not %.17g\n", (long long)i, a, v[i]);
        _fail(file, line);
    }
}

static inline ebb_tensor *scalar(ebb *e, double v) { return ebb_full(e, EBB_F64, EBB_SHAPE0, v); }

/* A 0-d f64 leaf that needs a gradient. */
static inline ebb_tensor *leaf(ebb *e, double v) {
    ebb_tensor *t = scalar(e, v);
    assert_int_equal(ebb_requires_grad(t, true), EBB_OK);
    return t;
}

/* f64 elements 0, 1, 2 ... */
static inline ebb_tensor *range(ebb *e, ebb_ints shape) {
    ebb_tensor *t = ebb_tensor_new(e, EBB_F64, shape, NULL);
    double *v = ebb_data_mut(t);
    assert_non_null(v);
    for (int64_t i = 0; i < ebb_numel(t); i++) v[i] = (double)i;
    return t;
}
static inline ebb_tensor *range_leaf(ebb *e, ebb_ints shape) {
    ebb_tensor *t = range(e, shape);
    assert_int_equal(ebb_requires_grad(t, true), EBB_OK);
    return t;
}

#endif
