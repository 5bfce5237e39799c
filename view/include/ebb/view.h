/* view.h - floor 6: one step of training as data: recorded, drawn, explained, written to a file and read back.
 *
 * A *trace* is tables of plain records that refer to each other by index: what the page shows, what `ebb trace` writes and what the
 * layout and the diagnoses read. A trace file is these tables as they are in memory (little-endian), so every record consists of 4- and
 * 8-byte fields of fixed width and has no padding of its own; a reader checks every index before anything else looks at them.
 *
 * Indices are -1 where there is nothing. Texts are offsets into `texts` (offset 0 is ""). */
#ifndef EBB_VIEW_H
#define EBB_VIEW_H
#include <ebb/ebb.h>
#include <ebb/lang.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EBB_TRACE_VERSION 1u
#define EBB_TRACE_BINS 32
#define EBB_TRACE_SIDE 64 /* thumbnails are at most this wide and high */

/* ---- the tables ---------------------------------------------------------------------------------------------------- */

enum {
    EBB_TT_INPUT = 0,
    EBB_TT_PARAM,
    EBB_TT_CONST,
    EBB_TT_VALUE
}; /* CONST: made outside what was recorded, needs no gradient, has no name */
typedef struct ebb_trace_tensor {
    uint32_t name; /* "h", "block.1/W"; "" when it has none */
    int32_t kind, dtype, ndim;
    int32_t dim[8];
    int32_t node, out;   /* that made it, and which of its outputs; -1 for leaves */
    int32_t value, grad; /* of `stats`: its value, the gradient of the loss with respect to it */
    int32_t needs_grad;
    int32_t after; /* of `stats`: a parameter's value after the optimizer's step; -1: none */
} ebb_trace_tensor;

typedef struct ebb_trace_node { /* one op that was called, in the order of the calls: inputs come before */
    uint32_t op, attrs, math,
        label; /* "softmax", "dim=1", the declaration's formula, what the text calls its result ("h") or "" */
    int32_t group;                              /* of `groups`: the innermost around it; -1: the top */
    int32_t input, n_in;                        /* of `inputs` */
    int32_t first_out, n_out;                   /* of `tensors`: its outputs stand together */
    int32_t on_tape;                            /* backward goes through it */
    int32_t line, column, end_line, end_column; /* in the model's text; 0: not known */
} ebb_trace_node;

typedef struct ebb_trace_input { /* one operand of one node */
    int32_t tensor;              /* -1: an optional one that was not given */
    int32_t grad; /* of `stats`: what this operand's rule gave (its part of the tensor's gradient) */
} ebb_trace_input;

enum {
    EBB_TG_REGION = 0,
    EBB_TG_DEF,
    EBB_TG_REPEAT,
    EBB_TG_OP
}; /* of the user's, a def's call, one round of a repeat, a composed op's parts */
typedef struct ebb_trace_group {
    uint32_t name; /* "block", "cross_entropy" */
    int32_t kind, parent;
    int32_t first, last; /* nodes first .. last-1 lie inside (whole groups: no other node is between) */
    int32_t twin, n_twins; /* rounds that look alike and follow each other: the first of them, and how many there are (1: it is alone) */
} ebb_trace_group;

enum { EBB_TE_FORWARD = 0, EBB_TE_BACKWARD_BEGIN, EBB_TE_RULE, EBB_TE_LEAF, EBB_TE_STEP };
typedef struct ebb_trace_event { /* what happened, in order: the timeline */
    int32_t kind;
    int32_t node; /* FORWARD, RULE */
    int32_t input; /* RULE: of `inputs`, whose grad appears; the grad of the node's outputs is there at the node's first RULE */
    int32_t tensor; /* LEAF: whose grad is there; BACKWARD_BEGIN: the loss; STEP: -1 */
    float seconds;  /* since the record began */
} ebb_trace_event;

typedef struct ebb_trace_stats {
    float min, max, mean, std, norm; /* over the finite elements; NAN when there are none */
    int32_t n, n_nan, n_inf, n_zero; /* elements in all, and of each kind */
    int32_t first_bad;               /* the first element that is not finite, row-major; -1 */
    uint32_t bin[EBB_TRACE_BINS];    /* counts of finite elements over [min, max] */
    int32_t rows, cols,
        pixels; /* the thumbnail, at `floats`: the last two dims of the first slice (1-d: one row), by means of blocks
                                       * when larger than EBB_TRACE_SIDE; a block with an element that is not finite shows that */
    int32_t elements; /* at `floats`: all n elements; -1: they were too many to keep */
} ebb_trace_stats;

enum { EBB_SEVERITY_NOTE = 0, EBB_SEVERITY_WARNING, EBB_SEVERITY_ERROR };
typedef struct ebb_trace_finding {       /* something that goes wrong in training: see diagnose.c */
    uint32_t code, title, cause, advice; /* "dead-relu", one line, what leads to it with the numbers, what to do */
    int32_t severity, node, tensor;      /* where; -1 */
} ebb_trace_finding;

typedef struct ebb_trace_series { /* a curve of the training until here */
    uint32_t name;                /* "loss", "grad_norm", "accuracy", "update/W1" (the ratio |step| / |W1|) */
    int32_t n;                    /* points */
    int32_t at;                   /* in `floats`: n step numbers, then n values */
} ebb_trace_series;

typedef struct ebb_trace_step {
    uint32_t size;
    int64_t step;   /* of the training: 0 before the first */
    double loss;    /* NAN: there is none */
    uint32_t model; /* the text of the model, "" when there is none */
    uint32_t about; /* "ebb 0.1.0, 2 threads, AVX-512" */
    int32_t n_tensors, n_nodes, n_inputs, n_groups, n_events, n_stats, n_findings, n_series, n_floats, n_texts;
    const ebb_trace_tensor *tensors;
    const ebb_trace_node *nodes;
    const ebb_trace_input *inputs;
    const ebb_trace_group *groups;
    const ebb_trace_event *events;
    const ebb_trace_stats *stats;
    const ebb_trace_finding *findings;
    const ebb_trace_series *series;
    const float *floats;
    const char *texts; /* n_texts bytes, the last one 0 */
} ebb_trace_step;

/* ---- recording -------------------------------------------------------------------------------------------------------- */

typedef struct ebb_recorder ebb_recorder;
typedef struct ebb_record_options {
    uint32_t size;
    ebb_model *model; /* for places in the text and names; may be NULL (any C program can be recorded) */
    int64_t keep;     /* tensors of up to that many elements are kept whole; 0: 4096; -1: none */
    bool live; /* tensors stay in memory until ebb_record_free, so that ebb_record_tensor can show any of them whole */
} ebb_record_options;

/* From here on what the session does is recorded, until ebb_record_end: one forward and at most one backward with its optimizer step (a
 * second backward belongs to the next record). -> owned, ebb_record_free; NULL on error. */
EBB_API ebb_recorder *ebb_record_begin(ebb *e, const ebb_record_options *o);
/* Stops listening and makes the tables. -> borrowed from r, NULL on error. */
EBB_API const ebb_trace_step *ebb_record_end(ebb_recorder *r);
EBB_API void ebb_record_free(ebb_recorder *r);
/* Adds a curve, step numbers and values, n of each; before ebb_record_end. */
EBB_API ebb_status ebb_record_series(ebb_recorder *r, const char *name, int32_t n, const float *steps,
                                     const float *values);
/* A tensor of a live record, or its gradient: borrowed; NULL when it is not there. */
EBB_API ebb_tensor *ebb_record_tensor(const ebb_recorder *r, int32_t tensor, bool grad);
/* The gradient that operand i of `inputs` gave: borrowed; NULL when it is not there. */
EBB_API ebb_tensor *ebb_record_part(const ebb_recorder *r, int32_t input);

/* Statistics, thumbnail and bins of one tensor, for a page that shows a slice: floats receives up to 64*64 pixels. */
EBB_API ebb_status ebb_stats_of(const ebb_tensor *t, ebb_trace_stats *out, float *pixels);

/* A part of a tensor as a picture: the last two dims of the slice at index[0 .. ndim-2), at most rows x cols elements from (row, col) on.
 * -> how many were written to out, row by row of *got_cols; -1 on error. */
EBB_API int64_t ebb_window(const ebb_tensor *t, const int64_t *index, int64_t row, int64_t col, int64_t rows,
                           int64_t cols, float *out, int64_t *got_rows, int64_t *got_cols);

/* ---- files ------------------------------------------------------------------------------------------------------------- */

/* A trace file: a header, then frames (one trace each, in the order of steps). */
/* The bytes of one file with these frames. -> owned by the session until ebb_trace_bytes_free; NULL on error. */
EBB_API void *ebb_trace_write(ebb *e, int32_t n, const ebb_trace_step *const *frames, size_t *bytes);
EBB_API void ebb_trace_bytes_free(ebb *e, void *bytes, size_t n);
/* Reads a file that is in memory: checks all of it. -> owned, ebb_trace_file_free; NULL on error (EBB_E_IO: cut short at byte n of m, another
 * version, an index outside its table: named). */
typedef struct ebb_trace_file ebb_trace_file;
EBB_API ebb_trace_file *ebb_trace_read(ebb *e, const void *bytes, size_t n);
EBB_API int32_t ebb_trace_frames(const ebb_trace_file *f);
EBB_API const ebb_trace_step *ebb_trace_frame(const ebb_trace_file *f, int32_t i); /* borrowed; NULL outside */
EBB_API void ebb_trace_file_free(ebb_trace_file *f);

/* ---- what goes wrong ----------------------------------------------------------------------------------------------------- */

/* Findings are made by ebb_record_end already; this tells what can be found, for documentation: code and one line; NULL behind the last. */
EBB_API const char *ebb_finding_code(size_t i, const char **title);

/* ---- layout --------------------------------------------------------------------------------------------------------------- */

enum {
    EBB_BOX_NODE = 0,
    EBB_BOX_TENSOR,
    EBB_BOX_GROUP,
    EBB_BOX_FRAME
}; /* GROUP: closed, one box; FRAME: open, around its parts */
typedef struct ebb_box {
    int32_t kind, id; /* of nodes, tensors (inputs and parameters) or groups */
    int32_t count;    /* rounds folded into this one box: xN; else 1 */
    int32_t frame;    /* of boxes: the frame around it; -1. Frames come before what is in them */
    float x, y, w, h; /* the upper left corner; the drawing begins at 0, 0 */
} ebb_box;
typedef struct ebb_wire {
    int32_t from, to; /* of boxes */
    int32_t tensor;   /* that flows */
    int32_t input;    /* of `inputs`, when it is one; -1: several operands end in this closed box */
    int32_t point, n_points; /* of points, x and y in turn, from border to border. Two that differ in both are joined by a curve
                              * that leaves and arrives along the flow (its handles half way between them along the flow), others by a straight line: so drawn, wires
                              * cross no box. Corners may be rounded by 5 */
} ebb_wire;
typedef struct ebb_layout {
    uint32_t size;
    int32_t n_boxes, n_wires, n_points;
    const ebb_box *boxes;
    const ebb_wire *wires;
    const float *points; /* 2*n_points */
    float width, height;
} ebb_layout;
enum { EBB_GROUP_OPEN = 1, EBB_GROUP_UNFOLDED = 2 };
typedef struct ebb_layout_options {
    uint32_t size;
    int32_t right;       /* 0: from top to bottom; 1: from left to right */
    const uint8_t *open; /* one a group: EBB_GROUP_OPEN: its parts are shown; EBB_GROUP_UNFOLDED (on the first of twins): all its twins are shown, else one box
                          * xN. NULL: what a person would like to see first: composed ops closed, others open while there are few nodes */
    float char_width;    /* of the page's font, for the boxes' width; 0: 7 */
} ebb_layout_options;
/* Ranks from the tape, parameters next to those who use them, fixed barycentre sweeps; each group is laid out apart. The same trace and options give the same
 * drawing; opening a group moves the others as little as may be. -> owned, ebb_layout_free; NULL on error. */
EBB_API ebb_layout *ebb_layout_new(ebb *e, const ebb_trace_step *t, const ebb_layout_options *o);
EBB_API void ebb_layout_free(ebb *e, ebb_layout *l);
/* What `open` is by default: n_groups bytes. */
EBB_API void ebb_layout_default(const ebb_trace_step *t, uint8_t *open);
/* The layout (made of t, with that `right`) as an SVG picture, light and dark by the reader's preference; wires are as strong as the gradient that flows back
 * through them. *bytes (may be NULL) receives its length, its final 0 not counted. -> owned, ebb_layout_svg_free; NULL on error. */
EBB_API char *ebb_layout_svg(ebb *e, const ebb_trace_step *t, const ebb_layout *l, bool right, size_t *bytes);
EBB_API void ebb_layout_svg_free(ebb *e, char *svg);

/* ---- a derivative, looked at ------------------------------------------------------------------------------------------------ */

typedef struct ebb_derivative { /* element by element: d(sum of seed . y) / d(x[element]) */
    int64_t element;
    double analytic, numeric, allowed;
    int32_t passed;
} ebb_derivative;
/* The rule of an op at these inputs (copied to f64) for operand i, beside central differences with Richardson, in up to max elements spread over it. seed: fixed
 * random +-numbers. -> how many were written to out, -1 on error (no rule, an integer operand, an op without f64 kernel: said). */
EBB_API int ebb_derivative_check(ebb *e, const char *op, const char *attrs, int n_x, ebb_tensor *const *x,
                                 int i, int max, ebb_derivative *out);

#ifdef __cplusplus
}
#endif
#endif
