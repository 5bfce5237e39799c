/* alloc.h - floor 0: the caching allocator of a session.
 *
 * Blocks come in size classes (four to a power of two), 64-byte aligned, and go back to a list of their class: fresh memory is slow to
 * touch, so it is kept and reused. Small blocks are cut from slabs. Everything is on one list of system blocks, so closing frees it all. */
#ifndef EBB_ALLOC_H
#define EBB_ALLOC_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EBB__CLASSES 224

typedef struct ebb__block { /* precedes each block taken from the system */
    struct ebb__block *next, *prev;
    size_t bytes; /* whole, as given back to the system */
    void *raw;
} ebb__block;

typedef struct ebb__alloc {
    void *(*get)(void *user, size_t bytes);
    void (*put)(void *user, void *p, size_t bytes);
    void *user;
    size_t limit; /* 0: none */
    size_t in_use, peak, held;
    ebb__block *blocks;
    void *cache[EBB__CLASSES]; /* free blocks of a class, linked through their first word */
    char *slab, *slab_end;
} ebb__alloc;

void *ebb__alloc_get(ebb__alloc *a, size_t bytes); /* NULL: none, or over the limit. 0 bytes: a valid block */
void ebb__alloc_put(ebb__alloc *a, void *p, size_t bytes);
void ebb__alloc_trim(ebb__alloc *a);
void ebb__alloc_close(ebb__alloc *a);
#endif
