/* batch.h - floor 7: batches of images as tensors, shifted at random where that is wanted. */
#ifndef EBB_CLI_BATCH_H
#define EBB_CLI_BATCH_H
#include "data.h"

/* A data set, the float that each of its bytes stands for, and room for one batch. */
typedef struct batch_source {
    const data_set *set;
    float value[256];
    float *x;
    int64_t *y;
} batch_source;

/* value[]: so that the bytes of these images get mean 0 and deviation 1. */
void batch_scale(const data_set *train, float value[256]);
/* The images order[0 .. n), each moved by up to `shift` pixels: *x f32[n, pixels], *y i64[n]. Both lie in the room of s, and
 * belong to the scope. */
void batch_put(ebb *e, batch_source *s, const int64_t *order, int64_t n, int64_t shift, ebb_tensor **x,
               ebb_tensor **y);

#endif
