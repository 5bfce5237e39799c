/* gemm.c - floor 5: gemm_tile.h made once per (type, level), and the choice among the results. */
#include "gemm.h"

/* The k sum of an element is cut every GEMM_KC terms from term 0, at every level: this cut is part of the value.  A
 * packed block of b, GEMM_KC rows of 2 KB, is half a megabyte, and stays in L2 while the strips of a pass over it. */
#define GEMM_KC 256
#define GEMM_NC(T) ((ptrdiff_t)(2048 / sizeof(T)))
#define GEMM_ROW_NV 8 /* vectors in the tile of a product with one row; at most GEMM_MR * GEMM_NV */

/* shapes of a strip: as many rows as a tile has, at most half of them, one */
enum { FULL, HALF, ROW };

#define GEMM_MIN(x, y) ((x) < (y) ? (x) : (y))
#define GEMM_PASTE_(f, s) f##_##s
#define GEMM_PASTE(f, s) GEMM_PASTE_(f, s)
#define GEMM_INLINE inline __attribute__((always_inline))
#define GEMM_NOINLINE __attribute__((noinline))
#if defined(__clang__)
#define GEMM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GEMM_UNROLL _Pragma("GCC unroll 16")
#endif

/* What a level says of itself:
 * GEMM_TARGET              the attribute that allows its instructions
 * GEMM_BYTES               in a vector
 * GEMM_MR, GEMM_NV         rows, and vectors in a row, of accumulators in the full tile
 * GEMM_MADD(x, y, acc)     scalar x * vector y + acc
 * GEMM_PACK_A              1 to pack a always, 0 to read it in place if its column stride is 1
 * GEMM_DIRECT              up to so many rows of a, packing does not repay for a b of column stride 1
 *
 * Level 0: 16-byte vectors.  More than eight accumulators spill in the code that browsers make of wasm, and as wasm
 * addresses have no index, a packed strip of a saves an addition for each row. */
#define GEMM_TARGET
#define GEMM_BYTES 16
#define GEMM_MR 4
#define GEMM_NV 2
#define GEMM_MADD(x, y, acc) ((acc) + (x) * (y))
#define GEMM_PACK_A 1
#define GEMM_DIRECT 32
#define GEMM_T float
#define GEMM_SUFFIX f32_0
#include "gemm_tile.h"
#define GEMM_T double
#define GEMM_SUFFIX f64_0
#include "gemm_tile.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* Level 1: 6 x 2 accumulators, two vectors of b and one of a fill fifteen of the sixteen 32-byte registers. */
#undef GEMM_TARGET
#undef GEMM_BYTES
#undef GEMM_MR
#undef GEMM_MADD
#undef GEMM_PACK_A
#undef GEMM_DIRECT
#define GEMM_PACK_A 0
#define GEMM_DIRECT 96
#define GEMM_TARGET __attribute__((target("avx2,fma")))
#define GEMM_BYTES 32
#define GEMM_MR 6
#define GEMM_MADD(x, y, acc) _mm256_fmadd_ps(_mm256_set1_ps(x), y, acc)
#define GEMM_T float
#define GEMM_SUFFIX f32_1
#include "gemm_tile.h"
#undef GEMM_MADD
#define GEMM_MADD(x, y, acc) _mm256_fmadd_pd(_mm256_set1_pd(x), y, acc)
#define GEMM_T double
#define GEMM_SUFFIX f64_1
#include "gemm_tile.h"

/* Level 2: 8 x 2 of the thirty-two 64-byte registers; with more rows, the pointers to those of a would spill. */
#undef GEMM_TARGET
#undef GEMM_BYTES
#undef GEMM_MR
#undef GEMM_MADD
#define GEMM_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma")))
#define GEMM_BYTES 64
#define GEMM_MR 8
#define GEMM_MADD(x, y, acc) _mm512_fmadd_ps(_mm512_set1_ps(x), y, acc)
#define GEMM_T float
#define GEMM_SUFFIX f32_2
#include "gemm_tile.h"
#undef GEMM_MADD
#define GEMM_MADD(x, y, acc) _mm512_fmadd_pd(_mm512_set1_pd(x), y, acc)
#define GEMM_T double
#define GEMM_SUFFIX f64_2
#include "gemm_tile.h"
#else
#define gemm_f32_1 gemm_f32_0
#define gemm_f64_1 gemm_f64_0
#define gemm_f32_2 gemm_f32_0
#define gemm_f64_2 gemm_f64_0
#endif

/* What each level provides: gemm.h's product, less the level. */
typedef void gemm_f32_kernel(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t rsa,
                             ptrdiff_t csa, const float *b, ptrdiff_t rsb, ptrdiff_t csb, float *c,
                             ptrdiff_t rsc, bool accumulate, float *scratch);
typedef void gemm_f64_kernel(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const double *a, ptrdiff_t rsa,
                             ptrdiff_t csa, const double *b, ptrdiff_t rsb, ptrdiff_t csb, double *c,
                             ptrdiff_t rsc, bool accumulate, double *scratch);

/* The slivers of one block and one strip, at the level that takes most: vectors of 64 bytes, 8 rows in a strip, padded
 * to 4 columns.  A product of one column may be computed as one of one row, so m counts for n. */
static size_t scratch_size(int64_t m, int64_t n, int64_t k, size_t item) {
    const int64_t lanes = 64 / (int64_t)item, columns = GEMM_MIN(n == 1 ? m : n, 2048 / (int64_t)item);
    const int64_t terms = GEMM_MIN(k, GEMM_KC);
    return (size_t)((columns + lanes - 1) / lanes * lanes * terms + 8 * (terms + 3)) * item;
}

size_t ebb_gemm_scratch_f32(int64_t m, int64_t n, int64_t k) { return scratch_size(m, n, k, sizeof(float)); }

size_t ebb_gemm_scratch_f64(int64_t m, int64_t n, int64_t k) { return scratch_size(m, n, k, sizeof(double)); }

void ebb_gemm_f32(int level, int64_t m, int64_t n, int64_t k, const float *a, int64_t rsa, int64_t csa,
                  const float *b, int64_t rsb, int64_t csb, float *c, int64_t rsc, bool accumulate, void *scratch) {
    static gemm_f32_kernel *const levels[] = {gemm_f32_0, gemm_f32_1, gemm_f32_2};
    levels[level]((ptrdiff_t)m, (ptrdiff_t)n, (ptrdiff_t)k, a, (ptrdiff_t)rsa, (ptrdiff_t)csa, b,
                  (ptrdiff_t)rsb, (ptrdiff_t)csb, c, (ptrdiff_t)rsc, accumulate, scratch);
}

void ebb_gemm_f64(int level, int64_t m, int64_t n, int64_t k, const double *a, int64_t rsa, int64_t csa,
                  const double *b, int64_t rsb, int64_t csb, double *c, int64_t rsc, bool accumulate,
                  void *scratch) {
    static gemm_f64_kernel *const levels[] = {gemm_f64_0, gemm_f64_1, gemm_f64_2};
    levels[level]((ptrdiff_t)m, (ptrdiff_t)n, (ptrdiff_t)k, a, (ptrdiff_t)rsa, (ptrdiff_t)csa, b,
                  (ptrdiff_t)rsb, (ptrdiff_t)csb, c, (ptrdiff_t)rsc, accumulate, scratch);
}
