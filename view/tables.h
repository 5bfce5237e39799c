/* tables.h - floor 6: growable tables of a trace that is being made. Private to view/.
 *
 * Invariants:
 *   - a table's items stay where their index says; pointers to them hold until the next one is added;
 *   - equal texts have one place in `texts`, and offset 0 is "";
 *   - an item that could not be added has index -1; the session's error is set, and `failed` stays. */
#ifndef EBB_TABLES_H
#define EBB_TABLES_H
#include <ebb/view.h>

typedef struct ebb__table {
    void *items;
    size_t n, cap, item; /* item: bytes of one */
} ebb__table;

typedef struct ebb__tables {
    ebb *e;
    ebb__table tensors, nodes, inputs, groups, events, stats, findings, series, floats, texts;
    ebb__table words; /* a hash table of the texts: uint32_t offsets, 0: free */
    size_t n_words;
    bool failed;
} ebb__tables;

ebb_status ebb__tables_open(ebb *e, ebb__tables *t);
void ebb__tables_close(ebb__tables *t);
void ebb__table_close(ebb *e, ebb__table *t);
/* n new items, zeroed, in one of these tables or one of the caller's. -> index of the first, -1 on error (also when it would pass 2^31 - 1 items) */
int32_t ebb__table_add(ebb__tables *t, ebb__table *table, size_t n);
/* -> the offset of a text; 0 on error. */
uint32_t ebb__text(ebb__tables *t, const char *s);
uint32_t ebb__text_of(ebb__tables *t, const char *s, size_t n);
uint32_t ebb__text_format(ebb__tables *t, const char *format, ...) EBB_PRINTF(2, 3);
/* Points a step at the tables. */
void ebb__tables_step(const ebb__tables *t, ebb_trace_step *out);

static inline ebb_trace_tensor *ebb__tensor_at(const ebb__tables *t, int32_t i) {
    return (ebb_trace_tensor *)t->tensors.items + i;
}
static inline ebb_trace_node *ebb__node_at(const ebb__tables *t, int32_t i) {
    return (ebb_trace_node *)t->nodes.items + i;
}
static inline ebb_trace_input *ebb__input_at(const ebb__tables *t, int32_t i) {
    return (ebb_trace_input *)t->inputs.items + i;
}
static inline ebb_trace_group *ebb__group_at(const ebb__tables *t, int32_t i) {
    return (ebb_trace_group *)t->groups.items + i;
}
static inline ebb_trace_stats *ebb__stats_at(const ebb__tables *t, int32_t i) {
    return (ebb_trace_stats *)t->stats.items + i;
}
static inline float *ebb__float_at(const ebb__tables *t, int32_t i) { return (float *)t->floats.items + i; }
static inline const char *ebb__text_at(const ebb__tables *t, uint32_t at) {
    return (const char *)t->texts.items + at;
}
#endif
