/* layout_memory.c - floor 6: the layout's working memory: pieces of chunks that are tensors of bytes, so that the session counts and limits them. */
#include "layout.h"

typedef struct ebb__chunk { /* at the head of its tensor's bytes */
    ebb_tensor *bytes;
    struct ebb__chunk *next;
} chunk;

enum { CHUNK = 1 << 16, ALIGN = 16 };

static bool more(ebb__arena *a, size_t bytes) {
    size_t room = a->chunks ? 2 * (size_t)ebb_numel(a->chunks->bytes) : CHUNK;
    if (room > 64 * CHUNK) room = 64 * CHUNK;
    const size_t head = (sizeof(chunk) + ALIGN - 1) / ALIGN * ALIGN;
    if (room < bytes + head) room = bytes + head;
    ebb_scope *s = ebb_begin(a->e); /* so that it belongs to nobody but us */
    ebb_tensor *t = s ? ebb_retain(ebb_tensor_new(a->e, EBB_U8, EBB_SHAPE((int64_t)room), NULL)) : NULL;
    ebb_end(s);
    chunk *c = ebb_data_mut(t);
    if (!c) {
        ebb_release(t);
        return false;
    }
    c->bytes = t, c->next = a->chunks;
    a->chunks = c, a->at = (char *)c + head, a->end = (char *)c + room;
    return true;
}

void *ebb__arena_take(ebb__arena *a, size_t n, size_t bytes) {
    if (n > SIZE_MAX / 4 / bytes) {
        ebb_fail(a->e, EBB_E_MEMORY, "layout: %zu elements of %zu bytes are more than there can be", n, bytes);
        return NULL;
    }
    const size_t room = ((n ? n : 1) * bytes + ALIGN - 1) / ALIGN * ALIGN;
    if ((size_t)(a->end - a->at) < room && !more(a, room)) return NULL;
    void *at = a->at;
    a->at += room;
    return at;
}

void ebb__arena_drop(ebb__arena *a) {
    for (chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        ebb_release(c->bytes);
    }
    a->chunks = NULL, a->at = a->end = NULL;
}
