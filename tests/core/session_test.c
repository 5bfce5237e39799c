/* session_test.c - sessions: sticky errors, memory and its limit, scopes, what closing frees, options. */
#include "../test.h"

/* An allocator that knows what is still out. */
typedef struct {
    size_t bytes, blocks;
} counter;

static void *count_alloc(void *user, size_t bytes) {
    counter *c = user;
    void *p = malloc(bytes ? bytes : 1);
    if (p) c->bytes += bytes, c->blocks++;
    return p;
}
static void count_free(void *user, void *p, size_t bytes) {
    counter *c = user;
    if (p) c->bytes -= bytes, c->blocks--;
    free(p);
}

static ebb_memory memory(const ebb *e) {
    ebb_memory m;
    memset(&m, 0, sizeof m);
    ebb_memory_stats(e, &m);
    return m;
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void first_error_wins(void **state) {
    ebb *e = *state;
    assert_false(ebb_failed(e));
    assert_string_equal(ebb_error(e), "");
    assert_int_equal(ebb_error_code(e), EBB_OK);

    assert_int_equal(ebb_fail(e, EBB_E_INDEX, "first %d", 1), EBB_E_INDEX);
    ebb_fail(e, EBB_E_SHAPE, "second %d", 2);
    assert_true(ebb_failed(e));
    assert_int_equal(ebb_error_code(e), EBB_E_INDEX);
    assert_words(ebb_error(e), "first 1");
    assert_false(contains(ebb_error(e), "second"));

    ebb_error_clear(e);
    assert_false(ebb_failed(e));
    assert_string_equal(ebb_error(e), "");
    assert_int_equal(ebb_error_code(e), EBB_OK);
    assert_values(ebb_add(scalar(e, 1), scalar(e, 2)), 3);
}

static void null_in_null_out(void **state) {
    ebb *e = *state;
    ebb_tensor *x = scalar(e, 1);
    assert_null(ebb_add(NULL, NULL));
    assert_null(ebb_detach(NULL));
    assert_null(ebb_contiguous(NULL));
    assert_null(ebb_retain(NULL));
    assert_null(ebb_escape(NULL));
    ebb_release(NULL);
    ebb_end(NULL);
    ebb_close(NULL);
    assert_true(ebb_failed(NULL));
    assert_int_equal(ebb_numel(NULL), 0);
    assert_no_error(e);

    assert_null(ebb_add(x, NULL)); /* a missing tensor beside one that is there is an error */
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
}

static void sticky(void **state) {
    ebb *e = *state;
    ebb_tensor *x = scalar(e, 1);
    ebb_fail(e, EBB_E_VALUE, "stop here");
    assert_null(ebb_mul(x, x));
    assert_null(ebb_tensor_new(e, EBB_F64, EBB_SHAPE(2), NULL));
    assert_null(ebb_full(e, EBB_F64, EBB_SHAPE(2), 1));
    assert_null(ebb_rand(e, EBB_F32, EBB_SHAPE(2)));
    assert_int_not_equal(ebb_backward(x), EBB_OK);
    assert_int_not_equal(ebb_requires_grad(x, true), EBB_OK);
    assert_null(ebb_param(e, "p", EBB_F32, EBB_SHAPE(2), NULL));
    assert_error(e, EBB_E_VALUE, "stop here");
    assert_values(ebb_mul(x, x), 1);
    assert_no_error(e);
}

/* After each kind of error the session goes on as if nothing had been. */
static void usable_afterwards(void **state) {
    ebb *e = *state;
    ebb_tensor *a = range(e, EBB_SHAPE(2, 3)), *b = range(e, EBB_SHAPE(4, 5));
    const int64_t before = memory(e).tensors;
    for (int i = 0; i < 50; i++) {
        ebb_scope *s = ebb_begin(e);
        ebb_tensor *h = ebb_mul(a, a);
        assert_null(ebb_matmul(ebb_mul(h, h), b));
        assert_error(e, EBB_E_SHAPE, "matmul|3|4");
        assert_null(ebb_reshape(h, .shape = EBB_SHAPE(4)));
        assert_error(e, EBB_E_SHAPE, "reshape");
        ebb_end(s);
    }
    assert_int_equal(memory(e).tensors, before);
    assert_near(ebb_item(ebb_sum(a)), 15, 0);
}

static void long_message(void **state) {
    ebb *e = *state;
    char big[6000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    ebb_fail(e, EBB_E_ARG, "start %s end", big);
    assert_words(ebb_error(e), "start xxx");
    ebb_error_clear(e);
}

static void status_names(void **state) {
    UNUSED(state);
    for (int s = EBB_OK; s <= EBB_COPY; s++) {
        assert_non_null(ebb_status_name((ebb_status)s));
        assert_true(strlen(ebb_status_name((ebb_status)s)) > 1);
    }
    assert_non_null(ebb_status_name((ebb_status)1000));
    assert_true(strlen(ebb_version()) > 0);
    assert_true(strlen(ebb_parallel_name()) > 0);
    for (int i = 0; i < 3; i++) assert_true(strlen(ebb_level_name(i)) > 0);
}

/* ---- memory -------------------------------------------------------------------------------------------------------- */

static void memory_limit(void **state) {
    UNUSED(state);
    ebb_options o = {.size = sizeof o, .memory_limit = 4u << 20};
    ebb *e = ebb_open(&o);
    assert_non_null(e);
    ebb_tensor *small = range(e, EBB_SHAPE(100));
    assert_null(ebb_tensor_new(e, EBB_F64, EBB_SHAPE(1 << 20), NULL)); /* 8 MiB */
    assert_error(e, EBB_E_MEMORY, "limit");
    assert_near(ebb_item(ebb_sum(small)), 4950, 0);

    int made = 0;
    ebb_scope *s = ebb_begin(e);
    while (made < 1000 && ebb_full(e, EBB_F64, EBB_SHAPE(1 << 14), 1)) made++; /* 128 KiB each */
    assert_in_range(made, 8, 32);
    assert_error(e, EBB_E_MEMORY, "limit");
    assert_true(memory(e).held <= o.memory_limit);
    ebb_end(s);
    for (int i = 0; i < 200; i++) { /* what a scope gave back can be had again */
        s = ebb_begin(e);
        assert_non_null(ebb_full(e, EBB_F64, EBB_SHAPE(1 << 16), 1));
        assert_non_null(ebb_full(e, EBB_F64, EBB_SHAPE((1 << 15) + i), 1));
        ebb_end(s);
    }
    assert_no_error(e);
    ebb_close(e);
}

static void absurd_sizes(void **state) {
    ebb *e = *state;
    assert_null(ebb_tensor_new(e, EBB_F64, EBB_SHAPE(INT64_MAX), NULL));
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
    assert_null(ebb_tensor_new(e, EBB_F64, EBB_SHAPE(INT64_MAX / 4, 8), NULL));
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
    assert_null(ebb_tensor_new(e, EBB_F32, EBB_SHAPE(1LL << 32, 1LL << 32), NULL));
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
    assert_null(ebb_tensor_new(e, EBB_F32, EBB_SHAPE(3, -1), NULL));
    assert_error(e, EBB_E_SHAPE, "-1");
    assert_null(ebb_tensor_new(e, EBB_F32, ((ebb_ints){9, {1, 1, 1, 1, 1, 1, 1, 1}}), NULL));
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
    assert_null(ebb_tensor_new(e, (ebb_dtype)77, EBB_SHAPE(3), NULL));
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
    assert_null(ebb_tensor_new(e, EBB_NONE, EBB_SHAPE(3), NULL));
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
}

/* Whatever is alive when a session closes is freed with it: tensors, parameters, the graph, hooks, optimizers, scopes. */
static ebb_tensor *keep(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(t), UNUSED(g), UNUSED(user);
    return NULL;
}

static void close_frees_all(void **state) {
    UNUSED(state);
    counter c = {0};
    ebb_options o = {.size = sizeof o, .alloc = count_alloc, .free = count_free, .alloc_user = &c};
    ebb *e = ebb_open(&o);
    assert_non_null(e);
    assert_true(c.blocks > 0);
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(8, 8), ebb_kaiming);
    ebb_tensor *x = ebb_randn(e, EBB_F32, EBB_SHAPE(4, 8));
    ebb_retain(x);
    ebb_region_begin(e, "never ended");
    ebb_name(x, "a name that takes memory");
    assert_true(ebb_hook_add(w, keep, NULL) > 0);
    ebb_optim *opt = ebb_optim_new(e, "adamw", "lr=0.1");
    assert_non_null(opt);
    assert_non_null(ebb_begin(e));
    assert_non_null(ebb_begin(e));
    ebb_no_grad_begin(e);
    ebb_tensor *h = ebb_matmul(x, w);
    ebb_no_grad_end(e);
    h = ebb_matmul(x, w);
    assert_int_equal(ebb_backward_with(ebb_sum(ebb_mul(h, h)), NULL, EBB_RETAIN), EBB_OK);
    assert_int_equal(ebb_optim_step(opt), EBB_OK);
    assert_non_null(ebb_grad_of(w));
    assert_non_null(ebb_mul(h, h));
    ebb_fail(e, EBB_E_VALUE, "and in the middle of an error");
    ebb_close(e);
    assert_int_equal(c.blocks, 0);
    assert_int_equal(c.bytes, 0);
}

static void stats(void **state) {
    ebb *e = *state;
    const ebb_memory before = memory(e);
    ebb_scope *s = ebb_begin(e);
    assert_non_null(ebb_full(e, EBB_F64, EBB_SHAPE(1000, 100), 1));
    const ebb_memory with = memory(e);
    assert_true(with.in_use >= before.in_use + 800000);
    assert_true(with.peak >= with.in_use);
    assert_true(with.held >= with.in_use);
    assert_int_equal(with.tensors, before.tensors + 1);
    ebb_end(s);
    const ebb_memory after = memory(e);
    assert_int_equal(after.tensors, before.tensors);
    assert_true(after.in_use < before.in_use + 100000);
    ebb_memory_trim(e);
    assert_true(memory(e).held <= after.held);
    assert_true(memory(e).held < before.held + 400000); /* the big block went back */
}

/* A loop of training steps holds no more memory after 200 steps than after 20. */
static void no_growth(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(6, 6), ebb_xavier);
    ebb_tensor *x = ebb_randn(e, EBB_F64, EBB_SHAPE(5, 6));
    ebb_optim *opt = ebb_optim_new(e, "sgd", "lr=0.01");
    ebb_memory early = {0};
    for (int i = 0; i < 200; i++) {
        ebb_scope *s = ebb_begin(e);
        ebb_tensor *h = ebb_tanh(ebb_matmul(x, w));
        ebb_zero_grad(opt);
        ebb_backward(ebb_sum(ebb_mul(h, h)));
        ebb_optim_step(opt);
        ebb_end(s);
        if (i == 20) early = memory(e);
    }
    assert_no_error(e);
    assert_int_equal(memory(e).held, early.held);
    assert_int_equal(memory(e).in_use, early.in_use);
    assert_int_equal(memory(e).tensors, early.tensors);
    assert_int_equal(memory(e).tape, early.tape);
}

/* ---- scopes -------------------------------------------------------------------------------------------------------- */

static void scopes(void **state) {
    ebb *e = *state;
    const int64_t before = memory(e).tensors;
    ebb_scope *outer = ebb_begin(e);
    ebb_tensor *a = scalar(e, 1);
    ebb_scope *inner = ebb_begin(e);
    ebb_tensor *kept = scalar(e, 2), *escaped = ebb_escape(scalar(e, 3));
    assert_ptr_equal(ebb_retain(kept), kept);
    for (int i = 0; i < 100; i++) assert_non_null(scalar(e, i));
    assert_int_equal(memory(e).tensors, before + 103);
    ebb_end(inner);
    assert_int_equal(memory(e).tensors, before + 3);
    assert_values(a, 1);
    assert_values(kept, 2);
    assert_values(escaped, 3);
    ebb_end(outer);
    assert_int_equal(memory(e).tensors, before + 1); /* what was retained outlives them all */
    assert_values(kept, 2);
    ebb_release(kept);
    assert_int_equal(memory(e).tensors, before);
    assert_no_error(e);
}

static void outer_ends_inner(void **state) {
    ebb *e = *state;
    const int64_t before = memory(e).tensors;
    ebb_scope *outer = ebb_begin(e);
    for (int i = 0; i < 10; i++) {
        assert_non_null(ebb_begin(e));
        assert_non_null(scalar(e, i));
    }
    ebb_end(outer);
    assert_int_equal(memory(e).tensors, before);
    assert_non_null(scalar(e, 1)); /* goes to the session */
    assert_int_equal(memory(e).tensors, before + 1);
}

static void deep_scopes(void **state) {
    ebb *e = *state;
    enum { DEEP = 300 };
    ebb_scope *s[DEEP];
    ebb_tensor *t = scalar(e, 0);
    for (int i = 0; i < DEEP; i++) assert_non_null(s[i] = ebb_begin(e));
    for (int i = 0; i < DEEP; i++) t = ebb_add(t, scalar(e, 1));
    for (int i = DEEP; i--;) {
        t = ebb_escape(t);
        ebb_end(s[i]);
        assert_values(t, DEEP);
    }
}

/* A retained view keeps its elements; the graph of a scope ends with it. */
static void retained_view(void **state) {
    ebb *e = *state;
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *v = ebb_retain(ebb_transpose(range(e, EBB_SHAPE(2, 3)), .dim0 = 0, .dim1 = 1));
    ebb_end(s);
    for (int i = 0; i < 20; i++) assert_non_null(ebb_full(e, EBB_F64, EBB_SHAPE(2, 3), -1));
    assert_values(v, 0, 3, 1, 4, 2, 5);
    ebb_release(v);
}

static void graph_ends_with_scope(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3);
    ebb_scope *s = ebb_begin(e);
    assert_non_null(ebb_sin(ebb_mul(x, x)));
    assert_int_equal(ebb_tape_len(e), 2);
    ebb_end(s);
    assert_int_equal(ebb_tape_len(e), 0);

    s = ebb_begin(e); /* a tensor that outlives the scope takes its graph along */
    ebb_tensor *y = ebb_escape(ebb_mul(x, x));
    ebb_end(s);
    assert_values(y, 9);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(x), 6);

    ebb_tape_clear(e);
    ebb_scope *outer = ebb_begin(e);
    s = ebb_begin(e);
    y = ebb_retain(ebb_mul(x, x));
    ebb_end(s);
    y = ebb_retain(ebb_mul(y, y));
    ebb_grad_set(x, NULL);
    assert_int_equal(ebb_backward(y), EBB_OK); /* x^4 */
    assert_values(ebb_grad_of(x), 108);
    ebb_end(outer);
    assert_int_equal(ebb_tape_len(e), 0);
}

/* ---- options --------------------------------------------------------------------------------------------------------- */

static void options(void **state) {
    UNUSED(state);
    ebb_options o = {.size = sizeof o, .threads = 3, .level = 1, .seed = 7};
    ebb *e = ebb_open(&o), *f = ebb_open(&o);
    assert_non_null(e);
    assert_int_equal(ebb_threads(e), 3);
    assert_int_equal(ebb_level(e), 0);
    ebb_threads_set(e, 2);
    assert_int_equal(ebb_threads(e), 2);
    ebb_threads_set(e, 0);
    assert_true(ebb_threads(e) >= 1);

    ebb_tensor *a = ebb_rand(e, EBB_F64, EBB_SHAPE(64)), *b = ebb_rand(f, EBB_F64, EBB_SHAPE(64));
    assert_memory_equal(ebb_data(a), ebb_data(b), 64 * sizeof(double));
    ebb_seed(f, 8);
    ebb_tensor *c = ebb_rand(f, EBB_F64, EBB_SHAPE(64));
    assert_memory_not_equal(ebb_data(a), ebb_data(c), 64 * sizeof(double));
    ebb_seed(f, 7);
    c = ebb_rand(f, EBB_F64, EBB_SHAPE(64));
    assert_memory_equal(ebb_data(a), ebb_data(c), 64 * sizeof(double));
    double mean = 0;
    for (int i = 0; i < 64; i++) {
        assert_true(ebb_at(a, i) >= 0 && ebb_at(a, i) < 1);
        mean += ebb_at(a, i) / 64;
    }
    assert_near(mean, 0.5, 0.2);
    for (int i = 0; i < 1000; i++) assert_true(ebb_random_below(e, 7) < 7);
    assert_int_equal(ebb_random_below(e, 1), 0);
    ebb_close(e);
    ebb_close(f);
}

static void smaller_options(void **state) { /* a program that was built when ebb_options was shorter */
    UNUSED(state);
    ebb_options o;
    memset(&o, 0xff, sizeof o);
    o.size = offsetof(ebb_options, seed);
    o.threads = 2;
    ebb *e = ebb_open(&o);
    assert_non_null(e);
    assert_int_equal(ebb_threads(e), 2);
    assert_values(ebb_add(scalar(e, 1), scalar(e, 1)), 2);
    ebb_close(e);
}

static void bare(void **state) {
    UNUSED(state);
    ebb_options o = {.size = sizeof o, .bare = true};
    ebb *e = ebb_open(&o);
    assert_non_null(e);
    assert_int_equal(ebb_op_count(e), 0);
    assert_int_equal(ebb_plugin_count(e), 0);
    ebb_tensor *x = ebb_full(e, EBB_F32, EBB_SHAPE(2), 1);
    assert_non_null(x);
    assert_null(ebb_add(x, x));
    assert_error(e, EBB_E_NAME, "add");
    ebb_close(e);
}

static void open_like(void **state) {
    ebb *e = *state;
    ebb *f = ebb_open_like(e, NULL);
    assert_non_null(f);
    assert_int_equal(ebb_op_count(f), ebb_op_count(e));
    assert_int_equal(ebb_plugin_count(f), ebb_plugin_count(e));
    ebb_fail(e, EBB_E_VALUE, "only here");
    assert_false(ebb_failed(f));
    ebb_error_clear(e);
    ebb_close(f);
    assert_values(ebb_add(scalar(e, 1), scalar(e, 1)), 2);
}

static void two_sessions(void **state) { /* tensors of different sessions do not mix */
    ebb *e = *state, *f = ebb_open(NULL);
    ebb_tensor *a = scalar(e, 1), *b = scalar(f, 2);
    assert_ptr_equal(ebb_tensor_session(a), e);
    assert_ptr_equal(ebb_tensor_session(b), f);
    assert_null(ebb_add(a, b));
    assert_error(e, EBB_E_ARG, "session");
    assert_false(ebb_failed(f));
    ebb_close(f);
}

static void parameters(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "layer.w", EBB_F32, EBB_SHAPE(3, 4), ebb_ones);
    assert_non_null(w);
    assert_true(ebb_is_leaf(w));
    assert_true(ebb_needs_grad(w));
    assert_string_equal(ebb_name_of(w), "layer.w");
    assert_int_equal(ebb_param_count(e), 1);
    assert_ptr_equal(ebb_param_at(e, 0), w);
    assert_ptr_equal(ebb_param_find(e, "layer.w"), w);
    assert_null(ebb_param_find(e, "layer.b"));
    assert_null(ebb_param_at(e, 1));
    assert_no_error(e);
    assert_near(ebb_at(w, 11), 1, 0);
    assert_null(ebb_param(e, "layer.w", EBB_F32, EBB_SHAPE(2), NULL));
    assert_error(e, EBB_E_NAME, "layer.w");
    assert_null(ebb_param(e, "n", EBB_I64, EBB_SHAPE(2), NULL));
    assert_error(e, EBB_E_DTYPE, "i64");
    assert_int_equal(ebb_param_count(e), 1);

    ebb_scope *s = ebb_begin(e); /* not a temporary */
    ebb_tensor *b = ebb_param(e, "layer.b", EBB_F64, EBB_SHAPE(4), NULL);
    ebb_end(s);
    assert_values(b, 0, 0, 0, 0);

    ebb_tensor *k = ebb_param(e, "k", EBB_F64, EBB_SHAPE(50, 24), ebb_kaiming);
    double top = 0;
    for (int64_t i = 0; i < ebb_numel(k); i++) top = fmax(top, fabs(ebb_at(k, i)));
    assert_true(top <= sqrt(6.0 / 24) && top > 0.9 * sqrt(6.0 / 24));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(first_error_wins),
        SESSION_TEST(null_in_null_out),
        SESSION_TEST(sticky),
        SESSION_TEST(usable_afterwards),
        SESSION_TEST(long_message),
        cmocka_unit_test(status_names),
        cmocka_unit_test(memory_limit),
        SESSION_TEST(absurd_sizes),
        cmocka_unit_test(close_frees_all),
        SESSION_TEST(stats),
        SESSION_TEST(no_growth),
        SESSION_TEST(scopes),
        SESSION_TEST(outer_ends_inner),
        SESSION_TEST(deep_scopes),
        SESSION_TEST(retained_view),
        SESSION_TEST(graph_ends_with_scope),
        cmocka_unit_test(options),
        cmocka_unit_test(smaller_options),
        cmocka_unit_test(bare),
        SESSION_TEST(open_like),
        SESSION_TEST(two_sessions),
        SESSION_TEST(parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
