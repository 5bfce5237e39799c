/* layout_check.h - what holds for every layout: nothing overlaps, wires meet no box but their two, frames hold their parts. */
#ifndef EBB_TEST_LAYOUT_CHECK_H
#define EBB_TEST_LAYOUT_CHECK_H
#include "graphs.h"

static inline bool is_around(const ebb_layout *l, int32_t frame, int32_t box) {
    for (int32_t i = l->boxes[box].frame; i >= 0; i = l->boxes[i].frame)
        if (i == frame) return true;
    return false;
}

static inline void check_boxes(const ebb_layout *l) {
    for (int32_t i = 0; i < l->n_boxes; i++) {
        const ebb_box *a = &l->boxes[i];
        assert_true(isfinite(a->x) && isfinite(a->y) && a->w > 0 && a->h > 0 && a->count >= 1);
        assert_true(a->x >= -0.01f && a->y >= -0.01f);
        assert_true(a->x + a->w <= l->width + 0.05f && a->y + a->h <= l->height + 0.05f);
        if (a->frame >= 0) { /* inside its frame, below the title */
            assert_true(a->frame < i);
            const ebb_box *f = &l->boxes[a->frame];
            assert_int_equal(f->kind, EBB_BOX_FRAME);
            assert_true(a->x >= f->x + 8 && a->y >= f->y + 22 && a->x + a->w <= f->x + f->w - 8 &&
                        a->y + a->h <= f->y + f->h - 8);
        }
        for (int32_t k = 0; k < i; k++) {
            const ebb_box *b = &l->boxes[k];
            if (is_around(l, k, i) || is_around(l, i, k)) continue;
            if (a->x + a->w + 2 <= b->x || b->x + b->w + 2 <= a->x || a->y + a->h + 2 <= b->y ||
                b->y + b->h + 2 <= a->y)
                continue;
            fail_msg("boxes %d and %d overlap", (int)k, (int)i);
        }
    }
}

/* The place at part s of the line that the header describes between two points. */
static void along(const float *a, const float *b, bool right, double s, double *x, double *y) {
    const double bend = 3 * s * s - 2 * s * s * s,
                 turn = 1.5 * s * (1 - s) * (1 - s) + 1.5 * s * s * (1 - s) + s * s * s;
    const bool curve = a[0] != b[0] && a[1] != b[1];
    const double across = curve ? bend : s, flow = curve ? turn : s;
    *x = (double)a[0] + (double)(b[0] - a[0]) * (right ? flow : across);
    *y = (double)a[1] + (double)(b[1] - a[1]) * (right ? across : flow);
}

static inline void check_meets_none(const ebb_layout *l, int32_t wire, double x, double y) {
    const ebb_wire *w = &l->wires[wire];
    for (int32_t k = 0; k < l->n_boxes; k++) {
        const ebb_box *b = &l->boxes[k];
        if (k == w->from || k == w->to || is_around(l, k, w->from) || is_around(l, k, w->to)) continue;
        if (x > (double)b->x + 0.5 && x < (double)b->x + (double)b->w - 0.5 && y > (double)b->y + 0.5 &&
            y < (double)b->y + (double)b->h - 0.5)
            fail_msg("wire %d from %d to %d crosses box %d at %g, %g", (int)wire, (int)w->from, (int)w->to,
                     (int)k, x, y);
    }
}

static inline bool on_border(const ebb_box *b, const float *p) {
    const bool in =
        p[0] >= b->x - 0.1f && p[0] <= b->x + b->w + 0.1f && p[1] >= b->y - 0.1f && p[1] <= b->y + b->h + 0.1f;
    const bool within =
        p[0] > b->x + 0.1f && p[0] < b->x + b->w - 0.1f && p[1] > b->y + 0.1f && p[1] < b->y + b->h - 0.1f;
    return in && !within;
}

static inline void check_wires(const ebb_trace_step *t, const ebb_layout *l, bool right) {
    for (int32_t i = 0; i < l->n_wires; i++) {
        const ebb_wire *w = &l->wires[i];
        assert_true(w->from != w->to && w->from >= 0 && w->from < l->n_boxes && w->to >= 0 && w->to < l->n_boxes);
        assert_true(w->tensor >= 0 && w->tensor < t->n_tensors && w->input < t->n_inputs);
        if (w->input >= 0) assert_int_equal(t->inputs[w->input].tensor, w->tensor);
        assert_true(w->n_points >= 2 && w->point >= 0 && w->point + w->n_points <= l->n_points);
        assert_int_not_equal(l->boxes[w->from].kind, EBB_BOX_FRAME);
        assert_int_not_equal(l->boxes[w->to].kind, EBB_BOX_FRAME);
        const float *p = l->points + 2 * w->point;
        assert_true(on_border(&l->boxes[w->from], p));
        assert_true(on_border(&l->boxes[w->to], p + 2 * (w->n_points - 1)));
        if (l->boxes[w->from].kind != EBB_BOX_TENSOR) { /* what comes later stands farther along the flow */
            const ebb_box *a = &l->boxes[w->from], *b = &l->boxes[w->to];
            assert_true(right ? a->x + a->w < b->x : a->y + a->h < b->y);
        }
        for (int32_t k = 1; k < w->n_points; k++)
            for (int s = 0; s <= 12; s++) {
                double x, y;
                along(p + 2 * (k - 1), p + 2 * k, right, s / 12.0, &x, &y);
                assert_true(x >= -0.01 && y >= -0.01 && x <= (double)l->width + 0.05 &&
                            y <= (double)l->height + 0.05);
                check_meets_none(l, i, x, y);
            }
        for (int32_t k = 0; k < i; k++) /* merged */
            assert_true(l->wires[k].from != w->from || l->wires[k].to != w->to);
    }
}

/* A layout of g with all its groups' bytes `open` (NULL: the default), checked. -> owned */
static inline ebb_layout *lay_out(ebb *e, graph *g, const uint8_t *open, bool right) {
    const ebb_trace_step *t = step_of(g);
    ebb_layout *l = ebb_layout_new(
        e, t, &(ebb_layout_options){.size = sizeof(ebb_layout_options), .right = right, .open = open});
    assert_no_error(e);
    assert_non_null(l);
    check_boxes(l);
    check_wires(t, l, right);
    return l;
}

static inline int32_t find(const ebb_layout *l, int kind, int32_t id) {
    for (int32_t i = 0; i < l->n_boxes; i++)
        if (l->boxes[i].kind == kind && l->boxes[i].id == id) return i;
    return -1;
}

static inline int count(const ebb_layout *l, int kind) {
    int n = 0;
    for (int32_t i = 0; i < l->n_boxes; i++) n += l->boxes[i].kind == kind;
    return n;
}
#endif
