/* attribute_ignored.c - mutant: nothing reads the attribute: kernel and rule agree on its default.
 * expect: attrs: attribute gain is ignored */
#include <ebb/op.h>

typedef struct {
    double gain;
} gain_attrs;
static const ebb_attr gain_table[] = {EBB_ATTR(EBB_A_FLOAT, gain_attrs, gain, "2", "factor of x")};

EBB_MAP1(gain_fwd, 2 * x)

static ebb_tensor *gain_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 2);
}

EBB_OP(m_gain,
    .sig = "()->()",
    .math = "y = gain*x;  dx = g*gain",
    .fwd = gain_fwd,
    .vjp = EBB_VJP({gain_dx, 0}),
    .attrs = EBB_ATTRS(gain_attrs, gain_table),
    .tries = "gain=0.5; gain=-3",
    .doc = "A mutant."
);

EBB_PLUGIN(attribute_ignored, &ebb_op_m_gain);
