/* order.h - floor 5: the order of elements as that of unsigned keys: NaN last, -0 equal to 0; radix sort and selection by it. */
#ifndef EBB_ORDER_H
#define EBB_ORDER_H
#include <ebb/op.h>

typedef struct entry32 {
    uint32_t key, at;
} entry32;
typedef struct entry64 {
    uint64_t key, at;
} entry64;

static inline uint32_t key_f32(float v) {
    uint32_t u;
    v += 0.0f; /* -0 becomes 0 */
    memcpy(&u, &v, sizeof u);
    return v != v ? UINT32_MAX : u ^ (u >> 31 ? UINT32_MAX : 0x80000000u);
}
static inline uint64_t key_f64(double v) {
    uint64_t u;
    v += 0.0;
    memcpy(&u, &v, sizeof u);
    return v != v ? UINT64_MAX : u ^ (u >> 63 ? UINT64_MAX : (uint64_t)1 << 63);
}
static inline uint64_t key_i64(int64_t v) { return (uint64_t)v ^ (uint64_t)1 << 63; }

/* Sorts n entries by key, equal ones in the order they have: from the least significant byte, skipping bytes that are all the same.
 * `other` has room for n more. -> where they are then, one of the two. */
#define EBB_SORTER(name, E, K)                                                                               \
    static inline E *name(E *a, E *other, int64_t n) {                                                       \
        enum { BYTES = sizeof(K) };                                                                          \
        if (n <= 40) {                                                                                       \
            for (int64_t i = 1; i < n; i++) {                                                                \
                const E v = a[i];                                                                            \
                int64_t j = i;                                                                               \
                for (; j && a[j - 1].key > v.key; j--) a[j] = a[j - 1];                                      \
                a[j] = v;                                                                                    \
            }                                                                                                \
            return a;                                                                                        \
        }                                                                                                    \
        K count[BYTES][256];                                                                                 \
        memset(count, 0, sizeof count);                                                                      \
        for (int64_t i = 0; i < n; i++)                                                                      \
            for (int b = 0; b < BYTES; b++) count[b][a[i].key >> 8 * b & 255]++;                             \
        for (int b = 0; b < BYTES; b++) {                                                                    \
            K *at = count[b], sum = 0;                                                                       \
            if ((int64_t)at[a[0].key >> 8 * b & 255] == n) continue;                                         \
            for (int k = 0; k < 256; k++) {                                                                  \
                const K here = at[k];                                                                        \
                at[k] = sum;                                                                                 \
                sum += here;                                                                                 \
            }                                                                                                \
            for (int64_t i = 0; i < n; i++) other[at[a[i].key >> 8 * b & 255]++] = a[i];                     \
            E *const kept = a;                                                                               \
            a = other;                                                                                       \
            other = kept;                                                                                    \
        }                                                                                                    \
        return a;                                                                                            \
    }

/* The k-th smallest (from 0) of n keys, which are overwritten; *less: how many are smaller. From the most significant byte:
 * only keys that agree so far are kept. */
#define EBB_SELECTOR(name, K)                                                                                \
    static inline K name(K *a, int64_t n, int64_t k, int64_t *less) {                                        \
        *less = 0;                                                                                           \
        for (int shift = 8 * (int)sizeof(K) - 8; shift >= 0 && n > 1; shift -= 8) {                          \
            int64_t count[256] = {0};                                                                        \
            for (int64_t i = 0; i < n; i++) count[a[i] >> shift & 255]++;                                    \
            K byte = 0;                                                                                      \
            while (k >= count[byte]) {                                                                       \
                k -= count[byte];                                                                            \
                *less += count[byte++];                                                                      \
            }                                                                                                \
            int64_t m = 0;                                                                                   \
            for (int64_t i = 0; i < n; i++) {                                                                \
                a[m] = a[i];                                                                                 \
                m += (a[i] >> shift & 255) == byte;                                                          \
            }                                                                                                \
            n = m;                                                                                           \
        }                                                                                                    \
        return a[0];                                                                                         \
    }
#endif
