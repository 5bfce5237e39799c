/* rng.c - floor 1: the counter-based generator: element i of draw d under seed s is a pure function of (s, d, i).
 *
 * Philox4x32-10 (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"): no state but a counter, so any
 * number of threads, and any platform, gives the same bits. */
#include "session.h"
#include <ebb/random.h>

void ebb_seed(ebb *e, uint64_t seed) {
    if (!e) return;
    e->seed = seed;
    e->draws = 0;
}

int64_t ebb__key_next(ebb *e) {
    for (;;) {
        const ebb_block b = ebb_philox(e->seed, e->draws++, UINT64_MAX);
        const int64_t key = (int64_t)(((uint64_t)b.r[0] << 32 | b.r[1]) >> 11); /* exact as a double, and in text */
        if (key) return key;
    }
}

/* 53 bits of block i of draw d, as a number in [0,1). */
static double unit(const ebb *e, uint64_t draw, int64_t i, int half) {
    const ebb_block b = ebb_philox(e->seed, draw, (uint64_t)i);
    return ebb_unit_f64(b.r[2 * half], b.r[2 * half + 1]);
}

uint64_t ebb_random_below(ebb *e, uint64_t bound) {
    if (!e || bound < 2) return 0;
    const uint64_t draw = e->draws++, over = (0 - bound) % bound; /* values below `over` would favour small results */
    for (uint64_t i = 0;; i++) {
        const ebb_block b = ebb_philox(e->seed, draw, i);
        const uint64_t v = (uint64_t)b.r[0] << 32 | b.r[1];
        if (v >= over) return v % bound;
    }
}

static ebb_tensor *random_new(ebb *e, ebb_dtype dtype, ebb_ints shape, bool normal) {
    if (!e) return NULL;
    if (dtype != EBB_F32 && dtype != EBB_F64) {
        ebb_fail(e, EBB_E_DTYPE, "random numbers are f32 or f64, not %s", ebb_dtype_name(dtype));
        return NULL;
    }
    ebb_tensor *t = ebb__tensor(e, (int)dtype, shape.n, shape.v);
    if (!t) return NULL;
    const uint64_t draw = e->draws++;
    for (int64_t i = 0; i < t->numel; i++) {
        double v = unit(e, draw, i, 0);
        if (normal) /* Box and Muller, 1958; in ebb's own functions, so that the bits are the same everywhere */
            v = ebb_sqrt_f64(-2 * ebb_log_f64(1 - v)) * ebb_cos_f64(6.283185307179586 * unit(e, draw, i, 1));
        else if (dtype == EBB_F32 && (float)v >= 1) v = 0.99999994;
        ebb__store((int)dtype, t->data, i, v);
    }
    return t;
}

ebb_tensor *ebb_rand(ebb *e, ebb_dtype dtype, ebb_ints shape) { return random_new(e, dtype, shape, false); }
ebb_tensor *ebb_randn(ebb *e, ebb_dtype dtype, ebb_ints shape) { return random_new(e, dtype, shape, true); }
