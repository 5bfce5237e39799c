/* math.h - floor 0: elementary functions, inline and vectorisable, the same bits everywhere.
 *
 *     ebb_exp  ebb_expm1  ebb_log  ebb_log1p  ebb_tanh  ebb_sigmoid  ebb_sin  ebb_cos  ebb_erf
 *     ebb_exp2  ebb_log2  ebb_log10  ebb_tan  ebb_asin  ebb_acos  ebb_atan  ebb_sinh  ebb_cosh  ebb_asinh
 *     ebb_acosh  ebb_atanh  ebb_erfc  ebb_atan2  ebb_hypot  ebb_abs  ebb_sqrt  ebb_floor  ebb_raise
 *
 * Each is f(x) by the type of x: ebb_f_f32 for a float, ebb_f_f64 for everything else.  ebb_raise(x, y) is
 * x^y: ebb_pow_f32 or ebb_pow_f64.  NaN, infinities, signed zeros and denormals behave as in C99.  math64.h
 * and math64x.h tell how they are built, how exact they are and why the bits agree.
 */
#ifndef EBB_MATH_H
#define EBB_MATH_H

#include "math64.h"
#include "math64x.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

static EBB_INLINE uint32_t ebb__bits_f32(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static EBB_INLINE float ebb__from_f32(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

#define EBB__SIGN_F32 0x80000000u
#define EBB__LN2HI_F32 0.693359375f /* 355/512 */
#define EBB__LN2LO_F32 (-0.00021219444f)
#define EBB__LOG2E_F32 1.44269504f
#define EBB__ROUND_F32 0x1.8p23f

static EBB_INLINE float ebb_abs_f32(float x) { return ebb__from_f32(ebb__bits_f32(x) & ~EBB__SIGN_F32); }
static EBB_INLINE float ebb_sqrt_f32(float x) { return __builtin_sqrtf(x); }

static EBB_INLINE float ebb__odd_f32(float y, float x) {
    return ebb__from_f32(ebb__bits_f32(y) ^ (ebb__bits_f32(x) & EBB__SIGN_F32));
}

static EBB_INLINE float ebb_floor_f32(float x) {
    float a = ebb_abs_f32(x);
    float n = a < 0x1p23f ? (a + 0x1p23f) - 0x1p23f : a;
    n = ebb__odd_f32(n, x);
    return n > x ? n - 1 : n;
}

/* The integer nearest to x, of two the even one; towards 0. */
static EBB_INLINE float ebb__nearest_f32(float x) {
    float a = ebb_abs_f32(x);
    return ebb__odd_f32(a < 0x1p23f ? (a + 0x1p23f) - 0x1p23f : a, x);
}
static EBB_INLINE float ebb__truncated_f32(float x) { return ebb__odd_f32(ebb_floor_f32(ebb_abs_f32(x)), x); }

/* ---- exp ----------------------------------------------------------------------------------------------- */

/* (e^r - 1 - r) / r^2 for |r| <= ln2/2.  r^2 times its error: 2^-27. */
static EBB_INLINE float ebb__exp_poly_f32(float r) {
    float z = r * r;
    float even = (0.00139262504f * z + 0.0416665524f) * z + 0.5f;
    float odd = 0.00836323295f * z + 0.166665763f;
    return even + odd * r;
}

static EBB_INLINE float ebb_exp_f32(float x) {
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    float shifted = x * EBB__LOG2E_F32 + (EBB__ROUND_F32 + 254);
    float k = shifted - (EBB__ROUND_F32 + 254);
    float rhi = x - k * EBB__LN2HI_F32, rlo = k * EBB__LN2LO_F32, r = rhi - rlo;
    float y = 1 + (rhi + (r * r * ebb__exp_poly_f32(r) - rlo));
    uint32_t e = ebb__bits_f32(shifted), half = e >> 1;
    return y * ebb__from_f32(half << 23) * ebb__from_f32((e - half) << 23);
}

static EBB_INLINE float ebb_expm1_f32(float x) {
    float c = x > 89.0f ? 89.0f : x;
    c = c < -25.0f ? -25.0f : c;
    float shifted = c * EBB__LOG2E_F32 + (EBB__ROUND_F32 + 126);
    float k = shifted - (EBB__ROUND_F32 + 126);
    float rhi = c - k * EBB__LN2HI_F32, rlo = k * EBB__LN2LO_F32, r = rhi - rlo;
    float t = ebb__from_f32(ebb__bits_f32(shifted) << 23);
    float a = t - 0.5f, b = t * rhi, s = a + b, err = b - (s - a);
    float y = 2 * (s + (err + t * (r * r * ebb__exp_poly_f32(r) - rlo)));
    return ebb_abs_f32(x) < 0x1p-25f ? x : y;
}

/* ---- log ----------------------------------------------------------------------------------------------- */

static EBB_INLINE float ebb__mantissa_f32(float x, float *k) {
    const uint32_t low = 0x3f3504f3u; /* sqrt(1/2) */
    int tiny = x < 0x1p-126f;
    uint32_t u = ebb__bits_f32(tiny ? x * 0x1p24f : x) - (low - 0x3f800000u);
    *k = (float)(int32_t)(u >> 23) - (tiny ? 151.0f : 127.0f);
    return ebb__from_f32((u & 0x007fffffu) + low);
}

/* k ln2 + log(1 + f) + c; the polynomial is (log(1 + f) - f + f^2/2) / f^3, error 2^-28. */
static EBB_INLINE float ebb__log_sum_f32(float f, float k, float c) {
    float z = f * f;
    float even = 0.0697161183f, odd = -0.114797339f;
    even = even * z + 0.116854198f;
    odd = odd * z - 0.124256872f;
    even = even * z + 0.142490581f;
    odd = odd * z - 0.166678026f;
    even = even * z + 0.200007156f;
    odd = odd * z - 0.24999997f;
    even = even * z + 0.333333313f;
    float p = even + odd * f;
    return k * EBB__LN2HI_F32 + (f + (f * z * p - 0.5f * z + (k * EBB__LN2LO_F32 + c)));
}

static EBB_INLINE float ebb_log_f32(float x) {
    float k, m = ebb__mantissa_f32(x, &k), y = ebb__log_sum_f32(m - 1, k, 0);
    y = x < (float)INFINITY ? y : x;
    y = x > 0 ? y : (float)NAN;
    return x == 0 ? -(float)INFINITY : y;
}

static EBB_INLINE float ebb_log1p_f32(float x) {
    float u = 1 + x, b = u - 1, lost = (1 - (u - b)) + (x - b);
    float k, m = ebb__mantissa_f32(u, &k);
    float y = ebb__log_sum_f32(k == 0 ? x : m - 1, k, k == 0 ? 0 : lost / u);
    y = x < (float)INFINITY ? y : x;
    y = x > -1 ? y : (float)NAN;
    y = x == -1 ? -(float)INFINITY : y;
    return x == 0 ? x : y;
}

/* ---- tanh, sigmoid ------------------------------------------------------------------------------------- */

/* |x| < 5/8: x + x^3 p(x^2), error 2^-28; beyond: 1 - 2/(e^2x + 1). */
static EBB_INLINE float ebb_tanh_f32(float x) {
    float a = ebb_abs_f32(x), z = a * a, p = 0.00229274482f;
    p = p * z - 0.00834394526f;
    p = p * z + 0.0217689183f;
    p = p * z - 0.0539592579f;
    p = p * z + 0.133333042f;
    p = p * z - 0.333333343f;
    float near_zero = a + a * z * p, far = 1 - 2 / (ebb_exp_f32(2 * a) + 1);
    return ebb__odd_f32(a < 0.625f ? near_zero : far, x);
}

static EBB_INLINE float ebb_sigmoid_f32(float x) {
    float e = ebb_exp_f32(-ebb_abs_f32(x)), q = e / (1 + e);
    float left = e < 0.5f ? e - e * q : q;
    return x < 0 ? left : 1 - q;
}

/* ---- sin, cos ------------------------------------------------------------------------------------------ */

/* sin(x + turn pi/2) for x >= 0, reduced in double: pi/2 = 27 bits + 53 bits, so k * 27 bits is exact up to
 * k = 2^26 and the result good up to |x| = 1e8.  Beyond, the absolute error grows to about 2^-52 |x|; past
 * 2^50 the result is only a number in [-1, 1]. */
static EBB_INLINE float ebb__trig_f32(float x, uint32_t turn) {
    double xd = (double)x, shifted = xd * 0x1.45f306dc9c883p-1 + EBB__ROUND_F64, k = shifted - EBB__ROUND_F64;
    double rd = (xd - k * 0x1.921fb54p+0) - k * 0x1.10b4611a62633p-30;
    uint32_t quadrant = (uint32_t)ebb__bits_f64(shifted) + turn;
    rd = rd > 0.7854 ? 0.7854 : rd;
    rd = rd < -0.7854 ? -0.7854 : rd;
    float r = (float)rd, z = r * r;
    float p = -0.00019587639f; /* (sin r - r) / r^3, error 2^-26 */
    p = p * z + 0.00833274703f;
    p = p * z - 0.166666642f;
    float q = 2.45476895e-05f; /* (cos r - 1 + r^2/2) / r^4, error 2^-30 */
    q = q * z - 0.00138883013f;
    q = q * z + 0.0416666642f;
    float s = r + r * z * p, c = 1 - (0.5f * z - z * z * q);
    uint32_t odd = 0 - (quadrant & 1);
    return ebb__from_f32(((ebb__bits_f32(c) & odd) | (ebb__bits_f32(s) & ~odd)) ^ (quadrant & 2) << 30);
}

static EBB_INLINE float ebb_sin_f32(float x) { return ebb__odd_f32(ebb__trig_f32(ebb_abs_f32(x), 0), x); }
static EBB_INLINE float ebb_cos_f32(float x) { return ebb__trig_f32(ebb_abs_f32(x), 1); }

/* ---- erf ----------------------------------------------------------------------------------------------- */

/* |x| < 1: x + x p(x^2), error 2^-27; beyond: 1 - e^q(x), q = log erfc, error 2^-27; from 4 on it is 1. */
static EBB_INLINE float ebb_erf_f32(float x) {
    float a = ebb_abs_f32(x), z = a * a, b = a > 4.0f ? 4.0f : a;
    float p = 7.87587487e-05f;
    p = p * z - 0.00080168643f;
    p = p * z + 0.00518908724f;
    p = p * z - 0.0268542115f;
    p = p * z + 0.112835944f;
    p = p * z - 0.37612626f;
    p = p * z + 0.128379166f;
    float q = 1.6371514e-06f;
    q = q * b - 4.60580413e-05f;
    q = q * b + 0.00059680565f;
    q = q * b - 0.0047595962f;
    q = q * b + 0.0264211353f;
    q = q * b - 0.110080086f;
    q = q * b - 0.631826043f;
    q = q * b - 1.13023341f;
    q = q * b + 0.00032013806f;
    float near_zero = a + a * p, far = 1 - ebb_exp_f32(q);
    return ebb__odd_f32(a < 1.0f ? near_zero : far, x);
}

/* ---- pow: in double, rounded once more ----------------------------------------------------------------- */

static EBB_INLINE float ebb_pow_f32(float x, float y) {
    double c = (double)y;
    c = c > 0x1p65 ? 0x1p65 : c;
    c = c < -0x1p65 ? -0x1p65 : c;
    double r = ebb_exp_f64(c * ebb_log_f64((double)ebb_abs_f32(x)));
    return (float)ebb__pow_cases_f64((double)x, (double)y, r);
}

#ifdef __clang__
#pragma STDC FP_CONTRACT DEFAULT
#endif

/* ---- by type ------------------------------------------------------------------------------------------- */

#ifdef __cplusplus
static EBB_INLINE float ebb_exp(float x) { return ebb_exp_f32(x); }
static EBB_INLINE double ebb_exp(double x) { return ebb_exp_f64(x); }
static EBB_INLINE float ebb_expm1(float x) { return ebb_expm1_f32(x); }
static EBB_INLINE double ebb_expm1(double x) { return ebb_expm1_f64(x); }
static EBB_INLINE float ebb_log(float x) { return ebb_log_f32(x); }
static EBB_INLINE double ebb_log(double x) { return ebb_log_f64(x); }
static EBB_INLINE float ebb_log1p(float x) { return ebb_log1p_f32(x); }
static EBB_INLINE double ebb_log1p(double x) { return ebb_log1p_f64(x); }
static EBB_INLINE float ebb_tanh(float x) { return ebb_tanh_f32(x); }
static EBB_INLINE double ebb_tanh(double x) { return ebb_tanh_f64(x); }
static EBB_INLINE float ebb_sigmoid(float x) { return ebb_sigmoid_f32(x); }
static EBB_INLINE double ebb_sigmoid(double x) { return ebb_sigmoid_f64(x); }
static EBB_INLINE float ebb_sin(float x) { return ebb_sin_f32(x); }
static EBB_INLINE double ebb_sin(double x) { return ebb_sin_f64(x); }
static EBB_INLINE float ebb_cos(float x) { return ebb_cos_f32(x); }
static EBB_INLINE double ebb_cos(double x) { return ebb_cos_f64(x); }
static EBB_INLINE float ebb_erf(float x) { return ebb_erf_f32(x); }
static EBB_INLINE double ebb_erf(double x) { return ebb_erf_f64(x); }
static EBB_INLINE float ebb_abs(float x) { return ebb_abs_f32(x); }
static EBB_INLINE double ebb_abs(double x) { return ebb_abs_f64(x); }
static EBB_INLINE float ebb_sqrt(float x) { return ebb_sqrt_f32(x); }
static EBB_INLINE double ebb_sqrt(double x) { return ebb_sqrt_f64(x); }
static EBB_INLINE float ebb_floor(float x) { return ebb_floor_f32(x); }
static EBB_INLINE double ebb_floor(double x) { return ebb_floor_f64(x); }
static EBB_INLINE float ebb_exp2(float x) { return ebb_exp2_f32(x); }
static EBB_INLINE double ebb_exp2(double x) { return ebb_exp2_f64(x); }
static EBB_INLINE float ebb_log2(float x) { return ebb_log2_f32(x); }
static EBB_INLINE double ebb_log2(double x) { return ebb_log2_f64(x); }
static EBB_INLINE float ebb_log10(float x) { return ebb_log10_f32(x); }
static EBB_INLINE double ebb_log10(double x) { return ebb_log10_f64(x); }
static EBB_INLINE float ebb_tan(float x) { return ebb_tan_f32(x); }
static EBB_INLINE double ebb_tan(double x) { return ebb_tan_f64(x); }
static EBB_INLINE float ebb_asin(float x) { return ebb_asin_f32(x); }
static EBB_INLINE double ebb_asin(double x) { return ebb_asin_f64(x); }
static EBB_INLINE float ebb_acos(float x) { return ebb_acos_f32(x); }
static EBB_INLINE double ebb_acos(double x) { return ebb_acos_f64(x); }
static EBB_INLINE float ebb_atan(float x) { return ebb_atan_f32(x); }
static EBB_INLINE double ebb_atan(double x) { return ebb_atan_f64(x); }
static EBB_INLINE float ebb_sinh(float x) { return ebb_sinh_f32(x); }
static EBB_INLINE double ebb_sinh(double x) { return ebb_sinh_f64(x); }
static EBB_INLINE float ebb_cosh(float x) { return ebb_cosh_f32(x); }
static EBB_INLINE double ebb_cosh(double x) { return ebb_cosh_f64(x); }
static EBB_INLINE float ebb_asinh(float x) { return ebb_asinh_f32(x); }
static EBB_INLINE double ebb_asinh(double x) { return ebb_asinh_f64(x); }
static EBB_INLINE float ebb_acosh(float x) { return ebb_acosh_f32(x); }
static EBB_INLINE double ebb_acosh(double x) { return ebb_acosh_f64(x); }
static EBB_INLINE float ebb_atanh(float x) { return ebb_atanh_f32(x); }
static EBB_INLINE double ebb_atanh(double x) { return ebb_atanh_f64(x); }
static EBB_INLINE float ebb_erfc(float x) { return ebb_erfc_f32(x); }
static EBB_INLINE double ebb_erfc(double x) { return ebb_erfc_f64(x); }
static EBB_INLINE float ebb_atan2(float x, float y) { return ebb_atan2_f32(x, y); }
static EBB_INLINE double ebb_atan2(double x, double y) { return ebb_atan2_f64(x, y); }
static EBB_INLINE float ebb_hypot(float x, float y) { return ebb_hypot_f32(x, y); }
static EBB_INLINE double ebb_hypot(double x, double y) { return ebb_hypot_f64(x, y); }
static EBB_INLINE float ebb_raise(float x, float y) { return ebb_pow_f32(x, y); }
static EBB_INLINE double ebb_raise(double x, double y) { return ebb_pow_f64(x, y); }
#else
#define EBB__BY_TYPE(f, x) _Generic((x), float : f##_f32, default : f##_f64)(x)
#define ebb_exp(x) EBB__BY_TYPE(ebb_exp, x)
#define ebb_expm1(x) EBB__BY_TYPE(ebb_expm1, x)
#define ebb_log(x) EBB__BY_TYPE(ebb_log, x)
#define ebb_log1p(x) EBB__BY_TYPE(ebb_log1p, x)
#define ebb_tanh(x) EBB__BY_TYPE(ebb_tanh, x)
#define ebb_sigmoid(x) EBB__BY_TYPE(ebb_sigmoid, x)
#define ebb_sin(x) EBB__BY_TYPE(ebb_sin, x)
#define ebb_cos(x) EBB__BY_TYPE(ebb_cos, x)
#define ebb_erf(x) EBB__BY_TYPE(ebb_erf, x)
#define ebb_abs(x) EBB__BY_TYPE(ebb_abs, x)
#define ebb_sqrt(x) EBB__BY_TYPE(ebb_sqrt, x)
#define ebb_floor(x) EBB__BY_TYPE(ebb_floor, x)
#define ebb_exp2(x) EBB__BY_TYPE(ebb_exp2, x)
#define ebb_log2(x) EBB__BY_TYPE(ebb_log2, x)
#define ebb_log10(x) EBB__BY_TYPE(ebb_log10, x)
#define ebb_tan(x) EBB__BY_TYPE(ebb_tan, x)
#define ebb_asin(x) EBB__BY_TYPE(ebb_asin, x)
#define ebb_acos(x) EBB__BY_TYPE(ebb_acos, x)
#define ebb_atan(x) EBB__BY_TYPE(ebb_atan, x)
#define ebb_sinh(x) EBB__BY_TYPE(ebb_sinh, x)
#define ebb_cosh(x) EBB__BY_TYPE(ebb_cosh, x)
#define ebb_asinh(x) EBB__BY_TYPE(ebb_asinh, x)
#define ebb_acosh(x) EBB__BY_TYPE(ebb_acosh, x)
#define ebb_atanh(x) EBB__BY_TYPE(ebb_atanh, x)
#define ebb_erfc(x) EBB__BY_TYPE(ebb_erfc, x)
#define ebb_atan2(x, y) _Generic((x) + (y), float : ebb_atan2_f32, default : ebb_atan2_f64)(x, y)
#define ebb_hypot(x, y) _Generic((x) + (y), float : ebb_hypot_f32, default : ebb_hypot_f64)(x, y)
#define ebb_raise(x, y) _Generic((x) + (y), float : ebb_pow_f32, default : ebb_pow_f64)(x, y)
#endif

#endif /* EBB_MATH_H */
