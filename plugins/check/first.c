/* first.c - floor 5: first derivatives: against differences, linear in the cotangent, adjoint to the push-forward. */
#include "check.h"

enum { FULL = 4096, ROWS = 64, SEEDS = 3, PROJECTIONS = 8 };

static int64_t wanted_numel(const trial *t, uint32_t wanted, const vec x[MAX_X]) {
    int64_t n = 0;
    for (int i = 0; i < t->n_x; i++)
        if (wanted >> i & 1) n += x[i].n;
    return n;
}

/* Column (i, j) of the Jacobian, by differences. */
static bool column(checker *c, job *j, vec x[MAX_X], int i, int64_t at, vec *out) {
    vec dir[MAX_X] = {{0, NULL}};
    dir[i] = check_vec(c, x[i].n);
    if (!dir[i].v) return false;
    dir[i].v[at] = 1;
    const double room = check_domain(c, i).hi - check_domain(c, i).lo;
    return check_slope(c, check_eval_outputs, j, x, dir, j->t->n_x, fmin(check_step(x[i].v[at]), 0.02 * room), out);
}

typedef struct full { /* SEEDS random cotangents, and one numeric gradient for each */
    vec g[SEEDS][MAX_Y], joined[SEEDS], dx[SEEDS][MAX_X];
    outcome o[SEEDS];
} full;

static bool compare_inputs(checker *c, tally *t, const job *j, const vec *got, const vec *want, const char *hint) {
    bool ok = true;
    for (int i = 0; i < j->t->n_x && ok; i++) {
        if (!(j->wanted >> i & 1)) continue;
        const compare how = {"gradient wrong",  i,   -1, "analytic", "numeric", 1e-5, 1e-7,
                             &j->t->x[i].shape, hint};
        ok = check_same(c, t, j->t, &how, &got[i], &want[i]);
    }
    return ok;
}

/* Every entry of the Jacobian: the numeric columns against backward from one output element after another. */
static bool unit_rows(checker *c, tally *t, job *j, const outcome *o, const vec cols[], const vec g0[MAX_Y]) {
    vec g[MAX_Y], dx[MAX_X];
    for (int k = 0, row = 0; k < o->n_y; k++) {
        if (!check_is_float(o->y_dtype[k])) continue;
        for (int64_t e = 0; e < o->y[k].n; e++, row++) {
            if (!o->smooth[k]) continue;
            const mark m = check_mark(c);
            for (int q = 0; q < o->n_y; q++) g[q] = check_vec(c, g0[q].n);
            if (!g[k].v) return check_engine(c, t, j->t, j->e, "sampling");
            g[k].v[e] = 1.25;
            j->g = g;
            outcome got;
            if (!check_run(c, j, &got)) return check_engine(c, t, j->t, j->e, "the gradient");
            int64_t at = 0;
            for (int i = 0; i < j->t->n_x; i++) {
                if (!(j->wanted >> i & 1)) continue;
                dx[i] = check_vec(c, j->x[i].n);
                if (!dx[i].v) return check_engine(c, t, j->t, j->e, "sampling");
                for (int64_t q = 0; q < dx[i].n; q++) dx[i].v[q] = 1.25 * cols[at++].v[row];
            }
            if (!compare_inputs(c, t, j, got.dx, dx, "cotangent with one non-zero element")) return false;
            check_reset(c, m);
        }
    }
    return true;
}

static bool by_columns(checker *c, tally *t, job *j, vec x[MAX_X], const outcome *o, int64_t n, int64_t rows) {
    full *f = (full *)check_take(c, sizeof *f);
    vec *cols = (vec *)check_take(c, sizeof(vec) * (size_t)(n + 1));
    bool ok = f && cols;
    for (int s = 0; s < SEEDS && ok; s++) {
        ok = check_cotangents(c, o, 11 + (uint64_t)s, f->g[s]) && check_join(c, o, f->g[s], &f->joined[s]);
        j->g = f->g[s];
        ok = ok && check_run(c, j, &f->o[s]);
        for (int i = 0; i < j->t->n_x && ok; i++) ok = (f->dx[s][i] = check_vec(c, x[i].n)).v != NULL;
    }
    int64_t at = 0;
    for (int i = 0; i < j->t->n_x && ok; i++)
        for (int64_t e = 0; e < x[i].n && ok && j->wanted >> i & 1; e++) {
            const mark keep = check_mark(c);
            vec col;
            if (!column(c, j, x, i, e, &col))
                return check_engine(c, t, j->t, j->e, "the call beside a sample");
            for (int s = 0; s < SEEDS; s++) f->dx[s][i].v[e] = check_dot(&col, &f->joined[s]);
            if (rows > ROWS) {
                check_reset(c, keep);
                continue;
            }
            cols[at++] = col;
        }
    if (!ok) return check_engine(c, t, j->t, j->e, "the gradient");
    for (int s = 0; s < SEEDS && ok; s++) {
        bool ignored = false;
        for (int i = 0; i < j->t->n_x; i++)
            if (j->wanted >> i & 1)
                ignored |= check_biggest(&f->o[0].dx[i]) > 0 && check_bits_equal(&f->o[0].dx[i], &f->o[1].dx[i]);
        ok = compare_inputs(c, t, j, f->o[s].dx, f->dx[s],
                            ignored ? "the rule ignores its cotangent: two cotangents gave the same gradient"
                                    : NULL);
    }
    if (ok && rows <= ROWS) ok = unit_rows(c, t, j, o, cols, f->g[0]);
    return ok;
}

/* <u, J d> by differences against <J'u, d>. */
static bool by_projections(checker *c, tally *t, job *j, vec x[MAX_X], const outcome *o, int n) {
    vec got = check_vec(c, n), want = check_vec(c, n), g[MAX_Y], joined;
    if (!got.v || !want.v) return check_engine(c, t, j->t, j->e, "sampling");
    double size = 0;
    for (int p = 0; p < n; p++) {
        const mark m = check_mark(c);
        vec dir[MAX_X] = {{0, NULL}}, slope;
        outcome r;
        bool ok = check_cotangents(c, o, 31 + (uint64_t)p, g) && check_join(c, o, g, &joined);
        j->g = g;
        ok = ok && check_run(c, j, &r);
        for (int i = 0; i < j->t->n_x && ok; i++) {
            if (!(j->wanted >> i & 1)) continue;
            ok = check_noise(c, x[i].n, 1000 + (uint64_t)(p * MAX_X + i), &dir[i]);
            if (!ok) break;
            got.v[p] += check_dot(&r.dx[i], &dir[i]);
            for (int64_t e = 0; e < x[i].n; e++) size = fmax(size, fabs(r.dx[i].v[e] * dir[i].v[e]));
        }
        if (!ok || !check_slope(c, check_eval_outputs, j, x, dir, j->t->n_x, 1e-4, &slope))
            return check_engine(c, t, j->t, j->e, "the gradient");
        want.v[p] = check_dot(&slope, &joined);
        check_reset(c, m);
    }
    const compare how = {"gradient wrong along random directions",
                         -1,
                         -1,
                         "analytic",
                         "numeric",
                         1e-5,
                         1e-7 * (1 + size),
                         NULL,
                         NULL};
    return check_same(c, t, j->t, &how, &got, &want);
}

/* The gradient of one trial; `deep`: the whole Jacobian when it is small enough. */
static bool gradient_of(checker *c, tally *t, const trial *tr, bool deep) {
    if (tr->coarse) return true;
    job j = {0};
    vec x[MAX_X], g[MAX_Y];
    outcome o;
    if (!check_start(c, t, tr, &j, x, g, &o)) return false;
    int64_t rows = 0;
    for (int k = 0; k < o.n_y; k++)
        if (check_is_float(o.y_dtype[k])) rows += o.y[k].n;
    const int64_t n = wanted_numel(tr, j.wanted, x);
    t->cases++;
    if (n == 0 || rows == 0) return true;
    if (deep && n * rows <= FULL) return by_columns(c, t, &j, x, &o, n, rows);
    return by_projections(c, t, &j, x, &o, deep ? PROJECTIONS : 2);
}

bool check_gradient_at(checker *c, tally *t, const trial *tr, bool deep) {
    const mark m = check_mark(c);
    const bool ok = gradient_of(c, t, tr, deep);
    check_reset(c, m);
    return ok;
}

void check_gradient(checker *c, tally *t) {
    for (int k = 0; k < c->n_main; k++)
        if (!check_gradient_at(c, t, &c->main[k], true)) return;
}

/* ---- linear in the cotangent -------------------------------------------------------------------------------------------- */

static bool cotangent_of(checker *c, tally *t, const trial *tr) {
    if (tr->coarse) return true;
    job j = {0};
    vec x[MAX_X], u[MAX_Y], v[MAX_Y], w[MAX_Y];
    outcome a, b, sum, none;
    if (!check_start(c, t, tr, &j, x, u, &a)) return false;
    const double p = 0.75, q = -1.5;
    bool ok = check_cotangents(c, &a, 5, v) && check_cotangents(c, &a, 5, w);
    for (int k = 0; k < a.n_y && ok; k++)
        for (int64_t e = 0; e < w[k].n; e++) w[k].v[e] = p * u[k].v[e] + q * v[k].v[e];
    j.g = v;
    ok = ok && check_run(c, &j, &b);
    j.g = w;
    ok = ok && check_run(c, &j, &sum);
    for (int k = 0; k < a.n_y && ok; k++) memset(w[k].v, 0, sizeof(double) * (size_t)w[k].n);
    ok = ok && check_run(c, &j, &none);
    if (!ok) return check_engine(c, t, tr, j.e, "the gradient");
    for (int i = 0; i < tr->n_x && ok; i++) {
        if (!(j.wanted >> i & 1)) continue;
        const double size = fabs(p) * check_biggest(&a.dx[i]) + fabs(q) * check_biggest(&b.dx[i]);
        vec want = check_vec(c, x[i].n), zero = check_vec(c, x[i].n);
        if (!want.v || !zero.v) return check_engine(c, t, tr, j.e, "sampling");
        for (int64_t e = 0; e < want.n; e++) want.v[e] = p * a.dx[i].v[e] + q * b.dx[i].v[e];
        const char *guess =
            size > 0 && check_bits_equal(&a.dx[i], &b.dx[i]) ? "the rule ignores its cotangent" : NULL;
        const compare linear = {"gradient not linear in the cotangent",
                                i,
                                -1,
                                "J'(au + bv)",
                                "aJ'u + bJ'v",
                                1e-12,
                                1e-12 * size,
                                &tr->x[i].shape,
                                guess};
        const compare exact = {"gradient of a zero cotangent not zero",
                               i,
                               -1,
                               "gradient",
                               "expected",
                               0,
                               0,
                               &tr->x[i].shape,
                               guess ? guess : "a term of the rule lacks the cotangent"};
        ok = check_same(c, t, tr, &linear, &sum.dx[i], &want) && check_same(c, t, tr, &exact, &none.dx[i], &zero);
    }
    return ok;
}

void check_cotangent(checker *c, tally *t) {
    for (int k = 0; k < c->n_main && !t->failed; k++) {
        const mark m = check_mark(c);
        cotangent_of(c, t, &c->main[k]);
        check_reset(c, m);
    }
}

/* ---- the fused backward against the formula ------------------------------------------------------------------------------ */

static bool pull_of(checker *c, tally *t, const trial *tr, ebb_dtype type) {
    job j = {.type = type};
    vec x[MAX_X], g[MAX_Y];
    outcome fused, rule;
    if (!check_start(c, t, tr, &j, x, g, &fused)) return false;
    j.flags = EBB_CREATE_GRAPH;
    if (!check_run(c, &j, &rule)) return check_engine(c, t, tr, j.e, "the composed rule");
    const double eps = type == EBB_F32 ? 4e-6 : 1e-12;
    for (int i = 0; i < tr->n_x; i++) {
        if (!(j.wanted >> i & 1)) continue;
        const compare how = {"fused backward differs from the rule",
                             i,
                             -1,
                             "pull",
                             "rule",
                             eps,
                             eps * check_biggest(&rule.dx[i]) + (type == EBB_F32 ? 1e-37 : 0),
                             &tr->x[i].shape,
                             NULL};
        if (!check_same(c, t, tr, &how, &fused.dx[i], &rule.dx[i])) return false;
    }
    return true;
}

void check_pull(checker *c, tally *t) {
    if (c->op->n_pull == 0) {
        check_skip(t, "no fused backward");
        return;
    }
    for (int f = 0; f < 2; f++) {
        t->dtype = f ? "f32" : ebb_dtype_name(c->type);
        for (int k = 0; k < c->n_main + c->n_shapes && !t->failed; k++) {
            const mark m = check_mark(c);
            pull_of(c, t, k < c->n_main ? &c->main[k] : &c->shapes[k - c->n_main], f ? EBB_F32 : c->type);
            check_reset(c, m);
        }
    }
    if (!t->failed) t->dtype = ebb_dtype_name(c->type);
}

/* ---- one step downhill ------------------------------------------------------------------------------------------------- */

static double functional(const outcome *o, const vec g[MAX_Y]) {
    double s = 0;
    for (int k = 0; k < o->n_y; k++)
        if (check_is_float(o->y_dtype[k]) && o->y[k].n == g[k].n) s += check_dot(&o->y[k], &g[k]);
    return s;
}

static bool descent_of(checker *c, tally *t, const trial *tr) {
    if (tr->coarse) return true;
    job j = {0};
    vec x[MAX_X], g[MAX_Y];
    outcome o, after;
    if (!check_start(c, t, tr, &j, x, g, &o)) return false;
    double top = 0, square = 0;
    for (int i = 0; i < tr->n_x; i++)
        if (j.wanted >> i & 1) {
            top = fmax(top, check_biggest(&o.dx[i]));
            square += check_dot(&o.dx[i], &o.dx[i]);
        }
    t->cases++;
    if (!(top > 1e-9)) return true;
    for (int k = 0; k < o.n_y; k++)
        if (!o.smooth[k]) memset(g[k].v, 0, sizeof(double) * (size_t)g[k].n);
    const double rate = 1e-4 / top, before = functional(&o, g);
    for (int i = 0; i < tr->n_x; i++)
        for (int64_t e = 0; e < x[i].n && j.wanted >> i & 1; e++) x[i].v[e] -= rate * o.dx[i].v[e];
    j.wanted = 0;
    j.g = NULL;
    if (!check_run(c, &j, &after)) return check_engine(c, t, tr, j.e, "the call after a step");
    const double fell = before - functional(&after, g), hoped = rate * square;
    if (fell > 0.5 * hoped) return true;
    return check_fail(
        c, t, tr, fabs(fell + hoped) < 0.01 * hoped ? "opposite sign" : NULL,
        "a step against the gradient lowers a linear functional of the output by %.6g instead of about %.6g",
        fell, hoped);
}

void check_descent(checker *c, tally *t) {
    for (int k = 0; k < c->n_main && !t->failed; k++) {
        const mark m = check_mark(c);
        descent_of(c, t, &c->main[k]);
        check_reset(c, m);
    }
}
