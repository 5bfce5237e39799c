#!/usr/bin/env bash
# style.sh - what `./dev style` checks: formatting, first lines, the floor rule, public headers. --fix formats first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dirs=(core ops plugins lang view cli web tests bench examples)
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    listed=$(git ls-files -co --exclude-standard -- "${dirs[@]}")
else
    listed=$(find "${dirs[@]}" -type f 2>/dev/null || true)
fi
mapfile -t files < <(grep -E '\.[ch]$' <<<"$listed" | sort -u | while read -r f; do [ ! -f "$f" ] || echo "$f"; done)
[ ${#files[@]} -gt 0 ] || { echo 'style: no C files'; exit 0; }

wrong=()
case ${1:-} in
    '') ;;
    --fix) python3 tools/format.py --fix "${files[@]}" ;;
    *) echo 'usage: style.sh [--fix]'; exit 2 ;;
esac

if python3 tools/format.py "${files[@]}"; then echo "format: ${#files[@]} files as .clang-format wants them"; else wrong+=(format); fi

unsaid=0
for file in "${files[@]}"; do
    head -n 1 "$file" | grep -q '^/[*/]' && continue
    echo "$file:1: the first line must be a comment that says the file's job"
    unsaid=$((unsaid + 1))
done
[ $unsaid = 0 ] || wrong+=(first-line)

python3 tools/floors.py --self-test || wrong+=(floors-self-test)
python3 tools/floors.py || wrong+=(floors)
tools/headers.sh || wrong+=(headers)

# Reported, not refused: does a file this long still do one job?
wc -l "${files[@]}" | awk '$2 != "total" && $1 > 450 { print "long: " $2 " has " $1 " lines (450 is the aim)" }'

if [ ${#wrong[@]} -gt 0 ]; then
    echo "style: failed: ${wrong[*]}"
    exit 1
fi
echo 'style: all well'
