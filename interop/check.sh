#!/bin/bash
#
# hawser against the other stacks, with small files and every packet captured: the dissector must
# find no malformed packet and no bad checksum. Beside it, in rooms of their own, transfers over two
# links of which one fails (multipath.sh). What the machine does not allow is skipped, and said.
# Usage: check.sh BUILD_DIR     as root, or: unshare -Urnm interop/check.sh BUILD_DIR
# Exit code: 0 all passed, 77 something was skipped (1 when CI=true), 1 something failed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
for part in rooms uml/uml peers/peers usrsctp capture hawser cases packaged answers restart table flows; do
    . "$here/$part.sh"
done

HAWSER=$(cd "$1" && pwd)/cli/hawser
PEERS_DIR=$(cd "$1" && pwd)/interop
FILE_SIZE=3000000
LONG_FILE_SIZE=40000000
work=$(mktemp -d "${TMPDIR:-/tmp}/hws-check-XXXXXX")
skipped=0

finish()
{
    table_abandon
    uml_down
    rooms_down
    table_clean "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Usage: have WHAT CMD..: whether CMD succeeds; when not, what it says is why WHAT is skipped.
have()
{
    local what=$1
    shift
    "$@" 2>"$work/why" && return 0
    printf 'SKIP: %s: %s\n' "$what" "$(tail -n 1 "$work/why")"
    skipped=1
    return 1
}

have_capture()
{
    local tool
    for tool in dumpcap tshark; do
        command -v "$tool" >/dev/null || { rooms_say "$tool is not installed (Debian: tshark)"; return 1; }
    done
}

have_usrsctp()
{
    usrsctp_need || return 1
    [ ! -x "$PEERS_DIR/usrsctp_peer" ] || return 0
    rooms_say "the usrsctp peer is not built (Debian: libusrsctp-dev)"
    return 1
}

# Usage: captured ROOM INTERFACE CASE..: a case, and the check of all that crossed the interface.
captured()
{
    local room=$1 interface=$2 file=$CASE_DIR/wire.pcapng code=0 counts
    shift 2
    "$capture" || { "$@"; return; }
    capture_start "$room" "$interface" "$file" || case_fail 'no capture' || return 1
    "$@" || code=$?
    capture_stop
    counts=$(capture_check "$file") || case_fail "$counts" || code=1
    return "$code"
}

# hawser's own capture is as good as one from the wire.
own_capture()
{
    local counts
    case_hawser "$1" "$2" --pcap "$CASE_DIR/own.pcapng" || return 1
    ! "$capture" || counts=$(capture_check "$CASE_DIR/own.pcapng") || case_fail "$counts"
}

hawser_and_hawser()
{
    local link family
    for link in 132 253 udp; do
        for family in 4 6; do
            table_row "hawser to hawser, $link, IPv$family" captured A va case_hawser "$link" "$family"
        done
        table_row "hawser to hawser, $link, its own capture" own_capture "$link" 4
    done
    table_row "hawser to hawser, 254, IPv6, 2 % loss" captured A va case_lossy 2 case_hawser 254 6
    for family in 4 6; do
        table_row "hawser ping to hawser, IPv$family" captured A va case_ping_hawser "$family"
        table_row "hawser's listener killed, hawser survives, IPv$family" \
            captured A va case_hawser_restarts hawser "$family"
    done
    ! have 'nmap' need_nmap || hawser_and_nmap
}

need_xdp()
{
    ! rooms_in_user_namespace || { rooms_say "no XDP program can be loaded in a user namespace"; return 1; }
    rooms_run A "$HAWSER" doctor | grep 'link xdp .* can be used' >/dev/null ||
        { rooms_say "hawser doctor says why AF_XDP cannot be used"; return 1; }
}

# What XDP takes no capture sees. No loss for it: its program comes before everything that could drop
# packets.
hawser_over_xdp()
{
    local family
    for family in 4 6; do
        table_row "hawser to hawser, xdp, IPv$family" case_hawser xdp "$family"
    done
    ! have 'usrsctp' have_usrsctp || table_row "hawser to usrsctp, xdp, IPv4" case_to_peer B xdp 4
    ! have 'usrsctp' have_usrsctp || table_row "usrsctp to hawser, xdp, IPv6" case_from_peer B xdp 6
}

hawser_over_packet()
{
    local family
    for family in 4 6; do
        table_row "hawser to hawser, packet, IPv$family" captured A va case_hawser packet "$family"
    done
    table_row "hawser to hawser, packet, its own capture" own_capture packet 4
    table_row "hawser to hawser, packet, IPv6, 2 % loss" \
        captured A va case_lossy 2 case_hawser packet 6
}

hawser_and_nmap()
{
    local family
    for family in 4 6; do
        table_row "nmap -sY, IPv$family" case_nmap "$family" filtered
        table_row "nmap -sY, IPv$family, --own-host" case_nmap "$family" closed --own-host
    done
}

hawser_and_usrsctp()
{
    local link family
    for link in 132 packet udp; do
        for family in 4 6; do
            table_row "hawser to usrsctp, $link, IPv$family" \
                captured A va case_to_peer B "$link" "$family"
            table_row "usrsctp to hawser, $link, IPv$family" \
                captured A va case_from_peer B "$link" "$family"
        done
    done
    for family in 4 6; do
        table_row "hawser ping to usrsctp, IPv$family" \
            captured A va case_ping_peer B "$family" 'no answer'
        table_row "two of hawser and usrsctp side by side, IPv$family" \
            captured A va case_side_by_side "$family"
        table_row "usrsctp killed and back, IPv$family" captured A va case_peer_restarts B "$family"
        table_row "hawser's listener killed, usrsctp survives, IPv$family" \
            captured A va case_hawser_restarts B "$family"
    done
    table_row "hawser to echo_server and back, 132, IPv4" captured A va case_echo_server 132 4
    table_row "client to hawser echo and back, udp, IPv6" captured A va case_client udp 6
    table_row "usrsctp to hawser, packet, IPv4, 2 % loss" \
        captured A va case_lossy 2 case_from_peer B packet 4
    table_row "hawser to usrsctp, 132, IPv4, 2 % loss" captured A va case_lossy 2 case_to_peer B 132 4
    table_row "usrsctp to hawser, 132, IPv6, 2 % loss" captured A va case_lossy 2 case_from_peer B 132 6
}

hawser_and_kernel()
{
    local link family
    for link in 132 packet udp; do
        for family in 4 6; do
            table_row "hawser to Linux kernel, $link, IPv$family" \
                captured U tap0 case_to_peer guest "$link" "$family"
            table_row "Linux kernel to hawser, $link, IPv$family" \
                captured U tap0 case_from_peer guest "$link" "$family"
        done
    done
    for family in 4 6; do
        table_row "hawser ping to Linux kernel, IPv$family" \
            captured U tap0 case_ping_peer guest "$family" closed
        table_row "hawser's listener killed, Linux kernel survives, IPv$family" \
            captured U tap0 case_hawser_restarts guest "$family"
        table_row "Linux kernel killed and back, IPv$family" \
            captured U tap0 case_peer_restarts guest "$family"
    done
}

multipath()
{
    local peer
    head -c "$LONG_FILE_SIZE" /dev/urandom >"$work/long.data"
    for peer in rooms guest; do
        [ "$peer" != guest ] || have 'Linux kernel, two links' uml_need "$PEERS_DIR" || continue
        stories_start "$1" "$work/long.data" "$peer"
    done
}

run_cases()
{
    ! have 'usrsctp, two links' have_usrsctp || multipath "$1"
    capture_whole_packets A va
    capture_whole_packets B vb
    hawser_and_hawser
    hawser_over_packet
    ! have 'AF_XDP' need_xdp || hawser_over_xdp
    ! have 'usrsctp' have_usrsctp || hawser_and_usrsctp
    ! have 'Linux kernel' rooms_tap_up || ! have 'Linux kernel' uml_up "$PEERS_DIR" || hawser_and_kernel
    table_join
}

capture=true
have 'captures' have_capture || capture=false
head -c "$FILE_SIZE" /dev/urandom >"$work/file.data"
cases_file "$work/file.data"
table_begin "$work"
! have 'all of it' rooms_up || run_cases "$(cd "$1" && pwd)"
table_end
if [ "$skipped" -ne 0 ]; then
    [ "${CI:-}" != true ] || { echo 'CI=true: nothing may be skipped'; exit 1; }
    exit 77
fi
