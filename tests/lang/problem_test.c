/* problem_test.c - what is said of wrong texts: words, place, hint; and that nothing hostile takes long or crashes. */
#include "../test.h"
#include <ebb/lang.h>

typedef struct {
    const char *text;
    int line, column, end_column; /* of the span */
    const char *words;            /* '|'-separated, in the message */
    const char *hint;             /* in the hint; "" none needed */
    int call;                     /* line the def was called from, 0: none */
} wrong;

static const wrong texts[] = {
    /* characters and brackets */
    {"x = 1 $ 2", 1, 7, 8, "no meaning", "", 0},
    {"x = \"abc", 1, 5, 9, "no closing", "", 0},
    {"x = 12abc", 1, 5, 10, "neither a number nor a name", "", 0},
    {"x = 1e999", 1, 5, 10, "too large", "", 0},
    {"x = (1 + 2", 1, 5, 6, "never closed", "", 0},
    {"x = [1, 2\ny = 3", 2, 1, 2, "expected ]", "line 1, column 5", 0},
    {"repeat 2 {\n x = 1", 1, 10, 11, "never closed", "", 0},
    {"x = 1 }", 1, 7, 8, "closes nothing", "", 0},
    {"x = ()", 1, 5, 6, "nothing between", "", 0},
    {"x = [1]\ny = x[]", 2, 6, 7, "no index", "", 0},
    {"x = 1 +", 1, 8, 8, "expected an expression|end of the text", "", 0},
    {"x = \n1", 1, 5, 6, "expected an expression|end of the statement", "", 0},
    {"\xc3\xa4 = 1", 1, 1, 2, "no meaning", "", 0},
    {"# \xc3\xa4\xc3\xb6\n# x\nx = \"\xc3\xa4\" + y", 3, 11, 12, "nothing is called y", "", 0}, /* columns count characters */
    /* statements */
    {"rpeat 2 { x = 1 }", 1, 1, 6, "no statement begins with rpeat", "repeat", 0},
    {"x = 1 2", 1, 7, 8, "expected the end of the statement", "", 0},
    {"return 1", 1, 1, 7, "inside a def", "", 0},
    {"repeat 2 { def f(x) { return x } }", 1, 12, 15, "top of a model", "", 0},
    {"def f(x) { return x }\ndef f(y) { return y }", 2, 5, 6, "defined in line 1", "", 0},
    {"def f(x, x) { return x }", 1, 10, 11, "given twice", "", 0},
    {"def f(x=1, y) { return x }", 1, 12, 13, "no default", "", 0},
    {"training = 1", 1, 1, 9, "meaning of its own", "", 0},
    {"repeat -1 { x = 1 }", 1, 8, 10, "repeat -1", "", 0},
    {"repeat 10001 { x = 1 }", 1, 8, 13, "repeat 10001", "", 0},
    {"repeat [1] { x = 1 }", 1, 8, 11, "how often to repeat is a number", "", 0},
    {"x = 1\npredict x\npredict x", 3, 1, 8, "predict statement in line 2", "", 0},
    /* names */
    {"x = [1]\ny = rleu(x)", 2, 5, 9, "no op is called rleu", "did you mean relu?", 0},
    {"hidden = [1]\ny = hiden", 2, 5, 10, "nothing is called hiden", "did you mean hidden?", 0},
    {"x = relu", 1, 5, 9, "nothing is called relu", "relu(...)", 0},
    {"y = x\nx = 1", 1, 5, 6, "used before", "", 0},
    {"def f(a) { return b }\nx = f(1)", 1, 19, 20, "nothing is called b", "", 0},
    {"x = [1]\nx.sum", 2, 3, 6, "not something a tensor has", ".sum(...)", 0},
    {"x = [1]; x = add_(x, 1)", 1, 14, 18, "in place", "add(x, ...)", 0},
    /* arguments */
    {"x = ones(2)\ny = softmax(x, dmi=0)", 2, 16, 19, "softmax has no attribute dmi", "did you mean dim?", 0},
    {"x = ones(2)\ny = softmax(x, dim=0, dim=0)", 2, 23, 26, "given twice", "", 0},
    {"x = ones(2)\ny = softmax(x, dim=0.5)", 2, 20, 23, "a whole number", "", 0},
    {"x = ones(2)\ny = softmax(dim=0, x)", 2, 20, 21, "without a name", "", 0},
    {"x = ones(2)\ny = mse_loss(x, x, reduction=maen)", 2, 30, 34, "one of mean|sum", "did you mean mean?", 0},
    {"x = ones(2)\ny = x.to(dtype=f16)", 2, 16, 19, "a dtype", "", 0},
    {"x = ones(2)\ny = relu(x, x)", 2, 13, 14, "relu takes 1 input", "", 0},
    {"x = ones(2)\ny = relu()", 2, 5, 11, "relu: 0 inputs", "", 0},
    {"x = ones(2)\ny = select(x, dim=0)", 2, 5, 21, "index must be given", "", 0},
    {"x = ones(2)\ny = dropout(x, p=2)", 2, 5, 20, "outside 0..1", "", 0},
    {"def f(a) { return a }\nx = f(1, 2)", 2, 5, 12, "f takes 1 argument", "", 0},
    {"def f(a, b) { return a }\nx = f(1, 2, c=3)", 2, 5, 17, "f takes 2 arguments, not 3", "", 0},
    {"def f(width, b=1) { return b }\nx = f(1, widht=3)", 2, 10, 15, "no parameter widht", "did you mean width?", 0},
    {"def f(a, b) { return a }\nx = f(1, a=3)", 2, 10, 11, "given twice", "", 0},
    {"x = size(ones(2))", 1, 5, 18, "size takes 2 arguments, not 1", "", 0},
    {"x = size(ones(2), 1)", 1, 19, 20, "dims 0 to 0", "", 0},
    {"x = ones(2)\na, b, c = max(x, dim=0)", 2, 1, 24, "3 names for 2 results", "", 0},
    {"x = [1, 2][2]", 1, 12, 13, "index 2 in a list of 2", "", 0},
    {"x = relu([[1, 2], [3]])", 1, 10, 23, "rows of different lengths, 2 and 1", "", 0},
    {"x = relu([1, [3]])", 1, 10, 18, "numbers and lists", "", 0},
    {"x = ones(3)\ny = x[7]", 2, 5, 9, "select|7", "", 0},
    /* shapes, inside defs too */
    {"x = ones(2, 3) @ ones(4, 5)", 1, 5, 28, "matmul|3|4", "", 0},
    {"def f(x) {\n return x @ ones(4, 2)\n}\ny = f(ones(2, 3))", 2, 9, 23, "matmul", "", 4},
    {"def f(x) { return g(x) }\ndef g(x) { return x + ones(4) }\ny = f(ones(3))", 2, 19, 30, "add", "", 1},
    {"x = argmax(ones(2, 2), dim=1)\ny = mean(x == 1)", 2, 5, 17, "no kernel for bool", ".to(dtype=f32)", 0},
    /* defs */
    {"def f(x) { return f(x) }\ny = f(1)", 1, 19, 23, "f calls itself", "repeat", 2},
    {"def f(x) { return g(x) }\ndef g(x) { return f(x) }\ny = f(1)", 2, 19, 23, "f calls itself", "repeat", 1},
    {"def f(x) { y = x }\nz = f(1)", 2, 5, 9, "f returns nothing", "return", 0},
    /* parameters and inputs */
    {"W = param(2, 2) ~ kaimign", 1, 19, 26, "no initialiser is called kaimign", "did you mean kaiming?", 0},
    {"W = param(2) ~ normal(sdt=1)", 1, 23, 26, "normal has no sdt", "did you mean std?", 0},
    {"W = param(2) ~ uniform(1)", 1, 16, 26, "uniform needs hi", "", 0},
    {"W = param(2) ~ zeros(1)", 1, 16, 24, "zeros takes 0 arguments, not 1", "", 0},
    {"x = ones(2) ~ zeros", 1, 13, 14, "behind param", "", 0},
    {"x = relu(param(2))", 1, 10, 18, "needs a name", "on a line of its own", 0},
    {"x = relu(input(2))", 1, 10, 18, "needs a name", "on a line of its own", 0},
    {"W = param(2.5)", 1, 11, 14, "whole numbers", "", 0},
    {"W = param(-2)", 1, 11, 13, "a size is -2", "", 0},
    {"W = param(2)\nW = param(3)", 2, 5, 13, "W exists already", "another name", 0},
    {"W = param(2, fanin=3)", 1, 14, 19, "param has no attribute fanin", "fan_in", 0},
    {"data moons batch 8\nx = input(8, 3)", 2, 5, 16, "input x is [8,3]|f32[8,2]", "", 0},
    {"data moons batch 8\nx = input(9, 2)", 2, 5, 16, "input x is [9,2]|f32[8,2]", "", 0},
    /* data, metric, train */
    {"data mons", 1, 6, 10, "no data set is called mons", "did you mean moons?", 0},
    {"data moons bacth=8", 1, 12, 17, "no option bacth", "did you mean batch?", 0},
    {"data moons batch 0", 1, 18, 19, "batch is a whole number", "", 0},
    {"data moons classes=3", 1, 12, 19, "no option classes", "", 0},
    {"data moons noise=-1", 1, 18, 20, "noise is a number from 0", "", 0},
    {"data moons\ndata xor", 2, 1, 5, "data statement in line 1", "", 0},
    {"metric m = ones(2)", 1, 12, 19, "a metric is one number, not f32[2]", "mean", 0},
    {"W = param(2)\nloss = sum(W)\ntrain admaw lr=1", 3, 7, 12, "no optimizer is called admaw",
     "did you mean adamw?", 0},
    {"W = param(2)\nloss = sum(W)\ntrain sgd lrr=1", 3, 11, 14, "sgd has no attribute lrr", "did you mean lr?", 0},
    {"W = param(2)\nloss = sum(W)\ntrain sgd momentun=1", 3, 11, 19, "sgd has no attribute momentun", "momentum", 0},
    {"W = param(2)\nloss = sum(W)\ntrain sgd schedule=cosin steps=9", 3, 20, 25, "no schedule",
     "did you mean cosine?", 0},
    {"W = param(2)\nloss = sum(W)\ntrain sgd schedule=cosine", 3, 1, 26, "needs steps=", "", 0},
    {"W = param(2)\nloss = sum(W)\ntrain sgd steps=1.5", 3, 17, 20, "steps is a whole number", "", 0},
    {"W = param(2)\ntrain sgd lr=1", 2, 1, 15, "no loss", "loss = ...", 0},
    {"loss = 1\ntrain sgd lr=1", 2, 1, 15, "no parameters", "param(...)", 0},
    {"repeat 2 { train sgd }", 1, 12, 17, "top of a model", "", 0},
    /* limits */
    {"x = zeros(100000, 100000, 100)", 1, 5, 31, "memory", "", 0},
    {"x = 0\nrepeat 10000 { repeat 10000 { x = x + 1 } }", 2, 16, 28, "regions", "", 0},
};

/* Every word of a '|'-separated list stands in text. */
static bool says(const char *text, const char *list) {
    char words[256];
    snprintf(words, sizeof words, "%s", list);
    for (char *w = words, *next; w; w = next) {
        if ((next = strchr(w, '|'))) *next++ = 0;
        if (!contains(text, w)) return false;
    }
    return true;
}

static bool as_expected(const wrong *w, const ebb_problem *p, const char *error) {
    char place[40];
    snprintf(place, sizeof place, "line %d, column %d: ", w->line, w->column);
    return p->span.line == w->line && p->span.column == w->column && p->span.end_column == w->end_column &&
           says(p->message, w->words) && says(p->hint, w->hint) && p->call.line == w->call &&
           !strncmp(error, place, strlen(place)) && says(error, w->words);
}

static void said(void **state) {
    UNUSED(state);
    const ebb_options o = {.size = sizeof o, .memory_limit = (size_t)256 << 20};
    int failed = 0;
    for (size_t i = 0; i < COUNT(texts); i++) {
        ebb *e = ebb_open(&o);
        ebb_model *m = ebb_model_new(e, "test", texts[i].text);
        const ebb_problem *p = ebb_model_problem(m);
        if (!p || !as_expected(&texts[i], p, ebb_error(e))) {
            failed++;
            print_error("%s\n  ", texts[i].text);
            if (p)
                print_error("%d:%d-%d, called from %d: %s (%s)\n", (int)p->span.line, (int)p->span.column,
                            (int)p->span.end_column, (int)p->call.line, p->message, p->hint);
            else print_error("no problem; %s\n", ebb_error(e));
        }
        ebb_model_free(m);
        ebb_close(e);
    }
    assert_int_equal(failed, 0);
}

/* A problem of the text stays; one of a run goes when it is cleared. */
static void cleared(void **state) {
    ebb *e = *state;
    ebb_model *m = ebb_model_new(e, "test", "x = rleu(1)");
    ebb_error_clear(e);
    ebb_model_clear(m);
    assert_non_null(ebb_model_problem(m));
    assert_null(ebb_model_forward(m));
    assert_error(e, EBB_E_ARG, "rleu");
    ebb_model_free(m);
    m = ebb_model_new(e, "test", "x = input(3)\nv = x * 2\npredict v");
    assert_no_error(e);
    ebb_scope *s = ebb_begin(e);
    assert_null(ebb_model_predict(m, ebb_full(e, EBB_F32, EBB_SHAPE(4, 2), 1)));
    assert_non_null(ebb_model_problem(m));
    assert_error(e, EBB_E_SHAPE, "input x");
    assert_null(ebb_model_forward(m));
    assert_error(e, EBB_E_ARG, "input x");
    ebb_model_clear(m);
    assert_non_null(ebb_model_forward(m));
    assert_no_error(e);
    ebb_end(s);
    ebb_model_free(m);
}

static char *repeated(const char *before, const char *s, int n, const char *after) {
    const size_t len = strlen(s), head = strlen(before);
    char *text = malloc(head + len * (size_t)n + strlen(after) + 1);
    assert_non_null(text);
    memcpy(text, before, head);
    for (int i = 0; i < n; i++) memcpy(text + head + len * (size_t)i, s, len);
    strcpy(text + head + len * (size_t)n, after);
    return text;
}

/* Deep, long and endless texts end with an error, and soon. */
static void hostile(void **state) {
    UNUSED(state);
    char *const text[] = {
        repeated("x = ", "(", 100000, "1"),
        repeated("x = ", "-", 100000, "1"),
        repeated("x = 1", " + 1", 100000, ""),
        repeated("x = [1]\ny = x", "[0]", 1000, ""),
        repeated("x = 1", " ** 1", 10000, ""),
        repeated("", "region a {", 100000, ""),
        repeated("x = [1]\ny = x", "[x", 60, ""),
        repeated("x = 2\ny = x", ".T", 1000, ""),
        repeated("x = relu(", "1,", 1000, "1)"),
        repeated("# ", "x", 1 << 20, "\n"),
        repeated("def f(x) { repeat 10000 { x = x + 1 }; return x }\n", "y = f(1)\n", 200, ""),
    };
    for (size_t i = 0; i < COUNT(text); i++) {
        const ebb_options o = {.size = sizeof o, .memory_limit = (size_t)512 << 20};
        ebb *e = ebb_open(&o);
        ebb_model *m = ebb_model_new(e, "test", text[i]);
        if (!ebb_failed(e)) fail_msg("text %zu has no problem", i);
        assert_non_null(ebb_model_problem(m));
        ebb_model_free(m);
        ebb_memory stats;
        ebb_memory_stats(e, &stats);
        assert_int_equal(stats.tensors, 0);
        ebb_close(e);
        free(text[i]);
    }
}

static void nothing_there(void **state) {
    ebb *e = *state;
    ebb_model_info info = {.size = sizeof info};
    assert_null(ebb_model_new(NULL, "x", "y"));
    ebb_model_free(NULL);
    assert_null(ebb_model_problem(NULL));
    ebb_model_clear(NULL);
    ebb_model_info_of(NULL, &info);
    assert_null(ebb_model_forward(NULL));
    assert_null(ebb_model_value(NULL, "x"));
    assert_int_equal(ebb_model_step(NULL, NULL), EBB_E_ARG);
    assert_int_equal(ebb_model_restart(NULL), EBB_E_ARG);
    assert_int_equal(ebb_model_gradcheck(NULL, 0, NULL, NULL), EBB_E_ARG);
    ebb_model *m = ebb_model_new(e, NULL, NULL); /* an empty text */
    assert_non_null(m);
    assert_null(ebb_model_forward(m));
    assert_null(ebb_model_new(e, "second", "x = 1"));
    assert_error(e, EBB_E_ARG, "a model already");
    assert_int_equal(ebb_model_step(m, NULL), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "no train statement");
    assert_null(ebb_model_examples(m, true, 0, 1, NULL));
    assert_error(e, EBB_E_ARG, "no data");
    ebb_model_free(m);
    assert_no_error(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(said),
        SESSION_TEST(cleared),
        cmocka_unit_test(hostile),
        SESSION_TEST(nothing_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
