#!/usr/bin/env bash
# `hawser dump`: what it captures is what was sent, packet by packet, over IP and UDP; what it writes
# it reads again, as does tshark; what is wrong with packets and files is said. tshark knows the
# protocols 253 and 254, and the chunks of extensions, by the plug-in alone.
# Usage: dump.sh PROGRAM PLUGIN
set -euo pipefail

hawser=$1
plugin=$2
. "$(dirname "$0")/checks.sh"

# Usage: fails CODE PATTERN ARGUMENT..: dump ends with the code and says so.
fails()
{
    local code=$1 pattern=$2 got=0
    shift 2
    "$hawser" dump "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
    [ "$got" -eq "$code" ] && grep -q -- "$pattern" "$work/err"
}

# Usage: start_dump NAME ARGUMENT..: captures in the background, in $dump, until stop_dump.
start_dump()
{
    local name=$1
    shift
    "$hawser" dump -l "$@" >"$work/$name.lines" 2>"$work/$name.err" &
    dump=$!
    wait_for "$work/$name.err" '^hawser: capturing on'
}

# Usage: stop_dump SIGNAL
stop_dump()
{
    local code=0
    kill "-$1" "$dump"
    wait "$dump" || code=$?
    check "dump ends by $1: exit code" [ "$code" -eq 0 ]
}

# Usage: transfer NAME HOST OPTION..: 100,000 bytes; the connector's trace is NAME.trace.
transfer()
{
    local name=$1 host=$2 listener
    shift 2
    "$hawser" cat -l 5000 "$@" --trace "$work/listener.trace" </dev/null >"$work/$name.out" &
    listener=$!
    wait_for_listener "$@"
    "$hawser" cat "$host" 5000 "$@" --trace "$work/$name.trace" <"$work/input"
    wait "$listener"
}

# The listener has its port when another one cannot have it.
wait_for_listener()
{
    local try
    for ((try = 0; try < 400; try++)); do
        ! grep -q '@hawser\|@hws' /proc/net/unix || return 0
        ! grep -q ':26AB ' /proc/net/udp /proc/net/udp6 || return 0
        sleep 0.05
    done
}

# A line without its time and way, in no order: what is on its way when the other side sends is traced
# in another order than it is captured.
packets()
{
    cut -d' ' -f3- "$@" | sed 's/^ *//' | sort
}

# The trace does not know its own address until the network has chosen it, dump sees it.
same_packets()
{
    diff <(packets "$1" | sed 's/^any >/ADDR >/; s/^[^ ]* >/ADDR >/') \
        <(packets "$2" | sed 's/^[^ ]* >/ADDR >/')
}

# Usage: file_of NAME LINKTYPE < HEX: a capture of one packet, written by a program that is not ours.
file_of()
{
    { echo -n "0000 "; tr -d '\n'; echo; } | text2pcap -q -l "$2" - "$work/$1" 2>/dev/null ||
        { echo "text2pcap cannot make $1"; return 1; }
}

says()
{
    grep -qF -- "$2" <<<"$("$hawser" dump -r "$work/$1" 2>&1)" ||
        { "$hawser" dump -r "$work/$1" || :; return 1; }
}

test_usage()
{
    check "a file or an interface" fails 2 'exclude each other' -r x -i lo
    check "operands" fails 2 "takes no operand, and there is 'eth0'" eth0
    check "no such interface" fails 1 'no interface "none"' -i none
    check "no such file" fails 1 'No such file' -r "$work/none"
    check "not a capture" fails 1 'no capture file' -r "$0"
    check "a host's name" fails 2 'no address' -r x --host localhost
    check "17 UDP ports" fails 2 '16 times' $(printf -- '--udp-port %d ' {1..17})
    check "a file that cannot be written" fails 1 'cannot write' -w "$work/none/file"
    if capsh --version >/dev/null 2>&1 || command -v setpriv >/dev/null; then
        check "without CAP_NET_RAW" without_capability
    fi
}

without_capability()
{
    ! setpriv --bounding-set -net_raw --inh-caps -net_raw "$hawser" dump 2>"$work/err" &&
        grep -q 'CAP_NET_RAW.*setcap' "$work/err"
}

# Usage: test_transfer NAME HOST OPTION..
test_transfer()
{
    local name=$1 host=$2
    start_dump "$name" -i lo -w "$work/$name.pcapng"
    transfer "$@"
    wait_for "$work/$name.lines" SHUTDOWN-COMPLETE
    : >/dev/udp/127.0.0.1/9 # not SCTP
    stop_dump INT
    check "$name: what was sent was captured" same_packets "$work/$name.trace" "$work/$name.lines"
    check "$name: nothing else" grep -q "^hawser: $(wc -l <"$work/$name.trace") packets, 0 dropped" \
        "$work/$name.err"
    "$hawser" dump -r "$work/$name.pcapng" >"$work/$name.again"
    check "$name: what was written is read" cmp "$work/$name.lines" "$work/$name.again"
    check "$name: tshark reads as many" [ "$(count_with_tshark "$work/$name.pcapng")" -eq \
        "$(wc -l <"$work/$name.trace")" ]
}

count_with_tshark()
{
    tshark -n -r "$1" -o 'sctp.checksum:CRC 32c' -d ip.proto==253,sctp -d udp.port==9899,sctp \
        -Y 'sctp.checksum.status == 1 && !_ws.malformed' 2>/dev/null | wc -l
}

test_filters()
{
    local all="$work/IPv4.pcapng"
    "$hawser" dump -r "$all" -c 3 >"$work/out"
    check "-c 3" [ "$(wc -l <"$work/out")" -eq 3 ]
    "$hawser" dump -r "$all" --port 5000 | cmp - "$work/IPv4.again"
    check "--port of all" [ "${PIPESTATUS[*]}" = "0 0" ]
    "$hawser" dump -r "$all" --port 4999 >"$work/out"
    check "--port of none" [ ! -s "$work/out" ]
    "$hawser" dump -r "$all" --host 127.0.0.1 >"$work/out"
    check "--host" grep -q '127.0.0.1 > 127.0.0.1' "$work/out"
    check "--host: no other" [ "$(grep -vc 127.0.0.1 "$work/out")" -eq 0 ]
    "$hawser" dump -r - -w - <"$all" >"$work/copy.pcapng"
    check "a copy by way of pipes" cmp "$all" "$work/copy.pcapng"
    "$hawser" dump -r "$work/UDP.pcapng" --udp-port 9898 >"$work/out"
    check "another UDP port" [ ! -s "$work/out" ]
    check "a full disk" fails_to_write
    cp "$all" "$work/copy.pcapng"
    check "no writing into what is read" fails 2 'copy.pcapng is to be read' -r "$work/copy.pcapng" \
        -w "$work/./copy.pcapng"
    check "and that is as it was" cmp "$all" "$work/copy.pcapng"
}

# Usage: with_plugin FILE ARGUMENT..; without_plugin the same
with_plugin()
{
    tshark -n -X "lua_script:$plugin" -o 'sctp.checksum:CRC 32c' -r "$work/$1" "${@:2}" 2>/dev/null
}

without_plugin()
{
    tshark -n -o 'sctp.checksum:CRC 32c' -r "$work/$1" "${@:2}" 2>/dev/null
}

test_plugin()
{
    local count over_253='ip.proto == 253 || ipv6.nxt == 253'
    count=$(wc -l <"$work/IPv4.trace")
    check "plug-in: 253 is SCTP, with right checksums" [ "$(with_plugin IPv4.pcapng \
        -Y "($over_253) && sctp.checksum.status == 1" | wc -l)" -eq "$count" ]
    check "plug-in: nothing is malformed" [ "$(with_plugin IPv4.pcapng -Y _ws.malformed | wc -l)" -eq 0 ]
    check "plug-in: the INIT parameter of an extension has a name, in INIT and INIT ACK" [ "$(
        with_plugin IPv4.pcapng -Y 'hawser.parameter == "fec"' | wc -l)" -eq 2 ]
    check "plug-in: a PARITY chunk for each that was sent" [ "$(with_plugin IPv4.pcapng \
        -Y 'hawser.chunk == "PARITY"' | wc -l)" -eq "$(grep -c PARITY "$work/IPv4.trace")" ]
    check "there were PARITY chunks" grep -q PARITY "$work/IPv4.lines"
    check "no plug-in: no chunk has a name" [ -z "$(without_plugin IPv4.pcapng -Y hawser.chunk)" ]
    check "no plug-in: 253 is not SCTP" [ "$(without_plugin IPv4.pcapng -Y sctp | wc -l)" -eq 0 ]
    check "no plug-in: but it is there" [ "$(without_plugin IPv4.pcapng -Y "$over_253" |
        wc -l)" -eq "$count" ]
}

fails_to_write()
{
    ! "$hawser" dump -r "$work/IPv4.pcapng" >/dev/full 2>"$work/err" && grep -q 'cannot write.*No space left' "$work/err"
}

# An interface that is down is waited for, and one that is gone is not.
test_interface()
{
    local code=0
    ip link add name d0 type veth peer name d1
    ip link set dev d1 up
    ip link set dev d0 up
    start_dump interface -i d0
    ip link set dev d0 down
    wait_for "$work/interface.err" 'd0 is down$'
    ip link set dev d0 up
    check "an interface that was down: it still captures" kill -0 "$dump"
    check "that it was down is said once" [ "$(grep -c 'is down$' "$work/interface.err")" -eq 1 ]
    ip link del dev d0
    wait_for "$work/interface.err" 'any more: No such device$' || kill "$dump"
    wait "$dump" || code=$?
    check "an interface that is gone: exit code" [ "$code" -eq 1 ]
}

# 20 bytes of IPv4 header, 192.0.2.1 to 192.0.2.2, without a right checksum.
# Usage: ipv4 LENGTH FLAGS_AND_OFFSET
ipv4()
{
    echo -n "45 00 $1 12 34 $2 40 84 ${3:-00 00} c0 00 02 01 c0 00 02 02"
}

test_damage()
{
    local cookie_ack="13 88 13 89 00 00 00 01 $1 0b 00 00 04"
    echo "$(ipv4 '00 24' '00 00') $cookie_ack" | file_of good.pcapng 101
    check "a bad checksum of IP" says good.pcapng 'COOKIE-ACK [bad IP checksum]'
    check "a checksum that is right" says good.pcapng "vtag=0x00000001: COOKIE-ACK [bad IP checksum]"
    echo "$(ipv4 '00 24' '00 00') ${cookie_ack/0b 00 00 04/0e 00 00 04}" | file_of bad.pcapng 101
    check "a bad checksum" says bad.pcapng 'SHUTDOWN-COMPLETE [bad checksum 0x'
    echo "$(ipv4 '00 1c' '20 03') aa bb cc dd ee ff 00 11" | file_of fragment.pcapng 101
    check "a fragment" says fragment.pcapng '192.0.2.1 > 192.0.2.2 proto=132 fragment id=0x1234 offset=24 len=8 more'
    echo "$(ipv4 '00 24' '20 00') $cookie_ack" | file_of first.pcapng 101
    check "the first fragment" says first.pcapng \
        'proto=132 5000>5001 vtag=0x00000001: fragment id=0x1234 offset=0 len=16 more'
    echo "$(ipv4 '01 24' '00 00') $cookie_ack" | file_of cut.pcapng 101
    check "a packet cut short" says cut.pcapng '[256 bytes not captured]'
    echo "02 00 00 00 00 01 02 00 00 00 00 02 81 00 00 05 08 00 $(ipv4 '00 24' '00 00') $cookie_ack" |
        file_of vlan.pcapng 1
    check "Ethernet with a VLAN tag" says vlan.pcapng 'COOKIE-ACK'
    echo "00 04 00 01 00 06 02 00 00 00 00 02 00 00 08 00 $(ipv4 '00 24' '00 00') $cookie_ack" |
        file_of sll.pcapng 113
    check "Linux's cooked capture, outgoing" says sll.pcapng 'Z out 192.0.2.1'
    echo "$(ipv4 '00 24' '00 00') $cookie_ack" | file_of unknown.pcapng 147
    check "an unknown link" says unknown.pcapng '1 packets of links whose headers are not known'
    editcap -F pcap "$work/good.pcapng" "$work/old.pcap"
    check "the older format" fails 1 'older format pcap' -r "$work/old.pcap"
    head -c 100 "$work/IPv4.pcapng" >"$work/short.pcapng"
    check "a file that ends early" fails 1 'ends early' -r "$work/short.pcapng"
}

# The CRC32c of a COOKIE ACK from port 5000 to 5001 with tag 1, as tshark computes it.
right_checksum()
{
    echo "$(ipv4 '00 24' '00 00') 13 88 13 89 00 00 00 01 00 00 00 00 0b 00 00 04" |
        file_of probe.pcapng 101
    tshark -r "$work/probe.pcapng" -o 'sctp.checksum:CRC 32c' -V 2>/dev/null |
        sed -n 's/.*incorrect, should be 0x\([0-9a-f]*\).*/\1/p' | sed 's/../& /g; s/ $//'
}

enter_namespace "$@"
for tool in tshark text2pcap editcap; do
    command -v "$tool" >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ip link set dev lo up
head -c 100000 /dev/urandom >"$work/input"
test_usage
test_interface
test_transfer IPv4 127.0.0.1 --proto 253
test_transfer IPv6 ::1 -6
test_transfer UDP 127.0.0.1 --udp
test_filters
test_plugin
checksum=$(right_checksum)
check "tshark tells the right checksum" [ -n "$checksum" ]
test_damage "$checksum"
echo "$failures failed"
[ "$failures" -eq 0 ]
