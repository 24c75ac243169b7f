# shellcheck shell=bash
#
# Bulk data over a veth of MTU 1500, in UDP (RFC 6951), the veth's offloads as they are by default.
row_udp_veth1500()
{
    rooms_up 1500 &&
        bench_turns udp-veth1500 "$1" "$2" \
            "stream_pair hawser epoll bench_stream_hawser -u" \
            "stream_pair usrsctp blocking bench_stream_usrsctp -u" \
            "stream_pair limit epoll bench_bare_udp -p 1500" \
            "stream_tcp tcp" \
            "stream_without tso,gso,gro stream_tcp tcp-nooffload"
}
