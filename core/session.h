/* session.h - floor 1: what a session and a tensor are made of. Private to core/.
 *
 * Invariants:
 *   - a tensor's storage belongs to its root (itself unless it is a view); a view holds one reference on its root;
 *   - every tensor of a scope stands once in e->owned, and that is one reference;
 *   - t->node is only valid while the tape's node of that index has t->epoch (else its graph is gone);
 *   - once e->code is set, no op runs. */
#ifndef EBB_SESSION_H
#define EBB_SESSION_H
#include "alloc.h"
#include <ebb/ebb.h>
#include <ebb/entry.h>
#include <ebb/op.h>
#include <stdarg.h>

enum ebb__flags {
    T_REQUIRES = 1, /* a leaf that needs a gradient */
    T_CONTIG = 2,   /* row-major without gaps */
    T_BORROWED = 4, /* data is the caller's */
    T_INLINE = 8,   /* data lies in the tensor's own block */
    T_FENCED = 16,  /* guard mode: fences around data */
    T_NUMBER = 32,  /* a constant made from a C number: takes the dtype of its partner */
    T_ESCAPES = 64, /* goes to the scope around at ebb_end */
    T_WANTED = 128, /* ebb_grad asks for it (only during that call) */
    T_DETACHED = 256, /* from ebb_detach, or a view of such: no gradient flows through it to the tensor it came from */
    T_ALIAS = 1024, /* shares storage with others but has a place of its own in the graph: in-place changes end here */
    T_READONLY = 2048, /* shared from another session */
    T_KEEPS = 512      /* counted in e->keepers: the graph behind it outlives its scope as long as it does */
};

/* What few tensors have. */
typedef struct ebb__ext {
    char *name;
    ebb_tensor *grad;     /* accumulated */
    ebb_tensor *pending;  /* of the backward that is running */
    ebb_tensor *base;     /* of a view whose base is not its root: that (retained) */
    const ebb_op *writer; /* of a root: the op that last changed it in place, NULL: ebb_data_mut */
    uint32_t rebased;     /* of a root: how often an in-place op gave it a new place in the graph */
    int32_t hooks;        /* how many the session's list has for it */
} ebb__ext;

struct ebb_tensor {
    const ebb_host *host; /* first: the ABI's promise. Also the session. */
    void *data;
    ebb_tensor *root;
    ebb__ext *ext;
    uint32_t refs;
    uint32_t version; /* of a root: how often its storage was changed in place; of a view: its root's `rebased` when it was made */
    uint32_t node;  /* 1 + index of the node that made it; 0: none */
    uint32_t epoch; /* of that node */
    int64_t numel;
    uint8_t dtype, ndim;
    uint16_t flags;
    uint16_t out;   /* which of the node's outputs */
    uint16_t holds; /* how many of the references are the user's, from ebb_retain */
    int64_t dim[];  /* shape[ndim], then stride[ndim], then inline data */
};

static inline int64_t *t_shape(const ebb_tensor *t) { return (int64_t *)(uintptr_t)t->dim; }
static inline int64_t *t_stride(const ebb_tensor *t) { return (int64_t *)(uintptr_t)t->dim + t->ndim; }
static inline ebb *t_session(const ebb_tensor *t) { return (ebb *)(uintptr_t)t->host; }

struct ebb_scope {
    ebb *e;
    uint64_t id;
    ebb_scope *outer;
    size_t owned_mark;
    size_t tape_mark;
    int no_grad; /* depth when it began */
    bool open;   /* ended ones wait on e->spare_scopes: ending one twice does nothing */
    bool keeps;  /* an in-place op in it gave a tensor from outside a place in its graph */
};

/* What a library on top keeps with the session: its bytes follow. */
typedef struct ebb__kept {
    struct ebb__kept *next;
    char key[24];
} ebb__kept;

struct ebb__registry;
struct ebb__tape;
struct ebb__probes;

/* A gradient hook, on a leaf or on the output of a node. */
typedef struct ebb__hook {
    int64_t id;
    ebb_tensor *t;              /* retained */
    ebb_grad_hook fn;           /* one of the two */
    ebb_accumulated_hook after; /* when .grad has been added to */
    void *user;
} ebb__hook;

struct ebb {
    ebb_host host; /* first */
    ebb_status code;
    char error[1536];
    ebb__alloc mem;
    ebb_options opt;
    int threads, level;
    int64_t grain;
    int no_grad; /* depth of no_grad regions */
    int depth;   /* composed ops that are running, one inside the other */
    int hidden; /* calls that are one whole for those who look on: composed ops and functions with rules of their own, optimizers */
    bool in_backward;
    bool keeps_graph;          /* the running backward has EBB_CREATE_GRAPH */
    ebb_scope *backward_scope; /* the innermost scope when the running backward began */
    const char *rule_of;       /* op whose rule is running, for messages */
    int rule_input;

    ebb_tensor **owned; /* tensors of open scopes, innermost last */
    size_t n_owned, cap_owned;
    ebb_scope *scope, *spare_scopes;
    uint64_t scopes;  /* begun so far */
    size_t keepers;   /* tensors that keep a graph beyond its scope */
    size_t kept_from; /* first node so kept; SIZE_MAX: none, or none that can be cut on its own */
    int64_t live;     /* tensor objects */

    ebb_tensor **params;
    size_t n_params, cap_params;
    ebb__hook *hooks;
    size_t n_hooks, cap_hooks;
    int64_t next_hook;

    char **regions; /* full names; regions[0] is "" */
    uint32_t n_regions, cap_regions, region, last_region;
    uint32_t region_lost; /* begins that had no memory: their ends do nothing */
    uint32_t *region_stack;
    uint32_t n_region_stack, cap_region_stack;

    uint64_t seed, draws; /* the generator: key and counter */
    struct ebb__registry *reg;
    struct ebb__tape *tape;
    struct ebb__probes *probes; /* NULL: none is on */
    bool anomaly;
    ebb_function *functions; /* the user's, newest first */
    ebb_optim *optims;       /* list of the open ones */
    ebb__kept *kept;         /* of libraries on top */
};

/* error.c */
ebb_status ebb__vfail(ebb *e, ebb_status code, const char *format, va_list args);
void ebb__context(ebb *e, const char *format, ...) EBB_PRINTF(2, 3); /* puts words before the message that is set */

int64_t ebb__key_next(ebb *e); /* rng.c: a key for a random op, not 0 */

/* memory of a session: NULL and EBB_E_MEMORY when there is none */
void *ebb__get(ebb *e, size_t bytes);
void *ebb__get0(ebb *e, size_t bytes); /* zeroed */
void ebb__put(ebb *e, void *p, size_t bytes);
/* Grows an array to hold n more; keeps it as it is on failure. */
bool ebb__grow(ebb *e, void *array, size_t *cap, size_t used, size_t more, size_t item);
char *ebb__strdup(ebb *e, const char *s);
void ebb__strfree(ebb *e, char *s);

/* References of the engine's own. */
static inline ebb_tensor *t_hold(ebb_tensor *t) {
    if (t) t->refs++;
    return t;
}
void ebb__drop(ebb_tensor *t);

void ebb__kept_graph_ends(ebb *e); /* scope.c: nothing keeps a graph beyond its scope any more */

/* tensor.c */
bool ebb__shape_fits(ebb *e, int dtype, int ndim, const int64_t *shape); /* false: and the error is set */
bool ebb__owned_since(const ebb *e, const ebb_tensor *t, size_t mark);
ebb_tensor *ebb__tensor(ebb *e, int dtype, int ndim, const int64_t *shape); /* uninitialised, in the scope */
ebb_tensor *ebb__view(ebb_tensor *of, int ndim, const int64_t *shape, const int64_t *stride, int64_t offset);
void ebb__touch(ebb_tensor *t, const ebb_op *writer); /* its storage was changed */
ebb__ext *ebb__ext_of(ebb_tensor *t);                 /* makes it; NULL on failure */
bool ebb__own(ebb *e, ebb_tensor *t);                 /* puts t into the scope; releases it on failure */
void ebb__owned_cut(ebb *e, size_t mark);             /* releases owned[mark..], keeping those that escape */
int64_t ebb__contig_strides(int ndim, const int64_t *shape, int64_t *stride); /* -> numel */
bool ebb__is_contig(int ndim, const int64_t *shape, const int64_t *stride);
const char *ebb__shape_text(char *buf, size_t n, int ndim, const int64_t *shape);
bool ebb__fences_intact(const ebb_tensor *t, char *why, size_t why_n); /* guard mode */
int64_t ebb__place_of(const ebb_tensor *t, int64_t flat); /* where element `flat` of the row-major order lies */
double ebb__load(int dtype, const void *p, int64_t i);
void ebb__store(int dtype, void *p, int64_t i, double v);
extern const uint8_t ebb__dsize[EBB_DTYPES];

#endif
