/* param.c - floor 4: parameters: named trainable leaves of a session, and their initialisers. */
#include "session.h"

static int64_t fan_in(const ebb_tensor *t) {
    int64_t n = 1;
    for (int d = 1; d < t->ndim; d++) n *= t_shape(t)[d];
    return t->ndim ? n : 1;
}

/* What an initialiser may write to; it counts as a change. */
static ebb_status writable(ebb_tensor *t) {
    char s[200];
    ebb *e = t_session(t);
    if (e->code != EBB_OK) return e->code;
    if (t->flags & T_READONLY)
        return ebb_fail(e, EBB_E_CHANGED, "%s is shared with another session and only to be read",
                        ebb_describe(t, s, sizeof s));
    if (!(t->flags & T_CONTIG) || (t->dtype != EBB_F32 && t->dtype != EBB_F64))
        return ebb_fail(e, EBB_E_ARG, "an initialiser fills contiguous f32 or f64 tensors, not %s",
                        ebb_describe(t, s, sizeof s));
    ebb__touch(t, NULL);
    return EBB_OK;
}

static ebb_status uniform(ebb_tensor *t, double bound) {
    ebb *e = t_session(t);
    if (writable(t) != EBB_OK) return e->code;
    const size_t mark = e->n_owned;
    ebb_ints s = {t->ndim, {0}};
    memcpy(s.v, t_shape(t), 8 * (size_t)t->ndim);
    const ebb_tensor *u = ebb_rand(e, EBB_F64, s);
    if (!u) return e->code;
    for (int64_t i = 0; i < t->numel; i++)
        ebb__store(t->dtype, t->data, i, (2 * ((const double *)u->data)[i] - 1) * bound);
    ebb__owned_cut(e, mark);
    return EBB_OK;
}

static ebb_status fill(ebb_tensor *t, double v) {
    if (writable(t) != EBB_OK) return t_session(t)->code;
    for (int64_t i = 0; i < t->numel; i++) ebb__store(t->dtype, t->data, i, v);
    return EBB_OK;
}

ebb_status ebb_zeros(ebb_tensor *t) { return t ? fill(t, 0) : EBB_E_ARG; }
ebb_status ebb_ones(ebb_tensor *t) { return t ? fill(t, 1) : EBB_E_ARG; }
ebb_status ebb_kaiming(ebb_tensor *t) {
    return t ? uniform(t, ebb_sqrt_f64(6.0 / (double)fan_in(t))) : EBB_E_ARG;
}
ebb_status ebb_lecun(ebb_tensor *t) {
    return t ? uniform(t, 1 / ebb_sqrt_f64((double)fan_in(t))) : EBB_E_ARG;
}
ebb_status ebb_xavier(ebb_tensor *t) {
    if (!t) return EBB_E_ARG;
    const double in = (double)fan_in(t),
                 out = t->ndim ? (double)t_shape(t)[0] * (in / (double)(t->ndim > 1 ? t_shape(t)[1] : 1)) : 1;
    return uniform(t, ebb_sqrt_f64(6 / (in + out)));
}

ebb_tensor *ebb_param(ebb *e, const char *name, ebb_dtype dtype, ebb_ints shape, ebb_init init) {
    if (!e || e->code != EBB_OK) return NULL;
    if (!name || !*name) return ebb_fail(e, EBB_E_ARG, "ebb_param: a parameter needs a name"), NULL;
    if (ebb_param_find(e, name))
        return ebb_fail(e, EBB_E_NAME, "ebb_param: a parameter called %s exists already", name), NULL;
    if (dtype != EBB_F32 && dtype != EBB_F64)
        return ebb_fail(e, EBB_E_DTYPE, "ebb_param: %s is f32 or f64, not %s", name, ebb_dtype_name(dtype)), NULL;
    const size_t mark = e->n_owned;
    ebb_tensor *t = ebb_tensor_new(e, dtype, shape, NULL);
    if (t && ebb_name(t, name) && (!init || init(t) == EBB_OK) && e->code == EBB_OK &&
        ebb__grow(e, &e->params, &e->cap_params, e->n_params, 1, sizeof *e->params)) { /* init may have made others */
        t->flags |= T_REQUIRES;
        e->params[e->n_params++] = t_hold(t);
        ebb__owned_cut(e, mark);
        return t;
    }
    if (e->code == EBB_OK) ebb_fail(e, EBB_E_ARG, "ebb_param: the initialiser of %s failed", name);
    ebb__owned_cut(e, mark);
    return NULL;
}

size_t ebb_param_count(const ebb *e) { return e ? e->n_params : 0; }
ebb_tensor *ebb_param_at(const ebb *e, size_t i) { return e && i < e->n_params ? e->params[i] : NULL; }

ebb_tensor *ebb_param_find(const ebb *e, const char *name) {
    for (size_t i = 0; e && name && i < e->n_params; i++)
        if (!strcmp(ebb_name_of(e->params[i]), name)) return e->params[i];
    return NULL;
}

void ebb_param_remove(ebb_tensor *t) {
    ebb *e = t ? t_session(t) : NULL;
    for (size_t i = 0; e && i < e->n_params; i++) {
        if (e->params[i] != t) continue;
        e->n_params--;
        memmove(e->params + i, e->params + i + 1, (e->n_params - i) * sizeof *e->params);
        ebb__drop(t);
        return;
    }
}
