/* functional.c - floor 4: functions of derivatives made of ebb_grad: jvp, vjp, hvp, Jacobian, Hessian.
 *
 * A rule is linear in its cotangent u: J'u. So the derivative of J'u with respect to u, taken against a tangent v, is Jv: two
 * reverse passes make the forward product, for every op and of every order. */
#include "grad.h"

static ebb_ints shape_of(const ebb_tensor *t) {
    ebb_ints s = {t->ndim, {0}};
    memcpy(s.v, t_shape(t), 8 * (size_t)t->ndim);
    return s;
}

static ebb_tensor *zeros_like(const ebb_tensor *t) {
    return ebb_tensor_new(t_session(t), (ebb_dtype)t->dtype, shape_of(t), NULL);
}

static ebb_status counts_ok(ebb *e, const char *who, int n_out, ebb_tensor *const *out, int n_wrt,
                            ebb_tensor *const *wrt) {
    if (n_out < 1 || n_wrt < 1 || n_out > EBB_MAX_OPERANDS || n_wrt > EBB_MAX_OPERANDS || !out || !wrt)
        return ebb_fail(e, EBB_E_ARG, "%s: %d outputs and %d wrt given; 1 to %d each", who, n_out, n_wrt,
                        EBB_MAX_OPERANDS);
    for (int i = 0; i < n_out; i++)
        if (!out[i] || t_session(out[i]) != e)
            return ebb_fail(e, EBB_E_ARG, "%s: output %d is NULL or belongs to another session", who, i);
    return EBB_OK;
}

static ebb_status vectors_ok(ebb *e, const char *who, const char *what, int n, ebb_tensor *const *of,
                             ebb_tensor *const *v) {
    char a[200], b[200];
    if (!v) return ebb_fail(e, EBB_E_ARG, "%s: no %ss are given", who, what);
    for (int i = 0; i < n; i++) {
        if (!of[i] || !v[i] || t_session(v[i]) != e)
            return ebb_fail(e, EBB_E_ARG, "%s: %s %d is NULL or belongs to another session", who, what, i);
        if (v[i]->dtype != of[i]->dtype || v[i]->ndim != of[i]->ndim ||
            memcmp(t_shape(v[i]), t_shape(of[i]), 8 * (size_t)of[i]->ndim))
            return ebb_fail(e, EBB_E_SHAPE, "%s: %s %d is %s, but belongs to %s", who, what, i,
                            ebb_describe(v[i], a, sizeof a), ebb_describe(of[i], b, sizeof b));
    }
    return EBB_OK;
}

ebb_status ebb_vjp(ebb *e, int n_out, ebb_tensor *const *out, ebb_tensor *const *cotangents, int n_wrt,
                   ebb_tensor *const *wrt, int flags, ebb_tensor **vj) {
    for (int i = 0; i < n_wrt && vj; i++) vj[i] = NULL;
    const ebb_status r =
        ebb_grad(e, n_out, out, cotangents, n_wrt, wrt, flags | EBB_RETAIN | EBB_ALLOW_UNUSED, vj);
    for (int i = 0; i < n_wrt && r == EBB_OK; i++)
        if (!vj[i] && !(vj[i] = zeros_like(wrt[i]))) return e->code;
    return r;
}

/* jv of what u, leaves of the outputs' shapes, makes of g = J'u. */
static ebb_status transpose(ebb *e, int n_out, ebb_tensor *const *u, int n_wrt, ebb_tensor *const *g,
                            ebb_tensor *const *tangents, int flags, ebb_tensor **jv) {
    ebb_tensor *live[EBB_MAX_OPERANDS], *seed[EBB_MAX_OPERANDS];
    int n = 0;
    for (int i = 0; i < n_wrt; i++)
        if (g[i] && ebb__needs(g[i])) {
            live[n] = g[i];
            seed[n++] = tangents[i];
        }
    return n ? ebb_grad(e, n, live, seed, n_out, u, flags | EBB_RETAIN | EBB_ALLOW_UNUSED, jv) : EBB_OK;
}

ebb_status ebb_jvp(ebb *e, int n_out, ebb_tensor *const *out, int n_wrt, ebb_tensor *const *wrt,
                   ebb_tensor *const *tangents, int flags, ebb_tensor **jv) {
    for (int i = 0; i < n_out && jv; i++) jv[i] = NULL;
    if (!e || e->code != EBB_OK) return e ? e->code : EBB_E_ARG;
    if (!jv) return ebb_fail(e, EBB_E_ARG, "ebb_jvp: no room for the results is given");
    if (counts_ok(e, "ebb_jvp", n_out, out, n_wrt, wrt) != EBB_OK ||
        vectors_ok(e, "ebb_jvp", "tangent", n_wrt, wrt, tangents) != EBB_OK)
        return e->code;
    ebb_tensor *u[EBB_MAX_OPERANDS], *y[EBB_MAX_OPERANDS], *g[EBB_MAX_OPERANDS] = {NULL},
                                                           *found[EBB_MAX_OPERANDS] = {NULL};
    int n = 0;
    for (int j = 0; j < n_out; j++) {
        if (!ebb_needs_grad(out[j])) continue; /* constant */
        if (!(u[n] = zeros_like(out[j])) || ebb_requires_grad(u[n], true) != EBB_OK) return e->code;
        y[n++] = out[j];
    }
    ebb_status r = n ? ebb_grad(e, n, y, u, n_wrt, wrt, EBB_CREATE_GRAPH | EBB_ALLOW_UNUSED, g) : EBB_OK;
    if (r == EBB_OK && n) r = transpose(e, n, u, n_wrt, g, tangents, flags, found);
    for (int j = 0, k = 0; j < n_out && r == EBB_OK; j++)
        if (k < n && y[k] == out[j]) jv[j] = found[k++];
    for (int j = 0; j < n_out && r == EBB_OK; j++)
        if (!jv[j] && !(jv[j] = zeros_like(out[j]))) r = e->code;
    return r;
}

ebb_status ebb_hvp(ebb_tensor *loss, int n_wrt, ebb_tensor *const *wrt, ebb_tensor *const *v, int flags,
                   ebb_tensor **hv) {
    for (int i = 0; i < n_wrt && hv; i++) hv[i] = NULL;
    if (!loss) return EBB_E_ARG;
    ebb *e = t_session(loss);
    if (e->code != EBB_OK) return e->code;
    if (!hv) return ebb_fail(e, EBB_E_ARG, "ebb_hvp: no room for the results is given");
    if (counts_ok(e, "ebb_hvp", 1, &loss, n_wrt, wrt) != EBB_OK ||
        vectors_ok(e, "ebb_hvp", "v", n_wrt, wrt, v) != EBB_OK)
        return e->code;
    ebb_tensor *g[EBB_MAX_OPERANDS] = {NULL}, *live[EBB_MAX_OPERANDS], *seed[EBB_MAX_OPERANDS];
    ebb_status r = ebb_grad(e, 1, &loss, NULL, n_wrt, wrt, EBB_CREATE_GRAPH | EBB_ALLOW_UNUSED, g);
    int n = 0;
    for (int i = 0; i < n_wrt && r == EBB_OK; i++)
        if (g[i] && ebb__needs(g[i])) {
            live[n] = g[i];
            seed[n++] = v[i];
        }
    if (r == EBB_OK && n)
        r = ebb_grad(e, n, live, seed, n_wrt, wrt, flags | EBB_RETAIN | EBB_ALLOW_UNUSED, hv);
    for (int i = 0; i < n_wrt && r == EBB_OK; i++)
        if (!hv[i] && !(hv[i] = zeros_like(wrt[i]))) r = e->code;
    return r;
}

/* ---- whole Jacobians ---- */

/* Rows, each of n elements, as one [m,n]; rows end with it. */
static ebb_tensor *stacked(ebb_tensor **row, int64_t m, int64_t n) {
    enum { AT_ONCE = 32 };
    for (int64_t i = 0; i < m; i++)
        if (!(row[i] = ebb_reshape(row[i], .shape = EBB_SHAPE(1, n)))) return NULL;
    while (m > 1) {
        int64_t k = 0;
        for (int64_t i = 0; i < m; i += AT_ONCE) {
            const int64_t some = m - i < AT_ONCE ? m - i : AT_ONCE;
            if (!(row[k++] = ebb_cat((int)some, row + i, .dim = 0))) return NULL;
        }
        m = k;
    }
    return m ? row[0] : NULL;
}

/* Element i of t's shape is 1, all others 0. */
static ebb_tensor *basis(const ebb_tensor *t, int64_t i) {
    ebb_tensor *b = zeros_like(t);
    if (b) ebb__store(b->dtype, b->data, i, 1);
    return b;
}

ebb_tensor *ebb_jacobian(ebb_tensor *y, ebb_tensor *x, int flags) {
    if (!y || !x) return NULL;
    ebb *e = t_session(y);
    if (e->code != EBB_OK) return NULL;
    const int64_t n_y = y->numel, n_x = x->numel, m = n_y <= n_x ? n_y : n_x;
    ebb_ints shape = shape_of(y);
    if (y->ndim + x->ndim > EBB_MAX_DIMS) {
        ebb_fail(e, EBB_E_SHAPE, "ebb_jacobian: of %d and %d dims; together at most %d are possible", y->ndim,
                 x->ndim, EBB_MAX_DIMS);
        return NULL;
    }
    for (int d = 0; d < x->ndim; d++) shape.v[shape.n++] = t_shape(x)[d];
    if (!m) return ebb_tensor_new(e, (ebb_dtype)y->dtype, shape, NULL);
    ebb_tensor **row = (ebb_tensor **)ebb__get(e, sizeof *row * (size_t)m);
    bool ok = row != NULL;
    for (int64_t i = 0; i < m && ok; i++) {
        ebb_tensor *v = basis(n_y <= n_x ? y : x, i);
        ok = v && (n_y <= n_x ? ebb_vjp(e, 1, &y, &v, 1, &x, flags, &row[i])
                              : ebb_jvp(e, 1, &y, 1, &x, &v, flags, &row[i])) == EBB_OK;
    }
    ebb_tensor *j = ok ? stacked(row, m, n_y <= n_x ? n_x : n_y) : NULL;
    if (j && n_y > n_x) j = ebb_transpose(j, .dim0 = 0, .dim1 = 1);
    ebb__put(e, row, sizeof *row * (size_t)m);
    return ebb_reshape(j, .shape = shape);
}

ebb_tensor *ebb_hessian(ebb_tensor *loss, ebb_tensor *x, int flags) {
    if (!loss || !x) return NULL;
    ebb *e = t_session(loss);
    ebb_tensor *g = NULL;
    if (ebb_grad(e, 1, &loss, NULL, 1, &x, EBB_CREATE_GRAPH | EBB_ALLOW_UNUSED, &g) != EBB_OK) return NULL;
    if (g && ebb__needs(g)) return ebb_jacobian(g, x, flags);
    ebb_ints shape = shape_of(x);
    if (2 * x->ndim > EBB_MAX_DIMS) {
        ebb_fail(e, EBB_E_SHAPE, "ebb_hessian: x has %d dims, at most %d are possible", x->ndim, EBB_MAX_DIMS / 2);
        return NULL;
    }
    for (int d = 0; d < x->ndim; d++) shape.v[shape.n++] = t_shape(x)[d];
    return ebb_tensor_new(e, (ebb_dtype)x->dtype, shape, NULL);
}
