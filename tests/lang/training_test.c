/* training_test.c - steps, batches, evaluation, predictions: what they do to the model and what they leave alone; the same bits always. */
#include "../test.h"
#include <ebb/lang.h>

static const char *const moons = "data moons batch 32 n=200\n"
                                 "W1 = param(2, 8) ~ kaiming\n"
                                 "b1 = param(8)\n"
                                 "h = dropout(relu(x @ W1 + b1), p=0.2)\n"
                                 "W2 = param(8, 2) ~ kaiming\n"
                                 "z = h @ W2\n"
                                 "predict p = softmax(z, dim=1)\n"
                                 "loss = cross_entropy(z, y)\n"
                                 "metric accuracy = accuracy(z, y)\n"
                                 "metric size_of_batch = size(x, 0)\n"
                                 "train adamw lr=1e-2 steps=60 clip=1.0 schedule=cosine warmup=5\n";

static ebb_model *model(ebb *e, const char *text) {
    ebb_model *m = ebb_model_new(e, "test", text);
    if (!m || ebb_failed(e)) fail_msg("%s", ebb_error(e));
    return m;
}

static double steps(ebb_model *m, int n) {
    ebb_step s = {.size = sizeof s, .loss = NAN};
    for (int i = 0; i < n; i++) assert_int_equal(ebb_model_step(m, &s), EBB_OK);
    return s.loss;
}

static void learns(void **state) {
    ebb *e = *state;
    ebb_model *m = model(e, moons);
    ebb_step s = {.size = sizeof s};
    assert_int_equal(ebb_model_step(m, &s), EBB_OK);
    const double first = s.loss;
    assert_int_equal(s.step, 1);
    assert_near(s.lr, 1e-2 / 5, 1e-12);
    assert_true(s.grad_norm > 0 && s.seconds > 0);
    assert_near(s.metric[1], 32, 0);
    assert_true(isnan(s.metric[2]));
    const double last = steps(m, 59);
    assert_true(last < 0.5 * first);
    assert_int_equal(ebb_model_steps_done(m), 60);
    double held[3];
    assert_int_equal(ebb_model_evaluate(m, 3, held), EBB_OK);
    assert_true(held[0] > 0.75 && held[0] <= 1 && held[1] == 40 && held[2] < 0.6);
    ebb_model_free(m);
    assert_no_error(e);
}

static void information(void **state) {
    ebb *e = *state;
    ebb_model *m = model(e, moons);
    ebb_model_info i = {.size = sizeof i};
    ebb_model_info_of(m, &i);
    assert_true(i.trains && i.plane);
    assert_string_equal(i.optimizer, "adamw");
    assert_string_equal(i.dataset, "moons");
    assert_string_equal(i.predict, "p");
    assert_int_equal(i.steps, 60);
    assert_int_equal(i.batch, 32);
    assert_int_equal(i.n_train, 160);
    assert_int_equal(i.n_held, 40);
    assert_int_equal(i.classes, 2);
    assert_int_equal(i.parameters, 2 * 8 + 8 + 8 * 2);
    assert_int_equal(i.n_metrics, 2);
    assert_int_equal(i.image_rows, 0);
    assert_string_equal(ebb_model_metric_name(m, 1), "size_of_batch");
    assert_null(ebb_model_metric_name(m, 2));
    ebb_model_free(m);
}

/* The same bits for any number of threads, and again after a restart; looking on in between changes nothing. */
static void same_bits(void **state) {
    UNUSED(state);
    double want = 0;
    for (int threads = 1; threads <= 8; threads = threads == 1 ? 2 : threads * 4) {
        const ebb_options o = {.size = sizeof o, .threads = threads, .grain = 16, .seed = 5};
        ebb *e = ebb_open(&o);
        ebb_model *m = model(e, moons);
        double got = steps(m, 25);
        if (threads == 1) want = got;
        assert_true(got == want);
        assert_int_equal(ebb_model_restart(m), EBB_OK);
        assert_int_equal(ebb_model_steps_done(m), 0);
        for (int i = 0; i < 25; i++) {
            double out[3];
            ebb_scope *s = ebb_begin(e);
            ebb_model_evaluate(m, 3, out);
            ebb_model_predict(m, ebb_model_examples(m, true, 3, 7, NULL));
            ebb_model_forward(m);
            ebb_randn(e, EBB_F32, EBB_SHAPE(3));
            ebb_end(s);
            got = steps(m, 1);
        }
        assert_true(got == want);
        assert_int_equal(ebb_model_reseed(m, 77), EBB_OK);
        assert_true(steps(m, 25) != want);
        ebb_model_free(m);
        assert_no_error(e);
        ebb_close(e);
    }
}

static void seeds(void **state) {
    UNUSED(state);
    double loss[3];
    for (int k = 0; k < 3; k++) { /* the text's seed goes before the session's */
        const ebb_options o = {.size = sizeof o, .seed = k < 2 ? (uint64_t)k : 9};
        ebb *e = ebb_open(&o);
        ebb_model *m = model(
            e, k < 2 ? "data moons\nW = param(2, 2) ~ normal(std=1)\nloss = mean(x @ W)\ntrain sgd lr=0.1 seed=3"
                     : "data moons\nW = param(2, 2) ~ normal(std=1)\nloss = mean(x @ W)\ntrain sgd lr=0.1 seed=4");
        loss[k] = steps(m, 2);
        ebb_model_free(m);
        ebb_close(e);
    }
    assert_true(loss[0] == loss[1] && loss[0] != loss[2]);
}

/* An epoch shows every example once; shuffle=no keeps their order. */
static void batches(void **state) {
    ebb *e = *state;
    float x[12];
    for (int i = 0; i < 12; i++) x[i] = (float)i;
    const ebb_dataset d = {.size = sizeof d,
                           .name = "row",
                           .doc = "numbers",
                           .n_train = 9,
                           .x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(12, 1), x)};
    assert_int_equal(ebb_dataset_add(e, &d), EBB_OK);
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        char text[160];
        snprintf(text, sizeof text,
                 "data row batch 3 as v shuffle=%d\nw = param(1)\nloss = mean(v * w)\ntrain sgd lr=0.1", shuffle);
        ebb_model *m = model(e, text);
        int epochs_alike = 0, first[9];
        for (int epoch = 0; epoch < 3; epoch++) {
            int count[9] = {0}, same = 0;
            for (int b = 0; b < 3; b++) {
                ebb_scope *s = ebb_begin(e);
                assert_int_equal(ebb_model_step_open(m, NULL), EBB_OK);
                for (int i = 0; i < 3; i++) {
                    const int v = (int)ebb_at(ebb_model_value(m, "v"), i);
                    assert_in_range(v, 0, 8);
                    count[v]++;
                    if (!shuffle) assert_int_equal(v, 3 * b + i);
                    if (!epoch) first[3 * b + i] = v;
                    same += first[3 * b + i] == v;
                }
                ebb_end(s);
            }
            for (int i = 0; i < 9; i++) assert_int_equal(count[i], 1);
            epochs_alike += same == 9;
        }
        assert_int_equal(epochs_alike, shuffle ? 1 : 3);
        ebb_tensor *y;
        ebb_scope *s = ebb_begin(e);
        assert_values(ebb_model_examples(m, true, 1, 2, &y), 10, 11);
        assert_null(y);
        assert_null(ebb_model_examples(m, true, 1, 3, NULL));
        assert_error(e, EBB_E_INDEX, "of 3");
        ebb_end(s);
        ebb_model_free(m);
    }
}

static void predictions(void **state) {
    ebb *e = *state;
    ebb_model *m =
        model(e, "data blobs batch 20\nW = param(2, 3) ~ zeros\nloss = cross_entropy(x @ W, y)\n"
                 "predict p = softmax(x @ W, dim=1) * (1 - training)\nafter = p.reshape(20, 3)\ntrain sgd lr=1");
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *p = ebb_model_predict(m, ebb_full(e, EBB_F32, EBB_SHAPE(5, 2), 0.5)); /* stops there: 5 rows are fine */
    assert_int_equal(ebb_size(p, 0), 5);
    assert_near(ebb_at(p, 0), 1.0 / 3, 1e-6);
    assert_false(ebb_needs_grad(p));
    assert_null(ebb_model_value(m, "after"));
    ebb_end(s);
    ebb_model_free(m);
    m = model(e, "x = input(4, 2)\nv = x * 3\npredict v");
    s = ebb_begin(e);
    ebb_tensor *a = ebb_model_forward(m), *b = ebb_model_forward(m);
    for (int i = 0; i < 8; i++) assert_true(ebb_at(a, i) == ebb_at(b, i)); /* its input stays */
    assert_values(ebb_model_predict(m, ebb_full(e, EBB_F32, EBB_SHAPE(1, 2), 2)), 6, 6);
    ebb_end(s);
    ebb_model_free(m);
    assert_no_error(e);
}

static void images(void **state) {
    ebb *e = *state;
    uint8_t pixels[16 + 10 * 6] = {0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 3},
                             labels[8 + 10] = {0, 0, 8, 1, 0, 0, 0, 10};
    for (int i = 0; i < 10; i++) {
        labels[8 + i] = (uint8_t)(i % 4);
        for (int k = 0; k < 6; k++) pixels[16 + 6 * i + k] = (uint8_t)(i % 4);
    }
    assert_int_equal(ebb_dataset_idx(e, "tiny", pixels, sizeof pixels, labels, sizeof labels, 4), EBB_OK);
    ebb_model *m = model(
        e, "data tiny batch 4\nimages = x.reshape(-1, 2, 3)\nx = input(4, 1, 2, 3)\nright = x[:, 0, 0, 0] * 4 == y");
    ebb_model_info i = {.size = sizeof i};
    ebb_model_info_of(m, &i);
    assert_int_equal(i.image_rows, 2);
    assert_int_equal(i.image_cols, 3);
    assert_int_equal(i.classes, 4);
    assert_int_equal(i.n_train, 8);
    ebb_scope *s = ebb_begin(e);
    ebb_model_forward(m);
    assert_int_equal(ebb_ndim(ebb_model_value(m, "x")), 4);
    assert_values(ebb_model_value(m, "right"), 1, 1, 1, 1); /* pixels and labels stay together */
    ebb_end(s);
    ebb_model_free(m);
    assert_no_error(e);
    assert_int_equal(ebb_dataset_idx(e, "cut", pixels, sizeof pixels - 1, labels, sizeof labels, 4), EBB_E_IO);
    assert_error(e, EBB_E_IO, "cut|59");
    pixels[2] = 9;
    assert_int_equal(ebb_dataset_idx(e, "kind", pixels, sizeof pixels, labels, sizeof labels, 4), EBB_E_IO);
    assert_error(e, EBB_E_IO, "kind|00000903");
    assert_int_equal(ebb_dataset_idx(e, "moons", pixels, sizeof pixels, labels, sizeof labels, 4), EBB_E_IO);
    ebb_error_clear(e);
    const ebb_dataset d = {
        .size = sizeof d, .name = "moons", .x = ebb_full(e, EBB_F32, EBB_SHAPE(2, 2), 1), .n_train = 2};
    assert_int_equal(ebb_dataset_add(e, &d), EBB_E_NAME);
    assert_error(e, EBB_E_NAME, "built in");
}

static int loads;
static ebb_status load(ebb *e, const char *name, void *user) {
    loads++;
    assert_ptr_equal(user, &loads);
    const ebb_dataset d = {
        .size = sizeof d, .name = name, .x = ebb_full(e, EBB_F32, EBB_SHAPE(4, 2), 1), .n_train = 4};
    return ebb_dataset_add(e, &d);
}
static void loaded_when_asked_for(void **state) {
    ebb *e = *state;
    assert_int_equal(ebb_dataset_source(e, "late", "comes late", load, &loads), EBB_OK);
    bool listed = false;
    for (size_t i = 0; ebb_dataset_name(e, i); i++)
        listed = listed || !strcmp(ebb_dataset_name(e, i), "late");
    assert_true(listed && loads == 0);
    for (int k = 0; k < 2; k++) ebb_model_free(model(e, "data late\nv = sum(x)"));
    assert_int_equal(loads, 1);
}

static void generated(void **state) {
    static const char *const text[] = {
        "data reverse n=20 classes=5 length=4\nv = sum(x != flip(y, (1,)))",
        "data sort n=20 classes=5 length=4\na, i = sort(x, dim=1)\nv = sum(a != y)",
        "data echo n=20 classes=5 length=4\nv = sum(x[:, :-2] != y[:, 2:]) + sum(y[:, :2])",
        "data xor\nv = sum((x[:, 0] != x[:, 1]) != y)",
        "data circles noise=0 classes=3\nr = sqrt(sum(x ** 2, dim=1))\nv = sum(abs(r * 3 - 1 - y) > 1e-5)",
        "data sine noise=0\nv = sum(abs(sin(x) - y) > 1e-6)",
        "data moons n=10\nv = sum(y) - 4",
        "data spirals n=60 classes=3 noise=0\nv = sum(sum(x ** 2, dim=1) > 1.0001)",
        "data blobs n=60 classes=4 noise=0\nv = sum(abs(sum(x ** 2, dim=1) - 1) > 1e-5)",
    };
    ebb *e = *state;
    for (size_t i = 0; i < COUNT(text); i++) {
        ebb_scope *s = ebb_begin(e);
        ebb_model *m = model(e, text[i]);
        ebb_model_forward(m);
        if (ebb_item(ebb_model_value(m, "v")) != 0)
            fail_msg("%s: %g", text[i], ebb_item(ebb_model_value(m, "v")));
        ebb_model_free(m);
        ebb_end(s);
    }
}

/* What goes wrong in a step. */
static void wrong_steps(void **state) {
    ebb *e = *state;
    ebb_model *m = model(e, "W = param(2) ~ ones\nloss = sum(W) / 0\ntrain sgd lr=1");
    ebb_step s = {.size = sizeof s};
    for (int i = 0; i < 2; i++) { /* it may be repeated */
        assert_int_equal(ebb_model_step(m, &s), EBB_E_VALUE);
        assert_int_equal(s.step, i + 1);
        assert_null(ebb_model_problem(m));
        assert_error(e, EBB_E_VALUE, "loss of step");
    }
    ebb_model_free(m);
    m = model(e, "W = param(2) ~ ones\nloss = W * 2\ntrain sgd lr=1");
    assert_int_equal(ebb_model_step(m, &s), EBB_E_SHAPE);
    assert_int_equal(ebb_model_problem(m)->span.line, 2);
    assert_error(e, EBB_E_SHAPE, "loss is one number");
    ebb_model_free(m);
    m = model(e, "W = param(2) ~ ones\nloss = sum(detach(W))\ntrain sgd lr=1");
    assert_int_equal(ebb_model_step(m, &s), EBB_E_GRAPH);
    assert_int_equal(ebb_model_problem(m)->span.line, 2);
    ebb_error_clear(e);
    ebb_model_free(m);
}

static void not_zeroed(void **state) {
    ebb *e = *state;
    for (int zero = 0; zero < 2; zero++) {
        ebb_model *m = model(e, zero ? "W = param(1)\nloss = sum(W)\ntrain sgd lr=1"
                                     : "W = param(1)\nloss = sum(W)\ntrain sgd lr=1 zero_grad=no");
        steps(m, 3);
        assert_values(ebb_param_at(e, 0), zero ? -3 : -6);
        ebb_model_free(m);
    }
}

static void schedules(void **state) {
    static const struct {
        const char *text;
        double lr[4];
    } cases[] = {{"schedule=linear", {1, 0.75, 0.5, 0.25}},
                 {"schedule=cosine", {1, 0.853553390593, 0.5, 0.146446609407}},
                 {"schedule=linear warmup=2", {0.5, 1, 1, 0.5}},
                 {"", {1, 1, 1, 1}}};
    ebb *e = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[160];
        snprintf(text, sizeof text, "W = param(1)\nloss = sum(W)\ntrain sgd lr=1 steps=4 %s", cases[i].text);
        ebb_model *m = model(e, text);
        double w = 0;
        for (int k = 0; k < 4; k++) {
            ebb_step s = {.size = sizeof s};
            assert_int_equal(ebb_model_step(m, &s), EBB_OK);
            assert_near(s.lr, cases[i].lr[k], 1e-9);
            assert_near(ebb_at(ebb_param_at(e, 0), 0), w -= cases[i].lr[k], 1e-6);
        }
        ebb_model_free(m);
    }
}

/* ---- the gradient of a whole model ---- */

static void on_check(void *user, const ebb_model_check *c) {
    int *n = user;
    assert_true(c->passed && *c->parameter);
    (*n)++;
}
static void gradient_checked(void **state) {
    ebb *e = *state;
    int n = 0;
    ebb_model *m = model(e, moons);
    steps(m, 3);
    const int64_t done = ebb_model_steps_done(m);
    assert_int_equal(ebb_model_gradcheck(m, 4, on_check, &n), EBB_OK);
    assert_int_equal(n, 12);
    assert_int_equal(ebb_model_steps_done(m), done);
    ebb_model_free(m);
    /* d round(W) is taken as 0, differences see steps; and no derivative at all at a root of 0 */
    m = model(e, "W = param(3) ~ normal(std=1)\nloss = sum(where(W > 100, W, detach(W)) * W)\ntrain sgd lr=1");
    assert_int_equal(ebb_model_gradcheck(m, 0, NULL, NULL), EBB_E_VERIFY);
    assert_error(e, EBB_E_VERIFY, "3 of 3|W[");
    ebb_model_free(m);
    m = model(e, "v = 1");
    assert_int_equal(ebb_model_gradcheck(m, 0, NULL, NULL), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "no loss");
    ebb_model_free(m);
}

/* A step leaves nothing behind. */
static void no_growth(void **state) {
    ebb *e = *state;
    ebb_model *m = model(e, moons);
    ebb_memory a, b;
    double out[3];
    steps(m, 12);
    ebb_model_evaluate(m, 3, out);
    ebb_memory_stats(e, &a);
    steps(m, 40);
    ebb_model_evaluate(m, 3, out);
    ebb_memory_stats(e, &b);
    assert_int_equal(a.tensors, b.tensors);
    assert_int_equal(a.in_use, b.in_use);
    ebb_model_free(m);
    ebb_memory_stats(e, &b);
    assert_int_equal(b.tensors, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(learns),           SESSION_TEST(information),
        cmocka_unit_test(same_bits),    cmocka_unit_test(seeds),
        SESSION_TEST(batches),          SESSION_TEST(predictions),
        SESSION_TEST(images),           SESSION_TEST(loaded_when_asked_for),
        SESSION_TEST(generated),        SESSION_TEST(wrong_steps),
        SESSION_TEST(not_zeroed),       SESSION_TEST(schedules),
        SESSION_TEST(gradient_checked), SESSION_TEST(no_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
