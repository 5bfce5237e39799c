/* groups.c - floor 6: the groups of a trace: regions, rounds and composed ops as intervals of nodes, one inside the other; and twins.
 *
 * Regions come from the path that each node was made in: neighbours with the same beginning are in the same groups. The table is in the
 * order of a walk: a group before what is in it. */
#include "recorder.h"
#include <stdlib.h>
#include <string.h>

typedef struct interval {
    ebb_trace_group group;
    int32_t rank; /* of two with the same nodes the lower is around the other */
} interval;

/* ---- intervals ------------------------------------------------------------------------------------------------------ */

/* Rounds and calls are numbered: "repeat.1", "block.2". */
static int kind_of(const ebb_recorder *r, const char *name, size_t n) {
    static const char round[] = "repeat";
    size_t stem = 0;
    while (stem < n && name[stem] != '.') stem++;
    if (stem == sizeof round - 1 && !memcmp(name, round, stem)) return EBB_TG_REPEAT;
    return ebb_model_defines(r->o.model, name, stem) ? EBB_TG_DEF : EBB_TG_REGION;
}

/* How many bytes of two paths are whole names that they both begin with, separators included. */
static size_t shared(const char *a, const char *b) {
    size_t n = 0, i = 0;
    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '/') n = i + 1;
    return (a[i] == b[i] || (!a[i] && b[i] == '/') || (!b[i] && a[i] == '/')) && i ? i + 1 : n;
}

/* Opens a group for each name of `path` from `at` on. */
static bool open_regions(ebb_recorder *r, ebb__table *all, const char *path, size_t at, int32_t node) {
    int32_t rank = 0;
    for (size_t i = 0; i < at && path[i]; i++) rank += path[i] == '/';
    if (at && !path[at - 1]) return true;
    while (path[at]) {
        const size_t n = strcspn(path + at, "/");
        const int32_t i = ebb__table_add(&r->t, all, 1);
        if (i < 0) return false;
        char name[256];
        const size_t len = n < sizeof name ? n : sizeof name - 1; /* the texts may move while one is added */
        memcpy(name, path + at, len);
        ((interval *)all->items)[i] = (interval){.group = {.name = ebb__text_of(&r->t, name, len),
                                                           .kind = kind_of(r, name, len),
                                                           .first = node,
                                                           .last = -1},
                                                 .rank = rank++};
        path = ebb__text_at(&r->t, ebb__made_at(r, node)->region);
        at += n + (path[at + n] == '/');
    }
    return !r->t.failed;
}

static void close_regions(ebb__table *all, int32_t rank, int32_t node) {
    for (size_t i = 0; i < all->n; i++) {
        interval *g = (interval *)all->items + i;
        if (g->group.last < 0 && g->rank >= rank) g->group.last = node;
    }
}

static bool regions(ebb_recorder *r, ebb__table *all) {
    uint32_t before = 0;
    const int32_t n = (int32_t)r->t.nodes.n;
    for (int32_t i = 0; i < n; i++) {
        const uint32_t now = ebb__made_at(r, i)->region;
        if (now == before) continue;
        const char *path = ebb__text_at(&r->t, now);
        const size_t at = shared(path, ebb__text_at(&r->t, before));
        int32_t rank = 0;
        for (size_t k = 0; k < at; k++) rank += path[k] == '/' || !path[k];
        close_regions(all, rank, i);
        if (!open_regions(r, all, path, at, i)) return false;
        before = now;
    }
    close_regions(all, 0, n);
    return true;
}

static bool composed(ebb_recorder *r, ebb__table *all) {
    for (size_t k = 0; k < r->parts.n; k++) {
        const ebb__parts *p = (const ebb__parts *)r->parts.items + k;
        const int32_t i = ebb__table_add(&r->t, all, 1);
        if (i < 0) return false;
        ((interval *)all->items)[i] =
            (interval){.group = {.name = p->name, .kind = EBB_TG_OP, .first = p->first, .last = p->last},
                       .rank = INT32_MAX - (int32_t)k}; /* inner ones were first */
    }
    return true;
}

static int by_place(const void *a, const void *b) {
    const interval *x = (const interval *)a, *y = (const interval *)b;
    if (x->group.first != y->group.first) return x->group.first < y->group.first ? -1 : 1;
    if (x->group.last != y->group.last) return x->group.last > y->group.last ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* ---- twins ------------------------------------------------------------------------------------------------------------ */

typedef struct pair {
    int32_t a, b;
} pair;

/* "block.2" is one of the blocks. */
static bool same_stem(const ebb__tables *t, uint32_t a, uint32_t b) {
    const char *x = ebb__text_at(t, a), *y = ebb__text_at(t, b);
    const size_t n = strcspn(x, ".");
    return n == strcspn(y, ".") && !memcmp(x, y, n);
}

static bool same_tensor(const ebb_trace_tensor *a, const ebb_trace_tensor *b) {
    return a->dtype == b->dtype && a->ndim == b->ndim && !memcmp(a->dim, b->dim, sizeof *a->dim * (size_t)a->ndim);
}

/* x in group a has the part that y has in b: made in the same place inside, or always this one for that one from outside. */
static bool same_role(ebb_recorder *r, ebb__table *outside, const ebb_trace_group *a,
                      const ebb_trace_group *b, int32_t x, int32_t y) {
    if (x < 0 || y < 0) return x == y;
    const ebb_trace_tensor *p = ebb__tensor_at(&r->t, x), *q = ebb__tensor_at(&r->t, y);
    const bool in_a = p->node >= a->first && p->node < a->last, in_b = q->node >= b->first && q->node < b->last;
    if (in_a != in_b || !same_tensor(p, q)) return false;
    if (in_a) return p->node - a->first == q->node - b->first && p->out == q->out;
    if ((p->kind == EBB_TT_PARAM) != (q->kind == EBB_TT_PARAM)) return false;
    for (size_t i = 0; i < outside->n; i++) {
        const pair *k = (const pair *)outside->items + i;
        if (k->a == x || k->b == y) return k->a == x && k->b == y;
    }
    const int32_t i = ebb__table_add(&r->t, outside, 1);
    if (i >= 0) ((pair *)outside->items)[i] = (pair){x, y};
    return i >= 0;
}

static bool same_nodes(ebb_recorder *r, ebb__table *outside, const ebb_trace_group *a, const ebb_trace_group *b) {
    for (int32_t i = 0; i < a->last - a->first; i++) {
        const ebb_trace_node *m = ebb__node_at(&r->t, a->first + i), *n = ebb__node_at(&r->t, b->first + i);
        if (m->op != n->op || m->n_in != n->n_in || m->n_out != n->n_out) return false;
        if (m->attrs != n->attrs && a->kind != EBB_TG_REPEAT)
            return false; /* rounds take the first, the second ... of something */
        for (int32_t k = 0; k < m->n_in; k++)
            if (!same_role(r, outside, a, b, ebb__input_at(&r->t, m->input + k)->tensor,
                           ebb__input_at(&r->t, n->input + k)->tensor))
                return false;
        for (int32_t k = 0; k < m->n_out; k++)
            if (!same_tensor(ebb__tensor_at(&r->t, m->first_out + k), ebb__tensor_at(&r->t, n->first_out + k)))
                return false;
    }
    return true;
}

/* The groups inside stand behind each of the two in the table. */
static bool same_inside(const ebb_recorder *r, int32_t i, int32_t j) {
    const int32_t n = (int32_t)r->t.groups.n;
    const ebb_trace_group *a = ebb__group_at(&r->t, i), *b = ebb__group_at(&r->t, j);
    for (int32_t k = 1;; k++) {
        const ebb_trace_group *x = i + k < n ? ebb__group_at(&r->t, i + k) : NULL,
                              *y = j + k < n ? ebb__group_at(&r->t, j + k) : NULL;
        const bool in_a = x && x->first < a->last, in_b = y && y->first < b->last;
        if (!in_a || !in_b) return in_a == in_b;
        if (x->kind != y->kind || x->first - a->first != y->first - b->first ||
            x->last - a->first != y->last - b->first || !same_stem(&r->t, x->name, y->name))
            return false;
    }
}

static bool alike(ebb_recorder *r, int32_t i, int32_t j) {
    const ebb_trace_group *a = ebb__group_at(&r->t, i), *b = ebb__group_at(&r->t, j);
    if (a->kind != b->kind || a->last - a->first != b->last - b->first ||
        !same_stem(&r->t, a->name, b->name) || !same_inside(r, i, j))
        return false;
    ebb__table outside = {.item = sizeof(pair)};
    const bool same = same_nodes(r, &outside, a, b);
    ebb__table_close(r->e, &outside);
    return same;
}

/* The group right behind group i, around the same depth; -1 */
static int32_t follower(const ebb_recorder *r, int32_t i) {
    const ebb_trace_group *a = ebb__group_at(&r->t, i);
    int32_t j = i + 1;
    while (j < (int32_t)r->t.groups.n && ebb__group_at(&r->t, j)->first < a->last) j++;
    if (j == (int32_t)r->t.groups.n) return -1;
    const ebb_trace_group *b = ebb__group_at(&r->t, j);
    return b->first == a->last && b->parent == a->parent ? j : -1;
}

static void twins(ebb_recorder *r) {
    const int32_t n = (int32_t)r->t.groups.n;
    for (int32_t i = 0; i < n; i++) {
        if (ebb__group_at(&r->t, i)->n_twins) continue;
        int32_t count = 1;
        for (int32_t j = i;
             ebb__group_at(&r->t, i)->kind != EBB_TG_OP && (j = follower(r, j)) >= 0 && alike(r, i, j);)
            count++;
        for (int32_t j = i, k = 0; k < count; k++, j = follower(r, j)) {
            ebb__group_at(&r->t, j)->twin = i;
            ebb__group_at(&r->t, j)->n_twins = count;
        }
    }
}

void ebb__groups_make(ebb_recorder *r) {
    ebb__table all = {.item = sizeof(interval)};
    const bool ok = regions(r, &all) && composed(r, &all);
    const int32_t n = (int32_t)all.n;
    if (ok && n) qsort(all.items, (size_t)n, sizeof(interval), by_place);
    if (ok && ebb__table_add(&r->t, &r->t.groups, (size_t)n) == 0) {
        for (int32_t i = 0; i < n; i++) {
            ebb_trace_group *g = ebb__group_at(&r->t, i);
            *g = ((const interval *)all.items)[i].group;
            g->parent = i - 1; /* the one before, or what is around that */
            while (g->parent >= 0 && ebb__group_at(&r->t, g->parent)->last <= g->first)
                g->parent = ebb__group_at(&r->t, g->parent)->parent;
            for (int32_t k = g->first; k < g->last; k++) ebb__node_at(&r->t, k)->group = i;
        }
        twins(r);
    }
    ebb__table_close(r->e, &all);
}
