#!/usr/bin/env bash
# hawser sim: results that are equal in every build and on every machine, the documents' and the
# examples' scenarios, what wrong files are told, and laws that hold whatever the engine does.
# Usage: simulator.sh check PROGRAM SOURCE_DIR
#        simulator.sh commit PROGRAM SOURCE_DIR    writes tests/simulator/everything.csv of today
# Every build compares with that one file: gcc's, clang's, with and without optimisation and sanitizers.
# A change of the engine's behaviour changes it: look at the difference, and commit it with the change.
set -euo pipefail

action=$1
program=$2
source_dir=$3
scenario=$source_dir/tests/simulator/everything.sim
expected=$source_dir/tests/simulator/everything.csv
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail()
{
    echo "simulator: $*" >&2
    failed=1
}

run_everything()
{
    "$program" sim --seeds 2 --csv "$1.csv" --json "$1.json" --samples "$1.samples" "$scenario" >"$1.txt"
}

# Usage: value FILE WHAT: the mean of the one line that begins with WHAT.
value()
{
    awk -F, -v what="$2," 'index($0, what) == 1 { print $(NF - 1) }' "$1"
}

check_repeats()
{
    local kind
    run_everything "$dir/first"
    run_everything "$dir/second"
    for kind in csv json samples txt; do
        cmp "$dir/first.$kind" "$dir/second.$kind" || fail "two runs of one scenario differ"
    done
    diff "$expected" "$dir/first.csv" >"$dir/difference" || {
        fail "results differ from tests/simulator/everything.csv (< there, > here):"
        head -n 20 "$dir/difference" >&2
        echo "Where no change of the engine explains that, it is a fault; else: $0 commit PROGRAM SOURCE_DIR" >&2
    }
    "$program" sim --seed 3 --csv "$dir/other.csv" "$scenario" >"$dir/other.txt"
    if cmp -s "$dir/other.csv" "$dir/first.csv"; then fail "another seed changes nothing"; fi
}

check_json()
{
    python3 - "$dir/first.json" "$dir/first.csv" <<'END' || fail "the JSON is not what the CSV says"
import csv, json, sys
points = json.load(open(sys.argv[1]))["points"]
rows = list(csv.DictReader(open(sys.argv[2])))
figures = [(point["set"], r) for point in points for r in point["results"]]
assert len(figures) == len(rows) > 100, (len(figures), len(rows))
for (point, r), row in zip(figures, rows):
    assert all(row[key] == value for key, value in point.items())
    assert (r["item"], r["name"], r["way"], r["metric"]) == (row["item"], row["name"], row["way"], row["metric"])
    assert abs(r["mean"] - float(row["mean"])) < 1e-6 and abs(r["ci95"] - float(row["ci95"])) < 1e-6
    assert len(r["values"]) == 2 and abs(sum(r["values"]) / 2 - r["mean"]) <= 0.001
END
}

# A full link carries its rate: 1500 bytes of IP of which 1452 are user data, less handshake and slow start.
check_rate()
{
    local goodput
    "$program" sim --csv "$dir/rate.csv" --set simulation.warmup=3s "$source_dir/examples/scenarios/bulk.sim" >/dev/null
    goodput=$(value "$dir/rate.csv" association,a,forward,,goodput)
    { [ "${goodput%.*}" -gt 95000000 ] && [ "${goodput%.*}" -lt 96800000 ]; } ||
        fail "$goodput bit/s of user data over 100 Mbit/s"
}

# Usage: two_hosts FILE LINE..: a scenario of hosts a and b with the link l of these lines and the association x
# from a to b; stdin goes on with it.
two_hosts()
{
    {
        printf '[host a]\n[host b]\n[link l]\nends = a b\n'
        printf '%s\n' "${@:2}" '[association x]' 'from = a' 'to = b' 'nodelay = yes'
        cat
    } >"$1"
}

# Delay and nothing else: a message of one packet takes exactly that, a response twice that.
check_latency()
{
    two_hosts "$dir/latency.sim" 'delay = 30ms' <<'END'
[workload message]
association = x
kind = periodic
interval = 100ms
size = 100
start = 1s
[workload question]
association = x
kind = request
stream = 1
size = 100
response = 100
interval = 100ms
start = 1s
END
    "$program" sim --csv "$dir/latency.csv" "$dir/latency.sim" >/dev/null
    [ "$(value "$dir/latency.csv" stream,x,forward,0,latency_max)" = 30000 ] || fail "30 ms are not 30 ms"
    [ "$(value "$dir/latency.csv" stream,x,reverse,1,latency_max)" = 60000 ] || fail "twice 30 ms are not 60 ms"
    [ "$(value "$dir/latency.csv" stream,x,forward,0,messages)" = 90 ] || fail "a message in 100 ms, for 9 s, is 90"
}

# Usage: shares SCHEDULER SECOND_TO_FIRST [POINT,]: two workloads that always have something, messages of 1000
# bytes on stream 0 and of 3000 on stream 1: the second one's goodput is so many times the first one's.
shares()
{
    local first second
    "$program" sim --csv "$dir/shares.csv" --set "association.x.sched=$1" "$dir/shares.sim" >/dev/null
    first=$(value "$dir/shares.csv" "${3:-}stream,x,forward,0,goodput")
    second=$(value "$dir/shares.csv" "${3:-}stream,x,forward,1,goodput")
    awk -v a="$first" -v b="$second" -v times="$2" 'BEGIN { exit !(b > 0.95 * times * a && b < 1.05 * times * a) }' ||
        fail "$1: $first and $second, not 1 to $2"
}

# What streams get is the scheduler's choice, not that of who finds room in the send buffer: each has
# something to send all the time.
check_shares()
{
    two_hosts "$dir/shares.sim" 'rate = 10Mbit/s' 'delay = 10ms' <<'END'
[simulation]
duration = 12s
warmup = 2s
[workload short]
association = x
size = 1000
[workload long]
association = x
size = 3000
stream = 1
END
    sed -i 's/^\[association x\]$/&\nsched = fcfs/' "$dir/shares.sim"
    shares rr 3
    # A key that is set is not swept any more.
    printf '[sweep]\nassociation.x.sched = rr, rr\n' >>"$dir/shares.sim"
    shares fcfs 1 fcfs,
}

# No workload makes a message once it has stopped, whatever its kind: without an interval it is a response or
# free room that asks for the next one.
check_stop()
{
    local kind
    two_hosts "$dir/stop.sim" 'rate = 100Mbit/s' 'delay = 10ms' <<'END'
[simulation]
duration = 4s
warmup = 2s
[workload w]
association = x
kind = bulk
size = 1000
stop = 1s
on = 3s
off = 1s
END
    for kind in bulk request onoff; do
        "$program" sim --csv "$dir/stop.csv" --set "workload.w.kind=$kind" --set simulation.warmup=0 "$dir/stop.sim" >/dev/null
        [ "$(value "$dir/stop.csv" association,x,forward,,messages)" -gt 10 ] || fail "$kind delivers nothing before it stops"
        "$program" sim --csv "$dir/stop.csv" --set "workload.w.kind=$kind" "$dir/stop.sim" >/dev/null
        [ "$(value "$dir/stop.csv" association,x,forward,,messages)" = 0 ] || fail "$kind does not stop"
    done
}

# Of two requests the second one's response comes later by its own transmission, 80 ms. Each is followed after
# the interval from its own response, and they are no more in each other's way.
check_requests()
{
    local latest
    two_hosts "$dir/requests.sim" 'rate = 1Mbit/s' 'delay = 10ms' <<'END'
[simulation]
warmup = 3s
[workload w]
association = x
kind = request
size = 100
response = 10KB
outstanding = 2
interval = 100ms
END
    "$program" sim --csv "$dir/requests.csv" "$dir/requests.sim" >/dev/null
    latest=$(value "$dir/requests.csv" association,x,reverse,,latency_max)
    { [ "$latest" -gt 100000 ] && [ "$latest" -lt 120000 ]; } || fail "a response of 80 ms came after $latest us"
}

# Six messages of 64 KB over 1 Mbit/s are in the send buffer at once, and delivered after 3.2 seconds.
check_completion()
{
    local completion
    two_hosts "$dir/completion.sim" 'rate = 1Mbit/s' 'queue = 1MB' <<'END'
[simulation]
duration = 2s
[workload w]
association = x
size = 64KB
messages = 6
END
    "$program" sim --csv "$dir/completion.csv" "$dir/completion.sim" >/dev/null
    [ "$(value "$dir/completion.csv" association,x,forward,,completion)" = 0 ] || fail "complete with messages on their way"
    "$program" sim --csv "$dir/completion.csv" --set simulation.duration=9s "$dir/completion.sim" >/dev/null
    completion=$(value "$dir/completion.csv" association,x,forward,,completion)
    { [ "$completion" -gt 3100000 ] && [ "$completion" -lt 3400000 ]; } ||
        fail "the last of 384 KB over 1 Mbit/s was delivered after $completion us"
}

check_files()
{
    local file extension options count=0
    sed -n '/^```ini$/,/^```$/p' "$source_dir/docs/SIMULATOR.md" | grep -v '^```' >"$dir/document.sim"
    for file in "$dir/document.sim" "$source_dir"/examples/scenarios/*.sim; do
        # The comment of one that needs an extension says which.
        extension=$(sed -n 's/.*--extension \([a-z]*\.so\).*/\1/p' "$file" | head -n 1)
        options=(--set simulation.duration=4s --set simulation.warmup=0)
        [ -z "$extension" ] || options+=(--extension "$(dirname "$program")/../examples/extensions/$extension")
        if grep -q '^stack = usrsctp' "$file" && [ ! -x "$(dirname "$program")/hawser-sim-usrsctp" ]; then
            continue
        fi
        "$program" sim "${options[@]}" --csv "$dir/file.csv" "$file" >"$dir/file.txt" ||
            fail "$file does not run"
        grep -q '^association' "$dir/file.txt" || fail "$file has no table"
        awk -F, '/,goodput,/ && /association,/ && $(NF - 1) > 0 { found = 1 } END { exit !found }' "$dir/file.csv" ||
            fail "$file: nothing was delivered"
        count=$((count + 1))
    done
    [ "$count" -ge 3 ] || fail "only $count scenarios were found"
}

# Captures of virtual time are read back: what was sent, and what of it came.
check_captures()
{
    local sent came packets
    "$program" sim --pcap "$dir/pcap" --csv "$dir/captured.csv" --set simulation.duration=2s \
        "$source_dir/examples/scenarios/bulk.sim" >/dev/null
    packets=$(value "$dir/captured.csv" association,a,forward,,packets)
    sent=$("$program" dump -r "$dir/pcap/client-p0-s1.pcapng" | grep -c DATA)
    came=$("$program" dump -r "$dir/pcap/server-p0-s1.pcapng" | grep -c DATA)
    { [ "$came" -gt 1000 ] && [ "$came" -le "$sent" ] && [ "$sent" -le "$packets" ]; } ||
        fail "$packets packets were sent, captures have $sent and $came with DATA"
}

# A server with more links than an association has paths, and more associations than one engine sees
# every day. Some lose their first packets to the others' slow start, and T3 backs off for seconds.
check_crowd()
{
    local i
    {
        printf '[simulation]\nduration = 6s\n[host server]\n'
        for i in $(seq 12); do
            printf '[host c%d]\n[link l%d]\nends = c%d server\nrate = 100Mbit/s\nqueue = 1MB\ndelay = 5ms\n' "$i" "$i" "$i"
            printf '[association x%d]\nfrom = c%d\nto = server\ncount = 20\nstart_jitter = 100ms\n' "$i" "$i"
            printf '[workload w%d]\nassociation = x%d\nsize = 5KB\n' "$i" "$i"
        done
    } >"$dir/crowd.sim"
    "$program" sim --csv "$dir/crowd.csv" "$dir/crowd.sim" >/dev/null
    [ "$(grep -c '^association,x.*,goodput,' "$dir/crowd.csv")" = 240 ] || fail "12 times 20 associations are not 240"
    if grep -q '^association,x.*,goodput,bit/s,0,' "$dir/crowd.csv"; then fail "an association of a crowd delivered nothing"; fi
}

# More links one behind the other than a byte can count.
check_chain()
{
    local i
    {
        printf '[host a]\n[host b]\n[router r0]\n[link l0]\nends = a r0\ndelay = 1ms\n'
        for i in $(seq 299); do
            printf '[router r%d]\n[link l%d]\nends = r%d r%d\n' "$i" "$i" "$((i - 1))" "$i"
        done
        printf '[link l300]\nends = r299 b\n[association x]\nfrom = a\nto = b\nnodelay = yes\n'
        printf '[workload w]\nassociation = x\nkind = periodic\ninterval = 100ms\nsize = 100\nstart = 1s\n'
    } >"$dir/chain.sim"
    "$program" sim --csv "$dir/chain.csv" "$dir/chain.sim" >/dev/null || fail "300 routers in a row"
    [ "$(value "$dir/chain.csv" association,x,forward,,latency_max)" = 1000 ] || fail "no millisecond over 300 routers"
}

# Both ends of associations with usrsctp, and one of each, in both directions.
check_usrsctp()
{
    local line
    [ -x "$(dirname "$program")/hawser-sim-usrsctp" ] || { echo "simulator: without usrsctp, which is not installed"; return; }
    sed 's/^\[host b\]/[host b]\nstack = usrsctp/; s/^\[link l\]/[link l]\nrate = 10Mbit\/s\nloss = 1%/' "$dir/latency.sim" >"$dir/mixed.sim"
    sed 's/^\[host a\]/[host a]\nstack = usrsctp/' "$dir/mixed.sim" >"$dir/both.sim"
    for file in mixed both; do
        "$program" sim --seeds 2 --csv "$dir/$file.1" "$dir/$file.sim" >/dev/null || fail "$file: usrsctp does not run"
        "$program" sim --seeds 2 --csv "$dir/$file.2" "$dir/$file.sim" >/dev/null
        cmp "$dir/$file.1" "$dir/$file.2" || fail "$file: two runs with usrsctp differ"
        for line in stream,x,forward,0 stream,x,reverse,1; do
            [ "$(value "$dir/$file.1" "$line,messages" | cut -d. -f1)" -ge 30 ] || fail "$file: $line delivered too little"
        done
    done
}

# Usage: wrong MESSAGE FILE_TEXT [ARGUMENT]..: that text is refused with that message, and exit code 2.
wrong()
{
    local message=$1 rc=0
    printf '%b' "$2" >"$dir/wrong.sim"
    shift 2
    "$program" sim "$@" "$dir/wrong.sim" >"$dir/wrong.out" 2>"$dir/wrong.err" || rc=$?
    [ "$rc" = 2 ] || fail "exit code $rc instead of 2: $message"
    [ ! -s "$dir/wrong.out" ] || fail "output beside: $message"
    grep -qF -- "$message" "$dir/wrong.err" || fail "instead of '$message': $(cat "$dir/wrong.err")"
}

check_errors()
{
    local hosts='[host a]\n[host b]\n[link l]\nends = a b\n'
    local assoc="$hosts[association x]\nfrom = a\nto = b\n"
    local delaycc; delaycc=$(dirname "$program")/../examples/extensions/delaycc.so
    wrong "wrong.sim:1: 'nonsense' is neither a [section] nor key = value" 'nonsense\n'
    wrong "wrong.sim:1: 'a' stands before the first [section]" 'a = b\n'
    wrong "there is no section [hots]: it has to be simulation, host," '[hots a]\n'
    wrong 'wrong.sim:2: duration = 10: has to be a time, such as 10ms' '[simulation]\nduration = 10\n'
    wrong 'duration = 0s: is too little' '[simulation]\nduration = 0s\n'
    wrong "[link] has no key 'speed'" "$hosts"'speed = 1Mbit/s\n'
    wrong 'aqm = red: has to be droptail or codel' "$hosts"'aqm = red\n'
    wrong 'there is no [host c] and no [router c]' '[host a]\n[link l]\nends = a c\n'
    wrong '[host] takes a name' '[host]\n'
    wrong '[host a] is there twice' '[host a]\n[host a]\n'
    wrong "'a' is there twice" '[host a]\n[router a]\n'
    wrong "'rate' is given twice" "$hosts"'rate = 1Mbit/s\nrate = 2Mbit/s\n'
    wrong 'there have to be 1 to 25000 associations' "$hosts"
    wrong "[association] has no key 'rto_mni'" "$assoc"'rto_mni = 1s\n'
    wrong 'rto_min = 1: has to be a time' "$assoc"'rto_min = 1\n'
    wrong 'the parameters of its from side are not allowed' "$assoc"'from.rto_min = 100s\n'
    wrong "association x: host a has no cc 'nobody', but rfc9260; --extension FILE loads others" "$assoc"'cc = nobody\n'
    wrong "has no sched '', but fcfs rr;" "$assoc"'sched = fcfs\n' --set association.x.sched=
    wrong "has no pathsel 'rr', but primary;" "$assoc"'pathsel = rr\n'
    wrong 'extension delaycc: there is another one of that name' "$assoc" --extension "$delaycc" --extension "$delaycc"
    wrong '[association x] has to stop after it starts' "$assoc"'start = 5s\nstop = 5s\n'
    wrong 'has to stop after it starts, start_jitter included' "$assoc"'stop = 1s\nstart_jitter = 2s\n'
    wrong 'there is no way' '[host a]\n[host b]\n[association x]\nfrom = a\nto = b\n'
    wrong 'is periodic and needs interval' "$assoc"'[workload w]\nassociation = x\nkind = periodic\n'
    wrong 'uses stream 10; its association has 10' "$assoc"'[workload w]\nassociation = x\nstream = 10\n'
    wrong 'outages = 1s: has to be times and lengths' "$hosts"'outages = 1s\n'
    wrong 'outages = 1s+5124095h: ten days are the most' "$hosts"'outages = 1s+5124095h\n'
    wrong 'outages: they have to be one after another' "$hosts"'outages = 1s+2s 2s+1s\n'
    wrong "'link.m.rate' names nothing here" "$assoc" --set link.m.rate=1Mbit/s
    wrong "'nothing' is not KIND.NAME.KEY=VALUE" "$assoc" --set nothing
    wrong "wrong.sim:10: rate = fast: has to be a rate" "${hosts}rate = 1Mbit/s\n${assoc#"$hosts"}"'[sweep]\nlink.l.rate = 1Mbit/s, fast\n'
    wrong "wrong.sim:9: 'link.m.rate' names nothing here" "$assoc"'[sweep]\nlink.m.rate = 1Mbit/s\n'
    wrong "wrong.sim: rate = fast: has to be a rate" "${hosts}rate = 1Mbit/s\n" --set link.l.rate=fast
    wrong "there is no stack 'bsd'" "$assoc" --set host.a.stack=bsd
    wrong 'time stands still: ' "$assoc"'[workload w]\nassociation = x\nkind = request\nsize = 100\nresponse = 100\n'
    wrong 'wrong.sim is to be read: name another file to write' "$assoc" --json "$dir/./wrong.sim"
    wrong 'sim takes one operand' "$assoc" one
    if "$program" sim "$dir/latency.sim" >/dev/full 2>"$dir/wrong.err" || ! grep -q 'cannot write' "$dir/wrong.err"; then
        fail "the table was not written, and nothing was said"
    fi
    [ "$("$program" sim "$dir/missing" 2>&1 || :)" = "hawser: $dir/missing: No such file or directory" ] ||
        fail "a file that is not there"
}

case $action in
check)
    check_repeats
    check_json
    check_rate
    check_latency
    check_shares
    check_stop
    check_requests
    check_completion
    check_files
    check_captures
    check_crowd
    check_chain
    check_usrsctp
    check_errors
    exit "$failed"
    ;;
commit)
    run_everything "$dir/first"
    cp "$dir/first.csv" "$expected"
    ;;
*)
    sed -n '4,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
