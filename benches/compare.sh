#!/usr/bin/env bash
# PyTorch and impasto in turn, one loss+gradient of the paper's objective: seconds, ratio and peak memory as a Markdown
# table. Run it on a machine that does nothing else.
#
#   benches/compare.sh [--arch "vgg19 vgg16"] [--size "256 512 1024"] [--threads 2] [--runs 5] [--rounds 2]
#
# Each round starts PyTorch, then impasto (ABAB); the table has the median over the rounds of each one's median.
# PYTHON chooses the interpreter (default python3), IMPASTO the program (default target/release/impasto, built first).
set -euo pipefail
cd "$(dirname "$0")/.."

archs="vgg19 vgg16" sizes="256 512 1024" threads=2 runs=5 rounds=2
while [ $# -gt 0 ]; do
    case $1 in
        --arch) archs=$2 ;;
        --size) sizes=$2 ;;
        --threads) threads=$2 ;;
        --runs) runs=$2 ;;
        --rounds) rounds=$2 ;;
        *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
. benches/programs.sh

results=$(mktemp)
trap 'rm -f "$results"' EXIT
for arch in $archs; do
    for size in $sizes; do
        options=(--arch "$arch" --size "$size" --threads "$threads" --runs "$runs")
        for round in $(seq "$rounds"); do
            echo "$arch $size, round $round of $rounds" >&2
            echo "$arch $size pytorch $("$python" benches/pytorch_vgg.py "${options[@]}")" >> "$results"
            echo "$arch $size impasto $("$IMPASTO" bench "${options[@]}" --json | tail -n 1)" >> "$results"
        done
    done
done
"$python" - "$results" "$threads" <<'TABLE'
import json, statistics, sys
from collections import defaultdict

results = defaultdict(lambda: defaultdict(list))
for line in open(sys.argv[1]):
    arch, size, program, text = line.split(" ", 3)
    results[arch, size][program].append(json.loads(text))
print(f"One loss+gradient, f32, {sys.argv[2]} threads. Seconds are medians; in brackets the fastest.\n")
print("| network | size | PyTorch s | impasto s | ratio | PyTorch MiB | impasto MiB |")
print("|---|---|---|---|---|---|---|")
for (arch, size), programs in results.items():
    column = {}
    for program, runs in programs.items():
        column[program] = (
            statistics.median(run["seconds"] for run in runs),
            min(run["min_seconds"] for run in runs),
            max(run["peak_mib"] for run in runs),
        )
    theirs, ours = column["pytorch"], column["impasto"]
    seconds = " | ".join(f"{median:.3f} ({least:.3f})" for median, least, _ in (theirs, ours))
    print(f"| {arch} | {size} | {seconds} | {theirs[0] / ours[0]:.2f} | {theirs[2]:.0f} | {ours[2]:.0f} |")
TABLE
