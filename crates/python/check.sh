#!/usr/bin/env bash
# The Python package: its wheel in the dev profile, its format and lints, its types, its tests. With a word of what is missing where
# that cannot be.
#
#   check.sh             all of it; where IMPASTO_LEFT_OUT names a file (make test does), a machine without Python is noted there
#   check.sh --python    says which Python it would take
#
# PYTHON names another than the first that is found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
mode=${1:-}

# Says what is missing: in the list of what tests leave out, if there is one.
missing() {
    if [[ -n ${IMPASTO_LEFT_OUT:-} && $mode != --python ]]; then
        echo "left out: python in check.sh, because $1" | tee -a "$IMPASTO_LEFT_OUT" >&2
        exit 0
    fi
    echo "The Python package cannot be checked, because $1." >&2
    exit 1
}

# The first Python of 3.10 or later that can make virtual environments.
find_python() {
    local python
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python3.10 python}; do
        if "$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))' 2> /dev/null; then
            command -v "$python"
            return
        fi
    done
    return 1
}

python=$(find_python) || missing "there is no Python of 3.10 or later with venv here${PYTHON:+ as $PYTHON}, \
such as of https://python.org, or on Debian and Ubuntu of: apt install python3-venv"
if [[ $mode == --python ]]; then
    echo "$python"
    exit
fi
command -v cargo > /dev/null || missing "there is no cargo, which Rust of https://rustup.rs has"

# One target folder for all, so that what both need is built once; everything else that this makes is there too.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
venv=$CARGO_TARGET_DIR/python-venv
wheels=$CARGO_TARGET_DIR/python-wheel
export HYPOTHESIS_STORAGE_DIRECTORY=$CARGO_TARGET_DIR/python-hypothesis MYPY_CACHE_DIR=$CARGO_TARGET_DIR/python-mypy
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1

version() { "$1" -c 'import sys; print(sys.version)' 2> /dev/null; }
if [[ $(version "$venv/bin/python") != $(version "$python") ]]; then
    "$python" -m venv --clear "$venv"
fi
"$venv/bin/pip" install --quiet 'maturin>=1.16,<2' || missing "pip cannot install maturin, for which it needs the internet"

rm -rf "$wheels"
"$venv/bin/maturin" build --locked --auditwheel skip --interpreter "$venv/bin/python" --out "$wheels"
cargo fmt --check
PYO3_PYTHON=$venv/bin/python cargo clippy --quiet --locked -- -D warnings
wheel=("$wheels"/impasto-*.whl)
"$venv/bin/pip" install --quiet --force-reinstall --no-deps "${wheel[0]}"
"$venv/bin/pip" install --quiet "${wheel[0]}[test]" || missing "pip cannot install what the tests need, for which it needs the internet"

"$venv/bin/mypy"
# Whose bytes a transfer through Python has: of the builds that are there the latest.
built() { ls -t "$CARGO_TARGET_DIR"/{debug,release}/impasto{,-tested} 2> /dev/null | head -1; }
export IMPASTO=${IMPASTO:-$(built || true)}
[[ -n $IMPASTO ]] || { cargo build --locked --manifest-path "$root/Cargo.toml" --bin impasto && IMPASTO=$CARGO_TARGET_DIR/debug/impasto; }
summary=$CARGO_TARGET_DIR/python-tests
"$venv/bin/pytest" -q -rs --color=no -p no:cacheprovider tests | tee "$summary"
grep -Eq '(^|[ =])[1-9][0-9]* passed' "$summary" || { echo "pytest ran no test." >&2; exit 1; }
