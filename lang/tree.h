/* tree.h - floor 6: what a model's text becomes: tokens, then a tree of nodes that is made once and run many times. Private to lang/.
 *
 * Invariants: all of it lies in one arena and goes with it; names are interned, so equal names are equal pointers; no branch is deeper
 * than MAX_DEPTH nodes, so walking it needs no more stack than that. */
#ifndef EBB_LANG_TREE_H
#define EBB_LANG_TREE_H
#include <ebb/lang.h>
#include <ebb/op.h>

enum {
    MAX_TEXT = 1 << 20,   /* bytes of a model */
    MAX_NESTING = 64,     /* brackets and blocks inside each other */
    MAX_DEPTH = 512,      /* nodes from the root to a leaf: a + b + c ... is one deeper for each sign */
    MAX_ROUNDS = 10000,   /* of a repeat */
    MAX_CALLS = 1000000,  /* statements and calls of one run */
    MAX_ARGS = 48,        /* of one call */
    MAX_METRICS = 8,      /* as ebb_step has room for */
    MAX_VALUES = 1 << 14, /* values alive at once beside the variables of the model */
    MAX_REGIONS = 20000   /* regions of one model */
};

/* ---- memory: blocks of the session that go together ---- */

typedef struct ebb__arena {
    ebb *e;
    struct ebb__chunk *chunk; /* newest first */
} ebb__arena;
void *ebb__arena_get(ebb__arena *a, size_t bytes); /* zeroed; NULL and the session's error when there is none */
void ebb__arena_reset(ebb__arena *a);              /* forgets what was taken, keeps one chunk */
void ebb__arena_free(ebb__arena *a);

/* ---- tokens ---- */

enum { T_END = 0, T_LINE, T_NAME, T_NUMBER, T_TEXT, T_SYMBOL, T_WRONG };
/* Symbols of two characters. */
enum { S_POWER = 'P', S_EQUAL = 'E', S_UNEQUAL = 'N', S_AT_MOST = 'L', S_AT_LEAST = 'G' };

typedef struct ebb__token {
    int kind;
    int symbol; /* its character, or one of the above */
    double number;
    ebb_span span;
    const char *wrong; /* T_WRONG: words */
} ebb__token;

/* A place in the text; copying it remembers the place. */
typedef struct ebb__lexer {
    const char *text;
    int32_t n, at, line, column;
    int brackets; /* open ( and [: inside them a newline ends nothing */
} ebb__lexer;
ebb__token ebb__lex(ebb__lexer *l);

/* ---- nodes ---- */

typedef enum ebb__kind {
    /* expressions */
    N_NUMBER,   /* number */
    N_STRING,   /* name: "ij,jk->ik" */
    N_NAME,     /* name, slot; outer: of the model, read from inside a def */
    N_WORD,     /* name: the choice of an attribute, a dtype */
    N_LIST,     /* kids */
    N_OPERATOR, /* name of the op, symbol, 1 or 2 kids */
    N_CALL,     /* name, kids; of an op, a def or a function of the language */
    N_NAMED,    /* name = kid[0], in a call */
    N_INDEX, /* kid[0][kid[1]]; kid[2] is the call of select for a number, kid[3] that of index for a tensor */
    N_NONE,  /* an index that makes a new dim */
    N_RANGE, /* from:to:step, each NULL when left out */
    /* statements */
    N_BLOCK,
    N_ASSIGN, /* targets are kid[0 .. n-1), N_NAME; kid[n-1] the value */
    N_SHOW,   /* an expression alone */
    N_DEF,
    N_RETURN,
    N_REPEAT,  /* kid[0] how often, kid[1] body, slot of the counter or -1 */
    N_REGION,  /* name, kid[0] */
    N_NO_GRAD, /* kid[0] */
    N_DATA,
    N_METRIC,  /* name, kid[0] */
    N_PREDICT, /* name, kid[0] */
    N_TRAIN    /* name of the optimizer, kids N_NAMED */
} ebb__kind;

typedef struct ebb__node {
    uint8_t kind;
    uint8_t symbol; /* N_OPERATOR */
    bool fixed;     /* the same value at every run */
    bool resolved;
    bool outer;      /* N_NAME: a variable of the model, read inside a def */
    bool predefined; /* N_NAME: `training` */
    int16_t depth;
    int32_t slot; /* N_NAME, N_REPEAT; -1: none */
    int32_t n;
    struct ebb__node **kid;
    const char *name;
    double number;
    ebb_span span, name_span;
    struct ebb__def *def;           /* N_CALL of a def, N_DEF */
    const struct ebb__builtin *own; /* N_CALL of a function of the language */
    struct ebb__site *site;         /* N_CALL, N_OPERATOR of an op: what is remembered of it */
    struct ebb__list *list;         /* N_LIST, fixed: its value */
    struct ebb__node *init;         /* N_CALL param: what stands behind ~ */
    const char *target;             /* N_CALL param, input: the name it is assigned to */
} ebb__node;

/* The variables of the model or of one def. */
typedef struct ebb__names {
    const char **name;
    int32_t n, cap;
} ebb__names;

typedef struct ebb__def {
    struct ebb__def *next;
    const char *name;
    ebb_span span;
    int32_t n_params, n_required;
    ebb__node **by_default; /* of a parameter, NULL: it must be given */
    ebb__names names;       /* the parameters first */
    ebb__node *body;
    bool active; /* it is being run */
} ebb__def;

typedef struct ebb__tree {
    ebb__arena arena;
    const char ***interned; /* buckets: arrays that end with NULL */
    ebb__node *body;
    ebb__names names; /* of the model */
    ebb__def *defs;
    ebb__node *data, *predict, *train; /* the only ones of their kind, NULL */
    ebb__node *metric[MAX_METRICS];
    int n_metrics;
} ebb__tree;

struct ebb_model;
const char *ebb__intern(ebb__tree *t, const char *s, size_t n); /* NULL: no memory */
/* The tree of m->text in m->tree. false: m has a problem. */
bool ebb__parse(struct ebb_model *m);
/* Gives every name its slot, every call its op; says which names mean nothing. false: m has a problem. */
bool ebb__resolve(struct ebb_model *m);
int32_t ebb__slot_of(const ebb__names *names, const char *interned); /* -1: none */

#endif
