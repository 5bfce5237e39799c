"""neural_conv.py - convolutions, transposed ones, unfold and fold, and the products that they are made of."""
import itertools
import random

import torch
import torch.nn.functional as F

from binding import F32, F64, I64
from cases import Case, draw


def operands(op, shapes, dtype):
    """Only a convolution's input may have NaN and Inf: in padding torch multiplies them by 0 or leaves them out, as its backend likes."""
    style = random.choice(["normal", "normal", "ties", "special" if op.startswith("conv") and "transpose" not in op else "normal"])
    return [None if s is None else draw(s, dtype, "normal" if k else style) for k, s in enumerate(shapes)]


def all_dtypes(op, *shapes, **attrs):
    for dtype in (F64, F64, F32):
        yield Case(op, *operands(op, shapes, dtype), **attrs)
    if random.random() < 0.2:
        yield Case(op, *operands(op, shapes, I64), **attrs)
        yield Case(op, *(draw(s, random.choice([F32, F64]), "normal") for s in shapes if s is not None), **attrs)


def conv_attrs(dims):
    yield {}
    one = lambda *v: v[:dims] if len(v) >= dims else v * dims
    for stride, padding, dilation in itertools.product([1, one(2, 1, 2), 3], [0, one(1, 0, 2), 1], [1, one(2, 1, 1)]):
        yield dict(stride=stride, padding=padding, dilation=dilation)
    for word in ("same", "valid", "none"):
        yield dict(auto_pad=word)
        yield dict(auto_pad=word, dilation=2)
        yield dict(auto_pad=word, stride=2)
    for wrong in (dict(stride=0), dict(stride=-1), dict(padding=-1), dict(dilation=0), dict(stride=(1,) * (dims + 1)), dict(padding=(0,) * (dims + 1)),
                  dict(groups=0), dict(groups=-1), dict(padding=9), dict(stride=9)):
        yield wrong


def convs():
    for dims in (1, 2, 3):
        op = f"conv{dims}d"
        size, kernel = [(7,), (6, 7), (4, 5, 4)][dims - 1], [(3,), (3, 2), (2, 3, 2)][dims - 1]
        for attrs in conv_attrs(dims):
            yield from all_dtypes(op, (2, 3, *size), (5, 3, *kernel), (5,), **attrs)
            yield from all_dtypes(op, (2, 4, *size), (6, 2, *kernel), (6,), **{"groups": 2, **attrs})
            yield from all_dtypes(op, (4, *size), (4, 1, *kernel), None, **{"groups": 4, **attrs})
        ones = (1,) * dims
        for x, w, b, attrs in [((2, 3, *size), (5, 3, *ones), (5,), {}), ((2, 4, *size), (6, 2, *ones), None, dict(groups=2)), ((3, *size), (9, 3, *ones), (9,), {}),
                               ((2, 3, *size), (5, 3, *ones), (5,), dict(stride=2)), ((2, 3, *size), (5, 3, *ones), (5,), dict(padding=1)),
                               ((0, 3, *size), (5, 3, *kernel), (5,), {}), ((2, 0, *size), (5, 0, *kernel), None, {}), ((2, 3, *size), (0, 3, *kernel), None, {}),
                               ((2, 3, *size), (5, 3, *size), None, {}), ((2, 3, *size), (2, 3, *kernel), (2,), {}), ((1, 1, *size), (1, 1, *kernel), None, {}),
                               ((2, 3, *size), (3, 1, *kernel), None, dict(groups=3)), ((2, 3, *size), (9, 1, *kernel), (9,), dict(groups=3)),
                               ((2, 3, *size), (18, 1, *kernel), (18,), dict(groups=3)),
                               # what does not fit
                               ((2, 3, *size), (5, 4, *kernel), None, {}), ((2, 3, *size), (5, 3, *kernel), (4,), {}), ((2, 3, *size), (5, 3, *kernel), (1,), {}),
                               ((2, 3, *size), (5, 3, *kernel), (), {}), ((2, 3, *size), (5, 3, *kernel), (5, 1), {}), ((2, 4, *size), (5, 2, *kernel), None, dict(groups=2)),
                               ((2, 4, *size), (2, 1, *kernel), None, dict(groups=4)), (size, (5, 3, *kernel), None, {}), ((1, 2, 3, *size), (5, 3, *kernel), None, {}),
                               ((2, 3, *size), (3, *kernel), None, {}), ((2, 3, *size), (5, 3, *kernel, 1), None, {}), ((2, 3, *(9 for _ in size)), (5, 3, *(11 for _ in size)), None, {}),
                               ((2, 3, *(9 for _ in size)), (5, 3, *(11 for _ in size)), None, dict(padding=1)), ((2, 3, *(0 for _ in size)), (5, 3, *kernel), None, {}),
                               ((2, 3, *(0 for _ in size)), (5, 3, *kernel), None, dict(padding=2)), ((2, 3, *size), (5, 3, *(0 for _ in size)), None, {}), ((), (5, 3, *kernel), None, {}),
                               ((2, 3, *size), (), None, {})]:
            yield from all_dtypes(op, x, w, b, **attrs)
            yield from all_dtypes(op, x, w, **attrs) if b is None else ()
    yield from all_dtypes("conv2d", (2, 16, 20, 21), (24, 16, 3, 3), (24,), padding=1)
    yield from all_dtypes("conv2d", (3, 16, 9, 8), (24, 16, 3, 3), (24,), stride=2)
    yield from all_dtypes("conv1d", (2, 3, 400), (7, 3, 9), (7,), padding=4, stride=2)
    yield Case("conv1d", draw((2, 3, 5), F64), draw((4, 3, 2), F32))
    yield Case("conv1d", draw((2, 3, 5), F64), draw((4, 3, 2), F64), draw((4,), F32))
    same = draw((3, 3, 3, 3), F64, "normal")
    yield Case("conv2d", same, same, plain=True, padding=1)


def transposed_attrs(dims):
    yield {}
    one = lambda *v: v[:dims]
    for stride, padding, dilation in itertools.product([1, one(2, 1, 2), 3], [0, one(1, 0, 1), 1], [1, one(2, 1, 1)]):
        yield dict(stride=stride, padding=padding, dilation=dilation)
    for more in (dict(stride=2, output_padding=1), dict(stride=one(3, 2, 2), output_padding=one(2, 1, 0)), dict(output_padding=1), dict(dilation=2, output_padding=1),
                 dict(stride=2, dilation=3, output_padding=2), dict(stride=2, output_padding=2), dict(output_padding=-1), dict(stride=0), dict(padding=-1),
                 dict(dilation=0), dict(stride=(1,) * (dims + 1)), dict(groups=0), dict(padding=9), dict(stride=3, padding=4), dict(stride=2, output_padding=(1,) * (dims + 1))):
        yield more


def transposes():
    for dims in (1, 2, 3):
        op = f"conv_transpose{dims}d"
        size, kernel = [(5,), (3, 4), (3, 2, 3)][dims - 1], [(3,), (3, 2), (2, 3, 2)][dims - 1]
        for attrs in transposed_attrs(dims):
            yield from all_dtypes(op, (2, 5, *size), (5, 3, *kernel), (3,), **attrs)
            yield from all_dtypes(op, (2, 10, *size), (10, 2, *kernel), (4,), **{"groups": 2, **attrs})
            yield from all_dtypes(op, (4, *size), (4, 2, *kernel), None, **{"groups": 4, **attrs})
        ones = (1,) * dims
        for x, w, b, attrs in [((2, 5, *size), (5, 3, *ones), (3,), {}), ((2, 10, *size), (10, 2, *ones), None, dict(groups=2)), ((5, *size), (5, 9, *ones), (9,), dict(stride=2)),
                               ((0, 5, *size), (5, 3, *kernel), (3,), {}), ((2, 0, *size), (0, 3, *kernel), None, {}), ((2, 5, *size), (5, 0, *kernel), None, {}),
                               ((1, 1, *size), (1, 1, *kernel), None, {}), ((2, 3, *size), (3, 1, *kernel), None, dict(groups=3)),
                               # what does not fit
                               ((2, 3, *size), (5, 4, *kernel), None, {}), ((2, 5, *size), (5, 3, *kernel), (4,), {}), ((2, 5, *size), (5, 3, *kernel), (3, 1), {}),
                               ((2, 5, *size), (5, 3, *kernel), (), {}), ((2, 5, *size), (5, 2, *kernel), None, dict(groups=2)), (size, (5, 3, *kernel), None, {}),
                               ((1, 2, 5, *size), (5, 3, *kernel), None, {}), ((2, 5, *size), (5, *kernel), None, {}), ((2, 5, *(0 for _ in size)), (5, 3, *kernel), None, {}),
                               ((2, 5, *size), (5, 3, *(0 for _ in size)), None, {}), ((), (5, 3, *kernel), None, {})]:
            yield from all_dtypes(op, x, w, b, **attrs)
    yield from all_dtypes("conv_transpose2d", (2, 16, 10, 11), (16, 24, 3, 3), (24,), padding=1, stride=2, output_padding=1)
    yield Case("conv_transpose2d", draw((2, 3, 5, 5), F64), draw((3, 4, 2, 2), F32))


WINDOW_TRIES = [dict(kernel_size=2), dict(kernel_size=(3, 2)), dict(kernel_size=(3, 2), padding=(1, 0)), dict(kernel_size=2, stride=2), dict(kernel_size=2, stride=(1, 3), padding=2),
                dict(kernel_size=2, dilation=2), dict(kernel_size=(2, 3), dilation=(2, 1), stride=2, padding=1), dict(kernel_size=1), dict(kernel_size=1, stride=3), dict(kernel_size=9),
                dict(kernel_size=0), dict(kernel_size=-1), dict(kernel_size=2, stride=0), dict(kernel_size=2, padding=-1), dict(kernel_size=2, dilation=0), dict(kernel_size=(2, 2, 2)),
                dict(kernel_size=2, stride=(1, 1, 1))]


def unfolds():
    for attrs, shape in itertools.product(WINDOW_TRIES, [(2, 3, 5, 6), (3, 4, 4), (1, 1, 3, 3), (0, 2, 4, 4), (2, 0, 4, 4), (2, 2, 0, 4), (0, 4, 4), (4, 4), (5,), (), (1, 2, 3, 4, 4)]):
        yield from all_dtypes("unfold", shape, **attrs)


def folds():
    for attrs, size, batch in itertools.product(WINDOW_TRIES, [(5, 6), (4,), (3, 3), (0, 4), (-1, 4), (4, 4, 4)], [(2,), (), (0,)]):
        try:
            full = size if len(size) > 1 else size * 2
            columns = F.unfold(torch.ones(1, 3, *full), **attrs).shape
        except Exception:
            columns = (1, 12, 4)
        for rows, more in ((0, 0), (1, 0), (0, 1)) if random.random() < 0.3 else ((0, 0),):
            yield from all_dtypes("fold", (*batch, columns[1] + rows, columns[2] + more), output_size=size, **attrs)
    for shape in ((), (4,), (2, 0, 4), (2, 4, 0), (1, 2, 4, 4)):
        yield from all_dtypes("fold", shape, output_size=3, kernel_size=2)


def conv_twin(f, dims):
    def twin(x, w, b=None, stride=1, padding=0, auto_pad="none", dilation=1, groups=1):
        if not x.is_floating_point():
            raise TypeError("floats only")
        return f(x, w, b, stride, padding if auto_pad == "none" else auto_pad, dilation, groups)
    return twin


def transposed_twin(f):
    def twin(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        if not x.is_floating_point():
            raise TypeError("floats only")
        pairs = zip(*(v if isinstance(v, tuple) else (v,) * 3 for v in (output_padding, stride, dilation)))
        if any(more >= s and more >= d for more, s, d in pairs):
            raise ValueError("output padding must be smaller than either stride or dilation")
        return f(x, w, b, stride, padding, output_padding, groups, dilation)
    return twin


CASES = {"conv1d conv2d conv3d": convs, "conv_transpose1d conv_transpose2d conv_transpose3d": transposes, "unfold": unfolds, "fold": folds}
TWIN = {**{f"conv{d}d": conv_twin(getattr(F, f"conv{d}d"), d) for d in (1, 2, 3)},
        **{f"conv_transpose{d}d": transposed_twin(getattr(F, f"conv_transpose{d}d")) for d in (1, 2, 3)},
        "unfold": F.unfold, "fold": lambda x, output_size, **attrs: F.fold(x, output_size if isinstance(output_size, int) or len(output_size) > 1 else output_size[0], **attrs)}
KNOWN = [
    ("conv.*", r"must have one dtype", "torch does not compare the dtypes of an empty input, or of a 3-d convolution's bias"),
    ("conv.d", r"shape is .*\| conv.d\(f..\[2, 0, ", "without channels torch makes no output channels; a sum of nothing is 0"),
]
