/* call.c - floor 3: one call of an op: check arguments, find shapes, make outputs, run the kernel, record.
 *
 * No branch here knows an op by name; what an op is comes from its declaration alone. */
#include "call.h"
#include "infer.h"
#include "probes.h"
#include <stdio.h>

enum { MAX_ATTRS = 512 };

typedef struct call {
    const ebb__entry *x;
    ebb *e;
    int n_x, n_y;
    ebb_tensor *in[EBB_MAX_OPERANDS]; /* as given, then converted */
    ebb_tensor *y[8];
    const void *attrs;
    int dtype; /* T */
    bool in_place;
    bool identity; /* a composed op changed nothing: its result is an input itself */
} call;

static const ebb__operand *operand(const call *c, int i) { return ebb__input(c->x, i); }

/* ---- arguments ---- */

static ebb_status null_input(call *c, int i) {
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

static ebb_status check_inputs(call *c) {
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
            if (operand(c, i)->optional) continue;
            return null_input(c, i);
        }
        if (t_session(c->in[i]) != e)
            return ebb_fail(e, EBB_E_ARG, "%s: input %d belongs to another session", x->op->name, i);
    }
    return EBB_OK;
}

static bool is_float(int d) { return d == EBB_F32 || d == EBB_F64; }

/* The dtype of two operands together, as PyTorch promotes: floats over integers over bool, the wider one. */
static int promote(int a, int b) {
    static const uint8_t rank[EBB_DTYPES] = {0, 6, 7, 4, 5, 2, 1};
    return rank[a] >= rank[b] ? a : b;
}

static ebb_tensor *convert(call *c, int i, int dtype) {
    ebb_tensor *t = ebb_to(c->in[i], (ebb_dtype)dtype);
    if (t) c->in[i] = t;
    return t;
}

static ebb_status no_kernel(call *c) {
    char have[100] = "";
    for (int d = 1; d < EBB_DTYPES; d++)
        if (c->x->ref.fn[d]) {
            const size_t at = strlen(have);
            snprintf(have + at, sizeof have - at, "%s%s", at ? ", " : "", ebb_dtype_name((ebb_dtype)d));
        }
    return ebb_fail(c->e, EBB_E_DTYPE, "%s: there is no kernel for %s, only for %s; convert with ebb_to (op \"to\")",
                    c->x->op->name, ebb_dtype_name((ebb_dtype)c->dtype), have);
}

/* Brings the inputs to the dtypes the signature asks for. */
static ebb_status check_dtypes(call *c) {
    const ebb__entry *x = c->x;
    ebb *e = c->e;
    int T = 0;
    bool mixed = false, numbers = false;
    for (int i = 0; i < c->n_x; i++) {
        if (!c->in[i] || operand(c, i)->dtype) continue;
        if (c->in[i]->flags & T_NUMBER) {
            numbers = true;
            continue;
        }
        if (T && c->in[i]->dtype != T) mixed = true;
        T = T ? promote(T, c->in[i]->dtype) : c->in[i]->dtype;
    }
    if (numbers)
        for (int i = 0; i < c->n_x; i++) {
            if (!c->in[i] || operand(c, i)->dtype || !(c->in[i]->flags & T_NUMBER)) continue;
            if (!T || (is_float(c->in[i]->dtype) && !is_float(T))) T = c->in[i]->dtype;
            if (c->in[i]->dtype != T) mixed = true;
        }
    if (mixed && !(x->op->flags & EBB_PROMOTES)) {
        char text[300] = "";
        for (int i = 0; i < c->n_x; i++) {
            char s[200];
            const size_t at = strlen(text);
            if (c->in[i] && !operand(c, i)->dtype)
                snprintf(text + at, sizeof text - at, "%s%s", at ? ", " : "", ebb_describe(c->in[i], s, sizeof s));
        }
        return ebb_fail(e, EBB_E_DTYPE,
                        "%s: its inputs must have one dtype, these do not mix: %s; convert with ebb_to (op \"to\")",
                        x->op->name, text);
    }
    if (T && !is_float(T) && (x->op->flags & EBB_FLOAT_OUT)) T = EBB_F32;
    c->dtype = T ? T : EBB_F32;
    if (!T)
        for (int i = 0; i < c->n_x; i++)
            if (c->in[i])
                c->dtype = operand(c, i)->dtype; /* no operand of dtype T among the inputs: the first typed one's */
    if (x->has_kernel && !x->ref.fn[c->dtype] && !(c->x->op->compose && !x->has_kernel)) return no_kernel(c);
    for (int i = 0; i < c->n_x; i++) {
        if (!c->in[i]) continue;
        const int want = operand(c, i)->dtype ? operand(c, i)->dtype : T;
        if (c->in[i]->dtype == want) continue;
        if (want == EBB_I64 && operand(c, i)->dtype && is_float(c->in[i]->dtype)) {
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
static ebb_status check_index(call *c, int i, int64_t bound) {
    const ebb_tensor *t = c->in[i];
    for (int64_t k = 0; k < t->numel; k++) {
        const int64_t v = t->flags & T_CONTIG ? ((const int64_t *)t->data)[k] : (int64_t)ebb_at(t, k);
        if (v >= 0 && v < bound) continue;
        char name[40];
        return ebb_fail(c->e, EBB_E_INDEX, "%s: index %lld in %s (element %lld) is outside 0..%lld",
                        c->x->op->name, (long long)v, ebb__operand_name(c->x->op->sig, i, name, sizeof name),
                        (long long)k, (long long)bound - 1);
    }
    return EBB_OK;
}

/* ---- outputs ---- */

static int output_dtype(const call *c, int j) {
    const int d = c->x->arg[c->x->n_in + j].dtype;
    return d ? d : c->dtype;
}

/* The shape a rule or user sees for output j, with the axes of an .axes op back in their places. */
static int full_output_shape(const call *c, const ebb__shapes *s, int j, int64_t *shape) {
    const int n = ebb__output_shape(c->x, s, j, shape);
    if (!c->x->op->axes || !c->x->arg[c->x->n_in + j].ndim) return n;
    for (int i = 0; i < c->n_x; i++)
        if (c->in[i] && operand(c, i)->ndim) {
            for (int d = 0; d < n; d++)
                if (shape[d] < 0) shape[d] = t_shape(c->in[i])[d];
            break;
        }
    return n;
}

static ebb_status make_output(call *c, int j, int dtype, int ndim, const int64_t *shape) {
    if (c->in_place) {
        ebb_tensor *x = c->in[0];
        char a[200], b[200];
        if (dtype != x->dtype || ndim != x->ndim || memcmp(shape, t_shape(x), sizeof *shape * (size_t)ndim))
            return ebb_fail(c->e, EBB_E_SHAPE, "%s_: the result is %s%s and does not fit into %s",
                            c->x->op->name, ebb_dtype_name((ebb_dtype)dtype),
                            ebb__shape_text(b, sizeof b, ndim, shape), ebb_describe(x, a, sizeof a));
        c->y[j] = x;
        return EBB_OK;
    }
    c->y[j] = ebb__tensor(c->e, dtype, ndim, shape);
    return c->y[j] ? EBB_OK : c->e->code;
}

/* ---- running ---- */

/* A copy of t whose dims lie in memory in the given order (NULL: their own); stride receives the strides of t's dims in it. */
static ebb_tensor *laid_out(const ebb_tensor *t, const int *order, int64_t *stride, bool copy) {
    int64_t shape[EBB_MAX_DIMS], from[EBB_MAX_DIMS];
    for (int d = 0; d < t->ndim; d++) {
        const int k = order ? order[d] : d;
        shape[d] = t_shape(t)[k];
        from[d] = t_stride(t)[k];
    }
    ebb_tensor *m = ebb__tensor(t_session(t), t->dtype, t->ndim, shape);
    if (!m) return NULL;
    for (int d = 0; d < t->ndim; d++) stride[order ? order[d] : d] = t_stride(m)[d];
    if (!copy) return m;
    ebb_tensor *v = ebb__view((ebb_tensor *)(uintptr_t)t, t->ndim, shape, from, 0);
    return v && ebb__copy_tensor(m, v) == EBB_OK ? m : NULL;
}

/* Runs the kernel of a call that follows its signature. */
static ebb_status run_sig(call *c) {
    const ebb__entry *x = c->x;
    ebb *e = c->e;
    ebb__shapes s;
    ebb_status r = ebb__infer_sig(e, x, c->n_x, c->in, c->attrs, &s);
    if (r != EBB_OK) return r;
    for (int i = 0; i < c->n_x && !x->pointwise; i++)
        if (c->in[i] && operand(c, i)->below >= 0 && (r = check_index(c, i, s.dim[operand(c, i)->below])) != EBB_OK)
            return r;
    const int n_x = x->variadic ? c->n_x : x->n_in; /* absent optional inputs are operands too */
    ebb__arg arg[EBB_MAX_OPERANDS];
    ebb__plan p; /* set field by field: zeroing it all costs as much as a small op */
    p.x = x;
    p.attrs = c->attrs;
    p.n_x = n_x;
    p.n_args = n_x + x->n_out;
    p.dtype = c->dtype;
    p.work = 1;
    p.infos = NULL;
    p.arg = arg;
    int order[EBB_MAX_DIMS];
    const int *core_last = NULL;
    if (x->op->axes) {
        ebb__axes_order(&s, order);
        core_last = order;
    }
    for (int i = 0; i < n_x; i++) {
        if (i >= c->n_x || !c->in[i]) {
            arg[i] = (ebb__arg){0};
            continue;
        }
        const ebb_tensor *t = c->in[i];
        arg[i].size = ebb__dsize[t->dtype];
        arg[i].p = (char *)t->data;
        if (ebb__place(x, &s, operand(c, i), t->ndim, t_shape(t), t_stride(t), &arg[i])) continue;
        int64_t stride[EBB_MAX_DIMS];
        const ebb_tensor *m = laid_out(t, core_last, stride, true);
        if (!m) return e->code;
        arg[i].p = (char *)m->data;
        ebb__place(x, &s, operand(c, i), t->ndim, t_shape(t), stride, &arg[i]);
    }
    ebb_tensor *out[8];
    bool elements = false;
    for (int j = 0; j < c->n_y; j++) {
        int64_t shape[EBB_MAX_DIMS + MAX_LETTERS];
        if (s.nb + x->arg[x->n_in + j].ndim > EBB_MAX_DIMS)
            return ebb_fail(e, EBB_E_SHAPE, "%s: the result would have more than %d dims", x->op->name,
                            EBB_MAX_DIMS);
        const int n = full_output_shape(c, &s, j, shape);
        if (make_output(c, j, output_dtype(c, j), n, shape) != EBB_OK) return e->code;
        ebb_tensor *t = out[j] = c->y[j];
        ebb__arg *a = &arg[n_x + j];
        a->p = (char *)t->data;
        a->size = ebb__dsize[t->dtype];
        elements = elements || t->numel;
        if (ebb__place(x, &s, &x->arg[x->n_in + j], t->ndim, t_shape(t), t_stride(t), a)) continue;
        int64_t stride[EBB_MAX_DIMS];
        out[j] = laid_out(t, core_last, stride, false);
        if (!out[j]) return e->code;
        a->p = (char *)out[j]->data;
        ebb__place(x, &s, &x->arg[x->n_in + j], t->ndim, t_shape(t), stride, a);
    }
    if (!elements) return EBB_OK;
    p.nb = s.nb;
    memcpy(p.batch, s.batch, sizeof *p.batch * (size_t)s.nb);
    memcpy(p.dim, s.dim, sizeof *p.dim * x->n_letters);
    if ((r = ebb__run(e, &p)) != EBB_OK) return r;
    for (int j = 0; j < c->n_y; j++) {
        if (out[j] == c->y[j]) continue;
        char why[200];
        if (!ebb__fences_intact(out[j], why, sizeof why))
            return ebb_fail(e, EBB_E_KERNEL, "%s: its kernel %s of output %d", x->op->name, why, j);
        int64_t stride[EBB_MAX_DIMS];
        for (int d = 0; d < out[j]->ndim; d++) stride[order[d]] = t_stride(out[j])[d];
        ebb_tensor *v = ebb__view(out[j], c->y[j]->ndim, t_shape(c->y[j]), stride, 0);
        if (!v || (r = ebb__copy_tensor(c->y[j], v)) != EBB_OK) return e->code;
    }
    return EBB_OK;
}

static ebb_status infer_fail(ebb_infer *s, ebb_status code, const char *format, ...) {
    ebb *e = (ebb *)s->private_;
    if (e->code != EBB_OK) return code;
    va_list args;
    va_start(args, format);
    ebb__vfail(e, code, format, args);
    va_end(args);
    ebb__context(e, "%s: ", s->op->name);
    return code;
}

/* Runs an op that infers its shapes itself: whole contiguous operands. Or a view. */
static ebb_status run_infer(call *c) {
    const ebb__entry *x = c->x;
    ebb *e = c->e;
    ebb_info info[EBB_MAX_OPERANDS];
    memset(info + c->n_x, 0, sizeof *info * (size_t)c->n_y);
    for (int i = 0; i < c->n_x; i++) {
        ebb_tensor_info(c->in[i], &info[i]);
        info[i].data = NULL;
    }
    for (int j = 0; j < c->n_y; j++) info[c->n_x + j].dtype = output_dtype(c, j);
    ebb_infer s = {.size = sizeof s,
                   .n_x = c->n_x,
                   .n_y = c->n_y,
                   .x = info,
                   .y = info + c->n_x,
                   .attrs = c->attrs,
                   .work = 1,
                   .op = x->op,
                   .private_ = e,
                   .fail = infer_fail};
    ebb_status r = x->op->view ? x->op->view(&s) : x->op->infer(&s);
    if (r == EBB_COPY && x->op->view && !(c->in[0]->flags & T_CONTIG)) {
        c->in[0] = ebb__contiguous(c->in[0]);
        if (!c->in[0]) return e->code;
        ebb_tensor_info(c->in[0], &info[0]);
        r = x->op->view(&s);
    }
    if (r != EBB_OK) return ebb_fail(e, r, "%s: its shapes do not fit (%s)", x->op->name, ebb_status_name(r));
    if (x->op->view) {
        c->y[0] = ebb__view(c->in[0], s.y->ndim, s.y->shape, s.y->stride, s.offset);
        if (c->y[0] && c->y[0]->root->ext) c->y[0]->version = c->y[0]->root->ext->rebased;
        return c->y[0] ? EBB_OK : e->code;
    }
    ebb__arg arg[EBB_MAX_OPERANDS];
    memset(arg, 0, sizeof *arg * (size_t)(c->n_x + c->n_y));
    ebb__plan p = {.x = x,
                   .attrs = c->attrs,
                   .n_x = c->n_x,
                   .n_args = c->n_x + c->n_y,
                   .dtype = c->dtype,
                   .work = s.work,
                   .infos = info,
                   .arg = arg};
    for (int i = 0; i < c->n_x; i++) {
        if (!c->in[i]) continue;
        int64_t stride[EBB_MAX_DIMS];
        const ebb_tensor *t = c->in[i]->flags & T_CONTIG ? c->in[i] : laid_out(c->in[i], NULL, stride, true);
        if (!t) return e->code;
        ebb_tensor_info(t, &info[i]);
        arg[i] = (ebb__arg){.p = (char *)t->data, .size = ebb__dsize[t->dtype]};
    }
    for (int j = 0; j < c->n_y; j++) {
        ebb_info *y = &info[c->n_x + j];
        if (make_output(c, j, y->dtype, y->ndim, y->shape) != EBB_OK) return e->code;
        ebb_tensor_info(c->y[j], y);
        arg[c->n_x + j] = (ebb__arg){.p = (char *)y->data, .size = ebb__dsize[y->dtype]};
    }
    return ebb__run(e, &p);
}

/* The op in terms of others: outside the graph when it has rules of its own. -> whether it took the call. */
static bool run_composed(call *c) {
    ebb *e = c->e;
    ebb_shape shapes[EBB_MAX_OPERANDS];
    for (int i = 0; i < c->n_x; i++)
        if (c->in[i]) shapes[i] = (ebb_shape){c->in[i]->dtype, c->in[i]->ndim, t_shape(c->in[i])};
        else shapes[i] = (ebb_shape){0};
    const ebb_call view = {.size = sizeof view,
                           .n_x = c->n_x,
                           .n_y = c->n_y,
                           .x = c->in,
                           .x_shape = shapes,
                           .attrs = c->attrs,
                           .op = c->x->op,
                           .e = e};
    const bool own = c->x->op->n_vjp > 0;
    e->no_grad += own;
    ebb_tensor *y = c->x->op->compose(&view);
    e->no_grad -= own;
    if (!y) {
        if (e->code != EBB_OK && !e->rule_of) ebb__context(e, "%s: ", c->x->op->name);
        return e->code != EBB_OK;
    }
    for (int i = 0; i < c->n_x; i++) c->identity = c->identity || y == c->in[i];
    if (own && !c->identity && (y->node || (y->flags & T_REQUIRES))) /* its place in the graph is another's */
        y = ebb__view(y, y->ndim, t_shape(y), t_stride(y), 0);
    c->y[0] = y;
    return true;
}

/* ---- guard mode ---- */

static uint64_t bytes_hash(const ebb_tensor *t) {
    const ebb_tensor *r = t->root;
    const size_t n = (size_t)r->numel * ebb__dsize[r->dtype];
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < n; i++) h = (h ^ ((const uint8_t *)r->data)[i]) * 1099511628211u;
    return h;
}

static ebb_status guarded(call *c, ebb_status (*run)(call *)) {
    ebb *e = c->e;
    uint64_t before[EBB_MAX_OPERANDS] = {0};
    ebb_tensor *const *in = c->in;
    ebb_tensor *held[EBB_MAX_OPERANDS];
    for (int i = 0; i < c->n_x; i++) {
        held[i] = in[i];
        if (in[i]) before[i] = bytes_hash(in[i]);
    }
    const ebb_status r = run(c);
    if (r != EBB_OK) return r;
    for (int i = 0; i < c->n_x; i++)
        if (held[i] && !(c->in_place && held[i]->root == c->y[0]->root) && bytes_hash(held[i]) != before[i])
            return ebb_fail(e, EBB_E_KERNEL, "%s: its kernel changed input %d", c->x->op->name, i);
    for (int j = 0; j < c->n_y && !c->in_place; j++) {
        char why[200];
        if (c->y[j]->root == c->y[j] && !ebb__fences_intact(c->y[j], why, sizeof why))
            return ebb_fail(e, EBB_E_KERNEL, "%s: its kernel %s of output %d", c->x->op->name, why, j);
    }
    return EBB_OK;
}

/* ---- the call ---- */

/* One-dtype pointwise ops on contiguous operands of one shape (or single elements): the overhead of a small op is here. */
static bool run_fast(call *c) {
    const ebb__entry *x = c->x;
    ebb *e = c->e;
    if (!x->pointwise || !x->all_T || !x->has_kernel || x->n_out != 1 || c->n_x != x->n_in || e->opt.guard ||
        x->backends || c->in_place)
        return false;
    const ebb_tensor *big = c->in[0];
    for (int i = 1; i < c->n_x; i++)
        if (c->in[i]->numel > big->numel || (c->in[i]->numel == big->numel && c->in[i]->ndim > big->ndim))
            big = c->in[i];
    if (big->numel >= e->grain || !x->ref.fn[big->dtype]) return false;
    int64_t step[8];
    void *ptr[8];
    for (int i = 0; i < c->n_x; i++) {
        const ebb_tensor *t = c->in[i];
        if (t->dtype != big->dtype || !(t->flags & T_CONTIG)) return false;
        ptr[i] = t->data;
        if (t->ndim == big->ndim && !memcmp(t->dim, big->dim, 8 * (size_t)t->ndim)) step[i] = 1;
        else if (t->numel == 1 && t->ndim <= big->ndim) step[i] = 0;
        else return false;
    }
    c->dtype = big->dtype;
    ebb_tensor *y = c->y[0] = ebb__tensor(e, output_dtype(c, 0), big->ndim, big->dim);
    if (!y || !y->numel) return true;
    ptr[c->n_x] = y->data;
    step[c->n_x] = 1;
    const ebb_loop l = {.size = sizeof l,
                        .n_args = c->n_x + 1,
                        .n = y->numel,
                        .p = ptr,
                        .step = step,
                        .attrs = c->attrs,
                        .level = e->level,
                        .n_x = c->n_x};
    const ebb_status s = x->ref.fn[c->dtype](&l);
    if (s != EBB_OK)
        ebb_fail(e, EBB_E_KERNEL, "%s: its kernel returned an error (%s)", x->op->name, ebb_status_name(s));
    return true;
}

static bool wants_grad(const call *c) {
    if (c->e->no_grad || !c->x->op->n_vjp) return false;
    for (int i = 0; i < c->n_x; i++)
        if (c->in[i] && ebb__needs(c->in[i]) && ebb__rule_of(c->x, i)) return true;
    return false;
}

/* In place is allowed where no gradient can go wrong silently. */
static ebb_status in_place_allowed(call *c) {
    ebb *e = c->e;
    ebb_tensor *t = c->in[0];
    char s[200];
    if (!(c->x->op->flags & EBB_INPLACE))
        return ebb_fail(e, EBB_E_NAME, "%s has no in-place form", c->x->op->name);
    if (!t) return null_input(c, 0);
    for (int d = 0; d < t->ndim; d++)
        if (t->numel && t_shape(t)[d] > 1 && !t_stride(t)[d])
            return ebb_fail(e, EBB_E_CHANGED,
                            "%s_: several elements of %s share one place in memory (an expanded view); write to a copy",
                            c->x->op->name, ebb_describe(t, s, sizeof s));
    if (e->no_grad) return EBB_OK;
    if ((t->flags & T_REQUIRES) || (t->root->flags & T_REQUIRES))
        return ebb_fail(e, EBB_E_CHANGED,
                        "%s_: %s is a leaf that needs a gradient (or a view of one) and cannot be changed in place; use %s, or do it inside "
                        "ebb_no_grad_begin/end",
                        c->x->op->name, ebb_describe(t, s, sizeof s), c->x->op->name);
    bool grad = t->node || t->root->node;
    for (int i = 1; i < c->n_x; i++) grad = grad || (c->in[i] && ebb__needs(c->in[i]));
    if (grad && t->root != t)
        return ebb_fail(e, EBB_E_CHANGED,
                        "%s_: %s is a view and a gradient is involved; change the tensor it is a view of, or use %s",
                        c->x->op->name, ebb_describe(t, s, sizeof s), c->x->op->name);
    return EBB_OK;
}

/* In place with operands that overlap x[0] in another layout: those are copied first. */
static ebb_status copy_overlaps(call *c) {
    for (int i = 1; i < c->n_x; i++) {
        ebb_tensor *t = c->in[i];
        if (!t || t == c->in[0] || t->root != c->in[0]->root) continue;
        int64_t stride[EBB_MAX_DIMS];
        if (t->node || (t->flags & T_REQUIRES))
            c->in[i] = ebb_op_call("contiguous", 0, 1, &t, NULL, 0, 0, NULL);
        else c->in[i] = laid_out(t, NULL, stride, true);
        if (!c->in[i]) return c->e->code;
    }
    return EBB_OK;
}

static ebb_status raise_op(call *c) {
    ebb_event ev = {.size = sizeof ev,
                    .kind = EBB_EV_OP,
                    .op = c->x->op,
                    .n_x = c->n_x,
                    .n_y = c->n_y,
                    .x = c->in,
                    .y = c->y,
                    .region = c->e->regions[c->e->region],
                    .attrs = c->attrs};
    return ebb__raise(c->e, &ev);
}

static ebb_status run(call *c) {
    ebb *e = c->e;
    const ebb__entry *x = c->x;
    if (x->op->compose && run_composed(c)) return e->code;
    if (e->code != EBB_OK) return e->code;
    if (!x->has_kernel && !x->op->view)
        return ebb_fail(e, EBB_E_KERNEL, "%s: its compose function returned nothing", x->op->name);
    if (run_fast(c)) return e->code;
    if (check_dtypes(c) != EBB_OK || (c->in_place && copy_overlaps(c) != EBB_OK)) return e->code;
    ebb_status (*how)(call *) = x->op->infer || x->op->view ? run_infer : run_sig;
    if (e->opt.guard && !x->op->view) return guarded(c, how);
    return how(c);
}

ebb_tensor *ebb__call(ebb *e, const ebb__entry *x, int n_x, ebb_tensor *const *in, const void *attrs,
                      size_t attrs_size, ebb_tensor **outs, bool in_place) {
    if (e->code != EBB_OK) return NULL;
    call c;
    c.x = x;
    c.e = e;
    c.n_x = n_x;
    c.n_y = x->n_out;
    c.in_place = in_place;
    c.identity = false;
    c.y[0] = NULL;
    for (int i = 0; i < n_x && i < EBB_MAX_OPERANDS; i++) c.in[i] = in[i];
    if (check_inputs(&c) != EBB_OK || (in_place && in_place_allowed(&c) != EBB_OK)) return NULL;
    /* attributes: the caller's struct, or its beginning over the defaults */
    _Alignas(16) char own[MAX_ATTRS];
    c.attrs = attrs ? attrs : x->defaults;
    if (attrs && attrs_size < x->op->attrs_size) {
        if (x->op->attrs_size > sizeof own) {
            ebb_fail(e, EBB_E_ATTR, "%s: its attributes are too large", x->op->name);
            return NULL;
        }
        memcpy(own, x->defaults, x->op->attrs_size);
        memcpy(own, attrs, attrs_size);
        c.attrs = own;
    }
    if (attrs && x->has_ranges && ebb__attrs_check(e, x->op->name, x->op->attrs, x->op->n_attrs, c.attrs) != EBB_OK)
        return NULL;
    if (run(&c) != EBB_OK) return NULL;
    if (in_place) ebb__touch(c.in[0], x->op);
    if (!c.identity && wants_grad(&c)) {
        if (ebb__record(e, x, c.n_x, c.in, c.n_y, c.y, c.attrs) != EBB_OK) return NULL;
        if (in_place) {
            ebb__ext *ext = ebb__ext_of(c.y[0]->root);
            if (!ext) return NULL;
            ext->rebased++;
        }
    }
    if (ebb__listening(e, EBB_EV_OP) && raise_op(&c) != EBB_OK) return NULL;
    if (outs)
        for (int j = 0; j < c.n_y; j++) outs[j] = c.y[j];
    return c.y[0];
}

/* ---- the host table: what a tensor's first word leads to ---- */

static ebb_tensor *host_call(ebb *e, const char *name, uint32_t hash, int n_x, ebb_tensor *const *x,
                             const void *attrs, uint32_t attrs_size, int n_more, ebb_tensor **more) {
    const ebb__entry *entry = ebb__need(e, name, hash);
    if (!entry) return NULL;
    ebb_tensor *outs[8];
    ebb_tensor *y = ebb__call(e, entry, n_x, x, attrs, attrs_size, outs, false);
    for (int j = 0; j < n_more; j++)
        if (more) more[j] = y && j + 1 < entry->n_out ? outs[j + 1] : NULL;
    return y;
}

static ebb_tensor *host_call_inplace(ebb *e, const char *name, uint32_t hash, int n_x, ebb_tensor *const *x,
                                     const void *attrs, uint32_t attrs_size) {
    const ebb__entry *entry = ebb__need(e, name, hash);
    return entry ? ebb__call(e, entry, n_x, x, attrs, attrs_size, NULL, true) : NULL;
}

static ebb_tensor *host_scalar(ebb *e, const ebb_tensor *like, double value) {
    const int dtype = is_float(like->dtype)             ? like->dtype
                      : value == (double)(int64_t)value ? like->dtype
                                                        : EBB_F32;
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
    if (n < 0 || n > EBB_MAX_OPERANDS - 8)
        return ebb_fail(e, EBB_E_ARG, "%s: %d inputs cannot be", name, n), -1;
    _Alignas(16) char attrs[MAX_ATTRS];
    if (entry->op->attrs_size > sizeof attrs)
        return ebb_fail(e, EBB_E_ATTR, "%s: its attributes are too large", name), -1;
    if (entry->op->attrs_size) memcpy(attrs, entry->defaults, entry->op->attrs_size);
    if (ebb__attrs_parse(e, name, entry->op->attrs, entry->op->n_attrs, text, attrs) != EBB_OK) return -1;
    ebb_tensor *outs[8];
    if (!ebb__call(e, entry, n, x, attrs, entry->op->attrs_size, outs, in_place)) return -1;
    for (int j = 0; j < max_y && j < entry->n_out && y; j++) y[j] = in_place ? x[0] : outs[j];
    return entry->n_out;
}

/* ---- the ops the engine itself uses ---- */

ebb_tensor *ebb__contiguous(ebb_tensor *t) {
    return t->flags & T_CONTIG ? t : ebb_op_call("contiguous", 0, 1, &t, NULL, 0, 0, NULL);
}

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
        const struct {
            ebb_ints dim;
            bool keepdim;
        } attrs = {dims, false};
        t = ebb_op_call("sum", 0, 1, &t, &attrs, sizeof attrs, 0, NULL);
        if (!t || (t->ndim == ndim && !memcmp(t_shape(t), shape, 8 * (size_t)ndim))) return t;
    }
    return ebb_op_call("reshape", 0, 1, &t, &to, sizeof to, 0, NULL);
}
