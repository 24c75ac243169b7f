#!/bin/bash
# The first process of the user-mode Linux guest (see uml.sh). Its parameters come on the kernel's
# command line, which hands them on as environment: hws_share, hws_tools, hws_mtu, and the addresses
# of each interface: hws_vec0=ADDR/LEN,ADDR/LEN, hws_vec1 where there is a second one.
#
# Each line read from the console is one order:
#   run ID WORDS     run WORDS (shell-quoted) in the background; ID.out has what it prints,
#                    ID.rc its exit code once it ended
#   kill ID          end it
#   down NAME        take the interface down; NAME.down is there while it is
#   up NAME ADDRS    bring it back, with its addresses
#   off              switch the guest off
# The files lie in a host directory that is mounted here.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin
share=/mnt

load_modules()
{
    local name file files=()
    # In dependency order; listen() gives ENOSYS without hmac. What is built in has no file.
    for name in hmac md5 sha1_generic sha256_generic crc32c_generic libcrc32c \
        crc-ccitt ipv6 udp_tunnel ip6_udp_tunnel sctp; do
        for file in /usr/lib/uml/modules/"$(uname -r)"/kernel/{crypto,lib,net/*}/"$name.ko"; do
            [ ! -e "$file" ] || files+=("$file")
        done
    done
    "$hws_tools/guest_insmod" "${files[@]}"
}

configure()
{
    ip link set lo up
    interface vec0 "$hws_vec0"
    [ -z "${hws_vec1:-}" ] || interface vec1 "$hws_vec1"
    # Windows of several megabytes, and RFC 6951 encapsulation beside plain IP.
    echo 16777216 >/proc/sys/net/core/rmem_max
    echo 16777216 >/proc/sys/net/core/wmem_max
    echo 9899 >/proc/sys/net/sctp/udp_port
}

# Usage: interface NAME ADDRESSES; an order, too: what was taken down comes back with its addresses.
interface()
{
    local address
    ip link set "$1" mtu "${hws_mtu:-1500}" gso_max_size "${hws_mtu:-1500}" up
    for address in ${2//,/ }; do
        ip address replace "$address" dev "$1" nodad
    done
}

declare -A pid

run()
{
    local id=$1 words=$2
    # Files that the host rewrote since they were last read must not come from our page cache.
    echo 3 >/proc/sys/vm/drop_caches
    (
        trap 'kill "$child"' TERM
        eval "exec $words" </dev/null >"$share/$id.out" 2>&1 &
        child=$!
        wait "$child"
        code=$?
        # A trapped signal ends the first wait, not the child.
        while kill -0 "$child" 2>/dev/null; do
            wait "$child"
            code=$?
        done
        echo "$code" >"$share/$id.part"
        mv "$share/$id.part" "$share/$id.rc"
    ) &
    pid[$id]=$!
}

mount -t proc none /proc
mount -t sysfs none /sys
# /tmp stays the host's, read-only: the files to send may lie there.
mount -t tmpfs none /run
mount -t hostfs none "$share" -o "$hws_share"
stty -echo 2>/dev/null
load_modules && configure && echo ready >"$share/ready"
while read -r order id words; do
    case $order in
    run) run "$id" "$words" ;;
    kill) kill "${pid[$id]}" 2>/dev/null ;;
    down) ip link set "$id" down && touch "$share/$id.down" ;;
    up) interface "$id" "$words" && rm "$share/$id.down" ;;
    off) break ;;
    esac
done
echo o >/proc/sysrq-trigger
# The first process must not end before the power is off.
while :; do read -r -t 60 _ || sleep 1; done
