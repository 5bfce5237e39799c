/* compare.c - floor 5: comparisons, and choosing by them. Their outputs are bool: no gradient flows through them. */
#include <ebb/op.h>

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
    .flags = EBB_PROMOTES,
    .doc = "Whether elements are equal. NaN equals nothing."
);
EBB_OP(ne,
    .sig = "input(),other()->():b",
    .math = "z = (x != y)",
    .fwd = ne_fwd,
    .flags = EBB_PROMOTES,
    .doc = "Whether elements differ. NaN differs from everything."
);
EBB_OP(lt,
    .sig = "input(),other()->():b",
    .math = "z = (x < y)",
    .fwd = lt_fwd,
    .flags = EBB_PROMOTES,
    .doc = "Whether x is less than y."
);
EBB_OP(le,
    .sig = "input(),other()->():b",
    .math = "z = (x <= y)",
    .fwd = le_fwd,
    .flags = EBB_PROMOTES,
    .doc = "Whether x is at most y."
);
EBB_OP(gt,
    .sig = "input(),other()->():b",
    .math = "z = (x > y)",
    .fwd = gt_fwd,
    .flags = EBB_PROMOTES,
    .doc = "Whether x is greater than y."
);
EBB_OP(ge,
    .sig = "input(),other()->():b",
    .math = "z = (x >= y)",
    .fwd = ge_fwd,
    .flags = EBB_PROMOTES,
    .doc = "Whether x is at least y."
);

EBB_KERNEL_ALL(where_fwd,
    const uint8_t *c = (const uint8_t *)l->p[0];
    const T *x = (const T *)l->p[1];
    const T *y = (const T *)l->p[2];
    T *q = (T *)l->p[3];
    const int64_t sc = l->step[0]; const int64_t sx = l->step[1]; const int64_t sy = l->step[2]; const int64_t sq = l->step[3];
    if (sc == 1 && sx == 1 && sy == 1 && sq == 1) {
        EBB_IVDEP for (int64_t i = 0; i < l->n; i++) q[i] = c[i] ? x[i] : y[i];
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
