#!/usr/bin/env bash
# The shared library shows its API and nothing else: what the public headers declare is exported.
# Usage: symbols.sh LIBRARY HEADER_DIR
set -euo pipefail

exported=$(nm -D --defined-only "$1" | awk '{ print $3 }' | sort)
declared=$(grep -ohE '^HWS_API [^(]*\(' "$2"/*.h | grep -oE 'hws_[a-z_0-9]+\($' | tr -d '(' | sort)
diff <(echo "$declared") <(echo "$exported") || {
    echo "symbols: left what the headers declare, right what the library exports" >&2
    exit 1
}
