/* trace.c - floor 7: `ebb trace`: trains a model and records steps of it, to a file and as a summary; or shows what such a file holds. */
#define _POSIX_C_SOURCE 200809L
#include "model.h"
#include "trace_show.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 258, FEW = 5, CURVES = 10 }; /* at most; when nothing is said; loss, |g| and 8 metrics */
#define NO_SEED UINT64_MAX

typedef struct options {
    int64_t steps, every, threads, frame;
    uint64_t seed;
    const char *out, *svg, *at, *data, *plugin;
    bool quiet;
} options;

#define OPTION(field, type, arg, help, ...)                                                                  \
    { .name = #field, type, offsetof(options, field), arg, help, __VA_ARGS__ }

static const cli_option trace_options[] = {
    OPTION(out, CLI_TEXT, "FILE", "write the recorded steps there, run.ebbtrace", 0, 0, 'o'),
    OPTION(svg, CLI_TEXT, "FILE", "draw the graph of the step that is shown, graph.svg", 0, 0),
    OPTION(steps, CLI_INT, "N", "training steps; default: what the model says, else 200", 1, 1e9),
    OPTION(at, CLI_TEXT, "LIST", "record these steps, 1,10,100; default: the first, the last, three between", 0, 0),
    OPTION(every, CLI_INT, "N", "record the first, every Nth and the last", 1, 1e9),
    OPTION(frame, CLI_INT, "N", "of a file: show this one's ops, from 1; default: the last", 1, 1e9),
    OPTION(seed, CLI_SEED, "N", "goes before the model's own; the same seed gives the same bits", 0, 0),
    OPTION(threads, CLI_INT, "N", "default: one a core; the result does not depend on it", 1, 256),
    OPTION(plugin, CLI_TEXT, "FILE", "verify and load this plugin first; the model may call its ops", 0, 0),
    OPTION(data, CLI_TEXT, "DIR", "where the data sets are", 0, 0),
    OPTION(quiet, CLI_FLAG, NULL, "no table of ops", 0, 0),
};

typedef struct job {
    ebb *e;
    const options *o;
    ebb_model *m;
    ebb_model_info info;
    const char *path;
    int64_t steps;
    int64_t at[FRAMES];
    int n_at;
    ebb_recorder *r[FRAMES];
    const ebb_trace_step *frame[FRAMES];
    int n_frames;
    float *curve[CURVES + 1]; /* step numbers, then the curves */
} job;

/* ---- which steps ---------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static bool add_step(job *j, int64_t step) {
    if (j->n_at == FRAMES)
        return cli_fail("more than %d steps to record: give a larger --every", FRAMES), false;
    j->at[j->n_at++] = step;
    return true;
}

static bool listed(job *j, const char *list) {
    for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        char word[24];
        int64_t step;
        snprintf(word, sizeof word, "%.*s", (int)strcspn(p, ","), p);
        if (!cli_int(word, 1, j->steps, &step))
            return cli_fail("--at: '%s' is no step from 1 to %lld", word, (long long)j->steps), false;
        if (!add_step(j, step)) return false;
    }
    return true;
}

/* Which steps to record: in order, each once. */
static bool choose(job *j) {
    const int64_t every = j->o->every;
    bool ok = true;
    if (j->o->at) {
        ok = listed(j, j->o->at);
    } else if (every) {
        ok = add_step(j, 1);
        for (int64_t k = every; k < j->steps && ok; k += every) ok = add_step(j, k);
        ok = ok && add_step(j, j->steps);
    } else {
        for (int k = 0; k < FEW; k++) add_step(j, 1 + (j->steps - 1) * k / (FEW - 1));
    }
    qsort(j->at, (size_t)j->n_at, sizeof *j->at, ascending);
    int n = 0;
    for (int k = 0; k < j->n_at; k++)
        if (!n || j->at[k] != j->at[n - 1]) j->at[n++] = j->at[k];
    j->n_at = n;
    return ok;
}

/* ---- recording -------------------------------------------------------------------------------------------------------- */

static bool add_curves(const job *j, ebb_recorder *r, int32_t n) {
    ebb_record_series(r, "loss", n, j->curve[0], j->curve[1]);
    ebb_record_series(r, "grad_norm", n, j->curve[0], j->curve[2]);
    for (int i = 0; i < j->info.n_metrics; i++)
        ebb_record_series(r, ebb_model_metric_name(j->m, i), n, j->curve[0], j->curve[3 + i]);
    return !ebb_failed(j->e);
}

/* One training step; recorded when it is asked for. A loss that is not finite is something to show, and ends the training. */
static bool step(job *j, int64_t k, bool record, bool *finite) {
    ebb_step s = {.size = sizeof s};
    ebb_record_options o = {.size = sizeof o, .model = j->m};
    ebb_scope *scope = ebb_begin(j->e);
    ebb_recorder *r = record ? ebb_record_begin(j->e, &o) : NULL;
    *finite = ebb_model_step_open(j->m, &s) != EBB_E_VALUE;
    if (!*finite) ebb_error_clear(j->e);
    j->curve[0][k - 1] = (float)k;
    j->curve[1][k - 1] = (float)s.loss;
    j->curve[2][k - 1] = (float)s.grad_norm;
    for (int i = 0; i < j->info.n_metrics; i++) j->curve[3 + i][k - 1] = (float)s.metric[i];
    bool ok = !ebb_failed(j->e);
    if (r && ok && add_curves(j, r, (int32_t)k)) {
        j->r[j->n_frames] = r;
        j->frame[j->n_frames] = ebb_record_end(r);
        ok = j->frame[j->n_frames++] != NULL;
    } else {
        ebb_record_free(r);
    }
    ebb_end(scope);
    return ok && !ebb_failed(j->e);
}

/* A model without `train`: its statements once, and backward when it has a loss. */
static bool once(job *j) {
    ebb_record_options o = {.size = sizeof o, .model = j->m};
    ebb_scope *scope = ebb_begin(j->e);
    ebb_recorder *r = ebb_record_begin(j->e, &o);
    ebb_tensor *loss = ebb_model_forward(j->m);
    if (loss && ebb_model_value(j->m, "loss") && ebb_needs_grad(loss)) ebb_backward(loss);
    const bool ok = r && !ebb_failed(j->e);
    if (ok) {
        j->r[0] = r;
        j->frame[0] = ebb_record_end(r);
        j->n_frames = j->frame[0] != NULL;
    } else {
        ebb_record_free(r);
    }
    ebb_end(scope);
    return ok && j->n_frames;
}

static bool write_file(ebb *e, const char *path, const void *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    const bool ok = f && fwrite(bytes, 1, n, f) == n;
    if ((f && fclose(f)) || !ok) ebb_fail(e, EBB_E_IO, "cannot write %s: %s", path, strerror(errno));
    return !ebb_failed(e);
}

static bool write_out(const job *j) {
    size_t n = 0;
    void *bytes = ebb_trace_write(j->e, j->n_frames, j->frame, &n);
    if (bytes && write_file(j->e, j->o->out, bytes, n))
        printf("wrote %s: %d frame%s, %zu bytes\n", j->o->out, j->n_frames, j->n_frames == 1 ? "" : "s", n);
    ebb_trace_bytes_free(j->e, bytes, n);
    return !ebb_failed(j->e);
}

/* The graph of one step as a picture. */
static bool write_svg(ebb *e, const ebb_trace_step *s, const char *path) {
    size_t n = 0;
    ebb_layout *l = ebb_layout_new(e, s, NULL);
    char *svg = l ? ebb_layout_svg(e, s, l, false, &n) : NULL;
    if (svg && write_file(e, path, svg, n))
        printf("wrote %s: %.0f x %.0f\n", path, (double)l->width, (double)l->height);
    ebb_layout_svg_free(e, svg);
    ebb_layout_free(e, l);
    return !ebb_failed(e);
}

/* The loss of step k is not finite: what broke it is in that step or the one before, so all is done again to record these two. */
static bool again(job *j, int64_t k) {
    bool finite;
    printf("the loss of step %lld is not finite: training again up to there\n", (long long)k);
    while (j->n_frames && j->frame[j->n_frames - 1]->step >= k - 1) ebb_record_free(j->r[--j->n_frames]);
    if ((j->o->seed != NO_SEED ? ebb_model_reseed(j->m, j->o->seed) : ebb_model_restart(j->m)) != EBB_OK)
        return false;
    for (int64_t i = 1; i <= k; i++) {
        if (!step(j, i, i >= k - 1, &finite)) return false;
        if (i >= k - 1) trace_show_frame(j->frame[j->n_frames - 1]);
    }
    return true;
}

static bool train(job *j) {
    j->steps = j->o->steps ? j->o->steps : j->info.steps ? j->info.steps : 200;
    if (!choose(j)) return ebb_fail(j->e, EBB_E_ARG, "nothing was recorded"), false;
    const int64_t last = j->at[j->n_at - 1];
    for (int i = 0; i <= 2 + j->info.n_metrics && i <= CURVES; i++)
        if (!(j->curve[i] = malloc((size_t)last * sizeof(float))))
            return ebb_fail(j->e, EBB_E_MEMORY, "out of memory"), false;
    bool finite = true, before = false; /* before: the step before was recorded */
    for (int64_t k = 1, next = 0; k <= last && finite; k++) {
        const bool record = k == j->at[next];
        if (!step(j, k, record, &finite)) return false;
        next += record;
        if (record) trace_show_frame(j->frame[j->n_frames - 1]);
        if (!finite && !(record && (before || k == 1))) return again(j, k);
        before = record;
    }
    return true;
}

static bool record_model(job *j, const char *text) {
    char path[1024];
    if (j->o->plugin && !ebb_plugin_load(j->e, cli_plugin_path(j->o->plugin, path, sizeof path), NULL))
        return false;
    model_data(j->e, j->o->data);
    j->m = ebb_model_new(j->e, j->path, text);
    if (ebb_failed(j->e) || (j->o->seed != NO_SEED && ebb_model_reseed(j->m, j->o->seed) != EBB_OK))
        return false;
    j->info.size = sizeof j->info;
    ebb_model_info_of(j->m, &j->info);
    if (!(j->info.trains ? train(j) : once(j))) return false;
    if (j->n_frames) {
        const ebb_trace_step *s = j->frame[j->n_frames - 1];
        if (!j->info.trains) trace_show_frame(s);
        if (!j->o->quiet) trace_show_nodes(s);
        if (!trace_show_findings(j->n_frames, j->frame)) puts("nothing wrong is found in these steps");
        if (j->o->svg && !write_svg(j->e, s, j->o->svg)) return false;
    }
    return !j->o->out || write_out(j);
}

static int record(const options *o, const char *path) {
    char *text = model_read(path);
    if (!text) return CLI_FAILED;
    job j = {.o = o, .path = path, .e = cli_open(o->threads, 1)};
    const bool ok = j.e && record_model(&j, text);
    const int code = ok ? CLI_OK : j.e ? model_failed(j.e, j.m, path, text) : CLI_FAILED;
    for (int i = 0; i < j.n_frames; i++) ebb_record_free(j.r[i]);
    for (int i = 0; i <= CURVES; i++) free(j.curve[i]);
    ebb_model_free(j.m);
    ebb_close(j.e);
    free(text);
    return code;
}

/* ---- a file ------------------------------------------------------------------------------------------------------------- */

/* All bytes of a file. -> owned, free; NULL: said why not */
static char *read_bytes(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    char *bytes = NULL;
    if (!f || fseek(f, 0, SEEK_END)) {
        cli_fail("cannot open %s: %s", path, strerror(errno));
    } else {
        const long size = ftell(f);
        rewind(f);
        bytes = size < 0 ? NULL : malloc((size_t)size + 1);
        *n = bytes ? fread(bytes, 1, (size_t)size, f) : 0;
        if (!bytes || *n != (size_t)size) {
            cli_fail("cannot read %s: %s", path, strerror(errno));
            free(bytes);
            bytes = NULL;
        }
    }
    if (f) fclose(f);
    return bytes;
}

static int show(const options *o, const char *path) {
    size_t n = 0;
    char *bytes = read_bytes(path, &n);
    if (!bytes) return CLI_FAILED;
    ebb *e = cli_open(1, 1);
    ebb_trace_file *f = e ? ebb_trace_read(e, bytes, n) : NULL;
    free(bytes);
    int code = CLI_OK;
    const int32_t frames = ebb_trace_frames(f);
    if (!f) {
        code = e ? cli_fail("%s: %s", path, ebb_error(e)) : CLI_FAILED;
    } else if (o->frame > frames) {
        code = cli_fail("%s has %d frame%s, no frame %lld", path, frames, frames == 1 ? "" : "s",
                        (long long)o->frame);
    } else {
        const ebb_trace_step *s = ebb_trace_frame(f, (int32_t)(o->frame ? o->frame : frames) - 1);
        printf("%s: %d frame%s, %zu bytes%s%s\n", path, frames, frames == 1 ? "" : "s", n, s ? "; " : "",
               s ? s->texts + s->about : "");
        for (int32_t i = 0; i < frames; i++) trace_show_frame(ebb_trace_frame(f, i));
        if (s && !o->quiet) trace_show_nodes(s);
        if (s) trace_show_findings(1, &s);
        if (s && o->svg && !write_svg(e, s, o->svg)) code = cli_failed(e);
    }
    ebb_trace_file_free(f);
    ebb_close(e);
    return code;
}

static int run(int argc, char **argv) {
    options o = {.seed = NO_SEED};
    const int code = cli_parse(&cli_trace, argc, argv, &o);
    if (code != CLI_GO_ON) return code;
    if (argc - optind != 1)
        return cli_usage(&cli_trace, argc > optind ? "one file at a time"
                                                   : "which model (model.ebb) or trace (run.ebbtrace)?");
    if (o.at && o.every) return cli_usage(&cli_trace, "--at and --every: one of them");
    return model_is_file(argv[optind]) ? record(&o, argv[optind]) : show(&o, argv[optind]);
}

const cli_command cli_trace = {
    .name = "trace",
    .args = "MODEL.ebb | RUN.ebbtrace [OPTIONS]",
    .brief = "record training steps: every op, gradient and what goes wrong",
    .details = "A model is trained; steps of it are recorded, and the last recorded one is shown: each op with the range of its result and of its\n"
               "gradient, and what goes wrong with the line it comes from. A trace file can be opened in the page, or shown by this command.\n\n"
               "examples:\n"
               "  ebb trace examples/models/xor.ebb -o xor.ebbtrace\n"
               "  ebb trace examples/mistakes/dead_relu_broken.ebb --steps 20\n"
               "  ebb trace xor.ebbtrace --frame 1 --svg xor.svg",
    .options = trace_options,
    .n_options = sizeof trace_options / sizeof *trace_options,
    .run = run,
};
