#!/usr/bin/env bash
# shared_test.sh - the example program linked with libebb.so, as a user would, with gcc's default flags.
#     shared_test.sh REPO BUILD_DIR LIB_DIR
set -euo pipefail
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"${CC:-cc}" -O2 -Wall -Wextra -Werror "$1/examples/train.c" -I "$1/core/include" -I "$2/include" -L "$3" -lebb -lm -Wl,-rpath,"$3" -o "$out/train"
"$out/train"
