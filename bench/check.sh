#!/bin/bash
#
# Checks the benchmarks' harness, without a clock: the report of committed rounds, turns and failures,
# the rows there are.
# Usage: bench/check.sh BENCH_REPORT
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
report=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/hws-bench-check-XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

# These have to be there.
rows=(mem-1500-8k mem-64b raw-veth1500 packet-veth1500 raw-veth9000 raw-lo udp-veth1500
    udp-veth1500-swgso handshake-veth handshake-mem idle-rss rtt-veth rx-delay shards-2
    emu-10ms emu-50ms-0.1 emu-50ms-1)

# Usage: check WHAT CMD..
check()
{
    local what=$1
    shift
    "$@" && return 0
    printf 'bench: %s\n' "$what" >&2
    failures=$((failures + 1))
}

# Usage: fails CODE CMD..: with this exit code; what it said is in $work/said.
fails()
{
    local want=$1 code=0
    shift
    "$@" >"$work/said" 2>&1 || code=$?
    [ "$code" -eq "$want" ]
}

# The first line names the machine.
check_report()
{
    "$report" -j "$work/json" -s "$work/svg" <"$here/sample/rounds" | tail -n +2 >"$work/table"
    check "the table of sample/rounds changed" diff "$here/sample/table" "$work/table"
    jq 'del(.machine)' "$work/json" >"$work/rows"
    check "the JSON of sample/rounds changed" diff "$here/sample/json" "$work/rows"
    check "JSON has other keys" jq -e 'keys == ["machine", "rows"] and (.machine | length > 0) and
        all(.rows[]; keys == ["hawser", "limit", "name", "rounds", "tcp", "unit", "usrsctp"])' \
        "$work/json" >/dev/null
    check "the plot lacks a bar" [ "$(grep -c '^<rect x' "$work/svg")" -eq 10 ]
    check "no rounds are no failure" fails 1 "$report" </dev/null
    check "a file that cannot be written is no failure" \
        fails 1 "$report" -j "$work/no/such" <"$here/sample/rounds"
}

one()
{
    echo "$BENCH_ROW one $1 $BENCH_SECONDS"
}

bad()
{
    echo reason >"$BENCH_LOGS/bad"
    return 1
}

check_turns()
{
    local BENCH_LOGS=$work/logs code=0
    mkdir "$BENCH_LOGS"
    . "$here/turns.sh"
    bench_turns some-row 2 0.5 "one a" bad "one b" >"$work/turns" 2>"$work/said" || code=$?
    check "a failing round is no failure" [ "$code" -eq 1 ]
    check "contenders do not take turns" diff - "$work/turns" <<'TURNS'
some-row one a 0.5
some-row one b 0.5
some-row one a 0.5
some-row one b 0.5
TURNS
    check "a failing round is not told of" grep -qxF 'bench: some-row: bad failed' "$work/said"
    check "what a failing program said is lost" grep -qxF '    bad: reason' "$work/said"
}

check_row()
{
    # shellcheck disable=SC1090 # one of many
    (. "$1" && declare -F "$2") >/dev/null
}

check_rows()
{
    local row file name
    for row in "${rows[@]}"; do
        check "there is no row $row" [ -e "$here/rows/$row.sh" ]
    done
    for file in "$here"/rows/*.sh; do
        name=$(basename "$file" .sh)
        check "$name.sh has no function row_${name//[-.]/_}" check_row "$file" "row_${name//[-.]/_}"
        check "docs/PERFORMANCE.md has no section on $name" \
            grep -qE "^### (.*[, ])?$name(,|\$)" "$here/../docs/PERFORMANCE.md"
    done
}

check_arguments()
{
    local row
    check "an unknown row is no failure" fails 2 "$here/../scripts/bench" --only "raw-lo,no-such-row"
    for row in no-such-row "${rows[@]}"; do
        check "nothing is said of $row" grep -qwF -e "$row" "$work/said"
    done
    check "an unknown option is no failure" fails 2 "$here/../scripts/bench" --no-such-option
    check "a path for a row is no failure" fails 2 "$here/../scripts/bench" --only ../rows/raw-lo
    check "--json without a file is no failure" fails 2 "$here/../scripts/bench" --json
}

check_report
check_turns
check_rows
check_arguments
[ "$failures" -eq 0 ]
