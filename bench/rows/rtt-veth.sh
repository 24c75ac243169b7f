# shellcheck shell=bash
#
# Messages of 64 bytes to and fro over a veth, IP protocol 132, one at a time, blocking calls.
row_rtt_veth()
{
    # shellcheck source=bench/latency.sh disable=SC2154
    . "$root/bench/latency.sh"
    rooms_up 1500 &&
        bench_turns rtt-veth "$1" "$2" \
            "latency_rtt hawser blocking bench_latency_hawser" \
            "latency_rtt hawser-spin spin bench_latency_hawser -b" \
            "latency_rtt usrsctp blocking bench_latency_usrsctp" \
            "latency_rtt limit blocking bench_latency_bare" \
            "latency_rtt limit-spin spin bench_latency_bare -b"
}
