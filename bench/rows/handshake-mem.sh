# shellcheck shell=bash
#
# Associations set up and gracefully ended, 64 at a time, both ends in one thread.
row_handshake_mem()
{
    taskset -c "$BENCH_SOURCE_CORE" "$BENCH_DIR/bench_handshake_mem" -r "$1" -s "$2"
}
