"""matrix.py - cases and twins of ops/matrix: products, einsum, distances, statistics."""
import itertools
import math
import random

import torch
import torch.nn.functional as F

from binding import BOOL, DTYPES, F32, F64, I32, I64, U8
from cases import Case, attrs_of, draw, products, shaped

SAME = [(F64,) * 5, (F64,) * 5, (F32,) * 5, (I64,) * 5, (I32,) * 5, (U8,) * 5, (BOOL,) * 5]
MIXED = [(F32, F64, F32, F64), (F64, F64, F32, F64), (F64, F64, F64, F32), (I64, I32, I64, I64), (F32, I64, F32, F32), (U8, I64, I64, I64)]


def typed(op, *shapes, mixed=True, **attrs):
    for dtypes in SAME + (random.sample(MIXED, 2) if mixed else []):
        yield Case(op, *(s if s is None else draw(s, d) for s, d in zip(shapes, dtypes)), **attrs)


def fixed_ranks():
    for op, shapes in {
            "mm": [((2, 3), (3, 4)), ((2, 0), (0, 3)), ((0, 2), (2, 3)), ((2, 3), (3, 0)), ((1, 1), (1, 1)), ((2, 3), (2, 3)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3, 2)),
                   ((2, 3), (2, 3, 2)), ((1, 40), (40, 5)), ((5, 40), (40, 1)), ((1, 70), (70, 1)), ((33, 65), (65, 17)), ((), (2, 2))],
            "bmm": [((3, 2, 3), (3, 3, 4)), ((1, 2, 3), (4, 3, 2)), ((2, 2, 0), (2, 0, 3)), ((0, 2, 3), (0, 3, 2)), ((2, 2, 3), (2, 2, 3)), ((2, 3), (3, 2)), ((2, 2, 3), (3, 2)),
                    ((2, 1, 40), (2, 40, 1)), ((2, 33, 40), (2, 40, 17)), ((1, 1, 1), (1, 1, 1))],
            "mv": [((2, 3), (3,)), ((2, 0), (0,)), ((0, 3), (3,)), ((2, 3), (2,)), ((2, 3), (3, 1)), ((3,), (3,)), ((1, 1), (1,)), ((5, 40), (40,)), ((40, 5), (5,)), ((2, 3), (1,))],
            "dot": [((3,), (3,)), ((0,), (0,)), ((1,), (1,)), ((3,), (4,)), ((3,), (1,)), ((2, 3), (3,)), ((), ()), ((5000,), (5000,)), ((33,), (33,))],
            "vdot": [((3,), (3,)), ((0,), (0,)), ((3,), (4,)), ((2, 3), (3,)), ((), ())],
            "outer": [((2,), (3,)), ((0,), (3,)), ((2,), (0,)), ((1,), (1,)), ((2, 3), (3,)), ((), (3,)), ((3,), ())],
            "inner": [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((2, 2, 3), (2, 3)), ((), (3,)), ((2,), ()), ((), ()), ((2, 0), (3, 0)), ((0, 3), (2, 3)), ((2, 3), (1,)), ((2, 3), (2,)),
                      ((3,), (2, 2, 3))]}.items():
        for a, b in shapes:
            yield from typed(op, a, b)
            yield from typed(op, a, b, mixed=False)
    same = draw((3, 3))
    yield Case("mm", same, same, plain=True)
    v = draw((4,))
    yield Case("dot", v, v, plain=True)


FACTORS = [{}, {"beta": 0.5, "alpha": -2.0}, {"beta": 0}, {"alpha": 0}, {"beta": 2, "alpha": 3}, {"beta": -1.5}]


def added():
    for op, shapes in {
            "addmm": [((2, 4), (2, 3), (3, 4)), ((4,), (2, 3), (3, 4)), ((2, 1), (2, 3), (3, 4)), ((), (2, 3), (3, 4)), ((1, 1), (2, 3), (3, 4)), ((2, 2), (2, 0), (0, 2)), ((0, 2), (0, 3), (3, 2)),
                      ((3,), (2, 3), (3, 4)), ((1, 2, 4), (2, 3), (3, 4)), ((2, 4), (2, 3), (2, 4)), ((2, 4), (3,), (3, 4)), ((2, 4), (2, 3), (3,)), ((33, 20), (33, 40), (40, 20))],
            "baddbmm": [((2, 2, 4), (2, 2, 3), (2, 3, 4)), ((4,), (2, 2, 3), (2, 3, 4)), ((2, 1, 1), (2, 2, 3), (2, 3, 4)), ((), (2, 2, 3), (2, 3, 4)), ((2, 2, 2), (2, 2, 0), (2, 0, 2)),
                        ((0, 2, 2), (0, 2, 3), (0, 3, 2)), ((3,), (2, 2, 3), (2, 3, 4)), ((2, 2, 4), (2, 2, 3), (1, 3, 4)), ((2, 2, 4), (2, 3), (3, 4))],
            "addbmm": [((2, 4), (3, 2, 3), (3, 3, 4)), ((4,), (2, 2, 3), (2, 3, 4)), ((2, 1), (2, 2, 3), (2, 3, 4)), ((), (2, 2, 3), (2, 3, 4)), ((2, 2), (2, 2, 0), (2, 0, 2)), ((2, 2), (0, 2, 3), (0, 3, 2)),
                       ((2, 2, 4), (2, 2, 3), (2, 3, 4)), ((2, 4), (2, 2, 3), (1, 3, 4)), ((3,), (2, 2, 3), (2, 3, 4))],
            "addmv": [((2,), (2, 3), (3,)), ((1,), (2, 3), (3,)), ((), (2, 3), (3,)), ((2,), (2, 0), (0,)), ((0,), (0, 3), (3,)), ((3,), (2, 3), (3,)), ((1, 2), (2, 3), (3,)), ((2,), (2, 3), (2,)),
                      ((2,), (3,), (3,)), ((5,), (5, 40), (40,))],
            "addr": [((2, 3), (2,), (3,)), ((3,), (2,), (3,)), ((2, 1), (2,), (3,)), ((), (2,), (3,)), ((0, 3), (0,), (3,)), ((1, 1), (1,), (1,)), ((2,), (2,), (3,)), ((1, 2, 3), (2,), (3,)), ((2, 3), (2, 1), (3,))],
            }.items():
        for (x, a, b), attrs in itertools.product(shapes, FACTORS):
            if any(v != int(v) for v in attrs.values()):
                for d in (F64, F64, F32):
                    yield Case(op, draw(x, d), draw(a, d), draw(b, d), **attrs)
            else:
                yield from typed(op, x, a, b, **attrs)
            for d in (F64, F32, I64):
                if d == I64 and any(v != int(v) for v in attrs.values()):
                    continue
                yield Case(op, draw(x, d), draw(a, d), draw(b, d), in_place=True, **attrs)
        x, a, b = shapes[0]
        yield Case(op, draw(x, I64), draw(a, I64), draw(b, I64), beta=2.5)
        yield Case(op, torch.full(x, math.nan, dtype=F64), draw(a), draw(b), beta=0)


def linears():
    for x, w, b in [((4, 3), (2, 3), (2,)), ((3,), (2, 3), (2,)), ((2, 2, 3), (4, 3), (4,)), ((5, 3), (2, 3), None), ((3,), (2, 3), None), ((0, 3), (2, 3), (2,)), ((2, 0), (3, 0), (3,)),
                    ((2, 3), (0, 3), (0,)), ((2, 3), (2, 4), (2,)), ((4, 3), (2, 3), (3,)), ((4, 3), (2, 3), (1,)), ((4, 3), (2, 3), ()), ((4, 3), (3,), None), ((4, 3), (3,), ()), ((3,), (3,), None),
                    ((3,), (3,), ()), ((2, 2, 3), (3,), None), ((), (2, 3), None), ((65, 40), (33, 40), (33,)), ((1, 40), (5, 40), (5,)), ((2, 3), (1, 2, 3), None), ((2, 0, 3), (4, 3), (4,)),
                    ((4, 3), (2, 3), (4, 2)), ((3,), (2, 3), (1,)), ((3,), (2, 3), ()), ((3,), (2, 3), (1, 2)), ((4, 3), (), None), ((4, 3), (2,), None)]:
        for dtypes in SAME[:5] + MIXED:
            x_, w_, b_ = (s if s is None else draw(s, d) for s, d in zip((x, w, b), dtypes))
            yield Case("linear", *([x_, w_] if b is None and random.random() < 0.5 else [x_, w_, b_]))
    for x, y, w, b in [((4, 3), (4, 2), (5, 3, 2), (5,)), ((3,), (2,), (5, 3, 2), (5,)), ((2, 4, 3), (2, 4, 2), (5, 3, 2), None), ((4, 3), (1, 2), (5, 3, 2), (5,)), ((4, 3), (4, 2), (5, 3, 2), ()),
                       ((4, 3), (4, 2), (5, 3, 2), (4, 5)), ((4, 3), (4, 2), (5, 3, 2), (1,)), ((0, 3), (0, 2), (5, 3, 2), (5,)), ((), (), (5, 3, 2), (5,)), ((4, 3), (4, 2), (0, 3, 2), (0,)),
                       ((4, 3), (4, 2), (5, 2, 2), (5,)), ((4, 3), (4, 2), (3, 2), None), ((1, 1), (1, 1), (1, 1, 1), (1,)), ((4, 3), (4, 2, 2), (5, 3, 2), None)]:
        for dtypes in SAME[:5] + MIXED[:2]:
            yield Case("bilinear", *(s if s is None else draw(s, d) for s, d in zip((x, y, w, b), dtypes)))


EQUATIONS = {
    "ij,jk->ik": [((2, 3), (3, 4)), ((2, 1), (3, 4)), ((2, 3), (1, 4)), ((2, 0), (0, 3)), ((2, 3), (2, 4)), ((2, 3), (3,)), ((2, 3),), ((2, 3), (3, 4), (2,)), ((20, 40), (40, 33))],
    "ij,jk": [((2, 3), (3, 4))], "ba,ac": [((2, 3), (3, 4))], "bA,ac": [((2, 3), (3, 4))], "ij,kj->ik": [((2, 3), (4, 3))], "ij,jk->ki": [((2, 3), (3, 4))], "ji,kj->ki": [((2, 3), (4, 2))],
    "bij,bjk->bik": [((2, 3, 4), (2, 4, 2)), ((1, 3, 4), (2, 4, 2)), ((0, 3, 4), (0, 4, 2))], "bhqd,bhkd->bhqk": [((2, 2, 3, 4), (2, 2, 5, 4))], "bqhd,bkhd->bhqk": [((2, 3, 2, 4), (2, 5, 2, 4))],
    "ii->i": [((3, 3),), ((3, 4),), ((1, 1),), ((3, 1),)], "ii": [((3, 3),), ((0, 0),)], "iii->i": [((2, 2, 2),)], "iij->ij": [((3, 3, 2),)], "iji->j": [((3, 2, 3),)], "ij->ji": [((2, 3),)], "ij->": [((2, 3),)],
    "ij->i": [((2, 3),), ((2, 0),)], "ij->j": [((2, 3),)], "ij": [((2, 3),)], "ji": [((2, 3),)], "i->": [((3,),)], "->": [((),)], ",->": [((), ())], ",i->i": [((), (3,))], "i,j->ij": [((2,), (3,))],
    "i,i": [((3,), (3,)), ((3,), (1,)), ((0,), (0,))], "i,i->i": [((3,), (3,)), ((1,), (3,))], "ij,ij->": [((2, 3), (2, 3))], "ij,ji->": [((2, 3), (3, 2))], "ij,ij->ij": [((2, 3), (2, 3))], "ij,ij->j": [((2, 3), (2, 3))],
    "ij,j->i": [((2, 3), (3,))], "ij,j->ij": [((2, 3), (3,))], "bi,bi->b": [((2, 40), (2, 40))], "ijk,jk->i": [((2, 3, 4), (3, 4))], "ijk,kj->i": [((2, 3, 4), (4, 3))], "ijk,lmk->ijlm": [((2, 3, 4), (2, 3, 4))],
    "ij,jk,kl->il": [((2, 3), (3, 2), (2, 4))], "bi,bj,b->ij": [((2, 3), (2, 2), (2,))], "i,j,k->kji": [((2,), (3,), (2,))], "ij,k->": [((2, 3), (2,))], "ij,ik,il->jkl": [((2, 3), (2, 2), (2, 4))],
    "...ij,jk->...ik": [((2, 2, 3), (3, 2)), ((2, 3), (3, 2))], "...ij,...jk": [((2, 3, 2), (1, 2, 4)), ((2, 1, 3, 2), (3, 2, 4)), ((3, 2), (2, 2, 4))], "...,...": [((2, 3), (3,)), ((), (3,))],
    "...->": [((2, 3),)], "i...->...i": [((2, 3, 4),)], "...ii->...i": [((2, 3, 3),)], "...i,...i": [((2, 3), (2, 3))], "i...,i...->...": [((2, 3), (2, 3))], "...a,b...->ab": [((2, 3), (3, 2))], "a...->a": [((2, 3),)],
    "bn,anm,bm->ba": [((2, 3), (4, 3, 5), (2, 5))], "abcdefgh->hgfedcba": [((1, 2, 1, 2, 1, 2, 1, 2),)], "abcdefg,abcdefg->abcdefg": [((1, 2, 1, 2, 1, 2, 1),) * 2], "abcdefg,abcdefgh->abcdefh": [((1, 2, 1, 2, 1, 2, 3), (1, 2, 1, 2, 1, 2, 3, 2))],
    # what is refused
    "ij,jk->iz": [((2, 3), (3, 4))], "ij,jk->ii": [((2, 3), (3, 4))], "i1,jk": [((2, 3), (3, 4))], "ij.,jk": [((2, 3), (3, 4))], "ij,jk->i,k": [((2, 3), (3, 4))], "......i": [((2, 3),)], "i->...": [((3,),)], "ij-k": [((2, 3),)],
    "ij->...ij": [((2, 3),)], "ij,jk->ik->": [((2, 3), (3, 4))], "i->i": [((2, 3),)], "...ijk->": [((2, 3),)], "i->j": [((3,),)],
}


def einsums():
    for equation, shapes in EQUATIONS.items():
        for some in shapes:
            yield from typed("einsum", *some, equation=equation, mixed=equation in ("ij,jk->ik", "i,j->ij", "i,i", "bij,bjk->bik"))
            yield from typed("einsum", *some, equation=equation, mixed=False)


def tensors():
    for a, b, attrs in [((2, 3, 4), (3, 4, 2), {}), ((2, 3), (3, 2), {"dims": 1}), ((2, 3), (3, 2), {"dims": 0}), ((2, 3), (3, 2), {"dims": -1}), ((2, 3), (3, 2), {"dims": 3}), ((2, 3), (1, 2), {"dims": 1}),
                        ((2, 1), (3, 2), {"dims": 1}), ((2, 3), (3, 2), {"dims_a": (1,), "dims_b": (0,)}), ((2, 3), (3, 2), {"dims_a": (-1,), "dims_b": (-2,)}), ((2, 3), (3, 2), {"dims_a": (0, 1), "dims_b": (1, 0)}),
                        ((2, 3), (3, 2), {"dims_a": (1, 0), "dims_b": (0,)}), ((2, 3), (3, 2), {"dims_a": (1, 1), "dims_b": (0, 0)}), ((2, 3), (3, 2), {"dims_a": (2,), "dims_b": (0,)}), ((), (), {"dims": 0}),
                        ((), (3,), {"dims": 0}), ((2, 3), (4, 2), {"dims": 1}), ((2, 3), (3,), {"dims": 1}), ((0, 3), (3, 0), {"dims": 1}), ((2, 0), (0, 3), {"dims": 1}), ((2, 3, 4), (4, 5, 3), {"dims_a": (1, 2), "dims_b": (-1, 0)})]:
        yield from typed("tensordot", a, b, **attrs)
        yield from typed("tensordot", a, b, mixed=False, **attrs)
    for a, b in [((2, 3), (3, 2)), ((2,), (3,)), ((2, 3), (4,)), ((), (3,)), ((), ()), ((0, 3), (2,)), ((2,), (3, 2, 2)), ((1, 2, 1, 2, 2), (2, 1, 2, 2, 2)), ((2, 2, 2, 2), (2, 2, 2, 2))]:
        yield from typed("kron", a, b)
        yield from typed("kron", a, b)
    for some in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4), (4,)), ((2, 3), (3, 4), (4, 2)), ((2, 3),), ((2, 3), (2, 4)), ((2, 3), (3,), (3, 2)), ((2, 2, 3), (3, 2)), ((2, 0), (0, 3)), ((3,), (3, 4)),
                 ((2, 3), (3, 4), (4, 5), (5, 2)), ((5, 2), (2, 6), (6, 1), (1, 4)), ((2, 3), (3, 0), (0, 4)), ((), (3,))]:
        yield from typed("linalg_multi_dot", *some)
        yield from typed("linalg_multi_dot", *some, mixed=False)
    for shape, n in itertools.product([(2, 2), (3, 2, 2), (1, 1), (0, 0), (2, 0, 0), (2, 3), (2,), (2, 2, 3, 3)], [0, 1, 2, 3, 5, 8, -1]):
        for d in DTYPES:
            yield Case("linalg_matrix_power", draw(shape, d, "normal"), n=n)
    for (a, b), attrs in itertools.product([((3,), (3,)), ((2, 3), (2, 3)), ((3, 3), (3, 3)), ((3, 4), (3, 4)), ((2, 4), (2, 4)), ((2, 3), (1, 3)), ((2, 3), (3,)), ((3, 1), (3, 4)), ((0, 3), (0, 3)), ((2, 3), (2, 1)),
                                            ((), ()), ((3, 2, 3), (3, 1, 3)), ((2, 3), (4, 3)), ((2, 3, 2), (2, 3, 2))], [{}, *attrs_of("dim", 0, -1, 1, -2, 5)]):
        for op in ("cross", "linalg_cross"):
            yield from typed(op, a, b, **attrs)
    for (a, b), attrs in itertools.product([((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (2, 4)), ((3,), (2, 3)), ((), ()), ((2, 3), (1, 3)), ((1, 3), (2, 1)), ((2, 0), (2, 0)), ((2, 3, 4), (3, 4)), ((2, 40), (2, 40)), ((3,), ()),
                                            ((0, 3), (0, 3))], [{}, *attrs_of("dim", 0, -1, 1, -2, 2)]):
        yield from typed("linalg_vecdot", a, b, **attrs)


def statistics():
    for shape in [(2, 3), (3, 3), (4, 2), (0, 0), (0, 3), (1, 1), (3,), (), (2, 2, 2)]:
        for _ in range(2):
            yield from typed("trace", shape, mixed=False)
    for shape in [(2, 5), (3, 4), (5,), (), (0, 0), (0, 3), (2, 0), (2, 2, 2), (1, 3), (3, 1), (0,)]:
        yield from typed("corrcoef", shape, mixed=False)
        for correction in (1, 0, 2, -1, 5):
            yield from typed("cov", shape, mixed=False, correction=correction)
    i = torch.tensor
    some = [None, i([1, 2, 3]), i([1, 2, 3], dtype=I32), i([0, 2, 3]), i([1., 2, 3]), i([1, 2]), i([-1, 2, 3]), i([0, 0, 0]), i([[1, 2, 3]]), i([True, True, False])]
    others = [None, i([.1, .2, .3], dtype=F64), i([.1, .2, .3]), i([1, 2, 3]), i([.1, .2]), i([-.1, .2, .3], dtype=F64), i([0., 0, 0], dtype=F64), i([[.1, .2, .3]]), i([0., .2, 3], dtype=F64)]
    for f, a, dtype, c in itertools.product(some, others, (F64, F32, I64), (1, 0, 3)):
        shape = random.choice([(2, 3), (3,), (1, 3), (3, 3)])
        if random.random() < 0.5 or dtype == F64:
            yield Case("cov", draw(shape, dtype, "normal"), f, a, plain=True, correction=c)


PS = [{}, *attrs_of("p", 1.0, 2.0, 0.0, 3.0, 1.5, 0.5, math.inf, -1.0, math.nan)]


def distances():
    for (a, b), attrs in itertools.product([((2, 3), (4, 3)), ((3,), (3,)), ((2, 2, 3), (1, 4, 3)), ((2, 2, 3), (4, 3)), ((2, 0), (3, 0)), ((0, 3), (2, 3)), ((2, 3), (2, 4)), ((2, 2, 3), (3, 4, 3)), ((0, 2, 3), (0, 4, 3)),
                                            ((3, 40), (2, 40)), ((1, 1), (1, 1))], PS):
        for d in [(F64, F64), (F64, F64), (F32, F32), (F32, F64), (I64, I64)]:
            yield Case("cdist", draw(a, d[0], "normal"), draw(b, d[1], "normal"), **attrs)
        yield Case("cdist", draw(a, F64, "ties"), draw(b, F64, "ties"), **attrs)
    for shape, attrs in itertools.product([(4, 3), (1, 2), (0, 2), (3, 0), (2,), (2, 2, 2), (5, 20)], PS):
        for d in (F64, F64, F32, I64):
            yield Case("pdist", draw(shape, d, "normal"), **attrs)
        yield Case("pdist", draw(shape, F64, "ties"), **attrs)
    for attrs in PS[:8]:
        x = draw((3, 4), F64, "normal")
        yield Case("cdist", x, x, plain=True, **attrs)
        yield Case("cdist", torch.tensor([[math.nan, 0.], [1, 2]]), torch.tensor([[3., 4]]), plain=True, **attrs)
        yield Case("distance_rows", draw((2, 1, 3), F64, "normal"), draw((3, 4), F64, "normal"), **attrs)
    yield from (Case("pair_index", n=n) for n in (0, 1, 2, 5))


def rows():
    for a, b in [((3,), (3,)), ((2, 3), (3,)), ((2, 1, 40), (3, 40)), ((0,), (0,)), ((2, 0), (2, 0)), ((3,), (4,)), ((), (3,)), ((2, 3), (4, 3))]:
        yield from typed("dot_rows", a, b)
    for a, b in [((3,), (3,)), ((2, 3), (2, 3)), ((4,), (4,)), ((2, 3), (3,)), ((0, 3), (0, 3))]:
        yield from typed("cross_rows", a, b)


# ---- twins --------------------------------------------------------------------------------------------------------------

def whole(v):
    return int(v) if isinstance(v, float) and v == int(v) else v


def factors(f):
    return lambda x, a, b, beta=1, alpha=1: f(x, a, b, beta=whole(beta), alpha=whole(alpha))


def tensordot(a, b, dims=2, dims_a=(), dims_b=()):
    if len(dims_a) != len(dims_b):
        raise ValueError("both lists have one length")
    return torch.tensordot(a, b, (list(dims_a), list(dims_b)) if dims_a else dims)


def cross(a, b, dim=None):
    return torch.cross(a, b) if dim is None else torch.cross(a, b, dim=dim)


def pdist(x, p=2.0):
    """By its definition: torch.pdist's backward crashes on rows of no elements."""
    if x.dim() != 2 or not x.is_floating_point():
        raise TypeError("a matrix of floats")
    return torch.cdist(x, x, p, compute_mode="donot_use_mm_for_euclid_dist")[tuple(torch.triu_indices(len(x), len(x), 1))]


def dot_rows(a, b):
    if a.dtype != b.dtype or a.shape[-1] != b.shape[-1]:
        raise TypeError("vectors of one dtype and size")
    return (a * b).sum(-1, dtype=a.dtype)


def cross_rows(a, b):
    if a.shape != b.shape:
        raise ValueError("not of one shape")
    return torch.linalg.cross(a, b)


def gemm(a, b):
    if a.dim() < 2 or b.dim() < 2:
        raise TypeError("matrices")
    return torch.matmul(a, b)


def fweights_first(x, f=None, a=None, correction=1):
    return torch.cov(x, correction=correction, fweights=f, aweights=a)


CASES = {
    "matmul": lambda: (c for _ in range(2) for c in products("matmul")), "gemm": lambda: products("gemm"), "mm bmm mv dot vdot outer inner": fixed_ranks,
    "addmm baddbmm addbmm addmv addr": added, "linear bilinear": linears, "einsum": einsums,
    "tensordot kron linalg_multi_dot linalg_matrix_power cross linalg_cross linalg_vecdot": tensors, "trace cov corrcoef": statistics,
    "cdist pdist distance_rows pair_index": distances, "dot_rows cross_rows": rows,
}
TWIN = {name: getattr(torch, name) for name in "matmul mm bmm mv dot vdot outer inner kron trace corrcoef".split()}
TWIN.update({name: factors(getattr(torch, name)) for name in "addmm baddbmm addbmm addmv addr".split()})
TWIN.update(
    gemm=gemm, linear=F.linear, bilinear=F.bilinear, einsum=lambda *x, equation: torch.einsum(equation, *x), tensordot=tensordot, cross=cross,
    linalg_cross=lambda a, b, dim=-1: torch.linalg.cross(a, b, dim=dim), linalg_vecdot=lambda a, b, dim=-1: torch.linalg.vecdot(a, b, dim=dim),
    linalg_multi_dot=lambda *x: torch.linalg.multi_dot(x), linalg_matrix_power=lambda x, n: torch.linalg.matrix_power(x, n), cov=fweights_first,
    cdist=lambda a, b, p=2.0: torch.cdist(a, b, p, compute_mode="donot_use_mm_for_euclid_dist"), pdist=pdist,
    distance_rows=lambda a, b, p=2.0: torch.cdist(a.detach().unsqueeze(-2), b.detach().transpose(-1, -2), p).squeeze(-2),
    pair_index=lambda n: torch.tensor([i * n + j for i in range(n) for j in range(i + 1, n)], dtype=I64), dot_rows=dot_rows, cross_rows=cross_rows)
KNOWN = [
    (".*", r"(do not mix|must have one dtype).*\[(\d+, )*0\b", "torch does not compare the dtypes when a product is empty"),
    ("addmv|baddbmm", "must have one dtype", "torch does not compare the input's dtype with that of the product"),
    ("addbmm|addmm|baddbmm", "accepted .bool.*can't be cast", "torch has no product of bools; here it is \"any of both\""),
    ("add.*|baddbmm", "(beta|alpha) is .* the tensors hold integers", "torch cuts the fraction off; addr refuses it, as ebb does"),
    ("baddbmm", "torch has nan.*beta=0", "torch lets a NaN of the input through, although its documentation says that beta = 0 ignores it"),
    ("addbmm", "addbmm_: the result is .* does not fit", "torch resizes the input in place"),
    ("addmv", "nan, torch has .*alpha=0", "torch does not look at the product then; addmm does, as ebb does in both"),
    ("linear", "mat2 must be a matrix", "the documented form, a weight of 1 dim with a 0-d bias, fails in torch"),
    ("linear", "must have one dtype", "torch promotes a bias of another dtype"),
    ("linalg_matrix_power", "a negative power", "negative powers need an inverse"),
    ("trace", r"\| trace\(f(32|64)\[4, 2\]", "torch's gradient of a tall matrix goes on in its next rows"),
    ("cov", "second .* nan, torch has -?inf", "where the correction leaves nothing to divide by: 0 times infinity"),
    ("corrcoef", r"(gradient|second) of input \d: -?0.0, torch has nan", "one variable's correlation with itself is constant, also where it is NaN"),
    ("cdist", "nan, torch has .* p=inf", "NaN wins in every norm; in torch not in this"),
]
