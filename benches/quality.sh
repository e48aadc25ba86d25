#!/usr/bin/env bash
# Paints pairs of pictures with our presets and with the programs beside us, judges them all, and makes tables, plots and a
# sheet. It goes on where it stopped; what is finished is not painted again.
#
#   benches/quality.sh FOLDER [--only REGEX] [--peers FOLDER] [--large PHOTO PAINTING] [--threads 2]
#
# FOLDER gets pictures/, results.jsonl (one line a picture), table.md, fronts-SIZE.svg and gallery.jpg. Six pairs that the
# defaults were chosen with and two that they were not, at 256 and 512, and two at 1024; presets default, 0.1.1, 0.1, neural-style
# and crowsonkb, each with its own content weight and with a quarter, four times, a sixteenth and sixteen times it.
#
#   --only REGEX     only the pictures whose names match; a name is SIZE/PHOTO-PAINTING/COLUMN/FACTOR, such as
#                    256/chelsea-cafe_terrace/default/0.25. --only '/1$' is all points and no fronts
#   --peers FOLDER   also the programs themselves, on our VGG-16: a folder with checkouts of
#                    https://github.com/ProGamerGov/neural-style-pt and https://github.com/crowsonkb/style-transfer-pytorch
#   --large PHOTO PAINTING   a pair for 1024 in place of those of examples/, which are smaller than that; may be given again
#
# PYTHON and IMPASTO as in compare.sh: Python 3.11 with torch, numpy, pillow and safetensors. On two cores at 256 a picture of the
# default takes some seconds, one of neural-style-pt some minutes, one of crowsonkb's about ten; at 512 four times that. All of it
# takes days, all points without the peers a few hours. results.jsonl has what each cost; leave the machine alone if the seconds
# on the clock are to mean something. `python3 benches/quality_test.py` tests these tools, without PyTorch.
set -euo pipefail
case ${1:-} in
    "" | -*) sed -n '2,20s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
folder=$(realpath --canonicalize-missing "$1")
shift
# Paths mean what they mean where this is called.
options=()
while [ $# -gt 0 ]; do
    case $1 in
        --large) options+=("$1" "$(realpath "$2")" "$(realpath "$3")"); shift ;;
        --peers) options+=("$1" "$(realpath "$2")") ;;
        --only | --threads) options+=("$1" "$2") ;;
        *) echo "There is no $1 here; without anything it says what there is." >&2; exit 2 ;;
    esac
    shift 2
done
cd "$(dirname "$0")/.."
. benches/programs.sh

"$python" benches/quality.py "$folder" --impasto "$(realpath "$IMPASTO")" "${options[@]}"
"$python" benches/fronts.py "$folder" | tee "$folder/table.md"
"$python" benches/sheet.py "$folder" -o "$folder/gallery.jpg" || echo "No sheet: it needs the six pairs at 512." >&2
