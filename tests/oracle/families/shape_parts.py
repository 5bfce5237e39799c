"""shape_parts.py - the ops that the others are made of: strided views, remap, band, copy_matrix; twins from their definitions."""
import itertools
import random

import torch

from binding import BOOL, DTYPES, F32, F64, I64
from cases import Case, draw

SHAPES = [(), (1,), (5,), (3, 4), (2, 3, 4), (0,), (2, 0, 3)]
VIEWS = [dict(size=s, stride=t, storage_offset=o) for s, t, o in
         [((3,), (1,), 0), ((2, 2), (4, 2), 1), ((2, 3), (3, 1), 0), ((2, 2, 2), (6, 3, 1), 2), ((), (), 2), ((0,), (1,), 0), ((2,), (3,), 9), ((2, 0), (1, 1), 0), ((1, 4), (7, 1), 0), ((2,), (-1,), 3),
          ((2,), (1, 1), 0), ((-1,), (1,), 0), ((3,), (1,), -1)]]
SHARED = [dict(size=s, stride=t, storage_offset=o) for s, t, o in [((3, 2), (1, 1), 0), ((2, 3), (1, 0), 1), ((4, 2), (2, 1), 0), ((2, 2, 2), (1, 1, 1), 0)]]


def refused_when(condition, words="not so"):
    if condition:
        raise ValueError(words)


def strided():
    for shape, given, dtype in itertools.product(SHAPES, VIEWS + SHARED, (F64, F64, F32, I64, BOOL)):
        x = draw(shape, dtype)
        yield Case("as_strided", x, **given)
        if min(given["size"], default=0) < 0:
            continue
        src = draw(given["size"], dtype if random.random() < 0.9 else random.choice(DTYPES))
        if given in VIEWS:
            yield Case("as_strided_scatter", x, src, **given)
        yield Case("as_strided_add", x, src, **given)
        if random.random() < 0.2:
            yield Case("as_strided_add", x, draw((*src.shape, 1), dtype), **given)


def places(x, size, stride, storage_offset):
    refused_when(storage_offset < 0)
    return torch.arange(x.numel()).as_strided(size, stride, storage_offset).reshape(-1)


def write_twin(accumulate):
    def twin(x, src, size, stride, storage_offset=0):
        refused_when(x.dtype != src.dtype or tuple(src.shape) != tuple(size) or accumulate and x.dtype == BOOL)
        return x.reshape(-1).index_put((places(x, size, stride, storage_offset),), src.reshape(-1), accumulate=accumulate).reshape(x.shape)
    return twin


def maps():
    modes = ["constant", "reflect", "replicate", "circular", "stretch", "flip"]
    for shape, dtype, mode in itertools.product([(), (1,), (4,), (3, 4), (2, 3, 4), (0,), (2, 0)], (F64, F64, F32, I64, BOOL), modes):
        for _ in range(6):
            before = [random.choice([0, 0, 1, -1, 2, 9, -7]) for _ in shape]
            size = [n * random.choice([0, 1, 2, 3]) if mode == "stretch" else n if mode == "flip" else max(n + random.choice([0, 0, 1, 5, -1, 11]), 0) for n in shape]
            if mode == "stretch":
                before = [0] * len(shape)
            x = draw(shape, dtype)
            yield Case("remap", x, *([draw((), dtype)] if random.random() < 0.3 else []), before=before, size=size, mode=mode)
    yield Case("remap", draw((3,)), before=(0, 0), size=(3,))
    yield Case("remap", draw((3,)), before=(0,), size=(-1,))
    yield Case("remap", draw((3,)), before=(0,), size=(4,), mode="stretch")
    yield Case("remap", draw((3,)), draw((1,)), before=(0,), size=(4,))
    for shape, dtype in itertools.product(SHAPES[2:] + [(5, 5)], DTYPES):
        for given in ({}, {"lo": 0}, {"hi": -1}, {"lo": -1, "hi": 1}, {"lo": 2, "hi": 1}, {"lo": -99, "hi": 99}):
            yield Case("band", draw(shape, dtype), **given)
    for shape, dtype in itertools.product(SHAPES + [(40, 33), (2, 17, 50), (3, 1, 40)], DTYPES):
        yield Case("copy_matrix", draw(shape, dtype))


def remap_twin(x, fill=None, before=(), size=(), mode="constant"):
    refused_when(len(before) != x.dim() or len(size) != x.dim() or any(s < 0 for s in size) or fill is not None and fill.dim())
    outside = torch.zeros(size, dtype=torch.bool)
    for d, (n, m, off) in enumerate(zip(x.shape, size, before)):
        refused_when(mode != "constant" and not n and m or mode == "stretch" and n and m % n)
        i = torch.arange(m)
        at = i - off
        if mode == "reflect" and n > 1:
            at = at % (2 * n - 2)
            at = torch.where(at < n, at, 2 * n - 2 - at)
        elif mode in ("replicate", "reflect"):
            at = at.clamp(0, max(n - 1, 0))
        elif mode == "circular":
            at = at % max(n, 1)
        elif mode == "stretch":
            at = i // max(m // max(n, 1), 1)
        elif mode == "flip":
            at = n - 1 - i if off else i
        none = (at < 0) | (at >= n)
        outside = outside | none.reshape([-1 if k == d else 1 for k in range(x.dim())])
        if n:
            x = x.index_select(d, torch.where(none, 0, at))
        else:
            x = torch.cat([x, x.new_zeros([m if k == d else s for k, s in enumerate(x.shape)])], d)
    return torch.where(outside, torch.zeros((), dtype=x.dtype) if fill is None else fill, x)


def band_twin(x, lo=-1 << 40, hi=1 << 40):
    refused_when(x.dim() < 2 and x.numel())
    if x.dim() < 2:
        return x.clone()
    apart = torch.arange(x.shape[-1]) - torch.arange(x.shape[-2]).unsqueeze(1)
    return torch.where((apart >= lo) & (apart <= hi), x, torch.zeros((), dtype=x.dtype))


def copy_matrix_twin(x):
    refused_when(x.dim() < 2)
    return x.clone()


CASES = {"as_strided as_strided_scatter as_strided_add": strided, "remap band copy_matrix": maps}
TWIN = dict(
    as_strided=lambda x, size, stride, storage_offset=0: (refused_when(storage_offset < 0), torch.as_strided(x, size, stride, storage_offset))[1],
    as_strided_scatter=write_twin(False), as_strided_add=write_twin(True), remap=remap_twin, band=band_twin, copy_matrix=copy_matrix_twin,
)
KNOWN = []
