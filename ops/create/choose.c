/* choose.c - floor 5: random integers and choices: randint, randperm, bernoulli, multinomial. */
#include "random.h"

/* ---- integers ---- */

typedef struct randint_attrs {
    ebb_ints size;
    int64_t low, high;
    int32_t dtype;
    int64_t key;
} randint_attrs;
static const ebb_attr randint_attr[] = {
    EBB_ATTR(EBB_A_INTS, randint_attrs, size, "", "shape; none given: a 0-d tensor"),
    EBB_ATTR(EBB_A_INT, randint_attrs, low, "0", "the least value"),
    EBB_ATTR(EBB_A_INT, randint_attrs, high, NULL, "bound of the values, itself left out"),
    EBB_ATTR(EBB_A_DTYPE, randint_attrs, dtype, "i64", "element type"),
    EBB_ATTR(EBB_A_INT, randint_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static ebb_status randint_infer(ebb_infer *s) {
    return sized(s, &((const randint_attrs *)s->attrs)->size, 4);
}

/* The bias of a product's high half is at most n/2^64. */
EBB__BODY(randint_kernel, int64_t,
    const randint_attrs *a = (const randint_attrs *)l->attrs;
    const uint64_t n = (uint64_t)a->high - (uint64_t)a->low;
    EACH_STRIP(a->key, l->arg[0].numel,
        for (int64_t k = 0; k < count; k++) y[k] = (int64_t)((uint64_t)a->low + (uint64_t)below(r[k], s[k], n));))
static const ebb_kernel randint_fwd[] = {{EBB_I64, EBB__TABLE(randint_kernel)}, {0, {0}}};

EBB_OP(randint_i64,
    .sig = "->()",
    .math = "y_i uniform among low, low + 1 .. high - 1",
    .infer = randint_infer,
    .fwd = randint_fwd,
    .attrs = EBB_ATTRS(randint_attrs, randint_attr),
    .flags = EBB_RANDOM | EBB_INTERNAL,
    .tries = "size=2,3 high=5; size=7 low=-3 high=4; size=300 high=1000; size=0,2 high=1",
    .doc = "randint of i64."
);

/* Whether a dtype holds every integer from lo to hi. */
static bool holds(int32_t dtype, int64_t lo, int64_t hi) {
    switch (dtype) {
    case EBB_U8: return lo >= 0 && hi <= UINT8_MAX;
    case EBB_BOOL: return lo >= 0 && hi <= 1;
    case EBB_I32: return lo >= INT32_MIN && hi <= INT32_MAX;
    case EBB_F32: return lo >= -(1 << 24) && hi <= 1 << 24;
    case EBB_F64: return lo >= -((int64_t)1 << 53) && hi <= (int64_t)1 << 53;
    default: return true;
    }
}

static ebb_tensor *randint_compose(const ebb_call *c) {
    const randint_attrs *a = (const randint_attrs *)c->attrs;
    if (a->low >= a->high)
        return EBB_FAIL(c, EBB_E_ATTR, "low is %lld, high %lld: there is no integer between",
                        (long long)a->low, (long long)a->high);
    if (!holds(a->dtype, a->low, a->high - 1))
        return EBB_FAIL(c, EBB_E_DTYPE, "the element type does not hold every integer from %lld to %lld",
                        (long long)a->low, (long long)a->high - 1);
    ebb_tensor *y = ebb_randint_i64(c->e, .size = a->size, .low = a->low, .high = a->high, .key = a->key);
    return ebb_to(y, a->dtype ? (ebb_dtype)a->dtype : EBB_I64);
}

EBB_OP(randint,
    .sig = "->()",
    .math = "y_i uniform among low, low + 1 .. high - 1",
    .compose = randint_compose,
    .attrs = EBB_ATTRS(randint_attrs, randint_attr),
    .flags = EBB_RANDOM,
    .tries = "size=2,3 high=5; size=7 low=-3 high=4 dtype=f32; size=300 high=200 dtype=u8; size=0,2 high=1",
    .doc = "Random integers."
);

/* ---- permutation ---- */

typedef struct randperm_attrs {
    int64_t n;
    int32_t dtype;
    int64_t key;
} randperm_attrs;
static const ebb_attr randperm_attr[] = {
    EBB_ATTR(EBB_A_INT, randperm_attrs, n, NULL, "how many", .lo = 0, .hi = 1e15),
    EBB_ATTR(EBB_A_DTYPE, randperm_attrs, dtype, "i64", "element type"),
    EBB_ATTR(EBB_A_INT, randperm_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static ebb_status randperm_infer(ebb_infer *s) {
    s->y->ndim = 1;
    s->y->shape[0] = ((const randperm_attrs *)s->attrs)->n;
    return EBB_OK;
}

/* Fisher and Yates, from the front: step i takes half i%2 of block i/2. */
static ebb_status randperm_kernel(const ebb_loop *l) {
    const randperm_attrs *a = (const randperm_attrs *)l->attrs;
    int64_t *y = (int64_t *)l->p[0];
    uint32_t r[4 * STRIP];
    for (int64_t i = 0; i < a->n; i++) {
        const int64_t at = i % (2 * STRIP);
        if (!at) draw_blocks((uint64_t)a->key, 0, i / 2, STRIP, r);
        const int64_t j = below(r[2 * at], r[2 * at + 1], (uint64_t)i + 1);
        y[i] = y[j];
        y[j] = i;
        if (j == i) y[i] = i;
    }
    return EBB_OK;
}
static const ebb_kernel randperm_fwd[] = {{EBB_I64, {randperm_kernel}}, {0, {0}}};

EBB_OP(randperm_i64,
    .sig = "->()",
    .math = "y = 0, 1 .. n-1 in random order",
    .infer = randperm_infer,
    .fwd = randperm_fwd,
    .attrs = EBB_ATTRS(randperm_attrs, randperm_attr),
    .flags = EBB_RANDOM | EBB_INTERNAL,
    .tries = "n=5; n=1; n=0; n=300",
    .doc = "randperm of i64."
);

static ebb_tensor *randperm_compose(const ebb_call *c) {
    const randperm_attrs *a = (const randperm_attrs *)c->attrs;
    if (!holds(a->dtype, 0, a->n - 1))
        return EBB_FAIL(c, EBB_E_DTYPE, "the element type does not hold every integer from 0 to %lld",
                        (long long)a->n - 1);
    return ebb_to(ebb_randperm_i64(c->e, .n = a->n, .key = a->key), a->dtype ? (ebb_dtype)a->dtype : EBB_I64);
}

EBB_OP(randperm,
    .sig = "->()",
    .math = "y = 0, 1 .. n-1 in random order",
    .compose = randperm_compose,
    .attrs = EBB_ATTRS(randperm_attrs, randperm_attr),
    .flags = EBB_RANDOM,
    .tries = "n=5; n=1; n=0; n=300 dtype=f32",
    .doc = "A random permutation of 0 .. n-1."
);

/* ---- bernoulli ---- */

typedef struct bernoulli_attrs {
    double p;
    int64_t key;
} bernoulli_attrs;
static const ebb_attr bernoulli_attr[] = {
    EBB_ATTR(EBB_A_FLOAT, bernoulli_attrs, p, "nan", "the probability of all elements; nan: the input holds them"),
    EBB_ATTR(EBB_A_INT, bernoulli_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static ebb_status bernoulli_infer(ebb_infer *s) {
    s->y->ndim = s->x->ndim;
    for (int d = 0; d < s->x->ndim; d++) s->y->shape[d] = s->x->shape[d];
    s->work = s->x->numel > 4 ? (s->x->numel + 3) / 4 : 1;
    return EBB_OK;
}

/* Element i has word i%4 of block i/4. */
EBB_KERNEL(bernoulli_fwd,
    const T *p = (const T *)l->p[0];
    T *y = (T *)l->p[1];
    uint32_t r[4 * STRIP];
    for (int64_t at = l->first; at < l->first + l->n; at += STRIP) {
        const int64_t blocks = l->first + l->n - at < STRIP ? l->first + l->n - at : STRIP;
        const int64_t left = l->arg[0].numel - 4 * at; const int64_t count = left < 4 * blocks ? left : 4 * blocks;
        bool ok = true;
        draw_blocks((uint64_t)((const bernoulli_attrs *)l->attrs)->key, 0, at, blocks, r);
        for (int64_t k = 0; k < count; k++) ok &= !(p[4 * at + k] < 0 || p[4 * at + k] > 1) || p[4 * at + k] - p[4 * at + k] != 0;
        for (int64_t k = 0; k < count; k++) y[4 * at + k] = p[4 * at + k] != p[4 * at + k] ? p[4 * at + k] : (double)r[k] < (double)p[4 * at + k] * 0x1p32 ? 1 : 0;
        if (!ok) return l->fail(l, EBB_E_ARG, "input holds probabilities, which lie in 0..1");
    })

static ebb_tensor *bernoulli_compose(const ebb_call *c) {
    const bernoulli_attrs *a = (const bernoulli_attrs *)c->attrs;
    if (a->p != a->p) {
        if (!ebb_is_float(c->x_shape[0].dtype))
            return EBB_FAIL(c, EBB_E_DTYPE, "input holds probabilities and must be f32 or f64, or give p");
        return NULL;
    }
    if (!(a->p >= 0 && a->p <= 1))
        return EBB_FAIL(c, EBB_E_ATTR, "p is %g: a probability lies in 0..1", a->p);
    return ebb_to(ebb_bernoulli(ebb_constant(c->e, EBB_F64, ebb_ints_of(&c->x_shape[0]), a->p), .key = a->key),
                  (ebb_dtype)c->x_shape[0].dtype);
}

static ebb_tensor *bernoulli_dx(const ebb_call *c, ebb_tensor *g) {
    (void)g;
    return ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype, ebb_ints_of(&c->x_shape[0]), 0);
}

EBB_OP(bernoulli,
    .sig = "input()->()",
    .math = "y_i = 1 with probability p_i, else 0;  dp = 0",
    .compose = bernoulli_compose,
    .infer = bernoulli_infer,
    .fwd = bernoulli_fwd,
    .attrs = EBB_ATTRS(bernoulli_attrs, bernoulli_attr),
    .vjp = EBB_VJP({bernoulli_dx, 0}),
    .flags = EBB_RANDOM,
    .domain = EBB_DOMAIN({0.05, 0.95}),
    .tries = "[2,3]; [67]; []; [0,2]; [5] p=0.3",
    .doc = "Ones and zeros by chance: with the probabilities that the input holds, or with p for all elements. NaN gives NaN, infinities are 0 and 1. The gradient is 0, as PyTorch's."
);

/* ---- multinomial ---- */

typedef struct multinomial_attrs {
    int64_t num_samples;
    bool replacement;
    int64_t key;
} multinomial_attrs;
static const ebb_attr multinomial_attr[] = {
    EBB_ATTR(EBB_A_INT, multinomial_attrs, num_samples, NULL, "how many a row", .lo = 1, .hi = 1e15),
    EBB_ATTR(EBB_A_BOOL, multinomial_attrs, replacement, "0", "a choice may come several times"),
    EBB_ATTR(EBB_A_INT, multinomial_attrs, key, "0", "key of the random numbers; 0: the session's next"),
};

static ebb_status multinomial_infer(ebb_infer *s) {
    const multinomial_attrs *a = (const multinomial_attrs *)s->attrs;
    const int nd = s->x->ndim;
    if (nd != 1 && nd != 2)
        return s->fail(s, EBB_E_SHAPE,
                       "input has %d dims; 1, weights, or 2, a row of weights each, are possible", nd);
    const int64_t n = s->x->shape[nd - 1];
    if (!n) return s->fail(s, EBB_E_SHAPE, "there is nothing to choose from");
    if (!a->replacement && a->num_samples > n)
        return s->fail(s, EBB_E_ATTR,
                       "num_samples is %lld, but there are only %lld to choose from without replacement",
                       (long long)a->num_samples, (long long)n);
    s->y->ndim = nd;
    s->y->shape[0] = s->x->shape[0];
    s->y->shape[nd - 1] = a->num_samples;
    s->work = nd == 2 && s->x->shape[0] ? s->x->shape[0] : 1;
    return EBB_OK;
}

typedef struct candidate {
    double time;
    int64_t place;
} candidate;

static size_t multinomial_scratch(const ebb_loop *l) {
    const multinomial_attrs *a = (const multinomial_attrs *)l->attrs;
    const int64_t n = l->arg[0].shape[l->arg[0].ndim - 1];
    return a->replacement ? (size_t)n * sizeof(double) : (size_t)a->num_samples * sizeof(candidate);
}

static bool later(candidate a, candidate b) {
    return a.time > b.time || (a.time == b.time && a.place > b.place);
}

/* Restores a heap whose latest is first, after its element i was replaced. */
static void sift(candidate *heap, int64_t n, int64_t i) {
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && later(heap[child + 1], heap[child])) child++;
        if (!later(heap[child], heap[i])) return;
        const candidate kept = heap[i];
        heap[i] = heap[child];
        heap[child] = kept;
    }
}

/* A race: each waits an exponential time of rate w; the first k win, in order. Place i of a row has half i%2 of block (row, i/2). */
#define RACE                                                                                                 \
    candidate *heap = (candidate *)l->scratch;                                                               \
    for (int64_t i = 0; i < k; i++) heap[i] = (candidate){INFINITY, INT64_MAX};                              \
    for (int64_t from = 0; from < n; from += 2 * STRIP) {                                                    \
        const int64_t count = n - from < 2 * STRIP ? n - from : 2 * STRIP;                                   \
        draw_blocks((uint64_t)a->key, (uint64_t)row, from / 2, STRIP, r);                                    \
        for (int64_t i = 0; i < count; i++)                                                                  \
            time[i] = -ebb_log(1 - ebb_unit_f64(r[2 * i], r[2 * i + 1])) / (double)w[from + i];              \
        for (int64_t i = 0; i < count; i++) {                                                                \
            const candidate c = {time[i], from + i};                                                         \
            if (!(w[from + i] > 0) || !later(heap[0], c)) continue;                                          \
            heap[0] = c;                                                                                     \
            sift(heap, k, 0);                                                                                \
        }                                                                                                    \
    }                                                                                                        \
    if (heap[0].place == INT64_MAX)                                                                          \
        return l->fail(l, EBB_E_ARG, "row %lld has fewer than %lld weights above 0", (long long)row,         \
                       (long long)k);                                                                        \
    for (int64_t m = k; m-- > 0;) {                                                                          \
        y[m] = heap[0].place;                                                                                \
        heap[0] = heap[m];                                                                                   \
        sift(heap, m, 0);                                                                                    \
    }

#define REPEATED                                                                                             \
    double *sum = (double *)l->scratch;                                                                      \
    sum[0] = (double)w[0];                                                                                   \
    for (int64_t i = 1; i < n; i++) sum[i] = sum[i - 1] + (double)w[i];                                      \
    for (int64_t j = 0; j < k; j++) {                                                                        \
        const double at = ebb_unit(a->key, row * k + j) * sum[n - 1];                                        \
        int64_t lo = 0, hi = n - 1; /* the first place whose sum is above */                                 \
        while (lo < hi) {                                                                                    \
            const int64_t mid = (lo + hi) / 2;                                                               \
            if (sum[mid] > at) hi = mid;                                                                     \
            else lo = mid + 1;                                                                               \
        }                                                                                                    \
        while (lo > 0 && !(w[lo] > 0)) lo--; /* rounding led past the last weight */                         \
        y[j] = lo;                                                                                           \
    }

EBB_KERNEL(multinomial_fwd,
    const multinomial_attrs *a = (const multinomial_attrs *)l->attrs;
    const int64_t n = l->arg[0].shape[l->arg[0].ndim - 1]; const int64_t k = a->num_samples;
    const int64_t rows = l->arg[0].numel / n; const int64_t end = l->first + l->n < rows ? l->first + l->n : rows;
    uint32_t r[4 * STRIP]; double time[2 * STRIP];
    for (int64_t row = l->first; row < end; row++) {
        const T *w = (const T *)l->p[0] + row * n;
        int64_t *y = (int64_t *)l->p[1] + row * k;
        int64_t good = 0; int64_t above = 0;
        for (int64_t i = 0; i < n; i++) {
            good += w[i] >= 0 && w[i] - w[i] == 0;
            above += w[i] > 0;
        }
        if (good < n || !above)
            return l->fail(l, EBB_E_ARG, "the weights of row %lld %s", (long long)row, good < n ? "are not all finite and at least 0" : "are all 0");
        if (a->replacement) { REPEATED } else { RACE }
    })

EBB_OP(multinomial,
    .sig = "input()->():i",
    .math = "P(y = i) = w_i / sum_j w_j, each of those that are left",
    .infer = multinomial_infer,
    .fwd = multinomial_fwd,
    .scratch = multinomial_scratch,
    .attrs = EBB_ATTRS(multinomial_attrs, multinomial_attr),
    .flags = EBB_RANDOM,
    .domain = EBB_DOMAIN({0.1, 2}),
    .tries = "[5] num_samples=3; [3,7] num_samples=4; [2,3] num_samples=6 replacement=1; [1] num_samples=1; [0,3] num_samples=2; [4] num_samples=2 replacement=1",
    .doc = "Places chosen at random by the weights of each row, which need not sum to 1; without replacement none comes twice.",
    .ref = "Efraimidis and Spirakis, 2006, Weighted random sampling with a reservoir (the race)"
);
