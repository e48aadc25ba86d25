#!/usr/bin/env bash
# Cuts vgg16.safetensors into the three crates of weights. The parts are committed, so that every crate is packaged as it is; their
# names end as that of the whole does, so that git keeps them as parts of it.
set -euo pipefail
cd "$(dirname "$0")"
size=$((($(wc -c < vgg16.safetensors) + 2) / 3))
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
split --bytes="$size" --numeric-suffixes=1 --suffix-length=1 vgg16.safetensors "$folder/"
for number in 1 2 3; do
    mv "$folder/$number" "$number/part-of-vgg16.safetensors"
done
cat {1,2,3}/part-of-vgg16.safetensors | cmp - vgg16.safetensors
