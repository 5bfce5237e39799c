/* diagnose_training.c - floor 6: what keeps a model from learning: gradients that are not zeroed, absent, too small or too large; units that are off. */
#include "diagnose.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RECENT = 5 };

static bool happened(const ebb_recorder *r, int kind) {
    for (size_t i = 0; i < r->t.events.n; i++)
        if (((const ebb_trace_event *)r->t.events.items + i)->kind == kind) return true;
    return false;
}

static const ebb_trace_stats *grad_of(const ebb_recorder *r, int32_t tensor) {
    return ebb__stats_or_null(r, ebb__tensor_at(&r->t, tensor)->grad);
}
static bool is_param(const ebb_recorder *r, int32_t tensor) {
    return ebb__tensor_at(&r->t, tensor)->kind == EBB_TT_PARAM;
}

/* ---- gradients that are there, or not ---------------------------------------------------------------------------------- */

void ebb__find_not_zeroed(ebb_recorder *r, const ebb__finder *self) {
    char name[300], cause[600];
    int32_t worst = -1, count = 0;
    if (!happened(r, EBB_TE_STEP)) return; /* it is being added up on purpose */
    for (int32_t i = 0; i < (int32_t)r->seen.n; i++) {
        const ebb_trace_stats *old = ebb__stats_or_null(r, ebb__seen_at(r, i)->before), *now = grad_of(r, i);
        if (!old || !now || !(old->norm > 0)) continue;
        count++;
        if (worst < 0 || old->norm > ebb__stats_at(&r->t, ebb__seen_at(r, worst)->before)->norm) worst = i;
    }
    if (worst < 0) return;
    snprintf(cause, sizeof cause,
             "Before backward, .grad of %s held a gradient of norm %.4g already; now it is %.4g, the sum of both, and the optimizer stepped by "
             "that. %d tensor%s so.",
             ebb__say_tensor(r, worst, name, sizeof name),
             (double)ebb__stats_at(&r->t, ebb__seen_at(r, worst)->before)->norm,
             (double)grad_of(r, worst)->norm, count, count == 1 ? " is" : "s are");
    ebb__found(r, self, EBB_SEVERITY_WARNING, -1, worst, cause,
               "Zero the gradients before each backward (ebb_zero_grad), unless you add up several batches on purpose.");
}

void ebb__find_unused(ebb_recorder *r, const ebb__finder *self) {
    char name[300], cause[600];
    if (r->phase != EBB__AFTER || !happened(r, EBB_TE_BACKWARD_BEGIN)) return;
    for (int32_t i = 0; i < (int32_t)r->t.tensors.n; i++) {
        const ebb_trace_tensor *t = ebb__tensor_at(&r->t, i);
        if (t->kind != EBB_TT_PARAM || !t->needs_grad || t->grad >= 0) continue;
        int32_t user = -1;
        for (int32_t n = 0; n < (int32_t)r->t.nodes.n && user < 0; n++)
            for (int32_t k = 0; k < ebb__node_at(&r->t, n)->n_in && user < 0; k++)
                if (ebb__input_at(&r->t, ebb__node_at(&r->t, n)->input + k)->tensor == i) user = n;
        char node[300];
        if (user < 0)
            snprintf(cause, sizeof cause, "No op of this step uses %s.", ebb__say_tensor(r, i, name, sizeof name));
        else
            snprintf(cause, sizeof cause, "%s is used by %s, but the loss does not depend on what that gives.",
                     ebb__say_tensor(r, i, name, sizeof name), ebb__say_node(r, user, node, sizeof node));
        ebb__found(r, self, EBB_SEVERITY_WARNING, user, i, cause,
                   user < 0
                       ? "Use it, or remove it: it never learns."
                       : "Look for a detach, no_grad, an op without a derivative (argmax, round) or a result that is never used on the way to the loss.");
    }
}

/* ---- gradients too small, or too large ------------------------------------------------------------------------------------ */

/* The root of the mean square of an element. */
static double rms(const ebb_trace_stats *s) { return s->n ? (double)s->norm / sqrt((double)s->n) : 0; }

/* The node that uses a tensor first; -1. */
static int32_t first_use(const ebb_recorder *r, int32_t tensor) {
    for (int32_t n = 0; n < (int32_t)r->t.nodes.n; n++)
        for (int32_t k = 0; k < ebb__node_at(&r->t, n)->n_in; k++)
            if (ebb__input_at(&r->t, ebb__node_at(&r->t, n)->input + k)->tensor == tensor) return n;
    return -1;
}

void ebb__find_vanishing(ebb_recorder *r, const ebb__finder *self) {
    char first_name[300], last_name[300], cause[700];
    int32_t first = -1, last = -1, first_at = -1, last_at = -1;
    for (int32_t i = 0; i < (int32_t)r->t.tensors.n; i++) { /* matrices: biases are of another size */
        const ebb_trace_stats *g = grad_of(r, i);
        if (!is_param(r, i) || ebb__tensor_at(&r->t, i)->ndim < 2 || !g || ebb__bad(g) || !g->n) continue;
        const int32_t at = first_use(r, i);
        if (at < 0) continue;
        if (first < 0 || at < first_at) first = i, first_at = at;
        if (last < 0 || at > last_at) last = i, last_at = at;
    }
    if (first < 0 || first == last) return;
    const double early = rms(grad_of(r, first)), late = rms(grad_of(r, last));
    if (!(early > 0) || !(late > 1e4 * early)) return; /* exactly 0 is another trouble: units that are off */
    snprintf(cause, sizeof cause,
             "An element of the gradient of %s is %.2g on average, of %s %.2g: %.0e times less after the way back.",
             ebb__say_tensor(r, last, last_name, sizeof last_name), late,
             ebb__say_tensor(r, first, first_name, sizeof first_name), early, late / early);
    ebb__found(r, self, EBB_SEVERITY_WARNING, first_at, first, cause,
               "Use relu or gelu instead of sigmoid or tanh, weights of a larger scale (kaiming, xavier), normalisation, or residual connections.");
}

/* The norm of all parameters' gradients together, and the parameter with the largest. */
static double grad_norm(const ebb_recorder *r, int32_t *largest) {
    double sum = 0;
    *largest = -1;
    for (int32_t i = 0; i < (int32_t)r->t.tensors.n; i++) {
        const ebb_trace_stats *g = grad_of(r, i);
        if (!is_param(r, i) || !g || ebb__bad(g)) continue;
        sum += (double)g->norm * (double)g->norm;
        if (*largest < 0 || g->norm > grad_of(r, *largest)->norm) *largest = i;
    }
    return sqrt(sum);
}

void ebb__find_exploding(ebb_recorder *r, const ebb__finder *self) {
    char name[300], cause[500];
    int32_t largest;
    const double norm = grad_norm(r, &largest);
    if (!(norm > 1e3)) return;
    snprintf(cause, sizeof cause, "The norm of all gradients is %.3g; most of it is in %s, %.3g.", norm,
             ebb__say_tensor(r, largest, name, sizeof name), (double)grad_of(r, largest)->norm);
    ebb__found(r, self, EBB_SEVERITY_WARNING, -1, largest, cause,
               "Clip it (clip_norm), scale the data to about 1, use smaller weights to begin with, or normalisation.");
}

/* The loss of late, its least and its first, of the points that are finite; false: too few to say. */
static bool losses(const ebb_recorder *r, double *recent, double *least, double *first) {
    int32_t n, count = 0;
    const float *v = ebb__series_of(r, "loss", &n);
    double late[RECENT];
    for (int32_t i = 0; i < n; i++) {
        const double x = (double)v[i];
        if (!isfinite(x)) continue;
        if (!count) *first = *least = x;
        *least = fmin(*least, x);
        late[count++ % RECENT] = x;
    }
    const int32_t some = count / 2 < RECENT ? count / 2 : RECENT;
    *recent = 0;
    for (int32_t i = 1; i <= some; i++) *recent += late[(count - i) % RECENT] / some;
    return count >= 3;
}

void ebb__find_rate(ebb_recorder *r, const ebb__finder *self) {
    char name[300], cause[600];
    double recent = 0, least = 0, first = 0, most = 0;
    int32_t where = -1;
    if (!losses(r, &recent, &least, &first)) return;
    for (int32_t i = 0; i < (int32_t)r->seen.n; i++) {
        const ebb_trace_stats *w = ebb__stats_or_null(r, ebb__tensor_at(&r->t, i)->value);
        if (!is_param(r, i) || ebb__tensor_at(&r->t, i)->ndim < 2 || !w || !(w->norm > 0)) continue;
        const double ratio = (double)ebb__seen_at(r, i)->moved / (double)w->norm;
        if (ratio > most) most = ratio, where = i;
    }
    const bool grew = recent > 10 * fabs(least) && recent > first;
    if (!grew && !(most > 0.1 && recent > 1.5 * first && recent > 2 * fabs(least))) return;
    int at = snprintf(cause, sizeof cause, "The loss began at %.3g, fell to %.3g, and is %.3g of late.",
                      first, least, recent);
    if (where >= 0)
        snprintf(cause + at, sizeof cause - (size_t)at, " This step moved %s by %.2g of its size; 0.001 is usual.",
                 ebb__say_tensor(r, where, name, sizeof name), most);
    ebb__found(r, self, EBB_SEVERITY_WARNING, -1, where, cause,
               "Lower the learning rate by 3 to 10 times; clip the gradient; begin with small steps.");
}

/* ---- units that are off ----------------------------------------------------------------------------------------------------- */

/* How many of the units (the last dim) are 0 for all examples. */
static int32_t dead_units(const ebb_recorder *r, int32_t tensor) {
    const ebb_trace_tensor *t = ebb__tensor_at(&r->t, tensor);
    const ebb_trace_stats *s = ebb__stats_at(&r->t, t->value);
    const int32_t units = t->ndim ? t->dim[t->ndim - 1] : 0;
    int32_t dead = 0;
    for (int32_t u = 0; u < units; u++) {
        bool zero = true;
        for (int64_t i = u; i < s->n && zero; i += units) zero = ebb__value_at(r, tensor, i) == 0;
        dead += zero;
    }
    return dead;
}

void ebb__find_dead(ebb_recorder *r, const ebb__finder *self) {
    char node[300], cause[600], units[120] = "";
    for (int32_t i = 0; i < (int32_t)r->t.nodes.n; i++) {
        const ebb_trace_node *n = ebb__node_at(&r->t, i);
        if (!n->on_tape || !ebb__op_is(r, i, "relu|relu6")) continue;
        const int32_t y = n->first_out;
        const ebb_trace_stats *s = ebb__stats_or_null(r, ebb__tensor_at(&r->t, y)->value),
                              *g = ebb__stats_or_null(r, ebb__input_at(&r->t, n->input)->grad);
        if (!s || !g || s->n < 8 || s->n_zero <= 0.9 * s->n || g->n_zero < s->n_zero) continue;
        const int32_t width = ebb__tensor_at(&r->t, y)->ndim
                                  ? ebb__tensor_at(&r->t, y)->dim[ebb__tensor_at(&r->t, y)->ndim - 1]
                                  : 0;
        if (ebb__has_values(r, y) && ebb__tensor_at(&r->t, y)->ndim > 1)
            snprintf(units, sizeof units, " %d of its %d units are 0 for every example.", dead_units(r, y), width);
        snprintf(cause, sizeof cause, "%d of %d results of %s are 0, and no gradient goes back through them.%s",
                 s->n_zero, s->n, ebb__say_node(r, i, node, sizeof node), units);
        ebb__found(r, self, EBB_SEVERITY_WARNING, i, y, cause,
                   "Lower the learning rate, start the biases at 0 or a little above, or use leaky_relu or gelu.");
    }
}

void ebb__find_saturated(ebb_recorder *r, const ebb__finder *self) {
    char node[300], cause[500];
    for (int32_t i = 0; i < (int32_t)r->t.nodes.n; i++) {
        const ebb_trace_node *n = ebb__node_at(&r->t, i);
        const bool tanh_like = ebb__op_is(r, i, "tanh");
        if (!n->on_tape || !(tanh_like || ebb__op_is(r, i, "sigmoid"))) continue;
        const int32_t y = n->first_out;
        const ebb_trace_stats *s = ebb__stats_or_null(r, ebb__tensor_at(&r->t, y)->value);
        if (!s || s->n < 16 || ebb__bad(s) || !ebb__has_values(r, y)) continue;
        int32_t ends = 0;
        const double lo = tanh_like ? -1 : 0;
        for (int32_t k = 0; k < s->n; k++) {
            const double v = ebb__value_at(r, y, k);
            ends += v <= lo + 1e-3 || v >= 1 - 1e-3;
        }
        if (ends <= 0.9 * s->n) continue;
        snprintf(cause, sizeof cause,
                 "%d of %d results of %s are within 0.001 of its ends, where its slope is nearly 0.", ends,
                 s->n, ebb__say_node(r, i, node, sizeof node));
        ebb__found(r, self, EBB_SEVERITY_WARNING, i, y, cause,
                   "Make what goes in smaller: scale the data to about 1, use smaller weights (xavier), normalise before it, or use relu or gelu.");
    }
}

/* ---- units that are alike ------------------------------------------------------------------------------------------------------ */

/* All rows (dim 0) or all columns (dim 1) of a matrix are the same. */
static bool all_same(const ebb_recorder *r, const ebb_trace_tensor *t, const ebb_trace_stats *s, int dim) {
    const int32_t rows = t->dim[0], cols = t->dim[1];
    if (s->elements < 0 || s->n != rows * cols) return false;
    const float *v = ebb__float_at(&r->t, s->elements);
    for (int32_t i = 0; i < rows; i++)
        for (int32_t j = 0; j < cols; j++) {
            const float a = v[i * cols + j], b = dim ? v[i * cols] : v[j];
            if (fabsf(a - b) > 1e-6f * fmaxf(fabsf(a), fabsf(b))) return false;
        }
    return true;
}

void ebb__find_symmetric(ebb_recorder *r, const ebb__finder *self) {
    char name[300], cause[500];
    if (!happened(r, EBB_TE_STEP)) return; /* nothing learns */
    for (int32_t i = 0; i < (int32_t)r->t.tensors.n; i++) {
        const ebb_trace_tensor *t = ebb__tensor_at(&r->t, i);
        const ebb_trace_stats *w = ebb__stats_or_null(r, t->value), *g = grad_of(r, i);
        if (t->kind != EBB_TT_PARAM || t->ndim != 2 || t->dim[0] < 2 || t->dim[1] < 2 || !w || !g || ebb__bad(g))
            continue;
        for (int dim = 0; dim < 2; dim++) {
            if (!all_same(r, t, w, dim) || !all_same(r, t, g, dim)) continue;
            snprintf(cause, sizeof cause,
                     "All %d %s of %s are equal, and so are those of its gradient: they stay equal for ever.",
                     t->dim[dim], dim ? "columns" : "rows", ebb__say_tensor(r, i, name, sizeof name));
            ebb__found(r, self, EBB_SEVERITY_WARNING, first_use(r, i), i, cause,
                       "Begin with random weights: xavier, kaiming or lecun.");
            break;
        }
    }
}

/* All rows of a matrix are the same, to f32's digits. */
static bool rows_same(const ebb_recorder *r, int32_t tensor) {
    const ebb_trace_tensor *t = ebb__tensor_at(&r->t, tensor);
    const int64_t cols = t->dim[1], n = t->dim[0] * cols;
    for (int64_t i = cols; i < n; i++) {
        const double a = ebb__value_at(r, tensor, i), b = ebb__value_at(r, tensor, i % cols);
        if (!(fabs(a - b) <= 1e-6 * fmax(fabs(a), fabs(b)))) return false;
    }
    return true;
}

/* What the loss is made of, back along first operands: the last matrix that has a row for each of several examples; -1. */
static int32_t last_result(const ebb_recorder *r) {
    int32_t at = -1;
    for (size_t i = 0; i < r->t.events.n && at < 0; i++) {
        const ebb_trace_event *v = (const ebb_trace_event *)r->t.events.items + i;
        if (v->kind == EBB_TE_BACKWARD_BEGIN) at = v->tensor;
    }
    while (at >= 0) {
        const ebb_trace_tensor *t = ebb__tensor_at(&r->t, at);
        if (t->node < 0) return -1;
        if (t->ndim == 2 && t->dim[0] >= 8 && t->dim[1] > 0) return at;
        const ebb_trace_node *n = ebb__node_at(&r->t, t->node);
        at = -1;
        for (int32_t k = 0; k < n->n_in && at < 0; k++) {
            const int32_t x = ebb__input_at(&r->t, n->input + k)->tensor;
            if (x >= 0 && ebb__tensor_at(&r->t, x)->needs_grad) at = x;
        }
    }
    return -1;
}

void ebb__find_constant(ebb_recorder *r, const ebb__finder *self) {
    char name[300], cause[500];
    int32_t steps;
    ebb__series_of(r, "loss", &steps);
    const int32_t y = last_result(r);
    if (steps < 10 || y < 0 || !ebb__has_values(r, y)) return; /* before it has learned, it may */
    const ebb_trace_tensor *t = ebb__tensor_at(&r->t, y);
    const ebb_trace_stats *s = ebb__stats_or_null(r, t->value);
    if (!s || ebb__bad(s) || !rows_same(r, y)) return;
    snprintf(cause, sizeof cause, "After %d steps, all %d rows of %s are the same: one answer for every example.",
             steps, t->dim[0], ebb__say_tensor(r, y, name, sizeof name));
    ebb__found(r, self, EBB_SEVERITY_WARNING, t->node, y, cause,
               "Look for units that are off or at their ends, a learning rate that threw the weights far, or inputs that are not used.");
}
