"""cases.py - what a case is, the one call that the oracle compares, and what families/*.py draw them from."""
import itertools
import math
import random

import torch

from binding import BOOL, DTYPES, F32, F64, I32, I64, NAME, U8, attr_text

SHAPES = [(), (1,), (5,), (19,), (3, 4), (2, 3, 4), (1, 4, 1), (0,), (2, 0, 3), (1, 2, 1, 2, 1, 2, 1, 2)]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.7, -3.7, 1e-9, -1e-9, 20.5, -20.5, 87.0, -87.0, 100.0, -100.0, 710.0, -745.0,
           1e5, -1e5, 1e-30, -1e-30, math.inf, -math.inf, math.nan]


def draw(shape, dtype=F64, style=None):
    style = style or random.choices(["normal", "ties", "special"], [8, 2, 1])[0]
    if dtype == BOOL:
        return torch.rand(shape) > 0.5
    if not dtype.is_floating_point:
        return torch.randint(0 if dtype == U8 else -4, 6, shape, dtype=dtype)
    if style == "ties":
        return torch.randint(-2, 3, shape).to(dtype)
    x = torch.randn(shape, dtype=dtype) * 1.5
    if style == "special":
        x = torch.where(torch.rand(shape) < 0.2, torch.tensor(random.choices([math.nan, math.inf, -math.inf], k=max(x.numel(), 1)),
                                                                dtype=dtype)[:x.numel()].reshape(shape), x)
    return x


def index(n, below, dtype=I64):
    return torch.randint(0, max(below, 1), n if isinstance(n, tuple) else (n,), dtype=dtype)


class Case:
    """strict: differences count relative to each element itself; plain: all inputs contiguous. A float input is a number
    (ebb_scalar of the first input's dtype, a Python number for torch)."""

    def __init__(self, op, *inputs, strict=False, plain=False, in_place=False, **attrs):
        self.op, self.inputs, self.attrs, self.strict, self.in_place = op, list(inputs), attrs, strict, in_place
        self.plain = plain or strict
        self.layout = [self.lay_out(k) for k in range(len(inputs))]

    def lay_out(self, k):
        x = self.inputs[k]
        if not torch.is_tensor(x) or not x.dim() or self.plain:
            return "plain"
        layout = random.choice(["plain", "plain", "transposed", "sliced", "expanded"])
        if layout == "expanded" and x.shape[0] > 1 and not self.in_place:
            self.inputs[k] = x[:1].expand_as(x).clone()
        return layout

    def tensor(self, ebb, k, requires_grad):
        """Input k in ebb, a view of a leaf."""
        x, layout = self.inputs[k], self.layout[k]
        if layout == "expanded" and (x.shape[0] <= 1 or self.in_place):
            layout = "plain"
        wide = x
        if layout == "transposed":
            wide = x.transpose(0, -1)
        elif layout == "expanded":
            wide = x[:1]
        elif layout == "sliced":
            wide = torch.ones(*x.shape[:-1], 2 * x.shape[-1] + 1, dtype=x.dtype)
            wide[..., 1::2] = x
        leaf = ebb.tensor(wide, requires_grad)
        if layout == "transposed":
            return ebb.call("transpose", [leaf], dim0=0, dim1=-1)
        if layout == "expanded":
            return ebb.call("expand", [leaf], size=list(x.shape))
        return ebb.call("slice", [leaf], dim=-1, start=1, step=2) if layout == "sliced" else leaf

    def text(self):
        def one(x, layout):
            if not torch.is_tensor(x):
                return "NULL" if x is None else f"number {x}"
            values = f" = {x.tolist()}" if 0 < x.numel() <= 6 else ""
            return f"{NAME[x.dtype]}{list(x.shape)}{values}{'' if layout == 'plain' else ' ' + layout}"
        attrs = " ".join(f"{k}={attr_text(v)}" for k, v in self.attrs.items())
        name = self.op + "_" * self.in_place
        return f"{name}({', '.join(map(one, self.inputs, self.layout))}){' ' + attrs if attrs else ''}"

    def dtypes(self):
        return ",".join(NAME[x.dtype] if torch.is_tensor(x) else str(type(x).__name__) for x in self.inputs)

    def size(self):
        return sum(x.numel() + x.dim() for x in self.inputs if torch.is_tensor(x)) + 9 * sum(l != "plain" for l in self.layout)


def shaped(op, *shapes, **attrs):
    """Cases of all float inputs of these shapes, f32 and f64, some of mixed and integer dtypes."""
    for dtype in (F64, F64, F32):
        yield Case(op, *(draw(s, dtype) for s in shapes), **attrs)
    yield Case(op, *(draw(s, random.choice(DTYPES)) for s in shapes), **attrs)
    integer = random.choice(DTYPES[2:])
    yield Case(op, *(draw(s, integer) for s in shapes), **attrs)


PAIRS = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((), (3,)), ((3,), ()), ((), ()), ((2, 3, 4), (3, 1)), ((0, 3), (1, 3)),
         ((2, 0), (2, 1)), ((3,), (4,)), ((2, 3), (3, 2)), ((0,), (2,)), ((40,), (40,)), ((1, 2, 1, 2, 1, 2, 1, 2), (2, 1))]


def attrs_of(key, *values):
    return [{key: v} for v in values]


def products(op):
    for a, b in [((3,), (3,)), ((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((4, 2, 3), (3, 5)), ((4, 2, 3), (4, 3, 5)),
                 ((2, 1, 2, 3), (4, 3, 2)), ((3,), (4, 3, 2)), ((4, 2, 3), (3,)), ((2, 0), (0, 3)), ((0, 2), (2, 3)), ((2, 3), (3, 0)),
                 ((0, 2, 3), (3, 4)), ((0, 2, 3), (0, 3, 4)), ((2, 3), (0, 3, 4)), ((0,), (0,)), ((0,), (0, 2)), ((2, 0), (0,)), ((4, 2, 0), (0, 3)),
                 ((1, 1), (1, 1)), ((), (3,)), ((3,), ()), ((2, 3), (2, 3)), ((3,), (4,)), ((2, 2, 3), (3, 3, 4)), ((7, 65), (65, 33)),
                 ((70, 130), (130, 90)), ((1, 300), (300, 17)), ((300, 17), (17, 1)), ((2, 2, 3), (2, 1, 3, 2)), ((2, 3), (2, 2, 4))]:
        yield from shaped(op, a, b)
        yield from shaped(op, a, b)
    same = draw((3, 3))
    yield Case(op, same, same, plain=True)


def cases(only, families):
    for ops, generate in families.items():
        if not only or only in ops.split():
            yield from (case for case in generate() if not only or case.op == only)
