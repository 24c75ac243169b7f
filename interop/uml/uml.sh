# shellcheck shell=bash
#
# A Linux kernel's SCTP as a peer, on hosts whose own kernel has none: Debian's user-mode Linux runs
# a kernel as an ordinary process and brings sctp.ko. Source rooms.sh first, and make room U with
# rooms_tap_up; the guest is the other end of its TAP: 10.77.1.2 and fd77:0:0:1::2.
#
#   uml_up TOOLS             boot (2-3 s); TOOLS: the directory that has kernel_peer, guest_insmod
#   uml_start NAME CMD..     start CMD in the guest; its output appears in "$(uml_output NAME)"
#   uml_join SECS NAME       let it end: its exit code, 124 when time is over
#   uml_stop NAME            end it
#   uml_down                 switch off
#
# The guest sees the host's files read-only; UML_SHARE (there: /mnt) is writable on both sides.
# It boots once and takes any number of commands.

UML_PID=
UML_SHARE=
UML_CONSOLE=
UML_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

uml_need()
{
    if ! command -v linux.uml >/dev/null; then
        rooms_say "linux.uml is not installed (Debian: user-mode-linux)"
        return 1
    fi
    [ -x "$1/kernel_peer" ] || { rooms_say "$1/kernel_peer is not built"; return 1; }
}

uml_up()
{
    local tools
    tools=$(cd "$1" && pwd) && uml_need "$tools" || return 1
    UML_SHARE=$(mktemp -d "${TMPDIR:-/tmp}/hws-uml-XXXXXX")
    mkfifo "$UML_SHARE/console"
    exec {UML_CONSOLE}<>"$UML_SHARE/console"
    # depth: packets per readv/writev batch of the vector driver.
    (exec nsenter --net="/run/netns/$(rooms_ns U)" -- linux.uml mem=256M root=/dev/root \
        rootfstype=hostfs rootflags=/ ro quiet noreboot uml_dir="$UML_SHARE/" \
        init="$UML_HERE/init.sh" hws_share="$UML_SHARE" hws_tools="$tools" \
        hws_mtu="$(uml_mtu)" con=null con0=fd:0,fd:1 \
        vec0:transport=tap,ifname=tap0,depth=128) \
        <&"$UML_CONSOLE" >"$UML_SHARE/boot.log" 2>&1 &
    UML_PID=$!
    rooms_wait 30 uml_settled || :
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

uml_down()
{
    [ -n "$UML_PID" ] || return 0
    echo off >&"$UML_CONSOLE"
    rooms_wait 5 rooms_gone "$UML_PID" || kill -KILL "$UML_PID" 2>/dev/null || :
    wait "$UML_PID" 2>/dev/null || :
    exec {UML_CONSOLE}>&-
    rm -rf "$UML_SHARE"
    UML_PID=
}
