/* grad.h - floor 4: a walk backwards over the tape. Private to core/. */
#ifndef EBB_GRAD_H
#define EBB_GRAD_H
#include "call.h"

typedef struct ebb__walk {
    ebb *e;
    int flags;
    bool pruned;         /* ebb_grad: only nodes flagged N_NEEDED lead to what is wanted */
    int64_t waiting;     /* nodes with a cotangent */
    ebb_tensor **leaves; /* that have a pending gradient, retained */
    size_t n_leaves, cap_leaves;
} ebb__walk;

/* Adds a cotangent to what an edge leads to. */
ebb_status ebb__walk_give(ebb__walk *w, ebb__edge to, ebb_tensor *g);
/* Marks the nodes of [begin, end) from which something wanted can be reached. */
void ebb__walk_mark(ebb *e, size_t begin, size_t end);
/* From node `top` down to node `bottom`, or until nothing waits. found[i] receives the cotangent of wrt[i], for those that a node made (retained). */
ebb_status ebb__walk_go(ebb__walk *w, size_t top, size_t bottom, int n_wrt, ebb_tensor *const *wrt,
                        ebb_tensor **found);
/* Whether a gradient is wanted along an edge. */
bool ebb__walk_leads(const ebb__walk *w, ebb__edge edge);
/* Brings what a rule returned for an input to its dtype and shape, or says what is wrong with it. */
ebb_status ebb__walk_result(ebb *e, const ebb__node *n, int input, const ebb_shape *want, ebb_tensor **dx);
/* Tells those who listen that the rule of n (node `index`) for an input gave dx, of the cotangents g. */
ebb_status ebb__raise_rule(ebb *e, const ebb__node *n, size_t index, int input, ebb_tensor *const *x,
                           ebb_tensor *const *y, ebb_tensor *const *g, ebb_tensor *dx);
/* anomaly.c: stops at a NaN that the rule made; and says what the op of a failed rule was given. */
ebb_status ebb__anomaly_check(ebb *e, const ebb__node *n, int input, ebb_tensor *const *g, const ebb_tensor *dx);
void ebb__anomaly_words(ebb *e, const ebb__node *n);
/* Drops every cotangent that waits below node `end`: after an error. */
void ebb__walk_drop(ebb__walk *w, size_t end);
/* hooks.c: the hooks of a leaf, or of output `out` of a node, in the order they were added; *g may be replaced (held). */
ebb_status ebb__hooks_run(ebb *e, const ebb_tensor *leaf, const ebb__node *n, int out, ebb_tensor **g);
/* The hooks that run when .grad has been added to. */
ebb_status ebb__hooks_after(ebb *e, ebb_tensor *leaf);
/* Pending gradients of leaves: to .grad when r is EBB_OK and the walk is not pruned; dropped otherwise. -> r, or what failed */
ebb_status ebb__walk_finish(ebb__walk *w, ebb_status r);
#endif
