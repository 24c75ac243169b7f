# shellcheck shell=bash
#
# Runs cases and prints a row for each. Source cases.sh first.
#
#   table_begin DIR             logs of failed cases stay below DIR
#   table_continue DIR          the same without a head: rows of a table that another process prints
#   table_row NAME CASE..       run a case of cases.sh, print its row
#   table_apart NAME CMD..      run CMD, which prints rows, beside; its logs are in DIR/NAME
#   table_abandon               for a trap: end all that runs apart
#   table_join                  print the rows of all that runs apart, once it has ended
#   table_rows_end              for a process that prints rows only: fails when a case failed
#   table_end                   a summary; fails when a case failed
#   table_clean DIR             for a trap: removes DIR, but for the logs of failed cases

TABLE_DIR=
TABLE_CASES=0
TABLE_FAILED=()
TABLE_STARTED=
declare -A TABLE_APART=()

table_continue()
{
    TABLE_DIR=$1
}

table_begin()
{
    TABLE_DIR=$1
    TABLE_STARTED=${EPOCHREALTIME/[.,]/}
    printf '%-60s %10s %8s %8s %8s  %s\n' case bytes seconds Mbit/s retrans. verdict
}

table_row()
{
    local name=$1 verdict=pass dir
    shift
    TABLE_CASES=$((TABLE_CASES + 1))
    dir=$TABLE_DIR/$(printf '%02d-%s' "$TABLE_CASES" "$(tr -cs 'A-Za-z0-9\n' - <<<"$name")")
    mkdir -p "$dir"
    case_begin "$dir"
    "$@" 2>"$dir/case.log" || verdict="FAIL: ${CASE_WHY:-see the logs}"
    table_print "$name" "$verdict${CASE_NOTE:+, $CASE_NOTE}"
    # What was transferred is large and tells nothing; the logs do.
    rm -f "$dir"/*.data
    if [ "$verdict" = pass ]; then
        rm -rf "$dir"
    else
        TABLE_FAILED+=("$dir")
    fi
}

table_print()
{
    awk -v name="$1" -v verdict="$2" -v bytes="$CASE_BYTES" -v seconds="$CASE_SECONDS" \
        -v again="${CASE_RETRANSMITS:--}" 'BEGIN {
        printf "%-60s %10d %8.3f %8.1f %8s  %s\n", name, bytes, seconds,
            (seconds > 0 ? bytes * 8 / seconds / 1e6 : 0), again, verdict }'
}

# The row is the process's output; what else it says is in NAME.err.
table_apart()
{
    local name=$1
    shift
    "$@" >"$TABLE_DIR/$name.rows" 2>"$TABLE_DIR/$name.err" </dev/null &
    TABLE_APART[$name]=$!
}

table_join()
{
    local name code
    for name in "${!TABLE_APART[@]}"; do
        code=0
        wait "${TABLE_APART[$name]}" || code=$?
        table_take "$name" "$code"
        unset "TABLE_APART[$name]"
    done
}

# Usage: table_take NAME CODE
table_take()
{
    local rows=$TABLE_DIR/$1.rows failed
    cat "$rows"
    failed=$(grep -c ' FAIL: ' "$rows") || :
    if [ "$2" -ne 0 ] && [ "$failed" -eq 0 ]; then
        CASE_BYTES=0 CASE_SECONDS=0 CASE_RETRANSMITS=
        table_print "$1" "FAIL: ended with $2: $(tail -n 1 "$TABLE_DIR/$1.err")" | tee -a "$rows"
        failed=1
    fi
    TABLE_CASES=$((TABLE_CASES + $(grep -cE ' (pass|FAIL: )' "$rows")))
    for ((; failed > 0; failed--)); do
        TABLE_FAILED+=("$TABLE_DIR/$1")
    done
    rm -f "$rows" "$TABLE_DIR/$1.err"
}

# For a trap.
table_abandon()
{
    local name
    for name in "${!TABLE_APART[@]}"; do
        kill -TERM "${TABLE_APART[$name]}" 2>/dev/null || :
        wait "${TABLE_APART[$name]}" 2>/dev/null || :
    done
}

table_rows_end()
{
    local dir
    for dir in "${TABLE_FAILED[@]}"; do
        printf 'logs: %s\n' "$dir"
    done
    [ "${#TABLE_FAILED[@]}" -eq 0 ]
}

table_end()
{
    local dir seconds
    seconds=$(awk -v us=$((${EPOCHREALTIME/[.,]/} - TABLE_STARTED)) 'BEGIN { printf "%.0f", us / 1e6 }')
    echo 'retrans.: DATA chunks that hawser sent again'
    printf '%d cases, %d failed, %d s\n' "$TABLE_CASES" "${#TABLE_FAILED[@]}" "$seconds"
    for dir in "${TABLE_FAILED[@]}"; do
        printf 'logs of a failed case: %s\n' "$dir"
    done
    [ "${#TABLE_FAILED[@]}" -eq 0 ]
}

# An interrupted case leaves its directory, too.
table_clean()
{
    local dir keep=" ${TABLE_FAILED[*]} "
    for dir in "$1"/*/; do
        [[ $keep == *" ${dir%/} "* ]] || rm -rf "$dir"
    done
    rm -f "$1"/*.data "$1"/*.rows "$1"/*.err "$1"/why
    rmdir "$1" 2>/dev/null || :
}
