/* record.c - floor 6: a recording: begins to listen, makes the trace at the end, gives out what it kept. */
#include "recorder.h"
#include <math.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    return timespec_get(&t, TIME_UTC) ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec : 0;
}

ebb_status ebb__record_happens(ebb_recorder *r, int kind, int32_t node, int32_t input, int32_t tensor) {
    const int32_t i = ebb__table_add(&r->t, &r->t.events, 1);
    if (i < 0) return ebb_error_code(r->e);
    ((ebb_trace_event *)r->t.events.items)[i] = (ebb_trace_event){
        .kind = kind, .node = node, .input = input, .tensor = tensor, .seconds = (float)(now() - r->began)};
    return r->t.failed ? ebb_error_code(r->e) : EBB_OK;
}

static ebb_status on_event(ebb *e, const ebb_event *ev, void *user) {
    ebb_recorder *r = (ebb_recorder *)user;
    (void)e;
    if (r->t.failed) return EBB_OK; /* the error was told when it happened */
    switch (ev->kind) {
    case EBB_EV_OP: return ebb__record_op(r, ev);
    case EBB_EV_RULE: return ebb__record_rule(r, ev);
    case EBB_EV_BACKWARD_BEGIN: return ebb__backward_begin(r, ev);
    case EBB_EV_BACKWARD_END: return ebb__backward_end(r);
    case EBB_EV_LEAF_GRAD: return ebb__record_leaf(r, ev);
    default: return ebb__record_step(r);
    }
}

/* ---- begin --------------------------------------------------------------------------------------------------------- */

/* Parameters have the first entries, in their order. Each is copied: the optimizer writes to it. */
static void add_params(ebb_recorder *r) {
    for (size_t i = 0; i < ebb_param_count(r->e) && !r->t.failed; i++) {
        ebb_tensor *p = ebb_param_at(r->e, i);
        const int32_t x = ebb__entry_add(r, p, -1, -1, true);
        if (x < 0) return;
        ebb_info info;
        ebb_tensor_info(p, &info);
        ebb_ints shape = {info.ndim, {0}};
        memcpy(shape.v, info.shape, sizeof shape.v);
        ebb_tensor *copy =
            ebb_name(ebb_tensor_new(r->e, (ebb_dtype)info.dtype, shape, info.data), ebb_name_of(p));
        ebb__seen_at(r, x)->copied = ebb_retain(copy);
        ebb__tensor_at(&r->t, x)->kind = EBB_TT_PARAM;
        r->t.failed = r->t.failed || !copy;
    }
}

static bool listen(ebb_recorder *r) {
    for (int kind = EBB_EV_OP; kind <= EBB_EV_STEP; kind++)
        if (!(r->hook[kind - EBB_EV_OP] = ebb_hook_event(r->e, (ebb_event_kind)kind, on_event, r)))
            return false;
    return true;
}

static void unlisten(ebb_recorder *r) {
    for (size_t i = 0; i < sizeof r->hook / sizeof *r->hook; i++) {
        if (r->hook[i]) ebb_hook_remove(r->e, r->hook[i]);
        r->hook[i] = 0;
    }
}

ebb_recorder *ebb_record_begin(ebb *e, const ebb_record_options *options) {
    if (!e || ebb_failed(e)) return NULL;
    ebb_recorder *r = (ebb_recorder *)ebb_memory_get(e, sizeof *r);
    if (!r) return NULL;
    r->e = e;
    r->o.size = sizeof r->o;
    if (options)
        memcpy(&r->o, options, options->size && options->size < sizeof r->o ? options->size : sizeof r->o);
    if (!r->o.keep) r->o.keep = 4096;
    r->seen.item = sizeof(ebb__seen);
    r->made.item = sizeof(ebb__made);
    r->used.item = sizeof(ebb_tensor *);
    r->parts.item = sizeof(ebb__parts);
    r->tape.item = sizeof(int32_t);
    r->entry.table.item = r->given.table.item = sizeof(ebb__slot);
    r->tape_begin = ebb_tape_len(e);
    r->began = now();
    r->step = (ebb_trace_step){.size = sizeof r->step, .loss = NAN};
    if (ebb__tables_open(e, &r->t) == EBB_OK) {
        add_params(r);
        if (!r->t.failed && listen(r)) return r;
    }
    ebb_record_free(r);
    return NULL;
}

ebb_status ebb_record_series(ebb_recorder *r, const char *name, int32_t n, const float *steps, const float *values) {
    if (!r) return EBB_E_ARG;
    if (r->ended || n < 0 || !name || (n && (!steps || !values)))
        return ebb_fail(r->e, EBB_E_ARG,
                        "ebb_record_series: a name and %d steps and values, before ebb_record_end, are needed", n);
    const uint32_t text = ebb__text(&r->t, name);
    const int32_t at = ebb__table_add(&r->t, &r->t.floats, 2 * (size_t)n),
                  i = ebb__table_add(&r->t, &r->t.series, 1);
    if (r->t.failed) return ebb_error_code(r->e);
    if (n) {
        memcpy(ebb__float_at(&r->t, at), steps, (size_t)n * sizeof *steps);
        memcpy(ebb__float_at(&r->t, at + n), values, (size_t)n * sizeof *values);
    }
    ((ebb_trace_series *)r->t.series.items)[i] = (ebb_trace_series){text, n, at};
    return EBB_OK;
}

/* ---- end ----------------------------------------------------------------------------------------------------------- */

/* Names are given when a call has ended, so they are read now. */
static void read_names(ebb_recorder *r) {
    for (int32_t i = 0; i < (int32_t)r->seen.n; i++) {
        const ebb_tensor *t = ebb__seen_at(r, i)->value;
        if (!t) continue;
        const uint32_t name = ebb__text(&r->t, ebb_name_of(t));
        ebb_trace_tensor *x = ebb__tensor_at(&r->t, i);
        x->name = name;
        if (x->node >= 0) {
            ebb_trace_node *n = ebb__node_at(&r->t, x->node);
            if (!n->label) n->label = name;
        } else if (x->kind == EBB_TT_CONST && (name || x->needs_grad)) {
            bool param = false;
            for (size_t k = 0; k < ebb_param_count(r->e) && !param; k++) param = ebb_param_at(r->e, k) == t;
            x->kind = param ? EBB_TT_PARAM : EBB_TT_INPUT;
        }
    }
}

/* What is kept no longer keeps the graph that it came from: a tensor of the same elements stands for it. */
static ebb_tensor *apart(ebb_tensor *t) {
    ebb_tensor *d = t ? ebb_retain(ebb_detach(t)) : NULL;
    if (!d) return t; /* in a session with an error; the graph stays with it */
    ebb_name(d, ebb_name_of(t));
    ebb_release(t);
    return d;
}

static void let_go(ebb_recorder *r, bool keep) {
    for (int32_t i = 0; i < (int32_t)r->seen.n; i++) {
        ebb__seen *s = ebb__seen_at(r, i);
        if (keep && s->copied && ebb__tensor_at(&r->t, i)->kind == EBB_TT_PARAM) { /* as it was before the step */
            ebb_release(s->value);
            s->value = s->copied;
        } else {
            ebb_release(s->copied);
            if (keep && !s->overwritten) s->value = apart(s->value);
            else ebb_release(s->value), s->value = NULL;
        }
        s->copied = NULL;
        if (keep) s->grad = apart(s->grad);
        else ebb_release(s->grad), s->grad = NULL;
    }
    for (int32_t i = 0; i < (int32_t)r->used.n; i++) {
        ebb_tensor **part = ebb__used_at(r, i);
        if (keep) *part = apart(*part);
        else ebb_release(*part), *part = NULL;
    }
}

/* The tables, whole. */
static void make_step(ebb_recorder *r) {
    ebb *e = r->e;
    read_names(r);
    r->step.step = ebb_model_steps_done(r->o.model);
    r->step.model = ebb__text(&r->t, ebb_model_text(r->o.model));
    ebb__groups_make(r);
    if (!r->t.failed) ebb__diagnose(r);
    r->step.about = ebb__text_format(&r->t, "ebb %s, %d thread%s, %s", ebb_version(), ebb_threads(e),
                                     ebb_threads(e) == 1 ? "" : "s", ebb_level_name(ebb_level(e)));
    ebb__tables_step(&r->t, &r->step);
}

const ebb_trace_step *ebb_record_end(ebb_recorder *r) {
    if (!r) return NULL;
    if (r->ended) return r->t.failed ? NULL : &r->step;
    r->ended = true;
    unlisten(r);
    if (!r->t.failed) make_step(r);
    let_go(r, r->o.live && !r->t.failed);
    return r->t.failed ? NULL : &r->step;
}

void ebb_record_free(ebb_recorder *r) {
    if (!r) return;
    ebb *e = r->e;
    unlisten(r);
    let_go(r, false);
    ebb__tables_close(&r->t);
    ebb__table *const own[] = {&r->seen, &r->made,        &r->used,       &r->parts,
                               &r->tape, &r->entry.table, &r->given.table};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) ebb__table_close(e, own[i]);
    ebb_memory_put(e, r, sizeof *r);
}

ebb_tensor *ebb_record_tensor(const ebb_recorder *r, int32_t tensor, bool grad) {
    if (!r || !r->ended || tensor < 0 || tensor >= (int32_t)r->seen.n) return NULL;
    const ebb__seen *s = ebb__seen_at(r, tensor);
    return grad ? s->grad : s->value;
}

ebb_tensor *ebb_record_part(const ebb_recorder *r, int32_t input) {
    return r && r->ended && input >= 0 && input < (int32_t)r->used.n ? *ebb__used_at(r, input) : NULL;
}
