/* bench.c - floor 7: `ebb-bench`: measures ebb and its rivals in one interleaved run and prints one table. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "../cli/json.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCKS = 11, QUICK_BLOCKS = 3 };

double bench_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool bench_wants(const bench *b, const char *key) {
    const size_t n = b->only ? strlen(b->only) : 0;
    return !n || (!strncmp(key, b->only, n) && (!key[n] || key[n] == '/')) ||
           (!strchr(key, '/') && !strncmp(b->only, key, strlen(key)) && b->only[strlen(key)] == '/');
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static const char *number(double v, const char *unit, char buf[32]) {
    if (isnan(v)) return "-";
    snprintf(buf, 32, "%.*f %s", v >= 1000 ? 0 : v >= 100 ? 1 : v >= 10 ? 2 : 3, v, unit);
    return buf;
}

static void print_header(void) {
    printf("%-22s %-36s %12s %12s  %-14s %7s  %-12s %s\n", "workload", "", "ebb", "rival", "which", "ratio",
           "target", "verdict");
}

static void print_row(const bench_row *r) {
    char value[32], rival[32], ratio[32];
    printf("%-22s %-36s %12s %12s  %-14s %7s  %-12s %s\n", r->key, r->what, number(r->value, r->unit, value),
           number(r->rival_value, r->unit, rival), isnan(r->rival_value) ? "-" : r->rival,
           number(r->ratio, "x", ratio), *r->target ? r->target : "-", r->verdict);
    if (*r->note) printf("%-22s %s\n", "", r->note);
    fflush(stdout);
}

static void add_row(bench *b, const bench_row *r) {
    if (b->n_rows < sizeof b->row / sizeof *b->row) b->row[b->n_rows++] = *r;
    if (!b->json) print_row(r);
}

static void print_json(const bench *b, const ebb *e) {
    json j = {.to = stdout};
    json_begin(&j, NULL, '{');
    json_text(&j, "ebb", ebb_version());
    json_text(&j, "level", ebb_level_name(ebb_level(e)));
    json_text(&j, "backend", ebb_backend_name(e));
    json_int(&j, "threads", b->threads);
    json_text(&j, "parallel", ebb_parallel_name());
    json_text(&j, "peer", b->peer ? peer_name(b->peer) : NULL);
    json_bool(&j, "peer_on_reference_blas", peer_is_slow(b->peer));
    json_begin(&j, "rows", '[');
    for (size_t i = 0; i < b->n_rows; i++) {
        const bench_row *r = &b->row[i];
        json_begin(&j, NULL, '{');
        json_text(&j, "workload", r->key);
        json_text(&j, "what", r->what);
        json_text(&j, "unit", r->unit);
        json_real(&j, "ebb", r->value);
        json_real(&j, "rival", r->rival_value);
        json_text(&j, "rival_name", isnan(r->rival_value) ? NULL : r->rival);
        json_real(&j, "ratio", r->ratio);
        json_text(&j, "target", *r->target ? r->target : NULL);
        json_text(&j, "verdict", *r->verdict ? r->verdict : NULL);
        json_text(&j, "note", *r->note ? r->note : NULL);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

/* ---- measuring --------------------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n) {
    qsort(v, (size_t)n, sizeof *v, by_size);
    return v[n / 2];
}

/* Idle threads of the one that just ran may still spin for their next task. */
static void settle(void) { nanosleep(&(struct timespec){0, 5000000}, NULL); }

void bench_run(bench *b, const bench_case *c) {
    if (!bench_wants(b, c->key)) return;
    const int blocks = b->quick ? QUICK_BLOCKS : BLOCKS;
    double mine[BLOCKS], theirs[BLOCKS];
    bool rival = true;
    for (int i = -1; i < blocks; i++) { /* block -1 warms up */
        settle();
        const double t = c->block(c->user);
        if (t < 0) {
            b->failed = true;
            return;
        }
        settle();
        double u = NAN;
        if (rival) u = c->rival ? c->rival(c->rival_user) : peer_ask(b->peer, c->key);
        rival = u > 0;
        if (i >= 0) mine[i] = t, theirs[i] = u;
    }
    const double seconds = median(mine, blocks), other = rival ? median(theirs, blocks) : NAN;
    bench_row r = {.ratio = other / seconds, .verdict = ""};
    r.value = c->work > 0 ? c->work * c->scale / seconds : seconds * c->scale;
    r.rival_value = c->work > 0 ? c->work * c->scale / other : other * c->scale;
    snprintf(r.key, sizeof r.key, "%s", c->key);
    snprintf(r.what, sizeof r.what, "%s", c->what);
    snprintf(r.unit, sizeof r.unit, "%s", c->unit);
    snprintf(r.rival, sizeof r.rival, "%s", c->rival ? "oneDNN" : peer_name(b->peer));
    if (c->note) snprintf(r.note, sizeof r.note, "%s", c->note);
    if (c->target > 0 && b->threads == 1) {
        snprintf(r.target, sizeof r.target, "<= %g %s", c->target, c->unit);
        r.verdict = r.value <= c->target ? "met" : "missed";
    }
    if (c->target_ratio > 0 && b->threads == 1) {
        snprintf(r.target, sizeof r.target, ">= %g x", c->target_ratio);
        r.verdict = isnan(r.ratio) ? "" : r.ratio >= c->target_ratio ? "met" : "missed";
    }
    if (c->wrong) {
        r.verdict = "WRONG";
        b->failed = true;
    }
    add_row(b, &r);
}

void bench_value(bench *b, const char *key, const char *what, const char *unit, double value, double target) {
    bench_row r = {.value = value, .rival_value = NAN, .ratio = NAN, .verdict = ""};
    snprintf(r.key, sizeof r.key, "%s", key);
    snprintf(r.what, sizeof r.what, "%s", what);
    snprintf(r.unit, sizeof r.unit, "%s", unit);
    if (target > 0) {
        snprintf(r.target, sizeof r.target, "<= %g %s", target, unit);
        r.verdict = value <= target ? "met" : "missed";
    }
    add_row(b, &r);
}

void bench_beside(bench *b, const char *key, const char *what, const char *unit, double value,
                  const char *rival, double rival_value, double ratio, double target_ratio) {
    bench_row r = {.value = value, .rival_value = rival_value, .ratio = ratio};
    snprintf(r.key, sizeof r.key, "%s", key);
    snprintf(r.what, sizeof r.what, "%s", what);
    snprintf(r.unit, sizeof r.unit, "%s", unit);
    snprintf(r.rival, sizeof r.rival, "%s", rival);
    snprintf(r.target, sizeof r.target, ">= %g x", target_ratio);
    r.verdict = ratio >= target_ratio ? "met" : "missed";
    add_row(b, &r);
}

ebb *bench_open(bench *b, const char *backend) {
    const ebb_options o = {.size = sizeof o, .threads = (int32_t)b->threads, .level = b->level};
    ebb *e = ebb_open(&o);
    if (e && !ebb_backend_use(e, backend)) return e;
    fprintf(stderr, "ebb-bench: %s\n", e ? ebb_error(e) : "no session");
    ebb_close(e);
    b->failed = true;
    return NULL;
}

void bench_close(bench *b, ebb *e) {
    if (ebb_failed(e)) {
        fprintf(stderr, "ebb-bench: %s\n", ebb_error(e));
        b->failed = true;
    }
    ebb_close(e);
}

/* ---- the command --------------------------------------------------------------------------------------------------- */

static void usage(FILE *to) {
    fputs("usage: ebb-bench [OPTIONS]\n\n"
          "  --only NAME      a, b, c, d, e, chain, million, matmul, wasm, g, or one row: g/exp\n"
          "  --threads N      default 1; the targets are for one\n"
          "  --backend NAME   auto (default), portable, onednn\n"
          "  --quick          fewer blocks\n"
          "  --json           one JSON document\n\n"
          "Blocks of work alternate with those of PyTorch, where python3 with torch is installed. Ratios above 1: ebb is\n"
          "faster. Losses beside the reference show that the same was computed.\n",
          to);
}

static int read_options(bench *b, int argc, char **argv) {
    static const struct option table[] = {{"only", required_argument, NULL, 'o'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"backend", required_argument, NULL, 'b'},
                                          {"quick", no_argument, NULL, 'q'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    for (int got; (got = getopt_long(argc, argv, "h", table, NULL)) != -1;) {
        char *end;
        switch (got) {
        case 'o': b->only = optarg; break;
        case 'b': b->backend = optarg; break;
        case 'q': b->quick = true; break;
        case 'j': b->json = true; break;
        case 'h': usage(stdout); return 0;
        case 't':
            b->threads = strtol(optarg, &end, 10);
            if (end != optarg && !*end && b->threads >= 1 && b->threads <= 256) break;
            fprintf(stderr, "ebb-bench: --threads: expected a whole number from 1 to 256, got '%s'\n", optarg);
            return 2;
        default: usage(stderr); return 2;
        }
    }
    if (optind == argc) return -1;
    usage(stderr);
    return 2;
}

int main(int argc, char **argv) {
    static bench b = {.threads = 1, .backend = "auto"};
    const int code = read_options(&b, argc, argv);
    if (code >= 0) return code;
    ebb *e = bench_open(&b, b.backend);
    if (!e) return 1;
    b.peer = peer_start((int)b.threads, ebb_level(e) == 2);
    if (!b.json) {
        printf("ebb %s, %s, %d thread%s (%s), backend %s; medians of %d interleaved blocks; %s\n\n",
               ebb_version(), ebb_level_name(ebb_level(e)), (int)b.threads, b.threads == 1 ? "" : "s",
               ebb_parallel_name(), ebb_backend_name(e), b.quick ? QUICK_BLOCKS : BLOCKS,
               b.peer ? peer_name(b.peer) : "no python3 with torch here to compare with");
        if (peer_is_slow(b.peer))
            puts("PyTorch has only the reference BLAS here: its times for a and b are not its best (it lacks\n"
                 "libopenblas0-openmp)\n");
        print_header();
    }
    bench_chains(&b);
    bench_steps(&b);
    bench_matmul(&b);
    bench_wasm(&b);
    bench_elementwise(&b);
    if (b.json) print_json(&b, e);
    else if (!b.n_rows && !b.failed) {
        fprintf(stderr, "ebb-bench: nothing is named '%s'\n", b.only);
        b.failed = true;
    }
    peer_stop(b.peer);
    ebb_close(e);
    return b.failed ? 1 : 0;
}
