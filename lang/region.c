/* region.c - floor 6: regions of a run: "block", "block.2", "repeat.1": the k-th entry under a name is the same region at every run. */
#include "model.h"

static ebb__tally *tally_of(ebb_model *m, const char *name) {
    ebb__tally *t = m->region->tally;
    while (t && t->name != name) t = t->next;
    if (!t && (t = (ebb__tally *)ebb__arena_get(&m->tree.arena, sizeof *t))) {
        t->name = name;
        t->next = m->region->tally;
        m->region->tally = t;
    }
    if (t && t->run != m->run) t->run = m->run, t->n = 0;
    return t;
}

/* The entry behind the last one, made. */
static ebb__region *new_entry(ebb_model *m, ebb__tally *t, bool numbered, ebb_span span) {
    ebb__arena *a = &m->tree.arena;
    char label[140], number[16] = "";
    if (++m->n_regions > MAX_REGIONS) {
        ebb__problem(m, EBB_E_ARG, span, "", "the model has more than %d regions", (int)MAX_REGIONS);
        return NULL;
    }
    if (t->n == t->cap) {
        const int32_t cap = t->cap ? 2 * t->cap : 4;
        ebb__region **larger = (ebb__region **)ebb__arena_get(a, (size_t)cap * sizeof(ebb__region *));
        if (!larger) return NULL;
        if (t->n) memcpy(larger, t->entry, (size_t)t->n * sizeof(ebb__region *));
        t->entry = larger;
        t->cap = cap;
    }
    if (t->n || numbered) snprintf(number, sizeof number, ".%d", (int)t->n + 1);
    snprintf(label, sizeof label, "%s%s", t->name, number);
    ebb__region *r = (ebb__region *)ebb__arena_get(a, sizeof *r);
    const char *outer = m->region->path;
    const size_t n = (outer ? strlen(outer) + 1 : 0) + strlen(label) + 1;
    if (!r || !(r->label = ebb__intern(&m->tree, label, strlen(label))) ||
        !(r->path = (char *)ebb__arena_get(a, n)))
        return NULL;
    snprintf(r->path, n, outer ? "%s/%s" : "%s%s", outer ? outer : "", label);
    r->outer = m->region;
    return t->entry[t->n] = r;
}

bool ebb__region_in(ebb_model *m, const char *name, bool numbered, ebb_span span) {
    ebb__tally *t = tally_of(m, name);
    if (!t) return false;
    ebb__region *r = t->n < t->cap ? t->entry[t->n] : NULL;
    if (!r && !(r = new_entry(m, t, numbered, span))) return false;
    t->n++;
    m->region = r;
    ebb_region_begin(m->e, r->label);
    return true;
}

void ebb__region_out(ebb_model *m) {
    m->region = m->region->outer;
    ebb_region_end(m->e);
}
