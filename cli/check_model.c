/* check_model.c - floor 7: `ebb check model.ebb`: the derivatives of a whole model beside those by differences, in f64. */
#define _POSIX_C_SOURCE 200809L
#include "check_model.h"
#include "json.h"
#include "model.h"
#include <stdlib.h>
#include <string.h>

typedef struct tally {
    const model_check_options *o;
    json w;
    char parameter[256]; /* the one under way */
    int rows, all, failed;
    double worst; /* of those of the parameter: error as a part of what is allowed */
} tally;

enum { ROWS = 3 }; /* shown of each parameter, beside those that differ */

static void on_check(void *user, const ebb_model_check *c) {
    tally *t = (tally *)user;
    const double apart = c->analytic - c->numeric, margin = (apart < 0 ? -apart : apart) / c->allowed;
    t->all++;
    t->failed += !c->passed;
    if (t->o->json) {
        json_begin(&t->w, NULL, '{');
        json_text(&t->w, "parameter", c->parameter);
        json_int(&t->w, "element", c->element);
        json_real(&t->w, "analytic", c->analytic);
        json_real(&t->w, "numeric", c->numeric);
        json_real(&t->w, "margin", margin);
        json_bool(&t->w, "passed", c->passed);
        json_end(&t->w, '}');
        return;
    }
    if (strcmp(t->parameter, c->parameter)) {
        snprintf(t->parameter, sizeof t->parameter, "%s", c->parameter);
        t->rows = 0;
    }
    if (c->passed && (t->o->quiet || t->rows >= ROWS)) return;
    t->rows++;
    printf("  %-24s %8" PRId64 "  %16.9g %16.9g  %-9.2g %s\n", c->parameter, c->element, c->analytic,
           c->numeric, margin, c->passed ? "ok" : "FAILED");
}

static int check(ebb *e, const char *path, const char *text, const model_check_options *o) {
    tally t = {.o = o, .w = {.to = stdout}};
    model_data(e, NULL);
    ebb_model *m = ebb_model_new(e, path, text);
    if (!ebb_failed(e)) {
        if (o->json) {
            json_begin(&t.w, NULL, '{');
            json_text(&t.w, "ebb", ebb_version());
            json_text(&t.w, "model", path);
            json_begin(&t.w, "checks", '[');
        } else if (!o->quiet)
            printf("%s\n  %-24s %8s  %16s %16s  %-9s %s\n", path, "parameter", "element", "analytic",
                   "by differences", "of tol.", "result");
        ebb_model_gradcheck(m, 0, on_check, &t);
        if (o->json) {
            json_end(&t.w, ']');
            json_int(&t.w, "passed", t.all - t.failed);
            json_int(&t.w, "failed", t.failed);
            json_end(&t.w, '}');
        }
    }
    int code = CLI_OK;
    if (ebb_failed(e)) code = model_failed(e, m, path, text);
    else if (!o->json)
        printf("%d derivatives of %zu parameters agree with differences\n", t.all, ebb_param_count(e));
    ebb_model_free(m);
    return code;
}

int check_model(const char *path, const model_check_options *o) {
    char *text = model_read(path);
    ebb *e = text ? cli_open(o->threads, 1) : NULL;
    const int code = e ? check(e, path, text, o) : CLI_FAILED;
    ebb_close(e);
    free(text);
    return code;
}
