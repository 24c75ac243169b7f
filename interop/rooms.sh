# shellcheck shell=bash
#
# Rooms: network namespaces to run two SCTP stacks against each other without touching the host.
# To be sourced; needs root or `unshare -Urnm` (user, network and mount namespace of one's own).
#
#        room A                                    room B
#   +---------------------+                  +---------------------+
#   | va                  |      veth        |                  vb |
#   |  10.77.0.1/24       +------------------+       10.77.0.2/24  |
#   |  fd77::1/64         |    MTU 1500      |       fd77::2/64    |
#   +---------------------+                  +---------------------+
#
#        room U                               user-mode Linux guest (uml/uml.sh)
#   +---------------------+                  +---------------------+
#   | tap0                |      TAP         |                vec0 |
#   |  10.77.1.1/24       +------------------+       10.77.1.2/24  |
#   |  fd77:0:0:1::1/64   |    MTU 1500      |  fd77:0:0:1::2/64   |
#   +---------------------+                  +---------------------+
#
# Each room has one interface beside lo on purpose: usrsctp picks its source address by scope, not
# by route, and takes the wrong one where a namespace has two networks. For several paths there is a
# second link, and who uses it names its addresses:
#
#   A  va2  10.78.0.1/24  fd78::1/64  ------  B  vb2  10.78.0.2/24  fd78::2/64
#
# With rooms_switch, B is a switch between both veths and two TAPs, and the guest that runs there
# has B's addresses: what is done to the links is the same for every peer.
#
#   rooms_up [MTU]            A and B              rooms_tap_up [MTU]   U, without its guest
#   rooms_second_link [MTU]   va2 and vb2, too     rooms_switch         B becomes a switch
#   rooms_neighbours          both links work      rooms_dropped A      packets dropped
#   rooms_run A CMD..         run in a room        rooms_down           end everything (for a trap)
#   rooms_start A LOG CMD..   in the background, process id in ROOMS_PID
#   rooms_stop PID            end it               rooms_join SECS PID  let it end, its exit code
#   rooms_loss PERCENT        drop in A and B      rooms_noloss         drop no longer
#                                                  rooms_wait SECS CMD.. until CMD succeeds
#   rooms_cut 1|2             lose all on a link   rooms_mend           no longer
#   rooms_link_down A va      take down one end    rooms_link_up A va   bring it back, with addresses
#
# The namespaces are named hws-<pid>-a and so on; nothing outside of them is changed.

ROOMS_PREFIX=hws-$$-
ROOMS_PID=
ROOMS_STARTED=() # process ids we have to end
ROOMS_MADE=()    # rooms we have to remove

rooms_say()
{
    printf 'rooms: %s\n' "$*" >&2
}

rooms_in_user_namespace()
{
    local first outside count
    read -r first outside count </proc/self/uid_map
    [ "$first $outside $count" != "0 0 4294967295" ]
}

# Says what is missing, if anything is.
rooms_need()
{
    local tool
    for tool in ip nsenter nft; do
        command -v "$tool" >/dev/null || { rooms_say "$tool is not installed"; return 1; }
    done
    if [ "$(id -u)" -ne 0 ]; then
        rooms_say "network namespaces need root, or a user namespace: unshare -Urnm COMMAND"
        return 1
    fi
    rooms_private_run
}

# In a user namespace /run may not be writable, and entries made there would stay behind as dead
# files: a private /run for this mount namespace serves both.
rooms_private_run()
{
    if ! rooms_in_user_namespace || [ -e /run/hws-rooms ]; then
        return 0
    fi
    mount -t tmpfs hws-run /run 2>/dev/null && touch /run/hws-rooms && return 0
    rooms_say "this user namespace cannot mount: it needs its own mount namespace, unshare -Urnm"
    return 1
}

rooms_ns()
{
    printf '%s%s' "$ROOMS_PREFIX" "${1,,}"
}

rooms_make()
{
    local ns
    ns=$(rooms_ns "$1")
    if ! ip netns add "$ns"; then
        rooms_say "cannot make a network namespace (CAP_SYS_ADMIN is missing, or a container forbids it)"
        return 1
    fi
    ROOMS_MADE+=("$1")
    ip -n "$ns" link set lo up
}

# nodad: an address under duplicate detection cannot be bound for a second.
rooms_address()
{
    local ns
    ns=$(rooms_ns "$1")
    ip -n "$ns" address add "$3" dev "$2"
    ip -n "$ns" address add "$4" dev "$2" nodad
    ip -n "$ns" link set "$2" mtu "$5" up
}

rooms_up()
{
    local mtu=${1:-1500}
    rooms_need && rooms_make A && rooms_make B || return 1
    ip link add va netns "$(rooms_ns A)" type veth peer name vb netns "$(rooms_ns B)"
    rooms_address A va 10.77.0.1/24 fd77::1/64 "$mtu"
    rooms_address B vb 10.77.0.2/24 fd77::2/64 "$mtu"
}

# Usage: rooms_second_link [MTU]
rooms_second_link()
{
    ip link add va2 netns "$(rooms_ns A)" type veth peer name vb2 netns "$(rooms_ns B)"
    rooms_address A va2 10.78.0.1/24 fd78::1/64 "${1:-1500}"
    rooms_address B vb2 10.78.0.2/24 fd78::2/64 "${1:-1500}"
}

# Room B, with both links: the TAPs tap0 and tap1 take the place of its addresses.
rooms_switch()
{
    local i veth mtu=${1:-1500} ns
    ns=$(rooms_ns B)
    for i in 0 1; do
        veth=$([ "$i" -eq 0 ] && echo vb || echo vb2)
        ip -n "$ns" address flush dev "$veth"
        if ! rooms_run B ip tuntap add "tap$i" mode tap; then
            rooms_say "no TAP device: /dev/net/tun has to be there and writable"
            return 1
        fi
        ip -n "$ns" link add "br$i" type bridge
        ip -n "$ns" link set "$veth" master "br$i"
        ip -n "$ns" link set "tap$i" master "br$i" mtu "$mtu" up
        ip -n "$ns" link set "br$i" up
    done
}

# A first packet that waits for its neighbour may overtake nothing, but be overtaken: by one that is
# sent a second later over the other link.
rooms_neighbours()
{
    local address
    for address in 10.77.0.2 10.78.0.2 fd77::2 fd78::2; do
        rooms_wait 10 rooms_neighbour "$address" || return 1
    done
}

rooms_neighbour()
{
    # shellcheck disable=SC2016 # the inner shell expands
    rooms_run A bash -c 'echo >"/dev/udp/$0/9"' "$1" 2>/dev/null || :
    grep -qE 'REACHABLE|DELAY|STALE' <<<"$(ip -n "$(rooms_ns A)" neigh show to "$1")"
}

rooms_link_down()
{
    ip -n "$(rooms_ns "$1")" link set "$2" down
}

# The kernel takes IPv6 addresses away with the interface.
rooms_link_up()
{
    local net host
    net=$([[ $2 == *2 ]] && echo 78 || echo 77)
    host=$([ "$1" = A ] && echo 1 || echo 2)
    ip -n "$(rooms_ns "$1")" link set "$2" up
    ip -n "$(rooms_ns "$1")" address replace "fd$net::$host/64" dev "$2" nodad
}

# Silent loss of all SCTP in both directions: dropped where it enters A and B, so that no send fails,
# as it would with a rule for output.
rooms_cut()
{
    local room device
    for room in A B; do
        device=v${room,,}$([ "$1" -eq 1 ] || echo 2)
        rooms_run "$room" nft -f - <<RULES || return 1
table netdev hws_cut {
    chain ingress {
        type filter hook ingress device $device priority 0;
        meta l4proto { 17, 132, 253, 254 } counter drop
    }
}
RULES
    done
}

rooms_mend()
{
    local room
    for room in A B; do
        rooms_run "$room" nft delete table netdev hws_cut
    done
}

rooms_tap_up()
{
    local mtu=${1:-1500}
    rooms_need && rooms_make U || return 1
    if ! rooms_run U ip tuntap add tap0 mode tap; then
        rooms_say "no TAP device: /dev/net/tun has to be there and writable"
        return 1
    fi
    rooms_address U tap0 10.77.1.1/24 fd77:0:0:1::1/64 "$mtu"
}

# Only the network namespace is entered: `ip netns exec` would mount a new /sys as well, which
# containers forbid.
rooms_run()
{
    local room=$1
    shift
    nsenter --net="/run/netns/$(rooms_ns "$room")" -- "$@"
}

# `exec` makes the process id the command's own, so that rooms_stop ends the command and no shell.
rooms_start()
{
    local room=$1 log=$2
    shift 2
    : >"$log" # whoever waits for a line must not find one of the program before
    (exec nsenter --net="/run/netns/$(rooms_ns "$room")" -- "$@") </dev/null >"$log" 2>&1 &
    ROOMS_PID=$!
    ROOMS_STARTED+=("$ROOMS_PID")
}

rooms_gone()
{
    ! kill -0 "$1" 2>/dev/null
}

# Usage: rooms_stop PID [SECONDS]. After SECONDS it is ended for good.
rooms_stop()
{
    local pid=$1
    kill -TERM "$pid" 2>/dev/null || :
    rooms_wait "${2:-2}" rooms_gone "$pid" || kill -KILL "$pid" 2>/dev/null || :
    rooms_reap "$pid" || :
}

rooms_reap()
{
    local pid=$1 i code=0
    # The shell tells of a process ended by a signal; that is what we asked for.
    wait "$pid" 2>/dev/null || code=$?
    for i in "${!ROOMS_STARTED[@]}"; do
        [ "${ROOMS_STARTED[i]}" != "$pid" ] || unset "ROOMS_STARTED[i]"
    done
    return "$code"
}

# Its exit code, or 124 when it had to be ended.
rooms_join()
{
    local seconds=$1 pid=$2
    if rooms_wait "$seconds" rooms_gone "$pid"; then
        rooms_reap "$pid"
    else
        rooms_stop "$pid"
        return 124
    fi
}

rooms_wait()
{
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@"; do
        [ "${EPOCHREALTIME/[.,]/}" -lt "$deadline" ] || return 1
        sleep 0.02
    done
}

# Usage: rooms_wait_line SECONDS FILE REGEX
rooms_wait_line()
{
    rooms_wait "$1" grep -qsE -- "$3" "$2"
}

# Only SCTP, the experimental protocols and UDP are dropped: neighbour discovery has to live.
rooms_loss()
{
    local room interface part
    part=$(awk -v p="$1" 'BEGIN { printf "%d", p * 100 + 0.5 }')
    rooms_noloss
    for room in A B; do
        interface=v${room,,}
        rooms_run "$room" nft -f - <<RULES || return 1
table netdev hws_loss {
    chain ingress {
        type filter hook ingress device "$interface" priority 0;
        meta l4proto { 17, 132, 253, 254 } numgen random mod 10000 < $part counter drop
    }
}
RULES
    done
}

rooms_noloss()
{
    local room
    for room in A B; do
        rooms_run "$room" nft delete table netdev hws_loss 2>/dev/null || :
    done
}

rooms_dropped()
{
    rooms_run "$1" nft list table netdev hws_loss 2>/dev/null |
        sed -n 's/.*counter packets \([0-9]*\).*/\1/p' | grep . || echo 0
}

# Safe to call twice and from a trap, whatever had been built by then.
rooms_down()
{
    local pid room
    for pid in "${ROOMS_STARTED[@]}"; do
        rooms_stop "$pid"
    done
    for room in "${ROOMS_MADE[@]}"; do
        # What a started process left behind in a room of ours is ours too.
        for pid in $(ip netns pids "$(rooms_ns "$room")" 2>/dev/null); do
            kill -KILL "$pid" 2>/dev/null || :
        done
        ip netns del "$(rooms_ns "$room")" 2>/dev/null || :
    done
    ROOMS_STARTED=()
    ROOMS_MADE=()
}
