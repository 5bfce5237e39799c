"""reduce_nan.py - the reductions that leave NaN out."""
import os
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reduce import several, with_dtypes  # noqa: E402
from reduce_order import median, medians, quantile, quantiles  # noqa: E402


def nanmean(x, dim=(), keepdim=False, dtype=None):
    return torch.nanmean(x, dim=tuple(dim) or tuple(range(x.dim())), keepdim=keepdim, dtype=dtype)


TWIN = {"nansum": several(torch.nansum, every=True), "nanmean": nanmean, "nanmedian": lambda x, dim=None, keepdim=False: median(x, dim, keepdim, True),
        "nanquantile": quantile(torch.nanquantile)}
CASES = {**{op: lambda op=op: with_dtypes(op) for op in ("nansum", "nanmean")}, "nanmedian": lambda: medians("nanmedian"), "nanquantile": lambda: quantiles("nanquantile")}
KNOWN = [("nansum", r"\| nansum\(f(32|64).* dtype=u8", "a negative float as u8 is 0, as of the op `to`")]
KNOWN.append(("nanmean", "gradient of input 0: 0.0, torch has nan", "of nothing but NaN the gradient is 0"))
KNOWN.append(("nansum", r"second .*f32.* dtype=f64", "gradients of f32 are rounded to f32 on the way"))
