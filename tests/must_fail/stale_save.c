/* stale_save.c - mutant: the rule subtracts from the saved y in place, to save a temporary.
 * expect: contract|subsets|saved: m_logistic.* saved its output 0.*sub_ changed it */
#include <ebb/op.h>

EBB_MAP1(m_logistic_fwd, 1 / (1 + ebb_exp(-x)))

static ebb_tensor *m_logistic_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *y = c->y[0], *gy = ebb_mul(g, y);
    return ebb_neg(ebb_mul(gy, ebb_sub_(y, ebb_scalar(y, 1)))); /* -g*y*(y - 1), but y is ours no more */
}

EBB_OP(m_logistic,
    .sig = "()->()",
    .math = "y = sigmoid(x);  dx = g*y*(1 - y)",
    .fwd = m_logistic_fwd,
    .vjp = EBB_VJP({m_logistic_dx, EBB_Y(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(stale_save, &ebb_op_m_logistic);
