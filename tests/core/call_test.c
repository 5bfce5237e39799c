/* call_test.c - ops by name with attributes as text, and what every kind of wrong call is told. */
#include "../test.h"

static ebb_tensor *call1(ebb *e, const char *op, ebb_tensor *x, const char *attrs) {
    ebb_tensor *y = NULL;
    return ebb_call_named(e, op, 1, &x, attrs, 1, &y) < 0 ? NULL : y;
}
static ebb_tensor *call2(ebb *e, const char *op, ebb_tensor *a, ebb_tensor *b, const char *attrs) {
    ebb_tensor *x[] = {a, b}, *y = NULL;
    return ebb_call_named(e, op, 2, x, attrs, 1, &y) < 0 ? NULL : y;
}

/* The call fails with that code and words, and the session is as good as before. */
static void refused(ebb *e, const char *op, int n, ebb_tensor *const *x, const char *attrs, ebb_status code,
                    const char *words) {
    ebb_tensor *y = NULL;
    const int out = ebb_call_named(e, op, n, x, attrs, 1, &y);
    if (out >= 0) fail_msg("%s %s was accepted", op, attrs ? attrs : "");
    assert_null(y);
    check_error(e, code, words, op, (int)n);
}

static void by_name(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range(e, EBB_SHAPE(2, 3)), *y = NULL;
    assert_values(call2(e, "add", x, x, NULL), 0, 2, 4, 6, 8, 10);
    assert_values(call1(e, "neg", x, ""), 0, -1, -2, -3, -4, -5);
    assert_values(call1(e, "sum", x, NULL), 15);
    assert_values(call1(e, "sum", x, "dim=0"), 3, 5, 7);
    ebb_tensor *kept = call1(e, "sum", x, "dim=1 keepdim=1");
    assert_values(kept, 3, 12);
    assert_int_equal(ebb_ndim(kept), 2);
    assert_values(call1(e, "sum", x, "  dim=-1   keepdim=true "), 3, 12);
    assert_values(call1(e, "sum", x, "dim=0,1"), 15);
    assert_values(call1(e, "transpose", x, "dim0=0 dim1=1"), 0, 3, 1, 4, 2, 5);
    assert_values(call1(e, "reshape", x, "shape=3,-1"), 0, 1, 2, 3, 4, 5);
    assert_values(call1(e, "pow", x, "exponent=2"), 0, 1, 4, 9, 16, 25);
    assert_values(call1(e, "clamp", x, "min=1 max=3.5"), 1, 1, 2, 3, 3.5, 3.5);
    assert_values(call1(e, "leaky_relu", call1(e, "neg", x, NULL), "negative_slope=0.5"), 0, -0.5, -1, -1.5,
                  -2, -2.5);
    assert_values(call2(e, "mse_loss", x, call1(e, "neg", x, NULL), "reduction=sum"), 4 * 55);
    assert_values(call2(e, "mse_loss", x, call1(e, "neg", x, NULL), "reduction=none"), 0, 4, 16, 36, 64, 100);
    assert_int_equal(ebb_call_named(e, "neg", 1, &x, NULL, 0, NULL), 1); /* how many it has; none wanted */
    assert_int_equal(ebb_call_named(e, "add_", 2, (ebb_tensor *[]){x, scalar(e, 1)}, NULL, 1, &y), 1);
    assert_ptr_equal(y, x);
    assert_values(x, 1, 2, 3, 4, 5, 6);
    assert_no_error(e);
}

static void same_as_wrappers(void **state) {
    ebb *e = *state;
    ebb_tensor *x = ebb_randn(e, EBB_F64, EBB_SHAPE(4, 5));
    ebb_tensor *a = ebb_softmax(x, .dim = 0), *b = call1(e, "softmax", x, "dim=0");
    assert_memory_equal(ebb_data(ebb_contiguous(a)), ebb_data(ebb_contiguous(b)), 20 * sizeof(double));
    a = ebb_mean(x, .dim = EBB_DIMS(1), .keepdim = true), b = call1(e, "mean", x, "dim=1 keepdim=1");
    assert_memory_equal(ebb_data(a), ebb_data(b), 4 * sizeof(double));
    assert_int_equal(ebb_ndim(a), 2);
    assert_int_equal(ebb_ndim(b), 2);
}

static void registry(void **state) {
    ebb *e = *state;
    assert_true(ebb_op_count(e) > 40);
    for (size_t i = 0; i < ebb_op_count(e); i++) assert_non_null(ebb_op_at(e, i));
    assert_null(ebb_op_at(e, ebb_op_count(e)));
    assert_non_null(ebb_op_find(e, "matmul"));
    assert_null(ebb_op_find(e, "matmull"));
    assert_null(ebb_op_find(e, ""));
    assert_string_equal(ebb_op_nearest(e, "matmull"), "matmul");
    assert_string_equal(ebb_op_nearest(e, "sofmax"), "softmax");
    assert_null(ebb_op_nearest(e, "qqqqqqqqqqqqqqqq"));
    assert_non_null(ebb_op_plugin(e, "matmul"));
    assert_null(ebb_op_plugin(e, "matmull"));
    assert_false(ebb_failed(e));
}

static void unknown_op(void **state) {
    ebb *e = *state;
    ebb_tensor *x = scalar(e, 1);
    refused(e, "sigmoyd", 1, &x, NULL, EBB_E_NAME, "sigmoyd|sigmoid");
    refused(e, "crossentropy", 1, &x, NULL, EBB_E_NAME, "crossentropy|cross_entropy");
    refused(e, "", 1, &x, NULL, EBB_E_NAME, "");
    refused(e, "sum_", 1, &x, NULL, EBB_E_NAME, "sum"); /* no in-place form */
    assert_values(call1(e, "neg", x, NULL), -1);
}

static void arity(void **state) {
    ebb *e = *state;
    ebb_tensor *a = scalar(e, 1), *x[] = {a, a, a, a, a};
    refused(e, "add", 1, x, NULL, EBB_E_ARG, "add|2|1");
    refused(e, "add", 3, x, NULL, EBB_E_ARG, "add|2|3");
    refused(e, "neg", 0, x, NULL, EBB_E_ARG, "neg|1|0");
    refused(e, "linear", 5, x, NULL, EBB_E_ARG, "linear|5");
    ebb_tensor *hole[] = {a, NULL};
    refused(e, "add", 2, hole, NULL, EBB_E_ARG, "add");
    refused(e, "cat", 0, x, "dim=0", EBB_E_ARG, "cat");
    ebb_tensor *many[100];
    for (int i = 0; i < 100; i++) many[i] = range(e, EBB_SHAPE(1));
    refused(e, "cat", 100, many, "dim=0", EBB_E_ARG, "cat|100");
    assert_int_equal(ebb_numel(ebb_retain(call1(e, "neg", a, NULL))), 1);
}

static void optional_input(void **state) {
    ebb *e = *state;
    ebb_tensor *x[] = {range(e, EBB_SHAPE(1, 2)), range(e, EBB_SHAPE(3, 2)), NULL}, *y = NULL;
    assert_int_equal(ebb_call_named(e, "linear", 3, x, NULL, 1, &y), 1);
    assert_values(y, 1, 3, 5);
    assert_int_equal(ebb_call_named(e, "linear", 2, x, NULL, 1, &y), 1);
    assert_values(y, 1, 3, 5);
    x[2] = ebb_full(e, EBB_F64, EBB_SHAPE(3), 10);
    assert_int_equal(ebb_call_named(e, "linear", 3, x, NULL, 1, &y), 1);
    assert_values(y, 11, 13, 15);
}

static void attributes(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range(e, EBB_SHAPE(2, 3)), *pair[] = {x, x};
    refused(e, "softmax", 1, &x, "dym=1", EBB_E_ATTR, "softmax|dym|dim");
    refused(e, "softmax", 1, &x, "dim=one", EBB_E_ATTR, "dim|one");
    refused(e, "softmax", 1, &x, "dim=1.5", EBB_E_ATTR, "dim|1.5");
    refused(e, "softmax", 1, &x, "dim=", EBB_E_ATTR, "dim");
    refused(e, "softmax", 1, &x, "dim", EBB_E_ATTR, "dim");
    refused(e, "softmax", 1, &x, "=1", EBB_E_ATTR, "");
    refused(e, "softmax", 1, &x, "dim=99999999999999999999999", EBB_E_ATTR, "dim");
    refused(e, "sum", 1, &x, "keepdim=maybe", EBB_E_ATTR, "keepdim|maybe");
    refused(e, "sum", 1, &x, "dim=0,x", EBB_E_ATTR, "dim");
    refused(e, "leaky_relu", 1, &x, "negative_slope=steep", EBB_E_ATTR, "negative_slope|steep");
    refused(e, "mse_loss", 2, pair, "reduction=median", EBB_E_ATTR, "reduction|median|mean|sum|none");
    refused(e, "neg", 1, &x, "dim=1", EBB_E_ATTR, "neg|dim");
    refused(e, "transpose", 1, &x, NULL, EBB_E_ATTR, "transpose|dim0"); /* no default */
    assert_values(call1(e, "sum", x, "dim=1"), 3, 12);
}

/* An axis outside the shape says which, and how many there are. */
static void axes(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range(e, EBB_SHAPE(2, 3)), *y = NULL;
    static const struct {
        const char *op, *attrs, *words;
    } bad[] = {
        {"softmax", "dim=2", "softmax|2"},   {"softmax", "dim=-3", "softmax|-3"},
        {"sum", "dim=5", "sum|5"},           {"sum", "dim=0,0", "sum|0"},
        {"transpose", "dim0=0 dim1=2", "2"}, {"permute", "dims=0,0", "permute"},
        {"permute", "dims=0", "permute"},    {"slice", "dim=4 start=0 end=1", "slice|4"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (ebb_call_named(e, bad[i].op, 1, &x, bad[i].attrs, 1, &y) >= 0)
            fail_msg("%s %s was accepted", bad[i].op, bad[i].attrs);
        assert_true(ebb_failed(e));
        assert_words(ebb_error(e), bad[i].words);
        ebb_error_clear(e);
    }
}

static void dtypes(void **state) {
    ebb *e = *state;
    ebb_tensor *f = ebb_full(e, EBB_F32, EBB_SHAPE(2, 2), 2), *d = ebb_full(e, EBB_F64, EBB_SHAPE(2, 2), 3);
    ebb_tensor *i = ebb_full(e, EBB_I64, EBB_SHAPE(2, 2), 5);
    ebb_tensor *mix[] = {f, d}, *ints[] = {f, i};
    refused(e, "matmul", 2, mix, NULL, EBB_E_DTYPE, "matmul|f32|f64");
    refused(e, "matmul", 2, ints, NULL, EBB_E_DTYPE, "matmul|i64");
    ebb_tensor *emb[] = {f, f};
    refused(e, "embedding", 2, emb, NULL, EBB_E_DTYPE, "f32");

    ebb_tensor *s = call2(e, "add", f, d, NULL); /* pointwise ops promote, as PyTorch's do */
    assert_int_equal(ebb_tensor_dtype(s), EBB_F64);
    assert_values(s, 5, 5, 5, 5);
    s = call2(e, "mul", f, i, NULL);
    assert_int_equal(ebb_tensor_dtype(s), EBB_F32);
    assert_values(s, 10, 10, 10, 10);
    s = call2(e, "add", i, i, NULL);
    assert_int_equal(ebb_tensor_dtype(s), EBB_I64);
    s = call1(e, "exp", ebb_full(e, EBB_I64, EBB_SHAPE(1), 0), NULL);
    assert_int_equal(ebb_tensor_dtype(s), EBB_F32);
    assert_values(s, 1);
    s = call2(e, "gt", d, f, NULL);
    assert_int_equal(ebb_tensor_dtype(s), EBB_BOOL);
    assert_values(s, 1, 1, 1, 1);
}

static void shapes(void **state) {
    ebb *e = *state;
    ebb_tensor *a = range(e, EBB_SHAPE(2, 3)), *b = range(e, EBB_SHAPE(4, 5)), *x[] = {a, b};
    refused(e, "matmul", 2, x, NULL, EBB_E_SHAPE, "matmul|k is 3|4");
    refused(e, "add", 2, x, NULL, EBB_E_SHAPE, "add|[2,3]|[4,5]");
    refused(e, "reshape", 1, x, "shape=4,2", EBB_E_SHAPE, "reshape|6|8");
    refused(e, "reshape", 1, x, "shape=-1,-1", EBB_E_ATTR, "reshape|-1");
    refused(e, "reshape", 1, x, "shape=-1,4", EBB_E_SHAPE, "reshape");
    refused(e, "expand", 1, x, "size=2,4", EBB_E_SHAPE, "expand|3|4");
    refused(e, "cat", 2, x, "dim=0", EBB_E_SHAPE, "cat|3|5");
    refused(e, "linear", 2, x, NULL, EBB_E_SHAPE, "linear|3|5");
    ebb_tensor *batches[] = {range(e, EBB_SHAPE(2, 3, 3)), range(e, EBB_SHAPE(5, 3, 3))};
    refused(e, "matmul", 2, batches, NULL, EBB_E_SHAPE, "matmul|2|5");
    ebb_tensor *flat = range(e, EBB_SHAPE(3)), *y = ebb_matmul(a, flat);
    if (y) assert_values(y, 5, 14); /* a vector on the right is allowed, as in PyTorch, or refused */
    else assert_error(e, EBB_E_SHAPE, "matmul");
    assert_values(call2(e, "add", a, scalar(e, 1), NULL), 1, 2, 3, 4, 5, 6);
}

static void indices(void **state) {
    ebb *e = *state;
    const int64_t good[] = {2, 0}, high[] = {0, 3}, low[] = {-1, 0};
    ebb_tensor *table = range(e, EBB_SHAPE(3, 2)), *i = ebb_tensor_new(e, EBB_I64, EBB_SHAPE(2), good);
    ebb_tensor *over = ebb_tensor_new(e, EBB_I64, EBB_SHAPE(2), high),
               *under = ebb_tensor_new(e, EBB_I64, EBB_SHAPE(2), low);
    ebb_tensor *x[] = {i, table}, *logits = range(e, EBB_SHAPE(2, 3)); /* embedding(indices, table) */
    ebb_tensor *y = NULL;
    if (ebb_call_named(e, "embedding", 2, x, NULL, 1, &y) < 0) { /* or embedding(table, indices) */
        ebb_error_clear(e);
        x[0] = table, x[1] = i;
        assert_int_equal(ebb_call_named(e, "embedding", 2, x, NULL, 1, &y), 1);
    }
    assert_values(y, 4, 5, 0, 1);
    const int at = x[0] == i ? 0 : 1;
    x[at] = over;
    refused(e, "embedding", 2, x, NULL, EBB_E_INDEX, "embedding|3");
    x[at] = under;
    refused(e, "embedding", 2, x, NULL, EBB_E_INDEX, "embedding|-1|0..");
    ebb_tensor *select[] = {table, over};
    refused(e, "index_select", 2, select, "dim=0", EBB_E_INDEX, "index_select|3");
    ebb_tensor *ce[] = {logits, over};
    refused(e, "cross_entropy", 2, ce, NULL, EBB_E_INDEX, "cross_entropy|3");
    ce[1] = under;
    refused(e, "cross_entropy", 2, ce, NULL, EBB_E_INDEX, "cross_entropy|-1|0..");
    refused(e, "one_hot", 1, &over, "num_classes=3", EBB_E_INDEX, "one_hot|3");
    ce[1] = i;
    assert_int_equal(ebb_call_named(e, "cross_entropy", 2, ce, NULL, 1, &y), 1);
    assert_no_error(e);
}

/* The region that an op stands in is in the message of its backward, and the name of the tensor that is to blame. */
static void message_names(void **state) {
    ebb *e = *state;
    ebb_tensor *x = range(e, EBB_SHAPE(2, 3)), *w = ebb_name(range(e, EBB_SHAPE(2, 3)), "weights");
    ebb_requires_grad(x, true);
    ebb_region_begin(e, "encoder");
    ebb_region_begin(e, "block1");
    ebb_tensor *y = ebb_sum(ebb_mul(x, w));
    ebb_region_end(e);
    ebb_region_end(e);
    assert_non_null(ebb_add_(w, scalar(e, 1)));
    assert_int_not_equal(ebb_backward(y), EBB_OK);
    assert_error(e, EBB_E_CHANGED, "mul|add|encoder/block1|weights");
}

static void nonsense(void **state) { /* whatever is passed as attributes, nothing breaks */
    ebb *e = *state;
    ebb_tensor *x = range(e, EBB_SHAPE(2, 3)), *y = NULL;
    static const char *const ops[] = {"sum",   "softmax", "reshape", "transpose", "slice",
                                      "clamp", "pow",     "expand",  "permute"};
    static const char *const piece[] = {"dim=",      "keepdim=",
                                        "shape=",    "dim0=",
                                        "start=",    "end=",
                                        "step=",     "min=",
                                        "exponent=", "0",
                                        "1",         "-1",
                                        "2",         "3",
                                        ",",         " ",
                                        "=",         "nan",
                                        "1e9",       "inf",
                                        "true",      "-9223372036854775808",
                                        "\t",        "dims=",
                                        "max="};
    uint64_t seed = 1;
    int fine = 0;
    for (int run = 0; run < 20000; run++) {
        char text[200] = "";
        for (int k = 0; k < 8; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            if ((seed >> 60) < 3) break;
            strcat(text, piece[(seed >> 33) % COUNT(piece)]);
        }
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        ebb_scope *s = ebb_begin(e);
        if (ebb_call_named(e, ops[(seed >> 33) % COUNT(ops)], 1, &x, text, 1, &y) == 1) fine++;
        else if (!ebb_failed(e)) fail_msg("\"%s\": refused without an error", text);
        ebb_error_clear(e);
        ebb_end(s);
    }
    assert_true(fine > 100);
    assert_values(x, 0, 1, 2, 3, 4, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(by_name),    SESSION_TEST(same_as_wrappers),
        SESSION_TEST(registry),   SESSION_TEST(unknown_op),
        SESSION_TEST(arity),      SESSION_TEST(optional_input),
        SESSION_TEST(attributes), SESSION_TEST(axes),
        SESSION_TEST(dtypes),     SESSION_TEST(shapes),
        SESSION_TEST(indices),    SESSION_TEST(message_names),
        SESSION_TEST(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
