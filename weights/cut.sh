#!/usr/bin/env bash
# Cuts vgg16.safetensors into the three crates of weights, for packaging: 1/part, 2/part, 3/part.
set -euo pipefail
cd "$(dirname "$0")"
size=$((($(wc -c < vgg16.safetensors) + 2) / 3))
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
split --bytes="$size" --numeric-suffixes=1 --suffix-length=1 vgg16.safetensors "$folder/"
for number in 1 2 3; do
    mv "$folder/$number" "$number/part"
done
cat 1/part 2/part 3/part | cmp - vgg16.safetensors
