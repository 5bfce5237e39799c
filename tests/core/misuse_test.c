/* misuse_test.c - what a caller can do wrong: another session's tensors, NULL lists, sizes beyond memory, spent graphs, odd hooks. */
#include "../test.h"
#include <locale.h>

static ebb_tensor *mul_scalar(ebb_tensor *x, double k) { return ebb_mul(x, ebb_scalar(x, k)); }
static ebb_tensor *pair(ebb *e) { return ebb_tensor_new(e, EBB_F64, EBB_SHAPE(2), (double[]){3, 4}); }
static ebb_tensor *pair_leaf(ebb *e) {
    ebb_tensor *t = pair(e);
    assert_int_equal(ebb_requires_grad(t, true), EBB_OK);
    return t;
}
static ebb_tensor *grad1(ebb_tensor *y, ebb_tensor *x, int flags) {
    ebb_tensor *g = NULL;
    ebb_grad(ebb_tensor_session(x), 1, &y, NULL, 1, &x, flags, &g);
    return g;
}

/* ---- tensors of another session ------------------------------------------------------------------------------------- */

typedef struct {
    ebb *e, *other;
} two;

static int two_open(void **state) {
    static two s;
    s = (two){ebb_open(NULL), ebb_open(NULL)};
    *state = &s;
    return s.e && s.other ? 0 : -1;
}
static int two_close(void **state) {
    two *s = *state;
    ebb_close(s->other);
    ebb_close(s->e);
    return 0;
}
#define TWO_SESSIONS(f) cmocka_unit_test_setup_teardown(f, two_open, two_close)

static void ops_refuse_another_sessions_tensor(void **state) {
    two *s = *state;
    ebb_tensor *ours = pair_leaf(s->e), *theirs = pair_leaf(s->other);
    assert_null(ebb_mul(ours, theirs));
    assert_error(s->e, EBB_E_ARG, "mul|session");
    assert_no_error(s->other);
    ebb_tensor *x = pair(s->e);
    assert_null(ebb_add_(x, theirs));
    assert_error(s->e, EBB_E_ARG, "add|session");
    assert_values(x, 3, 4);
}

static void grad_refuses_another_sessions_output(void **state) {
    two *s = *state;
    ebb_tensor *w = pair_leaf(s->e), *y = ebb_sum(ebb_square(w)), *theirs = ebb_sum(pair_leaf(s->other));
    for (int i = 0; i < 9; i++) theirs = ebb_square(theirs); /* its node is beyond the end of our tape */
    ebb_tensor *const out[] = {y, theirs};
    ebb_tensor *g = w;
    assert_int_equal(ebb_grad(s->e, 2, out, NULL, 1, &w, EBB_RETAIN, &g), EBB_E_ARG);
    assert_error(s->e, EBB_E_ARG, "ebb_grad|output 1|another session");
    assert_null(g);
    assert_no_error(s->other);
    assert_values(grad1(y, w, 0), 6, 8);
}

static void grad_refuses_another_sessions_wrt(void **state) {
    two *s = *state;
    ebb_tensor *w = pair_leaf(s->e), *y = ebb_sum(ebb_square(w)), *theirs = pair_leaf(s->other), *g[2] = {w, w};
    ebb_tensor *const wrt[] = {w, theirs};
    assert_int_equal(ebb_grad(s->e, 1, &y, NULL, 2, wrt, EBB_RETAIN, g), EBB_E_ARG);
    assert_error(s->e, EBB_E_ARG, "ebb_grad|wrt 1|another session");
    assert_null(g[0]);
    assert_null(g[1]);
    assert_values(grad1(y, w, 0), 6, 8);
}

static void seeds_of_another_session_are_refused(void **state) {
    two *s = *state;
    ebb_tensor *w = pair_leaf(s->e), *y = ebb_square(w), *theirs = pair(s->other), *g = w;
    assert_int_not_equal(ebb_backward_with(y, theirs, EBB_RETAIN), EBB_OK);
    assert_true(ebb_failed(s->e));
    ebb_error_clear(s->e);
    assert_int_not_equal(ebb_grad(s->e, 1, &y, &theirs, 1, &w, EBB_RETAIN, &g), EBB_OK);
    assert_true(ebb_failed(s->e));
    ebb_error_clear(s->e);
    assert_null(g);
    assert_null(ebb_grad_of(w));
}

static void grad_set_refuses_another_sessions_gradient(void **state) {
    two *s = *state;
    ebb_tensor *w = pair_leaf(s->e);
    ebb_grad_set(w, pair(s->other));
    assert_error(s->e, EBB_E_ARG, "ebb_grad_set|another session");
    assert_null(ebb_grad_of(w));
    assert_int_equal(ebb_backward(ebb_sum(ebb_square(w))), EBB_OK);
    assert_values(ebb_grad_of(w), 6, 8);
}

static ebb_tensor *give(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(t), UNUSED(g);
    return user;
}

static void hook_may_not_give_another_sessions_tensor(void **state) {
    two *s = *state;
    ebb_tensor *w = pair_leaf(s->e), *h = ebb_square(w);
    for (int at = 0; at < 2; at++) { /* a leaf, an intermediate */
        const int64_t id = ebb_hook_add(at ? h : w, give, pair(s->other));
        assert_true(id > 0);
        assert_int_equal(ebb_backward_with(ebb_sum(h), NULL, EBB_RETAIN), EBB_E_ARG);
        assert_error(s->e, EBB_E_ARG, "hook|another session");
        assert_null(ebb_grad_of(w));
        ebb_hook_remove(s->e, id);
    }
    assert_int_equal(ebb_backward(ebb_sum(h)), EBB_OK);
    assert_values(ebb_grad_of(w), 6, 8);
}

static void optimizer_refuses_another_sessions_tensor(void **state) {
    two *s = *state;
    ebb_tensor *const p[] = {pair_leaf(s->e), pair_leaf(s->other)};
    assert_null(ebb_optim_over(s->e, "sgd", "lr=0.1", 2, p));
    assert_error(s->e, EBB_E_ARG, "session");
}

/* ---- lists and places that are NULL --------------------------------------------------------------------------------- */

static void null_lists_are_errors(void **state) {
    ebb *e = *state;
    ebb_tensor *y = NULL;
    assert_int_equal(ebb_call_named(e, "relu", 1, NULL, NULL, 1, &y), -1);
    assert_error(e, EBB_E_ARG, "relu|NULL");
    assert_null(ebb_optim_over(e, "sgd", "lr=1", 2, NULL));
    assert_error(e, EBB_E_ARG, "sgd|no parameters");
}

static void null_in_a_list_of_grad_leaves_the_graph(void **state) {
    ebb *e = *state;
    ebb_tensor *w = leaf(e, 3), *y = ebb_square(w), *z = mul_scalar(y, 1), *g = w;
    ebb_tensor *const out[] = {y, NULL}, *const leaves[] = {w, NULL}, *const wrt[] = {w, NULL};
    assert_int_equal(ebb_grad(e, 2, out, NULL, 1, &w, EBB_RETAIN, &g), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "ebb_grad|output 1|NULL");
    assert_null(g);
    assert_int_equal(ebb_grad(e, 2, leaves, NULL, 1, &w, EBB_RETAIN, &g), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "output 1|NULL");
    ebb_tensor *both[2];
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 2, wrt, EBB_RETAIN, both), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "wrt 1|NULL");
    assert_int_equal(ebb_backward(z), EBB_OK);
    assert_values(ebb_grad_of(w), 6); /* no seed of the failed calls is left waiting */
}

static void a_seed_that_does_not_fit_leaves_the_graph(void **state) {
    ebb *e = *state;
    ebb_tensor *w = leaf(e, 3), *y = ebb_square(w), *seed = pair(e), *g = w;
    ebb_tensor *const out[] = {y, w}, *const seeds[] = {NULL, seed};
    assert_int_equal(ebb_grad(e, 2, out, seeds, 1, &w, EBB_RETAIN, &g), EBB_E_SHAPE);
    assert_error(e, EBB_E_SHAPE, "seed|f64[2]");
    assert_null(g);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(w), 6);
}

static void null_places_are_no_crash(void **state) {
    ebb *e = *state;
    ebb_memory_stats(e, NULL);
    ebb_memory_stats(NULL, NULL);
    ebb_tensor_info(pair(e), NULL);
    ebb_tensor_info(NULL, NULL);
    char why[80] = "old";
    assert_int_equal(ebb_sig_parse("()->()", NULL, why, sizeof why), EBB_E_ARG);
    assert_int_equal(ebb_sig_parse(NULL, NULL, NULL, 0), EBB_E_ARG);
    assert_no_error(e);
}

/* ---- memory that is not there ------------------------------------------------------------------------------------------ */

static void wrap_of_misaligned_memory(void **state) {
    ebb *e = *state;
    static double room[8];
    char *p = (char *)room;
    static const ebb_dtype wide[] = {EBB_F32, EBB_F64, EBB_I32, EBB_I64};
    for (size_t i = 0; i < COUNT(wide); i++) {
        assert_null(ebb_tensor_wrap(e, wide[i], EBB_SHAPE(2), p + ebb_dtype_size(wide[i]) / 2));
        assert_error(e, EBB_E_ARG, "ebb_tensor_wrap|aligned");
    }
    assert_non_null(ebb_tensor_wrap(e, EBB_U8, EBB_SHAPE(2), p + 1));
    room[1] = 7;
    assert_values(ebb_square(ebb_tensor_wrap(e, EBB_F64, EBB_SHAPE(1), p + 8)), 49);
    assert_no_error(e);
}

static void sizes_that_wrap_around(void **state) {
    ebb *e = *state;
    const int64_t big = (int64_t)1 << 40;
    ebb_tensor *x = range(e, EBB_SHAPE(4)), *one = range(e, EBB_SHAPE(1)), *none = range(e, EBB_SHAPE(0));
    assert_null(ebb_reshape(x, .shape = EBB_SHAPE(4611686018427387905, 4))); /* 4 modulo 2^64 */
    assert_error(e, EBB_E_SHAPE, "reshape");
    assert_null(ebb_reshape(none, .shape = EBB_SHAPE((int64_t)1 << 32, (int64_t)1 << 32))); /* 0 modulo 2^64 */
    assert_error(e, EBB_E_SHAPE, "reshape");
    assert_null(ebb_expand(one, .size = EBB_SHAPE(big, big)));
    assert_true(ebb_failed(e));
    assert_words(ebb_error(e), "1099511627776");
    ebb_error_clear(e);
    assert_null(ebb_tensor_new(e, EBB_F32, EBB_SHAPE((int64_t)1 << 31, (int64_t)1 << 31, 4), NULL));
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
    assert_null(ebb_tensor_new(e, EBB_F32, (ebb_ints){9, {0}}, NULL));
    assert_error(e, EBB_E_SHAPE, "8|9");
    assert_null(ebb_tensor_new(e, EBB_F32, (ebb_ints){-1, {0}}, NULL));
    assert_error(e, EBB_E_SHAPE, "-1");
}

/* A slice takes what is there, or says what is wrong; never what lies beside it. */
static void slices_far_outside(void **state) {
    ebb *e = *state;
    static const int64_t at[] = {INT64_MIN, INT64_MIN + 1, -5, -1, 0, 1, 5, INT64_MAX - 1, INT64_MAX},
                         steps[] = {1, 3, INT64_MAX};
    ebb_tensor *x = range(e, EBB_SHAPE(4));
    for (size_t i = 0; i < COUNT(at); i++)
        for (size_t j = 0; j < COUNT(at); j++)
            for (size_t k = 0; k < COUNT(steps); k++) {
                ebb_tensor *y = ebb_slice(x, .start = at[i], .end = at[j], .step = steps[k]);
                assert_true(!y == ebb_failed(e));
                ebb_error_clear(e);
                assert_true(ebb_numel(y) <= 4);
                for (int64_t n = 0; n < ebb_numel(y); n++) {
                    const double v = ebb_at(y, n);
                    assert_true(v >= 0 && v <= 3);
                    if (n) assert_near(v, ebb_at(y, n - 1) + (double)steps[k], 0);
                }
            }
}

/* ---- numbers an integer cannot hold ---------------------------------------------------------------------------------- */

static void full_takes_the_nearest_value(void **state) {
    ebb *e = *state;
    static const struct {
        ebb_dtype dtype;
        double value, want;
    } t[] = {
        {EBB_I32, 3e9, INT32_MAX},
        {EBB_I32, -3e9, INT32_MIN},
        {EBB_I32, INFINITY, INT32_MAX},
        {EBB_U8, 300, 255},
        {EBB_U8, -1, 0},
        {EBB_U8, 1e300, 255},
        {EBB_I32, NAN, 0},
        {EBB_I64, NAN, 0},
        {EBB_U8, NAN, 0},
        {EBB_BOOL, 2, 1},
    };
    for (size_t i = 0; i < COUNT(t); i++)
        assert_values(ebb_full(e, t[i].dtype, EBB_SHAPE(2), t[i].value), t[i].want, t[i].want);
    static const double far[] = {1e19, -1e19, INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT(far); i++) {
        const ebb_tensor *x = ebb_full(e, EBB_I64, EBB_SHAPE0, far[i]);
        assert_int_equal(*(const int64_t *)ebb_data(x), far[i] > 0 ? INT64_MAX : INT64_MIN);
    }
    assert_no_error(e);
}

/* A C number beside integers is taken as the number it is, or refused; it is never another number. */
#define TAKEN_AS_IT_IS(t, ...)                                                                               \
    do {                                                                                                     \
        const ebb_tensor *result = (t);                                                                      \
        if (result) assert_values(result, __VA_ARGS__);                                                      \
        assert_true(!result == ebb_failed(e));                                                               \
        ebb_error_clear(e);                                                                                  \
    } while (0)

static void numbers_beside_integers_keep_their_value(void **state) {
    ebb *e = *state;
    const int32_t i[] = {1, INT32_MAX};
    const uint8_t u[] = {44, 255}, b[] = {1, 0};
    ebb_tensor *i32 = ebb_tensor_new(e, EBB_I32, EBB_SHAPE(2), i),
               *u8 = ebb_tensor_new(e, EBB_U8, EBB_SHAPE(2), u);
    ebb_tensor *flag = ebb_tensor_new(e, EBB_BOOL, EBB_SHAPE(2), b);
    TAKEN_AS_IT_IS(ebb_lt(i32, ebb_scalar(i32, 3e9)), 1, 1);
    TAKEN_AS_IT_IS(ebb_eq(i32, ebb_scalar(i32, 3e9)), 0, 0);
    TAKEN_AS_IT_IS(ebb_gt(i32, ebb_scalar(i32, -3e9)), 1, 1);
    TAKEN_AS_IT_IS(ebb_lt(i32, ebb_scalar(i32, 1e30)), 1, 1);
    TAKEN_AS_IT_IS(ebb_eq(u8, ebb_scalar(u8, 300)), 0, 0);
    TAKEN_AS_IT_IS(ebb_eq(u8, ebb_scalar(u8, 511)), 0, 0);
    TAKEN_AS_IT_IS(ebb_gt(u8, ebb_scalar(u8, -1)), 1, 1);
    TAKEN_AS_IT_IS(ebb_add(u8, ebb_scalar(u8, 300)), 344, 555);
    TAKEN_AS_IT_IS(ebb_eq(flag, ebb_scalar(flag, 2)), 0, 0);
    assert_values(ebb_eq(flag, ebb_scalar(flag, 1)), 1, 0);
    assert_values(ebb_eq(i32, ebb_scalar(i32, INT32_MAX)), 0, 1);
    assert_values(ebb_eq(u8, ebb_scalar(u8, 255)), 0, 1);
    assert_no_error(e);
}

/* ---- attributes ---------------------------------------------------------------------------------------------------------- */

static void required_attributes_that_are_not_given(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range(e, EBB_SHAPE(2, 3)), *y = NULL;
    assert_null(ebb_op_call("transpose", 0, 1, &x, NULL, 0, 0, NULL));
    assert_error(e, EBB_E_ATTR, "transpose|attribute");
    assert_null(ebb_op_call("permute", 0, 1, &x, NULL, 0, 0, NULL));
    assert_error(e, EBB_E_ATTR, "permute|attribute");
    assert_int_equal(ebb_call_named(e, "transpose", 1, &x, NULL, 1, &y), -1);
    assert_error(e, EBB_E_ATTR, "transpose|dim0");
    const int64_t dim = 1; /* an older caller's shorter struct: the rest are defaults */
    assert_values(ebb_op_call("slice", 0, 1, &x, &dim, sizeof dim, 0, NULL), 0, 1, 2, 3, 4, 5);
    assert_no_error(e);
}

/* ---- graphs that are gone -------------------------------------------------------------------------------------------------- */

static void grad_of_a_spent_graph_says_the_second_time(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e), *h = ebb_square(w), *y = ebb_sum(h);
    assert_int_equal(ebb_backward(y), EBB_OK);
    static const int flags[] = {0, EBB_ALLOW_UNUSED, EBB_RETAIN, EBB_CREATE_GRAPH};
    for (size_t i = 0; i < COUNT(flags); i++) {
        assert_null(grad1(y, w, flags[i]));
        assert_error(e, EBB_E_GRAPH, "second time|EBB_RETAIN");
        assert_null(grad1(y, h, flags[i]));
        assert_error(e, EBB_E_GRAPH, "second time|EBB_RETAIN");
    }
    assert_values(ebb_grad_of(w), 6, 8);
}

static void wrt_whose_graph_is_gone(void **state) {
    ebb *e = *state;
    ebb_tensor *w = leaf(e, 3), *h = ebb_square(w);
    ebb_tape_clear(e);
    ebb_tensor *y = ebb_square(w);
    assert_null(grad1(y, h, 0));
    assert_error(e, EBB_E_GRAPH, "wrt 0|freed");
    assert_null(grad1(y, h, EBB_ALLOW_UNUSED)); /* not even then: whether y depends on it is not known */
    assert_error(e, EBB_E_GRAPH, "wrt 0|freed");
    assert_values(grad1(y, w, 0), 6);
}

static void output_whose_graph_is_gone(void **state) {
    ebb *e = *state;
    ebb_tensor *w = leaf(e, 1), *h = w, *g = w;
    for (int i = 0; i < 3000; i++) h = ebb_square(h);
    ebb_tape_clear(e);
    ebb_tensor *const out[] = {ebb_square(w), h};
    assert_int_equal(ebb_grad(e, 2, out, NULL, 1, &w, EBB_RETAIN, &g), EBB_E_GRAPH);
    assert_error(e, EBB_E_GRAPH, "ebb_grad|freed");
    assert_null(g);
    assert_values(grad1(out[0], w, 0), 2);
}

static void unused_wrt_above_the_outputs(void **state) {
    ebb *e = *state;
    ebb_tensor *w = leaf(e, 3), *v = leaf(e, 2), *y = ebb_square(w), *h = ebb_square(v);
    assert_null(grad1(y, h, EBB_ALLOW_UNUSED));
    assert_no_error(e);
    ebb_tensor *z = ebb_mul(ebb_square(w), ebb_mul(h, v)); /* w^2 v^3 */
    assert_values(grad1(z, w, 0), 48);
    ebb_node_info n;
    assert_int_equal(ebb_tape_node(e, ebb_node_of(h), &n), EBB_OK);
    assert_false(n.spent); /* h is not on the way to w: that walk did not pass it */
}

/* ---- hooks ---------------------------------------------------------------------------------------------------------------- */

static ebb_tensor *twice(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(t);
    ++*(int *)user;
    return mul_scalar(g, 2);
}

static int64_t self;
static ebb_tensor *remove_self(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(g);
    ++*(int *)user;
    ebb_hook_remove(ebb_tensor_session(t), self);
    return NULL;
}

static void hook_that_removes_itself_skips_no_other(void **state) {
    ebb *e = *state;
    for (int at = 0; at < 2; at++) { /* a leaf, an intermediate */
        int once = 0, other = 0;
        ebb_tensor *w = leaf(e, 3), *h = ebb_square(w), *t = at ? h : w;
        self = ebb_hook_add(t, remove_self, &once);
        assert_true(self > 0);
        assert_true(ebb_hook_add(t, twice, &other) > 0);
        for (int i = 1; i <= 2; i++) {
            ebb_grad_set(w, NULL);
            assert_int_equal(ebb_backward_with(h, NULL, EBB_RETAIN), EBB_OK);
            assert_int_equal(once, 1);
            assert_int_equal(other, i);
            assert_values(ebb_grad_of(w), 12);
        }
    }
}

static void hook_on_the_only_wrt_runs(void **state) {
    ebb *e = *state;
    int runs = 0;
    ebb_tensor *w = leaf(e, 3), *h = mul_scalar(w, 1), *y = ebb_square(h), *g[2];
    assert_true(ebb_hook_add(h, twice, &runs) > 0);
    assert_values(grad1(y, h, EBB_RETAIN), 12);
    assert_int_equal(runs, 1);
    ebb_tensor *const wrt[] = {h, w};
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 2, wrt, EBB_RETAIN, g), EBB_OK);
    assert_values(g[0], 12);
    assert_values(g[1], 12);
    assert_int_equal(runs, 2);
}

static void hook_of_a_wrt_named_twice_runs_once(void **state) {
    ebb *e = *state;
    int runs = 0;
    ebb_tensor *w = leaf(e, 3), *y = ebb_square(w), *g[2];
    assert_true(ebb_hook_add(w, twice, &runs) > 0);
    ebb_tensor *const wrt[] = {w, w};
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 2, wrt, 0, g), EBB_OK);
    assert_values(g[0], 12);
    assert_values(g[1], 12);
    assert_int_equal(runs, 1);
}

/* ---- the rest -------------------------------------------------------------------------------------------------------------- */

static void backend_typo_keeps_the_backend_in_use(void **state) {
    ebb *e = *state;
    static const char *const first[] = {"portable", "auto"};
    for (size_t i = 0; i < COUNT(first); i++) {
        assert_int_equal(ebb_backend_use(e, first[i]), EBB_OK);
        char before[80];
        snprintf(before, sizeof before, "%s", ebb_backend_name(e));
        assert_int_not_equal(ebb_backend_use(e, "onednm"), EBB_OK);
        assert_words(ebb_error(e), "onednm");
        ebb_error_clear(e);
        assert_string_equal(ebb_backend_name(e), before);
    }
}

static ebb_status makes_another(ebb_tensor *t) {
    static int n;
    char name[20];
    snprintf(name, sizeof name, "inner%d", n++);
    ebb_param(ebb_tensor_session(t), name, EBB_F64, EBB_SHAPE(1), NULL);
    return EBB_OK;
}

static void initialiser_that_makes_parameters(void **state) {
    ebb *e = *state;
    for (int i = 0; i < 70; i++) {
        char name[20];
        snprintf(name, sizeof name, "outer%d", i);
        assert_non_null(ebb_param(e, name, EBB_F64, EBB_SHAPE(1), makes_another));
    }
    assert_int_equal(ebb_param_count(e), 140);
    for (size_t i = 0; i < 140; i++) assert_non_null(ebb_param_find(e, ebb_name_of(ebb_param_at(e, i))));
}

static void attributes_in_a_locale_with_a_decimal_comma(void **state) {
    ebb *e = *state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE",      "fr_FR.UTF-8",
                                        "fr_FR.utf8",  "fr_FR",      "pt_BR.UTF-8"};
    size_t i = 0;
    while (i < COUNT(names) && !setlocale(LC_NUMERIC, names[i])) i++;
    if (i == COUNT(names)) {
        print_message("skipped: no locale with a decimal comma is installed\n");
        skip();
    }
    ebb_tensor *x = scalar(e, -2), *y = NULL;
    const int n = ebb_call_named(e, "leaky_relu", 1, &x, "negative_slope=0.25", 1, &y);
    const double slope = ebb_at(y, 0);
    ebb_tensor *w = leaf(e, 1);
    ebb_optim *o = ebb_optim_over(e, "sgd", "lr=0.5", 1, &w);
    setlocale(LC_NUMERIC, "C");
    assert_no_error(e);
    assert_int_equal(n, 1);
    assert_near(slope, -0.5, 0);
    ebb_grad_set(w, scalar(e, 1));
    assert_int_equal(ebb_optim_step(o), EBB_OK);
    assert_values(w, 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TWO_SESSIONS(ops_refuse_another_sessions_tensor),
        TWO_SESSIONS(grad_refuses_another_sessions_output),
        TWO_SESSIONS(grad_refuses_another_sessions_wrt),
        TWO_SESSIONS(seeds_of_another_session_are_refused),
        TWO_SESSIONS(grad_set_refuses_another_sessions_gradient),
        TWO_SESSIONS(hook_may_not_give_another_sessions_tensor),
        TWO_SESSIONS(optimizer_refuses_another_sessions_tensor),
        SESSION_TEST(null_lists_are_errors),
        SESSION_TEST(null_in_a_list_of_grad_leaves_the_graph),
        SESSION_TEST(a_seed_that_does_not_fit_leaves_the_graph),
        SESSION_TEST(null_places_are_no_crash),
        SESSION_TEST(wrap_of_misaligned_memory),
        SESSION_TEST(sizes_that_wrap_around),
        SESSION_TEST(slices_far_outside),
        SESSION_TEST(full_takes_the_nearest_value),
        SESSION_TEST(numbers_beside_integers_keep_their_value),
        SESSION_TEST(required_attributes_that_are_not_given),
        SESSION_TEST(grad_of_a_spent_graph_says_the_second_time),
        SESSION_TEST(wrt_whose_graph_is_gone),
        SESSION_TEST(output_whose_graph_is_gone),
        SESSION_TEST(unused_wrt_above_the_outputs),
        SESSION_TEST(hook_that_removes_itself_skips_no_other),
        SESSION_TEST(hook_on_the_only_wrt_runs),
        SESSION_TEST(hook_of_a_wrt_named_twice_runs_once),
        SESSION_TEST(backend_typo_keeps_the_backend_in_use),
        SESSION_TEST(initialiser_that_makes_parameters),
        SESSION_TEST(attributes_in_a_locale_with_a_decimal_comma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
