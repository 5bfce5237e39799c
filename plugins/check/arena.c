/* arena.c - floor 5: memory of a verification, given back in one go when a mark is passed again. */
#include "check.h"
#include <stdlib.h>

/* Blocks form a stack: `blocks` is the one in use. Freed only by check_reset, so nothing in here leaks on an error. */
struct block {
    block *below;
    size_t size, used;
};

enum { HEAD = 64, LEAST = 1 << 18 };

void *check_take(checker *c, size_t bytes) {
    bytes = (bytes + 63) & ~(size_t)63;
    if (!c->blocks || c->blocks->size - c->blocks->used < bytes) {
        const size_t size = bytes > LEAST ? bytes : LEAST;
        block *b = (block *)malloc(HEAD + size + 64);
        if (!b) {
            c->short_of_memory = true;
            return NULL;
        }
        *b = (block){c->blocks, size, 0};
        c->blocks = b;
    }
    block *b = c->blocks;
    unsigned char *base = (unsigned char *)b + HEAD;
    base += (64 - ((uintptr_t)base & 63)) & 63;
    void *p = base + b->used;
    b->used += bytes;
    memset(p, 0, bytes);
    return p;
}

mark check_mark(const checker *c) {
    const mark m = {c->blocks, c->blocks ? c->blocks->used : 0};
    return m;
}

void check_reset(checker *c, mark m) {
    while (c->blocks != m.at) {
        block *b = c->blocks;
        c->blocks = b->below;
        free(b);
    }
    if (c->blocks) c->blocks->used = m.used;
}

vec check_vec(checker *c, int64_t n) {
    vec r = {n, (double *)check_take(c, sizeof(double) * (size_t)(n > 0 ? n : 1))};
    return r;
}

vec check_copy(checker *c, const vec *v) {
    vec r = check_vec(c, v->n);
    if (r.v && v->v) memcpy(r.v, v->v, sizeof(double) * (size_t)v->n);
    return r;
}
