/* nan_guard.c - floor 5: probe nan_guard: stops at the first op, forward or backward, that makes a NaN or Inf.
 *
 * "Makes": an output is bad and no input is. An op that only hands on what it was given is passed over, so the one that
 * is named is where it began. With inf=0 only NaN is bad, and a NaN made of Infs counts.
 *
 * Backward is judged rule by rule, not op by op inside a rule: a rule may make an Inf that it then masks. A cotangent
 * that is bad although every rule before gave good ones was spoilt by a sum, a hook or the seed. */
#include <ebb/plugin.h>
#include <float.h>
#include <stdarg.h>
#include <stdio.h>

typedef struct guard_attrs {
    bool inf, inputs;
} guard_attrs;

static const ebb_attr guard_table[] = {
    EBB_ATTR(EBB_A_BOOL, guard_attrs, inf, "1", "Stops at Inf too, not only at NaN."),
    EBB_ATTR(EBB_A_BOOL, guard_attrs, inputs, "0",
             "Stops at an op that reads a NaN or Inf which no op made: bad data."),
};

typedef struct guard_state {
    bool backward; /* between EBB_EV_BACKWARD_BEGIN and _END */
    bool known;    /* a bad cotangent of this backward came from bad values that were there before */
} guard_state;

/* ---- scanning --------------------------------------------------------------------------------------------------- */

/* A float is NaN or Inf when its bits without the sign reach those of Inf, NaN when they pass them. Adding what lacks
 * to the sign bit tells: and, add, or, which vectorise everywhere. Blocks, so that a bad value ends the search early. */
enum { BLOCK = 4096 };

#define BAD_RUN(name, T, U, infinity)                                                                        \
    static bool name(const T *x, int64_t n, int64_t step, bool inf) {                                        \
        const U sign = (U)1 << (8 * sizeof(U) - 1), lack = sign - (infinity + !inf);                         \
        for (int64_t at = 0; at < n; at += BLOCK) {                                                          \
            const int64_t end = n - at < BLOCK ? n : at + BLOCK;                                             \
            U seen = 0, u;                                                                                   \
            if (step == 1)                                                                                   \
                for (int64_t i = at; i < end; i++) {                                                         \
                    memcpy(&u, x + i, sizeof u);                                                             \
                    seen |= (u & ~sign) + lack;                                                              \
                }                                                                                            \
            else                                                                                             \
                for (int64_t i = at; i < end; i++) {                                                         \
                    memcpy(&u, x + i * step, sizeof u);                                                      \
                    seen |= (u & ~sign) + lack;                                                              \
                }                                                                                            \
            if (seen & sign) return true;                                                                    \
        }                                                                                                    \
        return false;                                                                                        \
    }

BAD_RUN(bad_run_f32, float, uint32_t, 0x7f800000u)
BAD_RUN(bad_run_f64, double, uint64_t, UINT64_C(0x7ff0000000000000))

/* Walks a tensor's elements as runs along the last dim, or as one run when they lie together. */
typedef struct runs {
    ebb_info t;
    int64_t n, step;          /* elements of a run, and from one to the next */
    int64_t at[EBB_MAX_DIMS]; /* where the next run is */
    int64_t offset;
    bool done;
} runs;

static runs runs_of(const ebb_tensor *t) {
    runs r = {.n = 1, .step = 1};
    ebb_tensor_info(t, &r.t);
    int64_t next = 1;
    bool together = true;
    for (int32_t d = r.t.ndim - 1; d >= 0; next *= r.t.shape[d--])
        together &= r.t.shape[d] == 1 || r.t.stride[d] == next;
    if (together) {
        r.n = r.t.numel;
        r.t.ndim = 0;
    } else {
        r.t.ndim--;
        r.n = r.t.shape[r.t.ndim];
        r.step = r.t.stride[r.t.ndim];
    }
    r.done = r.t.numel == 0;
    return r;
}

/* -> the offset of the run that was next; false at the end. */
static bool runs_next(runs *r, int64_t *offset) {
    if (r->done) return false;
    *offset = r->offset;
    int32_t d = r->t.ndim - 1;
    for (; d >= 0; d--) {
        r->offset += r->t.stride[d];
        if (++r->at[d] < r->t.shape[d]) return true;
        r->offset -= r->at[d] * r->t.stride[d];
        r->at[d] = 0;
    }
    r->done = true;
    return true;
}

static bool is_bad(const ebb_tensor *t, bool inf) {
    if (!t) return false;
    const ebb_dtype dtype = ebb_tensor_dtype(t);
    if (dtype != EBB_F32 && dtype != EBB_F64) return false;
    runs r = runs_of(t);
    for (int64_t at; runs_next(&r, &at);)
        if (dtype == EBB_F32 ? bad_run_f32((const float *)r.t.data + at, r.n, r.step, inf)
                             : bad_run_f64((const double *)r.t.data + at, r.n, r.step, inf))
            return true;
    return false;
}

static bool any_bad(int32_t n, ebb_tensor *const *t, bool inf) {
    for (int32_t i = 0; i < n; i++)
        if (is_bad(t[i], inf)) return true;
    return false;
}

/* ---- the report --------------------------------------------------------------------------------------------------- */

typedef struct text {
    char s[1600];
    size_t n;
} text;

static void EBB_PRINTF(2, 3) say(text *t, const char *format, ...) {
    // clang-format on
    // format.py
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->s + t->n, sizeof t->s - t->n, format, args);
    va_end(args);
    if (n > 0) t->n = t->n + (size_t)n < sizeof t->s ? t->n + (size_t)n : sizeof t->s - 1;
}

/* A line of its own: `input 0 h: f32[2,3], 2 NaN, 1 Inf, the others -1 .. 4`. Nothing for NULL. */
static void say_tensor(text *to, const char *role, int32_t i, const ebb_tensor *t) {
    if (!t) return;
    char what[128];
    say(to, "\n  %s", role);
    if (i >= 0) say(to, " %d", i);
    say(to, " %s", ebb_describe(t, what, sizeof what));
    const ebb_dtype dtype = ebb_tensor_dtype(t);
    if (dtype != EBB_F32 && dtype != EBB_F64) return;
    runs r = runs_of(t);
    int64_t nans = 0, infs = 0, finite = 0;
    double lo = DBL_MAX, hi = -DBL_MAX;
    for (int64_t at; runs_next(&r, &at);)
        for (int64_t k = 0; k < r.n; k++) {
            const int64_t j = at + k * r.step;
            const double x =
                dtype == EBB_F32 ? (double)((const float *)r.t.data)[j] : ((const double *)r.t.data)[j];
            nans += isnan(x) != 0;
            infs += isinf(x) != 0;
            if (!isfinite(x)) continue;
            finite++;
            lo = x < lo ? x : lo;
            hi = x > hi ? x : hi;
        }
    if (nans) say(to, ", %lld NaN", (long long)nans);
    if (infs) say(to, ", %lld Inf", (long long)infs);
    if (finite) say(to, nans || infs ? ", the others %.6g .. %.6g" : ", %.6g .. %.6g", lo, hi);
    if (!nans && !infs && !finite) say(to, ", no elements");
}

static void say_tensors(text *to, const char *role, int32_t n, ebb_tensor *const *t) {
    for (int32_t i = 0; i < n; i++) say_tensor(to, role, i, t[i]);
}

static void say_where(text *to, const ebb_event *ev) {
    say(to, "nan_guard: %s%s", ev->kind == EBB_EV_RULE ? "backward of " : "", ev->op->name);
    if (ev->region && *ev->region) say(to, " in %s", ev->region);
}

static ebb_status stop(ebb *e, const text *t) { return ebb_fail(e, EBB_E_VALUE, "%s", t->s); }

/* What the op computes, and the one piece of advice that holds for every op. */
static ebb_status stop_at_op(ebb *e, text *t, const ebb_op *op) {
    if (op->math) say(t, "\n  %s: %s", op->name, op->math);
    say(t, "\n  keep its inputs where this is finite: clamp them, lower the learning rate, or look at the op before");
    return stop(e, t);
}

/* ---- events --------------------------------------------------------------------------------------------------------- */

static const char *kind_of(const guard_attrs *a) { return a->inf ? "a NaN or Inf" : "a NaN"; }

static ebb_status on_op(ebb *e, const ebb_event *ev, const guard_attrs *a) {
    text t = {.n = 0};
    if (a->inputs)
        for (int32_t i = 0; i < ev->n_x; i++)
            if (ev->x[i] && ebb_node_of(ev->x[i]) < 0 && is_bad(ev->x[i], a->inf)) {
                say_where(&t, ev);
                say(&t, " reads %s that no op made: look at where this comes from", kind_of(a));
                say_tensor(&t, "input", i, ev->x[i]);
                return stop(e, &t);
            }
    if (!any_bad(ev->n_y, ev->y, a->inf) || any_bad(ev->n_x, ev->x, a->inf)) return EBB_OK;
    say_where(&t, ev);
    say(&t, " made %s", kind_of(a));
    say_tensors(&t, "output", ev->n_y, ev->y);
    say_tensors(&t, "input", ev->n_x, ev->x);
    return stop_at_op(e, &t, ev->op);
}

static ebb_status on_rule(ebb *e, const ebb_event *ev, const guard_attrs *a, guard_state *s) {
    text t = {.n = 0};
    if (s->known) return EBB_OK;
    if (is_bad(ev->g, a->inf)) {
        say_where(&t, ev);
        say(&t, " is given %s, though every rule before it gave none: from the seed, a hook, or contributions that overflow when added",
            kind_of(a));
        say_tensor(&t, "gradient in", -1, ev->g);
        return stop(e, &t);
    }
    if (!is_bad(ev->dx, a->inf)) return EBB_OK;
    if (any_bad(ev->n_x, ev->x, a->inf) || any_bad(ev->n_y, ev->y, a->inf)) {
        s->known = true;
        return EBB_OK;
    }
    say_where(&t, ev);
    say(&t, " made %s in the gradient of input %d", kind_of(a), ev->which);
    say_tensor(&t, "gradient out", -1, ev->dx);
    say_tensor(&t, "gradient in", -1, ev->g);
    say_tensors(&t, "input", ev->n_x, ev->x);
    say_tensors(&t, "output", ev->n_y, ev->y);
    return stop_at_op(e, &t, ev->op);
}

static ebb_status on_leaf(ebb *e, const ebb_event *ev, const guard_attrs *a, const guard_state *s) {
    if (s->known || !is_bad(ev->dx, a->inf)) return EBB_OK;
    text t = {.n = 0};
    say(&t,
        "nan_guard: the gradient of the leaf \"%s\" has %s, though every rule gave none: from the seed, a hook, "
        "or contributions that overflow when added",
        ebb_name_of(ev->x[0]), kind_of(a));
    say_tensor(&t, "leaf", -1, ev->x[0]);
    say_tensor(&t, "gradient", -1, ev->dx);
    return stop(e, &t);
}

static ebb_status guard_on(ebb *e, const ebb_event *ev, const void *attrs, void *state) {
    const guard_attrs *a = (const guard_attrs *)attrs;
    guard_state *s = (guard_state *)state;
    ebb_status r = EBB_OK;
    switch (ev->kind) {
    case EBB_EV_OP: return s->backward ? EBB_OK : on_op(e, ev, a);
    case EBB_EV_RULE: r = on_rule(e, ev, a, s); break;
    case EBB_EV_LEAF_GRAD: r = on_leaf(e, ev, a, s); break;
    case EBB_EV_BACKWARD_BEGIN:
        *s = (guard_state){.backward = true, .known = is_bad(ev->y[0], a->inf)};
        break;
    case EBB_EV_BACKWARD_END: s->backward = false; break;
    default: break;
    }
    if (r != EBB_OK) s->backward = false; /* this backward ends here */
    return r;
}

static const ebb_probe_decl guard = {
    .size = sizeof(ebb_probe_decl),
    .name = "nan_guard",
    .doc = "Stops at the first op, forward or backward, that makes a NaN or Inf from inputs that have none, and names it.",
    .attrs = EBB_ATTRS(guard_attrs, guard_table),
    .state_size = sizeof(guard_state),
    .events = 1u << EBB_EV_OP | 1u << EBB_EV_RULE | 1u << EBB_EV_BACKWARD_BEGIN | 1u << EBB_EV_BACKWARD_END |
              1u << EBB_EV_LEAF_GRAD,
    .on = guard_on,
};

EBB_PLUGIN_OF(nan_guard, .doc = "Finds where a NaN or Inf begins.", .probes = EBB_LIST(ebb_probe_decl, &guard));
