# shellcheck shell=bash
#
# Both ends in one thread, joined in memory: messages of 64 bytes, bundled.
row_mem_64b()
{
    taskset -c "$BENCH_SOURCE_CORE" "$BENCH_DIR/bench_mem_64b" -r "$1" -s "$2"
}
