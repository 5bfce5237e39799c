/* adam.c - floor 5: optimizers adam and adamw: the same update, with weight decay in the gradient or in the parameter.
 *
 * state[0]: m, the running mean of g.  state[1]: v, that of g^2.  state[2]: with amsgrad, the greatest v so far.
 *
 * Denormal moments make the update several times slower, so they are kept out where that cannot be seen. Gradients too
 * small to add a normal number to a moment do not count in it, and a moment that decays below the smallest normal number N is 0.
 * Then m is off by less than N/(1 - beta1) and v by less than N/(1 - beta2). The kernel does this only if sqrt(N/(1 - beta2))
 * is lost in the rounding of eps, which it is for every eps in use (f32, beta2 = 0.999: eps > 1.2e-10). What remains is a
 * parameter that moves by less than lr*N/((1 - beta1)*eps) a step: 1.2e-32 by default in f32. */
#include <ebb/plugin.h>
#include <float.h>

typedef struct adam_attrs {
    double lr, beta1, beta2, eps, weight_decay;
    bool amsgrad, maximize;
} adam_attrs;

#define BELOW_1 (1 - DBL_EPSILON / 2)
#define ADAM_TABLE(weight_decay_default, weight_decay_doc)                                                   \
    {                                                                                                        \
        EBB_ATTR(EBB_A_FLOAT, adam_attrs, lr, "1e-3", "Learning rate.", .hi = INFINITY),                     \
            EBB_ATTR(EBB_A_FLOAT, adam_attrs, beta1, "0.9", "Decay of the mean of g.", .hi = BELOW_1),       \
            EBB_ATTR(EBB_A_FLOAT, adam_attrs, beta2, "0.999", "Decay of the mean of g^2.", .hi = BELOW_1),   \
            EBB_ATTR(EBB_A_FLOAT, adam_attrs, eps, "1e-8", "Added to the denominator.", .hi = INFINITY),     \
            EBB_ATTR(EBB_A_FLOAT, adam_attrs, weight_decay, weight_decay_default, weight_decay_doc,          \
                     .hi = INFINITY),                                                                        \
            EBB_ATTR(EBB_A_BOOL, adam_attrs, amsgrad, "0", "Divides by the greatest v so far."),             \
            EBB_ATTR(EBB_A_BOOL, adam_attrs, maximize, "0", "Climbs instead of descending.")                 \
    }

static const ebb_attr adam_table[] = ADAM_TABLE("0", "L2 penalty, added to the gradient.");
static const ebb_attr adamw_table[] = ADAM_TABLE("0.01", "The parameter shrinks by lr*weight_decay a step.");

static int32_t adam_n_state(const void *attrs) { return ((const adam_attrs *)attrs)->amsgrad ? 3 : 2; }

enum {
    SHRINK,
    L2,
    STEP_SIZE,
    ROOT
}; /* consts: factor of p, weight of p in g, lr/(1 - beta1^t), 1/sqrt(1 - beta2^t) */

static void prepare(const adam_attrs *a, int64_t step, double shrink, double l2, double consts[8]) {
    consts[SHRINK] = shrink;
    consts[L2] = l2;
    consts[STEP_SIZE] = a->lr / (1 - ebb_pow_f64(a->beta1, (double)step));
    consts[ROOT] = 1 / sqrt(1 - ebb_pow_f64(a->beta2, (double)step));
}

static void adam_prepare(const void *attrs, int64_t step, double consts[8]) {
    const adam_attrs *a = (const adam_attrs *)attrs;
    prepare(a, step, 1, a->weight_decay, consts);
}

static void adamw_prepare(const void *attrs, int64_t step, double consts[8]) {
    const adam_attrs *a = (const adam_attrs *)attrs;
    prepare(a, step, 1 - a->lr * a->weight_decay, 0, consts);
}

EBB_UPDATE(adam_update,
    const adam_attrs *a = (const adam_attrs *)u->attrs;
    const T sign = a->maximize ? -1 : 1, eps = (T)a->eps;
    const T beta1 = (T)a->beta1, part1 = (T)(1 - a->beta1), beta2 = (T)a->beta2, part2 = (T)(1 - a->beta2);
    const T shrink = (T)u->consts[SHRINK], l2 = (T)u->consts[L2];
    const T step_size = (T)u->consts[STEP_SIZE], root = (T)u->consts[ROOT];
    const bool decays = u->consts[L2] != 0, amsgrad = a->amsgrad;
    /* Below these, 0: a moment, a gradient in m, a gradient in v. */
    const double least = sizeof(T) == sizeof(float) ? (double)FLT_MIN : DBL_MIN;
    const double least_v = sqrt(least / (1 - a->beta2));
    const double ulp = sizeof(T) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;
    const bool flush = least_v < a->eps * ulp / 4;
    const T tiny = flush ? (T)least : 0;
    const T tiny_m = flush ? (T)(least / (1 - a->beta1)) : 0;
    const T tiny_v = flush ? (T)least_v : 0;
    const T *g = (const T *)u->g;
    T *p = (T *)u->p, *m = (T *)u->state[0], *v = (T *)u->state[1];
    T *top = (T *)u->state[amsgrad ? 2 : 1]; /* without amsgrad v itself: both stores write v2, and no branch stops the vectoriser */
    EBB_IVDEP for (int64_t i = 0; i < u->n; i++) {
        const T x = p[i] * shrink;
        const T d = decays ? sign * g[i] + l2 * x : sign * g[i];
        const T size = ebb_abs(d), dm = size < tiny_m ? 0 : d, dv = size < tiny_v ? 0 : d;
        const T m1 = beta1 * m[i] + part1 * dm;
        const T v1 = beta2 * v[i] + part2 * dv * dv;
        const T m2 = ebb_abs(m1) < tiny ? 0 : m1;
        const T v2 = v1 < tiny ? 0 : v1;
        const T before = top[i], most = amsgrad && before >= v2 ? before : v2; /* a NaN stays */
        top[i] = most;
        m[i] = m2;
        v[i] = v2;
        p[i] = x - step_size * (m2 / (ebb_sqrt(most) * root + eps));
    })

#define ADAM_MATH(weight_decay)                                                                              \
    weight_decay "m = beta1*m + (1 - beta1)*g;  v = beta2*v + (1 - beta2)*g^2;  "                            \
                 "p -= lr/(1 - beta1^t) * m / (sqrt(v/(1 - beta2^t)) + eps), with amsgrad the greatest v so far"

EBB_OPTIM(adam,
    .math = ADAM_MATH("g += weight_decay*p;  "),
    .doc = "Steps scaled by running means of the gradient and its square, as torch.optim.Adam.",
    .ref = "Kingma and Ba, 2015, arXiv:1412.6980; amsgrad: Reddi et al., 2018, arXiv:1904.09237",
    .attrs = EBB_ATTRS(adam_attrs, adam_table),
    .n_state = adam_n_state,
    .prepare = adam_prepare,
    .update = adam_update
);

EBB_OPTIM(adamw,
    .math = ADAM_MATH("p *= 1 - lr*weight_decay;  "),
    .doc = "Adam with weight decay apart from the gradient, as torch.optim.AdamW.",
    .ref = "Loshchilov and Hutter, 2019, arXiv:1711.05101; amsgrad: Reddi et al., 2018, arXiv:1904.09237",
    .attrs = EBB_ATTRS(adam_attrs, adamw_table),
    .n_state = adam_n_state,
    .prepare = adamw_prepare,
    .update = adam_update
);

EBB_PLUGIN_OF(optim_adam, .doc = "Adam and AdamW.", .optims = EBB_LIST(ebb_optim_decl, &ebb_optim_adam, &ebb_optim_adamw));
