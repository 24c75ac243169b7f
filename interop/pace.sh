# shellcheck shell=bash
#
# Bulk data over raw 132, hawser beside tsctp between the same rooms in the same run. Source
# packaged.sh first.
#
# Runs alternate, so that what else the machine does hits both; the medians are compared. hawser's
# time is the whole life of the connector, from its start to its end; tsctp's is what its server saw
# from the first message to the last.

PACE_ROUNDS=3
PACE_RUN=
# The best of the sizes tried (1452, 8192, 65536) for tsctp; hawser cat keeps its default.
PACE_TSCTP_MESSAGE=65536

# Usage: case_hawser_discard ROUND: hawser to hawser, nothing is stored, as with tsctp.
case_hawser_discard()
{
    local code=0
    hawser_listen "sink$1" B 132 /dev/null cat "$CASE_PORT" || case_fail 'no listener' || return 1
    hawser_cat "source$1" A 132 "$CASE_FILE" /dev/null "$(case_address B 4)" "$CASE_PORT" || code=$?
    CASE_SECONDS=$HAWSER_SECONDS
    hawser_join "sink$1" 10 || case_fail "the listener ended with $?" || :
    case_retransmits "source$1"
    [ "$code" -eq 0 ] || case_fail "the connector ended with $code" || return 1
    case_count "$(hawser_counter "sink$1" data_bytes_in)" && [ -z "$CASE_WHY" ]
}

# Usage: pace_median RUN..: the middle one of runs, each "microseconds bytes"
pace_median()
{
    printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

pace_run()
{
    local microseconds
    microseconds=$(awk -v s="$CASE_SECONDS" 'BEGIN { printf "%d", s * 1e6 }')
    PACE_RUN="$microseconds $CASE_BYTES"
}

# Runs both, and gives tsctp's median.
case_pace_tsctp()
{
    local round
    PACE_TSCTP=()
    PACE_HAWSER=()
    for ((round = 1; round <= PACE_ROUNDS; round++)); do
        case_tsctp "$PACE_TSCTP_MESSAGE" || return 1
        pace_run
        PACE_TSCTP+=("$PACE_RUN")
        case_hawser_discard "$round" || return 1
        pace_run
        PACE_HAWSER+=("$PACE_RUN")
    done
    CASE_RETRANSMITS=
    pace_take "$(pace_median "${PACE_TSCTP[@]}")"
}

# Usage: pace_take RUN
pace_take()
{
    CASE_BYTES=${1#* }
    CASE_SECONDS=$(awk -v us="${1% *}" 'BEGIN { print us / 1e6 }')
}

# hawser's median of the same runs: at least as many bytes in as many seconds.
case_pace_hawser()
{
    local tsctp
    [ "${#PACE_HAWSER[@]}" -gt 0 ] || case_fail 'there are no runs to compare' || return 1
    tsctp=$(pace_median "${PACE_TSCTP[@]}")
    pace_take "$(pace_median "${PACE_HAWSER[@]}")"
    awk -v bytes="$CASE_BYTES" -v seconds="$CASE_SECONDS" -v us="${tsctp% *}" -v other="${tsctp#* }" \
        'BEGIN { exit !(bytes / seconds >= other / us * 1e6) }' || case_fail 'slower than tsctp'
}
