# shellcheck shell=bash
#
# Small messages between two processes, the contenders of such rows. To be sourced, after
# bench/turns.sh. Each is a CALL of bench_turns:
#
#   latency_rtt CONTENDER WAIT PROGRAM [OPTION..]     round trips: p50, and p99.9 as row $BENCH_ROW-p999
#   latency_delay CONTENDER WAIT PROGRAM [OPTION..]   from kernel to application: p50, and p99 likewise
#
# PROGRAM has the roles of latency.c. Waiting is part of what is measured: a processor that wakes up
# from idle takes longer than all else.

LATENCY_LISTENER_ADDRESS=10.77.0.2
LATENCY_MESSAGE_BYTES=64

# Usage: latency_figure ROLE KEY: from the line that the program of this role printed.
latency_figure()
{
    sed -n "s/^latency .* $2=\([0-9.]*\).*/\1/p" "$BENCH_LOGS/$1" | grep .
}

# Usage: latency_print SUFFIX CONTENDER WAIT ROLE KEY: a round whose value is the ROLE's KEY.
latency_print()
{
    local value fields
    value=$(latency_figure "$4" "$5") && fields=$(sed -n 's/^latency .* \(messages=.*\)/\1/p' \
        "$BENCH_LOGS/$4") || return 1
    printf 'round row=%s layer=sockets place=%s wait=%s unit=us better=low contender=%s value=%s' \
        "$BENCH_ROW$1" "$BENCH_PLACE" "$3" "$2" "$value"
    printf ' bytes=%s %s\n' \
        "$(($(latency_figure "$4" messages) * LATENCY_MESSAGE_BYTES))" "$fields"
}

# Usage: latency_pair LISTENER ROLE PROGRAM [OPTION..]: runs both ends; the listening one is in B.
latency_pair()
{
    local listener=$1 role=$2 program=$3 pid code=0
    shift 3
    rooms_start B "$BENCH_LOGS/$listener" taskset -c "$BENCH_SINK_CORE" \
        "$BENCH_DIR/$program" "$@" "$listener" "$LATENCY_LISTENER_ADDRESS"
    pid=$ROOMS_PID
    rooms_wait_line 10 "$BENCH_LOGS/$listener" '^listening' &&
        rooms_start A "$BENCH_LOGS/$role" taskset -c "$BENCH_SOURCE_CORE" \
            "$BENCH_DIR/$program" "$@" -m "$LATENCY_MESSAGE_BYTES" -s "$BENCH_SECONDS" \
            "$role" "$LATENCY_LISTENER_ADDRESS" && rooms_join 60 "$ROOMS_PID" || code=1
    [ "$code" -eq 0 ] || rooms_stop "$pid"
    [ "$code" -ne 0 ] || rooms_join 10 "$pid" || code=1
    return "$code"
}

latency_rtt()
{
    local who=$1 wait=$2
    shift 2
    latency_pair echo ping "$@" && latency_print '' "$who" "$wait" ping p50_us &&
        latency_print -p999 "$who" "$wait" ping p999_us
}

latency_delay()
{
    local who=$1 wait=$2 LATENCY_MESSAGE_BYTES=200
    shift 2
    latency_pair take pace "$@" && latency_print '' "$who" "$wait" take p50_us &&
        latency_print -p99 "$who" "$wait" take p99_us
}
