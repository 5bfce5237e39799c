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

/* ---- what a call can be ------------------------------------------------------------------------------------------------ */

/* The one value of a 1-element tensor, or element k of a tensor's value or gradient. */
static double at(const ebb_trace_step *s, int32_t stats, int k) { return (double)elements(s, stats)[k]; }

/* y0 = 2x, y1 = -x, as one call. */
static ebb_status both(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    UNUSED(user), UNUSED(n_x), UNUSED(n_y);
    y[0] = ebb_mul(x[0], scalar(e, 2));
    y[1] = ebb_neg(x[0]);
    return ebb_error_code(e);
}
static ebb_status both_back(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor *const *y,
                            ebb_tensor *const *g, ebb_tensor **dx) {
    UNUSED(user), UNUSED(n_x), UNUSED(x), UNUSED(n_y), UNUSED(y);
    dx[0] = ebb_sub(ebb_mul(g[0], scalar(e, 2)), g[1]);
    return ebb_error_code(e);
}

static void several_outputs_and_absent_operands(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(1, 2), ebb_ones), *y[2];
    ebb_tensor *x = range(e, EBB_SHAPE(3, 2)); /* rows sum to 1, 5, 9 */
    ebb_function *f = ebb_function_new(e, "both", both, both_back, NULL);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *h = ebb_linear(x, w, NULL);
    assert_int_equal(ebb_function_call(f, 1, &h, 2, y), EBB_OK);
    assert_int_equal(ebb_backward(ebb_sum(ebb_mul(y[1], y[0]))), EBB_OK); /* -2 h^2 */
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    assert_string_equal(text(s, s->nodes[0].op), "linear");
    assert_int_equal(s->nodes[0].n_in, 3);
    assert_int_equal(s->inputs[s->nodes[0].input + 2].tensor, -1);
    NODE(s, 1, "both", out(s, 0));
    assert_int_equal(s->nodes[1].n_out, 2);
    NODE(s, 2, "mul", out(s, 1) + 1, out(s, 1));
    assert_true(at(s, s->tensors[out(s, 1)].value, 1) == 10 && at(s, s->tensors[out(s, 1) + 1].value, 1) == -5);
    assert_true(at(s, s->tensors[out(s, 1)].grad, 1) == -5 && at(s, s->tensors[out(s, 1) + 1].grad, 1) == 10);
    assert_true(at(s, s->tensors[out(s, 0)].grad, 1) == -20 && at(s, s->inputs[s->nodes[1].input].grad, 1) == -20);
    ebb_record_free(r);
}

static void in_place(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(2), ebb_ones);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *h = ebb_name(ebb_mul(w, scalar(e, 3)), "h"); /* 3 3 */
    ebb_add_(h, scalar(e, 2));                               /* 5 5 */
    ebb_add_(h, ebb_reshape(h, .shape = EBB_DIMS(2))); /* 10 10: made elsewhere, as it reads its own memory, and copied */
    assert_int_equal(ebb_backward(ebb_sum(ebb_mul(h, range(e, EBB_SHAPE(2))))), EBB_OK);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    static const char *const ops[] = {"mul", "add", "reshape", "add", "mul", "sum"};
    const double values[] = {3, 5, 5, 10, 0, 10};
    assert_int_equal(s->n_nodes, COUNT(ops));
    for (int32_t i = 0; i < (int32_t)COUNT(ops); i++) {
        assert_string_equal(text(s, s->nodes[i].op), ops[i]);
        assert_true(at(s, s->tensors[out(s, i)].value, 0) == values[i]);
        assert_true(s->tensors[out(s, i)].grad >= 0);
    }
    assert_int_equal(s->inputs[s->nodes[1].input].tensor, out(s, 0));
    NODE(s, 3, "add", out(s, 1), out(s, 2));
    assert_int_equal(s->inputs[s->nodes[4].input].tensor, out(s, 3));
    assert_true(at(s, s->tensors[0].grad, 1) == 6 && ebb_at(ebb_grad_of(w), 1) == 6);
    ebb_record_free(r);
}

/* A composed op in place: its parts make the result, which is then the tensor's. */
static void composed_in_place(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(2), ebb_ones);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *mask = ebb_tensor_new(e, EBB_BOOL, EBB_SHAPE(2), (uint8_t[]){0, 1});
    ebb_tensor *h = ebb_name(ebb_neg(w), "h");
    ebb_masked_fill_(h, mask, .value = 5);
    assert_int_equal(ebb_backward(ebb_sum(h)), EBB_OK);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    const int32_t sum = s->n_nodes - 1;
    NODE(s, sum, "sum", out(s, sum - 1));
    assert_string_equal(text(s, s->tensors[out(s, sum - 1)].name), "h");
    assert_true(at(s, s->tensors[out(s, sum - 1)].value, 0) == -1 &&
                at(s, s->tensors[out(s, sum - 1)].value, 1) == 5);
    assert_true(at(s, s->tensors[0].grad, 0) == -1 && at(s, s->tensors[0].grad, 1) == 0);
    assert_true(at(s, s->tensors[out(s, 0)].grad, 1) == 0);
    if (s->n_groups) assert_string_equal(text(s, s->groups[0].name), "masked_fill");
    else assert_string_equal(text(s, s->nodes[1].op), "masked_fill");
    ebb_record_free(r);
}

/* A part of a tensor is written to: the tape gets nodes that nobody called, and they are nodes here too. */
static void views_that_are_written_to(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(2, 2), ebb_ones), *k = range_leaf(e, EBB_SHAPE(2));
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *h = ebb_mul(w, scalar(e, 2)), *row = ebb_select(h, .dim = 0, .index = 1);
    ebb_mul_(row, k); /* h: 2 2 / 0 2 */
    ebb_tensor *l = ebb_sum(ebb_square(h));
    assert_int_equal(ebb_backward(l), EBB_OK);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    static const char *const ops[] = {"mul", "select", "mul", "as_strided_scatter", "square", "sum"};
    assert_int_equal(s->n_nodes, COUNT(ops));
    for (size_t i = 0; i < COUNT(ops); i++) assert_string_equal(text(s, s->nodes[i].op), ops[i]);
    NODE(s, 1, "select", out(s, 0));
    NODE(s, 3, "as_strided_scatter", out(s, 0), out(s, 2));
    NODE(s, 4, "square", out(s, 3));
    assert_true(s->loss == 12);
    for (int i = 0; i < 4; i++) assert_true(at(s, s->tensors[0].grad, i) == ebb_at(ebb_grad_of(w), i));
    for (int32_t i = 0; i < s->n_nodes; i++) assert_true(s->tensors[out(s, i)].grad >= 0);
    ebb_record_free(r);
}

static void calls_that_change_nothing(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(2), ebb_ones);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *h = ebb_dropout(ebb_neg(w), .training = false);
    assert_int_equal(ebb_backward(ebb_sum(h)), EBB_OK);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_int_equal(s->n_nodes, 2);
    NODE(s, 0, "neg", 0);
    NODE(s, 1, "sum", out(s, 0));
    ebb_record_free(r);
}

/* One with rules of its own is one node; one without is a group around its parts; one of a single part is that. */
static void composed_ops(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(3, 3), ebb_xavier);
    ebb_tensor *x = ebb_rand(e, EBB_F32, EBB_SHAPE(2, 3)),
               *t = ebb_tensor_new(e, EBB_I64, EBB_SHAPE(2), (int64_t[]){0, 2});
    ebb_recorder *r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_cross_entropy(ebb_matmul(x, w), t)), EBB_OK);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    assert_string_equal(text(s, s->nodes[0].op), "matmul");
    assert_int_equal(s->nodes[0].group, -1);
    assert_int_equal(s->n_groups, 1);
    assert_string_equal(text(s, s->groups[0].name), "cross_entropy");
    assert_int_equal(s->groups[0].kind, EBB_TG_OP);
    assert_int_equal(s->groups[0].first, 1);
    assert_int_equal(s->groups[0].last, s->n_nodes);
    assert_true(s->n_nodes > 2);
    for (int32_t i = 0; i < s->n_nodes; i++) /* the labels' conversion is outside the graph */
        assert_int_equal(s->nodes[i].on_tape, strcmp(text(s, s->nodes[i].op), "to") != 0);
    ebb_record_free(r);
}

/* A gradient that is part of the loss: the ops of rules are nodes then; those of a backward that keeps no graph are not. */
static void second_order(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(2), ebb_ones), *g = NULL;
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *y = ebb_sum(ebb_sin(w));
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 1, &w, EBB_CREATE_GRAPH, &g), EBB_OK);
    const int64_t before = ebb_tape_len(e);
    assert_int_equal(ebb_backward(ebb_add(y, ebb_sum(ebb_square(g)))), EBB_OK);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    int32_t on_tape = 0;
    for (int32_t i = 0; i < s->n_nodes; i++) on_tape += s->nodes[i].on_tape;
    assert_int_equal(on_tape, before + 3); /* whatever is on the tape is here, and the last three */
    for (int i = 0; i < 2; i++) {
        assert_near(at(s, s->tensors[0].grad, i), cos(1) - 2 * cos(1) * sin(1), 1e-6);
        assert_near(at(s, s->tensors[0].grad, i), ebb_at(ebb_grad_of(w), i), 1e-6);
    }
    ebb_record_free(r);
}

/* Metrics, and inputs' preparation, are outside the graph; a second backward belongs to another record. */
static void outside_the_graph(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(2), ebb_ones);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *l = ebb_sum(ebb_square(w));
    assert_int_equal(ebb_backward(l), EBB_OK);
    ebb_no_grad_begin(e);
    ebb_neg(w);
    ebb_no_grad_end(e);
    assert_int_equal(ebb_backward(ebb_sum(w)), EBB_OK);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_int_equal(s->n_nodes, 4);
    assert_true(s->nodes[0].on_tape && s->nodes[1].on_tape && !s->nodes[2].on_tape && s->nodes[3].on_tape);
    assert_true(s->loss == 2);
    assert_true(at(s, s->tensors[0].grad, 0) == 2);
    assert_int_equal(s->tensors[out(s, 3)].grad, -1);
    ebb_record_free(r);
}

/* ---- a model's ---------------------------------------------------------------------------------------------------- */

/* Places in the text, calls of functions and rounds as groups that are alike, the text itself and the step. */
static void a_model(void **state) {
    ebb *e = *state;
    static const char model[] = "data xor\n"
                                "def layer(h) {\n"
                                "    W = param(2, 2) ~ xavier\n"
                                "    return tanh(h @ W)\n}\n"
                                "h = layer(layer(x))\n"
                                "repeat 3 {\n"
                                "    h = sin(h)\n}\n"
                                "region head {\n"
                                "    z = neg(h)\n}\n"
                                "loss = cross_entropy(z, y)\n"
                                "train sgd lr=0.1\n";
    ebb_model *m = ebb_model_new(e, "the test", model);
    assert_no_error(e);
    const ebb_record_options o = {.size = sizeof o, .model = m};
    ebb_step step = {.size = sizeof step};
    ebb_scope *scope = ebb_begin(e);
    ebb_recorder *r = ebb_record_begin(e, &o);
    assert_int_equal(ebb_model_step_open(m, &step), EBB_OK);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    assert_int_equal(s->step, 1);
    assert_string_equal(text(s, s->model), model);
    assert_true(s->loss == step.loss);
    static const struct {
        const char *name;
        int32_t kind, n_twins;
    } want[] = {{"layer", EBB_TG_DEF, 2},       {"layer.2", EBB_TG_DEF, 2},
                {"repeat.1", EBB_TG_REPEAT, 3}, {"repeat.2", EBB_TG_REPEAT, 3},
                {"repeat.3", EBB_TG_REPEAT, 3}, {"head", EBB_TG_REGION, 1},
                {"cross_entropy", EBB_TG_OP, 1}};
    assert_int_equal(s->n_groups, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_string_equal(text(s, s->groups[i].name), want[i].name);
        assert_int_equal(s->groups[i].kind, want[i].kind);
        assert_int_equal(s->groups[i].n_twins, want[i].n_twins);
    }
    for (int32_t i = 0; i < s->n_nodes; i++) {
        const ebb_trace_node *n = &s->nodes[i];
        if (!strcmp(text(s, n->op), "tanh")) assert_true(n->line == 4 && n->column == 12 && n->end_line == 4);
        if (!strcmp(text(s, n->op), "sin")) assert_int_equal(n->line, 8);
        if (!strcmp(text(s, n->op), "neg")) assert_string_equal(text(s, n->label), "z");
    }
    assert_int_equal(s->tensors[param(s, "layer.2/W")].kind, EBB_TT_PARAM);
    assert_int_equal(s->tensors[param(s, "x")].kind, EBB_TT_INPUT);
    ebb_record_free(r);
    ebb_end(scope);
    ebb_model_free(m);
}

/* ---- a live record --------------------------------------------------------------------------------------------------- */

static void live(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(2), ebb_ones);
    ebb_optim *o = ebb_optim_new(e, "sgd", "lr=1");
    ebb_memory before, after;
    ebb_memory_stats(e, &before);
    const ebb_record_options options = {.size = sizeof options, .live = true, .keep = -1};
    ebb_scope *scope = ebb_begin(e);
    ebb_recorder *r = ebb_record_begin(e, &options);
    ebb_tensor *h = ebb_name(ebb_mul(w, scalar(e, 3)), "h"), *u = ebb_neg(h);
    ebb_tensor *l = ebb_sum(ebb_square(ebb_add_(u, scalar(e, 1))));
    assert_int_equal(ebb_backward(l), EBB_OK);
    assert_int_equal(ebb_optim_step(o), EBB_OK);
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    ebb_end(scope);
    assert_int_equal(ebb_tape_len(e), 0); /* the graph is gone, what was recorded is not */
    assert_int_equal(s->stats[s->tensors[0].value].elements, -1);
    assert_values(ebb_record_tensor(r, 0, false), 1, 1); /* as it was */
    assert_values(w, -11, -11);
    assert_values(ebb_record_tensor(r, 0, true), 12, 12);
    assert_values(ebb_record_tensor(r, out(s, 0), false), 3, 3);
    assert_string_equal(ebb_name_of(ebb_record_tensor(r, out(s, 0), false)), "h");
    assert_null(ebb_record_tensor(r, out(s, 1), false)); /* it was overwritten */
    assert_values(ebb_record_tensor(r, out(s, 2), false), -2, -2);
    assert_values(ebb_record_tensor(r, out(s, 2), true), -4, -4);
    assert_values(ebb_record_part(r, s->nodes[0].input), 12, 12);
    assert_null(ebb_record_part(r, s->n_inputs));
    assert_null(ebb_record_tensor(r, s->n_tensors, false));
    ebb_record_free(r);
    ebb_zero_grad(o);
    ebb_memory_stats(e, &after);
    assert_int_equal(after.tensors, before.tensors);
}

/* ---- looking on changes nothing ------------------------------------------------------------------------------------------ */

static void the_same_bits(void **state) {
    UNUSED(state);
    double loss[2][5];
    int64_t tensors[2];
    for (int looked = 0; looked < 2; looked++) {
        ebb *e = ebb_open(&(ebb_options){.size = sizeof(ebb_options), .threads = 1, .seed = 7});
        ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(6, 6), ebb_xavier),
                   *v = ebb_param(e, "v", EBB_F32, EBB_SHAPE(6, 6), ebb_xavier);
        ebb_optim *o = ebb_optim_new(e, "adamw", "lr=0.05");
        for (int i = 0; i < 5; i++) {
            ebb_scope *s = ebb_begin(e);
            const ebb_record_options options = {.size = sizeof options, .live = i == 3};
            ebb_recorder *r = looked ? ebb_record_begin(e, &options) : NULL;
            ebb_tensor *x = ebb_dropout(ebb_randn(e, EBB_F32, EBB_SHAPE(4, 6)), .p = 0.3);
            ebb_tensor *h = ebb_add(ebb_linear(x, w, NULL), x),
                       *y = ebb_add(ebb_linear(h, w, NULL), ebb_linear(h, v, NULL));
            ebb_tensor *l = ebb_mean(ebb_square(ebb_tanh(y)));
            ebb_zero_grad(o);
            assert_int_equal(ebb_backward(l), EBB_OK);
            ebb_grads(e, "clip_norm", "max_norm=0.1");
            assert_int_equal(ebb_optim_step(o), EBB_OK);
            loss[looked][i] = ebb_item(l);
            if (looked) assert_non_null(ebb_record_end(r));
            ebb_end(s);
            ebb_record_free(r);
        }
        assert_no_error(e);
        ebb_memory m;
        ebb_memory_stats(e, &m);
        tensors[looked] = m.tensors;
        ebb_close(e);
    }
    assert_memory_equal(loss[0], loss[1], sizeof loss[0]);
    assert_int_equal(tensors[0], tensors[1]);
}

static void misuse(void **state) {
    ebb *e = *state;
    assert_null(ebb_record_begin(NULL, NULL));
    assert_null(ebb_record_end(NULL));
    assert_null(ebb_record_tensor(NULL, 0, false));
    ebb_record_free(NULL);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    assert_null(ebb_record_tensor(r, 0, false));
    assert_int_equal(ebb_record_series(r, NULL, 0, NULL, NULL), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "ebb_record_series");
    const ebb_trace_step *s = ebb_record_end(r);
    assert_int_equal(s->n_nodes + s->n_events + s->n_findings, 0);
    assert_true(isnan(s->loss));
    assert_int_equal(ebb_record_series(r, "loss", 0, NULL, NULL), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "before ebb_record_end");
    ebb_record_free(r);
    r = ebb_record_begin(e, NULL); /* freed in the middle: it no longer listens */
    ebb_record_free(r);
    assert_values(ebb_neg(scalar(e, 1)), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(one_step),
        SESSION_TEST(regions_and_twins),
        SESSION_TEST(several_outputs_and_absent_operands),
        SESSION_TEST(in_place),
        SESSION_TEST(composed_in_place),
        SESSION_TEST(views_that_are_written_to),
        SESSION_TEST(calls_that_change_nothing),
        SESSION_TEST(composed_ops),
        SESSION_TEST(second_order),
        SESSION_TEST(outside_the_graph),
        SESSION_TEST(a_model),
        SESSION_TEST(live),
        cmocka_unit_test(the_same_bits),
        SESSION_TEST(misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
