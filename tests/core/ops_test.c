/* ops_test.c: the declarations of the registry agree with what was read from them as text to write <ebb/ops.h>. */
#include "test.h"
#include <ebb/op.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_header(void) {
    FILE *f = fopen(EBB_TEST_OPS_HEADER, "rb");
    assert_non_null(f);
    char *text = (char *)calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 1000);
    fclose(f);
    return text;
}

/* Every op has a wrapper, but those that abi.h and ebb.h have under their names. */
static void wrappers(void **state) {
    (void)state;
    char *text = read_header();
    ebb *e = ebb_open(NULL);
    for (size_t i = 0; i < ebb_op_count(e); i++) {
        const ebb_op *op = ebb_op_at(e, i);
        char function[100], macro[100], hash[20];
        static const char by_hand[] = " to zeros ones full rand randn ";
        snprintf(macro, sizeof macro, " %s ", op->name);
        if (strstr(by_hand, macro)) continue;
        snprintf(function, sizeof function, "(ebb_%s)(", op->name);
        snprintf(macro, sizeof macro, "#define ebb_%s(...)", op->name);
        snprintf(hash, sizeof hash, "0x%08xu", ebb_hash(op->name));
        if (!strstr(text, function) && !strstr(text, macro)) fail_msg("no wrapper of %s", op->name);
        if (!strstr(text, hash)) fail_msg("the hash of %s is not %s", op->name, hash);
    }
    ebb_close(e);
    free(text);
}

static size_t size_of(int type) {
    return type == EBB_A_INT      ? sizeof(int64_t)
           : type == EBB_A_FLOAT  ? sizeof(double)
           : type == EBB_A_BOOL   ? sizeof(bool)
           : type == EBB_A_INTS   ? sizeof(ebb_ints)
           : type == EBB_A_FLOATS ? sizeof(ebb_floats)
           : type == EBB_A_TEXT   ? sizeof(ebb_text)
                                  : sizeof(int32_t);
}

/* A wrapper's struct has the attributes as fields in the table's order; so must the op's own. */
static void layouts(void **state) {
    (void)state;
    ebb *e = ebb_open(NULL);
    for (size_t i = 0; i < ebb_op_count(e); i++) {
        const ebb_op *op = ebb_op_at(e, i);
        size_t at = 0;
        for (size_t k = 0; k < op->n_attrs; k++) {
            const size_t size = size_of(op->attrs[k].type), align = op->attrs[k].type == EBB_A_TEXT ? 1
                                                                    : size > 8                      ? 8
                                                                                                    : size;
            at = (at + align - 1) / align * align;
            if (op->attrs[k].offset != at)
                fail_msg("%s: attribute %s is at %u, expected %zu", op->name, op->attrs[k].name,
                         op->attrs[k].offset, at);
            at += size;
        }
        assert_true(op->attrs_size >= at);
    }
    ebb_close(e);
}

/* What `ebb help` shows is there: every op says what it does and how. */
static void documented(void **state) {
    (void)state;
    ebb *e = ebb_open(NULL);
    for (size_t i = 0; i < ebb_op_count(e); i++) {
        const ebb_op *op = ebb_op_at(e, i);
        if (!op->doc || strlen(op->doc) < 10 || !op->math) fail_msg("%s has no doc or no math", op->name);
        for (size_t k = 0; k < op->n_attrs; k++) assert_non_null(op->attrs[k].doc);
    }
    ebb_close(e);
}

/* Wrappers pass attributes and defaults as the by-name form does. */
static void defaults(void **state) {
    (void)state;
    ebb *e = ebb_open(NULL);
    const float v[] = {-1, 2, -3, 4, 5, -6};
    ebb_tensor *x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(2, 3), v), *y;
    assert_float_equal(ebb_at(ebb_leaky_relu(x), 0), -0.01, 1e-7);
    assert_float_equal(ebb_at(ebb_leaky_relu(x, .negative_slope = 0.5), 0), -0.5, 0);
    assert_float_equal(ebb_at(ebb_leaky_relu(x, .negative_slope = 0), 0), 0, 0);
    assert_int_equal(ebb_call_named(e, "leaky_relu", 1, &x, "negative_slope=0.5", 1, &y), 1);
    assert_float_equal(ebb_at(y, 2), -1.5, 0);
    assert_int_equal(ebb_numel(ebb_sum(x)), 1);
    assert_int_equal(ebb_ndim(ebb_sum(x, .dim = EBB_DIMS(1), .keepdim = true)), 2);
    assert_int_equal(ebb_numel(ebb_sum(x, .dim = EBB_DIMS(-1))), 2);
    assert_float_equal(ebb_at(ebb_clamp(x, .min = 0), 0), 0, 0);
    assert_float_equal(ebb_at(ebb_clamp(x, .min = 0), 4), 5, 0);
    assert_false(ebb_failed(e));
    ebb_close(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrappers),
        cmocka_unit_test(layouts),
        cmocka_unit_test(documented),
        cmocka_unit_test(defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
