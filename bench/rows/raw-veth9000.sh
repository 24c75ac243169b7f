# shellcheck shell=bash
#
# Bulk data over a veth of MTU 9000, IP protocol 132.
row_raw_veth9000()
{
    rooms_up 9000 &&
        bench_turns raw-veth9000 "$1" "$2" \
            "stream_pair hawser epoll bench_stream_hawser" \
            "stream_pair usrsctp blocking bench_stream_usrsctp -p 8980" \
            "stream_pair limit epoll bench_bare_raw -p 9000" \
            "stream_tcp tcp" \
            "stream_without tso,gso,gro stream_tcp tcp-nooffload"
}
