/* wasm.c - floor 7: the portable matrix product in WebAssembly, beside the native one: runs the same benchmark under node. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef EBB_WASM_DIR
#define EBB_WASM_DIR "build/wasm"
#endif

#define MODULE EBB_WASM_DIR "/ebb-bench.js"
#define PRODUCT "matmul/512x512x512"

/* A node with a fetch of its own would fetch the module by address; the loader is to read the file. */
static const char command[] =
    "node $(node --no-experimental-fetch -e 0 2>/dev/null && echo --no-experimental-fetch) '" MODULE
    "' --quick --json --only " PRODUCT " 2>/dev/null";

/* The number after "ebb": in the row of that product. */
static double read_value(FILE *f) {
    char line[256];
    bool row = false;
    double value = NAN;
    while (fgets(line, sizeof line, f)) {
        const char *at = strstr(line, "\"ebb\": ");
        if (strstr(line, "\"workload\": \"" PRODUCT "\"")) row = true;
        else if (row && at) {
            value = strtod(at + strlen("\"ebb\": "), NULL);
            row = false;
        }
    }
    return value;
}

void bench_wasm(bench *b) {
    if (!bench_wants(b, "matmul/wasm") || access(MODULE, R_OK)) return;
    FILE *f = popen(command, "r");
    if (!f) return;
    const double value = read_value(f);
    pclose(f);
    if (!isnan(value))
        bench_value(b, "matmul/wasm", "the portable product of 512, in wasm", "GF/s", value, 0);
}
