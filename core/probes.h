/* probes.h - floor 3: the event bus. No probe on: e->probes is NULL, and an event costs that test. Private to core/. */
#ifndef EBB_PROBES_H
#define EBB_PROBES_H
#include "session.h"
#include <ebb/plugin.h>

typedef struct ebb__probe {
    struct ebb__probe *next;
    const ebb_probe_decl *decl;
    void *attrs, *state;
    bool dead; /* switched off while an event was raised */
} ebb__probe;

/* A hook on the calls of an op or of a region. */
typedef struct ebb__watch {
    struct ebb__watch *next;
    int64_t id;
    int kind; /* an event's */
    ebb_op_hook fn;
    void *user;
    char *op, *region; /* NULL: any */
    bool dead;
} ebb__watch;

typedef struct ebb__probes {
    ebb__watch *watches;
    ebb__probe *first; /* in the order they were switched on */
    uint32_t events;   /* what any of them wants */
    bool busy;         /* a probe is running: ops it calls raise no events */
} ebb__probes;

static inline bool ebb__listening(const ebb *e, int kind) {
    return e->probes && (e->probes->events >> kind & 1) && !e->probes->busy;
}
/* Tells every probe that wants it. -> EBB_OK, or what one of them stopped with (the session's error is set). */
ebb_status ebb__raise(ebb *e, ebb_event *ev);
void ebb__watch_remove(ebb *e, int64_t handle); /* when it is one of an op or a region */
#endif
