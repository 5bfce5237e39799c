/* layout.c - floor 5: views of every kind give what contiguous tensors give, as inputs and as cotangents. */
#include "check.h"

static const char *const lay_name[LAYOUTS] = {"contiguous",   "transposed", "sliced with an offset",
                                              "strided by 2", "expanded",   "misaligned"};

/* An expanded tensor repeats itself along dim 0: so must the numbers it is compared with. */
static void repeat_first(vec *v, const ebb_ints *shape) {
    const int64_t item = shape->v[0] > 0 ? v->n / shape->v[0] : 0;
    for (int64_t e = item; e < v->n; e++) v->v[e] = v->v[e - item];
}

static bool compare_runs(checker *c, tally *t, const job *j, const outcome *got, const outcome *want,
                         layout lay, const char *who) {
    char text[160] = "";
    const char *guess = strstr(who, "cotangent") ? "the backward assumes a contiguous cotangent"
                                                 : "a kernel assumes contiguous operands";
    check_say(text, sizeof text, "output differs when %s is %s,", who, lay_name[lay]);
    for (int k = 0; k < want->n_y; k++) {
        const compare how = {text,
                             -1,
                             k,
                             lay_name[lay],
                             "contiguous",
                             1e-13,
                             1e-13 * check_biggest(&want->y[k]),
                             &want->y_shape[k],
                             guess};
        if (!check_same(c, t, j->t, &how, &got->y[k], &want->y[k])) return false;
    }
    text[0] = 0;
    check_say(text, sizeof text, "gradient differs when %s is %s,", who, lay_name[lay]);
    for (int i = 0; i < j->t->n_x; i++) {
        if (!(j->wanted >> i & 1)) continue;
        const compare how = {text,
                             i,
                             -1,
                             lay_name[lay],
                             "contiguous",
                             1e-13,
                             1e-13 * check_biggest(&want->dx[i]),
                             &j->t->x[i].shape,
                             guess};
        if (!check_same(c, t, j->t, &how, &got->dx[i], &want->dx[i])) return false;
    }
    return true;
}

/* Input `which` (or -1: the cotangents) laid out in one way. */
static bool one_layout(checker *c, tally *t, const job *base, const outcome *plain, layout lay, int which) {
    job j = *base;
    vec x[MAX_X], g[MAX_Y];
    outcome want = *plain, got;
    char who[48] = "a cotangent";
    if (which >= 0) {
        const operand *o = &j.t->x[which];
        if (!o->present || !check_lay_applies(lay, &o->shape)) return true;
        j.lay_x[which] = lay;
        who[0] = 0;
        check_say(who, sizeof who, "input %d (%s)", which, check_input_name(c, which));
    } else {
        bool any = false;
        for (int k = 0; k < plain->n_y; k++)
            any |= plain->smooth[k] && check_lay_applies(lay, &plain->y_shape[k]);
        if (!any || !j.wanted) return true;
        j.lay_g = lay;
    }
    if (lay == LAY_EXPANDED) {
        memcpy(x, j.x, sizeof(vec) * (size_t)j.t->n_x);
        if (j.g) memcpy(g, j.g, sizeof(vec) * (size_t)plain->n_y);
        if (which >= 0) {
            x[which] = check_copy(c, &x[which]);
            if (!x[which].v) return check_engine(c, t, j.t, j.e, "sampling");
            repeat_first(&x[which], &j.t->x[which].shape);
        }
        for (int k = 0; which < 0 && j.g && k < plain->n_y; k++) {
            if (!check_lay_applies(lay, &plain->y_shape[k])) continue;
            g[k] = check_copy(c, &g[k]);
            if (!g[k].v) return check_engine(c, t, j.t, j.e, "sampling");
            repeat_first(&g[k], &plain->y_shape[k]);
        }
        j.x = x;
        if (j.g) j.g = g;
        job straight = j;
        memset(straight.lay_x, 0, sizeof straight.lay_x);
        straight.lay_g = LAY_PLAIN;
        if (!check_run(c, &straight, &want)) return check_engine(c, t, j.t, j.e, "the call");
    }
    if (!check_run(c, &j, &got)) {
        char doing[160] = "";
        check_say(doing, sizeof doing, "the call or gradient when %s is %s", who, lay_name[lay]);
        return check_engine(c, t, j.t, j.e, doing);
    }
    return compare_runs(c, t, &j, &got, &want, lay, who);
}

static bool layout_of(checker *c, tally *t, const trial *tr) {
    job j = {0};
    vec x[MAX_X], g[MAX_Y];
    outcome plain;
    if (!check_start(c, t, tr, &j, x, g, &plain)) return false;
    if (!c->differentiable) j.wanted = 0;
    for (int lay = LAY_TRANSPOSED; lay < LAYOUTS; lay++)
        for (int which = -1; which < tr->n_x; which++) {
            const mark m = check_mark(c);
            if (!one_layout(c, t, &j, &plain, (layout)lay, which)) return false;
            check_reset(c, m);
        }
    return true;
}

void check_layout(checker *c, tally *t) {
    for (int k = 0; k < c->n_main && !t->failed; k++) {
        const mark m = check_mark(c);
        layout_of(c, t, &c->main[k]);
        check_reset(c, m);
    }
}
