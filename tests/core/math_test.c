/* math_test.c - the elementary functions: errors in ulp, C99's special values, the same bits everywhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ebb/math.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { N = 20003, LEVELS = 3 }; /* not a multiple of a vector */

#define NOINLINE __attribute__((noinline))
#if defined __x86_64__
#define V3 __attribute__((target("avx2")))
#define V4 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#else
#define V3
#define V4
#endif

/* One function: called for one value, and as a loop for every level of vector unit. */
typedef struct {
    float (*one)(float);
    void (*loop[LEVELS])(const float *x, float *y);
} fn32;
typedef struct {
    double (*one)(double);
    void (*loop[LEVELS])(const double *x, double *y);
} fn64;

#define DEFINE(T, bits, f)                                                                                   \
    NOINLINE static T f##_one##bits(T x) { return f(x); }                                                    \
    NOINLINE static void f##_v1_##bits(const T *x, T *y) {                                                   \
        for (int i = 0; i < N; i++) y[i] = f(x[i]);                                                          \
    }                                                                                                        \
    V3 NOINLINE static void f##_v3_##bits(const T *x, T *y) {                                                \
        for (int i = 0; i < N; i++) y[i] = f(x[i]);                                                          \
    }                                                                                                        \
    V4 NOINLINE static void f##_v4_##bits(const T *x, T *y) {                                                \
        for (int i = 0; i < N; i++) y[i] = f(x[i]);                                                          \
    }                                                                                                        \
    static const fn##bits f##bits = {f##_one##bits, {f##_v1_##bits, f##_v3_##bits, f##_v4_##bits}};
#define DEFINE_BOTH(f) DEFINE(float, 32, f) DEFINE(double, 64, f)

DEFINE_BOTH(ebb_exp)
DEFINE_BOTH(ebb_expm1)
DEFINE_BOTH(ebb_log)
DEFINE_BOTH(ebb_log1p)
DEFINE_BOTH(ebb_tanh)
DEFINE_BOTH(ebb_sigmoid)
DEFINE_BOTH(ebb_sin)
DEFINE_BOTH(ebb_cos)
DEFINE_BOTH(ebb_erf)
DEFINE_BOTH(ebb_abs)
DEFINE_BOTH(ebb_sqrt)
DEFINE_BOTH(ebb_floor)
DEFINE_BOTH(ebb_exp2)
DEFINE_BOTH(ebb_log2)
DEFINE_BOTH(ebb_log10)
DEFINE_BOTH(ebb_tan)
DEFINE_BOTH(ebb_asin)
DEFINE_BOTH(ebb_acos)
DEFINE_BOTH(ebb_atan)
DEFINE_BOTH(ebb_sinh)
DEFINE_BOTH(ebb_cosh)
DEFINE_BOTH(ebb_asinh)
DEFINE_BOTH(ebb_acosh)
DEFINE_BOTH(ebb_atanh)
DEFINE_BOTH(ebb_erfc)

static long double sigmoid_ref(long double x) { return 1 / (1 + expl(-x)); }

/* Samples: magnitudes lo..hi for each width, half of them uniform, half uniform in the exponent. */
enum { PLUS = 1, MINUS = 2, BOTH = 3 };
typedef struct {
    const char *name;
    const fn32 *f32;
    const fn64 *f64;
    long double (*ref)(long double);
    int signs;
    double lo32, hi32, ulp32, lo64, hi64, ulp64;
} subject;

#define EACH(f) #f, &ebb_##f##32, &ebb_##f##64
static const subject subjects[] = {
    {EACH(exp), expl, BOTH, 1e-9, 104, 1, 1e-17, 746, 1},
    {EACH(exp), expl, PLUS, 0, 1, 1, 0, 1, 1},
    {EACH(exp), expl, MINUS, 86, 104, 1, 707, 746, 1},
    {EACH(expm1), expm1l, BOTH, 1e-44, 89, 2, 5e-324, 710, 2},
    {EACH(expm1), expm1l, BOTH, 1e-4, 2, 2, 1e-8, 2, 2},
    {EACH(log), logl, PLUS, 1e-45, FLT_MAX, 1, 5e-324, DBL_MAX, 1},
    {EACH(log), logl, PLUS, 0.3, 3, 1, 0.3, 3, 1},
    {EACH(log), logl, PLUS, 0.99, 1.01, 1, 0.9999, 1.0001, 1},
    {EACH(log1p), log1pl, PLUS, 1e-45, FLT_MAX, 1, 5e-324, DBL_MAX, 1},
    {EACH(log1p), log1pl, MINUS, 1e-45, 0.99999994, 1, 5e-324, 1 - 0x1p-53, 1},
    {EACH(log1p), log1pl, BOTH, 1e-4, 0.9, 1, 1e-8, 0.9, 1},
    {EACH(tanh), tanhl, BOTH, 1e-45, 10, 1.5, 5e-324, 20, 1.5},
    {EACH(tanh), tanhl, BOTH, 0.1, 2, 1.5, 0.1, 2, 1.5},
    {EACH(sigmoid), sigmoid_ref, BOTH, 1e-9, 104, 2, 1e-17, 746, 2},
    {EACH(sigmoid), sigmoid_ref, BOTH, 0, 4, 2, 0, 4, 2},
    {EACH(sin), sinl, BOTH, 1e-45, 1e8, 1.5, 5e-324, 1.6e6, 1.5},
    {EACH(sin), sinl, BOTH, 0, 7, 1.5, 0, 7, 1.5},
    {EACH(cos), cosl, BOTH, 1e-45, 1e8, 1.5, 5e-324, 1.6e6, 1.5},
    {EACH(cos), cosl, BOTH, 0, 7, 1.5, 0, 7, 1.5},
    {EACH(erf), erfl, BOTH, 1e-45, 5, 1.5, 5e-324, 7, 1.5},
    {EACH(erf), erfl, BOTH, 0.5, 1.5, 1.5, 0.5, 1.5, 1.5},
    {EACH(exp2), exp2l, BOTH, 1e-9, 151, 0.51, 1e-17, 1080, 1},
    {EACH(log2), log2l, PLUS, 1e-45, FLT_MAX, 0.51, 5e-324, DBL_MAX, 0.8},
    {EACH(log2), log2l, PLUS, 0.3, 3, 0.51, 0.3, 3, 0.8},
    {EACH(log10), log10l, PLUS, 1e-45, FLT_MAX, 0.51, 5e-324, DBL_MAX, 0.8},
    {EACH(log10), log10l, PLUS, 0.99, 1.01, 0.51, 0.9999, 1.0001, 0.8},
    {EACH(tan), tanl, BOTH, 1e-45, 1e6, 0.51, 5e-324, 1.6e6, 2.5},
    {EACH(tan), tanl, BOTH, 0, 7, 0.51, 0, 7, 2.5},
    {EACH(asin), asinl, BOTH, 1e-45, 1, 0.51, 5e-324, 1, 2.5},
    {EACH(acos), acosl, BOTH, 1e-45, 1, 0.51, 5e-324, 1, 3},
    {EACH(acos), acosl, PLUS, 0.9, 1, 0.51, 0.9, 1, 3},
    {EACH(atan), atanl, BOTH, 1e-45, FLT_MAX, 0.51, 5e-324, DBL_MAX, 2},
    {EACH(atan), atanl, BOTH, 0.1, 10, 0.51, 0.1, 10, 2},
    {EACH(sinh), sinhl, BOTH, 1e-45, 90, 0.51, 5e-324, 711, 2},
    {EACH(sinh), sinhl, BOTH, 0.5, 3, 0.51, 0.5, 3, 2},
    {EACH(cosh), coshl, BOTH, 1e-45, 90, 0.51, 5e-324, 711, 1.5},
    {EACH(asinh), asinhl, BOTH, 1e-45, FLT_MAX, 0.51, 5e-324, DBL_MAX, 2},
    {EACH(asinh), asinhl, BOTH, 0.01, 10, 0.51, 0.01, 10, 2},
    {EACH(acosh), acoshl, PLUS, 1, FLT_MAX, 0.51, 1, DBL_MAX, 2.5},
    {EACH(acosh), acoshl, PLUS, 1, 2, 0.51, 1, 2, 2.5},
    {EACH(atanh), atanhl, BOTH, 1e-45, 0.99999994, 0.51, 5e-324, 1 - 0x1p-53, 2.5},
    {EACH(erfc), erfcl, BOTH, 1e-9, 10, 0.51, 1e-17, 28, 4},
    {EACH(erfc), erfcl, BOTH, 0.3, 2, 0.51, 0.3, 2, 4},
    {EACH(abs), fabsl, BOTH, 1e-45, FLT_MAX, 0, 5e-324, DBL_MAX, 0},
    {EACH(sqrt), sqrtl, PLUS, 1e-45, FLT_MAX, 0.51, 5e-324, DBL_MAX, 0.51},
    {EACH(floor), floorl, BOTH, 1e-45, 1e9, 0, 5e-324, 1e17, 0},
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static uint64_t state = 1;
static uint64_t random_bits(void) { /* splitmix64 */
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static double random_unit(void) { return (double)(random_bits() >> 11) * 0x1p-53; }

/* Sample i of n: stratified, jittered. */
static double sample(int i, int n, double lo, double hi, int signs) {
    double u = (i / 2 * 2 + 2 * random_unit()) / n, x = lo + (hi - lo) * u;
    if (i & 1 && lo > 0) x = (double)expl(logl(lo) + (logl(hi) - logl(lo)) * (long double)u);
    x = x < lo ? lo : x > hi ? hi : x;
    return signs == MINUS || (signs == BOTH && random_bits() & 1) ? -x : x;
}

/* |got - want| in units of the last place of `want`, for `digits` of precision and least exponent `low`. */
static double ulps(long double got, long double want, int digits, int low, long double max) {
    if (isnan(want)) return isnan(got) ? 0 : INFINITY;
    if (got == want) return 0;
    long double over = max * (1 + powl(2, -digits)); /* overflow counts as the next value after the largest */
    if (isinf(got)) got = copysignl(over, got);
    if (fabsl(want) > over) want = copysignl(over, want);
    int e = want != 0 ? ilogbl(want) - digits + 1 : low;
    return (double)ldexpl(fabsl(got - want), -(e < low ? low : e));
}
static double ulps32(float x, long double want) {
    return ulps((long double)x, want, 24, -149, 0x1.fffffep127L);
}
static double ulps64(double x, long double want) { return ulps((long double)x, want, 53, -1074, DBL_MAX); }

static void error_f32_stays_below_its_bound(void **unused) {
    (void)unused;
    for (int s = 0; s < SUBJECTS; s++) {
        const subject *t = &subjects[s];
        double worst = 0, at = 0;
        for (int i = 0; i < N; i++) {
            float x = (float)sample(i, N, t->lo32, t->hi32, t->signs);
            double e = ulps32(t->f32->one(x), t->ref((long double)x));
            if (e > worst) worst = e, at = (double)x;
        }
        print_message("%8s f32  |x| %8.2g .. %-8.2g %.3f ulp at %.9g\n", t->name, t->lo32, t->hi32, worst, at);
        assert_true(worst <= t->ulp32);
    }
}

static void error_f64_stays_below_its_bound(void **unused) {
    (void)unused;
    for (int s = 0; s < SUBJECTS; s++) {
        const subject *t = &subjects[s];
        double worst = 0, at = 0;
        for (int i = 0; i < N; i++) {
            double x = sample(i, N, t->lo64, t->hi64, t->signs);
            double e = ulps64(t->f64->one(x), t->ref((long double)x));
            if (e > worst) worst = e, at = x;
        }
        print_message("%8s f64  |x| %8.2g .. %-8.2g %.3f ulp at %.17g\n", t->name, t->lo64, t->hi64, worst, at);
        assert_true(worst <= t->ulp64);
    }
}

/* The floats next to a multiple of pi/2 are where a reduction loses its digits. */
static void sin_and_cos_hold_next_to_multiples_of_half_pi(void **unused) {
    (void)unused;
    double worst32 = 0, worst64 = 0;
    for (int i = 1; i < 1000000; i += 1 + i / 500) {
        double x = (double)(1.57079632679489661923132169163975144L * i);
        float y = (float)x;
        worst64 = fmax(worst64, ulps64(ebb_sin(x), sinl((long double)x)));
        worst64 = fmax(worst64, ulps64(ebb_cos(x), cosl((long double)x)));
        worst32 = fmax(worst32, ulps32(ebb_sin(y), sinl((long double)y)));
        worst32 = fmax(worst32, ulps32(ebb_cos(y), cosl((long double)y)));
    }
    print_message("near k pi/2: f32 %.3f ulp, f64 %.3f ulp\n", worst32, worst64);
    assert_true(worst32 <= 1.5 && worst64 <= 1.5);
}

static void sin_and_cos_of_anything_finite_stay_in_range(void **unused) {
    (void)unused;
    for (int i = 0; i < 200000; i++) {
        double x = ebb__from_f64(random_bits()), s = ebb_sin(x), c = ebb_cos(x);
        if (isfinite(x)) assert_true(s >= -1 && s <= 1 && c >= -1 && c <= 1);
        float y = ebb__from_f32((uint32_t)random_bits()), p = ebb_sin(y), q = ebb_cos(y);
        if (isfinite(y)) assert_true(p >= -1 && p <= 1 && q >= -1 && q <= 1);
    }
    assert_true(fabs(ebb_sin(1e12) - sin(1e12)) < 1e-3 && fabsf(ebb_sin(1e12f) - sinf(1e12f)) < 1e-3f);
}

/* ---- pow ----------------------------------------------------------------------------------------------- */

NOINLINE static double pow_one(double x, double y) { return ebb_raise(x, y); }
NOINLINE static float powf_one(float x, float y) { return ebb_raise(x, y); }

static void error_of_pow_stays_below_its_bound(void **unused) {
    (void)unused;
    double worst64 = 0, worst32 = 0;
    for (int i = 0; i < 2 * N; i++) {
        int wide = i % 4 < 2; /* any x, or x near 1; y such that the result spans the whole range */
        double x = wide ? sample(i, 2 * N, 5e-324, DBL_MAX, PLUS) : sample(i, 2 * N, 0.5, 2, PLUS);
        double y = (random_unit() * 2 - 1) * 745 / fabs(log(x));
        if (i % 3 == 0) y = (double)(int)(random_unit() * 9) - 4;
        if (x == 1 || !isfinite(y)) continue;
        worst64 = fmax(worst64, ulps64(pow_one(x, y), powl((long double)x, (long double)y)));

        float xf = wide ? (float)sample(i, 2 * N, 1e-45, FLT_MAX, PLUS) : (float)x;
        float yf = i % 3 == 0 ? (float)y : (float)((random_unit() * 2 - 1) * 104 / fabs(log((double)xf)));
        if (xf == 1 || !isfinite(yf)) continue;
        worst32 = fmax(worst32, ulps32(powf_one(xf, yf), powl((long double)xf, (long double)yf)));
    }
    print_message("pow: f32 %.3f ulp, f64 %.3f ulp\n", worst32, worst64);
    assert_true(worst32 <= 0.51 && worst64 <= 1.5);
}

/* Against libm, which follows C99 F.9.4.4, over every pair of these. */
static void pow_follows_c99_in_every_special_case(void **unused) {
    (void)unused;
    const double inf = (double)INFINITY;
    const double v[] = {0,          0.5,     1,     1.5,          2,           3,          4,
                        5e-324,     1e-300,  1e300, 0x1p51 + 0.5, 0x1p52 + 1,  0x1p53 - 1, 0x1p53,
                        0x1p53 + 2, DBL_MAX, inf,   (double)NAN,  1 - 0x1p-53, 1 + 0x1p-52};
    const int n = sizeof v / sizeof *v;
    for (int i = 0; i < 4 * n * n; i++) {
        double x = i & 1 ? -v[i / 4 % n] : v[i / 4 % n], y = i & 2 ? -v[i / 4 / n] : v[i / 4 / n];
        double got = pow_one(x, y), want = pow(x, y);
        if (!(isnan(want) ? isnan(got) : signbit(got) == signbit(want) && ulps64(got, (long double)want) <= 1.5))
            fail_msg("pow(%g, %g) = %g, not %g", x, y, got, want);
        float gotf = powf_one((float)x, (float)y), wantf = powf((float)x, (float)y);
        if (!(isnan(wantf) ? isnan(gotf)
                           : signbit(gotf) == signbit(wantf) && ulps32(gotf, (long double)wantf) <= 1.5))
            fail_msg("powf(%g, %g) = %g, not %g", x, y, (double)gotf, (double)wantf);
    }
}

/* ---- functions of two ---------------------------------------------------------------------------------- */

static void errors_of_atan2_and_hypot_stay_below_their_bounds(void **unused) {
    (void)unused;
    double worst64 = 0, worst32 = 0;
    for (int i = 0; i < 4 * N; i++) {
        double x = sample(i, 4 * N, 1e-150, 1e150, BOTH), y = x * sample(4 * N - i, 4 * N, 1e-3, 1e3, BOTH);
        float xf = (float)sample(i, 4 * N, 1e-30, 1e30, BOTH),
              yf = xf * (float)sample(4 * N - i, 4 * N, 1e-3, 1e3, BOTH);
        worst64 = fmax(worst64, ulps64(ebb_atan2(y, x), atan2l((long double)y, (long double)x)));
        worst64 = fmax(worst64, ulps64(ebb_hypot(y, x), hypotl((long double)y, (long double)x)));
        worst32 = fmax(worst32, ulps32(ebb_atan2(yf, xf), atan2l((long double)yf, (long double)xf)));
        worst32 = fmax(worst32, ulps32(ebb_hypot(yf, xf), hypotl((long double)yf, (long double)xf)));
    }
    print_message("atan2, hypot: f32 %.3f ulp, f64 %.3f ulp\n", worst32, worst64);
    assert_true(worst32 <= 0.51 && worst64 <= 2);
}

/* Against libm, over every pair of these. */
static void atan2_and_hypot_follow_c99_in_every_special_case(void **unused) {
    (void)unused;
    const double v[] = {0, 1, 5e-324, 1e-310, 1e300, DBL_MAX, (double)INFINITY, (double)NAN, 2};
    const int n = sizeof v / sizeof *v;
    for (int i = 0; i < 4 * n * n; i++) {
        double x = i & 1 ? -v[i / 4 % n] : v[i / 4 % n], y = i & 2 ? -v[i / 4 / n] : v[i / 4 / n];
        double a = ebb_atan2(x, y), b = atan2(x, y), c = ebb_hypot(x, y), d = hypot(x, y);
        assert_true(isnan(b) ? isnan(a) : signbit(a) == signbit(b) && ulps64(a, (long double)b) <= 2);
        assert_true(isnan(d) ? isnan(c) : ulps64(c, (long double)d) <= 2);
    }
}

/* ---- special values ------------------------------------------------------------------------------------ */

static int same(double a, double b) { return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b); }

static void special_values_are_those_of_c99(void **unused) {
    (void)unused;
    const double inf = (double)INFINITY, nan = (double)NAN, tiny = (double)FLT_TRUE_MIN;
    const struct {
        const char *name;
        const fn32 *f32;
        const fn64 *f64;
        double at[8][2]; /* x, f(x) */
    } t[] = {
        {EACH(exp), {{0, 1}, {-0.0, 1}, {inf, inf}, {-inf, 0}, {1e5, inf}, {-1e5, 0}, {tiny, 1}, {nan, nan}}},
        {EACH(expm1),
         {{0, 0}, {-0.0, -0.0}, {inf, inf}, {-inf, -1}, {1e5, inf}, {-1e5, -1}, {-tiny, -tiny}, {nan, nan}}},
        {EACH(log), {{0, -inf}, {-0.0, -inf}, {1, 0}, {inf, inf}, {-1, nan}, {-inf, nan}, {-tiny, nan}, {nan, nan}}},
        {EACH(log1p),
         {{0, 0}, {-0.0, -0.0}, {-1, -inf}, {inf, inf}, {-2, nan}, {-inf, nan}, {-tiny, -tiny}, {nan, nan}}},
        {EACH(tanh), {{0, 0}, {-0.0, -0.0}, {inf, 1}, {-inf, -1}, {1e5, 1}, {-1e5, -1}, {-tiny, -tiny}, {nan, nan}}},
        {EACH(sigmoid), {{0, 0.5}, {-0.0, 0.5}, {inf, 1}, {-inf, 0}, {1e5, 1}, {-1e5, 0}, {tiny, 0.5}, {nan, nan}}},
        {EACH(sin), {{0, 0}, {-0.0, -0.0}, {inf, nan}, {-inf, nan}, {tiny, tiny}, {-tiny, -tiny}, {nan, nan}}},
        {EACH(cos), {{0, 1}, {-0.0, 1}, {inf, nan}, {-inf, nan}, {tiny, 1}, {-tiny, 1}, {nan, nan}, {0, 1}}},
        {EACH(erf), {{0, 0}, {-0.0, -0.0}, {inf, 1}, {-inf, -1}, {30, 1}, {-30, -1}, {nan, nan}}},
        {EACH(exp2), {{0, 1}, {-0.0, 1}, {inf, inf}, {-inf, 0}, {1e5, inf}, {-1e5, 0}, {10, 1024}, {nan, nan}}},
        {EACH(log2), {{0, -inf}, {-0.0, -inf}, {1, 0}, {inf, inf}, {-1, nan}, {8, 3}, {-tiny, nan}, {nan, nan}}},
        {EACH(log10), {{0, -inf}, {-0.0, -inf}, {1, 0}, {inf, inf}, {-1, nan}, {1000, 3}, {-tiny, nan}, {nan, nan}}},
        {EACH(tan), {{0, 0}, {-0.0, -0.0}, {inf, nan}, {-inf, nan}, {tiny, tiny}, {-tiny, -tiny}, {nan, nan}}},
        {EACH(asin),
         {{0, 0}, {-0.0, -0.0}, {2, nan}, {-2, nan}, {inf, nan}, {tiny, tiny}, {-tiny, -tiny}, {nan, nan}}},
        {EACH(acos), {{1, 0}, {2, nan}, {-2, nan}, {inf, nan}, {-inf, nan}, {nan, nan}, {1, 0}, {1, 0}}},
        {EACH(atan), {{0, 0}, {-0.0, -0.0}, {tiny, tiny}, {-tiny, -tiny}, {nan, nan}}},
        {EACH(sinh),
         {{0, 0}, {-0.0, -0.0}, {inf, inf}, {-inf, -inf}, {1e5, inf}, {-1e5, -inf}, {tiny, tiny}, {nan, nan}}},
        {EACH(cosh), {{0, 1}, {-0.0, 1}, {inf, inf}, {-inf, inf}, {1e5, inf}, {-1e5, inf}, {tiny, 1}, {nan, nan}}},
        {EACH(asinh), {{0, 0}, {-0.0, -0.0}, {inf, inf}, {-inf, -inf}, {tiny, tiny}, {-tiny, -tiny}, {nan, nan}}},
        {EACH(acosh), {{1, 0}, {0, nan}, {-3, nan}, {inf, inf}, {-inf, nan}, {nan, nan}, {1, 0}, {1, 0}}},
        {EACH(atanh), {{0, 0}, {-0.0, -0.0}, {1, inf}, {-1, -inf}, {2, nan}, {-2, nan}, {tiny, tiny}, {nan, nan}}},
        {EACH(erfc), {{0, 1}, {-0.0, 1}, {inf, 0}, {-inf, 2}, {30, 0}, {-30, 2}, {tiny, 1}, {nan, nan}}},
        {EACH(abs), {{0, 0}, {-0.0, 0}, {inf, inf}, {-inf, inf}, {tiny, tiny}, {-tiny, tiny}, {nan, nan}}},
        {EACH(sqrt), {{0, 0}, {-0.0, -0.0}, {inf, inf}, {-inf, nan}, {4, 2}, {-1, nan}, {nan, nan}}},
        {EACH(floor),
         {{0, 0}, {-0.0, -0.0}, {inf, inf}, {-inf, -inf}, {-tiny, -1}, {tiny, 0}, {-2.5, -3}, {nan, nan}}},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int j = 0; j < 8; j++) {
            double x = t[i].at[j][0], want = t[i].at[j][1];
            double got32 = (double)t[i].f32->one((float)x), got64 = t[i].f64->one(x);
            if (!same(got32, want)) fail_msg("%s(%g) f32 = %.9g, not %g", t[i].name, x, got32, want);
            if (!same(got64, want)) fail_msg("%s(%g) f64 = %.17g, not %g", t[i].name, x, got64, want);
        }
}

static void an_odd_function_is_odd_to_the_bit(void **unused) {
    (void)unused;
    for (int i = 0; i < N; i++) {
        double x = sample(i, N, 5e-324, 100, PLUS);
        float y = (float)sample(i, N, 1e-45, 100, PLUS);
        assert_true(same(ebb_sin(-x), -ebb_sin(x)) && same((double)ebb_sin(-y), (double)-ebb_sin(y)));
        assert_true(same(ebb_tanh(-x), -ebb_tanh(x)) && same((double)ebb_tanh(-y), (double)-ebb_tanh(y)));
        assert_true(same(ebb_tan(-x), -ebb_tan(x)) && same(ebb_sinh(-x), -ebb_sinh(x)));
        assert_true(same(ebb_atan(-x), -ebb_atan(x)) && same(ebb_asinh(-x), -ebb_asinh(x)));
        assert_true(same(ebb_erf(-x), -ebb_erf(x)) && same((double)ebb_erf(-y), (double)-ebb_erf(y)));
    }
}

/* ---- the same bits for one value and for vectors of every width ---------------------------------------- */

static int machine_has(int level) {
#if defined __x86_64__
    __builtin_cpu_init();
    if (level == 1) return !!__builtin_cpu_supports("avx2");
    if (level == 2)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
    return level == 0;
}

static float x32[N], y32[N];
static double x64[N], y64[N];

static void one_value_and_vectors_give_the_same_bits(void **unused) {
    (void)unused;
    int levels = 0;
    for (int s = 0; s < SUBJECTS; s++) {
        const subject *t = &subjects[s];
        for (int i = 0; i < N; i++) { /* a quarter of them any bits at all */
            x32[i] = i % 4 ? (float)sample(i, N, t->lo32, t->hi32, BOTH) : ebb__from_f32((uint32_t)random_bits());
            x64[i] = i % 4 ? sample(i, N, t->lo64, t->hi64, BOTH) : ebb__from_f64(random_bits());
        }
        for (int level = 0; level < LEVELS; level++) {
            if (!machine_has(level)) continue;
            levels |= 1 << level;
            t->f32->loop[level](x32, y32);
            t->f64->loop[level](x64, y64);
            for (int i = 0; i < N; i++) {
                float a = t->f32->one(x32[i]);
                double b = t->f64->one(x64[i]);
                if (isnan(a) ? !isnan(y32[i]) : memcmp(&a, &y32[i], sizeof a) != 0)
                    fail_msg("%s f32 level %d at %.9g", t->name, level, (double)x32[i]);
                if (isnan(b) ? !isnan(y64[i]) : memcmp(&b, &y64[i], sizeof b) != 0)
                    fail_msg("%s f64 level %d at %.17g", t->name, level, x64[i]);
            }
        }
    }
    print_message("levels compared: SSE2%s%s\n", levels & 2 ? ", AVX2" : "", levels & 4 ? ", AVX-512" : "");
}

#define DEFINE_POW(T, f)                                                                                     \
    NOINLINE static void f##_v1(const T *x, T *y) {                                                          \
        for (int i = 0; i < N; i++) y[i] = ebb_raise(x[i], x[N - 1 - i]);                                    \
    }                                                                                                        \
    V3 NOINLINE static void f##_v3(const T *x, T *y) {                                                       \
        for (int i = 0; i < N; i++) y[i] = ebb_raise(x[i], x[N - 1 - i]);                                    \
    }                                                                                                        \
    V4 NOINLINE static void f##_v4(const T *x, T *y) {                                                       \
        for (int i = 0; i < N; i++) y[i] = ebb_raise(x[i], x[N - 1 - i]);                                    \
    }

DEFINE_POW(double, pow)
DEFINE_POW(float, powf)

static void pow_of_one_value_and_of_vectors_give_the_same_bits(void **unused) {
    (void)unused;
    void (*const loop64[LEVELS])(const double *, double *) = {pow_v1, pow_v3, pow_v4};
    void (*const loop32[LEVELS])(const float *, float *) = {powf_v1, powf_v3, powf_v4};
    for (int i = 0; i < N; i++) {
        x64[i] = i % 8 == 0   ? ebb__from_f64(random_bits())
                 : i % 8 == 1 ? (double)(int)(random_unit() * 9) - 4
                              : sample(i, N, 1e-3, 50, BOTH);
        x32[i] = i % 8 == 0 ? ebb__from_f32((uint32_t)random_bits()) : (float)x64[i];
        if (i % 2) x64[i] = ebb_abs(x64[i]), x32[i] = ebb_abs(x32[i]);
    }
    for (int level = 0; level < LEVELS; level++) {
        if (!machine_has(level)) continue;
        loop64[level](x64, y64);
        loop32[level](x32, y32);
        for (int i = 0; i < N; i++) {
            double a = pow_one(x64[i], x64[N - 1 - i]);
            float b = powf_one(x32[i], x32[N - 1 - i]);
            assert_true(isnan(a) ? isnan(y64[i]) : memcmp(&a, &y64[i], sizeof a) == 0);
            assert_true(isnan(b) ? isnan(y32[i]) : memcmp(&b, &y32[i], sizeof b) == 0);
        }
    }
}

static void the_type_of_the_argument_chooses(void **unused) {
    (void)unused;
    assert_int_equal(sizeof ebb_exp(1.0f), sizeof(float));
    assert_int_equal(sizeof ebb_exp(1.0), sizeof(double));
    assert_int_equal(sizeof ebb_exp(1), sizeof(double));
    assert_int_equal(sizeof ebb_raise(1.0f, 2.0f), sizeof(float));
    assert_int_equal(sizeof ebb_raise(1.0f, 2.0), sizeof(double));
    assert_true(ebb_exp(1) == ebb_exp(1.0) && ebb_raise(2, 10) == 1024);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_f32_stays_below_its_bound),
        cmocka_unit_test(error_f64_stays_below_its_bound),
        cmocka_unit_test(sin_and_cos_hold_next_to_multiples_of_half_pi),
        cmocka_unit_test(sin_and_cos_of_anything_finite_stay_in_range),
        cmocka_unit_test(error_of_pow_stays_below_its_bound),
        cmocka_unit_test(pow_follows_c99_in_every_special_case),
        cmocka_unit_test(errors_of_atan2_and_hypot_stay_below_their_bounds),
        cmocka_unit_test(atan2_and_hypot_follow_c99_in_every_special_case),
        cmocka_unit_test(special_values_are_those_of_c99),
        cmocka_unit_test(an_odd_function_is_odd_to_the_bit),
        cmocka_unit_test(one_value_and_vectors_give_the_same_bits),
        cmocka_unit_test(pow_of_one_value_and_of_vectors_give_the_same_bits),
        cmocka_unit_test(the_type_of_the_argument_chooses),
    };
    return cmocka_run_group_tests_name("core/math", tests, NULL, NULL);
}
