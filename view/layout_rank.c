/* layout_rank.c - floor 6: which rank each vertex of a cell stands on, and the dummies and segments of its trunks.
 *
 * Layers by the longest path from the sources (Sugiyama, Tagawa, Toda 1981, in topological order, which the tape gives), at most about the square root of
 * them wide (Coffman and Graham 1972). What depends on leaves alone is then pulled down to just above those who read it. */
#include "layout.h"

enum { WIDEST = 14, FEW_DUMMIES = 1000, DUMMIES_EACH = 4 };

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
    bool *held = EBB__NEW(&p->mem, n, bool); /* by something above that is no leaf */
    c->depth = EBB__NEW(&p->mem, n, int32_t), c->height = EBB__NEW(&p->mem, n, int32_t);
    if (!next || !in_rank || !held || !c->depth || !c->height) return false;
    int32_t widest = WIDEST;
    while (widest * widest < 3 * n) widest++;
    for (int32_t r = 0; r < n + 3; r++) next[r] = r;
    int32_t last = 0;
    const int32_t first = n && !is_item(c, 0); /* those coming in have rank 0 for themselves */
    for (int32_t v = 0; v < n; v++) {
        int32_t r = c->v[v].rank;
        if (is_item(c, v)) {
            r = with_room(next, max_of(r, first));
            if (++in_rank[r] == widest) next[r] = r + 1;
            last = max_of(last, r);
        } else if (c->v[v].rank) { /* goes out; its turn comes after all boxes' */
            r = last + 1;
        }
        c->v[v].rank = r;
        if (!is_item(c, v) && !r && !ebb__is_leaf(p, &c->v[v]))
            c->depth[v] = n; /* the data's way comes before that of leaves */
        for (int32_t k = g->at[v]; k < g->at[v + 1]; k++) {
            const int32_t w = g->to[k];
            c->v[w].rank = max_of(c->v[w].rank, r + 1);
            c->depth[w] = max_of(c->depth[w], c->depth[v] + 1);
        }
    }
    c->n_ranks = n ? last + 1 + (n && !is_item(c, n - 1) && c->v[n - 1].rank > last) : 0;
    for (int32_t v = n - 1; v >= 0; v--) { /* next: the lowest rank it could have */
        next[v] = g->at[v] == g->at[v + 1] ? c->v[v].rank : c->n_ranks;
        for (int32_t k = g->at[v]; k < g->at[v + 1]; k++) {
            next[v] = min_of(next[v], next[g->to[k]] - 1);
            c->height[v] = max_of(c->height[v], c->height[g->to[k]] + 1);
        }
    }
    for (int32_t v = 0; v < n; v++) {
        held[v] |= next[v] == c->v[v].rank || !is_item(c, v);
        if (held[v] && !ebb__is_leaf(p, &c->v[v]))
            for (int32_t k = g->at[v]; k < g->at[v + 1]; k++) held[g->to[k]] = true;
    }
    for (int32_t v = n - 1; v >= 0; v--) {
        if (held[v]) continue;
        int32_t r = c->n_ranks;
        for (int32_t k = g->at[v]; k < g->at[v + 1]; k++) r = min_of(r, c->v[g->to[k]].rank - 1);
        while (r > c->v[v].rank && in_rank[r] >= widest) r--;
        in_rank[c->v[v].rank]--, in_rank[r]++;
        c->v[v].rank = r;
    }
    return true;
}

/* Gives trunks their dummies, the short ones first; those that are left when there are too many run beside everything. */
static bool add_dummies(ebb__plan *p, ebb__cell *c) {
    const int32_t most = FEW_DUMMIES + DUMMIES_EACH * (c->n_real + c->n_links);
    int32_t *count = EBB__NEW(&p->mem, c->n_ranks + 2, int32_t),
            *by_length = EBB__NEW(&p->mem, c->n_trunks, int32_t);
    if (!count || !by_length) return false;
    for (int32_t i = 0; i < c->n_trunks; i++) {
        ebb__trunk *k = &c->trunks[i];
        int32_t end = 0;
        for (int32_t j = k->link; j < k->link + k->n_links; j++)
            end = max_of(end, c->v[p->links[j].low].rank);
        k->n_dummies = end - c->v[k->from].rank - 1;
        count[k->n_dummies + 1]++;
    }
    for (int32_t r = 1; r <= c->n_ranks; r++) count[r] += count[r - 1];
    for (int32_t i = 0; i < c->n_trunks; i++) by_length[count[c->trunks[i].n_dummies]++] = i;
    int32_t total = 0;
    for (int32_t i = 0; i < c->n_trunks; i++) {
        ebb__trunk *k = &c->trunks[by_length[i]];
        k->far = k->n_dummies > most - total;
        if (k->far) k->n_dummies = 0;
        else total += k->n_dummies;
    }
    ebb__vertex *v = EBB__NEW(&p->mem, c->n_real + total, ebb__vertex);
    int32_t *depth = EBB__NEW(&p->mem, c->n_real + total, int32_t);
    int32_t *height = EBB__NEW(&p->mem, c->n_real + total, int32_t);
    if (!v || !depth || !height) return false;
    for (int32_t i = 0; i < c->n_real; i++) v[i] = c->v[i], depth[i] = c->depth[i], height[i] = c->height[i];
    c->v = v, c->n = c->n_real, c->depth = depth, c->height = height;
    for (int32_t i = 0; i < c->n_trunks; i++) {
        ebb__trunk *k = &c->trunks[i];
        k->dummy = c->n;
        for (int32_t d = 0; d < k->n_dummies; d++, c->n++) {
            v[c->n] = (ebb__vertex){.box = -1, .src = -1, .slots = 1, .rank = v[k->from].rank + 1 + d};
            depth[c->n] = depth[k->from];
        }
        for (int32_t j = k->link; j < k->link + k->n_links && k->n_dummies; j++) {
            const ebb__link *l = &p->links[j];
            const int32_t last = k->dummy + v[l->low].rank - v[k->from].rank - 2; /* the dummy just above it */
            if (last >= k->dummy) height[last] = max_of(height[last], height[l->low]);
        }
        for (int32_t d = c->n - 2; d >= k->dummy; d--) height[d] = max_of(height[d], height[d + 1]);
    }
    return true;
}

/* The segments of each vertex on one side, in the order of its ports. */
static bool list_segments(ebb__plan *p, const ebb__cell *c, int32_t **at, int32_t **of, bool up) {
    const int32_t n = c->n_segments;
    int32_t slots = 1; /* more than any slot */
    for (int32_t i = 0; i < n; i++)
        slots = max_of(slots, max_of(c->segments[i].up_slot, c->segments[i].low_slot) + 1);
    int32_t *a = *at = EBB__NEW(&p->mem, c->n + 2, int32_t), *o = *of = EBB__NEW(&p->mem, n, int32_t);
    int32_t *count = EBB__NEW(&p->mem, slots + 2, int32_t), *by_slot = EBB__NEW(&p->mem, n, int32_t);
    if (!a || !o || !count || !by_slot) return false;
    for (int32_t i = 0; i < n; i++) {
        const ebb__segment *s = &c->segments[i];
        count[(up ? s->low_slot : s->up_slot) + 2]++;
        a[(up ? s->low : s->up) + 2]++;
    }
    for (int32_t k = 2; k < slots + 2; k++) count[k] += count[k - 1];
    for (int32_t v = 2; v <= c->n; v++) a[v] += a[v - 1];
    for (int32_t i = 0; i < n; i++)
        by_slot[count[(up ? c->segments[i].low_slot : c->segments[i].up_slot) + 1]++] = i;
    for (int32_t i = 0; i < n; i++)
        o[a[(up ? c->segments[by_slot[i]].low : c->segments[by_slot[i]].up) + 1]++] = by_slot[i];
    return true;
}

static bool make_segments(ebb__plan *p, ebb__cell *c) {
    c->segments = EBB__NEW(&p->mem, c->n_links + c->n, ebb__segment);
    if (!c->segments) return false;
    for (int32_t i = 0; i < c->n_trunks; i++) {
        ebb__trunk *k = &c->trunks[i];
        const int32_t rank = c->v[k->from].rank;
        int32_t begin_slot, slot;
        k->port = ebb__port(p, c->v[k->from].box, k->src, false, &begin_slot);
        for (int32_t j = k->link; j < k->link + k->n_links; j++) {
            ebb__link *l = &p->links[j];
            const int32_t over = c->v[l->low].rank - rank - 1;
            l->port = ebb__port(p, l->to, k->src, true, &slot);
            if (over && k->far) continue;
            c->segments[c->n_segments++] = (ebb__segment){.up = over ? k->dummy + over - 1 : k->from,
                                                          .low = l->low,
                                                          .link = j,
                                                          .up_slot = over ? 0 : begin_slot,
                                                          .low_slot = slot,
                                                          .up_port = over ? 0 : k->port,
                                                          .low_port = l->port};
        }
        for (int32_t d = 0; d < k->n_dummies; d++)
            c->segments[c->n_segments++] = (ebb__segment){.up = d ? k->dummy + d - 1 : k->from,
                                                          .low = k->dummy + d,
                                                          .link = -1,
                                                          .up_slot = d ? 0 : begin_slot,
                                                          .up_port = d ? 0 : k->port};
    }
    return list_segments(p, c, &c->down, &c->down_of, false) && list_segments(p, c, &c->up, &c->up_of, true);
}

bool ebb__layout_rank(ebb__plan *p, ebb__cell *c) {
    edges g;
    if (!edges_below(p, c, &g) || !longest_paths(p, c, &g) || !add_dummies(p, c) || !make_segments(p, c))
        return false;
    c->rank = EBB__NEW(&p->mem, c->n_ranks + 2, int32_t);
    c->order = EBB__NEW(&p->mem, c->n, int32_t);
    if (!c->rank || !c->order) return false;
    for (int32_t v = 0; v < c->n; v++) c->rank[c->v[v].rank + 1]++;
    for (int32_t r = 1; r <= c->n_ranks; r++) c->rank[r] += c->rank[r - 1];
    return true;
}
