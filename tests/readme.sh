#!/usr/bin/env bash
# The README's example is examples/echo_client.c, word for word: what people paste is what is built.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck disable=SC2016
if ! diff <(sed -n '/^```c$/,/^```$/p' README.md | sed '1d;$d') examples/echo_client.c; then
    echo "README.md and examples/echo_client.c differ" >&2
    exit 1
fi
