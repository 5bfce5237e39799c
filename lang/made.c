/* made.c - floor 6: what a model makes once and keeps: parameters with their initialisers, and inputs that have no data.
 *
 * A parameter is known by its place in the text and the region it is made in, so each call of a def and each round has its own. Its
 * numbers follow from the seed and its name alone: adding a layer leaves the others as they begin. */
#include "model.h"
#include <ebb/random.h>

const char *const ebb__inits[][2] = {
    {"zeros", "all 0"},
    {"ones", "all 1"},
    {"constant", "constant(v): all v"},
    {"kaiming", "uniform in +-sqrt(6/fan_in), for relu (He et al., 2015)"},
    {"xavier", "uniform in +-sqrt(6/(fan_in+fan_out)), for tanh (Glorot and Bengio, 2010)"},
    {"lecun", "uniform in +-1/sqrt(fan_in) (LeCun et al., 1998)"},
    {"normal", "normal(mean=0, std=0.02): normal numbers"},
    {"uniform", "uniform(lo, hi): uniform numbers from lo up to hi"},
    {NULL, NULL}};

/* splitmix64 over the words' hash: far apart for every name and number. */
uint64_t ebb__seed_for(const ebb_model *m, const char *what, uint64_t k) {
    uint64_t z = m->seed;
    for (const char *p = what; *p; p++) z = (z ^ (uint8_t)*p) * 0x100000001b3u;
    z += 0x9e3779b97f4a7c15u * (k + 1);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* ---- finding what is there ---- */

/* Mostly the next one: a model goes the same way every time. */
static ebb__made *find(ebb_model *m, const ebb__node *n) {
    for (size_t k = 0; k < m->n_made; k++) {
        const size_t i = (m->next_made + k) % m->n_made;
        if (m->made[i].node != n || m->made[i].region != m->region) continue;
        m->next_made = i + 1;
        return &m->made[i];
    }
    return NULL;
}

static ebb__made *add(ebb_model *m, const ebb__node *n, ebb_tensor *t, const char *name, bool input) {
    if (m->n_made == m->cap_made) {
        const size_t cap = m->cap_made ? 2 * m->cap_made : 16;
        ebb__made *larger = (ebb__made *)ebb_memory_get(m->e, cap * sizeof *larger);
        if (!larger) return NULL;
        if (m->n_made) memcpy(larger, m->made, m->n_made * sizeof *larger);
        ebb_memory_put(m->e, m->made, m->cap_made * sizeof *larger);
        m->made = larger;
        m->cap_made = cap;
    }
    ebb__made *made = &m->made[m->n_made];
    *made = (ebb__made){.node = n, .region = m->region, .t = t, .name = name, .input = input, .run = m->run};
    m->next_made = ++m->n_made;
    return made;
}

/* "block.2/W" */
static const char *full_name(ebb_model *m, const char *name) {
    char text[512];
    const char *path = m->region->path;
    const int n = snprintf(text, sizeof text, path ? "%s/%s" : "%s%s", path ? path : "", name);
    return ebb__intern(&m->tree, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

static bool shape_of(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb_ints *shape) {
    *shape = (ebb_ints){0};
    for (int i = 0; i < n->n; i++) {
        if (n->kid[i]->kind == N_NAMED) continue;
        ebb_ints part;
        if (!ebb__as_ints(m, &v[i], n->kid[i]->span, "a shape", &part)) return false;
        for (int k = 0; k < part.n; k++) {
            if (shape->n == EBB_MAX_DIMS || part.v[k] < 0)
                return ebb__problem(m, EBB_E_SHAPE, n->kid[i]->span, "",
                                    part.v[k] < 0 ? "a size is %lld" : "a shape of more than %lld dims",
                                    part.v[k] < 0 ? (long long)part.v[k] : (long long)EBB_MAX_DIMS);
            shape->v[shape->n++] = part.v[k];
        }
    }
    return true;
}

/* ---- initialisers ---- */

static bool init_number(ebb_model *m, const ebb__node *init, int place, const char *name, bool required,
                        double *out) {
    int plain = 0;
    for (int i = 0; i < init->n; i++) {
        const ebb__node *k = init->kid[i];
        if (k->kind == N_NAMED ? !strcmp(k->name, name) : plain++ == place)
            return ebb__eval_number(m, k->kind == N_NAMED ? k->kid[0] : k, name, out);
    }
    return !required || ebb__problem(m, EBB_E_ARG, init->span, "", "%s needs %s", init->name, name);
}

/* Every argument of an initialiser is one that it takes. */
static bool init_arguments(ebb_model *m, const ebb__node *init, int most, const char *const *names) {
    int plain = 0;
    for (int i = 0; i < init->n; i++) {
        const ebb__node *k = init->kid[i];
        bool known = k->kind != N_NAMED;
        for (int j = 0; j < most; j++) known = known || !strcmp(k->name, names[j]);
        plain += k->kind != N_NAMED;
        char hint[160];
        if (!known)
            return ebb__problem(m, EBB_E_ARG, k->name_span,
                                ebb__did_you_mean(hint, sizeof hint, k->name, (size_t)most, names),
                                "%s has no %s", init->name, k->name);
    }
    return plain <= most || ebb__problem(m, EBB_E_ARG, init->span, "", "%s takes %d argument%s, not %d",
                                         init->name, most, most == 1 ? "" : "s", plain);
}

/* fan_in and fan_out: the language writes x @ W, so the inputs of a matrix are its first dim; of more dims, as in convolutions,
 * they are all but the first. */
static void fans(const ebb_ints *s, double *in, double *out) {
    double rest = 1;
    for (int d = 1; d < s->n; d++) rest *= (double)s->v[d];
    *in = s->n == 2 ? (double)s->v[0] : s->n ? rest : 1;
    *out = s->n == 2  ? (double)s->v[1]
           : s->n > 2 ? (double)s->v[0] * (rest / (double)(s->v[1] ? s->v[1] : 1))
                      : 1;
    if (s->n == 1) *in = (double)s->v[0];
}

typedef struct drawing {
    bool normal;
    double a, b; /* a + b*u, u of [0,1) or normal */
} drawing;

static bool drawing_of(ebb_model *m, const ebb__node *n, const ebb_ints *shape, double fan_in, drawing *d) {
    static const char *const spread[] = {"mean", "std"}, *const range[] = {"lo", "hi"}, *const value[] = {"value"};
    const ebb__node *init = n->init;
    const char *name = init ? init->name : shape->n < 2 ? "zeros" : "kaiming";
    double in, out, bound;
    fans(shape, &in, &out);
    if (fan_in > 0) in = fan_in;
    *d = (drawing){false, 0, 0};
    if (!strcmp(name, "normal")) {
        *d = (drawing){true, 0, 0.02};
        return init_arguments(m, init, 2, spread) && init_number(m, init, 0, "mean", false, &d->a) &&
               init_number(m, init, 1, "std", false, &d->b);
    }
    if (!strcmp(name, "uniform")) {
        if (!init_arguments(m, init, 2, range) || !init_number(m, init, 0, "lo", true, &d->a) ||
            !init_number(m, init, 1, "hi", true, &d->b))
            return false;
        d->b -= d->a;
        return true;
    }
    if (!strcmp(name, "constant"))
        return init_arguments(m, init, 1, value) && init_number(m, init, 0, "value", true, &d->a);
    if (init && !init_arguments(m, init, 0, NULL)) return false;
    if (!strcmp(name, "zeros")) return true;
    if (!strcmp(name, "ones")) return d->a = 1, true;
    if (in < 1) in = 1;
    bound = !strcmp(name, "kaiming")  ? ebb_sqrt_f64(6 / in)
            : !strcmp(name, "xavier") ? ebb_sqrt_f64(6 / (in + out))
                                      : 1 / ebb_sqrt_f64(in);
    *d = (drawing){false, -bound, 2 * bound};
    return true;
}

static bool draw(ebb_model *m, const ebb__node *n, ebb_tensor *t, const char *name, const ebb_ints *shape,
                 double fan_in) {
    drawing d;
    if (!drawing_of(m, n, shape, fan_in, &d)) return false;
    ebb_scope *s = ebb_begin(m->e);
    ebb_seed(m->e, ebb__seed_for(m, name, 0));
    const ebb_tensor *u = d.b == 0 ? NULL : (d.normal ? ebb_randn : ebb_rand)(m->e, EBB_F64, *shape);
    void *p = ebb_data_mut(t);
    const double *from = (const double *)ebb_data(u);
    for (int64_t i = 0; p && (from || d.b == 0) && i < ebb_numel(t); i++) {
        const double v = d.b == 0 ? d.a : d.a + d.b * from[i];
        if (m->dtype == EBB_F64) ((double *)p)[i] = v;
        else ((float *)p)[i] = (float)v;
    }
    ebb_end(s);
    return !ebb_failed(m->e) || ebb__problem_of_op(m, n->span);
}

/* ---- param ---- */

/* A gradient check is made near where the model stands: not just there, for a model often begins at a kink (relu of a bias of 0). */
static bool copy_from_twin(ebb_model *m, ebb_tensor *t, const char *name, ebb_span span) {
    const ebb_tensor *from = ebb_param_find(m->twin->e, name);
    double *to = (double *)ebb_data_mut(t);
    if (!from || !to || ebb_numel(from) != ebb_numel(t))
        return ebb__problem(m, EBB_E_SHAPE, span, "",
                            "%s has another shape than in the model that is checked", name);
    const int64_t key = (int64_t)(ebb__seed_for(m, name, 3) >> 1);
    for (int64_t i = 0; i < ebb_numel(t); i++) to[i] = ebb_at(from, i) + 0.02 * (ebb_unit(key, i) - 0.5);
    return true;
}

static bool fill_param(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb_tensor *t, const char *name) {
    ebb_ints shape = {ebb_ndim(t), {0}};
    for (int d = 0; d < shape.n; d++) shape.v[d] = ebb_size(t, d);
    const ebb__value *fan_in = ebb__named_value(n, v, "fan_in");
    if (fan_in && (fan_in->kind != V_NUMBER || !(fan_in->number > 0)))
        return ebb__problem(m, EBB_E_ARG, n->span, "", "fan_in is a number above 0");
    if (m->twin) return copy_from_twin(m, t, name, n->span);
    return draw(m, n, t, name, &shape, fan_in ? fan_in->number : 0);
}

bool ebb__make_param(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb__value *out) {
    ebb__made *made = find(m, n);
    ebb_ints shape;
    char what[160];
    if (!n->target)
        return ebb__problem(m, EBB_E_ARG, n->span, "write W = param(...) on a line of its own",
                            "a parameter needs a name");
    if (!shape_of(m, n, v, &shape)) return false;
    if (!made) {
        const char *name = full_name(m, n->target);
        if (!name) return false;
        if (ebb_param_find(m->e, name))
            return ebb__problem(m, EBB_E_NAME, n->span, "give it another name",
                                "a parameter called %s exists already", name);
        ebb_tensor *t = ebb_param(m->e, name, m->dtype, shape, NULL);
        if (!t) return ebb__problem_of_op(m, n->span);
        if (!(made = add(m, n, t, name, false))) return ebb_param_remove(t), false;
        if (!fill_param(m, n, v, t, name)) {
            m->n_made--;
            ebb_param_remove(t);
            return false;
        }
    } else if (m->restarting) {
        if (!fill_param(m, n, v, made->t, made->name)) return false;
    } else if (made->run == m->run)
        return ebb__problem(m, EBB_E_NAME, n->span, "", "the parameter %s is made twice in one run", made->name);
    made->run = m->run;
    bool same = shape.n == ebb_ndim(made->t);
    for (int d = 0; d < shape.n && same; d++) same = shape.v[d] == ebb_size(made->t, d);
    if (!same)
        return ebb__problem(m, EBB_E_SHAPE, n->span, "its shape must not depend on the batch",
                            "the parameter %s is %s, but another shape is wanted now", made->name,
                            ebb_describe(made->t, what, sizeof what));
    *out = (ebb__value){.kind = V_TENSOR, .tensor = made->t};
    return true;
}

/* ---- input ---- */

/* The batch as this input wants it: the same number of elements for each example, in the input's own dims. */
static bool fit(ebb_model *m, const ebb__node *n, ebb_tensor *t, const ebb_ints *shape, bool sized,
                ebb__value *out) {
    char what[160], wanted[160];
    int64_t each = 1, have = 1;
    bool same = ebb_ndim(t) == shape->n;
    for (int d = 1; d < shape->n; d++) each *= shape->v[d], same = same && shape->v[d] == ebb_size(t, d);
    for (int d = 1; d < ebb_ndim(t); d++) have *= ebb_size(t, d);
    size_t at = 0;
    *wanted = 0;
    for (int d = 0; d < shape->n && at < sizeof wanted; d++)
        at += (size_t)snprintf(wanted + at, sizeof wanted - at, "%s%lld", d ? "," : "", (long long)shape->v[d]);
    if (each != have || !shape->n || (sized && shape->v[0] != ebb_size(t, 0)))
        return ebb__problem(m, EBB_E_SHAPE, n->span, "", "the input %s is [%s], but the data gives %s",
                            n->target, wanted, ebb_describe(t, what, sizeof what));
    if (!same) {
        ebb_ints to = *shape;
        to.v[0] = ebb_size(t, 0);
        t = ebb_reshape(t, .shape = to);
    }
    *out = (ebb__value){.kind = V_TENSOR, .tensor = t};
    return t || ebb__problem_of_op(m, n->span);
}

void ebb__made_input_again(ebb_model *m, ebb__made *made) {
    ebb_ints shape = {ebb_ndim(made->t), {0}};
    for (int d = 0; d < shape.n; d++) shape.v[d] = ebb_size(made->t, d);
    ebb_scope *s = ebb_begin(m->e);
    ebb_seed(m->e, ebb__seed_for(m, made->name, 1));
    ebb_tensor *t = ebb_name(ebb_randn(m->e, m->dtype, shape), made->name);
    if (t) {
        ebb_release(made->t);
        made->t = ebb_retain(t);
    }
    ebb_end(s);
}

bool ebb__make_input(ebb_model *m, const ebb__node *n, const ebb__value *v, ebb__value *out) {
    ebb_ints shape;
    if (!n->target)
        return ebb__problem(m, EBB_E_ARG, n->span, "write x = input(...) on a line of its own",
                            "an input needs a name");
    if (!shape_of(m, n, v, &shape)) return false;
    ebb_tensor *column = m->feed.x && n->target == m->feed.x_name   ? m->feed.x
                         : m->feed.y && n->target == m->feed.y_name ? m->feed.y
                                                                    : NULL;
    if (column) return fit(m, n, column, &shape, m->mode == RUN_TRAIN, out);
    ebb__made *made = find(m, n);
    if (m->given_x && (made ? made == &m->made[m->first_input] : false))
        return fit(m, n, m->given_x, &shape, false, out);
    if (!made) {
        const char *name = full_name(m, n->target);
        if (!name) return false;
        ebb_seed(m->e, ebb__seed_for(m, name, 1));
        ebb_tensor *t = ebb_name(ebb_randn(m->e, m->dtype, shape), name);
        if (!t) return ebb__problem_of_op(m, n->span);
        if (!(made = add(m, n, t, name, true))) return false;
        ebb_retain(t);
        if (m->first_input == SIZE_MAX) m->first_input = m->n_made - 1;
    }
    *out = (ebb__value){.kind = V_TENSOR, .tensor = made->t};
    return true;
}

void ebb__made_free(ebb_model *m) {
    for (size_t i = 0; i < m->n_made; i++)
        if (m->made[i].input) ebb_release(m->made[i].t);
        else ebb_param_remove(m->made[i].t);
    ebb_memory_put(m->e, m->made, m->cap_made * sizeof *m->made);
    m->made = NULL;
    m->n_made = m->cap_made = 0;
}
