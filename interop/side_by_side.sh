# shellcheck shell=bash
#
# Standard SCTP on 132 and the profile of 253, which has fec on, beside each other on one wire that
# loses packets: each sends the same file as messages at a steady rate, and tells how late each
# message came. Source rooms.sh first.
#
#   side_begin TOOL DIR FILE PERCENT MESSAGES_PER_S     both at once, until both have ended
#   side_of PROTOCOL recv|send COUNTER                  what was told: p99_us, retransmits, ...
#   side_same PROTOCOL FILE                             whether the file that came is the same one
#
# What each of them prints is in DIR.

SIDE_DIR=
SIDE_MESSAGE_BYTES=1000

side_of()
{
    awk -v name="$3" '$1 == name { print $2 }' "$SIDE_DIR/$1-$2.log"
}

side_same()
{
    [ "$(sha256sum <"$2")" = "$(sha256sum <"$SIDE_DIR/$1.data")" ]
}

side_begin()
{
    local tool=$1 file=$3 percent=$4 rate=$5 protocol code=0
    local -a receivers=() senders=()
    SIDE_DIR=$2
    rooms_loss "$percent" || return 1
    for protocol in 132 253; do
        rooms_start B "$SIDE_DIR/$protocol-recv.log" "$tool" recv "$protocol" 7000 "$SIDE_DIR/$protocol.data"
        receivers+=("$ROOMS_PID")
        rooms_wait 10 rooms_run B grep -q "@hawser/port/$protocol/7000\$" /proc/net/unix || return 1
    done
    for protocol in 132 253; do
        rooms_start A "$SIDE_DIR/$protocol-send.log" "$tool" send "$protocol" 7000 "$file" \
            10.77.0.2 "$SIDE_MESSAGE_BYTES" "$rate"
        senders+=("$ROOMS_PID")
    done
    for protocol in "${senders[@]}" "${receivers[@]}"; do
        rooms_join 180 "$protocol" || code=$?
    done
    rooms_noloss
    return "$code"
}
