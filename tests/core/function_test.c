/* function_test.c - checkpointed regions, functions with a derivative of their own, tensors shared between sessions. */
#include "../test.h"
#include <ebb/op.h>
#undef fail
#include <pthread.h>

#define NUMBERS(e, ...)                                                                                      \
    ebb_tensor_new(e, EBB_F64, EBB_SHAPE(COUNT(((double[]){__VA_ARGS__}))), (double[]){__VA_ARGS__})

static ebb_tensor *needs(ebb_tensor *t) {
    assert_int_equal(ebb_requires_grad(t, true), EBB_OK);
    return t;
}

/* ---- checkpoint ------------------------------------------------------------------------------------------------------ */

typedef struct block {
    ebb_tensor *w;
    int layers, runs;
    bool deeper;
} block;

static ebb_status layers(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    UNUSED(n_x), UNUSED(n_y);
    block *b = user;
    b->runs++;
    ebb_tensor *h = x[0];
    for (int i = 0; i < b->layers; i++) h = ebb_tanh(ebb_mul(h, b->w));
    if (b->deeper) {
        block inner = {b->w, b->layers, 0, false};
        static block kept[8]; /* must live until backward */
        static int used;
        kept[used % 8] = inner;
        ebb_tensor *out = NULL;
        if (ebb_checkpoint(e, layers, &kept[used++ % 8], 1, &h, 1, &out) != EBB_OK) return ebb_error_code(e);
        h = out;
    }
    y[0] = h;
    return ebb_error_code(e);
}

static void checkpoint_gives_the_same_gradients(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 0.5, 1.5)), *x = needs(NUMBERS(e, 0.3, -0.2)), *plain[2], *again[2],
               *wrt[] = {w, x}, *y = NULL;
    block b = {w, 5, 0, false};
    assert_int_equal(layers(e, &b, 1, &x, 1, &y), EBB_OK);
    ebb_tensor *s = ebb_sum(ebb_square(y));
    assert_int_equal(ebb_grad(e, 1, &s, NULL, 2, wrt, 0, plain), EBB_OK);
    b.runs = 0;
    assert_int_equal(ebb_checkpoint(e, layers, &b, 1, &x, 1, &y), EBB_OK);
    s = ebb_sum(ebb_square(y));
    assert_int_equal(b.runs, 1);
    assert_int_equal(ebb_grad(e, 1, &s, NULL, 2, wrt, EBB_RETAIN, again), EBB_OK);
    assert_int_equal(b.runs, 2);
    for (int i = 0; i < 2; i++) assert_values(again[i], ebb_at(plain[i], 0), ebb_at(plain[i], 1));
    assert_int_equal(ebb_backward(s), EBB_OK); /* into .grad, of what it uses from outside too */
    assert_values(ebb_grad_of(w), ebb_at(plain[0], 0), ebb_at(plain[0], 1));
    assert_values(ebb_grad_of(x), ebb_at(plain[1], 0), ebb_at(plain[1], 1));
}

static void checkpoints_nest_and_differentiate_twice(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 0.9)), *x = needs(NUMBERS(e, 0.4)), *y = NULL, *g = NULL, *gg[2],
               *wrt[] = {x, w};
    double want[3] = {0};
    for (int pass = 0; pass < 2; pass++) {
        block b = {w, 2, 0, true};
        if (pass) assert_int_equal(ebb_checkpoint(e, layers, &b, 1, &x, 1, &y), EBB_OK);
        else {
            block flat = {w, 4, 0, false};
            assert_int_equal(layers(e, &flat, 1, &x, 1, &y), EBB_OK);
        }
        ebb_tensor *s = ebb_sum(y);
        assert_int_equal(ebb_grad(e, 1, &s, NULL, 1, &x, EBB_CREATE_GRAPH, &g), EBB_OK);
        ebb_tensor *gs = ebb_sum(g);
        assert_int_equal(ebb_grad(e, 1, &gs, NULL, 2, wrt, 0, gg), EBB_OK);
        const double got[] = {ebb_at(g, 0), ebb_at(gg[0], 0), ebb_at(gg[1], 0)};
        for (int i = 0; i < 3; i++)
            if (pass) assert_near(got[i], want[i], 1e-12);
            else want[i] = got[i];
    }
}

/* A chain of blocks: what its insides save is there for one block at a time. */
static size_t peak_of(bool checkpointed) {
    ebb *e = ebb_open(NULL);
    ebb_tensor *w = needs(ebb_full(e, EBB_F32, EBB_SHAPE(100000), 0.5)),
               *h = ebb_rand(e, EBB_F32, EBB_SHAPE(100000));
    block b = {w, 10, 0, false};
    ebb_scope *s = ebb_begin(e);
    for (int i = 0; i < 8; i++) {
        ebb_tensor *y = NULL;
        assert_int_equal(
            (checkpointed ? ebb_checkpoint(e, layers, &b, 1, &h, 1, &y) : layers(e, &b, 1, &h, 1, &y)), EBB_OK);
        h = y;
    }
    assert_int_equal(ebb_backward(ebb_sum(h)), EBB_OK);
    ebb_memory m;
    ebb_memory_stats(e, &m);
    ebb_end(s);
    ebb_close(e);
    return m.peak;
}

static void checkpoint_needs_less_memory(void **state) {
    UNUSED(state);
    const size_t all = peak_of(false), some = peak_of(true);
    /* 160 tensors of 400 kB against about 20 and the 8 between the blocks */
    if (some * 3 > all) {
        print_error("the peak is %zu bytes with checkpoints, %zu without\n", some, all);
        assert_true(false);
    }
}

typedef struct noisy {
    double first;
    int runs;
} noisy;

static ebb_status drops(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    UNUSED(n_x), UNUSED(n_y);
    noisy *n = user;
    ebb_tensor *mask = NULL;
    const ebb_tensor *r = mask = ebb_rand(e, EBB_F64, EBB_SHAPE(4));
    if (n->runs++ == 0) n->first = ebb_at(r, 2);
    else assert_true(ebb_at(r, 2) == n->first);
    y[0] = ebb_mul(x[0], mask);
    return ebb_error_code(e);
}

static void checkpoint_draws_the_same_numbers_again(void **state) {
    ebb *e = *state;
    ebb_tensor *x = needs(NUMBERS(e, 1, 1, 1, 1)), *y = NULL;
    noisy n = {0};
    ebb_rand(e, EBB_F64, EBB_SHAPE(3));
    assert_int_equal(ebb_checkpoint(e, drops, &n, 1, &x, 1, &y), EBB_OK);
    const double next = ebb_at(ebb_rand(e, EBB_F64, EBB_SHAPE(1)), 0);
    assert_true(next != n.first);
    assert_int_equal(ebb_backward(ebb_sum(y)), EBB_OK);
    assert_int_equal(n.runs, 2);
    assert_values(ebb_grad_of(x), ebb_at(y, 0), ebb_at(y, 1), ebb_at(y, 2), ebb_at(y, 3));
}

static ebb_status grows(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    UNUSED(n_x), UNUSED(n_y);
    int *n = user;
    y[0] = ebb_expand(ebb_exp(x[0]), .size = EBB_SHAPE(++*n));
    return ebb_error_code(e);
}

static ebb_status empty(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    UNUSED(e), UNUSED(user), UNUSED(n_x), UNUSED(x), UNUSED(n_y), UNUSED(y);
    return EBB_OK;
}

static ebb_status same(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    UNUSED(user), UNUSED(n_x), UNUSED(n_y);
    y[0] = x[0];
    y[1] = ebb_exp(x[0]);
    return ebb_error_code(e);
}

static void what_a_checkpoint_cannot_do_is_said(void **state) {
    ebb *e = *state;
    ebb_tensor *x = needs(NUMBERS(e, 1)), *w = needs(NUMBERS(e, 2)), *y[2] = {NULL};
    int n = 0;
    assert_int_equal(ebb_checkpoint(e, grows, &n, 1, &x, 1, y), EBB_OK);
    assert_int_equal(ebb_backward(ebb_sum(y[0])), EBB_E_GRAPH);
    assert_error(e, EBB_E_GRAPH, "checkpoint|run again|[2]|[1]");
    assert_int_equal(ebb_checkpoint(e, empty, NULL, 1, &x, 1, y), EBB_E_KERNEL);
    assert_error(e, EBB_E_KERNEL, "checkpoint|output 0 NULL");
    assert_int_equal(ebb_checkpoint(e, NULL, NULL, 1, &x, 1, y), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "checkpoint|NULL");
    block b = {w, 2, 0, false};
    assert_int_equal(ebb_checkpoint(e, layers, &b, 1, &x, 1, y), EBB_OK);
    ebb_tensor *loss = ebb_sum(y[0]);
    ebb_no_grad_begin(e);
    ebb_mul_(w, scalar(e, 2)); /* what it uses from outside has changed since */
    ebb_no_grad_end(e);
    assert_int_equal(ebb_backward(loss), EBB_E_CHANGED);
    assert_error(e, EBB_E_CHANGED, "checkpoint|from outside|mul_");
    assert_int_equal(ebb_checkpoint(e, same, NULL, 1, &x, 2, y), EBB_OK); /* an input as an output */
    assert_int_equal(ebb_backward(ebb_sum(ebb_mul(y[0], y[1]))), EBB_OK);
    assert_values(ebb_grad_of(x), 2 * exp(1));
    ebb_no_grad_begin(e);
    assert_int_equal(ebb_checkpoint(e, same, NULL, 1, &x, 2, y), EBB_OK);
    ebb_no_grad_end(e);
    assert_false(ebb_needs_grad(y[1]));
}

/* ---- functions with a derivative of their own --------------------------------------------------------------------------- */

/* log(1 + e^x), whose derivative is written so that it does not overflow */
static ebb_status soft_fwd(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    UNUSED(user), UNUSED(n_x), UNUSED(n_y);
    y[0] = ebb_log1p(ebb_exp(x[0]));
    return ebb_error_code(e);
}
static ebb_status soft_vjp(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor *const *y,
                           ebb_tensor *const *g, ebb_tensor **dx) {
    UNUSED(n_x), UNUSED(n_y), UNUSED(y);
    dx[0] = ebb_mul_scalar(ebb_mul(g[0], ebb_sigmoid(x[0])), *(const double *)user);
    return ebb_error_code(e);
}

static void a_function_with_its_own_derivative(void **state) {
    ebb *e = *state;
    double one = 1, wrong = 1.01;
    ebb_tensor *x = needs(NUMBERS(e, 0, 100)), *y = NULL, *g = NULL, *gg = NULL;
    ebb_function *f = ebb_function_new(e, "soft", soft_fwd, soft_vjp, &one);
    assert_non_null(f);
    assert_int_equal(ebb_function_call(f, 1, &x, 1, &y), EBB_OK);
    ebb_tensor *s = ebb_sum(y);
    assert_int_equal(ebb_grad(e, 1, &s, NULL, 1, &x, EBB_CREATE_GRAPH, &g), EBB_OK);
    assert_values(g, 0.5, 1);
    ebb_tensor *gs = ebb_sum(g);
    assert_int_equal(ebb_grad(e, 1, &gs, NULL, 1, &x, 0, &gg), EBB_OK);
    assert_near(ebb_at(gg, 0), 0.25, 1e-15);
    ebb_tensor *at = needs(NUMBERS(e, 0.3, -1.2));
    const ebb_gradcheck_options o = {.size = sizeof o, .second = true};
    assert_int_equal(ebb_function_check(f, 1, &at, 1, &o), EBB_OK);
    ebb_function *bad = ebb_function_new(e, "bad", soft_fwd, soft_vjp, &wrong);
    assert_int_equal(ebb_function_check(bad, 1, &at, 1, NULL), EBB_E_VERIFY);
    assert_error(e, EBB_E_VERIFY, "gradient of input 0 is wrong|by differences");
}

static ebb_status fails_vjp(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor *const *y,
                            ebb_tensor *const *g, ebb_tensor **dx) {
    UNUSED(n_x), UNUSED(n_y), UNUSED(y), UNUSED(x), UNUSED(e);
    if (*(int *)user == 1) return EBB_E_VALUE;
    dx[0] = *(int *)user == 2 ? ebb_reshape(g[0], .shape = EBB_SHAPE(2, 1)) : NULL;
    return EBB_OK;
}

static void a_derivative_that_fails_is_named(void **state) {
    ebb *e = *state;
    int how = 1;
    ebb_tensor *x = needs(NUMBERS(e, 1, 2)), *y = NULL;
    ebb_function *f = ebb_function_new(e, "fragile", soft_fwd, fails_vjp, &how);
    ebb_region_begin(e, "block");
    assert_int_equal(ebb_function_call(f, 1, &x, 1, &y), EBB_OK);
    ebb_region_end(e);
    ebb_tensor *s = ebb_sum(y);
    assert_int_equal(ebb_backward_with(s, NULL, EBB_RETAIN), EBB_E_VALUE);
    assert_error(e, EBB_E_VALUE, "fragile|block");
    how = 2;
    assert_int_equal(ebb_backward_with(s, NULL, EBB_RETAIN), EBB_E_KERNEL);
    assert_error(e, EBB_E_KERNEL, "fragile|[2,1]|[2]");
    how = 3; /* NULL is zero */
    assert_int_equal(ebb_backward_with(s, NULL, EBB_RETAIN), EBB_OK);
    assert_null(ebb_grad_of(x));
    assert_null(ebb_function_new(e, "no name", soft_fwd, soft_vjp, NULL));
    assert_error(e, EBB_E_ARG, "identifier");
}

/* ---- anomaly mode ---------------------------------------------------------------------------------------------------------- */

static void anomaly_names_the_forward_op(void **state) {
    ebb *e = *state;
    ebb_tensor *x = needs(NUMBERS(e, 0, 4));
    ebb_region_begin(e, "norm");
    ebb_tensor *y = ebb_sum(ebb_mul_scalar(ebb_sqrt(ebb_mul_scalar(x, 1)), 0)); /* 0 * inf */
    ebb_region_end(e);
    assert_int_equal(ebb_backward_with(y, NULL, EBB_RETAIN), EBB_OK); /* goes through: NaN */
    assert_true(isnan(ebb_at(ebb_grad_of(x), 0)));
    ebb_anomaly(e, true);
    assert_int_equal(ebb_backward_with(y, NULL, EBB_RETAIN), EBB_E_VALUE);
    assert_error(e, EBB_E_VALUE, "sqrt|first NaN|forward op|f64[2]|norm");
    ebb_anomaly(e, false);
    assert_int_equal(ebb_backward(y), EBB_OK);
}

/* ---- sharing ------------------------------------------------------------------------------------------------------------------ */

typedef struct worker {
    const ebb_tensor *w;
    double loss, grad;
} worker;

static void *works(void *of) {
    worker *k = of;
    const ebb_options o = {.size = sizeof o, .threads = 1};
    ebb *e = ebb_open(&o);
    ebb_tensor *w = ebb_share(e, k->w);
    ebb_requires_grad(w, true);
    for (int i = 0; i < 20; i++) {
        ebb_scope *s = ebb_begin(e);
        ebb_tensor *loss = ebb_sum(ebb_square(ebb_matmul(w, w)));
        ebb_grad_set(w, NULL);
        if (ebb_backward(loss) == EBB_OK) {
            k->loss = ebb_item(loss);
            k->grad = ebb_at(ebb_grad_of(w), 7);
        }
        ebb_end(s);
    }
    ebb_close(e);
    return NULL;
}

static void sessions_in_threads_share_parameters(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(30, 30), ebb_kaiming);
    worker k[4];
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
        k[i] = (worker){w, 0, 0};
        assert_int_equal(pthread_create(&t[i], NULL, works, &k[i]), 0);
    }
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    assert_int_equal(ebb_backward(ebb_sum(ebb_square(ebb_matmul(w, w)))), EBB_OK);
    for (int i = 0; i < 4; i++) {
        assert_true(k[i].loss > 0 && k[i].loss == k[0].loss);
        assert_true(k[i].grad == ebb_at(ebb_grad_of(w), 7));
    }
}

static void a_shared_tensor_is_only_read(void **state) {
    ebb *e = *state, *other = ebb_open(NULL);
    ebb_tensor *w = NUMBERS(e, 1, 2), *s = ebb_share(other, w);
    assert_values(s, 1, 2);
    assert_null(ebb_data_mut(s));
    assert_null(ebb_mul_(s, scalar(other, 2)));
    assert_error(other, EBB_E_CHANGED, "shared with another session");
    assert_null(ebb_mul_(ebb_slice(s, .start = 1), scalar(other, 2)));
    assert_error(other, EBB_E_CHANGED, "shared with another session");
    assert_int_equal(ebb_ones(s), EBB_E_CHANGED);
    assert_error(other, EBB_E_CHANGED, "shared");
    assert_null(ebb_add(s, w)); /* w itself belongs to the other one */
    ebb_error_clear(other);
    ebb_error_clear(e);
    assert_null(ebb_share(other, ebb_slice(NUMBERS(e, 1, 2, 3), .step = 2)));
    assert_error(other, EBB_E_ARG, "ebb_share|contiguous");
    ebb_tensor *leaf_ = needs(ebb_share(other, w)), *list[] = {leaf_};
    assert_null(ebb_optim_over(other, "sgd", "lr=0.1", 1, list));
    assert_error(other, EBB_E_CHANGED, "shared with another session");
    assert_values(w, 1, 2);
    ebb_close(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(checkpoint_gives_the_same_gradients),
        SESSION_TEST(checkpoints_nest_and_differentiate_twice),
        SESSION_TEST(checkpoint_needs_less_memory),
        SESSION_TEST(checkpoint_draws_the_same_numbers_again),
        SESSION_TEST(what_a_checkpoint_cannot_do_is_said),
        SESSION_TEST(a_function_with_its_own_derivative),
        SESSION_TEST(a_derivative_that_fails_is_named),
        SESSION_TEST(anomaly_names_the_forward_op),
        SESSION_TEST(sessions_in_threads_share_parameters),
        SESSION_TEST(a_shared_tensor_is_only_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
