/* layout.c - floor 6: ebb_layout_new: a layered drawing of one step of training.
 *
 * visible -> cells -> for each cell, the inner ones first: vertices, rank, trunks, order, place -> route. The parts are described where they are. */
#include "layout.h"
#include <string.h>

typedef struct { /* what ebb_layout_new gives: in a block of its own */
    ebb_layout out;
    ebb__arena mem;
} whole;

/* Lays the parts of one container out and makes its frame as large as they need. */
static bool lay_out(ebb__plan *p, ebb__cell *c) {
    if (!ebb__layout_vertices(p, c) || !ebb__layout_rank(p, c) || !ebb__layout_trunks(p, c) ||
        !ebb__layout_order(p, c) || !ebb__layout_place(p, c))
        return false;
    if (c->frame < 0) return true;
    ebb_box *b = &p->boxes[c->frame];
    const float w = (p->right ? c->length : c->breadth) + 2 * EBB__PAD;
    const float h = (p->right ? c->breadth + EBB__PAD : c->length) + EBB__TITLE + EBB__PAD;
    const float more = b->w > w ? b->w - w : 0; /* its title is wider: the parts stand in the middle */
    for (int32_t v = 0; v < c->n && !p->right; v++) c->v[v].at += more / 2;
    for (int32_t i = 0; i < c->n_trunks && !p->right; i++) c->trunks[i].gutter += more / 2;
    b->w = w + more, b->h = h;
    return true;
}

/* Copies the drawing out of the plan. -> owned; NULL: memory is short */
static ebb_layout *finish(const ebb__plan *p) {
    ebb__arena mem = {.e = p->mem.e};
    whole *x = EBB__NEW(&mem, 1, whole);
    ebb_box *boxes = x ? EBB__NEW(&mem, p->n_boxes, ebb_box) : NULL;
    ebb_wire *wires = boxes ? EBB__NEW(&mem, p->n_wires, ebb_wire) : NULL;
    float *points = wires ? EBB__NEW(&mem, 2 * (size_t)p->n_points, float) : NULL;
    if (!points) {
        ebb__arena_drop(&mem);
        return NULL;
    }
    if (p->n_boxes) memcpy(boxes, p->boxes, (size_t)p->n_boxes * sizeof *boxes);
    if (p->n_wires) memcpy(wires, p->wires, (size_t)p->n_wires * sizeof *wires);
    if (p->n_points) memcpy(points, p->points, 2 * (size_t)p->n_points * sizeof *points);
    const ebb__cell *top = &p->cells[0];
    x->mem = mem;
    x->out = (ebb_layout){.size = sizeof x->out,
                          .n_boxes = p->n_boxes,
                          .n_wires = p->n_wires,
                          .n_points = p->n_points,
                          .boxes = boxes,
                          .wires = wires,
                          .points = points,
                          .width = p->right ? top->length : top->breadth,
                          .height = p->right ? top->breadth : top->length};
    return &x->out;
}

ebb_layout *ebb_layout_new(ebb *e, const ebb_trace_step *t, const ebb_layout_options *o) {
    if (!e || !t || ebb_failed(e)) return NULL;
    ebb_layout_options use = {0};
    if (o) memcpy(&use, o, o->size < sizeof use ? o->size : sizeof use);
    ebb__plan p = {.mem = {.e = e}, .t = t, .open = use.open, .right = use.right != 0};
    p.char_width = use.char_width > 0 && use.char_width < 100 ? use.char_width : 7;
    bool ok = true;
    if (!p.open) {
        uint8_t *open = EBB__NEW(&p.mem, t->n_groups, uint8_t);
        if ((ok = open)) ebb_layout_default(t, open);
        p.open = open;
    }
    ok = ok && ebb__layout_visible(&p) && ebb__layout_cells(&p);
    for (int32_t c = p.n_cells - 1; ok && c >= 0; c--) ok = lay_out(&p, &p.cells[c]);
    ebb_layout *out = ok && ebb__layout_route(&p) ? finish(&p) : NULL;
    ebb__arena_drop(&p.mem);
    return out;
}

void ebb_layout_free(ebb *e, ebb_layout *l) {
    if (!e || !l) return;
    ebb__arena mem = ((whole *)(void *)l)->mem; /* a copy: it frees itself with the rest */
    ebb__arena_drop(&mem);
}
