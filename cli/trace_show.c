/* trace_show.c - floor 7: traces as text for `ebb trace`: a line a frame, findings with the line of the model they are about, a table of nodes. */
#include "trace_show.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *text(const ebb_trace_step *s, uint32_t at) { return s->texts + at; }

void trace_show_frame(const ebb_trace_step *s) {
    int params = 0;
    for (int32_t i = 0; i < s->n_tensors; i++) params += s->tensors[i].kind == EBB_TT_PARAM;
    const double ms = s->n_events ? 1e3 * (double)s->events[s->n_events - 1].seconds : 0;
    printf("step %lld: ", (long long)s->step);
    bool backward = false;
    for (int32_t i = 0; i < s->n_events; i++)
        backward = backward || s->events[i].kind == EBB_TE_BACKWARD_BEGIN;
    if (isnan(s->loss)) printf(backward ? "loss NaN" : "no loss");
    else printf("loss %.6g", s->loss);
    printf(", %d op%s, %d parameter%s, %.2f ms", s->n_nodes, s->n_nodes == 1 ? "" : "s", params,
           params == 1 ? "" : "s", ms);
    if (s->n_findings) printf(", %d finding%s", s->n_findings, s->n_findings == 1 ? "" : "s");
    putchar('\n');
}

/* "   12 | h = relu(x)" of the model's text. */
static void show_line(const ebb_trace_step *s, int32_t line) {
    const char *at = text(s, s->model);
    for (int32_t k = 1; k < line && at; k++) at = (at = strchr(at, '\n')) ? at + 1 : NULL;
    if (line > 0 && at && *at) printf("%8d | %.*s\n", line, (int)strcspn(at, "\n"), at);
}

static bool has_finding(const ebb_trace_step *s, const char *code) {
    for (int32_t i = 0; i < s->n_findings; i++)
        if (!strcmp(text(s, s->findings[i].code), code)) return true;
    return false;
}

static void show_finding(const ebb_trace_step *s, const ebb_trace_finding *f) {
    static const char *const severity[] = {"note", "warning", "error"};
    printf("step %lld, %s: %s (%s)\n", (long long)s->step, severity[f->severity], text(s, f->title),
           text(s, f->code));
    if (f->node >= 0) show_line(s, s->nodes[f->node].line);
    printf("    %s\n    %s\n", text(s, f->cause), text(s, f->advice));
}

int trace_show_findings(int n, const ebb_trace_step *const *frames) {
    int shown = 0;
    for (int k = 0; k < n; k++)
        for (int32_t i = 0; i < frames[k]->n_findings; i++) {
            const ebb_trace_finding *f = &frames[k]->findings[i];
            bool before = false;
            for (int q = 0; q < k; q++) before = before || has_finding(frames[q], text(frames[k], f->code));
            if (!before) show_finding(frames[k], f);
            shown += !before;
        }
    return shown;
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

static const char *shape(const ebb_trace_tensor *t, char *buf, size_t n) {
    size_t used = (size_t)snprintf(buf, n, "%s[", ebb_dtype_name((ebb_dtype)t->dtype));
    for (int32_t d = 0; d < t->ndim && used < n; d++)
        used += (size_t)snprintf(buf + used, n - used, d ? ",%d" : "%d", t->dim[d]);
    if (used < n) snprintf(buf + used, n - used, "]");
    return buf;
}

/* "-1.2 .. 3.4", with what is not finite: "2 NaN". */
static const char *range(const ebb_trace_step *s, int32_t stats, char *buf, size_t n) {
    const ebb_trace_stats *v = stats < 0 ? NULL : &s->stats[stats];
    char bad[60] = "";
    if (v && v->n_nan) snprintf(bad, sizeof bad, " %d NaN", v->n_nan);
    if (v && v->n_inf) snprintf(bad + strlen(bad), sizeof bad - strlen(bad), " %d Inf", v->n_inf);
    if (!v) snprintf(buf, n, "-");
    else if (isnan(v->min)) snprintf(buf, n, "%s", *bad ? bad + 1 : "no elements");
    else if (v->min < v->max) snprintf(buf, n, "%.3g .. %.3g%s", (double)v->min, (double)v->max, bad);
    else snprintf(buf, n, "%.3g%s", (double)v->min, bad);
    return buf;
}

/* A row; its name is followed by the shape. */
static void row(const ebb_trace_step *s, int indent, int32_t line, const char *name, const ebb_trace_tensor *t) {
    char what[120], value[80], grad[80], head[16] = "", full[200];
    if (line) snprintf(head, sizeof head, "%d", line);
    snprintf(full, sizeof full, "%*s%s", 2 * indent, "", name);
    printf("%5s  %-30.60s %-20s %-24s %s\n", head, full, shape(t, what, sizeof what),
           range(s, t->value, value, sizeof value), range(s, t->grad, grad, sizeof grad));
}

static int depth_of(const ebb_trace_step *s, int32_t group) {
    int depth = 0;
    for (; group >= 0; group = s->groups[group].parent) depth++;
    return depth;
}

void trace_show_nodes(const ebb_trace_step *s) {
    printf("%5s  %-30s %-20s %-24s %s\n", "line", "op", "result", "values", "gradient");
    int32_t next = 0;
    for (int32_t i = 0; i < s->n_nodes; i++) {
        const ebb_trace_node *n = &s->nodes[i];
        for (; next < s->n_groups && s->groups[next].first == i; next++)
            printf("%5s  %*s%s:\n", "", 2 * depth_of(s, s->groups[next].parent), "", text(s, s->groups[next].name));
        for (int32_t k = 0; k < n->n_out; k++) {
            char name[160];
            const ebb_trace_tensor *t = &s->tensors[n->first_out + k];
            const char *label = text(s, t->name), *attrs = text(s, n->attrs);
            snprintf(name, sizeof name, "%s%s%s%s%s", label, *label ? " = " : "", text(s, n->op),
                     *attrs ? " " : "", attrs);
            row(s, depth_of(s, n->group), k ? 0 : n->line, name, t);
        }
    }
    for (int32_t i = 0; i < s->n_tensors; i++)
        if (s->tensors[i].kind == EBB_TT_PARAM) row(s, 0, 0, text(s, s->tensors[i].name), &s->tensors[i]);
}
