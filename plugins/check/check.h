/* check.h - floor 5: what the files of the verifier share: trials, numbers, runs, tallies. */
#ifndef EBB_CHECK_H
#define EBB_CHECK_H
#include <ebb/plugin.h>

enum { MAX_X = 12, MAX_Y = 8, MAX_MAIN = 40, MAX_SHAPES = 110, MAX_LARGE = 8, ATTRS_LEN = 192 };

/* n numbers on the host, row-major; every dtype is held as double. v is NULL when memory ran out. */
typedef struct vec {
    int64_t n;
    double *v;
} vec;

/* One input of a trial. dtype EBB_NONE: the type under test. below: indices stay under it. */
typedef struct operand {
    bool present;
    ebb_dtype dtype;
    ebb_ints shape;
    int64_t below;
} operand;

/* One way to call the op. must: the declaration promises that it works, so that an error is a failure; other trials
 * that the op refuses (a shape, an attribute) are dropped. */
typedef struct trial {
    char attrs[ATTRS_LEN];
    int n_x;
    operand x[MAX_X];
    bool must;
    bool coarse; /* in the f64 checks an output is f32: too few digits for differences */
} trial;

typedef struct block block;
typedef struct mark {
    block *at;
    size_t used;
} mark;

/* The verification of one op. */
typedef struct checker {
    ebb *from;  /* the caller's session */
    ebb *plain; /* one thread, no guard: most comparisons */
    ebb *guard; /* fenced outputs */
    const ebb_op *op;
    ebb_sig sig;
    bool variadic, pointwise, differentiable;
    bool any_shape; /* composed, and no signature that would say which dims belong together */
    ebb_dtype type; /* what T is in the f64 checks: EBB_F64 unless the op has no such kernel */
    const ebb_attr *axes;
    uint64_t seed;
    const ebb_verify_options *opt;
    trial *main, *shapes, *large;
    int n_main, n_shapes, n_large;
    char why_none[400]; /* why the first trial did not run */
    block *blocks;
    bool short_of_memory;
} checker;

/* Its shapes do not follow from its signature. */
static inline bool check_own_shapes(const checker *c) {
    return c->op->infer || (c->op->flags & EBB_OWN_SHAPES);
}

/* What one check has found so far. */
typedef struct tally {
    const char *check, *dtype;
    int cases;
    double margin;
    bool failed, skipped;
    char message[3000];
} tally;

/* ---- arena.c: memory that lives until a mark is passed again ------------------------------------------------------- */
void *check_take(checker *c, size_t bytes); /* NULL: none left, remembered in the checker */
mark check_mark(const checker *c);
void check_reset(checker *c, mark m);
vec check_vec(checker *c, int64_t n); /* zeros */
vec check_copy(checker *c, const vec *v);

/* ---- trials.c: the ways to call an op, from its declaration -------------------------------------------------------- */
bool check_trials(checker *c); /* fills the lists; false: no memory */
const ebb_sig_operand *check_arg(const checker *c, int i);
const ebb_vjp_rule *check_vjp(const checker *c, int i);  /* the rule of input i, NULL when it has none */
uint32_t check_wanted(const checker *c, const trial *t); /* bit i: input i has a gradient */
int64_t check_numel(const ebb_ints *shape);
bool check_has_zero(const trial *t);
bool check_attr_get(const char *attrs, const char *name, char *value, size_t n);
void check_attr_set(char attrs[ATTRS_LEN], const char *name, const char *value); /* value NULL: takes it out */
int check_axes_of(const checker *c, const trial *t, int32_t ndim, int axes[EBB_MAX_DIMS]); /* sorted, counted from 0 */

/* ---- shapelist.c: sizes and broadcasts ----------------------------------------------------------------------------- */
typedef struct plan { /* sizes of letters, batch dims of each input */
    int64_t size[128];
    ebb_ints batch[MAX_X];
} plan;
void check_plan_default(const checker *c, plan *p);
/* false when the trial would have more dims than a tensor can have */
bool check_build(const checker *c, const plan *p, const char *attrs, int n_x, trial *out);
bool check_build_axes(const checker *c, ebb_ints shape, const char *dims, const char *attrs, trial *out);
void check_shape_trials(checker *c, const char *attrs);
void check_large_trials(checker *c, const char *attrs);

/* ---- samples.c: numbers ------------------------------------------------------------------------------------------- */
uint64_t check_random(uint64_t *state);
double check_uniform(uint64_t *state); /* in [0,1) */
bool check_sample(checker *c, const trial *t, uint64_t salt, vec x[MAX_X]);
bool check_noise(checker *c, int64_t n, uint64_t salt, vec *out); /* +-(0.5 .. 1.5): cotangents, directions */
ebb_range check_domain(const checker *c, int input);
void check_round_f32(vec *v);

/* ---- runs.c: a call of the op and its gradients -------------------------------------------------------------------- */
typedef enum layout {
    LAY_PLAIN,
    LAY_TRANSPOSED,
    LAY_SLICED,
    LAY_STEP,
    LAY_EXPANDED,
    LAY_MISALIGNED,
    LAYOUTS
} layout;

typedef struct job {
    ebb *e;
    const trial *t;
    ebb_dtype type;
    const vec *x;
    const vec *g;    /* cotangents, NULL: forward only */
    uint32_t wanted; /* inputs that get a gradient */
    int flags;       /* of ebb_grad */
    layout lay_x[MAX_X], lay_g;
} job;

typedef struct live { /* inside its own scope */
    ebb *e;
    ebb_scope *scope;
    ebb_tensor *x[MAX_X], *y[MAX_Y], *g[MAX_Y], *dx[MAX_X];
    int n_y;
    bool smooth[MAX_Y]; /* output j can be differentiated */
} live;

typedef struct outcome {
    int n_y;
    ebb_ints y_shape[MAX_Y];
    ebb_dtype y_dtype[MAX_Y];
    bool smooth[MAX_Y];
    vec y[MAX_Y], dx[MAX_X]; /* dx: zeros where the engine gave none */
    bool given[MAX_X];
} outcome;

ebb *check_open(checker *c, int threads, int64_t grain, bool guard); /* NULL: no memory */
ebb_tensor *check_tensor(ebb *e, checker *c, ebb_dtype type, ebb_ints shape, const vec *v, layout lay);
bool check_lay_applies(layout lay, const ebb_ints *shape);
bool check_begin(checker *c, const job *j, live *l); /* tensors and the call; check_end in any case */
bool check_grads(const job *j, live *l);             /* fills l->dx */
void check_end(live *l);
bool check_run(checker *c, const job *j, outcome *o); /* all of it. false: the session's error says why */
bool check_read(checker *c, const ebb_tensor *t, vec *out);
bool check_cotangents(checker *c, const outcome *o, uint64_t salt, vec g[MAX_Y]);
bool check_is_float(ebb_dtype d);
/* sample, run forward in `plain`, draw cotangents, run backward: what most checks begin with. */
bool check_start(checker *c, tally *t, const trial *tr, job *j, vec x[MAX_X], vec g[MAX_Y], outcome *o);

/* ---- numeric.c: derivatives by differences ------------------------------------------------------------------------- */
typedef bool (*check_fn)(checker *c, void *arg, vec *out);
/* d f / d t at 0 along var + t*dir (dir[i].v NULL: held), central differences with Richardson's step. */
bool check_slope(checker *c, check_fn f, void *arg, vec *var, const vec *dir, int n_var, double h, vec *out);
bool check_eval_outputs(checker *c, void *job_of, vec *out); /* all smooth outputs of a job, joined */
bool check_join(checker *c, const outcome *o, const vec g[MAX_Y], vec *out); /* cotangents to match that */
double check_step(double x);
double check_dot(const vec *a, const vec *b);
double check_biggest(const vec *v);

/* ---- report.c: words ------------------------------------------------------------------------------------------------ */
typedef struct compare {
    const char *what;       /* "gradient wrong" */
    int input, output;      /* which operand; -1: none */
    const char *got, *want; /* heads of the columns */
    double rtol, atol;      /* |got - want| <= atol + rtol * max(|got|, |want|) */
    const ebb_ints *shape;  /* of the operand, for indices; NULL: flat */
    const char *hint;       /* the guess when the numbers suggest none */
} compare;
bool check_same(checker *c, tally *t, const trial *tr, const compare *how, const vec *got, const vec *want);
bool check_fail(checker *c, tally *t, const trial *tr, const char *guess, const char *format, ...)
    EBB_PRINTF(5, 6);
bool check_engine(checker *c, tally *t, const trial *tr, ebb *e,
                  const char *doing); /* fails with the engine's words; clears them */
void check_skip(tally *t, const char *why);
bool check_bits_equal(const vec *a, const vec *b);
const char *check_input_name(const checker *c, int i);
void check_say(char *buf, size_t n, const char *format, ...) EBB_PRINTF(3, 4); /* appends */

/* ---- the checks ------------------------------------------------------------------------------------------------------ */
typedef void check_body(checker *c, tally *t);
check_body check_contract, check_gradient, check_cotangent, check_adjoint, check_subsets, check_second,
    check_pull, check_layout, check_shapes, check_f32, check_special, check_kinks, check_determinism,
    check_threads, check_attrs, check_saved, check_alloc, check_errors, check_descent, check_backend;
bool check_gradient_at(checker *c, tally *t, const trial *tr, bool deep); /* deep: the whole Jacobian where it is small */
/* gradcheck.c: ebb_gradcheck */
ebb_status check_function(ebb *e, ebb_fn fn, void *user, int n_x, ebb_tensor *const *x, int n_y,
                          const ebb_gradcheck_options *o);
bool check_looped(checker *c, tally *t, const trial *tr, const job *j, const outcome *whole); /* batched equals looped */

#endif
