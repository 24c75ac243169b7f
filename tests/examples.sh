#!/usr/bin/env bash
# Runs every example and looks at what it prints.
# Usage: examples.sh DIR     where the examples were built
set -euo pipefail

dir=$1
failures=0

# Usage: check WHAT COMMAND..
check()
{
    local what=$1
    shift
    if "$@"; then
        echo "ok    $what"
    else
        echo "FAIL  $what"
        failures=$((failures + 1))
    fi
}

engine_alone()
{
    local out
    out=$("$dir/engine_alone") || return
    echo "$out"
    [ "$(grep -c '^server: stream [01]: message' <<<"$out")" -eq 12 ] &&
        [ "$(grep -c ': the association ended gracefully$' <<<"$out")" -eq 2 ] &&
        grep -q 'stream 1: message 11' <<<"$out"
}

# The server gets each stream's messages in order, in spite of the losses.
engine_alone_in_order()
{
    local stream
    for stream in 0 1; do
        "$dir/engine_alone" | sed -n "s/^server: stream $stream: message //p" | sort -nc || return
    done
}

check "engine_alone: 12 messages arrive" engine_alone
check "engine_alone: in order" engine_alone_in_order
[ "$failures" -eq 0 ]
