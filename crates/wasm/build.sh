#!/usr/bin/env bash
# Builds the WebAssembly module and the JavaScript around it: crates/wasm/pkg.
#
# With Rust's own target wasm32-unknown-unknown if rustup has or gets it. Else with Debian's compiler, which builds the standard library
# from its sources; on Debian, root gets those packages where they are missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

target=wasm32-unknown-unknown
export CARGO_TARGET_DIR=$PWD/../../target/wasm CARGO_INCREMENTAL=0
export PATH="${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH"
# They would take the place of .cargo/config.toml.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS

has_target() {
    command -v rustc > /dev/null && [[ -d $(rustc --print sysroot)/lib/rustlib/$target/lib ]]
}

has_debians() {
    [[ -x /usr/bin/cargo && -x /usr/bin/rustc && -d /usr/lib/rustlib/src/rust/library ]] && command -v wasm-ld-19 > /dev/null
}

# Debian's compiler is for this module alone: whoever calls this script goes on with their own.
with_debians() {
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19 \
        /usr/bin/cargo "$@"
}

if ! has_target && ! has_debians; then
    rustup target add $target > /dev/null 2>&1 || true
fi
if ! has_target && ! has_debians && [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends cargo-web rustc-web rust-web-src lld-19; } > /dev/null || true
fi
if has_target; then
    cargo=cargo build_std=()
elif has_debians; then
    cargo=with_debians build_std=(-Z build-std=std,panic_abort)
else
    echo "There is no compiler for $target: run rustup target add $target, or as root on Debian" \
        "apt-get install cargo-web rustc-web rust-web-src lld-19." >&2
    exit 1
fi

$cargo build --quiet --locked --package impasto-wasm-bindgen
$cargo ${build_std[@]+"${build_std[@]}"} build --quiet --locked --release --target $target --package impasto-wasm
"$CARGO_TARGET_DIR/debug/impasto-wasm-bindgen" "$CARGO_TARGET_DIR/$target/release/impasto_wasm.wasm" pkg
# For node: the files are modules.
echo '{ "type": "module" }' > pkg/package.json
