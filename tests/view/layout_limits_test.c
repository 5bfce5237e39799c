/* layout_limits_test.c - layouts of what is very large or wide, with an allocator that fails, and as pictures. */
#include "layout_check.h"
#include <time.h>

/* ---- large ones ----------------------------------------------------------------------------------------------------- */

static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; } /* of this process */

/* Far more than a machine under load or a sanitizer needs; a method that is quadratic needs minutes. */
static void large(void **state) {
    for (int which = 0; which < 5; which++) {
        graph g = which == 0   ? chain(100000)
                  : which == 1 ? tangle(10000, 1.07, 8, 1)
                  : which == 2 ? tangle(10000, 2, 20, 2)
                  : which == 3 ? tangle(10000, 2, 10000, 3)
                               : graph_new();
        if (which == 4) /* each reads one from half way back: the wires are together as long as the square of the chain */
            for (int i = 0, x = input(&g, "x"); i < 20000; i++) OP(&g, "add", "", x + i, x + i / 2);
        const double begin_at = seconds();
        ebb_layout *l = ebb_layout_new(*state, step_of(&g), NULL);
        assert_no_error(*state);
        assert_non_null(l);
        assert_true(seconds() - begin_at < 30);
        assert_true(isfinite(l->width) && isfinite(l->height));
        assert_true(l->n_boxes >= g.n_nodes);
        ebb_layout_free(*state, l);
        graph_free(&g);
    }
}

/* Many parameters of one op, and many branches side by side, stay on a page. */
static void wide(void **state) {
    graph g = graph_new();
    int32_t x[300];
    for (int i = 0; i < 300; i++) x[i] = param(&g, "p");
    op_of(&g, "cat", "", 300, x);
    for (int right = 0; right < 2; right++) {
        ebb_layout *l = lay_out(*state, &g, NULL, right);
        assert_true(l->width < 2500 && l->height < 2500);
        ebb_layout_free(*state, l);
    }
    graph_free(&g);
    g = graph_new();
    for (int i = 0, in = input(&g, "x"); i < 40; i++) x[i] = OP(&g, "relu", "", in);
    op_of(&g, "cat", "", 40, x);
    ebb_layout *l = lay_out(*state, &g, NULL, false);
    assert_true(l->width < 40 * 98);
    ebb_layout_free(*state, l);
    graph_free(&g);
}

/* ---- memory ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    long calls, fail_at, blocks;
} failing;
static void *fail_alloc(void *user, size_t bytes) {
    failing *f = user;
    if (++f->calls >= f->fail_at && f->fail_at) return NULL;
    f->blocks++;
    return malloc(bytes);
}
static void fail_free(void *user, void *p, size_t bytes) {
    UNUSED(bytes);
    if (p) ((failing *)user)->blocks--;
    free(p);
}

static void memory_is_short(void **state) {
    UNUSED(state);
    graph g = tangle(3000, 2, 20, 1); /* several chunks of memory */
    const ebb_trace_step *t = step_of(&g);
    for (long k = 1, done = 0; !done; k++) {
        failing f = {0};
        ebb *e = ebb_open(&(ebb_options){
            .size = sizeof(ebb_options), .threads = 1, .alloc = fail_alloc, .free = fail_free, .alloc_user = &f});
        assert_non_null(e);
        f.calls = 0, f.fail_at = k;
        ebb_layout *l = ebb_layout_new(e, t, NULL);
        char *svg = l ? ebb_layout_svg(e, t, l, false, NULL) : NULL;
        f.fail_at = 0;
        done = svg != NULL;
        if (!done) assert_int_equal(ebb_error_code(e), EBB_E_MEMORY);
        ebb_layout_svg_free(e, svg);
        ebb_layout_free(e, l);
        ebb_memory left;
        ebb_memory_stats(e, &left);
        assert_int_equal(left.tensors, 0);
        ebb_close(e);
        assert_int_equal(f.blocks, 0);
        assert_true(done || k < 1000);
    }
    graph_free(&g);
}

/* ---- pictures ---------------------------------------------------------------------------------------------------------- */

static void picture(void **state) {
    graph g = graph_new();
    OP(&g, "a<b&c", "\"d\"", input(&g, "x\ny"));
    const ebb_trace_step *t = step_of(&g);
    for (int right = 0; right < 2; right++) {
        ebb_layout *l = lay_out(*state, &g, NULL, right);
        size_t n;
        char *svg = ebb_layout_svg(*state, t, l, right, &n);
        assert_non_null(svg);
        assert_int_equal(strlen(svg), n);
        assert_int_equal(strncmp(svg, "<svg xmlns=", 11), 0);
        assert_true(contains(svg, "a&lt;b&amp;c") && contains(svg, "&quot;d&quot;") && contains(svg, ">x y"));
        assert_true(contains(svg, "prefers-color-scheme:dark") && strcmp(svg + n - 7, "</svg>\n") == 0);
        ebb_layout_svg_free(*state, svg);
        ebb_layout_free(*state, l);
    }
    assert_null(ebb_layout_svg(*state, t, NULL, false, NULL));
    graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(large),
        SESSION_TEST(wide),
        cmocka_unit_test(memory_is_short),
        SESSION_TEST(picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
