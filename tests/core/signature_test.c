/* signature_test.c - ebb_sig_parse: what a signature says, what a malformed one is told, and that nothing crashes it. */
#include "../test.h"

static ebb_sig good(const char *text) {
    ebb_sig s;
    char why[256] = "";
    memset(&s, 0x5a, sizeof s);
    if (ebb_sig_parse(text, &s, why, sizeof why) != EBB_OK) fail_msg("\"%s\" was refused: %s", text, why);
    return s;
}

static void pointwise(void **state) {
    UNUSED(state);
    ebb_sig s = good("()->()");
    assert_int_equal(s.n_x, 1);
    assert_int_equal(s.n_y, 1);
    assert_int_equal(s.arg[0].ndim, 0);
    assert_int_equal(s.arg[1].ndim, 0);
    assert_int_equal(s.arg[0].dtype, EBB_NONE);
    assert_false(s.arg[0].optional);
    assert_false(s.arg[0].variadic);
    assert_int_equal(s.arg[0].below, 0);
    assert_string_equal(s.arg[0].name, "a");

    s = good("(),()->()");
    assert_int_equal(s.n_x, 2);
    assert_string_equal(s.arg[1].name, "b");
}

static void matrices(void **state) {
    UNUSED(state);
    ebb_sig s = good("(m,k),(k,n)->(m,n)");
    assert_int_equal(s.n_x, 2);
    assert_int_equal(s.n_y, 1);
    for (int i = 0; i < 3; i++) assert_int_equal(s.arg[i].ndim, 2);
    assert_int_equal(s.arg[0].dim[0], 'm');
    assert_int_equal(s.arg[0].dim[1], 'k');
    assert_int_equal(s.arg[1].dim[0], 'k');
    assert_int_equal(s.arg[1].dim[1], 'n');
    assert_int_equal(s.arg[2].dim[0], 'm');
    assert_int_equal(s.arg[2].dim[1], 'n');
}

static void names_types_bounds(void **state) {
    UNUSED(state);
    ebb_sig s = good("input(v,d),index():i<v->(d)");
    assert_string_equal(s.arg[0].name, "input");
    assert_string_equal(s.arg[1].name, "index");
    assert_int_equal(s.arg[1].dtype, EBB_I64);
    assert_int_equal(s.arg[1].below, 'v');
    assert_int_equal(s.arg[1].ndim, 0);

    s = good("():i->()");
    assert_int_equal(s.arg[0].dtype, EBB_I64);
    assert_int_equal(s.arg[0].below, 0);

    s = good("cond():b,(),()->()");
    assert_string_equal(s.arg[0].name, "cond");
    assert_int_equal(s.arg[0].dtype, EBB_BOOL);
    assert_int_equal(s.arg[1].dtype, EBB_NONE);

    s = good("(),()->():b");
    assert_int_equal(s.arg[2].dtype, EBB_BOOL);
}

static void optional_and_variadic(void **state) {
    UNUSED(state);
    ebb_sig s = good("x(k),weight(n,k),bias(n)?->(n)");
    assert_int_equal(s.n_x, 3);
    assert_false(s.arg[0].optional);
    assert_false(s.arg[1].optional);
    assert_true(s.arg[2].optional);
    assert_string_equal(s.arg[2].name, "bias");

    s = good("()*->()");
    assert_int_equal(s.n_x, 1);
    assert_true(s.arg[0].variadic);
}

static void several_outputs(void **state) {
    UNUSED(state);
    ebb_sig s = good("(n)->(),():i");
    assert_int_equal(s.n_x, 1);
    assert_int_equal(s.n_y, 2);
    assert_int_equal(s.arg[1].ndim, 0);
    assert_int_equal(s.arg[2].dtype, EBB_I64);
}

/* Every one is an error that has words, and none writes beyond them. */
static void malformed(void **state) {
    UNUSED(state);
    static const char *const bad[] = {
        "",
        "->",
        "()",
        "->",
        "->()?",
        "()->()*,()",
        "()->(),()*",
        "()->",
        "(n->()",
        "(n)->()extra",
        "(n)->(",
        "((n))->()",
        "(n,)->()",
        "(,n)->()",
        "(n m)->()",
        "()-()",
        "()>()",
        "()->()->()",
        "()=>()",
        "(1)->()",
        "()):i->()",
        "():q->()",
        "():->()",
        "():i<->()",
        "():i<v->()",
        "():i<1->()",
        "()**->()",
        "()*,()->()",
        "()?*?->()",
        "(),->()",
        ",()->()",
        "(a,b,c,d,e,f,g,h,i)->()",
        "x->()",
        "()->()?",
        "(n)->(m,",
        "(),(),(),(),(),(),(),(),(),(),(),(),(),(),(),(),(),()->()",
        "a_name_that_is_far_too_long_for_the_space_there_is_for_it()->()",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        ebb_sig s;
        char why[300];
        memset(why, '#', sizeof why);
        if (ebb_sig_parse(bad[i], &s, why, sizeof why - 1) != EBB_E_ARG)
            fail_msg("\"%s\" was accepted", bad[i]);
        assert_non_null(memchr(why, 0, sizeof why - 1));
        if (strlen(why) < 4) fail_msg("\"%s\" is refused without a reason", bad[i]);
        assert_int_equal(why[sizeof why - 1], '#');
        assert_int_equal(ebb_sig_parse(bad[i], &s, NULL, 0), EBB_E_ARG);
    }
}

static void words(void **state) {
    UNUSED(state);
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"():i<v->()", "v"}, /* the bound is no core dim */
        {"():q->()", "q"},   {"()*,()->()", "last"}, {"()", "->"}, {"(a,b,c,d,e,f,g,h,i)->()", "dims"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        ebb_sig s;
        char why[256] = "";
        assert_int_equal(ebb_sig_parse(bad[i].text, &s, why, sizeof why), EBB_E_ARG);
        assert_words(why, bad[i].words);
    }
}

static void short_buffer(void **state) {
    UNUSED(state);
    ebb_sig s;
    char why[8] = "#######";
    assert_int_equal(ebb_sig_parse("(n->()", &s, why, 4), EBB_E_ARG);
    assert_true(strlen(why) <= 3);
    assert_int_equal(why[4], '#');
}

static uint64_t next(uint64_t *s) { /* splitmix64 */
    uint64_t z = (*s += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Whatever is accepted must be within the bounds of its own struct. */
static void within(const char *text, const ebb_sig *s) {
    if (s->n_x < 0 || s->n_y < 1 || s->n_x + s->n_y > (int32_t)COUNT(s->arg))
        fail_msg("\"%s\": operand counts", text);
    for (int i = 0; i < s->n_x + s->n_y; i++) {
        const ebb_sig_operand *a = &s->arg[i];
        if (a->ndim < 0 || a->ndim > EBB_MAX_DIMS) fail_msg("\"%s\": dims of operand %d", text, i);
        if (!memchr(a->name, 0, sizeof a->name)) fail_msg("\"%s\": name of operand %d", text, i);
        for (int d = 0; d < a->ndim; d++)
            if (!isalpha((unsigned char)a->dim[d])) fail_msg("\"%s\": a dim that is not a letter", text);
        if (a->dtype < 0 || a->dtype >= EBB_DTYPES) fail_msg("\"%s\": dtype of operand %d", text, i);
    }
}

static void fuzz(void **state) {
    UNUSED(state);
    static const char *const piece[] = {"(",  ")", "->", ",",    "n",   "m",        "?",     "*", ":i",
                                        ":b", "<", "v",  "()",   "(n)", "(m,k)",    "x",     " ", ":",
                                        "-",  ">", "\t", "\xff", "0",   "bias(n)?", "():i<n"};
    uint64_t seed = 20240;
    int accepted = 0;
    for (int run = 0; run < 200000; run++) {
        char text[160] = "";
        size_t n = 0;
        const uint64_t kind = next(&seed) % 3;
        if (kind < 2) { /* made of a signature's own pieces */
            for (uint64_t k = next(&seed) % 12 + 1; k; k--) {
                const char *p = piece[next(&seed) % COUNT(piece)];
                if (n + strlen(p) + 1 > sizeof text) break;
                memcpy(text + n, p, strlen(p) + 1);
                n += strlen(p);
            }
        } else { /* a good one with a byte changed */
            snprintf(text, sizeof text, "%s", "input(v,d),index(n):i<v,bias(d)?->(n,d)");
            text[next(&seed) % strlen(text)] = (char)(next(&seed) % 255 + 1);
        }
        char *exact = malloc(strlen(text) + 1), why[64]; /* so that a sanitizer sees a read past the end */
        assert_non_null(exact);
        strcpy(exact, text);
        ebb_sig s;
        const ebb_status st = ebb_sig_parse(exact, &s, why, sizeof why);
        if (st == EBB_OK) within(exact, &s), accepted++;
        else if (st != EBB_E_ARG || !why[0]) fail_msg("\"%s\": status %d, \"%s\"", exact, (int)st, why);
        free(exact);
    }
    assert_true(accepted > 100); /* the generator does reach good ones */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointwise),
        cmocka_unit_test(matrices),
        cmocka_unit_test(names_types_bounds),
        cmocka_unit_test(optional_and_variadic),
        cmocka_unit_test(several_outputs),
        cmocka_unit_test(malformed),
        cmocka_unit_test(words),
        cmocka_unit_test(short_buffer),
        cmocka_unit_test(fuzz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
