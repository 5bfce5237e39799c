/* infer.c - floor 2: matches the inputs of a call with a signature: core dims by letter, batch dims by broadcasting, axes by attribute. */
#include "infer.h"
#include <stdio.h>

static ebb_status rank_error(ebb *e, const ebb__entry *x, int i, const ebb_tensor *t, int core) {
    char name[40], s[200];
    return ebb_fail(e, EBB_E_SHAPE, "%s: %s has %d dims, %s; at least %d are needed (%s)", x->op->name,
                    ebb__operand_name(x->op->sig, i, name, sizeof name), t->ndim,
                    ebb_describe(t, s, sizeof s), core, x->op->sig);
}

/* The core dim of that letter is n in operand i, and was something else in one before. */
static ebb_status letter_error(ebb *e, const ebb__entry *x, ebb_tensor *const *in, int letter, int i,
                               int64_t had, int64_t n) {
    char before[40] = "an input", here[40], a[200] = "", b[200];
    for (int j = i; j-- > 0;) {
        const ebb__operand *o = ebb__input(x, j);
        if (!in[j] || !memchr(o->dim, letter, o->ndim)) continue;
        ebb__operand_name(x->op->sig, j, before, sizeof before);
        ebb__shape_text(a, sizeof a, in[j]->ndim, t_shape(in[j]));
    }
    return ebb_fail(e, EBB_E_SHAPE, "%s: %c is %lld in %s%s but %lld in %s%s", x->op->name, x->letter[letter],
                    (long long)had, before, a, (long long)n, ebb__operand_name(x->op->sig, i, here, sizeof here),
                    ebb__shape_text(b, sizeof b, in[i]->ndim, t_shape(in[i])));
}

static ebb_status broadcast(ebb *e, const ebb__entry *x, ebb__shapes *s, int n, const int64_t *shape, int i,
                            int n_x, ebb_tensor *const *in) {
    if (n > s->nb) {
        memmove(s->batch + (n - s->nb), s->batch, sizeof *s->batch * (size_t)s->nb);
        for (int d = 0; d < n - s->nb; d++) s->batch[d] = 1;
        s->nb = n;
    }
    for (int d = 0; d < n; d++) {
        int64_t *b = &s->batch[s->nb - n + d];
        if (shape[d] == *b || shape[d] == 1) continue;
        if (*b == 1) {
            *b = shape[d];
            continue;
        }
        char text[400] = "", name[40];
        size_t at = 0;
        for (int k = 0; k < n_x && at + 1 < sizeof text; k++) {
            char one[200];
            if (!in[k]) continue;
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s%s", at ? ", " : "",
                                   ebb__operand_name(x->op->sig, k, name, sizeof name),
                                   ebb__shape_text(one, sizeof one, in[k]->ndim, t_shape(in[k])));
        }
        return ebb_fail(e, EBB_E_SHAPE,
                        "%s: %s cannot be broadcast: dim %d is %lld in %s and %lld before it; sizes must be equal or 1",
                        x->op->name, text, d - n, (long long)shape[d],
                        ebb__operand_name(x->op->sig, i, name, sizeof name), (long long)*b);
    }
    return EBB_OK;
}

/* The axes an .axes op works along, as a mask over the dims of its first operand with the core dim. */
static ebb_status axes_mask(ebb *e, const ebb__entry *x, const void *attrs, ebb__shapes *s) {
    const ebb_attr *a = &x->op->attrs[x->axes_at];
    ebb_ints dims = {0};
    if (a->type == EBB_A_INTS) {
        memcpy(&dims, (const char *)attrs + a->offset, sizeof dims);
    } else {
        int64_t d;
        memcpy(&d, (const char *)attrs + a->offset, sizeof d);
        dims.n = !(d == INT64_MIN && a->def && !strcmp(a->def, "min")); /* where that is the default: all */
        dims.v[0] = d;
    }
    s->axes = 0;
    if (!dims.n) s->axes = (1u << s->nd) - 1;
    for (int k = 0; k < dims.n; k++) {
        const int64_t nd = s->nd ? s->nd : 1, d = dims.v[k] < 0 ? dims.v[k] + nd : dims.v[k];
        if (d < 0 || d >= nd)
            return ebb_fail(e, EBB_E_ATTR, "%s: %s is %lld, but the input has %d dims: %d..%d are possible",
                            x->op->name, a->name, (long long)dims.v[k], s->nd, (int)-nd, (int)nd - 1);
        if (!s->nd && k)
            return ebb_fail(e, EBB_E_ATTR, "%s: a 0-d input has one dim to name in %s, not %d", x->op->name,
                            a->name, dims.n);
        if (!s->nd) continue;
        if (s->axes >> d & 1)
            return ebb_fail(e, EBB_E_ATTR, "%s: dim %lld is given twice in %s", x->op->name, (long long)d, a->name);
        s->axes |= 1u << d;
    }
    if (x->keepdim_at >= 0)
        memcpy(&s->keepdim, (const char *)attrs + x->op->attrs[x->keepdim_at].offset, sizeof s->keepdim);
    return EBB_OK;
}

static ebb_status infer_axes(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in, const void *attrs,
                             ebb__shapes *s) {
    s->nd = -1;
    for (int i = 0; i < n_x && s->nd < 0; i++)
        if (in[i] && ebb__input(x, i)->ndim) s->nd = in[i]->ndim;
    if (axes_mask(e, x, attrs, s) != EBB_OK) return e->code;
    for (int i = 0; i < n_x; i++) {
        if (!in[i]) continue;
        int64_t outer[EBB_MAX_DIMS], n = 1;
        int k = 0;
        const bool core = ebb__input(x, i)->ndim > 0, drop = core || (s->keepdim && in[i]->ndim == s->nd);
        if (core && in[i]->ndim != s->nd)
            return ebb_fail(e, EBB_E_SHAPE, "%s: input %d has %d dims, the first has %d", x->op->name, i,
                            in[i]->ndim, s->nd);
        for (int d = 0; d < in[i]->ndim; d++) {
            if (drop && (s->axes >> d & 1)) n *= t_shape(in[i])[d];
            else outer[k++] = t_shape(in[i])[d];
        }
        if (k > s->nd - __builtin_popcount(s->axes)) /* the result has no room for more than the input's own dims */
            return ebb_fail(
                e, EBB_E_SHAPE,
                "%s: input %d has %d dims; beside the %d of the input, %d without those in %s, that is too many",
                x->op->name, i, in[i]->ndim, s->nd, s->nd - __builtin_popcount(s->axes), x->op->axes);
        if (core) {
            if (s->dim[0] >= 0 && s->dim[0] != n) return letter_error(e, x, in, 0, i, s->dim[0], n);
            s->dim[0] = n;
        }
        if (broadcast(e, x, s, k, outer, i, n_x, in) != EBB_OK) return e->code;
    }
    return EBB_OK;
}

ebb_status ebb__infer_sig(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in, const void *attrs,
                          ebb__shapes *s) {
    s->nb = 0;
    s->axes = 0;
    s->nd = 0;
    s->keepdim = false;
    for (int c = 0; c < x->n_letters; c++) s->dim[c] = -1;
    ebb_status r = EBB_OK;
    if (x->op->axes) r = infer_axes(e, x, n_x, in, attrs, s);
    else
        for (int i = 0; i < n_x && r == EBB_OK; i++) {
            const ebb_tensor *t = in[i];
            if (!t) continue;
            const ebb__operand *o = ebb__input(x, i);
            const int nb = t->ndim - o->ndim;
            if (nb < 0) return rank_error(e, x, i, t, o->ndim);
            for (int d = 0; d < o->ndim; d++) {
                int64_t *n = &s->dim[o->dim[d]];
                if (*n < 0) *n = t_shape(t)[nb + d];
                else if (*n != t_shape(t)[nb + d])
                    return letter_error(e, x, in, o->dim[d], i, *n, t_shape(t)[nb + d]);
            }
            if (s->nb == nb && !memcmp(s->batch, t_shape(t), sizeof(int64_t) * (size_t)nb)) continue;
            r = broadcast(e, x, s, nb, t_shape(t), i, n_x, in);
        }
    if (r != EBB_OK) return r;
    for (int c = 0; c < x->n_letters; c++) {
        if (s->dim[c] < 0) s->dim[c] = 0; /* a letter of absent optional inputs alone */
        if (!s->dim[c] && (x->op->flags & EBB_NONEMPTY)) {
            bool items = true;
            for (int d = 0; d < s->nb; d++) items = items && s->batch[d];
            if (items)
                return ebb_fail(e, EBB_E_SHAPE, "%s: dim %c is empty (size 0): the result has no value",
                                x->op->name, x->letter[c]);
        }
    }
    return EBB_OK;
}

int ebb__output_shape(const ebb__entry *x, const ebb__shapes *s, int j, int64_t *shape) {
    const ebb__operand *o = &x->arg[x->n_in + j];
    if (!x->op->axes) {
        memcpy(shape, s->batch, sizeof *shape * (size_t)s->nb);
        for (int d = 0; d < o->ndim; d++) shape[s->nb + d] = s->dim[o->dim[d]];
        return s->nb + o->ndim;
    }
    /* the axes return to their places; several joined ones can only come back with the sizes the input has */
    int k = 0, n = 0;
    for (int d = 0; d < s->nd; d++) {
        if (!(s->axes >> d & 1)) shape[n++] = s->batch[k++];
        else if (o->ndim) shape[n++] = -1;
        else if (s->keepdim) shape[n++] = 1;
    }
    return n;
}

void ebb__axes_order(const ebb__shapes *s, int *order) {
    int n = 0;
    for (int d = 0; d < s->nd; d++)
        if (!(s->axes >> d & 1)) order[n++] = d;
    for (int d = 0; d < s->nd; d++)
        if (s->axes >> d & 1) order[n++] = d;
}

/* Batch strides of the given dims, aligned at the end; 0 where the operand is broadcast. */
static void batch_strides(const ebb__shapes *s, int n, const int64_t *shape, const int64_t *stride, ebb__arg *a) {
    for (int d = 0; d < s->nb; d++) {
        const int k = d - (s->nb - n);
        a->batch[d] = k < 0 || shape[k] == 1 ? 0 : stride[k];
    }
}

bool ebb__place(const ebb__entry *x, const ebb__shapes *s, const ebb__operand *o, int ndim,
                const int64_t *shape, const int64_t *stride, ebb__arg *a) {
    const bool strided = x->op->flags & EBB_STRIDED;
    if (!x->op->axes) {
        const int nb = ndim - o->ndim;
        batch_strides(s, nb, shape, stride, a);
        int64_t want = 1;
        for (int d = o->ndim; d-- > 0;) {
            a->core[d] = stride[nb + d];
            if (!strided && shape[nb + d] != 1 && a->core[d] != want) return false;
            want *= shape[nb + d];
        }
        return true;
    }
    int64_t outer[EBB_MAX_DIMS] = {0}, outer_stride[EBB_MAX_DIMS] = {0};
    int k = 0;
    const bool drop = o->ndim || (s->keepdim && ndim == s->nd);
    int64_t step = 0, n = 1;
    bool even = true;
    for (int d = 0; d < ndim; d++) {
        if (!drop || !(s->axes >> d & 1)) {
            outer[k] = shape[d];
            outer_stride[k++] = stride[d];
        } else if (shape[d] != 1) {
            if (n > 1 && step != shape[d] * stride[d]) even = false;
            step = stride[d];
            n *= shape[d];
        }
    }
    batch_strides(s, k, outer, outer_stride, a);
    a->core[0] = n > 1 ? step : 1;
    return !o->ndim || (even && (strided || n <= 1 || step == 1));
}
