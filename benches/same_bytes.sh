#!/usr/bin/env bash
# Runs the same commands with two builds of impasto and compares every byte that they write; and with NEW alone the same transfer
# with all memory, and with as little as it finds enough.
#
#   benches/same_bytes.sh OLD NEW
#
# OLD and NEW are programs. Compared are exit codes (0 is expected of both), standard output, and every file: logs without
# their seconds, studies without the records beside their pictures. Progress on standard error is not. One line a command,
# then a summary; the exit code is 1 if anything differed.
#
#   IMPASTO_ISA=portable  the plain kernels, as ever
#   THREADS=N             --threads N for every command
#   ONLY=REGEX            only the commands whose names match, such as 'limit|vgg19'
#   NEW_SETTINGS=FILE     settings of NEW alone, where its defaults are others, such as preset = "0.1.1"
#
# It needs bash, python3 without packages, and 200 MB in the folder for temporary files.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,16s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ -x "$1" ] && [ -x "$2" ] || { echo "$1 and $2 must be programs." >&2; exit 2; }
declare -A program=([old]=$(realpath "$1") [new]=$(realpath "$2"))
settings=${NEW_SETTINGS:+$(realpath "$NEW_SETTINGS")}
cd "$(dirname "$0")/.."
root=$PWD

photo=$root/examples/content/chelsea.png photo_jpeg=$root/examples/content/rocket.jpg square=$root/examples/content/astronaut.png
painting=$root/examples/style/cafe_terrace.webp painting2=$root/examples/style/night_cafe.webp
machine=(${THREADS:+--threads "$THREADS"})
# Layers of which much is kept, so that bands take less memory than the whole.
shallow=(--content-layers conv3_1 --style-layers conv1_1,conv1_2,conv2_1,conv2_2,conv3_1)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Nobody's settings.
mkdir "$work/settings-old" "$work/settings-new"
[ -z "$settings" ] || cp "$settings" "$work/settings-new/impasto.toml"
passed=0 failed=0

# run SIDE PROGRAM NAME ARGUMENTS...: the command in a folder of its own, so that both sides write to the same relative paths.
run() {
    local whose=old
    [ "$2" != "${program[new]}" ] || whose=new
    local program=$2 folder=$work/$1/$3 code=0
    shift 3
    mkdir -p "$folder"
    (cd "$folder" && XDG_CONFIG_HOME=$work/settings-$whose exec "$program" "$@" "${machine[@]}") > "$folder/standard-output" 2> "$folder.progress" || code=$?
    echo "$code" > "$folder.code"
}

# What is not compared: seconds in logs, the records of studies, which name the program's version.
strip() {
    find "$1" -name '*.jsonl' -exec sed -i -E 's/"seconds":[^,}]*,?//' {} +
    find "$1" -mindepth 2 \( -name '*.txt' -o -name '*.json' \) -delete
}

# The first difference between two folders; nothing if there is none.
difference() {
    local file
    (cd "$work" && find old/"$1" new/"$1" -type f | sed 's|^[a-z]*/||' | sort -u) | while read -r file; do
        if ! [ -e "$work/old/$file" ]; then
            echo "${file#"$1"/}, which only NEW writes"
        elif ! [ -e "$work/new/$file" ]; then
            echo "${file#"$1"/}, which only OLD writes"
        elif ! cmp -s "$work/old/$file" "$work/new/$file"; then
            echo "${file#"$1"/}"
        fi
    done | paste -sd ';'
}

# Compares what two runs of a name left, and prints its line. Large files go at once.
compare() {
    local name=$1 codes verdict
    codes="$(cat "$work/old/$name.code") $(cat "$work/new/$name.code")"
    if [ "$codes" != "0 0" ]; then
        verdict="DIFFERENT: exit codes $codes, and not 0 0"
        grep -ihE '^(error|no limit)' "$work/old/$name.progress" "$work/new/$name.progress" >&2 || true
    else
        strip "$work/old/$name"
        strip "$work/new/$name"
        verdict=$(difference "$name")
        verdict=${verdict:+DIFFERENT: $verdict}
    fi
    if [ -z "$verdict" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    printf '%-28s %s\n' "$name" "${verdict:-same}"
    rm -rf "$work/old/$name" "$work/new/$name"
}

wanted() { [[ $1 =~ ${ONLY:-.} ]]; }

# both NAME ARGUMENTS...
both() {
    wanted "$1" || return 0
    run old "${program[old]}" "$@"
    run new "${program[new]}" "$@"
    compare "$1"
}

# starts MIB ARGUMENTS...: whether a transfer finds that limit enough. It is stopped at its first line.
starts() {
    local mib=$1 line=""
    shift
    coproc "${program[new]}" "$@" "${machine[@]}" -o "$work/probe.png" --memory-limit "${mib}M" 2>&1
    local pid=$COPROC_PID
    read -r line <&"${COPROC[0]}" || true
    kill "$pid" 2> /dev/null || true
    wait "$pid" 2> /dev/null || true
    [[ $line == Painting* ]]
}

# under_limit NAME ARGUMENTS...: NEW with all memory, and under the lowest limit, in MiB, that it finds enough: then every kernel is
# transformed as it is used, and where that is not enough, the picture is worked on in bands.
under_limit() {
    local name=$1 low=1 high=2048 middle
    shift
    wanted "$name" || return 0
    while [ $((high - low)) -gt 1 ]; do
        middle=$(((low + high) / 2))
        if starts "$middle" "$@"; then high=$middle; else low=$middle; fi
    done
    run old "${program[new]}" "$name" "$@" -o out.png --log log.jsonl --memory-limit none
    run new "${program[new]}" "$name" "$@" -o out.png --log log.jsonl --memory-limit "${high}M"
    compare "$name"
}

both make-run transfer "$photo" "$painting" -o out.png

# Presets.
small=(--size 128 --iterations 5 --log log.jsonl)
both preset-default transfer "$photo" "$painting" -o out.png --size 256 --iterations 4 --log log.jsonl
both preset-0.1 transfer "$photo" "$painting" -o out.png "${small[@]}" --preset 0.1
both preset-paper transfer "$photo" "$painting" -o out.png "${small[@]}" --preset paper
both preset-neural-style transfer "$photo" "$painting" -o out.png "${small[@]}" --preset neural-style

# Optimisation.
both adam transfer "$photo" "$painting2" -o out.png "${small[@]}" --optimizer adam --learning-rate 3
both history transfer "$photo" "$painting2" -o out.png --size 96 --iterations 12 --log log.jsonl --history 3
both scales-2 transfer "$photo" "$painting" -o out.png "${small[@]}" --size 200 --scales 2
both scales-3-adam transfer "$photo_jpeg" "$painting" -o out.png "${small[@]}" --size 200 --scales 3 --optimizer adam
both noise-start transfer "$photo_jpeg" "$painting2" -o out.png "${small[@]}" --init noise --seed 7
both picture-start transfer "$photo" "$painting" -o out.png "${small[@]}" --init "$painting2"
both save-every transfer "$photo" "$painting" -o out.png "${small[@]}" --save-every 2

# Memory limits.
limited=(--size 512 --style-scale 0.25 --iterations 3 --scales 1)
under_limit limit transfer "$square" "$painting" "${limited[@]}"
under_limit limit-bands transfer "$square" "$painting" "${limited[@]}" "${shallow[@]}"
under_limit limit-bands-noise transfer "$square" "$painting" "${limited[@]}" "${shallow[@]}" --init noise --pool max
under_limit limit-bands-tv transfer "$square" "$painting2" "${limited[@]}" "${shallow[@]}" --tv-weight 0.01
under_limit limit-bands-adam transfer "$square" "$painting2" "${limited[@]}" "${shallow[@]}" --optimizer adam

# The network and the losses.
both pool-max transfer "$photo" "$painting" -o out.png "${small[@]}" --pool max
both pool-average transfer "$photo" "$painting" -o out.png "${small[@]}" --pool average
both conv-exact transfer "$photo" "$painting" -o out.png --size 80 --iterations 3 --log log.jsonl --conv exact
both tv-weight transfer "$photo" "$painting2" -o out.png "${small[@]}" --tv-weight 0.02
both style-scale transfer "$photo" "$painting2" -o out.png "${small[@]}" --style-scale 0.6
both content-alone transfer "$photo" "$painting" -o out.png "${small[@]}" --style-weight 0 --init noise --content-layers conv2_2
both style-alone transfer "$photo" "$painting" -o out.png "${small[@]}" --content-weight 0
both weighted-layers transfer "$photo_jpeg" "$painting" -o out.png "${small[@]}" --content-layers conv3_2:1,conv4_2:2 \
    --style-layers conv1_2:0.3,conv3_1:0.7,conv4_2:1
both zero-weight-layer transfer "$photo" "$painting2" -o out.png "${small[@]}" --style-layers conv1_1:1,conv2_1:0,conv3_1:1
both loss-scale-paper transfer "$photo" "$painting" -o out.png "${small[@]}" --loss-scale paper --content-weight 0.001
both odd-size transfer "$photo" "$painting" -o out.png --size 101 --iterations 3 --log log.jsonl

# Formats.
quick=(--size 64 --iterations 2 --quiet)
both jpeg transfer "$photo_jpeg" "$painting" -o out.jpg "${quick[@]}" --quality 80
both webp transfer "$photo_jpeg" "$painting" -o out.webp "${quick[@]}"
both tiff transfer "$photo" "$painting2" -o out.tiff "${quick[@]}"
both standard-output transfer "$photo" "$painting2" -o - "${quick[@]}"

# VGG-19.
if wanted "vgg19-transfer vgg19-adam vgg19-inspect vgg19-convert"; then
    vgg19=$work/vgg19.safetensors
    python3 benches/made_up_vgg19.py "$vgg19"
    both vgg19-transfer transfer "$photo" "$painting" -o out.png "${small[@]}" --weights "$vgg19"
    both vgg19-adam transfer "$photo" "$painting" -o out.png "${small[@]}" --weights "$vgg19" --optimizer adam \
        --content-layers conv3_4 --style-layers conv2_2,conv4_4,conv5_2 --preprocess caffe-bgr
    both vgg19-inspect weights inspect "$vgg19"
    both vgg19-convert weights convert "$vgg19" -o out.safetensors --dtype f16 --layers conv4_1
    rm "$vgg19"
fi

# Studies.
study=(--size 80 --iterations 3 --quiet)
both reconstruct-content reconstruct content "$photo" -o study "${study[@]}" --layers conv1_1,conv3_1,conv5_1
both reconstruct-style reconstruct style "$painting" -o study --canvas 96x64 --iterations 3 --quiet --layers conv1_1,conv3_1,conv5_1
both grid grid "$photo" "$painting" -o study "${study[@]}" --layers conv1_1,conv3_1 --ratios 1e-4,1e-2
both sweep sweep "$photo" "$painting" -o study "${study[@]}" --init noise --vary pool=average,max --vary seed=1,2
both gradcheck gradcheck "$photo" "$painting" --size 24 --plot steps.svg

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
