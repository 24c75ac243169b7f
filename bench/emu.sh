# shellcheck shell=bash
#
# Rows over a link with delay: bench/emu between rooms E and F. To be sourced, after bench/stream.sh.
#
#   emu_row ROW ROUNDS OPTION..     all contenders in turn, over a link with these options of bench_emu
#
# Each round has a link of its own with the same seed: the n-th packet of a direction is lost for all
# contenders, or for none. The rate is one that the emulator carries with half a core to spare
# (every packet costs it two system calls), the queue a bandwidth-delay product.

EMU_RATE_MBIT=500
# Rounds are long, so that slow start is a part of them and not all, and few.
EMU_SECONDS=4
EMU_FEW_ROUNDS=1
EMU_MANY_ROUNDS=3

# Usage: emu_up OPTION..
emu_up()
{
    local log
    log=$(dirname "$BENCH_LOGS")/emu
    rm -f "$log"
    rooms_need && rooms_make E && rooms_make F || return 1
    rooms_start E "$log" "$BENCH_DIR/bench_emu" -r "$EMU_RATE_MBIT" "$@" \
        "/run/netns/$(rooms_ns E)" "/run/netns/$(rooms_ns F)"
    rooms_wait_line 10 "$log" '^ready' || return 1
    rooms_address E emu0 10.77.0.1/24 fd77::1/64 1500
    rooms_address F emu0 10.77.0.2/24 fd77::2/64 1500
}

# Usage: emu_round OPTIONS CALL..: OPTIONS of bench_emu in one word, separated by commas.
emu_round()
{
    local options code=0
    IFS=, read -ra options <<<"$1"
    shift
    emu_up "${options[@]}" && "$@" || code=1
    rooms_down
    return "$code"
}

# Usage: emu_pair CONTENDER WAIT PROGRAM [OPTION..]: as stream_pair, but nobody waits for the end.
emu_pair()
{
    local who=$1 wait=$2 program=$3 source sink code=0
    shift 3
    rooms_start F "$BENCH_LOGS/sink" taskset -c "$BENCH_SINK_CORE" \
        "$BENCH_DIR/$program" "$@" -c -s "$BENCH_SECONDS" sink "$STREAM_SINK_ADDRESS"
    sink=$ROOMS_PID
    rooms_wait_line 10 "$BENCH_LOGS/sink" '^listening' || return 1
    rooms_start E "$BENCH_LOGS/source" taskset -c "$BENCH_SOURCE_CORE" "$BENCH_DIR/$program" "$@" \
        -c -m "$STREAM_MESSAGE_BYTES" -s "$BENCH_SECONDS" source "$STREAM_SINK_ADDRESS"
    source=$ROOMS_PID
    rooms_wait_line 30 "$BENCH_LOGS/source" '^stream' && rooms_join 30 "$sink" || code=1
    rooms_stop "$source"
    [ "$code" -eq 0 ] && emu_print "$who" "$wait"
}

# Usage: emu_print CONTENDER WAIT
emu_print()
{
    local bytes wall tx rx resent
    bytes=$(stream_figure sink bytes) && wall=$(stream_figure sink wall_s) &&
        rx=$(stream_figure sink cpu_s) && tx=$(stream_figure source cpu_s) &&
        resent=$(stream_figure source retransmits) &&
        stream_print "$1" "$2" "$bytes" "$wall" "$tx" "$rx" "retransmits=$resent"
}

emu_tcp()
{
    # shellcheck disable=SC2034 # for stream_tcp
    local STREAM_SOURCE_ROOM=E STREAM_SINK_ROOM=F
    stream_tcp "$@"
}

# Usage: emu_has_bbr: whether this kernel offers it.
emu_has_bbr()
{
    grep -qw bbr /proc/sys/net/ipv4/tcp_available_congestion_control && return 0
    printf 'bench: tcp-bbr: not available in this kernel\n' >&2
    return 1
}

emu_row()
{
    local row=$1 rounds=$EMU_FEW_ROUNDS options calls
    [ "$2" -le 5 ] || rounds=$EMU_MANY_ROUNDS
    shift 2
    options=$(IFS=,; printf '%s' "$*")
    calls=("emu_round $options emu_pair hawser epoll bench_stream_hawser"
        "emu_round $options emu_pair usrsctp blocking bench_stream_usrsctp"
        "emu_round $options emu_tcp tcp")
    ! emu_has_bbr || calls+=("emu_round $options emu_tcp tcp-bbr -C bbr")
    bench_turns "$row" "$rounds" "$EMU_SECONDS" "${calls[@]}"
}
