#!/usr/bin/env python3
"""oracle.py - every built-in op against PyTorch, through the shared library and the by-name C ABI.

    oracle.py LIBEBB.so [--op NAME] [--family NAME] [--seed N]

Cases, twins and known deviations stand in families/NAME.py, one for each folder of ops/; a family may have several files:
    CASES = {"op1 op2": generator function of Case}   TWIN = {"op1": what torch calls it}   KNOWN = [(ops, pattern, reason)]
and, where there are any, RANDOM = {ops whose numbers are not compared}.

A case (cases.py) is one call with generated inputs. What torch refuses ebb must refuse; what torch accepts ebb must accept, with
the same dtype, shape, values, first gradients for random cotangents and, in part of the f64 cases, second ones. In-place forms
are called on a computed tensor, so that their gradients count too.

Prints for each op its cases and worst differences (|a - b| relative to the largest element or 1; for functions of numbers, to the
element itself); then each kind of failure once, with the smallest case that shows it. Closes with "N passed, N failed".
"""
import argparse
import glob
import importlib.util
import math
import os
import random
import re
import sys
import warnings
from collections import Counter, defaultdict

try:
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f"skipped: {missing}; the oracle needs PyTorch\n0 passed, 0 failed")
    sys.exit(0)

from binding import CREATE_GRAPH, ALLOW_UNUSED, F32, F64, I64, NAME, Ebb, Refused
import programs
from cases import cases, draw

VALUE_TOL = {F64: 1e-9, F32: 1e-5}
GRAD_TOL = {F64: 1e-7, F32: 2e-4}
PROGRAMS = 2000  # random ones, with views and in-place writes

# Deliberate deviations: (ops, pattern of "failure | case", reason). They count as passed, and are listed when they occur.
KNOWN = [  # of every op; those of one stand with its family
    (".*", r"refused: .*there is no kernel for (i32|i64|u8|bool)", "the kernels are for f32 and f64, arithmetic also for i32 and i64"),
    (".*", r"accepted .* not implemented for '", "torch has no kernel for these integers; ebb computes in them or takes them as f32"),
]
TWIN = {}  # what torch calls each op
RANDOM = set()  # ops whose numbers are their own: dtype and shape are compared


def families(only=None):
    """Joins what families/*.py declare. -> the generators of cases of those whose name begins with only"""
    everything = {}
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "families")
    for path in sorted(glob.glob(os.path.join(folder, "*.py"))):
        name = os.path.basename(path)[:-3]
        spec = importlib.util.spec_from_file_location("family_" + name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        TWIN.update(module.TWIN)
        KNOWN.extend(module.KNOWN)
        RANDOM.update(getattr(module, "RANDOM", ()))
        if not only or name.startswith(only):
            everything.update(module.CASES)
    return everything


# ---- one case -----------------------------------------------------------------------------------------------------------

class Failure(Exception):
    pass


def compare(what, got, want, tol, strict=False):
    """Raises Failure where they differ. -> the worst difference"""
    if got.dtype != want.dtype:
        raise Failure(f"{what}: dtype is {NAME[got.dtype]}, torch has {NAME.get(want.dtype, want.dtype)}")
    if got.shape != want.shape:
        raise Failure(f"{what}: shape is {list(got.shape)}, torch has {list(want.shape)}")
    if want.is_floating_point():
        a, b = got.double(), want.double()
        finite = b[b.isfinite()].abs()
        least = torch.finfo(want.dtype).tiny if strict else max(1.0, finite.max().item() if finite.numel() else 0)
        error = (a - b).abs() / b.abs().clamp(min=least)
        error = torch.where(a.isfinite() & b.isfinite(), error, math.inf)
        error = torch.where((a == b) | (a.isnan() & b.isnan()), 0.0, error)
        limit = tol[want.dtype]
    else:
        error, limit = (got != want).double(), 0
    worst = error.max().item() if error.numel() else 0.0
    if worst > limit:
        at = tuple((error == worst).nonzero()[0].tolist())
        raise Failure(f"{what}: {got[at].item()!r}, torch has {want[at].item()!r}, at {list(at)}")
    return worst


def torch_call(case, ts):
    if not case.in_place:
        return TWIN[case.op](*ts, **case.attrs)
    to = ts[0] * 1 if ts[0].requires_grad else ts[0].clone()
    function = getattr(torch.Tensor, case.op + "_", None) or getattr(F, case.op + "_", None)
    if function and case.op not in ("pow", "clamp"):
        return function(to, *ts[1:], **case.attrs)
    y = TWIN[case.op](to, *ts[1:], **case.attrs)  # torch has no in-place form of it
    if y.dtype != to.dtype or y.shape != to.shape:
        raise TypeError("the result does not fit")
    return y


def ebb_call(ebb, case, needs):
    """-> the inputs by id, the outputs"""
    made = {}
    for k, x in enumerate(case.inputs):
        if torch.is_tensor(x) and id(x) not in made:
            made[id(x)] = case.tensor(ebb, k, needs[id(x)])
    first = made.get(id(case.inputs[0])) if case.inputs else None
    xs = [made[id(x)] if torch.is_tensor(x) else x if x is None else ebb.number(first, x) for x in case.inputs]
    if case.in_place and needs[id(case.inputs[0])]:
        xs[0] = ebb.call("mul", [xs[0], ebb.number(xs[0], 1)])
    return made, ebb.call_all(case.op + "_" * case.in_place, xs, **case.attrs)


def judge(ebb, case, worst):
    """Raises Failure; raises worst[what] to the differences found."""
    tensors = {id(x): x for x in case.inputs if torch.is_tensor(x)}
    needs = {i: x.is_floating_point() and random.random() < 0.85 for i, x in tensors.items()}
    twins = {i: x.clone().requires_grad_(needs[i]) for i, x in tensors.items()}
    want = refusal = words = None
    try:
        want = torch_call(case, [twins.get(id(x), x) for x in case.inputs])
    except Exception as error:
        refusal = str(error).split("\n")[0]
    if want is not None:
        want = list(want) if isinstance(want, (tuple, list)) else [want]
    try:
        made, ys = ebb_call(ebb, case, needs)
    except Refused as error:
        words = str(error)
    if words and want is not None:
        raise Failure(f"refused: {words}")
    if refusal is not None and not words:
        raise Failure(f"accepted ({NAME[ebb.read(ys[0]).dtype]}{list(ebb.read(ys[0]).shape)}), torch refuses: {refusal}")
    if words:
        return

    def note(what, got, want, tol, strict=False):
        name = f"{what.split(' of ')[0]} {NAME.get(want.dtype, want.dtype)}"
        worst[name] = max(worst[name], compare(what, got, want, tol, strict))

    if len(ys) != len(want):
        raise Failure(f"{len(ys)} outputs, torch has {len(want)}")
    for k, (y, w) in enumerate(zip(ys, want)):
        value, wanted = ebb.read(y), w.detach()
        if case.op in RANDOM:
            value, wanted = torch.zeros_like(value), torch.zeros_like(wanted)
        note(f"value of output {k}" if k else "value", value, wanted, VALUE_TOL, case.strict)
        if bool(ebb.lib.ebb_needs_grad(y)) != w.requires_grad:
            raise Failure(f"needs_grad is {not w.requires_grad}, torch has {w.requires_grad}")
    wrt = [i for i in tensors if needs[i]]
    flow = [k for k, w in enumerate(want) if w.requires_grad]
    if not flow or not wrt:
        return
    second = all(want[k].dtype == F64 for k in flow) and random.random() < 0.4 and all(
        x.isfinite().all() for x in tensors.values())
    seeds = [draw(want[k].shape, want[k].dtype, "normal").requires_grad_(second) for k in flow]
    seeds_here = [ebb.tensor(seed, second) for seed in seeds]
    try:
        first = torch.autograd.grad([want[k] for k in flow], [twins[i] for i in wrt], seeds, create_graph=second, allow_unused=True)
    except (RuntimeError, NotImplementedError):
        return  # a few derivatives are missing in torch
    try:
        here = ebb.grad([ys[k] for k in flow], seeds_here, [made[i] for i in wrt], ALLOW_UNUSED | CREATE_GRAPH * second)
    except Refused as error:
        raise Failure(f"gradient refused: {error}") from None

    def gradients(what, wrt_twins, got, wants):
        for k, (x, g, w) in enumerate(zip(wrt_twins, got, wants)):
            g = torch.zeros_like(x) if g is None else ebb.read(g)
            note(f"{what} of input {k}", g, torch.zeros_like(x) if w is None else w.detach(), GRAD_TOL)

    gradients("gradient", [twins[i] for i in wrt], here, first)
    pairs = [(g, w) for g, w in zip(here, first) if w is not None and w.requires_grad]
    if not second or not pairs:
        return
    again = [draw(w.shape, w.dtype, "normal") for _, w in pairs]
    inputs = [twins[i] for i in wrt] + seeds
    try:
        wants = torch.autograd.grad([w for _, w in pairs], inputs, again, allow_unused=True)
    except (RuntimeError, NotImplementedError):
        return
    live = [(g, s) for (g, _), s in zip(pairs, again) if g and ebb.lib.ebb_needs_grad(g)]
    try:
        got = ebb.grad([g for g, _ in live], [ebb.tensor(s) for _, s in live], [made[i] for i in wrt] + seeds_here) if live else [None] * len(inputs)
    except Refused as error:
        raise Failure(f"second derivative refused: {error}") from None
    gradients("second", inputs, got, wants)


# ---- rules of the graph ----------------------------------------------------------------------------------------------------

def graph_rules(ebb):
    """-> (what must be refused or give, whether it did); torch's rule each time."""
    lib = ebb.lib

    def refused(f):
        try:
            f()
            return False
        except Refused:
            return True

    x, n, i = ebb.tensor(draw((3,)), True), ebb.tensor(draw((3,))), ebb.tensor(draw((3,), I64))
    one = ebb.tensor(draw((3,)))
    yield "an integer tensor cannot require a gradient", refused(lambda: ebb.checked(lib.ebb_requires_grad(i, True)))
    y = ebb.call("exp", [x])
    yield "requires_grad is for leaves", refused(lambda: ebb.checked(lib.ebb_requires_grad(y, False)))
    yield "backward starts from one element", refused(lambda: ebb.checked(lib.ebb_backward(y)))
    yield "a seed has the output's shape", refused(lambda: ebb.grad([y], [ebb.tensor(draw((2,)))], [x]))
    yield "a missing seed needs one element", refused(lambda: ebb.grad([y], None, [x]))
    yield "an unused input is an error", refused(lambda: ebb.grad([y], [one], [x, n], 0))
    yield "an input outside the graph is an error", refused(lambda: ebb.grad([n], [one], [x], 0))
    yield "unused is allowed when asked for", ebb.grad([y], [one], [x, ebb.tensor(draw((3,)), True)])[1] is None
    z = ebb.call("exp", [x])
    ebb.grad([z], [one], [x])
    yield "a second backward needs the graph retained", refused(lambda: ebb.grad([z], [one], [x]))
    h = ebb.call("exp", [x])
    ebb.grad([ebb.call("sin", [h])], [one], [x])
    late = ebb.call("add", [ebb.call("cos", [h]), x])
    yield "a gradient does not lose the paths through a freed part of the graph", refused(lambda: ebb.grad([late], [one], [x]))
    total = ebb.call("sum", [ebb.call("exp", [x])])
    ebb.checked(lib.ebb_backward(total))
    yield "ebb_backward twice needs the graph retained", refused(lambda: ebb.checked(lib.ebb_backward(total)))
    yield "a leaf that needs a gradient is not changed in place", refused(lambda: ebb.call("exp_", [x]))
    w = ebb.call("exp", [x])
    ebb.call("add_", [w, n])
    yield "a saved tensor that changed is an error", refused(lambda: ebb.grad([w], [one], [x]))
    wide = ebb.call("expand", [ebb.tensor(draw((1,)))], size=[3])
    yield "an expanded view is not changed in place", refused(lambda: ebb.call("exp_", [wide]))
    yield "a comparison has no gradient", not lib.ebb_needs_grad(ebb.call("gt", [x, n]))
    yield "a conversion to integers has no gradient", not lib.ebb_needs_grad(ebb.call("to", [x], dtype=I64))
    yield "a detached tensor has no gradient", not lib.ebb_needs_grad(lib.ebb_detach(y))
    yield "an unknown op is refused", refused(lambda: ebb.call("expp", [x]))
    yield "an unknown attribute is refused", refused(lambda: ebb.call("softmax", [x], dims=0))
    yield "a missing attribute is refused", refused(lambda: ebb.call("transpose", [x]))
    yield "a missing input is refused", refused(lambda: ebb.call("add", [x]))
    yield "a NULL input is refused", refused(lambda: ebb.call("add", [x, None]))
    yield "too many inputs are refused", refused(lambda: ebb.call("exp", [x, x]))
    lib.ebb_no_grad_begin(ebb.e)
    lib.ebb_no_grad_begin(ebb.e)
    lib.ebb_no_grad_end(ebb.e)
    quiet = ebb.call("exp", [x])
    lib.ebb_no_grad_end(ebb.e)
    yield "what is computed without recording has no gradient", not lib.ebb_needs_grad(quiet)
    yield "recording goes on after the outermost end", lib.ebb_needs_grad(ebb.call("exp", [x]))
    own = torch.ones(3, dtype=F64)
    leaf = ebb.tensor(own, True)
    yield "a leaf begins without a gradient", not lib.ebb_grad_of(leaf)
    for factor in (2, 3):
        ebb.checked(lib.ebb_backward(ebb.call("sum", [ebb.call("mul", [leaf, ebb.number(leaf, factor)])])))
    yield "gradients add up in the leaf", ebb.read(lib.ebb_grad_of(leaf)).equal(5 * own)
    ebb.grad([ebb.call("exp", [leaf])], [one], [leaf])
    yield "ebb_grad leaves the leaf's gradient alone", ebb.read(lib.ebb_grad_of(leaf)).equal(5 * own)
    part = ebb.call("slice", [leaf], start=1)
    yield "a view of a leaf that needs a gradient is not changed in place", refused(lambda: ebb.call("exp_", [part]))
    base = ebb.call("mul", [leaf, ebb.number(leaf, 1)])
    ebb.call("mul_", [ebb.call("slice", [base], start=1), ebb.number(leaf, 4)])
    yield "a write into a view reaches the gradient of its base", ebb.read(ebb.grad([base], [ebb.tensor(own)], [leaf])[0]).tolist() == [1, 4, 4]
    yield "a gradient of the graph needs one itself", lib.ebb_needs_grad(ebb.grad([ebb.call("exp", [leaf])], [one], [leaf], CREATE_GRAPH)[0])
    yield "any other does not", not lib.ebb_needs_grad(ebb.grad([ebb.call("exp", [leaf])], [one], [leaf])[0])
    wrong = ebb.call("exp", [n])
    yield "an error leaves the session usable", ebb.read(wrong).shape == (3,)


# ---- all of them ------------------------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description="Compares every built-in op with PyTorch.")
    parser.add_argument("library")
    parser.add_argument("--op", help="this op alone")
    parser.add_argument("--family", help="the families whose name begins so")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    ebb = Ebb(args.library)

    count, failed = Counter(), Counter()
    worst = defaultdict(lambda: defaultdict(float))
    kinds = {}  # what makes it one kind -> its cases, the size of the smallest, failure, case; dtypes and ops

    def note(kind, size, failure, case, detail):
        seen = kinds.setdefault(kind, [0, math.inf, "", "", set()])
        seen[0] += 1
        seen[4].add(detail)
        if size < seen[1]:
            seen[1:4] = size, failure, case

    for number, case in enumerate(list(cases(args.op, families(args.family)))):
        random.seed(f"{args.seed} {number}")  # so that what one case does changes no other
        torch.manual_seed(args.seed * 1000000 + number)
        count[case.op] += 1
        scope = ebb.lib.ebb_begin(ebb.e)
        try:
            judge(ebb, case, worst[case.op])
        except Failure as failure:
            line = f"{failure} | {case.text()}"
            known = next((why for ops, pattern, why in KNOWN if re.fullmatch(ops, case.op) and re.search(pattern, line)), None)
            failed[case.op] += known is None
            words = re.sub(r"-?\d+(\.\d+)?(e-?\d+)?|\b(nan|inf)\b", "#", re.sub(r"\[.*?\]", "[]", str(failure)))
            kind = ("known", known) if known else ("FAILED", case.op, case.in_place, words)
            note(kind, case.size(), str(failure), case.text(), case.op if known else case.dtypes())
        ebb.lib.ebb_end(scope)
    if not args.op and not args.family:
        for seed in range(PROGRAMS):
            count["programs"] += 1
            wrong = programs.run(ebb, args.seed * PROGRAMS + seed)
            if wrong:
                failed["programs"] += 1
                first, *rest = wrong.split("\n")
                note(("FAILED", "programs", re.sub(r"-?\d[\d.e-]*", "#", first)[:80]), len(rest), first, "\n".join(rest).strip(), f"seed {seed}")
        scope = ebb.lib.ebb_begin(ebb.e)
        for what, holds in [*graph_rules(ebb), *((f"{op} is compared", False) for op in set(ebb.op_names()) - set(count))]:
            count["graph rules"] += 1
            failed["graph rules"] += not holds
            if not holds:
                note(("FAILED", "graph rules", what), 0, "not so", what, "")
        ebb.lib.ebb_end(scope)

    for op in count:
        differences = "  ".join(f"{what} {value:.0e}" if value else f"{what} 0" for what, value in sorted(worst[op].items()))
        print(f"{op:19}{count[op]:6} cases{failed[op]:6} failed  {differences}")
    for kind, (times, _, failure, case, details) in sorted(kinds.items(), key=lambda item: item[0][0], reverse=True):
        some = " ".join(sorted(details)[:6] + ["..."] * (len(details) > 6))
        print(f"\n{kind[0]} {kind[1]}, {times} cases ({some}): {failure}\n    {case}")
    total, bad = sum(count.values()), sum(failed.values())
    print(f"\n{total - bad} passed, {bad} failed")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
