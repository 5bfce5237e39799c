#!/usr/bin/env bash
# models_test.sh - the example models learn, the mistakes fail and their fixes do not, the language's page says what is so.
#     models_test.sh REPO EBB [REFERENCE]     EBB may hold words: "node ebb.js"
# Without REFERENCE: all of that. With it, models_native.txt: a few steps of each on the portable backend end with the loss that stands there.
# Its bits are equal, natively and in wasm, where no matrix product is involved. The product's kernel fuses multiply and add where the machine
# can; wasm cannot, so there losses agree to 1e-4 only. `--write FILE` in its place writes the file.
set -uo pipefail
cd "$1"
read -r -a ebb <<<"$2"
write='' reference=${3:-}
if [ "$reference" = --write ]; then write=$4 reference=''; : >"$write"; fi
failed=0
bad() { echo "FAILED  $*"; failed=$((failed + 1)); }
run() { "${ebb[@]}" run "$@" --backend portable --json 2>/dev/null; }
field() { grep -o "\"$1\": [^,]*" | head -n 1 | sed 's/.*: //; s/"//g'; }
less() { awk -v a="$1" -v b="$2" 'BEGIN {exit !(a != "null" && a + 0 < b + 0)}'; }

# the loss that each example must come below, and after how many steps
bounds='attention 0.6 150
autoencoder 0.035 200
digits_cnn 0.35 80
digits_mlp 0.3 150
dropout 0.45 150
embedding 0.9 150
gelu_mlp 0.1 150
linear_regression 0.02 300
logistic_regression 0.3 100
moons 0.1 200
residual_mlp 0.1 150
rnn 0.05 150
spirals 0.2 300
vae 34 120
xor 0.01 150'

has_product() { grep -Eq '@|conv2d' <(grep -v '^#' "$1"); }

learn() { # NAME STEPS LIMIT FILE
    local out loss bits want
    out=$(run "$4" --steps "$2")
    loss=$(field final_loss <<<"$out")
    bits=$(field final_loss_bits <<<"$out")
    if ! less "${loss:-null}" "$3"; then bad "$1: loss ${loss:-none} after $2 steps, $3 was expected"; fi
    [ -z "$write" ] || echo "$1 $loss $bits" >>"$write"
    [ -n "$reference" ] || return
    want=$(grep "^$1 " "$reference")
    if has_product "$4"; then
        awk -v a="$loss" -v w="$want" 'BEGIN {split(w, f, " "); d = a - f[2]; if (d < 0) d = -d; exit !(d <= 1e-4 * (f[2] < 0 ? -f[2] : f[2]) + 1e-9)}' ||
            bad "$1: loss $loss here, $want natively"
    elif [ "$bits" != "${want##* }" ]; then bad "$1: bits $bits here, $want natively"
    fi
}

if [ -n "$reference" ] || [ -n "$write" ]; then
    for f in examples/models/*.ebb tests/lang/*.ebb; do
        grep -q '^train' "$f" || continue
        steps=60
        ! has_product "$f" || steps=5 # what rounding there is has no time to grow
        learn "$(basename "$f" .ebb)" $steps 1e9 "$f"
    done
    [ $failed = 0 ] && echo 'the losses are those of the reference'
    exit $failed
fi

for f in examples/models/*.ebb; do
    name=$(basename "$f" .ebb)
    [ "$(head -n 2 "$f" | grep -c '^# ')" = 2 ] || bad "$name begins without a title and what to watch"
    read -r limit steps < <(awk -v n="$name" '$1 == n {print $2, $3}' <<<"$bounds") || { grep -q '^train' "$f" && bad "$name has no bound here"; continue; }
    learn "$name" "$steps" "$limit" "$f"
done
out=$("${ebb[@]}" run examples/models/worked_numbers.ebb 2>&1)
for word in 'loss = 1.125' 'd loss / d b = \[0.75, 0.75\]' '\[3, 3\]\]'; do grep -q "$word" <<<"$out" || bad "worked_numbers does not say $word"; done

# a mistake fails within its steps, its fix differs in a line or two of code and does not
for f in examples/mistakes/*_broken.ebb; do
    name=$(basename "$f" _broken.ebb) fixed=${f%_broken.ebb}_fixed.ebb
    lines=$(diff <(grep -v '^#' "$f") <(grep -v '^#' "$fixed") | grep -c '^>')
    [ "$lines" -ge 1 ] && [ "$lines" -le 2 ] || bad "$name: the fix changes $lines lines"
    wrong=$(run "$f") right=$(run "$fixed")
    a=$(field final_loss <<<"$wrong") b=$(field final_loss <<<"$right")
    [ "$(field finite <<<"$right")" = true ] || bad "$name: the fix has a loss that is not finite"
    if [ "$(field finite <<<"$wrong")" = true ] && ! awk -v a="$a" -v b="$b" 'BEGIN {exit !(a > 2 * b)}'; then
        bad "$name: loss $a broken, $b fixed"
    fi
done

# every example of the page runs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v dir="$work" '/^```ebb$/ {k++; on = 1; next} /^```$/ {on = 0} on {print > (dir "/" k ".ebb")}' docs/language.md
for f in "$work"/*.ebb; do "${ebb[@]}" run "$f" --quiet >"$work/out" 2>&1 || { bad "docs/language.md, example $(basename "$f" .ebb)"; cat "$work/out"; }; done
[ "$(ls "$work"/*.ebb | wc -l)" -ge 6 ] || bad 'docs/language.md has fewer examples than expected'
[ $failed = 0 ] && echo 'the models learn, the mistakes fail, the page is right'
exit $failed
