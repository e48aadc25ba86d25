#!/usr/bin/env bash
# The loss that impasto's L-BFGS and torch.optim.LBFGS (no line search, history 100, lr 1) reach with the same number of
# evaluations of the same objective, from the photo, on three pairs of pictures. A Markdown table.
#
#   benches/lbfgs_compare.sh [--size 256] [--evaluations 200] [--alpha 1e-3] [--beta 1] [--threads 2]
#                           [--starts 1] [-- MORE OPTIONS]
#
# The pictures are made once at their exact size, so that both programs read the same pixels; MORE OPTIONS go to
# `impasto transfer`, such as --history 20. With --starts N PyTorch runs from N - 1 more starts, the photo with noise of 0.01
# (of 255), and the table has the range of what it reached: chance alone moves it so far. PYTHON and IMPASTO as in compare.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

size=256 evaluations=200 alpha=1e-3 beta=1 threads=2 starts=1
while [ $# -gt 0 ]; do
    case $1 in
        --size) size=$2 ;;
        --evaluations) evaluations=$2 ;;
        --alpha) alpha=$2 ;;
        --beta) beta=$2 ;;
        --threads) threads=$2 ;;
        --starts) starts=$2 ;;
        --) shift; break ;;
        *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
. benches/programs.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
resize() { # FILE OUT: longest side to $size
    "$python" - "$1" "$2" "$size" <<'RESIZE'
import sys
from PIL import Image
picture = Image.open(sys.argv[1]).convert("RGB")
scale = int(sys.argv[3]) / max(picture.size)
picture.resize([round(side * scale) for side in picture.size], Image.Resampling.LANCZOS).save(sys.argv[2])
RESIZE
}

echo "alpha $alpha, beta $beta, $size px, $evaluations evaluations each."
echo
echo "| photo | painting | start | torch.optim.LBFGS | from nearby starts | impasto | impasto / torch |"
echo "|---|---|---|---|---|---|---|"
while read -r content style; do
    resize "examples/content/$content" "$work/content.png"
    resize "examples/style/$style" "$work/style.png"
    for seed in $(seq 0 $((starts - 1))); do
        noise=$([ "$seed" = 0 ] && echo 0 || echo 0.01)
        "$python" benches/lbfgs_torch.py "$work/content.png" "$work/style.png" --evaluations "$evaluations" \
            --alpha "$alpha" --beta "$beta" --threads "$threads" --noise "$noise" --seed "$seed" > "$work/torch$seed.json"
    done
    "$IMPASTO" transfer "$work/content.png" "$work/style.png" -o "$work/out.png" --quiet --log "$work/log" \
        --preset paper --loss-scale paper --init content --scales 1 --tv-weight 0 --size "$size" \
        --content-weight "$alpha" --style-weight "$beta" --iterations "$evaluations" --threads "$threads" "$@"
    "$python" - "$work" "$content" "$style" "$evaluations" <<'ROW'
import glob, json, sys
work, content, style, evaluations = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
theirs = json.load(open(f"{work}/torch0.json"))
nearby = sorted(json.load(open(name))["lowest"] for name in glob.glob(f"{work}/torch[1-9]*.json"))
nearby = f"{nearby[0]:.4g} to {nearby[-1]:.4g}" if nearby else "-"
ours = [json.loads(line) for line in open(f"{work}/log")]
ours = min(line["loss"] for line in ours if line["evaluations"] <= evaluations)
least = theirs["lowest"]
print(f"| {content} | {style} | {theirs['start']:.4g} | {least:.4g} | {nearby} | {ours:.4g} | {ours / least:.3f} |")
ROW
done <<'PAIRS'
chelsea.png cafe_terrace.webp
astronaut.png church_at_auvers.webp
coffee.png night_cafe.webp
PAIRS
