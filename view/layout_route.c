/* layout_route.c - floor 6: from cells to the drawing: where each box stands in the whole, and the points of each wire.
 *
 * A wire goes straight through the bands of ranks and turns only between them, so it meets no box but its two. Points on one line along the flow are
 * joined by a straight line, others by a curve that leaves and arrives along the flow. */
#include "layout.h"

typedef struct {
    ebb__plan *p;
    ebb_wire *w; /* being drawn */
    bool write;  /* else points are only counted */
} pen;

/* ---- boxes ---- */

static float box_u(const ebb__plan *p, int32_t box) { return p->right ? p->boxes[box].x : p->boxes[box].y; }
static float box_v(const ebb__plan *p, int32_t box) { return p->right ? p->boxes[box].y : p->boxes[box].x; }

static void put(ebb__plan *p, int32_t box, float u, float v) { /* its middle */
    ebb_box *b = &p->boxes[box];
    b->x = (p->right ? u : v) - b->w / 2, b->y = (p->right ? v : u) - b->h / 2;
}

static void put_boxes(ebb__plan *p) {
    for (int32_t i = 0; i < p->n_cells; i++) { /* the one around comes first */
        ebb__cell *c = &p->cells[i];
        if (c->frame >= 0)
            c->u = box_u(p, c->frame) + ebb__inner_along(p), c->v0 = box_v(p, c->frame) + ebb__inner_across(p);
        for (int32_t v = 0; v < c->n_real; v++) {
            const ebb__vertex *x = &c->v[v];
            if (x->box < 0) continue;
            const float u = c->u + (c->begin[x->rank] + c->end[x->rank]) / 2, at = c->v0 + x->at;
            put(p, x->box, u, at);
            for (int32_t s = p->satellites[x->box]; s >= 0; s = p->next[s])
                put(p, s, u + p->beside_u[s], at + p->beside_v[s]);
        }
    }
}

/* ---- points ---- */

/* The next point of the wire; one between two others on a line is left out. */
static void point(pen *q, float u, float v) {
    ebb__plan *p = q->p;
    const float x = p->right ? u : v, y = p->right ? v : u;
    if (!q->write) {
        p->n_points++;
        return;
    }
    float *at = p->points + 2 * (q->w->point + q->w->n_points);
    if (q->w->n_points >= 1 && at[-2] == x && at[-1] == y) return;
    if (q->w->n_points >= 2 && ((at[-4] == x && at[-2] == x) || (at[-3] == y && at[-1] == y))) at -= 2;
    else q->w->n_points++;
    at[0] = x, at[1] = y;
}

/* The wire's way through one cell, from the border of a box (or of the frame) to the border of another. */
static void through(pen *q, const ebb__cell *c, int32_t to) {
    const ebb__plan *p = q->p;
    const ebb__trunk *k = ebb__trunk_of(c, q->w->from);
    int32_t lo = k->link, hi = k->link + k->n_links - 1; /* of its links, which are sorted by their ends */
    while (lo < hi) {
        const int32_t mid = lo + (hi - lo) / 2;
        if (p->links[mid].to < to) lo = mid + 1;
        else hi = mid;
    }
    const ebb__vertex *a = &c->v[k->from], *b = &c->v[p->links[lo].low];
    const float begin = c->v0 + a->at + k->port,
                end = c->v0 + b->at + p->links[k->joins < 0 ? lo : c->trunks[k->joins].link].port;
    const int32_t over = b->rank - a->rank - 1;
    if (a->box >= 0) point(q, box_u(p, a->box) + ebb__along(p, a->box), begin);
    else point(q, box_u(p, c->frame), begin);
    point(q, c->u + c->end[a->rank], begin);
    if (over && k->far) {
        point(q, c->u + c->begin[a->rank + 1], c->v0 + k->gutter);
        point(q, c->u + c->end[b->rank - 1], c->v0 + k->gutter);
    } else {
        for (int32_t d = 0; d < over; d++) {
            const ebb__vertex *x = &c->v[k->dummy + d];
            point(q, c->u + c->begin[x->rank], c->v0 + x->at);
            point(q, c->u + c->end[x->rank], c->v0 + x->at);
        }
    }
    point(q, c->u + c->begin[b->rank], end);
    if (b->box >= 0) point(q, box_u(p, b->box), end);
    else point(q, box_u(p, c->frame) + ebb__along(p, c->frame), end);
}

/* From a satellite to the near side of its host, through the lane behind it when it has one. */
static void beside(pen *q) {
    const ebb__plan *p = q->p;
    const int32_t s = q->w->from, host = q->w->to;
    const float half = ebb__along(p, host) / 2, least = box_u(p, host) + 8, most = box_u(p, host) + 2 * half - 8;
    const float u = box_u(p, s) + ebb__along(p, s) / 2, v = box_v(p, s) + ebb__across(p, s),
                middle = least + half - 8;
    const float side = box_v(p, host), bus = side - EBB__BESIDE / 2.0f,
                into = u < least  ? least
                       : u > most ? most
                                  : u;
    if (p->lane[s] > p->beside_u[s]) {
        const float lane = middle + p->lane[s];
        point(q, u + ebb__along(p, s) / 2, v - ebb__across(p, s) / 2);
        point(q, lane, v - ebb__across(p, s) / 2);
        point(q, lane, bus);
        point(q, middle, bus);
        point(q, middle, side);
        return;
    }
    point(q, u, v);
    if (into != u) point(q, u, bus), point(q, into, bus);
    point(q, into, side);
}

static int32_t cell_around(const ebb__plan *p, int32_t box) {
    return p->boxes[box].frame < 0 ? 0 : p->cell_of[p->boxes[box].frame];
}

/* Up from the source to the container of both, then down: `down` holds the boxes still to be entered. */
static void draw(pen *q, const int32_t *depth, int32_t *down) {
    const ebb__plan *p = q->p;
    if (p->host[q->w->from] >= 0) {
        beside(q);
        return;
    }
    int32_t a = q->w->from, b = q->w->to, n = 0;
    while (p->boxes[a].frame != p->boxes[b].frame)
        if (depth[a] >= depth[b]) {
            through(q, &p->cells[cell_around(p, a)], -1);
            a = p->boxes[a].frame;
        } else {
            down[n++] = b;
            b = p->boxes[b].frame;
        }
    through(q, &p->cells[cell_around(p, a)], b);
    while (n--) through(q, &p->cells[cell_around(p, down[n])], down[n]);
}

bool ebb__layout_route(ebb__plan *p) {
    int32_t *depth = EBB__NEW(&p->mem, p->n_boxes, int32_t), *down = EBB__NEW(&p->mem, p->n_boxes, int32_t);
    if (!depth || !down) return false;
    for (int32_t i = 0; i < p->n_boxes; i++)
        depth[i] = p->boxes[i].frame < 0 ? 0 : depth[p->boxes[i].frame] + 1;
    put_boxes(p);
    for (int pass = 0; pass < 2; pass++) { /* count, then write */
        int32_t n = 0;
        if (pass && !(p->points = EBB__NEW(&p->mem, 2 * (size_t)p->n_points, float))) return false;
        for (int32_t i = 0; i < p->n_wires; i++) {
            pen q = {.p = p, .w = &p->wires[i], .write = pass};
            q.w->point = n;
            draw(&q, depth, down);
            n += q.w->n_points;
        }
        if (pass) p->n_points = n;
    }
    return true;
}
