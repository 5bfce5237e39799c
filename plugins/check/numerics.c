/* numerics.c - floor 5: single precision, large and tiny magnitudes, NaN and Inf, declared kinks. */
#include "check.h"

static bool has_f32(const checker *c) {
    for (const ebb_kernel *k = c->op->fwd; k && k->dtype; k++)
        if (k->dtype == EBB_F32) return true;
    return !c->op->fwd;
}

static bool takes_float(const checker *c) {
    for (int i = 0; i < c->sig.n_x; i++)
        if (c->sig.arg[i].dtype == EBB_NONE) return check_is_float(c->type) && has_f32(c);
    return false;
}

/* ---- f32 against f64 --------------------------------------------------------------------------------------------------- */

static bool absolute(checker *c, const vec *v, vec *out) {
    *out = check_copy(c, v);
    for (int64_t e = 0; out->v && e < v->n; e++) out->v[e] = fabs(v->v[e]);
    return out->v != NULL;
}

static double or_zero(double v) { return isfinite(v) ? v : 0; }

/* The inputs are rounded to f32 first, so that both see the same numbers and only arithmetic differs. */
static bool f32_of(checker *c, tally *t, const trial *tr) {
    job j = {.type = EBB_F32};
    vec x[MAX_X], g[MAX_Y];
    outcome single, wide;
    if (!check_sample(c, tr, 1, x)) return check_engine(c, t, tr, c->plain, "sampling");
    for (int i = 0; i < tr->n_x; i++) check_round_f32(&x[i]);
    j = (job){
        .e = c->plain, .t = tr, .type = EBB_F32, .x = x, .wanted = c->differentiable ? check_wanted(c, tr) : 0};
    if (!check_run(c, &j, &single)) return check_engine(c, t, tr, j.e, "the call in f32");
    if (!check_cotangents(c, &single, 3, g)) return check_engine(c, t, tr, j.e, "sampling");
    for (int k = 0; k < single.n_y; k++) check_round_f32(&g[k]);
    j.g = g;
    if (j.wanted && !check_run(c, &j, &single)) return check_engine(c, t, tr, j.e, "the gradient in f32");
    j.type = EBB_F64;
    if (!check_run(c, &j, &wide)) return check_engine(c, t, tr, j.e, "the call in f64");
    /* What cancels: the same with every number positive. */
    vec px[MAX_X], pg[MAX_Y];
    outcome sum;
    for (int i = 0; i < tr->n_x; i++)
        if (!absolute(c, &x[i], &px[i])) return check_engine(c, t, tr, j.e, "sampling");
    for (int k = 0; k < wide.n_y; k++)
        if (!absolute(c, &g[k], &pg[k])) return check_engine(c, t, tr, j.e, "sampling");
    j.x = px;
    j.g = pg;
    if (!check_run(c, &j, &sum)) {
        ebb_error_clear(j.e);
        sum = wide;
    }
    for (int k = 0; k < wide.n_y; k++) {
        const double top = check_biggest(&wide.y[k]), terms = or_zero(check_biggest(&sum.y[k]));
        const compare how = {"f32 differs from f64",
                             -1,
                             k,
                             "f32",
                             "f64",
                             4e-6,
                             3e-6 * top + 2e-7 * terms + 1e-9,
                             &wide.y_shape[k],
                             "only the f32 kernel is wrong"};
        if (!check_same(c, t, tr, &how, &single.y[k], &wide.y[k])) return false;
    }
    for (int i = 0; i < tr->n_x; i++) {
        if (!(j.wanted >> i & 1)) continue;
        const double top = check_biggest(&wide.dx[i]), terms = or_zero(check_biggest(&sum.dx[i]));
        const compare how = {"f32 gradient differs from f64",
                             i,
                             -1,
                             "f32",
                             "f64",
                             1e-5,
                             5e-6 * top + 4e-7 * terms + 1e-8,
                             &tr->x[i].shape,
                             "only the f32 kernels are wrong"};
        if (!check_same(c, t, tr, &how, &single.dx[i], &wide.dx[i])) return false;
    }
    return true;
}

/* Where the f64 result is finite and fits, the f32 result must be finite. */
static bool stays_finite(checker *c, tally *t, const trial *tr, const compare *where, const vec *single,
                         const vec *wide) {
    t->cases++;
    for (int64_t e = 0; e < wide->n && e < single->n; e++) {
        if (!isfinite(wide->v[e]) || fabs(wide->v[e]) > 3e38 || isfinite(single->v[e])) continue;
        return check_fail(c, t, tr, "an intermediate overflows: subtract the largest first, or split by sign",
                          "%s at element %lld: %g in f32, %g in f64", where->what, (long long)e, single->v[e],
                          wide->v[e]);
    }
    return true;
}

static bool magnitudes_of(checker *c, tally *t, const trial *tr) {
    static const double sets[][4] = {
        {88, -88, 1, -1}, {1e-40, -1e-40, 0, 1e-38}, {200, -200, 150, -1}, {1e4, -1e4, 9e3, -9e3}};
    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        const mark m = check_mark(c);
        vec x[MAX_X], g[MAX_Y];
        outcome single, wide;
        if (!check_sample(c, tr, 1, x)) return check_engine(c, t, tr, c->plain, "sampling");
        bool any = false;
        for (int i = 0; i < tr->n_x; i++) {
            if (!tr->x[i].present || tr->x[i].dtype != EBB_NONE) continue;
            const ebb_range r = check_domain(c, i);
            const bool free = c->op->n_domain == 0;
            for (int64_t e = 0; e < x[i].n; e++) {
                const double v = sets[s][(e + i) % 4];
                if (free || (v >= r.lo && v <= r.hi)) x[i].v[e] = v, any = true;
            }
            check_round_f32(&x[i]);
        }
        if (!any) continue;
        job j = {
            .e = c->plain, .t = tr, .type = EBB_F32, .x = x, .wanted = c->differentiable ? check_wanted(c, tr) : 0};
        if (!check_run(c, &j, &single) || !check_cotangents(c, &single, 3, g))
            return check_engine(c, t, tr, j.e, "the call with extreme values");
        j.g = g;
        if (j.wanted && !check_run(c, &j, &single))
            return check_engine(c, t, tr, j.e, "the gradient with extreme values");
        j.type = EBB_F64;
        if (!check_run(c, &j, &wide)) return check_engine(c, t, tr, j.e, "the call with extreme values");
        const compare out = {.what = "not finite"}, grad = {.what = "gradient not finite"};
        for (int k = 0; k < wide.n_y; k++)
            if (!stays_finite(c, t, tr, &out, &single.y[k], &wide.y[k])) return false;
        for (int i = 0; i < tr->n_x; i++)
            if (j.wanted >> i & 1 && !stays_finite(c, t, tr, &grad, &single.dx[i], &wide.dx[i])) return false;
        check_reset(c, m);
    }
    return true;
}

void check_f32(checker *c, tally *t) {
    t->dtype = "f32";
    if (!takes_float(c)) {
        check_skip(t, "no float input, or no f32 kernel");
        return;
    }
    for (int k = 0; k < c->n_main + c->n_shapes + c->n_large && !t->failed; k++) {
        const mark m = check_mark(c);
        const bool large = k >= c->n_main + c->n_shapes;
        const trial *tr = k < c->n_main ? &c->main[k]
                          : large       ? &c->large[k - c->n_main - c->n_shapes]
                                        : &c->shapes[k - c->n_main];
        if (f32_of(c, t, tr) && k < c->n_main) magnitudes_of(c, t, tr);
        check_reset(c, m);
    }
}

/* ---- NaN and Inf ----------------------------------------------------------------------------------------------------- */

/* Which outputs must show a NaN in element (i, e) of the input: those that depend on it; of a pointwise op, or a
 * reduction of one input to one number, all that are made from it, as long as the op depends on its input at all. (A choice, `where`,
 * shows only what it chose.) */
static bool must_show(const checker *c, const vec *slope, int64_t at, bool depends_somewhere) {
    if (fabs(slope->v[at]) > 1e-9) return true;
    if (!depends_somewhere || c->op->flags & EBB_INTERNAL) return false;
    for (int i = 0; i < c->sig.n_x; i++)
        if (c->sig.arg[i].dtype != EBB_NONE) return false;
    if (c->pointwise) return c->sig.n_x == 1 || c->sig.n_x == 2;
    return slope->n == 1 && c->sig.n_x == 1 && c->sig.n_y == 1 && c->sig.arg[1].ndim == 0 &&
           !check_own_shapes(c) && !c->op->view;
}

static bool poison(checker *c, tally *t, const trial *tr, ebb_dtype type, job *j, vec x[MAX_X], int i,
                   int64_t e, bool depends) {
    const mark m = check_mark(c);
    vec dir[MAX_X] = {{0, NULL}}, slope, out;
    dir[i] = check_vec(c, x[i].n);
    if (!dir[i].v) return check_engine(c, t, tr, j->e, "sampling");
    dir[i].v[e] = 1;
    j->type = c->type;
    if (!check_slope(c, check_eval_outputs, j, x, dir, tr->n_x, 1e-4, &slope))
        return check_engine(c, t, tr, j->e, "the call");
    const double kept = x[i].v[e];
    static const double odd[3] = {NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 3; k++) {
        x[i].v[e] = odd[k];
        j->type = type;
        if (!check_eval_outputs(c, j, &out)) {
            x[i].v[e] = kept;
            return check_engine(c, t, tr, j->e, k ? "the call with an infinity" : "the call with a NaN");
        }
        t->cases++;
        /* of a whole pointwise call, elements that are not made from this one are told by an input of one element only */
        const bool whole = x[i].n == 1 || !c->pointwise;
        for (int64_t r = 0; k == 0 && !(c->op->flags & EBB_SKIPS_NAN) && r < out.n; r++) {
            if (isnan(out.v[r])) continue;
            const bool own = whole || (out.n == x[i].n && r == e);
            if (!(own ? must_show(c, &slope, r, depends) : fabs(slope.v[r]) > 1e-9)) continue;
            x[i].v[e] = kept;
            return check_fail(c, t, tr,
                              "comparisons with NaN are false: write the test so that NaN takes the branch that keeps it",
                              "NaN at element %lld of input %d (%s) became %g at output element %lld",
                              (long long)e, i, check_input_name(c, i), out.v[r], (long long)r);
        }
    }
    x[i].v[e] = kept;
    check_reset(c, m);
    return true;
}

static bool special_of(checker *c, tally *t, const trial *tr, ebb_dtype type) {
    vec x[MAX_X], slope;
    if (!check_sample(c, tr, 1, x)) return check_engine(c, t, tr, c->plain, "sampling");
    job j = {.e = c->plain, .t = tr, .type = c->type, .x = x};
    for (int i = 0; i < tr->n_x; i++) {
        if (!tr->x[i].present || tr->x[i].dtype != EBB_NONE || x[i].n == 0) continue;
        vec dir[MAX_X] = {{0, NULL}};
        if (!check_noise(c, x[i].n, 77, &dir[i]) ||
            !check_slope(c, check_eval_outputs, &j, x, dir, tr->n_x, 1e-4, &slope))
            return check_engine(c, t, tr, j.e, "the call");
        const bool depends = check_biggest(&slope) > 1e-9;
        for (int64_t e = 0; e<x[i].n; e += x[i].n> 6 ? x[i].n / 6 : 1)
            if (!poison(c, t, tr, type, &j, x, i, e, depends)) return false;
    }
    return true;
}

/* A kink at NaN declares what the op makes of it. */
static bool answers_nan(const checker *c) {
    for (size_t k = 0; k < c->op->n_kinks; k++)
        for (int i = 0; i < c->op->kinks[k].n && i < 4; i++)
            if (isnan(c->op->kinks[k].x[i])) return true;
    return false;
}

void check_special(checker *c, tally *t) {
    if (answers_nan(c)) {
        check_skip(t, "it declares what it makes of NaN, as a kink");
        return;
    }
    bool any = false;
    for (int i = 0; i < c->sig.n_x; i++) any |= c->sig.arg[i].dtype == EBB_NONE;
    const bool float_out = c->sig.n_y > 0 && c->sig.arg[c->sig.n_x].dtype == EBB_NONE;
    if (!any || !float_out || !check_is_float(c->type)) {
        check_skip(t, "no float input with a float output");
        return;
    }
    for (int f = 0; f < 2; f++) {
        if (f && !has_f32(c)) break;
        t->dtype = f ? "f32" : ebb_dtype_name(c->type);
        for (int k = 0; k < c->n_main && !t->failed; k++) {
            const mark m = check_mark(c);
            special_of(c, t, &c->main[k], f ? EBB_F32 : c->type);
            check_reset(c, m);
        }
        if (t->failed) return;
    }
    t->dtype = ebb_dtype_name(c->type);
}

/* ---- kinks ----------------------------------------------------------------------------------------------------------- */

static bool kink_of(checker *c, tally *t, const ebb_kink *kink, ebb_dtype type, int flags) {
    trial tr = c->main[0];
    vec x[MAX_X], g[MAX_Y];
    outcome o;
    if (kink->attrs) {
        tr.attrs[0] = 0;
        check_say(tr.attrs, sizeof tr.attrs, "%s", kink->attrs);
    }
    for (int i = 0; i < tr.n_x; i++) {
        if (c->pointwise) tr.x[i].shape = (ebb_ints){1, {3}};
        else if (i == 0) tr.x[i].shape = (ebb_ints){1, {kink->n}};
    }
    if (!check_sample(c, &tr, 1, x)) return check_engine(c, t, &tr, c->plain, "sampling");
    for (int i = 0; i < tr.n_x && c->pointwise && i < kink->n; i++)
        for (int64_t e = 0; e < x[i].n; e++) x[i].v[e] = kink->x[i];
    for (int64_t e = 0; e < kink->n && !c->pointwise; e++) x[0].v[e] = kink->x[e];
    job j = {.e = c->plain, .t = &tr, .type = type, .x = x, .flags = flags};
    if (!check_run(c, &j, &o)) return check_engine(c, t, &tr, j.e, "the call at a kink");
    for (int k = 0; k < o.n_y; k++) {
        g[k] = check_vec(c, o.y[k].n);
        for (int64_t e = 0; g[k].v && e < g[k].n; e++)
            g[k].v[e] = c->pointwise ? 1.5 + 0.25 * (double)e : 1.5;
    }
    j.wanted = check_wanted(c, &tr);
    j.g = g;
    if (!check_run(c, &j, &o)) return check_engine(c, t, &tr, j.e, "the gradient at a kink");
    const int inputs = c->pointwise ? kink->n : 1;
    for (int i = 0; i < inputs && i < tr.n_x; i++) {
        if (!(j.wanted >> i & 1)) continue;
        vec want = check_vec(c, x[i].n);
        if (!want.v) return check_engine(c, t, &tr, j.e, "sampling");
        for (int64_t e = 0; e < want.n; e++)
            want.v[e] = c->pointwise ? kink->dx[i] * g[0].v[e] : kink->dx[e] * 1.5;
        const double eps = type == EBB_F32 ? 1e-6 : 1e-12;
        const compare how = {"gradient at a declared kink",
                             i,
                             -1,
                             "gradient",
                             "declared",
                             eps,
                             eps * 1e-3,
                             &tr.x[i].shape,
                             "the comparison of the rule includes the other side of the kink"};
        if (!check_same(c, t, &tr, &how, &o.dx[i], &want)) return false;
    }
    return true;
}

void check_kinks(checker *c, tally *t) {
    if (c->op->n_kinks == 0) {
        check_skip(t, "no kink declared");
        return;
    }
    for (size_t k = 0; k < c->op->n_kinks; k++)
        for (int f = 0; f < 3 && !t->failed; f++) { /* f64 rule, f64 fused, f32 fused */
            const mark m = check_mark(c);
            if ((f == 0 && c->op->flags & EBB_ONCE) || (f == 2 && !has_f32(c))) continue;
            t->dtype = f == 2 ? "f32" : ebb_dtype_name(c->type);
            kink_of(c, t, &c->op->kinks[k], f == 2 ? EBB_F32 : c->type, f == 0 ? EBB_CREATE_GRAPH : 0);
            check_reset(c, m);
        }
    if (!t->failed) t->dtype = ebb_dtype_name(c->type);
}
