"""neural_dropout.py - dropouts, drawn from ebb's own generator (random.h), so that they compare element by element."""
import itertools

import numpy as np
import torch
import torch.nn.functional as F

from binding import BOOL, F32, F64, I64
from cases import SHAPES, Case, draw


def words(key, n):
    """The first n 32-bit words under a key: Philox4x32-10, counters 0, 1, 2 ..."""
    blocks = np.arange((n + 3) // 4, dtype=np.uint64)
    low = np.uint64(0xFFFFFFFF)
    c = [blocks & low, blocks >> np.uint64(32), np.zeros_like(blocks), np.zeros_like(blocks)]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p, q = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(q >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), q & low, (p >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return torch.from_numpy(np.stack(c, 1).reshape(-1)[:n].astype(np.int64))


def kept(shape, dtype, p, key):
    n = int(np.prod(shape)) if len(shape) else 1
    mask = words(key, n) >= int(p * 2**32)
    if n >= 1000:
        assert abs(mask.double().mean() - (1 - p)) < 5 * (p * (1 - p) / n) ** 0.5 + 1e-12
    return mask.reshape(shape).to(dtype)


def certain(x, p, training):
    """Whether nothing is drawn. Raises on what torch would have refused to scale."""
    if not training or p in (0, 1) or not x.numel():
        return True
    if not x.is_floating_point():
        raise TypeError("floats")


def dropout(x, p=0.5, training=True, key=0):
    y = F.dropout(x, p, training)
    if certain(x, p, training):
        return y
    return x * (kept(x.shape, x.dtype, p, key) / (1 - p))


def channelwise(reference, shape_of):
    def twin(x, p=0.5, training=True, key=0):
        y = reference(x, p, training)  # refuses what it does
        if certain(x, p, training):
            return y
        return x * (kept(shape_of(x), x.dtype, p, key) / (1 - p))
    return twin


def pair(x):
    return tuple(x.shape[:2]) + (1,) * (x.dim() - 2)


def single(batched):
    return lambda x: pair(x) if x.dim() == batched else tuple(x.shape[:1]) + (1,) * (x.dim() - 1)


def alpha(reference, shape_of):
    def twin(x, p=0.5, training=False, key=0):
        y = reference(x, p, training)
        if certain(x, p, training):
            return y
        mask, low = kept(shape_of(x), x.dtype, p, key), -1.7580993408473766
        s = ((low * low * p + 1) * (1 - p)) ** -0.5
        return x * mask * s + (mask - 1) * -low * s + -low * s * p
    return twin


def drop(x, p=0.5, scale=1.0, shift=0.0, fill=0.0, key=0):
    certain(x, 0.5, True)
    mask = kept(x.shape, x.dtype, p, key)
    return x * (mask * scale) + mask * shift + (1 - mask) * fill


OPS = ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"]


def dropouts():
    shapes = SHAPES + [(3000,), (2, 3, 2, 2), (2, 3, 2, 2, 2), (2, 0, 3, 1), (40, 30, 3), (0, 2, 3)]
    for op, shape, p, dtype in itertools.product(OPS, shapes, (None, 0.2, 0.0, 1.0), (F64, F32, I64)):
        if dtype == I64 and p != 0.2:
            continue
        for on in (True, False):
            attrs = {"training": on, "key": 1 + len(shape) * 77 + (1 << 40), **({} if p is None else {"p": p})}
            yield Case(op, draw(shape, dtype, "normal"), **attrs)
            if dtype != I64 and shape not in ((), (0,)):
                yield Case(op, draw(shape, dtype, "normal"), in_place=True, **attrs)
    for op, p in itertools.product(OPS, (-0.1, 1.1)):
        yield Case(op, draw((2, 3, 4)), p=p, training=True, key=3)
        yield Case(op, draw((2, 3, 4)), p=p, training=False, key=3)
    for dtype in (F64, F32):
        for shape in SHAPES:
            yield Case("drop", draw(shape, dtype), key=5)
            yield Case("drop", draw(shape, dtype, "normal"), p=0.3, scale=1.5, shift=0.5, fill=-0.25, key=9)
        yield Case("drop", draw((2000,), dtype), p=0.9, key=2**52 + 7)


CASES = {" ".join(OPS + ["drop"]): dropouts}
TWIN = {
    "dropout": dropout, "drop": drop,
    "dropout1d": channelwise(F.dropout1d, single(3)), "dropout2d": channelwise(F.dropout2d, pair), "dropout3d": channelwise(F.dropout3d, single(5)),
    "alpha_dropout": alpha(F.alpha_dropout, lambda x: tuple(x.shape)), "feature_alpha_dropout": alpha(F.feature_alpha_dropout, pair),
}
KNOWN = []
