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


def moments(op):
    yield from reduced(op, special=False)
    for c in (0, 1, 2, 3, 7, -1):
        for shape, d in [((3, 4), {}), ((3, 4), {"dim": (0,)}), ((2, 3, 4), {"dim": (0, 2), "keepdim": True}), ((1,), {}), ((2,), {}), ((3,), {})]:
            yield Case(op, draw(shape, F64, "normal"), correction=c, **d)
    for shape in ((3, 4), (1,), ()):
        yield Case(op, draw(shape, F64, "normal"), unbiased=False)
    for dtype, far in ((F64, 1e8), (F64, -1e6), (F32, 1e4)):
        for shape, d in [((1000,), {}), ((100, 7), {"dim": (0,)}), ((7, 100), {"dim": (1,)}), ((90, 130), {"dim": (0,)})]:
            yield Case(op, draw(shape, dtype, "normal") + far, **d)
    yield Case(op, torch.full((5,), 0.1, dtype=F64))


def moment(name):
    """In f64, about the mean: torch's own is less exact."""
    f = torch.var if name.startswith("var") else torch.std

    def twin(x, dim=(), keepdim=False, correction=1, unbiased=True):
        if not x.is_floating_point():
            raise TypeError("floats")
        dims, wide = tuple(dim) or tuple(range(x.dim())), x.double()
        far = wide.detach().mean()
        y = f(wide - far if far.isfinite() else wide, dims, correction=correction if unbiased else 0, keepdim=keepdim).to(x.dtype)
        return (y, torch.mean(x, dims, keepdim)) if name.endswith("mean") else y
    return twin


ORDERS = [2.0, 1.0, 0.0, math.inf, -math.inf, 3.0, 0.5, -1.0, 1.5, -2.5, 4.0]


def norms(op, name):
    yield from reduced(op, special=False)
    for p, (shape, d) in itertools.product(ORDERS, [((5,), {}), ((3, 4), {"dim": (0,)}), ((2, 3, 4), {"dim": (0, 2), "keepdim": True}), ((2, 0, 3), {"dim": (1,)}),
                                                     ((2, 0, 3), {"dim": (0,)}), ((0,), {}), ((), {}), ((1,), {}), ((40,), {}), ((2, 3, 4), {})]):
        for dtype in (F64, F64, F32, random.choice(DTYPES[2:])):
            yield Case(op, draw(shape, dtype, random.choice(["normal", "ties"])), **{name: p}, **d)
    for p, v in itertools.product(ORDERS, [[0.0, 0.0], [0.0, 2.0], [math.inf, 1.0], [math.nan, 1.0], [-3.0, 4.0], [math.inf, math.nan], [1e-3, 1e3]]):
        yield from (Case(op, torch.tensor(v, dtype=dtype), **{name: p}) for dtype in (F64, F32))
    for have, want in itertools.product(DTYPES, DTYPES):
        yield Case(op, draw((3, 4), have, "normal"), dtype=want)
    for v in ([1e200, -1e200], [3e-200, 4e-200], [1e307, 1e307], [1e-300, 2e-300], [1e300, 1e-300]):
        yield from (Case(op, torch.tensor(v, dtype=F64), **{name: p}) for p in ((2.0, 3.0) if v[1] == 1e-300 else (2.0, 3.0, -2.0)))
    yield Case(op, torch.tensor([1e30, -1e30, 1e19], dtype=F32))


def vector_norm(x, dim=(), keepdim=False, ord=2.0, dtype=None):
    """torch's, scaled so that nothing overflows on the way."""
    if not x.is_floating_point() or dtype and not dtype.is_floating_point:
        raise TypeError("floats")
    x = x.to(dtype or x.dtype)
    dims = tuple(dim) or tuple(range(x.dim()))
    top = x.detach().abs().max() if x.numel() and x.is_floating_point() else torch.tensor(1.0)
    if ord == 0 or not bool(top.isfinite()) or not float(top) or 1e-100 < float(top) < 1e100 and x.dtype == F64:
        return torch.linalg.vector_norm(x, ord, dims, keepdim)
    return (torch.linalg.vector_norm(x.double() / float(top), ord, dims, keepdim) * float(top)).to(x.dtype)


TWIN = {
    "sum": several(torch.sum), "mean": several(torch.mean), "amax": several(torch.amax), "amin": several(torch.amin),
    "logsumexp": several(torch.logsumexp, every=True),
    "count_nonzero": count_nonzero, "count_true": count_nonzero, "all": one_by_one(torch.all), "any": one_by_one(torch.any),
    "aminmax": aminmax, "argmax": arg(torch.argmax), "argmin": arg(torch.argmin), "max": chosen("max"), "min": chosen("min"),
    **{op: moment(op) for op in "var std var_mean std_mean".split()},
    "linalg_vector_norm": vector_norm, "norm": lambda x, p=2.0, **rest: vector_norm(x, ord=p, **rest),
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
    **{op: lambda op=op: moments(op) for op in "var std var_mean std_mean".split()},
    "linalg_vector_norm": lambda: norms("linalg_vector_norm", "ord"), "norm": lambda: norms("norm", "p"),
    "first_equal": first_equals, "count_true": counts_true,
}

KNOWN = [
    ("(log_)?softmax", "dtype is f32, torch has (i|u8|bool)", "torch, without a kernel for integers, hands an empty tensor back"),
    ("sum|mean|softmax|log_softmax|norm|linalg_vector_norm", r"(gradient|second) .*\| \w+\(f64.* dtype=f32", "computed in f32, as asked"),
    ("var|var_mean", r"gradient .*(nan|inf), torch has -?(nan|inf)", "when correction leaves no elements the gradient is 0/0, or what rounding makes of it"),
    ("std|std_mean|norm|linalg_vector_norm", "second of .*0.0, torch has nan", "where the root has no derivative the second is 0 too"),
    ("sum", r"\| sum\(f(32|64).* dtype=u8", "a negative float as u8 is 0, as of the op `to`"),
    ("max|min|argmax|argmin|aminmax|amax|amin", "accepted .*(not implemented for|only supports)", "torch has no kernel for bool"),
]
