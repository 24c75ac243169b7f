# shellcheck shell=bash
#
# Captures of a room's interface, and their check by a dissector that shares no code with us. Source
# rooms.sh first.
#
#   capture_start ROOM INTERFACE FILE.pcapng      capture_stop
#   capture_check FILE [-d DECODE..]              counts, and a verdict
#
# The check sees what is wrong on the wire only if the wire is captured:
# - Raw sockets have no offload: each packet is captured as it was built. The same holds for UML's
#   TAP (its SCTP computes every CRC32c itself, the driver offers no offload for it).
# - UDP sent with UDP_SEGMENT crosses a veth as one large packet, several SCTP packets in a row, which
#   a dissector takes for one malformed packet. Capture UDP with capture_whole_packets.

CAPTURE_PID=
CAPTURE_PREFS=(-n -o 'sctp.checksum:CRC 32c' -o 'sctp.reassembly:FALSE' -o 'ip.defragment:FALSE')
# The experimental protocols and the UDP ports in use carry SCTP, which the dissector cannot know.
CAPTURE_DECODE=(-d 'ip.proto==253,sctp' -d 'ip.proto==254,sctp' -d 'udp.port==9899,sctp')

capture_start()
{
    local room=$1 interface=$2 file=$3
    rooms_start "$room" "$file.log" dumpcap -q -i "$interface" -B 64 -w "$file"
    CAPTURE_PID=$ROOMS_PID
    rooms_wait_line 10 "$file.log" '^File:' && return 0
    rooms_say "dumpcap does not start: $(tail -n 2 "$file.log")"
    return 1
}

# dumpcap writes its last block when asked to end.
capture_stop()
{
    rooms_stop "$CAPTURE_PID" 10
}

# Makes the kernel cut segmentation trains before the interface, so that a capture shows packets.
# Usage: capture_whole_packets ROOM INTERFACE
capture_whole_packets()
{
    rooms_run "$1" ip link set "$2" gso_max_segs 1
}

# One line per SCTP packet or damaged frame: frame number, checksum status (0 bad, 1 good), and a
# column for each kind of damage, empty when there is none. Packets quoted by ICMP are cut short by
# nature and stay out of it.
capture_fields()
{
    local file=$1
    shift
    tshark "${CAPTURE_PREFS[@]}" "${CAPTURE_DECODE[@]}" "$@" -r "$file" \
        -Y '(sctp || _ws.malformed || _ws.short) && !icmp && !icmpv6' \
        -T fields -E separator=';' -E occurrence=f -e frame.number -e sctp.checksum.status \
        -e _ws.malformed -e _ws.short -e sctp.chunk_length.bad -e sctp.parameter_length.bad \
        -e sctp.sack_gap_block_malformed 2>/dev/null
}

# Prints counts and the first bad frames' numbers; fails on any, and on a capture without a single
# verified SCTP packet, which would prove nothing.
capture_check()
{
    capture_fields "$@" | awk -F';' '
        { all++ }
        $2 == 1 { good++ }
        $2 != 1 { bad++ }
        $3 $4 $5 $6 $7 != "" { malformed++ }
        ($2 != 1 || $3 $4 $5 $6 $7 != "") && shown++ < 5 { frames = frames " " $1 }
        END {
            printf "capture packets=%d good=%d bad_checksum=%d malformed=%d%s\n", all, good, bad,
                malformed, frames ? " frames:" frames : ""
            exit !(all && good == all && !malformed)
        }'
}

# Proves that the check sees damage: in FILE, a good capture, bits are turned in DIR/damaged.pcapng;
# DIR/cut.pcapng is cut short; DIR/length.pcap has a chunk that is longer than its packet.
capture_prove()
{
    local file=$1 dir=$2
    editcap -r "$file" "$dir/good.pcapng" 1-200
    editcap --seed 7 -o 34 -E 0.001 "$dir/good.pcapng" "$dir/damaged.pcapng" 2>/dev/null
    editcap -s 50 "$dir/good.pcapng" "$dir/cut.pcapng"
    echo '0000 13 88 13 89 00 00 00 01 00 00 00 00 06 00 00 40 00 0c 00 10' |
        text2pcap -q -i 132 -4 10.77.0.1,10.77.0.2 - "$dir/length.pcap" 2>/dev/null
    capture_check "$dir/good.pcapng" || return 1
    local bad
    for bad in damaged.pcapng cut.pcapng length.pcap; do
        if capture_check "$dir/$bad"; then
            rooms_say "the check does not see what is wrong in $bad"
            return 1
        fi
    done
}
