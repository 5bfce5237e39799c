#!/usr/bin/env bash
# train_test.sh - the 8x8 digits are learnt to a held-back accuracy, with the same final bits for any number of threads.
#     train_test.sh EBB PERCENT [ARGS...]     EBB may hold words: "node ebb.js"
set -euo pipefail
read -r -a ebb <<<"$1"
percent=$2
shift 2
first=$("${ebb[@]}" train digits --seed 3 --threads 1 "$@" 2>&1)
echo "$first" | tail -n 4
accuracy=$(grep -o 'test accuracy [0-9.]*' <<<"$first" | grep -o '[0-9.]*$')
awk -v a="$accuracy" -v p="$percent" 'BEGIN {exit !(a >= p)}' || { echo "test accuracy $accuracy is below $percent"; exit 1; }
bits=$(grep -o 'bits 0x[0-9a-f]*' <<<"$first")
for threads in 2 3; do
    again=$("${ebb[@]}" train digits --seed 3 --threads $threads "$@" 2>&1 | grep -o 'bits 0x[0-9a-f]*')
    [ "$again" = "$bits" ] || { echo "$threads threads end with $again, 1 with $bits"; exit 1; }
done
echo "the same $bits with 1, 2 and 3 threads"
