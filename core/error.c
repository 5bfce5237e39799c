/* error.c - floor 1: the error slot of a session: the first message wins. Also memory that fails into it. */
#include "session.h"
#include <stdio.h>

static const char *const names[] = {"ok",     "argument", "shape",   "dtype",  "index",  "attribute",
                                    "name",   "graph",    "changed", "memory", "kernel", "plugin",
                                    "verify", "io",       "value",   "copy"};

const char *ebb_status_name(ebb_status s) {
    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "unknown";
}

bool ebb_failed(const ebb *e) { return !e || e->code != EBB_OK; }
const char *ebb_error(const ebb *e) { return e ? e->error : "no session: ebb_open returned NULL"; }
ebb_status ebb_error_code(const ebb *e) { return e ? e->code : EBB_E_ARG; }

void ebb_error_clear(ebb *e) {
    if (!e) return;
    e->code = EBB_OK;
    e->error[0] = 0;
}

ebb_status ebb__vfail(ebb *e, ebb_status code, const char *format, va_list args) {
    if (!e || e->code != EBB_OK) return code;
    e->code = code;
    vsnprintf(e->error, sizeof e->error, format, args);
    return code;
}

ebb_status ebb_fail(ebb *e, ebb_status code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ebb__vfail(e, code, format, args);
    va_end(args);
    return code;
}

void ebb__context(ebb *e, const char *format, ...) {
    char head[512], old[sizeof e->error];
    va_list args;
    va_start(args, format);
    vsnprintf(head, sizeof head, format, args);
    va_end(args);
    memcpy(old, e->error, sizeof old);
    const size_t n = strlen(head);
    memcpy(e->error, head, n + 1);
    snprintf(e->error + n, sizeof e->error - n, "%s", old);
}

void *ebb__get(ebb *e, size_t bytes) {
    void *p = ebb__alloc_get(&e->mem, bytes);
    if (!p) {
        if (e->mem.limit)
            ebb_fail(e, EBB_E_MEMORY, "out of memory: %zu bytes wanted, %zu held, the session's limit is %zu",
                     bytes, e->mem.held, e->mem.limit);
        else
            ebb_fail(e, EBB_E_MEMORY, "out of memory: the system has no %zu bytes (%zu held by the session)",
                     bytes, e->mem.held);
    }
    return p;
}

void *ebb__get0(ebb *e, size_t bytes) {
    void *p = ebb__get(e, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

void ebb__put(ebb *e, void *p, size_t bytes) { ebb__alloc_put(&e->mem, p, bytes); }

bool ebb__grow(ebb *e, void *array, size_t *cap, size_t used, size_t more, size_t item) {
    if (used + more <= *cap) return true;
    size_t want = *cap ? *cap * 2 : 64;
    while (want < used + more) want *= 2;
    void *old, *p = ebb__get(e, want * item);
    if (!p) return false;
    memcpy(&old, array, sizeof old);
    if (used) memcpy(p, old, used * item);
    ebb__put(e, old, *cap * item);
    memcpy(array, &p, sizeof p);
    *cap = want;
    return true;
}

char *ebb__strdup(ebb *e, const char *s) {
    const size_t n = strlen(s) + 1;
    char *p = (char *)ebb__get(e, n);
    if (p) memcpy(p, s, n);
    return p;
}

void ebb__strfree(ebb *e, char *s) {
    if (s) ebb__put(e, s, strlen(s) + 1);
}
