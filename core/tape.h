/* tape.h - floor 2: the tape: an append-only array of nodes. Creation order is a topological order. Private to core/.
 *
 * A node's record is one block of an arena: head, edges, saved tensors, shapes, attributes. Truncating the tape to a mark releases
 * what its nodes saved; tensors notice by the epoch that their graph is gone. */
#ifndef EBB_TAPE_H
#define EBB_TAPE_H
#include "signature.h"

/* Where an input came from: 0: nowhere; leaf pointer | 1; (node << 8 | out << 2) | 2. */
typedef uint64_t ebb__edge;

typedef struct ebb__saved {
    ebb_tensor *t; /* retained */
    uint32_t version;
    uint8_t slot; /* input i, 32 + output j, or 64 and more: another tensor that must not change */
} ebb__saved;

enum { EBB__MAX_EDGES = 240 }; /* of a node */
enum { N_SPENT = 1, N_NEEDED = 2, N_HOOKED = 4 };

typedef struct ebb__node {
    const ebb__entry *x;
    uint32_t epoch, region;
    uint16_t size8, n_dims; /* size8: bytes of the record / 8 */
    uint8_t n_saved, n_x, n_y, flags;
    /* then: ebb__edge edge[n_x]; ebb_tensor *g[n_y]; ebb__saved saved[n_saved]; uint8_t meta[2 * (n_x + n_y)] padded to 8;
     * int64_t dim[n_dims]; attributes */
} ebb__node;

static inline ebb__edge *n_edges(const ebb__node *n) { return (ebb__edge *)(uintptr_t)(n + 1); }
static inline ebb_tensor **n_g(const ebb__node *n) { return (ebb_tensor **)(void *)(n_edges(n) + n->n_x); }
static inline ebb__saved *n_saved(const ebb__node *n) { return (ebb__saved *)(void *)(n_g(n) + n->n_y); }
static inline uint8_t *n_meta(const ebb__node *n) { return (uint8_t *)(n_saved(n) + n->n_saved); }
static inline int64_t *n_dims(const ebb__node *n) {
    return (int64_t *)(void *)(n_meta(n) + (2u * ((unsigned)n->n_x + n->n_y) + 7) / 8 * 8);
}
static inline void *n_attrs(const ebb__node *n) { return n_dims(n) + n->n_dims; }

typedef struct ebb__chunk {
    struct ebb__chunk *prev;
    size_t size, used;
} ebb__chunk;

typedef struct ebb__tape {
    ebb__node **node;
    size_t n, cap;
    uint32_t epoch;
    ebb__chunk *chunk; /* the newest */
    ebb__chunk *spare; /* one kept for reuse */
    void *lists;       /* of walk.c */
    size_t bytes;
} ebb__tape;

ebb_status ebb__tape_open(ebb *e);
void ebb__tape_cut(ebb *e, size_t n); /* forgets nodes n.. */
/* Records a call: y become outputs of the new node. Inputs that need a gradient give edges; what rules read is saved.
 * attrs_size bytes of attrs are copied. */
ebb_status ebb__record(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in, int n_y,
                       ebb_tensor *const *y, const void *attrs);
/* t is a view of a tensor that an in-place op gave another place in the graph since (a leaf stands for itself). */
static inline bool ebb__stale(const ebb_tensor *t) {
    return t->root != t && t->root->ext && t->root->ext->rebased != t->version && !(t->flags & T_REQUIRES) &&
           (t->flags & (T_DETACHED | T_ALIAS)) != (T_DETACHED | T_ALIAS);
}
/* Records a node whose edges are given: leaves and outputs of older nodes. `saved` are retained; slot[i] says what they are. */
ebb_status ebb__record_edges(ebb *e, const ebb__entry *x, int n_edges, const ebb__edge *edges, int n_saved,
                             ebb_tensor *const *saved, const uint8_t *slot, int n_y, ebb_tensor *const *y,
                             const void *attrs);
/* Makes sure that the next ebb__record of this call cannot run out of memory, nor two small ones after it. */
ebb_status ebb__tape_reserve(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in);
void ebb__hooks_sweep(ebb *e);                  /* hooks.c: removes those that are dead or whose node is */
ebb__node *ebb__node_live(const ebb_tensor *t); /* the node that made t, NULL: none, or gone */
bool ebb__needs(const ebb_tensor *t);
ebb__edge ebb__edge_of(ebb_tensor *t); /* not retained */
void ebb__node_spend(ebb *e, ebb__node *n); /* releases what it saved; its edges stay, so that a later walk sees it is in the way */
/* Shapes of the operands of a node, into s[n_x + n_y]. */
void ebb__node_shapes(const ebb__node *n, ebb_shape *s);
const ebb_vjp_rule *ebb__rule_of(const ebb__entry *x, int input); /* NULL: that input has no gradient */
#endif
