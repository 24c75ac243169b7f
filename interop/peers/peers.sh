# shellcheck shell=bash
#
# Roles of a peer, the same for every stack. Source rooms.sh first, and uml/uml.sh for the guest.
#
#   peers_build DIR                         build the peer programs there (or set PEERS_DIR)
#   peer_sink_start NAME WHERE [OPTION..]   one association's bytes will be in "$PEER_FILE"
#   peer_echo_start NAME WHERE [OPTION..]   echo, many peers, until peer_stop
#   peer_source NAME WHERE HOST FILE [OPTION..]   send FILE; prints the result, verdict = exit code
#   peer_join NAME SECS                     let a sink end; prints the result, verdict = exit code
#   peer_stop NAME
#
# WHERE is A, B or U for usrsctp in that room, or `guest` for the kernel's SCTP. NAME is a new one
# each time. All use port $PEERS_PORT. The result is one line:
#   peer stack=usrsctp mode=sink bytes=67108864 messages=1024 seconds=0.7 mbit=724.1 verdict=clean
# OPTIONs are those of the programs (peer.c): -m message size, -s streams, -u unordered, -r FILE
# expect an echo; -E PORT own UDP port, -U PORT the peer's, both for RFC 6951.

PEERS_DIR=${PEERS_DIR:-}
PEERS_LOGS=
PEERS_PORT=${PEERS_PORT:-5000}
PEER_FILE=
PEERS_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
declare -A PEER_AT PEER_ID

peers_build()
{
    mkdir -p "$1"
    if ! { cmake -S "$PEERS_HERE/.." -B "$1" && cmake --build "$1"; } >"$1/build.log" 2>&1; then
        tail -n 20 "$1/build.log" >&2
        return 1
    fi
    PEERS_DIR=$1
}

# Where sinks and logs go; the caller removes it.
peers_logs()
{
    [ -n "$PEERS_LOGS" ] || PEERS_LOGS=$(mktemp -d "${TMPDIR:-/tmp}/hws-peers-XXXXXX")
}

peer_log()
{
    case ${PEER_AT[$1]} in
    guest) uml_output "$1" ;;
    *) printf '%s/%s.out' "$PEERS_LOGS" "$1" ;;
    esac
}

peer_start()
{
    local name=$1 where=$2
    shift 2
    peers_logs
    PEER_AT[$name]=$where
    if [ "$where" = guest ]; then
        uml_start "$name" "$PEERS_DIR/kernel_peer" "$@"
    else
        rooms_start "$where" "$(peer_log "$name")" "$PEERS_DIR/usrsctp_peer" "$@"
        PEER_ID[$name]=$ROOMS_PID
    fi
}

peer_listening()
{
    rooms_wait_line 10 "$(peer_log "$1")" '^listening' && return 0
    rooms_say "peer $1 does not listen: $(tail -n 3 "$(peer_log "$1")")"
    return 1
}

peer_sink_start()
{
    local name=$1 where=$2 file
    shift 2
    peers_logs
    if [ "$where" = guest ]; then
        file=/mnt/$name.data
        PEER_FILE=$UML_SHARE/$name.data
    else
        file=$PEERS_LOGS/$name.data
        PEER_FILE=$file
    fi
    peer_start "$name" "$where" -l "$PEERS_PORT" "$@" sink "$file"
    peer_listening "$name"
}

peer_echo_start()
{
    local name=$1 where=$2
    shift 2
    peer_start "$name" "$where" -t 0 -l "$PEERS_PORT" "$@" echo
    peer_listening "$name"
}

peer_source()
{
    local name=$1 where=$2 host=$3 file=$4
    shift 4
    peer_start "$name" "$where" "$@" source "$host" "$PEERS_PORT" "$file"
    peer_join "$name" 130
}

peer_join()
{
    local name=$1 code=0
    if [ "${PEER_AT[$name]}" = guest ]; then
        uml_join "$2" "$name" || code=$?
    else
        rooms_join "$2" "${PEER_ID[$name]}" || code=$?
    fi
    grep '^peer ' "$(peer_log "$name")" || { tail -n 3 "$(peer_log "$name")"; return 1; }
    return "$code"
}

peer_stop()
{
    if [ "${PEER_AT[$1]}" = guest ]; then
        uml_stop "$1"
    else
        rooms_stop "${PEER_ID[$1]}"
    fi
}
