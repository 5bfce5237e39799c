/* derivative.c - floor 6: the derivative of one op at given inputs, by its rule and by differences.
 *
 * The function that is differentiated is the sum of seed . y over the op's outputs, with fixed random seeds. Differences are central with one
 * step of Richardson's, as the verifier makes them: (4 D(h/2) - D(h)) / 3, and what may differ is its 1e-7 + 1e-5 max(|rule|, |difference|).
 *
 * At a kink neither number means much, so both are taken beside it. An operand within ROOM of a kink that the op declares for a single number
 * (relu at 0) is moved to ROOM from it, on the side where it is. Ties (max, pooling) are found by their comparison's failing: then every float
 * operand is moved by a fixed random part of ROOM, which leaves no ties, and all is done again with small steps; a rule that is wrong fails there
 * too. Where the two differences disagree, as next to a pole, the step is made smaller up to three times. */
#include <ebb/op.h>
#include <ebb/view.h>
#include <stdio.h>

enum { MAX_Y = 8, TRIES = 4 };
#define ROOM 2e-3

typedef struct trial {
    ebb *e;
    const char *op, *attrs;
    int n_x, which, n_y;
    ebb_tensor *x[EBB_MAX_OPERANDS]; /* copies: f64 where they were floats */
    ebb_tensor *seed[MAX_Y];         /* NULL: that output has no derivative */
    double step;                     /* of the differences, for numbers up to 1 */
} trial;

/* Numbers in [0,1), the same for the same k. Steele, Lea, Flood, 2014. */
static double uniform(uint64_t k) {
    uint64_t z = (k + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static bool floats(const ebb_tensor *t) {
    return t && (ebb_tensor_dtype(t) == EBB_F32 || ebb_tensor_dtype(t) == EBB_F64);
}

static ebb_ints shape_of(const ebb_tensor *t) {
    ebb_ints s = {ebb_ndim(t), {0}};
    for (int32_t d = 0; d < s.n; d++) s.v[d] = ebb_size(t, d);
    return s;
}

/* ---- the copies ------------------------------------------------------------------------------------------------------ */

static double beside_kinks(const ebb_op *op, int operand, double x) {
    for (size_t k = 0; k < op->n_kinks && !operand; k++) {
        const double d = x - op->kinks[k].x[0];
        if (op->kinks[k].n == 1 && fabs(d) < ROOM) x = op->kinks[k].x[0] + (d < 0 ? -ROOM : ROOM);
    }
    return x;
}

/* In f64; off: how far elements are moved at most, of their size. */
static ebb_tensor *copy_of(ebb *e, const ebb_op *op, int operand, const ebb_tensor *x, double off) {
    ebb_tensor *t = ebb_tensor_new(e, EBB_F64, shape_of(x), NULL);
    double *v = (double *)ebb_data_mut(t);
    for (int64_t k = 0; v && k < ebb_numel(t); k++) {
        v[k] = beside_kinks(op, operand, ebb_at(x, k));
        v[k] += off * fmax(1, fabs(v[k])) * (2 * uniform((uint64_t)k + (uint64_t)operand * 7919) - 1);
    }
    return t;
}

/* ---- the two derivatives ------------------------------------------------------------------------------------------ */

static int call(const trial *t, ebb_tensor *y[MAX_Y]) {
    const int n = ebb_call_named(t->e, t->op, t->n_x, t->x, t->attrs, MAX_Y, y);
    return n > MAX_Y ? MAX_Y : n;
}

/* By the rule; belongs to the scope. */
static ebb_tensor *by_rule(trial *t) {
    ebb_tensor *y[MAX_Y], *out[MAX_Y], *seeds[MAX_Y], *g = NULL;
    int n = 0;
    if (ebb_requires_grad(t->x[t->which], true) != EBB_OK) return NULL;
    t->n_y = call(t, y);
    for (int j = 0; j < t->n_y; j++) {
        if (!ebb_needs_grad(y[j])) continue;
        t->seed[j] = ebb_tensor_new(t->e, ebb_tensor_dtype(y[j]), shape_of(y[j]), NULL);
        for (int64_t k = 0; t->seed[j] && k < ebb_numel(y[j]); k++) {
            const double u = 2 * uniform((uint64_t)k * MAX_Y + (uint64_t)j) - 1, v = u < 0 ? u - 0.5 : u + 0.5;
            if (ebb_tensor_dtype(y[j]) == EBB_F64) ((double *)ebb_data_mut(t->seed[j]))[k] = v;
            else ((float *)ebb_data_mut(t->seed[j]))[k] = (float)v;
        }
        out[n] = y[j];
        seeds[n++] = t->seed[j];
    }
    if (t->n_y >= 0 && !n)
        ebb_fail(t->e, EBB_E_GRAPH, "ebb_derivative_check: %s has no rule for operand %d", t->op, t->which);
    if (n) ebb_grad(t->e, n, out, seeds, 1, &t->x[t->which], EBB_ALLOW_UNUSED, &g);
    if (n && !g && !ebb_failed(t->e)) g = ebb_tensor_new(t->e, EBB_F64, shape_of(t->x[t->which]), NULL);
    return g;
}

/* The outputs with operand `which` as v with v[k] + h, and with v[k] - h: (seed . their difference) / 2h. */
static double difference(const trial *t, int64_t k, double h) {
    ebb_tensor *y[2][MAX_Y];
    double *v = (double *)ebb_data_mut(t->x[t->which]), sum = 0;
    ebb_scope *s = ebb_begin(t->e);
    const double at = v ? v[k] : 0, up = at + h, down = at - h;
    for (int side = 0; side < 2 && v; side++) {
        v[k] = side ? down : up;
        call(t, y[side]);
    }
    if (v) v[k] = at;
    for (int j = 0; j < t->n_y && !ebb_failed(t->e); j++)
        for (int64_t i = 0; t->seed[j] && i < ebb_numel(y[0][j]); i++)
            sum += ebb_at(t->seed[j], i) * (ebb_at(y[0][j], i) - ebb_at(y[1][j], i));
    ebb_end(s);
    return sum / (up - down);
}

static double by_differences(const trial *t, int64_t k) {
    double h = t->step * fmax(1, fabs(ebb_at(t->x[t->which], k))), slope = NAN;
    for (int n = 0; n < TRIES && !ebb_failed(t->e); n++, h /= 16) {
        const double coarse = difference(t, k, h), fine = difference(t, k, h / 2);
        slope = (4 * fine - coarse) / 3;
        if (fabs(fine - coarse) <= 1e-6 + 1e-4 * fabs(fine)) break;
    }
    return slope;
}

/* ---- the check --------------------------------------------------------------------------------------------------------- */

/* -> how many elements were compared, -1 on error; *passed: all of them agree */
static int compare(trial *t, int max, ebb_derivative *out, bool *passed) {
    const ebb_tensor *g = by_rule(t);
    *passed = true;
    if (!g) return -1;
    const int64_t n = ebb_numel(g);
    const int count = n < max ? (int)n : max;
    ebb_requires_grad(t->x[t->which], false);
    for (int c = 0; c < count; c++) {
        const int64_t k = c * (n / count) + c * (n % count) / count;
        const double analytic = ebb_at(g, k), numeric = by_differences(t, k),
                     allowed = 1e-7 + 1e-5 * fmax(fabs(analytic), fabs(numeric));
        out[c] = (ebb_derivative){k, analytic, numeric, allowed, fabs(analytic - numeric) <= allowed};
        *passed = *passed && out[c].passed;
    }
    return ebb_failed(t->e) ? -1 : count;
}

/* One comparison, in a scope of its own. */
static int attempt(trial t, const ebb_op *op, ebb_tensor *const *x, double off, int max, ebb_derivative *out,
                   bool *passed) {
    ebb_scope *s = ebb_begin(t.e);
    for (int k = 0; k < t.n_x; k++) t.x[k] = floats(x[k]) ? copy_of(t.e, op, k, x[k], off) : x[k];
    const int count = compare(&t, max, out, passed);
    ebb_end(s);
    return count;
}

int ebb_derivative_check(ebb *e, const char *op, const char *attrs, int n_x, ebb_tensor *const *x, int i,
                         int max, ebb_derivative *out) {
    char text[1024];
    const ebb_op *d = ebb_op_find(e, op);
    if (!e || ebb_failed(e)) return -1;
    if (!d) {
        const char *near = op ? ebb_op_nearest(e, op) : NULL;
        return ebb_fail(e, EBB_E_NAME,
                        near ? "ebb_derivative_check: no op is called %s; did you mean %s?"
                             : "ebb_derivative_check: no op is called %s",
                        op ? op : "NULL", near),
               -1;
    }
    if (!x || !out || n_x > EBB_MAX_OPERANDS || i < 0 || i >= n_x || max < 1)
        return ebb_fail(e, EBB_E_ARG,
                        "ebb_derivative_check: %s of %d operands, by operand %d, at %d elements: something is missing",
                        op, n_x, i, max),
               -1;
    if (!floats(x[i])) {
        char what[160];
        return ebb_fail(e, EBB_E_DTYPE,
                        "ebb_derivative_check: operand %d of %s is %s: only floats have a derivative", i, op,
                        x[i] ? ebb_describe(x[i], what, sizeof what) : "absent"),
               -1;
    }
    /* a random op draws the same numbers each time */
    const bool keyed = (d->flags & EBB_RANDOM) && !(attrs && strstr(attrs, "key="));
    snprintf(text, sizeof text, keyed ? "%s key=1" : "%s", attrs ? attrs : "");
    const trial plain = {.e = e, .op = op, .attrs = text, .n_x = n_x, .which = i, .step = 1e-4};
    bool passed;
    const int count = attempt(plain, d, x, 0, max, out, &passed);
    if (count <= 0 || passed) return count;
    trial apart = plain;
    apart.step = 1e-6;
    const size_t bytes = (size_t)count * sizeof *out;
    ebb_derivative *again = (ebb_derivative *)ebb_memory_get(e, bytes);
    if (!again) return -1;
    if (attempt(apart, d, x, ROOM, count, again, &passed) == count && passed) memcpy(out, again, bytes);
    ebb_memory_put(e, again, bytes);
    return ebb_failed(e) ? -1 : count;
}
