#!/usr/bin/env python3
"""Prints optim_reference.h: what PyTorch's optimizers do to four f64 parameters in five steps with given gradients.

    tests/plugins/optim_reference.py > tests/plugins/optim_reference.h
"""
import itertools

import torch

START = [0.5, -1.25, 2.0, 0.003]
GRADS = [[0.1, -2.0, 0.3, 1e-4], [-0.2, 1.5, 0.0, 2e-4], [0.05, -0.5, -0.7, 0.0], [0.4, 0.25, 0.01, -3e-4], [-0.3, -0.1, 1.1, 5e-4]]


def cases():
    for momentum, decay, maximize in itertools.product([0, 0.9], [0, 0.1], [0, 1]):
        kinds = [{}, {"dampening": 0.3}, {"nesterov": 1}] if momentum else [{}]
        for kind in kinds:
            yield "sgd", torch.optim.SGD, {"lr": 0.05, "momentum": momentum, "weight_decay": decay, "maximize": maximize, **kind}
    for name, kind in ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW):
        for decay, amsgrad, maximize in itertools.product([0, 0.1], [0, 1], [0, 1]):
            yield name, kind, {"lr": 0.02, "weight_decay": decay, "amsgrad": amsgrad, "maximize": maximize}
        yield name, kind, {"lr": 0.02, "betas": (0.5, 0.7), "eps": 1e-3}
        yield name, kind, {}
    yield "sgd", torch.optim.SGD, {"lr": 1e-3}


def as_text(attrs):
    words = []
    for key, value in attrs.items():
        if key == "betas":
            words += [f"beta1={value[0]}", f"beta2={value[1]}"]
        else:
            words.append(f"{key}={value}")
    return " ".join(words)


def row(values):
    return "{" + ", ".join(f"{v:.17g}" for v in values) + "}"


print("""/* optim_reference.h - floor 5: parameters after each of five steps, by PyTorch %s in f64.
 * Written by optim_reference.py. */
#ifndef EBB_OPTIM_REFERENCE_H
#define EBB_OPTIM_REFERENCE_H

enum { REF_N = 4, REF_STEPS = 5 };""" % torch.__version__.split("a")[0])
print(f"static const double ref_start[REF_N] = {row(START)};")
print("static const double ref_grads[REF_STEPS][REF_N] = {" + ",\n    ".join(row(g) for g in GRADS) + "};")
print("""static const struct {
    const char *optim, *attrs;
    double p[REF_STEPS][REF_N];
} ref_cases[] = {""")
for name, kind, attrs in cases():
    p = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optim = kind([p], **{k: bool(v) if k in ("maximize", "nesterov", "amsgrad") else v for k, v in attrs.items()})
    rows = []
    for grad in GRADS:
        p.grad = torch.tensor(grad, dtype=torch.float64)
        optim.step()
        rows.append(row(p.tolist()))
    print('    {"%s", "%s",\n     {%s}},' % (name, as_text(attrs), ",\n      ".join(rows)))
print("};\n#endif")
