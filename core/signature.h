/* signature.h - floor 2: a parsed signature and an op as the registry holds it. Private to core/. */
#ifndef EBB_SIGNATURE_H
#define EBB_SIGNATURE_H
#include "session.h"

enum { MAX_SIG = 16, MAX_LETTERS = 8, MAX_OUT = EBB_MAX_OPERANDS };

/* All outputs of a call. */
typedef struct ebb__outs {
    int n;
    ebb_tensor *y[MAX_OUT];
} ebb__outs;

/* An operand of a signature: its core dims as places in the list of letters. */
typedef struct ebb__operand {
    uint8_t ndim, dim[EBB_MAX_DIMS];
    uint8_t dtype; /* EBB_NONE: the common dtype T */
    int8_t below;  /* letter that bounds an index, -1: none */
    bool optional, variadic;
} ebb__operand;

typedef struct ebb__kernels { /* of one op, by dtype, at the session's vector level */
    ebb_kernel_fn fn[EBB_DTYPES];
} ebb__kernels;

typedef struct ebb__backend_entry {
    struct ebb__backend_entry *next;
    const struct ebb_backend_decl *backend;
    bool (*accepts)(const ebb_loop *);
    int32_t score;
    ebb_kernel_fn fn[EBB_DTYPES];
} ebb__backend_entry;

struct ebb__walk;
struct ebb__node;

/* An op in the registry: its declaration and what is derived from it once. */
typedef struct ebb__entry {
    const ebb_op *op;
    uint32_t hash;
    uint8_t n_in, n_out; /* operands in the signature */
    uint8_t n_letters, required;
    bool variadic_out;                  /* as many outputs as its compose function makes */
    bool variadic, pointwise;           /* pointwise: no core dims anywhere, no infer, no axes */
    bool needs_attrs;                   /* one of them has no default */
    bool has_kernel, has_ranges, all_T; /* all_T: every operand has the common dtype and none is optional */
    int8_t keepdim_at;                  /* attribute index of keepdim, -1 */
    int8_t dtype_at; /* attribute index of dtype, -1: none; the T of an op without inputs */
    int8_t key_at;   /* attribute index of key of a random op, -1 */
    int8_t axes_at;  /* attribute index of the axes attribute, -1 */
    char letter[MAX_LETTERS];
    ebb__operand arg[MAX_SIG];
    ebb__kernels ref;
    ebb__backend_entry *backends; /* best score first; only those in use */
    struct ebb__entry **pull;     /* per input: an internal op, NULL: none; n_in of them */
    void *defaults;               /* attrs_size bytes */
    /* A node that is no op of the registry (a function of the user's): its whole backward, with the shapes of its outputs. */
    ebb_status (*back)(struct ebb__walk *w, struct ebb__node *n, size_t index, const ebb_shape *y_shape);
    uint32_t plugin;       /* index in the session's plugin list */
    const ebb_op *pull_op; /* of a pull entry: the synthesised declaration, owned */
} ebb__entry;

/* The signature's operand for input i of a call: the last one serves all further inputs of a variadic op. */
static inline const ebb__operand *ebb__input(const ebb__entry *x, int i) {
    return &x->arg[i < x->n_in ? i : x->n_in - 1];
}

/* attrs.c */
ebb_status ebb__attrs_defaults(ebb *e, const char *what, const ebb_attr *table, size_t n, void *out);
ebb_status ebb__attrs_parse(ebb *e, const char *what, const ebb_attr *table, size_t n, const char *text,
                            void *inout);
ebb_status ebb__attrs_check(ebb *e, const char *what, const ebb_attr *table, size_t n, const void *attrs);
size_t ebb__attr_size(int type);
const char *ebb__nearest(const char *word, const char *(*at)(const void *, size_t), const void *list, size_t n);

/* signature.c */
const char *ebb__operand_name(const char *sig, int i, char *buf, size_t n); /* operand i counting inputs, then outputs */
#endif
