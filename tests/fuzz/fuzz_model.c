/* fuzz_model.c - texts of models: any bytes become a model that runs, or a problem with words and a place; nothing stays, the session goes on. */
#include "fuzz_main.h"
#include <ebb/lang.h>

static const fuzz_seed corpus[] = {
    FUZZ_TEXT("x = [[1, 2], [3, 4]]\nW = param(2, 2) ~ constant(0.5)\nh = relu(x @ W)\nloss = mean(h ** 2)\n"),
    FUZZ_TEXT("data moons batch 8 n=40\ndef f(x, n=4) {\n  W = param(size(x, 1), n) ~ kaiming\n  return x @ W\n}\n"
              "z = f(relu(f(x)), 2)\npredict p = softmax(z, dim=1)\nloss = cross_entropy(z, y)\n"
              "metric m = accuracy(z, y)\ntrain adamw lr=1e-2 steps=5 clip=1 schedule=cosine warmup=2 seed=3\n"),
    FUZZ_TEXT("x = input(4, 3)\nh = x\nrepeat 3 as i { h = h + i; W = param(3, 3); h = h @ W }\nv, k = max(h, dim=1)\n"),
    FUZZ_TEXT("x = arange(0, 24).reshape(2, 3, 4)\ny = x[0:1, :, -1, None, ::2]\nz = x[tensor([1, 0], dtype=i64)].T\n"),
    FUZZ_TEXT("region a { region b { w = param(2) ~ uniform(-1, 1) } }\nno_grad { v = detach(w) * 2 - 1 / w }\n"),
    FUZZ_TEXT("a = einsum(\"ij,jk->ik\", ones(2, 3), ones(3, 2)); b = cat([a, a], dim=0); c = x.shape\n"),
    FUZZ_TEXT("data sine n=20 as t, u shuffle=no batch 4\nw = param(1, 1) ~ zeros\nloss = mse_loss(t @ w, u, reduction=sum)\n"
              "train sgd lr=0.1 momentum=0.9 zero_grad=no\n"),
    FUZZ_TEXT("n = 2 * (3 - 1) ** 2; b = n >= 4; k = sqrt(n) + floor(1.5); m = n == 8\n# the end"),
};
static const char *const words[] = {"def ",     "return ",  "repeat ",  "region ", "no_grad ", "data ",
                                    "metric ",  "predict ", "train ",   " as ",    "param(",   "input(",
                                    "~ ",       "kaiming",  "normal(",  "size(",   "shape(",   "tensor(",
                                    "detach(",  "relu(",    "sum(",     "cat(",    "dim=",     "dtype=i64",
                                    "training", "None",     "loss = ",  "x",       "h",        "W",
                                    "(",        ")",        "[",        "]",       "{",        "}",
                                    ",",        "\n",       ";",        "#",       "\"",       "**",
                                    "@",        "==",       ":",        "-1",      "0",        "1e9",
                                    "9999",     "0.5",      "softmax(", "max(",    "reshape(", ".T",
                                    "randn(",   "dropout(", NULL};

FUZZ_TARGET(.name = "fuzz_model", .inputs = 10000, .max = 700, .fresh = 2, .seed = corpus,
            .n_seeds = COUNT(corpus), .words = words)

/* A problem has words, and its place lies in the text. */
static void check_problem(const ebb_model *m, const char *text) {
    const ebb_problem *p = ebb_model_problem(m);
    const int n = (int)strlen(text);
    if (!p) return;
    FUZZ_CHECK(strlen(p->message) > 3, "no words");
    FUZZ_CHECK(p->span.line >= 1 && p->span.column >= 1, "place %d:%d", (int)p->span.line, (int)p->span.column);
    FUZZ_CHECK(p->span.offset >= 0 && p->span.length >= 0 && p->span.offset + p->span.length <= n,
               "bytes %d + %d of %d", (int)p->span.offset, (int)p->span.length, n);
    FUZZ_CHECK(p->span.end_line >= p->span.line, "it ends before it begins");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_begin(data, size);
    char *text = malloc(size + 1);
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    text[size] = 0;
    const ebb_options o = {.size = sizeof o, .threads = 1, .memory_limit = (size_t)24 << 20};
    ebb *e = ebb_open(&o);
    ebb_model *m = ebb_model_new(e, "fuzz", text);
    FUZZ_CHECK(m || ebb_error_code(e) == EBB_E_MEMORY, "no model: %s", ebb_error(e));
    FUZZ_CHECK(!ebb_failed(e) == (m && !ebb_model_problem(m)), "%s", ebb_error(e));
    check_problem(m, text);
    if (!ebb_failed(e)) {
        ebb_model_info info = {.size = sizeof info};
        ebb_model_info_of(m, &info);
        ebb_scope *s = ebb_begin(e);
        ebb_model_forward(m);
        ebb_end(s);
        if (info.trains && !ebb_failed(e)) ebb_model_step(m, NULL);
        check_problem(m, text);
    }
    if (ebb_failed(e)) fuzz_error(e);
    ebb_model_free(m);
    FUZZ_CHECK(fuzz_tensors(e) == 0, "%lld tensors stay", (long long)fuzz_tensors(e));
    FUZZ_CHECK(ebb_param_count(e) == 0, "%zu parameters stay", ebb_param_count(e));
    fuzz_usable(e);
    ebb_close(e);
    free(text);
    return 0;
}
