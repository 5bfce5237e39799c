/* wrong_kink.c - mutant: at 0 the rule gives -1; the declaration promises 0.
 * expect: kinks: gradient at a declared kink */
#include <ebb/op.h>

EBB_MAP1(m_abs_fwd, ebb_abs(x))

static ebb_tensor *m_abs_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *zero = ebb_scalar(x, 0);
    return ebb_where(ebb_gt(x, zero), g, ebb_neg(g));
}

EBB_OP(m_abs,
    .sig = "()->()",
    .math = "y = |x|;  dx = g*sign(x), 0 at 0",
    .fwd = m_abs_fwd,
    .vjp = EBB_VJP({m_abs_dx, EBB_X(0)}),
    .kinks = EBB_KINKS({NULL, 1, {0}, {0}}),
    .doc = "A mutant."
);

EBB_PLUGIN(wrong_kink, &ebb_op_m_abs);
