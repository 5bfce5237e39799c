/* trace_read.c - floor 6: trace files: checked whole, then read where they lie.
 *
 * What a reader of a trace may rely on is checked here and nowhere else: every index is in its table, every text ends, groups lie one inside the
 * other in the order of a walk, operands come from earlier nodes. trace_write.c describes the format. */
#include "trace_format.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct ebb_trace_file {
    ebb *e;
    char *bytes;
    size_t n;
    int32_t n_frames;
    ebb_trace_step *frames;
};

/* One table's item that is looked at, for messages. */
typedef struct place {
    ebb *e;
    const ebb_trace_step *s;
    int32_t frame, item;
    const char *table;
} place;

static bool EBB_PRINTF(3, 4) bad(const place *p, const char *field, const char *format, ...) {
    char words[200];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    ebb_fail(p->e, EBB_E_IO, "trace file: frame %d: %s[%d].%s %s", p->frame, p->table, p->item, field, words);
    return false;
}

static bool within(const place *p, const char *field, int32_t v, int32_t lo, int32_t hi) {
    return (v >= lo && v <= hi) || bad(p, field, "is %d, outside %d..%d", v, lo, hi);
}

static bool text(const place *p, const char *field, uint32_t at) {
    return at < (uint32_t)p->s->n_texts || bad(p, field, "is %u, the texts have %d bytes", at, p->s->n_texts);
}

/* Items at .. at+n-1 of a table of `size`. */
static bool span(const place *p, const char *field, int32_t at, int64_t n, int32_t size) {
    return (at >= 0 && n >= 0 && at + n <= size) ||
           bad(p, field, "is %d: %lld items from there on are not in its table of %d", at, (long long)n, size);
}

/* ---- one item each -------------------------------------------------------------------------------------------------- */

static bool tensor_ok(const place *p, int32_t i) {
    const ebb_trace_tensor *t = &p->s->tensors[i];
    const int32_t stats = p->s->n_stats - 1;
    if (!text(p, "name", t->name) || !within(p, "kind", t->kind, EBB_TT_INPUT, EBB_TT_VALUE) ||
        !within(p, "dtype", t->dtype, EBB_F32, EBB_BOOL) || !within(p, "ndim", t->ndim, 0, EBB_MAX_DIMS) ||
        !within(p, "node", t->node, -1, p->s->n_nodes - 1) || !within(p, "value", t->value, -1, stats) ||
        !within(p, "grad", t->grad, -1, stats) || !within(p, "after", t->after, -1, stats) ||
        !within(p, "needs_grad", t->needs_grad, 0, 1))
        return false;
    for (int32_t d = 0; d < t->ndim; d++)
        if (t->dim[d] < 0) return bad(p, "dim", "has a size of %d", t->dim[d]);
    if (t->node < 0) return within(p, "out", t->out, -1, -1);
    const ebb_trace_node *n = &p->s->nodes[t->node];
    return (t->out >= 0 && t->out < n->n_out && i - t->out == n->first_out) ||
           bad(p, "out", "is %d, but node %d has its %d outputs at %d", t->out, t->node, n->n_out, n->first_out);
}

static bool node_ok(const place *p, int32_t i) {
    const ebb_trace_node *n = &p->s->nodes[i];
    if (!text(p, "op", n->op) || !text(p, "attrs", n->attrs) || !text(p, "math", n->math) ||
        !text(p, "label", n->label) || !within(p, "group", n->group, -1, p->s->n_groups - 1) ||
        !span(p, "input", n->input, n->n_in, p->s->n_inputs) ||
        !span(p, "first_out", n->first_out, n->n_out, p->s->n_tensors) ||
        !within(p, "on_tape", n->on_tape, 0, 1) || !within(p, "line", n->line, 0, INT32_MAX) ||
        !within(p, "column", n->column, 0, INT32_MAX) || !within(p, "end_line", n->end_line, 0, INT32_MAX) ||
        !within(p, "end_column", n->end_column, 0, INT32_MAX))
        return false;
    for (int32_t k = 0; k < n->n_out; k++)
        if (p->s->tensors[n->first_out + k].node != i)
            return bad(p, "first_out", "is %d, but tensor %d is of node %d", n->first_out, n->first_out + k,
                       p->s->tensors[n->first_out + k].node);
    for (int32_t k = 0; k < n->n_in; k++) {
        const int32_t x = p->s->inputs[n->input + k].tensor;
        if (x < -1 || x >= p->s->n_tensors)
            return bad(p, "input", "leads to tensor %d, outside -1..%d", x, p->s->n_tensors - 1);
        if (x >= 0 && p->s->tensors[x].node >= i)
            return bad(p, "input", "leads to tensor %d, which node %d makes later", x, p->s->tensors[x].node);
    }
    return true;
}

static bool input_ok(const place *p, int32_t i) {
    const ebb_trace_input *x = &p->s->inputs[i];
    return within(p, "tensor", x->tensor, -1, p->s->n_tensors - 1) &&
           within(p, "grad", x->grad, -1, p->s->n_stats - 1);
}

static bool group_ok(const place *p, int32_t i) {
    const ebb_trace_group *all = p->s->groups, *g = &all[i];
    if (!text(p, "name", g->name) || !within(p, "kind", g->kind, EBB_TG_REGION, EBB_TG_OP) ||
        !within(p, "parent", g->parent, -1, i - 1) || !within(p, "first", g->first, 0, p->s->n_nodes - 1) ||
        !within(p, "last", g->last, g->first + 1, g->parent < 0 ? p->s->n_nodes : all[g->parent].last) ||
        !within(p, "twin", g->twin, 0, i) || !within(p, "n_twins", g->n_twins, 1, p->s->n_groups))
        return false;
    int32_t k = i - 1; /* the group before is around this one, or it and those around it have ended */
    for (; k >= 0 && k != g->parent; k = all[k].parent)
        if (all[k].last > g->first)
            return bad(p, "first", "is %d, but group %d ends at %d", g->first, k, all[k].last);
    if (k != g->parent) return bad(p, "parent", "is %d, which is not around the group before", g->parent);
    if (k >= 0 && all[k].first > g->first)
        return bad(p, "first", "is %d, but the group around it begins at %d", g->first, all[k].first);
    return all[g->twin].n_twins == g->n_twins ||
           bad(p, "n_twins", "is %d, that of its twin %d is %d", g->n_twins, g->twin, all[g->twin].n_twins);
}

static bool event_ok(const place *p, int32_t i) {
    const ebb_trace_event *v = &p->s->events[i];
    const bool of_node = v->kind == EBB_TE_FORWARD || v->kind == EBB_TE_RULE,
               of_tensor = v->kind == EBB_TE_LEAF || v->kind == EBB_TE_BACKWARD_BEGIN;
    if (!within(p, "kind", v->kind, EBB_TE_FORWARD, EBB_TE_STEP) ||
        !within(p, "node", v->node, of_node ? 0 : -1, of_node ? p->s->n_nodes - 1 : -1) ||
        !within(p, "tensor", v->tensor, of_tensor ? 0 : -1, of_tensor ? p->s->n_tensors - 1 : -1))
        return false;
    if (v->kind != EBB_TE_RULE || v->input < 0) return within(p, "input", v->input, -1, -1);
    const ebb_trace_node *n = &p->s->nodes[v->node];
    return within(p, "input", v->input, n->input, n->input + n->n_in - 1);
}

static bool stats_ok(const place *p, int32_t i) {
    const ebb_trace_stats *s = &p->s->stats[i];
    return within(p, "n", s->n, 0, INT32_MAX) && within(p, "n_nan", s->n_nan, 0, s->n) &&
           within(p, "n_inf", s->n_inf, 0, s->n) && within(p, "n_zero", s->n_zero, 0, s->n) &&
           within(p, "first_bad", s->first_bad, -1, s->n - 1) &&
           within(p, "rows", s->rows, 0, EBB_TRACE_SIDE) && within(p, "cols", s->cols, 0, EBB_TRACE_SIDE) &&
           span(p, "pixels", s->pixels, (int64_t)s->rows * s->cols, p->s->n_floats) &&
           (s->elements == -1 || span(p, "elements", s->elements, s->n, p->s->n_floats));
}

static bool finding_ok(const place *p, int32_t i) {
    const ebb_trace_finding *f = &p->s->findings[i];
    return text(p, "code", f->code) && text(p, "title", f->title) && text(p, "cause", f->cause) &&
           text(p, "advice", f->advice) &&
           within(p, "severity", f->severity, EBB_SEVERITY_NOTE, EBB_SEVERITY_ERROR) &&
           within(p, "node", f->node, -1, p->s->n_nodes - 1) &&
           within(p, "tensor", f->tensor, -1, p->s->n_tensors - 1);
}

static bool series_ok(const place *p, int32_t i) {
    const ebb_trace_series *s = &p->s->series[i];
    return text(p, "name", s->name) && within(p, "n", s->n, 0, INT32_MAX) &&
           span(p, "at", s->at, 2 * (int64_t)s->n, p->s->n_floats);
}

/* ---- a frame ---------------------------------------------------------------------------------------------------------- */

/* Every node names the innermost group around it. Groups are in the order of a walk. */
static bool innermost(place *p) {
    int32_t now = -1, next = 0;
    p->table = ebb__trace_table[1];
    for (p->item = 0; p->item < p->s->n_nodes; p->item++) {
        while (now >= 0 && p->s->groups[now].last <= p->item) now = p->s->groups[now].parent;
        while (next < p->s->n_groups && p->s->groups[next].first == p->item) now = next++;
        const int32_t group = p->s->nodes[p->item].group;
        if (group != now) return bad(p, "group", "is %d, the innermost around it is %d", group, now);
    }
    return true;
}

static bool items_ok(ebb *e, const ebb_trace_step *s, int32_t frame) {
    static bool (*const ok[])(const place *, int32_t) = {tensor_ok, node_ok,  input_ok,   group_ok,
                                                         event_ok,  stats_ok, finding_ok, series_ok};
    const int32_t count[] = {s->n_tensors, s->n_nodes, s->n_inputs,   s->n_groups,
                             s->n_events,  s->n_stats, s->n_findings, s->n_series};
    place p = {.e = e, .s = s, .frame = frame};
    for (int k = 0; k < EBB__TABLES - 2; k++) {
        p.table = ebb__trace_table[k];
        for (p.item = 0; p.item < count[k]; p.item++)
            if (!ok[k](&p, p.item)) return false;
    }
    if (s->model >= (uint32_t)s->n_texts || s->about >= (uint32_t)s->n_texts)
        return ebb_fail(e, EBB_E_IO,
                        "trace file: frame %d: its model (%u) or about (%u) is outside the %d bytes of texts",
                        frame, s->model, s->about, s->n_texts),
               false;
    return innermost(&p);
}

/* The frame at `from`, of a file whose frames end at `end`; at: pointers into it. -> its bytes, 0: not right */
static uint64_t frame_read(ebb *e, const char *file, uint64_t from, uint64_t end, int32_t frame,
                           ebb_trace_step *s) {
    ebb__frame_header h;
    if (end - from < sizeof h)
        return ebb_fail(e, EBB_E_IO, "trace file: frame %d begins at byte %llu, where the frames end", frame,
                        (unsigned long long)from),
               0;
    memcpy(&h, file + from, sizeof h);
    uint64_t at = sizeof h;
    for (int k = 0; k < EBB__TABLES; k++) {
        if (h.count[k] < 0 || h.at[k] != at)
            return ebb_fail(e, EBB_E_IO, "trace file: frame %d: %d %s at byte %u, where %llu is expected",
                            frame, h.count[k], ebb__trace_table[k], h.at[k], (unsigned long long)at),
                   0;
        at += ebb__table_bytes(k, h.count[k]);
    }
    if (at != h.bytes || at > end - from)
        return ebb_fail(e, EBB_E_IO,
                        "trace file: frame %d says %llu bytes, its tables have %llu, and %llu are there", frame,
                        (unsigned long long)h.bytes, (unsigned long long)at, (unsigned long long)(end - from)),
               0;
    const char *f = file + from;
    *s = (ebb_trace_step){.size = sizeof *s,
                          .step = h.step,
                          .loss = h.loss,
                          .model = h.model,
                          .about = h.about,
                          .n_tensors = h.count[0],
                          .n_nodes = h.count[1],
                          .n_inputs = h.count[2],
                          .n_groups = h.count[3],
                          .n_events = h.count[4],
                          .n_stats = h.count[5],
                          .n_findings = h.count[6],
                          .n_series = h.count[7],
                          .n_floats = h.count[8],
                          .n_texts = h.count[9],
                          .tensors = (const ebb_trace_tensor *)(const void *)(f + h.at[0]),
                          .nodes = (const ebb_trace_node *)(const void *)(f + h.at[1]),
                          .inputs = (const ebb_trace_input *)(const void *)(f + h.at[2]),
                          .groups = (const ebb_trace_group *)(const void *)(f + h.at[3]),
                          .events = (const ebb_trace_event *)(const void *)(f + h.at[4]),
                          .stats = (const ebb_trace_stats *)(const void *)(f + h.at[5]),
                          .findings = (const ebb_trace_finding *)(const void *)(f + h.at[6]),
                          .series = (const ebb_trace_series *)(const void *)(f + h.at[7]),
                          .floats = (const float *)(const void *)(f + h.at[8]),
                          .texts = f + h.at[9]};
    if (s->n_texts < 1 || s->texts[0] || s->texts[s->n_texts - 1])
        return ebb_fail(e, EBB_E_IO, "trace file: frame %d: its %d bytes of texts do not begin and end with a 0",
                        frame, s->n_texts),
               0;
    return items_ok(e, s, frame) ? at : 0;
}

/* ---- the file ---------------------------------------------------------------------------------------------------------- */

static ebb_status header_ok(ebb *e, const void *bytes, size_t n, ebb__trace_header *h) {
    const char magic[] = EBB__TRACE_MAGIC;
    const size_t known = n < 8 ? n : 8;
    if (memcmp(bytes, magic, known) || !n)
        return ebb_fail(e, EBB_E_IO, "not a trace file: it does not begin with \"" EBB__TRACE_MAGIC "\"");
    if (n < EBB__HEADER + EBB__TRAILER)
        return ebb_fail(e, EBB_E_IO, "trace file: cut short at byte %zu of its header of %d", n, EBB__HEADER);
    memcpy(h, bytes, sizeof *h);
    if (h->version != EBB_TRACE_VERSION)
        return ebb_fail(e, EBB_E_IO,
                        "trace file: of version %u, this ebb reads version %u: write it again with this one",
                        h->version, EBB_TRACE_VERSION);
    if (h->bytes > n)
        return ebb_fail(e, EBB_E_IO, "trace file: cut short at byte %zu of %llu", n, (unsigned long long)h->bytes);
    if (h->bytes < n || n % 8)
        return ebb_fail(e, EBB_E_IO, "trace file: of %zu bytes, its header says %llu", n,
                        (unsigned long long)h->bytes);
    for (int k = 0; k < EBB__TABLES; k++)
        if (h->item[k] != ebb__trace_item[k])
            return ebb_fail(e, EBB_E_IO, "trace file: an item of its %s has %u bytes, not %u",
                            ebb__trace_table[k], h->item[k], ebb__trace_item[k]);
    if (h->frames > (n - EBB__HEADER - EBB__TRAILER) / (8 + EBB__FRAME_HEADER))
        return ebb_fail(e, EBB_E_IO, "trace file: it has no room for %u frames in %zu bytes", h->frames, n);
    return EBB_OK;
}

static bool read_all(ebb_trace_file *f) {
    const uint64_t end = f->n - EBB__TRAILER;
    uint32_t trailer[2];
    memcpy(trailer, f->bytes + end, sizeof trailer);
    const uint32_t sum = ebb__checksum(f->bytes, end);
    if (trailer[1] != EBB__TRACE_END || trailer[0] != sum)
        return ebb_fail(f->e, EBB_E_IO, "trace file: damaged: its checksum is %08x, that of its bytes %08x",
                        trailer[0], sum),
               false;
    uint64_t at = EBB__HEADER + 8 * (uint64_t)f->n_frames;
    for (int32_t i = 0; i < f->n_frames; i++) {
        uint64_t said;
        memcpy(&said, f->bytes + EBB__HEADER + 8 * i, sizeof said);
        if (said != at)
            return ebb_fail(f->e, EBB_E_IO, "trace file: frame %d is said to begin at byte %llu, not %llu", i,
                            (unsigned long long)said, (unsigned long long)at),
                   false;
        const uint64_t bytes = frame_read(f->e, f->bytes, at, end, i, &f->frames[i]);
        if (!bytes) return false;
        at += bytes;
    }
    return at == end || (ebb_fail(f->e, EBB_E_IO, "trace file: its frames end at byte %llu of %zu",
                                  (unsigned long long)at, f->n),
                         false);
}

ebb_trace_file *ebb_trace_read(ebb *e, const void *bytes, size_t n) {
    if (!e || ebb_failed(e)) return NULL;
    if (!bytes && n) return ebb_fail(e, EBB_E_ARG, "ebb_trace_read: the bytes are NULL"), NULL;
    ebb__trace_header h;
    if (header_ok(e, n ? bytes : "", n, &h) != EBB_OK) return NULL;
    ebb_trace_file *f = (ebb_trace_file *)ebb_memory_get(e, sizeof *f);
    if (!f) return NULL;
    *f = (ebb_trace_file){.e = e, .n = n, .n_frames = (int32_t)h.frames};
    f->bytes = (char *)ebb_memory_get(e, n);
    f->frames = (ebb_trace_step *)ebb_memory_get(e, (h.frames + 1u) * sizeof *f->frames);
    if (f->bytes && f->frames) {
        memcpy(f->bytes, bytes, n);
        if (read_all(f)) return f;
    }
    ebb_trace_file_free(f);
    return NULL;
}

int32_t ebb_trace_frames(const ebb_trace_file *f) { return f ? f->n_frames : 0; }
const ebb_trace_step *ebb_trace_frame(const ebb_trace_file *f, int32_t i) {
    return f && i >= 0 && i < f->n_frames ? &f->frames[i] : NULL;
}

void ebb_trace_file_free(ebb_trace_file *f) {
    if (!f) return;
    ebb_memory_put(f->e, f->bytes, f->n);
    ebb_memory_put(f->e, f->frames, ((uint32_t)f->n_frames + 1u) * sizeof *f->frames);
    ebb_memory_put(f->e, f, sizeof *f);
}
