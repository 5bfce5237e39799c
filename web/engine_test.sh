#!/usr/bin/env bash
# engine_test.sh - the wasm engine under node: every op verified, plugins loaded or refused, digits learnt.
#     engine_test.sh BUILD_DIR
set -uo pipefail
cd "$1"
failed=0
ebb=(node --no-experimental-fetch ebb.js)
# expect NAME CODE PATTERN ARGS...
expect() {
    local name=$1 code=$2 pattern=$3 out got=0
    shift 3
    out=$("${ebb[@]}" "$@" 2>&1) || got=$?
    if [ $got = "$code" ] && grep -Eq -- "$pattern" <<<"$out"; then
        echo "ok      $name: $(grep -Em1 -- "$pattern" <<<"$out" | cut -c1-100)"
    else
        echo "FAILED  $name: exit code $got, expected $code and /$pattern/"
        tail -n 12 <<<"$out"
        failed=$((failed + 1))
    fi
}
expect 'every op' 0 '^[0-9]+ ops x .* 0 failed' check --all
expect 'a plugin, from the source of its .so' 0 '^registered: my_swish' check plugins/my_swish.wasm
expect 'a wrong rule' 1 'a factor [0-9.]+ is missing' check plugins/demo_missing_factor.wasm
expect 'a missing import, before it runs' 1 'imports what this program does not have: nobody_has_this' check plugins/missing_import.wasm
echo 'no module' >plugins/text.wasm
expect 'a file that is no module' 1 'is not a plugin' check plugins/text.wasm
printf '\0asm\1\0\0\0\377\377' >plugins/cut.wasm
expect 'a module cut short' 1 'not a WebAssembly module that can be compiled' check plugins/cut.wasm
expect 'a missing file' 1 'cannot open.*nothing.wasm' check plugins/nothing.wasm
expect 'digits, with the plugin' 0 'test accuracy (9[6-9]|100)' train digits --plugin plugins/my_swish.wasm
exit $failed
