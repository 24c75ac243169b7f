# shellcheck shell=bash
#
# Rounds in turn. To be sourced, after interop/rooms.sh, by scripts/bench, which sets BENCH_DIR (where
# the programs are) and BENCH_LOGS (a directory for what they say).
#
#   bench_turns ROW ROUNDS SECONDS CALL..     calls each CALL, in turn, ROUNDS times
#
# A CALL is a function with its arguments, in one word. It measures one round of one contender, for
# BENCH_SECONDS, and prints the round's line, with row=$BENCH_ROW. One that fails is told of with the
# last lines of BENCH_LOGS, and the others go on.

# Placement is fixed and the same for all: the source on the first core, the sink on the last.
# shellcheck disable=SC2034 # for who sources this
BENCH_SOURCE_CORE=0
BENCH_SINK_CORE=$(($(nproc) - 1))
BENCH_PLACE=$BENCH_SOURCE_CORE/$BENCH_SINK_CORE

bench_turns()
{
    local BENCH_ROW=$1 rounds=$2 BENCH_SECONDS=$3 i call failed=0
    shift 3
    for ((i = 0; i < rounds; i++)); do
        for call in "$@"; do
            rm -f "$BENCH_LOGS"/*
            # shellcheck disable=SC2086 # a function and its arguments
            $call && continue
            bench_tell "$BENCH_ROW: $call failed"
            failed=1
        done
    done
    return "$failed"
}

# Usage: bench_tell TEXT: with the last line of each log.
bench_tell()
{
    local log
    printf 'bench: %s\n' "$1" >&2
    for log in "$BENCH_LOGS"/*; do
        [ ! -s "$log" ] || printf '    %s: %s\n' "$(basename "$log")" "$(tail -n 1 "$log")" >&2
    done
}
