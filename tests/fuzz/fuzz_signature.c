/* fuzz_signature.c - ebb_sig_parse on any text: refused with words, or a signature that means what it says. */
#include "fuzz_main.h"
#include <ctype.h>

static const fuzz_seed corpus[] = {
    FUZZ_TEXT("()->()"),
    FUZZ_TEXT("(),()->()"),
    FUZZ_TEXT("(m,k),(k,n)->(m,n)"),
    FUZZ_TEXT("input(k), weight(n,k), bias(n)? -> (n)"),
    FUZZ_TEXT("input(v,d),index():i<v->(d)"),
    FUZZ_TEXT("condition():b,input(),other()->(),():i"),
    FUZZ_TEXT("tensors()*->()"),
    FUZZ_TEXT("(a,b,c,d,e,f,g,h)->(a)"),
    FUZZ_TEXT("(),(),(),(),(),(),(),(),(),(),(),(),(),(),()->()"),
    FUZZ_TEXT("()->(),(),(),(),(),(),(),(),(),(),(),(),(),(),()"),
    FUZZ_TEXT("abcdefghijklmnopqrstuvw()->y()"),
};
static const char *const words[] = {"()", "->", ",",     "(n)", "()*", "()?", ":i<n",     ":i",
                                    ":b", "<v", "(a,b",  "__",  "  ",  ",()", "->()",     "(n)?",
                                    "*",  "?",  ",():i", "z",   "->y", "(9)", "\xc3\xa9", "abcdefghijklmno",
                                    NULL};
FUZZ_TARGET(.name = "fuzz_signature", .inputs = 400000, .max = 300, .fresh = 5, .seed = corpus,
            .n_seeds = COUNT(corpus), .words = words)

/* Writes a signature as text; it must be read as the same. */
static void print(const ebb_sig *s, char *p) {
    if (!s->n_x) p += sprintf(p, "->");
    for (int i = 0; i < s->n_x + s->n_y; i++) {
        const ebb_sig_operand *a = &s->arg[i];
        p += sprintf(p, "%s%s(", !i ? "" : i == s->n_x ? "->" : ",", a->name);
        for (int d = 0; d < a->ndim; d++) p += sprintf(p, "%s%c", d ? "," : "", a->dim[d]);
        p += sprintf(p, ")%s%s",
                     a->optional   ? "?"
                     : a->variadic ? "*"
                                   : "",
                     a->dtype == EBB_I64    ? ":i"
                     : a->dtype == EBB_BOOL ? ":b"
                                            : "");
        if (a->below) p += sprintf(p, "<%c", a->below);
    }
}

static bool same(const ebb_sig *a, const ebb_sig *b) {
    if (a->n_x != b->n_x || a->n_y != b->n_y) return false;
    for (int i = 0; i < a->n_x + a->n_y; i++) {
        const ebb_sig_operand *p = &a->arg[i], *q = &b->arg[i];
        if (strcmp(p->name, q->name) || p->ndim != q->ndim || memcmp(p->dim, q->dim, sizeof p->dim) ||
            p->dtype != q->dtype || p->optional != q->optional || p->variadic != q->variadic || p->below != q->below)
            return false;
    }
    return true;
}

static bool lower(char c) { return c >= 'a' && c <= 'z'; }

static void check_operand(const ebb_sig *s, int i) {
    const ebb_sig_operand *a = &s->arg[i];
    const bool output = i >= s->n_x;
    FUZZ_CHECK(memchr(a->name, 0, sizeof a->name) && a->name[0], "operand %d", i);
    FUZZ_CHECK(a->ndim >= 0 && a->ndim <= EBB_MAX_DIMS, "operand %d has %d dims", i, a->ndim);
    for (int d = 0; d < a->ndim; d++) FUZZ_CHECK(lower(a->dim[d]), "operand %d, dim %d", i, d);
    FUZZ_CHECK(a->dtype == EBB_NONE || a->dtype == EBB_I64 || a->dtype == EBB_BOOL, "operand %d", i);
    FUZZ_CHECK(!a->below || (lower(a->below) && a->dtype == EBB_I64), "operand %d", i);
    FUZZ_CHECK(!(a->optional && a->variadic) && !(output && a->optional), "operand %d", i);
    FUZZ_CHECK(!a->variadic || i == s->n_x - 1 || (i == s->n_x && s->n_y == 1), "operand %d", i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_begin(data, size);
    char *text = malloc(size + 1);
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    text[size] = 0;
    const size_t rooms[] = {0, 1, 17, 400}, room = rooms[size % COUNT(rooms)];
    char *why = malloc(room + 1); /* one byte more than is told: it must stay */
    if (!why) abort();
    memset(why, 'w', room + 1);
    ebb_sig s, again;
    memset(&s, 0x5a, sizeof s);
    const ebb_status r = ebb_sig_parse(text, &s, why, room);
    FUZZ_CHECK(r == EBB_OK || r == EBB_E_ARG, "status %d", (int)r);
    FUZZ_CHECK(why[room] == 'w' && (!room || memchr(why, 0, room)), "why[%zu] is written past", room);
    FUZZ_CHECK(room < 2 || !why[0] == (r == EBB_OK), "\"%s\"", why);
    FUZZ_CHECK(ebb_sig_parse(text, &again, NULL, 100) == r, "another answer without why");
    if (r == EBB_OK) {
        FUZZ_CHECK(same(&s, &again), "another signature without why");
        FUZZ_CHECK(s.n_x >= 0 && s.n_y >= 1 && s.n_x + s.n_y <= (int)COUNT(s.arg), "%d, %d", s.n_x, s.n_y);
        for (int i = 0; i < s.n_x + s.n_y; i++) check_operand(&s, i);
        char round[COUNT(s.arg) * 64];
        print(&s, round);
        fuzz_note("written: %s\n", round);
        FUZZ_CHECK(ebb_sig_parse(round, &again, NULL, 0) == EBB_OK && same(&s, &again),
                   "not read as it was written");
    }
    free(why);
    free(text);
    return 0;
}
