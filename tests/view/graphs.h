/* graphs.h - traces made by hand for the layout's tests: ops, leaves and groups without any numbers in them. */
#ifndef EBB_TEST_GRAPHS_H
#define EBB_TEST_GRAPHS_H
#include "../test.h"
#include <ebb/view.h>

typedef struct {
    ebb_trace_tensor *tensors;
    ebb_trace_node *nodes;
    ebb_trace_input *inputs;
    ebb_trace_group *groups;
    char *texts;
    int32_t n_tensors, n_nodes, n_inputs, n_groups, n_texts, group;
    ebb_trace_step step;
} graph;

/* Room for one more element of n, doubled at powers of two. */
#define GROW(a, n)                                                                                           \
    do {                                                                                                     \
        if (((n) & ((n)-1)) == 0) (a) = realloc((a), sizeof *(a) * (size_t)((n) ? 2 * (n) : 1));             \
        assert_non_null(a);                                                                                  \
        memset(&(a)[n], 0, sizeof *(a));                                                                     \
    } while (0)

static inline uint32_t text(graph *g, const char *s) {
    const size_t n = strlen(s) + 1;
    g->texts = realloc(g->texts, (size_t)g->n_texts + n + 1);
    assert_non_null(g->texts);
    if (!g->n_texts) g->texts[g->n_texts++] = 0;
    memcpy(g->texts + g->n_texts, s, n);
    g->n_texts += (int32_t)n;
    return (uint32_t)g->n_texts - (uint32_t)n;
}

/* -> the index of a new leaf or value */
static inline int32_t tensor(graph *g, int kind, const char *name, int32_t rows, int32_t cols) {
    GROW(g->tensors, g->n_tensors);
    g->tensors[g->n_tensors] = (ebb_trace_tensor){.name = *name ? text(g, name) : 0,
                                                  .kind = kind,
                                                  .dtype = EBB_F32,
                                                  .ndim = 2,
                                                  .dim = {rows, cols},
                                                  .node = -1,
                                                  .out = -1,
                                                  .value = -1,
                                                  .grad = -1,
                                                  .after = -1};
    return g->n_tensors++;
}
static inline int32_t input(graph *g, const char *name) { return tensor(g, EBB_TT_INPUT, name, 32, 64); }
static inline int32_t param(graph *g, const char *name) { return tensor(g, EBB_TT_PARAM, name, 64, 64); }

/* -> the tensor that an op of these n operands gives */
static inline int32_t op_of(graph *g, const char *name, const char *label, int n, const int32_t *x) {
    GROW(g->nodes, g->n_nodes);
    const uint32_t op = text(g, name), as = *label ? text(g, label) : 0;
    g->nodes[g->n_nodes] =
        (ebb_trace_node){.op = op, .label = as, .group = g->group, .input = g->n_inputs, .n_in = n, .n_out = 1};
    for (int i = 0; i < n; i++) {
        GROW(g->inputs, g->n_inputs);
        g->inputs[g->n_inputs++] = (ebb_trace_input){.tensor = x[i], .grad = -1};
    }
    const int32_t y = tensor(g, EBB_TT_VALUE, "", 32, 64);
    g->tensors[y].node = g->n_nodes, g->tensors[y].out = 0;
    g->nodes[g->n_nodes++].first_out = y;
    return y;
}
#define OP(g, name, label, ...)                                                                              \
    op_of(g, name, label, (int)COUNT(((int32_t[]){__VA_ARGS__})), (int32_t[]){__VA_ARGS__})

static inline int32_t begin(graph *g, int kind, const char *name) {
    GROW(g->groups, g->n_groups);
    g->groups[g->n_groups] = (ebb_trace_group){
        .name = text(g, name), .kind = kind, .parent = g->group, .first = g->n_nodes, .twin = g->n_groups, .n_twins = 1};
    return g->group = g->n_groups++;
}
static inline void end(graph *g) {
    g->groups[g->group].last = g->n_nodes;
    g->group = g->groups[g->group].parent;
}
/* The n groups from first on, every step-th, are rounds that look alike. */
static inline void twins(graph *g, int32_t first, int32_t step, int32_t n) {
    for (int32_t i = 0; i < n; i++)
        g->groups[first + i * step].twin = first, g->groups[first + i * step].n_twins = n;
}

static inline graph graph_new(void) { return (graph){.group = -1}; }
static inline const ebb_trace_step *step_of(graph *g) {
    if (!g->n_texts) text(g, "");
    g->step = (ebb_trace_step){.size = sizeof g->step,
                               .loss = NAN,
                               .n_tensors = g->n_tensors,
                               .n_nodes = g->n_nodes,
                               .n_inputs = g->n_inputs,
                               .n_groups = g->n_groups,
                               .n_texts = g->n_texts,
                               .tensors = g->tensors,
                               .nodes = g->nodes,
                               .inputs = g->inputs,
                               .groups = g->groups,
                               .texts = g->texts};
    return &g->step;
}
static inline void graph_free(graph *g) {
    free(g->tensors), free(g->nodes), free(g->inputs), free(g->groups), free(g->texts);
}

/* ---- networks ------------------------------------------------------------------------------------------------------------ */

static inline int32_t linear(graph *g, int32_t x, const char *name) {
    char w[32], b[32];
    snprintf(w, sizeof w, "%s/W", name), snprintf(b, sizeof b, "%s/b", name);
    const int32_t pw = param(g, w), pb = param(g, b);
    return OP(g, "linear", "", x, pw, pb);
}
static inline void loss(graph *g, int32_t y) { OP(g, "cross_entropy", "loss", y, input(g, "labels")); }

static inline graph mlp(int layers) {
    graph g = graph_new();
    int32_t x = input(&g, "x");
    for (int i = 0; i < layers; i++) {
        char name[16];
        snprintf(name, sizeof name, "l%d", i);
        x = linear(&g, x, name);
        if (i < layers - 1) x = OP(&g, "relu", "h", x);
    }
    loss(&g, x);
    return g;
}

/* grouped: each block is a group, all of them twins. */
static inline graph residual(int blocks, bool grouped) {
    graph g = graph_new();
    int32_t x = linear(&g, input(&g, "x"), "stem"), first = -1;
    for (int i = 0; i < blocks; i++) {
        if (grouped)
            first = first < 0 ? begin(&g, EBB_TG_REPEAT, "block") : (begin(&g, EBB_TG_REPEAT, "block"), first);
        const int32_t a = OP(&g, "relu", "", linear(&g, x, "a"));
        x = OP(&g, "add", "", linear(&g, a, "b"), x);
        if (grouped) end(&g);
    }
    if (grouped) twins(&g, first, 1, blocks);
    loss(&g, linear(&g, x, "head"));
    return g;
}

static inline int32_t norm(graph *g, int32_t x) {
    const int32_t w = param(g, "ln/g"), b = param(g, "ln/b");
    return OP(g, "layer_norm", "", x, w, b);
}

/* One block of a transformer spelled out. */
static inline int32_t attention_block(graph *g, int32_t x) {
    const int32_t n = norm(g, x);
    const int32_t q = linear(g, n, "q"), k = linear(g, n, "k"), v = linear(g, n, "v");
    const int32_t kt = OP(g, "transpose", "", k), s = OP(g, "matmul", "scores", q, kt);
    const int32_t scale = tensor(g, EBB_TT_CONST, "", 1, 1), mask = input(g, "mask");
    const int32_t a = OP(g, "softmax", "", OP(g, "add", "", OP(g, "mul", "", s, scale), mask));
    const int32_t o = linear(g, OP(g, "matmul", "", a, v), "o"), y = OP(g, "add", "", o, x);
    const int32_t m = linear(g, OP(g, "gelu", "", linear(g, norm(g, y), "up")), "down");
    return OP(g, "add", "", m, y);
}
static inline graph transformer(int blocks, bool grouped) {
    graph g = graph_new();
    int32_t x = OP(&g, "embedding", "", param(&g, "tokens"), input(&g, "ids")), first = -1;
    for (int i = 0; i < blocks; i++) {
        if (grouped) begin(&g, EBB_TG_REPEAT, "block");
        if (grouped && first < 0) first = g.group;
        x = attention_block(&g, x);
        if (grouped) end(&g);
    }
    if (grouped) twins(&g, first, 1, blocks);
    loss(&g, linear(&g, norm(&g, x), "head"));
    return g;
}

static inline graph rnn(int steps, bool grouped) {
    graph g = graph_new();
    const int32_t wx = param(&g, "Wx"), wh = param(&g, "Wh"), b = param(&g, "b"), xs = input(&g, "x");
    int32_t h = input(&g, "h0"), first = -1;
    for (int i = 0; i < steps; i++) {
        if (grouped) begin(&g, EBB_TG_REPEAT, "step");
        if (grouped && first < 0) first = g.group;
        const int32_t x = OP(&g, "slice", "", xs);
        h = OP(&g, "tanh", "h", OP(&g, "add", "", OP(&g, "matmul", "", x, wx), OP(&g, "linear", "", h, wh, b)));
        if (grouped) end(&g);
    }
    if (grouped) twins(&g, first, 1, steps);
    loss(&g, linear(&g, h, "head"));
    return g;
}

static inline graph unet(int levels) {
    graph g = graph_new();
    int32_t x = input(&g, "image"), skip[16];
    for (int i = 0; i < levels; i++) {
        x = OP(&g, "relu", "", OP(&g, "conv2d", "", x, param(&g, "down/W")));
        skip[i] = x;
        x = OP(&g, "max_pool2d", "", x);
    }
    x = OP(&g, "relu", "", OP(&g, "conv2d", "", x, param(&g, "mid/W")));
    for (int i = levels - 1; i >= 0; i--) {
        x = OP(&g, "cat", "", OP(&g, "upsample", "", x), skip[i]);
        x = OP(&g, "relu", "", OP(&g, "conv2d", "", x, param(&g, "up/W")));
    }
    OP(&g, "mse_loss", "loss", x, input(&g, "target"));
    return g;
}

/* Each of n ops reads one or two (on average: degree) of the `near` before it. */
static inline graph tangle(int n, double degree, int near, uint32_t seed) {
    graph g = graph_new();
    int32_t *y = malloc((size_t)n * sizeof *y);
    assert_non_null(y);
    y[0] = input(&g, "x");
    for (int i = 1; i < n; i++) {
        int32_t x[2];
        for (int k = 0; k < 2; k++) {
            seed = seed * 1664525u + 1013904223u;
            const int back = 1 + (int)((seed >> 8) % (uint32_t)near);
            x[k] = y[back < i ? i - back : 0];
        }
        seed = seed * 1664525u + 1013904223u;
        y[i] = op_of(&g, "op", "", 1 + ((double)(seed >> 8) / (1 << 24) < degree - 1), x);
    }
    free(y);
    return g;
}

static inline graph chain(int n) {
    graph g = graph_new();
    int32_t x = input(&g, "x");
    for (int i = 0; i < n; i++) x = OP(&g, "relu", "", x);
    return g;
}
#endif
