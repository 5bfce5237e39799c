/* train.c - floor 6: the `train` statement and its steps: next batch, forward, zero, backward, clip, update. */
#include "model.h"
#include <ebb/plugin.h>
#include <stdlib.h>
#include <time.h>

const char *const ebb__schedules[] = {"constant", "cosine", "linear", NULL};
enum { CONSTANT = 0, COSINE, LINEAR };

/* ---- the statement ---- */

static const char *const own_options[] = {"steps", "clip", "schedule", "warmup", "seed", "zero_grad"};
enum { N_OWN = sizeof own_options / sizeof *own_options };

static const ebb_optim_decl *optimizer(const ebb *e, const char *name) {
    for (size_t i = 0; i < ebb_plugin_count(e); i++) {
        const ebb_optim_decl *const *d = ebb_plugin_at(e, i)->optims;
        for (; d && *d; d++)
            if (!strcmp((*d)->name, name)) return *d;
    }
    return NULL;
}

static bool no_such_optimizer(ebb_model *m, const ebb__node *n) {
    const char *names[64];
    size_t count = 0;
    char hint[160];
    for (size_t i = 0; i < ebb_plugin_count(m->e); i++) {
        const ebb_optim_decl *const *d = ebb_plugin_at(m->e, i)->optims;
        for (; d && *d && count < 64; d++) names[count++] = (*d)->name;
    }
    if (!*ebb__did_you_mean(hint, sizeof hint, n->name, count, names)) {
        size_t at = 0;
        for (size_t i = 0; i < count && at < sizeof hint; i++)
            at += (size_t)snprintf(hint + at, sizeof hint - at, "%s%s", i ? ", " : "there are ", names[i]);
    }
    return ebb__problem(m, EBB_E_NAME, n->name_span, hint, "no optimizer is called %s", n->name);
}

static bool number_in(ebb_model *m, const ebb__node *o, double lo, double hi, bool whole, double *v) {
    if (!ebb__eval_number(m, o->kid[0], o->name, v)) return false;
    if (*v >= lo && *v <= hi && (!whole || *v == floor(*v))) return true;
    return ebb__problem(m, EBB_E_ARG, o->kid[0]->span, "", "%s is %s from %g to %g, not %g", o->name,
                        whole ? "a whole number" : "a number", lo, hi, *v);
}

static bool schedule_of(ebb_model *m, const ebb__node *o) {
    char hint[160];
    const ebb__node *v = o->kid[0];
    for (int i = 0; v->kind == N_WORD && ebb__schedules[i]; i++)
        if (!strcmp(v->name, ebb__schedules[i])) return m->training.schedule = i, true;
    if (v->kind != N_WORD || !*ebb__did_you_mean(hint, sizeof hint, v->name, 3, ebb__schedules))
        snprintf(hint, sizeof hint, "there are constant, cosine, linear");
    return ebb__problem(m, EBB_E_ARG, v->span, hint, "no schedule of that name");
}

/* An option that the language itself has. */
static bool own_option(ebb_model *m, const ebb__node *o) {
    ebb__training *t = &m->training;
    double v = 0;
    if (!strcmp(o->name, "schedule")) return schedule_of(m, o);
    if (!strcmp(o->name, "steps")) return number_in(m, o, 0, 1e9, true, &v) && (t->steps = (int64_t)v, true);
    if (!strcmp(o->name, "warmup"))
        return number_in(m, o, 0, 1e9, true, &v) && (t->warmup = (int64_t)v, true);
    if (!strcmp(o->name, "clip")) return number_in(m, o, 0, 1e12, false, &t->clip);
    if (!strcmp(o->name, "zero_grad"))
        return number_in(m, o, 0, 1, true, &v) && (t->zero_grad = v != 0, true);
    return number_in(m, o, 0, 9e15, true, &v); /* seed: read before */
}

/* name=value of the optimizer's own, added to the text that it is made with. */
static bool add_attr(ebb_model *m, const ebb_optim_decl *d, const ebb__node *o, char *text, size_t room) {
    const ebb_attr *a = NULL;
    char hint[160];
    for (size_t i = 0; i < d->n_attrs; i++)
        if (!strcmp(d->attrs[i].name, o->name)) a = &d->attrs[i];
    if (!a) {
        const char *names[40];
        size_t n = 0;
        for (; n < N_OWN; n++) names[n] = own_options[n];
        for (size_t i = 0; i < d->n_attrs && n < 40; i++) names[n++] = d->attrs[i].name;
        return ebb__problem(m, EBB_E_ATTR, o->name_span, ebb__did_you_mean(hint, sizeof hint, o->name, n, names),
                            "%s has no attribute %s", d->name, o->name);
    }
    const size_t at = strlen(text);
    ebb__value v = {0};
    if (o->kid[0]->kind == N_WORD) snprintf(text + at, room - at, "%s=%s ", o->name, o->kid[0]->name);
    else {
        if (!ebb__eval(m, o->kid[0], &v)) return false;
        if (v.kind != V_NUMBER)
            return ebb__problem(m, EBB_E_ATTR, o->kid[0]->span, "", "%s: attribute %s is a number", d->name,
                                o->name);
        snprintf(text + at, room - at, "%s=%.17g ", o->name, v.number);
        if (!strcmp(o->name, "lr")) m->training.lr = v.number;
    }
    return true;
}

bool ebb__seeded(ebb_model *m, uint64_t *seed) {
    const ebb__node *n = m->tree.train;
    for (int i = 0; n && i < n->n; i++) {
        double v = 0;
        if (strcmp(n->kid[i]->name, "seed")) continue;
        if (!number_in(m, n->kid[i], 0, 9e15, true, &v)) return false;
        *seed = (uint64_t)v;
    }
    return true;
}

bool ebb__training_open(ebb_model *m) {
    const ebb__node *n = m->tree.train;
    ebb__training *t = &m->training;
    char text[1024] = "";
    *t = (ebb__training){.zero_grad = true};
    if (!n) return true;
    const ebb_optim_decl *d = optimizer(m->e, n->name);
    if (!d) return no_such_optimizer(m, n);
    for (size_t i = 0; i < d->n_attrs; i++) /* the language has a rate of its own for schedules: begun at the default */
        if (!strcmp(d->attrs[i].name, "lr") && d->attrs[i].def) t->lr = strtod(d->attrs[i].def, NULL);
    for (int i = 0; i < n->n; i++) {
        bool own = false;
        for (int k = 0; k < N_OWN; k++) own = own || !strcmp(own_options[k], n->kid[i]->name);
        if (own ? !own_option(m, n->kid[i]) : !add_attr(m, d, n->kid[i], text, sizeof text)) return false;
    }
    if (t->schedule && !t->steps) return ebb__problem(m, EBB_E_ARG, n->span, "", "a schedule needs steps=");
    const int32_t slot = ebb__slot_of(&m->tree.names, ebb__intern(&m->tree, "loss", 4));
    if (slot < 0)
        return ebb__problem(m, EBB_E_ARG, n->span, "write loss = ...", "there is nothing to train: no loss");
    if (!ebb_param_count(m->e))
        return ebb__problem(m, EBB_E_ARG, n->span, "write W = param(...)",
                            "there is nothing to train: no parameters");
    t->optim = ebb_optim_new(m->e, n->name, text);
    return t->optim || ebb__problem_of_op(m, n->span);
}

void ebb__training_close(ebb_model *m) {
    for (size_t i = 0; i < m->n_made; i++)
        if (!m->made[i].input) ebb_grad_set(m->made[i].t, NULL);
    ebb_optim_free(m->training.optim);
    m->training = (ebb__training){0};
}

/* ---- a step ---- */

static double clock_now(void) {
    struct timespec t;
    return timespec_get(&t, TIME_UTC) ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec : 0;
}

/* The learning rate of step k, from 0. */
static double rate(const ebb__training *t, int64_t k) {
    double lr = t->lr;
    if (k < t->warmup) return lr * (double)(k + 1) / (double)t->warmup;
    const double span = (double)(t->steps - t->warmup), part = span > 0 ? (double)(k - t->warmup) / span : 1;
    const double done = part > 1 ? 1 : part;
    if (t->schedule == COSINE) lr *= 0.5 * (1 + ebb_cos_f64(3.141592653589793 * done));
    else if (t->schedule == LINEAR) lr *= 1 - done;
    return lr;
}

/* One NaN for all: its sign and bits are the machine's. */
static double plain(double v) { return v != v ? EBB_NAN : v; }

static bool loss_of(ebb_model *m, ebb_tensor **loss) {
    char what[160];
    const int32_t slot = ebb__slot_of(&m->tree.names, ebb__intern(&m->tree, "loss", 4));
    const ebb__value *v = slot < 0 ? NULL : &m->stack[slot];
    const ebb_span span = m->tree.train ? m->tree.train->span : m->tree.body->span;
    if (!v || v->kind == V_NONE)
        return ebb__problem(m, EBB_E_ARG, span, "write loss = ...", "there is nothing to train: no loss");
    *loss = ebb__as_tensor(m, v, span, m->dtype);
    if (!*loss) return false;
    if (ebb_numel(*loss) != 1)
        return ebb__problem(m, EBB_E_SHAPE, ebb__assigned_at(m, slot), "take its mean(...) or sum(...)",
                            "the loss is one number, not %s", ebb_describe(*loss, what, sizeof what));
    return true;
}

static bool train_step(ebb_model *m, ebb_step *s) {
    ebb__training *t = &m->training;
    ebb_tensor *loss = NULL;
    char text[64];
    if (!ebb__feed_next(m, true)) return false;
    ebb_seed(m->e, ebb__seed_for(m, "step", (uint64_t)t->done));
    if (!ebb__run_text(m, RUN_TRAIN) || !loss_of(m, &loss)) return false;
    if (t->zero_grad) ebb_zero_grad(t->optim);
    const int32_t slot = ebb__slot_of(&m->tree.names, ebb__intern(&m->tree, "loss", 4));
    if (ebb_backward(loss) != EBB_OK) return ebb__problem_of_op(m, ebb__assigned_at(m, slot));
    snprintf(text, sizeof text, "max_norm=%.17g", t->clip > 0 ? t->clip : (double)INFINITY);
    s->grad_norm = plain(ebb_grads(m->e, "clip_norm", text));
    s->lr = rate(t, t->done);
    if (t->schedule || t->warmup) {
        snprintf(text, sizeof text, "lr=%.17g", s->lr);
        ebb_optim_set(t->optim, text);
    }
    if (ebb_optim_step(t->optim) != EBB_OK) return ebb__problem_of_op(m, m->tree.train->span);
    s->loss = plain(ebb_item(loss));
    s->step = ++t->done;
    return true;
}

ebb_status ebb_model_step_open(ebb_model *m, ebb_step *out) {
    const double start = clock_now();
    ebb_step s = {.size = sizeof s, .loss = EBB_NAN, .grad_norm = EBB_NAN};
    if (!ebb__ready(m)) return m ? ebb_error_code(m->e) : EBB_E_ARG;
    if (!m->training.optim) return ebb_fail(m->e, EBB_E_ARG, "this model has no train statement");
    const bool ok = train_step(m, &s);
    for (int i = 0; i < MAX_METRICS; i++) s.metric[i] = plain(m->metric[i]);
    s.seconds = clock_now() - start;
    if (out) memcpy(out, &s, out->size && out->size < sizeof s ? out->size : sizeof s);
    if (ok && !isfinite(s.loss))
        ebb_fail(m->e, EBB_E_VALUE, "the loss of step %lld is %s", (long long)s.step,
                 isnan(s.loss) ? "not a number" : "infinite");
    return ebb_error_code(m->e);
}

ebb_status ebb_model_step(ebb_model *m, ebb_step *out) {
    if (!m) return EBB_E_ARG;
    ebb_scope *s = ebb_begin(m->e);
    const ebb_status r = ebb_model_step_open(m, out);
    ebb_end(s);
    return r;
}

int64_t ebb_model_steps_done(const ebb_model *m) { return m ? m->training.done : 0; }
