/* tensor_test.c - tensors: dtypes, storage and views, reading elements, names, descriptions, conversion. */
#include "../test.h"

static const ebb_dtype all[] = {EBB_F32, EBB_F64, EBB_I32, EBB_I64, EBB_U8, EBB_BOOL};

static void dtypes(void **state) {
    ebb *e = *state;
    static const char *const names[] = {"f32", "f64", "i32", "i64", "u8", "bool"};
    static const size_t sizes[] = {4, 8, 4, 8, 1, 1};
    for (size_t d = 0; d < COUNT(all); d++) {
        assert_string_equal(ebb_dtype_name(all[d]), names[d]);
        assert_int_equal(ebb_dtype_size(all[d]), sizes[d]);

        ebb_tensor *zeros = ebb_tensor_new(e, all[d], EBB_SHAPE(2, 3), NULL);
        assert_non_null(zeros);
        assert_int_equal(ebb_tensor_dtype(zeros), all[d]);
        assert_values(zeros, 0, 0, 0, 0, 0, 0);
        assert_int_equal((uintptr_t)ebb_data(zeros) % 16, 0);

        ebb_tensor *ones = ebb_full(e, all[d], EBB_SHAPE(3), 1);
        assert_values(ones, 1, 1, 1);
        assert_near(ebb_item(ebb_full(e, all[d], EBB_SHAPE0, 1)), 1, 0);
        unsigned char raw[64];
        assert_int_equal(ebb_copy_out(ones, raw, 3 * sizes[d]), EBB_OK);
        assert_memory_equal(raw, ebb_data(ones), 3 * sizes[d]);
    }
    assert_int_equal(ebb_dtype_size(EBB_NONE), 0);
    assert_non_null(ebb_dtype_name(EBB_NONE));
    assert_non_null(ebb_dtype_name((ebb_dtype)99));
    assert_no_error(e);
}

static void copies_and_wraps(void **state) {
    ebb *e = *state;
    float v[] = {1, 2, 3, 4};
    ebb_tensor *copy = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(2, 2), v);
    ebb_tensor *wrap = ebb_tensor_wrap(e, EBB_F32, EBB_SHAPE(2, 2), v);
    assert_ptr_not_equal(ebb_data(copy), v);
    assert_ptr_equal(ebb_data(wrap), v);
    v[3] = 9;
    assert_values(copy, 1, 2, 3, 4);
    assert_values(wrap, 1, 2, 3, 9);
    assert_null(ebb_tensor_wrap(e, EBB_F32, EBB_SHAPE(2), NULL));
    assert_error(e, EBB_E_ARG, "");
    int64_t big[] = {INT64_MAX, INT64_MIN};
    ebb_tensor *i = ebb_tensor_new(e, EBB_I64, EBB_SHAPE(2), big);
    assert_memory_equal(ebb_data(i), big, sizeof big);
}

static void info(void **state) {
    ebb *e = *state;
    ebb_tensor *t = range(e, EBB_SHAPE(2, 3, 4));
    ebb_info i;
    ebb_tensor_info(t, &i);
    assert_int_equal(i.dtype, EBB_F64);
    assert_int_equal(i.ndim, 3);
    assert_int_equal(i.numel, 24);
    assert_int_equal(i.shape[0], 2);
    assert_int_equal(i.shape[1], 3);
    assert_int_equal(i.shape[2], 4);
    assert_int_equal(i.stride[0], 12);
    assert_int_equal(i.stride[1], 4);
    assert_int_equal(i.stride[2], 1);
    assert_ptr_equal(i.data, ebb_data(t));
    memset(&i, 0x5a, sizeof i);
    ebb_tensor_info(NULL, &i);
    assert_int_equal(i.ndim, 0);
    assert_int_equal(i.numel, 0);
    assert_null(i.data);

    assert_int_equal(ebb_ndim(t), 3);
    assert_int_equal(ebb_size(t, 0), 2);
    assert_int_equal(ebb_size(t, -1), 4);
    assert_int_equal(ebb_size(t, -3), 2);
    assert_int_equal(ebb_size(t, 3), 0);
    assert_int_equal(ebb_size(t, -4), 0);
    assert_int_equal(ebb_numel(t), 24);
    ebb_tensor *s = scalar(e, 5);
    assert_int_equal(ebb_ndim(s), 0);
    assert_int_equal(ebb_numel(s), 1);
    assert_int_equal(ebb_numel(ebb_full(e, EBB_F32, EBB_SHAPE(3, 0, 2), 1)), 0);
}

static void eight_dims(void **state) {
    ebb *e = *state;
    ebb_tensor *t = range(e, EBB_SHAPE(2, 1, 2, 1, 2, 1, 2, 3));
    assert_int_equal(ebb_ndim(t), 8);
    assert_int_equal(ebb_numel(t), 48);
    ebb_tensor *p = ebb_permute(t, .dims = EBB_DIMS(7, 6, 5, 4, 3, 2, 1, 0));
    assert_int_equal(ebb_size(p, 0), 3);
    assert_near(ebb_at(p, 1), 24, 0); /* the outermost dim of t is p's last */
    assert_near(ebb_at(p, 16), 1, 0);
    assert_near(ebb_item(ebb_sum(p)), 47 * 24, 0);
    assert_values(ebb_sum(ebb_add(p, p), .dim = EBB_DIMS(1, 2, 3, 4, 5, 6, 7)), 720, 752, 784);
}

/* ---- views ---------------------------------------------------------------------------------------------------------- */

static void views_share_storage(void **state) {
    ebb *e = *state;
    ebb_tensor *t = range(e, EBB_SHAPE(2, 3));
    ebb_tensor *flat = ebb_reshape(t, .shape = EBB_SHAPE(3, 2)),
               *flipped = ebb_transpose(t, .dim0 = 0, .dim1 = 1);
    ebb_tensor *part = ebb_slice(t, .dim = 1, .start = 1, .end = 3), *cut = ebb_detach(t);
    assert_ptr_equal(ebb_data(flat), ebb_data(t));
    assert_ptr_equal(ebb_data(cut), ebb_data(t));
    double *v = ebb_data_mut(t);
    v[1] = 100;
    assert_values(flat, 0, 100, 2, 3, 4, 5);
    assert_values(cut, 0, 100, 2, 3, 4, 5);
    assert_values(flipped, 0, 3, 100, 4, 2, 5);
    assert_values(part, 100, 2, 4, 5);
    ebb_tensor *wide = ebb_expand(ebb_slice(t, .dim = 1, .start = 0, .end = 1), .size = EBB_SHAPE(2, 3));
    assert_values(wide, 0, 0, 0, 3, 3, 3);
    ebb_info i;
    ebb_tensor_info(wide, &i);
    assert_int_equal(i.stride[1], 0);
}

static void strided_reading(void **state) {
    ebb *e = *state;
    ebb_tensor *t = range(e, EBB_SHAPE(3, 4));
    ebb_tensor *v = ebb_transpose(ebb_slice(t, .dim = 1, .start = 1, .end = 4, .step = 2), .dim0 = 0, .dim1 = 1);
    assert_values(v, 1, 5, 9, 3, 7, 11);
    assert_null(ebb_data(v)); /* strided */
    ebb_error_clear(e);
    double out[6];
    assert_int_equal(ebb_copy_out(v, out, sizeof out), EBB_OK);
    const double want[] = {1, 5, 9, 3, 7, 11};
    assert_memory_equal(out, want, sizeof want);
    assert_int_not_equal(ebb_copy_out(v, out, sizeof out - 8), EBB_OK);
    assert_error(e, EBB_E_ARG, "48|40");

    ebb_tensor *c = ebb_contiguous(v);
    assert_memory_equal(ebb_data(c), want, sizeof want);
    assert_true(isnan(ebb_at(v, 6)));
    ebb_error_clear(e);
    assert_true(isnan(ebb_at(v, -1)));
    ebb_error_clear(e);
}

static void items(void **state) {
    ebb *e = *state;
    assert_near(ebb_item(ebb_full(e, EBB_I64, EBB_SHAPE(1, 1), -7)), -7, 0);
    assert_near(ebb_item(ebb_slice(range(e, EBB_SHAPE(5)), .dim = 0, .start = 3, .end = 4)), 3, 0);
    assert_no_error(e);
    assert_true(isnan(ebb_item(range(e, EBB_SHAPE(2)))));
    assert_error(e, EBB_E_SHAPE, "2");
    assert_true(isnan(ebb_item(ebb_full(e, EBB_F32, EBB_SHAPE(0), 1))));
    assert_error(e, EBB_E_SHAPE, "");
}

static void zero_sizes(void **state) {
    ebb *e = *state;
    ebb_tensor *z = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(0, 3), NULL);
    assert_non_null(z);
    assert_int_equal(ebb_numel(ebb_mul(z, z)), 0);
    assert_values(ebb_sum(z), 0);
    assert_values(ebb_sum(z, .dim = EBB_DIMS(0)), 0, 0, 0);
    assert_int_equal(ebb_numel(ebb_sum(z, .dim = EBB_DIMS(1))), 0);
    assert_int_equal(ebb_numel(ebb_transpose(z, .dim0 = 0, .dim1 = 1)), 0);
    assert_values(ebb_matmul(ebb_tensor_new(e, EBB_F64, EBB_SHAPE(2, 0), NULL), z), 0, 0, 0, 0, 0, 0);
    assert_int_equal(ebb_copy_out(z, NULL, 0), EBB_OK);
    assert_no_error(e);
    ebb_amax(z, .dim = EBB_DIMS(0)); /* the largest of nothing */
    assert_error(e, EBB_E_SHAPE, "amax");
}

/* ---- names, descriptions, conversion ---------------------------------------------------------------------------------- */

static void names(void **state) {
    ebb *e = *state;
    ebb_tensor *t = range(e, EBB_SHAPE(2, 3));
    assert_string_equal(ebb_name_of(t), "");
    char name[] = "hidden";
    assert_ptr_equal(ebb_name(t, name), t);
    name[0] = 'X';
    assert_string_equal(ebb_name_of(t), "hidden");
    ebb_name(t, "renamed, and longer than before");
    assert_string_equal(ebb_name_of(t), "renamed, and longer than before");
    assert_null(ebb_name(NULL, "x"));
    assert_string_equal(ebb_name_of(NULL), "");
}

static void describes(void **state) {
    ebb *e = *state;
    char buf[64], tiny[4] = "###";
    assert_string_equal(ebb_describe(range(e, EBB_SHAPE(2, 3)), buf, sizeof buf), "f64[2,3]");
    assert_string_equal(ebb_describe(scalar(e, 1), buf, sizeof buf), "f64[]");
    assert_string_equal(ebb_describe(ebb_full(e, EBB_BOOL, EBB_SHAPE(1), 1), buf, sizeof buf), "bool[1]");
    assert_non_null(ebb_describe(NULL, buf, sizeof buf));
    ebb_describe(range(e, EBB_SHAPE(2, 3)), tiny, 3);
    assert_true(strlen(tiny) <= 2);
}

static void converts(void **state) {
    ebb *e = *state;
    const double v[] = {-2.75, 0, 1.25, 200};
    ebb_tensor *t = ebb_tensor_new(e, EBB_F64, EBB_SHAPE(4), v);
    assert_values(ebb_to(t, EBB_F32), -2.75, 0, 1.25, 200);
    assert_values(ebb_to(t, EBB_I64), -2, 0, 1, 200); /* towards zero */
    assert_values(ebb_to(t, EBB_I32), -2, 0, 1, 200);
    assert_values(ebb_to(t, EBB_BOOL), 1, 0, 1, 1);
    assert_values(ebb_to(ebb_to(ebb_slice(t, .dim = 0, .start = 1, .end = 4), EBB_U8), EBB_F64), 0, 1, 200);
    assert_ptr_equal(ebb_data(ebb_to(t, EBB_F64)), ebb_data(t));
    assert_int_equal(ebb_tensor_dtype(ebb_to(t, EBB_F32)), EBB_F32);

    ebb_tensor *x = ebb_full(e, EBB_F32, EBB_SHAPE(3), 2);
    ebb_requires_grad(x, true);
    ebb_tensor *y = ebb_to(x, EBB_F64);
    assert_int_equal(ebb_backward(ebb_sum(ebb_mul(y, y))), EBB_OK);
    assert_int_equal(ebb_tensor_dtype(ebb_grad_of(x)), EBB_F32);
    assert_values(ebb_grad_of(x), 4, 4, 4);
}

static void broadcasting(void **state) {
    ebb *e = *state;
    ebb_tensor *col = range(e, EBB_SHAPE(3, 1)), *row = range(e, EBB_SHAPE(4)), *s = scalar(e, 10);
    assert_values(ebb_add(col, row), 0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5);
    assert_values(ebb_sub(row, s), -10, -9, -8, -7);
    assert_values(ebb_mul(s, col), 0, 10, 20);
    ebb_tensor *flipped = ebb_transpose(range(e, EBB_SHAPE(2, 3)), .dim0 = 0, .dim1 = 1);
    assert_values(ebb_add(flipped, col), 0, 3, 2, 5, 4, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(dtypes),
        SESSION_TEST(copies_and_wraps),
        SESSION_TEST(info),
        SESSION_TEST(eight_dims),
        SESSION_TEST(views_share_storage),
        SESSION_TEST(strided_reading),
        SESSION_TEST(items),
        SESSION_TEST(zero_sizes),
        SESSION_TEST(names),
        SESSION_TEST(describes),
        SESSION_TEST(converts),
        SESSION_TEST(broadcasting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
