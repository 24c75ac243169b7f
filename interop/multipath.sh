#!/bin/bash
#
# Transfers over two links while one of them fails and comes back: hawser, usrsctp and the Linux
# kernel, in every role, all under the same cut. Prints rows of the table, and how long each
# receiver got nothing.
# Usage: multipath.sh BUILD_DIR FILE DIR STORY     as root, or in unshare -Urnm
#   FILE is sent; logs go to DIR; STORY is one of
#   rooms-silent   hawser and usrsctp; nftables drops what comes over link 1
#   rooms-down     hawser and usrsctp; hawser's interface of link 1 is down
#   guest-silent   hawser and the kernel; nftables drops what comes over link 1
#   guest-down     hawser and the kernel; the kernel's interface of link 1 is down
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
for part in rooms uml/uml peers/peers capture hawser cases table flows; do
    . "$here/$part.sh"
done

HAWSER=$(cd "$1" && pwd)/cli/hawser
PEERS_DIR=$(cd "$1" && pwd)/interop
mkdir -p "$3"
work=$(cd "$3" && pwd)

finish()
{
    uml_down
    rooms_down
    rm -rf "$work/flows"
}
trap finish EXIT
trap 'exit 130' INT TERM

rooms_flows()
{
    flows_add hawser@A hawser@B sender 4
    flows_add hawser@B hawser@A receiver 6
    flows_add hawser@A usrsctp@B sender 4
    flows_add hawser@A usrsctp@B receiver 6
    flows_add usrsctp@B hawser@A sender 6
    flows_add usrsctp@B hawser@A receiver 4
}

guest_flows()
{
    flows_add hawser@A kernel sender 4
    flows_add hawser@A kernel receiver 6
    flows_add kernel hawser@A sender 6
    flows_add kernel hawser@A receiver 4
}

silent_cut()
{
    rooms_cut 1
}

silent_mend()
{
    rooms_mend
}

rooms_down_cut()
{
    rooms_link_down A va
}

rooms_down_mend()
{
    rooms_link_up A va
}

guest_down_cut()
{
    uml_link_down vec0
}

guest_down_mend()
{
    uml_link_up vec0
}

# Usage: story PEERS CUT TITLE
story()
{
    rooms_neighbours
    flows_begin "$work/flows"
    "$1_flows"
    [ -z "${HWS_CAPTURE:-}" ] || capture_start A any "$HWS_CAPTURE"
    flows_start
    flows_through "$2_cut" "$2_mend" || return 1
    flows_rows "$3"
    [ -z "${HWS_CAPTURE:-}" ] || capture_stop
}

cases_file "$2"
table_continue "$work"
rooms_up
rooms_second_link
case $4 in
rooms-silent) story rooms silent 'cut' ;;
rooms-down) story rooms rooms_down 'interface down' ;;
guest-*)
    rooms_switch
    uml_up "$PEERS_DIR" switched
    ;;&
guest-silent) story guest silent 'cut' ;;
guest-down) story guest guest_down 'interface down' ;;
esac
table_rows_end
