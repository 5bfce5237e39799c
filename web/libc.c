/* libc.c - floor 7: what the engine needs of the C library's printf and strtod, without long doubles, files and locales, in a tenth of the size.
 *
 * Exact both ways: a number is held as all of its decimal digits, which are doubled and halved. Conversions: %d %i %u %x %c %s %p %f %e %g %%,
 * with '-', '0', width, precision and l, ll, z, h. tests/web/libc_test.c compares with the C library. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a number as its decimal digits: 0.ddd x 10^point ---- */

enum {
    DIGITS = 800
}; /* a double has at most 767; what lies behind can be seen from whether there is something */

typedef struct decimal {
    int n, point;
    uint8_t d[DIGITS + 20];
} decimal;

static void trim(decimal *x) {
    int zeros = 0;
    while (zeros < x->n && !x->d[zeros]) zeros++;
    memmove(x->d, x->d + zeros, (size_t)(x->n -= zeros));
    x->point -= zeros;
    if (x->n > DIGITS) {
        x->d[DIGITS - 1] |= 1;
        x->n = DIGITS;
    }
    while (x->n && !x->d[x->n - 1]) x->n--;
}

/* x times 2^k */
static void scale(decimal *x, int k) {
    while (k && x->n) {
        const int step = k > 50 ? 50 : k < -50 ? -50 : k;
        k -= step;
        uint64_t rest = 0;
        if (step > 0) {
            for (int i = x->n; i-- > 0; rest /= 10) {
                rest += (uint64_t)x->d[i] << step;
                x->d[i] = (uint8_t)(rest % 10);
            }
            for (; rest; rest /= 10) {
                if (x->n == DIGITS + 20) x->n--;
                memmove(x->d + 1, x->d, (size_t)x->n++);
                x->d[0] = (uint8_t)(rest % 10);
                x->point++;
            }
        } else {
            const uint64_t one = (uint64_t)1 << -step;
            for (int i = 0; i < DIGITS + 20 && (i < x->n || rest); i++) {
                rest = rest * 10 + (i < x->n ? x->d[i] : 0);
                x->d[i] = (uint8_t)(rest >> -step);
                rest &= one - 1;
                if (i >= x->n) x->n = i + 1;
            }
            if (rest) x->d[x->n - 1] |= 1;
        }
        trim(x);
    }
}

/* Its first `keep` digits, rounded to nearest, ties to even. */
static void round_to(decimal *x, int keep) {
    if (keep >= x->n) return;
    bool up = keep >= 0 &&
              (x->d[keep] > 5 || (x->d[keep] == 5 && (x->n > keep + 1 || (keep && (x->d[keep - 1] & 1)))));
    x->n = keep < 0 ? 0 : keep;
    for (int i = x->n; up && i-- > 0;) {
        up = x->d[i] == 9;
        x->d[i] = (uint8_t)(up ? 0 : x->d[i] + 1);
    }
    if (up) {
        x->d[0] = 1;
        x->n = 1;
        x->point++;
    }
    trim(x);
}

/* The digits before the point. */
static uint64_t whole(const decimal *x) {
    uint64_t v = 0;
    for (int i = 0; i < x->point; i++) v = v * 10 + (i < x->n ? x->d[i] : 0);
    return v;
}

static void set_whole(decimal *x, uint64_t v) {
    x->point = x->n = 20;
    for (int i = 20; i-- > 0; v /= 10) x->d[i] = (uint8_t)(v % 10);
    trim(x);
}

/* ---- text to number ---- */

double strtod(const char *restrict text, char **restrict end) {
    decimal x = {0, 0, {0}};
    const char *s = text;
    while (*s == ' ' || (*s >= '\t' && *s <= '\r')) s++;
    const bool minus = *s == '-';
    if (*s == '-' || *s == '+') s++;
    union {
        uint64_t bits;
        double v;
    } r = {0};
    bool any = false;
    if (!strncmp(s, "inf", 3)) {
        r.bits = (uint64_t)2047 << 52;
        s += 3;
        any = true;
    } else if (!strncmp(s, "nan", 3)) {
        r.bits = (uint64_t)4095 << 51;
        s += 3;
        any = true;
    } else {
        for (bool point = false; (*s >= '0' && *s <= '9') || (*s == '.' && !point); s++) {
            if (*s == '.') {
                point = true;
                continue;
            }
            any = true;
            if (!point) x.point++;
            if (x.n == 0 && *s == '0') x.point--;
            else if (x.n < DIGITS) x.d[x.n++] = (uint8_t)(*s - '0');
            else x.d[DIGITS - 1] |= *s != '0';
        }
        if (any && (*s == 'e' || *s == 'E')) {
            const char *p = s + 1;
            const bool down = *p == '-';
            int exponent = 0;
            if (*p == '-' || *p == '+') p++;
            if (*p >= '0' && *p <= '9') {
                for (; *p >= '0' && *p <= '9'; p++)
                    if (exponent < 100000) exponent = exponent * 10 + *p - '0';
                x.point += down ? -exponent : exponent;
                s = p;
            }
        }
        trim(&x);
        if (x.n && x.point > 310) r.bits = (uint64_t)2047 << 52;
        else if (x.n && x.point > -330) {
            int e = 0; /* the number is x times 2^e; x comes to have 53 bits before the point, fewer where e would be too small */
            for (int k; (k = x.point > 17   ? 3 * (17 - x.point)
                             : x.point < 15 ? 3 * (15 - x.point)
                                            : 0);
                 e -= k)
                scale(&x, k);
            for (; whole(&x) >> 53; e++) scale(&x, -1);
            for (; !(whole(&x) >> 52); e--) scale(&x, 1);
            if (e < -1074) {
                scale(&x, e + 1074);
                e = -1074;
            }
            round_to(&x, x.point);
            const uint64_t m = whole(&x);
            if (m >> 53) r.bits = (uint64_t)(e + 1076) << 52;
            else r.bits = m >> 52 ? (m & ~((uint64_t)1 << 52)) | (uint64_t)(e + 1075) << 52 : m;
            if (e + (int)(m >> 53) > 971) r.bits = (uint64_t)2047 << 52;
        }
    }
    r.bits |= (uint64_t)minus << 63;
    if (end) *end = (char *)(uintptr_t)(any ? s : text);
    return any ? r.v : 0;
}

/* ---- number to text ---- */

typedef struct sink {
    char *to;
    size_t size, n;
} sink;

static void put(sink *o, char c) {
    if (o->n + 1 < o->size) o->to[o->n] = c;
    o->n++;
}

/* v as printf's %f, %e and %g give it, without its sign -> s, at most 330 + precision bytes */
static char *real(char *s, double v, char how, int precision) {
    union {
        double v;
        uint64_t bits;
    } u = {v};
    int e = (int)(u.bits >> 52 & 2047);
    uint64_t m = u.bits & (((uint64_t)1 << 52) - 1);
    if (e == 2047) {
        memcpy(s, m ? "nan" : "inf", 3);
        return s + 3;
    }
    if (e) m |= (uint64_t)1 << 52;
    decimal x;
    set_whole(&x, m);
    scale(&x, (e ? e : 1) - 1075);
    if (precision < 0) precision = 6;
    if (how == 'g' && !precision) precision = 1;
    round_to(&x, how == 'f' ? x.point + precision : precision + (how == 'e'));
    if (!x.n) x.point = 1;
    int after = precision, first = x.point; /* digits behind the point, and before it */
    bool exponent = how == 'e';
    if (how == 'g') {
        exponent = x.point < -3 || x.point > precision;
        after = x.n - (exponent ? 1 : x.point);
    }
    if (exponent) first = 1;
    if (first <= 0) *s++ = '0';
    for (int i = first < 0 ? first : 0; i < first + after || i < first; i++) {
        if (i == first) *s++ = '.';
        if (first <= 0 || i >= 0) *s++ = (char)('0' + (i >= 0 && i < x.n ? x.d[i] : 0));
    }
    if (!exponent) return s;
    int ten = x.n ? x.point - 1 : 0;
    *s++ = 'e';
    *s++ = ten < 0 ? '-' : '+';
    if (ten < 0) ten = -ten;
    if (ten > 99) *s++ = (char)('0' + ten / 100);
    *s++ = (char)('0' + ten / 10 % 10);
    *s++ = (char)('0' + ten % 10);
    return s;
}

int vsnprintf(char *restrict to, size_t size, const char *restrict f, va_list args) {
    sink o = {to, size, 0};
    for (; *f; f++) {
        if (*f != '%') {
            put(&o, *f);
            continue;
        }
        bool left = false, zeros = false;
        int width = 0, precision = -1, longs = 0;
        for (f++; *f == '-' || *f == '0'; f++) {
            left = left || *f == '-';
            zeros = zeros || *f == '0';
        }
        for (int *number = &width;; number = &precision) {
            if (*f == '*') {
                *number = va_arg(args, int);
                f++;
            } else {
                for (; *f >= '0' && *f <= '9'; f++) *number = *number * 10 + *f - '0';
            }
            if (*f != '.' || number == &precision) break;
            precision = 0;
            f++;
        }
        for (; *f == 'l' || *f == 'z' || *f == 'h'; f++) longs += *f == 'l' ? 1 : 0;
        char buf[420], *begin = buf, *end = buf;
        bool minus = false;
        switch (*f) {
        case 'c': *end++ = (char)va_arg(args, int); break;
        case 's':
            begin = va_arg(args, char *);
            if (!begin) begin = (char *)(uintptr_t) "(null)";
            for (end = begin; (precision < 0 || end < begin + precision) && *end;) end++;
            break;
        case 'f':
        case 'e':
        case 'g': {
            const double v = va_arg(args, double);
            uint64_t bits;
            memcpy(&bits, &v, sizeof bits);
            minus = bits >> 63;
            end = real(buf, v, *f, precision > 60 ? 60 : precision);
            break;
        }
        case 'd':
        case 'i':
        case 'u':
        case 'x':
        case 'p': {
            const bool wide = longs > 1 || (sizeof(long) == 8 && (longs || f[-1] == 'z' || *f == 'p'));
            uint64_t v = wide ? va_arg(args, uint64_t) : va_arg(args, uint32_t);
            if (*f == 'd' || *f == 'i') {
                const int64_t w = wide ? (int64_t)v : (int32_t)v;
                minus = w < 0;
                v = minus ? -(uint64_t)w : (uint64_t)w;
            }
            const unsigned base = *f == 'x' || *f == 'p' ? 16 : 10;
            begin = end = buf + sizeof buf;
            do *--begin = "0123456789abcdef"[v % base];
            while (v /= base);
            if (*f == 'p') {
                *--begin = 'x';
                *--begin = '0';
            }
            break;
        }
        default: *end++ = *f; /* %% */
        }
        int space = width - (int)(end - begin) - minus;
        if (minus && zeros) put(&o, '-');
        for (; space > 0 && !left; space--) put(&o, zeros ? '0' : ' ');
        if (minus && !zeros) put(&o, '-');
        while (begin < end) put(&o, *begin++);
        for (; space > 0; space--) put(&o, ' ');
    }
    if (size) to[o.n < size ? o.n : size - 1] = 0;
    return (int)o.n;
}

int snprintf(char *restrict to, size_t size, const char *restrict format, ...) {
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(to, size, format, args);
    va_end(args);
    return n;
}

/* The C library's is fast on texts that no message is as long as. */
char *strstr(const char *text, const char *part) {
    const size_t n = strlen(part);
    for (; strncmp(text, part, n); text++)
        if (!*text) return NULL;
    return (char *)(uintptr_t)text;
}
