#!/usr/bin/env bash
# The page in a headless Chromium: test.sh FOLDER, which `make page` has made. On Debian, root gets the browser where it is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

folder=$1
browser=${CHROMIUM:-chromium}
if ! command -v "$browser" > /dev/null && [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends chromium; } > /dev/null
fi
if ! command -v "$browser" > /dev/null; then
    echo "There is no $browser: install Chromium, or set CHROMIUM to it." >&2
    exit 1
fi
IMPASTO_PAGE=$folder CHROMIUM=$browser node --test test.mjs
