#!/usr/bin/env bash
# readme_test.sh - the code in the README is the code in the repo: what the tests compile, run and verify.
#     readme_test.sh REPO
set -euo pipefail
cd "$1"
block() { awk -v n="$2" '/^```c$/ {k++; on = k == n; next} /^```$/ {on = 0} on' "$1"; }
diff <(block README.md 1) plugins/example/my_swish.c || { echo "README.md's plugin is not plugins/example/my_swish.c"; exit 1; }
diff <(block README.md 2) examples/train.c || { echo "README.md's program is not examples/train.c"; exit 1; }
[[ "$(cat README.md)" == *"$(cat examples/models/moons.ebb)"* ]] || { echo "README.md's model is not examples/models/moons.ebb"; exit 1; }
lines=$(wc -l <plugins/example/my_swish.c)
[ "$lines" -le 24 ] || { echo "the plugin has grown to $lines lines"; exit 1; }
for word in $(grep -o '`\./dev [a-z-]*' README.md | awk '{print $2}' | sort -u); do
    grep -Eq "^ *(cmd_)?$word(\)|\(\))|\"$word\"|\b$word\b" dev || { echo "README.md names ./dev $word, which dev does not have"; exit 1; }
done
for path in $(grep -oE '\]\([a-zA-Z0-9_./-]+\)' README.md | tr -d '()' | sed 's/^]//'); do
    [ -e "$path" ] || { echo "README.md links to $path, which is not there"; exit 1; }
done
echo "README.md agrees with the repo"
