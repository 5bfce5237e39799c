/* diagnose_numbers.c - floor 6: where a NaN or Inf begins, forward or backward; and what comes close to one. */
#include "diagnose.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- where it begins --------------------------------------------------------------------------------------------------- */

static const ebb_trace_stats *value_of(const ebb_recorder *r, int32_t tensor) {
    return tensor < 0 ? NULL : ebb__stats_or_null(r, ebb__tensor_at(&r->t, tensor)->value);
}

/* An operand has a NaN (else: a NaN or Inf). */
static bool operands_bad(const ebb_recorder *r, int32_t node, bool nan) {
    const ebb_trace_node *n = ebb__node_at(&r->t, node);
    for (int32_t k = 0; k < n->n_in; k++) {
        const ebb_trace_stats *x = value_of(r, ebb__input_at(&r->t, n->input + k)->tensor);
        if (x && (x->n_nan || (!nan && x->n_inf))) return true;
    }
    return false;
}

/* The first output with a NaN of a node whose operands have none; else: with an Inf, of operands that are finite. -1 */
static int32_t first_bad_output(const ebb_recorder *r, bool nan) {
    for (int32_t i = 0; i < (int32_t)r->t.nodes.n; i++) {
        const ebb_trace_node *n = ebb__node_at(&r->t, i);
        for (int32_t y = n->first_out; y < n->first_out + n->n_out; y++) {
            const ebb_trace_stats *s = value_of(r, y);
            if (s && (nan ? s->n_nan : s->n_inf) && !operands_bad(r, i, nan)) return y;
        }
    }
    return -1;
}

/* A leaf that has a NaN already. */
static int32_t bad_leaf(const ebb_recorder *r) {
    for (int32_t i = 0; i < (int32_t)r->t.tensors.n; i++)
        if (ebb__tensor_at(&r->t, i)->node < 0 && value_of(r, i) && value_of(r, i)->n_nan) return i;
    return -1;
}

/* The first rule that gave something that is not finite, of cotangents that are. -> its place in `events`, -1 */
static int32_t first_bad_rule(const ebb_recorder *r) {
    for (size_t i = 0; i < r->t.events.n; i++) {
        const ebb_trace_event *v = (const ebb_trace_event *)r->t.events.items + i;
        if (v->kind != EBB_TE_RULE || v->input < 0) continue;
        if (!ebb__bad(ebb__stats_or_null(r, ebb__input_at(&r->t, v->input)->grad))) continue;
        const ebb_trace_node *n = ebb__node_at(&r->t, v->node);
        bool came_in = false;
        for (int32_t y = n->first_out; y < n->first_out + n->n_out; y++)
            came_in = came_in || ebb__bad(ebb__stats_or_null(r, ebb__tensor_at(&r->t, y)->grad));
        return came_in ? -1 : (int32_t)i;
    }
    return -1;
}

/* ---- words -------------------------------------------------------------------------------------------------------------- */

static const char *advice_for(const ebb_recorder *r, int32_t node) {
    static const struct {
        const char *ops, *advice;
    } known[] = {
        {"log|log2|log10",
         "Keep what goes into the logarithm above 0: add 1e-8 or clamp it; after a softmax, use log_softmax or cross_entropy instead."},
        {"log1p", "Keep what goes into log1p above -1: clamp it."},
        {"sqrt|rsqrt|norm|std", "Keep what goes into the root above 0, 1e-8 perhaps: its slope at 0 is infinite."},
        {"div|reciprocal", "The divisor is 0 there: add a small number to it, or clamp it."},
        {"exp|expm1|exp2",
         "Keep what goes into exp below 88 (f32): subtract its largest number first, as softmax and logsumexp do."},
        {"pow", "A power of a negative number, or of 0 with a negative exponent: clamp the base above 0."},
        {"acos|asin|atanh|acosh", "Keep its operand inside its domain: clamp it a little inside the ends."},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (ebb__op_is(r, node, known[i].ops)) return known[i].advice;
    return "Keep its operands where the formula is finite: clamp them, lower the learning rate, or look at the ops before it.";
}

/* "x is -0.5, y is 0 there". */
static void say_operands(const ebb_recorder *r, int32_t node, const ebb_trace_tensor *y, int64_t flat,
                         char *buf, size_t n) {
    const ebb_trace_node *v = ebb__node_at(&r->t, node);
    size_t used = 0;
    buf[0] = 0;
    for (int32_t k = 0; k < v->n_in && used < n; k++) {
        const int32_t x = ebb__input_at(&r->t, v->input + k)->tensor;
        const int64_t at = x < 0 ? -1 : ebb__operand_place(y, flat, ebb__tensor_at(&r->t, x));
        if (at < 0 || !ebb__has_values(r, x)) continue;
        char name[300];
        used += (size_t)snprintf(buf + used, n - used, "%s%s is %g", used ? ", " : "; there ",
                                 ebb__say_tensor(r, x, name, sizeof name), ebb__value_at(r, x, at));
    }
}

/* "3 NaN and 2 Inf". */
static const char *say_bad(const ebb_trace_stats *s, char *buf, size_t n) {
    if (!s->n_inf) snprintf(buf, n, "%d NaN", s->n_nan);
    else if (!s->n_nan) snprintf(buf, n, "%d Inf", s->n_inf);
    else snprintf(buf, n, "%d NaN and %d Inf", s->n_nan, s->n_inf);
    return buf;
}

static void found_output(ebb_recorder *r, const ebb__finder *self, int32_t tensor) {
    char node[300], bad[60], place[80], there[400], cause[1000];
    const ebb_trace_tensor *y = ebb__tensor_at(&r->t, tensor);
    const ebb_trace_stats *s = value_of(r, tensor);
    ebb__say_node(r, y->node, node, sizeof node);
    say_operands(r, y->node, y, s->first_bad, there, sizeof there);
    snprintf(cause, sizeof cause,
             "%s makes %s of %d elements from operands that have no NaN; the first at %s%s.", node,
             say_bad(s, bad, sizeof bad), s->n, ebb__say_place(y, s->first_bad, place, sizeof place), there);
    ebb__found(r, self, EBB_SEVERITY_ERROR, y->node, tensor, cause, advice_for(r, y->node));
}

static void found_rule(ebb_recorder *r, const ebb__finder *self, int32_t event) {
    char node[300], bad[60], place[80], name[300], cause[1000], there[80] = "";
    const ebb_trace_event *v = (const ebb_trace_event *)r->t.events.items + event;
    const ebb_trace_input *x = ebb__input_at(&r->t, v->input);
    const ebb_trace_stats *s = ebb__stats_at(&r->t, x->grad);
    if (x->tensor < 0) return;
    if (ebb__has_values(r, x->tensor))
        snprintf(there, sizeof there, ", where it is %g", ebb__value_at(r, x->tensor, s->first_bad));
    snprintf(cause, sizeof cause,
             "Backward of %s makes %s in the gradient of %s, from a gradient that is finite; the first at %s%s.",
             ebb__say_node(r, v->node, node, sizeof node), say_bad(s, bad, sizeof bad),
             ebb__say_tensor(r, x->tensor, name, sizeof name),
             ebb__say_place(ebb__tensor_at(&r->t, x->tensor), s->first_bad, place, sizeof place), there);
    ebb__found(r, self, EBB_SEVERITY_ERROR, v->node, x->tensor, cause, advice_for(r, v->node));
}

/* ---- the finders ---------------------------------------------------------------------------------------------------------- */

void ebb__find_nan(ebb_recorder *r, const ebb__finder *self) {
    const int32_t leaf = bad_leaf(r), y = first_bad_output(r, true);
    char name[300], cause[600];
    if (leaf >= 0) {
        const ebb_trace_stats *s = value_of(r, leaf);
        const bool param = ebb__tensor_at(&r->t, leaf)->kind == EBB_TT_PARAM;
        snprintf(cause, sizeof cause, "%s has %d NaN among %d elements before this step begins.",
                 ebb__say_tensor(r, leaf, name, sizeof name), s->n_nan, s->n);
        ebb__found(r, self, EBB_SEVERITY_ERROR, -1, leaf, cause,
                   param ? "An earlier step spoilt it: record the step before, or restart with a lower learning rate."
                         : "Look at the data: a NaN that goes in comes out.");
        return;
    }
    if (y >= 0) {
        found_output(r, self, y);
        return;
    }
    const int32_t event = first_bad_rule(r);
    if (event >= 0) found_rule(r, self, event);
}

/* An Inf is no trouble by itself: masks are made of them. It is when the loss or a gradient is not finite. */
void ebb__find_inf(ebb_recorder *r, const ebb__finder *self) {
    const int32_t y = first_bad_output(r, false);
    if (y < 0) return;
    bool spoilt = false;
    for (int32_t i = 0; i < (int32_t)r->t.tensors.n && !spoilt; i++)
        spoilt = ebb__bad(ebb__stats_or_null(r, ebb__tensor_at(&r->t, i)->grad));
    for (size_t i = 0; i < r->t.events.n && !spoilt; i++) {
        const ebb_trace_event *v = (const ebb_trace_event *)r->t.events.items + i;
        spoilt = v->kind == EBB_TE_BACKWARD_BEGIN && ebb__bad(value_of(r, v->tensor));
    }
    if (spoilt) found_output(r, self, y);
}

/* The node that made a tensor, through ops that only move its elements; -1. */
static int32_t maker(const ebb_recorder *r, int32_t tensor) {
    int32_t node = tensor < 0 ? -1 : ebb__tensor_at(&r->t, tensor)->node;
    while (node >= 0 &&
           ebb__op_is(r, node,
                      "reshape|transpose|permute|select|narrow|contiguous|gather|squeeze|unsqueeze|index_select")) {
        const int32_t x = ebb__input_at(&r->t, ebb__node_at(&r->t, node)->input)->tensor;
        node = x < 0 ? -1 : ebb__tensor_at(&r->t, x)->node;
    }
    return node;
}

void ebb__find_overflow(ebb_recorder *r, const ebb__finder *self) {
    for (int32_t i = 0; i < (int32_t)r->t.nodes.n; i++) {
        const ebb_trace_node *n = ebb__node_at(&r->t, i);
        const int32_t x = n->n_in ? ebb__input_at(&r->t, n->input)->tensor : -1;
        const ebb_trace_stats *s = value_of(r, x);
        if (!s || !n->on_tape) continue;
        char node[300], from[300], cause[800];
        const float most = ebb__tensor_at(&r->t, x)->dtype == EBB_F64 ? 700 : 80;
        const int32_t made = maker(r, x);
        if (ebb__op_is(r, i, "exp") && s->max > most) {
            snprintf(cause, sizeof cause, "%s is given numbers up to %g; exp overflows at %d.",
                     ebb__say_node(r, i, node, sizeof node), (double)s->max, most > 80 ? 709 : 88);
            ebb__found(r, self, EBB_SEVERITY_WARNING, i, x, cause,
                       "Subtract the largest number of each row first, or use softmax, log_softmax or logsumexp, which do.");
            return;
        }
        if (ebb__op_is(r, i, "log") && s->n_zero && made >= 0 && ebb__op_is(r, made, "softmax|sigmoid|div|exp")) {
            snprintf(cause, sizeof cause, "%s is given %d exact zeros of %d, from %s: their logarithm is -Inf.",
                     ebb__say_node(r, i, node, sizeof node), s->n_zero, s->n,
                     ebb__say_node(r, made, from, sizeof from));
            ebb__found(r, self, EBB_SEVERITY_WARNING, i, x, cause,
                       "Use log_softmax, logsigmoid or cross_entropy: they never make the zero.");
            return;
        }
    }
}
