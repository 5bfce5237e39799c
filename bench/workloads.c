/* workloads.c - floor 7: the standard training steps a, b and e, written as a user would write them. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "lcg.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 3 };

/* A multilayer perceptron with relu, one fixed batch, and what its losses must be. */
typedef struct workload {
    const char *key, *what, *unit;
    double scale, target;
    uint32_t base;
    int layers;
    int64_t size[MAX_LAYERS + 1], batch;
    const char *optim, *attrs;
    bool squares;        /* mean squared error; else cross-entropy */
    int steps;           /* of a timed episode */
    double reference[3]; /* loss of the first, the 10th, the 100th step */
} workload;

static const workload workloads[] = {
    {.key = "a",
     .what = "MLP 784-128-10, batch 64, Adam",
     .unit = "ms",
     .scale = 1e3,
     .target = 0.30,
     .base = 1000,
     .layers = 2,
     .size = {784, 128, 10},
     .batch = 64,
     .optim = "adam",
     .attrs = "lr=1e-3",
     .steps = 100,
     .reference = {2.269752, 1.605078, 0.007809}},
    {.key = "b",
     .what = "MLP 784-512-512-10, batch 64, Adam",
     .unit = "ms",
     .scale = 1e3,
     .target = 1.8,
     .base = 2000,
     .layers = 3,
     .size = {784, 512, 512, 10},
     .batch = 64,
     .optim = "adam",
     .attrs = "lr=1e-3",
     .steps = 100,
     .reference = {2.312149, 1.5874, 0.00002}},
    {.key = "e",
     .what = "MLP 2-16-16-1, batch 8, SGD",
     .unit = "us",
     .scale = 1e6,
     .target = 8,
     .base = 5000,
     .layers = 3,
     .size = {2, 16, 16, 1},
     .batch = 8,
     .optim = "sgd",
     .attrs = "lr=0.01",
     .squares = true,
     .steps = 1000,
     .reference = {.386564, .269704, .104151}},
};

typedef struct state {
    const workload *w;
    ebb *e;
    ebb_tensor *x, *y, *W[MAX_LAYERS], *b[MAX_LAYERS];
    float *initial[MAX_LAYERS];
} state;

static ebb_tensor *loss_of(const state *s) {
    ebb_tensor *h = s->x;
    for (int i = 0; i < s->w->layers; i++) {
        h = ebb_linear(h, s->W[i], s->b[i]);
        if (i < s->w->layers - 1) h = ebb_relu(h);
    }
    return s->w->squares ? ebb_mse_loss(h, s->y) : ebb_cross_entropy(h, s->y);
}

/* n steps from the initial weights; losses of steps 1, 10, 100 to seen[], unless NULL. -> seconds a step */
static double episode(state *s, int n, double *seen) {
    for (int i = 0; i < s->w->layers; i++) {
        const size_t weights = (size_t)ebb_numel(s->W[i]), biases = (size_t)ebb_numel(s->b[i]);
        memcpy(ebb_data_mut(s->W[i]), s->initial[i], weights * sizeof(float));
        memset(ebb_data_mut(s->b[i]), 0, biases * sizeof(float));
    }
    ebb_optim *opt = ebb_optim_new(s->e, s->w->optim, s->w->attrs);
    const double start = bench_clock();
    for (int step = 1; step <= n; step++) {
        ebb_scope *scope = ebb_begin(s->e);
        ebb_tensor *loss = loss_of(s);
        ebb_zero_grad(opt);
        ebb_backward(loss);
        ebb_optim_step(opt);
        if (seen && (step == 1 || step == 10 || step == 100))
            seen[step == 1 ? 0 : step == 10 ? 1 : 2] = ebb_item(loss);
        ebb_end(scope);
    }
    const double seconds = (bench_clock() - start) / n;
    ebb_optim_free(opt);
    return ebb_failed(s->e) ? -1 : seconds;
}

static double timed(void *user) {
    state *s = (state *)user;
    return episode(s, s->w->steps, NULL);
}

static bool prepare(state *s) {
    const workload *w = s->w;
    const int64_t out = w->size[w->layers];
    float x[64 * 784], y[64];
    int64_t label[64];
    lcg_uniform(w->base, w->batch * w->size[0], x);
    s->x = ebb_tensor_new(s->e, EBB_F32, EBB_SHAPE(w->batch, w->size[0]), x);
    lcg_uniform(w->base + 1, w->batch, y);
    lcg_integers(w->base + 1, w->batch, (uint32_t)out, label);
    s->y = w->squares ? ebb_tensor_new(s->e, EBB_F32, EBB_SHAPE(w->batch, 1), y)
                      : ebb_tensor_new(s->e, EBB_I64, EBB_SHAPE(w->batch), label);
    for (int i = 0; i < w->layers; i++) {
        const int64_t n = w->size[i] * w->size[i + 1];
        char name[16];
        snprintf(name, sizeof name, "W%d", i);
        s->W[i] = ebb_param(s->e, name, EBB_F32, EBB_SHAPE(w->size[i + 1], w->size[i]), NULL);
        snprintf(name, sizeof name, "b%d", i);
        s->b[i] = ebb_param(s->e, name, EBB_F32, EBB_SHAPE(w->size[i + 1]), NULL);
        s->initial[i] = malloc((size_t)n * sizeof(float));
        if (!s->initial[i]) return false;
        lcg_weights(w->base + 10 + (uint32_t)i, n, w->size[i], s->initial[i]);
    }
    return !ebb_failed(s->e);
}

/* The later a loss, the further rounding may have carried it. */
static bool agrees(const double *seen, const double *reference) {
    const double part[3] = {1e-5, 1e-3, 0.05};
    for (int i = 0; i < 3; i++)
        if (!(fabs(seen[i] - reference[i]) <= part[i] * reference[i] + 5e-6)) return false;
    return true;
}

void bench_steps(bench *b) {
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        const workload *w = &workloads[i];
        if (!bench_wants(b, w->key)) continue;
        state s = {.w = w, .e = bench_open(b, b->backend)};
        if (!s.e) return;
        double seen[3] = {0};
        char note[160];
        if (prepare(&s) && episode(&s, 100, seen) >= 0) {
            const bool same = agrees(seen, w->reference);
            snprintf(note, sizeof note, "losses %.6f, %.6f, %.6f; reference %.6f, %.6f, %.6f: %s", seen[0],
                     seen[1], seen[2], w->reference[0], w->reference[1], w->reference[2],
                     same ? "the same" : "NOT THE SAME");
            bench_run(b, &(bench_case){.key = w->key,
                                       .what = w->what,
                                       .unit = w->unit,
                                       .scale = w->scale,
                                       .block = timed,
                                       .user = &s,
                                       .target = w->target,
                                       .note = note,
                                       .wrong = !same});
        }
        for (int k = 0; k < w->layers; k++) free(s.initial[k]);
        bench_close(b, s.e);
    }
}
