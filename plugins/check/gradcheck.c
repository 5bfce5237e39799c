/* gradcheck.c - floor 5: derivatives of a function of the user's at given inputs, against central differences. */
#include "check.h"

enum { IN = 32, OUT = 8, ALL = 256 };

/* A function at its inputs. The cotangents are drawn once, so that it is a function to numbers: sum over outputs of g . y. */
typedef struct probe_fn {
    ebb *e;
    ebb_fn fn;
    void *user;
    int n_x, n_y;
    ebb_tensor *const *x;
    ebb_tensor *g[OUT]; /* NULL for outputs that no gradient flows from */
    const ebb_gradcheck_options *o;
    const char *what;
} probe_fn;

static bool wanted(const probe_fn *p, int i) { return ebb_needs_grad(p->x[i]); }

static ebb_tensor *noise_like(ebb *e, const ebb_tensor *t, uint64_t *state) {
    ebb_info i;
    ebb_tensor_info(t, &i);
    ebb_ints shape = {i.ndim, {0}};
    for (int d = 0; d < i.ndim; d++) shape.v[d] = i.shape[d];
    ebb_tensor *n = ebb_tensor_new(e, EBB_F64, shape, NULL);
    double *v = (double *)ebb_data_mut(n);
    for (int64_t k = 0; v && k < i.numel; k++) {
        const double size = 0.5 + check_uniform(state);
        v[k] = check_random(state) & 1 ? size : -size;
    }
    return n;
}

/* The function with element k of input i moved by d: sum of g . y. */
static bool at(const probe_fn *p, int i, int64_t k, double d, double *sum) {
    ebb_scope *s = ebb_begin(p->e);
    ebb_tensor *x[IN], *y[OUT] = {NULL};
    for (int q = 0; q < p->n_x; q++) x[q] = p->x[q];
    ebb_info info;
    ebb_tensor_info(p->x[i], &info);
    ebb_ints shape = {info.ndim, {0}};
    for (int q = 0; q < info.ndim; q++) shape.v[q] = info.shape[q];
    x[i] = ebb_tensor_new(p->e, EBB_F64, shape, NULL);
    double *v = (double *)ebb_data_mut(x[i]);
    if (v && ebb_copy_out(p->x[i], v, sizeof *v * (size_t)info.numel) == EBB_OK) v[k] += d;
    /* a function may differentiate inside itself: it sees leaves, as it did */
    if (x[i]) ebb_requires_grad(x[i], true);
    const ebb_status r = ebb_failed(p->e) ? ebb_error_code(p->e) : p->fn(p->e, p->user, p->n_x, x, p->n_y, y);
    *sum = 0;
    for (int j = 0; j < p->n_y && r == EBB_OK && !ebb_failed(p->e); j++)
        for (int64_t q = 0; p->g[j] && q < ebb_numel(p->g[j]); q++)
            *sum += ebb_at(p->g[j], q) * ebb_at(y[j], q);
    ebb_end(s);
    return r == EBB_OK && !ebb_failed(p->e);
}

static bool slope(const probe_fn *p, int i, int64_t k, double *d) {
    const double h = p->o->step > 0 ? p->o->step : check_step(ebb_at(p->x[i], k));
    double a, b, c, e;
    if (!at(p, i, k, h, &a) || !at(p, i, k, -h, &b) || !at(p, i, k, h / 2, &c) || !at(p, i, k, -h / 2, &e))
        return false;
    const double whole = (a - b) / (2 * h), half = (c - e) / h;
    *d = half + (half - whole) / 3; /* Richardson's step */
    return true;
}

static ebb_status compare_input(const probe_fn *p, int i, const ebb_tensor *dx, uint64_t *state) {
    const double rtol = p->o->rtol > 0 ? p->o->rtol : 1e-5, atol = p->o->atol > 0 ? p->o->atol : 1e-7;
    const int64_t n = ebb_numel(p->x[i]), tests = n < ALL ? n : ALL;
    for (int64_t t = 0; t < tests; t++) {
        const int64_t k = n <= ALL ? t : (int64_t)(check_random(state) % (uint64_t)n);
        double numeric;
        if (!slope(p, i, k, &numeric))
            return ebb_fail(p->e, EBB_E_VERIFY, "gradcheck: the function failed at a neighbouring point");
        const double analytic = dx ? ebb_at(dx, k) : 0, big = fmax(fabs(analytic), fabs(numeric));
        if (fabs(analytic - numeric) <= atol + rtol * big || (analytic != analytic && numeric != numeric))
            continue;
        return ebb_fail(
            p->e, EBB_E_VERIFY,
            "gradcheck: the %s of input %d is wrong at element %lld: %.9g, by differences %.9g (apart by %.3g, allowed %.3g)",
            p->what, i, (long long)k, analytic, numeric, fabs(analytic - numeric), atol + rtol * big);
    }
    return EBB_OK;
}

static ebb_status first(probe_fn *p, uint64_t *state) {
    ebb *e = p->e;
    ebb_tensor *y[OUT] = {NULL}, *out[OUT], *seed[OUT], *wrt[IN], *dx[IN] = {NULL};
    ebb_status r = p->fn(e, p->user, p->n_x, p->x, p->n_y, y);
    if (ebb_failed(e) || r != EBB_OK)
        return ebb_failed(e) ? ebb_error_code(e) : ebb_fail(e, r, "gradcheck: the function failed");
    int n = 0, m = 0;
    for (int j = 0; j < p->n_y; j++) {
        p->g[j] = NULL;
        if (!y[j]) return ebb_fail(e, EBB_E_ARG, "gradcheck: the function left output %d NULL", j);
        if (!ebb_needs_grad(y[j])) continue;
        if (ebb_tensor_dtype(y[j]) != EBB_F64)
            return ebb_fail(e, EBB_E_DTYPE, "gradcheck: output %d is %s; f64 is needed for differences", j,
                            ebb_dtype_name(ebb_tensor_dtype(y[j])));
        p->g[j] = noise_like(e, y[j], state);
        out[n] = y[j];
        seed[n++] = p->g[j];
    }
    for (int i = 0; i < p->n_x; i++)
        if (wanted(p, i)) wrt[m++] = p->x[i];
    if (!n) return ebb_fail(e, EBB_E_GRAPH, "gradcheck: no output depends on an input that needs a gradient");
    r = ebb_grad(e, n, out, seed, m, wrt, EBB_RETAIN | EBB_ALLOW_UNUSED, dx);
    for (int i = 0, k = 0; i < p->n_x && r == EBB_OK; i++)
        if (wanted(p, i)) r = compare_input(p, i, dx[k++], state);
    return r;
}

/* The gradient as a function, for the second derivative. */
static ebb_status gradient_fn(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **dx) {
    const probe_fn *p = (const probe_fn *)user;
    ebb_tensor *y[OUT] = {NULL}, *out[OUT], *seed[OUT], *wrt[IN];
    ebb_status r = p->fn(e, p->user, n_x, x, p->n_y, y);
    int n = 0, m = 0;
    for (int j = 0; j < p->n_y; j++)
        if (p->g[j]) {
            out[n] = y[j];
            seed[n++] = p->g[j];
        }
    for (int i = 0; i < n_x; i++)
        if (wanted(p, i)) wrt[m++] = x[i];
    if (r == EBB_OK) r = ebb_grad(e, n, out, seed, m, wrt, EBB_CREATE_GRAPH | EBB_ALLOW_UNUSED, dx);
    for (int k = 0; k < m && r == EBB_OK; k++)
        if (!dx[k]) dx[k] = ebb_mul_scalar(wrt[k], 0);
    (void)n_y;
    return r;
}

ebb_status check_function(ebb *e, ebb_fn fn, void *user, int n_x, ebb_tensor *const *x, int n_y,
                          const ebb_gradcheck_options *o) {
    if (!fn || n_x < 1 || n_x > IN || n_y < 1 || n_y > OUT || !x)
        return ebb_fail(e, EBB_E_ARG, "gradcheck: %d inputs and %d outputs; 1 to %d and 1 to %d are possible",
                        n_x, n_y, IN, OUT);
    int m = 0;
    for (int i = 0; i < n_x; i++) {
        if (!x[i]) return ebb_fail(e, EBB_E_ARG, "gradcheck: input %d is NULL", i);
        if (ebb_needs_grad(x[i]) && ebb_tensor_dtype(x[i]) != EBB_F64)
            return ebb_fail(e, EBB_E_DTYPE, "gradcheck: input %d is %s; f64 is needed for differences", i,
                            ebb_dtype_name(ebb_tensor_dtype(x[i])));
        m += ebb_needs_grad(x[i]);
    }
    if (!m) return ebb_fail(e, EBB_E_GRAPH, "gradcheck: no input needs a gradient");
    ebb_scope *s = ebb_begin(e);
    uint64_t state = 20150727;
    probe_fn p = {.e = e, .fn = fn, .user = user, .n_x = n_x, .n_y = n_y, .x = x, .o = o, .what = "gradient"};
    ebb_status r = first(&p, &state);
    if (r == EBB_OK && o->second) {
        if (m > OUT)
            r = ebb_fail(e, EBB_E_ARG, "gradcheck: the second derivative of %d inputs; at most %d at once", m, OUT);
        probe_fn q = {
            .e = e, .fn = gradient_fn, .user = &p, .n_x = n_x, .n_y = m, .x = x, .o = o, .what = "second derivative"};
        if (r == EBB_OK) r = first(&q, &state);
    }
    ebb_end(s);
    return r;
}
