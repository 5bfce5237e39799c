/* compare.c - floor 5: comparisons and questions, whose answers are bool and have no gradient, logic, and choosing by them. */
#include "pointwise.h"

/* ---- comparisons ---- */

EBB_COMPARE(eq_fwd, x == y)
EBB_COMPARE(ne_fwd, x != y)
EBB_COMPARE(lt_fwd, x < y)
EBB_COMPARE(le_fwd, x <= y)
EBB_COMPARE(gt_fwd, x > y)
EBB_COMPARE(ge_fwd, x >= y)

EBB_OP(eq,
    .sig = "input(),other()->():b",
    .math = "z = (x = y)",
    .fwd = eq_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Whether elements are equal. NaN equals nothing."
);
EBB_OP(ne,
    .sig = "input(),other()->():b",
    .math = "z = (x != y)",
    .fwd = ne_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Whether elements differ. NaN differs from everything."
);
EBB_OP(lt,
    .sig = "input(),other()->():b",
    .math = "z = (x < y)",
    .fwd = lt_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Whether x is less than y."
);
EBB_OP(le,
    .sig = "input(),other()->():b",
    .math = "z = (x <= y)",
    .fwd = le_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Whether x is at most y."
);
EBB_OP(gt,
    .sig = "input(),other()->():b",
    .math = "z = (x > y)",
    .fwd = gt_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Whether x is greater than y."
);
EBB_OP(ge,
    .sig = "input(),other()->():b",
    .math = "z = (x >= y)",
    .fwd = ge_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Whether x is at least y."
);

/* ---- logic ---- */

EBB_COMPARE(logical_and_fwd, (x != 0) & (y != 0))
EBB_COMPARE(logical_or_fwd, (x != 0) | (y != 0))
EBB_COMPARE(logical_xor_fwd, (x != 0) ^ (y != 0))
EBB_KERNEL_ALL(logical_not_fwd, EBB__MAP1_BODY(uint8_t, x == 0))

EBB_OP(logical_and,
    .sig = "input(),other()->():b",
    .math = "z = (x != 0) and (y != 0)",
    .fwd = logical_and_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Whether both are not 0; NaN is not 0."
);
EBB_OP(logical_or,
    .sig = "input(),other()->():b",
    .math = "z = (x != 0) or (y != 0)",
    .fwd = logical_or_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Whether one of both is not 0; NaN is not 0."
);
EBB_OP(logical_xor,
    .sig = "input(),other()->():b",
    .math = "z = (x != 0) != (y != 0)",
    .fwd = logical_xor_fwd,
    .flags = EBB_INPLACE | EBB_PROMOTES,
    .doc = "Whether exactly one of both is not 0; NaN is not 0."
);
EBB_OP(logical_not,
    .sig = "input()->():b",
    .math = "y = (x = 0)",
    .fwd = logical_not_fwd,
    .flags = EBB_INPLACE,
    .doc = "Whether an element is 0."
);

/* ---- questions ---- */

EBB_KERNEL_ALL(isnan_fwd, EBB__MAP1_BODY(uint8_t, x != x))
EBB_KERNEL_ALL(isinf_fwd, EBB__MAP1_BODY(uint8_t, IS_FLOAT && ebb_abs((double)x) == (double)INFINITY))
EBB_KERNEL_ALL(isfinite_fwd, EBB__MAP1_BODY(uint8_t, !IS_FLOAT || ebb_abs((double)x) < (double)INFINITY))
EBB_KERNEL_ALL(signbit_fwd, EBB__MAP1_BODY(uint8_t, ebb__bits_f64((double)x) >> 63))

EBB_OP(isnan,
    .sig = "input()->():b",
    .math = "y = (x != x)",
    .fwd = isnan_fwd,
    .doc = "Whether an element is NaN."
);
EBB_OP(isinf,
    .sig = "input()->():b",
    .math = "y = (|x| = inf)",
    .fwd = isinf_fwd,
    .doc = "Whether an element is infinite."
);
EBB_OP(isfinite,
    .sig = "input()->():b",
    .math = "y = (|x| < inf)",
    .fwd = isfinite_fwd,
    .doc = "Whether an element is neither infinite nor NaN."
);
EBB_OP(signbit,
    .sig = "input()->():b",
    .math = "y = (the sign of x is set)",
    .fwd = signbit_fwd,
    .doc = "Whether an element has a minus sign, also a zero or a NaN."
);

/* ---- choosing ---- */

EBB_KERNEL_MOVE(where_fwd,
    const uint8_t *c = (const uint8_t *)l->p[0];
    const T *x = (const T *)l->p[1];
    const T *y = (const T *)l->p[2];
    T *q = (T *)l->p[3];
    const int64_t sc = l->step[0]; const int64_t sx = l->step[1]; const int64_t sy = l->step[2]; const int64_t sq = l->step[3];
    if (sc == 1 && sx == 1 && sy == 1 && sq == 1) {
        EBB_IVDEP for (int64_t i = 0; i < l->n; i++) q[i] = c[i] ? x[i] : y[i];
    } else if (sc == 1 && sx == 1 && sy == 0 && sq == 1) {
        const T k = *y;
        EBB_IVDEP for (int64_t i = 0; i < l->n; i++) q[i] = c[i] ? x[i] : k;
    } else if (sc == 1 && sx == 0 && sy == 1 && sq == 1) {
        const T k = *x;
        EBB_IVDEP for (int64_t i = 0; i < l->n; i++) q[i] = c[i] ? k : y[i];
    } else
        for (int64_t i = 0; i < l->n; i++) q[i * sq] = c[i * sc] ? x[i * sx] : y[i * sy];)

static ebb_tensor *where_dx(const ebb_call *c, ebb_tensor *g) {
    return ebb_where(c->x[0], g, ebb_scalar(g, 0));
}
static ebb_tensor *where_dy(const ebb_call *c, ebb_tensor *g) {
    return ebb_where(c->x[0], ebb_scalar(g, 0), g);
}

EBB_OP(where,
    .sig = "condition():b,input(),other()->()",
    .math = "z = c ? x : y;  dx = c ? g : 0,  dy = c ? 0 : g",
    .fwd = where_fwd,
    .vjp = EBB_VJP({NULL, 0}, {where_dx, EBB_X(0)}, {where_dy, EBB_X(0)}),
    .flags = EBB_LINEAR | EBB_PROMOTES,
    .doc = "Takes each element from input where the condition holds, else from other."
);
