/* walk.c - floor 4: the tape seen from outside, node by node: for traces, the doctor and the page. */
#include "tape.h"

/* The lists a node's description points to; they belong to the session and serve one description at a time. */
typedef struct lists {
    ebb_shape shape[EBB__MAX_EDGES + 8];
    int64_t node[EBB__MAX_EDGES];
    int32_t out[EBB__MAX_EDGES];
    ebb_tensor *leaf[EBB__MAX_EDGES], *saved[EBB__MAX_EDGES + 8];
} lists;

ebb_status ebb_tape_node(ebb *e, int64_t i, ebb_node_info *out) {
    if (!e || !out) return EBB_E_ARG;
    *out = (ebb_node_info){0};
    if (i < 0 || i >= (int64_t)e->tape->n)
        return ebb_fail(e, EBB_E_INDEX, "ebb_tape_node: node %lld is outside 0..%lld", (long long)i,
                        (long long)e->tape->n - 1);
    if (!e->tape->lists && !(e->tape->lists = ebb__get(e, sizeof(lists)))) return e->code;
    lists *l = (lists *)e->tape->lists;
    const ebb__node *n = e->tape->node[i];
    ebb__node_shapes(n, l->shape);
    for (int k = 0; k < n->n_x; k++) {
        const ebb__edge g = n_edges(n)[k];
        l->leaf[k] = g & 1 ? (ebb_tensor *)(uintptr_t)(g & ~(ebb__edge)1) : NULL;
        l->node[k] = g & 2 ? (int64_t)(g >> 8) : -1;
        l->out[k] = g & 2 ? (int32_t)(g >> 2 & 63) : 0;
    }
    for (int k = 0; k < n->n_x + n->n_y; k++) l->saved[k] = NULL;
    for (int k = 0; k < n->n_saved; k++) {
        const ebb__saved *s = &n_saved(n)[k];
        if (s->slot < 64) l->saved[s->slot < 32 ? s->slot : n->n_x + s->slot - 32] = s->t;
    }
    *out = (ebb_node_info){.op = n->x->op,
                           .attrs = n_attrs(n),
                           .region = e->regions[n->region],
                           .n_x = n->n_x,
                           .n_y = n->n_y,
                           .x_shape = l->shape,
                           .y_shape = l->shape + n->n_x,
                           .x_node = l->node,
                           .x_out = l->out,
                           .x_leaf = l->leaf,
                           .x_saved = l->saved,
                           .y_saved = l->saved + n->n_x,
                           .spent = n->flags & N_SPENT};
    return EBB_OK;
}
