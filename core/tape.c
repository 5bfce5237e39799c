/* tape.c - floor 2: recording on the tape and cutting it; see tape.h. */
#include "tape.h"

enum { CHUNK = 1 << 16 };

ebb_status ebb__tape_open(ebb *e) {
    e->tape = (ebb__tape *)ebb__get0(e, sizeof *e->tape);
    return e->tape ? EBB_OK : e->code;
}

ebb__node *ebb__node_live(const ebb_tensor *t) {
    if (!t->node) return NULL;
    const ebb__tape *tape = t_session(t)->tape;
    if (t->node > tape->n) return NULL;
    ebb__node *n = tape->node[t->node - 1];
    return n->epoch == t->epoch ? n : NULL;
}

bool ebb__needs(const ebb_tensor *t) { return (t->flags & T_REQUIRES) || t->node; }
bool ebb_is_leaf(const ebb_tensor *t) { return t && !t->node; }

ebb__edge ebb__edge_of(ebb_tensor *t) {
    if (t->flags & T_REQUIRES) return (ebb__edge)(uintptr_t)t | 1;
    if (t->node) return (ebb__edge)(t->node - 1) << 8 | (ebb__edge)t->out << 2 | 2;
    return 0;
}

const ebb_vjp_rule *ebb__rule_of(const ebb__entry *x, int input) {
    const size_t i = x->variadic && x->op->n_vjp == 1 ? 0 : (size_t)input;
    return i < x->op->n_vjp && x->op->vjp[i].rule ? &x->op->vjp[i] : NULL;
}

/* ---- the arena ---- */

static void *arena_get(ebb *e, size_t bytes) {
    ebb__tape *t = e->tape;
    if (!t->chunk || t->chunk->size - t->chunk->used < bytes) {
        ebb__chunk *c = t->spare;
        if (c && c->size >= bytes + sizeof *c) {
            t->spare = NULL;
        } else {
            const size_t size = bytes + sizeof *c > CHUNK ? bytes + sizeof *c : CHUNK;
            c = (ebb__chunk *)ebb__get(e, size);
            if (!c) return NULL;
            c->size = size;
        }
        c->prev = t->chunk;
        c->used = sizeof *c;
        t->chunk = c;
    }
    void *p = (char *)t->chunk + t->chunk->used;
    t->chunk->used += bytes;
    t->bytes += bytes;
    return p;
}

static void arena_give_back(ebb *e, size_t bytes) {
    e->tape->chunk->used -= bytes;
    e->tape->bytes -= bytes;
}

/* Gives back the newest record. */
static void arena_pop(ebb *e, size_t bytes) {
    ebb__tape *t = e->tape;
    arena_give_back(e, bytes);
    if (t->chunk->used > sizeof *t->chunk || !t->chunk->prev) return;
    ebb__chunk *c = t->chunk;
    t->chunk = c->prev;
    if (t->spare) ebb__put(e, t->spare, t->spare->size);
    t->spare = c;
}

void ebb__node_spend(ebb *e, ebb__node *n) {
    (void)e;
    if (n->flags & N_SPENT) return;
    n->flags |= N_SPENT;
    for (int i = 0; i < n->n_saved; i++) {
        ebb__drop(n_saved(n)[i].t);
        n_saved(n)[i].t = NULL;
    }
}

void ebb__tape_cut(ebb *e, size_t n) {
    ebb__tape *t = e->tape;
    if (n >= t->n) return;
    t->epoch++;
    bool hooked = false;
    while (t->n > n) {
        ebb__node *x = t->node[t->n - 1];
        hooked = hooked || (x->flags & N_HOOKED);
        ebb__node_spend(e, x);
        for (int i = 0; i < x->n_x; i++)
            if (n_edges(x)[i] & 1) ebb__drop((ebb_tensor *)(uintptr_t)(n_edges(x)[i] & ~(ebb__edge)1));
        for (int j = 0; j < x->n_y; j++) ebb__drop(n_g(x)[j]);
        t->n--;
        arena_pop(e, (size_t)x->size8 * 8);
    }
    if (hooked) ebb__hooks_sweep(e);
}

/* ---- recording ---- */

ebb_status ebb__tape_reserve(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in) {
    size_t dims = 16;
    for (int i = 0; i < n_x; i++) dims += in[i] ? in[i]->ndim : 0;
    const size_t most = sizeof(ebb__node) + (size_t)n_x * (sizeof(ebb__edge) + sizeof(ebb__saved) + 2) + 64 +
                        8 * dims + x->op->attrs_size + 1024; /* and of a view's place in its base */
    if (!ebb__grow(e, &e->tape->node, &e->tape->cap, e->tape->n, 3, sizeof *e->tape->node)) return e->code;
    if (!arena_get(e, most)) return e->code;
    arena_give_back(e, most);
    return EBB_OK;
}

/* A new node's record, with its head filled in; not yet on the tape. */
static ebb__node *node_new(ebb *e, const ebb__entry *x, int n_x, int n_y, int n_saved_, size_t dims) {
    ebb__tape *tape = e->tape;
    const size_t meta = (2u * (size_t)(n_x + n_y) + 7) / 8 * 8;
    const size_t bytes = (sizeof(ebb__node) + sizeof(ebb__edge) * (size_t)n_x + sizeof(ebb_tensor *) * (size_t)n_y +
                          sizeof(ebb__saved) * (size_t)n_saved_ + meta + 8 * dims + x->op->attrs_size + 7) &
                         ~(size_t)7;
    if (bytes / 8 > UINT16_MAX) {
        ebb_fail(e, EBB_E_ARG, "%s: too much to record (%d inputs, %zu bytes of attributes)", x->op->name,
                 n_x, x->op->attrs_size);
        return NULL;
    }
    if (!ebb__grow(e, &tape->node, &tape->cap, tape->n, 1, sizeof *tape->node)) return NULL;
    ebb__node *n = (ebb__node *)arena_get(e, bytes);
    if (n)
        *n = (ebb__node){.x = x,
                         .epoch = tape->epoch,
                         .region = e->region,
                         .size8 = (uint16_t)(bytes / 8),
                         .n_dims = (uint16_t)dims,
                         .n_saved = (uint8_t)n_saved_,
                         .n_x = (uint8_t)n_x,
                         .n_y = (uint8_t)n_y};
    return n;
}

/* Puts the node on the tape: y become its outputs. d: where the sizes of its outputs go. */
static void node_add(ebb *e, ebb__node *n, ebb_tensor *const *y, uint64_t reads, ebb__saved *save, int64_t *d,
                     const void *attrs) {
    ebb__tape *tape = e->tape;
    uint8_t *m = n_meta(n);
    for (int j = 0; j < n->n_y; j++) {
        n_g(n)[j] = NULL;
        m[2 * (n->n_x + j)] = y[j]->dtype;
        m[2 * (n->n_x + j) + 1] = y[j]->ndim;
        for (int k = 0; k < y[j]->ndim; k++) *d++ = t_shape(y[j])[k];
        if (reads >> (32 + j) & 1) {
            y[j]->refs++;
            *save++ = (ebb__saved){y[j], y[j]->root->version, (uint8_t)(32 + j)};
        }
        if (y[j]->dtype == EBB_F32 || y[j]->dtype == EBB_F64) {
            y[j]->node = (uint32_t)tape->n + 1;
            y[j]->epoch = tape->epoch;
            y[j]->out = (uint16_t)j;
        }
    }
    if (n->x->op->attrs_size) memcpy(n_attrs(n), attrs, n->x->op->attrs_size);
    if (!e->scope && e->kept_from < tape->n)
        e->kept_from = SIZE_MAX; /* what was kept lies below nodes that belong to no scope */
    tape->node[tape->n++] = n;
}

ebb_status ebb__record(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in, int n_y,
                       ebb_tensor *const *y, const void *attrs) {
    uint64_t reads = 0;
    size_t dims = 0;
    for (int i = 0; i < n_x; i++) {
        if (!in[i]) continue;
        dims += in[i]->ndim;
        const ebb_vjp_rule *r = ebb__needs(in[i]) ? ebb__rule_of(x, i) : NULL;
        if (r) reads |= r->reads;
    }
    int n_saved_ = 0;
    for (int i = 0; i < n_x && i < 32 && reads; i++) n_saved_ += in[i] && (reads >> i & 1);
    for (int j = 0; j < n_y; j++) {
        dims += y[j]->ndim;
        n_saved_ += (int)(reads >> (32 + j) & 1);
    }
    ebb__node *n = node_new(e, x, n_x, n_y, n_saved_, dims);
    if (!n) return e->code;
    ebb__edge *edge = n_edges(n);
    ebb__saved *save = n_saved(n);
    uint8_t *m = n_meta(n);
    int64_t *d = n_dims(n);
    for (int i = 0; i < n_x; i++) {
        ebb_tensor *t = in[i];
        edge[i] = 0;
        m[2 * i] = t ? t->dtype : 0;
        m[2 * i + 1] = t ? t->ndim : 0;
        if (!t) continue;
        for (int k = 0; k < t->ndim; k++) *d++ = t_shape(t)[k];
        if (ebb__rule_of(x, i)) {
            edge[i] = ebb__edge_of(t);
            if (edge[i] & 1) t->refs++;
        }
        if (i < 32 && (reads >> i & 1)) {
            t->refs++;
            *save++ = (ebb__saved){t, t->root->version, (uint8_t)i};
        }
    }
    node_add(e, n, y, reads, save, d, attrs);
    return EBB_OK;
}

ebb_status ebb__record_edges(ebb *e, const ebb__entry *x, int n_edges_, const ebb__edge *edges, int n_saved_,
                             ebb_tensor *const *saved, const uint8_t *slot, int n_y, ebb_tensor *const *y,
                             const void *attrs) {
    ebb_shape from[EBB__MAX_EDGES], shapes[EBB__MAX_EDGES + MAX_OUT];
    size_t dims = 0;
    for (int i = 0; i < n_edges_; i++) {
        if (edges[i] & 1) {
            const ebb_tensor *leaf = (const ebb_tensor *)(uintptr_t)(edges[i] & ~(ebb__edge)1);
            from[i] = (ebb_shape){leaf->dtype, leaf->ndim, t_shape(leaf)};
        } else {
            const ebb__node *n = e->tape->node[edges[i] >> 8];
            ebb__node_shapes(n, shapes);
            from[i] = shapes[n->n_x + (edges[i] >> 2 & 63)];
        }
        dims += (size_t)from[i].ndim;
    }
    for (int j = 0; j < n_y; j++) dims += y[j]->ndim;
    ebb__node *n = node_new(e, x, n_edges_, n_y, n_saved_, dims);
    if (!n) return e->code;
    int64_t *d = n_dims(n);
    for (int i = 0; i < n_edges_; i++) {
        n_edges(n)[i] = edges[i];
        if (edges[i] & 1) ((ebb_tensor *)(uintptr_t)(edges[i] & ~(ebb__edge)1))->refs++;
        n_meta(n)[2 * i] = (uint8_t)from[i].dtype;
        n_meta(n)[2 * i + 1] = (uint8_t)from[i].ndim;
        for (int k = 0; k < from[i].ndim; k++) *d++ = from[i].dim[k];
    }
    for (int i = 0; i < n_saved_; i++) {
        saved[i]->refs++;
        n_saved(n)[i] = (ebb__saved){saved[i], saved[i]->root->version, slot[i]};
    }
    node_add(e, n, y, 0, NULL, d, attrs);
    return EBB_OK;
}

/* ---- the walk ---- */

void ebb__node_shapes(const ebb__node *n, ebb_shape *s) {
    const int64_t *d = n_dims(n);
    for (int i = 0; i < n->n_x + n->n_y; i++) {
        s[i] = (ebb_shape){n_meta(n)[2 * i], n_meta(n)[2 * i + 1], d};
        d += s[i].ndim;
    }
}

int64_t ebb_tape_len(const ebb *e) { return e ? (int64_t)e->tape->n : 0; }
int64_t ebb_node_of(const ebb_tensor *t) { return t && ebb__node_live(t) ? (int64_t)t->node - 1 : -1; }
