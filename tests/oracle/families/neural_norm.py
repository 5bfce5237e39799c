"""neural_norm.py - normalisations: layer, rms, group, batch, instance."""
import itertools

import torch
import torch.nn.functional as F

from binding import F32, F64, I64
from cases import Case, draw

DTYPES3 = (F64, F64, F32)


def layer_norms():
    for shape, last in [((4, 5), (5,)), ((2, 3, 4), (4,)), ((2, 3, 4), (3, 4)), ((2, 3, 4), (2, 3, 4)), ((5,), (5,)), ((0, 3), (3,)), ((2, 0), (0,)),
                        ((2, 600), (600,)), ((3, 5), (3,)), ((3, 5), ()), ((), (1,)), ((2, 3), (2, 3, 1)), ((1, 2, 1, 2, 1, 2, 1, 2), (1, 2))]:
        for dtype, w, b, eps in itertools.product(DTYPES3 + (I64,), (True, False), (True, False), (None, 0.1, 0.0)):
            if eps == 0 and dtype == F32:
                continue  # small groups are all rounding
            attrs = {"normalized_shape": last, **({} if eps is None else {"eps": eps})}
            x = draw(shape, dtype, None if eps is None else "normal")
            yield Case("layer_norm", x, draw(last, dtype, "normal") if w else None, draw(last, dtype, "normal") if b else None, plain=len(shape) == 1, **attrs)
            if dtype != I64 and b:
                yield Case("rms_norm", x, draw(last, dtype, "normal") if w else None, **attrs)
    for dtype in DTYPES3:  # without eps what is left is rounding
        yield Case("layer_norm", draw((3, 1), dtype, "normal"), draw((1,), dtype, "normal"), normalized_shape=(1,), eps=0.1)
    for w, b in [((4,), None), ((3, 1), None), ((), None), ((3,), (4,)), (None, (1, 3))]:
        yield Case("layer_norm", draw((2, 3)), *(s if s is None else draw(s) for s in (w, b)), normalized_shape=(3,))
    yield Case("layer_norm", draw((2, 3)), draw((3,), F32), normalized_shape=(3,))
    for scale, shift in [(1e-3, 1e3), (1e15, 0), (1e-15, 0), (1, 1e6)]:
        for dtype in (F64, F32):
            if dtype == F32 and shift:  # torch loses digits there
                continue
            x = (torch.randn(3, 50, dtype=F64) * scale + shift).to(dtype)
            yield Case("layer_norm", x, normalized_shape=(50,))
            yield Case("rms_norm", x, normalized_shape=(50,))


def group_norms():
    for shape, groups in [((2, 4, 3), 2), ((2, 6), 3), ((2, 4, 2, 3), 1), ((2, 4, 2, 3), 4), ((3, 2, 5), 2), ((0, 4, 3), 2), ((1, 4, 1), 1), ((1, 4, 1), 4), ((2, 4, 0), 2), ((2, 0, 3), 1),
                          ((2, 4), 3), ((4,), 2), ((), 1), ((2, 4, 2), 0), ((2, 4, 2), -2), ((2, 2, 2, 2, 2), 2), ((2, 8, 40, 7), 2)]:
        for dtype, w, b, eps in itertools.product(DTYPES3 + (I64,), (True, False), (True, False), (None, 0.1)):
            c = shape[1] if len(shape) > 1 else 1
            yield Case("group_norm", draw(shape, dtype, "normal" if eps is None else None), draw((c,), dtype, "normal") if w else None, draw((c,), dtype, "normal") if b else None, num_groups=groups,
                       **({} if eps is None else {"eps": eps}))
    for w, b in [((3,), None), ((4, 1), None), ((), None), ((4,), (1,)), (None, (1, 4))]:
        yield Case("group_norm", draw((2, 4, 3)), *(s if s is None else draw(s) for s in (w, b)), num_groups=2)


def running(c, dtype):
    return draw((c,), dtype, "normal"), torch.rand(c, dtype=dtype) + 0.3


def batch_norms():
    for shape in [(4, 3), (2, 3, 4), (2, 3, 2, 2), (2, 2, 2, 2, 2), (1, 3, 5), (3, 2, 1), (1, 3), (1, 3, 1), (2, 1), (40, 17), (3, 2, 300), (3, 1, 1), (2, 3, 1, 1)]:
        for dtype, stats, w, b, eps, own in itertools.product(DTYPES3, (True, False), (True, False), (True, False), (None, 0.1), (True, False)):
            c = shape[1]
            stat = running(c, dtype) if stats else (None, None)
            inputs = [draw(shape, dtype, "normal"), *stat, draw((c,), dtype, "normal") if w else None, draw((c,), dtype, "normal") if b else None]
            attrs = {} if eps is None else {"eps": eps}
            column = shape[2:].count(1) == len(shape) - 2  # expanded, every channel would be constant
            yield Case("batch_norm", *inputs, training=own, plain=column, **attrs)
            if len(shape) > 2:
                yield Case("instance_norm", *inputs, use_input_stats=own, **attrs)
            if own and eps and w and b:
                for momentum in (None, 0.3, 0.0, 1.0):
                    yield Case("batch_norm_update", *inputs[:3], **({} if momentum is None else {"momentum": momentum}))
                    if len(shape) > 2:
                        yield Case("batch_norm_update", *inputs[:3], instances=True, **({} if momentum is None else {"momentum": momentum}))
    for op in ("batch_norm", "instance_norm", "batch_norm_update"):
        yield Case(op, draw((4,)), *running(4, F64))
        yield Case(op, draw(()), *running(1, F64))
        yield Case(op, draw((2, 3, 4)), *running(4, F64))
        yield Case(op, draw((2, 3, 4)), draw((3, 1)), draw((3,)))
        yield Case(op, draw((2, 3, 4), I64), *running(3, F64))
    for own, (w, b) in itertools.product((True, False), [((4,), None), ((3,), (1,)), ((3, 1), None)]):
        for op, attr in [("batch_norm", "training"), ("instance_norm", "use_input_stats")]:
            yield Case(op, draw((2, 3, 4)), *running(3, F64), *(s if s is None else draw(s) for s in (w, b)), **{attr: own})
    for shape in [(0, 3), (0, 3, 2), (2, 3, 0), (2, 0, 3)]:
        for own in (True, False):
            yield Case("batch_norm", draw(shape), *running(shape[1], F64), training=own)
            yield Case("instance_norm", draw(shape), *running(shape[1], F64), use_input_stats=own)


def groups():
    for shape, dtype, center in itertools.product([(2, 3, 4), (5, 2, 1), (2, 1, 2, 7), (2, 2, 300), (1, 3, 5), (0, 3, 2), (3, 4)], DTYPES3, (True, False)):
        w = draw(shape[-3:], dtype, "normal")
        for bias in (True, False):
            yield Case("standardize", draw(shape, dtype, "normal"), w, *([draw(shape[-3:], dtype, "normal")] * bias), eps=0.1, center=center)
        yield Case("moments", draw(shape, dtype, "normal"))


def standardize(x, w, b=None, eps=0.1, center=True):
    if x.dim() < 3:
        raise IndexError("(m,c,n)")
    z = x - x.mean((-3, -1), keepdim=True) if center else x
    y = z / torch.sqrt((z * z).mean((-3, -1), keepdim=True) + eps) * w
    return y if b is None else y + b


def moments(x):
    if x.dim() < 3:
        raise IndexError("(m,c,n)")
    x = x.detach()
    return x.mean((-3, -1)), x.var((-3, -1), unbiased=True)


def layer_norm(x, w=None, b=None, normalized_shape=(), eps=1e-5):
    return F.layer_norm(x, normalized_shape, w, b, eps)


def rms_norm(x, w=None, normalized_shape=(), eps=None):  # torch has it since 2.4
    F.layer_norm(x, normalized_shape, w)  # refuses what rms_norm does
    dims = tuple(range(-len(normalized_shape), 0))
    y = x * torch.rsqrt((x * x).mean(dims, keepdim=True) + (torch.finfo(x.dtype).eps if eps is None else eps))
    return y if w is None else y * w


def group_norm(x, w=None, b=None, num_groups=1, eps=1e-5):
    if num_groups < 1:
        raise ValueError("num_groups")
    return F.group_norm(x, num_groups, w, b, eps)


def by_running(x, mean, var, w, b, eps):
    """The definition, so that running statistics may have a gradient: torch's have none."""
    one = (-1,) + (1,) * (x.dim() - 2)
    y = (x - mean.reshape(one)) / torch.sqrt(var.reshape(one) + eps)
    y = y if w is None else y * w.reshape(one)
    return y if b is None else y + b.reshape(one)


def copies(*ts):
    return [None if t is None else t.detach().clone() for t in ts]


def batch_norm(x, mean=None, var=None, w=None, b=None, training=False, eps=1e-5):
    y = F.batch_norm(x, *copies(mean, var), w, b, training, 0.1, eps)
    return y if training else by_running(x, mean, var, w, b, eps)


def instance_norm(x, mean=None, var=None, w=None, b=None, use_input_stats=True, eps=1e-5):
    y = F.instance_norm(x, *copies(mean, var), w, b, use_input_stats, 0.1, eps)
    return y if use_input_stats else by_running(x, mean, var, w, b, eps)


def batch_norm_update(x, mean=None, var=None, momentum=0.1, instances=False):
    if mean is None:  # the batch's own: those of momentum 1
        mean, var, momentum = torch.zeros(x.shape[1], dtype=x.dtype), torch.zeros(x.shape[1], dtype=x.dtype), 1.0
    mean, var = copies(mean, var)
    with torch.no_grad():
        if instances:
            torch.instance_norm(x, None, None, mean, var, True, momentum, 1e-5, False)
        else:
            torch.batch_norm(x, None, None, mean, var, True, momentum, 1e-5, False)
    return mean, var


CASES = {"layer_norm rms_norm": layer_norms, "group_norm": group_norms, "batch_norm instance_norm batch_norm_update": batch_norms,
         "standardize moments": groups}
TWIN = {f.__name__: f for f in (layer_norm, rms_norm, group_norm, batch_norm, instance_norm, batch_norm_update, standardize, moments)}
KNOWN = [
    ("batch_norm", "in 2 dims; 1 dim of", "weights and statistics are vectors"),
    ("(batch|instance|layer|group)_norm", r"second of .*, NULL, f64\[[\d, ]+\]", "torch leaves a term out when there is a bias but no weight"),
    ("group_norm", r"gradient of input \d: 0.0, torch has nan.*f..\[2, 4, 0\]", "nothing flows to the weight of empty groups"),
]
