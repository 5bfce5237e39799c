/* gradcheck.c - floor 6: the derivatives of a whole model against central differences, in f64, in a session of its own.
 *
 * Every evaluation sees the same batch and draws the same random numbers. Where a difference steps over a kink (of a relu, a maximum) it
 * says nothing: it is taken again with smaller steps before the derivative is called wrong. */
#include "model.h"

enum { ELEMENTS = 16, TRIES = 6 };

static bool run_once(ebb_model *t, ebb_tensor **loss) {
    ebb_seed(t->e, ebb__seed_for(t, "step", (uint64_t)t->twin->training.done));
    if (!ebb__run_text(t, RUN_TRAIN)) return false;
    *loss = ebb_model_value(t, "loss");
    if (*loss && ebb_numel(*loss) == 1) return true;
    return ebb__problem(t, EBB_E_ARG, t->tree.body->span, "write loss = ...",
                        "the model has no loss of one element");
}

/* The loss with element k of p moved to v. */
static bool loss_at(ebb_model *t, ebb_tensor *p, int64_t k, double v, double *out) {
    double *data = (double *)ebb_data_mut(p), before;
    ebb_tensor *loss = NULL;
    if (!data) return false;
    before = data[k];
    data[k] = v;
    ebb_scope *s = ebb_begin(t->e);
    ebb_no_grad_begin(t->e);
    const bool ok = s && run_once(t, &loss);
    ebb_no_grad_end(t->e);
    *out = ok ? ebb_item(loss) : EBB_NAN;
    ebb_end(s);
    data[k] = before;
    return ok && !ebb_failed(t->e);
}

/* Central differences with steps h and h/2, combined (Richardson). */
static bool slope(ebb_model *t, ebb_tensor *p, int64_t k, double h, double *d) {
    const double x = ((const double *)ebb_data(p))[k];
    double a, b, c, e;
    if (!loss_at(t, p, k, x + h, &a) || !loss_at(t, p, k, x - h, &b) || !loss_at(t, p, k, x + h / 2, &c) ||
        !loss_at(t, p, k, x - h / 2, &e))
        return false;
    const double whole = (a - b) / (2 * h), half = (c - e) / h;
    *d = half + (half - whole) / 3;
    return true;
}

static bool check_element(ebb_model *t, ebb_tensor *p, int64_t k, double analytic, ebb_model_check *c) {
    const double size = fabs(((const double *)ebb_data(p))[k]);
    double h = 2e-4 * (size > 1 ? size : 1);
    *c = (ebb_model_check){.parameter = ebb_name_of(p), .element = k, .analytic = analytic};
    for (int i = 0; i < TRIES && !c->passed; i++, h /= 8) {
        double numeric;
        if (!slope(t, p, k, h, &numeric)) return false;
        const double big = fmax(fabs(analytic), fabs(numeric)), allowed = 1e-8 + 1e-5 * big;
        const double apart = fabs(analytic - numeric), before = fabs(analytic - c->numeric);
        if (!i || apart < before) c->numeric = numeric, c->allowed = allowed;
        c->passed = apart <= allowed;
    }
    return true;
}

/* The gradients of t, kept beside the parameters. */
static bool differentiate(ebb_model *t) {
    ebb_tensor *loss = NULL;
    ebb_scope *s = ebb_begin(t->e);
    const bool ok =
        s && run_once(t, &loss) && (ebb_backward(loss) == EBB_OK || ebb__problem_of_op(t, t->tree.body->span));
    ebb_end(s);
    return ok;
}

typedef struct worst {
    ebb_model_check check;
    double by; /* how many times what is allowed */
    int failed, all;
    char name[256];
} worst;

static bool check_all(ebb_model *t, int elements, void (*report)(void *, const ebb_model_check *), void *user,
                      worst *w) {
    for (size_t i = 0; i < ebb_param_count(t->e); i++) {
        ebb_tensor *p = ebb_param_at(t->e, i);
        const ebb_tensor *g = ebb_grad_of(p);
        const int64_t n = ebb_numel(p), count = n < elements ? n : elements;
        for (int64_t j = 0; j < count; j++) {
            const int64_t k = j * n / count;
            ebb_model_check c;
            if (!check_element(t, p, k, g ? ebb_at(g, k) : 0, &c)) return false;
            if (report) report(user, &c);
            w->all++;
            w->failed += !c.passed;
            const double ratio = fabs(c.analytic - c.numeric) / c.allowed,
                         by = isnan(ratio) ? (double)INFINITY : ratio;
            if (c.passed || !(by >= w->by)) continue;
            w->by = by;
            w->check = c;
            snprintf(w->name, sizeof w->name, "%s", c.parameter);
        }
    }
    return true;
}

/* What went wrong in t's session as m's. */
static void take_error(ebb_model *m, ebb_model *t, ebb *e) {
    if (!ebb_failed(e)) return;
    if (t && t->has_problem)
        ebb__problem(m, ebb_error_code(e), t->problem.span, t->problem.hint, "%s", t->words);
    else ebb_fail(m->e, ebb_error_code(e), "%s", ebb_error(e));
}

ebb_status ebb_model_gradcheck(ebb_model *m, int elements, void (*report)(void *, const ebb_model_check *),
                               void *user) {
    if (!ebb__ready(m)) return m ? ebb_error_code(m->e) : EBB_E_ARG;
    const ebb_options o = {.size = sizeof o, .threads = ebb_threads(m->e)};
    ebb *e = ebb_open_like(m->e, &o);
    if (!e) return ebb_fail(m->e, EBB_E_MEMORY, "no memory for another session");
    worst w = {.by = 0};
    ebb_model *t = ebb__twin_new(e, m);
    ebb_scope *s = ebb_begin(e); /* the batch, which all evaluations share */
    if (t) t->quiet = true;
    bool ok = t && !ebb_failed(e) && ebb__feed_like(t, m) && differentiate(t);
    ok = ok && check_all(t, elements > 0 ? elements : ELEMENTS, report, user, &w);
    if (!ok) take_error(m, t, e);
    ebb_end(s);
    ebb_model_free(t);
    ebb_close(e);
    if (ok && w.failed)
        return ebb_fail(m->e, EBB_E_VERIFY,
                        "%d of %d derivatives differ; the worst is d loss / d %s[%lld]: %.9g, by differences %.9g",
                        w.failed, w.all, w.name, (long long)w.check.element, w.check.analytic, w.check.numeric);
    return ebb_error_code(m->e);
}
