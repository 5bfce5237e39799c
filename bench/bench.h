/* bench.h - floor 7: what the benchmarks share: blocks that alternate with a rival's, rows of one table. */
#ifndef EBB_BENCH_H
#define EBB_BENCH_H
#include "peer.h"
#include <ebb/ebb.h>
#include <stddef.h>

/* Runs one block of work. -> seconds a step; negative: it failed */
typedef double (*bench_block)(void *user);

/* One thing to measure. Times are in `unit`, which is `scale` of a second's parts (1e3 for "ms"); with `work`, what is
 * shown is work * scale / seconds, and more is better. */
typedef struct bench_case {
    const char *key; /* "a", "g/exp": what --only selects, and what the peer is asked for */
    const char *what;
    const char *unit;
    double scale, work;
    bench_block block;
    void *user;
    bench_block rival; /* a rival in this process; NULL: the peer */
    void *rival_user;
    double target;       /* of the value: at most (times), 0: none */
    double target_ratio; /* of the ratio: at least, 0: none */
    const char *note;    /* shown below; NULL: nothing */
    bool wrong;          /* the note tells of a wrong result */
} bench_case;

typedef struct bench_row {
    char key[32], what[48], unit[8], rival[32], target[24], note[160];
    const char *verdict;              /* "met", "missed", "WRONG", "" */
    double value, rival_value, ratio; /* NAN where there is none; ratio above 1: ebb is better */
} bench_row;

typedef struct bench {
    bool json, quick;
    int64_t threads;
    int32_t level; /* of vectors, as in ebb_options; 0: what the machine has */
    const char *only, *backend;
    peer *peer;
    bench_row row[128];
    size_t n_rows;
    bool failed;
} bench;

double bench_clock(void);
/* Whether --only lets a workload of this key run. */
bool bench_wants(const bench *b, const char *key);
/* Interleaves blocks of the case with its rival's, takes the medians, adds a row. Targets are for one thread. */
void bench_run(bench *b, const bench_case *c);
/* A number that was measured in another way. */
void bench_value(bench *b, const char *key, const char *what, const char *unit, double value, double target);
/* The same beside another that was measured in the same way; ratio above 1: ebb is better. */
void bench_beside(bench *b, const char *key, const char *what, const char *unit, double value,
                  const char *rival, double rival_value, double ratio, double target_ratio);
/* A session for one workload; NULL, and said so, when it cannot be had. */
ebb *bench_open(bench *b, const char *backend);
/* Says what went wrong, if anything, and closes the session. */
void bench_close(bench *b, ebb *e);

void bench_steps(bench *b);       /* a to e */
void bench_chains(bench *b);      /* what one op costs; a million of them */
void bench_matmul(bench *b);      /* the portable product against the oneDNN backend */
void bench_wasm(bench *b);        /* training and a product in WebAssembly, when it has been built */
void bench_elementwise(bench *b); /* a million elements */

#endif
