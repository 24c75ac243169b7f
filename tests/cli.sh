#!/usr/bin/env bash
# The hawser program from outside: exit codes, messages, files through cat, many peers at echo. All
# over UDP on the loopback interface, so that no privilege is needed.
# Usage: cli.sh PROGRAM SOURCE_DIR
set -u
hawser=$1
source_dir=$2
. "$(dirname "$0")/checks.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
udp=29910 # a port of its own for each case: the one before may still be closing

exits() { # CODE PATTERN ARGUMENT...: the exit code, and a message that matches
    code=$1 pattern=$2
    shift 2
    "$hawser" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    got=$?
    [ $got -eq "$code" ] && grep -q -- "$pattern" "$dir/out" "$dir/err"
}

next_port() {
    udp=$((udp + 1))
}

# Waits until something is bound to the UDP port.
wait_for_port() {
    hex=$(printf '%04X' $udp)
    for _ in $(seq 100); do
        grep -q ":$hex " /proc/net/udp /proc/net/udp6 && return
        sleep 0.05
    done
    echo "nothing listens at UDP port $udp"
}

file() { # BYTES NAME
    head -c "$1" /dev/urandom >"$dir/$2"
}

same() {
    [ "$(sha256sum <"$dir/$1")" = "$(sha256sum <"$dir/$2")" ]
}

# ---- Usage ----

check "version" exits 0 '^hawser [0-9]' --version
check "help" exits 0 'hawser cat' --help
check "help of cat" exits 0 '--msg-size' cat --help
check "help of echo" exits 0 '--local' echo --help
check "no command" exits 2 'hawser cat'
check "unknown command" exits 2 "no command 'dog'" dog
check "unknown option" exits 2 'unknown option --nonsense' cat --nonsense h 1
check "missing operand" exits 2 'host and port' cat h
check "UDP with protocol 253" exits 2 'exclude each other' cat --udp --proto 253 h 1
check "-4 with -6" exits 2 'exclude each other' cat -4 -6 h 1
check "echo does not connect" exits 2 'only listens' echo h 1
check "ping needs a host" exits 2 'host and port' ping 1
check "ping does not listen" exits 2 'unknown option -l' ping -l 1
check "ping: unknown host" exits 2 'cannot find the host' ping --udp name.invalid 1
check "bad port" exits 2 'no SCTP port' cat h 65536
check "unknown host" exits 1 'cannot find the host' cat --udp name.invalid 1
check "a host without a name" exits 1 "cannot find the host ''" cat --udp 127.0.0.1,,127.0.0.2 1
check "nine addresses of one peer" exits 2 'more than 8 addresses' cat --udp \
    127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5,127.0.0.6,127.0.0.7,127.0.0.8,127.0.0.9 1
check "foreign local address" exits 1 'does not have that address' \
    cat --udp=$udp -l 1 --local 192.0.2.99
check "local address of the wrong family" exits 1 'no address of IPv6' \
    cat --udp=$udp -6 -l 1 --local 127.0.0.1
check "trace file that cannot be made" exits 1 'cannot write' \
    cat --udp=$udp -l 1 --trace "$dir/none/trace"
check "nobody listens" exits 1 'Connection refused' cat --udp=1 127.0.0.1 5000

for command in cat echo ping dump; do
    "$hawser" $command --help | grep -o -- '--[a-z0-9-]*' | sort -u >"$dir/options"
    while read -r option; do
        check "docs/CLI.md tells of $command $option" \
            grep -q -- "\`[^\`]*$option" "$source_dir/docs/CLI.md"
    done <"$dir/options"
done

# ---- cat ----

# cat_pair NAME "LISTENER OPTIONS" "CONNECTOR OPTIONS" < CONNECTOR'S INPUT
cat_pair() {
    next_port
    # shellcheck disable=SC2086 # options are words
    "$hawser" cat -l 5000 --udp=$udp $2 <"$dir/listener.in" >"$dir/listener.out" \
        2>"$dir/listener.err" &
    listener=$!
    wait_for_port
    # shellcheck disable=SC2086
    timeout 60 "$hawser" cat ${host:-127.0.0.1} 5000 --udp=$udp $3 >"$dir/connector.out" \
        2>"$dir/connector.err"
    code=$?
    wait $listener
    listener_code=$?
    check "$1: connector's exit code" [ $code -eq 0 ]
    check "$1: listener's exit code" [ $listener_code -eq 0 ]
    [ $code -eq 0 ] || cat "$dir/connector.err"
    [ $listener_code -eq 0 ] || cat "$dir/listener.err"
}

file 20000000 big
file 3000 small
: >"$dir/listener.in"

cat_pair "a file" "--stats" "--stats" <"$dir/big"
check "a file: same bytes" same big listener.out
check "a file: counters" grep -q '^{"engine":{"packets_in":[1-9]' "$dir/listener.err"
check "a file: the link's counters" grep -q '"link":{"rx_packets":[1-9].*},"assoc' "$dir/connector.err"
check "a file: its path" grep -q '"remote":"127.0.0.1","local":"127.0.0.1","state":"active","primary":true,"rto_us":[1-9]' \
    "$dir/connector.err"

cat_pair "nothing" "" "" </dev/null
check "nothing: no bytes" [ ! -s "$dir/listener.out" ]

mkfifo "$dir/pipe"
cat "$dir/big" >"$dir/pipe" &
cat_pair "messages of 1000 bytes from a pipe" "" "--msg-size 1000" <"$dir/pipe"
check "messages of 1000 bytes from a pipe: same bytes" same big listener.out

cat_pair "one message of 16 MiB and one less" "" "--msg-size 16777216" <"$dir/big"
check "one message of 16 MiB and one less: same bytes" same big listener.out

cat_pair "unordered on many streams" "" "--unordered --streams 7" <"$dir/big"
check "unordered on many streams: as many bytes" \
    [ "$(wc -c <"$dir/listener.out")" -eq 20000000 ]

cp "$dir/small" "$dir/listener.in"
cat_pair "both directions" "" "--expect 3000" <"$dir/big"
check "both directions: there" same big listener.out
check "both directions: back" same small connector.out
: >"$dir/listener.in"

cat_pair "trace and capture" "" "--trace $dir/trace --pcap $dir/pcap" <"$dir/small"
check "trace and capture: INIT" grep -q 'out .*: INIT ' "$dir/trace"
check "trace and capture: end" grep -q 'out .*: SHUTDOWN-COMPLETE' "$dir/trace"
check "trace and capture: pcapng" \
    [ "$(head -c 4 "$dir/pcap" | od -An -tx1 | tr -d ' ')" = 0a0d0d0a ]

host=127.0.0.3,127.0.0.4
cat_pair "two addresses on either side" "--stats -v --local 127.0.0.3 --local 127.0.0.4" \
    "--local 127.0.0.1 --local 127.0.0.2 --trace $dir/trace" <"$dir/small"
check "two addresses on either side: same bytes" same small listener.out
check "two addresses on either side: told in the INIT" \
    grep -q ': INIT .*IPv4 127.0.0.1, IPv4 127.0.0.2' "$dir/trace"
check "two addresses on either side: told in the INIT ACK" \
    grep -q ': INIT-ACK .*IPv4 127.0.0.3, IPv4 127.0.0.4' "$dir/trace"
check "two addresses on either side: both paths in the counters" grep -q \
    '"remote":"127.0.0.1".*"remote":"127.0.0.2".*"state":"active","primary":false' "$dir/listener.err"
check "two addresses on either side: the second is confirmed" grep -q \
    '^hawser: 20[0-9T:.-]*Z path to 127.0.0.2, port [0-9]*: confirmed$' "$dir/listener.err"
host=127.0.0.1

if grep -q ' lo$' /proc/net/if_inet6 2>/dev/null; then
    host=::1
    cat_pair "IPv6" "-6" "-6" <"$dir/small"
    check "IPv6: same bytes" same small listener.out
    host=localhost
    cat_pair "a name" "" "" <"$dir/small"
    check "a name: same bytes" same small listener.out
    host=127.0.0.1
else
    echo "SKIP  IPv6: the loopback interface has no IPv6 address"
fi

next_port
"$hawser" cat -l 5000 --udp=$udp --stats=1 </dev/null 2>"$dir/listener.err" | (
    sleep 2
    sha256sum
) >"$dir/sum" &
wait_for_port
timeout 60 "$hawser" cat 127.0.0.1 5000 --udp=$udp <"$dir/big"
check "a slow reader: connector's exit code" [ $? -eq 0 ]
wait
check "a slow reader: counters by the second and at the end" \
    [ "$(grep -c '^{"engine"' "$dir/listener.err")" -ge 2 ]
check "a slow reader: same bytes" [ "$(cat "$dir/sum")" = "$(sha256sum <"$dir/big")" ]

# ---- Ends that are not graceful ----

next_port
"$hawser" cat -l 5000 --udp=$udp </dev/null 2>"$dir/listener.err" | head -c 1000 >/dev/null &
wait_for_port
timeout 60 "$hawser" cat 127.0.0.1 5000 --udp=$udp <"$dir/big" 2>"$dir/connector.err"
check "the output is closed: connector's exit code" [ $? -eq 1 ]
wait
check "the output is closed: the listener says so" grep -q 'cannot write' "$dir/listener.err"

next_port
"$hawser" cat -l 5000 --udp=$udp </dev/null >/dev/null 2>"$dir/listener.err" &
listener=$!
wait_for_port
(sleep 60 & echo $! >"$dir/sleep"; wait) |
    "$hawser" cat 127.0.0.1 5000 --udp=$udp 2>"$dir/connector.err" &
sleep 0.5
kill -TERM $listener
wait $listener
check "an interrupted listener: exit code" [ $? -eq 1 ]
sleep 0.5
check "an interrupted listener: the connector says so" grep -q 'reset' "$dir/connector.err"
kill "$(cat "$dir/sleep")"
wait

# ---- Standard descriptors that are closed, files that are full ----

next_port
"$hawser" cat -l 5000 --udp=$udp --pcap "$dir/pcap" </dev/null >&- 2>"$dir/listener.err" &
listener=$!
wait_for_port
timeout 60 "$hawser" cat 127.0.0.1 5000 --udp=$udp <"$dir/big" 2>"$dir/connector.err"
check "stdout is closed: connector's exit code" [ $? -eq 1 ]
wait $listener
check "stdout is closed: exit code" [ $? -eq 1 ]
check "stdout is closed: it says so" grep -q 'cannot write the output: Bad file' "$dir/listener.err"
check "stdout is closed: nothing else is written to instead" \
    exits 0 'INIT ' dump -r "$dir/pcap" --udp-port $udp

next_port
"$hawser" cat -l 5000 --udp=$udp </dev/null >"$dir/listener.out" &
listener=$!
wait_for_port
timeout 60 "$hawser" cat 127.0.0.1 5000 --udp=$udp <&- >&- 2>&-
check "all are closed: the input has ended" [ $? -eq 0 ]
wait $listener
check "all are closed: the listener's exit code" [ $? -eq 0 ]

for option in trace pcap qlog; do
    next_port
    "$hawser" cat -l 5000 --udp=$udp </dev/null >/dev/null &
    wait_for_port
    timeout 60 "$hawser" cat 127.0.0.1 5000 --udp=$udp --$option /dev/full <"$dir/big" \
        2>"$dir/connector.err"
    check "--$option on a full disk: exit code" [ $? -eq 1 ]
    check "--$option on a full disk: it says so" grep -q 'No space left' "$dir/connector.err"
    wait
done

next_port
"$hawser" cat -l 5000 --udp=$udp </dev/null >/dev/null 2>&1 &
wait_for_port
timeout 60 "$hawser" cat 127.0.0.1 5000 --udp=$udp <"$dir" 2>"$dir/connector.err"
check "the input is a directory: exit code" [ $? -eq 1 ]
check "the input is a directory: it says so" \
    grep -q 'cannot read the input: Is a directory' "$dir/connector.err"
wait

for signal in HUP TERM; do
    next_port
    "$hawser" cat -l 5000 --udp=$udp --trace "$dir/trace" </dev/null >/dev/null 2>&1 &
    listener=$!
    wait_for_port
    (sleep 60 & echo $! >"$dir/sleep"; wait) |
        "$hawser" cat 127.0.0.1 5000 --udp=$udp 2>"$dir/connector.err" &
    for _ in $(seq 400); do
        grep -q ': COOKIE-ACK' "$dir/trace" && break
        sleep 0.05
    done
    kill -$signal $listener
    wait $listener
    check "SIG$signal: the listener's exit code" [ $? -eq 1 ]
    check "SIG$signal: the peer is told" grep -q ' out .*: ABORT' "$dir/trace"
    kill "$(cat "$dir/sleep")"
    wait
done

# ---- Ports that nobody owns ----

for own_host in "" --own-host; do
    next_port
    patience=1 # seconds
    [ -z "$own_host" ] || patience=20
    # shellcheck disable=SC2086 # an option or none
    "$hawser" cat -l 5000 --udp=$udp $own_host </dev/null 2>"$dir/listener.err" &
    listener=$!
    wait_for_port
    timeout 60 "$hawser" ping 127.0.0.1 5001 --udp=$udp -c 2 -i 0.1 -W $patience >"$dir/ping"
    ping_code=$?
    timeout 2 "$hawser" cat 127.0.0.1 5001 --udp=$udp </dev/null 2>"$dir/connector.err"
    code=$?
    kill $listener
    wait $listener
    if [ -n "$own_host" ]; then
        check "with --own-host another port is closed" grep -q 'port 5001: closed, seq=2 time=' \
            "$dir/ping"
        check "with --own-host another port: ping's exit code" [ $ping_code -eq 0 ]
        check "with --own-host another port refuses" grep -q 'Connection refused' "$dir/connector.err"
    else
        check "without --own-host ping gets no answer" grep -q \
            '^2 packets transmitted, 0 received, 100% packet loss, time ' "$dir/ping"
        check "without --own-host ping gets no answer: exit code" [ $ping_code -eq 1 ]
        check "without --own-host another port is silent" [ $code -eq 124 ]
    fi
done

# ---- echo ----

next_port
"$hawser" echo -l 7 --udp=$udp --local 127.0.0.1 --local 127.0.0.2 --stats 2>"$dir/echo.err" &
echo_server=$!
wait_for_port
clients=
for n in 1 2 3 4 5 6; do
    file $((n * 2000000)) in$n
    timeout 60 "$hawser" cat 127.0.0.1 7 --udp=$udp --expect $((n * 2000000)) \
        --msg-size $((n * n * 50000)) <"$dir/in$n" >"$dir/out$n" &
    clients="$clients $!"
done
n=0
for client in $clients; do
    n=$((n + 1))
    wait "$client"
    check "echo, peer $n: exit code" [ $? -eq 0 ]
    check "echo, peer $n: same bytes" same in$n out$n
done
check "echo: what is left of an association that ended" \
    grep -q '^{"associations":\[{"local_port":7,.*"state":"CLOSED","paths":\[{.*}\]}\]}$' "$dir/echo.err"
# ---- ping ----

timeout 60 "$hawser" ping 127.0.0.1 7 --udp=$udp -c 3 -i 0.1 -W 20 --trace "$dir/trace" >"$dir/ping"
check "ping: exit code" [ $? -eq 0 ]
check "ping: open" grep -q '^127.0.0.1 port 7: open, seq=3 time=[0-9.]* ms$' "$dir/ping"
check "ping: statistics" grep -q '^3 packets transmitted, 3 received, 0% packet loss, time ' "$dir/ping"
check "ping: round trips" grep -q '^rtt min/avg/max/mdev = [0-9.]*/[0-9.]*/[0-9.]*/[0-9.]* ms$' "$dir/ping"
check "ping: three INITs and nothing else" [ "$(grep ' out ' "$dir/trace" | grep -vc ': INIT ')" -eq 0 ]

timeout 60 "$hawser" ping 127.0.0.1,127.0.0.2 7 --udp=$udp --assoc -c 3 -i 0.1 -W 20 \
    --trace "$dir/trace" >"$dir/ping"
check "ping --assoc: exit code" [ $? -eq 0 ]
for address in 127.0.0.1 127.0.0.2; do
    check "ping --assoc: HEARTBEATs to $address" grep -q "^$address port 7: HEARTBEAT ACK, seq=1 " "$dir/ping"
    check "ping --assoc: statistics of $address" grep -q -- "^--- $address port 7 ping statistics ---$" "$dir/ping"
done
check "ping --assoc: a graceful end" grep -q ' out .*: SHUTDOWN-COMPLETE' "$dir/trace"

timeout 60 "$hawser" ping 127.0.0.1 7 --udp=1 -c 1 -W 10 >"$dir/ping"
check "ping: ICMP: exit code" [ $? -eq 1 ]
check "ping: ICMP" grep -q 'port 7: ICMP port unreachable, seq=1$' "$dir/ping"

for kind in "" --assoc; do
    : >"$dir/ping"
    # shellcheck disable=SC2086 # an option or none
    "$hawser" ping 127.0.0.1 7 --udp=$udp -i 60 -W 20 $kind >"$dir/ping" &
    ping=$!
    for _ in $(seq 400); do
        grep -q 'seq=1 ' "$dir/ping" && break
        sleep 0.05
    done
    kill -INT $ping
    wait $ping
    check "ping $kind: interrupted: exit code" [ $? -eq 0 ]
    check "ping $kind: interrupted: statistics" grep -q ' [1-9] received, 0% packet loss' "$dir/ping"
done

for kind in "" --assoc; do
    # shellcheck disable=SC2086 # an option or none
    (
        timeout 20 "$hawser" ping 127.0.0.1 7 --udp=$udp -i 0.1 -W 20 $kind 2>"$dir/ping.err"
        echo $? >"$dir/code"
    ) | head -n 2 >/dev/null
    check "ping $kind: nobody reads: exit code" [ "$(cat "$dir/code")" -eq 2 ]
    check "ping $kind: nobody reads: it says so" grep -q 'cannot write the output$' "$dir/ping.err"
done

kill -USR1 $echo_server
for _ in $(seq 100); do
    grep -q '^{"engine"' "$dir/echo.err" && break
    sleep 0.05
done
check "echo: counters at SIGUSR1" grep -q '^{"engine"' "$dir/echo.err"
kill -INT $echo_server
wait $echo_server
check "echo: exit code when interrupted" [ $? -eq 0 ]
check "echo: six associations, and three of ping --assoc" grep -q '"assocs_passive":9,' "$dir/echo.err"

echo "$failures failed"
[ $failures -eq 0 ]
