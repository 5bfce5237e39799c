/* random.h - floor 1: the counter-based generator for kernels of random ops: block i under a key is a pure function of (key, i).
 *
 * Philox4x32-10 (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"): no state but a counter, so any
 * number of threads, and any platform, draws the same bits. */
#ifndef EBB_RANDOM_H
#define EBB_RANDOM_H
#include <ebb/abi.h>

typedef struct ebb_block {
    uint32_t r[4];
} ebb_block;

/* 128 random bits: block (hi, lo) of the key. */
static EBB_INLINE ebb_block ebb_philox(uint64_t key, uint64_t hi, uint64_t lo) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)lo, c1 = (uint32_t)(lo >> 32), c2 = (uint32_t)hi, c3 = (uint32_t)(hi >> 32);
    for (int r = 0; r < 10; r++) {
        const uint64_t p = (uint64_t)0xD2511F53u * c0, q = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(q >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)q;
        c2 = (uint32_t)(p >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    ebb_block b;
    b.r[0] = c0, b.r[1] = c1, b.r[2] = c2, b.r[3] = c3;
    return b;
}

/* Uniform in [0,1): 24 bits for float, 53 for double. */
static EBB_INLINE float ebb_unit_f32(uint32_t r) { return (float)(r >> 8) * 0x1p-24f; }
static EBB_INLINE double ebb_unit_f64(uint32_t hi, uint32_t lo) {
    return (double)(((uint64_t)hi << 32 | lo) >> 11) * 0x1p-53;
}
/* Number i under a key, uniform in [0,1) with 53 bits; blocks hold two. For kernels that need one here and there. */
static EBB_INLINE double ebb_unit(int64_t key, int64_t i) {
    const ebb_block b = ebb_philox((uint64_t)key, 0, (uint64_t)i >> 1);
    return i & 1 ? ebb_unit_f64(b.r[2], b.r[3]) : ebb_unit_f64(b.r[0], b.r[1]);
}
#endif
