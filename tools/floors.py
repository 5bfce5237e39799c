#!/usr/bin/env python3
"""The floor rule: a file includes only files on its own floor or below.

The first line of every C file says its name, floor and job:   /* shape.c - floor 0: shapes and strides. */
    core/ 0 to 4, ops/ and plugins/ 5, lang/ and view/ 6, cli/, web/ and bench/ 7
Public headers, core/include/ebb/, may be included from anywhere and include only each other; those of lang/ and view/ are on floor 6. Ops and plugins include
only public headers and those of their own folder. plugins/example/ is held to that too, but may look like a stranger's
file: its first line is free. tests/ and examples/ are exempt.

    tools/floors.py [--self-test]
"""
import os
import re
import subprocess
import sys
import tempfile

FLOORS = {"core": range(0, 5), "ops": range(5, 6), "plugins": range(5, 6), "lang": range(6, 7), "view": range(6, 7),
          "cli": range(7, 8), "web": range(7, 8), "bench": range(7, 8)}
PUBLIC = "core/include/"
INCLUDED = (PUBLIC, "lang/include/", "view/include/")  # where <ebb/...> is looked for
FREE_FIRST_LINE = "plugins/example/"
GENERATED = {"core/include/ebb/ops.h"}  # by the build, from the ops' declarations

FIRST_LINE = re.compile(r"/\* (\S+) - floor (\d): \S")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def c_files(root):
    """The C files under the floors' folders, tracked or new, relative to root."""
    folders = [f for f in FLOORS if os.path.isdir(os.path.join(root, f))]
    if not folders:
        return []
    try:
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *folders], cwd=root,
                                capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):  # not a git checkout
        listed = [os.path.relpath(os.path.join(at, name), root)
                  for folder in folders for at, _, names in os.walk(os.path.join(root, folder)) for name in names]
    return sorted({f for f in listed if f.endswith((".c", ".h")) and os.path.isfile(os.path.join(root, f))})


def floor_of(path, first_line):
    """-> (floor or None, what is wrong with the first line or None)"""
    allowed = FLOORS[path.split("/")[0]]
    if path.startswith(FREE_FIRST_LINE):
        return allowed[0], None
    name, found = os.path.basename(path), FIRST_LINE.match(first_line)
    if not found:
        return None, f"the first line must read: /* {name} - floor N: what it is for. */"
    if found.group(1) != name:
        return None, f"the first line names {found.group(1)}, but this is {name}"
    floor = int(found.group(2))
    if floor not in allowed:
        return None, f"floor {floor} is not one of {path.split('/')[0]}/, which has {allowed[0]} to {allowed[-1]}"
    return floor, None


def resolve(path, quote, name, files):
    """The file that an #include in `path` names, None for a system header, "" when it cannot be told."""
    candidates = [] if quote == "<" else [os.path.normpath(os.path.join(os.path.dirname(path), name))]
    candidates += [folder + name for folder in INCLUDED]
    for candidate in candidates:
        if candidate in files or candidate in GENERATED:
            return candidate
    if quote == "<":
        return "" if name.startswith("ebb/") else None
    same = [f for f in files if f == name or f.endswith("/" + name)]
    return same[0] if len(same) == 1 else ""


def violation(path, target, floors):
    """Why `path` may not include `target`, or None."""
    if target.startswith(PUBLIC):
        return None
    if path.startswith(PUBLIC):
        return "a public header may include only public headers"
    if path.startswith(("ops/", "plugins/")) and os.path.dirname(target) != os.path.dirname(path):
        return "ops and plugins include only <ebb/...> and headers of their own folder"
    own, other = floors.get(path), floors.get(target)
    if own is not None and other is not None and other > own:
        return f"floor {own} includes floor {other}"
    return None


def check(root):
    """-> list of (file, line number, message)"""
    files = c_files(root)
    lines, floors, wrong = {}, {}, []
    for path in files:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            lines[path] = file.read().splitlines()
        floors[path], message = floor_of(path, lines[path][0] if lines[path] else "")
        if message:
            wrong.append((path, 1, message))
    for path in files:
        for number, line in enumerate(lines[path], 1):
            found = INCLUDE.match(line)
            target = found and resolve(path, found.group(1), found.group(2), lines)
            if target == "":
                wrong.append((path, number, f"cannot tell which file {found.group(2)} is"))
            elif target:
                message = violation(path, target, floors)
                if message:
                    wrong.append((path, number, f"includes {target}: {message}"))
    return wrong, len(files)


# Each: files, and the violations expected as "file:line fragment of the message".
SELF_TEST = [
    ({"core/a.c": '/* a.c - floor 2: x. */\n#include "b.h"\n#include <math.h>\n', "core/b.h": "/* b.h - floor 2: x. */\n"}, []),
    ({"core/a.c": '/* a.c - floor 1: x. */\n#include "b.h"\n', "core/b.h": "/* b.h - floor 2: x. */\n"},
     ["core/a.c:2 floor 1 includes floor 2"]),
    ({"core/a.c": "int a;\n"}, ["core/a.c:1 must read"]),
    ({"core/a.c": ""}, ["core/a.c:1 must read"]),
    ({"core/a.c": "/* b.c - floor 1: x. */\n"}, ["core/a.c:1 names b.c"]),
    ({"core/a.c": "/* a.c - floor 5: x. */\n"}, ["core/a.c:1 floor 5 is not one of core/"]),
    ({"core/a.c": "/* a.c - floor 0: x. */\n#include <ebb/late.h>\n#include <ebb/ops.h>\n",
      "core/include/ebb/late.h": "/* late.h - floor 4: x. */\n"}, []),
    ({"core/a.c": "/* a.c - floor 0: x. */\n#include <ebb/none.h>\n"}, ["core/a.c:2 cannot tell"]),
    ({"core/include/ebb/p.h": '/* p.h - floor 1: x. */\n#include "q.h"\n', "core/q.h": "/* q.h - floor 0: x. */\n"},
     ["core/include/ebb/p.h:2 only public headers"]),
    ({"ops/o.c": '/* o.c - floor 5: x. */\n#include "o.h"\n#  include "tape.h"\n', "ops/o.h": "/* o.h - floor 5: x. */\n",
      "core/tape.h": "/* tape.h - floor 3: x. */\n"}, ["ops/o.c:3 own folder"]),
    ({"plugins/io/a.c": '/* a.c - floor 5: x. */\n#include "../optim/b.h"\n',
      "plugins/optim/b.h": "/* b.h - floor 5: x. */\n"}, ["plugins/io/a.c:2 own folder"]),
    ({"plugins/example/e.c": '/* e.c - a plugin */\n#include <ebb/p.h>\n#include "t.h"\n',
      "core/include/ebb/p.h": "/* p.h - floor 1: x. */\n", "core/t.h": "/* t.h - floor 0: x. */\n"},
     ["plugins/example/e.c:3 own folder"]),
    ({"lang/l.c": '/* l.c - floor 6: x. */\n#include "c.h"\n', "cli/c.h": "/* c.h - floor 7: x. */\n"},
     ["lang/l.c:2 floor 6 includes floor 7"]),
    ({"core/a.c": '/* a.c - floor 1: x. */\n/*\n * #include "b.h"\n */\n', "core/b.h": "/* b.h - floor 2: x. */\n"}, []),
    ({"tests/t.c": '#include "b.h"\n', "core/b.h": "/* b.h - floor 2: x. */\n"}, []),
]


def self_test():
    for number, (tree, expected) in enumerate(SELF_TEST):
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            found = [f"{path}:{line} {message}" for path, line, message in check(root)[0]]
        fits = len(found) == len(expected) and all(
            f.startswith(e.split(" ", 1)[0] + " ") and e.split(" ", 1)[1] in f for f, e in zip(found, expected))
        if not fits:
            print(f"floors: self-test {number}: expected {expected}, found {found}")
            return 1
    print(f"floors: {len(SELF_TEST)} self-tests passed")
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    wrong, count = check(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for path, line, message in wrong:
        print(f"{path}:{line}: {message}")
    print(f"floors: {count} files, {len(wrong)} violations")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
