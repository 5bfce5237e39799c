"""loss.py - the losses beside torch.nn.functional's.

Where a weight has a gradient in ebb but not in torch, the twin is torch's definition composed; its value is compared with torch's own.
"""
import itertools
import math

import torch
import torch.nn.functional as F

from binding import BOOL, DTYPES, F32, F64, I32, I64, U8
from cases import PAIRS, SPECIAL, Case, attrs_of, draw, index, shaped

REDUCTIONS = [{}, *attrs_of("reduction", "mean", "sum", "none")]
FLOATS = (F64, F64, F32)


def joined(*lists):
    for parts in itertools.product(*lists):
        yield {k: v for part in parts for k, v in part.items()}


def numbers(op, *others, pairs=PAIRS, dtypes=(F64, F32, I64)):
    """Losses of an input beside a target, broadcast or not, with all attributes."""
    def generate():
        for (x, t), attrs in itertools.product(pairs, joined(REDUCTIONS, *others)):
            for dtype in dtypes:
                yield Case(op, draw(x, dtype), draw(t, dtype), **attrs)
        for attrs in joined(*others):
            yield Case(op, draw((3, 4), F32), draw((3, 4), F64), **attrs)
            for dtype in (F32, F64):
                x = torch.tensor([1000.0, -1000.0, 0.0, 1.0, -1.0, 1e-9], dtype=dtype)
                yield Case(op, x, torch.tensor([1.0, 1.0, 0.0, -1.0, 0.5, 1.0], dtype=dtype), reduction="none", **attrs)
                yield Case(op, x, -x, reduction="none", **attrs)
    return generate


def positive(shape, dtype, low=0.05):
    return torch.rand(shape, dtype=dtype) * 2 + low


def poissons():
    for (x, t), attrs in itertools.product(PAIRS, joined(REDUCTIONS, [{}, {"full": True}, {"log_input": False}, {"log_input": False, "full": True, "eps": 0.1}])):
        for dtype in FLOATS:
            yield Case("poisson_nll_loss", positive(x, dtype), torch.randint(1, 6, t).to(dtype) + 0.5, **attrs)
        yield Case("poisson_nll_loss", draw(x, F64, "normal"), draw(t, F64, "normal"), **attrs)
    yield Case("poisson_nll_loss", draw((3,)), index(3, 5))


def gaussians():
    shapes = [((3, 4),) * 3, ((3, 4), (3, 4), (3, 1)), ((3, 4), (3, 4), (3,)), ((3, 4), (4,), (3, 4)), ((5,), (5,), ()), ((5,), (5,), (1,)), ((), (), ()), ((), (), (1,)),
              ((3, 4), (3, 4), (4,)), ((3, 4), (3, 4), ()), ((2, 3, 4), (2, 3, 4), (2, 3)), ((0, 3), (0, 3), (0,)), ((2, 3), (3, 2), (2, 3)), ((3, 4), (3, 4), (1, 4))]
    for (x, t, v), attrs in itertools.product(shapes, joined(REDUCTIONS, [{}, {"full": True}, {"eps": 0.7}])):
        for dtype in FLOATS:
            yield Case("gaussian_nll_loss", draw(x, dtype), draw(t, dtype), positive(v, dtype), **attrs)
    yield Case("gaussian_nll_loss", draw((3,)), draw((3,)), torch.tensor([1.0, -0.5, 2.0], dtype=F64))
    yield Case("gaussian_nll_loss", draw((3,)), draw((3,)), torch.tensor([1.0, 0.0, 2.0], dtype=F64))


def kls():
    for (x, t), attrs in itertools.product(PAIRS, joined([*REDUCTIONS, {"reduction": "batchmean"}], [{}, {"log_target": True}])):
        for dtype in FLOATS:
            yield Case("kl_div", draw(x, dtype), positive(t, dtype), **attrs)
    yield Case("kl_div", draw((3,), style="normal"), torch.tensor([0.0, -1.0, 1.0], dtype=F64), reduction="none")
    yield Case("kl_div", draw((3,), F32, "normal"), positive((3,), F64))


SAME = [(s, s) for s in [(3, 4), (5,), (), (0,), (2, 0), (2, 3, 4)]] + [((3, 4), (4,)), ((3,), (1,)), ((), (1,)), ((3, 4), (3, 1))]
WEIGHTS = [None, "same", (4,), (1,), (), (3, 1), (2, 3, 4), (7,)]


def binaries(op):
    logits = op.endswith("logits")
    for (x, t), w, attrs in itertools.product(SAME, WEIGHTS, REDUCTIONS):
        for dtype in FLOATS:
            made = None if w is None else positive(x if w == "same" else w, dtype)
            a = draw(x, dtype) if logits else torch.rand(x, dtype=dtype)
            b = torch.rand(t, dtype=dtype)
            yield Case(op, *([a, b] if made is None else [a, b, made]), **attrs)
            if logits and made is not None and attrs.get("reduction") != "mean":
                yield Case(op, a, b, *random_of((None, made), (positive(x, dtype), made)), **attrs)
    for dtype in (F64, F32):
        edge = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5, 1e-30], dtype=dtype)
        yield Case(op, edge, torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0], dtype=dtype), reduction="none")
        big = torch.tensor(SPECIAL + [1000.0, -1000.0], dtype=dtype)
        for t in (0.0, 1.0, 0.3):
            if logits:
                yield Case(op, big, torch.full_like(big, t), reduction="none")
    yield Case(op, torch.tensor([0.5, 1.5], dtype=F64), torch.rand(2, dtype=F64))
    yield Case(op, torch.tensor([0.5, -0.1], dtype=F64), torch.rand(2, dtype=F64))
    yield Case(op, torch.rand(3, dtype=F64), torch.rand(3, dtype=F32))
    yield Case(op, torch.rand(3, dtype=F64), index(3, 2))


def signs(shape, dtype):
    return torch.randint(0, 2, shape).to(dtype) * 2 - 1


def hinges():
    for (x, t), attrs in itertools.product(PAIRS, joined(REDUCTIONS, [{}, {"margin": 0.3}, {"margin": -1}])):
        for dtype in FLOATS:
            yield Case("hinge_embedding_loss", draw(x, dtype), signs(t, dtype), **attrs)
        yield Case("hinge_embedding_loss", draw(x), draw(t, F64, "ties"), **attrs)
    yield Case("hinge_embedding_loss", draw((3,)), signs((3,), I64))


def soft_margins():
    for (x, t), attrs in itertools.product(SAME, REDUCTIONS):
        for dtype in FLOATS:
            yield Case("soft_margin_loss", draw(x, dtype, "normal"), signs(t, dtype), **attrs)
            yield Case("multilabel_soft_margin_loss", draw(x, dtype), torch.rand(t, dtype=dtype), **attrs)
            yield Case("multilabel_soft_margin_loss", draw(x, dtype), torch.rand(t, dtype=dtype), positive((4,), dtype), **attrs)
    x = torch.tensor([1000.0, -1000.0, 30.0], dtype=F64)
    yield Case("soft_margin_loss", x, torch.ones_like(x), reduction="none")
    yield Case("multilabel_soft_margin_loss", x, torch.ones_like(x), reduction="none")


def rankings():
    shapes = [((3, 4),) * 3, ((5,),) * 3, ((),) * 3, ((0,),) * 3, ((3, 4), (3, 1), (1, 4)), ((3, 4), (4,), (3, 4)), ((3,), (3,), ()), ((2, 3), (2, 3), (3, 2))]
    for (x, y, t), attrs in itertools.product(shapes, joined(REDUCTIONS, [{}, {"margin": 1}, {"margin": -0.5}])):
        for dtype in FLOATS:
            yield Case("margin_ranking_loss", draw(x, dtype), draw(y, dtype), signs(t, dtype), **attrs)
        yield Case("margin_ranking_loss", draw(x), draw(y), draw(t), **attrs)


def cosines():
    shapes = [((4, 3), (4, 3), (4,)), ((3,), (3,), ()), ((4, 3), (1, 3), (4,)), ((4, 3), (4, 3), (1,)), ((4, 3), (4, 3), ()), ((3,), (3,), (1,)), ((4, 3), (3,), (4,)), ((0, 3), (0, 3), (0,)),
              ((4, 0), (4, 0), (4,)), ((2, 4, 3), (2, 4, 3), (2,)), ((4, 3), (4, 2), (4,)), ((), (), ()), ((4, 3), (4, 3), (4, 1)), ((4, 3), (4, 3), (3,))]
    for (x, y, t), attrs in itertools.product(shapes, joined(REDUCTIONS, [{}, {"margin": 0.5}, {"margin": -0.5}])):
        for dtype in FLOATS:
            yield Case("cosine_embedding_loss", draw(x, dtype), draw(y, dtype), signs(t, random_of(dtype, I64)), **attrs)
    yield Case("cosine_embedding_loss", torch.zeros(2, 3, dtype=F64), draw((2, 3), style="normal"), signs((2,), I64))
    yield Case("cosine_embedding_loss", draw((3, 3)), draw((3, 3)), torch.tensor([0, 2, -1]), reduction="none")


def random_of(*choices):
    return choices[int(torch.randint(0, len(choices), ()))]


def triplets():
    shapes = [((4, 3),) * 3, ((3,),) * 3, ((),) * 3, ((0, 3),) * 3, ((2, 4, 3),) * 3, ((4, 3), (1, 3), (4, 1)), ((4, 3), (3,), (4, 3)), ((4, 0),) * 3, ((4, 3), (4, 2), (4, 3))]
    tries = [{}, {"margin": 2.5}, {"p": 1}, {"p": 3.5}, {"p": math.inf}, {"p": 0}, {"swap": True}, {"eps": 0.3, "swap": True, "p": 1}]
    for shape, attrs in itertools.product(shapes, joined(REDUCTIONS, tries)):
        for dtype in FLOATS:
            yield Case("triplet_margin_loss", *(draw(s, dtype, "normal") for s in shape), **attrs)
    x = draw((2, 3), style="normal")
    yield Case("triplet_margin_loss", x, x, draw((2, 3), style="normal"), plain=True, eps=0.0)


CLASSES = [((4, 3), (4,)), ((3,), ()), ((2, 3, 4), (2, 4)), ((2, 3, 2, 2), (2, 2, 2)), ((1, 1), (1,)), ((0, 3), (0,)), ((2, 3, 0), (2, 0)), ((4, 3), (3,)), ((4, 3), ()), ((), ()),
           ((4, 3), (4, 1)), ((4, 33), (4,)), ((2, 0), (2,)), ((4, 3), (1,)), ((1, 3), (4,)), ((3,), (1,))]


def width(x):
    return (x[1] if len(x) > 1 else x[0]) if x else 1


def classes(op):
    """Class indices: weights, ignored targets, smoothing, every layout."""
    more = [{}, {"label_smoothing": 0.3}, {"label_smoothing": 1.0}] if op == "cross_entropy" else [{}]
    for (x, t), attrs, w in itertools.product(CLASSES, joined(REDUCTIONS, more, [{}, {"ignore_index": 1}]), (None, "classes")):
        for dtype, kind in ((F64, I64), (F64, I64), (F32, random_of(I64, I32, U8))):
            made = [] if w is None else [positive((width(x),), dtype)]
            yield Case(op, draw(x, dtype), index(t, width(x), kind), *made, **attrs)
    for w in [(4,), (1,), (), (1, 3), (3, 1)]:
        yield Case(op, draw((2, 3)), index(2, 3), positive(w, F64))
    yield Case(op, draw((2, 3)), index(2, 3), positive((3,), F32))
    yield Case(op, draw((2, 3), I64), index(2, 3))
    yield Case(op, draw((2, 3)), index(2, 3).to(F64))
    yield Case(op, draw((2, 3)), draw((2,), BOOL))
    for v in ([-1, 0], [3, 0], [-100, 0], [-100, -100], [-100, 2]):
        for attrs in joined(REDUCTIONS, more):
            yield Case(op, draw((2, 3), style="normal"), torch.tensor(v), **attrs)
            yield Case(op, draw((2, 3), style="normal"), torch.tensor(v), positive((3,), F64), **attrs)
    inf = math.inf
    for row in ([-inf, 0, 1], [inf, 0, 1], [math.nan, 0, 1], [1e4, -1e4, 0], [-inf, -inf, -inf]):
        for t in range(3):
            yield Case(op, torch.tensor([row], dtype=F64), torch.tensor([t]))


def entropies():
    yield from classes("cross_entropy")
    for x, attrs, w in itertools.product([(4, 3), (3,), (2, 3, 4), (2, 3, 2, 2), (0, 3), (1, 1), ()], joined(REDUCTIONS, [{}, {"label_smoothing": 0.3}]), (False, True)):
        for dtype in FLOATS:
            made = [positive((width(x),), dtype)] if w else []
            t = torch.rand(x, dtype=dtype)
            yield Case("cross_entropy", draw(x, dtype), t, *made, **attrs)
    yield Case("cross_entropy", draw((2, 3), F64), torch.rand(2, 3))
    yield Case("cross_entropy", draw((2, 3), F64), index((2, 3), 2))
    yield Case("cross_entropy", draw((2, 3), F64), torch.rand(2, 3, dtype=F64), ignore_index=1)
    yield Case("cross_entropy", draw((2, 3), F64), torch.rand(2, 3, dtype=F64), label_smoothing=1.5)
    yield Case("cross_entropy", draw((2, 3), F64), index(2, 3), label_smoothing=-0.5)


def picked(op):
    for x, t in [((3,), ()), ((4, 3), (4,)), ((4, 3), (1,)), ((1, 3), (4,)), ((2, 4, 3), (4,)), ((3,), (4,)), ((0, 3), (0,)), ((4, 3), (3,)), ((5, 33), (5,))]:
        for dtype in FLOATS:
            for attrs in ({}, {"ignore_index": 1}):
                i = index(t, x[-1], I64)
                if op == "class_place":
                    yield Case(op, draw(t, dtype), i, draw(x, dtype), **attrs)
                else:
                    yield Case(op, draw(x, dtype), i, **attrs)
    for v in ([3, 0], [-1, 0], [-100, 0]):
        yield Case(op, *([draw((2,)), torch.tensor(v), draw((2, 3))] if op == "class_place" else [draw((2, 3)), torch.tensor(v)]))


def multi_margins():
    for (x, t), attrs, w in itertools.product([((4, 3), (4,)), ((3,), ()), ((3,), (1,)), ((1, 1), (1,)), ((4, 0), (4,)), ((4, 3), (3,)), ((2, 3, 4), (2, 4)), ((4, 3), ()), ((), ())],
                                              joined(REDUCTIONS, [{}, {"p": 2}, {"margin": 0.3}, {"margin": 2, "p": 2}]), (False, True)):
        for dtype in FLOATS:
            yield Case("multi_margin_loss", draw(x, dtype), index(t, x[-1] if x else 1), *([positive((x[-1] if x else 1,), dtype)] if w else []), **attrs)
    yield Case("multi_margin_loss", draw((2, 3)), index(2, 3), p=3)
    yield Case("multi_margin_loss", draw((2, 3)), torch.tensor([0, 3]))
    yield Case("multi_margin_loss", draw((2, 3)), torch.tensor([0, -100]))
    yield Case("multi_margin_loss", draw((2, 3)), index(2, 3), positive((2,), F64))


def multilabels():
    for x, attrs in itertools.product([(4, 3), (3,), (2, 5), (1, 1), (3, 0), (2, 3, 4)], REDUCTIONS):
        for dtype in FLOATS:
            t = torch.randint(-1, x[-1] or 1, x)
            yield Case("multilabel_margin_loss", draw(x, dtype), t, **attrs)
            yield Case("multilabel_margin_loss", draw(x, dtype), torch.where(t < 0, t, t.clamp(max=0)), **attrs)
    yield Case("multilabel_margin_loss", draw((2, 3)), torch.tensor([[0, 3, -1], [0, 1, 2]]))
    yield Case("multilabel_margin_loss", draw((2, 3)), torch.tensor([[0, -2, -1], [0, 1, 2]]))
    yield Case("multilabel_margin_loss", draw((2, 3)), torch.tensor([[-1, 5, -1], [0, 1, 2]]))
    yield Case("multilabel_margin_loss", draw((2, 3)), index((3,), 3))
    yield Case("multilabel_margin_loss", draw((3,)), draw((3,)))


def ctcs():
    for (t, n, c, s), blank, listed in itertools.product([(5, 2, 4, 2), (1, 1, 2, 1), (12, 3, 5, 4), (3, 4, 3, 0), (6, 1, 3, 2), (4, 0, 3, 2), (2, 3, 4, 2)], (0, 1), (False, True)):
        for attrs in joined(REDUCTIONS, [{}, {"zero_infinity": True}]):
            for dtype in FLOATS:
                x = draw((t, n, c), dtype, "normal").log_softmax(2)
                lens, rows = torch.randint(1, t + 1, (n,)), torch.randint(0, s + 1, (n,))
                if n and not listed:
                    rows[0] = s
                # never the blank, where torch's gradient is not that of its loss
                target = (blank + torch.randint(1, c, (int(rows.sum()),) if listed else (n, s), dtype=random_of(I64, I64, I32))) % c
                yield Case("ctc_loss", x, target, lens.to(random_of(I64, I32)), rows, blank=blank, **attrs)
                if listed and n == 1 and s:
                    yield Case("ctc_loss", x[:, 0], target[:s], lens.reshape(random_of((), (1,))), torch.tensor(target[:s].numel()), blank=blank, **attrs)
    x, target = draw((5, 2, 4), style="normal").log_softmax(2), torch.randint(1, 4, (2, 2))
    for bad in [((6, 5), (2, 2), {}), ((5, 5), (3, 2), {}), ((5,), (2, 2), {}), ((5, 5), (2,), {}), ((5, 5), (2, 2), {"blank": 4}), ((5, 5), (2, 2), {"blank": -1})]:
        yield Case("ctc_loss", x, target, torch.tensor(bad[0]), torch.tensor(bad[1]), **bad[2])
    for rows in ((2, 1), (3, 2), (2, 2)):
        yield Case("ctc_loss", x, target.flatten(), torch.tensor([5, 5]), torch.tensor(rows))
    yield Case("ctc_loss", x, target, torch.tensor([5.0, 5.0]), torch.tensor([2, 2]))
    yield Case("ctc_loss", x.long(), target, torch.tensor([5, 5]), torch.tensor([2, 2]))


def alphas():
    for t, s, dtype in itertools.product((1, 2, 5), [(1,), (2,), (7,), (2, 5), (2, 3, 4)], FLOATS):
        yield Case("ctc_alpha", draw((*s[:-1], t, s[-1]), dtype, "normal"), draw(s, BOOL))


CASES = {
    "ctc_loss": ctcs, "ctc_alpha": alphas, "ctc_labels": lambda: [Case("ctc_labels", torch.tensor([3, 1, 2]), torch.tensor([1, 0, 2]), size=3, blank=5)],
    "mse_loss": numbers("mse_loss"), "l1_loss": numbers("l1_loss"), "huber_loss": numbers("huber_loss", [{}, {"delta": 0.4}, {"delta": 0}, {"delta": -1}]),
    "smooth_l1_loss": numbers("smooth_l1_loss", [{}, {"beta": 0.4}, {"beta": 0}, {"beta": -1}, {"beta": 3}]), "kl_div": kls, "poisson_nll_loss": poissons, "gaussian_nll_loss": gaussians,
    "binary_cross_entropy": lambda: binaries("binary_cross_entropy"), "binary_cross_entropy_with_logits": lambda: binaries("binary_cross_entropy_with_logits"),
    "hinge_embedding_loss": hinges, "soft_margin_loss multilabel_soft_margin_loss": soft_margins, "margin_ranking_loss": rankings, "cosine_embedding_loss": cosines,
    "triplet_margin_loss": triplets, "nll_loss": lambda: classes("nll_loss"), "cross_entropy": entropies, "cross_entropy_rows": lambda: picked("cross_entropy_rows"),
    "class_pick": lambda: picked("class_pick"), "class_place": lambda: picked("class_place"), "multi_margin_loss": multi_margins, "multilabel_margin_loss": multilabels,
    "huber_of": lambda: (Case("huber_of", draw(s, d), delta=k) for s in [(), (5,), (3, 4)] for d in FLOATS for k in (1, 0.4)),
    "xlogx": lambda: (Case("xlogx", positive(s, d)) for s in [(), (5,), (3, 4)] for d in FLOATS),
    "variance_of": lambda: (Case("variance_of", positive(s, d), eps=k) for s in [(), (5,), (3, 4)] for d in FLOATS for k in (1e-6, 0.7)),
    "label_counts": lambda: (Case("label_counts", torch.randint(-1, s[-1], s)) for s in [(3,), (2, 5), (2, 3, 4)]),
}


# ---- the twins ----------------------------------------------------------------------------------------------------------

def agreeing(mine, theirs):
    """mine, when it is what torch computes."""
    if mine.shape != theirs.shape or not torch.allclose(mine.detach(), theirs.detach(), rtol=1e-4, atol=1e-5, equal_nan=True):
        raise AssertionError(f"the twin is wrong: {mine} {theirs}")
    return mine


def reduced(each, reduction, total=None):
    if reduction == "none":
        return each
    return each.sum() if reduction == "sum" else each.mean() if total is None else each.sum() / total


def weighted(f, each):
    """F's loss where no weight is given; else the composed one."""
    def twin(x, t, *weights, reduction="mean", **attrs):
        if all(w is None for w in weights):
            return f(x, t, reduction=reduction, **attrs)
        theirs = f(x.detach(), t.detach(), *(w if w is None else w.detach() for w in weights), reduction=reduction, **attrs)
        return agreeing(reduced(each(x, t, *weights, **attrs), reduction), theirs)
    return twin


def bce_rows(x, t, w=1):
    return F.binary_cross_entropy(x, t, reduction="none") * w


def logit_rows(x, t, w=None, p=None):
    ls = F.logsigmoid(x) if p is None else F.logsigmoid(x) * (1 + (p - 1) * t)
    return ((1 - t) * x - ls) * (1 if w is None else w)


def pick(x, t, none):
    hit = t != none
    safe = torch.where(hit, t.long(), 0)
    batch = torch.broadcast_shapes(x.shape[:-1], t.shape)
    y = torch.gather(x.expand(*batch, x.shape[-1]), -1, safe.expand(batch).unsqueeze(-1)).squeeze(-1)
    return torch.where(hit.expand(batch), y, torch.zeros((), dtype=x.dtype))


def of_classes(f, soft):
    def twin(x, t, w=None, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        attrs = {"label_smoothing": label_smoothing} if soft else {}
        if soft and ignore_index >= 0 and t.is_floating_point() and t.shape == x.shape:
            raise ValueError("ignore_index beside probabilities")
        if bool(((t != ignore_index) & ((t < 0) | (t >= width(x.shape)))).any()) and not t.is_floating_point():
            raise IndexError("target out of bounds")
        theirs = f(x, t.long() if t.dtype in (I32, U8) else t, None if w is None else w.detach(), reduction=reduction, ignore_index=ignore_index, **attrs)
        if w is None and t.dtype == I64 and (not label_smoothing or reduction != "none"):
            return theirs
        if w is None and soft and t.is_floating_point():
            return theirs
        if w is not None and w.dtype != x.dtype:
            raise TypeError("one dtype")
        rows = x.movedim(1, -1) if x.dim() > 1 else x
        logp = F.log_softmax(rows, -1) if soft else rows
        ws = torch.ones(rows.shape[-1:], dtype=x.dtype) if w is None else w
        if t.is_floating_point():
            q = (t.movedim(1, -1) if t.dim() > 1 else t) * (1 - label_smoothing) + label_smoothing / rows.shape[-1]
            return agreeing(reduced(-(logp * q * ws).sum(-1), reduction), theirs)
        share = label_smoothing / rows.shape[-1]
        each = -pick(logp, t, ignore_index) * pick(ws, t, ignore_index) * (1 - label_smoothing)
        if label_smoothing:
            each = each + share * torch.where(t == ignore_index, 0, -(logp * ws).sum(-1))
        mine = reduced(each, reduction, pick(ws, t, ignore_index).sum())
        return agreeing(mine, theirs)
    return twin


def in_range(t, n, none):
    if bool(((t != none) & ((t < 0) | (t >= n))).any()):
        raise IndexError("target out of bounds")


def class_pick(x, t, ignore_index=-100):
    in_range(t, x.shape[-1], ignore_index)
    return pick(x, t, ignore_index)


def class_place(x, t, like, ignore_index=-100):
    in_range(t, like.shape[-1], ignore_index)
    shape = torch.broadcast_shapes(x.shape, t.shape, like.shape[:-1])
    hot = (t.unsqueeze(-1) == torch.arange(like.shape[-1])) & (t != ignore_index).unsqueeze(-1)
    return torch.where(hot, x.unsqueeze(-1), 0).expand(*shape, like.shape[-1])


def cross_entropy_rows(x, t, ignore_index=-100):
    in_range(t, x.shape[-1], ignore_index)
    return -pick(F.log_softmax(x, -1), t, ignore_index)


def multi_margin_rows(x, t, w, p=1, margin=1):
    return F.multi_margin_loss(x, t, p=p, margin=margin, reduction="none") * pick(w, t, -10**9)


def huber_of(x, delta):
    return F.huber_loss(x, torch.zeros_like(x), reduction="none", delta=delta)


def variance_of(v, eps):
    return v + (v.clamp(min=eps) - v).detach()


def label_counts(t):
    n = t.shape[-1]
    listed = (t < 0).long().cumsum(-1) == 0
    return ((t.unsqueeze(-1) == torch.arange(n)) & listed.unsqueeze(-1)).sum(-2)


def multi_margin(x, t, w=None, **attrs):
    if x.dim() == 0:
        raise ValueError("0-d")
    return weighted(F.multi_margin_loss if w is None else lambda x, t, w, **k: F.multi_margin_loss(x, t, weight=w, **k), multi_margin_rows)(
        x, t, *([] if w is None else [w]), **attrs)


def ctc_loss(x, t, lens, rows, blank=0, reduction="mean", zero_infinity=False):
    """torch takes log_probs as normalised: its gradient has exp(x) added, and NaN where the loss is infinite. Here it is the formula's, and 0."""
    theirs = F.ctc_loss(x.detach(), t, lens, rows, blank, reduction, zero_infinity)
    one, n = x.dim() == 2, 1 if x.dim() == 2 else x.shape[1]
    each = F.ctc_loss(x, t, lens, rows, blank, "none", True).reshape(n)
    infinite = F.ctc_loss(x.detach(), t, lens, rows, blank, "none", False).reshape(n).isinf()
    inside = (torch.arange(x.shape[0]).unsqueeze(1) < lens.reshape(1, n)) & ~infinite
    extra = torch.where(inside.unsqueeze(-1), x.reshape(x.shape[0], n, x.shape[-1]).exp(), 0).sum((0, 2))
    each = torch.where(infinite, 0.0 if zero_infinity else math.inf, each - (extra - extra.detach()))
    if reduction == "mean":
        each = each / rows.reshape(n).clamp(min=1)
    return agreeing(reduced(each.reshape(()) if one and reduction == "none" else each, reduction), theirs)


def ctc_alpha(x, skip):
    n = x.shape[-1]
    rows = [torch.where(torch.arange(n) < 2, x[..., 0, :], -1e10)]
    for t in range(1, x.shape[-2]):
        one, two = F.pad(rows[-1], (1, 0), value=-1e10)[..., :-1], F.pad(rows[-1], (2, 0), value=-1e10)[..., :-2]
        ways = torch.stack([rows[-1], one, torch.where(skip, two, -1e10)])
        rows.append(torch.where((ways < -5e9).all(0), -1e10, ways.logsumexp(0) + x[..., t, :]))
    return torch.stack(rows, -2)


def ctc_labels(t, rows, size, blank):
    parts = torch.split(t, rows.tolist())
    return torch.stack([F.pad(p, (0, size - len(p)), value=blank) for p in parts])


TWIN = {op: getattr(F, op) for op in
        """mse_loss l1_loss huber_loss smooth_l1_loss kl_div poisson_nll_loss gaussian_nll_loss hinge_embedding_loss soft_margin_loss multilabel_soft_margin_loss
        margin_ranking_loss cosine_embedding_loss triplet_margin_loss multilabel_margin_loss""".split()}
TWIN.update(
    binary_cross_entropy=weighted(F.binary_cross_entropy, bce_rows),
    binary_cross_entropy_with_logits=weighted(
        lambda x, t, w=None, p=None, reduction="mean": F.binary_cross_entropy_with_logits(x, t, w, pos_weight=p, reduction=reduction), logit_rows),
    nll_loss=of_classes(F.nll_loss, False), cross_entropy=of_classes(F.cross_entropy, True), cross_entropy_rows=cross_entropy_rows,
    ctc_loss=ctc_loss, ctc_labels=ctc_labels, ctc_alpha=ctc_alpha, class_pick=class_pick, class_place=class_place, multi_margin_loss=multi_margin, bce_rows=bce_rows, huber_of=huber_of,
    xlogx=lambda x: x * x.log(), variance_of=variance_of, label_counts=label_counts)
CASES["bce_rows"] = lambda: (Case("bce_rows", torch.rand(s, dtype=d), torch.rand(s, dtype=d)) for s in [(), (5,), (3, 4)] for d in FLOATS)

KNOWN = [
    (".*", r"second of .* (nan, torch has 0\.0|0\.0, torch has nan).*\[(\d+, )*0\b", "the second derivative of a mean of nothing"),
    ("l1_loss", "gradient.* nan, torch has -?0.0", "the derivative is the sign of the difference, and the sign of NaN is NaN"),
    ("smooth_l1_loss", "gradient .*beta=0", "where both are equal the derivative is 0, as that of l1_loss; torch has -1"),
    ("huber_loss|binary_cross_entropy_with_logits", "dtype is f64, torch has f32", "the dtypes are promoted, as in the other losses"),
    ("binary_cross_entropy_with_logits", "can't be cast to the desired output type Long", "the dtypes are promoted, as in the other losses"),
    ("binary_cross_entropy", r"gradient of input \d: .*torch has -?inf", "the gradient's logarithms end at -100 too, as the loss's do"),
    ("kl_div", r"gradient of input \d: -?inf, torch has nan", "the derivative of t*ln(t) at 0 is -inf; torch has 0/0"),
    ("poisson_nll_loss", "torch has nan.*full=1", "where Stirling's term is left out it has no gradient; torch has 0*NaN"),
    ("soft_margin_loss", "not differentiable with respect to argument 'target'", "the target has a gradient too"),
    ("triplet_margin_loss", "needs_grad is False.*p=0", "a count has no gradient"),
    ("triplet_margin_loss", r"second .*torch has nan.*\[4, 0\]", "the second derivative of distances of nothing"),
    ("cross_entropy(_rows)?", "gradient of input 0: 0.0, torch has nan.*ignore_index", "a row that is ignored has no gradient, whatever stands in it"),
    ("multi(label)?_margin_loss", "nan, torch has", "NaN stays NaN"),
    ("multi_margin_loss", r"weight is \[2\]", "torch does not compare the weight's size"),
    ("cross_entropy", "label_smoothing is -0.5, outside", "label_smoothing is a share, 0..1; torch checks only the 1"),
]
