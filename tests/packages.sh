#!/usr/bin/env bash
# Packages every crate, and builds and runs the program of docs/library.md against the tarballs alone, as somebody does who has them
# from the registry. With VERIFY=no Cargo does not build every tarball by itself too, which takes some minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=$(cargo metadata --no-deps --format-version=1 --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
packaged=$target/packaged
[ "${VERIFY:-yes}" = no ] && verify=--no-verify || verify=
rm -rf "$target"/package/impasto-*.crate "$packaged"
cargo package --workspace --exclude impasto-tests --locked $verify

mkdir -p "$packaged/crates"
for tarball in "$target"/package/impasto-*.crate; do
    size=$(wc -c < "$tarball")
    echo "$(basename "$tarball"): $((size / 1024)) KiB"
    if [ "$size" -gt $((10 << 20)) ]; then
        echo "The registry takes 10 MiB a crate." >&2
        exit 1
    fi
    tar -xzf "$tarball" -C "$packaged/crates"
done
cp -r examples/library "$packaged/program"
cd "$packaged/program"
rm -rf target Cargo.lock
# By version, as from the registry; and for the registry the tarballs stand.
sed -i 's|path = "[^"]*/crates/[^"]*"|version = "0.1"|' Cargo.toml
printf '\n[patch.crates-io]\n' >> Cargo.toml
for crate in ../crates/*; do
    name=$(basename "$crate")
    echo "${name%-*} = { path = \"$crate\" }" >> Cargo.toml
done
cp "$OLDPWD/examples/content/chelsea.png" photo.jpg
cp "$OLDPWD/examples/style/cafe_terrace.webp" painting.jpg
CARGO_TARGET_DIR=$target cargo run --quiet --release --bin paint
test -s out.png
echo "A program that knows the tarballs alone has painted $PWD/out.png"
