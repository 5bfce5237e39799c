"""neural_conv_parts.py - the internal ops that convolutions and pooling are made of, against their definitions."""
import itertools
import random

import torch
import torch.nn.functional as F

from binding import F32, F64
from cases import Case, draw


def reach(size, count, stride, padding, dilation, kernel_size):
    """How far the padded input must reach along each dim."""
    return [max(p + n, (m - 1) * s + (k - 1) * d + 1) for n, m, s, p, d, k in zip(size, count, stride, padding, dilation, kernel_size)]


def tap_slices(count, kernel_size, stride, dilation):
    for tap in itertools.product(*map(range, kernel_size)):
        yield (..., *(slice(k * d, k * d + (m - 1) * s + 1, s) for k, d, m, s in zip(tap, dilation, count, stride)))


def patches(x, size, count, kernel_size, stride, padding, dilation, joined=False):
    wide = reach(size, count, stride, padding, dilation, kernel_size)
    x = F.pad(x, [n for p, w, s in reversed(list(zip(padding, wide, size))) for n in (p, w - p - s)])
    y = torch.stack([x[t] for t in tap_slices(count, kernel_size, stride, dilation)], 2)
    y = y.reshape(y.shape[0], y.shape[1] * y.shape[2], -1)
    return y.transpose(0, 1).reshape(y.shape[1], -1) if joined else y


def patches_add(x, size, count, kernel_size, stride, padding, dilation, joined=False):
    positions, taps = torch.Size(count).numel(), torch.Size(kernel_size).numel()
    if joined:
        x = x.reshape(x.shape[0], -1, positions).transpose(0, 1)
    y = torch.zeros(x.shape[0], x.shape[1] // taps, *reach(size, count, stride, padding, dilation, kernel_size), dtype=x.dtype)
    x = x.reshape(x.shape[0], -1, taps, *count)
    for k, t in enumerate(tap_slices(count, kernel_size, stride, dilation)):
        y[t] = y[t] + x[:, :, k]
    return y[(..., *(slice(p, p + n) for p, n in zip(padding, size)))]


def convolution(x, w, b=None, groups=1, **where):
    n, o = x.shape[0], w.shape[0]
    y = w.reshape(groups, o // groups, -1) @ patches(x, **where).reshape(n, groups, -1, torch.Size(where["count"]).numel())
    y = y.reshape(n, o, *where["count"])
    return y if b is None else y + b.reshape(-1, *[1] * len(where["count"]))


def convolution_back(g, w, b=None, groups=1, **where):
    n, o = g.shape[:2]
    columns = w.reshape(groups, o // groups, -1).transpose(1, 2) @ g.reshape(n, groups, o // groups, -1)
    y = patches_add(columns.reshape(n, -1, g[0, 0].numel()), **where)
    return y if b is None else y + b.reshape(-1, *[1] * len(where["size"]))


def convolution_weight(x, g, groups=1, **where):
    n, o = g.shape[:2]
    columns = patches(x, **where).reshape(n, groups, -1, g[0, 0].numel())
    return (g.reshape(n, groups, o // groups, -1) @ columns.transpose(2, 3)).sum(0).reshape(o, -1, *where["kernel_size"])


def pool_name(kind, dims, adaptive):
    return getattr(F, f"{'adaptive_' * adaptive}{kind}_pool{dims}d")


def window_max(x, size, count, kernel_size, stride, padding, dilation, adaptive=False):
    f = pool_name("max", len(size), adaptive)
    return f(x, count, return_indices=True) if adaptive else f(x, kernel_size, stride, padding, dilation, return_indices=True)


def window_mean(x, size, count, kernel_size, stride, padding, dilation, adaptive=False, count_include_pad=True, divisor=0):
    f = pool_name("avg", len(size), adaptive)
    if adaptive:
        return f(x, count)
    return f(x, kernel_size, stride, padding, count_include_pad=count_include_pad, **({"divisor_override": divisor} if divisor else {}))


def window_spread(m, size, **attrs):
    x = torch.zeros(*m.shape[:-len(size)], *size, dtype=m.dtype, requires_grad=True)
    dx = torch.autograd.grad(window_mean(x, size=size, **attrs), x, m, create_graph=True)[0]
    return dx if m.requires_grad else dx.detach()


def somewhere(dims, pooling=False):
    """Windows drawn at random; for pooling such that PyTorch can be asked."""
    pick = lambda lo, hi: tuple(random.randint(lo, hi) for _ in range(dims))
    size, kernel, stride = pick(3, 6), pick(1, 3), pick(1, 3)
    padding = tuple(random.randint(0, k // 2) for k in kernel) if pooling else pick(0, 2)
    dilation = (1,) * dims if pooling else pick(1, 2)
    count = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in zip(size, padding, dilation, kernel, stride))
    if any(m < 1 for m in count):
        return somewhere(dims, pooling)
    if not pooling and random.random() < 0.3:
        count = pick(1, 6)
    return dict(size=size, count=count, kernel_size=kernel, stride=stride, padding=padding, dilation=dilation)


def products():
    for dims, dtype, _ in itertools.product((1, 2, 3), (F64, F64, F32), range(12)):
        w, n, c, groups, per = somewhere(dims), random.randint(1, 3), random.randint(1, 3), random.choice([1, 1, 2]), random.choice([1, 2, 5, 6])
        new = lambda *shape: draw(shape, dtype, "normal")
        taps, positions, joined = torch.Size(w["kernel_size"]).numel(), torch.Size(w["count"]).numel(), random.random() < 0.5
        yield Case("patches", new(n, c, *w["size"]), **w, joined=joined)
        yield Case("patches_add", new(c * taps, n * positions) if joined else new(n, c * taps, positions), **w, joined=joined)
        bias, x, g = random.random() < 0.5, (n, c * groups, *w["size"]), (n, per * groups, *w["count"])
        weight = new(per * groups, c, *w["kernel_size"])
        yield Case("convolution", new(*x), weight, *([new(per * groups)] if bias else []), **w, groups=groups)
        yield Case("convolution_back", new(*g), weight, *([new(c * groups)] if bias else []), **w, groups=groups)
        yield Case("convolution_weight", new(*x), new(*g), **w, groups=groups)


def pools():
    for dims, dtype, adaptive, _ in itertools.product((1, 2, 3), (F64, F64, F32), (False, True), range(8)):
        w = somewhere(dims, pooling=True)
        more = {} if adaptive or random.random() < 0.5 else dict(count_include_pad=random.random() < 0.5, **({"divisor": 3} if dims > 1 else {}))
        yield Case("window_max", draw((2, 3, *w["size"]), dtype), **w, adaptive=adaptive)
        yield Case("window_mean", draw((2, 3, *w["size"]), dtype), **w, adaptive=adaptive, **more)
        yield Case("window_spread", draw((2, 3, *w["count"]), dtype, "normal"), **w, adaptive=adaptive, **more)


CASES = {"patches patches_add convolution convolution_back convolution_weight": products, "window_max window_mean window_spread": pools}
TWIN = {f.__name__: f for f in (patches, patches_add, convolution, convolution_back, convolution_weight, window_max, window_mean, window_spread)}
KNOWN = []
