"""activation.py - the activation functions beside torch.nn.functional's."""
import itertools

import torch
import torch.nn.functional as F

from binding import DTYPES, F32, F64
from cases import SHAPES, SPECIAL, Case, attrs_of, draw, shaped

IN_PLACE = set("sigmoid relu relu6 leaky_relu elu celu selu gelu silu mish softplus hardtanh hardsigmoid hardswish threshold rrelu".split())
# whose left tail torch computes by cancellation: compared relative to the largest element
LOOSE = set("gelu silu mish tanhshrink hardswish elu selu celu".split())
TRIES = {
    "leaky_relu": [{}, *attrs_of("negative_slope", 0.3, -1, 0, 2.0)],
    "softplus": [{}, {"beta": 2.0}, {"beta": 0.5}, {"beta": 2, "threshold": 0.6}, {"threshold": -1.0}],
    "elu": [{}, *attrs_of("alpha", 0.3, 2.0, 0)],
    "celu": [{}, *attrs_of("alpha", 0.3, 2.0, -1.0, 0)],
    "gelu": [{}, *attrs_of("approximate", "none", "tanh")],
    "hardtanh": [{}, {"min_val": -2, "max_val": 0}, {"min_val": 0.5, "max_val": 2.5}, {"min_val": 1.0, "max_val": -1.0}],
    "hardshrink": [{}, *attrs_of("lambd", 1, 0, -0.5)],
    "softshrink": [{}, *attrs_of("lambd", 1, 0, -0.5)],
    "threshold": [{"threshold": 0.5, "value": -1}, {"threshold": 0, "value": 2.5}, {"threshold": -2, "value": 0}, {"threshold": 1}],
    "rrelu": [{}, {"lower": 0.3, "upper": 0.6}, {"lower": -1.0, "upper": 0.0}],
}


def drawn(op, shape, dtype):
    x = draw(shape, dtype)
    if op in ("hardtanh", "relu6", "hardshrink", "softshrink") and x.numel() > 3 and dtype.is_floating_point:
        x[x.isnan()] = 0.7  # beside a NaN the gradient of torch's vector code is 0, that of its scalar code 1
    return x


def activation(op, tries):
    for attrs, dtype in itertools.product(tries, DTYPES):
        for shape in SHAPES:
            yield Case(op, drawn(op, shape, dtype), **attrs)
            if op in IN_PLACE:
                yield Case(op, drawn(op, shape, dtype), in_place=True, **attrs)
        if dtype.is_floating_point:
            for x in (torch.tensor(SPECIAL, dtype=dtype), torch.randn(1000, dtype=dtype) * 4, torch.tensor([1000.0, -1000.0, 3.0, -3.0, 6.0], dtype=dtype)):
                yield Case(op, x, strict=op not in LOOSE, plain=True, **attrs)


def prelus():
    for x, w in [((3, 4), (4,)), ((3, 4), (1,)), ((3, 4), ()), ((3, 4), (3,)), ((2, 3, 4), (3,)), ((2, 3, 2, 2), (3,)), ((5,), (1,)), ((5,), (5,)), ((), (1,)), ((), ()),
                 ((), (2,)), ((0, 3), (3,)), ((2, 0), (0,)), ((2, 3), (1, 3)), ((2, 1, 3), (1,)), ((1, 2, 1, 2, 1, 2, 1, 2), (2,)), ((2, 3), (0,))]:
        for _ in range(3):
            yield from shaped("prelu", x, w)
    yield Case("prelu", draw((2, 3), F64), draw((3,), F32))


def sloped():
    for x, w in [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((), (3,)), ((5,), ()), ((2, 3), (2,))]:
        for dtype in (F64, F64, F32):
            yield Case("sloped_relu", draw(x, dtype), draw(w, dtype))


def along(op):
    for shape, dims in itertools.product([*SHAPES, (4, 6), (2, 3, 6), (6,), (3, 33)], [{}, *attrs_of("dim", 0, 1, -1, -2, 2, 5, -5)]):
        yield from shaped(op, shape, **dims)


def shaped_like(x, slope):
    return torch.where(x > 0, torch.ones_like(x), torch.full_like(x, slope))


CASES = {op: lambda op=op: activation(op, TRIES.get(op, [{}])) for op in
         """sigmoid relu relu6 leaky_relu elu celu selu gelu silu mish softplus softsign logsigmoid hardtanh hardsigmoid hardswish hardshrink softshrink
         tanhshrink threshold rrelu rrelu_slope""".split()}
CASES.update({"prelu": prelus, "sloped_relu": sloped, "glu": lambda: along("glu"), "softmin": lambda: along("softmin")})

TWIN = {op: getattr(F, op) for op in
        """relu relu6 leaky_relu elu celu selu gelu silu mish softplus softsign logsigmoid hardtanh hardsigmoid hardswish hardshrink softshrink tanhshrink
        threshold rrelu glu""".split()}
TWIN.update(
    sigmoid=torch.sigmoid, prelu=F.prelu, softmin=lambda x, dim=-1: F.softmin(x, dim),
    sloped_relu=lambda x, w: torch.where(x > 0, x, torch.where(x > 0, 1, w) * x),
    rrelu_slope=lambda x: shaped_like(x.detach(), (0.125 + 0.33333333333333333) / 2))

KNOWN = [
    ("softplus", "second.*threshold=", "at the threshold itself the second derivative is that of the smooth side"),
    ("softshrink", "nan, torch has 0.0", "NaN stays NaN"),
    ("relu6?|hardtanh", "accepted .*Bool(ean)? inputs not supported", "bool is taken as 0 and 1"),
    ("[cs]?elu", "gradient of input 0: nan, torch has", "NaN stays NaN; torch's vector and scalar code differ there"),
    ("threshold", r"u8\[.*threshold=-2", "a number that u8 cannot hold is compared as it is; torch wraps it around"),
    ("hardtanh", "accepted .*unsigned type with negative limits", "u8 is computed in i64 and brought back"),
    ("softmin", "dtype is f32, torch has (i|u8)", "torch, without a kernel for integers, hands an empty tensor back"),
]
