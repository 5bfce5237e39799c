/* declared_test.c - declarations at the edge of what a plugin may bring, each registered here and used. */
#include "../test.h"
#include <ebb/plugin.h>
#include <registry.h>
#undef fail /* cmocka's; a kernel says l->fail */

/* ---- ops ------------------------------------------------------------------------------------------------------------ */

EBB_KERNEL(
    positive_fwd, T *q = (T *)l->p[1]; for (int64_t i = 0; i < l->n; i++) {
        const T x = ((const T *)l->p[0])[i * l->step[0]];
        if (x < 0) return l->fail(l, EBB_E_INDEX, "element %d is negative", (int)i);
        q[i * l->step[1]] = x;
    })
EBB_OP(decl_positive, .sig = "()->()", .math = "y = x, where x >= 0", .fwd = positive_fwd,
    .domain = EBB_DOMAIN({0.5, 2}), .doc = "x, which must not be negative."
);

EBB_KERNEL(
    mute_fwd, T *q = (T *)l->p[1]; for (int64_t i = 0; i < l->n; i++) {
        const T x = ((const T *)l->p[0])[i * l->step[0]];
        if (x < 0) return EBB_E_VALUE;
        q[i * l->step[1]] = x;
    })
EBB_OP(decl_mute, .sig = "()->()", .math = "y = x, where x >= 0", .fwd = mute_fwd, .domain = EBB_DOMAIN({0.5, 2}),
    .doc = "x, which must not be negative; it says nothing more."
);

EBB_MAP1(cube_fwd, x * x * x)
static ebb_tensor *cube_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0];
    return ebb_mul(g, ebb_mul_scalar(ebb_square(x), 3));
}
EBB_OP(decl_cube_once, .sig = "()->()", .math = "y = x^3;  dx = 3*g*x^2", .fwd = cube_fwd,
    .vjp = EBB_VJP({cube_dx, EBB_X(0)}), .flags = EBB_ONCE, .doc = "A cube that is differentiated once only."
);

EBB_KERNEL(
    sum9_fwd, T *q = (T *)l->p[9]; for (int64_t i = 0; i < l->n; i++) {
        T s = 0;
        for (int j = 0; j < 9; j++) s += (T)(j + 1) * ((const T *)l->p[j])[i * l->step[j]];
        q[i * l->step[9]] = s;
    })
EBB_OP(decl_sum9, .sig = "(),(),(),(),(),(),(),(),()->()", .math = "y = x0 + 2*x1 + ... + 9*x8", .fwd = sum9_fwd,
    .doc = "A sum of nine."
);

EBB_KERNEL(
    copies_fwd, for (int j = 1; j <= 8; j++) {
        T *q = (T *)l->p[j];
        for (int64_t i = 0; i < l->n; i++) q[i * l->step[j]] = (T)j * ((const T *)l->p[0])[i * l->step[0]];
    })
EBB_OP(decl_copies, .sig = "()->(),(),(),(),(),(),(),()", .math = "y_j = (j + 1)*x", .fwd = copies_fwd,
    .doc = "As many outputs as there can be."
);

/* Eight core dims, fourteen inputs: the signature that the engine makes for the pull is the longest there is. */
#define ALL "(a,b,c,d,e,f,g,h)"
EBB_KERNEL(
    long_fwd, int64_t n = 1; for (int d = 0; d < 8; d++) n *= l->dim[d]; const int last = l->n_args - 1;
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        T *y = (T *)l->p[last] + r * l->step[last];
        for (int64_t i = 0; i < n; i++) y[i] = x[i];
    })
static ebb_tensor *long_dx(const ebb_call *c, ebb_tensor *g) {
    UNUSED(c);
    return g;
}
EBB_OP(decl_long,
    .sig = ALL "," ALL "," ALL "," ALL "," ALL "," ALL "," ALL "," ALL "," ALL "," ALL "," ALL "," ALL "," ALL "," ALL
               "->" ALL,
    .math = "y = x0", .fwd = long_fwd, .vjp = EBB_VJP({long_dx, 0x3fff}), .pull = EBB_PULL({0, long_fwd, 0x3fff}),
    .doc = "The first of fourteen."
);

static ebb_status outside_view(ebb_infer *s) {
    s->y[0].ndim = 1;
    s->y[0].shape[0] = s->x[0].numel;
    s->y[0].stride[0] = 2; /* reaches twice as far as there is */
    return EBB_OK;
}
EBB_OP(decl_outside, .sig = "input()->()", .view = outside_view, .math = "y_i = x_2i", .doc = "A view that is too long.");

static ebb_status before_view(ebb_infer *s) {
    s->y[0].ndim = 0;
    s->offset = -1;
    return EBB_OK;
}
EBB_OP(decl_before, .sig = "input()->()", .view = before_view, .math = "y = x_-1", .doc = "A view that begins too early.");

/* ---- probes ---------------------------------------------------------------------------------------------------------- */

static int heard, ended, other_heard, leaf_grads;

static ebb_status hear_once(ebb *e, const ebb_event *ev, const void *attrs, void *state) {
    UNUSED(ev), UNUSED(attrs);
    heard++;
    const ebb_status r = ebb_probe_off(e, "decl_once");
    *(double *)state += 1; /* its state is there until it returns */
    return r;
}
static void hear_once_off(ebb *e, void *state) {
    UNUSED(e), UNUSED(state);
    ended++;
}
static ebb_status hear_all(ebb *e, const ebb_event *ev, const void *attrs, void *state) {
    UNUSED(e), UNUSED(ev), UNUSED(attrs), UNUSED(state);
    other_heard++;
    return EBB_OK;
}
static ebb_status stop_at_second(ebb *e, const ebb_event *ev, const void *attrs, void *state) {
    UNUSED(ev), UNUSED(attrs), UNUSED(state);
    return ++leaf_grads == 2 ? ebb_fail(e, EBB_E_VALUE, "stop at the second leaf") : EBB_OK;
}
static const ebb_probe_decl once = {.size = sizeof once,
                                    .name = "decl_once",
                                    .doc = "Switches itself off.",
                                    .state_size = sizeof(double),
                                    .events = 1u << EBB_EV_OP,
                                    .on = hear_once,
                                    .off = hear_once_off};
static const ebb_probe_decl all = {
    .size = sizeof all, .name = "decl_all", .doc = "Counts.", .events = 1u << EBB_EV_OP, .on = hear_all};
static const ebb_probe_decl second = {.size = sizeof second,
                                      .name = "decl_second",
                                      .doc = "Stops at the second leaf.",
                                      .events = 1u << EBB_EV_LEAF_GRAD,
                                      .on = stop_at_second};

EBB_PLUGIN_OF(declared_test,
    .ops = EBB_LIST(ebb_op, &ebb_op_decl_positive, &ebb_op_decl_mute, &ebb_op_decl_cube_once, &ebb_op_decl_sum9,
        &ebb_op_decl_copies, &ebb_op_decl_long, &ebb_op_decl_outside, &ebb_op_decl_before),
    .probes = EBB_LIST(ebb_probe_decl, &once, &all, &second));

static int declared_open(void **state) {
    heard = ended = other_heard = leaf_grads = 0;
    return session_open(state) || ebb__register(*state, &ebb_plugin_entry, "the test") != EBB_OK ? -1 : 0;
}
#define DECLARED_TEST(f) cmocka_unit_test_setup_teardown(f, declared_open, session_close)

static ebb_tensor *call1(ebb *e, const char *op, ebb_tensor *x) {
    ebb_tensor *y = NULL;
    ebb_call_named(e, op, 1, &x, NULL, 1, &y);
    return y;
}

/* ---- tests ----------------------------------------------------------------------------------------------------------- */

/* Contiguous (the short way), strided, and with threads: the kernel's own words each time. */
static void words_of_a_kernel_that_fails(void **state) {
    ebb *e = *state;
    ebb_tensor *good = ebb_full(e, EBB_F64, EBB_SHAPE(3), 2), *x = range(e, EBB_SHAPE(4));
    assert_values(call1(e, "decl_positive", good), 2, 2, 2);
    ebb_tensor *bad = ebb_sub(ebb_full(e, EBB_F64, EBB_SHAPE(4), 2), x); /* 2 1 0 -1 */
    ebb_tensor *const all_bad[] = {bad, ebb_to(bad, EBB_F32)};
    for (size_t i = 0; i < COUNT(all_bad); i++) {
        assert_null(call1(e, "decl_positive", all_bad[i]));
        assert_error(e, EBB_E_INDEX, "decl_positive|element 3 is negative");
        assert_null(call1(e, "decl_positive", ebb_slice(all_bad[i], .start = 1, .step = 2)));
        assert_error(e, EBB_E_INDEX, "decl_positive|element 1 is negative");
    }
    assert_null(call1(e, "decl_positive", scalar(e, -1)));
    assert_error(e, EBB_E_INDEX, "decl_positive|element 0 is negative");
    assert_null(call1(e, "decl_mute", bad)); /* no words: the engine's */
    assert_true(ebb_failed(e));
    assert_words(ebb_error(e), "decl_mute|kernel");
    ebb_error_clear(e);
    assert_values(call1(e, "decl_positive", good), 2, 2, 2);
}

static void once_means_once(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 2), *y = call1(e, "decl_cube_once", x), *g = x;
    assert_values(y, 8);
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 1, &x, EBB_CREATE_GRAPH, &g), EBB_E_GRAPH);
    assert_error(e, EBB_E_GRAPH, "decl_cube_once|once|EBB_CREATE_GRAPH");
    assert_null(g);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(x), 12);
}

static void report(void *user, const ebb_check *c) {
    if (!c->passed && !c->skipped) print_error("%s %s: %s\n", c->op, c->check, c->message);
    ++*(int *)user;
}

static void once_passes_the_verifier(void **state) {
    ebb *e = *state;
    int checks = 0;
    const ebb_verify_options o = {.size = sizeof o, .report = report, .user = &checks};
    assert_int_equal(ebb_verify(e, "decl_cube_once", &o), EBB_OK);
    assert_true(checks > 5);
    assert_no_error(e);
}

static void nine_inputs(void **state) {
    ebb *e = *state;
    ebb_tensor *x[9], *y = NULL;
    for (int shape = 0; shape < 2; shape++) {
        for (int i = 0; i < 9; i++) x[i] = ebb_full(e, EBB_F64, shape ? EBB_SHAPE(2) : EBB_SHAPE0, i + 1);
        assert_int_equal(ebb_call_named(e, "decl_sum9", 9, x, NULL, 1, &y), 1);
        if (shape) assert_values(y, 285, 285);
        else assert_values(y, 285);
    }
}

static void eight_outputs(void **state) {
    ebb *e = *state;
    ebb_tensor *x = ebb_full(e, EBB_F64, EBB_SHAPE(2), 3), *y[8];
    assert_int_equal(ebb_call_named(e, "decl_copies", 1, &x, NULL, 8, y), 8);
    for (int j = 0; j < 8; j++) assert_values(y[j], 3. * (j + 1), 3. * (j + 1));
}

static void the_longest_pull(void **state) {
    ebb *e = *state;
    ebb_tensor *x[14], *y = NULL;
    for (int i = 0; i < 14; i++) x[i] = range(e, EBB_SHAPE(1, 2, 1, 1, 1, 1, 1, 2));
    assert_int_equal(ebb_requires_grad(x[0], true), EBB_OK);
    assert_int_equal(ebb_call_named(e, "decl_long", 14, x, NULL, 1, &y), 1);
    assert_values(y, 0, 1, 2, 3);
    assert_int_equal(ebb_backward(ebb_sum(ebb_square(y))), EBB_OK);
    assert_values(ebb_grad_of(x[0]), 0, 2, 4, 6);
}

static void views_outside_the_storage(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range(e, EBB_SHAPE(4)), *half = ebb_slice(x, .start = 0, .end = 2);
    assert_null(call1(e, "decl_outside", x));
    assert_error(e, EBB_E_KERNEL, "decl_outside|outside|4 elements");
    assert_values(call1(e, "decl_outside", half), 0, 2); /* outside the view it is of, inside the storage */
    assert_null(call1(e, "decl_before", x));
    assert_error(e, EBB_E_KERNEL, "decl_before|outside");
    assert_values(call1(e, "decl_before", ebb_slice(x, .start = 2)), 1);
}

static void probe_that_switches_itself_off(void **state) {
    ebb *e = *state;
    ebb_tensor *x = scalar(e, 3);
    for (int order = 0; order < 2; order++) { /* whichever of the two hears it first */
        heard = ended = other_heard = 0;
        assert_int_equal(ebb_probe_on(e, order ? "decl_all" : "decl_once", NULL), EBB_OK);
        assert_int_equal(ebb_probe_on(e, order ? "decl_once" : "decl_all", NULL), EBB_OK);
        assert_values(ebb_square(x), 9);
        assert_values(ebb_square(x), 9);
        assert_int_equal(heard, 1);
        assert_int_equal(ended, 1);
        assert_int_equal(other_heard, 2);
        assert_int_equal(ebb_probe_off(e, "decl_once"), EBB_E_NAME);
        assert_error(e, EBB_E_NAME, "decl_once");
        assert_int_equal(ebb_probe_on(e, "decl_once", NULL), EBB_OK); /* and on again */
        assert_values(ebb_square(x), 9);
        assert_int_equal(heard, 2);
        assert_int_equal(ebb_probe_off(e, "decl_all"), EBB_OK);
    }
    assert_no_error(e);
}

static void probe_that_stops_leaves_no_gradient(void **state) {
    ebb *e = *state;
    ebb_tensor *w = leaf(e, 3), *v = leaf(e, 2);
    assert_int_equal(ebb_probe_on(e, "decl_second", NULL), EBB_OK);
    assert_int_equal(ebb_backward(ebb_mul(w, v)), EBB_E_VALUE);
    assert_error(e, EBB_E_VALUE, "second leaf");
    assert_null(ebb_grad_of(w)); /* all leaves or none */
    assert_null(ebb_grad_of(v));
    assert_int_equal(ebb_probe_off(e, "decl_second"), EBB_OK);
    assert_int_equal(ebb_backward(ebb_mul(w, v)), EBB_OK);
    assert_values(ebb_grad_of(w), 2);
    assert_values(ebb_grad_of(v), 3);
}

/* An entry that ends before the last lists, at the very end of its memory; the copy of it dies with its session. */
static void entry_of_an_older_plugin(void **state) {
    ebb *e = *state;
    const uint32_t size = offsetof(ebb_plugin, formats);
    ebb_plugin entry = {.size = size,
                        .pointer_bits = 8 * sizeof(void *),
                        .abi_major = EBB_ABI_MAJOR,
                        .name = "older",
                        .ops = EBB_LIST(ebb_op, &ebb_op_decl_positive)};
    memcpy(entry.magic, EBB_PLUGIN_MAGIC, sizeof entry.magic);
    void *part = malloc(size);
    assert_non_null(part);
    memcpy(part, &entry, size);
    ebb *first = ebb_open(NULL);
    assert_int_equal(ebb__register(first, part, "the test"), EBB_OK);
    ebb *like = ebb_open_like(first, NULL);
    assert_non_null(like);
    ebb_close(first);
    assert_string_equal(ebb_plugin_at(like, ebb_plugin_count(like) - 1)->name, "older");
    assert_null(ebb_plugin_at(like, ebb_plugin_count(like) - 1)->formats);
    assert_values(call1(like, "decl_positive", scalar(like, 2)), 2);
    assert_int_equal(ebb_save(like, "/nowhere/x.nothing") == EBB_OK, false); /* looks through all formats */
    ebb_error_clear(like);
    ebb_close(like);
    free(part);
    assert_no_error(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DECLARED_TEST(words_of_a_kernel_that_fails),
        DECLARED_TEST(once_means_once),
        DECLARED_TEST(once_passes_the_verifier),
        DECLARED_TEST(nine_inputs),
        DECLARED_TEST(eight_outputs),
        DECLARED_TEST(the_longest_pull),
        DECLARED_TEST(views_outside_the_storage),
        DECLARED_TEST(probe_that_switches_itself_off),
        DECLARED_TEST(probe_that_stops_leaves_no_gradient),
        SESSION_TEST(entry_of_an_older_plugin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
