#!/usr/bin/env python3
"""freeze.py - writes a few of the oracle's vectors for every op, so that the default tests compare with PyTorch without it.

    freeze.py > tests/ops/frozen.txt

Small f64 cases with plain inputs, rounded to three decimals; what torch answers for them, and the gradients for given cotangents.
Lines: "op NAME attributes", then "x", "y", "g" (the cotangent of the y before it, where a gradient flows) and "dx" (of the x of that number),
each "KIND DTYPE SHAPE = elements".
"""
import random
import sys
import warnings

import torch

from binding import F64, NAME, attr_text
from cases import cases, draw
from oracle import RANDOM, TWIN, families

MOST, EACH = 40, 2  # elements of a tensor, cases of an op


def small(case):
    return (not case.in_place and case.inputs is not None and all(torch.is_tensor(x) or x is None for x in case.inputs)
            and all(x is None or (x.numel() <= MOST and (not x.is_floating_point() or x.dtype == F64)) for x in case.inputs))


def line(kind, t):
    numbers = " ".join(f"{v:.12g}" if t.is_floating_point() else str(int(v)) for v in t.reshape(-1).tolist())
    return f"{kind} {NAME[t.dtype]} {','.join(map(str, t.shape)) or '-'} = {numbers}".rstrip()


def frozen(case):
    """The lines of a case, None when torch refuses it or it says too little."""
    xs = [x if x is None or not x.is_floating_point() else (x * 1000).round() / 1000 for x in case.inputs]
    if not any(x is not None and x.numel() > 1 for x in xs) and xs:
        return None
    if any(x is not None and x.is_floating_point() and not x.isfinite().all() for x in xs):
        return None
    leaves = [x.clone().requires_grad_() if x is not None and x.dtype == F64 else x for x in xs]
    try:
        ys = TWIN[case.op](*leaves, **case.attrs)
        ys = list(ys) if isinstance(ys, (tuple, list)) else [ys]
        if any(y.numel() > 120 or y.dtype not in NAME or not y.double().isfinite().all() for y in ys):
            return None
        flow = [y for y in ys if y.requires_grad]
        gs = [(draw(y.shape, y.dtype, "normal") * 1000).round() / 1000 for y in flow]
        wrt = [x for x in leaves if x is not None and x.requires_grad]
        dxs = torch.autograd.grad(flow, wrt, gs, allow_unused=True) if flow and wrt else []
    except Exception:
        return None
    if any(d is not None and not d.isfinite().all() for d in dxs):
        return None
    attrs = " ".join(f"{k}={attr_text(v)}" for k, v in case.attrs.items())
    out = [f"op {case.op} {attrs}".rstrip()]
    for x in xs:
        out.append("x -" if x is None else line("x", x))
    for y in ys:
        out.append(line("y", y.detach()))
        if y.requires_grad:
            out.append(line("g", gs[[z is y for z in flow].index(True)]))
    for x, d in zip(wrt if flow else [], dxs):
        if d is not None:
            k = [z is x for z in leaves].index(True)
            out.append(line(f"dx{k}", d))
    return out


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    random.seed(1)
    torch.manual_seed(1)
    chosen = {}
    for case in cases(None, families()):
        # a random op has no twin of its own numbers; sets of attributes that differ are preferred
        have = chosen.setdefault(case.op, {})
        key = (tuple(sorted(map(str, case.attrs.items()))), len(case.inputs))
        if case.op in RANDOM or len(have) >= EACH or key in have or not small(case):
            continue
        try:
            lines = frozen(case)
        except Exception:  # a tensor that torch itself cannot read
            lines = None
        if lines:
            have[key] = lines
    print("# Vectors of PyTorch " + torch.__version__ + " for the ops, made by tests/oracle/freeze.py. Do not edit.")
    for op in sorted(chosen):
        for lines in chosen[op].values():
            print("\n".join(lines))
    bare = sorted(op for op, have in chosen.items() if not have)
    print("without a small case:", " ".join(bare), file=sys.stderr)


if __name__ == "__main__":
    main()
