/* check.c - floor 7: `ebb check`: runs the verifier on ops and plugins and prints their certificates. */
#define _POSIX_C_SOURCE 200809L
#include "check_model.h"
#include "json.h"
#include "model.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <ebb/op.h>

enum { MAX_REASONS = 24, MAX_NAMES = 64 };

typedef struct options {
    int64_t threads;
    uint64_t seed;
    const char *only, *backend;
    bool all, json, quiet;
} options;

#define OPTION(field, type, arg, help, ...)                                                                  \
    { .name = #field, type, offsetof(options, field), arg, help, __VA_ARGS__ }

static const cli_option check_options[] = {
    OPTION(all, CLI_FLAG, NULL, "every op there is, one line each", 0, 0),
    OPTION(only, CLI_TEXT, "CHECK", "one check by name, as in the certificate", 0, 0),
    OPTION(seed, CLI_SEED, "N", "of the samples; default 0", 0, 0),
    OPTION(threads, CLI_INT, "N", "default: one a core", 1, 256),
    OPTION(backend, CLI_TEXT, "NAME", "also compare this backend's kernels with the ops' own", 0, 0),
    OPTION(quiet, CLI_FLAG, NULL, "print failures and the last line only", 0, 0),
    OPTION(json, CLI_FLAG, NULL, "one JSON document", 0, 0),
};

/* One check as it was reported; strings owned. */
typedef struct record {
    char *op, *check, *dtype, *message;
    int32_t cases;
    double margin;
    bool passed, skipped;
} record;

/* A plugin file that was asked for. */
typedef struct plugin_file {
    const char *path;
    uint64_t hash;
    char *name, *error; /* owned; one of them is NULL */
} plugin_file;

typedef struct job {
    ebb *e;
    const options *o;
    bool compact; /* one line an op */
    record *records;
    size_t n_records, room;
    size_t first; /* records of the op under way start here */
    plugin_file *files;
    size_t n_files;
    size_t passed, failed, skipped, ops, ops_failed;
    bool short_of_memory;
} job;

/* ---- printing --------------------------------------------------------------------------------------------------- */

/* "0.003 of the tolerance", at most n - 1 characters. */
static const char *margin_text(double margin, char *buf, size_t n) {
    if (margin == 0) snprintf(buf, n, "exact");
    else if (margin < 1e-4) snprintf(buf, n, "%.0e", margin);
    else snprintf(buf, n, "%.3g", margin);
    return buf;
}

/* Every line of the text, moved right. */
static void print_indented(const char *text, int by) {
    while (*text) {
        const int n = (int)strcspn(text, "\n");
        printf("%*s%.*s\n", by, "", n, text);
        text += n;
        if (*text) text++;
    }
}

static void print_heading(const job *j, const char *name) {
    const ebb_op *op = ebb_op_find(j->e, name); /* not yet registered while its plugin loads */
    const char *from = ebb_op_plugin(j->e, name);
    if (op) printf("%s  %s  (%s)\n", name, op->sig, from ? from : "?");
    else printf("%s\n", name);
    printf("  %-16s %-6s %7s  %-12s %s\n", "check", "dtype", "cases", "of tolerance", "result");
}

static void print_check(const record *r) {
    char margin[24] = "";
    if (!r->skipped) margin_text(r->margin, margin, sizeof margin);
    printf("  %-16s %-6s %7d  %-12s ", r->check, r->dtype, (int)r->cases, margin);
    if (r->skipped) printf("skipped: %s\n", r->message);
    else if (r->passed) puts("ok");
    else {
        puts("FAILED");
        print_indented(r->message, 6);
    }
    fflush(stdout);
}

/* ---- collecting -------------------------------------------------------------------------------------------------- */

static char *copy(const char *s) {
    const size_t n = strlen(s ? s : "") + 1;
    char *c = malloc(n);
    if (c) memcpy(c, s ? s : "", n);
    return c;
}

/* The line of the op whose records began at j->first, and its sums. */
static void end_op(job *j) {
    size_t passed = 0, failed = 0, skipped = 0, worst = j->first;
    int64_t cases = 0;
    if (j->first == j->n_records) return;
    for (size_t i = j->first; i < j->n_records; i++) {
        const record *r = &j->records[i];
        *(r->skipped ? &skipped : r->passed ? &passed : &failed) += 1;
        cases += r->cases;
        if (!r->skipped && (j->records[worst].skipped || r->margin > j->records[worst].margin)) worst = i;
    }
    j->ops++;
    j->ops_failed += failed > 0;
    j->passed += passed;
    j->failed += failed;
    j->skipped += skipped;
    const record *w = &j->records[worst];
    char margin[24];
    const bool show = !j->o->json && (!j->o->quiet || failed);
    if (show && j->compact) {
        printf("%-24s %3zu checks %8" PRId64 " cases   worst %-8s %-16s %s\n", w->op, passed + failed, cases,
               margin_text(w->margin, margin, sizeof margin), w->check, failed ? "FAILED" : "ok");
        for (size_t i = j->first; i < j->n_records; i++)
            if (!j->records[i].skipped && !j->records[i].passed) print_check(&j->records[i]);
        fflush(stdout);
    } else if (show && j->o->quiet) {
        print_heading(j, w->op);
        for (size_t i = j->first; i < j->n_records; i++)
            if (!j->records[i].skipped && !j->records[i].passed) print_check(&j->records[i]);
    } else if (show) putchar('\n');
    j->first = j->n_records;
}

/* The message with its replay line naming the file that the op comes from: the op itself is not registered yet. */
static char *replayable(const job *j, const ebb_check *c) {
    char what[120];
    const char *file = j->n_files && !ebb_op_find(j->e, c->op) ? j->files[j->n_files - 1].path : NULL;
    snprintf(what, sizeof what, "ebb check %s ", c->op);
    const char *at = file && c->message ? strstr(c->message, what) : NULL;
    if (!at) return copy(c->message);
    const size_t n = strlen(c->message) + strlen(file) + 16;
    char *text = malloc(n);
    if (text)
        snprintf(text, n, "%.*sebb check %s %s", (int)(at - c->message), c->message, file, at + strlen(what));
    return text;
}

static void on_check(void *user, const ebb_check *c) {
    job *j = (job *)user;
    if (j->n_records == j->room) {
        const size_t room = j->room ? 2 * j->room : 64;
        record *more = realloc(j->records, room * sizeof *more);
        if (!more) {
            j->short_of_memory = true;
            return;
        }
        j->records = more;
        j->room = room;
    }
    if (j->first < j->n_records && strcmp(j->records[j->first].op, c->op)) end_op(j);
    record r = {copy(c->op), copy(c->check), copy(c->dtype), replayable(j, c),
                c->cases,    c->margin,      c->passed,      c->skipped};
    if (!r.op || !r.check || !r.dtype || !r.message) {
        free(r.op), free(r.check), free(r.dtype), free(r.message);
        j->short_of_memory = true;
        return;
    }
    j->records[j->n_records++] = r;
    if (j->compact || j->o->json || j->o->quiet) return;
    if (j->first + 1 == j->n_records) print_heading(j, r.op);
    print_check(&j->records[j->n_records - 1]);
}

static void free_job(job *j) {
    for (size_t i = 0; i < j->n_records; i++) {
        free(j->records[i].op);
        free(j->records[i].check);
        free(j->records[i].dtype);
        free(j->records[i].message);
    }
    free(j->records);
    for (size_t i = 0; i < j->n_files; i++) {
        free(j->files[i].name);
        free(j->files[i].error);
    }
    free(j->files);
    ebb_close(j->e);
}

/* ---- verifying --------------------------------------------------------------------------------------------------- */

static bool is_file(const char *what) {
    const size_t n = strlen(what);
    return strchr(what, '/') || (n > 3 && !strcmp(what + n - 3, ".so")) ||
           (n > 5 && !strcmp(what + n - 5, ".wasm"));
}

/* -> whether the verifier ran; its verdict is in the records */
static bool check_op(job *j, const char *name, const ebb_verify_options *v) {
    const size_t before = j->n_records, failed = j->failed;
    const ebb_status s = ebb_verify(j->e, name, v);
    end_op(j);
    const bool told = j->n_records > before && (s == EBB_OK || (s == EBB_E_VERIFY && j->failed > failed));
    if (ebb_failed(j->e) || told) return !ebb_failed(j->e);
    if (v->only && j->n_records == before)
        ebb_fail(j->e, EBB_E_NAME, "no check named %s; a certificate lists the checks", v->only);
    else ebb_fail(j->e, EBB_E_VERIFY, "%s: the verifier gave up (%s)", name, ebb_status_name(s));
    return false;
}

/* FNV-1a, 64 bits, of the file's bytes; 0 when it cannot be read. */
static uint64_t hash_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) return 0;
    uint64_t h = 14695981039346656037u;
    for (int c; (c = getc(f)) != EOF;) h = (h ^ (uint64_t)c) * 1099511628211u;
    fclose(f);
    return h;
}

/* Loads a plugin, which verifies its ops. A refusal is a result, not an error. */
static bool check_file(job *j, const char *path, const ebb_verify_options *v) {
    char buf[1024];
    plugin_file *f = &j->files[j->n_files++];
    path = cli_plugin_path(path, buf, sizeof buf);
    *f = (plugin_file){.path = path == buf ? path + 2 : path, .hash = hash_file(path)};
    FILE *there = fopen(path, "rb");
    if (!there) {
        ebb_fail(j->e, EBB_E_IO, "cannot open %s: %s", f->path, strerror(errno));
        return false;
    }
    fclose(there);
    const size_t failed = j->failed;
    const char *name = ebb_plugin_load(j->e, path, v);
    end_op(j);
    if (name) f->name = copy(name);
    else f->error = copy(ebb_error(j->e));
    ebb_error_clear(j->e);
    if (j->o->json) return true;
    const char *why = f->error ? f->error : "out of memory";
    const int n = (int)(j->failed > failed ? strcspn(why, "\n") : strlen(why)); /* the rest stands above */
    if (name) printf("registered: %s%s\n", name, v->only ? " (this check alone was made)" : "");
    else printf("refused: %.*s\n", n, why);
    fflush(stdout);
    return true;
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

/* How many different checks ran. */
static size_t count_checks(const job *j) {
    const char *seen[MAX_NAMES];
    size_t n = 0;
    for (size_t i = 0; i < j->n_records && n < MAX_NAMES; i++) {
        size_t k = 0;
        while (k < n && strcmp(seen[k], j->records[i].check)) k++;
        if (k == n) seen[n++] = j->records[i].check;
    }
    return n;
}

/* "42 no rule for a second derivative, 3 one thread only" */
static void print_reasons(const job *j) {
    const char *reason[MAX_REASONS];
    size_t times[MAX_REASONS], n = 0, more = 0;
    for (size_t i = 0; i < j->n_records; i++) {
        if (!j->records[i].skipped) continue;
        size_t k = 0;
        while (k < n && strcmp(reason[k], j->records[i].message)) k++;
        if (k < n) times[k]++;
        else if (n < MAX_REASONS) {
            reason[n] = j->records[i].message;
            times[n++] = 1;
        } else more++;
    }
    for (size_t k = 0; k < n; k++) printf("    %4zu skipped: %s\n", times[k], reason[k]);
    if (more) printf("    %4zu skipped for other reasons\n", more);
}

static void print_summary(const job *j) {
    printf("%zu op%s x %zu checks: %zu passed, %zu skipped, %zu failed\n", j->ops, j->ops == 1 ? "" : "s",
           count_checks(j), j->passed, j->skipped, j->failed);
    if (j->compact && !j->o->quiet) print_reasons(j);
}

static void json_records(const job *j, json *w) {
    json_begin(w, "ops", '[');
    for (size_t i = 0; i < j->n_records;) {
        const char *op = j->records[i].op;
        json_begin(w, NULL, '{');
        json_text(w, "op", op);
        json_text(w, "plugin", ebb_op_plugin(j->e, op));
        json_begin(w, "checks", '[');
        bool passed = true;
        for (; i < j->n_records && !strcmp(j->records[i].op, op); i++) {
            const record *r = &j->records[i];
            passed = passed && (r->passed || r->skipped);
            json_begin(w, NULL, '{');
            json_text(w, "check", r->check);
            json_text(w, "dtype", r->dtype);
            json_int(w, "cases", r->cases);
            json_real(w, "margin", r->margin);
            json_text(w, "result", r->skipped ? "skipped" : r->passed ? "passed" : "failed");
            if (*r->message) json_text(w, "message", r->message);
            json_end(w, '}');
        }
        json_end(w, ']');
        json_bool(w, "passed", passed);
        json_end(w, '}');
    }
    json_end(w, ']');
}

static void print_json(const job *j) {
    json w = {.to = stdout};
    char abi[32];
    snprintf(abi, sizeof abi, "%u.%u", EBB_ABI_MAJOR, EBB_ABI_MINOR);
    json_begin(&w, NULL, '{');
    json_text(&w, "ebb", ebb_version());
    json_text(&w, "abi", abi);
    json_int(&w, "pointer_bits", (int64_t)(8 * sizeof(void *)));
    json_text(&w, "level", ebb_level_name(ebb_level(j->e)));
    json_text(&w, "parallel", ebb_parallel_name());
    json_int(&w, "threads", ebb_threads(j->e));
    json_count(&w, "seed", j->o->seed);
    json_text(&w, "only", j->o->only);
    json_text(&w, "backend", j->o->backend);
    json_begin(&w, "plugins", '[');
    for (size_t i = 0; i < j->n_files; i++) {
        const plugin_file *f = &j->files[i];
        char hash[24];
        snprintf(hash, sizeof hash, "%016" PRIx64, f->hash);
        json_begin(&w, NULL, '{');
        json_text(&w, "path", f->path);
        json_text(&w, "fnv1a64", hash);
        json_bool(&w, "registered", f->name != NULL);
        json_text(&w, "name", f->name);
        json_text(&w, "refused", f->error);
        json_end(&w, '}');
    }
    json_end(&w, ']');
    json_records(j, &w);
    json_begin(&w, "summary", '{');
    json_int(&w, "ops", (int64_t)j->ops);
    json_int(&w, "passed", (int64_t)j->passed);
    json_int(&w, "skipped", (int64_t)j->skipped);
    json_int(&w, "failed", (int64_t)j->failed);
    json_end(&w, '}');
    json_end(&w, '}');
}

/* ---- the command --------------------------------------------------------------------------------------------------- */

static bool check_everything(job *j, int n, char **what, const ebb_verify_options *v) {
    bool ran = true;
    const size_t built_in = ebb_op_count(j->e);
    for (size_t i = 0; j->o->all && ran && i < built_in; i++) ran = check_op(j, ebb_op_at(j->e, i)->name, v);
    for (int i = 0; i < n && ran; i++)
        ran = is_file(what[i]) ? check_file(j, what[i], v) : check_op(j, what[i], v);
    return ran;
}

static int run(int argc, char **argv) {
    options o = {0};
    int code = cli_parse(&cli_check, argc, argv, &o);
    if (code != CLI_GO_ON) return code;
    const int n = argc - optind;
    if (!n && !o.all) return cli_usage(&cli_check, "which op, plugin or model? --all takes every op");
    for (int i = optind; i < argc; i++) {
        if (!model_is_file(argv[i])) continue;
        if (n > 1 || o.all) return cli_usage(&cli_check, "a model is checked alone: %s", argv[i]);
        return check_model(argv[i], &(model_check_options){o.threads, o.json, o.quiet});
    }

    job j = {.o = &o,
             .compact = o.all,
             .files = calloc((size_t)n + 1, sizeof *j.files),
             .e = cli_open(o.threads, o.seed)};
    if (!j.e || !j.files) {
        free_job(&j);
        return CLI_FAILED;
    }
    const ebb_verify_options v = {
        .size = sizeof v, .report = on_check, .user = &j, .seed = o.seed, .only = o.only, .backend = o.backend};
    bool ran = !o.backend || !ebb_backend_use(j.e, o.backend);
    ran = ran && check_everything(&j, n, argv + optind, &v);
    if (ran && j.short_of_memory) {
        ebb_fail(j.e, EBB_E_MEMORY, "no memory for the report");
        ran = false;
    }
    if (ran && o.json) print_json(&j);
    else if (ran && (o.all || j.ops > 1 || o.quiet)) print_summary(&j);
    fflush(stdout);
    bool refused = j.failed > 0;
    for (size_t i = 0; i < j.n_files; i++) refused = refused || !j.files[i].name;
    code = !ran ? cli_failed(j.e) : refused ? CLI_FAILED : CLI_OK;
    free_job(&j);
    return code;
}

const cli_command cli_check = {
    .name = "check",
    .args = "[--all | OP... | FILE.so | FILE.wasm | MODEL.ebb] [OPTIONS]",
    .brief = "verify ops: built-in ones, or those of a plugin; or a whole model",
    .details = "A certificate has a line for each check: how many cases it went through, and the worst error as a part of\n"
               "what is allowed (below 1 passes). A plugin file is registered only if all of its ops pass.\n"
               "Of a model file the derivatives of the loss are compared with differences, in f64, 16 elements of each parameter.\n"
               "Exit code 1: something failed or was refused.\n\n"
               "examples:\n"
               "  ebb check softmax cross_entropy\n"
               "  ebb check ./my_op.so\n"
               "  ebb check examples/models/attention.ebb\n"
               "  ebb check --all --backend onednn\n"
               "  ebb check ./my_op.so --json > my_op.certificate.json",
    .options = check_options,
    .n_options = sizeof check_options / sizeof *check_options,
    .run = run,
};
