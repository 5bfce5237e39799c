#!/usr/bin/env python3
"""PyTorch's side of the benchmarks: for each line with a workload's name, runs one block of it and prints the seconds
that one step took, or 0 for a name it does not know. bench/peer.c starts it and sets its environment.

    torch_peer.py THREADS
"""
import sys
import time

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError:
    print("no torch", flush=True)
    sys.exit(0)


# ---- the data: see bench/lcg.h ----

def integers(seed, n):
    out, s = np.empty(n, np.int64), seed
    for i in range(n):
        s = (s * 1664525 + 1013904223) & 0xffffffff
        out[i] = s >> 8
    return out


def uniform(seed, *shape):
    values = integers(seed, int(np.prod(shape))).astype(np.float32) / np.float32(2 ** 24)
    return torch.from_numpy(values.reshape(shape))


def weights(seed, n_out, n_in):
    return (uniform(seed, n_out, n_in) - 0.5) * float(np.float32(2 / np.sqrt(n_in)))


# ---- timing ----

def seconds_each(fn, n):
    start = time.perf_counter()
    for _ in range(n):
        fn()
    return (time.perf_counter() - start) / n


def steady(fn, least=0.03):
    """A block of fn that lasts at least that long."""
    n = 1
    fn()
    while seconds_each(fn, n) * n < least:
        n *= 2
    return lambda: seconds_each(fn, n)


# ---- training steps: every block begins with the initial weights ----

def mlp(sizes, base, batch, steps, loss_fn, target, optimizers):
    x = uniform(base, batch, sizes[0])
    layers = range(len(sizes) - 1)
    initial = [t for i in layers for t in (weights(base + 10 + i, sizes[i + 1], sizes[i]), torch.zeros(sizes[i + 1]))]
    params = [t.clone().requires_grad_() for t in initial]

    def episode(make):
        with torch.no_grad():
            for p, q in zip(params, initial):
                p.copy_(q)
        opt = make(params)

        def step():
            opt.zero_grad(set_to_none=True)
            h = x
            for i in layers:
                h = F.linear(h, params[2 * i], params[2 * i + 1])
                if i < len(sizes) - 2:
                    h = F.relu(h)
            loss_fn(h, target).backward()
            opt.step()
        return seconds_each(step, steps)

    best = min(optimizers, key=lambda make: min(episode(make) for _ in range(2)))
    return lambda: episode(best)


def classifier(sizes, base):
    labels = torch.from_numpy(integers(base + 1, 64) % sizes[-1])
    adam = [lambda ps, f=f: torch.optim.Adam(ps, lr=1e-3, foreach=f) for f in (True, False)]
    return mlp(sizes, base, 64, 100, F.cross_entropy, labels, adam)


def tiny():
    sgd = [lambda ps, f=f: torch.optim.SGD(ps, lr=0.01, foreach=f) for f in (True, False)]
    return mlp([2, 16, 16, 1], 5000, 8, 1000, F.mse_loss, uniform(5001, 8, 1), sgd)


def chain(backward):
    a, b, length = torch.ones(1, requires_grad=True), torch.full((1,), 1e-3), 1000

    def run():
        t = a
        for _ in range(length):
            t = t + b
        if backward:
            t.backward()
            a.grad = None
    block = steady(run)
    return lambda: block() / length


# ---- a million elements: results written into memory that is there, where PyTorch can ----

def elementwise(name):
    n = 1 << 20
    a, b = (uniform(s, n) * 4 - 2 for s in (7000, 7001))
    square, out = a.view(1024, 1024), torch.empty(n)
    square_out = out.view(1024, 1024)
    forward = {
        "add": lambda: torch.add(a, b, out=out), "mul": lambda: torch.mul(a, b, out=out), "relu": lambda: torch.relu(a),
        "exp": lambda: torch.exp(a, out=out), "tanh": lambda: torch.tanh(a, out=out),
        "sigmoid": lambda: torch.sigmoid(a, out=out), "softmax": lambda: F.softmax(square, -1), "sum": lambda: a.sum(),
        "transpose": lambda: square_out.copy_(square.t()),
    }
    if name in forward:
        def run():
            with torch.no_grad():
                forward[name]()
        return steady(run)
    if name == "adam":
        def adam(foreach):
            p = a.clone().requires_grad_()
            p.grad = b.clone()
            return steady(torch.optim.Adam([p], foreach=foreach).step)
        return min((adam(f) for f in (True, False)), key=lambda block: block())
    leaf, seed = a.clone().requires_grad_(), torch.ones(n)
    both = {
        "exp+backward": lambda: torch.exp(leaf), "tanh+backward": lambda: torch.tanh(leaf),
        "mul+backward": lambda: leaf * b,
        "softmax+backward": lambda: F.softmax(leaf.view(1024, 1024), -1).view(-1),
    }[name]

    def run():
        both().backward(seed)
        leaf.grad = None
    return steady(run)


WORKLOADS = {
    "a": lambda: classifier([784, 128, 10], 1000), "b": lambda: classifier([784, 512, 512, 10], 2000), "e": tiny,
    "chain/forward": lambda: chain(False), "chain/backward": lambda: chain(True),
}


def make(name):
    if name.startswith("g/"):
        return elementwise(name[2:])
    return WORKLOADS[name]()


def fast_blas():
    """Whether the matrix products come from an optimised library, and not from Debian's plain reference BLAS."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    try:
        with open("/proc/self/maps", encoding="utf-8") as maps:
            return any(name in text for text in [maps.read()] for name in ("openblas", "libmkl", "libblis"))
    except OSError:
        return True


def main():
    torch.set_num_threads(int(sys.argv[1]))
    print("PyTorch", torch.__version__.split("+")[0].split("a")[0], "" if fast_blas() else "(slow BLAS)", flush=True)
    blocks = {}
    for line in sys.stdin:
        name = line.strip()
        try:
            if name not in blocks:
                blocks = {name: make(name)}  # one at a time: memory is warm, and only its own
            print(blocks[name](), flush=True)
        except KeyError:
            print(0, flush=True)


if __name__ == "__main__":
    main()
