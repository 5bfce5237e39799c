"""neural_pool.py - pooling of every kind, and the windows that it is made of."""
import itertools
import random

import torch
import torch.nn.functional as F

from binding import F32, F64, I32, I64
from cases import Case, draw

SIZES = {1: [(7,), (12,)], 2: [(7, 6), (4, 9)], 3: [(4, 5, 4), (6, 3, 5)]}
NO_POOL = {1: [(), (5,), (2, 0), (0, 5), (2, 0, 5), (2, 3, 0), (1, 2, 3, 4)], 2: [(), (5,), (4, 4), (0, 4, 4), (2, 0, 4), (2, 2, 0, 4), (2, 0, 4, 4), (1, 1, 1, 4, 4)],
           3: [(), (4, 4, 4), (0, 4, 4, 4), (2, 0, 4, 4), (2, 2, 4, 0, 4), (2, 0, 4, 4, 4), (1, 1, 1, 4, 4, 4)]}


def dims_of(op):
    return next(int(ch) for ch in op[::-1] if ch.isdigit())


def pool_attrs(dims, dilation=False, padding=True):
    cut = lambda *v: v[:dims]
    yield dict(kernel_size=2)
    for kernel, stride, ceil in itertools.product([3, cut(3, 2, 2), 1], [None, 1, 2, cut(2, 1, 3)], [False, True]):
        for pad in ([0, 1, cut(1, 0, 1)] if padding else [0]):
            attrs = dict(kernel_size=kernel, ceil_mode=ceil)
            if padding:
                attrs["padding"] = pad
            if stride is not None:
                attrs["stride"] = stride
            yield attrs
            if dilation and random.random() < 0.5:
                yield dict(attrs, dilation=random.choice([2, cut(1, 2, 1)]))
    yield dict(kernel_size=0)
    yield dict(kernel_size=-1)
    yield dict(kernel_size=2, stride=0)
    yield dict(kernel_size=2, stride=-1)
    yield dict(kernel_size=99)
    yield dict(kernel_size=99, ceil_mode=True)
    yield dict(kernel_size=(2,) * (dims + 1))
    yield dict(kernel_size=2, stride=(2,) * (dims + 1))
    yield dict(kernel_size=1, stride=5)
    if padding:
        yield from (dict(kernel_size=2, padding=p) for p in (-1, 2, (1,) * (dims + 1)))
        yield dict(kernel_size=3, padding=1, stride=5, ceil_mode=True)
    if dilation:
        yield from (dict(kernel_size=2, dilation=d) for d in (0, -1, 9, (1,) * (dims + 1)))


def everywhere(op, attrs_list):
    dims = dims_of(op)
    for attrs in attrs_list:
        for size, lead in itertools.product(SIZES[dims][:1] if random.random() < 0.7 else SIZES[dims], [(2, 3), (2,), (0, 3)] if random.random() < 0.3 else [(2, 3), (2,)]):
            for dtype in (F64, F32):
                yield Case(op, draw((*lead, *size), dtype), **attrs)
        if random.random() < 0.1:
            yield Case(op, draw((2, *SIZES[dims][0]), random.choice([I32, I64])), **attrs)
    for shape in NO_POOL[dims]:
        yield Case(op, draw(shape), **attrs_list[0])


def max_pools():
    for d in (1, 2, 3):
        yield from everywhere(f"max_pool{d}d", list(pool_attrs(d, dilation=True)))


def avg_pools():
    for d in (1, 2, 3):
        more = [{}, dict(count_include_pad=False)] + ([dict(divisor_override=3), dict(divisor_override=-2, count_include_pad=False)] if d > 1 else [])
        yield from everywhere(f"avg_pool{d}d", [dict(a, **random.choice(more)) for a in pool_attrs(d)] + [dict(a, **m) for m in more for a in itertools.islice(pool_attrs(d), 9, 18)])


def adaptives():
    for kind, d in itertools.product(("avg", "max"), (1, 2, 3)):
        cut = lambda *v: v[:d]
        sizes = [1, 2, 3, 5, 9, cut(3, 1, 2), cut(2, 7, 3), -1, cut(-1, 2, 1), cut(2, -1, 3), 0, -2, (2,) * (d + 1)]
        yield from everywhere(f"adaptive_{kind}_pool{d}d", [dict(output_size=s) for s in sizes])


def unpools():
    for d in (1, 2, 3):
        op, pool, cut = f"max_unpool{d}d", getattr(F, f"max_pool{d}d"), lambda *v: v[:d]
        for size, lead, attrs in itertools.product(SIZES[d], [(2, 3), (2,)], [dict(kernel_size=2), dict(kernel_size=cut(3, 2, 2), stride=2), dict(kernel_size=3, stride=cut(2, 3, 2), padding=1),
                                                                              dict(kernel_size=2, stride=2, padding=cut(1, 0, 1))]):
            for dtype in (F64, F64, F32):
                y, i = pool(draw((*lead, *size), dtype, "normal"), return_indices=True, **attrs)
                for output_size in (None, size, (*lead, *size) if len(lead) == 2 else (1, *lead, *size), tuple(n + 1 for n in size), tuple(n + 3 for n in size), tuple(n - 9 for n in size), (*size, 1, 1, 1)):
                    yield Case(op, y, i, **attrs, **({} if output_size is None else dict(output_size=output_size)))
                yield Case(op, y, i + 1000, **attrs)
                yield Case(op, y, -i - 1, **attrs)
                yield Case(op, y, i[:1], **attrs)
                yield Case(op, y, i, kernel_size=0)
                yield Case(op, y, i, kernel_size=2, stride=0)
                yield Case(op, y, i, kernel_size=(2,) * (d + 1))
                yield Case(op, y, i.int(), **attrs)
        overlapping = draw((2, 3, *SIZES[d][0]), F64, "normal")
        y, i = pool(overlapping, 2, 1, return_indices=True)  # several maxima for one place, all of them the same
        yield Case(op, y.detach(), i, kernel_size=2, stride=1)
        for shape in NO_POOL[d]:
            yield Case(op, draw(shape), torch.zeros(shape, dtype=I64), kernel_size=2)


def lp_pools():
    for d in (1, 2):
        for p in (1.0, 2.0, 3.0, 0.5, -1.0, 1.7, 4.0, 0.0):
            for attrs in pool_attrs(d, padding=False):
                if random.random() < 0.5:
                    continue
                for dtype, shape in itertools.product((F64, F32), [(2, 3, *SIZES[d][0]), (2, *SIZES[d][1])]):
                    x = draw(shape, dtype, "normal")
                    yield Case(f"lp_pool{d}d", x if p in (1.0, 2.0, 4.0) else x.abs() + 0.1, norm_type=p, **attrs)
        yield Case(f"lp_pool{d}d", torch.zeros(2, 3, *SIZES[d][0], dtype=F64), norm_type=2.0, kernel_size=2)
        for shape in NO_POOL[d]:
            yield Case(f"lp_pool{d}d", draw(shape), norm_type=2.0, kernel_size=2)


def norms():
    for shape, attrs in itertools.product([(2, 5, 3), (2, 5, 3, 4), (1, 4, 2, 3, 2), (1, 1, 1), (2, 33, 5), (0, 3, 4), (2, 0, 4), (2, 3, 0), (3, 4), (5,), (), (1, 3, 2, 1, 2, 2)],
                                          [dict(size=n) for n in (1, 2, 3, 4, 9, 0, -1)] + [dict(size=3, alpha=0.5), dict(size=2, alpha=1.0, beta=0.5), dict(size=5, k=2.0, beta=2.0), dict(size=2, alpha=-0.01)]):
        for dtype in (F64, F64, F32, F32, I64):
            yield Case("local_response_norm", draw(shape, dtype), **attrs)


# ---- twins ----

def one_or_all(v):
    return v[0] if isinstance(v, tuple) and len(v) == 1 else v


def max_twin(d):
    f = getattr(F, f"max_pool{d}d")
    return lambda x, **attrs: f(x, return_indices=True, **attrs)


def adaptive_twin(kind, d):
    f = getattr(F, f"adaptive_{kind}_pool{d}d")

    def twin(x, output_size):
        if x.dim() not in (d + 1, d + 2):
            raise ValueError("dims")
        size = output_size if isinstance(output_size, tuple) else (output_size,) * d
        if len(size) != d:
            raise ValueError("output_size")
        size = [x.shape[k - d] if n == -1 else n for k, n in enumerate(size)]
        return f(x, size, return_indices=True) if kind == "max" else f(x, size)
    return twin


def lp_twin(d):
    f = getattr(F, f"lp_pool{d}d")
    return lambda x, norm_type, kernel_size, stride=None, ceil_mode=False: f(x, norm_type, one_or_all(kernel_size), one_or_all(stride), ceil_mode)


CASES = {"max_pool1d max_pool2d max_pool3d": max_pools, "avg_pool1d avg_pool2d avg_pool3d": avg_pools,
         " ".join(f"adaptive_{k}_pool{d}d" for k in ("avg", "max") for d in (1, 2, 3)): adaptives, "max_unpool1d max_unpool2d max_unpool3d": unpools,
         "lp_pool1d lp_pool2d": lp_pools, "local_response_norm": norms}
TWIN = {"local_response_norm": F.local_response_norm, "lp_pool1d": lp_twin(1), "lp_pool2d": lp_twin(2)}
for dims in (1, 2, 3):
    TWIN.update({f"max_pool{dims}d": max_twin(dims), f"avg_pool{dims}d": getattr(F, f"avg_pool{dims}d"), f"max_unpool{dims}d": getattr(F, f"max_unpool{dims}d"),
                 f"adaptive_avg_pool{dims}d": adaptive_twin("avg", dims), f"adaptive_max_pool{dims}d": adaptive_twin("max", dims)})
KNOWN = [
    ("max_unpool.d", r"(gradient|second) of input 0: -?0\.0,", "of several maxima for one place the last is what the result holds, and it alone has the gradient"),
    ("max_unpool.d", r"type int64", "an index may be of any integer type"),
    ("max_unpool.d", r"kernel_size is 0", "a window of nothing"),
    ("lp_pool.d", r"second of .*torch has nan", "every derivative of the norm of zeros is 0"),
    ("adaptive_avg_pool.d", r"or an empty one;.* output_size=1$", "torch takes the mean of nothing; it refuses every other size"),
]
