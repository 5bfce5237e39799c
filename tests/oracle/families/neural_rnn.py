"""neural_rnn.py - recurrent cells and sequences."""
import itertools

import torch

from binding import F32, F64, I64
from cases import Case, draw

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}


def normal(*shape, dtype=F64):
    return draw(shape, dtype, "normal") * 0.5


def cells():
    for kind, gates in GATES.items():
        states = 2 if kind == "lstm" else 1
        for (b, i, h), dtype, biases in itertools.product([(2, 3, 4), (1, 1, 1), (5, 2, 17), (0, 2, 3), (2, 0, 3)], (F64, F64, F32), (2, 0)):
            yield Case(kind + "_cell", normal(b, i, dtype=dtype), *(normal(b, h, dtype=dtype) for _ in range(states)), normal(gates * h, i, dtype=dtype), normal(gates * h, h, dtype=dtype),
                       *(normal(gates * h, dtype=dtype) for _ in range(biases)))
        good = [(2, 3), *[(2, 4)] * states, (gates * 4, 3), (gates * 4, 4), (gates * 4,), (gates * 4,)]
        for k, s in [(0, (2, 2)), (0, (3, 3)), (0, (3,)), (1, (2, 3)), (1, (1, 4)), (1, (4,)), (states + 1, (gates * 4 + 1, 3)), (states + 2, (gates * 3, 4)), (states + 3, (gates * 3,))]:
            yield Case(kind + "_cell", *(normal(*(s if j == k else t)) for j, t in enumerate(good)))
        yield Case(kind + "_cell", *(normal(*t, dtype=F32 if j == 0 else F64) for j, t in enumerate(good)))
        yield Case(kind + "_cell", *(draw(t, I64) for t in good))
        yield Case(kind + "_cell", *(draw(t, style="special") for t in good))


def weights(kind, layers, directions, i, h, biases, dtype):
    n = GATES[kind] * h
    for layer in range(layers):
        for _ in range(directions):
            yield normal(n, i if layer == 0 else h * directions, dtype=dtype)
            yield normal(n, h, dtype=dtype)
            if biases:
                yield normal(n, dtype=dtype)
                yield normal(n, dtype=dtype)


def sequences():
    for kind in GATES:
        states = 2 if kind == "lstm" else 1
        for (t, b, i, h), layers, both, biases, first in itertools.product([(3, 2, 3, 4), (1, 1, 1, 1), (9, 2, 2, 3), (17, 1, 2, 1)], (1, 2, 3), (False, True), (True, False), (False, True)):
            directions = 2 if both else 1
            dtype = F32 if (layers, both, first) == (2, True, True) else F64
            x = normal(b, t, i, dtype=dtype) if first else normal(t, b, i, dtype=dtype)
            yield Case(kind, x, *(normal(layers * directions, b, h, dtype=dtype) for _ in range(states)), *weights(kind, layers, directions, i, h, biases, dtype),
                       has_biases=biases, num_layers=layers, bidirectional=both, batch_first=first, key=5)
        for p, train in [(0.5, False), (1.0, True), (0.0, True)]:
            yield Case(kind, normal(4, 2, 3), *(normal(2, 2, 3) for _ in range(states)), *weights(kind, 2, 1, 3, 3, True, F64), num_layers=2, dropout=p, train=train, key=3)
        yield Case(kind, normal(150, 2, 3), *(normal(1, 2, 5) for _ in range(states)), *weights(kind, 1, 1, 3, 5, True, F64), key=1)
        yield Case(kind, normal(0, 2, 3), *(normal(1, 2, 5) for _ in range(states)), *weights(kind, 1, 1, 3, 5, True, F64), key=1)
        yield Case(kind, normal(2, 0, 3), *(normal(1, 0, 5) for _ in range(states)), *weights(kind, 1, 1, 3, 5, True, F64), key=1)
        good = [(3, 2, 3), *[(1, 2, 4)] * states, (GATES[kind] * 4, 3), (GATES[kind] * 4, 4), (GATES[kind] * 4,), (GATES[kind] * 4,)]
        for k, s in [(0, (3, 3)), (0, (3, 2, 2)), (0, (3, 1, 3)), (1, (2, 2, 4)), (1, (1, 1, 4)), (1, (2, 4)), (1, (1, 2, 3)), (states + 1, (GATES[kind] * 3, 3)), (states + 2, (GATES[kind] * 4, 3))]:
            yield Case(kind, *(normal(*(s if j == k else t)) for j, t in enumerate(good)), key=1)
        yield Case(kind, *(normal(*t) for t in good[:-1]), key=1)
        yield Case(kind, *(normal(*t) for t in good), has_biases=False, key=1)
        yield Case(kind, *(normal(*t) for t in good), num_layers=2, key=1)


def parts():
    for shape, attrs, dtype in itertools.product([(9, 2), (2, 6), (3,), (20, 3), (0, 2), ()], [{}, {"dim": 1, "n": 3}, {"dim": -1, "n": 5}, {"n": 1}], (F64, F32)):
        yield Case("parts", draw(shape, dtype), **attrs)


def parts_twin(x, dim=0, n=8):
    rows = x.shape[dim]
    at = [rows if k >= n else rows * k // n for k in range(9)]
    return [x.narrow(dim, a, b - a) + 0 for a, b in zip(at, at[1:])]


def cell(kind):
    def twin(*ts):
        states = 2 if kind == "lstm" else 1
        if ts[0].dim() != 2 or any(t.dim() != 2 for t in ts[1:1 + states]):
            raise TypeError("[B,I] and [B,H]")
        return getattr(torch, kind + "_cell")(ts[0], list(ts[1:3]) if kind == "lstm" else ts[1], *ts[1 + states:])
    return twin


def sequence(kind):
    def twin(*ts, has_biases=True, num_layers=1, dropout=0.0, train=False, bidirectional=False, batch_first=False, key=0):
        states = 2 if kind == "lstm" else 1
        if ts[0].dim() != 3:
            raise TypeError("[T,B,I]")
        if len(ts) - 1 - states != num_layers * (1 + bidirectional) * (2 + 2 * has_biases) or ts[1].shape[:2] != (num_layers * (1 + bidirectional), ts[0].shape[not batch_first]):
            raise ValueError("weights, h0")  # torch takes some of these
        return getattr(torch, kind)(ts[0], list(ts[1:3]) if kind == "lstm" else ts[1], list(ts[1 + states:]), has_biases, num_layers, dropout, train, bidirectional, batch_first)
    return twin


CASES = {" ".join(k + "_cell" for k in GATES): cells, " ".join(GATES): sequences, "parts": parts}
TWIN = {**{k + "_cell": cell(k) for k in GATES}, **{k: sequence(k) for k in GATES}, "parts": parts_twin}
KNOWN = []
