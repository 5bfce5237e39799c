/* report.c - floor 5: what a failed check says: where, how far off, a guess at the cause, how to see it again. */
#include "check.h"
#include <stdarg.h>
#include <stdio.h>

static void say_list(char *buf, size_t n, const char *format, va_list args) {
    const size_t used = strlen(buf);
    if (used + 1 < n) vsnprintf(buf + used, n - used, format, args);
}

void check_say(char *buf, size_t n, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say_list(buf, n, format, args);
    va_end(args);
}

const char *check_input_name(const checker *c, int i) {
    const ebb_sig_operand *a = check_arg(c, i);
    return a ? a->name : "";
}

static void say_shape(char *buf, size_t n, const ebb_ints *s) {
    check_say(buf, n, "[");
    for (int d = 0; d < s->n; d++) check_say(buf, n, d ? ",%lld" : "%lld", (long long)s->v[d]);
    check_say(buf, n, "]");
}

/* ", f64, shape [3,4] [4], dim=1" */
static void say_trial(char *buf, size_t n, const tally *t, const trial *tr) {
    check_say(buf, n, ", %s", t->dtype);
    if (!tr) return;
    check_say(buf, n, ", shape");
    for (int i = 0; i < tr->n_x; i++) {
        check_say(buf, n, " ");
        if (tr->x[i].present) say_shape(buf, n, &tr->x[i].shape);
        else check_say(buf, n, "-");
    }
    if (tr->attrs[0]) check_say(buf, n, ", %s", tr->attrs);
}

static void say_end(const checker *c, tally *t, const char *guess) {
    if (guess && *guess) check_say(t->message, sizeof t->message, "\nguess: %s", guess);
    check_say(t->message, sizeof t->message, "\nreplay: ebb check %s --only %s --seed %llu", c->op->name,
              t->check, (unsigned long long)c->seed);
}

/* The first failure of a check is the one that is told. */
bool check_fail(checker *c, tally *t, const trial *tr, const char *guess, const char *format, ...) {
    if (t->failed) return false;
    t->failed = true;
    t->message[0] = 0;
    check_say(t->message, sizeof t->message, "%s: ", c->op->name);
    va_list args;
    va_start(args, format);
    say_list(t->message, sizeof t->message, format, args);
    va_end(args);
    say_trial(t->message, sizeof t->message, t, tr);
    say_end(c, t, guess);
    return false;
}

bool check_engine(checker *c, tally *t, const trial *tr, ebb *e, const char *doing) {
    char words[700] = "";
    check_say(words, sizeof words, "%s", c->short_of_memory ? "out of memory" : ebb_error(e));
    if (!words[0]) check_say(words, sizeof words, "no reason was given");
    ebb_error_clear(e);
    return check_fail(c, t, tr, NULL, "%s failed (%s)", doing, words);
}

void check_skip(tally *t, const char *why) {
    t->skipped = true;
    t->message[0] = 0;
    check_say(t->message, sizeof t->message, "%s", why);
}

bool check_bits_equal(const vec *a, const vec *b) {
    if (a->n != b->n) return false;
    for (int64_t k = 0; k < a->n; k++)
        if (memcmp(&a->v[k], &b->v[k], sizeof(double)) && !(isnan(a->v[k]) && isnan(b->v[k]))) return false;
    return true;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------- */

static double allowed(const compare *how, double got, double want) {
    return how->atol + how->rtol * fmax(fabs(got), fabs(want));
}

/* How many times too far apart; below 1 is fine. */
static double error_of(const compare *how, double got, double want) {
    if (got == want || (isnan(got) && isnan(want))) return 0;
    const double d = fabs(got - want), a = allowed(how, got, want);
    if (!(d <= 1e300)) return (double)INFINITY;
    return a > 0 ? d / a : (double)INFINITY;
}

static void say_index(char *buf, size_t n, const compare *how, int64_t flat) {
    if (!how->shape || how->shape->n == 0) {
        check_say(buf, n, how->shape ? "[]" : "%lld", (long long)flat);
        return;
    }
    ebb_ints at = *how->shape;
    for (int d = at.n - 1; d >= 0; d--) {
        const int64_t size = how->shape->v[d] > 0 ? how->shape->v[d] : 1;
        at.v[d] = flat % size;
        flat /= size;
    }
    say_shape(buf, n, &at);
}

static bool all_close(const vec *got, const vec *want, const compare *how, double k, double shift) {
    for (int64_t i = 0; i < got->n; i++)
        if (!(error_of(how, got->v[i], k * want->v[i] + shift) < 1)) return false;
    return true;
}

static bool transposed(const vec *got, const vec *want, const compare *how) {
    if (!how->shape || how->shape->n < 2) return false;
    const int64_t rows = how->shape->v[how->shape->n - 2], cols = how->shape->v[how->shape->n - 1],
                  item = rows * cols;
    if (rows < 2 || cols < 2) return false;
    for (int64_t i = 0; i < got->n; i++) {
        const int64_t at = i % item, row = at / cols, col = at % cols;
        if (!(error_of(how, got->v[i],
                       want->v[i - at + (rows == cols ? col * cols + row : (at % rows) * cols + at / rows)]) < 1))
            return false;
    }
    return true;
}

static const char *guess_of(const vec *got, const vec *want, const compare *how, char *buf, size_t n) {
    const char *g = how->got, *w = how->want;
    if (how->hint && how->rtol < 1e-11)
        return how->hint; /* both sides are the engine's: what differs between them says more */
    if (check_biggest(want) > 0 && all_close(got, want, how, -1, 0)) return "opposite sign";
    if (got->n > 1 && transposed(got, want, how)) return "transposed: rows and columns are exchanged";
    int64_t top = 0, bad = 0;
    for (int64_t i = 0; i < got->n; i++) {
        if (fabs(want->v[i]) > fabs(want->v[top])) top = i;
        bad += isnan(got->v[i]) && !isnan(want->v[i]);
    }
    if (bad) {
        check_say(buf, n, "%lld of %lld elements are NaN", (long long)bad, (long long)got->n);
        return buf;
    }
    if (check_biggest(got) == 0) return how->hint ? how->hint : "everything is zero: a term is missing";
    const double k = got->v[top] / want->v[top], gap = got->v[top] - want->v[top];
    if (got->n > 1 && isfinite(k) && k != 0 && all_close(got, want, how, k, 0)) {
        if (fabs(k) < 1)
            check_say(buf, n, "a factor %.6g is missing (%s/%s = %.6g everywhere)", 1 / k, g, w, k);
        else check_say(buf, n, "a factor %.6g too much (%s/%s = %.6g everywhere)", k, g, w, k);
        return buf;
    }
    if (how->hint) return how->hint;
    if (got->n > 1 && isfinite(gap) && all_close(got, want, how, 1, gap)) {
        check_say(buf, n, "off by the constant %.6g everywhere", gap);
        return buf;
    }
    bad = 0;
    for (int64_t i = 0; i < got->n; i++) bad += !(error_of(how, got->v[i], want->v[i]) < 1);
    if (bad == 1 && got->n > 2) return "a single element is wrong: an edge of the loop?";
    return NULL;
}

bool check_same(checker *c, tally *t, const trial *tr, const compare *how, const vec *got, const vec *want) {
    t->cases++;
    if (got->n != want->n)
        return check_fail(c, t, tr, NULL, "%s: %lld elements where %lld were expected", how->what,
                          (long long)got->n, (long long)want->n);
    int64_t worst[3] = {-1, -1, -1};
    double far[3] = {0, 0, 0};
    for (int64_t i = 0; i < got->n; i++) {
        double e = error_of(how, got->v[i], want->v[i]);
        if (!(e > far[2])) continue;
        int at = 2;
        for (; at > 0 && e > far[at - 1]; at--) {
            far[at] = far[at - 1];
            worst[at] = worst[at - 1];
        }
        far[at] = e;
        worst[at] = i;
    }
    if (far[0] <= 1) {
        if (far[0] > t->margin) t->margin = far[0];
        return true;
    }
    if (t->failed) return false;
    t->failed = true;
    t->margin = far[0];
    char *m = t->message, guess[200] = "";
    const size_t n = sizeof t->message;
    m[0] = 0;
    check_say(m, n, "%s: %s", c->op->name, how->what);
    if (how->input >= 0) check_say(m, n, " in input %d (%s)", how->input, check_input_name(c, how->input));
    if (how->output >= 0) check_say(m, n, " in output %d", how->output);
    say_trial(m, n, t, tr);
    check_say(m, n, "\n    %-14s %-22s %-22s %s", "element", how->got, how->want, "allowed difference");
    for (int k = 0; k < 3 && worst[k] >= 0; k++) {
        char index[64] = "";
        say_index(index, sizeof index, how, worst[k]);
        const double a = got->v[worst[k]], b = want->v[worst[k]];
        check_say(m, n, "\n    %-14s %-22.15g %-22.15g %.2g", index, a, b, allowed(how, a, b));
    }
    say_end(c, t, guess_of(got, want, how, guess, sizeof guess));
    return false;
}
