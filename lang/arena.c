/* arena.c - floor 6: memory of the session that is taken in small pieces and given back together; and names, of which each is kept once. */
#include "tree.h"

typedef struct ebb__chunk {
    struct ebb__chunk *next;
    size_t size, used; /* of the bytes behind */
} ebb__chunk;

enum { CHUNK = 16384 - 64, ALIGN = 16, BUCKETS = 1024 };

static size_t head(void) { return (sizeof(ebb__chunk) + ALIGN - 1) / ALIGN * ALIGN; }

void *ebb__arena_get(ebb__arena *a, size_t bytes) {
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    ebb__chunk *c = a->chunk;
    if (!c || c->size - c->used < bytes) {
        const size_t size = bytes > CHUNK ? bytes : CHUNK;
        if (!(c = (ebb__chunk *)ebb_memory_get(a->e, head() + size))) return NULL;
        *c = (ebb__chunk){a->chunk, size, 0};
        a->chunk = c;
    }
    void *p = (char *)c + head() + c->used;
    c->used += bytes;
    return p;
}

void ebb__arena_free(ebb__arena *a) {
    for (ebb__chunk *c = a->chunk, *next; c; c = next) {
        next = c->next;
        ebb_memory_put(a->e, c, head() + c->size);
    }
    a->chunk = NULL;
}

void ebb__arena_reset(ebb__arena *a) {
    if (!a->chunk) return;
    ebb__arena rest = {a->e, a->chunk->next};
    ebb__arena_free(&rest);
    a->chunk->next = NULL;
    memset((char *)a->chunk + head(), 0, a->chunk->used);
    a->chunk->used = 0;
}

/* A bucket is an array of names, doubled when it is full. */
const char *ebb__intern(ebb__tree *t, const char *s, size_t n) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ (uint8_t)s[i]) * 16777619u;
    if (!t->interned && !(t->interned = (const char ***)ebb__arena_get(&t->arena, BUCKETS * sizeof *t->interned)))
        return NULL;
    const char ***bucket = &t->interned[(h ^ h >> 16) % BUCKETS];
    size_t used = 0;
    for (; *bucket && (*bucket)[used]; used++)
        if (strlen((*bucket)[used]) == n && !memcmp((*bucket)[used], s, n)) return (*bucket)[used];
    char *copy = (char *)ebb__arena_get(&t->arena, n + 1);
    if (!copy) return NULL;
    memcpy(copy, s, n);
    if (!*bucket || (used >= 3 && !((used + 1) & used))) { /* full at 3, 7, 15 ...: the last place holds NULL */
        const char **larger =
            (const char **)ebb__arena_get(&t->arena, 2 * (used < 2 ? 2 : used + 1) * sizeof *larger);
        if (!larger) return NULL;
        if (used) memcpy(larger, *bucket, used * sizeof *larger);
        *bucket = larger;
    }
    (*bucket)[used] = copy;
    return copy;
}
