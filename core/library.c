/* library.c - floor 4: what libraries on top of the engine (model language, views) need of a session: memory, a place for what is theirs, open
 * scopes, default attributes, the nearest name. */
#include "registry.h"
#include <stdio.h>

void *ebb_memory_get(ebb *e, size_t bytes) { return e ? ebb__get0(e, bytes ? bytes : 1) : NULL; }

void ebb_memory_put(ebb *e, void *p, size_t bytes) {
    if (e && p) ebb__put(e, p, bytes ? bytes : 1);
}

bool ebb_memory_grow(ebb *e, void *array, size_t *cap, size_t used, size_t more, size_t item) {
    return e && ebb__grow(e, array, cap, used, more, item);
}

void *ebb_keep(ebb *e, const char *key, size_t bytes) {
    if (!e || !key) return NULL;
    for (ebb__kept *k = e->kept; k; k = k->next)
        if (!strcmp(k->key, key)) return k + 1;
    ebb__kept *k = (ebb__kept *)ebb_memory_get(e, sizeof *k + bytes);
    if (!k) return NULL;
    snprintf(k->key, sizeof k->key, "%s", key);
    k->next = e->kept;
    e->kept = k;
    return k + 1;
}

void *ebb_kept(const ebb *e, const char *key) {
    for (ebb__kept *k = e && key ? e->kept : NULL; k; k = k->next)
        if (!strcmp(k->key, key)) return k + 1;
    return NULL;
}

uint64_t ebb_scope_id(const ebb *e) { return e && e->scope ? e->scope->id : 0; }

bool ebb_scope_open(const ebb *e, uint64_t id) {
    const ebb_scope *s = e ? e->scope : NULL;
    while (s && s->id != id) s = s->outer;
    return s || (e && !id);
}

const void *ebb_op_defaults(const ebb *e, const char *name) {
    const ebb__entry *x = e && name ? ebb__find(e, name, 0) : NULL;
    return x ? x->defaults : NULL;
}

static const char *word_at(const void *list, size_t i) { return ((const char *const *)list)[i]; }

const char *ebb_nearest(const char *word, size_t n, const char *const *list) {
    return word && list ? ebb__nearest(word, word_at, list, n) : NULL;
}
