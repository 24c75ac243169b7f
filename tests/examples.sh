#!/usr/bin/env bash
# Runs every example and looks at what it prints: over raw sockets on the loopback interface of a
# network namespace of its own, one of them over UDP, too.
# Usage: examples.sh DIR PROGRAM     where the examples were built, and the hawser program
set -euo pipefail

dir=$1
hawser=$2
. "$(dirname "$0")/checks.sh"

# Usage: serve NAME ARGUMENT..: starts a server and waits until it listens; its process id is in
# $server, its standard input is $server_input.
serve()
{
    local name=$1
    shift
    : >"$work/$name.out"
    rm -f "$work/input"
    mkfifo "$work/input"
    "$dir/$name" "$@" <"$work/input" >"$work/$name.out" 2>&1 &
    server=$!
    exec {server_input}>"$work/input"
    wait_for "$work/$name.out" '^listening at port'
}

# Usage: stop [SIGNAL]: ends the server, by a signal or by the end of its input; its exit code. One
# that goes on for 20 seconds is killed.
stop()
{
    local code=0 try
    [ -z "$server_input" ] || exec {server_input}>&-
    server_input=
    [ $# -eq 0 ] || kill -"$1" "$server"
    for ((try = 0; try < 400; try++)); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    [ "$try" -lt 400 ] || kill -KILL "$server"
    wait "$server" 2>/dev/null || code=$?
    server=
    return "$code"
}

# Usage: client NAME ARGUMENT..: its output is in $work/NAME.out.
client()
{
    local name=$1
    shift
    timeout 30 "$dir/$name" "$@" >"$work/$name.out" 2>&1 || {
        echo "$name: exit code $?"
        cat "$work/$name.out"
        return 1
    }
}

# Usage: printed NAME PATTERN
printed()
{
    grep -q -- "$2" "$work/$1.out" || {
        echo "$1 has not printed '$2' but:"
        cat "$work/$1.out"
        return 1
    }
}

echo_server()
{
    serve echo_server && client echo_client && printed echo_client '^ahoy$' &&
        wait_for "$work/echo_server.out" '^1 messages echoed$' && ! stop TERM
}

echo_server_udp()
{
    export HAWSER_LINK=udp
    HAWSER_UDP_PORT=9899 serve echo_server && client echo_client && printed echo_client '^ahoy$' &&
        ! stop TERM
    unset HAWSER_LINK
}

poll_server()
{
    serve poll_server && client echo_client && printed echo_client '^ahoy$' &&
        client echo_client && printed echo_client '^ahoy$' &&
        wait_for "$work/poll_server.out" '^association .* over$' && stop &&
        [ "$(grep -c '^association .* up$' "$work/poll_server.out")" -eq 2 ]
}

uv_echo()
{
    serve uv_echo && client echo_client && printed echo_client '^ahoy$' &&
        wait_for "$work/uv_echo.out" '^a client is gone: end of file$' && stop INT
}

# The server is in a room of its own, with two links to it. The first one loses what comes to it from
# the second line on.
multihomed_client()
{
    local code=0 client i
    unshare -n sleep 60 &
    room=$!
    until [ "$(readlink "/proc/$room/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
        sleep 0.05
    done
    for i in 1 2; do
        ip link add "near$i" type veth peer name "far$i" netns "$room"
        ip address add "192.168.$i.1/24" dev "near$i"
        ip link set "near$i" up
        nsenter -n -t "$room" ip address add "192.168.$i.2/24" dev "far$i"
        nsenter -n -t "$room" ip link set "far$i" up
    done
    nsenter -n -t "$room" "$hawser" echo -l 5000 --local 192.168.1.2 --local 192.168.2.2 &
    server=$!
    until nsenter -n -t "$room" grep -q hawser/port/132/5000 /proc/net/unix; do
        sleep 0.05
    done
    timeout 60 "$dir/multihomed_client" 192.168.1.1,192.168.2.1 192.168.1.2,192.168.2.2 5000 4 \
        >"$work/multihomed_client.out" 2>&1 &
    client=$!
    wait_for "$work/multihomed_client.out" '^line 1$'
    nsenter -n -t "$room" nft 'table ip cut {
        chain in { type filter hook input priority 0; iif far1 drop; }
    }'
    wait "$client" || code=$?
    [ "$code" -eq 0 ] && printed multihomed_client '^line 4$' &&
        printed multihomed_client '^192.168.1.2: not active, ' &&
        printed multihomed_client '^192.168.2.2: active, ' && stop TERM
}

file()
{
    head -c 3000000 /dev/urandom >"$work/file"
    serve file_receive 5000 "$work/copy" &&
        client file_send 127.0.0.1 5000 "$work/file" && stop &&
        cmp "$work/file" "$work/copy" &&
        printed file_receive '^3000000 bytes received in 12 messages$' &&
        printed file_send '^3000000 bytes sent in 12 messages, all given back$'
}

# The server gets each stream's messages in order, in spite of the losses.
engine_alone()
{
    local stream
    client engine_alone &&
        [ "$(grep -c '^server: stream [01]: message' "$work/engine_alone.out")" -eq 12 ] &&
        [ "$(grep -c ': the association ended gracefully$' "$work/engine_alone.out")" -eq 2 ] || return
    for stream in 0 1; do
        sed -n "s/^server: stream $stream: message //p" "$work/engine_alone.out" | sort -nc || return
    done
}

# Clients take ports at random: one of ten million runs would have all in one shard.
shards()
{
    local i
    serve shards 5000 2 || return
    for ((i = 0; i < 24; i++)); do
        client echo_client && printed echo_client '^ahoy$' || return
    done
    [ "$(grep -c '^shard [01]: 4 bytes from port' "$work/shards.out")" -eq 24 ] &&
        printed shards '^shard 0' && printed shards '^shard 1' && ! stop TERM
}

enter_namespace "$@"
work=$(mktemp -d "${TMPDIR:-/tmp}/hws-examples-XXXXXX")
server=
server_input=
room=
trap '[ -z "$server" ] || kill "$server"; [ -z "$room" ] || kill "$room"; rm -rf "$work"' EXIT
ip link set lo up

for example in ${HWS_EXAMPLES:-echo_server echo_server_udp poll_server uv_echo multihomed_client file \
    engine_alone shards}; do
    check "$example" "$example"
    [ -z "$server" ] || stop TERM || :
done
[ "$failures" -eq 0 ]
