#!/usr/bin/env bash
# fec over raw sockets between two network namespaces that lose 2 % of the packets, beside standard
# SCTP on the same wire: the same file comes over both, fec repairs packets, and fewer DATA chunks
# are sent again. Latencies are printed and decide nothing.
# Usage: fec_raw.sh SOURCE_DIR LATENCY_PROGRAM
set -euo pipefail

source_dir=$1
tool=$2

# Runs this script again where it may make namespaces.
if [ "$(id -u)" -ne 0 ] && [ -z "${HWS_EXTENSIONS_INSIDE:-}" ]; then
    unshare -Urnm true 2>/dev/null || { echo "SKIP: no network namespace can be made here"; exit 77; }
    HWS_EXTENSIONS_INSIDE=1 exec unshare -Urnm "$0" "$@"
fi

. "$source_dir/interop/rooms.sh"
. "$source_dir/interop/side_by_side.sh"
work=$(mktemp -d)
finish()
{
    rooms_down
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail()
{
    echo "FAIL  $*"
    cat "$work"/*.log
    exit 1
}

rooms_up
head -c 2500000 /dev/urandom >"$work/file"
side_begin "$tool" "$work" "$work/file" 2 1000 || fail "an end failed"
for protocol in 132 253; do
    side_same "$protocol" "$work/file" || fail "protocol $protocol: another file came"
    echo "protocol $protocol: $(side_of "$protocol" send retransmits) DATA chunks again," \
        "p99 $(side_of "$protocol" recv p99_us) us, $(side_of "$protocol" send bytes_out) bytes sent"
done
repaired=$(side_of 253 recv ext_repaired)
[ "$repaired" -gt 0 ] || fail "nothing was repaired"
[ "$(side_of 132 recv ext_repaired)" -eq 0 ] || fail "standard SCTP was repaired"
[ "$(side_of 253 send retransmits)" -lt "$(side_of 132 send retransmits)" ] ||
    fail "fec sent as many DATA chunks again"
echo "ok    fec repaired $repaired DATA chunks"
