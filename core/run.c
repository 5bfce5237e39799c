/* run.c - floor 3: carries a call out: shapes from the signature or the op itself, outputs, operands where the kernel needs them.
 *
 * No branch here knows an op by name; what an op is comes from its declaration alone. */
#include "infer.h"
#include "running.h"
#include <stdio.h>

/* ---- outputs ---- */

static int output_dtype(const ebb__running *c, int j) {
    const int d = c->x->arg[c->x->n_in + j].dtype;
    return d ? d : c->dtype;
}

/* The shape a rule or user sees for output j, with the axes of an .axes op back in their places. */
static int full_output_shape(const ebb__running *c, const ebb__shapes *s, int j, int64_t *shape) {
    const int n = ebb__output_shape(c->x, s, j, shape);
    if (!c->x->op->axes || !c->x->arg[c->x->n_in + j].ndim) return n;
    for (int i = 0; i < c->n_x; i++)
        if (c->in[i] && ebb__input(c->x, i)->ndim) {
            for (int d = 0; d < n; d++)
                if (shape[d] < 0) shape[d] = t_shape(c->in[i])[d];
            break;
        }
    return n;
}

static ebb_status make_output(ebb__running *c, int j, int dtype, int ndim, const int64_t *shape) {
    if (c->in_place) {
        ebb_tensor *x = c->target;
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
ebb_tensor *ebb__laid_out(const ebb_tensor *t, const int *order, int64_t *stride, bool copy) {
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
static ebb_status run_sig(ebb__running *c) {
    const ebb__entry *x = c->x;
    ebb *e = c->e;
    ebb__shapes s;
    ebb_status r = ebb__infer_sig(e, x, c->n_x, c->in, c->attrs, &s);
    if (r != EBB_OK) return r;
    for (int i = 0; i < c->n_x && !x->pointwise; i++)
        if (c->in[i] && ebb__input(c->x, i)->below >= 0 &&
            (r = ebb__check_index(c, i, s.dim[ebb__input(c->x, i)->below])) != EBB_OK)
            return r;
    const int n_x = x->variadic ? c->n_x : x->n_in; /* absent optional inputs are operands too */
    for (int i = 0; i < c->n_x && s.nb; i++)
        if (c->in[i] && s.nb + ebb__input(x, i)->ndim > EBB_MAX_DIMS) /* its rule could not be shaped */
            return ebb_fail(e, EBB_E_SHAPE, "%s: with %d batch dims, input %d would have more than %d dims",
                            x->op->name, s.nb, i, EBB_MAX_DIMS);
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
        if (ebb__place(x, &s, ebb__input(c->x, i), t->ndim, t_shape(t), t_stride(t), &arg[i])) continue;
        int64_t stride[EBB_MAX_DIMS];
        const ebb_tensor *m = ebb__laid_out(t, core_last, stride, true);
        if (!m) return e->code;
        arg[i].p = (char *)m->data;
        ebb__place(x, &s, ebb__input(c->x, i), t->ndim, t_shape(t), stride, &arg[i]);
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
        out[j] = ebb__laid_out(t, core_last, stride, false);
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

/* Every element that a view would have lies in the storage of its root. */
static bool view_inside(ebb__running *c, const ebb_infer *s) {
    const ebb_info *y = s->y;
    if (!ebb__shape_fits(c->e, c->in[0]->dtype, y->ndim, y->shape)) return false;
    const ebb_tensor *root = c->in[0]->root;
    const int64_t size = ebb__dsize[root->dtype],
                  first = root->numel ? ((char *)c->in[0]->data - (char *)root->data) / size : 0;
    __extension__ typedef __int128 wide;
    wide lo = (wide)first + s->offset, hi = lo;
    bool any = true;
    for (int d = 0; d < y->ndim; d++) {
        any = any && y->shape[d] > 0;
        const wide reach = (wide)(y->shape[d] - 1) * y->stride[d];
        if (reach < 0) lo += reach;
        else hi += reach;
    }
    if (!any || (lo >= 0 && hi < root->numel)) return true;
    ebb_fail(c->e, EBB_E_KERNEL,
             "%s: its view function gives a view that lies outside its input's storage of %lld elements",
             c->x->op->name, (long long)root->numel);
    return false;
}

/* Runs an op that infers its shapes itself: whole contiguous operands. Or a view. */
static ebb_status run_infer(ebb__running *c) {
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
        if (!view_inside(c, &s)) return e->code;
        c->y[0] = ebb__view(c->in[0], s.y->ndim, s.y->shape, s.y->stride, s.offset);
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
        const ebb_tensor *t = c->in[i]->flags & T_CONTIG ? c->in[i] : ebb__laid_out(c->in[i], NULL, stride, true);
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

/* A message of an op that a composed one is made of begins with the name the user called; an internal op's gives way to it. */
static void name_outer(ebb *e, const ebb_op *outer) {
    char inner[80];
    const char *colon = strstr(e->error, ": ");
    const size_t n = colon ? (size_t)(colon - e->error) : sizeof inner;
    if (n < sizeof inner) {
        memcpy(inner, e->error, n);
        inner[n] = 0;
        const ebb__entry *x = ebb__find(e, inner, 0);
        if (x && (x->op->flags & EBB_INTERNAL)) memmove(e->error, colon + 2, strlen(colon + 2) + 1);
    }
    ebb__context(e, "%s: ", outer->name);
}

/* What the parts of a composed op made goes when it is done, but for its outputs and what the tape saved. */
static bool drop_temporaries(ebb__running *c, size_t mark) {
    ebb *e = c->e;
    ebb_tensor *keep[MAX_OUT];
    int n = 0;
    for (int j = 0; j < c->n_y; j++)
        if (ebb__owned_since(e, c->y[j], mark)) keep[n++] = t_hold(c->y[j]);
    ebb__owned_cut(e, mark);
    bool ok = true;
    for (int j = 0; j < n; j++) ok = ebb__own(e, keep[j]) && ok;
    return ok;
}

/* The op in terms of others: outside the graph when it has rules of its own. -> whether it took the call. */
bool ebb__run_composed(ebb__running *c) {
    ebb *e = c->e;
    ebb_shape shapes[EBB_MAX_OPERANDS];
    for (int i = 0; i < c->n_x; i++)
        if (c->in[i]) shapes[i] = (ebb_shape){c->in[i]->dtype, c->in[i]->ndim, t_shape(c->in[i])};
        else shapes[i] = (ebb_shape){0};
    ebb_tensor *more[MAX_OUT - 1];
    memset(more, 0, sizeof *more * (size_t)(c->x->variadic_out ? MAX_OUT - 1 : c->n_y - 1));
    const ebb_call view = {.size = sizeof view,
                           .more = more,
                           .max_more = c->x->variadic_out ? MAX_OUT - 1 : c->n_y - 1,
                           .n_x = c->n_x,
                           .n_y = c->n_y,
                           .x = c->in,
                           .x_shape = shapes,
                           .attrs = c->attrs,
                           .op = c->x->op,
                           .e = e};
    const bool own = c->x->op->n_vjp > 0;
    const size_t mark = e->n_owned;
    e->no_grad += own;
    e->hidden += own;
    e->depth++;
    ebb_tensor *y = c->x->op->compose(&view);
    e->depth--;
    e->hidden -= own;
    e->no_grad -= own;
    if (!y) {
        if (e->code != EBB_OK && !e->rule_of) name_outer(e, c->x->op);
        return e->code != EBB_OK;
    }
    if (e->code != EBB_OK) return true; /* of a further output */
    if (c->x->variadic_out) {
        for (c->n_y = 1; c->n_y < MAX_OUT && more[c->n_y - 1];) c->n_y++;
    } else {
        for (int j = 1; j < c->n_y; j++)
            if (!more[j - 1])
                return ebb_fail(e, EBB_E_KERNEL, "%s: its compose function made no output %d", c->x->op->name, j),
                       true;
    }
    for (int j = 0; j < c->n_y; j++) {
        ebb_tensor *t = j ? more[j - 1] : y;
        bool same = false;
        for (int i = 0; i < c->n_x; i++) same = same || t == c->in[i];
        if (!j) c->identity = same;
        if (own && !same && (t->node || (t->flags & T_REQUIRES))) /* its place in the graph is another's */
            t = ebb__view(t, t->ndim, t_shape(t), t_stride(t), 0);
        if (!t) return true;
        bool inside = t->root == t; /* else a view of something of its own, unless it is one of an input */
        for (int i = 0; i < c->n_x; i++) inside = inside || (c->in[i] && c->in[i]->root == t->root);
        if (own && !inside) t->flags |= T_ALIAS;
        c->y[j] = t;
    }
    if (e->n_owned - mark > (size_t)c->n_y) drop_temporaries(c, mark);
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

static ebb_status guarded(ebb__running *c, ebb_status (*run)(ebb__running *)) {
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

static ebb_status fast_fail(const ebb_loop *l, ebb_status code, const char *format, ...) {
    const ebb__running *c = (const ebb__running *)l->private_;
    if (c->e->code != EBB_OK) return code;
    va_list args;
    va_start(args, format);
    ebb__vfail(c->e, code, format, args);
    va_end(args);
    ebb__context(c->e, "%s: ", c->x->op->name);
    return code;
}

/* One-dtype pointwise ops on contiguous operands of one shape (or single elements): the overhead of a small op is here. */
bool ebb__run_fast(ebb__running *c) {
    const ebb__entry *x = c->x;
    ebb *e = c->e;
    if (!x->pointwise || !x->all_T || !x->has_kernel || !c->n_x || x->n_out != 1 || c->n_x != x->n_in ||
        e->opt.guard || x->backends || c->in_place || x->op->scratch || x->n_in > 7)
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
                        .n_x = c->n_x,
                        .fail = fast_fail,
                        .private_ = c};
    const ebb_status s = x->ref.fn[c->dtype](&l);
    if (s != EBB_OK)
        ebb_fail(e, EBB_E_KERNEL, "%s: its kernel returned an error (%s)", x->op->name, ebb_status_name(s));
    return true;
}

ebb_status ebb__run_kernel(ebb__running *c) {
    ebb_status (*how)(ebb__running *) = c->x->op->infer || c->x->op->view ? run_infer : run_sig;
    return c->e->opt.guard && !c->x->op->view ? guarded(c, how) : how(c);
}
