/* problem.c - floor 6: what is wrong with a model: words, place and hint, as the model's problem and as the session's error. */
#include "model.h"
#include <stdarg.h>

bool ebb__problem(ebb_model *m, ebb_status code, ebb_span span, const char *hint, const char *format, ...) {
    if (m->has_problem || ebb_failed(m->e)) return false;
    va_list args;
    va_start(args, format);
    vsnprintf(m->words, sizeof m->words, format, args);
    va_end(args);
    snprintf(m->hint, sizeof m->hint, "%s", hint);
    m->has_problem = true;
    m->problem = (ebb_problem){.message = m->words, .hint = m->hint, .span = span};
    if (m->caller) m->problem.call = m->caller->span;
    ebb_fail(m->e, code, "line %d, column %d: %s%s%s", (int)span.line, (int)span.column, m->words,
             *m->hint ? "; " : "", m->hint);
    return false;
}

bool ebb__problem_of_op(ebb_model *m, ebb_span span) {
    char words[sizeof m->words], hint[sizeof m->hint] = "";
    const ebb_status code = ebb_error_code(m->e);
    if (m->has_problem || code == EBB_OK) return false;
    snprintf(words, sizeof words, "%s", ebb_error(m->e));
    char *region = strstr(words, " (in region "), *mean = strstr(words, "; did you mean "),
         *convert = strstr(words, "; convert with ebb_to");
    if (region) *region = 0; /* the place says more */
    if (mean) {
        snprintf(hint, sizeof hint, "%s", mean + 2);
        *mean = 0;
    }
    if (convert) { /* as one says it in C */
        snprintf(hint, sizeof hint, "convert it with .to(dtype=f32)");
        *convert = 0;
    }
    ebb_error_clear(m->e);
    return ebb__problem(m, code, span, hint, "%s", words);
}

const char *ebb__did_you_mean(char *buf, size_t n, const char *word, size_t n_list, const char *const *list) {
    const char *near = ebb_nearest(word, n_list, list);
    if (near) snprintf(buf, n, "did you mean %s?", near);
    else *buf = 0;
    return buf;
}

const ebb_problem *ebb_model_problem(const ebb_model *m) { return m && m->has_problem ? &m->problem : NULL; }

/* A text that could not be read cannot be used again: its problem stays. */
void ebb_model_clear(ebb_model *m) {
    if (m && m->readable) m->has_problem = false;
}
