# shellcheck shell=bash
#
# Cases of a side that dies without a word and comes back with the same ports while its association is
# up. Source cases.sh first. A process of hawser or usrsctp is ended by SIGKILL: the stack dies with
# it. A kernel would go on and end the association of a killed process: there the guest dies,
# and boots again with the same addresses.

RESTART_PORT=6200 # the connector's own
RESTART_SECONDS=30
RESTART_RUN=0 # a peer's name is a new one each time

# Usage: restart_source NAME PEER HOST [go]: sends the start of the file, and all of it slowly with
# `go`; keeps its association up.
restart_source()
{
    local name=$1 peer=$2 host=$3
    mkdir -p "$CASE_DIR/$name"
    [ "${4:-}" != go ] || touch "$CASE_DIR/$name/go"
    PEER_AT[$name]=$peer
    if [ "$peer" = guest ]; then
        mkdir -p "$UML_SHARE/$name"
        [ "${4:-}" != go ] || touch "$UML_SHARE/$name/go"
        uml_start "$name" sh -c "$PEERS_DIR/flow source $CASE_FILE 100000 /mnt/$name |
            $PEERS_DIR/kernel_peer -t 0 -p $RESTART_PORT source $host $CASE_PORT -"
        return
    fi
    mkfifo "$CASE_DIR/$name/fifo"
    # shellcheck disable=SC2016 # the inner shell expands
    rooms_start B "$CASE_DIR/$name/flow.log" sh -c 'exec "$0" source "$1" 100000 "$2" >"$2/fifo"' \
        "$PEERS_DIR/flow" "$CASE_FILE" "$CASE_DIR/$name"
    if [ "$peer" = hawser ]; then
        hawser_start "$name" B 132 "$CASE_DIR/$name/fifo" /dev/null cat "$host" "$CASE_PORT"
        PEER_ID[$name]=$HAWSER_PID
    else
        peer_start "$name" B -t 0 -p "$RESTART_PORT" source "$host" "$CASE_PORT" "$CASE_DIR/$name/fifo"
    fi
}

restart_kill()
{
    if [ "$2" = guest ]; then
        uml_kill
    else
        kill -KILL "${PEER_ID[$1]}"
        rooms_reap "${PEER_ID[$1]}" || :
    fi
}

# Usage: restart_heard NAME NUMBER: hawser has got so many messages in all. It tells when asked.
restart_heard()
{
    kill -USR1 "${HAWSER_AT[$1]}"
    sleep 0.1
    [ "$(hawser_counter "$1" messages_in || echo 0)" -ge "$2" ]
}

# Usage: case_peer_restarts PEER FAMILY: hawser echo stays, the peer comes back with its port, and
# gets all back that it sends then; hawser knows it as a restart (RFC 9260, 5.2.4 A).
case_peer_restarts()
{
    local peer=$1 family=$2 room host first=first$((++RESTART_RUN))
    room=$(case_room "$peer")
    host=$(case_address "$room" "$family")
    hawser_listen echo "$room" 132 /dev/null echo "$CASE_PORT" -v ||
        case_fail 'hawser does not listen' || return 1
    restart_source "$first" "$peer" "$host"
    rooms_wait 10 restart_heard echo 1 || case_fail 'the first transfer does not start' || return 1
    restart_kill "$first" "$peer"
    [ "$peer" != guest ] || uml_up "$PEERS_DIR" || case_fail 'the guest does not boot again' || return 1
    restart_again "$peer" "$host"
    hawser_stop echo
    case_retransmits echo
    # A kernel that is up before its program answers what is sent again with an ABORT (8.4).
    [ "$(hawser_counter echo assocs_restarted)" = 1 ] ||
        { [ "$peer" = guest ] && [ "$(hawser_counter echo assocs_aborted)" -ge 1 ]; } ||
        case_fail 'hawser reports neither RESTART nor an ABORT' || :
    [ -z "$CASE_WHY" ]
}

# Usage: restart_again PEER HOST: a transfer from the peer, with its old port, and back
restart_again()
{
    local peer=$1 host=$2 back=$CASE_DIR/back.data share_back result
    if [ "$peer" = guest ]; then
        share_back=/mnt/back.data
        back=$UML_SHARE/back.data
    else
        share_back=$back
    fi
    result=$(PEERS_PORT=$CASE_PORT peer_source "again$RESTART_RUN" "$peer" "$host" "$CASE_FILE" \
        -p "$RESTART_PORT" -r "$share_back") || case_fail "the peer came back: $result" || return 1
    CASE_SECONDS=$(case_value seconds "$result")
    case_same "$back" || :
    rm -f "$back"
}

# Usage: case_hawser_restarts SURVIVOR FAMILY: hawser's listener dies and comes back with its port while
# the survivor (hawser, B for usrsctp, or guest) sends. It did not connect again, so there is no
# association to restart: the survivor has to see an error, and its next transfer passes.
case_hawser_restarts()
{
    local peer=$1 family=$2 room host code=0 survivor=survivor$((++RESTART_RUN))
    room=$(case_room "$peer")
    host=$(case_address "$room" "$family")
    hawser_listen dies "$room" 132 /dev/null echo "$CASE_PORT" ||
        case_fail 'hawser does not listen' || return 1
    restart_source "$survivor" "$peer" "$host" go
    rooms_wait 10 restart_heard dies 2 || case_fail 'the first transfer does not start' || return 1
    kill -KILL "${HAWSER_AT[dies]}"
    rooms_reap "${HAWSER_AT[dies]}" || :
    hawser_listen comes-back "$room" 132 /dev/null echo "$CASE_PORT" ||
        case_fail 'hawser does not listen again' || return 1
    restart_join "$survivor" "$peer" || code=$?
    [ "$code" -eq 1 ] || case_fail "the survivor ended with $code instead of an error" || :
    if [ "$peer" = hawser ]; then
        hawser_cat again B 132 "$CASE_FILE" "$CASE_DIR/back.data" "$host" "$CASE_PORT" \
            --expect "$CASE_SIZE" || case_fail "hawser came back: the transfer ended with $?" || :
        CASE_SECONDS=$HAWSER_SECONDS
        case_same "$CASE_DIR/back.data" || :
    else
        restart_again "$peer" "$host" || :
    fi
    hawser_stop comes-back
    [ -z "$CASE_WHY" ]
}

restart_join()
{
    if [ "$2" = guest ]; then
        uml_join "$RESTART_SECONDS" "$1"
    else
        rooms_join "$RESTART_SECONDS" "${PEER_ID[$1]}"
    fi
}
