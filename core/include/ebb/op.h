/* op.h - floor 1: what an op author includes: the declaration of an op, its kernels and its rules.
 *
 * An op is one constant, EBB_OP(name, ...): signature, forward kernel, one derivative rule an input, docs,
 * and what is needed to test it. The engine does shapes, broadcasting and summing it back, dtypes, threads,
 * temporaries and errors; the author writes mathematics.
 *
 * Signature:  "(m,k),(k,n)->(m,n)"   core dims by letter; leading dims broadcast (NumPy's gufunc notation).
 *   ()        a pointwise operand           (n)?       an optional input, NULL when absent
 *   ():i<v    int64 indices, 0 <= i < v (v: a core dim; engine-checked); ():i unchecked
 *   ():b      bool                          ()*        any number of inputs like this one (must be last)
 *   ->()*     as many outputs as the composed op makes     ->()   no input before the arrow: an op that makes a tensor;
 *                                                      its T is the attribute `dtype`
 *   input(n)  a name before the parenthesis is used in messages and help; else a, b, c ...
 * An operand without a type has the common dtype T of all such inputs, one that the op has a kernel for.
 */
#ifndef EBB_OP_H
#define EBB_OP_H
#include <ebb/abi.h>
#include <ebb/ops.h> /* before math.h, whose macros have the names of ops */
#include <ebb/math.h>
#include <math.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ebb_exp(v) and its kin: of a number in a kernel, of a tensor in a rule. */
#ifndef __cplusplus
#define EBB__MATH(f, v)                                                                                      \
    _Generic((v), ebb_tensor * : (ebb_##f), float : ebb_##f##_f32, default : ebb_##f##_f64)(v)
#undef ebb_exp
#undef ebb_log
#undef ebb_log1p
#undef ebb_expm1
#undef ebb_tanh
#undef ebb_sigmoid
#undef ebb_sin
#undef ebb_cos
#undef ebb_sqrt
#undef ebb_abs
#undef ebb_erf
#undef ebb_floor
#undef ebb_exp2
#undef ebb_log2
#undef ebb_log10
#undef ebb_tan
#undef ebb_asin
#undef ebb_acos
#undef ebb_atan
#undef ebb_sinh
#undef ebb_cosh
#undef ebb_asinh
#undef ebb_acosh
#undef ebb_atanh
#undef ebb_erfc
#undef ebb_atan2
#undef ebb_hypot
#define ebb_exp(v) EBB__MATH(exp, v)
#define ebb_log(v) EBB__MATH(log, v)
#define ebb_log1p(v) EBB__MATH(log1p, v)
#define ebb_expm1(v) EBB__MATH(expm1, v)
#define ebb_tanh(v) EBB__MATH(tanh, v)
#define ebb_sigmoid(v) EBB__MATH(sigmoid, v)
#define ebb_sin(v) EBB__MATH(sin, v)
#define ebb_cos(v) EBB__MATH(cos, v)
#define ebb_sqrt(v) EBB__MATH(sqrt, v)
#define ebb_abs(v) EBB__MATH(abs, v)
#define ebb_erf(v) EBB__MATH(erf, v)
#define ebb_floor(v) EBB__MATH(floor, v)
#define ebb_exp2(v) EBB__MATH(exp2, v)
#define ebb_log2(v) EBB__MATH(log2, v)
#define ebb_log10(v) EBB__MATH(log10, v)
#define ebb_tan(v) EBB__MATH(tan, v)
#define ebb_asin(v) EBB__MATH(asin, v)
#define ebb_acos(v) EBB__MATH(acos, v)
#define ebb_atan(v) EBB__MATH(atan, v)
#define ebb_sinh(v) EBB__MATH(sinh, v)
#define ebb_cosh(v) EBB__MATH(cosh, v)
#define ebb_asinh(v) EBB__MATH(asinh, v)
#define ebb_acosh(v) EBB__MATH(acosh, v)
#define ebb_atanh(v) EBB__MATH(atanh, v)
#define ebb_erfc(v) EBB__MATH(erfc, v)
#define ebb_atan2(y, x)                                                                                      \
    _Generic((y), ebb_tensor * : (ebb_atan2), float : ebb_atan2_f32, default : ebb_atan2_f64)(y, x)
#define ebb_hypot(x, y)                                                                                      \
    _Generic((x), ebb_tensor * : (ebb_hypot), float : ebb_hypot_f32, default : ebb_hypot_f64)(x, y)
#endif

/* ---- kernels ---------------------------------------------------------------------------------------------- */

/* n items of work. Operands are numbered inputs first, then outputs. For an op without `.infer`, operand i of
 * item r starts at (T *)p[i] + r * step[i]; its core dims follow contiguously (or by stride[i][d] when the op has
 * EBB_STRIDED). An absent optional input has p[i] == NULL. With `.infer`, p[i] is the whole operand, contiguous,
 * described by arg[i], and the kernel does units [first, first + n) of the `work` its infer declared. Ranges run
 * on several threads at once; no two write the same element. */
typedef struct ebb_loop {
    uint32_t size;
    int32_t n_args;
    int64_t first, n;
    void *const *p;
    const int64_t *step;
    const int64_t *dim;                    /* core dims in order of first appearance in the signature */
    const int64_t (*stride)[EBB_MAX_DIMS]; /* EBB_STRIDED: stride[operand][core dim of that operand] */
    const ebb_info *arg;                   /* `.infer` ops: the operands */
    const void *attrs;
    void *scratch; /* `.scratch` bytes, 64-byte aligned, this thread's own */
    int32_t level; /* vector level in use: 0 baseline, 1 AVX2, 2 AVX-512 */
    int32_t n_x;   /* how many of the operands are inputs */
    /* Says what is wrong with the data (an index out of range ...), with numbers. -> code, to be returned. */
    ebb_status (*fail)(const struct ebb_loop *l, ebb_status code, const char *format, ...);
    void *private_;
} ebb_loop;

/* -> EBB_OK, or what failed; the engine turns it into an error that names the op. */
typedef ebb_status (*ebb_kernel_fn)(const ebb_loop *l);

#ifdef __wasm__
#define EBB_LEVELS 1 /* vector levels that a kernel is compiled for */
#else
#define EBB_LEVELS 3
#endif

/* One kernel: the element type it is for, and its code for each vector level; where that is NULL, the code of the level below serves.
 * A table ends with dtype 0. */
typedef struct ebb_kernel {
    int32_t dtype;
    ebb_kernel_fn fn[EBB_LEVELS];
} ebb_kernel;

/* ---- rules ------------------------------------------------------------------------------------------------ */

/* One call of an op as a rule sees it. Only what the rule's `reads` names is there; other x[i], y[j] are NULL.
 * The shapes of all of them always are. Everything is borrowed. */
typedef struct ebb_call {
    uint32_t size;
    int32_t n_x, n_y;
    int32_t which;            /* the input whose gradient is asked for */
    ebb_tensor *const *x;     /* inputs */
    ebb_tensor *const *y;     /* outputs */
    ebb_tensor *const *g;     /* the cotangent of each output */
    const ebb_shape *x_shape; /* of the inputs */
    const ebb_shape *y_shape; /* of the outputs */
    const void *attrs;        /* the op's attribute struct */
    const ebb_op *op;
    ebb *e;
    /* A composed op with several outputs returns the first and puts the others here, more[0 .. max_more), in order. */
    ebb_tensor **more;
    int32_t max_more;
} ebb_call;

/* Cotangent of the inputs from that of the first output. Composed of ops, so that it can be differentiated.
 * -> a tensor of the input's shape or one that broadcasting made larger (the engine sums it back), any scope's. */
typedef ebb_tensor *(*ebb_rule_fn)(const ebb_call *c, ebb_tensor *g);

typedef struct ebb_vjp_rule {
    ebb_rule_fn rule; /* NULL: this input has no gradient */
    uint64_t reads;   /* EBB_X(i) | EBB_Y(j): what is saved for it */
} ebb_vjp_rule;

#define EBB_X(i) ((uint64_t)1 << (i))
#define EBB_Y(j) ((uint64_t)1 << (32 + (j)))
#define EBB_X_ALL ((uint64_t)0xffffffffu)

/* A fused kernel for the rule of one input, used when no further derivative is wanted, and verified against it.
 * Operands: the cotangent of output 0, then what it reads (inputs, then outputs), then the result. */
typedef struct ebb_pull {
    int32_t input;
    const ebb_kernel *kernel;
    uint64_t reads;
} ebb_pull;

/* Lists in a declaration: `.vjp = EBB_VJP({mul_dx, EBB_X(1)}, {mul_dy, EBB_X(0)})`. */
#define EBB_VJP(...)                                                                                         \
    (const ebb_vjp_rule[]){__VA_ARGS__},                                                                     \
        .n_vjp = sizeof((const ebb_vjp_rule[]){__VA_ARGS__}) / sizeof(ebb_vjp_rule)
#define EBB_PULL(...)                                                                                        \
    (const ebb_pull[]){__VA_ARGS__}, .n_pull = sizeof((const ebb_pull[]){__VA_ARGS__}) / sizeof(ebb_pull)
#define EBB_ATTRS(S, table) table, .n_attrs = sizeof(table) / sizeof((table)[0]), .attrs_size = sizeof(S)
#define EBB_DOMAIN(...)                                                                                      \
    (const ebb_range[]){__VA_ARGS__}, .n_domain = sizeof((const ebb_range[]){__VA_ARGS__}) / sizeof(ebb_range)
#define EBB_KINKS(...)                                                                                       \
    (const ebb_kink[]){__VA_ARGS__}, .n_kinks = sizeof((const ebb_kink[]){__VA_ARGS__}) / sizeof(ebb_kink)

/* ---- shapes the signature cannot express ------------------------------------------------------------------ */

/* Sees shapes, dtypes and attributes, never data. Fills shape, ndim (and dtype, preset to T) of each output and,
 * for a kernel, `work`: how many independent units it can be split into (preset to 1: not splittable).
 * A view function fills stride and offset (elements from the input's first) of y[0] too. */
typedef struct ebb_infer {
    uint32_t size;
    int32_t n_x, n_y;
    const ebb_info *x;
    ebb_info *y;
    const void *attrs;
    int64_t work;
    int64_t offset;
    const ebb_op *op;
    void *private_;
    /* Says what does not fit; the engine puts the op's name before it. -> code, to be returned. */
    ebb_status (*fail)(struct ebb_infer *s, ebb_status code, const char *format, ...);
} ebb_infer;

typedef ebb_status (*ebb_infer_fn)(ebb_infer *s);

/* ---- what the verifier needs ------------------------------------------------------------------------------ */

typedef struct ebb_range {
    double lo, hi;
} ebb_range;

/* A point where the derivative does not exist, and the value that the op's rule gives there (its convention, asserted).
 * Pointwise ops: x[i], dx[i] are input i's. Others: elements of input 0's core vector of length n. */
typedef struct ebb_kink {
    const char *attrs; /* attributes as text, or NULL */
    int32_t n;         /* how many of x and dx are used */
    double x[4], dx[4];
} ebb_kink;

/* ---- the declaration -------------------------------------------------------------------------------------- */

enum ebb_op_flags {
    EBB_STRIDED = 1, /* the kernel takes core strides */
    EBB_LINEAR = 2,  /* linear in all its differentiable inputs together */
    EBB_ONCE = 4,    /* differentiable once: a second derivative is an error that says so */
    /* Random: has an attribute `key` (EBB_A_INT, default "0"). Where the caller gives none, the engine fills in the
     * session's next before the op sees it, so a rule that passes the key on draws the same numbers again: masks are
     * recomputed, not stored. Numbers come from <ebb/random.h>. */
    EBB_RANDOM = 8,
    EBB_INPLACE = 16, /* has an in-place form, name_, when the result has the shape and dtype of input 0 */
    EBB_ASSOC = 32, /* "(n)->()" and op(op(part), op(part)) == op(all): a long row may be done in fixed blocks */
    EBB_PROMOTES = 64, /* inputs of different dtypes are brought to a common one, as PyTorch's pointwise ops do */
    EBB_INTERNAL = 128,  /* serves other ops' rules; left out of short lists */
    EBB_FLOAT_OUT = 256, /* integer inputs are taken as f32 (exp, mean ...) */
    EBB_SKIPS_NAN = 2048, /* NaN is left out, or has a place in an order: it need not appear in the result (fmax, sort, nansum) */
    EBB_OWN_SHAPES = 1024, /* composed, and its shapes do not follow from its signature: only `.tries` tell how it is called */
    EBB_NONEMPTY = 512 /* an empty core dim is an error: the result has no value (amax) */
};

struct ebb_op {
    uint32_t size;
    uint32_t flags;
    const char *name;
    const char *sig;
    const char *math; /* formula and derivative, plain text: "y = x*s;  dx = g*(s + y*(1-s))" */
    const char *doc;  /* one or two sentences */
    const char *ref;  /* source of the formula */
    const ebb_kernel *fwd;
    const ebb_vjp_rule *vjp; /* one an input, or a single one for all of a variadic op */
    size_t n_vjp;
    const ebb_pull *pull;
    size_t n_pull;
    const ebb_attr *attrs;
    size_t n_attrs;
    size_t attrs_size;
    /* Core dim n is made of the axes that the attribute of this name gives (an EBB_A_INT or EBB_A_INTS; empty, or a default of "min": all axes):
     * the engine moves them last, joins them, and puts the result back; with an attribute `keepdim`, dims that
     * the signature drops stay as 1. */
    const char *axes;
    const char *split; /* EBB_STRIDED: letters along which one item may be cut into tiles, "mn" */
    ebb_infer_fn infer;
    ebb_infer_fn view; /* the output is a view of input 0: no kernel */
    /* The op in terms of others. With rules: runs outside the graph, and the rules are used. Without: the ops it
     * calls are recorded. Returning an input itself means that the op changes nothing here; returning NULL without an
     * error: not this case, use the kernel. Errors: return EBB_FAIL(c, EBB_E_SHAPE, "..."). Further outputs: c->more. */
    ebb_tensor *(*compose)(const ebb_call *c);
    size_t (*scratch)(const ebb_loop *l); /* bytes of scratch a thread needs for this item */
    const ebb_range *domain; /* samples of input i are drawn from domain[i]; the last serves the rest */
    size_t n_domain;
    const ebb_kink *kinks;
    size_t n_kinks;
    /* Cases to verify beside the default one, separated by ';': shapes of the inputs, then attributes:
     * "dim=0 keepdim=1; [2,6] shape=3,4; [4,5] [3]<4 dim=0" ('<4': integers below 4). */
    const char *tries;
};

/* A lean build (-DEBB_LEAN) has neither a verifier nor help: what only they read is overridden here, and the texts are never emitted. */
#ifdef EBB_LEAN
#define EBB__LEAN                                                                                            \
    , .doc = NULL, .math = NULL, .ref = NULL, .domain = NULL, .n_domain = 0, .kinks = NULL, .n_kinks = 0,    \
      .tries = NULL
#else
#define EBB__LEAN
#endif
#define EBB_OP(op_name, ...)                                                                                 \
    EBB_LOCAL extern const ebb_op ebb_op_##op_name;                                                          \
    const ebb_op ebb_op_##op_name = {.size = sizeof(ebb_op), .name = #op_name, __VA_ARGS__ EBB__LEAN}

/* ---- writing kernels -------------------------------------------------------------------------------------- */

/* Code for three x86-64 levels from one body; elsewhere one. */
#if defined __x86_64__ && !defined EBB_ONE_LEVEL
#if defined __clang__
#define EBB__V3 __attribute__((target("avx2")))
#define EBB__V4 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#else /* gcc in its default, GNU, mode would fuse multiply and add, and the bits would differ between levels */
#define EBB__V3 __attribute__((target("avx2"), optimize("fp-contract=off")))
#define EBB__V4 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"), optimize("fp-contract=off")))
#endif
#define EBB__LEVELS(fn)                                                                                      \
    EBB__V3 static ebb_status fn##_v3(const ebb_loop *l) { return fn(l); }                                   \
    EBB__V4 static ebb_status fn##_v4(const ebb_loop *l) { return fn(l); }
#define EBB__TABLE(fn)                                                                                       \
    { fn, fn##_v3, fn##_v4 }
#elif EBB_LEVELS == 1
#define EBB__LEVELS(fn)
#define EBB__TABLE(fn)                                                                                       \
    { fn }
#else
#define EBB__LEVELS(fn)
#define EBB__TABLE(fn)                                                                                       \
    { fn, fn, fn }
#endif

/* In WebAssembly only f32 is compiled for speed: what people train with there; everything else for size. */
#ifdef __wasm__
#define EBB__SMALL __attribute__((minsize))
#define EBB__SELF(fn, type, bits)                                                                            \
    const ebb_kernel_fn self = fn; /* for blocks.h */                                                        \
    enum { lanes = sizeof(type) * 8 < bits ? bits / 8 / sizeof(type) : 1 };                                  \
    (void)self;
#else
#define EBB__SMALL
#define EBB__SELF(fn, type, bits)
#endif
#define EBB__BODY_OF(fn, type, bits, ...)                                                                    \
    static EBB_INLINE ebb_status fn(const ebb_loop *l) {                                                     \
        typedef type T;                                                                                      \
        EBB__SELF(fn, type, bits)                                                                            \
        __VA_ARGS__                                                                                          \
        return EBB_OK;                                                                                       \
    }                                                                                                        \
    EBB__LEVELS(fn)
#define EBB__BODY_SMALL(fn, type, ...) EBB__SMALL EBB__BODY_OF(fn, type, 0, __VA_ARGS__)
#define EBB__BODY(fn, type, ...) EBB__BODY_OF(fn, type, 128, __VA_ARGS__)

/* A kernel whose body is compiled for T = float and T = double. `l` is its ebb_loop. */
#define EBB_KERNEL(name, ...)                                                                                \
    EBB__BODY(name##_f32, float, __VA_ARGS__)                                                                \
    EBB__BODY_SMALL(name##_f64, double, __VA_ARGS__)                                                         \
    static const ebb_kernel name[] = {                                                                       \
        {EBB_F32, EBB__TABLE(name##_f32)}, {EBB_F64, EBB__TABLE(name##_f64)}, {0, {0}}};

/* The same for i64 too; of the other integer types the engine makes i64 and brings the result back. */
#define EBB_KERNEL_WIDE(name, ...)                                                                           \
    EBB__BODY(name##_f32, float, __VA_ARGS__)                                                                \
    EBB__BODY_SMALL(name##_f64, double, __VA_ARGS__)                                                         \
    EBB__BODY_SMALL(name##_i64, int64_t, __VA_ARGS__)                                                        \
    static const ebb_kernel name[] = {{EBB_F32, EBB__TABLE(name##_f32)},                                     \
                                      {EBB_F64, EBB__TABLE(name##_f64)},                                     \
                                      {EBB_I64, EBB__TABLE(name##_i64)},                                     \
                                      {0, {0}}};

#ifdef __wasm__ /* i32 by way of i64 */
#define EBB_KERNEL_NUMERIC EBB_KERNEL_WIDE
#else
/* The same for i32 and i64 too (which wrap around on overflow, as two's complement does). */
#define EBB_KERNEL_NUMERIC(name, ...)                                                                        \
    EBB__BODY(name##_f32, float, __VA_ARGS__)                                                                \
    EBB__BODY_SMALL(name##_f64, double, __VA_ARGS__)                                                         \
    EBB__BODY_SMALL(name##_i32, int32_t, __VA_ARGS__)                                                        \
    EBB__BODY_SMALL(name##_i64, int64_t, __VA_ARGS__)                                                        \
    static const ebb_kernel name[] = {{EBB_F32, EBB__TABLE(name##_f32)},                                     \
                                      {EBB_F64, EBB__TABLE(name##_f64)},                                     \
                                      {EBB_I32, EBB__TABLE(name##_i32)},                                     \
                                      {EBB_I64, EBB__TABLE(name##_i64)},                                     \
                                      {0, {0}}};
#endif

/* The same for every dtype: for ops that only move or compare elements. */
#define EBB_KERNEL_ALL(name, ...)                                                                            \
    EBB__BODY(name##_f32, float, __VA_ARGS__)                                                                \
    EBB__BODY_SMALL(name##_f64, double, __VA_ARGS__)                                                         \
    EBB__BODY_SMALL(name##_i32, int32_t, __VA_ARGS__)                                                        \
    EBB__BODY_SMALL(name##_i64, int64_t, __VA_ARGS__)                                                        \
    EBB__BODY_SMALL(name##_u8, uint8_t, __VA_ARGS__)                                                         \
    static const ebb_kernel name[] = {{EBB_F32, EBB__TABLE(name##_f32)},                                     \
                                      {EBB_F64, EBB__TABLE(name##_f64)},                                     \
                                      {EBB_I32, EBB__TABLE(name##_i32)},                                     \
                                      {EBB_I64, EBB__TABLE(name##_i64)},                                     \
                                      {EBB_U8, EBB__TABLE(name##_u8)},                                       \
                                      {EBB_BOOL, EBB__TABLE(name##_u8)},                                     \
                                      {0, {0}}};

/* For ops that only move elements: T is an unsigned integer of the element's size, so three bodies serve all dtypes. */
#define EBB_KERNEL_MOVE(name, ...)                                                                           \
    EBB__BODY_SMALL(name##_1, uint8_t, __VA_ARGS__)                                                          \
    EBB__BODY(name##_4, uint32_t, __VA_ARGS__)                                                               \
    EBB__BODY(name##_8, uint64_t, __VA_ARGS__)                                                               \
    static const ebb_kernel name[] = {{EBB_F32, EBB__TABLE(name##_4)},                                       \
                                      {EBB_F64, EBB__TABLE(name##_8)},                                       \
                                      {EBB_I32, EBB__TABLE(name##_4)},                                       \
                                      {EBB_I64, EBB__TABLE(name##_8)},                                       \
                                      {EBB_U8, EBB__TABLE(name##_1)},                                        \
                                      {EBB_BOOL, EBB__TABLE(name##_1)},                                      \
                                      {0, {0}}};

/* Pointwise bodies: an expression in x; x, y; x, y, z. Contiguous and scalar operands get loops of their own,
 * which the compiler vectorises. R is the type of the result. */
#ifdef __wasm__
#include <ebb/blocks.h>
#else
#define EBB__MAP1_BODY(R, expr)                                                                              \
    const T *p0 = (const T *)l->p[0];                                                                        \
    R *q = (R *)l->p[1];                                                                                     \
    const int64_t n = l->n, s0 = l->step[0], sq = l->step[1];                                                \
    if (s0 == 1 && sq == 1) {                                                                                \
        EBB_IVDEP for (int64_t i = 0; i < n; i++) {                                                          \
            const T x = p0[i];                                                                               \
            q[i] = (R)(expr);                                                                                \
        }                                                                                                    \
    } else                                                                                                   \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            const T x = p0[i * s0];                                                                          \
            q[i * sq] = (R)(expr);                                                                           \
        }

#define EBB__MAP2_LOOP(R, X, Y, Q, expr)                                                                     \
    for (int64_t i = 0; i < n; i++) {                                                                        \
        const T x = X, y = Y;                                                                                \
        Q = (R)(expr);                                                                                       \
    }
#define EBB__MAP2_BODY(R, expr)                                                                              \
    const T *p0 = (const T *)l->p[0], *p1 = (const T *)l->p[1];                                              \
    R *q = (R *)l->p[2];                                                                                     \
    const int64_t n = l->n, s0 = l->step[0], s1 = l->step[1], sq = l->step[2];                               \
    if (sq == 1 && s0 == 1 && s1 == 1) {                                                                     \
        EBB_IVDEP EBB__MAP2_LOOP(R, p0[i], p1[i], q[i], expr)                                                \
    } else if (sq == 1 && s0 == 1 && s1 == 0) {                                                              \
        const T k = p1[0];                                                                                   \
        EBB_IVDEP EBB__MAP2_LOOP(R, p0[i], k, q[i], expr)                                                    \
    } else if (sq == 1 && s0 == 0 && s1 == 1) {                                                              \
        const T k = p0[0];                                                                                   \
        EBB_IVDEP EBB__MAP2_LOOP(R, k, p1[i], q[i], expr)                                                    \
    } else EBB__MAP2_LOOP(R, p0[i * s0], p1[i * s1], q[i * sq], expr)

#define EBB__MAP3_LOOP(A, B, C, Q, expr)                                                                     \
    for (int64_t i = 0; i < n; i++) {                                                                        \
        const T x = A, y = B, z = C;                                                                         \
        Q = (T)(expr);                                                                                       \
    }
#define EBB__MAP3_BODY(expr)                                                                                 \
    const T *p0 = (const T *)l->p[0], *p1 = (const T *)l->p[1], *p2 = (const T *)l->p[2];                    \
    T *q = (T *)l->p[3];                                                                                     \
    const int64_t n = l->n, s0 = l->step[0], s1 = l->step[1], s2 = l->step[2], sq = l->step[3];              \
    if (sq == 1 && s0 == 1 && s1 == 1 && s2 == 1) {                                                          \
        EBB_IVDEP EBB__MAP3_LOOP(p0[i], p1[i], p2[i], q[i], expr)                                            \
    } else EBB__MAP3_LOOP(p0[i * s0], p1[i * s1], p2[i * s2], q[i * sq], expr)
#endif

/* In-place calls pass the same pointer as input and output: element i depends on element i alone. clang finds that out
 * at run time, and warns about hints it cannot follow. */
#if defined __wasm__
#define EBB_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#elif defined __clang__
#define EBB_IVDEP
#else
#define EBB_IVDEP _Pragma("GCC ivdep")
#endif

#define EBB_MAP1(name, expr) EBB_KERNEL(name, EBB__MAP1_BODY(T, expr))
#define EBB_MAP2(name, expr) EBB_KERNEL(name, EBB__MAP2_BODY(T, expr))
#define EBB_MAP3(name, expr) EBB_KERNEL(name, EBB__MAP3_BODY(expr))
/* With attributes: `a` points to the op's struct S; cast its numbers, (T)a->slope. */
#define EBB_MAP1_ATTRS(name, S, expr)                                                                        \
    EBB_KERNEL(name, const S *a = (const S *)l->attrs; EBB__MAP1_BODY(T, expr))
#define EBB_MAP2_ATTRS(name, S, expr)                                                                        \
    EBB_KERNEL(name, const S *a = (const S *)l->attrs; EBB__MAP2_BODY(T, expr))
/* Arithmetic that integers have too. */
#define EBB_NUMERIC1(name, expr) EBB_KERNEL_NUMERIC(name, EBB__MAP1_BODY(T, expr))
#define EBB_NUMERIC2(name, expr) EBB_KERNEL_NUMERIC(name, EBB__MAP2_BODY(T, expr))
#define EBB_NUMERIC1_ATTRS(name, S, expr)                                                                    \
    EBB_KERNEL_NUMERIC(name, const S *a = (const S *)l->attrs; EBB__MAP1_BODY(T, expr))
#define EBB_NUMERIC2_ATTRS(name, S, expr)                                                                    \
    EBB_KERNEL_NUMERIC(name, const S *a = (const S *)l->attrs; EBB__MAP2_BODY(T, expr))
#define EBB_WIDE1(name, expr) EBB_KERNEL_WIDE(name, EBB__MAP1_BODY(T, expr))
#define EBB_WIDE2(name, expr) EBB_KERNEL_WIDE(name, EBB__MAP2_BODY(T, expr))
/* Comparisons: any dtype in, bool out. */
#ifdef __wasm__
#define EBB_COMPARE(name, expr) EBB_KERNEL_WIDE(name, EBB__MAP2_BODY(uint8_t, expr))
#else
#define EBB_COMPARE(name, expr) EBB_KERNEL_ALL(name, EBB__MAP2_BODY(uint8_t, expr))
#endif

/* ---- small conveniences for rules -------------------------------------------------------------------------- */

/* Through the functions behind the macros, which C++ has too. */
EBB_WRAPPER ebb_tensor *ebb_add_scalar(ebb_tensor *x, double k) {
    const ebb_add_args a = {1, x, ebb_scalar(x, k)};
    return ebb_add_of(&a);
}
EBB_WRAPPER ebb_tensor *ebb_mul_scalar(ebb_tensor *x, double k) { return ebb_mul(x, ebb_scalar(x, k)); }
EBB_WRAPPER ebb_tensor *ebb_div_scalar(ebb_tensor *x, double k) {
    const ebb_div_args a = {0, x, ebb_scalar(x, k)};
    return ebb_div_of(&a);
}
EBB_WRAPPER ebb_tensor *ebb_sub_from(double k, ebb_tensor *x) { /* k - x */
    const ebb_sub_args a = {1, ebb_scalar(x, k), x};
    return ebb_sub_of(&a);
}
EBB_WRAPPER ebb_tensor *ebb_div_into(double k, ebb_tensor *x) { /* k / x */
    const ebb_div_args a = {0, ebb_scalar(x, k), x};
    return ebb_div_of(&a);
}

/* Says what is wrong in a compose function or a rule; the engine puts the op's name before it. -> NULL, to be returned. */
#define EBB_FAIL(c, code, ...)                                                                               \
    (((const ebb_host *)(const void *)(c)->e)->fail((c)->e, code, __VA_ARGS__), (ebb_tensor *)NULL)

/* A constant tensor outside the graph (the op "full"). */
EBB_WRAPPER ebb_tensor *ebb_constant(ebb *e, ebb_dtype dtype, ebb_ints shape, double value) {
    struct {
        ebb_ints size;
        double fill_value;
        int32_t dtype;
    } a = {shape, value, (int32_t)dtype};
    return ebb_op_call_new(e, "full", 0, &a, (uint32_t)sizeof a, 0, NULL);
}

EBB_WRAPPER ebb_info ebb_info_of(const ebb_tensor *t) { /* zeros for NULL */
    ebb_info i;
    if (t) ebb_host_of(t)->info(t, &i);
    else memset(&i, 0, sizeof i);
    return i;
}

/* A dim counted from the front: -1 becomes ndim - 1. A 0-d tensor is taken as of one dim. -1: out of range. */
static inline int ebb_dim_of(int64_t dim, int ndim) {
    const int n = ndim ? ndim : 1;
    return dim < -n || dim >= n ? -1 : (int)(dim < 0 ? dim + n : dim);
}
static inline bool ebb_is_float(int32_t dtype) { return dtype == EBB_F32 || dtype == EBB_F64; }

EBB_WRAPPER ebb_ints ebb_ints_of(const ebb_shape *s) {
    ebb_ints r = {s->ndim, {0}};
    for (int32_t i = 0; i < s->ndim; i++) r.v[i] = s->dim[i];
    return r;
}
EBB_WRAPPER int64_t ebb_shape_numel(const ebb_shape *s) {
    int64_t n = 1;
    for (int32_t i = 0; i < s->ndim; i++) n *= s->dim[i];
    return n;
}

#ifdef __cplusplus
}
#endif

#include <ebb/entry.h>
#endif
