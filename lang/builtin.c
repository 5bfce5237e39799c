/* builtin.c - floor 6: functions of the language itself, beside the ops: size, shape, detach, accuracy ..., and those of plain numbers. */
#include "model.h"

const ebb__value *ebb__named_value(const ebb__node *n, const ebb__value *values, const char *name) {
    for (int i = 0; i < n->n; i++)
        if (n->kid[i]->kind == N_NAMED && !strcmp(n->kid[i]->name, name)) return &values[i];
    return NULL;
}

static bool number(ebb__value *out, double v) {
    *out = (ebb__value){.kind = V_NUMBER, .number = v};
    return true;
}
static bool tensor(ebb_model *m, const ebb__node *n, ebb__value *out, ebb_tensor *t) {
    *out = (ebb__value){.kind = V_TENSOR, .tensor = t};
    return t || ebb__problem_of_op(m, n->span);
}

static bool size(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb__value *out) {
    const ebb_tensor *t = ebb__as_tensor(m, &v[0], n->kid[0]->span, m->dtype);
    int64_t dim = 0;
    if (!t) return false;
    if (v[1].kind != V_NUMBER || !ebb__whole(v[1].number, &dim) || dim < -ebb_ndim(t) || dim >= ebb_ndim(t))
        return ebb__problem(m, EBB_E_ARG, n->kid[1]->span, "", "size: the tensor has dims 0 to %d",
                            ebb_ndim(t) - 1);
    return number(out, (double)ebb_size(t, (int)dim));
}

static bool numel(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb__value *out) {
    const ebb_tensor *t = ebb__as_tensor(m, &v[0], n->kid[0]->span, m->dtype);
    return t && number(out, (double)ebb_numel(t));
}

static bool shape(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb__value *out) {
    const ebb_tensor *t = ebb__as_tensor(m, &v[0], n->kid[0]->span, m->dtype);
    ebb__list *l = t ? ebb__list_new(&m->scratch, ebb_ndim(t)) : NULL;
    if (!l) return false;
    for (int d = 0; d < l->n; d++) number(&l->item[d], (double)ebb_size(t, d));
    *out = (ebb__value){.kind = V_LIST, .list = l};
    return true;
}

static bool detach(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb__value *out) {
    ebb_tensor *t = ebb__as_tensor(m, &v[0], n->kid[0]->span, m->dtype);
    return t && tensor(m, n, out, ebb_detach(t));
}

/* A literal as a tensor of a dtype: tensor([0, 2, 1], dtype=i64). */
static bool literal(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb__value *out) {
    const ebb__value *named = ebb__named_value(n, v, "dtype");
    ebb_dtype dtype = m->dtype;
    if (named) {
        int d = 1;
        while (d < EBB_DTYPES && (named->kind != V_WORD || strcmp(named->word, ebb_dtype_name((ebb_dtype)d))))
            d++;
        if (d == EBB_DTYPES)
            return ebb__problem(m, EBB_E_ATTR, n->span, "", "tensor: dtype is one of f32, f64, i32, i64, u8, bool");
        dtype = d == EBB_F32 ? m->dtype : (ebb_dtype)d;
    }
    if (v[0].kind == V_TENSOR) return tensor(m, n, out, ebb_to(v[0].tensor, dtype));
    return tensor(m, n, out, ebb__as_tensor(m, &v[0], n->kid[0]->span, dtype));
}

/* The part of examples whose largest logit is at their label; of a single logit each: whose sign is right. */
static bool accuracy(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb__value *out) {
    ebb_tensor *z = ebb__as_tensor(m, &v[0], n->kid[0]->span, m->dtype),
               *y = z ? ebb__as_tensor(m, &v[1], n->kid[1]->span, EBB_I64) : NULL;
    if (!y) return false;
    ebb_no_grad_begin(m->e);
    const bool classes = ebb_ndim(z) == ebb_ndim(y) + 1 && ebb_size(z, -1) > 1;
    ebb_tensor *said = classes ? ebb_argmax(z, .dim = -1) : ebb_gt(ebb_reshape_as(z, y), ebb_scalar(z, 0));
    ebb_tensor *right = ebb_mean(ebb_to(ebb_eq(said, y), m->dtype));
    ebb_no_grad_end(m->e);
    return tensor(m, n, out, right);
}

const ebb__builtin ebb__builtins[] = {
    {"input", "a placeholder of a shape, fed from the data by its name; random numbers without data", 0, -1,
     NULL, ebb__make_input},
    {"param", "a trainable tensor of a shape; ~ names its initialiser", 0, -1, "fan_in", ebb__make_param},
    {"size", "how long a dim of a tensor is, as a number", 2, 2, NULL, size},
    {"shape", "the sizes of a tensor, as a list; also x.shape", 1, 1, NULL, shape},
    {"numel", "how many elements a tensor has, as a number", 1, 1, NULL, numel},
    {"tensor", "a list of numbers as a tensor of a dtype", 1, 1, "dtype", literal},
    {"detach", "the same values, outside the graph", 1, 1, NULL, detach},
    {"accuracy", "the part of examples whose largest logit is that of their label", 2, 2, NULL, accuracy},
    {NULL, NULL, 0, 0, NULL, NULL}};

const ebb__builtin *ebb__builtin_find(const char *name) {
    const ebb__builtin *b = ebb__builtins;
    while (b->name && strcmp(b->name, name)) b++;
    return b->name ? b : NULL;
}

/* In the engine's own functions, so that the bits are the same everywhere. */
static double n_sqrt(double x) { return ebb_sqrt_f64(x); }
static double n_exp(double x) { return ebb_exp_f64(x); }
static double n_log(double x) { return ebb_log_f64(x); }
static double n_sin(double x) { return ebb_sin_f64(x); }
static double n_cos(double x) { return ebb_cos_f64(x); }
static double n_floor(double x) { return floor(x); }
static double n_ceil(double x) { return ceil(x); }
static double n_abs(double x) { return fabs(x); }

double (*ebb__number_function(const char *op))(double) {
    static const struct {
        const char *name;
        double (*f)(double);
    } functions[] = {{"sqrt", n_sqrt}, {"exp", n_exp},     {"log", n_log},   {"sin", n_sin},
                     {"cos", n_cos},   {"floor", n_floor}, {"ceil", n_ceil}, {"abs", n_abs}};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(functions[i].name, op)) return functions[i].f;
    return NULL;
}
