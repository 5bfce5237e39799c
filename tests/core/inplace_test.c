/* inplace_test.c - in-place ops: operands that overlap, views that went stale, what is refused before anything is written. */
#include "../test.h"
#include <ebb/op.h>
#undef fail /* cmocka's; a kernel says l->fail */

#define NUMBERS(e, ...)                                                                                      \
    ebb_tensor_new(e, EBB_F64, EBB_SHAPE(COUNT(((double[]){__VA_ARGS__}))), (double[]){__VA_ARGS__})

static ebb_tensor *needs(ebb_tensor *t) {
    assert_int_equal(ebb_requires_grad(t, true), EBB_OK);
    return t;
}
static ebb_tensor *flat(ebb_tensor *t) { return ebb_reshape(t, .shape = EBB_SHAPE(-1)); }
static ebb_tensor *first_row(ebb_tensor *t) { return ebb_slice(t, .dim = 0, .start = 0, .end = 1); }

/* ---- operands that overlap ----------------------------------------------------------------------------------------- */

/* The operand is the tensor's old values, and a gradient flows to it. */
static void overlap_with_a_gradient_reads_the_old_values(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 2, 3)), *x = ebb_mul_scalar(w, 5);
    assert_ptr_equal(ebb_mul_(x, flat(x)), x); /* 25 w^2 */
    assert_values(x, 100, 225);
    assert_ptr_equal(ebb_add_(x, flat(x)), x); /* 50 w^2 */
    assert_int_equal(ebb_backward(ebb_sum(x)), EBB_OK);
    assert_values(ebb_grad_of(w), 200, 300);
}

static void overlap_with_a_part_that_has_a_gradient(void **state) {
    ebb *e = *state;
    ebb_tensor *w = range_leaf(e, EBB_SHAPE(2, 3)), *x = ebb_mul_scalar(w, 1);
    assert_ptr_equal(ebb_add_(x, first_row(x)), x);
    assert_values(x, 0, 2, 4, 3, 5, 7);
    assert_int_equal(ebb_backward(ebb_sum(x)), EBB_OK);
    assert_values(ebb_grad_of(w), 3, 3, 3, 1, 1, 1);
}

/* The view is a leaf of its own. */
static void overlap_with_a_leaf_view(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range(e, EBB_SHAPE(2, 3)), *row = needs(first_row(x)), *g = NULL;
    assert_ptr_equal(ebb_mul_(x, row), x);
    assert_values(x, 0, 1, 4, 0, 4, 10);
    ebb_tensor *y = ebb_sum(x);
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 1, &row, 0, &g), EBB_OK);
    assert_values(g, 3, 5, 7);
}

static void overlap_without_a_gradient_reads_the_old_values(void **state) {
    ebb *e = *state;
    ebb_tensor *x = ebb_add_scalar(range(e, EBB_SHAPE(2, 3)), 1);
    assert_ptr_equal(ebb_add_(x, first_row(x)), x);
    assert_values(x, 2, 4, 6, 5, 7, 9);
    ebb_tensor *m = range(e, EBB_SHAPE(2, 2));
    assert_ptr_equal(ebb_sub_(m, ebb_transpose(m, .dim0 = 0, .dim1 = 1)), m);
    assert_values(m, 0, -1, 1, 0);
    ebb_tensor *q = NUMBERS(e, 2, 4, 8);
    assert_ptr_equal(ebb_div_(q, ebb_slice(q, .dim = 0, .start = 0, .end = 1)), q);
    assert_values(q, 1, 2, 4);
    assert_no_error(e);
}

static void overlap_under_no_grad_reads_the_old_values(void **state) {
    ebb *e = *state;
    ebb_tensor *w = range_leaf(e, EBB_SHAPE(2, 3));
    ebb_no_grad_begin(e);
    assert_ptr_equal(ebb_add_(w, first_row(w)), w);
    ebb_no_grad_end(e);
    assert_values(w, 0, 2, 4, 3, 5, 7);
}

/* The detached operand is a constant: its old values. */
static void overlap_with_a_detached_operand_is_a_constant(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 2, 3)), *x = ebb_mul_scalar(w, 1);
    assert_ptr_equal(ebb_mul_(x, ebb_detach(x)), x);
    assert_values(x, 4, 9);
    assert_int_equal(ebb_backward(ebb_sum(x)), EBB_OK);
    assert_values(ebb_grad_of(w), 2, 3);
}

static void the_tensor_itself_is_no_overlap(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 2, 3)), *x = ebb_mul_scalar(w, 1);
    assert_ptr_equal(ebb_add_(x, x), x);
    assert_values(x, 4, 6);
    assert_int_equal(ebb_backward(ebb_sum(x)), EBB_OK);
    assert_values(ebb_grad_of(w), 2, 2);
}

/* Refused, or the derivative is that of the old values; never another. */
static void a_square_in_place(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 2, 3)), *x = ebb_mul_scalar(w, 1);
    if (!ebb_mul_(x, x)) {
        assert_error(e, EBB_E_CHANGED, "mul");
        assert_values(x, 2, 3);
        return;
    }
    assert_values(x, 4, 9);
    if (ebb_backward(ebb_sum(x)) == EBB_OK) assert_values(ebb_grad_of(w), 4, 6);
    else assert_error(e, EBB_E_CHANGED, "mul");
}

/* ---- stale views -------------------------------------------------------------------------------------------------- */

typedef struct {
    ebb_tensor *w, *t, *view; /* t got its gradient, from w, after the view was taken */
} stale;

static stale make_stale(ebb *e) {
    stale s = {needs(NUMBERS(e, 2, 3)), NUMBERS(e, 0, 0), NULL};
    s.view = flat(s.t);
    assert_ptr_equal(ebb_add_(s.t, s.w), s.t);
    return s;
}

static void a_view_taken_before_sees_the_gradient(void **state) {
    ebb *e = *state;
    stale s = make_stale(e);
    assert_true(ebb_needs_grad(s.view));
    assert_int_equal(ebb_backward(ebb_add(ebb_sum(ebb_mul_scalar(s.view, 10)), ebb_sum(s.w))), EBB_OK);
    assert_values(ebb_grad_of(s.w), 11, 11);
}

static void a_view_taken_before_as_any_input(void **state) {
    ebb *e = *state;
    stale s = make_stale(e); /* the view is w: d(w*w + w*w)/dw = 4w */
    assert_int_equal(ebb_backward(ebb_sum(ebb_add(ebb_mul(s.view, s.w), ebb_mul(s.w, s.view)))), EBB_OK);
    assert_values(ebb_grad_of(s.w), 8, 12);
}

static void a_view_of_a_view_taken_before(void **state) {
    ebb *e = *state;
    stale s = make_stale(e);
    ebb_no_grad_begin(e);
    ebb_tensor *inner = flat(s.view);
    ebb_no_grad_end(e);
    assert_non_null(inner);
    assert_int_equal(ebb_backward(ebb_sum(ebb_mul(inner, flat(s.view)))), EBB_OK);
    assert_values(ebb_grad_of(s.w), 4, 6);
}

static void a_view_taken_before_is_differentiated_as_it_is_now(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 2)), *t = ebb_mul_scalar(w, 1), *view = flat(t), *g = NULL;
    assert_ptr_equal(ebb_mul_(t, scalar(e, 3)), t); /* the view shows 3w */
    assert_int_equal(ebb_grad(e, 1, &view, NULL, 1, &w, EBB_RETAIN, &g), EBB_OK);
    assert_values(g, 3);
    assert_int_equal(ebb_backward(view), EBB_OK);
    assert_values(ebb_grad_of(w), 3);
}

static void stale_view_of_values_only_is_allowed_under_no_grad(void **state) {
    ebb *e = *state;
    stale s = make_stale(e);
    ebb_no_grad_begin(e);
    assert_values(ebb_mul(s.view, s.view), 4, 9);
    ebb_no_grad_end(e);
    assert_no_error(e);
}

static void detached_is_never_stale(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 2, 3)), *x = NUMBERS(e, 1, 1), *before = ebb_detach(x);
    assert_ptr_equal(ebb_add_(x, w), x);
    ebb_tensor *after = ebb_detach(x);
    ebb_tensor *const all[] = {before, after, flat(before), flat(after), ebb_detach(after)};
    for (size_t i = 0; i < COUNT(all); i++) {
        assert_false(ebb_needs_grad(all[i]));
        ebb_tensor *y = ebb_mul(w, all[i]);
        assert_values(y, 6, 12);
        ebb_grad_set(w, NULL);
        assert_int_equal(ebb_backward(ebb_sum(y)), EBB_OK);
        assert_values(ebb_grad_of(w), 3, 4);
    }
}

/* ---- refused before anything is written ---------------------------------------------------------------------------- */

static void refused_inputs_leave_the_values(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 3, 4)), *gone = ebb_square(w), *x = NUMBERS(e, 1, 1);
    ebb_tape_clear(e);
    assert_null(ebb_add_(x, gone));
    assert_error(e, EBB_E_GRAPH, "add|input 1|freed");
    assert_values(x, 1, 1);
    stale s = make_stale(e);
    ebb_tape_clear(e);
    assert_null(ebb_add_(x, s.view));
    assert_error(e, EBB_E_GRAPH, "add|input 1|view|freed");
    assert_values(x, 1, 1);
    assert_false(ebb_needs_grad(x));
}

/* ---- writes through views -------------------------------------------------------------------------------------------- */

static void a_write_through_a_view_lands_on_its_base(void **state) {
    ebb *e = *state;
    ebb_tensor *w = range_leaf(e, EBB_SHAPE(2, 3)), *k = needs(NUMBERS(e, 10)), *x = ebb_mul_scalar(w, 1);
    ebb_tensor *column = ebb_slice(x, .dim = 1, .start = 1, .end = 2), *whole = flat(x);
    assert_ptr_equal(ebb_mul_(column, k), column);
    assert_values(x, 0, 10, 2, 3, 40, 5);
    assert_values(whole, 0, 10, 2, 3, 40, 5);
    assert_int_equal(ebb_backward(ebb_sum(ebb_add(ebb_square(x), ebb_reshape(whole, .shape = EBB_SHAPE(2, 3))))),
                     EBB_OK);
    /* x: w outside the column, 10w in it;  d/dw = 2w + 1, or 10*(2*10w + 1);  d/dk = sum w*(2*10w + 1) */
    assert_values(ebb_grad_of(w), 1, 210, 5, 7, 810, 11);
    assert_values(ebb_grad_of(k), 1 * 21 + 4 * 81);
}

static void the_view_itself_may_be_read_after_the_write(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 1, 2, 3)), *x = ebb_mul_scalar(w, 2), *tail = ebb_slice(x, .start = 1);
    ebb_mul_(tail, tail); /* 4w^2 */
    ebb_tensor *inner = ebb_slice(tail, .start = 1);
    ebb_add_(inner, ebb_slice(x, .start = 0, .end = 1)); /* x = 2w0, 4w1^2, 4w2^2 + 2w0 */
    assert_values(x, 2, 16, 38);
    assert_int_equal(ebb_backward(ebb_add(ebb_sum(tail), ebb_sum(inner))), EBB_OK);
    assert_values(ebb_grad_of(w), 4, 16, 48);
}

/* A buffer that needs no gradient becomes part of the graph by what is written into it. */
static void a_buffer_filled_piece_by_piece(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 2, 3)), *buffer = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(3, 2), NULL);
    for (int i = 0; i < 3; i++) {
        ebb_tensor *row = ebb_slice(buffer, .dim = 0, .start = i, .end = i + 1);
        ebb_add_(row, ebb_mul_scalar(w, i + 1));
    }
    assert_true(ebb_needs_grad(buffer));
    assert_values(buffer, 2, 3, 4, 6, 6, 9);
    assert_int_equal(ebb_backward(ebb_sum(ebb_square(buffer))), EBB_OK); /* 2w (1 + 4 + 9) */
    assert_values(ebb_grad_of(w), 56, 84);
}

/* The result of a composed op lies in a tensor of its own that nobody sees. */
static void views_of_a_composed_result(void **state) {
    ebb *e = *state;
    ebb_tensor *a = range_leaf(e, EBB_SHAPE(2, 2)), *y = ebb_linear(range(e, EBB_SHAPE(3, 2)), a);
    ebb_tensor *row = ebb_slice(y, .dim = 0, .start = 2, .end = 3);
    assert_values(y, 1, 3, 3, 13, 5, 23);
    ebb_mul_(row, row);
    assert_values(y, 1, 3, 3, 13, 25, 529);
    ebb_relu_(y);
    assert_int_equal(ebb_backward(ebb_sum(y)), EBB_OK);
    /* rows of x are (0,1), (2,3), (4,5); the last one counts 2y times */
    assert_values(ebb_grad_of(a), 0 + 2 + 4 * 10, 1 + 3 + 5 * 10, 0 + 2 + 4 * 46, 1 + 3 + 5 * 46);
}

static void a_write_through_a_detached_view(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 2, 3)), *x = ebb_mul_scalar(w, 1), *y = ebb_sum(ebb_square(x)),
               *d = ebb_detach(x);
    ebb_mul_(d, scalar(e, 2));
    assert_false(ebb_needs_grad(d));
    assert_int_equal(ebb_backward(y), EBB_E_CHANGED); /* square saved x */
    assert_error(e, EBB_E_CHANGED, "square|saved|mul_");
    assert_int_equal(ebb_backward(ebb_sum(x)), EBB_OK);
    assert_values(ebb_grad_of(w), 1, 1);
}

static void views_that_share_places_are_refused(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range(e, EBB_SHAPE(4));
    ebb_tensor *windows = ebb_as_strided(x, .size = EBB_SHAPE(3, 2), .stride = EBB_SHAPE(1, 1));
    assert_null(ebb_mul_(windows, scalar(e, 2)));
    assert_error(e, EBB_E_CHANGED, "mul_|share one place|copy");
    ebb_tensor *apart = ebb_as_strided(x, .size = EBB_SHAPE(2, 2), .stride = EBB_SHAPE(1, 2));
    assert_ptr_equal(ebb_mul_(apart, scalar(e, 2)), apart);
    assert_values(x, 0, 2, 4, 6);
    ebb_tensor *w = range_leaf(e, EBB_SHAPE(4)), *part = ebb_slice(w, .start = 1);
    assert_null(ebb_mul_(part, scalar(e, 2)));
    assert_error(e, EBB_E_CHANGED, "mul_|leaf|view");
}

static void second_derivatives_through_a_write(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 2, 3)), *x = ebb_square(w), *g = NULL, *gg = NULL;
    ebb_tensor *head = ebb_slice(x, .start = 0, .end = 1);
    ebb_mul_(head, head); /* w0^4, w1^2 */
    ebb_tensor *y = ebb_sum(x);
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 1, &w, EBB_CREATE_GRAPH, &g), EBB_OK);
    assert_values(g, 32, 6);
    ebb_tensor *s = ebb_sum(g);
    assert_int_equal(ebb_grad(e, 1, &s, NULL, 1, &w, 0, &gg), EBB_OK);
    assert_values(gg, 48, 2);
}

/* What rounds is written; what would lose its fraction is refused, and nothing is written. */
static void a_result_of_another_dtype(void **state) {
    ebb *e = *state;
    const float a[] = {1, 2};
    const int32_t b[] = {1, 2};
    ebb_tensor *x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(2), a), *i = ebb_tensor_new(e, EBB_I32, EBB_SHAPE(2), b);
    assert_ptr_equal(ebb_add_(x, NUMBERS(e, 10, 10)), x);
    assert_values(x, 11, 12);
    assert_null(ebb_exp_(i));
    assert_error(e, EBB_E_DTYPE, "exp_|i32[2]");
    assert_null(ebb_add_(i, NUMBERS(e, 0.5, 0.5)));
    assert_error(e, EBB_E_DTYPE, "add_|f64|i32[2]");
    assert_values(i, 1, 2);
}

/* ---- memory that runs out -------------------------------------------------------------------------------------------- */

typedef struct {
    long calls, fail_at; /* fail_at: the first call that fails, and all after it; 0: none */
} failing;

static void *fail_alloc(void *user, size_t bytes) {
    failing *f = user;
    f->calls++;
    return f->fail_at && f->calls >= f->fail_at ? NULL : malloc(bytes);
}
static void fail_free(void *user, void *p, size_t bytes) {
    UNUSED(user), UNUSED(bytes);
    free(p);
}

/* One mul_ with allocation k failing, after `before` records on the tape. -> it went through */
static bool survives(long k, int before) {
    failing f = {0};
    const ebb_options o = {.size = sizeof o, .threads = 1, .alloc = fail_alloc, .free = fail_free, .alloc_user = &f};
    ebb *e = ebb_open(&o);
    assert_non_null(e);
    ebb_tensor *w = needs(NUMBERS(e, 2)), *x = ebb_mul_scalar(w, 3), *c = NUMBERS(e, 5);
    for (int i = 0; i < before; i++) ebb_square(w);
    assert_no_error(e);
    f.calls = 0, f.fail_at = k;
    const bool done = ebb_mul_(x, c);
    f.fail_at = 0;
    if (!done) assert_error(e, EBB_E_MEMORY, "memory");
    else assert_no_error(e);
    assert_values(x, done ? 30 : 6);
    assert_int_equal(ebb_backward(x), EBB_OK);
    assert_values(ebb_grad_of(w), done ? 15 : 3);
    const bool reached = f.calls >= k;
    ebb_close(e);
    return done && !reached;
}

static void out_of_memory_leaves_value_and_graph_together(void **state) {
    UNUSED(state);
    static const int before[] = {0, 62, 63, 126, 127, 254, 255};
    for (size_t i = 0; i < COUNT(before); i++) {
        long k = 1;
        while (k < 200 && !survives(k, before[i])) k++;
        assert_true(k < 200);
    }
}

/* ---- what a plugin's op may bring ------------------------------------------------------------------------------------- */

EBB_MAP1(step_fwd, x < 0 ? (T)0 : (T)7)
EBB_OP(step_seven, .sig = "()->()", .math = "y = 7 where x >= 0, else 0", .fwd = step_fwd,
    .flags = EBB_INPLACE, .doc = "A step; it has no derivative."
);

EBB_KERNEL(
    root_fwd, T *q = (T *)l->p[1]; for (int64_t i = 0; i < l->n; i++) {
        const T x = ((const T *)l->p[0])[i * l->step[0]];
        if (x < 0) return l->fail(l, EBB_E_VALUE, "element %d is negative", (int)i);
        q[i * l->step[1]] = x + 1;
    })
static ebb_tensor *root_dx(const ebb_call *c, ebb_tensor *g) {
    UNUSED(c);
    return g;
}
EBB_OP(plus_if, .sig = "()->()", .math = "y = x + 1, where x >= 0", .fwd = root_fwd, .vjp = EBB_VJP({root_dx, 0}),
    .flags = EBB_INPLACE, .doc = "One more, of what is not negative."
);

EBB_PLUGIN(inplace_test, &ebb_op_step_seven, &ebb_op_plus_if);
ebb_status ebb__register(ebb *e, const ebb_plugin *p, const char *path);

static void without_a_rule_for_what_it_changes_is_refused(void **state) {
    ebb *e = *state;
    assert_int_equal(ebb__register(e, &ebb_plugin_entry, "the test"), EBB_OK);
    ebb_tensor *w = needs(NUMBERS(e, 3)), *x = ebb_mul_scalar(w, 5), *plain = NUMBERS(e, -1, 2), *y = NULL;
    assert_int_equal(ebb_call_named(e, "step_seven_", 1, &x, NULL, 1, &y), -1);
    assert_error(e, EBB_E_CHANGED, "step_seven_|no rule");
    assert_values(x, 15);
    assert_int_equal(ebb_backward(x), EBB_OK);
    assert_values(ebb_grad_of(w), 5);
    assert_int_equal(ebb_call_named(e, "step_seven_", 1, &plain, NULL, 1, &y), 1); /* no gradient: nothing to lose */
    assert_ptr_equal(y, plain);
    assert_values(plain, 0, 7);
    assert_int_equal(ebb_call_named(e, "step_seven", 1, &w, NULL, 1, &y), 1); /* not in place: a constant */
    assert_values(y, 7);
    assert_false(ebb_needs_grad(y));
}

/* A kernel that stops half-way has perhaps written: what saved the tensor must not be used. */
static void a_kernel_that_fails_counts_as_a_change(void **state) {
    ebb *e = *state;
    assert_int_equal(ebb__register(e, &ebb_plugin_entry, "the test"), EBB_OK);
    ebb_tensor *w = needs(NUMBERS(e, 2, 3)), *x = NUMBERS(e, 1, -1), *y = ebb_sum(ebb_mul(w, x)), *r = NULL;
    assert_int_equal(ebb_call_named(e, "plus_if_", 1, &x, NULL, 1, &r), -1);
    assert_error(e, EBB_E_VALUE, "plus_if|element 1 is negative");
    assert_int_equal(ebb_backward(y), EBB_E_CHANGED);
    assert_error(e, EBB_E_CHANGED, "mul|saved");
    assert_null(ebb_grad_of(w));
}

/* ---- initialisers ------------------------------------------------------------------------------------------------------ */

static const ebb_init inits[] = {ebb_zeros, ebb_ones, ebb_kaiming, ebb_xavier, ebb_lecun};

static void initialisers_count_as_a_change(void **state) {
    ebb *e = *state;
    for (size_t i = 0; i < COUNT(inits); i++) {
        ebb_tensor *w = range_leaf(e, EBB_SHAPE(2, 2)), *x = range(e, EBB_SHAPE(2, 2)),
                   *y = ebb_sum(ebb_mul(w, x));
        assert_int_equal(inits[i](x), EBB_OK);
        assert_int_equal(ebb_backward(y), EBB_E_CHANGED);
        assert_error(e, EBB_E_CHANGED, "mul|saved|input 1");
        assert_null(ebb_grad_of(w));
    }
}

static void initialisers_refuse_what_they_cannot_fill(void **state) {
    ebb *e = *state;
    ebb_tensor *x = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(6), NULL);
    ebb_tensor *const bad[] = {ebb_slice(x, .step = 2), ebb_expand(scalar(e, 5), .size = EBB_SHAPE(100000)),
                               ebb_full(e, EBB_I64, EBB_SHAPE(3), 4)};
    assert_no_error(e);
    for (size_t k = 0; k < COUNT(bad); k++)
        for (size_t i = 0; i < COUNT(inits); i++) {
            assert_int_equal(inits[i](bad[k]), EBB_E_ARG);
            assert_error(e, EBB_E_ARG, "initialiser|contiguous");
        }
    assert_values(x, 0, 0, 0, 0, 0, 0);
    assert_values(bad[2], 4, 4, 4);
}

/* ---- hooks and scopes ------------------------------------------------------------------------------------------------- */

static ebb_tensor *twice(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(t);
    ++*(int *)user;
    return ebb_mul_scalar(g, 2);
}

static void hook_follows_a_tensor_changed_in_place(void **state) {
    ebb *e = *state;
    int runs = 0;
    ebb_tensor *w = needs(NUMBERS(e, 3)), *h = ebb_mul_scalar(w, 1);
    assert_true(ebb_hook_add(h, twice, &runs) > 0);
    ebb_add_(h, w); /* h = 2w; its gradient, 1, is doubled once */
    assert_int_equal(ebb_backward(h), EBB_OK);
    assert_int_equal(runs, 1);
    assert_values(ebb_grad_of(w), 4);
}

static void in_an_inner_scope_on_an_outer_tensor_keeps_its_graph(void **state) {
    ebb *e = *state;
    ebb_tensor *w = needs(NUMBERS(e, 3, 4));
    ebb_scope *outer = ebb_begin(e);
    ebb_tensor *sum = NUMBERS(e, 0, 0);
    for (int i = 0; i < 2; i++) {
        ebb_scope *inner = ebb_begin(e), *innermost = ebb_begin(e);
        ebb_add_(sum, ebb_square(w));
        ebb_end(innermost);
        ebb_end(inner);
    }
    assert_values(sum, 18, 32);
    assert_int_equal(ebb_backward(ebb_sum(sum)), EBB_OK);
    assert_values(ebb_grad_of(w), 12, 16);
    ebb_end(outer);
    assert_int_equal(ebb_tape_len(e), 0);
    assert_no_error(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(overlap_with_a_gradient_reads_the_old_values),
        SESSION_TEST(overlap_with_a_part_that_has_a_gradient),
        SESSION_TEST(overlap_with_a_leaf_view),
        SESSION_TEST(overlap_without_a_gradient_reads_the_old_values),
        SESSION_TEST(overlap_under_no_grad_reads_the_old_values),
        SESSION_TEST(overlap_with_a_detached_operand_is_a_constant),
        SESSION_TEST(the_tensor_itself_is_no_overlap),
        SESSION_TEST(a_square_in_place),
        SESSION_TEST(a_view_taken_before_sees_the_gradient),
        SESSION_TEST(a_view_taken_before_as_any_input),
        SESSION_TEST(a_view_of_a_view_taken_before),
        SESSION_TEST(a_view_taken_before_is_differentiated_as_it_is_now),
        SESSION_TEST(stale_view_of_values_only_is_allowed_under_no_grad),
        SESSION_TEST(detached_is_never_stale),
        SESSION_TEST(refused_inputs_leave_the_values),
        SESSION_TEST(a_write_through_a_view_lands_on_its_base),
        SESSION_TEST(the_view_itself_may_be_read_after_the_write),
        SESSION_TEST(a_buffer_filled_piece_by_piece),
        SESSION_TEST(views_of_a_composed_result),
        SESSION_TEST(a_write_through_a_detached_view),
        SESSION_TEST(views_that_share_places_are_refused),
        SESSION_TEST(second_derivatives_through_a_write),
        SESSION_TEST(a_result_of_another_dtype),
        cmocka_unit_test(out_of_memory_leaves_value_and_graph_together),
        SESSION_TEST(without_a_rule_for_what_it_changes_is_refused),
        SESSION_TEST(a_kernel_that_fails_counts_as_a_change),
        SESSION_TEST(initialisers_count_as_a_change),
        SESSION_TEST(initialisers_refuse_what_they_cannot_fill),
        SESSION_TEST(hook_follows_a_tensor_changed_in_place),
        SESSION_TEST(in_an_inner_scope_on_an_outer_tensor_keeps_its_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
