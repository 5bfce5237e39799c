/* diagnose.h - floor 6: what the files that look for trouble in a record share. Private to view/.
 *
 * A finder looks through the tables and adds findings. It must be sure: a warning about a healthy model is worse than none. */
#ifndef EBB_DIAGNOSE_H
#define EBB_DIAGNOSE_H
#include "recorder.h"

typedef struct ebb__finder {
    const char *code, *title;
    void (*find)(ebb_recorder *r, const struct ebb__finder *self);
} ebb__finder;

void ebb__find_nan(ebb_recorder *r, const ebb__finder *self),
    ebb__find_inf(ebb_recorder *r, const ebb__finder *self),
    ebb__find_overflow(ebb_recorder *r, const ebb__finder *self),
    ebb__find_not_zeroed(ebb_recorder *r, const ebb__finder *self),
    ebb__find_unused(ebb_recorder *r, const ebb__finder *self),
    ebb__find_vanishing(ebb_recorder *r, const ebb__finder *self),
    ebb__find_exploding(ebb_recorder *r, const ebb__finder *self),
    ebb__find_rate(ebb_recorder *r, const ebb__finder *self),
    ebb__find_dead(ebb_recorder *r, const ebb__finder *self),
    ebb__find_saturated(ebb_recorder *r, const ebb__finder *self),
    ebb__find_symmetric(ebb_recorder *r, const ebb__finder *self),
    ebb__find_constant(ebb_recorder *r, const ebb__finder *self);

/* Adds a finding; what was found is said by cause and advice, of this thing. */
void ebb__found(ebb_recorder *r, const ebb__finder *self, int severity, int32_t node, int32_t tensor,
                const char *cause, const char *advice);
/* Statistics of an item of `stats`; NULL for -1. */
static inline const ebb_trace_stats *ebb__stats_or_null(const ebb_recorder *r, int32_t i) {
    return i < 0 ? NULL : ebb__stats_at(&r->t, i);
}
static inline int32_t ebb__bad(const ebb_trace_stats *s) { return s ? s->n_nan + s->n_inf : 0; }

/* "log (loss, line 12)": a node in words; "W1": a tensor; "[1,2]": a place in it. Into buf. */
const char *ebb__say_node(const ebb_recorder *r, int32_t node, char *buf, size_t n);
const char *ebb__say_tensor(const ebb_recorder *r, int32_t tensor, char *buf, size_t n);
const char *ebb__say_place(const ebb_trace_tensor *t, int64_t flat, char *buf, size_t n);
/* The element of a tensor's value; NAN when it is not kept. */
double ebb__value_at(const ebb_recorder *r, int32_t tensor, int64_t flat);
bool ebb__has_values(const ebb_recorder *r, int32_t tensor);
/* Where element `flat` of a result of shape y came from in an operand that was broadcast to it; -1: elsewhere. */
int64_t ebb__operand_place(const ebb_trace_tensor *y, int64_t flat, const ebb_trace_tensor *x);
bool ebb__op_is(const ebb_recorder *r, int32_t node, const char *names); /* "exp|exp2" */
/* Values of a curve of this name; NULL. */
const float *ebb__series_of(const ebb_recorder *r, const char *name, int32_t *n);
#endif
