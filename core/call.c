/* call.c - floor 3: one call of an op: check, run, record, tell the probes. */
#include "probes.h"
#include "running.h"
#include <stdio.h>

bool ebb__wants_grad(const ebb__running *c) {
    if (c->e->no_grad || !c->x->op->n_vjp) return false;
    for (int i = 0; i < c->n_x; i++)
        if (c->in[i] && ebb__needs(c->in[i]) && ebb__rule_of(c->x, i)) return true;
    return false;
}

ebb_status ebb__raise_op(ebb *e, const ebb_op *op, int n_x, ebb_tensor *const *x, int n_y,
                         ebb_tensor *const *y, const void *attrs, bool in_place) {
    if (!ebb__listening(e, EBB_EV_OP)) return EBB_OK;
    ebb_event ev = {.size = sizeof ev,
                    .kind = EBB_EV_OP,
                    .op = op,
                    .n_x = n_x,
                    .n_y = n_y,
                    .x = x,
                    .y = y,
                    .region = e->regions[e->region],
                    .attrs = attrs,
                    .depth = e->depth,
                    .node = n_y ? ebb_node_of(y[0]) : -1,
                    .inside = e->hidden || (e->in_backward && !e->keeps_graph),
                    .in_place = in_place};
    return ebb__raise(e, &ev);
}

static ebb_status run(ebb__running *c) {
    ebb *e = c->e;
    const ebb__entry *x = c->x;
    if (x->op->compose && ebb__run_composed(c)) return e->code;
    if (e->code != EBB_OK) return e->code;
    if (!x->has_kernel && !x->op->view)
        return ebb_fail(e, EBB_E_KERNEL, "%s: its compose function returned nothing", x->op->name);
    if (ebb__run_fast(c)) return e->code;
    if (ebb__check_dtypes(c) != EBB_OK || ebb__run_kernel(c) != EBB_OK) return e->code;
    for (int j = 0; j < c->n_y && c->back_to; j++)
        if (!x->arg[x->n_in + j].dtype && !(c->y[j] = ebb_to(c->y[j], (ebb_dtype)c->back_to))) return e->code;
    return EBB_OK;
}

/* A random op whose caller gives no key gets the session's next; `own` receives the attributes with it. */
static bool draw_key(ebb__running *c, char *own) {
    const size_t size = c->x->op->attrs_size, at = c->x->op->attrs[c->x->key_at].offset;
    int64_t key;
    memcpy(&key, (const char *)c->attrs + at, sizeof key);
    if (key) return true;
    if (size > MAX_ATTRS)
        return ebb_fail(c->e, EBB_E_ATTR, "%s: its attributes are too large", c->x->op->name), false;
    if (c->attrs != own) memcpy(own, c->attrs, size);
    key = ebb__key_next(c->e);
    memcpy(own + at, &key, sizeof key);
    c->attrs = own;
    return true;
}

/* Says in which region a call failed; once. */
static ebb_tensor *failed(ebb *e) {
    if (!e->region || e->in_backward || strstr(e->error, " (in region ")) return NULL;
    const size_t n = strlen(e->error);
    snprintf(e->error + n, sizeof e->error - n, " (in region %s)", e->regions[e->region]);
    return NULL;
}

ebb_tensor *ebb__call(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in, const void *attrs,
                      size_t attrs_size, ebb__outs *outs, int how) {
    if (e->code != EBB_OK) return NULL;
    const bool in_place = how == EBB__IN_PLACE;
    ebb__running c;
    c.x = x;
    c.e = e;
    c.n_x = n_x;
    c.n_y = x->n_out;
    c.in_place = false;
    c.target = in_place && n_x > 0 ? in[0] : NULL;
    c.identity = false;
    c.back_to = EBB_NONE;
    c.y[0] = NULL;
    for (int i = 0; i < n_x && i < EBB_MAX_OPERANDS; i++) c.in[i] = in[i];
    if (!x->variadic && n_x >= x->required) /* optional inputs that are not named are absent */
        for (; n_x < x->n_in; n_x++) c.in[n_x] = NULL;
    c.n_x = n_x;
    in = c.in;
    if (ebb__check_inputs(&c) != EBB_OK) return failed(e);
    /* attributes: the caller's struct, or its beginning over the defaults */
    _Alignas(16) char own[MAX_ATTRS];
    c.attrs = attrs ? attrs : x->defaults;
    if (!attrs && x->needs_attrs) {
        ebb_fail(e, EBB_E_ATTR, "%s: it has attributes without a default, and none were given", x->op->name);
        return failed(e);
    }
    if (attrs && attrs_size < x->op->attrs_size) {
        if (x->op->attrs_size > sizeof own) {
            ebb_fail(e, EBB_E_ATTR, "%s: its attributes are too large", x->op->name);
            return failed(e);
        }
        memcpy(own, x->defaults, x->op->attrs_size);
        memcpy(own, attrs, attrs_size);
        c.attrs = own;
    }
    if (x->key_at >= 0 && !draw_key(&c, own)) return failed(e);
    if (attrs && x->has_ranges && ebb__attrs_check(e, x->op->name, x->op->attrs, x->op->n_attrs, c.attrs) != EBB_OK)
        return failed(e);
    if (!e->no_grad && ebb__inputs_current(e, x->op, n_x, in) != EBB_OK) return failed(e);
    if (in_place ? ebb__write_in_place(&c) != EBB_OK : run(&c) != EBB_OK) return failed(e);
    if (!in_place && !c.identity && ebb__wants_grad(&c) &&
        ebb__record(e, x, c.n_x, c.in, c.n_y, c.y, c.attrs) != EBB_OK)
        return failed(e);
    if (in_place) c.y[0] = c.target;
    if (how != EBB__UNTOLD && ebb__raise_op(e, x->op, c.n_x, c.in, c.n_y, c.y, c.attrs, in_place) != EBB_OK)
        return NULL;
    if (outs) {
        outs->n = c.n_y;
        for (int j = 0; j < c.n_y; j++) outs->y[j] = c.y[j];
    }
    return c.y[0];
}
