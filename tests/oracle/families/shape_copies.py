"""shape_copies.py - copies against PyTorch: joins, padding, rolls, tiles, triangles, grids, pixels, element types."""
import itertools
import math
import random

import torch
import torch.nn.functional as F

from binding import BOOL, DTYPES, F32, F64, I32, I64, U8
from cases import Case, draw, shaped

SOME = [(), (1,), (5,), (3, 4), (2, 3, 4), (1, 4, 1), (0,), (2, 0, 3), (1, 2, 1, 2, 1, 2, 1, 2), (2, 3, 4, 5)]
DIM = [0, 1, -1, -2, 2, 3, -4]


def each(op, shapes, tries, dtypes=None):
    """Every shape with every set of attributes, f64 mostly; of very many a choice."""
    every = [(s, t, d) for s, t in itertools.product(shapes, tries) for d in dtypes or (F64, random.choice(DTYPES))]
    for shape, given, dtype in random.sample(every, min(len(every), 220)):
        yield Case(op, draw(shape, dtype), **given)


def attrs(**lists):
    return [dict(zip(lists, values)) for values in itertools.product(*lists.values())]


def refused_when(condition, words="not so"):
    if condition:
        raise ValueError(words)


def joins():
    lists = [[(2, 3), (1, 3)], [(2, 1), (2, 2), (2, 3)], [(2, 0), (2, 2)], [(3,)], [(1,), (1,)], [(2, 3), (0,)], [(0,), (2, 3)], [(), ()], [()], [(2, 3), (2, 3, 1)], [(2, 3), (3,)], [(0,), (0,)],
             [(2, 2, 3)] * 9, [(3,), (3,)], [(2, 3, 4), (2, 3, 4)], [(), (3,)], [(3,), (1, 3)], [(3, 2), (3,)], [(2, 3, 1), (2, 3)], [(0, 3), (0, 3)]]
    for op, given in [("cat", [{}, *attrs(dim=[0, 1, -1, -2, 2])]), ("stack", [{}, *attrs(dim=[0, 1, -1, -2, 2, 4, -5])]),
                      *((op, [{}]) for op in ("hstack", "vstack", "dstack", "column_stack", "block_diag"))]:
        for shapes, a in itertools.product(lists, given):
            for _ in range(1 if len(given) > 1 else 4):
                yield from shaped(op, *shapes, **a)
        if op != "block_diag":
            yield Case(op)


def pads():
    few = [(), (3,), (0,), (2, 3), (1, 4), (2, 3, 4), (0, 3, 4), (2, 0, 3), (2, 2, 3, 4), (1, 2, 3, 2, 3), (2, 3, 0)]
    lists = [(), (1, 2), (0, 0), (2, 0), (-1, 1), (1, -1), (-1, -1), (-2, -2), (3, 3), (4, 4), (1,), (1, 1, 2, 0), (-1, 2, 0, 1), (0, 0, 1, 1), (1, 1, 1, 1, 1, 1), (0, 1, 2, 0, 1, 1), (1, 0, 0, 0, 0, 0, 2, 1)]
    yield from each("pad", few, [*attrs(pad=lists), *attrs(pad=lists[:12], value=[2.5, -1.0, math.inf, math.nan])])
    yield from each("pad", few, attrs(pad=lists, mode=["reflect", "replicate", "circular"]), (F64, F64, F32))
    yield from each("pad", few, attrs(pad=[(1, 2)], mode=["reflect", "circular"], value=[1.0]), (F64,))


def flips():
    yield from each("flip", SOME, attrs(dims=[(), (0,), (-1,), (0, 1), (1, 0, 2), (0, 0), (0, -1), (3,), (-4,)]))
    for op in ("fliplr", "flipud"):
        yield from each(op, SOME, [{}], [F64, *DTYPES])
    yield from each("rot90", SOME, [{}, *attrs(k=[0, 1, 2, 3, -1, 5, -6]), *attrs(k=[1, 2, 3], dims=[(0, 1), (1, 0), (0, -1), (1, 2), (0, 0), (0, 1, 2), (0, 5), (1,)])])
    yield from each("roll", SOME, [*attrs(shifts=[(0,), (1,), (-2,), (100,)]), *attrs(shifts=[(1,), (-1,), (7,)], dims=[(0,), (1,), (-1,), (4,)]),
                                   *attrs(shifts=[(1, 2), (0, -1)], dims=[(0, 1), (-1, 0), (0, 0)]), *attrs(shifts=[(1, 2), ()], dims=[(), (0,)])])
    times = [(), (1,), (2,), (0,), (2, 3), (1, 2), (2, 1, 3), (0, 2), (-1,), (3, 1, 1, 2), (2, 1, 1, 2, 1, 1, 1, 1)]
    yield from each("repeat", SOME, attrs(repeats=times))
    yield from each("tile", SOME, attrs(dims=times))
    yield from each("repeat_interleave", SOME, [*attrs(repeats=[0, 1, 2, 5, -2]), *attrs(repeats=[0, 1, 3], dim=DIM)])
    for shape, counts, dim in [((3,), [1, 0, 2], None), ((3,), [2], None), ((2, 3), [1, 2], 0), ((2, 3), [0, 3, 1], 1), ((2, 3), [0, 3, 1], -1), ((2, 3), [1, 2, 3, 0, 0, 1], None), ((2, 3), [1, 2, 3], 0),
                               ((2, 3), [1, -1], 0), ((), [3], None), ((), [3], 0), ((0,), [], None), ((0, 2), [], 0), ((2, 3), [[1, 2]], 0), ((2, 3), 3, 0), ((2, 3), [2], 1), ((3,), [0, 0, 0], 0), ((2, 3), [1, 2], 4)]:
        for dtype, kind in itertools.product((F64, F64, F32, I64), (I64, I32, U8, F32)):
            yield Case("repeat_interleave", draw(shape, dtype), torch.tensor(counts, dtype=kind), **({} if dim is None else {"dim": dim}))


def triangles():
    for op in ("tril", "triu"):
        yield from each(op, SOME + [(4, 3), (5, 5)], [{}, *attrs(diagonal=[1, -1, 2, -3, 99, -99])])
        for dtype, shape, k in itertools.product(DTYPES, [(3, 4), (2, 4, 3), (2, 0), (5,)], [0, 1, -1]):
            yield Case(op, draw(shape, dtype), diagonal=k, in_place=True)
    yield from each("diag", SOME, [{}, *attrs(diagonal=[1, -1, 3, -2, 9])])
    yield from each("diag_embed", SOME[:8] + SOME[9:], [{}, *attrs(offset=[1, -2]), *attrs(offset=[0, 1], dim1=[0, -1, 2], dim2=[1, -2, 0, 9])])
    yield from each("diagflat", SOME, [{}, *attrs(offset=[1, -2])])


def grids():
    lists = [[(2,), (3,)], [(2,), (3,), (4,)], [(3,)], [()], [(), (2,)], [(0,), (2,)], [(2, 1), (2,)], [(1,), (1,), (1,)], [(2,)] * 5]
    for shapes in lists:
        for _ in range(3):
            for given in ({}, {"indexing": "xy"}, {"indexing": "ij"}):
                yield from shaped("meshgrid", *shapes, **given)
            yield from shaped("cartesian_prod", *shapes)
    yield from each("combinations", [(4,), (1,), (0,), (2, 2), (), (6,)], [{}, *attrs(r=[0, 1, 2, 3, 4, 5, -1]), *attrs(r=[0, 1, 2, 3], with_replacement=[True, False])])
    images = [(4, 2, 3), (2, 8, 1, 2), (9, 3, 3), (4, 4), (2, 2, 4, 2, 4), (0, 4, 2, 2), (1, 18, 2, 1), (3,), (4, 0, 2), (2, 4, 6, 6)]
    yield from each("pixel_shuffle", images, attrs(upscale_factor=[1, 2, 3, 0, -1]))
    yield from each("pixel_unshuffle", images, attrs(downscale_factor=[1, 2, 3, 0, -1]))
    yield from each("channel_shuffle", images, attrs(groups=[1, 2, 3, 4, 0, -1]))


def types():
    for shape, dtype in itertools.product(SOME, DTYPES):
        yield from (Case("to", draw(shape, dtype), dtype=d) for d in DTYPES)
        yield from (Case("type_as", draw(shape, dtype), draw((2,), d)) for d in DTYPES)
    for v in ([2.7, -2.7, 0.5, -0.5, 255.0, 0.0, -0.0], [1e10, -1e10, 300.0, -1.0], [math.nan, math.inf, -math.inf]):
        yield from (Case("to", torch.tensor(v, dtype=s), dtype=d) for s in (F32, F64) for d in DTYPES)


def pad_twin(x, pad, mode="constant", value=None):
    return F.pad(x, pad, mode, value)


def block_diag_twin(*x):  # the gradient of 1.13 is wrong beside an empty vector
    dtype = torch.block_diag(*x).dtype
    x, before = [torch.atleast_2d(t) for t in x], 0
    width, rows = sum(t.shape[1] for t in x), []
    for t in x:
        rows.append(F.pad(t.to(dtype), (before, width - before - t.shape[1])))
        before += t.shape[1]
    return torch.cat(rows)


def interleave_twin(x, counts=None, repeats=-1, dim=None):
    if counts is not None:
        refused_when(counts.dim() > 1)
    return torch.repeat_interleave(x, repeats if counts is None else counts, dim)


CASES = {
    "cat stack hstack vstack dstack column_stack block_diag": joins, "pad": pads, "flip fliplr flipud rot90 roll repeat tile repeat_interleave": flips,
    "tril triu diag diag_embed diagflat": triangles, "meshgrid cartesian_prod combinations pixel_shuffle pixel_unshuffle channel_shuffle": grids, "to type_as": types,
}
TWIN = {name: getattr(torch, name) for name in
        "flip fliplr flipud rot90 tril triu diag diag_embed diagflat cartesian_prod combinations pixel_shuffle pixel_unshuffle channel_shuffle tile".split()}
TWIN.update(
    cat=lambda *x, dim=0: torch.cat(x, dim), stack=lambda *x, dim=0: torch.stack(x, dim),
    **{op: lambda *x, f=getattr(torch, op): f(x) for op in ("hstack", "vstack", "dstack", "column_stack")},
    block_diag=block_diag_twin, pad=pad_twin, roll=lambda x, shifts, dims=(): torch.roll(x, tuple(shifts), tuple(dims)), repeat=lambda x, repeats: x.repeat(repeats),
    repeat_interleave=interleave_twin, meshgrid=lambda *x, indexing="ij": torch.meshgrid(*x, indexing=indexing),
    to=lambda x, dtype: x.to(dtype), type_as=lambda x, o: x.type_as(o),
)
KNOWN = [
    ("cat", r"dim is -?\d+, but the input has 1 dims", "only empty 1-d tensors, and a dim they lack"),
    ("block_diag", "dtype is", "a 0-d tensor counts as much as the others for the common type"),
    ("repeat|tile", r"cannot be repeated -\d+ times", "a negative number is refused where there is nothing to repeat, too"),
    ("repeat_interleave", r"refused: .*(repeats|count \d+) is -\d", "a negative number is refused where there is nothing to repeat, too"),
    ("diag", "integer multiplication overflow", "a diagonal outside the matrix is empty; torch gives it a negative size"),
    ("pixel_unshuffle", r"shape is \[.*torch has", "torch hands an empty input back as it is"),
    ("to|type_as", r"\| (to|type_as)\(f(32|64)", "a float outside the integer type becomes its limit, NaN 0"),
]
