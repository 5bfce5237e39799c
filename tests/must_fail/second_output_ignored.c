/* second_output_ignored.c - mutant: of two outputs, the rule takes the cotangent of the first alone.
 * expect: gradient: gradient wrong in input 0 */
#include <ebb/op.h>

EBB_KERNEL(m_turn_fwd,
    for (int64_t i = 0; i < l->n; i++) {
        const T x = ((const T *)l->p[0])[i * l->step[0]];
        ((T *)l->p[1])[i * l->step[1]] = ebb_sin(x);
        ((T *)l->p[2])[i * l->step[2]] = ebb_cos(x);
    })

static ebb_tensor *m_turn_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, c->y[1]); }

EBB_OP(m_turn,
    .sig = "()->(),()",
    .math = "y = sin(x), z = cos(x);  dx = g*z - h*y",
    .fwd = m_turn_fwd,
    .vjp = EBB_VJP({m_turn_dx, EBB_Y(1)}),
    .doc = "A mutant."
);

EBB_PLUGIN(second_output_ignored, &ebb_op_m_turn);
