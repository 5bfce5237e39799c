/* short_entry.c - not bad: the entry of an older plugin, which ends before the lists of formats and verifiers.
 * expect: accepted */
#include <ebb/plugin.h>

EBB_MAP1(more_fwd, x + 1)

static ebb_tensor *more_dx(const ebb_call *c, ebb_tensor *g) {
    (void)c;
    return g;
}

EBB_OP(load_more,
    .sig = "()->()",
    .math = "y = x + 1;  dx = g",
    .fwd = more_fwd,
    .vjp = EBB_VJP({more_dx, 0}),
    .doc = "One more than x."
);

EBB_EXPORT extern const ebb_plugin ebb_plugin_entry;
const ebb_plugin ebb_plugin_entry = {
    .magic = EBB_PLUGIN_MAGIC,
    .abi_major = EBB_ABI_MAJOR,
    .size = offsetof(ebb_plugin, formats),
    .pointer_bits = 8 * sizeof(void *),
    .build = __VERSION__,
    .name = "short_entry",
    .ops = EBB_LIST(ebb_op, &ebb_op_load_more),
    /* what an older plugin has behind its entry is anything but these lists */
    .formats = (const struct ebb_format_decl *const *)(const void *)"not a list of formats",
    .verifiers = (const struct ebb_verifier_decl *const *)(const void *)"not a list of verifiers"};
