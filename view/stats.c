/* stats.c - floor 6: what the elements of a tensor are like: range, mean, spread, counts, bins.
 *
 * Two passes over blocks of row-major elements: the first finds range, sum and what is not finite, the second the spread around the
 * mean and the bins. A block that is finite, as nearly all are, is summed in lanes that the compiler makes vectors of. */
#include "elements.h"
#include <math.h>
#include <string.h>

enum { BLOCK = 1024, LANES = 16, BANKS = 4 };

typedef struct sums {
    double lo, hi, sum, square, spread; /* of the finite elements; spread: squares around the mean */
    double mean, scale;                 /* for the second pass; scale: bins for one unit */
    int64_t n_finite, n_nan, n_inf, n_zero, first_bad;
    uint32_t bin[BANKS][EBB_TRACE_BINS]; /* neighbours count into different banks: equal values would wait for each other */
} sums;

/* ---- the passes over one block -------------------------------------------------------------------------------------- */

static void first_slow(sums *s, double x, int64_t at) {
    if (x - x != 0) {
        s->n_nan += x != x;
        s->n_inf += x == x;
        if (s->first_bad < 0) s->first_bad = at;
        return;
    }
    s->n_finite++;
    s->n_zero += x == 0;
    s->sum += x;
    s->square += x * x;
    s->lo = x < s->lo ? x : s->lo;
    s->hi = x > s->hi ? x : s->hi;
}

static void second_slow(sums *s, double x, int64_t at) {
    if (x - x != 0) return;
    const double off = x - s->mean;
    s->spread += off * off;
    const int k = (int)((x - s->lo) * s->scale);
    s->bin[at % BANKS][k < EBB_TRACE_BINS ? k : EBB_TRACE_BINS - 1]++;
}

/* A float is not finite when its bits without the sign reach those of Inf: adding what lacks to the sign bit tells. */
#define PASSES(T, U, infinity)                                                                               \
    static bool finite_##T(const T *x, int64_t n) {                                                          \
        const U sign = (U)1 << (8 * sizeof(U) - 1), lack = sign - (infinity);                                \
        U seen = 0, u;                                                                                       \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            memcpy(&u, x + i, sizeof u);                                                                     \
            seen |= (u & ~sign) + lack;                                                                      \
        }                                                                                                    \
        return !(seen & sign);                                                                               \
    }                                                                                                        \
    static void first_##T(sums *s, const T *x, int64_t n, int64_t at) {                                      \
        int64_t i = 0;                                                                                       \
        if (n >= LANES && finite_##T(x, n)) {                                                                \
            T lo[LANES], hi[LANES];                                                                          \
            double sum[LANES] = {0}, square[LANES] = {0};                                                    \
            int32_t zero[LANES] = {0};                                                                       \
            for (int k = 0; k < LANES; k++) lo[k] = hi[k] = x[k];                                            \
            for (; i + LANES <= n; i += LANES)                                                               \
                for (int k = 0; k < LANES; k++) {                                                            \
                    const T v = x[i + k];                                                                    \
                    lo[k] = v < lo[k] ? v : lo[k];                                                           \
                    hi[k] = v > hi[k] ? v : hi[k];                                                           \
                    sum[k] += (double)v;                                                                     \
                    square[k] += (double)v * (double)v;                                                      \
                    zero[k] += v == 0;                                                                       \
                }                                                                                            \
            for (int k = 0; k < LANES; k++) {                                                                \
                s->lo = (double)lo[k] < s->lo ? (double)lo[k] : s->lo;                                       \
                s->hi = (double)hi[k] > s->hi ? (double)hi[k] : s->hi;                                       \
                s->sum += sum[k];                                                                            \
                s->square += square[k];                                                                      \
                s->n_zero += zero[k];                                                                        \
            }                                                                                                \
            s->n_finite += i;                                                                                \
        }                                                                                                    \
        for (; i < n; i++) first_slow(s, (double)x[i], at + i);                                              \
    }                                                                                                        \
    static void second_##T(sums *s, const T *x, int64_t n) {                                                 \
        int64_t i = 0;                                                                                       \
        if (n >= LANES && finite_##T(x, n)) {                                                                \
            double spread[LANES] = {0};                                                                      \
            int32_t bin[LANES];                                                                              \
            for (; i + LANES <= n; i += LANES) {                                                             \
                for (int k = 0; k < LANES; k++) {                                                            \
                    const double v = (double)x[i + k], off = v - s->mean;                                    \
                    spread[k] += off * off;                                                                  \
                    bin[k] = (int32_t)((v - s->lo) * s->scale);                                              \
                }                                                                                            \
                for (int k = 0; k < LANES; k++)                                                              \
                    s->bin[k % BANKS][bin[k] < EBB_TRACE_BINS ? bin[k] : EBB_TRACE_BINS - 1]++;              \
            }                                                                                                \
            for (int k = 0; k < LANES; k++) s->spread += spread[k];                                          \
        }                                                                                                    \
        for (; i < n; i++) second_slow(s, (double)x[i], i);                                                  \
    }

PASSES(float, uint32_t, 0x7f800000u)
PASSES(double, uint64_t, UINT64_C(0x7ff0000000000000))

/* ---- blocks of a tensor -------------------------------------------------------------------------------------------- */

/* Elements in row-major order, a block at a time. */
typedef struct reader {
    const ebb_info *t;
    int64_t at[EBB_MAX_DIMS]; /* where the next row begins */
    int64_t from, done;       /* its offset; elements of the current row that have been handed out */
    bool together;            /* contiguous: one long row */
} reader;

static reader reader_of(const ebb_info *t) {
    reader r = {.t = t, .together = true};
    int64_t next = 1;
    for (int32_t d = t->ndim - 1; d >= 0; next *= t->shape[d--])
        r.together = r.together && (t->shape[d] == 1 || t->stride[d] == next);
    return r;
}

/* -> where the next n elements of the row lie, *step apart. */
static int64_t reader_next(reader *r, int64_t *from, int64_t *step) {
    const ebb_info *t = r->t;
    const int64_t row = r->together ? t->numel : t->shape[t->ndim - 1];
    *step = r->together ? 1 : t->stride[t->ndim - 1];
    *from = r->from + r->done * *step;
    const int64_t n = row - r->done < BLOCK ? row - r->done : BLOCK;
    r->done += n;
    if (r->done < row) return n;
    r->done = 0;
    for (int32_t d = t->ndim - 2; d >= 0; d--) {
        r->from += t->stride[d];
        if (++r->at[d] < t->shape[d]) break;
        r->from -= r->at[d] * t->stride[d];
        r->at[d] = 0;
    }
    return n;
}

static void pass(const ebb_info *t, sums *s, bool second) {
    reader r = reader_of(t);
    for (int64_t i = 0; i < t->numel;) {
        int64_t from, step;
        const int64_t n = reader_next(&r, &from, &step);
        if (t->dtype == EBB_F32 && step == 1) {
            const float *x = (const float *)t->data + from;
            if (second) second_float(s, x, n);
            else first_float(s, x, n, i);
        } else {
            double x[BLOCK];
            for (int64_t k = 0; k < n; k++) x[k] = ebb__element(t, from + k * step);
            if (second) second_double(s, x, n);
            else first_double(s, x, n, i);
        }
        i += n;
    }
}

static void stats_of(const ebb_info *t, ebb_trace_stats *out) {
    sums s = {.lo = INFINITY, .hi = -INFINITY, .first_bad = -1};
    *out = (ebb_trace_stats){.min = NAN, .max = NAN, .mean = NAN, .std = NAN, .norm = NAN, .elements = -1};
    pass(t, &s, false);
    out->n = t->numel > INT32_MAX ? INT32_MAX : (int32_t)t->numel;
    out->n_nan = (int32_t)s.n_nan;
    out->n_inf = (int32_t)s.n_inf;
    out->n_zero = (int32_t)s.n_zero;
    out->first_bad = (int32_t)s.first_bad;
    if (!s.n_finite) return;
    const double width = s.hi - s.lo;
    s.mean = s.sum / (double)s.n_finite;
    s.scale = width > 0 && width <= DBL_MAX ? EBB_TRACE_BINS / width : 0;
    pass(t, &s, true);
    out->min = ebb__to_float(s.lo);
    out->max = ebb__to_float(s.hi);
    out->mean = ebb__to_float(s.mean);
    out->std = ebb__to_float(sqrt(s.spread / (double)s.n_finite));
    out->norm = ebb__to_float(sqrt(s.square));
    for (int k = 0; k < EBB_TRACE_BINS; k++)
        for (int b = 0; b < BANKS; b++) out->bin[k] += s.bin[b][k];
}

ebb_status ebb_stats_of(const ebb_tensor *t, ebb_trace_stats *out, float *pixels) {
    if (!t) return EBB_E_ARG;
    ebb *e = ebb_tensor_session(t);
    if (ebb_failed(e)) return ebb_error_code(e);
    if (!out || !pixels)
        return ebb_fail(e, EBB_E_ARG, "ebb_stats_of: places for the statistics and %d pixels are needed",
                        EBB_TRACE_SIDE * EBB_TRACE_SIDE);
    ebb_info info;
    ebb_tensor_info(t, &info);
    stats_of(&info, out);
    ebb__thumbnail(&info, pixels, &out->rows, &out->cols);
    return EBB_OK;
}

int32_t ebb__stats_add(ebb__tables *to, const ebb_tensor *t, int64_t keep) {
    if (!t) return -1;
    ebb_info info;
    ebb_tensor_info(t, &info);
    ebb_trace_stats s;
    float pixels[EBB_TRACE_SIDE * EBB_TRACE_SIDE];
    stats_of(&info, &s);
    ebb__thumbnail(&info, pixels, &s.rows, &s.cols);
    const size_t n_pixels = (size_t)s.rows * (size_t)s.cols;
    if (info.numel <= keep) {
        s.elements = ebb__table_add(to, &to->floats, (size_t)info.numel);
        if (s.elements < 0) return -1;
        ebb__elements(&info, ebb__float_at(to, s.elements));
    }
    if (s.elements >= 0 && (int64_t)n_pixels == info.numel) { /* the thumbnail is all of it */
        s.pixels = s.elements;
    } else {
        s.pixels = ebb__table_add(to, &to->floats, n_pixels);
        if (s.pixels < 0) return -1;
        memcpy(ebb__float_at(to, s.pixels), pixels, n_pixels * sizeof *pixels);
    }
    const int32_t i = ebb__table_add(to, &to->stats, 1);
    if (i >= 0) *ebb__stats_at(to, i) = s;
    return i;
}
