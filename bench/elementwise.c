/* elementwise.c - floor 7: ops on a million elements, where memory and vector code decide. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "lcg.h"
#include <stdio.h>
#include <string.h>

enum { SIDE = 1024, COUNT = SIDE * SIDE, REPEATS = 40 };

/* Ops by name. square: the operand is seen as 1024 x 1024. */
static const struct {
    const char *key, *op, *attrs;
    int inputs;
    bool square, backward;
} rows[] = {
    {"g/add", "add", NULL, 2, false, false},
    {"g/mul", "mul", NULL, 2, false, false},
    {"g/relu", "relu", NULL, 1, false, false},
    {"g/exp", "exp", NULL, 1, false, false},
    {"g/tanh", "tanh", NULL, 1, false, false},
    {"g/sigmoid", "sigmoid", NULL, 1, false, false},
    {"g/softmax", "softmax", "dim=-1", 1, true, false},
    {"g/sum", "sum", NULL, 1, false, false},
    {"g/transpose", "transpose", "dim0=0 dim1=1", 1, true, false},
    {"g/mul+backward", "mul", NULL, 2, false, true},
    {"g/exp+backward", "exp", NULL, 1, false, true},
    {"g/tanh+backward", "tanh", NULL, 1, false, true},
    {"g/softmax+backward", "softmax", "dim=-1", 1, true, true},
};

typedef struct job {
    ebb *e;
    size_t row;
    ebb_tensor *a, *b, *square, *leaf, *leaf_square, *seed, *seed_square; /* flat or square */
    ebb_optim *opt;
} job;

static double op_block(void *user) {
    const job *j = (const job *)user;
    const bool square = rows[j->row].square, backward = rows[j->row].backward;
    ebb_tensor *leaf = square ? j->leaf_square : j->leaf;
    ebb_tensor *x[2] = {backward ? leaf : square ? j->square : j->a, j->b};
    const double start = bench_clock();
    for (int i = 0; i < REPEATS; i++) {
        ebb_scope *s = ebb_begin(j->e);
        ebb_tensor *y = NULL;
        ebb_call_named(j->e, rows[j->row].op, rows[j->row].inputs, x, rows[j->row].attrs, 1, &y);
        if (!strcmp(rows[j->row].op, "transpose"))
            y = ebb_contiguous(y); /* a view until something moves it */
        if (backward) {
            ebb_backward_with(y, square ? j->seed_square : j->seed, 0);
            ebb_grad_set(leaf, NULL);
        }
        ebb_end(s);
    }
    return ebb_failed(j->e) ? -1 : (bench_clock() - start) / REPEATS;
}

static double adam_block(void *user) {
    const job *j = (const job *)user;
    const double start = bench_clock();
    for (int i = 0; i < REPEATS; i++) ebb_optim_step(j->opt);
    return ebb_failed(j->e) ? -1 : (bench_clock() - start) / REPEATS;
}

/* u*4 - 2 */
static ebb_tensor *numbers(ebb *e, uint32_t seed, ebb_ints shape) {
    ebb_tensor *t = ebb_tensor_new(e, EBB_F32, shape, NULL);
    float *data = ebb_data_mut(t);
    if (!data) return NULL;
    lcg_uniform(seed, COUNT, data);
    for (int64_t i = 0; i < COUNT; i++) data[i] = data[i] * 4 - 2;
    return t;
}

void bench_elementwise(bench *b) {
    if (!bench_wants(b, "g")) return;
    job j = {.e = bench_open(b, b->backend)};
    if (!j.e) return;
    const ebb_ints flat = EBB_SHAPE(COUNT), square = EBB_SHAPE(SIDE, SIDE);
    j.a = numbers(j.e, 7000, flat);
    j.b = numbers(j.e, 7001, flat);
    j.square = numbers(j.e, 7000, square);
    j.leaf = numbers(j.e, 7000, flat);
    j.leaf_square = numbers(j.e, 7000, square);
    j.seed = ebb_full(j.e, EBB_F32, flat, 1);
    j.seed_square = ebb_full(j.e, EBB_F32, square, 1);
    ebb_requires_grad(j.leaf, true);
    ebb_requires_grad(j.leaf_square, true);
    for (; j.row < sizeof rows / sizeof *rows && !ebb_failed(j.e); j.row++) {
        char what[48];
        snprintf(what, sizeof what, "%s%s of a million elements", rows[j.row].op,
                 rows[j.row].backward ? " and backward" : "");
        bench_run(
            b, &(bench_case){
                   .key = rows[j.row].key, .what = what, .unit = "us", .scale = 1e6, .block = op_block, .user = &j});
    }
    if (bench_wants(b, "g/adam") && !ebb_failed(j.e)) {
        ebb_grad_set(j.leaf, j.b);
        j.opt = ebb_optim_over(j.e, "adam", "lr=1e-3", 1, &j.leaf);
        bench_run(b, &(bench_case){.key = "g/adam",
                                   .what = "Adam on a million parameters",
                                   .unit = "us",
                                   .scale = 1e6,
                                   .block = adam_block,
                                   .user = &j});
        ebb_optim_free(j.opt);
    }
    bench_close(b, j.e);
}
