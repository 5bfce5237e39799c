/* training.h - floor 7: a standard training step: a network over one fixed batch whose losses are known. */
#ifndef EBB_BENCH_TRAINING_H
#define EBB_BENCH_TRAINING_H
#include "bench.h"
#include <stdint.h>

enum { MOST_PARAMS = 64 };

typedef struct training training;

typedef struct workload {
    const char *key, *what, *unit;
    double scale, target, wasm_target; /* of the time in that unit on one thread; 0: none */
    uint32_t base;                     /* seed: x; base + 1: y; base + 10 and on: weights */
    const char *optim, *attrs;
    int steps, last;     /* of a timed episode; the step of the last reference */
    double reference[3]; /* loss of the first, the 10th, the last step */
    /* Adds x, y and the parameters; says false when memory is short. The session's error says what else went wrong. */
    bool (*prepare)(training *t);
    ebb_tensor *(*loss)(const training *t);
    const void *net; /* the network's sizes, for prepare and loss */
} workload;

/* A workload in a session. Every episode begins with the initial values of the parameters. */
struct training {
    const workload *w;
    ebb *e;
    ebb_tensor *x, *y, *p[MOST_PARAMS];
    float *initial[MOST_PARAMS]; /* NULL: all elements are fill[] */
    float fill[MOST_PARAMS];
    int n;
};

extern const workload bench_mlps[3], bench_cnn, bench_gpt;

/* The next parameter: weights [shape] of this seed and fan in, or all elements alike. -> false: no memory */
bool training_weights(training *t, uint32_t seed, ebb_ints shape, int64_t fan_in);
bool training_filled(training *t, ebb_ints shape, float value);
/* A batch of numbers in [0, 1), or of class indices. */
ebb_tensor *training_numbers(const training *t, uint32_t seed, ebb_ints shape);
ebb_tensor *training_classes(const training *t, uint32_t seed, ebb_ints shape, int64_t classes);

/* Calls fn with every workload that --only lets run, prepared in a session of its own. */
void training_each(bench *b, void (*fn)(bench *b, training *t));
/* n steps; the losses of the first, 10th and last reference step to seen[], unless NULL. -> seconds a step, negative: it failed */
double training_episode(const training *t, int n, double *seen);

#endif
