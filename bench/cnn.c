/* cnn.c - floor 7: the standard workload c: two convolutions, each with relu and a maximum over 2x2, and two linear layers. */
#include "training.h"

enum {
    BATCH = 64,
    SIDE = 28,
    TAPS = 9,
    FIRST = 32,
    SECOND = 64,
    FLAT = SECOND * 7 * 7,
    HIDDEN = 128,
    CLASSES = 10
};

static bool prepare(training *t) {
    const uint32_t base = t->w->base;
    t->x = training_numbers(t, base, EBB_SHAPE(BATCH, 1, SIDE, SIDE));
    t->y = training_classes(t, base + 1, EBB_SHAPE(BATCH), CLASSES);
    return training_weights(t, base + 10, EBB_SHAPE(FIRST, 1, 3, 3), TAPS) &&
           training_filled(t, EBB_SHAPE(FIRST), 0) &&
           training_weights(t, base + 11, EBB_SHAPE(SECOND, FIRST, 3, 3), FIRST * TAPS) &&
           training_filled(t, EBB_SHAPE(SECOND), 0) &&
           training_weights(t, base + 12, EBB_SHAPE(HIDDEN, FLAT), FLAT) &&
           training_filled(t, EBB_SHAPE(HIDDEN), 0) &&
           training_weights(t, base + 13, EBB_SHAPE(CLASSES, HIDDEN), HIDDEN) &&
           training_filled(t, EBB_SHAPE(CLASSES), 0);
}

static ebb_tensor *layer(ebb_tensor *x, ebb_tensor *weight, ebb_tensor *bias) {
    ebb_tensor *h = ebb_relu(ebb_conv2d(x, weight, bias, .padding = EBB_DIMS(1)));
    return ebb_max_pool2d(h, .kernel_size = EBB_DIMS(2));
}

static ebb_tensor *loss(const training *t) {
    ebb_tensor *const *p = t->p;
    ebb_tensor *h = layer(layer(t->x, p[0], p[1]), p[2], p[3]);
    h = ebb_relu(ebb_linear(ebb_flatten(h, .start_dim = 1), p[4], p[5]));
    return ebb_cross_entropy(ebb_linear(h, p[6], p[7]), t->y);
}

const workload bench_cnn = {.key = "c",
                            .what = "CNN 1-32-64 3x3, 128, batch 64, Adam",
                            .unit = "ms",
                            .scale = 1e3,
                            .wasm_target = 35,
                            .base = 3000,
                            .optim = "adam",
                            .attrs = "lr=1e-3",
                            .steps = 30,
                            .last = 30,
                            .reference = {2.298917, 2.0305, 0.7916},
                            .prepare = prepare,
                            .loss = loss};
