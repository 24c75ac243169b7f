#!/bin/bash
#
# What each call of the sockets API answers: Linux's SCTP, in a user-mode-linux guest, and hawser,
# asked by the same program (main.c), case by case. Lines that differ have to be explained.
# Usage: check.sh BUILD_DIR [CASE..]     as root, or: unshare -Urnm interop/semantics/check.sh ..
# With CASEs only what begins so is asked.
# Exit code: 0 no difference that is not explained, 77 skipped (1 when CI=true), 1 otherwise.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../rooms.sh"
. "$here/../uml/uml.sh"

build=$(cd "$1" && pwd)
shift
work=$(mktemp -d "${TMPDIR:-/tmp}/hws-semantics-XXXXXX")
trap 'uml_down; rooms_down; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

skip()
{
    printf 'SKIP: %s\n' "$*"
    [ "${CI:-}" != true ] || exit 1
    exit 77
}

# Usage: need CMD..: what it says when it fails is why this is skipped.
need()
{
    "$@" 2>"$work/why" || skip "$(tail -n 1 "$work/why")"
}

ask_kernel()
{
    uml_start semantics "$build/interop/semantics_kernel" "$@"
    uml_join 100 semantics || { tail -n 3 "$(uml_output semantics)"; return 1; }
    cp "$(uml_output semantics)" "$work/kernel"
}

ask_hawser()
{
    "$build/interop/semantics_hawser" "$@" >"$work/hawser" || { tail -n 3 "$work/hawser"; return 1; }
}

[ -x "$build/interop/semantics_kernel" ] || skip 'not built (Debian: libsctp-dev)'
need rooms_tap_up
need uml_up "$build/interop"
ask_hawser "$@" &
hawser=$!
ask_kernel "$@"
wait "$hawser"
awk -f "$here/compare.awk" -v some="$#" file=1 "$here/explained" file=2 "$work/kernel" file=3 "$work/hawser"
