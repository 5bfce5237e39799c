#!/usr/bin/env bash
# run.sh - the verifier's own test: wrong plugins, each of which `ebb check` must refuse, and for the right reason.
#
#     tests/must_fail/run.sh EBB BUILD_DIR [INCLUDE_DIR...]      EBB: the `ebb` command; "-" only compiles
#
# Every plugin's second line says what to expect:
#     expect: CHECK[|CHECK...]: PATTERN     refused; one of these checks FAILED and its lines match PATTERN (grep -Ei);
#                                           check "plugin": refused before anything is verified
#     expect: accepted                      a positive control
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -ge 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
ebb=$1 out=$2
shift 2
mkdir -p "$out" || exit 2
out=$(cd "$out" && pwd)
[ $# -gt 0 ] || set -- "$here/../../core/include"

flags=(-std=c11 -shared -fPIC -O2 -fvisibility=hidden -ffp-contract=off -Wall -Wno-override-init)
for dir; do flags+=(-I "$dir"); done

# compile FILE.c: BUILD_DIR/FILE.so, unless it is newer than the source and the headers
compile() {
    local so=$out/$(basename "$1" .c).so
    [ "$so" -nt "$1" ] && [ -z "$(find "${includes[@]}" -name '*.h' -newer "$so" -print -quit)" ] && return
    "${CC:-cc}" "${flags[@]}" "$1" -o "$so.part" && mv "$so.part" "$so" || echo "${1#"$here"/}: does not compile"
}

includes=("$@")
files=("$here"/*.c "$here"/load/*.c)
for file in "${files[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-2}" ]; do wait -n; done
    compile "$file" &
done
wait
echo 'This is a text file. It is no plugin, whatever its name says.' >"$out/text.so"
: >"$out/empty.so"
for file in "${files[@]}"; do [ -f "$out/$(basename "$file" .c).so" ] || exit 1; done
[ "$ebb" != - ] || exit 0

wrong=0 score=
declare -A killed=([mutants]=0 ['bad plugins']=0 [controls]=0) tried=([mutants]=0 ['bad plugins']=0 [controls]=0)

# judge KIND FILE.so EXPECT: one line, and the score of its kind
judge() {
    local kind=$1 so=$2 expect=$3 name code=0 report checks pattern lines verdict=''
    name=$(basename "$so" .so)
    report=$(timeout "${LIMIT:-120}" "$ebb" check "$so" 2>&1) || code=$?
    report=${report//"$so"/FILE} # so that no pattern matches a file's name
    if [ "$expect" = accepted ]; then
        kind=controls
        [ $code = 0 ] || verdict="is right, but was refused (exit code $code)"
    else
        checks=${expect%%: *} pattern=${expect#*: }
        if [ $code = 0 ]; then
            verdict='was ACCEPTED'
        elif [ $code -gt 100 ]; then
            verdict="ended ebb with exit code $code"
        elif [ "$checks" = plugin ]; then
            grep -Eiq -- "$pattern" <<<"$report" || verdict="refused, but without the words: $pattern"
        else
            # a check's line is moved right by two, what explains it by more
            lines=$(awk -v checks="^($checks)$" '
                /^  [^ ]/ { on = $1 ~ checks && /FAILED$/ }
                /^[^ ]/ { on = 0 }
                on' <<<"$report")
            if [ -z "$lines" ]; then
                verdict="refused, but no FAILED line of: $checks"
            else
                grep -Eiq -- "$pattern" <<<"$lines" || verdict="refused, but without the words: $pattern"
            fi
        fi
    fi
    tried[$kind]=$((tried[$kind] + 1))
    if [ -z "$verdict" ]; then
        killed[$kind]=$((killed[$kind] + 1))
        if [ "$kind" = controls ]; then printf 'accepted  %s\n' "$name"; else printf 'refused   %-26s %s\n' "$name" "${checks//|/, }"; fi
    else
        wrong=$((wrong + 1))
        printf 'WRONG     %-26s %s\n' "$name" "$verdict"
        sed 's/^/          | /' <<<"$report" | head -n 30
    fi
}

for file in "${files[@]}"; do
    kind=mutants
    [ "$(dirname "$file")" = "$here" ] || kind='bad plugins'
    expect=$(sed -n '2s/^ \* expect: \(.*[^ ]\) *\*\/$/\1/p' "$file")
    [ -n "$expect" ] || { echo "$file: line 2 must be ' * expect: ... */'"; exit 2; }
    judge "$kind" "$out/$(basename "$file" .c).so" "$expect"
done
judge 'bad plugins' "$out/text.so" 'plugin: FILE is not a plugin'
judge 'bad plugins' "$out/empty.so" 'plugin: FILE is not a plugin'
judge 'bad plugins' "$out/missing.so" 'plugin: cannot open FILE'

for kind in mutants 'bad plugins'; do score+="${score:+, }${killed[$kind]} of ${tried[$kind]} $kind"; done
echo "kill score: $score; ${killed[controls]} of ${tried[controls]} correct plugins accepted"
[ $wrong = 0 ]
