/* bits.c - floor 5: logic on the bits of integers. */
#include "pointwise.h"

/* i64 serves every integer type and bool. */
#define BITS(name, arity, expr)                                                                              \
    EBB__BODY(name##_i64, int64_t, arity(T, expr))                                                           \
    static const ebb_kernel name[] = {{EBB_I64, EBB__TABLE(name##_i64)}, {0, {0}}};

BITS(bitwise_and_fwd, EBB__MAP2_BODY, x &y)
BITS(bitwise_or_fwd, EBB__MAP2_BODY, x | y)
BITS(bitwise_xor_fwd, EBB__MAP2_BODY, x ^ y)
BITS(bitwise_not_fwd, EBB__MAP1_BODY, ~x)

EBB_OP(bitwise_and,
    .sig = "input(),other()->()",
    .math = "z = x and y, bit by bit",
    .fwd = bitwise_and_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Bits that both integers have; of bools their and."
);
EBB_OP(bitwise_or,
    .sig = "input(),other()->()",
    .math = "z = x or y, bit by bit",
    .fwd = bitwise_or_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Bits that one of both integers has; of bools their or."
);
EBB_OP(bitwise_xor,
    .sig = "input(),other()->()",
    .math = "z = x xor y, bit by bit",
    .fwd = bitwise_xor_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Bits that exactly one of both integers has; of bools their difference."
);

static ebb_tensor *bitwise_not_compose(const ebb_call *c) {
    return c->x_shape[0].dtype == EBB_BOOL ? ebb_logical_not(c->x[0]) : NULL;
}

EBB_OP(bitwise_not,
    .sig = "input()->()",
    .math = "y = not x, bit by bit",
    .compose = bitwise_not_compose,
    .fwd = bitwise_not_fwd,
    .flags = EBB_INPLACE,
    .doc = "Every bit of an integer the other way; of a bool its opposite."
);
