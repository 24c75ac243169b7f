# shellcheck shell=bash
#
# Runs cases and prints a row for each. Source cases.sh first.
#
#   table_begin DIR             logs of failed cases stay below DIR
#   table_row NAME CASE..       run a case of cases.sh, print its row
#   table_end                   a summary; fails when a case failed
#   table_clean DIR             for a trap: removes DIR, but for the logs of failed cases

TABLE_DIR=
TABLE_CASES=0
TABLE_FAILED=()
TABLE_STARTED=

table_begin()
{
    TABLE_DIR=$1
    TABLE_STARTED=${EPOCHREALTIME/[.,]/}
    printf '%-52s %10s %8s %8s %8s  %s\n' case bytes seconds Mbit/s retrans. verdict
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
    table_print "$name" "$verdict"
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
        printf "%-52s %10d %8.3f %8.1f %8s  %s\n", name, bytes, seconds,
            (seconds > 0 ? bytes * 8 / seconds / 1e6 : 0), again, verdict }'
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
    rm -f "$1"/*.data "$1"/why
    rmdir "$1" 2>/dev/null || :
}
