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

typedef struct ebb__probes {
    ebb__probe *first; /* in the order they were switched on */
    uint32_t events;   /* what any of them wants */
    bool busy;         /* a probe is running: ops it calls raise no events */
} ebb__probes;

static inline bool ebb__listening(const ebb *e, int kind) {
    return e->probes && (e->probes->events >> kind & 1) && !e->probes->busy;
}
/* Tells every probe that wants it. -> EBB_OK, or what one of them stopped with (the session's error is set). */
ebb_status ebb__raise(ebb *e, ebb_event *ev);
#endif
