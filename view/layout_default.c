/* layout_default.c - floor 6: ebb_layout_default: which groups are open when a person first looks at a step.
 *
 * From the outside in: all groups of one depth are tried before those inside them, each is opened when the boxes shown stay few. Rounds that look alike
 * stay folded, of rounds that do not only the first is opened; composed ops stay closed. There is no session here, so the bytes of `open` are all the memory: flags beside EBB_GROUP_OPEN, taken away
 * at the end. */
#include <ebb/view.h>

enum { FEW = 60, DEPTHS = 64 };
enum { READY = 0x40, OPENED = 0x80 }; /* is to be tried next; was opened just now */

static bool folded(const ebb_trace_group *g, int32_t i) {
    return g->n_twins > 1 && g->twin >= 0 && g->twin < i;
}

/* Another round of the same repeat ends where this one begins. */
static bool later_round(const ebb_trace_step *t, int32_t i) {
    const ebb_trace_group *g = &t->groups[i];
    if (g->kind != EBB_TG_REPEAT) return false;
    for (int32_t k = i - 1; k >= 0 && k > g->parent; k--) {
        const ebb_trace_group *x = &t->groups[k];
        if (x->parent == g->parent)
            return x->kind == EBB_TG_REPEAT && x->last == g->first; /* the one before it */
    }
    return false;
}

/* How many boxes the parts of group g are (-1: the top). Leaves are not counted: they are small. */
static int64_t parts_of(const ebb_trace_step *t, int32_t g) {
    const int32_t first = g < 0 ? 0 : t->groups[g].first, last = g < 0 ? t->n_nodes : t->groups[g].last;
    int64_t n = 0;
    for (int32_t i = first; i < last && i < t->n_nodes; i++) n += t->nodes[i].group == g;
    for (int32_t i = g + 1; i < t->n_groups && (g < 0 || t->groups[i].first < last); i++) /* they begin in order */
        n += t->groups[i].parent == g && !folded(&t->groups[i], i);
    return n;
}

void ebb_layout_default(const ebb_trace_step *t, uint8_t *open) {
    if (!t || !open) return;
    for (int32_t i = 0; i < t->n_groups; i++) open[i] = t->groups[i].parent < 0 ? READY : 0;
    int64_t shown = parts_of(t, -1);
    bool more = true;
    for (int depth = 0; depth < DEPTHS && more; depth++) {
        more = false;
        for (int32_t i = 0; i < t->n_groups; i++) {
            const ebb_trace_group *g = &t->groups[i];
            if (!(open[i] & READY)) continue;
            open[i] &= (uint8_t)~READY;
            if (g->kind == EBB_TG_OP || folded(g, i) || later_round(t, i)) continue;
            const int64_t parts = parts_of(t, i);
            if (shown + parts - 1 > FEW) continue;
            shown += parts - 1, more = true;
            open[i] |= EBB_GROUP_OPEN | OPENED;
        }
        for (int32_t i = 0; i < t->n_groups; i++) {
            const int32_t around = t->groups[i].parent;
            if (around >= 0 && around < i && (open[around] & OPENED)) open[i] |= READY;
        }
        for (int32_t i = 0; i < t->n_groups; i++) open[i] &= (uint8_t)~OPENED;
    }
    for (int32_t i = 0; i < t->n_groups; i++) open[i] &= EBB_GROUP_OPEN;
}
