/* model.h - floor 6: a model while it is run: its tree, values, regions, parameters, data. Private to lang/.
 *
 * Invariants: once m->has_problem, nothing runs until ebb_model_clear; every tensor that outlives a run (constants, inputs, data) is
 * retained by exactly one place, which releases it; the values of a run are read only while the scope of that run is open. */
#ifndef EBB_LANG_MODEL_H
#define EBB_LANG_MODEL_H
#include "tree.h"
#include <stdio.h>

struct ebb__making; /* generate.c */

/* ---- values ---- */

enum { V_NONE = 0, V_NUMBER, V_TENSOR, V_LIST, V_WORD };

typedef struct ebb__value {
    uint8_t kind;
    union {
        double number;
        ebb_tensor *tensor;
        struct ebb__list *list;
        const char *word;
    };
} ebb__value;

typedef struct ebb__list {
    int32_t n;
    bool results; /* several results of a call, not a list that was written */
    bool fixed;   /* belongs to the tree, not to one run */
    ebb__value *item;
    struct ebb__list *next; /* of the model's fixed ones */
    const char *name;       /* that it was assigned to first */
    ebb_tensor *tensor;     /* it as a tensor of the model's floats; fixed: retained */
} ebb__list;

/* ---- what a run goes through ---- */

/* One entry into a region: of a def, a round, a `region`. The k-th entry under a name is the same at every run. */
typedef struct ebb__region {
    struct ebb__region *outer;
    const char *label; /* "block.2" */
    char *path;        /* "encoder/block.2" */
    struct ebb__tally *tally;
} ebb__region;

/* How often a name has been entered from one region in this run. */
typedef struct ebb__tally {
    struct ebb__tally *next;
    const char *name;
    uint64_t run;
    int32_t n, cap;
    ebb__region **entry;
} ebb__tally;

/* A parameter, or an input that has no data. */
typedef struct ebb__made {
    const ebb__node *node;
    const ebb__region *region;
    ebb_tensor *t;
    const char *name; /* in full */
    bool input;
    uint64_t run; /* the last one that came by */
} ebb__made;

/* ---- data ---- */

typedef struct ebb__feed {
    const ebb_dataset *set;      /* NULL: no data */
    ebb_dataset own;             /* a generated one, whose tensors the model retains */
    const char *x_name, *y_name; /* what the columns are called */
    int64_t batch;
    bool shuffle;
    int64_t *order; /* of the training part, for the epoch */
    size_t order_bytes;
    int64_t epoch, at; /* the epoch that `order` is of, -1: none; examples used of it */
    /* what this run is fed */
    ebb_tensor *x, *y;
    int64_t examples;
} ebb__feed;

enum { RUN_TRAIN = 0, RUN_EVALUATE, RUN_PREDICT };

typedef struct ebb__training {
    ebb_optim *optim;
    char *attrs; /* of the optimizer, as text */
    size_t attrs_bytes;
    int64_t steps, warmup, done;
    double lr, clip; /* clip 0: none */
    int schedule;    /* a place in ebb__schedules */
    bool zero_grad;
} ebb__training;

struct ebb_model {
    ebb *e;
    ebb_dtype dtype;       /* of all floats: f32, in a gradient check f64 */
    const ebb_model *twin; /* gradient check: the model whose data and parameters are used */
    char *name, *text;
    size_t n_text;
    ebb__tree tree;
    bool readable; /* the text could be read; else its problem stays */
    bool started;  /* the first run went well */

    bool has_problem;
    ebb_problem problem;
    char words[1600], hint[160];

    ebb__value *stack; /* the variables of the model, then those of running defs and arguments */
    int32_t cap_stack, top, base;
    int depth; /* defs inside each other */
    int64_t calls;
    uint64_t run;
    ebb__arena scratch;      /* lists of one run */
    const ebb__node *at;     /* the call that is being run, NULL: none */
    const ebb__node *caller; /* of the def that is being run */
    ebb__value result;       /* of a def, or of the last statement */
    bool returning, stopped;
    int mode;
    bool quiet;     /* metrics are left out */
    uint64_t scope; /* the one that the values of the last run belong to */
    bool has_run;
    struct ebb__site *sites;
    ebb__list *lists; /* fixed ones */
    double metric[MAX_METRICS];

    ebb__region root, *region;
    int32_t n_regions;
    ebb__made *made;
    size_t n_made, cap_made, next_made;
    size_t first_input; /* of `made`: the input that a prediction is fed to; SIZE_MAX: none */
    bool restarting;    /* parameters are filled anew */
    ebb__feed feed;
    ebb_tensor *given_x; /* a prediction: what the input is fed from, when there is no data */
    ebb__training training;
    uint64_t seed; /* all random numbers of the model follow from it */
};

/* ---- problem.c ---- */

/* Sets the model's problem and the session's error, unless there is one. -> false, to be returned */
bool ebb__problem(ebb_model *m, ebb_status code, ebb_span span, const char *hint, const char *format, ...)
    EBB_PRINTF(5, 6);
/* The session's error (of an op) becomes the problem of this place. -> false */
bool ebb__problem_of_op(ebb_model *m, ebb_span span);
/* "did you mean X?" in buf, or "". */
const char *ebb__did_you_mean(char *buf, size_t n, const char *word, size_t n_list, const char *const *list);

/* ---- eval.c, value.c, call.c: what nodes are worth ---- */

bool ebb__eval(ebb_model *m, const ebb__node *n, ebb__value *out);
bool ebb__eval_number(ebb_model *m, const ebb__node *n, const char *what, double *out);
bool ebb__eval_tensor(ebb_model *m, const ebb__node *n, ebb_tensor **out);
/* Runs the statements once, on what m->feed has. -> false: there is a problem, or the session failed */
bool ebb__run_text(ebb_model *m, int mode);
bool ebb__run_block(ebb_model *m, const ebb__node *block);
bool ebb__ready(ebb_model *m); /* it can run; false: the session's error says why not */
ebb_span ebb__assigned_at(const ebb_model *m, int32_t slot); /* the last statement at the top that assigns the variable */
bool ebb__count_call(ebb_model *m, ebb_span span); /* one more; false: too many */

/* A tensor of a value: a number becomes a 0-d one of that dtype, a list its elements. NULL: a problem */
ebb_tensor *ebb__as_tensor(ebb_model *m, const ebb__value *v, ebb_span span, ebb_dtype dtype);
bool ebb__as_ints(ebb_model *m, const ebb__value *v, ebb_span span, const char *what, ebb_ints *out);
bool ebb__whole(double v, int64_t *out); /* v is a whole number an int64_t can hold */
const char *ebb__describe_value(const ebb__value *v, char *buf, size_t n); /* "a number", "f32[2,3]" */
ebb__list *ebb__list_new(ebb__arena *a, int32_t n);
ebb__value *ebb__push(ebb_model *m, int32_t n, ebb_span span); /* room on the stack, zeroed; NULL: a problem */

void ebb__lists_close(ebb_model *m); /* lets go of the tensors of fixed lists */

/* A call of an op whose arguments are evaluated: values[i] is that of n->kid[i]. */
bool ebb__call_op(ebb_model *m, const ebb__node *n, const ebb__value *values, ebb__value *out);
void ebb__sites_close(ebb_model *m); /* lets go of the constants of all calls */

/* ---- functions of the language (builtin.c) ---- */

typedef struct ebb__builtin {
    const char *name, *doc;
    int least, most;   /* arguments; most -1: any number */
    const char *named; /* "dtype|fan_in": names that arguments may have, NULL: none */
    bool (*run)(ebb_model *m, const ebb__node *n, const ebb__value *values, ebb__value *out);
} ebb__builtin;
extern const ebb__builtin ebb__builtins[];
const ebb__builtin *ebb__builtin_find(const char *name);
double (*ebb__number_function(const char *op))(double); /* sqrt, exp ... of a plain number; NULL: none */
const ebb__value *ebb__named_value(const ebb__node *n, const ebb__value *values, const char *name); /* NULL: not given */

/* ---- made.c: parameters and inputs; region.c ---- */

bool ebb__make_param(ebb_model *m, const ebb__node *n, const ebb__value *values, ebb__value *out);
bool ebb__make_input(ebb_model *m, const ebb__node *n, const ebb__value *values, ebb__value *out);
void ebb__made_input_again(ebb_model *m, ebb__made *made); /* other random numbers */
void ebb__made_free(ebb_model *m);
extern const char *const ebb__inits[][2]; /* name, doc; ends with NULL */

bool ebb__region_in(ebb_model *m, const char *name, bool numbered, ebb_span span); /* numbered: the first is .1 too */
void ebb__region_out(ebb_model *m);
/* A seed that follows from the model's and what it is for. */
uint64_t ebb__seed_for(const ebb_model *m, const char *what, uint64_t k);

/* ---- dataset.c, generate.c, feed.c ---- */

/* What the language keeps with a session. */
typedef struct ebb__lang {
    struct ebb__known *known; /* data sets that were added, newest first */
    ebb_model *model;         /* the one there is */
} ebb__lang;
ebb__lang *ebb__lang_of(ebb *e); /* NULL: no memory */

/* A set that was added, loaded now when it was not; NULL: none of that name, or it could not be loaded. */
const ebb_dataset *ebb__set_find(ebb *e, const char *name);

typedef struct ebb__generator {
    const char *name, *doc;
    int64_t n; /* examples unless n= says otherwise */
    double noise;
    int classes, length; /* 0: it has no such option */
    bool all;            /* nothing is held back */
    void (*make)(struct ebb__making *g);
} ebb__generator;
extern const ebb__generator ebb__generators[]; /* ends with name NULL */
bool ebb__generate(ebb_model *m, const ebb__generator *g, const ebb__node *data, ebb_dataset *out); /* tensors retained */

bool ebb__feed_open(ebb_model *m); /* what the `data` statement says; no statement: nothing */
void ebb__feed_close(ebb_model *m);
bool ebb__feed_next(ebb_model *m, bool advance); /* the next batch of the training part */
bool ebb__feed_rows(ebb_model *m, bool held, int64_t first, int64_t n); /* examples in their own order */
int64_t ebb__feed_held(const ebb_model *m);
bool ebb__feed_like(ebb_model *m, const ebb_model *twin); /* the batch that twin's next step would see */

/* ---- train.c ---- */

bool ebb__training_open(ebb_model *m); /* reads the `train` statement, makes the optimizer */
void ebb__training_close(ebb_model *m);
extern const char *const ebb__schedules[];
bool ebb__seeded(ebb_model *m, uint64_t *seed); /* the statement has seed= */

/* A model of the same text and data whose floats are f64, in session e. */
ebb_model *ebb__twin_new(ebb *e, const ebb_model *m);

#endif
