/* train.c - floor 7: `ebb train`: a multilayer perceptron that learns handwritten digits. */
#define _POSIX_C_SOURCE 200809L
#include "batch.h"
#include "cli.h"
#include "json.h"
#include "progress.h"
#include <ebb/plugin.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 8, TEST_BATCH = 500 };

typedef struct options {
    int64_t threads, epochs, batch, shift;
    uint64_t seed;
    double lr, clip;
    const char *plugin, *activation, *hidden, *optim, *backend, *save, *load, *data;
    bool nan_guard, quiet, json;
} options;

#define OPTION(field, type, arg, help, ...)                                                                  \
    { .name = #field, type, offsetof(options, field), arg, help, __VA_ARGS__ }

static const cli_option train_options[] = {
    OPTION(plugin, CLI_TEXT, "FILE", "verify and load this plugin first; its first op is the activation", 0, 0),
    OPTION(activation, CLI_TEXT, "OP", "any op of one input and one output; default relu", 0, 0),
    OPTION(hidden, CLI_TEXT, "N,N..", "sizes of the hidden layers; default 256,128 for mnist, 256 for digits", 0, 0),
    OPTION(epochs, CLI_INT, "N", "times through the training images; default 15 for mnist, 40 for digits", 0, 1e6),
    OPTION(batch, CLI_INT, "N", "images a step; default 64 for mnist, 32 for digits", 1, 65536),
    OPTION(shift, CLI_INT, "N",
           "move each training image by up to N pixels; default 1 for mnist, 0 for digits", 0, 16),
    OPTION(optim, CLI_TEXT, "NAME", "optimizer and its attributes, \"sgd momentum=0.9\"; default adamw", 0, 0),
    OPTION(lr, CLI_REAL, "X", "learning rate at the start, falling linearly; default 0.001, digits 0.002",
           1e-12, 1e3),
    OPTION(clip, CLI_REAL, "X", "bring the gradients' norm down to X", 1e-12, 1e12),
    OPTION(seed, CLI_SEED, "N", "of parameters and shuffles; the same seed gives the same bits; default 1", 0, 0),
    OPTION(threads, CLI_INT, "N", "default: one a core; the result does not depend on it", 1, 256),
    OPTION(backend, CLI_TEXT, "NAME", "auto (default), portable, onednn", 0, 0),
    {.name = "nan-guard", CLI_FLAG, offsetof(options, nan_guard), NULL, "stop at the op that makes a NaN or an infinity", 0, 0},
    OPTION(save, CLI_TEXT, "FILE", "write the parameters there, .safetensors", 0, 0),
    OPTION(load, CLI_TEXT, "FILE", "start from these parameters", 0, 0),
    OPTION(data, CLI_TEXT, "DIR", "where the data sets are", 0, 0),
    OPTION(quiet, CLI_FLAG, NULL, "print the result only", 0, 0),
    OPTION(json, CLI_FLAG, NULL, "print the result as JSON", 0, 0),
};

/* The network: linear, activation, linear, ..., linear. */
typedef struct network {
    int layers;
    int64_t size[MAX_LAYERS + 1]; /* of the input and of each layer's output */
    ebb_tensor *weight[MAX_LAYERS], *bias[MAX_LAYERS];
    const char *activation;
    int64_t parameters;
} network;

static ebb_status read_hidden(ebb *e, const char *text, network *net) {
    net->layers = 0;
    for (const char *at = text;; at++) {
        char *end;
        const long n = strtol(at, &end, 10);
        if (end == at || n < 1 || n > 65536 || (*end && *end != ','))
            return ebb_fail(e, EBB_E_ARG, "--hidden: expected sizes from 1 to 65536 like 256,128; got '%s'", text);
        if (net->layers == MAX_LAYERS - 1)
            return ebb_fail(e, EBB_E_ARG, "--hidden: at most %d layers", MAX_LAYERS - 1);
        net->size[++net->layers] = n;
        at = end;
        if (!*at) return EBB_OK;
    }
}

static ebb_status make_network(ebb *e, network *net, int64_t inputs, int64_t classes) {
    net->size[0] = inputs;
    net->size[++net->layers] = classes;
    for (int i = 0; i < net->layers; i++) {
        char name[32];
        snprintf(name, sizeof name, "fc%d.weight", i + 1);
        net->weight[i] = ebb_param(e, name, EBB_F32, EBB_SHAPE(net->size[i + 1], net->size[i]), ebb_kaiming);
        snprintf(name, sizeof name, "fc%d.bias", i + 1);
        net->bias[i] = ebb_param(e, name, EBB_F32, EBB_SHAPE(net->size[i + 1]), NULL);
        net->parameters += (net->size[i] + 1) * net->size[i + 1];
    }
    return ebb_error_code(e);
}

/* x: (n, inputs) -> (n, classes), of the scope */
static ebb_tensor *forward(ebb *e, const network *net, ebb_tensor *x) {
    for (int i = 0; i < net->layers; i++) {
        x = ebb_linear(x, net->weight[i], net->bias[i]);
        if (i == net->layers - 1) break;
        ebb_tensor *y = NULL;
        if (ebb_call_named(e, net->activation, 1, &x, NULL, 1, &y) < 0) return NULL;
        x = y;
    }
    return x;
}

/* How many rows of logits (n, classes) have their largest number at the label. */
static int64_t count_right(const ebb_tensor *logits, const int64_t *label, int64_t n) {
    const float *row = ebb_data(logits);
    if (!row) return 0;
    const int64_t classes = ebb_size(logits, -1);
    int64_t right = 0;
    for (int64_t i = 0; i < n; i++, row += classes) {
        int64_t best = 0;
        for (int64_t k = 1; k < classes; k++)
            if (row[k] > row[best]) best = k;
        right += best == label[i];
    }
    return right;
}

/* ---- training ------------------------------------------------------------------------------------------------- */

typedef struct result {
    double loss; /* mean over the last epoch */
    double accuracy, test_accuracy, seconds;
    int64_t steps;
} result;

typedef struct job {
    ebb *e;
    const options *o;
    network net;
    batch_source train, test;
    int64_t *order;
    result result;
} job;

static void shuffle(ebb *e, int64_t *order, int64_t n) {
    for (int64_t i = n; i-- > 1;) {
        const int64_t k = (int64_t)ebb_random_below(e, (uint64_t)i + 1), t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
}

/* One step on images order[0 .. n); adds to *loss and *right. */
static void train_step(job *j, ebb_optim *opt, double lr, const int64_t *order, int64_t n, double *loss,
                       int64_t *right) {
    ebb *e = j->e;
    char attrs[48];
    snprintf(attrs, sizeof attrs, "lr=%.9g", lr);
    ebb_optim_set(opt, attrs);
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *x, *y;
    batch_put(e, &j->train, order, n, j->o->shift, &x, &y);
    ebb_tensor *logits = forward(e, &j->net, x);
    ebb_tensor *l = ebb_cross_entropy(logits, y);
    ebb_zero_grad(opt);
    ebb_backward(l);
    if (j->o->clip > 0) {
        snprintf(attrs, sizeof attrs, "max_norm=%.9g", j->o->clip);
        ebb_grads(e, "clip_norm", attrs);
    }
    ebb_optim_step(opt);
    if (!ebb_failed(e)) {
        *loss += ebb_item(l) * (double)n;
        *right += count_right(logits, j->train.y, n);
    }
    ebb_end(s);
}

static ebb_optim *make_optim(ebb *e, const options *o) {
    char name[64], attrs[256];
    const size_t n = strcspn(o->optim, " ");
    snprintf(name, sizeof name, "%.*s", (int)n, o->optim);
    snprintf(attrs, sizeof attrs, "lr=%.9g%s", o->lr, o->optim + n);
    return ebb_optim_new(e, name, attrs);
}

static ebb_status train(job *j) {
    const options *o = j->o;
    const int64_t n = j->train.set->n, steps = o->epochs * ((n + o->batch - 1) / o->batch);
    ebb_optim *opt = make_optim(j->e, o);
    progress p;
    progress_begin(&p, o->epochs, n, o->quiet || o->json);
    for (int64_t i = 0; i < n; i++) j->order[i] = i;
    for (int64_t epoch = 0; epoch < o->epochs && !ebb_failed(j->e); epoch++) {
        double loss = 0;
        int64_t right = 0;
        progress_at at = {.epoch = epoch};
        shuffle(j->e, j->order, n);
        while (at.image < n && !ebb_failed(j->e)) {
            const int64_t count = n - at.image < o->batch ? n - at.image : o->batch;
            const double lr = o->lr * (double)(steps - j->result.steps++) / (double)steps;
            train_step(j, opt, lr, j->order + at.image, count, &loss, &right);
            at.image += count;
            at.loss = loss / (double)at.image;
            at.accuracy = (double)right / (double)at.image;
            progress_step(&p, &at);
        }
        if (!ebb_failed(j->e)) progress_epoch(&p, &at);
        j->result.loss = at.loss;
        j->result.accuracy = at.accuracy;
    }
    j->result.seconds = progress_end(&p);
    ebb_optim_free(opt);
    return ebb_error_code(j->e);
}

static ebb_status evaluate(job *j) {
    const int64_t n = j->test.set->n;
    int64_t right = 0;
    ebb_no_grad_begin(j->e);
    for (int64_t i = 0; i < n && !ebb_failed(j->e); i += TEST_BATCH) {
        const int64_t count = n - i < TEST_BATCH ? n - i : TEST_BATCH;
        ebb_scope *s = ebb_begin(j->e);
        ebb_tensor *x, *y;
        for (int64_t k = 0; k < count; k++) j->order[k] = i + k;
        batch_put(j->e, &j->test, j->order, count, 0, &x, &y);
        right += count_right(forward(j->e, &j->net, x), j->test.y, count);
        ebb_end(s);
    }
    ebb_no_grad_end(j->e);
    j->result.test_accuracy = (double)right / (double)n;
    return ebb_error_code(j->e);
}

/* ---- what is printed ------------------------------------------------------------------------------------------ */

static uint64_t bits_of(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static void print_network(const job *j, const char *set) {
    const options *o = j->o;
    printf("%s: %" PRId64 " training images of %" PRId64 "x%" PRId64 ", %" PRId64 " held back\n", set,
           j->train.set->n, j->train.set->rows, j->train.set->cols, j->test.set->n);
    printf("network: %" PRId64, j->net.size[0]);
    for (int i = 1; i <= j->net.layers; i++)
        printf("%s%s -> %" PRId64, i > 1 ? " -> " : "", i > 1 ? j->net.activation : "", j->net.size[i]);
    printf(", %" PRId64 " parameters\n", j->net.parameters);
    printf("training: %s, lr %g, batch %" PRId64 ", %" PRId64 " epochs, seed %" PRIu64 ", %d thread%s, %s\n\n",
           o->optim, o->lr, o->batch, o->epochs, o->seed, ebb_threads(j->e),
           ebb_threads(j->e) == 1 ? "" : "s", ebb_backend_name(j->e));
    fflush(stdout);
}

static void print_result(const job *j) {
    const result *r = &j->result;
    if (!j->o->quiet) putchar('\n');
    printf("test accuracy %.2f %% on %" PRId64 " images it has not seen\n", 100 * r->test_accuracy,
           j->test.set->n);
    if (j->o->epochs)
        printf("final loss %.9f (bits 0x%016" PRIx64 ")\n", cli_shown(r->loss), bits_of(r->loss));
    if (j->o->epochs && !j->o->quiet)
        printf("%" PRId64 " steps in %.1f s, %.0f images/s\n", r->steps, r->seconds,
               (double)(j->o->epochs * j->train.set->n) / r->seconds);
    if (j->o->save && !j->o->quiet) printf("saved %s\n", j->o->save);
}

static void print_json(const job *j, const char *set) {
    const result *r = &j->result;
    json w = {.to = stdout};
    char bits[24];
    snprintf(bits, sizeof bits, "0x%016" PRIx64, bits_of(r->loss));
    json_begin(&w, NULL, '{');
    json_text(&w, "ebb", ebb_version());
    json_text(&w, "data", set);
    json_int(&w, "train_images", j->train.set->n);
    json_int(&w, "test_images", j->test.set->n);
    json_begin(&w, "layers", '[');
    for (int i = 0; i <= j->net.layers; i++) json_int(&w, NULL, j->net.size[i]);
    json_end(&w, ']');
    json_text(&w, "activation", j->net.activation);
    json_int(&w, "parameters", j->net.parameters);
    json_text(&w, "optimizer", j->o->optim);
    json_real(&w, "lr", j->o->lr);
    json_int(&w, "batch", j->o->batch);
    json_int(&w, "epochs", j->o->epochs);
    json_count(&w, "seed", j->o->seed);
    json_int(&w, "threads", ebb_threads(j->e));
    json_text(&w, "backend", ebb_backend_name(j->e));
    json_text(&w, "level", ebb_level_name(ebb_level(j->e)));
    json_real(&w, "final_loss", r->loss);
    json_text(&w, "final_loss_bits", bits);
    json_real(&w, "train_accuracy", r->accuracy);
    json_real(&w, "test_accuracy", r->test_accuracy);
    json_int(&w, "steps", r->steps);
    json_real(&w, "seconds", r->seconds);
    json_text(&w, "saved", j->o->save);
    json_end(&w, '}');
}

/* ---- the command ----------------------------------------------------------------------------------------------- */

/* The first op of the plugin of that name. */
static const char *first_op(ebb *e, const char *plugin) {
    for (size_t i = 0; plugin && i < ebb_plugin_count(e); i++) {
        const ebb_plugin *p = ebb_plugin_at(e, i);
        if (!strcmp(p->name, plugin) && p->ops && p->ops[0]) return p->ops[0]->name;
    }
    if (plugin) ebb_fail(e, EBB_E_PLUGIN, "plugin %s has no op to use as the activation", plugin);
    return NULL;
}

static ebb_status choose_activation(ebb *e, const options *o, network *net) {
    char path[1024];
    net->activation = "relu";
    if (o->plugin)
        net->activation = first_op(e, ebb_plugin_load(e, cli_plugin_path(o->plugin, path, sizeof path), NULL));
    if (o->activation) net->activation = o->activation;
    if (ebb_failed(e)) return ebb_error_code(e);
    const ebb_op *op = ebb_op_find(e, net->activation);
    ebb_sig sig;
    if (!op) { /* calling it makes the error that names the nearest op */
        ebb_tensor *x = ebb_full(e, EBB_F32, EBB_SHAPE(1, 1), 0), *y = NULL;
        ebb_call_named(e, net->activation, 1, &x, NULL, 1, &y);
    } else if (ebb_sig_parse(op->sig, &sig, NULL, 0) || sig.n_x != 1 || sig.n_y != 1)
        ebb_fail(e, EBB_E_ARG, "%s %s cannot be an activation: it needs one input and one output", op->name,
                 op->sig);
    return ebb_error_code(e);
}

/* Says before the training, not after it, that there is no format for this file. */
static ebb_status check_format(ebb *e, const char *path) {
    const size_t n = strlen(path);
    for (size_t i = 0; i < ebb_plugin_count(e); i++) {
        const struct ebb_format_decl *const *f = ebb_plugin_at(e, i)->formats;
        for (; f && *f; f++) {
            const size_t m = strlen((*f)->ext);
            if (n > m && !strcmp(path + n - m, (*f)->ext)) return EBB_OK;
        }
    }
    return ebb_fail(e, EBB_E_NAME, "--save %s: no format of that ending; .safetensors is one", path);
}

static ebb_status prepare(job *j, const char *set_name, data_set *train_set, data_set *test_set) {
    ebb *e = j->e;
    const options *o = j->o;
    ebb_status s = data_load(e, set_name, o->data, train_set, test_set);
    if (s) return s;
    if ((s = read_hidden(e, o->hidden, &j->net))) return s;
    if ((s = choose_activation(e, o, &j->net))) return s;
    if ((s = ebb_backend_use(e, o->backend))) return s;
    if (o->save && (s = check_format(e, o->save))) return s;
    if (o->nan_guard && (s = ebb_probe_on(e, "nan_guard", NULL))) return s;

    const int64_t pixels = train_set->rows * train_set->cols;
    const int64_t room = o->batch > TEST_BATCH ? o->batch : TEST_BATCH;
    const int64_t longest = train_set->n > TEST_BATCH ? train_set->n : TEST_BATCH;
    j->train.set = train_set;
    j->test.set = test_set;
    j->train.x = j->test.x = calloc((size_t)(room * pixels), sizeof *j->train.x);
    j->train.y = j->test.y = calloc((size_t)room, sizeof *j->train.y);
    j->order = calloc((size_t)longest, sizeof *j->order);
    if (!j->train.x || !j->train.y || !j->order)
        return ebb_fail(e, EBB_E_MEMORY, "no memory for a batch of %" PRId64, room);
    batch_scale(train_set, j->train.value);
    memcpy(j->test.value, j->train.value, sizeof j->test.value);
    if ((s = make_network(e, &j->net, pixels, train_set->classes))) return s;
    return o->load ? ebb_load(e, o->load) : EBB_OK;
}

static int run_job(job *j, const char *set_name) {
    data_set train_set = {0}, test_set = {0};
    ebb_status s = prepare(j, set_name, &train_set, &test_set);
    if (!s && !j->o->quiet && !j->o->json) print_network(j, set_name);
    if (!s) s = train(j);
    if (!s) s = evaluate(j);
    if (!s && j->o->save) s = ebb_save(j->e, j->o->save);
    if (!s && j->o->json) print_json(j, set_name);
    else if (!s) print_result(j);
    fflush(stdout);
    const int code = s ? cli_failed(j->e) : CLI_OK;
    free(j->train.x);
    free(j->train.y);
    free(j->order);
    data_free(&train_set);
    data_free(&test_set);
    return code;
}

static int run(int argc, char **argv) {
    options o = {.epochs = -1, .batch = -1, .shift = -1, .seed = 1, .optim = "adamw", .backend = "auto"};
    int code = cli_parse(&cli_train, argc, argv, &o);
    if (code != CLI_GO_ON) return code;
    if (argc - optind != 1)
        return cli_usage(&cli_train, argc > optind ? "one data set at a time" : "which data set? digits or mnist");
    const char *set = argv[optind];
    const bool mnist = !strcmp(set, "mnist");
    if (o.epochs < 0) o.epochs = mnist ? 15 : 40;
    if (o.batch < 0) o.batch = mnist ? 64 : 32;
    if (o.shift < 0) o.shift = mnist ? 1 : 0;
    if (o.lr == 0) o.lr = mnist ? 1e-3 : 2e-3;
    if (!o.hidden) o.hidden = mnist ? "256,128" : "256";

    job j = {.o = &o, .e = cli_open(o.threads, o.seed)};
    if (!j.e) return CLI_FAILED;
    code = run_job(&j, set);
    ebb_close(j.e);
    return code;
}

const cli_command cli_train = {
    .name = "train",
    .args = "digits|mnist [OPTIONS]",
    .brief = "train a network on handwritten digits",
    .details = "digits: 1,797 images of 8x8, in the repository. mnist: 10,000 of 28x28, fetched by `./dev demo`.\n"
               "A part of the images is held back and tells the accuracy at the end. `final loss` is the mean over the\n"
               "last epoch; its bits are the same for any --threads.\n\n"
               "examples:\n"
               "  ebb train digits\n"
               "  ebb train mnist --hidden 512 --epochs 10 --save model.safetensors\n"
               "  ebb train mnist --load model.safetensors --hidden 512 --epochs 0\n"
               "  ebb train digits --plugin ./my_op.so --optim \"sgd momentum=0.9\" --lr 0.05",
    .options = train_options,
    .n_options = sizeof train_options / sizeof *train_options,
    .run = run,
};
