"""index.py - ops that choose and write elements by index or mask."""
import itertools
import math
import random

import torch
import torch.nn.functional as F

from binding import BOOL, DTYPES, F32, F64, I32, I64, U8
from cases import Case, draw, index

FLOATS = (F64, F64, F32)


def kinds():
    """dtypes of an input and of an index"""
    yield from ((F64, I64), (F64, I64), (F32, I64), (I64, I64), (random.choice(DTYPES), I64), (F64, I32), (F64, U8), (F64, random.choice([F32, BOOL])))


def pointers(n, below, dtype):
    return draw(n, BOOL) if dtype == BOOL else index(n, min(below, 255) if dtype == U8 else below, dtype)


FIELDS = [((4, 3), (4, 3), 0), ((4, 3), (2, 3), 0), ((4, 3), (6, 2), 0), ((4, 3), (4, 1), 1), ((4, 3), (3, 5), -1), ((2, 3, 4), (2, 2, 4), 1), ((2, 3, 4), (1, 5, 3), -2),
          ((2, 3, 4), (2, 3, 2), 2), ((2, 3, 4), (4, 3, 4), 0), ((2, 3, 2, 3), (2, 4, 1, 3), 1), ((5,), (7,), 0), ((5,), (), 0), ((), (3,), 0), ((), (), -1), ((), (1,), 0),
          ((4, 3), (0, 3), 0), ((4, 3), (4, 0), 1), ((0, 3), (0, 3), 0), ((0, 3), (2, 3), 0), ((3, 0), (3, 0), 0), ((4, 3), (5, 3), 1), ((4, 3), (4,), 0), ((4, 3), (4, 3, 1), 0), ((4, 3), (4, 3), 2),
          ((4, 3), (4, 3), -3), ((4, 3), (0,), 0), ((40, 33), (60, 30), 0), ((7, 65), (7, 65), 1)]


def gathers():
    for (x, i, dim), (dtype, kind) in itertools.product(FIELDS, kinds()):
        rows = x[dim] if x and -len(x) <= dim < len(x) else 1
        yield Case("gather", draw(x, dtype), pointers(i, rows, kind), dim=dim)
        yield Case("take_along_dim", draw(x, dtype), pointers(i, rows, kind), dim=dim)
        yield Case("take_along_dim", draw(x, dtype), pointers(i, max(1, math.prod(x)), kind))
    for x, i in [((1, 3), (2, 3)), ((4, 1), (1, 3)), ((4, 3), (2, 1)), ((2, 1, 4), (1, 3, 2)), ((4, 2), (2, 3))]:
        yield from (Case("take_along_dim", draw(x), index(i, x[dim]), dim=dim) for dim in (0, 1, -1))
    for v in ([-1], [4], [0, -4], [9]):
        yield Case("gather", draw((4,)), torch.tensor(v), dim=0)
        yield Case("take_along_dim", draw((4,)), torch.tensor(v))


def sources(i):
    yield from [i, i, tuple(n + 1 for n in i), i + (1,), i[:-1], tuple(max(0, n - 1) for n in i)]


def scatters():
    ops = [("scatter", {}), ("scatter_add", {})] + [("scatter_reduce", {"reduce": r, **s}) for r in ("sum", "prod", "mean", "amax", "amin") for s in ({}, {"include_self": False})]
    for (x, i, dim), (op, attrs) in itertools.product(FIELDS, ops):
        few = op == "scatter_reduce"
        rows = x[dim] if x and -len(x) <= dim < len(x) else 1
        for dtype, kind in random.sample(list(kinds()), 3 if few else 6):
            style = "normal" if random.random() < 0.7 else None
            at = pointers(i, rows, kind)
            yield Case(op, draw(x, dtype, style), at, draw(i, dtype, style), dim=dim, in_place=random.random() < 0.3, **attrs)
        for s in random.sample(list(sources(i)), 2) if few else sources(i):
            yield Case(op, draw(x, style="normal"), index(i, rows), draw(s, style="normal"), dim=dim, **attrs)
        yield Case(op, draw(x), index(i, rows), draw(i, F32), dim=dim, **attrs)
        if op == "scatter":
            for dtype, value in itertools.product((F64, F32, I64, U8, BOOL), (0.7, 2, -3)):
                yield Case(op, draw(x, dtype), index(i, rows), dim=dim, value=value, in_place=random.random() < 0.3)
    for (op, attrs), v in itertools.product(ops, ([-1], [4])):
        yield Case(op, draw((4,)), torch.tensor(v), draw((1,)), dim=0, **attrs)
    for zeros in ([0.0, 0, 2, 3, 1.5], [0.0, 0, 0, 3, 0], [1.0, 0, 2, 0, -1]):
        for own, self in itertools.product((0.0, 1.7), (True, False)):
            yield Case("scatter_reduce", torch.tensor([own, 2.0, own], dtype=F64), torch.tensor([0, 0, 0, 1, 2]), torch.tensor(zeros, dtype=F64), dim=0, reduce="prod", include_self=self)
    for values in itertools.permutations([math.inf, -math.inf, math.nan, 1.0], 3):
        for reduce in ("sum", "prod", "mean", "amax", "amin"):
            yield Case("scatter_reduce", torch.tensor(values, dtype=F64), torch.tensor([0, 0, 2]), torch.tensor(values[::-1], dtype=F64), dim=0, reduce=reduce)


ROWS = [((4, 3), 5, 4, 0), ((3, 4, 2), 3, 4, 1), ((3, 4), 0, 4, -1), ((5,), 2, 5, 0), ((5,), 2, 9, 0), ((4, 3), 2, 4, 2), ((4, 3), 2, 4, -3), ((0, 3), 0, 1, 0), ((2, 0), 2, 2, 0),
        ((0,), 2, 1, 0), ((), 1, 1, 0), ((), (), 1, 0), ((), 1, 1, -1), ((5,), (), 5, 0), ((40, 33), 60, 40, 0), ((4, 3), (), 4, 0), ((4, 3), (2, 2), 3, 0)]


def rows():
    for (x, n, below, dim), (dtype, kind) in itertools.product(ROWS, list(kinds()) * 2):
        i = pointers(n if isinstance(n, tuple) else (n,), below, kind)
        place = {"in_place": random.random() < 0.3}
        yield Case("index_select", draw(x, dtype), i, dim=dim)
        s = list(x)
        if -len(s) <= dim < len(s):
            s[dim] = i.numel()
        elif not s and i.dim():
            s = [i.numel()]
        yield Case("index_add", draw(x, dtype), i, draw(s, dtype), dim=dim, **place)
        yield Case("index_add", draw(x, dtype), i, draw(s, dtype), dim=dim, alpha=random.choice([2, -1, 0] + [0.5] * dtype.is_floating_point))
        yield Case("index_copy", draw(x, dtype), i, draw(s, dtype), dim=dim, **place)
        yield Case("index_fill", draw(x, dtype), i, dim=dim, value=random.choice([0.7, 2, 0, 3]), **place)
        yield Case("index_fill", draw(x, dtype), i, draw((), dtype), dim=dim, **place)
    for op, s in itertools.product(["index_add", "index_copy"], [(2, 2), (1, 3), (2,), (2, 3, 1), ()]):
        yield Case(op, draw((4, 3)), index(2, 4), draw(s))
    for op in ("index_add", "index_copy"):
        yield Case(op, draw((4, 3)), index(2, 4), draw((2, 3), F32))
        for (i, s), x in itertools.product(itertools.product([(), (1,), (2,), (0,)], [(), (1,), (2,), (0,), (1, 1)]), [(), (4,)]):
            yield Case(op, draw(x), torch.zeros(i, dtype=I64), draw(s))
    for v in ([-1], [4], [0, -4], [-5]):
        yield Case("index_select", draw((4,)), torch.tensor(v))
        yield Case("index_fill", draw((4,)), torch.tensor(v), value=2.0)
        for op in ("index_add", "index_copy"):
            yield Case(op, draw((4,)), torch.tensor(v), draw((len(v),)))
    yield Case("index_fill", draw((4,)), index(2, 4), draw((1,)))


def choices():
    """Inputs and the indices for their leading dims."""
    def signed(shape, n):
        return torch.randint(-n, n, shape) if n else torch.zeros(shape, dtype=I64)

    for x, shapes in [((4, 3), [(5,)]), ((4, 3), [(2, 2)]), ((4, 3), [(5,), (5,)]), ((4, 3), [(2, 1), (3,)]), ((4, 3), [(), (2,)]), ((2, 3, 4), [(2,), (3, 1), (3, 2)]), ((2, 3, 4), [(3,), ()]),
                      ((5,), [()]), ((5,), [(0,)]), ((4, 0), [(2,)]), ((0, 3), [(0,)]), ((0, 3), [(2,)]), ((4, 3), [(2,), (3,)]), ((4,), [(2,), (2,)]), ((), [(1,)]), ((20, 17), [(50,)])]:
        yield x, [signed(s, n) for s, n in zip(shapes, list(x) + [1, 1])]
    for x, shape in [((4, 3), (4,)), ((4, 3), (4, 3)), ((2, 3, 4), (2, 3)), ((4, 3), (3,)), ((4,), (4, 1)), ((0, 3), (0,)), ((4, 3), (4, 3, 1))]:
        for kind in (BOOL, BOOL, U8):
            yield x, [draw(shape, BOOL).to(kind)]
        yield x, [torch.zeros(shape, dtype=BOOL)]
    yield (4, 3), [torch.tensor([True, False, True, False]), torch.tensor([0, 2])]
    yield (4, 3), [torch.tensor([1, 0, -1]), torch.tensor([True, True, True])]
    yield (4, 3), [torch.tensor([1, 0, -1]), torch.tensor([True, False, True])]
    yield (2, 3, 4), [torch.tensor([-1]), draw((3, 4), BOOL)]
    yield (4, 3), [torch.tensor([4])]
    yield (4, 3), [torch.tensor([-5])]
    yield (4, 3), [torch.tensor([1.0])]
    yield (4, 3), [torch.tensor([1], dtype=I32)]


def advanced():
    for (x, at), dtype in itertools.product(list(choices()), (F64, F64, F32, random.choice([I64, BOOL]))):
        yield Case("index", draw(x, dtype), *at)
        try:
            shape = list(torch.zeros(x)[tuple(at)].shape)
        except Exception:
            shape = [2]
        for accumulate in (False, True):
            for s in (shape, shape, *random.sample([shape[1:], [], [1] + shape, [2] + shape, [1 for _ in shape]], 3)):
                yield Case("index_put", draw(x, dtype), draw(s, dtype), *at, accumulate=accumulate, in_place=random.random() < 0.3)
    yield Case("index_put", draw((4,)), draw((2,), F32), index(2, 4))
    for (x, i, below), (dtype, kind) in itertools.product([((3, 4), (5,), 12), ((3, 4), (2, 2), 12), ((4,), (), 4), ((), (2,), 1), ((3, 4), (0,), 1), ((0,), (0,), 1), ((0,), (1,), 1), ((3, 4), (2,), 30)], kinds()):
        at = pointers(i, below, kind)
        if kind == I64 and random.random() < 0.5:
            at = at - below * (torch.rand(i) < 0.5).long()
        yield Case("take", draw(x, dtype), at)
        for accumulate, s in itertools.product((False, True), (i, (math.prod(i),), (math.prod(i) + 1,))):
            yield Case("put", draw(x, dtype), at, draw(s, dtype), accumulate=accumulate, in_place=random.random() < 0.3)


PAIRS = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((), (3,)), ((3,), ()), ((), ()), ((2, 3, 4), (3, 1)), ((0, 3), (1, 3)), ((3,), (2, 3)), ((2, 3), (3, 2)), ((40,), (40,)), ((5, 0), (1,))]


def true_count(x, m):
    try:
        return int(m.bool().expand(torch.broadcast_shapes(x, m.shape)).sum())
    except RuntimeError:
        return 1


def masks():
    for (x, m), dtype in itertools.product(PAIRS, DTYPES + [F64, F64]):
        mask = draw(m, BOOL).to(random.choice([BOOL, BOOL, BOOL, U8, I64]))
        place = {"in_place": random.random() < 0.3}
        yield Case("masked_select", draw(x, dtype), mask)
        n = true_count(x, mask)
        for s in ((n,), (n + 3,), (max(0, n - 1),), (2, n)):
            yield Case("masked_scatter", draw(x, dtype), mask.clone(), draw(s, dtype), plain=True, **place)
        for value in (0.7, 2, -3):
            yield Case("masked_fill", draw(x, dtype), mask.clone(), value=value, **place)
        yield Case("masked_fill", draw(x, dtype), mask.clone(), draw((), dtype), **place)
        yield Case("masked_fill", draw(x, dtype), mask.clone(), draw((), random.choice(DTYPES), "normal"), **place)
        yield Case("masked_fill", draw(x, dtype), mask.clone(), draw((1,), dtype))
    yield Case("masked_scatter", draw((3,)), draw((3,), BOOL), draw((3,), F32))
    for shape, dtype in itertools.product([(), (1,), (5,), (3, 4), (2, 3, 4), (0,), (2, 0), (70,), (1, 2, 1, 2, 1, 2, 1, 2)], DTYPES):
        for x in (draw(shape, dtype), torch.zeros(shape, dtype=dtype), draw(shape, BOOL).to(dtype)):
            yield from (Case(op, x.clone()) for op in ("nonzero", "argwhere", "where_indices"))
    yield Case("nonzero", torch.tensor([math.nan, 0.0, -0.0, math.inf]))


def tables():
    for (i, w, below), attrs in itertools.product(
            [((3,), (4, 2), 4), ((2, 3), (5, 3), 5), ((), (2, 3), 2), ((0,), (2, 3), 2), ((0,), (0, 3), 1), ((3,), (2, 3), 9), ((2,), (3,), 3), ((2,), (2, 2, 2), 2), ((2, 2), (4, 0), 4), ((60,), (7, 33), 7)],
            [{}, {"padding_idx": 0}, {"padding_idx": -1}, {"padding_idx": 9}, {"padding_idx": -9}, {"scale_grad_by_freq": True}, {"padding_idx": 1, "scale_grad_by_freq": True}]):
        for dtype, kind in itertools.product([F64, F64, F32, I64], [I64, I64, I32, U8, F32]):
            yield Case("embedding", index(i, below, kind), draw(w, dtype), **attrs)
    yield Case("embedding", torch.tensor([-1]), draw((3, 2)))


def bags():
    for (w, attrs, pad), dtype in itertools.product(itertools.product([(5, 3), (1, 4), (7, 33)], [{}, {"mode": "mean"}, {"mode": "sum"}, {"mode": "max"}], [{}, random.choice([{"padding_idx": 0}, {"padding_idx": -1}])]), (F64, F32)):
        attrs = {**attrs, **pad}
        for shape in ((2, 3), (4, 1), (0, 3), (1, 7), (2, 0), (2, 2, 2), ()):
            yield Case("embedding_bag", index(shape, w[0]), draw(w, dtype, "normal"), **attrs)
            yield Case("embedding_bag", index(shape, w[0], I32), draw(w, dtype, "normal"), None, draw(shape, dtype), **attrs)
        for n, offsets in ((6, [0, 2, 3]), (6, [0, 0, 6]), (3, [0]), (0, [0]), (4, [0, 4, 4]), (4, [1, 2]), (4, [0, 3, 9]), (5, [0, 2, 5]), (4, [0, 3, 2])):
            for last in ({}, {"include_last_offset": True}):
                offset = torch.tensor(offsets)
                if random.random() < 0.5:
                    yield Case("embedding_bag", index(n, w[0]), draw(w, dtype, "normal"), offset, plain=True, **attrs, **last)
                yield Case("embedding_bag", index(n, w[0]), draw(w, dtype, "normal"), offset, draw((n,), dtype), plain=True, **attrs, **last)
    yield Case("embedding_bag", index((2, 3), 4), draw((4, 2)), torch.tensor([0, 1]))
    yield Case("embedding_bag", index(3, 4), draw((4, 2)), torch.tensor([[0, 1]]))
    yield Case("embedding_bag", index((2, 3), 4), draw((4, 2)), None, draw((2, 2)), mode="sum")
    yield Case("embedding_bag", index((2, 3), 4), draw((4, 2)), None, draw((2, 3), F32), mode="sum")


def one_hots():
    for shape, n in itertools.product([(4,), (2, 3), (), (0,), (0, 2)], [None, -1, 0, 1, 4, 9, -2]):
        for kind in (I64, I64, I32, U8, F32):
            yield Case("one_hot", index(shape, 4, kind), **({} if n is None else {"num_classes": n}))
    yield Case("one_hot", torch.tensor([-1, 2]))


def parts():
    """Internal ops, with what those that they serve give them."""
    for (x, i, dim), dtype in itertools.product(FIELDS[:13], (F64, F64, F32, I64)):
        at, rows = index(i, x[dim] if x else 1), (draw(i, dtype), draw((), dtype))
        yield from (Case(op, draw(x, dtype), at, src, dim=dim) for op in ("scatter_set", "scatter_sum") for src in rows)
        yield from (Case("scatter_fold", draw(x, dtype), at, draw(i, dtype), dim=dim, reduce=how) for how in ("prod", "amax", "amin"))
    for x, n, dim in [((4, 3), 5, 0), ((3, 4, 2), 3, 1), ((5,), 0, 0), ((4, 2), 1, -1)]:
        shape = [*x]
        shape[dim] = n
        yield from (Case("index_set", draw(x), index(n, x[dim]), draw(s), dim=dim) for s in (shape, ()))
    for size, shape in [((4,), (3,)), ((4, 5), (2, 3)), ((2, 2, 3), ()), ((2,), (0,))]:
        yield Case("flat_index", *(torch.randint(-n, n, shape) for n in size), size=list(size))
    yield Case("flat_index", torch.tensor([2]), size=[2])
    for shape in ((4,), (2, 3), (), (0, 2)):
        x = draw(shape, BOOL)
        yield Case("nonzero_sized", x, plain=True, count=int(x.sum()))
    for offsets, n in (([0, 2, 2, 5], 7), ([0], 0), ([0, 0], 3)):
        yield Case("bag_of", torch.tensor(offsets), plain=True, count=n)


CASES = {"scatter_set scatter_sum scatter_fold index_set flat_index nonzero_sized bag_of": parts, "gather take_along_dim": gathers, "scatter scatter_add scatter_reduce": scatters, "index_select index_add index_copy index_fill": rows, "index index_put take put": advanced,
         "masked_fill masked_select masked_scatter nonzero argwhere where_indices": masks, "embedding": tables, "embedding_bag": bags, "one_hot": one_hots}


# ---- the twins. Where several sources are written to one place, torch sends the gradient to all of them; the last alone has one. ----

def last_alone(write, src, shape):
    """src, of which those elements that are written over are constants; write(zeros, numbers) writes as the op does"""
    if not src.requires_grad or not src.numel():
        return src
    number = torch.arange(1, src.numel() + 1).reshape(src.shape)
    left = write(torch.zeros(shape, dtype=I64), number).flatten()
    keep = torch.zeros(src.numel() + 1, dtype=BOOL).index_fill(0, left, True)[1:].reshape(src.shape)
    return torch.where(keep, src, src.detach())


def scatter(x, i, src=None, dim=0, value=0.0):
    if src is None:
        return torch.scatter(x, dim, i, value)
    torch.scatter(x, dim, i, src)
    return torch.scatter(x, dim, i, last_alone(lambda z, n: torch.scatter(z, dim, i, n), src, x.shape))


def index_add(x, i, s, dim=0, alpha=1):
    y = torch.index_add(x, dim, i, s, alpha=alpha)
    if x.dim() < 2 and x.numel():  # torch has no gradient for some of these
        return torch.index_add(x.reshape(-1), 0, i.reshape(-1), s.reshape(-1), alpha=alpha).reshape(x.shape)
    return y


def index_copy(x, i, s, dim=0):
    y = torch.index_copy(x, dim, i, s)
    if x.dim() < 2 and x.numel() and (x.dim() == 0 or i.dim() == 0 or s.dim() == 0):
        return index_copy(x.reshape(-1), i.reshape(-1), s.reshape(-1)).reshape(x.shape)
    return torch.index_copy(x, dim, i, last_alone(lambda z, n: torch.index_copy(z, dim, i, n), s, x.shape))


def index_fill(x, i, v=None, dim=0, value=0.0):
    if v is None:
        return torch.index_fill(x, dim, i, value)
    y = torch.index_fill(x, dim, i, v)
    return torch.where(torch.index_fill(torch.zeros(x.shape, dtype=BOOL), dim, i, True), v, x) if v.requires_grad else y


def index_put(x, v, *i, accumulate=False):
    y = torch.index_put(x, i, v, accumulate)
    if accumulate:
        return y
    wide = v.expand(x[i].shape) if v.dim() <= x[i].dim() else v.reshape(v.shape[v.dim() - x[i].dim():])
    return torch.index_put(x, i, last_alone(lambda z, n: torch.index_put(z, i, n), wide, x.shape))


def put(x, i, s, accumulate=False):
    y = torch.put(x, i, s, accumulate)
    return y if accumulate else torch.put(x, i, last_alone(lambda z, n: torch.put(z, i, n), s, x.shape))


def scatter_reduce(x, i, s, dim, reduce, include_self=True):
    torch.scatter_reduce(x, dim, i, s, reduce, include_self=include_self)
    s = s[tuple(slice(n) for n in i.shape)] if s.dim() == i.dim() else s  # torch gives what the index does not reach a gradient
    y = torch.scatter_reduce(x, dim, i, s, reduce, include_self=include_self)
    if not include_self and i.numel() and x.is_floating_point():  # so that no gradient goes to what is left out
        neutral = {"sum": 0.0, "prod": 1.0, "mean": 0.0, "amax": -math.inf, "amin": math.inf}[reduce]
        if reduce != "mean":
            return torch.scatter_reduce(torch.scatter(x, dim, i, neutral), dim, i, s, reduce)
    return y


def masked_fill(x, m, v=None, value=0.0):
    if m.dtype not in (BOOL, U8):
        raise TypeError("mask")
    if torch.is_tensor(v) and not x.is_floating_point():
        v = v.detach()
    return torch.masked_fill(x, m, value if v is None else v)


def masked_scatter(x, m, s):
    if m.dtype not in (BOOL, U8):
        raise TypeError("mask")
    x, m = torch.broadcast_tensors(x, m)
    return torch.masked_scatter(x, m, s)


def embedding_bag(i, w, offsets=None, s=None, **attrs):
    if offsets is not None and not (offsets.dim() == 1 and [0] == offsets[:1].tolist() and offsets.sort().values.equal(offsets) and offsets[-1] <= i.numel()
                                    and (offsets[-1] == i.numel() or not attrs.get("include_last_offset"))):
        raise ValueError("torch reads outside its memory")
    return F.embedding_bag(i, w, offsets, per_sample_weights=s, **attrs)


TWIN = dict(
    gather=lambda x, i, dim: torch.gather(x, dim, i), take_along_dim=lambda x, i, dim=None: torch.take_along_dim(x, i, dim), scatter=scatter,
    scatter_add=lambda x, i, s, dim: torch.scatter_add(x, dim, i, s), scatter_reduce=scatter_reduce,
    index_select=lambda x, i, dim=0: torch.index_select(x, dim, i), index_add=index_add,
    index_copy=index_copy, index_fill=index_fill, index=lambda x, *i: x[i], index_put=index_put, take=torch.take, put=put, masked_fill=masked_fill,
    masked_select=torch.masked_select, masked_scatter=masked_scatter,
    nonzero=torch.nonzero, argwhere=torch.argwhere, where_indices=lambda c: torch.nonzero(c, as_tuple=True), embedding=F.embedding, embedding_bag=embedding_bag, one_hot=F.one_hot)


def flat_index(*i, size):
    if any(bool(((k < -n) | (k >= n)).any()) for k, n in zip(i, size)):
        raise IndexError("outside")
    at = torch.zeros((), dtype=I64)
    for k, n in zip(i, size):
        at = at * n + k % n
    return at


TWIN.update(
    scatter_set=lambda x, i, s, dim: scatter(x, i, s if s.dim() else s.expand(i.shape), dim), scatter_sum=lambda x, i, s, dim: torch.scatter_add(x, dim, i, s if s.dim() else s.expand(i.shape)),
    scatter_fold=scatter_reduce, index_set=lambda x, i, s, dim: index_copy(x, i, s if s.dim() else s.expand([i.numel() if d == dim % x.dim() else n for d, n in enumerate(x.shape)]), dim),
    flat_index=flat_index, nonzero_sized=lambda x, count: torch.nonzero(x), bag_of=lambda o, count: torch.bucketize(torch.arange(count), o, right=True) - 1)


def written(to, y):
    if y.shape != to.shape or y.dtype != to.dtype:
        raise RuntimeError("the result does not fit")
    return y


# The oracle calls an in-place form with its inputs and then attributes by name; here torch has them in other orders.
for op in "scatter scatter_add scatter_reduce index_add index_copy index_fill index_put put masked_fill masked_scatter".split():
    setattr(torch.Tensor, op + "_", lambda to, *ts, op=op, **attrs: written(to, TWIN[op](to, *ts, **attrs)))

POINTING = "gather|take_along_dim|scatter.*|index.*|take|put|embedding.*"
KNOWN = [
    ("one_hot", r"accepted (?!.*(\| one_hot\(f|, bool\[)).*one_hot is only", "an index may be of any integer type"),
    ("index_(select|add)", r"accepted (?!.*, bool\[).*Expected dtype int32", "an index may be of any integer type"),
    ("one_hot", "Can not infer", "0 classes are a number of classes"),
    ("index_add", "source has 1 dims", "torch does not compare the ranks"),
    (POINTING, r"accepted .*(Expected dtype int64|should be Long|Expected a long|must be long, byte|scalar types)", "an index may be of any integer type"),
    (POINTING, "holds indices and must be integers.*(\\[0|0\\])", "an empty index is one of integers too"),
    ("scatter_(reduce|fold)", "gradient of input 0: -?(inf|\\d).*torch has nan.*reduce=prod", "the own element's gradient is the product of the others; torch divides by the element"),
    ("embedding", "second .*scale_grad_by_freq=1", "torch leaves the frequency out of its second derivative"),
    ("embedding", "padding_idx is 0, but the weight has 0 entries", "torch does not look at a padding_idx of 0"),
    ("embedding_bag", "gradient of input 0.*mode=max", "the gradient of a maximum is shared by equals; torch gives it to the first"),
    ("embedding_bag", "step must be nonzero|INTERNAL ASSERT", "torch fails for bags of nothing"),
    ("masked_fill", "accepted .*cannot be converted.*\\[\\]( |=|$|\\))", "a 0-d tensor becomes what `to` makes of it"),
    ("masked_fill", r"gradient of input \d: .*f32\[.*f64\[\]", "summed in f32, the input's type"),
    ("index_select", "input is 0-d: index has 1 element", "torch reads outside its memory, or gives one element for several indices"),
]
