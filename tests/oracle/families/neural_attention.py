"""neural_attention.py - scaled dot product attention, from its definition: torch 1.13 has no public one."""
import itertools
import math

import torch

from binding import BOOL, F32, F64, I64
from cases import Case, draw


def attentions():
    shapes = [((2, 3), (4, 3), (4, 2)), ((2, 5, 3), (2, 4, 3), (2, 4, 3)), ((2, 3, 4, 2), (2, 3, 4, 2), (2, 3, 4, 5)), ((1, 1), (1, 1), (1, 1)), ((3, 4, 2), (1, 5, 2), (5, 1)), ((2, 0, 3), (2, 4, 3), (2, 4, 3)),
              ((0, 2, 3), (0, 4, 3), (0, 4, 3)), ((40, 17), (33, 17), (33, 9))]
    for (q, k, v), dtype, causal, scale in itertools.product(shapes, (F64, F64, F32), (False, True), (None, 0.7)):
        qkv = [draw(s, dtype, "normal") for s in (q, k, v)]
        attrs = {"is_causal": causal, "key": 7, **({} if scale is None else {"scale": scale})}
        yield Case("scaled_dot_product_attention", *qkv, **attrs)
        for mask in [(q[-2], k[-2]), (1, k[-2]), (k[-2],), ()]:
            yield Case("scaled_dot_product_attention", *qkv, draw(mask, dtype, "normal"), **attrs)
            keep = draw(mask, BOOL)
            yield Case("scaled_dot_product_attention", *qkv, None, keep if mask == () or mask[-1] < 2 else keep | (torch.arange(mask[-1]) == 0), **attrs)
        yield Case("scaled_dot_product_attention", *qkv, draw((q[-2], k[-2]), dtype, "normal"), draw((1, k[-2]), BOOL), key=7)
        yield Case("scaled_dot_product_attention", *qkv, dropout_p=1.0, key=7)
    yield Case("scaled_dot_product_attention", draw((2, 3)), draw((4, 3)), draw((4, 2)), None, torch.zeros(2, 4, dtype=BOOL), key=7)
    for q, k, v in [((3,), (4, 3), (4, 2)), ((2, 3), (3,), (4, 2)), ((2, 3), (4, 2), (4, 2)), ((2, 3), (4, 3), (3, 2)), ((2, 2, 3), (3, 4, 3), (2, 4, 3)), ((), (), ())]:
        yield Case("scaled_dot_product_attention", draw(q), draw(k), draw(v), key=7)
    yield Case("scaled_dot_product_attention", draw((2, 3)), draw((4, 3), F32), draw((4, 2)), key=7)
    yield Case("scaled_dot_product_attention", draw((2, 3)), draw((4, 3)), draw((4, 2)), draw((2, 4), F32), key=7)
    yield Case("scaled_dot_product_attention", draw((2, 3)), draw((4, 3)), draw((4, 2)), draw((3, 4)), key=7)
    yield Case("scaled_dot_product_attention", draw((2, 3)), draw((4, 3)), draw((4, 2)), dropout_p=1.5, key=7)
    yield Case("scaled_dot_product_attention", *(draw(s, I64) for s in ((2, 3), (4, 3), (4, 2))), key=7)
    for big in (1e4, -1e4):
        yield Case("scaled_dot_product_attention", draw((2, 3), F64, "normal") * big, draw((4, 3), F64, "normal") * big, draw((4, 2), F64, "normal"), key=7)


def attention(q, k, v, mask=None, keep=None, dropout_p=0.0, is_causal=False, scale=None, key=0):
    if min(q.dim(), k.dim(), v.dim()) < 2 or not 0 <= dropout_p <= 1 or (mask is not None and mask.dtype != q.dtype):
        raise ValueError("dims, dropout_p, dtype")
    if is_causal and (mask is not None or keep is not None):
        raise ValueError("two masks")
    scores = torch.matmul(q, k.transpose(-1, -2)) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = scores + mask
    if is_causal:
        keep = torch.ones(scores.shape[-2:], dtype=BOOL).tril()
    if keep is not None:
        scores = scores.masked_fill(~keep, -math.inf)
    weights = torch.softmax(scores, -1)
    return torch.matmul(weights * 0 if dropout_p == 1 else weights, v)


CASES = {"scaled_dot_product_attention": attentions}
TWIN = {"scaled_dot_product_attention": attention}
KNOWN = []
