/* second.c - floor 5: derivatives of the derivative: the push-forward as a double transpose, Hessians, or the refusal. */
#include "check.h"

/* A run whose gradients are part of the graph: dx as a function of x and of the cotangents. */
typedef struct twice {
    live l;
    ebb_tensor *dx[MAX_X]; /* those that depend on something */
    int of[MAX_X], n_dx;
    int n_g, g_of[MAX_Y];
} twice;

static bool open_twice(checker *c, const job *j, twice *w) {
    memset(w, 0, sizeof *w);
    if (!check_begin(c, j, &w->l)) return false;
    for (int k = 0; k < w->l.n_y; k++)
        if (w->l.smooth[k]) {
            if (ebb_is_leaf(w->l.g[k])) ebb_requires_grad(w->l.g[k], true);
            w->g_of[w->n_g++] = k;
        }
    job again = *j;
    again.flags = EBB_CREATE_GRAPH;
    if (!check_grads(&again, &w->l)) return false;
    for (int i = 0; i < j->t->n_x; i++)
        if (w->l.dx[i] && ebb_needs_grad(w->l.dx[i])) {
            w->of[w->n_dx] = i;
            w->dx[w->n_dx++] = w->l.dx[i];
        }
    return !ebb_failed(j->e);
}

/* Gradient of sum_i <dx_i, a_i> for every wanted x (to hx) and every smooth output's cotangent (to hg); zeros where
 * nothing depends. */
static bool pull_twice(checker *c, const job *j, twice *w, const vec a[MAX_X], vec hx[MAX_X], vec hg[MAX_Y]) {
    ebb_tensor *seed[MAX_X], *wrt[MAX_X + MAX_Y], *got[MAX_X + MAX_Y] = {NULL};
    vec *to[MAX_X + MAX_Y];
    int n = 0;
    for (int i = 0; i < j->t->n_x; i++)
        if (j->wanted >> i & 1) {
            wrt[n] = w->l.x[i];
            to[n++] = &hx[i];
        }
    for (int k = 0; k < w->n_g; k++) {
        wrt[n] = w->l.g[w->g_of[k]];
        to[n++] = &hg[w->g_of[k]];
    }
    for (int k = 0; k < w->n_dx; k++) {
        const ebb_dtype d = ebb_tensor_dtype(w->dx[k]);
        seed[k] = check_tensor(j->e, c, d, j->t->x[w->of[k]].shape, &a[w->of[k]], LAY_PLAIN);
        if (!seed[k]) return false;
    }
    if (w->n_dx && ebb_grad(j->e, w->n_dx, w->dx, seed, n, wrt, EBB_RETAIN | EBB_ALLOW_UNUSED, got))
        return false;
    for (int k = 0; k < n; k++)
        if (got[k] ? !check_read(c, got[k], to[k]) : !(*to[k] = check_vec(c, ebb_numel(wrt[k]))).v)
            return false;
    return !ebb_failed(j->e);
}

static bool directions(checker *c, const job *j, uint64_t salt, vec d[MAX_X]) {
    for (int i = 0; i < j->t->n_x; i++)
        if (j->wanted >> i & 1 && !check_noise(c, j->x[i].n, salt * 64 + (uint64_t)i, &d[i])) return false;
    return true;
}

/* ---- adjoint ----------------------------------------------------------------------------------------------------------- */

static bool adjoint_of(checker *c, tally *t, const trial *tr) {
    if (tr->coarse) return true;
    job j = {0};
    vec x[MAX_X], g[MAX_Y], dir[MAX_X] = {{0, NULL}}, hx[MAX_X], ju[MAX_Y] = {{0, NULL}}, joined, slope;
    outcome o;
    if (!check_start(c, t, tr, &j, x, g, &o)) return false;
    if (!directions(c, &j, 41, dir)) return check_engine(c, t, tr, j.e, "sampling");
    twice w;
    bool ok = open_twice(c, &j, &w) && pull_twice(c, &j, &w, dir, hx, ju);
    check_end(&w.l);
    if (!ok) return check_engine(c, t, tr, j.e, "the gradient of the gradient");
    vec left = check_vec(c, 1), right = check_vec(c, 1);
    if (!left.v || !right.v) return check_engine(c, t, tr, j.e, "sampling");
    double size = 0;
    for (int k = 0; k < o.n_y; k++) {
        if (!o.smooth[k]) continue;
        left.v[0] += check_dot(&g[k], &ju[k]);
        for (int64_t e = 0; e < g[k].n; e++) size += fabs(g[k].v[e] * ju[k].v[e]);
    }
    for (int i = 0; i < tr->n_x; i++) {
        if (!(j.wanted >> i & 1)) continue;
        right.v[0] += check_dot(&o.dx[i], &dir[i]);
        for (int64_t e = 0; e < dir[i].n; e++) size += fabs(o.dx[i].v[e] * dir[i].v[e]);
    }
    const compare dual = {"<v,Ju> and <J'v,u> differ", -1,   -1,  "<v,Ju>", "<J'v,u>", 1e-12,
                          1e-12 * (1 + size),          NULL, NULL};
    if (!check_same(c, t, tr, &dual, &left, &right)) return false;
    if (!check_slope(c, check_eval_outputs, &j, x, dir, tr->n_x, 1e-5, &slope) || !check_join(c, &o, ju, &joined))
        return check_engine(c, t, tr, j.e, "the call beside a sample");
    for (int k = 0, at = 0; k < o.n_y; k++) { /* outputs without a gradient are not compared */
        if (!check_is_float(o.y_dtype[k])) continue;
        for (int64_t e = 0; e < o.y[k].n; e++, at++)
            if (!o.smooth[k]) slope.v[at] = 0;
    }
    const compare push = {
        "push-forward Ju wrong",           -1,  -1, "Ju", "numeric", 1e-5, 1e-7 * (1 + check_biggest(&slope)),
        o.n_y == 1 ? &o.y_shape[0] : NULL, NULL};
    return check_same(c, t, tr, &push, &joined, &slope);
}

void check_adjoint(checker *c, tally *t) {
    if (c->op->flags & EBB_ONCE) {
        check_skip(t, "declared differentiable once");
        return;
    }
    for (int k = 0; k < c->n_main && !t->failed; k++) {
        const mark m = check_mark(c);
        adjoint_of(c, t, &c->main[k]);
        check_reset(c, m);
    }
}

/* ---- second order -------------------------------------------------------------------------------------------------------- */

typedef struct inner { /* the first-order gradient as a function of x and g */
    job *j;
    const vec *a;
} inner;

static bool eval_inner(checker *c, void *arg, vec *out) {
    const inner *in = (const inner *)arg;
    outcome o;
    if (!check_run(c, in->j, &o)) return false;
    *out = check_vec(c, 1);
    if (!out->v) return false;
    for (int i = 0; i < in->j->t->n_x; i++)
        if (in->j->wanted >> i & 1) out->v[0] += check_dot(&o.dx[i], &in->a[i]);
    return true;
}

/* d <dx(x,g), a> / d var by differences, element by element; a random part of the elements of a long one. */
static bool numeric_of(checker *c, inner *in, vec *all, int n_all, int which, double room, vec *out) {
    enum { MOST = 48 };
    vec *var = &all[which];
    *out = check_vec(c, var->n);
    if (!out->v) return false;
    const int64_t stride = var->n > MOST ? var->n / MOST + 1 : 1;
    for (int64_t e = 0; e < var->n; e++) {
        if (e % stride) {
            out->v[e] = (double)NAN;
            continue;
        }
        const mark m = check_mark(c);
        vec dir[MAX_X + MAX_Y] = {{0, NULL}}, slope;
        dir[which] = check_vec(c, var->n);
        if (!dir[which].v) return false;
        dir[which].v[e] = 1;
        if (!check_slope(c, eval_inner, in, all, dir, n_all, fmin(check_step(var->v[e]), 0.02 * room), &slope))
            return false;
        const double v = slope.v[0];
        check_reset(c, m);
        out->v[e] = v;
    }
    return true;
}

static bool compare_second(checker *c, tally *t, const trial *tr, int input, int output,
                           const ebb_ints *shape, const vec *all, const vec *want) {
    vec got = check_copy(c, all);
    if (!got.v) return check_engine(c, t, tr, c->plain, "sampling");
    for (int64_t e = 0; e < got.n; e++)
        if (isnan(want->v[e]) && !isnan(got.v[e])) got.v[e] = want->v[e]; /* not sampled */
    const compare how = {
        input >= 0 ? "second derivative wrong" : "derivative of the gradient for the cotangent wrong",
        input,
        output,
        "analytic",
        "numeric",
        1e-4,
        1e-6,
        shape,
        "the gradient is right but its own derivative is not: a factor that a rule computes outside the graph, "
        "or a fused backward without its formula"};
    return check_same(c, t, tr, &how, &got, want);
}

static bool hessian_symmetric(checker *c, tally *t, const trial *tr, const job *j, const vec a[MAX_X],
                              const vec ha[MAX_X]) {
    vec b[MAX_X] = {{0, NULL}}, hb[MAX_X] = {{0, NULL}}, hg[MAX_Y];
    twice w;
    memset(&w, 0, sizeof w);
    bool ok = directions(c, j, 47, b) && open_twice(c, j, &w);
    ok = ok && pull_twice(c, j, &w, b, hb, hg);
    check_end(&w.l);
    vec left = check_vec(c, 1), right = check_vec(c, 1);
    if (!ok || !left.v || !right.v) return check_engine(c, t, tr, j->e, "the second derivative");
    double size = 0;
    for (int i = 0; i < tr->n_x; i++) {
        if (!(j->wanted >> i & 1)) continue;
        left.v[0] += check_dot(&b[i], &ha[i]);
        right.v[0] += check_dot(&a[i], &hb[i]);
        for (int64_t e = 0; e < b[i].n; e++)
            size += fabs(b[i].v[e] * ha[i].v[e]) + fabs(a[i].v[e] * hb[i].v[e]);
    }
    const compare how = {"Hessian not symmetric", -1, -1, "b'Ha", "a'Hb", 1e-10, 1e-10 * size, NULL, NULL};
    return check_same(c, t, tr, &how, &left, &right);
}

static bool second_of(checker *c, tally *t, const trial *tr) {
    if (tr->coarse) return true;
    job j = {0};
    vec all[MAX_X + MAX_Y] = {{0, NULL}}, a[MAX_X] = {{0, NULL}}, hx[MAX_X] = {{0, NULL}},
                    hg[MAX_Y] = {{0, NULL}};
    vec *x = all, *g = all + MAX_X;
    outcome o;
    if (!check_start(c, t, tr, &j, x, g, &o)) return false;
    if (!directions(c, &j, 43, a)) return check_engine(c, t, tr, j.e, "sampling");
    twice w;
    bool ok = open_twice(c, &j, &w) && pull_twice(c, &j, &w, a, hx, hg);
    check_end(&w.l);
    if (!ok) return check_engine(c, t, tr, j.e, "the second derivative");
    inner in = {&j, a};
    for (int i = 0; i < tr->n_x; i++) {
        vec want;
        const ebb_range r = check_domain(c, i);
        if (!(j.wanted >> i & 1)) continue;
        if (!numeric_of(c, &in, all, MAX_X + MAX_Y, i, r.hi - r.lo, &want))
            return check_engine(c, t, tr, j.e, "the gradient beside a sample");
        if (!compare_second(c, t, tr, i, -1, &tr->x[i].shape, &hx[i], &want)) return false;
    }
    for (int k = 0; k < o.n_y; k++) {
        vec want;
        if (!o.smooth[k]) continue;
        if (!numeric_of(c, &in, all, MAX_X + MAX_Y, MAX_X + k, 1, &want))
            return check_engine(c, t, tr, j.e, "the gradient beside a sample");
        if (!compare_second(c, t, tr, -1, k, &o.y_shape[k], &hg[k], &want)) return false;
    }
    return hessian_symmetric(c, t, tr, &j, a, hx);
}

/* `.once`: somewhere between asking for a differentiable gradient and differentiating it there must be an error. */
static bool refuses_second(checker *c, tally *t, const trial *tr) {
    job j = {0};
    vec x[MAX_X], g[MAX_Y], a[MAX_X] = {{0, NULL}}, hx[MAX_X], hg[MAX_Y];
    outcome o;
    if (!check_start(c, t, tr, &j, x, g, &o)) return false;
    if (!directions(c, &j, 43, a)) return check_engine(c, t, tr, j.e, "sampling");
    twice w;
    const bool ok = open_twice(c, &j, &w) && pull_twice(c, &j, &w, a, hx, hg);
    check_end(&w.l);
    t->cases++;
    const bool said = ebb_error(j.e)[0] != 0;
    ebb_error_clear(j.e);
    if (!ok && said) return true;
    return check_fail(c, t, tr, NULL, "declared differentiable once, yet a second derivative raises no error");
}

void check_second(checker *c, tally *t) {
    for (int k = 0; k < c->n_main && !t->failed; k++) {
        const mark m = check_mark(c);
        if (c->op->flags & EBB_ONCE) refuses_second(c, t, &c->main[k]);
        else second_of(c, t, &c->main[k]);
        check_reset(c, m);
    }
}
