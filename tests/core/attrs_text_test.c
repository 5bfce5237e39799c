/* attrs_text_test.c - attributes as text: those that are no defaults, as ebb_call_named reads them. */
#include "../test.h"
#include <ebb/op.h>

typedef struct seen {
    char text[512];
    const ebb_op *op;
} seen;

static ebb_status note(ebb *e, const ebb_event *ev, void *user) {
    seen *s = user;
    if (ev->depth || ev->op != s->op) return EBB_OK;
    ebb_attrs_text(e, ev->op, ev->attrs, s->text, sizeof s->text);
    return EBB_OK;
}

static const char *said(ebb *e, const char *op, const char *attrs, ebb_tensor *x) {
    static seen s;
    s = (seen){.op = ebb_op_find(e, op)};
    ebb_tensor *y = NULL;
    const int64_t h = ebb_hook_forward(e, op, NULL, note, &s);
    ebb_call_named(e, op, 1, &x, attrs, 1, &y);
    ebb_hook_remove(e, h);
    assert_no_error(e);
    return s.text;
}

static void what_is_not_default(void **state) {
    ebb *e = *state;
    ebb_tensor *x = ebb_full(e, EBB_F64, EBB_SHAPE(2, 3, 4), 1);
    assert_string_equal(said(e, "sum", NULL, x), "");
    assert_string_equal(said(e, "sum", "keepdim=0", x), "");
    assert_string_equal(said(e, "sum", "dim=0,2 keepdim=true", x), "dim=0,2 keepdim=1");
    assert_string_equal(said(e, "leaky_relu", "negative_slope=0.1", x), "negative_slope=0.1");
    assert_string_equal(said(e, "leaky_relu", "negative_slope=0.30000000000000004", x),
                        "negative_slope=0.30000000000000004");
    assert_string_equal(said(e, "to", "dtype=f32", x), "dtype=f32");
    assert_string_equal(said(e, "gelu", "approximate=tanh", x), "approximate=tanh");
    assert_string_equal(said(e, "reshape", "shape=4,-1", x), "shape=4,-1");
    assert_string_equal(said(e, "dropout", "p=0.25 key=7", x), "p=0.25"); /* the key is not one to choose */
}

static void bad_calls(void **state) {
    ebb *e = *state;
    char buf[8] = "x";
    const ebb_op *sum = ebb_op_find(e, "sum");
    assert_string_equal(ebb_attrs_text(e, NULL, "", buf, sizeof buf), "");
    assert_string_equal(ebb_attrs_text(e, sum, NULL, buf, sizeof buf), "");
    assert_string_equal(ebb_attrs_text(NULL, sum, "", buf, sizeof buf), "");
    assert_string_equal(ebb_attrs_text(e, sum, ebb_op_defaults(e, "sum"), NULL, 0), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {SESSION_TEST(what_is_not_default), SESSION_TEST(bad_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
