# shellcheck shell=bash
#
# Bulk data over a veth of MTU 1500, IP protocol 132, by AF_PACKET sockets, and by AF_XDP ones where
# programs of XDP may be loaded: a user namespace does not allow that. Each has its bare part.
row_packet_veth1500()
{
    local xdp=() xdp_bare=() why
    if why=$(no_xdp); then
        printf 'bench: packet-veth1500: without hawser-xdp and limit-xdp: %s\n' "$why" >&2
    else
        xdp=("stream_pair hawser-xdp epoll bench_stream_hawser -l xdp")
        xdp_bare=("stream_pair limit-xdp epoll bench_bare_xdp -p 1500")
    fi
    rooms_up 1500 &&
        bench_turns packet-veth1500 "$1" "$2" \
            "stream_pair hawser epoll bench_stream_hawser -l packet" \
            "${xdp[@]}" \
            "stream_pair usrsctp blocking bench_stream_usrsctp" \
            "stream_pair limit epoll bench_bare_packet -p 1500" \
            "${xdp_bare[@]}" \
            "stream_tcp tcp" \
            "stream_without tso,gso,gro stream_tcp tcp-nooffload"
}

# Whether AF_XDP cannot be had; prints why.
no_xdp()
{
    if [ ! -x "$BENCH_DIR/bench_bare_xdp" ]; then
        echo "libxdp was not there to build with"
    elif rooms_in_user_namespace; then
        echo "a user namespace may not load programs of XDP"
    else
        return 1
    fi
}
