/* record_entries.c - floor 6: which entry of the trace a tensor of the program has; and nodes for what the tape has without an event.
 *
 * A write in place changes the tape by nodes of its own (a view of the tensor that was written to, a base whose part was). They are found
 * when a tensor comes by whose place on the tape is not the one it had. */
#include "recorder.h"
#include <math.h>
#include <string.h>

/* ---- from tensors to entries ---------------------------------------------------------------------------------------- */

static ebb__slot *slot_of(const ebb__table *entry, const ebb_tensor *t) {
    ebb__slot *slot = (ebb__slot *)entry->items;
    for (size_t i = ((uintptr_t)t >> 6) * 2654435761u & (entry->n - 1);; i = (i + 1) & (entry->n - 1))
        if (!slot[i].t || slot[i].t == t) return &slot[i];
}

static bool more_slots(ebb_recorder *r, ebb__table *slots) {
    ebb__table wider = {.item = sizeof(ebb__slot)};
    if (ebb__table_add(&r->t, &wider, slots->n ? 2 * slots->n : 256) < 0) return false;
    const ebb__slot *slot = (const ebb__slot *)slots->items;
    for (size_t i = 0; i < slots->n; i++)
        if (slot[i].t) *slot_of(&wider, slot[i].t) = slot[i];
    ebb__table_close(r->e, slots);
    *slots = wider;
    return true;
}

int32_t ebb__slots_find(const ebb__slots *s, const ebb_tensor *t) {
    const ebb__slot *slot = s->table.n ? slot_of(&s->table, t) : NULL;
    return slot && slot->t ? slot->index : -1;
}

bool ebb__slots_set(ebb_recorder *r, ebb__slots *s, const ebb_tensor *t, int32_t index) {
    if (2 * (s->n + 1) > s->table.n && !more_slots(r, &s->table)) return false;
    ebb__slot *slot = slot_of(&s->table, t);
    s->n += !slot->t;
    *slot = (ebb__slot){t, index};
    return true;
}

int32_t ebb__entry_find(const ebb_recorder *r, const ebb_tensor *t) { return ebb__slots_find(&r->entry, t); }

static bool set(ebb_recorder *r, ebb_tensor *t, int32_t tensor) {
    return ebb__slots_set(r, &r->entry, t, tensor);
}

/* An item in `tensors` and `seen` with nothing in it yet. */
static int32_t blank(ebb_recorder *r, int32_t node, int32_t out) {
    const int32_t i = ebb__table_add(&r->t, &r->t.tensors, 1);
    if (i < 0 || ebb__table_add(&r->t, &r->seen, 1) < 0) return -1;
    *ebb__tensor_at(&r->t, i) = (ebb_trace_tensor){.kind = node < 0 ? EBB_TT_CONST : EBB_TT_VALUE,
                                                   .node = node,
                                                   .out = node < 0 ? -1 : out,
                                                   .value = -1,
                                                   .grad = -1,
                                                   .after = -1};
    *ebb__seen_at(r, i) = (ebb__seen){.tape = -1, .before = -1, .moved = NAN};
    return i;
}

int32_t ebb__entry_add(ebb_recorder *r, ebb_tensor *t, int32_t node, int32_t out, bool value) {
    const int32_t i = blank(r, node, out);
    if (i < 0 || !set(r, t, i)) return -1;
    ebb_info info;
    ebb_tensor_info(t, &info);
    ebb_trace_tensor *x = ebb__tensor_at(&r->t, i);
    x->dtype = info.dtype;
    x->ndim = info.ndim;
    for (int32_t d = 0; d < info.ndim; d++)
        x->dim[d] = info.shape[d] > INT32_MAX ? INT32_MAX : (int32_t)info.shape[d];
    x->needs_grad = ebb_needs_grad(t);
    *ebb__seen_at(r, i) = (ebb__seen){
        .value = ebb_retain(t), .tape = ebb_node_of(t), .before = -1, .moved = NAN, .overwritten = !value};
    if (!value) return i;
    x->value = ebb__stats_add(&r->t, t, r->o.keep);
    return r->t.failed ? -1 : i;
}

/* ---- what was written to --------------------------------------------------------------------------------------------- */

/* The memory that a tensor reaches: [lo, hi). */
static void reach(const ebb_tensor *t, const char **lo, const char **hi) {
    ebb_info info;
    ebb_tensor_info(t, &info);
    int64_t first = 0, last = 0;
    for (int32_t d = 0; d < info.ndim && info.numel; d++)
        *(info.stride[d] < 0 ? &first : &last) += (info.shape[d] - 1) * info.stride[d];
    const int64_t size = (int64_t)ebb_dtype_size((ebb_dtype)info.dtype);
    *lo = (const char *)info.data + first * size;
    *hi = info.numel ? (const char *)info.data + (last + 1) * size : *lo;
}

void ebb__entries_overwritten(ebb_recorder *r, const ebb_tensor *t) {
    const char *lo, *hi, *from, *to;
    reach(t, &lo, &hi);
    for (int32_t i = 0; i < (int32_t)r->seen.n; i++) {
        ebb__seen *s = ebb__seen_at(r, i);
        if (!s->value || s->overwritten) continue;
        reach(s->value, &from, &to);
        s->overwritten = from < hi && lo < to;
    }
}

/* ---- what the tape has --------------------------------------------------------------------------------------------- */

int32_t ebb__entry_node(const ebb_recorder *r, int64_t k) {
    if (k < 0 || k >= (int64_t)r->tape.n) return -1;
    const int32_t node = ((const int32_t *)r->tape.items)[k] - 1; /* 0 is free */
    return node >= 0 && ebb__made_at(r, node)->tape == k ? node : -1;
}

static int32_t node_of_tape(ebb_recorder *r, int64_t k, ebb_tensor *t);

/* Output `out` of node k of the tape; -1: from before the record. */
static int32_t output_of(ebb_recorder *r, int64_t k, int32_t out) {
    const int32_t node = node_of_tape(r, k, NULL);
    return node >= 0 && out < ebb__node_at(&r->t, node)->n_out ? ebb__node_at(&r->t, node)->first_out + out : -1;
}

/* The node for node k of the tape, which is made when there is none. t: its output, when it has one only; may be NULL. */
static int32_t node_of_tape(ebb_recorder *r, int64_t k, ebb_tensor *t) {
    ebb_node_info tape;
    if (k < r->tape_begin || ebb_tape_node(r->e, k, &tape) != EBB_OK) return -1;
    const int32_t known = ebb__entry_node(r, k);
    if (known >= 0 && ebb__made_at(r, known)->op == tape.op) return known;
    int32_t x[EBB_MAX_OPERANDS];
    int64_t from[EBB_MAX_OPERANDS];
    int32_t from_out[EBB_MAX_OPERANDS];
    ebb_tensor *leaf[EBB_MAX_OPERANDS];
    const int n_x = tape.n_x < EBB_MAX_OPERANDS ? tape.n_x : EBB_MAX_OPERANDS, n_y = tape.n_y;
    for (int i = 0; i < n_x; i++) { /* the description is one for all: nodes before this one are looked at below */
        from[i] = tape.x_node[i];
        from_out[i] = tape.x_out[i];
        leaf[i] = tape.x_leaf[i] ? tape.x_leaf[i] : tape.x_saved[i];
    }
    const ebb_op *op = tape.op;
    for (int i = 0; i < n_x; i++) {
        x[i] = from[i] >= 0 ? output_of(r, from[i], from_out[i]) : leaf[i] ? ebb__entry_of(r, leaf[i]) : -1;
        if (x[i] < 0 && !i && t) x[i] = ebb__entry_find(r, t); /* what it was before it was written to */
    }
    if (r->t.failed || ebb_tape_node(r->e, k, &tape) != EBB_OK) return -1;
    const int32_t node = ebb__node_add(r, op, tape.attrs, tape.region, 0, k, n_x, x);
    if (node < 0) return -1;
    ebb__node_at(&r->t, node)->n_out = n_y;
    for (int j = 0; j < n_y; j++) {
        const ebb_shape shape = tape.y_shape[j];
        const int32_t i = t && n_y == 1 ? ebb__entry_add(r, t, node, 0, true) : blank(r, node, j);
        if (i < 0) return -1;
        ebb_trace_tensor *y = ebb__tensor_at(&r->t, i);
        y->dtype = shape.dtype;
        y->ndim = shape.ndim;
        for (int32_t d = 0; d < shape.ndim; d++) y->dim[d] = (int32_t)shape.dim[d];
        y->needs_grad = 1;
        if (!j) ebb__node_at(&r->t, node)->first_out = i;
    }
    return ebb__record_happens(r, EBB_TE_FORWARD, node, -1, -1) == EBB_OK ? node : -1;
}

/* Which output of a node has the shape of t; the first that has. */
static int32_t output_like(const ebb_recorder *r, int32_t node, const ebb_tensor *t) {
    const ebb_trace_node *n = ebb__node_at(&r->t, node);
    for (int32_t i = n->first_out; i < n->first_out + n->n_out; i++) {
        const ebb_trace_tensor *y = ebb__tensor_at(&r->t, i);
        bool same = y->ndim == ebb_ndim(t) && y->dtype == (int32_t)ebb_tensor_dtype(t);
        for (int32_t d = 0; d < y->ndim && same; d++) same = y->dim[d] == ebb_size(t, d);
        if (same) return i;
    }
    return -1;
}

int32_t ebb__entry_of(ebb_recorder *r, ebb_tensor *t) {
    const int32_t known = ebb__entry_find(r, t);
    const int64_t k = ebb_node_of(t);
    if (known >= 0 && (k < r->tape_begin || ebb__seen_at(r, known)->tape == k)) return known;
    const int32_t node = k >= r->tape_begin ? node_of_tape(r, k, t) : -1;
    if (r->t.failed) return -1;
    if (node < 0) return known >= 0 ? known : ebb__entry_add(r, t, -1, -1, true);
    const int32_t now = ebb__entry_find(r, t);
    if (now >= 0 && ebb__tensor_at(&r->t, now)->node == node) return now;
    const int32_t out = output_like(r, node, t);
    if (out < 0) return known >= 0 ? known : ebb__entry_add(r, t, -1, -1, true);
    ebb__seen *s = ebb__seen_at(r, out); /* another object in the same place of the graph */
    if (!s->value) s->value = ebb_retain(t), s->tape = k;
    return s->value == t && !set(r, t, out) ? -1 : out;
}

int32_t ebb__entry_before(ebb_recorder *r, ebb_tensor *t, int64_t k, int i) {
    ebb_node_info tape;
    const int32_t known = ebb__entry_find(r, t);
    if (k >= 0 && ebb_tape_node(r->e, k, &tape) == EBB_OK && i < tape.n_x && tape.x_node[i] >= r->tape_begin) {
        const int32_t out = output_of(r, tape.x_node[i], tape.x_out[i]);
        if (out >= 0 || r->t.failed) return out;
    }
    return known >= 0 ? known : ebb__entry_add(r, t, -1, -1, false);
}

bool ebb__entry_move(ebb_recorder *r, ebb_tensor *t, int32_t i) {
    ebb__seen *s = ebb__seen_at(r, i);
    if (s->copied) ebb_release(s->copied);
    s->copied = s->value;
    s->value = ebb_retain(t);
    s->tape = ebb_node_of(t);
    s->overwritten = false;
    return set(r, t, i);
}
