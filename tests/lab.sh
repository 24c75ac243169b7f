#!/usr/bin/env bash
# The page of scripts/lab has every picture, with something drawn in it, and every table, with a number
# in each cell; an unknown program and a missing one are told of.
# Usage: lab.sh SOURCE_DIR PROGRAM
set -euo pipefail

source_dir=$1
hawser=$2
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
page=$work/page.html

fail()
{
    echo "lab: $*"
    failed=1
}

# Usage: part BEGIN END: the page's lines from one pattern to the other
part()
{
    sed -n "/$1/,/$2/p" "$page"
}

# Each curve is a path of many points, or a row of symbols.
check_picture()
{
    local drawn
    drawn=$(part "<figure id=\"$1\">" '<\/figure>' | grep -cE '<path stroke|<use ' || :)
    [ "$drawn" -ge 2 ] || fail "picture $1: $drawn curves or points"
}

# Usage: check_table HEADING ROWS
check_table()
{
    local rows
    rows=$(part "<h2>$1" '<\/table>' | grep -c '^<tr><td>' || :)
    [ "$rows" -eq "$2" ] || fail "table of $1: $rows rows, not $2"
    if grep -qE '</td><td>[^0-9<]*</td>|nan|inf<' <<<"$(part "<h2>$1" '<\/table>')"; then
        fail "table of $1: a cell has no number"
    fi
}

if "$source_dir/scripts/lab" --hawser "$work/none" --out "$page" 2>/dev/null; then
    fail "there was a page without a program"
fi
# Before everything has run.
if "$source_dir/scripts/lab" --hawser "$work/none" --out "$work/none/page" 2>"$work/err" ||
    ! grep -q 'cannot write' "$work/err"; then
    fail "nothing was said of a page that cannot be written"
fi
"$source_dir/scripts/lab" --quick --hawser "$hawser" --out "$page"
check_picture fec
check_picture delaycc
check_picture redundant
check_picture holb
check_picture failover
check_picture window
check_picture sawtooth
check_table "fec" 6
check_table "delaycc" 4
check_table "redundant" 2
check_table "Head-of-line blocking" 15
check_table "Failover time" 18
check_table "Congestion window" 6
check_table "Slow start" 1
exit "$failed"
