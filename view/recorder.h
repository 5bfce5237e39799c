/* recorder.h - floor 6: a recording that runs: what it knows beside the tables. Private to view/.
 *
 * Invariants:
 *   - `seen`, `made` and `used` have one item for each tensor, node and operand of the tables;
 *   - every tensor of the program's that has an entry is retained until ebb_record_end, so that its address stays its own;
 *   - `entry` leads from a tensor to its newest entry: one that is written to in place gets another;
 *   - tape[k] is the node whose call made node k of the tape, valid while made[].tape says k (the tape is cut and grows again). */
#ifndef EBB_RECORDER_H
#define EBB_RECORDER_H
#include "elements.h"
#include <ebb/op.h>

typedef struct ebb__seen {    /* of a tensor */
    ebb_tensor *value, *grad; /* retained; grad: of a live record */
    ebb_tensor *copied; /* retained: a parameter as it was at the beginning; or the result that a composed op copied into `value` in place */
    int64_t tape;       /* the node of the tape that made it, when it got its entry */
    int32_t before;     /* of `stats`: a leaf's .grad before backward; -1: there was none */
    float moved;        /* the norm of the optimizer's step; NAN: none is known */
    bool overwritten;   /* `value` no longer has the elements that it had */
} ebb__seen;

typedef struct ebb__made { /* of a node */
    const ebb_op *op;      /* whose rules run: of the call, or of its only part */
    int64_t tape;          /* on the tape; -1 */
    int32_t depth;
    uint32_t region; /* of texts */
    bool went_back;  /* a rule has run */
} ebb__made;

typedef struct ebb__parts { /* of a composed op: nodes first .. last-1 */
    uint32_t name;
    int32_t first, last;
} ebb__parts;

typedef struct ebb__slot {
    const ebb_tensor *t; /* NULL: free */
    int32_t index;
} ebb__slot;
typedef struct ebb__slots { /* a hash table from tensors that are retained to indices */
    ebb__table table;       /* ebb__slot; a power of two */
    size_t n;
} ebb__slots;

enum {
    EBB__FORWARD = 0,
    EBB__BACKWARD,
    EBB__AFTER,
    EBB__SECOND
}; /* SECOND: a backward that belongs to the next record */

struct ebb_recorder {
    ebb *e;
    ebb_record_options o;
    ebb__tables t;
    ebb__table seen, made,
        used; /* ebb__seen, ebb__made, ebb_tensor * (the gradients that operands gave, of a live record) */
    ebb__table parts; /* ebb__parts, inner ones first */
    ebb__table tape;  /* int32_t */
    ebb__slots entry; /* of `tensors`: the newest of a tensor */
    ebb__slots given; /* of `stats`: gradients of a live record, which hand on one tensor from rule to rule */
    int64_t hook[6];
    int64_t tape_begin, tape_end; /* of the tape when the record and when backward began */
    int phase;
    bool ended;
    double began; /* seconds */
    ebb_trace_step step;
};

static inline ebb__seen *ebb__seen_at(const ebb_recorder *r, int32_t i) {
    return (ebb__seen *)r->seen.items + i;
}
static inline ebb__made *ebb__made_at(const ebb_recorder *r, int32_t i) {
    return (ebb__made *)r->made.items + i;
}
static inline ebb_tensor **ebb__used_at(const ebb_recorder *r, int32_t i) {
    return (ebb_tensor **)r->used.items + i;
}

int32_t ebb__slots_find(const ebb__slots *s, const ebb_tensor *t); /* -1: it has none */
bool ebb__slots_set(ebb_recorder *r, ebb__slots *s, const ebb_tensor *t, int32_t index);
/* record_entries.c: the entry of a tensor; makes one, with the ops that the tape has and nobody told of, when it has none. -1 on error. */
int32_t ebb__entry_find(const ebb_recorder *r, const ebb_tensor *t); /* -1: none */
int32_t ebb__entry_of(ebb_recorder *r, ebb_tensor *t);
/* A new entry: node's output `out`, or a leaf (node -1). value: its elements may be looked at. */
int32_t ebb__entry_add(ebb_recorder *r, ebb_tensor *t, int32_t node, int32_t out, bool value);
/* What t, operand i of a call that has written to it in place, was before; k: the call's node on the tape. */
int32_t ebb__entry_before(ebb_recorder *r, ebb_tensor *t, int64_t k, int i);
/* Entry i is now that of t, which its result was copied into. */
bool ebb__entry_move(ebb_recorder *r, ebb_tensor *t, int32_t i);
/* The new elements of t are in another entry: those of memory it shares have lost theirs. */
void ebb__entries_overwritten(ebb_recorder *r, const ebb_tensor *t);
/* The node that made node k of the tape; -1: none is known. */
int32_t ebb__entry_node(const ebb_recorder *r, int64_t k);
/* record_forward.c: a node and its operands; its outputs are the caller's to add. -> -1 on error */
int32_t ebb__node_add(ebb_recorder *r, const ebb_op *op, const void *attrs, const char *region, int depth,
                      int64_t tape, int n_x, const int32_t *x);
ebb_status ebb__record_op(ebb_recorder *r, const ebb_event *ev);
/* record_backward.c */
ebb_status ebb__record_rule(ebb_recorder *r, const ebb_event *ev);
ebb_status ebb__record_leaf(ebb_recorder *r, const ebb_event *ev);
ebb_status ebb__backward_begin(ebb_recorder *r, const ebb_event *ev);
ebb_status ebb__backward_end(ebb_recorder *r);
ebb_status ebb__record_step(ebb_recorder *r);
/* record.c: a happening, now. */
ebb_status ebb__record_happens(ebb_recorder *r, int kind, int32_t node, int32_t input, int32_t tensor);
/* groups.c: groups of regions and composed ops, and which are alike. */
void ebb__groups_make(ebb_recorder *r);
/* diagnose.c: adds the findings. */
void ebb__diagnose(ebb_recorder *r);
#endif
