/* second_detached.c - mutant: first order is right; the rule goes through a fused op that passes nothing on to x.
 * expect: second: m_sine: second derivative wrong */
#include <ebb/op.h>

/* The rule of sine calls a fused op, pull(g, x) = g*cos(x), which has rules of its own:
 *     dg = h*cos(x),   dx = -h*g*sin(x) */
EBB_MAP1(sine_fwd, ebb_sin(x))
EBB_MAP2(pull_fwd, x * ebb_cos(y))

static ebb_tensor *pull_dg(const ebb_call *c, ebb_tensor *h) { return ebb_mul(h, ebb_cos(c->x[1])); }

EBB_OP(m_sine_pull,
    .sig = "g(),x()->()",
    .flags = EBB_INTERNAL,
    .math = "y = g*cos(x);  dg = h*cos(x), dx = -h*g*sin(x)",
    .fwd = pull_fwd,
    .vjp = EBB_VJP({pull_dg, EBB_X(1)}, {NULL, 0}),
    .doc = "A mutant's helper."
);

static ebb_tensor *sine_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *const in[] = {g, c->x[0]};
    return ebb_op_call("m_sine_pull", 0, 2, in, NULL, 0, 0, NULL);
}

EBB_OP(m_sine,
    .sig = "()->()",
    .math = "y = sin(x);  dx = g*cos(x)",
    .fwd = sine_fwd,
    .vjp = EBB_VJP({sine_dx, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(second_detached, &ebb_op_m_sine, &ebb_op_m_sine_pull);
