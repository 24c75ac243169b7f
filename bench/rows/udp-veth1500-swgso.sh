# shellcheck shell=bash
#
# Bulk data over a veth of MTU 1500, in UDP (RFC 6951), whose trains the device has the kernel cut:
# every packet crosses alone. GRO as it is by default.
row_udp_veth1500_swgso()
{
    rooms_up 1500 && stream_offloads off tx-udp-segmentation &&
        bench_turns udp-veth1500-swgso "$1" "$2" \
            "stream_pair hawser epoll bench_stream_hawser -u" \
            "stream_pair usrsctp blocking bench_stream_usrsctp -u" \
            "stream_pair limit epoll bench_bare_udp -p 1500" \
            "stream_without tso stream_tcp tcp"
}
