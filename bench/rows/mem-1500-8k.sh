# shellcheck shell=bash
#
# Both ends in one thread, joined in memory: bulk data of 8 KB messages, MTU 1500.
row_mem_1500_8k()
{
    taskset -c "$BENCH_SOURCE_CORE" "$BENCH_DIR/bench_mem_1500_8k" -r "$1" -s "$2"
}
