/* train.c - a small network learns which of 400 points lie near the middle. */
#include <ebb/ebb.h>
#include <stdio.h>

int main(void) {
    ebb *e = ebb_open(NULL);
    ebb_tensor *x = ebb_randn(e, EBB_F32, EBB_SHAPE(400, 2));
    ebb_tensor *inside = ebb_lt(ebb_sum(ebb_square(x), .dim = EBB_DIMS(1)), ebb_scalar(x, 1.4));
    ebb_tensor *W1 = ebb_param(e, "W1", EBB_F32, EBB_SHAPE(32, 2), ebb_kaiming);
    ebb_tensor *b1 = ebb_param(e, "b1", EBB_F32, EBB_SHAPE(32), ebb_zeros);
    ebb_tensor *W2 = ebb_param(e, "W2", EBB_F32, EBB_SHAPE(2, 32), ebb_kaiming);
    ebb_optim *adam = ebb_optim_new(e, "adamw", "lr=0.02");
    double right = 0;
    for (int step = 1; step <= 200; step++) {
        ebb_scope *s = ebb_begin(e); /* every tensor made from here on ... */
        ebb_tensor *score = ebb_linear(ebb_relu(ebb_linear(x, W1, b1)), W2);
        ebb_tensor *loss = ebb_cross_entropy(score, ebb_to(inside, EBB_I64));
        ebb_zero_grad(adam);
        ebb_backward(loss);
        ebb_optim_step(adam);
        ebb_tensor *p = ebb_slice(ebb_softmax(score), .dim = 1, .start = 1); /* of being inside */
        ebb_tensor *said = ebb_gt(ebb_reshape(p, .shape = EBB_SHAPE(400)), ebb_scalar(p, 0.5));
        right = ebb_item(ebb_mean(ebb_to(ebb_eq(said, inside), EBB_F32)));
        if (step % 50 == 0) printf("step %3d: loss %.4f, %.1f %% right\n", step, ebb_item(loss), 100 * right);
        ebb_end(s); /* ... ends here */
    }
    if (ebb_failed(e)) fprintf(stderr, "%s\n", ebb_error(e));
    ebb_close(e);
    return !(right > 0.98);
}
