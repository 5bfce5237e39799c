/* rule_returns_null.c - mutant: the rule returns NULL without saying why.
 * expect: contract: rule of m_expm for input 0 returned nothing */
#include <ebb/op.h>

EBB_MAP1(m_expm_fwd, ebb_exp(x))

static ebb_tensor *m_expm_dx(const ebb_call *c, ebb_tensor *g) {
    (void)g, (void)c;
    return NULL;
}

EBB_OP(m_expm,
    .sig = "()->()",
    .math = "y = exp(x);  dx = g*y",
    .fwd = m_expm_fwd,
    .vjp = EBB_VJP({m_expm_dx, EBB_Y(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(rule_returns_null, &ebb_op_m_expm);
