"""neural_distance.py - normalize, cosine_similarity, pairwise_distance."""
import itertools
import math

import torch
import torch.nn.functional as F

from binding import F32, F64, I64
from cases import DTYPES, PAIRS, SHAPES, Case, draw

ORDERS = [None, 1.0, 3.0, 0.0, 0.5, -1.0, math.inf, -math.inf]


def given(**attrs):
    return {k: v for k, v in attrs.items() if v is not None}


def normalized():
    for shape, dim, p in itertools.product(SHAPES, (None, 0, -1, 2, 5), ORDERS):
        for dtype in (F64, F32):
            yield Case("normalize", draw(shape, dtype, "normal"), **given(dim=dim, p=p))
    for dtype in (F64, F32):
        yield Case("normalize", torch.zeros(2, 3, dtype=dtype))
        yield Case("normalize", draw((4, 5), dtype), eps=3.0)
        yield Case("normalize", draw((4, 5), dtype, "normal"), eps=3.0, dim=0)
        yield Case("normalize", torch.tensor([[1e200, 1e200]] if dtype == F64 else [[1e30, 1e30]], dtype=dtype))
        yield Case("normalize", draw((3, 300), dtype))
    yield Case("normalize", draw((2, 3), I64))


def pairs():
    for (a, b), dim, eps in itertools.product(PAIRS + [((5,), (5,)), ((2, 3, 4), (2, 3, 4))], (None, 0, -1, 3), (None, 2.0)):
        for s, t in ((F64, F64), (F64, F64), (F32, F32), (I64, I64), (F64, I64)):
            yield Case("cosine_similarity", draw(a, s, "normal"), draw(b, t, "normal"), **given(dim=dim, eps=eps))
    for (a, b), p, keep in itertools.product(PAIRS + [((5,), (5,)), ((2, 3, 4), (2, 3, 4))], ORDERS, (None, True)):
        for s, t in ((F64, F64), (F32, F32), (I64, I64)):
            yield Case("pairwise_distance", draw(a, s, "normal"), draw(b, t, "normal"), **given(p=p, keepdim=keep))
    for op in ("cosine_similarity", "pairwise_distance"):
        for a, b in [((2, 3), (2, 3)), ((2, 3), (3,))]:
            yield Case(op, draw(a, F32, "normal"), draw(b, F64, "normal"), **({"dim": -1} if op[0] == "c" else {}))
    same = draw((3, 4))
    for eps in (None, 0.0, 0.5):
        yield Case("pairwise_distance", same, same, plain=True, **given(eps=eps))
        yield Case("cosine_similarity", same, same, plain=True, **given(eps=eps))
    yield Case("cosine_similarity", torch.zeros(2, 3, dtype=F64), draw((2, 3), F64, "normal"))
    yield Case("cosine_similarity", draw((3, 300), F32, "normal") * 1e-3, draw((3, 300), F32, "normal"))


def constants():
    for shape, dtype in itertools.product(SHAPES, DTYPES):
        yield Case("outside_graph", draw(shape, dtype))


CASES = {"outside_graph": constants, "normalize": normalized, "cosine_similarity pairwise_distance": pairs}
TWIN = {
    "normalize": F.normalize, "cosine_similarity": F.cosine_similarity, "pairwise_distance": F.pairwise_distance,
    "outside_graph": lambda x: x.detach(),
}
KNOWN = [
    ("normalize|pairwise_distance", "norm of order -?(1|inf) of no elements", "the smallest of nothing; torch takes it as of something in dims that are empty"),
    ("pairwise_distance", r"second .*torch has nan", "where the norm is 0 its derivatives are 0"),
    ("normalize", r"torch has 0.0.*e\+(200|30)", "torch overflows"),
]
