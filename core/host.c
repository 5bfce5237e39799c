/* host.c - floor 3: the ways into a call: the host table that a tensor's first word leads to, calls by name, and the ops the engine itself uses. */
#include "running.h"
#include <stdio.h>

static ebb_tensor *host_call(ebb *e, const char *name, uint32_t hash, int n_x, ebb_tensor *const *x,
                             const void *attrs, uint32_t attrs_size, int n_more, ebb_tensor **more) {
    const ebb__entry *entry = ebb__need(e, name, hash);
    if (!entry) return NULL;
    ebb__outs outs;
    outs.n = 0;
    ebb_tensor *y = ebb__call(e, entry, n_x, x, attrs, attrs_size, n_more ? &outs : NULL, false);
    for (int j = 0; j < n_more; j++)
        if (more) more[j] = y && j + 1 < outs.n ? outs.y[j + 1] : NULL;
    return y;
}

static ebb_tensor *host_call_inplace(ebb *e, const char *name, uint32_t hash, int n_x, ebb_tensor *const *x,
                                     const void *attrs, uint32_t attrs_size) {
    const ebb__entry *entry = ebb__need(e, name, hash);
    return entry ? ebb__call(e, entry, n_x, x, attrs, attrs_size, NULL, true) : NULL;
}

static ebb_tensor *host_scalar(ebb *e, const ebb_tensor *like, double value) {
    const int dtype = ebb__number_dtype(like->dtype, value);
    ebb_tensor *t = ebb__tensor(e, dtype, 0, NULL);
    if (!t) return NULL;
    ebb__store(dtype, t->data, 0, value);
    t->flags |= T_NUMBER;
    return t;
}

void ebb__host_open(ebb *e) {
    e->host = (ebb_host){.size = sizeof(ebb_host),
                         .abi_major = EBB_ABI_MAJOR,
                         .abi_minor = EBB_ABI_MINOR,
                         .call = host_call,
                         .call_inplace = host_call_inplace,
                         .scalar = host_scalar,
                         .info = ebb_tensor_info,
                         .fail = ebb_fail};
}

int ebb_call_named(ebb *e, const char *name, int n, ebb_tensor *const *x, const char *text, int max_y,
                   ebb_tensor **y) {
    for (int j = 0; j < max_y && y; j++) y[j] = NULL;
    if (!e || e->code != EBB_OK) return -1;
    char base[80];
    bool in_place = false;
    const ebb__entry *entry = name ? ebb__find(e, name, 0) : NULL;
    const size_t len = name ? strlen(name) : 0;
    if (!entry && len > 1 && len < sizeof base && name[len - 1] == '_') {
        memcpy(base, name, len - 1);
        base[len - 1] = 0;
        if ((entry = ebb__find(e, base, 0))) in_place = true;
    }
    if (!entry) return ebb__need(e, name, 0), -1;
    if (n > 0 && !x) return ebb_fail(e, EBB_E_ARG, "%s: the list of inputs is NULL", name), -1;
    if (n < 0 || n > EBB_MAX_OPERANDS - 8)
        return ebb_fail(e, EBB_E_ARG, "%s: %d inputs cannot be", name, n), -1;
    _Alignas(16) char attrs[MAX_ATTRS];
    if (entry->op->attrs_size > sizeof attrs)
        return ebb_fail(e, EBB_E_ATTR, "%s: its attributes are too large", name), -1;
    if (entry->op->attrs_size) memcpy(attrs, entry->defaults, entry->op->attrs_size);
    if (ebb__attrs_parse(e, name, entry->op->attrs, entry->op->n_attrs, text, attrs) != EBB_OK) return -1;
    ebb__outs outs;
    if (!ebb__call(e, entry, n, x, attrs, entry->op->attrs_size, &outs, in_place)) return -1;
    for (int j = 0; j < max_y && j < outs.n && y; j++) y[j] = in_place ? x[0] : outs.y[j];
    return outs.n;
}

/* ---- the ops the engine itself uses ---- */

ebb_tensor *ebb__contiguous(ebb_tensor *t) { return t->flags & T_CONTIG ? t : ebb_contiguous(t); }

ebb_tensor *ebb__sum_to(ebb_tensor *t, int ndim, const int64_t *shape) {
    if (t->ndim == ndim && !memcmp(t_shape(t), shape, 8 * (size_t)ndim)) return t;
    const int lead = t->ndim - ndim;
    ebb_ints dims = {0};
    bool fits = lead >= 0;
    for (int d = 0; d < t->ndim && fits; d++) {
        if (d >= lead && t_shape(t)[d] == shape[d - lead]) continue;
        fits = d < lead || shape[d - lead] == 1;
        dims.v[dims.n++] = d;
    }
    if (!fits) {
        char a[200], b[200];
        ebb_fail(t_session(t), EBB_E_SHAPE, "%s is not a broadcast of %s",
                 ebb__shape_text(a, sizeof a, t->ndim, t_shape(t)), ebb__shape_text(b, sizeof b, ndim, shape));
        return NULL;
    }
    ebb_ints to = {ndim, {0}};
    memcpy(to.v, shape, 8 * (size_t)ndim);
    if (dims.n) {
        t = ebb_sum(t, .dim = dims);
        if (!t || (t->ndim == ndim && !memcmp(t_shape(t), shape, 8 * (size_t)ndim))) return t;
    }
    return ebb_reshape(t, .shape = to);
}
