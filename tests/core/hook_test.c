/* hook_test.c - hooks on accumulated gradients, and on the calls of an op or a region. */
#include "../test.h"
#include <ebb/op.h>

static ebb_tensor *vec(ebb *e, double a, double b) {
    const double v[] = {a, b};
    ebb_tensor *t = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(2), v);
    assert_int_equal(ebb_requires_grad(t, true), EBB_OK);
    return t;
}

/* ---- accumulated ------------------------------------------------------------------------------------------------------ */

typedef struct seen {
    int runs;
    double sum;
} seen;

static ebb_status reads(ebb_tensor *leaf, void *user) {
    seen *s = user;
    s->runs++;
    s->sum = ebb_at(ebb_grad_of(leaf), 0) + ebb_at(ebb_grad_of(leaf), 1);
    return EBB_OK;
}

/* A step of its own as soon as the gradient is there, which is then let go. */
static ebb_status steps(ebb_tensor *leaf, void *user) {
    const ebb_tensor *g = ebb_grad_of(leaf);
    double *w = ebb_data_mut(leaf);
    for (int i = 0; i < 2; i++) w[i] -= *(const double *)user * ebb_at(g, i);
    ebb_grad_set(leaf, NULL);
    return EBB_OK;
}

static ebb_status refuses(ebb_tensor *leaf, void *user) {
    UNUSED(leaf), UNUSED(user);
    return EBB_E_VALUE;
}

static void accumulated_runs_when_grad_is_whole(void **state) {
    ebb *e = *state;
    seen s = {0};
    ebb_tensor *w = vec(e, 1, 2);
    const int64_t h = ebb_hook_accumulated(w, reads, &s);
    assert_true(h > 0);
    assert_int_equal(ebb_backward(ebb_sum(ebb_add(ebb_square(w), w))), EBB_OK); /* 2w + 1, from two paths */
    assert_int_equal(s.runs, 1);
    assert_true(s.sum == 8);
    assert_int_equal(ebb_backward(ebb_sum(w)), EBB_OK);
    assert_int_equal(s.runs, 2);
    assert_true(s.sum == 10); /* of all that is there, not of the contribution */
    ebb_tensor *y = ebb_sum(w), *g = NULL;
    assert_int_equal(ebb_grad(e, 1, &y, NULL, 1, &w, 0, &g), EBB_OK); /* leaves .grad alone */
    assert_int_equal(s.runs, 2);
    ebb_hook_remove(e, h);
    assert_int_equal(ebb_backward(ebb_sum(w)), EBB_OK);
    assert_int_equal(s.runs, 2);
}

static void accumulated_may_step_and_clear(void **state) {
    ebb *e = *state;
    double lr = 0.5;
    ebb_tensor *w = vec(e, 1, 2);
    assert_true(ebb_hook_accumulated(w, steps, &lr) > 0);
    assert_int_equal(ebb_backward(ebb_sum(ebb_mul(w, w))), EBB_OK);
    assert_values(w, 0, 0);
    assert_null(ebb_grad_of(w));
}

static void accumulated_may_stop(void **state) {
    ebb *e = *state;
    ebb_tensor *w = vec(e, 1, 2);
    assert_true(ebb_hook_accumulated(w, refuses, NULL) > 0);
    assert_int_equal(ebb_backward(ebb_sum(w)), EBB_E_VALUE);
    assert_error(e, EBB_E_VALUE, "hook|f64[2]");
    assert_int_equal(ebb_hook_accumulated(ebb_square(w), reads, NULL), 0);
    assert_error(e, EBB_E_GRAPH, "ebb_hook_accumulated|no leaf");
    assert_int_equal(ebb_hook_accumulated(w, NULL, NULL), 0);
    assert_error(e, EBB_E_ARG, "ebb_hook_accumulated|NULL");
}

/* ---- ops and regions ------------------------------------------------------------------------------------------------------ */

typedef struct record {
    char text[200];
    int64_t remove; /* this one, when it runs */
} record;

static ebb_status notes(ebb *e, const ebb_event *ev, void *user) {
    record *l = user;
    const size_t n = strlen(l->text);
    char s[60];
    ebb_info info;
    ebb_tensor_info(ev->kind == EBB_EV_OP ? ev->y[0] : ev->dx, &info);
    snprintf(s, sizeof s, "%s%s@%s;", ev->kind == EBB_EV_OP ? "" : "d", info.ndim == 1 ? "vector" : "number",
             ev->region);
    snprintf(l->text + n, sizeof l->text - n, "%s", s);
    if (l->remove) ebb_hook_remove(e, l->remove);
    return EBB_OK;
}

static ebb_status stops(ebb *e, const ebb_event *ev, void *user) {
    UNUSED(user), UNUSED(ev);
    return ebb_fail(e, EBB_E_VALUE, "enough");
}

static ebb_tensor *model(ebb *e, ebb_tensor *w) {
    ebb_region_begin(e, "block");
    ebb_tensor *a = ebb_exp(w);
    ebb_region_begin(e, "inner");
    ebb_tensor *b = ebb_sin(ebb_exp(a));
    ebb_region_end(e);
    ebb_region_end(e);
    ebb_region_begin(e, "blockade"); /* begins alike, but is another */
    ebb_tensor *c = ebb_exp(b);
    ebb_region_end(e);
    return ebb_sum(c);
}

static void on_an_op_and_a_region(void **state) {
    ebb *e = *state;
    record op = {"", 0}, region = {"", 0}, both = {"", 0}, back = {"", 0};
    ebb_tensor *w = vec(e, 0.1, 0.2);
    assert_true(ebb_hook_forward(e, "exp", NULL, notes, &op) > 0);
    assert_true(ebb_hook_forward(e, NULL, "block", notes, &region) > 0);
    assert_true(ebb_hook_forward(e, "exp", "block/inner", notes, &both) > 0);
    assert_true(ebb_hook_backward(e, "exp", "block", notes, &back) > 0);
    ebb_tensor *y = model(e, w);
    assert_string_equal(op.text, "vector@block;vector@block/inner;vector@blockade;");
    assert_string_equal(region.text, "vector@block;vector@block/inner;vector@block/inner;");
    assert_string_equal(both.text, "vector@block/inner;");
    assert_string_equal(back.text, "");
    assert_int_equal(ebb_backward(y), EBB_OK);
    assert_string_equal(back.text, "dvector@block/inner;dvector@block;");
}

static void removed_even_while_it_runs(void **state) {
    ebb *e = *state;
    record l = {"", 0};
    ebb_tensor *w = vec(e, 1, 2);
    l.remove = ebb_hook_forward(e, "exp", NULL, notes, &l);
    ebb_exp(w);
    ebb_exp(w);
    assert_string_equal(l.text, "vector@;");
    ebb_hook_remove(e, l.remove); /* again: nothing */
    ebb_hook_remove(e, 12345);
    assert_no_error(e);
}

static void a_hook_stops_what_runs(void **state) {
    ebb *e = *state;
    ebb_tensor *w = vec(e, 1, 2), *y = ebb_sum(ebb_exp(w));
    const int64_t h = ebb_hook_forward(e, "sin", NULL, stops, NULL),
                  b = ebb_hook_backward(e, "exp", NULL, stops, NULL);
    assert_null(ebb_sin(w));
    assert_error(e, EBB_E_VALUE, "enough");
    assert_int_equal(ebb_backward(y), EBB_E_VALUE);
    assert_error(e, EBB_E_VALUE, "enough");
    assert_null(ebb_grad_of(w));
    ebb_hook_remove(e, h);
    ebb_hook_remove(e, b);
    assert_non_null(ebb_sin(w));
    assert_int_equal(ebb_hook_forward(e, "sine", NULL, stops, NULL), 0);
    assert_error(e, EBB_E_NAME, "sine|sin");
    assert_int_equal(ebb_hook_backward(e, "sin", NULL, NULL, NULL), 0);
    assert_error(e, EBB_E_ARG, "ebb_hook_backward|NULL");
}

/* ---- events ------------------------------------------------------------------------------------------------------------ */

/* One letter for each event: the op's first, with what it was called as. */
static ebb_status writes(ebb *e, const ebb_event *ev, void *user) {
    char *log = user;
    UNUSED(e);
    const char kind[] = " oRbeLS";
    if (ev->op)
        snprintf(log + strlen(log), 200 - strlen(log), "%s%s%s:", ev->op->name, ev->inside ? "*" : "",
                 ev->in_place ? "_" : "");
    snprintf(log + strlen(log), 200 - strlen(log), "%c ", kind[ev->kind]);
    return EBB_OK;
}

static void listen(ebb *e, char *log) {
    log[0] = 0;
    for (int k = EBB_EV_OP; k <= EBB_EV_STEP; k++)
        assert_true(ebb_hook_event(e, (ebb_event_kind)k, writes, log) > 0);
}

static ebb_status negates(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y) {
    UNUSED(e), UNUSED(user), UNUSED(n_x), UNUSED(n_y);
    y[0] = ebb_neg(x[0]);
    return y[0] ? EBB_OK : EBB_E_MEMORY;
}
static ebb_status negates_back(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y,
                               ebb_tensor *const *y, ebb_tensor *const *g, ebb_tensor **dx) {
    UNUSED(e), UNUSED(user), UNUSED(n_x), UNUSED(x), UNUSED(n_y), UNUSED(y);
    dx[0] = ebb_neg(g[0]);
    return dx[0] ? EBB_OK : EBB_E_MEMORY;
}

/* Functions of the user's are one call, what they are made of is inside; so is what an optimizer or clipping calls. */
static void events_of_every_kind(void **state) {
    ebb *e = *state;
    char log[200];
    ebb_tensor *w = ebb_param(e, "w", EBB_F64, EBB_SHAPE(1), ebb_ones), *y = NULL;
    ebb_function *f = ebb_function_new(e, "negates", negates, negates_back, NULL);
    ebb_optim *o = ebb_optim_new(e, "sgd", "lr=1");
    listen(e, log);
    assert_int_equal(ebb_function_call(f, 1, &w, 1, &y), EBB_OK);
    assert_int_equal(ebb_backward(y), EBB_OK);
    ebb_grads(e, "clip_value", "clip_value=0.5");
    assert_int_equal(ebb_optim_step(o), EBB_OK);
    assert_string_equal(log, "neg*:o negates:o b neg*:o negates:R L e clamp*:o S ");
}

/* Each write in place is one event of the tensor itself, whichever way the result comes about. */
static void events_in_place(void **state) {
    ebb *e = *state;
    char log[200];
    ebb_tensor *x = range(e, EBB_SHAPE(2, 2));
    listen(e, log);
    ebb_add_(x, x);
    ebb_add_(x, ebb_transpose(x, .dim0 = 0, .dim1 = 1)); /* reads the memory it writes: made elsewhere */
    assert_values(x, 0, 6, 6, 12);
    assert_string_equal(log, "add_:o transpose:o add_:o ");
}

static void events_are_refused(void **state) {
    ebb *e = *state;
    char log[8];
    assert_int_equal(ebb_hook_event(e, (ebb_event_kind)9, writes, log), 0);
    assert_error(e, EBB_E_ARG, "number 9");
    assert_int_equal(ebb_hook_event(e, EBB_EV_STEP, NULL, NULL), 0);
    assert_error(e, EBB_E_ARG, "ebb_hook_event|NULL");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(accumulated_runs_when_grad_is_whole),
        SESSION_TEST(accumulated_may_step_and_clear),
        SESSION_TEST(accumulated_may_stop),
        SESSION_TEST(on_an_op_and_a_region),
        SESSION_TEST(removed_even_while_it_runs),
        SESSION_TEST(a_hook_stops_what_runs),
        SESSION_TEST(events_of_every_kind),
        SESSION_TEST(events_in_place),
        SESSION_TEST(events_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
