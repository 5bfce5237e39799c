/* batch.c - floor 7: bytes of images to batches of floats. */
#define _POSIX_C_SOURCE 200809L
#include "batch.h"
#include <math.h>

/* Integer sums: the same everywhere. */
void batch_scale(const data_set *train, float value[256]) {
    const int64_t n = train->n * train->rows * train->cols;
    uint64_t sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += train->image[i];
        squares += (uint64_t)train->image[i] * train->image[i];
    }
    const double mean = (double)sum / (double)n, variance = (double)squares / (double)n - mean * mean;
    for (int v = 0; v < 256; v++) value[v] = (float)((v - mean) / sqrt(variance > 0 ? variance : 1));
}

/* Image i, moved down and right by (dy, dx), as floats. What comes in from outside is black. */
static void put_image(const batch_source *s, int64_t i, int64_t dy, int64_t dx, float *to) {
    const int64_t rows = s->set->rows, cols = s->set->cols;
    const uint8_t *from = s->set->image + i * rows * cols;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++) {
            const int64_t y = r - dy, x = c - dx;
            const bool inside = y >= 0 && y < rows && x >= 0 && x < cols;
            to[r * cols + c] = s->value[inside ? from[y * cols + x] : 0];
        }
}

static int64_t random_shift(ebb *e, int64_t most) {
    return most ? (int64_t)ebb_random_below(e, (uint64_t)(2 * most + 1)) - most : 0;
}

void batch_put(ebb *e, batch_source *s, const int64_t *order, int64_t n, int64_t shift, ebb_tensor **x,
               ebb_tensor **y) {
    const int64_t pixels = s->set->rows * s->set->cols;
    for (int64_t i = 0; i < n; i++) {
        const int64_t dy = random_shift(e, shift), dx = random_shift(e, shift);
        put_image(s, order[i], dy, dx, s->x + i * pixels);
        s->y[i] = s->set->label[order[i]];
    }
    *x = ebb_tensor_wrap(e, EBB_F32, EBB_SHAPE(n, pixels), s->x);
    *y = ebb_tensor_wrap(e, EBB_I64, EBB_SHAPE(n), s->y);
}
