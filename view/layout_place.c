/* layout_place.c - floor 6: where the vertices of a cell stand: lines across the flow, bands along it.
 *
 * Vertices that follow each other are joined to *blocks*, straight lines, as long as none of them cross: first the longest paths, then the dummies of
 * trunks, then whatever is left (after Brandes and Koepf 2001, with ports as Schulze, Spoenemann and von Hanxleden 2014 do it). Blocks are packed as
 * their neighbours allow and then drawn to the middle of what they are joined to, in sweeps (the linear segments of Sander 1996). */
#include "layout.h"
#include <string.h>

enum { BOX_GAP = 26, WIRE_GAP = 16, PORT_STEP = 14, SWEEPS = 8 };

typedef struct {
    ebb__plan *p;
    ebb__cell *c;
    int32_t *joined_up, *joined_down; /* of a vertex: the segment that its block goes on by; -1 */
    int32_t *block, *by_block;        /* of a vertex; vertices by block */
    int32_t *first;                   /* of by_block, per block */
    int32_t n_blocks, main;           /* main: the block that holds most of a longest path: it stays; -1 */
    float *shift, *x;                 /* a vertex's line beside its block's; a block's line */
    int32_t *sorted;                  /* blocks from left to right */
    int32_t *least, *most;
    bool *goes_on; /* dummies that another follows */
} placer;

static bool is_dummy(const ebb__cell *c, int32_t v) { return v >= c->n_real; }

/* How long the longest way through this segment is. */
static int32_t length_of(const ebb__plan *p, const ebb__cell *c, const ebb__segment *s) {
    return c->depth[s->up] + c->height[s->low] + ebb__weight(p, &c->v[s->low]);
}

/* What a vertex would rather go on by: the longest way, of two that are as long the one without dummies. */
static int32_t rather(const ebb__plan *p, const ebb__cell *c, const ebb__segment *s) {
    return 2 * length_of(p, c, s) + !(is_dummy(c, s->up) || is_dummy(c, s->low));
}

/* ---- ports of boxes: the segment of the longest way ends in the middle, the others beside it in their order ---- */

static void spread_ports(placer *q) {
    ebb__cell *c = q->c;
    memcpy(q->first, c->up, (size_t)c->n * sizeof *q->first);
    for (int32_t i = 0; i < c->n; i++) /* lists of segments in the order of their upper ends */
        for (int32_t k = c->down[c->order[i]]; k < c->down[c->order[i] + 1]; k++)
            c->up_of[q->first[c->segments[c->down_of[k]].low]++] = c->down_of[k];
    for (int32_t v = 0; v < c->n_real; v++) {
        const int32_t n = c->up[v + 1] - c->up[v], *of = c->up_of + c->up[v];
        int32_t main = 0;
        if (c->v[v].box < 0 || q->p->cell_of[c->v[v].box] >= 0 || n < 2) continue;
        for (int32_t i = 1; i < n; i++)
            if (rather(q->p, c, &c->segments[of[i]]) > rather(q->p, c, &c->segments[of[main]])) main = i;
        const int32_t side = main > n - 1 - main ? main : n - 1 - main;
        const float room = (c->v[v].hi - 8) / (float)side, step = room < PORT_STEP ? room : PORT_STEP;
        for (int32_t i = 0; i < n; i++) {
            ebb__segment *s = &c->segments[of[i]];
            q->p->links[s->link].port = s->low_port = step * (float)(i - main);
        }
    }
}

/* ---- blocks ---- */

enum { LONGEST, TRUNK, MUTUAL, REST, KINDS };

/* Joins the segments of one kind below rank r from left to right, where they cross none that are joined. */
static void join(placer *q, int32_t r, int kind, int32_t longest) {
    ebb__cell *c = q->c;
    const int32_t n_low = c->rank[r + 2] - c->rank[r + 1], *lower = c->order + c->rank[r + 1];
    const int32_t n_up = c->rank[r + 1] - c->rank[r];
    int32_t most = n_up; /* most[i]: the upper end of a lower vertex i must stand before this */
    for (int32_t i = n_low - 1; i >= 0; i--) {
        q->most[i] = most;
        const int32_t s = q->joined_up[lower[i]];
        if (s >= 0) most = c->v[c->segments[s].up].pos;
    }
    int32_t last = -1;
    for (int32_t i = 0; i < n_low; i++) {
        const int32_t w = lower[i], n = c->up[w + 1] - c->up[w], *of = c->up_of + c->up[w];
        if (q->joined_up[w] >= 0) {
            last = c->v[c->segments[q->joined_up[w]].up].pos;
            continue;
        }
        int32_t best = -1, most_liked = -1;
        for (int32_t k = 0; k < n; k++) { /* from the middle outwards */
            const int32_t s = of[(n - 1) / 2 + (k % 2 ? (k + 1) / 2 : -(k / 2))], u = c->segments[s].up;
            const int32_t liked = rather(q->p, c, &c->segments[s]);
            const bool both = is_dummy(c, u) && is_dummy(c, w), leaves = q->goes_on[u] && !is_dummy(c, w);
            if (q->joined_down[u] >= 0 || c->v[u].pos <= last || c->v[u].pos >= q->most[i]) continue;
            if ((kind == LONGEST && length_of(q->p, c, &c->segments[s]) != longest) ||
                (kind == TRUNK && !both) || (kind != REST && leaves) ||
                (is_dummy(c, w) && !is_dummy(c, u) && n > 1) || (kind != REST && !both && q->least[u] != s))
                continue;
            if (liked > most_liked) best = s, most_liked = liked;
        }
        if (best < 0) continue;
        q->joined_up[w] = best, q->joined_down[c->segments[best].up] = best;
        last = c->v[c->segments[best].up].pos;
    }
}

static void make_blocks(placer *q) {
    ebb__cell *c = q->c;
    int32_t longest = 0;
    for (int32_t v = 0; v < c->n; v++) {
        q->joined_up[v] = q->joined_down[v] = q->least[v] = -1;
        if (v < c->n_real && c->depth[v] + c->height[v] > longest) longest = c->depth[v] + c->height[v];
        int32_t as_good = 0;
        for (int32_t k = c->down[v]; k < c->down[v + 1]; k++) { /* least: what v would go on by */
            const int32_t s = c->down_of[k];
            if (is_dummy(c, v) && is_dummy(c, c->segments[s].low)) q->goes_on[v] = true;
            const int32_t more =
                q->least[v] < 0 ? 1
                                : rather(q->p, c, &c->segments[s]) - rather(q->p, c, &c->segments[q->least[v]]);
            if (more > 0) q->least[v] = s, as_good = 0;
            else if (more == 0 && ++as_good % 2 == 0)
                q->least[v] = c->down_of[k - as_good / 2]; /* the middle one of them */
        }
    }
    for (int32_t r = 0; r + 1 < c->n_ranks; r++)
        for (int kind = 0; kind < KINDS; kind++) join(q, r, kind, longest);
    for (int32_t v = 0; v < c->n; v++) q->block[v] = -1;
    int32_t n = 0, most = 0;
    q->main = -1;
    for (int32_t i = 0; i < c->n; i++) { /* by rank, so that a block begins with its uppermost vertex */
        int32_t v = c->order[i];
        if (q->block[v] >= 0) continue;
        q->first[q->n_blocks] = n;
        int32_t on_longest = 0;
        for (float shift = 0;;) {
            q->block[v] = q->n_blocks, q->shift[v] = shift, q->by_block[n++] = v;
            const int32_t s = q->joined_down[v];
            if (s < 0) break;
            on_longest += length_of(q->p, c, &c->segments[s]) == longest;
            shift += c->segments[s].up_port - c->segments[s].low_port;
            v = c->segments[s].low;
        }
        if (on_longest > most) most = on_longest, q->main = q->n_blocks;
        q->n_blocks++;
    }
    q->first[q->n_blocks] = n;
}

/* ---- lines ---- */

static float gap(const ebb__cell *c, int32_t a, int32_t b) {
    return c->v[a].hi + c->v[b].lo + (c->v[a].box >= 0 && c->v[b].box >= 0 ? BOX_GAP : WIRE_GAP);
}

static int32_t neighbour(const ebb__cell *c, int32_t v, int32_t step) {
    const int32_t r = c->v[v].rank, at = c->rank[r] + c->v[v].pos + step;
    return at >= c->rank[r] && at < c->rank[r + 1] ? c->order[at] : -1;
}

/* Blocks from left to right: each behind all whose vertices have one of its own to their right. */
static void sort_blocks(placer *q) {
    ebb__cell *c = q->c;
    int32_t *waits = q->least, n = 0;
    memset(waits, 0, (size_t)c->n * sizeof *waits);
    for (int32_t v = 0; v < c->n; v++) waits[q->block[v]] += c->v[v].pos > 0;
    for (int32_t b = 0; b < q->n_blocks; b++)
        if (!waits[b]) q->sorted[n++] = b;
    for (int32_t i = 0; i < n; i++)
        for (int32_t k = q->first[q->sorted[i]]; k < q->first[q->sorted[i] + 1]; k++) {
            const int32_t right = neighbour(c, q->by_block[k], 1);
            if (right >= 0 && !--waits[q->block[right]]) q->sorted[n++] = q->block[right];
        }
}

/* Where block b may stand: from *lo to *hi; and where it would like to: the mean of what it is joined to. */
static float wish(const placer *q, int32_t b, float *lo, float *hi) {
    const ebb__cell *c = q->c;
    float sum = 0, n = 0;
    *lo = -1e30f, *hi = 1e30f;
    for (int32_t i = q->first[b]; i < q->first[b + 1]; i++) {
        const int32_t v = q->by_block[i], left = neighbour(c, v, -1), right = neighbour(c, v, 1);
        if (left >= 0) {
            const float at = q->x[q->block[left]] + q->shift[left] + gap(c, left, v) - q->shift[v];
            *lo = at > *lo ? at : *lo;
        }
        if (right >= 0) {
            const float at = q->x[q->block[right]] + q->shift[right] - gap(c, v, right) - q->shift[v];
            *hi = at < *hi ? at : *hi;
        }
        for (int32_t k = c->up[v]; k < c->up[v + 1]; k++) {
            const ebb__segment *s = &c->segments[c->up_of[k]];
            if (c->up_of[k] == q->joined_up[v]) continue;
            sum += q->x[q->block[s->up]] + q->shift[s->up] + s->up_port - s->low_port - q->shift[v], n++;
        }
        for (int32_t k = c->down[v]; k < c->down[v + 1]; k++) {
            const ebb__segment *s = &c->segments[c->down_of[k]];
            if (c->down_of[k] == q->joined_down[v]) continue;
            sum += q->x[q->block[s->low]] + q->shift[s->low] + s->low_port - s->up_port - q->shift[v], n++;
        }
    }
    return n > 0 ? sum / n : q->x[b];
}

static void find_lines(placer *q) {
    ebb__cell *c = q->c;
    sort_blocks(q);
    for (int32_t i = 0; i < q->n_blocks; i++) q->x[i] = 0;
    for (int32_t i = 0; i < q->n_blocks; i++) {
        float lo, hi;
        const int32_t b = q->sorted[i];
        wish(q, b, &lo, &hi);
        q->x[b] = lo > 0 ? lo : 0;
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int32_t i = 0; i < q->n_blocks; i++) {
            float lo, hi;
            const int32_t b = q->sorted[sweep % 2 ? i : q->n_blocks - 1 - i];
            const float at = wish(q, b, &lo, &hi);
            if (b == q->main || lo > hi) continue;
            q->x[b] = at < lo ? lo : at > hi ? hi : at;
        }
    float begin = 1e30f, end = 0;
    for (int32_t v = 0; v < c->n; v++) {
        c->v[v].at = q->x[q->block[v]] + q->shift[v];
        begin = c->v[v].at - c->v[v].lo < begin ? c->v[v].at - c->v[v].lo : begin;
    }
    for (int32_t v = 0; v < c->n; v++) {
        c->v[v].at -= begin;
        end = c->v[v].at + c->v[v].hi > end ? c->v[v].at + c->v[v].hi : end;
    }
    c->breadth = end;
}

/* ---- bands, and the ways of trunks that are too long ---- */

static bool find_bands(placer *q) {
    ebb__cell *c = q->c;
    c->begin = EBB__NEW(&q->p->mem, c->n_ranks + 1, float), c->end = EBB__NEW(&q->p->mem, c->n_ranks + 1, float);
    float *wide = EBB__NEW(&q->p->mem, c->n_ranks + 1, float); /* the longest way across, above the rank */
    if (!c->begin || !c->end || !wide) return false;
    for (int32_t v = 0; v < c->n; v++)
        if (c->v[v].size > c->end[c->v[v].rank]) c->end[c->v[v].rank] = c->v[v].size;
    for (int32_t i = 0; i < c->n_segments; i++) {
        const ebb__segment *s = &c->segments[i];
        const float over = c->v[s->up].at + s->up_port - c->v[s->low].at - s->low_port, d = over < 0 ? -over : over;
        float *w = &wide[c->v[s->low].rank];
        *w = d > *w ? d : *w;
    }
    const float least = q->p->right ? 36 : 26;
    for (int32_t r = 0; r < c->n_ranks; r++) {
        const bool border =
            c->frame >= 0 && (r == 1 || r == c->n_ranks - 1) && c->end[r == 1 ? 0 : r] == 0; /* of the frame */
        const float room = (border ? least / 2 : least) + wide[r] / 12;
        c->begin[r] = r ? c->end[r - 1] + (room < 3 * least ? room : 3 * least) : 0;
        c->end[r] += c->begin[r];
    }
    c->length = c->n_ranks ? c->end[c->n_ranks - 1] : 0;
    int32_t lanes = 0;
    for (int32_t i = 0; i < c->n_trunks; i++)
        if (c->trunks[i].far) c->trunks[i].gutter = c->breadth + WIRE_GAP * (float)(1 + lanes++ % 16);
    if (lanes) c->breadth += WIRE_GAP * (float)(1 + (lanes < 16 ? lanes : 16));
    return true;
}

bool ebb__layout_place(ebb__plan *p, ebb__cell *c) {
    placer q = {.p = p, .c = c};
    int32_t **lists[] = {&q.joined_up, &q.joined_down, &q.block, &q.by_block,
                         &q.first,     &q.sorted,      &q.least, &q.most};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!(*lists[i] = EBB__NEW(&p->mem, c->n + 1, int32_t))) return false;
    q.shift = EBB__NEW(&p->mem, c->n, float), q.x = EBB__NEW(&p->mem, c->n, float);
    q.goes_on = EBB__NEW(&p->mem, c->n, bool);
    if (!q.shift || !q.x || !q.goes_on) return false;
    spread_ports(&q);
    make_blocks(&q);
    find_lines(&q);
    return find_bands(&q);
}
