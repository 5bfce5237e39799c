/* lcg.h - floor 7: the generator of the standard workloads' data, so that losses can be compared across frameworks.
 *
 * s = s*1664525 + 1013904223 (mod 2^32);  u = (s >> 8) / 2^24;  integers (s >> 8) % mod;
 * weights (u - 0.5) * 2/sqrt(fan_in), rows first: [out, in]. */
#ifndef EBB_BENCH_LCG_H
#define EBB_BENCH_LCG_H
#include <math.h>
#include <stdint.h>

static inline uint32_t lcg_next(uint32_t *s) {
    *s = *s * 1664525u + 1013904223u;
    return *s >> 8;
}

static inline void lcg_uniform(uint32_t seed, int64_t n, float *out) {
    for (int64_t i = 0; i < n; i++) out[i] = (float)lcg_next(&seed) / 16777216.0f;
}

static inline void lcg_integers(uint32_t seed, int64_t n, uint32_t mod, int64_t *out) {
    for (int64_t i = 0; i < n; i++) out[i] = lcg_next(&seed) % mod;
}

static inline void lcg_weights(uint32_t seed, int64_t n, int64_t fan_in, float *out) {
    const float k = (float)(2 / sqrt((double)fan_in));
    lcg_uniform(seed, n, out);
    for (int64_t i = 0; i < n; i++) out[i] = (out[i] - 0.5f) * k;
}

#endif
