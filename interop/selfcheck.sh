#!/bin/bash
#
# Proves the rooms and the peers without hawser: usrsctp against the Linux kernel (user-mode Linux),
# the packaged usrsctp programs against each other, loss, and the check of captures.
# Usage: selfcheck.sh [PEERS_DIR]    as root, or: unshare -Urnm interop/selfcheck.sh
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/rooms.sh"
. "$here/uml/uml.sh"
. "$here/peers/peers.sh"
. "$here/usrsctp.sh"
. "$here/capture.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/hws-selfcheck-XXXXXX")
failed=0
case_number=0

finish()
{
    uml_down
    rooms_down
    rm -rf "$work" ${PEERS_LOGS:+"$PEERS_LOGS"}
}
trap finish EXIT

# Usage: row CASE VERDICT BYTES SECONDS
row()
{
    [ "$2" = pass ] || failed=1
    awk -v name="$1" -v verdict="$2" -v bytes="$3" -v seconds="$4" 'BEGIN {
        printf "%-50s %10d %8.3f %8.1f  %s\n", name, bytes, seconds,
            (seconds > 0 ? bytes * 8 / seconds / 1e6 : 0), verdict }'
}

# The value of a key in a peer's result line.
value()
{
    sed -n "s/.* $1=\([^ ]*\).*/\1/p" <<<"$2"
}

# Usage: transfer CASE FROM TO HOST [SOURCE-OPTIONS [SINK-OPTIONS]]
transfer()
{
    local name=$1 from=$2 to=$3 host=$4 result verdict=pass sink
    local -a source_options sink_options
    read -ra source_options <<<"${5:-}"
    read -ra sink_options <<<"${6:-}"
    case_number=$((case_number + 1))
    sink=sink$case_number
    peer_sink_start "$sink" "$to" "${sink_options[@]}" || verdict=FAIL
    result=$(peer_source_result "$from" "$host") || verdict=FAIL
    peer_join "$sink" 20 >/dev/null || verdict=FAIL
    [ "$(sha256sum <"$PEER_FILE")" = "$sum" ] || verdict=FAIL
    rm -f "$PEER_FILE"
    row "$name" "$verdict" "$(value bytes "$result")" "$(value seconds "$result")"
}

# Reads source_options of its caller.
peer_source_result()
{
    peer_source "source$case_number" "$1" "$2" "$file" "${source_options[@]}"
}

tsctp_case()
{
    local length=$1 messages verdict=pass figures
    shift
    messages=$((size / length))
    usrsctp_tsctp_server B "$work/tsctp$length.server" "${@:1:2}"
    local server=$ROOMS_PID
    usrsctp_tsctp_client A "$work/tsctp$length" 10.77.0.2 "$messages" "$length" "${@:3}" \
        >/dev/null || verdict=FAIL
    figures=$(usrsctp_tsctp_result "$work/tsctp$length.server") || verdict=FAIL
    rooms_stop "$server"
    [ "${figures% *}" = "$((messages * length))" ] || verdict=FAIL
    row "tsctp to tsctp, 132, IPv4, messages of $length" "$verdict" "${figures% *}" "${figures#* }"
}

packaged_servers()
{
    local pid result verdict=pass
    usrsctp_echo_start B "$work/echo"
    pid=$ROOMS_PID
    seq -f 'line %g of a text for the echo' 1000 >"$work/text"
    usrsctp_client A "$work/client" "$work/text" fd77::2 7 yes || verdict=FAIL
    row 'client to echo_server, 132, IPv6, text' "$verdict" "$(stat -c %s "$work/text")" 0
    verdict=pass
    result=$(PEERS_PORT=7 peer_source echo A 10.77.0.2 "$file" -m 10000 -r "$work/back") ||
        verdict=FAIL
    [ "$(sha256sum <"$work/back")" = "$sum" ] || verdict=FAIL
    rm "$work/back"
    row 'usrsctp to echo_server and back, 132, IPv4' "$verdict" "$size" "$(value seconds "$result")"
    rooms_stop "$pid"

    verdict=pass
    usrsctp_discard_start B "$work/discard" 9899
    pid=$ROOMS_PID
    result=$(PEERS_PORT=9 peer_source discard A fd77::2 "$file" -E 9899) || verdict=FAIL
    rooms_wait 5 usrsctp_has_received "$work/discard" "$size" || verdict=FAIL
    row 'usrsctp to discard_server, UDP, IPv6' "$verdict" "$size" "$(value seconds "$result")"
    rooms_stop "$pid"
}

lossy()
{
    rooms_loss 1
    transfer 'usrsctp to usrsctp, 132, IPv4, 1 % loss' A B 10.77.0.2
    local a b verdict=pass
    a=$(rooms_dropped A)
    b=$(rooms_dropped B)
    [ "$a" -gt 0 ] && [ "$b" -gt 0 ] || verdict=FAIL
    echo "  dropped in A: $a, in B: $b"
    row 'packets were dropped in both rooms' "$verdict" 0 0
    rooms_noloss
}

captured()
{
    local verdict=pass
    capture_start U tap0 "$work/guest.pcapng"
    transfer 'usrsctp to kernel, 132, IPv4, captured' U guest 10.77.1.2
    capture_stop
    capture_check "$work/guest.pcapng" || verdict=FAIL
    row 'no bad checksum, no malformed packet' "$verdict" 0 0
    verdict=pass
    capture_prove "$work/guest.pcapng" "$work" || verdict=FAIL
    row 'damaged captures are recognized' "$verdict" 0 0
}

if [ $# -gt 0 ]; then
    PEERS_DIR=$(cd "$1" && pwd)
else
    peers_build "$work/build"
fi
usrsctp_need
rooms_up
rooms_tap_up
start=$EPOCHREALTIME
uml_up "$PEERS_DIR"
awk -v a="$start" -v b="$EPOCHREALTIME" \
    'BEGIN { printf "user-mode Linux is up after %.1f s\n", b - a }'
file=$work/file
head -c 67108864 /dev/urandom >"$file"
size=$(stat -c %s "$file")
sum=$(sha256sum <"$file")

printf '%-50s %10s %8s %8s  %s\n' case bytes seconds Mbit/s verdict
transfer 'usrsctp to kernel, 132, IPv4' U guest 10.77.1.2
transfer 'usrsctp to kernel, 132, IPv6' U guest fd77:0:0:1::2
transfer 'kernel to usrsctp, 132, IPv4' guest U 10.77.1.1
transfer 'kernel to usrsctp, 132, IPv6' guest U fd77:0:0:1::1
transfer 'usrsctp to kernel, UDP, IPv4' U guest 10.77.1.2 '-E 9900'
transfer 'kernel to usrsctp, UDP, IPv6' guest U fd77:0:0:1::1 '-E 9899' '-E 9899'
transfer 'usrsctp to usrsctp, 132, IPv4' A B 10.77.0.2
transfer 'usrsctp to usrsctp, UDP, IPv6' A B fd77::2 '-E 9900' '-E 9899'
tsctp_case 1024 -E 0 -E 0
tsctp_case 8192 -E 0 -E 0
tsctp_case 65536 -E 0 -E 0
packaged_servers
lossy
captured
exit "$failed"
