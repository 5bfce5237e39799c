/* plugin_test.c - loading plugins through the C API: what is refused, with which words, and that nothing of it stays.
 *
 * EBB_TEST_PLUGINS names the folder of built plugins, tests/must_fail/run.sh - FOLDER makes it. */
#include "../test.h"

static const char *path_of(const char *name) {
    static char path[1024];
    const char *dir = getenv("EBB_TEST_PLUGINS");
    if (!dir || !*dir) fail_msg("EBB_TEST_PLUGINS is not set");
    snprintf(path, sizeof path, "%s/%s.so", dir, name);
    return path;
}

static void still_works(ebb *e) {
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *x = leaf(e, 3), *y = ebb_mul(x, x);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(x), 6);
    ebb_end(s);
    assert_no_error(e);
}

static const struct {
    const char *name, *words; /* words: all of them, apart from the file's name */
} bad[] = {
    {"text", "plugin"},
    {"empty", ""},
    {"no_entry", "ebb_plugin_entry"},
    {"abi_major", "abi"},
    {"wrong_magic", "plugin"},
    {"pointer_width", "bit"},
    {"size_small", "size"},
    {"null_kernel", "load_twice"},
    {"duplicate_builtin", "add"},
    {"duplicate_inside", "load_twice"},
    {"bad_signature", "load_twice|(n->()"},
    {"bad_name", "2 times"},
    {"too_many_rules", "load_twice|rule"},
    {"bad_default", "load_twice|times|two"},
    {"attribute_outside", "load_twice|attribute"},
    {"half_bad", "load_bad"},
};

static void refused(void **state) {
    ebb *e = *state;
    const size_t ops = ebb_op_count(e), plugins = ebb_plugin_count(e);
    for (int round = 0; round < 2; round++) /* a second attempt fares no better */
        for (size_t i = 0; i < COUNT(bad); i++) {
            if (ebb_plugin_load(e, path_of(bad[i].name), NULL)) fail_msg("%s was accepted", bad[i].name);
            if (!ebb_failed(e)) fail_msg("%s: refused without an error", bad[i].name);
            if (!contains(ebb_error(e), bad[i].name))
                fail_msg("%s: not named in: %s", bad[i].name, ebb_error(e));
            assert_words(ebb_error(e), bad[i].words);
            assert_int_not_equal(ebb_error_code(e), EBB_E_VERIFY);
            assert_int_not_equal(ebb_error_code(e), EBB_E_MEMORY);
            ebb_error_clear(e);
            if (ebb_op_count(e) != ops || ebb_plugin_count(e) != plugins)
                fail_msg("%s left something", bad[i].name);
            assert_null(ebb_op_find(e, "load_twice"));
            assert_null(ebb_op_find(e, "load_good"));
            still_works(e);
        }
    assert_values(ebb_add(scalar(e, 1), scalar(e, 2)), 3);
}

static void paths(void **state) {
    ebb *e = *state;
    static const struct {
        const char *path, *words;
    } wrong[] = {
        {"/nowhere/at/all.so", "/nowhere/at/all.so"},
        {"good.so", "/"},
        {"", ""},
        {"/", "/"},
        {"/tmp", "/tmp"},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_null(ebb_plugin_load(e, wrong[i].path, NULL));
        assert_true(ebb_failed(e));
        assert_words(ebb_error(e), wrong[i].words);
        ebb_error_clear(e);
    }
    assert_null(ebb_plugin_load(e, NULL, NULL));
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
    still_works(e);
}

/* ---- verification ------------------------------------------------------------------------------------------------ */

typedef struct {
    int passed, failed, skipped;
    char wrong[200], words[4000];
} tally;

static void count(void *user, const ebb_check *c) {
    tally *t = user;
    assert_non_null(c->op);
    assert_non_null(c->check);
    assert_non_null(c->message);
    if (c->skipped) t->skipped++;
    else if (c->passed) t->passed++;
    else {
        t->failed++;
        snprintf(t->wrong, sizeof t->wrong, "%s", c->check);
        strncat(t->words, c->message, sizeof t->words - strlen(t->words) - 1);
        assert_true(strlen(c->message) > 10);
    }
    if (c->passed && !c->skipped) assert_true(c->margin < 1);
}

static void wrong_derivative(void **state) {
    ebb *e = *state;
    tally t = {0};
    const ebb_verify_options o = {.size = sizeof o, .report = count, .user = &t};
    const size_t ops = ebb_op_count(e);
    assert_null(ebb_plugin_load(e, path_of("demo_missing_factor"), &o));
    assert_error(e, EBB_E_VERIFY, "scaled_swish|gradient");
    assert_true(t.failed > 0);
    assert_true(t.passed > 0);
    assert_words(t.words, "factor");
    assert_int_equal(ebb_op_count(e), ops);
    assert_null(ebb_op_find(e, "scaled_swish"));
    still_works(e);

    assert_null(ebb_plugin_load(e, path_of("half_wrong"), NULL)); /* without a listener, too */
    assert_error(e, EBB_E_VERIFY, "load_wrong");
    assert_null(ebb_op_find(e, "load_right"));
    assert_null(ebb_op_find(e, "load_wrong"));
    still_works(e);
}

static void accepted(void **state) {
    ebb *e = *state;
    tally t = {0};
    const ebb_verify_options o = {.size = sizeof o, .report = count, .user = &t};
    const size_t ops = ebb_op_count(e), plugins = ebb_plugin_count(e);
    const char *name = ebb_plugin_load(e, path_of("good"), &o);
    if (!name) fail_msg("good.so was refused: %s", ebb_error(e));
    assert_string_equal(name, "good");
    assert_int_equal(t.failed, 0);
    assert_true(t.passed > 50);
    assert_int_equal(ebb_plugin_count(e), plugins + 1);
    assert_int_equal(ebb_op_count(e), ops + 14);
    assert_string_equal(ebb_op_plugin(e, "good_ratio"), "good");
    assert_words(ebb_plugin_path(e, plugins), "good.so");
    assert_non_null(ebb_plugin_at(e, plugins));

    ebb_tensor *x[] = {leaf(e, 6), leaf(e, 3)}, *y = NULL;
    assert_int_equal(ebb_call_named(e, "good_ratio", 2, x, NULL, 1, &y), 1);
    assert_values(y, 2);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_near(ebb_item(ebb_grad_of(x[0])), 1. / 3, 1e-15);
    assert_near(ebb_item(ebb_grad_of(x[1])), -2. / 3, 1e-15);

    assert_null(ebb_plugin_load(e, path_of("good"), NULL)); /* its names are taken now */
    assert_true(ebb_failed(e));
    assert_words(ebb_error(e), "good");
    ebb_error_clear(e);
    assert_int_equal(ebb_op_count(e), ops + 14);

    ebb *f = ebb_open(NULL); /* another session does not have it ... */
    assert_null(ebb_op_find(f, "good_ratio"));
    assert_non_null(ebb_plugin_load(f, path_of("good"), NULL)); /* ... and may load it as well */
    ebb_close(f);
    f = ebb_open_like(e, NULL);
    assert_non_null(ebb_op_find(f, "good_ratio"));
    ebb_close(f);
    still_works(e);
}

static void newer_minor(void **state) {
    ebb *e = *state;
    const char *name = ebb_plugin_load(e, path_of("newer_minor"), NULL);
    if (!name) fail_msg("newer_minor.so was refused: %s", ebb_error(e));
    assert_non_null(ebb_op_find(e, "load_twice"));
}

static void verify(void **state) {
    ebb *e = *state;
    tally t = {0};
    ebb_verify_options o = {.size = sizeof o, .report = count, .user = &t};
    assert_int_equal(ebb_verify(e, "tanh", &o), EBB_OK);
    const int all = t.passed;
    assert_true(all >= 8);
    t = (tally){0}, o.only = "gradient";
    assert_int_equal(ebb_verify(e, "tanh", &o), EBB_OK);
    assert_true(t.passed >= 1 && t.passed < all);
    assert_int_equal(ebb_verify(e, "tanh", NULL), EBB_OK);
    assert_int_not_equal(ebb_verify(e, "tanhh", NULL), EBB_OK);
    ebb_error_clear(e);
    still_works(e);
}

/* Kernels and rules that break their contract, one kind each. */
static const struct {
    const char *plugin, *op;
} broken[] = {
    {"undeclared_read", "m_square"},
    {"rule_returns_null", "m_expm"},
    {"kernel_error", "m_square"},
    {"out_of_bounds", "m_square"},
};

static void broken_contracts(void **state) {
    ebb *e = *state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        assert_null(ebb_plugin_load(e, path_of(broken[i].plugin), NULL));
        assert_error(e, EBB_E_VERIFY, broken[i].op);
        assert_null(ebb_op_find(e, broken[i].op));
        still_works(e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(refused),          SESSION_TEST(paths),       SESSION_TEST(wrong_derivative),
        SESSION_TEST(accepted),         SESSION_TEST(newer_minor), SESSION_TEST(verify),
        SESSION_TEST(broken_contracts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
