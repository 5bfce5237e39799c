/* backend.c - floor 5: the kernels of a backend against the op's own. */
#include "check.h"

static bool serves(const checker *c, const char *name) {
    for (size_t p = 0; p < ebb_plugin_count(c->from); p++) {
        const ebb_plugin *plugin = ebb_plugin_at(c->from, p);
        for (const ebb_backend_decl *const *b = plugin->backends; b && *b; b++)
            for (const ebb_backend_kernel *k = (*b)->kernels; !strcmp((*b)->name, name) && k && k->op; k++)
                if (!strcmp(k->op, c->op->name)) return true;
    }
    return false;
}

static bool backend_of(checker *c, tally *t, const trial *tr, ebb *fast, ebb_dtype type) {
    job j = {.type = type};
    vec x[MAX_X], g[MAX_Y];
    outcome own, theirs;
    if (!check_start(c, t, tr, &j, x, g, &own)) return false;
    if (!c->differentiable) j.wanted = 0;
    j.e = fast;
    if (!check_run(c, &j, &theirs)) return check_engine(c, t, tr, fast, "the call on the backend");
    const double eps = type == EBB_F32 ? 2e-5 : 1e-12;
    for (int k = 0; k < own.n_y; k++) {
        const compare how = {"the backend differs from the reference",
                             -1,
                             k,
                             "backend",
                             "reference",
                             eps,
                             eps * check_biggest(&own.y[k]),
                             &own.y_shape[k],
                             NULL};
        if (!check_same(c, t, tr, &how, &theirs.y[k], &own.y[k])) return false;
    }
    for (int i = 0; i < tr->n_x; i++) {
        if (!(j.wanted >> i & 1)) continue;
        const compare how = {"the gradient on the backend differs from the reference",
                             i,
                             -1,
                             "backend",
                             "reference",
                             eps,
                             eps * check_biggest(&own.dx[i]),
                             &tr->x[i].shape,
                             NULL};
        if (!check_same(c, t, tr, &how, &theirs.dx[i], &own.dx[i])) return false;
    }
    return true;
}

void check_backend(checker *c, tally *t) {
    const char *name = c->opt ? c->opt->backend : NULL;
    if (!name) {
        check_skip(t, "no backend asked for");
        return;
    }
    ebb *fast = check_open(c, 1, 0, false);
    if (!fast || ebb_backend_use(fast, name)) {
        check_engine(c, t, NULL, fast ? fast : c->plain, "using the backend");
        ebb_close(fast);
        return;
    }
    if (!serves(c, name)) check_skip(t, "the backend has no kernel for it");
    const int n = c->n_main + c->n_shapes + c->n_large;
    for (int k = 0; k < 2 * n && !t->failed && !t->skipped; k++) {
        const int q = k % n, large = c->n_main + c->n_shapes;
        const trial *tr = q < c->n_main ? &c->main[q]
                          : q < large   ? &c->shapes[q - c->n_main]
                                        : &c->large[q - large];
        const mark m = check_mark(c);
        t->dtype = k < n ? ebb_dtype_name(c->type) : "f32";
        backend_of(c, t, tr, fast, k < n ? c->type : EBB_F32);
        check_reset(c, m);
    }
    ebb_close(fast);
}
