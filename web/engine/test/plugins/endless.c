/* endless.c - floor 7: a plugin for the tests whose kernel never ends: its verification is stopped after a time. */
#include <ebb/op.h>

static volatile int go = 1;

static ebb_status turns_fwd_f32(const ebb_loop *l) {
    (void)l;
    while (go) {}
    return EBB_OK;
}

static const ebb_kernel turns_fwd[] = {{EBB_F32, {turns_fwd_f32}}, {EBB_F64, {turns_fwd_f32}}, {0, {0}}};

EBB_OP(turns,
    .sig = "()->()",
    .fwd = turns_fwd,
    .doc = "Never ends."
);

EBB_PLUGIN(endless, &ebb_op_turns);
