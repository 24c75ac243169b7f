#!/usr/bin/env bash
# `hawser plot`: the pictures of a recorded run mark what its qlog files tell, the same files make the
# same bytes, and what cannot be drawn is said.
# Usage: plot.sh PROGRAM SWARM SOURCE_DIR
set -euo pipefail

hawser=$1 swarm=$2 source_dir=$3
. "$(dirname "$0")/checks.sh"

if ! command -v gnuplot >/dev/null; then
    echo "SKIP: takes gnuplot: apt install gnuplot-nox"
    exit 77
fi

# Usage: fails CODE PATTERN ARGUMENT..: plot ends with the code and says so.
fails()
{
    local code=$1 pattern=$2 got=0
    shift 2
    "$hawser" plot "$@" >/dev/null 2>"$work/err" || got=$?
    cat "$work/err"
    [ "$got" -eq "$code" ] && grep -q -- "$pattern" "$work/err"
}

# Usage: shows PICTURE TEXT..: each is written in it.
shows()
{
    local picture=$1 text
    shift
    for text; do
        grep -qF -- "$text" "$picture" || { echo "not in $picture: $text"; return 1; }
    done
}

shows_not()
{
    ! shows "$@"
}

# Usage: draw PICTURE ARGUMENT..: nothing is said.
draw()
{
    local picture=$1
    shift
    "$hawser" plot -o "$picture" "$@" >"$work/complaints" 2>&1
    cat "$work/complaints"
    [ ! -s "$work/complaints" ]
}

# A world in which both hosts send something again, with no more paths and streams than are drawn of both
# together; what a seed means changes with the swarm.
record()
{
    local seed
    for ((seed = 1; seed < 300; seed++)); do
        HWS_SIM_SEED=$seed HWS_SIM_QLOG=$work "$swarm" >"$work/packets"
        if grep -q packet_retransmitted "$one" && grep -q packet_retransmitted "$other" &&
            draw "$work/tried.svg" "$one" "$other" >/dev/null; then
            return
        fi
    done
    echo "plot: no world of the swarm has what is needed" >&2
    return 1
}

check_pictures()
{
    check_quietly "a picture" draw "$work/all.svg" "$one"
    check_quietly "losses and retransmissions are marked" python3 "$source_dir/tests/plot_check.py" \
        "$work/all.svg" "$one"
    check_quietly "four panels" shows "$work/all.svg" "DATA chunks" "Congestion window and flight" \
        "Round-trip time and retransmission timeout" "Queues of streams"
    check_quietly "its curves" shows "$work/all.svg" "cumulative TSN ack" "path 0 cwnd" "path 0 flight" \
        "path 0 SRTT" "path 0 RTO" "stream 0"
    check_quietly "the same again" draw "$work/again.svg" "$one"
    check_quietly "the same bytes" cmp "$work/all.svg" "$work/again.svg"
    "$hawser" plot "$one" >"$work/stdout.svg"
    check_quietly "to stdout" cmp "$work/all.svg" "$work/stdout.svg"
    check_quietly "one panel" draw "$work/cwnd.svg" --what cwnd "$one"
    check_quietly "and no other" shows_not "$work/cwnd.svg" "DATA chunks"
    cp "$other" "$work/it's_a^b.sqlog"
    check_quietly "two files compared" draw "$work/two.svg" "$one" "$work/it's_a^b.sqlog"
    check_quietly "two files: both named" shows "$work/two.svg" "host-0 " "it's_a^b "
    cp "$other" "$work/$(printf 'ä%s\377%059d<&>ö' "it's" 0).sqlog"
    check_quietly "a name that is not all text" draw "$work/names.svg" "$one" "$work/ä"*
    check_quietly "its picture is one" python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$work/names.svg"
    check_quietly "with what of it is" shows "$work/names.svg" "ä" "s?000"
    check_quietly "two files: marks" python3 "$source_dir/tests/plot_check.py" "$work/two.svg" "$one" "$other"
}

check_complaints()
{
    head -c -30 "$one" >"$work/cut.sqlog"
    check_quietly "a cut record is left out" fails 0 "the last record was cut off" "$work/cut.sqlog"
    head -n 1 "$one" >"$work/empty.sqlog"
    check_quietly "nothing to draw" fails 1 "nothing to draw" "$work/empty.sqlog"
    check_quietly "no such file" fails 1 "cannot read /none" /none
    check_quietly "no qlog file" fails 1 "is no qlog file" "$0"
    sed 's/"tsn":[0-9]*/"tsn":-1/' "$one" >"$work/wrong.sqlog"
    check_quietly "a wrong record" fails 1 "record [0-9]*: no number, or one out of its range, as 'tsn'" \
        "$work/wrong.sqlog"
    { cat "$one"; printf '\036{"time":1,\n'; } >"$work/broken.sqlog"
    check_quietly "no JSON" fails 1 "broken.sqlog: record [0-9]*: " "$work/broken.sqlog"
    sed 's/"group_id":"/&0123/' "$one" >"$work/wrong.sqlog"
    check_quietly "a group that is no tag" fails 1 "record [0-9]*: no verification tag as 'group_id'" \
        "$work/wrong.sqlog"
    sed 's/"time":[0-9.]*/"time":-1/' "$one" >"$work/wrong.sqlog"
    check_quietly "a time that cannot be" fails 1 "record [0-9]*: no number, or one out of its range, as 'time'" \
        "$work/wrong.sqlog"
    check_quietly "no place for it" fails 1 "cannot write /none/x" -o /none/x "$one"
    PATH=/none "$hawser" plot -o "$work/none.svg" "$one" 2>"$work/err" || :
    check_quietly "no gnuplot" grep -q 'apt install gnuplot-nox$' "$work/err"
    check_quietly "and no picture left behind" [ ! -e "$work/none.svg" ]
    ln -s /dev/null "$work/link.svg"
    PATH=/none "$hawser" plot -o "$work/link.svg" "$one" 2>"$work/err" || :
    check_quietly "a link is left behind" [ -L "$work/link.svg" ]
    cp "$one" "$work/input.sqlog"
    ln "$work/input.sqlog" "$work/same.svg"
    check_quietly "no picture over what is drawn" fails 2 "same.svg is to be read" -o "$work/same.svg" \
        "$one" "$work/input.sqlog"
    check_quietly "and that is as it was" cmp "$one" "$work/input.sqlog"
    check_quietly "no file named" fails 2 "one or more files"
    check_quietly "an unknown panel" fails 2 "must be sequence" --what other "$one"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one=$work/host-0.sqlog other=$work/host-1.sqlog
record
check_pictures
check_complaints
[ "$failures" -eq 0 ]
