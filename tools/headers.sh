#!/usr/bin/env bash
# headers.sh - every public header compiles alone, as C11 and as C++17, without a warning.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

generated=build/release/include
[ -f $generated/ebb/ops.h ] || { echo "headers: $generated/ebb/ops.h is missing; run ./dev build first"; exit 1; }

flags=(-pedantic -Wall -Wextra -Werror -fsyntax-only -I core/include -I lang/include -I view/include -I "$generated")
count=0 wrong=0
for header in core/include/ebb/*.h lang/include/ebb/*.h view/include/ebb/*.h "$generated"/ebb/*.h; do
    count=$((count + 1))
    for compiler in gcc clang; do
        command -v $compiler >/dev/null || continue
        for language in 'c c11' 'c++ c++17'; do
            read -r kind standard <<<"$language"
            printf '#include <ebb/%s>\nextern int not_empty;\n' "$(basename "$header")" | $compiler -x "$kind" -std="$standard" "${flags[@]}" - && continue
            echo "$header: does not compile alone as $standard under $compiler"
            wrong=$((wrong + 1))
        done
    done
done
echo "headers: $count compiled alone as C11 and C++17, $wrong failures"
[ $wrong = 0 ]
