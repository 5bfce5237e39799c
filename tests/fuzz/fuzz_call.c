/* fuzz_call.c - ops by name on random operands, one after another, then backward: refused with words, or a sound result.
 *
 * An input's bytes choose the ops, the operands (every rank and dtype, views, memory of the caller's, NULL, too many, too few)
 * and attributes from the op's own table. Half of the inputs run in guard mode. Ops may be given results of earlier
 * ones. No built-in op may break its contract, and when the scope is closed, nothing of it may be left. */
#include <ebb/op.h>
#include "fuzz_main.h"

enum { POOL = 24, OPS = 5, MOST = 1 << 14 /* elements that are worth computing */ };

typedef struct program {
    fuzz_bytes in;
    ebb *e;
    ebb_tensor *pool[POOL];
    int n;
    void *wrapped[POOL]; /* the caller's memory */
    int n_wrapped;
    bool in_place; /* something was changed in place: a backward may refuse */
    bool once;     /* ... as it may where a derivative exists only once */
} program;

static const fuzz_seed corpus[] = {
    FUZZ_TEXT("\001\003\002\003\004\000\000\005\001\001\000\000"),
    FUZZ_TEXT("\000\002\010\001\001\001\001\001\001\001\001\377\376\001\002\003\004\005\006\007\010\011"),
    FUZZ_TEXT("an input is a list of choices; these words are one, as any bytes are."),
};
FUZZ_TARGET(.name = "fuzz_call", .inputs = 30000, .max = 320, .fresh = 90, .seed = corpus, .n_seeds = COUNT(corpus))

static ebb *session(bool guard) {
    static ebb *e[2];
    if (!e[guard]) {
        const ebb_options o = {
            .size = sizeof o, .threads = guard ? 2 : 1, .grain = 16, .memory_limit = 32 << 20, .guard = guard};
        e[guard] = ebb_open(&o);
        FUZZ_CHECK(e[guard], "no session");
    }
    return e[guard];
}

static void keep(program *p, ebb_tensor *t) {
    if (!t) return;
    p->pool[p->n < POOL ? p->n++ : (int)fuzz_pick(&p->in, POOL)] = t;
}

/* ---- operands ---- */

static double number(fuzz_bytes *b, ebb_dtype d) {
    static const double odd[] = {0,         -0.0,   1,     -1,    2,    0.5,        NAN, INFINITY,
                                 -INFINITY, 1e-310, 1e308, -1e30, 88.8, 2147483647, 1e-8};
    const unsigned v = fuzz_byte(b);
    if (d == EBB_BOOL) return v & 1;
    if (d == EBB_U8) return v;
    if (d == EBB_I32 || d == EBB_I64)
        return v < 240 ? v % 5 : v < 248 ? -1.0 : v < 252 ? -2147483648.0 : 2147483647.0;
    return v < COUNT(odd) ? odd[v] : (v - 128) / 32.0;
}

static void fill(program *p, ebb_dtype d, void *data, int64_t n) {
    const bool plain = fuzz_pick(&p->in, 3) > 0; /* from few bytes */
    for (int64_t i = 0; i < n; i++) {
        const double v = plain && i > 2 ? (double)((i * 7 + n) % 5) : number(&p->in, d);
        switch (d) {
        case EBB_F32: ((float *)data)[i] = (float)v; break;
        case EBB_F64: ((double *)data)[i] = v; break;
        case EBB_I32: ((int32_t *)data)[i] = (int32_t)v; break;
        case EBB_I64: ((int64_t *)data)[i] = v == 2147483647 ? INT64_MAX : (int64_t)v; break;
        case EBB_BOOL: ((uint8_t *)data)[i] = v != 0; break;
        default: ((uint8_t *)data)[i] = (uint8_t)v; break;
        }
    }
}

static ebb_ints random_shape(fuzz_bytes *b) {
    static const uint8_t size[] = {0, 1, 1, 2, 2, 3, 3, 3, 4, 5};
    ebb_ints s = {(int32_t)fuzz_pick(b, 12), {0}};
    if (s.n > EBB_MAX_DIMS) s.n = 2;
    int64_t n = 1;
    for (int32_t d = 0; d < s.n; d++) {
        s.v[d] = size[fuzz_pick(b, sizeof size)];
        if (n * s.v[d] > 4096) s.v[d] = 1;
        n *= s.v[d];
    }
    return s;
}

/* A view of t, by an op that makes one. */
static ebb_tensor *view_of(program *p, ebb_tensor *t) {
    fuzz_bytes *b = &p->in;
    const int n = ebb_ndim(t), d = n ? (int)fuzz_pick(b, (unsigned)n) : 0;
    switch (fuzz_pick(b, 6)) {
    case 0: fuzz_note("    .transpose %d -1\n", d); return n ? ebb_transpose(t, .dim0 = d, .dim1 = -1) : t;
    case 1: {
        const int64_t start = fuzz_pick(b, 4) - 1, step = 1 + fuzz_pick(b, 3);
        fuzz_note("    .slice dim=%d start=%d step=%d\n", d, (int)start, (int)step);
        return n ? ebb_slice(t, .dim = d, .start = start, .step = step) : t;
    }
    case 2: {
        ebb_ints s = {n, {0}};
        const int lead = n < EBB_MAX_DIMS && fuzz_pick(b, 2);
        s.n += lead;
        s.v[0] = fuzz_pick(b, 4);
        for (int k = 0; k < n; k++) s.v[k + lead] = ebb_size(t, k) == 1 ? (int)fuzz_pick(b, 4) : -1;
        fuzz_note("    .expand\n");
        return ebb_expand(t, .size = s);
    }
    case 3: {
        ebb_ints s = {n, {0}};
        for (int k = 0; k < n; k++) s.v[k] = n - 1 - k;
        fuzz_note("    .permute backwards\n");
        return n ? ebb_permute(t, .dims = s) : t;
    }
    case 4: fuzz_note("    .detach\n"); return ebb_detach(t);
    default: return t;
    }
}

static ebb_tensor *random_tensor(program *p, ebb_ints shape, ebb_dtype dtype) {
    fuzz_bytes *b = &p->in;
    ebb_tensor *t;
    if (fuzz_pick(b, 2)) { /* over memory that ends where the tensor ends */
        int64_t n = 1;
        for (int32_t d = 0; d < shape.n; d++) n *= shape.v[d];
        const size_t bytes = (size_t)n * ebb_dtype_size(dtype);
        void *own = p->n_wrapped < POOL ? malloc(bytes ? bytes : 1) : NULL;
        if (own) p->wrapped[p->n_wrapped++] = own;
        t = own ? ebb_tensor_wrap(p->e, dtype, shape, own) : ebb_tensor_new(p->e, dtype, shape, NULL);
    } else t = ebb_tensor_new(p->e, dtype, shape, NULL);
    if (!t) return NULL;
    fill(p, dtype, ebb_data_mut(t), ebb_numel(t));
    char s[200];
    const bool needs = (dtype == EBB_F32 || dtype == EBB_F64) && fuzz_pick(b, 3);
    fuzz_note("  #%d = %s%s\n", p->n, ebb_describe(t, s, sizeof s), needs ? ", needs a gradient" : "");
    if (needs) ebb_requires_grad(t, true);
    keep(p, t);
    for (unsigned k = fuzz_pick(b, 4); k > 1 && t; k--) t = view_of(p, t);
    return t;
}

/* ---- attributes ---- */

/* A value for an attribute, mostly one of its type. */
static void value_of(fuzz_bytes *b, const ebb_attr *a, char *out, size_t n) {
    static const char *const integer[] = {
        "0", "1", "-1", "2", "-2", "3", "-3", "8", "-9", "min", "max", "100", "4611686018427387904", "9223372036854775807", "-9223372036854775808"};
    static const char *const real[] = {"0",   "1",   "-1",   "0.5",   "2",      "3", "-2",
                                       "nan", "inf", "-inf", "1e308", "1e-320", "-0"};
    static const char *const lists[] = {"",
                                        "0",
                                        "-1",
                                        "0,1",
                                        "1,0",
                                        "0,-1",
                                        "2,3",
                                        "-1,2",
                                        "0,1,2",
                                        "2,1,0",
                                        "1,1,1",
                                        "0,0",
                                        "3,-1",
                                        "1,2,3,4,5,6,7,8",
                                        "max",
                                        "min",
                                        "4611686018427387905,4",
                                        "max,max",
                                        "4294967296,4294967296",
                                        "1099511627776,0",
                                        "0,max",
                                        "1,1,1,1,1,1,1,1,1",
                                        "5",
                                        "1"};
    static const char *const odd[] = {"", "x", "1.5", ",", "-", "1e400", "99999999999999999999"};
    if (!fuzz_pick(b, 40)) {
        snprintf(out, n, "%s", odd[fuzz_pick(b, COUNT(odd))]);
        return;
    }
    const unsigned v = fuzz_byte(b);
    switch (a->type) {
    case EBB_A_INT: snprintf(out, n, "%s", integer[v % (v < 128 ? 7 : COUNT(integer))]); break;
    case EBB_A_FLOAT: snprintf(out, n, "%s", real[v % (v < 128 ? 6 : COUNT(real))]); break;
    case EBB_A_BOOL: snprintf(out, n, "%u", v & 1); break;
    case EBB_A_INTS: snprintf(out, n, "%s", lists[v % (v < 160 ? 14 : COUNT(lists))]); break;
    case EBB_A_DTYPE: snprintf(out, n, "%s", ebb_dtype_name((ebb_dtype)(v % (EBB_DTYPES + 1)))); break;
    case EBB_A_FLOATS: snprintf(out, n, v & 1 ? "%s" : "%s,2", real[v / 2 % COUNT(real)]); break;
    case EBB_A_TEXT: {
        static const char *const text[] = {"ij,jk->ik", "ii->i",  "...i,i", "i",   "ij",    "a->",    ",->",
                                           "->",        "ij->ji", "i,i,i",  "...", "ij,->", "iij->jj"};
        snprintf(out, n, "%s", text[v % COUNT(text)]);
        break;
    }
    default: { /* one of the choices */
        unsigned k = 1;
        for (const char *c = a->choices; *c; c++) k += *c == '|';
        const char *c = a->choices;
        for (k = v % k; k; k--) c = strchr(c, '|') + 1;
        snprintf(out, n, "%.*s", (int)strcspn(c, "|"), c);
    }
    }
}

static void attrs_of(program *p, const ebb_op *op, char *out, size_t n) {
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < op->n_attrs; i++) {
        const ebb_attr *a = &op->attrs[i];
        char value[64];
        if (fuzz_pick(&p->in, 4) < (a->def ? 2u : 0u)) continue;
        value_of(&p->in, a, value, sizeof value);
        at += (size_t)snprintf(out + at, n - at, "%s%s=%s", at ? " " : "", a->name, value);
    }
}

/* ---- results ---- */

static volatile double fuzz_sink; /* keeps the reads */

/* Its sizes agree with its number of elements, and every one can be read. */
static void check_tensor(const ebb_tensor *t) {
    ebb_info i;
    ebb_tensor_info(t, &i);
    FUZZ_CHECK(i.ndim >= 0 && i.ndim <= EBB_MAX_DIMS, "%d dims", i.ndim);
    FUZZ_CHECK(i.dtype > EBB_NONE && i.dtype < EBB_DTYPES, "dtype %d", i.dtype);
    int64_t n = 1;
    for (int d = 0; d < i.ndim; d++)
        FUZZ_CHECK(i.shape[d] >= 0 && !__builtin_mul_overflow(n, i.shape[d], &n), "dim %d is %lld", d,
                   (long long)i.shape[d]);
    FUZZ_CHECK(n == i.numel, "%lld elements in sizes of %lld", (long long)i.numel, (long long)n);
    double sum = 0;
    for (int64_t k = 0; k < n && k < MOST; k++) {
        const double v = ebb_at(t, k);
        FUZZ_CHECK(i.dtype != EBB_BOOL || v == 0 || v == 1, "a bool of %g", v);
        sum += v;
    }
    if (n) sum += ebb_at(t, n - 1);
    fuzz_sink = sum;
}

/* ---- a call ---- */

/* Shapes that fit each other more often than random ones: those of the first operand, or parts of them. */
static ebb_ints like(program *p, const ebb_tensor *first) {
    fuzz_bytes *b = &p->in;
    ebb_ints s = {ebb_ndim(first), {0}};
    for (int d = 0; d < s.n; d++) s.v[d] = ebb_size(first, d) < 6 ? ebb_size(first, d) : 1;
    switch (fuzz_pick(b, 6)) {
    case 0:
        if (s.n) s.v[fuzz_pick(b, (unsigned)s.n)] = 1;
        break;
    case 1:
        if (s.n) memmove(s.v, s.v + 1, sizeof *s.v * (size_t)--s.n);
        break;
    case 2:
        if (s.n > 1) {
            const int64_t last = s.v[s.n - 1];
            s.v[s.n - 1] = s.v[s.n - 2];
            s.v[s.n - 2] = last;
        }
        break;
    case 3:
        if (s.n) s = EBB_SHAPE(s.v[s.n - 1]);
        break;
    default: break;
    }
    return s;
}

static bool viewing(const ebb_op *op) { return op->view != NULL; }

static void one_call(program *p) {
    fuzz_bytes *b = &p->in;
    ebb *e = p->e;
    const ebb_op *op = ebb_op_at(e, fuzz_pick(b, (unsigned)ebb_op_count(e)));
    ebb_sig sig;
    FUZZ_CHECK(ebb_sig_parse(op->sig, &sig, NULL, 0) == EBB_OK, "%s", op->sig);
    const bool variadic = sig.n_x && sig.arg[sig.n_x - 1].variadic;
    int n = variadic ? (int)fuzz_pick(b, 4) + 1 : sig.n_x;
    const unsigned odd = fuzz_byte(b);
    if (odd == 0) n--;
    else if (odd == 1) n++;
    else if (odd == 2) n = (const int[]){-1, 0, 56, 57}[fuzz_pick(b, 4)];
    ebb_tensor *x[64] = {NULL};
    const ebb_dtype common =
        (ebb_dtype)(fuzz_pick(b, 10) < 7 ? 1 + fuzz_pick(b, 2) : 1 + fuzz_pick(b, EBB_DTYPES - 1));
    for (int i = 0; i < n && i < 57; i++) {
        const ebb_sig_operand *a = &sig.arg[i < sig.n_x ? i
                                            : sig.n_x   ? sig.n_x - 1
                                                        : 0]; /* one of no inputs is like its output */
        const unsigned how = fuzz_byte(b);
        const int64_t most = viewing(op) ? INT64_MAX : MOST;
        if (how < 4 || (a->optional && how < 100)) continue;
        if ((how < 90 || i > 8) && p->n) { /* one that is there */
            x[i] = p->pool[fuzz_pick(b, (unsigned)p->n)];
            if (ebb_numel(x[i]) <= most) continue;
        }
        ebb_dtype d = a->dtype ? (ebb_dtype)a->dtype : common;
        if (fuzz_pick(b, 12) == 0) d = (ebb_dtype)(1 + fuzz_pick(b, EBB_DTYPES - 1));
        x[i] = random_tensor(p, i && x[0] && fuzz_pick(b, 4) ? like(p, x[0]) : random_shape(b), d);
        if (ebb_failed(e)) return;
        if (x[i] && ebb_numel(x[i]) > most) x[i] = NULL;
    }
    char text[600], name[80], s[200];
    attrs_of(p, op, text, sizeof text);
    const bool in_place = (op->flags & EBB_INPLACE ? fuzz_pick(b, 4) : fuzz_pick(b, 32)) == 1;
    snprintf(name, sizeof name, "%s%s", op->name, in_place ? "_" : "");
    fuzz_note("  %s \"%s\" (", name, text);
    for (int i = 0; i < n && i < 57; i++) fuzz_note("%s%s", i ? ", " : "", ebb_describe(x[i], s, sizeof s));
    fuzz_note(")\n");
    ebb_tensor *y[9];
    memset(y, 0xff, sizeof y);
    const bool no_grad = fuzz_pick(b, 16) == 1;
    if (no_grad) ebb_no_grad_begin(e);
    const int n_y = ebb_call_named(e, name, n, x, text, 8, y);
    if (no_grad) ebb_no_grad_end(e);
    if (op->flags & EBB_ONCE) p->once = true;
    if (in_place) p->in_place = true;
    if (n_y < 0) {
        for (int j = 0; j < 8; j++) FUZZ_CHECK(!y[j], "output %d of a call that failed", j);
        fuzz_note("    %s: %s\n", ebb_status_name(ebb_error_code(e)), ebb_error(e));
        const ebb_status r = fuzz_error(e);
        FUZZ_CHECK(r == EBB_E_ARG || r == EBB_E_SHAPE || r == EBB_E_DTYPE || r == EBB_E_INDEX || r == EBB_E_ATTR ||
                       r == EBB_E_MEMORY || (in_place && (r == EBB_E_CHANGED || r == EBB_E_NAME)),
                   "%s is no answer to a call", ebb_status_name(r));
        return;
    }
    FUZZ_CHECK(!ebb_failed(e) && (n_y == sig.n_y || (sig.arg[sig.n_x].variadic && n_y >= 1)),
               "%d outputs; %s", n_y, ebb_error(e));
    for (int j = 0; j < 8; j++) FUZZ_CHECK(j < n_y ? y[j] != NULL : !y[j], "output %d", j);
    for (int j = 0; j < n_y && j < 8; j++) {
        fuzz_note("    -> %s\n", ebb_describe(y[j], s, sizeof s));
        check_tensor(y[j]);
        keep(p, y[j]);
    }
}

/* ---- backward ---- */

static void backward(program *p, int flags) {
    fuzz_bytes *b = &p->in;
    ebb *e = p->e;
    ebb_tensor *t = p->n ? p->pool[fuzz_pick(b, 2) ? (unsigned)p->n - 1 : fuzz_pick(b, (unsigned)p->n)] : NULL;
    char s[200];
    if (!t || !ebb_needs_grad(t) || ebb_numel(t) > MOST) return;
    ebb_info i;
    ebb_tensor_info(t, &i);
    ebb_ints shape = {i.ndim, {0}};
    memcpy(shape.v, i.shape, sizeof *shape.v * (size_t)i.ndim);
    ebb_tensor *seed = ebb_full(e, (ebb_dtype)i.dtype, shape, 1.5);
    if (fuzz_pick(b, 4) == 1)
        seed = ebb_expand(ebb_full(e, (ebb_dtype)i.dtype, EBB_SHAPE0, 2), .size = shape);
    const bool wrong = fuzz_pick(b, 16) == 1;
    if (wrong)
        seed = fuzz_pick(b, 2) ? ebb_full(e, EBB_I64, shape, 1) : ebb_full(e, EBB_F64, EBB_SHAPE(7, 1, 2), 1);
    if (!seed) {
        FUZZ_CHECK(fuzz_error(e) == EBB_E_MEMORY, "no seed");
        return;
    }
    fuzz_note("  backward of %s, flags %d\n", ebb_describe(t, s, sizeof s), flags);
    if (ebb_backward_with(t, seed, flags) != EBB_OK) {
        fuzz_note("    %s: %s\n", ebb_status_name(ebb_error_code(e)), ebb_error(e));
        const bool rank = strstr(ebb_error(e), "more than 8 dims"); /* those of a result and of what it lost on the way */
        const ebb_status r = fuzz_error(e);
        FUZZ_CHECK(r == EBB_E_MEMORY || wrong || rank || (p->in_place && r == EBB_E_CHANGED) ||
                       (p->once && r == EBB_E_GRAPH),
                   "%s is no answer to backward", ebb_status_name(r));
        return;
    }
    FUZZ_CHECK(!ebb_failed(e), "%s", ebb_error(e));
    for (int k = 0; k < p->n; k++) {
        ebb_tensor *g = ebb_grad_of(p->pool[k]);
        if (!g) continue;
        check_tensor(g);
        FUZZ_CHECK(ebb_ndim(g) == ebb_ndim(p->pool[k]) && ebb_tensor_dtype(g) == ebb_tensor_dtype(p->pool[k]),
                   "%s", ebb_describe(g, s, sizeof s));
        for (int d = 0; d < ebb_ndim(g); d++)
            FUZZ_CHECK(ebb_size(g, d) == ebb_size(p->pool[k], d), "%s", ebb_describe(g, s, sizeof s));
        if (ebb_needs_grad(g) && fuzz_pick(b, 2)) keep(p, g);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_begin(data, size);
    program p = {.in = {data, size}};
    const unsigned first = fuzz_byte(&p.in);
    p.e = session(first & 1);
    fuzz_note("%s mode\n", first & 1 ? "guard" : "plain");
    const int64_t tensors = fuzz_tensors(p.e), nodes = ebb_tape_len(p.e);
    ebb_scope *scope = ebb_begin(p.e);
    for (unsigned k = 1 + (first >> 1) % OPS; k; k--) {
        one_call(&p);
        if (ebb_failed(p.e)) FUZZ_CHECK(fuzz_error(p.e) == EBB_E_MEMORY, "making an operand");
    }
    const bool twice = fuzz_pick(&p.in, 3) == 1;
    backward(&p, twice ? EBB_CREATE_GRAPH : fuzz_pick(&p.in, 2) ? EBB_RETAIN : 0);
    if (twice) backward(&p, EBB_RETAIN);
    ebb_end(scope);
    FUZZ_CHECK(fuzz_tensors(p.e) == tensors, "%lld tensors, %lld before", (long long)fuzz_tensors(p.e),
               (long long)tensors);
    FUZZ_CHECK(ebb_tape_len(p.e) == nodes, "%lld nodes, %lld before", (long long)ebb_tape_len(p.e),
               (long long)nodes);
    fuzz_usable(p.e);
    for (int k = 0; k < p.n_wrapped; k++) free(p.wrapped[k]);
    return 0;
}
