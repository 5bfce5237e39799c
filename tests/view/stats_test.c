/* stats_test.c - statistics, bins, thumbnails and windows: of every dtype, of views, of empty and of broken tensors. */
#include "../test.h"
#include <ebb/view.h>
#include <float.h>

static float pixels[EBB_TRACE_SIDE * EBB_TRACE_SIDE];

static ebb_trace_stats of(const ebb_tensor *t) {
    ebb_trace_stats s;
    assert_int_equal(ebb_stats_of(t, &s, pixels), EBB_OK);
    uint32_t counted = 0;
    for (int i = 0; i < EBB_TRACE_BINS; i++) counted += s.bin[i];
    assert_int_equal(counted, s.n - s.n_nan - s.n_inf);
    return s;
}

static void numbers(void **state) {
    ebb *e = *state;
    const ebb_trace_stats s = of(ebb_tensor_new(e, EBB_F64, EBB_SHAPE(2, 2), (double[]){-1, 0, 3, 2}));
    assert_true(s.n == 4 && s.n_zero == 1 && s.first_bad == -1);
    assert_true(s.min == -1 && s.max == 3 && s.mean == 1);
    assert_near((double)s.std, sqrt(2.5), 1e-6);
    assert_near((double)s.norm, sqrt(14), 1e-6);
    assert_true(s.bin[0] == 1 && s.bin[8] == 1 && s.bin[24] == 1 && s.bin[31] == 1);
    assert_true(s.rows == 2 && s.cols == 2 && pixels[0] == -1 && pixels[2] == 3);
    assert_int_equal(s.elements, -1);
}

static void what_is_not_finite(void **state) {
    ebb *e = *state;
    float v[40];
    for (int i = 0; i < 40; i++) v[i] = 2;
    v[33] = NAN, v[35] = INFINITY, v[36] = -INFINITY, v[0] = -0.0f;
    ebb_trace_stats s = of(ebb_tensor_new(e, EBB_F32, EBB_SHAPE(40), v));
    assert_true(s.n == 40 && s.n_nan == 1 && s.n_inf == 2 && s.n_zero == 1 && s.first_bad == 33);
    assert_true(s.min == 0 && s.max == 2);
    assert_true(isnan(pixels[33]) && isinf(pixels[35]) && pixels[1] == 2);
    s = of(ebb_full(e, EBB_F32, EBB_SHAPE(3), NAN));
    assert_true(isnan(s.min) && isnan(s.max) && isnan(s.mean) && isnan(s.std) && isnan(s.norm) && s.first_bad == 0);
    s = of(ebb_tensor_new(e, EBB_F64, EBB_SHAPE(2), (double[]){1e300, -1e300})); /* finite, though no f32 */
    assert_true(s.n_inf == 0 && s.max == FLT_MAX && s.min == -FLT_MAX && s.mean == 0 && pixels[0] == FLT_MAX);
}

static void small_spread(void **state) {
    ebb *e = *state;
    double v[1000];
    for (int i = 0; i < 1000; i++) v[i] = 1e6 + (i % 2 ? 1e-3 : -1e-3);
    const ebb_trace_stats s = of(ebb_tensor_new(e, EBB_F64, EBB_SHAPE(1000), v));
    assert_near((double)s.std, 1e-3, 1e-8);
    assert_true(s.bin[0] == 500 && s.bin[31] == 500);
}

static void dtypes_and_shapes(void **state) {
    ebb *e = *state;
    ebb_trace_stats s = of(ebb_tensor_new(e, EBB_I64, EBB_SHAPE(3), (int64_t[]){-5, 0, 7}));
    assert_true(s.min == -5 && s.max == 7 && s.n_zero == 1);
    s = of(ebb_tensor_new(e, EBB_I32, EBB_SHAPE(2), (int32_t[]){3, 5}));
    assert_true(s.mean == 4);
    s = of(ebb_tensor_new(e, EBB_BOOL, EBB_SHAPE(4), (uint8_t[]){1, 0, 1, 1}));
    assert_true(s.mean == 0.75f && s.n_zero == 1);
    s = of(ebb_tensor_new(e, EBB_U8, EBB_SHAPE(1), (uint8_t[]){200}));
    assert_true(s.min == 200 && s.max == 200 && s.bin[0] == 1 && s.std == 0);
    s = of(scalar(e, 4));
    assert_true(s.n == 1 && s.rows == 1 && s.cols == 1 && pixels[0] == 4);
    s = of(ebb_tensor_new(e, EBB_F32, EBB_SHAPE(3, 0), NULL));
    assert_true(s.n == 0 && s.rows == 0 && s.cols == 0 && isnan(s.min) && s.first_bad == -1);
}

/* The same numbers however they lie in memory, in any block size. */
static void views(void **state) {
    ebb *e = *state;
    ebb_tensor *x = ebb_randn(e, EBB_F32, EBB_SHAPE(70, 50));
    ebb_tensor *t = ebb_transpose(x, .dim0 = 0, .dim1 = 1), *copy = ebb_contiguous(t);
    const ebb_trace_stats a = of(t), b = of(copy);
    assert_memory_equal(&a, &b, offsetof(ebb_trace_stats, rows));
    assert_true(a.rows == 50 && a.cols == EBB_TRACE_SIDE);
    double lo = INFINITY, hi = -INFINITY, sum = 0;
    for (int64_t i = 0; i < 3500; i++) {
        const double v = ebb_at(x, i);
        lo = fmin(lo, v), hi = fmax(hi, v), sum += v;
    }
    assert_true((double)a.min == lo && (double)a.max == hi);
    assert_near((double)a.mean, sum / 3500, 1e-7);
    const ebb_trace_stats one = of(ebb_expand(scalar(e, 3), .size = EBB_DIMS(4, 5)));
    assert_true(one.n == 20 && one.mean == 3 && one.std == 0);
}

/* Larger than the thumbnail: means of blocks; of more dims: the first slice. */
static void thumbnails(void **state) {
    ebb *e = *state;
    ebb_trace_stats s = of(range(e, EBB_SHAPE(128, 192)));
    assert_true(s.rows == 64 && s.cols == 64);
    assert_near((double)pixels[0], (0 + 1 + 2 + 192 + 193 + 194) / 6.0, 1e-5);
    s = of(range(e, EBB_SHAPE(2, 3, 4)));
    assert_true(s.rows == 3 && s.cols == 4 && pixels[11] == 11);
}

static void windows(void **state) {
    ebb *e = *state;
    ebb_tensor *t = range(e, EBB_SHAPE(2, 3, 4));
    float out[12];
    int64_t rows, cols;
    assert_int_equal(ebb_window(t, (int64_t[]){1}, 1, 2, 5, 5, out, &rows, &cols), 4);
    assert_true(rows == 2 && cols == 2 && out[0] == 18 && out[1] == 19 && out[2] == 22 && out[3] == 23);
    assert_int_equal(ebb_window(t, (int64_t[]){0}, 9, 0, 5, 5, out, &rows, &cols), 0);
    assert_true(rows == 0 && cols == 0);
    assert_int_equal(ebb_window(scalar(e, 7), NULL, 0, 0, 1, 1, out, &rows, &cols), 1);
    assert_true(out[0] == 7);
    assert_int_equal(ebb_window(t, (int64_t[]){2}, 0, 0, 1, 1, out, &rows, &cols), -1);
    assert_error(e, EBB_E_INDEX, "2|dim 0 of size 2");
    assert_int_equal(ebb_window(t, NULL, 0, 0, 1, 1, out, &rows, &cols), -1);
    assert_error(e, EBB_E_ARG, "ebb_window");
    assert_int_equal(ebb_window(NULL, NULL, 0, 0, 1, 1, out, &rows, &cols), -1);
    assert_int_equal(ebb_stats_of(t, NULL, pixels), EBB_E_ARG);
    assert_error(e, EBB_E_ARG, "ebb_stats_of");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(numbers),      SESSION_TEST(what_is_not_finite),
        SESSION_TEST(small_spread), SESSION_TEST(dtypes_and_shapes),
        SESSION_TEST(views),        SESSION_TEST(thumbnails),
        SESSION_TEST(windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
