# Sourced by the comparisons with PyTorch, in the project's folder: finds $python, which must have PyTorch, and $IMPASTO, which is
# built if it is not given.
python=${PYTHON:-python3}
if ! "$python" -c 'import torch, numpy, PIL, safetensors' 2>/dev/null; then
    echo "$python has no PyTorch: pip install torch numpy pillow safetensors, or set PYTHON to one that has." >&2
    exit 1
fi
if [ -z "${IMPASTO:-}" ]; then
    cargo build --release --quiet --package impasto-cli
    IMPASTO=${CARGO_TARGET_DIR:-target}/release/impasto
fi
# Nobody's settings: there are none in that folder.
export XDG_CONFIG_HOME=$PWD/benches
