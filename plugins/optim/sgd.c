/* sgd.c - floor 5: optimizer sgd: gradient descent with momentum, Nesterov momentum and weight decay.
 *
 * state[0]: the momentum buffer b, there only when momentum is not 0.
 *
 * A buffer that decays (a dead unit's gradient is exactly 0) would pass through the denormal numbers, which the processor
 * adds many times slower. |b| below the smallest normal number is therefore 0: a parameter moves by less than
 * lr * 1.2e-38 (f32) because of it. */
#include <ebb/plugin.h>
#include <float.h>

typedef struct sgd_attrs {
    double lr, momentum, dampening, weight_decay;
    bool nesterov, maximize;
} sgd_attrs;

static const ebb_attr sgd_table[] = {
    EBB_ATTR(EBB_A_FLOAT, sgd_attrs, lr, "1e-3", "Learning rate.", .hi = INFINITY),
    EBB_ATTR(EBB_A_FLOAT, sgd_attrs, momentum, "0", "Part of the last step that is kept.", .hi = INFINITY),
    EBB_ATTR(EBB_A_FLOAT, sgd_attrs, dampening, "0", "Part of the gradient that momentum leaves out."),
    EBB_ATTR(EBB_A_FLOAT, sgd_attrs, weight_decay, "0", "L2 penalty, added to the gradient.", .hi = INFINITY),
    EBB_ATTR(EBB_A_BOOL, sgd_attrs, nesterov, "0", "Looks ahead by momentum; needs dampening=0."),
    EBB_ATTR(EBB_A_BOOL, sgd_attrs, maximize, "0", "Climbs instead of descending."),
};

static int32_t sgd_n_state(const void *attrs) { return ((const sgd_attrs *)attrs)->momentum != 0; }

static const char *sgd_refuse(const void *attrs) {
    const sgd_attrs *a = (const sgd_attrs *)attrs;
    return a->nesterov && (a->momentum <= 0 || a->dampening != 0)
               ? "nesterov=1 needs momentum above 0 and dampening=0"
               : NULL;
}

EBB_UPDATE(sgd_update,
    const sgd_attrs *a = (const sgd_attrs *)u->attrs;
    const T sign = a->maximize ? -1 : 1, lr = (T)a->lr, wd = (T)a->weight_decay, mu = (T)a->momentum;
    const T tiny = sizeof(T) == sizeof(float) ? (T)FLT_MIN : (T)DBL_MIN;
    const bool decays = a->weight_decay != 0, nesterov = a->nesterov, first = u->step == 1;
    const T keep = first ? 0 : mu, part = first ? 1 : (T)(1 - a->dampening); /* the first b is d itself */
    const T *g = (const T *)u->g;
    T *p = (T *)u->p, *b = (T *)u->state[0];
    if (a->momentum == 0) {
        EBB_IVDEP for (int64_t i = 0; i < u->n; i++) {
            const T d = decays ? sign * g[i] + wd * p[i] : sign * g[i];
            p[i] -= lr * d;
        }
        return EBB_OK;
    }
    EBB_IVDEP for (int64_t i = 0; i < u->n; i++) {
        const T d = decays ? sign * g[i] + wd * p[i] : sign * g[i];
        const T v = keep * b[i] + part * d;
        const T s = nesterov ? d + mu * v : v;
        b[i] = ebb_abs(v) < tiny ? 0 : v;
        p[i] -= lr * s;
    })

EBB_OPTIM(sgd,
    .math = "d = g + weight_decay*p;  b = momentum*b + (1 - dampening)*d, at first b = d;  "
            "p -= lr*b, with nesterov p -= lr*(d + momentum*b), without momentum p -= lr*d",
    .doc = "Stochastic gradient descent, as torch.optim.SGD.",
    .ref = "Sutskever et al., 2013, On the importance of initialization and momentum in deep learning",
    .attrs = EBB_ATTRS(sgd_attrs, sgd_table),
    .n_state = sgd_n_state,
    .refuse = sgd_refuse,
    .update = sgd_update
);

EBB_PLUGIN_OF(optim_sgd, .doc = "Gradient descent with momentum.", .optims = EBB_LIST(ebb_optim_decl, &ebb_optim_sgd));
