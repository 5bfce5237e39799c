"""programs.py - random programs with views and in-place writes, run by ebb and by torch side by side: same values, same gradients.

Torch refuses more: where an in-place op overwrites what its own rule reads, ebb has kept a copy. What torch accepts ebb must accept.
"""
import random

import torch

from binding import F64, Refused

OPS = {  # pure ops of one tensor, name -> torch's
    "exp": torch.exp, "sin": torch.sin, "tanh": torch.tanh, "square": torch.square, "sigmoid": torch.sigmoid,
}


class Program:
    """Pairs of tensors, ebb's and torch's; text is what was done, for the message."""

    def __init__(self, ebb, seed):
        self.ebb, self.random, self.pairs, self.text = ebb, random.Random(seed), [], []
        torch.manual_seed(seed)
        self.leaves = []
        for k in range(self.random.choice([1, 2])):
            self.leaf(self.random.choice([(4,), (2, 3), (3, 2, 2), (1, 3)]), True)
        self.leaf(self.random.choice([(4,), (2, 3)]), False)

    def leaf(self, shape, grad):
        t = (torch.randn(shape, dtype=F64) * 0.7).requires_grad_(grad)
        pair = (self.ebb.tensor(t, grad), t)
        self.pairs.append(pair)
        if grad:
            self.leaves.append(pair)
        self.text.append(f"#{len(self.pairs) - 1} = leaf{list(shape)}{' grad' if grad else ''}")

    def pick(self):
        k = self.random.randrange(len(self.pairs))
        return k, self.pairs[k]

    def call(self, op, xs, **attrs):
        return self.ebb.call(op, xs, **attrs)

    def view(self, k, e, t):
        kind = self.random.choice(["slice", "transpose", "reshape", "select", "detach", "expand", "diagonal"])
        d = self.random.randrange(max(t.dim(), 1))
        if kind == "detach":
            return kind, self.ebb.lib.ebb_detach(e), t.detach()
        if kind == "reshape":
            shape = [t.numel()] if self.random.random() < 0.5 else [1, *t.shape]
            return kind, self.call("reshape", [e], shape=shape), t.reshape(shape)
        if kind == "expand":
            return kind, self.call("expand", [e], size=[2, *t.shape]), t.expand([2, *t.shape])
        if not t.dim() or not t.shape[d]:
            return None
        if kind == "slice":
            start, step = self.random.randrange(t.shape[d]), self.random.choice([1, 1, 2])
            return kind, self.call("slice", [e], dim=d, start=start, step=step), torch.ops.aten.slice(t, d, start, 99, step)
        if kind == "select":
            i = self.random.randrange(t.shape[d])
            return kind, self.call("select", [e], dim=d, index=i), t.select(d, i)
        if kind == "diagonal" and t.dim() > 1:
            return kind, self.call("diagonal", [e]), t.diagonal()
        return "transpose", self.call("transpose", [e], dim0=0, dim1=-1), t.transpose(0, -1)

    def partner(self, t):
        """A tensor that broadcasts against t without making it larger."""
        fits = [k for k, (_, o) in enumerate(self.pairs) if o.dim() <= t.dim() and all(
            a in (1, b) for a, b in zip(reversed(o.shape), reversed(t.shape)))]
        return self.random.choice(fits) if fits else None

    def write(self, k, e, t):
        """-> what is done in ebb and in torch, as functions"""
        kind = self.random.choice(["mul_", "add_", "sub_", "number", "pure", "zero_", "fill_", "relu_", "copy_", "clamp_"])
        j = self.partner(t)
        if kind in ("mul_", "add_", "sub_", "copy_") and j is not None:
            o = self.pairs[j]
            return f"#{k}.{kind}(#{j})", lambda: self.call(kind, [e, o[0]]), lambda: getattr(t, kind)(o[1])
        if kind == "pure":
            op = self.random.choice(sorted(OPS))
            return f"#{k}.{op}_()", lambda: self.call(op + "_", [e]), lambda: getattr(t, op + "_")()
        if kind == "zero_":
            return f"#{k}.zero_()", lambda: self.call("zero_", [e]), lambda: t.zero_()
        if kind == "fill_":
            return f"#{k}.fill_(0.3)", lambda: self.call("fill_", [e], value=0.3), lambda: t.fill_(0.3)
        if kind == "relu_":
            return f"#{k}.relu_()", lambda: self.call("relu_", [e]), lambda: torch.relu_(t)
        if kind == "clamp_":
            return f"#{k}.clamp_(-0.5, 0.5)", lambda: self.call("clamp_", [e], min=-0.5, max=0.5), lambda: t.clamp_(-0.5, 0.5)
        return f"#{k}.mul_(1.5)", lambda: self.call("mul_", [e, self.ebb.number(e, 1.5)]), lambda: t.mul_(1.5)

    def step(self):
        """-> None, or how the two differ"""
        k, (e, t) = self.pick()
        what = self.random.random()
        if what < 0.3:
            op = self.random.choice(sorted(OPS))
            made = (op, self.call(op, [e]), OPS[op](t))
        elif what < 0.6:
            made = self.view(k, e, t)
        else:
            return self.in_place(k, e, t)
        if made:
            self.pairs.append(made[1:])
            self.text.append(f"#{len(self.pairs) - 1} = {made[0]}(#{k})")
        return None

    def in_place(self, k, e, t):
        if any(n > 1 and not stride for n, stride in zip(t.shape, t.stride())):
            return None  # elements that share places: ebb refuses each in-place op, torch allows fill_, zero_ and copy_
        text, here, there = self.write(k, e, t)
        self.text.append(text)
        try:
            there()
        except RuntimeError as error:
            self.text[-1] += "  refused"
            words = str(error)
            try:
                here()
            except Refused:
                return None
            if "leaf Variable" in words and t.is_leaf and t._base is None:
                return f"accepted, torch refuses: {words.splitlines()[0]}"
            return "stop"  # torch alone refuses (outputs of several views, views older than their base's graph ...): the two have parted
        try:
            here()
        except Refused as error:
            return f"refused: {error}"
        return None

    def values(self):
        for k, (e, t) in enumerate(self.pairs):
            if not torch.allclose(self.ebb.read(e), t.detach(), rtol=1e-9, atol=1e-12):
                return f"#{k} has other values"
            if bool(self.ebb.lib.ebb_needs_grad(e)) != t.requires_grad:
                return f"#{k}: needs_grad is {not t.requires_grad}, torch has {t.requires_grad}"
        return None

    def gradients(self):
        flow = [(e, t) for e, t in self.pairs if t.requires_grad and not t.is_leaf]
        if not flow:
            return None
        chosen = self.random.sample(flow, min(len(flow), 3))
        seeds = [torch.randn(t.shape, dtype=F64) for _, t in chosen]
        try:
            want = torch.autograd.grad([t for _, t in chosen], [t for _, t in self.leaves], seeds, allow_unused=True)
        except RuntimeError:
            return None  # torch refuses: saved values have been overwritten
        try:
            got = self.ebb.grad([e for e, _ in chosen], [self.ebb.tensor(s) for s in seeds], [e for e, _ in self.leaves])
        except Refused as error:
            return f"gradient refused: {error}"
        for k, (g, w) in enumerate(zip(got, want)):
            g = torch.zeros_like(self.leaves[k][1]) if g is None else self.ebb.read(g)
            w = torch.zeros_like(g) if w is None else w
            if not torch.allclose(g, w, rtol=1e-7, atol=1e-9):
                return f"gradient of leaf {k} is {g.tolist()}, torch has {w.tolist()}"
        return None


def run(ebb, seed):
    """-> None, or the first difference with the program"""
    scope = ebb.lib.ebb_begin(ebb.e)
    p = Program(ebb, seed)
    wrong = None
    try:
        for _ in range(p.random.randrange(3, 12)):
            wrong = p.step()
            if wrong:
                break
        if not wrong:
            wrong = p.values() or p.gradients()
    except Refused as error:
        wrong = f"refused: {error}"
    ebb.lib.ebb_end(scope)
    return None if wrong in (None, "stop") else f"{wrong}\n    " + "\n    ".join(p.text)
