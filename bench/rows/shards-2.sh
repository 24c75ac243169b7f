# shellcheck shell=bash
#
# Two shards, each a thread on a core of its own, with 64 associations in all, joined in memory. The
# limit is one shard with all of them, counted twice.
row_shards_2()
{
    taskset -c "$BENCH_SOURCE_CORE,$BENCH_SINK_CORE" "$BENCH_DIR/bench_shards_2" -r "$1" -s "$2"
}
