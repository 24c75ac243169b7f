# shellcheck shell=bash
#
# Cases of who answers for which port: nmap's INIT scan, hawser ping, and several stacks in one
# network namespace. Source cases.sh first; hawser's listener is in room B, who asks is in A (and in U
# for the guest).

CLOSED_PORT=5999 # nobody listens there

need_nmap()
{
    command -v nmap >/dev/null && return 0
    rooms_say "nmap is not installed"
    return 1
}

# Usage: nmap_state FAMILY PORT: what nmap -sY says of a port of room B
nmap_state()
{
    local ipv6=()
    [ "$1" = 4 ] || ipv6=(-6)
    rooms_run A timeout 30 nmap "${ipv6[@]}" -sY -Pn -n -p "$2" "$(case_address B "$1")" |
        sed -n "s,^$2/sctp  *\([a-z|]*\) .*,\1,p"
}

# Usage: expect_nmap FAMILY PORT STATE
expect_nmap()
{
    local state
    state=$(nmap_state "$1" "$2")
    [ "$state" = "$3" ] || case_fail "nmap says ${state:-nothing} about port $2, not $3"
}

# Usage: case_nmap FAMILY STATE-OF-CLOSED-PORT [OPTION-OF-THE-LISTENER]
case_nmap()
{
    local family=$1 closed=$2
    hawser_listen echo B 132 /dev/null echo "$CASE_PORT" "${@:3}" ||
        case_fail 'the listener does not start' || return 1
    expect_nmap "$family" "$CASE_PORT" open && expect_nmap "$family" "$CLOSED_PORT" "$closed"
    hawser_stop echo
    [ -z "$CASE_WHY" ]
}

# Usage: expect_ping ROOM HOST PORT ANSWER: every one of two INITs is answered so, and the exit code
# says the same.
expect_ping()
{
    local text code=0 wanted=0 wait_s=10 # a guest on a busy machine takes its time
    case $4 in
    open | closed) ;;
    'no answer') wanted=1 wait_s=1 ;;
    *) wanted=1 ;;
    esac
    text=$(rooms_run "$1" timeout 30 "$HAWSER" ping -c 2 -i 0.1 -W "$wait_s" "$2" "$3" 2>&1) || code=$?
    [ "$(grep -cE "^$2 port $3: $4(, |\$)" <<<"$text")" -eq 2 ] ||
        case_fail "ping of $2 port $3, not $4: $(sed -n '2,$p' <<<"$text" | tr '\n' ';')" || return 1
    [ "$code" -eq "$wanted" ] || case_fail "ping of $2 port $3 ended with $code"
}

# Usage: case_ping_hawser FAMILY
case_ping_hawser()
{
    local host
    host=$(case_address B "$1")
    hawser_listen silent B 132 /dev/null echo "$CASE_PORT" ||
        case_fail 'the listener does not start' || return 1
    expect_ping A "$host" "$CASE_PORT" open && expect_ping A "$host" "$CLOSED_PORT" 'no answer'
    hawser_stop silent
    [ "$(hawser_counter silent assocs_passive)" -eq 0 ] || case_fail 'ping left an association'
    hawser_listen own B 132 /dev/null echo "$CASE_PORT" --own-host ||
        case_fail 'the listener does not start' || return 1
    expect_ping A "$host" "$CLOSED_PORT" closed
    hawser_stop own
    [ -n "$CASE_WHY" ] || expect_ping A "$host" "$CLOSED_PORT" 'ICMP.*'
    [ -z "$CASE_WHY" ]
}

# Usage: case_ping_peer PEER FAMILY CLOSED: CLOSED is its answer about a port nobody listens at. Its
# sink takes one association only: that a file gets there afterwards shows that ping left none.
case_ping_peer()
{
    local peer=$1 family=$2 closed=$3 room host name=pinged$RANDOM code=0
    room=$(case_room "$peer")
    host=$(case_address "$peer" "$family")
    PEERS_PORT=$CASE_PORT peer_sink_start "$name" "$peer" ||
        case_fail 'the peer does not start' || return 1
    expect_ping "$room" "$host" "$CASE_PORT" open && expect_ping "$room" "$host" "$CLOSED_PORT" "$closed"
    hawser_cat source "$room" 132 "$CASE_FILE" /dev/null "$host" "$CASE_PORT" || code=$?
    CASE_SECONDS=$HAWSER_SECONDS
    peer_join "$name" 20 >"$CASE_DIR/peer.result" || case_fail "the peer: $(cat "$CASE_DIR/peer.result")" || :
    case_same "$PEER_FILE" || :
    rm -f "$PEER_FILE"
    [ "$code" -eq 0 ] || case_fail "hawser ended with $code" || :
    [ -z "$CASE_WHY" ]
}

# Three stacks in room B, two of hawser and one of usrsctp, each with a transfer at the same time.
case_side_by_side()
{
    local port name names=(one two three)
    PEERS_PORT=5002 peer_sink_start three-sink B || case_fail 'usrsctp does not start' || return 1
    hawser_listen one-sink B 132 "$CASE_DIR/one.data" cat 5000 &&
        hawser_listen two-sink B 132 "$CASE_DIR/two.data" cat 5001 ||
        case_fail 'the listeners do not start' || return 1
    for port in 5000 5001 5002; do
        hawser_start "${names[port - 5000]}" A 132 "$CASE_FILE" /dev/null \
            cat "$(case_address B "$1")" "$port"
    done
    for name in one two three one-sink two-sink; do
        hawser_join "$name" 60 || case_fail "$name ended with $?" || :
        [ "$(hawser_counter "$name" assocs_aborted)" -eq 0 ] || case_fail "$name: aborted" || :
    done
    peer_join three-sink 20 >"$CASE_DIR/peer.result" ||
        case_fail "usrsctp: $(cat "$CASE_DIR/peer.result")" || :
    case_retransmits one two three
    case_same "$CASE_DIR/one.data" && case_same "$CASE_DIR/two.data" && case_same "$PEER_FILE" || :
    rm -f "$PEER_FILE"
    [ -z "$CASE_WHY" ]
}
