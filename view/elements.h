/* elements.h - floor 6: the elements of a tensor as numbers: statistics and pictures. Private to view/. */
#ifndef EBB_ELEMENTS_H
#define EBB_ELEMENTS_H
#include "tables.h"
#include <float.h>

/* The element at an offset from the first, in elements. */
static inline double ebb__element(const ebb_info *t, int64_t at) {
    switch (t->dtype) {
    case EBB_F32: return (double)((const float *)t->data)[at];
    case EBB_F64: return ((const double *)t->data)[at];
    case EBB_I32: return (double)((const int32_t *)t->data)[at];
    case EBB_I64: return (double)((const int64_t *)t->data)[at];
    default: return (double)((const uint8_t *)t->data)[at];
    }
}

/* As f32: what is finite stays finite. */
static inline float ebb__to_float(double v) {
    if (v > (double)FLT_MAX && v - v == 0) return FLT_MAX;
    if (v < -(double)FLT_MAX && v - v == 0) return -FLT_MAX;
    return (float)v;
}

/* pixels.c: the thumbnail, into pixels (rows * cols of them, at most EBB_TRACE_SIDE squared). */
void ebb__thumbnail(const ebb_info *t, float *pixels, int32_t *rows, int32_t *cols);
/* All elements in row-major order. */
void ebb__elements(const ebb_info *t, float *out);
/* stats.c: the statistics of t into the tables, with its elements when there are at most `keep`. -> index in `stats`, -1 on error or for NULL */
int32_t ebb__stats_add(ebb__tables *to, const ebb_tensor *t, int64_t keep);
#endif
