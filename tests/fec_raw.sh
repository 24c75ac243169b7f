#!/usr/bin/env bash
# fec over raw sockets between two network namespaces that lose 2 % of the packets, beside standard
# SCTP on the same wire: the same file comes over both, fec repairs packets, and fewer DATA chunks
# are sent again. Latencies are printed and decide nothing.
# Usage: fec_raw.sh SOURCE_DIR LATENCY_PROGRAM
set -euo pipefail

source_dir=$1
tool=$2

. "$source_dir/tests/checks.sh"
enter_rooms "$@"
. "$source_dir/interop/side_by_side.sh"

rooms_up
head -c 2500000 /dev/urandom >"$work/file"
side_begin "$tool" "$work" "$work/file" 2 1000 || give_up "an end failed"
for protocol in 132 253; do
    side_same "$protocol" "$work/file" || give_up "protocol $protocol: another file came"
    echo "protocol $protocol: $(side_of "$protocol" send retransmits) DATA chunks again," \
        "p99 $(side_of "$protocol" recv p99_us) us, $(side_of "$protocol" send bytes_out) bytes sent"
done
repaired=$(side_of 253 recv ext_repaired)
[ "$repaired" -gt 0 ] || give_up "nothing was repaired"
[ "$(side_of 132 recv ext_repaired)" -eq 0 ] || give_up "standard SCTP was repaired"
[ "$(side_of 253 send retransmits)" -lt "$(side_of 132 send retransmits)" ] ||
    give_up "fec sent as many DATA chunks again"
echo "ok    fec repaired $repaired DATA chunks"
