/* examples_test.c - findings on the example models: none on those that are well in their first 50 steps, and each mistake's own on it. */
#include "../test.h"
#include <dirent.h>
#include <ebb/view.h>

#define EXAMPLES EBB_TEST_DIR "/../examples/"

/* A whole file with a 0 behind it. -> owned, free */
static char *read_file(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("cannot open %s", path);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*n + 1);
    assert_int_equal(fread(bytes, 1, *n, f), *n);
    bytes[*n] = 0;
    fclose(f);
    return bytes;
}

static void add_digits(ebb *e) {
    size_t images, labels;
    char *x = read_file(EBB_TEST_DIR "/../data/digits-images.idx3-ubyte", &images),
         *y = read_file(EBB_TEST_DIR "/../data/digits-labels.idx1-ubyte", &labels);
    assert_int_equal(ebb_dataset_idx(e, "digits", x, images, y, labels, 16), EBB_OK);
    free(x);
    free(y);
}

typedef struct run {
    ebb *e;
    ebb_model *m;
    float step[200], loss[200];
    int done;
    char found[2000]; /* codes and causes */
} run;

static void run_open(run *r, const char *path) {
    size_t n;
    char *text = read_file(path, &n);
    *r = (run){.e = ebb_open(&(ebb_options){.size = sizeof(ebb_options), .threads = 1, .seed = 1})};
    add_digits(r->e);
    r->m = ebb_model_new(r->e, path, text);
    free(text);
    if (ebb_failed(r->e)) fail_msg("%s: %s", path, ebb_error(r->e));
}

static void run_close(run *r) {
    ebb_model_free(r->m);
    ebb_close(r->e);
}

/* One step, or a run of a model that does not train; recorded: what is found is noted. */
static void run_step(run *r, bool trains, bool record) {
    ebb_step at = {.size = sizeof at};
    const ebb_record_options o = {.size = sizeof o, .model = r->m};
    ebb_scope *scope = ebb_begin(r->e);
    ebb_recorder *rec = record ? ebb_record_begin(r->e, &o) : NULL;
    if (!trains) ebb_model_forward(r->m);
    else if (ebb_model_step_open(r->m, &at) == EBB_E_VALUE) ebb_error_clear(r->e);
    if (ebb_failed(r->e)) fail_msg("step %d: %s", r->done + 1, ebb_error(r->e));
    r->step[r->done] = (float)(r->done + 1);
    r->loss[r->done++] = (float)at.loss;
    if (rec && trains) ebb_record_series(rec, "loss", r->done, r->step, r->loss);
    const ebb_trace_step *s = ebb_record_end(rec);
    assert_true(!record || s);
    for (int32_t i = 0; s && i < s->n_findings; i++) {
        const size_t used = strlen(r->found);
        snprintf(r->found + used, sizeof r->found - used, "step %d: %s: %s\n", r->done,
                 s->texts + s->findings[i].code, s->texts + s->findings[i].cause);
    }
    ebb_record_free(rec);
    ebb_end(scope);
}

static void models_that_are_well(void **state) {
    UNUSED(state);
    DIR *d = opendir(EXAMPLES "models");
    assert_non_null(d);
    int n = 0;
    for (struct dirent *f; (f = readdir(d));) {
        char path[600];
        if (!strstr(f->d_name, ".ebb")) continue;
        snprintf(path, sizeof path, EXAMPLES "models/%s", f->d_name);
        run r;
        run_open(&r, path);
        ebb_model_info info = {.size = sizeof info};
        ebb_model_info_of(r.m, &info);
        for (int k = 1; k <= (info.trains ? 50 : 1); k++) run_step(&r, info.trains, k <= 3 || k % 10 == 0);
        if (r.found[0]) fail_msg("%s: %s", f->d_name, r.found);
        run_close(&r);
        n++;
    }
    closedir(d);
    assert_true(n >= 10);
}

static void mistakes(void **state) {
    UNUSED(state);
    static const struct {
        const char *name, *code;
    } known[] = {
        {"dead_relu", "dead-relu"},
        {"exploding_rate", "exploding-rate"},
        {"nan_origin", "nan-origin"},
        {"not_zeroed", "not-zeroed"},
        {"unstable_softmax", "unstable-softmax"},
        {"vanishing_sigmoid", "vanishing-gradient"},
    };
    for (size_t i = 0; i < COUNT(known); i++)
        for (int fixed = 0; fixed < 2; fixed++) {
            char path[600];
            snprintf(path, sizeof path, EXAMPLES "mistakes/%s_%s.ebb", known[i].name, fixed ? "fixed" : "broken");
            run r;
            run_open(&r, path);
            for (int k = 1; k <= 50 && (fixed || !strstr(r.found, known[i].code)); k++)
                run_step(&r, true, k <= 3 || k % 10 == 0);
            if (fixed && r.found[0]) fail_msg("%s, though it is fixed: %s", known[i].name, r.found);
            if (!fixed && !strstr(r.found, known[i].code))
                fail_msg("%s is not found in %s: %s", known[i].code, known[i].name, r.found);
            run_close(&r);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(models_that_are_well), cmocka_unit_test(mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
