/* layout_rank.c - floor 6: which rank each vertex of a cell stands on.
 *
 * Layers by the longest path from the sources (Sugiyama, Tagawa, Toda 1981, in topological order, which the tape gives), at most about the square root of
 * them wide (Coffman and Graham 1972). What depends on leaves alone is then pulled down to just above those who read it. */
#include "layout.h"

enum { WIDEST = 14 };

/* Edges between real vertices by their upper end: to[at[v] .. at[v + 1]). */
typedef struct {
    int32_t *at, *to;
} edges;

static bool edges_below(ebb__plan *p, const ebb__cell *c, edges *out) {
    out->at = EBB__NEW(&p->mem, c->n_real + 2, int32_t), out->to = EBB__NEW(&p->mem, c->n_links, int32_t);
    if (!out->at || !out->to) return false;
    const ebb__link *l = p->links + c->link;
    for (int32_t i = 0; i < c->n_links; i++) out->at[l[i].up + 2]++;
    for (int32_t v = 2; v <= c->n_real; v++) out->at[v] += out->at[v - 1];
    for (int32_t i = 0; i < c->n_links; i++) out->to[out->at[l[i].up + 1]++] = l[i].low;
    return true;
}

static int32_t max_of(int32_t a, int32_t b) { return a > b ? a : b; }
static int32_t min_of(int32_t a, int32_t b) { return a < b ? a : b; }

static bool is_item(const ebb__cell *c, int32_t v) { return c->v[v].box >= 0; }

/* The first rank from r on that has room: next[r] leads there, shortened on the way. */
static int32_t with_room(int32_t *next, int32_t r) {
    int32_t to = r;
    while (next[to] != to) to = next[to];
    while (next[r] != to) {
        const int32_t n = next[r];
        next[r] = to, r = n;
    }
    return to;
}

static bool longest_paths(ebb__plan *p, ebb__cell *c, const edges *g) {
    const int32_t n = c->n_real;
    int32_t *next = EBB__NEW(&p->mem, n + 3, int32_t), *in_rank = EBB__NEW(&p->mem, n + 3, int32_t);
    c->depth = EBB__NEW(&p->mem, n, int32_t), c->height = EBB__NEW(&p->mem, n, int32_t);
    if (!next || !in_rank || !c->depth || !c->height) return false;
    for (c->widest = WIDEST; c->widest * c->widest < 3 * n;) c->widest++;
    for (int32_t r = 0; r < n + 3; r++) next[r] = r;
    int32_t last = 0;
    const int32_t first = n && !is_item(c, 0); /* those coming in have rank 0 for themselves */
    for (int32_t v = 0; v < n; v++) {
        int32_t r = c->v[v].rank;
        if (is_item(c, v)) {
            r = with_room(next, max_of(r, first));
            if (++in_rank[r] == c->widest) next[r] = r + 1;
            last = max_of(last, r);
        } else if (c->v[v].rank) { /* goes out; its turn comes after all boxes' */
            r = last + 1;
        }
        c->v[v].rank = r;
        if (!is_item(c, v) && !r && !ebb__is_leaf(p, &c->v[v]))
            c->depth[v] = EBB__ON_TAPE * n; /* the data's way comes before that of leaves */
        for (int32_t k = g->at[v]; k < g->at[v + 1]; k++) {
            const int32_t w = g->to[k];
            c->v[w].rank = max_of(c->v[w].rank, r + 1);
            c->depth[w] = max_of(c->depth[w], c->depth[v] + ebb__weight(p, &c->v[w]));
        }
    }
    c->n_ranks = n ? last + 1 + (n && !is_item(c, n - 1) && c->v[n - 1].rank > last) : 0;
    return true;
}

/* Lets vertices sink that lie higher than they need to: what only leaves lead to, until just above its first reader; others as far as the trunks they read
 * from go anyway, so that no trunk grows. */
static bool settle(ebb__plan *p, ebb__cell *c, const edges *g) {
    const int32_t n = c->n_real;
    int32_t *lowest = EBB__NEW(&p->mem, n, int32_t), *end = EBB__NEW(&p->mem, n, int32_t),
            *in_rank = EBB__NEW(&p->mem, c->n_ranks + 1, int32_t);
    bool *held = EBB__NEW(&p->mem, n, bool); /* by something above that is no leaf */
    if (!lowest || !end || !in_rank || !held) return false;
    for (int32_t v = n - 1; v >= 0; v--) { /* lowest: the rank it could have; end: that of its last reader */
        lowest[v] = g->at[v] == g->at[v + 1] ? c->v[v].rank : c->n_ranks;
        for (int32_t k = g->at[v]; k < g->at[v + 1]; k++) {
            lowest[v] = min_of(lowest[v], lowest[g->to[k]] - 1);
            end[v] = max_of(end[v], c->v[g->to[k]].rank);
            c->height[v] = max_of(c->height[v], c->height[g->to[k]] + ebb__weight(p, &c->v[g->to[k]]));
        }
        in_rank[c->v[v].rank]++;
    }
    for (int32_t v = 0; v < n; v++) {
        held[v] |= lowest[v] == c->v[v].rank || !is_item(c, v);
        if (held[v] && !ebb__is_leaf(p, &c->v[v]))
            for (int32_t k = g->at[v]; k < g->at[v + 1]; k++) held[g->to[k]] = true;
    }
    for (int32_t v = 0; v < n; v++) lowest[v] = held[v] && !is_item(c, v) ? 0 : c->n_ranks;
    for (int32_t v = 0; v < n; v++) /* from here on: how far it may sink */
        for (int32_t k = g->at[v]; k < g->at[v + 1]; k++)
            if (held[g->to[k]]) lowest[g->to[k]] = min_of(lowest[g->to[k]], end[v]);
    for (int32_t v = n - 1; v >= 0; v--) {
        int32_t r = g->at[v] == g->at[v + 1] ? 0 : lowest[v];
        for (int32_t k = g->at[v]; k < g->at[v + 1]; k++) r = min_of(r, c->v[g->to[k]].rank - 1);
        while (r > c->v[v].rank && in_rank[r] >= c->widest) r--;
        if (r <= c->v[v].rank) continue;
        in_rank[c->v[v].rank]--, in_rank[r]++;
        c->v[v].rank = r;
    }
    return true;
}

bool ebb__layout_rank(ebb__plan *p, ebb__cell *c) {
    edges g;
    return edges_below(p, c, &g) && longest_paths(p, c, &g) && settle(p, c, &g);
}
