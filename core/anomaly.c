/* anomaly.c - floor 4: anomaly mode: where in the forward pass an error of backward comes from. */
#include "grad.h"
#include <stdio.h>

void ebb_anomaly(ebb *e, bool on) {
    if (e) e->anomaly = on;
}

static bool has_nan(const ebb_tensor *t) {
    for (int64_t i = 0; t && i < t->numel; i++) {
        const double v = ebb__load(t->dtype, t->data, t->flags & T_CONTIG ? i : ebb__place_of(t, i));
        if (v != v) return true;
    }
    return false;
}

/* What the op was given: "log of f32[2,3] in block1". */
static void given(const ebb *e, const ebb__node *n, char *text, size_t size) {
    ebb_shape shapes[EBB__MAX_EDGES + 8];
    ebb__node_shapes(n, shapes);
    size_t at = (size_t)snprintf(text, size, "%s of ", n->x->op->name);
    for (int i = 0; i < n->n_x && i < 8 && at < size; i++) {
        char shape[160];
        if (!shapes[i].dtype) continue;
        at += (size_t)snprintf(text + at, size - at, "%s%s%s", i ? ", " : "",
                               ebb_dtype_name((ebb_dtype)shapes[i].dtype),
                               ebb__shape_text(shape, sizeof shape, shapes[i].ndim, shapes[i].dim));
    }
    if (at < size)
        snprintf(text + at, size - at, " in %s", n->region ? e->regions[n->region] : "the top region");
}

ebb_status ebb__anomaly_check(ebb *e, const ebb__node *n, int input, ebb_tensor *const *g, const ebb_tensor *dx) {
    if (!has_nan(dx)) return EBB_OK;
    bool came_in = false;
    for (int j = 0; j < n->n_y; j++) came_in = came_in || has_nan(g[j]);
    return ebb_fail(e, EBB_E_VALUE,
                    came_in ? "backward of %s: the gradient of input %d is NaN, as the one that came in was"
                            : "backward of %s made the first NaN, in the gradient of input %d",
                    n->x->op->name, input);
}

void ebb__anomaly_words(ebb *e, const ebb__node *n) {
    char text[600];
    const size_t used = strlen(e->error);
    given(e, n, text, sizeof text);
    snprintf(e->error + used, sizeof e->error - used, " (the forward op: %s)", text);
}
