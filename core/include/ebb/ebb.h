/* ebb.h - floor 1: everything a program that trains with ebb includes.
 *
 * Errors: the library never prints, exits or aborts. The first thing that goes wrong sets the session's error; from
 * then on tensor functions return NULL (NULL in, NULL out) and status functions an error, until ebb_error_clear().
 * So a whole training step needs one check, ebb_failed(e).
 *
 * Ownership: a tensor made by an op or by ebb_tensor_* belongs to the innermost scope (ebb_begin ... ebb_end), or to the session
 * when no scope is open; nobody frees it by hand. ebb_retain keeps one longer, ebb_escape hands it to the scope
 * around. Parameters belong to the session. "borrowed": valid while its owner is.
 *
 * Threads: one thread at a time uses a session; different sessions are independent. */
#ifndef EBB_EBB_H
#define EBB_EBB_H
#include <ebb/abi.h>
#include <ebb/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef EBB_API
#define EBB_API __attribute__((visibility("default")))
#endif

/* ---- session ------------------------------------------------------------------------------------------------- */

/* How to open a session. Zero fields mean: the default. Start from {.size = sizeof(ebb_options)}. */
typedef struct ebb_options {
    uint32_t size;
    int32_t threads; /* 0: one a core */
    uint64_t seed;
    size_t memory_limit; /* bytes the session may hold; 0: no limit */
    int32_t level; /* highest vector level + 1 (1: baseline, 2: AVX2, 3: AVX-512); 0: what the machine has */
    int64_t grain; /* elements of work below which a call stays on one thread; 0: 32768 */
    bool guard; /* test mode: outputs are filled with a marked NaN and fenced; a kernel that leaves an element unwritten,
                            * writes outside its outputs or changes an input makes the call fail with EBB_E_KERNEL */
    bool bare;                                /* no built-in plugins at all */
    void *(*alloc)(void *user, size_t bytes); /* the system's allocator otherwise */
    void (*free)(void *user, void *p, size_t bytes);
    void *alloc_user;
} ebb_options;

/* Opens a session with all built-in plugins. -> owned, ebb_close; NULL when memory is short. options may be NULL. */
EBB_API ebb *ebb_open(const ebb_options *options);
/* Opens a session with the plugins that e has (also ops that are only being verified). -> owned, ebb_close. */
EBB_API ebb *ebb_open_like(const ebb *e, const ebb_options *options);
/* Frees the session and every tensor of it. NULL is fine. */
EBB_API void ebb_close(ebb *e);

EBB_API bool ebb_failed(const ebb *e);       /* an error is set; true for NULL */
EBB_API const char *ebb_error(const ebb *e); /* its words, "" when none; borrowed until cleared */
EBB_API ebb_status ebb_error_code(const ebb *e);
EBB_API void ebb_error_clear(ebb *e);
/* Sets the error unless one is set. -> code. For callers that add checks of their own. */
EBB_API ebb_status ebb_fail(ebb *e, ebb_status code, const char *format, ...) EBB_PRINTF(3, 4);
EBB_API const char *ebb_status_name(ebb_status s);

EBB_API void ebb_threads_set(ebb *e, int threads); /* at least 1; results never depend on it */
EBB_API int ebb_threads(const ebb *e);
EBB_API int ebb_level(const ebb *e); /* vector level in use: 0, 1, 2 */
EBB_API const char *ebb_level_name(int level);
EBB_API const char *ebb_parallel_name(void); /* "OpenMP", "pthreads", "workers" or "serial" */
EBB_API const char *ebb_version(void);

typedef struct ebb_memory {
    size_t in_use; /* bytes of live blocks */
    size_t peak;
    size_t held;     /* bytes taken from the system, cached blocks included */
    size_t tape;     /* bytes of tape records in use, saved tensors not counted */
    int64_t tensors; /* live tensor objects */
} ebb_memory;
EBB_API void ebb_memory_stats(const ebb *e, ebb_memory *out);
EBB_API void ebb_memory_trim(ebb *e); /* gives cached blocks back to the system */

/* ---- scopes --------------------------------------------------------------------------------------------------- */

typedef struct ebb_scope ebb_scope;
EBB_API ebb_scope *ebb_begin(ebb *e); /* every tensor made from here on belongs to it; borrowed, ebb_end. NULL on error */
EBB_API void ebb_end(ebb_scope *s); /* frees them, and the graph they made; scopes opened inside end too. NULL is fine */
EBB_API ebb_tensor *ebb_retain(ebb_tensor *t); /* shared: one ebb_release each. -> t */
EBB_API void ebb_release(ebb_tensor *t);
EBB_API ebb_tensor *ebb_escape(ebb_tensor *t); /* hands t to the scope around the current one. -> t, borrowed */

/* ---- tensors -------------------------------------------------------------------------------------------------- */

/* A tensor of that shape with a copy of data (contiguous, row-major), or zeros when data is NULL. */
EBB_API ebb_tensor *ebb_tensor_new(ebb *e, ebb_dtype dtype, ebb_ints shape, const void *data);
/* A tensor over memory of the caller's, which must outlive it. EBB_E_ARG if data is NULL. */
EBB_API ebb_tensor *ebb_tensor_wrap(ebb *e, ebb_dtype dtype, ebb_ints shape, void *data);
EBB_API ebb_tensor *ebb_full(ebb *e, ebb_dtype dtype, ebb_ints shape, double value);
/* Uniform in [0,1), normal(0,1): counter-based, the same bits on every platform and thread count for a seed. */
EBB_API ebb_tensor *ebb_rand(ebb *e, ebb_dtype dtype, ebb_ints shape);
EBB_API ebb_tensor *ebb_randn(ebb *e, ebb_dtype dtype, ebb_ints shape);
EBB_API void ebb_seed(ebb *e, uint64_t seed);
EBB_API uint64_t ebb_random_below(ebb *e, uint64_t bound); /* uniform integer below bound (bound >= 1) */

EBB_API void ebb_tensor_info(const ebb_tensor *t, ebb_info *out); /* zeros for NULL */
EBB_API ebb *ebb_tensor_session(const ebb_tensor *t);             /* borrowed */
EBB_API ebb_dtype ebb_tensor_dtype(const ebb_tensor *t);
EBB_API int ebb_ndim(const ebb_tensor *t);
EBB_API int64_t ebb_size(const ebb_tensor *t, int dim); /* negative dim counts from the end; 0 when out of range */
EBB_API int64_t ebb_numel(const ebb_tensor *t);
/* Elements of a contiguous tensor for reading, borrowed; NULL when it is a strided view (call ebb_contiguous first). */
EBB_API const void *ebb_data(const ebb_tensor *t);
/* The same for writing; marks the tensor as changed, so a rule that saved it will refuse. */
EBB_API void *ebb_data_mut(ebb_tensor *t);
/* The single element of a one-element tensor as a number; NAN and EBB_E_SHAPE otherwise. */
EBB_API double ebb_item(const ebb_tensor *t);
EBB_API double ebb_at(const ebb_tensor *t, int64_t flat); /* element in row-major order, any dtype, any strides; NAN outside */
/* Copies all elements in row-major order to dst (bytes: its size, checked). */
EBB_API ebb_status ebb_copy_out(const ebb_tensor *t, void *dst, size_t bytes);
EBB_API const char *ebb_dtype_name(ebb_dtype d); /* "f32" */
EBB_API size_t ebb_dtype_size(ebb_dtype d);
EBB_API const char *ebb_describe(const ebb_tensor *t, char *buf, size_t n); /* "f32[2,3]" -> buf */

EBB_API ebb_tensor *ebb_name(ebb_tensor *t, const char *name); /* names it for errors and traces (copied). -> t */
EBB_API const char *ebb_name_of(const ebb_tensor *t);          /* "" when it has none; borrowed */
EBB_API void ebb_region_begin(ebb *e, const char *name);       /* ops made inside are shown as "outer/name" */
EBB_API void ebb_region_end(ebb *e);

/* ---- parameters ------------------------------------------------------------------------------------------------ */

typedef ebb_status (*ebb_init)(ebb_tensor *t); /* fills a new parameter */
EBB_API ebb_status ebb_zeros(ebb_tensor *t);
EBB_API ebb_status ebb_ones(ebb_tensor *t);
EBB_API ebb_status ebb_kaiming(ebb_tensor *t); /* uniform +-sqrt(6/fan_in), fan_in = product of all sizes but the first. He et al., 2015 */
EBB_API ebb_status ebb_xavier(ebb_tensor *t); /* uniform +-sqrt(6/(fan_in+fan_out)). Glorot and Bengio, 2010 */
EBB_API ebb_status ebb_lecun(ebb_tensor *t);  /* uniform +-1/sqrt(fan_in): the default of torch.nn.Linear */

/* A trainable leaf, owned by the session, f32 or f64. The name must be new. init NULL: zeros. */
EBB_API ebb_tensor *ebb_param(ebb *e, const char *name, ebb_dtype dtype, ebb_ints shape, ebb_init init);
EBB_API size_t ebb_param_count(const ebb *e);
EBB_API ebb_tensor *ebb_param_at(const ebb *e, size_t i); /* in the order they were made; borrowed */
EBB_API ebb_tensor *ebb_param_find(const ebb *e, const char *name); /* NULL when there is none */
/* t is a parameter no longer: the session lets go of it. Others keep their order. */
EBB_API void ebb_param_remove(ebb_tensor *t);

/* ---- calling ops by name ----------------------------------------------------------------------------------------- */

/* The whole op library without a C compiler: op name ("softmax", in-place "add_"), n inputs, attributes as text
 * ("dim=1 keepdim=1", NULL: defaults). Writes up to max_y outputs to y (owned by the scope). -> how many outputs the op has, -1 on error. */
EBB_API int ebb_call_named(ebb *e, const char *op, int n, ebb_tensor *const *x, const char *attrs, int max_y,
                           ebb_tensor **y);
EBB_API size_t ebb_op_count(const ebb *e);
EBB_API const struct ebb_op *ebb_op_at(const ebb *e, size_t i); /* in order of registration; borrowed */
EBB_API const struct ebb_op *ebb_op_find(const ebb *e, const char *name);
EBB_API const char *ebb_op_plugin(const ebb *e, const char *name); /* the plugin an op came from, NULL when unknown */
EBB_API const char *ebb_op_nearest(const ebb *e, const char *name); /* "did you mean"; NULL when nothing is close */

/* Attributes as text that ebb_call_named takes: those that are not the op's defaults, "dim=1 keepdim=1"; the key of a random op is left out.
 * attrs: the op's struct. -> buf */
EBB_API const char *ebb_attrs_text(const ebb *e, const ebb_op *op, const void *attrs, char *buf, size_t n);

/* What a signature says, for tools: names and core dims of the operands. */
typedef struct ebb_sig_operand {
    char name[24];
    int32_t ndim; /* core dims */
    char dim[EBB_MAX_DIMS];
    int32_t dtype; /* EBB_NONE: the common dtype; else EBB_I64, EBB_BOOL */
    bool optional, variadic;
    char below; /* the letter an index stays below, 0: none */
} ebb_sig_operand;
typedef struct ebb_sig {
    int32_t n_x, n_y;
    ebb_sig_operand arg[16]; /* inputs, then outputs */
} ebb_sig;
/* EBB_E_ARG when it cannot be parsed; why (may be NULL) receives the words. */
EBB_API ebb_status ebb_sig_parse(const char *text, ebb_sig *out, char *why, size_t why_n);

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

EBB_API ebb_status ebb_requires_grad(ebb_tensor *t, bool on); /* leaves only; float types only */
EBB_API bool ebb_needs_grad(const ebb_tensor *t);
EBB_API bool ebb_is_leaf(const ebb_tensor *t);
/* Accumulates d(loss)/d(leaf) into every leaf that needs it; loss must have one element. Frees what the graph saved. */
EBB_API ebb_status ebb_backward(ebb_tensor *loss);

enum ebb_grad_flags {
    EBB_RETAIN = 1,       /* keep the graph for another backward */
    EBB_CREATE_GRAPH = 2, /* the gradients are themselves differentiable; implies EBB_RETAIN */
    EBB_ALLOW_UNUSED = 4 /* ebb_grad: NULL for a wrt that the outputs do not depend on, instead of an error */
};
/* With a seed of t's shape (NULL: t has one element, seed 1) and flags. */
EBB_API ebb_status ebb_backward_with(ebb_tensor *t, ebb_tensor *seed, int flags);
/* Functional form: grads[i] = sum over outputs of seed . d(out)/d(wrt[i]); leaves' .grad untouched.
 * seeds may be NULL (all outputs of one element). Results belong to the scope; two of them, or one and a seed, may be one tensor. */
EBB_API ebb_status ebb_grad(ebb *e, int n_out, ebb_tensor *const *out, ebb_tensor *const *seeds, int n_wrt,
                            ebb_tensor *const *wrt, int flags, ebb_tensor **grads);
EBB_API ebb_tensor *ebb_grad_of(const ebb_tensor *leaf); /* borrowed; NULL: nothing has been accumulated (not the same as zero) */
EBB_API void ebb_grad_set(ebb_tensor *leaf, ebb_tensor *grad); /* replaces it; grad NULL: none. Retains grad */
EBB_API ebb_tensor *ebb_detach(ebb_tensor *t); /* the same values, outside the graph; shares storage */
EBB_API void ebb_no_grad_begin(ebb *e);        /* ops inside are not recorded; nests */
EBB_API void ebb_no_grad_end(ebb *e);
EBB_API void ebb_tape_clear(ebb *e); /* forgets the whole graph; tensors stay */

/* ---- functions of derivatives: results belong to the scope; EBB_CREATE_GRAPH makes them differentiable themselves ---- */

/* Jacobian-vector product, forward mode: jv[j] = sum over i of d(out[j])/d(wrt[i]) . tangents[i], of out[j]'s shape; zeros where out[j]
 * depends on no wrt. Every op has it, derived from its rule (a rule is linear in the cotangent, so its transpose is the product). The
 * graph stays. Townsend, 2017, "A new trick for calculating Jacobian vector products". */
EBB_API ebb_status ebb_jvp(ebb *e, int n_out, ebb_tensor *const *out, int n_wrt, ebb_tensor *const *wrt,
                           ebb_tensor *const *tangents, int flags, ebb_tensor **jv);
/* Vector-Jacobian product, reverse mode: ebb_grad, with zeros for a wrt that no output depends on. The graph stays. */
EBB_API ebb_status ebb_vjp(ebb *e, int n_out, ebb_tensor *const *out, ebb_tensor *const *cotangents,
                           int n_wrt, ebb_tensor *const *wrt, int flags, ebb_tensor **vj);
/* Hessian-vector product of a loss of one element: hv[i] = sum over k of d2(loss)/d(wrt[i])d(wrt[k]) . v[k]. The graph stays. */
EBB_API ebb_status ebb_hvp(ebb_tensor *loss, int n_wrt, ebb_tensor *const *wrt, ebb_tensor *const *v,
                           int flags, ebb_tensor **hv);
/* The whole Jacobian, of y's shape followed by x's: by rows or by columns, whichever are fewer. The graph stays. */
EBB_API ebb_tensor *ebb_jacobian(ebb_tensor *y, ebb_tensor *x, int flags);
/* The Hessian of a loss of one element, of x's shape twice. The graph stays. */
EBB_API ebb_tensor *ebb_hessian(ebb_tensor *loss, ebb_tensor *x, int flags);

/* ---- functions of the user's in the graph --------------------------------------------------------------------------- */

/* Makes y[0 .. n_y) from x[0 .. n_x) by calling ops. -> EBB_OK, or the status of what failed (the session's error is set). */
typedef ebb_status (*ebb_fn)(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y);

/* Runs fn without keeping what its ops would save; backward runs it again. Peak memory is then that of one such region at a time
 * instead of all. fn must do the same each time: it may use parameters and other tensors from outside, which must not change in
 * between (that is noticed); random ops draw the same numbers again. May be nested. user must live until backward is done. */
EBB_API ebb_status ebb_checkpoint(ebb *e, ebb_fn fn, void *user, int n_x, ebb_tensor *const *x, int n_y,
                                  ebb_tensor **y);

/* A function with a derivative of its own: dx[i], of x[i]'s shape, from the inputs, the outputs and the outputs' cotangents g;
 * dx[i] left NULL counts as zero. Called by ops, so that EBB_CREATE_GRAPH goes through it. */
typedef ebb_status (*ebb_fn_vjp)(ebb *e, void *user, int n_x, ebb_tensor *const *x, int n_y,
                                 ebb_tensor *const *y, ebb_tensor *const *g, ebb_tensor **dx);
typedef struct ebb_function ebb_function;
/* -> borrowed from the session, NULL on error. The name is for messages and traces. user must live as long as graphs of it do. */
EBB_API ebb_function *ebb_function_new(ebb *e, const char *name, ebb_fn forward, ebb_fn_vjp vjp, void *user);
/* Up to 32 inputs, 8 outputs. */
EBB_API ebb_status ebb_function_call(ebb_function *f, int n_x, ebb_tensor *const *x, int n_y, ebb_tensor **y);

typedef struct ebb_gradcheck_options { /* zero fields mean: the default. Start from {.size = sizeof(ebb_gradcheck_options)} */
    uint32_t size;
    double rtol, atol; /* 1e-5, 1e-7 */
    double step;       /* of the differences; 0: chosen for the size of each element */
    bool second;       /* the second derivative too */
} ebb_gradcheck_options;
/* Compares the derivatives of fn at these f64 inputs (those that need a gradient) with differences. EBB_E_VERIFY when they differ: the
 * error names input, element, both numbers. options may be NULL. Done by the first loaded verifier. */
EBB_API ebb_status ebb_gradcheck(ebb *e, ebb_fn fn, void *user, int n_x, ebb_tensor *const *x, int n_y,
                                 const ebb_gradcheck_options *options);
/* The same for a function with a derivative of its own: is the derivative right? */
EBB_API ebb_status ebb_function_check(ebb_function *f, int n_x, ebb_tensor *const *x, int n_y,
                                      const ebb_gradcheck_options *options);

/* A tensor of session `to` over the memory of t, which belongs to another session: parameters that several threads read. In-place ops
 * and ebb_data_mut refuse it; it may need a gradient (ebb_requires_grad), which each session then has for itself. t must outlive it
 * and must not be written to meanwhile. Contiguous tensors only. */
EBB_API ebb_tensor *ebb_share(ebb *to, const ebb_tensor *t);

/* ---- looking on ----------------------------------------------------------------------------------------------------- */

typedef enum ebb_event_kind {
    EBB_EV_OP = 1,         /* an op ran: op, x, y */
    EBB_EV_RULE,           /* a rule ran: op, x (saved ones; others NULL), y, g in, result dx */
    EBB_EV_BACKWARD_BEGIN, /* y[0]: the tensor backward starts from */
    EBB_EV_BACKWARD_END,   /* also of one that failed */
    EBB_EV_LEAF_GRAD, /* a leaf's gradient is about to be added to .grad: x[0] the leaf, dx the contribution */
    EBB_EV_STEP       /* an optimizer stepped */
} ebb_event_kind;

/* Everything is borrowed and lives during the callback only. */
typedef struct ebb_event {
    uint32_t size;
    int32_t kind;
    const ebb_op *op;
    int32_t n_x, n_y;
    ebb_tensor *const *x, *const *y;
    ebb_tensor *g;      /* EBB_EV_RULE: the cotangent that came in */
    ebb_tensor *dx;     /* EBB_EV_RULE, EBB_EV_LEAF_GRAD */
    int32_t which;      /* EBB_EV_RULE: the input that dx is for */
    const char *region; /* "block1/attention", "" at the top */
    const void *attrs;
    int32_t depth; /* EBB_EV_OP: how many composed ops this call is inside of: their parts come before them, one deeper */
    int64_t node; /* the node on the tape (ebb_tape_node) that the op made or the rule is of; -1: none */
    ebb_tensor *const *gs; /* EBB_EV_RULE: the cotangents of all n_y outputs; gs[0] is g */
    bool inside; /* EBB_EV_OP: outside the program's graph: a part of an op or function with rules of its own, of an optimizer's or gradient
                  * function's work, or of a backward that keeps no graph */
    bool in_place; /* EBB_EV_OP: y[0] is x[0], and was written to */
} ebb_event;

/* On: a NaN that a rule makes, and any error in backward, stops with the forward op, its region and its inputs' shapes. */
EBB_API void ebb_anomaly(ebb *e, bool on);

/* Sees the gradient of t when backward has finished it; may return a replacement of its shape, or NULL to keep it. g is
 * borrowed, may be shared with other tensors' gradients, and must not be written to; ebb_retain keeps it. */
typedef ebb_tensor *(*ebb_grad_hook)(ebb_tensor *t, ebb_tensor *g, void *user);
EBB_API int64_t ebb_hook_add(ebb_tensor *t, ebb_grad_hook fn, void *user); /* -> handle > 0, 0 on error */
/* Runs when backward has added to leaf's .grad (which may then be used and cleared: an optimizer step as gradients come in). */
typedef ebb_status (*ebb_accumulated_hook)(ebb_tensor *leaf, void *user);
EBB_API int64_t ebb_hook_accumulated(ebb_tensor *leaf, ebb_accumulated_hook fn, void *user); /* -> handle > 0, 0 on error */
/* Sees every call of an op (NULL: of any) in a region and those inside it (NULL: anywhere), forwards (EBB_EV_OP) or backwards
 * (EBB_EV_RULE, one for each input). Another status than EBB_OK stops what runs. -> handle > 0, 0 on error */
typedef ebb_status (*ebb_op_hook)(ebb *e, const ebb_event *ev, void *user);
EBB_API int64_t ebb_hook_forward(ebb *e, const char *op, const char *region, ebb_op_hook fn, void *user);
EBB_API int64_t ebb_hook_backward(ebb *e, const char *op, const char *region, ebb_op_hook fn, void *user);
/* Sees every event of one kind. The same otherwise. */
EBB_API int64_t ebb_hook_event(ebb *e, ebb_event_kind kind, ebb_op_hook fn, void *user);
EBB_API void ebb_hook_remove(ebb *e, int64_t handle); /* of any kind; unknown ones do nothing */

/* The tape, for tools: node i of [0, ebb_tape_len). Everything borrowed until the tape changes. */
typedef struct ebb_node_info {
    const struct ebb_op *op;
    const void *attrs;
    const char *region;
    int32_t n_x, n_y;
    const ebb_shape *x_shape, *y_shape;
    const int64_t *x_node;                       /* node that made input i; -1: not from the tape */
    const int32_t *x_out;                        /* which of its outputs */
    ebb_tensor *const *x_leaf;                   /* the leaf, when input i is one that needs a gradient */
    ebb_tensor *const *x_saved, *const *y_saved; /* kept for the rules; NULL: not */
    bool spent;                                  /* backward has passed and freed it */
} ebb_node_info;
EBB_API int64_t ebb_tape_len(const ebb *e);
EBB_API ebb_status ebb_tape_node(ebb *e, int64_t i, ebb_node_info *out);
EBB_API int64_t ebb_node_of(const ebb_tensor *t); /* the node that made t; -1: none */

/* ---- optimizers, gradient functions, probes, files: plugins, called by name -------------------------------------- */

typedef struct ebb_optim ebb_optim;
/* Over all parameters of the session; attributes as text, "lr=1e-3 weight_decay=0.01". -> owned, ebb_optim_free (ebb_close frees it too). */
EBB_API ebb_optim *ebb_optim_new(ebb *e, const char *name, const char *attrs);
/* Over these n tensors (retained). */
EBB_API ebb_optim *ebb_optim_over(ebb *e, const char *name, const char *attrs, size_t n, ebb_tensor *const *params);
EBB_API ebb_status ebb_optim_set(ebb_optim *o, const char *attrs); /* changes the named ones: "lr=1e-4" */
EBB_API ebb_status ebb_optim_step(ebb_optim *o); /* parameters without a gradient are left alone */
EBB_API void ebb_optim_free(ebb_optim *o);
EBB_API ebb_status ebb_zero_grad(ebb_optim *o); /* gradients become absent */

/* "clip_norm" "max_norm=1", "clip_value" "clip_value=0.5", over all parameters that have a gradient. -> its number (the norm before clipping), NAN on error */
EBB_API double ebb_grads(ebb *e, const char *name, const char *attrs);

EBB_API ebb_status ebb_probe_on(ebb *e, const char *name, const char *attrs);
EBB_API ebb_status ebb_probe_off(ebb *e, const char *name);

/* All parameters to or from a file; the format by its ending, ".safetensors". */
EBB_API ebb_status ebb_save(ebb *e, const char *path);
EBB_API ebb_status ebb_load(ebb *e, const char *path);

/* ---- for libraries on top: model languages, viewers ------------------------------------------------------------------ */

/* Zeroed memory of the session: counted, limited, and gone with it at the latest; 64-byte aligned. NULL and EBB_E_MEMORY when there is none. Given
 * back with the size it was asked with; NULL is fine. */
EBB_API void *ebb_memory_get(ebb *e, size_t bytes);
EBB_API void ebb_memory_put(ebb *e, void *p, size_t bytes);
/* *(void **)array holds *cap items, `used` of them in use: makes room for `more`. On failure it stays as it is. */
EBB_API bool ebb_memory_grow(ebb *e, void *array, size_t *cap, size_t used, size_t more, size_t item);
/* What a library keeps with a session: zeroed at first, the same at every call, until ebb_close. ebb_kept: NULL when there is none yet. */
EBB_API void *ebb_keep(ebb *e, const char *key, size_t bytes);
EBB_API void *ebb_kept(const ebb *e, const char *key);
EBB_API uint64_t ebb_scope_id(const ebb *e); /* of the innermost open scope, never given twice; 0: none is open */
EBB_API bool ebb_scope_open(const ebb *e, uint64_t id); /* that scope has not ended; true for 0, the session itself */
/* An op's attribute struct with its defaults, zeros where an attribute has none. Borrowed; NULL: no such op, or no attributes. */
EBB_API const void *ebb_op_defaults(const ebb *e, const char *name);
/* "did you mean": that of the n words which is nearest; NULL when none is close. */
EBB_API const char *ebb_nearest(const char *word, size_t n, const char *const *list);

/* ---- plugins, backends, verification -------------------------------------------------------------------------------- */

/* One check of one op, as it ends. Strings live during the callback. */
typedef struct ebb_check {
    const char *op;
    const char *check; /* "gradient", "layout", ... */
    const char *dtype; /* "f64" */
    int32_t cases;     /* how many comparisons or calls it made */
    double margin;     /* worst error as a part of what is allowed: < 1 passes; 0: exact */
    bool passed, skipped;
    const char *message; /* failed: what, where, a guess at the cause, how to replay; skipped: why; passed: "" */
} ebb_check;

typedef struct ebb_verify_options {
    uint32_t size;
    void (*report)(void *user, const ebb_check *c); /* may be NULL */
    void *user;
    uint64_t seed;
    const char *only;    /* one check by name, NULL: all */
    const char *backend; /* compare this backend's kernels with the reference too; NULL: none */
} ebb_verify_options;

/* Runs the verifier on a registered op. opt may be NULL. -> EBB_OK or EBB_E_VERIFY (the session's error is not set by a failed check). */
EBB_API ebb_status ebb_verify(ebb *e, const char *op, const ebb_verify_options *opt);
/* Loads a plugin file: reads its entry, checks it, verifies its ops, then registers all of it or nothing.
 * path must hold a '/'. opt gives the report of the verification; may be NULL. -> the plugin's name, borrowed; NULL on error */
EBB_API const char *ebb_plugin_load(ebb *e, const char *path, const ebb_verify_options *opt);
/* The same for the entry of a plugin that is in memory already, which must stay there: from a page that has instantiated a module
 * itself. from: where it came from, for messages. */
struct ebb_plugin;
EBB_API const char *ebb_plugin_add(ebb *e, const struct ebb_plugin *entry, const char *from,
                                   const ebb_verify_options *opt);
EBB_API size_t ebb_plugin_count(const ebb *e);
EBB_API const struct ebb_plugin *ebb_plugin_at(const ebb *e, size_t i);
EBB_API const char *ebb_plugin_path(const ebb *e, size_t i); /* "built in" for those linked in */

/* Kernels of the backend of that name are used from now on where they accept; "portable": only the ops' own.
 * "auto": the best that is there. A backend that is not loaded is looked for as <plugin dir>/<name>.so. */
EBB_API ebb_status ebb_backend_use(ebb *e, const char *name);
EBB_API const char *ebb_backend_name(const ebb *e);
EBB_API const char *ebb_plugin_dir(void); /* where this build keeps its optional plugins; "" when nowhere */

#ifdef __cplusplus
}
#endif
#endif
