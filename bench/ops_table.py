#!/usr/bin/env python3
"""ops_table.py - each op on about a million f32 elements beside PyTorch's function of the same name, one thread, in one run.

    ops_table.py LIBEBB.so [OP...]      all when none is named

Calls of the two alternate; the ratio is of their medians. Prints all, slowest first in relation to PyTorch, and the ten worst once
more. The oracle (tests/oracle) knows what PyTorch calls each op.
"""
import os
import statistics
import sys
import time
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/oracle"))
import torch  # noqa: E402

import oracle  # noqa: E402
from binding import F32, I64, Ebb, Refused  # noqa: E402

N = 1000
WIDE = (N, N)


def near(*shape, lo=0.1, hi=0.9):
    return torch.rand(*shape) * (hi - lo) + lo


def index(below, *shape):
    return torch.randint(0, below, shape)


def one():
    return [near(*WIDE)], {}


def two():
    return [near(*WIDE), near(*WIDE)], {}


def three():
    return [near(*WIDE), near(*WIDE), near(*WIDE)], {}


def with_attrs(make, **attrs):
    return lambda: (make()[0], attrs)


def inputs(*made, **attrs):
    return lambda: ([m() if callable(m) else m for m in made], attrs)


UNARY = """neg abs sign exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh tanh asinh
atanh erf erfc erfinv lgamma digamma logit sinc frac floor ceil round trunc deg2rad rad2deg nan_to_num positive sgn sigmoid relu relu6
leaky_relu elu celu selu gelu silu mish softplus softsign logsigmoid hardtanh hardsigmoid hardswish hardshrink softshrink tanhshrink
isnan isinf isfinite signbit logical_not clone zeros_like ones_like sum mean prod amax amin max min argmax argmin var std
var_mean std_mean norm linalg_vector_norm all any count_nonzero nansum nanmean median nanmedian fliplr flipud tril triu trace msort
nonzero argwhere diag rand_like randn_like bernoulli""".split()
BINARY = """add sub rsub mul div pow float_power maximum minimum fmax fmin atan2 hypot copysign fmod remainder floor_divide logaddexp
logaddexp2 xlogy ldexp eq ne lt le gt ge isclose logical_and logical_or logical_xor heaviside mse_loss l1_loss smooth_l1_loss huber_loss
binary_cross_entropy binary_cross_entropy_with_logits kl_div poisson_nll_loss soft_margin_loss hinge_embedding_loss cosine_similarity
pairwise_distance expand_as copy""".split()

CALLS = {**{op: one for op in UNARY}, **{op: two for op in BINARY}}
CALLS.update({
    "acosh": inputs(near(*WIDE, lo=1.1, hi=3)), "clamp": with_attrs(one, min=0.2, max=0.8), "clamp_min": with_attrs(one, min=0.3),
    "clamp_max": with_attrs(one, max=0.3), "threshold": with_attrs(one, threshold=0.5, value=0.1), "lerp": with_attrs(two, weight=0.3),
    "where": inputs(near(*WIDE) > 0.5, near(*WIDE), near(*WIDE)), "addcmul": three, "addcdiv": three, "gaussian_nll_loss": three,
    "prelu": inputs(near(*WIDE) - 0.5, near(1)), "glu": with_attrs(one, dim=1), "fill": with_attrs(one, value=2.0),
    "logsumexp": with_attrs(one, dim=(1,)),
    **{op: with_attrs(one, dim=1) for op in "softmax log_softmax softmin cumsum cumprod cummax cummin logcumsumexp sort argsort mode normalize".split()},
    "kthvalue": with_attrs(one, k=10, dim=1), "topk": with_attrs(one, k=10, dim=1), "quantile": with_attrs(one, q=[0.5], dim=1),
    "diff": with_attrs(one, dim=1), "trapezoid": with_attrs(one, dim=1), "unique": inputs(lambda: index(1000, N * N)),
    "searchsorted": inputs(lambda: near(N).sort().values, near(*WIDE)), "bucketize": inputs(near(*WIDE), lambda: near(N).sort().values),
    "histc": with_attrs(one, bins=100, min=0.0, max=1.0),
    "matmul": inputs(near(512, 512), near(512, 512)), "mm": inputs(near(512, 512), near(512, 512)), "bmm": inputs(near(16, 128, 128), near(16, 128, 128)),
    "mv": inputs(near(*WIDE), near(N)), "dot": inputs(near(N * N), near(N * N)), "vdot": inputs(near(N * N), near(N * N)), "inner": inputs(near(512, 512), near(512, 512)),
    "outer": inputs(near(N), near(N)), "addmm": inputs(near(512, 512), near(512, 512), near(512, 512)), "addmv": inputs(near(N), near(*WIDE), near(N)),
    "addr": inputs(near(*WIDE), near(N), near(N)), "baddbmm": inputs(near(16, 128, 128), near(16, 128, 128), near(16, 128, 128)),
    "addbmm": inputs(near(128, 128), near(16, 128, 128), near(16, 128, 128)), "linear": inputs(near(1024, 512), near(512, 512), near(512)),
    "einsum": inputs(near(16, 128, 128), near(16, 128, 128), equation="bij,bjk->bik"), "kron": inputs(near(32, 32), near(32, 32)),
    "cross": inputs(near(N * N // 3, 3), near(N * N // 3, 3), dim=1), "cov": inputs(near(500, 2000)), "corrcoef": inputs(near(500, 2000)),
    "cdist": inputs(near(512, 64), near(512, 64)), "pdist": inputs(near(512, 64)), "bilinear": inputs(near(128, 64), near(128, 64), near(32, 64, 64)),
    "tensordot": inputs(near(512, 512), near(512, 512), dims=1), "linalg_matrix_power": inputs(near(256, 256) / 256, n=5),
    "linalg_multi_dot": inputs(near(256, 256), near(256, 256), near(256, 256)),
    "flip": with_attrs(one, dims=[0, 1]), "roll": with_attrs(one, shifts=[3], dims=[1]), "rot90": one, "cat": with_attrs(two, dim=1), "stack": with_attrs(two, dim=0),
    "hstack": two, "vstack": two, "dstack": two, "column_stack": two, "tile": inputs(near(500, 500), dims=[2, 2]), "repeat": inputs(near(500, 500), repeats=[2, 2]),
    "repeat_interleave": inputs(near(500, 500), repeats=4, dim=1), "pad": inputs(near(1, 1, N, N), pad=[3, 3, 3, 3], mode="reflect"),
    "pixel_shuffle": inputs(near(1, 64, 128, 128), upscale_factor=4), "pixel_unshuffle": inputs(near(1, 4, 512, 512), downscale_factor=4),
    "diag_embed": inputs(near(N)), "block_diag": inputs(near(500, 500), near(500, 500)), "meshgrid": inputs(near(N), near(N)),
    "cartesian_prod": inputs(near(N), near(N)), "combinations": inputs(near(N)), "gather": inputs(near(*WIDE), lambda: index(N, *WIDE), dim=1),
    "scatter": inputs(near(*WIDE), lambda: index(N, *WIDE), near(*WIDE), dim=1), "scatter_add": inputs(near(*WIDE), lambda: index(N, *WIDE), near(*WIDE), dim=1),
    "scatter_reduce": inputs(near(*WIDE), lambda: index(N, *WIDE), near(*WIDE), dim=1, reduce="amax"),
    "index_select": inputs(near(*WIDE), lambda: index(N, N), dim=0), "index_add": inputs(near(*WIDE), lambda: index(N, N), near(*WIDE), dim=0),
    "index_copy": inputs(near(*WIDE), lambda: torch.randperm(N), near(*WIDE), dim=0), "index_fill": inputs(near(*WIDE), lambda: index(N, 100), dim=0, value=1.0),
    "masked_fill": inputs(near(*WIDE), near(*WIDE) > 0.5, value=1.0), "masked_select": inputs(near(*WIDE), near(*WIDE) > 0.5),
    "masked_scatter": inputs(near(*WIDE), near(*WIDE) > 0.5, near(*WIDE)), "take": inputs(near(*WIDE), lambda: index(N * N, N * N)),
    "take_along_dim": inputs(near(*WIDE), lambda: index(N, *WIDE), dim=1), "put": inputs(near(*WIDE), lambda: torch.randperm(N * N), near(N * N)),
    "embedding": inputs(lambda: index(N, 1000), near(N, 1000)), "one_hot": inputs(lambda: index(100, 10000), num_classes=100),
    "conv1d": inputs(near(8, 16, 4096), near(32, 16, 3), padding=[1]), "conv2d": inputs(near(8, 16, 64, 64), near(32, 16, 3, 3), padding=[1]),
    "conv3d": inputs(near(2, 8, 16, 32, 32), near(16, 8, 3, 3, 3), padding=[1]), "conv_transpose2d": inputs(near(8, 16, 32, 32), near(16, 32, 4, 4), stride=(2, 2)),
    "max_pool1d": inputs(near(8, 16, 8192), kernel_size=[2]), "max_pool2d": inputs(near(16, 16, 64, 64), kernel_size=[2]), "max_pool3d": inputs(near(4, 8, 32, 32, 32), kernel_size=[2]),
    "avg_pool1d": inputs(near(8, 16, 8192), kernel_size=[2]), "avg_pool2d": inputs(near(16, 16, 64, 64), kernel_size=[2]), "avg_pool3d": inputs(near(4, 8, 32, 32, 32), kernel_size=[2]),
    "adaptive_avg_pool2d": inputs(near(16, 16, 64, 64), output_size=(7, 7)), "adaptive_max_pool2d": inputs(near(16, 16, 64, 64), output_size=(7, 7)),
    "unfold": inputs(near(4, 16, 64, 64), kernel_size=[3, 3], padding=[1, 1]), "fold": inputs(near(4, 144, 4096), output_size=[64, 64], kernel_size=[3, 3], padding=[1, 1]),
    "interpolate": inputs(near(4, 16, 64, 64), scale_factor=[2.0, 2.0], mode="bilinear"), "grid_sample": inputs(near(4, 16, 64, 64), near(4, 64, 64, 2)),
    "batch_norm": inputs(near(16, 64, 32, 32), None, None, near(64), near(64), training=True), "layer_norm": inputs(near(*WIDE), near(N), near(N), normalized_shape=[N]),
    "group_norm": inputs(near(16, 64, 32, 32), near(64), near(64), num_groups=8), "instance_norm": inputs(near(16, 64, 32, 32)),
    "rms_norm": inputs(near(*WIDE), near(N), normalized_shape=[N]), "local_response_norm": inputs(near(16, 64, 32, 32), size=5),
    "scaled_dot_product_attention": inputs(near(8, 8, 128, 64), near(8, 8, 128, 64), near(8, 8, 128, 64)),
    "cross_entropy": inputs(near(*WIDE), lambda: index(N, N)), "nll_loss": inputs(near(*WIDE), lambda: index(N, N)), "multi_margin_loss": inputs(near(*WIDE), lambda: index(N, N)),
    "margin_ranking_loss": inputs(near(N * N), near(N * N), near(N * N).sign()), "triplet_margin_loss": three, "cosine_embedding_loss": inputs(near(*WIDE), near(*WIDE), near(N).sign()),
    "multilabel_soft_margin_loss": two,
})


def timed(fn):
    start = time.perf_counter()
    fn()
    return time.perf_counter() - start


def measure(ebb, op, reps=7):
    """-> the medians of both in seconds"""
    xs, attrs = CALLS[op]()
    here = [x if x is None else ebb.tensor(x) for x in xs]
    plain = {k: v for k, v in attrs.items()}

    def ours():
        scope = ebb.lib.ebb_begin(ebb.e)
        ebb.call_all(op, here, **plain)
        ebb.lib.ebb_end(scope)

    def theirs():
        oracle.TWIN[op](*xs, **plain)
    pairs = []
    ours(), theirs()
    until = time.perf_counter() + 1.5
    while len(pairs) < 3 or (len(pairs) < reps and time.perf_counter() < until):
        pairs.append((timed(ours), timed(theirs)))
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    oracle.families()
    ebb = Ebb(sys.argv[1])
    rows = []
    with torch.no_grad():
        for op in sys.argv[2:] or sorted(CALLS):
            try:
                rows.append((op, *measure(ebb, op)))
            except (Refused, KeyError, RuntimeError, TypeError, ValueError, IndexError) as error:
                print(f"{op:28} not compared: {str(error).splitlines()[0][:90]}")
    rows.sort(key=lambda r: r[2] / r[1])

    def line(row):
        op, ours, theirs = row
        return f"{op:28} ebb {ours * 1e3:9.3f} ms   PyTorch {theirs * 1e3:9.3f} ms   {ours / theirs:6.2f} x"
    for row in rows:
        print(line(row))
    slow = [r for r in rows if r[1] > 3 * r[2]]
    print(f"\nThe ten slowest beside PyTorch, of {len(rows)}; {len(slow)} take more than 3 x its time:")
    for row in rows[:10]:
        print(line(row))


if __name__ == "__main__":
    main()
