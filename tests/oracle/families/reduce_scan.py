"""reduce_scan.py - what runs along a dim: sums, products, log-sums, extrema, differences, integrals."""
import itertools
import math
import os
import random
import sys

import torch

from binding import BOOL, DTYPES, F32, F64, I32, I64, U8
from cases import Case, draw

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reduce import DIM, SHAPES, kinds  # noqa: E402

LISTS = [[0.0, 2.0, 3.0], [0.0, 2.0, 0.0], [1.0, 0.0, 5.0, -2.0], [0.0], [0.0, 0.0, 0.0, 1.0], [math.inf, 0.0, 1.0], [math.nan, 1.0], [1.0, math.nan, 2.0, math.inf],
         [math.inf, -math.inf, 1.0], [-math.inf, 1.0, 2.0], [-0.0, 0.0, -0.0], [3.0, 3.0, 2.0, 3.0]]


def scans(op, dims=DIM[1:], dtypes=False, in_place=False):
    for shape, d in itertools.product(SHAPES, dims):
        yield from kinds(op, shape, **d)
    for dtype, v in itertools.product((F64, F32), LISTS):
        yield Case(op, torch.tensor(v, dtype=dtype), **dims[1])
    for dtype in DTYPES:
        yield from (Case(op, draw(s, dtype, "ties"), **dims[-1 if len(dims) < 2 else 1]) for s in ((7,), (3, 5), (2, 3, 4)))
        if in_place:
            yield from (Case(op, draw(s, dtype), in_place=True, **dims[1]) for s in ((5,), (3, 4)))
    for have, want in itertools.product(DTYPES * dtypes, DTYPES):
        yield Case(op, draw((3, 4), have, "ties"), dtype=want, **dims[1])
    yield Case(op, torch.rand(1000, dtype=F64) + 0.5, **dims[1])
    yield Case(op, torch.rand(3, 40, dtype=F32) + 0.5, **dims[1])


def zeros(op, **attrs):
    """Products with zeros, one and several a row."""
    for p, shape in itertools.product((0.1, 0.4, 0.7), ((6,), (3, 5), (2, 3, 4))):
        for _ in range(4):
            x = draw(shape, F64, "normal")
            yield Case(op, torch.where(torch.rand(shape) < p, torch.zeros(()).double(), x), **attrs)


def logs(op):
    yield from scans(op)
    for v in ([1000.0, -1000.0, 0.0], [-1000.0, 0.0, 1000.0], [-math.inf, -math.inf, 1.0], [700.0, 700.0], [-math.inf] * 3, [0.0, -1e5, 3.0]):
        yield from (Case(op, torch.tensor(v, dtype=dtype), dim=0) for dtype in (F64, F32))


def diffs():
    for shape, n, d in itertools.product(SHAPES, (None, 0, 2, 3, 7, -1), ({}, {"dim": 0}, {"dim": -2}, {"dim": 5})):
        yield Case("diff", draw(shape, random.choice([F64, F64, *DTYPES])), **({} if n is None else {"n": n}), **d)
    for x, p, a, d in [((3, 4), (3, 1), None, -1), ((3, 4), (2, 4), (1, 4), 0), ((5,), None, (2,), 0), ((3, 4), (4,), None, 0), ((3, 4), (3, 2), None, 0), ((5,), (), None, 0),
                       ((3, 4), (0,), None, 0), ((3, 4), (3, 0), (3, 0), 1), ((0,), (2,), (1,), 0)]:
        for dtype, n in itertools.product((F64, F32, I64, BOOL), (1, 2)):
            yield Case("diff", draw(x, dtype), *([None if s is None else draw(s, dtype) for s in (p, a)]), dim=d, n=n)
    yield Case("diff", draw((3,), F64), draw((1,), F32))
    yield Case("diff", draw((3,), I64), draw((1,), F32))


def areas(op):
    for shape, d, h in itertools.product(SHAPES, DIM, ({}, {"dx": 0.25}, {"dx": -2.0})):
        yield Case(op, draw(shape, random.choice([F64, F64, *DTYPES])), **d, **h)
    for y, x, d in [((5,), (5,), -1), ((3, 4), (4,), -1), ((3, 4), (3,), 0), ((3, 4), (3, 4), 0), ((2, 3, 4), (3, 4), 1), ((2, 3, 4), (1, 3, 1), 1), ((3, 4), (3,), 1), ((3, 4), (2, 3, 4), 1),
                    ((3, 4), (2, 4), 1), ((1, 4), (3, 4), 1), ((0,), (0,), 0), ((1,), (1,), 0), ((3, 4), (1,), 1), ((3, 4), (3, 1), 1), ((3,), (), 0), ((2, 0), (0,), 1), ((0, 3), (3,), 1),
                    ((2, 2, 4), (2, 3, 2, 4), 1)]:
        for s, t in [(F64, F64), (F64, F64), (F32, F32), (F64, F32), (I64, F64), (F64, I64), (BOOL, F64)]:
            yield Case(op, draw(y, s), draw(x, t), dim=d)


def recurrences():
    for shape, d, back in itertools.product([(5,), (1,), (0,), (3, 4), (2, 3, 4), ()], (0, -1, 1), (False, True)):
        yield Case("recurrence", draw(shape, F64, "normal"), draw(shape, F64, "normal"), dim=d, **({"reverse": True} if back else {}))
    for dtype, size in itertools.product((F64, F32), (1, 2, 17)):
        yield Case("recurrence", draw((2, size), dtype, "normal"), draw((2, size), dtype, "normal"), dim=1)


# ---- twins ---------------------------------------------------------------------------------------------------------------

def recurrence(a, b, dim, reverse=False):
    if not -max(a.dim(), 1) <= dim < max(a.dim(), 1):
        raise IndexError("dim")
    if not a.dim():
        return b + a * 0
    if reverse:
        before = torch.cat([torch.zeros_like(a.narrow(dim, 0, min(1, a.shape[dim]))), a.flip(dim).narrow(dim, 0, max(a.shape[dim] - 1, 0))], dim)
        return recurrence(before, b.flip(dim), dim).flip(dim)
    rows = []
    for i in range(a.shape[dim]):
        rows.append(b.select(dim, i) + a.select(dim, i) * (rows[-1] if rows else 0))
    return torch.stack(rows, dim) if rows else b + a * 0


def prod(x, dim=None, keepdim=False, dtype=None):
    if dim is None:
        y = torch.prod(x, dtype=dtype)
        return y.reshape((1,) * x.dim()) if keepdim else y
    return torch.prod(x, dim, keepdim, dtype=dtype)


def whole(f):
    def twin(x, dtype=None, **rest):
        if dtype and not dtype.is_floating_point:
            x = x.detach()  # torch stumbles over a gradient through integers
        return f(x, dtype=dtype, **rest)
    return twin


def product(x, dim=None, keepdim=False):
    return prod(x.long() if x.dtype == I64 else x, dim, keepdim).to(x.dtype)


def cumextreme(x, dim, largest=True):
    return tuple((torch.cummax if largest else torch.cummin)(x, dim))


def diff(x, prepend=None, append=None, n=1, dim=-1):
    return torch.diff(x, n=n, dim=dim, prepend=prepend, append=append)


def area(f, name):
    def twin(y, x=None, dim=-1, dx=1):
        return f(y, dim=dim, dx=dx) if x is None else f(y, x, dim=dim)
    return twin


def products(op):
    yield from scans(op, DIM, op == "prod")
    yield from zeros(op)
    yield from zeros(op, dim=0)
    yield from (Case(op, draw((3, 4), F64), keepdim=True, **d) for d in DIM[:4])


TWIN = {
    "cumsum": whole(torch.cumsum), "cumprod": whole(torch.cumprod), "cumsum_back": lambda x, dim: torch.cumsum(x.flip(dim) if x.dim() else x, dim).flip(dim if x.dim() else ()),
    "recurrence": recurrence, "prod": whole(prod), "product": product, "logcumsumexp": lambda x, dim: torch.logcumsumexp(x, dim),
    "cumextreme": cumextreme, "cummax": lambda x, dim: tuple(torch.cummax(x, dim)), "cummin": lambda x, dim: tuple(torch.cummin(x, dim)),
    "diff": diff, "trapezoid": area(torch.trapezoid, "trapezoid"), "cumulative_trapezoid": area(torch.cumulative_trapezoid, "cumulative_trapezoid"),
}


def cumsums_back():
    for shape, d in itertools.product(SHAPES, DIM[1:4]):
        yield from (Case("cumsum_back", draw(shape, dtype), **d) for dtype in (F64, F32))


def cumprods():
    yield from scans("cumprod", dtypes=True, in_place=True)
    yield from zeros("cumprod", dim=0)
    yield from zeros("cumprod", dim=-1)


CASES = {
    "cumsum": lambda: scans("cumsum", dtypes=True, in_place=True), "cumprod": cumprods, "cumsum_back": cumsums_back, "recurrence": recurrences,
    "prod": lambda: products("prod"), "product": lambda: (c for c in products("product") if c.inputs[0].dtype in (F64, F32, I64)), "logcumsumexp": lambda: logs("logcumsumexp"),
    **{op: lambda op=op: scans(op) for op in ("cumextreme", "cummax", "cummin")},
    "diff": diffs, "trapezoid": lambda: areas("trapezoid"), "cumulative_trapezoid": lambda: areas("cumulative_trapezoid"),
}

KNOWN = [
    ("cumsum|cumprod|prod", r"gradient .*\| \w+\(f64.* dtype=f32", "computed in f32, as asked"),
    ("cumprod|cumsum|prod", r"\| \w+\(f(32|64).* dtype=u8", "a negative float as u8 is 0, as of the op `to`"),
    ("cumprod|prod|product", "gradient of input 0: .* torch has nan", "nothing is divided by: infinities and NaN stay where they belong"),
    ("logcumsumexp", "gradient of input 0: (-?0.0, torch has nan|nan, torch has )", "what is -inf has the gradient 0; beside inf and NaN it is NaN"),
    ("cumextreme|cummax|cummin|cumsum_back", r"dims: .*\[(|.*\b0\b.*)\]", "torch does not look at the dim of a 0-d or empty tensor"),
    ("trapezoid", r"value: \S+, torch has nan", "the areas are added; torch takes half the ends off the sum, which is inf - inf"),
    ("diff", r"attribute n is -1|n=0 dim=(-2|5)", "torch does not look at a dim that is not used, or at a negative number of times"),
]
