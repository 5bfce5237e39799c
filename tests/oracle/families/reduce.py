"""reduce.py - sums, means, products, counts, extrema, the softmax family, moments and norms against torch."""
import itertools
import math
import random

import torch

from binding import BOOL, DTYPES, F32, F64, I32, I64, U8
from cases import Case, draw

SHAPES = [(), (1,), (5,), (19,), (3, 4), (2, 3, 4), (1, 4, 1), (0,), (2, 0, 3), (33, 2), (2, 33)]
DIMS = [{}, *({"dim": d} for d in [(0,), (-1,), (1,), (0, 1), (-1, 0), (0, 2), (0, 0), (1, -1), (3,), (-4,)])]
DIM = [{}, *({"dim": d} for d in (0, 1, -1, -2, 2, 5))]
ROWS = list(itertools.permutations([math.inf, -math.inf, math.nan, 1.0, -1000.0], 2))


def kinds(op, shape, **attrs):
    """f64, f32 and one integer type."""
    for dtype in (F64, F32, random.choice(DTYPES[2:])):
        yield Case(op, draw(shape, dtype), **attrs)


def reduced(op, dims=DIMS, special=True, **attrs):
    for shape, d in itertools.product(SHAPES, dims):
        for dtype in (F64, random.choice([F32, *DTYPES[2:]])):
            yield Case(op, draw(shape, dtype), **d, **random.choice([{}, {"keepdim": True}]), **attrs)
    for dtype in DTYPES:
        yield from (Case(op, draw(s, dtype), **attrs) for s in ((7,), (3, 5)))
    for dtype in (F64, F32):
        yield Case(op, draw((1000,), dtype, "normal"), **attrs)
        yield Case(op, draw((300, 3), dtype, "normal"), **dims[1], **attrs)
        yield from (Case(op, torch.tensor(v, dtype=dtype), strict=True, **attrs) for v in ROWS * special)


def with_dtypes(op, dims=DIMS):
    yield from reduced(op, dims)
    for have, want, d in itertools.product(DTYPES, DTYPES, dims[:3]):
        yield Case(op, draw((3, 4), have, "normal"), dtype=want, **d)


def along(op):
    for shape, d in itertools.product(SHAPES, DIM):
        yield from kinds(op, shape, **d)
    for have, want in itertools.product(DTYPES, DTYPES):
        yield Case(op, draw((3, 4), have), dtype=want)
    for dtype in (F64, F32):
        yield from (Case(op, torch.tensor(v, dtype=dtype), strict=True) for v in itertools.permutations(
            [math.inf, -math.inf, math.nan, 1.0, 1000.0, -1000.0], 2))
        yield Case(op, torch.full((3,), -math.inf, dtype=dtype))


# ---- twins -----------------------------------------------------------------------------------------------------------

def several(f, every=False):
    """f takes a tuple of dims; none: all."""
    def twin(x, dim=(), keepdim=False, **rest):
        if rest and not rest["dtype"].is_floating_point:
            x = x.detach()  # torch stumbles over a gradient through integers
        return f(x, dim=tuple(dim) or (tuple(range(x.dim())) if every else ()), keepdim=keepdim, **rest)
    return twin


def one_by_one(f):
    """f takes one dim; several are done one after another, none given: all."""
    def twin(x, dim=(), keepdim=False):
        dims = [d + max(x.dim(), 1) if d < 0 else d for d in dim] or list(range(x.dim()))
        if len(set(dims)) < len(dims) or any(d < 0 or d >= max(x.dim(), 1) for d in dims):
            raise IndexError("dims")
        y = x if dims else f(x)
        for d in sorted(dims, reverse=True):
            y = f(y, dim=d, keepdim=keepdim)
        return y
    return twin


def aminmax(x, dim=None, keepdim=False):
    every = tuple(range(x.dim())) if dim is None else dim
    return torch.amin(x, every, keepdim), torch.amax(x, every, keepdim)


def count_nonzero(x, dim=(), keepdim=False):
    return torch.sum(x != 0, dim=tuple(dim) or (), keepdim=keepdim)


def arg(f):
    def twin(x, dim=None, keepdim=False):
        y = f(x, dim=dim, keepdim=keepdim)
        return y.reshape((1,) * x.dim()) if keepdim and dim is None else y
    return twin


def chosen(name):
    """max, min: torch's own along a dim; of all, that of the flattened input."""
    f = getattr(torch, name)

    def twin(x, dim=None, keepdim=False):
        if dim is not None:
            return tuple(f(x, dim=dim, keepdim=keepdim))
        v, i = f(x.flatten(), 0)
        return tuple(t.reshape((1,) * x.dim() if keepdim else ()) for t in (v, i))
    return twin


def first_equals():
    for x, v, attrs in [((3, 4), (3, 1), dict(dim=1, keepdim=True)), ((3, 4), (4,), dict(dim=0)), ((5,), (), dict(dim=0)), ((700,), (), dict(dim=0))]:
        for dtype in DTYPES:
            x_ = draw(x, dtype, "ties")
            yield Case("first_equal", x_, torch.amax(x_, attrs["dim"], attrs.get("keepdim", False)) if dtype != BOOL else draw(v, BOOL), **attrs)


def first_equal(x, v, dim=0, keepdim=False):
    v = v if keepdim else v.unsqueeze(dim)
    hit = (x == v) | (x.isnan() & v.isnan())
    n = torch.arange(x.shape[dim]).reshape([-1 if d == dim % x.dim() else 1 for d in range(x.dim())])
    y = torch.where(hit, n, x.shape[dim] - 1).amin(dim, keepdim)
    return y


def softmax(f):
    def twin(x, dim=-1, dtype=None):
        if dtype and not dtype.is_floating_point:
            raise TypeError("a dtype of fractions")
        return f(x, dim, dtype=dtype)
    return twin


TWIN = {
    "sum": several(torch.sum), "mean": several(torch.mean), "amax": several(torch.amax), "amin": several(torch.amin),
    "logsumexp": several(torch.logsumexp, every=True),
    "count_nonzero": count_nonzero, "count_true": count_nonzero, "all": one_by_one(torch.all), "any": one_by_one(torch.any),
    "aminmax": aminmax, "argmax": arg(torch.argmax), "argmin": arg(torch.argmin), "max": chosen("max"), "min": chosen("min"),
    "first_equal": first_equal, "softmax": softmax(torch.softmax), "log_softmax": softmax(torch.log_softmax),
}


def counts_true():
    for shape, d in itertools.product(SHAPES, DIMS):
        yield Case("count_true", draw(shape, BOOL), **d)


CASES = {
    **{op: lambda op=op: with_dtypes(op) for op in ("sum", "mean")},
    **{op: lambda op=op: reduced(op) for op in "amax amin logsumexp count_nonzero all any".split()},
    **{op: lambda op=op: reduced(op, DIM) for op in "argmax argmin max min aminmax".split()},
    **{op: lambda op=op: along(op) for op in "softmax log_softmax".split()},
    "first_equal": first_equals, "count_true": counts_true,
}

KNOWN = [
    ("sum", r"\| sum\(f(32|64).* dtype=u8", "a negative float as u8 is 0, as of the op `to`"),
    ("max|min|argmax|argmin|aminmax|amax|amin", "accepted .*(not implemented for|only supports)", "torch has no kernel for bool"),
]
