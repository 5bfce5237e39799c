/* record_test.c - the tables of small known graphs: nodes, operands, groups, events, gradients; and that looking on changes nothing. */
#include "../test.h"
#include <ebb/view.h>

static const char *text(const ebb_trace_step *s, uint32_t at) { return s->texts + at; }

/* Node i is this op, with these operands (tensors), and one output. */
static void check_node(const ebb_trace_step *s, int32_t i, const char *op, int32_t n_in, const int32_t *in) {
    assert_in_range(i, 0, s->n_nodes - 1);
    const ebb_trace_node *n = &s->nodes[i];
    assert_string_equal(text(s, n->op), op);
    assert_int_equal(n->n_in, n_in);
    for (int32_t k = 0; k < n_in; k++) assert_int_equal(s->inputs[n->input + k].tensor, in[k]);
    for (int32_t k = 0; k < n->n_out; k++) {
        assert_int_equal(s->tensors[n->first_out + k].node, i);
        assert_int_equal(s->tensors[n->first_out + k].out, k);
    }
}
#define NODE(s, i, op, ...)                                                                                  \
    check_node(s, i, op, (int32_t)COUNT(((int32_t[]){__VA_ARGS__})), (int32_t[]){__VA_ARGS__})

/* The output of node i. */
static int32_t out(const ebb_trace_step *s, int32_t i) { return s->nodes[i].first_out; }
static int32_t param(const ebb_trace_step *s, const char *name) {
    for (int32_t i = 0; i < s->n_tensors; i++)
        if (!strcmp(text(s, s->tensors[i].name), name)) return i;
    fail_msg("no tensor is called %s", name);
    return -1;
}
static const float *elements(const ebb_trace_step *s, int32_t stats) {
    assert_in_range(stats, 0, s->n_stats - 1);
    assert_true(s->stats[stats].elements >= 0);
    return s->floats + s->stats[stats].elements;
}

static void one_step(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(3), ebb_ones),
               *b = ebb_param(e, "b", EBB_F64, EBB_SHAPE(3), ebb_ones);
    ebb_param(e, "idle", EBB_F64, EBB_SHAPE(1), NULL);
    ebb_tensor *x = ebb_name(range(e, EBB_SHAPE(3)), "x");
    ebb_optim *o = ebb_optim_new(e, "sgd", "lr=0.5");
    ebb_recorder *r = ebb_record_begin(e, NULL);
    assert_non_null(r);
    ebb_tensor *h = ebb_name(ebb_mul(w, x), "h"); /* 0 1 2 */
    ebb_tensor *y = ebb_add(h, b);                /* 1 2 3 */
    ebb_tensor *l = ebb_sum(ebb_square(y));       /* 14 */
    assert_int_equal(ebb_backward(l), EBB_OK);
    assert_int_equal(ebb_optim_step(o), EBB_OK);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    assert_no_error(e);
    assert_ptr_equal(ebb_record_end(r), s);
    assert_int_equal(s->n_nodes, 4);
    const int32_t tw = param(s, "w"), tb = param(s, "b"), tx = param(s, "x");
    assert_int_equal(tw, 0); /* parameters first, in their order */
    assert_int_equal(tb, 1);
    NODE(s, 0, "mul", tw, tx);
    NODE(s, 1, "add", out(s, 0), tb);
    NODE(s, 2, "square", out(s, 1));
    NODE(s, 3, "sum", out(s, 2));
    assert_string_equal(text(s, s->nodes[0].label), "h");
    assert_string_equal(text(s, s->tensors[out(s, 0)].name), "h");
    assert_string_equal(text(s, s->nodes[1].label), "");
    assert_true(strlen(text(s, s->nodes[0].math)) > 0);
    assert_int_equal(s->tensors[tw].kind, EBB_TT_PARAM);
    assert_int_equal(s->tensors[tx].kind, EBB_TT_INPUT);
    assert_int_equal(s->tensors[out(s, 3)].kind, EBB_TT_VALUE);
    assert_int_equal(s->tensors[out(s, 3)].ndim, 0);
    assert_int_equal(s->tensors[tw].dim[0], 3);
    assert_true(s->loss == 14);
    assert_true(elements(s, s->tensors[out(s, 1)].value)[2] == 3);
    /* gradients: dl/dy = 2y, dl/dw = 2y*x */
    const double dy[] = {2, 4, 6}, dw[] = {0, 4, 12}, w1[] = {1, -1, -5};
    for (int i = 0; i < 3; i++) {
        assert_true((double)elements(s, s->tensors[out(s, 1)].grad)[i] == dy[i]);
        assert_true((double)elements(s, s->tensors[out(s, 0)].grad)[i] == dy[i]);
        assert_true((double)elements(s, s->tensors[tw].grad)[i] == dw[i]);
        assert_true((double)elements(s, s->tensors[tw].grad)[i] == ebb_at(ebb_grad_of(w), i));
        assert_true((double)elements(s, s->tensors[tb].grad)[i] == ebb_at(ebb_grad_of(b), i));
        assert_true((double)elements(s, s->inputs[s->nodes[0].input].grad)[i] == dw[i]);
        assert_true((double)elements(s, s->tensors[tw].value)[i] == 1);
        assert_true((double)elements(s, s->tensors[tw].after)[i] == w1[i]);
    }
    assert_int_equal(s->inputs[s->nodes[0].input + 1].grad, -1); /* x needs none */
    assert_int_equal(s->tensors[tx].grad, -1);
    assert_int_equal(s->tensors[param(s, "idle")].grad, -1);
    assert_true(elements(s, s->tensors[out(s, 3)].grad)[0] == 1);
    /* what happened, in order */
    const int32_t kinds[] = {
        EBB_TE_FORWARD, EBB_TE_FORWARD, EBB_TE_FORWARD, EBB_TE_FORWARD, EBB_TE_BACKWARD_BEGIN,
        EBB_TE_RULE,    EBB_TE_RULE,    EBB_TE_RULE,    EBB_TE_RULE,    EBB_TE_RULE,
        EBB_TE_LEAF,    EBB_TE_LEAF,    EBB_TE_STEP};
    const int32_t nodes[] = {0, 1, 2, 3, -1, 3, 2, 1, 1, 0, -1, -1, -1};
    assert_int_equal(s->n_events, COUNT(kinds));
    for (size_t i = 0; i < COUNT(kinds); i++) {
        assert_int_equal(s->events[i].kind, kinds[i]);
        assert_int_equal(s->events[i].node, nodes[i]);
        assert_true(!i || s->events[i].seconds >= s->events[i - 1].seconds);
    }
    assert_int_equal(s->events[4].tensor, out(s, 3));
    assert_int_equal(s->events[5].input, s->nodes[3].input);
    assert_null(ebb_record_tensor(r, 0, false)); /* not a live record */
    ebb_record_free(r);
}

/* A chain of regions: block, block.2 (alike), head (not), and a loss made of parts. */
static ebb_tensor *block(ebb *e, const char *name, ebb_tensor *x, ebb_tensor *w, ebb_tensor *(*f)(ebb_tensor *)) {
    ebb_region_begin(e, name);
    ebb_tensor *h = ebb_mul(x, w);
    ebb_region_begin(e, "act");
    h = f(h);
    ebb_region_end(e);
    ebb_region_end(e);
    return h;
}
static ebb_tensor *use_tanh(ebb_tensor *x) { return ebb_tanh(x); }
static ebb_tensor *use_sin(ebb_tensor *x) { return ebb_sin(x); }

static void regions_and_twins(void **state) {
    ebb *e = *state;
    ebb_tensor *w[4];
    for (int i = 0; i < 4; i++)
        w[i] = ebb_param(e, (char[]){'w', (char)('0' + i), 0}, EBB_F32, EBB_SHAPE(4), ebb_ones);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *h = ebb_rand(e, EBB_F32, EBB_SHAPE(4));
    h = block(e, "block", h, w[0], use_tanh);
    h = block(e, "block.2", h, w[1], use_tanh);
    h = block(e, "block.3", h, w[2], use_sin);
    h = ebb_neg(h);
    h = block(e, "repeat.1", h, w[3], use_sin);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    static const struct {
        const char *name;
        int32_t kind, parent, first, last, twin, n_twins;
    } want[] = {
        {"block", EBB_TG_REGION, -1, 0, 2, 0, 2},    {"act", EBB_TG_REGION, 0, 1, 2, 1, 1},
        {"block.2", EBB_TG_REGION, -1, 2, 4, 0, 2},  {"act", EBB_TG_REGION, 2, 3, 4, 3, 1},
        {"block.3", EBB_TG_REGION, -1, 4, 6, 4, 1},  {"act", EBB_TG_REGION, 4, 5, 6, 5, 1},
        {"repeat.1", EBB_TG_REPEAT, -1, 7, 9, 6, 1}, {"act", EBB_TG_REGION, 6, 8, 9, 7, 1},
    };
    assert_int_equal(s->n_groups, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        const ebb_trace_group *g = &s->groups[i];
        assert_string_equal(text(s, g->name), want[i].name);
        assert_int_equal(g->kind, want[i].kind);
        assert_int_equal(g->parent, want[i].parent);
        assert_int_equal(g->first, want[i].first);
        assert_int_equal(g->last, want[i].last);
        assert_int_equal(g->twin, want[i].twin);
        assert_int_equal(g->n_twins, want[i].n_twins);
    }
    const int32_t group[] = {0, 1, 2, 3, 4, 5, -1, 6, 7};
    for (size_t i = 0; i < COUNT(group); i++) assert_int_equal(s->nodes[i].group, group[i]);
    ebb_record_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(one_step),
        SESSION_TEST(regions_and_twins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
