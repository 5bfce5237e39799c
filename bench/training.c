/* training.c - floor 7: runs a standard training step, written as a user would write it, and knows its losses. */
#include "training.h"
#include "lcg.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a workload is made of --------------------------------------------------------------------------------- */

static int64_t numel(ebb_ints shape) {
    int64_t n = 1;
    for (int d = 0; d < shape.n; d++) n *= shape.v[d];
    return n;
}

static void add_param(training *t, ebb_ints shape) {
    char name[16];
    snprintf(name, sizeof name, "p%d", t->n);
    t->p[t->n++] = ebb_param(t->e, name, EBB_F32, shape, NULL);
}

bool training_weights(training *t, uint32_t seed, ebb_ints shape, int64_t fan_in) {
    const int64_t n = numel(shape);
    float *const values = malloc((size_t)n * sizeof(float));
    if (!values) return false;
    lcg_weights(seed, n, fan_in, values);
    t->initial[t->n] = values;
    add_param(t, shape);
    return true;
}

bool training_filled(training *t, ebb_ints shape, float value) {
    t->fill[t->n] = value;
    add_param(t, shape);
    return true;
}

ebb_tensor *training_numbers(const training *t, uint32_t seed, ebb_ints shape) {
    ebb_tensor *x = ebb_tensor_new(t->e, EBB_F32, shape, NULL);
    if (x) lcg_uniform(seed, numel(shape), ebb_data_mut(x));
    return x;
}

ebb_tensor *training_classes(const training *t, uint32_t seed, ebb_ints shape, int64_t classes) {
    ebb_tensor *x = ebb_tensor_new(t->e, EBB_I64, shape, NULL);
    if (x) lcg_integers(seed, numel(shape), (uint32_t)classes, ebb_data_mut(x));
    return x;
}

/* ---- episodes ----------------------------------------------------------------------------------------------------- */

static void start_again(const training *t) {
    for (int i = 0; i < t->n; i++) {
        const int64_t n = ebb_numel(t->p[i]);
        float *const to = ebb_data_mut(t->p[i]);
        if (t->initial[i]) memcpy(to, t->initial[i], (size_t)n * sizeof(float));
        else
            for (int64_t k = 0; k < n; k++) to[k] = t->fill[i];
    }
}

double training_episode(const training *t, int n, double *seen) {
    start_again(t);
    ebb_optim *opt = ebb_optim_new(t->e, t->w->optim, t->w->attrs);
    const double start = bench_clock();
    for (int step = 1; step <= n; step++) {
        ebb_scope *scope = ebb_begin(t->e);
        ebb_tensor *loss = t->w->loss(t);
        ebb_zero_grad(opt);
        ebb_backward(loss);
        ebb_optim_step(opt);
        if (seen && (step == 1 || step == 10 || step == t->w->last))
            seen[step == 1 ? 0 : step == 10 ? 1 : 2] = ebb_item(loss);
        ebb_end(scope);
    }
    const double seconds = (bench_clock() - start) / n;
    ebb_optim_free(opt);
    return ebb_failed(t->e) ? -1 : seconds;
}

void training_each(bench *b, void (*fn)(bench *b, training *t)) {
    const workload *const all[] = {&bench_mlps[0], &bench_mlps[1], &bench_cnn, &bench_gpt, &bench_mlps[2]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        training t = {.w = all[i]};
        if (!bench_wants(b, t.w->key)) continue;
        t.e = bench_open(b, b->backend);
        if (!t.e) return;
        if (t.w->prepare(&t) && !ebb_failed(t.e)) fn(b, &t);
        for (int k = 0; k < t.n; k++) free(t.initial[k]);
        bench_close(b, t.e);
    }
}

/* ---- the rows ------------------------------------------------------------------------------------------------------ */

static double timed(void *user) {
    const training *t = (const training *)user;
    return training_episode(t, t->w->steps, NULL);
}

/* The later a loss, the further rounding may have carried it. */
static bool agrees(const double *seen, const double *reference) {
    const double part[3] = {1e-5, 1e-3, 0.05};
    for (int i = 0; i < 3; i++)
        if (!(fabs(seen[i] - reference[i]) <= part[i] * reference[i] + 5e-6)) return false;
    return true;
}

static void row_of(bench *b, training *t) {
    const workload *w = t->w;
    const double *want = w->reference;
    double seen[3] = {0};
    char note[160];
    if (training_episode(t, w->last, seen) < 0) return;
    const bool same = agrees(seen, want);
    snprintf(note, sizeof note, "losses %.6f, %.6f, %.6f; reference %.6f, %.6f, %.6f: %s", seen[0], seen[1],
             seen[2], want[0], want[1], want[2], same ? "the same" : "NOT THE SAME");
    bench_run(b, &(bench_case){.key = w->key,
                               .what = w->what,
                               .unit = w->unit,
                               .scale = w->scale,
                               .block = timed,
                               .user = t,
#ifdef __wasm__
                               .target = w->wasm_target,
#else
                               .target = w->target,
#endif
                               .note = note,
                               .wrong = !same});
}

void bench_steps(bench *b) { training_each(b, row_of); }
