# shellcheck shell=bash
#
# Paced transfers over two links, several at once, and what is done to the links meanwhile. Source
# rooms.sh, uml/uml.sh, peers/peers.sh, hawser.sh, cases.sh and table.sh first; rooms A and B have
# their second link, and with the guest B is a switch.
#
#   flows_begin DIR                             none yet
#   flows_add SENDER RECEIVER CONNECTOR FAMILY  SENDER, RECEIVER: hawser@A, hawser@B, usrsctp@A,
#                                               usrsctp@B or kernel; CONNECTOR: sender or receiver
#   flows_start                                 all start, the primary path on link 1
#   flows_through CUT MEND                      link 1 fails and comes back while all are under way
#   flows_rows TITLE                            a row of the table for each
#   stories_start BUILD_DIR FILE rooms|guest    both stories of multipath.sh, in rooms of their own and
#                                               in the background, until table_join
#
# Nothing depends on how long something takes: a flow is slow until link 1 carries its DATA again
# after its return, and then at full speed. Link 1 stays cut for FLOWS_CUT_SECONDS and until
# every flow has gone on over link 2. How much a receiver has got, and over which link, says that
# the cut came in the middle. The longest silence is that of the receiver's output.

FLOWS_RATE=400000 # bytes per second
FLOWS_PATIENCE=60 # seconds until a flow has to have gone on
FLOWS_CUT_SECONDS=4
FLOWS_AGAIN=20    # DATA packets on link 1 after its return that show that it is in use
FLOWS_DIR=
FLOWS=()
declare -A FLOW_SENDER FLOW_RECEIVER FLOW_CONNECTOR FLOW_FAMILY FLOW_LOG FLOW_OUT FLOW_PID FLOW_WHY

flows_begin()
{
    FLOWS_DIR=$1
    FLOWS=()
    mkdir -p "$1"
    HAWSER_LOGS=$1
    PEERS_LOGS=$1
}

# A flow's name is its SCTP port.
flows_add()
{
    local port=$((6000 + ${#FLOWS[@]})) share=$FLOWS_DIR
    FLOWS+=("$port")
    FLOW_SENDER[$port]=$1
    FLOW_RECEIVER[$port]=$2
    FLOW_CONNECTOR[$port]=$3
    FLOW_FAMILY[$port]=$4
    FLOW_WHY[$port]=
    [ "$2" != kernel ] || share=$UML_SHARE
    FLOW_LOG[$port]=$share/$port.progress
    FLOW_OUT[$port]=$share/$port.data
}

# The room at whose end of the links an end of a flow is.
flow_room()
{
    case $1 in
    *@A) echo A ;;
    *) echo B ;;
    esac
}

# Usage: flow_addresses ROOM FAMILY SEPARATOR
flow_addresses()
{
    case $1$2 in
    A4) echo "10.77.0.1${3}10.78.0.1" ;;
    A6) echo "fd77::1${3}fd78::1" ;;
    B4) echo "10.77.0.2${3}10.78.0.2" ;;
    B6) echo "fd77::2${3}fd78::2" ;;
    esac
}

# ---- The two ends of a flow ----

# Usage: flow_hawser PORT ROOM source|sink listen|connect PEER-ROOM
flow_hawser()
{
    local port=$1 room=$2 role=$3 how=$4 family=${FLOW_FAMILY[$1]} in=/dev/null out=/dev/null name=$1-$3
    local -a options words
    read -ra options <<<"--local $(flow_addresses "$room" "$family" ' --local ')"
    if [ "$role" = source ]; then
        in=$FLOWS_DIR/$port.source-fifo
        flow_source_start "$port" "$room" "$in"
    else
        out=$FLOWS_DIR/$port.sink-fifo
        flow_sink_start "$port" "$room" "$out"
    fi
    if [ "$how" = listen ]; then
        words=(-l "$port")
    else
        words=("$(flow_addresses "$5" "$family" ,)" "$port")
        [ "$role" = source ] || words+=(--expect "$CASE_SIZE")
    fi
    hawser_start "$name" "$room" 132 "$in" "$out" cat "${words[@]}" "-$family" -v "${options[@]}"
    FLOW_PID[$name]=$HAWSER_PID
    [ "$how" = connect ] || rooms_wait 10 hawser_ready "$room" 132 "$port"
}

flow_source_start()
{
    mkfifo "$3"
    # shellcheck disable=SC2016 # the inner shell expands
    rooms_start "$2" "$FLOWS_DIR/$1-flow-source.log" sh -c 'exec "$0" source "$1" "$2" "$3" >"$4"' \
        "$PEERS_DIR/flow" "$CASE_FILE" "$FLOWS_RATE" "$FLOWS_DIR" "$3"
}

flow_sink_start()
{
    mkfifo "$3"
    # shellcheck disable=SC2016 # the inner shell expands
    rooms_start "$2" "$FLOWS_DIR/$1-flow-sink.log" sh -c 'exec "$0" sink "$1" <"$2" >"$3"' \
        "$PEERS_DIR/flow" "${FLOW_LOG[$1]}" "$3" "${FLOW_OUT[$1]}"
}

# The options of a peer program, in order: addresses, port, mode, operands but for the file.
flow_peer_words()
{
    local port=$1 room=$2 role=$3 how=$4 family=${FLOW_FAMILY[$1]}
    FLOW_WORDS=(-t 0 -a "$(flow_addresses "$room" "$family" ,)")
    if [ "$how" = listen ]; then
        FLOW_WORDS+=(-l "$port" "$role")
    else
        [ "$role" = source ] || FLOW_WORDS+=(-n "$CASE_SIZE")
        FLOW_WORDS+=("$role" "$(flow_addresses "$5" "$family" ,)" "$port")
    fi
}

# As flow_hawser. usrsctp sends from the address that it was given last, whatever the destination is. A
# sink is to answer the INIT from link 1, so that this is the sender's primary path; a source is
# to be reached over link 2, so that a cut of its primary path takes nothing else.
flow_usrsctp()
{
    local port=$1 room=$2 role=$3 how=$4 fifo=$FLOWS_DIR/$1.$3-fifo
    flow_peer_words "$@"
    [ "$role" = source ] || FLOW_WORDS[3]=${FLOW_WORDS[3]#*,},${FLOW_WORDS[3]%,*}
    "flow_${role}_start" "$port" "$room" "$fifo"
    peer_start "$port-$role" "$room" "${FLOW_WORDS[@]}" "$fifo"
    FLOW_PID[$port-$role]=${PEER_ID[$port-$role]}
    [ "$how" = connect ] || peer_listening "$port-$role"
}

# The guest has the ends of its flows inside, as FIFOs do not cross its border.
flow_kernel()
{
    local port=$1 role=$3 how=$4 name=$1-$3 peer
    flow_peer_words "$@"
    PEER_AT[$name]=guest
    peer="$PEERS_DIR/kernel_peer ${FLOW_WORDS[*]}"
    if [ "$role" = source ]; then
        uml_start "$name" sh -c "$PEERS_DIR/flow source $CASE_FILE $FLOWS_RATE /mnt | $peer -"
    else
        uml_start "$name" sh -c "mkfifo /run/$port; $PEERS_DIR/flow sink /mnt/$port.progress \
            </run/$port >/mnt/$port.data & exec $peer /run/$port"
    fi
    [ "$how" = connect ] || peer_listening "$name"
}

# Usage: flow_end PORT END source|sink listen|connect PEER
flow_end()
{
    "flow_${2%@*}" "$1" "$(flow_room "$2")" "$3" "$4" "$(flow_room "$5")"
}

flow_start()
{
    local port=$1 sender=${FLOW_SENDER[$1]} receiver=${FLOW_RECEIVER[$1]}
    if [ "${FLOW_CONNECTOR[$port]}" = sender ]; then
        flow_end "$port" "$receiver" sink listen "$sender" &&
            flow_end "$port" "$sender" source connect "$receiver"
    else
        flow_end "$port" "$sender" source listen "$receiver" &&
            flow_end "$port" "$receiver" sink connect "$sender"
    fi
}

# One after the other, and no DATA beyond the first piece before all are there: a usrsctp process that
# starts aborts what it sees until its blackhole sysctl is set, which cannot be done before its raw
# sockets are open.
flows_start()
{
    local port
    flows_count || return 1
    for port in "${FLOWS[@]}"; do
        flow_start "$port" && rooms_wait 10 flow_bytes_above "$port" 0 ||
            flow_fail "$port" 'does not start'
        # Address verification and the first SACK pass by.
        sleep 0.3
    done
    flows_tell go
}

# Usage: flows_tell go|hurry
flows_tell()
{
    touch "$FLOWS_DIR/$1"
    [ -z "$UML_SHARE" ] || touch "$UML_SHARE/$1"
}

# The first reason counts.
flow_fail()
{
    FLOW_WHY[$1]=${FLOW_WHY[$1]:-$2}
}

# ---- What arrives, and over which link ----

# Counts packets that begin with DATA where they enter the receiver's room, behind a cut.
flows_count()
{
    local room link
    for room in A B; do
        {
            echo 'table netdev hws_count {'
            for link in 1 2; do
                flows_count_counters "$room" "$link"
                echo "chain link$link {"
                echo "type filter hook ingress device v${room,,}${link#1} priority 10;"
                flows_count_rules "$room" "$link"
                echo '}'
            done
            echo '}'
        } | rooms_run "$room" nft -f - || return 1
    done
}

flows_of()
{
    local port
    for port in "${FLOWS[@]}"; do
        [ "$(flow_room "${FLOW_RECEIVER[$port]}")" != "$1" ] || echo "$port"
    done
}

flows_count_counters()
{
    local port
    for port in $(flows_of "$1"); do
        echo "counter data${port}link$2 { }"
    done
}

flows_count_rules()
{
    local port side
    for port in $(flows_of "$1"); do
        side=$([ "${FLOW_CONNECTOR[$port]}" = sender ] && echo dport || echo sport)
        echo "meta l4proto 132 th $side $port @th,96,8 0 counter name data${port}link$2"
    done
}

# Usage: flow_data PORT LINK: packets with DATA that the link has carried.
flow_data()
{
    rooms_run "$(flow_room "${FLOW_RECEIVER[$1]}")" \
        nft list counter netdev hws_count "data${1}link$2" |
        sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

flow_bytes()
{
    local line
    line=$(tail -n 1 "${FLOW_LOG[$1]}" 2>/dev/null | tr -dc '0-9 ' | awk '{ print $1 }')
    echo "${line:-0}"
}

flow_data_above()
{
    [ "$(flow_data "$1" "$2")" -gt "$3" ]
}

flow_bytes_above()
{
    [ "$(flow_bytes "$1")" -gt "$2" ]
}

# Usage: flows_wait WHY-NOT CMD..: until `CMD PORT` succeeds for every flow.
flows_wait()
{
    local why=$1 port
    shift
    for port in "${FLOWS[@]}"; do
        [ -z "${FLOW_WHY[$port]}" ] || continue
        rooms_wait "$FLOWS_PATIENCE" "$@" "$port" || flow_fail "$port" "$why"
    done
}

# ---- The story ----

flow_under_way()
{
    flow_bytes_above "$1" 200000
}

# Its primary path is on link 1.
flow_on_primary()
{
    flow_data_above "$1" 1 100
}

flow_on_alternate()
{
    flow_data_above "$1" 2 "${FLOW_LINK2[$1]}" && flow_bytes_above "$1" "${FLOW_CUT_AT[$1]}"
}

flow_on_primary_again()
{
    flow_data_above "$1" 1 $((${FLOW_LINK1[$1]} + FLOWS_AGAIN))
}

flows_mark_cut()
{
    local port
    declare -gA FLOW_CUT_AT FLOW_LINK2
    # What was in flight has arrived or is lost.
    sleep 0.2
    for port in "${FLOWS[@]}"; do
        FLOW_CUT_AT[$port]=$(flow_bytes "$port")
        FLOW_LINK2[$port]=$(flow_data "$port" 2)
        [ "${FLOW_CUT_AT[$port]}" -lt "$CASE_SIZE" ] || flow_fail "$port" 'was over before the cut'
    done
}

flows_mark_return()
{
    local port
    declare -gA FLOW_LINK1
    for port in "${FLOWS[@]}"; do
        FLOW_LINK1[$port]=$(flow_data "$port" 1)
        flow_bytes_above "$port" $((CASE_SIZE - 1)) &&
            flow_fail "$port" 'was over before the cut path came back'
    done
}

# Usage: flows_through CUT MEND: the commands that take link 1 away and bring it back
flows_through()
{
    local cut_until
    flows_wait 'does not get under way' flow_under_way
    flows_wait 'does not use its primary path' flow_on_primary
    $1 || return 1
    cut_until=$((${EPOCHREALTIME/[.,]/} + FLOWS_CUT_SECONDS * 1000000))
    flows_mark_cut
    flows_wait 'does not go on over the other path' flow_on_alternate
    while [ "${EPOCHREALTIME/[.,]/}" -lt "$cut_until" ]; do sleep 0.1; done
    flows_mark_return
    $2 || return 1
    flows_wait 'does not use the path that came back' flow_on_primary_again
    flows_tell hurry
}

# ---- The end ----

flow_join()
{
    local name=$1-$2 code=0
    if [ "$3" = kernel ]; then
        uml_join 60 "$name" || code=$?
    else
        rooms_join 60 "${FLOW_PID[$name]}" || code=$?
    fi
    [ "$code" -eq 0 ] || flow_fail "$1" "the $2, $3, ended with $code"
}

# A case for table_row.
case_flow()
{
    local port=$1 us longest
    flow_join "$port" source "${FLOW_SENDER[$port]}"
    flow_join "$port" sink "${FLOW_RECEIVER[$port]}"
    rooms_wait_line 10 "${FLOW_LOG[$port]}" '^end' || flow_fail "$port" 'the output does not end'
    read -r _ _ us longest < <(tail -n 1 "${FLOW_LOG[$port]}") || :
    CASE_SECONDS=$(awk -v us="${us:-0}" 'BEGIN { print us / 1e6 }')
    CASE_NOTE=$(awk -v us="${longest:-0}" 'BEGIN { printf "longest silence %.2f s", us / 1e6 }')
    case_retransmits_of "$port"
    case_same "${FLOW_OUT[$port]}" || flow_fail "$port" "$CASE_WHY"
    CASE_WHY=${FLOW_WHY[$port]}
    [ -n "$CASE_WHY" ] || return 0
    cp "$FLOWS_DIR"/*.log "$FLOWS_DIR"/*.out "${FLOW_LOG[$port]}" "$CASE_DIR" 2>/dev/null || :
    return 1
}

case_retransmits_of()
{
    local name names=() HAWSER_LOGS=$FLOWS_DIR
    for name in "$1-source" "$1-sink"; do
        [ ! -e "$FLOWS_DIR/$name.log" ] || names+=("$name")
    done
    case_retransmits "${names[@]}"
}

flows_rows()
{
    local port name
    for port in "${FLOWS[@]}"; do
        name="${FLOW_SENDER[$port]%@*} to ${FLOW_RECEIVER[$port]%@*}, IPv${FLOW_FAMILY[$port]}, "
        name+="$([ "${FLOW_CONNECTOR[$port]}" = sender ] || echo 'receiver connects, ')$1"
        table_row "$name" case_flow "$port"
    done
}

# ---- Whole stories ----

FLOWS_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

stories_start()
{
    local story
    for story in silent down; do
        table_apart "$3-$story" "$FLOWS_HERE/multipath.sh" "$1" "$2" "$TABLE_DIR/$3-$story" "$3-$story"
    done
}
