/* finding_test.c - each finding on a small step that has it, with the words that tell where; and none on steps that are well. */
#include "../test.h"
#include <ebb/op.h>
#include <ebb/view.h>

/* The finding of that code in a record that is ended here, with these words in its cause; the record is freed. */
static void finds(ebb *e, ebb_recorder *r, const char *code, int32_t severity, const char *words) {
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    assert_no_error(e);
    bool found = false;
    for (int32_t i = 0; i < s->n_findings; i++) {
        const ebb_trace_finding *f = &s->findings[i];
        if (strcmp(s->texts + f->code, code) != 0) continue;
        found = true;
        assert_int_equal(f->severity, severity);
        assert_words(s->texts + f->cause, words);
        assert_true(s->texts[f->title] && s->texts[f->advice]);
        assert_in_range(f->node + 1, 0, s->n_nodes);
        assert_in_range(f->tensor + 1, 0, s->n_tensors);
        break;
    }
    if (!found) {
        for (int32_t i = 0; i < s->n_findings; i++)
            print_error("found: %s: %s\n", s->texts + s->findings[i].code, s->texts + s->findings[i].cause);
        fail_msg("%s is not found", code);
    }
    ebb_record_free(r);
}

static void finds_nothing(ebb *e, ebb_recorder *r) {
    const ebb_trace_step *s = ebb_record_end(r);
    assert_non_null(s);
    assert_no_error(e);
    if (s->n_findings) fail_msg("%s: %s", s->texts + s->findings[0].code, s->texts + s->findings[0].cause);
    ebb_record_free(r);
}

static void every_code_is_told(void **state) {
    UNUSED(state);
    const char *title;
    size_t n = 0;
    for (; ebb_finding_code(n, &title); n++) {
        assert_true(strlen(ebb_finding_code(n, NULL)) > 2 && strlen(title) > 4);
        for (size_t k = 0; k < n; k++)
            assert_string_not_equal(ebb_finding_code(k, NULL), ebb_finding_code(n, NULL));
    }
    assert_true(n >= 10);
    assert_null(title);
}

static void nan_forward(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(2, 2), ebb_ones);
    ebb_tensor *x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(2, 2), (float[]){1, 2, -0.5f, 4});
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_region_begin(e, "head");
    ebb_tensor *y = ebb_name(ebb_log(ebb_name(ebb_mul(w, x), "h")), "score");
    ebb_region_end(e);
    assert_int_equal(ebb_backward(ebb_sum(ebb_exp(y))), EBB_OK);
    finds(e, r, "nan-origin", EBB_SEVERITY_ERROR, "log (score, head)|1 NaN|[1,0]|h is -0.5");
}

static void nan_in_the_data(void **state) {
    ebb *e = *state;
    ebb_tensor *x = ebb_name(ebb_tensor_new(e, EBB_F32, EBB_SHAPE(2), (float[]){1, NAN}), "x");
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_exp(x);
    finds(e, r, "nan-origin", EBB_SEVERITY_ERROR, "x has 1 NaN among 2");
}

static void nan_backward(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_name(ebb_tensor_new(e, EBB_F32, EBB_SHAPE(3), (float[]){1, 0, 4}), "w");
    ebb_requires_grad(w, true);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_sum(ebb_sqrt(w))), EBB_OK);
    finds(e, r, "nan-origin", EBB_SEVERITY_ERROR, "Backward of sqrt|1 Inf|gradient of w|[1], where it is 0");
}

static void overflow(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(3), ebb_ones);
    ebb_tensor *x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(3), (float[]){1, 85, 3});
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *p = ebb_exp(ebb_mul(w, x));
    assert_int_equal(ebb_backward(ebb_mean(ebb_div(p, ebb_sum(p)))), EBB_OK);
    finds(e, r, "unstable-softmax", EBB_SEVERITY_WARNING, "exp|up to 85|88");
    ebb_grad_set(w, NULL);
    float *v = ebb_data_mut(x);
    v[1] = 95;
    r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_mean(ebb_exp(ebb_mul(w, x)))), EBB_OK);
    finds(e, r, "inf", EBB_SEVERITY_ERROR, "exp|1 Inf of 3|[1]|is 95");
}

static void log_of_softmax(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(1, 3), ebb_ones);
    ebb_tensor *x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(1, 3), (float[]){0, 200, 0});
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_log(ebb_softmax(ebb_mul(w, x), .dim = 1));
    finds(e, r, "unstable-softmax", EBB_SEVERITY_WARNING, "log|2 exact zeros of 3|softmax");
}

/* An Inf that is meant and goes nowhere, as in a mask. */
static void masks_are_well(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(2, 2), ebb_xavier);
    ebb_tensor *mask = ebb_tensor_new(e, EBB_BOOL, EBB_SHAPE(2, 2), (uint8_t[]){0, 1, 0, 0});
    ebb_recorder *r = ebb_record_begin(e, NULL);
    ebb_tensor *a = ebb_softmax(ebb_masked_fill(w, mask, .value = -INFINITY), .dim = 1);
    assert_int_equal(ebb_backward(ebb_sum(ebb_square(a))), EBB_OK);
    finds_nothing(e, r);
}

static void gradients_that_stay(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(3), ebb_ones);
    ebb_optim *o = ebb_optim_new(e, "sgd", "lr=0.1");
    assert_int_equal(ebb_backward(ebb_sum(w)), EBB_OK);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_sum(w)), EBB_OK);
    finds_nothing(e, r); /* no step: they may be meant to be added up */
    r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_sum(w)), EBB_OK);
    assert_int_equal(ebb_optim_step(o), EBB_OK);
    finds(e, r, "not-zeroed", EBB_SEVERITY_WARNING, "grad of w|norm 3.464|now it is 5.196");
}

static void no_gradient(void **state) {
    ebb *e = *state;
    ebb_tensor *a = ebb_param(e, "a", EBB_F32, EBB_SHAPE(3), ebb_ones),
               *b = ebb_param(e, "b", EBB_F32, EBB_SHAPE(3), ebb_ones);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_sum(ebb_mul(a, ebb_detach(ebb_neg(b))))), EBB_OK);
    finds(e, r, "no-gradient", EBB_SEVERITY_WARNING, "b is used by neg|does not depend");
}

static void dead_relu(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(5, 4), ebb_xavier);
    ebb_tensor *x = ebb_rand(e, EBB_F32, EBB_SHAPE(6, 4)), *b = ebb_full(e, EBB_F32, EBB_SHAPE(5), -20);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_sum(ebb_relu(ebb_linear(x, w, b)))), EBB_OK);
    finds(e, r, "dead-relu", EBB_SEVERITY_WARNING, "30 of 30|relu|5 of its 5 units");
}

static void saturated(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(4, 8), ebb_xavier);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_sum(ebb_sigmoid(ebb_mul_scalar(w, 300)))), EBB_OK);
    finds(e, r, "saturated", EBB_SEVERITY_WARNING, "of 32|sigmoid|0.001");
    ebb_grad_set(w, NULL);
    r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_sum(ebb_tanh(w))), EBB_OK);
    finds_nothing(e, r);
}

static void vanishing(void **state) {
    ebb *e = *state;
    ebb_tensor *h = ebb_randn(e, EBB_F32, EBB_SHAPE(8, 6));
    ebb_tensor *w[10];
    for (int i = 0; i < 10; i++)
        w[i] = ebb_param(e, (char[]){'w', (char)('0' + i), 0}, EBB_F32, EBB_SHAPE(6, 6), ebb_lecun);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    for (int i = 0; i < 10; i++) h = ebb_sigmoid(ebb_mul_scalar(ebb_linear(h, w[i], NULL), 0.5));
    assert_int_equal(ebb_backward(ebb_mean(ebb_square(h))), EBB_OK);
    finds(e, r, "vanishing-gradient", EBB_SEVERITY_WARNING, "w9|w0|times less");
}

static void exploding(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(2, 2), ebb_ones);
    ebb_recorder *r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_sum(ebb_mul_scalar(w, 1e4))), EBB_OK);
    finds(e, r, "exploding-gradient", EBB_SEVERITY_WARNING, "2e+04|in w");
}

static void rate(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(2, 3), ebb_xavier);
    ebb_optim *o = ebb_optim_new(e, "sgd", "lr=3");
    const float at[] = {0, 1, 2, 3, 4, 5}, grows[] = {1, 0.5f, 2, 7, 9, 30},
                falls[] = {1, 0.9f, 0.7f, 0.8f, 0.5f, 0.4f};
    for (int k = 0; k < 2; k++) {
        ebb_zero_grad(o);
        ebb_recorder *r = ebb_record_begin(e, NULL);
        assert_int_equal(ebb_backward(ebb_sum(ebb_square(w))), EBB_OK);
        assert_int_equal(ebb_optim_step(o), EBB_OK);
        assert_int_equal(ebb_record_series(r, "loss", 6, at, k ? falls : grows), EBB_OK);
        if (k) finds_nothing(e, r);
        else finds(e, r, "exploding-rate", EBB_SEVERITY_WARNING, "fell to 0.5|15.3|moved w by 6");
    }
}

static void symmetric(void **state) {
    ebb *e = *state;
    ebb_tensor *w1 = ebb_param(e, "w1", EBB_F32, EBB_SHAPE(4, 3), ebb_ones),
               *w2 = ebb_param(e, "w2", EBB_F32, EBB_SHAPE(1, 4), ebb_ones);
    ebb_tensor *x = ebb_randn(e, EBB_F32, EBB_SHAPE(10, 3));
    ebb_optim *o = ebb_optim_new(e, "sgd", "lr=0.1");
    ebb_recorder *r = ebb_record_begin(e, NULL);
    assert_int_equal(ebb_backward(ebb_mean(ebb_square(ebb_linear(ebb_tanh(ebb_linear(x, w1, NULL)), w2, NULL)))),
                     EBB_OK);
    assert_int_equal(ebb_optim_step(o), EBB_OK);
    finds(e, r, "symmetric", EBB_SEVERITY_WARNING, "All 4 rows of w1");
}

static void constant_output(void **state) {
    ebb *e = *state;
    ebb_tensor *w = ebb_param(e, "w", EBB_F32, EBB_SHAPE(5, 4), ebb_xavier),
               *v = ebb_param(e, "v", EBB_F32, EBB_SHAPE(2, 5), ebb_xavier),
               *c = ebb_param(e, "c", EBB_F32, EBB_SHAPE(2), ebb_ones);
    ebb_tensor *x = ebb_rand(e, EBB_F32, EBB_SHAPE(9, 4)), *b = ebb_full(e, EBB_F32, EBB_SHAPE(5), -20);
    float at[12], loss[12];
    for (int i = 0; i < 12; i++) at[i] = (float)i + 1, loss[i] = 0.7f;
    for (int later = 0; later < 2; later++) {
        ebb_recorder *r = ebb_record_begin(e, NULL);
        ebb_tensor *z = ebb_name(
            ebb_linear(ebb_sigmoid(ebb_mul(ebb_linear(x, w, b), ebb_full(e, EBB_F32, EBB_SHAPE0, 9))), v, c), "z");
        assert_int_equal(ebb_backward(ebb_mean(ebb_square(z))), EBB_OK);
        assert_int_equal(ebb_record_series(r, "loss", later ? 12 : 1, at, loss), EBB_OK);
        if (later)
            finds(e, r, "constant-output", EBB_SEVERITY_WARNING,
                  "After 12 steps|all 9 rows of the result of square");
        else finds(e, r, "saturated", EBB_SEVERITY_WARNING, "45 of 45|sigmoid");
    }
}

/* A net that learns: nothing is wrong in any of its first steps. */
static void a_healthy_net(void **state) {
    ebb *e = *state;
    ebb_seed(e, 3);
    ebb_tensor *w1 = ebb_param(e, "w1", EBB_F32, EBB_SHAPE(16, 2), ebb_kaiming),
               *b1 = ebb_param(e, "b1", EBB_F32, EBB_SHAPE(16), NULL),
               *w2 = ebb_param(e, "w2", EBB_F32, EBB_SHAPE(1, 16), ebb_xavier),
               *b2 = ebb_param(e, "b2", EBB_F32, EBB_SHAPE(1), NULL);
    const float in[] = {0, 0, 0, 1, 1, 0, 1, 1}, out[] = {0, 1, 1, 0};
    ebb_tensor *x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(4, 2), in),
               *t = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(4, 1), out);
    ebb_optim *o = ebb_optim_new(e, "adamw", "lr=0.02");
    float loss[60], at[60];
    for (int i = 0; i < 60; i++) {
        ebb_scope *s = ebb_begin(e);
        ebb_recorder *r = ebb_record_begin(e, NULL);
        ebb_tensor *l = ebb_mse_loss(ebb_sigmoid(ebb_linear(ebb_relu(ebb_linear(x, w1, b1)), w2, b2)), t);
        ebb_zero_grad(o);
        assert_int_equal(ebb_backward(l), EBB_OK);
        assert_int_equal(ebb_optim_step(o), EBB_OK);
        at[i] = (float)i;
        loss[i] = (float)ebb_item(l);
        ebb_record_series(r, "loss", i + 1, at, loss);
        finds_nothing(e, r);
        ebb_end(s);
    }
    assert_true(loss[59] < loss[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_is_told),
        SESSION_TEST(nan_forward),
        SESSION_TEST(nan_in_the_data),
        SESSION_TEST(nan_backward),
        SESSION_TEST(overflow),
        SESSION_TEST(log_of_softmax),
        SESSION_TEST(masks_are_well),
        SESSION_TEST(gradients_that_stay),
        SESSION_TEST(no_gradient),
        SESSION_TEST(dead_relu),
        SESSION_TEST(saturated),
        SESSION_TEST(vanishing),
        SESSION_TEST(exploding),
        SESSION_TEST(rate),
        SESSION_TEST(symmetric),
        SESSION_TEST(constant_output),
        SESSION_TEST(a_healthy_net),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
