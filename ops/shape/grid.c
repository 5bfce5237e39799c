/* grid.c - floor 5: every combination of the elements of vectors. */
#include "shape.h"

/* ---- meshgrid, cartesian_prod ---- */

typedef struct mesh_attrs {
    int32_t indexing;
} mesh_attrs;
static const ebb_attr mesh_attr[] = {
    EBB_ATTR(EBB_A_ENUM, mesh_attrs, indexing, "ij", "xy: the first two dims exchanged", .choices = "ij|xy")};

static bool vectors(const ebb_call *c, int least) {
    if (c->n_x > EBB_MAX_DIMS)
        return (void)EBB_FAIL(c, EBB_E_SHAPE, "%d tensors make a grid of more than %d dims", c->n_x, EBB_MAX_DIMS),
               false;
    for (int i = 0; i < c->n_x; i++) {
        if (c->x_shape[i].ndim > 1 || c->x_shape[i].ndim < least)
            return (void)EBB_FAIL(c, EBB_E_SHAPE, "tensor %d has %d dims; vectors are needed", i,
                                  c->x_shape[i].ndim),
                   false;
        if (c->x_shape[i].dtype != c->x_shape[0].dtype)
            return (void)EBB_FAIL(c, EBB_E_DTYPE,
                                  "tensor %d has another dtype than tensor 0; all must have one", i),
                   false;
    }
    return true;
}

/* Tensor i along its dim of the grid. */
static ebb_tensor *mesh(const ebb_call *c, int i, bool swap) {
    ebb_ints size = {c->n_x, {0}}, own = {c->n_x, {1, 1, 1, 1, 1, 1, 1, 1}};
    for (int k = 0; k < c->n_x; k++) {
        const int d = swap && k < 2 ? 1 - k : k;
        size.v[d] = ebb_shape_numel(&c->x_shape[k]);
        if (k == i) own.v[d] = size.v[d];
    }
    return ebb_expand(ebb_reshape(c->x[i], .shape = own), .size = size);
}

static ebb_tensor *meshgrid_compose(const ebb_call *c) {
    const bool swap = ((const mesh_attrs *)c->attrs)->indexing == 1 && c->n_x > 1;
    if (!vectors(c, 0)) return NULL;
    for (int i = 1; i < c->n_x; i++)
        if (!(c->more[i - 1] = mesh(c, i, swap))) return NULL;
    return mesh(c, 0, swap);
}

EBB_OP(meshgrid,
    .sig = "tensors()*->()*",
    .math = "y_k[i_0,..,i_n] = x_k[i_k];  dx_k = g_k summed over the other dims",
    .compose = meshgrid_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(mesh_attrs, mesh_attr),
    .tries = "[2] [3]; [2] [3] indexing=xy; [2] [] [3]; [2] [1] [3] indexing=xy; [3] indexing=xy",
    .doc = "The coordinates of a grid, one tensor for each vector; views."
);

static ebb_tensor *cartesian_compose(const ebb_call *c) {
    ebb_tensor *column[EBB_MAX_DIMS];
    if (!vectors(c, 1)) return NULL;
    if (c->n_x == 1) return c->x[0];
    for (int i = 0; i < c->n_x; i++)
        if (!(column[i] = ebb_ravel(mesh(c, i, false)))) return NULL;
    return ebb_stack(c->n_x, column, .dim = 1);
}

EBB_OP(cartesian_prod,
    .sig = "tensors()*->()",
    .math = "y = the rows (x_0[i_0], .., x_n[i_n]), i_n fastest;  dx_k = its column of g summed",
    .compose = cartesian_compose,
    .flags = EBB_OWN_SHAPES,
    .tries = "[2] [3]; [2] [1] [3]; [3]; [2] [0]",
    .doc = "All rows of one element from each vector; of one vector, itself."
);

/* ---- combinations ---- */

typedef struct combinations_attrs {
    int64_t r;
    bool with_replacement;
} combinations_attrs;
static const ebb_attr combinations_attr[] = {
    EBB_ATTR(EBB_A_INT, combinations_attrs, r, "2", "elements of each combination", .lo = 0, .hi = 1e15),
    EBB_ATTR(EBB_A_BOOL, combinations_attrs, with_replacement, "0", "an element may come several times"),
};

/* How many there are of n things, r at a time; -1: too many. */
static int64_t choose(int64_t n, int64_t r) {
    int64_t count = 1;
    if (r > n) return 0;
    if (r > n - r) r = n - r;
    for (int64_t k = 1; k <= r; k++) { /* count * (n - r + k) is divisible by k */
        if (__builtin_mul_overflow(count, n - r + k, &count) || count > (int64_t)1 << 40) return -1;
        count /= k;
    }
    return count;
}

/* The rows of indices in order: the last place that can still rise does, those behind it begin again. */
static void count_through(int64_t *at, int64_t rows, int64_t n, int64_t r, int64_t apart) {
    for (int64_t j = 0; j < r; j++) at[j] = j * apart;
    for (int64_t row = 1; row < rows; row++, at += r) {
        int64_t j = r - 1;
        while (j > 0 && at[j] == n - 1 - (r - 1 - j) * apart) j--;
        for (int64_t k = 0; k < r; k++) at[r + k] = k < j ? at[k] : at[j] + 1 + (k - j) * apart;
    }
}

static ebb_tensor *combinations_compose(const ebb_call *c) {
    const combinations_attrs *a = (const combinations_attrs *)c->attrs;
    if (c->x_shape[0].ndim != 1)
        return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; a vector is needed", c->x_shape[0].ndim);
    const int64_t n = c->x_shape[0].dim[0];
    if (!a->r) return ebb_constant(c->e, (ebb_dtype)c->x_shape[0].dtype, EBB_SHAPE(0), 0);
    const int64_t rows = a->with_replacement && !n ? 0 : choose(a->with_replacement ? n + a->r - 1 : n, a->r);
    int64_t all;
    if (rows < 0 || __builtin_mul_overflow(rows, a->r, &all))
        return EBB_FAIL(c, EBB_E_ATTR, "there are too many combinations of %lld", (long long)a->r);
    ebb_tensor *index = ebb_constant(c->e, EBB_I64, EBB_SHAPE(all), 0);
    if (!index) return NULL;
    if (rows) count_through((int64_t *)ebb_info_of(index).data, rows, n, a->r, !a->with_replacement);
    return ebb_reshape(ebb_index_select(c->x[0], index), .shape = EBB_SHAPE(rows, a->r));
}

EBB_OP(combinations,
    .sig = "input()->()",
    .math = "y = the rows of r elements of x, in order;  dx = the elements of g added where they came from",
    .compose = combinations_compose,
    .flags = EBB_OWN_SHAPES,
    .attrs = EBB_ATTRS(combinations_attrs, combinations_attr),
    .tries = "[4]; [4] r=3; [3] r=2 with_replacement=1; [3] r=1; [2] r=3; [2] r=3 with_replacement=1; [3] r=0",
    .doc = "All choices of r elements of a vector, by rows; none twice unless with_replacement."
);
