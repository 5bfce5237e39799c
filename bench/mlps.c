/* mlps.c - floor 7: the standard workloads a, b and e: multilayer perceptrons with relu. */
#include "training.h"

enum { MAX_LAYERS = 3 };

typedef struct mlp {
    int layers;
    int64_t size[MAX_LAYERS + 1], batch;
    bool squares; /* mean squared error; else cross-entropy */
} mlp;

static bool prepare(training *t) {
    const mlp *net = (const mlp *)t->w->net;
    const uint32_t base = t->w->base;
    const int64_t *size = net->size, batch = net->batch;
    t->x = training_numbers(t, base, EBB_SHAPE(batch, size[0]));
    t->y = net->squares ? training_numbers(t, base + 1, EBB_SHAPE(batch, 1))
                        : training_classes(t, base + 1, EBB_SHAPE(batch), size[net->layers]);
    for (int i = 0; i < net->layers; i++)
        if (!training_weights(t, base + 10 + (uint32_t)i, EBB_SHAPE(size[i + 1], size[i]), size[i]) ||
            !training_filled(t, EBB_SHAPE(size[i + 1]), 0))
            return false;
    return true;
}

static ebb_tensor *loss(const training *t) {
    const mlp *net = (const mlp *)t->w->net;
    ebb_tensor *h = t->x;
    for (int i = 0; i < net->layers; i++) {
        h = ebb_linear(h, t->p[2 * i], t->p[2 * i + 1]);
        if (i < net->layers - 1) h = ebb_relu(h);
    }
    return net->squares ? ebb_mse_loss(h, t->y) : ebb_cross_entropy(h, t->y);
}

static const mlp small = {.layers = 2, .size = {784, 128, 10}, .batch = 64};
static const mlp large = {.layers = 3, .size = {784, 512, 512, 10}, .batch = 64};
static const mlp tiny = {.layers = 3, .size = {2, 16, 16, 1}, .batch = 8, .squares = true};

const workload bench_mlps[3] = {
    {.key = "a",
     .what = "MLP 784-128-10, batch 64, Adam",
     .unit = "ms",
     .scale = 1e3,
     .target = 0.30,
     .wasm_target = 0.75,
     .base = 1000,
     .optim = "adam",
     .attrs = "lr=1e-3",
     .steps = 100,
     .last = 100,
     .reference = {2.269752, 1.605078, 0.007809},
     .prepare = prepare,
     .loss = loss,
     .net = &small},
    {.key = "b",
     .what = "MLP 784-512-512-10, batch 64, Adam",
     .unit = "ms",
     .scale = 1e3,
     .target = 1.8,
     .wasm_target = 5.5,
     .base = 2000,
     .optim = "adam",
     .attrs = "lr=1e-3",
     .steps = 100,
     .last = 100,
     .reference = {2.312149, 1.5874, 0.00002},
     .prepare = prepare,
     .loss = loss,
     .net = &large},
    {.key = "e",
     .what = "MLP 2-16-16-1, batch 8, SGD",
     .unit = "us",
     .scale = 1e6,
     .target = 8,
     .wasm_target = 12,
     .base = 5000,
     .optim = "sgd",
     .attrs = "lr=0.01",
     .steps = 1000,
     .last = 100,
     .reference = {.386564, .269704, .104151},
     .prepare = prepare,
     .loss = loss,
     .net = &tiny},
};
