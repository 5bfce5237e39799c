/* autograd_test.c - reverse mode: worked numbers, higher derivatives, the life of a graph, hooks, and what is refused. */
#include "../test.h"

static ebb_tensor *grad1(ebb_tensor *y, ebb_tensor *x, int flags) {
    ebb_tensor *g = NULL;
    ebb_grad(ebb_tensor_session(x), 1, &y, NULL, 1, &x, flags, &g);
    return g;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------- */

static void line_squared(void **state) { /* (x*w + b)^2 */
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 2), *w = leaf(e, 3), *b = leaf(e, 1);
    ebb_tensor *y = ebb_square(ebb_add(ebb_mul(x, w), b));
    assert_values(y, 49);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(x), 42);
    assert_values(ebb_grad_of(w), 28);
    assert_values(ebb_grad_of(b), 14);
}

static void used_twice(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3), *y = ebb_add(ebb_mul(x, x), x);
    assert_values(y, 12);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(x), 7);

    ebb_tensor *a = leaf(e, 2), *z = ebb_mul(ebb_add(a, a), a);
    assert_values(z, 8);
    assert_int_equal(ebb_backward(z), EBB_OK);
    assert_values(ebb_grad_of(a), 8);
}

static void cube(void **state) { /* (2x + 1)^3 */
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 1);
    ebb_tensor *y = ebb_pow(ebb_add(ebb_mul(x, scalar(e, 2)), scalar(e, 1)), .exponent = 3);
    assert_values(y, 27);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(x), 54);
}

static void chain_rule(void **state) { /* sin(x^2): 2x cos(x^2);  2cos(x^2) - 4x^2 sin(x^2);  -12x sin(x^2) - 8x^3 cos(x^2) */
    ebb *e = *state;
    const double v = 0.7, s = sin(v * v), c = cos(v * v);
    ebb_tensor *x = leaf(e, v);
    ebb_tensor *y = ebb_sin(ebb_square(x));
    ebb_tensor *d1 = grad1(y, x, EBB_CREATE_GRAPH), *d2 = grad1(d1, x, EBB_CREATE_GRAPH), *d3 = grad1(d2, x, 0);
    assert_no_error(e);
    assert_near(ebb_item(y), s, 1e-14);
    assert_near(ebb_item(d1), 2 * v * c, 1e-14);
    assert_near(ebb_item(d2), 2 * c - 4 * v * v * s, 1e-13);
    assert_near(ebb_item(d3), -12 * v * s - 8 * v * v * v * c, 1e-12);
    assert_null(ebb_grad_of(x)); /* the functional form leaves leaves alone */
}

static void every_order(void **state) { /* x^5 at 2: 80, 160, 240, 240, 120, then zero */
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 2), *d = ebb_mul(ebb_mul(ebb_mul(x, x), ebb_mul(x, x)), x);
    const double want[] = {80, 160, 240, 240, 120};
    for (int k = 0; k < 5; k++) {
        d = grad1(d, x, EBB_CREATE_GRAPH);
        assert_no_error(e);
        assert_near(ebb_item(d), want[k], 1e-11);
    }
}

static void mixed_second(void **state) { /* x*x*y: d2/dxdy = 2x */
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3), *y = leaf(e, 5), *f = ebb_mul(ebb_mul(x, x), y);
    ebb_tensor *wrt[] = {x, y}, *g[2], *h[2];
    assert_int_equal(ebb_grad(e, 1, &f, NULL, 2, wrt, EBB_CREATE_GRAPH, g), EBB_OK);
    assert_values(g[0], 30);
    assert_values(g[1], 9);
    assert_int_equal(ebb_grad(e, 1, &g[0], NULL, 2, wrt, EBB_RETAIN, h), EBB_OK);
    assert_values(h[0], 10);
    assert_values(h[1], 6);
    assert_values(grad1(g[1], x, 0), 6);
}

static void second_by_backward(void **state) { /* a gradient penalty: backward through a gradient */
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 2), *y = ebb_mul(ebb_mul(x, x), x); /* d = 3x^2, loss = d^2 = 9x^4, dloss = 36x^3 */
    ebb_tensor *d = grad1(y, x, EBB_CREATE_GRAPH);
    assert_int_equal(ebb_backward(ebb_mul(d, d)), EBB_OK);
    assert_values(ebb_grad_of(x), 288);
}

static void matrices(void **state) { /* y = x W, loss = sum y^2: dW = x' 2y */
    ebb *e = *state;
    ebb_tensor *x = range_leaf(e, EBB_SHAPE(1, 2)), *w = range_leaf(e, EBB_SHAPE(2, 3));
    ebb_tensor *y = ebb_matmul(x, w);
    assert_values(y, 3, 4, 5);
    assert_int_equal(ebb_backward(ebb_sum(ebb_square(y))), EBB_OK);
    assert_values(ebb_grad_of(w), 0, 0, 0, 6, 8, 10);
    assert_values(ebb_grad_of(x), 28, 100);
}

static void broadcast_is_summed_back(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range(e, EBB_SHAPE(2, 3)), *row = range_leaf(e, EBB_SHAPE(3)),
               *col = range_leaf(e, EBB_SHAPE(2, 1));
    ebb_tensor *s = leaf(e, 2);
    assert_int_equal(ebb_backward(ebb_sum(ebb_mul(ebb_mul(ebb_add(x, row), col), s))), EBB_OK);
    assert_values(ebb_grad_of(row), 2, 2, 2);
    assert_values(ebb_grad_of(col), 12, 30);
    assert_values(ebb_grad_of(s), 15);
    assert_int_equal(ebb_ndim(ebb_grad_of(col)), 2);
    assert_int_equal(ebb_ndim(ebb_grad_of(s)), 0);
}

static void through_views(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range_leaf(e, EBB_SHAPE(2, 3));
    ebb_tensor *y = ebb_slice(ebb_transpose(x, .dim0 = 0, .dim1 = 1), .dim = 0, .start = 1, .end = 3); /* 1 4; 2 5 */
    ebb_tensor *z = ebb_mul(ebb_reshape(y, .shape = EBB_SHAPE(4)), range(e, EBB_SHAPE(4)));
    assert_int_equal(ebb_backward(ebb_sum(z)), EBB_OK);
    assert_values(ebb_grad_of(x), 0, 0, 2, 0, 1, 3);
}

static void losses(void **state) {
    ebb *e = *state;
    ebb_tensor *x = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(2, 3), NULL);
    ebb_requires_grad(x, true);
    const int64_t label[] = {0, 2};
    ebb_tensor *loss = ebb_cross_entropy(x, ebb_tensor_new(e, EBB_I64, EBB_SHAPE(2), label));
    assert_near(ebb_item(loss), log(3), 1e-14);
    assert_int_equal(ebb_backward(loss), EBB_OK);
    const double want[] = {-1. / 3, 1. / 6, 1. / 6, 1. / 6, 1. / 6, -1. / 3};
    for (int i = 0; i < 6; i++) assert_near(ebb_at(ebb_grad_of(x), i), want[i], 1e-14);

    ebb_tensor *a = range_leaf(e, EBB_SHAPE(4));
    loss = ebb_mse_loss(a, ebb_full(e, EBB_F64, EBB_SHAPE(4), 1));
    assert_near(ebb_item(loss), 6. / 4, 1e-14);
    assert_int_equal(ebb_backward(loss), EBB_OK);
    assert_values(ebb_grad_of(a), -0.5, 0, 0.5, 1);
}

/* ---- leaves and their gradients ------------------------------------------------------------------------------------- */

static void accumulates(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3);
    assert_null(ebb_grad_of(x)); /* absent, not zero */
    assert_int_equal(ebb_backward(ebb_mul(x, x)), EBB_OK);
    assert_values(ebb_grad_of(x), 6);
    assert_int_equal(ebb_backward(ebb_mul(x, scalar(e, 5))), EBB_OK);
    assert_values(ebb_grad_of(x), 11);
    ebb_grad_set(x, NULL);
    assert_null(ebb_grad_of(x));
    ebb_grad_set(x, scalar(e, 4));
    assert_int_equal(ebb_backward(ebb_mul(x, x)), EBB_OK);
    assert_values(ebb_grad_of(x), 10);
}

static void absent_is_not_zero(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3), *other = leaf(e, 1);
    assert_int_equal(ebb_backward(ebb_mul(x, scalar(e, 0))), EBB_OK);
    assert_values(ebb_grad_of(x), 0);
    assert_null(ebb_grad_of(other));
}

static void gradient_survives_its_scope(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3);
    for (int i = 1; i <= 3; i++) {
        ebb_scope *s = ebb_begin(e);
        assert_int_equal(ebb_backward(ebb_mul(x, x)), EBB_OK);
        ebb_end(s);
        assert_values(ebb_grad_of(x), 6. * i);
    }
}

static void leaves(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3), *c = scalar(e, 2), *y = ebb_mul(x, c);
    assert_true(ebb_is_leaf(x));
    assert_true(ebb_is_leaf(c));
    assert_false(ebb_is_leaf(y));
    assert_true(ebb_needs_grad(x));
    assert_false(ebb_needs_grad(c));
    assert_true(ebb_needs_grad(y));
    assert_false(ebb_needs_grad(ebb_mul(c, c)));
    assert_int_equal(ebb_requires_grad(c, true), EBB_OK);
    assert_true(ebb_needs_grad(c));
    assert_int_equal(ebb_requires_grad(c, false), EBB_OK);
    assert_false(ebb_needs_grad(c));
    assert_int_not_equal(ebb_requires_grad(y, true), EBB_OK);
    assert_error(e, EBB_E_GRAPH, "leaf");
}

static void integer_tensors(void **state) {
    ebb *e = *state;
    ebb_tensor *i = ebb_full(e, EBB_I64, EBB_SHAPE(3), 1);
    assert_int_equal(ebb_requires_grad(i, true), EBB_E_GRAPH);
    assert_error(e, EBB_E_GRAPH, "i64|f32|f64");
    ebb_tensor *b = ebb_full(e, EBB_BOOL, EBB_SHAPE(3), 1);
    assert_int_equal(ebb_requires_grad(b, true), EBB_E_GRAPH);
    assert_error(e, EBB_E_GRAPH, "bool");
    ebb_tensor *s = ebb_sum(i);
    assert_int_not_equal(ebb_backward(s), EBB_OK);
    assert_true(ebb_failed(e));
    ebb_error_clear(e);

    ebb_tensor *x = leaf(e, 2); /* comparisons end the graph */
    assert_false(ebb_needs_grad(ebb_gt(x, scalar(e, 1))));
    ebb_tensor *y = ebb_mul(x, x), *g = NULL;
    assert_int_not_equal(ebb_grad(e, 1, &y, NULL, 1, &i, 0, &g), EBB_OK);
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
}

/* ---- ebb_grad --------------------------------------------------------------------------------------------------------- */

static void seeds_and_outputs(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range_leaf(e, EBB_SHAPE(3)), *a = ebb_square(x), *b = ebb_mul(x, scalar(e, 10)), *g = NULL;
    const double sa[] = {1, 2, 3}, sb[] = {0, 1, -1};
    ebb_tensor *out[] = {a, b};
    ebb_tensor *seeds[] = {ebb_tensor_new(e, EBB_F64, EBB_SHAPE(3), sa),
                           ebb_tensor_new(e, EBB_F64, EBB_SHAPE(3), sb)};
    assert_int_equal(ebb_grad(e, 2, out, seeds, 1, &x, EBB_RETAIN, &g), EBB_OK);
    assert_values(g, 0, 4 + 10, 12 - 10);
    assert_null(ebb_grad_of(x));

    assert_int_equal(ebb_grad(e, 1, &b, seeds, 1, &a, EBB_ALLOW_UNUSED, &g), EBB_OK);
    assert_null(g);

    seeds[0] = range(e, EBB_SHAPE(2));
    assert_int_not_equal(ebb_grad(e, 1, &a, seeds, 1, &x, EBB_RETAIN, &g), EBB_OK);
    assert_error(e, EBB_E_SHAPE, "3|2");
    seeds[0] = ebb_full(e, EBB_F32, EBB_SHAPE(3), 1);
    assert_int_not_equal(ebb_grad(e, 1, &a, seeds, 1, &x, EBB_RETAIN, &g), EBB_OK);
    assert_error(e, EBB_E_SHAPE, "f32|f64");
    assert_int_not_equal(ebb_grad(e, 1, &a, NULL, 1, &x, EBB_RETAIN, &g), EBB_OK); /* no seed, three elements */
    assert_error(e, EBB_E_GRAPH, "seed");
}

static void wrt_an_intermediate(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 2), *h = ebb_mul(x, x), *y = ebb_mul(h, ebb_add(h, x)); /* h^2 + h*x: dy/dh = 2h + x */
    ebb_tensor *wrt[] = {h, x, y}, *g[3];
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 3, wrt, 0, g), EBB_OK);
    assert_values(g[0], 10);
    assert_values(g[1], 10 * 4 + 4);
    assert_values(g[2], 1);
}

static void unused(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 2), *z = leaf(e, 1), *y = ebb_mul(x, x), *wrt[] = {x, z}, *g[2] = {NULL, x};
    ebb_name(z, "zed");
    assert_int_not_equal(ebb_grad(e, 1, &y, NULL, 2, wrt, EBB_RETAIN, g), EBB_OK);
    assert_error(e, EBB_E_GRAPH, "depend");
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 2, wrt, EBB_ALLOW_UNUSED, g), EBB_OK);
    assert_values(g[0], 4);
    assert_null(g[1]);
}

/* ---- the life of a graph ------------------------------------------------------------------------------------------------ */

static void twice(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3), *y = ebb_mul(x, x);
    assert_int_equal(ebb_backward_with(y, NULL, EBB_RETAIN), EBB_OK);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(x), 12);
    assert_int_not_equal(ebb_backward(y), EBB_OK);
    assert_error(e, EBB_E_GRAPH, "retain");
    assert_values(ebb_grad_of(x), 12);
    ebb_tensor *z = ebb_mul(x, x); /* a new graph is fine */
    assert_int_equal(ebb_backward(z), EBB_OK);
}

static void partly_spent(void **state) { /* two losses over one trunk, the first backward frees it */
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 2), *h = ebb_mul(x, x), *a = ebb_mul(h, h), *b = ebb_sin(h);
    assert_int_equal(ebb_backward(a), EBB_OK);
    assert_int_not_equal(ebb_backward(b), EBB_OK);
    assert_error(e, EBB_E_GRAPH, "retain");
}

static void needs_a_seed(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range_leaf(e, EBB_SHAPE(2, 3)), *y = ebb_square(x);
    assert_int_not_equal(ebb_backward(y), EBB_OK);
    assert_error(e, EBB_E_GRAPH, "seed|2,3");
    assert_int_equal(ebb_backward_with(y, ebb_full(e, EBB_F64, EBB_SHAPE(2, 3), 1), 0), EBB_OK);
    assert_values(ebb_grad_of(x), 0, 2, 4, 6, 8, 10);
}

static void no_graph(void **state) {
    ebb *e = *state;
    ebb_tensor *c = scalar(e, 2), *y = ebb_mul(c, c);
    assert_int_not_equal(ebb_backward(y), EBB_OK);
    assert_error(e, EBB_E_GRAPH, "grad");
    ebb_tensor *x = leaf(e, 2), *z = ebb_mul(x, x);
    ebb_tape_clear(e);
    assert_values(z, 4);
    assert_int_not_equal(ebb_backward(z), EBB_OK);
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
    assert_int_equal(ebb_backward(x), EBB_OK); /* a leaf by itself: d x/d x */
    assert_values(ebb_grad_of(x), 1);
}

static void detached(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3), *y = ebb_mul(x, ebb_detach(ebb_mul(x, x))); /* x * 9 */
    assert_values(y, 27);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(x), 9);
    assert_false(ebb_needs_grad(ebb_detach(y)));
}

static void not_recorded(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3);
    const int64_t before = ebb_tape_len(e);
    ebb_no_grad_begin(e);
    ebb_no_grad_begin(e);
    ebb_tensor *a = ebb_mul(x, x);
    ebb_no_grad_end(e);
    ebb_tensor *b = ebb_mul(x, x); /* still inside */
    ebb_no_grad_end(e);
    ebb_tensor *c = ebb_mul(x, x);
    assert_false(ebb_needs_grad(a));
    assert_false(ebb_needs_grad(b));
    assert_true(ebb_needs_grad(c));
    assert_int_equal(ebb_tape_len(e), before + 1);
    assert_int_equal(ebb_backward(ebb_add(ebb_mul(a, c), b)), EBB_OK);
    assert_values(ebb_grad_of(x), 54);
    ebb_no_grad_end(e); /* one too many does not turn recording into something else */
    ebb_error_clear(e);
    assert_true(ebb_needs_grad(ebb_mul(x, x)));
}

static void constants_are_not_recorded(void **state) {
    ebb *e = *state;
    ebb_tensor *c = scalar(e, 3);
    for (int i = 0; i < 10; i++) c = ebb_mul(c, c);
    assert_int_equal(ebb_tape_len(e), 0);
    assert_int_equal(ebb_node_of(c), -1);
}

static void tape_walk(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 3);
    ebb_region_begin(e, "outer");
    ebb_region_begin(e, "inner");
    ebb_tensor *h = ebb_mul(x, x);
    ebb_region_end(e);
    ebb_region_end(e);
    ebb_tensor *y = ebb_sin(h);
    assert_int_equal(ebb_tape_len(e), 2);
    ebb_node_info n;
    assert_int_equal(ebb_tape_node(e, ebb_node_of(h), &n), EBB_OK);
    assert_string_equal(n.region, "outer/inner");
    assert_int_equal(n.n_x, 2);
    assert_int_equal(n.n_y, 1);
    assert_int_equal(n.x_node[0], -1);
    assert_ptr_equal(n.x_leaf[0], x);
    assert_false(n.spent);
    assert_int_equal(ebb_tape_node(e, ebb_node_of(y), &n), EBB_OK);
    assert_string_equal(n.region, "");
    assert_int_equal(n.x_node[0], ebb_node_of(h));
    assert_int_equal(n.x_out[0], 0);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_int_not_equal(ebb_tape_node(e, 99, &n), EBB_OK);
    ebb_error_clear(e);
}

static void long_chain(void **state) { /* a million ops, no recursion: x + 1 + 1 ... */
    ebb *e = *state;
    enum { N = 1000000 };
    ebb_tensor *x = leaf(e, 1), *one = scalar(e, 1), *y = x;
    ebb_scope *s = ebb_begin(e);
    for (int i = 0; i < N; i++) y = ebb_add(y, one);
    assert_no_error(e);
    assert_near(ebb_item(y), N + 1, 0);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(x), 1);
    ebb_end(s);
    assert_no_error(e);
}

static void long_product(void **state) { /* saved tensors all along: y <- y*c, c = 1 + 1e-6 */
    ebb *e = *state;
    enum { N = 100000 };
    ebb_tensor *x = leaf(e, 1), *c = leaf(e, 1 + 1e-6), *y = x;
    for (int i = 0; i < N; i++) y = ebb_mul(y, c);
    assert_int_equal(ebb_backward(y), EBB_OK);
    const double p = pow(1 + 1e-6, N);
    assert_near(ebb_item(ebb_grad_of(x)), p, 1e-9);
    assert_near(ebb_item(ebb_grad_of(c)), N * p / (1 + 1e-6), 1e-3);
}

static void abandoned(void **state) { /* a long graph that no backward ever used ends with its scope, in linear time */
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 1), *c = scalar(e, 1.5);
    for (int round = 0; round < 2; round++) {
        ebb_scope *s = ebb_begin(e);
        ebb_tensor *y = x;
        for (int i = 0; i < 200000; i++) y = ebb_tanh(ebb_mul(y, c));
        ebb_end(s);
        assert_int_equal(ebb_tape_len(e), 0);
    }
    assert_no_error(e);
}

static void wide(void **state) { /* one leaf, many users; order of adding is fixed */
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 0.1), *sum = scalar(e, 0);
    for (int i = 1; i <= 2000; i++) sum = ebb_add(sum, ebb_mul(x, scalar(e, i)));
    assert_int_equal(ebb_backward(sum), EBB_OK);
    assert_values(ebb_grad_of(x), 2001000);
}

/* ---- changing tensors ------------------------------------------------------------------------------------------------------ */

static void in_place(void **state) {
    ebb *e = *state;
    ebb_tensor *t = range(e, EBB_SHAPE(3)), *v = ebb_reshape(t, .shape = EBB_SHAPE(3, 1));
    assert_ptr_equal(ebb_add_(t, scalar(e, 1)), t);
    assert_values(t, 1, 2, 3);
    ebb_mul_(t, t);
    assert_values(t, 1, 4, 9);
    assert_values(v, 1, 4, 9);
    assert_null(ebb_add_(t, range(e, EBB_SHAPE(2, 3)))); /* the result would not fit */
    assert_error(e, EBB_E_SHAPE, "add|3");
    assert_values(t, 1, 4, 9);

    ebb_tensor *x = leaf(e, 2);
    assert_null(ebb_add_(x, scalar(e, 1)));
    assert_error(e, EBB_E_CHANGED, "leaf|add");
    assert_values(x, 2);
    ebb_no_grad_begin(e); /* as an optimizer does */
    assert_non_null(ebb_add_(x, scalar(e, 1)));
    ebb_no_grad_end(e);
    assert_values(x, 3);
}

static void saved_then_changed(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range_leaf(e, EBB_SHAPE(3)), *c = range(e, EBB_SHAPE(3));
    ebb_tensor *y = ebb_sum(ebb_mul(x, c)); /* mul keeps c for dx */
    assert_non_null(ebb_add_(c, scalar(e, 1)));
    assert_int_equal(ebb_backward(y), EBB_E_CHANGED);
    assert_error(e, EBB_E_CHANGED, "mul|add"); /* who saved it, who changed it */

    c = range(e, EBB_SHAPE(3));
    y = ebb_sum(ebb_mul(x, c));
    ((double *)ebb_data_mut(c))[0] = 5;
    assert_int_equal(ebb_backward(y), EBB_E_CHANGED);
    assert_error(e, EBB_E_CHANGED, "mul");

    c = range(e, EBB_SHAPE(3)); /* through a view */
    y = ebb_sum(ebb_mul(x, c));
    assert_non_null(ebb_mul_(ebb_reshape(c, .shape = EBB_SHAPE(3, 1)), scalar(e, 2)));
    assert_int_equal(ebb_backward(y), EBB_E_CHANGED);
    assert_error(e, EBB_E_CHANGED, "mul");

    c = range(e, EBB_SHAPE(3)); /* what no rule reads may change */
    y = ebb_sum(ebb_add(x, c));
    ebb_add_(c, scalar(e, 1));
    ebb_grad_set(x, NULL);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_values(ebb_grad_of(x), 1, 1, 1);
}

/* ---- hooks ------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    char log[64];
    double seen;
    int calls;
} hook_log;

static ebb_tensor *tripled(ebb_tensor *t, ebb_tensor *g, void *user) {
    hook_log *l = user;
    UNUSED(t);
    l->seen = ebb_item(g);
    l->calls++;
    strcat(l->log, "3");
    return ebb_mul(g, ebb_full(ebb_tensor_session(g), EBB_F64, EBB_SHAPE0, 3));
}

static ebb_tensor *looked_at(ebb_tensor *t, ebb_tensor *g, void *user) {
    hook_log *l = user;
    UNUSED(t);
    l->seen = ebb_item(g);
    l->calls++;
    strcat(l->log, "L");
    return NULL;
}

static ebb_tensor *wrong_shape(ebb_tensor *t, ebb_tensor *g, void *user) {
    UNUSED(t), UNUSED(user);
    return ebb_full(ebb_tensor_session(g), EBB_F64, EBB_SHAPE(7), 3);
}

static void hooks(void **state) {
    ebb *e = *state;
    hook_log a = {"", 0, 0}, b = {"", 0, 0};
    ebb_tensor *x = leaf(e, 3), *h = ebb_mul(x, x), *y = ebb_mul(h, scalar(e, 2));
    const int64_t ha = ebb_hook_add(h, tripled, &a), hb = ebb_hook_add(h, looked_at, &a),
                  hx = ebb_hook_add(x, looked_at, &b);
    assert_true(ha > 0 && hb > 0 && hx > 0 && ha != hb && hb != hx);
    assert_int_equal(ebb_backward_with(y, NULL, EBB_RETAIN), EBB_OK);
    assert_string_equal(a.log, "3L"); /* in the order they were added */
    assert_near(a.seen, 6, 0);        /* the second sees what the first made of it */
    assert_near(b.seen, 36, 0);
    assert_values(ebb_grad_of(x), 36);

    ebb_hook_remove(e, ha);
    ebb_hook_remove(e, ha);
    ebb_hook_remove(e, 12345);
    assert_false(ebb_failed(e));
    assert_int_equal(ebb_backward_with(y, NULL, EBB_RETAIN), EBB_OK);
    assert_int_equal(a.calls, 3);
    assert_near(a.seen, 2, 0);
    assert_values(ebb_grad_of(x), 36 + 12);

    ebb_hook_remove(e, hb);
    ebb_hook_remove(e, hx);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_int_equal(a.calls + b.calls, 5);
}

static void hook_sees_the_finished_gradient(void **state) { /* once, when all the users of h have been */
    ebb *e = *state;
    hook_log a = {"", 0, 0};
    ebb_tensor *x = leaf(e, 2), *h = ebb_mul(x, x), *y = ebb_add(ebb_mul(h, h), ebb_mul(h, scalar(e, 5)));
    ebb_hook_add(h, looked_at, &a);
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_int_equal(a.calls, 1);
    assert_near(a.seen, 13, 0);
}

static void hook_errors(void **state) {
    ebb *e = *state;
    ebb_tensor *x = leaf(e, 2), *y = ebb_mul(x, x);
    ebb_hook_add(x, wrong_shape, NULL);
    assert_int_not_equal(ebb_backward(y), EBB_OK);
    assert_error(e, EBB_E_SHAPE, "hook");
    assert_int_equal(ebb_hook_add(scalar(e, 1), looked_at, NULL), 0); /* needs no gradient */
    assert_true(ebb_failed(e));
    ebb_error_clear(e);
    assert_int_equal(ebb_hook_add(NULL, looked_at, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(line_squared),
        SESSION_TEST(used_twice),
        SESSION_TEST(cube),
        SESSION_TEST(chain_rule),
        SESSION_TEST(every_order),
        SESSION_TEST(mixed_second),
        SESSION_TEST(second_by_backward),
        SESSION_TEST(matrices),
        SESSION_TEST(broadcast_is_summed_back),
        SESSION_TEST(through_views),
        SESSION_TEST(losses),
        SESSION_TEST(accumulates),
        SESSION_TEST(absent_is_not_zero),
        SESSION_TEST(gradient_survives_its_scope),
        SESSION_TEST(leaves),
        SESSION_TEST(integer_tensors),
        SESSION_TEST(seeds_and_outputs),
        SESSION_TEST(wrt_an_intermediate),
        SESSION_TEST(unused),
        SESSION_TEST(twice),
        SESSION_TEST(partly_spent),
        SESSION_TEST(needs_a_seed),
        SESSION_TEST(no_graph),
        SESSION_TEST(detached),
        SESSION_TEST(not_recorded),
        SESSION_TEST(constants_are_not_recorded),
        SESSION_TEST(tape_walk),
        SESSION_TEST(long_chain),
        SESSION_TEST(long_product),
        SESSION_TEST(abandoned),
        SESSION_TEST(wide),
        SESSION_TEST(in_place),
        SESSION_TEST(saved_then_changed),
        SESSION_TEST(hooks),
        SESSION_TEST(hook_sees_the_finished_gradient),
        SESSION_TEST(hook_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
