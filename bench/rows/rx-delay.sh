# shellcheck shell=bash
#
# How long messages of 200 bytes, 20,000 a second, take from the kernel's receive timestamp to the
# application, over a veth, IP protocol 132.
row_rx_delay()
{
    # shellcheck source=bench/latency.sh disable=SC2154
    . "$root/bench/latency.sh"
    rooms_up 1500 &&
        bench_turns rx-delay "$1" "$2" \
            "latency_delay hawser blocking bench_latency_hawser" \
            "latency_delay hawser-spin spin bench_latency_hawser -b" \
            "latency_delay limit blocking bench_latency_bare" \
            "latency_delay limit-spin spin bench_latency_bare -b"
}
