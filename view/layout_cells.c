/* layout_cells.c - floor 6: what each container holds: its boxes in order, the leaves that stand beside a box, and the way of every wire through it.
 *
 * A leaf that one box of its own container reads is a *satellite*: it is no vertex, but part of that box's room, to the left of it (above it when the
 * flow goes to the right): in one row along the flow, or in
 * several, with a lane across the flow behind each for its wire, when there are many. */
#include "layout.h"
#include <stddef.h>

enum { SATELLITE_GAP = 4, LANE = 8, ONE_ROW = 5, ONE_ROW_RIGHT = 2 };

/* ---- satellites --------------------------------------------------------------------------------------------------------------- */

static bool choose_satellites(ebb__plan *p) {
    int32_t *readers = EBB__NEW(&p->mem, p->n_boxes, int32_t), *reader = EBB__NEW(&p->mem, p->n_boxes, int32_t);
    bool *fed = EBB__NEW(&p->mem, p->n_boxes, bool); /* by something that is no leaf */
    if (!readers || !reader || !fed) return false;
    for (int32_t i = 0; i < p->n_wires; i++) {
        const ebb_wire *w = &p->wires[i];
        readers[w->from]++, reader[w->from] = w->to;
        if (p->boxes[w->from].kind != EBB_BOX_TENSOR) fed[w->to] = true;
    }
    for (int32_t b = 0; b < p->n_boxes; b++) p->host[b] = p->satellites[b] = p->next[b] = -1;
    for (int32_t b = p->n_boxes - 1; b >= 0; b--) { /* backwards, so that the lists are in order */
        const ebb_box *x = &p->boxes[b];
        if (x->kind != EBB_BOX_TENSOR || readers[b] != 1 || p->boxes[reader[b]].frame != x->frame) continue;
        if (p->t->tensors[x->id].kind == EBB_TT_INPUT && !fed[reader[b]])
            continue; /* the data flow begins there */
        p->host[b] = reader[b];
        p->next[b] = p->satellites[reader[b]], p->satellites[reader[b]] = b;
    }
    return true;
}

/* Places the satellites of a box relative to its middle. -> the room they take before it, and along with it. */
static void pack_satellites(ebb__plan *p, int32_t host, float *before, float *along) {
    int n = 0;
    float longest = 0, widest = 0, total = 0;
    for (int32_t s = p->satellites[host]; s >= 0; s = p->next[s]) {
        n++, total += ebb__along(p, s) + SATELLITE_GAP;
        longest = ebb__along(p, s) > longest ? ebb__along(p, s) : longest;
        widest = ebb__across(p, s) > widest ? ebb__across(p, s) : widest;
    }
    *before = ebb__across(p, host) / 2, *along = ebb__along(p, host);
    if (!n) return;
    const float side = *before + EBB__BESIDE;
    const bool one_row = n <= (p->right ? ONE_ROW_RIGHT : ONE_ROW);
    int a_row = n; /* satellites in one, along the flow; the area is to be about as long as broad */
    if (!one_row)
        for (a_row = 2; (float)(a_row * a_row) * (longest + LANE) < (float)n * (widest + SATELLITE_GAP);)
            a_row++;
    const int rows = (n + a_row - 1) / a_row;
    const float length = one_row ? total - SATELLITE_GAP : (float)a_row * (longest + LANE);
    float u = -length / 2;
    int i = 0;
    for (int32_t s = p->satellites[host]; s >= 0; s = p->next[s], i++) {
        const int row = i / a_row;
        if (!one_row) u = -length / 2 + (float)(i % a_row) * (longest + LANE);
        p->beside_u[s] = p->lane[s] = u + ebb__along(p, s) / 2;
        p->beside_v[s] = -(side + (float)row * (widest + SATELLITE_GAP) + ebb__across(p, s) / 2);
        if (!one_row) p->lane[s] = u + longest + LANE / 2.0f;
        else u += ebb__along(p, s) + SATELLITE_GAP;
    }
    *before = side + (float)rows * (widest + SATELLITE_GAP) - SATELLITE_GAP;
    if (length > *along) *along = length;
}

/* ---- links ---------------------------------------------------------------------------------------------------------------------- */

/* Counting sort of n links by one of their fields, which is at least -1 and below most. */
static void sort_links(ebb__link *from, ebb__link *to, int32_t n, size_t field, int32_t *count, int32_t most) {
    for (int32_t i = 0; i <= most + 1; i++) count[i] = 0;
    for (int32_t i = 0; i < n; i++)
        count[*(const int32_t *)(const void *)((const char *)&from[i] + field) + 2]++;
    for (int32_t i = 1; i <= most + 1; i++) count[i] += count[i - 1];
    for (int32_t i = 0; i < n; i++)
        to[count[*(const int32_t *)(const void *)((const char *)&from[i] + field) + 1]++] = from[i];
}

static int32_t cell_around(const ebb__plan *p, int32_t box) {
    return p->boxes[box].frame < 0 ? 0 : p->cell_of[p->boxes[box].frame];
}

/* The links of a wire, from the inside out and in again: written to out when it is not NULL. -> how many */
static int32_t links_of(const ebb__plan *p, const int32_t *depth, const ebb_wire *w, ebb__link *out) {
    int32_t a = w->from, b = w->to, n = 0;
    while (p->boxes[a].frame != p->boxes[b].frame) {
        const bool leave = depth[a] >= depth[b];
        const int32_t inside = leave ? a : b;
        if (out)
            out[n] = (ebb__link){
                .cell = cell_around(p, inside), .src = w->from, .from = leave ? a : -1, .to = leave ? -1 : b};
        n++;
        if (leave) a = p->boxes[a].frame;
        else b = p->boxes[b].frame;
    }
    if (out) out[n] = (ebb__link){.cell = cell_around(p, a), .src = w->from, .from = a, .to = b};
    return n + 1;
}

/* All links by cell, source and end, each once. */
static bool make_links(ebb__plan *p) {
    int32_t *depth = EBB__NEW(&p->mem, p->n_boxes, int32_t);
    int32_t *count = EBB__NEW(&p->mem, p->n_boxes + 4, int32_t);
    if (!depth || !count) return false;
    for (int32_t i = 0; i < p->n_boxes; i++)
        depth[i] = p->boxes[i].frame < 0 ? 0 : depth[p->boxes[i].frame] + 1;
    size_t n = 0;
    for (int32_t i = 0; i < p->n_wires; i++)
        if (p->host[p->wires[i].from] < 0) n += (size_t)links_of(p, depth, &p->wires[i], NULL);
    if (n > INT32_MAX / 4) {
        ebb_fail(p->mem.e, EBB_E_MEMORY,
                 "layout: %zu pieces of wires are more than can be drawn; close some groups", n);
        return false;
    }
    ebb__link *a = EBB__NEW(&p->mem, n, ebb__link), *b = EBB__NEW(&p->mem, n, ebb__link);
    if (!a || !b) return false;
    int32_t at = 0;
    for (int32_t i = 0; i < p->n_wires; i++)
        if (p->host[p->wires[i].from] < 0) at += links_of(p, depth, &p->wires[i], a + at);
    sort_links(a, b, at, offsetof(ebb__link, to), count, p->n_boxes);
    sort_links(b, a, at, offsetof(ebb__link, src), count, p->n_boxes);
    sort_links(a, b, at, offsetof(ebb__link, cell), count, p->n_boxes);
    p->links = b;
    for (int32_t i = 0; i < at; i++) {
        const ebb__link *last = &b[p->n_links - 1];
        if (!p->n_links || b[i].cell != last->cell || b[i].src != last->src || b[i].to != last->to)
            b[p->n_links++] = b[i];
    }
    return true;
}

/* ---- cells ----------------------------------------------------------------------------------------------------------------------- */

/* p->items: the boxes that are vertices by cell and, in each, in the order of the calls. */
static bool sort_items(ebb__plan *p) {
    const int32_t n_keys = p->t->n_nodes + 1, most = p->n_cells > n_keys ? p->n_cells : n_keys;
    int32_t *by_key = EBB__NEW(&p->mem, p->n_boxes, int32_t), *count = EBB__NEW(&p->mem, most + 2, int32_t);
    p->items = EBB__NEW(&p->mem, p->n_boxes, int32_t);
    if (!by_key || !count || !p->items) return false;
    for (int32_t b = 0; b < p->n_boxes; b++) count[p->key[b] + 2]++;
    for (int32_t k = 1; k <= n_keys; k++) count[k] += count[k - 1];
    for (int32_t b = 0; b < p->n_boxes; b++) by_key[count[p->key[b] + 1]++] = b;
    for (int32_t k = 0; k < most + 2; k++) count[k] = 0;
    for (int32_t b = 0; b < p->n_boxes; b++)
        if (p->host[b] < 0) p->cells[cell_around(p, b)].n_items++;
    for (int32_t c = 1; c < p->n_cells; c++)
        p->cells[c].item = p->cells[c - 1].item + p->cells[c - 1].n_items;
    for (int32_t i = 0; i < p->n_boxes; i++) {
        const int32_t b = by_key[i], c = p->host[b] < 0 ? cell_around(p, b) : -1;
        if (c >= 0) p->items[p->cells[c].item + count[c]++] = b;
    }
    return true;
}

/* The cell's trunks, one a source, and its vertices but the dummies. */
bool ebb__layout_vertices(ebb__plan *p, ebb__cell *c) {
    ebb__link *l = p->links + c->link;
    int32_t n_in = 0, n_out = 0;
    for (int32_t i = 0; i < c->n_links; i++) {
        const bool begins = !i || l[i].src != l[i - 1].src;
        if (begins) c->n_trunks++, n_in += l[i].from < 0;
        n_out += l[i].to < 0;
    }
    c->n_real = c->n = n_in + c->n_items + n_out;
    c->trunks = EBB__NEW(&p->mem, c->n_trunks, ebb__trunk);
    c->v = EBB__NEW(&p->mem, c->n, ebb__vertex);
    if (!c->trunks || !c->v) return false;
    for (int32_t i = 0; i < c->n; i++) c->v[i] = (ebb__vertex){.box = -1, .src = -1, .slots = 1};
    for (int32_t i = 0; i < c->n_items; i++) {
        const int32_t b = p->items[c->item + i];
        ebb__vertex *v = &c->v[n_in + i];
        p->vertex_of[b] = n_in + i;
        if (p->cell_of[b] >= 0) {
            const ebb__cell *inside = &p->cells[p->cell_of[b]];
            v->slots = inside->rank[1] > 0 ? inside->rank[1] : 1;
        }
        v->box = b, v->hi = ebb__across(p, b) / 2;
        pack_satellites(p, b, &v->lo, &v->size);
    }
    int32_t trunk = -1, in = 0, out = n_in + c->n_items;
    for (int32_t i = 0; i < c->n_links; i++) {
        if (!i || l[i].src != c->trunks[trunk].src) {
            ebb__trunk *k = &c->trunks[++trunk];
            *k = (ebb__trunk){.src = l[i].src, .link = c->link + i, .in = -1, .out = -1};
            k->from = l[i].from < 0 ? (k->in = in++) : p->vertex_of[l[i].from];
        }
        if (l[i].from < 0) c->v[c->trunks[trunk].in].src = l[i].src;
        c->trunks[trunk].n_links++;
        l[i].up = c->trunks[trunk].from;
        l[i].low = l[i].to < 0 ? (c->trunks[trunk].out = out++) : p->vertex_of[l[i].to];
    }
    return true;
}

const ebb__trunk *ebb__trunk_of(const ebb__cell *c, int32_t src) {
    int32_t lo = 0, hi = c->n_trunks;
    while (lo < hi) {
        const int32_t mid = lo + (hi - lo) / 2;
        if (c->trunks[mid].src < src) lo = mid + 1;
        else hi = mid;
    }
    return lo < c->n_trunks && c->trunks[lo].src == src ? &c->trunks[lo] : NULL;
}

float ebb__port(const ebb__plan *p, int32_t box, int32_t src, bool in, int32_t *slot) {
    const ebb__cell *c = box < 0 || p->cell_of[box] < 0 ? NULL : &p->cells[p->cell_of[box]];
    const ebb__trunk *k = c ? ebb__trunk_of(c, src) : NULL;
    const int32_t at = !k ? -1 : in ? k->in : k->out;
    *slot = at < 0 ? 0 : c->v[at].pos;
    return at < 0 ? 0 : ebb__inner_across(p) + c->v[at].at - ebb__across(p, box) / 2;
}

bool ebb__layout_cells(ebb__plan *p) {
    int32_t **of_boxes[] = {&p->host, &p->satellites, &p->next, &p->cell_of, &p->vertex_of};
    for (size_t i = 0; i < sizeof of_boxes / sizeof *of_boxes; i++)
        if (!(*of_boxes[i] = EBB__NEW(&p->mem, p->n_boxes, int32_t))) return false;
    p->beside_u = EBB__NEW(&p->mem, p->n_boxes, float);
    p->beside_v = EBB__NEW(&p->mem, p->n_boxes, float);
    p->lane = EBB__NEW(&p->mem, p->n_boxes, float);
    p->n_cells = 1;
    for (int32_t b = 0; b < p->n_boxes; b++)
        p->cell_of[b] = p->boxes[b].kind == EBB_BOX_FRAME ? p->n_cells++ : -1;
    p->cells = EBB__NEW(&p->mem, p->n_cells, ebb__cell);
    if (!p->beside_u || !p->beside_v || !p->lane || !p->cells) return false;
    p->cells[0].frame = -1;
    for (int32_t b = 0; b < p->n_boxes; b++)
        if (p->cell_of[b] >= 0) p->cells[p->cell_of[b]].frame = b;
    if (!choose_satellites(p) || !make_links(p) || !sort_items(p)) return false;
    for (int32_t i = 0; i < p->n_links; i++) p->cells[p->links[i].cell].n_links++;
    for (int32_t c = 1; c < p->n_cells; c++)
        p->cells[c].link = p->cells[c - 1].link + p->cells[c - 1].n_links;
    return true;
}
