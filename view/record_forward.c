/* record_forward.c - floor 6: calls of ops become nodes: of their own, or a group around the parts of a composed op.
 *
 * A call is told of when it ends, its parts before it and one deeper. So the parts of a composed op are the last nodes that are
 * deeper than it; once they have been dealt with they count as of its depth. */
#include "recorder.h"
#include <string.h>

int32_t ebb__node_add(ebb_recorder *r, const ebb_op *op, const void *attrs, const char *region, int depth,
                      int64_t tape, int n_x, const int32_t *x) {
    char text[512];
    const int32_t node = ebb__table_add(&r->t, &r->t.nodes, 1), first = (int32_t)r->t.inputs.n;
    if (node < 0 || ebb__table_add(&r->t, &r->made, 1) < 0 ||
        ebb__table_add(&r->t, &r->t.inputs, (size_t)n_x) < 0 || ebb__table_add(&r->t, &r->used, (size_t)n_x) < 0)
        return -1;
    for (int i = 0; i < n_x; i++) *ebb__input_at(&r->t, first + i) = (ebb_trace_input){x[i], -1};
    *ebb__node_at(&r->t, node) =
        (ebb_trace_node){.op = ebb__text(&r->t, op->name),
                         .attrs = ebb__text(&r->t, ebb_attrs_text(r->e, op, attrs, text, sizeof text)),
                         .math = ebb__text(&r->t, op->math),
                         .group = -1,
                         .input = first,
                         .n_in = n_x,
                         .first_out = (int32_t)r->t.tensors.n,
                         .on_tape = tape >= 0};
    ebb_span at;
    if (ebb_model_where(r->o.model, &at)) {
        ebb_trace_node *n = ebb__node_at(&r->t, node);
        n->line = at.line;
        n->column = at.column;
        n->end_line = at.end_line;
        n->end_column = at.end_column;
    }
    *ebb__made_at(r, node) =
        (ebb__made){.op = op, .tape = tape, .depth = depth, .region = ebb__text(&r->t, region)};
    if (tape >= 0) {
        const size_t n = r->tape.n;
        if ((size_t)tape >= n && ebb__table_add(&r->t, &r->tape, (size_t)tape + 1 - n) < 0) return -1;
        ((int32_t *)r->tape.items)[tape] = node + 1;
    }
    return r->t.failed ? -1 : node;
}

/* The node of a call with its outputs. */
static ebb_status whole(ebb_recorder *r, const ebb_event *ev) {
    int32_t x[EBB_MAX_OPERANDS];
    for (int i = 0; i < ev->n_x; i++) {
        x[i] = -1;
        if (!ev->x[i]) continue;
        x[i] = ev->in_place && ev->x[i] == ev->y[0] ? ebb__entry_before(r, ev->x[i], ev->node, i)
                                                    : ebb__entry_of(r, ev->x[i]);
        if (x[i] < 0) return ebb_error_code(r->e);
    }
    if (ev->in_place) ebb__entries_overwritten(r, ev->y[0]);
    const int32_t node = ebb__node_add(r, ev->op, ev->attrs, ev->region, ev->depth, ev->node, ev->n_x, x);
    for (int j = 0; j < ev->n_y && node >= 0; j++)
        if (ebb__entry_add(r, ev->y[j], node, j, true) < 0) return ebb_error_code(r->e);
    if (node < 0) return ebb_error_code(r->e);
    ebb__node_at(&r->t, node)->n_out = ev->n_y;
    return ebb__record_happens(r, EBB_TE_FORWARD, node, -1, -1);
}

/* The only part of a composed op with the same operands is that op: it gets its name. */
static bool same_operands(const ebb_recorder *r, int32_t node, const ebb_event *ev) {
    const ebb_trace_node *n = ebb__node_at(&r->t, node);
    int given = ev->n_x;
    while (given && !ev->x[given - 1]) given--;
    if (n->n_in != given || n->n_out != ev->n_y) return false;
    for (int i = 0; i < given; i++) {
        const int32_t x = ebb__input_at(&r->t, n->input + i)->tensor;
        if (x < 0 || ebb__seen_at(r, x)->value != ev->x[i]) return false;
    }
    return true;
}

/* Gives nodes first .. to the composed op that they are the parts of. */
static ebb_status gather(ebb_recorder *r, const ebb_event *ev, int32_t first) {
    const int32_t last = (int32_t)r->t.nodes.n;
    if (last - first == 1 && same_operands(r, first, ev)) {
        char text[512];
        ebb_trace_node *n = ebb__node_at(&r->t, first);
        n->op = ebb__text(&r->t, ev->op->name);
        n->attrs = ebb__text(&r->t, ebb_attrs_text(r->e, ev->op, ev->attrs, text, sizeof text));
        n->math = ebb__text(&r->t, ev->op->math);
        return r->t.failed ? ebb_error_code(r->e) : EBB_OK;
    }
    const int32_t i = ebb__table_add(&r->t, &r->parts, 1);
    if (i < 0) return ebb_error_code(r->e);
    ((ebb__parts *)r->parts.items)[i] = (ebb__parts){ebb__text(&r->t, ev->op->name), first, last};
    return EBB_OK;
}

/* In place, a composed op's result is copied into the tensor, which takes its place in the graph. */
static ebb_status written_result(ebb_recorder *r, const ebb_event *ev) {
    const int32_t known = ebb__entry_node(r, ev->node);
    const int32_t node = known >= 0 ? known : (int32_t)r->t.nodes.n - 1, y = ebb__node_at(&r->t, node)->first_out;
    ebb__entries_overwritten(r, ev->y[0]);
    return ebb__entry_move(r, ev->y[0], y) ? EBB_OK : ebb_error_code(r->e);
}

static bool all_known(const ebb_recorder *r, const ebb_event *ev) {
    for (int j = 0; j < ev->n_y; j++)
        if (ebb__entry_find(r, ev->y[j]) < 0) return false;
    return true;
}

/* It changed nothing, and gave back what it was given. */
static bool identity(const ebb_event *ev) {
    for (int i = 0; i < ev->n_x && ev->n_y == 1 && !ev->in_place; i++)
        if (ev->x[i] == ev->y[0]) return true;
    return false;
}

ebb_status ebb__record_op(ebb_recorder *r, const ebb_event *ev) {
    if (ev->inside || r->phase == EBB__BACKWARD || r->phase == EBB__SECOND) return EBB_OK;
    int32_t first = (int32_t)r->t.nodes.n;
    while (first > 0 && ebb__made_at(r, first - 1)->depth > ev->depth)
        ebb__made_at(r, --first)->depth = ev->depth;
    const bool parts = first < (int32_t)r->t.nodes.n && ev->op->compose && !ev->op->n_vjp;
    if (ev->in_place && (parts || ebb__entry_node(r, ev->node) >= 0)) {
        const ebb_status s = parts ? gather(r, ev, first) : EBB_OK;
        return s == EBB_OK ? written_result(r, ev) : s;
    }
    if (identity(ev)) return EBB_OK;
    return parts && all_known(r, ev) ? gather(r, ev, first) : whole(r, ev);
}
