/* matmul.c - floor 7: ebb's own matrix product against the oneDNN backend's, in one interleaved run. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "lcg.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct product {
    ebb *e;
    ebb_tensor *a, *b;
    int repeats;
} product;

static const struct {
    int m, k, n;
    double target_ratio;
} shapes[] = {{64, 64, 64, 0},       {128, 128, 128, 0}, {256, 256, 256, 0}, {512, 512, 512, 0.6},
              {1024, 1024, 1024, 0}, {64, 784, 128, 0},  {64, 512, 512, 0},  {1, 1024, 1024, 0}};

static double block(void *user) {
    const product *p = (const product *)user;
    const double start = bench_clock();
    for (int i = 0; i < p->repeats; i++) {
        ebb_scope *s = ebb_begin(p->e);
        ebb_matmul(p->a, p->b);
        ebb_end(s);
    }
    return ebb_failed(p->e) ? -1 : (bench_clock() - start) / p->repeats;
}

static ebb_tensor *matrix(ebb *e, uint32_t seed, int64_t rows, int64_t cols) {
    ebb_tensor *t = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(rows, cols), NULL);
    float *data = ebb_data_mut(t);
    if (data) lcg_weights(seed, rows * cols, 4, data);
    return t;
}

void bench_matmul(bench *b) {
    if (!bench_wants(b, "matmul")) return;
    ebb *own = bench_open(b, "portable"), *fast = own ? bench_open(b, "auto") : NULL;
    const bool rival = fast && ebb_backend_name(fast) && ebb_backend_name(own) != ebb_backend_name(fast);
    for (size_t i = 0; own && fast && i < sizeof shapes / sizeof *shapes; i++) {
        const int m = shapes[i].m, k = shapes[i].k, n = shapes[i].n;
        const double flops = 2.0 * m * k * n;
        const int repeats = (int)(2e9 / flops) + 1; /* some 10 ms */
        char key[32];
        snprintf(key, sizeof key, "matmul/%dx%dx%d", m, k, n);
        ebb_scope *s = ebb_begin(own), *t = ebb_begin(fast);
        product p = {own, matrix(own, 1, m, k), matrix(own, 2, k, n), repeats};
        product q = {fast, matrix(fast, 1, m, k), matrix(fast, 2, k, n), repeats};
        bench_case c = {.key = key,
                        .what = "the portable product",
                        .unit = "GF/s",
                        .scale = 1e-9,
                        .work = flops,
                        .block = block,
                        .user = &p,
                        .target_ratio = shapes[i].target_ratio};
        if (rival) c.rival = block, c.rival_user = &q;
        bench_run(b, &c);
        ebb_end(t);
        ebb_end(s);
    }
    if (own) bench_close(b, own);
    if (fast) bench_close(b, fast);
}
