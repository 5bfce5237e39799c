/* clip.c - floor 5: gradient functions clip_norm and clip_value: bounds on all gradients together, or on each element.
 *
 * A gradient may share its storage with another tensor: the cotangent of a sum goes to both summands. So it is replaced
 * by a new tensor, never written; the engine records none of this and frees what is no longer held. The norm is summed
 * in double, in one fixed order whatever the number of threads. */
#include <ebb/plugin.h>

/* ---- clip_norm ---------------------------------------------------------------------------------------------- */

typedef struct norm_attrs {
    double max_norm, norm_type;
    bool error_if_nonfinite;
} norm_attrs;

static const ebb_attr norm_table[] = {
    EBB_ATTR(EBB_A_FLOAT, norm_attrs, max_norm, NULL, "The norm that all gradients together may have.",
             .hi = INFINITY),
    EBB_ATTR(EBB_A_FLOAT, norm_attrs, norm_type, "2",
             "Order of the norm, above 0; inf: the largest magnitude.", .hi = INFINITY),
    EBB_ATTR(EBB_A_BOOL, norm_attrs, error_if_nonfinite, "0", "A norm that is NaN or Inf is an error."),
};

/* Sum of |x|^p over a run of elements, or the largest |x| for p = inf. LANES sums side by side fill the
 * vector units and fix the order. A NaN comes through. */
#define LANES 16
typedef double (*part_fn)(const void *data, int64_t n, double p);

#define PART(name, T, term, join)                                                                            \
    static double name(const void *data, int64_t n, double p) {                                              \
        const T *x = (const T *)data;                                                                        \
        double s[LANES] = {0};                                                                               \
        (void)p;                                                                                             \
        for (int64_t i = 0; i < n / LANES * LANES; i += LANES)                                               \
            for (int64_t j = 0; j < LANES; j++) {                                                            \
                const double v = (double)x[i + j], t = term;                                                 \
                s[j] = join(s[j], t);                                                                        \
            }                                                                                                \
        for (int64_t i = n / LANES * LANES, j = 0; i < n; i++, j++) {                                        \
            const double v = (double)x[i], t = term;                                                         \
            s[j] = join(s[j], t);                                                                            \
        }                                                                                                    \
        for (int64_t half = LANES / 2; half > 0; half /= 2)                                                  \
            for (int64_t j = 0; j < half; j++) s[j] = join(s[j], s[j + half]);                               \
        return s[0];                                                                                         \
    }
#define ADD(a, b) ((a) + (b))
#define MOST(a, b) ((b) > (a) || (b) != (b) ? (b) : (a))

PART(sum_1_f32, float, fabs(v), ADD)
PART(sum_1_f64, double, fabs(v), ADD)
PART(sum_2_f32, float, v *v, ADD)
PART(sum_2_f64, double, v *v, ADD)
PART(sum_p_f32, float, ebb_pow_f64(fabs(v), p), ADD)
PART(sum_p_f64, double, ebb_pow_f64(fabs(v), p), ADD)
PART(most_f32, float, fabs(v), MOST)
PART(most_f64, double, fabs(v), MOST)

/* The norm of order p over the gradients of n parameters. */
static ebb_status norm_of(ebb *e, ebb_tensor *const *params, size_t n, double p, double *norm) {
    const int kind = isinf(p) ? 3 : p == 1 ? 0 : p == 2 ? 1 : 2;
    static const part_fn part[4][2] = {
        {sum_1_f32, sum_1_f64}, {sum_2_f32, sum_2_f64}, {sum_p_f32, sum_p_f64}, {most_f32, most_f64}};
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        ebb_tensor *g = ebb_contiguous(ebb_grad_of(params[i]));
        if (!g) return ebb_error_code(e);
        const ebb_dtype dtype = ebb_tensor_dtype(g);
        if (dtype != EBB_F32 && dtype != EBB_F64)
            return ebb_fail(e, EBB_E_DTYPE,
                            "clip_norm: the gradient of parameter %zu '%s' is %s; it must be f32 or f64", i,
                            ebb_name_of(params[i]), ebb_dtype_name(dtype));
        if (ebb_numel(g) == 0) continue;
        const double t = part[kind][dtype == EBB_F64](ebb_data(g), ebb_numel(g), p);
        total = kind == 3 ? MOST(total, t) : total + t;
    }
    *norm = kind == 1 ? sqrt(total) : kind == 2 ? ebb_pow_f64(total, 1 / p) : total;
    return EBB_OK;
}

/* Puts f(gradient) in the place of every gradient. */
static ebb_status replace(ebb_tensor *const *params, size_t n, ebb_tensor *(*f)(ebb_tensor *g, double k), double k) {
    for (size_t i = 0; i < n; i++) {
        ebb_tensor *g = f(ebb_grad_of(params[i]), k);
        if (!g) return ebb_error_code(ebb_tensor_session(params[i]));
        ebb_grad_set(params[i], g);
    }
    return EBB_OK;
}

static ebb_status clip_norm(ebb *e, ebb_tensor *const *params, size_t n, const void *attrs, double *result) {
    const norm_attrs *a = (const norm_attrs *)attrs;
    double norm = 0;
    if (!(a->max_norm > 0))
        return ebb_fail(e, EBB_E_ATTR, "clip_norm: max_norm is %g; it must be above 0", a->max_norm);
    if (!(a->norm_type > 0))
        return ebb_fail(e, EBB_E_ATTR, "clip_norm: norm_type is %g; it must be above 0", a->norm_type);
    const ebb_status s = norm_of(e, params, n, a->norm_type, &norm);
    if (s != EBB_OK) return s;
    if (result) *result = norm;
    if (a->error_if_nonfinite && !isfinite(norm))
        return ebb_fail(e, EBB_E_VALUE,
                        "clip_norm: the norm of order %g of all gradients is %g, so they cannot be scaled",
                        a->norm_type, norm);
    const double k = a->max_norm / (norm + 1e-6);
    return k >= 1 ? EBB_OK : replace(params, n, ebb_mul_scalar, k); /* a NaN goes on into the gradients */
}

/* ---- clip_value ----------------------------------------------------------------------------------------------- */

typedef struct value_attrs {
    double clip_value;
} value_attrs;

static const ebb_attr value_table[] = {
    EBB_ATTR(EBB_A_FLOAT, value_attrs, clip_value, NULL, "Elements stay in -clip_value .. clip_value.",
             .hi = INFINITY),
};

static ebb_tensor *clamp(ebb_tensor *g, double k) { return ebb_clamp(g, .min = -k, .max = k); }

static ebb_status clip_value(ebb *e, ebb_tensor *const *params, size_t n, const void *attrs, double *result) {
    const double k = ((const value_attrs *)attrs)->clip_value;
    (void)e;
    if (result) *result = k;
    return replace(params, n, clamp, k);
}

/* ---- declarations --------------------------------------------------------------------------------------------- */

static const ebb_gradfn_decl decl_norm = {
    .size = sizeof(ebb_gradfn_decl),
    .name = "clip_norm",
    .doc = "Scales all gradients by max_norm/(norm + 1e-6) if that is below 1, as torch.nn.utils.clip_grad_norm_. Result: the norm before.",
    .attrs = EBB_ATTRS(norm_attrs, norm_table),
    .apply = clip_norm,
};

static const ebb_gradfn_decl decl_value = {
    .size = sizeof(ebb_gradfn_decl),
    .name = "clip_value",
    .doc = "Clamps every element of every gradient, as torch.nn.utils.clip_grad_value_. Result: clip_value.",
    .attrs = EBB_ATTRS(value_attrs, value_table),
    .apply = clip_value,
};

EBB_PLUGIN_OF(clip, .doc = "Gradient clipping.", .gradfns = EBB_LIST(ebb_gradfn_decl, &decl_norm, &decl_value));
