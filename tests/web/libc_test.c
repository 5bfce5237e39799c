/* libc_test.c - floor 7: the engine's printf and strtod for pages beside the C library's, on numbers of every kind. */
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define vsnprintf small_vsnprintf
#define snprintf small_snprintf
#define strtod small_strtod
#define strstr small_strstr
int small_vsnprintf(char *restrict to, size_t size, const char *restrict f, va_list args);
int small_snprintf(char *restrict to, size_t size, const char *restrict format, ...);
double small_strtod(const char *restrict text, char **restrict end);
char *small_strstr(const char *text, const char *part);
#include "../../web/libc.c"
#undef vsnprintf
#undef snprintf
#undef strtod
#undef strstr

static uint64_t next(uint64_t *s) {
    *s ^= *s << 13;
    *s ^= *s >> 7;
    return *s ^= *s << 17;
}

/* Any bits, money, small fractions, integers, denormals, ties of every size. */
static double number(uint64_t *s, int kind) {
    uint64_t u = next(s);
    double v;
    switch (kind) {
    case 0: break;
    case 1: return (double)(u % 100000) / 100;
    case 2: return (double)(u % 1000) * 1e-6;
    case 3: return (double)(int)(u % 2000) - 1000;
    case 4: u &= (uint64_t)0xfffffffffffff >> u % 50; break;
    default: return (double)(int64_t)u / (double)((uint64_t)1 << u % 60);
    }
    memcpy(&v, &u, sizeof v);
    return v;
}

static void numbers_as_text(void **state) {
    (void)state;
    uint64_t seed = 88172645463325252u;
    char want[512], got[512];
    for (int i = 0; i < 30000; i++) {
        const double v = number(&seed, i % 6);
        if (v != v) continue;
#define SAME(format)                                                                                         \
    snprintf(want, sizeof want, format, v);                                                                  \
    small_snprintf(got, sizeof got, format, v);                                                              \
    assert_string_equal(got, want);
        SAME("%g")
        SAME("%.0f")
        SAME("%.15g")
        SAME("%.17g") SAME("%.3g") SAME("%.1g") SAME("%e") SAME("%f") SAME("%010.3f") SAME("%-14.5g|")
    }
}

static void text_as_numbers(void **state) {
    (void)state;
    uint64_t seed = 362436069u;
    static const char *const odd[] = {"",
                                      "x",
                                      "1.",
                                      ".",
                                      "-.5",
                                      "1e",
                                      "1e5x",
                                      "inf",
                                      "-inf",
                                      "1e400",
                                      "1e-400",
                                      "-0",
                                      "00012.50e-2",
                                      " 7",
                                      "9007199254740993",
                                      "9007199254740992.5",
                                      "9007199254740993.0000000000000000001",
                                      "2.2250738585072011e-308",
                                      "4.9e-324",
                                      "2.4703282292062327e-324",
                                      "2.4703282292062328e-324",
                                      "1.7976931348623159e308",
                                      "1..2",
                                      "+5",
                                      "3e-"};
    const int n = (int)(sizeof odd / sizeof *odd);
    for (int i = -n; i < 30000; i++) {
        char text[64];
        snprintf(text, sizeof text,
                 i % 3 == 0   ? "%.17g"
                 : i % 3 == 1 ? "%.20e"
                              : "%.3g",
                 number(&seed, (i + n) % 6));
        if (i < 0) strcpy(text, odd[i + n]);
        if (strstr(text, "nan")) continue;
        char *end, *small_end;
        const double want = strtod(text, &end), got = small_strtod(text, &small_end);
        assert_memory_equal(&got, &want, sizeof got);
        assert_ptr_equal(small_end, end);
    }
}

static void everything_else(void **state) {
    (void)state;
    char want[80], got[80];
#define ALIKE(size, ...)                                                                                     \
    assert_int_equal(small_snprintf(got, size, __VA_ARGS__), snprintf(want, size, __VA_ARGS__));             \
    assert_string_equal(got, want);
    ALIKE(80, "%d %u %lld %zu", -5, 7u, INT64_MIN + 0LL, SIZE_MAX)
    ALIKE(80, "%5d|%-5d|%05d|%*d", 42, -42, -42, 6, 3)
    ALIKE(80, "%s %.3s|%-6s|%6s|%.*s", "abc", "abcdef", "x", "y", 2, "xyz")
    ALIKE(80, "%c%%%x %p", 'a', 0xbeefu, (void *)want)
    assert_int_equal(small_snprintf(got, 8, "%s", "more than fits"), 14);
    assert_string_equal(got, "more th");
    assert_ptr_equal(small_strstr(want, ""), want);
    assert_string_equal(small_strstr("abcabd", "abd"), "abd");
    assert_null(small_strstr("abc", "abd"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_as_text), cmocka_unit_test(text_as_numbers),
                                       cmocka_unit_test(everything_else)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
