/* shapelist.c - floor 5: sizes worth trying: 0-d, one, zero, odd, prime, around the vector width, broadcasts. */
#include "check.h"

static const int64_t core_size[] = {3, 4, 2, 5, 3, 2, 4, 3};

void check_plan_default(const checker *c, plan *p) {
    memset(p, 0, sizeof *p);
    int seen = 0;
    for (int i = 0; i < c->sig.n_x; i++) {
        const ebb_sig_operand *a = &c->sig.arg[i];
        for (int d = 0; d < a->ndim; d++) {
            int64_t *size = &p->size[a->dim[d] & 127];
            if (!*size) *size = core_size[seen++ % 8];
        }
        /* indices beside a table come as a short list, everything pointwise as a small matrix */
        if (c->pointwise) p->batch[i] = (ebb_ints){2, {3, 4}};
        else if (a->ndim == 0) p->batch[i] = (ebb_ints){1, {2}};
    }
    for (int i = c->sig.n_x; i < MAX_X && c->sig.n_x; i++) p->batch[i] = p->batch[c->sig.n_x - 1];
}

/* Refusals that the declaration leaves open: empty inputs, infer functions, tables of indices. */
static bool promised(const checker *c, const trial *t) {
    if (check_own_shapes(c) || c->op->view || c->op->compose || c->axes || check_has_zero(t)) return false;
    for (int i = 0; i < t->n_x; i++)
        if (t->x[i].dtype != EBB_NONE && t->x[i].dtype != EBB_BOOL) return false;
    return true;
}

bool check_build(const checker *c, const plan *p, const char *attrs, int n_x, trial *out) {
    memset(out, 0, sizeof *out);
    check_say(out->attrs, sizeof out->attrs, "%s", attrs);
    out->n_x = n_x < MAX_X ? n_x : MAX_X;
    for (int i = 0; i < out->n_x; i++) {
        const ebb_sig_operand *a = check_arg(c, i);
        operand *o = &out->x[i];
        if (!a || p->batch[i].n + a->ndim > EBB_MAX_DIMS) return false;
        o->present = true;
        o->dtype = (ebb_dtype)a->dtype;
        o->shape = p->batch[i];
        for (int d = 0; d < a->ndim; d++) o->shape.v[o->shape.n++] = p->size[a->dim[d] & 127];
        if (a->below) o->below = p->size[a->below & 127];
    }
    for (int i = 0; i < out->n_x; i++)
        if (check_arg(c, i)->below && out->x[i].below == 0 && check_numel(&out->x[i].shape) > 0) return false;
    out->must = promised(c, out);
    return true;
}

bool check_build_axes(const checker *c, ebb_ints shape, const char *dims, const char *attrs, trial *out) {
    memset(out, 0, sizeof *out);
    check_say(out->attrs, sizeof out->attrs, "%s", attrs);
    if (dims) check_attr_set(out->attrs, c->axes->name, dims);
    int axes[EBB_MAX_DIMS];
    const int n_axes = check_axes_of(c, out, shape.n, axes);
    if (n_axes < 0) return false;
    ebb_ints rest = {0, {0}};
    int64_t joined = 1;
    for (int d = 0, k = 0; d < shape.n; d++) {
        if (k < n_axes && axes[k] == d) joined *= shape.v[axes[k++]];
        else rest.v[rest.n++] = shape.v[d];
    }
    out->n_x = c->sig.n_x < MAX_X ? c->sig.n_x : MAX_X;
    for (int i = 0; i < out->n_x; i++) {
        const ebb_sig_operand *a = check_arg(c, i);
        out->x[i] = (operand){true, (ebb_dtype)a->dtype, a->ndim ? shape : rest, a->below ? joined : 0};
        if (a->below && joined == 0 && check_numel(&rest) > 0) return false;
    }
    out->must = !check_has_zero(out) && !check_own_shapes(c) && !c->op->view && !c->op->compose;
    return true;
}

static void add_shape(checker *c, const plan *p, const char *attrs) {
    trial t;
    const int n_x = c->variadic ? c->sig.n_x + 1 : c->sig.n_x;
    if (c->n_shapes < MAX_SHAPES && check_build(c, p, attrs, n_x, &t)) c->shapes[c->n_shapes++] = t;
}

static void add_all(checker *c, const plan *base, ebb_ints batch, const char *attrs) {
    plan p = *base;
    for (int i = 0; i < MAX_X; i++) p.batch[i] = batch;
    add_shape(c, &p, attrs);
}

static const ebb_ints batches[] = {
    {0, {0}},  {1, {1}},    {1, {0}},       {2, {0, 3}}, {3, {3, 0, 2}},    {1, {7}},
    {1, {8}},  {1, {9}},    {1, {15}},      {1, {16}},   {1, {17}},         {1, {31}},
    {1, {33}}, {2, {1, 1}}, {3, {2, 3, 5}}, {2, {5, 1}}, {4, {2, 1, 3, 2}},
};

static void axes_shapes(checker *c, const char *attrs) {
    trial t;
    const bool ints = c->axes->type == EBB_A_INTS;
    static const struct {
        ebb_ints shape;
        const char *dims;
        bool several;
    } more[] = {
        {{2, {3, 7}}, "0", false},        {{2, {7, 3}}, "1", false},     {{3, {3, 0, 2}}, "0", false},
        {{3, {3, 0, 2}}, "1", false},     {{3, {3, 0, 2}}, "-1", false}, {{2, {1, 5}}, "0", false},
        {{2, {5, 1}}, "-1", false},       {{3, {2, 3, 2}}, "1", false},  {{2, {2, 17}}, "-1", false},
        {{3, {2, 3, 4}}, "0,2", true},    {{3, {2, 3, 4}}, "1,2", true}, {{3, {2, 3, 4}}, "-3,-2", true},
        {{4, {2, 3, 1, 4}}, "1,3", true}, {{3, {2, 0, 4}}, "0,2", true}, {{2, {1, 1}}, "0,1", true},
    };
    for (size_t k = 0; k < sizeof batches / sizeof batches[0]; k++) {
        const ebb_ints s = batches[k];
        if (c->n_shapes < MAX_SHAPES && check_build_axes(c, s, s.n ? "0" : NULL, attrs, &t))
            c->shapes[c->n_shapes++] = t;
    }
    for (size_t k = 0; k < sizeof more / sizeof more[0]; k++)
        if ((!more[k].several || ints) && c->n_shapes < MAX_SHAPES &&
            check_build_axes(c, more[k].shape, more[k].dims, attrs, &t))
            c->shapes[c->n_shapes++] = t;
}

/* Each letter in turn takes awkward sizes, the others stay. */
static void letter_shapes(checker *c, const plan *base, const char *attrs) {
    static const int64_t sizes[] = {1, 0, 7, 8, 9, 16, 17, 33};
    for (int letter = 0; letter < 128; letter++) {
        if (!base->size[letter]) continue;
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            plan p = *base;
            p.size[letter] = sizes[k];
            add_shape(c, &p, attrs);
        }
    }
    plan p = *base;
    for (int letter = 0; letter < 128; letter++) p.size[letter] = base->size[letter] ? 1 : 0;
    add_shape(c, &p, attrs);
}

/* Input i smaller, larger or of fewer dims than the others. */
static void broadcast_shapes(checker *c, const plan *base, const char *attrs) {
    static const ebb_ints wide[] = {{2, {3, 4}}, {1, {2}}};
    static const ebb_ints odd[2][7] = {
        {{1, {4}}, {2, {1, 4}}, {2, {3, 1}}, {0, {0}}, {3, {2, 3, 4}}, {1, {1}}, {3, {2, 1, 1}}},
        {{0, {0}}, {1, {1}}, {2, {3, 2}}, {2, {3, 1}}, {0, {0}}, {0, {0}}, {0, {0}}},
    };
    const int n = c->variadic ? c->sig.n_x + 1 : c->sig.n_x, which = c->pointwise ? 0 : 1,
              forms = c->pointwise ? 7 : 4;
    for (int i = 0; n > 1 && i < n && i < MAX_X; i++)
        for (int k = 0; k < forms; k++) {
            plan p = *base;
            for (int j = 0; j < MAX_X; j++) p.batch[j] = wide[which];
            p.batch[i] = odd[which][k];
            add_shape(c, &p, attrs);
        }
}

void check_shape_trials(checker *c, const char *attrs) {
    if (c->axes) {
        axes_shapes(c, attrs);
        return;
    }
    plan base;
    check_plan_default(c, &base);
    if (c->pointwise)
        for (size_t k = 0; k < sizeof batches / sizeof batches[0]; k++) add_all(c, &base, batches[k], attrs);
    else {
        static const ebb_ints some[] = {{0, {0}}, {1, {1}}, {1, {0}}, {2, {2, 3}}, {1, {3}}, {3, {2, 1, 2}}};
        for (size_t k = 0; k < sizeof some / sizeof some[0]; k++) add_all(c, &base, some[k], attrs);
        letter_shapes(c, &base, attrs);
    }
    broadcast_shapes(c, &base, attrs);
}

static void add_large(checker *c, const plan *p, const char *attrs) {
    const int n_x = c->variadic ? c->sig.n_x + 1 : c->sig.n_x;
    if (c->n_large < MAX_LARGE && check_build(c, p, attrs, n_x, &c->large[c->n_large])) c->n_large++;
}

/* Enough work to be split: many items, and long items. */
void check_large_trials(checker *c, const char *attrs) {
    plan p;
    check_plan_default(c, &p);
    if (c->axes) {
        static const ebb_ints shape[] = {{1, {5003}}, {2, {13, 401}}, {2, {401, 13}}};
        static const char *const dims[] = {"0", "0", "-1"};
        for (int k = 0; k < 3; k++)
            if (check_build_axes(c, shape[k], dims[k], attrs, &c->large[c->n_large])) c->n_large++;
        return;
    }
    if (c->pointwise) {
        for (int i = 0; i < MAX_X; i++) p.batch[i] = (ebb_ints){2, {61, 67}};
        add_large(c, &p, attrs);
        if (c->sig.n_x < 2) return;
        p.batch[c->sig.n_x - 1] = (ebb_ints){1, {67}};
        add_large(c, &p, attrs);
        return;
    }
    static const int64_t sizes[] = {37, 19, 29, 23};
    int letters = 0;
    for (int i = 0; i < 128; i++)
        if (p.size[i]) p.size[i] = sizes[letters++ % 4];
    for (int i = 0; i < MAX_X; i++)
        if (p.batch[i].n) p.batch[i].v[0] = 211;
    add_large(c, &p, attrs); /* bare core dims */
    for (int i = 0; i < MAX_X; i++) p.batch[i] = (ebb_ints){1, {letters > 1 ? 5 : 113}};
    add_large(c, &p, attrs);  /* many items */
    bool flat = letters == 1; /* one core dim, once an operand */
    for (int i = 0; i < c->sig.n_x + c->sig.n_y; i++) flat &= c->sig.arg[i].ndim <= 1;
    if (!flat) return;
    for (int i = 0; i < 128; i++)
        if (p.size[i]) p.size[i] = 3001;
    for (int i = 0; i < MAX_X; i++) p.batch[i] = (ebb_ints){1, {2}};
    add_large(c, &p, attrs); /* long items */
}
