/* run.c - floor 7: `ebb run`: trains the model of a file and says how well; a model without `train` is run once and shown. */
#define _POSIX_C_SOURCE 200809L
#include "json.h"
#include "model.h"
#include "progress.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SHOWN = 8, LINES = 12 }; /* metrics; lines of progress */
#define NO_SEED UINT64_MAX          /* none was given */

typedef struct options {
    int64_t steps, threads;
    uint64_t seed;
    const char *plugin, *backend, *save, *data;
    bool quiet, json;
} options;

#define OPTION(field, type, arg, help, ...)                                                                  \
    { .name = #field, type, offsetof(options, field), arg, help, __VA_ARGS__ }

static const cli_option run_options[] = {
    OPTION(steps, CLI_INT, "N", "training steps; default: what the model says, else 200", 0, 1e9),
    OPTION(seed, CLI_SEED, "N", "goes before the model's own; the same seed gives the same bits", 0, 0),
    OPTION(threads, CLI_INT, "N", "default: one a core; the result does not depend on it", 1, 256),
    OPTION(plugin, CLI_TEXT, "FILE", "verify and load this plugin first; the model may call its ops", 0, 0),
    OPTION(backend, CLI_TEXT, "NAME", "auto (default), portable, onednn", 0, 0),
    OPTION(save, CLI_TEXT, "FILE", "write the parameters there, .safetensors", 0, 0),
    OPTION(data, CLI_TEXT, "DIR", "where the data sets are", 0, 0),
    OPTION(quiet, CLI_FLAG, NULL, "print the result only", 0, 0),
    OPTION(json, CLI_FLAG, NULL, "print the result as JSON", 0, 0),
};

typedef struct job {
    ebb *e;
    const options *o;
    ebb_model *m;
    const char *path;
    ebb_model_info info;
    ebb_step last;
    double held[MAX_SHOWN + 1]; /* metrics over the examples held back, then the loss */
    double seconds;
    bool finite; /* every loss was */
} job;

static uint64_t bits_of(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

/* ---- training ---- */

static void print_head(const job *j, int64_t steps) {
    const ebb_model_info *i = &j->info;
    printf("%s: %" PRId64 " parameter%s", j->path, i->parameters, i->parameters == 1 ? "" : "s");
    if (*i->dataset) {
        printf("; %s, %" PRId64 " examples for training", i->dataset, i->n_train);
        if (i->n_held) printf(", %" PRId64 " held back", i->n_held);
        printf(", %" PRId64 " a step", i->batch);
    }
    printf("; %s, %" PRId64 " steps\n", i->optimizer, steps);
    fflush(stdout);
}

static void print_step(const job *j, const ebb_step *s, int64_t steps) {
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, steps);
    printf("step %*" PRId64 "/%s  loss %.6g", (int)strlen(number), s->step, number, cli_shown(s->loss));
    for (int i = 0; i < j->info.n_metrics; i++)
        printf("  %s %.4g", ebb_model_metric_name(j->m, i), cli_shown(s->metric[i]));
    printf("  |g| %.3g\n", cli_shown(s->grad_norm));
    fflush(stdout);
}

/* A loss that is not finite ends nothing: the model says what comes of it. */
static bool train(job *j, int64_t steps) {
    const int64_t every = steps < LINES ? 1 : (steps + LINES - 1) / LINES;
    const double start = progress_clock();
    for (int64_t k = 1; k <= steps; k++) {
        ebb_step s = {.size = sizeof s};
        if (ebb_model_step(j->m, &s) == EBB_E_VALUE) {
            if (j->finite && !j->o->json) fprintf(stderr, "ebb: %s\n", ebb_error(j->e));
            j->finite = false;
            ebb_error_clear(j->e);
        } else if (ebb_failed(j->e)) return false;
        j->last = s;
        if (!j->o->quiet && !j->o->json && (k == 1 || k == steps || k % every == 0)) print_step(j, &s, steps);
    }
    j->seconds = progress_clock() - start;
    return ebb_model_evaluate(j->m, j->info.n_metrics + 1, j->held) == EBB_OK;
}

static void print_result(const job *j, int64_t steps) {
    const ebb_model_info *i = &j->info;
    const char *where = i->n_held ? "held back" : "in training";
    for (int k = 0; k < i->n_metrics; k++)
        printf("%s %.6g on examples %s\n", ebb_model_metric_name(j->m, k), cli_shown(j->held[k]), where);
    if (i->n_held) printf("loss %.6g on examples held back\n", cli_shown(j->held[i->n_metrics]));
    if (steps)
        printf("final loss %.9f (bits 0x%016" PRIx64 ")\n", cli_shown(j->last.loss), bits_of(j->last.loss));
    if (!j->o->quiet && steps) printf("%" PRId64 " steps in %.2f s\n", steps, j->seconds);
    if (j->o->save && !j->o->quiet) printf("saved %s\n", j->o->save);
}

static void print_json(const job *j, int64_t steps) {
    const ebb_model_info *i = &j->info;
    json w = {.to = stdout};
    char bits[24];
    snprintf(bits, sizeof bits, "0x%016" PRIx64, bits_of(j->last.loss));
    json_begin(&w, NULL, '{');
    json_text(&w, "ebb", ebb_version());
    json_text(&w, "model", j->path);
    json_text(&w, "data", *i->dataset ? i->dataset : NULL);
    json_int(&w, "parameters", i->parameters);
    json_text(&w, "optimizer", i->optimizer);
    json_int(&w, "steps", steps);
    json_int(&w, "threads", ebb_threads(j->e));
    json_text(&w, "backend", ebb_backend_name(j->e));
    json_real(&w, "final_loss", j->last.loss);
    json_text(&w, "final_loss_bits", bits);
    json_bool(&w, "finite", j->finite);
    json_real(&w, "held_loss", j->held[i->n_metrics]);
    json_begin(&w, "metrics", '{');
    for (int k = 0; k < i->n_metrics; k++) json_real(&w, ebb_model_metric_name(j->m, k), j->held[k]);
    json_end(&w, '}');
    json_real(&w, "seconds", j->seconds);
    json_text(&w, "saved", j->o->save);
    json_end(&w, '}');
}

/* ---- a model that does not train ---- */

static void print_elements(const ebb_tensor *t, int dim, int64_t *at, int indent) {
    const int dims = ebb_ndim(t);
    const int64_t n = dim < dims ? ebb_size(t, dim) : 0;
    if (dim == dims) {
        printf("%.6g", cli_shown(ebb_at(t, (*at)++)));
        return;
    }
    putchar('[');
    for (int64_t i = 0; i < n; i++) {
        if (i) printf(dim + 1 == dims ? ", " : ",\n%*s", dim + 1 == dims ? 0 : indent + dim + 1, "");
        print_elements(t, dim + 1, at, indent);
    }
    putchar(']');
}

static void print_tensor(const char *name, const ebb_tensor *t) {
    char what[160];
    int64_t at = 0;
    const int head = printf("%s = ", name);
    if (ebb_numel(t) <= 64) print_elements(t, 0, &at, head);
    else fputs(ebb_describe(t, what, sizeof what), stdout);
    putchar('\n');
}

static bool show_once(job *j) {
    ebb_scope *s = ebb_begin(j->e);
    ebb_tensor *loss = ebb_model_forward(j->m);
    const char *name;
    for (size_t i = 0; loss && (name = ebb_model_variable(j->m, i)); i++) {
        const ebb_tensor *t = ebb_model_value(j->m, name);
        if (t) print_tensor(name, t);
    }
    if (loss && ebb_model_value(j->m, "loss") && ebb_needs_grad(loss) && ebb_backward(loss) == EBB_OK)
        for (size_t i = 0; i < ebb_param_count(j->e); i++) {
            const ebb_tensor *p = ebb_param_at(j->e, i), *g = ebb_grad_of(p);
            char text[300];
            snprintf(text, sizeof text, "d loss / d %s", ebb_name_of(p));
            if (g) print_tensor(text, g);
        }
    ebb_end(s);
    return !ebb_failed(j->e);
}

/* ---- the command ---- */

static bool run_model(job *j, const char *text) {
    const options *o = j->o;
    char path[1024];
    if (o->plugin && !ebb_plugin_load(j->e, cli_plugin_path(o->plugin, path, sizeof path), NULL))
        return false;
    if (ebb_backend_use(j->e, o->backend) != EBB_OK) return false;
    model_data(j->e, o->data);
    j->m = ebb_model_new(j->e, j->path, text);
    if (ebb_failed(j->e) || (o->seed != NO_SEED && ebb_model_reseed(j->m, o->seed) != EBB_OK)) return false;
    j->info.size = sizeof j->info;
    ebb_model_info_of(j->m, &j->info);
    if (!j->info.trains) return show_once(j);
    const int64_t steps = o->steps >= 0 ? o->steps : j->info.steps ? j->info.steps : 200;
    if (!o->quiet && !o->json) print_head(j, steps);
    if (!train(j, steps)) return false;
    if (o->save && ebb_save(j->e, o->save) != EBB_OK) return false;
    if (o->json) print_json(j, steps);
    else print_result(j, steps);
    return true;
}

static int run(int argc, char **argv) {
    options o = {.steps = -1, .seed = NO_SEED, .backend = "auto"};
    int code = cli_parse(&cli_run, argc, argv, &o);
    if (code != CLI_GO_ON) return code;
    if (argc - optind != 1)
        return cli_usage(&cli_run, argc > optind ? "one model at a time" : "which model? a file like model.ebb");
    char *text = model_read(argv[optind]);
    if (!text) return CLI_FAILED;
    job j = {.o = &o, .path = argv[optind], .e = cli_open(o.threads, 1), .finite = true};
    const bool ok = j.e && run_model(&j, text);
    code = ok ? CLI_OK : j.e ? model_failed(j.e, j.m, j.path, text) : CLI_FAILED;
    ebb_model_free(j.m);
    ebb_close(j.e);
    free(text);
    return code;
}

const cli_command cli_run = {
    .name = "run",
    .args = "MODEL.ebb [OPTIONS]",
    .brief = "train the model of a file, or run it once",
    .details = "docs/language.md describes the language. A model with a `train` statement is trained; its metrics over the\n"
               "examples held back and the final loss are printed, whose bits are the same for any --threads. Another model\n"
               "is run once: its values and the derivatives of its loss are printed.\n\n"
               "examples:\n"
               "  ebb run examples/models/spirals.ebb\n"
               "  ebb run examples/models/digits_cnn.ebb --steps 50 --save cnn.safetensors\n"
               "  ebb run examples/models/worked_numbers.ebb",
    .options = run_options,
    .n_options = sizeof run_options / sizeof *run_options,
    .run = run,
};
