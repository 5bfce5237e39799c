/* abi.h - floor 0: the types that cross between ebb, its plugins and its users.
 *
 * Invariants of the ABI:
 *   - every struct that crosses begins with its size and grows only at its end;
 *   - a tensor's first word is its host pointer, so a plugin reaches the engine through the tensors
 *     it is given and imports no symbol;
 *   - nothing here has storage: no globals, no constructors. */
#ifndef EBB_ABI_H
#define EBB_ABI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EBB_ABI_MAJOR 1u
#define EBB_ABI_MINOR 0u
#define EBB_MAX_DIMS 8      /* rank of a tensor, and letters of a signature */
#define EBB_MAX_OPERANDS 64 /* inputs plus outputs of one call */
#define EBB_MAX_TEXT 64     /* bytes of a text attribute, its end included */
#define EBB_NAN (__builtin_nan(""))

typedef struct ebb ebb;               /* a session: registry, tape, scopes, memory, error slot */
typedef struct ebb_tensor ebb_tensor; /* begins with `const ebb_host *` */
typedef struct ebb_op ebb_op;         /* an op's declaration, <ebb/op.h> */

/* What went wrong. The words are in ebb_error(). */
typedef enum ebb_status {
    EBB_OK = 0,
    EBB_E_ARG,     /* wrong number or kind of arguments, NULL where a tensor is needed */
    EBB_E_SHAPE,   /* sizes that do not fit */
    EBB_E_DTYPE,   /* element types that do not mix, or that the op has no kernel for */
    EBB_E_INDEX,   /* an index outside its bound */
    EBB_E_ATTR,    /* attribute unknown, of the wrong type, out of range */
    EBB_E_NAME,    /* no such op, optimizer, probe ... */
    EBB_E_GRAPH,   /* backward without a graph, twice, or not from a scalar */
    EBB_E_CHANGED, /* a saved tensor was changed before its rule read it; an in-place op that is not allowed */
    EBB_E_MEMORY,  /* allocation failed or the memory limit was reached */
    EBB_E_KERNEL,  /* a kernel or a rule broke its contract */
    EBB_E_PLUGIN,  /* not a plugin, or not one for this build */
    EBB_E_VERIFY,  /* an op that failed its verification */
    EBB_E_IO,      /* a file that is missing, cut short, or not what it should be */
    EBB_E_VALUE,   /* a probe stopped at a value (NaN, Inf) */
    EBB_COPY       /* only from a view function: give me a contiguous input */
} ebb_status;

typedef enum ebb_dtype {
    EBB_NONE = 0,
    EBB_F32,
    EBB_F64,
    EBB_I32,
    EBB_I64,
    EBB_U8,
    EBB_BOOL, /* one byte, 0 or 1 */
    EBB_DTYPES
} ebb_dtype;

/* A short list of integers by value: a shape, or the dims an op works along. n = 0: none given. */
typedef struct ebb_ints {
    int32_t n;
    int64_t v[EBB_MAX_DIMS];
} ebb_ints;

/* A short list of numbers by value (scale factors, quantiles). n = 0: none given. */
typedef struct ebb_floats {
    int32_t n;
    double v[EBB_MAX_DIMS];
} ebb_floats;

/* A short text by value, "" when none is given; in C: `.equation = {"ij,jk->ik"}`. */
typedef struct ebb_text {
    char s[EBB_MAX_TEXT];
} ebb_text;

#define EBB_DIMS(...)                                                                                        \
    ((ebb_ints){(int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})
#define EBB_SHAPE(...) EBB_DIMS(__VA_ARGS__)
#define EBB_SHAPE0 ((ebb_ints){0, {0}}) /* the shape of a 0-d tensor, a scalar */

/* Element type and sizes, borrowed from whatever gave it. */
typedef struct ebb_shape {
    int32_t dtype; /* an ebb_dtype */
    int32_t ndim;
    const int64_t *dim;
} ebb_shape;

/* A whole tensor as it lies in memory. Strides and offset count elements, not bytes. */
typedef struct ebb_info {
    int32_t dtype;
    int32_t ndim;
    int64_t shape[EBB_MAX_DIMS];
    int64_t stride[EBB_MAX_DIMS];
    int64_t numel;
    void *data; /* first element */
} ebb_info;

/* What an attribute is in its struct and in text. */
typedef enum ebb_attr_type {
    EBB_A_INT = 1, /* int64_t   dim=-1                */
    EBB_A_FLOAT,   /* double    negative_slope=0.01   */
    EBB_A_BOOL,    /* bool      keepdim=1 | true      */
    EBB_A_INTS,    /* ebb_ints  dim=0,2 | shape=3,-1  */
    EBB_A_ENUM,    /* int32_t   reduction=sum, a place in `choices`  */
    EBB_A_DTYPE,   /* int32_t   dtype=f64 | none      */
    EBB_A_FLOATS,  /* ebb_floats  scale_factor=2,1.5  */
    EBB_A_TEXT     /* ebb_text  equation=ij,jk->ik, without spaces  */
} ebb_attr_type;

/* One attribute of an op, an optimizer, a probe: a field of a plain struct. */
typedef struct ebb_attr {
    const char *name;
    int32_t type;        /* ebb_attr_type */
    uint32_t offset;     /* of the field in the attribute struct */
    const char *def;     /* default, as text; NULL: required */
    const char *doc;     /* one line */
    const char *choices; /* EBB_A_ENUM: "mean|sum|none" */
    double lo, hi;       /* inclusive range of a number; both 0: any */
} ebb_attr;

/* EBB_ATTR(EBB_A_FLOAT, leaky_relu_attrs, negative_slope, "0.01", "slope below zero", .lo = 0, .hi = 1) */
#ifdef EBB_LEAN /* a build without help: the text is overridden, and never emitted */
#define EBB__ATTR_LEAN , .doc = ""
#else
#define EBB__ATTR_LEAN
#endif
#define EBB_ATTR(attr_type, S, field, default_text, ...)                                                     \
    {                                                                                                        \
        .name = #field, .type = attr_type, .offset = (uint32_t)offsetof(S, field), .def = default_text,      \
        .doc = __VA_ARGS__ EBB__ATTR_LEAN                                                                    \
    }

/* reduction= of the losses */
enum { EBB_MEAN = 0, EBB_SUM = 1, EBB_EACH = 2 /* "none" */ };

/* GNU extensions, each behind a name. */
#define EBB_EXPORT __attribute__((visibility("default")))
#define EBB_LOCAL __attribute__((visibility("hidden")))
#ifndef EBB_INLINE
#define EBB_INLINE inline __attribute__((always_inline))
#endif
/* The functions of headers that are not for inner loops, those of <ebb/ops.h> above all. Where size counts: one copy in all that is
 * linked together (it stands in the generated table of plugins), and one in a plugin, which imports nothing. */
#if !defined __wasm__
#define EBB_WRAPPER static inline
#elif !defined EBB_STATIC
#define EBB_WRAPPER __attribute__((noinline, minsize, unused)) static
#elif !defined EBB_WRAPPERS_HERE
#define EBB_WRAPPER EBB_LOCAL __attribute__((noinline)) inline
#else
#define EBB_WRAPPER EBB_LOCAL __attribute__((minsize)) extern
#endif

/* What the engine offers to code that holds only a tensor. It is generic: it does not grow with the ops. */
typedef struct ebb_host {
    uint32_t size, abi_major, abi_minor;
    /* Calls an op. name_hash: ebb_hash(name), or 0. attrs: the op's struct, or NULL for defaults; attrs_size
     * may be smaller than the op's (an older caller): the rest are defaults. Optional inputs may be NULL.
     * -> the first output, owned by the current scope; outputs 1.. into more[] when more is not NULL (NULL behind the last). */
    ebb_tensor *(*call)(ebb *e, const char *name, uint32_t name_hash, int n_x, ebb_tensor *const *x,
                        const void *attrs, uint32_t attrs_size, int n_more, ebb_tensor **more);
    /* The in-place form of an op: x[0] receives the result. Values that a rule will read are copied first. -> x[0], borrowed. */
    ebb_tensor *(*call_inplace)(ebb *e, const char *name, uint32_t name_hash, int n_x, ebb_tensor *const *x,
                                const void *attrs, uint32_t attrs_size);
    /* A constant 0-d tensor of like's dtype. */
    ebb_tensor *(*scalar)(ebb *e, const ebb_tensor *like, double value);
    void (*info)(const ebb_tensor *t, ebb_info *out);
    /* Sets the session's error unless one is set. -> code */
    ebb_status (*fail)(ebb *e, ebb_status code, const char *format, ...);
} ebb_host;

/* The host of a tensor; NULL for NULL. A session begins with its host table. */
EBB_WRAPPER const ebb_host *ebb_host_of(const ebb_tensor *t) {
    return t ? *(const ebb_host *const *)(const void *)t : NULL;
}

/* The session of the first tensor of a list that is not NULL. Borrowed. */
EBB_WRAPPER ebb *ebb_session_of(int n, ebb_tensor *const *x) {
    for (int i = 0; i < n; i++)
        if (x[i]) return (ebb *)(uintptr_t)ebb_host_of(x[i]);
    return NULL;
}

/* Calls an op by name with its attribute struct; what the generated wrappers of <ebb/ops.h> do. NULL in, NULL out. */
EBB_WRAPPER ebb_tensor *ebb_op_call(const char *name, uint32_t hash, int n_x, ebb_tensor *const *x,
                                    const void *attrs, uint32_t attrs_size, int n_more, ebb_tensor **more) {
    ebb *e = ebb_session_of(n_x, x);
    if (!e) return NULL;
    return ((const ebb_host *)(const void *)e)->call(e, name, hash, n_x, x, attrs, attrs_size, n_more, more);
}

/* The same for an op without inputs: what it makes belongs to session e. */
EBB_WRAPPER ebb_tensor *ebb_op_call_new(ebb *e, const char *name, uint32_t hash, const void *attrs,
                                        uint32_t attrs_size, int n_more, ebb_tensor **more) {
    if (!e) return NULL;
    return ((const ebb_host *)(const void *)e)->call(e, name, hash, 0, NULL, attrs, attrs_size, n_more, more);
}

EBB_WRAPPER ebb_tensor *ebb_op_call_inplace(const char *name, uint32_t hash, int n_x, ebb_tensor *const *x,
                                            const void *attrs, uint32_t attrs_size) {
    ebb *e = ebb_session_of(n_x, x);
    if (!e) return NULL;
    return ((const ebb_host *)(const void *)e)->call_inplace(e, name, hash, n_x, x, attrs, attrs_size);
}

/* A constant of like's dtype, 0-d, outside the graph. NULL in, NULL out. */
EBB_WRAPPER ebb_tensor *ebb_scalar(const ebb_tensor *like, double value) {
    const ebb_host *h = ebb_host_of(like);
    return h ? h->scalar((ebb *)(uintptr_t)h, like, value) : NULL;
}

/* x converted to a dtype (the op "to"); x itself when it has it already. NULL in, NULL out. */
EBB_WRAPPER ebb_tensor *ebb_to(ebb_tensor *x, ebb_dtype dtype) {
    const int32_t d = (int32_t)dtype;
    return ebb_op_call("to", 0, 1, &x, &d, (uint32_t)sizeof d, 0, NULL);
}

/* FNV-1a, the hash of names. */
static inline uint32_t ebb_hash(const char *s) {
    uint32_t h = 2166136261u;
    for (; *s; s++) h = (h ^ (uint8_t)*s) * 16777619u;
    return h ? h : 1u;
}

#define EBB_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

/* The wrappers of ops with attributes override their defaults by name, `ebb_softmax(x, .dim = 1)`; these keep
 * -Wextra silent about just that. */
#if defined __clang__
#define EBB_OVERRIDES_BEGIN                                                                                  \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Winitializer-overrides\"")         \
        _Pragma("clang diagnostic ignored \"-Wmissing-field-initializers\"")
#define EBB_OVERRIDES_END _Pragma("clang diagnostic pop")
#else
#define EBB_OVERRIDES_BEGIN                                                                                  \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Woverride-init\"")                     \
        _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")
#define EBB_OVERRIDES_END _Pragma("GCC diagnostic pop")
#endif
#define EBB_WITH_DEFAULTS(call)                                                                              \
    __extension__({                                                                                          \
        EBB_OVERRIDES_BEGIN call;                                                                            \
        EBB_OVERRIDES_END                                                                                    \
    })

#ifdef __cplusplus
}
#endif
#endif
