/* dataset.c - floor 6: the data sets that models of a session may use: those that a host adds, from tensors or from the bytes of IDX files. */
#include "model.h"

typedef struct ebb__known {
    struct ebb__known *next;
    char name[64], doc[160];
    ebb_dataset_load load; /* NULL: it is there */
    void *user;
    ebb_dataset set;
} ebb__known;

ebb__lang *ebb__lang_of(ebb *e) { return (ebb__lang *)ebb_keep(e, "lang", sizeof(ebb__lang)); }

static ebb__known *known(const ebb *e, const char *name) {
    const ebb__lang *l = (const ebb__lang *)ebb_kept(e, "lang");
    ebb__known *k = l ? l->known : NULL;
    while (k && strcmp(k->name, name)) k = k->next;
    return k;
}

/* The entry of that name, made when it is new. */
static ebb__known *entry(ebb *e, const char *name, const char *doc) {
    ebb__lang *l = ebb__lang_of(e);
    if (!l) return NULL;
    if (!name || !*name || strlen(name) >= sizeof l->known->name)
        return ebb_fail(e, EBB_E_ARG, "a data set needs a name of at most 63 characters"), NULL;
    for (size_t i = 0; ebb__generators[i].name; i++)
        if (!strcmp(ebb__generators[i].name, name))
            return ebb_fail(e, EBB_E_NAME, "a data set called %s is built in", name), NULL;
    ebb__known *k = known(e, name);
    if (!k && (k = (ebb__known *)ebb_memory_get(e, sizeof *k))) {
        snprintf(k->name, sizeof k->name, "%s", name);
        k->next = l->known;
        l->known = k;
    }
    if (k && doc) snprintf(k->doc, sizeof k->doc, "%s", doc);
    return k;
}

ebb_status ebb_dataset_source(ebb *e, const char *name, const char *doc, ebb_dataset_load load, void *user) {
    if (!e || !load) return ebb_fail(e, EBB_E_ARG, "a source of data needs a function");
    ebb__known *k = entry(e, name, doc);
    if (!k) return ebb_error_code(e);
    k->load = load;
    k->user = user;
    return EBB_OK;
}

/* Replaces what there was under the name. */
static ebb_status put(ebb *e, const ebb_dataset *d) {
    ebb__known *k = entry(e, d->name, d->doc);
    if (!k) return ebb_error_code(e);
    ebb_retain(d->x);
    ebb_retain(d->y);
    ebb_release(k->set.x);
    ebb_release(k->set.y);
    k->load = NULL;
    k->set = *d;
    k->set.name = k->name;
    k->set.doc = k->doc;
    return EBB_OK;
}

ebb_status ebb_dataset_add(ebb *e, const ebb_dataset *given) {
    if (!e || !given) return EBB_E_ARG;
    ebb_dataset whole = {.size = sizeof whole}, *const d = &whole;
    memcpy(d, given, given->size && given->size < sizeof whole ? given->size : sizeof whole);
    if (ebb_failed(e)) return ebb_error_code(e);
    const int64_t n = ebb_size(d->x, 0);
    char text[160];
    if (!d->x || !ebb_data(d->x) || ebb_ndim(d->x) < 1 || n < 1)
        return ebb_fail(e, EBB_E_ARG, "data set %s: x is contiguous and has one example or more in its first dim",
                        d->name ? d->name : "");
    if (d->y && (!ebb_data(d->y) || ebb_ndim(d->y) < 1 || ebb_size(d->y, 0) != n))
        return ebb_fail(e, EBB_E_SHAPE, "data set %s: %lld examples in x, but y is %s",
                        d->name ? d->name : "", (long long)n, ebb_describe(d->y, text, sizeof text));
    if (d->n_train < 1 || d->n_train > n)
        return ebb_fail(e, EBB_E_ARG, "data set %s: %lld of %lld examples cannot be for training",
                        d->name ? d->name : "", (long long)d->n_train, (long long)n);
    const int dims = ebb_ndim(d->x);
    if (!d->rows && (dims == 3 || (dims == 4 && ebb_size(d->x, 1) == 1)))
        d->rows = ebb_size(d->x, -2), d->cols = ebb_size(d->x, -1);
    else if (d->rows && (d->rows < 0 || d->cols < 1 || ebb_numel(d->x) / n / d->rows != d->cols ||
                         ebb_numel(d->x) / n % d->rows))
        return ebb_fail(e, EBB_E_SHAPE, "data set %s: %lldx%lld images, but %lld numbers for each example",
                        d->name ? d->name : "", (long long)d->rows, (long long)d->cols,
                        (long long)(ebb_numel(d->x) / n));
    return put(e, d);
}

/* ---- IDX: 00 00 08 d, where 08 is "unsigned byte"; d big-endian 32-bit sizes; the bytes ---- */

typedef struct idx {
    const uint8_t *data;
    int64_t dim[3];
} idx;

static ebb_status read_idx(ebb *e, const char *name, const char *what, const void *bytes, size_t n, int dims,
                           idx *out) {
    const uint8_t *p = (const uint8_t *)bytes;
    const size_t head = 4 + 4 * (size_t)dims;
    uint64_t need = 1;
    if (!p || n < head)
        return ebb_fail(e, EBB_E_IO, "%s: the %s are cut short: %zu bytes, but an IDX header takes %zu", name,
                        what, n, head);
    if (p[0] || p[1] || p[2] != 8 || p[3] != dims)
        return ebb_fail(e, EBB_E_IO, "%s: the %s begin with %02x%02x%02x%02x, but IDX %s begin with 000008%02x",
                        name, what, p[0], p[1], p[2], p[3], what, (unsigned)dims);
    for (int d = 0; d < dims; d++) {
        const uint8_t *s = p + 4 + 4 * d;
        out->dim[d] = (int64_t)((uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 | (uint32_t)s[2] << 8 | s[3]);
        if (out->dim[d] < 1 || (d && out->dim[d] > 4096))
            return ebb_fail(e, EBB_E_IO, "%s: dim %d of the %s is %lld", name, d, what, (long long)out->dim[d]);
        need *= (uint64_t)out->dim[d];
    }
    if (n - head != need)
        return ebb_fail(e, EBB_E_IO, "%s: %zu bytes of %s, but the header needs %llu", name, n - head, what,
                        (unsigned long long)need);
    out->data = p + head;
    return EBB_OK;
}

/* A fixed shuffle, so that what is held back, the last fifth, is a fair part and the same everywhere. An LCG (Knuth, MMIX). */
static void shuffle(int64_t *order, int64_t n) {
    uint64_t state = 20;
    for (int64_t i = 0; i < n; i++) order[i] = i;
    for (int64_t i = n; i-- > 1;) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const int64_t k = (int64_t)((state >> 33) % (uint64_t)(i + 1)), t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
}

ebb_status ebb_dataset_idx(ebb *e, const char *name, const void *images, size_t n_images, const void *labels,
                           size_t n_labels, double scale) {
    idx x = {0}, y = {0};
    if (!e) return EBB_E_ARG;
    if (ebb_failed(e)) return ebb_error_code(e);
    if (!name || !(scale > 0)) return ebb_fail(e, EBB_E_ARG, "a data set needs a name and a scale above 0");
    if (read_idx(e, name, "images", images, n_images, 3, &x) ||
        read_idx(e, name, "labels", labels, n_labels, 1, &y))
        return ebb_error_code(e);
    if (x.dim[0] != y.dim[0])
        return ebb_fail(e, EBB_E_IO, "%s: %lld images, but %lld labels", name, (long long)x.dim[0],
                        (long long)y.dim[0]);
    const int64_t n = x.dim[0], each = x.dim[1] * x.dim[2];
    ebb_scope *s = ebb_begin(e);
    int64_t *order = (int64_t *)ebb_memory_get(e, (size_t)n * sizeof *order);
    ebb_dataset d = {.size = sizeof d, .name = name, .n_train = n - n / 5, .rows = x.dim[1], .cols = x.dim[2]};
    char doc[160];
    snprintf(doc, sizeof doc, "%lld images of %lldx%lld", (long long)n, (long long)x.dim[1], (long long)x.dim[2]);
    d.doc = doc;
    d.x = ebb_tensor_new(e, EBB_F32, EBB_SHAPE(n, each), NULL);
    d.y = ebb_tensor_new(e, EBB_I64, EBB_SHAPE(n), NULL);
    float *to = (float *)ebb_data_mut(d.x);
    int64_t *label = (int64_t *)ebb_data_mut(d.y);
    if (order && to && label) {
        shuffle(order, n);
        for (int64_t i = 0; i < n; i++) {
            const uint8_t *from = x.data + order[i] * each;
            for (int64_t k = 0; k < each; k++) *to++ = (float)(from[k] / scale);
            label[i] = y.data[order[i]];
            if (label[i] >= d.classes) d.classes = (int32_t)label[i] + 1;
        }
        put(e, &d);
    }
    ebb_memory_put(e, order, (size_t)n * sizeof *order);
    ebb_end(s);
    return ebb_error_code(e);
}

/* ---- what there is ---- */

const ebb_dataset *ebb__set_find(ebb *e, const char *name) {
    ebb__known *k = known(e, name);
    if (k && k->load && k->load(e, name, k->user) == EBB_OK && k->load)
        ebb_fail(e, EBB_E_IO, "the source of data set %s did not register it", name);
    return k && !k->load && !ebb_failed(e) ? &k->set : NULL;
}

/* Built-in ones first, then the added ones. doc: that of it is wanted, not its name. */
static const char *at(const ebb *e, size_t i, bool doc) {
    size_t n = 0;
    for (; ebb__generators[n].name; n++)
        if (n == i) return doc ? ebb__generators[n].doc : ebb__generators[n].name;
    const ebb__lang *l = (const ebb__lang *)ebb_kept(e, "lang");
    const ebb__known *k = l ? l->known : NULL;
    for (; k && n < i; n++) k = k->next;
    return !k ? NULL : doc ? k->doc : k->name;
}

const char *ebb_dataset_name(const ebb *e, size_t i) { return e ? at(e, i, false) : NULL; }
const char *ebb_dataset_doc(const ebb *e, size_t i) { return e ? at(e, i, true) : NULL; }
