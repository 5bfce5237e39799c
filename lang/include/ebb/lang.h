/* lang.h - floor 6: the model language: a text becomes a model that runs, trains and is checked, in the terminal and in the page.
 *
 * docs/language.md describes the language. A model is data: it calls ops of the session's registry and nothing else.
 *
 * Errors: what is wrong in the text is the model's problem (ebb_model_problem: words, place, hint) and the session's error (EBB_E_ARG with "line
 * 3, column 9: ..." before the words), so either may be asked. ebb_error_clear(e) and ebb_model_clear(m) make both usable again.
 * A session has one model at a time: its parameters are the session's (ebb_param_at), named by region and name ("block.2/W").
 * Tensors that a model makes belong to the scope that is open when it runs. */
#ifndef EBB_LANG_H
#define EBB_LANG_H
#include <ebb/ebb.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ebb_model ebb_model;

/* A part of the text: lines and columns from 1 (columns count characters), offsets in bytes from 0. */
typedef struct ebb_span {
    int32_t line, column, end_line, end_column; /* the end is behind the last character */
    int32_t offset, length;
} ebb_span;

typedef struct ebb_problem {
    const char *message; /* "no op is called rleu" */
    const char *hint;    /* "did you mean relu?", "" when there is none */
    ebb_span span;
    ebb_span call; /* where the def was called from, when the span is inside one; line 0: nowhere */
} ebb_problem;

/* ---- data ------------------------------------------------------------------------------------------------------- */

/* Examples a model may train on: x of (n, ...), y of (n, ...); the first n_train are for training, the rest are held back. */
typedef struct ebb_dataset {
    uint32_t size;
    const char *name;
    const char *doc; /* one line: what x and y are */
    ebb_tensor *x, *y;
    int64_t n_train;
    int32_t classes; /* y holds classes 0 .. classes-1; 0: numbers */
    int64_t rows, cols; /* x of (n, rows*cols) holds images of this size; 0: its own dims say so, (n, rows, cols), or it holds none */
} ebb_dataset;

/* Makes a dataset known to this session's models under its name, beside the built-in ones (xor, spirals, moons ...): x and y are retained. */
EBB_API ebb_status ebb_dataset_add(ebb *e, const ebb_dataset *d);
/* A dataset that is made when a model first asks for it: load registers it under that name with one of the other two. */
typedef ebb_status (*ebb_dataset_load)(ebb *e, const char *name, void *user);
EBB_API ebb_status ebb_dataset_source(ebb *e, const char *name, const char *doc, ebb_dataset_load load, void *user);
/* Of every dataset there is, name and doc; NULL behind the last. Borrowed. */
EBB_API const char *ebb_dataset_name(const ebb *e, size_t i);
EBB_API const char *ebb_dataset_doc(const ebb *e, size_t i);
/* From the bytes of two IDX files (the digits), for hosts without files. scale: what pixels are divided by. EBB_E_IO when they are cut short. */
EBB_API ebb_status ebb_dataset_idx(ebb *e, const char *name, const void *images, size_t n_images,
                                   const void *labels, size_t n_labels, double scale);

/* ---- a model ---------------------------------------------------------------------------------------------------- */

/* Reads the text and runs it once (parameters are made, shapes are checked). -> owned, ebb_model_free; NULL only when memory is short.
 * A model whose text has a problem is returned too: ask ebb_model_problem. name: of the file, for messages. */
EBB_API ebb_model *ebb_model_new(ebb *e, const char *name, const char *text);
EBB_API void ebb_model_free(ebb_model *m);
EBB_API const ebb_problem *ebb_model_problem(const ebb_model *m); /* NULL: none; borrowed until cleared */
EBB_API void ebb_model_clear(ebb_model *m);

/* What the text says about training. */
typedef struct ebb_model_info {
    uint32_t size;
    bool trains;             /* it has a `train` statement */
    const char *optimizer;   /* "adamw", "" */
    int64_t steps;           /* of `train`; 0: none given */
    const char *dataset;     /* "digits", "" when its inputs are its own */
    int64_t batch;           /* examples a step */
    int64_t n_train, n_held; /* examples of the dataset */
    int32_t classes;         /* of the dataset; 0: numbers */
    int64_t parameters;      /* elements of all parameters */
    int32_t n_metrics;
    const char *predict;            /* the name that `predict` shows, "" */
    bool plane;                     /* x has 2 columns: its decision boundary can be drawn */
    int64_t image_rows, image_cols; /* examples are images of this size; 0: they are not */
} ebb_model_info;
EBB_API void ebb_model_info_of(const ebb_model *m, ebb_model_info *out);
EBB_API const char *ebb_model_metric_name(const ebb_model *m, int i); /* "accuracy"; NULL outside */

/* Runs the statements on the current batch, recording. -> the loss, or the value of the last statement; NULL on error. Belongs to the scope. */
EBB_API ebb_tensor *ebb_model_forward(ebb_model *m);
/* What name had at the end of the last run; NULL when nothing has it, or its scope has ended. Borrowed. */
EBB_API ebb_tensor *ebb_model_value(ebb_model *m, const char *name);

EBB_API const char *ebb_model_text(const ebb_model *m); /* as it was given; borrowed */
/* The text defines a function of this name ("block"): a region "block" or "block.2" is a call of it. */
EBB_API bool ebb_model_defines(const ebb_model *m, const char *name, size_t n);

/* The variables at the top of the text, in the order they first appear; NULL behind the last. Borrowed. */
EBB_API const char *ebb_model_variable(const ebb_model *m, size_t i);

/* What a training step did. */
typedef struct ebb_step {
    uint32_t size;
    int64_t step; /* 1 after the first */
    double loss, lr;
    double grad_norm; /* of all parameters together, before clipping */
    double metric[8]; /* in the order of the text; NAN where it could not be had */
    double seconds;
} ebb_step;
/* The next batch, forward, zero the gradients, backward, clip, optimizer step: in a scope of its own. out may be NULL. Gradients stay until the
 * next step. EBB_E_VALUE when the loss is no longer finite (the step is done all the same, and may be repeated). */
EBB_API ebb_status ebb_model_step(ebb_model *m, ebb_step *out);
/* The same without the scope, for those who look on: what it makes belongs to the caller's scope. */
EBB_API ebb_status ebb_model_step_open(ebb_model *m, ebb_step *out);
EBB_API int64_t ebb_model_steps_done(const ebb_model *m);
/* Parameters, optimizer, random numbers and batches as after ebb_model_new. */
EBB_API ebb_status ebb_model_restart(ebb_model *m);
/* The same with another seed, which goes before the text's `seed=` and the session's from now on: parameters, generated data, batches. */
EBB_API ebb_status ebb_model_reseed(ebb_model *m, uint64_t seed);

/* The metrics over the examples held back, in batches, outside the graph, training=0. out: one number a metric, then the loss. */
EBB_API ebb_status ebb_model_evaluate(ebb_model *m, int n_out, double *out);
/* The value of `predict` for these x, (any n, ...) of the dataset's kind; outside the graph, training=0. -> belongs to the scope. */
EBB_API ebb_tensor *ebb_model_predict(ebb_model *m, ebb_tensor *x);
/* Examples first .. first+n-1 of those held back (held) or of the training part. -> x, and *y when y is not NULL; belong to the scope. */
EBB_API ebb_tensor *ebb_model_examples(ebb_model *m, bool held, int64_t first, int64_t n, ebb_tensor **y);

/* One parameter element, its derivative by the tape and by differences. */
typedef struct ebb_model_check {
    const char *parameter;
    int64_t element;
    double analytic, numeric, allowed;
    bool passed;
} ebb_model_check;
/* Compares d(loss)/d(parameter) with central differences in f64 (the text is run in a session of its own whose floats are f64, near the
 * present parameters), in up to `elements` (0: 16) places of each parameter. report may be NULL. EBB_E_VERIFY when one differs; the session's error names the worst. */
EBB_API ebb_status ebb_model_gradcheck(ebb_model *m, int elements,
                                       void (*report)(void *user, const ebb_model_check *c), void *user);

/* The text that is being run just now, for hooks: which call made this op. false: nothing runs. */
EBB_API bool ebb_model_where(const ebb_model *m, ebb_span *out);
/* Names the language gives a meaning to (statements, functions of its own, initialisers), for editors; NULL behind the last. kind: "statement",
 * "function", "initialiser", "optimizer", "dataset", "word". */
EBB_API const char *ebb_lang_word(const ebb *e, size_t i, const char **kind, const char **doc);

#ifdef __cplusplus
}
#endif
#endif
