#!/usr/bin/env bash
# The shared library shows its API and nothing else: what hawser.h declares is what is exported.
# Usage: symbols.sh LIBRARY HEADER
set -euo pipefail

exported=$(nm -D --defined-only "$1" | awk '{ print $3 }' | sort)
declared=$(grep -oE '^HWS_API [^(]*\(' "$2" | grep -oE 'hws_[a-z_0-9]+\($' | tr -d '(' | sort)
diff <(echo "$declared") <(echo "$exported") || {
    echo "symbols: left what hawser.h declares, right what the library exports" >&2
    exit 1
}
