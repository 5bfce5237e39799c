"""reduce_sort.py - rows in order: sort, msort, topk, kthvalue, mode, unique."""
import itertools
import os
import random
import sys

import torch

from binding import DTYPES, F32, F64
from cases import Case, draw

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reduce import DIM, SHAPES, kinds  # noqa: E402
from reduce_order import argtop, integers, kth, longest_run, ordered  # noqa: E402


def stable(x, dim=-1, descending=False):
    return tuple(torch.sort(x, dim=dim, descending=descending, stable=True))


def topk(x, k, dim=-1, largest=True, sorted=True):
    torch.topk(x, k, dim, largest, sorted)  # what it refuses
    if not x.dim():
        return x.reshape(()) * 1 if x.is_floating_point() else x, torch.tensor(0)
    i = argtop(x.movedim(dim, -1), k, largest, sorted).movedim(-1, dim)
    return x.gather(dim, i), i


def mode(x, dim=-1, keepdim=False):
    torch.mode(x, dim, keepdim)  # what it refuses
    if not x.dim():
        return x * 1 if x.is_floating_point() else x, torch.tensor(0)
    v, i = torch.sort(x, stable=True, dim=dim)
    end = longest_run(v, dim, True)
    v, i = v.gather(dim, end), i.gather(dim, end)
    return (v, i) if keepdim else (v.squeeze(dim), i.squeeze(dim))


def sorts():
    yield from ordered("sort")
    yield from ordered("sort", DIM[:3], descending=True)
    yield from integers("sort")
    yield from integers("sort", descending=True)


def tops():
    for shape, k, d in itertools.product(SHAPES, (0, 1, 3, 6, -1), DIM[:5]):
        yield Case("topk", draw(shape, random.choice([F64, F64, *DTYPES])), k=k, **d, **random.choice([{}, {"largest": False}]), **random.choice([{}, {"sorted": False}]))
    for dtype, k in itertools.product(DTYPES, (1, 20, 70)):
        yield Case("topk", draw((3, 70), dtype), k=k)


def kths():
    for k in (1, 2, 5, 0, -1):
        yield from ordered("kthvalue", DIM[:4], k=k)
    yield from (Case("kthvalue", draw((3, 4)), k=2, keepdim=True, **d) for d in DIM[:4])


def modes():
    yield from ordered("mode")
    yield from (Case("mode", draw((3, 4), F64, "ties"), keepdim=True, **d) for d in DIM[:4])


def uniques():
    for shape, dtype in itertools.product([(5,), (3, 4), (), (0,), (1,), (40,), (2, 0)], DTYPES):
        yield from (Case("unique", draw(shape, dtype, style)) for style in ("ties", "normal", "ties"))


TWIN = {"sort": stable, "msort": lambda x: stable(x, 0)[0], "topk": topk, "kthvalue": kth, "mode": mode,
        "argmode": lambda x, dim=-1: mode(x, dim, True)[1],
        "unique": lambda x: torch.unique(x.detach(), return_inverse=True, return_counts=True)}
CASES = {"sort": sorts, "msort": lambda: (c for s in SHAPES for c in kinds("msort", s)), "topk": tops, "kthvalue": kths, "mode": modes,
         "argmode": lambda: ordered("argmode", DIM[:3]), "unique": uniques}
KNOWN = []
