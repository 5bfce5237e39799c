/* contract.c - floor 5: kernels and rules keep to what they were given; bad calls are refused with words. */
#include "check.h"

/* ---- shapes, recomputed from the signature -------------------------------------------------------------------------------- */

static bool join_batch(ebb_ints *all, const int64_t *dim, int n) {
    ebb_ints r = {all->n > n ? all->n : n, {0}};
    for (int d = 0; d < r.n; d++) {
        const int p = d - (r.n - all->n), q = d - (r.n - n);
        const int64_t a = p < 0 ? 1 : all->v[p], b = q < 0 ? 1 : dim[q];
        if (a != b && a != 1 && b != 1) return false;
        r.v[d] = a == 1 ? b : a;
    }
    *all = r;
    return true;
}

/* The output shapes that the signature promises; false: it promises nothing here. */
static bool promised_shape(const checker *c, const trial *t, int k, ebb_ints *out) {
    if (check_own_shapes(c) || c->op->view || c->op->compose || c->axes || k >= c->sig.n_y) return false;
    int64_t size[128];
    ebb_ints all = {0, {0}};
    for (int i = 0; i < 128; i++) size[i] = -1;
    for (int i = 0; i < t->n_x; i++) {
        const ebb_sig_operand *a = check_arg(c, i);
        const ebb_ints *s = &t->x[i].shape;
        if (!t->x[i].present) continue;
        if (!join_batch(&all, s->v, s->n - a->ndim)) return false;
        for (int d = 0; d < a->ndim; d++) size[a->dim[d] & 127] = s->v[s->n - a->ndim + d];
    }
    const ebb_sig_operand *a = &c->sig.arg[c->sig.n_x + (k < c->sig.n_y ? k : c->sig.n_y - 1)];
    for (int d = 0; d < a->ndim; d++) {
        if (size[a->dim[d] & 127] < 0 || all.n >= EBB_MAX_DIMS) return false;
        all.v[all.n++] = size[a->dim[d] & 127];
    }
    *out = all;
    return true;
}

static bool same_shape(const ebb_ints *a, const ebb_ints *b) {
    return a->n == b->n && !memcmp(a->v, b->v, sizeof(int64_t) * (size_t)a->n);
}

/* First and last byte that a tensor can touch. */
static bool extent(const ebb_tensor *t, const char **lo, const char **hi) {
    ebb_info q;
    ebb_tensor_info(t, &q);
    if (q.numel == 0 || !q.data) return false;
    int64_t first = 0, last = 0;
    for (int d = 0; d < q.ndim; d++) {
        const int64_t reach = (q.shape[d] - 1) * q.stride[d];
        if (reach < 0) first += reach;
        else last += reach;
    }
    const int64_t size = (int64_t)ebb_dtype_size((ebb_dtype)q.dtype);
    *lo = (const char *)q.data + first * size;
    *hi = (const char *)q.data + last * size + size - 1;
    return true;
}

/* Views stay inside their input; everything else has memory of its own. */
static bool memory_is_own(checker *c, tally *t, const job *j, const live *l) {
    for (int k = 0; k < l->n_y; k++)
        for (int i = 0; i < j->t->n_x; i++) {
            const char *y0, *y1, *x0, *x1;
            if (!l->x[i] || !extent(l->y[k], &y0, &y1) || !extent(l->x[i], &x0, &x1)) continue;
            const bool apart = y1 < x0 || x1 < y0;
            if (c->op->view && i == 0 && !apart && (y0 < x0 || y1 > x1))
                return check_fail(c, t, j->t, "offset or strides", "the view reaches outside its input");
            if (!c->op->view && !c->op->compose && !apart)
                return check_fail(c, t, j->t, NULL, "output %d shares memory with input %d", k, i);
        }
    return true;
}

/* ---- one trial under guard ---------------------------------------------------------------------------------------------- */

static bool inputs_unchanged(checker *c, tally *t, const job *j, const live *l) {
    for (int i = 0; i < j->t->n_x; i++) {
        vec now;
        if (!l->x[i]) continue;
        if (!check_read(c, l->x[i], &now)) return check_engine(c, t, j->t, j->e, "sampling");
        for (int64_t e = 0; e < now.n; e++) {
            const double had = j->type == EBB_F32 && j->t->x[i].dtype == EBB_NONE ? (double)(float)j->x[i].v[e]
                                                                                  : j->x[i].v[e];
            if (now.v[e] != had)
                return check_fail(c, t, j->t, NULL, "changed input %d (%s) at element %lld: %g became %g", i,
                                  check_input_name(c, i), (long long)e, had, now.v[e]);
        }
    }
    return true;
}

static bool guarded_run(checker *c, tally *t, const trial *tr, ebb_dtype type, int flags, int threads) {
    ebb_threads_set(c->guard, threads);
    vec x[MAX_X], g[MAX_Y];
    outcome o;
    if (!check_sample(c, tr, 1, x)) return check_engine(c, t, tr, c->guard, "sampling");
    job j = {.e = c->guard, .t = tr, .type = type, .x = x, .flags = flags, .wanted = check_wanted(c, tr)};
    t->cases++;
    if (!check_run(c, &j, &o)) return check_engine(c, t, tr, j.e, "the call");
    if (!check_cotangents(c, &o, 3, g)) return check_engine(c, t, tr, j.e, "sampling");
    for (int k = 0; k < o.n_y; k++) {
        ebb_ints want;
        if (promised_shape(c, tr, k, &want) && !same_shape(&want, &o.y_shape[k]))
            return check_fail(c, t, tr, NULL,
                              "output %d has %lld elements in %d dims where the signature %s gives %lld in %d",
                              k, (long long)o.y[k].n, o.y_shape[k].n, c->op->sig,
                              (long long)check_numel(&want), want.n);
    }
    j.g = g;
    live l;
    bool ok = check_begin(c, &j, &l), fine = true;
    if (ok) fine = memory_is_own(c, t, &j, &l) && inputs_unchanged(c, t, &j, &l);
    ok = ok && fine && (!c->differentiable || check_grads(&j, &l));
    if (ok && fine) fine = inputs_unchanged(c, t, &j, &l);
    for (int i = 0; i < tr->n_x && ok && fine; i++) {
        ebb_info q;
        ebb_tensor_info(l.dx[i], &q);
        if (l.dx[i] &&
            (q.ndim != tr->x[i].shape.n || memcmp(q.shape, tr->x[i].shape.v, sizeof(int64_t) * (size_t)q.ndim)))
            fine = check_fail(c, t, tr, NULL, "the gradient of input %d (%s) has another shape than the input",
                              i, check_input_name(c, i));
    }
    check_end(&l);
    if (!fine) return false;
    return ok || check_engine(c, t, tr, j.e, flags ? "the composed backward" : "the call or its backward");
}

/* name_(x, ...) gives what name(x, ...) gives. */
static bool in_place(checker *c, tally *t, const trial *tr) {
    vec x[MAX_X], got;
    outcome o;
    char name[80] = "";
    check_say(name, sizeof name, "%s_", c->op->name);
    if (!check_sample(c, tr, 1, x)) return check_engine(c, t, tr, c->guard, "sampling");
    job j = {.e = c->guard, .t = tr, .type = c->type, .x = x};
    if (!check_run(c, &j, &o)) return check_engine(c, t, tr, j.e, "the call");
    if (!same_shape(&o.y_shape[0], &tr->x[0].shape)) return true;
    live l;
    ebb_tensor *y = NULL;
    bool ok = check_begin(c, &j, &l);
    if (c->op->flags & EBB_RANDOM) ebb_seed(j.e, c->seed + 7);
    ok = ok && ebb_call_named(j.e, name, tr->n_x, l.x, tr->attrs, 1, &y) > 0 && check_read(c, l.x[0], &got);
    check_end(&l);
    if (!ok) return check_engine(c, t, tr, j.e, "the in-place form");
    const compare how = {
        "the in-place form differs", -1, 0, "in place", "plain", 0, 0, &o.y_shape[0], "an element depends on others than itself"};
    return check_same(c, t, tr, &how, &got, &o.y[0]);
}

static bool has_kernel(const checker *c, ebb_dtype d) {
    for (const ebb_kernel *k = c->op->fwd; k && k->dtype; k++)
        if (k->dtype == (int32_t)d) return true;
    return !c->op->fwd;
}

void check_contract(checker *c, tally *t) {
    if (c->n_main == 0) {
        check_fail(c, t, NULL, "give working shapes and attributes in `.tries`", "no sample of it runs (%s)",
                   c->why_none[0] ? c->why_none : "no shapes to try");
        return;
    }
    const bool both = c->differentiable && !(c->op->flags & EBB_ONCE);
    for (int k = 0; k < c->n_main + c->n_shapes && !t->failed; k++) {
        const trial *tr = k < c->n_main ? &c->main[k] : &c->shapes[k - c->n_main];
        const mark m = check_mark(c);
        bool ok = guarded_run(c, t, tr, c->type, 0, 1);
        if (ok && both) ok = guarded_run(c, t, tr, c->type, EBB_CREATE_GRAPH, 1);
        if (ok && k < c->n_main) ok = guarded_run(c, t, tr, c->type, 0, 3); /* cut into ranges */
        if (ok && c->type == EBB_F64 && has_kernel(c, EBB_F32)) {
            t->dtype = "f32";
            ok = guarded_run(c, t, tr, EBB_F32, 0, 1);
            if (ok) t->dtype = "f64";
        }
        ebb_threads_set(c->guard, 1);
        if (ok && c->op->flags & EBB_INPLACE && k < c->n_main) in_place(c, t, tr);
        check_reset(c, m);
    }
}

/* ---- calls that must be refused ------------------------------------------------------------------------------------------- */

typedef struct bad { /* a call with something wrong in it */
    const trial *t;
    int n; /* inputs given */
    const char *attrs;
    bool must; /* an error is due; else either way, without a crash */
    const char *what;
} bad;

static bool refused(checker *c, tally *t, const bad *b, const vec x[MAX_X], ebb_dtype type) {
    ebb_tensor *in[MAX_X + 1] = {NULL}, *y[MAX_Y] = {NULL};
    ebb *e = c->guard;
    ebb_error_clear(e);
    ebb_scope *s = ebb_begin(e);
    for (int i = 0; i < b->n && i < MAX_X; i++) {
        const int from = i < b->t->n_x ? i : b->t->n_x - 1;
        if (from < 0) { /* an op without inputs is given one */
            in[i] = ebb_full(e, type, EBB_SHAPE0, 1);
            continue;
        }
        const operand *o = &b->t->x[from];
        if (o->present)
            in[i] = check_tensor(e, c, o->dtype == EBB_NONE ? type : o->dtype, o->shape, &x[from], LAY_PLAIN);
    }
    const int n = ebb_failed(e) ? 0 : ebb_call_named(e, c->op->name, b->n, in, b->attrs, MAX_Y, y);
    const bool said = ebb_error(e)[0] != 0, error = n < 1;
    const ebb_status code = ebb_error_code(e);
    ebb_error_clear(e);
    ebb_end(s);
    t->cases++;
    if (error && !said) return check_fail(c, t, b->t, NULL, "%s: refused without a word", b->what);
    if (error && (code == EBB_E_KERNEL || code == EBB_E_MEMORY))
        return check_fail(c, t, b->t, "the call reached the kernel", "%s: %s", b->what, ebb_status_name(code));
    if (!error && b->must) return check_fail(c, t, b->t, NULL, "%s: accepted", b->what);
    return true;
}

static bool wrong_sizes(checker *c, tally *t, const trial *tr) {
    if (check_own_shapes(c) || c->op->view || c->axes) return true;
    const trial kept = *tr;
    for (int i = 0; i < tr->n_x; i++) {
        const ebb_sig_operand *a = check_arg(c, i);
        for (int d = 0; d < a->ndim && tr->x[i].present; d++) {
            int uses = 0; /* how many core dims have that letter */
            for (int q = 0; q < tr->n_x; q++)
                for (int w = 0; w < check_arg(c, q)->ndim; w++)
                    uses += tr->x[q].present && check_arg(c, q)->dim[w] == a->dim[d];
            if (uses < 2) continue;
            trial off = kept;
            off.x[i].shape.v[off.x[i].shape.n - a->ndim + d] += 2;
            vec x[MAX_X];
            if (!check_sample(c, &off, 1, x)) return check_engine(c, t, tr, c->guard, "sampling");
            const bad b = {&off, off.n_x, off.attrs, true, "core dims that do not agree"};
            if (!refused(c, t, &b, x, c->type)) return false;
        }
        if (a->ndim > 0 && tr->x[i].present) {
            trial off = kept;
            off.x[i].shape = (ebb_ints){a->ndim - 1, {2, 2, 2, 2}};
            vec x[MAX_X];
            if (!check_sample(c, &off, 1, x)) return check_engine(c, t, tr, c->guard, "sampling");
            const bad b = {&off, off.n_x, off.attrs, true, "an input with fewer dims than its core"};
            if (!refused(c, t, &b, x, c->type)) return false;
        }
    }
    return true;
}

static bool wrong_values(checker *c, tally *t, const trial *tr) {
    trial off = *tr;
    vec x[MAX_X];
    for (int i = 0; i < tr->n_x; i++) {
        const ebb_sig_operand *a = check_arg(c, i);
        if (!tr->x[i].present) continue;
        if (a->below && tr->x[i].below > 0)
            for (int k = 0; k < 2; k++) {
                if (!check_sample(c, tr, 1, x)) return check_engine(c, t, tr, c->guard, "sampling");
                if (x[i].n == 0) continue;
                x[i].v[x[i].n - 1] = k ? -1 : (double)tr->x[i].below;
                const bad b = {tr, tr->n_x, tr->attrs, !c->op->compose,
                               k ? "a negative index" : "an index at its bound"};
                if (!refused(c, t, &b, x, c->type)) return false;
            }
        off = *tr;
        off.x[i].dtype = tr->x[i].dtype == EBB_NONE ? EBB_I64 : EBB_F32;
        if (!check_sample(c, &off, 1, x)) return check_engine(c, t, tr, c->guard, "sampling");
        const bad b = {&off, off.n_x, off.attrs, tr->x[i].dtype == EBB_I64, "an input of the wrong type"};
        if (!refused(c, t, &b, x, c->type)) return false;
    }
    if (c->pointwise && tr->n_x > 1) {
        off = *tr;
        for (int i = 0; i < off.n_x; i++) off.x[i].shape = (ebb_ints){1, {i ? 3 : 2}};
        if (!check_sample(c, &off, 1, x)) return check_engine(c, t, tr, c->guard, "sampling");
        const bad b = {&off, off.n_x, off.attrs, !check_own_shapes(c) && off.x[0].present && off.x[1].present,
                       "shapes that do not broadcast"};
        if (!refused(c, t, &b, x, c->type)) return false;
    }
    return true;
}

void check_errors(checker *c, tally *t) {
    const trial *tr = &c->main[0];
    vec x[MAX_X];
    if (!check_sample(c, tr, 1, x)) {
        check_engine(c, t, tr, c->guard, "sampling");
        return;
    }
    char unknown[ATTRS_LEN + 32] = "";
    check_say(unknown, sizeof unknown, tr->attrs[0] ? "%s no_such_attribute=1" : "%sno_such_attribute=1", tr->attrs);
    const bad calls[] = {
        {tr, tr->n_x + 1, tr->attrs, !c->variadic, "one input too many"},
        {tr, 0, tr->attrs, c->sig.n_x > 0 && !c->sig.arg[0].optional, "no input"},
        {tr, tr->n_x, unknown, true, "an unknown attribute"},
    };
    for (size_t k = 0; k < sizeof calls / sizeof calls[0]; k++)
        if (!refused(c, t, &calls[k], x, c->type)) return;
    if (!wrong_sizes(c, t, tr) || !wrong_values(c, t, tr)) return;
    /* the session works on */
    job j = {.e = c->guard, .t = tr, .type = c->type, .x = x};
    outcome o;
    if (!check_run(c, &j, &o)) check_engine(c, t, tr, c->guard, "the call after the errors");
}
