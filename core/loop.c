/* loop.c - floor 2: the broadcast loop: joins dims, cuts items into ranges and tiles, hands them to threads; see loop.h. */
#include "loop.h"
#include "parallel.h"
#include <stdio.h>

enum { TILE_WORK = 1 << 22, MAX_TILES = 16, BLOCK = 16384, ACROSS = 16 };

/* Joins neighbouring batch dims that every operand steps through evenly; drops dims of size 1. */
static void join(ebb__plan *p) {
    int nb = 0;
    for (int d = 0; d < p->nb; d++) {
        if (p->batch[d] == 1) continue;
        bool even = nb > 0;
        for (int i = 0; even && i < p->n_args; i++)
            even = p->arg[i].batch[nb - 1] == p->arg[i].batch[d] * p->batch[d];
        if (even) {
            p->batch[nb - 1] *= p->batch[d];
            for (int i = 0; i < p->n_args; i++) p->arg[i].batch[nb - 1] = p->arg[i].batch[d];
        } else {
            p->batch[nb] = p->batch[d];
            for (int i = 0; i < p->n_args; i++) p->arg[i].batch[nb] = p->arg[i].batch[d];
            nb++;
        }
    }
    p->nb = nb;
}

typedef struct job {
    const ebb__plan *p;
    ebb_kernel_fn fn;
    const int64_t (*core)[EBB_MAX_DIMS];
    int64_t items, tasks, inner;
    int level;
    char *scratch;
    size_t scratch_each;
    ebb_status failed;      /* what a kernel call returned, when one failed */
    int tiles[MAX_LETTERS]; /* how many tiles along each letter */
    char said;              /* a kernel has put words into `words` (the first one to do so) */
    char words[200];
} job;

static ebb_status kernel_fail(const ebb_loop *l, ebb_status code, const char *format, ...) {
    job *j = (job *)l->private_;
    if (__atomic_exchange_n(&j->said, 1, __ATOMIC_RELAXED)) return code;
    va_list args;
    va_start(args, format);
    vsnprintf(j->words, sizeof j->words, format, args);
    va_end(args);
    return code;
}

static void fill_loop(const job *j, ebb_loop *l, void **ptr, int64_t *step, int thread) {
    *l = (ebb_loop){.size = sizeof *l,
                    .n_args = j->p->n_args,
                    .n = 1,
                    .p = ptr,
                    .step = step,
                    .dim = j->p->dim,
                    .stride = j->core,
                    .arg = j->p->infos,
                    .attrs = j->p->attrs,
                    .scratch = j->scratch ? j->scratch + (size_t)thread * j->scratch_each : NULL,
                    .level = j->level,
                    .n_x = j->p->n_x,
                    .fail = kernel_fail,
                    .private_ = (void *)(uintptr_t)j};
}

/* Items [lo, hi): one kernel call for each run along the innermost dim. */
static ebb_status run_range(const job *j, ebb_loop *l, void **ptr, int64_t lo, int64_t hi) {
    const ebb__plan *p = j->p;
    while (lo < hi) {
        int64_t rest = lo, n = hi - lo;
        for (int i = 0; i < p->n_args; i++) ptr[i] = p->arg[i].p;
        for (int d = p->nb; d-- > 0;) {
            const int64_t at = rest % p->batch[d];
            rest /= p->batch[d];
            if (d == p->nb - 1 && n > p->batch[d] - at) n = p->batch[d] - at;
            if (at)
                for (int i = 0; i < p->n_args; i++)
                    if (ptr[i]) ptr[i] = (char *)ptr[i] + at * p->arg[i].batch[d] * p->arg[i].size;
        }
        l->n = n;
        const ebb_status s = j->fn(l);
        if (s != EBB_OK) return s;
        lo += n;
    }
    return EBB_OK;
}

static void range_task(void *ctx, int64_t task, int thread) {
    job *j = (job *)ctx;
    ebb_loop l;
    void *ptr[EBB_MAX_OPERANDS];
    int64_t step[EBB_MAX_OPERANDS];
    for (int i = 0; i < j->p->n_args; i++) step[i] = j->p->nb ? j->p->arg[i].batch[j->p->nb - 1] : 0;
    fill_loop(j, &l, ptr, step, thread);
    const ebb_status s = run_range(j, &l, ptr, j->items * task / j->tasks, j->items * (task + 1) / j->tasks);
    if (s != EBB_OK) __atomic_store_n(&j->failed, s, __ATOMIC_RELAXED);
}

/* Whether an operand runs across memory along the innermost dim but along memory in the one before it (a transposed view). */
static bool transposed(const ebb__plan *p) {
    if (p->nb < 2 || p->batch[p->nb - 1] < 2 * ACROSS || p->batch[p->nb - 2] < 4) return false;
    for (int i = 0; i < p->n_args; i++)
        if (p->arg[i].p && p->arg[i].batch[p->nb - 2] == 1 && p->arg[i].batch[p->nb - 1] > 8) return true;
    return false;
}

/* Then the two dims are done in strips ACROSS wide, so that a cache line read for one row is still there for the next.
 * Items of this task: strips. */
static void strip_task(void *ctx, int64_t task, int thread) {
    job *j = (job *)ctx;
    const ebb__plan *p = j->p;
    ebb_loop l;
    void *ptr[EBB_MAX_OPERANDS];
    int64_t step[EBB_MAX_OPERANDS];
    const int in = p->nb - 1, out = p->nb - 2;
    const int64_t strips = (p->batch[in] + ACROSS - 1) / ACROSS;
    for (int i = 0; i < p->n_args; i++) step[i] = p->arg[i].batch[in];
    fill_loop(j, &l, ptr, step, thread);
    for (int64_t s = j->items * task / j->tasks; s < j->items * (task + 1) / j->tasks; s++) {
        const int64_t from = s % strips * ACROSS;
        l.n = p->batch[in] - from < ACROSS ? p->batch[in] - from : ACROSS;
        for (int i = 0; i < p->n_args; i++) {
            int64_t at = from * p->arg[i].batch[in], rest = s / strips;
            for (int d = out; d-- > 0; rest /= p->batch[d]) at += rest % p->batch[d] * p->arg[i].batch[d];
            ptr[i] = p->arg[i].p ? p->arg[i].p + at * p->arg[i].size : NULL;
        }
        for (int64_t r = 0; r < p->batch[out]; r++) {
            const ebb_status status = j->fn(&l);
            if (status != EBB_OK) {
                __atomic_store_n(&j->failed, status, __ATOMIC_RELAXED);
                return;
            }
            for (int i = 0; i < p->n_args; i++)
                if (ptr[i]) ptr[i] = (char *)ptr[i] + p->arg[i].batch[out] * p->arg[i].size;
        }
    }
}

static void unit_task(void *ctx, int64_t task, int thread) {
    job *j = (job *)ctx;
    ebb_loop l;
    void *ptr[EBB_MAX_OPERANDS];
    int64_t step[EBB_MAX_OPERANDS] = {0};
    fill_loop(j, &l, ptr, step, thread);
    for (int i = 0; i < j->p->n_args; i++) ptr[i] = j->p->arg[i].p;
    l.first = j->items * task / j->tasks;
    l.n = j->items * (task + 1) / j->tasks - l.first;
    const ebb_status s = l.n ? j->fn(&l) : EBB_OK;
    if (s != EBB_OK) __atomic_store_n(&j->failed, s, __ATOMIC_RELAXED);
}

/* A tile of one item: the letters of `.split` are cut, the others whole. */
static void tile_task(void *ctx, int64_t task, int thread) {
    job *j = (job *)ctx;
    const ebb__plan *p = j->p;
    ebb_loop l;
    void *ptr[EBB_MAX_OPERANDS];
    int64_t step[EBB_MAX_OPERANDS] = {0}, dim[MAX_LETTERS], from[MAX_LETTERS];
    fill_loop(j, &l, ptr, step, thread);
    int64_t item = task;
    for (int c = 0; c < p->x->n_letters; c++) {
        const int64_t at = item % j->tiles[c];
        item /= j->tiles[c];
        from[c] = p->dim[c] * at / j->tiles[c];
        dim[c] = p->dim[c] * (at + 1) / j->tiles[c] - from[c];
    }
    for (int i = 0; i < p->n_args; i++) {
        ptr[i] = p->arg[i].p;
        if (!ptr[i]) continue;
        int64_t at = 0, rest = item;
        for (int d = p->nb; d-- > 0; rest /= p->batch[d]) at += rest % p->batch[d] * p->arg[i].batch[d];
        const ebb__operand *o = &p->x->arg[i];
        for (int d = 0; d < o->ndim; d++) at += from[o->dim[d]] * p->arg[i].core[d];
        ptr[i] = (char *)ptr[i] + at * p->arg[i].size;
    }
    l.dim = dim;
    const ebb_status s = j->fn(&l);
    if (s != EBB_OK) __atomic_store_n(&j->failed, s, __ATOMIC_RELAXED);
}

static ebb_kernel_fn choose(const ebb__plan *p, const ebb_loop *item) {
    for (const ebb__backend_entry *b = p->x->backends; b; b = b->next)
        if (b->fn[p->dtype] && (!b->accepts || b->accepts(item))) return b->fn[p->dtype];
    return p->x->ref.fn[p->dtype];
}

/* How a large item is cut, by its sizes alone: halves of the longest split letter, down to tiles worth a thread. */
static int64_t cut_tiles(job *j, int64_t work) {
    int64_t total = 1;
    for (int c = 0; c < j->p->x->n_letters; c++) j->tiles[c] = 1;
    while (total < MAX_TILES && work / (total * 2) >= TILE_WORK) {
        int best = -1;
        int64_t longest = 127;
        for (int c = 0; c < j->p->x->n_letters; c++)
            if (strchr(j->p->x->op->split, j->p->x->letter[c]) && j->p->dim[c] / j->tiles[c] > longest) {
                longest = j->p->dim[c] / j->tiles[c];
                best = c;
            }
        if (best < 0) break;
        j->tiles[best] *= 2;
        total *= 2;
    }
    return total;
}

static ebb_status finish(ebb *e, const job *j) {
    if (j->failed == EBB_OK) return EBB_OK;
    if (j->said) return ebb_fail(e, j->failed, "%s: %s", j->p->x->op->name, j->words);
    return ebb_fail(e, EBB_E_KERNEL, "%s: its kernel returned an error (%s)", j->p->x->op->name,
                    ebb_status_name(j->failed));
}

static ebb_status run_job(ebb *e, ebb__plan *p) {
    job j; /* set field by field: `words` is only read after a failure */
    j.p = p;
    j.core = NULL;
    j.level = e->level;
    j.tasks = 1;
    j.scratch = NULL;
    j.scratch_each = 0;
    j.failed = EBB_OK;
    j.said = 0;
    int64_t core[EBB_MAX_OPERANDS][EBB_MAX_DIMS];
    const ebb_op *op = p->x->op;
    if (op->flags & EBB_STRIDED) {
        for (int i = 0; i < p->n_args; i++) memcpy(core[i], p->arg[i].core, sizeof core[i]);
        j.core = (const int64_t(*)[EBB_MAX_DIMS])core;
    }
    int64_t work = 1;
    for (int c = 0; c < p->x->n_letters; c++) work *= p->dim[c];
    ebb_loop item;
    void *ptr[EBB_MAX_OPERANDS];
    int64_t step[EBB_MAX_OPERANDS];
    if (p->x->backends || op->scratch || op->split) {
        fill_loop(&j, &item, ptr, step, 0);
        for (int i = 0; i < p->n_args; i++) {
            ptr[i] = p->arg[i].p;
            step[i] = p->nb ? p->arg[i].batch[p->nb - 1] : 0;
        }
    }
    j.fn = p->x->backends ? choose(p, &item) : p->x->ref.fn[p->dtype];

    void (*task)(void *, int64_t, int) = range_task;
    int64_t total;
    if (op->infer) {
        j.items = p->work;
        task = unit_task;
        total = 1;
        for (int i = 0; i < p->n_args; i++)
            if (p->infos[i].numel > total) total = p->infos[i].numel;
    } else {
        j.items = 1;
        for (int d = 0; d < p->nb; d++) j.items *= p->batch[d];
        total = j.items * (work ? work : 1);
    }
    int64_t tiles = 1;
    if (p->x->pointwise && transposed(p)) {
        task = strip_task;
        j.items =
            j.items / p->batch[p->nb - 1] / p->batch[p->nb - 2] * ((p->batch[p->nb - 1] + ACROSS - 1) / ACROSS);
    }
    if (op->split && !op->infer && j.items < MAX_TILES && (tiles = cut_tiles(&j, work)) > 1) {
        task = tile_task;
        j.tasks = j.items * tiles;
    } else if (e->threads > 1 && total >= e->grain && j.items > 1) {
        j.tasks = j.items < e->threads ? j.items : e->threads;
    }
    const int threads = e->threads < j.tasks ? e->threads : (int)j.tasks;
    if (op->scratch) {
        j.scratch_each = (op->scratch(&item) + 63) & ~(size_t)63;
        if (j.scratch_each && !(j.scratch = (char *)ebb__get(e, j.scratch_each * (size_t)threads)))
            return e->code;
    }
    if (j.tasks == 1) task(&j, 0, 0);
    else ebb__parallel(total >= e->grain ? threads : 1, j.tasks, task, &j);
    if (j.scratch) ebb__put(e, j.scratch, j.scratch_each * (size_t)threads);
    return finish(e, &j);
}

/* A long row of an associative reduction, in fixed blocks: the blocks' results, then the result of those. */
static ebb_status run_blocks(ebb *e, ebb__plan *p) {
    const int64_t n = p->dim[0], blocks = (n + BLOCK - 1) / BLOCK, full = n / BLOCK;
    int64_t items = 1;
    for (int d = 0; d < p->nb; d++) items *= p->batch[d];
    const size_t size = p->arg[1].size, bytes = (size_t)(items * blocks) * size;
    char *part = (char *)ebb__get(e, bytes);
    if (!part) return e->code;
    ebb__arg arg[2] = {p->arg[0], {.p = part, .size = (uint8_t)size}};
    int64_t step = blocks;
    for (int d = p->nb; d-- > 0; step *= p->batch[d]) arg[1].batch[d] = step;
    ebb__plan q = *p;
    q.arg = arg;
    /* the full blocks: one more batch dim */
    q.batch[q.nb] = full;
    arg[0].batch[q.nb] = BLOCK * arg[0].core[0];
    arg[1].batch[q.nb++] = 1;
    q.dim[0] = BLOCK;
    ebb_status s = run_job(e, &q);
    if (s == EBB_OK && full < blocks) { /* and the rest */
        q.batch[q.nb - 1] = 1;
        q.dim[0] = n - full * BLOCK;
        arg[0].p = p->arg[0].p + full * BLOCK * arg[0].core[0] * (int64_t)size;
        arg[1].p = part + full * (int64_t)size;
        s = run_job(e, &q);
    }
    if (s == EBB_OK) {
        ebb__arg last[2] = {arg[1], p->arg[1]};
        last[0].p = part;
        last[0].core[0] = 1;
        ebb__plan r = *p;
        r.arg = last;
        r.dim[0] = blocks;
        s = run_job(e, &r);
    }
    ebb__put(e, part, bytes);
    return s;
}

ebb_status ebb__run(ebb *e, ebb__plan *p) {
    if (!p->x->op->infer) join(p);
    if ((p->x->op->flags & EBB_ASSOC) && p->n_args == 2 && p->nb < EBB_MAX_DIMS && p->dim[0] >= 4 * BLOCK) {
        int64_t items = 1;
        for (int d = 0; d < p->nb; d++) items *= p->batch[d];
        if (items > 0 && items < 16) return run_blocks(e, p);
    }
    return run_job(e, p);
}

/* ---- copying ---- */

#define COPY_BODY                                                                                            \
    const T *x = (const T *)l->p[0];                                                                         \
    T *y = (T *)l->p[1];                                                                                     \
    if (l->step[0] == 1 && l->step[1] == 1) memcpy(y, x, (size_t)l->n * sizeof(T));                          \
    else                                                                                                     \
        for (int64_t i = 0; i < l->n; i++) y[i * l->step[1]] = x[i * l->step[0]];
EBB_KERNEL_ALL(copy_elements, COPY_BODY)

static const ebb_op copy_op = {.size = sizeof(ebb_op), .name = "copy", .sig = "()->()"};

ebb_status ebb__copy_tensor(ebb_tensor *dst, const ebb_tensor *src) {
    if (!dst->numel) return EBB_OK;
    ebb__entry x = {.op = &copy_op, .n_in = 1, .n_out = 1, .pointwise = true};
    for (const ebb_kernel *k = copy_elements; k->dtype; k++) x.ref.fn[k->dtype] = k->fn[0];
    ebb__arg arg[2] = {{.p = (char *)src->data, .size = ebb__dsize[src->dtype]},
                       {.p = (char *)dst->data, .size = ebb__dsize[dst->dtype]}};
    ebb__plan p = {.x = &x, .n_x = 1, .n_args = 2, .nb = dst->ndim, .dtype = dst->dtype, .arg = arg};
    for (int d = 0; d < dst->ndim; d++) {
        p.batch[d] = t_shape(dst)[d];
        arg[0].batch[d] = t_stride(src)[d];
        arg[1].batch[d] = t_stride(dst)[d];
    }
    return ebb__run(t_session(dst), &p);
}
