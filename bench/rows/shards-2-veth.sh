# shellcheck shell=bash
#
# 64 associations over a veth of MTU 1500, IP protocol 132: two shards on each side, all on both cores,
# and one on each side, on a core of its own.
#
# Usage: shards_pair CONTENDER SHARDS PLACE [OPTION..]
shards_pair()
{
    local who=$1 shards=$2 BENCH_PLACE=$3 sink bytes wall tx rx resent
    shift 3
    set -- "$BENCH_DIR/bench_stream_shards" "$@" -n "$shards" -s "$BENCH_SECONDS"
    rooms_start "$STREAM_SINK_ROOM" "$BENCH_LOGS/sink" "$@" sink "$STREAM_SINK_ADDRESS"
    sink=$ROOMS_PID
    rooms_wait_line 10 "$BENCH_LOGS/sink" '^listening' &&
        rooms_start "$STREAM_SOURCE_ROOM" "$BENCH_LOGS/source" "$@" source "$STREAM_SINK_ADDRESS" &&
        rooms_join 60 "$ROOMS_PID" && rooms_join 10 "$sink" &&
        bytes=$(stream_figure sink bytes) && wall=$(stream_figure sink wall_s) &&
        rx=$(stream_figure sink cpu_s) && tx=$(stream_figure source cpu_s) &&
        resent=$(stream_figure source retransmits) &&
        stream_print "$who" epoll "$bytes" "$wall" "$tx" "$rx" "retransmits=$resent"
}

row_shards_2_veth()
{
    local both=$BENCH_SOURCE_CORE,$BENCH_SINK_CORE/$BENCH_SOURCE_CORE,$BENCH_SINK_CORE
    rooms_up 1500 &&
        bench_turns shards-2-veth "$1" "$2" \
            "shards_pair hawser 2 $both" \
            "shards_pair hawser-1 1 $BENCH_PLACE"
}
