"""neural_resize.py - interpolate and the maps of one dim that it is made of."""
import itertools
import random

import torch
import torch.nn.functional as F

from binding import F32, F64, I64
from cases import Case, draw

MODES = ["nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area"]
SHAPES = [(2, 3, 5), (1, 1, 1), (2, 1, 3, 4), (1, 5, 3, 4), (1, 2, 1, 7), (1, 1, 2, 3, 4), (0, 2, 4), (0, 1, 3, 2), (2, 0, 3), (2, 1, 0), (3, 4), (4,), (1, 1, 2, 2, 2, 2)]


def interpolations():
    for mode, shape in itertools.product(MODES, SHAPES):
        n = len(shape) - 2
        tries = [{"size": v} for v in ((1,), (4,), (9,), (0,), (-1,), (3, 6)[:max(n, 1)], (2, 5, 3)[:max(n, 1)], (4, 4, 4, 4), shape[2:])]
        tries += [{"scale_factor": v} for v in ((2.0,), (0.5,), (1.7,), (0.3,), (-1.0,), (1.3, 0.7)[:max(n, 1)], (0.9, 2.5, 1.0)[:max(n, 1)], (2.0,) * 4, (0.05,))]
        tries += [{"scale_factor": (1.7,), "recompute_scale_factor": True}, {"size": (3,), "recompute_scale_factor": True}, {"size": (3,), "scale_factor": (2.0,)}, {}]
        for attrs, align in itertools.product(tries, (False, True)):
            if not attrs.get("size", attrs.get("scale_factor", (1,))):
                continue
            for dtype in random_types():
                yield Case("interpolate", draw(shape, dtype, "normal"), mode=mode, **attrs, **({"align_corners": True} if align else {}))
    for mode, shape in [("linear", (1, 1, 37)), ("bilinear", (1, 2, 13, 31)), ("bicubic", (1, 1, 17, 11)), ("area", (1, 1, 33, 9)), ("nearest", (1, 1, 30, 7)), ("nearest-exact", (1, 1, 30, 7))]:
        for attrs in ({"size": (20,)}, {"scale_factor": (3.3,)}, {"size": (60,)}, {"scale_factor": (0.37,)}):
            for dtype in (F64, F32):
                yield Case("interpolate", draw(shape, dtype, "normal"), mode=mode, **attrs)
    yield Case("interpolate", draw((1, 2, 3), I64), size=(4,))


def random_types():
    """A third of the many combinations."""
    return random.choice([(F64,), (F64,), (F32,), (), (), (), (), ()])


def resamples():
    for mode, (shape, dim), size in itertools.product(["nearest", "nearest-exact", "linear", "cubic", "area"],
                                                      [((5,), 0), ((2, 5, 3), 1), ((2, 5, 3), -1), ((0, 4), 1), ((1,), 0), ((0,), 0), ((), 0), ((3, 4), 2)], (1, 3, 5, 11)):
        for align in (False, True) if mode in ("linear", "cubic") else (False,):
            for dtype in (F64, F32):
                x = draw(shape, dtype, "normal")
                yield Case("resample", x, dim=dim, size=size, mode=mode, align_corners=align)
                yield Case("resample_back", x, dim=dim, size=size, mode=mode, align_corners=align)


def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=False, recompute_scale_factor=False):
    def one(v):
        return None if v is None else v[0] if len(v) == 1 else list(v)
    return F.interpolate(x, one(size), one(scale_factor), mode, True if align_corners else None, True if recompute_scale_factor else None)


def resample(x, dim=-1, size=1, mode="linear", align_corners=False):
    """As an image of one column; of none, nothing."""
    if not x.dim() or not x.shape[dim]:
        raise IndexError("nothing to sample")
    y = x.movedim(dim, -1)
    flat = y.reshape(1, -1, y.shape[-1], 1)
    torch_mode = {"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode)
    if not flat.numel():
        return x.new_zeros(*y.shape[:-1], size).movedim(-1, dim) + 0 * x.sum()
    out = F.interpolate(flat, [size, 1], None, torch_mode, align_corners if mode in ("linear", "cubic") else None)
    return out.reshape(*y.shape[:-1], size).movedim(-1, dim)


def resample_back(g, dim=-1, size=1, mode="linear", align_corners=False):
    if not g.dim():
        raise IndexError("no dim")
    if not g.shape[dim]:
        return g.movedim(dim, -1).new_zeros(size).expand(*g.movedim(dim, -1).shape[:-1], size).movedim(-1, dim) + 0 * g.sum()
    matrix = resample(torch.eye(size, dtype=g.dtype), 1, g.shape[dim], mode, align_corners)  # [size, places]
    return torch.tensordot(g.movedim(dim, -1), matrix, ([-1], [1])).movedim(-1, dim)


CASES = {"interpolate": interpolations, "resample resample_back": resamples}
TWIN = {f.__name__: f for f in (interpolate, resample, resample_back)}
KNOWN = [
    ("interpolate", r"\| .*mode=nearest scale_factor=", "torch takes the factor for the quotient of the sizes where this is 1 or 2, in backward or with one channel alone"),
    ("interpolate", "would go from 0 elements.*mode=area size=1$", "torch takes the mean of nothing"),
]
