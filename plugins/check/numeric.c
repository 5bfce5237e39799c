/* numeric.c - floor 5: derivatives by central differences with one Richardson step. */
#include "check.h"

/* D(h) = (f(+h) - f(-h)) / 2h has an error of order h^2; (4 D(h/2) - D(h)) / 3 one of order h^4, so that in f64 with
 * h = 1e-4 about eleven digits are right. */
bool check_slope(checker *c, check_fn f, void *arg, vec *var, const vec *dir, int n_var, double h, vec *out) {
    static const double at[4] = {1, -1, 0.5, -0.5};
    vec base[MAX_X + MAX_Y] = {{0, NULL}}, value[4];
    bool ok = true;
    for (int i = 0; i < n_var && ok; i++)
        if (dir[i].v) {
            base[i] = check_copy(c, &var[i]);
            ok = base[i].v != NULL;
        }
    for (int k = 0; k < 4 && ok; k++) {
        for (int i = 0; i < n_var; i++)
            if (dir[i].v)
                for (int64_t j = 0; j < var[i].n; j++) var[i].v[j] = base[i].v[j] + at[k] * h * dir[i].v[j];
        ok = f(c, arg, &value[k]);
    }
    for (int i = 0; i < n_var; i++)
        if (base[i].v) memcpy(var[i].v, base[i].v, sizeof(double) * (size_t)var[i].n);
    if (!ok) return false;
    *out = value[0];
    for (int64_t j = 0; j < out->n; j++) {
        const double coarse = (value[0].v[j] - value[1].v[j]) / (2 * h),
                     fine = (value[2].v[j] - value[3].v[j]) / h;
        out->v[j] = (4 * fine - coarse) / 3;
    }
    return true;
}

double check_step(double x) { return 1e-4 * fmax(1, fabs(x)); }

/* The float outputs end to end; those that cannot be differentiated count with a zero cotangent. */
static bool join(checker *c, const outcome *o, const vec *of, bool smooth_only, vec *out) {
    int64_t n = 0, at = 0;
    for (int k = 0; k < o->n_y; k++)
        if (check_is_float(o->y_dtype[k])) n += o->y[k].n;
    *out = check_vec(c, n);
    if (!out->v) return false;
    for (int k = 0; k < o->n_y; k++) {
        if (!check_is_float(o->y_dtype[k])) continue;
        if (!smooth_only || o->smooth[k]) memcpy(out->v + at, of[k].v, sizeof(double) * (size_t)o->y[k].n);
        at += o->y[k].n;
    }
    return true;
}

bool check_join(checker *c, const outcome *o, const vec g[MAX_Y], vec *out) {
    return join(c, o, g, true, out);
}

bool check_eval_outputs(checker *c, void *job_of, vec *out) {
    job j = *(const job *)job_of;
    j.wanted = 0;
    j.g = NULL;
    outcome o;
    return check_run(c, &j, &o) && join(c, &o, o.y, false, out);
}

double check_dot(const vec *a, const vec *b) {
    double s = 0;
    for (int64_t i = 0; i < a->n && i < b->n; i++) s += a->v[i] * b->v[i];
    return s;
}

double check_biggest(const vec *v) {
    double m = 0;
    for (int64_t i = 0; i < v->n; i++)
        if (fabs(v->v[i]) > m) m = fabs(v->v[i]);
    return m;
}
