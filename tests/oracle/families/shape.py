"""shape.py - views, parts and joins against PyTorch: every dim, negative ones, ones that are not there, empty and 0-d tensors."""
import itertools
import random

import torch
import torch.nn.functional as F

from binding import BOOL, DTYPES, F32, F64, I32, I64, U8
from cases import SHAPES, Case, draw, shaped

SOME = [(), (1,), (5,), (3, 4), (2, 3, 4), (1, 4, 1), (0,), (2, 0, 3), (1, 2, 1, 2, 1, 2, 1, 2), (2, 3, 4, 5)]
DIM = [0, 1, -1, -2, 2, 3, -4]


def each(op, shapes, tries, dtypes=None):
    """Every shape with every set of attributes, f64 mostly; of very many a choice."""
    every = [(s, t, d) for s, t in itertools.product(shapes, tries) for d in dtypes or (F64, random.choice(DTYPES))]
    for shape, given, dtype in random.sample(every, min(len(every), 220)):
        yield Case(op, draw(shape, dtype), **given)


def attrs(**lists):
    """All combinations of these values."""
    return [dict(zip(lists, values)) for values in itertools.product(*lists.values())]


def refused_when(condition, words="not so"):
    if condition:
        raise ValueError(words)


# ---- views in another shape ------------------------------------------------------------------------------------------------

def reshapes():
    to = [(3, 4), (-1,), (4, 3), (-1, 3), (3, 0), (), (2, 1, 2), (-1, -1), (0, -1), (-2,), (1, -1, 1), (2, 6), (2, 3, 2, 2), (6, 4), (2, 12), (8, 3), (5, 1), (1,) * 8]
    yield from each("reshape", SOME + [(2, 6), (4, 6)], attrs(shape=to))
    for dtype in DTYPES:  # a permuted input: some of its shapes are views, some are not
        for order in itertools.permutations(range(3)):
            yield Case("view", draw((2, 3, 4), dtype), shape=[(2, 3, 4)[d] for d in order], plain=True)
    yield from (Case("view", draw(s), shape=t, plain=True) for s in SOME for t in to)
    for a, b in [((2, 6), (3, 4)), ((2, 6), (12,)), ((4,), (2, 3)), ((), (1,)), ((0,), (2, 0)), ((1,), ())]:
        yield from shaped("reshape_as", a, b)
        yield Case("view_as", draw(a), draw(b), plain=True)
    yield from each("flatten", SOME, [{}, *attrs(start_dim=DIM), *attrs(start_dim=DIM, end_dim=DIM)], (F64,))
    for x, dim, sizes in [((2, 6), 1, (3, 2)), ((2, 6), -1, (-1, 2)), ((6, 2), 0, (2, -1)), ((4,), 0, (2, 1, 2)), ((4,), 0, (3, 2)), ((4,), 0, (-1, -1)), ((4,), 0, (-1, 3)),
                          ((4,), 1, (2, 2)), ((0, 3), 0, (0, 3)), ((0, 3), 0, (-1, 3)), ((0, 3), 0, (0, -1)), ((4,), 0, ()), ((), 0, (1,)), ((4,), 0, (-2, -2)), ((2, 3, 4), 2, (2, 2)), ((6,), 0, (6,))]:
        for dtype in (F64, F64, F32, I64, BOOL):
            yield Case("unflatten", draw(x, dtype), dim=dim, sizes=sizes)
    for op in "ravel atleast_1d atleast_2d atleast_3d t mT contiguous clone".split():
        yield from each(op, SOME, [{}], [F64, *DTYPES])
    yield from each("squeeze", SOME, [{}, *attrs(dim=[(d,) for d in DIM] + [(0, 2), (0, 0), (0, -1), (-1, -3)])])
    yield from each("unsqueeze", SOME[:8] + SOME[9:], attrs(dim=DIM + [8, -9]))
    for dtype in (F64, F32, I64, BOOL):
        for shape in [(64, 70), (3, 40, 33), (33, 3, 40), (5, 2, 300), (17, 1, 16, 9)]:
            x = draw(shape, dtype)
            yield from (Case(op, x) for op in ("contiguous", "clone"))


def orders():
    yield from each("transpose", SOME, attrs(dim0=DIM, dim1=DIM), (F64,))
    yield from each("swapdims", SOME, attrs(dim0=[0, 1, -1], dim1=[0, -2, 2]))
    yield from each("swapaxes", SOME, attrs(axis0=[0, 1, -1], axis1=[0, -2, 2]))
    yield from each("permute", SOME, attrs(dims=[(), (0,), (1, 0), (-1, 0), (2, 0, 1), (1, -1, 0), (0, 0), (0, 3, 1), (0, 1), (3, 1, 0, 2), tuple(range(7, -1, -1))]))
    for op in ("movedim", "moveaxis"):
        yield from each(op, SOME, [{"source": a, "destination": b} for a, b in [
            ((0,), (1,)), ((0,), (-1,)), ((1,), (0,)), ((0, 1), (1, 2)), ((0, 1), (-1, 0)), ((0, 0), (1, 2)), ((0, 1), (1, 1)), ((0,), (0, 1)), ((3,), (0,)), ((0,), (5,)), ((-1, -2), (0, 1))]])
    to = [(2, 3), (-1, 4), (3, 4), (0,), (3,), (), (5,), (2, 3, 4), (-1, -1, -1), (2, -1, -1, -1), (7, 3, 4), (-1, 3), (2, 0), (4, 0), (-2,), (2, 3, 4, 5)]
    for op in ("expand", "broadcast_to"):
        yield from each(op, SOME, attrs(size=to))
    for a, b in itertools.product(SOME[:8], SOME[:8]):
        yield Case("expand_as", draw(a), draw(b, random.choice(DTYPES)))


# ---- parts -------------------------------------------------------------------------------------------------------------------

SLICES = [dict(zip(("dim", "start", "end", "step"), v)) for v in
          [(0, 0), (0, 1, 4), (0, 0, 99, 3), (1, -4, -1), (0, 1, 99, 2), (0, 3, 2), (-1, 1), (-1, -99, 2), (2,), (-4,), (0, 5, 9), (0, 0, 3, 0), (0, 0, 3, -1), (0, 4, 99, 7),
           (0, -9223372036854775808, 9223372036854775807, 9223372036854775807)]]


def scattered(op, part, shape, given, dtype):
    """src as large as the part, and of other shapes and types."""
    x = draw(shape, dtype)
    try:
        src = draw(part(x, **given).shape, dtype)
    except Exception:
        src = x
    yield Case(op, x, src, **given)
    if random.random() < 0.1:
        yield Case(op, x, draw(src.shape, random.choice(DTYPES)), **given)
        yield Case(op, x, src.unsqueeze(0) if src.dim() < 8 else x, **given)
        yield Case(op, x, draw((*src.shape[:-1], 1)[:8]), **given)


def parts():
    yield from each("slice", SOME, SLICES)
    yield from each("narrow", SOME, attrs(dim=[0, 1, -1, 3], start=[0, 1, -1, -2, 4, 6, -6], length=[0, 1, 2, 5, -1]), (F64,))
    yield from each("select", SOME, attrs(dim=DIM, index=[0, 1, -1, 3, -4, 5]))
    yield from each("unfold_dim", SOME[:8] + SOME[9:], attrs(dimension=[0, 1, -1, 3], size=[0, 1, 2, 3, 5], step=[1, 2, 4, 0, -1]), (F64,))
    diagonals = [{}, *attrs(offset=[0, 1, -1, 2, -3, 9]), *attrs(offset=[0, 1, -2], dim1=[0, -1, 2], dim2=[1, -2, 0, 5])]
    yield from each("diagonal", SOME, diagonals)
    for shape in SOME:
        for dtype in (F64, random.choice(DTYPES)):
            for given in SLICES:
                yield from scattered("slice_scatter", slice_twin, shape, given, dtype)
            for given in attrs(dim=[0, 1, -1, 3], index=[0, -1, 2, 5]):
                yield from scattered("select_scatter", torch.select, shape, given, dtype)
            for given in random.sample(diagonals, 8):
                yield from scattered("diagonal_scatter", torch.diagonal, shape, given, dtype)
    for op, given in [("split", attrs(split_size=[1, 2, 5, 9, 0, -3], dim=[0, 1, -1, 3])),
                      ("split", attrs(sections=[(5,), (2, 3), (1, 2), (0, 5), (3, 0, 1), (-1, 6), (0,), (1, 1, 1, 1)], dim=[0, 1, -1])),
                      ("split_with_sizes", attrs(split_sizes=[(5,), (2, 3), (1, 2), (0, 5), (3, 0, 1), (-1, 6), (0,)], dim=[0, 1, -1, 3])),
                      ("chunk", attrs(chunks=[1, 2, 3, 5, 9, 0, -1], dim=[0, 1, -1, 3])),
                      ("tensor_split", attrs(sections=[1, 2, 3, 5, 9, -1], dim=[0, 1, -1, 3])),
                      ("tensor_split", attrs(indices=[(1,), (1, 3), (3, 1), (-1,), (2, 9), (0, 0), (-9, 2)], dim=[0, 1, -1])),
                      *((op, [*attrs(sections=[1, 2, 3, 5, -1]), *attrs(indices=[(1,), (1, 3), (3, 1), (-1,)])]) for op in ("hsplit", "vsplit", "dsplit")),
                      ("unbind", [{}, *attrs(dim=DIM)])]:
        yield from each(op, SOME, given)
    for op in ("split", "tensor_split"):
        for sizes in ([2, 3], [1] * 5, [0, 5, 0], [9], [-1, 6], [1, 1]):
            for kind in (I64, F32):
                yield Case(op, draw((5, 2)), torch.tensor(sizes, dtype=kind))
        yield Case(op, draw((5,)), torch.tensor([[2, 3]]))
    yield Case("split", draw((20,)), torch.tensor([1] * 20))
    yield Case("unbind", draw((40, 2)))


def slice_twin(x, dim=0, start=0, end=9223372036854775807, step=1):
    return torch.ops.aten.slice(x, dim, start, end, step)


def scatter_twin(part):
    """Of 1.13 some count wrongly, and take other types and shapes."""
    def twin(x, src, **given):
        y = x.clone()
        at = part(y, **given)
        refused_when(x.dtype != src.dtype or at.shape != src.shape)
        mask = part(torch.ones(x.shape, dtype=F64), **given)  # outside the graph: places
        index = part(torch.arange(x.numel()).reshape(x.shape), **given).reshape(-1)
        del at, mask
        return x.reshape(-1).index_put((index,), src.reshape(-1)).reshape(x.shape)
    return twin


def split_twin(x, sizes=None, split_size=-1, sections=(), dim=0):
    if sizes is not None:
        refused_when(sizes.is_floating_point() or sizes.dim() != 1)
        sections = sizes.tolist()
    refused_when(not x.dim())
    return torch.split(x, list(sections) if sections else split_size, dim)


def tensor_split_twin(x, at=None, sections=0, indices=(), dim=0):
    if at is not None:
        refused_when(at.is_floating_point() or at.dim() != 1)
        indices = at.tolist()
    return torch.tensor_split(x, tuple(indices) if indices else sections, dim)


def unbind_twin(x, dim=0):
    refused_when(x.dim() and -x.dim() <= dim < x.dim() and not x.shape[dim], "no parts")
    return torch.unbind(x, dim)


def squeeze_twin(x, dim=()):
    if not dim:
        return x.squeeze()
    n = max(x.dim(), 1)
    refused_when(any(not -n <= d < n for d in dim) or len({d % n for d in dim}) < len(dim))
    return x.reshape([s for d, s in enumerate(x.shape) if s != 1 or d not in [k % n for k in dim]])


CASES = {
    "reshape view reshape_as view_as flatten unflatten ravel atleast_1d atleast_2d atleast_3d t mT contiguous clone squeeze unsqueeze": reshapes,
    "transpose swapdims swapaxes permute movedim moveaxis expand broadcast_to expand_as": orders,
    "slice narrow select unfold_dim diagonal slice_scatter select_scatter diagonal_scatter split split_with_sizes chunk tensor_split hsplit vsplit dsplit unbind": parts,
}
TWIN = {name: getattr(torch, name) for name in
        "reshape permute squeeze unsqueeze transpose swapdims swapaxes movedim moveaxis broadcast_to flatten ravel atleast_1d atleast_2d atleast_3d t narrow select diagonal clone chunk".split()}
TWIN.update(
    view=lambda x, shape: x.view(shape), reshape_as=lambda x, o: x.reshape_as(o), view_as=lambda x, o: x.view_as(o),
    unflatten=lambda x, dim, sizes: x.unflatten(dim, sizes), mT=lambda x: x.mT, contiguous=lambda x: x.contiguous(), squeeze=squeeze_twin,
    expand=lambda x, size: x.expand(size), expand_as=lambda x, o: x.expand_as(o), slice=slice_twin,
    unfold_dim=lambda x, dimension, size, step: x.unfold(dimension, size, step),
    slice_scatter=scatter_twin(slice_twin), select_scatter=scatter_twin(torch.select), diagonal_scatter=scatter_twin(torch.diagonal),
    split=split_twin, split_with_sizes=lambda x, split_sizes, dim=0: torch.split_with_sizes(x, list(split_sizes), dim),
    tensor_split=tensor_split_twin, unbind=unbind_twin,
    **{op: lambda x, sections=0, indices=(), f=getattr(torch, op): f(x, tuple(indices) if indices else sections) for op in ("hsplit", "vsplit", "dsplit")},
)
KNOWN = []
