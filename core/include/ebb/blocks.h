/* blocks.h - floor 1: pointwise loops where size counts, in WebAssembly: one driver for all of them.
 *
 * A kernel of EBB_MAP1 and its kin is called twice over. With steps, by the engine: it hands itself to ebb__in_blocks. Without, by
 * ebb__in_blocks: its operands then lie side by side, and their number is a multiple of EBB__UNIT, so that its loop stands once and
 * needs neither a form for other steps nor a tail. */
#ifndef EBB_BLOCKS_H
#define EBB_BLOCKS_H
#include <ebb/op.h>
#ifdef __wasm__

enum { EBB__UNIT = 16, EBB__BLOCK = 256 };

/* n elements, by steps in bytes. */
EBB_WRAPPER void ebb__move(char *to, ptrdiff_t to_step, const char *from, ptrdiff_t from_step, int64_t n, int size) {
    for (; n > 0; n--, to += to_step, from += from_step) {
        if (size == 4) *(uint32_t *)(void *)to = *(const uint32_t *)(const void *)from;
        else if (size == 8) *(uint64_t *)(void *)to = *(const uint64_t *)(const void *)from;
        else *to = *from;
    }
}

/* Runs fn on l's items: in place where all lies side by side, else through buffers; what fills a buffer's last unit is its first element. */
EBB_WRAPPER ebb_status ebb__in_blocks(const ebb_loop *l, ebb_kernel_fn fn, int n_in, int in_size, int out_size) {
    __attribute__((aligned(16))) char room[4][8 * EBB__BLOCK];
    void *p[4];
    bool dense = true;
    for (int k = 0; k <= n_in; k++) dense = dense && l->step[k] == 1;
    ebb_loop part = {.size = l->size, /* not *l: a plugin would need memcpy for it */
                     .n_args = l->n_args,
                     .first = l->first,
                     .p = p,
                     .dim = l->dim,
                     .stride = l->stride,
                     .arg = l->arg,
                     .attrs = l->attrs,
                     .scratch = l->scratch,
                     .level = l->level,
                     .n_x = l->n_x,
                     .fail = l->fail,
                     .private_ = l->private_};
    for (int64_t at = 0, m; at < l->n; at += m) {
        m = l->n - at;
        if (dense && m >= EBB__UNIT) m = (m < 1 << 24 ? m : 1 << 24) & -EBB__UNIT;
        else if (m > EBB__BLOCK) m = EBB__BLOCK;
        part.n = (m + EBB__UNIT - 1) & -EBB__UNIT;
        for (int k = 0; k <= n_in; k++) {
            const int size = k < n_in ? in_size : out_size;
            const ptrdiff_t step = (ptrdiff_t)l->step[k] * size;
            char *from = (char *)l->p[k] + (ptrdiff_t)at * step;
            p[k] = step == size && m == part.n ? from : room[k];
            if (p[k] == from || k == n_in || (at && !step))
                continue; /* one element in every place: moved once */
            ebb__move(room[k], size, from, step, m, size);
            ebb__move(room[k] + m * size, size, room[k], 0, part.n - m, size);
        }
        const ebb_status s = fn(&part);
        if (s != EBB_OK) return s;
        const ptrdiff_t step = (ptrdiff_t)l->step[n_in] * out_size;
        if (p[n_in] == room[n_in])
            ebb__move((char *)l->p[n_in] + (ptrdiff_t)at * step, step, room[n_in], out_size, m, out_size);
    }
    return EBB_OK;
}

/* Inside a kernel: `self` and `lanes` are those of EBB__BODY. */
#define EBB__MAP(n_in, R, load, expr)                                                                        \
    if (l->step) return ebb__in_blocks(l, self, n_in, (int)sizeof(T), (int)sizeof(R));                       \
    R *w = (R *)l->p[n_in];                                                                                  \
    const int n = (int)l->n & -EBB__UNIT;                                                                    \
    EBB__VECTORISE for (int i = 0; i < n; i++) { load w[i] = (R)(expr); }
#define EBB__VECTORISE                                                                                       \
    _Pragma("clang loop vectorize(assume_safety) vectorize_width(lanes) interleave_count(1)")
#define EBB__IN(k) const T *const u##k = (const T *)l->p[k];
#define EBB__MAP1_BODY(R, expr) EBB__IN(0) EBB__MAP(1, R, const T x = u0[i];, expr)
#define EBB__MAP2_BODY(R, expr)                                                                              \
    EBB__IN(0) EBB__IN(1) EBB__MAP(2, R, const T x = u0[i]; const T y = u1[i];, expr)
#define EBB__MAP3_BODY(expr)                                                                                 \
    EBB__IN(0)                                                                                               \
    EBB__IN(1) EBB__IN(2) EBB__MAP(3, T, const T x = u0[i]; const T y = u1[i]; const T z = u2[i];, expr)
#endif
#endif
