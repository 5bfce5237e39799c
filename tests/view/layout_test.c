/* layout_test.c - layouts of networks: nothing overlaps, wires meet no box but their two, frames hold their parts; folding, both directions, hostile shapes. */
#include "graphs.h"
#include <limits.h>
#include <time.h>

/* ---- what holds for every layout ------------------------------------------------------------------------------------- */

static bool is_around(const ebb_layout *l, int32_t frame, int32_t box) {
    for (int32_t i = l->boxes[box].frame; i >= 0; i = l->boxes[i].frame)
        if (i == frame) return true;
    return false;
}

static void check_boxes(const ebb_layout *l) {
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

static void check_meets_none(const ebb_layout *l, int32_t wire, double x, double y) {
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

static bool on_border(const ebb_box *b, const float *p) {
    const bool in =
        p[0] >= b->x - 0.1f && p[0] <= b->x + b->w + 0.1f && p[1] >= b->y - 0.1f && p[1] <= b->y + b->h + 0.1f;
    const bool within =
        p[0] > b->x + 0.1f && p[0] < b->x + b->w - 0.1f && p[1] > b->y + 0.1f && p[1] < b->y + b->h - 0.1f;
    return in && !within;
}

static void check_wires(const ebb_trace_step *t, const ebb_layout *l, bool right) {
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
static ebb_layout *lay_out(ebb *e, graph *g, const uint8_t *open, bool right) {
    const ebb_trace_step *t = step_of(g);
    ebb_layout *l = ebb_layout_new(
        e, t, &(ebb_layout_options){.size = sizeof(ebb_layout_options), .right = right, .open = open});
    assert_no_error(e);
    assert_non_null(l);
    check_boxes(l);
    check_wires(t, l, right);
    return l;
}

static int32_t find(const ebb_layout *l, int kind, int32_t id) {
    for (int32_t i = 0; i < l->n_boxes; i++)
        if (l->boxes[i].kind == kind && l->boxes[i].id == id) return i;
    return -1;
}

static int count(const ebb_layout *l, int kind) {
    int n = 0;
    for (int32_t i = 0; i < l->n_boxes; i++) n += l->boxes[i].kind == kind;
    return n;
}

/* ---- networks -------------------------------------------------------------------------------------------------------- */

/* Every network with all its groups in the same state, both ways round. */
static void networks(void **state) {
    for (int which = 0; which < 12; which++)
        for (int how = 0; how < 8; how++) {
            graph g = which == 0    ? mlp(4)
                      : which == 1  ? residual(12, false)
                      : which == 2  ? residual(5, true)
                      : which == 3  ? transformer(1, false)
                      : which == 4  ? transformer(3, true)
                      : which == 5  ? rnn(16, false)
                      : which == 6  ? rnn(6, true)
                      : which == 7  ? unet(4)
                      : which == 8  ? tangle(200, 1.07, 8, 1)
                      : which == 9  ? tangle(120, 2, 30, 2)
                      : which == 10 ? tangle(60, 1.5, 60, 3)
                                    : chain(30);
            uint8_t open[64];
            memset(open, how / 2, sizeof open); /* closed, open, closed and unfolded, open and unfolded */
            ebb_layout_free(*state, lay_out(*state, &g, open, how % 2));
            ebb_layout_free(*state, lay_out(*state, &g, NULL, how % 2));
            graph_free(&g);
        }
}

static void empty_and_small(void **state) {
    graph g = graph_new();
    ebb_layout *l = lay_out(*state, &g, NULL, false);
    assert_int_equal(l->n_boxes, 0);
    assert_int_equal(l->n_wires, 0);
    assert_true(l->width == 0 && l->height == 0);
    ebb_layout_free(*state, l);
    OP(&g, "rand", "", -1); /* an optional operand that was not given */
    l = lay_out(*state, &g, NULL, false);
    assert_int_equal(l->n_boxes, 1);
    assert_int_equal(l->n_wires, 0);
    ebb_layout_free(*state, l);
    input(&g, "nobody reads it");
    for (int i = 0; i < 40; i++)
        OP(&g, "relu", "", OP(&g, "rand", "", -1)); /* parts that are not connected */
    l = lay_out(*state, &g, NULL, true);
    assert_int_equal(l->n_boxes, 82);
    ebb_layout_free(*state, l);
    graph_free(&g);
    ebb_layout_free(*state, NULL);
    assert_null(ebb_layout_new(*state, NULL, NULL));
    assert_null(ebb_layout_new(NULL, &g.step, NULL));
}

/* The longest way is one straight line; parameters stand beside their op. */
static void straight(void **state) {
    graph g = residual(12, false);
    for (int right = 0; right < 2; right++) {
        ebb_layout *l = lay_out(*state, &g, NULL, right);
        const int32_t first = find(l, EBB_BOX_NODE, 0);
        for (int32_t i = 0; i < l->n_boxes; i++) {
            const ebb_box *a = &l->boxes[first], *b = &l->boxes[i];
            if (b->kind == EBB_BOX_NODE)
                assert_near(right ? b->y + b->h / 2 : b->x + b->w / 2,
                            right ? a->y + a->h / 2 : a->x + a->w / 2, 0.01);
        }
        for (int32_t i = 0; i < l->n_wires; i++) {
            const ebb_box *a = &l->boxes[l->wires[i].from], *b = &l->boxes[l->wires[i].to];
            if (a->kind != EBB_BOX_TENSOR || g.tensors[a->id].kind != EBB_TT_PARAM) continue;
            assert_near(right ? a->x + a->w / 2 : a->y + a->h / 2, right ? b->x + b->w / 2 : b->y + b->h / 2,
                        right ? 120 : 20);
            assert_true(right ? b->y - (a->y + a->h) < 30 : b->x - (a->x + a->w) < 30);
        }
        ebb_layout_free(*state, l);
    }
    graph_free(&g);
}

static void the_same_again(void **state) {
    graph g = transformer(4, true);
    ebb_layout *a = lay_out(*state, &g, NULL, false), *b = lay_out(*state, &g, NULL, false);
    assert_int_equal(a->n_boxes, b->n_boxes);
    assert_int_equal(a->n_points, b->n_points);
    assert_memory_equal(a->boxes, b->boxes, (size_t)a->n_boxes * sizeof *a->boxes);
    assert_memory_equal(a->wires, b->wires, (size_t)a->n_wires * sizeof *a->wires);
    assert_memory_equal(a->points, b->points, 2 * (size_t)a->n_points * sizeof *a->points);
    ebb_layout_free(*state, a), ebb_layout_free(*state, b);
    graph_free(&g);
}

/* ---- groups ----------------------------------------------------------------------------------------------------------- */

static void folding(void **state) {
    graph g = residual(5, true); /* groups 0 to 4 */
    uint8_t open[5] = {0};
    ebb_layout *l = lay_out(*state, &g, open, false);
    assert_int_equal(count(l, EBB_BOX_GROUP), 1);
    assert_int_equal(l->boxes[find(l, EBB_BOX_GROUP, 0)].count, 5);
    assert_int_equal(count(l, EBB_BOX_NODE), 3); /* stem, head, loss */
    ebb_layout_free(*state, l);

    open[0] = EBB_GROUP_OPEN;
    l = lay_out(*state, &g, open, false);
    assert_int_equal(count(l, EBB_BOX_FRAME), 1);
    assert_int_equal(l->boxes[find(l, EBB_BOX_FRAME, 0)].count, 5);
    assert_int_equal(count(l, EBB_BOX_NODE), 3 + 4);
    ebb_layout_free(*state, l);

    open[0] = EBB_GROUP_UNFOLDED, open[2] = EBB_GROUP_OPEN;
    l = lay_out(*state, &g, open, true);
    assert_int_equal(count(l, EBB_BOX_GROUP), 4);
    assert_int_equal(count(l, EBB_BOX_FRAME), 1);
    assert_int_equal(l->boxes[find(l, EBB_BOX_FRAME, 2)].count, 1);
    ebb_layout_free(*state, l);
    graph_free(&g);
}

/* A parameter of a closed block is not shown, one of a composed op stands beside it. */
static void leaves_of_groups(void **state) {
    for (int kind = EBB_TG_REGION; kind <= EBB_TG_OP; kind++) {
        graph g = graph_new();
        const int32_t x = input(&g, "x"), w = param(&g, "w");
        begin(&g, kind, "g");
        OP(&g, "relu", "", OP(&g, "matmul", "", x, w));
        end(&g);
        uint8_t open = 0;
        ebb_layout *l = lay_out(*state, &g, &open, false);
        assert_int_equal(find(l, EBB_BOX_TENSOR, w) >= 0, kind == EBB_TG_OP);
        assert_int_equal(l->n_wires, kind == EBB_TG_OP ? 2 : 1);
        ebb_layout_free(*state, l);
        open = EBB_GROUP_OPEN;
        l = lay_out(*state, &g, &open, false);
        assert_int_equal(l->boxes[find(l, EBB_BOX_TENSOR, w)].frame, find(l, EBB_BOX_FRAME, 0));
        assert_int_equal(l->boxes[find(l, EBB_BOX_TENSOR, x)].frame, -1);
        ebb_layout_free(*state, l);
        graph_free(&g);
    }
}

static void merged_wires(void **state) {
    graph g = graph_new();
    const int32_t x = input(&g, "x"), y = OP(&g, "mul", "", x, x);
    begin(&g, EBB_TG_REGION, "r");
    OP(&g, "add", "", OP(&g, "relu", "", y), y);
    end(&g);
    uint8_t open = 0;
    ebb_layout *l = lay_out(*state, &g, &open, false);
    assert_int_equal(l->n_wires, 2);
    for (int i = 0; i < 2; i++) assert_int_equal(l->wires[i].input, -1);
    ebb_layout_free(*state, l);
    graph_free(&g);
}

static void nested(void **state) {
    graph g = graph_new();
    int32_t x = input(&g, "x");
    const int32_t y = OP(&g, "exp", "", x);
    for (int i = 0; i < 80; i++) begin(&g, EBB_TG_REGION, "inside"), x = OP(&g, "relu", "", x);
    OP(&g, "add", "", x, y);
    for (int i = 0; i < 80; i++) end(&g);
    OP(&g, "sub", "", x, y);
    uint8_t open[80];
    memset(open, EBB_GROUP_OPEN, sizeof open);
    for (int right = 0; right < 2; right++) ebb_layout_free(*state, lay_out(*state, &g, open, right));
    graph_free(&g);
}

/* Opening a group leaves the order of what is around it. */
static void opening_moves_little(void **state) {
    graph g = transformer(3, true);
    uint8_t open[3] = {0};
    ebb_layout *a = lay_out(*state, &g, open, false);
    open[0] = EBB_GROUP_OPEN;
    ebb_layout *b = lay_out(*state, &g, open, false);
    for (int32_t i = 0; i < a->n_boxes; i++)
        for (int32_t k = 0; k < a->n_boxes; k++) {
            const ebb_box *p = &a->boxes[i], *q = &a->boxes[k];
            if (p->kind != EBB_BOX_NODE || q->kind != EBB_BOX_NODE || p->y + p->h > q->y) continue;
            const ebb_box *r = &b->boxes[find(b, EBB_BOX_NODE, p->id)],
                          *s = &b->boxes[find(b, EBB_BOX_NODE, q->id)];
            assert_true(r->y + r->h < s->y);
        }
    ebb_layout_free(*state, a), ebb_layout_free(*state, b);
    graph_free(&g);
}

/* What backward goes through is in one line, though another way is longer. */
static void gradient_way(void **state) {
    graph g = graph_new();
    const int32_t y = OP(&g, "linear", "", input(&g, "x"), param(&g, "w"));
    OP(&g, "cross_entropy", "loss", y, input(&g, "labels"));
    g.nodes[0].on_tape = g.nodes[1].on_tape = true;
    OP(&g, "mean", "accuracy", OP(&g, "to", "", OP(&g, "eq", "", OP(&g, "argmax", "", y), y)));
    ebb_layout *l = lay_out(*state, &g, NULL, false);
    const ebb_box *a = &l->boxes[find(l, EBB_BOX_NODE, 0)], *b = &l->boxes[find(l, EBB_BOX_NODE, 1)];
    assert_near(a->x + a->w / 2, b->x + b->w / 2, 0.01);
    ebb_layout_free(*state, l);
    graph_free(&g);
}

static void at_first(void **state) {
    UNUSED(state);
    graph g = residual(40, true);
    begin(&g, EBB_TG_OP, "composed");
    OP(&g, "relu", "", 0);
    end(&g);
    const int32_t big = begin(&g, EBB_TG_DEF, "big");
    for (int i = 0; i < 200; i++) OP(&g, "relu", "", 0);
    end(&g);
    uint8_t open[64];
    memset(open, 0xff, sizeof open);
    ebb_layout_default(step_of(&g), open);
    assert_int_equal(open[0], EBB_GROUP_OPEN); /* one round of the twins */
    for (int32_t i = 1; i < 40; i++) assert_int_equal(open[i], 0);
    assert_int_equal(open[40], 0);
    assert_int_equal(open[big], 0);
    assert_int_equal(open[big + 1], 0xff); /* behind the table */
    graph_free(&g);
}

/* ---- large ones ----------------------------------------------------------------------------------------------------- */

static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; } /* of this process */

/* Far more than a machine under load or a sanitizer needs; a method that is quadratic needs minutes. */
static void large(void **state) {
    for (int which = 0; which < 5; which++) {
        graph g = which == 0   ? chain(100000)
                  : which == 1 ? tangle(10000, 1.07, 8, 1)
                  : which == 2 ? tangle(10000, 2, 20, 2)
                  : which == 3 ? tangle(10000, 2, 10000, 3)
                               : graph_new();
        if (which == 4) /* each reads one from half way back: the wires are together as long as the square of the chain */
            for (int i = 0, x = input(&g, "x"); i < 20000; i++) OP(&g, "add", "", x + i, x + i / 2);
        const double begin_at = seconds();
        ebb_layout *l = ebb_layout_new(*state, step_of(&g), NULL);
        assert_no_error(*state);
        assert_non_null(l);
        assert_true(seconds() - begin_at < 30);
        assert_true(isfinite(l->width) && isfinite(l->height));
        assert_true(l->n_boxes >= g.n_nodes);
        ebb_layout_free(*state, l);
        graph_free(&g);
    }
}

/* Many parameters of one op, and many branches side by side, stay on a page. */
static void wide(void **state) {
    graph g = graph_new();
    int32_t x[300];
    for (int i = 0; i < 300; i++) x[i] = param(&g, "p");
    op_of(&g, "cat", "", 300, x);
    for (int right = 0; right < 2; right++) {
        ebb_layout *l = lay_out(*state, &g, NULL, right);
        assert_true(l->width < 2500 && l->height < 2500);
        ebb_layout_free(*state, l);
    }
    graph_free(&g);
    g = graph_new();
    for (int i = 0, in = input(&g, "x"); i < 40; i++) x[i] = OP(&g, "relu", "", in);
    op_of(&g, "cat", "", 40, x);
    ebb_layout *l = lay_out(*state, &g, NULL, false);
    assert_true(l->width < 40 * 98);
    ebb_layout_free(*state, l);
    graph_free(&g);
}

/* ---- memory ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    long calls, fail_at, blocks;
} failing;
static void *fail_alloc(void *user, size_t bytes) {
    failing *f = user;
    if (++f->calls >= f->fail_at && f->fail_at) return NULL;
    f->blocks++;
    return malloc(bytes);
}
static void fail_free(void *user, void *p, size_t bytes) {
    UNUSED(bytes);
    if (p) ((failing *)user)->blocks--;
    free(p);
}

static void memory_is_short(void **state) {
    UNUSED(state);
    graph g = tangle(3000, 2, 20, 1); /* several chunks of memory */
    const ebb_trace_step *t = step_of(&g);
    for (long k = 1, done = 0; !done; k++) {
        failing f = {0};
        ebb *e = ebb_open(&(ebb_options){
            .size = sizeof(ebb_options), .threads = 1, .alloc = fail_alloc, .free = fail_free, .alloc_user = &f});
        assert_non_null(e);
        f.calls = 0, f.fail_at = k;
        ebb_layout *l = ebb_layout_new(e, t, NULL);
        char *svg = l ? ebb_layout_svg(e, t, l, false, NULL) : NULL;
        f.fail_at = 0;
        done = svg != NULL;
        if (!done) assert_int_equal(ebb_error_code(e), EBB_E_MEMORY);
        ebb_layout_svg_free(e, svg);
        ebb_layout_free(e, l);
        ebb_memory left;
        ebb_memory_stats(e, &left);
        assert_int_equal(left.tensors, 0);
        ebb_close(e);
        assert_int_equal(f.blocks, 0);
        assert_true(done || k < 1000);
    }
    graph_free(&g);
}

/* ---- pictures ---------------------------------------------------------------------------------------------------------- */

static void picture(void **state) {
    graph g = graph_new();
    OP(&g, "a<b&c", "\"d\"", input(&g, "x\ny"));
    const ebb_trace_step *t = step_of(&g);
    for (int right = 0; right < 2; right++) {
        ebb_layout *l = lay_out(*state, &g, NULL, right);
        size_t n;
        char *svg = ebb_layout_svg(*state, t, l, right, &n);
        assert_non_null(svg);
        assert_int_equal(strlen(svg), n);
        assert_int_equal(strncmp(svg, "<svg xmlns=", 11), 0);
        assert_true(contains(svg, "a&lt;b&amp;c") && contains(svg, "&quot;d&quot;") && contains(svg, ">x y"));
        assert_true(contains(svg, "prefers-color-scheme:dark") && strcmp(svg + n - 7, "</svg>\n") == 0);
        ebb_layout_svg_free(*state, svg);
        ebb_layout_free(*state, l);
    }
    assert_null(ebb_layout_svg(*state, t, NULL, false, NULL));
    graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(networks),
        SESSION_TEST(empty_and_small),
        SESSION_TEST(straight),
        SESSION_TEST(the_same_again),
        SESSION_TEST(folding),
        SESSION_TEST(leaves_of_groups),
        SESSION_TEST(merged_wires),
        SESSION_TEST(nested),
        SESSION_TEST(opening_moves_little),
        SESSION_TEST(gradient_way),
        cmocka_unit_test(at_first),
        SESSION_TEST(large),
        SESSION_TEST(wide),
        cmocka_unit_test(memory_is_short),
        SESSION_TEST(picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
