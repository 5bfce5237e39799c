/* layout_test.c - layouts of networks: the straight way, folding, leaves and wires of groups, both directions, the same every time. */
#include "layout_check.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(networks),       SESSION_TEST(empty_and_small), SESSION_TEST(straight),
        SESSION_TEST(the_same_again), SESSION_TEST(folding),         SESSION_TEST(leaves_of_groups),
        SESSION_TEST(merged_wires),   SESSION_TEST(nested),          SESSION_TEST(opening_moves_little),
        SESSION_TEST(gradient_way),   cmocka_unit_test(at_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
