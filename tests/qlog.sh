#!/usr/bin/env bash
# qlog files are valid by api/trace/qlog.schema.json: those of virtual time, of the hawser program over
# UDP on the loopback interface and over raw sockets in a namespace that loses packets, and of a
# program whose environment asks for one. A file with anything wrong is refused.
# Usage: qlog.sh PROGRAM SWARM EXAMPLES_DIR SOURCE_DIR
set -euo pipefail

hawser=$1 swarm=$2 examples=$3 source_dir=$4
check_file=("$source_dir/tests/qlog_check.py" "$source_dir/api/trace/qlog.schema.json")
. "$(dirname "$0")/checks.sh"

if ! python3 -c 'import jsonschema' 2>/dev/null; then
    echo "SKIP: takes python3-jsonschema: apt install python3-jsonschema"
    exit 77
fi

valid()
{
    python3 "${check_file[@]}" "$@"
}

# Usage: has FILE EVENT: at least one.
has()
{
    grep -q "\"name\":\"sctp:$2\"" "$1"
}

# ---- Virtual time ----

# Usage: live SEED DIR
live()
{
    mkdir -p "$2"
    HWS_SIM_SEED=$1 HWS_SIM_QLOG=$2 "$swarm" >"$2/packets"
}

# Usage: has_all FILE: an event of every name.
has_all()
{
    [ "$(grep -o '"name":"sctp:[a-z_]*"' "$1" | sort -u | wc -l)" -eq 9 ]
}

# A small world in which everything happens. What a seed means changes with the swarm: this one has, or
# the next one that does.
check_virtual_time()
{
    local seed
    for ((seed = 46; seed < 346; seed++)); do
        rm -rf "$work/first"
        live "$seed" "$work/first"
        if has_all "$work/first/host-0.sqlog" && [ "$(cat "$work"/first/*.sqlog | wc -c)" -lt 400000 ]; then
            break
        fi
    done
    live "$seed" "$work/again"
    check_quietly "virtual time: valid" valid "$work"/first/*.sqlog
    check_quietly "virtual time: the same bytes twice" diff -r "$work/first" "$work/again"
    check_quietly "virtual time: events of every name" has_all "$work/first/host-0.sqlog"
}

check_simulator()
{
    local scenario=$source_dir/examples/scenarios/bulk.sim
    local short=(--set simulation.duration=700ms --set link.line.rate=5Mbit/s --set link.line.loss=4% --seed 11)
    "$hawser" sim "${short[@]}" --qlog "$work/sim" "$scenario" >/dev/null
    "$hawser" sim "${short[@]}" --qlog "$work/sim-again" "$scenario" >/dev/null
    check_quietly "simulator: a file for each host" \
        [ "$(ls "$work/sim")" = $'client-p0-s11.sqlog\nserver-p0-s11.sqlog' ]
    check_quietly "simulator: valid" valid "$work"/sim/*.sqlog
    check_quietly "simulator: it loses packets" has "$work/sim/client-p0-s11.sqlog" packet_retransmitted
    check_quietly "simulator: time begins at 0" grep -q '"time":0.000,' "$work/sim/client-p0-s11.sqlog"
    check_quietly "simulator: the same bytes twice" diff -r "$work/sim" "$work/sim-again"
}

check_wrong_files()
{
    check_quietly "wrong files: each is refused" python3 "${check_file[0]}" --spoil "${check_file[1]}" \
        "$work/first/host-0.sqlog"
}

# ---- The hawser program ----

# Usage: transfer NAME OPTION..: a file through cat; qlog files of both ends.
transfer()
{
    local name=$1 listener
    shift
    "$hawser" cat -l "$@" --qlog "$work/$name-server.sqlog" 5000 </dev/null >"$work/out" &
    listener=$!
    sleep 0.3
    "$hawser" cat "$@" --qlog "$work/$name-client.sqlog" --stats 127.0.0.1 5000 \
        <"$work/in" 2>"$work/$name-stats"
    wait "$listener"
    cmp "$work/in" "$work/out"
}

# Retransmissions that --stats counts are all in the file.
told_all()
{
    local told counted
    told=$(grep -c '"name":"sctp:packet_retransmitted"' "$work/loss-client.sqlog")
    counted=$(sed -n 's/.*"retransmits":\([0-9]*\).*/\1/p' "$work/loss-stats")
    echo "told $told, counted $counted"
    [ "$told" -gt 0 ] && [ "$told" -eq "$counted" ]
}

check_program()
{
    head -c 500000 /dev/urandom >"$work/in"
    check_quietly "UDP: the file arrives" transfer udp --udp=29970
    check_quietly "UDP: valid" valid "$work"/udp-*.sqlog
    check_quietly "UDP: a file that cannot be made" grep -q "cannot write /none/x: No such file" <(
        "$hawser" cat --udp=29970 --qlog /none/x 127.0.0.1 5000 2>&1 </dev/null)
    check_quietly "UDP: a disk that is full" grep -q "incomplete: No space left on device" <(
        "$hawser" ping --udp=29971 -c 1 --qlog /dev/full 127.0.0.1 5000 2>&1)
    nft -f - <<<'table ip loss { chain in { type filter hook input priority 0;
        ip protocol 132 numgen random mod 100 < 5 drop; }; }'
    check_quietly "raw, 5 % loss: the file arrives" transfer loss
    check_quietly "raw, 5 % loss: valid" valid "$work"/loss-*.sqlog
    check_quietly "raw, 5 % loss: every retransmission is told" told_all
    nft delete table ip loss
    check_quietly "protocol 253, an extension: the file arrives" transfer fec --proto 253 \
        --extension "$examples/extensions/fec.so"
    check_quietly "protocol 253, an extension: valid" valid "$work"/fec-*.sqlog
    check_quietly "protocol 253, an extension: its chunks by name" grep -q '"chunk_type":"PARITY","type":' \
        "$work/fec-client.sqlog"
}

# ---- The environment ----

check_environment()
{
    local server
    mkdir "$work/env"
    "$examples/echo_server" >/dev/null &
    server=$!
    sleep 0.3
    check_quietly "HAWSER_QLOG: a file" env HAWSER_QLOG="$work/env.sqlog" "$examples/echo_client"
    check_quietly "HAWSER_QLOG: a directory" env HAWSER_QLOG="$work/env" "$examples/echo_client"
    check_quietly "HAWSER_QLOG: valid" valid "$work/env.sqlog" "$work"/env/hawser-*.sqlog
    check_quietly "HAWSER_QLOG: to the end" grep -q '"new":"CLOSED"' "$work/env.sqlog"
    check_quietly "HAWSER_QLOG: a file that cannot be made" grep -q \
        "HAWSER_QLOG=/none/x: cannot write there: No such file" \
        <(HAWSER_QLOG=/none/x "$examples/echo_client" 2>&1)
    kill "$server"
    wait "$server" || :
}

enter_namespace "$@"
ip link set lo up mtu 1500
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check_virtual_time
check_wrong_files
check_simulator
check_program
check_environment
[ "$failures" -eq 0 ]
