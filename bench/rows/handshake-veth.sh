# shellcheck shell=bash
#
# Associations set up and gracefully ended between two processes over a veth, 64 at a time.
# Beside it hawser's libuv handles, which have no descriptor each.
row_handshake_veth()
{
    rooms_up 1500 &&
        bench_turns handshake-veth "$1" "$2" "knock_pair hawser epoll" "knock_pair usrsctp threads" \
            "knock_pair hawser-uv epoll"
}

# Usage: knock_figure ROLE KEY: from the line that the program of this role printed.
knock_figure()
{
    sed -n "s/^knock .* $2=\([0-9.]*\).*/\1/p" "$BENCH_LOGS/$1" | grep .
}

# Usage: knock_pair CONTENDER WAIT
knock_pair()
{
    local program=$BENCH_DIR/bench_knock_$1 server ended wall tx rx failed
    rooms_start B "$BENCH_LOGS/server" taskset -c "$BENCH_SINK_CORE" "$program" server 10.77.0.2
    server=$ROOMS_PID
    if ! knock_client "$program"; then
        rooms_stop "$server"
        return 1
    fi
    rooms_join 10 "$server" && ended=$(knock_figure client ended) &&
        wall=$(knock_figure client wall_s) && tx=$(knock_figure client cpu_s) &&
        rx=$(knock_figure server cpu_s) && failed=$(knock_figure client failed) || return 1
    awk -v row="$BENCH_ROW" -v place="$BENCH_PLACE" -v who="$1" -v wait="$2" -v ended="$ended" \
        -v wall="$wall" -v tx="$tx" -v rx="$rx" -v failed="$failed" 'BEGIN {
            printf "round row=%s layer=sockets place=%s wait=%s unit=k/s contender=%s", row, place,
                wait, who
            printf " value=%.4f bytes=0 wall_s=%s cpu_s=%.4f tx_cpu_s=%s rx_cpu_s=%s failed=%s\n",
                ended / wall / 1e3, wall, tx + rx, tx, rx, failed
        }'
}

# Usage: knock_client PROGRAM; its exit code is the client's.
knock_client()
{
    rooms_wait_line 10 "$BENCH_LOGS/server" '^listening' || return 1
    rooms_start A "$BENCH_LOGS/client" taskset -c "$BENCH_SOURCE_CORE" "$1" client 10.77.0.2 \
        "$BENCH_SECONDS"
    rooms_join 60 "$ROOMS_PID"
}
