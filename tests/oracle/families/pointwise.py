"""pointwise.py - arithmetic, powers, bounds, comparisons, and what overwrites a tensor."""
import itertools
import math
import random

import torch

from binding import BOOL, DTYPES, F32, F64, I32, I64, U8
from cases import PAIRS, SHAPES, SPECIAL, Case, draw

PAIRS_OF_DTYPES = list(itertools.product(DTYPES, DTYPES))
NUMBERS = (2, -1, 0, 2.5, math.inf)


def grids(op, **attrs):
    """Every pair of special values."""
    for dtype in (F32, F64):
        grid = torch.tensor([(a, b) for a in SPECIAL for b in SPECIAL], dtype=dtype)
        yield Case(op, grid[:, 0].clone(), grid[:, 1].clone(), strict=True, **attrs)


def two(op, tries=({},), in_place=True, numbers=NUMBERS, special=True):
    """Two operands: dtypes, broadcasting, C numbers."""
    for k, attrs in enumerate(tries):
        for n, (a, b) in enumerate(PAIRS if k == 0 else PAIRS[:3]):
            for s, t in [(F64, F64), (F32, F32), *(PAIRS_OF_DTYPES if n == 0 else random.sample(PAIRS_OF_DTYPES, 6))]:
                yield Case(op, draw(a, s), draw(b, t), **attrs)
                if in_place:
                    yield Case(op, draw(a, s), draw(b, t), in_place=True, **attrs)
        if special:
            yield from grids(op, **attrs)
        for dtype, number, shape in itertools.product(DTYPES, numbers, ((3,), (), (0,))):
            yield Case(op, draw(shape, dtype), number, **attrs)
        for dtype in (F32, F64, I64):
            same = draw((4,), dtype)
            yield Case(op, same, same, plain=True, **attrs)


def one(op, tries=({},), in_place=True, scale=4.0):
    """One operand: dtypes, shapes, special values."""
    for attrs, dtype in itertools.product(tries, DTYPES):
        for shape in SHAPES if attrs is tries[0] else [(), (3, 4), (0,)]:
            yield Case(op, draw(shape, dtype), **attrs)
            if in_place:
                yield Case(op, draw(shape, dtype), in_place=True, **attrs)
        if dtype.is_floating_point:
            yield Case(op, torch.tensor(SPECIAL, dtype=dtype), strict=True, **attrs)
            yield Case(op, torch.randn(1000, dtype=dtype) * scale, strict=True, **attrs)
            yield Case(op, torch.rand(300, dtype=dtype) * 10, strict=True, **attrs)


def three(op, tries, in_place=True):
    """Three operands of one or several dtypes."""
    shapes = [(a, b, c) for a, b in PAIRS for c in ((), (1,), b)]
    for attrs, (a, b, c) in itertools.product(tries, random.sample(shapes, 18)):
        for dtypes in ((F64,) * 3, (F64,) * 3, (F32,) * 3, (I64,) * 3, (F32, F64, F32), (F64, F32, I32), (I32, I64, I32), (U8,) * 3, (BOOL,) * 3, (F64, I64, I64)):
            xs = [draw(s, d) for s, d in zip((a, b, c), dtypes)]
            yield Case(op, *xs, **attrs)
            if in_place:
                yield Case(op, *(x.clone() for x in xs), in_place=True, **attrs)


def each(generate, *ops, **how):
    return {op: lambda op=op: generate(op, **how) for op in ops}


ALPHAS = [{}, {"alpha": 2}, {"alpha": -1.5}]
MODES = [{}, {"rounding_mode": "trunc"}, {"rounding_mode": "floor"}]


# ---- powers ----

def powers():
    exponents = [2, 3, 0.5, -1, -1.7, 1, 0, -2, 2.5, -0.5, math.inf, -math.inf, 63]
    yield from one("pow", [{"exponent": k} for k in exponents])
    yield from two("pow")
    x = draw((3,))
    yield Case("pow", x)
    yield Case("pow", x, x, exponent=2.0)
    yield from one("float_power", [{"exponent": k} for k in (2, -1, 0.5, 2.5)], in_place=False)
    yield from two("float_power", in_place=False)


# ---- bounds ----

def clamps():
    bounds = [{"min": -0.7, "max": 0.9}, {"min": -1.0}, {"max": 1.0}, {"min": 1.0, "max": -1.0}, {"max": 2.5}, {"min": -math.inf}, {"min": 0, "max": math.inf}]
    yield from one("clamp", [{}, *bounds])
    yield from one("clamp_min", [{}, {"min": 0}, {"min": -0.5}])
    yield from one("clamp_max", [{}, {"max": 1}, {"max": 1.5}])
    yield from two("clamp_min")
    yield from two("clamp_max")
    yield from three("clamp", [{}])
    for (a, b), dtype in itertools.product(PAIRS, DTYPES):
        yield Case("clamp", draw(a, dtype), draw(b, dtype))
        yield Case("clamp", draw(a, dtype), None, draw(b, dtype))
        yield Case("clamp", draw(a, dtype), draw(b, dtype), in_place=True)
    x = draw((3,))
    yield Case("clamp", x, x, min=1.0)


def clamp_twin(x, *bounds, min=None, max=None):
    low, high = [*bounds, None, None][:2]
    if (low is not None and min is not None) or (high is not None and max is not None):
        raise TypeError("a bound is given twice")
    low, high = whole(min) if low is None else low, whole(max) if high is None else high
    if torch.is_tensor(low) or torch.is_tensor(high):
        return torch.clamp(x, *(b if b is None or torch.is_tensor(b) else torch.tensor(b, dtype=x.dtype) for b in (low, high)))
    return torch.clamp(x, low, high)


def whole(v):
    """An attribute is a number without a type: a whole one counts as an integer."""
    return int(v) if v is not None and math.isfinite(v) and v == int(v) else v


def once(f):
    """f(x, exponent) with the exponent as a number or a tensor, not both and not neither."""
    def twin(x, p=None, exponent=None):
        if (p is None) == (exponent is None):
            raise TypeError("one exponent")
        return f(x, whole(exponent) if p is None else p)
    return twin


# ---- choosing and overwriting ----

def wheres():
    for (a, b), c in itertools.product(PAIRS, [(), (3, 4), (4,), (1,), (0, 1)]):
        for s, t in [(F64, F64), (F32, F32), *random.sample(PAIRS_OF_DTYPES, 4)]:
            yield Case("where", draw(c, BOOL), draw(a, s), draw(b, t))
    for dtype in DTYPES:
        yield Case("where", draw((3,), dtype), draw((3,)), draw((3,)))
        yield Case("where", draw((3,), BOOL), draw((3,), dtype), 2.5)
        yield Case("where", draw((3,), BOOL), 2, draw((3,), dtype))


def copies():
    for (a, b), s, t in itertools.product(PAIRS, DTYPES, DTYPES):
        yield Case("copy", draw(a, s, "normal"), draw(b, t, "normal"))
        yield Case("copy", draw(a, s, "normal"), draw(b, t, "normal"), in_place=True)
    yield from one("zero")
    yield from one("fill", [{"value": v} for v in (2, -1, 0.5, 300, 1e12, math.inf, 0)])


def copy_twin(x, src):
    return x.clone().copy_(src) if not x.requires_grad else (x * 1).copy_(src)


CASES = {
    **each(two, "add", "sub", tries=ALPHAS),
    **each(two, "rsub", tries=ALPHAS, in_place=False),
    **each(two, "mul", "floor_divide", "fmod", "remainder"),
    **each(two, "div", tries=MODES),
    **each(two, "div_trunc", "div_floor", in_place=False),
    **each(three, "addcmul", "addcdiv", tries=[{}, {"value": 2}, {"value": -0.5}]),
    **each(two, "maximum", "minimum", in_place=False, numbers=()),
    **each(two, "eq", "ne", "lt", "le", "gt", "ge"),
    **each(two, "logical_and", "logical_or", "logical_xor", numbers=()),
    **each(one, "isnan", "isinf", "isfinite", "signbit", "logical_not", "positive", in_place=False),
    **each(one, "neg", "abs", "sign", "sgn", "square", "sqrt", "rsqrt", "reciprocal", "floor"),
    "pow float_power": powers, "clamp clamp_min clamp_max": clamps, "where": wheres, "copy zero fill": copies,
}


def rounded(mode):
    return lambda x, y: torch.div(x, y, rounding_mode=mode)


TWIN = {name: getattr(torch, name) for name in
        """mul floor_divide fmod remainder maximum minimum eq ne lt le gt ge logical_and logical_or logical_xor logical_not isnan isinf isfinite
        signbit positive neg abs sign sgn square sqrt rsqrt reciprocal floor where""".split()}
TWIN.update(
    add=lambda x, y, alpha=1: torch.add(x, y, alpha=alpha), sub=lambda x, y, alpha=1: torch.sub(x, y, alpha=alpha),
    rsub=lambda x, y, alpha=1: torch.rsub(x, y, alpha=alpha),
    div=lambda x, y, rounding_mode="none": torch.div(x, y, rounding_mode=None if rounding_mode == "none" else rounding_mode),
    div_trunc=rounded("trunc"), div_floor=rounded("floor"),
    addcmul=lambda x, a, b, value=1: torch.addcmul(x, a, b, value=value), addcdiv=lambda x, a, b, value=1: torch.addcdiv(x, a, b, value=value),
    pow=once(torch.pow), float_power=once(torch.float_power), clamp=clamp_twin,
    clamp_min=lambda x, b=None, min=None: clamp_twin(x, *([] if b is None else [b]), min=min),
    clamp_max=lambda x, b=None, max=None: clamp_twin(x, None, *([] if b is None else [b]), max=max),
    copy=copy_twin, zero=lambda x: torch.fill(x, 0), fill=lambda x, value: torch.fill(x, whole(value)),
)

WRAPS = "a number that u8 cannot hold makes the result i64, or is compared as it is; torch wraps it around"
KNOWN = [
    (".*", r"dtype is bool, torch has i64 \|.*bool\[.*number [01]\)", "a C number 0 or 1 beside a bool is a bool"),
    ("l[te]|g[te]|eq|ne", r"\(u8.*= -?\d+\)|u8", "a number that u8 cannot hold is compared as it is; torch wraps it around"),
    ("add|sub|mul|rsub|floor_divide|fmod|remainder|div.*|clamp_m..", "dtype is i64, torch has u8", WRAPS),
    ("clamp.*", r"(\b25\d, torch has|torch has 25\d).*\| \w+\(u8", WRAPS),
    (".*", r"value: .*\| (?=.*u8\[).*i(32|64)\[\] = -", WRAPS),
    ("pow|addc(mul|div)|lerp", r"(gradient|second) of .*(f64\[.*f32\[\]|f32\[\].*f64\[)", "torch rounds what belongs to the 0-d operand to its f32 earlier"),
    ("l[te]|g[te]|eq|ne|logical_.*", "needs_grad is False", "what a comparison puts in a tensor's place has no gradient"),
    ("pow", r"gradient of input 0.*\| pow_?\(f64.* f32\[", "torch takes the exponent less 1 in f32"),
    ("logical_.*|eq|ne|l[te]|g[te]", "needs a gradient, and .* has no rule for it", "in place it would cut the gradient without a word"),
    ("add|sub|rsub", r"accepted \(\w+\[0\]\).*argument alpha must not be", "without elements no element is refused"),
    ("addc(mul|div)", "INTERNAL ASSERT FAILED", "torch fails at mixed dtypes in place"),
    ("addcmul", "accepted .u8.* cannot be converted to type uint8_t", "u8 is computed in i32, which holds the value"),
    ("pow", r"negative integer powers are not allowed. \|.*number -", "a C number is a 0-d tensor, and those torch accepts"),
    ("pow|clamp", r"torch refuses: the result does not fit \| \w+_\(", "the oracle computes these out of place, where the result has another dtype"),
    ("copy", r"\| copy_?\(u8.* f(32|64)\[", "a float outside the integer type becomes its limit"),
]
