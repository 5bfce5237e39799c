/* verify.c - floor 5: the verifier: prepares an op's trials, runs the table of checks, reports each. */
#include "check.h"

enum { ALWAYS = 0, DERIVATIVE = 1 };

/* In the order they run and are reported. `contract` comes first: nothing else is run on an op that fails it. */
static const struct check_row {
    const char *name;
    check_body *run;
    int needs;
} checks[] = {
    {"contract", check_contract, ALWAYS},
    {"gradient", check_gradient, DERIVATIVE},
    {"cotangent", check_cotangent, DERIVATIVE},
    {"adjoint", check_adjoint, DERIVATIVE},
    {"subsets", check_subsets, DERIVATIVE},
    {"second", check_second, DERIVATIVE},
    {"pull", check_pull, DERIVATIVE},
    {"layout", check_layout, ALWAYS},
    {"shapes", check_shapes, ALWAYS},
    {"f32", check_f32, ALWAYS},
    {"special", check_special, ALWAYS},
    {"kinks", check_kinks, DERIVATIVE},
    {"determinism", check_determinism, ALWAYS},
    {"threads", check_threads, ALWAYS},
    {"attrs", check_attrs, ALWAYS},
    {"saved", check_saved, DERIVATIVE},
    {"alloc", check_alloc, ALWAYS},
    {"errors", check_errors, ALWAYS},
    {"descent", check_descent, DERIVATIVE},
    {"backend", check_backend, ALWAYS},
};

enum { N_CHECKS = sizeof checks / sizeof checks[0] };

/* ---- preparing ------------------------------------------------------------------------------------------------------------ */

static ebb_dtype type_of(const ebb_op *op) {
    if (!op->fwd || op->fwd->dtype == 0) return EBB_F64;
    for (const ebb_kernel *k = op->fwd; k->dtype; k++)
        if (k->dtype == EBB_F64) return EBB_F64;
    return (ebb_dtype)op->fwd->dtype;
}

static bool read_declaration(checker *c) {
    char why[200] = "";
    const ebb_op *op = c->op;
    if (!op->sig || ebb_sig_parse(op->sig, &c->sig, why, sizeof why)) {
        check_say(c->why_none, sizeof c->why_none, "signature %s: %s", op->sig ? op->sig : "missing", why);
        return false;
    }
    c->type = type_of(op);
    c->pointwise = c->sig.n_x > 0 && !check_own_shapes(c) && !op->view && !op->axes;
    for (int i = 0; i < c->sig.n_x + c->sig.n_y; i++) c->pointwise &= c->sig.arg[i].ndim == 0;
    /* "()->()" of a composed op says nothing of what its elements depend on; kinks of single elements do */
    c->any_shape = c->pointwise && op->compose && !op->fwd && !op->n_kinks;
    c->pointwise &= !c->any_shape;
    c->variadic = c->sig.n_x > 0 && c->sig.arg[c->sig.n_x - 1].variadic;
    for (size_t k = 0; op->axes && k < op->n_attrs; k++)
        if (!strcmp(op->attrs[k].name, op->axes)) c->axes = &op->attrs[k];
    return c->sig.n_x <= MAX_X && c->sig.n_y <= MAX_Y;
}

/* Refusals of a call, as opposed to faults of the op. */
static bool is_refusal(ebb_status s) {
    return s == EBB_E_ARG || s == EBB_E_SHAPE || s == EBB_E_DTYPE || s == EBB_E_INDEX || s == EBB_E_ATTR ||
           s == EBB_E_NAME;
}

/* Keeps the trials that the op accepts, and those that it must accept. */
static int accepted(checker *c, trial *list, int n, ebb *e) {
    int kept = 0;
    for (int k = 0; k < n; k++) {
        const mark m = check_mark(c);
        vec x[MAX_X];
        live l = {.e = e};
        bool keep = true;
        if (check_sample(c, &list[k], 1, x)) {
            const job j = {.e = e, .t = &list[k], .type = c->type, .x = x, .wanted = check_wanted(c, &list[k])};
            const bool ok = check_begin(c, &j, &l);
            for (int y = 0; ok && y < l.n_y; y++) {
                c->differentiable |= l.smooth[y];
                list[k].coarse |= c->type == EBB_F64 && ebb_tensor_dtype(l.y[y]) == EBB_F32;
            }
            keep = ok || list[k].must || !is_refusal(ebb_error_code(e));
            if (!ok && !c->why_none[0]) check_say(c->why_none, sizeof c->why_none, "%s", ebb_error(e));
            check_end(&l);
            ebb_error_clear(e);
        }
        check_reset(c, m);
        if (keep) list[kept++] = list[k];
    }
    return kept;
}

static bool prepare(checker *c) {
    c->plain = check_open(c, 1, 0, false);
    c->guard = check_open(c, 1, 1, true);
    if (!c->plain || !c->guard || !read_declaration(c) || !check_trials(c)) return false;
    c->n_main = accepted(c, c->main, c->n_main, c->guard);
    c->n_shapes = accepted(c, c->shapes, c->n_shapes, c->guard);
    c->n_large = accepted(c, c->large, c->n_large, c->plain);
    return true;
}

/* ---- reporting ------------------------------------------------------------------------------------------------------------ */

static void report(const checker *c, const tally *t) {
    if (!c->opt || !c->opt->report) return;
    const ebb_check r = {.op = c->op->name,
                         .check = t->check,
                         .dtype = t->dtype,
                         .cases = t->cases,
                         .margin = t->margin,
                         .passed = !t->failed && !t->skipped,
                         .skipped = t->skipped && !t->failed,
                         .message = t->failed || t->skipped ? t->message : ""};
    c->opt->report(c->opt->user, &r);
}

static const char *no_derivative(const checker *c) {
    for (int i = 0; i < c->sig.n_x; i++)
        if (check_vjp(c, i)) return "no output can be differentiated";
    return c->op->compose ? "no output can be differentiated" : "no input has a derivative rule";
}

static void run_check(checker *c, const struct check_row *row, tally *t) {
    const mark m = check_mark(c);
    if (c->n_main == 0) check_contract(c, t);
    else if (row->needs == DERIVATIVE && !c->differentiable) check_skip(t, no_derivative(c));
    else row->run(c, t);
    if (c->short_of_memory && !t->failed) check_engine(c, t, NULL, c->plain, "the check");
    check_reset(c, m);
}

static bool known(const char *name) {
    for (int k = 0; k < N_CHECKS; k++)
        if (!strcmp(checks[k].name, name)) return true;
    return false;
}

static ebb_status verify(ebb *e, const ebb_op *op, const ebb_verify_options *opt) {
    checker c = {.from = e, .op = op, .opt = opt, .seed = opt ? opt->seed : 0};
    const char *only = opt ? opt->only : NULL;
    if (only && !known(only)) return ebb_fail(e, EBB_E_NAME, "there is no check named %s", only);
    bool failed = false, broken = false;
    if (!prepare(&c)) c.n_main = 0;
    for (int k = 0; k < N_CHECKS; k++) {
        tally t = {.check = checks[k].name, .dtype = ebb_dtype_name(check_is_float(c.type) ? c.type : EBB_F64)};
        if (only && strcmp(only, checks[k].name) != 0) continue;
        if (broken) check_skip(&t, "not run: contract failed");
        else run_check(&c, &checks[k], &t);
        broken |= k == 0 && t.failed;
        failed |= t.failed;
        report(&c, &t);
    }
    ebb_close(c.guard);
    ebb_close(c.plain);
    check_reset(&c, (mark){NULL, 0});
    return failed ? EBB_E_VERIFY : EBB_OK;
}

static const ebb_verifier_decl ebb_verifier_check = {
    .size = sizeof(ebb_verifier_decl),
    .name = "check",
    .doc = "Derivatives, contracts, layouts, shapes, numerics and determinism of an op, from its declaration alone.",
    .verify = verify,
    .gradcheck = check_function,
};

EBB_PLUGIN_OF(check, .doc = "The verifier: every op is checked from its declaration before it is registered.",
    .verifiers = EBB_LIST(ebb_verifier_decl, &ebb_verifier_check));
