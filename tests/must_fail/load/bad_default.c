/* bad_default.c - bad plugin: the default of an attribute is not of its type.
 * expect: plugin: load_twice: attribute times is an integer, not "two" */
#include <ebb/op.h>

EBB_MAP1(twice_fwd, 2 * x)

static ebb_tensor *twice_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 2);
}

typedef struct {
    int64_t times;
} twice_attrs;
static const ebb_attr twice_table[] = {EBB_ATTR(EBB_A_INT, twice_attrs, times, "two", "not a number")};

EBB_OP(load_twice,
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = twice_fwd,
    .vjp = EBB_VJP({twice_dx, 0}),
    .attrs = EBB_ATTRS(twice_attrs, twice_table),
    .doc = "Twice x."
);

EBB_PLUGIN(bad_default, &ebb_op_load_twice);
