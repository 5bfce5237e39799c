/* rnn.c - floor 5: recurrent cells, and sequences of them in layers and directions, composed step by step. */
#include <ebb/op.h>

/* ---- parts: a tensor cut along a dim, whose gradient is one joining instead of a scatter for every part ---- */

enum { PARTS = 8 };

typedef struct parts_attrs {
    int64_t dim, n;
} parts_attrs;
static const ebb_attr parts_attr[] = {
    EBB_ATTR(EBB_A_INT, parts_attrs, dim, "0", "the dim that is cut"),
    EBB_ATTR(EBB_A_INT, parts_attrs, n, "8", "parts, as even as possible; the outputs behind them are empty",
             .lo = 1, .hi = 8),
};

/* Where part k of n begins among `rows`. */
static int64_t part_start(int64_t rows, int64_t n, int k) { return k >= n ? rows : rows * k / n; }

static ebb_status parts_infer(ebb_infer *s) {
    const parts_attrs *a = (const parts_attrs *)s->attrs;
    const int d = ebb_dim_of(a->dim, s->x->ndim);
    if (d < 0 || !s->x->ndim)
        return s->fail(s, EBB_E_ATTR, "dim is %lld, but the input has %d dims", (long long)a->dim, s->x->ndim);
    for (int k = 0; k < PARTS; k++) {
        s->y[k].ndim = s->x->ndim;
        for (int i = 0; i < s->x->ndim; i++) s->y[k].shape[i] = s->x->shape[i];
        s->y[k].shape[d] = part_start(s->x->shape[d], a->n, k + 1) - part_start(s->x->shape[d], a->n, k);
    }
    return EBB_OK;
}

EBB_KERNEL(parts_fwd,
    const parts_attrs *a = (const parts_attrs *)l->attrs;
    const ebb_info *x = &l->arg[0];
    const int d = ebb_dim_of(a->dim, x->ndim);
    const int64_t rows = x->shape[d];
    int64_t outer = 1; int64_t inner = 1;
    for (int k = 0; k < x->ndim; k++) if (k < d) outer *= x->shape[k]; else if (k > d) inner *= x->shape[k];
    for (int k = 0; k < PARTS; k++) {
        const int64_t start = part_start(rows, a->n, k); const int64_t size = (part_start(rows, a->n, k + 1) - start) * inner;
        if (!size) continue;
        for (int64_t o = 0; o < outer; o++)
            memcpy((T *)l->p[1 + k] + o * size, (const T *)l->p[0] + (o * rows + start) * inner, (size_t)size * sizeof(T));
    })

static ebb_tensor *parts_dx(const ebb_call *c, ebb_tensor *g) {
    (void)g;
    return ebb_cat(PARTS, c->g, .dim = ((const parts_attrs *)c->attrs)->dim);
}

EBB_OP(parts,
    .sig = "input()->(),(),(),(),(),(),(),()",
    .math = "y_k = the k-th part of x along dim;  dx = the g_k one after another",
    .infer = parts_infer,
    .fwd = parts_fwd,
    .attrs = EBB_ATTRS(parts_attrs, parts_attr),
    .vjp = EBB_VJP({parts_dx, 0}),
    .flags = EBB_LINEAR | EBB_INTERNAL,
    .tries = "[9,2]; [2,6] dim=1 n=3; [2,8,3] dim=-2 n=4; [3] n=5; [20] n=8",
    .doc = "Up to 8 parts along a dim. What time steps and gates are taken apart by."
);

/* ---- one step ---- */

enum { TANH, RELU, LSTM, GRU };
static const int gates_of[] = {1, 1, 4, 3};

/* What a layer in one direction carries on, and its weights for that: [gates*H,H] and [gates*H]. */
typedef struct state {
    ebb_tensor *h, *c, *w, *b;
    int kind;
} state;

static ebb_tensor *lstm_step(state *s, ebb_tensor *gates) {
    ebb_tensor *p[PARTS];
    p[0] = ebb_parts(gates, .dim = 1, .n = 4, .more = p + 1);
    if (!p[0]) return NULL;
    ebb_tensor *in = ebb_sigmoid(p[0]), *forget = ebb_sigmoid(p[1]), *out = ebb_sigmoid(p[3]);
    s->c = ebb_add(ebb_mul(forget, s->c), ebb_mul(in, ebb_tanh(p[2])));
    return s->h = ebb_mul(out, ebb_tanh(s->c));
}

static ebb_tensor *gru_step(state *s, ebb_tensor *x, ebb_tensor *h) {
    ebb_tensor *p[PARTS], *q[PARTS];
    p[0] = ebb_parts(x, .dim = 1, .n = 3, .more = p + 1);
    q[0] = ebb_parts(h, .dim = 1, .n = 3, .more = q + 1);
    if (!p[0] || !q[0]) return NULL;
    ebb_tensor *reset = ebb_sigmoid(ebb_add(p[0], q[0])), *update = ebb_sigmoid(ebb_add(p[1], q[1]));
    ebb_tensor *fresh = ebb_tanh(ebb_add(p[2], ebb_mul(reset, q[2])));
    return s->h = ebb_add(fresh, ebb_mul(update, ebb_sub(s->h, fresh)));
}

/* From what the input gives to the gates, [B,gates*H], to the new h. */
static ebb_tensor *step(state *s, ebb_tensor *x) {
    ebb_tensor *h = ebb_linear(s->h, s->w, s->b);
    if (s->kind == GRU) return gru_step(s, x, h);
    ebb_tensor *sum = ebb_add(x, h);
    if (s->kind == LSTM) return lstm_step(s, sum);
    return s->h = s->kind == TANH ? ebb_tanh(sum) : ebb_relu(sum);
}

/* Whether input i has these sizes; -1 in sizes: any. If not, the error is set. */
static bool sized(const ebb_call *c, int i, const char *name, ebb_ints want) {
    const ebb_shape *s = &c->x_shape[i];
    bool same = s->ndim == want.n && s->dtype == c->x_shape[0].dtype;
    for (int d = 0; d < want.n && same; d++) same = want.v[d] < 0 || s->dim[d] == want.v[d];
    if (same) return true;
    (void)EBB_FAIL(
        c, s->dtype != c->x_shape[0].dtype ? EBB_E_DTYPE : EBB_E_SHAPE,
        "input %d, %s, has %d dims, the first of %lld and the last of %lld; %d of the input's dtype are needed, of %lld and %lld",
        i, name, s->ndim, (long long)(s->ndim ? s->dim[0] : 0), (long long)(s->ndim ? s->dim[s->ndim - 1] : 0),
        want.n, (long long)want.v[0], (long long)want.v[want.n - 1]);
    return false;
}

/* Whether weights of a layer, from input i on, fit inputs of size n and a hidden size. */
static bool weights_fit(const ebb_call *c, int i, int kind, int64_t n, int64_t hidden, bool biases) {
    const int64_t all = gates_of[kind] * hidden;
    if (!sized(c, i, "w_ih", EBB_SHAPE(all, n)) || !sized(c, i + 1, "w_hh", EBB_SHAPE(all, hidden)))
        return false;
    for (int k = i + 2; biases && k < i + 4 && k < c->n_x; k++)
        if (c->x[k] && !sized(c, k, k == i + 2 ? "b_ih" : "b_hh", EBB_SHAPE(all))) return false;
    return true;
}

/* ---- cells ---- */

static ebb_tensor *cell(const ebb_call *c, int kind) {
    const int w = kind == LSTM ? 3 : 2;
    const ebb_shape *x = &c->x_shape[0];
    if (x->ndim != 2) return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; 2 are needed, [B,I]", x->ndim);
    for (int i = 1; i < w; i++)
        if (!sized(c, i, i == 1 ? "h" : "c", EBB_SHAPE(x->dim[0], i == 1 ? -1 : c->x_shape[1].dim[1])))
            return NULL;
    if (!weights_fit(c, w, kind, x->dim[1], c->x_shape[1].dim[1], true)) return NULL;
    ebb_tensor *b_ih = c->n_x > w + 2 ? c->x[w + 2] : NULL, *b_hh = c->n_x > w + 3 ? c->x[w + 3] : NULL;
    state s = {c->x[1], kind == LSTM ? c->x[2] : NULL, c->x[w + 1], b_hh, kind};
    ebb_tensor *h = step(&s, ebb_linear(c->x[0], c->x[w], b_ih));
    if (kind == LSTM) c->more[0] = s.c;
    return h;
}
static ebb_tensor *tanh_cell(const ebb_call *c) { return cell(c, TANH); }
static ebb_tensor *relu_cell(const ebb_call *c) { return cell(c, RELU); }
static ebb_tensor *lstm_cell_of(const ebb_call *c) { return cell(c, LSTM); }
static ebb_tensor *gru_cell_of(const ebb_call *c) { return cell(c, GRU); }

EBB_OP(rnn_tanh_cell,
    .sig = "input(),hx(),w_ih(),w_hh(),b_ih()?,b_hh()?->()",
    .math = "h' = tanh(x*w_ih' + b_ih + h*w_hh' + b_hh)",
    .compose = tanh_cell,
    .tries = "[2,3] [2,4] [4,3] [4,4] [4] [4]; [2,3] [2,4] [4,3] [4,4]; [1,1] [1,1] [1,1] [1,1] [1] [1]",
    .doc = "One step of a recurrent layer with tanh: input [B,I], h [B,H], weights [H,I] and [H,H].",
    .ref = "Elman, 1990, Finding structure in time"
);
EBB_OP(rnn_relu_cell,
    .sig = "input(),hx(),w_ih(),w_hh(),b_ih()?,b_hh()?->()",
    .math = "h' = max(0, x*w_ih' + b_ih + h*w_hh' + b_hh)",
    .compose = relu_cell,
    .tries = "[2,3] [2,4] [4,3] [4,4] [4] [4]; [2,3] [2,4] [4,3] [4,4]; [1,1] [1,1] [1,1] [1,1] [1] [1]",
    .doc = "One step of a recurrent layer with relu: input [B,I], h [B,H], weights [H,I] and [H,H]."
);
EBB_OP(lstm_cell,
    .sig = "input(),hx(),cx(),w_ih(),w_hh(),b_ih()?,b_hh()?->(),()",
    .math = "i,f,g,o = the parts of x*w_ih' + b_ih + h*w_hh' + b_hh;  c' = s(f)*c + s(i)*tanh(g),  h' = s(o)*tanh(c')",
    .compose = lstm_cell_of,
    .tries = "[2,3] [2,4] [2,4] [16,3] [16,4] [16] [16]; [2,3] [2,2] [2,2] [8,3] [8,2]; [1,1] [1,1] [1,1] [4,1] [4,1] [4] [4]",
    .doc = "One step of an LSTM: input [B,I], h and c [B,H], weights [4H,I] and [4H,H], gates in the order i, f, g, o. Outputs h and c.",
    .ref = "Hochreiter and Schmidhuber, 1997; Gers et al., 2000, Learning to forget"
);
EBB_OP(gru_cell,
    .sig = "input(),hx(),w_ih(),w_hh(),b_ih()?,b_hh()?->()",
    .math = "r = s(xr + hr), z = s(xz + hz), n = tanh(xn + r*hn), the parts of x*w_ih' + b_ih and h*w_hh' + b_hh;  h' = (1 - z)*n + z*h",
    .compose = gru_cell_of,
    .tries = "[2,3] [2,4] [12,3] [12,4] [12] [12]; [2,3] [2,2] [6,3] [6,2]; [1,1] [1,1] [3,1] [3,1] [3] [3]",
    .doc = "One step of a GRU: input [B,I], h [B,H], weights [3H,I] and [3H,H], gates in the order r, z, n.",
    .ref = "Cho et al., 2014; the reset gate stands behind the product"
);

/* ---- sequences ---- */

typedef struct rnn_attrs {
    bool has_biases;
    int64_t num_layers;
    double dropout;
    bool train, bidirectional, batch_first;
    int64_t key;
} rnn_attrs;
static const ebb_attr rnn_attr[] = {
    EBB_ATTR(EBB_A_BOOL, rnn_attrs, has_biases, "1", "whether biases stand among the weights"),
    EBB_ATTR(EBB_A_INT, rnn_attrs, num_layers, "1", "layers, one upon the other", .lo = 1, .hi = 64),
    EBB_ATTR(EBB_A_FLOAT, rnn_attrs, dropout, "0", "probability of leaving out an element between layers",
             .lo = 0, .hi = 1),
    EBB_ATTR(EBB_A_BOOL, rnn_attrs, train, "0", "whether there is dropout"),
    EBB_ATTR(EBB_A_BOOL, rnn_attrs, bidirectional, "0", "a second set of weights goes through the steps backwards"),
    EBB_ATTR(EBB_A_BOOL, rnn_attrs, batch_first, "0", "input and output are [B,T,..] instead of [T,B,..]"),
    EBB_ATTR(EBB_A_INT, rnn_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

/* The steps of x [n,B,gates*H], backwards or not: [n,B,H]. Taken apart and joined 8 by 8. */
static ebb_tensor *steps(state *s, ebb_tensor *x, bool backwards) {
    const ebb_info i = ebb_info_of(x);
    if (i.ndim != 3) return NULL;
    if (i.shape[0] == 1) {
        ebb_tensor *h = step(s, ebb_reshape(x, .shape = EBB_SHAPE(i.shape[1], i.shape[2])));
        return ebb_reshape(h, .shape = EBB_SHAPE(1, i.shape[1], i.shape[2] / gates_of[s->kind]));
    }
    const int n = i.shape[0] < PARTS ? (int)i.shape[0] : PARTS;
    ebb_tensor *part[PARTS], *y[PARTS] = {NULL};
    part[0] = ebb_parts(x, .n = n, .more = part + 1);
    for (int k = 0; k < n && part[0]; k++) {
        const int at = backwards ? n - 1 - k : k;
        if (!(y[at] = steps(s, part[at], backwards))) return NULL;
    }
    return part[0] ? ebb_cat(n, y) : NULL;
}

/* Whether inputs, states and weights fit; if not, the error is set. */
static bool sequence_fits(const ebb_call *c, const rnn_attrs *a, int kind, const ebb_shape *x) {
    const int first = kind == LSTM ? 3 : 2, each = a->has_biases ? 4 : 2, directions = a->bidirectional ? 2 : 1;
    const int64_t runs = a->num_layers * directions;
    if (x->ndim != 3) {
        (void)EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; 3 are needed, [T,B,I]", x->ndim);
        return false;
    }
    if (!x->dim[a->batch_first]) {
        (void)EBB_FAIL(c, EBB_E_SHAPE, "the sequence is empty");
        return false;
    }
    if (c->n_x != first + runs * each) {
        (void)EBB_FAIL(c, EBB_E_ARG, "%d weights are given; %lld layers and directions have %d each",
                       c->n_x - first, (long long)runs, each);
        return false;
    }
    const int64_t batch = x->dim[!a->batch_first];
    for (int i = 1; i < first; i++)
        if (!sized(c, i, i == 1 ? "h0" : "c0", EBB_SHAPE(runs, batch, i == 1 ? -1 : c->x_shape[1].dim[2])))
            return false;
    const int64_t hidden = c->x_shape[1].dim[2];
    for (int r = 0; r < runs; r++)
        if (!weights_fit(c, first + r * each, kind, r < directions ? x->dim[2] : hidden * directions, hidden,
                         a->has_biases))
            return false;
    return true;
}

static ebb_tensor *sequence(const ebb_call *c, int kind) {
    const rnn_attrs *a = (const rnn_attrs *)c->attrs;
    if (!sequence_fits(c, a, kind, &c->x_shape[0])) return NULL;
    const int first = kind == LSTM ? 3 : 2, each = a->has_biases ? 4 : 2, directions = a->bidirectional ? 2 : 1;
    const ebb_shape *h0 = &c->x_shape[1];
    const ebb_ints row = EBB_SHAPE(h0->dim[1], h0->dim[2]), one = EBB_SHAPE(1, h0->dim[1], h0->dim[2]);
    ebb_tensor *x = a->batch_first ? ebb_transpose(c->x[0], .dim0 = 0, .dim1 = 1) : c->x[0], *h[64],
               *cell_state[64];
    for (int run = 0, layer = 0; layer < a->num_layers; layer++) {
        ebb_tensor *y[2];
        for (int d = 0; d < directions; d++, run++) {
            ebb_tensor *const *w = c->x + first + run * each;
            state s = {ebb_reshape(ebb_slice(c->x[1], .start = run, .end = run + 1), .shape = row), NULL,
                       w[1], a->has_biases ? w[3] : NULL, kind};
            if (kind == LSTM)
                s.c = ebb_reshape(ebb_slice(c->x[2], .start = run, .end = run + 1), .shape = row);
            y[d] = steps(&s, ebb_linear(x, w[0], a->has_biases ? w[2] : NULL), d);
            if (!y[d]) return NULL;
            h[run] = ebb_reshape(s.h, .shape = one);
            cell_state[run] = ebb_reshape(s.c, .shape = one);
        }
        x = directions == 2 ? ebb_cat(2, y, .dim = 2) : y[0];
        if (a->train && a->dropout > 0 && layer + 1 < a->num_layers)
            x = ebb_dropout(x, .p = a->dropout, .key = a->key + layer);
    }
    const int runs = (int)a->num_layers * directions;
    c->more[0] = ebb_cat(runs, h);
    if (kind == LSTM) c->more[1] = ebb_cat(runs, cell_state);
    return a->batch_first ? ebb_transpose(x, .dim0 = 0, .dim1 = 1) : x;
}
static ebb_tensor *tanh_sequence(const ebb_call *c) { return sequence(c, TANH); }
static ebb_tensor *relu_sequence(const ebb_call *c) { return sequence(c, RELU); }
static ebb_tensor *lstm_sequence(const ebb_call *c) { return sequence(c, LSTM); }
static ebb_tensor *gru_sequence(const ebb_call *c) { return sequence(c, GRU); }

EBB_OP(rnn_tanh,
    .sig = "input(),h0(),params()*->(),()",
    .math = "h_t = tanh(x_t*w_ih' + b_ih + h_(t-1)*w_hh' + b_hh), layer upon layer",
    .compose = tanh_sequence,
    .attrs = EBB_ATTRS(rnn_attrs, rnn_attr),
    .flags = EBB_RANDOM,
    .tries = "[3,2,2] [1,2,3] [3,2] [3,3] [3] [3]; [2,3,2] [2,2,2] [2,2] [2,2] [2,2] [2,2] has_biases=0 num_layers=2 batch_first=1; [3,1,2] [2,1,2] [2,2] [2,2] [2] [2] [2,2] [2,2] [2] [2] bidirectional=1; [2,1,2] [2,1,2] [2,2] [2,2] [2,2] [2,2] has_biases=0 num_layers=2 dropout=0.5 train=1; [9,1,1] [1,1,1] [1,1] [1,1] has_biases=0",
    .doc = "Recurrent layers with tanh over [T,B,I]. The weights of each layer and direction: w_ih, w_hh, b_ih, b_hh. Outputs: every h of the last layer [T,B,H], the last h of each [layers,B,H].",
    .ref = "Elman, 1990, Finding structure in time"
);
EBB_OP(rnn_relu,
    .sig = "input(),h0(),params()*->(),()",
    .math = "h_t = max(0, x_t*w_ih' + b_ih + h_(t-1)*w_hh' + b_hh), layer upon layer",
    .compose = relu_sequence,
    .attrs = EBB_ATTRS(rnn_attrs, rnn_attr),
    .flags = EBB_RANDOM,
    .domain = EBB_DOMAIN({0.1, 2}),
    .tries = "[3,2,2] [1,2,3] [3,2] [3,3] [3] [3]; [2,3,2] [2,2,2] [2,2] [2,2] [2,2] [2,2] has_biases=0 num_layers=2 batch_first=1; [3,1,2] [2,1,2] [2,2] [2,2] [2] [2] [2,2] [2,2] [2] [2] bidirectional=1; [2,1,2] [2,1,2] [2,2] [2,2] [2,2] [2,2] has_biases=0 num_layers=2 dropout=0.5 train=1",
    .doc = "Recurrent layers with relu over [T,B,I], otherwise as rnn_tanh."
);
EBB_OP(lstm,
    .sig = "input(),h0(),c0(),params()*->(),(),()",
    .math = "(h_t, c_t) = lstm_cell(x_t, h_(t-1), c_(t-1)), layer upon layer",
    .compose = lstm_sequence,
    .attrs = EBB_ATTRS(rnn_attrs, rnn_attr),
    .flags = EBB_RANDOM,
    .tries = "[3,2,2] [1,2,2] [1,2,2] [8,2] [8,2] [8] [8]; [2,3,2] [2,2,1] [2,2,1] [4,2] [4,1] [4,1] [4,1] has_biases=0 num_layers=2 batch_first=1; [2,1,2] [2,1,1] [2,1,1] [4,2] [4,1] [4] [4] [4,2] [4,1] [4] [4] bidirectional=1; [2,1,2] [2,1,1] [2,1,1] [4,2] [4,1] [4,1] [4,1] has_biases=0 num_layers=2 dropout=0.5 train=1",
    .doc = "LSTM layers over [T,B,I]. The weights of each layer and direction: w_ih, w_hh, b_ih, b_hh. Outputs: every h of the last layer [T,B,H], the last h and the last c of each [layers,B,H]. No projections.",
    .ref = "Hochreiter and Schmidhuber, 1997; Gers et al., 2000, Learning to forget"
);
EBB_OP(gru,
    .sig = "input(),h0(),params()*->(),()",
    .math = "h_t = gru_cell(x_t, h_(t-1)), layer upon layer",
    .compose = gru_sequence,
    .attrs = EBB_ATTRS(rnn_attrs, rnn_attr),
    .flags = EBB_RANDOM,
    .tries = "[3,2,2] [1,2,2] [6,2] [6,2] [6] [6]; [2,3,2] [2,2,1] [3,2] [3,1] [3,1] [3,1] has_biases=0 num_layers=2 batch_first=1; [2,1,2] [2,1,1] [3,2] [3,1] [3] [3] [3,2] [3,1] [3] [3] bidirectional=1; [2,1,2] [2,1,1] [3,2] [3,1] [3,1] [3,1] has_biases=0 num_layers=2 dropout=0.5 train=1",
    .doc = "GRU layers over [T,B,I]. The weights of each layer and direction: w_ih, w_hh, b_ih, b_hh. Outputs: every h of the last layer [T,B,H], the last h of each [layers,B,H].",
    .ref = "Cho et al., 2014; the reset gate stands behind the product"
);
