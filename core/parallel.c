/* parallel.c - floor 1: OpenMP, pthreads or serial; see parallel.h. */
#define _POSIX_C_SOURCE 200809L
#include "parallel.h"
#include <ebb/ebb.h>

#if defined _OPENMP
#include <omp.h>

const char *ebb_parallel_name(void) { return "OpenMP"; }
int ebb__cores(void) { return omp_get_num_procs(); }

void ebb__parallel(int threads, int64_t tasks, void (*fn)(void *, int64_t, int), void *ctx) {
    if (threads > tasks) threads = (int)tasks;
    if (threads <= 1) {
        for (int64_t i = 0; i < tasks; i++) fn(ctx, i, 0);
        return;
    }
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < tasks; i++) fn(ctx, i, omp_get_thread_num());
}

#elif defined EBB_PTHREADS
#include <pthread.h>
#include <unistd.h>

const char *ebb_parallel_name(void) { return "pthreads"; }
int ebb__cores(void) {
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

typedef struct share {
    void (*fn)(void *, int64_t, int);
    void *ctx;
    int64_t tasks;
    int thread, threads;
} share;

static void *run_share(void *p) {
    const share *s = (const share *)p;
    for (int64_t i = s->tasks * s->thread / s->threads; i < s->tasks * (s->thread + 1) / s->threads; i++)
        s->fn(s->ctx, i, s->thread);
    return NULL;
}

void ebb__parallel(int threads, int64_t tasks, void (*fn)(void *, int64_t, int), void *ctx) {
    enum { MOST = 64 };
    if (threads > tasks) threads = (int)tasks;
    if (threads > MOST) threads = MOST;
    share s[MOST];
    pthread_t id[MOST];
    bool started[MOST] = {false};
    for (int t = threads; t-- > 0;) {
        s[t] = (share){fn, ctx, tasks, t, threads};
        started[t] = t && !pthread_create(&id[t], NULL, run_share, &s[t]);
        if (!started[t]) run_share(&s[t]);
    }
    for (int t = 1; t < threads; t++)
        if (started[t]) pthread_join(id[t], NULL);
}

#else

const char *ebb_parallel_name(void) { return "serial"; }
int ebb__cores(void) { return 1; }

void ebb__parallel(int threads, int64_t tasks, void (*fn)(void *, int64_t, int), void *ctx) {
    (void)threads;
    for (int64_t i = 0; i < tasks; i++) fn(ctx, i, 0);
}
#endif
