/* gpt.c - floor 7: the standard workload d: four blocks of a small GPT-2 with a tied head. */
#include "training.h"

enum { LAYERS = 4, HEADS = 4, WIDTH = 128, CONTEXT = 64, BATCH = 8, WORDS = 96, PER_LAYER = 12 };

/* The parameters in order: embeddings, PER_LAYER of each block, the last normalisation. */
enum { TOKENS, PLACES, BLOCKS, LAST = BLOCKS + LAYERS * PER_LAYER };
enum { NORM1, QKV = 2, MERGE = 4, NORM2 = 6, EXPAND = 8, SHRINK = 10 }; /* each a weight, then a bias */

static bool linear(training *t, uint32_t seed, int64_t out, int64_t in) {
    return training_weights(t, seed, EBB_SHAPE(out, in), in) && training_filled(t, EBB_SHAPE(out), 0);
}

static bool norm(training *t) {
    return training_filled(t, EBB_SHAPE(WIDTH), 1) && training_filled(t, EBB_SHAPE(WIDTH), 0);
}

static bool prepare(training *t) {
    const uint32_t base = t->w->base;
    t->x = training_classes(t, base, EBB_SHAPE(BATCH, CONTEXT), WORDS);
    t->y = training_classes(t, base + 1, EBB_SHAPE(BATCH * CONTEXT), WORDS);
    bool ok = training_weights(t, base + 10, EBB_SHAPE(WORDS, WIDTH), WIDTH) &&
              training_weights(t, base + 11, EBB_SHAPE(CONTEXT, WIDTH), WIDTH);
    for (uint32_t i = 0; i < LAYERS && ok; i++) {
        const uint32_t seed = base + 100 * (i + 1);
        ok = norm(t) && linear(t, seed, 3 * WIDTH, WIDTH) && linear(t, seed + 1, WIDTH, WIDTH) && norm(t) &&
             linear(t, seed + 2, 4 * WIDTH, WIDTH) && linear(t, seed + 3, WIDTH, 4 * WIDTH);
    }
    return ok && norm(t);
}

static ebb_tensor *normed(ebb_tensor *x, ebb_tensor *const *p) {
    return ebb_layer_norm(x, p[0], p[1], .normalized_shape = EBB_DIMS(WIDTH));
}

/* [batch, context, width] as [batch, heads, context, width/heads] */
static ebb_tensor *heads(ebb_tensor *qkv, int part) {
    ebb_tensor *t = ebb_narrow(qkv, .dim = 2, .start = part * WIDTH, .length = WIDTH);
    return ebb_transpose(ebb_reshape(t, .shape = EBB_SHAPE(BATCH, CONTEXT, HEADS, WIDTH / HEADS)), .dim0 = 1,
                         .dim1 = 2);
}

static ebb_tensor *attention(ebb_tensor *x, ebb_tensor *const *p) {
    ebb_tensor *qkv = ebb_linear(x, p[QKV], p[QKV + 1]);
    ebb_tensor *a =
        ebb_scaled_dot_product_attention(heads(qkv, 0), heads(qkv, 1), heads(qkv, 2), .is_causal = true);
    a = ebb_reshape(ebb_transpose(a, .dim0 = 1, .dim1 = 2), .shape = EBB_SHAPE(BATCH, CONTEXT, WIDTH));
    return ebb_linear(a, p[MERGE], p[MERGE + 1]);
}

static ebb_tensor *feed_forward(ebb_tensor *x, ebb_tensor *const *p) {
    enum { TANH = 1 };
    ebb_tensor *h = ebb_gelu(ebb_linear(x, p[EXPAND], p[EXPAND + 1]), .approximate = TANH);
    return ebb_linear(h, p[SHRINK], p[SHRINK + 1]);
}

static ebb_tensor *loss(const training *t) {
    ebb_tensor *x = ebb_add(ebb_embedding(t->x, t->p[TOKENS]), t->p[PLACES]);
    for (int i = 0; i < LAYERS; i++) {
        ebb_tensor *const *p = t->p + BLOCKS + i * PER_LAYER;
        x = ebb_add(x, attention(normed(x, p + NORM1), p));
        x = ebb_add(x, feed_forward(normed(x, p + NORM2), p));
    }
    ebb_tensor *y = ebb_linear(normed(x, t->p + LAST), t->p[TOKENS], NULL);
    return ebb_cross_entropy(ebb_reshape(y, .shape = EBB_SHAPE(BATCH * CONTEXT, WORDS)), t->y);
}

const workload bench_gpt = {.key = "d",
                            .what = "GPT 4 x 128, context 64, batch 8, AdamW",
                            .unit = "ms",
                            .scale = 1e3,
                            .wasm_target = 60,
                            .base = 4000,
                            .optim = "adamw",
                            .attrs = "lr=1e-3 weight_decay=0",
                            .steps = 30,
                            .last = 30,
                            .reference = {4.732863, 2.534193, 0.257426},
                            .prepare = prepare,
                            .loss = loss};
