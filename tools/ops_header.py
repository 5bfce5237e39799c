#!/usr/bin/env python3
"""Writes <ebb/ops.h> (a C wrapper for each op) and the table of built-in plugins, from the declarations themselves.

    ops_header.py --header OUT ops/*/*.c             the wrappers
    ops_header.py --builtin OUT ops/*/*.c -- p1 p2   the table: one plugin a family (a folder of ops/), then the named plugins
    ops_header.py --builtin OUT --only a,b ops/*/*.c -- p1 p2   the same with just these ops and those that they call

A declaration is `EBB_OP(name, ... );` closed by `);` at the start of a line, with `.sig` a string and, when there are
attributes, `.attrs = EBB_ATTRS(Struct, table)` over `static const ebb_attr table[] = {EBB_ATTR(...), ...};` in the same file.
A test compares what was read here with the registry.
"""
import os
import re
import sys

C_TYPE = {"INT": "int64_t", "FLOAT": "double", "BOOL": "bool", "INTS": "ebb_ints", "ENUM": "int32_t", "DTYPE": "int32_t",
          "FLOATS": "ebb_floats", "TEXT": "ebb_text"}
DTYPES = ["none", "f32", "f64", "i32", "i64", "u8", "bool"]


def fail(path, text):
    sys.exit(f"{path}: {text}")


def string(path, name, text):
    """The C string literals of `text` joined."""
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    if not parts:
        fail(path, f"{name}: a string is expected")
    return "".join(parts)


def fnv(s):
    h = 2166136261
    for c in s.encode():
        h = ((h ^ c) * 16777619) & 0xFFFFFFFF
    return h or 1


def read_attrs(path, source, table):
    m = re.search(r"static const ebb_attr " + table + r"\[\] = \{(.*?)\n?\};", source, re.S)
    if not m:
        fail(path, f"no table {table}")
    out = []
    for a in re.finditer(r'EBB_ATTR\(\s*EBB_A_(\w+),\s*\w+,\s*(\w+),\s*("(?:[^"\\]|\\.)*"|NULL),\s*("(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*)([^;]*?)\)(?=,\s*EBB_ATTR|\s*,?\s*$)', m.group(1), re.S):
        kind, field, default, doc, rest = a.groups()
        choices = re.search(r'"([^"]*\|[^"]*)"', rest)
        out.append((kind, field, None if default == "NULL" else default[1:-1], string(path, field, doc), choices.group(1).split("|") if choices else []))
    if len(out) != m.group(1).count("EBB_ATTR("):
        fail(path, f"{table}: {m.group(1).count('EBB_ATTR(')} entries, {len(out)} understood")
    return out


def read_ops(path):
    source = open(path).read()
    ops = []
    for m in re.finditer(r"^EBB_OP\((\w+),(.*?)^\s*\);", source, re.S | re.M):
        name, body = m.groups()
        sig = re.search(r'\.sig\s*=\s*((?:"[^"]*"\s*)+)', body)
        if not sig:
            fail(path, f"{name}: no .sig")
        attrs = re.search(r"\.attrs\s*=\s*EBB_ATTRS\(\s*\w+\s*,\s*(\w+)\s*\)", body)
        doc = re.search(r'\.doc\s*=\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', body)
        math = re.search(r'\.math\s*=\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', body)
        flags = re.search(r"\.flags\s*=([^,]*),", body)
        ops.append(dict(name=name, sig=string(path, name, sig.group(1)), attrs=read_attrs(path, source, attrs.group(1)) if attrs else [],
                        doc=string(path, name, doc.group(1)) if doc else "", math=string(path, name, math.group(1)) if math else "",
                        inplace=bool(flags and "EBB_INPLACE" in flags.group(1))))
    if len(ops) != len(re.findall(r"^EBB_OP\(", source, re.M)):
        fail(path, "an EBB_OP is not closed by `);` at the start of a line")
    return ops


def operands(sig):
    """(name, optional, variadic) of each input, and the number of outputs, -1 when it depends on the call."""
    left, right = sig.split("->")
    ins = []
    for m in re.finditer(r"(\w*)\([^)]*\)([?*]*)", left):
        ins.append((m.group(1) or chr(ord("a") + len(ins)), "?" in m.group(2), "*" in m.group(2)))
    return ins, -1 if "*" in right else len(re.findall(r"\([^)]*\)", right))


def value(kind, default, choices):
    if default is None or default == "":
        return {"INTS": "{0, {0}}", "FLOATS": "{0, {0}}", "TEXT": '{""}'}.get(kind, "0")
    if kind == "ENUM":
        return str(choices.index(default))
    if kind == "DTYPE":
        return str(DTYPES.index(default))
    if kind == "TEXT":
        return '{"%s"}' % default
    if kind in ("INTS", "FLOATS"):
        v = default.split(",")
        return "{%d, {%s}}" % (len(v), ", ".join(v))
    if kind == "BOOL":
        return "true" if default in ("1", "true") else "false"
    if default in ("inf", "-inf", "nan"):
        return {"inf": "HUGE_VAL", "-inf": "-HUGE_VAL", "nan": "EBB_NAN"}[default]
    if kind == "INT":
        return {"min": "INT64_MIN", "max": "INT64_MAX"}.get(default, default)
    return default


# in <ebb/abi.h> and <ebb/ebb.h> under these names, so that ebb_to(x, EBB_F32), ebb_full(e, EBB_F32, shape, 1) read well
BY_HAND = {"to", "zeros", "ones", "full", "rand", "randn"}


def wrapper(op):
    name, attrs = op["name"], op["attrs"]
    if name in BY_HAND:
        return ""
    ins, n_y = operands(op["sig"])
    h = f"0x{fnv(name):08x}u"
    out = [f"/* {op['doc']}", f" *     {op['math']}" if op["math"] else "", f" * {op['sig']} */"]
    out = [l for l in out if l]
    simple = ins and not attrs and not any(o or v for _, o, v in ins) and n_y == 1
    names = [n for n, _, _ in ins]
    if simple:
        params = ", ".join(f"ebb_tensor *{n}" for n in names)
        out += [f"EBB_WRAPPER ebb_tensor *(ebb_{name})({params}) {{", f"    ebb_tensor *const x_[] = {{{', '.join(names)}}};",
                f'    return ebb_op_call("{name}", {h}, {len(ins)}, x_, NULL, 0, 0, NULL);', "}"]
        if op["inplace"]:
            out += [f"EBB_WRAPPER ebb_tensor *ebb_{name}_({params}) {{", f"    ebb_tensor *const x_[] = {{{', '.join(names)}}};",
                    f'    return ebb_op_call_inplace("{name}", {h}, {len(ins)}, x_, NULL, 0);', "}"]
        return "\n".join(out) + "\n"
    out.append(f"typedef struct ebb_{name}_args {{")
    out += [f"    {C_TYPE[k]} {f};" for k, f, _, _, _ in attrs]
    variadic = ins and ins[-1][2]
    fields = [f"x{i}_{n}" for i, n in enumerate(names[:-1] if variadic else names)]
    out += [f"    ebb_tensor *{f};" for f in fields]
    if variadic:
        out += ["    int n_x;", "    ebb_tensor *const *x;"]
    if not ins:
        out.append("    ebb *e;")
    if n_y != 1:
        out.append("    ebb_tensor **more;")
    if n_y < 0:
        out.append("    int n_more;")
    out.append(f"}} ebb_{name}_args;")
    first = fields[0] if fields else "n_x" if ins else "e"
    size = f"(uint32_t)offsetof(ebb_{name}_args, {first})" if attrs else "0"
    more = f"{n_y - 1}, v->more" if n_y > 1 else "v->n_more, v->more" if n_y < 0 else "0, NULL"
    out.append(f"EBB_WRAPPER ebb_tensor *ebb_{name}_of(const ebb_{name}_args *v) {{")
    attrs_of = f"{'v' if attrs else 'NULL'}, {size}"
    if not ins:
        call = f'ebb_op_call_new(v->e, "{name}", {h}, {attrs_of}, {more})'
    elif variadic and not fields:
        call = f'ebb_op_call("{name}", {h}, v->n_x, v->x, {attrs_of}, {more})'
    elif variadic:
        out += [f"    ebb_tensor *x_[EBB_MAX_OPERANDS] = {{{', '.join('v->' + f for f in fields)}}};",
                f"    const int n_ = v->n_x < EBB_MAX_OPERANDS - {len(fields)} ? v->n_x : EBB_MAX_OPERANDS - {len(fields)};",
                f"    for (int i_ = 0; i_ < n_; i_++) x_[{len(fields)} + i_] = v->x[i_];"]
        call = f'ebb_op_call("{name}", {h}, {len(fields)} + n_, x_, {attrs_of}, {more})'
    else:
        out.append(f"    ebb_tensor *const x_[] = {{{', '.join('v->' + f for f in fields)}}};")
        call = f'ebb_op_call("{name}", {h}, {len(ins)}, x_, {attrs_of}, {more})'
    out += [f"    return {call};", "}"]
    init = "".join(f".{f} = {value(k, d, c)}, " for k, f, d, _, c in attrs)
    out.append(f"#define ebb_{name}(...) EBB_WITH_DEFAULTS(ebb_{name}_of(&(ebb_{name}_args){{{init}__VA_ARGS__}}))")
    if op["inplace"] and not (variadic or n_y != 1):
        out += [f"EBB_WRAPPER ebb_tensor *ebb_{name}_of_(const ebb_{name}_args *v) {{", f"    ebb_tensor *const x_[] = {{{', '.join('v->' + f for f in fields)}}};",
                f'    return ebb_op_call_inplace("{name}", {h}, {len(ins)}, x_, {attrs_of});', "}",
                f"#define ebb_{name}_(...) EBB_WITH_DEFAULTS(ebb_{name}_of_(&(ebb_{name}_args){{{init}__VA_ARGS__}}))"]
    return "\n".join(out) + "\n"


# ---- which ops an op calls: for a table of some ops alone ----

HELPERS = {"add_scalar": "add", "mul_scalar": "mul", "div_scalar": "div", "sub_from": "sub", "div_into": "div", "constant": "full"}
IN_KERNELS = re.compile(r"EBB_(MAP|KERNEL|NUMERIC|WIDE|COMPARE)|EBB__BODY")  # ebb_exp is a number's there, no op


def chunks(path):
    """The top-level definitions of a file and of the headers beside it: (what they define, text)."""
    source = re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)
    for header in re.findall(r'#include "(\w+\.h)"', source):
        yield from chunks(os.path.join(os.path.dirname(path), header))
    for text in re.split(r"\n(?=[^\s})#]|#define)", source):
        head = text.split("{")[0]
        if re.match(r"[A-Z_0-9]+\(", head):  # a macro that defines something named after its arguments
            yield set(re.findall(r"\w+", head.split("(", 1)[1])) | {"*"}, text
        else:
            yield set(re.findall(r"#define (\w+)|(?<![\w.])(\w+)(?:\(|\[)", head)[0] if re.search(r"#define|\w[([]", head) else ()), text


def callees(paths, ops):
    """For each op, the ops that its functions call, as far as the text shows it."""
    files = {p: list(chunks(p)) for p in paths}
    shared = {n: c for cs in files.values() for c in cs for n in c[0] if n.startswith("ebb__") and "*" not in c[0]}
    out = {}
    for path, cs in files.items():
        for start in cs:
            m = re.match(r"EBB_OP\((\w+),", start[1])
            if not m:
                continue
            seen, todo, called = set(), [start], set()
            while todo:
                names, text = todo.pop()
                if text in seen:
                    continue
                seen.add(text)
                words = set(re.findall(r"\w+", re.sub(r'"(?:[^"\\\n]|\\.)*"', "", text)))
                if not IN_KERNELS.match(text):
                    for w in words:
                        n = re.sub(r"(_of)?_?$", "", w[4:]) if w.startswith("ebb_") else None
                        called |= {HELPERS.get(n, n), w[4:]} & ops if n else set()
                todo += [c for c in cs if not c[1].startswith("EBB_OP(") and
                         (c[0] & words or ("*" in c[0] and any(w.startswith(a + "_") for a in c[0] - {"*"} for w in words)))]
                todo += [shared[w] for w in words if w in shared]
            out[m.group(1)] = called
    return out


def needed(paths, ops, wanted):
    calls, seen, todo = callees(paths, ops), set(), list(wanted)
    for w in wanted:
        if w not in ops:
            sys.exit(f"--only: there is no op {w}")
    while todo:
        op = todo.pop()
        if op not in seen:
            seen.add(op)
            todo += calls[op]
    return seen


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    if not os.path.exists(path) or open(path).read() != text:
        open(path, "w").write(text)


def main(argv):
    mode, out = argv[0], argv[1]
    rest = argv[2:]
    extra, only = [], None
    if rest[0] == "--only":
        only = [o for o in rest[1].split(",") if o]
        rest = rest[2:]
    if "--" in rest:
        extra = rest[rest.index("--") + 1:]
        rest = rest[:rest.index("--")]
    families = {}
    for p in sorted(rest):
        families.setdefault(os.path.basename(os.path.dirname(p)), []).extend(read_ops(p))
    if only:
        keep = needed(rest, {o["name"] for ops in families.values() for o in ops}, only)
        families = {f: [o for o in ops if o["name"] in keep] for f, ops in families.items()}
    families = [(f, ops) for f, ops in families.items() if ops]
    if mode == "--header":
        text = ["/* ops.h - floor 1: a C function or macro for each op. Generated from the declarations; do not edit.",
                " * Ops with attributes take them by name after the tensors: ebb_softmax(x, .dim = 1). Results belong to the scope. */",
                "#ifndef EBB_OPS_H", "#define EBB_OPS_H", "#include <ebb/abi.h>", "#include <math.h>", "", "#ifdef __cplusplus", 'extern "C" {', "#endif", ""]
        for family, ops in families:
            text.append(f"/* ---- {family} ---- */\n")
            text += [wrapper(o) for o in ops]
        text += ["#ifdef __cplusplus", "}", "#endif", "#endif", ""]
        write(out, "\n".join(text))
    elif mode == "--builtin":
        text = ["/* builtin.c - floor 5: the table of the plugins that are linked in. Generated. */", "#define EBB_WRAPPERS_HERE", "#include <ebb/entry.h>", "#include <ebb/op.h>", ""]
        for family, ops in families:
            text += [f"extern const ebb_op ebb_op_{o['name']};" for o in ops]
            text.append(f"static const ebb_plugin {family}_plugin = {{.magic = EBB_PLUGIN_MAGIC, .abi_major = EBB_ABI_MAJOR, .abi_minor = EBB_ABI_MINOR, .size = sizeof(ebb_plugin),")
            text.append(f"    .pointer_bits = 8 * sizeof(void *), .build = __VERSION__, .name = \"{family}\", .ops = EBB_LIST(ebb_op, {', '.join('&ebb_op_' + o['name'] for o in ops)})}};\n")
        text += [f"extern const ebb_plugin ebb_plugin_{p};" for p in extra]
        text.append("extern const ebb_plugin *const ebb__builtin[];")
        text.append("const ebb_plugin *const ebb__builtin[] = {" + ", ".join([f"&{f}_plugin" for f, _ in families] + [f"&ebb_plugin_{p}" for p in extra]) + ", NULL};")
        write(out, "\n".join(text) + "\n")
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
