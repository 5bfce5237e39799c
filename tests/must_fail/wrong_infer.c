/* wrong_infer.c - mutant: infer promises as many outputs as inputs, the kernel fills one less.
 * expect: contract: never wrote element 4 of 5 */
#include <ebb/op.h>

/* y_i = x_{i+1} - x_i: n elements give n - 1 */
static ebb_status step_infer(ebb_infer *s) {
    if (s->x[0].ndim != 1) return s->fail(s, EBB_E_SHAPE, "x must have 1 dim, has %d", (int)s->x[0].ndim);
    s->y[0].ndim = 1;
    s->y[0].shape[0] = s->x[0].shape[0];
    return EBB_OK;
}

EBB_KERNEL(step_fwd,
    const T *x = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    for (int64_t i = 0; i + 1 < l->arg[0].shape[0]; i++) y[i] = x[i + 1] - x[i];
    )

static ebb_tensor *step_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_neg(g);
}

EBB_OP(m_steps,
    .sig = "(n)->(n)",
    .math = "y_i = x_{i+1} - x_i",
    .infer = step_infer,
    .fwd = step_fwd,
    .vjp = EBB_VJP({step_dx, 0}),
    .tries = "[5]; [2]",
    .doc = "A mutant."
);

EBB_PLUGIN(wrong_infer, &ebb_op_m_steps);
