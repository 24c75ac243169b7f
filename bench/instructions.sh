#!/bin/bash
#
# Counts the instructions that a message costs in the memory benchmark, both ends together, and
# compares them with bench/instructions.txt. No clock decides: the same program executes the same
# instructions on every machine.
# Usage: instructions.sh check PROGRAM     fails where a figure is off by more than the tolerance
#        instructions.sh commit PROGRAM    writes the figures of today to bench/instructions.txt
# PROGRAM is bench_instructions of a Release build. Profiles stay beside it: PROGRAM.ROW.callgrind.
set -euo pipefail

figures=$(dirname "$0")/instructions.txt
rows=(mem-1500-8k mem-64b)
tolerance_percent=5
# Another compiler's code is compared as what it is: other code. Only what no compiler explains fails.
other_compiler_tolerance_percent=30

usage()
{
    sed -n '6,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

# Valgrind's processor is the same everywhere, so that glibc picks the same functions, too.
count()
{
    local out=$program.$1.callgrind
    valgrind --tool=callgrind --callgrind-out-file="$out" --toggle-collect='bench_mem_counted*' \
        "$program" "$1" 2>"$out.log" || { cat "$out.log" >&2; return 1; }
}

# Usage: measure ROW: sets `compiler` and `now`, instructions per message.
measure()
{
    local told messages instructions
    told=$(count "$1")
    compiler=${told#*compiler=}
    messages=${told#messages=}
    messages=${messages%% *}
    instructions=$(sed -n 's/^\(summary\|totals\): \([0-9]*\)$/\2/p' "$program.$1.callgrind" | head -n 1)
    [ "${instructions:-0}" -gt 0 ] || { echo "instructions: nothing was counted of $1" >&2; return 1; }
    now=$((instructions / messages))
}

recorded()
{
    sed -n "s/^$1 *//p" "$figures"
}

explain()
{
    cat >&2 <<EOF
    What costs them:     callgrind_annotate $program.$1.callgrind | head -n 60
                         (with lines: configure with -DCMAKE_C_FLAGS=-g, annotate with --auto=yes;
                         the figure of a commit before: build that one and compare)
    If it has to be so:  $0 commit $program
                         and say in the commit's message why
EOF
}

check_row()
{
    local before tolerance=$tolerance_percent percent
    measure "$1"
    before=$(recorded "$1")
    if [ "$compiler" != "$(recorded compiler)" ]; then
        tolerance=$other_compiler_tolerance_percent
        echo "instructions: compiled by $compiler, recorded with $(recorded compiler): only more than $tolerance % counts"
    fi
    percent=$(((now - before) * 100 / before))
    echo "instructions: $1: $now a message, recorded $before ($percent %)"
    if [ $((now * 100)) -gt $((before * (100 + tolerance))) ]; then
        echo "instructions: $1 costs more than before" >&2
    elif [ $((now * 100)) -lt $((before * (100 - tolerance))) ]; then
        echo "instructions: $1 costs less than before: commit the better figure, so that it stays" >&2
    else
        return 0
    fi
    explain "$1"
    return 1
}

check()
{
    local row failed=0
    for row in "${rows[@]}"; do
        check_row "$row" || failed=1
    done
    return "$failed"
}

commit()
{
    local row lines=()
    for row in "${rows[@]}"; do
        measure "$row"
        lines+=("$row $now")
    done
    {
        echo "# Instructions a message costs, both ends together, in a Release build: see bench/instructions.sh."
        printf '%s\n' "compiler $compiler" "${lines[@]}"
    } >"$figures"
    cat "$figures"
}

if [ $# -ne 2 ] || [ ! -x "$2" ]; then
    usage
fi
program=$2
case $1 in
check)
    if [ "$(uname -m)" != x86_64 ] || ! command -v valgrind >/dev/null; then
        echo "SKIP: takes valgrind and an x86-64 processor, whose instructions are recorded"
        exit 77
    fi
    check
    ;;
commit) commit ;;
*) usage ;;
esac
