# shellcheck shell=bash
#
# Bulk data over the loopback interface, IP protocol 132. The largest IP packet there has 65,535 bytes.
row_raw_lo()
{
    # shellcheck disable=SC2034 # stream.sh reads them
    local STREAM_SINK_ROOM=A STREAM_SINK_ADDRESS=127.0.0.1 STREAM_DEVICES=(A:lo)
    stream_lo_room &&
        bench_turns raw-lo "$1" "$2" \
            "stream_pair hawser epoll bench_stream_hawser" \
            "stream_pair usrsctp blocking bench_stream_usrsctp -p 9000" \
            "stream_pair limit epoll bench_bare_raw -H -p 65535" \
            "stream_tcp tcp" \
            "stream_without tso,gso,gro stream_tcp tcp-nooffload"
}
