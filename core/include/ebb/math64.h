/* math64.h - floor 0: the double half of math.h; include that one.
 *
 * Every compiler and every vector width computes the same bits: only IEEE +, -, *, / and integer operations,
 * in the order written, rounded to nearest, never fused.  There is no branch, no table and no call, so a loop
 * over any of these becomes vector code for the target of the function it is inlined into; a choice is a
 * select between computed values.  A NaN is a NaN everywhere, but its sign and payload are the machine's.
 *
 * Largest errors found in a million samples each, in units of the last place:
 *     f32   exp 1.0  expm1 1.6  log 0.9  log1p 0.9  tanh 1.3  sigmoid 1.8  sin, cos 1.5  erf 1.4  pow 0.5
 *     f64   exp 0.9  expm1 1.2  log 0.9  log1p 0.9  tanh 1.3  sigmoid 1.8  sin, cos 0.9  erf 1.4  pow 1.2
 *
 * Coefficients were interpolated at Chebyshev nodes in 50 digits, then rounded; the error given beside them
 * is the largest after rounding, relative to the function.  "fdlibm": Sun's published library (Ng, 1993),
 * whence the cuts of pi/2 and ln 2 and the order of operations in log, sin and cos.
 */
#ifndef EBB_MATH64_H
#define EBB_MATH64_H

#include <ebb/abi.h>
#include <math.h> /* INFINITY, NAN */
#include <stdint.h>
#include <string.h>

/* A named macro for a GNU extension.  Inlining has to be certain: only then is a body vectorised again inside
 * a function that carries __attribute__((target("avx2"))) and the like. */
#ifndef EBB_INLINE
#define EBB_INLINE inline __attribute__((always_inline, unused))
#endif

/* In WebAssembly f64 is compiled for size: functions that are called, but for those that are one instruction. */
#ifdef __wasm__
#define EBB_MATH_F64 EBB_WRAPPER
#else
#define EBB_MATH_F64 static EBB_INLINE
#endif
#if defined __wasm__ && defined EBB_STATIC
#define EBB_BITS_F64 EBB_INLINE /* not static: the one copy of a caller must not name what each file has */
#else
#define EBB_BITS_F64 static EBB_INLINE
#endif

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* up to the end of the file; gcc is told by -ffp-contract=off or -std=c11 */
#endif

EBB_BITS_F64 uint64_t ebb__bits_f64(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

EBB_BITS_F64 double ebb__from_f64(uint64_t u) {
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

#define EBB__SIGN_F64 0x8000000000000000u
#define EBB__LN2HI_F64 0x1.62e42feep-1 /* 32 bits of ln 2: times an exponent it is exact (Cody and Waite) */
#define EBB__LN2LO_F64 0x1.a39ef35793c76p-33
#define EBB__LOG2E_F64 0x1.71547652b82fep+0
#define EBB__ROUND_F64 0x1.8p52 /* x + this rounds x to an integer and leaves it in the low bits */

EBB_BITS_F64 double ebb_abs_f64(double x) { return ebb__from_f64(ebb__bits_f64(x) & ~EBB__SIGN_F64); }
EBB_MATH_F64 double ebb_sqrt_f64(double x) { return __builtin_sqrt(x); }

/* y with the sign of x flipped into it: what makes an odd function odd to the last bit, -0 included. */
EBB_MATH_F64 double ebb__odd_f64(double y, double x) {
    return ebb__from_f64(ebb__bits_f64(y) ^ (ebb__bits_f64(x) & EBB__SIGN_F64));
}

/* The largest integer not above x. */
EBB_MATH_F64 double ebb_floor_f64(double x) {
    double a = ebb_abs_f64(x);
    double n = a < 0x1p52 ? (a + 0x1p52) - 0x1p52 : a;
    n = ebb__odd_f64(n, x);
    return n > x ? n - 1 : n;
}

/* ---- exp: x = k ln2 + r, |r| <= ln2/2, e^x = 2^k e^r --------------------------------------------------- */

/* (e^r - 1 - r) / r^2.  r^2 times its error: 2^-61. */
EBB_MATH_F64 double ebb__exp_poly_f64(double r) {
    double z = r * r;
    double even = 2.0914755325893202e-09, odd = 2.5105312729622103e-08; /* two chains run side by side */
    even = even * z + 2.7557273478718582e-07;
    odd = odd * z + 2.7557255170000888e-06;
    even = even * z + 2.4801587325677461e-05;
    odd = odd * z + 0.00019841269875002279;
    even = even * z + 0.0013888888888883711;
    odd = odd * z + 0.0083333333333260838;
    even = even * z + 0.041666666666666671;
    odd = odd * z + 0.16666666666666671;
    even = even * z + 0.5;
    return even + odd * r;
}

/* e^(x + lo) for a tiny lo.  2^k is applied as two factors: no early overflow, no abrupt underflow. */
EBB_MATH_F64 double ebb__exp_sum_f64(double x, double lo) {
    x = x > 710.0 ? 710.0 : x;
    x = x < -746.0 ? -746.0 : x;
    double shifted = x * EBB__LOG2E_F64 + (EBB__ROUND_F64 + 2046);
    double k = shifted - (EBB__ROUND_F64 + 2046);
    double rhi = x - k * EBB__LN2HI_F64, rlo = k * EBB__LN2LO_F64 - lo, r = rhi - rlo;
    double y = 1 + (rhi + (r * r * ebb__exp_poly_f64(r) - rlo));
    uint64_t e = ebb__bits_f64(shifted), half = e >> 1; /* low bits of e: k + 2 biases, never negative */
    return y * ebb__from_f64(half << 52) * ebb__from_f64((e - half) << 52);
}

EBB_MATH_F64 double ebb_exp_f64(double x) { return ebb__exp_sum_f64(x, 0); }

/* e^x - 1 = 2 ((t - 1/2) + t (e^r - 1)), t = 2^(k-1).  The large sum keeps its rounding error. */
EBB_MATH_F64 double ebb_expm1_f64(double x) {
    double c = x > 710.0 ? 710.0 : x;
    c = c < -50.0 ? -50.0 : c;
    double shifted = c * EBB__LOG2E_F64 + (EBB__ROUND_F64 + 1022);
    double k = shifted - (EBB__ROUND_F64 + 1022);
    double rhi = c - k * EBB__LN2HI_F64, rlo = k * EBB__LN2LO_F64, r = rhi - rlo;
    double t = ebb__from_f64(ebb__bits_f64(shifted) << 52);
    double a = t - 0.5, b = t * rhi, s = a + b, err = b - (s - a);
    double y = 2 * (s + (err + t * (r * r * ebb__exp_poly_f64(r) - rlo)));
    return ebb_abs_f64(x) < 0x1p-54 ? x : y; /* also keeps -0 and denormals */
}

/* ---- log: x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), log x = k ln2 + log(1 + f) -------------------- */

/* 1 + f of a positive finite x, denormal or not; *k gets its exponent. */
EBB_MATH_F64 double ebb__mantissa_f64(double x, double *k) {
    const uint64_t low = 0x3fe6a09e667f3bcdu; /* sqrt(1/2) */
    int tiny = x < 0x1p-1022;
    uint64_t u = ebb__bits_f64(tiny ? x * 0x1p54 : x) - (low - 0x3ff0000000000000u);
    double biased = ebb__from_f64(u >> 52 | 0x4330000000000000u); /* 2^52 + k + 1023 */
    *k = biased - (tiny ? 0x1p52 + 1077 : 0x1p52 + 1023);
    return ebb__from_f64((u & 0x000fffffffffffffu) + low);
}

/* R(z) / z, error 2^-57. */
EBB_MATH_F64 double ebb__log_poly_f64(double z) {
    double p = 0.14616585424888623;
    p = p * z + 0.15331710618210773;
    p = p * z + 0.18182889455674947;
    p = p * z + 0.22222211130259878;
    p = p * z + 0.2857142862600327;
    p = p * z + 0.39999999999899444;
    return p * z + 0.66666666666666696;
}

/* k ln2 + log(1 + f) + c for a tiny c.  With s = f / (2 + f):
 * log(1 + f) = 2 atanh s = f - f^2/2 + s (f^2/2 + R(s^2)), as in fdlibm. */
EBB_MATH_F64 double ebb__log_sum_f64(double f, double k, double c) {
    double s = f / (2 + f), z = s * s, h = 0.5 * f * f, p = ebb__log_poly_f64(z);
    return k * EBB__LN2HI_F64 - ((h - (s * (h + z * p) + (k * EBB__LN2LO_F64 + c))) - f);
}

EBB_MATH_F64 double ebb_log_f64(double x) {
    double k, m = ebb__mantissa_f64(x, &k), y = ebb__log_sum_f64(m - 1, k, 0);
    y = x < (double)INFINITY ? y : x;
    y = x > 0 ? y : (double)NAN;
    return x == 0 ? -(double)INFINITY : y;
}

/* log(1 + x) = log u + (what rounding 1 + x to u lost) / u. */
EBB_MATH_F64 double ebb_log1p_f64(double x) {
    double u = 1 + x, b = u - 1, lost = (1 - (u - b)) + (x - b);
    double k, m = ebb__mantissa_f64(u, &k);
    double y = ebb__log_sum_f64(k == 0 ? x : m - 1, k, k == 0 ? 0 : lost / u);
    y = x < (double)INFINITY ? y : x;
    y = x > -1 ? y : (double)NAN;
    y = x == -1 ? -(double)INFINITY : y;
    return x == 0 ? x : y;
}

/* ---- tanh, sigmoid ------------------------------------------------------------------------------------- */

/* |x| < 5/8: x + x^3 P(x^2)/Q(x^2), error 2^-57; beyond: 1 - 2/(e^2x + 1).  One division serves both. */
EBB_MATH_F64 double ebb_tanh_f64(double x) {
    double a = ebb_abs_f64(x), z = a * a;
    double p = (-0.9643850249801493 * z - 99.25157970735542) * z - 1613.941322073366;
    double q = ((z + 112.77252888384996) * z + 2234.484325610089) * z + 4841.823966220099;
    double e = ebb_exp_f64(2 * a);
    int small = a < 0.625;
    double num = small ? a * z * p : -2.0, den = small ? q : e + 1;
    return ebb__odd_f64((small ? a : 1.0) + num / den, x);
}

/* With e = e^-|x| and q = e/(1 + e): 1 - q right of 0, q left of it, so nothing overflows and the left tail
 * keeps its digits; there q = e - e q rounds better. */
EBB_MATH_F64 double ebb_sigmoid_f64(double x) {
    double e = ebb_exp_f64(-ebb_abs_f64(x)), q = e / (1 + e);
    double left = e < 0.5 ? e - e * q : q;
    return x < 0 ? left : 1 - q;
}

/* ---- sin, cos: |x| = k pi/2 + (hi + lo), |hi| <= pi/4 -------------------------------------------------- */

/* *s = sin r, *c = cos r of what is left of x >= 0 beside k pi/2. -> k.  pi/2 is cut into three pieces of 33 bits and a rest (fdlibm): up to
 * k = 2^20 every k * piece is exact, and hi + lo has full precision however close x is to a multiple of pi/2.
 * Past |x| = 1.6e6 the absolute error grows to about 2^-52 |x|; past 2^50 the result is only some number in
 * [-1, 1]. */
EBB_MATH_F64 uint64_t ebb__sin_cos_f64(double x, double *sine, double *cosine) {
    double shifted = x * 0x1.45f306dc9c883p-1 + EBB__ROUND_F64, k = shifted - EBB__ROUND_F64;

    double a = x - k * 0x1.921fb544p+0;
    double w = k * 0x1.0b4611a6p-34, b = a - w, v = b - a, lost = (a - (b - v)) - (w + v);
    w = k * 0x1.3198a2ep-69;
    a = b - w, v = a - b, lost += (b - (a - v)) - (w + v);
    lost -= k * 0x1.b839a252049c1p-104;
    double hi = a + lost, lo = (a - hi) + lost;
    hi = hi > 0.7854 ? 0.7854 : hi;
    hi = hi < -0.7854 ? -0.7854 : hi;

    double z = hi * hi, h = 0.5 * z;
    double p = 1.5917988979397435e-10; /* (sin r - r) / r^3, error 2^-55 */
    p = p * z - 2.5051129896450185e-08;
    p = p * z + 2.7557316093198404e-06;
    p = p * z - 0.00019841269836740532;
    p = p * z + 0.0083333333333309358;
    p = p * z - 0.16666666666666666;
    double q = -1.138254464534925e-11; /* (cos r - 1 + r^2/2) / r^4, error 2^-60 */
    q = q * z + 2.0876145049413178e-09;
    q = q * z - 2.7557317265878082e-07;
    q = q * z + 2.48015872987544e-05;
    q = q * z - 0.0013888888888887389;
    q = q * z + 0.041666666666666664;
    double one = 1 - h;
    *sine = hi + (hi * z * p + (lo - h * lo));
    *cosine = one + (((1 - one) - h) + (z * z * q - hi * lo));
    return ebb__bits_f64(shifted);
}

/* sin(x + turn pi/2) for x >= 0. */
EBB_MATH_F64 double ebb__trig_f64(double x, uint64_t turn) {
    double s, c;
    uint64_t quadrant = ebb__sin_cos_f64(x, &s, &c) + turn;
    uint64_t odd = 0 - (quadrant & 1);
    double y = ebb__from_f64((ebb__bits_f64(c) & odd) | (ebb__bits_f64(s) & ~odd));
    y = y > 1 ? 1 : y;
    y = y < -1 ? -1 : y;
    return ebb__from_f64(ebb__bits_f64(y) ^ (quadrant & 2) << 62);
}

EBB_MATH_F64 double ebb_sin_f64(double x) { return ebb__odd_f64(ebb__trig_f64(ebb_abs_f64(x), 0), x); }
EBB_MATH_F64 double ebb_cos_f64(double x) { return ebb__trig_f64(ebb_abs_f64(x), 1); }

/* ---- erf ----------------------------------------------------------------------------------------------- */

/* |x| < 1: x + x p(x^2), error 2^-55; beyond: 1 - e^(-x^2) P(x)/Q(x), error 2^-59; from 6 on it is 1. */
EBB_MATH_F64 double ebb_erf_f64(double x) {
    double a = ebb_abs_f64(x), z = a * a;
    double p = 5.9571761477489113e-11;
    p = p * z - 1.1372848856791674e-09;
    p = p * z + 1.4659775274047436e-08;
    p = p * z - 1.6350312701054695e-07;
    p = p * z + 1.6461000484121368e-06;
    p = p * z - 1.4925595266831182e-05;
    p = p * z + 0.0001205533111164271;
    p = p * z - 0.000854832698083379;
    p = p * z + 0.0052239776248180145;
    p = p * z - 0.026866170645076792;
    p = p * z + 0.11283791670954879;
    p = p * z - 0.37612638903183748;
    p = p * z + 0.12837916709551259;
    double b = a > 6.0 ? 6.0 : a;
    double n = 0.5641897302927712;
    n = n * b + 6.409062809898426;
    n = n * b + 35.07104724700577;
    n = n * b + 115.283967386503;
    n = n * b + 238.9622227160271;
    n = n * b + 298.75738664566256;
    n = n * b + 183.80920850538794;
    double d = b + 11.359780300983191;
    d = d * b + 62.66154091264896;
    d = d * b + 210.01919412600523;
    d = d * b + 454.09299660110116;
    d = d * b + 626.2975908664602;
    d = d * b + 506.1639085683413;
    d = d * b + 183.8092044321579;
    double far = 1 - ebb_exp_f64(-(b * b)) * n / d;
    return ebb__odd_f64(a < 1.0 ? a + a * p : far, x);
}

/* ---- pow: x^y = e^(y log x), the logarithm as a sum of two doubles ------------------------------------- */

/* a * b = *p + *e, exact but for the last bits of *e (Dekker, with the halves cut by a mask). */
EBB_MATH_F64 void ebb__two_prod_f64(double a, double b, double *p, double *e) {
    double ah = ebb__from_f64(ebb__bits_f64(a) & 0xfffffffff8000000u), al = a - ah;
    double bh = ebb__from_f64(ebb__bits_f64(b) & 0xfffffffff8000000u), bl = b - bh;
    *p = a * b;
    *e = ((ah * bh - *p) + ah * bl + al * bh) + al * bl;
}

/* log x = *h + *l to about 2^-64, for positive finite x: log(1 + f) = 2 atanh s = 2 (s + s z w), z = s^2,
 * w = 1/3 + z q(z), q's error weighed by z^2: 2^-66. */
EBB_MATH_F64 void ebb__log_two_f64(double x, double *h, double *l) {
    double k, f = ebb__mantissa_f64(x, &k) - 1, d = 2 + f, dl = f - (d - 2), inv = 1 / d, p, e;
    double s = f * inv;
    ebb__two_prod_f64(s, d, &p, &e);
    double sl = (((f - p) - e) - s * dl) * inv;
    double z, zl;
    ebb__two_prod_f64(s, s, &z, &zl);
    zl += 2 * s * sl;
    double q = 0.058615893119382589;
    q = q * z + 0.058531181697456032;
    q = q * z + 0.066674023469236551;
    q = q * z + 0.076922974812592151;
    q = q * z + 0.09090909167696401;
    q = q * z + 0.11111111110827943;
    q = q * z + 0.14285714285714682;
    q = q * z + 0.20000000000000001;
    q *= z;
    double w = 0x1.5555555555555p-2 + q, wl = (q - (w - 0x1.5555555555555p-2)) + 0x1.5555555555555p-56;
    double zw, zwl, c, cl;
    ebb__two_prod_f64(z, w, &zw, &zwl);
    zwl += z * wl + zl * w;
    ebb__two_prod_f64(s, zw, &c, &cl);
    cl += s * zwl + sl * zw;
    double t = s + c, tl = (c - (t - s)) + (sl + cl); /* half of log(1 + f) */
    double a = k * 0x1.62e42fefa38p-1, b = 2 * t;     /* k times 42 bits of ln 2: exact */
    double sum = a + b, v = sum - a, lost = (a - (sum - v)) + (b - v);
    lost += 2 * tl + k * 0x1.ef35793c7673p-45;
    *h = sum + lost;
    *l = lost - (*h - sum);
}

/* What C99 asks of pow around r = |x|^y: the sign, zeros, infinities, NaN. */
EBB_MATH_F64 double ebb__pow_cases_f64(double x, double y, double r) {
    double a = ebb_abs_f64(x), b = ebb_abs_f64(y), half = 0.5 * b;
    int whole = (b >= 0x1p52) | ((b + 0x1p52) - 0x1p52 == b);
    int even = (half >= 0x1p52) | ((half + 0x1p52) - 0x1p52 == half);
    double inf = (double)INFINITY, nan = (double)NAN;
    r = a == 0 ? (y > 0 ? 0.0 : inf) : r;
    r = a == inf ? (y > 0 ? inf : 0.0) : r;
    r = ((x < 0) & (a < inf) & !whole) ? nan : r;
    r = ((x != x) | (y != y)) ? nan : r;
    r = ((x == 1) | (y == 0)) ? 1 : r;
    return (whole & !even) ? ebb__odd_f64(r, x) : r;
}

EBB_MATH_F64 double ebb_pow_f64(double x, double y) {
    double c = y > 0x1p65 ? 0x1p65 : y; /* beyond, the result is 0, 1 or infinite anyway */
    c = c < -0x1p65 ? -0x1p65 : c;
    double h, l, p, e;
    ebb__log_two_f64(ebb_abs_f64(x), &h, &l);
    ebb__two_prod_f64(c, h, &p, &e);
    e += c * l;
    return ebb__pow_cases_f64(x, y, ebb__exp_sum_f64(p, ebb_abs_f64(p) < 800.0 ? e : 0));
}

#ifdef __clang__
#pragma STDC FP_CONTRACT DEFAULT
#endif

#endif /* EBB_MATH64_H */
