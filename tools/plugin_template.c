/* NAME.c - a whole ebb plugin: one op, its derivative, its docs.
 *     ./dev plugin NAME.c  builds it,  ebb check build/plugins/NAME.so  verifies it. */
#include <ebb/op.h>

/* The value, an expression in x. (EBB_MAP2: in x and y. EBB_KERNEL: a loop of your own.) */
EBB_MAP1(NAME_fwd, x * ebb_tanh(x))

/* The derivative, composed of ops so that it has derivatives too. g is the cotangent of y. */
static ebb_tensor *NAME_dx(const ebb_call *c, ebb_tensor *g) {
    ebb_tensor *x = c->x[0], *t = ebb_tanh(x);
    return ebb_mul(g, ebb_add(t, ebb_mul(x, ebb_rsub(1, ebb_mul(t, t)))));
}

EBB_OP(NAME,
    .sig = "()->()", /* element by element; "(m,k),(k,n)->(m,n)" would be a matrix product */
    .math = "y = x*t, t = tanh(x);  dx = g*(t + x*(1 - t*t))",
    .fwd = NAME_fwd,
    .vjp = EBB_VJP({NAME_dx, EBB_X(0)}), /* for each input: the rule, and what it reads */
    .doc = "What it computes, in a sentence."
);

EBB_PLUGIN(NAME, &ebb_op_NAME);
