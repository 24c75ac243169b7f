# shellcheck shell=bash
#
# Bulk data over a veth of MTU 1500, IP protocol 132, by AF_PACKET sockets, and by AF_XDP ones where
# programs of XDP may be loaded: a user namespace does not allow that.
row_packet_veth1500()
{
    local xdp=("stream_pair hawser-xdp epoll bench_stream_hawser -l xdp")
    ! rooms_in_user_namespace || xdp=()
    rooms_up 1500 &&
        bench_turns packet-veth1500 "$1" "$2" \
            "stream_pair hawser epoll bench_stream_hawser -l packet" \
            "${xdp[@]}" \
            "stream_pair usrsctp blocking bench_stream_usrsctp" \
            "stream_pair limit epoll bench_bare_packet -p 1500" \
            "stream_tcp tcp" \
            "stream_without tso,gso,gro stream_tcp tcp-nooffload"
}
