/* random.h - floor 5: what the random ops share: blocks of random words drawn in strips. */
#ifndef EBB_CREATE_RANDOM_H
#define EBB_CREATE_RANDOM_H
#include "create.h"
#include <ebb/random.h>

typedef struct drawn_attrs {
    ebb_ints size;
    int32_t dtype;
    int64_t key;
} drawn_attrs;

enum { STRIP = 64 }; /* blocks drawn together, in a loop that can be vectorised */

/* Words 4k .. 4k+3 are those of block (hi, first + k) under the key. */
static EBB_INLINE void draw_blocks(uint64_t key, uint64_t hi, int64_t first, int64_t blocks, uint32_t *r) {
    for (int64_t k = 0; k < blocks; k++) {
        const ebb_block b = ebb_philox(key, hi, (uint64_t)(first + k));
        r[4 * k] = b.r[0];
        r[4 * k + 1] = b.r[1];
        r[4 * k + 2] = b.r[2];
        r[4 * k + 3] = b.r[3];
    }
}

/* A kernel whose units are 4 elements: the code makes `count` of them at y. Element k of the strip has the word r[k], and for the
 * low bits of a larger type s[k]: word i%4 of blocks (0, i/4) and (1, i/4). So f32 and f64 get the same numbers, rounded. */
#define EACH_STRIP(the_key, numel, ...)                                                                      \
    const int64_t end = l->first + l->n;                                                                     \
    uint32_t r[4 * STRIP], s[4 * STRIP];                                                                     \
    for (int64_t at = l->first; at < end; at += STRIP) {                                                     \
        const int64_t blocks = end - at < STRIP ? end - at : STRIP, left = (numel)-4 * at;                   \
        const int64_t count = left < 4 * blocks ? left : 4 * blocks;                                         \
        T *y = (T *)l->p[l->n_x] + 4 * at;                                                                   \
        if (count <= 0) break;                                                                               \
        draw_blocks((uint64_t)(the_key), 0, at, blocks, r);                                                  \
        if (sizeof(T) > 4) draw_blocks((uint64_t)(the_key), 1, at, blocks, s);                               \
        __VA_ARGS__                                                                                          \
    }

/* The high half of a product: a 64-bit word taken to an integer below n. */
static inline int64_t below(uint32_t hi, uint32_t lo, uint64_t n) {
    const uint64_t a = n >> 32, b = (uint32_t)n, mid = (uint64_t)hi * b + ((uint64_t)lo * b >> 32);
    return (int64_t)((uint64_t)hi * a + (mid >> 32) + (((uint64_t)lo * a + (uint32_t)mid) >> 32));
}
#endif
