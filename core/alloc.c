/* alloc.c - floor 0: the caching allocator; see alloc.h. */
#include "alloc.h"
#include <string.h>

enum { ALIGN = 64, HEAD = 64, SMALL = 4096, SLAB = 256 * 1024 };

#if defined __SANITIZE_ADDRESS__
#define CACHING 0 /* let the sanitizer see every block */
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define CACHING 0
#endif
#endif
#ifndef CACHING
#define CACHING 1
#endif

/* Class of a size and the bytes that class has: 64 apart up to 256, then four steps to each power of two. */
static unsigned class_of(size_t bytes, size_t *size) {
    if (bytes <= 256) {
        const unsigned c = bytes ? (unsigned)((bytes + 63) / 64 - 1) : 0;
        *size = (c + 1) * 64u;
        return c;
    }
    const unsigned top =
        63u - (unsigned)__builtin_clzll((unsigned long long)(bytes - 1)); /* 2^top < bytes <= 2^(top+1) */
    const size_t step = (size_t)1 << (top - 2);
    const unsigned quarter = (unsigned)((bytes - 1 - ((size_t)1 << top)) / step);
    *size = ((size_t)1 << top) + (quarter + 1) * step;
    return 4 + (top - 8) * 4 + quarter;
}

static void *system_get(ebb__alloc *a, size_t bytes) {
    const size_t whole = bytes + HEAD + ALIGN - 1;
    if (whole < bytes) return NULL;
    if (a->limit && a->held + whole > a->limit) {
        ebb__alloc_trim(a);
        if (a->held + whole > a->limit) return NULL;
    }
    void *raw = a->get(a->user, whole);
    if (!raw) {
        ebb__alloc_trim(a);
        raw = a->get(a->user, whole);
        if (!raw) return NULL;
    }
    char *p = (char *)(((uintptr_t)raw + HEAD + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
    ebb__block *b = (ebb__block *)(void *)(p - HEAD);
    *b = (ebb__block){.next = a->blocks, .bytes = whole, .raw = raw};
    if (a->blocks) a->blocks->prev = b;
    a->blocks = b;
    a->held += whole;
    return p;
}

static void system_put(ebb__alloc *a, void *p) {
    ebb__block *b = (ebb__block *)(void *)((char *)p - HEAD);
    if (b->prev) b->prev->next = b->next;
    else a->blocks = b->next;
    if (b->next) b->next->prev = b->prev;
    a->held -= b->bytes;
    a->put(a->user, b->raw, b->bytes);
}

void *ebb__alloc_get(ebb__alloc *a, size_t bytes) {
    if (bytes > (size_t)PTRDIFF_MAX / 4) return NULL;
    size_t size;
    const unsigned c = class_of(bytes, &size);
    if (!CACHING) size = bytes; /* so that it sees an overrun of one byte, too */
    void *p = a->cache[c];
    if (CACHING && p) {
        memcpy(&a->cache[c], p, sizeof(void *));
    } else if (CACHING && size <= SMALL) {
        if ((size_t)(a->slab_end - a->slab) < size) {
            char *slab = (char *)system_get(a, SLAB);
            if (!slab) return NULL;
            a->slab = slab; /* what was left of the old one stays unused: less than SMALL */
            a->slab_end = slab + SLAB;
        }
        p = a->slab;
        a->slab += size;
    } else {
        p = system_get(a, size);
        if (!p) return NULL;
    }
    a->in_use += size;
    if (a->in_use > a->peak) a->peak = a->in_use;
    return p;
}

void ebb__alloc_put(ebb__alloc *a, void *p, size_t bytes) {
    if (!p) return;
    size_t size;
    const unsigned c = class_of(bytes, &size);
    if (!CACHING) size = bytes;
    a->in_use -= size;
    if (!CACHING) {
        system_put(a, p);
        return;
    }
    memcpy(p, &a->cache[c], sizeof(void *));
    a->cache[c] = p;
}

void ebb__alloc_trim(ebb__alloc *a) {
    size_t size;
    const unsigned small = class_of(SMALL, &size);
    for (unsigned c = small + 1; c < EBB__CLASSES; c++)
        while (a->cache[c]) {
            void *p = a->cache[c];
            memcpy(&a->cache[c], p, sizeof(void *));
            system_put(a, p);
        }
}

void ebb__alloc_close(ebb__alloc *a) {
    while (a->blocks) system_put(a, (char *)a->blocks + HEAD);
}
