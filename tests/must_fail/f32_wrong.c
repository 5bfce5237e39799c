/* f32_wrong.c - mutant: the f64 kernel is right, the one for f32 stops its series a term early.
 * expect: f32: only the f32 kernel is wrong */
#include <ebb/op.h>

static ebb_status sine_f64(const ebb_loop *l) {
    const double *x = (const double *)l->p[0];
    double *y = (double *)l->p[1];
    for (int64_t i = 0; i < l->n; i++) y[i * l->step[1]] = ebb_sin_f64(x[i * l->step[0]]);
    return EBB_OK;
}

static ebb_status sine_f32(const ebb_loop *l) {
    const float *x = (const float *)l->p[0];
    float *y = (float *)l->p[1];
    for (int64_t i = 0; i < l->n; i++) {
        const float v = x[i * l->step[0]], q = v * v;
        y[i * l->step[1]] = v - v * q / 6 + v * q * q / 120;
    }
    return EBB_OK;
}

static const ebb_kernel sine_fwd[] = {{EBB_F32, {sine_f32}}, {EBB_F64, {sine_f64}}, {0, {0}}};

static ebb_tensor *sine_dx(const ebb_call *c, ebb_tensor *g) { return ebb_mul(g, ebb_cos(c->x[0])); }

EBB_OP(m_sine,
    .sig = "()->()",
    .math = "y = sin(x);  dx = g*cos(x)",
    .fwd = sine_fwd,
    .vjp = EBB_VJP({sine_dx, EBB_X(0)}),
    .doc = "A mutant."
);

EBB_PLUGIN(f32_wrong, &ebb_op_m_sine);
