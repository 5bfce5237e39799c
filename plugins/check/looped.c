/* looped.c - floor 5: a call on a batch equals the op called on one item after another. */
#include "check.h"

/* How one operand is cut into items: item b starts at sum_d index[d]*step[d]; its core elements lie at core[]. */
typedef struct cut {
    ebb_ints batch;
    int64_t step[EBB_MAX_DIMS];
    int64_t n_core, *core;
    ebb_ints shape; /* of an item on its own */
} cut;

/* Splits a shape into batch dims and core dims: `is_core[d]`. */
static bool cut_shape(checker *c, const ebb_ints *shape, const bool is_core[EBB_MAX_DIMS], cut *q) {
    int64_t stride[EBB_MAX_DIMS], s = 1, core_stride[EBB_MAX_DIMS];
    ebb_ints core = {0, {0}};
    memset(q, 0, sizeof *q);
    for (int d = shape->n - 1; d >= 0; d--) {
        stride[d] = s;
        s *= shape->v[d];
    }
    for (int d = 0; d < shape->n; d++) {
        if (is_core[d]) {
            core_stride[core.n] = stride[d];
            core.v[core.n++] = shape->v[d];
        } else {
            q->step[q->batch.n] = shape->v[d] == 1 ? 0 : stride[d];
            q->batch.v[q->batch.n++] = shape->v[d];
        }
    }
    q->shape = core;
    q->n_core = check_numel(&core);
    q->core = (int64_t *)check_take(c, sizeof(int64_t) * (size_t)(q->n_core + 1));
    if (!q->core) return false;
    for (int64_t k = 0; k < q->n_core; k++) {
        int64_t rest = k;
        for (int d = core.n - 1; d >= 0; d--) {
            q->core[k] += rest % core.v[d] * core_stride[d];
            rest /= core.v[d];
        }
    }
    return true;
}

/* Item `flat` of a batch of shape `all`. */
static int64_t start_of(const cut *q, const ebb_ints *all, int64_t flat) {
    int64_t at = 0;
    for (int d = all->n - 1; d >= 0; d--) {
        const int own = d - (all->n - q->batch.n);
        if (own >= 0) at += flat % all->v[d] * q->step[own];
        flat /= all->v[d];
    }
    return at;
}

static bool cut_input(checker *c, const trial *t, int i, cut *q, trial *item) {
    const ebb_sig_operand *a = check_arg(c, i);
    const ebb_ints *s = &t->x[i].shape;
    bool is_core[EBB_MAX_DIMS] = {false};
    int axes[EBB_MAX_DIMS];
    if (c->axes && a->ndim) {
        const int n = check_axes_of(c, t, s->n, axes);
        for (int k = 0; k < n; k++) is_core[axes[k]] = true;
    } else
        for (int d = 0; d < a->ndim; d++) is_core[s->n - 1 - d] = true;
    if (!cut_shape(c, s, is_core, q)) return false;
    if (c->axes && a->ndim) q->shape = (ebb_ints){1, {q->n_core}}; /* the axes joined */
    item->x[i] = t->x[i];
    item->x[i].shape = q->shape;
    return true;
}

/* Outputs: with axes, those without core dims hold one number an item, whatever keepdim says; else like inputs. */
static bool cut_output(checker *c, const trial *t, const outcome *o, int k, int64_t items, cut *q) {
    const ebb_sig_operand *a = &c->sig.arg[c->sig.n_x + k];
    const ebb_ints *s = &o->y_shape[k];
    bool is_core[EBB_MAX_DIMS] = {false};
    int axes[EBB_MAX_DIMS];
    if (c->axes && a->ndim == 0) {
        if (o->y[k].n != items) return false;
        const ebb_ints flat = {1, {items}};
        return cut_shape(c, &flat, is_core, q);
    }
    if (c->axes) {
        if (s->n != t->x[0].shape.n) return false;
        const int n = check_axes_of(c, t, s->n, axes);
        for (int d = 0; d < n; d++) is_core[axes[d]] = true;
    } else {
        if (s->n < a->ndim) return false;
        for (int d = 0; d < a->ndim; d++) is_core[s->n - 1 - d] = true;
    }
    return cut_shape(c, s, is_core, q);
}

static bool broadcast(ebb_ints *all, const ebb_ints *more) {
    ebb_ints r = {all->n > more->n ? all->n : more->n, {0}};
    for (int d = 0; d < r.n; d++) {
        const int p = d - (r.n - all->n), q = d - (r.n - more->n);
        const int64_t a = p < 0 ? 1 : all->v[p], b = q < 0 ? 1 : more->v[q];
        if (a != b && a != 1 && b != 1) return false;
        r.v[d] = a == 1 ? b : a;
    }
    *all = r;
    return true;
}

bool check_looped(checker *c, tally *t, const trial *tr, const job *j, const outcome *whole) {
    if (c->any_shape || check_own_shapes(c) || c->op->view || (c->op->flags & EBB_RANDOM) || check_has_zero(tr))
        return true;
    if (c->sig.n_y != whole->n_y || whole->n_y > MAX_Y) return true;
    trial item = *tr;
    cut in[MAX_X], out[MAX_Y];
    ebb_ints all = {0, {0}};
    for (int i = 0; i < tr->n_x; i++) {
        if (!tr->x[i].present) continue;
        if (!cut_input(c, tr, i, &in[i], &item) || !broadcast(&all, &in[i].batch)) return true;
    }
    const int64_t items = check_numel(&all);
    if (items < 2 || items > 64) return true;
    if (c->axes) check_attr_set(item.attrs, c->axes->name, "0");
    for (int k = 0; k < whole->n_y; k++) {
        if (!cut_output(c, tr, whole, k, items, &out[k])) return true;
        ebb_ints own = out[k].batch;
        if (c->axes && c->sig.arg[c->sig.n_x + k].ndim == 0) out[k].batch = (ebb_ints){1, {items}};
        else if (!broadcast(&own, &all) || check_numel(&own) != items || check_numel(&out[k].batch) != items)
            return true; /* reduced further */
    }
    vec y[MAX_Y], dx[MAX_X];
    bool ok = true;
    for (int k = 0; k < whole->n_y && ok; k++) ok = (y[k] = check_vec(c, whole->y[k].n)).v != NULL;
    for (int i = 0; i < tr->n_x && ok; i++)
        if (j->wanted >> i & 1) ok = (dx[i] = check_vec(c, j->x[i].n)).v != NULL;
    for (int64_t b = 0; b < items && ok; b++) {
        const mark m = check_mark(c);
        vec x1[MAX_X] = {{0, NULL}}, g1[MAX_Y];
        int64_t x_at[MAX_X] = {0}, y_at[MAX_Y];
        for (int i = 0; i < tr->n_x && ok; i++) {
            if (!tr->x[i].present) continue;
            x_at[i] = start_of(&in[i], &all, b);
            ok = (x1[i] = check_vec(c, in[i].n_core)).v != NULL;
            for (int64_t e = 0; ok && e < in[i].n_core; e++) x1[i].v[e] = j->x[i].v[x_at[i] + in[i].core[e]];
        }
        for (int k = 0; k < whole->n_y && ok; k++) {
            const bool flat = c->axes && c->sig.arg[c->sig.n_x + k].ndim == 0;
            y_at[k] = flat ? b : start_of(&out[k], &all, b);
            ok = (g1[k] = check_vec(c, out[k].n_core)).v != NULL;
            for (int64_t e = 0; ok && j->g && e < out[k].n_core; e++)
                g1[k].v[e] = j->g[k].v[y_at[k] + out[k].core[e]];
        }
        job one = *j;
        one.t = &item;
        one.x = x1;
        one.g = j->g ? g1 : NULL;
        outcome o;
        if (!ok || !check_run(c, &one, &o))
            return check_engine(c, t, &item, j->e, "one item of a batch by itself");
        for (int k = 0; k < whole->n_y; k++) {
            if (o.y[k].n != out[k].n_core)
                return true; /* the op sees the batch as a whole (a mean over it) */
            for (int64_t e = 0; e < o.y[k].n; e++) y[k].v[y_at[k] + out[k].core[e]] = o.y[k].v[e];
        }
        for (int i = 0; i < tr->n_x; i++)
            for (int64_t e = 0; j->wanted >> i & 1 && e < in[i].n_core; e++)
                dx[i].v[x_at[i] + in[i].core[e]] += o.dx[i].v[e];
        check_reset(c, m);
    }
    if (!ok) return check_engine(c, t, tr, j->e, "sampling");
    for (int k = 0; k < whole->n_y; k++) {
        const compare how = {"a batch differs from its items one by one,",
                             -1,
                             k,
                             "batch",
                             "one by one",
                             1e-13,
                             1e-13 * check_biggest(&y[k]),
                             &whole->y_shape[k],
                             c->pointwise ? "a loop that is wrong for one element, or for a broadcast operand"
                                          : "the step from one item to the next, or a broadcast operand"};
        if (!check_same(c, t, tr, &how, &whole->y[k], &y[k])) return false;
    }
    for (int i = 0; i < tr->n_x; i++) {
        if (!(j->wanted >> i & 1)) continue;
        const compare how = {"the gradient of a batch differs from that of its items,",
                             i,
                             -1,
                             "batch",
                             "one by one",
                             1e-12,
                             1e-12 * check_biggest(&dx[i]),
                             &tr->x[i].shape,
                             "a broadcast operand: not summed over its items"};
        if (!check_same(c, t, tr, &how, &whole->dx[i], &dx[i])) return false;
    }
    return true;
}

/* An op that looks at elements which an empty input does not have gives another result when other numbers lie there. */
static bool empty_reads(checker *c, tally *t, const trial *tr) {
    vec x[MAX_X], y[2][MAX_Y];
    for (int k = 0; k < 2; k++) {
        live l = {.e = c->plain};
        if (!check_sample(c, tr, 1, x)) return check_engine(c, t, tr, c->plain, "sampling");
        ebb_error_clear(l.e);
        l.scope = ebb_begin(l.e);
        for (int i = 0; i < tr->n_x; i++) {
            if (!tr->x[i].present) continue;
            const ebb_dtype d = tr->x[i].dtype == EBB_NONE ? c->type : tr->x[i].dtype;
            if (x[i].n > 0 || d != EBB_F64) {
                l.x[i] = check_tensor(l.e, c, d, tr->x[i].shape, &x[i], LAY_PLAIN);
                continue;
            }
            vec beyond = check_vec(c, 64);
            for (int64_t e = 0; beyond.v && e < beyond.n; e++) beyond.v[e] = k ? 3.5 : -1.25;
            l.x[i] = ebb_tensor_wrap(l.e, d, tr->x[i].shape, beyond.v);
        }
        if (c->op->flags & EBB_RANDOM) ebb_seed(l.e, c->seed + 7);
        l.n_y = ebb_call_named(l.e, c->op->name, tr->n_x, l.x, tr->attrs, MAX_Y, l.y);
        bool ok = l.n_y > 0;
        for (int q = 0; q < l.n_y && q < MAX_Y && ok; q++) ok = check_read(c, l.y[q], &y[k][q]);
        check_end(&l);
        if (!ok) return check_engine(c, t, tr, l.e, "the call on an empty input");
        for (int q = 0; k == 1 && q < l.n_y && q < MAX_Y; q++)
            if (!check_bits_equal(&y[0][q], &y[1][q]))
                return check_fail(c, t, tr, "a loop that begins with element 0 before it looks at the size",
                                  "output %d depends on what lies behind an input of size 0", q);
    }
    return true;
}

/* One row through the op. */
static bool reduce_row(checker *c, tally *t, const trial *tr, const vec *row, double *out) {
    trial one = *tr;
    one.x[0].shape = (ebb_ints){1, {row->n}};
    const job j = {.e = c->plain, .t = &one, .type = c->type, .x = row};
    outcome o;
    if (!check_run(c, &j, &o)) return check_engine(c, t, &one, c->plain, "a part of a row");
    if (o.y[0].n == 1) *out = o.y[0].v[0];
    return o.y[0].n == 1 || check_fail(c, t, &one, NULL, "a row gives %lld numbers", (long long)o.y[0].n);
}

/* EBB_ASSOC lets the engine do a long row in blocks: op(op(part), op(part)) must be op(all). */
static bool associative(checker *c, tally *t) {
    const trial *tr = &c->main[0];
    vec row, two = check_vec(c, 2), all = check_vec(c, 1), parts = check_vec(c, 1);
    if (!(c->op->flags & EBB_ASSOC)) return true;
    if (!check_noise(c, 12, 51, &row) || !two.v || !all.v || !parts.v)
        return check_engine(c, t, tr, c->plain, "sampling");
    const ebb_range r = check_domain(c, 0);
    for (int64_t e = 0; e < row.n; e++) row.v[e] = r.lo + (r.hi - r.lo) * (row.v[e] + 1.6) / 3.2;
    const vec left = {5, row.v}, right = {7, row.v + 5};
    if (!reduce_row(c, t, tr, &row, &all.v[0]) || !reduce_row(c, t, tr, &left, &two.v[0]) ||
        !reduce_row(c, t, tr, &right, &two.v[1]) || !reduce_row(c, t, tr, &two, &parts.v[0]))
        return false;
    const compare how = {"a row done in blocks differs from the whole",
                         -1,
                         0,
                         "in blocks",
                         "whole",
                         1e-12,
                         1e-12 * check_biggest(&row),
                         NULL,
                         "not associative: EBB_ASSOC does not hold, or the kernel changes its own results once more"};
    return check_same(c, t, tr, &how, &parts, &all);
}

void check_shapes(checker *c, tally *t) {
    if (c->n_shapes == 0) {
        check_skip(t, "shapes come from `.tries` alone");
        return;
    }
    if (!associative(c, t)) return;
    for (int k = 0; k < c->n_shapes && !t->failed; k++) {
        const mark m = check_mark(c);
        const trial *tr = &c->shapes[k];
        job j = {0};
        vec x[MAX_X], g[MAX_Y];
        outcome o;
        if (check_start(c, t, tr, &j, x, g, &o)) {
            t->cases++;
            if (!c->differentiable) j.wanted = 0;
            if (check_has_zero(tr)) empty_reads(c, t, tr);
            if (!t->failed && check_looped(c, t, tr, &j, &o) && c->differentiable)
                check_gradient_at(c, t, tr, false);
        }
        check_reset(c, m);
    }
}
