/* onednn.c - floor 5: backend onednn: op gemm in f32, under matmul and linear, through oneDNN's dnnl_sgemm.
 *
 * The bits of a dnnl_sgemm result depend on its m and n, and on how many threads it splits the work between. So it runs on
 * one thread here, on the tiles that the engine cuts by the sizes alone. Items are not joined into one taller product
 * (matmul does that before): how many of them a call is given depends on the number of threads. */
#include <ebb/plugin.h>
#include <oneapi/dnnl/dnnl.h>

/* Of the OpenMP library that oneDNN runs on (its header is not there with every compiler). */
int omp_get_max_threads(void);
void omp_set_num_threads(int n);

enum { A, B, C };

/* A matrix as dnnl_sgemm takes it: row-major, or the transpose of one, with `ld` elements from one row to the next. */
typedef struct matrix {
    char trans;
    int64_t ld;
} matrix;

/* rows x cols with these strides (the stride of a dim of size 1 says nothing). -> false: neither. */
static bool matrix_of(int64_t rows, int64_t cols, const int64_t *stride, matrix *m) {
    const int64_t by_row = rows > 1 ? stride[0] : cols, by_col = cols > 1 ? stride[1] : 1;
    if (by_col == 1 && by_row >= cols) {
        *m = (matrix){'N', by_row};
        return true;
    }
    const int64_t down = rows > 1 ? stride[0] : 1, across = cols > 1 ? stride[1] : rows;
    *m = (matrix){'T', across};
    return down == 1 && across >= rows;
}

/* Multiplications from which the call wins over the portable kernel, measured at AVX-512: a call costs 0.3 us more, and
 * equals it only from 128 x 128 x 128 on; but dot products along k (one column, or one row by a transposed matrix) are 2 to 4 times
 * faster from 64 x 64 on. */
#define WORTH_MATRIX 1000000
#define WORTH_VECTOR 4096

static bool gemm_accepts(const ebb_loop *l) {
    const int64_t m = l->dim[0], k = l->dim[1], n = l->dim[2];
    matrix a, b, c;
    if (m < 1 || k < 1 || n < 1 || m > INT32_MAX || k > INT32_MAX || n > INT32_MAX) return false;
    if (!matrix_of(m, k, l->stride[A], &a) || !matrix_of(k, n, l->stride[B], &b) ||
        !matrix_of(m, n, l->stride[C], &c))
        return false;
    const double work = (double)m * (double)n * (double)k,
                 worth = n == 1 || (m == 1 && b.trans == 'T') ? WORTH_VECTOR : WORTH_MATRIX;
    return work >= worth && c.trans == 'N' && a.ld <= INT32_MAX && b.ld <= INT32_MAX && c.ld <= INT32_MAX;
}

static ebb_status gemm(const ebb_loop *l) {
    const int64_t m = l->dim[0], k = l->dim[1], n = l->dim[2];
    matrix a, b, c;
    if (m < 1 || n < 1) return EBB_OK;
    if (!matrix_of(m, k, l->stride[A], &a) || !matrix_of(k, n, l->stride[B], &b) ||
        !matrix_of(m, n, l->stride[C], &c) || c.trans != 'N')
        return EBB_E_KERNEL;
    const int threads = omp_get_max_threads();
    if (threads > 1) omp_set_num_threads(1); /* this thread's own setting */
    dnnl_status_t s = dnnl_success;
    for (int64_t i = 0; i < l->n && s == dnnl_success; i++) {
        const float *x = (const float *)l->p[A] + i * l->step[A], *y = (const float *)l->p[B] + i * l->step[B];
        float *z = (float *)l->p[C] + i * l->step[C];
        s = dnnl_sgemm(a.trans, b.trans, m, n, k, 1, x, a.ld, y, b.ld, 0, z, c.ld);
    }
    if (threads > 1) omp_set_num_threads(threads);
    return s == dnnl_success ? EBB_OK : s == dnnl_out_of_memory ? EBB_E_MEMORY : EBB_E_KERNEL;
}

static const ebb_kernel gemm_f32[] = {{EBB_F32, {gemm}}, {0, {0}}};
static const ebb_backend_kernel kernels[] = {{"gemm", gemm_f32, 10, gemm_accepts}, {0}};

static const ebb_backend_decl onednn = {
    .size = sizeof(ebb_backend_decl),
    .name = "onednn",
    .doc = "f32 matrix products by oneDNN.",
    .kernels = kernels,
};

EBB_PLUGIN_OF(onednn, .doc = "Matrix products by oneDNN.", .backends = EBB_LIST(ebb_backend_decl, &onednn));
