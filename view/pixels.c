/* pixels.c - floor 6: parts of a tensor as pictures: thumbnails, windows, all its elements. */
#include "elements.h"
#include <string.h>

/* The last two dims as a picture: a 1-d tensor is one row, a 0-d one a single pixel. */
typedef struct plane {
    int64_t rows, cols, row_step, col_step;
} plane;

static plane plane_of(const ebb_info *t) {
    plane p = {1, 1, 0, 0};
    if (t->ndim > 0) {
        p.cols = t->shape[t->ndim - 1];
        p.col_step = t->stride[t->ndim - 1];
    }
    if (t->ndim > 1) {
        p.rows = t->shape[t->ndim - 2];
        p.row_step = t->stride[t->ndim - 2];
    }
    return p;
}

/* The sum of n elements from an offset on. Four sums side by side: one would wait for itself. */
static double sum_of(const ebb_info *t, int64_t from, int64_t step, int64_t n) {
    double s[4] = {0};
    int64_t i = 0;
    if (t->dtype == EBB_F32 && step == 1) {
        const float *x = (const float *)t->data + from;
        for (; i + 4 <= n; i += 4)
            for (int k = 0; k < 4; k++) s[k] += (double)x[i + k];
    }
    for (; i < n; i++) s[0] += ebb__element(t, from + i * step);
    return s[0] + s[1] + s[2] + s[3];
}

void ebb__thumbnail(const ebb_info *t, float *pixels, int32_t *rows, int32_t *cols) {
    const plane p = plane_of(t);
    *rows = *cols = 0;
    if (!t->numel) return;
    const int64_t h = p.rows < EBB_TRACE_SIDE ? p.rows : EBB_TRACE_SIDE,
                  w = p.cols < EBB_TRACE_SIDE ? p.cols : EBB_TRACE_SIDE;
    for (int64_t i = 0; i < h; i++)
        for (int64_t j = 0; j < w; j++) {
            double sum = 0;
            const int64_t top = i * p.rows / h, bottom = (i + 1) * p.rows / h, left = j * p.cols / w,
                          right = (j + 1) * p.cols / w;
            for (int64_t r = top; r < bottom; r++)
                sum += sum_of(t, r * p.row_step + left * p.col_step, p.col_step, right - left);
            pixels[i * w + j] = ebb__to_float(sum / (double)((bottom - top) * (right - left)));
        }
    *rows = (int32_t)h;
    *cols = (int32_t)w;
}

void ebb__elements(const ebb_info *t, float *out) {
    const plane p = plane_of(t);
    int64_t at[EBB_MAX_DIMS] = {0}, from = 0;
    for (int64_t i = 0; i < t->numel;) {
        for (int64_t r = 0; r < p.rows; r++)
            for (int64_t c = 0; c < p.cols; c++)
                out[i++] = ebb__to_float(ebb__element(t, from + r * p.row_step + c * p.col_step));
        for (int32_t d = t->ndim - 3; d >= 0; d--) { /* the next slice */
            from += t->stride[d];
            if (++at[d] < t->shape[d]) break;
            from -= at[d] * t->stride[d];
            at[d] = 0;
        }
    }
}

int64_t ebb_window(const ebb_tensor *t, const int64_t *index, int64_t row, int64_t col, int64_t rows,
                   int64_t cols, float *out, int64_t *got_rows, int64_t *got_cols) {
    if (got_rows) *got_rows = 0;
    if (got_cols) *got_cols = 0;
    if (!t) return -1;
    ebb *e = ebb_tensor_session(t);
    if (ebb_failed(e)) return -1;
    ebb_info info;
    ebb_tensor_info(t, &info);
    const plane p = plane_of(&info);
    if (row < 0 || col < 0 || rows < 0 || cols < 0 || !out || !got_rows || !got_cols || (info.ndim > 2 && !index)) {
        ebb_fail(e, EBB_E_ARG,
                 "ebb_window: a part of %lld x %lld from (%lld, %lld) on, and where it goes, are needed",
                 (long long)rows, (long long)cols, (long long)row, (long long)col);
        return -1;
    }
    int64_t from = 0;
    for (int32_t d = 0; d + 2 < info.ndim; d++) {
        if (index[d] < 0 || index[d] >= info.shape[d]) {
            ebb_fail(e, EBB_E_INDEX, "ebb_window: index %lld is outside dim %d of size %lld",
                     (long long)index[d], d, (long long)info.shape[d]);
            return -1;
        }
        from += index[d] * info.stride[d];
    }
    const int64_t h = row < p.rows ? (rows < p.rows - row ? rows : p.rows - row) : 0,
                  w = col < p.cols ? (cols < p.cols - col ? cols : p.cols - col) : 0;
    for (int64_t r = 0; r < h; r++)
        for (int64_t c = 0; c < w; c++)
            out[r * w + c] =
                ebb__to_float(ebb__element(&info, from + (row + r) * p.row_step + (col + c) * p.col_step));
    *got_rows = w ? h : 0;
    *got_cols = h ? w : 0;
    return h * w;
}
