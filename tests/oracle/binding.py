"""binding.py - the by-name C ABI of libebb.so in ctypes, as far as the oracle needs it; torch tensors in and out."""
import ctypes as C
import os

import torch

F32, F64, I32, I64, U8, BOOL = torch.float32, torch.float64, torch.int32, torch.int64, torch.uint8, torch.bool
DTYPES = [F32, F64, I32, I64, U8, BOOL]
NAME = dict(zip(DTYPES, ["f32", "f64", "i32", "i64", "u8", "bool"]))
CODE = {d: i + 1 for i, d in enumerate(DTYPES)}  # enum ebb_dtype
RETAIN, CREATE_GRAPH, ALLOW_UNUSED = 1, 2, 4  # enum ebb_grad_flags


class Ints(C.Structure):
    _fields_ = [("n", C.c_int32), ("v", C.c_int64 * 8)]


class Info(C.Structure):
    _fields_ = [("dtype", C.c_int32), ("ndim", C.c_int32), ("shape", C.c_int64 * 8), ("stride", C.c_int64 * 8),
                ("numel", C.c_int64), ("data", C.c_void_p)]


class Host(C.Structure):
    """struct ebb_host, <ebb/abi.h>"""
    _fields_ = [("size", C.c_uint32), ("major", C.c_uint32), ("minor", C.c_uint32), ("call", C.c_void_p),
                ("call_inplace", C.c_void_p), ("scalar", C.CFUNCTYPE(C.c_void_p, C.c_void_p, C.c_void_p, C.c_double))]


class Refused(Exception):
    """The session has an error; its words."""


class Ebb:
    """A session. Tensors are their addresses."""

    def __init__(self, path):
        self.lib = lib = C.CDLL(os.path.abspath(path))
        p, i = C.c_void_p, C.c_int
        for name, result, *args in [
                ("open", p, p), ("error", C.c_char_p, p), ("error_clear", None, p), ("begin", p, p), ("end", None, p),
                ("threads_set", None, p, i), ("op_count", C.c_size_t, p), ("op_at", p, p, C.c_size_t),
                ("tensor_new", p, p, i, Ints, p), ("tensor_info", None, p, C.POINTER(Info)),
                ("copy_out", i, p, p, C.c_size_t), ("call_named", i, p, C.c_char_p, i, p, C.c_char_p, i, p),
                ("requires_grad", i, p, C.c_bool), ("needs_grad", C.c_bool, p), ("backward", i, p), ("detach", p, p),
                ("grad", i, p, i, p, p, i, p, i, p), ("grad_of", p, p), ("no_grad_begin", None, p), ("no_grad_end", None, p)]:
            f = getattr(lib, "ebb_" + name)
            f.restype, f.argtypes = result, args
        self.e = lib.ebb_open(None)
        lib.ebb_threads_set(self.e, 1)

    def checked(self, result):
        words = self.lib.ebb_error(self.e)
        if words:
            self.lib.ebb_error_clear(self.e)
            raise Refused(words.decode())
        return result

    def op_names(self):
        """The name is the third field of struct ebb_op, after two 32-bit ones."""
        ops = (self.lib.ebb_op_at(self.e, i) for i in range(self.lib.ebb_op_count(self.e)))
        return [C.cast(C.c_void_p.from_address(op + 8).value, C.c_char_p).value.decode() for op in ops]

    def tensor(self, t, requires_grad=False):
        shape = Ints(t.dim(), (C.c_int64 * 8)(*t.shape))
        values = t.detach().contiguous()  # lives until it has been copied
        made = self.checked(self.lib.ebb_tensor_new(self.e, CODE[t.dtype], shape, values.data_ptr()))
        if requires_grad:
            self.checked(self.lib.ebb_requires_grad(made, True))
        return made

    def number(self, like, value):
        host = C.cast(C.c_void_p.from_address(like).value, C.POINTER(Host)).contents
        return self.checked(host.scalar(self.e, like, value))

    def call_all(self, op, inputs, **attrs):
        """-> every output"""
        text = " ".join(f"{k}={attr_text(v)}" for k, v in attrs.items())
        x, y = (C.c_void_p * max(len(inputs), 1))(*inputs), (C.c_void_p * 64)()
        n = self.checked(self.lib.ebb_call_named(self.e, op.encode(), len(inputs), x, text.encode(), 64, y))
        return list(y)[:n]

    def call(self, op, inputs, **attrs):
        return self.call_all(op, inputs, **attrs)[0]

    def read(self, t):
        info = Info()
        self.lib.ebb_tensor_info(t, C.byref(info))
        out = torch.empty(list(info.shape[:info.ndim]), dtype=DTYPES[info.dtype - 1])
        self.checked(self.lib.ebb_copy_out(t, out.data_ptr(), out.numel() * out.element_size()))
        return out

    def grad(self, outs, seeds, wrt, flags=ALLOW_UNUSED):
        array = lambda ts: (C.c_void_p * max(len(ts), 1))(*ts)
        found = array([None] * len(wrt))
        self.checked(self.lib.ebb_grad(self.e, len(outs), array(outs), seeds and array(seeds), len(wrt), array(wrt), flags, found))
        return list(found)[:len(wrt)]


def attr_text(v):
    if isinstance(v, (list, tuple)):
        return ",".join(map(str, v))
    if isinstance(v, str):
        return v
    return NAME[v] if isinstance(v, torch.dtype) else str(int(v)) if isinstance(v, bool) else repr(v) if isinstance(v, float) else str(v)
