# shellcheck shell=bash
#
# Bulk data over a veth of MTU 1500, IP protocol 132, by AF_PACKET sockets.
row_packet_veth1500()
{
    rooms_up 1500 &&
        bench_turns packet-veth1500 "$1" "$2" \
            "stream_pair hawser epoll bench_stream_hawser -l packet" \
            "stream_pair usrsctp blocking bench_stream_usrsctp" \
            "stream_pair limit epoll bench_bare_packet -p 1500" \
            "stream_tcp tcp" \
            "stream_without tso,gso,gro stream_tcp tcp-nooffload"
}
