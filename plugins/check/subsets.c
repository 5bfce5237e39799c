/* subsets.c - floor 5: gradients do not depend on which of them are asked for, and they add up. */
#include "check.h"

/* Any part of the inputs, the same gradients. */
static bool parts(checker *c, tally *t, const job *j, const outcome *all) {
    const uint32_t every = j->wanted;
    if (!(every & (every - 1))) return true;
    for (uint32_t s = (every - 1) & every; s; s = (s - 1) & every) {
        const mark m = check_mark(c);
        job part = *j;
        part.wanted = s;
        outcome o;
        if (!check_run(c, &part, &o)) return check_engine(c, t, j->t, j->e, "the gradient of some inputs");
        for (int i = 0; i < j->t->n_x; i++) {
            if (!(s >> i & 1)) continue;
            const compare how = {"gradient depends on which other inputs need one,",
                                 i,
                                 -1,
                                 "asked with some",
                                 "asked with all",
                                 1e-13,
                                 1e-13 * check_biggest(&all->dx[i]),
                                 &j->t->x[i].shape,
                                 NULL};
            if (!check_same(c, t, j->t, &how, &o.dx[i], &all->dx[i])) return false;
        }
        check_reset(c, m);
    }
    return true;
}

/* op(x, x): the gradient of the one tensor is the sum of those of two equal ones. */
static bool twice_the_same(checker *c, tally *t, const job *j, vec x[MAX_X], int a, int b) {
    const operand *p = &j->t->x[a], *q = &j->t->x[b];
    if (p->shape.n != q->shape.n || memcmp(p->shape.v, q->shape.v, sizeof(int64_t) * (size_t)p->shape.n))
        return true;
    const ebb_range ra = check_domain(c, a), rb = check_domain(c, b);
    const vec kept_a = x[a], kept_b = x[b];
    if (ra.hi - ra.lo < rb.hi - rb.lo) x[b] = x[a];
    else x[a] = x[b];
    job sep = *j;
    sep.x = x;
    outcome o;
    bool ok = check_run(c, &sep, &o);
    live l = {.e = j->e};
    vec sum = check_vec(c, x[a].n), got = {0, NULL};
    if (ok && sum.v) {
        for (int64_t e = 0; e < sum.n; e++) sum.v[e] = o.dx[a].v[e] + o.dx[b].v[e];
        job one = sep;
        one.wanted = 0;
        one.g = NULL;
        ok = check_begin(c, &one, &l);
        if (ok) {
            ebb_tensor *shared = l.x[a], *in[MAX_X], *y[MAX_Y] = {NULL}, *seed[MAX_Y], *out[MAX_Y], *dx = NULL;
            memcpy(in, l.x, sizeof in);
            in[b] = shared;
            ebb_requires_grad(shared, true);
            if (c->op->flags & EBB_RANDOM) ebb_seed(j->e, c->seed + 7);
            int n_y = ebb_call_named(j->e, c->op->name, j->t->n_x, in, j->t->attrs, MAX_Y, y), n = 0;
            for (int k = 0; k < n_y && k < MAX_Y; k++)
                if (o.smooth[k]) {
                    out[n] = y[k];
                    seed[n++] = check_tensor(j->e, c, j->type, o.y_shape[k], &j->g[k], LAY_PLAIN);
                }
            ok = n_y > 0 && n > 0 && !ebb_grad(j->e, n, out, seed, 1, &shared, EBB_ALLOW_UNUSED, &dx) &&
                 (dx ? check_read(c, dx, &got) : (got = check_vec(c, sum.n)).v != NULL);
        }
        check_end(&l);
    }
    x[a] = kept_a;
    x[b] = kept_b;
    if (!ok || !sum.v) return check_engine(c, t, j->t, j->e, "the gradient with one tensor as two inputs");
    const compare how = {"one tensor given twice: its gradient is not the sum,",
                         a,
                         -1,
                         "shared",
                         "sum of two",
                         1e-13,
                         1e-13 * (check_biggest(&o.dx[a]) + check_biggest(&o.dx[b])),
                         &p->shape,
                         NULL};
    return check_same(c, t, j->t, &how, &got, &sum);
}

/* Two backward passes leave twice the gradient in a leaf. */
static bool accumulates(checker *c, tally *t, const job *j, const outcome *all) {
    live l;
    vec got[MAX_X] = {{0, NULL}};
    int only = -1, n = 0;
    for (int k = 0; k < all->n_y; k++)
        if (all->smooth[k]) only = k, n++;
    if (n != 1) return true;
    bool ok = check_begin(c, j, &l);
    ok = ok && !ebb_backward_with(l.y[only], l.g[only], EBB_RETAIN) && !ebb_backward_with(l.y[only], l.g[only], 0);
    for (int i = 0; i < j->t->n_x && ok; i++)
        if (j->wanted >> i & 1) {
            const ebb_tensor *g = ebb_grad_of(l.x[i]);
            ok = g ? check_read(c, g, &got[i]) : (got[i] = check_vec(c, j->x[i].n)).v != NULL;
        }
    check_end(&l);
    if (!ok) return check_engine(c, t, j->t, j->e, "backward twice");
    for (int i = 0; i < j->t->n_x; i++) {
        if (!(j->wanted >> i & 1)) continue;
        vec want = check_copy(c, &all->dx[i]);
        if (!want.v) return check_engine(c, t, j->t, j->e, "sampling");
        for (int64_t e = 0; e < want.n; e++) want.v[e] *= 2;
        const compare how = {"two backwards do not add up",
                             i,
                             -1,
                             "accumulated",
                             "twice one",
                             1e-13,
                             1e-13 * check_biggest(&want),
                             &j->t->x[i].shape,
                             NULL};
        if (!check_same(c, t, j->t, &how, &got[i], &want)) return false;
    }
    return true;
}

/* The cotangent of one output missing is the same as zeros. */
static bool missing_cotangent(checker *c, tally *t, const job *j, const outcome *all) {
    int n = 0;
    for (int k = 0; k < all->n_y; k++) n += all->smooth[k];
    if (n < 2) return true;
    for (int k = 0; k < all->n_y; k++) {
        if (!all->smooth[k]) continue;
        vec g[MAX_Y];
        for (int q = 0; q < all->n_y; q++) g[q] = q == k ? j->g[q] : check_vec(c, j->g[q].n);
        job zeros = *j;
        zeros.g = g;
        outcome with, without = {0};
        live l;
        bool ok = check_run(c, &zeros, &with) && check_begin(c, j, &l);
        if (!ok) return check_engine(c, t, j->t, j->e, "the gradient of one output");
        for (int q = 0; q < l.n_y; q++)
            if (q != k) l.g[q] = NULL;
        ok = check_grads(j, &l);
        for (int i = 0; i < j->t->n_x && ok; i++)
            if (j->wanted >> i & 1)
                ok = l.dx[i] ? check_read(c, l.dx[i], &without.dx[i])
                             : (without.dx[i] = check_vec(c, j->x[i].n)).v != NULL;
        check_end(&l);
        if (!ok) return check_engine(c, t, j->t, j->e, "the gradient of one output");
        for (int i = 0; i < j->t->n_x; i++) {
            if (!(j->wanted >> i & 1)) continue;
            const compare how = {"a missing cotangent is not a zero one",
                                 i,
                                 -1,
                                 "missing",
                                 "zeros",
                                 0,
                                 1e-15,
                                 &j->t->x[i].shape,
                                 NULL};
            if (!check_same(c, t, j->t, &how, &without.dx[i], &with.dx[i])) return false;
        }
    }
    return true;
}

static bool subsets_of(checker *c, tally *t, const trial *tr) {
    job j = {0};
    vec x[MAX_X], g[MAX_Y];
    outcome all;
    if (!check_start(c, t, tr, &j, x, g, &all)) return false;
    if (!parts(c, t, &j, &all) || !accumulates(c, t, &j, &all) || !missing_cotangent(c, t, &j, &all))
        return false;
    for (int a = 0; a < tr->n_x; a++)
        for (int b = a + 1; b < tr->n_x; b++)
            if (j.wanted >> a & 1 && j.wanted >> b & 1 && !twice_the_same(c, t, &j, x, a, b)) return false;
    return true;
}

void check_subsets(checker *c, tally *t) {
    for (int k = 0; k < c->n_main && !t->failed; k++) {
        const mark m = check_mark(c);
        subsets_of(c, t, &c->main[k]);
        check_reset(c, m);
    }
}
