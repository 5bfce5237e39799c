"""pointwise_nan.py - what treats NaN otherwise than by passing it on; bits."""
import itertools
import math
import os
import sys

import torch

from binding import DTYPES, F32, F64
from cases import Case, draw

sys.path.append(os.path.dirname(os.path.abspath(__file__)))
from pointwise import each, one, two


def replaced():
    yield from one("nan_to_num", [{}, {"nan": 2.5}, {"posinf": 3.0, "neginf": -4.0}, {"nan": -1.0, "posinf": math.inf}])
    for dtype in (F32, F64):
        yield Case("nan_to_num", torch.tensor([math.nan, math.inf, -math.inf, 1.0], dtype=dtype), nan=7.0)


def close():
    for attrs in ({}, {"rtol": 0.5}, {"atol": 1.5}, {"equal_nan": True}, {"rtol": 0, "atol": 0}, {"rtol": -1}, {"atol": -0.5}):
        for s, t in [(d, d) for d in DTYPES] + [(F32, F64)]:
            for a, b in (((3, 4), (3, 4)), ((3, 4), (4,)), ((), (3,)), ((0,), (1,)), ((3,), (4,))):
                yield Case("isclose", draw(a, s, "ties"), draw(b, t, "ties"), **attrs)
        for dtype in (F32, F64):
            odd = torch.tensor(list(itertools.product([math.nan, math.inf, -math.inf, 0.0, 1.0, 1.0000001], repeat=2)), dtype=dtype)
            yield Case("isclose", odd[:, 0].clone(), odd[:, 1].clone(), **attrs)


CASES = {
    **each(two, "fmax", "fmin", in_place=False, numbers=()),
    **each(two, "bitwise_and", "bitwise_or", "bitwise_xor", special=False),
    **each(one, "bitwise_not"), "nan_to_num": replaced, "isclose": close,
}
TWIN = {name: getattr(torch, name) for name in "fmax fmin bitwise_and bitwise_or bitwise_xor bitwise_not nan_to_num isclose".split()}
KNOWN = [
    ("isclose", "output with shape", "torch cannot broadcast a 0-d input with equal_nan"),
    ("bitwise_.*", "dtype is i64, torch has u8", "a number that u8 cannot hold makes the result i64"),
]
