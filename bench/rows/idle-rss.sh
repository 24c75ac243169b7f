# shellcheck shell=bash
#
# Memory resident for an idle association, one end of it, beside its socket.
row_idle_rss()
{
    taskset -c "$BENCH_SOURCE_CORE" "$BENCH_DIR/bench_idle_rss" -r "$1" -s "$2"
}
