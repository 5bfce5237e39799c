/* language_test.c - what texts mean: every construct against the same thing done by hand or by direct calls of the library. */
#include "../test.h"
#include <ebb/lang.h>

/* Runs text once in e and leaves the model, whose values are there until its scope ends. */
static ebb_model *run(ebb *e, const char *text) {
    ebb_model *m = ebb_model_new(e, "test", text);
    if (m && !ebb_model_problem(m)) ebb_model_forward(m);
    if (ebb_failed(e)) fail_msg("%s\n%s", text, ebb_error(e));
    return m;
}

/* After text, v has these elements. */
#define assert_model(text, ...)                                                                              \
    check_model(*state, text, (int64_t)COUNT(((double[]){__VA_ARGS__})), (double[]){__VA_ARGS__}, __LINE__)
static void check_model(ebb *e, const char *text, int64_t n, const double *want, int line) {
    ebb_scope *s = ebb_begin(e);
    ebb_model *m = run(e, text);
    const ebb_tensor *v = ebb_model_value(m, "v");
    if (!v || ebb_numel(v) != n)
        fail_msg("line %d: %s: %lld elements", line, text, v ? (long long)ebb_numel(v) : -1LL);
    for (int64_t i = 0; i < n; i++)
        if (fabs(ebb_at(v, i) - want[i]) > 1e-6 * fmax(1, fabs(want[i])))
            fail_msg("line %d: %s: element %lld is %.9g, not %.9g", line, text, (long long)i, ebb_at(v, i),
                     want[i]);
    ebb_model_free(m);
    ebb_end(s);
}

static void numbers(void **state) {
    assert_model("v = 1 + 2 * 3", 7);
    assert_model("v = (1 + 2) * 3", 9);
    assert_model("v = -2 ** 2", -4);
    assert_model("v = 2 ** -1", 0.5);
    assert_model("v = 2 ** 3 ** 2", 512);
    assert_model("v = 7 / 2 - 1e-3 * .5", 3.4995);
    assert_model("v = (1 < 2) + (2 <= 2) + (3 > 4) + (1 >= 1) + (1 == 1) + (1 != 1)", 4);
    assert_model("n = 8; v = sqrt(n * 2) + floor(2.7) + abs(-3)", 9);
    assert_model("v = true + false + yes + no", 2);
    assert_model("v = exp(0) + log(1) + cos(0) + ceil(0.1)", 3);
}

static void lines(void **state) {
    assert_model("# comment\n\n  v = [1,   # inside brackets lines go on\n  2]\n", 1, 2);
    assert_model("a = 1; b = 2; v = a + b", 3);
    assert_model("v = 1\r\nv = v + 1\r\n", 2);
    assert_model("v = (1 +\n 2)", 3);
    assert_model("no_grad\n{\n v = 1 }", 1);
}

static void tensors(void **state) {
    assert_model("v = [[1, 2], [3, 4]] * 2", 2, 4, 6, 8);
    assert_model("v = [[1, 2], [3, 4]] @ [1, 1]", 3, 7);
    assert_model("x = [1, 2, 3]; v = x * x - 1", 0, 3, 8);
    assert_model("x = [1, 2]; v = 1 / x", 1, 0.5);
    assert_model("x = [1, -2]; v = -x", -1, 2);
    assert_model("x = [1, 2]; v = x ** 2 + 2 ** x", 3, 8);
    assert_model("x = [1, 2, 3]; v = (x > 1) * x", 0, 2, 3);
    assert_model("x = tensor([1, 2], dtype=i64); v = x + 1", 2, 3);
    assert_model("x = [1, 2]; v = x + 0.5", 1.5, 2.5);
    assert_model("n = 3; v = [n, 2 * n]", 3, 6);
}

static void indices(void **state) {
    assert_model("x = arange(0, 12).reshape(3, 4); v = x[1]", 4, 5, 6, 7);
    assert_model("x = arange(0, 12).reshape(3, 4); v = x[-1, 0:2]", 8, 9);
    assert_model("x = arange(0, 12).reshape(3, 4); v = x[:, 1]", 1, 5, 9);
    assert_model("x = arange(0, 12).reshape(3, 4); v = x[::2, ::3]", 0, 3, 8, 11);
    assert_model("x = arange(0, 12).reshape(3, 4); v = x[1:, -2:]", 6, 7, 10, 11);
    assert_model("x = arange(0, 4); v = shape(x[None, :, None])", 1, 4, 1);
    assert_model("x = arange(0, 12).reshape(3, 4); ids = tensor([2, 0], dtype=i64); v = x[ids][:, 3]", 11, 3);
    assert_model("x = [[1, 2], [3, 4]]; i = 1; v = x[i, i - 1] + shape(x)[0]", 5);
    assert_model("x = arange(0, 6).reshape(2, 3); v = x.T", 0, 3, 1, 4, 2, 5);
    assert_model("x = arange(0, 8).reshape(2, 2, 2); v = x.mT", 0, 2, 1, 3, 4, 6, 5, 7);
}

static void calls(void **state) {
    assert_model("x = [[3, 1], [2, 5]]; v = x.sum(dim=1)", 4, 7);
    assert_model("x = [[3, 1], [2, 5]]; v = sum(x, 1)", 4, 7);
    assert_model("x = [[3, 1], [2, 5]]; v = sum(x, dim=(0, 1))", 11);
    assert_model("x = [[3, 1], [2, 5]]; v, i = max(x, dim=1)", 3, 5);
    assert_model("x = [[3, 1], [2, 5]]; m, v = max(x, dim=1)", 0, 1);
    assert_model("x = [[3, 1], [2, 5]]; v = max(x, dim=1)", 3, 5);
    assert_model("x = [[3, 1], [2, 5]]; v = max(x, dim=1) * 2", 6, 10);
    assert_model("a, b, c = split([1, 2, 3], 1); v = b", 2);
    assert_model("v = cat([1, 2], [3], dim=0)", 1, 2, 3);
    assert_model("a = ones(2); v = cat([a, a * 2], dim=0)", 1, 1, 2, 2);
    assert_model("v = clamp([1, 5, 9], 2, 6)", 2, 5, 6);
    assert_model("v = clamp([1, 5, 9], max=6)", 1, 5, 6);
    assert_model("v = mse_loss([1, 2], [3, 5], reduction=sum)", 13);
    assert_model("v = mse_loss([1, 2], [3, 5], reduction=none)", 4, 9);
    assert_model("v = zeros(2, 2) + full((2, 2), 3)", 3, 3, 3, 3);
    assert_model("v = permute(arange(0, 4).reshape(2, 2), 1, 0)", 0, 2, 1, 3);
    assert_model("v = einsum(\"ij,jk->ik\", [[1, 2]], [[3], [4]])", 11);
    assert_model("v = where([1, 2] > 1, 5, [7, 8])", 7, 5);
    assert_model("x = [1.6, -1.6]; v = x.to(dtype=i64)", 1, -1);
    assert_model("v = layer_norm([[1, 3]], 2, weight=[2, 2], bias=[1, 1], eps=0)", -1, 3);
    assert_model("v = pow([2, 3], exponent=[3, 2])", 8, 9);
    assert_model("sum = [1, 2]; v = sum(sum)", 3); /* a variable does not hide an op */
    assert_model("v = accuracy([[1, 2], [3, 0]], tensor([1, 1], dtype=i64))", 0.5);
    assert_model("x = zeros(3, 5); v = [size(x, 0), size(x, -1), numel(x)]", 3, 5, 15);
}

static void definitions(void **state) {
    assert_model("def f(x, n=2) { return x * n }\nv = f(3)", 6);
    assert_model("def f(x, n=2) { return x * n }\nv = f(n=4, x=3)", 12);
    assert_model("def f(x) { y = x + 1; return y, x }\na, b = f(1)\nv = a * 10 + b", 21);
    assert_model("k = 5\ndef f(x) { return x + k }\nv = f(1)", 6);
    assert_model("k = 5\ndef f(x) { k = 1; return x + k }\nv = f(1) + k", 7);
    assert_model("v = g(1)\ndef g(x) { return h(x) + 1 }\ndef h(x) { return x * 7 }", 8);
    assert_model("def relu(x) { return x + 100 }\nv = relu(1)", 101); /* the model's own goes first */
    assert_model("def f(x) { repeat 5 as i { if_i = i; return x + if_i } \n return 0 }\nv = f(1)", 1);
}

static void blocks(void **state) {
    assert_model("v = 1; repeat 4 { v = v * 2 }", 16);
    assert_model("v = 0; repeat 4 as i { v = v + i }", 6);
    assert_model("v = 7; repeat 0 { v = 0 }", 7);
    assert_model("n = 2; v = 0; repeat n { repeat n + 1 { v = v + 1 } }", 6);
    assert_model("region part { v = 3 }", 3);
    assert_model("v = training", 1);
}

/* ---- parameters and gradients ---- */

static void parameters_by_region(void **state) {
    static const char *const want[] = {"W",          "layer/W",          "layer.2/W",        "repeat.1/W",
                                       "repeat.2/W", "repeat.2/layer/W", "repeat.3/layer/W", "outer/inner/b"};
    ebb *e = *state;
    ebb_model *m = run(e, "W = param(2)\n"
                          "def layer(x) { W = param(3); return x }\n"
                          "a = layer(1); a = layer(2)\n"
                          "repeat 2 as i { W = param(4) }\n"
                          "region outer { region inner { b = param(1) } }\n");
    assert_int_equal(ebb_param_count(e), 6);
    for (size_t i = 0; i < COUNT(want); i++)
        assert_int_equal(ebb_param_find(e, want[i]) != NULL, i < 5 || i == 7);
    ebb_model_free(m);
    assert_int_equal(ebb_param_count(e), 0);
    m = run(e, "def layer(x) { W = param(3); return x }\nrepeat 3 { a = layer(1) }");
    assert_int_equal(ebb_param_count(e), 3);
    assert_non_null(ebb_param_find(e, want[5]));
    assert_non_null(ebb_param_find(e, want[6]));
    ebb_model_free(m);
}

static void initialisers(void **state) {
    ebb *e = *state;
    ebb_model *m =
        run(e, "a = param(400, 3)\nb = param(5)\nc = param(3, 2) ~ ones\nd = param(2) ~ constant(-4)\n"
               "u = param(1000) ~ uniform(2, 3)\nn = param(4000) ~ normal(mean=5, std=0.1)\n"
               "x = param(6, 6) ~ xavier\nf = param(4, 4, fan_in=24) ~ kaiming\nk = param(8, 2, 3, 3)");
    static const struct {
        const char *name;
        double lo, hi;
    } range[] = {{"b", 0, 0},
                 {"c", 1, 1},
                 {"d", -4, -4},
                 {"u", 2, 3},
                 {"x", -0.70711, 0.70711},
                 {"f", -0.5, 0.5},
                 {"a", -0.12248, 0.12248},
                 {"k", -0.57736, 0.57736}};
    for (size_t i = 0; i < COUNT(range); i++) {
        const ebb_tensor *t = ebb_param_find(e, range[i].name);
        double most = -INFINITY, least = INFINITY;
        for (int64_t k = 0; k < ebb_numel(t); k++)
            most = fmax(most, ebb_at(t, k)), least = fmin(least, ebb_at(t, k));
        if (least < range[i].lo || most > range[i].hi || most - least < 0.8 * (range[i].hi - range[i].lo))
            fail_msg("%s is from %g to %g", range[i].name, least, most);
    }
    double sum = 0, squares = 0;
    const ebb_tensor *n = ebb_param_find(e, "n");
    for (int64_t k = 0; k < 4000; k++) sum += ebb_at(n, k), squares += pow(ebb_at(n, k) - 5, 2);
    assert_near(sum / 4000, 5, 0.01);
    assert_near(sqrt(squares / 4000), 0.1, 0.005);
    ebb_model_free(m);
}

/* Parameters depend on the seed and their own name, not on what else there is. */
static void same_beginning(void **state) {
    double first[4];
    for (int k = 0; k < 2; k++) {
        ebb *e = ebb_open(NULL);
        ebb_model *m =
            run(e, k ? "x = dropout(ones(5))\nextra = param(3, 3)\nW = param(2, 2)" : "W = param(2, 2)");
        for (int i = 0; i < 4; i++) {
            if (k) assert_true(first[i] == ebb_at(ebb_param_find(e, "W"), i));
            else first[i] = ebb_at(ebb_param_find(e, "W"), i);
        }
        ebb_model_free(m);
        ebb_close(e);
    }
    UNUSED(state);
}

/* The loss and the gradients of a text are those of the same calls in C. */
static void like_direct_calls(void **state) {
    ebb *e = *state;
    ebb_scope *s = ebb_begin(e);
    ebb_model *m =
        run(e, "W = param(3, 2) ~ normal(std=1)\nx = [[1, 2, 3], [-1, 0, 1]]\nh = tanh(x @ W) * 0.5\nloss = mean(h ** 2)");
    ebb_tensor *loss = ebb_model_value(m, "loss"), *W = ebb_param_at(e, 0), *g = NULL;
    assert_int_equal(ebb_backward(loss), EBB_OK);
    ebb_tensor *x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(2, 3), (float[]){1, 2, 3, -1, 0, 1});
    ebb_tensor *h = ebb_mul(ebb_tanh(ebb_matmul(x, W)), ebb_full(e, EBB_F32, EBB_SHAPE0, 0.5));
    ebb_tensor *direct = ebb_mean(ebb_pow(h, .exponent = 2));
    assert_int_equal(ebb_grad(e, 1, &direct, NULL, 1, &W, 0, &g), EBB_OK);
    assert_no_error(e);
    assert_true(ebb_item(direct) == ebb_item(loss));
    for (int i = 0; i < 6; i++) assert_true(ebb_at(g, i) == ebb_at(ebb_grad_of(W), i));
    ebb_model_free(m);
    ebb_end(s);
}

static void detached(void **state) {
    ebb *e = *state;
    ebb_scope *s = ebb_begin(e);
    ebb_model *m =
        run(e, "a = param(1) ~ constant(3)\nb = param(1) ~ constant(2)\nno_grad { k = a * 1 }\nloss = sum(detach(a) * b + k)");
    assert_int_equal(ebb_backward(ebb_model_value(m, "loss")), EBB_OK);
    assert_null(ebb_grad_of(ebb_param_find(e, "a")));
    assert_values(ebb_grad_of(ebb_param_find(e, "b")), 3);
    ebb_model_free(m);
    ebb_end(s);
}

static void values_and_scopes(void **state) {
    ebb *e = *state;
    ebb_scope *s = ebb_begin(e);
    ebb_model *m = run(e, "n = 2\nh = relu([-1, 1]) * n\n");
    assert_string_equal(ebb_name_of(ebb_model_value(m, "h")), "h");
    assert_values(ebb_model_value(m, "n"), 2);
    assert_null(ebb_model_value(m, "nothing"));
    assert_string_equal(ebb_model_variable(m, 1), "h");
    assert_null(ebb_model_variable(m, 2));
    ebb_end(s);
    assert_null(ebb_model_value(m, "h")); /* it went with its scope */
    ebb_model_free(m);
    assert_no_error(e);
}

/* Hooks see which call is being run. */
typedef struct {
    ebb_model *m;
    int line[8], n;
} seen;
static ebb_status on_op(ebb *e, const ebb_event *ev, void *user) {
    seen *k = user;
    ebb_span at;
    UNUSED(e), UNUSED(ev);
    if (k->n < 8 && ebb_model_where(k->m, &at)) k->line[k->n++] = at.line;
    return EBB_OK;
}
static void where_it_is(void **state) {
    ebb *e = *state;
    ebb_model *m = run(e, "def f(x) {\n return relu(x)\n}\ny = f([1, 2])\nz = exp(y)");
    seen k = {.m = m};
    const int64_t hook = ebb_hook_forward(e, NULL, NULL, on_op, &k);
    ebb_scope *s = ebb_begin(e);
    ebb_model_forward(m);
    ebb_end(s);
    ebb_hook_remove(e, hook);
    assert_int_equal(k.n, 2);
    assert_int_equal(k.line[0], 2);
    assert_int_equal(k.line[1], 5);
    assert_false(ebb_model_where(m, NULL));
    ebb_model_free(m);
}

static void words(void **state) {
    const char *kind, *doc, *name;
    int seen_kinds = 0;
    static const char *const kinds[] = {"statement",   "word",      "function",
                                        "initialiser", "optimizer", "dataset"};
    for (size_t i = 0; (name = ebb_lang_word(*state, i, &kind, &doc)); i++) {
        assert_true(*name && *doc);
        for (size_t k = 0; k < COUNT(kinds); k++)
            if (!strcmp(kind, kinds[k])) seen_kinds |= 1 << k;
    }
    assert_int_equal(seen_kinds, 63);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(numbers),
        SESSION_TEST(lines),
        SESSION_TEST(tensors),
        SESSION_TEST(indices),
        SESSION_TEST(calls),
        SESSION_TEST(definitions),
        SESSION_TEST(blocks),
        SESSION_TEST(parameters_by_region),
        SESSION_TEST(initialisers),
        cmocka_unit_test(same_beginning),
        SESSION_TEST(like_direct_calls),
        SESSION_TEST(detached),
        SESSION_TEST(values_and_scopes),
        SESSION_TEST(where_it_is),
        SESSION_TEST(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
