/* chains.c - floor 7: what one op costs beside its arithmetic: chains of one-element adds. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include <math.h>
#include <stdio.h>

enum { LENGTH = 1000, REPEATS = 50, MILLION = 1000000 };

typedef struct chain {
    ebb *e;
    ebb_tensor *a, *b;
    bool backward;
} chain;

static ebb_tensor *grow(const chain *c, int n) {
    ebb_tensor *t = c->a;
    for (int i = 0; i < n; i++) t = ebb_add(t, c->b);
    return t;
}

static double block(void *user) {
    const chain *c = (const chain *)user;
    const double start = bench_clock();
    for (int r = 0; r < REPEATS; r++) {
        ebb_scope *s = ebb_begin(c->e);
        ebb_tensor *t = grow(c, LENGTH);
        if (c->backward) {
            ebb_backward(t);
            ebb_grad_set(c->a, NULL);
        }
        ebb_end(s);
    }
    const double seconds = (bench_clock() - start) / (REPEATS * (double)LENGTH);
    return ebb_failed(c->e) ? -1 : seconds;
}

/* A million recorded ops: time of both directions, and bytes of each op. Once: it is long enough. */
static void million(bench *b, const chain *c) {
    ebb_memory before, after;
    ebb_memory_stats(c->e, &before);
    const double start = bench_clock();
    ebb_scope *s = ebb_begin(c->e);
    ebb_tensor *t = grow(c, MILLION);
    const double forward = bench_clock();
    ebb_memory_stats(c->e, &after);
    ebb_backward(t);
    const double backward = bench_clock();
    const double slope = ebb_grad_of(c->a) ? ebb_item(ebb_grad_of(c->a)) : NAN;
    ebb_end(s);
    if (ebb_failed(c->e)) return;
    if (slope != 1) {
        fprintf(stderr, "ebb-bench: million: the derivative is %g, but should be 1\n", slope);
        b->failed = true;
    }
    bench_value(b, "million/forward", "a chain of 1,000,000 adds, forward", "s", forward - start, 0);
    bench_value(b, "million/backward", "... and backward", "s", backward - forward, 1);
    bench_value(b, "million/tape", "tape memory of a recorded op", "bytes",
                (double)(after.tape - before.tape) / MILLION, 200);
    bench_value(b, "million/memory", "... with its result, a live tensor", "bytes",
                (double)(after.in_use - before.in_use) / MILLION, 0);
}

void bench_chains(bench *b) {
    if (!bench_wants(b, "chain") && !bench_wants(b, "million")) return;
    chain c = {.e = bench_open(b, b->backend)};
    if (!c.e) return;
    const float one = 1, little = 1e-3f;
    c.a = ebb_tensor_new(c.e, EBB_F32, EBB_SHAPE(1), &one);
    c.b = ebb_tensor_new(c.e, EBB_F32, EBB_SHAPE(1), &little);
    ebb_requires_grad(c.a, true);
    bench_run(b, &(bench_case){.key = "chain/forward",
                               .what = "one add of one element, recorded",
                               .unit = "us",
                               .scale = 1e6,
                               .block = block,
                               .user = &c,
                               .target = 0.12});
    c.backward = true;
    bench_run(b, &(bench_case){.key = "chain/backward",
                               .what = "... forward and backward",
                               .unit = "us",
                               .scale = 1e6,
                               .block = block,
                               .user = &c,
                               .target = 0.30});
    if (bench_wants(b, "million")) million(b, &c);
    bench_close(b, c.e);
}
