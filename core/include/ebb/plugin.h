/* plugin.h - floor 1: what authors of backends, optimizers, gradient functions, probes, formats and verifiers include.
 *
 * Each kind is one constant struct, listed in the plugin's entry (<ebb/entry.h>). All of them may use <ebb/ebb.h>;
 * a plugin built as a shared object finds those functions in the program that loads it. */
#ifndef EBB_PLUGIN_H
#define EBB_PLUGIN_H
#include <ebb/ebb.h>
#include <ebb/entry.h>
#include <ebb/op.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- backend: faster kernels for ops that exist ------------------------------------------------------------ */

/* One kernel for (op, dtype), same contract as the op's own (the reference), which always stays there. */
typedef struct ebb_backend_kernel {
    const char *op;
    const ebb_kernel *kernel;
    int32_t score;                         /* the highest that accepts wins; the reference has 0 */
    bool (*accepts)(const ebb_loop *item); /* NULL: always. Sees dims and strides of one item; p may be NULL */
} ebb_backend_kernel;

typedef struct ebb_backend_decl {
    uint32_t size;
    const char *name;
    const char *doc;
    const ebb_backend_kernel *kernels; /* ends with op NULL */
} ebb_backend_decl;

/* ---- optimizer -------------------------------------------------------------------------------------------- */

/* One parameter's update, elements [0, n) of contiguous arrays of the kernel's type T; ranges run on several threads. */
typedef struct ebb_update {
    uint32_t size;
    int64_t n;
    void *p;              /* the parameter, updated in place */
    const void *g;        /* its gradient */
    void *state[4];       /* the optimizer's arrays for this parameter, zero at first */
    int64_t step;         /* 1 at the first step of this parameter */
    const void *attrs;    /* the optimizer's struct */
    const double *consts; /* what `prepare` made for this step */
} ebb_update;

typedef ebb_status (*ebb_update_fn)(const ebb_update *u);
typedef struct ebb_update_kernel {
    int32_t dtype;
    ebb_update_fn fn[EBB_LEVELS];
} ebb_update_kernel;

typedef struct ebb_optim_decl {
    uint32_t size;
    const char *name;
    const char *math; /* the update as a formula */
    const char *doc;
    const char *ref;
    const ebb_attr *attrs; /* one of them is named lr */
    size_t n_attrs;
    size_t attrs_size;
    int32_t (*n_state)(const void *attrs); /* arrays of state it needs, at most 4 */
    void (*prepare)(const void *attrs, int64_t step, double consts[8]); /* once a parameter and step; may be NULL */
    const ebb_update_kernel *update;
    const char *(*refuse)(const void *attrs); /* words for attributes that do not go together, NULL: they do; may be NULL */
} ebb_optim_decl;

#define EBB_OPTIM(optim_name, ...)                                                                           \
    EBB_LOCAL extern const ebb_optim_decl ebb_optim_##optim_name;                                            \
    const ebb_optim_decl ebb_optim_##optim_name = {.size = sizeof(ebb_optim_decl), .name = #optim_name, __VA_ARGS__}

#if defined __x86_64__ && !defined EBB_ONE_LEVEL
#define EBB__UPDATE_LEVELS(fn)                                                                               \
    EBB__V3 static ebb_status fn##_v3(const ebb_update *u) { return fn(u); }                                 \
    EBB__V4 static ebb_status fn##_v4(const ebb_update *u) { return fn(u); }
#else
#define EBB__UPDATE_LEVELS(fn)
#endif
#define EBB__UPDATE_BODY(fn, type, ...)                                                                      \
    static EBB_INLINE ebb_status fn(const ebb_update *u) {                                                   \
        typedef type T;                                                                                      \
        __VA_ARGS__                                                                                          \
        return EBB_OK;                                                                                       \
    }                                                                                                        \
    EBB__UPDATE_LEVELS(fn)

/* An update whose body is compiled for T = float and T = double. `u` is its ebb_update. */
#define EBB_UPDATE(name, ...)                                                                                \
    EBB__UPDATE_BODY(name##_f32, float, __VA_ARGS__)                                                         \
    EBB__UPDATE_BODY(name##_f64, double, __VA_ARGS__)                                                        \
    static const ebb_update_kernel name[] = {                                                                \
        {EBB_F32, EBB__TABLE(name##_f32)}, {EBB_F64, EBB__TABLE(name##_f64)}, {0, {0}}};

/* ---- gradient function: reads or changes all gradients between backward and step ---------------------------- */

/* params with a gradient, n of them, borrowed. Runs outside the graph; tensors it makes end with the call. A gradient may be
 * shared: replace it with ebb_grad_set, never write into it. Writes a number (a norm ...) to *result when that is not NULL. */
typedef ebb_status (*ebb_gradfn)(ebb *e, ebb_tensor *const *params, size_t n, const void *attrs, double *result);

typedef struct ebb_gradfn_decl {
    uint32_t size;
    const char *name;
    const char *doc;
    const ebb_attr *attrs;
    size_t n_attrs;
    size_t attrs_size;
    ebb_gradfn apply;
} ebb_gradfn_decl;

/* ---- probe: listens to the event bus ------------------------------------------------------------------------ */

/* A probe. Another status than EBB_OK stops the call that raised the event: set the words with ebb_fail(). */
typedef struct ebb_probe_decl {
    uint32_t size;
    const char *name;
    const char *doc;
    const ebb_attr *attrs;
    size_t n_attrs;
    size_t attrs_size;
    size_t state_size; /* zeroed memory that each switched-on probe gets */
    uint32_t events;   /* 1 << kind for each kind it wants */
    ebb_status (*on)(ebb *e, const ebb_event *ev, const void *attrs, void *state);
    void (*off)(ebb *e, void *state); /* when it is switched off; may be NULL */
} ebb_probe_decl;

/* ---- file format -------------------------------------------------------------------------------------------- */

typedef struct ebb_format_decl {
    uint32_t size;
    const char *name;
    const char *ext; /* ".safetensors" */
    const char *doc;
    /* Writes n named tensors; the file at path is replaced whole or left as it was. */
    ebb_status (*save)(ebb *e, const char *path, size_t n, const char *const *names, ebb_tensor *const *tensors);
    /* Reads into tensors that exist, by name; shapes and dtypes must agree; nothing is changed on an error. */
    ebb_status (*load)(ebb *e, const char *path, size_t n, const char *const *names, ebb_tensor *const *tensors);
} ebb_format_decl;

/* ---- verifier ------------------------------------------------------------------------------------------------ */

/* Checks the op of that name, which must be registered in e, and reports each check to opt->report as it ends.
 * e is a session made for this; it may be left in any state. -> EBB_OK, or EBB_E_VERIFY when a check failed. */
typedef struct ebb_verifier_decl {
    uint32_t size;
    const char *name;
    const char *doc;
    ebb_status (*verify)(ebb *e, const ebb_op *op, const ebb_verify_options *opt);
    /* What ebb_gradcheck does: the derivatives of fn at these inputs against differences, in session e itself. May be NULL. */
    ebb_status (*gradcheck)(ebb *e, ebb_fn fn, void *user, int n_x, ebb_tensor *const *x, int n_y,
                            const ebb_gradcheck_options *options);
} ebb_verifier_decl;

#ifdef __cplusplus
}
#endif
#endif
