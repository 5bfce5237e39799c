/* wasm.c - floor 7: the same benchmarks in WebAssembly under node, beside the native ones on vectors as short as those of wasm. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef EBB_WASM_DIR
#define EBB_WASM_DIR "build/engine"
#endif

#define MODULE EBB_WASM_DIR "/ebb-bench.js"

/* A node with a fetch of its own would fetch the module by address; the loader is to read the file. */
static const char command[] =
    "node $(node --no-experimental-fetch -e 0 2>/dev/null && echo --no-experimental-fetch) '" MODULE
    "' --quick --json --only %s 2>/dev/null";

/* The number after "ebb": in the row of that workload; NAN when there is none. */
static double in_wasm(const char *key) {
    char line[256], wanted[64], run[sizeof command + 32];
    bool row = false;
    double value = NAN;
    snprintf(run, sizeof run, command, key);
    snprintf(wanted, sizeof wanted, "\"workload\": \"%s\"", key);
    FILE *f = popen(run, "r");
    if (!f) return NAN;
    while (fgets(line, sizeof line, f)) {
        const char *at = strstr(line, "\"ebb\": ");
        if (strstr(line, wanted)) row = true;
        else if (row && at) {
            value = strtod(at + strlen("\"ebb\": "), NULL);
            row = false;
        }
    }
    pclose(f);
    return value;
}

/* The same natively: portable kernels, the baseline's vectors, one thread. */
static double at_baseline(const bench *b, const char *key) {
    static bench quiet;
    quiet = (bench){.json = true, .quick = b->quick, .threads = 1, .backend = "portable", .level = 1, .only = key};
    bench_steps(&quiet);
    bench_matmul(&quiet);
    return quiet.n_rows ? quiet.row[0].value : NAN;
}

void bench_wasm(bench *b) {
    static const struct {
        const char *key, *name, *unit;
        bool rate; /* more is better */
    } all[] = {{"a", "wasm/a", "ms", false}, {"b", "wasm/b", "ms", false},
               {"c", "wasm/c", "ms", false}, {"d", "wasm/d", "ms", false},
               {"e", "wasm/e", "us", false}, {"matmul/512x512x512", "wasm/matmul", "GF/s", true}};
    if (access(MODULE, R_OK)) return;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!bench_wants(b, all[i].name)) continue;
        const double wasm = in_wasm(all[i].key), native = at_baseline(b, all[i].key);
        if (isnan(wasm) || isnan(native)) continue;
        bench_beside(b, all[i].name, "the same in WebAssembly", all[i].unit, wasm, "baseline", native,
                     all[i].rate ? wasm / native : native / wasm, 0.5);
    }
}
