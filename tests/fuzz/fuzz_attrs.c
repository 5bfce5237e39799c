/* fuzz_attrs.c - attributes as text, on ops, optimizers, gradient functions and probes: any text is refused with words or obeyed. */
#include "fuzz_main.h"

/* What the first byte of an input chooses. */
static const char *const op[] = {"sum",           "amax",     "logsumexp",     "softmax",     "transpose",
                                 "permute",       "reshape",  "expand",        "slice",       "to",
                                 "cat",           "one_hot",  "pow",           "clamp",       "leaky_relu",
                                 "softplus",      "mse_loss", "cross_entropy", "relu",        "mean",
                                 "slice_scatter", "linear",   "add_",          "index_select"};
enum { OPTIM = COUNT(op), OPTIM_SET, GRADS, PROBE, KINDS };

static const fuzz_seed corpus[] = {
    FUZZ_TEXT("\0dim=0,1 keepdim=1"),
    FUZZ_TEXT("\001dim=-1 keepdim=True"),
    FUZZ_TEXT("\002dim=(0,2)"),
    FUZZ_TEXT("\003dim=min"),
    FUZZ_TEXT("\004dim0=0 dim1=-1"),
    FUZZ_TEXT("\005dims=[2,0,1]"),
    FUZZ_TEXT("\006shape=-1,4"),
    FUZZ_TEXT("\007size=5,2,3,4"),
    FUZZ_TEXT("\010dim=1 start=-3 end=max step=2"),
    FUZZ_TEXT("\011dtype=f64"),
    FUZZ_TEXT("\012dim=-1"),
    FUZZ_TEXT("\013num_classes=7"),
    FUZZ_TEXT("\014exponent=2.5e-1"),
    FUZZ_TEXT("\015min=-0x1p-3 max=inf"),
    FUZZ_TEXT("\016negative_slope=nan"),
    FUZZ_TEXT("\017beta=1e400 threshold=-0"),
    FUZZ_TEXT("\020reduction=none"),
    FUZZ_TEXT("\021reduction=mean ignore_index=-100"),
    FUZZ_TEXT("\030lr=0.1 momentum=0.9 nesterov=1"),
    FUZZ_TEXT("\031lr=1e-3 weight_decay=1e-2"),
    FUZZ_TEXT("\032max_norm=1"),
    FUZZ_TEXT("\033backward=1"),
};
static const char *const words[] = {"dim=",
                                    "keepdim=",
                                    "start=",
                                    "end=",
                                    "step=",
                                    "dims=",
                                    "shape=",
                                    "size=",
                                    "dtype=",
                                    "exponent=",
                                    "reduction=",
                                    "min=",
                                    "max=",
                                    "lr=",
                                    "max_norm=",
                                    "num_classes=",
                                    "min",
                                    "max",
                                    "-1",
                                    "0,",
                                    "=",
                                    " ",
                                    ",,",
                                    "(",
                                    "]",
                                    "nan",
                                    "-inf",
                                    "1e308",
                                    "f32",
                                    "none",
                                    "true",
                                    "9223372036854775807",
                                    "%s%n",
                                    "-9223372036854775808",
                                    "18446744073709551617",
                                    "4611686018427387905,4",
                                    "4294967296,4294967296",
                                    "1,1,1,1,1,1,1,1,1",
                                    "\xff\xfe",
                                    "0x7fffffffffffffff",
                                    "99999999999999999999",
                                    NULL};
FUZZ_TARGET(.name = "fuzz_attrs", .inputs = 150000, .max = 400, .fresh = 3, .seed = corpus,
            .n_seeds = COUNT(corpus), .words = words)

static ebb *session(void) {
    static ebb *e;
    if (!e) {
        const ebb_options o = {.size = sizeof o, .threads = 1, .memory_limit = 16 << 20};
        e = ebb_open(&o);
        FUZZ_CHECK(e, "no session");
        FUZZ_CHECK(ebb_param(e, "w", EBB_F32, EBB_SHAPE(2, 3), NULL), "%s", ebb_error(e));
    }
    return e;
}

static void call(ebb *e, const char *name, const char *text) {
    ebb_tensor *x[3] = {ebb_full(e, EBB_F32, EBB_SHAPE(2, 3, 4), 0.5)}, *y[2] = {NULL};
    int n = 1;
    if (!strcmp(name, "cat") || !strcmp(name, "mse_loss") || !strcmp(name, "add_")) x[n++] = x[0];
    if (!strcmp(name, "slice_scatter")) x[n++] = ebb_full(e, EBB_F32, EBB_SHAPE(1, 3, 4), 1);
    if (!strcmp(name, "linear")) x[n++] = ebb_full(e, EBB_F32, EBB_SHAPE(5, 4), 1);
    if (!strcmp(name, "one_hot")) x[0] = ebb_full(e, EBB_I64, EBB_SHAPE(3), 2);
    if (!strcmp(name, "cross_entropy")) x[n++] = ebb_full(e, EBB_I64, EBB_SHAPE(2, 4), 1);
    if (!strcmp(name, "index_select")) x[n++] = ebb_full(e, EBB_I64, EBB_SHAPE(2), 1);
    if (!strcmp(name, "expand")) x[0] = ebb_full(e, EBB_F32, EBB_SHAPE(1, 3, 1), 1);
    const int n_y = ebb_call_named(e, name, n, x, text, 2, y);
    if (n_y < 0) {
        FUZZ_CHECK(!y[0] && !y[1], "an output of a call that failed");
        const ebb_status s = ebb_error_code(e);
        FUZZ_CHECK(s == EBB_E_ARG || s == EBB_E_ATTR || s == EBB_E_SHAPE || s == EBB_E_MEMORY ||
                       s == EBB_E_INDEX || s == EBB_E_DTYPE,
                   "%s: %s", ebb_status_name(s), ebb_error(e));
        FUZZ_CHECK(strstr(ebb_error(e), name) || s == EBB_E_MEMORY, "the error does not name %s: %s", name,
                   ebb_error(e));
        return;
    }
    FUZZ_CHECK(n_y == 1 && y[0] && !y[1] && !ebb_failed(e), "%d outputs; %s", n_y, ebb_error(e));
    char s[200];
    fuzz_note("-> %s\n", ebb_describe(y[0], s, sizeof s));
    int64_t elements = 1;
    for (int d = 0; d < ebb_ndim(y[0]); d++)
        FUZZ_CHECK(ebb_size(y[0], d) >= 0 && !__builtin_mul_overflow(elements, ebb_size(y[0], d), &elements),
                   "sizes of %s", s);
    FUZZ_CHECK(elements == ebb_numel(y[0]), "%s has %lld elements", s, (long long)ebb_numel(y[0]));
    for (int64_t i = 0; i < elements && i < 1000; i++) (void)ebb_at(y[0], i);
    if (elements) (void)ebb_at(y[0], elements - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_begin(data, size);
    if (!size) return 0;
    ebb *e = session();
    const unsigned kind = data[0] % KINDS;
    char *text = malloc(size);
    if (!text) return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    ebb_tensor *w = ebb_param_at(e, 0);
    const int64_t before = fuzz_tensors(e);
    ebb_scope *scope = ebb_begin(e);
    FUZZ_CHECK(ebb_ones(w) == EBB_OK, "%s", ebb_error(e));
    ebb_grad_set(w, ebb_full(e, EBB_F32, EBB_SHAPE(2, 3), 1));
    if (kind < COUNT(op)) {
        fuzz_note("%s \"%s\"\n", op[kind], text);
        call(e, op[kind], text);
    } else if (kind == OPTIM || kind == OPTIM_SET) {
        ebb_optim *o = ebb_optim_new(e, kind == OPTIM ? "sgd" : "adamw", kind == OPTIM ? text : NULL);
        if (o && kind == OPTIM_SET) ebb_optim_set(o, text);
        if (!ebb_failed(e)) FUZZ_CHECK(o && ebb_optim_step(o) == EBB_OK, "%s", ebb_error(e));
        ebb_optim_free(o);
    } else if (kind == GRADS) {
        const double norm = ebb_grads(e, "clip_norm", text);
        FUZZ_CHECK(!ebb_failed(e) || isnan(norm), "%g", norm);
    } else if (ebb_probe_on(e, "nan_guard", text) == EBB_OK) {
        FUZZ_CHECK(ebb_probe_off(e, "nan_guard") == EBB_OK, "%s", ebb_error(e));
    }
    if (ebb_failed(e)) fuzz_error(e);
    ebb_grad_set(w, NULL);
    ebb_end(scope);
    FUZZ_CHECK(fuzz_tensors(e) == before, "%lld tensors stay of %lld", (long long)fuzz_tensors(e),
               (long long)before);
    fuzz_usable(e);
    free(text);
    return 0;
}
