/* math64x.h - floor 0: the less common functions of math.h, in double; single precision goes through them.
 *
 * The same rules as in math64.h. Largest errors found, in units of the last place:
 *     f64   exp2 1.0  log2 0.8  log10 0.7  tan 2.2  asin 2.3  acos 2.7  atan 1.9  atan2 1.9  sinh 1.6
 *           cosh 1.4  asinh 1.6  acosh 2.4  atanh 2.0  erfc 3.5  hypot 1.2
 *     f32   0.6 each
 */
#ifndef EBB_MATH64X_H
#define EBB_MATH64X_H

#include "math64.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

/* The integer nearest to x, of two the even one; towards 0. */
EBB_MATH_F64 double ebb__nearest_f64(double x) {
    double a = ebb_abs_f64(x);
    return ebb__odd_f64(a < 0x1p52 ? (a + 0x1p52) - 0x1p52 : a, x);
}
EBB_MATH_F64 double ebb__truncated_f64(double x) { return ebb__odd_f64(ebb_floor_f64(ebb_abs_f64(x)), x); }

/* ---- powers of 2, logarithms to other bases ------------------------------------------------------------- */

/* 2^x = 2^k e^(r ln2), x = k + r. Exact where x is whole. */
EBB_MATH_F64 double ebb_exp2_f64(double x) {
    x = x > 1025.0 ? 1025.0 : x;
    x = x < -1080.0 ? -1080.0 : x;
    double shifted = x + (EBB__ROUND_F64 + 2046), k = shifted - (EBB__ROUND_F64 + 2046);
    double f = x - k, r = f * 0x1.62e42fefa39efp-1;
    double y = 1 + (r + (r * r * ebb__exp_poly_f64(r) + f * 0x1.abc9e3b39803fp-56));
    uint64_t e = ebb__bits_f64(shifted), half = e >> 1;
    return y * ebb__from_f64(half << 52) * ebb__from_f64((e - half) << 52);
}

/* log x = k ln2 + (*hi + *lo), *hi of 21 bits. */
EBB_MATH_F64 double ebb__log_cut_f64(double x, double *hi, double *lo) {
    double k, f = ebb__mantissa_f64(x, &k) - 1, s = f / (2 + f), z = s * s, h = 0.5 * f * f;
    *hi = ebb__from_f64(ebb__bits_f64(f - h) & 0xffffffff00000000u);
    *lo = ((f - *hi) - h) + s * (h + z * ebb__log_poly_f64(z));
    return k;
}

/* C99's values of a logarithm where y is not to be used. */
EBB_MATH_F64 double ebb__log_cases_f64(double x, double y) {
    y = x < (double)INFINITY ? y : x;
    y = x > 0 ? y : (double)NAN;
    return x == 0 ? -(double)INFINITY : y;
}

EBB_MATH_F64 double ebb_log2_f64(double x) {
    double hi, lo, k = ebb__log_cut_f64(x, &hi, &lo);
    double a = hi * 0x1.7154765200000p+0, b = (lo + hi) * 0x1.705fc2eefa200p-33 + lo * 0x1.7154765200000p+0;
    double y = k + a;
    return ebb__log_cases_f64(x, y + (b + ((k - y) + a)));
}

EBB_MATH_F64 double ebb_log10_f64(double x) {
    double hi, lo, k = ebb__log_cut_f64(x, &hi, &lo);
    double a = hi * 0x1.bcb7b15200000p-2, m = k * 0x1.34413509f6000p-2;
    double b = k * 0x1.9fef311f12b36p-42 + (lo + hi) * 0x1.b9438ca9aadd5p-36 + lo * 0x1.bcb7b15200000p-2;
    double y = m + a;
    return ebb__log_cases_f64(x, y + (b + ((m - y) + a)));
}

/* ---- tangent and the inverse functions ------------------------------------------------------------------ */

EBB_MATH_F64 double ebb_tan_f64(double x) {
    double s, c;
    uint64_t quadrant = ebb__sin_cos_f64(ebb_abs_f64(x), &s, &c);
    int odd = (int)(quadrant & 1);
    return ebb__odd_f64((odd ? -c : s) / (odd ? s : c), x);
}

/* atan(n/d) for n, d >= 0: n/d below tan(pi/8), or pi/4 + atan((n - d)/(n + d)), or pi/2 - atan(d/n) (the cuts are
 * those of Moshier's Cephes); the polynomial is (atan t - t) / t^3, t^2 times its error: 2^-57. */
EBB_MATH_F64 double ebb__atan_f64(double n, double d) {
    int steep = n > 2.414213562373095 * d, middle = n > 0.41421356237309503 * d;
    double num = steep ? -d : middle ? n - d : n, den = steep ? n : middle ? n + d : d;
    double t = num / den, z = t * t;
    double p = -0.01917688711906226;
    p = p * z + 0.03923165829558719;
    p = p * z - 0.0508544973794026;
    p = p * z + 0.0585814891280221;
    p = p * z - 0.06664511447381948;
    p = p * z + 0.07692183190826087;
    p = p * z - 0.09090904578123903;
    p = p * z + 0.11111111015256361;
    p = p * z - 0.14285714284666542;
    p = p * z + 0.1999999999999552;
    p = p * z - 0.3333333333333333;
    double hi = steep ? 0x1.921fb54442d18p+0 : middle ? 0x1.921fb54442d18p-1 : 0;
    double lo = steep ? 0x1.1a62633145c07p-54 : middle ? 0x1.1a62633145c07p-55 : 0;
    return hi + (t + (t * z * p + lo));
}

EBB_MATH_F64 double ebb_atan_f64(double x) { return ebb__odd_f64(ebb__atan_f64(ebb_abs_f64(x), 1), x); }

EBB_MATH_F64 double ebb_asin_f64(double x) {
    double a = ebb_abs_f64(x);
    return ebb__odd_f64(ebb__atan_f64(a, ebb_sqrt_f64((1 - a) * (1 + a))), x);
}

EBB_MATH_F64 double ebb_acos_f64(double x) {
    return 2 * ebb__atan_f64(ebb_sqrt_f64(1 - x), ebb_sqrt_f64(1 + x));
}

/* The angle of the point (x, y). */
EBB_MATH_F64 double ebb_atan2_f64(double y, double x) {
    double n = ebb_abs_f64(y), d = ebb_abs_f64(x), inf = (double)INFINITY;
    int same = (n == inf) & (d == inf), origin = (n == 0) & (d == 0);
    double scale = ((n > 0x1p1000) | (d > 0x1p1000)) ? 0x1p-10 : 1.0; /* so that n + d is finite */
    double r = ebb__atan_f64(same ? 1 : n * scale, same | origin ? 1 : d * scale);
    r = ebb__bits_f64(x) & EBB__SIGN_F64 ? 0x1.921fb54442d18p+1 - (r - 0x1.1a62633145c07p-53) : r;
    r = ((x != x) | (y != y)) ? (double)NAN : r;
    return ebb__odd_f64(r, y);
}

/* ---- hyperbolic functions ------------------------------------------------------------------------------- */

/* e^a / 2 for a >= 0, without overflow before its half overflows. */
EBB_MATH_F64 double ebb__half_exp_f64(double a) {
    return ebb__exp_sum_f64(a - EBB__LN2HI_F64, -EBB__LN2LO_F64);
}

/* |x| < 1: x + x^3 p(x^2), error 2^-56. */
EBB_MATH_F64 double ebb_sinh_f64(double x) {
    double a = ebb_abs_f64(x), z = a * a, e = ebb__half_exp_f64(a);
    double p = 7.746178593018827e-13;
    p = p * z + 1.6057679623801638e-10;
    p = p * z + 2.5052117695907823e-08;
    p = p * z + 2.7557319191381816e-06;
    p = p * z + 0.00019841269841324198;
    p = p * z + 0.008333333333333299;
    p = p * z + 0.16666666666666666;
    return ebb__odd_f64(a < 1 ? a + a * z * p : e - 0.25 / e, x);
}

EBB_MATH_F64 double ebb_cosh_f64(double x) {
    double e = ebb__half_exp_f64(ebb_abs_f64(x));
    return e + 0.25 / e;
}

/* Beyond 2^28 they are log(2x). */
EBB_MATH_F64 double ebb_asinh_f64(double x) {
    double a = ebb_abs_f64(x), b = a > 0x1p28 ? 0x1p28 : a, z = b * b;
    double near_zero = ebb_log1p_f64(b + z / (1 + ebb_sqrt_f64(1 + z)));
    return ebb__odd_f64(a > 0x1p28 ? ebb_log_f64(a) + 0x1.62e42fefa39efp-1 : near_zero, x);
}

EBB_MATH_F64 double ebb_acosh_f64(double x) {
    double t = (x > 0x1p28 ? 0x1p28 : x) - 1;
    double y = x > 0x1p28 ? ebb_log_f64(x) + 0x1.62e42fefa39efp-1 : ebb_log1p_f64(t + ebb_sqrt_f64(t * (2 + t)));
    return x < 1 ? (double)NAN : y;
}

EBB_MATH_F64 double ebb_atanh_f64(double x) {
    double a = ebb_abs_f64(x);
    return ebb__odd_f64(0.5 * ebb_log1p_f64(2 * a / (1 - a)), x);
}

/* ---- what is left of erf, the length of a vector --------------------------------------------------------- */

/* Beyond 1/2: e^(-x^2) / (1 + 2x) times a polynomial in (x - 2.5)/(x + 2.5), error 2^-55; the square is exact. */
EBB_MATH_F64 double ebb_erfc_f64(double x) {
    double a = ebb_abs_f64(x), b = a > 28.0 ? 28.0 : a, t = (b - 2.5) / (b + 2.5), q, e;
    double p = 2.502645399344864e-08;
    p = p * t - 2.3648455213950567e-08;
    p = p * t - 1.4275597417061072e-07;
    p = p * t + 2.3227385303565306e-08;
    p = p * t + 5.509007700270019e-07;
    p = p * t + 5.272863545778182e-07;
    p = p * t - 1.5944188722572248e-06;
    p = p * t - 4.2153174918099525e-06;
    p = p * t + 2.6116445359848253e-06;
    p = p * t + 2.2698228509171026e-05;
    p = p * t + 6.2655751104255175e-06;
    p = p * t - 0.00011352198907037378;
    p = p * t - 8.847920409218361e-05;
    p = p * t + 0.0006321242837447939;
    p = p * t + 0.0004918658131490934;
    p = p * t - 0.004382078335182684;
    p = p * t + 0.0009318928171359253;
    p = p * t + 0.0327608932684084;
    p = p * t - 0.10296705603856185;
    p = p * t + 0.15762991902322418;
    p = p * t - 0.09902453957360195;
    p = p * t - 0.12235676308240434;
    p = p * t + 1.2648381843668615;
    ebb__two_prod_f64(b, b, &q, &e);
    double far = ebb__exp_sum_f64(-q, -e) * (p / (1 + 2 * b));
    double y = a < 0.5 ? 1 - ebb_erf_f64(a) : far;
    double left = a < 0.5 ? 1 + ebb_erf_f64(a) : 2 - far;
    y = x < 0 ? left : y;
    return x != x ? x : y;
}

/* sqrt(x^2 + y^2); the scale keeps the squares in range. */
EBB_MATH_F64 double ebb_hypot_f64(double x, double y) {
    double a = ebb_abs_f64(x), b = ebb_abs_f64(y), most = a > b ? a : b, inf = (double)INFINITY;
    int endless = (a == inf) | (b == inf);
    double up = most > 0x1p500 ? 0x1p-600 : most < 0x1p-500 ? 0x1p600 : 1.0;
    double down = most > 0x1p500 ? 0x1p600 : most < 0x1p-500 ? 0x1p-600 : 1.0;
    a *= up, b *= up;
    return endless ? inf : ebb_sqrt_f64(a * a + b * b) * down;
}

/* ---- single precision ------------------------------------------------------------------------------------ */

#define EBB__SINGLE(f)                                                                                       \
    static EBB_INLINE float ebb_##f##_f32(float x) { return (float)ebb_##f##_f64((double)x); }
EBB__SINGLE(exp2)
EBB__SINGLE(log2)
EBB__SINGLE(log10)
EBB__SINGLE(tan)
EBB__SINGLE(asin)
EBB__SINGLE(acos)
EBB__SINGLE(atan)
EBB__SINGLE(sinh)
EBB__SINGLE(cosh)
EBB__SINGLE(asinh)
EBB__SINGLE(acosh)
EBB__SINGLE(atanh)
EBB__SINGLE(erfc)
static EBB_INLINE float ebb_atan2_f32(float y, float x) { return (float)ebb_atan2_f64((double)y, (double)x); }
static EBB_INLINE float ebb_hypot_f32(float x, float y) {
    double a = (double)x, b = (double)y, inf = (double)INFINITY;
    int endless = (a == inf) | (a == -inf) | (b == inf) | (b == -inf);
    return endless ? (float)inf : (float)ebb_sqrt_f64(a * a + b * b);
}

#ifdef __clang__
#pragma STDC FP_CONTRACT DEFAULT
#endif

#endif /* EBB_MATH64X_H */
