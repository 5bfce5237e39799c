/* layout.h - floor 6: what the parts of the layout share: memory, the visible boxes, and cells of layered vertices.
 *
 * A *cell* is the drawing of one container: the top, or the inside of one open frame. Each is laid out apart, the inner ones first; in the cell
 * around it a frame is one vertex with *ports*, the places on its border where wires come in and go out.
 *
 * Coordinates are along the flow (u) and across it (v) until the last step, which turns them into x and y.
 *
 * Invariants:
 *  1. Vertices of a cell stand in topological order: first those where wires come in, then its boxes, then those where wires leave.
 *  2. All wires of one source in one cell share a *trunk*: one dummy vertex a rank, from the source's rank to the farthest end.
 *  3. Two boxes of a cell never share a rank's band but side by side; wires are straight along the flow inside bands, and only turn between. */
#ifndef EBB_VIEW_LAYOUT_H
#define EBB_VIEW_LAYOUT_H
#include <ebb/view.h>

/* ---- memory: taken from the session piece by piece, zeroed, freed at once ---- */
typedef struct ebb__arena {
    ebb *e;
    struct ebb__chunk *chunks;
    char *at, *end;
} ebb__arena;
void *ebb__arena_take(ebb__arena *a, size_t n, size_t bytes); /* n elements; NULL: none left, the session's error says so */
void ebb__arena_drop(ebb__arena *a);                          /* frees all of it */
#define EBB__NEW(a, n, type) ((type *)ebb__arena_take((a), (size_t)(n), sizeof(type)))

/* ---- one cell ---- */
typedef struct ebb__vertex {
    int32_t box; /* of boxes; -1: a dummy, or where a wire comes in or goes out */
    int32_t src; /* where a wire comes in: the box it begins at; else -1 */
    int32_t rank, pos;
    int32_t slots; /* places where wires come in, in their order */
    float lo, hi;  /* the room it takes on the two sides of its line */
    float size;    /* along the flow */
    float at;      /* its line, across the flow */
} ebb__vertex;

typedef struct ebb__link { /* a wire's way through one cell */
    int32_t cell, src;     /* src: the box the wire begins at, perhaps deep inside or outside */
    int32_t from, to;      /* boxes of this cell; -1: comes in, goes out */
    int32_t up, low;       /* the vertices they are */
    float port;            /* where it ends, beside the line of low */
} ebb__link;

typedef struct ebb__trunk {
    int32_t src, from;     /* box and vertex */
    int32_t link, n_links; /* of the plan's links */
    int32_t in, out;       /* the vertices where it enters and leaves the cell; -1 */
    float port;            /* where it begins, beside the line of from */
    int32_t dummy, n_dummies;
    int32_t joins; /* the trunk whose dummies these are, when it is gathered with others; -1 */
    float gutter;  /* where it runs when it is too long for dummies: beside all boxes */
    bool far;
} ebb__trunk;

typedef struct ebb__segment {  /* of a trunk, from one rank to the next */
    int32_t up, low, link;     /* link: that ends with it; -1 */
    int32_t up_slot, low_slot; /* which port of a frame, counted across the flow */
    float up_port, low_port;   /* beside the lines of the two */
} ebb__segment;

typedef struct ebb__cell {
    int32_t frame; /* of boxes; -1: the top */
    int32_t item, n_items, link, n_links;
    int32_t widest;                                   /* how many boxes a rank may have */
    int32_t n, n_real, n_ranks, n_trunks, n_segments; /* n_real: vertices that are no dummies */
    ebb__vertex *v;
    ebb__trunk *trunks; /* by src */
    ebb__segment *segments;
    int32_t *down, *down_of, *up, *up_of; /* segments below v: down_of[down[v] .. down[v + 1]) */
    int32_t *depth, *height; /* weights on the heaviest way from a source, with its own, and on to a sink, without; a dummy's are its trunk's */
    int32_t *rank, *order;   /* order[rank[r] .. rank[r + 1]): vertices, in order */
    float *begin, *end;      /* of each rank's band */
    float length, breadth;   /* of the drawing, along and across */
    float u, v0;             /* where it begins in the whole */
} ebb__cell;

/* ---- the whole ---- */
typedef struct ebb__plan {
    ebb__arena mem;
    const ebb_trace_step *t;
    const uint8_t *open;
    bool right;
    float char_width;
    int32_t n_boxes, n_wires, n_cells, n_links, n_points;
    ebb_box *boxes;
    ebb_wire *wires;
    ebb__link *links;
    ebb__cell *cells;             /* the one around comes first */
    int32_t *key;                 /* of a box: its place in the order of the calls; -1: a leaf */
    int32_t *weight;              /* of a box: EBB__ON_TAPE when backward goes through it, else 1 */
    int32_t *node_box, *leaf_box; /* -1: not visible */
    int32_t *cell_of, *vertex_of; /* of a box: the cell inside it or -1; its vertex in the cell around it */
    int32_t *items;               /* boxes by cell, then key */
    int32_t *host, *satellites, *next; /* a leaf beside the one box that reads it; lists of them; -1 */
    float *beside_u, *beside_v, *lane; /* a satellite's place beside its host's middle; the lane of its wire */
    float *points;
} ebb__plan;

enum { EBB__TITLE = 22, EBB__PAD = 12, EBB__BESIDE = 18 }; /* BESIDE: between a satellite and its box */

/* Each -> false when memory is short. In this order: */
bool ebb__layout_visible(ebb__plan *p); /* boxes and wires, sizes from the text */
bool ebb__layout_cells(ebb__plan *p);   /* satellites, edges, cells */
/* For each cell, the inner ones first: */
bool ebb__layout_vertices(ebb__plan *p, ebb__cell *c); /* needs the sizes of the frames in it */
bool ebb__layout_rank(ebb__plan *p, ebb__cell *c);
bool ebb__layout_trunks(ebb__plan *p, ebb__cell *c);
bool ebb__layout_order(ebb__plan *p, ebb__cell *c);
bool ebb__layout_place(ebb__plan *p, ebb__cell *c);
bool ebb__layout_route(ebb__plan *p);

/* The place of a source's port on the border of frame `box` where it comes in or goes out, beside the frame's middle, and which it is in their order; 0 on
 * other boxes. */
float ebb__port(const ebb__plan *p, int32_t box, int32_t src, bool in, int32_t *slot);
const ebb__trunk *ebb__trunk_of(const ebb__cell *c, int32_t src); /* NULL: none */

/* The way of the gradient goes before any other: a vertex on it counts as much as this many beside it. */
enum { EBB__ON_TAPE = 64 };
static inline int32_t ebb__weight(const ebb__plan *p, const ebb__vertex *v) {
    return v->box < 0 ? 0 : p->weight[v->box];
}

/* A leaf, or where the wire of a leaf comes in. */
static inline bool ebb__is_leaf(const ebb__plan *p, const ebb__vertex *v) {
    const int32_t box = v->box >= 0 ? v->box : v->src;
    return box >= 0 && p->boxes[box].kind == EBB_BOX_TENSOR;
}

/* A box's size along and across the flow. */
static inline float ebb__along(const ebb__plan *p, int32_t box) {
    return p->right ? p->boxes[box].w : p->boxes[box].h;
}
static inline float ebb__across(const ebb__plan *p, int32_t box) {
    return p->right ? p->boxes[box].h : p->boxes[box].w;
}

/* What lies between a frame's border and its cell: before and behind, along the flow and across it. The title is on top either way. */
static inline float ebb__inner_along(const ebb__plan *p) { return p->right ? EBB__PAD : EBB__TITLE; }
static inline float ebb__inner_across(const ebb__plan *p) {
    return p->right ? EBB__TITLE + EBB__PAD : EBB__PAD;
}

/* The words in a box: two lines, the second may be empty. -> how many characters the longer one has. */
int ebb__box_text(const ebb_trace_step *t, const ebb_box *b, char first[64], char second[64]);
#endif
