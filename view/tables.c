/* tables.c - floor 6: growable tables of a trace that is being made, and its texts, each once. */
#include "tables.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void each(ebb__tables *t, void (*fn)(ebb *e, ebb__table *table)) {
    ebb__table *const all[] = {&t->tensors,  &t->nodes,  &t->inputs, &t->groups, &t->events, &t->stats,
                               &t->findings, &t->series, &t->floats, &t->texts,  &t->words};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) fn(t->e, all[i]);
}

void ebb__table_close(ebb *e, ebb__table *t) {
    ebb_memory_put(e, t->items, t->cap * t->item);
    t->items = NULL;
    t->n = t->cap = 0;
}

void ebb__tables_close(ebb__tables *t) {
    if (t->e) each(t, ebb__table_close);
}

int32_t ebb__table_add(ebb__tables *t, ebb__table *table, size_t n) {
    if (n > (size_t)INT32_MAX - table->n) {
        ebb_fail(t->e, EBB_E_MEMORY, "a trace's table of %zu items has no room for %zu more", table->n, n);
        t->failed = true;
    }
    if (t->failed || !ebb_memory_grow(t->e, &table->items, &table->cap, table->n, n, table->item)) {
        t->failed = true;
        return -1;
    }
    if (n) memset((char *)table->items + table->n * table->item, 0, n * table->item);
    table->n += n;
    return (int32_t)(table->n - n);
}

ebb_status ebb__tables_open(ebb *e, ebb__tables *t) {
    *t = (ebb__tables){.e = e,
                       .tensors = {.item = sizeof(ebb_trace_tensor)},
                       .nodes = {.item = sizeof(ebb_trace_node)},
                       .inputs = {.item = sizeof(ebb_trace_input)},
                       .groups = {.item = sizeof(ebb_trace_group)},
                       .events = {.item = sizeof(ebb_trace_event)},
                       .stats = {.item = sizeof(ebb_trace_stats)},
                       .findings = {.item = sizeof(ebb_trace_finding)},
                       .series = {.item = sizeof(ebb_trace_series)},
                       .floats = {.item = sizeof(float)},
                       .texts = {.item = 1},
                       .words = {.item = sizeof(uint32_t)}};
    if (ebb__table_add(t, &t->texts, 1) == 0 && ebb__table_add(t, &t->words, 256) == 0) return EBB_OK;
    ebb__tables_close(t);
    return ebb_error_code(e);
}

/* ---- texts ---- */

static uint32_t hash_of(const char *s, size_t n) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ (uint8_t)s[i]) * 16777619u;
    return h;
}

/* The place of a text among the words: its own, or the free one that it would have. */
static uint32_t *place_of(const ebb__table *words, const ebb__tables *t, const char *s, size_t n) {
    uint32_t *slot = (uint32_t *)words->items;
    for (size_t i = hash_of(s, n) & (words->n - 1);; i = (i + 1) & (words->n - 1)) {
        if (!slot[i]) return &slot[i];
        const char *known = ebb__text_at(t, slot[i]);
        if (!strncmp(known, s, n) && !known[n]) return &slot[i];
    }
}

static bool more_words(ebb__tables *t) {
    ebb__table wider = {.item = sizeof(uint32_t)};
    if (ebb__table_add(t, &wider, 2 * t->words.n) < 0) return false;
    const uint32_t *slot = (const uint32_t *)t->words.items;
    for (size_t i = 0; i < t->words.n; i++) {
        if (!slot[i]) continue;
        const char *s = ebb__text_at(t, slot[i]);
        *place_of(&wider, t, s, strlen(s)) = slot[i];
    }
    ebb__table_close(t->e, &t->words);
    t->words = wider;
    return true;
}

uint32_t ebb__text_of(ebb__tables *t, const char *s, size_t n) {
    if (!s || !n) return 0;
    if (2 * (t->n_words + 1) > t->words.n && !more_words(t)) return 0;
    uint32_t *slot = place_of(&t->words, t, s, n);
    if (*slot) return *slot;
    const int32_t at = ebb__table_add(t, &t->texts, n + 1);
    if (at < 0) return 0;
    memcpy((char *)t->texts.items + at, s, n);
    t->n_words++;
    return *slot = (uint32_t)at;
}

uint32_t ebb__text(ebb__tables *t, const char *s) { return ebb__text_of(t, s, s ? strlen(s) : 0); }

uint32_t ebb__text_format(ebb__tables *t, const char *format, ...) {
    char s[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(s, sizeof s, format, args);
    va_end(args);
    return ebb__text(t, s);
}

void ebb__tables_step(const ebb__tables *t, ebb_trace_step *out) {
    out->n_tensors = (int32_t)t->tensors.n;
    out->n_nodes = (int32_t)t->nodes.n;
    out->n_inputs = (int32_t)t->inputs.n;
    out->n_groups = (int32_t)t->groups.n;
    out->n_events = (int32_t)t->events.n;
    out->n_stats = (int32_t)t->stats.n;
    out->n_findings = (int32_t)t->findings.n;
    out->n_series = (int32_t)t->series.n;
    out->n_floats = (int32_t)t->floats.n;
    out->n_texts = (int32_t)t->texts.n;
    out->tensors = (const ebb_trace_tensor *)t->tensors.items;
    out->nodes = (const ebb_trace_node *)t->nodes.items;
    out->inputs = (const ebb_trace_input *)t->inputs.items;
    out->groups = (const ebb_trace_group *)t->groups.items;
    out->events = (const ebb_trace_event *)t->events.items;
    out->stats = (const ebb_trace_stats *)t->stats.items;
    out->findings = (const ebb_trace_finding *)t->findings.items;
    out->series = (const ebb_trace_series *)t->series.items;
    out->floats = (const float *)t->floats.items;
    out->texts = (const char *)t->texts.items;
}
