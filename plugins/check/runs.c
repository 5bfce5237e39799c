/* runs.c - floor 5: one call of the op with given numbers, laid out as asked, and the gradients of it. */
#include "check.h"

ebb *check_open(checker *c, int threads, int64_t grain, bool guard) {
    ebb_options o = {.size = sizeof(ebb_options)};
    o.threads = threads;
    o.grain = grain;
    o.guard = guard;
    o.seed = c->seed;
    ebb *e = ebb_open_like(c->from, &o);
    if (!e) {
        c->short_of_memory = true;
        return NULL;
    }
    if (ebb_backend_use(e, "portable")) ebb_error_clear(e);
    return e;
}

bool check_is_float(ebb_dtype d) { return d == EBB_F32 || d == EBB_F64; }

static void put(ebb_dtype d, void *to, int64_t at, double v) {
    if (d == EBB_F32) ((float *)to)[at] = (float)v;
    else if (d == EBB_F64) ((double *)to)[at] = v;
    else if (d == EBB_I32) ((int32_t *)to)[at] = (int32_t)v;
    else if (d == EBB_I64) ((int64_t *)to)[at] = (int64_t)v;
    else ((uint8_t *)to)[at] = (uint8_t)v;
}

/* ---- layouts --------------------------------------------------------------------------------------------------------- */

bool check_lay_applies(layout lay, const ebb_ints *shape) {
    if (check_numel(shape) == 0) return lay == LAY_PLAIN;
    if (lay == LAY_TRANSPOSED) return shape->n >= 2;
    if (lay == LAY_SLICED || lay == LAY_STEP || lay == LAY_EXPANDED) return shape->n >= 1;
    return true;
}

/* How the elements of a tensor of `shape` lie in a buffer: strides and offset in elements, and the shape to make it with. */
typedef struct lie {
    ebb_ints made;
    int64_t stride[EBB_MAX_DIMS], offset;
    char op[12], attrs[96];
} lie;

static void row_major(const ebb_ints *shape, int64_t stride[EBB_MAX_DIMS]) {
    int64_t s = 1;
    for (int d = shape->n - 1; d >= 0; d--) {
        stride[d] = s;
        s *= shape->v[d];
    }
}

static void print_dims(char *buf, size_t n, const char *name, const int64_t *v, int count) {
    check_say(buf, n, "%s=", name);
    for (int d = 0; d < count; d++) check_say(buf, n, d ? ",%lld" : "%lld", (long long)v[d]);
}

static lie lie_of(layout lay, const ebb_ints *shape) {
    lie l = {.made = *shape};
    const int last = shape->n - 1;
    if (lay == LAY_TRANSPOSED) { /* all dims in reverse order */
        int64_t back[EBB_MAX_DIMS], made_stride[EBB_MAX_DIMS] = {0};
        for (int d = 0; d <= last; d++) {
            l.made.v[d] = shape->v[last - d];
            back[d] = last - d;
        }
        row_major(&l.made, made_stride);
        for (int d = 0; d <= last; d++) l.stride[d] = made_stride[last - d];
        check_say(l.op, sizeof l.op, last == 1 ? "transpose" : "permute");
        if (last == 1) check_say(l.attrs, sizeof l.attrs, "dim0=0 dim1=1");
        else print_dims(l.attrs, sizeof l.attrs, "dims", back, last + 1);
        return l;
    }
    if (lay == LAY_SLICED) {
        l.made.v[last] += 3;
        l.offset = 2;
        check_say(l.op, sizeof l.op, "slice");
        check_say(l.attrs, sizeof l.attrs, "dim=%d start=2 end=%lld", last, (long long)shape->v[last] + 2);
    }
    if (lay == LAY_STEP) {
        l.made.v[last] = 2 * shape->v[last];
        check_say(l.op, sizeof l.op, "slice");
        check_say(l.attrs, sizeof l.attrs, "dim=%d start=0 end=%lld step=2", last, (long long)l.made.v[last]);
    }
    if (lay == LAY_EXPANDED) {
        l.made.v[0] = 1;
        check_say(l.op, sizeof l.op, "expand");
        print_dims(l.attrs, sizeof l.attrs, "size", shape->v, shape->n);
    }
    row_major(&l.made, l.stride);
    if (lay == LAY_STEP) l.stride[last] *= 2;
    if (lay == LAY_EXPANDED) l.stride[0] = 0;
    return l;
}

/* Gaps of a sliced buffer hold NaN, so that a kernel which reads them shows it. */
ebb_tensor *check_tensor(ebb *e, checker *c, ebb_dtype type, ebb_ints shape, const vec *v, layout lay) {
    if (!check_lay_applies(lay, &shape)) lay = LAY_PLAIN;
    const lie l = lie_of(lay, &shape);
    const int64_t held = check_numel(&l.made);
    const size_t size = ebb_dtype_size(type);
    unsigned char *buf = (unsigned char *)check_take(c, ((size_t)held + 8) * size);
    if (!buf) return NULL;
    if (lay == LAY_MISALIGNED) buf += size;
    if (lay == LAY_SLICED || lay == LAY_STEP)
        for (int64_t k = 0; k < held; k++) put(type, buf, k, check_is_float(type) ? (double)NAN : 0);
    int64_t index[EBB_MAX_DIMS] = {0}, at = l.offset;
    for (int64_t k = 0; k < v->n; k++) {
        put(type, buf, at, v->v[k]);
        for (int d = shape.n - 1; d >= 0; d--) {
            at += l.stride[d];
            if (++index[d] < shape.v[d]) break;
            at -= l.stride[d] * shape.v[d];
            index[d] = 0;
        }
    }
    if (lay == LAY_MISALIGNED) return ebb_tensor_wrap(e, type, shape, buf);
    ebb_tensor *t = ebb_tensor_new(e, type, l.made, buf), *y = NULL;
    if (lay == LAY_PLAIN || !t) return t;
    if (check_is_float(type)) ebb_requires_grad(t, true);
    return ebb_call_named(e, l.op, 1, &t, l.attrs, 1, &y) < 1 ? NULL : y;
}

/* ---- running ----------------------------------------------------------------------------------------------------------- */

bool check_begin(checker *c, const job *j, live *l) {
    const trial *t = j->t;
    *l = (live){.e = j->e};
    ebb_error_clear(j->e);
    l->scope = ebb_begin(j->e);
    for (int i = 0; i < t->n_x; i++) {
        if (!t->x[i].present) continue;
        const ebb_dtype type = t->x[i].dtype == EBB_NONE ? j->type : t->x[i].dtype;
        l->x[i] = check_tensor(j->e, c, type, t->x[i].shape, &j->x[i], j->lay_x[i]);
        if (!l->x[i]) return false;
        if (j->wanted >> i & 1 && ebb_is_leaf(l->x[i])) ebb_requires_grad(l->x[i], true);
    }
    if (c->op->flags & EBB_RANDOM) ebb_seed(j->e, c->seed + 7);
    l->n_y = ebb_call_named(j->e, c->op->name, t->n_x, l->x, t->attrs, MAX_Y, l->y);
    if (l->n_y > MAX_Y) l->n_y = MAX_Y;
    if (l->n_y < 1 || ebb_failed(j->e)) return false;
    for (int k = 0; k < l->n_y; k++) {
        ebb_info info;
        ebb_tensor_info(l->y[k], &info);
        l->smooth[k] = check_is_float((ebb_dtype)info.dtype) && ebb_needs_grad(l->y[k]);
        if (!j->g || !l->smooth[k]) continue;
        ebb_ints shape = {info.ndim, {0}};
        memcpy(shape.v, info.shape, sizeof(int64_t) * (size_t)info.ndim);
        if (j->g[k].n != info.numel) {
            ebb_fail(j->e, EBB_E_SHAPE, "%s gave another shape than before", c->op->name);
            return false;
        }
        l->g[k] = check_tensor(j->e, c, (ebb_dtype)info.dtype, shape, &j->g[k], j->lay_g);
        if (!l->g[k]) return false;
    }
    return true;
}

bool check_grads(const job *j, live *l) {
    ebb_tensor *out[MAX_Y], *seed[MAX_Y], *wrt[MAX_X], *dx[MAX_X] = {NULL};
    int n_out = 0, n_wrt = 0, of[MAX_X];
    for (int k = 0; k < l->n_y; k++)
        if (l->smooth[k] && l->g[k]) {
            out[n_out] = l->y[k];
            seed[n_out++] = l->g[k];
        }
    for (int i = 0; i < j->t->n_x; i++)
        if (j->wanted >> i & 1) {
            wrt[n_wrt] = l->x[i];
            of[n_wrt++] = i;
        }
    if (!n_out || !n_wrt) return true;
    if (ebb_grad(l->e, n_out, out, seed, n_wrt, wrt, j->flags | EBB_ALLOW_UNUSED, dx)) return false;
    for (int k = 0; k < n_wrt; k++) l->dx[of[k]] = dx[k];
    return !ebb_failed(l->e);
}

void check_end(live *l) {
    if (l->scope) ebb_end(l->scope);
    l->scope = NULL;
}

bool check_read(checker *c, const ebb_tensor *t, vec *out) {
    *out = check_vec(c, ebb_numel(t));
    if (!out->v) return false;
    const ebb_dtype d = ebb_tensor_dtype(t);
    const void *p = ebb_data(t);
    for (int64_t k = 0; k < out->n; k++)
        out->v[k] = !p             ? ebb_at(t, k)
                    : d == EBB_F64 ? ((const double *)p)[k]
                    : d == EBB_F32 ? (double)((const float *)p)[k]
                                   : ebb_at(t, k);
    return true;
}

static bool read_all(checker *c, const job *j, const live *l, outcome *o) {
    for (int k = 0; k < l->n_y; k++) {
        ebb_info info;
        ebb_tensor_info(l->y[k], &info);
        o->y_shape[k].n = info.ndim;
        memcpy(o->y_shape[k].v, info.shape, sizeof(int64_t) * (size_t)info.ndim);
        o->y_dtype[k] = (ebb_dtype)info.dtype;
        o->smooth[k] = l->smooth[k];
        if (!check_read(c, l->y[k], &o->y[k])) return false;
    }
    for (int i = 0; i < j->t->n_x; i++) {
        if (!(j->wanted >> i & 1)) continue;
        o->given[i] = l->dx[i] != NULL;
        if (l->dx[i] && ebb_numel(l->dx[i]) != j->x[i].n) {
            ebb_fail(l->e, EBB_E_KERNEL, "the gradient of input %d has %lld elements, the input %lld", i,
                     (long long)ebb_numel(l->dx[i]), (long long)j->x[i].n);
            return false;
        }
        if (l->dx[i] ? !check_read(c, l->dx[i], &o->dx[i]) : !(o->dx[i] = check_vec(c, j->x[i].n)).v)
            return false;
    }
    return true;
}

bool check_run(checker *c, const job *j, outcome *o) {
    live l;
    memset(o, 0, sizeof *o);
    bool ok = check_begin(c, j, &l);
    if (ok && j->g && j->wanted) ok = check_grads(j, &l);
    o->n_y = l.n_y;
    if (ok) ok = read_all(c, j, &l, o);
    check_end(&l);
    return ok && !ebb_failed(j->e);
}

bool check_cotangents(checker *c, const outcome *o, uint64_t salt, vec g[MAX_Y]) {
    for (int k = 0; k < o->n_y; k++)
        if (!check_noise(c, o->y[k].n, salt * 8 + (uint64_t)k, &g[k])) return false;
    return true;
}

bool check_start(checker *c, tally *t, const trial *tr, job *j, vec x[MAX_X], vec g[MAX_Y], outcome *o) {
    *j = (job){.e = j->e ? j->e : c->plain, .t = tr, .type = j->type ? j->type : c->type, .x = x, .flags = j->flags};
    if (!check_sample(c, tr, 1, x)) return check_engine(c, t, tr, j->e, "sampling");
    if (j->type == EBB_F32)
        for (int i = 0; i < tr->n_x; i++) check_round_f32(&x[i]);
    j->wanted = check_wanted(c, tr);
    if (!check_run(c, j, o)) return check_engine(c, t, tr, j->e, "the call");
    if (!check_cotangents(c, o, 3, g)) return check_engine(c, t, tr, j->e, "sampling");
    j->g = g;
    if (j->wanted && c->differentiable && !check_run(c, j, o))
        return check_engine(c, t, tr, j->e, "the gradient");
    return true;
}
