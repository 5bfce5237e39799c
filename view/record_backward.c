/* record_backward.c - floor 6: backward and the optimizer's step: gradients of nodes, operands and leaves, parameters afterwards.
 *
 * When the first rule of a node runs, everything that its outputs lead to is done: the cotangents are the gradients of the outputs. What
 * each rule gives is the operand's part. A leaf's gradient is what backward adds to its .grad, or, when that held something, the sum. */
#include "recorder.h"
#include <math.h>

/* Statistics of a gradient, which a live record keeps in *kept: nobody adds to a tensor that is retained, so one that comes by again, as the
 * next node's or a leaf's, is what it was. */
static int32_t gradient(ebb_recorder *r, ebb_tensor *g, ebb_tensor **kept) {
    if (!r->o.live || !g) return ebb__stats_add(&r->t, g, r->o.keep);
    ebb_retain(g);
    ebb_release(*kept);
    *kept = g;
    const int32_t known = ebb__slots_find(&r->given, g);
    if (known >= 0) return known;
    const int32_t stats = ebb__stats_add(&r->t, g, r->o.keep);
    return stats >= 0 && ebb__slots_set(r, &r->given, g, stats) ? stats : -1;
}

ebb_status ebb__backward_begin(ebb_recorder *r, const ebb_event *ev) {
    if (r->phase != EBB__FORWARD) {
        r->phase = EBB__SECOND;
        return EBB_OK;
    }
    r->phase = EBB__BACKWARD;
    r->tape_end = ebb_tape_len(r->e);
    const int32_t loss = ebb__entry_of(r, ev->y[0]);
    if (loss < 0) return ebb_error_code(r->e);
    if (ebb_numel(ev->y[0]) == 1) r->step.loss = ebb_at(ev->y[0], 0);
    return ebb__record_happens(r, EBB_TE_BACKWARD_BEGIN, -1, -1, loss);
}

ebb_status ebb__record_rule(ebb_recorder *r, const ebb_event *ev) {
    /* nodes above: of a region that runs again */
    const int32_t node = r->phase == EBB__BACKWARD && ev->node < r->tape_end ? ebb__entry_node(r, ev->node) : -1;
    if (node < 0 || ebb__made_at(r, node)->op != ev->op) return EBB_OK;
    const ebb_trace_node n = *ebb__node_at(&r->t, node);
    for (int j = 0; j < ev->n_y && j < n.n_out && !ebb__made_at(r, node)->went_back; j++) {
        const int32_t y = n.first_out + j, g = gradient(r, ev->gs[j], &ebb__seen_at(r, y)->grad);
        ebb__tensor_at(&r->t, y)->grad = g;
    }
    ebb__made_at(r, node)->went_back = true;
    const int32_t input = n.input + ev->which;
    if (ev->which < n.n_in) {
        const int32_t g = gradient(r, ev->dx, ebb__used_at(r, input));
        ebb__input_at(&r->t, input)->grad = g;
    }
    return ebb__record_happens(r, EBB_TE_RULE, node, ev->which < n.n_in ? input : -1, -1);
}

ebb_status ebb__record_leaf(ebb_recorder *r, const ebb_event *ev) {
    if (r->phase != EBB__BACKWARD) return EBB_OK;
    const int32_t leaf = ebb__entry_of(r, ev->x[0]);
    if (leaf < 0) return ebb_error_code(r->e);
    const int32_t before = ebb__stats_add(&r->t, ebb_grad_of(ev->x[0]), -1),
                  grad = gradient(r, ev->dx, &ebb__seen_at(r, leaf)->grad);
    ebb__seen_at(r, leaf)->before = before;
    ebb__tensor_at(&r->t, leaf)->grad = grad;
    return ebb__record_happens(r, EBB_TE_LEAF, -1, -1, leaf);
}

ebb_status ebb__backward_end(ebb_recorder *r) {
    if (r->phase == EBB__SECOND) r->phase = EBB__AFTER;
    if (r->phase != EBB__BACKWARD) return EBB_OK;
    r->phase = EBB__AFTER;
    for (int32_t i = 0; i < (int32_t)r->seen.n; i++) { /* leaves whose gradient was added to what was there */
        ebb__seen *s = ebb__seen_at(r, i);
        ebb_tensor *g = s->before >= 0 ? ebb_grad_of(s->value) : NULL;
        if (!g) continue;
        const int32_t grad = gradient(r, g, &s->grad);
        ebb__tensor_at(&r->t, i)->grad = grad;
    }
    return r->t.failed ? ebb_error_code(r->e) : EBB_OK;
}

/* |new - old|, of two contiguous tensors of one shape. */
static float distance(const ebb_tensor *new, const ebb_tensor *old) {
    ebb_info a, b;
    ebb_tensor_info(new, &a);
    ebb_tensor_info(old, &b);
    double sum = 0;
    for (int64_t i = 0; i < a.numel; i++) {
        const double d = ebb__element(&a, i) - ebb__element(&b, i);
        sum += d * d;
    }
    return ebb__to_float(sqrt(sum));
}

ebb_status ebb__record_step(ebb_recorder *r) {
    if (r->phase == EBB__BACKWARD) return EBB_OK;
    for (int32_t i = 0; i < (int32_t)r->seen.n; i++) {
        const ebb_tensor *t = ebb__seen_at(r, i)->value, *old = ebb__seen_at(r, i)->copied;
        if (ebb__tensor_at(&r->t, i)->node >= 0 || !ebb__tensor_at(&r->t, i)->needs_grad || !t) continue;
        const int32_t after = ebb__stats_add(&r->t, t, r->o.keep);
        ebb__tensor_at(&r->t, i)->after = after;
        if (old) ebb__seen_at(r, i)->moved = distance(t, old);
    }
    return ebb__record_happens(r, EBB_TE_STEP, -1, -1, -1);
}
