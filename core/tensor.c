/* tensor.c - floor 1: tensors, their storage and views; reading and writing elements. */
#include "session.h"
#include <stdio.h>

const uint8_t ebb__dsize[EBB_DTYPES] = {0, 4, 8, 4, 8, 1, 1};
static const char *const dname[EBB_DTYPES] = {"none", "f32", "f64", "i32", "i64", "u8", "bool"};

const char *ebb_dtype_name(ebb_dtype d) { return (unsigned)d < EBB_DTYPES ? dname[d] : "?"; }
size_t ebb_dtype_size(ebb_dtype d) { return (unsigned)d < EBB_DTYPES ? ebb__dsize[d] : 0; }

int64_t ebb__contig_strides(int ndim, const int64_t *shape, int64_t *stride) {
    int64_t n = 1;
    for (int i = ndim; i-- > 0;) {
        stride[i] = n;
        n *= shape[i];
    }
    return n;
}

bool ebb__is_contig(int ndim, const int64_t *shape, const int64_t *stride) {
    int64_t n = 1;
    for (int i = ndim; i-- > 0;) {
        if (shape[i] == 0) return true;
        if (shape[i] != 1 && stride[i] != n) return false;
        n *= shape[i];
    }
    return true;
}

const char *ebb__shape_text(char *buf, size_t n, int ndim, const int64_t *shape) {
    size_t at = (size_t)snprintf(buf, n, "[");
    for (int i = 0; i < ndim && at < n; i++)
        at += (size_t)snprintf(buf + at, n - at, i ? ",%lld" : "%lld", (long long)shape[i]);
    if (at < n) snprintf(buf + at, n - at, "]");
    return buf;
}

const char *ebb_describe(const ebb_tensor *t, char *buf, size_t n) {
    if (!t) {
        snprintf(buf, n, "NULL");
        return buf;
    }
    char shape[200];
    ebb__shape_text(shape, sizeof shape, t->ndim, t_shape(t));
    const char *name = ebb_name_of(t);
    snprintf(buf, n, *name ? "%s: %s%s" : "%s%s%s", *name ? name : dname[t->dtype],
             *name ? dname[t->dtype] : shape, *name ? shape : "");
    return buf;
}

/* ---- life ---- */

bool ebb__own(ebb *e, ebb_tensor *t) {
    if (!ebb__grow(e, &e->owned, &e->cap_owned, e->n_owned, 1, sizeof *e->owned)) {
        ebb__drop(t);
        return false;
    }
    e->owned[e->n_owned++] = t;
    return true;
}

void ebb__owned_cut(ebb *e, size_t mark) {
    size_t keep = mark;
    const size_t n = e->n_owned;
    if (mark >= n) return;
    for (size_t i = mark; i < n; i++) {
        ebb_tensor *t = e->owned[i];
        if (t->flags & T_ESCAPES) {
            e->owned[keep++] = t;
        } else {
            ebb__drop(t);
        }
    }
    e->n_owned = keep;
}

bool ebb__owned_since(const ebb *e, const ebb_tensor *t, size_t mark) {
    for (size_t i = e->n_owned; i-- > mark;)
        if (e->owned[i] == t) return true;
    return false;
}

enum { FENCE = 256 };
static const uint8_t fence_byte = 0xA5;

/* A marked NaN in every element (any dtype): what the kernel leaves is what it never wrote. */
static void fill_marked(int dtype, void *data, int64_t n) {
    const uint32_t m32 = 0x7fa5a5a5u;
    const uint64_t m64 = 0x7ff5a5a5a5a5a5a5u;
    if (dtype == EBB_F32)
        for (int64_t i = 0; i < n; i++) memcpy((char *)data + 4 * i, &m32, 4);
    else if (dtype == EBB_F64)
        for (int64_t i = 0; i < n; i++) memcpy((char *)data + 8 * i, &m64, 8);
    else if (n) memset(data, 0xA5, (size_t)n * ebb__dsize[dtype]);
}

static size_t block_bytes(const ebb_tensor *t) {
    return (size_t)t->numel * ebb__dsize[t->dtype] + (t->flags & T_FENCED ? 2 * FENCE : 0);
}

enum { INLINE = 16 }; /* bytes of data that fit behind the head of a small tensor */

static size_t head_bytes(int ndim, size_t inline_bytes) {
    return sizeof(ebb_tensor) + 16 * (size_t)ndim + inline_bytes;
}

static ebb_tensor *head(ebb *e, int dtype, int ndim, const int64_t *shape, const int64_t *stride,
                        size_t inline_bytes) {
    ebb_tensor *t = (ebb_tensor *)ebb__get(e, head_bytes(ndim, inline_bytes));
    if (!t) return NULL;
    *t = (ebb_tensor){.host = &e->host, .refs = 1, .dtype = (uint8_t)dtype, .ndim = (uint8_t)ndim};
    int64_t n = 1;
    for (int i = 0; i < ndim; i++) n *= t_shape(t)[i] = shape[i];
    t->numel = n;
    if (stride) {
        for (int i = 0; i < ndim; i++) t_stride(t)[i] = stride[i];
        if (ebb__is_contig(ndim, shape, stride)) t->flags = T_CONTIG;
    } else {
        ebb__contig_strides(ndim, shape, t_stride(t));
        t->flags = T_CONTIG;
    }
    e->live++;
    return t;
}

/* Sizes that are not negative and whose product, in bytes, can be addressed. */
bool ebb__shape_fits(ebb *e, int dtype, int ndim, const int64_t *shape) {
    if (ndim < 0 || ndim > EBB_MAX_DIMS) {
        ebb_fail(e, EBB_E_SHAPE, "a tensor has at most %d dims, not %d", EBB_MAX_DIMS, ndim);
        return false;
    }
    int64_t n = 1;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0) {
            ebb_fail(e, EBB_E_SHAPE, "dim %d has size %lld: sizes are not negative", i, (long long)shape[i]);
            return false;
        }
        if (__builtin_mul_overflow(n, shape[i] ? shape[i] : 1, &n) || n > INT64_MAX / 64) {
            char s[200];
            ebb_fail(e, EBB_E_MEMORY, "out of memory: a tensor of shape %s cannot be addressed",
                     ebb__shape_text(s, sizeof s, ndim, shape));
            return false;
        }
    }
    if ((unsigned)dtype - 1 >= EBB_DTYPES - 1) {
        ebb_fail(e, EBB_E_DTYPE, "dtype %d does not exist", dtype);
        return false;
    }
    return true;
}

ebb_tensor *ebb__tensor(ebb *e, int dtype, int ndim, const int64_t *shape) {
    if (e->code != EBB_OK || !ebb__shape_fits(e, dtype, ndim, shape)) return NULL;
    int64_t n = 1;
    for (int i = 0; i < ndim; i++) n *= shape[i];
    const size_t bytes = (size_t)n * ebb__dsize[dtype];
    const bool fenced = e->opt.guard;
    /* The head of a 0-d or 1-d tensor leaves room in its class of 128 bytes: a scalar needs no second block. */
    const bool in = !fenced && bytes <= INLINE;
    ebb_tensor *t = head(e, dtype, ndim, shape, NULL, in ? INLINE : 0);
    if (!t) return NULL;
    t->root = t;
    if (in) {
        t->flags |= T_INLINE;
        t->data = t_stride(t) + ndim;
    } else {
        if (fenced) t->flags |= T_FENCED;
        char *p = (char *)ebb__get(e, block_bytes(t));
        if (!p) {
            ebb__put(e, t, head_bytes(ndim, 0));
            e->live--;
            return NULL;
        }
        if (fenced) {
            memset(p, fence_byte, FENCE);
            memset(p + FENCE + bytes, fence_byte, FENCE);
            p += FENCE;
            fill_marked(dtype, p, n);
        }
        t->data = p;
    }
    return ebb__own(e, t) ? t : NULL;
}

ebb_tensor *ebb__view(ebb_tensor *of, int ndim, const int64_t *shape, const int64_t *stride, int64_t offset) {
    ebb *e = t_session(of);
    ebb_tensor *t = head(e, of->dtype, ndim, shape, stride, 0);
    if (!t) return NULL;
    t->root = of->root;
    t->root->refs++;
    t->flags |= of->flags & (T_DETACHED | T_READONLY);
    /* a view of a stale view is as stale */
    t->version = of->root != of ? of->version : of->ext ? of->ext->rebased : 0;
    t->data = of->data ? (char *)of->data + offset * ebb__dsize[of->dtype] : NULL;
    ebb_tensor *base = of->flags & T_ALIAS ? of : of->ext ? of->ext->base : NULL;
    if (base) {
        if (!ebb__ext_of(t)) {
            ebb__drop(t);
            return NULL;
        }
        t->ext->base = t_hold(base);
    }
    return ebb__own(e, t) ? t : NULL;
}

bool ebb__fences_intact(const ebb_tensor *t, char *why, size_t why_n) {
    if (!(t->flags & T_FENCED)) return true;
    const uint8_t *p = (const uint8_t *)t->data;
    const size_t bytes = (size_t)t->numel * ebb__dsize[t->dtype];
    for (size_t i = 0; i < FENCE; i++) {
        if (p[bytes + i] != fence_byte) {
            snprintf(why, why_n, "wrote past the end (byte %zu after its %zu)", i, bytes);
            return false;
        }
        if (p[-(ptrdiff_t)i - 1] != fence_byte) {
            snprintf(why, why_n, "wrote before the start (byte %zu before it)", i + 1);
            return false;
        }
    }
    const uint32_t m32 = 0x7fa5a5a5u;
    const uint64_t m64 = 0x7ff5a5a5a5a5a5a5u;
    for (int64_t i = 0; i < t->numel; i++) {
        bool left;
        if (t->dtype == EBB_F32) left = !memcmp(p + 4 * i, &m32, 4);
        else if (t->dtype == EBB_F64) left = !memcmp(p + 8 * i, &m64, 8);
        else if (t->dtype == EBB_BOOL) left = p[i] > 1;
        else if (t->dtype == EBB_I64) left = !memcmp(p + 8 * i, "\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5", 8);
        else left = false;
        if (left) {
            snprintf(why, why_n, "never wrote element %lld of %lld", (long long)i, (long long)t->numel);
            return false;
        }
    }
    return true;
}

ebb_tensor *ebb_retain(ebb_tensor *t) {
    if (t) {
        t->refs++;
        if (t->holds < UINT16_MAX) t->holds++;
    }
    return t;
}

/* Nobody has t any more: it keeps no graph, also when the graph has it (a rule that reads the output it belongs to). */
static void keeps_no_more(ebb *e, ebb_tensor *t) {
    if (ebb__owned_since(e, t, 0)) return;
    t->flags &= (uint16_t)~T_KEEPS;
    if (--e->keepers == 0) ebb__kept_graph_ends(e);
}

void ebb_release(ebb_tensor *t) {
    if (t && t->holds && --t->holds == 0 && (t->flags & T_KEEPS)) keeps_no_more(t_session(t), t);
    ebb__drop(t);
}

void ebb__drop(ebb_tensor *t) {
    if (!t || --t->refs) return;
    ebb *e = t_session(t);
    if (t->ext) {
        ebb__strfree(e, t->ext->name);
        ebb__drop(t->ext->grad);
        ebb__drop(t->ext->pending);
        ebb__drop(t->ext->base);
        ebb__put(e, t->ext, sizeof *t->ext);
    }
    if (t->root != t) ebb__drop(t->root);
    else if (!(t->flags & (T_INLINE | T_BORROWED)))
        ebb__put(e, (char *)t->data - (t->flags & T_FENCED ? FENCE : 0), block_bytes(t));
    e->live--;
    const bool last_keeper = (t->flags & T_KEEPS) && --e->keepers == 0;
    ebb__put(e, t, head_bytes(t->ndim, t->flags & T_INLINE ? INLINE : 0));
    if (last_keeper) ebb__kept_graph_ends(e);
}

ebb__ext *ebb__ext_of(ebb_tensor *t) {
    if (!t->ext) t->ext = (ebb__ext *)ebb__get0(t_session(t), sizeof *t->ext);
    return t->ext;
}

void ebb__touch(ebb_tensor *t, const ebb_op *writer) {
    ebb_tensor *root = t->root;
    root->version++;
    if (root->ext || writer) {
        ebb__ext *x = ebb__ext_of(root);
        if (x) x->writer = writer;
    }
}

/* ---- making ---- */

ebb_tensor *ebb_tensor_new(ebb *e, ebb_dtype dtype, ebb_ints shape, const void *data) {
    if (!e) return NULL;
    ebb_tensor *t = ebb__tensor(e, (int)dtype, shape.n, shape.v);
    if (!t || !t->numel) return t;
    const size_t bytes = (size_t)t->numel * ebb__dsize[dtype];
    if (data) memcpy(t->data, data, bytes);
    else memset(t->data, 0, bytes);
    return t;
}

ebb_tensor *ebb_tensor_wrap(ebb *e, ebb_dtype dtype, ebb_ints shape, void *data) {
    if (!e || e->code != EBB_OK || !ebb__shape_fits(e, (int)dtype, shape.n, shape.v)) return NULL;
    if (!data) {
        ebb_fail(e, EBB_E_ARG, "ebb_tensor_wrap: data is NULL; use ebb_tensor_new for zeros");
        return NULL;
    }
    if ((uintptr_t)data % ebb__dsize[dtype]) {
        ebb_fail(e, EBB_E_ARG, "ebb_tensor_wrap: data at %p is not aligned to %u bytes, as %s needs", data,
                 ebb__dsize[dtype], dname[dtype]);
        return NULL;
    }
    ebb_tensor *t = head(e, (int)dtype, shape.n, shape.v, NULL, 0);
    if (!t) return NULL;
    t->root = t;
    t->flags |= T_BORROWED;
    t->data = data;
    return ebb__own(e, t) ? t : NULL;
}

ebb_tensor *ebb_share(ebb *to, const ebb_tensor *t) {
    if (!to || !t || to->code != EBB_OK) return NULL;
    char s[200];
    if (!(t->flags & T_CONTIG)) {
        ebb_fail(to, EBB_E_ARG, "ebb_share: %s is not contiguous", ebb_describe(t, s, sizeof s));
        return NULL;
    }
    ebb_tensor *v = head(to, t->dtype, t->ndim, t_shape(t), NULL, 0);
    if (!v) return NULL;
    v->root = v;
    v->flags |= T_BORROWED | T_READONLY;
    v->data = t->data;
    return ebb__own(to, v) ? v : NULL;
}

ebb_tensor *ebb_full(ebb *e, ebb_dtype dtype, ebb_ints shape, double value) {
    if (!e) return NULL;
    ebb_tensor *t = ebb__tensor(e, (int)dtype, shape.n, shape.v);
    if (!t) return NULL;
    if (dtype == EBB_F32)
        for (int64_t i = 0; i < t->numel; i++) ((float *)t->data)[i] = (float)value;
    else
        for (int64_t i = 0; i < t->numel; i++) ebb__store((int)dtype, t->data, i, value);
    return t;
}

/* ---- elements ---- */

double ebb__load(int dtype, const void *p, int64_t i) {
    switch (dtype) {
    case EBB_F32: return (double)((const float *)p)[i];
    case EBB_F64: return ((const double *)p)[i];
    case EBB_I32: return ((const int32_t *)p)[i];
    case EBB_I64: return (double)((const int64_t *)p)[i];
    default: return ((const uint8_t *)p)[i];
    }
}

/* The nearest integer type's value; NaN becomes 0: never undefined. */
static int64_t whole(double v, int64_t lo, int64_t hi) {
    return v != v ? 0 : v <= (double)lo ? lo : v >= (double)hi ? hi : (int64_t)v;
}

void ebb__store(int dtype, void *p, int64_t i, double v) {
    switch (dtype) {
    case EBB_F32: ((float *)p)[i] = (float)v; break;
    case EBB_F64: ((double *)p)[i] = v; break;
    case EBB_I32: ((int32_t *)p)[i] = (int32_t)whole(v, INT32_MIN, INT32_MAX); break;
    case EBB_I64: ((int64_t *)p)[i] = whole(v, INT64_MIN, INT64_MAX); break;
    case EBB_U8: ((uint8_t *)p)[i] = (uint8_t)whole(v, 0, UINT8_MAX); break;
    default: ((uint8_t *)p)[i] = v != 0; break;
    }
}

void ebb_tensor_info(const ebb_tensor *t, ebb_info *out) {
    if (!out) return;
    if (!t) {
        *out = (ebb_info){0};
        return;
    }
    out->dtype = t->dtype;
    out->ndim = t->ndim;
    for (int i = 0; i < EBB_MAX_DIMS; i++) {
        out->shape[i] = i < t->ndim ? t_shape(t)[i] : 0;
        out->stride[i] = i < t->ndim ? t_stride(t)[i] : 0;
    }
    out->numel = t->numel;
    out->data = t->data;
}

ebb *ebb_tensor_session(const ebb_tensor *t) { return t ? t_session(t) : NULL; }
ebb_dtype ebb_tensor_dtype(const ebb_tensor *t) { return t ? (ebb_dtype)t->dtype : EBB_NONE; }
int ebb_ndim(const ebb_tensor *t) { return t ? t->ndim : 0; }
int64_t ebb_numel(const ebb_tensor *t) { return t ? t->numel : 0; }

int64_t ebb_size(const ebb_tensor *t, int dim) {
    if (!t) return 0;
    if (dim < 0) dim += t->ndim;
    return dim >= 0 && dim < t->ndim ? t_shape(t)[dim] : 0;
}

const void *ebb_data(const ebb_tensor *t) { return t && (t->flags & T_CONTIG) ? t->data : NULL; }

void *ebb_data_mut(ebb_tensor *t) {
    if (!t || !(t->flags & T_CONTIG) || (t->flags & T_READONLY)) return NULL;
    ebb__touch(t, NULL);
    return t->data;
}

/* Place in memory of element `flat` of the row-major order. */
int64_t ebb__place_of(const ebb_tensor *t, int64_t flat) {
    int64_t at = 0;
    for (int i = t->ndim; i-- > 0;) {
        const int64_t n = t_shape(t)[i];
        at += flat % n * t_stride(t)[i];
        flat /= n;
    }
    return at;
}

double ebb_at(const ebb_tensor *t, int64_t flat) {
    if (!t || flat < 0 || flat >= t->numel) return (double)NAN;
    return ebb__load(t->dtype, t->data, t->flags & T_CONTIG ? flat : ebb__place_of(t, flat));
}

double ebb_item(const ebb_tensor *t) {
    if (!t) return (double)NAN;
    if (t->numel != 1) {
        char s[200];
        ebb_fail(t_session(t), EBB_E_SHAPE, "ebb_item: the tensor has %lld elements, %s, not one",
                 (long long)t->numel, ebb_describe(t, s, sizeof s));
        return (double)NAN;
    }
    return ebb__load(t->dtype, t->data, 0);
}

ebb_status ebb_copy_out(const ebb_tensor *t, void *dst, size_t bytes) {
    if (!t) return EBB_E_ARG;
    const size_t size = ebb__dsize[t->dtype], want = (size_t)t->numel * size;
    if (bytes != want)
        return ebb_fail(t_session(t), EBB_E_ARG, "ebb_copy_out: the tensor has %zu bytes, the room is %zu",
                        want, bytes);
    if (!want) return EBB_OK;
    if (!dst) return ebb_fail(t_session(t), EBB_E_ARG, "ebb_copy_out: dst is NULL");
    if (t->flags & T_CONTIG) memcpy(dst, t->data, want);
    else
        for (int64_t i = 0; i < t->numel; i++)
            memcpy((char *)dst + (size_t)i * size,
                   (const char *)t->data + ebb__place_of(t, i) * (int64_t)size, size);
    return EBB_OK;
}

ebb_tensor *ebb_name(ebb_tensor *t, const char *name) {
    if (!t || !name) return t;
    ebb__ext *x = ebb__ext_of(t);
    char *copy = x ? ebb__strdup(t_session(t), name) : NULL;
    if (!copy) return NULL;
    ebb__strfree(t_session(t), x->name);
    x->name = copy;
    return t;
}

const char *ebb_name_of(const ebb_tensor *t) { return t && t->ext && t->ext->name ? t->ext->name : ""; }
