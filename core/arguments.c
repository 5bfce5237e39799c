/* arguments.c - floor 3: whether a call may be made: arity, NULL, dtypes and their promotion, indices. */
#include "running.h"
#include <stdio.h>

static ebb_status null_input(ebb__running *c, int i) {
    ebb *e = c->e;
    char name[40];
    ebb__operand_name(c->x->op->sig, i, name, sizeof name);
    if (e->rule_of)
        return ebb_fail(e, EBB_E_KERNEL,
                        "the rule of %s for input %d passes NULL to %s: it reads an input or output that its declaration does not "
                        "name in `reads` (EBB_X, EBB_Y)",
                        e->rule_of, e->rule_input, c->x->op->name);
    return ebb_fail(e, EBB_E_ARG, "%s: input %d (%s) is NULL", c->x->op->name, i, name);
}

ebb_status ebb__check_inputs(ebb__running *c) {
    const ebb__entry *x = c->x;
    ebb *e = c->e;
    if (c->n_x < x->required || (!x->variadic && c->n_x > x->n_in) || c->n_x > EBB_MAX_OPERANDS - 8) {
        if (x->required == x->n_in)
            return ebb_fail(e, EBB_E_ARG, "%s: %d inputs given, it takes %s%d: %s", x->op->name, c->n_x,
                            x->variadic ? "at least " : "", x->required, x->op->sig);
        return ebb_fail(e, EBB_E_ARG, "%s: %d inputs given, it takes %d to %d: %s", x->op->name, c->n_x,
                        x->required, x->n_in, x->op->sig);
    }
    for (int i = 0; i < c->n_x; i++) {
        if (!c->in[i]) {
            if (ebb__input(c->x, i)->optional) continue;
            return null_input(c, i);
        }
        if (t_session(c->in[i]) != e)
            return ebb_fail(e, EBB_E_ARG, "%s: input %d belongs to another session", x->op->name, i);
    }
    return EBB_OK;
}

/* The dtype of two operands together, as PyTorch promotes: floats over integers over bool, the wider one. */
static int promote(int a, int b) {
    static const uint8_t rank[EBB_DTYPES] = {0, 6, 7, 4, 5, 2, 1};
    return rank[a] >= rank[b] ? a : b;
}

/* The dtype of a C number beside a tensor: the tensor's where that can hold it, else i64, else f32. */
int ebb__number_dtype(int like, double v) {
    if (ebb__is_float(like)) return like;
    if (!(v >= -9.2e18 && v <= 9.2e18) || v != (double)(int64_t)v) return EBB_F32;
    if (like == EBB_I32 && v >= INT32_MIN && v <= INT32_MAX) return EBB_I32;
    if (like == EBB_U8 && v >= 0 && v <= UINT8_MAX) return EBB_U8;
    if (like == EBB_BOOL && (v == 0 || v == 1)) return EBB_BOOL;
    return EBB_I64;
}

int ebb__category(int d) { return ebb__is_float(d) ? 3 : d == EBB_BOOL ? 1 : d ? 2 : 0; }

/* The dtype of operands of two priorities: the higher one's, unless the lower is of a category above it. */
static int combine(int high, int low) {
    if (!low || (high && ebb__category(high) >= ebb__category(low))) return high;
    return high ? promote(high, low) : low;
}

static ebb_tensor *convert(ebb__running *c, int i, int dtype) {
    ebb_tensor *t = ebb_to(c->in[i], (ebb_dtype)dtype);
    if (t) c->in[i] = t;
    return t;
}

static ebb_status no_kernel(ebb__running *c) {
    char have[100] = "";
    for (int d = 1; d < EBB_DTYPES; d++)
        if (c->x->ref.fn[d]) {
            const size_t at = strlen(have);
            snprintf(have + at, sizeof have - at, "%s%s", at ? ", " : "", ebb_dtype_name((ebb_dtype)d));
        }
    return ebb_fail(c->e, EBB_E_DTYPE, "%s: there is no kernel for %s, only for %s; convert with ebb_to (op \"to\")",
                    c->x->op->name, ebb_dtype_name((ebb_dtype)c->dtype), have);
}

/* An integer type without a kernel of its own is computed in a wider one and brought back, which wraps around as it would
 * have; bool comes back as "not 0". */
static bool widen(ebb__running *c, int *T) {
    if (ebb__is_float(c->dtype) || !*T) return false;
    const int wide = c->x->ref.fn[EBB_I32] && c->dtype != EBB_I64 ? EBB_I32 : EBB_I64;
    if (!c->x->ref.fn[wide]) return false;
    c->back_to = c->dtype;
    *T = c->dtype = wide;
    return true;
}

/* Brings the inputs to the dtypes the signature asks for. */
ebb_status ebb__check_dtypes(ebb__running *c) {
    const ebb__entry *x = c->x;
    ebb *e = c->e;
    if (!c->n_x) {
        int32_t d = EBB_NONE;
        if (x->dtype_at >= 0) memcpy(&d, (const char *)c->attrs + x->op->attrs[x->dtype_at].offset, sizeof d);
        if (d < 0 || d >= EBB_DTYPES)
            return ebb_fail(e, EBB_E_DTYPE, "%s: dtype %d does not exist", x->op->name, d);
        c->dtype = d ? d : EBB_F32;
        return x->has_kernel && !x->ref.fn[c->dtype] ? no_kernel(c) : EBB_OK;
    }
    if (x->all_T && !c->in_place) { /* nearly every call: one dtype, and a kernel for it */
        const int first = c->in[0]->dtype;
        bool same = x->has_kernel ? x->ref.fn[first] != NULL : !(x->op->flags & EBB_FLOAT_OUT);
        for (int i = 1; i < c->n_x && same; i++) same = c->in[i]->dtype == first;
        c->dtype = first;
        if (same) return EBB_OK;
    }
    /* tensors with dims decide before 0-d ones, those before C numbers, within a category: PyTorch's rule */
    int part[2] = {0, 0};
    bool mixed = false;
    for (int i = 0; i < c->n_x; i++) {
        const ebb_tensor *t = c->in[i];
        if (!t || ebb__input(c->x, i)->dtype || (t->flags & T_NUMBER)) continue;
        int *p = &part[t->ndim == 0];
        *p = *p ? promote(*p, t->dtype) : t->dtype;
    }
    int T = combine(part[0], part[1]);
    for (int i = 0; i < c->n_x; i++) {
        const ebb_tensor *t = c->in[i];
        if (t && !ebb__input(c->x, i)->dtype && (t->flags & T_NUMBER))
            T = T ? ebb__number_dtype(T, ebb__load(t->dtype, t->data, 0)) : t->dtype;
    }
    for (int i = 0; i < c->n_x; i++)
        mixed = mixed || (c->in[i] && !ebb__input(c->x, i)->dtype && !(c->in[i]->flags & T_NUMBER) &&
                          c->in[i]->dtype != T);
    if (mixed && !(x->op->flags & EBB_PROMOTES)) {
        char text[300] = "";
        for (int i = 0; i < c->n_x; i++) {
            char s[200];
            const size_t at = strlen(text);
            if (c->in[i] && !ebb__input(c->x, i)->dtype)
                snprintf(text + at, sizeof text - at, "%s%s", at ? ", " : "", ebb_describe(c->in[i], s, sizeof s));
        }
        return ebb_fail(e, EBB_E_DTYPE,
                        "%s: its inputs must have one dtype, these do not mix: %s; convert with ebb_to (op \"to\")",
                        x->op->name, text);
    }
    if (T && !ebb__is_float(T) && (x->op->flags & EBB_FLOAT_OUT)) T = EBB_F32;
    c->dtype = T ? T : EBB_F32;
    if (!T)
        for (int i = 0; i < c->n_x; i++)
            if (c->in[i])
                c->dtype = ebb__input(c->x, i)->dtype; /* no operand of dtype T among the inputs: the first typed one's */
    if (x->has_kernel && !x->ref.fn[c->dtype] && !widen(c, &T)) return no_kernel(c);
    for (int i = 0; i < c->n_x; i++) {
        if (!c->in[i]) continue;
        const int want = ebb__input(c->x, i)->dtype ? ebb__input(c->x, i)->dtype : T;
        if (c->in[i]->dtype == want) continue;
        if (want == EBB_BOOL && ebb__input(c->x, i)->dtype && c->in[i]->dtype != EBB_U8) {
            char s[200], name[40];
            return ebb_fail(e, EBB_E_DTYPE, "%s: %s must be bool, not %s; compare it, with ebb_gt or ebb_ne",
                            x->op->name, ebb__operand_name(x->op->sig, i, name, sizeof name),
                            ebb_describe(c->in[i], s, sizeof s));
        }
        if (want == EBB_I64 && ebb__input(c->x, i)->dtype &&
            (ebb__is_float(c->in[i]->dtype) || c->in[i]->dtype == EBB_BOOL)) {
            char s[200], name[40];
            return ebb_fail(e, EBB_E_DTYPE, "%s: %s holds indices and must be integers, not %s", x->op->name,
                            ebb__operand_name(x->op->sig, i, name, sizeof name),
                            ebb_describe(c->in[i], s, sizeof s));
        }
        if (!convert(c, i, want)) return e->code;
    }
    return EBB_OK;
}

/* Every index of operand i lies in [0, bound). */
ebb_status ebb__check_index(ebb__running *c, int i, int64_t bound) {
    const ebb_tensor *t = c->in[i];
    for (int64_t k = 0; k < t->numel; k++) {
        const int64_t v = ((const int64_t *)t->data)[t->flags & T_CONTIG ? k : ebb__place_of(t, k)];
        if (v >= 0 && v < bound) continue;
        char name[40];
        return ebb_fail(c->e, EBB_E_INDEX, "%s: index %lld in %s (element %lld) is outside 0..%lld",
                        c->x->op->name, (long long)v, ebb__operand_name(c->x->op->sig, i, name, sizeof name),
                        (long long)k, (long long)bound - 1);
    }
    return EBB_OK;
}
