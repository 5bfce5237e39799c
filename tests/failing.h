/* failing.h - what tests of failed allocations share: an allocator that fails from a given call on and counts what is out. */
#ifndef EBB_TEST_FAILING_H
#define EBB_TEST_FAILING_H
#include "test.h"
#include <limits.h>

typedef struct {
    size_t bytes, blocks; /* still out */
    long calls;
    long fail_at;  /* the first call that fails, 0: none */
    long span;     /* how many fail from there on */
    bool mismatch; /* a block was given back with another size */
} failing;

typedef union {
    size_t bytes;
    max_align_t align;
} header;

static inline void *fail_alloc(void *user, size_t bytes) {
    failing *f = user;
    f->calls++;
    if (f->fail_at && f->calls >= f->fail_at && f->calls - f->fail_at < f->span) return NULL;
    header *h = malloc(sizeof *h + bytes);
    if (!h) return NULL;
    h->bytes = bytes;
    memset(h + 1, 0xa5, bytes); /* nobody may count on zeros */
    f->bytes += bytes, f->blocks++;
    return h + 1;
}

static inline void fail_free(void *user, void *p, size_t bytes) {
    failing *f = user;
    if (!p) return;
    header *h = (header *)p - 1;
    if (h->bytes != bytes) f->mismatch = true;
    f->bytes -= h->bytes, f->blocks--;
    memset(p, 0xdd, h->bytes);
    free(h);
}

static inline ebb *open_failing(failing *f, int threads) {
    ebb_options o = {
        .size = sizeof o, .threads = threads, .grain = 8, .alloc = fail_alloc, .free = fail_free, .alloc_user = f};
    return ebb_open(&o);
}

/* Closes e (or what there is of it) and requires that nothing is left. */
static inline void close_clean(ebb *e, failing *f, long k) {
    ebb_close(e);
    if (f->blocks || f->bytes)
        fail_msg("allocation %ld failed: %zu blocks of %zu bytes leaked", k, f->blocks, f->bytes);
    if (f->mismatch)
        fail_msg("allocation %ld failed: a block was freed with another size than it was made with", k);
}

/* How many allocations fail: one (the engine may give back what it caches and try again), two, all that follow. */
static const long spans[] = {1, 2, LONG_MAX};

#endif
