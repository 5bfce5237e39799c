#!/usr/bin/env bash
# cli_test.sh - the ebb command from outside: what it prints, its exit codes, its answers to bad input.
#     cli_test.sh EBB [PLUGIN.so]
# EBB may hold words, "node build/wasm/ebb.js". Prints "N passed, N failed".
set -uo pipefail

[ $# -ge 1 ] || { echo 'usage: cli_test.sh EBB [PLUGIN.so]' >&2; exit 2; }
read -r -a EBB <<<"$1"
for i in "${!EBB[@]}"; do [ ! -e "${EBB[i]}" ] || EBB[i]=$(realpath "${EBB[i]}"); done # it is run from elsewhere too
plugin=${2:+$(realpath "$2")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 out='' code=0

run() { # ARGS...: leaves $out (both streams) and $code
    out=$("${EBB[@]}" "$@" 2>&1 </dev/null)
    code=$?
}
ok() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    printf 'FAILED %s\n' "$1"
    printf '%s\n' "$out" | head -n 8 | cut -c 1-160 | sed 's/^/    /'
}
# expect NAME CODE PATTERN ARGS...: the exit code, and an extended regular expression that some line matches
expect() {
    local name=$1 want=$2 pattern=$3
    shift 3
    run "$@"
    if [ "$code" != "$want" ]; then bad "$name: exit code $code, expected $want"
    elif ! grep -Eq -- "$pattern" <<<"$out"; then bad "$name: no line matches $pattern"
    else ok; fi
}
# once NAME: the last output has one line that starts with "ebb: "
once() {
    if [ "$(grep -c '^ebb: ' <<<"$out")" = 1 ]; then ok; else bad "$1: expected one line that starts with 'ebb: '"; fi
}
# json NAME ARGS...: standard output is JSON, for a program that satisfies the Python expression $check on d
check=True
json() {
    local name=$1
    shift
    out=$("${EBB[@]}" "$@" 2>"$work/err" </dev/null)
    if ! python3 -m json.tool <<<"$out" >/dev/null 2>&1; then bad "$name: not JSON"
    elif ! python3 -c "import json,sys; d=json.load(sys.stdin); sys.exit(not ($check))" <<<"$out"; then bad "$name: not $check"
    else ok; fi
    check=True
}

run --version
[ "$code" = 0 ] || { bad "$1 --version"; echo "$passed passed, $failed failed"; exit 1; }

# ---- help
expect 'no arguments is a usage error' 2 'usage: ebb COMMAND'
expect '--help has examples' 0 'ebb train digits' --help
expect 'help lists the commands' 0 '^  check ' help
expect 'version' 0 '^ebb [0-9]' --version
for c in train trace check ops info help; do
    expect "help $c" 0 "usage: ebb $c" help $c
    expect "$c --help" 0 "usage: ebb $c" $c --help
done
expect 'help of an op: name and signature' 0 '^softmax +.*\(n\)->\(n\)' help softmax
expect 'help of an op: attribute table' 0 '^  attribute +type +default' help softmax
expect 'help of an op: C call' 0 'ebb_softmax\(.*\.dim = ' help softmax
expect 'help of an op: by name' 0 'ebb_call_named\(e, "softmax"' help softmax
expect 'help of an op: formula' 0 '^  formula ' help relu
expect 'help of an optimizer' 0 'an optimizer' help adamw
expect 'help: unknown topic, nearest op' 1 'did you mean softmax' help sofmax
once 'help: unknown topic'
expect 'unknown command, nearest' 2 'did you mean `ebb train`' trian
once 'unknown command'

# ---- info, ops
expect 'info: threads' 0 '^  threads +[0-9]' info
expect 'info: backends' 0 '^  backends +portable' info
expect 'ops: a table with families' 0 '^  relu ' ops
expect 'ops: a stray word' 2 'ebb help relu' ops relu
check='d["pointer_bits"] in (32, 64)' json 'info --json' info --json
check='any(o["name"] == "softmax" and o["attrs"][0]["name"] == "dim" for o in d)' json 'ops --json' ops --json
check='len(d) >= 50' json 'ops --json --all' ops --json --all

# ---- options
expect 'threads: not a number' 2 "^ebb: train: --threads: expected a whole number from 1 to 256, got 'x'" train digits --threads x
once 'threads: not a number'
expect 'threads: trailing letters' 2 "got '2x'" train digits --threads 2x
expect 'threads: zero' 2 "got '0'" train digits --threads=0
expect 'lr: not a number' 2 'train: --lr: expected a number' train digits --lr fast
expect 'seed: negative' 2 'train: --seed: expected' train digits --seed -3
expect 'value missing' 2 'needs a value' train digits --epochs
expect 'unknown option, nearest' 2 'did you mean --epochs' train digits --epoch_s 3
expect 'unknown option' 2 'no option --zzzzzzz' check --zzzzzzz
expect 'hidden: not sizes' 1 '--hidden: expected sizes' train digits --hidden 64,,32
expect 'train: which set' 2 'which data set' train
expect 'check: which op' 2 'which op' check
expect 'unknown data set, nearest' 1 "no data set 'digts'; did you mean digits" train digts
once 'unknown data set'
expect 'unknown activation, nearest' 1 'relu' train digits --activation rellu --epochs 1
once 'unknown activation'
expect 'an activation of two inputs' 1 'cannot be an activation' train digits --activation add --epochs 1
expect 'unknown optimizer' 1 'adamx' train digits --optim adamx --epochs 1
expect 'bad optimizer attribute' 1 'momentu' train digits --optim 'sgd momentu=1' --epochs 1
expect 'unknown backend' 1 'warp' train digits --backend warp --epochs 1
expect 'unknown file format, before the training' 1 'no format of that ending' train digits --save "$work/x.pickle"

# ---- files
expect 'missing data' 1 'cannot open .*digits-images.idx3-ubyte' train digits --data "$work/none"
once 'missing data'
expect 'missing plugin' 1 'nothing_there.so' train digits --plugin ./nothing_there.so
expect 'missing parameters' 1 '^ebb: ' train digits --load "$work/no_such.safetensors" --epochs 0
expect 'check: missing file' 1 'cannot open nothing_there.so' check nothing_there.so
once 'check: missing file'
echo 'not a plugin' >"$work/text.so"
expect 'check: not a plugin' 1 '^refused: ' check "$work/text.so"
# idx FILE MAGIC SIZES...: a header, big endian; the data is appended by the caller
idx() {
    local file=$1 number
    shift
    for number in "$@"; do printf '%08x' "$number" | sed 's/../\\x&/g' | xargs -0 printf '%b'; done >"$file"
}
zeros() { head -c "$1" /dev/zero; }
images=$work/digits-images.idx3-ubyte labels=$work/digits-labels.idx1-ubyte
make_pair() { # IMAGES LABELS: valid files of so many 8x8 images and labels
    idx "$images" $((0x803)) "$1" 8 8 && zeros $((64 * $1)) >>"$images"
    idx "$labels" $((0x801)) "$2" && zeros "$2" >>"$labels"
}
make_pair 100 100
expect 'a valid pair is read' 0 'test accuracy' train digits --data "$work" --epochs 1
make_pair 100 99
expect 'counts that differ' 1 '100 images .* 99 labels' train digits --data "$work"
make_pair 100 100 && truncate -s 5000 "$images"
expect 'cut short' 1 'cut short: 4984 bytes of data, but its header needs 6400' train digits --data "$work"
once 'cut short'
make_pair 100 100 && truncate -s 10 "$images"
expect 'cut in the header' 1 'cut short: 10 bytes' train digits --data "$work"
make_pair 100 100 && : >"$labels"
expect 'empty' 1 'cut short: 0 bytes' train digits --data "$work"
make_pair 100 100 && zeros 3 >>"$labels"
expect 'too long' 1 'too long: 103 bytes' train digits --data "$work"
make_pair 100 100 && cp "$labels" "$images"
expect 'wrong magic' 1 'begins with 0x00000801, but IDX images begin with 0x00000803' train digits --data "$work"
make_pair 100 100 && idx "$images" $((0x803)) 4294967295 4294967295 4294967295
expect 'sizes that overflow' 1 'dim 1 is 4294967295' train digits --data "$work"
make_pair 100 100 && idx "$images" $((0x803)) 0 8 8
expect 'no images' 1 'dim 0 is 0' train digits --data "$work"
make_pair 100 100 && { idx "$labels" $((0x801)) 100 && zeros 99 && printf '\x0b'; } >"$work/l" && cat "$work/l" >>"$labels"
expect 'a label out of range' 1 'label 99 is 11; expected 0 to 9' train digits --data "$work"

# ---- training
bits() { grep -o 'bits 0x[0-9a-f]*' <<<"$out"; }
short=(train digits --epochs 3 --seed 7)
expect 'training prints the network' 0 '^network: 64 -> 256 -> relu -> 10, 19210 parameters' "${short[@]}" --threads 1
one=$(bits)
expect 'training prints lines' 0 '^epoch +3/3 .*images/s' "${short[@]}" --threads 2
two=$(bits)
if [ -n "$one" ] && [ "$one" = "$two" ]; then ok; else bad "1 and 2 threads: $one and $two"; fi
run "${short[@]}" --seed 8
if [ -n "$(bits)" ] && [ "$(bits)" != "$one" ]; then ok; else bad 'another seed, the same bits'; fi
run "${short[@]}" --quiet
if [ "$(wc -l <<<"$out")" = 2 ] && [ "$(bits)" = "$one" ]; then ok; else bad '--quiet: two lines, the same bits'; fi
check='d["final_loss_bits"] == "'${one#bits }'"' json 'train --json' "${short[@]}" --json
expect 'clipping, a guard, sgd' 0 'final loss' train digits --epochs 2 --clip 1 --nan-guard --optim 'sgd momentum=0.9' --lr 0.05
if "${EBB[@]}" info --json | grep -q '"name": "safetensors"'; then
    expect 'save' 0 'saved .*m.safetensors' "${short[@]}" --save "$work/m.safetensors"
    accuracy=$(grep '^test accuracy' <<<"$out")
    run train digits --load "$work/m.safetensors" --epochs 0
    if [ "$code" = 0 ] && [ "$(grep '^test accuracy' <<<"$out")" = "$accuracy" ]; then ok; else bad 'load: another accuracy than when saved'; fi
    expect 'load: another network' 1 '^ebb: ' train digits --load "$work/m.safetensors" --hidden 32 --epochs 0
    printf 'x' | dd of="$work/m.safetensors" bs=1 seek=2 conv=notrunc 2>/dev/null
    expect 'load: a broken file' 1 '^ebb: ' train digits --load "$work/m.safetensors" --epochs 0
    once 'load: a broken file'
else
    echo 'skipped: saving and loading, there is no safetensors plugin in this build'
fi
run train digits
if [ "$code" = 0 ] && awk '/^test accuracy/ { exit !($3 >= 96) }' <<<"$out"; then ok; else bad 'digits: at least 96 % by default'; fi

# ---- traces
cat >"$work/net.ebb" <<'END'
data xor
W1 = param(2, 8) ~ xavier
h = tanh(x @ W1)
W2 = param(8, 2) ~ xavier
loss = cross_entropy(h @ W2, y)
train sgd lr=0.5 steps=12
END
cat >"$work/bad.ebb" <<'END'
data xor
W = param(2, 2) ~ xavier
loss = mean(log(x @ W - 100))
train sgd lr=0.5 steps=12
END
expect 'trace: frames and a table' 0 '^ +3  h = tanh +f32\[[0-9]+,8\] ' trace "$work/net.ebb" --out "$work/net.ebbtrace"
expect 'trace: chosen steps' 0 '^step 7: loss [0-9.]+, ' trace "$work/net.ebb" --at 3,7 --quiet
expect 'trace: every fourth' 0 '^step 8: ' trace "$work/net.ebb" --every 4 --quiet
expect 'trace: a file is shown' 0 '^.*net.ebbtrace: 5 frames, [0-9]+ bytes; ebb ' trace "$work/net.ebbtrace"
expect 'trace: one frame of it' 0 '^ +W2 +f32\[8,2\] ' trace "$work/net.ebbtrace" --frame 1
expect 'trace: no such frame' 1 'has 5 frames, no frame 6' trace "$work/net.ebbtrace" --frame 6
expect 'trace: a finding has its line' 0 '^ +3 \| loss = mean\(log' trace "$work/bad.ebb"
expect 'trace: a finding is named' 0 '^step 1, error: The first NaN \(nan-origin\)' trace "$work/bad.ebb" --quiet
expect 'trace: a step that is none' 1 "'13' is no step from 1 to 12" trace "$work/net.ebb" --at 13
expect 'trace: two ways to choose' 2 'one of them' trace "$work/net.ebb" --at 1 --every 2
expect 'trace: nothing to trace' 2 'which model' trace
head -c 900 "$work/net.ebbtrace" >"$work/cut.ebbtrace"
expect 'trace: a file cut short' 1 'cut short at byte 900 of ' trace "$work/cut.ebbtrace"
once 'trace: a file cut short'
expect 'trace: a missing file' 1 'cannot open' trace "$work/none.ebbtrace"

# ---- verifying
expect 'a certificate' 0 '^  check +dtype +cases +of tolerance' check relu
expect 'a certificate: ok' 0 ' ok$' check relu
expect 'check: unknown op, nearest' 1 'softmax' check sofmax
once 'check: unknown op'
expect 'check: unknown check' 1 'no check named nonsense' check relu --only nonsense
expect 'check: two ops and a summary' 0 '^2 ops x [0-9]+ checks: [0-9]+ passed' check relu exp
check='d["ops"][0]["op"] == "relu" and d["ops"][0]["passed"] and d["summary"]["failed"] == 0' json 'check --json' check relu --json
check='d["plugins"][0]["registered"] is False' json 'check --json: refused' check "$work/text.so" --json
if [ -n "$plugin" ]; then
    name=$(basename "${plugin%.*}")
    expect 'a plugin is registered' 0 "^registered: $name" check "$plugin"
    check='d["plugins"][0]["registered"] and len(d["plugins"][0]["fnv1a64"]) == 16' json 'a plugin as JSON' check "$plugin" --json
    expect 'a plugin trains' 0 "64 -> 256 -> $name -> 10" train digits --plugin "$plugin" --epochs 1
    cp "$plugin" "$work/beside.so"
    out=$(cd "$work" && "${EBB[@]}" check beside.so 2>&1)
    if grep -q "^registered: $name" <<<"$out"; then ok; else bad 'a plugin named without a slash'; fi
fi

# ---- models
printf 'data moons batch 32\nW = param(2, 2)\nz = x @ W\nloss = cross_entropy(z, y)\nmetric right = accuracy(z, y)\ntrain sgd lr=0.5 steps=30\n' >"$work/m.ebb"
expect 'run: progress' 0 '^step 30/30  loss 0\.[0-9]+  right ' run "$work/m.ebb"
expect 'run: metrics of what is held back' 0 '^right 0\.[0-9]+ on examples held back' run "$work/m.ebb" --quiet
expect 'run: bits' 0 '^final loss .*bits 0x' run "$work/m.ebb" --quiet --steps 3
check='d["steps"] == 3 and d["finite"] and 0 < d["metrics"]["right"] <= 1' json 'run --json' run "$work/m.ebb" --steps 3 --json
"${EBB[@]}" run "$work/m.ebb" --quiet --seed 4 --threads 1 >"$work/one" 2>&1
"${EBB[@]}" run "$work/m.ebb" --quiet --seed 4 --threads 3 >"$work/three" 2>&1
if cmp -s "$work/one" "$work/three"; then ok; else bad 'run: threads change the result'; fi
if [ -e data/digits-images.idx3-ubyte ]; then
    printf 'data digits\nn = size(x, 1)\n' >"$work/d.ebb"
    expect 'run: digits are there' 0 '^n = 64' run "$work/d.ebb"
fi
printf 'x = [1, 2]\nW = param(2) ~ ones\nloss = sum(x * W)\n' >"$work/once.ebb"
expect 'run: once, values' 0 '^loss = 3$' run "$work/once.ebb"
expect 'run: once, gradients' 0 '^d loss / d W = \[1, 2\]' run "$work/once.ebb"
printf 'x = [1, 2]\ny = rleu(x)\n' >"$work/wrong.ebb"
expect 'run: a problem and its place' 1 'wrong.ebb:2:5: no op is called rleu' run "$work/wrong.ebb"
expect 'run: the mark below it' 1 '^ +\|     \^\^\^\^$' run "$work/wrong.ebb"
expect 'run: what was meant' 1 'did you mean relu' run "$work/wrong.ebb"
expect 'run: no such file' 1 'cannot open' run "$work/none.ebb"
expect 'run: which model' 2 'which model' run
expect 'run: two models' 2 'one model at a time' run "$work/m.ebb" "$work/m.ebb"
printf 'data mnist\n' >"$work/data.ebb"
expect 'run: data that is not there' 1 'cannot open' run "$work/data.ebb" --data "$work"
expect 'check: a whole model' 0 '^[0-9]+ derivatives of 1 parameters agree' check "$work/m.ebb"
printf 'W = param(3) ~ normal(std=1)\nloss = sum(detach(W) * W)\n' >"$work/wrong.ebb"
expect 'check: a derivative that differs' 1 '3 of 3 derivatives differ' check "$work/wrong.ebb"
check='d["failed"] == 3 and d["checks"][0]["parameter"] == "W"' json 'check --json of a model' check "$work/wrong.ebb" --json
expect 'check: a model alone' 2 'checked alone' check relu "$work/m.ebb"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
