#!/usr/bin/env bash
# The wheel as it is given to others: built in the release profile, tried in a new virtual environment that has nothing but it, numpy
# and scipy, where it must write the bytes that the command line writes. It stays in target/wheel.
#
# IMPASTO names the program that is compared with; PYTHON as in check.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
program=${IMPASTO:-$target/release/impasto}
python=$(crates/python/check.sh --python)
export PIP_DISABLE_PIP_VERSION_CHECK=1

wheels=$target/wheel
rm -rf "$wheels"
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$wheels" ./crates/python
wheel=("$wheels"/impasto-*.whl)
echo "$(basename "${wheel[0]}"): $(($(wc -c < "${wheel[0]}") / 1000)) kB"

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$python" -m venv "$fresh/venv"
"$fresh/venv/bin/pip" install --quiet "${wheel[0]}" scipy
"$fresh/venv/bin/pip" list --format=freeze

photo=$root/examples/content/chelsea.png painting=$root/examples/style/cafe_terrace.webp
cd "$fresh"
"$fresh/venv/bin/python" "$root/examples/first_steps.py" "$photo" "$painting" python.png
"$program" transfer "$photo" "$painting" -o command_line.png --size 128 --quiet --no-config
cmp python.png command_line.png
echo "Python's picture has the bytes of the command line's."
