/* gemm.h - floor 5: the portable matrix product under matmul: blocked, packed, vectorised.
 *
 *     c[i*rsc + j]  =  (accumulate ? c[i*rsc + j] : 0)  +  sum over p < k of  a[i*rsa + p*csa] * b[p*rsb + j*csb]
 *     a: (m, k), b: (k, n), any strides;  c: (m, n), unit column stride, row stride rsc;  i < m, j < n.
 *
 * A transposed operand is given by its strides, and never copied whole.  Without accumulate c is only written, so it
 * may hold anything.  c overlaps neither operand.  m, n, k >= 0; k = 0 is the empty sum.
 *
 * The bits of c[i, j] depend on row i of a, column j of b, k, the level, and with accumulate on c[i, j] itself: not on
 * m, n, strides, or where the element falls in a tile (the payload of a NaN excepted).  So a caller may cut m and n as
 * it likes, over threads too, and get the same result.
 *
 * level, 0 to 2, says which instructions the processor has; the caller finds out.  0: any (x86-64 SSE2, wasm simd128),
 * products rounded before they are added.  1: AVX2 and FMA.  2: AVX-512 F, DQ, BW, VL.  Off x86-64 every level is 0.
 *
 * scratch is the caller's: ebb_gemm_scratch bytes for these m, n, k, aligned to 64, overwritten.  No other state. */
#ifndef EBB_GEMM_H
#define EBB_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of scratch, enough at any level; with n (m if n is 1) and k they grow to 600 KB at most. */
size_t ebb_gemm_scratch_f32(int64_t m, int64_t n, int64_t k);
size_t ebb_gemm_scratch_f64(int64_t m, int64_t n, int64_t k);

void ebb_gemm_f32(int level, int64_t m, int64_t n, int64_t k, const float *a, int64_t rsa, int64_t csa,
                  const float *b, int64_t rsb, int64_t csb, float *c, int64_t rsc, bool accumulate, void *scratch);
void ebb_gemm_f64(int level, int64_t m, int64_t n, int64_t k, const double *a, int64_t rsa, int64_t csa,
                  const double *b, int64_t rsb, int64_t csb, double *c, int64_t rsc, bool accumulate,
                  void *scratch);

#endif
