"""neural_grid.py - grid_sample and affine_grid."""
import itertools

import torch
import torch.nn.functional as F

from binding import F32, F64, I64
from cases import Case, draw

MODES, PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


def places(shape, dtype, reach):
    return ((torch.rand(shape, dtype=F64) * 2 - 1) * reach).to(dtype)


def samples():
    shapes = [((1, 2, 3, 4), (1, 2, 5, 2)), ((2, 1, 5, 5), (2, 3, 2, 2)), ((1, 1, 1, 1), (1, 2, 2, 2)), ((2, 3, 1, 4), (2, 1, 3, 2)), ((1, 1, 2, 3, 4), (1, 2, 1, 3, 3)), ((2, 2, 1, 1, 2), (2, 1, 2, 1, 3)),
              ((1, 1, 3, 3), (1, 0, 2, 2)), ((0, 1, 3, 3), (0, 2, 2, 2)), ((1, 0, 3, 3), (1, 2, 2, 2)), ((1, 2, 9, 17), (1, 20, 20, 2))]
    for (x, g), mode, padding, align in itertools.product(shapes, MODES, PADDINGS, (False, True)):
        for dtype, reach in ((F64, 0.95), (F64, 1.3), (F64, 4.0), (F32, 1.5)):
            yield Case("grid_sample", draw(x, dtype, "normal"), places(g, dtype, reach), mode=mode, padding_mode=padding, align_corners=align)
    corners = torch.tensor([[[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0], [-1.0, 1.0], [0.5, -0.5], [2.0, -2.0], [-3.0, 3.0]]], dtype=F64).reshape(1, 1, 7, 2)
    for mode, padding, align in itertools.product(MODES, PADDINGS, (False, True)):
        for size in ((1, 1, 4, 4), (1, 2, 3, 5), (1, 1, 1, 1)):
            yield Case("grid_sample", draw(size, F64, "normal"), corners.clone(), mode=mode, padding_mode=padding, align_corners=align)
    for x, g in [((1, 1, 3, 3), (2, 2, 2, 2)), ((1, 1, 3, 3), (1, 2, 2, 3)), ((1, 1, 3, 3), (1, 2, 2)), ((1, 1, 3), (1, 2, 1)), ((1, 1, 0, 3), (1, 2, 2, 2)), ((1, 1, 2, 2, 2), (1, 2, 2, 3)), ((), ())]:
        yield Case("grid_sample", draw(x), draw(g))
    yield Case("grid_sample", draw((1, 1, 3, 3)), draw((1, 2, 2, 2), F32))
    yield Case("grid_sample", draw((1, 1, 3, 3), I64), draw((1, 2, 2, 2), I64))


def grids():
    for theta, size in [((2, 2, 3), (2, 1, 3, 4)), ((1, 2, 3), (1, 3, 1, 1)), ((1, 2, 3), (1, 1, 1, 5)), ((1, 3, 4), (1, 1, 2, 3, 2)), ((2, 3, 4), (2, 1, 1, 2, 3)), ((2, 2, 3), (1, 1, 3, 4)), ((1, 2, 3), (1, 1, 2, 3, 2)),
                        ((1, 3, 4), (1, 1, 2, 2)), ((2, 3), (1, 1, 2, 2)), ((1, 2, 3), (1, 1, 2)), ((1, 2, 3), (1, 1, 0, 2)), ((1, 2, 3), (1, 1, -2, 2)), ((1, 2, 3), (1, 0, 2, 2)), ((0, 2, 3), (0, 1, 2, 2))]:
        for align, dtype in itertools.product((False, True), (F64, F32, I64)):
            yield Case("affine_grid", draw(theta, dtype, "normal"), size=size, align_corners=align)


CASES = {"grid_sample": samples, "affine_grid": grids}
TWIN = {
    "grid_sample": lambda x, g, mode="bilinear", padding_mode="zeros", align_corners=False: F.grid_sample(x, g, mode, padding_mode, align_corners),
    "affine_grid": lambda t, size, align_corners=False: F.affine_grid(t, list(size), align_corners),
}
KNOWN = []
