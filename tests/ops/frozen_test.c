/* frozen_test.c - every op against vectors that PyTorch gave: values to 1e-9, gradients to 1e-7. The vectors are frozen.txt. */
#include "../test.h"

enum { MOST = 24, NUMBERS = 128 };

/* One tensor of the file. */
typedef struct vector {
    ebb_dtype dtype;
    ebb_ints shape;
    int64_t n;
    double v[NUMBERS];
} vector;

typedef struct example {
    char op[80], attrs[200];
    int line, n_x, n_y;
    bool present[MOST], flows[MOST], has_dx[MOST];
    vector x[MOST], y[MOST], g[MOST], dx[MOST];
} example;

static ebb_dtype dtype_of(const char *name) {
    for (int d = 1; d < EBB_DTYPES; d++)
        if (!strcmp(name, ebb_dtype_name((ebb_dtype)d))) return (ebb_dtype)d;
    fail_msg("frozen.txt: no dtype is called %s", name);
    return EBB_NONE;
}

/* "f64 2,3 = 1 2 3 4 5 6" */
static void read_vector(char *text, vector *v, int line) {
    char dtype[16], shape[64];
    int at = 0;
    if (sscanf(text, "%15s %63s =%n", dtype, shape, &at) != 2 || !at)
        fail_msg("frozen.txt:%d: no vector", line);
    v->dtype = dtype_of(dtype);
    v->shape = EBB_SHAPE0;
    v->n = 1;
    for (char *p = shape; *shape != '-' && *p;) {
        v->shape.v[v->shape.n++] = strtoll(p, &p, 10);
        v->n *= v->shape.v[v->shape.n - 1];
        if (*p == ',') p++;
    }
    if (v->n > NUMBERS) fail_msg("frozen.txt:%d: %lld numbers", line, (long long)v->n);
    char *p = text + at;
    for (int64_t i = 0; i < v->n; i++) v->v[i] = strtod(p, &p);
}

static ebb_tensor *tensor_of(ebb *e, const vector *v) {
    ebb_tensor *t = ebb_tensor_new(e, v->dtype, v->shape, NULL);
    void *data = ebb_data_mut(t);
    for (int64_t i = 0; i < v->n && data; i++) switch (v->dtype) {
        case EBB_F64: ((double *)data)[i] = v->v[i]; break;
        case EBB_F32: ((float *)data)[i] = (float)v->v[i]; break;
        case EBB_I64: ((int64_t *)data)[i] = (int64_t)v->v[i]; break;
        case EBB_I32: ((int32_t *)data)[i] = (int32_t)v->v[i]; break;
        default: ((uint8_t *)data)[i] = (uint8_t)v->v[i]; break;
        }
    return t;
}

static void compare(const example *x, const char *what, int k, const ebb_tensor *got, const vector *want,
                    double tolerance) {
    char s[200];
    if (!got) fail_msg("frozen.txt:%d: %s %s: %s %d is not there", x->line, x->op, x->attrs, what, k);
    bool same = ebb_tensor_dtype(got) == want->dtype && ebb_ndim(got) == want->shape.n;
    for (int d = 0; d < want->shape.n && same; d++) same = ebb_size(got, d) == want->shape.v[d];
    if (!same)
        fail_msg("frozen.txt:%d: %s %s: %s %d is %s", x->line, x->op, x->attrs, what, k,
                 ebb_describe(got, s, sizeof s));
    double big = 1;
    for (int64_t i = 0; i < want->n; i++) big = fmax(big, fabs(want->v[i]));
    if (want->dtype == EBB_F32) tolerance = 1e-5;
    for (int64_t i = 0; i < want->n; i++)
        if (!(fabs(ebb_at(got, i) - want->v[i]) <= tolerance * big))
            fail_msg("frozen.txt:%d: %s %s: %s %d, element %lld is %.12g, PyTorch has %.12g", x->line, x->op,
                     x->attrs, what, k, (long long)i, ebb_at(got, i), want->v[i]);
}

static void run(ebb *e, const example *x) {
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *in[MOST] = {NULL}, *y[MOST] = {NULL}, *out[MOST], *seed[MOST], *wrt[MOST], *dx[MOST] = {NULL};
    int n = 0, m = 0;
    for (int i = 0; i < x->n_x; i++) {
        if (!x->present[i]) continue;
        in[i] = tensor_of(e, &x->x[i]);
        if (x->x[i].dtype != EBB_F64) continue;
        ebb_requires_grad(in[i], true);
        wrt[m++] = in[i];
    }
    const int n_y = ebb_call_named(e, x->op, x->n_x, in, x->attrs, MOST, y);
    if (n_y != x->n_y)
        fail_msg("frozen.txt:%d: %s %s: %d outputs; %s", x->line, x->op, x->attrs, n_y, ebb_error(e));
    for (int j = 0; j < n_y; j++) {
        compare(x, "output", j, y[j], &x->y[j], 1e-9);
        if (x->flows[j] && !ebb_needs_grad(y[j]))
            fail_msg("frozen.txt:%d: %s %s: output %d needs a gradient", x->line, x->op, x->attrs, j);
        if (!x->flows[j]) continue;
        out[n] = y[j];
        seed[n++] = tensor_of(e, &x->g[j]);
    }
    if (n && ebb_grad(e, n, out, seed, m, wrt, EBB_ALLOW_UNUSED, dx) != EBB_OK)
        fail_msg("frozen.txt:%d: %s %s: %s", x->line, x->op, x->attrs, ebb_error(e));
    for (int i = 0, k = 0; i < x->n_x; i++)
        if (in[i] && x->x[i].dtype == EBB_F64) {
            if (x->has_dx[i]) compare(x, "gradient of input", i, dx[k], &x->dx[i], 1e-7);
            k++;
        }
    ebb_end(s);
    assert_no_error(e);
}

static void as_pytorch(void **state) {
    ebb *e = *state;
    FILE *f = fopen(EBB_TEST_DIR "/ops/frozen.txt", "r");
    assert_non_null(f);
    static char text[8192];
    static example x;
    int line = 0, run_ = 0;
    while (fgets(text, sizeof text, f)) {
        line++;
        text[strcspn(text, "\n")] = 0;
        if (!strncmp(text, "op ", 3)) {
            if (x.op[0]) run(e, &x), run_++;
            memset(&x, 0, sizeof x);
            x.line = line;
            int at = 0;
            sscanf(text + 3, "%79s%n", x.op, &at);
            snprintf(x.attrs, sizeof x.attrs, "%s", text + 3 + at);
        } else if (!strncmp(text, "x ", 2)) {
            assert_true(x.n_x < MOST);
            if ((x.present[x.n_x] = strcmp(text, "x -") != 0)) read_vector(text + 2, &x.x[x.n_x], line);
            x.n_x++;
        } else if (!strncmp(text, "y ", 2)) {
            assert_true(x.n_y < MOST);
            read_vector(text + 2, &x.y[x.n_y++], line);
        } else if (!strncmp(text, "g ", 2)) {
            x.flows[x.n_y - 1] = true;
            read_vector(text + 2, &x.g[x.n_y - 1], line);
        } else if (!strncmp(text, "dx", 2)) {
            char *p;
            const long k = strtol(text + 2, &p, 10);
            assert_true(k >= 0 && k < MOST);
            x.has_dx[k] = true;
            read_vector(p, &x.dx[k], line);
        } else if (text[0] != '#') {
            fail_msg("frozen.txt:%d: %s", line, text);
        }
    }
    fclose(f);
    if (x.op[0]) run(e, &x), run_++;
    print_message("%d examples\n", run_);
    assert_true(run_ > 400);
}

/* names.txt lists what must be there. */
static void every_name_is_there(void **state) {
    ebb *e = *state;
    FILE *f = fopen(EBB_TEST_DIR "/ops/names.txt", "r");
    assert_non_null(f);
    static char text[8192];
    int names = 0, missing = 0;
    while (fgets(text, sizeof text, f)) {
        if (text[0] == '#') continue;
        char *family = strtok(text, ":");
        for (char *name; (name = strtok(NULL, " \n"));) {
            const char *plugin = ebb_op_plugin(e, name);
            names++;
            if (plugin && !strcmp(plugin, family)) continue;
            missing++;
            print_error("%s: %s\n", name, plugin ? plugin : "there is no such op");
        }
    }
    fclose(f);
    assert_int_equal(missing, 0);
    assert_true(names >= 250);
}

int main(void) {
    const struct CMUnitTest tests[] = {SESSION_TEST(every_name_is_there), SESSION_TEST(as_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
