"""create.py - ops that make tensors: constants, ranges, patterns. Random ones are compared by shape and type alone; tests/ops/random_test.c has the rest."""
import itertools
import math

import torch

from binding import BOOL, DTYPES, F32, F64, I32, I64, U8
from cases import Case, draw, index

SIZES = [(), (3,), (2, 3), (0,), (2, 0), (1, 2, 1, 2, 1, 2, 1, 2), (-1,), (2, -3)]


def constants():
    for size in SIZES:
        for op in ("zeros", "ones"):
            yield Case(op, size=list(size))
            yield from (Case(op, size=list(size), dtype=d) for d in DTYPES)
        yield from (Case("full", size=list(size), fill_value=v, dtype=d) for v, d in itertools.product((0, 1, 2.5, 7), DTYPES))
        yield from (Case("full", size=list(size), fill_value=v) for v in (-1.5, math.inf, -math.inf, math.nan))
    for shape, dtype in itertools.product([(), (3,), (2, 3), (0,), (2, 0, 3)], DTYPES):
        for to in ({}, *({"dtype": d} for d in DTYPES)):
            for op in ("zeros_like", "ones_like", "empty_like"):
                yield Case(op, draw(shape, dtype), **to)
            yield Case("full_like", draw(shape, dtype), fill_value=2.0, **to)


def ranges():
    for start, end, step in [(0, 5, 1), (1, 4, 0.5), (3, -2, -2), (0, 0, 1), (0, 1, 0.1), (1, 0, 1), (0, 5, 0), (0, -5, 1), (-3, 7, 3), (0, 5, -1), (2, 300, 1), (0, 1, 0.3), (0, math.inf, 1), (math.nan, 1, 1)]:
        for dtype in DTYPES[:5]:
            if dtype.is_floating_point or all(math.isfinite(v) and v == int(v) for v in (start, end, step)):
                yield Case("arange", start=start, end=end, step=step, dtype=dtype, strict=dtype == F64)
    yield Case("arange", end=4)
    for start, end, steps in [(0, 1, 5), (2, -1, 4), (3, 9, 1), (0, 1, 0), (-3, 12, 6), (1, 1, 3), (0, 1, -1), (-10, 10, 101), (0.1, 0.7, 7), (1e30, -1e30, 5)]:
        for dtype in (F32, F64):
            yield Case("linspace", start=start, end=end, steps=steps, dtype=dtype)
        for dtype in (I32, I64):
            if abs(start) < 1e9 and steps < 100:  # torch's steps of more elements round otherwise than its first
                yield Case("linspace", start=start, end=end, steps=steps, dtype=dtype)
        for base in ({}, {"base": 2}, {"base": 0.5}, {"base": -2}):
            if abs(start) < 20:
                yield from (Case("logspace", start=start, end=end, steps=steps, dtype=d, **base) for d in (F32, F64))
    yield Case("linspace", start=0, end=1, steps=3)
    yield Case("logspace", start=0, end=1, steps=3)


def patterns():
    for n, m in itertools.product((0, 1, 3, 4, -1), (None, 0, 1, 2, 5, -2)):
        for dtype in DTYPES:
            yield Case("eye", n=n, dtype=dtype, **({} if m is None else {"m": m}))
        for k in (0, 1, -1, 3, -4):
            yield Case("tri", n=n, k=k, dtype=F64, **({} if m is None else {"m": m}))
            if m is not None:
                for op, dtype in itertools.product(("tril_indices", "triu_indices"), ({}, {"dtype": I32})):
                    yield Case(op, row=n, col=m, offset=k, **dtype)
    yield Case("eye", n=3)
    yield Case("tri", n=3)


def numbers():
    """Of random ops the twin has the shape and the type; both are compared after what chance decides is taken out (key and sign)."""
    for size, dtype in itertools.product(SIZES, DTYPES):
        yield Case("uniform", size=list(size), low=2, high=2, dtype=dtype)
        yield Case("randint", size=list(size), low=1, high=2, dtype=dtype)
    for low, high in ((1, 0), (3, 3), (0, 1), (-1, 0)):
        yield Case("randint", size=[2], low=low, high=high)
        yield Case("randint", size=[2], low=low, high=high, dtype=U8)
    yield Case("uniform", size=[2], low=2, high=1)
    yield from (Case("randint_i64", size=list(size), low=4, high=5) for size in SIZES)
    yield from (Case("randperm_i64", n=n) for n in (0, 1))
    for n in (0, 1, -1):
        yield Case("randperm", n=n)
    for shape, dtype in itertools.product([(), (3,), (2, 3), (0,)], DTYPES):
        for p in (0, 1, -0.5, 1.5):
            yield Case("bernoulli", draw(shape, dtype), p=p)
        for value in (0, 1, 2):
            yield Case("bernoulli", torch.full(shape, value, dtype=dtype))
    for mean, std in [((3,), (3,)), ((2, 3), (3,)), ((), (2,)), ((2,), (3,)), ((0,), (1,))]:
        for dtype in (F64, F32, I64):
            yield Case("normal", draw(mean, dtype, "normal"), torch.zeros(std, dtype=dtype))
    yield Case("normal", draw((3,)), std=0)
    yield Case("normal", draw((3,)), std=-1)
    yield Case("normal", None, -torch.ones(3))
    for size in SIZES:
        yield Case("normal", mean=2, std=0, size=list(size))
    one = torch.tensor([0.0, 0.0, 2.0, 0.0], dtype=F64)
    for dtype, rows in itertools.product((F64, F32, I64), ((), (3, 1), (2, 2, 1), (0, 1))):
        w = one.to(dtype).repeat(*rows) if rows else one.to(dtype)
        yield Case("multinomial", w, num_samples=1)
        yield Case("multinomial", w, num_samples=5, replacement=True)
        yield Case("multinomial", w, num_samples=5)
        yield Case("multinomial", w, num_samples=0)
    for bad in ([0.0, 0.0], [-1.0, 2.0], [math.nan, 1.0], [math.inf, 1.0]):
        yield Case("multinomial", torch.tensor(bad), num_samples=1)
    yield Case("multinomial", torch.tensor(1.0), num_samples=1)


def chances():
    for size, dtype in itertools.product(SIZES, DTYPES):
        for op in ("rand", "randn", "exponential"):
            yield Case(op, size=list(size), dtype=dtype)
            yield Case(op, size=list(size), dtype=dtype, key=7)
    for op in ("rand", "randn", "exponential"):
        yield Case(op)
        yield Case(op, size=[3])
    for lambd in (2.5, 0, -1):
        yield from (Case("exponential", size=[3], lambd=lambd, dtype=d) for d in (F32, F64))
    for shape, dtype, op in itertools.product([(), (3,), (2, 3), (0,), (2, 0, 3)], DTYPES, ("rand_like", "randn_like")):
        yield Case(op, draw(shape, dtype))
        yield from (Case(op, draw(shape, dtype), dtype=d) for d in DTYPES)


CASES = {"zeros ones full zeros_like ones_like empty_like full_like": constants, "arange linspace logspace": ranges, "eye tri tril_indices triu_indices": patterns,
         "uniform randint randint_i64 randperm randperm_i64 bernoulli normal multinomial": numbers,
         "rand randn exponential rand_like randn_like": chances}
RANDOM = {"rand", "randn", "exponential", "rand_like", "randn_like"}


def linspace(start, end, steps, dtype=F32):
    whole = start == int(start) and end == int(end)  # torch cuts the ends off first
    return torch.linspace(start, end, steps, dtype=dtype if whole else F64).to(dtype)


def tri(n, m=None, k=0, dtype=F32):
    return torch.tril(torch.ones(n, n if m is None else m, dtype=dtype), k)


def uniform(size=(), low=0.0, high=1.0, dtype=F32, key=0):
    return torch.empty(size, dtype=dtype).uniform_(low, high)


def randint(high, size=(), low=0, dtype=I64, key=0):
    return torch.randint(low, high, size, dtype=dtype)


def bernoulli(x, p=None, key=0):
    return torch.bernoulli(x) if p is None else torch.bernoulli(x, p)


def normal(m=None, s=None, mean=0.0, std=1.0, size=(), key=0):
    if m is None and s is None:
        return torch.normal(float(mean), float(std), size)
    return torch.normal(mean if m is None else m, std if s is None else s).detach()


def shape_only(f):
    return lambda *xs, key=0, **attrs: f(*xs, **attrs)


TWIN = dict(
    zeros=lambda size=(), dtype=F32: torch.zeros(size, dtype=dtype), ones=lambda size=(), dtype=F32: torch.ones(size, dtype=dtype),
    full=lambda size=(), fill_value=0, dtype=F32: torch.full(size, fill_value, dtype=dtype),
    zeros_like=torch.zeros_like, ones_like=torch.ones_like, empty_like=torch.zeros_like, full_like=lambda x, fill_value, dtype=None: torch.full_like(x, fill_value, dtype=dtype or x.dtype),
    arange=lambda end, start=0, step=1, dtype=F32: torch.arange(start, end, step, dtype=dtype), linspace=linspace,
    logspace=lambda start, end, steps, base=10.0, dtype=F32: torch.logspace(start, end, steps, base, dtype=F64).to(dtype),
    eye=lambda n, m=None, dtype=F32: torch.eye(n, n if m is None else m, dtype=dtype), tri=tri,
    tril_indices=lambda row, col, offset=0, dtype=I64: torch.tril_indices(row, col, offset, dtype=dtype),
    triu_indices=lambda row, col, offset=0, dtype=I64: torch.triu_indices(row, col, offset, dtype=dtype),
    uniform=uniform, randint=randint, randint_i64=randint, randperm_i64=lambda n, key=0: torch.randperm(n), randperm=lambda n, dtype=I64, key=0: torch.randperm(n, dtype=dtype), bernoulli=bernoulli, normal=normal,
    multinomial=lambda w, num_samples, replacement=False, key=0: torch.multinomial(w, num_samples, replacement),
    rand=shape_only(lambda size=(), dtype=F32: torch.rand(size, dtype=dtype)), randn=shape_only(lambda size=(), dtype=F32: torch.randn(size, dtype=dtype)),
    rand_like=shape_only(torch.rand_like), randn_like=shape_only(torch.randn_like), exponential=shape_only(lambda size=(), lambd=1.0, dtype=F32: torch.empty(size, dtype=dtype).exponential_(lambd)))

KNOWN = [
    ("bernoulli", "needs_grad is True.* p=", "its gradient is 0 with p too"),
    ("exponential", "lambd is 0", "of rate 0 there is no distribution; torch gives infinities"),
]
