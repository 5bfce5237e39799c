/* parallel.c - floor 1: OpenMP, pthreads, a page's workers or serial; see parallel.h. */
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

#elif defined EBB_WASM_THREADS

/* Each of a page's workers has an instance of this module over the same memory, with a stack of its own, and calls ebb_worker, which stays
 * here: it waits at its own `go`, so that only those who take part in a job ever look at it, and the caller waits until all of them are
 * done. Waiting turns for a moment first, since the next job mostly comes soon. One call at a time uses the workers. */
enum { MOST = 32, TURNS = 4000 };
static struct {
    void (*fn)(void *, int64_t, int);
    void *ctx;
    int64_t tasks;
    int32_t threads, left; /* who takes part; workers that are not done */
} job;
static int32_t go[MOST], workers;

const char *ebb_parallel_name(void) { return "workers"; }
int ebb__cores(void) { return 1 + __atomic_load_n(&workers, __ATOMIC_ACQUIRE); }

static void wait_while(int32_t *word, int32_t value) {
    for (int i = 0; i < TURNS; i++)
        if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) return;
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
        __builtin_wasm_memory_atomic_wait32(word, value, -1);
}

static void run_share(int thread) {
    for (int64_t i = job.tasks * thread / job.threads; i < job.tasks * (thread + 1) / job.threads; i++)
        job.fn(job.ctx, i, thread);
}

/* What a worker of the page calls; it does not return while there is a place for it. */
__attribute__((export_name("ebb_worker"))) void ebb_worker(void) {
    const int32_t me = __atomic_add_fetch(&workers, 1, __ATOMIC_ACQ_REL);
    if (me >= MOST) return;
    for (;;) {
        wait_while(&go[me], 0);
        __atomic_store_n(&go[me], 0, __ATOMIC_RELAXED);
        run_share(me);
        if (__atomic_sub_fetch(&job.left, 1, __ATOMIC_ACQ_REL) == 0)
            __builtin_wasm_memory_atomic_notify(&job.left, 1);
    }
}

void ebb__parallel(int threads, int64_t tasks, void (*fn)(void *, int64_t, int), void *ctx) {
    if (threads > tasks) threads = (int)tasks;
    if (threads > ebb__cores()) threads = ebb__cores();
    if (threads > MOST) threads = MOST;
    job.fn = fn;
    job.ctx = ctx;
    job.tasks = tasks;
    job.threads = threads;
    job.left = threads - 1;
    for (int t = 1; t < threads; t++) {
        __atomic_store_n(&go[t], 1, __ATOMIC_RELEASE);
        __builtin_wasm_memory_atomic_notify(&go[t], 1);
    }
    if (threads > 0) run_share(0);
    for (int32_t left; (left = __atomic_load_n(&job.left, __ATOMIC_ACQUIRE)) > 0;)
        wait_while(&job.left, left);
}

#else

const char *ebb_parallel_name(void) { return "serial"; }
int ebb__cores(void) { return 1; }

void ebb__parallel(int threads, int64_t tasks, void (*fn)(void *, int64_t, int), void *ctx) {
    (void)threads;
    for (int64_t i = 0; i < tasks; i++) fn(ctx, i, 0);
}
#endif
