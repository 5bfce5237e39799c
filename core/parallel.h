/* parallel.h - floor 1: runs the tasks of one call on several threads: OpenMP, pthreads, workers of a page, or one after another.
 *
 * What the tasks are never depends on the number of threads; only who runs them does. */
#ifndef EBB_PARALLEL_H
#define EBB_PARALLEL_H
#include <stdint.h>

/* Calls fn(ctx, task, thread) for task in [0, tasks), thread in [0, threads). */
void ebb__parallel(int threads, int64_t tasks, void (*fn)(void *ctx, int64_t task, int thread), void *ctx);
int ebb__cores(void);
#endif
