#!/usr/bin/env bash
# node, which runs the module's tests and makes the page: 18 or later. On Debian, root gets it where it is missing.
set -euo pipefail

has_node() {
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)' 2> /dev/null
}

if ! has_node && [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends nodejs; } > /dev/null || true
fi
if ! has_node; then
    echo "There is no node of 18 or later: install it from https://nodejs.org, or as root on Debian by apt-get install nodejs." >&2
    exit 1
fi
