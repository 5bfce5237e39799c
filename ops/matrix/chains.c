/* chains.c - floor 5: products of many matrices: chains in their cheapest order, powers. */
#include "matrix.h"

/* Matrices lo..hi multiplied in the order that costs least. */
static ebb_tensor *chain(ebb_tensor *const *t, const int32_t *cut, int n, int lo, int hi) {
    if (lo == hi) return t[lo];
    const int k = cut[lo * n + hi];
    return ebb_gemm(chain(t, cut, n, lo, k), chain(t, cut, n, k + 1, hi));
}

static ebb_tensor *linalg_multi_dot_compose(const ebb_call *c) {
    enum { MAX = EBB_MAX_OPERANDS };
    const int n = c->n_x;
    ebb_tensor *t[MAX];
    int64_t size[MAX + 1];
    double cost[MAX][MAX];
    int32_t cut[MAX * MAX];
    if (n < 2) return EBB_FAIL(c, EBB_E_ARG, "%d matrices are given; at least 2 are needed", n);
    if (!one_dtype(c)) return NULL;
    for (int i = 0; i < n; i++) {
        const ebb_shape *s = &c->x_shape[i];
        const bool end = i == 0 || i == n - 1;
        if (s->ndim != 2 && !(end && s->ndim == 1))
            return EBB_FAIL(c, EBB_E_SHAPE, "tensor %d has %d dims; %s", i, s->ndim,
                            end ? "1 or 2 are needed" : "2 are needed, 1 only at the ends");
        t[i] = s->ndim == 2
                   ? c->x[i]
                   : ebb_reshape(c->x[i], .shape = i ? EBB_SHAPE(s->dim[0], 1) : EBB_SHAPE(1, s->dim[0]));
        const int64_t rows = s->ndim == 1 && !i ? 1 : s->dim[0];
        if (i && size[i] != rows)
            return EBB_FAIL(c, EBB_E_SHAPE, "tensor %d has %lld columns, but tensor %d has %lld rows", i - 1,
                            (long long)size[i], i, (long long)rows);
        size[i] = rows;
        size[i + 1] = s->ndim == 2 ? s->dim[1] : i ? 1 : s->dim[0];
    }
    for (int i = 0; i < n; i++) cost[i][i] = 0;
    for (int length = 2; length <= n; length++)
        for (int i = 0; i + length <= n; i++) {
            const int j = i + length - 1;
            cost[i][j] = INFINITY;
            for (int k = i; k < j; k++) {
                const double v =
                    cost[i][k] + cost[k + 1][j] + (double)size[i] * (double)size[k + 1] * (double)size[j + 1];
                if (v >= cost[i][j]) continue;
                cost[i][j] = v;
                cut[i * n + j] = k;
            }
        }
    ebb_tensor *y = chain(t, cut, n, 0, n - 1);
    const bool row = c->x_shape[0].ndim == 1, column = c->x_shape[n - 1].ndim == 1;
    if (!row && !column) return y;
    ebb_ints shape = {0, {0}};
    if (!row) shape.v[shape.n++] = size[0];
    if (!column) shape.v[shape.n++] = size[n];
    return ebb_reshape(y, .shape = shape);
}

EBB_OP(linalg_multi_dot,
    .sig = "tensors()*->()",
    .math = "Y = A_1*A_2*...*A_n;  dA_i = (A_1..A_i-1)'*G*(A_i+1..A_n)'",
    .compose = linalg_multi_dot_compose,
    .tries = "[2,3] [3,4]; [2,3] [3,4] [4,1]; [3] [3,4] [4]; [4,2] [2,5] [5,1] [1,3]; [2,0] [0,3]; [3] [3]",
    .doc = "Product of matrices, multiplied in the order that costs least. The first may be a row [k], the last a column [k].",
    .ref = "Cormen, Leiserson, Rivest, Stein: Introduction to Algorithms, matrix-chain multiplication"
);

typedef struct power_attrs {
    int64_t n;
} power_attrs;
static const ebb_attr power_attr[] = {EBB_ATTR(EBB_A_INT, power_attrs, n, NULL, "the power, 0 or more")};

/* The identity of x's shape; that x has no part in it is in the graph. */
static ebb_tensor *identity(const ebb_call *c, int64_t m) {
    ebb_tensor *at = ebb_arange(c->e, .end = (double)m, .dtype = EBB_I64);
    ebb_tensor *one =
        ebb_to(ebb_eq(ebb_reshape(at, .shape = EBB_SHAPE(m, 1)), at), (ebb_dtype)c->x_shape[0].dtype);
    return ebb_where(never(c->e), c->x[0], one);
}

static ebb_tensor *linalg_matrix_power_compose(const ebb_call *c) {
    int64_t n = ((const power_attrs *)c->attrs)->n;
    const ebb_shape *s = &c->x_shape[0];
    if (n < 0)
        return EBB_FAIL(c, EBB_E_ATTR, "n is %lld, and a negative power needs the inverse: take power %lld of that",
                        (long long)n, -(long long)n);
    if (s->ndim < 2) return EBB_FAIL(c, EBB_E_SHAPE, "the input has %d dims; at least 2 are needed", s->ndim);
    if (!equal_sizes(c, "rows and columns of the matrices", s->dim[s->ndim - 2], s->dim[s->ndim - 1]))
        return NULL;
    if (!n) return identity(c, s->dim[s->ndim - 1]);
    ebb_tensor *y = NULL, *square = c->x[0];
    for (; square; n /= 2) {
        if (n % 2) y = y ? ebb_gemm(y, square) : square;
        if (n < 2) break;
        square = ebb_gemm(square, square);
    }
    return y;
}

EBB_OP(linalg_matrix_power,
    .sig = "input()->()",
    .math = "Y = A*A*...*A, n times;  dA = sum_k (A^k)'*G*(A^(n-1-k))'",
    .compose = linalg_matrix_power_compose,
    .attrs = EBB_ATTRS(power_attrs, power_attr),
    .tries = "[2,2] n=3; [3,3] n=2; [2,2,2] n=5; [2,2] n=1; [2,2] n=0; [0,0] n=2; [1,1] n=4",
    .doc = "A whole power of square matrices by repeated squaring; n = 0 is the identity. A negative power needs the inverse: take the power of that.",
    .ref = "torch.linalg.matrix_power"
);
