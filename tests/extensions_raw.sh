#!/usr/bin/env bash
# The example extensions delaycc and redundant over raw sockets between two network namespaces: what
# they bring is found by name, and every message arrives once and in order; with redundant each on
# both links, also when one of them is cut in the middle. Latencies are printed and decide nothing.
# Usage: extensions_raw.sh SOURCE_DIR TESTS_DIR EXTENSIONS_DIR
set -euo pipefail

source_dir=$1
tool=$2/extension_tool
extensions=$3

. "$source_dir/tests/checks.sh"
enter_rooms "$@"

# Packets that came to room B over an interface.
received()
{
    rooms_run B ip -s -j link show dev "$1" | sed 's/.*"rx":{"bytes":[0-9]*,"packets":\([0-9]*\).*/\1/'
}

# Usage: begin FILE.so OPTION NAME COUNT BYTES INTERVAL_US: both ends over both links; the sender's
# process id is in $sender.
begin()
{
    rooms_start B "$work/serve.log" "$tool" serve 10.77.0.2,10.78.0.2 5000
    server=$ROOMS_PID
    rooms_wait_line 20 "$work/serve.log" '^listening' || give_up "the server does not listen"
    rooms_start A "$work/send.log" "$tool" send "$extensions/$1" "$2" "$3" 10.77.0.1,10.78.0.1 \
        10.77.0.2,10.78.0.2 5000 "$4" "$5" "$6"
    sender=$ROOMS_PID
}

# Usage: end WHAT COUNT: both ends finish, and so many messages came.
end()
{
    rooms_join 60 "$sender" || give_up "$1: the sender"
    rooms_join 60 "$server" || give_up "$1: the receiver"
    grep -q "^$2 messages," "$work/serve.log" || give_up "$1: not all messages came"
    echo "ok    $1: $(tail -n 1 "$work/serve.log"); $(tail -n 1 "$work/send.log")"
}

# Usage: cut_one NAME: 100 messages, 10 ms apart, while link 1 is cut after a third of them. How many
# packets came over link 2 is in $over_two.
cut_one()
{
    local before
    before=$(received vb2)
    begin redundant.so pathsel "$1" 100 200 10000
    sleep 0.4
    rooms_cut 1
    sleep 0.8
    rooms_mend
    end "$1, link 1 cut" 100
    over_two=$(($(received vb2) - before))
}

rooms_up
rooms_second_link
rooms_neighbours
begin delaycc.so cc delaycc 1000 16000 0
end "delaycc" 1000
cut_one primary
primary=$over_two
cut_one redundant
[ "$over_two" -ge 100 ] || give_up "redundant: $over_two packets over link 2"
[ "$primary" -lt "$over_two" ] || give_up "primary: $primary packets over link 2, redundant: $over_two"
