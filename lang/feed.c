/* feed.c - floor 6: what a run is fed: batches of the training part, shuffled anew for each epoch, or examples by number.
 *
 * The order of an epoch follows from the seed and the epoch's number alone, so what else is drawn in between does not matter. */
#include "model.h"

static const ebb__generator *generator(const char *name) {
    const ebb__generator *g = ebb__generators;
    while (g->name && strcmp(g->name, name)) g++;
    return g->name ? g : NULL;
}

static bool no_such_set(ebb_model *m, const ebb__node *n) {
    const char *names[64];
    size_t count = 0;
    char hint[160];
    while (count < 64 && (names[count] = ebb_dataset_name(m->e, count))) count++;
    if (ebb_failed(m->e)) return ebb__problem_of_op(m, n->name_span);
    if (!*ebb__did_you_mean(hint, sizeof hint, n->name, count, names)) {
        size_t at = 0;
        for (size_t i = 0; i < count && at < sizeof hint; i++)
            at += (size_t)snprintf(hint + at, sizeof hint - at, "%s%s", i ? ", " : "there are ", names[i]);
    }
    return ebb__problem(m, EBB_E_NAME, n->name_span, hint, "no data set is called %s", n->name);
}

static bool find_set(ebb_model *m, const ebb__node *n) {
    ebb__feed *f = &m->feed;
    if (m->twin) { /* the same examples */
        f->set = m->twin->feed.set;
        return true;
    }
    const ebb__generator *g = generator(n->name);
    if (g) {
        f->set = &f->own;
        return ebb__generate(m, g, n, &f->own);
    }
    f->set = ebb__set_find(m->e, n->name);
    if (!f->set) return no_such_set(m, n);
    for (int i = 0; i < n->n; i++) {
        const ebb__node *o = n->kid[i];
        static const char *const has[] = {"batch", "shuffle"};
        char hint[160];
        if (strcmp(o->name, has[0]) && strcmp(o->name, has[1]))
            return ebb__problem(m, EBB_E_ATTR, o->name_span, ebb__did_you_mean(hint, sizeof hint, o->name, 2, has),
                                "the data set %s has no option %s", n->name, o->name);
    }
    return true;
}

bool ebb__feed_open(ebb_model *m) {
    const ebb__node *n = m->tree.data;
    ebb__feed *f = &m->feed;
    if (!n) return true;
    if (!find_set(m, n)) return false;
    const int64_t all = f->set->n_train;
    double batch = (double)all, shuffle = 1;
    for (int i = 0; i < n->n; i++) {
        const ebb__node *o = n->kid[i];
        double *to = !strcmp(o->name, "batch") ? &batch : !strcmp(o->name, "shuffle") ? &shuffle : NULL;
        if (to && !ebb__eval_number(m, o->kid[0], o->name, to)) return false;
        if (to == &batch && !(batch >= 1 && batch == floor(batch) && batch <= 1e9))
            return ebb__problem(m, EBB_E_ARG, o->kid[0]->span, "",
                                "batch is a whole number of examples, 1 or more, not %g", batch);
    }
    f->batch = batch < (double)all ? (int64_t)batch : all;
    f->shuffle = shuffle != 0 && f->batch < all;
    f->x_name = n->init->kid[0]->name;
    f->y_name = n->init->n > 1 ? n->init->kid[1]->name : NULL;
    f->order_bytes = (size_t)all * sizeof *f->order;
    f->epoch = -1;
    f->at = 0;
    if (f->order) return true;
    return (f->order = (int64_t *)ebb_memory_get(m->e, f->order_bytes)) || ebb__problem_of_op(m, n->span);
}

void ebb__feed_close(ebb_model *m) {
    ebb__feed *f = &m->feed;
    ebb_memory_put(m->e, f->order, f->order_bytes);
    ebb_release(f->own.x);
    ebb_release(f->own.y);
    *f = (ebb__feed){.epoch = -1};
}

/* Rows of a data set, in the floats of the model. index NULL: first, first + 1 ... */
static ebb_tensor *rows(ebb_model *m, const ebb_tensor *of, const int64_t *index, int64_t first, int64_t n) {
    if (!of) return NULL;
    const ebb_dtype from = ebb_tensor_dtype(of), to = from == EBB_F32 ? m->dtype : from;
    ebb_ints shape = {ebb_ndim(of), {n}};
    int64_t each = 1;
    for (int d = 1; d < shape.n; d++) each *= shape.v[d] = ebb_size(of, d);
    ebb_tensor *t = ebb_tensor_new(m->e, to, shape, NULL);
    char *p = (char *)ebb_data_mut(t);
    const char *all = (const char *)ebb_data(of);
    const size_t size = ebb_dtype_size(from) * (size_t)each;
    for (int64_t i = 0; p && i < n; i++) {
        const int64_t row = index ? index[i] : first + i;
        if (to == from) memcpy(p + size * (size_t)i, all + size * (size_t)row, size);
        else
            for (int64_t k = 0; k < each; k++)
                ((double *)p)[i * each + k] = ((const float *)all)[row * each + k];
    }
    return t;
}

static bool put(ebb_model *m, const int64_t *index, int64_t first, int64_t n) {
    ebb__feed *f = &m->feed;
    const ebb_dataset *d = f->set;
    f->x = ebb_name(rows(m, d->x, index, first, n), f->x_name);
    f->y = f->y_name ? ebb_name(rows(m, d->y, index, first, n), f->y_name) : NULL;
    f->examples = n;
    return !ebb_failed(m->e) || ebb__problem_of_op(m, m->tree.data->span);
}

static void order_epoch(ebb_model *m, int64_t epoch) {
    ebb__feed *f = &m->feed;
    const int64_t n = f->set->n_train;
    for (int64_t i = 0; i < n; i++) f->order[i] = i;
    ebb_seed(m->e, ebb__seed_for(m, "epoch", (uint64_t)epoch));
    for (int64_t i = n; f->shuffle && i-- > 1;) {
        const int64_t k = (int64_t)ebb_random_below(m->e, (uint64_t)i + 1), t = f->order[i];
        f->order[i] = f->order[k];
        f->order[k] = t;
    }
    f->epoch = epoch;
}

/* Batches are whole: what is left of an epoch behind the last whole one waits for another shuffle. */
bool ebb__feed_next(ebb_model *m, bool advance) {
    ebb__feed *f = &m->feed;
    if (!f->set) return true;
    int64_t epoch = f->epoch < 0 ? 0 : f->epoch, at = f->at;
    if (at + f->batch > f->set->n_train) epoch++, at = 0;
    if (epoch != f->epoch) {
        order_epoch(m, epoch);
        f->at = at;
    }
    if (!put(m, f->order + at, 0, f->batch)) return false;
    if (advance) f->at = at + f->batch;
    return true;
}

int64_t ebb__feed_held(const ebb_model *m) {
    return m->feed.set ? ebb_size(m->feed.set->x, 0) - m->feed.set->n_train : 0;
}

bool ebb__feed_rows(ebb_model *m, bool held, int64_t first, int64_t n) {
    return put(m, NULL, first + (held ? m->feed.set->n_train : 0), n);
}

bool ebb__feed_like(ebb_model *m, const ebb_model *twin) {
    m->feed.epoch = -1;
    m->feed.at = twin->feed.at;
    if (!m->feed.set) return true;
    if (twin->feed.epoch >= 0) order_epoch(m, twin->feed.epoch);
    return ebb__feed_next(m, false);
}
