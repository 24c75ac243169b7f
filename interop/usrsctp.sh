# shellcheck shell=bash
#
# The programs of Debian's libusrsctp-examples, as they really behave. Source rooms.sh and
# peers/peers.sh first (usrsctp_quiet.so lies beside the peers).
#
# How each one is called, 132 being always served beside UDP on the same socket:
#   echo_server    [OWN_UDP_PORT [PEER_UDP_PORT]]        SCTP port 7, IPv4 and IPv6
#   discard_server [OWN_UDP_PORT [PEER_UDP_PORT]]        SCTP port 9, IPv4 and IPv6
#   client HOST PORT [OWN_PORT [OWN_UDP_PORT [PEER_UDP_PORT]]]     OWN_PORT 0: any
#   tsctp [-p PORT] [-E OWN_UDP_PORT]                     server, SCTP port 5001, IPv4 only
#   tsctp [-p PORT] [-E OWN_UDP_PORT] [-U PEER_UDP_PORT] -n MESSAGES -l BYTES HOST     client
# Without a PEER_UDP_PORT what they start goes over IP protocol 132; a server answers as it was
# called, so it needs none.
#
# Quirks:
# - Every one opens its own UDP port, 9899 if none is given, even for protocol 132. A second one in
#   the same room fails to bind it and goes on without, silently. 0 turns UDP off.
# - The servers never end. They read with a buffer of 10,240 bytes: the echo server echoes only the
#   last piece of a longer message, the discard server prints one line for each piece.
# - discard_server and tsctp switch on usrsctp's debug output, on standard output, between and inside
#   their own lines: hundreds of megabytes for one transfer, at a third of the speed. Standard output
#   is also buffered in blocks, so a server that is ended loses its last lines. usrsctp_quiet.so,
#   preloaded, cures both; without it tsctp is no baseline worth the name.
# - client is for text: it reads lines of at most 79 bytes, sends each as a message, shuts down at
#   the end of its input. It sends without blocking and ignores errors: lines that come faster than
#   the association takes them are lost once the send buffer (256 KiB) is full, so keep TEXT below
#   some 1,000 lines. A server that sees the SHUTDOWN drops what it has not echoed yet: the
#   input has to stay open until all is back. It ends one or two seconds later, with 0 in any case.
#   Between the echoed bytes it prints addresses, notifications and, last, its packet counts.
# - tsctp's client prints the time until close() returned, with up to its send buffer (256 KiB) not
#   acknowledged; the server's line (first length, messages, receive calls, bytes, seconds, bytes per
#   second, notifications) is what arrived. It ends a second later. IPv6 it cannot.
# - All pick their source address by scope over all interfaces, not by route: one network per room.
# - All set net.inet.sctp.blackhole to 2: no ABORT for unknown associations of other stacks. A
#   usrsctp without that (the default) aborts every foreign association in its namespace.

USRSCTP_DIR=${USRSCTP_DIR:-/usr/lib/usrsctp}

usrsctp_need()
{
    [ -x "$USRSCTP_DIR/tsctp" ] && return 0
    rooms_say "the usrsctp programs are not installed (Debian: libusrsctp-examples)"
    return 1
}

# Usage: usrsctp_start ROOM LOG PROGRAM [ARGUMENT..]
usrsctp_start()
{
    local room=$1 log=$2 program=$3
    shift 3
    rooms_start "$room" "$log" env LD_PRELOAD="$PEERS_DIR/usrsctp_quiet.so" \
        "$USRSCTP_DIR/$program" "$@"
    # A server says nothing when it is ready, but it listens microseconds after its raw sockets,
    # which are there for all to see.
    rooms_wait 5 usrsctp_raw_open "$room"
}

usrsctp_raw_open()
{
    rooms_run "$1" grep -q ':0084 ' /proc/net/raw && rooms_run "$1" grep -q ':0084 ' /proc/net/raw6
}

# Usage: usrsctp_echo_start ROOM LOG [OWN_UDP_PORT]; ends with rooms_stop "$ROOMS_PID".
usrsctp_echo_start()
{
    usrsctp_start "$1" "$2" echo_server "${3:-0}"
}

usrsctp_discard_start()
{
    usrsctp_start "$1" "$2" discard_server "${3:-0}"
}

# The bytes a discard or echo server has received so far, from its log.
usrsctp_received()
{
    awk '/^Msg of length/ { sum += $4 } END { print sum + 0 }' "$1"
}

usrsctp_has_received()
{
    [ "$(usrsctp_received "$1")" -ge "$2" ]
}

# Usage: usrsctp_tsctp_server ROOM LOG [OPTION..]
usrsctp_tsctp_server()
{
    local room=$1 log=$2
    shift 2
    usrsctp_start "$room" "$log" tsctp "$@"
}

# Usage: usrsctp_tsctp_client ROOM LOG HOST MESSAGES LENGTH [OPTION..]; prints bytes and seconds as
# the client saw them.
usrsctp_tsctp_client()
{
    local room=$1 log=$2 host=$3 messages=$4 length=$5
    shift 5
    usrsctp_start "$room" "$log" tsctp -D -n "$messages" -l "$length" "$@" "$host"
    rooms_join 60 "$ROOMS_PID" || return 1
    sed -n 's/^Sending of \([0-9]*\) messages of length \([0-9]*\) took \([0-9.]*\) .*/\1 \2 \3/p' \
        "$log" | awk '{ print $1 * $2, $3 } END { exit NR != 1 }'
}

# Usage: usrsctp_tsctp_result LOG [WHICH]: bytes and seconds of a server's association (the last).
usrsctp_tsctp_result()
{
    rooms_wait_line 10 "$1" '^[0-9]+, [0-9]+, [0-9]+, [0-9]+, ' || return 1
    awk -F', ' '/^[0-9]+, [0-9]+, / { n++; line = $4 " " $5; if (n == want) exit }
                END { if (n) print line; else exit 1 }' want="${2:-0}" "$1"
}

# Usage: usrsctp_client ROOM LOG TEXT HOST PORT ECHO [OWN_UDP_PORT PEER_UDP_PORT]
# Sends the lines of TEXT; with ECHO `yes` keeps the association until all of it is back in LOG.
usrsctp_client()
{
    local room=$1 log=$2 text=$3 host=$4 port=$5 echo=$6
    local pipe=$log.in hold size own=${7:-0} peer=${8:-0}
    size=$(stat -c %s "$text")
    mkfifo "$pipe"
    rooms_start "$room" "$log" env LD_PRELOAD="$PEERS_DIR/usrsctp_quiet.so" sh -c \
        'exec "$@" <"$0"' "$pipe" "$USRSCTP_DIR/client" "$host" "$port" 0 "$own" "$peer"
    # Opened only now: the client must not inherit the end whose closing is its end of input.
    exec {hold}>"$pipe"
    cat "$text" >&"$hold"
    [ "$echo" != yes ] || rooms_wait 30 usrsctp_echoed "$log" "$size" || :
    exec {hold}>&-
    rm -f "$pipe"
    rooms_join 15 "$ROOMS_PID" || return 1
    [ "$echo" != yes ] || usrsctp_client_text "$log" | cmp -s - "$text"
}

# The echoed bytes alone.
usrsctp_client_text()
{
    grep -avE '^(Local addresses|Number of packets|handle_notification|Association change|Peer address)' "$1"
}

usrsctp_echoed()
{
    [ "$(usrsctp_client_text "$1" | wc -c)" -ge "$2" ]
}
