/* layout_order.c - floor 6: the order of the vertices on each rank of a cell: few crossings, and the same every time.
 *
 * Begins with a search in depth that puts what follows before what runs alongside, then sweeps down and up by barycentres (Sugiyama, Tagawa, Toda 1981) with
 * stable sorting, then exchanges neighbours (Gansner, Koutsofios, North, Vo 1993); the order with the fewest crossings stays, counted with a
 * tree of sums (Barth, Juenger, Mutzel 2002). A drawing without crossings is left as it is, so that small changes of a graph change little. */
#include "layout.h"
#include <string.h>

enum {
    SWEEPS = 8,
    LARGE = 60000,
    SWEEPS_LARGE = 3,
    EXCHANGES = 4,
    EXCHANGE_DEGREE = 16,
    EXCHANGE_VERTICES = 4000
};

typedef struct {
    const ebb__plan *p;
    ebb__cell *c;
    float *key;
    int32_t *temp, *best, *tree,
        *slot; /* slot: the first of each vertex' places where wires come in, counted along its rank */
} sorter;

static const ebb__segment *below(const ebb__cell *c, int32_t k) { return &c->segments[c->down_of[k]]; }
static const ebb__segment *above(const ebb__cell *c, int32_t k) { return &c->segments[c->up_of[k]]; }

static void number(ebb__cell *c, int32_t rank) {
    for (int32_t i = c->rank[rank]; i < c->rank[rank + 1]; i++) c->v[c->order[i]].pos = i - c->rank[rank];
}

/* ---- the first order ---- */

typedef struct {
    int32_t *stack, *at, *fill;
    bool *seen;
} search;

/* Everything below the root that was not seen yet, each behind what its rank holds already. */
static void descend(ebb__cell *c, search *s, int32_t root) {
    int32_t n = 0;
    s->stack[n++] = root;
    while (n) {
        const int32_t v = s->stack[n - 1];
        if (!s->seen[v]) {
            s->seen[v] = true, s->at[v] = c->down[v];
            c->order[s->fill[c->v[v].rank]++] = v;
        }
        if (s->at[v] == c->down[v + 1]) {
            n--;
            continue;
        }
        const int32_t w = below(c, s->at[v]++)->low;
        if (!s->seen[w]) s->stack[n++] = w;
    }
}

/* The leaves that come in alongside stand to the left, as those do that are satellites; then the longest way, then what runs beside it. */
static bool first_order(ebb__plan *p, ebb__cell *c) {
    search s = {.stack = EBB__NEW(&p->mem, c->n + 1, int32_t), .at = EBB__NEW(&p->mem, c->n, int32_t)};
    s.fill = EBB__NEW(&p->mem, c->n_ranks + 1, int32_t), s.seen = EBB__NEW(&p->mem, c->n, bool);
    int32_t *roots = EBB__NEW(&p->mem, c->n, int32_t), *wide = EBB__NEW(&p->mem, c->n_ranks + 1, int32_t);
    if (!s.stack || !s.at || !s.fill || !s.seen || !roots || !wide) return false;
    int32_t longest = 0;
    for (int32_t r = 0; r < c->n_ranks; r++) s.fill[r] = c->rank[r];
    for (int32_t v = 0; v < c->n; v++) {
        roots[s.fill[c->v[v].rank]++] = v; /* by rank, then index */
        if (c->depth[v] + c->height[v] > longest) longest = c->depth[v] + c->height[v];
    }
    for (int32_t r = 0; r < c->n_ranks; r++) s.fill[r] = c->rank[r];
    for (int kind = 0; kind < 3; kind++) {
        for (int32_t i = 0; i < c->n; i++) {
            const int32_t v = roots[i];
            if (s.seen[v] || c->up[v] != c->up[v + 1]) continue;
            if (kind == 0 ? c->depth[v] + c->height[v] == longest : kind == 2 || !ebb__is_leaf(p, &c->v[v]))
                descend(c, &s, v);
        }
        if (kind == 1) /* what is left comes from leaves */
            for (int32_t r = 0; r < c->n_ranks; r++) wide[r] = s.fill[r] - c->rank[r];
    }
    for (int32_t r = 0; r < c->n_ranks; r++) { /* to the front with it */
        const int32_t n = c->rank[r + 1] - c->rank[r], *from = c->order + c->rank[r];
        for (int32_t i = 0; i < n; i++) roots[c->rank[r] + i] = from[(wide[r] + i) % n];
    }
    memcpy(c->order, roots, (size_t)c->n * sizeof *roots);
    for (int32_t r = 0; r < c->n_ranks; r++) number(c, r);
    return true;
}

/* ---- crossings ---- */

static int32_t end_slot(const sorter *s, int32_t k) {
    return s->slot[below(s->c, k)->low] + below(s->c, k)->low_slot;
}

/* Of the segments below a rank. Those of one vertex begin side by side, in the order of its ports. */
static int64_t crossings_below(const sorter *s, int32_t rank) {
    const ebb__cell *c = s->c;
    int32_t n = 0;
    for (int32_t i = c->rank[rank + 1]; i < c->rank[rank + 2]; i++) {
        s->slot[c->order[i]] = n;
        n += c->v[c->order[i]].slots;
    }
    memset(s->tree, 0, (size_t)(n + 1) * sizeof *s->tree);
    int64_t crossings = 0;
    int32_t total = 0;
    for (int32_t i = c->rank[rank]; i < c->rank[rank + 1]; i++) {
        const int32_t end = c->down[c->order[i] + 1];
        for (int32_t k = c->down[c->order[i]], next; k < end; k = next) {
            for (next = k; next < end && below(c, next)->up_slot == below(c, k)->up_slot; next++) {
                int32_t sum = 0; /* those begun before that do not end behind */
                for (int32_t at = end_slot(s, next) + 1; at; at &= at - 1) sum += s->tree[at];
                crossings += total - sum;
            }
            total += next - k;
            for (int32_t j = k; j < next; j++)
                for (int32_t at = end_slot(s, j) + 1; at <= n; at += at & -at) s->tree[at]++;
        }
    }
    return crossings;
}

static int64_t crossings(const sorter *s) {
    int64_t n = 0;
    for (int32_t r = 0; r + 1 < s->c->n_ranks; r++) n += crossings_below(s, r);
    return n;
}

/* ---- sweeps ---- */

/* A vertex's place on its rank, with the place of a port on a wide frame as a fraction. */
static float place(const ebb__vertex *v, float beside) {
    const float wide = v->hi > 1 ? v->hi : 1;
    return (float)v->pos + 0.45f * (beside > wide ? 1 : beside < -wide ? -1 : beside / wide);
}

/* Stable merge sort of the n vertices at a by their keys. */
static void sort(const sorter *s, int32_t *a, int32_t n) {
    int32_t *from = a, *to = s->temp;
    for (int32_t run = 1; run < n; run *= 2) {
        for (int32_t lo = 0; lo < n; lo += 2 * run) {
            const int32_t mid = lo + run < n ? lo + run : n, hi = lo + 2 * run < n ? lo + 2 * run : n;
            for (int32_t i = lo, l = lo, r = mid; i < hi; i++)
                to[i] = l < mid && (r == hi || s->key[from[l]] <= s->key[from[r]]) ? from[l++] : from[r++];
        }
        int32_t *t = from;
        from = to, to = t;
    }
    if (from != a) memcpy(a, from, (size_t)n * sizeof *a);
}

static void sort_rank(const sorter *s, int32_t rank, bool down) {
    ebb__cell *c = s->c;
    bool sorted = true;
    float last = -1;
    for (int32_t i = c->rank[rank]; i < c->rank[rank + 1]; i++) {
        const int32_t v = c->order[i];
        float sum = 0;
        int32_t n = 0;
        if (down)
            for (int32_t k = c->up[v]; k < c->up[v + 1]; k++, n++)
                sum += place(&c->v[above(c, k)->up], above(c, k)->up_port);
        else
            for (int32_t k = c->down[v]; k < c->down[v + 1]; k++, n++)
                sum += place(&c->v[below(c, k)->low], below(c, k)->low_port);
        s->key[v] = n ? sum / (float)n : (float)c->v[v].pos;
        sorted &= s->key[v] >= last, last = s->key[v];
    }
    if (sorted) return;
    sort(s, c->order + c->rank[rank], c->rank[rank + 1] - c->rank[rank]);
    number(c, rank);
}

/* ---- exchanges ---- */

/* How many more crossings v and its right neighbour w have among their segments on one side as they stand than the other way round. */
static int32_t gain(const ebb__cell *c, int32_t v, int32_t w, bool up) {
    const int32_t *at = up ? c->up : c->down;
    int32_t more = 0;
    for (int32_t i = at[v]; i < at[v + 1]; i++)
        for (int32_t k = at[w]; k < at[w + 1]; k++) {
            const int32_t a = c->v[up ? above(c, i)->up : below(c, i)->low].pos;
            const int32_t b = c->v[up ? above(c, k)->up : below(c, k)->low].pos;
            more += (a > b) - (a < b);
        }
    return more;
}

static bool exchange(ebb__cell *c) {
    bool any = false;
    for (int32_t r = 0; r < c->n_ranks; r++)
        for (int32_t i = c->rank[r]; i + 1 < c->rank[r + 1]; i++) {
            const int32_t v = c->order[i], w = c->order[i + 1];
            const int32_t most_v = c->down[v + 1] - c->down[v] + c->up[v + 1] - c->up[v];
            const int32_t most_w = c->down[w + 1] - c->down[w] + c->up[w + 1] - c->up[w];
            if (most_v > EXCHANGE_DEGREE || most_w > EXCHANGE_DEGREE) continue;
            if (gain(c, v, w, true) + gain(c, v, w, false) <= 0) continue;
            c->order[i] = w, c->order[i + 1] = v;
            c->v[w].pos--, c->v[v].pos++;
            any = true;
        }
    return any;
}

bool ebb__layout_order(ebb__plan *p, ebb__cell *c) {
    if (!first_order(p, c)) return false;
    sorter s = {.p = p, .c = c};
    s.key = EBB__NEW(&p->mem, c->n, float);
    s.temp = EBB__NEW(&p->mem, c->n, int32_t), s.best = EBB__NEW(&p->mem, c->n, int32_t);
    s.tree = EBB__NEW(&p->mem, c->n + c->n_links + 1, int32_t), s.slot = EBB__NEW(&p->mem, c->n, int32_t);
    if (!s.key || !s.temp || !s.best || !s.tree || !s.slot) return false;
    const size_t bytes = (size_t)c->n * sizeof *s.best;
    int64_t fewest = crossings(&s);
    memcpy(s.best, c->order, bytes);
    const int sweeps = c->n > LARGE ? SWEEPS_LARGE : SWEEPS;
    for (int sweep = 0; sweep < sweeps && fewest; sweep++) {
        if (sweep % 2)
            for (int32_t r = c->n_ranks - 2; r >= 0; r--) sort_rank(&s, r, false);
        else
            for (int32_t r = 1; r < c->n_ranks; r++) sort_rank(&s, r, true);
        const int64_t now = crossings(&s);
        if (now >= fewest) continue;
        fewest = now;
        memcpy(s.best, c->order, bytes);
    }
    memcpy(c->order, s.best, bytes);
    for (int32_t r = 0; r < c->n_ranks; r++) number(c, r);
    for (int i = 0; i < EXCHANGES && fewest && c->n <= EXCHANGE_VERTICES; i++)
        if (!exchange(c)) break;
    return true;
}
