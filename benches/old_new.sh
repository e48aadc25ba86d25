#!/usr/bin/env bash
# Two builds of impasto in turn: seconds and peak memory of evaluations and of whole transfers, as a Markdown table. Run it on a
# machine that does nothing else.
#
#   benches/old_new.sh OLD NEW [ROUNDS]
#
# OLD and NEW are programs. Each round, five by default, runs one after the other, and the next round the other way round. The
# ratios new/old are of the two runs of one round; the table has their median, least and most, and the medians of seconds and of
# peaks. OLD OLD shows what the machine's noise is.
#
#   SIZES="256 512 1024"      longest sides
#   ITERATIONS="40 20 8"      of the transfers, for each size
#   TRANSFER="--preset 0.1"   their other options
#   RUNS=5                    evaluations of a run of impasto bench, which reports their median
#   THREADS=N                 --threads N for every command
#
# It needs bash and python3 without packages, on Linux.
set -euo pipefail
[ $# -eq 2 ] || [ $# -eq 3 ] || { sed -n '2,17s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ -x "$1" ] && [ -x "$2" ] || { echo "$1 and $2 must be programs." >&2; exit 2; }
declare -A program=([old]=$(realpath "$1") [new]=$(realpath "$2"))
rounds=${3:-5}
cd "$(dirname "$0")/.."

read -ra sizes <<< "${SIZES:-256 512 1024}"
read -ra iterations <<< "${ITERATIONS:-40 20 8}"
read -ra options <<< "${TRANSFER---preset 0.1}"
machine=(${THREADS:+--threads "$THREADS"})
if [ ${#sizes[@]} -gt ${#iterations[@]} ]; then
    echo "SIZES has ${#sizes[@]} entries, ITERATIONS ${#iterations[@]}: give one for each size." >&2
    exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Nobody's settings.
export XDG_CONFIG_HOME=$work

# One evaluation, {"seconds": .., "peak_mib": .., ..}.
evaluation() {
    "$1" bench --size "$2" --runs "${RUNS:-5}" "${machine[@]}" --json | tail -n 1
}

# A whole transfer, start of the program included, in the same form.
transfer() {
    python3 - "$1" transfer examples/content/chelsea.png examples/style/cafe_terrace.webp -o "$work/out.png" --quiet \
        --size "$2" --iterations "$3" "${options[@]}" "${machine[@]}" <<'MEASURE'
import json, os, sys, time
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - start
if status != 0:
    sys.exit(f"{' '.join(sys.argv[1:])} failed")
print(json.dumps({"seconds": seconds, "peak_mib": usage.ru_maxrss / 1024}))
MEASURE
}

# in_turn LABEL MEASUREMENT ARGUMENTS...
in_turn() {
    local label=$1 measurement=$2 round side sides line
    shift 2
    for round in $(seq "$rounds"); do
        echo "$label, round $round of $rounds" >&2
        if [ $((round % 2)) -eq 1 ]; then sides="old new"; else sides="new old"; fi
        for side in $sides; do
            line=$("$measurement" "${program[$side]}" "$@")
            echo "$label|$side|$line" >> "$work/results"
        done
    done
}

for size in "${sizes[@]}"; do
    in_turn "evaluation, $size" evaluation "$size"
done
for at in "${!sizes[@]}"; do
    in_turn "transfer, ${sizes[at]}, ${iterations[at]} iterations" transfer "${sizes[at]}" "${iterations[at]}"
done

python3 - "$work/results" <<'TABLE'
import json, sys
from collections import defaultdict
from statistics import median

results = defaultdict(lambda: defaultdict(list))
for line in open(sys.argv[1]):
    label, side, text = line.split("|", 2)
    results[label][side].append(json.loads(text))
print("| what | old s | new s | new/old, round by round | median | least | most | old MiB | new MiB | new/old |")
print("|---|---|---|---|---|---|---|---|---|---|")
for label, sides in results.items():
    seconds = {side: [run["seconds"] for run in runs] for side, runs in sides.items()}
    peaks = {side: median(run["peak_mib"] for run in runs) for side, runs in sides.items()}
    ratios = [new / old for old, new in zip(seconds["old"], seconds["new"])]
    print(
        f"| {label} | {median(seconds['old']):.3f} | {median(seconds['new']):.3f} "
        f"| {' '.join(f'{ratio:.3f}' for ratio in ratios)} | {median(ratios):.3f} | {min(ratios):.3f} | {max(ratios):.3f} "
        f"| {peaks['old']:.0f} | {peaks['new']:.0f} | {peaks['new'] / peaks['old']:.3f} |"
    )
TABLE
