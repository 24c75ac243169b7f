# shellcheck shell=bash
#
# Bulk data between two processes in two network namespaces, over a veth. To be sourced, after
# interop/rooms.sh; BENCH_DIR is where the programs are.
#
#   veth_row NAME ROUNDS SECONDS [OPTION..]   the rounds of a row, hawser and usrsctp in turn
#
# Placement is fixed and the same for all: the source on the first core, the sink on the last. Both
# wait in the kernel when there is nothing to do. OPTIONs are those of stream.c.

VETH_MESSAGE_BYTES=8192
VETH_SINK=10.77.0.2

# Usage: veth_figure FILE KEY
veth_figure()
{
    sed -n "s/^stream .* $2=\([0-9.]*\).*/\1/p" "$1" | grep .
}

# Usage: veth_print NAME CONTENDER LOGS: the round's line from those of its two processes.
veth_print()
{
    local bytes wall tx_cpu rx_cpu resent
    bytes=$(veth_figure "$3/sink" bytes) && wall=$(veth_figure "$3/sink" wall_s) &&
        rx_cpu=$(veth_figure "$3/sink" cpu_s) && tx_cpu=$(veth_figure "$3/source" cpu_s) &&
        resent=$(veth_figure "$3/source" retransmits) || return 1
    awk -v row="$1" -v who="$2" -v bytes="$bytes" -v wall="$wall" -v tx="$tx_cpu" -v rx="$rx_cpu" \
        -v resent="$resent" 'BEGIN {
            printf "round row=%s layer=sockets unit=Gbit/s contender=%s value=%.4f bytes=%.0f", row,
                who, bytes * 8 / wall / 1e9, bytes
            printf " wall_s=%s cpu_s=%.4f tx_cpu_s=%s rx_cpu_s=%s retransmits=%d\n", wall, tx + rx,
                tx, rx, resent
        }'
}

# Usage: veth_source CONTENDER SECONDS LOGS [OPTION..]; prints nothing, its exit code is the source's.
veth_source()
{
    local who=$1 seconds=$2 logs=$3
    shift 3
    rooms_wait_line 10 "$logs/sink" '^listening' || return 1
    rooms_start A "$logs/source" taskset -c 0 "$BENCH_DIR/bench_stream_$who" "$@" \
        -m "$VETH_MESSAGE_BYTES" -s "$seconds" source "$VETH_SINK"
    rooms_join 60 "$ROOMS_PID"
}

# Usage: veth_round NAME CONTENDER SECONDS LOGS [OPTION..]
veth_round()
{
    local name=$1 who=$2 seconds=$3 logs=$4 sink
    shift 4
    # What the last sink said is not this one's word that it listens.
    rm -f "$logs/sink" "$logs/source"
    rooms_start B "$logs/sink" taskset -c "$(($(nproc) - 1))" \
        "$BENCH_DIR/bench_stream_$who" "$@" sink "$VETH_SINK"
    sink=$ROOMS_PID
    if ! veth_source "$who" "$seconds" "$logs" "$@"; then
        rooms_stop "$sink"
        return 1
    fi
    rooms_join 10 "$sink" && veth_print "$name" "$who" "$logs"
}

veth_row()
{
    local name=$1 rounds=$2 seconds=$3 logs i who good=0
    shift 3
    logs=$(mktemp -d "${TMPDIR:-/tmp}/hws-bench-XXXXXX")
    for ((i = 0; i < rounds; i++)); do
        for who in hawser usrsctp; do
            veth_round "$name" "$who" "$seconds" "$logs" "$@" && continue
            printf '%s: %s failed: %s\n' "$name" "$who" "$(tail -qn 1 "$logs"/*)" >&2
            good=1
        done
    done
    rm -rf "$logs"
    return "$good"
}
