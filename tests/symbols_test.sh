#!/usr/bin/env bash
# symbols_test.sh - libebb.so exports the functions of <ebb/ebb.h> and nothing else.
#     symbols_test.sh LIBEBB.so
set -euo pipefail
extra=$(nm -D --defined-only "$1" | awk '$3 !~ /^(ebb_|_init$|_fini$)/ {print $3}')
[ -z "$extra" ] || { echo "exported, but not the API's: $extra"; exit 1; }
internal=$(nm -D --defined-only "$1" | awk '$3 ~ /^ebb__/ {print $3}')
[ -z "$internal" ] || { echo "internal, but exported: $internal"; exit 1; }
count=$(nm -D --defined-only "$1" | grep -c ' T ebb_')
[ "$count" -gt 60 ] || { echo "only $count functions are exported"; exit 1; }
echo "$count functions are exported, all of them the API's"
