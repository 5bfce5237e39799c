/* memory.c - floor 5: an allocation that fails, wherever it does, is an error that leaves nothing behind. */
#include "check.h"
#include <stdlib.h>

/* The allocator of a session: fails from the call numbered `fail_at` on, counted from when it was
 * set (a single failure is hidden by giving cached blocks back and asking again). */
typedef struct failing {
    int64_t calls, fail_at; /* fail_at 0: never */
} failing;

static void *get(void *user, size_t bytes) {
    failing *f = (failing *)user;
    if (++f->calls >= f->fail_at && f->fail_at) return NULL;
    return aligned_alloc(64, (bytes + 63) & ~(size_t)63);
}

static void give(void *user, void *p, size_t bytes) {
    (void)user;
    (void)bytes;
    free(p);
}

/* One forward and backward. The cotangents of `j` may be absent at first. */
static bool once(checker *c, const job *j, outcome *o) {
    const mark m = check_mark(c);
    const bool ok = check_run(c, j, o);
    check_reset(c, m);
    return ok;
}

static bool failing_at(checker *c, tally *t, const job *j, failing *f, const ebb_memory *before, int64_t k,
                       bool *reached) {
    outcome o;
    ebb_memory after;
    ebb_memory_trim(j->e);
    f->calls = 0;
    f->fail_at = k;
    const bool ok = once(c, j, &o);
    *reached = f->calls >= k;
    f->fail_at = 0;
    const ebb_status code = ebb_error_code(j->e);
    const bool failed = ebb_failed(j->e);
    char words[200] = "";
    check_say(words, sizeof words, "%s", ebb_error(j->e));
    ebb_error_clear(j->e);
    t->cases++;
    if (*reached && !ok && code != EBB_E_MEMORY)
        return check_fail(c, t, j->t, NULL, "allocation %lld fails: %s, \"%s\", instead of an error about memory",
                          (long long)k, failed ? ebb_status_name(code) : "no error", words);
    if (!*reached && !ok)
        return check_fail(c, t, j->t, NULL, "the call fails after an earlier one ran out of memory (%s)", words);
    if (!once(c, j, &o)) return check_engine(c, t, j->t, j->e, "the call after one that ran out of memory");
    ebb_memory_stats(j->e, &after);
    if (after.in_use > before->in_use || after.tensors > before->tensors)
        return check_fail(c, t, j->t, "an early return that frees less than the usual one",
                          "allocation %lld fails and leaves %lld bytes, %lld tensors behind", (long long)k,
                          (long long)after.in_use - (long long)before->in_use,
                          (long long)(after.tensors - before->tensors));
    return true;
}

static void alloc_of(checker *c, tally *t, const trial *tr) {
    enum { MOST = 40 };
    failing f = {0, 0};
    ebb_options opt = {
        .size = sizeof(ebb_options), .threads = 1, .seed = c->seed, .alloc = get, .free = give, .alloc_user = &f};
    job j = {0};
    vec x[MAX_X], g[MAX_Y];
    outcome o;
    if (!check_start(c, t, tr, &j, x, g, &o)) return;
    if (!c->differentiable) j.wanted = 0;
    j.e = ebb_open_like(c->from, &opt);
    if (!j.e) {
        check_fail(c, t, tr, NULL, "no memory for a session");
        return;
    }
    ebb_memory before;
    bool reached = true;
    if (!once(c, &j, &o) || !once(c, &j, &o)) check_engine(c, t, tr, j.e, "the call");
    ebb_memory_stats(j.e, &before);
    for (int64_t k = 1; k <= MOST && reached && !t->failed; k++)
        failing_at(c, t, &j, &f, &before, k, &reached);
    ebb_close(j.e);
}

/* Large trials too: their tensors do not fit into what the allocator holds. */
void check_alloc(checker *c, tally *t) {
    for (int k = 0; k < 2 && !t->failed; k++) {
        const mark m = check_mark(c);
        if (k == 0) alloc_of(c, t, &c->main[0]);
        else if (c->n_large) alloc_of(c, t, &c->large[c->n_large - 1]);
        check_reset(c, m);
    }
}
