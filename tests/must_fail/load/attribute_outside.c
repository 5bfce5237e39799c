/* attribute_outside.c - bad plugin: an attribute that lies outside the struct it is said to be in.
 * expect: plugin: load_twice: attribute 0 .*outside */
#include <ebb/op.h>

EBB_MAP1(twice_fwd, 2 * x)

static ebb_tensor *twice_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return ebb_mul_scalar(g, 2);
}

typedef struct {
    int64_t times;
} twice_attrs;
static const ebb_attr twice_table[] = {EBB_ATTR(EBB_A_INT, twice_attrs, times, "2", "factor")};

EBB_OP(load_twice,
    .sig = "()->()",
    .math = "y = 2*x;  dx = 2*g",
    .fwd = twice_fwd,
    .vjp = EBB_VJP({twice_dx, 0}),
    .attrs = twice_table,
    .n_attrs = 1,
    .attrs_size = 4,
    .doc = "Twice x."
);

EBB_PLUGIN(attribute_outside, &ebb_op_load_twice);
