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

def training(initial, loss, steps, optimizers):
    """Blocks of steps with the fastest of these optimizers; loss(params) -> the loss."""
    params = [t.clone().requires_grad_() for t in initial]

    def episode(make):
        with torch.no_grad():
            for p, q in zip(params, initial):
                p.copy_(q)
        opt = make(params)

        def step():
            opt.zero_grad(set_to_none=True)
            loss(params).backward()
            opt.step()
        return seconds_each(step, steps)

    best = min(optimizers, key=lambda make: min(episode(make) for _ in range(2)))
    return lambda: episode(best)


def either(optimizer, **more):
    return [lambda ps, f=f: optimizer(ps, foreach=f, **more) for f in (True, False)]


def linear(seed, n_out, n_in):
    return [weights(seed, n_out, n_in), torch.zeros(n_out)]


def layers(params, h):
    for i in range(0, len(params), 2):
        h = F.linear(h, params[i], params[i + 1])
        if i + 2 < len(params):
            h = F.relu(h)
    return h


def mlp(sizes, base, batch, steps, loss_fn, target, optimizers):
    x = uniform(base, batch, sizes[0])
    initial = [t for i in range(len(sizes) - 1) for t in linear(base + 10 + i, sizes[i + 1], sizes[i])]
    return training(initial, lambda params: loss_fn(layers(params, x), target), steps, optimizers)


def classifier(sizes, base):
    labels = torch.from_numpy(integers(base + 1, 64) % sizes[-1])
    return mlp(sizes, base, 64, 100, F.cross_entropy, labels, either(torch.optim.Adam, lr=1e-3))


def tiny():
    return mlp([2, 16, 16, 1], 5000, 8, 1000, F.mse_loss, uniform(5001, 8, 1), either(torch.optim.SGD, lr=0.01))


def cnn(base=3000, batch=64):
    x = uniform(base, batch, 1, 28, 28).to(memory_format=torch.channels_last)
    labels = torch.from_numpy(integers(base + 1, batch) % 10)
    initial = [*linear(base + 10, 32, 9), *linear(base + 11, 64, 288), *linear(base + 12, 128, 3136), *linear(base + 13, 10, 128)]
    initial[0], initial[2] = initial[0].view(32, 1, 3, 3), initial[2].view(64, 32, 3, 3)

    def loss(p):
        h = F.max_pool2d(F.relu(F.conv2d(x, p[0], p[1], padding=1)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, p[2], p[3], padding=1)), 2)
        return F.cross_entropy(layers(p[4:], h.flatten(1)), labels)
    return training(initial, loss, 30, either(torch.optim.Adam, lr=1e-3))


def gpt(base=4000, depth=4, heads=4, width=128, context=64, batch=8, words=96):
    tokens = torch.from_numpy(integers(base, batch * context) % words).view(batch, context)
    targets = torch.from_numpy(integers(base + 1, batch * context) % words)
    norm = [torch.ones(width), torch.zeros(width)]
    initial = [weights(base + 10, words, width), weights(base + 11, context, width)]
    for i in range(depth):
        s = base + 100 * (i + 1)
        initial += norm + linear(s, 3 * width, width) + linear(s + 1, width, width)
        initial += norm + linear(s + 2, 4 * width, width) + linear(s + 3, width, 4 * width)
    hidden = torch.ones(context, context).tril() == 0

    def split(t):
        return t.view(batch, context, heads, -1).transpose(1, 2)

    def attention(h, p):
        q, k, v = map(split, F.linear(h, p[0], p[1]).split(width, 2))
        a = (q @ k.transpose(-2, -1) * (heads / width) ** 0.5).masked_fill(hidden, float("-inf")).softmax(-1) @ v
        return F.linear(a.transpose(1, 2).reshape(batch, context, width), p[2], p[3])

    def loss(p):
        x = F.embedding(tokens, p[0]) + p[1]
        for b in range(2, 2 + 12 * depth, 12):
            x = x + attention(F.layer_norm(x, (width,), p[b], p[b + 1]), p[b + 2:])
            h = F.linear(F.layer_norm(x, (width,), p[b + 6], p[b + 7]), p[b + 8], p[b + 9])
            x = x + F.linear(F.gelu(h, approximate="tanh"), p[b + 10], p[b + 11])
        y = F.linear(F.layer_norm(x, (width,), p[-2], p[-1]), p[0])
        return F.cross_entropy(y.view(-1, words), targets)
    return training(initial + norm, loss, 30, either(torch.optim.AdamW, lr=1e-3, weight_decay=0))


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
    "a": lambda: classifier([784, 128, 10], 1000), "b": lambda: classifier([784, 512, 512, 10], 2000),
    "c": cnn, "d": gpt, "e": tiny,
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
