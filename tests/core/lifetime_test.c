/* lifetime_test.c - scopes, kept graphs, hooks and regions that end in odd ways; loops that must not grow. */
#include "../test.h"

static ebb_tensor *mul_scalar(ebb_tensor *x, double k) { return ebb_mul(x, ebb_scalar(x, k)); }
static ebb_tensor *pair(ebb *e) { return ebb_tensor_new(e, EBB_F64, EBB_SHAPE(2), (double[]){3, 4}); }
static ebb_tensor *pair_leaf(ebb *e) {
    ebb_tensor *t = pair(e);
    assert_int_equal(ebb_requires_grad(t, true), EBB_OK);
    return t;
}
static int64_t live(const ebb *e) {
    ebb_memory m;
    ebb_memory_stats(e, &m);
    return m.tensors;
}

/* The session does a whole step, and nothing of it stays. */
static void still_works(ebb *e) {
    const int64_t before = live(e), tape = ebb_tape_len(e);
    ebb_scope *s = ebb_begin(e);
    assert_non_null(s);
    ebb_tensor *x = leaf(e, 3);
    assert_int_equal(ebb_backward(ebb_mul(x, x)), EBB_OK);
    assert_values(ebb_grad_of(x), 6);
    ebb_end(s);
    assert_no_error(e);
    assert_int_equal(live(e), before);
    assert_true(ebb_tape_len(e) <= tape);
}

/* Calls step 400 times: bytes, tensors and nodes are the same after the last as after the first few. */
static void does_not_grow(ebb *e, void (*step)(ebb *, ebb_tensor *), ebb_tensor *w) {
    ebb_memory early = {0}, late;
    int64_t nodes = 0;
    for (int i = 0; i < 400; i++) {
        step(e, w);
        assert_no_error(e);
        if (i == 19) ebb_memory_stats(e, &early), nodes = ebb_tape_len(e);
    }
    ebb_memory_stats(e, &late);
    if (late.in_use != early.in_use || late.tensors != early.tensors || ebb_tape_len(e) != nodes)
        fail_msg("from step 20 to 400: bytes %zu to %zu, tensors %lld to %lld, nodes %lld to %lld",
                 early.in_use, late.in_use, (long long)early.tensors, (long long)late.tensors,
                 (long long)nodes, (long long)ebb_tape_len(e));
}

/* ---- scopes that end twice, or not in order ------------------------------------------------------------------------- */

static void end_twice_does_nothing(void **state) {
    ebb *e = *state;
    const int64_t before = live(e);
    ebb_scope *s = ebb_begin(e);
    pair(e);
    ebb_end(s);
    ebb_end(s);
    assert_int_equal(live(e), before);
    still_works(e);
}

static void end_of_an_inner_scope_after_its_outer_one(void **state) {
    ebb *e = *state;
    const int64_t before = live(e);
    ebb_scope *outer = ebb_begin(e), *inner = ebb_begin(e);
    pair(e);
    ebb_end(outer);
    assert_int_equal(live(e), before);
    ebb_end(inner);
    ebb_end(outer);
    assert_no_error(e);
    still_works(e);
}

static ebb_tensor *end_the_scope(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(t), UNUSED(g);
    ebb_end(user);
    return NULL;
}

static void end_inside_a_hook_is_refused(void **state) {
    ebb *e = *state;
    const int64_t before = live(e);
    ebb_scope *outer = ebb_begin(e);
    for (int i = 0; i < 3; i++) pair(e);
    for (int around = 0; around < 2; around++) { /* the scope of the backward, and the one around it */
        ebb_scope *s = ebb_begin(e);
        ebb_tensor *w = pair_leaf(e), *h = ebb_square(w);
        for (int i = 0; i < 9; i++) pair(e);
        assert_true(ebb_hook_add(h, end_the_scope, around ? outer : s) > 0);
        assert_int_equal(ebb_backward(ebb_sum(ebb_square(h))), EBB_E_GRAPH);
        assert_error(e, EBB_E_GRAPH, "ebb_end|backward is running");
        assert_null(ebb_grad_of(w));
        assert_values(h, 9, 16); /* the scope is as it was */
        ebb_end(s);
    }
    ebb_end(outer);
    assert_int_equal(live(e), before);
    still_works(e);
}

static ebb_tensor *scope_of_its_own(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(user);
    ebb_scope *s = ebb_begin(ebb_tensor_session(t));
    ebb_tensor *r = ebb_escape(mul_scalar(g, 2));
    ebb_end(s);
    return r;
}

static void a_hook_may_have_a_scope_of_its_own(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e), *h = ebb_square(w);
    assert_true(ebb_hook_add(h, scope_of_its_own, NULL) > 0);
    assert_int_equal(ebb_backward(ebb_sum(h)), EBB_OK);
    assert_values(ebb_grad_of(w), 12, 16);
}

/* ---- what leaves a scope ----------------------------------------------------------------------------------------------- */

static void escape_of_an_outer_scopes_tensor_changes_nothing(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e);
    const int64_t before = live(e);
    ebb_scope *outer = ebb_begin(e);
    ebb_tensor *h = ebb_square(w);
    ebb_scope *inner = ebb_begin(e);
    assert_ptr_equal(ebb_escape(h), h);
    ebb_end(inner);
    assert_values(h, 9, 16);
    ebb_end(outer); /* h was never handed out of this one */
    assert_int_equal(live(e), before);
    assert_int_equal(ebb_tape_len(e), 0);
}

static void an_escaped_tensor_keeps_its_graph(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e);
    ebb_scope *outer = ebb_begin(e), *inner = ebb_begin(e);
    ebb_tensor *h = ebb_escape(ebb_square(w));
    ebb_end(inner);
    assert_int_equal(ebb_backward(ebb_sum(h)), EBB_OK);
    assert_values(ebb_grad_of(w), 6, 8);
    ebb_end(outer);
    assert_int_equal(ebb_tape_len(e), 0);
}

static ebb_tensor *kept;
static ebb_tensor *keep_by_escape(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(t), UNUSED(user);
    kept = ebb_escape(g);
    return NULL;
}
static ebb_tensor *keep_by_retain(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(t), UNUSED(user);
    kept = ebb_retain(g);
    return NULL;
}

static void backward_with_hook(ebb *e, ebb_grad_hook hook) {
    ebb_tensor *w = pair_leaf(e), *h = ebb_square(w);
    assert_true(ebb_hook_add(h, hook, NULL) > 0);
    assert_int_equal(ebb_backward(ebb_sum(ebb_square(h))), EBB_OK);
    assert_values(kept, 18, 32);
}

static void a_gradient_retained_in_a_hook_lives_until_its_release(void **state) {
    ebb *e = *state;
    const int64_t before = live(e);
    ebb_scope *s = ebb_begin(e);
    backward_with_hook(e, keep_by_retain);
    ebb_end(s);
    assert_values(kept, 18, 32);
    ebb_release(kept);
    assert_int_equal(live(e), before);
}

static void a_gradient_escaped_in_a_hook_lives_in_the_scope_around(void **state) {
    ebb *e = *state;
    const int64_t before = live(e);
    ebb_scope *outer = ebb_begin(e), *s = ebb_begin(e);
    backward_with_hook(e, keep_by_escape);
    ebb_end(s);
    assert_values(kept, 18, 32);
    ebb_end(outer);
    assert_int_equal(live(e), before);
}

static void retain_and_release_inside(ebb *e, ebb_tensor *w) {
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *h = ebb_square(w);
    ebb_release(ebb_retain(h));
    ebb_square(h);
    ebb_end(s);
    assert_int_equal(ebb_tape_len(e), 0);
}

static void retained_and_released_in_its_scope_keeps_nothing(void **state) {
    ebb *e = *state;
    does_not_grow(e, retain_and_release_inside, pair_leaf(e));
}

static void retained_beyond_its_scope_keeps_its_graph(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e);
    const int64_t before = live(e);
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *h = ebb_retain(ebb_square(w));
    ebb_end(s);
    s = ebb_begin(e);
    assert_int_equal(ebb_backward(ebb_sum(h)), EBB_OK);
    assert_values(ebb_grad_of(w), 6, 8);
    ebb_end(s);
    ebb_release(h);
    still_works(e);
    assert_int_equal(ebb_tape_len(e), 0);
    ebb_grad_set(w, NULL);
    assert_int_equal(live(e), before);
}

static void retained_then_released_frees_the_graph(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e);
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *h = ebb_retain(ebb_square(w));
    ebb_end(s);
    assert_int_equal(ebb_tape_len(e), 1);
    ebb_release(h);
    still_works(e); /* at the latest when the next scope ends */
    assert_int_equal(ebb_tape_len(e), 0);
}

/* ---- loops --------------------------------------------------------------------------------------------------------------- */

static void retained_then_released(ebb *e, ebb_tensor *w) {
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *h = ebb_retain(ebb_square(w));
    ebb_end(s);
    ebb_release(h);
}

static void an_output_that_its_rule_reads(ebb *e, ebb_tensor *w) {
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *h = ebb_retain(ebb_tanh(w));
    ebb_end(s);
    assert_int_equal(ebb_tape_len(e), 1);
    ebb_release(h);
}

static void a_second_derivative(ebb *e, ebb_tensor *w) {
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *y = ebb_sum(ebb_square(w)), *g = NULL;
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 1, &w, EBB_CREATE_GRAPH, &g), EBB_OK);
    assert_values(g, 6, 8);
    ebb_end(s);
}

static ebb_tensor *twice(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(t), UNUSED(user);
    return mul_scalar(g, 2);
}

static void a_hook_on_an_activation(ebb *e, ebb_tensor *w) {
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *h = ebb_square(w);
    assert_true(ebb_hook_add(h, twice, NULL) > 0);
    assert_int_equal(ebb_backward(ebb_sum(h)), EBB_OK);
    ebb_end(s);
}

static void a_hook_that_never_runs(ebb *e, ebb_tensor *w) {
    ebb_scope *s = ebb_begin(e);
    assert_true(ebb_hook_add(ebb_square(w), twice, NULL) > 0);
    ebb_end(s);
}

static void an_outer_tensor_escapes(ebb *e, ebb_tensor *w) {
    ebb_scope *outer = ebb_begin(e);
    ebb_tensor *h = ebb_square(w);
    ebb_scope *inner = ebb_begin(e);
    ebb_escape(h);
    ebb_end(inner);
    ebb_end(outer);
}

static void a_sum_in_place(ebb *e, ebb_tensor *w) {
    ebb_scope *outer = ebb_begin(e);
    ebb_tensor *sum = pair(e);
    ebb_scope *inner = ebb_begin(e);
    ebb_add_(sum, ebb_square(w));
    ebb_end(inner);
    assert_int_equal(ebb_backward(ebb_sum(sum)), EBB_OK);
    ebb_end(outer);
}

static void an_error(ebb *e, ebb_tensor *w) {
    ebb_scope *s = ebb_begin(e);
    ebb_region_begin(e, "block");
    ebb_tensor *h = ebb_square(w);
    ebb_add(h, ebb_tensor_new(e, EBB_F64, EBB_SHAPE(3), NULL));
    ebb_region_end(e);
    ebb_end(s);
    assert_error(e, EBB_E_SHAPE, "add");
}

#define LOOP(name, step)                                                                                     \
    static void name(void **state) { does_not_grow(*state, step, pair_leaf(*state)); }
LOOP(loop_of_retained_then_released_does_not_grow, retained_then_released)
LOOP(loop_of_outputs_that_their_rules_read_does_not_grow, an_output_that_its_rule_reads)
LOOP(loop_of_second_derivatives_does_not_grow, a_second_derivative)
LOOP(loop_of_hooks_on_activations_does_not_grow, a_hook_on_an_activation)
LOOP(loop_of_hooks_that_never_run_does_not_grow, a_hook_that_never_runs)
LOOP(loop_of_outer_escapes_does_not_grow, an_outer_tensor_escapes)
LOOP(loop_of_sums_in_place_does_not_grow, a_sum_in_place)
LOOP(loop_of_errors_does_not_grow, an_error)

/* A state that goes from step to step, detached, as recurrent nets do it. */
static void loop_of_a_detached_state_does_not_grow(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e), *h = ebb_retain(ebb_detach(pair(e)));
    ebb_memory early = {0}, late;
    for (int i = 0; i < 200; i++) {
        ebb_scope *s = ebb_begin(e);
        ebb_tensor *next = ebb_tanh(ebb_mul(h, w));
        assert_int_equal(ebb_backward(ebb_sum(next)), EBB_OK);
        ebb_release(h);
        h = ebb_retain(ebb_detach(next));
        ebb_end(s);
        assert_int_equal(ebb_tape_len(e), 0);
        if (i == 19) ebb_memory_stats(e, &early);
    }
    ebb_memory_stats(e, &late);
    assert_int_equal(late.in_use, early.in_use);
    assert_int_equal(late.tensors, early.tensors);
    ebb_release(h);
}

/* ---- the tape, no_grad and regions in a scope ---------------------------------------------------------------------------- */

static void tape_clear_inside_a_scope(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e);
    for (int i = 0; i < 5; i++) ebb_square(w);
    assert_int_equal(ebb_tape_len(e), 5);
    for (int k = 0; k < 3; k++) {
        ebb_scope *s = ebb_begin(e), *inner = ebb_begin(e);
        ebb_tape_clear(e);
        assert_int_equal(ebb_tape_len(e), 0);
        ebb_tensor *y = ebb_square(w);
        ebb_square(y);
        ebb_end(inner);
        ebb_square(w);
        ebb_end(s);
        assert_int_equal(ebb_tape_len(e), 0); /* what the scope made after it goes with the scope */
    }
    still_works(e);
}

static void no_grad_without_its_end_stops_at_the_scope(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e);
    ebb_scope *s = ebb_begin(e);
    ebb_no_grad_begin(e);
    ebb_no_grad_begin(e);
    assert_false(ebb_needs_grad(ebb_square(w)));
    ebb_end(s);
    assert_int_equal(ebb_backward(ebb_sum(ebb_square(w))), EBB_OK);
    assert_values(ebb_grad_of(w), 6, 8);
}

static void an_end_of_no_grad_too_many_stops_at_the_scope(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e);
    ebb_no_grad_begin(e);
    ebb_scope *s = ebb_begin(e);
    ebb_no_grad_end(e);
    ebb_no_grad_end(e);
    assert_true(ebb_needs_grad(ebb_square(w)));
    ebb_end(s);
    assert_false(ebb_needs_grad(ebb_square(w)));
    ebb_no_grad_end(e);
    assert_true(ebb_needs_grad(ebb_square(w)));
}

static void regions_stay_paired_across_errors(void **state) {
    ebb *e = *state;
    ebb_tensor *w = pair_leaf(e);
    ebb_region_begin(e, "A");
    ebb_fail(e, EBB_E_ARG, "something");
    ebb_region_begin(e, "B");
    ebb_region_end(e);
    ebb_error_clear(e);
    ebb_square(w);
    ebb_region_begin(e, "C");
    ebb_square(w);
    ebb_fail(e, EBB_E_ARG, "something");
    ebb_region_end(e);
    ebb_region_end(e);
    ebb_error_clear(e);
    ebb_square(w);
    static const char *const want[] = {"A", "A/C", ""};
    for (int64_t i = 0; i < 3; i++) {
        ebb_node_info n;
        assert_int_equal(ebb_tape_node(e, i, &n), EBB_OK);
        assert_string_equal(n.region, want[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(end_twice_does_nothing),
        SESSION_TEST(end_of_an_inner_scope_after_its_outer_one),
        SESSION_TEST(end_inside_a_hook_is_refused),
        SESSION_TEST(a_hook_may_have_a_scope_of_its_own),
        SESSION_TEST(escape_of_an_outer_scopes_tensor_changes_nothing),
        SESSION_TEST(an_escaped_tensor_keeps_its_graph),
        SESSION_TEST(a_gradient_retained_in_a_hook_lives_until_its_release),
        SESSION_TEST(a_gradient_escaped_in_a_hook_lives_in_the_scope_around),
        SESSION_TEST(retained_and_released_in_its_scope_keeps_nothing),
        SESSION_TEST(retained_beyond_its_scope_keeps_its_graph),
        SESSION_TEST(retained_then_released_frees_the_graph),
        SESSION_TEST(loop_of_retained_then_released_does_not_grow),
        SESSION_TEST(loop_of_outputs_that_their_rules_read_does_not_grow),
        SESSION_TEST(loop_of_second_derivatives_does_not_grow),
        SESSION_TEST(loop_of_hooks_on_activations_does_not_grow),
        SESSION_TEST(loop_of_hooks_that_never_run_does_not_grow),
        SESSION_TEST(loop_of_outer_escapes_does_not_grow),
        SESSION_TEST(loop_of_sums_in_place_does_not_grow),
        SESSION_TEST(loop_of_errors_does_not_grow),
        SESSION_TEST(loop_of_a_detached_state_does_not_grow),
        SESSION_TEST(tape_clear_inside_a_scope),
        SESSION_TEST(no_grad_without_its_end_stops_at_the_scope),
        SESSION_TEST(an_end_of_no_grad_too_many_stops_at_the_scope),
        SESSION_TEST(regions_stay_paired_across_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
