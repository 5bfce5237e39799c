/* layout_trunks.c - floor 6: the dummies of a cell's trunks, and the segments between neighbouring ranks that they consist of.
 *
 * A trunk has one dummy on each rank between its source and its last reader. Where one box reads many sources from afar, their trunks are *gathered*: they join
 * the longest of them. When all this is too much, the longest trunks have no dummies but run beside everything. */
#include "layout.h"

enum { FEW_DUMMIES = 1000, DUMMIES_EACH = 4, GATHERED = 6 };

static int32_t max_of(int32_t a, int32_t b) { return a > b ? a : b; }

static int32_t rank_of(const ebb__cell *c, const ebb__trunk *k) { return c->v[k->from].rank; }

/* The box that is the only one to read this trunk, from afar; -1: none, or a frame, where wires keep apart. */
static int32_t only_reader(const ebb__plan *p, const ebb__trunk *k) {
    const ebb__link *l = &p->links[k->link];
    return k->n_links == 1 && k->n_dummies && l->to >= 0 && p->cell_of[l->to] < 0 ? l->low : -1;
}

static bool gather(ebb__plan *p, ebb__cell *c) {
    int32_t *n = EBB__NEW(&p->mem, c->n_real, int32_t), *longest = EBB__NEW(&p->mem, c->n_real, int32_t);
    if (!n || !longest) return false;
    for (int32_t i = 0; i < c->n_trunks; i++) {
        const int32_t v = only_reader(p, &c->trunks[i]);
        if (v >= 0 && (!n[v]++ || c->trunks[i].n_dummies > c->trunks[longest[v]].n_dummies)) longest[v] = i;
    }
    for (int32_t i = 0; i < c->n_trunks; i++) {
        const int32_t v = only_reader(p, &c->trunks[i]);
        c->trunks[i].joins = v >= 0 && n[v] >= GATHERED && longest[v] != i ? longest[v] : -1;
    }
    return true;
}

/* Decides which trunks have dummies, the short ones first. -> how many dummies, -1: memory is short */
static int32_t count_dummies(ebb__plan *p, ebb__cell *c) {
    const int32_t most = FEW_DUMMIES + DUMMIES_EACH * (c->n_real + c->n_links);
    int32_t *count = EBB__NEW(&p->mem, c->n_ranks + 2, int32_t),
            *by_length = EBB__NEW(&p->mem, c->n_trunks, int32_t);
    if (!count || !by_length) return -1;
    for (int32_t i = 0; i < c->n_trunks; i++) {
        ebb__trunk *k = &c->trunks[i];
        int32_t end = 0;
        for (int32_t j = k->link; j < k->link + k->n_links; j++)
            end = max_of(end, c->v[p->links[j].low].rank);
        k->n_dummies = end - rank_of(c, k) - 1;
        count[k->n_dummies + 1]++;
    }
    if (!gather(p, c)) return -1;
    for (int32_t r = 1; r <= c->n_ranks; r++) count[r] += count[r - 1];
    for (int32_t i = 0; i < c->n_trunks; i++) by_length[count[c->trunks[i].n_dummies]++] = i;
    int32_t total = 0;
    for (int32_t i = 0; i < c->n_trunks; i++) {
        ebb__trunk *k = &c->trunks[by_length[i]];
        if (k->joins >= 0) continue;
        k->far = k->n_dummies > most - total;
        if (k->far) k->n_dummies = 0;
        else total += k->n_dummies;
    }
    for (int32_t i = 0; i < c->n_trunks; i++) {
        ebb__trunk *k = &c->trunks[i];
        if (k->joins < 0 || !c->trunks[k->joins].far) continue;
        k->far = true, k->joins = -1, k->n_dummies = 0;
    }
    return total;
}

static bool add_dummies(ebb__plan *p, ebb__cell *c) {
    const int32_t total = count_dummies(p, c), n = c->n_real + (total < 0 ? 0 : total);
    ebb__vertex *v = total < 0 ? NULL : EBB__NEW(&p->mem, n, ebb__vertex);
    int32_t *depth = v ? EBB__NEW(&p->mem, n, int32_t) : NULL,
            *height = depth ? EBB__NEW(&p->mem, n, int32_t) : NULL;
    if (!height) return false;
    for (int32_t i = 0; i < c->n_real; i++) v[i] = c->v[i], depth[i] = c->depth[i], height[i] = c->height[i];
    c->v = v, c->n = c->n_real, c->depth = depth, c->height = height;
    for (int32_t i = 0; i < c->n_trunks; i++) {
        ebb__trunk *k = &c->trunks[i];
        if (k->joins >= 0) continue;
        k->dummy = c->n;
        for (int32_t d = 0; d < k->n_dummies; d++, c->n++) {
            v[c->n] = (ebb__vertex){.box = -1, .src = -1, .slots = 1, .rank = rank_of(c, k) + 1 + d};
            depth[c->n] = depth[k->from];
        }
        for (int32_t j = k->link; j < k->link + k->n_links && k->n_dummies; j++) {
            const ebb__link *l = &p->links[j];
            const int32_t last = k->dummy + v[l->low].rank - rank_of(c, k) - 2; /* the dummy just above it */
            if (last >= k->dummy)
                height[last] = max_of(height[last], height[l->low] + ebb__weight(p, &v[l->low]));
        }
        for (int32_t d = c->n - 2; d >= k->dummy; d--) height[d] = max_of(height[d], height[d + 1]);
    }
    for (int32_t i = 0; i < c->n_trunks; i++) {
        ebb__trunk *k = &c->trunks[i];
        if (k->joins >= 0)
            k->dummy = c->trunks[k->joins].dummy + rank_of(c, k) - rank_of(c, &c->trunks[k->joins]);
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
        int32_t begin_slot, slot;
        k->port = ebb__port(p, c->v[k->from].box, k->src, false, &begin_slot);
        for (int32_t j = k->link; j < k->link + k->n_links && k->joins < 0; j++) {
            ebb__link *l = &p->links[j];
            const int32_t over = c->v[l->low].rank - rank_of(c, k) - 1;
            l->port = ebb__port(p, l->to, k->src, true, &slot);
            if (over && k->far) continue;
            ebb__segment *s = &c->segments[c->n_segments++];
            *s = (ebb__segment){.up = over ? k->dummy + over - 1 : k->from,
                                .low = l->low,
                                .link = j,
                                .low_slot = slot,
                                .low_port = l->port};
            if (!over) s->up_slot = begin_slot, s->up_port = k->port;
        }
        for (int32_t d = 0; d < (k->joins < 0 ? k->n_dummies : 1); d++) {
            ebb__segment *s = &c->segments[c->n_segments++];
            *s = (ebb__segment){.up = d ? k->dummy + d - 1 : k->from, .low = k->dummy + d, .link = -1};
            if (!d) s->up_slot = begin_slot, s->up_port = k->port;
        }
    }
    return list_segments(p, c, &c->down, &c->down_of, false) && list_segments(p, c, &c->up, &c->up_of, true);
}

bool ebb__layout_trunks(ebb__plan *p, ebb__cell *c) {
    if (!add_dummies(p, c) || !make_segments(p, c)) return false;
    c->rank = EBB__NEW(&p->mem, c->n_ranks + 2, int32_t);
    c->order = EBB__NEW(&p->mem, c->n, int32_t);
    if (!c->rank || !c->order) return false;
    for (int32_t v = 0; v < c->n; v++) c->rank[c->v[v].rank + 1]++;
    for (int32_t r = 1; r <= c->n_ranks; r++) c->rank[r] += c->rank[r - 1];
    return true;
}
