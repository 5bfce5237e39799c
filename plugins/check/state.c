/* state.c - floor 5: the same bits every time and for any number of threads; saved tensors guarded against change. */
#include "check.h"

static bool same_bits(checker *c, tally *t, const job *j, const outcome *a, const outcome *b,
                      const char *what, const char *guess) {
    t->cases++;
    for (int k = 0; k < a->n_y; k++)
        if (!check_bits_equal(&a->y[k], &b->y[k])) {
            const compare how = {what, -1, k, "now", "before", 0, 0, &a->y_shape[k], guess};
            if (check_same(c, t, j->t, &how, &b->y[k], &a->y[k]))
                return check_fail(c, t, j->t, guess, "%s in output %d: signs of zero", what, k);
            return false;
        }
    for (int i = 0; i < j->t->n_x; i++)
        if (j->wanted >> i & 1 && !check_bits_equal(&a->dx[i], &b->dx[i])) {
            const compare how = {what, i, -1, "now", "before", 0, 0, &j->t->x[i].shape, guess};
            if (check_same(c, t, j->t, &how, &b->dx[i], &a->dx[i]))
                return check_fail(c, t, j->t, guess, "%s in the gradient of input %d: signs of zero", what, i);
            return false;
        }
    return true;
}

/* ---- reruns ------------------------------------------------------------------------------------------------------------ */

static bool reruns_of(checker *c, tally *t, const trial *tr, ebb *other) {
    job j = {0};
    vec x[MAX_X], g[MAX_Y];
    outcome first, again;
    if (!check_start(c, t, tr, &j, x, g, &first)) return false;
    if (!c->differentiable) j.wanted = 0;
    for (int k = 0; k < 10; k++) {
        const mark m = check_mark(c);
        j.e = k % 3 == 2 ? other : c->plain;
        if (!check_run(c, &j, &again)) return check_engine(c, t, tr, j.e, "a rerun");
        if (!same_bits(c, t, &j, &first, &again, "a rerun gives other numbers",
                       "memory that is read before it is written, or state kept between calls"))
            return false;
        check_reset(c, m);
    }
    return true;
}

void check_determinism(checker *c, tally *t) {
    ebb *other = check_open(c, 1, 1, false);
    if (!other) {
        check_engine(c, t, NULL, c->plain, "opening a session");
        return;
    }
    for (int k = 0; k < c->n_main && !t->failed; k++) {
        const mark m = check_mark(c);
        reruns_of(c, t, &c->main[k], other);
        check_reset(c, m);
    }
    ebb_close(other);
}

/* ---- threads ----------------------------------------------------------------------------------------------------------- */

static bool threads_of(checker *c, tally *t, const trial *tr, ebb *other, ebb_dtype type) {
    static const int counts[] = {1, 2, 3, 8};
    job j = {.type = type};
    vec x[MAX_X], g[MAX_Y];
    outcome first, again;
    if (!check_start(c, t, tr, &j, x, g, &first)) return false;
    if (!c->differentiable) j.wanted = 0;
    j.e = other;
    for (int k = 0; k < 4; k++) {
        const mark m = check_mark(c);
        ebb_threads_set(other, counts[k]);
        if (!check_run(c, &j, &again)) return check_engine(c, t, tr, j.e, "the call on several threads");
        char what[80] = "";
        check_say(what, sizeof what, "%d threads give other numbers than one", counts[k]);
        if (!same_bits(c, t, &j, &first, &again, what, "a kernel that sums or writes across the items it was given"))
            return false;
        check_reset(c, m);
    }
    return true;
}

void check_threads(checker *c, tally *t) {
    ebb *other = check_open(c, 2, 64, false);
    if (!other) {
        check_engine(c, t, NULL, c->plain, "opening a session");
        return;
    }
    const int n = c->n_large ? c->n_large : c->n_main;
    for (int k = 0; k < n && !t->failed; k++) {
        const mark m = check_mark(c);
        threads_of(c, t, c->n_large ? &c->large[k] : &c->main[k], other, c->type);
        check_reset(c, m);
    }
    ebb_close(other);
}

/* ---- saved tensors ------------------------------------------------------------------------------------------------------- */

/* Overwrites t: every number, in place, marked as changed. false: it cannot be written (a view). */
static bool overwrite(ebb_tensor *t) {
    const int64_t n = ebb_numel(t);
    const ebb_dtype d = ebb_tensor_dtype(t);
    void *p = n > 0 && check_is_float(d) ? ebb_data_mut(t) : NULL;
    if (!p) {
        ebb_error_clear(ebb_tensor_session(t));
        return false;
    }
    for (int64_t k = 0; k < n; k++) {
        if (d == EBB_F64) ((double *)p)[k] = 0.375 - 2 * ((double *)p)[k];
        else ((float *)p)[k] = 0.375f - 2 * ((float *)p)[k];
    }
    return true;
}

/* What is changed between forward and backward: input `x` or output `y`. */
static bool stale(checker *c, tally *t, const job *j, const outcome *want, int x, int y) {
    live l;
    outcome got = {.n_y = want->n_y};
    uint64_t reads = 0;
    for (int i = 0; i < j->t->n_x; i++)
        if (j->wanted >> i & 1 && check_vjp(c, i)) reads |= check_vjp(c, i)->reads;
    const bool read = reads & (x >= 0 ? EBB_X(x) : EBB_Y(y));
    bool ok = check_begin(c, j, &l);
    if (!ok || !overwrite(x >= 0 ? l.x[x] : l.y[y])) {
        check_end(&l);
        return ok || check_engine(c, t, j->t, j->e, "the call");
    }
    t->cases++;
    ok = check_grads(j, &l);
    for (int i = 0; i < j->t->n_x && ok; i++)
        if (j->wanted >> i & 1)
            ok = l.dx[i] ? check_read(c, l.dx[i], &got.dx[i]) : (got.dx[i] = check_vec(c, j->x[i].n)).v != NULL;
    check_end(&l);
    const ebb_status code = ebb_error_code(j->e);
    ebb_error_clear(j->e);
    if (code == EBB_E_CHANGED) return true;
    if (!ok) return check_engine(c, t, j->t, j->e, "backward after a change in place");
    for (int i = 0; i < j->t->n_x; i++)
        if (j->wanted >> i & 1 && !check_bits_equal(&got.dx[i], &want->dx[i]))
            return check_fail(
                c, t, j->t, read ? NULL : "the rule reads something that it does not declare",
                "%s %d was changed in place before backward: the gradient of input %d changed with it and no error was raised",
                x >= 0 ? "input" : "output", x >= 0 ? x : y, i);
    return true;
}

static bool saved_of(checker *c, tally *t, const trial *tr) {
    job j = {0};
    vec x[MAX_X], g[MAX_Y], other[MAX_X];
    outcome want, got = {0};
    if (!check_start(c, t, tr, &j, x, g, &want)) return false;
    for (int i = 0; i < tr->n_x; i++)
        if (tr->x[i].present && !stale(c, t, &j, &want, i, -1)) return false;
    for (int k = 0; k < want.n_y && !c->op->view; k++)
        if (want.smooth[k] && !stale(c, t, &j, &want, -1, k)) return false;
    /* another call between forward and backward must not show */
    if (!check_sample(c, tr, 2, other)) return check_engine(c, t, tr, j.e, "sampling");
    live l;
    bool ok = check_begin(c, &j, &l);
    ebb_tensor *in[MAX_X] = {NULL}, *y[MAX_Y] = {NULL};
    for (int i = 0; i < tr->n_x && ok; i++)
        if (tr->x[i].present)
            ok = (in[i] = check_tensor(j.e, c, tr->x[i].dtype == EBB_NONE ? j.type : tr->x[i].dtype,
                                       tr->x[i].shape, &other[i], LAY_PLAIN)) != NULL;
    ok = ok && ebb_call_named(j.e, c->op->name, tr->n_x, in, tr->attrs, MAX_Y, y) > 0 && check_grads(&j, &l);
    for (int i = 0; i < tr->n_x && ok; i++)
        if (j.wanted >> i & 1)
            ok = l.dx[i] ? check_read(c, l.dx[i], &got.dx[i]) : (got.dx[i] = check_vec(c, x[i].n)).v != NULL;
    check_end(&l);
    if (!ok) return check_engine(c, t, tr, j.e, "backward after another call");
    t->cases++;
    for (int i = 0; i < tr->n_x; i++)
        if (j.wanted >> i & 1) {
            const compare how = {"another call of the op between forward and backward changes the gradient",
                                 i,
                                 -1,
                                 "with",
                                 "without",
                                 0,
                                 0,
                                 &tr->x[i].shape,
                                 "stale: the op keeps something of its last call outside the graph"};
            if (!check_same(c, t, tr, &how, &got.dx[i], &want.dx[i])) return false;
        }
    return true;
}

void check_saved(checker *c, tally *t) {
    for (int k = 0; k < c->n_main && !t->failed; k++) {
        const mark m = check_mark(c);
        saved_of(c, t, &c->main[k]);
        check_reset(c, m);
    }
}
