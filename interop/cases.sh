# shellcheck shell=bash
#
# What is transferred between hawser and whom, and how it is judged: a function for each kind of
# case. Source rooms.sh, uml/uml.sh, peers/peers.sh, usrsctp.sh and hawser.sh first.
#
# A case is called with $CASE_DIR, a directory of its own for data and logs, and $CASE_FILE, the file
# to transfer (its size and SHA-256 in CASE_SIZE and CASE_SUM; set them with cases_file FILE). It
# sets CASE_BYTES, CASE_SECONDS and CASE_RETRANSMITS (hawser's), and returns 0 when all is well, or
# says in CASE_WHY what is not. CASE_NOTE is for what the row has to tell beside.
#
# LINK is one of hawser.sh; FAMILY is 4 or 6; PEER is B for usrsctp in room B, opposite to hawser
# in room A, or `guest` for the kernel of the guest, opposite to hawser in room U.

CASE_PORT=5000
CASE_DIR=
CASE_FILE=
CASE_SIZE=
CASE_SUM=
CASE_BYTES=
CASE_SECONDS=
CASE_RETRANSMITS=
CASE_WHY=
CASE_NOTE=

cases_file()
{
    CASE_FILE=$1
    CASE_SIZE=$(stat -c %s "$1")
    CASE_SUM=$(sha256sum <"$1")
}

# Usage: case_begin DIR
case_begin()
{
    CASE_DIR=$1
    HAWSER_LOGS=$1
    PEERS_LOGS=$1
    CASE_BYTES=0
    CASE_SECONDS=0
    CASE_RETRANSMITS=
    CASE_WHY=
    CASE_NOTE=
}

case_fail()
{
    CASE_WHY=${CASE_WHY:-$*}
    return 1
}

# Usage: case_same FILE: it is what was sent.
case_same()
{
    CASE_BYTES=$(stat -c %s "$1")
    [ "$CASE_BYTES" = "$CASE_SIZE" ] || case_fail "$CASE_BYTES of $CASE_SIZE bytes arrived" || return 1
    [ "$(sha256sum <"$1")" = "$CASE_SUM" ] || case_fail "SHA-256 differs"
}

# Usage: case_count BYTES: so many have arrived, as far as the other side tells.
case_count()
{
    CASE_BYTES=$1
    [ "$1" = "${2:-$CASE_SIZE}" ] || case_fail "$1 of ${2:-$CASE_SIZE} bytes arrived"
}

# Adds up over the hawser processes of a case.
case_retransmits()
{
    local name
    CASE_RETRANSMITS=0
    for name in "$@"; do
        CASE_RETRANSMITS=$((CASE_RETRANSMITS + $(hawser_counter "$name" retransmits || echo 0)))
    done
}

# The room of hawser that faces a peer.
case_room()
{
    case $1 in
    guest) echo U ;;
    *) echo A ;;
    esac
}

case_address()
{
    case $1$2 in
    A4) echo 10.77.0.1 ;;
    A6) echo fd77::1 ;;
    B4) echo 10.77.0.2 ;;
    B6) echo fd77::2 ;;
    U4) echo 10.77.1.1 ;;
    U6) echo fd77:0:0:1::1 ;;
    guest4) echo 10.77.1.2 ;;
    guest6) echo fd77:0:0:1::2 ;;
    esac
}

# The value of a key in a peer's result line.
case_value()
{
    sed -n "s/.* $1=\([^ ]*\).*/\1/p" <<<"$2"
}

# ---- hawser to hawser ----

# Usage: case_hawser LINK FAMILY [OPTION-OF-THE-CONNECTOR..]
case_hawser()
{
    local link=$1 family=$2 out=$CASE_DIR/sink.data code=0
    hawser_listen sink B "$link" "$out" cat "$CASE_PORT" "-$family" ||
        case_fail 'the listener does not start' || return 1
    hawser_cat source A "$link" "$CASE_FILE" /dev/null "$(case_address B "$family")" "$CASE_PORT" \
        "${@:3}" || code=$?
    CASE_SECONDS=$HAWSER_SECONDS
    hawser_join sink 20 || case_fail "the listener ended with $?" || :
    case_retransmits source sink
    [ "$code" -eq 0 ] || case_fail "the connector ended with $code" || return 1
    case_same "$out" && [ -z "$CASE_WHY" ]
}

# Usage: case_lossy PERCENT CASE..: another case, with loss in both directions.
case_lossy()
{
    local percent=$1 code=0
    shift
    rooms_loss "$percent" || case_fail 'nftables does not take the rules' || return 1
    "$@" || code=$?
    if [ "$(rooms_dropped A)" -eq 0 ] || [ "$(rooms_dropped B)" -eq 0 ]; then
        case_fail 'nothing was dropped' || code=1
    fi
    rooms_noloss
    return "$code"
}

# ---- hawser and a peer that stores or sends a file ----

# UDP options of a peer in a namespace of its own: its port, and hawser's when hawser listens.
case_peer_options()
{
    [ "$1" != udp ] || printf "%s " -E 9899
}

# Usage: case_to_peer PEER LINK FAMILY
case_to_peer()
{
    local peer=$1 link=$2 family=$3 name=sink$RANDOM code=0
    # shellcheck disable=SC2046 # words
    PEERS_PORT=$CASE_PORT peer_sink_start "$name" "$peer" $(case_peer_options "$link") ||
        case_fail 'the peer does not start' || return 1
    hawser_cat source "$(case_room "$peer")" "$link" "$CASE_FILE" /dev/null \
        "$(case_address "$peer" "$family")" "$CASE_PORT" || code=$?
    CASE_SECONDS=$HAWSER_SECONDS
    peer_join "$name" 20 >"$CASE_DIR/peer.result" || case_fail "the peer: $(cat "$CASE_DIR/peer.result")" || :
    case_retransmits source
    case_same "$PEER_FILE" || :
    rm -f "$PEER_FILE"
    [ "$code" -eq 0 ] || case_fail "hawser ended with $code" || :
    [ -z "$CASE_WHY" ]
}

# Usage: case_from_peer PEER LINK FAMILY
case_from_peer()
{
    local peer=$1 link=$2 family=$3 name=source$RANDOM room out=$CASE_DIR/sink.data result
    local -a options=()
    room=$(case_room "$peer")
    # What usrsctp loses it sends again to any other address that it was told of, at the pace of a
    # path it knows nothing of: with 2 % loss that takes minutes.
    [ "$peer" = guest ] || options=(--local "$(case_address "$room" "$family")")
    hawser_listen sink "$room" "$link" "$out" cat "$CASE_PORT" "${options[@]}" ||
        case_fail 'the listener does not start' || return 1
    # shellcheck disable=SC2046 # words
    result=$(PEERS_PORT=$CASE_PORT peer_source "$name" "$peer" "$(case_address "$room" "$family")" \
        "$CASE_FILE" $(case_peer_options "$link")) || case_fail "the peer: $result" || :
    CASE_SECONDS=$(case_value seconds "$result")
    hawser_join sink 20 || case_fail "hawser ended with $?" || :
    case_retransmits sink
    case_same "$out" && [ -z "$CASE_WHY" ]
}
