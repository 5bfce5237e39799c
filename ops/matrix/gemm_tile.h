/* gemm_tile.h - floor 5: the matrix product for one element type at one level; included by gemm.c alone, once for each.
 *
 * Parameters: GEMM_T the element, GEMM_SUFFIX its mark in names; the others are the level's, and explained in gemm.c.
 *
 *     block    of b: GEMM_KC rows, GEMM_NC columns        packed, it stays in L2
 *     sliver   of a block: GEMM_NV vectors of columns, then single vectors where less is left
 *     strip    of a: GEMM_MR rows, GEMM_KC columns        it stays in L1, against every sliver of a block
 *     tile     strip x sliver, summed in registers
 *
 * Invariants
 * 1. Every element of c is summed by tile(), in one lane: from 0, add the products of a block's terms, p rising; that
 *    sum is written, or added to c.  Lanes never mix, and nothing else multiplies.  Hence what gemm.h promises.
 * 2. No element outside the operands is read.  Where a tile is larger than what is left, the last row or column stands
 *    in for those beyond it, and put() drops what comes of them.
 * 3. In scratch, the packed sliver that begins at column j of its block lies at j * (rows of the block), row after
 *    row; behind the slivers lies the packed strip, column after column if GEMM_PACK_A, else row after row. */
#define NAME(f) GEMM_PASTE(f, GEMM_SUFFIX)
#define vec NAME(vec)
#define mem NAME(mem)
#define quad NAME(quad)
#define tile NAME(tile)
#define put NAME(put)
#define turn NAME(turn)
#define pack NAME(pack)
#define sliver NAME(sliver)
#define strip NAME(strip)
#define tile_fn NAME(tile_fn)
#define tile_full NAME(tile_full)
#define tile_full_narrow NAME(tile_full_narrow)
#define tile_half NAME(tile_half)
#define tile_half_narrow NAME(tile_half_narrow)
#define tile_row NAME(tile_row)
#define tile_row_narrow NAME(tile_row_narrow)
#define shape NAME(shape)
#define shapes NAME(shapes)
#define gemm NAME(gemm)
#define T GEMM_T
#define VL ((int)(GEMM_BYTES / sizeof(T)))

/* A vector in a register, one in an array, and four elements of an array.  vec must be the plain type, which is that of
 * the intrinsics too: GCC copies the accumulators at every turn of the loop if their type is not that of the sum. */
typedef T vec __attribute__((vector_size(GEMM_BYTES)));
typedef T mem __attribute__((vector_size(GEMM_BYTES), aligned(sizeof(T)), may_alias));
typedef T quad __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T)), may_alias));

/* c (mr, nv vectors) = or += a (rows, k) * b (k, nv vectors), 1 <= rows <= mr.  mr and nv are constants where this is
 * inlined: every loop but that over p unrolls, and acc is registers. */
GEMM_TARGET static GEMM_INLINE void tile(int mr, int nv, int rows, ptrdiff_t k, const T *a, ptrdiff_t rsa,
                                         ptrdiff_t csa, const T *b, ptrdiff_t rsb, T *c, ptrdiff_t rsc, bool add) {
    ptrdiff_t row[GEMM_MR];
    vec acc[GEMM_MR * GEMM_NV];
    GEMM_UNROLL
    for (int i = 0; i < mr; i++) row[i] = GEMM_MIN(i, rows - 1) * rsa;
    GEMM_UNROLL
    for (int i = 0; i < mr * nv; i++) acc[i] = (vec){0};
    for (ptrdiff_t p = 0; p < k; p++, a += csa, b += rsb) {
        GEMM_UNROLL
        for (int i = 0; i < mr; i++) {
            GEMM_UNROLL
            for (int v = 0; v < nv; v++)
                acc[i * nv + v] = GEMM_MADD(a[row[i]], ((const mem *)b)[v], acc[i * nv + v]);
        }
    }
    GEMM_UNROLL
    for (int i = 0; i < mr; i++) {
        GEMM_UNROLL
        for (int v = 0; v < nv; v++) {
            mem *const to = (mem *)(c + i * rsc) + v;
            if (add) *to += acc[i * nv + v];
            else *to = acc[i * nv + v];
        }
    }
}

/* c (rows, cols) = or += the corner of a tile whose rows are width apart. */
GEMM_TARGET static GEMM_NOINLINE void put(int rows, int cols, const T *sum, int width, T *c, ptrdiff_t rsc,
                                          bool add) {
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
            c[i * rsc + j] = add ? c[i * rsc + j] + sum[i * width + j] : sum[i * width + j];
}

/* to[p*width + i] = from[i][p] for i < 4 and p < k, a multiple of 4: a transposition in 4 x 4 blocks. */
GEMM_TARGET static GEMM_INLINE void turn(ptrdiff_t k, const T *const from[4], T *to, int width) {
    for (ptrdiff_t p = 0; p < k; p += 4, to += 4 * width) {
        const quad r0 = *(const quad *)(from[0] + p), r1 = *(const quad *)(from[1] + p);
        const quad r2 = *(const quad *)(from[2] + p), r3 = *(const quad *)(from[3] + p);
        const quad x0 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
        const quad x1 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
        const quad y0 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
        const quad y1 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
        *(quad *)to = __builtin_shufflevector(x0, y0, 0, 1, 4, 5);
        *(quad *)(to + width) = __builtin_shufflevector(x0, y0, 2, 3, 6, 7);
        *(quad *)(to + 2 * width) = __builtin_shufflevector(x1, y1, 0, 1, 4, 5);
        *(quad *)(to + 3 * width) = __builtin_shufflevector(x1, y1, 2, 3, 6, 7);
    }
}

/* to[p*width + j] = from[p*ps + min(j, cols - 1)*js] for p < k and j < width.  Two layouts are quick: j contiguous is a
 * copy, p contiguous a transposition, in bands short enough for a band's lines of every column to stay in L1. */
GEMM_TARGET static GEMM_NOINLINE void pack(ptrdiff_t k, int cols, int width, const T *from, ptrdiff_t ps,
                                           ptrdiff_t js, T *to) {
    ptrdiff_t done = 0;
    if (js == 1 && cols == width && width >= 4)
        for (; done < k; done++)
            for (int q = 0; q < width; q += 4) {
                const int j = GEMM_MIN(q, width - 4); /* the last four overlap those before, if they must */
                *(quad *)(to + done * width + j) = *(const quad *)(from + done * ps + j);
            }
    else if (ps == 1 && width % 4 == 0)
        while (k - done >= 4) {
            const ptrdiff_t band = GEMM_MIN(64, (k - done) / 4 * 4);
            for (int j = 0; j < width; j += 4) {
                const T *column[4];
                for (int i = 0; i < 4; i++) column[i] = from + done + GEMM_MIN(j + i, cols - 1) * js;
                turn(band, column, to + done * width + j, width);
            }
            done += band;
        }
    for (; done < k; done++)
        for (int j = 0; j < width; j++) to[done * width + j] = from[done * ps + GEMM_MIN(j, cols - 1) * js];
}

/* The width of the sliver that begins where n columns of its block are left. */
GEMM_TARGET static GEMM_INLINE int sliver(int nv, ptrdiff_t n) { return n >= nv * VL ? nv * VL : VL; }

/* One strip of a, (rows, k), and a block of b, (k, n), whose product goes to c, (rows, n). */
struct strip {
    int rows;
    bool add, direct; /* direct: whole slivers are read from b, whose column stride is 1; others from packed */
    ptrdiff_t n, k, rsa, rsb, rsc;
    const T *a, *b, *packed;
    T *c;
};

/* c = or += the tile of the strip and a sliver of b. */
typedef void tile_fn(const struct strip *s, const T *b, ptrdiff_t rsb, T *c, ptrdiff_t rsc, bool add);
#define TILE(f, mr, nv)                                                                                          \
    GEMM_TARGET static void f(const struct strip *s, const T *b, ptrdiff_t rsb, T *c, ptrdiff_t rsc, bool add) { \
        tile(mr, nv, GEMM_PACK_A ? mr : s->rows, s->k, s->a, GEMM_PACK_A ? 1 : s->rsa,                           \
             GEMM_PACK_A ? GEMM_MR : 1, b, rsb, c, rsc, add);                                                    \
    }
TILE(tile_full, GEMM_MR, GEMM_NV)
TILE(tile_full_narrow, GEMM_MR, 1)
TILE(tile_half, GEMM_MR / 2, GEMM_NV)
TILE(tile_half_narrow, GEMM_MR / 2, 1)
TILE(tile_row, 1, GEMM_ROW_NV)
TILE(tile_row_narrow, 1, 1)
#undef TILE

/* The tiles of a strip by its shape, wide and narrow.  They are called through this table: inlined into one function, as
 * the linker of wasm does with those that have one caller, they leave a browser's compiler too few registers. */
static const struct shape {
    int mr, nv;
    tile_fn *wide, *narrow;
} shapes[] = {{GEMM_MR, GEMM_NV, tile_full, tile_full_narrow},
              {GEMM_MR / 2, GEMM_NV, tile_half, tile_half_narrow},
              {1, GEMM_ROW_NV, tile_row, tile_row_narrow}};

GEMM_TARGET static void strip(const struct shape *t, const struct strip *s) {
    int width;
    for (ptrdiff_t j = 0; j < s->n; j += width) {
        width = sliver(t->nv, s->n - j);
        const int cols = (int)GEMM_MIN(width, s->n - j);
        const bool direct = s->direct && cols == width, whole = s->rows == t->mr && cols == width;
        const T *const b = direct ? s->b + j : s->packed + j * s->k;
        const ptrdiff_t rsb = direct ? s->rsb : width, rsc = whole ? s->rsc : width;
        T spare[GEMM_MR * GEMM_NV * GEMM_BYTES / sizeof(T)], *const c = whole ? s->c + j : spare;
        (width > VL ? t->wide : t->narrow)(s, b, rsb, c, rsc, whole && s->add);
        if (!whole) put(s->rows, cols, spare, width, s->c + j, s->rsc, s->add);
    }
}

GEMM_TARGET static void gemm(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const T *a, ptrdiff_t rsa, ptrdiff_t csa,
                             const T *b, ptrdiff_t rsb, ptrdiff_t csb, T *c, ptrdiff_t rsc, bool accumulate,
                             T *scratch) {
    if (m == 0) /* nor is there a b to pack */
        return;
    if (n == 1 && rsc == 1) { /* a contiguous column is the row c' = b' a' */
        const T *const column = b;
        const ptrdiff_t step = rsb;
        b = a, rsb = csa, csb = rsa, n = m;
        a = column, csa = step, rsa = 0, m = 1;
    }
    for (ptrdiff_t i = 0; i < m && k == 0 && !accumulate; i++)
        for (ptrdiff_t j = 0; j < n; j++) c[i * rsc + j] = 0;

    const bool direct = csb == 1 && m <= GEMM_DIRECT, row = direct && m == 1;
    const int nv = row ? GEMM_ROW_NV : GEMM_NV;
    for (ptrdiff_t j = 0; j < n; j += GEMM_NC(T))
        for (ptrdiff_t p = 0; p < k; p += GEMM_KC) {
            struct strip s = {.add = accumulate || p > 0,
                              .direct = direct,
                              .n = GEMM_MIN(GEMM_NC(T), n - j),
                              .k = GEMM_MIN(GEMM_KC, k - p),
                              .rsb = rsb,
                              .rsc = rsc,
                              .b = b + p * rsb + j * csb,
                              .packed = scratch};
            int width;
            for (ptrdiff_t q = 0; q < s.n; q += width) {
                width = sliver(nv, s.n - q);
                const int cols = (int)GEMM_MIN(width, s.n - q);
                if (!direct || cols < width)
                    pack(s.k, cols, width, s.b + q * csb, rsb, csb, scratch + q * s.k);
            }
            T *const packed_a = scratch + (s.n + VL - 1) / VL * VL * s.k;
            for (ptrdiff_t i = 0; i < m; i += GEMM_MR) {
                s.rows = (int)GEMM_MIN(GEMM_MR, m - i);
                s.a = a + i * rsa + p * csa, s.rsa = rsa;
                s.c = c + i * rsc + j;
                if (GEMM_PACK_A) {
                    pack(s.k, s.rows, GEMM_MR, s.a, csa, rsa, packed_a);
                    s.a = packed_a;
                } else if (csa != 1) { /* row after row; by fours suits pack() */
                    s.rsa = (s.k + 3) / 4 * 4;
                    pack(s.rows, (int)s.k, (int)s.rsa, s.a, rsa, csa, packed_a);
                    s.a = packed_a;
                }
                strip(&shapes[row ? ROW : s.rows > GEMM_MR / 2 ? FULL : HALF], &s);
            }
        }
}

#undef NAME
#undef vec
#undef mem
#undef quad
#undef tile
#undef put
#undef turn
#undef pack
#undef sliver
#undef strip
#undef tile_fn
#undef tile_full
#undef tile_full_narrow
#undef tile_half
#undef tile_half_narrow
#undef tile_row
#undef tile_row_narrow
#undef shape
#undef shapes
#undef gemm
#undef T
#undef VL
#undef GEMM_T
#undef GEMM_SUFFIX
