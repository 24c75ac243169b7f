# shellcheck shell=bash
#
# A Linux kernel's SCTP as a peer, on hosts whose own kernel has none: Debian's user-mode Linux runs
# a kernel as an ordinary process and brings sctp.ko. Source rooms.sh first, and make room U with
# rooms_tap_up; the guest is the other end of its TAP: 10.77.1.2 and fd77:0:0:1::2.
#
#   uml_up TOOLS             boot (2-3 s); TOOLS: the directory that has kernel_peer, guest_insmod
#   uml_up TOOLS switched    the same behind room B's switch: vec0 and vec1 with B's addresses
#   uml_link_down vec0       take an interface down    uml_link_up vec0   and up, with its addresses
#   uml_kill                 as if its power failed: nothing is sent any more
#   uml_start NAME CMD..     start CMD in the guest; its output appears in "$(uml_output NAME)"
#   uml_join SECS NAME       let it end: its exit code, 124 when time is over
#   uml_stop NAME            end it
#   uml_down                 switch off
#
# The guest sees the host's files read-only; UML_SHARE (there: /mnt) is writable on both sides.
# It boots once and takes any number of commands. UML_MEMORY: how much it has, 256M unless set.

UML_PID=
UML_SHARE=
UML_CONSOLE=
UML_TAP_ADDRESSES=10.77.1.2/24,fd77:0:0:1::2/64
UML_LINK_ADDRESSES=(10.77.0.2/24,fd77::2/64 10.78.0.2/24,fd78::2/64)
UML_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

uml_need()
{
    if ! command -v linux.uml >/dev/null; then
        rooms_say "linux.uml is not installed (Debian: user-mode-linux)"
        return 1
    fi
    [ -x "$1/kernel_peer" ] || { rooms_say "$1/kernel_peer is not built"; return 1; }
}

# Where the guest runs, and what it is told of its interfaces.
uml_place()
{
    # depth: packets per readv/writev batch of the vector driver.
    if [ "$1" = switched ]; then
        UML_ROOM=B
        UML_WORDS=(hws_mtu=1500
            "vec0:transport=tap,ifname=tap0,depth=128,mac=02:00:00:77:00:02" "hws_vec0=${UML_LINK_ADDRESSES[0]}"
            "vec1:transport=tap,ifname=tap1,depth=128,mac=02:00:00:78:00:02" "hws_vec1=${UML_LINK_ADDRESSES[1]}")
    else
        UML_ROOM=U
        UML_WORDS=(hws_mtu="$(uml_mtu)"
            "vec0:transport=tap,ifname=tap0,depth=128,mac=02:00:00:77:00:02" "hws_vec0=$UML_TAP_ADDRESSES")
    fi
}

uml_up()
{
    local tools
    tools=$(cd "$1" && pwd) && uml_need "$tools" || return 1
    uml_place "${2:-}"
    UML_SHARE=$(mktemp -d "${TMPDIR:-/tmp}/hws-uml-XXXXXX")
    mkfifo "$UML_SHARE/console"
    exec {UML_CONSOLE}<>"$UML_SHARE/console"
    (exec nsenter --net="/run/netns/$(rooms_ns "$UML_ROOM")" -- linux.uml "mem=${UML_MEMORY:-256M}" root=/dev/root \
        rootfstype=hostfs rootflags=/ ro quiet noreboot uml_dir="$UML_SHARE/" \
        init="$UML_HERE/init.sh" hws_share="$UML_SHARE" hws_tools="$tools" \
        con=null con0=fd:0,fd:1 "${UML_WORDS[@]}") \
        <&"$UML_CONSOLE" >"$UML_SHARE/boot.log" 2>&1 &
    UML_PID=$!
    rooms_wait 120 uml_settled || :
    if [ ! -e "$UML_SHARE/ready" ]; then
        rooms_say "the user-mode Linux guest did not start:"
        tail -n 25 "$UML_SHARE/boot.log" >&2
        uml_down
        return 1
    fi
}

uml_mtu()
{
    ip -n "$(rooms_ns U)" -o link show tap0 | sed 's/.* mtu \([0-9]*\).*/\1/'
}

uml_link_down()
{
    printf 'down %s\n' "$1" >&"$UML_CONSOLE"
    rooms_wait 30 test -e "$UML_SHARE/$1.down" && return 0
    rooms_say "the guest does not take $1 down: $(tail -n 2 "$UML_SHARE/boot.log")"
    return 1
}

uml_link_up()
{
    printf 'up %s %s\n' "$1" "${UML_LINK_ADDRESSES[${1#vec}]}" >&"$UML_CONSOLE"
    rooms_wait 30 test ! -e "$UML_SHARE/$1.down" && return 0
    rooms_say "the guest does not bring $1 up: $(tail -n 2 "$UML_SHARE/boot.log")"
    return 1
}

uml_settled()
{
    [ -e "$UML_SHARE/ready" ] || rooms_gone "$UML_PID"
}

uml_output()
{
    printf '%s/%s.out' "$UML_SHARE" "$1"
}

# Usage: uml_start NAME COMMAND.. ; NAME is a new one for each command.
uml_start()
{
    local name=$1
    shift
    printf 'run %s %s\n' "$name" "$(printf '%q ' "$@")" >&"$UML_CONSOLE"
}

uml_join()
{
    if ! rooms_wait "$1" test -e "$UML_SHARE/$2.rc"; then
        uml_stop "$2"
        return 124
    fi
    return "$(cat "$UML_SHARE/$2.rc")"
}

uml_stop()
{
    printf 'kill %s\n' "$1" >&"$UML_CONSOLE"
    rooms_wait 5 test -e "$UML_SHARE/$1.rc" || rooms_say "the guest's $1 does not end"
}

# The guest's processes are processes of the host, children of its kernel: all of them end.
uml_kill()
{
    local pids
    mapfile -t pids < <(uml_processes "$UML_PID")
    kill -KILL "${pids[@]}" 2>/dev/null || :
    uml_forget
}

uml_processes()
{
    local child
    echo "$1"
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        uml_processes "$child"
    done
}

uml_forget()
{
    wait "$UML_PID" 2>/dev/null || :
    exec {UML_CONSOLE}>&-
    rm -rf "$UML_SHARE"
    UML_SHARE=
    UML_PID=
}

uml_down()
{
    [ -n "$UML_PID" ] || return 0
    echo off >&"$UML_CONSOLE"
    rooms_wait 5 rooms_gone "$UML_PID" || kill -KILL "$UML_PID" 2>/dev/null || :
    uml_forget
}
