# shellcheck shell=bash
#
# The hawser program in a room. Source rooms.sh first, and set HAWSER to the program.
#
#   hawser_start NAME ROOM LINK IN OUT ARGUMENT..   in the background, process id in HAWSER_PID
#   hawser_listen NAME ROOM LINK OUT cat|echo PORT  the same, until it listens; reads nothing
#   hawser_cat NAME ROOM LINK IN OUT HOST PORT [OPTION..]     to its end; seconds in HAWSER_SECONDS
#   hawser_join NAME SECS                           its exit code
#   hawser_stop NAME                                interrupt it, so that it prints its counters
#   hawser_counter NAME COUNTER                     from its --stats
#
# LINK is 132, 253, 254, udp, or packet or xdp, which speak 132. NAME is a new one each time; diagnostics and counters are in
# $HAWSER_LOGS/NAME.log.

HAWSER=${HAWSER:-}
HAWSER_LOGS=
HAWSER_PID=
HAWSER_SECONDS=
HAWSER_PATIENCE=60 # seconds a transfer may take
declare -A HAWSER_AT

hawser_link_options()
{
    case $1 in
    132) ;;
    udp) echo --udp ;;
    packet | xdp) echo "--link $1" ;;
    *) echo "--proto $1" ;;
    esac
}

# `exec` keeps the process id that of hawser.
hawser_exec()
{
    local link=$1 in=$2 out=$3
    local -a options
    shift 3
    read -ra options <<<"$(hawser_link_options "$link")"
    # shellcheck disable=SC2016 # the inner shell expands
    HAWSER_WORDS=(sh -c 'in=$1 out=$2; shift 2; exec "$@" <"$in" >"$out"' sh "$in" "$out"
        "$HAWSER" "$@" "${options[@]}" --stats)
}

hawser_start()
{
    local name=$1 room=$2
    hawser_exec "${@:3}"
    rooms_start "$room" "$HAWSER_LOGS/$name.log" "${HAWSER_WORDS[@]}"
    HAWSER_PID=$ROOMS_PID
    HAWSER_AT[$name]=$HAWSER_PID
}

hawser_listen()
{
    local name=$1 room=$2 link=$3 out=$4 command=$5 port=$6
    hawser_start "$name" "$room" "$link" /dev/null "$out" "$command" -l "$port" "${@:7}"
    rooms_wait 5 hawser_ready "$room" "$link" "$port" && return 0
    rooms_say "hawser does not listen: $(tail -n 2 "$HAWSER_LOGS/$name.log")"
    return 1
}

# It claims its port for all to see, after its sockets are open.
hawser_ready()
{
    local room=$1 link=$2 port=$3
    case $link in
    udp) rooms_run "$room" grep -q ':26AB ' /proc/net/udp /proc/net/udp6 ;;
    packet | xdp) hawser_ready "$room" 132 "$port" ;;
    *) rooms_run "$room" grep -q "@hawser/port/$link/$port\$" /proc/net/unix ;;
    esac
}

hawser_cat()
{
    local name=$1 room=$2 link=$3 in=$4 out=$5 code=0 start
    hawser_exec "$link" "$in" "$out" cat "${@:6}"
    start=${EPOCHREALTIME/[.,]/}
    rooms_run "$room" timeout --foreground -k 2 "$HAWSER_PATIENCE" "${HAWSER_WORDS[@]}" \
        2>"$HAWSER_LOGS/$name.log" || code=$?
    HAWSER_SECONDS=$(awk -v us=$((${EPOCHREALTIME/[.,]/} - start)) 'BEGIN { print us / 1e6 }')
    [ "$code" -ne 124 ] || rooms_say "hawser cat took longer than $HAWSER_PATIENCE s"
    return "$code"
}

hawser_join()
{
    rooms_join "$2" "${HAWSER_AT[$1]}"
}

hawser_stop()
{
    rooms_stop "${HAWSER_AT[$1]}"
}

hawser_counter()
{
    # The engine's counters stand first; an association may have one of the same name.
    grep '^{' "$HAWSER_LOGS/$1.log" | tail -n 1 | grep -o "\"$2\":[0-9]*" | head -n 1 | tr -dc '0-9' | grep .
}
