"""reduce_order.py - places in the order of rows: argsort, median, quantile, searches and counts."""
import itertools
import math
import os
import random
import sys

import torch

from binding import BOOL, DTYPES, F32, F64, I32, I64, U8
from cases import Case, draw, index

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reduce import DIM, SHAPES, kinds  # noqa: E402

ROWS = [[math.nan, 1.0, math.nan, -1.0], [math.inf, -math.inf, 0.0, -0.0], [-0.0, 0.0, -1.0], [math.nan] * 3, [3.0, 1.0, 3.0, 1.0, 2.0, 1.0], [1e-320, -1e-320, 0.0], [1.0]]


def ordered(op, dims=DIM, **attrs):
    for shape, d in itertools.product(SHAPES, dims):
        yield from kinds(op, shape, **d, **attrs)
    for dtype, shape in itertools.product(DTYPES, ((7,), (41,), (3, 50), (4, 300))):
        yield Case(op, draw(shape, dtype, random.choice(["normal", "ties"])), **dims[0], **attrs)
        yield Case(op, draw(shape, dtype, "ties"), **dims[0], **attrs)
    for dtype, v in itertools.product((F64, F32), ROWS):
        yield Case(op, torch.tensor(v, dtype=dtype), **dims[0], **attrs)


def integers(op, **attrs):
    for v in ([2**62, -2**62, 0, -1, 1, 2**40], [300, 255, 256, -256, 257] * 12):
        yield Case(op, torch.tensor(v), **attrs)


def kept(v, i, x, keepdim):
    return tuple(t.reshape((1,) * x.dim() if keepdim else ()) for t in (v, i))


def kth(x, k, dim=-1, keepdim=False):
    """The value and the index that a stable sort puts at k: torch's index is any of equal ones."""
    torch.kthvalue(x, k, dim, keepdim)  # what it refuses
    if not x.dim():
        return x * 1 if x.is_floating_point() else x, torch.tensor(0)
    v, i = torch.sort(x, stable=True, dim=dim)
    v, i = v.narrow(dim, k - 1, 1), i.narrow(dim, k - 1, 1)
    return (v, i) if keepdim else (v.squeeze(dim), i.squeeze(dim))


def median(x, dim=None, keepdim=False, nan=False):
    if dim is None:
        v, i = median(x.flatten(), 0, nan=nan)
        return kept(v, i, x, keepdim)
    (torch.nanmedian if nan else torch.median)(x, dim, keepdim)  # what it refuses
    if not x.dim():
        return x * 1 if x.is_floating_point() else x, torch.tensor(0)
    v, i = torch.sort(x, stable=True, dim=dim)
    n, numbers = x.shape[dim], (x == x).sum(dim, True)
    if not n:
        raise IndexError("empty")
    at = (numbers - 1).clamp(min=0) // 2 if nan else torch.where(numbers < n, numbers, (n - 1) // 2)
    v, i = v.gather(dim, at), i.gather(dim, at)
    return (v, i) if keepdim else (v.squeeze(dim), i.squeeze(dim))


def argsort(x, dim=-1, descending=False):
    return torch.sort(x, dim=dim, descending=descending, stable=True)[1]


def argtop(x, k, largest=True, sorted=True):
    if not x.dim():
        torch.topk(x, k)
        return torch.tensor(0)
    if not 0 <= k <= x.shape[-1]:
        raise IndexError("k")
    i = torch.sort(x, dim=-1, descending=largest, stable=True)[1][..., :k]
    return i if sorted else torch.sort(i, -1)[0]


def argkth(x, dim=None, keepdim=False, k=1):
    if k < 1:
        return median(x, dim, keepdim, k < 0)[1]
    if dim is None:
        i = kth(x.flatten(), k, 0)[1]
        return i.reshape((1,) * x.dim()) if keepdim else i
    return kth(x, k, dim, keepdim)[1]


def longest_run(x, dim=-1, keepdim=False):
    def one(row):
        best, most, start = 0, 0, 0
        for i, v in enumerate(row):
            start = start if v == row[start] else i
            if i - start >= most:
                best, most = i, i - start + 1
        return best
    rows = x.movedim(dim, -1) if x.dim() else x.reshape(1)
    y = torch.tensor([one(r) for r in rows.reshape(-1, rows.shape[-1]).tolist()], dtype=I64).reshape(rows.shape[:-1])
    return y.unsqueeze(dim) if keepdim and x.dim() else y


def quantile(f):
    def twin(x, q, dim=None, keepdim=False, interpolation="linear"):
        qs = torch.tensor(q, dtype=x.dtype) if isinstance(q, (list, tuple)) and len(q) > 1 else float(q[0] if isinstance(q, (list, tuple)) else q)
        return f(x, qs, dim, keepdim, interpolation=interpolation)
    return twin


def quantiles(op):
    for shape, d, q in itertools.product(SHAPES, DIM, ((0.3,), (0.0, 0.25, 1.0))):
        yield Case(op, draw(shape, random.choice([F64, F64, F32, I64]), "normal"), q=q, plain=True, **d, **random.choice([{}, {"keepdim": True}]))
    for how, q, shape in itertools.product("linear lower higher midpoint nearest".split(), ((0.5,), (0.1, 0.625, 0.99), (1.0,)), ((5,), (6,), (3, 9), (17,))):
        yield from (Case(op, draw(shape, dtype, "normal"), plain=True, q=q, interpolation=how, **d) for dtype, d in ((F64, {}), (F64, {"dim": -1}), (F32, {"dim": 0})))
    for v in ROWS[:2]:
        yield from (Case(op, torch.tensor(v, dtype=F64), plain=True, q=q) for q in ((0.4,), (0.0, 1.0)))
    yield from (Case(op, draw((5,)), q=q) for q in ((1.5,), (-0.1,), (0.5, 1.01)))


def searches():
    for s, x, dtype, right in itertools.product([(5,), (1,), (0,), (2, 5), (2, 3, 4), ()], [(3,), (2, 3), (), (0,), (2, 3, 2), (3, 3), (2, 0)], (F64, F32, I64, U8), ({}, {"right": True})):
        seq = draw(s, dtype, "ties")
        seq = seq.sort(-1)[0] if s else seq
        yield Case("searchsorted", seq, draw(x, dtype, "ties"), **right)
        yield Case("bucketize", draw(x, dtype, "ties"), seq, **right)
    for right in (False, True):
        v = torch.tensor([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0], dtype=F64)
        yield Case("searchsorted", torch.tensor([-1.0, 0.0, 0.0, 1.0, math.inf], dtype=F64), v, right=right, out_int32=True)
        yield Case("bucketize", v, torch.tensor([-1.0, 0.0, 1.0, math.nan], dtype=F64), right=right, out_int32=True)
        yield Case("searchsorted", torch.randn(1000, dtype=F64).sort()[0], torch.randn(50, dtype=F64), right=right)
    yield Case("searchsorted", draw((4,), F64), draw((3,), F32))
    yield Case("bucketize", draw((4,), I64), draw((3,), F32))


def histograms():
    for shape, bins, ends in itertools.product([(5,), (3, 4), (), (0,), (200,)], (None, 1, 4, 7), ({}, {"min": -1.0, "max": 1.0}, {"min": 0.5, "max": 0.5}, {"max": 2.0}, {"min": 1.0, "max": -1.0})):
        for dtype in (F64, F32, I64):
            yield Case("histc", draw(shape, dtype, "normal"), **({} if bins is None else {"bins": bins}), **ends)
    yield Case("histc", draw((3,)), bins=0)
    yield Case("histc", torch.full((3,), 2.0, dtype=F64), bins=3)
    yield Case("histc", torch.tensor([math.nan, 0.5, math.inf], dtype=F64), bins=3, min=0.0, max=1.0)


def bincounts():
    for n, kind, least in itertools.product((0, 1, 5, 30), (I64, I64, I32, U8, BOOL, F32), (None, 0, 3, 9, -1)):
        for w in (None, F64, F32, I64, BOOL):
            x = index(n, 6, kind) if kind != BOOL else draw((n,), BOOL)
            yield Case("bincount", x, *([] if w is None else [draw((n,), w, "normal")]), **({} if least is None else {"minlength": least}))
    yield Case("bincount", torch.tensor([-1, 2]))
    yield Case("bincount", index((2, 2), 3))
    yield Case("bincount", index(3, 3), draw((2,)))
    yield Case("bincount", index(3, 3), draw((3, 1)))


def bincount(x, w=None, minlength=0):
    y = torch.bincount(x, None if w is None else w.detach(), minlength)
    if w is None or not x.numel():
        return y
    return torch.zeros(y.shape, dtype=y.dtype).index_add(0, x.long(), w.to(y.dtype))  # with its derivative


def consecutive():
    for shape, dtype in itertools.product([(5,), (3, 4), (), (0,), (1,), (40,), (2, 0)], DTYPES):
        yield from (Case("unique_consecutive", draw(shape, dtype, "ties")) for _ in range(3))


def argtops():
    for shape, k in itertools.product([(5,), (3, 4), (2, 3, 50), (), (0,), (2, 0), (60,)], (0, 1, 3, 45, -1)):
        for dtype in (F64, F32, random.choice(DTYPES[2:])):
            yield Case("argtop", draw(shape, dtype), k=k, **random.choice([{}, {"largest": False}]), **random.choice([{}, {"sorted": False}]))


TWIN = {
    "argsort": argsort, "argtop": argtop, "argkth": argkth, "longest_run": longest_run, "median": median, "quantile": quantile(torch.quantile),
    "searchsorted": lambda s, x, **rest: torch.searchsorted(s.contiguous(), x.contiguous(), **rest), "bucketize": torch.bucketize,
    "histc": lambda x, bins=100, min=0.0, max=0.0: torch.histc(x.detach(), bins, min, max), "bincount": bincount,
    "unique_consecutive": lambda x: torch.unique_consecutive(x.detach(), return_inverse=True, return_counts=True),
}


def argsorts():
    yield from ordered("argsort")
    yield from ordered("argsort", DIM[:2], descending=True)
    yield from integers("argsort")
    yield from integers("argsort", descending=True)


def kths():
    for k in (1, 2, 0, -1):
        yield from ordered("argkth", DIM[:3], k=k)
        yield from integers("argkth", k=k)


def medians(op):
    yield from ordered(op)
    yield from (Case(op, draw((3, 4), F64), keepdim=True, **d) for d in DIM[:4])
    yield from integers(op)


CASES = {
    "argsort": argsorts, "argtop": argtops, "argkth": kths, "longest_run": lambda: (c for c in ordered("longest_run", DIM[:3]) if c.inputs[0].dim() and 0 not in c.inputs[0].shape),
    "median": lambda: medians("median"), "quantile": lambda: quantiles("quantile"), "searchsorted bucketize": searches, "histc": histograms,
    "bincount": bincounts, "unique_consecutive": consecutive,
}

KNOWN = [("histc", r"value: (?!.*(min=-1|max=2))", "over the range of the elements torch may lose the largest to the rounding of its edge"),
         ("histc", r"value: .*nan", "NaN is not counted; torch counts it anywhere")]
