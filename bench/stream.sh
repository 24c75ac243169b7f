# shellcheck shell=bash
#
# Bulk data between two processes, the contenders of such rows. To be sourced, after bench/turns.sh.
# Each is a CALL of bench_turns:
#
#   stream_pair CONTENDER WAIT PROGRAM [OPTION..]    a program with the roles of stream.c
#   stream_tcp CONTENDER [OPTION..]                  the kernel's TCP: iperf3, with options of its own
#   stream_without OFFLOADS CALL..                   a call with offloads of both ends off, as in
#                                                    stream_without tso,gso,gro stream_tcp tcp-nooffload
#
# They run between rooms, and a row may say which (as local variables):
STREAM_SOURCE_ROOM=A
STREAM_SINK_ROOM=B
STREAM_SINK_ADDRESS=10.77.0.2
STREAM_DEVICES=(A:va B:vb) # of the source, of the sink

STREAM_MESSAGE_BYTES=8192

# Usage: stream_figure ROLE KEY: from the line that the program of this role printed.
stream_figure()
{
    sed -n "s/^stream .* $2=\([0-9.]*\).*/\1/p" "$BENCH_LOGS/$1" | grep .
}

# Usage: stream_print CONTENDER WAIT BYTES WALL_S TX_CPU_S RX_CPU_S [FIELD=VALUE..]
stream_print()
{
    local who=$1 wait=$2 bytes=$3 wall=$4 tx=$5 rx=$6
    shift 6
    awk -v row="$BENCH_ROW" -v place="$BENCH_PLACE" -v wait="$wait" -v who="$who" \
        -v bytes="$bytes" -v wall="$wall" -v tx="$tx" -v rx="$rx" -v more="$*" 'BEGIN {
            printf "round row=%s layer=sockets place=%s wait=%s unit=Gbit/s contender=%s", row,
                place, wait, who
            printf " value=%.4f bytes=%.0f wall_s=%s cpu_s=%.4f tx_cpu_s=%s rx_cpu_s=%s %s\n",
                bytes * 8 / wall / 1e9, bytes, wall, tx + rx, tx, rx, more
        }'
}

# Usage: stream_source PROGRAM [OPTION..]; its exit code is the source's.
stream_source()
{
    local program=$1
    shift
    rooms_wait_line 10 "$BENCH_LOGS/sink" '^listening' || return 1
    rooms_start "$STREAM_SOURCE_ROOM" "$BENCH_LOGS/source" taskset -c "$BENCH_SOURCE_CORE" \
        "$BENCH_DIR/$program" "$@" -i "${STREAM_DEVICES[0]#*:}" -m "$STREAM_MESSAGE_BYTES" -s "$BENCH_SECONDS" \
        source "$STREAM_SINK_ADDRESS"
    rooms_join 60 "$ROOMS_PID"
}

stream_pair()
{
    local who=$1 wait=$2 program=$3 sink bytes wall tx rx resent
    shift 3
    rooms_start "$STREAM_SINK_ROOM" "$BENCH_LOGS/sink" taskset -c "$BENCH_SINK_CORE" \
        "$BENCH_DIR/$program" "$@" -i "${STREAM_DEVICES[-1]#*:}" sink "$STREAM_SINK_ADDRESS"
    sink=$ROOMS_PID
    if ! stream_source "$program" "$@"; then
        rooms_stop "$sink"
        return 1
    fi
    rooms_join 10 "$sink" && bytes=$(stream_figure sink bytes) && wall=$(stream_figure sink wall_s) &&
        rx=$(stream_figure sink cpu_s) && tx=$(stream_figure source cpu_s) &&
        resent=$(stream_figure source retransmits) &&
        stream_print "$who" "$wait" "$bytes" "$wall" "$tx" "$rx" "retransmits=$resent"
}

# Usage: stream_offloads on|off OFFLOAD,OFFLOAD..
stream_offloads()
{
    local device feature settings=()
    for feature in ${2//,/ }; do
        settings+=("$feature" "$1")
    done
    for device in "${STREAM_DEVICES[@]}"; do
        rooms_run "${device%%:*}" ethtool -K "${device#*:}" "${settings[@]}" >"$BENCH_LOGS/ethtool" 2>&1 ||
            return 1
    done
}

# Usage: stream_offloads_on ROOM DEVICE OFFLOAD,OFFLOAD..: those of them that are on, as a list again
stream_offloads_on()
{
    local -A names=([tso]=tcp-segmentation-offload [gso]=generic-segmentation-offload
        [gro]=generic-receive-offload)
    local feature on=()
    for feature in ${3//,/ }; do
        ! grep -q "^${names[$feature]}: on" <<<"$(rooms_run "$1" ethtool -k "$2")" || on+=("$feature")
    done
    (IFS=, && printf '%s\n' "${on[*]}")
}

# What was off before (a veth has no GRO) stays off for the contenders that follow.
stream_without()
{
    local offloads=$1 on code=0
    shift
    on=$(stream_offloads_on "${STREAM_DEVICES[0]%%:*}" "${STREAM_DEVICES[0]#*:}" "$offloads") &&
        stream_offloads off "$offloads" || return 1
    "$@" || code=1
    [ -z "$on" ] || stream_offloads on "$on" || code=1
    return "$code"
}

# iperf3 counts whole seconds.
stream_tcp()
{
    local who=$1 sink
    shift
    rooms_start "$STREAM_SINK_ROOM" "$BENCH_LOGS/sink" taskset -c "$BENCH_SINK_CORE" \
        iperf3 -s -1 --forceflush -B "$STREAM_SINK_ADDRESS"
    sink=$ROOMS_PID
    rooms_wait_line 10 "$BENCH_LOGS/sink" '^Server listening' &&
        rooms_start "$STREAM_SOURCE_ROOM" "$BENCH_LOGS/source" taskset -c "$BENCH_SOURCE_CORE" \
            iperf3 -c "$STREAM_SINK_ADDRESS" -t "$(stream_whole_seconds)" --json -C cubic "$@" &&
        rooms_join 60 "$ROOMS_PID" && rooms_join 10 "$sink" && stream_print_tcp "$who" && return 0
    rooms_stop "$sink"
    return 1
}

stream_whole_seconds()
{
    awk -v s="$BENCH_SECONDS" 'BEGIN { print int(s) + (s > int(s)) }'
}

stream_print_tcp()
{
    local bytes wall tx rx resent
    read -r bytes wall tx rx resent < <(jq -r '.end | [.sum_received.bytes, .sum_received.seconds,
        .cpu_utilization_percent.host_total * .sum_sent.seconds / 100,
        .cpu_utilization_percent.remote_total * .sum_received.seconds / 100,
        .sum_sent.retransmits] | join(" ")' "$BENCH_LOGS/source") &&
        stream_print "$1" select "$bytes" "$wall" "$tx" "$rx" "retransmits=$resent"
}

# Usage: stream_lo_room: one room, whose lo is the path.
stream_lo_room()
{
    rooms_need && rooms_make A
}
