"""cases.py - the calls that the oracle compares: for each op shapes, dtypes, layouts, attributes and values, valid and not."""
import itertools
import math
import random

import torch

from binding import BOOL, DTYPES, F32, F64, I32, I64, NAME, U8, attr_text

UNARY = "neg square exp expm1 log log1p sqrt sin cos tanh erf abs sign floor sigmoid relu".split()
BINARY = "add sub mul div maximum minimum eq ne lt le gt ge".split()
IN_PLACE = UNARY + BINARY[:6] + ["pow", "clamp", "leaky_relu", "softplus"]
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


def unary(op, tries=({},)):
    for attrs, dtype in itertools.product(tries, DTYPES):
        for shape in SHAPES:
            yield Case(op, draw(shape, dtype), **attrs)
            if op in IN_PLACE:
                yield Case(op, draw(shape, dtype), in_place=True, **attrs)
        if dtype.is_floating_point:
            yield Case(op, torch.tensor(SPECIAL, dtype=dtype), strict=True, **attrs)
            yield Case(op, torch.randn(1000, dtype=dtype) * 4, strict=True, **attrs)
            yield Case(op, torch.rand(300, dtype=dtype) * 10, strict=True, **attrs)


PAIRS = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((), (3,)), ((3,), ()), ((), ()), ((2, 3, 4), (3, 1)), ((0, 3), (1, 3)),
         ((2, 0), (2, 1)), ((3,), (4,)), ((2, 3), (3, 2)), ((0,), (2,)), ((40,), (40,)), ((1, 2, 1, 2, 1, 2, 1, 2), (2, 1))]


def binary(op):
    for (a, b), s, t in itertools.product(PAIRS, DTYPES, DTYPES):
        yield Case(op, draw(a, s), draw(b, t))
        if op in IN_PLACE:
            yield Case(op, draw(a, s), draw(b, t), in_place=True)
    for dtype in (F32, F64):
        grid = torch.tensor([(a, b) for a in SPECIAL for b in SPECIAL], dtype=dtype)
        yield Case(op, grid[:, 0].clone(), grid[:, 1].clone(), strict=True)
        same = draw((4,), dtype)
        yield Case(op, same, same, plain=True)
    if op not in ("maximum", "minimum"):
        for dtype, number, shape in itertools.product(DTYPES, (2, -1, 0, 2.5, math.inf), ((3,), (), (0,))):
            yield Case(op, draw(shape, dtype), number)


DIMS = [{}, *({"dim": d} for d in [(0,), (-1,), (1,), (0, 1), (-1, 0), (0, 2), (0, 0), (1, -1), (3,), (-4,), (0, 1, 2)])]


def reduced(op):
    for shape, dims, keep in itertools.product(SHAPES + [(33, 2), (2, 33), (3, 0)], DIMS, ({}, {"keepdim": True})):
        yield from shaped(op, shape, **dims, **keep)
    for dtype in (F64, F32):
        yield Case(op, draw((1000,), dtype, "normal"))
        yield from (Case(op, torch.tensor(v, dtype=dtype), strict=True) for v in itertools.permutations(
            [math.inf, -math.inf, math.nan, 1.0, -1000.0], 2))


def along_dim(op):
    for shape, dims in itertools.product(SHAPES + [(3, 33)], [{}, *({"dim": d} for d in (0, 1, -1, -2, 2, 5))]):
        yield from shaped(op, shape, **dims)
    for dtype in (F64, F32):
        yield from (Case(op, torch.tensor(v, dtype=dtype), strict=True) for v in itertools.permutations(
            [math.inf, -math.inf, math.nan, 1.0, 1000.0, -1000.0], 2))
        yield Case(op, torch.full((3,), -math.inf, dtype=dtype))


def attrs_of(key, *values):
    return [{key: v} for v in values]


def wheres():
    for (a, b), c in itertools.product(PAIRS, [(), (3, 4), (4,), (1,), (0, 1)]):
        for s, t in random.sample(list(itertools.product(DTYPES, DTYPES)), 8):
            yield Case("where", draw(c, BOOL), draw(a, s), draw(b, t))
    for dtype in DTYPES:
        yield Case("where", draw((3,), dtype), draw((3,)), draw((3,)))


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


def linears():
    for x, w, b in [((4, 3), (2, 3), (2,)), ((3,), (2, 3), (2,)), ((2, 2, 3), (4, 3), (4,)), ((5, 3), (2, 3), None), ((3,), (2, 3), None),
                    ((0, 3), (2, 3), (2,)), ((2, 0), (3, 0), (3,)), ((2, 3), (0, 3), (0,)), ((2, 3), (2, 4), (2,)), ((4, 3), (2, 3), (3,)),
                    ((4, 3), (2, 3), (1,)), ((4, 3), (2, 3), ()), ((4, 3), (3,), None), ((4, 3), (3,), ()), ((), (2, 3), None), ((65, 40), (33, 40), (33,)),
                    ((2, 3), (1, 2, 3), None), ((2, 0, 3), (4, 3), (4,)), ((4, 3), (2, 3), (4, 2))]:
        for dtypes in ((F64,) * 3, (F64,) * 3, (F32,) * 3, (F32, F64, F32), (I64,) * 3, (F64, F64, F32)):
            x_, w_, b_ = (s if s is None else draw(s, d) for s, d in zip((x, w, b), dtypes))
            yield Case("linear", *([x_, w_] if b is None and random.random() < 0.5 else [x_, w_, b_]))


def indexed():
    for x, n, below, dim in [((4, 3), 5, 4, 0), ((3, 4, 2), 3, 4, 1), ((3, 4), 0, 4, -1), ((5,), 2, 5, 0), ((5,), 2, 9, 0), ((4, 3), 2, 4, 2), ((4, 3), 2, 4, -3),
                             ((0, 3), 0, 1, 0), ((2, 0), 2, 2, 0), ((0,), 2, 1, 0), ((), 1, 1, 0), ((), 0, 1, 0), ((), 2, 1, -1), ((40, 33), 60, 40, 0), ((4, 3), (), 4, 0),
                             ((4, 3), (2, 2), 3, 0)]:
        for dtype, kind in itertools.product(DTYPES, [I64, I64, I32, U8, BOOL, F32]):
            i = index(n, below, kind) if kind != BOOL else draw((n,) if isinstance(n, int) else n, BOOL)
            yield Case("index_select", draw(x, dtype), i, dim=dim)
            s = list(x)
            if -len(s) <= dim < len(s):
                s[dim] = i.numel()
            yield Case("index_add", draw(x, dtype), i, draw(s, dtype), dim=dim)
    for s in [(2, 2), (1, 3), (2,), (2, 3, 1), ()]:
        yield Case("index_add", draw((4, 3)), index(2, 4), draw(s))
    yield Case("index_add", draw((4, 3)), index(2, 4), draw((2, 3), F32))
    for v in ([-1], [4], [0, -4]):
        yield Case("index_select", draw((4,)), torch.tensor(v))
        yield Case("index_add", draw((4,)), torch.tensor(v), draw((len(v),)))


def embeddings():
    for i, w, below in [((3,), (4, 2), 4), ((2, 3), (5, 3), 5), ((), (2, 3), 2), ((0,), (2, 3), 2), ((0,), (0, 3), 1), ((3,), (2, 3), 9), ((2,), (3,), 3), ((2,), (2, 2, 2), 2),
                        ((2, 2), (4, 0), 4)]:
        for dtype, kind in itertools.product([F64, F64, F32, I64], [I64, I64, I32, U8, F32]):
            yield Case("embedding", index(i, below, kind), draw(w, dtype))
    yield Case("embedding", torch.tensor([-1]), draw((3, 2)))


def one_hots():
    for shape, n in itertools.product([(4,), (2, 3), (), (0,), (0, 2)], [None, -1, 0, 1, 4, 9, -2]):
        for kind in (I64, I64, I32, U8, F32):
            yield Case("one_hot", index(shape, 4, kind), **({} if n is None else {"num_classes": n}))
    yield Case("one_hot", torch.tensor([-1, 2]))


def losses():
    for shapes, attrs in itertools.product(PAIRS, [{}, *attrs_of("reduction", "mean", "sum", "none")]):
        for _ in range(2):
            yield from shaped("mse_loss", *shapes, **attrs)
    for (x, t), attrs in itertools.product(
            [((4, 3), (4,)), ((3,), ()), ((2, 3, 4), (2, 4)), ((2, 3, 2, 2), (2, 2, 2)), ((1, 1), (1,)), ((0, 3), (0,)), ((2, 3, 0), (2, 0)), ((4, 3), (3,)), ((4, 3), ()), ((), ()),
             ((4, 3), (4, 1)), ((4, 33), (4,)), ((2, 0), (2,)), ((4, 3), (1,)), ((1, 3), (4,))], [{}, *attrs_of("reduction", "mean", "sum", "none")]):
        for dtype, kind in itertools.product((F64, F64, F32, I64), (I64, I64, I32, U8, F64)):
            classes = (x[1] if len(x) > 1 else x[0]) if x else 1
            yield Case("cross_entropy", draw(x, dtype), index(t, classes, kind), **attrs)
    for v in ([-1, 0], [3, 0], [-100, 0], [-100, -100]):
        yield Case("cross_entropy", draw((2, 3), style="normal"), torch.tensor(v))
    yield Case("cross_entropy", draw((2, 3), style="normal"), torch.rand(2, 3, dtype=F64))
    inf = math.inf
    for row in ([-inf, 0, 1], [inf, 0, 1], [math.nan, 0, 1], [1e4, -1e4, 0], [-inf, -inf, -inf]):
        for t in range(3):
            yield Case("cross_entropy", torch.tensor([row], dtype=F64), torch.tensor([t]))


def entropy_rows():
    for x, t in [((3,), ()), ((4, 3), (4,)), ((4, 3), (1,)), ((1, 3), (4,)), ((2, 4, 3), (4,)), ((0, 3), (0,)), ((4, 3), (3,)), ((), ()), ((5, 33), (5,))]:
        for dtype in (F64, F64, F32):
            yield Case("cross_entropy_rows", draw(x, dtype), index(t, x[-1] if x else 1, I64))
    yield Case("cross_entropy_rows", draw((2, 3)), torch.tensor([3, 0]))
    yield Case("cross_entropy_rows", draw((2, 3)), torch.tensor([-1, 0]))


SLICES = [dict(zip(("dim", "start", "end", "step"), v)) for v in
          [(0, 0), (0, 1, 4), (0, 0, 99, 3), (1, -4, -1), (0, 1, 99, 2), (0, 3, 2), (-1, 1), (-1, -99, 2), (2,), (-4,), (0, 5, 9), (0, 0, 3, 0), (0, 0, 3, -1), (0, 4, 99, 7),
           (0, -9223372036854775808, 9223372036854775807, 9223372036854775807)]]


def shape_ops():
    any_shape = SHAPES + [(2, 6), (4, 6)]
    for shape, dtype in itertools.product(any_shape, DTYPES):
        yield Case("contiguous", draw(shape, dtype))
        yield from (Case("to", draw(shape, dtype), dtype=d) for d in DTYPES)
        for to in [(3, 4), (-1,), (4, 3), (-1, 3), (3, 0), (), (2, 1, 2), (-1, -1), (0, -1), (-2,), (1, -1, 1), (2, 6)]:
            yield Case("reshape", draw(shape, dtype), shape=to)
        for to in [(2, 3), (-1, 4), (3, 4), (0,), (3,), (), (5,), (2, 3, 4), (-1, -1, -1), (2, -1, -1, -1), (7, 3, 4), (-1, 3), (2, 0), (4, 0), (-2,)]:
            yield Case("expand", draw(shape, dtype), size=to)
        for i, j in [(0, 1), (0, -1), (0, 0), (-1, -2), (1, 2), (0, 3), (-4, 0)]:
            yield Case("transpose", draw(shape, dtype), dim0=i, dim1=j)
        for dims in [(), (0,), (1, 0), (-1, 0), (2, 0, 1), (1, -1, 0), (0, 0), (0, 3, 1), (0, 1)]:
            yield Case("permute", draw(shape, dtype), dims=dims)
        for cut in SLICES:
            x = draw(shape, dtype)
            yield Case("slice", x, **cut)
            try:
                src = draw(torch.ops.aten.slice(x, *cut.values()).shape, dtype)
            except Exception:
                src = x
            yield Case("slice_scatter", x, src, **cut)
    yield Case("slice_scatter", draw((4, 3)), draw((2, 3)), start=1)
    yield Case("slice_scatter", draw((4, 3)), draw((1, 3)), end=2)
    yield Case("slice_scatter", draw((4, 3)), draw((4, 3), F32))
    yield Case("slice_scatter", draw((4, 3)), draw((4, 3), I64))
    for v in ([2.7, -2.7, 0.5, -0.5, 255.0, 0.0, -0.0], [1e10, -1e10, 300.0, -1.0], [math.nan, math.inf, -math.inf]):
        yield from (Case("to", torch.tensor(v, dtype=s), dtype=d) for s in (F32, F64) for d in DTYPES)
    for dim, shapes in itertools.product([None, 0, 1, -1, -2, 2], [[(2, 3), (1, 3)], [(2, 1), (2, 2), (2, 3)], [(2, 0), (2, 2)], [(3,)], [(1,), (1,)], [(2, 3), (0,)],
                                                                   [(0,), (2, 3)], [(), ()], [(2, 3), (2, 3, 1)], [(2, 3), (3,)], [(0,), (0,)], [(2, 2, 3)] * 9]):
        for _ in range(2):
            yield from shaped("cat", *shapes, **({} if dim is None else {"dim": dim}))
    yield Case("cat")


FAMILIES = {
    **{op: lambda op=op: unary(op) for op in UNARY}, **{op: lambda op=op: binary(op) for op in BINARY},
    "pow": lambda: unary("pow", attrs_of("exponent", 2, 3, 0.5, -1, -1.7, 1, 0, -2, 4, 2.5, -0.5, 0.3333, math.inf, math.nan)),
    "clamp": lambda: unary("clamp", [{}, {"min": -0.7, "max": 0.9}, {"min": -1.0}, {"max": 1.0}, {"min": 1.0, "max": -1.0}]),
    "leaky_relu": lambda: unary("leaky_relu", [{}, *attrs_of("negative_slope", 0.3, -1, 0, 2.0)]),
    "softplus": lambda: unary("softplus", [{}, {"beta": 2.0}, {"beta": 0.5}, {"beta": 2, "threshold": 0.6}, {"threshold": -1.0}]),
    "where": wheres, "matmul": lambda: products("matmul"), "gemm": lambda: products("gemm"), "linear": linears,
    "index_select index_add": indexed, "embedding": embeddings, "one_hot": one_hots, "mse_loss cross_entropy": losses,
    "cross_entropy_rows": entropy_rows, "reshape expand transpose permute slice slice_scatter cat contiguous to": shape_ops,
    **{op: lambda op=op: reduced(op) for op in "sum mean amax amin logsumexp".split()},
    **{op: lambda op=op: along_dim(op) for op in "softmax log_softmax".split()},
}


def cases(only=None, families=FAMILIES):
    for ops, generate in families.items():
        if not only or only in ops.split():
            yield from (case for case in generate() if not only or case.op == only)
