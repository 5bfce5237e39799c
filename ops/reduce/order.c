/* order.c - floor 5: where in order the elements of rows are: argsort, and what topk, kthvalue and median are made of. NaN counts as the largest. */
#include "order.h"
#include "reduce.h"

EBB_SORTER(sort32, entry32, uint32_t)
EBB_SORTER(sort64, entry64, uint64_t)
EBB_SELECTOR(select32, uint32_t)
EBB_SELECTOR(select64, uint64_t)

typedef struct sort_attrs {
    int64_t dim;
    bool descending;
} sort_attrs;
static const ebb_attr sort_attr[] = {
    EBB_ATTR(EBB_A_INT, sort_attrs, dim, "-1", "the dim to sort along"),
    EBB_ATTR(EBB_A_BOOL, sort_attrs, descending, "0", "the largest first"),
};

/* ---- argsort ---- */

#define ARGSORT(name, T, E, K, key_of, sort)                                                                 \
    static ebb_status name(const ebb_loop *l) {                                                              \
        const int64_t n = l->dim[0];                                                                         \
        const K flip = ((const sort_attrs *)l->attrs)->descending ? (K)-1 : 0;                               \
        E *a = (E *)l->scratch;                                                                              \
        if ((uint64_t)n > (K)-1)                                                                             \
            return l->fail(l, EBB_E_SHAPE, "a row of %lld elements is too long", (long long)n);              \
        for (int64_t r = 0; r < l->n; r++) {                                                                 \
            const T *x = (const T *)l->p[0] + r * l->step[0];                                                \
            int64_t *y = (int64_t *)l->p[1] + r * l->step[1];                                                \
            for (int64_t i = 0; i < n; i++) a[i] = (E){key_of(x[i]) ^ flip, (K)i};                           \
            const E *sorted = sort(a, a + n, n);                                                             \
            for (int64_t i = 0; i < n; i++) y[i] = (int64_t)sorted[i].at;                                    \
        }                                                                                                    \
        return EBB_OK;                                                                                       \
    }
ARGSORT(argsort_f32, float, entry32, uint32_t, key_f32, sort32)
ARGSORT(argsort_f64, double, entry64, uint64_t, key_f64, sort64)
ARGSORT(argsort_i64, int64_t, entry64, uint64_t, key_i64, sort64)
static const ebb_kernel argsort_fwd[] = {
    {EBB_F32, {argsort_f32}}, {EBB_F64, {argsort_f64}}, {EBB_I64, {argsort_i64}}, {0, {0}}};

/* Two lists of entries; f32's are half as large, which is not worth telling apart. */
static size_t sort_scratch(const ebb_loop *l) { return 2 * sizeof(entry64) * (size_t)l->dim[0]; }

EBB_OP(argsort,
    .sig = "input(n)->(n):i",
    .math = "y = the order of indices in which x rises, or falls; equal elements in the order they have",
    .fwd = argsort_fwd,
    .attrs = EBB_ATTRS(sort_attrs, sort_attr),
    .axes = "dim",
    .scratch = sort_scratch,
    .tries = "dim=0; descending=1; [2,3,4] dim=1; [45] dim=0; [3,50] descending=1",
    .doc = "Indices that sort a dim. Always stable; NaN counts as the largest."
);

/* ---- the k best of rows ---- */

typedef struct top_attrs {
    int64_t k;
    bool largest, sorted;
} top_attrs;
static const ebb_attr top_attr[] = {
    EBB_ATTR(EBB_A_INT, top_attrs, k, NULL, "how many"),
    EBB_ATTR(EBB_A_BOOL, top_attrs, largest, "1", "the largest, else the smallest"),
    EBB_ATTR(EBB_A_BOOL, top_attrs, sorted, "1", "the best first, else in the order they have in the input"),
};

static ebb_status argtop_infer(ebb_infer *s) {
    const int64_t k = ((const top_attrs *)s->attrs)->k;
    const int last = s->x->ndim - 1;
    const int64_t n = s->x->ndim ? s->x->shape[last] : 1;
    if (k < 0 || k > n)
        return s->fail(s, EBB_E_ATTR, "k is %lld, but the dim has %lld elements", (long long)k, (long long)n);
    s->y->ndim = s->x->ndim;
    for (int d = 0; d < last; d++) s->y->shape[d] = s->x->shape[d];
    if (s->x->ndim) s->y->shape[last] = k;
    s->work = n && s->x->numel ? s->x->numel / n : 1;
    return EBB_OK;
}

enum { FEW = 32 };

/* A few are kept in order as they come. Else the k-th key bounds what is taken; of those equal to it the first are. */
#define ARGTOP(name, T, E, K, key_of, sort, select)                                                          \
    static ebb_status name(const ebb_loop *l) {                                                              \
        const top_attrs *a = (const top_attrs *)l->attrs;                                                    \
        const int64_t n = l->arg[0].ndim ? l->arg[0].shape[l->arg[0].ndim - 1] : 1,                          \
                      m = l->arg[1].ndim ? a->k : 1;                                                         \
        const K flip = a->largest ? (K)-1 : 0;                                                               \
        if ((uint64_t)n > (K)-1)                                                                             \
            return l->fail(l, EBB_E_SHAPE, "a row of %lld elements is too long", (long long)n);              \
        for (int64_t r = l->first; r < l->first + l->n && l->arg[1].numel; r++) {                            \
            const T *x = (const T *)l->p[0] + r * n;                                                         \
            int64_t *y = (int64_t *)l->p[1] + r * m, less, taken = 0;                                        \
            K *keys = (K *)l->scratch, last = 0;                                                             \
            E *best = (E *)l->scratch;                                                                       \
            if (a->sorted && m <= FEW) {                                                                     \
                for (int64_t i = 0; i < n; i++) {                                                            \
                    const K key = key_of(x[i]) ^ flip;                                                       \
                    if (taken == m && key >= last) continue;                                                 \
                    int64_t j = taken < m ? taken++ : m - 1;                                                 \
                    for (; j && best[j - 1].key > key; j--) best[j] = best[j - 1];                           \
                    best[j] = (E){key, (K)i};                                                                \
                    last = best[taken - 1].key;                                                              \
                }                                                                                            \
            } else {                                                                                         \
                for (int64_t i = 0; i < n; i++) keys[i] = key_of(x[i]) ^ flip;                               \
                last = select(keys, n, m - 1, &less);                                                        \
                int64_t equal = m - less;                                                                    \
                for (int64_t i = 0; i < n && taken < m; i++) {                                               \
                    const K key = key_of(x[i]) ^ flip;                                                       \
                    if (key > last || (key == last && equal-- <= 0)) continue;                               \
                    best[taken++] = (E){key, (K)i};                                                          \
                }                                                                                            \
                if (a->sorted) best = sort(best, best + m, m);                                               \
            }                                                                                                \
            for (int64_t i = 0; i < m; i++) y[i] = (int64_t)best[i].at;                                      \
        }                                                                                                    \
        return EBB_OK;                                                                                       \
    }
ARGTOP(argtop_f32, float, entry32, uint32_t, key_f32, sort32, select32)
ARGTOP(argtop_f64, double, entry64, uint64_t, key_f64, sort64, select64)
ARGTOP(argtop_i64, int64_t, entry64, uint64_t, key_i64, sort64, select64)
static const ebb_kernel argtop_fwd[] = {
    {EBB_F32, {argtop_f32}}, {EBB_F64, {argtop_f64}}, {EBB_I64, {argtop_i64}}, {0, {0}}};

/* The keys of a row, later two lists of k entries. */
static size_t top_scratch(const ebb_loop *l) {
    const size_t n = l->arg[0].ndim ? (size_t)l->arg[0].shape[l->arg[0].ndim - 1] : 1,
                 k = (size_t)((const top_attrs *)l->attrs)->k;
    const size_t keys = sizeof(uint64_t) * n, best = 2 * sizeof(entry64) * (k ? k : 1);
    return keys > best ? keys : best;
}

EBB_OP(argtop,
    .sig = "input()->():i",
    .math = "y = the indices of the k largest, or smallest, of each row",
    .infer = argtop_infer,
    .fwd = argtop_fwd,
    .attrs = EBB_ATTRS(top_attrs, top_attr),
    .scratch = top_scratch,
    .flags = EBB_INTERNAL,
    .tries = "[5] k=2; [3,4] k=3 largest=0; [2,3,7] k=5 sorted=0; [3,60] k=45; [4] k=4; [3] k=0; [] k=1; [7,60] k=6",
    .doc = "Indices into the last dim. What topk is made of."
);

/* ---- the k-th of rows ---- */

typedef struct kth_attrs {
    int64_t dim;
    bool keepdim;
    int64_t k;
} kth_attrs;
static const ebb_attr kth_attr[] = {
    EBB_ATTR(EBB_A_INT, kth_attrs, dim, "min", "the dim to reduce; min: all"),
    EBB_ATTR(EBB_A_BOOL, kth_attrs, keepdim, "0", "keep it, with size 1"),
    EBB_ATTR(EBB_A_INT, kth_attrs, k, "1", "from 1; 0: the lower median; -1: that of what is not NaN"),
};

/* Of elements equal to the k-th key, the one that a stable sort would put at k. */
#define ARGKTH(name, T, K, key_of, select)                                                                   \
    static ebb_status name(const ebb_loop *l) {                                                              \
        const int64_t n = l->dim[0], given = ((const kth_attrs *)l->attrs)->k;                               \
        for (int64_t r = 0; r < l->n; r++) {                                                                 \
            const T *x = (const T *)l->p[0] + r * l->step[0];                                                \
            K *keys = (K *)l->scratch;                                                                       \
            int64_t numbers = 0, less, at = 0;                                                               \
            for (int64_t i = 0; i < n; i++) {                                                                \
                keys[i] = key_of(x[i]);                                                                      \
                numbers += x[i] == x[i];                                                                     \
            }                                                                                                \
            int64_t k = given > 0 ? given : given ? (numbers + 1) / 2 : (n + 1) / 2;                         \
            if ((!given && numbers < n) || !k) k = numbers + 1; /* the first NaN */                          \
            if (k > n)                                                                                       \
                return l->fail(l, EBB_E_ATTR, "k is %lld, but the dim has %lld elements", (long long)k,      \
                               (long long)n);                                                                \
            const K key = select(keys, n, k - 1, &less);                                                     \
            for (int64_t left = k - less; at < n; at++)                                                      \
                if (key_of(x[at]) == key && !--left) break;                                                  \
            ((int64_t *)l->p[1])[r * l->step[1]] = at;                                                       \
        }                                                                                                    \
        return EBB_OK;                                                                                       \
    }
ARGKTH(argkth_f32, float, uint32_t, key_f32, select32)
ARGKTH(argkth_f64, double, uint64_t, key_f64, select64)
ARGKTH(argkth_i64, int64_t, uint64_t, key_i64, select64)
static const ebb_kernel argkth_fwd[] = {
    {EBB_F32, {argkth_f32}}, {EBB_F64, {argkth_f64}}, {EBB_I64, {argkth_i64}}, {0, {0}}};

static size_t kth_scratch(const ebb_loop *l) { return sizeof(uint64_t) * (size_t)l->dim[0]; }

EBB_OP(argkth,
    .sig = "input(n)->():i",
    .math = "y = the index of the k-th smallest x_i",
    .fwd = argkth_fwd,
    .attrs = EBB_ATTRS(kth_attrs, kth_attr),
    .axes = "dim",
    .scratch = kth_scratch,
    .flags = EBB_INTERNAL | EBB_NONEMPTY,
    .tries = "dim=0; dim=-1 keepdim=1 k=2; [2,3,4] dim=1 k=3; [70] k=0; [5] k=-1",
    .doc = "Where the k-th smallest of a row is. What kthvalue and median are made of."
);

/* ---- the most frequent of rows ---- */

typedef struct run_attrs {
    int64_t dim;
    bool keepdim;
} run_attrs;
static const ebb_attr run_attr[] = {
    EBB_ATTR(EBB_A_INT, run_attrs, dim, "-1", "the dim to reduce"),
    EBB_ATTR(EBB_A_BOOL, run_attrs, keepdim, "0", "keep it, with size 1"),
};

EBB_KERNEL_WIDE(longest_run_fwd,
    const int64_t n = l->dim[0];
    for (int64_t r = 0; r < l->n; r++) {
        const T *x = (const T *)l->p[0] + r * l->step[0];
        int64_t best = 0; int64_t most = 0; int64_t from = 0;
        for (int64_t i = 0; i < n; i++) {
            if (x[i] != x[from]) from = i;
            if (i - from >= most) {
                most = i - from + 1;
                best = i;
            }
        }
        ((int64_t *)l->p[1])[r * l->step[1]] = best;
    })

EBB_OP(longest_run,
    .sig = "input(n)->():i",
    .math = "y = the end of the first longest run of equal x_i",
    .fwd = longest_run_fwd,
    .attrs = EBB_ATTRS(run_attrs, run_attr),
    .axes = "dim",
    .flags = EBB_INTERNAL | EBB_NONEMPTY,
    .tries = "dim=0; dim=-1 keepdim=1; [2,3,4] dim=1",
    .doc = "Where the first longest run of a row ends. What mode is made of."
);
