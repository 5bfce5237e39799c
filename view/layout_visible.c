/* layout_visible.c - floor 6: which boxes a layout shows, how large their text makes them, and which wires go between them.
 *
 * A node is shown by its own box when all groups around it are open, else by the box of the outermost closed one. Rounds folded into the first of
 * their twins are shown by what shows the first one's nodes. A leaf belongs to the innermost group around all who read it: it is shown where that is open,
 * beside a composed op that is closed (but constants, which are its own affair), and not at all inside other closed groups or folded rounds; inputs are shown at the top. */
#include "layout.h"
#include <stdio.h>
#include <string.h>

enum { NODE_HEIGHT = 40, LEAF_HEIGHT = 20, TEXT_MAX = 30, DEPTH_MAX = 64 };
enum { HIDDEN, FOLDED, CLOSED, OPEN };

typedef struct {                 /* per group */
    int32_t parent, depth, flat; /* flat: the group itself, or the one around it at the deepest level that is looked at */
    int32_t state, box; /* box: its own, or that of the closed group around it; -1 */
} group;

/* ---- text ---------------------------------------------------------------------------------------------------------------- */

static const char *text_at(const ebb_trace_step *t, uint32_t at) {
    return at < (uint32_t)t->n_texts ? t->texts + at : "";
}

static void shape_text(const ebb_trace_tensor *x, char *out, size_t n) {
    size_t at = 0;
    out[0] = 0;
    for (int i = 0; i < x->ndim && i < EBB_MAX_DIMS && at < n; i++)
        at += (size_t)snprintf(out + at, n - at, i ? "\xc3\x97%d" : "%d", (int)x->dim[i]);
}

static int characters(const char *s) { /* of UTF-8 */
    int n = 0;
    for (; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

/* At most TEXT_MAX characters of s, the last three of them dots if there were more. */
static void cut(char out[64], const char *s) {
    size_t at = 0;
    const bool long_one = characters(s) > TEXT_MAX;
    for (int n = 0; s[at] && at < 63 - 3; at++) {
        if (((unsigned char)s[at] & 0xc0) != 0x80 && long_one && n++ == TEXT_MAX - 1) break;
        out[at] = s[at];
    }
    while (at && s[at] && ((unsigned char)s[at] & 0xc0) == 0x80) at--; /* whole characters only */
    memcpy(out + at, s[at] ? "\xe2\x80\xa6" : "", s[at] ? 4 : 1);
}

/* What a node's result is called, and its shape. */
static void result_text(const ebb_trace_step *t, const ebb_trace_node *n, char out[64]) {
    char a[200] = "", shape[112] = "", label[64];
    cut(label, text_at(t, n->label));
    if (n->n_out > 0) shape_text(&t->tensors[n->first_out], shape, sizeof shape);
    snprintf(a, sizeof a, "%s%s%s", label, *label && *shape ? "  " : "", shape);
    cut(out, a);
}

int ebb__box_text(const ebb_trace_step *t, const ebb_box *b, char first[64], char second[64]) {
    char a[200] = "", shape[112] = "", name[64];
    first[0] = second[0] = 0;
    if (b->kind == EBB_BOX_NODE) {
        cut(first, text_at(t, t->nodes[b->id].op));
        result_text(t, &t->nodes[b->id], second);
    } else if (b->kind == EBB_BOX_TENSOR) {
        const ebb_trace_tensor *x = &t->tensors[b->id];
        const char *path = text_at(t, x->name), *slash = strrchr(path, '/');
        cut(name, slash ? slash + 1 : path);
        shape_text(x, shape, sizeof shape);
        snprintf(a, sizeof a, "%s%s%s", name, *name && *shape ? "  " : "", *name || *shape ? shape : "const");
        cut(first, a);
    } else {
        const ebb_trace_group *g = &t->groups[b->id];
        cut(name, text_at(t, g->name));
        snprintf(a, sizeof a, b->count > 1 ? "%s \xc3\x97%d" : "%s", name, (int)b->count);
        cut(first, a);
        if (b->kind == EBB_BOX_GROUP && g->kind == EBB_TG_OP) result_text(t, &t->nodes[g->last - 1], second);
        else if (b->kind == EBB_BOX_GROUP)
            snprintf(second, 64, g->last - g->first == 1 ? "%d op" : "%d ops", (int)(g->last - g->first));
    }
    const int n1 = characters(first), n2 = characters(second);
    return n1 > n2 ? n1 : n2;
}

/* ---- boxes ----------------------------------------------------------------------------------------------------------------- */

static int32_t add_box(ebb__plan *p, int32_t kind, int32_t id, int32_t count, int32_t frame, int32_t key) {
    ebb_box *b = &p->boxes[p->n_boxes];
    *b = (ebb_box){.kind = kind, .id = id, .count = count, .frame = frame};
    p->key[p->n_boxes] = key;
    char first[64], second[64];
    const int n = ebb__box_text(p->t, b, first, second);
    const bool leaf = kind == EBB_BOX_TENSOR;
    const float wide = (float)n * p->char_width + (leaf ? 16.0f : 26.0f), step = 8, least = leaf ? 24 : 72;
    const float steps = (float)(int)((wide + step - 1) / step); /* few different widths look calmer */
    b->w = steps * step > least ? steps * step : least; /* a frame's is that of its title until its parts are laid out */
    b->h = leaf ? LEAF_HEIGHT : NODE_HEIGHT;
    return p->n_boxes++;
}

/* Boxes of groups, those around others first. */
static void show_groups(ebb__plan *p, group *g) {
    const ebb_trace_step *t = p->t;
    for (int32_t i = 0; i < t->n_groups; i++) {
        const ebb_trace_group *x = &t->groups[i];
        const int32_t up = x->parent >= 0 && x->parent < i ? x->parent : -1, around = up >= 0 ? g[up].state : OPEN;
        g[i] = (group){.parent = up, .depth = up < 0 ? 1 : g[up].depth + 1, .flat = i, .box = -1, .state = HIDDEN};
        if (g[i].depth > DEPTH_MAX) g[i].flat = g[up].flat;
        if (x->first >= x->last) continue;
        if (around != OPEN) {
            g[i].state = around == FOLDED ? FOLDED : HIDDEN, g[i].box = g[up].box;
            continue;
        }
        const int32_t twin = x->n_twins > 1 && x->twin >= 0 && x->twin <= i ? x->twin : i;
        const bool folded = x->n_twins > 1 && !(p->open[twin] & EBB_GROUP_UNFOLDED);
        if (folded && twin != i && t->groups[twin].first < x->first && g[twin].parent == up) {
            g[i].state = FOLDED;
            continue;
        }
        const bool open = (p->open[i] & EBB_GROUP_OPEN) && g[i].depth < DEPTH_MAX;
        g[i].state = open ? OPEN : CLOSED;
        g[i].box = add_box(p, open ? EBB_BOX_FRAME : EBB_BOX_GROUP, i, folded && twin == i ? x->n_twins : 1,
                           up < 0 ? -1 : g[up].box, x->first);
    }
}

/* same[i]: the node of the first round that stands for node i; i itself when it is not in a folded round. */
static void fold(const ebb_trace_step *t, const group *g, int32_t *same) {
    for (int32_t i = 0; i < t->n_nodes; i++) same[i] = i;
    for (int32_t i = 0; i < t->n_groups; i++) {
        const ebb_trace_group *x = &t->groups[i];
        if (g[i].state != FOLDED || (g[i].parent >= 0 && g[g[i].parent].state == FOLDED)) continue;
        const ebb_trace_group *twin = &t->groups[x->twin];
        for (int32_t k = x->first; k < x->last && k < t->n_nodes; k++) {
            const int32_t to = twin->first + (k - x->first);
            same[k] = to < twin->last ? to : twin->last - 1;
        }
    }
    for (int32_t i = 0; i < t->n_nodes; i++)
        if (same[i] < i) same[i] = same[same[i]];
}

static void show_nodes(ebb__plan *p, const group *g, const int32_t *same) {
    for (int32_t i = 0; i < p->t->n_nodes; i++) {
        if (same[i] != i) {
            p->node_box[i] = p->node_box[same[i]];
            continue;
        }
        const int32_t in = p->t->nodes[i].group, flat = in < 0 ? -1 : g[in].flat;
        if (flat < 0 || g[flat].state == OPEN)
            p->node_box[i] = add_box(p, EBB_BOX_NODE, i, 1, flat < 0 ? -1 : g[flat].box, i);
        else p->node_box[i] = g[flat].box;
    }
}

/* The innermost group around both; -1: the top. */
static int32_t around_both(const group *g, int32_t a, int32_t b) {
    while (a != b) {
        if (a < 0 || b < 0) return -1;
        if (g[a].depth >= g[b].depth) a = g[a].parent;
        else b = g[b].parent;
    }
    return a;
}

enum { UNREAD = -2 };

static bool show_leaves(ebb__plan *p, const group *g) {
    const ebb_trace_step *t = p->t;
    int32_t *home = EBB__NEW(&p->mem, t->n_tensors, int32_t);
    if (!home) return false;
    for (int32_t i = 0; i < t->n_tensors; i++) home[i] = UNREAD, p->leaf_box[i] = -1;
    for (int32_t i = 0; i < t->n_nodes; i++) {
        const ebb_trace_node *n = &t->nodes[i];
        const int32_t in = n->group < 0 ? -1 : g[n->group].flat;
        for (int32_t k = n->input; k < n->input + n->n_in; k++) {
            const int32_t x = t->inputs[k].tensor;
            if (x >= 0 && t->tensors[x].node < 0)
                home[x] = home[x] == UNREAD ? in : around_both(g, home[x], in);
        }
    }
    for (int32_t i = 0; i < t->n_tensors; i++) {
        const ebb_trace_tensor *x = &t->tensors[i];
        const bool input = x->kind == EBB_TT_INPUT, named = input || x->kind == EBB_TT_PARAM;
        if (x->node >= 0 || (home[i] == UNREAD && !named)) continue;
        if (home[i] >= 0 && g[home[i]].state == FOLDED) continue; /* of a round that another stands for */
        const int32_t in = input || home[i] == UNREAD ? -1 : home[i];
        if (in < 0 || g[in].state == OPEN) {
            p->leaf_box[i] = add_box(p, EBB_BOX_TENSOR, i, 1, in < 0 ? -1 : g[in].box, -1);
        } else if (g[in].box >= 0) { /* inside a closed group */
            const ebb_box *b = &p->boxes[g[in].box];
            if (t->groups[b->id].kind == EBB_TG_OP && named)
                p->leaf_box[i] = add_box(p, EBB_BOX_TENSOR, i, 1, b->frame, -1);
        }
    }
    return true;
}

/* A group is on the tape when one of its nodes is. */
static void weigh(ebb__plan *p) {
    for (int32_t b = 0; b < p->n_boxes; b++) p->weight[b] = 1;
    for (int32_t i = 0; i < p->t->n_nodes; i++)
        if (p->t->nodes[i].on_tape && p->node_box[i] >= 0) p->weight[p->node_box[i]] = EBB__ON_TAPE;
    for (int32_t b = p->n_boxes - 1; b >= 0; b--) /* from the inside out */
        if (p->weight[b] > 1 && p->boxes[b].frame >= 0) p->weight[p->boxes[b].frame] = EBB__ON_TAPE;
}

/* ---- wires ------------------------------------------------------------------------------------------------------------------ */

/* a comes before b among the boxes of one container. */
static bool before(const ebb__plan *p, int32_t a, int32_t b) {
    return p->key[a] < p->key[b] || (p->key[a] == p->key[b] && a < b);
}

/* Both are lifted to the container that holds both; what would run backwards there joins folded rounds and is not drawn. */
static bool runs_forward(const ebb__plan *p, const int32_t *depth, int32_t a, int32_t b) {
    while (p->boxes[a].frame != p->boxes[b].frame) {
        if (depth[a] >= depth[b]) a = p->boxes[a].frame;
        else b = p->boxes[b].frame;
    }
    return a != b && before(p, a, b);
}

static bool find_wires(ebb__plan *p) {
    const ebb_trace_step *t = p->t;
    uint32_t slots = 16;
    while (slots < 2 * (uint32_t)t->n_inputs) slots *= 2;
    int32_t *slot = EBB__NEW(&p->mem, slots, int32_t), *depth = EBB__NEW(&p->mem, p->n_boxes, int32_t);
    p->wires = EBB__NEW(&p->mem, t->n_inputs, ebb_wire);
    if (!slot || !depth || !p->wires) return false;
    for (int32_t i = 0; i < p->n_boxes; i++) /* frames come before what is in them */
        depth[i] = p->boxes[i].frame < 0 ? 0 : depth[p->boxes[i].frame] + 1;
    for (int32_t i = 0; i < t->n_nodes; i++)
        for (int32_t k = t->nodes[i].input; k < t->nodes[i].input + t->nodes[i].n_in; k++) {
            const int32_t x = t->inputs[k].tensor;
            if (x < 0) continue;
            const int32_t from = t->tensors[x].node >= 0 ? p->node_box[t->tensors[x].node] : p->leaf_box[x];
            const int32_t to = p->node_box[i];
            if (from < 0 || to < 0 || from == to) continue;
            uint32_t h = ((uint32_t)from * 2654435761u ^ (uint32_t)to * 2246822519u) & (slots - 1);
            while (slot[h] && (p->wires[slot[h] - 1].from != from || p->wires[slot[h] - 1].to != to))
                h = (h + 1) & (slots - 1);
            if (slot[h]) {
                p->wires[slot[h] - 1].input = -1;
            } else if (runs_forward(p, depth, from, to)) {
                p->wires[p->n_wires++] = (ebb_wire){.from = from, .to = to, .tensor = x, .input = k};
                slot[h] = p->n_wires;
            }
        }
    return true;
}

bool ebb__layout_visible(ebb__plan *p) {
    const ebb_trace_step *t = p->t;
    const size_t most = (size_t)t->n_groups + (size_t)t->n_nodes + (size_t)t->n_tensors;
    group *g = EBB__NEW(&p->mem, t->n_groups, group);
    int32_t *same = EBB__NEW(&p->mem, t->n_nodes, int32_t);
    p->node_box = EBB__NEW(&p->mem, t->n_nodes, int32_t);
    p->leaf_box = EBB__NEW(&p->mem, t->n_tensors, int32_t);
    p->boxes = EBB__NEW(&p->mem, most, ebb_box);
    p->key = EBB__NEW(&p->mem, most, int32_t), p->weight = EBB__NEW(&p->mem, most, int32_t);
    if (!g || !same || !p->node_box || !p->leaf_box || !p->boxes || !p->key || !p->weight) return false;
    show_groups(p, g);
    fold(t, g, same);
    show_nodes(p, g, same);
    if (!show_leaves(p, g)) return false;
    weigh(p);
    return find_wires(p);
}
