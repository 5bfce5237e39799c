/* generate.c - floor 6: data sets that are computed: points in the plane, a curve, sequences; all from the model's seed. */
#include "model.h"
#include <ebb/random.h>

typedef struct ebb__making {
    int64_t n, key, drawn;
    double noise;
    int classes, length;
    float *x, *curve; /* points or a curve; one of the y's */
    int64_t *token, *label;
} ebb__making;

static double unit(ebb__making *g) { return ebb_unit(g->key, g->drawn++); }
/* Box and Muller, 1958 */
static double normal(ebb__making *g) {
    const double r = ebb_sqrt_f64(-2 * ebb_log_f64(1 - unit(g)));
    return r * ebb_cos_f64(6.283185307179586 * unit(g));
}

static void point(ebb__making *g, int64_t i, double x, double y, int64_t label) {
    g->x[2 * i] = (float)(x + g->noise * normal(g));
    g->x[2 * i + 1] = (float)(y + g->noise * normal(g));
    g->label[i] = label;
}

static void make_xor(ebb__making *g) {
    for (int64_t i = 0; i < g->n; i++) point(g, i, (double)(i & 1), (double)(i >> 1 & 1), (i ^ i >> 1) & 1);
}

static void make_spirals(ebb__making *g) {
    for (int64_t i = 0; i < g->n; i++) {
        const int64_t c = i % g->classes;
        const double r = 0.1 + 0.9 * ebb_sqrt_f64(unit(g)),
                     t = 8.0 * r + 6.283185307179586 * (double)c / g->classes;
        point(g, i, r * ebb_cos_f64(t), r * ebb_sin_f64(t), c);
    }
}

static void make_moons(ebb__making *g) {
    for (int64_t i = 0; i < g->n; i++) {
        const double t = 3.141592653589793 * unit(g);
        if (i & 1) point(g, i, 1 - ebb_cos_f64(t) - 0.5, 0.25 - ebb_sin_f64(t), 1);
        else point(g, i, ebb_cos_f64(t) - 0.5, ebb_sin_f64(t) - 0.25, 0);
    }
}

static void make_circles(ebb__making *g) {
    for (int64_t i = 0; i < g->n; i++) {
        const int64_t c = i % g->classes;
        const double t = 6.283185307179586 * unit(g), r = (double)(c + 1) / g->classes;
        point(g, i, r * ebb_cos_f64(t), r * ebb_sin_f64(t), c);
    }
}

static void make_blobs(ebb__making *g) {
    for (int64_t i = 0; i < g->n; i++) {
        const int64_t c = i % g->classes;
        const double t = 6.283185307179586 * (double)c / g->classes;
        point(g, i, ebb_cos_f64(t), ebb_sin_f64(t), c);
    }
}

static void make_sine(ebb__making *g) {
    for (int64_t i = 0; i < g->n; i++) {
        const double x = 6.283185307179586 * (unit(g) - 0.5);
        g->x[i] = (float)x;
        g->curve[i] = (float)(ebb_sin_f64(x) + g->noise * normal(g));
    }
}

static void make_tokens(ebb__making *g) {
    for (int64_t i = 0; i < g->n * g->length; i++) g->token[i] = (int64_t)(unit(g) * g->classes);
}

static void make_reverse(ebb__making *g) {
    make_tokens(g);
    for (int64_t i = 0; i < g->n * g->length; i++) {
        const int64_t place = i % g->length;
        g->label[i] = g->token[i - place + g->length - 1 - place];
    }
}

static void make_sort(ebb__making *g) {
    make_tokens(g);
    memcpy(g->label, g->token, sizeof *g->label * (size_t)(g->n * g->length));
    for (int64_t i = 0; i < g->n; i++) {
        int64_t *row = g->label + i * g->length;
        for (int k = 1; k < g->length; k++)
            for (int j = k; j && row[j] < row[j - 1]; j--) {
                const int64_t t = row[j];
                row[j] = row[j - 1];
                row[j - 1] = t;
            }
    }
}

static void make_echo(ebb__making *g) {
    make_tokens(g);
    for (int64_t i = 0; i < g->n * g->length; i++) g->label[i] = i % g->length < 2 ? 0 : g->token[i - 2];
}

const ebb__generator ebb__generators[] = {
    {"xor", "the corners of a square; y: whether their coordinates differ. n=4 noise=0", 4, 0, 0, 0, true, make_xor},
    {"spirals", "arms of a spiral; y: which. n=600 noise=0.03 classes=2", 600, 0.03, 2, 0, false, make_spirals},
    {"moons", "two half circles into each other; y: which. n=400 noise=0.1", 400, 0.1, 0, 0, false, make_moons},
    {"circles", "circles around each other; y: which. n=400 noise=0.06 classes=2", 400, 0.06, 2, 0, false,
     make_circles},
    {"blobs", "heaps of points on a circle; y: which. n=300 noise=0.3 classes=3", 300, 0.3, 3, 0, false, make_blobs},
    {"sine", "x from -pi to pi, (n, 1); y: sin(x) with noise. n=320 noise=0.1", 320, 0.1, 0, 0, false, make_sine},
    {"reverse", "rows of tokens; y: each row backwards. n=1000 classes=8 length=8", 1000, 0, 8, 8, false,
     make_reverse},
    {"sort", "rows of tokens; y: each row in order. n=1000 classes=8 length=8", 1000, 0, 8, 8, false, make_sort},
    {"echo", "rows of tokens; y: the token two places before, 0 at first. n=1000 classes=4 length=10", 1000,
     0, 4, 10, false, make_echo},
    {NULL, NULL, 0, 0, 0, 0, false, NULL}};

/* ---- options ---- */

static bool option(ebb_model *m, const ebb__node *data, const char *name, double lo, double hi, bool whole,
                   double *v) {
    for (int i = 0; i < data->n; i++) {
        const ebb__node *o = data->kid[i];
        if (strcmp(o->name, name)) continue;
        if (!ebb__eval_number(m, o->kid[0], name, v)) return false;
        if (!(*v >= lo && *v <= hi) || (whole && *v != floor(*v)))
            return ebb__problem(m, EBB_E_ARG, o->kid[0]->span, "", "%s is %s from %g to %g, not %g", name,
                                whole ? "a whole number" : "a number", lo, hi, *v);
    }
    return true;
}

/* Every option is one that this set has. */
static bool options_known(ebb_model *m, const ebb__generator *g, const ebb__node *data) {
    const char *has[8] = {"batch", "shuffle", "n", "noise"};
    size_t n = g->length ? 3 : 4;
    if (g->classes) has[n++] = "classes";
    if (g->length) has[n++] = "length";
    for (int i = 0; i < data->n; i++) {
        const ebb__node *o = data->kid[i];
        bool known = false;
        char hint[160];
        for (size_t k = 0; k < n; k++) known = known || !strcmp(has[k], o->name);
        if (!known)
            return ebb__problem(m, EBB_E_ATTR, o->name_span, ebb__did_you_mean(hint, sizeof hint, o->name, n, has),
                                "the data set %s has no option %s", g->name, o->name);
    }
    return true;
}

bool ebb__generate(ebb_model *m, const ebb__generator *g, const ebb__node *data, ebb_dataset *out) {
    double n = (double)g->n, noise = g->noise, classes = g->classes, length = g->length;
    if (!options_known(m, g, data) || !option(m, data, "n", 2, 1e6, true, &n) ||
        !option(m, data, "noise", 0, 100, false, &noise) || !option(m, data, "classes", 2, 100, true, &classes) ||
        !option(m, data, "length", 1, 1000, true, &length))
        return false;
    ebb__making k = {
        .n = (int64_t)n, .noise = noise, .classes = classes > 0 ? (int)classes : 2, .length = (int)length};
    k.key = (int64_t)(ebb__seed_for(m, g->name, 2) >> 1);
    ebb_dataset *d = out;
    *out = (ebb_dataset){.size = sizeof *d, .name = g->name, .doc = g->doc};
    const bool curve = g->make == make_sine;
    const ebb_ints rows = EBB_SHAPE(k.n, k.length), point2 = EBB_SHAPE(k.n, 2), one = EBB_SHAPE(k.n, 1);
    ebb_scope *s = ebb_begin(m->e);
    d->x = ebb_tensor_new(m->e, k.length ? EBB_I64 : EBB_F32, k.length ? rows : curve ? one : point2, NULL);
    d->y = ebb_tensor_new(m->e, curve ? EBB_F32 : EBB_I64,
                          k.length ? rows
                          : curve  ? one
                                   : EBB_SHAPE(k.n),
                          NULL);
    void *x = ebb_data_mut(d->x), *y = ebb_data_mut(d->y);
    if (x && y) {
        k.x = (float *)x, k.token = (int64_t *)x;
        k.curve = (float *)y, k.label = (int64_t *)y;
        g->make(&k);
        d->n_train = g->all ? k.n : k.n - k.n / 5;
        d->classes = curve ? 0 : k.classes;
        ebb_retain(d->x);
        ebb_retain(d->y);
    } else d->x = d->y = NULL;
    ebb_end(s);
    return d->x || ebb__problem_of_op(m, data->span);
}
