"""pointwise_math.py - functions of one and two numbers: exponential, trigonometric, special, rounding."""
import itertools
import os
import sys

import torch

from binding import DTYPES, F32, F64, I64
from cases import PAIRS, Case, draw

sys.path.append(os.path.dirname(os.path.abspath(__file__)))
from pointwise import each, one, three, two


def orders():
    yield from one("polygamma", [{"n": n} for n in (0, 1, 2, 3, 5, -1)])
    for n, dtype in itertools.product((1, 2, 4), (F32, F64)):
        yield Case("polygamma", torch.tensor([-0.5, -1.3, -2.7, -9.2, 0.1, 1e-3, 15, 40.5], dtype=dtype), n=n)


def inside(op, low, high, tries=({},)):
    """one(), and samples in the domain."""
    yield from one(op, tries)
    for attrs, dtype in itertools.product(tries, (F32, F64)):
        for _ in range(3):
            yield Case(op, low + (high - low) * torch.rand(200, dtype=dtype), strict=True, **attrs)
        edge = torch.tensor([low, high, (low + high) / 2], dtype=dtype)
        yield Case(op, edge, strict=True, **attrs)
        yield Case(op, edge + (high - low) * 1e-6, **attrs)


def lerps():
    yield from three("lerp", [{}])
    for weight, (a, b), dtypes in itertools.product((0.3, 1.5, 0, 1, -0.5), PAIRS, ((F64, F64), (F32, F32), (F32, F64), (I64, I64))):
        yield Case("lerp", *(draw(s, d) for s, d in zip((a, b), dtypes)), weight=weight)
        yield Case("lerp", *(draw(s, d) for s, d in zip((a, b), dtypes)), weight=weight, in_place=True)
    for dtypes in ((F64, F64, F64), (F32, F32, F64), (F64, F64, F32)):
        yield Case("lerp", *(draw((3,), d) for d in dtypes))
    x = draw((3,))
    yield Case("lerp", x, x)
    yield Case("lerp", x, x, x, weight=0.5)


def steps():
    yield from two("heaviside", numbers=())
    for dtype in DTYPES:
        yield Case("heaviside", draw((5,), dtype, "ties"), draw((), dtype))


def lerp_twin(x, y, w=None, weight=None):
    if (w is None) == (weight is None):
        raise TypeError("one weight")
    return torch.lerp(x, y, weight if w is None else w)


CASES = {
    **each(one, *"""exp exp2 expm1 sin cos tan atan sinh cosh tanh asinh erf erfc lgamma digamma sinc deg2rad rad2deg ceil trunc frac""".split()),
    **{op: lambda op=op, d=d: inside(op, *d) for op, d in dict(
        log=(0, 3), log2=(0, 3), log10=(0, 3), log1p=(-1, 1), asin=(-1, 1), acos=(-1, 1), acosh=(1, 3), atanh=(-1, 1), erfinv=(-1, 1)).items()},
    "logit": lambda: inside("logit", 0, 1, [{}, {"eps": 0.1}, {"eps": 0}]),
    "round": lambda: one("round", [{}, {"decimals": 1}, {"decimals": -1}, {"decimals": 3}]),
    "polygamma": orders, "lerp": lerps, "heaviside": steps,
    **each(two, "logaddexp", "logaddexp2", in_place=False, numbers=()),
    **each(two, "hypot", "ldexp", numbers=()),
    **each(two, "atan2", numbers=()),
    **each(two, "xlogy", "copysign"),
}

TWIN = {name: getattr(torch, name) for name in
        """exp exp2 expm1 sin cos tan atan sinh cosh tanh asinh erf erfc lgamma digamma sinc deg2rad rad2deg ceil trunc frac log log2 log10 log1p
        asin acos acosh atanh erfinv logaddexp logaddexp2 hypot ldexp atan2 xlogy copysign heaviside""".split()}
TWIN.update(
    logit=lambda x, eps=None: torch.logit(x, eps=eps), round=lambda x, decimals=0: torch.round(x, decimals=decimals) if decimals else torch.round(x),
    polygamma=lambda x, n: torch.polygamma(n, x), lerp=lerp_twin,
)
KNOWN = [
    ("sinh|cosh", r"e\+308, torch has -?inf", "the largest results are finite"),
    ("lgamma|digamma|polygamma", r"-?inf, torch has -?[\d.]+e\+|-?inf, torch has -?\d{9,}\.", "at negative integers the derivatives of digamma are infinite"),
    ("digamma|polygamma", r"\| \w+\(f32", "torch sums in f32"),
    ("polygamma|digamma", r"(0\.0|inf), torch has nan", "they vanish at infinity, and have poles towards minus infinity"),
    ("logit", r"gradient .*nan, torch has 0\.0", "torch's vectors and its single elements differ at NaN"),
    ("acosh", r"inf, torch has -?inf", "-1 lies outside the domain"),
    ("sinc", "second of .*torch has nan", "the second derivative at 0 is -pi^2/3"),
    ("logit", r"value: .*\| logit_?\(f32", "near 1/2 nothing cancels"),
    ("logaddexp2?|hypot|atan2|xlogy|ldexp", r"gradient .*(f32\[.*f64\[\]|f64\[\].*f32\[)", "a 0-d f64 beside f32 takes part as f32"),
    ("asin|acos|acosh|atanh", r"second .*nan, torch has -?inf", "1 - x^2 as (1 - x)(1 + x): exact near the ends, infinity times 0 in them"),
    ("logaddexp2?", r"torch has 0\.0", "torch rounds 1 + exp(x) first"),
    ("ldexp", r"\| ldexp_?\(f64.* f32\[", "2^x is f32 as x is, and one rounding apart"),
    ("atan2", r"gradient .*\| atan2_\(f32.* f64\[", "in place torch squares the f32 operand in f32"),
    ("ldexp", "with out=", "torch has no gradient of this in-place form"),
    ("atan2", r"gradient .*\(u8", "torch takes the negative of u8"),
    ("atan2", r"torch has -?(inf|0\.0|nan)", "torch's sum of squares overflows or vanishes"),
    ("copysign", "torch has nan", "torch divides infinities and NaN"),
]
