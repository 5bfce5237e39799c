#!/usr/bin/env python3
"""Checks (or with --fix applies) .clang-format, leaving what stands inside EBB_...( ) declarations as it was written.

clang-format knows no macro that declares, so it would squeeze a kernel's body into an argument list. This puts every
such declaration that begins a line between "clang-format off" and "on" marks for the time of the run.
"""
import difflib
import re
import subprocess
import sys

OFF, ON = "// format.py\n// clang-format off\n", "// clang-format on\n// format.py\n"  # marks of a writer stay apart
DECLARATION = re.compile(r"^EBB_(?!PRINTF)[A-Z0-9_]+\(", re.M)
TOKEN = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[()]", re.S)


def end_of_call(text, start):
    """The position after the line on which the parenthesis that opens at or after `start` closes."""
    depth = 0
    for token in TOKEN.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(token.group(), 0)
        if depth == 0 and token.group() == ")":
            newline = text.find("\n", token.end())
            return len(text) if newline < 0 else newline + 1
    return len(text)


def protect(text):
    out, at = [], 0
    while found := DECLARATION.search(text, at):
        end = end_of_call(text, found.start())
        out += [text[at:found.start()], OFF, text[found.start():end], ON]
        at = end
    return "".join(out) + text[at:]


def formatted(path, text):
    run = subprocess.run(["clang-format", "--style=file", "--assume-filename=" + path], input=protect(text),
                         capture_output=True, text=True, check=True)
    return run.stdout.replace(OFF, "").replace(ON, "")


def main(args):
    fix, bad = "--fix" in args, 0
    for path in (a for a in args if a != "--fix"):
        with open(path, encoding="utf-8") as file:
            old = file.read()
        new = formatted(path, old)
        if new == old:
            continue
        if fix:
            with open(path, "w", encoding="utf-8") as file:
                file.write(new)
            print(f"{path}: formatted")
            continue
        bad += 1
        diff = list(difflib.unified_diff(old.splitlines(), new.splitlines(), path, "formatted", lineterm="", n=0))
        print("\n".join(diff[:12]))
        if len(diff) > 12:
            print(f"... {len(diff) - 12} more lines")
    if bad:
        print(f"format: {bad} files differ; ./dev style --fix rewrites them")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
