/* special.h - floor 5: inverse error function, gamma function and its kin, in double, one number at a time.
 *
 * Only +, -, *, / and the functions of <ebb/math.h>, so every machine computes the same bits. Polynomials were interpolated at
 * Chebyshev nodes in 50 digits; coefficients from the highest power on. */
#ifndef EBB_OPS_SPECIAL_H
#define EBB_OPS_SPECIAL_H
#include "pointwise.h"

#define EBB__PI 3.14159265358979323846

static double polynomial(const double *c, int n, double x) {
    double p = c[0];
    for (int i = 1; i < n; i++) p = p * x + c[i];
    return p;
}
#define POLYNOMIAL(table, x) polynomial(table, (int)(sizeof(table) / sizeof *(table)), x)

/* ---- erfinv ---- */

/* erfinv(x)/x as a function of w = -ln(1 - x^2), or of its root (the form is Giles', 2012); error 2^-54. */
static const double erfinv_near[] = {
    -3.5932028927020693e-22, 3.194015548136271e-21,   1.999259988861535e-20,   -3.4734793888538036e-19,
    6.075050702072414e-19,   1.5510787009902526e-17,  -1.2215637192404172e-16, -3.94018812230432e-17,
    6.521333511502239e-15,   -4.0020031087558496e-14, -8.07192593899004e-14,   2.6305268312595183e-12,
    -1.2978805369932565e-11, -5.414303283919504e-11,  1.051223377050429e-09,   -4.1126604371632185e-09,
    -2.907039127564132e-08,  4.23478816822246e-07,    -1.3654691758785656e-06, -1.3882523393957483e-05,
    0.00018673420801981186,  -0.0007407025341546431,  -0.006033670871426851,   0.24015818242558834,
    1.6536545626831027,
};
static const double erfinv_far[] = {
    7.680200479077053e-09,   -1.5305397964152548e-08, -2.091453334773126e-08, 1.3158663683192966e-07,
    -2.4549818963339823e-07, -2.761716223816241e-08,  1.4815977874022539e-06, -3.985705945648173e-06,
    2.93257845538535e-06,    1.2465028224217455e-05,  -4.732068066544697e-05, 6.828711739251955e-05,
    2.4031512865758357e-05,  -0.0003550378137852452,  0.0009532893415794137,  -0.0016882755354488555,
    0.00249144209795696,     -0.0037512085082247342,  0.005370914553555033,   1.0052589676941655,
    3.0838856104922208,
};
static const double erfinv_end[] = {
    -1.543927819720834e-11, 4.280243303730942e-11,   4.6977303445962824e-11, -4.373889663734069e-10,
    1.3589365341577093e-09, -3.471437933896719e-09,  7.777428539826634e-09,  -1.525516018129263e-08,
    2.9044909320789473e-08, -6.75560303537366e-08,   2.2904362741369038e-07, -9.930294774982885e-07,
    4.526054328559671e-06,  -1.9681770676949253e-05, 7.59952779202494e-05,   -0.00021503011983024694,
    -0.000138719318373517,  1.0103004648645455,      4.849906401408584,
};

static double erfinv_of(double x) {
    const double a = ebb_abs_f64(x), w = -ebb_log_f64((1 - a) * (1 + a)), r = ebb_sqrt_f64(w);
    if (!(a < 1)) return a == 1 ? x * (double)INFINITY : (double)NAN;
    if (w < 6.25) return x * POLYNOMIAL(erfinv_near, w - 3.125);
    return x * (w < 16 ? POLYNOMIAL(erfinv_far, r - 3.25) : POLYNOMIAL(erfinv_end, r - 5));
}

/* ---- lgamma ---- */

/* lgamma(2 + u)/u for |u| <= 1/2; Stirling's series in 1/x^2. */
static const double lgamma_near[] = {
    -3.085985478390577e-08,  6.472569840064724e-08,  -9.558178101635195e-08,  2.0193835401136915e-07,
    -4.508168225446838e-07,  9.584207048594987e-07,  -2.0389077825677104e-06, 4.374223481082048e-06,
    -9.439526202058818e-06,  2.0507291996563825e-05, -4.4926233820610826e-05, 9.94575066878814e-05,
    -0.00022315475858818615, 0.0005096695250241955,  -0.0011927539116998527,  0.0028905103307344045,
    -0.007385551028674025,   0.02058080842778463,    -0.06735230105319809,    0.3224670334241132,
    0.42278433509846713,
};
static const double stirling[] = {
    -1.3924322169059011,    0.17964437236883057,   -0.029550653594771242,  0.00641025641025641,
    -0.0019175269175269176, 0.0008417508417508417, -0.0005952380952380953, 0.0007936507936507937,
    -0.002777777777777778,  0.08333333333333333,
};

static double sin_pi(double x) { /* |sin(pi x)|, exactly 0 at integers */
    const double r = x - ebb__nearest_f64(x);
    return ebb_abs_f64(ebb_sin_f64(EBB__PI * r));
}

static double lgamma_positive(double x) {
    if (x >= 8) {
        const double v = 1 / x;
        return (x - 0.5) * (ebb_log_f64(x) - 1) + (0.41893853320467274178 + v * POLYNOMIAL(stirling, v * v));
    }
    double log_of = 1; /* lgamma(x) = lgamma(y) +- log(log_of), y in [1.5, 2.5) */
    double y = x;
    for (; y >= 2.5; log_of *= y) y -= 1;
    const bool down = y < x;
    for (; y < 1.5; y += 1) log_of *= y;
    const double base = (y - 2) * POLYNOMIAL(lgamma_near, y - 2);
    return log_of == 1 ? base : down ? base + ebb_log_f64(log_of) : base - ebb_log_f64(log_of);
}

static double lgamma_of(double x) {
    const double a = ebb_abs_f64(x);
    if (x != x || a == (double)INFINITY) return a;
    if (x > 0) return lgamma_positive(x);
    if (a < 0x1p-60) return -ebb_log_f64(a);
    const double s = sin_pi(x);
    return s == 0 ? (double)INFINITY : ebb_log_f64(EBB__PI / (a * s)) - lgamma_positive(a);
}

/* ---- digamma and its derivatives ---- */

static const double digamma_series[] = {
    -26.456212121212122,   3.0539543302701198,   -0.4432598039215686,   0.08333333333333333,
    -0.021092796092796094, 0.007575757575757576, -0.004166666666666667, 0.003968253968253968,
    -0.008333333333333333, 0.08333333333333333,
};
static const double zeta_series[] = {
    -1.3954464685812522e-19, 5.5090028283602295e-18, -2.174868698558062e-16, 8.586062056277845e-15,
    -3.3896802963225827e-13, 1.3382536530684679e-11, -5.284190138687493e-10, 2.08767569878681e-08,
    -8.267195767195768e-07,  3.306878306878307e-05,  -0.001388888888888889,  0.08333333333333333,
};

static double digamma_of(double x) {
    if (x == 0) return ebb__odd_f64((double)-INFINITY, x);
    if (x == (double)INFINITY) return x;
    double sum = 0;
    if (x < 0) {
        const double r = x - ebb__nearest_f64(x);
        if (r == 0 || x == (double)-INFINITY) return (double)NAN;
        sum = -EBB__PI / ebb_tan_f64(EBB__PI * r);
        x = 1 - x;
    }
    for (; x < 10; x += 1) sum -= 1 / x;
    const double v = 1 / x, z = v * v;
    return sum + (ebb_log_f64(x) - 0.5 * v - z * POLYNOMIAL(digamma_series, z));
}

static double reciprocal_power(double x, double s) { /* x^-s, s whole */
    double y = 1, b = 1 / x;
    for (int64_t n = (int64_t)s; n; n >>= 1, b *= b)
        if (n & 1) y *= b;
    return y;
}

/* Hurwitz' zeta(s, x) = sum over k of (x + k)^-s for x > 0, s > 1 whole: ten terms, then Euler and Maclaurin's series. */
static double zeta_positive(double s, double x) {
    double sum = 0;
    const double end = x + 10;
    for (; x < end && x < 20; x += 1) sum += reciprocal_power(x, s);
    const double last = reciprocal_power(x, s), z = 1 / (x * x);
    double factor = s / x, tail = 0; /* of term j: s (s+1) ... (s+2j-2) / x^(2j-1) */
    const int n = (int)(sizeof zeta_series / sizeof *zeta_series);
    for (int j = 1; j <= n; j++) {
        tail += zeta_series[n - j] * factor;
        factor *= (s + 2 * j - 1) * (s + 2 * j) * z;
    }
    return sum + last * (x / (s - 1) + 0.5 + tail);
}

/* For negative x the terms left of 0 are those of zeta(s, fraction) up to sign, without the ones beyond -x. */
static double zeta_of(double s, double x) {
    if (x > 0) return x == (double)INFINITY ? 0 : zeta_positive(s, x);
    const double a = -x - ebb_floor_f64(-x), sign = s - 2 * ebb_floor_f64(s / 2) != 0 ? -1 : 1;
    if (x != x) return x;
    if (a == 0 || x == (double)-INFINITY) return (double)INFINITY;
    return zeta_positive(s, 1 - a) + sign * (zeta_positive(s, a) - zeta_positive(s, 1 - x));
}

/* The derivative of order n of digamma: (-1)^(n+1) n! zeta(n + 1, x). */
static double polygamma_of(double x, int64_t n) {
    if (n == 0) return digamma_of(x);
    double factorial = n & 1 ? 1 : -1;
    for (int64_t k = 2; k <= n && k < 180; k++) factorial *= (double)k;
    return factorial * zeta_of((double)n + 1, x);
}
#endif
